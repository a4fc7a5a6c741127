"""The one place that reads the time, so that a test or a demo can freeze it."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")
"""The market's zone: every date of the broker is a date there."""

Clock = Callable[[], datetime]
"""A clock answers the present moment as an aware datetime."""


def system_clock() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)


def frozen_clock(moment: datetime) -> Clock:
    """A clock that always answers ``moment``.

    Raises:
        ValueError: ``moment`` carries no zone.
    """
    if moment.tzinfo is None:
        raise ValueError("a clock needs a moment with a zone")
    return lambda: moment


def market_date(moment: datetime) -> date:
    """The New York date of a moment."""
    return moment.astimezone(NEW_YORK).date()
