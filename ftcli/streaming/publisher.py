"""Makes updates: numbers them, files them in the ring, finds what a returning reader has missed."""

from collections.abc import Container
from datetime import datetime
from decimal import Decimal

import msgspec

from ftcli.models.json import dumps
from ftcli.models.streaming import Gap
from ftcli.streaming.options import Limits
from ftcli.streaming.ring import Ring
from ftcli.streaming.timing import Timing
from ftcli.streaming.update import Update, UpdateKind


class Publisher:
    """The one counter of all updates of a hub.

    Args:
        limits: How much of the past is kept.
        timing: The clocks.
    """

    def __init__(self, limits: Limits, timing: Timing) -> None:
        self.last_id = 0
        self._limits = limits
        self._rings: dict[str, Ring] = {}
        # Ids of an earlier process must not pass for ours.
        self._epoch = f"{int(timing.epoch() * 1000):x}"

    def publish(
        self, stream: str, kind: UpdateKind, symbol: str, seq: int, body: bytes, key: str | None
    ) -> Update:
        """An update of a stream, numbered and filed.

        Args:
            stream: ``quote``, ``trade``, ``book``, ``bar`` or ``event``: whose past it belongs to.
            kind: What it is.
            symbol: What it is about.
            seq: Its position in the symbol's stream.
            body: Its JSON.
            key: See :attr:`Update.key`.
        """
        self.last_id += 1
        update = Update(kind, symbol, seq, self.last_id, body, key, self._epoch)
        ring = self._rings.get(stream)
        if ring is None:
            size = self._limits.events if stream == "event" else self._limits.replay
            ring = self._rings[stream] = Ring(size)
        ring.add(update)
        return update

    def aside(self, kind: UpdateKind, symbol: str, seq: int, body: bytes, key: str | None) -> Update:
        """An update for one reader only: it takes no number and is not replayed."""
        return Update(kind, symbol, seq, self.last_id, body, key, self._epoch)

    def notice(self, kind: UpdateKind, symbol: str, value: msgspec.Struct, key: str | None) -> Update:
        """An object as an update that is not replayed; members that are null are left out."""
        return self.aside(kind, symbol, 0, compact(value), key)

    def gap(self, until: datetime, since: datetime | None = None, symbol: str = "") -> Update:
        """The word that something is missing."""
        value = Gap(symbol=symbol or None, gap_from=since, gap_to=until)
        return self.notice("gap", symbol, value, f"gap {symbol} {until}")

    def missed(
        self, stream: str, last_id: str, *, born: int = 0, symbols: Container[str] | None = None
    ) -> list[Update] | None:
        """What a returning reader has missed.

        Args:
            stream: Whose past.
            last_id: The reader's ``Last-Event-ID``.
            born: From which number on everything it asks for was published.
            symbols: Only these; all by default.

        Returns:
            The updates in order; ``None`` where that is not known any more.
        """
        after = self.parse_event_id(last_id)
        if after is None or after < born or after > self.last_id:
            return None
        ring = self._rings.get(stream)
        return [] if ring is None else ring.since(after, symbols)

    def event_id(self, number: int) -> str:
        """An update's number as ``Last-Event-ID`` carries it."""
        return f"{self._epoch}-{number}"

    def parse_event_id(self, text: str) -> int | None:
        """The number of an event id of this process, or ``None``."""
        epoch, _, number = text.strip().partition("-")
        return int(number) if epoch == self._epoch and number.isascii() and number.isdecimal() else None


def compact(value: msgspec.Struct) -> bytes:
    """An object as JSON without its null members."""
    members = msgspec.to_builtins(value, builtin_types=(datetime, Decimal))
    return dumps({name: entry for name, entry in members.items() if entry is not None})
