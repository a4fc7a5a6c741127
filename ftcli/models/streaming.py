"""What streams deliver: quotes, books, trades, bars, account events, and the state of the streams themselves.

Members follow protocol 05 §4.1, 5.1-5.3 and 7.11. The wire path of a field is its MDDS field id.
A streamed number is exact: it carries the very digits the broker sent. The way back, from an object to an
item of the wire, is :mod:`ftcli.models.mdds_items`.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec

from ftcli.models.field import PER_SHARE, PERCENT, SHARES, USD, Model, at

Kind = Literal["quote", "trade", "book", "bar"]
"""What can be subscribed to by symbol."""

FRACTION = "fraction, 0.25 = 25 %"


class Greeks(Model):
    """Sensitivities of an option, from its ``.GK`` item (protocol 05 §3.3, 4.2)."""

    delta: Annotated[Decimal | None, at("187", "Change per 1.00 of the underlying.", form="text")] = None
    gamma: Annotated[Decimal | None, at("188", "Change of delta per 1.00.", form="text")] = None
    vega: Annotated[Decimal | None, at("189", "Change per volatility point (0.01).", form="text")] = None
    theta: Annotated[Decimal | None, at("190", "Change per calendar day.", form="text")] = None
    rho: Annotated[Decimal | None, at("191", "Change per percentage point of rate.", form="text")] = None
    intrinsic_value: Annotated[Decimal | None, at("192", "Intrinsic value.", unit=USD, form="text")] = None
    time_value: Annotated[Decimal | None, at("193", "Time value.", unit=USD, form="text")] = None
    iv_bid: Annotated[
        Decimal | None, at("290", "Implied volatility of the bid.", unit=FRACTION, form="text")
    ] = None
    iv_mid: Annotated[
        Decimal | None, at("196", "Implied volatility of the mid.", unit=FRACTION, form="text")
    ] = None
    iv_ask: Annotated[
        Decimal | None, at("195", "Implied volatility of the ask.", unit=FRACTION, form="text")
    ] = None
    received_at: Annotated[datetime | None, at(None, "When the latest Greeks arrived.")] = None


class Quote(Model):
    """The state of one symbol after an update: Level 1, and the Greeks of an option (protocol 05 §4.1)."""

    symbol: Annotated[str, at("6", "Symbol, as subscribed.", column="Symbol", example="KO")]
    security_type: Annotated[
        str | None, at("128", "EQ, IX, OP; others as the broker spells them.", example="EQ")
    ] = None
    name: Annotated[str | None, at("1|120|80", "Short name.")] = None
    currency: Annotated[str | None, at("25", "ISO 4217 code.", example="USD")] = None
    last: Annotated[
        Decimal | None,
        at("29", "Last price of the regular session.", unit=PER_SHARE, form="text", column="Last"),
    ] = None
    last_size: Annotated[int | None, at("28", "Size of the last trade.", unit=SHARES, form="text")] = None
    last_time: Annotated[
        str | None, at("316|44", "Time of the last trade, text as received.", column="Time")
    ] = None
    last_exchange: Annotated[str | None, at("882|43", "Venue of the last trade.")] = None
    last_conditions: Annotated[str | None, at("45", "Condition codes of the last trade.")] = None
    last_source: Annotated[
        str | None, at(None, "`last`, or `close` where only the official close was known.")
    ] = None
    bid: Annotated[Decimal | None, at("20", "Best bid.", unit=PER_SHARE, form="text", column="Bid")] = None
    bid_size: Annotated[
        int | None, at("21", "Size of the best bid.", unit=SHARES, form="text", column="Bid size")
    ] = None
    bid_exchange: Annotated[str | None, at("100", "Venue of the best bid.")] = None
    ask: Annotated[Decimal | None, at("18", "Best ask.", unit=PER_SHARE, form="text", column="Ask")] = None
    ask_size: Annotated[
        int | None, at("19", "Size of the best ask.", unit=SHARES, form="text", column="Ask size")
    ] = None
    mid: Annotated[Decimal | None, at(None, "(bid + ask) / 2.", unit=PER_SHARE)] = None
    mid_server: Annotated[Decimal | None, at("60", "The broker's own mid.", unit=PER_SHARE, form="text")] = (
        None
    )
    open: Annotated[Decimal | None, at("31", "Day's open.", unit=PER_SHARE, form="text")] = None
    high: Annotated[Decimal | None, at("26", "Day's high.", unit=PER_SHARE, form="text")] = None
    low: Annotated[Decimal | None, at("27", "Day's low.", unit=PER_SHARE, form="text")] = None
    close: Annotated[
        Decimal | None,
        at("124", "Official close; meaningful only after the close.", unit=PER_SHARE, form="text"),
    ] = None
    prev_close: Annotated[Decimal | None, at("32", "Previous close.", unit=PER_SHARE, form="text")] = None
    net_change: Annotated[
        Decimal | None,
        at("12", "Change since the previous close.", unit=PER_SHARE, form="text", column="Chg", signed=True),
    ] = None
    net_change_pct: Annotated[
        Decimal | None,
        at("13", "The change in percent.", unit=PERCENT, form="text", column="Chg %", signed=True),
    ] = None
    volume: Annotated[int | None, at("33", "Day's volume.", unit=SHARES, form="text", column="Volume")] = None
    block_volume: Annotated[int | None, at("23", "Volume of blocks.", unit=SHARES, form="text")] = None
    volume_all_sessions: Annotated[
        int | None, at("166", "Volume with off-session trades (low trust).", unit=SHARES, form="text")
    ] = None
    num_trades: Annotated[int | None, at("22", "Trades of the day.", form="text")] = None
    avg_volume_10day: Annotated[
        int | None, at("46", "Average volume of ten days.", unit=SHARES, form="text")
    ] = None
    trade_date: Annotated[date | None, at("24", "Day of the last trade.", form="iso_day")] = None
    week52_high: Annotated[Decimal | None, at("14", "High of 52 weeks.", unit=PER_SHARE, form="text")] = None
    week52_high_date: Annotated[date | None, at("15", "Its day.", form="iso_day")] = None
    week52_low: Annotated[Decimal | None, at("16", "Low of 52 weeks.", unit=PER_SHARE, form="text")] = None
    week52_low_date: Annotated[date | None, at("17", "Its day.", form="iso_day")] = None
    market_cap: Annotated[
        Decimal | None, at("57", "Market capitalisation on the previous close.", unit=USD, form="text")
    ] = None
    shares_outstanding: Annotated[int | None, at("129", "Shares outstanding.", form="text")] = None
    pe_ratio: Annotated[Decimal | None, at("58", "Price/earnings ratio.", form="text")] = None
    dividend_yield: Annotated[Decimal | None, at("34", "Dividend yield.", unit=PERCENT, form="text")] = None
    sector: Annotated[str | None, at("127", "Sector.")] = None
    sector_group: Annotated[str | None, at("119", "Sector group (name unconfirmed).")] = None
    industry: Annotated[str | None, at("118", "Industry (name unconfirmed).")] = None
    prev_bid: Annotated[Decimal | None, at("278", "Previous bid.", unit=PER_SHARE, form="text")] = None
    prev_ask: Annotated[Decimal | None, at("277", "Previous ask.", unit=PER_SHARE, form="text")] = None
    ext_last: Annotated[
        Decimal | None, at("1162", "Last price off session.", unit=PER_SHARE, form="text")
    ] = None
    ext_last_size: Annotated[int | None, at("1165", "Its size.", unit=SHARES, form="text")] = None
    ext_last_time: Annotated[str | None, at("1164", "Its time, text as received.")] = None
    ext_last_exchange: Annotated[str | None, at("1176", "Its venue.")] = None
    underlying: Annotated[str | None, at("185", "Underlying of an option.")] = None
    strike: Annotated[Decimal | None, at("184", "Strike of an option.", unit=USD, form="text")] = None
    call_put: Annotated[str | None, at("197", "C or P.")] = None
    expiration: Annotated[date | None, at("199", "Expiry of an option.", form="iso_day")] = None
    contract_size: Annotated[int | None, at("182", "Shares a contract.", form="text")] = None
    open_interest: Annotated[int | None, at("183", "Open contracts.", form="text")] = None
    option_root: Annotated[str | None, at("302", "Root of the contract's symbol.")] = None
    greeks: Annotated[Greeks | None, at(None, "Greeks of an option.")] = None
    quality: Annotated[str | None, at("169", "The broker's quality flag.", example="realtime")] = None
    delayed: Annotated[bool | None, at(None, "Whether prices are delayed; null where never said.")] = None
    crossed: Annotated[bool, at(None, "Whether the bid stands above the ask.")] = False
    snapshot: Annotated[bool, at(None, "Whether this is a full picture, not a change.")] = False
    stale: Annotated[bool, at(None, "Whether the stream behind it is down.")] = False
    stale_since: Annotated[datetime | None, at(None, "Since when.")] = None
    received_at: Annotated[datetime | None, at(None, "When the data arrived here.")] = None
    seq: Annotated[int, at(None, "Counts this symbol's updates since the process started.")] = 0
    raw: Annotated[dict[str, str] | None, at(None, "The broker's values by field id, where asked for.")] = (
        None
    )


class BookLevel(Model):
    """One venue's level of one side of the book."""

    price: Annotated[Decimal, at(None, "Price.", unit=PER_SHARE, column="Price")]
    size: Annotated[int | None, at(None, "Size.", unit=SHARES, column="Size")] = None
    exchange: Annotated[str | None, at(None, "Venue (MIC).", column="Venue")] = None
    time: Annotated[str | None, at(None, "Time of the level, text as received.", column="Time")] = None
    slot: Annotated[int, at(None, "Position in the broker's book, 0 the best.")] = 0


