"""Quotes and charts as `fastquote` answers them (protocol 03 §3, 5)."""

import re
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ftcli.clock import NEW_YORK, market_date
from ftcli.models.field import write
from ftcli.models.json import dumps
from ftcli.models.market_data import Bar, Chart, ChartReply, SnapshotQuote
from ftcli.models.values import read_datetime
from ftcli.paper import symbols
from ftcli.paper.wire.exchange import BadRequest, PaperReply, PaperRequest, answers

if TYPE_CHECKING:
    from ftcli.paper.desk import Desk

SECURITY_TYPES = {
    "equity": ("Equity", "Common Stock"),
    "etf": ("Equity", "ETF"),
    "index": ("Index", ""),
    "mutual_fund": ("MutualFund", ""),
    "money_market": ("MutualFund", ""),
}
_INTRADAY = re.compile(r"[1-9]|[1-5]\d|60")
_LETTERS = {"D": "DAILY", "W": "WEEKLY", "M": "MONTHLY", "Q": "QUARTERLY", "Y": "YEARLY", "ANNUAL": "YEARLY"}
_WIDTHS = {"DAILY": "D", "WEEKLY": "W", "MONTHLY": "M", "QUARTERLY": "Q", "YEARLY": "Y"}


def trimmed(value: Decimal | None) -> Decimal | None:
    """A decimal without trailing zeros, as charts write prices (protocol 03 §3.3)."""
    if value is None:
        return None
    whole = value.to_integral_value()
    return whole if value == whole else value.normalize()


@answers("GET", "/service/quote/json", session=False)
def snapshot_quotes(desk: "Desk", request: PaperRequest) -> PaperReply:
    """Snapshot quotes: JSON in parentheses, keyed by symbol, all values text (protocol 03 §5)."""
    if request.query.get("productid") != "embeddedquotes":
        raise BadRequest("Missing productid")
    wanted = [symbol for symbol in request.query.get("symbols", "").split(",") if symbol]
    if not wanted:
        raise BadRequest("Missing symbols")
    quotes = {symbol: _quote_block(desk, symbol) for symbol in wanted}
    good = any(block["ERROR_CODE"] == "0" for block in quotes.values())
    status = (
        {"ERROR_CODE": "0", "ERROR_TEXT": "OK"}
        if good
        else {"ERROR_CODE": "1", "ERROR_TEXT": "No symbol found"}
    )
    document: dict[str, Any] = {"STATUS": status, "QUOTES": quotes}
    if request.query.get("market_close") == "1":
        document["MARKET_CLOSE"] = {"IS_OPEN": "Y" if desk.market.is_open(desk.now()) else "N"}
    callback = request.query.get("callback", "")
    return _script(callback, document)


def _quote_block(desk: "Desk", symbol: str) -> dict[str, Any]:
    security = symbols.find(symbol)
    name, kind, issue = "", "", ""
    if security is not None:
        name, (kind, issue) = security.name.upper(), SECURITY_TYPES[security.kind]
    elif symbol.startswith("-"):
        from ftcli.paper import options  # deferred: quotes of stocks need none of it

        if (contract := options.find(symbol)) is not None:
            name, kind = contract.description, "Option"
    quote = desk.market.quote(symbol, desk.now()) if kind else None
    if quote is None:
        return {"ERROR_CODE": "1", "ERROR_TEXT": "Symbol not found"}
    block = write(
        SnapshotQuote(
            name=name,
            security_type=kind,
            issue=issue,
            last=quote.last,
            change=quote.change,
            change_pct=quote.change_pct,
            previous_close=quote.prev_close,
            open=quote.open,
            high=quote.high,
            low=quote.low,
            bid=quote.bid,
            ask=quote.ask,
            volume=quote.volume,
            average_volume=quote.avg_volume_10day,
            trade_date=quote.trade_date,
            yield_7_day=security.yield_7day if security else None,
            error_code="0",
        )
    )
    return {"ERROR_CODE": block.pop("ERROR_CODE"), **block}


_RATINGS = (("1.0", "very bearish"), ("3.0", "bearish"), ("7.0", "neutral"), ("9.0", "bullish"))


