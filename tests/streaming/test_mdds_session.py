"""One connection without a socket: commands, answers, time limits, endings (protocol 05 §2)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stream_doubles import ManualTiming
from transcripts import parse

from ftcli.models.streaming import Kind, SymbolError
from ftcli.streaming.bars import BarState
from ftcli.streaming.book import BookState
from ftcli.streaming.counters import Oddities
from ftcli.streaming.frames import read_greeting
from ftcli.streaming.mdds_session import MddsSession
from ftcli.streaming.quote import QuoteState
from ftcli.streaming.state import State
from ftcli.streaming.tape import TapeState

STATES: dict[Kind, Any] = {"quote": QuoteState, "trade": TapeState, "book": BookState, "bar": BarState}


class Bench:
    """A session, its states, and everything they say."""

    def __init__(self, kind: Kind = "quote", **options: Any) -> None:
        self.kind = kind
        self.timing = ManualTiming()
        self.counters = Oddities()
        self.errors: list[SymbolError] = []
        self.published: list[dict[str, Any]] = []
        self.session = MddsSession("S", kind, self.errors.append, self.timing, self.counters, **options)

    def take(self, state: State) -> None:
        while (body := state.take()) is not None:
            self.published.append(parse(body))

    def subscribe(self, *symbols: str) -> list[dict[str, Any]]:
        states = [STATES[self.kind](symbol, self.counters) for symbol in symbols]
        for state in states:
            state.watch(self.take)
        self.session.subscribe(states)
        return self.frames()

    def frames(self) -> list[dict[str, Any]]:
        found = []
        while (frame := self.session.next_frame()) is not None:
            found.append(parse(frame.encode()))
        return found

    def feed(self, kind: str, *items: dict[str, str], **members: Any) -> None:
        import json

        frame = {"ResponseType": kind, "Data": list(items), "Command": "subscribe"} | members
        self.session.feed(json.dumps(frame).encode(), self.timing.epoch())

    def answer(self, *symbols: str, request: str = "r1") -> None:
        for symbol in symbols:
            self.feed("1", {"0": "success", "6": symbol, "29": "1"}, Request=request)

    def after(self, seconds: float) -> list[dict[str, Any]]:
        self.timing.now += seconds
        self.session.poll()
        return self.frames()


def symbols_of(frames: list[dict[str, Any]]) -> list[str]:
    return [frame["Symbol"] for frame in frames]


def names(count: int) -> list[str]:
    return [f"S{number}" for number in range(count)]


def test_commands_of_each_kind() -> None:
    assert Bench().subscribe("KO", "-KO270219C70") == [
        {"SessionId": "S", "Command": "subscribe", "Symbol": "KO", "ConflationRate": 1000,
         "IncludeGreeks": False},
        {"SessionId": "S", "Command": "subscribe", "Symbol": "-KO270219C70", "ConflationRate": 1000,
         "IncludeGreeks": True},
    ]  # fmt: skip
    assert Bench("trade").subscribe("-KO270219C70") == [
        {"SessionId": "S", "Command": "subscribe", "Symbol": "-KO270219C70", "ConflationRate": 0,
         "IncludeGreeks": False},
    ]  # fmt: skip
    assert Bench("book").subscribe("KO", "PEP")[1] == {
        "SessionId": "S", "Command": "subscribe_virtualbook", "Symbol": "PEP", "ConflationRate": 1000,
        "IncludeArcaOnly": True,
    }  # fmt: skip
    assert Bench("bar").subscribe("KO", "PEP") == [
        {"SessionId": "S", "Command": "subscribe_1-minute-bar", "Symbol": "KO,PEP"}
    ]


def test_fifty_symbols_a_command() -> None:
    frames = Bench().subscribe(*names(120))
    assert [len(text.split(",")) for text in symbols_of(frames)] == [50, 50, 20]


def test_an_unanswered_symbol_is_sent_once_more_alone_and_then_reported() -> None:
    bench = Bench()
    bench.subscribe("KO", "PEP", "XOM")
    bench.answer("PEP")
    assert bench.session.next_deadline() == 10
    assert bench.after(9.9) == []
    assert symbols_of(bench.after(0.1)) == ["KO", "XOM"]
    bench.answer("KO", request="r2")
    assert bench.after(9.9) == []
    assert bench.errors == []
    assert bench.after(0.1) == []
    assert [(error.symbol, error.reason) for error in bench.errors] == [("XOM", "subscribe_timeout")]
    bench.answer("XOM", request="r3")
    assert bench.published[-1]["symbol"] == "XOM"
    bench.session.release("XOM")
    assert bench.frames() == [{"SessionId": "S", "Command": "unsubscribe", "Request": "r3"}]


def test_other_errors_are_retried_three_times() -> None:
    bench = Bench()
    bench.subscribe("KO", "PEP")
    bench.answer("PEP")
    for number, wait in enumerate((0.5, 1.0, 2.0)):
        bench.feed("-1", {"0": "Busy", "6": "KO"}, ErrorCode="42", Request=f"e{number}")
        assert bench.errors[-1].retries_left == 3 - number
        assert bench.after(wait - 0.01) == []
        assert symbols_of(bench.after(0.01)) == ["KO"]
    bench.feed("-1", {"0": "Busy", "6": "KO"}, ErrorCode="42", Request="r9")
    last = bench.errors[-1]
    assert (last.reason, last.code, last.text, last.retries_left) == ("stream_error", "42", "Busy", 0)
    assert bench.after(100) == []
    assert len(bench.errors) == 4


def test_a_retry_that_works_starts_over() -> None:
    bench = Bench()
    bench.subscribe("KO")
    bench.feed("-1", {"0": "Busy", "6": "KO"}, ErrorCode="42", Request="r1")
    bench.after(0.5)
    bench.answer("KO", request="r2")
    assert bench.published[-1]["symbol"] == "KO"
    assert bench.after(60) == []


def test_nobody_waits_for_a_retry_any_more() -> None:
    bench = Bench()
    bench.subscribe("KO")
    bench.feed("-1", {"0": "Busy", "6": "KO"}, ErrorCode="42", Request="r1")
    bench.session.release("KO")
    assert bench.after(10) == []


def test_an_error_without_items_meets_the_oldest_command() -> None:
    bench = Bench()
    bench.subscribe("KO", "PEP")
    bench.subscribe("XOM")
    bench.answer("PEP")
    bench.feed("-1", ErrorCode="18", Data=[])
    assert [(error.symbol, error.reason) for error in bench.errors] == [("KO", "symbol_not_found")]
    bench.feed("-1", ErrorCode="18", Data=[])
    assert bench.errors[-1].symbol == "XOM"
    bench.feed("-1", ErrorCode="18", Data=[])
    assert bench.counters["unbound_errors"] == 1


def test_an_error_of_the_greeks_leaves_the_quote() -> None:
    bench = Bench()
    bench.subscribe("-KO270219C70")
    bench.feed("-1", {"0": "Source not found", "6": "-KO270219C70.GK"}, ErrorCode="18", Request="r1")
    bench.answer("-KO270219C70")
    assert bench.errors == []
    assert bench.published[-1]["last"] == 1
    assert bench.after(30) == []


def test_a_single_command_ends_by_its_request_id() -> None:
    bench = Bench()
    bench.subscribe("KO")
    bench.answer("KO", request="abc")
    bench.session.release("KO")
    assert bench.frames() == [{"SessionId": "S", "Command": "unsubscribe", "Request": "abc"}]
    bench.feed("0", {"6": "KO", "29": "2"})
    assert len(bench.published) == 1
    assert bench.counters["unexpected_items"] == 1


def test_released_before_it_was_sent_or_answered() -> None:
    bench = Bench()
    bench.session.subscribe([QuoteState("KO"), QuoteState("PEP")])
    bench.session.release("KO")
    assert symbols_of(bench.frames()) == ["PEP"]
    bench.session.release("PEP")
    assert bench.frames() == []
    bench.answer("PEP", request="late")
    assert bench.frames() == [{"SessionId": "S", "Command": "unsubscribe", "Request": "late"}]
    unsent = Bench()
    unsent.session.subscribe([QuoteState("KO")])
    unsent.session.release("KO")
    assert unsent.frames() == []
    silent = Bench()
    silent.subscribe("KO")
    silent.session.release("KO")
    assert silent.after(10) == [{"SessionId": "S", "Command": "unsubscribe", "Symbol": "KO"}]


def test_single_symbols_of_a_batch_flow_unheard_until_most_are_idle() -> None:
    bench = Bench()
    bench.subscribe(*names(5))
    bench.answer(*names(5), request="old")
    for symbol in ("S0", "S1"):
        bench.session.release(symbol)
    assert bench.frames() == []
    bench.feed("0", {"6": "S0", "29": "2"})
    assert len(bench.published) == 5
    bench.session.release("S2")
    assert symbols_of(bench.frames()) == ["S3,S4"]
    bench.answer("S3", request="new")
    assert bench.frames() == []
    bench.answer("S4", request="new")
    assert bench.frames() == [{"SessionId": "S", "Command": "unsubscribe", "Request": "old"}]
    bench.feed("0", {"6": "S3", "29": "3"})
    assert bench.published[-1]["last"] == 3
    bench.session.release("S3")
    assert bench.frames() == []
    bench.session.release("S4")
    assert bench.frames() == [{"SessionId": "S", "Command": "unsubscribe", "Request": "new"}]


def test_a_freed_symbol_that_still_flows_is_taken_up_with_its_present_state() -> None:
    bench = Bench()
    bench.subscribe(*names(3))
    bench.answer(*names(3))
    bench.session.release("S0")
    bench.feed("0", {"6": "S0", "29": "7"})
    assert bench.session.carries("S0")
    assert bench.subscribe("S0") == []
    assert (bench.published[-1]["symbol"], bench.published[-1]["last"]) == ("S0", 7)
    bench.feed("0", {"6": "S0", "29": "8"})
    assert bench.published[-1]["last"] == 8


def test_a_symbol_revived_while_its_command_is_replaced_is_asked_for_again() -> None:
    bench = Bench()
    bench.subscribe(*names(3))
    bench.answer(*names(3), request="old")
    bench.session.release("S0")
    bench.session.release("S1")
    assert symbols_of(bench.frames()) == ["S2"]
    assert bench.subscribe("S0") == []
    bench.answer("S2", request="new")
    assert bench.frames() == [
        {"SessionId": "S", "Command": "unsubscribe", "Request": "old"},
        {"SessionId": "S", "Command": "subscribe", "Symbol": "S0", "ConflationRate": 1000,
         "IncludeGreeks": False},
    ]  # fmt: skip


def test_the_symbol_form_spares_what_others_need() -> None:
    bench = Bench()
    bench.subscribe("KO", "PEP")
    bench.answer("KO", "PEP", request="one")
    bench.session.release("KO")
    bench.session.release("PEP")
    assert bench.frames()[0]["Request"] == "one"
    bench.subscribe("PEP")
    bench.timing.now += 6
    bench.feed("0", {"6": "KO", "29": "2"})
    assert bench.frames() == [{"SessionId": "S", "Command": "unsubscribe", "Symbol": "KO"}]
    bench.timing.now += 6
    bench.feed("0", {"6": "KO", "29": "2"})
    assert not bench.session.useless


def test_values_that_are_no_text() -> None:
    bench = Bench()
    bench.subscribe("KO")
    bench.session.feed(
        b'{"Command":"subscribe","ResponseType":1,"Data":[{"0":"success","6":"KO","29":72.10,"33":8123456,'
        b'"128":null,"999":true,"998":{"a":1}}],"Request":12345678}',
        1.0,
    )
    assert str(bench.published[-1]["last"]) == "72.10"
    bench.session.feed(b'{"ResponseType":0,"Data":[{"6":"KO","20":72.5}]}', 1.0)
    assert str(bench.published[-1]["bid"]) == "72.5"
    bench.session.release("KO")
    assert bench.frames()[0]["Request"] == "12345678"


def test_what_is_no_message() -> None:
    bench = Bench()
    bench.subscribe("KO")
    for frame in (b"", b"<html>", b"[]", b'{"ResponseType":"0","Data":5}', b"\xff\xfe"):
        bench.session.feed(frame, 1.0)
    bench.session.feed(b"{}", 1.0)
    assert bench.counters["malformed_frames"] == 5
    assert bench.counters["unknown_response_types"] == 1


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["0", "6", "10", "29", "128", "289", "462", "356", "x"]),
            st.sampled_from(["success", "KO", "KO.GK", "KO.VB", "SPX", ".SPX", "IX", "", "1", "no"]),
        ),
        max_size=4,
    ),
    st.sampled_from(["1", "0", "-1", "2", ""]),
    st.sampled_from(["quote", "trade", "book", "bar"]),
)
def test_nothing_received_raises(items: list[dict[str, str]], response: str, kind: Kind) -> None:
    bench = Bench(kind)
    bench.subscribe("KO", ".SPX")
    bench.feed(response, *items)
    bench.feed("0", *items)
    bench.session.release("KO")
    bench.feed(response, *items)
    bench.after(30)


@pytest.mark.parametrize(
    "item",
    [
        {"6": ".SPX"},
        {"6": "SPX", "128": "IX"},
        {"289": ".SPX"},
        {"289": "SPX", "128": "IX"},
        {"11": "SPX", "128": "IX"},
        {"10": "SPX", "128": "IX"},
    ],
)
def test_an_index_is_matched_however_it_is_named(item: dict[str, str]) -> None:
    bench = Bench()
    bench.subscribe(".SPX", "SPX.X")
    bench.feed("1", {"0": "success", **item, "29": "6435.64"}, Request="r")
    assert [entry["symbol"] for entry in bench.published] == [".SPX"]


def test_a_delta_of_an_index_needs_no_type() -> None:
    bench = Bench()
    bench.subscribe(".SPX")
    bench.feed("1", {"0": "success", "10": "SPX", "128": "IX", "29": "1"}, Request="r")
    bench.feed("0", {"10": "SPX", "29": "2"})
    assert bench.published[-1]["last"] == 2
    other = Bench()
    other.subscribe(".SPX")
    other.feed("0", {"10": "SPX", "29": "2"})
    assert other.counters["unexpected_items"] == 1


def test_items_of_another_kind_are_dropped() -> None:
    bench = Bench()
    bench.subscribe("KO")
    bench.answer("KO")
    bench.feed("0", {"6": "KO.VB", "29": "2"})
    bench.feed("1", {"0": "success", "6": "KO", "356": "2"}, Request="r1")
    assert bench.counters["foreign_items"] == 2
    assert len(bench.published) == 1


def test_a_book_that_stays_wrong_is_asked_for_again_once_a_minute() -> None:
    bench = Bench("book")
    bench.subscribe("KO")
    wrong = {"6": "KO.VB", "462": "72", "463": "73", "537": "74"}
    bench.feed("1", {"0": "success", **wrong}, Command="subscribe_virtualbook", Request="r1")
    assert bench.published[-1]["inconsistent"] is True
    assert bench.session.next_deadline() == 2
    assert bench.after(1.9) == []
    frames = bench.after(0.1)
    assert [frame["Command"] for frame in frames] == ["unsubscribe", "subscribe_virtualbook"]
    bench.feed("1", {"0": "success", **wrong}, Command="subscribe_virtualbook", Request="r2")
    assert bench.after(50) == []
    assert len(bench.after(10)) == 2
    bench.feed(
        "1", {"0": "success", "6": "KO.VB", "462": "72"}, Command="subscribe_virtualbook", Request="r3"
    )
    assert bench.published[-1]["inconsistent"] is False
    assert bench.after(100) == []


def test_a_crossed_book_has_five_seconds_without_change() -> None:
    bench = Bench("book")
    bench.subscribe("KO")
    crossed = {"6": "KO.VB", "462": "75", "537": "74"}
    bench.feed("1", {"0": "success", **crossed}, Command="subscribe_virtualbook", Request="r1")
    bench.after(4)
    bench.feed("0", {"6": "KO.VB", "512": "100"}, Command="subscribe_virtualbook")
    assert bench.after(4) == []
    assert len(bench.after(1)) == 2


def test_one_publication_a_message() -> None:
    bench = Bench("book")
    bench.subscribe("KO")
    bench.feed("1", {"0": "success", "6": "KO.VB", "462": "75"}, Command="subscribe_virtualbook", Request="r")
    bench.feed("0", {"6": "KO.VB", "512": "1"}, {"6": "KO", "513": "2"}, Command="subscribe_virtualbook")
    assert len(bench.published) == 2


def test_several_bars_in_one_message_are_taken_in_order() -> None:
    bench = Bench("bar")
    bench.subscribe("KO")
    bar = {"0": "success", "6": "KO.XX", "356": "1"}
    items = [bar | {"361": time} for time in ("14:32:00", "14:30:00", "14:31:00")]
    bench.feed("1", *items, Command="subscribe_1-minute-bar", Request="r")
    assert [(entry["start"], entry["final"]) for entry in bench.published] == [
        ("14:30:00", False), ("14:30:00", True), ("14:31:00", False), ("14:31:00", True), ("14:32:00", False),
    ]  # fmt: skip
    assert bench.session.next_deadline() == pytest.approx(65)
    assert bench.after(64.9) == []
    bench.after(0.1)
    assert (bench.published[-1]["start"], bench.published[-1]["final"]) == ("14:32:00", True)
    assert bench.session.next_deadline() is None


@pytest.mark.parametrize(
    ("frame", "connected"),
    [
        ('{"Message":"success","SessionId":"a","Status":"Ok","host":"h","productid":"atn"}', True),
        ('{"SessionId":"a","host":"h","productid":"atn"}', True),
        ('{"sessionid":"a","ProductId":"atn"}', True),
        ('{"SessionId":"a","Status":"Ok"}', True),
        ('{"SessionId":"a","Status":"Error","productid":"atn"}', False),
        ('{"SessionId":"a"}', False),
        ('{"SessionId":"","Status":"Ok","productid":"atn"}', False),
        ('{"SessionId":5,"productid":"atn"}', False),
        ('{"SessionId":"a","productid":"atn","Command":"subscribe"}', None),
        ('{"SessionId":"a","productid":"atn","Data":[]}', None),
        ('{"Message":"success"}', None),
        ("[]", None),
        ("<html>", None),
    ],
)
def test_greetings(frame: str, connected: bool | None) -> None:
    greeting = read_greeting(frame)
    assert (None if greeting is None else bool(greeting.session_id)) == connected
