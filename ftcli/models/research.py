"""Earnings, dividends, search, option analytics, scans, notes and news access (protocol 03 §8-13, 15)."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

from ftcli.models.field import PER_SHARE, PERCENT, USD, Document, Model, Request, at
from ftcli.models.market_data import SymbolProblem
from ftcli.models.values import Code


class SecurityKind(Code):
    """What kind of security a search found (protocol 03 §10)."""

    EQUITY = "equity", "EQ"
    ETP = "etp", "ETP"
    MONEY_MARKET = "money_market", "MMF"
    MUTUAL_FUND = "mutual_fund", "MF"
    INDEX = "index", "IX"


# -- earnings (§8) -------------------------------------------------------------------------------------------


class EarningsQuarter(Model):
    """The earnings of one fiscal quarter of one company."""

    symbol: Annotated[str, at(None, "Symbol.", column="Symbol")] = ""
    period: Annotated[str, at(None, "Fiscal year and quarter.", column="Quarter", example="2026 Q4")] = ""
    fiscal_year: Annotated[int | None, at("fiscalYr", "Fiscal year.")] = None
    fiscal_quarter: Annotated[int | None, at("fiscalQtr", "Fiscal quarter, 1 to 4.")] = None
    report_date: Annotated[
        date | None, at("reportDate", "Day of the report, past or planned.", form="mdy", column="Report date")
    ] = None
    eps: Annotated[
        Decimal | None,
        at("adjustedEPS", "Adjusted earnings; empty until reported.", unit=PER_SHARE, column="EPS"),
    ] = None
    consensus: Annotated[
        Decimal | None, at("consensusEst", "What analysts expected.", unit=PER_SHARE, column="Consensus")
    ] = None
    surprise: Annotated[
        Decimal | None,
        at(None, "Earnings less consensus.", unit=PER_SHARE, column="Surprise", signed=True),
    ] = None
    reported: Annotated[bool, at(None, "Whether the earnings are out.", column="Reported")] = False


class EarningsSecurity(Model):
    """One company: who it is, its next report and how its earnings grow."""

    symbol: Annotated[str, at("secDetail.symbol|secDetail.requested", "Symbol.", column="Symbol")] = ""
    requested: Annotated[str | None, at("secDetail.requested", "Symbol as asked for.")] = None
    classification: Annotated[str | None, at("secDetail.classification", "Common Stock ...")] = None
    cusip: Annotated[str | None, at("secDetail.CUSIP", "CUSIP.")] = None
    next_report_date: Annotated[date | None, at(None, "Planned day of the next report.")] = None
    growth_pct: Annotated[
        Decimal | None,
        at(
            "epsPrevQtrVsPrevYrQtr",
            "Earnings of the last quarter reported against the same quarter a year earlier.",
            unit=PERCENT,
        ),
    ] = None


class EarningsDetail(EarningsSecurity):
    """A company's entry in the broker's document: its quarters stand inside, oldest first."""

    quarters: Annotated[list[EarningsQuarter], at("qtrHistDetails.qtrHistDetail[]", "Its quarters.")] = []


class EarningsReply(Model):
    """The broker's earnings document."""

    entries: Annotated[
        list[EarningsDetail], at("earning.earningDetails.earningDetail[]", "One entry per symbol.")
    ] = []


class Earnings(Document):
    """Reported and expected earnings, oldest quarter first."""

    quarters: Annotated[list[EarningsQuarter], at(None, "The quarters, company by company.")] = []
    securities: Annotated[list[EarningsSecurity], at(None, "The companies.")] = []
    problems: Annotated[list[SymbolProblem], at(None, "Symbols without earnings, with the reason.")] = []


# -- dividends (§9) ------------------------------------------------------------------------------------------


class DividendPayment(Model):
    """One dividend."""

    symbol: Annotated[str, at(None, "Symbol.", column="Symbol")] = ""
    amount: Annotated[Decimal | None, at("amt", "Amount.", unit=PER_SHARE, column="Amount")] = None
    announced: Annotated[date | None, at("announceDate", "Day of declaration.", form="mdy_short")] = None
    ex_date: Annotated[
        date | None, at("exDate", "First day without the dividend.", form="mdy_short", column="Ex-date")
    ] = None
    record_date: Annotated[date | None, at("recordDate", "Day of record.", form="mdy_short")] = None
    pay_date: Annotated[date | None, at("payDate", "Day of payment.", form="mdy_short", column="Paid")] = None
    frequency: Annotated[str | None, at("freqName", "Quarterly, Monthly ...", column="Frequency")] = None
    kind: Annotated[str | None, at("type", "Regular, Special ...", column="Kind")] = None
    currency: Annotated[str | None, at("currency", "Currency of the amount.")] = None
    quarter: Annotated[str | None, at("exDateCalQtr", "Calendar quarter of the ex-date.")] = None
    year: Annotated[int | None, at("exDateCalYr", "Calendar year of the ex-date.")] = None


