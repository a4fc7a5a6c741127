"""Balances of an account (protocol 01 §3.6)."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

from ftcli.models.field import PERCENT, USD, Document, Model, at


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