class PriceLevel(Model):
    """All venues of one price together: what :meth:`Book.by_price` gives."""

    price: Annotated[Decimal, at(None, "Price.", unit=PER_SHARE)]
    size: Annotated[int, at(None, "Sum of the known sizes.", unit=SHARES)]
    exchanges: Annotated[list[str], at(None, "Venues, the better slot first.")]


class Book(Model):
    """The Level 2 book of one symbol (protocol 05 §5.2). Equal prices of several venues stay apart."""

    symbol: Annotated[str, at("6", "Symbol, as subscribed.", column="Symbol")]
    bids: Annotated[list[BookLevel], at(None, "Bids, the best first; empty slots left out.")]
    asks: Annotated[list[BookLevel], at(None, "Asks, the best first; empty slots left out.")]
    best_bid: Annotated[Decimal | None, at(None, "Best bid.", unit=PER_SHARE, column="Bid")] = None
    best_ask: Annotated[Decimal | None, at(None, "Best ask.", unit=PER_SHARE, column="Ask")] = None
    spread: Annotated[
        Decimal | None, at(None, "Best ask less best bid.", unit=PER_SHARE, column="Spread")
    ] = None
    mid: Annotated[Decimal | None, at(None, "Middle of the two.", unit=PER_SHARE)] = None
    locked: Annotated[bool, at(None, "Best bid equals best ask.")] = False
    crossed: Annotated[bool, at(None, "Best bid above best ask.")] = False
    inconsistent: Annotated[bool, at(None, "Prices of a side are out of order.")] = False
    snapshot: Annotated[bool, at(None, "Whether this is a full picture, not a change.")] = False
    stale: Annotated[bool, at(None, "Whether the stream behind it is down.")] = False
    stale_since: Annotated[datetime | None, at(None, "Since when.")] = None
    received_at: Annotated[datetime | None, at(None, "When the data arrived here.")] = None
    seq: Annotated[int, at(None, "Counts this symbol's updates.")] = 0

    def by_price(self, side: Literal["bid", "ask"]) -> list[PriceLevel]:
        """One side with the venues of a price put together: sizes added, venues listed."""
        found: dict[Decimal, PriceLevel] = {}
        for level in self.bids if side == "bid" else self.asks:
            row = found.setdefault(level.price, PriceLevel(price=level.price, size=0, exchanges=[]))
            row.size += level.size or 0
            if level.exchange and level.exchange not in row.exchanges:
                row.exchanges.append(level.exchange)
        return list(found.values())

    def slots(self, side: Literal["bid", "ask"]) -> list[BookLevel | None]:
        """One side in its fixed 25-slot form, ``None`` for an empty slot."""
        found: list[BookLevel | None] = [None] * 25
        for level in self.bids if side == "bid" else self.asks:
            found[level.slot] = level
        return found


