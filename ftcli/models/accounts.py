"""Accounts, positions and balances (protocol 01 §3.1, 3.3, 3.6)."""

from datetime import datetime
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


class BalanceSnapshot(Model):
    """The figures of an account at one moment (protocol 01 §3.6).

    Which are there depends on the account: margin, short, bond and option figures on margin accounts only.
    ``..._change`` is the difference from the previous close.
    """

    as_of: Annotated[datetime | None, at("asOfDateTime", "Moment of the figures.")] = None
    account_value: Annotated[
        Decimal | None,
        at("acctValDetail.netWorth", "Value of the account.", unit=USD, column="Account value"),
    ] = None
    account_value_change: Annotated[
        Decimal | None,
        at("acctValDetail.netWorthChg", "Its change today.", unit=USD, column="Change today", signed=True),
    ] = None
    account_value_change_pct: Annotated[
        Decimal | None,
        at(
            "acctValDetail.netWorthChgPct",
            "The same in percent.",
            unit=PERCENT,
            column="Change today %",
            signed=True,
        ),
    ] = None
    market_value: Annotated[
        Decimal | None,
        at(
            "acctValDetail.marketVal",
            "Value of the securities, core fund excluded.",
            unit=USD,
            column="Securities",
        ),
    ] = None
    market_value_change: Annotated[
        Decimal | None, at("acctValDetail.marketValChg", "Its change today.", unit=USD, signed=True)
    ] = None
    market_value_change_pct: Annotated[
        Decimal | None, at("acctValDetail.marketValChgPct", "The same in percent.", unit=PERCENT, signed=True)
    ] = None
    equity_pct: Annotated[Decimal | None, at("acctValDetail.acctEqtyPct", "Equity share.", unit=PERCENT)] = (
        None
    )
    has_unpriced_position: Annotated[
        bool | None, at("acctValDetail.hasUnpricedPosition", "Whether a holding has no price.")
    ] = None
    regulatory_net_worth: Annotated[
        Decimal | None, at("acctValDetail.regulatoryNetWorth", "Regulatory value.", unit=USD)
    ] = None
    loaned_value: Annotated[
        Decimal | None, at("acctValDetail.loanedSecMktVal", "Value of shares on loan.", unit=USD)
    ] = None
    held_in_cash: Annotated[
        Decimal | None, at("cashDetail.heldInCash", "Securities held in the cash account type.", unit=USD)
    ] = None
    core_balance: Annotated[
        Decimal | None, at("cashDetail.coreBalance", "Money-market sweep.", unit=USD, column="Core cash")
    ] = None
    credit_debit: Annotated[
        Decimal | None, at("cashDetail.creditDebit", "Cash credit or debit outside the sweep.", unit=USD)
    ] = None
    settled_cash: Annotated[
        Decimal | None, at("cashDetail.settledAmt", "Settled cash.", unit=USD, column="Settled cash")
    ] = None
    money_market: Annotated[Decimal | None, at("cashDetail.cshMoneyMkt", "Money-market total.", unit=USD)] = (
        None
    )
    cash_buying_power: Annotated[
        Decimal | None,
        at("buyingPowerDetail.cash", "Cash available to trade.", unit=USD, column="Cash to trade"),
    ] = None
    cash_buying_power_change: Annotated[
        Decimal | None, at("buyingPowerDetail.cashChg", "Its change today.", unit=USD)
    ] = None
    margin_buying_power: Annotated[
        Decimal | None,
        at(
            "buyingPowerDetail.margin",
            "Buying power for marginable securities.",
            unit=USD,
            column="Margin buying power",
        ),
    ] = None
    margin_buying_power_change: Annotated[
        Decimal | None, at("buyingPowerDetail.marginChg", "Its change today.", unit=USD)
    ] = None
    non_margin_buying_power: Annotated[
        Decimal | None,
        at(
            "buyingPowerDetail.nonMargin",
            "Buying power for securities that cannot be held on margin.",
            unit=USD,
            column="Non-margin buying power",
        ),
    ] = None
    non_margin_buying_power_change: Annotated[
        Decimal | None, at("buyingPowerDetail.nonMarginChg", "Its change today.", unit=USD)
    ] = None
    day_trade_buying_power: Annotated[
        Decimal | None,
        at(
            "buyingPowerDetail.dayTrade", "Day-trade buying power.", unit=USD, column="Day-trade buying power"
        ),
    ] = None
    regulatory_day_trade_buying_power: Annotated[
        Decimal | None, at("buyingPowerDetail.regulatoryDayTrade", "The same under exchange rules.", unit=USD)
    ] = None
    without_margin_impact: Annotated[
        Decimal | None,
        at("buyingPowerDetail.withoutMarginImpact", "Amount usable without borrowing.", unit=USD),
    ] = None
    without_margin_impact_change: Annotated[
        Decimal | None, at("buyingPowerDetail.withoutMarginImpactChg", "Its change today.", unit=USD)
    ] = None
    day_trade_call: Annotated[
        Decimal | None, at("buyingPowerDetail.dayTradeCallAmt", "Outstanding day-trade call.", unit=USD)
    ] = None
    cash_committed_to_orders: Annotated[
        Decimal | None,
        at(
            "buyingPowerDetail.cashCmtdToOpenOrder",
            "Cash reserved by open orders.",
            unit=USD,
            column="Held by open orders",
        ),
    ] = None
    cash_and_margin_committed_to_orders: Annotated[
        Decimal | None,
        at(
            "buyingPowerDetail.cashMarginCmtdToOpenOrder",
            "Cash and margin reserved by open orders.",
            unit=USD,
        ),
    ] = None
    withdrawable_cash: Annotated[
        Decimal | None,
        at(
            "availableToWithdrawDetail.cashOnly",
            "Available to withdraw without borrowing.",
            unit=USD,
            column="Available to withdraw",
        ),
    ] = None
    withdrawable_with_margin: Annotated[
        Decimal | None,
        at("availableToWithdrawDetail.cashWithMargin", "Available to withdraw with borrowing.", unit=USD),
    ] = None
    unsettled_deposit: Annotated[
        Decimal | None, at("availableToWithdrawDetail.unsettledDeposit", "Deposits on hold.", unit=USD)
    ] = None
    held_in_margin: Annotated[
        Decimal | None,
        at("marginDetail.heldInMargin", "Securities held on margin, options excluded.", unit=USD),
    ] = None
    held_in_margin_change: Annotated[
        Decimal | None, at("marginDetail.heldInMarginChg", "Its change today.", unit=USD)
    ] = None
    margin_credit_debit: Annotated[
        Decimal | None,
        at(
            "marginDetail.creditDebit",
            "Margin credit, or debit where negative.",
            unit=USD,
            column="Margin credit/debit",
            signed=True,
        ),
    ] = None
    margin_credit_debit_change: Annotated[
        Decimal | None, at("marginDetail.creditDebitChg", "Its change today.", unit=USD)
    ] = None
    margin_equity: Annotated[
        Decimal | None,
        at("marginDetail.equity", "Equity in the margin account.", unit=USD, column="Margin equity"),
    ] = None
    margin_equity_pct: Annotated[
        Decimal | None, at("marginDetail.equityPct", "Equity over securities held on margin.", unit=PERCENT)
    ] = None
    margin_rate: Annotated[
        Decimal | None,
        at("marginDetail.interestRate", "Margin rate per year; 0 when nothing is owed.", unit=PERCENT),
    ] = None
    margin_interest_month: Annotated[
        Decimal | None, at("marginDetail.interestAccruedMTD", "Margin interest this month.", unit=USD)
    ] = None
    margin_interest_day: Annotated[
        Decimal | None, at("marginDetail.interestAccruedDaily", "Margin interest per day.", unit=USD)
    ] = None
    phantom_margin_calls_addressed: Annotated[
        bool | None, at("marginDetail.isPhantomMarginCallsAddressed", "The broker's flag of that name.")
    ] = None
    cash_to_cover_calls: Annotated[
        Decimal | None,
        at("marginDetail.cashToCoverMarginCalls", "Cash that could meet a margin call.", unit=USD),
    ] = None
    house_surplus: Annotated[
        Decimal | None,
        at(
            "marginDetail.maintenanceDetail.houseCallSurplus",
            "Surplus over the house requirement; negative is a margin call.",
            unit=USD,
            column="House surplus",
            signed=True,
        ),
    ] = None
    house_surplus_change: Annotated[
        Decimal | None,
        at("marginDetail.maintenanceDetail.houseCallSurplusChg", "Its change today.", unit=USD),
    ] = None
    exchange_surplus: Annotated[
        Decimal | None,
        at(
            "marginDetail.maintenanceDetail.exchangeCallSurplus",
            "Surplus over the exchange requirement.",
            unit=USD,
        ),
    ] = None
    exchange_surplus_change: Annotated[
        Decimal | None,
        at("marginDetail.maintenanceDetail.exchangeCallSurplusChg", "Its change today.", unit=USD),
    ] = None
    special_memorandum: Annotated[
        Decimal | None,
        at(
            "marginDetail.maintenanceDetail.federalSpecialMemorandumAmt",
            "Special memorandum account.",
            unit=USD,
        ),
    ] = None
    special_memorandum_change: Annotated[
        Decimal | None,
        at("marginDetail.maintenanceDetail.federalSpecialMemorandumAmtChg", "Its change today.", unit=USD),
    ] = None
    house_requirement: Annotated[
        Decimal | None,
        at("marginDetail.maintenanceDetail.houseSecurityRequirement", "House margin requirement.", unit=USD),
    ] = None
    corporate_bond_buying_power: Annotated[
        Decimal | None, at("bondDetail.corporate", "Buying power for corporate bonds.", unit=USD)
    ] = None
    corporate_bond_buying_power_change: Annotated[
        Decimal | None, at("bondDetail.corporateChg", "Its change today.", unit=USD)
    ] = None
    municipal_bond_buying_power: Annotated[
        Decimal | None, at("bondDetail.municipal", "Buying power for municipal bonds.", unit=USD)
    ] = None
    municipal_bond_buying_power_change: Annotated[
        Decimal | None, at("bondDetail.municipalChg", "Its change today.", unit=USD)
    ] = None
    government_bond_buying_power: Annotated[
        Decimal | None, at("bondDetail.government", "Buying power for government bonds.", unit=USD)
    ] = None
    government_bond_buying_power_change: Annotated[
        Decimal | None, at("bondDetail.governmentChg", "Its change today.", unit=USD)
    ] = None
    held_short: Annotated[
        Decimal | None, at("shortDetail.heldInShort", "Value of short positions, negative.", unit=USD)
    ] = None
    held_short_change: Annotated[
        Decimal | None, at("shortDetail.heldInShortChg", "Its change today.", unit=USD)
    ] = None
    short_credit: Annotated[
        Decimal | None, at("shortDetail.creditDebit", "Credit of the short account.", unit=USD)
    ] = None
    short_credit_change: Annotated[
        Decimal | None, at("shortDetail.creditDebitChg", "Its change today.", unit=USD)
    ] = None
    mark_to_market: Annotated[
        Decimal | None, at("shortDetail.dailyMarkToMarket", "Daily mark to market of shorts.", unit=USD)
    ] = None
    mark_to_market_change: Annotated[
        Decimal | None, at("shortDetail.dailyMarkToMarketChg", "Its change today.", unit=USD)
    ] = None
    held_in_options: Annotated[
        Decimal | None, at("optionsDetail.heldInOption", "Net value of options.", unit=USD)
    ] = None
    held_in_options_change: Annotated[
        Decimal | None, at("optionsDetail.heldInOptionChg", "Its change today.", unit=USD)
    ] = None
    options_in_the_money: Annotated[
        Decimal | None,
        at("optionsDetail.optionInTheMoney", "Intrinsic value of options in the money.", unit=USD),
    ] = None
    option_requirement: Annotated[
        Decimal | None, at("optionsDetail.optionRequirement", "Margin requirement of options.", unit=USD)
    ] = None
    cash_covered_put_reserve: Annotated[
        Decimal | None, at("optionsDetail.cashCoveredPutReserve", "Cash held for covered puts.", unit=USD)
    ] = None
    cash_spread_reserve: Annotated[
        Decimal | None, at("optionsDetail.cashSpreadReserve", "Cash held for spreads.", unit=USD)
    ] = None
    net_market_value: Annotated[
        Decimal | None,
        at("simplifiedMarginDetail.netMarketValue", "Long, short and option value together.", unit=USD),
    ] = None
    net_market_value_change: Annotated[
        Decimal | None, at("simplifiedMarginDetail.netMarketValueChg", "Its change today.", unit=USD)
    ] = None
    cash_and_credits: Annotated[
        Decimal | None, at("simplifiedMarginDetail.cashAndCredits", "Cash and credits.", unit=USD)
    ] = None
    cash_and_credits_change: Annotated[
        Decimal | None, at("simplifiedMarginDetail.cashAndCreditsChg", "Its change today.", unit=USD)
    ] = None
    margin_debt_in_good_order: Annotated[
        bool | None,
        at("simplifiedMarginDetail.isMarginDebtInGoodOrder", "Whether margin debt is in good order."),
    ] = None
    not_in_good_order_reasons: Annotated[
        list[str] | None,
        at("simplifiedMarginDetail.nigoReasonCodes[]", "Why it is not, in the broker's codes."),
    ] = None


