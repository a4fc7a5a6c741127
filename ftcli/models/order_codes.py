"""The words of orders: types, actions, times in force, states (protocol 02 §3, 18)."""

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
