"""Changes and conditional groups as the main gateway answers them (protocol 02 §9 to 11)."""

from typing import TYPE_CHECKING, Any

from ftcli.models import conditional as models
from ftcli.models import order_codes, order_confirmations
from ftcli.models.field import as_list, write
from ftcli.paper.codes import Action, Family, GroupKind, Holding, Severity, TimeInForce
from ftcli.paper.figures import GroupConfirmation
from ftcli.paper.records import Confirmation, Message
from ftcli.paper.tickets import GroupTicket, ReplaceTicket, Ticket, TicketLeg
from ftcli.paper.wire.exchange import PaperRequest, answers, member
from ftcli.paper.wire.orders import (
    ENTRY,
    check_owner,
    code,
    equity_ticket,
    message,
    preview_document,
    price_terms,
    quantity_of,
    with_echoes,
)

if TYPE_CHECKING:
    from ftcli.paper.desk import Desk

CHANGE = "/ftgw/dp/retail-condition-replace/v1/"
CONDITIONAL_COMMISSION = "3"


def _change(parameter: dict[str, Any]) -> ReplaceTicket:
    return ReplaceTicket(original=str(member(parameter, "orderNumOrig")), ticket=equity_ticket(parameter))


@answers("POST", f"{ENTRY}/cancelandreplace/preview/v1")
def preview_change(desk: "Desk", request: PaperRequest) -> Any:
    """Preview of a change; mints the number of the replacement (protocol 02 §9.1)."""
    change = _change(member(request.document, "request", "parameter"))
    check_owner(desk, change.ticket.account)
    return _change_document(desk.engine.preview_replace(change), change)


@answers("POST", f"{ENTRY}/cancelandreplace/place/v1")
def place_change(desk: "Desk", request: PaperRequest) -> Any:
    """Place of a change; the body has no route any more (protocol 02 §9.2)."""
    parameter = member(request.document, "request", "parameter")
    change = _change(parameter)
    check_owner(desk, change.ticket.account)
    number = str(member(parameter, "baseOrderDetail", "confNum"))
    return _change_document(desk.engine.replace(number, change), change)


def _change_document(answer: Confirmation, change: ReplaceTicket) -> dict[str, Any]:
    document = with_echoes(write(preview_document(answer, change.ticket)), answer.refused)
    return {"cancelandreplace": {"acctNum": answer.account, "orderNumOrig": change.original, **document}}


def _group(parameters: dict[str, Any]) -> tuple[GroupKind, str, list[dict[str, Any]]]:
    kind = code(GroupKind, member(parameters, "condOrderTypeCode"), "condOrderTypeCode")
    return kind, str(member(parameters, "acctNum")), as_list(member(parameters, "condOrderDetails"))


def _leg_ticket(account: str, row: dict[str, Any]) -> Ticket:
    """One order of a group; there is no quantity type, and the security object has another name (§10.2)."""
    base = member(row, "baseOrderDetail")
    tradable = member(row, "tradableSecOrderDetail")
    leg = TicketLeg(
        symbol=str(member(base, "secDetail", "symbol")),
        action=code(Action, member(base, "orderActionCode"), "orderActionCode"),
        quantity=quantity_of(member(base, "qty")),
    )
    return Ticket(
        account=account,
        family=Family.EQUITY,
        legs=(leg,),
        holding=code(Holding, member(base, "acctTypeCode"), "acctTypeCode"),
        time_in_force=code(TimeInForce, member(tradable, "tifCode"), "tifCode"),
        **price_terms(member(tradable, "priceTypeDetail")),
    )


def _numbers(rows: list[dict[str, Any]]) -> list[str]:
    return [str((row.get("baseOrderDetail") or {}).get("confNum") or "") for row in rows]


@answers("POST", f"{ENTRY}/conditional/preview/v1")
def preview_group(desk: "Desk", request: PaperRequest) -> Any:
    """Preview of a conditional group (protocol 02 §10.2, 10.3)."""
    kind, account, rows = _group(member(request.document, "parameters"))
    check_owner(desk, account)
    group = GroupTicket(kind=kind, account=account, tickets=tuple(_leg_ticket(account, row) for row in rows))
    return {"preview": _group_document(desk.engine.preview_group(group), list(group.tickets))}


