"""The contract cases of market data, research and reference: for every operation one that works and one that does not."""

from typing import Any

from case import MARGIN, Case

from ftcli.errors import NotFound, ValidationFailed

LEGS = [
    {"symbol": "AAPL 2027-01-15 270 C", "quantity": 1, "price": 12.5},
    {"symbol": "AAPL270115C280", "quantity": -1, "price": 8},
]
NOTE = {"note": "Check Q2 cash flow.", "title": "Turnaround idea", "symbol": "AAPL"}
MADE = (("research.notebooks.create", NOTE),)


def rows(name: str, at_least: int = 1) -> Any:
    """Checks that a list of the answer has rows."""

    def check(answer: Any) -> None:
        assert len(answer[name]) >= at_least

    return check


def values(**expected: Any) -> Any:
    """Checks single values of the answer."""

    def check(answer: Any) -> None:
        assert {name: answer[name] for name in expected} == expected

    return check


def first(name: str, /, **expected: Any) -> Any:
    """Checks values of the first row of a list."""

    def check(answer: Any) -> None:
        row = answer[name][0]
        assert {key: row[key] for key in expected} == expected

    return check


def count(name: str, number: int) -> Any:
    """Checks how many rows a list of the answer has."""

    def check(answer: Any) -> None:
        assert len(answer[name]) == number

    return check


