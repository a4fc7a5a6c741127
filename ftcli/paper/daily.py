"""Daily bars of the paper market: a bounded random walk per security, moved by a common factor.

The logarithm of each close is the market factor times the security's beta, plus a walk of its own.
Both walks come in blocks of 256 trading days whose ends are drawn independently, so prices wander
like real ones from day to day and still stay near their level over any number of years. Securities
that follow another (index funds, leveraged funds) repeat its walk.
"""

from datetime import date
from math import exp, sqrt

from ftcli.paper.calendar import is_early_close, is_trading_day, previous_trading_day
from ftcli.paper.noise import brownian_block, combine, mix, normal, stream, text_key
from ftcli.paper.symbols import Security, find
from ftcli.paper.timeline import business_day, business_number

BLOCK_DAYS = 256
_LEVELS = 8
_YEAR = sqrt(252.0)
_MARKET_VOLATILITY = 0.16
_END_DEVIATION = 5.5  # of a block's ends, in daily deviations
_EARLY_SHARE = 0.55  # of a usual day's volume, when the exchange closes early
_REFERENCE = business_number(date(2026, 11, 26))  # on this holiday prices stand at their level

Row = tuple[int, int, int, int, int]
"""Open, high, low, close (price units) and volume of one session or night."""


Wicks = tuple[float, float]
"""How far a range reaches above and below, in daily deviations."""

Details = tuple[list[float], list[Wicks]]
"""Overnight gaps and wicks of each day of a block."""


class Walks:
    """The random walks behind all prices of one seed, block by block."""

    def __init__(self, seed: int) -> None:
        self.seed = mix(seed & 0xFFFFFFFFFFFFFFFF)
        self.market = combine(self.seed, text_key("market"))
        self._blocks: dict[tuple[int, int], list[float]] = {}
        self._details: dict[tuple[int, int], Details] = {}

    def key(self, name: str) -> int:
        """The random key of a security's own walk."""
        return combine(self.seed, text_key("walk:" + name))

    def block(self, key: int, number: int) -> list[float]:
        """A walk's 257 values over one block of days, in daily deviations."""
        values = self._blocks.get((key, number))
        if values is None:
            start = _END_DEVIATION * normal(combine(key, number))
            end = _END_DEVIATION * normal(combine(key, number + 1))
            values = brownian_block(combine(key, number, 1), start, end, _LEVELS)
            if len(self._blocks) > 4096:
                self._blocks.clear()
            self._blocks[(key, number)] = values
        return values

    def details(self, key: int, number: int) -> Details:
        """A walk's overnight gaps and wicks of each day of a block, in daily deviations."""
        details = self._details.get((key, number))
        if details is None:
            numbers = stream(combine(key, number, 2), 2 * BLOCK_DAYS)
            details = (
                [normal(value) for value in numbers[:BLOCK_DAYS]],
                [wicks(value) for value in numbers[BLOCK_DAYS:]],
            )
            if len(self._details) > 2048:
                self._details.clear()
            self._details[(key, number)] = details
        return details

    def value(self, key: int, day_number: int) -> float:
        """A walk's value at the close of a numbered day."""
        number, offset = divmod(day_number, BLOCK_DAYS)
        return self.block(key, number)[offset]


