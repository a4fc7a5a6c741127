"""When an option's price is first reached, found from the ranges of its underlying."""

from datetime import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING

from ftcli.paper.option_book import RATE, ContractBook, edges
from ftcli.paper.option_contracts import find
from ftcli.paper.quotes import Touch
from ftcli.paper.timeline import BLOCK_MINUTES, Span, epoch_milliseconds, moment_of
from ftcli.paper.touch import INSTANT, Condition, Window, touch_at, windows

if TYPE_CHECKING:
    from ftcli.paper.market import Market

_YEAR_MS = 365 * 86_400_000


def find_option_touch(
    market: "Market",
    symbol: str,
    after: datetime,
    until: datetime,
    *,
    side: str,
    below: bool,
    price: Decimal,
    hours: str,
) -> Touch | None:
    """See `ftcli.paper.market.Market.first_touch`; nothing is touched at or after expiration."""
    contract = find(symbol)
    book = None if contract is None else market.option_desk.book(contract)
    if contract is None or book is None:
        return None
    rounding = ROUND_FLOOR if below else ROUND_CEILING
    limit = int((price * 100).to_integral_value(rounding=rounding))
    search = _OptionSearch(market, symbol, book, Condition(side, below, limit))
    begin = after + INSTANT
    first, last = epoch_milliseconds(begin), min(epoch_milliseconds(until), book.expiry_ms - 1)
    seen_until = -1  # everything before this moment has been looked at
    for span, window in windows(first, last, hours, market.always_open, extended=False):
        found = search.in_window(span, window, seamless=window[0] <= seen_until)
        seen_until = window[1] + 1 if market.always_open else last  # closed hours bring nothing new
        if found is not None:
            moment = begin if found <= first else moment_of(found)
            return touch_at(market.quote(symbol, moment))
    return None


class _OptionSearch:
    """One search for the first moment an option meets a condition."""

    def __init__(self, market: "Market", symbol: str, book: ContractBook, condition: Condition) -> None:
        self._market = market
        self._symbol = symbol
        self._book = book
        self._condition = condition

    def in_window(self, span: Span, window: Window, seamless: bool) -> int | None:
        """The first moment within a stretch of a span.

        Args:
            span: The span.
            window: First and last millisecond.
            seamless: Whether nothing can have changed since the stretch looked at before.
        """
        live = span.regular or self._market.always_open
        if live and not self._possible_in_span(span, window):
            stale = self._condition.side == "last" and not seamless and self._met_at(window[0])
            return window[0] if stale else None
        if (not seamless or (live and self._condition.side != "last")) and self._met_at(window[0]):
            return window[0]
        if not live:
            return None
        return self._first_trade(span, window) if self._condition.side == "last" else self._scan(span, window)

    def _met_at(self, milliseconds: int) -> bool:
        """Whether the quote of a moment meets the condition."""
        if self._condition.side == "last":
            quote = self._market.quote(self._symbol, moment_of(milliseconds))
            return quote is not None and quote.last is not None and self._condition.met(int(quote.last * 100))
        bid, ask = self._book.quote(*self._market.option_desk.live(milliseconds))
        return self._condition.met(bid if self._condition.side == "bid" else ask)

    def _possible_in_span(self, span: Span, window: Window) -> bool:
        row = self._book.underlying.book.row(span)
        return self._possible(span, row[2], row[1], window)

    def _possible(self, span: Span, low: int, high: int, times: Window) -> bool:
        """Whether the side can get there while the underlying trades within a range.

        The price rises or falls with the underlying. In time it may have a turning point, off the
        ends by no more than what interest and dividends bring meanwhile.
        """
        book, condition = self._book, self._condition
        facts = book.day(span.day)
        units = book.underlying.book.units
        widest = sum(book.underlying.book.spread(span)) / 2.0
        upper = book.contract.is_call != condition.below
        spot = (high + widest if upper else low - widest) / units
        begin, end = (min(moment, book.expiry_ms - 1) for moment in times)
        marks = (book.mark(facts, spot, begin), book.mark(facts, spot, end))
        slack = (RATE * book.strike + facts.dividend * spot) * (end - begin) / _YEAR_MS
        if end // 60_000 == begin // 60_000:
            slack = 0.0
        mark = max(min(marks) - slack, 0.0) if condition.below else max(marks) + slack
        bid, ask = edges(facts, mark)
        if condition.side == "last":  # trades happen at the bid or at the ask
            return condition.met(bid if condition.below else ask)
        return condition.met(bid if condition.side == "bid" else ask)

    def _scan(self, span: Span, window: Window) -> int | None:
        first, last = window
        base = 1000 * span.start
        path = self._book.underlying.book.path(span)
        minute, final = (first - base) // 60_000, (last - base) // 60_000
        while minute <= final:
            index, inner = divmod(minute, BLOCK_MINUTES)
            upto = min(BLOCK_MINUTES, inner + final - minute + 1)
            times = (base + 60_000 * minute, base + 60_000 * (minute + upto - inner) - 1)
            if self._possible(span, path.lows[index], path.highs[index], times):
                found = self._in_block(span, index, range(inner, upto), window)
                if found is not None:
                    return found
            minute += upto - inner
        return None

    def _in_block(self, span: Span, index: int, minutes: range, window: Window) -> int | None:
        block = self._book.underlying.book.block(span, index)
        for inner in minutes:
            begin = 1000 * span.start + 60_000 * (BLOCK_MINUTES * index + inner)
            if self._possible(span, block.lows[inner], block.highs[inner], (begin, begin + 59_999)):
                found = self._in_minute(span, begin, window)
                if found is not None:
                    return found
        return None

    def _in_minute(self, span: Span, begin: int, window: Window) -> int | None:
        first, last = window
        seen: dict[float, bool] = {}
        facts = self._book.day(span.day)
        for moment in range(begin, begin + 60_000, 1000):
            spot = self._book.underlying.spot(span, moment)
            met = seen.get(spot)
            if met is None:
                bid, ask = edges(facts, self._book.mark(facts, spot, moment))
                met = seen[spot] = self._condition.met(bid if self._condition.side == "bid" else ask)
            if met and moment > first:
                return moment if moment <= last else None
        return None

    def _first_trade(self, span: Span, window: Window) -> int | None:
        first, last = window
        session, done = self._book.session(span, last)
        for index in range(done):
            if session.times[index] > first and self._condition.met(session.prices[index]):
                return session.times[index]
        return None
