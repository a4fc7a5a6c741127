"""Time and sales, read out of the quote stream (protocol 05 §5.1).

There is no command for the tape: a print shows as a delta that touches the trade ids. What a partial delta
does not repeat is filled in from the state before it, and named as inferred.
"""

from collections import deque
from decimal import Decimal
from typing import Final

from ftcli.models.mdds import IRREGULAR_PRINT_IDS, REGULAR_PRINT_IDS
from ftcli.streaming.counters import Oddities
from ftcli.streaming.quote_plan import FOREIGN_IDS
from ftcli.streaming.state import Item, State
from ftcli.streaming.timing import iso
from ftcli.streaming.wire_text import PRICE, SIZE, TEXT, TextTable

_Members = tuple[tuple[str, tuple[str, ...], TextTable], ...]
_REGULAR: Final[_Members] = (
    ("price", ("29",), PRICE),
    ("size", ("28",), SIZE),
    ("exchange", ("882", "43"), TEXT),
    ("time", ("316", "44"), TEXT),
)
_IRREGULAR: Final[_Members] = (
    ("price", ("1162",), PRICE),
    ("size", ("1165",), SIZE),
    ("exchange", ("1176",), TEXT),
    ("time", ("1164",), TEXT),
)


class TapeState(State):
    """The tape of one symbol: a base line, and the prints that follow it.

    Args:
        symbol: Canonical symbol.
        counters: Where oddities are counted.
    """

    kind = "trade"
    __slots__ = ("_early", "_gap_from", "_raw", "_ready")

    def __init__(self, symbol: str, counters: Oddities | None = None) -> None:
        super().__init__(symbol, Oddities() if counters is None else counters)
        self.conflation_key = None
        self._raw: Item = {}
        self._early: Item = {}
        self._ready: deque[tuple[str, bool]] = deque()
        self._gap_from: float | None = None

    @property
    def ever(self) -> bool:
        """Never: a print has no present state to show."""
        return False

    def snapshot(self, item: Item, at: float) -> None:
        """The base line; it is no print. After an outage it closes the gap."""
        self.at = at
        self._raw = {key: text for key, text in item.items() if text}
        self.has_snapshot = True
        self.stale_since = None
        if self._gap_from is not None:
            start, self._gap_from = self._gap_from, None
            symbol = TEXT[self.symbol]
            gap = f'{{"symbol":{symbol},"gap":true,"from":"{iso(start)}","to":"{iso(at)}","type":"gap"}}'
            self._ready.append((gap, True))
        # What came before the base line is part of it.
        self._raw |= self._early
        self._early = {}
        self._tell()

    def delta(self, item: Item, at: float) -> None:
        """A change of the quote, which may hold a print."""
        self.at = at
        if not FOREIGN_IDS.isdisjoint(item):
            self.counters["foreign_items"] += 1
            return
        if "" in item.values():
            item = {key: text for key, text in item.items() if text}
        if not self.has_snapshot:
            self._early |= item
            return
        self._read(item)
        if self._ready:
            self._tell()

    def _tell(self) -> None:
        if self.watcher is None:
            self._ready.clear()
        self.announce()

    def lose(self, at: float) -> None:
        """The connection is gone: what is traded from now on is missed."""
        super().lose(at)
        self._early = {}
        if self._gap_from is None and self._raw:
            self._gap_from = at

    # -- reading prints --------------------------------------------------------------------------------

    def _read(self, item: Item) -> None:
        before = self._raw
        self._raw = {**before, **item}
        if _is_regular_print(item, before):
            self._print("regular", _REGULAR, item, before)
        if _is_irregular_print(item, before):
            self._print("irregular", _IRREGULAR, item, before)

    def _print(self, session: str, members: _Members, item: Item, before: Item) -> None:
        values: list[str] = []
        inferred: list[str] = []
        found: dict[str, str] = {}
        for name, ids, table in members:
            value = _first(item, ids, table)
            if not value and (value := _first(before, ids, table)):
                inferred.append(f'"{name}"')
            found[name] = value
            values.append(f'"{name}":{value or "null"}')
        if not found["price"]:
            self.counters["prints_without_price"] += 1
            return
        if session == "regular" and (conditions := TEXT[self._raw.get("45", "")]):
            values.append(f'"conditions":{conditions}')
        if volume := SIZE[self._raw.get("33", "")]:
            values.append(f'"cum_volume":{volume}')
        if side := _side(Decimal(found["price"]), before):
            values.append(f'"side":"{side}"')
        conflated = session == "regular" and _grew_by_more(item, before, found["size"])
        text = (
            f'{{"symbol":{TEXT[self.symbol]},"session":"{session}",{",".join(values)}'
            f',"inferred":[{",".join(inferred)}],"conflated":{"true" if conflated else "false"}'
            f',"received_at":"{iso(self.at)}","seq":'
        )
        self._ready.append((text, False))

    def take(self) -> bytes | None:
        """The next print or gap as JSON, or ``None``."""
        if not self._ready:
            return None
        text, is_gap = self._ready.popleft()
        self.seq += 1
        self.update_kind = "gap" if is_gap else "trade"
        return (text if is_gap else f"{text}{self.seq}}}").encode()

    def picture(self) -> bytes | None:
        """Nothing: a late joiner gets the prints from now on."""
        return None

    def wire_items(self) -> list[Item]:
        """The present base line, to hand it to a new state of the same symbol."""
        return [{"6": self.symbol, **self._raw}] if self._raw else []


def _first(item: Item, ids: tuple[str, ...], table: TextTable) -> str:
    return next((text for key in ids if (text := table[item.get(key, "")])), "")


def _is_regular_print(item: Item, before: Item) -> bool:
    volume = item.get("33")
    if REGULAR_PRINT_IDS.isdisjoint(item):
        return volume is not None and _number(volume) > _number(before.get("33", ""))
    unmoved = volume is not None and volume == before.get("33")
    same_time = "316" not in item or item["316"] == before.get("316")
    # Volume said again and unmoved: the same trade told once more.
    return not (unmoved and same_time)


def _is_irregular_print(item: Item, before: Item) -> bool:
    """Whether any of the print's ids is there and new: a delta that repeats them all is a mere refresh."""
    return any(item[key] != before.get(key) for key in IRREGULAR_PRINT_IDS & item.keys())


def _grew_by_more(item: Item, before: Item, size: str) -> bool:
    """Whether the day's volume grew by more than the print's size: it stands for several trades."""
    now, then = SIZE[item.get("33", "")], SIZE[before.get("33", "")]
    return bool(now and then and size) and int(now) - int(then) > int(size)


def _number(text: str) -> int:
    return int(SIZE[text] or -1)


def _side(price: Decimal, before: Item) -> str:
    """Where the price stood in the quote before it; empty where that is not known."""
    bid, ask = PRICE[before.get("20", "")], PRICE[before.get("18", "")]
    if not bid or not ask:
        return ""
    if price >= Decimal(ask):
        return "ask"
    return "bid" if price <= Decimal(bid) else "between"
