"""Finds what happened while no account events arrived: the broker does not keep them (protocol 05 §7.8).

After an outage orders, positions and balances are asked for once and compared with what was known before it.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from ftcli.errors import BrokerError
from ftcli.models.accounts import Positions
from ftcli.models.balances import Balances
from ftcli.models.order_codes import OrderState
from ftcli.models.orders import Order
from ftcli.models.streaming import Event

if TYPE_CHECKING:
    from ftcli.operations.operation import Core

_ZERO = Decimal(0)
_Cash = tuple[Decimal, Decimal] | None


def _now() -> datetime:
    return datetime.now(UTC)


def outage_sweep(core: "Core") -> "OutageSweep":
    """The sweep that asks through the core.

    Args:
        core: Answers the calls for orders, accounts, positions and balances.
    """

    async def orders() -> Iterable[Order]:
        from ftcli.operations.orders import Orders

        return (await Orders(core).status()).orders

    async def holdings() -> Iterable[Holdings]:
        from ftcli.operations.accounts import Accounts

        accounts = Accounts(core)
        listed = (await accounts.list()).accounts
        names = [account.account for account in listed if account.is_brokerage]
        return [
            Holdings(*pair)
            for pair in zip(
                await asyncio.gather(*(accounts.positions(name) for name in names)),
                await asyncio.gather(*(accounts.balances(name) for name in names)),
                strict=True,
            )
        ]

    return OutageSweep(OrderSweep(orders), HoldingSweep(holdings))


class OutageSweep:
    """Everything that is compared after an outage.

    Args:
        orders: Compares the orders.
        holdings: Compares positions and balances.
    """

    def __init__(self, orders: "OrderSweep", holdings: "HoldingSweep") -> None:
        self._orders = orders
        self._holdings = holdings

    async def baseline(self) -> None:
        """Notes how everything is, where that has not been done.

        Raises:
            FtError: The broker did not say.
        """
        await self._orders.baseline()
        await self._holdings.baseline()

    def seen(self, event: Event) -> None:
        """Notes an event that was pushed."""
        self._orders.seen(event)

    async def __call__(self, start: datetime, end: datetime) -> AsyncIterator[Event]:
        """The events of an outage; what was given out is not found again.

        Args:
            start, end: When no events arrived.

        Raises:
            BrokerError: Nobody knows how things were before it.
            FtError: The broker did not say how they are now.
        """
        for event in await self._orders(start, end):
            yield event
        for event in await self._holdings(end):
            yield event


class Holdings(msgspec.Struct, frozen=True):
    """One account at one moment."""

    positions: Positions
    balances: Balances


class HoldingSweep:
    """Finds which positions and cash balances changed while no events arrived.

    What it finds says how things are now. It may have been pushed before the outage: a push is not noted here,
    because what it carries is not known.

    Args:
        holdings: Asks for positions and balances of every account.
    """

    def __init__(self, holdings: Callable[[], Awaitable[Iterable[Holdings]]]) -> None:
        self._holdings = holdings
        self._quantities: dict[tuple[str, str], Decimal] = {}
        self._cash: dict[str, _Cash] | None = None

    async def baseline(self) -> None:
        """Notes how things are, where that has not been done.

        Raises:
            FtError: The broker did not say.
        """
        if self._cash is None:
            self._quantities, self._cash = _measured(await self._holdings())

    async def __call__(self, end: datetime) -> list[Event]:
        """One event for each position that differs, one for each account whose cash does.

        Args:
            end: When events arrived again.

        Raises:
            BrokerError: Nobody knows how they were before.
            FtError: The broker did not say how they are now.
        """
        if self._cash is None:
            raise BrokerError("What the positions were before the outage is not known.")
        quantities, cash = _measured(await self._holdings())
        keys = [*quantities, *(key for key in self._quantities if key not in quantities)]
        moved = [key for key in keys if quantities.get(key) != self._quantities.get(key)]
        paid = [account for account in cash if cash[account] != self._cash.get(account)]
        self._quantities, self._cash = quantities, cash
        return [
            *(
                _position_event(account, symbol, quantities.get((account, symbol)), end)
                for account, symbol in moved
            ),
            *(_balance_event(account, end) for account in paid),
        ]


def _measured(
    holdings: Iterable[Holdings],
) -> tuple[dict[tuple[str, str], Decimal], dict[str, _Cash]]:
    """Quantities by account and symbol, and of each account the amounts of cash that no price moves."""
    quantities: dict[tuple[str, str], Decimal] = {}
    cash: dict[str, _Cash] = {}
    for entry in holdings:
        account = entry.positions.account
        for position in entry.positions.positions:
            if position.symbol and position.quantity is not None and position.security_type != "Core":
                key = account, position.symbol
                quantities[key] = quantities.get(key, _ZERO) + position.quantity
        cash[account] = _cash(entry.balances)
    return quantities, cash


def _cash(balances: Balances) -> _Cash:
    """The amounts of cash that no price moves: what marks up the credit of shorts marks down the other credit."""
    recent = balances.recent
    if recent is None:
        return None
    return recent.core_balance or _ZERO, (recent.credit_debit or _ZERO) + (recent.short_credit or _ZERO)


def _position_event(account: str, symbol: str, quantity: Decimal | None, at: datetime) -> Event:
    now = quantity or _ZERO
    return Event(
        event_id=f"reconcile-{account}-{symbol}-SPPOS-{now:f}-{at:%Y%m%dT%H%M%S.%f}",
        event_type="POSITION_UPDATE",
        code="SPPOS",
        category="position",
        account=account,
        symbol=symbol,
        quantity=now,
        desc={"ACCOUNT_NUM": account, "DISPLAY_SYMBOL": symbol, "QUANTITY": now},
    )


def _balance_event(account: str, at: datetime) -> Event:
    return Event(
        event_id=f"reconcile-{account}-SPBSM-{at:%Y%m%dT%H%M%S.%f}",
        event_type="BALANCE_UPDATE",
        code="SPBSM",
        category="balance",
        account=account,
        desc={"ACCOUNT_NUM": account},
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
        now: Callable[[], datetime] = _now,
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
