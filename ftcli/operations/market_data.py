"""Quotes, charts, option chains, time and sales, markets (protocol 03)."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated

from ftcli.clock import NEW_YORK, market_date
from ftcli.errors import ValidationFailed
from ftcli.models.chain import CallPut, Chain, Montage
from ftcli.models.field import read
from ftcli.models.market_data import (
    BarWidth,
    Chart,
    MarketRoute,
    Markets,
    Quotes,
    Subscriptions,
    TimeAndSales,
)
from ftcli.models.option_symbol import OptionSymbol
from ftcli.operations.dp import check_said, dp_post
from ftcli.operations.fastquote import check_base, fastquote, quote_symbol, tree_of
from ftcli.operations.moments import clean_moment, midnight
from ftcli.operations.operation import Group, Param, operation, with_reply
from ftcli.operations.params import (
    AcctIds,
    Symbol,
    Symbols,
    clean_account,
    clean_day,
    clean_symbol,
    clean_symbols,
)
from ftcli.operations.snapshots import MOST_SYMBOLS, fetch_quotes
from ftcli.wire import WireRequest

SUBSCRIPTIONS = "/ftgw/dp/customer-paid-subscriptions/v1/customers/subscriptions"
_DEFAULT_SPAN = {
    BarWidth.DAY: "6m",
    BarWidth.WEEK: "2y",
    BarWidth.MONTH: "5y",
    BarWidth.QUARTER: "10y",
    BarWidth.YEAR: "20y",
}
_HOURS = (
    "opens",
    "closes",
    "short_sales_from",
    "short_sales_to",
    "market_orders_from",
    "market_orders_to",
    "market_orders_accepted_from",
    "market_orders_accepted_to",
)

Option = Annotated[
    str,
    Param(
        "Option, in any spelling: -AAPL270115C150, AAPL270115C150 or 'AAPL 2027-01-15 150 C'.",
        argument=True,
        complete="symbols",
        example="AAPL270115C150",
    ),
]


class MarketData(Group):
    """Quotes, charts and option chains."""

    name = "market_data"

    @operation(
        "GET",
        "/market-data/quotes",
        inferred=True,
        examples=("market-data quotes AAPL TSLA", "market-data quotes .SPX -o json"),
    )
    async def quotes(self, symbols: Symbols) -> Quotes:
        """Show snapshot quotes of up to 100 symbols.

        Symbols the broker has no quote for are listed under ``problems``.

        Raises:
            NotFound: The broker knows none of the symbols.

        Source: protocol 03 §5.
        """
        wanted = clean_symbols(
            [quote_symbol(symbol, "symbols") for symbol in symbols if symbol.strip()], limit=MOST_SYMBOLS
        )
        return with_reply(*await fetch_quotes(self.core, wanted))

    @operation(
        "GET",
        "/market-data/chart/{symbol}",
        examples=(
            "market-data chart AAPL",
            "market-data chart AAPL --width 5 --from 2d",
            "market-data chart SPY --width week",
            "market-data chart AAPL --width 1 --from 2026-07-08T09:30 --to 2026-07-08T16:00",
        ),
    )
    async def chart(
        self,
        symbol: Symbol,
        width: Annotated[
            BarWidth,
            Param("Width of a bar, any number of minutes from 1 to 60, or a calendar unit", example="day"),
        ] = BarWidth.DAY,
        start: Annotated[
            str | None,
            Param(
                "Start: a date, a moment such as 2026-07-08T09:30, or ytd, 30d, 6m ...",
                cli=("--from",),
                example="30d",
            ),
        ] = None,
        end: Annotated[
            str | None,
            Param(
                "End, not included: a date (its midnight), a moment or a word; now where left out.",
                cli=("--to",),
            ),
        ] = None,
        extended: Annotated[bool, Param("Include pre-market and after-hours bars.")] = False,
    ) -> Chart:
        """Show price bars of a symbol, oldest first.

        Without a range: six months of days, the last two days of minutes. Times are New York times of the
        start of a bar. Any range will do: long ranges of minute bars are fetched in pages.

        Raises:
            NotFound: The broker has no data for the symbol.

        Source: protocol 03 §3.
        """
        from ftcli.operations.charts import fetch_chart

        name = quote_symbol(symbol)
        between = self._range(width, start, end)
        return with_reply(*await fetch_chart(self.core, name, width, between, extended=extended))

    def _range(self, width: BarWidth, start: str | None, end: str | None) -> tuple[datetime, datetime]:
        """The half-open range of a chart, in New York time."""
        now = self.core.now()
        last = clean_moment(end or "now", now, "end")
        if start:
            first = clean_moment(start, now, "start")
        elif width.intraday:
            first = midnight(market_date(last) - timedelta(days=1))
        else:
            first = midnight(clean_day(_DEFAULT_SPAN[width], last, "start"))
        if first >= last:
            raise ValidationFailed.of(
                "start", start or first.date(), f"be before the end, {last:%Y-%m-%d %H:%M}"
            )
        return first, last

    @operation(
        "GET",
        "/market-data/chain/{symbol}",
        examples=(
            "market-data chain AAPL",
            "market-data chain AAPL --expiration 2027-01 --type call --strikes 10",
            "market-data chain SPY --expiration all --strikes 0 --no-prices -o csv",
            "market-data chain AAPL --greeks --columns symbol,strike,bid,ask,delta,implied_volatility",
        ),
    )
    async def chain(
        self,
        symbol: Symbol,
        expiration: Annotated[
            list[str] | None,
            Param(
                "Expirations: 2027-01-15, 2027-01 (a month), next, or all. The next one where left out.",
                cli=("--expiration", "-e"),
                example=["next"],
            ),
        ] = None,
        strikes: Annotated[
            int | None,
            Param("How many strikes nearest the money; 0 for all. 20 unless bounds are given."),
        ] = None,
        min_strike: Annotated[Decimal | None, Param("Lowest strike.")] = None,
        max_strike: Annotated[Decimal | None, Param("Highest strike.")] = None,
        call_put: Annotated[CallPut | None, Param("Calls or puts only.", cli=("--type",))] = None,
        prices: Annotated[bool, Param("Fetch bid, ask, last price and volume of every contract.")] = True,
        greeks: Annotated[bool, Param("Compute implied volatility and Greeks from bid and ask.")] = False,
        rate: Annotated[Decimal, Param("Risk-free interest for the Greeks, percent a year.")] = Decimal(4),
    ) -> Chain:
        """Show the options of an underlying: expirations, strikes, bid and ask, what is in the money.

        The broker's chain carries contracts only. Bid and ask come from snapshot quotes of the contracts;
        what has none is shown without. Implied volatility and Greeks are computed here and only on demand:
        Black's formula on the middle of bid and ask, with the forward price from put-call parity.

        Raises:
            NotFound: The broker knows no such underlying.
            ValidationFailed: An expiration is not listed, or bounds make no sense.

        Source: protocol 03 §1, 5.
        """
        from ftcli.operations.option_chain import Wanted, fetch_chain

        wanted = Wanted(
            expirations=expiration or [],
            strikes=strikes,
            lowest=min_strike,
            highest=max_strike,
            call_put=call_put,
            prices=prices,
            greeks=greeks,
            rate=rate,
        )
        return with_reply(*await fetch_chain(self.core, clean_symbol(symbol), wanted))

    @operation(
        "GET",
        "/market-data/montage/{symbol}",
        examples=("market-data montage AAPL270115C150", "market-data montage 'AAPL 2027-01-15 150 C'"),
    )
    async def montage(self, symbol: Option) -> Montage:
        """Show an option's quote at every exchange.

        Raises:
            NotFound: The broker has no quotes for it: unknown or expired.
            BrokerError: The login has no real-time quotes.

        Source: protocol 03 §2.
        """
        option = OptionSymbol.parse(symbol)
        query = {"symbols": option.dashed, "productid": "atn"}
        reply = await self.core.send(fastquote("/service/quote/dtmontage", query))
        tree = tree_of(reply, "OPTIONS_MONTAGE")
        check_base(tree.get("BASE"), option.dashed, "exchange quotes")
        answer = read(Montage, tree)
        answer.symbol = answer.symbol or option.dashed
        for quote in answer.quotes:
            quote.bid, quote.ask = quote.bid or None, quote.ask or None  # 0 stands for no quote
        answer.best_bid = max((quote.bid for quote in answer.quotes if quote.bid is not None), default=None)
        answer.best_ask = min((quote.ask for quote in answer.quotes if quote.ask is not None), default=None)
        return with_reply(answer, reply)

    @operation(
        "GET",
        "/market-data/time-and-sales/{symbol}",
        inferred=True,
        examples=(
            "market-data time-and-sales AAPL",
            "market-data time-and-sales AAPL --from 09:30 --to 09:35 --count 0 -o csv",
        ),
    )
    async def time_and_sales(
        self,
        symbol: Symbol,
        start: Annotated[
            str | None,
            Param(
                "Start: a moment such as 2026-07-08T09:30, 09:30 (today), a date or a word.", cli=("--from",)
            ),
        ] = None,
        end: Annotated[str | None, Param("End, included; now where left out.", cli=("--to",))] = None,
        count: Annotated[int, Param("How many trades at most, the newest; 0 for all.")] = 100,
        extended: Annotated[bool, Param("Include pre-market and after-hours trades.")] = False,
    ) -> TimeAndSales:
        """List the trades of a stock, index or option, oldest first.

        Without a range: those of the current session. ``truncated`` says whether there are earlier ones.

        Raises:
            NotFound: The broker knows no such symbol.
            BrokerError: The login has no real-time quotes.

        Source: protocol 03 §4.
        """
        from ftcli.operations.time_and_sales import fetch_trades

        name = quote_symbol(symbol)
        if count < 0:
            raise ValidationFailed.of("count", count, "be 0 (all) or above")
        between = None
        if start or end:
            now = self.core.now()
            last = clean_moment(end or "now", now, "end")
            first = clean_moment(start, now, "start") if start else midnight(last.astimezone(NEW_YORK).date())
            if first > last:
                raise ValidationFailed.of(
                    "start", start or first, f"be before the end, {last:%Y-%m-%d %H:%M}"
                )
            between = first, last
        return with_reply(*await fetch_trades(self.core, name, between, count, extended=extended))

    @operation(
        "GET",
        "/market-data/markets/{symbol}",
        examples=("market-data markets AAPL", "market-data markets AAPL -a Z20000025 -o json"),
    )
    async def markets(self, symbol: Symbol, acct_ids: AcctIds = None) -> Markets:
        """Show the markets an order can be directed to, with their hours and the orders they take.

        Times are New York times.

        Raises:
            NotFound: The broker knows no such symbol, or the login no such account.

        Source: protocol 03 §7.
        """
        name = clean_symbol(symbol)
        accounts = [clean_account(acct) for acct in acct_ids or []] or await self.core.default_accounts()
        for acct in accounts:
            await self.core.account(acct)
        body = {"symbol": name, "accounts": accounts, "requestType": "", "isCheckShares": False}
        reply = await self.core.send(dp_post("reference/security/stock/availablemarket/v1", body))
        answer = read(Markets, check_said(reply, "security", name))
        answer.symbol = answer.symbol or name
        for market in answer.markets:
            _read_hours(market)
        return with_reply(answer, reply)

    @operation("GET", "/market-data/subscriptions", inferred=True, examples=("market-data subscriptions",))
    async def subscriptions(self) -> Subscriptions:
        """Show the paid market-data subscriptions of the login, and whether professional rates apply.

        Source: protocol 03 §16.
        """
        reply = await self.core.send(WireRequest(host="dp", method="GET", path=SUBSCRIPTIONS))
        document = check_said(reply, "subscriptions", "subscriptions")
        return with_reply(read(Subscriptions, document), reply)


def _read_hours(market: MarketRoute) -> None:
    """The broker's ``93000`` as ``09:30:00``; its ``0`` says that there is no such limit (protocol 03 §7)."""
    for name in _HOURS:
        text = getattr(market, name)
        if text is not None and text.isdecimal():
            digits = text.zfill(6)
            setattr(market, name, f"{digits[:-4]}:{digits[-4:-2]}:{digits[-2:]}" if int(text) else None)
