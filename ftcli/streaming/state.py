"""What every subscribed symbol's state has in common, whatever its kind (protocol 05 §2.14, 6.5)."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from ftcli.models.streaming import Kind
from ftcli.streaming.counters import Oddities
from ftcli.streaming.update import UpdateKind

Item = dict[str, str]
Watcher = Callable[[Any], None]
"""Called with the state whenever it has something to publish; must not raise."""


class State(ABC):
    """The merged picture of one symbol, fed by one connection at a time.

    ``snapshot`` and ``delta`` take items of the wire; what is to be published is announced to ``watcher``,
    which asks for the bytes. Deltas that arrive before the snapshot are kept and laid over it.

    Args:
        symbol: Canonical symbol.
        counters: Where oddities are counted.
    """

    kind: Kind
    __slots__ = (
        "at", "conflation_key", "counters", "has_snapshot", "seq", "stale_since", "symbol", "update_kind",
        "watcher",
    )  # fmt: skip

    def __init__(self, symbol: str, counters: Oddities) -> None:
        self.symbol = symbol
        self.counters = counters
        self.conflation_key: str | None = f"{self.kind} {symbol}"
        """For a slow reader updates with the same key replace one another; ``None``: never."""
        self.update_kind: UpdateKind = self.kind
        """What the bytes last taken are."""
        self.at = 0.0
        self.seq = 0
        self.has_snapshot = False
        self.stale_since: float | None = None
        self.watcher: Watcher | None = None

    @property
    @abstractmethod
    def ever(self) -> bool:
        """Whether there is anything to show, old or new."""

    def watch(self, watcher: Watcher | None) -> None:
        """Announce changes to ``watcher`` from now on; ``None`` to nobody."""
        self.watcher = watcher

    @abstractmethod
    def snapshot(self, item: Item, at: float) -> None:
        """A full picture arrived: it replaces everything."""

    @abstractmethod
    def delta(self, item: Item, at: float) -> None:
        """A change arrived."""

    @abstractmethod
    def take(self) -> bytes | None:
        """The JSON of the next thing to publish, or ``None``; counts ``seq``."""

    @abstractmethod
    def picture(self) -> bytes | None:
        """The JSON of the present state, marked as a snapshot, for a late joiner; ``None``: none is due."""

    def raw(self) -> Item:
        """The broker's values by field id; empty where a kind has none to show."""
        return {}

    def lose(self, at: float) -> None:
        """The connection is gone: what is known is old from now on."""
        self.has_snapshot = False
        self._stale_from(at)

    def suspect(self, at: float) -> None:
        """The connection is silent: what is known may be old."""
        self._stale_from(at)

    def _stale_from(self, at: float) -> None:
        # What was old already has been so for longer.
        if self.stale_since is None:
            self.stale_since = at

    def trust(self) -> None:
        """The silence is over."""
        self.stale_since = None

    @abstractmethod
    def wire_items(self) -> list[Item]:
        """The present picture as snapshot items, to hand it to a new state of the same symbol."""

    def announce(self) -> None:
        """Tell the watcher, if there is one."""
        if self.watcher is not None:
            self.watcher(self)
