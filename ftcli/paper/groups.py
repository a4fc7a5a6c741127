"""What orders of a conditional group, and the two ends of a change, do to each other (protocol 02 §18.2)."""

from datetime import datetime
from decimal import Decimal

from msgspec.structs import replace

from ftcli.paper.checks import Case
from ftcli.paper.codes import EventKind, Family, GroupKind, Role, Status
from ftcli.paper.funding import check_funding, demand, resolve_effects
from ftcli.paper.lifecycle import (
    ask_cancel,
    change,
    commit,
    finish,
    release,
    tell_order,
    ticket_of,
)
from ftcli.paper.matching import Floor
from ftcli.paper.records import ZERO, Order
from ftcli.paper.tables import closing_key
from ftcli.paper.world import World


def case_of(floor: Floor, world: World, order: Order, at: datetime) -> Case:
    """An order that exists as a case to examine anew, as if it were entered now."""
    return Case(
        world=world,
        ticket=ticket_of(order, order.remaining_units),
        prices=floor.prices(at),
        settings=floor.settings,
        account=world.accounts[order.account],
        always_open=floor.always_open,
        conditional=order.group is not None,
        freed=(order.number, order.sibling or ""),
    )


def after_execution(floor: Floor, world: World, order: Order, at: datetime) -> None:
    """Cancel the sibling of an OCO half; release the children of a filled primary.

    Args:
        order: As it stands after the execution.
    """
    sibling = world.orders.get(order.sibling or "")
    if sibling is not None and not sibling.status.cancelling:
        ask_cancel(world, sibling, at, at, f"{order.number} executed")
    if order.status is Status.FILLED:
        successor = world.orders.get(order.replaced_by or "")
        if successor is not None and successor.works_from is None:
            finish(world, successor, at, reason="the original was filled first", failed=True)
        release_children(floor, world, order, at)


def release_children(floor: Floor, world: World, primary: Order, at: datetime) -> None:
    """Let the children of a filled primary work; two of them become OCO halves."""
    children = [
        order
        for order in world.group_orders(primary.group or "")
        if order.parent == primary.number and order.status is Status.AWAITS_PRIMARY
    ]
    if len(children) == 2 and primary.group_kind is GroupKind.OTOCO:
        first, second = children
        children = [
            replace(first, role=Role.HALF, sibling=second.number, linked=second.number),
            replace(second, role=Role.HALF, sibling=first.number, linked=first.number),
        ]
        children = hold_together(children[0], children[1])
    for child in children:
        world.put_order(child)
    for child in children:
        current = world.orders.get(child.number)
        if current is not None and current.status is Status.AWAITS_PRIMARY:
            trigger(floor, world, current, at)


def trigger(floor: Floor, world: World, order: Order, at: datetime) -> Order:
    """Release a waiting order after checking it again: it may have become impossible."""
    order = release(floor, replace(order, parent=None), at)
    order = change(world, order, at, status=Status.TRIGGERED_OPEN)
    case = case_of(floor, world, order, at)
    case.ticket = resolve_effects(case)
    needed = check_funding(case)
    if case.refused:
        order = finish(world, order, at, reason=case.messages[-1].text, failed=True)
        after_end(floor, world, order, at)
        return order
    legs = tuple(
        replace(leg, effect=ticket_leg.effect)
        for leg, ticket_leg in zip(order.legs, case.ticket.legs, strict=True)
    )
    order = replace(order, legs=legs)
    return world.put_order(order if order.on_hold else commit(order, needed))


def hold_together(first: Order, second: Order) -> list[Order]:
    """Let one half of an OCO pair hold shares and dollars back for both, since only one can execute.

    This is for halves on the same side of the same security; others hold back each for itself.
    """
    one, other = first.leg, second.leg
    same = one.symbol == other.symbol and one.action.buys == other.action.buys
    if not same or closing_key(first, one) != closing_key(second, other):
        return [first, second]
    if first.committed < second.committed or (
        first.committed == second.committed and one.quantity < other.quantity
    ):
        return [replace(first, on_hold=True, committed=ZERO, requirement=ZERO), second]
    return [first, replace(second, on_hold=True, committed=ZERO, requirement=ZERO)]


def after_end(floor: Floor, world: World, order: Order, at: datetime) -> None:
    """Follow up an order that ended without being filled.

    A replaced order hands its place over. Else the children of a primary end with it, and the sibling of a
    half stays alone and holds back for itself.
    """
    successor = world.orders.get(order.replaced_by or "")
    if successor is not None and successor.works_from is None:
        take_over(floor, world, order, successor, at)
        return
    for child in world.group_orders(order.group or ""):
        if child.parent == order.number:
            finish(world, child, at, reason=f"{order.number} ended")
    sibling = world.orders.get(order.sibling or "")
    if sibling is not None and not sibling.status.cancelling:
        _stay_alone(floor, world, sibling, at)


def _stay_alone(floor: Floor, world: World, half: Order, at: datetime) -> None:
    linked = half.linked if half.executed_units else None
    half = replace(half, sibling=None, linked=linked, role=None)
    if half.on_hold:
        half = replace(half, on_hold=False)
        case = case_of(floor, world, half, at)
        half = commit(half, demand(case))
    change(world, half, at)


def take_over(floor: Floor, world: World, old: Order, new: Order, at: datetime) -> Order:
    """Put a replacement in the place of the order it replaces, once that one is gone.

    What the old order executed while its cancel was pending is taken off the new quantity.
    """
    sibling = world.orders.get(old.sibling or "")
    if sibling is not None:
        world.put_order(replace(sibling, sibling=new.number, linked=new.number))
        new = replace(new, sibling=sibling.number, role=Role.HALF)
    for child in world.group_orders(old.group or ""):
        if child.parent == old.number:
            world.put_order(replace(child, parent=new.number, linked=new.number))
    surplus = _filled_since(old, new)
    if surplus:
        left = new.units - surplus
        if left <= 0:
            return finish(world, new, at, reason="the original was filled first", failed=True)
        leg = replace(new.leg, quantity=left)
        new = replace(new, units=left, legs=(leg,))
    new = replace(new, on_hold=old.on_hold)
    if new.status is Status.AWAITS_PRIMARY:
        return _wait_on(floor, world, old, new, at)
    new = release(floor, replace(new, changed=at), at)
    if not new.on_hold:
        new = commit(new, demand(case_of(floor, world, new, at)))
    new = world.put_order(new)
    tell_order(world, new, at, EventKind.ORDER_UPDATE)
    return new


def _wait_on(floor: Floor, world: World, old: Order, new: Order, at: datetime) -> Order:
    """A replaced child waits for the same primary, or is released if that one has filled meanwhile."""
    new = world.put_order(replace(new, parent=old.parent))
    primary = world.order(old.parent or "")
    if primary is not None and primary.status is Status.FILLED:
        return trigger(floor, world, new, at)
    if primary is None or primary.status.final:
        return finish(world, new, at, reason=f"{old.parent} ended")
    return new


def _filled_since(old: Order, new: Order) -> Decimal:
    """What the old order executed after its replacement was entered."""
    if old.family is Family.PACKAGE:
        return ZERO
    return sum((fill.quantity for fill in old.fills if fill.time > new.entered), ZERO)
