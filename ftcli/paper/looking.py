"""The look: everything that has happened on the market since the last one, in the order it happened.

All occurrences of all orders, option expirations and cash sweeps are worked off from one queue, the
earliest first, so one long step gives what many short steps would have given.
"""

from datetime import UTC, date, datetime
from heapq import heappop, heappush
from typing import Protocol

from msgspec.structs import replace

from ftcli.clock import NEW_YORK, market_date
from ftcli.paper import hours
from ftcli.paper.codes import Family, PriceType, SessionCode
from ftcli.paper.execution import execute
from ftcli.paper.expiry import expire
from ftcli.paper.forecasts import AHEAD, Forecasts
from ftcli.paper.groups import after_end, after_execution
from ftcli.paper.instruments import find
from ftcli.paper.ledger import settle
from ftcli.paper.lifecycle import change, finish
from ftcli.paper.matching import INSTANT, Floor, Happening, Occurrence, current_stop, trail_of
from ftcli.paper.records import ZERO, Order
from ftcli.paper.trailing import follow
from ftcli.paper.world import World

_EXPIRE = 10
_SWEEP = 11

Entry = tuple[datetime, int, int, str, int]


class Watcher(Protocol):
    """Something beside orders that the market can bring about: the engine's look takes it along."""

    def due(self, now: datetime) -> bool:
        """Whether anything happens up to a moment. Changes nothing."""
        ...

    def run(self, world: World, now: datetime) -> None:
        """Let it happen, within the transaction of the look."""
        ...


class Seen:
    """Up to which moment nothing more happens to the orders of a world, kept in memory between looks.

    It holds for the world in memory only: one loaded anew, because another process has written, is looked
    at from its last written look. The forecasts of orders that are the same in the new world stay.
    """

    def __init__(self) -> None:
        self._world: World | None = None
        self._until: datetime | None = None
        self.forecasts = Forecasts()

    def until(self, world: World) -> datetime:
        """The moment up to which all orders but the freshly changed ones have been looked at."""
        looked = world.meta.looked
        if self._world is not world or self._until is None:
            return looked
        return max(self._until, looked)

    def covers(self, world: World, moment: datetime) -> bool:
        """True where a look up to a moment can find nothing, freshly changed orders apart."""
        return self._world is world and self._until is not None and self._until >= moment

    def note(self, world: World, until: datetime) -> None:
        """Remember that nothing more happens up to a moment."""
        self._world, self._until = world, until

    def forget(self) -> None:
        """Forget everything, because a transaction failed."""
        self._world = self._until = None


