"""Order entry, order status and cancels as the main gateway answers them (protocol 02 §5, 8, 13)."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ftcli.models import order_codes, order_confirmations
from ftcli.models import orders as models
from ftcli.models.field import as_list, write
from ftcli.models.values import read_decimal, read_int, read_text
from ftcli.paper import figures
from ftcli.paper.codes import (
    Action,
    Family,
    Holding,
    PriceType,
    SessionCode,
    TimeInForce,
    TrailUnit,
)
from ftcli.paper.records import Confirmation, LotChoice, Message, Order
from ftcli.paper.tickets import CancelTicket, Ticket, TicketLeg
from ftcli.paper.wire.accounts import own_accounts
from ftcli.paper.wire.exchange import BadRequest, PaperRequest, answers, member

if TYPE_CHECKING:
    from ftcli.paper.desk import Desk

ENTRY = "/ftgw/dp/orderentry"
STATUS = "/ftgw/dp/retail-order-status/v3/"
EQUITY_COMMISSION = "30"


def code(kind: Any, value: Any, field: str) -> Any:
    """A wire code as the engine's enumeration.

    Raises:
        BadRequest: It is none of its codes.
    """
    try:
        return kind(value)
    except ValueError:
        raise BadRequest(f"{field}: unknown code {value!r}") from None


def price_terms(detail: dict[str, Any]) -> dict[str, Any]:
    """The terms of a ``priceTypeDetail``; numbers may come as texts (protocol 02 §9)."""
    unit = detail.get("trailingStopTypeCode")
    return {
        "price_type": code(PriceType, member(detail, "priceTypeCode"), "priceTypeCode"),
        "limit_price": read_decimal(detail.get("limitPrice")),
        "stop_price": read_decimal(detail.get("stopPrice")),
        "trail_amount": read_decimal(detail.get("trailingStopAmt")),
        "trail_unit": code(TrailUnit, unit, "trailingStopTypeCode") if unit else None,
        "limit_offset": read_decimal(detail.get("limitOffsetAmt")),
    }


def equity_ticket(parameter: dict[str, Any]) -> Ticket:
    """The ticket of an equity order body (protocol 02 §5.1)."""
    base = member(parameter, "baseOrderDetail")
    tradable = member(parameter, "tradableSecOrderDetail")
    chosen = (base.get("specificShrDetail") or {}).get("taxLotDetails")
    lots = tuple(
        LotChoice(
            quantity=quantity_of(lot.get("qty")),
            lot_id=read_text(lot.get("eventId")) or "",
            sequence=read_int(lot.get("lotSeq")) or 0,
        )
        for lot in as_list(chosen)
    )
    leg = TicketLeg(
        symbol=str(member(base, "securityDetail", "symbol")),
        action=code(Action, member(base, "orderActionCode"), "orderActionCode"),
        quantity=quantity_of(member(base, "qty")),
        lots=lots,
    )
    return Ticket(
        account=str(member(parameter, "acctNum")),
        family=Family.EQUITY,
        legs=(leg,),
        holding=code(Holding, member(base, "acctTypeCode"), "acctTypeCode"),
        time_in_force=code(TimeInForce, member(tradable, "tifCode"), "tifCode"),
        session=code(SessionCode, tradable.get("marketSessionCode") or "S", "marketSessionCode"),
        route=tradable.get("mktRouteCode") or "",
        **price_terms(member(tradable, "priceTypeDetail")),
    )


def quantity_of(value: Any) -> Decimal:
    """A quantity, as a number or a text.

    Raises:
        BadRequest: It is neither.
    """
    quantity = read_decimal(value)
    if quantity is None:
        raise BadRequest(f"qty: unreadable quantity {value!r}")
    return quantity


@answers("POST", f"{ENTRY}/equity/preview/v1")
def preview_equity(desk: "Desk", request: PaperRequest) -> Any:
    """Equity preview: mints a number, commits nothing (protocol 02 §5.1, 5.2)."""
    ticket = equity_ticket(member(request.document, "request", "parameter"))
    check_owner(desk, ticket.account)
    answer = desk.engine.preview(ticket)
    return {"preview": with_echoes(write(preview_document(answer, ticket)), answer.refused)}


@answers("POST", f"{ENTRY}/equity/place/v1")
def place_equity(desk: "Desk", request: PaperRequest) -> Any:
    """Equity place: the whole order again, with the number of its preview (protocol 02 §5.3)."""
    parameter = member(request.document, "request", "parameter")
    ticket = equity_ticket(parameter)
    check_owner(desk, ticket.account)
    number = str(member(parameter, "baseOrderDetail", "confNum"))
    answer = desk.engine.place(number, ticket)
    return {"place": with_echoes(write(placement_document(answer, ticket)), answer.refused)}


def check_owner(desk: "Desk", account: str) -> None:
    """Refuses an account that the login does not own.

    Raises:
        Forbidden: It does not.
    """
    own_accounts(desk, [{"acctNum": account}])


def message(
    item: Message, source: str, *, label: str = "other", detail: str = ""
) -> order_confirmations.OrderMessage:
    """A message in the broker's form, which differs a little between families (protocol 02 §4)."""
    return order_confirmations.OrderMessage(
        severity=item.severity.value,
        outer_code=item.severity.outer_code,
        label=label,
        detail=detail or f"Code={item.code},Text={item.text},Source=",
        source=source,
    )


