"""Symbols as the stream spells them (protocol 05 §2.1, 00 §6.6)."""

import re
from collections.abc import Iterable

from ftcli.errors import ValidationFailed
from ftcli.models.option_symbol import OptionSymbol

GREEKS_SUFFIX = ".GK"
BOOK_SUFFIX = ".VB"

_OPTION = re.compile(r"-[A-Z0-9.]{1,6}\d{6}[CP]\d+(?:\.\d+)?")
_COMPACT = re.compile(r"([A-Z][A-Z0-9.]{0,5}?)(\d{6})([CP])(\d+(?:\.\d+)?)")
_PADDED = re.compile(r"([A-Z][A-Z0-9.]{0,5}) *(\d{6})([CP])(\d{8})")
_SYMBOL = re.compile(r"[-.]?[A-Z0-9][A-Z0-9./&$^ -]{0,31}")


def split_suffix(text: str) -> tuple[str, str]:
    """A stream symbol without its ``.GK`` or ``.VB``, and that suffix or an empty text.

    The suffix is dropped once and only in upper case: ``KO.VB`` → ``("KO", ".VB")``, ``.SPX`` stays.
    """
    suffix = text[-3:]
    if suffix in (GREEKS_SUFFIX, BOOK_SUFFIX):
        return text[:-3], suffix
    return text, ""


def is_option(symbol: str) -> bool:
    """Whether a stream symbol names an option contract (``-KO270219C70``)."""
    return symbol.startswith("-") and _OPTION.fullmatch(symbol) is not None


def stream_symbol(text: str) -> str:
    """A user's symbol as the stream spells it: upper case; options with a dash and a bare strike.

    Options are understood in the stream's form (``-KO270219C70``), the order form (``KO270219C70``), the
    padded form of 21 characters (``KO    270219C00070000``) and people's (``KO 2027-02-19 70 C``).

    Raises:
        ValidationFailed: The text cannot be a symbol.
    """
    symbol = text.strip().upper()
    compact = symbol.removeprefix("-")
    padded = _PADDED.fullmatch(compact)
    if padded:
        root, day, right, strike = padded.groups()
        thousandths = int(strike)
        fraction = f".{thousandths % 1000:03d}".rstrip("0").rstrip(".")
        return f"-{root}{day}{right}{thousandths // 1000}{fraction}"
    short = _COMPACT.fullmatch(compact)
    if short:
        root, day, right, strike = short.groups()
        strike = strike.rstrip("0").rstrip(".") if "." in strike else strike
        return f"-{root}{day}{right}{strike}"
    if " " in symbol and (contract := OptionSymbol.parse_or_none(symbol)) is not None:
        return contract.dashed
    if not _SYMBOL.fullmatch(symbol) or "," in symbol:
        raise ValidationFailed.of(
            "symbols", text, "be a symbol, such as KO, .SPX or -KO270219C70 (one with a comma is two)"
        )
    return symbol


def stream_symbols(texts: Iterable[str]) -> list[str]:
    """Users' symbols as the stream spells them, each once, in order; texts may be comma-joined.

    Raises:
        ValidationFailed: One of them cannot be a symbol.
    """
    parts = [part for text in texts for part in text.split(",") if part.strip()]
    return list(dict.fromkeys(stream_symbol(part) for part in parts))
