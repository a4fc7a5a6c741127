"""Research: earnings, dividends, search, option analytics, scans, news access (protocol 03 §8-12, 15)."""

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from ftcli.errors import NotFound, ValidationFailed
from ftcli.models.field import as_list, read
from ftcli.models.json import dumps
from ftcli.models.market_data import SymbolProblem
from ftcli.models.option_symbol import OptionSymbol
from ftcli.models.research import (
    Analytics,
    AnalyticsRequest,
    DividendPayment,
    Dividends,
    DividendsReply,
    DividendSummary,
    Earnings,
    EarningsReply,
    EarningsSecurity,
    EquitySummary,
    Evaluation,
    NewsAccess,
    Scan,
    SearchResults,
)
from ftcli.models.values import read_date, read_text
from ftcli.operations.dp import check_said, dp_get, dp_post
from ftcli.operations.fastquote import fastquote, find_with, tree_of
from ftcli.operations.notebooks import Notebooks
from ftcli.operations.operation import Core, Group, Param, operation, with_reply
from ftcli.operations.params import Symbol, Symbols, clean_symbol, clean_symbols
from ftcli.redaction import MASK, Secret, redact_tree
from ftcli.wire import WireReply, WireRequest

if TYPE_CHECKING:
    from ftcli.operations.screener import Scanner

_MOST_LEGS = 20


