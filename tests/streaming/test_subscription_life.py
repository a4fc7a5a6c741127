"""Subscribing and releasing in any order: nobody is forgotten, nothing is left running."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st
from stream_doubles import ManualTiming

from ftcli.models.streaming import SymbolError
from ftcli.streaming.mdds_session import MddsSession
from ftcli.streaming.quote import QuoteState

SYMBOLS = ["A", "B", "C", "D", "-KO270219C70"]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["subscribe", "release", "send", "answer", "refuse", "tick", "wait", "wait long"]),
        st.lists(st.sampled_from(SYMBOLS), min_size=1, max_size=5, unique=True),
    ),
    max_size=40,
)


class Server:
    """Keeps the books of a server that ends subscriptions by request id and is deaf to the symbol form."""

    def __init__(self, session: MddsSession) -> None:
        self.session = session
        self.active: dict[str, set[str]] = {}
        self.unanswered: list[tuple[str, str]] = []
        self.count = 0

    def receive(self) -> None:
        while (frame := self.session.next_frame()) is not None:
            command = json.loads(frame)
            if command["Command"] == "subscribe":
                self.count += 1
                request = f"{self.count:08x}"
                symbols = command["Symbol"].split(",")
                self.active[request] = set(symbols)
                self.unanswered += [(request, symbol) for symbol in symbols]
            elif "Request" in command:
                del self.active[command["Request"]]

    def answer(self, symbols: list[str]) -> None:
        for request, symbol in [entry for entry in self.unanswered if entry[1] in symbols]:
            self.unanswered.remove((request, symbol))
            item = {"0": "success", "6": symbol, "29": "1"}
            self.say({"Command": "subscribe", "ResponseType": "1", "Data": [item], "Request": request})

    def refuse(self, symbols: list[str]) -> None:
        """Refuses them for now: the client may try again."""
        for request, symbol in [entry for entry in self.unanswered if entry[1] in symbols]:
            self.unanswered.remove((request, symbol))
            self.active.get(request, set()).discard(symbol)
            item = {"0": "busy", "6": symbol}
            error = {"Command": "subscribe", "ResponseType": "-1", "ErrorCode": "7", "Data": [item]}
            self.say({**error, "Request": request})

    def tick(self, symbols: list[str]) -> None:
        flowing = set().union(*self.active.values()) if self.active else set()
        for symbol in flowing.intersection(symbols):
            self.say({"ResponseType": "0", "Data": [{"6": symbol, "29": "2"}]})

    def say(self, message: dict[str, object]) -> None:
        self.session.feed(json.dumps(message).encode(), 1.0)


@settings(max_examples=300, deadline=None)
@given(STEPS)
def test_any_order_of_events(steps: list[tuple[str, list[str]]]) -> None:
    timing = ManualTiming()
    given_up: set[str] = set()

    def report(error: SymbolError) -> None:
        if error.reason == "stream_error" and not error.retries_left:
            given_up.add(error.symbol)

    session = MddsSession("S", "quote", report, timing, chunk=3)
    server = Server(session)
    wanted: dict[str, QuoteState] = {}
    heard: dict[str, int] = {}

    def settle() -> None:
        for _ in range(10):
            server.receive()
            server.answer(SYMBOLS)
            timing.now += 4
            session.poll()
        server.receive()

    for step, symbols in steps:
        if step == "subscribe":
            new = [symbol for symbol in symbols if symbol not in wanted]
            given_up.difference_update(new)
            for symbol in new:
                state = wanted[symbol] = QuoteState(symbol)
                state.watch(lambda changed: heard.update({changed.symbol: changed.take() is not None}))
            session.subscribe([wanted[symbol] for symbol in new])
        elif step == "release":
            for symbol in symbols:
                if wanted.pop(symbol, None) is not None:
                    session.release(symbol)
        elif step == "send":
            server.receive()
        elif step == "answer":
            server.answer(symbols)
        elif step == "tick":
            server.tick(symbols)
        elif step == "refuse":
            server.refuse(symbols)
        else:
            timing.now += 4 if step == "wait" else 31
            session.poll()

    settle()
    for symbol in given_up & wanted.keys():
        session.release(symbol)
        del wanted[symbol]
    flowing = set().union(*server.active.values()) if server.active else set()
    assert flowing >= wanted.keys()
    heard.clear()
    server.tick(SYMBOLS)
    assert heard.keys() == wanted.keys()
    for symbol in list(wanted):
        session.release(symbol)
        del wanted[symbol]
    settle()
    assert not any(server.active.values())
    assert session.commands.by_symbol == {}
    assert session.states == {}
    assert not session.commands.busy
