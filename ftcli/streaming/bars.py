"""One-minute bars (protocol 05 §5.3). The wire form is inferred: nothing of it has been seen live.

It is not known whether the snapshot is the running bar or the last complete one, nor how often a bar is sent.
So bars are told apart by their start: the same start changes a bar, a later one finishes it, an earlier one
corrects a bar that was final. A bar nobody finishes is finished five seconds after its minute.
"""

import re
from collections import deque
from typing import Final

import msgspec

from ftcli.models.mdds import BAR_IDS
from ftcli.streaming.counters import Oddities
from ftcli.streaming.state import Item, State
from ftcli.streaming.timing import iso
from ftcli.streaming.wire_text import PRICE, SIZE, TEXT, TextTable

GRACE = 5.0
"""Seconds after the end of a minute until its bar is final without the broker's saying so."""
_KEPT = 5
"""Final bars kept to be corrected."""

_MEMBERS: Final[tuple[tuple[str, str, TextTable], ...]] = (
    ("start", "361", TEXT),
    ("end", "357", TEXT),
    ("open", "360", PRICE),
    ("high", "358", PRICE),
    ("low", "359", PRICE),
    ("close", "356", PRICE),
    ("volume", "362", SIZE),
    ("trade_count", "1172", SIZE),
)
_CLOCK = re.compile(r"(\d\d?):(\d\d)")


class _Bar(msgspec.Struct, eq=False):
    key: str
    raw: Item
    ends: float
    tainted: bool = False


