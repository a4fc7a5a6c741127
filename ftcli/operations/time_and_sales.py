"""Time and sales. Nobody has recorded its wire names, so rows are told by what they hold (protocol 03 §4)."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from ftcli.models.field import as_list
from ftcli.models.market_data import Print, TimeAndSales
from ftcli.models.values import read_bool, read_datetime, read_decimal, read_int, read_text
from ftcli.operations.fastquote import check_base, fastquote, tree_of
from ftcli.wire import WireReply

if TYPE_CHECKING:
    from ftcli.operations.operation import Core

PATH = "/service/timeandsales/v2"
_ALIASES = {
    "time": ("dt", "t", "lt", "time", "trade_time"),
    "price": ("p", "price", "lp", "last", "last_price", "trade_price"),
    "size": ("sz", "size", "s", "v", "volume", "trade_size"),
    "exchange": ("ex", "ec", "exch", "exchange", "mic"),
    "condition": ("tc", "c", "cond", "condition", "conditions"),
    "bid": ("b", "bid"),
    "ask": ("a", "ask"),
    "sequence": ("sq", "seq", "id"),
    "irregular": ("ir", "irregular"),
}
"""Names a member may have on the wire, best first, any case."""
_READERS: dict[str, Any] = {
    "time": read_datetime,
    "price": read_decimal,
    "size": read_int,
    "exchange": read_text,
    "condition": read_text,
    "bid": read_decimal,
    "ask": read_decimal,
    "sequence": read_int,
    "irregular": read_bool,
}


async def fetch_trades(
    core: "Core", symbol: str, between: tuple[datetime, datetime] | None, count: int, *, extended: bool
) -> tuple[TimeAndSales, WireReply]:
    """The trades of a symbol.

    Args:
        core: Sends.
        symbol: The symbol, as `fastquote` spells it.
        between: First and last moment; ``None`` for the current session.
        count: How many at most, the newest; 0 for all.
        extended: Whether to ask for extended hours too.

    Raises:
        NotFound: The broker knows no such symbol.
    """
    query = {"productid": "atn", "symbols": symbol, "quoteType": "R"}
    if between is not None:
        query["startDate"], query["endDate"] = (f"{moment:%Y/%m/%d-%H:%M:%S}" for moment in between)
    query["extendedHours"] = "Y" if extended else "N"
    if count:
        query["count"] = str(count + 1)  # one more than wanted tells whether there are more
    reply = await core.send(fastquote(PATH, query, accept="application/xml, text/xml;q=0.9, */*;q=0.8"))
    tree = tree_of(reply, "TIMEANDSALES")
    check_base(tree.get("BASE"), symbol, "time and sales")
    trades = prints_of(tree)
    if between is not None:
        first, last = between
        trades = [trade for trade in trades if trade.time is None or first <= trade.time <= last]
    shown = trades[-count:] if count else trades
    return TimeAndSales(symbol=symbol, trades=shown, truncated=len(shown) < len(trades)), reply


def prints_of(tree: Any) -> list[Print]:
    """Every trade in a document, oldest first: whatever carries something like a time and like a price."""
    found = [_print(row) for row in _rows(tree)]
    if all(trade.time is not None for trade in found):
        found.sort(key=lambda trade: (trade.time, trade.sequence or 0))
    return found


def _rows(tree: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if isinstance(tree, dict):
        for value in tree.values():
            for entry in as_list(value):
                if isinstance(entry, dict):
                    found += [entry] if _is_row(entry) else _rows(entry)
    return found


def _is_row(entry: dict[str, Any]) -> bool:
    names = {key.lower() for key in entry}
    timed = names.intersection(_ALIASES["time"])
    return bool(timed and names.intersection(_ALIASES["price"]))


def _print(row: dict[str, Any]) -> Print:
    """A row by its aliases; what has none, or does not read, stays as it came."""
    rest = {key.lower(): (key, value) for key, value in row.items()}
    values: dict[str, Any] = {}
    if "date" in rest and "time" in rest:
        moment = read_datetime(f"{read_text(rest['date'][1])}-{read_text(rest['time'][1])}")
        if moment is not None:
            values["time"] = moment
            del rest["date"], rest["time"]
    for name, aliases in _ALIASES.items():
        for alias in aliases:
            if name not in values and alias in rest:
                value = _READERS[name](rest[alias][1])
                if value is not None:
                    values[name] = value
                    del rest[alias]
    other = {key: text for key, value in rest.values() if (text := read_text(value)) is not None}
    return Print(**values, other=other)
