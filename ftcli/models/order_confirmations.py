"""Orders as the broker previews, accepts and cancels them (protocol 02 §4, 5.2, 5.3, 8)."""

import re
from datetime import datetime
from decimal import Decimal
from typing import Annotated

from ftcli.models.field import PER_SHARE, SHARES, UNLESS_EMPTY, USD, Document, Model, at
from ftcli.models.order_codes import (
    Action,
    OrderType,
    ResponseType,
    TimeInForce,
    TrailType,
)

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
