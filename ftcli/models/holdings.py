"""Around a holding: loans, borrowing, short interest, accruals (protocol 01 §3.5, 3.11, 3.13-3.16)."""

from datetime import date
from decimal import Decimal
from typing import Annotated

from ftcli.models.field import PERCENT, SHARES, UNLESS_EMPTY, USD, Document, Model, at


class SecurityLoan(Model):
    """Shares on loan (protocol 01 §3.11); a loan that ended this month has only its interest left."""

    symbol: Annotated[str | None, at("symbol", "Symbol.", column="Symbol")] = None
    description: Annotated[
        str | None, at("securityDescription", "Name of the security.", column="Description")
    ] = None
    quantity: Annotated[
        Decimal | None, at("contractQty", "Shares on loan.", unit=SHARES, column="Quantity")
    ] = None
    value: Annotated[
        Decimal | None, at("contractVal", "Value of the loan.", unit=USD, form="text", column="Value")
    ] = None
    rate: Annotated[
        Decimal | None,
        at("rate", "What the loan earns per year.", unit=PERCENT, form="text", column="Rate %"),
    ] = None
    prior_day: Annotated[
        Decimal | None,
        at("priorDayAccrual", "Interest of the last day.", unit=USD, form="text", column="Last day"),
    ] = None
    month_to_date: Annotated[
        Decimal | None,
        at("monthToDateAccrual", "Interest of this month.", unit=USD, form="text", column="Month"),
    ] = None
    cusip: Annotated[str | None, at("cusip", "CUSIP, nine characters.")] = None


class Collateral(Model):
    """What secures the loans (protocol 01 §3.11)."""

    description: Annotated[str | None, at("cusipDesc", "What it is and who holds it.")] = None
    amount: Annotated[Decimal | None, at("amount", "Amount.", unit=USD, form="text")] = None
    collateral_id: Annotated[str | None, at("cusip", "The broker's id of it; no market CUSIP.")] = None


class LoanTotals(Model):
    """Sums over the loans of one account (protocol 01 §3.11)."""

    prior_day: Annotated[
        Decimal | None, at("priorDayAccruals", "Interest of the last day.", unit=USD, form="text")
    ] = None
    month_to_date: Annotated[
        Decimal | None, at("monthToDateAccruals", "Interest of this month.", unit=USD, form="text")
    ] = None
    prior_month: Annotated[
        Decimal | None, at("priorMonthAccruals", "Interest of last month.", unit=USD, form="text")
    ] = None


class LoanedSecurities(Document):
    """The shares of one account that are on loan, with what they earn."""

    account: Annotated[str, at("acctNum", "Account number.")] = ""
    loans: Annotated[
        list[SecurityLoan],
        at("contractDataDetails.contractDataDetail[]", "The loans, open and just ended.", form=UNLESS_EMPTY),
    ] = []
    collateral: Annotated[
        list[Collateral],
        at("collateralDetails.collateralDetail[]", "What secures the loans.", form=UNLESS_EMPTY),
    ] = []
    totals: Annotated[LoanTotals | None, at(".", "What all loans earn.")] = None


class BorrowRate(Model):
    """What it costs to be short a security (protocol 01 §3.5)."""

    symbol: Annotated[str | None, at("symbol", "Symbol.", column="Symbol")] = None
    description: Annotated[
        str | None, at("securityDescription", "Name of the security.", column="Description")
    ] = None
    is_hard_to_borrow: Annotated[
        bool | None, at("isHardToBorrow", "Whether shares are hard to find.", column="Hard to borrow")
    ] = None
    borrow_rate: Annotated[
        Decimal | None,
        at(
            "borrowRate|rate",
            "Fee per year on the value of the short position; none where it is easy to borrow.",
            unit=PERCENT,
            form="text",
            column="Borrow rate %",
        ),
    ] = None
    available: Annotated[
        int | None, at("availShares", "Shares that can be borrowed.", unit=SHARES, column="Available")
    ] = None
    rate_date: Annotated[
        date | None, at("rateDate", "Day the rate applies to.", form="iso_day", column="Date")
    ] = None
    cusip: Annotated[str | None, at("cusip", "CUSIP, nine characters.")] = None


class HardToBorrow(Document):
    """Borrow rates as seen from one account."""

    account: Annotated[str, at("acctNum", "Account number.")] = ""
    securities: Annotated[
        list[BorrowRate], at("securityDetails.securityDetail[]", "One entry a symbol.")
    ] = []
    unknown: Annotated[list[str], at(None, "Symbols the broker said nothing about.")] = []


class ShortInsight(Model):
    """Short interest of a security (protocol 01 §3.13)."""

    symbol: Annotated[str | None, at("symbol", "Symbol.", column="Symbol")] = None
    as_of: Annotated[
        date | None, at("asOfDate", "Settlement date of the report.", form="iso_day", column="As of")
    ] = None
    short_interest: Annotated[
        int | None, at("shortInterest", "Shares sold short.", unit=SHARES, column="Short interest")
    ] = None
    change_pct: Annotated[
        Decimal | None,
        at(
            "shortInterestChgPct",
            "Change since the report before.",
            unit=PERCENT,
            column="Change %",
            signed=True,
        ),
    ] = None
    percent_of_float: Annotated[
        Decimal | None,
        at("shortInterestPctFloat", "Share of the freely traded stock.", unit=PERCENT, column="Float %"),
    ] = None
    days_to_cover: Annotated[
        Decimal | None,
        at("daysToCover", "Short interest over average volume.", unit="days", column="Days to cover"),
    ] = None
    borrow_rate: Annotated[
        Decimal | None, at("borrowRate", "Fee per year.", unit=PERCENT, column="Borrow rate %")
    ] = None
    previous_short_interest: Annotated[
        int | None, at("shortInterestPrior", "Shares sold short in the report before.", unit=SHARES)
    ] = None
    average_volume: Annotated[int | None, at("avgDailyVolume", "Average daily volume.", unit=SHARES)] = None
    utilization_pct: Annotated[
        Decimal | None, at("utilizationPct", "Share of the lendable stock that is lent.", unit=PERCENT)
    ] = None
    is_hard_to_borrow: Annotated[bool | None, at("isHardToBorrow", "Whether shares are hard to find.")] = None
    description: Annotated[str | None, at("securityDescription", "Name of the security.")] = None
    cusip: Annotated[str | None, at("cusip", "CUSIP, nine characters.")] = None


