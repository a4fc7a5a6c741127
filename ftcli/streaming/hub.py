"""The hub: one set of connections to the broker, any number of readers (protocol 05 §6.6, 6.7).

    async with Hub(MddsOptions(cookie=..., session_alive=..., renew=...)) as hub:
        async with hub.quotes(["KO", ".SPX"]) as consumer:
            async for update in consumer:
                print(update.bytes)

Each tick is decoded once and written as JSON once; every consumer of its symbol gets the same bytes, and no
other consumer is touched. The hub runs on one event loop and takes no locks.
"""

import asyncio
from collections.abc import Callable, Iterable
from random import random
from types import TracebackType
from typing import Self

from ftcli.errors import NotFound, RateLimited, ValidationFailed
from ftcli.models.streaming import (
    Kind,
    Quote,
    StreamState,
    StreamStatus,
    Subscriptions,
    SymbolError,
)
from ftcli.streaming.channel import Channel
from ftcli.streaming.consumer import Consumer, Sink, Subject
from ftcli.streaming.counters import Oddities
from ftcli.streaming.event_feed import EventFeed
from ftcli.streaming.link import Link
from ftcli.streaming.options import BepsOptions, Limits, MddsOptions
from ftcli.streaming.pools import Pools
from ftcli.streaming.publisher import Publisher
from ftcli.streaming.quote import read_quote
from ftcli.streaming.schedule import Schedule
from ftcli.streaming.subscriptions import SubscriptionBook
from ftcli.streaming.symbols import stream_symbols
from ftcli.streaming.timing import SYSTEM, Timing, moment
from ftcli.streaming.update import Update, with_raw


