"""Option orders, single-leg and multi-leg, as the main gateway answers them (protocol 02 §6, 7)."""

from typing import TYPE_CHECKING, Any

from ftcli.models import option_tickets as models
from ftcli.models import order_codes
from ftcli.models.field import as_list, write
from ftcli.models.option_symbol import OptionSymbol
from ftcli.models.values import read_decimal
from ftcli.paper.codes import Action, Effect, Family, Holding, NetSide, PriceType, TimeInForce, option_action
from ftcli.paper.records import Confirmation, LegEstimate
from ftcli.paper.tickets import Ticket, TicketLeg
from ftcli.paper.wire.exchange import BadRequest, PaperRequest, answers, member
from ftcli.paper.wire.orders import (
    ENTRY,
    check_owner,
    code,
    confirmation_terms,
    message,
    price_terms,
    quantity_of,
    with_echoes,
)

if TYPE_CHECKING:
    from ftcli.paper.desk import Desk

OPTION_COMMISSION = "3"
_SIDES = {
    "BO": (True, Effect.OPEN),
    "SO": (False, Effect.OPEN),
    "BC": (True, Effect.CLOSE),
    "SC": (False, Effect.CLOSE),
}


def option_ticket(parameter: dict[str, Any]) -> Ticket:
    """The ticket of a single-leg option body (protocol 02 §6.1)."""
    base = member(parameter, "baseOrderDetail")
    tradable = member(parameter, "tradableSecOrderDetail")
    effect = (tradable.get("optionDetail") or {}).get("type")
    leg = TicketLeg(
        symbol=str(member(base, "securityDetail", "symbol")).lstrip("-"),
        action=code(Action, member(base, "orderActionCode"), "orderActionCode"),
        quantity=quantity_of(member(base, "qty")),
        effect=code(Effect, effect, "optionDetail.type"),
    )
    return Ticket(
        account=str(member(parameter, "acctNum")),
        family=Family.OPTION,
        legs=(leg,),
        holding=code(Holding, member(base, "acctTypeCode"), "acctTypeCode"),
        time_in_force=code(TimeInForce, member(tradable, "tifCode"), "tifCode"),
        destination=tradable.get("destinationCode") or "",
        route=tradable.get("mktRouteCode") or "",
        **price_terms(member(tradable, "priceTypeDetail")),
    )


@answers("POST", f"{ENTRY}/option/preview/v2")
def preview_option(desk: "Desk", request: PaperRequest) -> Any:
    """Single-leg option preview (protocol 02 §6.1, 6.2)."""
    ticket = option_ticket(member(request.document, "request", "parameter"))
    check_owner(desk, ticket.account)
    return {"preview": _option_document(desk.engine.preview(ticket), ticket, "EquityOptionPreview")}


@answers("POST", f"{ENTRY}/option/place/v2")
def place_option(desk: "Desk", request: PaperRequest) -> Any:
    """Single-leg option place; the reply keeps every field of the preview's (protocol 02 §6.3)."""
    parameter = member(request.document, "request", "parameter")
    ticket = option_ticket(parameter)
    check_owner(desk, ticket.account)
    number = str(member(parameter, "baseOrderDetail", "confNum"))
    return {"place": _option_document(desk.engine.place(number, ticket), ticket, "EquityOptionPlace")}


def _option_document(answer: Confirmation, ticket: Ticket, source: str) -> dict[str, Any]:
    terms = confirmation_terms(answer, ticket, source)
    if answer.refused:
        kept = ("account", "conf_num", "verdict", "account_type", "messages")
        return with_echoes(write(models.OptionConfirmation(**{name: terms[name] for name in kept})), True)
    estimate = answer.estimate
    assert estimate is not None
    document = write(
        models.OptionConfirmation(
            **terms,
            order_value=estimate.value,
            commission_type=OPTION_COMMISSION,
            net_amount_with_fees=estimate.net,
            quantity_type="S",
            route=ticket.route,
            effect=ticket.leg.effect.value if ticket.leg.effect else None,
            destination=ticket.destination,
        )
    )
    base = document["orderConfirmDetail"]["orderDetail"]["baseOrderDetail"]
    base["specificShrDetail"] = {"taxLotDetails": []}
    return with_echoes(document, False)


