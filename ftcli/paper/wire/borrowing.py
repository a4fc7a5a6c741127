"""Borrow rates and short interest as the main gateway answers them (protocol 01 §3.5, 3.13, 3.14)."""

from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ftcli.clock import market_date
from ftcli.models import holdings as models
from ftcli.models.field import as_list, write
from ftcli.models.values import read_date, read_text
from ftcli.paper import symbols
from ftcli.paper.amounts import percent
from ftcli.paper.short_interest import (
    ShortReport,
    borrow_rate,
    borrowable,
    has_reports,
    published,
    report,
    settlement_dates,
)
from ftcli.paper.symbols import Security
from ftcli.paper.wire.accounts import own_accounts
from ftcli.paper.wire.exchange import BadRequest, PaperRequest, answers, group, member

if TYPE_CHECKING:
    from ftcli.paper.desk import Desk

_THOUSANDTH = Decimal("0.001")
_DEFAULT_DAYS = 365


def _asked(parameters: dict[str, Any]) -> list[Security]:
    """The known securities a request names, in its order; unknown ones are left out.

    Raises:
        BadRequest: It names none.
    """
    rows = as_list(parameters.get("securityDetails"), "securityDetail") or as_list(parameters.get("symbols"))
    names = [read_text(row.get("symbol") if isinstance(row, dict) else row) for row in rows]
    if not any(names):
        raise BadRequest("Missing field securityDetails")
    found = [symbols.find(name) for name in names if name]
    return [security for security in found if security is not None and has_reports(security)]


@answers("POST", "/ftgw/dp/retail-am-hardtoborrow/v1/", suffix="/rates/borrow")
def hard_to_borrow(desk: "Desk", request: PaperRequest) -> Any:
    """What borrowing costs, the same for every account asked for (protocol 01 §3.5)."""
    parameters = group(request.document, "request", "parameters")
    accounts = own_accounts(desk, member(parameters, "acctDetails"))
    today = market_date(desk.now())
    rates = [_rate(security, today) for security in _asked(parameters)]
    rows = []
    for account in accounts:
        row = write(models.HardToBorrow(account=account.number, securities=rates))
        for entry in row["securityDetails"]["securityDetail"]:
            entry.setdefault("borrowRate", None)
            entry.setdefault("availShares", None)
        rows.append(row)
    return {"hardToBorrow": {"acctDetails": {"acctDetail": rows}}}


def _rate(security: Security, today: date) -> models.BorrowRate:
    rate = borrow_rate(security)
    return models.BorrowRate(
        symbol=security.symbol,
        cusip=security.cusip,
        description=security.description,
        is_hard_to_borrow=security.hard_to_borrow,
        borrow_rate=None if rate is None else rate.quantize(_THOUSANDTH),
        rate_date=today,
        available=borrowable(security),
    )


@answers("POST", "/ftgw/dp/retail-am-shortinsight/v1/", suffix="/insights")
def short_insights(desk: "Desk", request: PaperRequest) -> Any:
    """The latest report of each security (protocol 01 §3.13)."""
    parameters = group(request.document, "request", "parameters")
    own_accounts(desk, parameters.get("acctDetails"))
    settled = published(market_date(desk.now()))
    before = list(settlement_dates(settled - timedelta(days=25), settled - timedelta(days=1)))[-1]
    rows = []
    for security in _asked(parameters):
        latest, prior = (report(desk.market, security, day) for day in (settled, before))
        rows.append(write(_insight(security, latest, prior)))
    return {"shortInsights": {"securityDetails": {"securityDetail": rows}}}


def _insight(security: Security, latest: ShortReport, prior: ShortReport) -> models.ShortInsight:
    return models.ShortInsight(
        symbol=security.symbol,
        cusip=security.cusip,
        description=security.description,
        as_of=latest.settled,
        short_interest=latest.shares,
        previous_short_interest=prior.shares,
        change_pct=percent(Decimal(latest.shares - prior.shares), Decimal(prior.shares)),
        percent_of_float=latest.percent_of_float,
        days_to_cover=latest.days_to_cover,
        average_volume=latest.average_volume,
        utilization_pct=latest.utilization,
        borrow_rate=borrow_rate(security),
        is_hard_to_borrow=security.hard_to_borrow,
    )


@answers("POST", "/", suffix="/api/v1/timeseries")
def timeseries(desk: "Desk", request: PaperRequest) -> Any:
    """All reports of a security in a range of settlement dates, oldest first (protocol 01 §3.14)."""
    body = request.document
    name = str(member(body, "symbol"))
    latest = published(market_date(desk.now()))
    last = min(_day(body, "endDate", latest), latest)
    first = _day(body, "startDate", market_date(desk.now()) - timedelta(days=_DEFAULT_DAYS))
    security = symbols.find(name)
    points: list[models.ShortInsightPoint] = []
    if security is not None and has_reports(security):
        points = [
            _point(security, report(desk.market, security, day)) for day in settlement_dates(first, last)
        ]
    return write(models.ShortInsightSeries(symbol=security.symbol if security else name, points=points))


def _day(body: dict[str, Any], name: str, default: date) -> date:
    if body.get(name) is None:
        return default
    day = read_date(body[name])
    if day is None:
        raise BadRequest(f"{name}: unreadable date {body[name]!r}")
    return day


def _point(security: Security, found: ShortReport) -> models.ShortInsightPoint:
    return models.ShortInsightPoint(
        as_of=found.settled,
        short_interest=found.shares,
        percent_of_float=found.percent_of_float,
        days_to_cover=found.days_to_cover,
        average_volume=found.average_volume,
        utilization_pct=found.utilization,
        borrow_rate=borrow_rate(security),
    )