class Balances(Document):
    """The balances of one account: the latest, at regular-session prices, and at the last close."""

    account: Annotated[str, at("acctNum", "Account number.")] = ""
    as_of: Annotated[datetime | None, at("brokerageAcctDetail.asOfDateTime", "Moment of the answer.")] = None
    is_margin: Annotated[
        bool | None,
        at("brokerageAcctDetail.addlInfoDetail.isMarginAccount", "Whether it is a margin account."),
    ] = None
    is_limited_margin: Annotated[
        bool | None,
        at("brokerageAcctDetail.addlInfoDetail.isLimitedMarginAccount", "Limited margin (retirement)."),
    ] = None
    is_portfolio_margin: Annotated[
        bool | None, at("brokerageAcctDetail.addlInfoDetail.isPortfolioMarginAccount", "Portfolio margin.")
    ] = None
    is_multi_margin: Annotated[
        bool | None,
        at("brokerageAcctDetail.addlInfoDetail.isMultiMarginAccount", "Part of a multi-margin group."),
    ] = None
    is_trust: Annotated[
        bool | None, at("brokerageAcctDetail.addlInfoDetail.isTrustAccount", "Trust registration.")
    ] = None
    has_intraday_activity: Annotated[
        bool | None, at("brokerageAcctDetail.addlInfoDetail.hasIntradayActivity", "Whether it traded today.")
    ] = None
    has_unpriced_order: Annotated[
        bool | None,
        at("brokerageAcctDetail.addlInfoDetail.hasUnpricedOrder", "Whether an open order has no price."),
    ] = None
    has_margin_calls: Annotated[
        bool | None,
        at("brokerageAcctDetail.addlInfoDetail.hasMarginCalls", "Whether a margin call is outstanding."),
    ] = None
    has_real_time_balances: Annotated[
        bool | None,
        at("brokerageAcctDetail.addlInfoDetail.hasRealTimeBalances", "Whether the figures are live."),
    ] = None
    recent: Annotated[
        BalanceSnapshot | None, at("brokerageAcctDetail.recentBalanceDetail", "At the latest prices.")
    ] = None
    intraday: Annotated[
        BalanceSnapshot | None, at("brokerageAcctDetail.intradayBalanceDetail", "At regular-session prices.")
    ] = None
    close: Annotated[
        BalanceSnapshot | None, at("brokerageAcctDetail.closeBalanceDetail", "At the last close.")
    ] = None

    @property
    def latest(self) -> BalanceSnapshot | None:
        """The first present of recent, intraday and close."""
        return self.recent or self.intraday or self.close


class BalancesReply(Model):
    """The broker's whole balances document (protocol 01 §3.6)."""

    accounts: Annotated[list[Balances], at("balances[]", "The accounts.")] = []
