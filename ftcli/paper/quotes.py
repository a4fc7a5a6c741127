"""What the paper market shows: quotes, trades, bars, depth and touches.

Prices are Decimals in dollars, sizes are whole shares (contracts for options), moments are aware
and in New York time. None means "not known" or "does not apply", never zero.
"""

from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

from msgspec import Struct

_CENT = Decimal("0.01")


class Quote(Struct, frozen=True, kw_only=True):
    """The state of one security at one moment.

    Attributes:
        symbol: The symbol, as the broker's stream spells it (options with a leading dash).
        kind: ``equity``, ``etf``, ``index``, ``mutual_fund``, ``money_market`` or ``option``.
        time: The moment asked for.
        last, last_size, last_time, last_exchange, last_conditions: The last trade at or before
            ``time``; for funds the last net asset value.
        bid, bid_size, bid_exchange, ask, ask_size, ask_exchange: The best bid and offer. They
            change at most once a second.
        open, high, low: The trading day's range up to ``time``.
        close: The official closing price once the session is over, else None.
        prev_close: The official close of the session before ``trade_date``.
        change, change_pct: ``last`` less ``prev_close``, and the same in percent points.
        volume, num_trades: Of the trading day up to ``time``.
        trade_date: The trading day all of the above belongs to: that of the latest session that
            has opened.
        avg_volume_10day: Mean volume of the ten sessions before ``trade_date``.
        week52_high, week52_high_date, week52_low, week52_low_date: Extremes of the daily bars
            from the same date a year ago up to ``time``.
        ext_last, ext_last_size, ext_last_time, ext_last_exchange: The last extended-hours trade;
            None in a market that is always open.
        all_session_volume: ``volume`` and the extended hours around it together.
        underlying, strike, call_put, expiration, contract_size, open_interest: Options only.
    """

    symbol: str
    kind: str
    time: datetime
    last: Decimal | None = None
    last_size: int | None = None
    last_time: datetime | None = None
    last_exchange: str | None = None
    last_conditions: str | None = None
    bid: Decimal | None = None
    bid_size: int | None = None
    bid_exchange: str | None = None
    ask: Decimal | None = None
    ask_size: int | None = None
    ask_exchange: str | None = None
    open: Decimal | None = None
    high: Decimal | None = None
    low: Decimal | None = None
    close: Decimal | None = None
    prev_close: Decimal | None = None
    change: Decimal | None = None
    change_pct: Decimal | None = None
    volume: int | None = None
    num_trades: int | None = None
    trade_date: date | None = None
    avg_volume_10day: int | None = None
    week52_high: Decimal | None = None
    week52_high_date: date | None = None
    week52_low: Decimal | None = None
    week52_low_date: date | None = None
    ext_last: Decimal | None = None
    ext_last_size: int | None = None
    ext_last_time: datetime | None = None
    ext_last_exchange: str | None = None
    all_session_volume: int | None = None
    underlying: str | None = None
    strike: Decimal | None = None
    call_put: str | None = None
    expiration: date | None = None
    contract_size: int | None = None
    open_interest: int | None = None

    @property
    def mid(self) -> Decimal | None:
        """Half way between bid and ask, None unless both sides are quoted."""
        if self.bid is None or self.ask is None:
            return None
        return (self.bid + self.ask) / 2

    @property
    def mark(self) -> Decimal | None:
        """The price a position is valued at: the last price; for options the middle of bid and ask.

        Options trade rarely, so their last price may be old. The middle is rounded to the cent.
        """
        middle = self.mid
        if middle is not None and (self.kind == "option" or self.last is None):
            return middle.quantize(_CENT, rounding=ROUND_HALF_UP)
        return self.last


class Trade(Struct, frozen=True):
    """One print of time and sales.

    Attributes:
        time: When, to the millisecond.
        price: Dollars per share.
        size: Shares or contracts; 0 for an index value.
        exchange: Market identifier code of the venue.
        conditions: ``@`` regular, ``O`` opening print, ``6`` closing print, ``T`` extended hours.
        extended: Whether it lies outside the regular session (and so does not set the last price).
        bid, ask: The quote at the print.
    """

    time: datetime
    price: Decimal
    size: int
    exchange: str
    conditions: str
    extended: bool
    bid: Decimal
    ask: Decimal


class Bar(Struct, frozen=True):
    """Open, high, low, close and volume of one stretch of time.

    Attributes:
        start: First moment covered; for daily and wider bars the open of the first session.
        end: First moment no longer covered (the asked-for end, where that comes first).
        open, high, low, close: Prices in dollars.
        volume: Shares.
        trades: Number of trades.
        final: Whether the whole stretch lies before the asked-for end.
    """

    start: datetime
    end: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: int
    trades: int
    final: bool = True

    @property
    def date(self) -> date:
        """The New York date of the bar's start."""
        return self.start.date()


class Touch(Struct, frozen=True):
    """The earliest moment at which a price satisfied a condition.

    Attributes:
        time: The moment; ``Market.quote`` at this moment shows the prices below.
        bid, ask, last: The quote then.
    """

    time: datetime
    bid: Decimal | None
    ask: Decimal | None
    last: Decimal | None


class DepthLevel(Struct, frozen=True):
    """One venue's line in the book.

    Attributes:
        price: Dollars per share.
        size: Shares.
        exchange: Market identifier code of the venue.
        time: When the line last changed.
    """

    price: Decimal
    size: int
    exchange: str
    time: datetime


class Depth(Struct, frozen=True):
    """The level-two book of a symbol at a moment, best price first on both sides."""

    symbol: str
    time: datetime
    bids: list[DepthLevel]
    asks: list[DepthLevel]


class Greeks(Struct, frozen=True):
    """Sensitivities of an option, in the units of protocol 05 §3.3.

    Attributes:
        delta: Per 1.00 of the underlying: 0..1 for calls, -1..0 for puts.
        gamma: Change of delta per 1.00 of the underlying.
        theta: Per calendar day.
        vega: Per volatility point (0.01).
        rho: Per percentage point of the interest rate.
        intrinsic_value, time_value: The two parts of the mark, dollars per share.
        iv_bid, iv_mid, iv_ask: Implied volatilities as fractions (0.25 = 25 %); None where no
            volatility gives the price.
    """

    delta: Decimal
    gamma: Decimal
    theta: Decimal
    vega: Decimal
    rho: Decimal
    intrinsic_value: Decimal
    time_value: Decimal
    iv_bid: Decimal | None
    iv_mid: Decimal | None
    iv_ask: Decimal | None


class ExchangeQuote(Struct, frozen=True):
    """One exchange's quote of an option (protocol 03 §2).

    Attributes:
        symbol: The option symbol with dash, a dot and the exchange's letter.
        name, code, short_name: The exchange's name, two-letter code and short name.
        bid, ask: Dollars per share; 0 where the exchange does not bid.
        bid_size, ask_size: Contracts.
    """

    symbol: str
    name: str
    code: str
    short_name: str
    bid: Decimal
    bid_size: int
    ask: Decimal
    ask_size: int