CASES: list[Case] = [
    Case("market_data.chain", {"symbol": "AAPL"}, check=count("contracts", 40)),
    Case(
        "market_data.chain",
        {
            "symbol": "AAPL",
            "expiration": ["2026-12"],
            "strikes": 2,
            "call_put": "call",
            "greeks": True,
            "rate": 3.5,
        },
        check=first("contracts", call_put="call", root="AAPL"),
    ),
    Case(
        "market_data.chain",
        {"symbol": "SPY", "expiration": ["all"], "min_strike": 670, "max_strike": 671},
        check=first("contracts", strike=670, call_put="call"),
    ),
    Case("market_data.chain", {"symbol": "NOSUCH"}, error=NotFound),
    Case("market_data.chain", {"symbol": "AAPL", "expiration": ["2026-11-25"]}, error=ValidationFailed),
    Case("market_data.chain", {"symbol": "AAPL", "call_put": "straddle"}, error=ValidationFailed),
    Case("market_data.chain", {"symbol": "AAPL", "strikes": "many"}, error=ValidationFailed),
    Case("market_data.montage", {"symbol": "-AAPL261218C270"}, check=rows("quotes", 5)),
    Case(
        "market_data.montage",
        {"symbol": "AAPL 2026-12-18 270 P"},
        check=values(symbol="-AAPL261218P270", call_put="put", strike=270),
    ),
    Case("market_data.montage", {"symbol": "-AAPL261120C270"}, error=NotFound),
    Case("market_data.montage", {"symbol": "AAPL"}, error=ValidationFailed),
    Case(
        "market_data.chart",
        {"symbol": "AAPL", "width": "7", "start": "09:30", "end": "10:00"},
        check=count("bars", 5),
    ),
    Case(
        "market_data.chart",
        {"symbol": "KO", "width": "60", "start": "2026-03-01", "extended": True},
        check=rows("bars", 2000),
    ),
    Case("market_data.chart", {"symbol": "AAPL", "width": "61"}, error=ValidationFailed),
    Case("market_data.time_and_sales", {"symbol": "AAPL"}, check=count("trades", 100)),
    Case(
        "market_data.time_and_sales",
        {"symbol": "AAPL", "start": "2026-11-24T09:30", "end": "2026-11-24T09:31", "count": 0},
        check=values(truncated=False),
    ),
    Case("market_data.time_and_sales", {"symbol": "NOSUCH"}, error=NotFound),
    Case("market_data.time_and_sales", {"symbol": "AAPL", "count": -1}, error=ValidationFailed),
    Case("market_data.markets", {"symbol": "KO"}, check=count("markets", 3)),
    Case(
        "market_data.markets",
        {"symbol": "AAPL", "acct_ids": [MARGIN]},
        check=first("markets", market="AUTO", routing_code="#O", opens="09:30:00"),
    ),
    Case("market_data.markets", {"symbol": "NOSUCH"}, error=NotFound),
    Case("market_data.markets", {"symbol": "KO", "acct_ids": ["Z99999999"]}, error=NotFound),
    Case("market_data.subscriptions", check=first("subscriptions", professional=False)),
    Case(
        "market_data.quotes",
        {"symbols": ["AAPL 2026-12-18 270 C"]},
        check=first("quotes", security_type="Option"),
    ),
    Case("research.earnings", {"symbols": ["AAPL", "SPY"]}, check=count("quarters", 9)),
    Case("research.earnings", {"symbols": ["NOSUCH"]}, error=NotFound),
    Case("research.earnings", {"symbols": ["<x>"]}, error=ValidationFailed),
    Case(
        "research.dividends",
        {"symbols": ["KO", "AMZN"]},
        check=first("dividends", symbol="KO", frequency="Quarterly"),
    ),
    Case("research.dividends", {"symbols": ["NOSUCH"]}, error=NotFound),
    Case("research.dividends", {"symbols": ["A,B,<x>"]}, error=ValidationFailed),
    Case("research.equity_summary", {"symbol": "AAPL"}, check=values(symbol="AAPL")),
    Case("research.equity_summary", {"symbol": "NOSUCH"}, error=NotFound),
    Case(
        "research.search",
        {"q": "apple"},
        check=first("results", symbol="AAPL", kind="equity", has_options=True),
    ),
    Case("research.search", {"q": "qqqqqqzz"}, check=values(results=[], count=0)),
    Case("research.search", {"q": "x" * 101}, error=ValidationFailed),
    Case(
        "research.analytics",
        {"position": {"legs": LEGS}},
        check=first("evaluations", leg="position", max_profit=550, max_loss=-450, unlimited_profit=False),
    ),
    Case(
        "research.analytics",
        {"position": {"legs": LEGS[:1], "volatility_period": 30}},
        check=first("evaluations", unlimited_profit=True, max_profit=None),
    ),
    Case("research.analytics", {"position": {"legs": []}}, error=ValidationFailed),
    Case(
        "research.analytics",
        {"position": {"legs": [{"symbol": "AAPL", "quantity": 0}]}},
        error=ValidationFailed,
    ),
    Case(
        "research.analytics",
        {"position": {"legs": [{"symbol": "ZZZZ270115C270", "quantity": 1}]}},
        error=NotFound,
    ),
    Case("research.screener", {"scan_id": 2}, check=rows("rows", 10)),
    Case("research.screener", {"scan_id": 77}, check=values(rows=[])),
    Case("research.screener", {"scan_id": 0}, error=ValidationFailed),
    Case("research.news_access", check=values(access_token="***", streaming_port=443)),
    Case("research.news_access", {"reveal": "perhaps"}, error=ValidationFailed),
    Case("research.notebooks.list", before=MADE, check=first("notes", **NOTE)),
    Case("research.notebooks.list", {"symbols": ["<x>"]}, error=ValidationFailed),
    Case(
        "research.notebooks.update",
        {"note_id": "$note_id", "note": "Confirmed."},
        before=MADE,
        check=values(note="Confirmed.", title="Turnaround idea", symbol="AAPL"),
    ),
    Case("research.notebooks.update", {"note_id": "nope", "note": "x"}, error=NotFound),
    Case("research.notebooks.update", {"note_id": "nope"}, error=ValidationFailed),
    Case("research.notebooks.delete", {"note_id": "$note_id"}, before=MADE, check=values(deleted=True)),
    Case("research.notebooks.delete", {"note_id": "nope"}, error=NotFound),
    Case("research.notebooks.create", NOTE, check=values(**NOTE)),
    Case("research.notebooks.create", {"note": "  "}, error=ValidationFailed),
    Case("research.notebooks.create", {"title": "No text"}, error=ValidationFailed),
    Case(
        "reference.holiday_calendar",
        {"start": "today", "end": "2026-12-31"},
        check=first("holidays", day="2026-11-26", kind="closed", name="Thanksgiving Day"),
    ),
    Case("reference.holiday_calendar", check=rows("holidays", 30)),
    Case("reference.holiday_calendar", {"country_code": "GB"}, check=values(holidays=[])),
    Case("reference.holiday_calendar", {"country_code": "Narnia"}, error=ValidationFailed),
]
