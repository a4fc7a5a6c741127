"""Rounding of money: half up to cents, as the broker rounds (protocol 01 §4.1, 02 §17)."""

from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")
_FOUR_PLACES = Decimal("0.0001")
_HUNDRED = Decimal(100)


def cents(value: Decimal) -> Decimal:
    """Dollars rounded to cents."""
    return value.quantize(CENT, ROUND_HALF_UP)


def four_places(value: Decimal) -> Decimal:
    """An average cost, rounded to four decimals."""
    return value.quantize(_FOUR_PLACES, ROUND_HALF_UP)


def percent(part: Decimal, whole: Decimal) -> Decimal:
    """``part`` in percent of the size of ``whole``, two decimals; 0 when ``whole`` is 0."""
    if not whole:
        return CENT * 0
    return cents(part / abs(whole) * _HUNDRED)


def share(total: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    """The part of a dollar amount that falls to ``part`` out of ``whole``, in cents.

    The whole falls to the whole exactly, so that successive shares add up to the total.
    """
    if part == whole:
        return total
    return cents(total * part / whole)


def plain(value: Decimal) -> str:
    """A quantity or strike as people write it: no exponent, no trailing zeros."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def dollars(value: Decimal) -> str:
    """A price as the broker's texts show it: ``$41.05``, at least two decimals."""
    text = plain(value)
    whole, _, fraction = text.partition(".")
    return f"${whole}.{fraction.ljust(2, '0')}"
