"""Snapshot quotes by symbol, with the three ways in which a symbol can fail (protocol 03 §5)."""

from typing import TYPE_CHECKING, Any

from ftcli.errors import BrokerError, NotFound
from ftcli.models.field import read
from ftcli.models.market_data import Quotes, SnapshotQuote, SymbolProblem
from ftcli.models.option_symbol import OptionSymbol
from ftcli.operations.fastquote import fastquote
from ftcli.wire import WireReply

if TYPE_CHECKING:
    from ftcli.operations.operation import Core

MOST_SYMBOLS = 100
"""Symbols in one call: the address stays within two thousand characters even with options."""


async def fetch_quotes(core: "Core", symbols: list[str]) -> tuple[Quotes, WireReply]:
    """The quotes of some symbols, in the order asked for.

    Args:
        core: Sends.
        symbols: Clean symbols, at most :data:`MOST_SYMBOLS`.

    Raises:
        NotFound: The broker knows none of them.
        BrokerError: The answer is no quote document.
    """
    # Class shares travel with a slash on this call only (protocol 03 §0.5).
    query = {
        "productid": "embeddedquotes",
        "symbols": ",".join(_slashed(symbol) for symbol in symbols),
        "market_close": "1",
    }
    reply = await core.send(fastquote("/service/quote/json", query))
    return _quotes(symbols, reply), reply


def _is_option(symbol: str) -> bool:
    return symbol.startswith("-") and OptionSymbol.parse_or_none(symbol) is not None


def _slashed(symbol: str) -> str:
    """``BRK.B`` as ``BRK/B``; indices keep their leading dot, options the point in their strike."""
    return symbol if _is_option(symbol) else symbol[0] + symbol[1:].replace(".", "/")


def _plain(symbol: str) -> str:
    """A symbol without the signs in which its spellings differ (protocol 03 §5, quirks)."""
    if _is_option(symbol):
        return symbol.upper()
    return symbol[0] + "".join(sign for sign in symbol[1:].upper() if sign.isalnum())


def _quotes(wanted: list[str], reply: WireReply) -> Quotes:
    document: dict[str, Any] = reply.document if isinstance(reply.document, dict) else {}
    entries = document.get("QUOTES")
    if not isinstance(entries, dict):
        entries = {}
    by_name = {_plain(str(key)): entry for key, entry in entries.items() if key}
    answer = read(Quotes, document)
    for symbol in wanted:
        entry = by_name.get(_plain(symbol))
        quote = read(SnapshotQuote, entry)
        if isinstance(entry, dict) and quote.error_code in (None, "0"):
            quote.symbol = symbol
            answer.quotes.append(quote)
        else:
            text = entry.get("ERROR_TEXT") if isinstance(entry, dict) else None
            answer.problems.append(SymbolProblem(symbol=symbol, reason=str(text or "no quote")))
    if not answer.quotes:
        if not entries and "STATUS" not in document:
            raise BrokerError(
                "The broker's answer is not a quote document.", details={"status": reply.status}
            )
        raise NotFound(
            f"The broker has no quote for {', '.join(wanted)}.",
            details={"symbols": wanted, "problems": [problem.reason for problem in answer.problems]},
        )
    return answer
