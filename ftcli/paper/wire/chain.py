"""Option chain, exchange quotes, time and sales as `fastquote` answers them (protocol 03 §1, 2, 4)."""

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ftcli.models import chain as models
from ftcli.models.field import write
from ftcli.models.market_data import Print
from ftcli.paper import options
from ftcli.paper.calendar import session_on
from ftcli.paper.quotes import Trade
from ftcli.paper.symbols import find as find_security
from ftcli.paper.wire.exchange import BadRequest, PaperReply, PaperRequest, answers
from ftcli.paper.wire.market_data import moment_of_chart
from ftcli.paper.wire.xml import tree_reply, xml_reply

if TYPE_CHECKING:
    from ftcli.paper.desk import Desk

DELAYED = "Delayed quotes not supported"
MOST_TRADES = 20_000
_CENT = Decimal("0.01")
_MONTAGE_ROW = ("se", "en", "ec", "es", "b", "bs", "a", "as")
_EXPIRY = {"weekly": models.ExpiryType.WEEKLY, "monthly": models.ExpiryType.MONTHLY}


def _symbol(request: PaperRequest) -> str:
    """The one symbol asked for (protocol 03 §1, 2, 4).

    Raises:
        BadRequest: It or the product id is missing.
    """
    if not request.query.get("productid"):
        raise BadRequest("Missing productid")
    symbol = request.query.get("symbols", "").strip()
    if not symbol:
        raise BadRequest("Missing symbols")
    return symbol


def _base(symbol: str, known: str = "", error: str = "") -> dict[str, str]:
    """The ``BASE`` element of chain and time and sales."""
    return {"ri": symbol, "err": "1" if error else "0", "us": known, "fs": known, "st": error}


@answers("GET", "/service/quote/chainLite", session=False)
def option_chain(desk: "Desk", request: PaperRequest) -> PaperReply:
    """The listed contracts of an underlying: XML, or JSON without its outer key (protocol 03 §1)."""
    if not desk.logins.is_live(request.cookies, desk.now()):
        return PaperReply(status=403)
    symbol = _symbol(request)
    security = find_security(symbol)
    error = "" if security else "Symbol not found"
    if not desk.logins.has_quotes(request.cookies):
        error = DELAYED
    if security is None or error:
        return tree_reply(request, "OPTIONCHAIN", {"BASE": _base(symbol, error=error)}, outer=False)
    chain = options.chain(desk.market, security.symbol, desk.now())
    listed = chain.expirations if chain else []
    reply = models.ChainReply(
        calls=[_expiration(day, day.calls) for day in listed],
        puts=[_expiration(day, day.puts) for day in listed],
    )
    sides = write(reply)["CHAIN"]
    tree = {
        "BASE": _base(symbol, security.symbol),
        "CHAIN": {side: sides[side] if sides[side]["EXP_DATE"] else {} for side in ("CALLS", "PUTS")},
    }
    return tree_reply(request, "OPTIONCHAIN", tree, outer=False)


def _expiration(
    day: options.ChainExpiration, contracts: list[options.OptionContract]
) -> models.ChainExpiration:
    return models.ChainExpiration(
        day=day.date,
        contracts=[
            models.ChainContract(
                symbol=contract.stream_symbol,
                root=contract.root,
                strike=contract.strike,
                expiry_type=_EXPIRY[day.kind],
            )
            for contract in contracts
        ],
    )


