"""Merging and normalising quotes (protocol 05 §2.14, 4)."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ftcli.models.mdds import FIELDS, GREEK_IDS
from ftcli.models.mdds_items import delta_item, greeks_item, quote_item
from ftcli.models.streaming import Greeks, Quote
from ftcli.streaming.counters import Oddities
from ftcli.streaming.quote import QuoteState, read_quote

BASE = {"6": "KO", "18": "72.16", "19": "500", "20": "72.14", "21": "300", "29": "72.15", "128": "EQ"}


class Reader:
    """A state with everything it publishes."""

    def __init__(self, symbol: str = "KO", **options: Any) -> None:
        self.counters = Oddities()
        self.state = QuoteState(symbol, self.counters, **options)
        self.published: list[dict[str, Any]] = []
        self.state.watch(self.take)

    def take(self, state: QuoteState) -> None:
        body = state.take()
        if body is not None:
            self.published.append(json.loads(body, parse_float=Decimal))

    @property
    def last(self) -> dict[str, Any]:
        return self.published[-1]


def quote(
    item: dict[str, str], *deltas: dict[str, str], symbol: str = "KO", **options: Any
) -> dict[str, Any]:
    reader = Reader(symbol, **options)
    reader.state.snapshot({"0": "success", **item}, 1.0)
    for delta in deltas:
        reader.state.delta(delta, 2.0)
    return reader.last


def test_a_snapshot_replaces_a_delta_merges() -> None:
    reader = Reader()
    reader.state.snapshot(BASE | {"33": "100"}, 1.0)
    reader.state.delta({"6": "KO", "20": "72.15"}, 2.0)
    assert (reader.last["bid"], reader.last["ask"], reader.last["volume"]) == (
        Decimal("72.15"), Decimal("72.16"), 100,
    )  # fmt: skip
    reader.state.snapshot({"6": "KO", "29": "73"}, 3.0)
    assert (reader.last["last"], reader.last["bid"], reader.last.get("volume")) == (73, None, None)
    assert [entry["seq"] for entry in reader.published] == [1, 2, 3]
    assert [entry["snapshot"] for entry in reader.published] == [True, False, True]


def test_deltas_before_the_snapshot_wait_for_it() -> None:
    reader = Reader()
    for number in range(100):
        reader.state.delta({"6": "KO", "20": f"70.{number:02d}", "21": ""}, 1.0)
    assert reader.published == []
    reader.state.snapshot(BASE, 2.0)
    assert (reader.last["bid"], reader.last["ask"], reader.last["bid_size"]) == (
        Decimal("70.99"), Decimal("72.16"), 300,
    )  # fmt: skip
    assert len(reader.published) == 1


@pytest.mark.parametrize(("rule", "ask"), [("keep", Decimal("72.16")), ("clear", None)])
def test_an_empty_value_in_a_delta(rule: str, ask: Decimal | None) -> None:
    assert quote(BASE, {"6": "KO", "18": ""}, empty_in_delta=rule)["ask"] == ask


def test_unknown_ids_and_the_raw_texts_are_kept() -> None:
    reader = Reader()
    reader.state.snapshot(BASE | {"5001": "x", "29": "N/A"}, 1.0)
    assert reader.state.raw()["5001"] == "x"
    assert reader.state.text("29") == "N/A"
    assert reader.last["last"] is None
    assert reader.counters["unreadable_values"] == 1


def test_an_item_with_ids_of_a_book_is_no_quote() -> None:
    reader = Reader()
    reader.state.snapshot(BASE, 1.0)
    reader.state.delta({"6": "KO", "462": "1", "29": "9"}, 2.0)
    assert len(reader.published) == 1
    assert reader.counters["foreign_items"] == 1


def test_a_change_of_nothing_is_published_all_the_same() -> None:
    reader = Reader()
    reader.state.snapshot(BASE, 1.0)
    reader.state.delta({"6": "KO"}, 2.0)
    assert len(reader.published) == 2


@pytest.mark.parametrize("field_id", ["29", "31", "26", "27", "32", "124", "14", "16"])
@pytest.mark.parametrize("text", ["0", "0.00", "0.0000"])
def test_a_zero_price_is_not_known(field_id: str, text: str) -> None:
    name = {"29": "last", "31": "open", "26": "high", "27": "low", "32": "prev_close", "124": "close",
            "14": "week52_high", "16": "week52_low"}[field_id]  # fmt: skip
    reader = Reader()
    reader.state.snapshot(BASE | {field_id: text}, 1.0)
    assert reader.last.get(name) is None
    assert reader.counters["unreadable_values"] == 0


@pytest.mark.parametrize(
    ("field_id", "name"),
    [("12", "net_change"), ("13", "net_change_pct"), ("22", "num_trades"), ("23", "block_volume"),
     ("33", "volume"), ("166", "volume_all_sessions"), ("183", "open_interest"), ("28", "last_size"),
     ("19", "ask_size"), ("21", "bid_size")],
)  # fmt: skip
def test_a_zero_of_these_is_zero(field_id: str, name: str) -> None:
    assert quote(BASE | {field_id: "0"})[name] == 0


def test_negative_numbers() -> None:
    reader = Reader()
    reader.state.snapshot(BASE | {"12": "-0.75", "13": "-1.05", "29": "-72"}, 1.0)
    assert (reader.last["net_change"], reader.last["last"]) == (Decimal("-0.75"), None)
    assert reader.counters["unreadable_values"] == 1


def test_nobody_bids_or_asks() -> None:
    found = quote(BASE | {"20": "0", "18": "0.00"})
    assert (found["bid"], found["ask"]) == (None, None)
    assert not {"bid_size", "ask_size", "mid"} & found.keys()
    assert found["crossed"] is False
    back = quote(BASE | {"20": "0"}, {"6": "KO", "20": "72"})
    assert (back["bid"], back["bid_size"]) == (72, 300)


def test_an_option_may_have_no_bid() -> None:
    option = {"6": "-KO270219C70", "20": "0", "21": "0", "18": "0.05", "19": "10"}
    found = quote(option, symbol="-KO270219C70")
    assert (found["bid"], found["bid_size"], found["ask"], found["mid"]) == (
        0,
        0,
        Decimal("0.05"),
        Decimal("0.025"),
    )
    found = quote(option | {"18": "0"}, symbol="-KO270219C70")
    assert (found["bid"], found["ask"]) == (None, None)
    found = quote({**BASE, "20": "0", "128": "OP"})
    assert found["bid"] == 0
    found = quote({**BASE, "20": "0"}, {"6": "KO", "184": "70"})
    assert found["bid"] == 0


def test_crossed_and_mid() -> None:
    found = quote(BASE | {"20": "72.20"})
    assert (found["crossed"], found["mid"]) == (True, Decimal("72.18"))


def test_the_close_stands_in_for_the_last_price_of_a_snapshot_only() -> None:
    close = {"6": "KO", "124": "71.4"}
    found = quote(close)
    assert (found["last"], found["last_source"]) == (Decimal("71.4"), "close")
    found = quote(close, {"6": "KO", "29": "72"})
    assert (found["last"], found["last_source"]) == (72, "last")
    found = quote(close, {"6": "KO", "29": "72"}, {"6": "KO", "29": "0"})
    assert (found["last"], found.get("last_source")) == (None, None)
    found = quote(BASE | {"124": "71.4"}, {"6": "KO", "29": "0"})
    assert found["last"] is None
    found = quote(close, {"6": "KO", "124": "80"})
    assert (found["last"], found["close"]) == (Decimal("71.4"), 80)


@pytest.mark.parametrize(
    ("text", "delayed"), [("realtime", False), ("delayed", True), ("eod", True), (None, None), ("", None)]
)
def test_quality(text: str | None, delayed: bool | None) -> None:
    item = BASE if text is None else BASE | {"169": text}
    found = quote(item, {"6": "KO", "29": "72.2"})
    assert found.get("delayed") == delayed
    assert found.get("quality") == (text or None)


def test_a_change_of_quality_is_an_update() -> None:
    found = quote(BASE | {"169": "realtime"}, {"6": "KO", "169": "delayed"})
    assert (found["delayed"], found["quality"]) == (True, "delayed")


def test_fallbacks_of_names_and_times() -> None:
    assert quote(BASE | {"80": "LONG NAME", "120": "OPTION"})["name"] == "OPTION"
    assert quote(BASE | {"80": "LONG NAME"})["name"] == "LONG NAME"
    found = quote(BASE | {"44": "10:00", "43": "N"})
    assert (found["last_time"], found["last_exchange"]) == ("10:00", "N")
    found = quote(
        BASE | {"44": "10:00", "316": "10:01", "43": "N", "882": "XNYS"}, {"6": "KO", "44": "10:02"}
    )
    assert (found["last_time"], found["last_exchange"]) == ("10:01", "XNYS")


CALL = "-KO270219C70"
GREEKS = {"6": f"{CALL}.GK", "128": "OP", "184": "70", "185": "KO", "187": "0.67", "190": "-0.0152"}


def test_greeks_join_their_option() -> None:
    reader = Reader(CALL)
    reader.state.greeks_snapshot({"0": "success", **GREEKS}, 1.0)
    assert (reader.last["bid"], reader.last["strike"], reader.last["greeks"]["delta"]) == (
        None,
        70,
        Decimal("0.67"),
    )
    reader.state.snapshot({"6": CALL, "20": "4.9", "18": "5", "169": "realtime"}, 2.0)
    assert (reader.last["bid"], reader.last["underlying"], reader.last["greeks"]["delta"]) == (
        Decimal("4.9"), "KO", Decimal("0.67"),
    )  # fmt: skip
    port = reader.state.greeks
    port.delta({"6": f"{CALL}.GK", "187": "0.7", "190": ""}, 3.0)
    assert (reader.last["greeks"]["delta"], reader.last["greeks"]["theta"]) == (
        Decimal("0.7"),
        Decimal("-0.0152"),
    )
    reader.state.greeks_lost()
    assert "greeks" not in reader.last
    assert reader.last["bid"] == Decimal("4.9")


def test_greeks_on_the_plain_item_are_accepted() -> None:
    assert quote({"6": CALL, "187": "0.5"}, symbol=CALL)["greeks"]["delta"] == Decimal("0.5")


def test_a_lost_connection_keeps_values_and_says_stale() -> None:
    reader = Reader()
    reader.state.snapshot(BASE, 1.0)
    reader.state.lose(5.0)
    reader.state.announce()
    assert (reader.last["stale"], reader.last["stale_since"], reader.last["last"]) == (
        True, "1970-01-01T00:00:05.000Z", Decimal("72.15"),
    )  # fmt: skip
    reader.state.delta({"6": "KO", "29": "80"}, 6.0)
    assert len(reader.published) == 2
    reader.state.snapshot(BASE, 7.0)
    assert (reader.last["stale"], reader.last["last"], reader.last["seq"]) == (False, 80, 3)


def test_an_unread_state_is_complete_when_somebody_looks() -> None:
    state = QuoteState("KO")
    state.snapshot(BASE, 1.0)
    for number in range(1000):
        state.delta({"6": "KO", "33": str(number), "18": "" if number % 3 else "72.2"}, 2.0)
    found = json.loads(state.picture())
    assert (found["volume"], found["ask"], found["bid"], found["snapshot"]) == (999, 72.2, 72.14, True)


NAMES = sorted(set(FIELDS) - GREEK_IDS - {"0", "6", "1", "80", "120", "128", "184"}, key=int)
TEXTS = st.sampled_from(["", "0", "0.00", "1", "72.15", "-3", "N/A", "1e5", "7.0", "x", "2026-01-02"])
ITEMS = st.dictionaries(
    st.sampled_from([name for name in NAMES if int(name) < 356 or int(name) > 1158]), TEXTS
)
QUOTE_ITEMS = ITEMS.map(lambda item: {key: text for key, text in item.items() if key != "1172"})


@settings(max_examples=200)
@given(QUOTE_ITEMS, st.lists(QUOTE_ITEMS, max_size=6), st.booleans())
def test_piecewise_writing_equals_writing_the_whole(
    first: dict[str, str], deltas: list[dict[str, str]], watched: bool
) -> None:
    state = QuoteState("KO")
    if watched:
        state.watch(lambda changed: changed.take())
    state.snapshot({"6": "KO", **first}, 1.0)
    for delta in deltas:
        state.delta({"6": "KO", **delta}, 2.0)
    whole = {key: text for key, text in first.items() if text}
    for delta in deltas:
        whole.update({key: text for key, text in delta.items() if text})
    other = QuoteState("KO")
    other.snapshot({"6": "KO", **whole}, 2.0)
    found, wanted = json.loads(state.picture()), json.loads(other.picture())
    for document in (found, wanted):
        # The close stands in only at the snapshot, and the two differ in their history.
        for name in ("last", "last_source", "received_at", "seq"):
            document.pop(name, None)
    assert found == wanted
    read_quote(state.picture())


def test_a_quote_goes_to_the_wire_and_back() -> None:
    greeks = Greeks(delta=Decimal("0.67"), iv_bid=Decimal("0.17"))
    sent = Quote(
        symbol=CALL, security_type="OP", name="KO CALL", last=Decimal("4.95"), bid=Decimal("4.90"),
        ask=Decimal("5"), bid_size=12, volume=431, strike=Decimal("70"), underlying="KO", call_put="C",
        quality="realtime", greeks=greeks,
    )  # fmt: skip
    state = QuoteState(CALL)
    state.snapshot({"0": "success", **quote_item(sent)}, 1.0)
    state.greeks_snapshot(greeks_item(sent), 1.0)
    got = read_quote(state.picture())
    assert (got.last, got.bid, got.ask, got.volume, got.strike) == (
        Decimal("4.95"), Decimal("4.90"), Decimal("5"), 431, Decimal("70"),
    )  # fmt: skip
    assert got.greeks is not None
    assert (got.greeks.delta, got.greeks.iv_bid) == (Decimal("0.67"), Decimal("0.17"))
    assert not GREEK_IDS & quote_item(sent).keys()


def test_the_change_between_two_items() -> None:
    before, after = {"6": "KO", "20": "1", "18": "2"}, {"6": "KO", "20": "1.5", "29": "3"}
    assert delta_item(before, after) == {"6": "KO", "20": "1.5", "29": "3", "18": ""}
