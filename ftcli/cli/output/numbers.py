"""Values as people read them. Exact throughout: no value passes through a float."""

from datetime import date, datetime, time
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

from ftcli.clock import NEW_YORK
from ftcli.models.field import PER_SHARE, PERCENT, USD

NOTHING = "-"
"""Shown for what is not known."""

_PLENTY = Context(prec=200, rounding=ROUND_HALF_UP)
_CENTS = {USD: 2, PERCENT: 2}


def number_text(value: Decimal | int, unit: str = "", *, signed: bool = False) -> str:
    """A number with thousands separators.

    Money and percentages have two decimals. Prices have two to four (to six below one), as many as they need.
    Everything else, quantities above all, is shown as it is: 0.5 is 0.5.

    Args:
        value: The number.
        unit: Its unit, as the field declares it.
        signed: Whether a gain shows its plus.
    """
    number = Decimal(value)
    if unit in _CENTS:
        number = rounded(number, _CENTS[unit])
    elif unit == PER_SHARE:
        number = _price(number)
    else:
        number = _bare(number)
    if number.is_zero():
        number = abs(number)  # what rounds to nothing has no sign
    text = f"{number:,f}"
    return f"+{text}" if signed and number > 0 else text


def rounded(number: Decimal, places: int) -> Decimal:
    """Rounded half up, as money is."""
    return number.quantize(Decimal(1).scaleb(-places), context=_PLENTY)


def _bare(number: Decimal) -> Decimal:
    """Without trailing zeroes and without an exponent."""
    bare = number.normalize(_PLENTY)
    exponent = bare.as_tuple().exponent
    return bare.quantize(Decimal(1), context=_PLENTY) if isinstance(exponent, int) and exponent > 0 else bare


def _price(number: Decimal) -> Decimal:
    most = 6 if abs(number) < 1 else 4
    price = _bare(rounded(number, most))
    exponent = price.as_tuple().exponent
    return rounded(price, 2) if isinstance(exponent, int) and exponent > -2 else price


def plain(value: Decimal) -> str:
    """A decimal exactly as it is, without an exponent: for CSV and for questions."""
    return f"{value:f}"


def moment_text(moment: datetime) -> str:
    """A moment in New York time, to the second."""
    return f"{moment.astimezone(NEW_YORK):%Y-%m-%d %H:%M:%S}"


def is_midnight(moment: datetime) -> bool:
    """Whether a moment stands for a whole New York day."""
    return moment.astimezone(NEW_YORK).time() == time()


def value_text(value: Any, unit: str = "", *, signed: bool = False) -> str:
    """Any single value of a document as text for people."""
    if value is None or value == "":
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal | int):
        return number_text(value, unit, signed=signed)
    if isinstance(value, datetime):
        return moment_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return ", ".join(value_text(part, unit) for part in value) or NOTHING
    return str(value)
