"""Symbols as limits compare them: by what they name, however they are spelled."""

import re
import unicodedata

from ftcli.models.option_symbol import OptionSymbol, underlying_of

_RULE = re.compile(r"[.$^]?[A-Z0-9]+(?:[./-][A-Z0-9]+)*")


def is_symbol(word: str) -> bool:
    """Whether a word of a rule, in upper case, is one symbol: ``BRK.B``, ``^SPX``, an option."""
    return bool(_RULE.fullmatch(word)) or OptionSymbol.parse_or_none(word) is not None


def one_spelling(symbol: str) -> str:
    """The one spelling of a symbol: of ``BRK.B``, ``BRK/B`` and ``brk b`` it is ``BRKB``, of ``^SPX`` it is ``SPX``."""
    contract = OptionSymbol.parse_or_none(symbol)
    return contract.compact if contract else _bare(symbol)


def names_of(symbol: str) -> frozenset[str]:
    """Every name, in its one spelling, that a rule may give to what is traded.

    An option has its own, its root and its underlying: ``SPXW`` counts as ``SPX`` too, and the root of an adjusted
    contract, ``AAPL1``, as ``AAPL``. A root that no index is known by is its own underlying.
    """
    contract = OptionSymbol.parse_or_none(symbol)
    if contract is None:
        return frozenset([_bare(symbol)])
    root = contract.root
    unadjusted = root.rstrip("0123456789")
    return frozenset([contract.compact, root, unadjusted, _bare(underlying_of(unadjusted))])


def _bare(symbol: str) -> str:
    """Letters and digits alone. Class shares and indices are written with every sign there is (protocol 00 Q13)."""
    return "".join(sign for sign in unicodedata.normalize("NFKC", symbol).upper() if sign.isalnum())