@answers("GET", "/service/quote/dtmontage")
def montage(desk: "Desk", request: PaperRequest) -> PaperReply:
    """An option's quote at every exchange, only for sessions with real-time quotes (protocol 03 §2)."""
    symbol = _symbol(request)
    blank = {"S": symbol, "err": "1", "cs": "", "fs": "", "ex": "", "st": "", "cp": "", "adj": ""}
    if not desk.logins.has_quotes(request.cookies):
        return tree_reply(request, "OPTIONS_MONTAGE", {"BASE": {**blank, "msg": DELAYED}}, outer=True)
    contract = options.find(symbol) if symbol.startswith("-") else None
    rows = options.option_montage(desk.market, contract, desk.now()) if contract else []
    if contract is None or not rows:
        return tree_reply(request, "OPTIONS_MONTAGE", {"BASE": blank}, outer=True)
    document = write(
        models.Montage(
            symbol=contract.stream_symbol,
            root=contract.root,
            expiration=contract.expiration,
            strike=contract.strike.quantize(_CENT),
            call_put=models.CallPut.CALL if contract.is_call else models.CallPut.PUT,
            adjusted="",
            quotes=[
                models.OptionExchangeQuote(
                    symbol=row.symbol,
                    exchange=row.name,
                    code=row.code,
                    short_name=row.short_name,
                    bid=row.bid,
                    bid_size=row.bid_size,
                    ask=row.ask,
                    ask_size=row.ask_size,
                )
                for row in rows
            ],
        )
    )
    base = {"S": "", "err": "0", "cs": "", "fs": contract.root, **document["BASE"]}
    quotes = [{name: row[name] for name in _MONTAGE_ROW} for row in document["EXCH_QUOTES"]["O"]]
    return tree_reply(request, "OPTIONS_MONTAGE", {"BASE": base, "EXCH_QUOTES": {"O": quotes}}, outer=True)


@answers("GET", "/service/timeandsales/v2")
def time_and_sales(desk: "Desk", request: PaperRequest) -> PaperReply:
    """Trades, oldest first, the newest where there are too many; always XML (protocol 03 §4)."""
    symbol = _symbol(request)
    security = find_security(symbol)
    contract = options.find(symbol) if security is None else None
    known = security.symbol if security else contract.stream_symbol if contract else ""
    error = "" if known else "Symbol not found"
    if not desk.logins.has_quotes(request.cookies):
        error = DELAYED
    if error:
        return xml_reply("TIMEANDSALES", {"BASE": _base(symbol, error=error)})
    start, end = _range(desk, request.query, known)
    extended = request.query.get("extendedHours", "N").upper() == "Y"
    text = request.query.get("count", "")
    count = min(int(text), MOST_TRADES) if text.isdecimal() else MOST_TRADES
    if contract is not None:
        trades = options.option_trades(desk.market, contract, start, end)
    else:
        # Extended hours are taken out below, so nothing may be cut off before.
        trades = desk.market.trades(known, start, end, count if extended else None)
    shown = [trade for trade in trades if extended or not trade.extended]
    rows = [_trade(trade) for trade in (shown[-count:] if count else [])]
    return xml_reply("TIMEANDSALES", {"BASE": _base(symbol, known), "TRADES": {"T": rows}})


def _range(desk: "Desk", query: dict[str, str], symbol: str) -> tuple[datetime, datetime]:
    """The range asked for, else the current session; the future has no trades."""
    now = desk.now()
    if "startDate" in query and "endDate" in query:
        return moment_of_chart(query["startDate"]), min(moment_of_chart(query["endDate"]), now)
    quote = desk.market.quote(symbol, now)
    session = session_on(quote.trade_date) if quote and quote.trade_date else None
    if session is None:
        return now, now
    extended = query.get("extendedHours", "N").upper() == "Y"
    return (session.pre_open if extended else session.open), now


def _trade(trade: Trade) -> dict[str, Any]:
    midnight = trade.time.replace(hour=0, minute=0, second=0, microsecond=0)
    row = write(
        Print(
            sequence=int((trade.time - midnight).total_seconds() * 1000),
            time=trade.time,
            price=trade.price,
            size=trade.size,
            exchange=trade.exchange,
            condition=trade.conditions,
            bid=trade.bid,
            ask=trade.ask,
            irregular=trade.extended,
        )
    )
    return {name: row[name] for name in ("sq", "dt", "p", "sz", "ex", "tc", "b", "a", "ir")}
