"""Option symbols: one type for every spelling that people, exchanges and the broker use.

OptionSymbol.parse("AAPL 2027-01-15 150 C").compact     # AAPL270115C150
OptionSymbol.parse("AAPL  270115C00152500").human       # AAPL 2027-01-15 152.5 C
"""

import re
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

import msgspec

from ftcli.errors import ValidationFailed

_BROKER = re.compile(
    r"[-.]?(?P<root>[A-Z][A-Z0-9]{0,5})\s*(?P<day>\d{6})(?P<right>[CP])(?P<strike>\d{1,8}(?:\.\d{1,3})?)"
)
"""Compact, with a leading dash or dot, and the padded form of 21 characters."""
_ROOT = re.compile(r"\.?([A-Z][A-Z0-9]{0,5}(?:[./][A-Z])?)\s+")
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_LARGEST = Decimal(100_000)
_THOUSAND = 1000
_INDICES = {
    "SPX": ".SPX", "SPXW": ".SPX", "XSP": ".XSP", "NDX": ".NDX", "NDXP": ".NDX", "XND": ".XND", "RUT": ".RUT",
    "RUTW": ".RUT", "MRUT": ".MRUT", "VIX": ".VIX", "VIXW": ".VIX", "DJX": ".DJX", "OEX": ".OEX",
    "XEO": ".OEX",
}  # fmt: skip


class OptionSymbol(msgspec.Struct, frozen=True):
    """An option contract, by its four facts.

    Attributes:
        root: Root of the contract, such as ``AAPL``, ``BRKB``, ``SPXW``; adjusted contracts have a digit.
        expiration: Day of expiration.
        right: ``C`` for a call, ``P`` for a put.
        strike: Strike price in dollars per share, to a tenth of a cent.

    Raises:
        ValidationFailed: One of them cannot be.
    """

    root: str
    expiration: date
    right: str
    strike: Decimal

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Z][A-Z0-9]{0,5}", self.root):
            raise ValidationFailed.of("root", self.root, "be one to six capital letters and digits")
        if self.right not in ("C", "P"):
            raise ValidationFailed.of("right", self.right, "be C or P")
        if not 2000 <= self.expiration.year <= 2099:
            raise ValidationFailed.of("expiration", self.expiration, "be a date of this century")
        strike = self.strike
        if not strike.is_finite() or not 0 < strike < _LARGEST or strike * _THOUSAND % 1:
            rule = "be between 0 and 100,000, with three decimals at most"
            raise ValidationFailed.of("strike", strike, rule)

    @classmethod
    def parse(cls, text: str, field: str = "symbol") -> "OptionSymbol":
        """The contract that a text names, in any of these spellings, any case:

        - the broker's: ``AAPL270115C152.5``, with or without a leading dash
        - the exchanges' 21 characters: ``AAPL  270115C00152500``
        - people's: ``AAPL 2027-01-15 152.5 C``, ``AAPL 1/15/27 152.5 call``,
          ``AAPL Jan 15 2027 $152.50 Call``, ``AAPL 15JAN27 152.5 C``, ``AAPL 152.5C 2027-01-15``;
          a day without its year is none of them

        Args:
            text: The text.
            field: Name of the value, for the error.

        Raises:
            ValidationFailed: It names no option.
        """
        found = cls.parse_or_none(text)
        if found is None:
            raise ValidationFailed.of(
                field, text, "be an option such as AAPL270115C150, -AAPL270115C150 or 'AAPL 2027-01-15 150 C'"
            )
        return found

    @classmethod
    def parse_or_none(cls, text: str) -> "OptionSymbol | None":
        """Like :meth:`parse`, but ``None`` for a text that names no option."""
        wanted = text.strip().upper()
        if not wanted.isascii() or len(wanted) > 60:
            return None
        match = _BROKER.fullmatch(wanted)
        parts = _of_broker(match) if match else _of_people(wanted)
        if parts is None:
            return None
        try:
            return cls(*parts)
        except ValidationFailed:
            return None

    @property
    def compact(self) -> str:
        """As orders and analytics spell it: ``AAPL270115C152.5`` (protocol 03 §0.5)."""
        return f"{self.root}{self._day}{self.right}{self._strike}"

    @property
    def dashed(self) -> str:
        """As quotes, chains and streams spell it: ``-AAPL270115C152.5`` (protocol 03 §0.5)."""
        return f"-{self.compact}"

    @property
    def occ(self) -> str:
        """The exchanges' 21 characters: ``AAPL  270115C00152500``."""
        return f"{self.root:<6}{self._day}{self.right}{int(self.strike * _THOUSAND):08d}"

    @property
    def human(self) -> str:
        """As a person would write it: ``AAPL 2027-01-15 152.5 C``."""
        return f"{self.root} {self.expiration.isoformat()} {self._strike} {self.right}"

    @property
    def is_call(self) -> bool:
        """Whether it is a call."""
        return self.right == "C"

    @property
    def underlying(self) -> str:
        """Symbol of the underlying, as far as the root tells: the index of an index root, else the root."""
        return underlying_of(self.root)

    @property
    def _day(self) -> str:
        return f"{self.expiration:%y%m%d}"

    @property
    def _strike(self) -> str:
        text = f"{self.strike:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text

    def __str__(self) -> str:
        return self.human


