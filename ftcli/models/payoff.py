"""What a package of options comes to at expiration: most it can gain and lose, and where it breaks even."""

from decimal import Decimal
from math import gcd

import msgspec

from ftcli.models.option_tickets import MultiLegOrder, NetDirection

CONTRACT = 100


class Payoff(msgspec.Struct, frozen=True, kw_only=True):
    """The payoff at expiration, before commission.

    Attributes:
        max_gain: Most it can gain, in dollars; ``None`` where there is no limit.
        max_loss: Most it can lose, as a positive amount; ``None`` where there is no limit.
        break_evens: Prices of the underlying at which it neither gains nor loses.
    """

    max_gain: Decimal | None
    max_loss: Decimal | None
    break_evens: list[Decimal]


def payoff(order: MultiLegOrder) -> Payoff | None:
    """The payoff of a package at its net price; ``None`` where its legs expire on different days.

    Args:
        order: The package; its legs are of one underlying.
    """
    contracts = [leg.contract for leg in order.legs]
    if len({(item.expiration, item.underlying) for item in contracts}) > 1:
        return None
    units = gcd(*(leg.quantity for leg in order.legs))
    sign = {NetDirection.DEBIT: -1, NetDirection.CREDIT: 1}.get(order.direction, 0)
    start = order.net_price * units * CONTRACT * sign
    legs = [
        (leg.quantity * CONTRACT * (1 if leg.action.is_buy else -1), item.right, item.strike)
        for leg, item in zip(order.legs, contracts, strict=True)
    ]

    def value(price: Decimal) -> Decimal:
        total = start
        for weight, right, strike in legs:
            total += weight * max(Decimal(0), price - strike if right == "C" else strike - price)
        return total

    corners = sorted({Decimal(0), *(strike for _, _, strike in legs)})
    values = [value(corner) for corner in corners]
    slope = Decimal(sum(weight for weight, right, _ in legs if right == "C"))
    return Payoff(
        max_gain=None if slope > 0 else max(Decimal(0), *values),
        max_loss=None if slope < 0 else max(Decimal(0), -min(values)),
        break_evens=_zeros(corners, values, slope),
    )


def _zeros(corners: list[Decimal], values: list[Decimal], slope: Decimal) -> list[Decimal]:
    """Where a line through the corners, going on with ``slope`` behind the last, changes its sign."""
    found: list[Decimal] = []
    for (left, low), (right, high) in zip(
        zip(corners, values, strict=True), zip(corners[1:], values[1:], strict=True), strict=False
    ):
        if low * high < 0:
            found.append(left + (right - left) * low / (low - high))
        elif low == 0 and high != 0 and left > 0:
            found.append(left)
        elif high == 0 and low != 0:
            found.append(right)
    if slope * values[-1] < 0:
        found.append(corners[-1] - values[-1] / slope)
    cents = [price.quantize(Decimal("0.01")) for price in found]
    return sorted(set(cents))
