"""Saved orders, agreements and locates (protocol 02 §12, 14, 15)."""

from decimal import Decimal
from typing import Annotated

from ftcli.models.field import PER_SHARE, SHARES, Document, Model, at
from ftcli.models.order_codes import Action, OrderType, ResponseType, TimeInForce


class StagedOrder(Model):
    """A draft the broker keeps; it never reaches a market (protocol 02 §12)."""

    stage_id: Annotated[str | None, at("stageId", "Id of the draft.", column="Draft")] = None
    stage_type: Annotated[str | None, at("stageType", "The broker's kind of draft.")] = None
    account: Annotated[str | None, at("acctNum", "Account number.", column="Account")] = None
    action: Annotated[Action | None, at("orderActionCode", "What it would do.", column="Action")] = None
    quantity: Annotated[Decimal | None, at("qty", "Quantity.", unit=SHARES, column="Quantity")] = None
    symbol: Annotated[str | None, at("symbol", "Symbol.", column="Symbol")] = None
    order_type: Annotated[OrderType | None, at("priceTypeCode", "market, limit, stop ...", column="Type")] = (
        None
    )
    limit_price: Annotated[
        Decimal | None, at("limitPrice", "Limit price.", unit=PER_SHARE, column="Limit")
    ] = None
    stop_price: Annotated[Decimal | None, at("stopPrice", "Stop price.", unit=PER_SHARE, column="Stop")] = (
        None
    )
    time_in_force: Annotated[
        TimeInForce | None, at("tifCode", "How long it would live.", column="Time in force")
    ] = None
    account_type: Annotated[str | None, at("acctTypeCode", "M margin, C cash.")] = None
    quantity_type: Annotated[str | None, at("qtyTypeCode", "S: shares or contracts.")] = None
    route: Annotated[str | None, at("mktRouteCode", "Route; none is automatic.")] = None


class StagedOrders(Document):
    """The drafts the broker keeps."""

    orders: Annotated[list[StagedOrder], at("stagedOrders[]", "The drafts.")] = []


class TradeAgreement(Document):
    """An agreement that was accepted (protocol 02 §14)."""

    account: Annotated[str | None, at("acctNum", "Account number.", column="Account")] = None
    agreement: Annotated[str | None, at("agreementTypeCode", "Which agreement.", column="Agreement")] = None
    verdict: Annotated[ResponseType | None, at("respTypeCode", "accepted, or refused.", column="Verdict")] = (
        None
    )


class Locate(Document):
    """Shares found for a short sale (protocol 02 §15)."""

    symbol: Annotated[str | None, at("security.symbol", "Symbol.", column="Symbol")] = None
    cusip: Annotated[str | None, at("security.cusip", "CUSIP.")] = None
    available: Annotated[
        Decimal | None,
        at("security.availShares", "Shares that can be borrowed.", unit=SHARES, column="Available"),
    ] = None
    requested: Annotated[
        Decimal | None, at("locate.qtyRequested", "Shares asked for.", unit=SHARES, column="Requested")
    ] = None
    located: Annotated[
        Decimal | None, at("locate.qtyLocated", "Shares located.", unit=SHARES, column="Located")
    ] = None
    verdict: Annotated[
        ResponseType | None, at("locate.respTypeCode", "accepted, or refused.", column="Verdict")
    ] = None
