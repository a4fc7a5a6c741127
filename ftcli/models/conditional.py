"""Conditional orders: one order triggers another, one cancels the other, or both (protocol 02 §10, 11)."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

from ftcli.errors import ValidationFailed
from ftcli.models.field import PER_SHARE, SHARES, UNLESS_EMPTY, USD, Document, Model, Request, at
from ftcli.models.order_codes import Action, OrderType, ResponseType, TimeInForce
from ftcli.models.order_confirmations import OrderMessage
from ftcli.models.tickets import EquityOrder
from ftcli.models.values import Code


class Condition(Code):
    """How the orders of a group hang together (protocol 02 §10.1)."""

    OTO = "oto", "OTO"
    OCO = "oco", "OCO"
    OTOCO = "otoco", "OTOCO"

    @property
    def size(self) -> int:
        """Number of orders in such a group."""
        return 3 if self is Condition.OTOCO else 2


class ConditionalOrder(Request, kw_only=True, frozen=True):
    """Two or three orders that hang together.

    ``oto``: the first is live, its fill releases the second. ``oco``: both are live, an execution of one cancels
    the other. ``otoco``: the fill of the first releases the other two as an ``oco`` pair.
    """

    condition: Annotated[Condition, at(None, "How the orders hang together.", example="otoco")]
    orders: Annotated[
        list[EquityOrder], at(None, "The orders, the primary first: two, or three with otoco; one account.")
    ]

    def __post_init__(self) -> None:
        if len(self.orders) != self.condition.size:
            raise ValidationFailed.of(
                "orders",
                len(self.orders),
                f"hold {self.condition.size} orders with condition {self.condition}",
            )
        same_account(self.orders)

    @property
    def account(self) -> str:
        """The account of all orders."""
        return self.orders[0].account


def same_account(orders: list[EquityOrder]) -> None:
    """Checks that a group stays in one account.

    Raises:
        ValidationFailed: It does not.
    """
    accounts = sorted({order.account for order in orders})
    if len(accounts) > 1:
        raise ValidationFailed.of("orders", ", ".join(accounts), "name one account in all orders")


class ConditionalChange(Request, kw_only=True, frozen=True):
    """One order of a group as it shall be, and the number of the order it changes."""

    order: Annotated[EquityOrder, at(None, "The order as it shall be.")]
    replaces: Annotated[str, at(None, "Confirmation number of the open order to change.")]


class ConditionalReplacement(Request, kw_only=True, frozen=True):
    """Changes of open orders of one conditional group."""

    condition: Annotated[Condition, at(None, "How the orders hang together.")]
    changes: Annotated[list[ConditionalChange], at(None, "One to three changes, all in one account.")]

    def __post_init__(self) -> None:
        if not 1 <= len(self.changes) <= self.condition.size:
            raise ValidationFailed.of(
                "changes",
                len(self.changes),
                f"hold one to {self.condition.size} changes with {self.condition}",
            )
        same_account([change.order for change in self.changes])

    @property
    def account(self) -> str:
        """The account of all orders."""
        return self.changes[0].order.account


class ConditionalLeg(Model):
    """One order of a conditional group, as the broker confirms it (protocol 02 §10.3)."""

    conf_num: Annotated[
        str | None, at("orderConfirmDetail.confNum", "Confirmation number.", column="Order")
    ] = None
    verdict: Annotated[
        ResponseType | None,
        at("orderConfirmDetail.respTypeCode", "validated, accepted or refused.", column="Verdict"),
    ] = None
    action: Annotated[
        Action | None,
        at(
            "orderConfirmDetail.orderDetail.baseOrderDetail.orderActionCode",
            "What the order does.",
            column="Action",
        ),
    ] = None
    quantity: Annotated[
        Decimal | None,
        at("orderConfirmDetail.orderDetail.baseOrderDetail.qty", "Quantity.", unit=SHARES, column="Quantity"),
    ] = None
    symbol: Annotated[
        str | None,
        at("orderConfirmDetail.orderDetail.baseOrderDetail.secDetail.symbol", "Symbol.", column="Symbol"),
    ] = None
    security_name: Annotated[
        str | None,
        at("orderConfirmDetail.orderDetail.baseOrderDetail.secDetail.secDesc", "Name of the security."),
    ] = None
    cusip: Annotated[
        str | None, at("orderConfirmDetail.orderDetail.baseOrderDetail.secDetail.cusip", "CUSIP.")
    ] = None
    order_type: Annotated[
        OrderType | None,
        at(
            "orderConfirmDetail.orderDetail.tradableSecOrderDetail.priceTypeDetail.priceTypeCode",
            "market, limit, stop ...",
            column="Type",
        ),
    ] = None
    limit_price: Annotated[
        Decimal | None,
        at(
            "orderConfirmDetail.orderDetail.tradableSecOrderDetail.priceTypeDetail.limitPrice",
            "Limit price.",
            unit=PER_SHARE,
            column="Limit",
        ),
    ] = None
    stop_price: Annotated[
        Decimal | None,
        at(
            "orderConfirmDetail.orderDetail.tradableSecOrderDetail.priceTypeDetail.stopPrice",
            "Stop price.",
            unit=PER_SHARE,
            column="Stop",
        ),
    ] = None
    time_in_force: Annotated[
        TimeInForce | None,
        at("orderConfirmDetail.orderDetail.tradableSecOrderDetail.tifCode", "How long it lives."),
    ] = None
    account_type: Annotated[str | None, at("orderConfirmDetail.acctTypeCode", "M margin, C cash.")] = None
    order_value: Annotated[
        Decimal | None,
        at(
            "orderConfirmDetail.orderDetail.baseOrderDetail.valueOfOrder",
            "Quantity at the estimated price.",
            unit=USD,
        ),
    ] = None
    net_amount: Annotated[
        Decimal | None, at("orderConfirmDetail.netAmt", "Estimated cost or proceeds.", unit=USD, column="Net")
    ] = None
    total_cost: Annotated[
        Decimal | None, at("orderConfirmDetail.totalCost", "The same figure.", unit=USD)
    ] = None
    commission: Annotated[
        Decimal | None,
        at(
            "orderConfirmDetail.estCommDetail.estComm|orderConfirmDetail.estCommDetail.amt",
            "Commission.",
            unit=USD,
        ),
    ] = None
    commission_type: Annotated[
        str | None, at("orderConfirmDetail.estCommDetail.typeCode", "The broker's commission code.")
    ] = None
    last_price: Annotated[
        Decimal | None, at("orderConfirmDetail.priceDetail.price", "Last trade.", unit=PER_SHARE)
    ] = None
    price_time: Annotated[
        datetime | None, at("orderConfirmDetail.priceDetail.priceDateTime", "Moment of the quote.")
    ] = None
    bid: Annotated[Decimal | None, at("orderConfirmDetail.priceDetail.bidPrice", "Bid.", unit=PER_SHARE)] = (
        None
    )
    ask: Annotated[Decimal | None, at("orderConfirmDetail.priceDetail.askPrice", "Ask.", unit=PER_SHARE)] = (
        None
    )
    replaces: Annotated[
        str | None, at("orderNumOrig", "Number of the order it changes, in a change only.")
    ] = None
    messages: Annotated[
        list[OrderMessage],
        at(
            "orderConfirmDetail.orderDetail.sysMsgs.sysMsg[]",
            "Warnings and notes on this order.",
            form=UNLESS_EMPTY,
        ),
    ] = []


class ConditionalConfirmation(Document):
    """A conditional group, as previewed or accepted: every order in its place (protocol 02 §10.3, 10.4)."""

    account: Annotated[str, at("acctNum", "Account number.")] = ""
    orders: Annotated[list[ConditionalLeg], at("condOrderDetails[]", "The orders, the primary first.")] = []
    messages: Annotated[
        list[OrderMessage], at("sysMsgs.sysMsg[]", "Notes on the group.", form=UNLESS_EMPTY)
    ] = []

    @property
    def conf_nums(self) -> list[str]:
        """The confirmation numbers in order, for placing."""
        return [leg.conf_num for leg in self.orders if leg.conf_num]
