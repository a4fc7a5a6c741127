"""The figures of a preview and the costs of an execution (protocol 02 §17)."""

from collections.abc import Sequence
from decimal import Decimal
from math import gcd

from ftcli.paper.amounts import cents
from ftcli.paper.codes import Action, Family, NetSide, TrailUnit
from ftcli.paper.instruments import Instrument, find
from ftcli.paper.prices import Prices
from ftcli.paper.records import ZERO, Estimate, LegEstimate, OrderLeg
from ftcli.paper.settings import Settings
from ftcli.paper.tickets import Ticket, TicketLeg

HUNDRED = Decimal(100)
_ONE = Decimal(1)


def commission(settings: Settings, instrument: Instrument | None, quantity: Decimal) -> Decimal:
    """Commission of trading ``quantity``."""
    if instrument is None or not instrument.is_option:
        return ZERO
    return cents(settings.commission * quantity)


def regulatory_fee(settings: Settings, instrument: Instrument | None, quantity: Decimal) -> Decimal:
    """Regulatory fees of trading ``quantity``."""
    if instrument is None or not instrument.is_option:
        return ZERO
    return cents(settings.fee * quantity)


def trailing_stop(
    action: Action, best: Decimal, amount: Decimal, unit: TrailUnit | None, places: Decimal = Decimal("0.01")
) -> Decimal:
    """Where a trailing stop stands when the best last price so far is ``best``.

    A percentage is rounded to the price increment, away from the market.
    """
    if unit is TrailUnit.PERCENT:
        distance = best * amount / HUNDRED
        distance = (distance / places).to_integral_value(rounding="ROUND_CEILING") * places
    else:
        distance = amount
    return best + distance if action.buys else best - distance


def package_units(legs: tuple[TicketLeg, ...]) -> tuple[Decimal, tuple[Decimal, ...]]:
    """Units of a package and the quantity of each leg per unit.

    Shares count in hundreds, so that a buy-write of one call and a hundred shares is one unit.

    Raises:
        ValueError: Quantities are not whole, or shares not in hundreds.
    """
    sizes = []
    for leg in legs:
        size = leg.quantity if leg.action.for_options else leg.quantity / HUNDRED
        if size != size.to_integral_value() or size <= 0:
            raise ValueError(leg.symbol)
        sizes.append(int(size))
    units = Decimal(gcd(*sizes))
    return units, tuple(leg.quantity / units for leg in legs)


def leg_weight(leg: TicketLeg | OrderLeg, ratio: Decimal) -> Decimal:
    """How often a leg's price counts in the package's net price."""
    return ratio if leg.action.for_options else ratio / HUNDRED


def signed_net(side: NetSide | None, price: Decimal) -> Decimal:
    """The most a package may cost per unit: negative where a credit is asked for."""
    if side is NetSide.CREDIT:
        return -price
    return price if side is NetSide.DEBIT else ZERO


def estimate_price(ticket: Ticket, leg: TicketLeg, prices: Prices) -> Decimal | None:
    """The price an estimate uses: limit, else stop, else ask on buys and bid on sells."""
    if ticket.price_type.has_limit and ticket.limit_price is not None:
        return ticket.limit_price
    if ticket.price_type.has_stop and ticket.stop_price is not None:
        return ticket.stop_price
    quote = prices.quote(leg.symbol)
    if quote is None:
        return None
    if ticket.price_type.trails and ticket.trail_amount is not None and quote.last is not None:
        return trailing_stop(leg.action, quote.last, ticket.trail_amount, ticket.trail_unit)
    near = quote.ask if leg.action.buys else quote.bid
    return near if near is not None else quote.last


def _leg_estimate(leg: TicketLeg, prices: Prices, settings: Settings) -> LegEstimate:
    instrument, quote = find(leg.symbol), prices.quote(leg.symbol)
    kind = "" if instrument is None else instrument.underlying_kind or instrument.kind
    return LegEstimate(
        symbol=leg.symbol,
        action=leg.action,
        quantity=leg.quantity,
        effect=leg.effect,
        cusip="" if instrument is None else instrument.cusip,
        description="" if instrument is None else instrument.short_text,
        last=None if quote is None else quote.last,
        bid=None if quote is None else quote.bid,
        ask=None if quote is None else quote.ask,
        commission=commission(settings, instrument, leg.quantity),
        is_etf=kind == "etf",
    )


def estimate(ticket: Ticket, prices: Prices, settings: Settings) -> Estimate:
    """The figures of a preview. Nothing is assumed about the ticket: what cannot be known is left out."""
    legs = tuple(_leg_estimate(leg, prices, settings) for leg in ticket.legs)
    if ticket.family is Family.PACKAGE:
        return _package_estimate(ticket, legs, prices)
    leg, shown = ticket.leg, legs[0]
    instrument = find(leg.symbol)
    price = estimate_price(ticket, leg, prices) or ZERO
    multiplier = _ONE if instrument is None else instrument.multiplier
    value = cents(leg.quantity * price * multiplier)
    fees = regulatory_fee(settings, instrument, leg.quantity)
    net = value + shown.commission if leg.action.buys else value - shown.commission - fees
    return Estimate(
        legs=legs,
        quote_time=prices.at,
        last=shown.last,
        bid=shown.bid,
        ask=shown.ask,
        value=value,
        commission=shown.commission,
        fees=fees,
        net=net,
        units=leg.quantity,
    )


def net_market(
    legs: Sequence[TicketLeg | OrderLeg], ratios: tuple[Decimal, ...], prices: Prices
) -> tuple[Decimal, Decimal] | None:
    """What a unit of a package costs now: (selling it, buying it), None when a side is not quoted."""
    low = high = ZERO
    for leg, ratio in zip(legs, ratios, strict=True):
        quote = prices.quote(leg.symbol)
        if quote is None or quote.bid is None or quote.ask is None:
            return None
        weight = leg_weight(leg, ratio)
        low += weight * (quote.bid if leg.action.buys else -quote.ask)
        high += weight * (quote.ask if leg.action.buys else -quote.bid)
    return low, high


def _package_estimate(ticket: Ticket, legs: tuple[LegEstimate, ...], prices: Prices) -> Estimate:
    total = sum((leg.commission for leg in legs), ZERO)
    net = ticket.limit_price or ZERO
    try:
        units, ratios = package_units(ticket.legs)
    except ValueError:
        return Estimate(legs=legs, quote_time=prices.at, commission=total, net=net, units=_ONE)
    market = net_market(ticket.legs, ratios, prices)
    bid = ask = middle = None
    if market is not None:
        bid, ask = market
        if ticket.net_side is NetSide.CREDIT:
            bid, ask = sorted((abs(bid), abs(ask)))
        middle = (bid + ask) / 2
    subtotal = cents(net * HUNDRED * units)
    return Estimate(
        legs=legs,
        quote_time=prices.at,
        value=subtotal,
        commission=total,
        net=subtotal - total if ticket.net_side is NetSide.CREDIT else subtotal + total,
        units=units,
        net_bid=bid,
        net_ask=ask,
        midpoint=middle,
    )