class Trade(Model):
    """One print of the tape (protocol 05 §5.1)."""

    symbol: Annotated[str, at("6", "Symbol, as subscribed.", column="Symbol")]
    session: Annotated[Literal["regular", "irregular"], at(None, "`irregular` is off session.")] = "regular"
    price: Annotated[Decimal | None, at(None, "Price.", unit=PER_SHARE, form="text", column="Price")] = None
    size: Annotated[int | None, at(None, "Size.", unit=SHARES, form="text", column="Size")] = None
    exchange: Annotated[str | None, at(None, "Venue.", column="Venue")] = None
    time: Annotated[str | None, at(None, "Time of the trade, text as received.", column="Time")] = None
    conditions: Annotated[str | None, at(None, "Condition codes.")] = None
    cum_volume: Annotated[int | None, at(None, "Day's volume, the broker's count.", unit=SHARES)] = None
    side: Annotated[
        Literal["bid", "ask", "between"] | None,
        at(None, "Where the price stood in the quote before it. Computed here, never sent by the broker."),
    ] = None
    inferred: Annotated[list[str], at(None, "Members taken from the print before.")] = []
    conflated: Annotated[bool, at(None, "Whether it stands for several trades.")] = False
    received_at: Annotated[datetime | None, at(None, "When it arrived here.")] = None
    seq: Annotated[int, at(None, "Counts this symbol's prints.")] = 0