def package_ticket(parameters: dict[str, Any]) -> Ticket:
    """The ticket of a multi-leg body: open/close codes in, side and call or put kept (protocol 02 §7.1)."""
    base = member(parameters, "baseOrderDetail")
    tradable = member(parameters, "tradableSecOrderDetail")
    detail = member(base, "optionDetail")
    legs = tuple(_package_leg(row) for row in as_list(member(detail, "complexOrderDetails")))
    return Ticket(
        account=str(member(parameters, "acctNum")),
        family=Family.PACKAGE,
        legs=legs,
        holding=code(Holding, member(base, "acctTypeCode"), "acctTypeCode"),
        price_type=PriceType.LIMIT,
        limit_price=read_decimal(member(tradable, "netAmount")),
        net_side=code(NetSide, member(tradable, "dbCrEvenCode"), "dbCrEvenCode"),
        time_in_force=code(TimeInForce, member(tradable, "tifCode"), "tifCode"),
        destination=tradable.get("destinationCode") or "",
        strategy=str(member(detail, "strategyType")),
    )


def _package_leg(row: dict[str, Any]) -> TicketLeg:
    symbol = str(member(row, "securityDetail", "symbol")).lstrip("-")
    contract = OptionSymbol.parse_or_none(symbol)
    word = str(member(row, "orderActionCode"))
    if contract is None or word not in _SIDES:
        raise BadRequest(f"complexOrderDetails: {word} of {symbol} is no option leg")
    buys, effect = _SIDES[word]
    if row.get("type") == "C":
        effect = Effect.CLOSE
    return TicketLeg(
        symbol=contract.compact,
        action=option_action(buys, contract.right),
        quantity=quantity_of(member(row, "qty")),
        effect=effect,
    )


@answers("POST", f"{ENTRY}/multilegoption/preview/v1")
def preview_package(desk: "Desk", request: PaperRequest) -> Any:
    """Multi-leg preview (protocol 02 §7.1, 7.2)."""
    ticket = package_ticket(member(request.document, "parameters"))
    check_owner(desk, ticket.account)
    return {"multiLegOptionResponse": _package_document(desk.engine.preview(ticket), ticket)}


@answers("POST", f"{ENTRY}/multilegoption/place/v1")
def place_package(desk: "Desk", request: PaperRequest) -> Any:
    """Multi-leg place (protocol 02 §7.3)."""
    parameters = member(request.document, "parameters")
    ticket = package_ticket(parameters)
    check_owner(desk, ticket.account)
    number = str(member(parameters, "baseOrderDetail", "confNum"))
    return {"multiLegOptionResponse": _package_document(desk.engine.place(number, ticket), ticket)}


def _package_document(answer: Confirmation, ticket: Ticket) -> dict[str, Any]:
    messages = [
        message(
            item, "multilegorder", label="Other", detail=f"Code={item.code}, Text=({item.code}) {item.text}"
        )
        for item in answer.messages
    ]
    shown = models.MultiLegConfirmation(
        account=answer.account,
        conf_num=answer.number,
        verdict=order_codes.ResponseType.from_wire(answer.response.value),
        account_type=ticket.holding.value,
        messages=messages,
    )
    if answer.refused:
        return write(shown)
    estimate = answer.estimate
    assert estimate is not None
    shown.net_price = ticket.limit_price
    shown.net_bid, shown.net_ask, shown.midpoint = estimate.net_bid, estimate.net_ask, estimate.midpoint
    shown.units = int(estimate.units)
    shown.order_value, shown.commission, shown.net_amount = estimate.value, estimate.commission, estimate.net
    shown.complex_type, shown.leg_count = "CO", len(ticket.legs)
    shown.legs = [_leg(leg) for leg in estimate.legs]
    shown.time_in_force = order_codes.TimeInForce.from_wire(ticket.time_in_force.value)
    shown.direction = models.NetDirection.from_wire(ticket.net_side.value) if ticket.net_side else None
    shown.price_type, shown.all_or_none, shown.destination = "L", False, ticket.destination
    return write(shown)


def _leg(leg: LegEstimate) -> models.MultiLegConfirmationLeg:
    return models.MultiLegConfirmationLeg(
        symbol=leg.symbol,
        action=order_codes.Action.from_wire(leg.action.value),
        quantity=leg.quantity,
        effect=leg.effect.value if leg.effect else None,
        underlying_is_etf=leg.is_etf,
        commission=leg.commission,
        last_price=leg.last,
        bid=leg.bid,
        ask=leg.ask,
    )
