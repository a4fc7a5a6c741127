"""Bars of any width, put together from the paper market's sessions, minutes and trades."""

from bisect import bisect_left
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Protocol

from msgspec import Struct

from ftcli.clock import NEW_YORK
from ftcli.paper.calendar import next_trading_day, session_on
from ftcli.paper.path import Prints
from ftcli.paper.quotes import Bar
from ftcli.paper.tape import Book
from ftcli.paper.timeline import (
    BLOCK_MINUTES,
    Span,
    epoch_milliseconds,
    first_millisecond,
    moment_of,
    next_span,
    regular_span,
    span_at,
)

Part = tuple[int, int, int, int, int, int]
"""Open, high, low, close (price units), volume and trades."""


class Bounds(Struct, frozen=True):
    """The stretch asked for.

    Attributes:
        first, last: Its beginning, and the first millisecond no longer in it.
        end: Its exact end.
    """

    first: int
    last: int
    end: datetime

    def over(self, milliseconds: int) -> bool:
        """Whether a moment comes no later than the end."""
        return milliseconds < self.last or moment_of(milliseconds) == self.end


_WORDS = {
    "D": "D", "DAILY": "D", "DAY": "D",
    "W": "W", "WEEKLY": "W", "WEEK": "W",
    "M": "M", "MONTHLY": "M", "MONTH": "M",
    "Q": "Q", "QUARTERLY": "Q", "QUARTER": "Q",
    "Y": "Y", "YEARLY": "Y", "YEAR": "Y", "ANNUAL": "Y",
}  # fmt: skip


def bar_width(width: int | str) -> int | str:
    """A bar width in its standard form: minutes from 1 to 60, or one of D, W, M, Q, Y.

    Raises:
        ValueError: There is no such width.
    """
    if isinstance(width, str):
        word = width.strip().upper()
        if word in _WORDS:
            return _WORDS[word]
        if not word.isdecimal():
            raise ValueError(f"no bar width {width!r}: use minutes from 1 to 60 or D, W, M, Q, Y")
        width = int(word)
    if not 1 <= width <= 60:
        raise ValueError(f"no bar width of {width} minutes: use 1 to 60, or D, W, M, Q, Y")
    return width


class Source(Protocol):
    """Where the bars of one security come from.

    Attributes:
        fund: Whether it is priced once a day, at the close.
        extended: Whether it trades in the extended hours of a market that keeps hours.
    """

    fund: bool
    extended: bool

    def price(self, units: int) -> Decimal:
        """Price units as dollars."""

    def session(self, span: Span, last: int) -> Part | None:
        """A regular session's bar up to, not including, a moment that may lie within it."""

    def stretch(self, span: Span, start: int, end: int) -> Part | None:
        """The bar of a span from the beginning of a minute up to, not including, another moment."""