class Look:
    """One look at the market.

    Args:
        until: The moment up to which things happen.
    """

    def __init__(self, floor: Floor, world: World, until: datetime, seen: Seen) -> None:
        self._floor = floor
        self._world = world
        self._until = until
        self._seen = seen
        self._quiet = until + AHEAD
        self._queue: list[Entry] = []
        self._stops: dict[tuple[str, int], Occurrence] = {}
        self._expirations: set[date] = set()

    def due(self) -> bool:
        """True where anything happens up to the moment. Changes nothing."""
        if self._fill() and not self._queue:
            self._seen.note(self._world, self._quiet.astimezone(UTC) - INSTANT)
        return bool(self._queue)

    def run(self) -> None:
        """Let everything happen."""
        self._fill()
        self._world.orders.touched.clear()
        while self._queue:
            self._step(heappop(self._queue))
        today = market_date(self._until)
        for cash in self._world.cash:
            settle(self._world, cash.account, today)
        if self._until > self._world.meta.looked:
            self._advance_trails()
            self._world.meta = replace(self._world.meta, looked=self._until)
        self._seen.forecasts.prune(self._world.orders)
        self._seen.note(self._world, self._until)

    # -- filling the queue ---------------------------------------------------------------------

    def _fill(self) -> bool:
        """Queue what happens by now.

        Returns:
            Whether everything has been looked at; else the freshly changed orders were enough.
        """
        orders = self._world.orders
        for number in sorted(orders.touched):
            order = orders.get(number)
            if order is not None:
                self._push(order, None)
        if self._seen.covers(self._world, self._until):
            return False
        seen = self._seen.until(self._world)
        groups: dict[tuple[str, bool], list[Order]] = {}
        for order in orders:
            if order.number in orders.touched:
                continue
            if self._rests(order, seen):
                groups.setdefault((order.leg.symbol, order.leg.action.buys), []).append(order)
            else:
                self._push(order, seen)
        for resting in groups.values():
            self._push_resting(resting, seen)
        for symbol in {name for account in self._world.accounts for name in self._symbols(account.number)}:
            self._push_expiration(symbol)
        self._push_sweeps()
        return True

    def _symbols(self, account: str) -> list[str]:
        return list(self._world.lots.totals(account))

    def _rests(self, order: Order, seen: datetime) -> bool:
        """True for a plain limit order of which only its limit can make something happen by now.

        Many of these on one symbol are asked about together.
        """
        return (
            order.price_type is PriceType.LIMIT
            and order.family is not Family.PACKAGE
            and order.session is SessionCode.STANDARD
            and order.fill_from is None
            and order.cancel_at is None
            and order.works_from is not None
            and order.works_from <= seen
            and order.ends is not None
            and order.ends > self._until
        )

    def _push_resting(self, orders: list[Order], seen: datetime) -> None:
        """Queue what happens to limit orders on one side of a symbol: nothing before the nearest is reached."""
        side = max if orders[0].leg.action.buys else min
        nearest = side(orders, key=lambda order: order.limit_price or ZERO)
        forecast = self._seen.forecasts.of(self._floor, nearest, seen, self._until)
        if forecast.not_before <= self._until:
            for order in orders:
                self._push(order, seen)
        else:
            self._later(forecast.not_before, *(order.ends for order in orders if order.ends is not None))

    def _push(self, order: Order, seen: datetime | None) -> None:
        forecast = self._seen.forecasts.of(self._floor, order, seen, self._until)
        occurrence = forecast.next
        if occurrence is None or occurrence.time > self._until:
            self._later(forecast.not_before)
            return
        self._stops[order.number, order.revision] = occurrence
        entry = (occurrence.time, int(occurrence.kind), order.sequence, order.number, order.revision)
        heappush(self._queue, entry)

    def _later(self, *moments: datetime) -> None:
        """Note when something may happen that does not happen yet."""
        self._quiet = min(self._quiet, *moments)

    def _push_expiration(self, symbol: str) -> None:
        instrument = find(symbol)
        day = None if instrument is None else instrument.expiration
        if day is None or day in self._expirations:
            return
        self._expirations.add(day)
        moment = hours.last_session_close(day)
        if moment <= self._until:
            heappush(self._queue, (moment, _EXPIRE, day.toordinal(), "", 0))
        else:
            self._later(moment)

    def _push_sweeps(self) -> None:
        for cash in self._world.cash:
            for day in {item.sweeps for item in cash.deposits} | {item.settles for item in cash.settlements}:
                moment = datetime(day.year, day.month, day.day, tzinfo=NEW_YORK)
                if moment <= self._until:
                    heappush(self._queue, (moment, _SWEEP, day.toordinal(), cash.account, 0))
                else:
                    self._later(moment)

    # -- working it off ------------------------------------------------------------------------

    def _step(self, entry: Entry) -> None:
        moment, kind, number, name, revision = entry
        if kind == _EXPIRE:
            expire(self._floor, self._world, date.fromordinal(number), moment.astimezone(self._until.tzinfo))
        elif kind == _SWEEP:
            settle(self._world, name, date.fromordinal(number))
        else:
            order = self._world.orders.get(name)
            if order is None or order.revision != revision:
                return
            self._happen(order, self._stops.pop((name, revision)))
        self._follow_up()

    def _follow_up(self) -> None:
        """Find out what happens next to the orders that have just changed."""
        touched, self._world.orders.touched = self._world.orders.touched, set()
        for number in sorted(touched):
            order = self._world.orders.get(number)
            if order is not None:
                self._push(order, None)

    def _happen(self, order: Order, occurrence: Occurrence) -> None:
        floor, world, at = self._floor, self._world, occurrence.time
        at = at.astimezone(self._until.tzinfo)
        if occurrence.kind is Happening.TRIGGERED:
            change(world, order, at, **_triggered(order, at, occurrence))
        elif occurrence.kind is Happening.EXECUTED:
            self._execute(order, at)
        else:
            reason = "expired" if occurrence.kind is Happening.ENDED else ""
            order = self._at_rest(order, at)
            after_end(floor, world, finish(world, order, at, reason=reason), at)

    def _at_rest(self, order: Order, at: datetime) -> Order:
        """An order about to end, with the place its trailing stop had come to."""
        stop = current_stop(self._floor, order, at)
        if not order.price_type.trails or order.stop_hit is not None:
            return order
        return replace(order, stop_price=stop, trail_best=None, trail_seen=None)

    def _execute(self, order: Order, at: datetime) -> None:
        floor, world = self._floor, self._world
        had = order.executed_units
        order = execute(floor, world, order, at)
        if order.executed_units > had:
            for leg in order.legs:
                self._push_expiration(leg.symbol)
            after_execution(floor, world, order, at)
        else:
            after_end(floor, world, order, at)

    def _advance_trails(self) -> None:
        """Write down how far trailing stops have come, so that the next look starts there."""
        for order in self._world.orders:
            trail = trail_of(order)
            if trail is None or order.stop_hit is not None or order.works_from is None:
                continue
            if order.works_from > self._until or order.status.waiting:
                continue
            trail, _ = follow(self._floor.market, order, trail, self._until + INSTANT)
            self._world.orders.put(order.number, replace(order, trail_best=trail.best, trail_seen=trail.seen))
        self._world.orders.touched.clear()


def _triggered(order: Order, at: datetime, occurrence: Occurrence) -> dict[str, object]:
    """What a reached stop changes: the order becomes a market or limit order."""
    changes: dict[str, object] = {"stop_hit": at}
    if order.price_type.trails:
        changes |= {"stop_price": occurrence.stop, "trail_best": None, "trail_seen": None}
        if order.price_type is PriceType.TRAILING_STOP_LIMIT and occurrence.stop is not None:
            offset = order.limit_offset or 0
            buys = order.leg.action.buys
            changes["limit_price"] = occurrence.stop + offset if buys else occurrence.stop - offset
    return changes
