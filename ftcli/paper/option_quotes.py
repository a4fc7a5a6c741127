"""Quotes, Greeks, trades and per-exchange quotes of option contracts."""

from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING, Any

from ftcli.clock import NEW_YORK
from ftcli.paper.calendar import previous_trading_day
from ftcli.paper.noise import mix
from ftcli.paper.option_book import ContractBook, Session, UnderlyingTape
from ftcli.paper.option_contracts import MULTIPLIER, OptionContract
from ftcli.paper.option_pricing import implied_volatility, intrinsic, price, sensitivities
from ftcli.paper.quotes import ExchangeQuote, Greeks, Quote, Trade
from ftcli.paper.symbols import find as find_security
from ftcli.paper.tape import Recent, Tape
from ftcli.paper.timeline import (
    Span,
    epoch_milliseconds,
    first_millisecond,
    moment_of,
    next_span,
    previous_span,
    regular_span,
    span_at,
)

if TYPE_CHECKING:
    from ftcli.paper.market import Market

# Letter, code, short name and name; the first three are those of protocol 03 §2.3.
EXCHANGES = (
    ("W", "CB", "CBOE", "Chicago Board Options Exchange"),
    ("A", "AM", "AMEX", "NYSE Amex Options Market"),
    ("X", "PH", "PHLX", "NASDAQ OMX PHLX"),
    ("I", "IS", "ISE", "International Securities Exchange"),
    ("P", "PC", "ARCA", "NYSE Arca Options"),
    ("Q", "NQ", "NSDQ", "NASDAQ Options Market"),
    ("Z", "BZ", "BZX", "Cboe BZX Options Exchange"),
    ("M", "MI", "MIAX", "MIAX Options Exchange"),
)
_MICS = ("XCBO", "AMXO", "XPHL", "XISX", "ARCO", "XNDQ", "BATO", "XMIO")
_CENT = Decimal("0.01")
_GREEK = Decimal("0.000001")
_PERCENT = Decimal("0.0001")
_OLDEST_TRADE = 10  # sessions to look back for a last price
_NO_TRADES = (Session(), 0)


