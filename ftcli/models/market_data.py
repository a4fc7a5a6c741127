"""Snapshot quotes and chart bars (protocol 03 §3, §5)."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

from ftcli.models.field import PER_SHARE, PERCENT, SHARES, Document, Model, at
from ftcli.models.values import Code


class SnapshotQuote(Model):
    """The quote of one symbol at one moment (protocol 03 §5, §6)."""

    symbol: Annotated[str, at(None, "Symbol, as asked for.", column="Symbol", example="AAPL")] = ""
    name: Annotated[str | None, at("NAME", "Name of the security.", column="Name")] = None
    last: Annotated[
        Decimal | None,
        at("LAST_PRICE", "Last price, or net asset value.", unit=PER_SHARE, form="text", column="Last"),
    ] = None
    change: Annotated[
        Decimal | None,
        at(
            "NETCHG_TODAY",
            "Change since the previous close.",
            unit=PER_SHARE,
            form="text",
            column="Change",
            signed=True,
        ),
    ] = None
    change_pct: Annotated[
        Decimal | None,
        at(
            "PCT_CHG_TODAY", "The same in percent.", unit=PERCENT, form="text", column="Change %", signed=True
        ),
    ] = None
    bid: Annotated[Decimal | None, at("BID_PRICE", "Bid.", unit=PER_SHARE, form="text", column="Bid")] = None
    ask: Annotated[Decimal | None, at("ASK_PRICE", "Ask.", unit=PER_SHARE, form="text", column="Ask")] = None
    open: Annotated[Decimal | None, at("OPEN_PRICE", "Open.", unit=PER_SHARE, form="text")] = None
    high: Annotated[Decimal | None, at("DAY_HIGH", "Day high.", unit=PER_SHARE, form="text")] = None
    low: Annotated[Decimal | None, at("DAY_LOW", "Day low.", unit=PER_SHARE, form="text")] = None
    previous_close: Annotated[
        Decimal | None, at("PREVIOUS_CLOSE", "Previous close.", unit=PER_SHARE, form="text")
    ] = None
    volume: Annotated[
        int | None, at("VOLUME", "Shares traded today.", unit=SHARES, form="text", column="Volume")
    ] = None
    average_volume: Annotated[
        int | None, at("AVG_VOL_10_DAY", "Ten-day average volume.", unit=SHARES, form="text")
    ] = None
    trade_date: Annotated[date | None, at("LAST_DATE", "Day of the last trade.", form="mdy")] = None
    security_type: Annotated[str | None, at("SECURITY_TYPE", "Equity, MutualFund, Index ...")] = None
    issue: Annotated[str | None, at("ISSUE_DESCRIPTION", "ETF, Common Stock ...")] = None
    yield_7_day: Annotated[
        Decimal | None,
        at("YIELD_7_DAY", "Seven-day yield of a money-market fund.", unit=PERCENT, form="text"),
    ] = None
    error_code: Annotated[str | None, at("ERROR_CODE", "0 where the quote is fine.")] = None


class SymbolProblem(Model):
    """A symbol the broker gave no quote for."""

    symbol: Annotated[str, at(None, "Symbol, as asked for.")]
    reason: Annotated[str, at(None, "Why there is no quote.")]


class Quotes(Document):
    """Snapshot quotes, in the order asked for."""

    quotes: Annotated[list[SnapshotQuote], at(None, "The quotes.")] = []
    problems: Annotated[list[SymbolProblem], at(None, "Symbols without a quote, with the reason.")] = []
    market_open: Annotated[
        bool | None, at("MARKET_CLOSE.IS_OPEN", "Whether the market is open now.", form="y_n")
    ] = None


class BarWidth(Code):
    """The width of a bar: minutes, or a calendar unit (protocol 03 §3.1).

    The members are the widths people use; any number of minutes from 1 to 60 will do: ``BarWidth("7")``.
    """

    MIN_1 = "1", "1"
    MIN_5 = "5", "5"
    MIN_15 = "15", "15"
    MIN_30 = "30", "30"
    MIN_60 = "60", "60"
    DAY = "day", "DAILY"
    WEEK = "week", "WEEKLY"
    MONTH = "month", "MONTHLY"
    QUARTER = "quarter", "QUARTERLY"
    YEAR = "year", "YEARLY"

    @classmethod
    def _missing_(cls, value: object) -> Any:
        text = str(value).strip().lower()
        minutes = text.removesuffix("min").removesuffix("m")
        if text.endswith("h") and text[:-1] == "1":
            minutes = "60"
        if minutes.isascii() and minutes.isdigit() and 1 <= int(minutes) <= 60:
            number = str(int(minutes))
            return next((member for member in cls if member.value == number), None) or cls.from_wire(number)
        return _WIDTH_WORDS.get(str(value).strip() if text == "m" else text) or super()._missing_(value)

    @property
    def intraday(self) -> bool:
        """Whether it is a number of minutes."""
        return self.value.isdigit()


_WIDTH_WORDS = {
    word: width
    for width, words in {
        BarWidth.DAY: "d 1d daily days",
        BarWidth.WEEK: "w 1w weekly weeks",
        BarWidth.MONTH: "M mo 1mo monthly months",
        BarWidth.QUARTER: "q 1q quarterly quarters",
        BarWidth.YEAR: "y 1y yearly annual years",
    }.items()
    for word in words.split()
}
"""Other words for the calendar units. A small ``m`` alone is none: it could mean minutes."""


class Bar(Model):
    """Trading within one span of time (protocol 03 §3.3)."""

    time: Annotated[datetime | None, at("lt|ts", "Start of the bar.", form="chart_time", column="Time")] = (
        None
    )
    open: Annotated[Decimal | None, at("op", "First price.", unit=PER_SHARE, form="text", column="Open")] = (
        None
    )
    high: Annotated[
        Decimal | None, at("hi", "Highest price.", unit=PER_SHARE, form="text", column="High")
    ] = None
    low: Annotated[Decimal | None, at("lo", "Lowest price.", unit=PER_SHARE, form="text", column="Low")] = (
        None
    )
    close: Annotated[Decimal | None, at("cl", "Last price.", unit=PER_SHARE, form="text", column="Close")] = (
        None
    )
    volume: Annotated[int | None, at("v|vo", "Shares traded.", unit=SHARES, form="text", column="Volume")] = (
        None
    )


class Chart(Document):
    """Price bars of one symbol, oldest first, with the day's figures."""

    symbol: Annotated[str, at("Identifier", "Symbol.")] = ""
    name: Annotated[str | None, at("Description", "Name of the security.")] = None
    width: Annotated[
        str | None, at(None, "Width of the bars: minutes, or a calendar unit.", example="day")
    ] = None
    last: Annotated[Decimal | None, at("LastTrade", "Last price.", unit=PER_SHARE, form="text")] = None
    trade_date: Annotated[date | None, at("TradeDate", "Day of the last trade.", form="mdy")] = None
    open: Annotated[Decimal | None, at("DayOpen", "Open of the day.", unit=PER_SHARE, form="text")] = None
    high: Annotated[Decimal | None, at("DayHigh", "High of the day.", unit=PER_SHARE, form="text")] = None
    low: Annotated[Decimal | None, at("DayLow", "Low of the day.", unit=PER_SHARE, form="text")] = None
    change: Annotated[
        Decimal | None, at("NetChange", "Change since the previous close.", unit=PER_SHARE, form="text")
    ] = None
    change_pct: Annotated[
        Decimal | None, at("NetChangePercent", "The same in percent.", unit=PERCENT, form="text")
    ] = None
    previous_close: Annotated[
        Decimal | None, at("PreviousClose|LastClose", "Previous close.", unit=PER_SHARE, form="text")
    ] = None
    bars: Annotated[list[Bar], at("BarList.BarRecord[]", "The bars, oldest first.")] = []