class Research(Group):
    """Earnings, dividends, search, option analytics, scans, notes."""

    name = "research"

    def __init__(self, core: Core) -> None:
        super().__init__(core)
        self.notebooks = Notebooks(core)
        self._scanner: Scanner | None = None

    @operation(
        "GET", "/research/earnings", examples=("research earnings AAPL", "research earnings AAPL MSFT -o csv")
    )
    async def earnings(self, symbols: Symbols) -> Earnings:
        """Show reported and expected earnings per share, quarter by quarter.

        The surprise is earnings less consensus, computed here.

        Raises:
            NotFound: The broker knows none of the symbols.

        Source: protocol 03 §8.
        """
        wanted = clean_symbols(symbols)
        reply = await self.core.send(dp_get("research/earning/v1", {"fvSymbol": "|".join(wanted)}))
        entries = read(EarningsReply, check_said(reply, "earning", ", ".join(wanted))).entries
        answer = Earnings()
        for entry in entries:
            for quarter in entry.quarters:
                quarter.symbol = entry.symbol
                parts = (quarter.fiscal_year, quarter.fiscal_quarter and f"Q{quarter.fiscal_quarter}")
                quarter.period = " ".join(str(part) for part in parts if part)
                quarter.reported = quarter.eps is not None
                if quarter.eps is not None and quarter.consensus is not None:
                    quarter.surprise = quarter.eps - quarter.consensus
            security = msgspec.convert(entry, EarningsSecurity, from_attributes=True)
            coming = [item.report_date for item in entry.quarters if item.report_date and not item.reported]
            security.next_report_date = min(coming, default=None)
            answer.securities.append(security)
            answer.quarters += entry.quarters
        known = {
            name for entry in entries if entry.classification or entry.quarters for name in _names(entry)
        }
        told = {name for entry in entries if entry.quarters for name in _names(entry)}
        answer.problems = _problems(wanted, known, told, "earnings")
        return with_reply(answer, reply)

    @operation(
        "GET",
        "/research/dividends",
        examples=("research dividends KO PEP", "research dividends AAPL -o json"),
    )
    async def dividends(self, symbols: Symbols) -> Dividends:
        """Show what securities pay: latest dividend, ex-date, yield, and the history of payments.

        Raises:
            NotFound: The broker knows none of the symbols.

        Source: protocol 03 §9.
        """
        wanted = clean_symbols(symbols)
        reply = await self.core.send(dp_get("research/dividend/v1", {"fvSymbol": "|".join(wanted)}))
        entries = read(DividendsReply, check_said(reply, "dividend", ", ".join(wanted))).entries
        answer, told = Dividends(), set()
        for entry in entries:
            # The broker's order is not documented: latest ex-date first.
            payments = sorted(entry.payments, key=_ex_date, reverse=True)
            summary = msgspec.convert(entry, DividendSummary, from_attributes=True)
            if payments:
                summary.frequency, summary.pay_date = payments[0].frequency, payments[0].pay_date
            for payment in payments:
                payment.symbol = entry.symbol
            answer.history += payments
            if payments or summary.amount is not None:
                answer.dividends.append(summary)
                told |= _names(entry)
        known = {name for entry in entries if entry.classification or entry.amount for name in _names(entry)}
        answer.problems = _problems(wanted, known, told, "dividends")
        return with_reply(answer, reply)

    @operation(
        "GET",
        "/research/equity-summary/{symbol}",
        inferred=True,
        examples=("research equity-summary AAPL",),
    )
    async def equity_summary(self, symbol: Symbol) -> EquitySummary:
        """Show the equity summary score of a stock: what many analysts' opinions come to.

        Funds and indices have none.

        Raises:
            NotFound: The broker does not know the symbol.

        Source: protocol 03 §6.
        """
        name = clean_symbol(symbol)
        query = {"productid": "iphone", "app": "AppleTV", "quotetype": "D", "symbols": name}
        reply = await self.core.send(
            fastquote("/service/quote/full", query, accept="application/xml, text/xml")
        )
        # Where the values stand is known by position only; the child LAST_PRICE marks the place.
        values = find_with(tree_of(reply, "QUOTES"), "LAST_PRICE")
        if values is None:
            raise NotFound(f"The broker has no quote for {name}.", details={"symbol": name})
        answer = read(EquitySummary, values)
        answer.symbol = answer.symbol or name
        return with_reply(answer, reply)

    @operation("GET", "/research/search", examples=("research search apple", "research search .SPX -o json"))
    async def search(
        self,
        q: Annotated[str, Param("Start of a symbol, or words of a name.", argument=True, example="apple")],
    ) -> SearchResults:
        """Find securities by symbol or name, best first.

        Source: protocol 03 §10.
        """
        text = " ".join(q.split())
        if len(text) > 100:
            raise ValidationFailed.of("q", f"{text[:20]}…", "be 100 characters at most")
        reply = await self.core.send(dp_get("search/autosuggest/v1", {"q": text}))
        answer = read(SearchResults, check_said(reply, "quotes", text))
        answer.results = [result for result in answer.results if result.symbol]
        for result in answer.results:
            result.has_options = bool(result.options)
        if answer.count is None:
            answer.count = len(answer.results)
        return with_reply(answer, reply)

    @operation(
        "POST",
        "/research/analytics",
        examples=(
            "research analytics --legs 'symbol=AAPL 2027-01-15 300 C,quantity=1,price=5.20'",
            "research analytics --legs symbol=AAPL270115C300,quantity=1 --legs symbol=AAPL,quantity=-100",
        ),
    )
    async def analytics(self, position: Annotated[AnalyticsRequest, Param("The position.")]) -> Analytics:
        """Evaluate an option position: profit, break-even, probability of profit, best and worst case.

        One row for the whole position, then one per leg. Profit and loss are dollars for the whole quantity.

        Raises:
            ValidationFailed: A leg makes no sense.
            NotFound: The broker does not know a symbol.

        Source: protocol 03 §11.
        """
        body, names = _analytics_body(position)
        reply = await self.core.send(dp_post("research/option/positions/analytics/v1", body))
        document = check_said(reply, "positionsAnalyticsDataDetails", body["underlyingSymbol"])
        answer = Analytics(underlying=body["underlyingSymbol"])
        for entry in as_list(document.get("positionsAnalyticsDataDetails")):
            if isinstance(entry, dict):
                answer.evaluations += _evaluations(entry, names)
        return with_reply(answer, reply)

    @operation(
        "POST",
        "/research/screener",
        examples=("research screener 2", "research screener 2 --limit 10 -o csv"),
    )
    async def screener(
        self,
        scan_id: Annotated[
            int,
            Param(
                "Number of the scan; 2 is high call volume, others are not documented.",
                argument=True,
                example=2,
            ),
        ],
    ) -> Scan:
        """Run one of the broker's market scans.

        The scans are another company's: the broker's session is exchanged for a token of theirs, which is
        kept in memory until it expires. Columns differ from scan to scan; all of them are under ``fields``.

        Raises:
            BrokerError: The exchange was refused, or the scan failed.

        Source: protocol 03 §12.
        """
        from ftcli.operations.screener import Scanner

        if not 1 <= scan_id <= 1_000_000:
            raise ValidationFailed.of("scan_id", scan_id, "be a number from 1 on, such as 2")
        if self._scanner is None:
            self._scanner = Scanner(self.core)
        return with_reply(*await self._scanner.run(scan_id))

    @operation("POST", "/research/news-access", examples=("research news-access",))
    async def news_access(
        self,
        reveal: Annotated[
            bool,
            Param(
                "Show the token: whoever has it reads the feed in your name. Over HTTP it takes the scope admin.",
                tells_secret=True,
            ),
        ] = False,
    ) -> NewsAccess:
        """Ask for access to the news feed: its hosts, and a token that stays masked unless you ask for it.

        Raises:
            BrokerError: The login may not read the feed.

        Source: protocol 03 §15.
        """
        reply = await self.core.send(WireRequest(host="news", method="POST", path="/ftgw/snaz/Authorize"))
        answer = read(NewsAccess, check_said(reply, "AccessToken", "news access"))
        if answer.access_token:
            Secret(answer.access_token)  # masked from now on wherever it turns up
        if reveal:
            return with_reply(answer, reply)
        answer.access_token = MASK if answer.access_token else ""
        return with_reply(answer, _masked(reply))


