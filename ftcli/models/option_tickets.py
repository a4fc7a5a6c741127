"""Option orders as a caller gives them, and as the broker confirms them (protocol 02 §6, 7)."""

from decimal import Decimal
from typing import Annotated

import msgspec

from ftcli.errors import ValidationFailed
from ftcli.models.field import PER_SHARE, UNLESS_EMPTY, USD, Document, Model, Request, at
from ftcli.models.option_symbol import OptionSymbol
from ftcli.models.order_codes import Action, ResponseType, TimeInForce
from ftcli.models.order_confirmations import OrderMessage, OrderPreview
from ftcli.models.tickets import LARGEST, LimitPrice, StopPrice, positive
from ftcli.models.values import Code


class OptionAction(Code):
    """What an option order does. The wire codes are those of multi-leg requests (protocol 02 §3.2)."""

    BUY_TO_OPEN = "buy_to_open", "BO"
    SELL_TO_OPEN = "sell_to_open", "SO"
    BUY_TO_CLOSE = "buy_to_close", "BC"
    SELL_TO_CLOSE = "sell_to_close", "SC"

    @property
    def is_buy(self) -> bool:
        """Whether it costs money."""
        return self in (OptionAction.BUY_TO_OPEN, OptionAction.BUY_TO_CLOSE)

    @property
    def opens(self) -> bool:
        """Whether it opens a position, or makes one larger."""
        return self in (OptionAction.BUY_TO_OPEN, OptionAction.SELL_TO_OPEN)

    def single_leg_code(self, contract: OptionSymbol) -> str:
        """The code of the single-leg call: side and call or put, nothing of open or close (protocol 02 §3.2)."""
        return f"{'B' if self.is_buy else 'S'}{contract.right}"


class NetDirection(Code):
    """Whether a package costs money or brings it in (protocol 02 §3.6)."""

    DEBIT = "debit", "DB"
    CREDIT = "credit", "CR"
    EVEN = "even", "EV"


class StrategyType(Code):
    """The broker's name of a package's shape; ``custom`` is right for any (protocol 02 §3.6)."""

    CUSTOM = "custom", "CU"
    CONDOR = "condor", "CD"
    VERTICAL = "vertical", "SP"
    STRADDLE = "straddle", "ST"
    STRANGLE = "strangle", "SG"


ContractSymbol = Annotated[
    str,
    at(
        None,
        "Option: AAPL270115C150, -AAPL270115C150, the OCC form, or `AAPL 2027-01-15 150 C`.",
        example="AAPL270115C150",
    ),
]
_TIMES = (TimeInForce.DAY, TimeInForce.GTC)


def _check_contracts(field: str, quantity: int) -> None:
    if quantity < 1:
        raise ValidationFailed.of(field, quantity, "be at least one contract")
    if quantity >= LARGEST:
        raise ValidationFailed.of(field, f"{Decimal(quantity):.6g}", f"be below {LARGEST:,f}")


def _check_time(time_in_force: TimeInForce) -> None:
    if time_in_force not in _TIMES:
        raise ValidationFailed.of("time_in_force", time_in_force, "be day or gtc for options")


class OptionOrderTerms(Request, tag_field="order_type", kw_only=True, frozen=True):
    """What every single-leg option order says, whatever its type."""

    account: Annotated[str, at(None, "Account number.", example="Z20000025")]
    symbol: ContractSymbol
    action: Annotated[OptionAction, at(None, "What to do.", example="buy_to_open")]
    quantity: Annotated[int, at(None, "Contracts.", example=1)]
    time_in_force: Annotated[TimeInForce, at(None, "How long the order lives: day or gtc.")] = TimeInForce.DAY

    def __post_init__(self) -> None:
        set_field = msgspec.structs.force_setattr
        set_field(self, "account", self.account.strip().upper())
        set_field(self, "symbol", OptionSymbol.parse(self.symbol).compact)
        _check_contracts("quantity", self.quantity)
        _check_time(self.time_in_force)
        for name in ("limit_price", "stop_price"):
            if (price := getattr(self, name, None)) is not None:
                positive(name, price)

    @property
    def contract(self) -> OptionSymbol:
        """The option."""
        return OptionSymbol.parse(self.symbol)


class OptionMarketOrder(OptionOrderTerms, tag="market", kw_only=True, frozen=True):
    """Trades at once at the best price there is."""


class OptionLimitOrder(OptionOrderTerms, tag="limit", kw_only=True, frozen=True):
    """Trades at the limit price or better; prices are per share, not per contract."""

    limit_price: LimitPrice


