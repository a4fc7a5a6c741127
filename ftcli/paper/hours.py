"""When an order may execute and when it ends (protocol 02 §3.5, §18.2, §18.3)."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from ftcli.clock import NEW_YORK
from ftcli.paper import calendar
from ftcli.paper.codes import SessionCode, TimeInForce
from ftcli.paper.instruments import Instrument

EXTENDED_OPEN = time(7, 0)
EXTENDED_PAUSE = time(9, 28)
INSTANT = timedelta(microseconds=1)

Window = tuple[datetime, datetime]


def _day_session(moment: datetime, session: SessionCode) -> calendar.Session:
    """The session whose day order an order entered at ``moment`` is."""
    if session is SessionCode.EXTENDED:
        today = calendar.session_on(moment.astimezone(NEW_YORK).date())
        if today is not None and moment < today.post_close:
            return today
    return calendar.current_or_next_session(moment)


def last_session_close(day: date) -> datetime:
    """Close of the last session on or before a date."""
    session = calendar.session_on(day)
    return session.close if session is not None else calendar.previous_session(day).close


def end_of_validity(
    moment: datetime,
    time_in_force: TimeInForce,
    session: SessionCode,
    gtc_days: int,
    instruments: tuple[Instrument, ...],
) -> datetime:
    """When an order that starts to work at ``moment`` ends by itself.

    Orders for options end with their contracts at the latest.
    """
    if time_in_force in (TimeInForce.IOC, TimeInForce.FOK):
        return moment
    current = _day_session(moment, session)
    if time_in_force is TimeInForce.AT_OPEN:
        ends = next_open(moment)
    elif time_in_force is TimeInForce.GTC:
        ends = last_session_close(moment.astimezone(NEW_YORK).date() + timedelta(days=gtc_days))
    elif session is SessionCode.EXTENDED:
        ends = current.post_close
    else:
        ends = current.close
    for instrument in instruments:
        if instrument.expiration is not None:
            ends = min(ends, last_session_close(instrument.expiration))
    return ends


def next_open(moment: datetime) -> datetime:
    """The first opening bell at or after a moment."""
    session = calendar.current_or_next_session(moment)
    if session.open >= moment:
        return session.open
    later = calendar.session_on(calendar.next_trading_day(session.date))
    assert later is not None
    return later.open


def windows(start: datetime, end: datetime, session: SessionCode, *, always_open: bool) -> Iterator[Window]:
    """The stretches in ``start`` <= t < ``end`` in which an order may execute; ends are not included."""
    if start >= end:
        return
    if always_open:
        yield start, end
        return
    day = start.astimezone(NEW_YORK).date()
    last = end.astimezone(NEW_YORK).date()
    while day <= last:
        found = calendar.session_on(day)
        if found is not None:
            for first, after in _day_windows(found, session):
                lower, upper = max(first, start), min(after, end)
                if lower < upper:
                    yield lower, upper
        day += timedelta(days=1)


def _day_windows(found: calendar.Session, session: SessionCode) -> list[Window]:
    regular = (found.open, found.close)
    if session is SessionCode.STANDARD:
        return [regular]
    return [
        (
            datetime.combine(found.date, EXTENDED_OPEN, NEW_YORK),
            datetime.combine(found.date, EXTENDED_PAUSE, NEW_YORK),
        ),
        regular,
        (found.close, found.post_close),
    ]
