"""Earnings, dividends, search, order routes and option analytics as `dp` answers them (protocol 03 §7-11)."""

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ftcli.clock import market_date
from ftcli.models import research as models
from ftcli.models.field import as_list, write
from ftcli.models.market_data import MarketRoute
from ftcli.models.values import read_bool, read_decimal, read_int, read_text
from ftcli.paper import company
from ftcli.paper.symbols import Security, find, search
from ftcli.paper.wire.exchange import BadRequest, PaperRequest, answers, member

if TYPE_CHECKING:
    from ftcli.paper.analytics import Leg, Outcome
    from ftcli.paper.desk import Desk

CLASSIFICATIONS = {
    "equity": "Common Stock",
    "etf": "Exchange Traded Fund",
    "index": "Index",
    "mutual_fund": "Mutual Fund",
    "money_market": "Mutual Fund",
}
KINDS = {
    "equity": models.SecurityKind.EQUITY,
    "etf": models.SecurityKind.ETP,
    "index": models.SecurityKind.INDEX,
    "mutual_fund": models.SecurityKind.MUTUAL_FUND,
    "money_market": models.SecurityKind.MONEY_MARKET,
}
EXCHANGES = {"XNYS": "N", "XNAS": "Q", "ARCX": "P", "XASE": "A", "XCBO": "WI1"}
_MOST_SUGGESTIONS = 10
_AMOUNT = Decimal("0.0001")


def refused(text: str, detail: str, code: str = "4000") -> dict[str, Any]:
    """The message block of a call that was understood and not served (protocol 03 §0.7)."""
    message = {"message": text, "detail": detail, "source": "Paper", "code": code, "type": "E"}
    return {"sysMsgs": {"sysMsg": [message]}}


def _asked(request: PaperRequest) -> list[tuple[str, Security | None]]:
    names = [name for name in request.query.get("fvSymbol", "").split("|") if name.strip()]
    if not names:
        raise BadRequest("Missing fvSymbol")
    return [(name, find(name)) for name in names]


def _security(asked: str, security: Security | None) -> dict[str, Any]:
    if security is None or security.kind == "index":
        return {"requested": asked}
    return {
        "requested": asked,
        "classification": CLASSIFICATIONS[security.kind],
        "symbol": security.symbol,
        "CUSIP": security.cusip,
    }


@answers("GET", "/ftgw/dpdirect/research/earning/v1")
def earnings(desk: "Desk", request: PaperRequest) -> Any:
    """Quarters of companies, oldest first; the one to come has no earnings yet (protocol 03 §8)."""
    today, entries = market_date(desk.now()), []
    for asked, security in _asked(request):
        entry: dict[str, Any] = {"secDetail": _security(asked, security)}
        quarters = company.earnings(security, today) if security else []
        if quarters:
            rows = [
                write(
                    models.EarningsQuarter(
                        fiscal_quarter=quarter.quarter,
                        fiscal_year=quarter.year,
                        report_date=quarter.report_date,
                        eps=quarter.eps if quarter.report_date < today else None,
                        consensus=quarter.consensus,
                    )
                )
                for quarter in quarters
            ]
            entry["qtrHistDetails"] = {"qtrHistDetail": rows}
            growth = company.growth_pct(quarters, today)
            if growth is not None:
                entry["epsPrevQtrVsPrevYrQtr"] = growth
        entries.append(entry)
    return {"earning": {"earningDetails": {"earningDetail": entries}}}


@answers("GET", "/ftgw/dpdirect/research/dividend/v1")
def dividends(desk: "Desk", request: PaperRequest) -> Any:
    """Dividends of stocks and exchange-traded funds; other securities have no such block (protocol 03 §9)."""
    today, entries = market_date(desk.now()), []
    for asked, security in _asked(request):
        entry: dict[str, Any] = {"secDetail": _security(asked, security)}
        per_year = company.PAYMENTS_A_YEAR.get(security.dividend_frequency, 0) if security else 0
        payments = company.dividends(security, today, max(8, per_year)) if security else []
        if security and payments:
            entry["equityDetail"] = _equity_detail(desk, security, payments, per_year)
        entries.append(entry)
    return {"dividend": {"dividendDetails": {"dividendDetail": entries}}}


