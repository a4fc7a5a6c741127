"""What companies of the paper market earn and pay: a function of symbol and calendar, like its prices."""

from datetime import date, timedelta
from decimal import Decimal

from msgspec import Struct

from ftcli.paper.calendar import is_trading_day, next_trading_day, previous_trading_day
from ftcli.paper.noise import combine, lanes, normal, text_key
from ftcli.paper.symbols import Security

PAYMENTS_A_YEAR = {"Monthly": 12, "Quarterly": 4, "Semi-Annual": 2, "Annual": 1}
_ANCHOR = 4 * 2026 + 2  # the quarter whose trailing year the table's earnings stand for
_CENT = Decimal("0.01")
_PRECISE = Decimal("0.0001")


class Quarter(Struct, frozen=True, kw_only=True):
    """The earnings of one fiscal quarter.

    Attributes:
        year, quarter: Fiscal year and quarter; fiscal years are calendar years here.
        report_date: Day of the report, after the close.
        eps: Adjusted earnings per share.
        consensus: What analysts expected.
    """

    year: int
    quarter: int
    report_date: date
    eps: Decimal
    consensus: Decimal


class Payment(Struct, frozen=True, kw_only=True):
    """One dividend.

    Attributes:
        amount: Dollars per share.
        announced, ex_date, record_date, pay_date: Its four days.
    """

    amount: Decimal
    announced: date
    ex_date: date
    record_date: date
    pay_date: date


def earnings(security: Security, today: date, reported: int = 8) -> list[Quarter]:
    """The last quarters reported before a day and the next one to come, oldest first; of companies only.

    Args:
        security: The company.
        today: The day; a report of the day itself is still to come.
        reported: How many quarters back.
    """
    if security.eps is None:
        return []
    index = 4 * today.year + (today.month - 1) // 3
    while _report_date(security, index) >= today:
        index -= 1
    return [_quarter(security, number) for number in range(index - reported + 1, index + 2)]


def _report_date(security: Security, index: int) -> date:
    year, quarter = divmod(index, 4)
    end = date(year, 3 * quarter + 3, 1) + timedelta(days=31)
    lag = 18 + text_key("report:" + security.symbol) % 26
    day = end.replace(day=1) + timedelta(days=lag)
    return day if is_trading_day(day) else next_trading_day(day)


def _quarter(security: Security, index: int) -> Quarter:
    assert security.eps is not None
    year, quarter = divmod(index, 4)
    habits = lanes(text_key("earnings:" + security.symbol))
    growth = -0.04 + 0.22 * habits[0]
    season = 1 + 0.15 * (2 * lanes(text_key(f"season:{security.symbol}:{quarter}"))[0] - 1)
    chance = combine(text_key("eps:" + security.symbol), index)
    usual = float(security.eps) / 4 * (1 + growth) ** ((index - _ANCHOR) / 4) * season
    eps = usual * (1 + 0.03 * normal(chance))
    consensus = usual * (1 + 0.03 * normal(combine(chance, 1)) - 0.01)
    return Quarter(
        year=year,
        quarter=quarter + 1,
        report_date=_report_date(security, index),
        eps=Decimal(eps).quantize(_CENT),
        consensus=Decimal(consensus).quantize(_PRECISE),
    )


def growth_pct(quarters: list[Quarter], today: date) -> Decimal | None:
    """The last quarter reported against the same one a year earlier, percent."""
    done = [quarter for quarter in quarters if quarter.report_date < today]
    if len(done) < 5 or not done[-5].eps:
        return None
    now, before = done[-1].eps, done[-5].eps
    return ((now - before) / abs(before) * 100).quantize(Decimal("0.00001"))


def opinion(security: Security, today: date) -> Decimal | None:
    """What analysts think of a company, from 0.1 to 10, a little different every week."""
    if security.eps is None:
        return None
    key = text_key("opinion:" + security.symbol)
    usual = 1.5 + 8 * lanes(key)[0]
    score = usual + 0.4 * normal(combine(key, today.toordinal() // 7))
    return Decimal(min(max(score, 0.1), 10.0)).quantize(Decimal("0.1"))


def dividends(security: Security, today: date, count: int = 8) -> list[Payment]:
    """The last dividends declared up to a day, oldest first; funds and non-payers have none.

    Args:
        security: Stock or exchange-traded fund.
        today: The day.
        count: How many at most.
    """
    per_year = PAYMENTS_A_YEAR.get(security.dividend_frequency, 0)
    if not per_year or security.is_fund or not security.dividend:
        return []
    index = per_year * (today.year + 1)
    while (payment := _payment(security, index, per_year)).announced > today:
        index -= 1
    found = [payment]
    while len(found) < count:
        index -= 1
        found.append(_payment(security, index, per_year))
    return found[::-1]


def _payment(security: Security, index: int, per_year: int) -> Payment:
    key = text_key("dividend:" + security.symbol)
    months = 12 // per_year
    year, number = divmod(index, per_year)
    month = 1 + months * number + key % months
    ex_date = _trading(date(year, month, 5 + key // 16 % 18))
    pay_date = ex_date + timedelta(days=12 + key // 512 % 10)
    announced = previous_trading_day(ex_date - timedelta(days=20 + key // 8192 % 12))
    # Raised once a year; the table's dividend is that of 2026.
    rise = Decimal(1) + Decimal(2 + key // 65536 % 7) / 100
    amount = security.dividend / per_year * rise ** (year - 2026)
    return Payment(
        amount=amount.quantize(_PRECISE).normalize() + Decimal("0.00"),
        announced=announced,
        ex_date=ex_date,
        record_date=ex_date,
        pay_date=_trading(pay_date),
    )


def _trading(day: date) -> date:
    return day if is_trading_day(day) else next_trading_day(day)