class ChartReply(Model):
    """The broker's whole chart document (protocol 03 §3.2)."""

    symbols: Annotated[list[Chart], at("Symbol[]", "One entry per symbol asked for.")] = []


class Print(Model):
    """One trade as reported (protocol 03 §4.2)."""

    time: Annotated[datetime | None, at("dt", "When.", form="print_time", column="Time")] = None
    price: Annotated[Decimal | None, at("p", "Price.", unit=PER_SHARE, form="text", column="Price")] = None
    size: Annotated[
        int | None, at("sz", "Shares, or contracts of an option.", form="text", column="Size")
    ] = None
    exchange: Annotated[
        str | None, at("ex", "Market identifier code of the exchange.", column="Exchange")
    ] = None
    condition: Annotated[str | None, at("tc", "The broker's trade condition codes.", column="Condition")] = (
        None
    )
    bid: Annotated[
        Decimal | None, at("b", "Bid at that moment.", unit=PER_SHARE, form="text", column="Bid")
    ] = None
    ask: Annotated[
        Decimal | None, at("a", "Ask at that moment.", unit=PER_SHARE, form="text", column="Ask")
    ] = None
    sequence: Annotated[int | None, at("sq", "Running number.", form="text")] = None
    irregular: Annotated[
        bool | None,
        at("ir", "Whether it does not count for the last price (odd lot, extended hours).", form="y_n"),
    ] = None
    other: Annotated[
        dict[str, str], at(None, "Members the broker sent that are not known here, as they came.")
    ] = {}


