"""What an order comes to, whatever its family: what is traded, at which price, for how much."""

from decimal import Decimal
from typing import Any

import msgspec

from ftcli.models.conditional import ConditionalOrder, ConditionalReplacement
from ftcli.models.option_tickets import MultiLegOrder

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
    """One order with its price.

    Attributes:
        price: Its limit, else its stop; ``None`` where the market decides.
        last: The last price to hold it against; ``None`` where it is not known.
        units: What a price is multiplied by.
    """

    price: Decimal | None
    last: Decimal | None
    units: Decimal

    @property
    def value(self) -> Decimal | None:
        """What it costs or brings in."""
        found = self.price if self.price is not None else self.last
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
    quantity = Decimal(order.quantity)
    price: Decimal | None = getattr(order, "limit_price", None)
    stop: Decimal | None = getattr(order, "stop_price", None)
    return Terms(
        parts=[_part(order)],
        orders=[
            Priced(
                price=price if price is not None else stop,
                last=last.get(order.symbol),
                units=quantity * (CONTRACT if hasattr(order, "contract") else 1),
            )
        ],
    )


def _package(order: MultiLegOrder, last: dict[str, Decimal]) -> Terms:
    from math import gcd

    count = gcd(*(leg.quantity for leg in order.legs))
    net: Decimal | None = Decimal(0)
    for leg in order.legs:
        price = last.get(leg.symbol)
        net = (
            None
            if net is None or price is None
            else net + price * (leg.quantity // count) * (1 if leg.action.is_buy else -1)
        )
    return Terms(
        parts=[_part(leg) for leg in order.legs],
        orders=[
            Priced(
                price=order.net_price,
                last=None if net is None else abs(net),
                units=Decimal(count * CONTRACT),
            )
        ],
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