class Bar(Model):
    """One minute of trading (protocol 05 §5.3; wire form inferred, not yet seen live)."""

    symbol: Annotated[str, at("6", "Symbol, as subscribed.", column="Symbol")]
    start: Annotated[str | None, at("361", "Start, text as received.", column="Start")] = None
    end: Annotated[str | None, at("357", "End, text as received.")] = None
    open: Annotated[Decimal | None, at("360", "First price.", unit=PER_SHARE, form="text", column="Open")] = (
        None
    )
    high: Annotated[
        Decimal | None, at("358", "Highest price.", unit=PER_SHARE, form="text", column="High")
    ] = None
    low: Annotated[Decimal | None, at("359", "Lowest price.", unit=PER_SHARE, form="text", column="Low")] = (
        None
    )
    close: Annotated[
        Decimal | None, at("356", "Last price.", unit=PER_SHARE, form="text", column="Close")
    ] = None
    volume: Annotated[int | None, at("362", "Volume.", unit=SHARES, form="text", column="Volume")] = None
    trade_count: Annotated[int | None, at("1172", "Number of trades.", form="text")] = None
    final: Annotated[bool, at(None, "Whether the minute is over.")] = False
    corrected: Annotated[bool, at(None, "Whether it replaces a bar that was already final.")] = False
    source: Annotated[Literal["server", "computed"], at(None, "`computed`: built here from the tape.")] = (
        "server"
    )
    stale: Annotated[bool, at(None, "Whether the stream behind it is down.")] = False
    received_at: Annotated[datetime | None, at(None, "When the data arrived here.")] = None
    seq: Annotated[int, at(None, "Counts this symbol's updates.")] = 0


