"""Level 1 quotes: merging items and writing the quote's JSON (protocol 05 §2.14, 4).

The quote is kept as ready pieces of JSON, one for each member. An update exchanges only the pieces whose ids
it carries, and the pieces are joined when somebody wants the quote. On arrival a delta is only filed: what
nobody looks at costs next to nothing.
"""

from typing import Literal

import msgspec

from ftcli.models.streaming import Quote
from ftcli.streaming.counters import Oddities
from ftcli.streaming.quote_plan import (
    ASK_SIZE,
    BID_SIZE,
    CONTRACT_IDS,
    EVERYTHING,
    EXCHANGE,
    FIELDS,
    FOREIGN_IDS,
    GREEK_MEMBERS,
    GREEKS,
    LAST,
    NAME,
    PLACES,
    QUALITY,
    SLOT,
    TIME,
    TOP,
    TOPS,
    TYPE,
)
from ftcli.streaming.state import Item, State, Watcher
from ftcli.streaming.symbols import is_option
from ftcli.streaming.timing import iso
from ftcli.streaming.wire_text import DATE, NUMBER, PRICE, TEXT, TextTable, parse

EmptyInDelta = Literal["keep", "clear"]

_FULL_DELTA = 40
_NAMES = "last name last_time last_exchange bid bid_size ask_size delayed greeks"
_S_LAST, _S_NAME, _S_TIME, _S_EXCHANGE, _S_BID, _S_BID_SIZE, _S_ASK_SIZE, _S_DELAYED, _S_GREEKS = (
    SLOT[name] for name in _NAMES.split()
)


class GreeksPort:
    """Where the ``.GK`` items of an option arrive; publishing is done by its quote."""

    __slots__ = ("at", "filed", "has_snapshot", "owner", "publish")

    def __init__(self, owner: "QuoteState") -> None:
        self.owner = owner
        self.filed: Item = {}
        self.publish: Watcher | None = None
        self.at = 0.0
        self.has_snapshot = False

    def snapshot(self, item: Item, at: float) -> None:
        """A full ``.GK`` item arrived."""
        self.owner.greeks_snapshot(item, at)

    def delta(self, item: Item, at: float) -> None:
        """A change of the ``.GK`` item."""
        self.at = at
        self.filed |= self.owner.readable(item)
        if self.publish is not None:
            self.publish(self)


