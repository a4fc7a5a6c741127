"""Order entry: previews mint numbers, places redeem them (protocol 02 §5-§7, §10, §16).

A place must repeat the previewed order exactly, in time, once; anything else is refused and enters
nothing. All checks of the preview are made again at the place.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from ftcli.paper.checks import Case, check_form
from ftcli.paper.codes import Family, GroupKind, PriceType, Response, Role, Status
from ftcli.paper.estimates import estimate
from ftcli.paper.figures import GroupConfirmation
from ftcli.paper.funding import Demand, check_funding, resolve_effects
from ftcli.paper.groups import hold_together
from ftcli.paper.instruments import normalise
from ftcli.paper.lifecycle import commit, enter, make_order, release
from ftcli.paper.matching import Floor
from ftcli.paper.messages import error, info, warning
from ftcli.paper.numbers import confirmation_number
from ftcli.paper.records import Confirmation, Message, Order
from ftcli.paper.tickets import GroupTicket, PreviewRecord, Ticket
from ftcli.paper.world import World

_PURGE_EVERY = 200


def normal_ticket(ticket: Ticket) -> Ticket:
    """The ticket with its symbols spelt as the books spell them."""
    legs = tuple(replace(leg, symbol=normalise(leg.symbol)) for leg in ticket.legs)
    return replace(ticket, legs=legs)


def bound_terms(ticket: Ticket) -> tuple[Any, ...]:
    """What a place must repeat (protocol 02 §16); the route may be left out."""
    legs = tuple((leg.symbol, leg.action, leg.quantity, leg.effect, leg.lots) for leg in ticket.legs)
    return (
        ticket.account,
        ticket.family,
        legs,
        ticket.holding,
        ticket.price_type,
        ticket.limit_price,
        ticket.stop_price,
        ticket.trail_amount,
        ticket.trail_unit,
        ticket.limit_offset,
        ticket.time_in_force,
        ticket.net_side,
    )


def make_case(
    floor: Floor,
    world: World,
    ticket: Ticket,
    now: datetime,
    *,
    conditional: bool = False,
    waits: bool = False,
    freed: tuple[str, ...] = (),
) -> Case:
    """A ticket ready to be examined."""
    return Case(
        world=world,
        ticket=ticket,
        prices=floor.prices(now),
        settings=floor.settings,
        account=world.accounts.get(ticket.account),
        always_open=floor.always_open,
        conditional=conditional,
        waits=waits,
        freed=freed,
    )


def examine(case: Case) -> Demand:
    """Make all checks; the case then holds the messages and the resolved ticket."""
    check_form(case)
    if case.refused:
        return Demand()
    case.ticket = resolve_effects(case)
    needed = check_funding(case)
    account = case.account
    if case.ticket.family is Family.PACKAGE and account is not None and account.margin:
        case.warn("354020")
    return needed


def confirm(
    case: Case, floor: Floor, number: str, *, place: bool = False, original: str | None = None
) -> Confirmation:
    """The answer to a case that has been examined."""
    good = Response.ACCEPTED if place else Response.VALIDATED
    return Confirmation(
        response=Response.REFUSED if case.refused else good,
        number=number,
        account=case.ticket.account,
        messages=tuple(case.messages),
        estimate=estimate(case.ticket, case.prices, floor.settings),
        original=original,
    )


def refuse(number: str, account: str, code: str, original: str | None = None) -> Confirmation:
    """A refusal without figures."""
    return Confirmation(
        response=Response.REFUSED,
        number=number,
        account=account,
        messages=(error(code),),
        original=original,
    )


def preview(floor: Floor, world: World, ticket: Ticket, now: datetime) -> Confirmation:
    """Preview a single order or package; mints a number even when it refuses."""
    ticket = normal_ticket(ticket)
    case = make_case(floor, world, ticket, now)
    examine(case)
    number = confirmation_number(world, now, ticket.family)
    answer = confirm(case, floor, number)
    remember(floor, world, PreviewRecord(number=number, made=now, ticket=ticket, confirmation=answer), now)
    return answer


def remember(floor: Floor, world: World, record: PreviewRecord, now: datetime) -> None:
    """Store a preview, and now and then forget the oldest ones."""
    world.put_preview(record)
    if world.meta.number_sequence % _PURGE_EVERY == 0:
        world.drop_previews(now - floor.settings.preview_memory)


def redeemable(floor: Floor, record: PreviewRecord | None, now: datetime) -> str:
    """Why a number cannot be placed, as a message code; empty where it can."""
    if record is None:
        return "SIM201"
    if record.used is not None:
        return "SIM208"
    if record.confirmation.refused:
        return "SIM209"
    return "SIM201" if now - record.made > floor.settings.preview_life else ""


def place(floor: Floor, world: World, number: str, ticket: Ticket, now: datetime) -> Confirmation:
    """Place a previewed order; enters it once, or refuses and enters nothing."""
    ticket = normal_ticket(ticket)
    record = world.preview(number)
    code = redeemable(floor, record, now)
    if code or record is None:
        return refuse(number, ticket.account, code or "SIM201")
    differs = bound_terms(ticket) != bound_terms(record.ticket) or ticket.session is not record.ticket.session
    if record.group is not None or record.original is not None or differs:
        return refuse(number, ticket.account, "SIM207")
    case = make_case(floor, world, record.ticket, now)
    needed = examine(case)
    answer = confirm(case, floor, number, place=True)
    if answer.refused:
        return answer
    order = make_order(floor, world, case.ticket, number, now, status=Status.OPEN)
    enter(world, commit(release(floor, order, now), needed), now)
    world.put_preview(replace(record, used=now))
    return answer


# -- conditional groups ----------------------------------------------------------------------------


class _Member(msgspec.Struct):
    """One order of a group under examination."""

    case: Case
    needed: Demand
    role: Role


def _roles(kind: GroupKind) -> tuple[Role, ...]:
    if kind is GroupKind.OCO:
        return Role.HALF, Role.HALF
    return (Role.PRIMARY, *(Role.CHILD for _ in range(kind.size - 1)))


def _members(floor: Floor, world: World, group: GroupTicket, now: datetime) -> list[_Member]:
    members = []
    whole = len(group.tickets) == group.kind.size
    for index, ticket in enumerate(group.tickets):
        role = _roles(group.kind)[min(index, group.kind.size - 1)]
        case = make_case(floor, world, ticket, now, conditional=True, waits=role is Role.CHILD)
        if not whole or ticket.account != group.account or ticket.family is Family.PACKAGE:
            case.refuse("SIM245")
            members.append(_Member(case=case, needed=Demand(), role=role))
            continue
        needed = examine(case)
        if ticket.price_type is PriceType.STOP and not case.refused:
            case.messages.append(warning("001924"))
        members.append(_Member(case=case, needed=needed, role=role))
    return members


def _top_messages(members: Sequence[_Member]) -> tuple[Message, ...]:
    return () if any(member.case.refused for member in members) else (info("000000"),)


def preview_group(floor: Floor, world: World, group: GroupTicket, now: datetime) -> GroupConfirmation:
    """Preview a conditional group: one number and one answer per order."""
    group = replace(group, tickets=tuple(normal_ticket(ticket) for ticket in group.tickets))
    members = _members(floor, world, group, now)
    numbers = [confirmation_number(world, now, ticket.family, conditional=True) for ticket in group.tickets]
    answers = []
    for index, (member, ticket) in enumerate(zip(members, group.tickets, strict=True)):
        answer = confirm(member.case, floor, numbers[index])
        answers.append(answer)
        record = PreviewRecord(
            number=numbers[index],
            made=now,
            ticket=ticket,
            confirmation=answer,
            group=numbers[0],
            group_kind=group.kind,
            index=index,
        )
        remember(floor, world, record, now)
    return GroupConfirmation(
        kind=group.kind,
        account=group.account,
        confirmations=tuple(answers),
        messages=_top_messages(members),
    )


def place_group(
    floor: Floor, world: World, group: GroupTicket, numbers: Sequence[str], now: datetime
) -> GroupConfirmation:
    """Place a previewed group.

    Args:
        numbers: Whatever numbers the request carried; any of the group's numbers finds it, whichever
            order they sit on (protocol 02 §10.4).
    """
    group = replace(group, tickets=tuple(normal_ticket(ticket) for ticket in group.tickets))
    records, code = _group_records(floor, world, group, numbers, now)
    if code:
        known = [record.number for record in records] or list(numbers)
        shown = [known[index] if index < len(known) else "" for index in range(len(group.tickets))]
        refusals = tuple(refuse(number, group.account, code) for number in shown)
        return GroupConfirmation(kind=group.kind, account=group.account, confirmations=refusals)
    members = _members(floor, world, replace(group, tickets=tuple(r.ticket for r in records)), now)
    refused = any(member.case.refused for member in members)
    answers = []
    for member, record in zip(members, records, strict=True):
        if refused and not member.case.refused:
            member.case.refuse("SIM248")
        answers.append(confirm(member.case, floor, record.number, place=True))
    if not refused:
        _enter_group(floor, world, members, records, now)
    return GroupConfirmation(
        kind=group.kind,
        account=group.account,
        confirmations=tuple(answers),
        messages=_top_messages(members),
    )


def _group_records(
    floor: Floor, world: World, group: GroupTicket, numbers: Sequence[str], now: datetime
) -> tuple[list[PreviewRecord], str]:
    """The previews of the group that the numbers name, and why it cannot be placed."""
    found = [world.preview(number) for number in numbers if number]
    if not found or any(record is None or record.group is None for record in found):
        return [], "SIM201"
    groups = {record.group for record in found if record is not None}
    if len(groups) != 1:
        return [], "SIM246"
    records = world.group_previews(groups.pop() or "")
    for record in records:
        code = redeemable(floor, record, now)
        if code:
            return records, code
    same = (
        records[0].group_kind is group.kind
        and len(records) == len(group.tickets)
        and all(
            bound_terms(record.ticket) == bound_terms(ticket)
            for record, ticket in zip(records, group.tickets, strict=True)
        )
    )
    return records, "" if same else "SIM207"


def _enter_group(
    floor: Floor, world: World, members: list[_Member], records: list[PreviewRecord], now: datetime
) -> None:
    numbers = [record.number for record in records]
    orders: list[Order] = []
    for member, record in zip(members, records, strict=True):
        more: dict[str, Any] = {
            "status": Status.OPEN,
            "group": numbers[0],
            "group_kind": record.group_kind,
            "role": member.role,
        }
        if member.role is Role.CHILD:
            more |= {"status": Status.AWAITS_PRIMARY, "parent": numbers[0], "linked": numbers[0]}
        elif member.role is Role.HALF:
            other = numbers[1 - record.index]
            more |= {"sibling": other, "linked": other}
        order = make_order(floor, world, member.case.ticket, record.number, now, **more)
        if member.role is not Role.CHILD:
            order = commit(release(floor, order, now), member.needed)
        orders.append(order)
    if members[0].role is Role.HALF:
        orders = hold_together(orders[0], orders[1])
    for order in orders:
        enter(world, order, now)
    for record in records:
        world.put_preview(replace(record, used=now))
