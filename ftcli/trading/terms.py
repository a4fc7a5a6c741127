"""What an order comes to, whatever its family: what is traded, at which price, for how much."""

from decimal import Decimal
from typing import Any

import msgspec

from ftcli.models.conditional import ConditionalOrder, ConditionalReplacement
from ftcli.models.option_tickets import MultiLegOrder, NetDirection

CONTRACT = 100
"""Shares of a contract."""


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One thing an order trades.

    Attributes:
        symbol: Its symbol.
        names: Every symbol a rule may name it by: its own and its underlying's.
        asset: ``equity`` or ``option``.
        action: What is done.
        quantity: Shares or contracts.
    """

    symbol: str
    names: tuple[str, ...]
    asset: str
    action: str
    quantity: Decimal


class Priced(msgspec.Struct, frozen=True, kw_only=True):
    """One order with its prices. Of a package they are net: what it costs, below zero what it brings in.

    Attributes:
        prices: Every price it names, by name; ``None`` where it hangs on a last price that is not known.
        at: The price it is valued at, its limit, else its stop; ``None``: the last price.
        last: The last price to hold it against; ``None`` where it is not known.
        units: What a price is multiplied by.
    """

    prices: dict[str, Decimal | None]
    at: Decimal | None
    last: Decimal | None
    units: Decimal

    @property
    def value(self) -> Decimal | None:
        """What it costs or brings in."""
        found = self.at if self.at is not None else self.last
        return None if found is None else abs(found) * self.units


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """All of an order.

    Attributes:
        parts: What it trades.
        orders: Its orders: one, or those of a group.
    """

    parts: list[Part]
    orders: list[Priced]

    @property
    def value(self) -> Decimal | None:
        """The orders' values together; ``None`` where one is not known."""
        values = [order.value for order in self.orders]
        return None if None in values else sum((value for value in values if value), Decimal(0))


def terms_of(order: Any, last: dict[str, Decimal]) -> Terms:
    """The terms of an order of any family.

    Args:
        order: The order.
        last: Last prices by symbol.
    """
    if isinstance(order, ConditionalOrder):
        return _together([terms_of(part, last) for part in order.orders])
    if isinstance(order, ConditionalReplacement):
        return _together([terms_of(change.order, last) for change in order.changes])
    if isinstance(order, MultiLegOrder):
        return _package(order, last)
    return _single(order, last)


def _together(terms: list[Terms]) -> Terms:
    return Terms(
        parts=[part for one in terms for part in one.parts],
        orders=[order for one in terms for order in one.orders],
    )


def _single(order: Any, last: dict[str, Decimal]) -> Terms:
    prices: dict[str, Decimal | None] = {
        name.replace("_", " "): price
        for name in ("limit_price", "stop_price")
        if (price := getattr(order, name, None)) is not None
    }
    mark = last.get(order.symbol)
    units = Decimal(order.quantity) * (CONTRACT if hasattr(order, "contract") else 1)
    return Terms(
        parts=[_part(order)],
        orders=[
            Priced(
                prices=prices | _trailing(order, mark),
                at=prices.get("limit price", prices.get("stop price")),
                last=mark,
                units=units,
            )
        ],
    )


def _trailing(order: Any, last: Decimal | None) -> dict[str, Decimal | None]:
    """The stop that a trailing order starts with, and the limit that would follow from it."""
    amount, percent = getattr(order, "trailing_amount", None), getattr(order, "trailing_percent", None)
    if amount is None and percent is None:
        return {}
    offset = getattr(order, "limit_offset", None)
    names = ["trailing stop"] if offset is None else ["trailing stop", "trailing limit"]
    if last is None:
        return dict.fromkeys(names)
    away = amount if amount is not None else last * Decimal(percent or 0) / 100
    side = 1 if order.action.is_buy else -1
    return dict(zip(names, (last + side * away, last + side * (away + (offset or 0))), strict=False))


def _package(order: MultiLegOrder, last: dict[str, Decimal]) -> Terms:
    from math import gcd

    count = gcd(*(leg.quantity for leg in order.legs))
    marks = [last.get(leg.symbol) for leg in order.legs]
    net = None
    if None not in marks:
        weights = [leg.quantity // count * (1 if leg.action.is_buy else -1) for leg in order.legs]
        net = sum((mark * weight for mark, weight in zip(marks, weights, strict=True) if mark), Decimal(0))
    price = -order.net_price if order.direction is NetDirection.CREDIT else order.net_price
    return Terms(
        parts=[_part(leg) for leg in order.legs],
        orders=[Priced(prices={"net price": price}, at=price, last=net, units=Decimal(count * CONTRACT))],
    )


def _part(order: Any) -> Part:
    option = hasattr(order, "contract")
    names = (order.symbol, order.contract.underlying) if option else (order.symbol,)
    return Part(
        symbol=order.symbol,
        names=names,
        asset="option" if option else "equity",
        action=str(order.action),
        quantity=Decimal(order.quantity),
    )


def symbols_of(order: Any) -> list[str]:
    """The symbols whose last prices an order is held against."""
    return list(dict.fromkeys(part.symbol for part in terms_of(order, {}).parts))