class DividendSummary(Model):
    """What a security pays."""

    symbol: Annotated[str, at("secDetail.symbol|secDetail.requested", "Symbol.", column="Symbol")] = ""
    requested: Annotated[str | None, at("secDetail.requested", "Symbol as asked for.")] = None
    classification: Annotated[
        str | None, at("secDetail.classification", "Common Stock, Mutual Fund ...", column="Kind")
    ] = None
    cusip: Annotated[str | None, at("secDetail.CUSIP", "CUSIP.")] = None
    amount: Annotated[
        Decimal | None, at("equityDetail.amt", "Latest dividend declared.", unit=PER_SHARE, column="Amount")
    ] = None
    frequency: Annotated[str | None, at(None, "How often, by the latest payment.", column="Frequency")] = None
    announced: Annotated[
        date | None,
        at("equityDetail.announceDate", "Day of declaration.", form="mdy_short", column="Declared"),
    ] = None
    ex_date: Annotated[
        date | None, at("equityDetail.exDivDate", "Ex-dividend day.", form="mdy_short", column="Ex-date")
    ] = None
    pay_date: Annotated[date | None, at(None, "Day of payment of the latest dividend.", column="Paid")] = None
    yield_pct: Annotated[
        Decimal | None,
        at("equityDetail.yldTTM", "Yield of the trailing twelve months.", unit=PERCENT, column="Yield %"),
    ] = None
    annual: Annotated[
        Decimal | None,
        at("equityDetail.indicatedAnnDiv", "Indicated annual dividend.", unit=PER_SHARE, column="Annual"),
    ] = None


class DividendDetail(DividendSummary):
    """A security's entry in the broker's document: its payments stand inside."""

    payments: Annotated[
        list[DividendPayment], at("equityDetail.divHistDetails.divHistDetail[]", "Its payments.")
    ] = []


class DividendsReply(Model):
    """The broker's dividends document."""

    entries: Annotated[
        list[DividendDetail], at("dividend.dividendDetails.dividendDetail[]", "One entry per symbol.")
    ] = []


class Dividends(Document):
    """What securities pay, and what they paid."""

    dividends: Annotated[list[DividendSummary], at(None, "One row per security.")] = []
    history: Annotated[list[DividendPayment], at(None, "Payments, latest first, security by security.")] = []
    problems: Annotated[list[SymbolProblem], at(None, "Symbols without dividends, with the reason.")] = []


# -- search (§10) --------------------------------------------------------------------------------------------


class SearchResult(Model):
    """A security that fits a search."""

    symbol: Annotated[str, at("symbol", "Symbol; indices with a leading dot.", column="Symbol")] = ""
    name: Annotated[str | None, at("desc", "Name.", column="Name")] = None
    kind: Annotated[SecurityKind | None, at("type", "Kind of security.", column="Kind")] = None
    sub_kind: Annotated[str | None, at("subType", "COM, ADR, ETF ...", column="Detail")] = None
    exchange: Annotated[
        str | None, at("exchange", "N NYSE, Q Nasdaq, P NYSE Arca ...", column="Exchange")
    ] = None
    cusip: Annotated[str | None, at("cusip", "CUSIP.")] = None
    tradable: Annotated[
        bool | None, at("tradeEligible", "Whether the broker trades it.", column="Tradable")
    ] = None
    international: Annotated[bool | None, at("intl", "Whether it is listed abroad.")] = None
    options: Annotated[list[str], at("options[]", "Kinds of options on it; Std is standard.")] = []
    has_options: Annotated[bool, at(None, "Whether there are options on it.", column="Options")] = False


class SearchResults(Document):
    """Securities that fit a search, best first."""

    results: Annotated[list[SearchResult], at("quotes.suggestions[]", "The securities.")] = []
    count: Annotated[int | None, at("quotes.count", "How many the broker counts.")] = None


