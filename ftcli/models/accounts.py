"""Accounts, their features and positions (protocol 01 §3.1-3.3)."""

from decimal import Decimal
from typing import Annotated

from ftcli.models.field import PER_SHARE, PERCENT, SHARES, USD, Document, Model, at


class Account(Model):
    """One account of the login (protocol 01 §3.1)."""

    account: Annotated[str, at("acctNum", "Account number.", column="Account", example="Z20000025")] = ""
    name: Annotated[
        str | None,
        at(
            "preferenceDetail.name|preferenceDetail.defaultAcctName|acctSubTypeDesc|acctNum",
            "Nickname, or the kind of account where it has none.",
            column="Name",
        ),
    ] = None
    account_type: Annotated[
        str | None, at("acctType", "Brokerage, or WPS for a workplace plan.", column="Type")
    ] = None
    sub_type: Annotated[str | None, at("acctSubType", "Brokerage, Cash Management ...")] = None
    description: Annotated[
        str | None, at("acctSubTypeDesc", "The kind of account in words.", column="Description")
    ] = None
    is_default: Annotated[
        bool | None, at("preferenceDetail.isDefaultAcct", "Whether it is the default account.")
    ] = None
    is_hidden: Annotated[bool | None, at("preferenceDetail.isHidden", "Whether you hid it.")] = None
    group: Annotated[
        str | None,
        at("preferenceDetail.acctGroupId", "Group: IA investment, RA retirement, SC spend and save ..."),
    ] = None
    margin: Annotated[
        bool | None,
        at("acctTradeAttrDetail.mrgnEstb", "Whether a margin agreement is established.", column="Margin"),
    ] = None
    options: Annotated[
        bool | None, at("acctTradeAttrDetail.optionEstb", "Whether an options agreement is established.")
    ] = None
    option_level: Annotated[
        int | None,
        at("acctTradeAttrDetail.optionLevel", "Options approval, 0 (none) to 5.", column="Option level"),
    ] = None
    registration: Annotated[
        str | None, at("acctLegalAttrDetail.legalConstructCode", "Legal form: INDIVIDUAL, ROTHIRA ...")
    ] = None
    offering: Annotated[
        str | None, at("acctLegalAttrDetail.offeringCode", "Product code: CASHMGMTACCT ...")
    ] = None
    line_of_business: Annotated[str | None, at("acctLegalAttrDetail.lineOfBusinessCode", "PI, WI ...")] = None
    is_retirement: Annotated[
        bool | None, at("acctTypesIndDetail.isRetirement", "Whether it is a retirement account.")
    ] = None
    plan_name: Annotated[
        str | None, at("workplacePlanDetail.planTypeName", "Workplace plan, such as 401K.")
    ] = None
    plan_type: Annotated[str | None, at("workplacePlanDetail.planType", "Workplace plan in words.")] = None
    plan_client_id: Annotated[str | None, at("workplacePlanDetail.clientId", "Employer id of the plan.")] = (
        None
    )
    plan_market_value: Annotated[
        Decimal | None, at("workplacePlanDetail.marketValue", "Value of the plan.", unit=USD, form="text")
    ] = None
    plan_vested_value: Annotated[
        Decimal | None,
        at("workplacePlanDetail.vestedAcctValEOD", "Vested value at the last close.", unit=USD, form="text"),
    ] = None
    plan_fully_vested: Annotated[
        bool | None, at("workplacePlanDetail.isVested100Pct", "Whether the plan is fully vested.")
    ] = None

    @property
    def is_brokerage(self) -> bool:
        """Whether positions, balances and orders exist for it."""
        return self.account_type == "Brokerage"

    @property
    def retirement(self) -> bool:
        """Whether it is a retirement account, from the best evidence there is (protocol 01 §3.1)."""
        if self.is_retirement is not None:
            return self.is_retirement
        return self.group == "RA" or "IRA" in (self.registration or "")


class Accounts(Document):
    """The accounts of the login."""

    accounts: Annotated[list[Account], at("acctDetails[]", "The accounts, in the broker's order.")] = []