def _equity_detail(
    desk: "Desk", security: Security, payments: list[company.Payment], per_year: int
) -> dict[str, Any]:
    today, latest = market_date(desk.now()), payments[-1]
    quote = desk.market.quote(security.symbol, desk.now())
    assert quote is not None
    year = sum(
        (item.amount for item in payments if today - timedelta(days=365) < item.ex_date <= today), Decimal(0)
    )
    summary = models.DividendSummary(
        amount=latest.amount,
        announced=latest.announced,
        ex_date=latest.ex_date,
        yield_pct=(year / quote.mark * 100).quantize(Decimal("0.000001")) if quote.mark else None,
        annual=latest.amount * per_year,
    )
    rows = [
        write(
            models.DividendPayment(
                amount=item.amount,
                announced=item.announced,
                frequency=security.dividend_frequency,
                pay_date=item.pay_date,
                ex_date=item.ex_date,
                record_date=item.record_date,
                currency="USD",
                kind="Regular",
                quarter=f"Q{(item.ex_date.month + 2) // 3}",
                year=item.ex_date.year,
            )
        )
        for item in payments
    ]
    detail: dict[str, Any] = write(summary)["equityDetail"]
    return {**detail, "divHistDetails": {"divHistDetail": rows}}


@answers("GET", "/ftgw/dpdirect/search/autosuggest/v1")
def autosuggest(desk: "Desk", request: PaperRequest) -> Any:
    """Securities by symbol or name, best first (protocol 03 §10)."""
    if "q" not in request.query:
        raise BadRequest("Missing q")
    found = search(request.query["q"], _MOST_SUGGESTIONS)
    rows = []
    for security in found:
        row = write(
            models.SearchResult(
                symbol=security.symbol,
                cusip=security.cusip,
                name=security.name,
                kind=KINDS[security.kind],
                sub_kind=security.subtype,
                exchange=EXCHANGES.get(security.exchange, security.exchange),
                international=False,
                tradable=True,
                options=["Std"] if security.options else [],
            )
        )
        if not row["options"]:
            del row["options"]
        rows.append({**row, "nc": False})
    return {"quotes": {"count": len(rows), "suggestions": rows}}


# -- order routes --------------------------------------------------------------------------------------------

_ALWAYS = (
    "not_held",
    "do_not_reduce",
    "cash_settlement",
    "next_day_settlement",
    "short_sales",
    "limit",
    "market_orders",
    "cancel_replace",
)
_FULL = (
    "fill_or_kill",
    "immediate_or_cancel",
    "all_or_none",
    "stop_limit",
    "trailing_stop",
    "trailing_stop_limit",
)
_NEVER = ("pegged", "hidden", "regular_session", "pre_market_session", "after_hours_session")


def _market(
    market: str, code: str, exchange: str | None, hours: tuple[str, str, str], *, full: bool, discretion: bool
) -> dict[str, Any]:
    flags = dict.fromkeys(_ALWAYS, True) | dict.fromkeys(_FULL, full) | dict.fromkeys(_NEVER, False)
    opens, closes, short_to = hours
    route = MarketRoute(
        market=market,
        routing_code=code,
        name=market,
        opens=opens,
        closes=closes,
        short_sales_from=opens,
        short_sales_to=short_to,
        market_orders_from="0",
        market_orders_to="0",
        market_orders_accepted_from="0",
        market_orders_accepted_to="0",
        minimum_display=Decimal("0.00000") if full else Decimal("100.00000"),
        discretion=discretion,
    )
    for name, flag in flags.items():
        setattr(route, name, flag)
    row = write(route)
    row["exchangeSymbol"] = exchange
    return row


@answers("POST", "/ftgw/dp/reference/security/stock/availablemarket/v1")
def available_markets(desk: "Desk", request: PaperRequest) -> Any:
    """The markets that orders for a stock can be directed to (protocol 03 §7)."""
    body = request.document
    symbol, accounts = read_text(member(body, "symbol")) or "", as_list(member(body, "accounts"))
    if not accounts:
        raise BadRequest("Missing field accounts")
    security = find(symbol)
    if security is None or security.kind not in ("equity", "etf"):
        return refused("Request failed", "Symbol is not recognised")
    rows = [_market("AUTO", "#O", None, ("93000", "160000", "160000"), full=True, discretion=False)]
    rows.append(_market("IEX", "QV", "IEXG", ("80000", "155959", "155930"), full=False, discretion=True))
    if security.exchange == "XNYS":
        rows.append(_market("NYSE", "N", "XNYS", ("93000", "160000", "160000"), full=True, discretion=False))
    head = {
        "symbol": security.symbol,
        "availMktCnt": len(rows),
        "availShares": None,
        "cusip": security.cusip,
    }
    return {"security": head, "availableMarkets": rows}


