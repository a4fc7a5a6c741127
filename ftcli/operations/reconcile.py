"""Orders whose answer was lost: looked for at the broker, settled by evidence or by a person (protocol 02 §19)."""

import logging
import sqlite3
from typing import Annotated, Any

from ftcli.errors import FtError, NotFound
from ftcli.models.orders import Order
from ftcli.models.trading import JournalEntry, Reconciliation, ResolveAs, Settled
from ftcli.operations.desk import TradingDesk
from ftcli.operations.evidence import listed, matches
from ftcli.operations.operation import Core, Group, Param, operation
from ftcli.operations.order_status import fetch_status, find_order

JournalKey = Annotated[
    str,
    Param("Idempotency key, confirmation number or journal number.", argument=True, example="2DI0KXQ4"),
]
_NOT_FOUND = "not found; that proves nothing, look in the broker's app"


class LostOrders(Group):
    """Settles orders whose answer was lost."""

    name = "orders"

    @operation("POST", "/orders/reconcile", risk="write", examples=("orders reconcile",))
    async def reconcile(self) -> Reconciliation:
        """Look at the broker for orders whose answer was lost, and for orders not placed here.

        Only evidence settles an unknown order: its confirmation number in the order status, else in the order's
        detail, else an order there that says the same and is nobody else's. Lost orders that are alike are settled
        only where there are exactly as many orders like them, in order of time. What is not found or not clear
        stays unknown: that it is absent proves nothing. Orders at the broker that were not placed here are
        journalled as external.

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
    accounts = await core.default_accounts()
    lost = [entry for entry in core.desk.unresolved() if entry.account in accounts]
    report = Reconciliation()
    if not lost and not adopt:
        return report
    status, _ = await fetch_status(core, accounts)
    unfound = [entry for entry in lost if not await _by_number(core, entry, status.orders, report)]
    doubtful = _by_terms(core.desk, unfound, status.orders, report)
    for order in listed(status.orders) if adopt else []:
        # What may be a lost order is nobody else's until a person has decided.
        if order.number not in doubtful:
            found = next(item for item in status.orders if (item.conf_num or "").upper() == order.number)
            if core.desk.adopt(order.account, order.number, _described(found)):
                report.adopted.append(order.number)
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


async def _by_number(core: Core, entry: JournalEntry, orders: list[Order], report: Reconciliation) -> bool:
    """Settles a lost order by its confirmation numbers, in the order status or else in the order's detail."""
    others = core.desk.numbers_of_others(entry)
    numbers = [number for number in entry.conf_nums if number not in others]
    there = {
        order.conf_num.upper(): order for order in orders if order.conf_num and order.account == entry.account
    }
    listed_ones = [number for number in numbers if number in there]
    evidence = [f"order status lists {number} as {there[number].state}" for number in listed_ones]
    if evidence:
        # Of a group all numbers are looked at, of a change the original too (protocol 02 §19).
        evidence += [f"{number} is not listed" for number in numbers if number not in there]
        originals = entry.order.get("replaces") or []
        evidence += [f"the changed order {one} is {there[one].state}" for one in originals if one in there]
    else:
        evidence = await _by_detail(core, entry.account, numbers)
    if evidence:
        core.desk.settle(entry.id, evidence, [])
        report.settled.append(_settled(core.desk, entry, evidence))
    return bool(evidence)


def _by_terms(
    desk: TradingDesk, entries: list[JournalEntry], orders: list[Order], report: Reconciliation
) -> set[str]:
    """Settles lost orders by what they say; answers the numbers of orders that may be one of those left."""
    doubtful: set[str] = set()
    for account in dict.fromkeys(entry.account for entry in entries):
        mine = [entry for entry in entries if entry.account == account]
        theirs = [order for order in orders if order.account == account]
        found = matches(mine, theirs, desk.known_numbers(account))
        for entry in mine:
            match = found.get(entry.id)
            if match and match.proven:
                desk.settle(entry.id, match.evidence, match.numbers)
            elif match:
                doubtful.update(match.numbers)
            report.settled.append(_settled(desk, entry, match.evidence if match else [_NOT_FOUND]))
    return doubtful


def _settled(desk: TradingDesk, entry: JournalEntry, evidence: list[str]) -> Settled:
    """Where a lost order stands now: another process may have been faster."""
    now = desk.entry(str(entry.id))
    return Settled(
        id=entry.id,
        account=entry.account,
        conf_nums=entry.conf_nums,
        state=now.state,
        evidence=now.changes[-1].evidence or evidence,
    )


async def _by_detail(core: Core, account: str, numbers: list[str]) -> list[str]:
    evidence = []
    for number in numbers:
        try:
            found = await find_order(core, number, account)
        except NotFound:
            continue
        except FtError as problem:
            if problem.code in ("AUTH_REQUIRED", "SESSION_EXPIRED"):
                raise
            continue
        evidence.append(f"order detail shows {number} as {found.orders[0].state}")
    return evidence


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