class Features(Document):
    """What an account may do (protocol 01 §3.2)."""

    account: Annotated[str, at("acctNum", "Account number.", column="Account")] = ""
    registration: Annotated[
        str | None, at("acctType", "INDIVIDUAL, JOINT, IRA ...", column="Registration")
    ] = None
    option_level: Annotated[
        int | None, at("optionLevel", "Options approval, 0 (none) to 5.", column="Option level")
    ] = None
    margin: Annotated[
        bool | None,
        at("marginInd|features.marginInd|features.hasMargin", "Whether margin is allowed.", column="Margin"),
    ] = None
    short_selling: Annotated[
        bool | None,
        at("shortSellInd|features.shortSellInd", "Whether short selling is allowed.", column="Short selling"),
    ] = None
    options: Annotated[
        bool | None,
        at(
            "optionsInd|features.optionsInd|features.hasOption",
            "Whether options are allowed.",
            column="Options",
        ),
    ] = None
    crypto: Annotated[
        bool | None, at("cryptoInd|features.cryptoInd", "Whether crypto is allowed.", column="Crypto")
    ] = None
    directed_trading: Annotated[
        bool | None,
        at(
            "directedTradingInd|features.directedTradingInd",
            "Whether you may choose the venue.",
            column="Routing",
        ),
    ] = None
    penny_stocks: Annotated[
        bool | None,
        at(
            "pennyStockInd|features.pennyStockInd",
            "Whether the penny-stock agreement is signed.",
            column="Penny stocks",
        ),
    ] = None


class FeaturesReply(Model):
    """The broker's features document; the name of its list is inferred (protocol 01 §3.2)."""

    accounts: Annotated[
        list[Features],
        at(
            "acctDetails.acctDetail[]|acctDetails[]|accountFeatures[]|acctFeatures[]|features[]",
            "The accounts.",
        ),
    ] = []


class Position(Model):
    """What an account holds of one security (protocol 01 §3.3)."""

    symbol: Annotated[
        str | None,
        at("symbol", "Symbol; options with a leading dash; none for worthless holdings.", column="Symbol"),
    ] = None
    description: Annotated[
        str | None, at("securityDescription", "Name of the security.", column="Description")
    ] = None
    quantity: Annotated[
        Decimal | None,
        at("quantity", "Shares, contracts or units; negative when short.", unit=SHARES, column="Quantity"),
    ] = None
    last_price: Annotated[
        Decimal | None, at("priceDetail.lastPrice", "Latest price.", unit=PER_SHARE, column="Last")
    ] = None
    market_value: Annotated[
        Decimal | None,
        at("marketValDetail.marketVal", "Quantity at the latest price.", unit=USD, column="Market value"),
    ] = None
    today_gain: Annotated[
        Decimal | None,
        at(
            "marketValDetail.todaysGainLoss",
            "Gain since the last close.",
            unit=USD,
            column="Today",
            signed=True,
        ),
    ] = None
    today_gain_pct: Annotated[
        Decimal | None,
        at(
            "marketValDetail.todaysGainLossPct",
            "The same in percent.",
            unit=PERCENT,
            column="Today %",
            signed=True,
        ),
    ] = None
    total_gain: Annotated[
        Decimal | None,
        at(
            "marketValDetail.totalGainLoss",
            "Market value less cost basis; the whole value for the core fund, which has no cost basis.",
            unit=USD,
            column="Gain",
            signed=True,
        ),
    ] = None
    total_gain_pct: Annotated[
        Decimal | None,
        at(
            "marketValDetail.totalGainLossPct",
            "The same in percent.",
            unit=PERCENT,
            column="Gain %",
            signed=True,
        ),
    ] = None
    cost_basis: Annotated[
        Decimal | None, at("costBasisDetail.costBasis", "Total cost.", unit=USD, column="Cost basis")
    ] = None
    average_cost: Annotated[
        Decimal | None, at("costBasisDetail.avgCostPerShare", "Average cost.", unit=PER_SHARE)
    ] = None
    percent_of_account: Annotated[
        Decimal | None, at("holdingPct", "Share of the account's value.", unit=PERCENT)
    ] = None
    last_price_change: Annotated[
        Decimal | None,
        at("priceDetail.lastPriceChg", "Change since the last close.", unit=PER_SHARE, signed=True),
    ] = None
    last_price_change_pct: Annotated[
        Decimal | None, at("priceDetail.lastPriceChgPct", "The same in percent.", unit=PERCENT, signed=True)
    ] = None
    closing_price: Annotated[
        Decimal | None, at("priceDetail.closingPrice", "Most recent official close.", unit=PER_SHARE)
    ] = None
    previous_close: Annotated[
        Decimal | None,
        at("priceDetail.prevClosePrice", "The close that today's change is measured from.", unit=PER_SHARE),
    ] = None
    previous_market_value: Annotated[
        Decimal | None, at("marketValDetail.previousMarketVal", "Quantity at the previous close.", unit=USD)
    ] = None
    security_type: Annotated[str | None, at("securityType", "Core, Equity, Exchange Traded, Option ...")] = (
        None
    )
    security_sub_type: Annotated[str | None, at("securitySubType", "Common Stock, Call, Put ...")] = None
    cusip: Annotated[str | None, at("cusip", "CUSIP, nine characters.")] = None
    underlying: Annotated[
        str | None, at("optionUnderlyingSymbol", "Underlying symbol of an option, where the broker gives it.")
    ] = None


