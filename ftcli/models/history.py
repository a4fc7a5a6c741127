"""What an account did: its transactions and its closed positions (protocol 01 §3.7, 3.9)."""

from datetime import date
from decimal import Decimal
from typing import Annotated

from ftcli.models.field import PER_SHARE, SHARES, USD, Document, Model, at


class Transaction(Model):
    """One line of an account's history (protocol 01 §3.7).

    Of a trade ``amount = principal - commission - fees + interest``; purchases and withdrawals are negative.
    Cash entries have quantity, price and principal 0 and no settlement date.
    """

    posted: Annotated[date | None, at("dateDetail.postedDate", "Posting date.", column="Date")] = None
    symbol: Annotated[
        str | None, at("securityDetail.symbol", "Symbol; options without a leading dash.", column="Symbol")
    ] = None
    kind: Annotated[
        str | None, at(None, "Buy, Sell, Dividend ...: the narrowest category.", column="Kind")
    ] = None
    quantity: Annotated[
        Decimal | None,
        at("quantity", "Shares or contracts; negative on sales.", unit=SHARES, column="Quantity"),
    ] = None
    price: Annotated[Decimal | None, at("amtDetail.price", "Price.", unit=PER_SHARE, column="Price")] = None
    amount: Annotated[
        Decimal | None,
        at(
            "amtDetail.net",
            "Effect on cash: what came in, or went out where negative.",
            unit=USD,
            column="Amount",
            signed=True,
        ),
    ] = None
    action: Annotated[
        str | None, at("shortDesc", "What happened, in the broker's words.", column="Action")
    ] = None
    description: Annotated[str | None, at("desc", "The whole text of the line.")] = None
    principal: Annotated[
        Decimal | None, at("amtDetail.principal", "Quantity at the price, signed as the amount.", unit=USD)
    ] = None
    commission: Annotated[Decimal | None, at("amtDetail.commission", "Commission.", unit=USD)] = None
    fees: Annotated[Decimal | None, at("amtDetail.fees", "Fees.", unit=USD)] = None
    interest: Annotated[Decimal | None, at("amtDetail.interest", "Interest.", unit=USD)] = None
    traded: Annotated[date | None, at("dateDetail.tradedDate", "Trade date.")] = None
    settles: Annotated[date | None, at("dateDetail.stlmntDate", "Settlement date; none for cash.")] = None
    account_type: Annotated[
        str | None, at("brokerageDetail.tradeTypeCodeDesc", "How it is booked: Cash, Margin or Short.")
    ] = None
    account_type_code: Annotated[
        str | None, at("brokerageDetail.tradeTypeCode", "The same as a code: 1, 2 or 3.")
    ] = None
    is_cancelled: Annotated[
        bool | None, at("brokerageDetail.isCancelled", "Whether the trade was cancelled afterwards.")
    ] = None
    type: Annotated[str | None, at("catDetail.txnTypeDesc", "Security transaction or cash transaction.")] = (
        None
    )
    type_code: Annotated[str | None, at("catDetail.txnTypeCode", "ST or CT.")] = None
    category: Annotated[str | None, at("catDetail.txnCatDesc", "Investment Activity, Direct Deposit ...")] = (
        None
    )
    category_code: Annotated[str | None, at("catDetail.txnCatCode", "The broker's category code.")] = None
    sub_category: Annotated[str | None, at("catDetail.txnSubCatDesc", "Buy, Sell ...")] = None
    sub_category_code: Annotated[
        str | None, at("catDetail.txnSubCatCode", "The broker's code of the sub-category.")
    ] = None
    security_name: Annotated[str | None, at("securityDetail.desc", "Name of the security.")] = None
    security_type: Annotated[str | None, at("securityDetail.typeCodeDesc", "Equity, Option ...")] = None
    security_type_code: Annotated[str | None, at("securityDetail.typeCode", "E, O ...")] = None
    cusip: Annotated[str | None, at("securityDetail.cusip", "CUSIP, nine characters.")] = None
    is_quotable: Annotated[bool | None, at("securityDetail.isQuotable", "Whether a quote exists.")] = None
    option_root: Annotated[
        str | None, at("securityDetail.optionDetail.contractSymbol", "Root of an option.")
    ] = None
    expiration: Annotated[
        date | None,
        at("securityDetail.optionDetail.expireDate", "Expiration of an option.", form="iso_day"),
    ] = None
    strike: Annotated[
        Decimal | None, at("securityDetail.optionDetail.strikePrice", "Strike of an option.", unit=PER_SHARE)
    ] = None
    right: Annotated[str | None, at("securityDetail.optionDetail.type", "C call, P put.")] = None


class AccountTransactions(Model):
    """The broker's part of one account in the history (protocol 01 §3.7)."""

    account: Annotated[str, at("acctNum", "Account number.")] = ""
    transactions: Annotated[list[Transaction], at("transactionDetails[]", "The lines, newest first.")] = []