class OptionStopOrder(OptionOrderTerms, tag="stop", kw_only=True, frozen=True):
    """Becomes a market order when the stop price trades."""

    stop_price: StopPrice


class OptionStopLimitOrder(OptionOrderTerms, tag="stop_limit", kw_only=True, frozen=True):
    """Becomes a limit order when the stop price trades."""

    stop_price: StopPrice
    limit_price: LimitPrice


OptionOrder = OptionMarketOrder | OptionLimitOrder | OptionStopOrder | OptionStopLimitOrder
"""Any single-leg option order."""


class OptionLeg(Request, kw_only=True, frozen=True):
    """One leg of a multi-leg order."""

    symbol: ContractSymbol
    action: Annotated[OptionAction, at(None, "What to do.", example="buy_to_open")]
    quantity: Annotated[int, at(None, "Contracts.", example=1)] = 1

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "symbol", OptionSymbol.parse(self.symbol).compact)
        _check_contracts("quantity", self.quantity)

    @property
    def contract(self) -> OptionSymbol:
        """The option."""
        return OptionSymbol.parse(self.symbol)


class MultiLegOrder(Request, kw_only=True, frozen=True):
    """Two to four option legs traded together at a net price."""

    account: Annotated[str, at(None, "Account number.", example="Z20000025")]
    legs: Annotated[list[OptionLeg], at(None, "Two to four legs.")]
    direction: Annotated[
        NetDirection, at(None, "debit: the package costs the net price; credit: it brings it in.")
    ]
    net_price: Annotated[
        Decimal, at(None, "Net limit price per unit, always positive.", unit=PER_SHARE, example=2.05)
    ]
    strategy: Annotated[StrategyType, at(None, "Shape of the package; custom is right for any.")] = (
        StrategyType.CUSTOM
    )
    time_in_force: Annotated[TimeInForce, at(None, "How long the order lives: day or gtc.")] = TimeInForce.DAY

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "account", self.account.strip().upper())
        if not 2 <= len(self.legs) <= 4:
            raise ValidationFailed.of("legs", len(self.legs), "be two to four")
        symbols = [leg.symbol for leg in self.legs]
        if len(set(symbols)) < len(symbols):
            raise ValidationFailed.of("legs", ", ".join(symbols), "each be another contract")
        if self.direction is NetDirection.EVEN:
            if self.net_price != 0:
                raise ValidationFailed.of("net_price", self.net_price, "be 0 with direction even")
        else:
            positive("net_price", self.net_price)
        _check_time(self.time_in_force)


class OptionConfirmation(OrderPreview):
    """A single-leg option order, as previewed or accepted (protocol 02 §6.2, 6.3)."""

    effect: Annotated[
        str | None,
        at(
            "orderConfirmDetail.orderDetail.tradableSecOrderDetail.optionDetail.type",
            "O opens, C closes, as far as the code is understood.",
        ),
    ] = None
    destination: Annotated[
        str | None,
        at(
            "orderConfirmDetail.orderDetail.tradableSecOrderDetail.destinationCode",
            "Venue; none is automatic.",
        ),
    ] = None


class MultiLegConfirmationLeg(Model):
    """One leg as the broker confirms it; its action is side and call or put (protocol 02 §7.2)."""

    symbol: Annotated[str | None, at("securityDetail.symbol", "Option, without a dash.", column="Symbol")] = (
        None
    )
    action: Annotated[Action | None, at("orderActionCode", "buy_call, sell_put ...", column="Action")] = None
    quantity: Annotated[Decimal | None, at("qty", "Contracts.", column="Contracts")] = None
    effect: Annotated[str | None, at("type", "O opens, C closes, as far as the code is understood.")] = None
    underlying_is_etf: Annotated[
        bool | None, at("securityDetail.etfInd", "Whether the underlying is an ETF.")
    ] = None
    commission: Annotated[
        Decimal | None,
        at("estCommissionDetail.estCommission", "Estimated commission.", unit=USD, column="Commission"),
    ] = None
    last_price: Annotated[
        Decimal | None, at("priceDetail.price", "Last price of the option.", unit=PER_SHARE, column="Last")
    ] = None
    bid: Annotated[Decimal | None, at("priceDetail.bidPrice", "Bid.", unit=PER_SHARE, column="Bid")] = None
    ask: Annotated[Decimal | None, at("priceDetail.askPrice", "Ask.", unit=PER_SHARE, column="Ask")] = None


