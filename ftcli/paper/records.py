"""What the paper broker keeps: immutable records, one row each in its database.

Every record is frozen: a change makes a new one (``msgspec.structs.replace``), which is what lets the
state know what to write and how to take a failed transaction back. Money, prices and quantities are
``Decimal``; times are aware and in UTC; dates are New York dates.
"""

from datetime import date, datetime
from decimal import Decimal

import msgspec

from ftcli.paper.books import (
    ZERO,
    Cash,
    ClosedLot,
    Deposit,
    Event,
    EventData,
    Loan,
    Lot,
    Settlement,
    Transaction,
)
from ftcli.paper.codes import (
    Action,
    Effect,
    Family,
    GroupKind,
    Holding,
    NetSide,
    PriceType,
    Response,
    Role,
    SessionCode,
    Severity,
    Status,
    TimeInForce,
    TrailUnit,
)

__all__ = [
    "ZERO",
    "Account",
    "Cash",
    "ClosedLot",
    "Confirmation",
    "Deposit",
    "Estimate",
    "Event",
    "EventData",
    "Fill",
    "LegEstimate",
    "Loan",
    "Lot",
    "LotChoice",
    "Message",
    "Meta",
    "Order",
    "OrderLeg",
    "Settlement",
    "Transaction",
    "WorkplacePlan",
]


class WorkplacePlan(msgspec.Struct, frozen=True, kw_only=True):
    """Plan figures of a workplace account (protocol 01 §3.1); dollars."""

    market_value: Decimal
    vested_value: Decimal
    plan_type_name: str
    plan_type: str
    client_id: str
    fully_vested: bool = False


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """An account and what it may do (protocol 01 §3.1, §3.2).

    ``kind`` is ``Brokerage`` or ``WPS``; ``registration`` is the features call's ``acctType``.
    """

    number: str
    kind: str
    sub_type: str
    sub_type_text: str | None
    name: str
    registration: str
    opened: date
    order: int
    group_id: str | None = None
    hidden: bool = False
    default: bool = False
    legal_construct: str | None = None
    offering_code: str | None = None
    line_of_business: str | None = None
    option_level: int = 0
    margin: bool = False
    short_selling: bool = False
    retirement: bool = False
    crypto: bool = False
    directed_trading: bool = False
    penny_stock: bool = False
    plan: WorkplacePlan | None = None

    @property
    def brokerage(self) -> bool:
        """True where the account holds positions and takes orders."""
        return self.kind == "Brokerage"

    @property
    def holding(self) -> Holding:
        """How its ordinary trades are booked."""
        return Holding.MARGIN if self.margin else Holding.CASH


