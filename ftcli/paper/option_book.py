"""Prices of single option contracts on the tape: volatility, bid and ask, trades.

Within a trading day a contract's volatility, its usual quote width and its liquidity stay fixed, and
time to expiration is counted in whole minutes. So bid and ask depend on the underlying's quote alone
and rise or fall with it, which is what lets a touch be found from ranges.
"""

from datetime import date
from math import ceil, exp, floor, log, sqrt

from msgspec import Struct

from ftcli.paper.calendar import previous_trading_day
from ftcli.paper.noise import combine, lanes, mix, text_key
from ftcli.paper.option_contracts import OptionContract
from ftcli.paper.option_pricing import Terms, intrinsic, price
from ftcli.paper.symbols import Security, find
from ftcli.paper.tape import Book, Recent, Tape
from ftcli.paper.timeline import (
    BLOCK_MINUTES,
    Span,
    business_number,
    epoch_milliseconds,
    regular_span,
)

RATE = 0.0375
_YEAR_MS = 365 * 86_400_000
_INDEX_VOLUME = 60_000_000  # stands for an index where a stock's average volume is needed
_SKEW = {"equity": 0.045, "etf": 0.07, "index": 0.08}
_SMILE = 0.02
_FAR = 16.0
_PENNY_EVERYWHERE = frozenset({"SPY", "QQQ", "IWM"})


class ContractDay(Struct):
    """What stays fixed for a contract throughout a trading day.

    Attributes:
        volatility: Its implied volatility.
        dividend: The underlying's dividend yield.
        base_width, relative_width, saturation: The quote is ``base_width + relative_width * price``
            dollars wide for cheap contracts; prices beyond ``saturation`` hardly widen it further.
        small_tick, large_tick: Price steps below and from three dollars, in cents.
        volume: Contracts traded in the regular session.
        open_interest: Contracts.
    """

    volatility: float
    dividend: float
    base_width: float
    relative_width: float
    saturation: float
    small_tick: int
    large_tick: int
    volume: int
    open_interest: int


class Session:
    """A contract's trades within one span, worked out as far as they were asked for.

    Attributes:
        times: Milliseconds since 1970.
        prices: Cents.
        volumes: Contracts up to and including each trade.
        venues: A random number per trade.
        windows_done: How many trading windows of the span have been looked at.
    """

    __slots__ = ("prices", "times", "venues", "volumes", "windows_done")

    def __init__(self) -> None:
        self.times: list[int] = []
        self.prices: list[int] = []
        self.volumes: list[int] = []
        self.venues: list[int] = []
        self.windows_done = 0


