"""The tape: every span, block, minute and trade of every security, computed when asked for.

All values are whole price units and milliseconds since 1970. Nothing is stored but a bounded cache;
any moment can be computed alone and always gives the same answer.
"""

from bisect import bisect_right
from decimal import Decimal
from math import isqrt, sqrt
from typing import Generic, TypeVar

from ftcli.paper.daily import DailyBars, Row, Walks
from ftcli.paper.noise import combine, normal, stream, text_key
from ftcli.paper.path import (
    MIN_TRADES,
    Path,
    Prints,
    make_prints,
    paired_counts,
    share_out,
    subdivide,
    volume_weights,
)
from ftcli.paper.symbols import Security
from ftcli.paper.timeline import BLOCK_MINUTES, Span

_K = TypeVar("_K")
_V = TypeVar("_V")

VENUES = ("XNAS", "ARCX", "BATS", "EDGX", "XNYS", "IEXG", "MEMX", "FINN")
_BUSIEST = 33  # usual trades a minute of the most traded securities
_INDEX_TRADES = 24
# How many more trades than usual fall in each half hour; the sums are zero.
_FULL_DAY_RHYTHM = (10, 4, 0, -2, -3, -4, -4, -4, -3, -1, 0, 2, 5)
_HALF_DAY_RHYTHM = (6, 1, -3, -4, -3, 0, 3)


