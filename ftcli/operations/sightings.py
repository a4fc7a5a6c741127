"""What the broker shows of the orders of one placement, and what that comes to (protocol 02 §19)."""

from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal

import msgspec

from ftcli.models.order_codes import OrderState, ResponseType
from ftcli.models.orders import Order
from ftcli.models.trading import JournalEntry, JournalState

Shown = Mapping[tuple[str, str], list[Order]]
"""The entries of each order at the broker, by account and confirmation number: a package has one for each leg."""

NOT_FOUND = "not found"
_FAILED = str(OrderState.FAILED)
_REFUSED = str(ResponseType.REFUSED)


def shown(orders: Iterable[Order]) -> dict[tuple[str, str], list[Order]]:
    """Orders by account and confirmation number."""
    found: dict[tuple[str, str], list[Order]] = {}
    for order in orders:
        if order.account and order.conf_num:
            found.setdefault((order.account, order.conf_num.upper()), []).append(order)
    return found


def is_live(entries: list[Order]) -> bool:
    """Whether an order can still execute, or something of it has."""
    ended = (OrderState.FAILED, OrderState.CANCELED)
    return any(order.state not in ended or _executed(order) for order in entries)


def _executed(order: Order) -> bool:
    return (order.filled_quantity or Decimal(0)) > 0


class Sightings(msgspec.Struct, frozen=True, kw_only=True):
    """The orders of one placement.

    Attributes:
        states: By number, in the placement's order: the state at the broker, else what its answer said
            (``accepted``, ``refused``), else ``not found``.
        originals: The states of the orders it changed, by number.
        evidence: The same in words.
        state: What it comes to.
    """

    states: dict[str, str]
    originals: dict[str, str]
    evidence: list[str]
    state: JournalState

    @property
    def is_any(self) -> bool:
        """Whether anything is known of them."""
        return any(state != NOT_FOUND for state in self.states.values())

    @property
    def live(self) -> list[str]:
        """The numbers that the broker took."""
        return [
            number for number, state in self.states.items() if state not in (_FAILED, _REFUSED, NOT_FOUND)
        ]

    @property
    def message(self) -> str:
        """What it comes to, in words."""
        told = ", ".join(f"{number} {state}" for number, state in self.states.items())
        told += "".join(f", the changed order {number} {state}" for number, state in self.originals.items())
        return {
            JournalState.ACCEPTED: "found at the broker",
            JournalState.PARTLY_ACCEPTED: f"the broker took only part of it: {told}.",
            JournalState.REJECTED: f"The broker did not carry it out: {told}.",
        }.get(self.state, f"only part of it is found at the broker: {told}.")


def look_up(
    entry: JournalEntry, numbers: list[str], listed: Shown, detailed: Shown, others: Collection[str] = ()
) -> Sightings:
    """What is known of the orders of a placement.

    It went in only where that is known of every one of them (protocol 02 §19). One that failed before anything of it
    was executed counts as refused.

    Args:
        entry: The placement.
        numbers: The numbers that its orders may be found by.
        listed: The order status.
        detailed: The order details that were asked for.
        others: Numbers that belong to another placement by now, and prove nothing of this one.
    """
    states, evidence = {}, []
    said = answered(entry)
    for number in numbers:
        place = entry.account, number
        entries = [] if number in others else listed.get(place) or detailed.get(place)
        if entries:
            states[number] = _state(entries)
            where = "order status lists" if place in listed else "order detail shows"
            evidence.append(f"{where} {number} as {states[number]}")
        elif number in said:
            states[number] = said[number]
            evidence.append(f"the broker's answer said {number} is {said[number]}")
        else:
            states[number] = NOT_FOUND
            evidence.append(f"{number} is not listed")
    changed = entry.order.get("replaces") or [] if isinstance(entry.order, dict) else []
    originals = {one: _state(found) for one in changed if (found := listed.get((entry.account, one)))}
    evidence += [f"the changed order {one} is {state}" for one, state in originals.items()]
    return Sightings(
        states=states, originals=originals, evidence=evidence, state=_comes_to(list(states.values()))
    )


def answered(entry: JournalEntry) -> dict[str, str]:
    """What the broker's answer said of the orders of a group, by number, where it was neither all yes nor all no."""
    said = (str(ResponseType.ACCEPTED), _REFUSED)
    found: dict[str, str] = {}
    for change in entry.changes:
        found |= {number: state for number, state in change.found.items() if state in said}
    return found


def _state(entries: list[Order]) -> str:
    """The state of an order; of one with several entries that of one that did not fail."""
    for order in entries:
        if order.state is not OrderState.FAILED:
            return str(order.state)
    executed = any(_executed(order) for order in entries)
    return f"{_FAILED} after a part was executed" if executed else _FAILED


def _comes_to(states: list[str]) -> JournalState:
    if not states or NOT_FOUND in states:
        return JournalState.UNKNOWN
    refused = [state for state in states if state in (_FAILED, _REFUSED)]
    if len(refused) == len(states):
        return JournalState.REJECTED
    return JournalState.PARTLY_ACCEPTED if refused else JournalState.ACCEPTED