class OptionDesk:
    """All option contracts of one market.

    Args:
        tape: The prices.
        always_open: Whether trading goes on through the night.
    """

    def __init__(self, tape: Tape, always_open: bool) -> None:
        self.always_open = always_open
        self._tape = tape
        self._underlyings: dict[str, UnderlyingTape] = {}
        self._books: Recent[OptionContract, ContractBook] = Recent(2048)

    def book(self, contract: OptionContract) -> ContractBook | None:
        """A contract's tape, None when its underlying is unknown."""
        book = self._books.get(contract)
        if book is None:
            security = find_security(contract.underlying)
            if security is None or security.is_fund:
                return None
            underlying = self._underlyings.get(security.symbol)
            if underlying is None:
                underlying = self._underlyings[security.symbol] = UnderlyingTape(self._tape, security)
            book = ContractBook(underlying, contract)
            self._books.put(contract, book)
        return book

    def live(self, milliseconds: int) -> tuple[Span, int]:
        """The span and moment whose quote is shown: options have no extended hours."""
        span = span_at(milliseconds // 1000)
        if span.regular or self.always_open:
            return span, milliseconds
        regular = regular_span(span.day)
        return regular, 1000 * regular.end - 1


def money(cents: int) -> Decimal:
    """Cents as dollars."""
    return Decimal(cents).scaleb(-2)


def option_quote(market: "Market", contract: OptionContract, at: datetime) -> Quote | None:
    """The quote of an option at a moment, in the same form as a stock's.

    ``prev_close`` and ``close`` are the middle of the closing quotes. After expiration bid and ask are
    None and ``last`` is the settlement value.

    Returns:
        None when the underlying is unknown.
    """
    desk = market.option_desk
    book = desk.book(contract)
    if book is None:
        return None
    milliseconds = epoch_milliseconds(at)
    if milliseconds >= book.expiry_ms:
        return _expired_quote(book, at)
    span, moment = desk.live(milliseconds)
    day = span.day
    bid, ask = book.quote(span, moment)
    number = mix(book.key ^ (moment // 1000))
    volume, count, prices = _day_trades(desk, book, span, moment)
    last = _last_trade(desk, book, span, moment)
    previous = book.closing_mark(previous_trading_day(day))
    close = None if milliseconds < 1000 * regular_span(day).end else money(book.closing_mark(day))
    change, percent = _change(last[0] if last else None, previous)
    return Quote(
        symbol=contract.stream_symbol,
        kind="option",
        time=at.astimezone(NEW_YORK),
        bid=money(bid),
        bid_size=1 + (number & 127) if bid else 0,
        bid_exchange=_MICS[(number >> 8) & 7],
        ask=money(ask),
        ask_size=1 + ((number >> 16) & 127),
        ask_exchange=_MICS[(number >> 24) & 7],
        open=money(prices[0]) if prices else None,
        high=money(max(prices)) if prices else None,
        low=money(min(prices)) if prices else None,
        close=close,
        prev_close=money(previous),
        change=change,
        change_pct=percent,
        volume=volume,
        num_trades=count,
        trade_date=day,
        **_last_fields(last),
        **_contract_fields(book, day),
    )


def _last_fields(last: tuple[int, int, int, str] | None) -> dict[str, Any]:
    if last is None:
        return {}
    cents, size, moment, venue = last
    return {
        "last": money(cents),
        "last_size": size,
        "last_time": moment_of(moment),
        "last_exchange": venue,
        "last_conditions": "@",
    }


def _contract_fields(book: ContractBook, day: date) -> dict[str, Any]:
    contract = book.contract
    return {
        "underlying": contract.underlying,
        "strike": contract.strike,
        "call_put": contract.right,
        "expiration": contract.expiration,
        "contract_size": MULTIPLIER,
        "open_interest": book.day(day).open_interest,
    }


def _change(last: int | None, previous: int) -> tuple[Decimal | None, Decimal | None]:
    if last is None:
        return None, None
    change = money(last - previous)
    return change, (change * 100 / money(previous)).quantize(_PERCENT) if previous else None


def _day_trades(desk: OptionDesk, book: ContractBook, span: Span, moment: int) -> tuple[int, int, list[int]]:
    """Volume, number and prices of the trading day's trades so far."""
    spans = [span] if span.regular else [regular_span(span.day), span]
    volume, count, prices = 0, 0, []
    for part in spans:
        session, done = book.session(part, moment)
        if done:
            volume += session.volumes[done - 1]
            count += done
            prices += session.prices[:done]
    return volume, count, prices


def _last_trade(
    desk: OptionDesk, book: ContractBook, span: Span, moment: int
) -> tuple[int, int, int, str] | None:
    """Price, size, time and venue of the last trade, looking back over a few sessions."""
    for _ in range(2 * _OLDEST_TRADE):
        session, done = book.session(span, moment) if span.regular or desk.always_open else _NO_TRADES
        if done:
            size = session.volumes[done - 1] - (session.volumes[done - 2] if done > 1 else 0)
            venue = _MICS[session.venues[done - 1] & 7]
            return session.prices[done - 1], size, session.times[done - 1], venue
        span = previous_span(span)
        moment = 1000 * span.end - 1
    return None


def _expired_quote(book: ContractBook, at: datetime) -> Quote:
    contract = book.contract
    day = contract.expiry.date()
    value, previous = book.closing_mark(day), book.closing_mark(previous_trading_day(day))
    change, percent = _change(value, previous)
    fields = _contract_fields(book, day)
    fields["open_interest"] = 0
    return Quote(
        symbol=contract.stream_symbol,
        kind="option",
        time=at.astimezone(NEW_YORK),
        last=money(value),
        last_time=contract.expiry,
        close=money(value),
        prev_close=money(previous),
        change=change,
        change_pct=percent,
        trade_date=day,
        **fields,
    )


def option_trades(market: "Market", contract: OptionContract, start: datetime, end: datetime) -> list[Trade]:
    """Time and sales of an option from ``start`` to ``end``, both included, oldest first."""
    desk = market.option_desk
    book = desk.book(contract)
    if book is None:
        return []
    first, last = first_millisecond(start), min(epoch_milliseconds(end), book.expiry_ms - 1)
    trades = []
    span = span_at(first // 1000)
    while 1000 * span.start <= last:
        if span.regular or desk.always_open:
            session, done = book.session(span, last)
            before = 0
            for index in range(done):
                size, before = session.volumes[index] - before, session.volumes[index]
                if session.times[index] >= first:
                    trades.append(_trade(book, span, session, index, size))
        span = next_span(span)
    return trades


def _trade(book: ContractBook, span: Span, session: Session, index: int, size: int) -> Trade:
    bid, ask = book.quote(span, session.times[index])
    return Trade(
        time=moment_of(session.times[index]),
        price=money(session.prices[index]),
        size=size,
        exchange=_MICS[session.venues[index] & 7],
        conditions="@",
        extended=False,
        bid=money(bid),
        ask=money(ask),
    )


def option_greeks(market: "Market", contract: OptionContract, at: datetime) -> Greeks | None:
    """The Greeks and implied volatilities of an option at a moment (protocol 05 §3.3).

    Returns:
        None when the underlying is unknown or the option has expired.
    """
    desk = market.option_desk
    book = desk.book(contract)
    if book is None or epoch_milliseconds(at) >= book.expiry_ms:
        return None
    span, moment = desk.live(epoch_milliseconds(at))
    facts = book.day(span.day)
    spot = book.underlying.spot(span, moment)
    terms = book.terms(facts, spot, moment)
    bid, ask = book.quote(span, moment)
    greeks = sensitivities(terms)
    middle = (bid + ask) / 200.0
    inner = intrinsic(terms)
    return Greeks(
        delta=_rounded(greeks.delta),
        gamma=_rounded(greeks.gamma),
        theta=_rounded(greeks.theta),
        vega=_rounded(greeks.vega),
        rho=_rounded(greeks.rho),
        intrinsic_value=_rounded(inner, _PERCENT),
        time_value=_rounded(max(middle - inner, 0.0), _PERCENT),
        iv_bid=_volatility(implied_volatility(terms, bid / 100.0)),
        iv_mid=_volatility(implied_volatility(terms, middle)),
        iv_ask=_volatility(implied_volatility(terms, ask / 100.0)),
    )


def _rounded(value: float, places: Decimal = _GREEK) -> Decimal:
    return Decimal(value).quantize(places, rounding=ROUND_HALF_EVEN)


def _volatility(value: float | None) -> Decimal | None:
    return None if value is None else _rounded(value)


def theoretical_price(market: "Market", contract: OptionContract, at: datetime) -> float | None:
    """The Black-Scholes price of an option at a moment, in dollars per share.

    Calls and puts of one strike and expiration satisfy put-call parity. After expiration it is the
    settlement value.
    """
    desk = market.option_desk
    book = desk.book(contract)
    if book is None:
        return None
    if epoch_milliseconds(at) >= book.expiry_ms:
        return book.closing_mark(contract.expiry.date()) / 100.0
    span, moment = desk.live(epoch_milliseconds(at))
    return price(book.terms(book.day(span.day), book.underlying.spot(span, moment), moment))


def settlement_value(market: "Market", contract: OptionContract) -> Decimal | None:
    """What an option is worth at expiration: its intrinsic value at the underlying's closing price."""
    book = market.option_desk.book(contract)
    if book is None:
        return None
    underlying = book.underlying.book
    spot = underlying.price(underlying.days.close_on(contract.expiry.date()))
    return contract.intrinsic(spot).quantize(_CENT)


def option_montage(market: "Market", contract: OptionContract, at: datetime) -> list[ExchangeQuote]:
    """Every exchange's quote of an option; the best of them are the quote's bid and ask.

    Returns:
        Nothing when the underlying is unknown or the option has expired.
    """
    quote = option_quote(market, contract, at)
    if quote is None or quote.bid is None or quote.ask is None:
        return []
    assert quote.bid_size is not None
    assert quote.ask_size is not None
    assert quote.bid_exchange is not None
    assert quote.ask_exchange is not None
    best_bid, best_ask = _MICS.index(quote.bid_exchange), _MICS.index(quote.ask_exchange)
    book = market.option_desk.book(contract)
    assert book is not None
    _, moment = market.option_desk.live(epoch_milliseconds(at))
    tick = Decimal("0.01") if quote.bid < 3 else Decimal("0.05")
    rows = []
    for index, (letter, code, short_name, name) in enumerate(EXCHANGES):
        number = mix(mix(book.key ^ (moment // 2000)) + index)
        bid = quote.bid if index == best_bid else max(quote.bid - (number & 3) * tick, Decimal("0.00"))
        bid_size = quote.bid_size if index == best_bid else 1 + ((number >> 8) & 63)
        ask = quote.ask if index == best_ask else quote.ask + ((number >> 2) & 3) * tick
        ask_size = quote.ask_size if index == best_ask else 1 + ((number >> 16) & 63)
        rows.append(
            ExchangeQuote(
                symbol=f"{contract.stream_symbol}.{letter}",
                name=name,
                code=code,
                short_name=short_name,
                bid=bid,
                bid_size=bid_size if bid else 0,
                ask=ask,
                ask_size=ask_size,
            )
        )
    return rows
