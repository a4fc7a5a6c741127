"""Live quotes, trades, books, bars and account events (protocol 05)."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

from ftcli.errors import NotFound
from ftcli.models.streaming import Bar, Book, Event, Quote, Trade
from ftcli.operations.operation import Core, Group, streaming
from ftcli.operations.params import Symbols, clean_symbols


class Stream(Group):
    """Live quotes and account events."""

    name = "stream"

    @streaming(
        "/streaming/quotes", examples=("stream quotes AAPL TSLA", "stream quotes AAPL -o jsonl --count 5")
    )
    async def quotes(self, symbols: Symbols) -> AsyncIterator[Quote]:
        """Show live quotes as they change.

        Each update is the whole quote of one symbol. While the upstream is away quotes say ``stale``; a slow reader
        gets the latest of each symbol.

        Raises:
            AuthRequired: Not logged in.
            NotFound: The broker knows none of the symbols.
            RateLimited: Too many symbols or consumers.

        Source: protocol 05 §2, 4.
        """
        async with aclosing(_follow(self.core, "quote", clean_symbols(symbols))) as updates:
            async for quote in updates:
                yield quote

    @streaming("/streaming/trades", examples=("stream trades AAPL", "stream trades SPY -o jsonl --for 30s"))
    async def trades(self, symbols: Symbols) -> AsyncIterator[Trade]:
        """Show every trade as it prints.

        Prints are never dropped: a reader that falls too far behind is closed and told so. One that stands for
        several trades says ``conflated``.

        Raises:
            AuthRequired: Not logged in.
            NotFound: The broker knows none of the symbols.
            RateLimited: Too many symbols or consumers, or the reader was too slow.

        Source: protocol 05 §5.1.
        """
        async with aclosing(_follow(self.core, "trade", clean_symbols(symbols))) as updates:
            async for trade in updates:
                yield trade

    @streaming("/streaming/book", examples=("stream book AAPL", "stream book AAPL -o jsonl --count 1"))
    async def book(self, symbols: Symbols) -> AsyncIterator[Book]:
        """Show the Level 2 book, up to 25 levels a side, as it changes.

        Each symbol takes a connection of its own, of which there are ten. Equal prices of several venues stay apart.

        Raises:
            AuthRequired: Not logged in.
            NotFound: The broker has no book of any of the symbols.
            RateLimited: Too many symbols or consumers.

        Source: protocol 05 §5.2.
        """
        async with aclosing(_follow(self.core, "book", clean_symbols(symbols))) as updates:
            async for book in updates:
                yield book

    @streaming(
        "/streaming/bars", inferred=True, examples=("stream bars AAPL", "stream bars AAPL MSFT -o jsonl")
    )
    async def bars(self, symbols: Symbols) -> AsyncIterator[Bar]:
        """Show one-minute bars: the running one as it changes, and each that is final.

        Raises:
            AuthRequired: Not logged in.
            NotFound: The broker knows none of the symbols.
            RateLimited: Too many symbols or consumers.

        Source: protocol 05 §5.3.
        """
        async with aclosing(_follow(self.core, "bar", clean_symbols(symbols))) as updates:
            async for bar in updates:
                yield bar

    @streaming("/streaming/events", inferred=True, examples=("stream events", "stream events -o jsonl"))
    async def events(self) -> AsyncIterator[Event]:
        """Show account events: fills, order, position and balance changes, alerts.

        After an outage order status is compared with what was known before, and what was missed comes marked
        ``recovered``.

        Raises:
            AuthRequired: Not logged in.
            RateLimited: Too many consumers, or the reader was too slow.

        Source: protocol 05 §7.
        """
        async with aclosing(_follow(self.core, "event", [])) as updates:
            async for event in updates:
                yield event


async def _follow(core: Core, kind: str, symbols: list[str]) -> AsyncGenerator[Any, None]:
    """The objects of one kind, until the reader leaves or there is no symbol left to read.

    Raises:
        NotFound: The broker knows none of the symbols.
    """
    refused: set[str] = set()
    async with core.updates(kind, symbols) as updates:
        async for update in updates:
            if update.kind == kind:
                yield update.value
            elif update.kind == "symbol_error":
                error = update.value
                if error.reason == "symbol_not_found":
                    refused.add(error.symbol)
                    if len(refused) >= len(symbols):
                        raise NotFound(
                            f"Nothing streams for {', '.join(sorted(refused))}: the broker knows no such symbol.",
                            details={"symbols": sorted(refused)},
                        )
