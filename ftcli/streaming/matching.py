"""Which kind an item is and which symbol it belongs to (protocol 05 §2.13). Decided by the item itself."""

from collections.abc import Callable, Container

from ftcli.models.mdds import BAR_IDS, BOOK_IDS
from ftcli.models.streaming import Kind
from ftcli.streaming.symbols import BOOK_SUFFIX, GREEKS_SUFFIX, split_suffix

Item = dict[str, str]


def item_kind(item: Item, suffix: str, otherwise: Kind) -> Kind:
    """What an item is by its own content.

    Args:
        item: The item.
        suffix: Suffix of its id 6.
        otherwise: What it is where it says nothing: the kind of the connection it came on.
    """
    if suffix == BOOK_SUFFIX or not BOOK_IDS.isdisjoint(item):
        return "book"
    if not BAR_IDS.isdisjoint(item):
        return "bar"
    return "quote" if suffix == GREEKS_SUFFIX else otherwise


def candidates(item: Item) -> list[str]:
    """The texts of an item that may name its symbol, in the order to try them, suffixes stripped."""
    found = [split_suffix(text)[0] for key in ("6", "289", "11", "10") if (text := item.get(key))]
    return list(dict.fromkeys(found))


def match_symbol(
    item: Item, known: Container[str], kind: Kind, is_index: Callable[[str], bool]
) -> str | None:
    """The subscribed symbol an item is about, or ``None``.

    Args:
        item: The item.
        known: The symbols to choose from.
        kind: The kind of the connection; a bar's symbol may carry an unknown suffix.
        is_index: Whether a symbol is known as an index, for items that do not say so.
    """
    for symbol in candidates(item):
        if symbol in known:
            return symbol
        dotted = f".{symbol}"
        if dotted in known and (item.get("128") == "IX" or is_index(dotted)):
            return dotted
        stem = symbol.rpartition(".")[0]
        if kind == "bar" and stem and stem in known:
            return stem
    return None