class ShortInsights(Document):
    """Short interest of some securities."""

    account: Annotated[str, at(None, "Account number.")] = ""
    securities: Annotated[
        list[ShortInsight],
        at(
            "shortInsights.securityDetails.securityDetail[]|securityDetails.securityDetail[]",
            "One entry a symbol.",
        ),
    ] = []
    unknown: Annotated[list[str], at(None, "Symbols the broker said nothing about.")] = []


class ShortInsightPoint(Model):
    """One report of a security's short interest (protocol 01 §3.14)."""

    as_of: Annotated[
        date | None, at("date", "Settlement date of the report.", form="iso_day", column="As of")
    ] = None
    short_interest: Annotated[
        int | None, at("shortInterest", "Shares sold short.", unit=SHARES, column="Short interest")
    ] = None
    percent_of_float: Annotated[
        Decimal | None,
        at("shortInterestPctFloat", "Share of the freely traded stock.", unit=PERCENT, column="Float %"),
    ] = None
    days_to_cover: Annotated[
        Decimal | None,
        at("daysToCover", "Short interest over average volume.", unit="days", column="Days to cover"),
    ] = None
    average_volume: Annotated[
        int | None, at("avgDailyVolume", "Average daily volume.", unit=SHARES, column="Average volume")
    ] = None
    utilization_pct: Annotated[
        Decimal | None,
        at(
            "utilizationPct",
            "Share of the lendable stock that is lent.",
            unit=PERCENT,
            column="Utilization %",
        ),
    ] = None
    borrow_rate: Annotated[
        Decimal | None, at("borrowRate", "Fee per year.", unit=PERCENT, column="Borrow rate %")
    ] = None


class ShortInsightSeries(Document):
    """The short interest of one security over time, oldest first."""

    account: Annotated[str, at(None, "Account number.")] = ""
    symbol: Annotated[str | None, at("symbol", "Symbol.")] = None
    start: Annotated[date | None, at(None, "First day asked for.")] = None
    end: Annotated[date | None, at(None, "Day after the last day asked for.")] = None
    points: Annotated[
        list[ShortInsightPoint], at("timeseries[]|timeSeries[]|data[]", "The reports, oldest first.")
    ] = []


class Accrual(Model):
    """Interest or a fee that is adding up (protocol 01 §3.15, 3.16); negative amounts are charged to you."""

    kind: Annotated[
        str | None, at("accrualTypeDesc", "What it is for: Margin Interest ...", column="Kind")
    ] = None
    symbol: Annotated[str | None, at("symbol", "Symbol of a borrowed security.", column="Symbol")] = None
    balance: Annotated[
        Decimal | None, at("balance", "Amount the rate applies to.", unit=USD, column="Balance")
    ] = None
    rate: Annotated[Decimal | None, at("rate", "Rate per year.", unit=PERCENT, column="Rate %")] = None
    prior_day: Annotated[
        Decimal | None,
        at("priorDayAccrual", "Amount of the last day.", unit=USD, column="Last day", signed=True),
    ] = None
    month_to_date: Annotated[
        Decimal | None,
        at("monthToDateAccrual", "Amount of this month.", unit=USD, column="Month", signed=True),
    ] = None
    accrued_on: Annotated[date | None, at("accrualDate", "Day of the last accrual.", column="Date")] = None
    quantity: Annotated[Decimal | None, at("quantity", "Shares sold short, negative.", unit=SHARES)] = None
    currency: Annotated[str | None, at("currencyCode", "Currency, where the broker names it.")] = None
    code: Annotated[str | None, at("accrualTypeCode", "The broker's code.")] = None
    cusip: Annotated[str | None, at("cusip", "CUSIP of a borrowed security.")] = None


class AccrualTotals(Model):
    """Sums over what accrues in one account (protocol 01 §3.15, 3.16)."""

    prior_day: Annotated[Decimal | None, at("priorDayAccruals", "Amount of the last day.", unit=USD)] = None
    month_to_date: Annotated[Decimal | None, at("monthToDateAccruals", "Amount of this month.", unit=USD)] = (
        None
    )
    prior_month: Annotated[Decimal | None, at("priorMonthAccruals", "Amount of last month.", unit=USD)] = None


class Accruals(Document):
    """What is adding up for one account until it is posted."""

    account: Annotated[str, at("acctNum", "Account number.")] = ""
    accruals: Annotated[
        list[Accrual], at("accrualDetails.accrualDetail[]", "The components.", form=UNLESS_EMPTY)
    ] = []
    totals: Annotated[AccrualTotals | None, at(".", "All components together.")] = None
