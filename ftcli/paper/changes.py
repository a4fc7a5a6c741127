"""Cancels and changes of orders that are open (protocol 02 §8, §9, §11)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from ftcli.paper.codes import Action, Family, GroupKind, Response, Status
from ftcli.paper.entry import (
    bound_terms,
    confirm,
    examine,
    make_case,
    normal_ticket,
    redeemable,
    refuse,
    remember,
)
from ftcli.paper.figures import CancelOutcome, GroupConfirmation
from ftcli.paper.funding import Demand
from ftcli.paper.lifecycle import ask_cancel, commit, enter, make_order
from ftcli.paper.matching import Floor
from ftcli.paper.messages import error, warning
from ftcli.paper.numbers import confirmation_number
from ftcli.paper.records import Confirmation, Message, Order
from ftcli.paper.tickets import CancelTicket, PreviewRecord, ReplaceTicket, Ticket
from ftcli.paper.world import World


def _outcome(order: Order, response: Response, messages: tuple[Message, ...]) -> CancelOutcome:
    leg = order.leg
    return CancelOutcome(
        response=response,
        number=order.number,
        account=order.account,
        action=leg.action,
        original=leg.quantity,
        executed=leg.executed,
        remaining=leg.remaining,
        proceeds=sum((item.gross for item in order.legs), leg.gross * 0),
        commission=sum((item.commission for item in order.legs), leg.gross * 0),
        messages=messages,
    )


def _find(world: World, ticket: CancelTicket) -> Order | None:
    order = world.order(ticket.number)
    return order if order is not None and order.account == ticket.account else None


def _unknown(ticket: CancelTicket) -> CancelOutcome:
    action = Action(ticket.action) if ticket.action in set(Action) else None
    return CancelOutcome(
        response=Response.REFUSED,
        number=ticket.number,
        account=ticket.account,
        action=action,
        messages=(error("SIM242"),),
    )


def preview_cancel(world: World, tickets: Sequence[CancelTicket]) -> list[CancelOutcome]:
    """What a cancel would leave of each order; changes nothing."""
    outcomes = []
    for ticket in tickets:
        order = _find(world, ticket)
        if order is None:
            outcomes.append(_unknown(ticket))
        elif not order.status.cancelable:
            outcomes.append(_outcome(order, Response.REFUSED, (error("SIM204"),)))
        else:
            notes = (warning("SIM103"),) if order.executed_units else ()
            outcomes.append(_outcome(order, Response.VALIDATED, notes))
    return outcomes


def cancel(floor: Floor, world: World, tickets: Sequence[CancelTicket], now: datetime) -> list[CancelOutcome]:
    """Ask for cancels, each judged by itself; they are confirmed after the cancel delay."""
    outcomes = []
    for ticket in tickets:
        order = _find(world, ticket)
        if order is None:
            outcomes.append(_unknown(ticket))
        elif not order.status.cancelable:
            outcomes.append(_outcome(order, Response.REFUSED, (error("SIM204"),)))
        else:
            outcomes.append(_outcome(order, Response.ACCEPTED, ()))
            ask_cancel(world, order, now, now + floor.settings.cancel_delay, "cancelled by the customer")
    return outcomes


def _obstacle(order: Order | None, ticket: Ticket) -> str:
    """Why an order cannot be changed into a ticket, as a message code; empty where it can."""
    if order is None or order.account != ticket.account:
        return "SIM242"
    if order.is_package or ticket.family is Family.PACKAGE:
        return "SIM244"
    if not order.status.replaceable:
        return "SIM240"
    same = (
        order.leg.symbol == ticket.leg.symbol
        and order.leg.action is ticket.leg.action
        and order.holding is ticket.holding
        and order.family is ticket.family
    )
    return "" if same else "SIM241"


def _freed(order: Order) -> tuple[str, ...]:
    return order.number, order.sibling or ""


def preview_change(floor: Floor, world: World, change: ReplaceTicket, now: datetime) -> Confirmation:
    """Preview a change: mints the number of the replacement."""
    ticket, order = normal_ticket(change.ticket), world.order(change.original)
    waits = order is not None and order.status.waiting
    conditional = order is not None and order.group is not None
    freed = () if order is None else _freed(order)
    case = make_case(floor, world, ticket, now, conditional=conditional, waits=waits, freed=freed)
    code = _obstacle(order, ticket)
    if code:
        case.refuse(code)
    else:
        examine(case)
    number = confirmation_number(world, now, ticket.family, conditional=conditional)
    answer = confirm(case, floor, number, original=change.original)
    record = PreviewRecord(
        number=number,
        made=now,
        ticket=ticket,
        confirmation=answer,
        original=change.original,
    )
    remember(floor, world, record, now)
    return answer


def place_change(
    floor: Floor, world: World, number: str, change: ReplaceTicket, now: datetime
) -> Confirmation:
    """Place a change: the original starts to cancel and the replacement takes its place when it is gone."""
    ticket = normal_ticket(change.ticket)
    record = world.preview(number)
    code = redeemable(floor, record, now)
    if code or record is None:
        return refuse(number, ticket.account, code or "SIM201", change.original)
    if record.original != change.original or bound_terms(ticket) != bound_terms(record.ticket):
        return refuse(number, ticket.account, "SIM207", change.original)
    order = world.order(change.original)
    code = _obstacle(order, record.ticket)
    if code or order is None:
        return refuse(number, ticket.account, code, change.original)
    case = make_case(
        floor,
        world,
        record.ticket,
        now,
        conditional=order.group is not None,
        waits=order.status.waiting,
        freed=_freed(order),
    )
    needed = examine(case)
    answer = confirm(case, floor, number, place=True, original=change.original)
    if answer.refused:
        return answer
    replacement = make_order(floor, world, case.ticket, number, now, **_inherited(order))
    enter(world, commit(replacement, _beyond(order, needed)), now)
    order = replace(order, replaced_by=number)
    ask_cancel(world, order, now, now + floor.settings.cancel_delay, f"replaced by {number}")
    world.put_preview(replace(record, used=now))
    return answer


def _beyond(order: Order, needed: Demand) -> Demand:
    """What a replacement holds back before it takes over: only what goes beyond the order it replaces."""
    if order.on_hold:
        return Demand()
    return Demand(
        cash=max(needed.cash - order.committed, order.committed * 0),
        requirement=max(needed.requirement - order.requirement, order.requirement * 0),
    )


def _inherited(order: Order) -> dict[str, Any]:
    """What a replacement takes over from the order it replaces."""
    return {
        "status": Status.AWAITS_PRIMARY if order.status.waiting else Status.OPEN,
        "group": order.group,
        "group_kind": order.group_kind,
        "role": order.role,
        "linked": order.number,
        "replaces": order.number,
        "on_hold": True,
    }


def preview_group_change(
    floor: Floor, world: World, kind: GroupKind, account: str, changes: Sequence[ReplaceTicket], now: datetime
) -> GroupConfirmation:
    """Preview changes of several orders of one conditional group (protocol 02 §11)."""
    answers = tuple(preview_change(floor, world, change, now) for change in changes)
    return GroupConfirmation(kind=kind, account=account, confirmations=answers)


def place_group_change(
    floor: Floor,
    world: World,
    kind: GroupKind,
    account: str,
    changes: Sequence[ReplaceTicket],
    numbers: Sequence[str],
    now: datetime,
) -> GroupConfirmation:
    """Place changes of several orders of one conditional group; each is judged by itself."""
    answers = []
    for index, change in enumerate(changes):
        number = numbers[index] if index < len(numbers) else ""
        order = world.order(change.original)
        if order is not None and order.group is None:
            answers.append(refuse(number, account, "SIM246", change.original))
        else:
            answers.append(place_change(floor, world, number, change, now))
    return GroupConfirmation(kind=kind, account=account, confirmations=tuple(answers))