class TimeAndSales(Document):
    """Trades of one symbol, oldest first."""

    symbol: Annotated[str, at(None, "Symbol.", example="AAPL")] = ""
    trades: Annotated[list[Print], at(None, "The trades.")] = []
    truncated: Annotated[bool, at(None, "Whether earlier trades of the range were left out.")] = False


class MarketRoute(Model):
    """A market that orders can be directed to, its hours (New York time), what it takes (protocol 03 §7)."""

    market: Annotated[str, at("marketplace", "The market.", column="Market", example="AUTO")] = ""
    routing_code: Annotated[str | None, at("routingCode", "Code that orders name it by.", column="Route")] = (
        None
    )
    name: Annotated[str | None, at("name", "Its name.")] = None
    exchange: Annotated[str | None, at("exchangeSymbol", "Market identifier code.", column="Exchange")] = None
    opens: Annotated[str | None, at("marketHours.marketOpeningHours", "Opening time.", column="Opens")] = None
    closes: Annotated[str | None, at("marketHours.marketClosingHours", "Closing time.", column="Closes")] = (
        None
    )
    short_sales_from: Annotated[
        str | None, at("marketHours.shortSellOpeningHours", "Start of short sales.")
    ] = None
    short_sales_to: Annotated[str | None, at("marketHours.shortSellClosingHours", "End of short sales.")] = (
        None
    )
    market_orders_from: Annotated[
        str | None, at("marketHours.marketOrderOpeningHours", "Start of market orders; empty: no such limit.")
    ] = None
    market_orders_to: Annotated[
        str | None, at("marketHours.marketOrderClosingHours", "End of market orders; empty: no such limit.")
    ] = None
    market_orders_accepted_from: Annotated[
        str | None, at("marketHours.marketOrderAcceptFromHours", "Start of accepting market orders.")
    ] = None
    market_orders_accepted_to: Annotated[
        str | None, at("marketHours.marketOrderAcceptToHours", "End of accepting market orders.")
    ] = None
    market_orders: Annotated[
        bool | None, at("orderTypeSupported.marketInd", "Takes market orders.", column="Mkt")
    ] = None
    limit: Annotated[bool | None, at("orderTypeSupported.limitInd", "Takes limit orders.", column="Lmt")] = (
        None
    )
    stop_limit: Annotated[
        bool | None, at("orderTypeSupported.stopLimitInd", "Takes stop and stop-limit orders.", column="Stop")
    ] = None
    trailing_stop: Annotated[
        bool | None, at("orderTypeSupported.trailStopInd", "Takes trailing stops.", column="Trail")
    ] = None
    trailing_stop_limit: Annotated[
        bool | None, at("orderTypeSupported.trailLimitInd", "Takes trailing stop-limit orders.")
    ] = None
    immediate_or_cancel: Annotated[
        bool | None, at("orderTypeSupported.immediateOrCancelInd", "Takes immediate-or-cancel.", column="IOC")
    ] = None
    fill_or_kill: Annotated[
        bool | None, at("orderTypeSupported.fillOrKillInd", "Takes fill-or-kill.", column="FOK")
    ] = None
    all_or_none: Annotated[
        bool | None, at("orderTypeSupported.allOrNoneInd", "Takes all-or-none.", column="AON")
    ] = None
    short_sales: Annotated[
        bool | None, at("orderTypeSupported.shortSellInd", "Takes short sales.", column="Short")
    ] = None
    not_held: Annotated[bool | None, at("orderTypeSupported.notHeldInd", "Takes not-held orders.")] = None
    do_not_reduce: Annotated[bool | None, at("orderTypeSupported.doNotReduceInd", "Takes do-not-reduce.")] = (
        None
    )
    cash_settlement: Annotated[
        bool | None, at("orderTypeSupported.cashSettleInd", "Settles in cash the same day.")
    ] = None
    next_day_settlement: Annotated[
        bool | None, at("orderTypeSupported.nextDayInd", "Settles the next day.")
    ] = None
    pegged: Annotated[bool | None, at("orderTypeSupported.peggedInd", "Takes pegged orders.")] = None
    discretion: Annotated[
        bool | None, at("orderTypeSupported.discretionInd", "Takes discretionary orders.")
    ] = None
    hidden: Annotated[bool | None, at("orderTypeSupported.hiddenInd", "Takes hidden orders.")] = None
    cancel_replace: Annotated[
        bool | None, at("orderTypeSupported.cancelReplaceInd", "Orders can be replaced.")
    ] = None
    regular_session: Annotated[
        bool | None,
        at(
            "orderTypeSupported.regularSessionInd",
            "As the broker sends it; seen false where it cannot be meant.",
        ),
    ] = None
    pre_market_session: Annotated[
        bool | None, at("orderTypeSupported.preMarketSessionInd", "As the broker sends it.")
    ] = None
    after_hours_session: Annotated[
        bool | None, at("orderTypeSupported.afterHoursSessionInd", "As the broker sends it.")
    ] = None
    minimum_display: Annotated[
        Decimal | None,
        at("displayQuantityMin", "Smallest quantity that may be shown.", unit=SHARES, form="text"),
    ] = None


