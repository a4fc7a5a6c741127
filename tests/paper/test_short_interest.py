"""Short interest: when reports are due, and that they are a function of symbol and date."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ftcli.paper import calendar, symbols
from ftcli.paper.market import Market
from ftcli.paper.short_interest import has_reports, published, report, settlement_dates

MARKET = Market(seed=7)
DAYS = st.dates(date(2015, 1, 1), date(2035, 12, 31))
SHORTABLE = [security.symbol for security in symbols.all_securities() if has_reports(security)]


@given(DAYS, st.integers(0, 800))
def test_two_settlement_dates_a_month(first: date, span: int) -> None:
    last = first + timedelta(days=span)
    dates = list(settlement_dates(first, last))
    assert dates == sorted(set(dates))
    assert all(first <= day <= last and calendar.is_trading_day(day) for day in dates)
    months = {(day.year, day.month) for day in dates}
    whole = [
        month for month in months if first < date(*month, 1) and date(*month, 28) + timedelta(days=4) < last
    ]
    for month in whole:
        middle, end = [day for day in dates if (day.year, day.month) == month]
        assert 8 <= middle.day <= 15
        assert end.day >= 24


@given(DAYS)
def test_the_latest_report_is_a_few_weeks_old(today: date) -> None:
    settled = published(today)
    assert 10 <= (today - settled).days <= 32
    assert settled in list(settlement_dates(settled, today))
    newer = [day for day in settlement_dates(settled, today) if day > settled]
    assert all(calendar.add_trading_days(day, 8) > today for day in newer)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(SHORTABLE), st.dates(date(2020, 1, 1), date(2026, 12, 31)))
def test_reports_are_plausible_and_repeatable(symbol: str, around: date) -> None:
    security = symbols.find(symbol)
    assert security is not None
    settled = published(around)
    found = report(MARKET, security, settled)
    assert report(Market(seed=7), security, settled) == found
    assert 0 < found.shares < found.floating <= security.shares_outstanding
    assert found.shares % 100 == 0
    assert 0 < found.utilization < 100
    assert (found.percent_of_float > 5) is security.hard_to_borrow
    if found.days_to_cover is not None:
        assert abs(found.days_to_cover * found.average_volume - found.shares) <= found.average_volume / 20


@pytest.mark.parametrize("symbol", [".SPX", "SPAXX", "FXAIX"])
def test_what_has_no_reports(symbol: str) -> None:
    security = symbols.find(symbol)
    assert security is not None
    assert not has_reports(security)
