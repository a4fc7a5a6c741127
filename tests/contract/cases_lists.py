"""The contract cases of watchlists, alerts, preferences, drafts, and of the orders that need several steps."""

from typing import Any

from case import CASH, MARGIN, Case

from ftcli.errors import (
    CallRefused,
    NotFound,
    OrderRejected,
    ValidationFailed,
)

BUY = {
    "account": CASH,
    "symbol": "AAPL",
    "action": "buy",
    "quantity": 3,
    "order_type": "limit",
    "limit_price": 255,
}
DRAFT = {**BUY, "account": MARGIN, "quantity": 100}
SPREAD = {
    "account": MARGIN,
    "legs": [
        {"symbol": "AAPL270319C280", "action": "buy_to_open", "quantity": 1},
        {"symbol": "AAPL270319C300", "action": "sell_to_open", "quantity": 1},
    ],
    "direction": "debit",
    "net_price": 4.5,
    "strategy": "vertical",
}
PAIR = {
    "condition": "oto",
    "orders": [BUY, {**BUY, "action": "sell", "limit_price": 330, "time_in_force": "gtc"}],
}
PAIR_PLACED = (
    ("orders.conditional.preview", {"order": PAIR}),
    ("orders.conditional.place", {"order": PAIR, "conf_nums": "$conf_nums"}),
)
CHANGED = {
    "condition": "oto",
    "changes": [{"order": {**BUY, "limit_price": 256}, "replaces": "$1.conf_nums[0]"}],
}
TRIGGER = {"symbol": "AAPL", "operator": "greater_than", "value": 400, "notes": "time to look"}
ENERGY = {"name": "Energy", "symbols": ["XOM", "CVX"]}
THEME = {"preference_path": "user/atn/global/v1", "values": {"Theme": "Light"}}
WIDTH = {"preference_path": "user/chart/v1", "values": {"Width": "DAILY"}}


def values(**expected: Any) -> Any:
    """Checks single values of the answer."""

    def check(answer: Any) -> None:
        assert {name: answer[name] for name in expected} == expected

    return check


def listed(name: str, field: str, *expected: Any) -> Any:
    """Checks one field of all rows of a list."""

    def check(answer: Any) -> None:
        assert [row[field] for row in answer[name]] == list(expected)

    return check


def masked(field: str) -> Any:
    """Checks that a secret is not shown."""

    def check(answer: Any) -> None:
        assert answer[field] == "***"

    return check


