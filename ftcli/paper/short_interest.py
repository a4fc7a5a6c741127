"""Short interest in the paper market: two reports a month, each a pure function of symbol and date.

The borrow rate is the security's own, so rates, accruals and reports agree (protocol 01 §4.4).
"""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from ftcli.clock import NEW_YORK
from ftcli.paper import calendar
from ftcli.paper.amounts import cents
from ftcli.paper.noise import combine, lanes, mix, text_key
from ftcli.paper.symbols import Security, available_to_borrow

if TYPE_CHECKING:
    from ftcli.paper.market import Market

PUBLISHED_AFTER = 8
"""Trading days from a settlement date to its report."""

_MEMORY = 6
_TENTH = Decimal("0.1")
_CLOSE = time(16, 30)


class ShortReport(msgspec.Struct, frozen=True, kw_only=True):
    """One report on one security.

    Attributes:
        settled: Settlement date of the report.
        shares: Shares sold short.
        floating: Shares that are freely traded.
        average_volume: Shares a day.
        utilization: Percent of the lendable stock that is lent.
    """

    settled: date
    shares: int
    floating: int
    average_volume: int
    utilization: Decimal

    @property
    def percent_of_float(self) -> Decimal:
        """Percent of the float that is sold short."""
        return cents(Decimal(self.shares) * 100 / self.floating)

    @property
    def days_to_cover(self) -> Decimal | None:
        """Days of average volume that buying everything back would take."""
        if not self.average_volume:
            return None
        return (Decimal(self.shares) / self.average_volume).quantize(_TENTH)


def has_reports(security: Security) -> bool:
    """Whether short interest is reported: listed shares and funds, not indices and not mutual funds."""
    return security.tradable and not security.is_fund


def borrow_rate(security: Security) -> Decimal | None:
    """Percent a year that a short seller pays; None where the security is easy to borrow."""
    return security.borrow_rate if security.hard_to_borrow else None


def borrowable(security: Security) -> int | None:
    """Shares that can be borrowed; None where the security is easy to borrow."""
    return available_to_borrow(security) if security.hard_to_borrow else None


def settlement_dates(first: date, last: date) -> Iterator[date]:
    """Settlement dates in ``first`` .. ``last``: the trading days up to each 15th and each end of month."""
    month = first.replace(day=1)
    while month <= last:
        following = (month + timedelta(days=32)).replace(day=1)
        for day in (month.replace(day=15), following - timedelta(days=1)):
            settled = day if calendar.is_trading_day(day) else calendar.previous_trading_day(day)
            if first <= settled <= last:
                yield settled
        month = following


def published(today: date) -> date:
    """The latest settlement date whose report is out on a day."""
    dates = list(settlement_dates(today - timedelta(days=62), today))
    return next(day for day in reversed(dates) if calendar.add_trading_days(day, PUBLISHED_AFTER) <= today)


def report(market: "Market", security: Security, settled: date) -> ShortReport:
    """The report of a settlement date.

    Args:
        market: Whose seed and volumes to use.
        security: One that ``has_reports``.
        settled: A settlement date.
    """
    key = combine(market.seed, text_key(f"short:{security.symbol}"))
    base, spread, free, lent = lanes(mix(key))
    floating = int(security.shares_outstanding * (0.80 + 0.18 * free))
    usual = 0.12 + 0.18 * base if security.hard_to_borrow else 0.006 + 0.03 * base
    drift = _drift(key, settled)
    shares = int(floating * usual * (1 + (0.15 + 0.2 * spread) * drift))
    utilization = (82 + 12 * lent if security.hard_to_borrow else 3 + 22 * lent) + 4 * drift
    return ShortReport(
        settled=settled,
        shares=shares // 100 * 100,
        floating=floating,
        average_volume=_volume(market, security, settled),
        utilization=Decimal(f"{min(99.9, max(0.5, utilization)):.1f}"),
    )


def _drift(key: int, settled: date) -> float:
    """A slow wandering around 0, within about 1: the mean of what some reports in a row bring."""
    number = 2 * (12 * settled.year + settled.month) + (settled.day > 15)
    shocks = [lanes(combine(key, number - back))[0] - 0.5 for back in range(_MEMORY)]
    return 4 * sum(shocks) / _MEMORY


def _volume(market: "Market", security: Security, settled: date) -> int:
    """The ten-day average volume that the market showed on a settlement date."""
    quote = market.quote(security.symbol, datetime.combine(settled, _CLOSE, NEW_YORK))
    return security.average_volume if quote is None else quote.avg_volume_10day or security.average_volume
