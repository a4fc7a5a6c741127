"""Orders as the broker reports and confirms them (protocol 02 §4, 5.2, 5.3, 8, 13, 18)."""

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

from ftcli.models.field import PER_SHARE, SHARES, UNLESS_EMPTY, USD, Document, Model, at
from ftcli.models.values import Code


class OrderType(Code):
    """What price an order may trade at (protocol 02 §3.4)."""

    MARKET = "market", "M"
    LIMIT = "limit", "L"
    STOP = "stop", "S"
    STOP_LIMIT = "stop_limit", "SL"
    TRAILING_STOP = "trailing_stop", "TS"
    TRAILING_STOP_LIMIT = "trailing_stop_limit", "TL"


class TimeInForce(Code):
    """How long an order lives (protocol 02 §3.5)."""

    DAY = "day", "D"
    GTC = "gtc", "G"
    IOC = "ioc", "I"
    FOK = "fok", "F"
    MARKET_ON_OPEN = "market_on_open", "O"
    MARKET_ON_CLOSE = "market_on_close", "C"


class TrailType(Code):
    """What a trailing amount counts in (protocol 02 §3.4, placeholder)."""

    DOLLARS = "dollars", "D"
    PERCENT = "percent", "P"


class Action(Code):
    """What an order does, in the codes of status and equity orders (protocol 02 §3.2)."""

    BUY = "buy", "B"
    SELL = "sell", "S"
    SELL_SHORT = "sell_short", "SH"
    BUY_TO_COVER = "buy_to_cover", "BH"
    SELL_ALL = "sell_all", "SA"
    SELL_SPECIFIC_SHARES = "sell_specific_shares", "SS"
    BUY_CALL = "buy_call", "BC"
    SELL_CALL = "sell_call", "SC"
    BUY_PUT = "buy_put", "BP"
    SELL_PUT = "sell_put", "SP"


class StatusCode(Code):
    """Where an order stands, as the broker puts it (protocol 02 §18.1)."""

    OPEN = "open", "OPEN"
    PARTIAL_FILL = "partial_fill", "PARTIAL_FILL"
    EXECUTION_PENDING = "execution_pending", "EXECUTION_PENDING"
    FILLED = "filled", "FILLED"
    SETTLEMENT_PENDING = "settlement_pending", "SETTLEMENT_PENDING"
    PENDING_CANCEL = "pending_cancel", "PENDING_CANCEL"
    PENDING_CANCEL_PARTIAL_FILL = "pending_cancel_partial_fill", "PENDING_CANCEL_PARTIAL_FILL"
    CANCELED = "canceled", "VERIFIED_CANCEL"
    CANCELED_PARTIAL_FILL = "canceled_partial_fill", "VERIFIED_CANCEL_PARTIAL_FILL"
    AWAITS_PRIMARY = "awaits_primary", "UNTRIGGERED_AWAITS_PRIMARY_TRIGGER"
    AWAITS_CONDITION = "awaits_condition", "UNTRIGGERED_AWAITS_CONTINGENT_TRIGGER"
    TRIGGERED = "triggered", "TRIGGERED_OPEN"
    ERROR = "error", "ERROR"


class OrderState(Code):
    """What an order's status comes to, decided from its amounts first (protocol 02 §18.2)."""

    OPEN = "open"
    PARTLY_FILLED = "partly_filled"
    FILLED = "filled"
    WAITING = "waiting"
    CANCELING = "canceling"
    CANCELED = "canceled"
    FAILED = "failed"
    UNKNOWN = "unknown"

    @property
    def final(self) -> bool:
        """Whether it can change no more."""
        return self in (OrderState.FILLED, OrderState.CANCELED, OrderState.FAILED)


class ResponseType(Code):
    """The broker's verdict on an order (protocol 02 §3.1)."""

    VALIDATED = "validated", "V"
    ACCEPTED = "accepted", "A"
    REFUSED = "refused", "E"


_DETAIL = re.compile(
    r"Code=(?P<code>[^,]*),\s*Text=(?P<text>.*?)(?:,\s*Source=(?P<source>[^,]*))?$", re.DOTALL
)


