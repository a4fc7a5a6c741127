"""Orders whose answer was lost: looked for at the broker, settled by evidence or by a person (protocol 02 §19)."""

import logging
import sqlite3
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any

from ftcli.errors import FtError, NotFound
from ftcli.models.option_symbol import OptionSymbol
from ftcli.models.orders import Order
from ftcli.models.trading import JournalEntry, JournalState, Reconciliation, ResolveAs, Settled
from ftcli.operations.operation import Core, Group, Param, operation
from ftcli.operations.order_status import fetch_status, find_order

JournalKey = Annotated[
    str,
    Param("Idempotency key, confirmation number or journal number.", argument=True, example="2DI0KXQ4"),
]
_EARLY = timedelta(seconds=5)
_OPTION_CODES = {"buy_to_open": "buy", "buy_to_close": "buy", "sell_to_open": "sell", "sell_to_close": "sell"}


class LostOrders(Group):
    """Settles orders whose answer was lost."""

    name = "orders"

    @operation("POST", "/orders/reconcile", risk="write", examples=("orders reconcile",))
    async def reconcile(self) -> Reconciliation:
        """Look at the broker for orders whose answer was lost, and for orders not placed here.

        Only evidence settles an unknown order: its confirmation number in the order status, else in the order's
        detail, else one single order there that says the same and is nobody else's. What is not found stays
        unknown: that it is absent proves nothing. Orders at the broker that were not placed here are journalled
        as external.

        Source: protocol 02 §19.
        """
        return await reconcile(self.core)

    @operation(
        "POST",
        "/orders/journal/{key}/resolve",
        risk="write",
        cli="orders resolve",
        examples=('orders resolve 2DI0KXQ4 --as not-placed --reason "not in the app either"',),
    )
    async def resolve(
        self,
        key: JournalKey,
        outcome: Annotated[
            ResolveAs, Param("What you found: placed or not-placed.", cli=("--as",), example="placed")
        ],
        reason: Annotated[str, Param("How you know; kept in the journal.")],
    ) -> JournalEntry:
        """Settle an order whose answer was lost, by what you have found out yourself.

        Look in the broker's app first. The order is not sent again either way: its number stays taken.

        Raises:
            NotFound: The journal has no such placement.
            ValidationFailed: Its outcome is not unknown, or no reason is given.

        Source: protocol 02 §19.
        """
        return self.core.desk.resolve(key, outcome is ResolveAs.PLACED, reason)


async def reconcile(core: Core, *, adopt: bool = True) -> Reconciliation:
    """Compares the journal with the broker.

    Args:
        core: The core.
        adopt: Whether to journal orders that were not placed here.
    """
    desk = core.desk
    accounts = await core.default_accounts()
    lost = [entry for entry in desk.unresolved() if entry.account in accounts]
    report = Reconciliation()
    if not lost and not adopt:
        return report
    status, _ = await fetch_status(core, accounts)
    for entry in lost:
        evidence = _by_number(entry, status.orders) or await _by_detail(core, entry)
        if not evidence:
            known = desk.known_numbers(entry.account)
            evidence = _by_terms(entry, [order for order in status.orders if order.conf_num not in known])
        if evidence:
            desk.settle(entry.id, evidence)
        state = JournalState.ACCEPTED if evidence else JournalState.UNKNOWN
        report.settled.append(
            Settled(
                id=entry.id,
                account=entry.account,
                conf_nums=entry.conf_nums,
                state=state,
                evidence=evidence or ["not found; that proves nothing, look in the broker's app"],
            )
        )
    claimed = {word for item in report.settled for line in item.evidence for word in line.split()}
    for order in status.orders if adopt else []:
        number = (order.conf_num or "").upper()
        # An order that was matched by its terms is somebody's already.
        if not number or not order.account or number in claimed:
            continue
        if desk.adopt(order.account, number, _described(order)):
            report.adopted.append(number)
    return report


async def look_for_lost(core: Core) -> bool:
    """Settles what can be settled by itself, adopting nothing; answers whether the broker could be asked."""
    try:
        if core.desk.unresolved():
            await reconcile(core, adopt=False)
    except (FtError, sqlite3.Error) as problem:
        logging.getLogger("ftcli.trading").warning("lost orders could not be looked for: %s", problem)
        return False
    return True


def _by_number(entry: JournalEntry, orders: list[Order]) -> list[str]:
    found = {
        order.conf_num.upper(): order for order in orders if order.conf_num and order.account == entry.account
    }
    return [
        f"order status lists {number} as {found[number].state}"
        for number in entry.conf_nums
        if number in found
    ]


async def _by_detail(core: Core, entry: JournalEntry) -> list[str]:
    evidence = []
    for number in entry.conf_nums:
        try:
            found = await find_order(core, number, entry.account)
        except NotFound:
            continue
        except FtError as problem:
            if problem.code in ("AUTH_REQUIRED", "SESSION_EXPIRED"):
                raise
            continue
        evidence.append(f"order detail shows {number} as {found.orders[0].state}")
    return evidence


def _by_terms(entry: JournalEntry, orders: list[Order]) -> list[str]:
    """The one order that says the same as a lost one, entered no earlier than it was sent."""
    given = entry.order.get("order") if isinstance(entry.order, dict) else None
    if not isinstance(given, dict) or "symbol" not in given:
        return []
    found = [order for order in orders if _same(given, entry, order)]
    if len(found) != 1:
        return []
    order = found[0]
    text = (
        f"order status lists {order.conf_num} with the same account, symbol, action, quantity, type, prices and "
        f"time in force, entered {order.entered_at}; no other order of the journal claims it"
    )
    return [text]


def _same(given: dict[str, Any], entry: JournalEntry, order: Order) -> bool:
    if (
        order.account != entry.account
        or order.entered_at is None
        or order.entered_at < entry.created_at - _EARLY
    ):
        return False
    action = given["action"]
    if action in _OPTION_CODES:
        right = "call" if OptionSymbol.parse(given["symbol"]).right == "C" else "put"
        action = f"{_OPTION_CODES[action]}_{right}"
    ours = (
        given["symbol"].upper(),
        action,
        Decimal(given["quantity"]),
        given["order_type"],
        _number(given.get("limit_price")),
        _number(given.get("stop_price")),
        given.get("time_in_force", "day"),
    )
    theirs = (
        (order.symbol or "").lstrip("-").upper(),
        str(order.action),
        order.original_quantity or order.quantity,
        str(order.order_type),
        order.limit_price,
        order.stop_price,
        str(order.time_in_force),
    )
    return ours == theirs


def _number(value: Any) -> Decimal | None:
    return None if value is None else Decimal(value)


def _described(order: Order) -> dict[str, Any]:
    return {
        "symbol": order.symbol,
        "action": order.action,
        "quantity": order.quantity,
        "order_type": order.order_type,
        "limit_price": order.limit_price,
        "stop_price": order.stop_price,
        "time_in_force": order.time_in_force,
        "entered_at": order.entered_at,
        "state": order.state,
    }