def _names(entry: Any) -> set[str]:
    """The names an entry goes by, without the signs in which spellings differ."""
    return {_bare(name) for name in (entry.symbol, entry.requested) if name}


def _bare(symbol: str) -> str:
    return "".join(sign for sign in symbol.upper() if sign.isalnum())


def _ex_date(payment: DividendPayment) -> str:
    return payment.ex_date.isoformat() if payment.ex_date else ""


def _problems(wanted: list[str], known: set[str], told: set[str], what: str) -> list[SymbolProblem]:
    """The symbols there is nothing to tell about.

    Raises:
        NotFound: The broker does not know any of them.
    """
    if not any(_bare(symbol) in known | told for symbol in wanted):
        raise NotFound(f"The broker has no {what} for {', '.join(wanted)}.", details={"symbols": wanted})
    missing = [symbol for symbol in wanted if _bare(symbol) not in told]
    return [SymbolProblem(symbol=symbol, reason=f"no {what}") for symbol in missing]


def _analytics_body(position: AnalyticsRequest) -> tuple[dict[str, Any], list[tuple[str, int]]]:
    """The broker's body, and name and quantity of each leg (protocol 03 §11)."""
    if not 1 <= len(position.legs) <= _MOST_LEGS:
        raise ValidationFailed.of("legs", len(position.legs) or None, f"be one to {_MOST_LEGS} legs")
    if not 1 <= position.volatility_period <= 1000:
        raise ValidationFailed.of(
            "volatility_period", position.volatility_period, "be days, such as 30 or 90"
        )
    legs, names, underlying = [], [], ""
    for number, leg in enumerate(position.legs):
        option = OptionSymbol.parse_or_none(leg.symbol)
        symbol = option.compact if option else clean_symbol(leg.symbol, f"legs[{number}].symbol")
        if leg.quantity == 0:
            raise ValidationFailed.of(f"legs[{number}].quantity", 0, "be above or below zero")
        if not leg.price.is_finite() or leg.price < 0:
            raise ValidationFailed.of(f"legs[{number}].price", leg.price, "be 0 or above")
        underlying = underlying or (option.underlying if option else symbol)
        legs.append({"symbol": symbol, "qty": leg.quantity, "price": leg.price, "equity": option is None})
        names.append((symbol, leg.quantity))
    if position.underlying_symbol:
        underlying = clean_symbol(position.underlying_symbol, "underlying_symbol")
    body = {
        "underlyingSymbol": underlying,
        "posDetails": [legs],
        "hvDetail": {"volatilityPeriod": str(position.volatility_period)},
        "evalDaysDetail": {"evalAtExpiry": position.eval_at_expiry},
    }
    return body, names


def _evaluations(entry: dict[str, Any], names: list[tuple[str, int]]) -> list[Evaluation]:
    """The rows of one day: one position was asked for, so its legs are those of the request, in order."""
    day, found = read_date(entry.get("evalDate")), []
    for position in as_list(entry.get("positionDetails")):
        if not isinstance(position, dict):
            continue
        if isinstance(position.get("positionDetail"), dict):
            found.append(_evaluation(position["positionDetail"], "position", None))
        for number, block in enumerate(as_list(position.get("legDetails"))):
            name, quantity = names[number] if number < len(names) else (f"leg {number + 1}", None)
            if isinstance(block, dict):
                found.append(_evaluation(block, name, quantity))
    for evaluation in found:
        evaluation.day = day
    return found


def _evaluation(block: dict[str, Any], leg: str, quantity: int | None) -> Evaluation:
    evaluation = read(Evaluation, block)
    evaluation.leg, evaluation.quantity = leg, quantity
    evaluation.unlimited_profit = _is_infinite(block.get("maxProfit"))
    evaluation.unlimited_loss = _is_infinite(block.get("maxLoss"))
    return evaluation


def _is_infinite(value: Any) -> bool:
    """The broker writes the infinite as text."""
    if isinstance(value, Decimal):
        return value.is_infinite()
    return (read_text(value) or "").lstrip("+-").lower() in ("infinity", "inf")


def _masked(reply: WireReply) -> WireReply:
    """An answer without its secrets: not even ``-o raw`` shows them unasked."""
    document = redact_tree(reply.document)
    return WireReply(status=reply.status, headers=reply.headers, body=dumps(document), document=document)
