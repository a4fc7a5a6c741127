"""Orders as the broker lists them (protocol 02 §13, 18)."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

from ftcli.models.field import PER_SHARE, SHARES, USD, Document, Model, at
from ftcli.models.order_codes import Action, OrderState, OrderType, StatusCode, TimeInForce


class Order(Model):
    """An order as the broker lists it; a multi-leg order has one entry per leg (protocol 02 §13.1)."""

    conf_num: Annotated[
        str | None, at("idDetail.confNum", "Confirmation number.", column="Order", example="2DI0KXQ4")
    ] = None
    state: Annotated[
        OrderState, at(None, "Where it stands, decided from its amounts first.", column="State")
    ] = OrderState.UNKNOWN
    action: Annotated[
        Action | None, at("baseOrderDetail.orderActionCode", "What the order does.", column="Action")
    ] = None
    quantity: Annotated[
        Decimal | None, at("baseOrderDetail.qty", "Quantity now.", unit=SHARES, column="Qty")
    ] = None
    symbol: Annotated[
        str | None,
        at("baseOrderDetail.securityDetail.symbol", "Symbol; options without a dash.", column="Symbol"),
    ] = None
    order_type: Annotated[
        OrderType | None,
        at("tradableSecOrderDetail.priceTypeDetail.priceTypeCode", "market, limit, stop ...", column="Type"),
    ] = None
    limit_price: Annotated[
        Decimal | None,
        at(
            "tradableSecOrderDetail.priceTypeDetail.limitPrice",
            "Limit; net price of a package.",
            unit=PER_SHARE,
            column="Limit",
        ),
    ] = None
    stop_price: Annotated[
        Decimal | None,
        at("tradableSecOrderDetail.priceTypeDetail.stopPrice", "Stop price.", unit=PER_SHARE, column="Stop"),
    ] = None
    time_in_force: Annotated[
        TimeInForce | None, at("tradableSecOrderDetail.tifCode", "How long it lives.", column="TIF")
    ] = None
    filled_quantity: Annotated[
        Decimal | None,
        at("statusDetail.amountDetail.qtyExec", "Quantity executed.", unit=SHARES, column="Filled"),
    ] = None
    average_price: Annotated[
        Decimal | None,
        at(
            "statusDetail.amountDetail.avgExecPrice",
            "Average price of the executed part.",
            unit=PER_SHARE,
            column="Average",
        ),
    ] = None
    account: Annotated[str | None, at("acctNum", "Account number.", column="Account")] = None
    entered_at: Annotated[
        datetime | None, at("baseOrderDetail.entryDatetime", "Moment of entry.", column="Entered")
    ] = None
    description: Annotated[str | None, at("baseOrderDetail.description", "The order in one line.")] = None
    status: Annotated[StatusCode | None, at("statusDetail.statusCode", "The broker's status.")] = None
    status_text: Annotated[
        str | None, at("statusDetail.statusDesc", "The same in words, for display only.")
    ] = None
    cancelable: Annotated[
        bool | None, at("statusDetail.cancelableInd", "Whether it can be canceled now.")
    ] = None
    replaceable: Annotated[
        bool | None, at("statusDetail.replaceableInd", "Whether it can be replaced now.")
    ] = None
    security_name: Annotated[
        str | None, at("baseOrderDetail.securityDetail.secDesc", "Name of the security.")
    ] = None
    cusip: Annotated[str | None, at("baseOrderDetail.securityDetail.cusip", "CUSIP.")] = None
    security_type: Annotated[
        str | None, at("baseOrderDetail.securityDetail.secType", "1 equity, 8 option.")
    ] = None
    action_text: Annotated[str | None, at("baseOrderDetail.actionCodeDesc", "The same in words.")] = None
    original_quantity: Annotated[
        Decimal | None, at("baseOrderDetail.origQty", "Quantity at entry.", unit=SHARES)
    ] = None
    sell_all: Annotated[
        bool | None, at("baseOrderDetail.sellAllInd", "Whether it sells the whole position.")
    ] = None
    account_type: Annotated[
        str | None, at("baseOrderDetail.acctTypeDesc", "How the trade is booked: Margin, Cash, Short.")
    ] = None
    account_type_code: Annotated[
        int | None, at("baseOrderDetail.acctTypeCode", "The same as the broker's number: 1 cash, 2 margin.")
    ] = None
    order_type_text: Annotated[
        str | None, at("tradableSecOrderDetail.priceTypeDetail.priceTypeDesc", "The same in words.")
    ] = None
    price_text: Annotated[
        str | None,
        at("tradableSecOrderDetail.priceTypeDetail.priceTypeDetailDesc", "Type and price in words."),
    ] = None
    trailing_amount: Annotated[
        Decimal | None,
        at("tradableSecOrderDetail.priceTypeDetail.trailingStopAmt", "Distance of a trailing stop."),
    ] = None
    pegged: Annotated[
        bool | None, at("tradableSecOrderDetail.priceTypeDetail.pegInd", "Whether it is pegged.")
    ] = None
    time_in_force_text: Annotated[str | None, at("tradableSecOrderDetail.tifDesc", "The same in words.")] = (
        None
    )
    executed_by: Annotated[
        str | None, at("tradableSecOrderDetail.mktRouteCode", "The firm that executed it.")
    ] = None
    market_session: Annotated[
        str | None, at("tradableSecOrderDetail.marketSessionCode", "S standard session, E extended hours.")
    ] = None
    remaining_quantity: Annotated[
        Decimal | None, at("statusDetail.amountDetail.qtyRemaining", "Quantity still open.", unit=SHARES)
    ] = None
    ordered_quantity: Annotated[
        Decimal | None, at("statusDetail.amountDetail.qty", "Quantity ordered.", unit=SHARES)
    ] = None
    gross_amount: Annotated[
        Decimal | None, at("statusDetail.amountDetail.gross", "Value executed.", unit=USD)
    ] = None
    commission: Annotated[
        Decimal | None, at("statusDetail.amountDetail.commission", "Commission.", unit=USD)
    ] = None
    net_amount: Annotated[
        Decimal | None, at("statusDetail.amountDetail.net", "Value with commission and fees.", unit=USD)
    ] = None
    system_order_id: Annotated[str | None, at("idDetail.systemOrderId", "Back-office id.")] = None
    order_source: Annotated[str | None, at("idDetail.orderSource", "Channel of entry.")] = None
    linked_order: Annotated[
        str | None,
        at("idDetail.linkedOrderId", "Related order: a child's primary, an OCO sibling, a replaced order."),
    ] = None
    special_order_code: Annotated[
        str | None,
        at("baseOrderDetail.specialOrderDetail.specialOrderCode", "C complex option, O conditional."),
    ] = None
    special_order_name: Annotated[
        str | None,
        at("baseOrderDetail.specialOrderDetail.specialOrderName", "COMPLEX_OPTION, OTO, OCO, OTOCO."),
    ] = None
    contract_root: Annotated[
        str | None, at("tradableSecOrderDetail.optionDetail.contractSymbol", "Option root.")
    ] = None
    call_put: Annotated[str | None, at("tradableSecOrderDetail.optionDetail.contractType", "C or P.")] = None
    expiration: Annotated[
        date | None, at("tradableSecOrderDetail.optionDetail.expireDate", "Expiration of the option.")
    ] = None
    strike: Annotated[
        Decimal | None,
        at("tradableSecOrderDetail.optionDetail.strikePrice", "Strike.", unit=PER_SHARE),
    ] = None
    strategy: Annotated[
        str | None, at("tradableSecOrderDetail.optionDetail.strategyCode", "Strategy of a package.")
    ] = None

    def __post_init__(self) -> None:
        self.state = _state(self)


def _state(order: Order) -> OrderState:
    """Protocol 02 §18.2, in its order: amounts outrank texts."""
    filled = order.filled_quantity or Decimal(0)
    status = order.status
    if filled > 0 and order.remaining_quantity == 0:
        return OrderState.FILLED
    if status in (StatusCode.CANCELED, StatusCode.CANCELED_PARTIAL_FILL) or str(status) == "CANCELLED":
        return OrderState.CANCELED
    if status is StatusCode.ERROR:
        return OrderState.FAILED
    if status in (StatusCode.PENDING_CANCEL, StatusCode.PENDING_CANCEL_PARTIAL_FILL):
        return OrderState.CANCELING
    if status in (StatusCode.AWAITS_PRIMARY, StatusCode.AWAITS_CONDITION):
        return OrderState.WAITING
    if status in (StatusCode.FILLED, StatusCode.SETTLEMENT_PENDING):
        return OrderState.FILLED
    if filled > 0:
        return OrderState.PARTLY_FILLED
    return OrderState.OPEN if order.cancelable else OrderState.UNKNOWN


class OrderCounts(Model):
    """How many orders of an account are listed, by outcome (protocol 02 §13.1)."""

    account: Annotated[str | None, at("acctNum", "Account number.")] = None
    account_level: Annotated[str | None, at("acctLevel", "The broker's level code.")] = None
    total: Annotated[int | None, at("orderSummary.orderCount", "Orders listed.")] = None
    open: Annotated[int | None, at("orderSummary.openCount", "Open orders.")] = None
    filled: Annotated[int | None, at("orderSummary.filledCount", "Filled orders.")] = None
    canceled: Annotated[int | None, at("orderSummary.cancelledCount", "Canceled orders.")] = None


class Orders(Document):
    """Orders of today and all that are still open."""

    orders: Annotated[
        list[Order], at("order.orderDetails.orderDetail[]", "The orders; one entry per leg of a package.")
    ] = []
    counts: Annotated[list[OrderCounts], at("order.acctDetails.acctDetail[]", "Counts by account.")] = []
