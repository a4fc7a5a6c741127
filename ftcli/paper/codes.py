"""The broker's own codes as the paper broker keeps them: the value of each member is the wire value.

Source: protocol 02 §3 and §18.1.
"""

from enum import Enum, StrEnum


class Action(StrEnum):
    """What an order does, as shown in the order status (protocol 02 §3.2).

    Options speak side x call/put here; whether a trade opens or closes is an ``Effect``.
    """

    BUY = "B"
    SELL = "S"
    SELL_SHORT = "SH"
    BUY_TO_COVER = "BH"
    SELL_ALL = "SA"
    SELL_SPECIFIC = "SS"
    BUY_CALL = "BC"
    SELL_CALL = "SC"
    BUY_PUT = "BP"
    SELL_PUT = "SP"

    @property
    def buys(self) -> bool:
        """True where the order takes the security in."""
        return self in _BUYS

    @property
    def for_options(self) -> bool:
        """True for the four option codes."""
        return self in _OPTION_ACTIONS

    @property
    def text(self) -> str:
        """The broker's words, such as ``Buy Call``."""
        return _ACTION_TEXTS[self]


_BUYS = frozenset({Action.BUY, Action.BUY_TO_COVER, Action.BUY_CALL, Action.BUY_PUT})
_OPTION_ACTIONS = frozenset({Action.BUY_CALL, Action.SELL_CALL, Action.BUY_PUT, Action.SELL_PUT})
_ACTION_TEXTS = {
    Action.BUY: "Buy",
    Action.SELL: "Sell",
    Action.SELL_SHORT: "Sell Short",
    Action.BUY_TO_COVER: "Buy to Cover",
    Action.SELL_ALL: "Sell",
    Action.SELL_SPECIFIC: "Sell",
    Action.BUY_CALL: "Buy Call",
    Action.SELL_CALL: "Sell Call",
    Action.BUY_PUT: "Buy Put",
    Action.SELL_PUT: "Sell Put",
}


def option_action(buys: bool, right: str) -> Action:
    """The status code of an option leg from its side and ``"C"`` or ``"P"``."""
    if right == "C":
        return Action.BUY_CALL if buys else Action.SELL_CALL
    return Action.BUY_PUT if buys else Action.SELL_PUT


class Effect(StrEnum):
    """Whether an option leg opens or closes a position (protocol 02 §3.3)."""

    OPEN = "O"
    CLOSE = "C"


class PriceType(StrEnum):
    """Order types (protocol 02 §3.4)."""

    MARKET = "M"
    LIMIT = "L"
    STOP = "S"
    STOP_LIMIT = "SL"
    TRAILING_STOP = "TS"
    TRAILING_STOP_LIMIT = "TL"

    @property
    def text(self) -> str:
        """The broker's words, such as ``Stop Loss``."""
        return _PRICE_TYPE_TEXTS[self]

    @property
    def has_limit(self) -> bool:
        """True where a limit price is given with the order."""
        return self in (PriceType.LIMIT, PriceType.STOP_LIMIT)

    @property
    def has_stop(self) -> bool:
        """True where a stop price is given with the order."""
        return self in (PriceType.STOP, PriceType.STOP_LIMIT)

    @property
    def trails(self) -> bool:
        """True where the stop follows the market."""
        return self in (PriceType.TRAILING_STOP, PriceType.TRAILING_STOP_LIMIT)

    @property
    def fills_at_limit(self) -> bool:
        """True where no execution may be worse than a limit."""
        return self in (PriceType.LIMIT, PriceType.STOP_LIMIT, PriceType.TRAILING_STOP_LIMIT)

    @property
    def needs_trigger(self) -> bool:
        """True where a stop must be reached first."""
        return self.has_stop or self.trails


_PRICE_TYPE_TEXTS = {
    PriceType.MARKET: "Market",
    PriceType.LIMIT: "Limit",
    PriceType.STOP: "Stop Loss",
    PriceType.STOP_LIMIT: "Stop Limit",
    PriceType.TRAILING_STOP: "Trailing Stop Loss",
    PriceType.TRAILING_STOP_LIMIT: "Trailing Stop Limit",
}


class TrailUnit(StrEnum):
    """Unit of a trailing amount."""

    DOLLARS = "D"
    PERCENT = "P"


class TimeInForce(StrEnum):
    """How long an order lives (protocol 02 §3.5)."""

    DAY = "D"
    GTC = "G"
    IOC = "I"
    FOK = "F"
    AT_OPEN = "O"
    AT_CLOSE = "C"

    @property
    def text(self) -> str:
        """The broker's words, such as ``Good 'til Canceled``."""
        return _TIF_TEXTS[self]


_TIF_TEXTS = {
    TimeInForce.DAY: "Day",
    TimeInForce.GTC: "Good 'til Canceled",
    TimeInForce.IOC: "Immediate or Cancel",
    TimeInForce.FOK: "Fill or Kill",
    TimeInForce.AT_OPEN: "Market on Open",
    TimeInForce.AT_CLOSE: "Market on Close",
}