class Recent(Generic[_K, _V]):
    """A cache of the entries used last."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._entries: dict[_K, _V] = {}

    def get(self, key: _K) -> _V | None:
        """The entry of a key, which thereby becomes the most recent."""
        value = self._entries.pop(key, None)
        if value is not None:
            self._entries[key] = value
        return value

    def put(self, key: _K, value: _V) -> None:
        """Add an entry; the one not used for longest makes room."""
        if len(self._entries) >= self._limit:
            del self._entries[next(iter(self._entries))]
        self._entries[key] = value


class State:
    """Where a security stands at a moment within a span.

    Attributes:
        last, last_ms, last_size, venue: The last trade of the span so far; ``last_ms`` is None
            (and ``last`` the span's opening level) before the first.
        high, low, volume, count: Of the span so far.
        bid, ask: The quote.
    """

    __slots__ = ("ask", "bid", "count", "high", "last", "last_ms", "last_size", "low", "venue", "volume")

    last: int
    last_ms: int | None
    last_size: int
    venue: int
    high: int
    low: int
    volume: int
    count: int
    bid: int
    ask: int


class Tape:
    """All prices of one seed.

    Args:
        seed: Another seed is another market.

    Attributes:
        walks: The random walks behind the prices.
        paths, prints: What was worked out last, of all securities together: spans and blocks, and minutes,
            by the security's key, the span's key and the part's index.
    """

    def __init__(self, seed: int) -> None:
        self.walks = Walks(seed)
        self.paths: Recent[tuple[int, int, int], Path] = Recent(4096)
        self.prints: Recent[tuple[int, int, int], Prints] = Recent(2048)
        self._books: dict[str, Book] = {}
        self._factors: Recent[tuple[int, int, int], list[float]] = Recent(2048)

    def book(self, security: Security) -> "Book":
        """A security's own tape."""
        book = self._books.get(security.symbol)
        if book is None:
            book = self._books[security.symbol] = Book(self, security)
        return book

    def factor(self, span: Span, block: int, count: int) -> list[float]:
        """The market factor's random steps within a span (block -1) or one of its blocks."""
        key = (span.key, block, count)
        steps = self._factors.get(key)
        if steps is None:
            numbers = stream(combine(self.walks.market, span.key, block, 4), count)
            steps = [normal(number) for number in numbers]
            self._factors.put(key, steps)
        return steps


class Book:
    """One security's tape.

    Attributes:
        security: Whose it is.
        days: Its daily bars.
        units: Price units per dollar.
        extended: Whether it trades in extended hours when the market keeps hours (indices do not).
    """

    def __init__(self, tape: Tape, security: Security) -> None:
        self.security = security
        self.days = DailyBars(tape.walks, security)
        self.units = self.days.units
        self.extended = security.kind != "index"
        self.own_key = self.days.own_key
        self.print_key = combine(tape.walks.seed, text_key("prints:" + security.symbol))
        self._tape = tape
        self._spreads: dict[int, tuple[int, int]] = {}
        self._prices: dict[int, Decimal] = {}
        self._exponent = -security.decimals

    def price(self, units: int) -> Decimal:
        """Price units as dollars, with the security's decimal places."""
        price = self._prices.get(units)
        if price is None:
            if len(self._prices) > 5_000:
                self._prices.clear()
            price = self._prices[units] = Decimal(units).scaleb(self._exponent)
        return price

    def row(self, span: Span) -> Row:
        """The bar of a whole span."""
        if span.regular:
            return self.days.session(span.day)
        return self.days.night(span.day, span.next_day, span.blocks)

    def spread(self, span: Span) -> tuple[int, int]:
        """Usual width of the quote during a span, and by how much it may be wider."""
        spread = self._spreads.get(span.key)
        if spread is None:
            spread = self._make_spread(span)
            if len(self._spreads) > 4096:
                self._spreads.clear()
            self._spreads[span.key] = spread
        return spread

    def _make_spread(self, span: Span) -> tuple[int, int]:
        security = self.security
        price = self.row(span)[0]
        traded = security.average_volume * float(security.price)
        if not security.average_volume or traded > 2e9:
            rate = 0.00003
        elif traded > 2e8:
            rate = 0.00012
        else:
            rate = 0.0004 if traded > 2e7 else 0.0012
        base = max(1, int(price * rate + 0.5))
        if not span.regular:
            base *= 2
        return base, max(1, base // 3)

    def path(self, span: Span) -> Path:
        """A span cut into half-hour blocks."""
        key = (self.print_key, span.key, -1)
        path = self._tape.paths.get(key)
        if path is None:
            path = self._make_path(span)
            self._tape.paths.put(key, path)
        return path

    def _steps(self, span: Span, block: int, count: int, numbers: list[int]) -> list[float]:
        """Each part's random step: the market factor's share and the security's own."""
        market, own = self.days.market_part, self.days.own_part
        factors = self._tape.factor(span, block, count)
        return [
            market * factor + own * normal(number) for factor, number in zip(factors, numbers, strict=True)
        ]

    def _make_path(self, span: Span) -> Path:
        opening, high, low, closing, volume = self.row(span)
        blocks = span.blocks
        numbers = stream(combine(self.own_key, span.key), 2 * blocks)
        steps = self._steps(span, -1, blocks, numbers[:blocks])
        loud = [step * sqrt(activity) for step, activity in zip(steps, span.activity, strict=True)]
        nodes, highs, lows = subdivide(opening, high, low, closing, loud, numbers[blocks:])
        volumes = [0] * (blocks + 1)
        if volume:
            weights = [
                activity * (0.6 + weight)
                for activity, weight in zip(span.activity, volume_weights(numbers[blocks:]), strict=True)
            ]
            volumes = share_out(volume, weights, 8 * BLOCK_MINUTES)
        return Path(nodes, highs, lows, volumes, self._counts(span, volume))

    def trades_in(self, span: Span) -> int:
        """Number of trades of a whole span."""
        return span.blocks * BLOCK_MINUTES * self._trades_per_minute(span, self.row(span)[4])

    def _counts(self, span: Span, volume: int) -> list[int]:
        """Cumulated trades of a span's blocks."""
        base = self._trades_per_minute(span, volume)
        rhythm: tuple[int, ...] = (0,) * span.blocks
        if span.regular and base >= 20:
            rhythm = _FULL_DAY_RHYTHM if span.blocks == len(_FULL_DAY_RHYTHM) else _HALF_DAY_RHYTHM
        counts = [0]
        for more in rhythm:
            counts.append(counts[-1] + BLOCK_MINUTES * (base + more))
        return counts

    def _trades_per_minute(self, span: Span, volume: int) -> int:
        if not self.security.average_volume:
            return _INDEX_TRADES if span.regular else MIN_TRADES + 2
        root = isqrt(volume // (span.blocks * BLOCK_MINUTES))
        return max(MIN_TRADES, min(_BUSIEST, root // 6))

    def block(self, span: Span, index: int) -> Path:
        """A half-hour block cut into minutes."""
        key = (self.print_key, span.key, index)
        path = self._tape.paths.get(key)
        if path is None:
            path = self._make_block(span, index)
            self._tape.paths.put(key, path)
        return path

    def _make_block(self, span: Span, index: int) -> Path:
        outer = self.path(span)
        numbers = stream(combine(self.own_key, span.key, index), 2 * BLOCK_MINUTES)
        steps = self._steps(span, index, BLOCK_MINUTES, numbers[:BLOCK_MINUTES])
        shapes = numbers[BLOCK_MINUTES:]
        nodes, highs, lows = subdivide(
            outer.nodes[index], outer.highs[index], outer.lows[index], outer.nodes[index + 1], steps, shapes
        )
        volume = outer.volumes[index + 1] - outer.volumes[index]
        base = (outer.counts[index + 1] - outer.counts[index]) // BLOCK_MINUTES
        volumes = [0] * (BLOCK_MINUTES + 1)
        if volume:
            volumes = share_out(volume, volume_weights(shapes), base + base // 4)
        return Path(nodes, highs, lows, volumes, paired_counts(base, shapes))

    def prints(self, span: Span, minute: int) -> Prints:
        """The trades and quotes of a span's minute, counted from the span's start."""
        key = (self.print_key, span.key, minute)
        prints = self._tape.prints.get(key)
        if prints is None:
            prints = self._make_prints(span, minute)
            self._tape.prints.put(key, prints)
        return prints

    def _make_prints(self, span: Span, minute: int) -> Prints:
        index, inner = divmod(minute, BLOCK_MINUTES)
        block = self.block(span, index)
        spread, jitter = self.spread(span)
        return make_prints(
            combine(self.print_key, span.key, minute),
            (block.nodes[inner], block.highs[inner], block.lows[inner], block.nodes[inner + 1]),
            block.volumes[inner + 1] - block.volumes[inner],
            block.counts[inner + 1] - block.counts[inner],
            spread,
            jitter,
            len(VENUES),
            minute == 0,
        )

    def state(self, span: Span, milliseconds: int) -> State:
        """Where the security stands at a moment of a span, all trades up to it included."""
        since = milliseconds - 1000 * span.start
        second, minute = since // 1000, since // 60_000
        index, inner = divmod(minute, BLOCK_MINUTES)
        path, block = self.path(span), self.block(span, index)
        prints = self.prints(span, minute)
        done = bisect_right(prints.times, since - 60_000 * minute)
        state = State()
        self._last(state, span, minute, prints, done)
        high, low = state.last, state.last
        if done:
            high, low = prints.tops[done - 1], prints.bottoms[done - 1]
        if inner:
            high, low = max(high, block.tops[inner]), min(low, block.bottoms[inner])
        if index:
            high, low = max(high, path.tops[index]), min(low, path.bottoms[index])
        state.high, state.low = high, low
        state.volume = path.volumes[index] + block.volumes[inner] + (prints.volumes[done - 1] if done else 0)
        state.count = path.counts[index] + block.counts[inner] + done
        state.bid = prints.bids[second % 60]
        state.ask = prints.asks[second % 60]
        return state

    def _last(self, state: State, span: Span, minute: int, prints: Prints, done: int) -> None:
        """The last trade: this minute's, or else the final one of the minute before."""
        if not done and minute:
            minute -= 1
            prints = self.prints(span, minute)
            done = len(prints.times)
        if not done:
            state.last, state.last_ms, state.last_size, state.venue = prints.prices[0], None, 0, 0
            return
        state.last = prints.prices[done - 1]
        state.last_ms = 1000 * span.start + 60_000 * minute + prints.times[done - 1]
        state.last_size = prints.volumes[done - 1] - (prints.volumes[done - 2] if done > 1 else 0)
        state.venue = prints.exchanges[done - 1]
