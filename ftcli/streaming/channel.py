"""One subscribed symbol in the hub: its state, its readers, its way to the broker."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, Protocol

from ftcli.models.streaming import Kind, Subscription, SymbolError
from ftcli.streaming.state import State
from ftcli.streaming.timing import Timer
from ftcli.streaming.update import Update, with_raw

if TYPE_CHECKING:
    from ftcli.streaming.computed_bars import BarBuilder
    from ftcli.streaming.link import Link


class Reader(Protocol):
    """Whoever reads a channel: a consumer, or a builder of bars."""

    raw: bool
    """Whether it wants the broker's own values too."""

    def push(self, update: Update) -> None:
        """Take in an update at once; never raises."""


Publish = Callable[["Channel", bytes], Update]
"""Makes an update of a state's JSON and files it in the ring."""


class Channel:
    """A (kind, symbol) with its state and everybody who reads it.

    Args:
        state: The symbol's state.
        publish: Makes updates.
        now: Gives the number of the last update published, by anybody.
    """

    __slots__ = (
        "_born", "_now", "builder", "consumers", "error", "holds", "link", "publish", "pushes", "raw_pushes",
        "state", "timer",
    )  # fmt: skip

    def __init__(self, state: State, publish: Publish, now: Callable[[], int]) -> None:
        self.state = state
        self.publish = publish
        self._born = 0
        self._now = now
        self.consumers: set[Reader] = set()
        self.builder: BarBuilder | None = None
        self.pushes: tuple[Callable[[Update], None], ...] = ()
        self.raw_pushes: tuple[Callable[[Update], None], ...] = ()
        self.holds = 0
        self.link: Link | None = None
        self.error: SymbolError | None = None
        self.timer: Timer | None = None

    @property
    def kind(self) -> Kind:
        """What is subscribed to."""
        return self.state.kind

    @property
    def symbol(self) -> str:
        """Canonical symbol."""
        return self.state.symbol

    @property
    def count(self) -> int:
        """Consumers and holds."""
        return len(self.consumers) + self.holds

    @property
    def born(self) -> int:
        """From this number on every update of the symbol has been published; while it rests none is."""
        return self._now() + 1 if self.state.watcher is None else self._born

    def changed(self, state: State) -> None:
        """The state has something new: make the bytes once and hand them to everybody."""
        if state.has_snapshot:
            self.error = None
        while (body := state.take()) is not None:
            update = self.publish(self, body)
            for push in self.pushes:
                push(update)
            if self.raw_pushes:
                update = with_raw(update, state.raw())
                for push in self.raw_pushes:
                    push(update)

    def tell(self, update: Update) -> None:
        """Hand an update that is not the state's to everybody."""
        for push in self.pushes + self.raw_pushes:
            push(update)

    def enter(self, consumer: Reader) -> None:
        """A consumer starts to read."""
        if self.state.watcher is None:
            self._born = self._now()
            self.state.watch(self.changed)
        self.consumers.add(consumer)
        self._renew()
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    def exit(self, consumer: Reader) -> None:
        """A consumer reads no longer. Publishing goes on for a while: it may come back for what it missed."""
        self.consumers.discard(consumer)
        self._renew()

    def _renew(self) -> None:
        # A new tuple each time: one that is being walked through must not change.
        self.pushes = tuple(reader.push for reader in self.consumers if not reader.raw)
        self.raw_pushes = tuple(reader.push for reader in self.consumers if reader.raw)

    def rest(self) -> None:
        """Nobody reads, somebody holds: keep the state, publish nothing."""
        self.state.watch(None)

    def subscription(self) -> Subscription:
        """The channel as ``GET /streaming/subscriptions`` shows it."""
        state: Literal["pending", "live", "stale", "error", "releasing"]
        if self.error is not None and not self.state.has_snapshot:
            state = "error"
        elif not self.count:
            state = "releasing"
        elif self.state.stale_since is not None:
            state = "stale"
        else:
            state = "live" if self.state.has_snapshot else "pending"
        return Subscription(symbol=self.symbol, kind=self.kind, count=self.count, state=state)