class TransactionsReply(Model):
    """The broker's whole history document (protocol 01 §3.7)."""

    as_of: Annotated[date | None, at("asOfDate", "Day the history is current to.")] = None
    accounts: Annotated[list[AccountTransactions], at("acctDetails[]", "The accounts.")] = []


class Transactions(Document):
    """The history of one account in a range of posting dates, newest first."""

    account: Annotated[str, at(None, "Account number.")] = ""
    start: Annotated[date | None, at(None, "First posting date asked for.")] = None
    end: Annotated[date | None, at(None, "Day after the last posting date asked for.")] = None
    as_of: Annotated[date | None, at(None, "Day the history is current to.")] = None
    transactions: Annotated[list[Transaction], at(None, "The lines, newest first.")] = []
    next_cursor: Annotated[
        str | None, at(None, "Give this as cursor to get the lines after these; none at the end.")
    ] = None


class ClosedTotals(Model):
    """Sums over the closed positions of one account, before and after wash sales (protocol 01 §3.9).

    Gains and losses are those of lots: a position with both counts in both.
    """

    proceeds: Annotated[Decimal | None, at("proceedsAmtTotal", "Proceeds.", unit=USD)] = None
    cost_basis: Annotated[Decimal | None, at("costBasisTotal", "Cost after wash sales.", unit=USD)] = None
    gain: Annotated[
        Decimal | None, at("totalGainLossDetail.totalGainLoss", "Gains and losses together.", unit=USD)
    ] = None
    long_term_gain: Annotated[
        Decimal | None, at("longTermGainLossDetail.totalGainLoss", "Their long-term part.", unit=USD)
    ] = None
    short_term_gain: Annotated[
        Decimal | None, at(None, "Their short-term part: the rest of the gain.", unit=USD)
    ] = None
    disallowed_loss: Annotated[
        Decimal | None,
        at("totalGainLossDetail.disallowedLoss", "Losses disallowed by wash sales.", unit=USD),
    ] = None
    gains: Annotated[Decimal | None, at("totalGainLossDetail.realizedGain", "Gains alone.", unit=USD)] = None
    losses: Annotated[
        Decimal | None, at("totalGainLossDetail.realizedLoss", "Losses alone, negative.", unit=USD)
    ] = None
    long_term_gains: Annotated[
        Decimal | None, at("longTermGainLossDetail.realizedGain", "Long-term gains alone.", unit=USD)
    ] = None
    long_term_losses: Annotated[
        Decimal | None, at("longTermGainLossDetail.realizedLoss", "Long-term losses alone.", unit=USD)
    ] = None
    long_term_disallowed_loss: Annotated[
        Decimal | None,
        at("longTermGainLossDetail.disallowedLoss", "Long-term losses disallowed.", unit=USD),
    ] = None
    unadjusted_gain: Annotated[
        Decimal | None,
        at(
            "totalGainLossDetail.washUnadjustedGainLossDetail.unadjustedTotalGainLoss"
            "|totalGainLossDetail.unadjustedTotalGainLoss",
            "Gains and losses together, before wash sales.",
            unit=USD,
        ),
    ] = None
    unadjusted_gains: Annotated[
        Decimal | None,
        at(
            "totalGainLossDetail.washUnadjustedGainLossDetail.unadjustedGain",
            "Gains alone, before wash sales.",
            unit=USD,
        ),
    ] = None
    unadjusted_losses: Annotated[
        Decimal | None,
        at(
            "totalGainLossDetail.washUnadjustedGainLossDetail.unadjustedLoss",
            "Losses alone, before wash sales.",
            unit=USD,
        ),
    ] = None
    unadjusted_long_term_gain: Annotated[
        Decimal | None,
        at(
            "longTermGainLossDetail.washUnadjustedGainLossDetail.unadjustedTotalGainLoss"
            "|longTermGainLossDetail.unadjustedTotalGainLoss",
            "Long-term gains and losses together, before wash sales.",
            unit=USD,
        ),
    ] = None
    unadjusted_long_term_gains: Annotated[
        Decimal | None,
        at(
            "longTermGainLossDetail.washUnadjustedGainLossDetail.unadjustedGain",
            "Long-term gains alone, before wash sales.",
            unit=USD,
        ),
    ] = None
    unadjusted_long_term_losses: Annotated[
        Decimal | None,
        at(
            "longTermGainLossDetail.washUnadjustedGainLossDetail.unadjustedLoss",
            "Long-term losses alone, before wash sales.",
            unit=USD,
        ),
    ] = None