class SessionCode(StrEnum):
    """Standard hours or day plus extended hours (protocol 02 §3.5)."""

    STANDARD = "S"
    EXTENDED = "E"


class Holding(StrEnum):
    """How a trade is booked: cash, margin or short (protocol 02 §3.6)."""

    CASH = "C"
    MARGIN = "M"
    SHORT = "S"

    @property
    def number(self) -> int:
        """The integer that order status and tax lots use."""
        return {"C": 1, "M": 2, "S": 3}[self.value]

    @property
    def text(self) -> str:
        """The broker's word."""
        return {"C": "Cash", "M": "Margin", "S": "Short"}[self.value]


class NetSide(StrEnum):
    """Direction of a package's net price."""

    DEBIT = "DB"
    CREDIT = "CR"
    EVEN = "EV"


class Family(Enum):
    """The order-entry family an order came through; it decides the layout of its number."""

    EQUITY = "equity"
    OPTION = "option"
    PACKAGE = "package"


class GroupKind(StrEnum):
    """Conditional groups (protocol 02 §10.1)."""

    OTO = "OTO"
    OCO = "OCO"
    OTOCO = "OTOCO"

    @property
    def size(self) -> int:
        """Number of orders in the group."""
        return 3 if self is GroupKind.OTOCO else 2


class Role(Enum):
    """What an order is inside its conditional group."""

    PRIMARY = "primary"
    CHILD = "child"
    HALF = "half"


class Response(StrEnum):
    """Answer to a preview or a place (protocol 02 §3.1)."""

    VALIDATED = "V"
    ACCEPTED = "A"
    REFUSED = "E"


class Severity(StrEnum):
    """Severity of a broker message."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    @property
    def outer_code(self) -> str:
        """The outer message code, whose first digit follows the severity (protocol 02 §4)."""
        return {"error": "2999", "warning": "1999", "info": "0999"}[self.value]


class Status(StrEnum):
    """The thirteen order states of the wire (protocol 02 §18.1)."""

    OPEN = "OPEN"
    PARTIAL_FILL = "PARTIAL_FILL"
    EXECUTION_PENDING = "EXECUTION_PENDING"
    FILLED = "FILLED"
    SETTLEMENT_PENDING = "SETTLEMENT_PENDING"
    PENDING_CANCEL = "PENDING_CANCEL"
    PENDING_CANCEL_PARTIAL_FILL = "PENDING_CANCEL_PARTIAL_FILL"
    VERIFIED_CANCEL = "VERIFIED_CANCEL"
    VERIFIED_CANCEL_PARTIAL_FILL = "VERIFIED_CANCEL_PARTIAL_FILL"
    AWAITS_PRIMARY = "UNTRIGGERED_AWAITS_PRIMARY_TRIGGER"
    AWAITS_CONTINGENT = "UNTRIGGERED_AWAITS_CONTINGENT_TRIGGER"
    TRIGGERED_OPEN = "TRIGGERED_OPEN"
    ERROR = "ERROR"

    @property
    def final(self) -> bool:
        """True where nothing can happen to the order any more."""
        return self in _FINAL

    @property
    def cancelable(self) -> bool:
        """``cancelableInd``."""
        return self in _CHANGEABLE

    @property
    def replaceable(self) -> bool:
        """``replaceableInd``."""
        return self in _CHANGEABLE

    @property
    def waiting(self) -> bool:
        """True while a trigger outside the order must come first."""
        return self in (Status.AWAITS_PRIMARY, Status.AWAITS_CONTINGENT)

    @property
    def cancelling(self) -> bool:
        """True while a cancel has been asked for and not confirmed."""
        return self in (Status.PENDING_CANCEL, Status.PENDING_CANCEL_PARTIAL_FILL)

    @property
    def counter(self) -> str:
        """Which of the three counters the order counts in: ``open``, ``filled`` or ``cancelled``."""
        if self in (Status.FILLED, Status.SETTLEMENT_PENDING):
            return "filled"
        return "cancelled" if self.final else "open"


_FINAL = frozenset(
    {
        Status.FILLED,
        Status.SETTLEMENT_PENDING,
        Status.VERIFIED_CANCEL,
        Status.VERIFIED_CANCEL_PARTIAL_FILL,
        Status.ERROR,
    }
)
_CHANGEABLE = frozenset(
    {
        Status.OPEN,
        Status.PARTIAL_FILL,
        Status.AWAITS_PRIMARY,
        Status.AWAITS_CONTINGENT,
        Status.TRIGGERED_OPEN,
    }
)


class EventKind(StrEnum):
    """Codes of the account event stream (protocol 05 §7.10)."""

    ORDER_UPDATE = "ORDUP"
    EXECUTION = "MFCEX"
    CANCELLED = "CXL01"
    POSITION = "SPPOS"
    COST_BASIS = "CBUPD"
    BALANCE = "SPBSM"
    PRICE_ABOVE = "TRPA"
    PRICE_BELOW = "TRPB"