class Gap(Model):
    """A stretch for which trades or events are missing: fetch them by other means."""

    symbol: Annotated[str | None, at(None, "The symbol, or null for account events.")] = None
    gap_from: Annotated[datetime | None, at(None, "Start of the gap; null where unknown.")] = msgspec.field(
        default=None, name="from"
    )
    gap_to: Annotated[datetime | None, at(None, "End of the gap.")] = msgspec.field(default=None, name="to")
    gap: Annotated[bool, at(None, "Always true.")] = True
    type: Annotated[Literal["gap"], at(None, "Marks the object.")] = "gap"


class SymbolError(Model):
    """The broker refused one symbol of a subscription (protocol 05 §2.12)."""

    kind: Annotated[Kind, at(None, "What was subscribed to.")]
    symbol: Annotated[str, at(None, "The symbol.")]
    reason: Annotated[Literal["symbol_not_found", "stream_error", "subscribe_timeout"], at(None, "Why.")]
    code: Annotated[str | None, at(None, "The broker's code.")] = None
    text: Annotated[str | None, at(None, "The broker's text.")] = None
    retries_left: Annotated[int, at(None, "How often it is still tried by itself.")] = 0
    type: Annotated[Literal["symbol_error"], at(None, "Marks the object.")] = "symbol_error"


class StreamState(Model):
    """A change of a stream's connection: what consumers get as ``status`` (protocol 05 §6.5)."""

    stream: Annotated[Literal["mdds", "beps"], at(None, "Which stream.")]
    state: Annotated[
        Literal[
            "none", "connecting", "open", "suspect", "reconnecting", "auth_required", "failed", "stopped"
        ],
        at(None, "Its state."),
    ]
    pool: Annotated[str | None, at(None, "Which group of sockets: quote, tas, book or bar.")] = None
    attempt: Annotated[int | None, at(None, "Number of the next attempt.")] = None
    next_retry_s: Annotated[float | None, at(None, "Seconds until it.", unit="s")] = None
    stale_symbols: Annotated[int | None, at(None, "Symbols that went stale.")] = None
    since: Annotated[datetime | None, at(None, "Since when the data are old.")] = None
    gap_ms: Annotated[int | None, at(None, "Length of the outage.", unit="ms")] = None
    gap_from: Annotated[datetime | None, at(None, "Start of the outage.")] = None
    gap_to: Annotated[datetime | None, at(None, "End of the outage.")] = None
    reason: Annotated[str | None, at(None, "Why, as one word or sentence.")] = None
    type: Annotated[Literal["status"], at(None, "Marks the object.")] = "status"


