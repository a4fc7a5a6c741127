"""What the daemon's handlers share: settings, core, keys, metrics, and word of the end."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import msgspec
from aiohttp import web

from ftcli.client import Client
from ftcli.clock import Clock, system_clock
from ftcli.config import Settings
from ftcli.errors import ApiKeyInvalid
from ftcli.models.session import SessionState
from ftcli.server.door import Door, words
from ftcli.server.flights import Flights
from ftcli.server.holds import Holds
from ftcli.server.key_text import well_formed
from ftcli.server.keys import NO_KEY, WRONG, ApiKey, KeyRing, Scope
from ftcli.server.limits import Guesses, Throttle
from ftcli.server.metrics import Metrics, Sample, labels
from ftcli.server.pipe import Outbox
from ftcli.server.tickets import Tickets
from ftcli.streaming.hub import Hub

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Answer:
    """What a read brought, encoded once for all who share it."""

    __slots__ = ("data", "result")

    def __init__(self, result: Any, data: bytes) -> None:
        self.result = result
        self.data = data


class Guard(msgspec.Struct, frozen=True):
    """What the front of the daemon knows of a route.

    Attributes:
        name: Its name, for log and metrics.
        scope: What a key needs for it; ``None`` where no key is needed.
        changes: Whether it changes anything: such a call must not come from a foreign page.
        socket: Whether it opens a WebSocket, whose key may come in the first message.
        ticket: Whether a ticket will do instead of a key.
        lasting: Whether it stays open by design: how long it takes says nothing.
        audit: Whether each use is worth a line in the log.
        query: The parameters its query may have; ``None`` where it looks itself, or does not mind.
        always: Whether a key may use it however often it has been used: what stops trading is never refused.
    """

    name: str
    scope: Scope | None
    changes: bool = False
    socket: bool = False
    ticket: bool = False
    lasting: bool = False
    audit: bool = False
    always: bool = False
    query: frozenset[str] | None = None


class Service:
    """The daemon, as its handlers see it.

    Args:
        settings: The settings in force.
        keys: The API keys; ``None`` where none is required.
        clock: Tells the time of the daemon, which need not be that of the broker.
    """

    client: Client
    """The core; there from start-up on."""
    description: dict[str, Any]
    """The OpenAPI document."""

    def __init__(self, settings: Settings, keys: KeyRing | None, clock: Clock = system_clock) -> None:
        self.settings = settings
        self.keys = keys
        self.clock = clock
        self.door = Door(
            settings.host,
            hosts=words(settings.allowed_hosts),
            origins=words(settings.allowed_origins),
            socket=settings.socket is not None,
        )
        self._throttle = Throttle(settings.key_rate)
        self._guesses = Guesses(settings.wrong_key_rate)
        self.metrics = Metrics()
        self.flights: Flights[Answer] = Flights()
        self.tickets = Tickets()
        self.holds = Holds(settings.stream_symbols)
        self.outbox = Outbox()
        self.guards: dict[Any, Guard] = {}
        self.hub: Hub | None = None
        """The hub, once somebody has used it."""
        self._opening = asyncio.Lock()
        self._streams: set[Callable[[str], None]] = set()
        self.closing = asyncio.Event()
        self.started_at: datetime = clock()
        self._started = time.monotonic()
        self._watch()

    def _watch(self) -> None:
        watch = self.metrics.watch
        watch(
            "ft_http_shared_reads_total",
            "counter",
            "Reads that shared a call.",
            lambda: [("", self.flights.joined)],
        )
        watch("ft_streams_open", "gauge", "Open streams.", lambda: [("", len(self._streams))])
        watch("ft_session_up", "gauge", "Whether the session with the broker is up.", self._session_up)
        watch("ft_mdds_connected", "gauge", "Whether market data is connected.", self._mdds_up)
        watch("ft_mdds_subscriptions", "gauge", "Symbols subscribed now.", self._subscriptions)
        watch("ft_mdds_oddities_total", "counter", "Oddities met in market data, by name.", self._oddities)

    def _session_up(self) -> list[Sample]:
        return [("", float(self.client.broker.state == "authenticated"))]

    def _mdds_up(self) -> list[Sample]:
        return [("", float(self.hub is not None and self.hub.status().connected))]

    def _subscriptions(self) -> list[Sample]:
        return [("", float(self.hub.status().subscriptions if self.hub else 0))]

    def _oddities(self) -> list[Sample]:
        counters = self.hub.status().mdds.counters if self.hub else {}
        return [(labels(name=name), float(count)) for name, count in sorted(counters.items())]

    @property
    def uptime(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._started

    def guard(self, handler: Handler, guard: Guard) -> Handler:
        """Registers what the front must know of a handler."""
        self.guards[handler] = guard
        return handler

    async def open_hub(self) -> Hub:
        """The one hub that all streams read.

        Raises:
            AuthRequired: Not logged in.
        """
        async with self._opening:
            self.hub = await self.client.hub()
        return self.hub

    def admit(self, key: str | None, ticket: str | None, address: str | None) -> ApiKey:
        """Whose key or ticket this is; what it may do is another question.

        Args:
            key: The key as presented.
            ticket: The ticket that stands for one.
            address: Where it comes from; ``None`` for the unix socket.

        Raises:
            ApiKeyInvalid: It is missing or wrong.
            RateLimited: Too many wrong ones have come from there, and it is wrong too or one that can be guessed.
        """
        if self.keys is None:
            return NO_KEY
        if key is None and ticket is not None:
            owner = self.tickets.redeem(ticket)
            self.keys.check_alive(owner)
            return owner
        try:
            found = self.keys.check(key)
        except ApiKeyInvalid as problem:
            # Not a missing one: any page can make a browser send that, and must not slow down this machine.
            if (problem.details or {}).get("reason") in WRONG:
                self._guesses.wrong(address or "")
            raise
        if not well_formed(key or ""):
            # Only a key from outside can be guessed. One of ours is too long for that, so others' guesses from the
            # same address, which may be that of a proxy, never keep it from halting or cancelling.
            self._guesses.right(address or "", found.id)
        return found

    def count(self, key: ApiKey) -> None:
        """Counts one use of a key.

        Raises:
            RateLimited: It has been used too often.
        """
        if self.keys is not None:
            self._throttle.take(key.id, key.rate)

    def still_admits(self, key: ApiKey | None) -> bool:
        """Whether the key that a stream was opened with is still good."""
        if self.keys is None or key is None:
            return True
        try:
            self.keys.check_alive(key)
        except ApiKeyInvalid:
            return False
        return True

    def session_changed(self, state: SessionState) -> None:
        """The session has begun, changed or ended. With its end goes what was handed out on the strength of it."""
        if state == "disconnected":
            self.tickets.clear()
            for close in list(self._streams):
                close("logout")
            self.hub = None
            self.holds.clear()

    @contextmanager
    def stream(self, close: Callable[[str], None]) -> Iterator[None]:
        """Keeps account of an open stream, so that the end of the daemon ends it with a reason.

        Args:
            close: Ends it, given the reason.
        """
        if self.closing.is_set():
            close("shutdown")
        self._streams.add(close)
        try:
            yield
        finally:
            self._streams.discard(close)

    def end_streams(self) -> None:
        """Ends every stream: the daemon stops."""
        self.closing.set()
        for close in list(self._streams):
            close("shutdown")


SERVICE = web.AppKey("service", Service)
