"""Orders as a caller gives them: one type per kind, so that a stop without a stop price cannot be built.

``{"order_type": "limit", "limit_price": 150.00, ...}`` becomes an :class:`EquityLimitOrder`; a missing price, an
unknown word or a stray field is an error before anything is sent.
"""

from decimal import Decimal
from typing import Annotated, Any

import msgspec

from ftcli.errors import ValidationFailed
from ftcli.models.field import PER_SHARE, SHARES, Request, at
from ftcli.models.order_codes import TimeInForce, TrailType
from ftcli.models.values import Code


class EquityAction(Code):
    """What an equity order does (protocol 02 §3.2)."""

    BUY = "buy", "B"
    SELL = "sell", "S"
    SELL_SHORT = "sell_short", "SH"
    BUY_TO_COVER = "buy_to_cover", "BH"
    SELL_ALL = "sell_all", "SA"
    SELL_SPECIFIC_SHARES = "sell_specific_shares", "SS"

    @property
    def is_buy(self) -> bool:
        """Whether it costs money."""
        return self in (EquityAction.BUY, EquityAction.BUY_TO_COVER)


class TradingSession(Code):
    """In which hours an order may trade (protocol 02 §3.5)."""

    REGULAR = "regular", ""
    EXTENDED = "extended", "E"


class SpecificLot(Request, kw_only=True, frozen=True):
    """A tax lot to sell from (protocol 02 §5.1, placeholder)."""

    lot: Annotated[str, at("eventId", "Id of the lot, from `ft accounts tax-lots`.")]
    quantity: Annotated[Decimal, at("qty", "Shares to sell from it.", unit=SHARES)]
    sequence: Annotated[int | None, at("lotSeq", "Its number in the lot list.")] = None


LARGEST = Decimal(10**9)
"""Every price and quantity is below this: what is above was never meant."""


def positive(field: str, value: Decimal) -> None:
    """Checks a price or a quantity.

    Raises:
        ValidationFailed: It is not above zero, not finite, a billion or more, or has more than six decimals.
    """
    # Shown as given, and shortened: written out, 1e-400 has four hundred digits.
    if not value.is_finite() or value <= 0:
        raise ValidationFailed.of(field, str(value)[:40], "be above zero")
    if value >= LARGEST:
        raise ValidationFailed.of(field, str(value)[:40], f"be below {LARGEST:,f}")
    exponent = value.normalize().as_tuple().exponent
    if isinstance(exponent, int) and exponent < -6:
        raise ValidationFailed.of(field, str(value)[:40], "have at most six decimals")


def one_of(a: str, b: str, first: object, second: object) -> None:
    """Checks that exactly one of two values is given.

    Raises:
        ValidationFailed: None or both are given.
    """
    if (first is None) == (second is None):
        given = None if first is None else f"{first} and {second}"
        raise ValidationFailed.of(a, given, f"be given, or else {b}; exactly one of the two")


class EquityOrderTerms(Request, tag_field="order_type", kw_only=True, frozen=True):
    """What every equity order says, whatever its type."""

    account: Annotated[str, at(None, "Account number.", example="Z20000025")]
    symbol: Annotated[str, at(None, "Ticker.", example="AAPL")]
    action: Annotated[EquityAction, at(None, "What to do.", example="buy")]
    quantity: Annotated[
        Decimal, at(None, "Shares; a fraction only for market day orders.", unit=SHARES, example=10)
    ]
    time_in_force: Annotated[TimeInForce, at(None, "How long the order lives.")] = TimeInForce.DAY
    trading_session: Annotated[
        TradingSession, at(None, "Hours it may trade in; extended takes limit day orders only.")
    ] = TradingSession.REGULAR
    route: Annotated[str, at(None, "Routing code from `ft market-data markets`; empty is automatic.")] = ""
    lots: Annotated[list[SpecificLot], at(None, "Tax lots to sell from, with sell_specific_shares.")] = []

    def __post_init__(self) -> None:
        set_field = msgspec.structs.force_setattr
        set_field(self, "account", self.account.strip().upper())
        set_field(self, "symbol", self.symbol.strip().upper())
        if not self.symbol:
            raise ValidationFailed.of("symbol", None, "be a ticker")
        positive("quantity", self.quantity)
        for name in ("limit_price", "stop_price", "trailing_amount", "trailing_percent", "limit_offset"):
            price = getattr(self, name, None)
            if price is not None:
                positive(name, price)
        self._check_terms()

    def _check_terms(self) -> None:
        tag = self.__struct_config__.tag
        if self.quantity != self.quantity.to_integral_value() and (
            tag != "market" or self.time_in_force is not TimeInForce.DAY
        ):
            raise ValidationFailed.of(
                "quantity", f"{self.quantity:f}", "be whole; fractions trade as market day orders only"
            )
        if self.trading_session is TradingSession.EXTENDED and (
            tag != "limit" or self.time_in_force is not TimeInForce.DAY
        ):
            raise ValidationFailed.of(
                "trading_session", "extended", "be regular here; extended hours take limit day orders only"
            )
        allowed = _TYPES_BY_TIME.get(self.time_in_force)
        if allowed and tag not in allowed:
            raise ValidationFailed.of(
                "time_in_force", self.time_in_force, f"go with order type {' or '.join(allowed)}"
            )
        specific = self.action is EquityAction.SELL_SPECIFIC_SHARES
        if specific != bool(self.lots):
            raise ValidationFailed.of(
                "lots", len(self.lots) or None, "be given with action sell_specific_shares, and only with it"
            )
        if specific and sum((lot.quantity for lot in self.lots), Decimal(0)) != self.quantity:
            raise ValidationFailed.of("quantity", f"{self.quantity:f}", "be the sum of the lots' quantities")