class ClosedPosition(Model):
    """What an account sold of one security in a range, with the realised gain (protocol 01 §3.9).

    ``gain = proceeds - cost_basis``;
    with a wash sale ``cost_basis = unadjusted_cost_basis - disallowed_loss``.
    """

    symbol: Annotated[str | None, at("symbol", "Symbol.", column="Symbol")] = None
    quantity: Annotated[
        Decimal | None, at("quantity", "Shares or contracts closed.", unit=SHARES, column="Quantity")
    ] = None
    proceeds: Annotated[Decimal | None, at("proceedsAmt", "Proceeds.", unit=USD, column="Proceeds")] = None
    cost_basis: Annotated[
        Decimal | None,
        at("costBasisDetail.costBasis", "Cost after wash sales.", unit=USD, column="Cost basis"),
    ] = None
    gain: Annotated[
        Decimal | None,
        at("totalGainLossDetail.totalGainLoss", "Realised gain.", unit=USD, column="Gain", signed=True),
    ] = None
    long_term_gain: Annotated[
        Decimal | None,
        at(
            "longTermGainLossDetail.totalGainLoss",
            "Long-term part.",
            unit=USD,
            column="Long term",
            signed=True,
        ),
    ] = None
    short_term_gain: Annotated[
        Decimal | None,
        at(None, "Short-term part: the rest of the gain.", unit=USD, column="Short term", signed=True),
    ] = None
    disallowed_loss: Annotated[
        Decimal | None,
        at(
            "costBasisDetail.disallowedAmount",
            "Loss disallowed by wash sales.",
            unit=USD,
            column="Disallowed",
        ),
    ] = None
    description: Annotated[str | None, at("securityDescription", "Name of the security.")] = None
    short_description: Annotated[
        str | None, at("securityDetail.securityShortDescription", "The first ten characters of the name.")
    ] = None
    cusip: Annotated[str | None, at("cusip", "CUSIP, nine characters.")] = None
    security_type: Annotated[str | None, at("securityType", "Stocks/ETFs ...")] = None
    unadjusted_cost_basis: Annotated[
        Decimal | None, at("costBasisDetail.unadjustedCostBasis", "Cost before wash sales.", unit=USD)
    ] = None
    unadjusted_gain: Annotated[
        Decimal | None,
        at("totalGainLossDetail.unadjustedTotalGainLoss", "Realised gain before wash sales.", unit=USD),
    ] = None
    unadjusted_long_term_gain: Annotated[
        Decimal | None,
        at("longTermGainLossDetail.unadjustedTotalGainLoss", "Its long-term part.", unit=USD),
    ] = None
    has_wash_sale: Annotated[
        bool | None, at("isWashSaleAdjusted", "Whether a wash sale changed the cost.")
    ] = None
    has_all_costs: Annotated[
        bool | None, at("isAllBasisAvailable", "Whether the cost of every lot is known.")
    ] = None
    today_gain_since_purchase: Annotated[
        Decimal | None,
        at("todayGainLossSincePurchase", "Gain of today's sales since the purchase.", unit=USD, form="text"),
    ] = None
    today_gain_since_close: Annotated[
        Decimal | None,
        at(
            "todayGainLossSincePriorClose",
            "Gain of today's sales since the last close.",
            unit=USD,
            form="text",
        ),
    ] = None
    intraday_code: Annotated[
        str | None, at("intradayEligibilityCode", "The broker's code on today's figures.")
    ] = None
    asset_id: Annotated[str | None, at("securityDetail.assetId", "The broker's internal id.")] = None


class ClosedPositions(Document):
    """The closed positions of one account in a range of sale dates, with their sums."""

    account: Annotated[str, at("acctNum", "Account number.")] = ""
    start: Annotated[date | None, at(None, "First sale date asked for.")] = None
    end: Annotated[date | None, at(None, "Day after the last sale date asked for.")] = None
    positions: Annotated[list[ClosedPosition], at("closedPositionDetails[]", "One entry a security.")] = []
    totals: Annotated[ClosedTotals | None, at(".", "Sums over the securities.")] = None
    count: Annotated[int | None, at("closedPositionCount", "Number of securities.")] = None


class ClosedPositionsReply(Model):
    """The broker's whole closed-positions document, with sums over all accounts (protocol 01 §3.9)."""

    short_term_gain: Annotated[
        Decimal | None,
        at(
            "closedPosition.portfolioDetail.portfolioGainLossDetail.shortTermTotalGainLoss",
            "Short-term gain.",
        ),
    ] = None
    long_term_gain: Annotated[
        Decimal | None,
        at("closedPosition.portfolioDetail.portfolioGainLossDetail.longTermTotalGainLoss", "Long-term gain."),
    ] = None
    gain: Annotated[
        Decimal | None, at("closedPosition.portfolioDetail.portfolioGainLossDetail.totalGainLoss", "Both.")
    ] = None
    proceeds: Annotated[
        Decimal | None, at("closedPosition.portfolioDetail.proceedsAmtTotal", "Sum of the proceeds.")
    ] = None
    cost_basis: Annotated[
        Decimal | None, at("closedPosition.portfolioDetail.costBasisTotal", "Sum of the costs.")
    ] = None
    accounts: Annotated[
        list[ClosedPositions], at("closedPosition.acctDetails.acctDetail[]", "The accounts.")
    ] = []
