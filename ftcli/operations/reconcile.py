"""Orders whose answer was lost: looked for at the broker, settled by evidence or by a person (protocol 02 §19)."""

import asyncio
import logging
import sqlite3
from typing import Annotated, Any

import msgspec

from ftcli.errors import AuthRequired, FtError
from ftcli.models.orders import Order
from ftcli.models.trading import JournalEntry, JournalState, Reconciliation, ResolveAs, Settled
from ftcli.operations.desk import TradingDesk
from ftcli.operations.evidence import listed, matches
from ftcli.operations.operation import Core, Group, Param, operation
from ftcli.operations.order_status import fetch_status, find_order
from ftcli.operations.sightings import Shown, Sightings, answered, is_live, look_up, shown

log = logging.getLogger("ftcli.trading")

LOOKUPS = 10
"""Order details that a look nobody asked for asks for at most: the broker is asked five times a second, and an order
waits for it."""

JournalKey = Annotated[
    str,
    Param(
        "Idempotency key, confirmation number or journal number; id:2 is journal number 2, whatever keys there are.",
        argument=True,
        example="2DI0KXQ4",
    ),
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
        examples=(
            'orders resolve 2DI0KXQ4 --as not-placed --reason "not in the app either"',
            'orders resolve 2DI0KXQ4 --as placed --conf-num 2DI0KXR7 --reason "in the app under this number"',
        ),
    )
    async def resolve(
        self,
        key: JournalKey,
        outcome: Annotated[
            ResolveAs, Param("What you found: placed or not-placed.", cli=("--as",), example="placed")
        ],
        reason: Annotated[str, Param("How you know; kept in the journal.")],
        conf_nums: Annotated[
            list[str] | None,
            Param(
                "The number it has at the broker, where that is not the one of its preview; of a group each.",
                cli=("--conf-num",),
                example=["2DI0KXR7"],
            ),
        ] = None,
    ) -> JournalEntry:
        """Settle an order whose answer was lost, by what you have found out yourself.

        Look in the broker's app first. The order is not sent again either way: its number stays taken. A group that the
        broker took only in part is settled so, too, once you have canceled or kept what is there. Where the order
        status later lists what you settled as not placed, `orders reconcile` says so and takes it back.

        Raises:
            NotFound: The journal has no such placement.
            ValidationFailed: Its outcome is neither unknown nor partly accepted, no reason is given, or a number
                belongs to another placement.

        Source: protocol 02 §19.
        """
        return self.core.desk.resolve(key, outcome is ResolveAs.PLACED, reason, conf_nums)


async def reconcile(core: Core, *, adopt: bool = True) -> Reconciliation:
    """Compares the journal with the broker.

    Args:
        core: The core.
        adopt: Whether somebody asked for it: then orders that were not placed here are journalled, and the detail of
            every lost order is asked for. Else only of the latest (:data:`LOOKUPS`).
    """
    accounts = await core.default_accounts()
    lost = [entry for entry in core.desk.unresolved() if entry.account in accounts]
    report = Reconciliation()
    if not lost and not adopt:
        return report
    status, _ = await fetch_status(core, accounts)
    there = shown(status.orders)
    details = await _details(core, lost, there, None if adopt else LOOKUPS)
    unfound = [entry for entry in lost if not _by_number(core.desk, entry, there, details, report)]
    doubtful = _by_terms(core.desk, unfound, status.orders, report)
    _contradicted(core.desk, accounts, there, report)
    known = {account: core.desk.known_numbers(account) for account in accounts} if adopt else {}
    for order in listed(status.orders) if adopt else []:
        # What may be a lost order is nobody else's until a person has decided.
        if order.number not in doubtful | known.get(order.account, set()):
            found = there[order.account, order.number][0]
            if core.desk.adopt(order.account, order.number, _described(found)):
                report.adopted.append(order.number)
    return report


