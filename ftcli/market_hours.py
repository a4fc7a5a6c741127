"""The New York Stock Exchange's trading calendar, computed from its rules.

Regular sessions run from 09:30 to 16:00 New York time, to 13:00 on a few early-close days.
Trading before the open (from 04:00) and after the close (for four hours) is extended hours.
No table of dates is needed except for the unscheduled closures of the past.
"""

from datetime import date, datetime, time, timedelta

from msgspec import Struct

from ftcli.clock import NEW_YORK

REGULAR_OPEN = time(9, 30)
REGULAR_CLOSE = time(16, 0)
EARLY_CLOSE = time(13, 0)
PRE_MARKET_OPEN = time(4, 0)
POST_MARKET_LENGTH = timedelta(hours=4)

_ONE_DAY = timedelta(days=1)
_SATURDAY = 5


class Holiday(Struct, frozen=True):
    """A day on which the exchange is closed or closes early.

    Attributes:
        date: The New York date.
        name: The holiday's name; observed holidays end in "Observed".
        early_close: The closing time on an abbreviated day, None when closed all day.
    """

    date: date
    name: str
    early_close: time | None = None


class Session(Struct, frozen=True):
    """One regular trading session; all moments are aware and in New York time.

    Attributes:
        date: The trading day.
        open: The opening bell, 09:30.
        close: The closing bell, 16:00 or 13:00.
        early: Whether the session is abbreviated.
    """

    date: date
    open: datetime
    close: datetime
    early: bool = False

    @property
    def pre_open(self) -> datetime:
        """Start of the pre-market session, 04:00."""
        return datetime.combine(self.date, PRE_MARKET_OPEN, NEW_YORK)

    @property
    def post_close(self) -> datetime:
        """End of the post-market session, four hours after the close."""
        return self.close + POST_MARKET_LENGTH


_MOURNING = "National Day of Mourning"
_UNSCHEDULED: dict[date, str] = {
    date(1985, 9, 27): "Hurricane Gloria",
    date(1994, 4, 27): _MOURNING,
    **{date(2001, 9, day): "Exchange Closed" for day in (11, 12, 13, 14)},
    date(2004, 6, 11): _MOURNING,
    date(2007, 1, 2): _MOURNING,
    date(2012, 10, 29): "Hurricane Sandy",
    date(2012, 10, 30): "Hurricane Sandy",
    date(2018, 12, 5): _MOURNING,
    date(2025, 1, 9): _MOURNING,
}

_EXTRA_EARLY_CLOSES = {
    date(1997, 12, 26): "Day After Christmas",
    date(1999, 12, 31): "New Year's Eve",
    date(2003, 12, 26): "Day After Christmas",
}

_closed: dict[int, dict[date, str]] = {}
_early: dict[int, dict[date, str]] = {}
_sessions: dict[date, Session | None] = {}


def easter(year: int) -> date:
    """Easter Sunday of a year in the Gregorian calendar (the anonymous computus)."""
    golden = year % 19
    century, rest = divmod(year, 100)
    leap_century, century_rest = divmod(century, 4)
    correction = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * golden + century - leap_century - correction + 15) % 30
    quarter, quarter_rest = divmod(rest, 4)
    weekday = (32 + 2 * century_rest + 2 * quarter - epact - quarter_rest) % 7
    shift = (golden + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * shift + 114, 31)
    return date(year, month, day + 1)


def _nth_weekday(year: int, month: int, weekday: int, nth: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (nth - 1))


def _last_monday_of_may(year: int) -> date:
    last = date(year, 5, 31)
    return last - timedelta(days=last.weekday())


def _observed(day: date, name: str) -> tuple[date, str]:
    """A Saturday holiday moves to Friday, a Sunday holiday to Monday."""
    shift = {_SATURDAY: -1, _SATURDAY + 1: 1}.get(day.weekday(), 0)
    return (day + timedelta(days=shift), f"{name} Observed") if shift else (day, name)


