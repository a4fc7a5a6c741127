"""Executions: an order meets the market, the ledger books it, the events tell of it."""

from datetime import datetime
from decimal import Decimal

import msgspec
from msgspec.structs import replace

from ftcli.paper.amounts import share
from ftcli.paper.checks import Case
from ftcli.paper.codes import (
    Action,
    Effect,
    EventKind,
    Family,
    Holding,
    NetSide,
    PriceType,
    Status,
    TimeInForce,
)
from ftcli.paper.estimates import commission, leg_weight, regulatory_fee
from ftcli.paper.funding import can_pay, demand
from ftcli.paper.instruments import Instrument, find
from ftcli.paper.ledger import Booking, LotsMissingError, Trade, book_trade, choose_lots
from ftcli.paper.lifecycle import average_price, finish, tell_holdings, tell_order, ticket_of
from ftcli.paper.matching import Floor, event_price
from ftcli.paper.records import ZERO, EventData, Fill, LotChoice, Order, OrderLeg
from ftcli.paper.world import World

VENUE = "PAPER EXECUTION LLC"
_AUCTIONS = (TimeInForce.AT_OPEN, TimeInForce.AT_CLOSE)


class _Part(msgspec.Struct, frozen=True, kw_only=True):
    """What one leg of an execution trades."""

    index: int
    leg: OrderLeg
    instrument: Instrument
    quantity: Decimal
    price: Decimal


def execute(floor: Floor, world: World, order: Order, at: datetime) -> Order:
    """Execute an order at the market of a moment, whole or the part that the display size allows.

    An execution that the account cannot pay for, or whose position is gone, ends the order instead.
    """
    units = order.remaining_units
    size = floor.settings.display_size
    if size is not None and order.time_in_force not in _AUCTIONS:
        units = min(units, size)
    parts = _parts(floor, order, units, at)
    if parts is None:
        return finish(world, order, at, reason="no quote", failed=True)
    trades = [_trade(floor, order, part, at) for part in parts]
    reason = _obstacle(floor, world, order, parts, trades, at)
    if reason:
        return finish(world, order, at, reason=reason, failed=True)
    bookings = [book_trade(world, trade) for trade in trades]
    fills = [_fill(part, trade, at) for part, trade in zip(parts, trades, strict=True)]
    order = _advance(world, order, units, fills, at, floor)
    _tell(world, order, fills, bookings, at)
    return order


def _parts(floor: Floor, order: Order, units: Decimal, at: datetime) -> list[_Part] | None:
    prices = floor.prices(at)
    parts = []
    for index, leg in enumerate(order.legs):
        instrument, quote = find(leg.symbol), prices.quote(leg.symbol)
        if order.time_in_force in _AUCTIONS:
            price = event_price(floor, order, at)
        elif quote is None:
            price = None
        else:
            price = quote.ask if leg.action.buys else quote.bid
        if instrument is None or price is None:
            return None
        quantity = units * leg.ratio
        parts.append(_Part(index=index, leg=leg, instrument=instrument, quantity=quantity, price=price))
    return parts


def _trade(floor: Floor, order: Order, part: _Part, at: datetime) -> Trade:
    leg, instrument = part.leg, part.instrument
    short = leg.action in (Action.SELL_SHORT, Action.BUY_TO_COVER)
    if instrument.is_option:
        opens = leg.effect is not Effect.CLOSE
    else:
        opens = leg.action in (Action.BUY, Action.SELL_SHORT)
    return Trade(
        account=order.account,
        symbol=leg.symbol,
        description=instrument.long_text,
        buys=leg.action.buys,
        opens=opens,
        quantity=part.quantity,
        price=part.price,
        time=at,
        holding=Holding.SHORT if short else order.holding,
        multiplier=instrument.multiplier,
        commission=commission(floor.settings, instrument, part.quantity),
        fees=regulatory_fee(floor.settings, instrument, part.quantity),
        lots=_remaining_choices(leg),
        order=order.number,
    )


def _remaining_choices(leg: OrderLeg) -> tuple[LotChoice, ...]:
    """The chosen lots less what earlier executions have taken."""
    done, left = leg.executed, []
    for choice in leg.lots:
        used = min(done, choice.quantity)
        done -= used
        if used < choice.quantity:
            left.append(replace(choice, quantity=choice.quantity - used))
    return tuple(left)