# -- option analytics (§11) ----------------------------------------------------------------------------------


class AnalyticsLeg(Request, frozen=True, kw_only=True):
    """A leg of a position."""

    symbol: Annotated[
        str, at(None, "Option, in any spelling, or the stock itself.", example="AAPL 2027-01-15 150 C")
    ]
    quantity: Annotated[int, at(None, "Contracts, or shares; negative where short.", example=1)]
    price: Annotated[Decimal, at(None, "Entry price; 0 where there is none.", unit=PER_SHARE)] = Decimal(0)


class AnalyticsRequest(Request, frozen=True, kw_only=True):
    """A position on one underlying, to be evaluated."""

    legs: Annotated[list[AnalyticsLeg], at(None, "The legs.")]
    underlying_symbol: Annotated[
        str | None, at(None, "The underlying; told from the first option where left out.", example="AAPL")
    ] = None
    volatility_period: Annotated[
        int, at(None, "Days that historical volatility looks back: 30 or 90 are known.", unit="days")
    ] = 90
    eval_at_expiry: Annotated[
        bool, at(None, "Evaluate at expiration. What the broker evaluates otherwise is not documented.")
    ] = True


class Evaluation(Model):
    """A position, or one of its legs, evaluated for a day and a price of the underlying."""

    day: Annotated[date | None, at(None, "Day of the evaluation.")] = None
    leg: Annotated[str, at(None, "The leg; `position` is all of them together.", column="Leg")] = ""
    quantity: Annotated[int | None, at(None, "Contracts, or shares; negative where short.", column="Qty")] = (
        None
    )
    price: Annotated[Decimal | None, at("price", "Price of the underlying.", unit=USD)] = None
    profit: Annotated[
        Decimal | None, at("profit", "Profit at that price.", unit=USD, column="Profit", signed=True)
    ] = None
    premium: Annotated[Decimal | None, at("prem", "Premium.", unit=PER_SHARE)] = None
    total_value: Annotated[Decimal | None, at("totalValue", "Value.", unit=USD)] = None
    probability: Annotated[
        Decimal | None, at("probProfit", "Probability of a profit.", unit="fraction (0 to 1)", column="Prob.")
    ] = None
    break_even: Annotated[
        list[Decimal], at("breakEven[]", "Prices without profit or loss.", unit=USD, column="Break-even")
    ] = []
    max_profit: Annotated[
        Decimal | None,
        at("maxProfit", "Best case; empty where it is unlimited.", unit=USD, column="Max profit"),
    ] = None
    unlimited_profit: Annotated[bool, at(None, "Whether the best case has no limit.", column="No cap")] = (
        False
    )
    max_loss: Annotated[
        Decimal | None,
        at("maxLoss", "Worst case, negative; empty where unlimited.", unit=USD, column="Max loss"),
    ] = None
    unlimited_loss: Annotated[bool, at(None, "Whether the worst case has no limit.", column="No floor")] = (
        False
    )
    max_profit_1sd: Annotated[
        list[Decimal], at("maxProfit1sd[]", "Best cases within one standard deviation.", unit=USD)
    ] = []
    max_loss_1sd: Annotated[
        list[Decimal], at("maxLoss1sd[]", "Worst cases within one standard deviation.", unit=USD)
    ] = []
    delta: Annotated[Decimal | None, at("delta", "Delta.")] = None
    gamma: Annotated[Decimal | None, at("gamma", "Gamma.")] = None
    theta: Annotated[Decimal | None, at("theta", "Theta.")] = None
    vega: Annotated[Decimal | None, at("vega", "Vega.")] = None
    rho: Annotated[Decimal | None, at("rho", "Rho.")] = None
    implied_volatility: Annotated[
        Decimal | None,
        at("iv", "Implied volatility, of legs only.", unit="fraction (0.25 = 25 %)"),
    ] = None


class Analytics(Document):
    """What a position would bring: one row for the position, then one per leg, for each day evaluated."""

    underlying: Annotated[str, at(None, "The underlying.")] = ""
    evaluations: Annotated[list[Evaluation], at(None, "The rows.")] = []


# -- screener (§12) ------------------------------------------------------------------------------------------


