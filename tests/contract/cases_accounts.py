"""The contract cases of the accounts group beyond positions, balances and features."""

from typing import Any

from case import CASH, MARGIN, ROTH, Case

from ftcli.errors import NotFound, ValidationFailed

BILLS = "Z30000033"
"""The paper broker's cash-management account."""
PLAN = "77012"
"""Its workplace plan, which has no holdings."""
NOBODY = "Z99999999"


def rows(name: str, at_least: int = 1, **first: Any) -> Any:
    """Checks that a list of the answer has rows, and values of the first."""

    def check(answer: Any) -> None:
        assert len(answer[name]) >= at_least
        assert {key: answer[name][0][key] for key in first} == first

    return check


def values(**expected: Any) -> Any:
    """Checks single values of the answer."""

    def check(answer: Any) -> None:
        assert {name: answer[name] for name in expected} == expected

    return check


def empty(*names: str) -> Any:
    """Checks that lists of the answer are there and empty."""

    def check(answer: Any) -> None:
        assert {name: answer[name] for name in names} == {name: [] for name in names}

    return check


def first_page(answer: Any) -> None:
    """Two lines and the way to the rest."""
    assert len(answer["transactions"]) == 2
    assert answer["next_cursor"]


def greeks(answer: Any) -> None:
    """Every leg has its Greeks."""
    legs = [leg for strategy in answer["strategies"] for leg in strategy["legs"]]
    assert len(legs) >= 4
    assert all(leg["delta"] is not None and leg["vega"] is not None for leg in legs)


def short_term(answer: Any) -> None:
    """Short and long term make the gain, row by row and in all."""
    for gains in (*answer["positions"], answer["totals"]):
        assert gains["short_term_gain"] + gains["long_term_gain"] == gains["gain"]