class LotChoice(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of a specific-shares order: which lot, how many."""

    quantity: Decimal
    lot_id: str = ""
    sequence: int = 0


class Fill(msgspec.Struct, frozen=True, kw_only=True):
    """One execution of one leg. Amounts in dollars; ``net`` is positive on both sides."""

    time: datetime
    leg: int
    quantity: Decimal
    price: Decimal
    gross: Decimal
    commission: Decimal
    fees: Decimal
    net: Decimal
    venue: str


class OrderLeg(msgspec.Struct, frozen=True, kw_only=True):
    """One leg of an order and what has been executed of it; plain orders have exactly one."""

    symbol: str
    action: Action
    quantity: Decimal
    ratio: Decimal = Decimal(1)
    effect: Effect | None = None
    executed: Decimal = ZERO
    gross: Decimal = ZERO
    commission: Decimal = ZERO
    fees: Decimal = ZERO
    lots: tuple[LotChoice, ...] = ()

    @property
    def remaining(self) -> Decimal:
        """Quantity not executed."""
        return self.quantity - self.executed

    @property
    def net(self) -> Decimal:
        """Executed dollars with commission and fees (protocol 02 §17), 0 before an execution."""
        costs = self.commission + self.fees
        return self.gross + costs if self.action.buys else self.gross - costs


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """An order that was placed.

    Attributes:
        number: The ``confNum``.
        sequence: Rank of entry over all accounts; decides ties in time.
        revision: Grows with every change.
        units: Quantity of a single-leg order; number of packages otherwise. Leg quantity is
            ``units * ratio``.
        works_from: Moment from which the market may execute it; None while it waits for a trigger.
        ends: End of validity; None while it waits for a trigger.
        stop_hit: When its stop was reached.
        trail_best: Best last price since ``works_from`` that a trailing stop has seen up to
            ``trail_seen``.
        fill_from: Earliest moment of the next partial execution.
        cancel_at: When a cancel that was asked for is confirmed.
        group: Number of the first order of its conditional group.
        parent: The primary a child waits for; ``sibling``: the other half of an OCO pair.
        linked: ``linkedOrderId`` as shown: primary of a child, sibling of a half, original of a
            replacement.
        replaces, replaced_by: The two ends of a change.
        committed: Dollars of cash it holds back; ``requirement``: margin it holds back.
        on_hold: True while ``committed`` is carried by the OCO sibling.
    """

    number: str
    system_id: str
    sequence: int
    account: str
    family: Family
    holding: Holding
    legs: tuple[OrderLeg, ...]
    units: Decimal
    price_type: PriceType
    time_in_force: TimeInForce
    status: Status
    entered: datetime
    changed: datetime
    revision: int = 0
    executed_units: Decimal = ZERO
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trail_amount: Decimal | None = None
    trail_unit: TrailUnit | None = None
    limit_offset: Decimal | None = None
    net_side: NetSide | None = None
    strategy: str = ""
    session: SessionCode = SessionCode.STANDARD
    route: str = ""
    destination: str = ""
    works_from: datetime | None = None
    ends: datetime | None = None
    stop_hit: datetime | None = None
    trail_best: Decimal | None = None
    trail_seen: datetime | None = None
    fill_from: datetime | None = None
    cancel_at: datetime | None = None
    group: str | None = None
    group_kind: GroupKind | None = None
    role: Role | None = None
    parent: str | None = None
    sibling: str | None = None
    linked: str | None = None
    replaces: str | None = None
    replaced_by: str | None = None
    reason: str = ""
    fills: tuple[Fill, ...] = ()
    committed: Decimal = ZERO
    requirement: Decimal = ZERO
    on_hold: bool = False

    @property
    def leg(self) -> OrderLeg:
        """The first, usually only, leg."""
        return self.legs[0]

    @property
    def remaining_units(self) -> Decimal:
        """Units not executed."""
        return self.units - self.executed_units

    @property
    def is_package(self) -> bool:
        """True for multi-leg orders."""
        return self.family is Family.PACKAGE


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One broker message: inner ``code`` and readable text; protocol 02 §4."""

    severity: Severity
    code: str
    text: str


class LegEstimate(msgspec.Struct, frozen=True, kw_only=True):
    """Quote and commission of one leg as a preview shows them."""

    symbol: str
    action: Action
    quantity: Decimal
    effect: Effect | None
    cusip: str
    description: str
    last: Decimal | None
    bid: Decimal | None
    ask: Decimal | None
    commission: Decimal
    is_etf: bool = False


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of a preview (protocol 02 §17), dollars unless noted.

    ``value`` is quantity x estimate price (x 100); for a package the subtotal. ``net`` has commission
    and fees in it. ``net_bid``, ``net_ask`` and ``midpoint`` are prices per unit, packages only.
    """

    legs: tuple[LegEstimate, ...]
    quote_time: datetime
    last: Decimal | None = None
    bid: Decimal | None = None
    ask: Decimal | None = None
    value: Decimal = ZERO
    commission: Decimal = ZERO
    fees: Decimal = ZERO
    depository_fee: Decimal = ZERO
    net: Decimal = ZERO
    units: Decimal = Decimal(1)
    net_bid: Decimal | None = None
    net_ask: Decimal | None = None
    midpoint: Decimal | None = None


class Confirmation(msgspec.Struct, frozen=True, kw_only=True):
    """The broker's answer to a preview or a place of one order.

    ``estimate`` may be missing on refusals. ``original`` names the order a replacement changes.
    """

    response: Response
    number: str
    account: str
    messages: tuple[Message, ...] = ()
    estimate: Estimate | None = None
    original: str | None = None

    @property
    def refused(self) -> bool:
        """True for an ``E``."""
        return self.response is Response.REFUSED


class Meta(msgspec.Struct, frozen=True, kw_only=True):
    """Counters and the moment up to which the market has been looked at."""

    seed: int
    started: datetime
    looked: datetime
    order_sequence: int = 0
    number_sequence: int = 0
    lot_sequence: int = 0
    transaction_sequence: int = 0
    event_sequence: int = 0
