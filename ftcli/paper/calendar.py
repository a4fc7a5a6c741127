"""The trading calendar as the paper broker uses it: days counted in trading days, sessions before and after.

The rules of the exchange themselves are in :mod:`ftcli.market_hours`.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from ftcli.clock import NEW_YORK
from ftcli.market_hours import (
    EARLY_CLOSE,
    POST_MARKET_LENGTH,
    PRE_MARKET_OPEN,
    REGULAR_CLOSE,
    REGULAR_OPEN,
    Holiday,
    Session,
    easter,
    holidays,
    is_early_close,
    is_open,
    is_trading_day,
    session_on,
)

__all__ = [
    "EARLY_CLOSE",
    "POST_MARKET_LENGTH",
    "PRE_MARKET_OPEN",
    "REGULAR_CLOSE",
    "REGULAR_OPEN",
    "Holiday",
    "Session",
    "add_trading_days",
    "current_or_next_session",
    "easter",
    "holidays",
    "is_early_close",
    "is_open",
    "is_trading_day",
    "next_trading_day",
    "previous_session",
    "previous_trading_day",
    "session_on",
    "trading_days",
]

_ONE_DAY = timedelta(days=1)


def next_trading_day(day: date) -> date:
    """The first trading day after a date."""
    day += _ONE_DAY
    while not is_trading_day(day):
        day += _ONE_DAY
    return day


def previous_trading_day(day: date) -> date:
    """The last trading day before a date."""
    day -= _ONE_DAY
    while not is_trading_day(day):
        day -= _ONE_DAY
    return day


def add_trading_days(day: date, count: int) -> date:
    """The trading day ``count`` trading days after (or, negative, before) a date.

    ``add_trading_days(trade_date, 1)`` is the usual settlement date of a stock trade.
    """
    for _ in range(abs(count)):
        day = next_trading_day(day) if count > 0 else previous_trading_day(day)
    return day


def trading_days(start: date, end: date) -> list[date]:
    """The trading days from ``start`` to ``end``, both included."""
    return list(_iterate(start, end))


def _iterate(start: date, end: date) -> Iterator[date]:
    day = start
    while day <= end:
        if is_trading_day(day):
            yield day
        day += _ONE_DAY


def _session(day: date) -> Session:
    session = session_on(day)
    if session is None:
        raise ValueError(f"{day} is not a trading day")
    return session


def current_or_next_session(moment: datetime) -> Session:
    """The session in progress, or else the next one: the first that closes after ``moment``.

    Args:
        moment: An aware datetime, in any zone.
    """
    day = moment.astimezone(NEW_YORK).date()
    session = session_on(day)
    if session is not None and session.close > moment:
        return session
    return _session(next_trading_day(day))


def previous_session(moment_or_day: datetime | date) -> Session:
    """The latest session that is over.

    Args:
        moment_or_day: With an aware datetime, the last session that closed at or before it;
            with a date, the last session before that date.
    """
    if not isinstance(moment_or_day, datetime):
        return _session(previous_trading_day(moment_or_day))
    day = moment_or_day.astimezone(NEW_YORK).date()
    session = session_on(day)
    if session is not None and session.close <= moment_or_day:
        return session
    return _session(previous_trading_day(day))