def _closed_days(year: int) -> dict[date, str]:
    """All days of a year, weekends apart, on which there is no session."""
    known = _closed.get(year)
    if known is not None:
        return known
    days: dict[date, str] = {}
    new_year = date(year, 1, 1)
    if new_year.weekday() != _SATURDAY:  # a Saturday New Year is not moved into the old year
        days.update([_observed(new_year, "New Year's Day")])
    if year >= 1998:
        days[_nth_weekday(year, 1, 0, 3)] = "Martin Luther King Jr. Day"
    days[_nth_weekday(year, 2, 0, 3)] = "Presidents' Day"
    days[easter(year) - timedelta(days=2)] = "Good Friday"
    days[_last_monday_of_may(year)] = "Memorial Day"
    if year >= 2022:
        days.update([_observed(date(year, 6, 19), "Juneteenth")])
    days.update([_observed(date(year, 7, 4), "Independence Day")])
    days[_nth_weekday(year, 9, 0, 1)] = "Labor Day"
    days[_nth_weekday(year, 11, 3, 4)] = "Thanksgiving Day"
    days.update([_observed(date(year, 12, 25), "Christmas Day")])
    days.update((day, name) for day, name in _UNSCHEDULED.items() if day.year == year)
    _closed[year] = days
    return days


def _independence_early_close(year: int) -> date | None:
    """The abbreviated day beside the Fourth of July, if there is one that year."""
    weekday = date(year, 7, 4).weekday()
    if weekday == 3 and year < 2013:
        return date(year, 7, 5)
    return date(year, 7, 3) if weekday in (1, 2, 3, 4) else None


def _early_days(year: int) -> dict[date, str]:
    """All abbreviated days of a year (13:00 close)."""
    known = _early.get(year)
    if known is not None:
        return known
    days: dict[date, str] = {}
    beside_fourth = _independence_early_close(year)
    if beside_fourth is not None:
        days[beside_fourth] = "Independence Day Early Close"
    days[_nth_weekday(year, 11, 3, 4) + _ONE_DAY] = "Day After Thanksgiving"
    eve = date(year, 12, 24)
    if eve.weekday() < 4:  # on a Friday the day off for a Saturday Christmas takes its place
        days[eve] = "Christmas Eve"
    days.update((day, name) for day, name in _EXTRA_EARLY_CLOSES.items() if day.year == year)
    _early[year] = days
    return days


def holidays(year: int) -> list[Holiday]:
    """The year's closed and early-close days, in order of date.

    Args:
        year: A calendar year; the rules are right from about 1985 on.

    Source: the exchange's published holiday rules; shape as in protocol 03 §14.
    """
    closed = [Holiday(day, name) for day, name in _closed_days(year).items()]
    early = [Holiday(day, name, EARLY_CLOSE) for day, name in _early_days(year).items()]
    return sorted(closed + early, key=lambda holiday: holiday.date)


def is_trading_day(day: date) -> bool:
    """Whether the exchange holds a session on a date."""
    return day.weekday() < _SATURDAY and day not in _closed_days(day.year)


def is_early_close(day: date) -> bool:
    """Whether the session of a date ends at 13:00."""
    return day in _early_days(day.year) and is_trading_day(day)


def session_on(day: date) -> Session | None:
    """The regular session of a date, None when the exchange is closed."""
    try:
        return _sessions[day]
    except KeyError:
        pass
    session: Session | None = None
    if is_trading_day(day):
        early = is_early_close(day)
        session = Session(
            date=day,
            open=datetime.combine(day, REGULAR_OPEN, NEW_YORK),
            close=datetime.combine(day, EARLY_CLOSE if early else REGULAR_CLOSE, NEW_YORK),
            early=early,
        )
    if len(_sessions) > 20_000:
        _sessions.clear()
    _sessions[day] = session
    return session


def is_open(moment: datetime) -> bool:
    """Whether the exchange is in its regular session at a moment.

    Args:
        moment: An aware datetime, in any zone.
    """
    session = session_on(moment.astimezone(NEW_YORK).date())
    return session is not None and session.open <= moment < session.close
