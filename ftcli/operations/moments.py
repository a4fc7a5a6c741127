"""Moments as people give them: a day, a time of day, both, or a word; New York time unless they say so."""

import re
from datetime import date, datetime, time

from ftcli.clock import NEW_YORK
from ftcli.errors import ValidationFailed
from ftcli.models.values import read_datetime
from ftcli.operations.params import clean_day

_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?")
_MOMENT = re.compile(r"(\d{4}-\d\d?-\d\d?|\d\d?/\d\d?/\d{4}|\d{4}/\d\d?/\d\d?)[-T ]+(.+)")


def midnight(day: date) -> datetime:
    """The start of a day in New York."""
    return datetime.combine(day, time(), NEW_YORK)


def clean_moment(value: str, now: datetime, field: str) -> datetime:
    """A moment in New York time.

    Args:
        value: ``2026-07-08T10:30``, ``2026-07-08 10:30:00``, ``10:30`` (today), ``now``; a day such as
            ``2026-07-08``, ``today``, ``30d`` means its midnight.
        now: The present moment.
        field: Name of the parameter, for the error.

    Raises:
        ValidationFailed: It is none of these.
    """
    word = value.strip()
    if word.lower() == "now":
        return now.astimezone(NEW_YORK).replace(microsecond=0)
    if match := _TIME.fullmatch(word):
        return datetime.combine(now.astimezone(NEW_YORK).date(), _time_of(match), NEW_YORK)
    if match := _MOMENT.fullmatch(word):
        day, rest = match.groups()
        found = _TIME.fullmatch(rest)
        moment = (
            datetime.combine(clean_day(day, now, field), _time_of(found), NEW_YORK)
            if found
            else read_datetime(f"{day}T{rest}")
        )
        if moment is None:
            raise ValidationFailed.of(field, value, "be a moment such as 2026-01-31T10:30")
        return moment.astimezone(NEW_YORK)
    return midnight(clean_day(word, now, field))


def _time_of(match: re.Match[str]) -> time:
    hour, minute, second = match.groups()
    return time(int(hour), int(minute), int(second or 0))