def confirmation_terms(answer: Confirmation, ticket: Ticket, source: str) -> dict[str, Any]:
    """What preview and place replies have in common."""
    estimate = answer.estimate
    leg = estimate.legs[0] if estimate and estimate.legs else None
    return {
        "account": answer.account,
        "conf_num": answer.number,
        "verdict": order_codes.ResponseType.from_wire(answer.response.value),
        "action": order_codes.Action.from_wire(ticket.leg.action.value),
        "action_text": ticket.leg.action.text,
        "quantity": ticket.leg.quantity,
        "symbol": leg.symbol if leg else ticket.leg.symbol,
        "security_name": leg.description if leg else None,
        "cusip": leg.cusip if leg else None,
        "order_type": order_codes.OrderType.from_wire(ticket.price_type.value),
        "order_type_text": ticket.price_type.text,
        "limit_price": ticket.limit_price,
        "stop_price": ticket.stop_price,
        "trailing_amount": ticket.trail_amount,
        "trailing_type": order_codes.TrailType.from_wire(ticket.trail_unit.value)
        if ticket.trail_unit
        else None,
        "limit_offset": ticket.limit_offset,
        "time_in_force": order_codes.TimeInForce.from_wire(ticket.time_in_force.value),
        "account_type": ticket.holding.value,
        "last_price": estimate.last if estimate else None,
        "bid": estimate.bid if estimate else None,
        "ask": estimate.ask if estimate else None,
        "price_time": estimate.quote_time if estimate else None,
        "commission": estimate.commission if estimate else None,
        "net_amount": estimate.net if estimate else None,
        "messages": [message(item, source) for item in answer.messages],
    }


def preview_document(answer: Confirmation, ticket: Ticket) -> order_confirmations.OrderPreview:
    """The content of ``preview`` (protocol 02 §5.2)."""
    estimate = answer.estimate
    return order_confirmations.OrderPreview(
        **confirmation_terms(answer, ticket, "EquityOptionPreview"),
        order_value=estimate.value if estimate else None,
        commission_type=EQUITY_COMMISSION if estimate else None,
        fees=estimate.depository_fee if estimate else None,
        net_amount_with_fees=estimate.net if estimate else None,
        quantity_type="S",
        route=ticket.route,
    )


def placement_document(answer: Confirmation, ticket: Ticket) -> order_confirmations.OrderPlacement:
    """The content of ``place``: thinner than a preview's, and thinner still when refused (protocol 02 §5.3)."""
    terms = confirmation_terms(answer, ticket, "EquityOptionPlace")
    if answer.refused:
        kept = ("account", "conf_num", "verdict", "account_type", "messages")
        terms = {name: terms[name] for name in kept}
    return order_confirmations.OrderPlacement(**terms)


def with_echoes(document: dict[str, Any], refused: bool) -> dict[str, Any]:
    """Adds what only the broker says: the account again at each level, and the categories of a refusal (§5.2)."""
    detail = document["orderConfirmDetail"]
    detail["acctNum"] = document["acctNum"]
    if "orderDetail" in detail:
        detail["orderDetail"]["acctNum"] = document["acctNum"]
    if refused:
        detail["errorCategories"] = ["UNKNOWN"]
    return document


@answers("POST", f"{ENTRY}/cancel/preview/v1")
def preview_cancel(desk: "Desk", request: PaperRequest) -> Any:
    """Cancel preview: what a cancel would leave of each order (protocol 02 §8.1)."""
    tickets = _cancel_tickets(desk, request)
    results = desk.engine.preview_cancel(tickets)
    return {
        "preview": {"cancelConfirmDetail": [write(_cancel(item, "CancelPreview", True)) for item in results]}
    }


@answers("POST", f"{ENTRY}/cancel/place/v1")
def place_cancel(desk: "Desk", request: PaperRequest) -> Any:
    """Cancel: one verdict per order (protocol 02 §8.2)."""
    tickets = _cancel_tickets(desk, request)
    results = desk.engine.cancel(tickets)
    return {
        "place": {"cancelConfirmDetail": [write(_cancel(item, "CancelPlace", False)) for item in results]}
    }


