"""What the hub is told about the broker: where its streams are, by what right they are read, what was missed.

The streams know nothing of sessions, settings and orders; here the three meet (protocol 05 §1.2, 7.1, 7.9).
"""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from ftcli.config import Settings
from ftcli.errors import AuthRequired, BrokerError, SessionExpired, ValidationFailed
from ftcli.streaming.beps_messages import URL_TEMPLATE
from ftcli.streaming.options import BepsOptions, Limits, MddsOptions
from ftcli.sweeps import outage_sweep

if TYPE_CHECKING:
    from ftcli.operations.operation import Core
    from ftcli.seen_events import SeenEvents
    from ftcli.transport.broker import Broker

_QUERY = URL_TEMPLATE.partition("?")[2]


def mdds_options(settings: Settings, broker: "Broker", url: str) -> MddsOptions:
    """How to reach market data.

    Args:
        settings: The settings in force.
        broker: The session with the broker.
        url: Where the stream is.
    """

    async def renew() -> bool:
        try:
            await broker.renew()
        except (AuthRequired, SessionExpired):
            return False
        return True

    return MddsOptions(
        url=url,
        cookie=lambda: broker.cookie_header("mdds"),
        session_alive=broker.keep_alive,
        renew=renew,
        entitle=broker.security_context,
        market_open=market_open(settings),
        waits=waits(settings),
    )


def limits(settings: Settings) -> Limits:
    """What consumers of the streams are allowed."""
    return Limits(consumers=settings.stream_consumers, symbols=settings.stream_symbols)


def waits(settings: Settings) -> tuple[float, ...]:
    """Seconds before each attempt to reconnect.

    Raises:
        ValidationFailed: The setting holds no positive numbers.
    """
    try:
        found = tuple(float(part) for part in settings.stream_backoff.split(",") if part.strip())
    except ValueError:
        found = ()
    if not found or not all(0 < wait < 86_400 for wait in found):
        raise ValidationFailed.of(
            "FTSERVICE_STREAM_BACKOFF", settings.stream_backoff, "be seconds with commas, such as 0.5,1,2,10"
        )
    return found


def market_open(settings: Settings) -> Callable[[datetime], bool]:
    """When silence of the market data is suspicious: in the exchange's regular hours.

    A paper market that is always open is never silent; one whose clock stands still always is.
    """
    if settings.is_paper and not settings.upstream:
        if settings.paper_clock:
            return lambda at: False
        if settings.paper_market == "always":
            return lambda at: True
    from ftcli.market_hours import is_open

    return is_open


def beps_options(
    settings: Settings, broker: "Broker", core: "Core", url: str, memory: "SeenEvents | None" = None
) -> BepsOptions:
    """How to reach account events, and how to find what was missed.

    Args:
        settings: Token, host, URL, member id and application id, each where it is set.
        broker: The session with the broker.
        core: Answers the calls for token and orders.
        url: Where the stream is, without its query; ``FTSERVICE_BEPS_STREAM_URL`` wins.
        memory: What earlier processes have seen; none where this one begins anew.

    Raises:
        ValidationFailed: The URL setting has no place for the header.
    """
    template = settings.beps_stream_url or f"{url}?{_QUERY}"
    if "{0}" not in template:
        raise ValidationFailed.of("FTSERVICE_BEPS_STREAM_URL", None, "hold {0} where the auth header goes")

    async def token() -> str:
        if settings.beps_token is not None:
            return settings.beps_token.reveal()
        from ftcli.operations.alerts import fetch_event_token

        return (await fetch_event_token(core))[1].reveal()

    async def member_id() -> str:
        if settings.beps_mid:
            return settings.beps_mid
        known = (await broker.status(offline=True)).member_id
        found = known or (await broker.security_context()).member_id
        if found is None:
            raise BrokerError(
                "The broker names no member id for account events; set FTSERVICE_BEPS_MID.",
                details={"field": "FTSERVICE_BEPS_MID"},
            )
        return found.reveal()

    sweep = outage_sweep(core)
    return BepsOptions(
        token=token,
        member_id=member_id,
        url_template=template,
        host=settings.beps_host,
        app_id=settings.beps_app_id,
        sweep=sweep,
        baseline=sweep.baseline,
        seen=sweep.seen,
        waits=waits(settings),
        known=memory.known if memory else None,
        remember=memory.remember if memory else None,
    )
