"""The contract cases of the slice: auth, accounts, equity orders, quotes and charts."""

from typing import Any

from case import CASH, MARGIN, Case

from ftcli.errors import Conflict, NotFound, OrderRejected, ValidationFailed

BUY = {
    "account": CASH,
    "symbol": "AAPL",
    "action": "buy",
    "quantity": 3,
    "order_type": "limit",
    "limit_price": 255,
}
AT_ONCE = {"account": CASH, "symbol": "KO", "action": "buy", "quantity": 2, "order_type": "market"}
BRACKET = {
    "condition": "otoco",
    "orders": [
        BUY,
        {**BUY, "action": "sell", "limit_price": 300, "time_in_force": "gtc"},
        {
            "account": CASH,
            "symbol": "AAPL",
            "action": "sell",
            "quantity": 3,
            "order_type": "stop",
            "stop_price": 230,
            "time_in_force": "gtc",
        },
    ],
}
CALL = {
    "account": MARGIN,
    "symbol": "AAPL 2027-03-19 270 C",
    "action": "buy_to_open",
    "quantity": 1,
    "order_type": "limit",
    "limit_price": 20,
}


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


def first(name: str, **expected: Any) -> Any:
    """Checks values of the first row of a list."""

    def check(answer: Any) -> None:
        row = answer[name][0]
        assert {key: row[key] for key in expected} == expected

    return check


def previewed(operation: str, **body: Any) -> tuple[tuple[str, dict[str, Any]], ...]:
    """The preview that a place needs."""
    return ((operation, body),)


CASES = [
    Case("auth.status", check=values(state="authenticated", environment="paper", live_trading=False)),
    Case("auth.login", check=values(state="authenticated", username="demo")),
    Case("auth.logout", check=values(state="disconnected")),
    Case("accounts.list", check=rows("accounts", 5)),
    Case("accounts.positions", {"acct": MARGIN}, check=rows("positions", 10)),
    Case("accounts.positions", {"acct": "Z99999999"}, error=NotFound),
    Case("accounts.positions", {"acct": "no!"}, error=ValidationFailed),
    Case("accounts.balances", {"acct": MARGIN}, check=values(account=MARGIN, is_margin=True)),
    Case("accounts.balances", {"acct": CASH}, check=values(account=CASH, is_margin=False)),
    Case("accounts.balances", {"acct": "Z99999999"}, error=NotFound),
    Case("accounts.features", {"acct": MARGIN}, check=values(margin=True, option_level=5)),
    Case("accounts.features", {"acct": "Z99999999"}, error=NotFound),
    Case("orders.status", check=rows("orders", 2)),
    Case("orders.status", {"acct_ids": [CASH]}, check=first("orders", account=CASH, state="open")),
    Case("orders.status", {"acct_ids": ["Z99999999"]}, error=NotFound),
    Case(
        "orders.detail",
        {"order_id": "$conf_num"},
        before=(
            ("orders.equity.preview", {"order": AT_ONCE}),
            ("orders.equity.place", {"order": AT_ONCE, "conf_num": "$conf_num"}),
        ),
        check=first("orders", state="filled", symbol="KO", filled_quantity=2),
    ),
    Case("orders.detail", {"order_id": "NOSUCH00"}, error=NotFound),
    Case("orders.equity.preview", {"order": BUY}, check=values(verdict="validated", net_amount=765)),
    Case("orders.equity.preview", {"order": {**BUY, "quantity": 3000}}, error=OrderRejected),
    Case("orders.equity.preview", {"order": {**BUY, "limit_price": 0}}, error=ValidationFailed),
    Case("orders.equity.preview", {"order": {**BUY, "symbol": "NOSUCH"}}, error=OrderRejected),
    Case(
        "orders.equity.place",
        {"order": BUY, "conf_num": "$conf_num"},
        before=previewed("orders.equity.preview", order=BUY),
        check=values(verdict="accepted", limit_price=255),
    ),
    Case("orders.equity.place", {"order": BUY, "conf_num": "2ZZZZZZZ"}, error=ValidationFailed),
    Case(
        "orders.equity.place",
        {"order": {**BUY, "quantity": 4}, "conf_num": "$conf_num"},
        before=previewed("orders.equity.preview", order=BUY),
        error=Conflict,
    ),
    Case(
        "orders.cancel.preview",
        {"conf_num": "$conf_num"},
        before=(
            ("orders.equity.preview", {"order": BUY}),
            ("orders.equity.place", {"order": BUY, "conf_num": "$conf_num"}),
        ),
        check=values(verdict="validated", remaining_quantity=3),
    ),
    Case(
        "orders.cancel.place",
        {"conf_num": "$conf_num"},
        before=(
            ("orders.equity.preview", {"order": BUY}),
            ("orders.equity.place", {"order": BUY, "conf_num": "$conf_num"}),
        ),
        check=values(verdict="accepted", remaining_quantity=3),
    ),
    Case("orders.cancel.place", {"conf_num": "NOSUCH00"}, error=NotFound),
    Case(
        "orders.cancel.place",
        {"conf_num": "$conf_num"},
        before=(
            ("orders.equity.preview", {"order": AT_ONCE}),
            ("orders.equity.place", {"order": AT_ONCE, "conf_num": "$conf_num"}),
        ),
        error=OrderRejected,
    ),
    Case(
        "orders.replace.preview",
        {"order": {**BUY, "limit_price": 256}, "replaces": "$conf_num"},
        before=(
            ("orders.equity.preview", {"order": BUY}),
            ("orders.equity.place", {"order": BUY, "conf_num": "$conf_num"}),
        ),
        check=values(verdict="validated", limit_price=256),
    ),
    Case("orders.replace.preview", {"order": BUY, "replaces": "NOSUCH00"}, error=OrderRejected),
    Case("orders.conditional.preview", {"order": BRACKET}, check=rows("orders", 3)),
    Case("orders.conditional.preview", {"order": {**BRACKET, "condition": "oco"}}, error=ValidationFailed),
    Case(
        "orders.option.preview", {"order": CALL}, check=values(verdict="validated", symbol="AAPL270319C270")
    ),
    Case("orders.option.preview", {"order": {**CALL, "symbol": "AAPL 2027"}}, error=ValidationFailed),
    Case(
        "orders.option.place",
        {"order": CALL, "conf_num": "$conf_num"},
        before=previewed("orders.option.preview", order=CALL),
        check=values(verdict="accepted", action="buy_call"),
    ),
    Case("market_data.quotes", {"symbols": ["AAPL", "BRK.B", "NOSUCH"]}, check=rows("quotes", 2)),
    Case("market_data.quotes", {"symbols": ["NOSUCH"]}, error=NotFound),
    Case("market_data.quotes", {"symbols": ["<x>"]}, error=ValidationFailed),
    Case("market_data.chart", {"symbol": "AAPL"}, check=rows("bars", 100)),
    Case("market_data.chart", {"symbol": "AAPL", "width": "5", "start": "1d"}, check=rows("bars", 20)),
    Case("market_data.chart", {"symbol": "NOSUCH"}, error=NotFound),
    Case("market_data.chart", {"symbol": "AAPL", "start": "soon"}, error=ValidationFailed),
    Case("market_data.chart", {"symbol": "AAPL", "width": "fortnight"}, error=ValidationFailed),
]
