"""Which id fills which piece of a quote's JSON: read from the declaration of the quote's fields."""

from datetime import date
from decimal import Decimal
from typing import Any, Final, NamedTuple

from ftcli.models.field import FieldInfo, fields
from ftcli.models.mdds import BAR_IDS, BOOK_IDS, GREEK_IDS
from ftcli.models.streaming import Greeks, Quote
from ftcli.streaming.wire_text import DATE, LIMIT, NUMBER, PRICE, SIZE, TEXT, UNSIGNED, TextTable, plain

FOREIGN_IDS: Final = BOOK_IDS | BAR_IDS
"""An item with one of these is not a quote, whatever else it says (protocol 05 §2.13)."""
CONTRACT_IDS: Final = frozenset(["1", "25", "120", "128", "169", "182", "184", "185", "197", "199", "302"])
"""Ids of a ``.GK`` item that may stand in for missing ones of the plain item."""

_ZERO_IS_UNKNOWN = frozenset(["29", "31", "26", "27", "32", "124", "14", "16", "1162"])
_SIGNED = frozenset(["12", "13", "34", "58"])

_TABLES: Final[dict[Any, TextTable]] = {int: SIZE, date: DATE, str: TEXT}

# Members that need more than one id, as bits; each is rebuilt by a method of the state.
TOP, LAST, NAME, TIME, EXCHANGE, QUALITY, TYPE, GREEKS = (1 << bit for bit in range(8))
EVERYTHING: Final = (1 << 8) - 1

FIELDS: Final[tuple[FieldInfo, ...]] = fields(Quote)
SLOT: Final = {info.name: slot for slot, info in enumerate(FIELDS)}
GREEK_MEMBERS: Final = [(info.path, f'"{info.name}":') for info in fields(Greeks) if info.path]


def _table(field_id: str, kind: Any) -> TextTable:
    if kind is Decimal:
        return PRICE if field_id in _ZERO_IS_UNKNOWN else NUMBER if field_id in _SIGNED else UNSIGNED
    return _TABLES[kind]


def piece(name: str, table: TextTable, more: str = "") -> TextTable:
    """Wire text → the whole member as it stands in the quote, its comma in front; empty where not known."""
    convert = table.convert
    return TextTable(lambda text: f',"{name}":{value}{more}' if (value := convert(text)) else "")


class Place(NamedTuple):
    """Where the value of an id goes.

    Attributes:
        slot: Which piece it fills.
        pieces: Makes the piece; ``None`` where the piece depends on other ids too.
        always: The composed members to rebuild whenever the id arrives.
        empty: Those to rebuild when it says nothing.
        values: Tells what an unusable text was meant to be.
    """

    slot: int
    pieces: TextTable | None
    always: int
    empty: int
    values: TextTable


def _places() -> dict[str, Place]:
    found: dict[str, Place] = {}
    fallbacks = {"name": NAME, "last_time": TIME, "last_exchange": EXCHANGE, "last": LAST}
    for slot, info in enumerate(FIELDS):
        if info.path is None or info.name == "symbol":
            continue
        bits = fallbacks.get(info.name, 0)
        more = ',"last_source":"last"' if info.name == "last" else ""
        first, *others = info.path.split("|")
        table = _table(first, info.type)
        found[first] = Place(slot, piece(info.name, table, more), 0, bits, table)
        found.update({other: Place(slot, None, bits, 0, table) for other in others})
    for name in ("bid", "bid_size", "ask", "ask_size"):
        field_id = FIELDS[SLOT[name]].path
        assert field_id is not None
        found[field_id] = found[field_id]._replace(pieces=None, always=TOP)
    found["169"] = found["169"]._replace(always=QUALITY)
    found["128"] = found["128"]._replace(always=TYPE | TOP)
    found["184"] = found["184"]._replace(always=TYPE | TOP)
    found.update({key: Place(SLOT["greeks"], None, GREEKS, 0, NUMBER) for key in GREEK_IDS})
    return found


PLACES: Final[dict[str, Place]] = _places()
"""Id → where its value goes."""

BID_SIZE: Final = piece("bid_size", SIZE)
ASK_SIZE: Final = piece("ask_size", SIZE)


class Top(NamedTuple):
    """The top of the book of one pair of texts.

    Attributes:
        piece: The members bid, ask, mid and crossed.
        bid_size: Whether the bid's size means anything.
        ask_size: Whether the ask's size means anything.
        unreadable: How many of the two texts are neither price nor zero.
    """

    piece: str
    bid_size: bool
    ask_size: bool
    unreadable: int


class TopTable(dict[tuple[str, str], Top]):
    """(bid text, ask text) → the top of the book, by the zero rules of protocol 05 §4.3.

    Args:
        option: Whether for an option, where a zero bid under an ask is a real "no bid".
    """

    def __init__(self, *, option: bool) -> None:
        super().__init__()
        self._option = option

    def __missing__(self, pair: tuple[str, str]) -> Top:
        if len(self) >= LIMIT:
            self.clear()
        bid, ask = PRICE[pair[0]], PRICE[pair[1]]
        # A zero is "nobody", and its size says nothing.
        zero_bid, zero_ask = (not PRICE[text] and bool(UNSIGNED[text]) for text in pair)
        if zero_bid and self._option and ask:
            bid, zero_bid = "0", False
        mid = ""
        crossed = False
        if bid and ask:
            two = Decimal(bid), Decimal(ask)
            mid, crossed = f',"mid":{plain((two[0] + two[1]) / 2)}', two[0] > two[1]
        flag = "true" if crossed else "false"
        text = f',"bid":{bid or "null"},"ask":{ask or "null"}{mid},"crossed":{flag}'
        unreadable = sum(bool(text) and not PRICE[text] and not UNSIGNED[text] for text in pair)
        found = self[pair] = Top(text, not zero_bid, not zero_ask, unreadable)
        return found


TOPS: Final = (TopTable(option=False), TopTable(option=True))
"""Indexed by whether the symbol is an option."""
