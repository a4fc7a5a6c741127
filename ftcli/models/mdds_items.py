"""Stream objects back to items of the MDDS wire: how a simulator of the stream speaks (protocol 05 §2.9).

An item is one object inside ``Data``: field id → text. A snapshot item gets ``"0": "success"`` in front.
"""

from ftcli.models.field import write
from ftcli.models.mdds import GREEK_IDS, book_id
from ftcli.models.streaming import Bar, Book, Quote, Trade

Item = dict[str, str]


def quote_item(quote: Quote) -> Item:
    """A quote as the plain item of its symbol; Greeks stand in :func:`greeks_item`."""
    item: Item = write(quote)
    return item


def greeks_item(quote: Quote) -> Item:
    """The ``.GK`` item of an option: contract data and Greeks, no price."""
    kept = {"1", "120", "128", "169", "182", "184", "185", "197", "199", "302"}
    item = {key: text for key, text in quote_item(quote).items() if key in kept}
    item["6"] = f"{quote.symbol}.GK"
    if quote.greeks is not None:
        item.update({key: text for key, text in write(quote.greeks).items() if key in GREEK_IDS})
    return item


def book_item(book: Book) -> Item:
    """A book as its ``.VB`` item; prices with four decimals, as the broker pads them."""
    item: Item = {"6": f"{book.symbol}.VB"}
    for side, levels in (("bid", book.bids), ("ask", book.asks)):
        for level in levels:
            texts = (
                ("price", f"{level.price:.4f}"),
                ("exchange", level.exchange),
                ("size", None if level.size is None else str(level.size)),
                ("time", level.time),
            )
            item.update({book_id(side, name, level.slot): text for name, text in texts if text is not None})
    return item


def bar_item(bar: Bar) -> Item:
    """A bar as its item."""
    item: Item = write(bar)
    return item


def trade_item(trade: Trade) -> Item:
    """A print as the delta that carries it."""
    regular = trade.session == "regular"
    ids = ("29", "28", "316", "882") if regular else ("1162", "1165", "1164", "1176")
    price = None if trade.price is None else f"{trade.price:f}"
    size = None if trade.size is None else str(trade.size)
    item = {"6": trade.symbol}
    values = zip(ids, (price, size, trade.time, trade.exchange), strict=True)
    item.update({key: text for key, text in values if text is not None})
    if regular and trade.cum_volume is not None:
        item["33"] = str(trade.cum_volume)
    if trade.conditions is not None:
        item["45"] = trade.conditions
    return item


def delta_item(before: Item, after: Item) -> Item:
    """The change from one item to the next: the ids whose text is new, ``""`` for an id that is gone."""
    changed = {key: text for key, text in after.items() if before.get(key) != text}
    changed.update({key: "" for key in before if key not in after})
    changed["6"] = after["6"]
    return changed
