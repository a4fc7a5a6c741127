"""What the paper market looks like on the MDDS wire: items for quotes, Greeks, books and bars (protocol 05 §3, 5)."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from ftcli.clock import NEW_YORK
from ftcli.models import streaming as models
from ftcli.models.mdds_items import Item, bar_item, book_item, greeks_item, quote_item, trade_item
from ftcli.paper import symbols

if TYPE_CHECKING:
    from ftcli.paper.desk import Desk
    from ftcli.paper.quotes import DepthLevel, Quote

_QUIET = timedelta(minutes=30)
"""How far back the last bar of a symbol without trades is looked for."""
_THIN = 3
"""Levels of a thin book."""
_CROSSED_EVERY = 5
"""A book that crosses does so for a second out of so many."""
SECURITY_TYPES = {"index": "IX", "option": "OP"}


def stream_quote(desk: "Desk", symbol: str, at: datetime) -> models.Quote | None:
    """The quote of a symbol as the stream knows it; ``None`` for an unknown symbol."""
    quote = desk.market.quote(symbol, at)
    if quote is None:
        return None
    shown = models.Quote(
        symbol=symbol,
        security_type=SECURITY_TYPES.get(quote.kind, "EQ"),
        currency="USD",
        quality="realtime",
        last=quote.last,
        last_size=quote.last_size,
        last_time=_clock_text(quote.last_time),
        last_exchange=quote.last_exchange,
        bid=quote.bid,
        bid_size=quote.bid_size,
        bid_exchange=quote.bid_exchange,
        ask=quote.ask,
        ask_size=quote.ask_size,
        open=quote.open,
        high=quote.high,
        low=quote.low,
        close=quote.close,
        prev_close=quote.prev_close,
        net_change=quote.change,
        net_change_pct=quote.change_pct,
        volume=quote.volume,
        num_trades=quote.num_trades,
        avg_volume_10day=quote.avg_volume_10day,
        volume_all_sessions=quote.all_session_volume,
        trade_date=quote.trade_date,
        week52_high=quote.week52_high,
        week52_high_date=quote.week52_high_date,
        week52_low=quote.week52_low,
        week52_low_date=quote.week52_low_date,
        ext_last=quote.ext_last,
        ext_last_size=quote.ext_last_size,
        ext_last_time=_clock_text(quote.ext_last_time),
        ext_last_exchange=quote.ext_last_exchange,
    )
    if quote.kind == "option":
        _add_contract(desk, shown, quote, at)
    else:
        _add_security(shown, symbol, quote)
    return shown


def _clock_text(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment.astimezone(NEW_YORK):%H:%M:%S}"


def _add_security(shown: models.Quote, symbol: str, quote: "Quote") -> None:
    security = symbols.find(symbol)
    if security is None:
        return
    shown.name = security.name
    shown.sector = security.sector or None
    shown.industry = security.industry or None
    if security.kind == "equity" and security.shares_outstanding and quote.prev_close:
        shown.shares_outstanding = security.shares_outstanding
        shown.market_cap = security.shares_outstanding * quote.prev_close
    if security.eps and quote.last:
        shown.pe_ratio = (quote.last / security.eps).quantize(Decimal("0.01"))
    if security.dividend and quote.last:
        shown.dividend_yield = (security.dividend / quote.last * 100).quantize(Decimal("0.0001"))


def _add_contract(desk: "Desk", shown: models.Quote, quote: "Quote", at: datetime) -> None:
    from ftcli.paper import options

    contract = options.find(shown.symbol)
    assert contract is not None
    shown.name = contract.description if hasattr(contract, "description") else None
    shown.underlying, shown.strike, shown.call_put = quote.underlying, quote.strike, quote.call_put
    shown.expiration, shown.contract_size = quote.expiration, quote.contract_size
    shown.open_interest, shown.option_root = quote.open_interest, contract.root
    greeks = options.option_greeks(desk.market, contract, at)
    if greeks is not None:
        shown.greeks = models.Greeks(
            delta=greeks.delta,
            gamma=greeks.gamma,
            vega=greeks.vega,
            theta=greeks.theta,
            rho=greeks.rho,
            intrinsic_value=greeks.intrinsic_value or None,
            time_value=greeks.time_value,
            iv_bid=greeks.iv_bid,
            iv_mid=greeks.iv_mid,
            iv_ask=greeks.iv_ask,
        )


def quote_items(desk: "Desk", symbol: str, at: datetime, greeks: bool) -> list[Item]:
    """The plain item of a symbol, and its ``.GK`` item where Greeks are wanted; none for an unknown symbol."""
    shown = stream_quote(desk, symbol, at)
    if shown is None or (shown.security_type == "OP" and shown.bid is None and shown.ask is None):
        return []  # unknown, or an option that has expired
    items = [quote_item(shown)]
    if greeks and shown.greeks is not None:
        items.append(greeks_item(shown))
    return items


def depth_items(desk: "Desk", symbol: str, at: datetime, form: str = "full") -> list[Item]:
    """The ``.VB`` item of a symbol's book; none where there is no book.

    Args:
        desk: The paper broker.
        symbol: The symbol.
        at: The moment.
        form: A value of the switch ``mdds_book``.
    """
    depth = desk.market.depth(symbol, at)
    if depth is None:
        return []
    most = _THIN if form == "thin" else None
    bids, asks = _levels(depth.bids[:most]), _levels(depth.asks[:most])
    if form == "crossed" and at.second % _CROSSED_EVERY == 0 and asks[0].price is not None:
        bids[0].price = asks[0].price + Decimal("0.01")
    return [book_item(models.Book(symbol=symbol, bids=bids, asks=asks))]


def _levels(lines: "list[DepthLevel]") -> list[models.BookLevel]:
    return [
        models.BookLevel(
            price=line.price,
            size=line.size,
            exchange=line.exchange,
            time=f"{line.time.astimezone(UTC):%H:%M:%S}.{line.time.microsecond // 1000:03d}",
            slot=slot,
        )
        for slot, line in enumerate(lines[:25])
    ]


def minute_items(desk: "Desk", symbol: str, at: datetime) -> list[Item]:
    """The item of the running one-minute bar, or of the last one before it while it has no trade yet.

    Returns:
        The bare symbol where it has not been traded for half an hour; nothing for an unknown symbol.
    """
    minute, end = at.replace(second=0, microsecond=0), at + timedelta(microseconds=1)
    bars = desk.market.bars(symbol, minute, end, 1, True)
    bars = bars or desk.market.bars(symbol, minute - _QUIET, end, 1, True)
    if not bars:
        return [{"6": symbol}] if desk.market.quote(symbol, at) is not None else []
    bar = bars[-1]
    item = bar_item(
        models.Bar(
            symbol=symbol,
            start=_clock_text(bar.start),
            end=_clock_text(bar.start + timedelta(minutes=1)),
            open=bar.open,
            high=bar.high,
            low=bar.low,
            close=bar.close,
            volume=bar.volume,
            trade_count=bar.trades,
        )
    )
    return [item]


def print_items(desk: "Desk", symbol: str, start: datetime, end: datetime) -> list[Item]:
    """Every trade from ``start`` to ``end``, both included, as the delta that carries it; the oldest first."""
    trades = desk.market.trades(symbol, start, end)
    regular = [trade for trade in trades if not trade.extended]
    volume: int | None = None
    if regular:
        quote = desk.market.quote(symbol, end)
        volume = None if quote is None else quote.volume
    if volume is not None:
        volume -= sum(trade.size for trade in regular)
    items = []
    for trade in trades:
        if volume is not None and not trade.extended:
            volume += trade.size
        items.append(
            trade_item(
                models.Trade(
                    symbol=symbol,
                    session="irregular" if trade.extended else "regular",
                    price=trade.price,
                    size=trade.size,
                    exchange=trade.exchange,
                    time=_clock_text(trade.time),
                    conditions=trade.conditions,
                    cum_volume=None if trade.extended else volume,
                )
            )
        )
    return items
