"""The paper market: prices as a deterministic function of (seed, symbol, time).

Nothing runs in the background and nothing is stored: any moment, past or future, can be asked
for in any order and always gives the same answer. The market does not know the present; callers
pass the moments they may see.
"""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from ftcli.paper.bars import Source, StockSource, make_bars
from ftcli.paper.depth import make_depth
from ftcli.paper.quotes import Bar, Depth, Quote, Touch, Trade
from ftcli.paper.snapshot import QuoteMaker
from ftcli.paper.symbols import Security, find
from ftcli.paper.tape import VENUES, Book, Tape
from ftcli.paper.timeline import Span, epoch_milliseconds, first_millisecond, moment_of, next_span, span_at
from ftcli.paper.touch import find_touch

if TYPE_CHECKING:
    from ftcli.paper.option_quotes import OptionDesk

__all__ = ["DEFAULT_SEED", "Bar", "Depth", "Market", "Quote", "Touch", "Trade"]

DEFAULT_SEED = 20_260_703


class Market:
    """A stock market on paper.

    Args:
        seed: Another seed is another market.
        always_open: With True trading never stops: what would be nights, weekends and holidays are
            quiet stretches of one long day that ends at the next 09:30. With False the market
            keeps the exchange's hours: regular sessions, extended hours around them, and frozen
            quotes in between.
    """

    def __init__(self, seed: int = DEFAULT_SEED, always_open: bool = True) -> None:
        self.seed = seed
        self.always_open = always_open
        self.tape = Tape(seed)
        self._quotes = QuoteMaker(self.tape, always_open)
        self._option_desk: OptionDesk | None = None

    def is_open(self, at: datetime) -> bool:
        """Whether orders for the regular session fill at a moment."""
        return self.always_open or span_at(epoch_milliseconds(at) // 1000).regular

    def session_state(self, at: datetime) -> str:
        """``pre``, ``open``, ``post`` or ``closed``; always ``open`` in a market that never closes."""
        seconds = epoch_milliseconds(at) // 1000
        span = span_at(seconds)
        if self.always_open or span.regular:
            return "open"
        if seconds < span.post_end:
            return "post"
        return "pre" if seconds >= span.pre_start else "closed"

    def security(self, symbol: str) -> Security | None:
        """The stock, fund or index of a symbol in any usual spelling, None when unknown."""
        return find(symbol)

    def quote(self, symbol: str, at: datetime) -> Quote | None:
        """The quote of a stock, fund, index or option at a moment.

        Args:
            symbol: See `ftcli.paper.symbols.canonical`; options as ``AAPL270115C150`` with or
                without a leading dash.
            at: An aware datetime.

        Returns:
            None when the paper market does not know the symbol.
        """
        security = find(symbol)
        if security is not None:
            return self._quotes.quote(security, at)
        from ftcli.paper import options

        contract = options.find(symbol)
        return None if contract is None else options.option_quote(self, contract, at)

    @property
    def option_desk(self) -> "OptionDesk":
        """The prices of option contracts; see `ftcli.paper.options`."""
        if self._option_desk is None:
            from ftcli.paper.option_quotes import OptionDesk

            self._option_desk = OptionDesk(self.tape, self.always_open)
        return self._option_desk

    def trades(self, symbol: str, start: datetime, end: datetime, newest: int | None = None) -> list[Trade]:
        """Time and sales from ``start`` to ``end``, both included, oldest first.

        To continue where an earlier call ended, start one microsecond after its end.

        Args:
            symbol: A stock, ETF, index or option; funds have no trades.
            start, end: Aware datetimes.
            newest: At most this many, the newest ones.
        """
        security = find(symbol)
        if security is None:
            return self._option_trades(symbol, start, end, newest)
        if security.is_fund:
            return []
        book = self.tape.book(security)
        first, last = first_millisecond(start), epoch_milliseconds(end)
        if newest is None:
            minutes = self._minutes(book, first, last)
            return [trade for minute in minutes for trade in self._prints(book, *minute)]
        found: list[Trade] = []
        for minute in reversed(list(self._minutes(book, first, last))):
            found[:0] = self._prints(book, *minute)
            if len(found) >= newest:
                break
        return found[-newest:] if newest > 0 else []

    def _option_trades(self, symbol: str, start: datetime, end: datetime, newest: int | None) -> list[Trade]:
        from ftcli.paper import options

        contract = options.find(symbol)
        if contract is None:
            return []
        trades = options.option_trades(self, contract, start, end)
        return trades if newest is None else trades[-newest:] if newest > 0 else []

    def _minutes(self, book: Book, first: int, last: int) -> Iterator[tuple[Span, int, int, int]]:
        """The tradable minutes that overlap [first, last], with these bounds."""
        span = span_at(first // 1000)
        while 1000 * span.start <= last:
            begin = max(first, 1000 * span.start)
            finish = min(last, 1000 * span.end - 1)
            for minute in range(
                (begin - 1000 * span.start) // 60_000, (finish - 1000 * span.start) // 60_000 + 1
            ):
                seconds = span.start + 60 * minute
                closed = not book.extended or span.post_end <= seconds < span.pre_start
                if self.always_open or span.regular or not closed:
                    yield span, minute, first, last
            span = next_span(span)

    def _prints(self, book: Book, span: Span, minute: int, first: int, last: int) -> list[Trade]:
        prints = book.prints(span, minute)
        begin = 1000 * span.start + 60_000 * minute
        extended = not (span.regular or self.always_open)
        trades = []
        before = 0
        final = minute == 30 * span.blocks - 1
        for index, offset in enumerate(prints.times):
            size, before = prints.volumes[index] - before, prints.volumes[index]
            if not first <= begin + offset <= last:
                continue
            condition = "T" if extended else "@"
            if span.regular and minute == 0 and index == 0:
                condition = "O"
            elif span.regular and final and index == len(prints.times) - 1:
                condition = "6"
            trades.append(
                Trade(
                    time=moment_of(begin + offset),
                    price=book.price(prints.prices[index]),
                    size=size,
                    exchange=VENUES[prints.exchanges[index]],
                    conditions=condition,
                    extended=extended,
                    bid=book.price(prints.bids[offset // 1000]),
                    ask=book.price(prints.asks[offset // 1000]),
                )
            )
        return trades

    def bars(
        self, symbol: str, start: datetime, end: datetime, width: int | str, extended: bool = False
    ) -> list[Bar]:
        """Bars that overlap the time from ``start`` up to but not including ``end``, oldest first.

        The first bar is whole even if it begins before ``start``; the last shows no trade at or
        after ``end``. Daily and wider bars cover regular sessions only. Minute bars are counted
        from the beginning of their session and never reach across its end.

        Args:
            symbol: A stock, ETF, index, fund (daily and wider) or option. An option has no bar for a
                stretch without trades.
            start, end: Aware datetimes.
            width: Minutes from 1 to 60, or ``D``, ``W``, ``M``, ``Q``, ``Y`` (or the words ``DAILY``,
                ``WEEKLY``, ``MONTHLY``, ``QUARTERLY``, ``YEARLY``), any case.
            extended: Minute bars of the extended hours too; of the whole night in a market that
                is always open.

        Raises:
            ValueError: There is no such bar width.
        """
        security = find(symbol)
        source: Source
        if security is not None:
            source = StockSource(self.tape.book(security))
        else:
            from ftcli.paper import options

            contract = options.find(symbol)
            if contract is None:
                return []
            source = options.OptionSource(self, contract)
        return make_bars(source, start, end, width, extended, self.always_open)

    def depth(self, symbol: str, at: datetime) -> Depth | None:
        """The level-two book, 25 lines a side; its first lines are the quote's bid and ask.

        Returns:
            None for indices, funds and unknown symbols.
        """
        security = find(symbol)
        if security is None or security.is_fund or security.kind == "index":
            return None
        return make_depth(self.tape.book(security), self._quotes.quote(security, at))

    def first_touch(
        self,
        symbol: str,
        after: datetime,
        until: datetime,
        *,
        side: str,
        at_or_below: Decimal | None = None,
        at_or_above: Decimal | None = None,
        hours: str | None = None,
    ) -> Touch | None:
        """The earliest moment after ``after``, up to and including ``until``, at which a price is reached.

        If the price is already there when the search begins, that is one microsecond after
        ``after`` (or the beginning of the next eligible hours).

        Args:
            symbol: A stock, ETF, index, mutual fund (``last`` only) or option.
            after, until: Aware datetimes.
            side: Which price: ``bid``, ``ask`` or ``last``.
            at_or_below, at_or_above: The condition; give exactly one.
            hours: ``regular``, ``extended`` (regular and extended hours) or ``always``. By default
                ``always`` in a market that is always open, else ``regular``.

        Returns:
            None when the price is not reached, or the symbol is unknown or has no such price.

        Raises:
            ValueError: An unknown side or hours, or not exactly one condition.
        """
        return find_touch(
            self,
            symbol,
            after,
            until,
            side=side,
            at_or_below=at_or_below,
            at_or_above=at_or_above,
            hours=hours or ("always" if self.always_open else "regular"),
        )