CASES: list[Case] = [
    Case("accounts.transactions", {"acct": MARGIN, "start": "1y"}, check=rows("transactions", 20)),
    Case(
        "accounts.transactions",
        {"acct": CASH, "start": "2026-10-01", "end": "2026-11-01"},
        check=values(account=CASH, start="2026-10-01", end="2026-11-01"),
    ),
    Case("accounts.transactions", {"acct": BILLS, "start": "3m", "limit": 2}, check=first_page),
    Case("accounts.transactions", {"acct": MARGIN, "start": "soon"}, error=ValidationFailed),
    Case("accounts.transactions", {"acct": MARGIN, "start": "today", "end": "1m"}, error=ValidationFailed),
    Case("accounts.transactions", {"acct": MARGIN, "limit": 0}, error=ValidationFailed),
    Case("accounts.transactions", {"acct": MARGIN, "cursor": "nonsense"}, error=ValidationFailed),
    Case("accounts.transactions", {"acct": NOBODY}, error=NotFound),
    Case("accounts.options_summary", {"acct": MARGIN}, check=rows("strategies", 3)),
    Case("accounts.options_summary", {"acct": MARGIN, "greeks": True}, check=greeks),
    Case("accounts.options_summary", {"acct": BILLS}, check=empty("strategies", "expirations")),
    Case("accounts.options_summary", {"acct": PLAN}, error=ValidationFailed),
    Case("accounts.options_summary", {"acct": NOBODY}, error=NotFound),
    Case("accounts.closed_positions", {"acct": MARGIN}, check=short_term),
    Case(
        "accounts.closed_positions", {"acct": CASH, "tax_year": 2026}, check=rows("positions", symbol="DIS")
    ),
    Case(
        "accounts.closed_positions",
        {"acct": MARGIN, "start": "2y", "exclude_wash_sales": True},
        check=rows("positions", 3, has_wash_sale=False),
    ),
    Case(
        "accounts.closed_positions",
        {"acct": MARGIN, "start": "ytd", "tax_year": 2026},
        error=ValidationFailed,
    ),
    Case("accounts.closed_positions", {"acct": NOBODY}, error=NotFound),
    Case("accounts.closed_lots", {"acct": CASH, "symbol": "dis"}, check=rows("lots", 2, has_wash_sale=False)),
    Case("accounts.closed_lots", {"acct": CASH, "symbol": "GME", "start": "2y"}, check=empty("lots")),
    Case("accounts.closed_lots", {"acct": CASH, "symbol": "<x>"}, error=ValidationFailed),
    Case("accounts.closed_lots", {"acct": CASH, "symbol": "DIS", "tax_year": 20}, error=ValidationFailed),
    Case("accounts.loaned_securities", {"acct": MARGIN}, check=rows("loans", 2)),
    Case("accounts.loaned_securities", {"acct": ROTH}, check=empty("loans", "collateral")),
    Case("accounts.loaned_securities", {"acct": "no!"}, error=ValidationFailed),
    Case("accounts.loaned_securities", {"acct": NOBODY}, error=NotFound),
    Case("accounts.tax_lots", {"acct": MARGIN, "symbol": "AAPL"}, check=rows("lots", 3, lot=1, term="long")),
    Case("accounts.tax_lots", {"acct": MARGIN, "symbol": "SPCE", "holding": "short"}, check=rows("lots")),
    Case("accounts.tax_lots", {"acct": MARGIN, "symbol": "AAPL", "holding": "cash"}, check=empty("lots")),
    Case(
        "accounts.tax_lots", {"acct": MARGIN, "symbol": "AAPL", "holding": "mattress"}, error=ValidationFailed
    ),
    Case("accounts.tax_lots", {"acct": NOBODY, "symbol": "AAPL"}, error=NotFound),
    Case(
        "accounts.lots", {"acct": MARGIN, "symbol": "aapl"}, check=rows("lots", 3, quantity=120, term="long")
    ),
    Case("accounts.lots", {"acct": MARGIN, "symbol": "GME"}, check=values(symbol="GME", lots=[], count=0)),
    Case("accounts.lots", {"acct": MARGIN, "symbol": "A;B"}, error=ValidationFailed),
    Case("accounts.lots", {"acct": NOBODY, "symbol": "AAPL"}, error=NotFound),
    Case(
        "accounts.hard_to_borrow",
        {"acct": MARGIN, "symbols": ["SPCE", "AAPL", "NOSUCH"]},
        check=rows("securities", 2, symbol="SPCE", is_hard_to_borrow=True, borrow_rate=14.5),
    ),
    Case("accounts.hard_to_borrow", {"acct": MARGIN, "symbols": ["NOSUCH"]}, error=NotFound),
    Case("accounts.hard_to_borrow", {"acct": MARGIN, "symbols": ["<x>"]}, error=ValidationFailed),
    Case(
        "accounts.short_insights",
        {"acct": MARGIN, "symbols": ["SPCE", "BRK.B"]},
        check=rows("securities", 2, symbol="SPCE", as_of="2026-10-30", borrow_rate=14.5),
    ),
    Case("accounts.short_insights", {"acct": MARGIN, "symbols": [".SPX"]}, error=NotFound),
    Case("accounts.short_insights", {"acct": NOBODY, "symbols": ["SPCE"]}, error=NotFound),
    Case(
        "accounts.short_insights_timeseries",
        {"acct": MARGIN, "symbol": "SPCE", "start": "2026-08-01", "end": "2026-10-01"},
        check=rows("points", 4, as_of="2026-08-14"),
    ),
    Case("accounts.short_insights_timeseries", {"acct": MARGIN, "symbol": "NOSUCH"}, check=empty("points")),
    Case(
        "accounts.short_insights_timeseries",
        {"acct": MARGIN, "symbol": "SPCE", "start": "today", "end": "today"},
        error=ValidationFailed,
    ),
    Case("accounts.accruals", {"acct": MARGIN}, check=rows("accruals", 2)),
    Case("accounts.accruals", {"acct": BILLS}, check=empty("accruals")),
    Case("accounts.accruals", {"acct": NOBODY}, error=NotFound),
    Case("accounts.cash_accruals", {"acct": BILLS}, check=rows("accruals", currency="USD")),
    Case("accounts.cash_accruals", {"acct": PLAN}, error=ValidationFailed),
    Case("accounts.cash_accruals", {"acct": NOBODY}, error=NotFound),
]