@answers("GET", "/service/quote/full", session=False)
def full_quote(desk: "Desk", request: PaperRequest) -> PaperReply:
    """Quotes as XML with the equity summary score (protocol 03 §6)."""
    from ftcli.paper.company import opinion
    from ftcli.paper.wire.xml import xml_reply

    wanted = [symbol for symbol in request.query.get("symbols", "").split(",") if symbol]
    if not wanted or not request.query.get("productid") or not request.query.get("quotetype"):
        raise BadRequest("productid, quotetype and symbols are required")
    fine = [{"ERROR_CODE": ["0"], "ERROR_TEXT": ["OK"]}]
    quotes = []
    for symbol in wanted:
        block = _quote_block(desk, symbol)
        code = block.pop("ERROR_CODE")
        data = {"SYMBOL": symbol, **block} if code == "0" else {}
        security = symbols.find(symbol)
        score = opinion(security, market_date(desk.now())) if security and data else None
        if score is not None:
            data["EQUITY_SUMMARY_SCORE"] = f"{score:f}"
            rating = next((word for limit, word in _RATINGS if score <= Decimal(limit)), "very bullish")
            data["EQUITY_SUMMARY_RATING"] = rating
        quotes.append(
            {
                "REQUEST_SYMBOL": [symbol],
                "QUOTE_STATUS": {"ERROR_CODE": [code]},
                "QUOTE_DATA": {name: [value] for name, value in data.items()},
            }
        )
    return xml_reply("QUOTES", {"STATUS": fine, "QUOTE": quotes})


@answers("GET", "/service/marketdata/historical/chart/json", session=False)
def chart(desk: "Desk", request: PaperRequest) -> PaperReply:
    """Price bars as JSONP (protocol 03 §3)."""
    query = request.query
    callback, width = query.get("callback"), query.get("barWidth", "").upper()
    if callback is None or not width:
        raise BadRequest("callback and barWidth are required")
    width = _LETTERS.get(width, width)
    intraday = bool(_INTRADAY.fullmatch(width))
    if not intraday and width not in _WIDTHS:
        raise BadRequest(f"Unknown barWidth {width}")
    start, end = _range(query, desk.now())
    end = min(end, desk.now())
    entries = []
    for symbol in query.get("symbols", "").split(","):
        security = symbols.find(symbol.strip()) if symbol.strip() else None
        if security is not None:
            span = int(width) if intraday else _WIDTHS[width]
            extended = query.get("extendedHours", "N").upper() == "Y"
            bars = desk.market.bars(security.symbol, start, end, span, extended) if start < end else []
            entries.append(_chart_entry(desk, security, bars, intraday))
    return _script(callback, write(ChartReply(symbols=entries)))


def _chart_entry(desk: "Desk", security: symbols.Security, bars: list[Any], intraday: bool) -> Chart:
    quote = desk.market.quote(security.symbol, desk.now())
    assert quote is not None
    return Chart(
        symbol=security.symbol,
        name=security.description,
        last=trimmed(quote.last),
        trade_date=quote.trade_date,
        open=trimmed(quote.open),
        high=trimmed(quote.high),
        low=trimmed(quote.low),
        change=trimmed(quote.change),
        change_pct=trimmed(quote.change_pct),
        previous_close=trimmed(quote.prev_close),
        bars=[
            Bar(
                time=bar.start if intraday else datetime.combine(bar.start.date(), time(), NEW_YORK),
                open=trimmed(bar.open),
                close=trimmed(bar.close),
                high=trimmed(bar.high),
                low=trimmed(bar.low),
                volume=bar.volume,
            )
            for bar in bars
        ],
    )


def _range(query: dict[str, str], now: datetime) -> tuple[datetime, datetime]:
    """The range of a chart request; a range wins over ``numDays`` (protocol 03 §3.1)."""
    if "startDate" in query and "endDate" in query:
        start, end = (moment_of_chart(query[name]) for name in ("startDate", "endDate"))
        return start, end
    if query.get("numDays", "").isdigit():
        return now - timedelta(days=int(query["numDays"])), now
    raise BadRequest("startDate and endDate, or numDays, are required")


def moment_of_chart(text: str) -> datetime:
    """A chart moment; the time may be missing, and ``24:59:59`` ends the day (protocol 03 §3.1)."""
    day, _, clock = text.partition("-")
    whole_day = clock.startswith("24:")
    moment = read_datetime(f"{day}-{'00:00:00' if whole_day or not clock else clock}")
    if moment is None:
        raise BadRequest(f"Unreadable date {text}")
    return moment + timedelta(days=1) if whole_day else moment


def _script(callback: str, document: Any) -> PaperReply:
    body = callback.encode() + b"(" + dumps(document) + b")"
    return PaperReply(headers=[("Content-Type", "application/javascript;charset=utf-8")], body=body)
