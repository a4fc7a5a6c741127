"""The Level 2 book: 25 slots a side, overwritten in place (protocol 05 §5.2)."""

from decimal import Decimal
from itertools import pairwise
from typing import Final

from ftcli.models.mdds import BOOK_SLOTS, DEPTH, book_id
from ftcli.streaming.counters import Oddities
from ftcli.streaming.state import Item, State
from ftcli.streaming.timing import iso
from ftcli.streaming.wire_text import PRICE, SIZE, TEXT, plain

_BID, _ASK = "bid", "ask"
_IDS: Final = {
    side: [
        tuple(book_id(side, name, slot) for name in ("price", "size", "exchange", "time"))
        for slot in range(DEPTH)
    ]
    for side in (_BID, _ASK)
}


class _Side:
    """One side: ready JSON and price of each slot."""

    __slots__ = ("levels", "prices")

    def __init__(self) -> None:
        self.levels = [""] * DEPTH
        self.prices: list[Decimal | None] = [None] * DEPTH

    def best(self) -> Decimal | None:
        """The price of the first slot that is not empty."""
        return next((price for price in self.prices if price is not None), None)

    def ordered(self, *, falling: bool) -> bool:
        """Whether no price is better than one before it; empty slots are skipped."""
        found = [price for price in self.prices if price is not None]
        return all(one >= two if falling else one <= two for one, two in pairwise(found))


class BookState(State):
    """The book of one symbol. Deltas are merged at once and published once a message.

    Args:
        symbol: Canonical symbol.
        counters: Where oddities are counted.
    """

    kind = "book"
    __slots__ = ("_changed", "_from_snapshot", "_provisional", "_raw", "_sides", "crossed", "inconsistent")

    def __init__(self, symbol: str, counters: Oddities | None = None) -> None:
        super().__init__(symbol, Oddities() if counters is None else counters)
        self.inconsistent = False
        """Whether the prices of a side are out of order."""
        self.crossed = False
        """Whether the best bid stands above the best ask."""
        self._raw: Item = {}
        self._provisional: Item = {}
        self._changed = self._from_snapshot = False
        self._sides = {_BID: _Side(), _ASK: _Side()}

    @property
    def ever(self) -> bool:
        """Whether there was a book once: after a loss it is shown as empty."""
        return self.has_snapshot or self.seq > 0

    def snapshot(self, item: Item, at: float) -> None:
        """The whole book: replaces what was there; deltas that came before it are laid over it."""
        self.at = at
        self._empty()
        self.has_snapshot = self._from_snapshot = True
        self.stale_since = None
        self._apply({**item, **self._provisional})
        self._provisional = {}
        self.announce()

    def delta(self, item: Item, at: float) -> None:
        """A change of some slots. Published by :meth:`announce`, once all items of a message are in."""
        self.at = at
        if self.has_snapshot:
            self._apply(item)
        else:
            self._provisional.update(item)

    def lose(self, at: float) -> None:
        """The connection is gone, and the book with it: old depth must not pass for present depth."""
        shown = self.ever
        super().lose(at)
        self._empty()
        self._provisional = {}
        self._check()
        self._changed = shown

    def suspect(self, at: float) -> None:
        """The connection is silent: marked stale until data flow again."""
        super().suspect(at)
        self._changed = True

    def trust(self) -> None:
        """The silence is over."""
        super().trust()
        self._changed = True

    def _empty(self) -> None:
        self._raw = {}
        self._sides = {_BID: _Side(), _ASK: _Side()}

    def _apply(self, item: Item) -> None:
        self._raw.update(item)
        touched = {place[0::2] for key in item if (place := BOOK_SLOTS.get(key)) is not None}
        for side, slot in touched:
            self._write(side, slot)
        if touched:
            self._check()
        self._changed = True

    def _write(self, side: str, slot: int) -> None:
        """Rebuild one slot. Without a price it is empty, whatever else it holds."""
        raw = self._raw
        price_id, size_id, exchange_id, time_id = _IDS[side][slot]
        text = raw.get(price_id, "")
        price = PRICE[text]
        place = self._sides[side]
        if not price:
            if text.strip("0."):
                self.counters["unreadable_values"] += 1
            place.levels[slot] = ""
            place.prices[slot] = None
            return
        place.prices[slot] = Decimal(price)
        place.levels[slot] = (
            f'{{"price":{price},"size":{SIZE[raw.get(size_id, "")] or "null"}'
            f',"exchange":{TEXT[raw.get(exchange_id, "")] or "null"}'
            f',"time":{TEXT[raw.get(time_id, "")] or "null"},"slot":{slot}}}'
        )

    def _check(self) -> None:
        bids, asks = self._sides[_BID], self._sides[_ASK]
        bid, ask = bids.best(), asks.best()
        self.inconsistent = not (bids.ordered(falling=True) and asks.ordered(falling=False))
        self.crossed = bid is not None and ask is not None and bid > ask
        for side in (bids, asks):
            filled = [slot for slot in range(DEPTH) if side.prices[slot] is not None]
            if filled and filled[-1] + 1 != len(filled):
                self.counters["books_with_holes"] += 1

    def take(self) -> bytes | None:
        """The book as JSON where it has changed, else ``None``."""
        if not self._changed:
            return None
        self._changed = False
        self.seq += 1
        snapshot, self._from_snapshot = self._from_snapshot, False
        return self._json(snapshot)

    def picture(self) -> bytes | None:
        """The present book, marked as a snapshot."""
        return self._json(True) if self.ever else None

    def _json(self, snapshot: bool) -> bytes:
        bids, asks = self._sides[_BID], self._sides[_ASK]
        bid, ask = bids.best(), asks.best()
        spread = mid = "null"
        locked = False
        if bid is not None and ask is not None:
            spread, mid, locked = plain(ask - bid), plain((ask + bid) / 2), ask == bid
        since = self.stale_since
        stale = '"stale":false' if since is None else f'"stale":true,"stale_since":"{iso(since)}"'
        return (
            f'{{"symbol":{TEXT[self.symbol]}'
            f',"bids":[{",".join(filter(None, bids.levels))}],"asks":[{",".join(filter(None, asks.levels))}]'
            f',"best_bid":{_text(bid)},"best_ask":{_text(ask)},"spread":{spread},"mid":{mid}'
            f',"locked":{_flag(locked)},"crossed":{_flag(self.crossed)}'
            f',"inconsistent":{_flag(self.inconsistent)},"snapshot":{_flag(snapshot)},{stale}'
            f',"received_at":"{iso(self.at)}","seq":{self.seq}}}'
        ).encode()

    def wire_items(self) -> list[Item]:
        """The present book as a snapshot item."""
        return [{**self._raw, "6": f"{self.symbol}.VB"}] if self._raw else []


def _flag(value: bool) -> str:
    return "true" if value else "false"


def _text(price: Decimal | None) -> str:
    return "null" if price is None else f"{price:f}"
