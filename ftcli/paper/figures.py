"""Derived figures: what the account calls answer, as plain records (protocol 01 §3, §4).

Money is dollars rounded half up to cents, percentages are in percent points with two decimals, average
costs have four decimals. A missing price makes the figures that need it ``None``.
"""

from datetime import date, datetime
from decimal import Decimal

import msgspec

from ftcli.paper.codes import (
    Action,
    Family,
    GroupKind,
    NetSide,
    PriceType,
    Response,
    SessionCode,
    Status,
    TimeInForce,
)
from ftcli.paper.records import ZERO, ClosedLot, Confirmation, Fill, Message, Order, OrderLeg


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """One holding (protocol 01 §3.3).

    ``symbol`` has no leading dash; ``underlying``, ``right``, ``strike`` and ``expiration`` are set on
    options. ``kind`` is ``core``, ``equity``, ``etf``, ``fund`` or ``option``.
    """

    account: str
    symbol: str
    kind: str
    sub_kind: str
    description: str
    cusip: str
    quantity: Decimal
    multiplier: Decimal
    last: Decimal | None
    change: Decimal | None
    change_pct: Decimal | None
    close: Decimal | None
    prev_close: Decimal | None
    market_value: Decimal
    previous_market_value: Decimal
    cost_basis: Decimal
    average_cost: Decimal
    total_gain: Decimal
    total_gain_pct: Decimal
    todays_gain: Decimal
    todays_gain_pct: Decimal
    holding_pct: Decimal
    holding_type: str
    has_intraday_pricing: bool = True
    underlying: str | None = None
    right: str | None = None
    strike: Decimal | None = None
    expiration: date | None = None


class AccountPositions(msgspec.Struct, frozen=True, kw_only=True):
    """The positions of one account with its totals; the core fund comes first.

    ``total_gain_pct`` is None when nothing has a cost, ``todays_gain_pct`` when nothing moved.
    """

    account: str
    positions: tuple[Position, ...]
    market_value: Decimal
    cost_basis: Decimal
    total_gain: Decimal
    total_gain_pct: Decimal | None
    todays_gain: Decimal
    todays_gain_pct: Decimal | None


class Portfolio(msgspec.Struct, frozen=True, kw_only=True):
    """Several accounts and their sums."""

    accounts: tuple[AccountPositions, ...]
    position_count: int
    value: Decimal
    cost_basis: Decimal
    total_gain: Decimal
    total_gain_pct: Decimal | None
    todays_gain: Decimal
    todays_gain_pct: Decimal | None


class OpenLot(msgspec.Struct, frozen=True, kw_only=True):
    """One open tax lot, oldest first with ``sequence`` from 1 (protocol 01 §3.4, §3.12)."""

    sequence: int
    lot_id: str
    symbol: str
    quantity: Decimal
    acquired: date
    price: Decimal
    cost_basis: Decimal
    cost_per_share: Decimal
    market_value: Decimal
    gain: Decimal
    term: str
    wash_sale: bool
    holding_number: int


class MarginFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Margin block of a balance snapshot, with the buying powers that follow from it."""

    held_in_margin: Decimal
    credit_debit: Decimal
    equity: Decimal
    equity_pct: Decimal
    house_requirement: Decimal
    house_surplus: Decimal
    exchange_surplus: Decimal
    memorandum: Decimal
    interest_rate: Decimal
    interest_accrued_month: Decimal
    interest_accrued_daily: Decimal
    buying_power: Decimal
    non_margin_buying_power: Decimal
    day_trade_buying_power: Decimal
    corporate_bond_buying_power: Decimal
    municipal_bond_buying_power: Decimal
    government_bond_buying_power: Decimal


class BalanceSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """One of the three snapshots: recent, intraday or close (protocol 01 §3.6, §4.3)."""

    as_of: datetime
    net_worth: Decimal
    market_value: Decimal
    equity_pct: Decimal
    has_unpriced_position: bool
    loaned_value: Decimal
    held_in_cash: Decimal
    core: Decimal
    credit_debit: Decimal
    settled: Decimal
    cash_buying_power: Decimal
    committed_cash: Decimal
    committed_cash_and_margin: Decimal
    without_margin_impact: Decimal
    withdrawable_cash: Decimal
    withdrawable_with_margin: Decimal
    unsettled_deposit: Decimal
    held_in_short: Decimal
    short_credit: Decimal
    daily_mark: Decimal
    held_in_options: Decimal
    options_in_the_money: Decimal
    option_requirement: Decimal
    cash_covered_put_reserve: Decimal
    cash_spread_reserve: Decimal
    net_market_value: Decimal
    margin: MarginFigures | None = None


class AccountBalances(msgspec.Struct, frozen=True, kw_only=True):
    """Balances of one account. A ``...Chg`` figure is ``recent`` minus ``close``, with
    ``net_worth_change`` free of the day's deposits and withdrawals."""

    account: str
    as_of: datetime
    is_margin: bool
    has_options: bool
    has_intraday_activity: bool
    has_unpriced_order: bool
    has_margin_calls: bool
    recent: BalanceSnapshot
    intraday: BalanceSnapshot
    close: BalanceSnapshot
    net_worth_change: Decimal
    intraday_net_worth_change: Decimal


