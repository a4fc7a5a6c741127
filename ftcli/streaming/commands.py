"""The subscribe commands of one connection: sent, answered, retried, ended (protocol 05 §2.2-2.13).

A command carries no id of ours and the server picks the request id, so a command is bound to its id by the
symbols of its first answer; where an answer is so late that its symbols were asked for again, several commands
share an id, and one command has several. One request id covers all symbols of a command; single symbols are
freed by letting them flow unheard until more than half of the command is idle.
"""

from collections import deque
from collections.abc import Callable, Iterable

import msgspec

from ftcli.models.streaming import Kind
from ftcli.streaming import frames
from ftcli.streaming.counters import Oddities
from ftcli.streaming.releases import Releases
from ftcli.streaming.retries import Retries
from ftcli.streaming.symbols import is_option

CHUNK = 50
"""Symbols in one subscribe command."""
ANSWER_WAIT = 10.0
"""Seconds until an unanswered symbol is sent again, alone, and then reported."""


class Command(msgspec.Struct, eq=False):
    """A subscribe command and what became of it.

    Attributes:
        symbols: All its symbols.
        live: Those that somebody still needs.
        unanswered: Those without snapshot or error so far.
        refused: Those with an error: the broker sends nothing for them.
        greeks: Whether it asks for Greeks.
        alone: Whether it is a second try of one symbol.
        replaces: The older command whose remaining symbols it takes over.
        replaced: Whether another one takes over from it; that one ends it.
        ended: Whether it has been unsubscribed.
        requests: The server's ids of it, once known.
        sent_at: When it left, ``None`` while it waits to be sent.
    """

    symbols: tuple[str, ...]
    live: set[str]
    unanswered: set[str]
    greeks: bool
    alone: bool
    replaces: "Command | None" = None
    replaced: bool = False
    ended: bool = False
    refused: set[str] = msgspec.field(default_factory=set)
    requests: list[str] = []
    sent_at: float | None = None

    def expired(self, now: float) -> bool:
        """Whether its answers are overdue."""
        return self.sent_at is not None and now >= self.sent_at + ANSWER_WAIT


