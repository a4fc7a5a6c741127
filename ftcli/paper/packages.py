"""When a package first becomes marketable, although its net price has no path of its own.

The distance from the net price to the limit is shared out among the legs. As long as no leg has moved by its
share, the net price cannot have come to the limit; when one has, the distance is measured anew from there.
So the search jumps from move to move and finds the very first moment.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from ftcli.paper.estimates import leg_weight, net_market, signed_net
from ftcli.paper.prices import Prices
from ftcli.paper.records import ZERO, Order, OrderLeg

if TYPE_CHECKING:
    from ftcli.paper.market import Market

INSTANT = timedelta(microseconds=1)


def package_touch(market: "Market", order: Order, start: datetime, stop: datetime) -> datetime | None:
    """The first moment in ``start`` < t < ``stop`` at which the package costs no more than its limit.

    Only moments count at which options trade.
    """
    limit = signed_net(order.net_side, order.limit_price or ZERO)
    moment = start
    while moment < stop:
        prices = Prices(market, moment)
        net = net_market(order.legs, tuple(leg.ratio for leg in order.legs), prices)
        if net is None:
            return None
        distance = net[1] - limit
        if distance <= 0 and moment > start:
            return moment
        following = _next_move(market, order, prices, max(distance, ZERO), stop)
        if following is None:
            return None
        moment = following
    return None


def _next_move(
    market: "Market", order: Order, prices: Prices, distance: Decimal, stop: datetime
) -> datetime | None:
    """The first moment at which a leg has moved by its share of the distance."""
    found: datetime | None = None
    for leg in order.legs:
        share = distance / len(order.legs) / leg_weight(leg, leg.ratio)
        until = stop - INSTANT if found is None else found
        moment = _leg_touch(market, leg, prices, share, until)
        if moment is not None and (found is None or moment < found):
            found = moment
    return found


def _leg_touch(
    market: "Market", leg: OrderLeg, prices: Prices, share: Decimal, until: datetime
) -> datetime | None:
    quote = prices.quote(leg.symbol)
    assert quote is not None
    assert quote.ask is not None
    assert quote.bid is not None
    if leg.action.buys:
        touch = market.first_touch(leg.symbol, prices.at, until, side="ask", at_or_below=quote.ask - share)
    else:
        touch = market.first_touch(leg.symbol, prices.at, until, side="bid", at_or_above=quote.bid + share)
    return None if touch is None else touch.time