class Event(Model):
    """An account event of BEPS: a fill, an order, position or balance change, an alert (protocol 05 §7)."""

    event_id: Annotated[str, at("eventId", "Identity; a repeated one is dropped.")]
    event_type: Annotated[
        str, at(None, "ORDER_FILL, ORDER_UPDATE ...; UNKNOWN for a new code.", column="Type")
    ]
    code: Annotated[str, at("eventType", "The broker's code.")]
    category: Annotated[str, at(None, "order, position, balance, alert or other.", column="Category")]
    account: Annotated[str | None, at(None, "Account number.", column="Account")] = None
    order_id: Annotated[str | None, at(None, "Order number.", column="Order")] = None
    action: Annotated[str | None, at(None, "The broker's action code.")] = None
    symbol: Annotated[str | None, at(None, "Symbol.", column="Symbol")] = None
    quantity: Annotated[Decimal | None, at(None, "Ordered quantity.", column="Quantity")] = None
    executed_quantity: Annotated[Decimal | None, at(None, "Quantity of this execution.")] = None
    cumulative_quantity: Annotated[Decimal | None, at(None, "Quantity executed so far.")] = None
    price: Annotated[Decimal | None, at(None, "Price of this execution.", unit=PER_SHARE, column="Price")] = (
        None
    )
    avg_price: Annotated[Decimal | None, at(None, "Average price so far.", unit=PER_SHARE)] = None
    exchange: Annotated[str | None, at(None, "Venue.")] = None
    gross_amount: Annotated[Decimal | None, at(None, "Gross amount.", unit=USD)] = None
    status: Annotated[str | None, at(None, "The broker's order status code.")] = None
    exec_date: Annotated[date | None, at(None, "Day of the execution.")] = None
    text: Annotated[str | None, at(None, "The broker's sentence for people.")] = None
    partial: Annotated[bool | None, at(None, "For a fill: whether more is open; null where unknown.")] = None
    desc: Annotated[dict[str, Any], at(None, "The event's details, as the broker names them.")] = {}
    message: Annotated[str | None, at("message", "Text for people.")] = None
    source: Annotated[str | None, at("source", "Sending system; `reconcile` where found by a sweep.")] = None
    created_at: Annotated[datetime | None, at("eventCreatedTime", "When it happened.", column="Time")] = None
    handled_at: Annotated[datetime | None, at("handleTime", "When the service handled it.")] = None
    has_error: Annotated[bool, at("hasError", "Whether the sender reports a failure.")] = False
    revised: Annotated[bool, at(None, "The same event again, with other details.")] = False
    recovered: Annotated[bool, at(None, "Found by a sweep after an outage, not pushed.")] = False
    received_at: Annotated[datetime | None, at(None, "When it arrived here.")] = None
    seq: Annotated[int, at(None, "Counts events since the process started.")] = 0


class SocketStatus(Model):
    """One socket to the broker."""

    pool: Annotated[str, at(None, "quote, tas, book or bar.", column="Pool")]
    state: Annotated[str, at(None, "Its state.", column="State")]
    symbols: Annotated[int, at(None, "Symbols it carries.", column="Symbols")]
    host: Annotated[str | None, at(None, "The container that serves it.")] = None
    attempt: Annotated[int, at(None, "Attempts since the last stable connection.")] = 0
    since: Annotated[datetime | None, at(None, "Since when it is in this state.")] = None


class MddsStatus(Model):
    """The market data stream."""

    connected: Annotated[bool, at(None, "Whether every socket in use is open.")]
    state: Annotated[str, at(None, "The worst state of its sockets; `none` while nothing is subscribed.")]
    sockets: Annotated[list[SocketStatus], at(None, "Its sockets.")]
    counters: Annotated[dict[str, int], at(None, "Oddities met so far, by name.")]


class BepsStatus(Model):
    """The account event stream."""

    connected: Annotated[bool, at(None, "Whether events arrive.")]
    state: Annotated[str, at(None, "Its state.")]
    since: Annotated[datetime | None, at(None, "Since when.")] = None
    events: Annotated[int, at(None, "Events delivered.")] = 0
    counters: Annotated[dict[str, int], at(None, "Oddities met so far, by name.")] = {}


class StreamStatus(Model):
    """State of both streams and their consumers: what ``GET /streaming/status`` answers."""

    mdds: Annotated[MddsStatus, at(None, "Market data.")]
    beps: Annotated[BepsStatus | None, at(None, "Account events; null where not configured.")]
    consumers: Annotated[int, at(None, "Consumers connected now.")]
    subscriptions: Annotated[int, at(None, "Symbols subscribed now.")]
    connected: Annotated[bool, at(None, "Whether market data is connected.")]


class Subscription(Model):
    """One subscribed symbol: what ``GET /streaming/subscriptions`` lists."""

    symbol: Annotated[str, at(None, "Symbol.", column="Symbol")]
    kind: Annotated[Kind, at(None, "What is subscribed to.", column="Kind")]
    count: Annotated[int, at(None, "Consumers and holds.", column="Count")]
    state: Annotated[
        Literal["pending", "live", "stale", "error", "releasing"], at(None, "Its state.", column="State")
    ]


class Subscriptions(Model):
    """Every subscribed symbol with its count."""

    subscriptions: Annotated[list[Subscription], at(None, "The subscriptions.")]
