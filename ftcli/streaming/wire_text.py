"""Wire text to JSON text, exactly and at the price of one look-up.

The broker sends numbers as text. A number's digits are valid JSON as they stand, so a quote is written by
copying them: nothing is parsed, rounded or formatted on the way. Each table below is a dict that works out a
text it has not met and remembers the answer; an empty answer means "not known" (``null``).
"""

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal, InvalidOperation

import msgspec

_JSON_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
LIMIT = 50_000
"""Texts a table remembers until it starts over."""
_MAX_DIGITS = 40


class TextTable(dict[str, str]):
    """Wire text → JSON text, filled as texts turn up, emptied when it grows past its limit.

    Args:
        convert: Works out the JSON text; an empty one means null.
    """

    def __init__(self, convert: Callable[[str], str]) -> None:
        super().__init__()
        self.convert = convert

    def __missing__(self, text: str) -> str:
        if len(self) >= LIMIT:
            self.clear()
        found = self[text] = self.convert(text)
        return found


def parse(text: str) -> Decimal | None:
    """The number a wire text stands for; ``None`` for nothing or nonsense, infinities included."""
    if "_" in text:  # a liberty of Python's
        return None
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        return None
    # An exponent can name a number that no JSON reader should have to hold.
    return number if number.is_finite() and abs(number.adjusted()) <= _MAX_DIGITS else None


def plain(number: Decimal) -> str:
    """A decimal as JSON text without exponent and without idle zeroes."""
    text = f"{number:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def _number(text: str) -> str:
    number = parse(text)
    if number is None:
        return ""
    return text if _JSON_NUMBER.fullmatch(text) else f"{number:f}"


def _positive(text: str) -> str:
    number = parse(text)
    return _number(text) if number is not None and number > 0 else ""


def _unsigned(text: str) -> str:
    number = parse(text)
    return _number(text) if number is not None and number >= 0 else ""


def _whole(text: str) -> str:
    number = parse(text)
    if number is None or number != number.to_integral_value():
        return ""
    return str(int(number))


def _size(text: str) -> str:
    if text.isdecimal() and text.isascii() and (text[0] != "0" or text == "0"):
        return text
    whole = _whole(text)
    return "" if whole.startswith("-") else whole


def _date(text: str) -> str:
    try:
        return f'"{date.fromisoformat(text.strip()).isoformat()}"' if len(text.strip()) == 10 else ""
    except ValueError:
        return ""


def _text(text: str) -> str:
    return msgspec.json.encode(text).decode() if text.strip() else ""


NUMBER = TextTable(_number)
"""Any number: changes, percentages, Greeks."""
PRICE = TextTable(_positive)
"""A price where zero and less mean "not known"."""
UNSIGNED = TextTable(_unsigned)
"""A number where less than zero is nonsense and zero is zero."""
SIZE = TextTable(_size)
"""A whole number from zero; a fraction of zeroes is accepted."""
DATE = TextTable(_date)
"""A date ``YYYY-MM-DD``."""
TEXT = TextTable(_text)
"""Text, escaped and quoted."""
