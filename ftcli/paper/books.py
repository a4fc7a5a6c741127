"""The books: cash, lots, loans, history and events, as immutable records.

Money, prices and quantities are ``Decimal``; times are aware and in UTC or New York time; dates are New York
dates. A change makes a new record (``msgspec.structs.replace``).
"""

from datetime import date, datetime
from decimal import Decimal

import msgspec

from ftcli.paper.codes import Action, EventKind, Holding, Status

ZERO = Decimal(0)


class Deposit(msgspec.Struct, frozen=True, kw_only=True):
    """A deposit that is not in the core fund yet; it moves there when ``sweeps`` begins."""

    amount: Decimal
    received: date
    sweeps: date


class Settlement(msgspec.Struct, frozen=True, kw_only=True):
    """Sale proceeds that count as cash but settle later."""

    amount: Decimal
    settles: date


class Cash(msgspec.Struct, frozen=True, kw_only=True):
    """The cash side of an account, in dollars.

    Attributes:
        core: Balance of the money-market sweep, never negative.
        balance: Cash outside the sweep: a margin loan is negative. Marks of short sales are not in it;
            they are derived from the short lots.
        deposits: Deposits not swept yet.
        settlements: Unsettled proceeds contained in ``core``.
        memorandum: Special memorandum account.
    """

    account: str
    core: Decimal = ZERO
    balance: Decimal = ZERO
    deposits: tuple[Deposit, ...] = ()
    settlements: tuple[Settlement, ...] = ()
    memorandum: Decimal = ZERO


class Loan(msgspec.Struct, frozen=True, kw_only=True):
    """Shares of an account lent out (protocol 01 §3.11). ``rate`` is percent per year."""

    account: str
    symbol: str
    quantity: Decimal
    rate: Decimal
    since: date
    ended: date | None = None


class Lot(msgspec.Struct, frozen=True, kw_only=True):
    """An open tax lot; ``quantity`` and ``cost`` are negative for short lots.

    Attributes:
        lot_id: Twelve digits, the ``eventId`` of the tax-lot call.
        symbol: Stock or fund symbol, or an option without the leading dash.
        price: Trade price per share, option share or unit.
        cost: Total cost with commission and fees, wash-sale additions included; short: minus the net
            proceeds.
        acquired: Date that decides the term; a wash sale moves it back.
        wash_adjustment: Disallowed loss contained in ``cost``.
        replacement: True where these shares already replaced others in a wash sale.
    """

    lot_id: str
    account: str
    symbol: str
    quantity: Decimal
    price: Decimal
    cost: Decimal
    opened: datetime
    acquired: date
    holding: Holding
    wash_adjustment: Decimal = ZERO
    replacement: bool = False
    order: str | None = None


class ClosedLot(msgspec.Struct, frozen=True, kw_only=True):
    """A closed (part of a) lot; ``cost = unadjusted_cost - disallowed`` (protocol 01 §3.9, §3.10).

    For a short sale ``acquired`` is the date of the cover and ``cost`` what the cover cost.
    """

    closed_id: str
    lot_id: str
    account: str
    symbol: str
    quantity: Decimal
    acquired: date
    sold: date
    closed_at: datetime
    proceeds: Decimal
    unadjusted_cost: Decimal
    long_term: bool
    transaction: int
    disallowed: Decimal = ZERO
    wash_matched: Decimal = ZERO
    short: bool = False
    held_since: date | None = None
    opened: datetime | None = None

    @property
    def cost(self) -> Decimal:
        """Cost after the wash-sale adjustment."""
        return self.unadjusted_cost - self.disallowed

    @property
    def gain(self) -> Decimal:
        """Realised gain after the wash-sale adjustment."""
        return self.proceeds - self.cost

    @property
    def unadjusted_gain(self) -> Decimal:
        """Realised gain before the wash-sale adjustment."""
        return self.proceeds - self.unadjusted_cost

    @property
    def term(self) -> str:
        """``Long`` or ``Short``."""
        return "Long" if self.long_term else "Short"


class Transaction(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the history (protocol 01 §3.7); ``net = principal - commission - fees + interest``.

    ``quantity`` is negative on sells; ``principal`` and ``net`` carry the sign of the cash effect.
    """

    transaction_id: int
    account: str
    time: datetime
    traded: date
    posted: date
    text: str
    short_text: str
    net: Decimal
    category: str
    settles: date | None = None
    symbol: str | None = None
    quantity: Decimal = ZERO
    price: Decimal = ZERO
    principal: Decimal = ZERO
    commission: Decimal = ZERO
    fees: Decimal = ZERO
    interest: Decimal = ZERO
    holding: Holding | None = None
    order: str | None = None
    external: bool = False


class EventData(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Facts of an event, named as in protocol 05 §7.11; only those that apply are set."""

    symbol: str | None = None
    action: Action | None = None
    status: Status | None = None
    original_quantity: Decimal | None = None
    executed_quantity: Decimal | None = None
    last_quantity: Decimal | None = None
    price: Decimal | None = None
    average_price: Decimal | None = None
    gross: Decimal | None = None
    venue: str | None = None
    position_quantity: Decimal | None = None
    core_balance: Decimal | None = None
    cash_balance: Decimal | None = None
    trigger: str | None = None
    threshold: Decimal | None = None


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the event log, in the order the stream pushes them."""

    sequence: int
    time: datetime
    account: str
    kind: EventKind
    order: str | None
    data: EventData
