"""The subscription book: which symbols are subscribed, for whom, and for how long (protocol 05 §6.6).

Readers are counted per symbol. The last one to leave starts a timer, and only when it has run out without a
new reader is the broker told. Symbols the broker does not know are remembered for a while and not asked for.
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from ftcli.errors import RateLimited
from ftcli.models.streaming import Kind, Subscriptions, SymbolError
from ftcli.streaming.bars import BarState
from ftcli.streaming.book import BookState
from ftcli.streaming.channel import Channel, Publish
from ftcli.streaming.computed_bars import BarBuilder
from ftcli.streaming.counters import Oddities
from ftcli.streaming.options import MddsOptions
from ftcli.streaming.pools import Pools
from ftcli.streaming.quote import QuoteState
from ftcli.streaming.state import State
from ftcli.streaming.tape import TapeState
from ftcli.streaming.timing import Timing

REMEMBERED = 10_000
"""Symbols that nobody reads and whose refusal or last number is still known."""


def _shorten(memory: dict[tuple[Kind, str], Any]) -> None:
    """Forget the oldest entry where there are too many."""
    if len(memory) > REMEMBERED:
        del memory[next(iter(memory))]


class SubscriptionBook:
    """Every channel of the hub.

    Args:
        options: Limits and delays.
        pools: The sockets.
        timing: The clocks.
        counters: Where oddities are counted.
        publish: Makes updates.
        now: Gives the number of the last update published.
    """

    def __init__(
        self,
        options: MddsOptions,
        pools: Pools,
        timing: Timing,
        counters: Oddities,
        publish: Publish,
        now: Callable[[], int],
    ) -> None:
        self._options = options
        self._pools = pools
        self._timing = timing
        self._counters = counters
        self._publish = publish
        self._now = now
        self._channels: dict[tuple[Kind, str], Channel] = {}
        self._negative: dict[tuple[Kind, str], tuple[float, SymbolError]] = {}
        self._seqs: dict[tuple[Kind, str], int] = {}

    def get(self, kind: Kind, symbol: str) -> Channel | None:
        """The channel of a symbol, or ``None``."""
        return self._channels.get((kind, symbol))

    def open(self, kind: Kind, symbols: list[str]) -> list[Channel]:
        """The channels of these symbols, made and subscribed where they are new.

        Args:
            kind: What is subscribed to.
            symbols: Canonical symbols.

        Raises:
            RateLimited: No socket is left for them; nothing has changed then.
        """
        refused = {symbol: known for symbol in symbols if (known := self._known_bad(kind, symbol))}
        wanted = {symbol for symbol in symbols if symbol not in refused and not self._placed(kind, symbol)}
        self._pools.check_room(kind, len(wanted))
        channels = [self._channels.get((kind, symbol)) or self._new(kind, symbol) for symbol in symbols]
        for channel in channels:
            if channel.link is None:
                # One that is asked for already keeps its error: it holds until data come.
                channel.error = refused.get(channel.symbol)
        links = self._pools.place(channel.state for channel in channels if channel.symbol in wanted)
        for symbol, link in links.items():
            self._channels[kind, symbol].link = link
        return channels

    def _known_bad(self, kind: Kind, symbol: str) -> SymbolError | None:
        """The broker's earlier "no such symbol", while it is remembered (protocol 05 §2.12)."""
        entry = self._negative.get((kind, symbol))
        if entry is None:
            return None
        if self._timing.monotonic() < entry[0]:
            return entry[1]
        del self._negative[kind, symbol]
        return None

    def _placed(self, kind: Kind, symbol: str) -> bool:
        channel = self._channels.get((kind, symbol))
        return channel is not None and (channel.link is not None or channel.builder is not None)

    def _new(self, kind: Kind, symbol: str) -> Channel:
        state = self._new_state(kind, symbol)
        state.seq = self._seqs.pop((kind, symbol), 0)
        channel = self._channels[kind, symbol] = Channel(state, self._publish, self._now)
        return channel

    def _new_state(self, kind: Kind, symbol: str) -> State:
        if kind == "trade":
            return TapeState(symbol, self._counters)
        if kind == "book":
            return BookState(symbol, self._counters)
        if kind == "bar":
            return BarState(symbol, self._counters)
        return QuoteState(symbol, self._counters, empty_in_delta=self._options.empty_in_delta)

    def linger(self, channels: Iterable[Channel]) -> None:
        """Release those nobody needs, and let rest those nobody reads, after a while: readers come and go."""
        for channel in channels:
            if not channel.consumers and channel.timer is None:
                channel.timer = self._timing.call_later(
                    self._options.linger, partial(self._abandoned, channel)
                )

    def _abandoned(self, channel: Channel) -> None:
        channel.timer = None
        if channel.consumers:
            return
        channel.rest()
        if not channel.holds:
            del self._channels[channel.kind, channel.symbol]
            self._seqs[channel.kind, channel.symbol] = channel.state.seq
            _shorten(self._seqs)
            self._unplace(channel)
            if channel.builder is not None:
                channel.builder.close()

    def compute_bars(self, channel: Channel) -> None:
        """Build the bars of a symbol from its tape, because the broker refuses them."""
        bars = channel.state
        if channel.builder is not None or not isinstance(bars, BarState):
            return
        try:
            tape = self.open("trade", [channel.symbol])[0]
        except RateLimited:
            return
        channel.builder = BarBuilder(bars, self._timing, channel.tell, self._leave_tape)
        tape.enter(channel.builder)

    def _leave_tape(self, builder: BarBuilder) -> None:
        tape = self._channels.get(("trade", builder.symbol))
        if tape is not None:
            tape.exit(builder)
            self.linger([tape])

    def _unplace(self, channel: Channel) -> None:
        if channel.link is not None:
            link, channel.link = channel.link, None
            link.release(channel.symbol)

    def refuse(self, error: SymbolError) -> Channel | None:
        """The broker refuses a symbol: remember it. Its channel stays with its readers, unsubscribed."""
        if error.reason == "symbol_not_found":
            until = self._timing.monotonic() + self._options.negative_for
            self._negative.pop((error.kind, error.symbol), None)
            self._negative[error.kind, error.symbol] = (until, error)
            _shorten(self._negative)
        channel = self._channels.get((error.kind, error.symbol))
        if channel is not None:
            if error.reason != "subscribe_timeout" and not error.retries_left:
                self._unplace(channel)
                self._let_grow_old(channel)
            channel.error = error
            if error.kind == "bar" and error.reason != "symbol_not_found" and not error.retries_left:
                self.compute_bars(channel)
        return channel

    def _let_grow_old(self, channel: Channel) -> None:
        """A symbol that flowed flows no longer: what is known of it must not pass for fresh."""
        state = channel.state
        if state.has_snapshot:
            state.lose(state.at)
            if state.ever:
                state.announce()

    @property
    def live(self) -> int:
        """Symbols somebody needs."""
        return sum(1 for channel in self._channels.values() if channel.count)

    def listing(self) -> Subscriptions:
        """Every subscribed symbol with its count."""
        rows = [channel.subscription() for channel in self._channels.values()]
        return Subscriptions(subscriptions=sorted(rows, key=lambda row: (row.kind, row.symbol)))

    def close(self) -> None:
        """Call off every timer."""
        for channel in self._channels.values():
            if channel.timer is not None:
                channel.timer.cancel()
                channel.timer = None
            if channel.builder is not None:
                channel.builder.stop()
