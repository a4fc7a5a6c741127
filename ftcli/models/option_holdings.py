"""The options an account holds, as strategies (protocol 01 §3.8)."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

from ftcli.models.field import PER_SHARE, PERCENT, SHARES, USD, Document, Model, at
from ftcli.models.values import Code

CONTRACTS = "contracts"


class Side(Code):
    """Whether an option is held or written."""

    LONG = "long", "B"
    SHORT = "short", "S"


class Right(Code):
    """What an option gives the right to: buy or sell."""

    CALL = "call", "C"
    PUT = "put", "P"


class Moneyness(Code):
    """Whether exercise would be worth something now."""

    IN = "in", "I"
    OUT = "out", "O"


class HeldOption(Model):
    """One leg of a strategy (protocol 01 §3.8); Greeks on request only, the broker's answer has none."""

    symbol: Annotated[
        str | None, at("legSecurityDetails.legSymbol", "Symbol, without a leading dash.", column="Symbol")
    ] = None
    side: Annotated[Side | None, at("legBuySellInd", "long: held. short: written.", column="Side")] = None
    contracts: Annotated[
        Decimal | None,
        at("legShares", "Number of contracts, without a sign.", unit=CONTRACTS, column="Contracts"),
    ] = None
    right: Annotated[
        Right | None, at("legSecurityDetails.legSymbolPCIndex", "Call or put.", column="Right")
    ] = None
    strike: Annotated[
        Decimal | None,
        at(
            "legSecurityDetails.legSymbolStrike|legPriceDetail.legOptionStrikePrice",
            "Strike price.",
            unit=PER_SHARE,
            column="Strike",
        ),
    ] = None
    expiration: Annotated[
        date | None,
        at(
            "legSecurityDetails.legSymbolExpiryDate|legPriceDetail.legExpirationDate",
            "Expiration date.",
            form="iso_day",
        ),
    ] = None
    days: Annotated[int | None, at("legPriceDetail.legExpirationDays", "Calendar days to expiration.")] = None
    last_price: Annotated[
        Decimal | None,
        at("legPriceDetail.legOptionLastPrice", "Latest price.", unit=PER_SHARE, column="Last"),
    ] = None
    last_price_change: Annotated[
        Decimal | None, at("legPriceDetail.legOptionPriceChg", "Change since the last close.", unit=PER_SHARE)
    ] = None
    previous_close: Annotated[
        Decimal | None, at("legPriceDetail.legOptionPrice", "Previous close.", unit=PER_SHARE)
    ] = None
    market_value: Annotated[
        Decimal | None,
        at("marketValDetail.marketVal", "Value; negative where written.", unit=USD, column="Market value"),
    ] = None
    gain: Annotated[
        Decimal | None,
        at("marketValDetail.totalGainLoss", "Value less cost.", unit=USD, column="Gain", signed=True),
    ] = None
    gain_pct: Annotated[
        Decimal | None,
        at("marketValDetail.totalGainLossPct", "The same in percent of the cost.", unit=PERCENT),
    ] = None
    moneyness: Annotated[
        Moneyness | None, at("legInTheMoneyIndex", "Whether it is in or out of the money.")
    ] = None
    right_text: Annotated[
        str | None, at("legOptionSecurityTypeCode", "Call or put, in the broker's word.")
    ] = None
    description: Annotated[
        str | None, at("legSecurityDetails.legSecurityDescription", "The option in words.")
    ] = None
    deliverable: Annotated[
        Decimal | None, at("legSecurityDetails.delShares", "Shares a contract stands for.", unit=SHARES)
    ] = None
    delta: Annotated[Decimal | None, at(None, "Change of the price per 1.00 of the underlying.")] = None
    gamma: Annotated[Decimal | None, at(None, "Change of delta per 1.00 of the underlying.")] = None
    theta: Annotated[Decimal | None, at(None, "Change of the price per calendar day.")] = None
    vega: Annotated[Decimal | None, at(None, "Change of the price per point of volatility.")] = None
    rho: Annotated[Decimal | None, at(None, "Change of the price per percentage point of interest.")] = None
    implied_volatility: Annotated[
        Decimal | None, at(None, "Volatility that the middle of the quote stands for.", unit="fraction")
    ] = None


