"""The exchange calendar against the `holidays` package and known days."""

from datetime import UTC, date, datetime, time, timedelta

import holidays as reference
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftcli.clock import NEW_YORK
from ftcli.paper import calendar

YEARS = range(2000, 2036)
YEARS_FIRST, YEARS_LAST = date(2000, 1, 2), date(2035, 12, 30)
DAYS = st.dates(YEARS_FIRST, YEARS_LAST)
MOMENTS = st.datetimes(
    datetime.combine(YEARS_FIRST, time()), datetime.combine(YEARS_LAST, time()), timezones=st.just(UTC)
)


@pytest.mark.parametrize("year", YEARS)
def test_closed_days_agree_with_the_reference_calendar(year: int) -> None:
    expected = set(reference.financial_holidays("NYSE", years=year))
    assert {day.date for day in calendar.holidays(year) if day.early_close is None} == expected


@pytest.mark.parametrize("year", YEARS)
def test_early_closes_agree_with_the_reference_calendar(year: int) -> None:
    expected = set(reference.financial_holidays("NYSE", years=year, categories=("half_day",)))
    early = {day.date for day in calendar.holidays(year) if day.early_close is not None}
    assert early == expected
    assert all(calendar.is_trading_day(day) for day in early)


@pytest.mark.parametrize(
    ("day", "name"),
    [
        (date(2026, 4, 3), "Good Friday"),
        (date(2026, 7, 3), "Independence Day Observed"),
        (date(2022, 6, 20), "Juneteenth Observed"),
        (date(2026, 11, 26), "Thanksgiving Day"),
        (date(2025, 1, 9), "National Day of Mourning"),
        (date(2018, 12, 5), "National Day of Mourning"),
        (date(2012, 10, 30), "Hurricane Sandy"),
    ],
)
def test_known_closures_carry_their_names(day: date, name: str) -> None:
    assert calendar.Holiday(day, name) in calendar.holidays(day.year)
    assert calendar.session_on(day) is None


def test_juneteenth_is_a_holiday_only_since_2022() -> None:
    assert calendar.is_trading_day(date(2020, 6, 19))
    assert not calendar.is_trading_day(date(2023, 6, 19))


def test_a_saturday_new_year_is_not_moved_into_the_old_year() -> None:
    assert calendar.is_trading_day(date(2021, 12, 31))
    assert not any(day.name.startswith("New Year") for day in calendar.holidays(2022))


def test_holidays_come_in_order_of_date() -> None:
    days = [day.date for day in calendar.holidays(2026)]
    assert days == sorted(days)
    assert len(days) == 12


def test_a_regular_session() -> None:
    session = calendar.session_on(date(2026, 7, 8))
    assert session is not None
    assert session.open == datetime(2026, 7, 8, 9, 30, tzinfo=NEW_YORK)
    assert session.close == datetime(2026, 7, 8, 20, 0, tzinfo=UTC)
    assert session.pre_open.time() == time(4, 0)
    assert session.post_close.time() == time(20, 0)
    assert not session.early


def test_an_early_close_also_shortens_the_post_market() -> None:
    session = calendar.session_on(date(2026, 11, 27))
    assert session is not None
    assert (session.early, session.close.time(), session.post_close.time()) == (True, time(13), time(17))


@given(DAYS)
def test_next_and_previous_trading_day_are_inverse(day: date) -> None:
    following = calendar.next_trading_day(day)
    assert following > day
    assert calendar.is_trading_day(following)
    if calendar.is_trading_day(day):
        assert calendar.previous_trading_day(following) == day
    assert not any(calendar.trading_days(day + timedelta(days=1), following - timedelta(days=1)))


@given(DAYS, st.integers(-30, 30))
def test_adding_trading_days_counts_them(day: date, count: int) -> None:
    moved = calendar.add_trading_days(day, count)
    if count > 0:
        assert len(calendar.trading_days(day + timedelta(days=1), moved)) == count
    elif count < 0:
        assert len(calendar.trading_days(moved, day - timedelta(days=1))) == -count
    else:
        assert moved == day


@given(MOMENTS)
def test_current_or_next_session_is_the_first_that_is_not_over(moment: datetime) -> None:
    session = calendar.current_or_next_session(moment)
    assert session.close > moment
    before = calendar.session_on(calendar.previous_trading_day(session.date))
    assert before is not None
    assert before.close <= moment
    assert calendar.previous_session(moment) == before


def test_current_session_at_its_edges() -> None:
    close = datetime(2026, 7, 8, 16, 0, tzinfo=NEW_YORK)
    assert calendar.current_or_next_session(close - timedelta(microseconds=1)).date == date(2026, 7, 8)
    assert calendar.current_or_next_session(close).date == date(2026, 7, 9)
    assert calendar.previous_session(close).date == date(2026, 7, 8)
    assert calendar.previous_session(date(2026, 7, 6)).date == date(2026, 7, 2)


def test_trading_days_include_both_ends() -> None:
    days = calendar.trading_days(date(2026, 11, 25), date(2026, 11, 30))
    assert days == [date(2026, 11, 25), date(2026, 11, 27), date(2026, 11, 30)]
