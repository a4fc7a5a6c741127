"""The broker's market data socket as the paper broker serves it: one :class:`MddsFeed` a connection, no sockets.

It reads commands and writes frames; whoever owns the socket carries them (protocol 05 §2, appendix C). What the
feeds of all connections look at in one moment is made once, on the :class:`Board` they share.
"""

import random
import secrets
import uuid
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from ftcli.models.json import loads
from ftcli.models.mdds_items import Item
from ftcli.paper.mdds_board import KINDS, Board, parts, reshaped
from ftcli.paper.mdds_frames import delta_frame, error_frame, message_frame, text

if TYPE_CHECKING:
    from ftcli.paper.desk import Desk
    from ftcli.paper.faults import Faults

BAR_EVERY = timedelta(seconds=5)
MINUTE = timedelta(minutes=1)
LEAST_WAIT = timedelta(milliseconds=250)
"""How often a subscription that wants every change is looked at."""
LATE = timedelta(seconds=3)
"""For how long data still come after an unsubscribe, where the fault says so."""
LATE_GREETING = timedelta(seconds=2)
"""How long the first message is held back, where the fault says so."""
PAUSE = timedelta(milliseconds=500)
"""Between two parts of an answer, where the fault splits it."""
MADE_UP = "77"
"""Error code for what nobody knows the real code of."""
MOST_SYMBOLS, MOST_ON_SOCKET = 50, 100


class SocketEnd(Exception):
    """The server closes the connection."""


class Subscription(msgspec.Struct):
    """One symbol of one subscribe command.

    Attributes:
        command: The command word, echoed.
        symbol: The symbol.
        request: The server's id of the command.
        greeks: Whether options come with their Greeks.
        every: Least time between two updates; none for every change.
        due: When to look again.
        looked: The moment of the last look.
        sent: The items as last sent, by their symbol text.
        until: When it ends, where it has been unsubscribed and data come late.
    """

    command: str
    symbol: str
    request: str
    greeks: bool
    every: timedelta
    due: datetime
    looked: datetime
    sent: dict[str, Item] = {}
    until: datetime | None = None