class UnderlyingTape:
    """The underlying's side of option pricing, shared by all its contracts."""

    def __init__(self, tape: Tape, security: Security) -> None:
        self.security = security
        self.book: Book = tape.book(security)
        source = find(security.tracks) or security
        self._walks = tape.walks
        self._key = combine(tape.walks.seed, text_key("volatility:" + source.symbol))
        self._window_key = combine(tape.walks.seed, text_key("option trades:" + security.symbol))
        self._levels: dict[date, float] = {}
        self._spots: Recent[tuple[int, int], tuple[int, float]] = Recent(4096)
        dividend = security.dividend_yield
        self.dividend = float(dividend) / 100 if dividend is not None else 0.0
        if security.kind == "index":
            self.dividend = 0.012

    def reference(self, day: date) -> float:
        """The previous close, which moneyness is measured from all day."""
        return self.book.days.close_on(previous_trading_day(day)) / self.book.units

    def level(self, day: date) -> float:
        """How nervous the market is about the security on a day: 1 is usual."""
        level = self._levels.get(day)
        if level is None:
            number = business_number(previous_trading_day(day))
            walks = self._walks
            fear = -0.007 * walks.value(walks.market, number) + 0.009 * walks.value(self._key, number)
            if len(self._levels) > 4096:
                self._levels.clear()
            level = self._levels[day] = exp(fear)
        return level

    def spot(self, span: Span, milliseconds: int) -> float:
        """The middle of the underlying's quote at a moment."""
        second, minute = divmod((milliseconds - 1000 * span.start) // 1000, 60)[::-1]
        prints = self.book.prints(span, minute)
        return (prints.bids[second] + prints.asks[second]) / (2 * self.book.units)

    def window(self, span: Span, index: int) -> tuple[int, float]:
        """When the options trade within a trading window, and the underlying's price then."""
        found = self._spots.get((span.key, index))
        if found is None:
            length = window_minutes(span)
            number = combine(self._window_key, span.key, index)
            minute = length * index + number % length
            moment = 1000 * span.start + 60_000 * minute + (number >> 32) % 1000
            found = (moment, self.spot(span, moment))
            self._spots.put((span.key, index), found)
        return found


def window_minutes(span: Span) -> int:
    """Length of a trading window: at most one trade of a contract falls in each."""
    return 5 if span.regular else BLOCK_MINUTES


def window_count(span: Span) -> int:
    """Number of trading windows in a span."""
    return span.blocks * BLOCK_MINUTES // window_minutes(span)


class ContractBook:
    """One contract on the tape."""

    def __init__(self, underlying: UnderlyingTape, contract: OptionContract) -> None:
        self.contract = contract
        self.underlying = underlying
        self.strike = float(contract.strike)
        self.expiry_ms = epoch_milliseconds(contract.expiry)
        self.key = combine(underlying.book.print_key, text_key(contract.symbol))
        self._days: dict[date, ContractDay] = {}
        self._sessions: Recent[int, Session] = Recent(4)
        self._closes: dict[date, int] = {}

    def day(self, day: date) -> ContractDay:
        """The contract's fixed figures of a trading day."""
        facts = self._days.get(day)
        if facts is None:
            if len(self._days) > 1024:
                self._days.clear()
            facts = self._days[day] = self._make_day(day)
        return facts

    def _make_day(self, day: date) -> ContractDay:
        security = self.underlying.security
        remaining = max((self.contract.expiration - day).days, 0)
        years = (remaining + 0.5) / 365.0
        level = self.underlying.level(day)
        at_money = security.volatility * (1.05 + (level - 1.0) * exp(-3.0 * years))
        reference = self.underlying.reference(day)
        distance = log(self.strike / reference) / (at_money * sqrt(years))
        distance /= sqrt(1.0 + distance * distance / _FAR)  # levels off without a kink
        smile = 1.0 - _SKEW.get(security.kind, 0.05) * distance + _SMILE * distance * distance
        random, interest, _, _ = lanes(combine(self.key, 1))
        today, _, _, _ = lanes(combine(self.key, business_number(day), 2))
        contracts = 0.02 * (security.average_volume or _INDEX_VOLUME)
        near = exp(-0.9 * abs(distance)) / (1.0 + remaining / 10.0)
        volume = int(0.03 * contracts * near * (0.2 + 0.8 * random) * (0.3 + 1.4 * today))
        held = int(0.12 * contracts * exp(-0.6 * abs(distance)) * (0.1 + interest * interest))
        liquid = security.options == "weekly" and security.kind != "index"
        return ContractDay(
            volatility=at_money * smile,
            dividend=self.underlying.dividend,
            base_width=(0.008 if liquid else 0.04) * (1.0 + min(years, 2.0)),
            relative_width=(0.006 if liquid else 0.02) * (1.0 + 0.5 * abs(distance)),
            saturation=0.1 * reference,
            small_tick=1 if liquid else 5,
            large_tick=1 if security.symbol in _PENNY_EVERYWHERE else 5,
            volume=volume,
            open_interest=held // (1 + remaining // 400),
        )

    def terms(self, facts: ContractDay, spot: float, milliseconds: int) -> Terms:
        """The pricing terms at a price of the underlying and a moment (rounded down to the minute)."""
        left = self.expiry_ms - milliseconds // 60_000 * 60_000
        return Terms(
            spot,
            self.strike,
            left / _YEAR_MS,
            facts.volatility,
            RATE,
            facts.dividend,
            self.contract.is_call,
        )

    def mark(self, facts: ContractDay, spot: float, milliseconds: int) -> float:
        """What the contract is worth: American contracts never less than their intrinsic value."""
        terms = self.terms(facts, spot, milliseconds)
        worth = price(terms)
        if self.contract.european:
            return worth
        return max(worth, intrinsic(terms))

    def quote(self, span: Span, milliseconds: int) -> tuple[int, int]:
        """Bid and ask in cents at a moment of a span."""
        facts = self.day(span.day)
        return edges(facts, self.mark(facts, self.underlying.spot(span, milliseconds), milliseconds))

    def closing_mark(self, day: date) -> int:
        """The official close of a trading day in cents: the middle of the closing quote."""
        cents = self._closes.get(day)
        if cents is None:
            span = regular_span(day)
            spot = self.underlying.book.days.close_on(day) / self.underlying.book.units
            if 1000 * span.end >= self.expiry_ms:
                gain = spot - self.strike if self.contract.is_call else self.strike - spot
                cents = max(int(100.0 * gain + 0.5), 0)
            else:
                facts = self.day(day)
                bid, ask = edges(facts, self.mark(facts, spot, 1000 * span.end - 1))
                cents = (bid + ask + 1) // 2
            if len(self._closes) > 1024:
                self._closes.clear()
            self._closes[day] = cents
        return cents

    def volume_in(self, span: Span) -> int:
        """Contracts traded in a whole span."""
        volume = self.day(span.day).volume
        return volume if span.regular else volume // 25

    def session(self, span: Span, until: int) -> tuple[Session, int]:
        """A span's trades, worked out at least up to a moment, and how many of them lie up to it."""
        until = min(until, self.expiry_ms - 1)
        if until < 1000 * span.start or not self.volume_in(span):
            return Session(), 0
        session = self._sessions.get(span.key)
        if session is None:
            session = Session()
            self._sessions.put(span.key, session)
        total = window_count(span)
        while session.windows_done < total:
            window = session.windows_done
            if 1000 * span.start + 60_000 * window_minutes(span) * window > until:
                break
            self._trade_in(session, span, window, total)
            session.windows_done += 1
        done = len(session.times)
        while done and session.times[done - 1] > until:
            done -= 1
        return session, done

    def _trade_in(self, session: Session, span: Span, window: int, total: int) -> None:
        """The trade of a window, if the contract trades in it."""
        volume = self.volume_in(span)
        trades = min(volume, total)
        index = window * trades // total
        if (window + 1) * trades // total == index:
            return
        moment, spot = self.underlying.window(span, window)
        if moment >= self.expiry_ms:
            return
        facts = self.day(span.day)
        bid, ask = edges(facts, self.mark(facts, spot, moment))
        number = combine(self.key, span.key, window)
        done = index + 1
        cumulated = done * volume // trades
        if done % 2 and done < trades:
            cumulated += (number >> 20) % (volume // trades)
        session.times.append(moment)
        session.prices.append(ask if number & 1 or bid == 0 else bid)
        session.volumes.append(cumulated)
        session.venues.append(mix(number))


def edges(facts: ContractDay, mark: float) -> tuple[int, int]:
    """Bid and ask in cents around a mark; both rise with it."""
    half = 50.0 * (facts.base_width + facts.relative_width * mark / (1.0 + mark / facts.saturation))
    low, high = 100.0 * mark - half, 100.0 * mark + half
    tick = facts.small_tick if low < 300.0 else facts.large_tick
    bid = max(floor(low / tick + 1e-9) * tick, 0)
    tick = facts.small_tick if high <= 300.0 else facts.large_tick
    ask = ceil(high / tick - 1e-9) * tick
    if ask <= bid:
        ask = bid + (facts.small_tick if bid < 300 else facts.large_tick)
    return bid, ask
