"""The life of an order: entry, states and ends, with the events that tell of them (protocol 02 §18.2).

``replace`` of a record is a new record: every function stores what it changes and answers the new order.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from ftcli.paper import hours
from ftcli.paper.amounts import cents
from ftcli.paper.codes import EventKind, Family, Status
from ftcli.paper.estimates import package_units
from ftcli.paper.funding import Demand
from ftcli.paper.instruments import find
from ftcli.paper.matching import Floor
from ftcli.paper.numbers import system_order_id
from ftcli.paper.records import ZERO, EventData, LotChoice, Order, OrderLeg
from ftcli.paper.tickets import Ticket, TicketLeg
from ftcli.paper.world import World

_ONE = Decimal(1)


def make_order(floor: Floor, world: World, ticket: Ticket, number: str, now: datetime, **more: Any) -> Order:
    """A new order from a ticket that has been checked; it does not work before ``release``.

    Args:
        more: Further fields of the order, such as ``status`` and those of its group.
    """
    if ticket.family is Family.PACKAGE:
        units, ratios = package_units(ticket.legs)
    else:
        units, ratios = ticket.leg.quantity, (_ONE,)
    sequence = world.next("order_sequence")
    return Order(
        number=number,
        system_id=system_order_id(sequence, now),
        sequence=sequence,
        account=ticket.account,
        family=ticket.family,
        holding=ticket.holding,
        legs=tuple(_leg(world, ticket, leg, ratio) for leg, ratio in zip(ticket.legs, ratios, strict=True)),
        units=units,
        price_type=ticket.price_type,
        time_in_force=ticket.time_in_force,
        entered=now,
        changed=now,
        limit_price=ticket.limit_price if ticket.price_type.has_limit else None,
        stop_price=ticket.stop_price if ticket.price_type.has_stop else None,
        trail_amount=ticket.trail_amount,
        trail_unit=ticket.trail_unit,
        limit_offset=ticket.limit_offset,
        net_side=ticket.net_side,
        strategy=ticket.strategy,
        session=ticket.session,
        route=ticket.route,
        destination=ticket.destination,
        **more,
    )


def _leg(world: World, ticket: Ticket, leg: TicketLeg, ratio: Decimal) -> OrderLeg:
    lots = world.lots.of(ticket.account, leg.symbol) if leg.lots else []
    return OrderLeg(
        symbol=leg.symbol,
        action=leg.action,
        quantity=leg.quantity,
        ratio=ratio,
        effect=leg.effect,
        lots=tuple(
            LotChoice(quantity=choice.quantity, lot_id=choice.lot_id or lots[choice.sequence - 1].lot_id)
            for choice in leg.lots
        ),
    )


def release(floor: Floor, order: Order, at: datetime) -> Order:
    """Let an order work from a moment on; not stored yet."""
    instruments = tuple(found for found in (find(leg.symbol) for leg in order.legs) if found is not None)
    ends = hours.end_of_validity(at, order.time_in_force, order.session, floor.settings.gtc_days, instruments)
    order = replace(order, works_from=at, ends=ends.astimezone(at.tzinfo))
    if order.price_type.trails:
        best = floor.prices(at).mark(order.leg.symbol)
        order = replace(order, trail_best=best, trail_seen=at)
    return order


def commit(order: Order, demand: Demand) -> Order:
    """Let an order hold back what its execution needs; not stored yet."""
    return replace(order, committed=cents(demand.cash), requirement=cents(demand.requirement))


def enter(world: World, order: Order, at: datetime) -> Order:
    """Store a new order and tell of it."""
    order = world.put_order(order)
    tell_order(world, order, at, EventKind.ORDER_UPDATE)
    return order


def change(world: World, order: Order, at: datetime, **changes: Any) -> Order:
    """Change an open order and tell of it."""
    order = world.put_order(replace(order, changed=at, **changes))
    tell_order(world, order, at, EventKind.ORDER_UPDATE)
    return order


def ask_cancel(world: World, order: Order, at: datetime, confirm_at: datetime, reason: str) -> Order:
    """Start a cancel; the order may still fill before ``confirm_at``."""
    part = order.executed_units > 0
    status = Status.PENDING_CANCEL_PARTIAL_FILL if part else Status.PENDING_CANCEL
    return change(world, order, at, status=status, cancel_at=confirm_at, reason=reason)


def finish(world: World, order: Order, at: datetime, *, reason: str = "", failed: bool = False) -> Order:
    """End an order that is not filled: cancelled, expired, or refused by the market.

    An order of which a part was executed always ends as partly filled.
    """
    if order.executed_units > 0:
        status = Status.VERIFIED_CANCEL_PARTIAL_FILL
    else:
        status = Status.ERROR if failed else Status.VERIFIED_CANCEL
    order = change(
        world,
        order,
        at,
        status=status,
        cancel_at=None,
        reason=reason or order.reason,
        committed=ZERO,
        requirement=ZERO,
    )
    if status is not Status.ERROR:
        tell_order(world, order, at, EventKind.CANCELLED)
    return order


def tell_order(world: World, order: Order, at: datetime, kind: EventKind) -> None:
    """Append an event about an order as a whole."""
    leg = order.leg
    world.add_event(
        at,
        order.account,
        kind,
        order.number,
        EventData(
            symbol=leg.symbol,
            action=leg.action,
            status=order.status,
            original_quantity=leg.quantity,
            executed_quantity=leg.executed,
            price=order.limit_price,
            average_price=average_price(leg),
            gross=leg.gross,
        ),
    )


def tell_holdings(world: World, account: str, symbols: list[str], at: datetime, order: str | None) -> None:
    """Append the position events of some symbols and one balance event."""
    for symbol in symbols:
        quantity = world.lots.quantity(account, symbol)
        data = EventData(symbol=symbol, position_quantity=quantity)
        world.add_event(at, account, EventKind.POSITION, order, data)
    cash = world.cash[account]
    data = EventData(core_balance=cash.core, cash_balance=cash.balance)
    world.add_event(at, account, EventKind.BALANCE, order, data)


def average_price(leg: OrderLeg) -> Decimal:
    """Average execution price of a leg, 0 before an execution; at most four decimals."""
    if not leg.executed:
        return ZERO
    instrument = find(leg.symbol)
    multiplier = _ONE if instrument is None else instrument.multiplier
    average = leg.gross / (leg.executed * multiplier)
    return average.quantize(Decimal("0.0001")).normalize() + ZERO


def ticket_of(order: Order, units: Decimal) -> Ticket:
    """The ticket that would enter ``units`` of an order anew."""
    return Ticket(
        account=order.account,
        family=order.family,
        legs=tuple(
            TicketLeg(symbol=leg.symbol, action=leg.action, quantity=units * leg.ratio, effect=leg.effect)
            for leg in order.legs
        ),
        holding=order.holding,
        price_type=order.price_type,
        limit_price=order.limit_price,
        stop_price=order.stop_price,
        trail_amount=order.trail_amount,
        trail_unit=order.trail_unit,
        limit_offset=order.limit_offset,
        time_in_force=order.time_in_force,
        session=order.session,
        route=order.route,
        destination=order.destination,
        net_side=order.net_side,
        strategy=order.strategy,
    )
