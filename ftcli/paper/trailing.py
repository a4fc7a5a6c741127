"""Trailing stops: the stop follows the best last price at a distance and never goes back.

The path is followed by whole sessions and nights first, then half hours, minutes and trades: a stretch is
only looked into when the stop could be reached in it even from the best price the stretch will show.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from ftcli.paper import hours
from ftcli.paper.estimates import trailing_stop
from ftcli.paper.records import Order
from ftcli.paper.symbols import find
from ftcli.paper.timeline import BLOCK_SECONDS, epoch_seconds, span_at

if TYPE_CHECKING:
    from ftcli.paper.market import Market

INSTANT = timedelta(microseconds=1)
_SPAN, _BLOCK, _MINUTE, _TRADES = range(4)
_MINUTE_SECONDS = 60


class Trail(msgspec.Struct, frozen=True, kw_only=True):
    """The best last price up to and including ``seen``."""

    best: Decimal
    seen: datetime


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """The moment a trailing stop was reached, and where it stood then."""

    time: datetime
    stop: Decimal


def follow(market: "Market", order: Order, trail: Trail, stop: datetime) -> tuple[Trail, Hit | None]:
    """Follow the market from ``trail.seen`` up to, not including, ``stop``.

    Returns:
        How far the stop has come, and the hit if there was one.
    """
    for first, after in hours.windows(trail.seen, stop, order.session, always_open=market.always_open):
        trail, hit = _stretch(market, order, trail, first.astimezone(UTC), after.astimezone(UTC), _SPAN)
        if hit is not None:
            return trail, hit
    if stop > trail.seen:
        trail = Trail(best=trail.best, seen=stop - INSTANT)
    return trail, None


def _bounds(moment: datetime, level: int) -> tuple[datetime, datetime]:
    """Beginning and end of the span, half hour or minute that a moment lies in."""
    seconds = epoch_seconds(moment)
    if level == _SPAN:
        span = span_at(seconds)
        start, end = span.start, span.end
    else:
        width = BLOCK_SECONDS if level == _BLOCK else _MINUTE_SECONDS
        start = seconds - seconds % width
        end = start + width
    return datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC)


def _pieces(first: datetime, after: datetime, level: int) -> Iterator[tuple[datetime, datetime, bool]]:
    """Cut a stretch where the level's pieces begin; True for whole ones."""
    start = first
    while start < after:
        whole_start, whole_end = _bounds(start, level)
        end = min(whole_end, after)
        yield start, end, start == whole_start and end == whole_end
        start = end


def _stretch(
    market: "Market", order: Order, trail: Trail, first: datetime, after: datetime, level: int
) -> tuple[Trail, Hit | None]:
    """Follow one stretch of trading, looking closer where need be."""
    if level == _TRADES:
        return _trades(market, order, trail, first, after)
    for start, end, whole in _pieces(first, after, level):
        if whole:
            best = _better(order, trail.best, _best_of(market, order, start, level))
            if _reached(market, order, best, start, end) is None:
                trail = Trail(best=best, seen=end - INSTANT)
                continue
        trail, hit = _stretch(market, order, trail, start, end, level + 1)
        if hit is not None:
            return trail, hit
    return trail, None


def _better(order: Order, one: Decimal, other: Decimal) -> Decimal:
    return min(one, other) if order.leg.action.buys else max(one, other)


def _best_of(market: "Market", order: Order, start: datetime, level: int) -> Decimal:
    """The best price of a whole piece that begins at ``start``."""
    security = find(order.leg.symbol)
    assert security is not None
    book, seconds = market.tape.book(security), epoch_seconds(start)
    span = span_at(seconds)
    block, inner = divmod(seconds - span.start, BLOCK_SECONDS)
    buys = order.leg.action.buys
    if level == _SPAN:
        row = book.row(span)
        return book.price(row[2] if buys else row[1])
    if level == _BLOCK:
        path = book.path(span)
        return book.price(path.lows[block] if buys else path.highs[block])
    minutes = book.block(span, block)
    minute = inner // _MINUTE_SECONDS
    return book.price(minutes.lows[minute] if buys else minutes.highs[minute])


def _stop(order: Order, best: Decimal) -> Decimal:
    assert order.trail_amount is not None
    return trailing_stop(order.leg.action, best, order.trail_amount, order.trail_unit)


def _reached(
    market: "Market", order: Order, best: Decimal, start: datetime, end: datetime
) -> datetime | None:
    """The first moment in ``start`` <= t < ``end`` at which the stop belonging to ``best`` is reached."""
    stop, buys = _stop(order, best), order.leg.action.buys
    low, high = (None, stop) if buys else (stop, None)
    moments = []
    for side in ("last", "ask" if buys else "bid"):
        found = market.first_touch(
            order.leg.symbol, start - INSTANT, end - INSTANT, side=side, at_or_below=low, at_or_above=high
        )
        if found is not None:
            moments.append(found.time)
    return min(moments) if moments else None


def _trades(
    market: "Market", order: Order, trail: Trail, first: datetime, after: datetime
) -> tuple[Trail, Hit | None]:
    """Follow the trades one by one: between two new bests the stop stands still."""
    begin = first
    for trade in market.trades(order.leg.symbol, first, after - INSTANT):
        moment, price = trade.time, trade.price
        if _better(order, trail.best, price) == trail.best:
            continue
        hit = _reached(market, order, trail.best, begin, moment)
        if hit is not None:
            return trail, Hit(time=hit, stop=_stop(order, trail.best))
        trail, begin = Trail(best=price, seen=moment), moment
    hit = _reached(market, order, trail.best, begin, after)
    if hit is not None:
        return trail, Hit(time=hit, stop=_stop(order, trail.best))
    return Trail(best=trail.best, seen=after - INSTANT), None