class Hub:
    """Reads the broker's streams once and serves every consumer.

    Args:
        options: How to reach MDDS.
        beps: How to reach BEPS; without it there are no account events.
        limits: What consumers are allowed.
        timing: The clocks.
        jitter: A random number from 0 to 1, for the reconnect schedule.
    """

    def __init__(
        self,
        options: MddsOptions,
        beps: BepsOptions | None = None,
        *,
        limits: Limits | None = None,
        timing: Timing = SYSTEM,
        jitter: Callable[[], float] = random,
    ) -> None:
        self.limits = limits or Limits()
        self.counters = Oddities()
        self.consumers: set[Consumer] = set()
        self._timing = timing
        self._pools = Pools(options, Schedule(options.waits, jitter), timing, self.counters, self)
        self._publisher = Publisher(self.limits, timing)
        self._book = SubscriptionBook(
            options, self._pools, timing, self.counters, self._publish, lambda: self._publisher.last_id
        )
        self._events: EventFeed | None = None
        if beps is not None:
            self._events = EventFeed(beps, self._publisher, Schedule(beps.waits, jitter), timing)
        self._closed = False

    # -- readers ---------------------------------------------------------------------------------------

    def quotes(
        self, symbols: Iterable[str] = (), *, last_id: str = "", sink: Sink | None = None, raw: bool = False
    ) -> Consumer:
        """A reader of quotes.

        Args:
            symbols: Symbols as users spell them.
            last_id: ``Last-Event-ID`` of an earlier reader, to be told what it missed.
            sink: Called in line with each update instead of iteration; see :data:`~.consumer.Sink`.
            raw: Whether each quote carries the broker's own values by field id too.
        """
        return self._consumer("quote", symbols, last_id, sink, raw)

    def trades(self, symbols: Iterable[str] = (), *, last_id: str = "", sink: Sink | None = None) -> Consumer:
        """A reader of the tape: every print, never conflated here. Arguments as for :meth:`quotes`."""
        return self._consumer("trade", symbols, last_id, sink)

    def books(self, symbols: Iterable[str] = (), *, last_id: str = "", sink: Sink | None = None) -> Consumer:
        """A reader of Level 2 books; each symbol takes a socket. Arguments as for :meth:`quotes`."""
        return self._consumer("book", symbols, last_id, sink)

    def bars(self, symbols: Iterable[str] = (), *, last_id: str = "", sink: Sink | None = None) -> Consumer:
        """A reader of one-minute bars. Arguments as for :meth:`quotes`."""
        return self._consumer("bar", symbols, last_id, sink)

    def events(self, *, last_id: str = "", sink: Sink | None = None) -> Consumer:
        """A reader of account events: fills, order, position and balance changes, alerts. None is dropped.

        Args:
            last_id: ``Last-Event-ID`` of an earlier reader, to be told what it missed.
            sink: Called in line with each update instead of iteration.
        """
        return self._consumer("event", (), last_id, sink)

    def start_events(self) -> None:
        """Connect to the account events now, not with their first reader.

        Raises:
            ValidationFailed: They are not configured.
        """
        self._event_feed().start()

    def _event_feed(self) -> EventFeed:
        if self._events is None:
            raise ValidationFailed(
                "Account events are not configured: set FTSERVICE_BEPS_TOKEN, or log in.",
                details={"field": "FTSERVICE_BEPS_TOKEN", "value": None, "rule": "be set for account events"},
            )
        return self._events

    def _consumer(
        self, kind: Subject, symbols: Iterable[str], last_id: str, sink: Sink | None, raw: bool = False
    ) -> Consumer:
        limit = self.limits.queue
        return Consumer(self, kind, symbols, last_id=last_id, sink=sink, raw=raw, limit=limit)

    def admit(self, consumer: Consumer) -> None:
        """A consumer wants to read; called by :meth:`Consumer.open`."""
        if self._closed:
            raise RateLimited("The streams are being shut down.")
        if len(self.consumers) >= self.limits.consumers:
            raise RateLimited(
                f"All {self.limits.consumers} stream connections are taken.",
                details={"limit": "consumers", "value": self.limits.consumers},
                retry_after=5,
            )
        self.consumers.add(consumer)

    def leave(self, consumer: Consumer) -> None:
        """A consumer is gone; called by :meth:`Consumer.close`."""
        self.consumers.discard(consumer)
        if consumer.kind == "event":
            if self._events is not None:
                self._events.leave(consumer)
            return
        self._exit(consumer, list(consumer.symbols))

    def join(self, consumer: Consumer, symbols: Iterable[str], *, last_id: str = "") -> list[str]:
        """A consumer reads more symbols; called by :meth:`Consumer.add`."""
        if consumer.kind == "event":
            self._event_feed().join(consumer, last_id)
            return []
        if consumer.closed:
            raise RateLimited("This stream has ended: open another one.")
        kind = consumer.kind
        names = stream_symbols(symbols)
        new = [symbol for symbol in names if symbol not in consumer.symbols]
        allowed = self.limits.symbols
        if len(consumer.symbols) + len(new) > allowed:
            raise ValidationFailed.of(
                "symbols", len(consumer.symbols) + len(new), f"be at most {allowed} for one consumer"
            )
        channels = self._book.open(kind, new)
        consumer.symbols.update(new)
        seen = self._replay(consumer, channels, last_id) if last_id else set()
        for channel in channels:
            if consumer not in self.consumers:  # it has had too much to be told at once, and has left
                break
            channel.enter(consumer)
            self._welcome(consumer, channel, replayed=channel.symbol in seen)
        return names

    def part(self, consumer: Consumer, symbols: Iterable[str]) -> list[str]:
        """A consumer reads fewer symbols; called by :meth:`Consumer.remove`."""
        names = [symbol for symbol in stream_symbols(symbols) if symbol in consumer.symbols]
        self._exit(consumer, names)
        return names

    def _exit(self, consumer: Consumer, symbols: list[str]) -> None:
        consumer.symbols.difference_update(symbols)
        kind = _symbol_kind(consumer)
        channels = [found for symbol in symbols if (found := self._book.get(kind, symbol)) is not None]
        for channel in channels:
            channel.exit(consumer)
        self._book.linger(channels)

    # -- holds: subscriptions without a consumer ---------------------------------------------------------

    def hold(self, symbols: Iterable[str], kind: Kind = "quote") -> dict[str, int]:
        """Keep symbols subscribed without reading them.

        Returns:
            Symbol → how many consumers and holds it has now.

        Raises:
            RateLimited: No socket is left for them.
            ValidationFailed: One is no symbol.
        """
        channels = self._book.open(kind, stream_symbols(symbols))
        for channel in channels:
            channel.holds += 1
        return {channel.symbol: channel.count for channel in channels}

    def unhold(self, symbols: Iterable[str], kind: Kind = "quote") -> dict[str, int]:
        """End one hold of each symbol.

        Returns:
            Symbol → how many consumers and holds it has left.

        Raises:
            NotFound: A symbol is not held. None is changed then.
        """
        names = stream_symbols(symbols)
        held = [self._book.get(kind, symbol) for symbol in names]
        missing = [name for name, found in zip(names, held, strict=True) if found is None or not found.holds]
        if missing:
            raise NotFound(
                f"Not subscribed: {', '.join(missing)}. `ft stream subscriptions` lists what is.",
                details={"symbols": missing},
            )
        channels = [channel for channel in held if channel is not None]
        for channel in channels:
            channel.holds -= 1
        self._book.linger(channels)
        return {channel.symbol: channel.count for channel in channels}

    # -- publishing ------------------------------------------------------------------------------------

    def _publish(self, channel: Channel, body: bytes) -> Update:
        state = channel.state
        return self._publisher.publish(
            channel.kind, state.update_kind, channel.symbol, state.seq, body, state.conflation_key
        )

    def _welcome(self, consumer: Consumer, channel: Channel, *, replayed: bool) -> None:
        """What a new reader of a symbol is told at once: its state, its error, or that it has to wait."""
        state = channel.state
        if state.has_snapshot:
            channel.error = None
        if channel.error is not None:
            consumer.push(self._error(channel.error))
        if not replayed and state.ever and (body := state.picture()) is not None:
            key = state.conflation_key
            update = self._publisher.aside(channel.kind, channel.symbol, state.seq, body, key)
            consumer.push(with_raw(update, state.raw()) if consumer.raw else update)
        link = channel.link
        if link is not None and link.last_change is not None and link.state not in ("open", "connecting"):
            consumer.push(self._status(link.last_change, link))

    def _replay(self, consumer: Consumer, channels: list[Channel], last_id: str) -> set[str]:
        """Push what a returning reader has missed, or a gap; the symbols something was pushed for."""
        born = max((channel.born for channel in channels), default=0)
        names = {channel.symbol for channel in channels}
        missed = self._publisher.missed(consumer.kind, last_id, born=born, symbols=names)
        if missed is None:
            consumer.push(self._publisher.gap(moment(self._timing.epoch())))
            return set()
        for update in missed:
            consumer.push(update)
        return {update.symbol for update in missed}

    def event_id(self, number: int) -> str:
        """An update's number as ``Last-Event-ID`` carries it."""
        return self._publisher.event_id(number)

    # -- what links tell (Owner) -------------------------------------------------------------------------

    def link_changed(self, link: Link, change: StreamState) -> None:
        """Tell every reader of the link's symbols how the connection is."""
        if change.state in ("none", "connecting", "stopped"):
            return
        update = self._status(change, link)
        readers = {
            consumer
            for symbol in link.states
            if (channel := self._book.get(link.kind, symbol)) is not None
            for consumer in channel.consumers
        }
        for consumer in readers:
            consumer.push(update)

    def _status(self, change: StreamState, link: Link) -> Update:
        return self._publisher.notice("status", "", change, f"status {id(link)}")

    def link_lost(self, link: Link, at: float) -> None:
        """Everything the link carries is stale."""
        for state in list(link.states.values()):
            state.lose(at)
            if state.ever:
                state.announce()

    def link_suspect(self, link: Link, at: float | None) -> None:
        """The link is silent, or speaks again."""
        for state in list(link.states.values()):
            if at is not None:
                state.suspect(at)
            elif state.has_snapshot:  # the others turn fresh with their own snapshots
                state.trust()
            if state.ever:
                state.announce()

    def refused(self, error: SymbolError) -> None:
        """The broker refuses a symbol: tell its readers, and remember."""
        channel = self._book.refuse(error)
        if channel is not None:
            channel.tell(self._error(error))

    def _error(self, error: SymbolError) -> Update:
        return self._publisher.notice("symbol_error", error.symbol, error, f"error {error.symbol}")

    # -- looking at it -----------------------------------------------------------------------------------

    def latest(self, symbol: str) -> Quote | None:
        """The present quote of a subscribed symbol, or ``None``."""
        channel = self._book.get("quote", symbol)
        if channel is None or not channel.state.ever or (body := channel.state.picture()) is None:
            return None
        return read_quote(body)

    def subscriptions(self) -> Subscriptions:
        """Every subscribed symbol with its count."""
        return self._book.listing()

    def status(self) -> StreamStatus:
        """The state of the streams."""
        mdds = self._pools.status()
        return StreamStatus(
            mdds=mdds,
            beps=None if self._events is None else self._events.status(),
            consumers=len(self.consumers),
            subscriptions=self._book.live,
            connected=mdds.connected,
        )

    def session_renewed(self) -> None:
        """Somebody has logged in: connections that wait for it try at once."""
        self._pools.session_renewed()
        if self._events is not None:
            self._events.session_renewed()

    # -- end -------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self, reason: str = "shutdown") -> None:
        """Close every consumer, socket and task. Harmless when called again."""
        self._closed = True
        for consumer in list(self.consumers):
            consumer.close(reason)
        self._book.close()
        await asyncio.gather(self._pools.aclose(), *([self._events.aclose()] if self._events else []))


def _symbol_kind(consumer: Consumer) -> Kind:
    assert consumer.kind != "event"
    return consumer.kind
