"""What an order comes to, whatever its family: what is traded, at which price, for how much."""

from collections.abc import Sequence
from decimal import Decimal
from math import gcd
from typing import Any

import msgspec

from ftcli.models.conditional import ConditionalOrder, ConditionalReplacement
from ftcli.models.option_symbol import OptionSymbol
from ftcli.models.option_tickets import MultiLegOrder, NetDirection
from ftcli.models.payoff import payoff
from ftcli.models.tickets import EquityAction
from ftcli.trading.digest import likeness

CONTRACT = 100
"""Shares of a contract."""


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One thing an order trades.

    Attributes:
        symbol: Its symbol.
        asset: ``equity`` or ``option``.
        action: What is done.
        quantity: Shares or contracts; ``None`` where only the broker knows.
    """

    symbol: str
    asset: str
    action: str
    quantity: Decimal | None


class Priced(msgspec.Struct, frozen=True, kw_only=True):
    """One order with its prices. Of a package they are net: what it costs, below zero what it brings in.

    Attributes:
        prices: Every price it names, by name; ``None`` where it hangs on a last price that is not known.
        last: The last price to hold it against; ``None`` where it is not known.
        value: Dollars it counts for: at its limit where it buys, else at the highest of its prices and the last one;
            of a package the most it can lose. ``None`` where they are not known.
    """

    prices: dict[str, Decimal | None]
    last: Decimal | None
    value: Decimal | None


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """All of an order.

    Attributes:
        parts: What it trades.
        orders: Its orders: one, or those of a group.
        replaces: Confirmation numbers of the open orders it changes.
        likeness: Its hash, by which the duplicate window knows it.
    """

    parts: list[Part]
    orders: list[Priced]
    replaces: frozenset[str] = frozenset()
    likeness: str = ""

    @property
    def value(self) -> Decimal | None:
        """The orders' values together; ``None`` where one is not known."""
        return sum_of([order.value for order in self.orders])


def sum_of(values: Sequence[Decimal | None]) -> Decimal | None:
    """The sum; ``None`` where one of the values is not known."""
    known = [value for value in values if value is not None]
    return sum(known, Decimal(0)) if len(known) == len(values) else None


def terms_of(order: Any, last: dict[str, Decimal], replaces: Sequence[str] = ()) -> Terms:
    """The terms of an order of any family.

    Args:
        order: The order.
        last: Last prices by symbol.
        replaces: Confirmation numbers of the open orders it changes.
    """
    # A price of zero is what a broker tells where it knows none.
    known = {symbol: price for symbol, price in last.items() if price > 0}
    return msgspec.structs.replace(
        _terms(order, known), replaces=frozenset(replaces), likeness=likeness(order, replaces)
    )


def _terms(order: Any, last: dict[str, Decimal]) -> Terms:
    if isinstance(order, ConditionalOrder):
        return _together([_terms(part, last) for part in order.orders])
    if isinstance(order, ConditionalReplacement):
        return _together([_terms(change.order, last) for change in order.changes])
    if isinstance(order, MultiLegOrder):
        return _package(order, last)
    return _single(order, last)


def _together(terms: list[Terms]) -> Terms:
    return Terms(
        parts=[part for one in terms for part in one.parts],
        orders=[order for one in terms for order in one.orders],
    )


def _single(order: Any, last: dict[str, Decimal]) -> Terms:
    named = {
        name.replace("_", " "): price
        for name in ("limit_price", "stop_price")
        if (price := getattr(order, name, None)) is not None
    }
    part, mark = _part(order), last.get(order.symbol)
    prices: dict[str, Decimal | None] = named | _trailing(order, mark)
    # Only the limit of a purchase holds the price down; any other order may trade at the market.
    capped = order.action.is_buy and "limit price" in named
    at = named["limit price"] if capped else _highest([*prices.values(), mark])
    value = None
    if at is not None and part.quantity is not None:
        value = at * part.quantity * (CONTRACT if part.asset == "option" else 1)
    return Terms(parts=[part], orders=[Priced(prices=prices, last=mark, value=value)])


def _highest(prices: Sequence[Decimal | None]) -> Decimal | None:
    """The highest price; ``None`` where one is not known."""
    known = [price for price in prices if price is not None]
    return max(known) if len(known) == len(prices) else None


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
    """A package: its net price is held against the net of its legs' last prices.

    It is worth the most it can lose, or its net price where that is more. Where that is nothing, without limit or not
    known, it is worth the larger of its sides: what the legs bought would cost alone, or those sold bring in.
    """
    units = gcd(*(leg.quantity for leg in order.legs)) * CONTRACT
    price = -order.net_price if order.direction is NetDirection.CREDIT else order.net_price
    net = larger = None
    if all(leg.symbol in last for leg in order.legs):
        worths = [
            last[leg.symbol] * leg.quantity * (1 if leg.action.is_buy else -1) * CONTRACT
            for leg in order.legs
        ]
        bought = sum((worth for worth in worths if worth > 0), Decimal(0))
        net = sum(worths, Decimal(0)) / units
        larger = max(bought, bought - net * units, order.net_price * units)
    found = payoff(order)
    loss = found.max_loss if found else None
    worst = None if loss is None else max(loss, order.net_price * units)
    return Terms(
        parts=[_part(leg) for leg in order.legs],
        orders=[Priced(prices={"net price": price}, last=net, value=worst or larger)],
    )


def _part(order: Any) -> Part:
    # An option's symbol makes an option of an order for shares too, whatever the broker makes of it.
    option = OptionSymbol.parse_or_none(order.symbol) is not None
    # It sells what the account holds, whatever quantity goes with it.
    all_of_it = order.action is EquityAction.SELL_ALL
    return Part(
        symbol=order.symbol,
        asset="option" if option else "equity",
        action=str(order.action),
        quantity=None if all_of_it else Decimal(order.quantity),
    )


def symbols_of(order: Any) -> list[str]:
    """The symbols whose last prices an order is held against."""
    return list(dict.fromkeys(part.symbol for part in _terms(order, {}).parts))