def underlying_of(root: str) -> str:
    """The index of an index root, ``.SPX`` of ``SPXW``; any other root itself."""
    return _INDICES.get(root, root)


Parts = tuple[str, date, str, Decimal]


def _of_broker(match: re.Match[str]) -> Parts | None:
    day = _date(2000 + int(match["day"][:2]), int(match["day"][2:4]), int(match["day"][4:]))
    strike = Decimal(match["strike"])
    if len(match["strike"]) == 8 and strike % 1 == 0 and "." not in match["strike"]:
        strike /= _THOUSAND  # eight digits without a point count thousandths
    return None if day is None else (match["root"], day, match["right"], strike)


def _of_people(text: str) -> Parts | None:
    """Root, then date and contract in either order."""
    found = _ROOT.match(text)
    if found is None:
        return None
    rest = " ".join(text[found.end() :].replace(",", " ").split())
    dates, contract = _human_patterns()
    for pattern in dates:
        day_first = re.match(pattern + r"\s+(?P<rest>.+)", rest)
        day_last = None if day_first else re.fullmatch(rf"(?P<rest>.+?)\s+{pattern}", rest)
        match = day_first or day_last
        terms = contract.fullmatch(match["rest"]) if match else None
        if match is None or terms is None:
            continue
        day = _day_of(match.groupdict())
        if day is None:
            return None
        right = (terms["right"] or terms["right_first"])[0]
        root = found.group(1).replace(".", "").replace("/", "")
        return root, day, right, Decimal(terms["strike"] or terms["strike_last"])
    return None


@cache
def _human_patterns() -> tuple[tuple[str, ...], re.Pattern[str]]:
    month = rf"(?P<name>{'|'.join(_MONTHS)})[A-Z]*\.?"
    year = r"'?(?P<year>\d{4}|\d\d)"
    dates = (
        r"(?P<year>\d{4})[-/](?P<month>\d\d?)[-/](?P<day>\d\d?)",
        r"(?P<month>\d\d?)/(?P<day>\d\d?)/(?P<year>\d{4}|\d\d)",
        rf"{month} ?(?P<day>\d\d?) {year}",
        rf"(?P<day>\d\d?)[ -]?{month}[ -]?{year}",
        r"(?P<year>\d{4}|\d\d)(?P<month>\d\d)(?P<day>\d\d)",
    )
    number, word = r"\$?(?P<{0}>\d+(?:\.\d+)?|\.\d+)", r"(?P<{0}>CALLS?|PUTS?|C|P)"
    contract = re.compile(
        rf"{number.replace('{0}', 'strike')}\s*{word.replace('{0}', 'right')}"
        rf"|{word.replace('{0}', 'right_first')}\s*{number.replace('{0}', 'strike_last')}"
    )
    return dates, contract


def _day_of(parts: dict[str, Any]) -> date | None:
    year = int(parts["year"])
    month = _MONTHS.index(parts["name"]) + 1 if parts.get("name") else int(parts["month"])
    return _date(year + 2000 if year < 100 else year, month, int(parts["day"]))


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