class OrderMessage(Model):
    """What the broker says about an order: an error, a warning or a note (protocol 02 §4)."""

    severity: Annotated[
        str | None, at("type", "error, warning or info. Warnings do not block an order.", column="Severity")
    ] = None
    code: Annotated[str | None, at(None, "The inner code, such as MA5010.", column="Code")] = None
    text: Annotated[str | None, at(None, "The text, for a person.", column="Text")] = None
    outer_code: Annotated[str | None, at("code", "The broker's class of message, such as 2999.")] = None
    label: Annotated[str | None, at("message", "Short label.")] = None
    detail: Annotated[str | None, at("detail", "The broker's text with its inner code.")] = None
    source: Annotated[str | None, at("source", "The component that speaks.")] = None

    def __post_init__(self) -> None:
        if self.text is None:
            found = _DETAIL.match(self.detail or "")
            self.text = found["text"].strip() if found else self.detail or self.label
            self.code = self.code or (found["code"].strip() if found else None)

    @property
    def is_error(self) -> bool:
        """Whether it refuses the order."""
        return (self.severity or "").lower() == "error" or (self.severity or "").upper() == "E"


class OrderConfirmation(Document):
    """What preview and place have in common, below ``preview`` or ``place``."""

    account: Annotated[str, at("acctNum", "Account number.")] = ""
    conf_num: Annotated[
        str | None, at("orderConfirmDetail.confNum", "Confirmation number: the order's number from now on.")
    ] = None
    verdict: Annotated[
        ResponseType | None, at("orderConfirmDetail.respTypeCode", "validated, accepted or refused.")
    ] = None
    action: Annotated[
        Action | None,
        at("orderConfirmDetail.orderDetail.baseOrderDetail.orderActionCode", "What the order does."),
    ] = None
    action_text: Annotated[
        str | None,
        at(
            "orderConfirmDetail.orderDetail.baseOrderDetail.actionCodeDesc", "The same in the broker's words."
        ),
    ] = None
    quantity: Annotated[
        Decimal | None,
        at("orderConfirmDetail.orderDetail.baseOrderDetail.qty", "Quantity ordered.", unit=SHARES),
    ] = None
    symbol: Annotated[
        str | None, at("orderConfirmDetail.orderDetail.baseOrderDetail.securityDetail.symbol", "Symbol.")
    ] = None
    security_name: Annotated[
        str | None,
        at("orderConfirmDetail.orderDetail.baseOrderDetail.securityDetail.secDesc", "Name of the security."),
    ] = None
    cusip: Annotated[
        str | None, at("orderConfirmDetail.orderDetail.baseOrderDetail.securityDetail.cusip", "CUSIP.")
    ] = None
    order_type: Annotated[
        OrderType | None,
        at(
            "orderConfirmDetail.orderDetail.tradableSecOrderDetail.priceTypeDetail.priceTypeCode",
            "market, limit, stop ...",
        ),
    ] = None
    order_type_text: Annotated[
        str | None,
        at(
            "orderConfirmDetail.orderDetail.tradableSecOrderDetail.priceTypeDetail.priceTypeDesc",
            "The same in the broker's words.",
        ),
    ] = None
    limit_price: Annotated[
        Decimal | None,
        at(
            "orderConfirmDetail.orderDetail.tradableSecOrderDetail.priceTypeDetail.limitPrice",
            "Limit price.",
            unit=PER_SHARE,
        ),
    ] = None
    stop_price: Annotated[
        Decimal | None,
        at(
            "orderConfirmDetail.orderDetail.tradableSecOrderDetail.priceTypeDetail.stopPrice",
            "Stop price.",
            unit=PER_SHARE,
        ),
    ] = None
    trailing_amount: Annotated[
        Decimal | None,
        at(
            "orderConfirmDetail.orderDetail.tradableSecOrderDetail.priceTypeDetail.trailingStopAmt",
            "Distance of a trailing stop.",
        ),
    ] = None
    trailing_type: Annotated[
        TrailType | None,
        at(
            "orderConfirmDetail.orderDetail.tradableSecOrderDetail.priceTypeDetail.trailingStopTypeCode",
            "What the distance counts in.",
        ),
    ] = None
    limit_offset: Annotated[
        Decimal | None,
        at(
            "orderConfirmDetail.orderDetail.tradableSecOrderDetail.priceTypeDetail.limitOffsetAmt",
            "Distance of the limit from a trailing stop.",
            unit=PER_SHARE,
        ),
    ] = None
    time_in_force: Annotated[
        TimeInForce | None,
        at("orderConfirmDetail.orderDetail.tradableSecOrderDetail.tifCode", "How long the order lives."),
    ] = None
    account_type: Annotated[
        str | None,
        at("orderConfirmDetail.acctTypeCode", "How the trade is booked: M margin, C cash, S short."),
    ] = None
    last_price: Annotated[
        Decimal | None,
        at("orderConfirmDetail.priceDetail.price", "Last trade when it was judged.", unit=PER_SHARE),
    ] = None
    bid: Annotated[Decimal | None, at("orderConfirmDetail.priceDetail.bidPrice", "Bid.", unit=PER_SHARE)] = (
        None
    )
    ask: Annotated[Decimal | None, at("orderConfirmDetail.priceDetail.askPrice", "Ask.", unit=PER_SHARE)] = (
        None
    )
    price_time: Annotated[
        datetime | None, at("orderConfirmDetail.priceDetail.priceDateTime", "Moment of that quote.")
    ] = None
    commission: Annotated[
        Decimal | None,
        at("orderConfirmDetail.estCommissionDetail.estCommission", "Estimated commission.", unit=USD),
    ] = None
    net_amount: Annotated[
        Decimal | None,
        at("orderConfirmDetail.netAmount", "Estimated cost of a purchase or proceeds of a sale.", unit=USD),
    ] = None
    messages: Annotated[
        list[OrderMessage],
        at(
            "orderConfirmMsgs.orderConfirmMessage[]",
            "Warnings and notes; show them before placing.",
            form=UNLESS_EMPTY,
        ),
    ] = []