class GainTotals(msgspec.Struct, frozen=True, kw_only=True):
    """Gain object of the closed-position calls; ``gains`` >= 0, ``losses`` <= 0."""

    gains: Decimal
    losses: Decimal
    disallowed: Decimal
    total: Decimal
    unadjusted_gains: Decimal
    unadjusted_losses: Decimal
    unadjusted_total: Decimal


class ClosedPosition(msgspec.Struct, frozen=True, kw_only=True):
    """The closed lots of one symbol in a range (protocol 01 §3.9)."""

    symbol: str
    cusip: str
    description: str
    kind: str
    quantity: Decimal
    proceeds: Decimal
    cost_basis: Decimal
    unadjusted_cost_basis: Decimal
    disallowed: Decimal
    long_term: GainTotals
    total: GainTotals
    lots: tuple[ClosedLot, ...]


class AccountClosedPositions(msgspec.Struct, frozen=True, kw_only=True):
    """Closed positions of one account in a range."""

    account: str
    positions: tuple[ClosedPosition, ...]
    proceeds: Decimal
    cost_basis: Decimal
    long_term: GainTotals
    total: GainTotals


class OptionLeg(msgspec.Struct, frozen=True, kw_only=True):
    """One leg of a strategy that the account holds; ``quantity`` is contracts, unsigned."""

    symbol: str
    description: str
    buys: bool
    quantity: Decimal
    right: str
    strike: Decimal
    expiration: date
    days: int
    in_the_money: bool
    last: Decimal | None
    prev_close: Decimal | None
    change: Decimal | None
    market_value: Decimal
    cost_basis: Decimal
    gain: Decimal
    gain_pct: Decimal


class OptionPairing(msgspec.Struct, frozen=True, kw_only=True):
    """A strategy: ``code`` such as ``SPREAD`` and its readable name (protocol 01 §3.8)."""

    underlying: str
    underlying_description: str
    underlying_last: Decimal | None
    underlying_prev_close: Decimal | None
    code: str
    name: str
    expiration: date
    legs: tuple[OptionLeg, ...]
    market_value: Decimal
    cost_basis: Decimal
    gain: Decimal


class OptionSummary(msgspec.Struct, frozen=True, kw_only=True):
    """Option holdings of an account grouped by expiration, nearest first."""

    account: str
    cycle: datetime
    groups: tuple[tuple[date, tuple[OptionPairing, ...]], ...]
    underlying_count: int
    option_value: Decimal
    option_cost: Decimal
    account_value: Decimal
    account_cost: Decimal


class LoanFigures(msgspec.Struct, frozen=True, kw_only=True):
    """A loaned holding; ended loans have ``quantity`` 0 and only ``month_to_date``."""

    symbol: str
    cusip: str
    description: str
    rate: Decimal
    quantity: Decimal
    value: Decimal
    prior_day: Decimal
    month_to_date: Decimal
    prior_month: Decimal
    active: bool


class Accrual(msgspec.Struct, frozen=True, kw_only=True):
    """One accrual component (protocol 01 §3.15, §3.16); negative amounts are charged."""

    code: str
    text: str
    symbol: str | None
    cusip: str | None
    accrued_on: date
    balance: Decimal
    quantity: Decimal | None
    rate: Decimal
    prior_day: Decimal
    month_to_date: Decimal
    prior_month: Decimal


class OrderEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the order status: an order, or one leg of a package (protocol 02 §13).

    ``underlying`` is the option root (``contractSymbol``); ``stop_price`` is where a trailing stop stands.
    """

    order: Order
    leg: OrderLeg
    status: Status
    status_text: str
    cancelable: bool
    replaceable: bool
    quantity: Decimal
    executed: Decimal
    remaining: Decimal
    average_price: Decimal
    gross: Decimal
    commission: Decimal
    fees: Decimal
    net: Decimal
    description: str
    security_description: str
    cusip: str
    security_type: str
    price_text: str
    time_in_force: TimeInForce
    price_type: PriceType
    session: SessionCode
    venue: str
    strategy_code: str | None
    special_code: str | None
    special_name: str | None
    linked: str | None
    family: Family
    net_side: NetSide | None
    group_kind: GroupKind | None
    fills: tuple[Fill, ...]
    stop_price: Decimal | None = None
    underlying: str | None = None
    right: str | None = None
    strike: Decimal | None = None
    expiration: date | None = None


class OrderSummary(msgspec.Struct, frozen=True, kw_only=True):
    """Counters per account, counted per order and not per leg."""

    account: str
    orders: int
    open: int
    filled: int
    cancelled: int


class CancelOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """Answer to one entry of a cancel request (protocol 02 §8).

    ``action`` is None where the order is not known; ``proceeds`` and ``commission`` are those of the
    executed part.
    """

    response: Response
    number: str
    account: str
    action: Action | None = None
    original: Decimal = ZERO
    executed: Decimal = ZERO
    remaining: Decimal = ZERO
    proceeds: Decimal = ZERO
    commission: Decimal = ZERO
    messages: tuple[Message, ...] = ()


class GroupConfirmation(msgspec.Struct, frozen=True, kw_only=True):
    """Answer to a preview or place of a conditional group: messages at the top and one answer per order."""

    kind: GroupKind
    account: str
    confirmations: tuple[Confirmation, ...]
    messages: tuple[Message, ...] = ()

    @property
    def refused(self) -> bool:
        """True where any order of the group was refused."""
        return any(confirmation.refused for confirmation in self.confirmations)
