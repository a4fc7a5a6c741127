"""When the market next does something to an order, found on the market's path (protocol 02 §18.3).

Everything here only looks: the answer depends on the order and the market alone, never on how often anyone
asked, so time may move in steps of any size.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from enum import IntEnum
from typing import TYPE_CHECKING

import msgspec

from ftcli.paper import calendar, hours
from ftcli.paper.codes import SessionCode, TimeInForce
from ftcli.paper.estimates import net_market, signed_net, trailing_stop
from ftcli.paper.packages import package_touch
from ftcli.paper.prices import Prices
from ftcli.paper.records import Order
from ftcli.paper.settings import Settings
from ftcli.paper.trailing import Trail, follow

if TYPE_CHECKING:
    from ftcli.paper.market import Market

INSTANT = timedelta(microseconds=1)


class Happening(IntEnum):
    """What happens to an order; at the same moment the lower number comes first."""

    CANCELLED = 0
    TRIGGERED = 1
    EXECUTED = 2
    ENDED = 3


class Occurrence(msgspec.Struct, frozen=True, kw_only=True):
    """The next thing that happens to an order. ``stop`` is where a trailing stop stood."""

    time: datetime
    kind: Happening
    stop: Decimal | None = None


class Floor:
    """The market with the rules of the house, as matching and booking see it."""

    def __init__(self, market: "Market", settings: Settings) -> None:
        self.market = market
        self.settings = settings
        self.always_open = market.always_open
        self._prices: Prices | None = None

    def prices(self, at: datetime) -> Prices:
        """Quotes of a moment; the latest moment asked for is remembered."""
        if self._prices is None or self._prices.at != at:
            self._prices = Prices(self.market, at)
        return self._prices

    def open_at(self, order: Order, moment: datetime) -> bool:
        """True while the order may execute."""
        if self.always_open:
            return True
        if order.session is SessionCode.STANDARD:
            return self.market.is_open(moment)
        return any(hours.windows(moment, moment + INSTANT, order.session, always_open=False))


def trail_of(order: Order) -> Trail | None:
    """How far the stop of a trailing order has followed the market."""
    if order.trail_best is None or order.trail_seen is None:
        return None
    return Trail(best=order.trail_best, seen=order.trail_seen)


def next_occurrence(floor: Floor, order: Order, seen: datetime | None, until: datetime) -> Occurrence | None:
    """What happens to an order next, up to and including ``until``.

    Args:
        seen: The market is known to have done nothing to it up to this moment.

    Returns:
        None when nothing happens by then.
    """
    found = _market_occurrence(floor, order, seen, until)
    if order.ends is not None and order.ends <= until and order.works_from is not None:
        found = _earlier(found, Occurrence(time=order.ends, kind=Happening.ENDED))
    if order.cancel_at is not None and order.cancel_at <= until:
        found = _earlier(found, Occurrence(time=order.cancel_at, kind=Happening.CANCELLED))
    return found


def _earlier(first: Occurrence | None, second: Occurrence) -> Occurrence:
    if first is None or (second.time, second.kind) < (first.time, first.kind):
        return second
    return first


def _market_occurrence(
    floor: Floor, order: Order, seen: datetime | None, until: datetime
) -> Occurrence | None:
    start = order.works_from
    if start is None or start > until or (seen is not None and seen >= until):
        return None
    if order.time_in_force in (TimeInForce.IOC, TimeInForce.FOK):
        return _at_entry(floor, order, start)
    if order.time_in_force in (TimeInForce.AT_OPEN, TimeInForce.AT_CLOSE):
        moment = order.ends
        if moment is None or moment > until:
            return None
        return Occurrence(time=moment, kind=Happening.EXECUTED)
    stop = until + INSTANT
    if order.ends is not None:
        stop = min(stop, order.ends)
    for moment in (order.stop_hit, order.fill_from):
        if moment is not None and moment > start:
            start = moment
    if start >= stop:
        return None
    checked = seen is not None and seen >= start
    start = max(start, seen) if seen is not None else start
    if order.price_type.needs_trigger and order.stop_hit is None:
        return _trigger(floor, order, start, stop, checked=checked)
    return _execution(floor, order, start, stop, checked=checked)


def _at_entry(floor: Floor, order: Order, moment: datetime) -> Occurrence | None:
    """Immediate orders execute on entry or not at all."""
    if order.executed_units or not floor.open_at(order, moment) or not marketable(floor, order, moment):
        return None
    size = floor.settings.display_size
    if order.time_in_force is TimeInForce.FOK and size is not None and size < order.units:
        return None
    return Occurrence(time=moment, kind=Happening.EXECUTED)


def marketable(floor: Floor, order: Order, moment: datetime) -> bool:
    """True where the quotes of a moment let the order execute, hours apart."""
    prices = floor.prices(moment)
    if order.is_package:
        market = net_market(order.legs, tuple(leg.ratio for leg in order.legs), prices)
        return market is not None and market[1] <= signed_net(order.net_side, order.limit_price or Decimal(0))
    quote = prices.quote(order.leg.symbol)
    side = None if quote is None else quote.ask if order.leg.action.buys else quote.bid
    if side is None:
        return False
    if not order.price_type.fills_at_limit:
        return True
    assert order.limit_price is not None
    return side <= order.limit_price if order.leg.action.buys else side >= order.limit_price


def _execution(
    floor: Floor, order: Order, start: datetime, stop: datetime, *, checked: bool
) -> Occurrence | None:
    if not checked and floor.open_at(order, start) and marketable(floor, order, start):
        return Occurrence(time=start, kind=Happening.EXECUTED)
    if order.is_package:
        moment = package_touch(floor.market, order, start, stop)
        return None if moment is None else Occurrence(time=moment, kind=Happening.EXECUTED)
    if not order.price_type.fills_at_limit:
        opening = _next_moment_open(floor, order, start)
        if opening is None or opening >= stop:
            return None
        return Occurrence(time=opening, kind=Happening.EXECUTED)
    buys, limit = order.leg.action.buys, order.limit_price
    side = "ask" if buys else "bid"
    moment = _touch(floor, order, start, stop, side=side, below=buys, price=limit)
    return None if moment is None else Occurrence(time=moment, kind=Happening.EXECUTED)


def _next_moment_open(floor: Floor, order: Order, start: datetime) -> datetime | None:
    """The first moment from ``start`` on at which a market order executes."""
    if floor.open_at(order, start):
        return start
    return calendar.current_or_next_session(start).open.astimezone(start.tzinfo)


def _touch(
    floor: Floor,
    order: Order,
    start: datetime,
    stop: datetime,
    *,
    side: str,
    below: bool,
    price: Decimal | None,
) -> datetime | None:
    """The first moment in ``start`` < t < ``stop`` at which a side of the quote reaches a price."""
    assert price is not None
    low, high = (price, None) if below else (None, price)
    symbol = order.leg.symbol
    if order.session is SessionCode.STANDARD or floor.always_open:
        found = floor.market.first_touch(
            symbol, start, stop - INSTANT, side=side, at_or_below=low, at_or_above=high
        )
        return None if found is None else found.time
    for first, after in hours.windows(start, stop, order.session, always_open=False):
        begin = max(start, first - INSTANT)
        found = floor.market.first_touch(
            symbol,
            begin,
            after - INSTANT,
            side=side,
            at_or_below=low,
            at_or_above=high,
            hours="extended",
        )
        if found is not None:
            return found.time
    return None


def _trigger(
    floor: Floor, order: Order, start: datetime, stop: datetime, *, checked: bool
) -> Occurrence | None:
    if order.price_type.trails:
        trail = trail_of(order)
        assert trail is not None
        _, hit = follow(floor.market, order, trail, stop)
        if hit is None:
            return None
        return Occurrence(time=hit.time, kind=Happening.TRIGGERED, stop=hit.stop)
    buys, price = order.leg.action.buys, order.stop_price
    assert price is not None
    if not checked and floor.open_at(order, start) and _stop_reached(floor, order, start, price):
        return Occurrence(time=start, kind=Happening.TRIGGERED)
    near = "ask" if buys else "bid"
    moments = []
    for side in ("last", near):
        moment = _touch(floor, order, start, stop, side=side, below=not buys, price=price)
        if moment is not None:
            moments.append(moment)
    return Occurrence(time=min(moments), kind=Happening.TRIGGERED) if moments else None


def _stop_reached(floor: Floor, order: Order, moment: datetime, price: Decimal) -> bool:
    quote = floor.prices(moment).quote(order.leg.symbol)
    if quote is None:
        return False
    if order.leg.action.buys:
        return any(value is not None and value >= price for value in (quote.last, quote.ask))
    return any(value is not None and value <= price for value in (quote.last, quote.bid))


def current_stop(floor: Floor, order: Order, now: datetime) -> Decimal | None:
    """Where the stop of an order stands; a trailing one follows the market."""
    trail = trail_of(order)
    if not order.price_type.trails or trail is None or order.trail_amount is None:
        return order.stop_price
    if order.stop_hit is None and not order.status.final:
        trail, _ = follow(floor.market, order, trail, now + INSTANT)
    if order.stop_hit is not None and order.stop_price is not None:
        return order.stop_price
    return trailing_stop(order.leg.action, trail.best, order.trail_amount, order.trail_unit)


def event_price(floor: Floor, order: Order, moment: datetime) -> Decimal | None:
    """The auction price of a market-on-open or market-on-close order."""
    quote = floor.prices(moment).quote(order.leg.symbol)
    if quote is None:
        return None
    if order.time_in_force is TimeInForce.AT_OPEN:
        return quote.open if quote.open is not None else quote.last
    return quote.close if quote.close is not None else quote.last