# -- option analytics ----------------------------------------------------------------------------------------


@answers("POST", "/ftgw/dp/research/option/positions/analytics/v1")
def analytics(desk: "Desk", request: PaperRequest) -> Any:
    """Evaluates option positions at expiration, or as of now (protocol 03 §11)."""
    from ftcli.paper.analytics import Evaluator

    body = request.document
    underlying = find(read_text(member(body, "underlyingSymbol")) or "")
    positions = [_legs(legs, underlying) for legs in as_list(member(body, "posDetails"))]
    if underlying is None or not positions or any(not legs for legs in positions):
        return refused("Request failed", "Symbol is not recognised")
    period = read_int(member(body, "hvDetail", "volatilityPeriod")) or 90
    at_expiry = read_bool(member(body, "evalDaysDetail", "evalAtExpiry")) is not False
    evaluator = Evaluator(desk.market, underlying, desk.now(), period)
    days: dict[str, list[Any]] = {}
    for legs in positions:
        day = evaluator.day_of(legs, at_expiry)
        entry = {
            "positionDetail": _block(evaluator.evaluate(legs, day, at_expiry)),
            "legDetails": [_block(evaluator.evaluate([leg], day, at_expiry)) for leg in legs],
        }
        days.setdefault(f"{day.month}/{day.day}/{day.year}", []).append(entry)
    return {
        "positionsAnalyticsDataDetails": [
            {"evalDate": day, "positionDetails": entries} for day, entries in days.items()
        ]
    }


def _legs(rows: Any, underlying: Security | None) -> "list[Leg]":
    """The legs of a position; none where one of them is not a leg of this underlying."""
    from ftcli.paper import options
    from ftcli.paper.analytics import Leg

    legs = []
    for row in rows if isinstance(rows, list) else []:
        symbol = read_text(row.get("symbol")) if isinstance(row, dict) else None
        quantity = read_int(row.get("qty")) if symbol else None
        cost = read_decimal(row.get("price")) if symbol else None
        if not symbol or not quantity or cost is None or underlying is None:
            return []
        contract = None
        if not read_bool(row.get("equity")):
            contract = options.find(symbol)
            if contract is None or contract.underlying != underlying.symbol:
                return []
        elif find(symbol) != underlying:
            return []
        legs.append(Leg(contract=contract, quantity=quantity, price=float(cost)))
    return legs


def _block(outcome: "Outcome") -> dict[str, Any]:
    """A position or leg on the wire; infinities are texts, as the broker writes them."""

    def exact(value: float) -> Decimal:
        return Decimal(value).quantize(_AMOUNT).normalize() + Decimal("0.0")

    block = write(
        models.Evaluation(
            price=exact(outcome.price),
            profit=exact(outcome.profit),
            delta=exact(outcome.delta),
            theta=exact(outcome.theta),
            gamma=exact(outcome.gamma),
            vega=exact(outcome.vega),
            rho=exact(outcome.rho),
            premium=exact(outcome.premium),
            total_value=exact(outcome.value),
            probability=Decimal(outcome.probability).quantize(Decimal("0.00001")),
            break_even=[exact(price) for price in outcome.break_even],
            max_profit=None if outcome.max_profit is None else exact(outcome.max_profit),
            max_loss=None if outcome.max_loss is None else exact(outcome.max_loss),
            max_profit_1sd=[exact(outcome.max_profit_1sd)],
            max_loss_1sd=[exact(outcome.max_loss_1sd)],
            implied_volatility=None
            if outcome.volatility is None
            else Decimal(outcome.volatility).quantize(Decimal("0.00001")),
        )
    )
    block.setdefault("maxProfit", "Infinity")
    block.setdefault("maxLoss", "-Infinity")
    return block
