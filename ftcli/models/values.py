"""Single values of the broker's documents: read whatever it sends, write what it would.

Reading is tolerant (protocol 00 §6.2, 6.3; 01 §1.5): numbers as numbers or as text, the sentinels
``""``, ``"--"`` and ``"N/A"`` as nothing, dates in any of the broker's forms. What cannot be understood is
nothing, never an error and never a guess. Writing, for the paper broker, is exact: one named form a field.
"""

import enum
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any, Self

from ftcli.clock import NEW_YORK

_NOTHING = frozenset({"", "--", "-", "N/A", "n/a", "NaN", "null"})


class Code(enum.StrEnum):
    """An enumeration with readable values that also accepts the broker's own codes.

    A member is declared as ``BUY = "buy", "B"``: the readable value, then the broker's code. On input
    (:meth:`_missing_`) both are understood and anything else is an error. What the *broker* sends is read by
    :meth:`from_wire`, which keeps an unknown code as it is: the broker may add one any day.
    """

    wire: str

    def __new__(cls, value: str, wire: str = "") -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.wire = wire
        return member

    @classmethod
    def _missing_(cls, value: object) -> Any:
        text = str(value)
        for member in cls:
            if (member.wire and member.wire == text) or member.value == text.lower().replace("-", "_"):
                return member
        return None

    @classmethod
    def from_wire(cls, code: str) -> Self:
        """The member of a broker's code; for an unknown one a member that is no choice, spelt as received."""
        for member in cls:
            if member.wire == code:
                return member
        stranger = str.__new__(cls, code)
        stranger._name_, stranger._value_, stranger.wire = code, code, code
        return stranger

    @property
    def known(self) -> bool:
        """Whether this is a declared member, not a code we have never seen."""
        return self._name_ in type(self).__members__


def read_text(value: Any) -> str | None:
    """Text, trimmed; ``None`` for nothing. Numbers are given as their text."""
    if not isinstance(value, str):
        if value is None or isinstance(value, dict | list):
            return None
        value = str(value).lower() if isinstance(value, bool) else str(value)
    text: str = value.strip()
    return None if text in _NOTHING else text


def read_decimal(value: Any) -> Decimal | None:
    """An exact decimal from a number or a numeric text; ``None`` for nothing or nonsense."""
    if isinstance(value, Decimal):
        return value if value.is_finite() else None
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int):
        return Decimal(value)
    if not isinstance(value, str):
        return None
    text = value.strip().replace(",", "").removeprefix("+").removeprefix("$")
    if text.endswith("%"):
        text = text[:-1]
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def read_int(value: Any) -> int | None:
    """A whole number; a fraction of zeroes is accepted (``"5000.0"``), any other fraction is nothing."""
    number = read_decimal(value)
    return int(number) if number is not None and number == number.to_integral_value() else None


_YES, _NO = frozenset({"true", "y", "yes", "1"}), frozenset({"false", "n", "no", "0"})


def read_bool(value: Any) -> bool | None:
    """A truth value: JSON booleans, ``"true"``, ``"Y"``, ``"1"`` and their opposites."""
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    return True if word in _YES else False if word in _NO else None


def read_datetime(value: Any) -> datetime | None:
    """An aware moment from epoch seconds or milliseconds, or from text; naive text is New York time."""
    number = read_decimal(value)
    if number is not None and abs(number) > 10**8:
        seconds = number / 1000 if abs(number) > 10**11 else number
        try:
            return datetime.fromtimestamp(float(seconds), UTC).astimezone(NEW_YORK)
        except (OverflowError, ValueError, OSError):
            return None
    text = read_text(value)
    if text is None:
        return None
    match = re.fullmatch(r"(\d{4})[/-](\d\d?)[/-](\d\d?)[-T ](\d\d?)[:.](\d\d)[:.](\d\d)(?:\.(\d+))?", text)
    try:
        if match:
            year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
            micro = int((match.group(7) or "0")[:6].ljust(6, "0"))
            return datetime(year, month, day, hour, minute, second, micro, tzinfo=NEW_YORK)
        moment = datetime.fromisoformat(text)
    except ValueError:
        whole_day = read_date(text)  # bars of days and more may come without a time (protocol 03 §3.3)
        return None if whole_day is None else datetime.combine(whole_day, time(), NEW_YORK)
    return moment if moment.tzinfo else moment.replace(tzinfo=NEW_YORK)


def read_date(value: Any) -> date | None:
    """A date from any form of protocol 01 §1.5; epoch values are dates in New York."""
    text = read_text(value)
    if text is None:
        return None
    if text.lstrip("-").isdigit() and len(text.lstrip("-")) in (9, 10, 11, 13):
        moment = read_datetime(int(text))
        return moment.astimezone(NEW_YORK).date() if moment else None
    match = re.match(r"(\d{4})[-/](\d\d?)[-/](\d\d?)(?!\d)", text) or re.fullmatch(
        r"(\d{4})(\d\d)(\d\d)", text
    )
    if match:
        year, month, day = (int(part) for part in match.groups())
    elif match := re.fullmatch(r"(\d\d?)/(\d\d?)/(\d\d|\d{4})", text):
        month, day, year = (int(part) for part in match.groups())
        year += 2000 if year < 100 else 0
    else:
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None


def ny_midnight(day: date) -> int:
    """Epoch seconds of midnight in New York, the broker's form of a date."""
    return int(datetime.combine(day, time(), NEW_YORK).timestamp())


def _number(value: Decimal) -> int | Decimal:
    return value


WRITERS: dict[str, Callable[[Any], Any]] = {
    "number": _number,
    "text": lambda value: f"{value:f}" if isinstance(value, Decimal) else str(value),
    "upper_text": lambda value: (
        "true" if value is True else "false" if value is False else str(value).upper()
    ),
    "epoch": lambda moment: int(moment.timestamp()),
    "epoch_ms": lambda moment: int(moment.timestamp() * 1000),
    "epoch_day": ny_midnight,
    "iso_day": lambda day: day.isoformat(),
    "mdy": lambda day: f"{day:%m/%d/%Y}",
    "mdy_short": lambda day: f"{day:%m/%d/%y}",
    "chart_time": lambda moment: f"{moment.astimezone(NEW_YORK):%Y/%m/%d-%H:%M:%S}",
    "print_time": lambda moment: f"{moment.astimezone(NEW_YORK):%Y/%m/%d-%H:%M:%S.%f}"[:-3],
    "stamp": lambda moment: f"{moment.astimezone(NEW_YORK):%Y-%m-%d %H:%M:%S.%f}"[:-5],
    "y_n": lambda flag: "Y" if flag else "N",
}
"""Named forms of the paper broker's answers."""