CASES: list[Case] = [
    # -- watchlists
    Case("watchlists.list", check=listed("watchlists", "name", "My watchlist", "Income")),
    Case(
        "watchlists.list",
        {"watchlist_ids": ["energy"], "include_security_details": True},
        before=(("watchlists.save", {"watchlist": ENERGY}),),
        check=listed("watchlists", "symbols", ["XOM", "CVX"]),
    ),
    Case("watchlists.list", {"watchlist_ids": ["Nothing"]}, error=NotFound),
    Case(
        "watchlists.save",
        {"watchlist": ENERGY},
        check=values(name="Energy", created=True, symbols=["XOM", "CVX"]),
    ),
    Case(
        "watchlists.save",
        {
            "watchlist": {
                "watchlist_id": "$watchlist_id",
                "add": ["COP"],
                "remove": ["CVX"],
                "is_default": True,
            }
        },
        before=(("watchlists.save", {"watchlist": ENERGY}),),
        check=values(created=False, is_default=True, symbols=["XOM", "COP"]),
    ),
    Case(
        "watchlists.save",
        {
            "watchlist": {
                "name": "Mine",
                "securities": [{"symbol": "KO", "quantity": 25, "purchase_price": 61.5}],
            }
        },
        check=values(symbols=["KO"]),
    ),
    Case("watchlists.save", {"watchlist": {"name": "Energy", "symbols": ["<x>"]}}, error=ValidationFailed),
    Case("watchlists.save", {"watchlist": {"symbols": ["XOM"]}}, error=ValidationFailed),
    Case("watchlists.save", {"watchlist": {"watchlist_id": "Nothing", "add": ["XOM"]}}, error=NotFound),
    Case("watchlists.delete", {"watchlist_id": "Income"}, check=values(name="Income", deleted=True)),
    Case("watchlists.delete", {"watchlist_id": "Nothing"}, error=NotFound),
    # -- alerts
    Case("alerts.subscribe", check=values(active=True, password="***")),
    Case("alerts.subscribe", {"reveal": "perhaps"}, error=ValidationFailed),
    Case("alerts.history", check=values(alerts=[], total=0)),
    Case("alerts.history", {"start": 0}, error=ValidationFailed),
    Case("alerts.announcements", check=listed("announcements", "priority", 1, 2, 3, 4, 5)),
    Case("alerts.event_token", check=masked("token")),
    Case("alerts.event_token", {"reveal": "perhaps"}, error=ValidationFailed),
    Case(
        "alerts.price_triggers.list",
        {"symbol": "aapl", "status": "active"},
        before=(
            ("alerts.price_triggers.create", TRIGGER),
            ("alerts.price_triggers.create", {**TRIGGER, "symbol": "KO"}),
        ),
        check=listed("triggers", "notes", "time to look"),
    ),
    Case("alerts.price_triggers.list", {"status": "asleep"}, error=ValidationFailed),
    Case("alerts.price_triggers.list", {"offset": -1}, error=ValidationFailed),
    Case(
        "alerts.price_triggers.create",
        TRIGGER,
        check=values(trigger_id="1107340001", operator="greater_than", value=400),
    ),
    Case(
        "alerts.price_triggers.create",
        {**TRIGGER, "operator": "less_than_percent", "value": 2.5, "devices": ["Phone", "Desk"]},
        check=values(devices=["Phone", "Desk"]),
    ),
    Case("alerts.price_triggers.create", {**TRIGGER, "operator": "equals"}, error=ValidationFailed),
    Case("alerts.price_triggers.create", {**TRIGGER, "value": 0}, error=ValidationFailed),
    Case("alerts.price_triggers.create", {**TRIGGER, "symbol": "NOSUCH"}, error=CallRefused),
    Case(
        "alerts.price_triggers.delete",
        {"trigger_id": "$trigger_id"},
        before=(("alerts.price_triggers.create", TRIGGER),),
        check=values(trigger_id="1107340001", deleted=True),
    ),
    Case("alerts.price_triggers.delete", {"trigger_id": "no!"}, error=ValidationFailed),
    # -- preferences
    Case(
        "preferences.get",
        {"preference_path": "user/atn/global/v1", "pref_keys": ["Theme"]},
        before=(("preferences.set", {"values": THEME}),),
        check=listed("preferences", "value", "Light"),
    ),
    Case(
        "preferences.get",
        check=listed("preferences", "key", "DefaultAccountNumber", "Theme", "NavBarPosition", "LayoutJson"),
    ),
    Case("preferences.get", {"preference_path": "user/a b"}, error=ValidationFailed),
    Case("preferences.set", {"values": THEME}, check=values(keys=["Theme"])),
    Case("preferences.set", {"values": {**THEME, "values": {}}}, error=ValidationFailed),
    Case(
        "preferences.delete",
        {"preference_path": "user/atn/global/v1", "pref_keys": ["Theme"]},
        check=values(keys=["Theme"], deleted=True),
    ),
    Case(
        "preferences.delete",
        {"preference_path": "user/atn/layout/3d1c9b42"},
        check=values(keys=None, deleted=True),
    ),
    Case("preferences.delete", {"preference_path": "user/"}, error=ValidationFailed),
    Case("preferences.independent.get", check=listed("preferences", "key", "ChartDefaults")),
    Case("preferences.independent.get", {"preference_path": "user/a b"}, error=ValidationFailed),
    Case("preferences.independent.set", {"values": WIDTH}, check=values(preference_path="user/chart/v1")),
    Case("preferences.independent.set", {"values": {**WIDTH, "values": {}}}, error=ValidationFailed),
    Case(
        "preferences.independent.delete",
        {"preference_path": "user/chart/v1", "pref_keys": ["ChartDefaults"]},
        check=values(deleted=True),
    ),
    Case("preferences.independent.delete", {"preference_path": "user"}, error=ValidationFailed),
    # -- drafts, agreements, locates
    Case(
        "orders.staged.list",
        before=(("orders.staged.save", {"order": DRAFT}),),
        check=listed("orders", "stage_id", "SIMSTG000001"),
    ),
    Case("orders.staged.save", {"order": DRAFT}, check=listed("orders", "stage_id", "SIMSTG000001")),
    Case(
        "orders.staged.save",
        {"order": {**DRAFT, "quantity": 7}, "stage_id": "SIMSTG000001"},
        before=(("orders.staged.save", {"order": DRAFT}),),
        check=listed("orders", "stage_id", "SIMSTG000001"),
    ),
    Case("orders.staged.save", {"order": DRAFT, "stage_id": "SIMSTG000009"}, error=NotFound),
    Case("orders.staged.save", {"order": {**DRAFT, "limit_price": 0}}, error=ValidationFailed),
    Case(
        "orders.staged.delete",
        {"stage_id": "SIMSTG000001"},
        before=(("orders.staged.save", {"order": DRAFT}),),
        check=values(orders=[]),
    ),
    Case("orders.staged.delete", {"stage_id": "SIMSTG000009"}, error=NotFound),
    Case(
        "orders.accept_trade_agreement",
        {"account": MARGIN, "agreement": "exthrs"},
        check=values(agreement="EXTHRS", verdict="accepted"),
    ),
    Case("orders.accept_trade_agreement", {"account": MARGIN, "agreement": "NOSUCH"}, error=OrderRejected),
    Case("orders.accept_trade_agreement", {"account": "Z99999999", "agreement": "EXTHRS"}, error=NotFound),
    Case(
        "orders.locate",
        {"symbol": "GME", "account": MARGIN, "quantity": 60},
        check=values(located=60, verdict="accepted"),
    ),
    Case("orders.locate", {"symbol": "GME", "account": MARGIN, "quantity": 0}, error=ValidationFailed),
    Case("orders.locate", {"symbol": "GME", "account": "Z99999999", "quantity": 1}, error=NotFound),
    # -- orders in several steps
    Case(
        "orders.options.preview",
        {"order": SPREAD},
        check=values(verdict="validated", account=MARGIN),
    ),
    Case("orders.options.preview", {"order": {**SPREAD, "legs": SPREAD["legs"][:1]}}, error=ValidationFailed),
    Case("orders.options.preview", {"order": {**SPREAD, "account": CASH}}, error=OrderRejected),
    Case(
        "orders.options.place",
        {"order": SPREAD, "conf_num": "$conf_num"},
        before=(("orders.options.preview", {"order": SPREAD}),),
        check=values(verdict="accepted"),
    ),
    Case("orders.options.place", {"order": SPREAD, "conf_num": "2ZZZZZZZ"}, error=ValidationFailed),
    Case(
        "orders.replace.place",
        {
            "order": {**BUY, "limit_price": 256},
            "replaces": "$conf_nums[0]",
            "conf_num": "$conf_num",
        },
        before=(
            *PAIR_PLACED,
            (
                "orders.replace.preview",
                {"order": {**BUY, "limit_price": 256}, "replaces": "$conf_nums[0]"},
            ),
        ),
        check=values(verdict="accepted", limit_price=256),
    ),
    Case(
        "orders.replace.place",
        {"order": {**BUY, "limit_price": 256}, "replaces": "NOSUCH00", "conf_num": "2ZZZZZZZ"},
        error=ValidationFailed,
    ),
    Case(
        "orders.conditional.place",
        {"order": PAIR, "conf_nums": "$conf_nums"},
        before=(("orders.conditional.preview", {"order": PAIR}),),
        check=listed("orders", "verdict", "accepted", "accepted"),
    ),
    Case("orders.conditional.place", {"order": PAIR, "conf_nums": ["2ZZZZZZZ"]}, error=ValidationFailed),
    Case(
        "orders.conditional.place",
        {"order": PAIR, "conf_nums": ["2ZZZZZZZ", "3ZZZZZZZ"]},
        error=ValidationFailed,
    ),
    Case(
        "orders.conditional_replace.preview",
        {"order": CHANGED},
        before=PAIR_PLACED,
        check=listed("orders", "verdict", "validated"),
    ),
    Case(
        "orders.conditional_replace.preview",
        {"order": {**CHANGED, "changes": [{"order": BUY, "replaces": "NOSUCH00"}]}},
        error=OrderRejected,
    ),
    Case(
        "orders.conditional_replace.preview",
        {"order": {**CHANGED, "changes": CHANGED["changes"] * 3}},
        error=ValidationFailed,
    ),
    Case(
        "orders.conditional_replace.place",
        {"order": CHANGED, "conf_nums": "$conf_nums"},
        before=(*PAIR_PLACED, ("orders.conditional_replace.preview", {"order": CHANGED})),
        check=listed("orders", "verdict", "accepted"),
    ),
    Case(
        "orders.conditional_replace.place",
        {"order": CHANGED, "conf_nums": ["2ZZZZZZZ"]},
        before=PAIR_PLACED,
        error=ValidationFailed,
    ),
    Case(
        "orders.conditional_replace.place",
        {"order": CHANGED, "conf_nums": ["2ZZZZZZZ", "3ZZZZZZZ"]},
        before=PAIR_PLACED,
        error=ValidationFailed,
    ),
    # -- the second factor: the good case needs a broker that asks for it (test_contract_totp.py)
    Case("auth.answer_totp", {"code": "no!"}, error=ValidationFailed),
]
