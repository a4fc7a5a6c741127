"""Price triggers of the paper broker: they fire when the market's path reaches their price (protocol 04 §2, 4)."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ftcli.models.values import read_datetime
from ftcli.paper.books import EventData
from ftcli.paper.codes import EventKind
from ftcli.paper.documents import Documents
from ftcli.paper.numbered import COUNTER

if TYPE_CHECKING:
    from ftcli.paper.market import Market
    from ftcli.paper.quotes import Touch
    from ftcli.paper.state import State
    from ftcli.paper.world import World

KIND = "price_triggers"
_HUNDRED = Decimal(100)
Terms = tuple[Any, ...]


class TriggerWatch:
    """Looks at the market for price triggers; the engine takes it along (:class:`ftcli.paper.looking.Watcher`).

    A trigger that fires expires, and an event ``TRPA`` or ``TRPB`` tells of it.

    Args:
        state: Where the triggers are kept.
        market: The market they watch.
    """

    def __init__(self, state: "State", market: "Market") -> None:
        self._documents = Documents(state, KIND)
        self._market = market
        self._quiet: dict[Terms, datetime] = {}
        """By a trigger's terms: the moment up to which it is known not to fire."""

    def due(self, now: datetime) -> bool:
        """Whether a trigger fires up to a moment. Changes nothing."""
        waiting = _waiting(self._documents.all())
        return any(self._touch(trigger, now) is not None for trigger in waiting.values())

    def run(self, world: "World", now: datetime) -> None:
        """Fires the triggers whose price was reached up to a moment, in the order it happened."""
        waiting = _waiting(self._documents.all())
        fired = [
            (touch.time, key, touch)
            for key, trigger in waiting.items()
            if (touch := self._touch(trigger, now)) is not None
        ]
        if not fired:
            return
        changing = self._documents.inside()
        for moment, key, touch in sorted(fired, key=lambda item: item[:2]):
            trigger = waiting[key]
            stamp = int(moment.timestamp() * 1000)
            changing.put(key, {**trigger, "status": "expired", "updateTime": stamp})
            kind = EventKind.PRICE_ABOVE if is_above(trigger) else EventKind.PRICE_BELOW
            data = EventData(
                symbol=trigger["symbol"].removeprefix("-"),
                price=touch.last,
                trigger=key,
                threshold=threshold(trigger),
            )
            world.add_event(moment.astimezone(UTC), "", kind, None, data)

    def _touch(self, trigger: dict[str, Any], now: datetime) -> "Touch | None":
        """When the price is first reached, if that is not after ``now``."""
        made = read_datetime(trigger["createTime"])
        assert made is not None
        terms = (
            trigger["id"],
            trigger["createTime"],
            trigger["symbol"],
            trigger["operator"],
            trigger["value"],
        )
        after = self._quiet.get(terms, made)
        if after >= now:
            return None
        above, price = is_above(trigger), threshold(trigger)
        touch = self._market.first_touch(
            trigger["symbol"],
            after,
            now,
            side="last",
            at_or_below=None if above else price,
            at_or_above=price if above else None,
        )
        if touch is None:
            self._quiet[terms] = now
        return touch


def _waiting(documents: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        key: trigger for key, trigger in documents.items() if key != COUNTER and trigger["status"] == "active"
    }


def is_above(trigger: dict[str, Any]) -> bool:
    """Whether a trigger waits for the price to rise."""
    return str(trigger["operator"]).startswith("greaterThan")


def threshold(trigger: dict[str, Any]) -> Decimal:
    """The price a trigger waits for; a move in percent counts from the price when it was made."""
    value = Decimal(trigger["value"])
    if not str(trigger["operator"]).endswith("Percent"):
        return value
    move = value if is_above(trigger) else -value
    return Decimal(trigger["reference"]) * (1 + move / _HUNDRED)
