"""Parameters that many operations share, each described once, and the rules they are checked by."""

import re
from datetime import date, datetime, timedelta
from typing import Annotated

from ftcli.clock import market_date
from ftcli.errors import ValidationFailed
from ftcli.models.values import read_date
from ftcli.operations.operation import Param

Acct = Annotated[
    str,
    Param("Account number.", cli=("--account", "-a"), complete="accounts", example="Z20000025"),
]
AcctIds = Annotated[
    list[str] | None,
    Param(
        "Account numbers; all brokerage accounts of the login where left out.",
        cli=("--account", "-a"),
        complete="accounts",
        example=["Z20000025"],
    ),
]
Symbol = Annotated[
    str, Param("Symbol, such as AAPL or .SPX.", argument=True, complete="symbols", example="AAPL")
]
Symbols = Annotated[
    list[str],
    Param("Symbols, such as AAPL TSLA.", argument=True, complete="symbols", example=["AAPL", "TSLA"]),
]
OrderId = Annotated[
    str,
    Param("Confirmation number of the order.", argument=True, complete="orders", example="2DI0KXQ4"),
]
OrderAccount = Annotated[
    str | None,
    Param(
        "Account of the order; found by itself where left out.", cli=("--account", "-a"), complete="accounts"
    ),
]

_SYMBOL = re.compile(r"[.\-]?[A-Z0-9][A-Z0-9./ \-]{0,24}")
_ACCOUNT = re.compile(r"[A-Z0-9]{4,12}")


def clean_symbol(value: str, field: str = "symbol") -> str:
    """A symbol in the broker's spelling: trimmed, upper case.

    Raises:
        ValidationFailed: It cannot be a symbol.
    """
    symbol = value.strip().upper()
    if not _SYMBOL.fullmatch(symbol):
        raise ValidationFailed.of(field, value, "be a symbol such as AAPL, BRK.B, .SPX or -AAPL270115C150")
    return symbol


def clean_symbols(values: list[str], field: str = "symbols", limit: int = 100) -> list[str]:
    """Symbols in the broker's spelling, each once, in the order given.

    Raises:
        ValidationFailed: There is none, there are more than ``limit``, or one cannot be a symbol.
    """
    symbols = list(dict.fromkeys(clean_symbol(value, field) for value in values if value.strip()))
    if not symbols:
        raise ValidationFailed.of(field, None, "name at least one symbol")
    if len(symbols) > limit:
        raise ValidationFailed.of(field, len(symbols), f"name at most {limit} symbols")
    return symbols


def clean_account(value: str, field: str = "account") -> str:
    """An account number, trimmed, upper case.

    Raises:
        ValidationFailed: It cannot be one.
    """
    account = value.strip().upper()
    if not _ACCOUNT.fullmatch(account):
        raise ValidationFailed.of(field, value, "be an account number such as Z20000025")
    return account


_EARLIEST = date(1900, 1, 1)
_WORD = re.compile(r"([0-9]{1,9})\s*([dwmy])")


def clean_day(value: str, now: datetime, field: str) -> date:
    """A date from an ISO date or a word, in New York.

    Args:
        value: ``2026-01-31``, ``today``, ``yesterday``, ``ytd``, ``mtd``, or a span back such as ``30d``, ``6w``,
            ``3m``, ``1y``.
        now: The present moment.
        field: Name of the parameter, for the error.

    Raises:
        ValidationFailed: It is none of these.
    """
    today, word = market_date(now), value.strip().lower()
    if word == "today":
        return today
    if word == "yesterday":
        return today - timedelta(days=1)
    if word == "ytd":
        return today.replace(month=1, day=1)
    if word == "mtd":
        return today.replace(day=1)
    if match := _WORD.fullmatch(word):
        return _back(today, int(match.group(1)), match.group(2))
    day = read_date(word) if "-" in word or "/" in word else None
    if day is None:
        raise ValidationFailed.of(
            field, value, "be a date such as 2026-01-31, or a word such as today, ytd, mtd, 30d, 6w, 3m, 1y"
        )
    return day


def _back(today: date, count: int, unit: str) -> date:
    if unit in "dw":
        days = count * (7 if unit == "w" else 1)
        return max(today - timedelta(days=min(days, (today - _EARLIEST).days)), _EARLIEST)
    months = count * (12 if unit == "y" else 1)
    index = today.year * 12 + today.month - 1 - months
    year, month = divmod(index, 12)
    if year < _EARLIEST.year:
        return _EARLIEST
    day = today.day
    while True:  # the 31st has no counterpart in every month
        try:
            return date(year, month + 1, day)
        except ValueError:
            day -= 1
