"""The worked transcripts of protocol 05 §9, fed to the protocol layer."""

from typing import Any

import pytest
from stream_doubles import ManualTiming
from transcripts import assert_in_order, parse, transcript

from ftcli.models.json import dumps
from ftcli.models.streaming import Kind, SymbolError
from ftcli.streaming.bars import BarState
from ftcli.streaming.book import BookState
from ftcli.streaming.counters import Oddities
from ftcli.streaming.frames import read_greeting
from ftcli.streaming.mdds_session import MddsSession
from ftcli.streaming.quote import QuoteState
from ftcli.streaming.state import State
from ftcli.streaming.tape import TapeState

SESSION = "5d0c7f3e-9b1a-4c22-8e57-0f6a2b7d9c41"
STATES: dict[Kind, type[Any]] = {"quote": QuoteState, "trade": TapeState, "book": BookState, "bar": BarState}


class Bench:
    """A session with everything it publishes."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.timing = ManualTiming()
        self.counters = Oddities()
        self.published: list[dict[str, Any]] = []
        self.session = MddsSession(SESSION, kind, self.refused, self.timing, self.counters)
        self.states: dict[str, State] = {}

    def refused(self, error: SymbolError) -> None:
        self.published.append(parse(dumps(error)))

    def announced(self, state: State) -> None:
        while (body := state.take()) is not None:
            self.published.append(parse(body))

    def subscribe(self, *symbols: str) -> None:
        states = []
        for symbol in symbols:
            state = self.states[symbol] = STATES[self.kind](symbol, self.counters)
            state.watch(self.announced)
            states.append(state)
        self.session.subscribe(states)

    def feed(self, frame: str) -> None:
        self.session.feed(frame.encode(), self.timing.epoch())

    def frames(self) -> list[dict[str, Any]]:
        found = []
        while (frame := self.session.next_frame()) is not None:
            found.append(parse(frame.encode()))
        return found


def play(name: str, kind: Kind) -> Bench:
    """Feeds a transcript; each subscribe of the client is caused by subscribing its symbols."""
    bench = Bench(kind)
    lines = transcript(name)
    for line in lines:
        if line.who == "C":
            bench.subscribe(*line.document["Symbol"].split(","))
            assert bench.frames() == [line.document]
        elif line.who == "S" and read_greeting(line.text) is None:
            bench.feed(line.text)
    assert_in_order(bench.published, [line.document for line in lines if line.who == "O"])
    return bench


@pytest.mark.parametrize(("name", "kind"), [("book", "book"), ("bars", "bar"), ("time_and_sales", "trade")])
def test_transcript(name: str, kind: Kind) -> None:
    play(name, kind)


def test_quotes_transcript() -> None:
    bench = play("quotes", "quote")
    assert [entry["seq"] for entry in bench.published if entry["symbol"] == "KO"] == [1, 2, 3]


def test_contested_ids_and_quotes_make_no_print() -> None:
    bench = play("time_and_sales", "trade")
    assert len(bench.published) == 4


def test_a_crossed_book_is_kept_and_flagged() -> None:
    bench = play("book", "book")
    books = [entry for entry in bench.published if "bids" in entry]
    assert (books[-1]["crossed"], books[-1]["best_bid"]) == (True, parse(b"72.18"))
    assert [entry["seq"] for entry in books] == [1, 2, 3, 4]


def test_errors_transcript() -> None:
    bench = Bench("quote")
    lines = transcript("errors")
    bench.subscribe("-KO250117C70", "PEP", "QZXQ")
    # The transcript asks for all three in one command; ours puts options apart.
    assert [frame["Symbol"] for frame in bench.frames()] == ["PEP,QZXQ", "-KO250117C70"]
    for line in lines:
        if line.who == "S":
            bench.feed(line.text)
    assert_in_order(bench.published, [line.document for line in lines if line.who == "O"])
    assert bench.counters["unknown_response_types"] == 1
    assert bench.counters["unbound_errors"] == 1
    assert len(bench.published) == 3


def test_greetings_transcript() -> None:
    good, bad = (read_greeting(line.text) for line in transcript("greetings") if line.who == "S")
    assert good is not None
    assert good.session_id == "e7b2f6a1-30c4-4d58-b6a9-5c81f2d0479e"
    assert good.host == "91be04d7c3f2.us-east-2b"
    assert bad is not None
    assert bad.session_id == ""


def test_unsubscribe_transcript() -> None:
    sent = [line.document for line in transcript("unsubscribe") if line.who == "C"]
    late = next(line.text for line in transcript("unsubscribe") if line.who == "S")
    tape = Bench("trade")
    tape.subscribe("KO")
    tape.frames()
    baseline = next(line.text for line in transcript("time_and_sales") if line.who == "S")
    tape.feed(baseline)
    tape.session.release("KO")
    assert tape.frames() == sent[:1]
    tape.feed(late)
    assert tape.published == []

    book = Bench("book")
    book.subscribe("KO")
    book.frames()
    answers = [line.text for line in transcript("book") if line.who == "S"]
    book.feed(answers[0])
    book.session.release("KO")
    assert book.frames() == sent[1:2]
    book.timing.now += 4.9
    book.feed(answers[1])
    assert book.frames() == []
    book.timing.now += 0.1
    book.feed(answers[1])
    assert book.frames() == sent[2:3]
    assert not book.session.useless
    book.timing.now += 5
    book.feed(answers[1])
    assert book.frames() == []
    assert book.session.useless
