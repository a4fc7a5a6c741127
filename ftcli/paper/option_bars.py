"""Bars of option contracts, made from their trades."""

from bisect import bisect_left
from decimal import Decimal
from typing import TYPE_CHECKING

from ftcli.paper.bars import Part
from ftcli.paper.option_contracts import OptionContract
from ftcli.paper.option_quotes import money
from ftcli.paper.timeline import Span

if TYPE_CHECKING:
    from ftcli.paper.market import Market


class OptionSource:
    """Bars of one option contract; a stretch without trades has none."""

    def __init__(self, market: "Market", contract: OptionContract) -> None:
        self.fund = False
        self.extended = False
        self._book = market.option_desk.book(contract)

    def price(self, units: int) -> Decimal:
        """Cents as dollars."""
        return money(units)

    def session(self, span: Span, last: int) -> Part | None:
        """See `Source.session`."""
        return self.stretch(span, 1000 * span.start, min(last, 1000 * span.end))

    def stretch(self, span: Span, start: int, end: int) -> Part | None:
        """See `Source.stretch`."""
        if self._book is None:
            return None
        session, done = self._book.session(span, end - 1)
        first = bisect_left(session.times, start)
        if first >= done:
            return None
        prices = session.prices[first:done]
        before = session.volumes[first - 1] if first else 0
        return (
            prices[0],
            max(prices),
            min(prices),
            prices[-1],
            session.volumes[done - 1] - before,
            done - first,
        )