class MddsFeed:
    """The server's side of one MDDS connection.

    Args:
        desk: The paper broker.
        board: What all connections look at; one of its own where left out.
    """

    def __init__(self, desk: "Desk", board: Board | None = None) -> None:
        self._desk = desk
        self._board = board or Board(desk)
        self.session_id = str(uuid.uuid4())
        self.subscriptions: dict[tuple[str, str], Subscription] = {}
        self._later: list[tuple[datetime, str]] = []

    def greeting(self, now: datetime) -> list[str]:
        """The first message of the server (protocol 05 §1.3), if it comes, and comes at once.

        Args:
            now: The present moment.
        """
        form = self._desk.faults.current().mdds_greeting
        if form == "none":
            return []
        frame = self._greeting(form)
        if form != "late":
            return [frame]
        self._later.append((now + LATE_GREETING, frame))
        return []

    def _greeting(self, form: str) -> str:
        greeting = {
            "SessionId": self.session_id,
            "host": f"{secrets.token_hex(6)}.us-east-1c",
            "productid": "atn",
        }
        if form == "b":
            return text(greeting)
        good = form != "error"
        head = {"Message": "success" if good else "failure", "Status": "Ok" if good else "Error"}
        return text({**head, **greeting})

    def receive(self, frame: str, now: datetime) -> list[str]:
        """Answers a command; unknown ones and foreign sessions are ignored, unless a fault says otherwise.

        Args:
            frame: The frame.
            now: The present moment.

        Raises:
            SocketEnd: A fault wants the connection closed.
        """
        faults = self._desk.faults.current()
        if faults.mute:
            return []
        try:
            command = loads(frame)
        except msgspec.DecodeError:
            return []
        if not isinstance(command, dict):
            return []
        word = str(command.get("Command"))
        if command.get("SessionId") != self.session_id:
            return self._refused(faults.mdds_wrong_session, word, "Session not found")
        if word in KINDS:
            return self._subscribe(word, command, now, faults)
        if word == "unsubscribe" and command.get("Request"):
            return self._unsubscribe(str(command["Request"]), word, now, faults)
        if word in ("unsubscribe", "unsubscribe_virtualbook"):
            if faults.mdds_by_symbol:
                self._forget(str(command.get("Symbol", "")).split(","), word)
            return []
        return self._refused(faults.mdds_unknown_command, word, "Unknown command")

    def _refused(self, way: str, word: str, reason: str) -> list[str]:
        if way == "close":
            raise SocketEnd
        return [error_frame(word, "", reason, MADE_UP, secrets.token_hex(4))] if way == "error" else []

    # -- subscribing -----------------------------------------------------------------------------------

    def _subscribe(self, word: str, command: dict[str, Any], now: datetime, faults: "Faults") -> list[str]:
        """One message for each item, all with the same request id; errors come first (protocol 05 §2.10)."""
        request = secrets.token_hex(4)
        symbols = str(command.get("Symbol", "")).split(",")
        too_many = len(symbols) > MOST_SYMBOLS or len(self.subscriptions) + len(symbols) > MOST_ON_SOCKET
        if too_many and faults.mdds_limit != "accept":
            return self._refused(faults.mdds_limit, word, "Too many symbols")
        good: list[Item] = []
        bad: list[str] = []
        for symbol in symbols:
            items = self._begin(word, symbol, request, command, now, faults)
            if items:
                good += items
            else:
                bad.append(f"{symbol}.VB" if KINDS[word] == "book" else symbol)
        answers = self._answers(word, good, bad, request, faults)
        if faults.mdds_reply != "split":
            return answers
        self._later += [(now + PAUSE * index, frame) for index, frame in enumerate(answers) if index]
        return answers[:1]

    def _begin(
        self, word: str, symbol: str, request: str, command: dict[str, Any], now: datetime, faults: "Faults"
    ) -> list[Item]:
        """Subscribes one symbol and gives the items of its snapshot; none where it is not known."""
        rate = command.get("ConflationRate")
        every = timedelta(milliseconds=rate if isinstance(rate, int) else 1000)
        if KINDS[word] == "bar":
            every = BAR_EVERY if faults.mdds_bar_updates == "often" else MINUTE
        held = Subscription(
            command=word,
            symbol=symbol,
            request=request,
            greeks=command.get("IncludeGreeks") is True,
            every=every,
            due=now,
            looked=now,
        )
        items = self._board.items(word, symbol, held.greeks, now)
        if not items:
            return []
        held.sent = {item["6"]: item for item in items}
        held.due = _next(held, now)
        self.subscriptions[KINDS[word], symbol] = held
        return self._board.snapshot(word, symbol, items, now)

    def _answers(
        self, word: str, good: list[Item], bad: list[str], request: str, faults: "Faults"
    ) -> list[str]:
        items: list[Item] = [{"0": "success", **item} for item in good]
        errors = [error_frame(word, name, "Source not found", "18", request) for name in bad]
        if faults.mdds_unknown == "item" and bad:
            items = [{"0": "Source not found", "6": name} for name in bad] + items
            errors = []
        shown = [reshaped(item, faults) for item in items]
        if faults.mdds_reply == "together":
            return errors + ([message_frame(word, shown, request)] if shown else [])
        frames = errors + [message_frame(word, [item], request) for item in shown]
        if faults.mdds_reply == "shuffled":
            random.shuffle(frames)
        return frames

    def _unsubscribe(self, request: str, word: str, now: datetime, faults: "Faults") -> list[str]:
        for key, held in list(self.subscriptions.items()):
            if held.request == request:
                if faults.mdds_unsubscribe == "late":
                    held.until = now + LATE
                else:
                    del self.subscriptions[key]
        return [message_frame(word, [], request)] if faults.mdds_unsubscribe == "reply" else []

    def _forget(self, symbols: list[str], word: str) -> None:
        kinds = ("book",) if word == "unsubscribe_virtualbook" else ("quote", "bar")
        for symbol in symbols:
            for kind in kinds:
                self.subscriptions.pop((kind, symbol), None)

    # -- changes ---------------------------------------------------------------------------------------

    def tick(self, now: datetime) -> list[str]:
        """The changes since the last look of every subscription that is due.

        Args:
            now: The present moment.
        """
        faults = self._desk.faults.current()
        if faults.mute:
            return []
        frames = [frame for due, frame in self._later if due <= now]
        self._later = [(due, frame) for due, frame in self._later if due > now]
        if faults.error_frames and self.subscriptions:
            frames += ['{"Command":"subscribe","ResponseType":', text({"ResponseType": "9", "Data": None})]
            frames.append(error_frame("subscribe", "ZZZZQ", "Backend trouble", MADE_UP, secrets.token_hex(4)))
        for key, held in list(self.subscriptions.items()):
            if held.due > now:
                continue
            if held.until is not None and held.until <= now:
                del self.subscriptions[key]
                continue
            frames += self._changes(held, now, faults)
            held.due, held.looked = _next(held, now), now
        return frames

    def _changes(self, held: Subscription, now: datetime, faults: "Faults") -> list[str]:
        frames: list[str] = []
        if not held.every and KINDS[held.command] == "quote":
            # Who wants every change gets every print, and last what the quote has become.
            prints = self._board.prints(held.symbol, held.looked, now)
            frames += [delta_frame(held, reshaped(item, faults), faults) for item in prints]
        for item in self._board.items(held.command, held.symbol, held.greeks, now):
            before = held.sent.get(item["6"], {})
            held.sent[item["6"]] = item
            change = self._board.delta(KINDS[held.command], before, item)
            if frames and KINDS[held.command] == "quote":
                change = {key: value for key, value in change.items() if key not in _PRINT_IDS}
            if len(change) > 1:
                frames += [
                    delta_frame(held, part, faults) for part in parts(reshaped(change, faults), faults)
                ]
        return frames


_PRINT_IDS = frozenset(["28", "29", "33", "45", "316", "882", "1162", "1164", "1165", "1176"])
"""What a print has told already."""


def _next(held: Subscription, now: datetime) -> datetime:
    """When to look again: on a grid, so that all who ask for the same at the same rate share the work."""
    every = max(held.every, LEAST_WAIT)
    passed = timedelta(microseconds=round(now.timestamp() * 1_000_000)) % every
    return now - passed + every