def _obstacle(
    floor: Floor, world: World, order: Order, parts: list[_Part], trades: list[Trade], at: datetime
) -> str:
    """Why an execution cannot be booked, empty where it can."""
    for trade in trades:
        if trade.opens:
            held = world.lots.quantity(trade.account, trade.symbol)
            if held and (held > 0) != trade.buys:
                return "a position in the opposite direction is open"
            continue
        try:
            list(choose_lots(world, trade))
        except LotsMissingError:
            return "the position is gone"
    if any(trade.opens or order.is_package for trade in trades):
        case = _payment_case(floor, world, order, parts, at)
        if not can_pay(case, demand(case)):
            return "buying power is not sufficient"
    return ""


def _payment_case(floor: Floor, world: World, order: Order, parts: list[_Part], at: datetime) -> Case:
    """The execution as a ticket at its own price."""
    units = parts[0].quantity / parts[0].leg.ratio
    ticket = replace(ticket_of(order, units), price_type=PriceType.LIMIT)
    if order.family is Family.PACKAGE:
        net = sum(
            (
                leg_weight(part.leg, part.leg.ratio) * (part.price if part.leg.action.buys else -part.price)
                for part in parts
            ),
            ZERO,
        )
        side = NetSide.DEBIT if net >= 0 else NetSide.CREDIT
        ticket = replace(ticket, limit_price=abs(net), net_side=side)
    else:
        ticket = replace(ticket, limit_price=parts[0].price)
    return Case(
        world=world,
        ticket=ticket,
        prices=floor.prices(at),
        settings=floor.settings,
        account=world.accounts[order.account],
        always_open=floor.always_open,
        freed=(order.number,),
    )


def _fill(part: _Part, trade: Trade, at: datetime) -> Fill:
    return Fill(
        time=at,
        leg=part.index,
        quantity=part.quantity,
        price=part.price,
        gross=trade.gross,
        commission=trade.commission,
        fees=trade.fees,
        net=abs(trade.net),
        venue=VENUE,
    )


def _advance(
    world: World, order: Order, units: Decimal, fills: list[Fill], at: datetime, floor: Floor
) -> Order:
    """The order after an execution, stored."""
    legs = tuple(
        replace(
            leg,
            executed=leg.executed + fill.quantity,
            gross=leg.gross + fill.gross,
            commission=leg.commission + fill.commission,
            fees=leg.fees + fill.fees,
        )
        for leg, fill in zip(order.legs, fills, strict=True)
    )
    before, after = order.remaining_units, order.remaining_units - units
    if not after:
        status = Status.FILLED
    elif order.status.cancelling:
        status = Status.PENDING_CANCEL_PARTIAL_FILL
    else:
        status = Status.PARTIAL_FILL
    return world.put_order(
        replace(
            order,
            legs=legs,
            executed_units=order.executed_units + units,
            status=status,
            changed=at,
            cancel_at=order.cancel_at if after else None,
            fill_from=at + floor.settings.fill_interval if after else None,
            fills=(*order.fills, *fills),
            committed=share(order.committed, after, before),
            requirement=share(order.requirement, after, before),
        )
    )


def _tell(world: World, order: Order, fills: list[Fill], bookings: list[Booking], at: datetime) -> None:
    """``ORDUP``, ``MFCEX``, ``SPPOS``, ``SPBSM``, in this order (protocol 05 appendix C)."""
    tell_order(world, order, at, EventKind.ORDER_UPDATE)
    for fill in fills:
        leg = order.legs[fill.leg]
        data = EventData(
            symbol=leg.symbol,
            action=leg.action,
            status=order.status,
            original_quantity=leg.quantity,
            executed_quantity=leg.executed,
            last_quantity=fill.quantity,
            price=fill.price,
            average_price=average_price(leg),
            gross=fill.gross,
            venue=fill.venue,
        )
        world.add_event(at, order.account, EventKind.EXECUTION, order.number, data)
    for symbol in sorted({lot.symbol for booking in bookings for lot in booking.wash_sales}):
        data = EventData(symbol=symbol)
        world.add_event(at, order.account, EventKind.COST_BASIS, order.number, data)
    tell_holdings(world, order.account, [leg.symbol for leg in order.legs], at, order.number)