class StockSource:
    """Bars of a stock, ETF, index or fund."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self.fund = book.security.is_fund
        self.extended = book.extended

    def price(self, units: int) -> Decimal:
        """See `Source.price`."""
        return self._book.price(units)

    def session(self, span: Span, last: int) -> Part | None:
        """See `Source.session`."""
        book = self._book
        opening, high, low, closing, volume = book.days.session(span.day)
        if self.fund:
            return closing, closing, closing, closing, 0, 0
        if 1000 * span.end <= last:
            return opening, high, low, closing, volume, book.trades_in(span)
        state = book.state(span, last - 1)
        return opening, state.high, state.low, state.last, state.volume, state.count

    def stretch(self, span: Span, start: int, end: int) -> Part | None:
        """See `Source.stretch`."""
        base = 1000 * span.start
        minute, rest = (start - base) // 60_000, (end - base) % 60_000
        final = (end - base) // 60_000
        part: Part | None = None
        while minute < final:
            index, inner = divmod(minute, BLOCK_MINUTES)
            block = self._book.block(span, index)
            upto = min(BLOCK_MINUTES, inner + final - minute)
            whole = (
                block.nodes[inner],
                max(block.highs[inner:upto]),
                min(block.lows[inner:upto]),
                block.nodes[upto],
                block.volumes[upto] - block.volumes[inner],
                block.counts[upto] - block.counts[inner],
            )
            part = join(part, whole)
            minute += upto - inner
        return self._begun(part, self._book.prints(span, final), rest) if rest else part

    def _begun(self, part: Part | None, prints: Prints, rest: int) -> Part | None:
        """A bar and the trades of the first milliseconds of the minute after it."""
        done = bisect_left(prints.times, rest)
        if not done:
            return part
        begun = (
            prints.prices[0],
            prints.tops[done - 1],
            prints.bottoms[done - 1],
            prints.prices[done - 1],
            prints.volumes[done - 1],
            done,
        )
        return join(part, begun)


def make_bars(
    source: Source, start: datetime, end: datetime, width: int | str, extended: bool, always_open: bool
) -> list[Bar]:
    """The bars of one security; see `ftcli.paper.market.Market.bars`."""
    standard = bar_width(width)
    bounds = Bounds(epoch_milliseconds(start), first_millisecond(end), end.astimezone(NEW_YORK))
    if bounds.last <= bounds.first:
        return []
    if isinstance(standard, str):
        return list(_long_bars(source, bounds, standard))
    return [] if source.fund else list(_minute_bars(source, bounds, standard, extended, always_open))


def join(left: Part | None, right: Part | None) -> Part | None:
    """Two consecutive stretches as one; None stands for one without trades."""
    if left is None or right is None:
        return right if left is None else left
    return (
        left[0],
        left[1] if left[1] > right[1] else right[1],
        left[2] if left[2] < right[2] else right[2],
        right[3],
        left[4] + right[4],
        left[5] + right[5],
    )


def _bar(source: Source, part: Part, start: int, end: int, bounds: Bounds) -> Bar:
    price = source.price
    final = bounds.over(end)
    return Bar(
        start=moment_of(start),
        end=moment_of(end) if final else bounds.end,
        open=price(part[0]),
        high=price(part[1]),
        low=price(part[2]),
        close=price(part[3]),
        volume=part[4],
        trades=part[5],
        final=final,
    )


def _minute_bars(
    source: Source, bounds: Bounds, width: int, extended: bool, always_open: bool
) -> Iterator[Bar]:
    span = span_at(bounds.first // 1000)
    while 1000 * span.start < bounds.last:
        if span.regular or (extended and always_open):
            windows = [(span.start, span.end)]
        else:
            windows = span.extended() if extended and source.extended else []
        for window in windows:
            yield from _window_bars(source, span, window, bounds, width)
        span = next_span(span)


def _window_bars(
    source: Source, span: Span, window: tuple[int, int], bounds: Bounds, width: int
) -> Iterator[Bar]:
    begin, finish = (1000 * edge for edge in window)
    length = 60_000 * width
    start = begin + max(0, (bounds.first - begin) // length) * length
    while start < min(finish, bounds.last):
        end = min(start + length, finish)
        part = source.stretch(span, start, min(end, bounds.last))
        if part is not None:
            yield _bar(source, part, start, end, bounds)
        start = end


def _long_bars(source: Source, bounds: Bounds, width: str) -> Iterator[Bar]:
    """Daily and wider bars out of regular sessions."""
    day, _ = _period(moment_of(bounds.first).date(), width)
    day = day if session_on(day) else next_trading_day(day)
    while True:
        period_end = _period(day, width)[1]
        start, end = 1000 * regular_span(day).start, 0
        part: Part | None = None
        while day <= period_end and not _beyond(source, regular_span(day), bounds):
            span = regular_span(day)
            part = join(part, source.session(span, bounds.last))
            end, day = 1000 * span.end, span.next_day
        if not end:
            return
        if day <= period_end:  # broken off: the period goes on after the last moment
            end = max(end, bounds.last + 1)
        if end > bounds.first and part is not None:
            yield _bar(source, part, start, end, bounds)


def _beyond(source: Source, span: Span, bounds: Bounds) -> bool:
    """Whether a session has nothing to show before the end of the stretch asked for."""
    return not bounds.over(1000 * span.end) if source.fund else 1000 * span.start >= bounds.last


def _period(day: date, width: str) -> tuple[date, date]:
    """First and last date of the day, week, month, quarter or year a date lies in."""
    if width == "D":
        return day, day
    if width == "W":
        monday = day - timedelta(days=day.weekday())
        return monday, monday + timedelta(days=6)
    months = {"M": 1, "Q": 3, "Y": 12}[width]
    first = date(day.year, (day.month - 1) // months * months + 1, 1)
    following = first.month + months
    after = date(first.year + 1, 1, 1) if following > 12 else date(first.year, following, 1)
    return first, after - timedelta(days=1)
