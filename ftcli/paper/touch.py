"""When a price is first reached: found from the top down, whole days and half hours at a glance.

A day, half hour or minute is only looked into when its range makes the touch possible, so an order
that rests for months is settled in milliseconds.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING

from msgspec import Struct

from ftcli.paper.quotes import Quote, Touch
from ftcli.paper.symbols import find
from ftcli.paper.tape import Book
from ftcli.paper.timeline import (
    BLOCK_MINUTES,
    Span,
    epoch_milliseconds,
    moment_of,
    next_span,
    span_at,
)

if TYPE_CHECKING:
    from ftcli.paper.market import Market

SIDES = ("bid", "ask", "last")
HOURS = ("regular", "extended", "always")
INSTANT = timedelta(microseconds=1)

Window = tuple[int, int]


class Condition(Struct, frozen=True):
    """What is waited for: a side at or below (or at or above) a number of price units."""

    side: str
    below: bool
    limit: int

    def met(self, price: int) -> bool:
        """Whether a price satisfies the condition."""
        return price <= self.limit if self.below else price >= self.limit

    def possible(self, low: int, high: int, widest: int) -> bool:
        """Whether the side can get there while trades stay in a range.

        Args:
            low, high: The range of the trades.
            widest: The widest quote: the bid is at most this far below a trade, the ask above.
        """
        if self.below:
            return (low - widest if self.side == "bid" else low) <= self.limit
        return (high + widest if self.side == "ask" else high) >= self.limit


def condition_price(at_or_below: Decimal | None, at_or_above: Decimal | None) -> tuple[bool, Decimal]:
    """Direction (True for "at or below") and price of a condition.

    Raises:
        ValueError: Not exactly one of the two is given.
    """
    if at_or_below is not None and at_or_above is None:
        return True, at_or_below
    if at_or_above is not None and at_or_below is None:
        return False, at_or_above
    raise ValueError("give exactly one of at_or_below and at_or_above")


def find_touch(
    market: "Market",
    symbol: str,
    after: datetime,
    until: datetime,
    *,
    side: str,
    at_or_below: Decimal | None,
    at_or_above: Decimal | None,
    hours: str,
) -> Touch | None:
    """See `ftcli.paper.market.Market.first_touch`."""
    if side not in SIDES:
        raise ValueError(f"no side {side!r}: use one of {', '.join(SIDES)}")
    if hours not in HOURS:
        raise ValueError(f"no hours {hours!r}: use one of {', '.join(HOURS)}")
    below, price = condition_price(at_or_below, at_or_above)
    after, until = after.astimezone(UTC), until.astimezone(UTC)  # New York's clock jumps
    if until <= after:
        return None
    security = find(symbol)
    if security is None:
        from ftcli.paper.option_touch import find_option_touch

        return find_option_touch(
            market, symbol, after, until, side=side, below=below, price=price, hours=hours
        )
    if security.is_fund:
        return _fund_touch(market, symbol, after, until, side, below, price)
    book = market.tape.book(security)
    rounding = ROUND_FLOOR if below else ROUND_CEILING
    limit = int((price * book.units).to_integral_value(rounding=rounding))
    search = Search(market, book, Condition(side, below, limit), hours)
    found = search.run(after + INSTANT, until)
    return None if found is None else touch_at(market.quote(symbol, found))


def touch_at(quote: Quote | None) -> Touch:
    """A touch at the moment of a quote."""
    assert quote is not None
    return Touch(time=quote.time, bid=quote.bid, ask=quote.ask, last=quote.last)


def windows(
    begin: int, until: int, hours: str, always_open: bool, extended: bool
) -> Iterator[tuple[Span, Window]]:
    """The stretches in which a touch counts, in order, with the span each belongs to.

    Args:
        begin, until: Milliseconds since 1970, both included.
        hours: ``regular``, ``extended`` or ``always``.
        always_open: Whether the market never closes.
        extended: Whether the security trades in extended hours.

    Yields:
        Span, and first and last millisecond, both included and within the span.
    """
    span = span_at(begin // 1000)
    while 1000 * span.start <= until:
        if span.regular or hours == "always":
            stretches = [(span.start, span.end)]
        else:
            stretches = span.extended() if hours == "extended" and (extended or always_open) else []
        for start, end in stretches:
            first, last = max(begin, 1000 * start), min(until, 1000 * end - 1)
            if first <= last:
                yield span, (first, last)
        span = next_span(span)


class Search:
    """One search for the first moment a condition is met."""

    def __init__(self, market: "Market", book: Book, condition: Condition, hours: str) -> None:
        self._always_open = market.always_open
        self._book = book
        self._condition = condition
        self._hours = hours

    def run(self, begin: datetime, until: datetime) -> datetime | None:
        """The first moment from ``begin`` to ``until``, both included, None when there is none."""
        first, last = epoch_milliseconds(begin), epoch_milliseconds(until)
        for span, window in windows(first, last, self._hours, self._always_open, self._book.extended):
            found = self._in_window(span, window)
            if found is not None:
                return begin if found <= first else moment_of(found)
        return None

    def _in_window(self, span: Span, window: Window) -> int | None:
        if not (span.regular or self._always_open):
            return self._in_closed_market(span, window)
        return self._in_live(span, window)

    def _in_closed_market(self, span: Span, window: Window) -> int | None:
        """A night of a market that keeps hours: the last price stands, quotes move in extended hours."""
        first, last = window
        if self._condition.side == "last":
            return first if self._condition.met(self._book.days.session(span.day)[3]) else None
        if not self._book.extended:
            return first if self._condition.met(self._closing_quote(span)) else None
        post_end, pre_start = 1000 * span.post_end, 1000 * span.pre_start
        if first < post_end:
            found = self._in_live(span, (first, min(last, post_end - 1)))
            if found is not None:
                return found
        elif first < pre_start:
            found = self._in_live(span, (post_end - 1, post_end - 1))
            if found is not None:
                return first
        if last >= pre_start:
            return self._in_live(span, (max(first, pre_start), last))
        return None

    def _closing_quote(self, span: Span) -> int:
        state = self._book.state(span_at(span.start - 1), 1000 * span.start - 1)
        return state.bid if self._condition.side == "bid" else state.ask

    def _in_live(self, span: Span, window: Window) -> int | None:
        """A stretch in which the side follows the tape, both ends included."""
        condition, book = self._condition, self._book
        row = book.row(span)
        widest = sum(book.spread(span))
        if not condition.possible(row[2], row[1], widest):
            return None
        first, last = window
        state = book.state(span, first)
        if condition.met({"bid": state.bid, "ask": state.ask, "last": state.last}[condition.side]):
            return first
        base = 1000 * span.start
        path = book.path(span)
        minute, final = (first - base) // 60_000, (last - base) // 60_000
        while minute <= final:
            index, inner = divmod(minute, BLOCK_MINUTES)
            upto = min(BLOCK_MINUTES, inner + final - minute + 1)
            if condition.possible(path.lows[index], path.highs[index], widest):
                found = self._in_block(span, index, range(inner, upto), (first, last), widest)
                if found is not None:
                    return found
            minute += upto - inner
        return None

    def _in_block(self, span: Span, index: int, minutes: range, window: Window, widest: int) -> int | None:
        block = self._book.block(span, index)
        for inner in minutes:
            if self._condition.possible(block.lows[inner], block.highs[inner], widest):
                found = self._in_minute(span, BLOCK_MINUTES * index + inner, window)
                if found is not None:
                    return found
        return None

    def _in_minute(self, span: Span, minute: int, window: Window) -> int | None:
        """The first event of a minute after the window's beginning that meets the condition."""
        first, last = window
        base = 1000 * span.start + 60_000 * minute
        prints = self._book.prints(span, minute)
        met = self._condition.met
        if self._condition.side == "last":
            events: Iterator[tuple[int, int]] = zip(prints.times, prints.prices, strict=True)
        else:
            sides = prints.bids if self._condition.side == "bid" else prints.asks
            events = zip(range(0, 60_000, 1000), sides, strict=True)
        for offset, price in events:
            if met(price) and first < base + offset:
                return base + offset if base + offset <= last else None
        return None


def _fund_touch(
    market: "Market", symbol: str, after: datetime, until: datetime, side: str, below: bool, price: Decimal
) -> Touch | None:
    """A fund's net asset value changes once a day, at the close."""
    if side != "last":
        return None
    moment = after + INSTANT
    while moment <= until:
        quote = market.quote(symbol, moment)
        assert quote is not None
        assert quote.last is not None
        if quote.last <= price if below else quote.last >= price:
            return touch_at(quote)
        span = span_at(epoch_milliseconds(moment) // 1000)
        moment = moment_of(1000 * (span.end if span.regular else next_span(span).end)).astimezone(UTC)
    return None