class QuoteState(State):
    """The quote of one symbol, of an option with its Greeks.

    Args:
        symbol: Canonical symbol.
        counters: Where oddities are counted.
        empty_in_delta: Whether an empty value in a delta keeps or clears what is known (protocol 05 §2.14).
    """

    kind = "quote"
    __slots__ = (
        "_changed", "_close_as_last", "_empty_in_delta", "_from_snapshot", "_greeks_raw", "_option", "_parts",
        "_raw", "filed", "greeks", "publish",
    )  # fmt: skip

    def __init__(
        self, symbol: str, counters: Oddities | None = None, *, empty_in_delta: EmptyInDelta = "keep"
    ) -> None:
        super().__init__(symbol, Oddities() if counters is None else counters)
        self.filed: Item = {}
        """What has changed since somebody looked; without empty values."""
        self.publish: Watcher | None = None
        self.greeks = GreeksPort(self)
        self._raw: Item = {}
        self._greeks_raw: Item = {}
        self._option = is_option(symbol)
        self._empty_in_delta = empty_in_delta
        self._close_as_last = ""
        self._from_snapshot = False
        self._changed = False
        self._parts: list[str] = []
        self._rebuild()

    # -- feeding ---------------------------------------------------------------------------------------

    @property
    def ever(self) -> bool:
        """Whether there is anything to show, old or new."""
        return bool(self._raw or self._greeks_raw)

    def watch(self, watcher: Watcher | None) -> None:
        """Announce changes to ``watcher`` from now on; ``None`` to nobody."""
        self.watcher = watcher
        self.publish = watcher if self.has_snapshot else None
        self.greeks.publish = self._publish_greeks if watcher and self.greeks.has_snapshot else None

    def _publish_greeks(self, _: GreeksPort) -> None:
        self.announce()

    def snapshot(self, item: Item, at: float) -> None:
        """The plain item in full: replaces the quote; deltas that came before it are laid over it."""
        self.at = at
        self._raw = {key: text for key, text in item.items() if text and key != "0"}
        self.has_snapshot = True
        self.stale_since = None
        if not self.greeks.has_snapshot:
            # Greeks of before an outage would pass for fresh beside this; what the contract is stays true.
            self._greeks_raw = {key: self._greeks_raw[key] for key in CONTRACT_IDS & self._greeks_raw.keys()}
        close = PRICE[self._raw.get("124", "")]
        self._close_as_last = "" if PRICE[self._raw.get("29", "")] else close
        self._take_snapshot()

    def greeks_snapshot(self, item: Item, at: float) -> None:
        """The ``.GK`` item in full."""
        self.greeks.at = at
        self._greeks_raw = {key: text for key, text in item.items() if text and key not in ("0", "6")}
        self.greeks.has_snapshot = True
        if not self._raw:
            self.at, self.stale_since = at, None
        self._take_snapshot()

    def _take_snapshot(self) -> None:
        self._rebuild()
        self._from_snapshot = self._changed = True
        self.watch(self.watcher)
        self.announce()

    def greeks_lost(self) -> None:
        """The broker has no Greeks for this option: the quote goes on without (protocol 05 §10 #16)."""
        if self._greeks_raw:
            self._greeks_raw = {}
            self._rebuild()
            self._changed = True
            self.announce()

    def delta(self, item: Item, at: float) -> None:
        """A change of the plain item."""
        if not FOREIGN_IDS.isdisjoint(item):
            self.counters["foreign_items"] += 1
            return
        self.at = at
        self.filed |= self.readable(item)
        if self.publish is not None:
            self.publish(self)

    def lose(self, at: float) -> None:
        """The connection is gone: values stay visible, marked stale, until the next snapshot."""
        self.settle()
        self.filed.clear()
        self.greeks.filed.clear()
        self.has_snapshot = self.greeks.has_snapshot = False
        self.publish = self.greeks.publish = None
        self._stale_from(at)
        self._changed = True

    def suspect(self, at: float) -> None:
        """The connection is silent: marked stale until data flow again."""
        self._stale_from(at)
        self._changed = True

    def trust(self) -> None:
        """The silence is over."""
        self.stale_since = None
        self._changed = True

    # -- merging ---------------------------------------------------------------------------------------

    def settle(self) -> None:
        """Lay what is filed over the picture; what comes before the snapshot has to wait for it."""
        filed = self.filed
        if filed and self.has_snapshot:
            if not FOREIGN_IDS.isdisjoint(filed):
                self._expel()
            self._merge(filed)
            filed.clear()
        greeks = self.greeks
        if greeks.filed and greeks.has_snapshot:
            self._merge_greeks(greeks.filed)
            greeks.filed.clear()

    def _expel(self) -> None:
        """Take out what belongs to a book or a bar; the fast path of the connection does not look for it."""
        self.counters["foreign_items"] += 1
        for key in FOREIGN_IDS & self.filed.keys():
            del self.filed[key]

    def readable(self, item: Item) -> Item:
        """The item without the empty values that mean "unchanged"."""
        if len(item) > _FULL_DELTA:
            self.counters["full_deltas"] += 1
        if "" not in item.values():
            return item
        self.counters["empty_values"] += sum(not text for text in item.values())
        if self._empty_in_delta == "clear":
            return item
        return {key: text for key, text in item.items() if text}

    def _merge(self, item: Item) -> None:
        self._raw |= item
        self._changed = True
        self._write(item)
        if self._close_as_last and PRICE[item.get("29", "")]:
            self._close_as_last = ""

    def _merge_greeks(self, item: Item) -> None:
        self._greeks_raw |= item
        self._changed = True
        if CONTRACT_IDS.isdisjoint(item):
            self._write_greeks()
        else:
            self._rebuild()

    # -- writing ---------------------------------------------------------------------------------------

    def _rebuild(self) -> None:
        parts = self._parts = [""] * (len(FIELDS) + 1)
        parts[0] = '{"symbol":' + TEXT[self.symbol]
        contract = {key: self._greeks_raw[key] for key in CONTRACT_IDS & self._greeks_raw.keys()}
        self._write(contract | self._raw)
        self._compose(EVERYTHING)

    def _write(self, item: Item) -> None:
        """Exchange the pieces that depend on the ids of ``item``."""
        parts = self._parts
        composed = 0
        for key, text in item.items():
            place = PLACES.get(key)
            if place is None:
                continue
            slot, pieces, always, empty, values = place
            composed |= always
            if pieces is not None:
                piece = parts[slot] = pieces[text]
                if not piece:
                    composed |= empty
                    self._note(text, values)
        if composed == TOP:
            self._write_top()
        elif composed:
            self._compose(composed)

    def _note(self, text: str, table: TextTable) -> None:
        """Count a text that says nothing although it is not empty; a zero price is no oddity."""
        if text and (table is TEXT or table is DATE or (number := parse(text)) is None or number < 0):
            self.counters["unreadable_values"] += 1

    def _value(self, *ids: str) -> str:
        """The text of the first id that has one; contract data also from the Greeks item."""
        for key in ids:
            text = self._raw.get(key) or (self._greeks_raw.get(key) if key in CONTRACT_IDS else "")
            if text:
                return text
        return ""

    def _compose(self, composed: int) -> None:
        parts = self._parts
        if composed & TYPE:
            self._option = is_option(self.symbol) or self._value("128") == "OP" or bool(self._value("184"))
        if composed & TOP:
            self._write_top()
        if composed & LAST:
            self._write_last()
        if composed & NAME:
            name = TEXT[self._value("1", "120", "80")]
            parts[_S_NAME] = f',"name":{name}' if name else ""
        if composed & TIME:
            text = TEXT[self._value("316", "44")]
            parts[_S_TIME] = f',"last_time":{text}' if text else ""
        if composed & EXCHANGE:
            text = TEXT[self._value("882", "43")]
            parts[_S_EXCHANGE] = f',"last_exchange":{text}' if text else ""
        if composed & QUALITY:
            quality = self._value("169")
            parts[_S_DELAYED] = self._delayed(quality) if quality else ""
        if composed & GREEKS:
            self._write_greeks()

    def _delayed(self, quality: str) -> str:
        """The ``delayed`` member: whatever is not called realtime counts as delayed (protocol 05 §4.5)."""
        if quality not in ("realtime", "delayed"):
            self.counters[f"quality {quality[:20]}"] += 1
        return ',"delayed":false' if quality == "realtime" else ',"delayed":true'

    def _write_top(self) -> None:
        """Bid, ask, their sizes, mid and crossed: one piece, for they move together."""
        find = self._raw.get
        piece, bid_size, ask_size, unreadable = TOPS[self._option][find("20", ""), find("18", "")]
        parts = self._parts
        parts[_S_BID] = piece
        parts[_S_BID_SIZE] = BID_SIZE[find("21", "")] if bid_size else ""
        parts[_S_ASK_SIZE] = ASK_SIZE[find("19", "")] if ask_size else ""
        if unreadable:
            self.counters["unreadable_values"] += unreadable

    def _write_last(self) -> None:
        """The last price, or the close in its stead where the snapshot had no last price."""
        text = self._raw.get("29", "")
        if PRICE[text]:
            self._parts[_S_LAST] = f',"last":{PRICE[text]},"last_source":"last"'
        elif self._close_as_last:
            self._parts[_S_LAST] = f',"last":{self._close_as_last},"last_source":"close"'
        else:
            self._parts[_S_LAST] = ',"last":null'

    def _write_greeks(self) -> None:
        values = [
            name + value
            for key, name in GREEK_MEMBERS
            if (value := NUMBER[self._greeks_raw.get(key) or self._raw.get(key, "")])
        ]
        if values:
            values.append(f'"received_at":"{iso(self.greeks.at or self.at)}"')
        self._parts[_S_GREEKS] = ',"greeks":{' + ",".join(values) + "}" if values else ""

    # -- reading ---------------------------------------------------------------------------------------

    def take(self) -> bytes | None:
        """The next published quote as JSON, or ``None`` where nothing has changed; counts ``seq``."""
        self.settle()
        if not self._changed:
            return None
        self._changed = False
        self.seq += 1
        snapshot, self._from_snapshot = self._from_snapshot, False
        return self._join(snapshot)

    def picture(self) -> bytes:
        """The present quote as JSON, marked as a snapshot: what a late joiner gets."""
        self.settle()
        return self._join(True)

    def _join(self, snapshot: bool) -> bytes:
        since = self.stale_since
        state = '"stale":false' if since is None else f'"stale":true,"stale_since":"{iso(since)}"'
        at = max(self.at, self.greeks.at)
        self._parts[-1] = (
            f',"snapshot":{"true" if snapshot else "false"},{state}'
            f',"received_at":"{iso(at)}","seq":{self.seq}}}'
        )
        return "".join(self._parts).encode()

    def raw(self) -> Item:
        """The broker's values by field id, Greeks included; a copy."""
        self.settle()
        return {**self._greeks_raw, **self._raw}

    def text(self, field_id: str) -> str | None:
        """The broker's text of one field id, or ``None`` where it has none."""
        self.settle()
        return self._raw.get(field_id) or self._greeks_raw.get(field_id)

    def wire_items(self) -> list[Item]:
        """The present picture as snapshot items, to hand it to a new state of the same symbol."""
        self.settle()
        items = [{"6": self.symbol, **self._raw}] if self._raw else []
        return items + ([{"6": f"{self.symbol}.GK", **self._greeks_raw}] if self._greeks_raw else [])


read_quote = msgspec.json.Decoder(Quote).decode
"""The typed quote of a quote's JSON, numbers exact."""