_TYPES_BY_TIME = {
    TimeInForce.IOC: ("limit", "market"),
    TimeInForce.FOK: ("limit", "market"),
    TimeInForce.MARKET_ON_OPEN: ("market",),
    TimeInForce.MARKET_ON_CLOSE: ("market",),
}

LimitPrice = Annotated[Decimal, at(None, "Limit price.", unit=PER_SHARE, example=150)]
StopPrice = Annotated[Decimal, at(None, "Stop price: the price that triggers the order.", unit=PER_SHARE)]


class EquityMarketOrder(EquityOrderTerms, tag="market", kw_only=True, frozen=True):
    """Trades at once at the best price there is."""


class EquityLimitOrder(EquityOrderTerms, tag="limit", kw_only=True, frozen=True):
    """Trades at the limit price or better."""

    limit_price: LimitPrice


class EquityStopOrder(EquityOrderTerms, tag="stop", kw_only=True, frozen=True):
    """Becomes a market order when the stop price trades."""

    stop_price: StopPrice


class EquityStopLimitOrder(EquityOrderTerms, tag="stop_limit", kw_only=True, frozen=True):
    """Becomes a limit order when the stop price trades."""

    stop_price: StopPrice
    limit_price: LimitPrice


class EquityTrailingStopOrder(EquityOrderTerms, tag="trailing_stop", kw_only=True, frozen=True):
    """A stop that follows the best price at a distance. The broker's codes for it are placeholders."""

    trailing_amount: Annotated[Decimal | None, at(None, "Distance in dollars.", unit=PER_SHARE)] = None
    trailing_percent: Annotated[Decimal | None, at(None, "Distance in percent.")] = None

    def __post_init__(self) -> None:
        super().__post_init__()
        one_of("trailing_amount", "trailing_percent", self.trailing_amount, self.trailing_percent)


class EquityTrailingStopLimitOrder(EquityOrderTerms, tag="trailing_stop_limit", kw_only=True, frozen=True):
    """A trailing stop that becomes a limit order. The broker's codes for it are placeholders."""

    limit_offset: Annotated[Decimal, at(None, "Distance of the limit from the stop.", unit=PER_SHARE)]
    trailing_amount: Annotated[Decimal | None, at(None, "Distance in dollars.", unit=PER_SHARE)] = None
    trailing_percent: Annotated[Decimal | None, at(None, "Distance in percent.")] = None

    def __post_init__(self) -> None:
        super().__post_init__()
        one_of("trailing_amount", "trailing_percent", self.trailing_amount, self.trailing_percent)


EquityOrder = (
    EquityMarketOrder
    | EquityLimitOrder
    | EquityStopOrder
    | EquityStopLimitOrder
    | EquityTrailingStopOrder
    | EquityTrailingStopLimitOrder
)
"""Any equity order."""


def price_terms(order: Any) -> dict[str, Any]:
    """The broker's ``priceTypeDetail`` of an order: the type's code and every price it has (protocol 02 §3.4)."""
    from ftcli.models.order_codes import OrderType

    terms: dict[str, Any] = {"priceTypeCode": OrderType(order.__struct_config__.tag).wire}
    for ours, theirs in (("limit_price", "limitPrice"), ("stop_price", "stopPrice")):
        if (price := getattr(order, ours, None)) is not None:
            terms[theirs] = price
    amount, percent = getattr(order, "trailing_amount", None), getattr(order, "trailing_percent", None)
    if amount is not None or percent is not None:
        kind = TrailType.PERCENT if amount is None else TrailType.DOLLARS
        terms |= {"trailingStopAmt": percent if amount is None else amount, "trailingStopTypeCode": kind.wire}
    if (offset := getattr(order, "limit_offset", None)) is not None:
        terms["limitOffsetAmt"] = offset
    return terms