class DailyBars:
    """One security's sessions and nights, in whole price units.

    Attributes:
        units: Price units per dollar: 100, or 10000 below a dollar.
        market_part, own_part: Daily deviation due to the market factor (negative for inverse
            funds) and to the walk of its own.
    """

    def __init__(self, walks: Walks, security: Security) -> None:
        source = find(security.tracks) or security
        self.security = security
        self.units: int = 10**security.decimals
        self.own_key = walks.key(source.symbol)
        self.market_part = security.leverage * source.beta * _MARKET_VOLATILITY / _YEAR
        variance = (source.volatility / _YEAR) ** 2 - (source.beta * _MARKET_VOLATILITY / _YEAR) ** 2
        self.own_part = security.leverage * (sqrt(variance) if variance > 1e-12 else 0.0)
        self.deviation = sqrt(self.market_part**2 + self.own_part**2)
        self._walks = walks
        self._level = float(security.price) * self.units / exp(self._logarithm(_REFERENCE))
        self._volume_key = combine(walks.seed, text_key("volume:" + security.symbol))
        self._rows: dict[int, list[Row | None]] = {}
        self._nights: dict[date, Row] = {}

    def close(self, day_number: int) -> int:
        """The close of a numbered day."""
        return int(self._level * exp(self._logarithm(day_number)) + 0.5)

    def session(self, day: date) -> Row:
        """The bar of a trading day's regular session.

        Raises:
            ValueError: The exchange is closed that day.
        """
        row = self.row(business_number(day))
        if row is None or day.weekday() > 4:
            raise ValueError(f"{day} is not a trading day")
        return row

    def row(self, day_number: int) -> Row | None:
        """The bar of a numbered weekday, None when the exchange is closed."""
        number, offset = divmod(day_number, BLOCK_DAYS)
        return self._block(number)[offset]

    def close_if_open(self, day_number: int) -> int | None:
        """The close of a numbered weekday, None when the exchange is closed."""
        number, offset = divmod(day_number, BLOCK_DAYS)
        return self.close(day_number) if trading_shares(number)[offset] else None

    def close_on(self, day: date) -> int:
        """The close (net asset value, for funds) of a trading day."""
        return self.close(business_number(day))

    def night(self, day: date, next_day: date, blocks: int) -> Row:
        """The bar of the night after a trading day.

        Args:
            day, next_day: Two trading days in a row.
            blocks: Length of the night in half hours.
        """
        row = self._nights.get(day)
        if row is None:
            row = self._make_night(day, next_day, blocks)
            if len(self._nights) > 4096:
                self._nights.clear()
            self._nights[day] = row
        return row

    def _logarithm(self, day_number: int) -> float:
        walks = self._walks
        return self.market_part * walks.value(walks.market, day_number) + self.own_part * walks.value(
            self.own_key, day_number
        )

    def _block(self, number: int) -> list[Row | None]:
        rows = self._rows.get(number)
        if rows is None:
            rows = self._make_block(number)
            if len(self._rows) > 64:
                self._rows.clear()
            self._rows[number] = rows
        return rows

    def _make_block(self, number: int) -> list[Row | None]:
        walks, market_part, own_part = self._walks, self.market_part, self.own_part
        market, own = walks.block(walks.market, number), walks.block(self.own_key, number)
        market_gaps, market_wicks = walks.details(walks.market, number)
        own_gaps, own_wicks = walks.details(self.own_key, number)
        volumes = stream(combine(self._volume_key, number), BLOCK_DAYS)
        previous = self.close(business_number(previous_trading_day(business_day(number * BLOCK_DAYS))))
        rows: list[Row | None] = []
        for offset, share in enumerate(trading_shares(number)):
            if not share:
                rows.append(None)
                continue
            closing = int(self._level * exp(market_part * market[offset] + own_part * own[offset]) + 0.5)
            gap = 0.4 * (market_part * market_gaps[offset] + own_part * own_gaps[offset])
            opening = int((previous + 0.3 * (closing - previous)) * (1.0 + gap) + 0.5)
            up, down = self._wicks(market_wicks[offset], own_wicks[offset])
            top, bottom = (opening, closing) if opening > closing else (closing, opening)
            high, low = int(top * (1.0 + up) + 0.5), int(bottom * (1.0 - down) + 0.5)
            volume = self._volume(share, closing / previous - 1.0, volumes[offset])
            rows.append((opening, high, low, closing, volume))
            previous = closing
        return rows

    def _wicks(self, market: Wicks, own: Wicks) -> Wicks:
        """How far a range goes beyond open and close, as fractions of the price."""
        market_part, own_part = self.market_part, self.own_part
        up = down = 0.0
        if market_part < 0.0:  # what is up for the market is down for an inverse fund
            up, down = -market_part * market[1], -market_part * market[0]
        else:
            up, down = market_part * market[0], market_part * market[1]
        if own_part < 0.0:
            return up - own_part * own[1], down - own_part * own[0]
        return up + own_part * own[0], down + own_part * own[1]

    def _volume(self, share: float, change: float, number: int) -> int:
        average = self.security.average_volume
        if not average:
            return 0
        surprise = abs(change) / self.deviation if self.deviation else 0.0
        busy = 0.8 + 0.28 * (surprise if surprise < 3.0 else 3.0)
        return max(int(average * share * busy * (0.55 + 0.7 * ((number & 0xFFFF) / 65536.0))), 10_000)

    def _make_night(self, day: date, next_day: date, blocks: int) -> Row:
        opening, closing = self.session(day)[3], self.session(next_day)[0]
        key = business_number(day)
        up, down = self._wicks(
            wicks(combine(self._walks.market, key, 3)), wicks(combine(self.own_key, key, 3))
        )
        high = int(max(opening, closing) * (1.0 + 0.35 * up) + 0.5)
        low = int(min(opening, closing) * (1.0 - 0.35 * down) + 0.5)
        average = self.security.average_volume
        if not average:
            return opening, high, low, closing, 0
        share = 0.03 + 0.03 * (combine(self._volume_key, key, 3) & 0xFFFF) / 65536.0
        return opening, high, low, closing, max(int(average * share), 300 * blocks)


def wicks(number: int) -> Wicks:
    """Upper and lower wick in daily deviations, from a random number."""
    return (
        ((number & 0xFFFF) / 65536.0) * (0.25 + ((number >> 16) & 0xFFFF) / 65536.0),
        (((number >> 32) & 0xFFFF) / 65536.0) * (0.25 + (number >> 48) / 65536.0),
    )


_shares: dict[int, list[float]] = {}


def trading_shares(number: int) -> list[float]:
    """For each weekday of a block: 1 for a full session, less for an early close, 0 for a holiday."""
    shares = _shares.get(number)
    if shares is None:
        shares = []
        for offset in range(BLOCK_DAYS):
            day = business_day(number * BLOCK_DAYS + offset)
            full = _EARLY_SHARE if is_early_close(day) else 1.0
            shares.append(full if is_trading_day(day) else 0.0)
        if len(_shares) > 1024:
            _shares.clear()
        _shares[number] = shares
    return shares