@answers("POST", f"{ENTRY}/conditional/place/v1")
def place_group(desk: "Desk", request: PaperRequest) -> Any:
    """Place of a conditional group; both orders of the numbers are understood (protocol 02 §10.4)."""
    kind, account, rows = _group(member(request.document, "parameters"))
    check_owner(desk, account)
    group = GroupTicket(kind=kind, account=account, tickets=tuple(_leg_ticket(account, row) for row in rows))
    return {"place": _group_document(desk.engine.place_group(_numbers(rows), group), list(group.tickets))}


@answers("POST", CHANGE, suffix="/preview")
def preview_group_change(desk: "Desk", request: PaperRequest) -> Any:
    """Preview of changes in a conditional group (protocol 02 §11)."""
    kind, account, parts = _parts(desk, request)
    answer = desk.engine.preview_group_replace(kind, account, parts)
    return {"preview": _with_originals(_group_document(answer, [part.ticket for part in parts]), parts)}


@answers("POST", CHANGE, suffix="/place")
def place_group_change(desk: "Desk", request: PaperRequest) -> Any:
    """Place of changes in a conditional group (protocol 02 §11)."""
    kind, account, parts = _parts(desk, request)
    _, _, rows = _group(member(request.document, "parameters"))
    answer = desk.engine.replace_group(_numbers(rows), kind, account, parts)
    return {"place": _with_originals(_group_document(answer, [part.ticket for part in parts]), parts)}


def _parts(desk: "Desk", request: PaperRequest) -> tuple[GroupKind, str, list[ReplaceTicket]]:
    kind, account, rows = _group(member(request.document, "parameters"))
    check_owner(desk, account)
    parts = [
        ReplaceTicket(original=str(member(row, "orderNumOrig")), ticket=_leg_ticket(account, row))
        for row in rows
    ]
    return kind, account, parts


def _with_originals(document: dict[str, Any], parts: list[ReplaceTicket]) -> dict[str, Any]:
    for row, part in zip(document["condOrderDetails"], parts, strict=True):
        row["orderNumOrig"] = part.original
    return document


def _group_document(answer: GroupConfirmation, tickets: list[Ticket]) -> dict[str, Any]:
    messages = answer.messages
    if not messages and not any(item.messages for item in answer.confirmations):
        messages = (Message(severity=Severity.INFO, code="000000", text="Success"),)
    shown = models.ConditionalConfirmation(
        account=answer.account,
        messages=[_group_message(item, top=True) for item in messages],
        orders=[_leg(item, ticket) for item, ticket in zip(answer.confirmations, tickets, strict=True)],
    )
    return write(shown)


def _group_message(item: Message, *, top: bool = False) -> order_confirmations.OrderMessage:
    """The text opens with its code in orders and stands plain at the top (protocol 02 §10.3)."""
    text = item.text if top else f"({item.code}) {item.text}"
    detail = f"Code={item.code}, Text={text}, Source=ConditionalOrder"
    return message(item, "ConditionalOrder", label=text, detail=detail)


def _leg(answer: Confirmation, ticket: Ticket) -> models.ConditionalLeg:
    estimate = answer.estimate
    priced = estimate.legs[0] if estimate and estimate.legs else None
    shown = models.ConditionalLeg(
        conf_num=answer.number or None,
        verdict=order_codes.ResponseType.from_wire(answer.response.value),
        account_type=ticket.holding.value,
        action=order_codes.Action.from_wire(ticket.leg.action.value),
        quantity=ticket.leg.quantity,
        symbol=priced.symbol if priced else ticket.leg.symbol,
        cusip=priced.cusip if priced else None,
        security_name=priced.description if priced else None,
        time_in_force=order_codes.TimeInForce.from_wire(ticket.time_in_force.value),
        order_type=order_codes.OrderType.from_wire(ticket.price_type.value),
        limit_price=ticket.limit_price,
        stop_price=ticket.stop_price,
        messages=[_group_message(item) for item in answer.messages],
    )
    if estimate:
        shown.order_value, shown.net_amount, shown.total_cost = estimate.value, estimate.net, estimate.net
        shown.commission, shown.commission_type = estimate.commission, CONDITIONAL_COMMISSION
        shown.last_price, shown.price_time = estimate.last, estimate.quote_time
        shown.bid, shown.ask = estimate.bid, estimate.ask
    return shown