class ScanField(Model):
    """A value of a scan's row. Which there are depends on the scan."""

    name: Annotated[str, at("displayName", "Its title.")] = ""
    value: Annotated[str, at("value", "Its value, as text.")] = ""
    description_id: Annotated[str | None, at("descriptionId", "Number of the broker's help text.")] = None


class ScanRow(Model):
    """A security that a scan found."""

    symbol: Annotated[str | None, at(None, "Symbol.", column="Symbol")] = None
    name: Annotated[str | None, at(None, "Name.", column="Name")] = None
    last: Annotated[Decimal | None, at(None, "Last price.", unit=PER_SHARE, column="Last")] = None
    change: Annotated[
        Decimal | None,
        at(None, "Change since the previous close.", unit=PER_SHARE, column="Change", signed=True),
    ] = None
    figures: Annotated[str, at(None, "The scan's own figures, in words.", column="Figures")] = ""
    fields: Annotated[list[ScanField], at("Fields.Field[]", "Every column of the scan, in its order.")] = []


class ScanResult(Model):
    """The broker's scan result (protocol 03 §12.3)."""

    rows: Annotated[list[ScanRow], at("Row[]", "One row per security.")] = []


class Scan(Document):
    """What a scan found."""

    scan_id: Annotated[int, at(None, "Number of the scan.")] = 0
    rows: Annotated[list[ScanRow], at(None, "The securities.")] = []


# -- notebook (§13) ------------------------------------------------------------------------------------------


class Note(Document):
    """A note."""

    note_id: Annotated[str, at("noteId|id", "Id of the note.", column="Id")] = ""
    symbol: Annotated[str | None, at("symbol", "Symbol it is about.", column="Symbol")] = None
    title: Annotated[str | None, at("title", "Title.", column="Title")] = None
    note: Annotated[str | None, at("note", "Text.", column="Note")] = None
    created: Annotated[datetime | None, at("createdTimeStamp", "When it was made.", form="stamp")] = None
    updated: Annotated[
        datetime | None, at("lastUpdatedTime", "When it was last changed.", form="stamp", column="Changed")
    ] = None


class Notes(Document):
    """Notes of the notebook."""

    notes: Annotated[list[Note], at("noteDetails[]|notes[]|notebookNotes[]", "The notes.")] = []


class NoteDeleted(Document):
    """A note that is gone."""

    note_id: Annotated[str, at(None, "Id of the note.", column="Id")] = ""
    deleted: Annotated[bool, at(None, "Whether it is gone.", column="Deleted")] = True


# -- news (§15) ----------------------------------------------------------------------------------------------


class NewsAccess(Document):
    """Where the news feed is and what lets one in."""

    streaming_host: Annotated[str, at("StreamingHost", "Host of the stream.", column="Streaming host")] = ""
    streaming_port: Annotated[int | None, at("StreamingPort", "Its port.", form="text", column="Port")] = None
    polling_host: Annotated[str, at("PollingHost", "Host for polling.", column="Polling host")] = ""
    polling_port: Annotated[
        int | None, at("PollingPort", "Its port.", form="text", column="Polling port")
    ] = None
    access_token: Annotated[
        str, at("AccessToken", "The token, masked unless it is asked for.", column="Token")
    ] = ""


# -- equity summary (§6) -------------------------------------------------------------------------------------


class Rating(Code):
    """What the analysts' opinions come to (protocol 03 §6)."""

    VERY_BEARISH = "very_bearish", "very bearish"
    BEARISH = "bearish", "bearish"
    NEUTRAL = "neutral", "neutral"
    BULLISH = "bullish", "bullish"
    VERY_BULLISH = "very_bullish", "very bullish"


class EquitySummary(Document):
    """The equity summary score of a stock: one number out of many analysts' opinions."""

    symbol: Annotated[str, at("SYMBOL", "Symbol.", column="Symbol")] = ""
    name: Annotated[str | None, at("NAME", "Name.", column="Name")] = None
    rating: Annotated[Rating | None, at("EQUITY_SUMMARY_RATING", "The opinion.", column="Rating")] = None
    score: Annotated[
        Decimal | None, at("EQUITY_SUMMARY_SCORE", "From 0.1 to 10.", form="text", column="Score")
    ] = None
    last: Annotated[
        Decimal | None, at("LAST_PRICE", "Last price.", unit=PER_SHARE, form="text", column="Last")
    ] = None
    last_date: Annotated[date | None, at("LAST_DATE", "Its day.", form="mdy", column="Date")] = None