class Markets(Document):
    """The markets that orders for a symbol can be directed to."""

    symbol: Annotated[str, at("security.symbol", "Symbol.", example="AAPL")] = ""
    cusip: Annotated[str | None, at("security.cusip", "CUSIP.")] = None
    available_shares: Annotated[
        Decimal | None, at("security.availShares", "Shares that can be sold short, where the broker says.")
    ] = None
    count: Annotated[
        int | None, at("security.availMktCnt", "Number of markets, as the broker counts them.")
    ] = None
    markets: Annotated[list[MarketRoute], at("availableMarkets[]", "The markets.")] = []


class Subscription(Model):
    """A paid market-data subscription (protocol 03 §16)."""

    subscription: Annotated[str | None, at("subscriptionId", "Product.", column="Product")] = None
    name: Annotated[str | None, at("name", "Its name.", column="Name")] = None
    status: Annotated[str | None, at("status", "ACTIVE, CANCELLED ...", column="Status")] = None
    professional: Annotated[
        bool | None, at("professionalInd", "Whether professional rates apply.", column="Professional")
    ] = None
    start: Annotated[date | None, at("startDate", "First day.", form="iso_day", column="From")] = None
    end: Annotated[date | None, at("endDate", "Last day.", form="iso_day", column="To")] = None


class Subscriptions(Document):
    """The customer's paid market-data subscriptions."""

    subscriptions: Annotated[list[Subscription], at("subscriptions[]", "The subscriptions.")] = []