class BarState(State):
    """The bars of one symbol.

    Args:
        symbol: Canonical symbol.
        counters: Where oddities are counted.
        source: ``server``, or ``computed`` where the items are built here from the tape.
    """

    kind = "bar"
    __slots__ = ("_final", "_ready", "_running", "_torn_until", "source")

    def __init__(self, symbol: str, counters: Oddities | None = None, *, source: str = "server") -> None:
        super().__init__(symbol, Oddities() if counters is None else counters)
        self.source = source
        self._running: _Bar | None = None
        self._torn_until = 0.0
        self._final: deque[_Bar] = deque(maxlen=_KEPT)
        self._ready: deque[tuple[str, str]] = deque()

    @property
    def ever(self) -> bool:
        """Whether there is a bar to show."""
        return self._running is not None or bool(self._ready)

    def snapshot(self, item: Item, at: float) -> None:
        """A bar in full: the running one, or one that is complete already."""
        self.has_snapshot = True
        self.stale_since = None
        self._take_in(item, at, whole=True)

    def delta(self, item: Item, at: float) -> None:
        """A bar, or what has changed of it."""
        self.has_snapshot = True
        self._take_in(item, at, whole=False)

    def _take_in(self, item: Item, at: float, *, whole: bool) -> None:
        self.at = at
        values = {key: text for key, text in item.items() if text and key in BAR_IDS}
        running = self._running
        key = self._key(values, at)
        if running is None:
            if any(bar.key == key for bar in self._final):
                self._correct(key, values)
            elif "356" in values or "360" in values:
                self._start(key, values, at)
            else:
                # An answer without a bar, or a change without a price: bars are not invented.
                self.counters["incomplete_bars"] += 1
        elif key == running.key:
            running.raw = values if whole else {**running.raw, **values}
            running.tainted = running.tainted and not whole
            self._publish(running, final=False)
        elif _is_later(key, running.key):
            self._finish(running)
            self._start(key, values, at)
        else:
            self._correct(key, values)
        self.announce()

    def _key(self, values: Item, at: float) -> str:
        """What tells the bar apart: its start, else its end, else the minute it came in."""
        running = self._running
        start, end = values.get("361", ""), values.get("357", "")
        if start:
            return start
        if end:
            known = [bar for bar in (*self._final, running) if bar is not None and bar.raw.get("357") == end]
            return known[-1].key if known else end
        if running is not None and ("361" in running.raw or "357" in running.raw):
            # A change that repeats no time belongs to the bar that is running.
            return running.key
        return iso(at // 60 * 60)[11:16]

    def _start(self, key: str, values: Item, at: float) -> None:
        self.stale_since = None  # a bar that begins now owes nothing to an outage before it
        self._running = _Bar(key, values, at // 60 * 60 + 60, tainted=at < self._torn_until)
        self._publish(self._running, final=False)

    def _finish(self, bar: _Bar) -> None:
        self._running = None
        self._final.append(bar)
        self._publish(bar, final=True)

    def _correct(self, key: str, values: Item) -> None:
        bar = next((entry for entry in self._final if entry.key == key), None)
        if bar is None:
            bar = _Bar(key, {}, 0.0)
            self._final.append(bar)
        corrected = {**bar.raw, **values}
        if corrected != bar.raw:
            bar.raw = corrected
            self._publish(bar, final=True, corrected=True)

    def expire(self, now: float) -> None:
        """Finish the running bar where its minute is over.

        Args:
            now: Epoch seconds.
        """
        if self._running is not None and now >= self._running.ends + GRACE:
            self._finish(self._running)
            self.announce()

    def expires_at(self) -> float | None:
        """When :meth:`expire` has something to do, in epoch seconds."""
        return None if self._running is None else self._running.ends + GRACE

    def lose(self, at: float) -> None:
        """The connection is gone: the running bar may stay incomplete, and says so."""
        super().lose(at)
        if self._running is not None:
            self._running.tainted = True
            self._publish(self._running, final=False)

    def tear(self, at: float) -> None:
        """Prints are missing up to this moment: bars of this minute are incomplete, and say so."""
        self._torn_until = at // 60 * 60 + 60
        if self._running is not None:
            self._running.tainted = True

    def suspect(self, at: float) -> None:
        """The connection is silent."""
        super().suspect(at)
        if self._running is not None:
            self._publish(self._running, final=False)

    def trust(self) -> None:
        """The silence is over."""
        super().trust()
        if self._running is not None:
            self._publish(self._running, final=False)

    def _publish(self, bar: _Bar, *, final: bool, corrected: bool = False) -> None:
        if self.watcher is not None:
            self._ready.append((bar.key, self._json(bar, final=final, corrected=corrected)))

    def _json(self, bar: _Bar, *, final: bool, corrected: bool = False) -> str:
        values = [
            f'"{name}":{value}' for name, key, table in _MEMBERS if (value := table[bar.raw.get(key, "")])
        ]
        stale = bar.tainted or self.stale_since is not None
        return (
            f'{{"symbol":{TEXT[self.symbol]},{"".join(f"{value}," for value in values)}'
            f'"final":{_flag(final)},"corrected":{_flag(corrected)},"source":"{self.source}"'
            f',"stale":{_flag(stale)},"received_at":"{iso(self.at)}","seq":'
        )

    def take(self) -> bytes | None:
        """The next bar to publish as JSON, or ``None``."""
        if not self._ready:
            return None
        key, text = self._ready.popleft()
        self.seq += 1
        # A newer word on the same minute replaces an older one; no minute is ever dropped.
        self.conflation_key = f"bar {self.symbol} {key}"
        return f"{text}{self.seq}}}".encode()

    def picture(self) -> bytes | None:
        """The running bar."""
        if self._running is None:
            return None
        return f"{self._json(self._running, final=False)}{self.seq}}}".encode()

    def wire_items(self) -> list[Item]:
        """The running bar as an item."""
        return [] if self._running is None else [{"6": self.symbol, **self._running.raw}]


def _is_later(one: str, other: str) -> bool:
    """Whether a bar starts after another. Times of day wrap at midnight; other texts are compared as text."""
    first, second = _CLOCK.match(one), _CLOCK.match(other)
    if first and second:
        minutes = [int(found[1]) * 60 + int(found[2]) for found in (first, second)]
        return 0 < (minutes[0] - minutes[1]) % 1440 < 720
    return one > other


def _flag(value: bool) -> str:
    return "true" if value else "false"
