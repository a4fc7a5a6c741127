"""Books, bars and the tape as states of their own (protocol 05 §5)."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from transcripts import parse

from ftcli.models.mdds_items import bar_item, book_item, trade_item
from ftcli.models.streaming import Bar, Book, BookLevel, Trade
from ftcli.streaming.bars import BarState
from ftcli.streaming.book import BookState
from ftcli.streaming.state import State
from ftcli.streaming.tape import TapeState


class Reader:
    def __init__(self, state: State) -> None:
        self.published: list[dict[str, Any]] = []
        self.bodies: list[bytes] = []
        self.keys: list[str | None] = []
        self.state = state
        state.watch(self.take)

    def take(self, state: State) -> None:
        while (body := state.take()) is not None:
            self.bodies.append(body)
            self.published.append(parse(body))
            self.keys.append(state.conflation_key)

    @property
    def last(self) -> dict[str, Any]:
        return self.published[-1]


# -- books -------------------------------------------------------------------------------------------------


def book(**slots: str) -> Reader:
    reader = Reader(BookState("KO"))
    reader.state.snapshot({"6": "KO.VB", **{key.lstrip("_"): text for key, text in slots.items()}}, 1.0)
    return reader


def test_a_slot_without_a_price_is_empty() -> None:
    for price in ("", "0", "0.0000"):
        reader = book(_462=price, _512="300", _463="72.14")
        assert [level["slot"] for level in reader.last["bids"]] == [1]
        assert reader.last["best_bid"] == Decimal("72.14")
        assert reader.state.counters["books_with_holes"] == 1


def test_a_slot_without_a_size() -> None:
    level = book(_462="72.1500").last["bids"][0]
    assert level == {"price": Decimal("72.15"), "size": None, "exchange": None, "time": None, "slot": 0}


def test_locked_and_one_sided() -> None:
    assert book(_462="72", _537="72.00").last["locked"] is True
    found = book(_462="72").last
    assert (found["spread"], found["mid"], found["locked"], found["crossed"]) == (None, None, False, False)


def test_equal_prices_of_several_venues_are_in_order() -> None:
    assert book(_462="72", _463="72", _464="71").last["inconsistent"] is False
    assert book(_537="72", _538="71").last["inconsistent"] is True


def test_deltas_before_the_book_wait_for_it() -> None:
    reader = Reader(BookState("KO"))
    reader.state.delta({"6": "KO.VB", "462": "70"}, 1.0)
    reader.state.snapshot({"6": "KO.VB", "462": "72", "537": "73"}, 1.0)
    assert (reader.last["best_bid"], reader.last["best_ask"]) == (70, 73)


def test_old_depth_does_not_pass_for_present_depth() -> None:
    reader = book(_462="72", _537="73")
    reader.state.lose(9.0)
    reader.state.announce()
    assert (reader.last["bids"], reader.last["asks"], reader.last["stale"]) == ([], [], True)
    assert reader.state.ever
    silent = BookState("KO")
    silent.lose(9.0)
    assert not silent.ever
    assert silent.take() is None


def test_by_price_and_fixed_form() -> None:
    reader = book(_462="72", _512="100", _487="XNYS", _463="72", _513="50", _488="ARCX", _465="71")
    found = msgspec.json.decode(reader.bodies[-1], type=Book)
    rows = found.by_price("bid")
    assert [(row.price, row.size, row.exchanges) for row in rows] == [
        (Decimal(72), 150, ["XNYS", "ARCX"]), (Decimal(71), 0, []),
    ]  # fmt: skip
    slots = found.slots("bid")
    assert len(slots) == 25
    assert [index for index, level in enumerate(slots) if level] == [0, 1, 3]


PRICES = st.decimals(min_value=1, max_value=999, places=4)
LEVELS = st.lists(
    st.builds(
        BookLevel,
        price=PRICES,
        size=st.none() | st.integers(0, 10**6),
        exchange=st.sampled_from([None, "XNYS"]),
    ),
    max_size=25,
)


@given(LEVELS, LEVELS)
def test_a_book_goes_to_the_wire_and_back(bids: list[BookLevel], asks: list[BookLevel]) -> None:
    for levels in (bids, asks):
        for slot, level in enumerate(levels):
            level.slot = slot
    reader = Reader(BookState("KO"))
    reader.state.snapshot({"0": "success", **book_item(Book(symbol="KO", bids=bids, asks=asks))}, 1.0)
    found = msgspec.json.decode(reader.bodies[-1], type=Book)
    assert (found.bids, found.asks) == (bids, asks)


# -- bars --------------------------------------------------------------------------------------------------


def bar(start: str = "14:30:00", close: str = "72", **more: str) -> dict[str, str]:
    return {"6": "KO", "361": start, "356": close, **{key.lstrip("_"): text for key, text in more.items()}}


def test_an_earlier_bar_is_a_correction() -> None:
    reader = Reader(BarState("KO"))
    reader.state.snapshot(bar(), 0.0)
    reader.state.delta(bar("14:31:00"), 60.0)
    reader.state.delta(bar("14:30:00", "73"), 61.0)
    assert (reader.last["final"], reader.last["corrected"], reader.last["close"]) == (True, True, 73)
    published = len(reader.published)
    reader.state.delta(bar("14:30:00", "73"), 62.0)
    assert len(reader.published) == published
    reader.state.delta(bar("14:25:00", "70"), 63.0)
    assert (reader.last["start"], reader.last["corrected"]) == ("14:25:00", True)
    assert reader.keys[-1] == "bar KO 14:25:00"


def test_a_bar_nobody_finishes() -> None:
    state = BarState("KO")
    reader = Reader(state)
    state.snapshot(bar(), 30.0)
    assert state.expires_at() == 65.0
    state.expire(64.9)
    assert len(reader.published) == 1
    state.expire(65.0)
    assert (reader.last["final"], state.expires_at()) == (True, None)
    state.delta(bar(close="74"), 66.0)
    assert (reader.last["corrected"], reader.last["close"]) == (True, 74)
    state.delta(bar("14:31:00"), 67.0)
    assert (reader.last["start"], reader.last["final"]) == ("14:31:00", False)


def test_bars_are_told_apart_by_what_is_there() -> None:
    reader = Reader(BarState("KO"))
    reader.state.delta({"6": "KO", "357": "14:31:00", "356": "1"}, 0.0)
    reader.state.delta({"6": "KO", "356": "2"}, 59.0)
    assert (reader.last["close"], reader.last["end"], len(reader.published)) == (2, "14:31:00", 2)
    reader.state.delta({"6": "KO", "357": "14:32:00", "356": "3"}, 61.0)
    assert [entry["final"] for entry in reader.published] == [False, False, True, False]
    plain = Reader(BarState("KO"))
    plain.state.delta({"6": "KO", "356": "1"}, 0.0)
    plain.state.delta({"6": "KO", "356": "2"}, 59.0)
    plain.state.delta({"6": "KO", "356": "3"}, 61.0)
    assert [(entry["close"], entry["final"]) for entry in plain.published] == [
        (1, False), (2, False), (2, True), (3, False),
    ]  # fmt: skip


def test_midnight_is_later_than_the_evening() -> None:
    reader = Reader(BarState("KO"))
    reader.state.snapshot(bar("23:59:00"), 0.0)
    reader.state.delta(bar("00:00:00"), 60.0)
    assert [(entry["start"], entry["final"]) for entry in reader.published][1:] == [
        ("23:59:00", True), ("00:00:00", False),
    ]  # fmt: skip


def test_a_bar_that_was_interrupted_says_so() -> None:
    state = BarState("KO")
    reader = Reader(state)
    state.snapshot(bar(), 0.0)
    state.lose(10.0)
    state.announce()
    assert (reader.last["stale"], reader.last["final"]) == (True, False)
    state.snapshot(bar("14:31:00"), 70.0)
    assert [(entry["start"], entry["stale"]) for entry in reader.published[-2:]] == [
        ("14:30:00", True), ("14:31:00", False),
    ]  # fmt: skip
    assert state.picture() is not None


def test_a_bar_goes_to_the_wire_and_back() -> None:
    sent = Bar(
        symbol="KO", start="14:30:00", end="14:31:00", open=Decimal("72.10"), close=Decimal(72), volume=5
    )
    reader = Reader(BarState("KO"))
    reader.state.snapshot({"0": "success", **bar_item(sent)}, 0.0)
    found = msgspec.json.decode(reader.bodies[-1], type=Bar)
    assert (found.start, found.end, found.open, found.close, found.volume, found.high) == (
        "14:30:00", "14:31:00", Decimal("72.10"), Decimal(72), 5, None,
    )  # fmt: skip


# -- the tape ----------------------------------------------------------------------------------------------

BASE = {"6": "KO", "18": "72.17", "20": "72.15", "28": "100", "29": "72.16", "33": "1000", "316": "14:31:02"}


def tape(*deltas: dict[str, str]) -> Reader:
    reader = Reader(TapeState("KO"))
    reader.state.snapshot({"0": "success", **BASE}, 1.0)
    for delta in deltas:
        reader.state.delta({"6": "KO", **delta}, 2.0)
    return reader


def test_the_same_trade_told_once_more_is_no_print() -> None:
    assert tape({"29": "72.16", "28": "100", "33": "1000", "316": "14:31:02"}).published == []
    assert tape({"29": "72.16", "33": "1000"}).published == []
    assert len(tape({"29": "72.16", "33": "1000", "316": "14:31:09"}).published) == 1


def test_volume_alone_is_a_print_where_it_grew() -> None:
    found = tape({"33": "1100"}).last
    assert (found["price"], found["size"], found["inferred"], found["conflated"]) == (
        Decimal("72.16"), 100, ["price", "size", "time"], False,
    )  # fmt: skip
    assert tape({"33": "1000"}).published == []
    assert tape({"33": "900"}).published == []
    assert tape({"33": "1101"}).last["conflated"] is True


@pytest.mark.parametrize(
    ("price", "side"), [("72.17", "ask"), ("72.15", "bid"), ("72.16", "between"), ("80", "ask")]
)
def test_where_a_price_stood(price: str, side: str) -> None:
    assert tape({"29": price, "18": "99", "20": "98"}).last["side"] == side


def test_a_print_without_a_price_is_none() -> None:
    reader = Reader(TapeState("KO"))
    reader.state.snapshot({"6": "KO"}, 1.0)
    reader.state.delta({"6": "KO", "28": "100"}, 2.0)
    assert reader.published == []
    assert reader.state.counters["prints_without_price"] == 1


def test_what_comes_before_the_base_line_is_part_of_it() -> None:
    reader = Reader(TapeState("KO"))
    for number in range(200):
        reader.state.delta({"6": "KO", "29": str(number + 1), "33": str(number)}, 1.0)
    reader.state.snapshot(BASE, 1.0)
    reader.state.delta({"6": "KO", "316": "14:40:00"}, 2.0)
    assert [(entry["price"], entry["cum_volume"]) for entry in reader.published] == [(200, 199)]


def test_an_outage_is_a_gap() -> None:
    state = TapeState("KO")
    reader = Reader(state)
    state.snapshot(BASE, 1.0)
    state.lose(10.0)
    state.lose(20.0)
    state.delta({"6": "KO", "29": "80"}, 21.0)
    state.snapshot(BASE, 30.0)
    assert reader.published == [
        {
            "symbol": "KO",
            "gap": True,
            "from": "1970-01-01T00:00:10.000Z",
            "to": "1970-01-01T00:00:30.000Z",
            "type": "gap",
        }
    ]
    assert state.update_kind == "gap"
    state.delta({"6": "KO", "29": "81", "45": "@"}, 31.0)
    assert (reader.last["price"], reader.last["conditions"], state.update_kind) == (81, "@", "trade")
    assert reader.keys == [None, None]


def test_prints_nobody_reads_do_not_pile_up() -> None:
    state = TapeState("KO")
    state.snapshot(BASE, 1.0)
    for number in range(100):
        state.delta({"6": "KO", "33": str(2000 + number)}, 2.0)
    assert state.take() is None
    assert state.wire_items()[0]["33"] == "2099"


@given(st.integers(1, 10**6), st.decimals(min_value=1, max_value=999, places=2))
def test_a_print_goes_to_the_wire_and_back(size: int, price: Decimal) -> None:
    sent = Trade(
        symbol="KO", price=price, size=size, time="14:31:03", exchange="ARCX", cum_volume=1000 + size
    )
    found = msgspec.json.decode(_body(trade_item(sent)), type=Trade)
    assert (found.price, found.size, found.time, found.exchange, found.cum_volume, found.conflated) == (
        price, size, "14:31:03", "ARCX", 1000 + size, False,
    )  # fmt: skip
    off = Trade(symbol="KO", session="irregular", price=price, size=size, time="16:12:40", exchange="XNMS")
    found = msgspec.json.decode(_body(trade_item(off)), type=Trade)
    assert (found.session, found.price, found.size, found.inferred) == ("irregular", price, size, [])


def _body(item: dict[str, str]) -> bytes:
    reader = tape()
    reader.state.delta(item, 2.0)
    return reader.bodies[-1]
