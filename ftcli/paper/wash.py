"""Wash sales: a loss is disallowed as far as the same security is bought within 30 days before or after.

The disallowed part is added to the cost of the replacement shares, which also inherit the holding period.
Matching is per account, oldest shares first; retirement accounts and short lots take no part.
"""

from datetime import date, timedelta
from decimal import Decimal

from msgspec.structs import replace

from ftcli.clock import market_date
from ftcli.paper.amounts import share
from ftcli.paper.records import ClosedLot, Lot
from ftcli.paper.world import World

WINDOW = timedelta(days=30)


def new_lot_id(world: World, opened: date) -> str:
    """Mint a lot id: twelve digits, two for the year, three for the day, the rest counted."""
    return f"{opened:%y%j}{world.next('lot_sequence'):07d}"


def _washable(world: World, account: str) -> bool:
    return not world.accounts[account].retirement


def adjust_after_sale(world: World, closed: ClosedLot) -> ClosedLot:
    """Disallow the loss of a lot just sold as far as open lots bought in the window replace it.

    Returns:
        The closed lot as stored, adjusted where need be.
    """
    if closed.short or closed.unadjusted_gain >= 0 or not _washable(world, closed.account):
        return closed
    for lot in world.lots.of(closed.account, closed.symbol):
        if lot.quantity <= 0 or lot.lot_id == closed.lot_id:
            continue
        bought = market_date(lot.opened)
        if closed.sold - WINDOW <= bought <= closed.sold:
            closed = _match(world, closed, lot)
    return closed


def adjust_after_purchase(world: World, lot: Lot) -> list[ClosedLot]:
    """Disallow earlier losses that a purchase replaces.

    Returns:
        The closed lots that were adjusted.
    """
    if not _washable(world, lot.account):
        return []
    bought = market_date(lot.opened)
    adjusted = []
    for closed in world.closed_lots(lot.account, bought - WINDOW, bought, lot.symbol):
        if closed.short or closed.unadjusted_gain >= 0 or closed.quantity <= closed.wash_matched:
            continue
        current = world.lots.get(lot.lot_id)
        if current is None or current.replacement:
            break
        adjusted.append(_match(world, closed, current))
    return adjusted


def _match(world: World, closed: ClosedLot, lot: Lot) -> ClosedLot:
    """Let shares of ``lot`` replace sold ones; a lot only partly needed is split."""
    quantity = min(closed.quantity - closed.wash_matched, lot.quantity)
    if quantity <= 0 or lot.replacement:
        return closed
    if quantity < lot.quantity:
        lot = _split(world, lot, quantity)
    loss = -closed.unadjusted_gain
    matched = closed.wash_matched + quantity
    disallowed = share(loss, matched, closed.quantity) - closed.disallowed
    held = closed.sold - (closed.held_since or closed.acquired)
    world.lots.put(
        lot.lot_id,
        replace(
            lot,
            cost=lot.cost + disallowed,
            wash_adjustment=lot.wash_adjustment + disallowed,
            replacement=True,
            acquired=lot.acquired - held,
        ),
    )
    closed = replace(closed, disallowed=closed.disallowed + disallowed, wash_matched=matched)
    world.put_closed_lot(closed)
    return closed


def _split(world: World, lot: Lot, quantity: Decimal) -> Lot:
    """Split ``quantity`` shares off a lot that has not replaced any, and answer the part split off."""
    cost = share(lot.cost, quantity, lot.quantity)
    part = replace(
        lot,
        lot_id=new_lot_id(world, market_date(lot.opened)),
        quantity=quantity,
        cost=cost,
    )
    world.lots.put(lot.lot_id, replace(lot, quantity=lot.quantity - quantity, cost=lot.cost - cost))
    world.lots.put(part.lot_id, part)
    return part
