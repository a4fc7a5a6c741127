"""What the streams need to know of the world: all of it is handed in, nothing is looked up."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from datetime import datetime
from typing import Literal

import msgspec

from ftcli.models.streaming import Event, Kind
from ftcli.streaming.beps_events import Known
from ftcli.streaming.commands import CHUNK
from ftcli.streaming.gate import Ask
from ftcli.streaming.quote import EmptyInDelta
from ftcli.streaming.schedule import WAITS
from ftcli.streaming.sockets import Connect

MDDS_URL = "wss://mdds-i-tc.fidelity.com/?productid=atn"
"""The data host (protocol 05 §1.1)."""

Cookie = Callable[[], "str | Awaitable[str]"]
"""Gives a ``Cookie`` header, at once or to be awaited."""


async def headers(cookie: Cookie | None) -> dict[str, str]:
    """The headers of an upgrade; the cookie is asked for anew."""
    if cookie is None:
        return {}
    value = cookie()
    text = value if isinstance(value, str) else await value
    return {"Cookie": text} if text else {}


Pool = Literal["quote", "tas", "book", "bar"]
POOLS: dict[Kind, Pool] = {"quote": "quote", "trade": "tas", "book": "book", "bar": "bar"}
"""The name of the group of sockets that serves each kind."""

PER_SOCKET: Mapping[Kind, int] = {"quote": 100, "trade": 100, "book": 1, "bar": 100}


class MddsOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How to reach and treat MDDS.

    Attributes:
        url: WebSocket URL.
        cookie: Gives the ``Cookie`` header, asked anew for every connection; at once or to be awaited.
        session_alive: Whether the broker's session is valid; raises where it cannot tell.
        renew: Gets a new session, and answers whether there is one.
        entitle: Repeats the call that switches real-time quotes on; made once if all quotes come delayed.
        market_open: Whether the market is in its regular hours at a moment: silence is suspicious only then.
        user_agent: ``User-Agent`` of the upgrade; none is sent where it is empty.
        connect: Opens sockets; the ``websockets`` library where ``None``.
        conflation_ms: Least time between two updates of one symbol (not for trades).
        empty_in_delta: What an empty value in a quote's delta means (protocol 05 §2.14).
        chunk: Symbols in one subscribe command.
        per_socket: Symbols on one socket, by kind.
        max_sockets: Sockets in all.
        waits: Seconds before reconnect attempts 1, 2, 3 ...
        linger: Seconds from the last consumer of a symbol to its unsubscribe.
        idle: Seconds until a socket without subscriptions is closed.
        negative_for: Seconds for which an unknown symbol is refused without asking the broker.
    """

    url: str = MDDS_URL
    cookie: Cookie | None = None
    session_alive: Ask | None = None
    renew: Ask | None = None
    entitle: Callable[[], Awaitable[object]] | None = None
    market_open: Callable[[datetime], bool] | None = None
    user_agent: str = ""
    connect: Connect | None = None
    conflation_ms: int = 1000
    empty_in_delta: EmptyInDelta = "keep"
    chunk: int = CHUNK
    per_socket: Mapping[Kind, int] = msgspec.field(default_factory=lambda: PER_SOCKET)
    max_sockets: int = 10
    waits: tuple[float, ...] = WAITS
    linger: float = 10.0
    idle: float = 60.0
    negative_for: float = 900.0


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What the hub allows its consumers.

    Attributes:
        consumers: Consumers at one time.
        symbols: Symbols of one consumer.
        queue: Updates kept for a consumer that is busy, before quotes are conflated and events overflow.
        replay: Updates of each kind kept for ``Last-Event-ID``.
        events: Account events kept for it.
    """

    consumers: int = 500
    symbols: int = 200
    queue: int = 1000
    replay: int = 4096
    events: int = 10_000


class BepsOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How to reach BEPS, the account events.

    Attributes:
        token: Gives a token, fetched anew at each call (or always the same where it is configured).
        member_id: Gives the member id; asked once for each connection.
        url_template: URL with ``{0}`` for the auth header; empty for the broker's own.
        host: Name the API is known by; empty for the broker's own.
        app_id: Consumer application id.
        cookie: Gives the ``Cookie`` header; BEPS is not known to need one.
        sweep: Finds what happened in an outage: called with its start and end, gives events one by one, which
            are published as recovered. Raises where it cannot tell; it is asked again then, for the rest.
        baseline: Called whenever events begin to arrive, so that a sweep knows what to compare with.
        seen: Called with each event that is published.
        connect: Opens sockets; the ``websockets`` library where ``None``.
        user_agent: ``User-Agent`` of the upgrade; none is sent where it is empty.
        waits: Seconds before reconnect attempts 1, 2, 3 ...
        known: Gives the events that earlier processes have seen; asked once, before the first connection.
        remember: Called with each new event's id, digest and time, to keep it for the next process.
    """

    token: Callable[[], Awaitable[str]]
    member_id: Callable[[], Awaitable[str]]
    url_template: str = ""
    host: str = ""
    app_id: str = "ATN"
    cookie: Cookie | None = None
    sweep: Callable[[datetime, datetime], AsyncIterator[Event]] | None = None
    baseline: Callable[[], Awaitable[None]] | None = None
    seen: Callable[[Event], None] | None = None
    connect: Connect | None = None
    user_agent: str = ""
    waits: tuple[float, ...] = WAITS
    known: Callable[[], Iterable[Known]] | None = None
    remember: Callable[[Known], None] | None = None
