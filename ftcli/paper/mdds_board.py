"""What the connections of the paper broker's market data look at: made once for each moment, shared by all."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from ftcli.models.mdds import BOOK_SLOTS, FIELDS
from ftcli.models.mdds_items import Item, delta_item
from ftcli.paper.stream_items import depth_items, minute_items, print_items, quote_items

if TYPE_CHECKING:
    from ftcli.paper.desk import Desk
    from ftcli.paper.faults import Faults

KINDS = {"subscribe": "quote", "subscribe_virtualbook": "book", "subscribe_1-minute-bar": "bar"}
"""Command word → what it subscribes to."""

_MINUTE = timedelta(minutes=1)
_INSTANT = timedelta(microseconds=1)
_NOISE = {"1159": "0.01", "1160": "1", "1161": "00:00:01", "1163": "Z"}
"""Ids that an old table takes for a trade of their own: they mean nothing (protocol 05 §5.1)."""
_NUMBERS = frozenset(field.id for field in FIELDS.values() if field.type in ("decimal", "integer"))


class Board:
    """Items and deltas of one moment.

    Args:
        desk: The paper broker.
    """

    def __init__(self, desk: "Desk") -> None:
        self._desk = desk
        self._at: datetime | None = None
        self._items: dict[tuple[str, str, bool], list[Item]] = {}
        self._prints: dict[tuple[str, datetime], list[Item]] = {}
        self._deltas: dict[tuple[int, int], tuple[Item, Item, Item]] = {}

    def _turn_to(self, now: datetime) -> None:
        if now != self._at:
            self._at = now
            self._items.clear()
            self._prints.clear()
            self._deltas.clear()

    def items(self, word: str, symbol: str, greeks: bool, now: datetime) -> list[Item]:
        """The items of a symbol at a moment; none where there is nothing of this kind."""
        self._turn_to(now)
        key = (word, symbol, greeks)
        found = self._items.get(key)
        if found is None:
            found = self._items[key] = self._make(KINDS[word], symbol, greeks, now)
        return found

    def _make(self, kind: str, symbol: str, greeks: bool, now: datetime) -> list[Item]:
        if kind == "book":
            return depth_items(self._desk, symbol, now, self._desk.faults.current().mdds_book)
        if kind == "bar":
            return minute_items(self._desk, symbol, now)
        items = quote_items(self._desk, symbol, now, greeks)
        way = self._desk.faults.current().mdds_greeks
        if len(items) < 2 or way == "both":
            return items
        plain, extra = items
        if way == "first":
            return [extra, plain]
        return [plain if way == "missing" else {**extra, **plain}]

    def snapshot(self, word: str, symbol: str, items: list[Item], now: datetime) -> list[Item]:
        """The items a subscription is answered with."""
        form = self._desk.faults.current().mdds_bars
        if KINDS[word] != "bar" or form == "running":
            return items
        if form == "none":
            return [{"6": symbol}]
        finished = now.replace(second=0, microsecond=0) - _INSTANT
        return minute_items(self._desk, symbol, finished)

    def prints(self, symbol: str, after: datetime, until: datetime) -> list[Item]:
        """Each trade of a symbol between two moments as the delta that carries it."""
        self._turn_to(until)
        key = (symbol, after)
        found = self._prints.get(key)
        if found is None:
            found = self._prints[key] = print_items(self._desk, symbol, after + _INSTANT, until)
        return found

    def delta(self, kind: str, before: Item, after: Item) -> Item:
        """The change from one item to the next, as the faults want it told."""
        key = (id(before), id(after))
        known = self._deltas.get(key)
        # The two items are kept with it: an id is good only as long as its object lives.
        if known is not None and known[0] is before and known[1] is after:
            return known[2]
        change = self._delta(kind, before, after)
        self._deltas[key] = (before, after, change)
        return change

    def _delta(self, kind: str, before: Item, after: Item) -> Item:
        faults = self._desk.faults.current()
        change = delta_item(before, after)
        if len(change) <= 1:
            return change
        if kind == "bar" and "361" in change:
            return after  # another bar is told in full: nothing of the last one goes on in it
        if kind == "book":
            change = _vanished(change, faults.mdds_vanished)
        elif faults.mdds_empty != "removed":
            change = {key: value for key, value in change.items() if value != ""}
        if faults.mdds_deltas == "full":
            return {**after, **change}
        if kind != "book" and faults.mdds_empty == "unchanged":
            return {**dict.fromkeys(after, ""), **change}
        return change


def _vanished(change: Item, way: str) -> Item:
    """How a level that is gone is told: empty, as zero, or not at all."""
    if way == "empty":
        return change
    if way == "absent":
        return {key: value for key, value in change.items() if value != ""}
    zero = {
        key for key, value in change.items() if value == "" and BOOK_SLOTS.get(key, ("", "", 0))[1] == "price"
    }
    return {key: "0" if key in zero else value for key, value in change.items() if value != "" or key in zero}


def parts(change: Item, faults: "Faults") -> list[Item]:
    """A change as the deltas it comes in: one, or one for each slot of a book that comes in bursts."""
    if faults.mdds_book != "burst" or not BOOK_SLOTS.keys() & change.keys():
        return [change]
    slots: dict[tuple[str, int], Item] = {}
    for key, value in change.items():
        if key in BOOK_SLOTS:
            side, _, slot = BOOK_SLOTS[key]
            slots.setdefault((side, slot), {"6": change["6"]})[key] = value
    return list(slots.values())


def reshaped(item: Item, faults: "Faults") -> Item:
    """An item as the faults want its values: numbers, another quality, unknown ids, an index without id 6."""
    shown: dict[str, Any] = item
    if faults.mdds_quality != "realtime" and "169" in shown:
        shown = {**shown, "169": faults.mdds_quality}
    if faults.mdds_unknown_ids:
        shown = {**shown, "5001": "1"}
    if faults.mdds_noise and "29" in shown:
        shown = {**shown, **_NOISE}
    if not faults.mdds_index_symbol and shown.get("6", "").startswith("."):
        shown = {key: value for key, value in shown.items() if key != "6"} | {"289": shown["6"]}
    if faults.mdds_numbers:
        shown = {
            key: _number(value) if key in _NUMBERS and value != "" else value for key, value in shown.items()
        }
    return shown


def _number(value: str) -> Any:
    from decimal import Decimal, InvalidOperation

    try:
        return Decimal(value)
    except InvalidOperation:
        return value
