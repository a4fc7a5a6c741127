"""One MDDS connection without its socket: commands out, messages in (protocol 05 §2).

The session never sends and never waits: frames to be sent are drawn from it, frames received are fed to it,
and :meth:`MddsSession.poll` does what time demands.
"""

from collections.abc import Callable, Container, Iterable
from typing import Any

import msgspec

from ftcli.models.streaming import Kind, SymbolError
from ftcli.streaming import frames
from ftcli.streaming.bars import BarState
from ftcli.streaming.book import BookState
from ftcli.streaming.book_watch import BookWatch
from ftcli.streaming.commands import CHUNK, Command, CommandBook
from ftcli.streaming.counters import Oddities
from ftcli.streaming.frames import read_deltas
from ftcli.streaming.matching import candidates, item_kind, match_symbol
from ftcli.streaming.quote import QuoteState
from ftcli.streaming.state import Item, State
from ftcli.streaming.symbols import GREEKS_SUFFIX, split_suffix
from ftcli.streaming.timing import Timing

ErrorSink = Callable[[SymbolError], None]


class MddsSession:
    """The protocol side of one connection. It carries one kind of subscription.

    Args:
        session_id: From the connect message.
        kind: ``quote``, ``trade``, ``book`` or ``bar``.
        report: Called with every symbol the broker refuses.
        timing: The clocks that time limits are measured with.
        counters: Where oddities are counted.
        conflation_ms: Least time between two updates of one symbol; the tape always asks for every one.
        chunk: Symbols in one subscribe command.
    """

    def __init__(
        self,
        session_id: str,
        kind: Kind,
        report: ErrorSink,
        timing: Timing,
        counters: Oddities | None = None,
        *,
        conflation_ms: int = 1000,
        chunk: int = CHUNK,
    ) -> None:
        self.kind = kind
        self.counters = Oddities() if counters is None else counters
        self.states: dict[str, State] = {}
        self._report = report
        self._timing = timing
        self._books = BookWatch()
        self._touched: dict[str, BookState] = {}
        self._fast: dict[str | None, Any] = {}  # text of id 6 → state or Greeks port
        self._find = self._fast.get
        self.commands = CommandBook(
            session_id,
            kind,
            monotonic=timing.monotonic,
            unroute=self._unroute,
            timed_out=self._timed_out,
            counters=self.counters,
            conflation_ms=conflation_ms,
            chunk=chunk,
        )

    # -- subscribing -----------------------------------------------------------------------------------

    def subscribe(self, states: Iterable[State]) -> None:
        """Ask for these symbols, and let their data flow into these states."""
        new: list[str] = []
        for state in states:
            symbol = state.symbol
            former = self.states.get(symbol)
            self._route(state)
            command = self.commands.by_symbol.get(symbol)
            if command is None:
                new.append(symbol)
                continue
            # Still flowing, or asked for and not answered yet: no second command for one symbol.
            command.live.add(symbol)
            if former is not None and former is not state:
                for item in former.wire_items():
                    self._target(state, item).snapshot(item, former.at)
        self.commands.ask(new)

    def _route(self, state: State) -> None:
        self.states[state.symbol] = state
        self.commands.releases.forget(state.symbol)
        if isinstance(state, QuoteState):
            self._fast[state.symbol] = state
            self._fast[state.symbol + GREEKS_SUFFIX] = state.greeks

    def _unroute(self, symbol: str) -> None:
        """Drop what still arrives for a symbol from now on."""
        self.states.pop(symbol, None)
        self._fast.pop(symbol, None)
        self._fast.pop(symbol + GREEKS_SUFFIX, None)
        self._books.forget(symbol)

    def release(self, symbol: str) -> None:
        """Nobody needs a symbol any more: its data are heard no longer, and its command ends in time."""
        state = self.states.get(symbol)
        if state is not None:
            state.watch(None)
        self.commands.release(symbol)

    def carries(self, symbol: str) -> bool:
        """Whether the connection still receives a symbol, needed or not."""
        return symbol in self.commands.by_symbol

    def next_frame(self) -> str | None:
        """The next frame to send, or ``None``."""
        return self.commands.next_frame()

    def poll(self) -> None:
        """Do what is due: second tries, time limits, retries, bars that are over, books that stay wrong."""
        self.commands.poll()
        for symbol in self._books.due(self._timing.monotonic()):
            self.counters["books_renewed"] += 1
            self.commands.renew(symbol)
        epoch = self._timing.epoch()
        for state in list(self.states.values()) if self.kind == "bar" else ():
            if isinstance(state, BarState):
                state.expire(epoch)

    def next_deadline(self) -> float | None:
        """When :meth:`poll` has something to do next, on the monotonic clock."""
        times = [self.commands.next_deadline(), self._books.next_deadline()]
        if self.kind == "bar":
            ahead = self._timing.monotonic() - self._timing.epoch()
            ends = [state.expires_at() for state in self.states.values() if isinstance(state, BarState)]
            times += [end + ahead for end in ends if end is not None]
        return min((when for when in times if when is not None), default=None)

    @property
    def useless(self) -> bool:
        """Whether the connection should be closed because it cannot be made silent."""
        return self.commands.releases.useless

    # -- receiving -------------------------------------------------------------------------------------

    def feed(self, frame: bytes, at: float) -> None:
        """Take in one frame. Nothing in it raises.

        Args:
            frame: As received.
            at: Epoch seconds of its arrival.
        """
        try:
            message = read_deltas(frame)
        except msgspec.MsgspecError:
            self._feed_whole(frame, at)
            return
        if message.ResponseType != "0":
            self._feed_whole(frame, at)
            return
        find = self._find
        for item in message.Data:
            target = find(item.get("6"))
            if target is None:
                self._slow_delta(item, at)
                continue
            # In line, because this runs for every tick: file the change, tell whoever listens.
            target.at = at
            filed = target.filed
            filed |= item
            if target.publish is not None:
                target.publish(target)
        if self._touched:
            self._publish_books()

    def _publish_books(self) -> None:
        """Publish the books a message has touched, each once."""
        touched, self._touched = self._touched, {}
        now = self._timing.monotonic()
        for book in touched.values():
            self._books.note(book, now)
            if book.has_snapshot:
                book.announce()

    def _feed_whole(self, frame: bytes, at: float) -> None:
        """Whatever is no ordinary delta: answers, and messages with something odd in them."""
        message: frames.Message | None
        try:
            message = frames.read_message(frame)
        except msgspec.MsgspecError:
            message = frames.read_loose(frame)
        if message is None:
            self.counters["malformed_frames"] += 1
        elif message.ResponseType == frames.DELTA:
            for item in message.Data:
                self._slow_delta(item, at)
            if self._touched:
                self._publish_books()
        else:
            self._answer(message, at)

    def _answer(self, message: frames.Message, at: float) -> None:
        if message.ResponseType == frames.SNAPSHOT:
            items = sorted(message.Data, key=_start_of_bar) if self.kind == "bar" else message.Data
            for item in items:
                self._snapshot(item, message.Request, at)
        elif message.ResponseType == frames.ERROR:
            for item in message.Data:
                self._refused(item, message.Request, message.ErrorCode)
            if not message.Data:
                self._refuse_all(message)
        else:
            self.counters["unknown_response_types"] += 1

    def _slow_delta(self, item: Item, at: float) -> None:
        state, suffix = self._locate(item)
        if state is None:
            return
        self._target(state, item, suffix).delta(item, at)
        if isinstance(state, BookState):
            self._touched[state.symbol] = state

    # -- matching --------------------------------------------------------------------------------------

    def _locate(self, item: Item) -> tuple[State | None, str]:
        """The state an item belongs to and the suffix of its symbol; what belongs nowhere is counted."""
        suffix = split_suffix(item.get("6", ""))[1]
        if item_kind(item, suffix, self.kind) != self.kind:
            self.counters["foreign_items"] += 1
            return None, suffix
        symbol = self._match(item, self.states)
        if symbol is None:
            self.counters["unexpected_items"] += 1
            for text in candidates(item):
                self.commands.releases.still_arrives(text)
            return None, suffix
        return self.states[symbol], suffix

    def _match(self, item: Item, known: Container[str]) -> str | None:
        return match_symbol(item, known, self.kind, self._is_index)

    def _is_index(self, symbol: str) -> bool:
        state = self.states.get(symbol)
        return isinstance(state, QuoteState) and state.text("128") == "IX"

    def _target(self, state: State, item: Item, suffix: str | None = None) -> Any:
        """Where an item of a state belongs: the state itself, or its Greeks."""
        suffix = split_suffix(item.get("6", ""))[1] if suffix is None else suffix
        return state.greeks if suffix == GREEKS_SUFFIX and isinstance(state, QuoteState) else state

    # -- answers ---------------------------------------------------------------------------------------

    def _snapshot(self, item: Item, request: str, at: float) -> None:
        if item.get("0", "success") != "success":
            self._refused(item, request, "")
            return
        state, suffix = self._locate(item)
        if state is None:
            # It may be the answer to a command whose symbols nobody needs any more.
            symbol = self._match(item, self.commands.by_symbol)
        else:
            symbol = state.symbol
            self.commands.retries.forget(symbol)
            self._target(state, item, suffix).snapshot(item, at)
            if isinstance(state, BookState):
                self._books.note(state, self._timing.monotonic())
        if symbol is not None:
            self.commands.answered(self.commands.bind(symbol, request), symbol)
        else:
            self.commands.unwanted(request)

    def _refused(self, item: Item, request: str, code: str) -> None:
        symbol = self._match(item, self.commands.by_symbol)
        if symbol is None:
            self.counters["unbound_errors"] += 1
            return
        state = self.states.get(symbol)
        command = self.commands.bind(symbol, request)
        if split_suffix(item.get("6", ""))[1] == GREEKS_SUFFIX and isinstance(state, QuoteState):
            state.greeks_lost()
            return
        self._meet(command, symbol, code, item.get("0", ""))

    def _refuse_all(self, message: frames.Message) -> None:
        """An error that names no symbol meets all that are still unanswered (protocol 05 §2.12)."""
        met = self.commands.unanswered(message.Command, message.Request)
        if not met:
            self.counters["unbound_errors"] += 1
        for command, symbol in met:
            self._meet(command, symbol, message.ErrorCode, "")

    def _meet(self, command: Command | None, symbol: str, code: str, text: str) -> None:
        """An error meets a symbol of a command."""
        current = command is self.commands.by_symbol.get(symbol)
        self.commands.answered(command, symbol, refused=True)
        if current:
            self._fail(symbol, code, text)
        else:
            # The command had been given up; the one that has taken its place has an answer of its own.
            self.counters["late_errors"] += 1

    def _fail(self, symbol: str, code: str, text: str) -> None:
        final = frames.is_not_found(code, text)
        needed, left = self.commands.failed(symbol, final=final)
        if needed:
            self._report(
                SymbolError(
                    kind=self.kind,
                    symbol=symbol,
                    reason="symbol_not_found" if final else "stream_error",
                    code=code or None,
                    text=text or None,
                    retries_left=left,
                )
            )

    def _timed_out(self, symbol: str) -> None:
        """Two tries without any answer. It is asked for again later, and its data are welcome at any time."""
        self.counters["subscribe_timeouts"] += 1
        self._report(SymbolError(kind=self.kind, symbol=symbol, reason="subscribe_timeout"))


def _start_of_bar(item: Item) -> str:
    return item.get("361") or item.get("357") or ""
