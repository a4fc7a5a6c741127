"""What the hub is told about the broker: where its streams are, by what right they are read, what was missed.

The streams know nothing of sessions, settings and orders; here the three meet (protocol 05 §1.2, 7.1, 7.9).
"""

from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from ftcli.config import Settings
from ftcli.errors import AuthRequired, BrokerError, SessionExpired, ValidationFailed
from ftcli.models.order_codes import OrderState
from ftcli.models.orders import Order
from ftcli.models.streaming import Event
from ftcli.streaming.beps_messages import URL_TEMPLATE
from ftcli.streaming.options import BepsOptions, Limits, MddsOptions

if TYPE_CHECKING:
    from ftcli.operations.operation import Core
    from ftcli.seen_events import SeenEvents
    from ftcli.transport.broker import Broker

_QUERY = URL_TEMPLATE.partition("?")[2]
_ZERO = Decimal(0)


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

    async def orders() -> Iterable[Order]:
        from ftcli.operations.orders import Orders

        return (await Orders(core).status()).orders

    sweep = OrderSweep(orders)
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


class _Mark(msgspec.Struct):
    """What is known of an order."""

    state: OrderState
    filled: Decimal


class OrderSweep:
    """Finds what orders did while no events arrived: order status against what was known before.

    Args:
        orders: Asks for the orders of today and all that are still open.
        now: Tells the time on the clock the streams run on.
    """

    def __init__(
        self,
        orders: Callable[[], Awaitable[Iterable[Order]]],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._orders = orders
        self._now = now
        self._marks: dict[tuple[str, str], _Mark] = {}
        self._since: datetime | None = None
        """From when on it is known what every order was like."""

    async def baseline(self) -> None:
        """Notes how all orders are, where that has not been done.

        Raises:
            FtError: Order status was not to be had.
        """
        if self._since is None:
            found = await self._orders()
            for order in found:
                self._marks.setdefault(_key(order), _mark(order))
            self._since = self._now()

    def seen(self, event: Event) -> None:
        """Notes an event that was pushed."""
        if event.order_id is None or event.category != "order":
            return
        key = (event.order_id, (event.symbol or "").removeprefix("-"))
        mark = self._marks.setdefault(key, _Mark(OrderState.OPEN, _ZERO))
        if event.event_type == "ORDER_FILL" and event.cumulative_quantity is not None:
            mark.filled = max(mark.filled, event.cumulative_quantity)
            done = event.quantity is not None and mark.filled >= event.quantity
            mark.state = OrderState.FILLED if done else OrderState.PARTLY_FILLED
        elif event.event_type == "ORDER_CANCELLED":
            mark.state = OrderState.CANCELED

    async def __call__(self, start: datetime, end: datetime) -> list[Event]:
        """The events of an outage, made from the orders' changes.

        Args:
            start, end: When no events arrived.

        Raises:
            BrokerError: Nobody knows how the orders were before it.
            FtError: Order status was not to be had.
        """
        if self._since is None or self._since > start:
            raise BrokerError("What the orders were before the outage is not known.")
        found: list[Event] = []
        for order in await self._orders():
            key, mark = _key(order), _mark(order)
            found += _changes(order, self._marks.get(key), mark)
            self._marks[key] = mark
        return found


def _key(order: Order) -> tuple[str, str]:
    return order.conf_num or "", (order.symbol or "").removeprefix("-")


def _mark(order: Order) -> _Mark:
    return _Mark(order.state, order.filled_quantity or _ZERO)


def _changes(order: Order, before: _Mark | None, after: _Mark) -> list[Event]:
    """The events that lead from one mark to the next, in the order in which the broker pushes them."""
    kinds: list[tuple[str, str]] = []
    filled = after.filled - (before.filled if before else _ZERO)
    ended = after.state is OrderState.CANCELED
    if before is None or before.state is not after.state or filled > 0:
        kinds.append(("ORDUP", "ORDER_UPDATE"))
    if filled > 0:
        kinds.append(("MFCEX", "ORDER_FILL"))
    if ended and (before is None or before.state is not OrderState.CANCELED):
        kinds.append(("CXL01", "ORDER_CANCELLED"))
    return [_event(order, after, filled, code, name) for code, name in kinds]


def _event(order: Order, mark: _Mark, filled: Decimal, code: str, name: str) -> Event:
    quantity = order.ordered_quantity or order.original_quantity or order.quantity
    fill = name == "ORDER_FILL"
    number, symbol = _key(order)
    known: dict[str, Any] = {
        "ACCOUNT_NUM": order.account,
        "ORDER_NUM": number,
        "DISPLAY_SYMBOL": order.symbol,
        "ORIGINAL_QTY": quantity,
        "EXECUTED_QTY": mark.filled,
        "EXEC_SHRS": filled if fill else None,
        "AVG_PRICE": order.average_price if fill else None,
        "ORDER_STATUS": mark.state.value,
    }
    return Event(
        event_id=f"reconcile-{number}-{symbol}-{code}-{mark.state.value}-{mark.filled:f}",
        event_type=name,
        code=code,
        category="order",
        account=order.account,
        order_id=number,
        symbol=order.symbol,
        quantity=quantity,
        executed_quantity=filled if fill else None,
        cumulative_quantity=mark.filled,
        avg_price=order.average_price if fill else None,
        status=mark.state.value,
        partial=(mark.filled < quantity if quantity is not None else None) if fill else None,
        desc={key: value for key, value in known.items() if value is not None},
    )
