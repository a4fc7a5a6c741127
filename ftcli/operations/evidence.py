"""Which orders at the broker are the lost ones, by what they say where numbers tell nothing (protocol 02 §13, 19).

The order status gives, for each family:

- equity and single-leg option orders: every term but route, account type and tax lots;
- packages: an entry per leg under one number, each with the net price; debit or credit in the description;
- conditional groups: an entry and a number per order, each with the kind of its group. What links them changes while
  they live, so a group is known by all of its orders, never by some;
- changes: the terms as changed, and the number of the order they changed.

Whether a trailing amount counts dollars or percent, the status does not say.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from ftcli.models.conditional import ConditionalOrder, ConditionalReplacement
from ftcli.models.option_symbol import OptionSymbol
from ftcli.models.option_tickets import MultiLegOrder, OptionOrder
from ftcli.models.orders import Order
from ftcli.models.tickets import EquityOrder
from ftcli.models.trading import JournalEntry, JournalState

EARLY = timedelta(seconds=5)
"""How much earlier than sent an order may have been entered, by the broker's clock (protocol 02 §19)."""
LATE = timedelta(minutes=10)
"""How much later than sent it may have been entered: the longest wait for an answer and a slow broker. Whatever comes
later is another order, however alike."""

_FAMILIES: dict[str, Any] = {
    "orders.equity.place": EquityOrder,
    "orders.option.place": OptionOrder,
    "orders.options.place": MultiLegOrder,
    "orders.replace.place": EquityOrder,
    "orders.conditional.place": ConditionalOrder,
    "orders.conditional_replace.place": ConditionalReplacement,
}
_PACKAGE = "COMPLEX_OPTION"


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What one order says, in the same words whether it is ours or the broker's.

    Attributes:
        legs: Symbol, action and quantity of each leg.
        order_type: ``market``, ``limit`` ...
        limit, stop, trail: Its prices; the present stop of a trailing order is none of them.
        time_in_force: ``day``, ``gtc`` ...
        special: What it is part of: ``COMPLEX_OPTION``, ``OTO``, ``OCO``, ``OTOCO`` or nothing.
        net: ``debit``, ``credit`` or ``even`` of a package.
    """

    legs: tuple[tuple[str, str, Decimal], ...]
    order_type: str
    limit: Decimal | None = None
    stop: Decimal | None = None
    trail: Decimal | None = None
    time_in_force: str = "day"
    special: str = ""
    net: str = ""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """One order of a lost placement.

    Attributes:
        said: What it says.
        linked: Number of the order it changed; empty: of none; ``None``: its links tell nothing.
    """

    said: Said
    linked: str | None = ""


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """One order as the broker lists it."""

    number: str
    account: str
    entered_at: datetime | None
    said: Said
    linked: str

    def is_like(self, wanted: Wanted) -> bool:
        """Whether it says what a lost one says."""
        return self.said == wanted.said and wanted.linked in (None, self.linked)


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """What the order list says of a lost placement.

    Attributes:
        numbers: The orders that are like it.
        evidence: The same in words.
        proven: Whether they are it: there are as many of them as of lost orders alike, and each was entered
            while its own was under way.
    """

    numbers: list[str]
    evidence: list[str]
    proven: bool


class _Lost(msgspec.Struct, frozen=True, kw_only=True):
    entry: JournalEntry
    sent_at: datetime
    wanted: tuple[Wanted, ...]


def matches(entries: Iterable[JournalEntry], orders: Iterable[Order], taken: set[str]) -> dict[int, Match]:
    """The orders that are like some lost placements of one account, by number in the journal.

    One order is never evidence for two placements. Where several lost ones are alike and there are exactly as many
    orders like them, they are paired in order of time; else a person decides.

    Args:
        entries: The lost placements.
        orders: The account's orders as the broker lists them.
        taken: Confirmation numbers that belong to other placements, or are bound to one.
    """
    lost = [one for entry in entries if (one := _lost(entry))]
    free = [order for order in listed(orders) if order.number not in taken]
    found: dict[int, Match] = {}
    for alike in _alike(lost):
        rivals = {wanted for other in lost if other not in alike for wanted in other.wanted}
        found |= _match(alike, free, rivals)
    return found


def _alike(lost: list[_Lost]) -> list[list[_Lost]]:
    groups: dict[tuple[Wanted, ...], list[_Lost]] = {}
    for one in sorted(lost, key=lambda item: (item.sent_at, item.entry.id)):
        groups.setdefault(tuple(sorted(one.wanted, key=repr)), []).append(one)
    return list(groups.values())


def _match(alike: list[_Lost], free: list[Listed], rivals: set[Wanted]) -> dict[int, Match]:
    """What there is for lost placements that all say the same."""
    first, count = alike[0], len(alike)
    since, until = first.sent_at - EARLY, alike[-1].sent_at + LATE
    wanted = list(dict.fromkeys(first.wanted))
    like = {one: _like(one, free, since, until) for one in wanted}
    shares = {one: first.wanted.count(one) for one in wanted}
    seen = {order.number for orders in like.values() for order in orders}
    claimed_too = any(order.is_like(rival) for order in free if order.number in seen for rival in rivals)
    if not seen:
        return {}
    if not claimed_too and all(len(like[one]) == shares[one] * count for one in wanted):
        pairs = [
            [order for one in wanted for order in like[one][index * shares[one] : (index + 1) * shares[one]]]
            for index in range(count)
        ]
        if all(_fits(one.sent_at, orders) for one, orders in zip(alike, pairs, strict=True)):
            return {
                one.entry.id: Match(
                    numbers=[order.number for order in orders], evidence=_proof(orders, count), proven=True
                )
                for one, orders in zip(alike, pairs, strict=True)
            }
    doubt = f"{', '.join(sorted(seen))} at the broker could be it: {_terms_text(count)}"
    return {one.entry.id: Match(numbers=sorted(seen), evidence=[doubt], proven=False) for one in alike}


def _like(wanted: Wanted, free: list[Listed], since: datetime, until: datetime) -> list[Listed]:
    found = [
        order
        for order in free
        if order.is_like(wanted) and order.entered_at and since <= order.entered_at <= until
    ]
    return sorted(found, key=lambda order: (order.entered_at, order.number))


def _fits(sent_at: datetime, orders: list[Listed]) -> bool:
    """Whether orders were entered when that one was under way."""
    return all(order.entered_at and sent_at - EARLY <= order.entered_at <= sent_at + LATE for order in orders)


def _proof(orders: list[Listed], count: int) -> list[str]:
    paired = f", the lost orders alike ({count}) paired with them in order of time" if count > 1 else ""
    return [
        f"order status lists {order.number} with the same account, symbol, action, quantity, type, prices and "
        f"time in force, entered {order.entered_at}; no other order of the journal claims it{paired}"
        for order in orders
    ]


def _terms_text(count: int) -> str:
    rows = f"{count} lost orders say the same" if count > 1 else "more or fewer orders there say the same"
    return f"{rows}, so a person decides (`ft orders resolve`)"


# -- ours ---------------------------------------------------------------------------------------------------


def _lost(entry: JournalEntry) -> _Lost | None:
    kind = _FAMILIES.get(entry.kind)
    document = entry.order if isinstance(entry.order, dict) else {}
    try:
        order = msgspec.convert(document.get("order"), kind, strict=False) if kind else None
    except (msgspec.ValidationError, ValueError):
        order = None  # written by a version that knew other terms
    if order is None:
        return None
    sent = [change.changed_at for change in entry.changes if change.state is JournalState.SENDING]
    return _Lost(
        entry=entry,
        sent_at=sent[-1] if sent else entry.created_at,
        wanted=tuple(_wanted(order, document.get("replaces") or [])),
    )


def _wanted(order: Any, replaces: list[str]) -> list[Wanted]:
    if isinstance(order, ConditionalOrder):
        special = order.condition.wire
        return [Wanted(said=_said(one, special), linked=None) for one in order.orders]
    if isinstance(order, ConditionalReplacement):
        return [
            Wanted(said=_said(change.order, order.condition.wire), linked=change.replaces.strip().upper())
            for change in order.changes
        ]
    if isinstance(order, MultiLegOrder):
        legs = [(leg.symbol, _option_word(leg), Decimal(leg.quantity)) for leg in order.legs]
        said = Said(
            legs=tuple(sorted(legs)),
            order_type="limit",
            limit=order.net_price,
            time_in_force=str(order.time_in_force),
            special=_PACKAGE,
            net=str(order.direction),
        )
        return [Wanted(said=said)]
    return [Wanted(said=_said(order), linked=replaces[0] if replaces else "")]


def _said(order: Any, special: str = "") -> Said:
    action = _option_word(order) if hasattr(order, "contract") else str(order.action)
    trails = getattr(order, "trailing_amount", None), getattr(order, "trailing_percent", None)
    return Said(
        legs=((order.symbol, action, Decimal(order.quantity)),),
        order_type=order.__struct_config__.tag,
        limit=getattr(order, "limit_price", None),
        stop=getattr(order, "stop_price", None),
        trail=next((trail for trail in trails if trail is not None), None),
        time_in_force=str(order.time_in_force),
        special=special,
    )


def _option_word(leg: Any) -> str:
    """The status speaks of side and call or put, not of open and close (protocol 02 §3.2)."""
    return f"{'buy' if leg.action.is_buy else 'sell'}_{'call' if leg.contract.right == 'C' else 'put'}"


# -- the broker's -------------------------------------------------------------------------------------------


def listed(orders: Iterable[Order]) -> list[Listed]:
    """The orders of a list, the legs of a package under one number together."""
    entries: dict[str, list[Order]] = {}
    for order in orders:
        if order.conf_num and order.account:
            entries.setdefault(order.conf_num.upper(), []).append(order)
    return [_listed(number, legs) for number, legs in entries.items()]


def _listed(number: str, legs: list[Order]) -> Listed:
    first = legs[0]
    trails = str(first.order_type).startswith("trailing")
    special = first.special_order_name or ""
    said = Said(
        legs=tuple(sorted(_leg(order) for order in legs)),
        order_type=str(first.order_type),
        limit=(first.limit_price or Decimal(0))
        if special == _PACKAGE
        else None
        if trails
        else first.limit_price,
        stop=None if trails else first.stop_price,
        trail=first.trailing_amount if trails else None,
        time_in_force=str(first.time_in_force),
        special=special,
        net=_net(first.description or "") if special == _PACKAGE else "",
    )
    return Listed(
        number=number,
        account=first.account or "",
        entered_at=first.entered_at,
        said=said,
        linked=(first.linked_order or "").upper(),
    )


def _leg(order: Order) -> tuple[str, str, Decimal]:
    symbol = (order.symbol or "").upper()
    option = OptionSymbol.parse_or_none(symbol)
    quantity = order.original_quantity or order.quantity or Decimal(0)
    return option.compact if option else symbol, str(order.action), quantity


def _net(description: str) -> str:
    """A package's direction: its description tells, as ``Net Debit`` or ``Net Credit`` (protocol 02 §13.1)."""
    for word in ("debit", "credit"):
        if f"net {word}" in description.lower():
            return word
    return "even"