class CommandBook:
    """Every subscribe command of a connection.

    Args:
        session_id: Echoed in every command.
        kind: What the connection subscribes to.
        monotonic: The clock that time limits are measured with.
        unroute: Called with a symbol whose data are to be dropped from now on.
        timed_out: Called with a symbol that stayed without any answer.
        counters: Where oddities are counted.
        conflation_ms: Least time between two updates of one symbol.
        chunk: Symbols in one command.
    """

    def __init__(
        self,
        session_id: str,
        kind: Kind,
        *,
        monotonic: Callable[[], float],
        unroute: Callable[[str], None],
        timed_out: Callable[[str], None],
        counters: Oddities,
        conflation_ms: int,
        chunk: int = CHUNK,
    ) -> None:
        self.session_id = session_id
        self.kind = kind
        self.monotonic = monotonic
        self.counters = counters
        self.retries = Retries()
        self.by_symbol: dict[str, Command] = {}
        self._unroute = unroute
        self._timed_out = timed_out
        self._conflation_ms = 0 if kind == "trade" else conflation_ms
        self._chunk = 1 if kind == "book" else chunk
        self._requests: dict[str, list[Command]] = {}
        self._ended: set[str] = set()  # request ids whose late answers are nobody's
        # Whether a command was ended whose id was not known: the id may be bound to another one since.
        self._blind = False
        self._open: list[Command] = []  # with unanswered symbols, the oldest first
        self._outbox: deque[str | Command] = deque()
        self.releases = Releases(self)

    # -- sending ---------------------------------------------------------------------------------------

    def ask(self, symbols: Iterable[str]) -> None:
        """Subscribe to symbols no command carries yet; options in commands of their own, with Greeks."""
        plain: list[str] = []
        options: list[str] = []
        for symbol in symbols:
            (options if self._wants_greeks(symbol) else plain).append(symbol)
        for names, greeks in ((plain, False), (options, True)):
            for start in range(0, len(names), self._chunk):
                self._send(names[start : start + self._chunk], greeks=greeks)

    def _wants_greeks(self, symbol: str) -> bool:
        return self.kind == "quote" and is_option(symbol)

    def _send(
        self, symbols: list[str], *, greeks: bool, alone: bool = False, replaces: Command | None = None
    ) -> None:
        names = tuple(symbols)
        command = Command(names, set(names), set(names), greeks, alone, replaces)
        for symbol in names:
            self.by_symbol[symbol] = command
        self._open.append(command)
        self._outbox.append(command)

    def put(self, frame: str) -> None:
        """File a frame for sending."""
        self._outbox.append(frame)

    def next_frame(self) -> str | None:
        """The next frame to send, or ``None``."""
        while self._outbox:
            entry = self._outbox.popleft()
            if isinstance(entry, str):
                return entry
            self._trim(entry)
            if not entry.symbols:
                self._forget(entry)
                self._end_replaced(entry)
                continue
            entry.sent_at = self.monotonic()
            return frames.subscribe(
                self.session_id,
                self.kind,
                entry.symbols,
                conflation_ms=self._conflation_ms,
                greeks=entry.greeks,
            )
        return None

    def _trim(self, command: Command) -> None:
        """Leave out what was released before the command left."""
        for symbol in set(command.symbols) - command.live:
            if self.by_symbol.get(symbol) is command:
                self._let_go(symbol)
        command.symbols = tuple(symbol for symbol in command.symbols if symbol in command.live)
        command.unanswered &= command.live

    def _let_go(self, symbol: str) -> None:
        self.by_symbol.pop(symbol, None)
        self._unroute(symbol)

    @property
    def busy(self) -> bool:
        """Whether anybody needs anything of this connection."""
        return any(command.live for command in self.by_symbol.values())

    # -- answers ---------------------------------------------------------------------------------------

    def bind(self, symbol: str, request: str) -> Command | None:
        """The command an answer belongs to; its request id is bound at the first answer.

        Args:
            symbol: What the answer is about.
            request: The answer's request id, or an empty text.
        """
        if request in self._ended:
            return None
        for command in self._requests.get(request, ()):
            if symbol in command.symbols:
                return command
        waiting = (entry for entry in self._open if entry.sent_at is not None and symbol in entry.unanswered)
        found = next(waiting, None) or self.by_symbol.get(symbol)
        if found is not None and request:
            found.requests.append(request)
            self._requests.setdefault(request, []).append(found)
        return found

    def unwanted(self, request: str) -> None:
        """An answer to a command that was given up before it was answered: now it can be ended by its id."""
        if request and request not in self._requests and request not in self._ended:
            self._ended.add(request)
            self.put(frames.unsubscribe(self.session_id, request))

    def unanswered(self, word: str, request: str) -> list[tuple[Command, str]]:
        """What an error without items means: the open symbols of its command, else of the oldest one."""
        command = next(iter(self._requests.get(request, ())), None)
        if command is None and word == frames.WORDS[self.kind]:
            command = next((entry for entry in self._open if entry.sent_at is not None), None)
        return [] if command is None else [(command, symbol) for symbol in sorted(command.unanswered)]

    def answered(self, command: Command | None, symbol: str, *, refused: bool = False) -> None:
        """A symbol of a command got its snapshot, or its error: :meth:`failed` has to be told then too."""
        if command is None or symbol not in command.unanswered:
            return
        command.unanswered.discard(symbol)
        if not command.live:
            self._drop(command)
        elif not command.unanswered:
            self._open.remove(command)
            self._end_replaced(command)
            if not refused:
                self._thin_out(command)

    def failed(self, symbol: str, *, final: bool) -> tuple[bool, int]:
        """A symbol was refused: plan another try where that can help.

        Returns:
            Whether anybody needed it, and how many tries are left.
        """
        command = self.by_symbol.pop(symbol, None)
        needed = command is not None and symbol in command.live
        if command is not None:
            command.live.discard(symbol)
            command.refused.add(symbol)
            if command.live and not command.replaced:
                self._thin_out(command)
            elif not command.replaced and (self._blind or not command.refused.issuperset(command.symbols)):
                self._drop(command)
        left = self.retries.plan(symbol, self.monotonic()) if needed and not final else 0
        if not left:
            self.retries.forget(symbol)
            self._unroute(symbol)
        return needed, left

    # -- ending ----------------------------------------------------------------------------------------

    def release(self, symbol: str) -> None:
        """Nobody needs a symbol any more (the delay of protocol 05 §6.6 has passed)."""
        command = self.by_symbol.get(symbol)
        self.retries.forget(symbol)
        if command is None:
            self._unroute(symbol)
            return
        command.live.discard(symbol)
        if command.replaced:
            return
        if not command.live:
            self._drop(command)
        else:
            self._thin_out(command)

    def renew(self, symbol: str) -> None:
        """Subscribe a symbol that has a command of its own anew, because its data cannot be right."""
        command = self.by_symbol.get(symbol)
        if command is None or len(command.symbols) != 1 or command.unanswered:
            return
        self._end(command, [symbol])
        self.releases.forget(symbol)
        self._send([symbol], greeks=command.greeks)

    def _thin_out(self, command: Command) -> None:
        """More than half of a command is idle: carry the rest over to a new one, which then ends the old."""
        if command.unanswered or len(command.live) * 2 >= len(command.symbols):
            return
        carried, command.live, command.replaced = sorted(command.live), set(), True
        self._send(carried, greeks=command.greeks, replaces=command)

    def _drop(self, command: Command) -> None:
        """End a command none of whose symbols is needed, unless its first answer is still to come."""
        if command.sent_at is None:
            if command in self._outbox:
                self._outbox.remove(command)
            self._forget(command)
            if command.requests:  # a late answer to an earlier try has been bound to it
                self._end(command, command.symbols)
        elif command.requests or not command.unanswered:
            self._forget(command)
            self._end(command, command.symbols)
        else:
            return
        self._end_replaced(command)

    def _forget(self, command: Command) -> None:
        command.unanswered = set()
        for symbol in command.symbols:
            if self.by_symbol.get(symbol) is command:
                self._let_go(symbol)
        if command in self._open:
            self._open.remove(command)

    def _end(self, command: Command, symbols: Iterable[str]) -> None:
        """Unsubscribe a command, once; an id that others share lives on with them."""
        if command.ended:
            return
        command.ended = True
        ids = []
        for request in command.requests:
            if request in self._ended:
                continue
            others = [user for user in self._requests.pop(request, ()) if user is not command]
            if any(user.live or user.replaced for user in others):
                self._requests[request] = others
            else:
                self._ended.add(request)
                ids.append(request)
        if ids or not command.requests:
            self._blind = self._blind or not ids
            self.releases.end(symbols, ids)

    def _end_replaced(self, command: Command) -> None:
        """End the command that another one has taken over from, and the symbols nobody needs with it."""
        old, command.replaces = command.replaces, None
        if old is None:
            return
        mine = [symbol for symbol in old.symbols if self.by_symbol.get(symbol) is old]
        revived = [symbol for symbol in mine if symbol in old.live]
        idle = [symbol for symbol in mine if symbol not in old.live]
        for symbol in idle:
            self._let_go(symbol)
        self._end(old, idle)
        if revived:
            self._send(revived, greeks=old.greeks)

    # -- time ------------------------------------------------------------------------------------------

    def poll(self) -> None:
        """Do what is due: second tries, time limits, retries."""
        now = self.monotonic()
        for command in [entry for entry in self._open if entry.expired(now)]:
            self._open.remove(command)
            late, command.unanswered = sorted(command.unanswered & command.live), set()
            self._end_replaced(command)
            for symbol in late:
                if not command.alone:
                    self._ask_again(symbol)
                elif self.retries.unanswered(symbol, now):
                    self._timed_out(symbol)
            if not command.live:
                self._drop(command)
        for symbol in self.retries.due(now):
            self._ask_again(symbol)

    def _ask_again(self, symbol: str) -> None:
        """Send a symbol once more, alone; an answer to the command before is welcome still."""
        former = self.by_symbol.get(symbol)
        if former is not None:
            if symbol in former.unanswered:
                return
            former.live.discard(symbol)
        self._send([symbol], greeks=self._wants_greeks(symbol), alone=True)
        if former is not None and not former.live and former not in self._open:
            self._drop(former)

    def next_deadline(self) -> float | None:
        """When :meth:`poll` has something to do next, on the monotonic clock."""
        times = [command.sent_at + ANSWER_WAIT for command in self._open if command.sent_at is not None]
        return min(times + self.retries.times(), default=None)