class MultiLegConfirmation(Document):
    """A multi-leg order, as previewed or accepted (protocol 02 §7.2, 7.3)."""

    account: Annotated[str, at("acctNum", "Account number.")] = ""
    conf_num: Annotated[
        str | None, at("orderConfirmDetail.confNum", "Confirmation number.", column="Order")
    ] = None
    verdict: Annotated[
        ResponseType | None,
        at("orderConfirmDetail.respTypeCode", "validated, accepted or refused.", column="Verdict"),
    ] = None
    account_type: Annotated[str | None, at("orderConfirmDetail.acctTypeCode", "M margin, C cash.")] = None
    direction: Annotated[
        NetDirection | None,
        at(
            "orderConfirmDetail.orderDetail.tradableSecOrderDetail.dbCrEvenCode",
            "debit, credit or even.",
            column="Direction",
        ),
    ] = None
    net_price: Annotated[
        Decimal | None,
        at("orderConfirmDetail.netAmount", "Net limit price per unit.", unit=PER_SHARE, column="Net price"),
    ] = None
    net_bid: Annotated[
        Decimal | None,
        at("orderConfirmDetail.netBid", "Net bid of the package.", unit=PER_SHARE, column="Net bid"),
    ] = None
    net_ask: Annotated[
        Decimal | None,
        at("orderConfirmDetail.netAsk", "Net ask of the package.", unit=PER_SHARE, column="Net ask"),
    ] = None
    midpoint: Annotated[
        Decimal | None, at("orderConfirmDetail.midPoint", "Middle of the two.", unit=PER_SHARE)
    ] = None
    units: Annotated[int | None, at("orderConfirmDetail.gcd", "Number of packages.", column="Units")] = None
    order_value: Annotated[
        Decimal | None,
        at(
            "orderConfirmDetail.subtotalValOfOrder",
            "Value before commission.",
            unit=USD,
            column="Order value",
        ),
    ] = None
    commission: Annotated[
        Decimal | None,
        at("orderConfirmDetail.totalEstCommission", "Estimated commission.", unit=USD, column="Commission"),
    ] = None
    net_amount: Annotated[
        Decimal | None,
        at(
            "orderConfirmDetail.finalTotalValOfOrder", "Value with commission.", unit=USD, column="Net amount"
        ),
    ] = None
    time_in_force: Annotated[
        TimeInForce | None,
        at(
            "orderConfirmDetail.orderDetail.tradableSecOrderDetail.tifCode",
            "How long the order lives.",
            column="Time in force",
        ),
    ] = None
    all_or_none: Annotated[
        bool | None, at("orderConfirmDetail.orderDetail.tradableSecOrderDetail.aonCode", "All or none.")
    ] = None
    price_type: Annotated[
        str | None,
        at(
            "orderConfirmDetail.orderDetail.tradableSecOrderDetail.priceTypeDetail.priceTypeCode",
            "L: a package is a net limit.",
        ),
    ] = None
    destination: Annotated[
        str | None,
        at(
            "orderConfirmDetail.orderDetail.tradableSecOrderDetail.destinationCode",
            "Venue; none is automatic.",
        ),
    ] = None
    complex_type: Annotated[
        str | None,
        at(
            "orderConfirmDetail.orderDetail.baseOrderDetail.optionDetail.complexType",
            "The broker's code, CO.",
        ),
    ] = None
    leg_count: Annotated[
        int | None,
        at("orderConfirmDetail.orderDetail.baseOrderDetail.optionDetail.numOfLegs", "Number of legs."),
    ] = None
    legs: Annotated[
        list[MultiLegConfirmationLeg],
        at("orderConfirmDetail.orderDetail.baseOrderDetail.optionDetail.complexOrderDetails[]", "The legs."),
    ] = []
    messages: Annotated[
        list[OrderMessage],
        at("sysMsgs.sysMsg[]", "Warnings and notes; a warning is usual here.", form=UNLESS_EMPTY),
    ] = []
    max_gain: Annotated[
        Decimal | None,
        at(
            None,
            "Most it can gain at expiration, before commission; none where there is no limit, or the legs expire "
            "on different days.",
            unit=USD,
            column="Max gain",
        ),
    ] = None
    max_loss: Annotated[
        Decimal | None,
        at(None, "Most it can lose at expiration, as a positive amount.", unit=USD, column="Max loss"),
    ] = None
    break_evens: Annotated[
        list[Decimal],
        at(
            None,
            "Prices of the underlying at which it breaks even at expiration.",
            unit=PER_SHARE,
            column="Break-evens",
        ),
    ] = []