async def look_for_lost(core: Core) -> bool:
    """Settles what can be settled by itself, adopting nothing; answers whether the broker could be asked."""
    try:
        if core.desk.unresolved():
            await reconcile(core, adopt=False)
    except (FtError, sqlite3.Error) as problem:
        log.warning("lost orders could not be looked for: %s", problem)
        return False
    return True


async def _details(core: Core, lost: list[JournalEntry], there: Shown, most: int | None) -> Shown:
    """The details of the lost orders that the order status does not list, the latest lost first."""
    wanted = [
        (entry.account, number)
        for entry in sorted(lost, key=lambda one: one.id, reverse=True)
        for number in entry.conf_nums
        if (entry.account, number) not in there and number not in answered(entry)
    ]

    async def detail(account: str, number: str) -> list[Order] | FtError:
        try:
            return (await find_order(core, number, account)).orders
        except FtError as problem:
            return problem

    # The pace of the session keeps them from going out all at once.
    answers = await asyncio.gather(*(detail(*place) for place in wanted[:most]))
    for answer in answers:
        if isinstance(answer, AuthRequired):
            raise answer
    return {
        place: answer
        for place, answer in zip(wanted, answers, strict=False)
        if not isinstance(answer, FtError)
    }


def _by_number(
    desk: TradingDesk, entry: JournalEntry, there: Shown, details: Shown, report: Reconciliation
) -> bool:
    """Settles a lost order by its confirmation numbers; answers whether anything is known of them.

    Of a group all numbers must be known, of a change the original is told too (protocol 02 §19).
    """
    seen = look_up(entry, entry.conf_nums, there, details, desk.numbers_of_others(entry))
    if seen.is_any:
        _settle(desk, entry, seen, report)
    return seen.is_any


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
                seen = look_up(entry, match.numbers, shown(theirs), {})
                _settle(
                    desk, entry, msgspec.structs.replace(seen, evidence=match.evidence), report, match.numbers
                )
                continue
            if match:
                doubtful.update(match.numbers)
            report.settled.append(_settled(desk, entry, match.evidence if match else [_NOT_FOUND]))
    return doubtful


def _contradicted(desk: TradingDesk, accounts: list[str], there: Shown, report: Reconciliation) -> None:
    """Takes back what a person settled as not placed where the broker lists it as alive or executed."""
    for entry in desk.entries(JournalState.NOT_PLACED.value, "", None):
        live = {number for number in entry.conf_nums if is_live(there.get((entry.account, number), []))}
        if entry.account not in accounts or not live:
            continue
        others = desk.numbers_of_others(entry)
        if live - others:
            seen = look_up(entry, entry.conf_nums, there, {}, others)
            said = f"a person had settled it as not placed ({entry.changes[-1].message}), but it is there"
            log.warning("placement %s: %s", entry.id, said)
            _settle(desk, entry, msgspec.structs.replace(seen, evidence=[said, *seen.evidence]), report)


def _settle(
    desk: TradingDesk,
    entry: JournalEntry,
    seen: Sightings,
    report: Reconciliation,
    claims: list[str] | None = None,
) -> None:
    """Notes what is known of a placement. What is not known of each of its orders leaves it unknown."""
    if seen.state is JournalState.PARTLY_ACCEPTED:
        claims = seen.live
    desk.settle(
        entry.id,
        seen.state,
        since=entry.state,
        message=seen.message,
        evidence=seen.evidence,
        found=seen.states,
        claims=claims or [],
    )
    report.settled.append(_settled(desk, entry, seen.evidence))


def _settled(desk: TradingDesk, entry: JournalEntry, evidence: list[str]) -> Settled:
    """Where a lost order stands now: another process may have been faster."""
    now = desk.placement(entry.id)
    return Settled(
        id=entry.id,
        account=entry.account,
        conf_nums=entry.conf_nums,
        state=now.state,
        evidence=now.changes[-1].evidence or evidence,
    )


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