class PositionTotals(Model):
    """Sums over the positions of an account (protocol 01 §3.3)."""

    market_value: Annotated[
        Decimal | None,
        at("accountMarketVal", "Value of the account, with cash not held as a position.", unit=USD),
    ] = None
    today_gain: Annotated[Decimal | None, at("todaysGainLoss", "Gain since the last close.", unit=USD)] = None
    today_gain_pct: Annotated[
        Decimal | None, at("todaysGainLossPct", "The same in percent.", unit=PERCENT)
    ] = None
    total_gain: Annotated[
        Decimal | None, at("totalGainLoss", "Sum of all gains, the core fund's value included.", unit=USD)
    ] = None
    total_gain_pct: Annotated[
        Decimal | None, at("totalGainLossPct", "The same in percent.", unit=PERCENT)
    ] = None
    cost_basis: Annotated[Decimal | None, at("costBasisTotal", "Sum of all cost bases.", unit=USD)] = None


class Positions(Document):
    """The positions of one account."""

    account: Annotated[str, at("acctNum", "Account number.")] = ""
    positions: Annotated[
        list[Position], at("positionDetails.positionDetail[]", "The positions, in the broker's order.")
    ] = []
    totals: Annotated[PositionTotals | None, at("accountGainLossDetail", "Sums over the positions.")] = None
    count: Annotated[int | None, at("accountPositionCount", "Number of positions.")] = None


class PortfolioTotals(Model):
    """Sums over all accounts of one request (protocol 01 §3.3)."""

    market_value: Annotated[Decimal | None, at("portfolioTotalVal", "Value of the accounts.", unit=USD)] = (
        None
    )
    today_gain: Annotated[Decimal | None, at("todaysGainLoss", "Gain since the last close.", unit=USD)] = None
    today_gain_pct: Annotated[
        Decimal | None, at("todaysGainLossPct", "The same in percent.", unit=PERCENT)
    ] = None
    total_gain: Annotated[Decimal | None, at("totalGainLoss", "Sum of all gains.", unit=USD)] = None
    total_gain_pct: Annotated[
        Decimal | None, at("totalGainLossPct", "The same in percent.", unit=PERCENT)
    ] = None
    cost_basis: Annotated[Decimal | None, at("costBasisTotal", "Sum of all cost bases.", unit=USD)] = None


class PositionsReply(Model):
    """The broker's whole positions document: one element per account asked for (protocol 01 §3.3)."""

    portfolio_count: Annotated[
        int | None,
        at("position.portfolioDetail.portfolioPositionCount", "Number of positions in all accounts."),
    ] = None
    portfolio: Annotated[
        PortfolioTotals | None,
        at("position.portfolioDetail.portfolioGainLossDetail", "Sums over the accounts asked for."),
    ] = None
    accounts: Annotated[list[Positions], at("position.acctDetails.acctDetail[]", "The accounts.")] = []