class OptionStrategy(Model):
    """Options of one expiration that belong together (protocol 01 §3.8)."""

    expiration: Annotated[date | None, at(None, "Expiration date.", column="Expiration")] = None
    underlying: Annotated[
        str | None, at("pairingSecurityDetails.symbol", "Underlying symbol.", column="Underlying")
    ] = None
    strategy: Annotated[
        str | None,
        at(
            "optionPairMatchCodeDescription",
            "Name of the strategy: Debit Spread, Long Put ...",
            column="Strategy",
        ),
    ] = None
    summary: Annotated[str | None, at(None, "The legs in short: +3 90C -3 100C.", column="Legs")] = None
    market_value: Annotated[
        Decimal | None, at("totalMarketValue", "Sum of the legs.", unit=USD, column="Market value")
    ] = None
    cost_basis: Annotated[
        Decimal | None,
        at("totalCostBasis", "Sum of the legs; negative for a credit.", unit=USD, column="Cost basis"),
    ] = None
    gain: Annotated[
        Decimal | None, at("totalGainLoss", "Value less cost.", unit=USD, column="Gain", signed=True)
    ] = None
    days: Annotated[int | None, at(None, "Calendar days to expiration.")] = None
    code: Annotated[str | None, at("optionPairMatchCode", "The broker's code: SPREAD, SINGLE ...")] = None
    underlying_name: Annotated[
        str | None, at("pairingSecurityDetails.securityDescription", "Name of the underlying.")
    ] = None
    underlying_last: Annotated[
        Decimal | None,
        at("pairingSecurityDetails.priceDetail.lastPrice", "Latest price of the underlying.", unit=PER_SHARE),
    ] = None
    underlying_change: Annotated[
        Decimal | None,
        at(
            "pairingSecurityDetails.priceDetail.lastPriceChg",
            "Its change since the last close.",
            unit=PER_SHARE,
        ),
    ] = None
    underlying_change_pct: Annotated[
        Decimal | None,
        at("pairingSecurityDetails.priceDetail.lastPriceChgPct", "The same in percent.", unit=PERCENT),
    ] = None
    underlying_previous_close: Annotated[
        Decimal | None,
        at("pairingSecurityDetails.priceDetail.ulPrice", "Its previous close.", unit=PER_SHARE),
    ] = None
    legs: Annotated[list[HeldOption], at("legDetails.legDetail[]", "The legs.")] = []
    leg_count: Annotated[int | None, at("legCount", "Number of legs.")] = None


class OptionExpiration(Model):
    """Sums over the strategies of one expiration (protocol 01 §3.8)."""

    expiration: Annotated[date | None, at("legExpirationDate", "Expiration date.", form="iso_day")] = None
    days: Annotated[int | None, at("legExpirationDays", "Calendar days to expiration.")] = None
    count: Annotated[int | None, at("pairingCount", "Number of strategies.")] = None
    market_value: Annotated[Decimal | None, at("totalMarketValue", "Sum of the strategies.", unit=USD)] = None
    cost_basis: Annotated[Decimal | None, at("totalCostBasis", "Sum of the strategies.", unit=USD)] = None
    gain: Annotated[Decimal | None, at("totalGainLoss", "Value less cost.", unit=USD)] = None
    gain_pct: Annotated[
        Decimal | None, at("totalGainLossPct", "The same in percent of the cost.", unit=PERCENT)
    ] = None


class OptionGroup(OptionExpiration):
    """An expiration as the broker sends it, with its strategies inside."""

    strategies: Annotated[
        list[OptionStrategy], at("pairingDetails.pairingDetail[]", "The strategies of this expiration.")
    ] = []


class OptionTotals(Model):
    """Value, cost and gain of the options, or of the whole account (protocol 01 §3.8)."""

    market_value: Annotated[Decimal | None, at("totalMarketValue", "Market value.", unit=USD)] = None
    cost_basis: Annotated[Decimal | None, at("totalCostBasis", "Cost.", unit=USD)] = None
    gain: Annotated[Decimal | None, at("totalGainLoss", "Value less cost.", unit=USD)] = None
    gain_pct: Annotated[
        Decimal | None, at("totalGainLossPct", "The same in percent of the cost.", unit=PERCENT)
    ] = None


class OptionsSummary(Document):
    """The options of one account as strategies, the nearest expiration first."""

    account: Annotated[str, at("acctNum", "Account number.")] = ""
    as_of: Annotated[
        datetime | None, at(None, "When the broker last worked out the holdings, over night.")
    ] = None
    strategies: Annotated[list[OptionStrategy], at(None, "The strategies, each with its legs.")] = []
    expirations: Annotated[list[OptionExpiration], at(None, "Sums by expiration.")] = []
    totals: Annotated[OptionTotals | None, at("optionGainLossDetail", "Sums over all options.")] = None
    holdings: Annotated[
        OptionTotals | None, at("accountGainLossDetail", "Sums over everything the account holds but cash.")
    ] = None
    underlying_count: Annotated[int | None, at("underlyingCount", "Number of underlyings.")] = None
    expiration_count: Annotated[int | None, at("count", "Number of expirations.")] = None


class OptionAccount(OptionsSummary):
    """The option summary of one account as the broker sends it, strategies inside expirations."""

    groups: Annotated[list[OptionGroup], at("underlyingDetails.underlyingDetail[]", "The expirations.")] = []
    cycle_date: Annotated[str | None, at("cycleDate", "Date of the overnight run, as 20260131.")] = None
    cycle_time: Annotated[str | None, at("cycleTime", "Its time, as 093000.")] = None