class OrderPreview(OrderConfirmation):
    """What an order would do: nothing has been entered yet (protocol 02 §5.2)."""

    order_value: Annotated[
        Decimal | None,
        at(
            "orderConfirmDetail.orderDetail.baseOrderDetail.valOfOrder",
            "Quantity at the estimated price.",
            unit=USD,
        ),
    ] = None
    commission_type: Annotated[
        str | None, at("orderConfirmDetail.estCommissionDetail.typeCode", "The broker's commission code.")
    ] = None
    fees: Annotated[
        Decimal | None, at("orderConfirmDetail.dtcEstFee", "Estimated depository fee.", unit=USD)
    ] = None
    net_amount_with_fees: Annotated[
        Decimal | None, at("orderConfirmDetail.netProceedsInclusive", "Net amount with every fee.", unit=USD)
    ] = None
    quantity_type: Annotated[
        str | None,
        at("orderConfirmDetail.orderDetail.baseOrderDetail.qtyTypeCode", "S: shares or contracts."),
    ] = None
    route: Annotated[
        str | None,
        at("orderConfirmDetail.orderDetail.tradableSecOrderDetail.mktRouteCode", "Route; none is automatic."),
    ] = None


class OrderPlacement(OrderConfirmation):
    """An order the broker has accepted (protocol 02 §5.3)."""


class ReplacePlacement(OrderConfirmation):
    """A change the broker has accepted (protocol 02 §9.2)."""

    replaces: Annotated[
        str | None, at("orderNumOrig", "Confirmation number of the order that was changed.")
    ] = None


class CancelConfirmation(Document):
    """What a cancel would do, or has asked for (protocol 02 §8).

    An accepted cancel only asks: the order can still fill. Its status tells.
    """

    conf_num: Annotated[str | None, at("confNum", "Confirmation number of the order.")] = None
    account: Annotated[str | None, at("acctNum", "Account number.")] = None
    verdict: Annotated[ResponseType | None, at("respTypeCode", "validated, accepted or refused.")] = None
    action: Annotated[Action | None, at("actionCode", "What the order does.")] = None
    action_text: Annotated[str | None, at("actionCodeDesc", "The same in the broker's words.")] = None
    original_quantity: Annotated[Decimal | None, at("origQty", "Quantity ordered.", unit=SHARES)] = None
    filled_quantity: Annotated[Decimal | None, at("execQty", "Quantity executed so far.", unit=SHARES)] = None
    remaining_quantity: Annotated[Decimal | None, at("remainingQty", "Quantity still open.", unit=SHARES)] = (
        None
    )
    filled_value: Annotated[
        Decimal | None, at("estProceeds", "Value of the part already executed.", unit=USD)
    ] = None
    commission: Annotated[Decimal | None, at("commission", "Commission.", unit=USD)] = None
    messages: Annotated[
        list[OrderMessage],
        at("orderConfirmMsgs.orderConfirmMessage[]", "Warnings and notes.", form=UNLESS_EMPTY),
    ] = []


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
