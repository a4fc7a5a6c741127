"""What happens next to each open order: found once, and kept until the order changes.

The market is a function of time, so what has been found for an order stays true for as long as the order is the
same. An order to which nothing happens for long is looked ahead for as long as it has been quiet, so that readers
who come often cost no more than those who come rarely.
"""

from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from ftcli.paper.matching import INSTANT, Floor, Occurrence, next_occurrence
from ftcli.paper.records import Order
from ftcli.paper.tables import OrderTable

AHEAD = timedelta(minutes=15)
"""How far a search may go beyond the moment asked for: work that is in vain if the order changes before."""


class Forecast(msgspec.Struct):
    """What is known of an order: what happens to it next, None if nothing does up to and including ``until``.

    ``since`` is the moment of the first search.
    """

    order: Order
    since: datetime
    until: datetime
    next: Occurrence | None

    @property
    def not_before(self) -> datetime:
        """The first moment at which anything may happen."""
        return self.until + INSTANT if self.next is None else self.next.time


class Forecasts:
    """The forecasts of the open orders of one engine, whichever world in memory they are in."""

    def __init__(self) -> None:
        self._known: dict[str, Forecast] = {}

    def of(self, floor: Floor, order: Order, seen: datetime | None, until: datetime) -> Forecast:
        """The forecast of an order, sure up to ``until`` at least.

        Args:
            seen: The market is known to have done nothing to the order up to this moment.
        """
        known = self._known.get(order.number)
        if known is None or not _same(known.order, order):
            found = next_occurrence(floor, order, seen, until)
            known = self._known[order.number] = Forecast(order, until, until, found)
        elif known.next is None and known.until < until:
            ahead = until + min(until - known.since, AHEAD)
            seen = known.until if seen is None else max(known.until, seen)
            known.next, known.until = next_occurrence(floor, order, seen, ahead), ahead
        known.order = order
        return known

    def prune(self, orders: OrderTable) -> None:
        """Forget orders that are not open any more, once they are many."""
        if len(self._known) > 2 * len(orders):
            self._known = {number: known for number, known in self._known.items() if number in orders}


def _same(known: Order, order: Order) -> bool:
    """True where two records are one order in one state, however far its trailing stop has been followed."""
    if known is order:
        return True
    return known == replace(order, trail_best=known.trail_best, trail_seen=known.trail_seen)
