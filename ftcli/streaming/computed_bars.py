"""One-minute bars built here from the tape, where the broker refuses to send any (protocol 05 §5.3)."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

from ftcli.clock import NEW_YORK
from ftcli.models.streaming import Trade
from ftcli.streaming.bars import GRACE, BarState
from ftcli.streaming.state import Item
from ftcli.streaming.timing import Timer, Timing, moment
from ftcli.streaming.update import Update


class BarBuilder:
    """Reads the tape of one symbol and feeds its bars, marked as computed.

    A minute is one of New York by the clock of this machine: the tape's own times have no known form.

    Args:
        bars: The bars to feed.
        timing: The clocks.
        tell: Hands the readers of the bars what becomes of the tape.
        leave: Ends the reading of the tape.
    """

    raw = False

    def __init__(
        self,
        bars: BarState,
        timing: Timing,
        tell: Callable[[Update], None],
        leave: Callable[["BarBuilder"], None],
    ) -> None:
        self.symbol = bars.symbol
        self._bars = bars
        self._timing = timing
        self._tell = tell
        self._leave = leave
        self._item: Item = {}
        self._timer: Timer | None = None
        self._volume: int | None = None
        bars.source = "computed"

    def push(self, update: Update) -> None:
        """Take in a print; only those of the regular session make bars. An outage of the tape is one of the bars."""
        if update.kind == "trade":
            trade = update.value
            assert isinstance(trade, Trade)
            if trade.session == "regular" and trade.price is not None:
                self._add(trade, trade.price)
            return
        at = self._timing.epoch()
        if update.kind == "gap":
            self._volume = None  # what grew in the gap belongs to no minute that is known
            self._bars.tear(at)
        elif update.kind == "status" and update.value.state not in ("open", "suspect"):
            self._bars.lose(at)
            self._bars.announce()
        self._tell(update)

    def _add(self, trade: Trade, price: Decimal) -> None:
        at = self._timing.epoch()
        minute = moment(at // 60 * 60).astimezone(NEW_YORK)
        start = f"{minute:%H:%M:%S}"
        before, grown = self._volume, trade.cum_volume
        size = trade.size or 0
        if grown is not None:
            # The day's volume is the authority: one print may stand for several trades.
            size = max(grown - before, 0) if before is not None else size
            self._volume = grown
        item = self._item
        if item.get("361") != start:
            end = f"{minute + timedelta(minutes=1):%H:%M:%S}"
            text = f"{price:f}"
            item = {"361": start, "357": end, "360": text, "358": text, "359": text, "362": "0", "1172": "0"}
            self._expire_at(at // 60 * 60 + 60 + GRACE - at)
        self._item = item | {
            "356": f"{price:f}",
            "358": f"{max(price, Decimal(item['358'])):f}",
            "359": f"{min(price, Decimal(item['359'])):f}",
            "362": str(int(item["362"]) + size),
            "1172": str(int(item["1172"]) + 1),
        }
        self._bars.stale_since = None
        self._bars.delta(self._item, at)

    def _expire_at(self, seconds: float) -> None:
        self.stop()
        self._timer = self._timing.call_later(seconds, self._expire)

    def _expire(self) -> None:
        self._timer = None
        self._bars.expire(self._timing.epoch())

    def stop(self) -> None:
        """Call off the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def close(self) -> None:
        """Read the tape no longer."""
        self.stop()
        self._leave(self)