def _cancel_tickets(desk: "Desk", request: PaperRequest) -> list[CancelTicket]:
    rows = as_list(member(request.document, "request", "parameter", "cancelOrderDetail"))
    own_accounts(desk, rows)
    return [
        CancelTicket(
            number=str(member(row, "confNum")),
            account=str(member(row, "acctNum")),
            action=str(row.get("actionCode") or ""),
        )
        for row in rows
    ]


def _cancel(
    item: figures.CancelOutcome, source: str, preview: bool
) -> order_confirmations.CancelConfirmation:
    return order_confirmations.CancelConfirmation(
        conf_num=item.number,
        account=item.account,
        verdict=order_codes.ResponseType.from_wire(item.response.value),
        action=order_codes.Action.from_wire(item.action.value) if item.action else None,
        action_text=item.action.text if item.action else None,
        original_quantity=item.original,
        filled_quantity=item.executed,
        remaining_quantity=item.remaining,
        filled_value=item.proceeds if preview else None,
        commission=item.commission if preview else None,
        messages=[message(entry, source) for entry in item.messages],
    )


@answers("POST", STATUS, suffix="/status-summary")
def status_summary(desk: "Desk", request: PaperRequest) -> Any:
    """Today's orders and all that are open, of several accounts (protocol 02 §13.1)."""
    parameter = member(request.document, "request", "parameter")
    accounts = [row.get("acctNum") for row in as_list(member(parameter, "acctDetails"), "acctDetail")]
    return write(_status(desk, [str(account) for account in accounts], read_text(parameter.get("orderId"))))


@answers("POST", STATUS, suffix="/status-detail")
def status_detail(desk: "Desk", request: PaperRequest) -> Any:
    """One order, whenever it ended (protocol 02 §13.2)."""
    parameter = member(request.document, "request", "parameter")
    accounts = [row.get("acctNum") for row in as_list(member(parameter, "acctDetails"), "acctDetail")]
    number = str(member(parameter, "orderId"))
    return write(_status(desk, [str(account) for account in accounts], number))


def _status(desk: "Desk", accounts: list[str], number: str | None) -> models.Orders:
    known = {account.number for account in desk.engine.accounts() if account.brokerage}
    entries: list[figures.OrderEntry] = []
    counts = []
    for account in accounts:
        if account in known:
            entries += desk.engine.orders(account, number)
            summary = desk.engine.order_summary(account, number)
        else:
            summary = figures.OrderSummary(account=account, orders=0, open=0, filled=0, cancelled=0)
        counts.append(
            models.OrderCounts(
                account=account,
                account_level="B",
                total=summary.orders,
                open=summary.open,
                filled=summary.filled,
                canceled=summary.cancelled,
            )
        )
    return models.Orders(counts=counts, orders=[_entry(entry) for entry in entries])


def _entry(entry: figures.OrderEntry) -> models.Order:
    """One entry of the order list (protocol 02 §13.1)."""
    order: Order = entry.order
    return models.Order(
        conf_num=order.number,
        system_order_id=order.system_id,
        order_source="WO#",
        linked_order=entry.linked,
        account=order.account,
        status=order_codes.StatusCode.from_wire(entry.status.value),
        status_text=entry.status_text,
        cancelable=entry.cancelable,
        replaceable=entry.replaceable,
        ordered_quantity=entry.quantity,
        filled_quantity=entry.executed,
        remaining_quantity=entry.remaining,
        average_price=entry.average_price,
        gross_amount=entry.gross,
        commission=entry.commission,
        net_amount=entry.net,
        description=entry.description,
        entered_at=order.entered,
        action=order_codes.Action.from_wire(entry.leg.action.value),
        action_text=entry.leg.action.text,
        quantity=entry.quantity,
        original_quantity=entry.quantity,
        sell_all=entry.leg.action is Action.SELL_ALL,
        account_type_code=order.holding.number,
        account_type=order.holding.text,
        cusip=entry.cusip,
        symbol=entry.leg.symbol,
        security_name=entry.security_description,
        security_type=entry.security_type,
        special_order_code=entry.special_code,
        special_order_name=entry.special_name,
        order_type=order_codes.OrderType.from_wire(entry.price_type.value),
        order_type_text=entry.price_type.text,
        price_text=entry.price_text,
        limit_price=order.limit_price,
        stop_price=entry.stop_price,
        trailing_amount=order.trail_amount,
        pegged=False,
        contract_root=entry.underlying,
        call_put=entry.right,
        expiration=entry.expiration,
        strike=entry.strike,
        strategy=entry.strategy_code,
        time_in_force=order_codes.TimeInForce.from_wire(entry.time_in_force.value),
        time_in_force_text=entry.time_in_force.text,
        executed_by=entry.venue,
        market_session=entry.session.value,
    )
