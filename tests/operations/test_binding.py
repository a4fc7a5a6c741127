"""From raw values to typed arguments: one rule book for every face."""

from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftcli.errors import ValidationFailed
from ftcli.models.market_data import BarWidth
from ftcli.models.tickets import (
    EquityAction,
    EquityLimitOrder,
    EquityMarketOrder,
    EquityOrder,
    EquityStopOrder,
    EquityTrailingStopOrder,
    price_terms,
)
from ftcli.operations.accounts import Accounts
from ftcli.operations.binding import bind, convert
from ftcli.operations.equity_orders import EquityOrders
from ftcli.operations.market_data import MarketData
from ftcli.operations.operation import Operation
from ftcli.operations.orders import Orders
from ftcli.operations.params import clean_day, clean_symbol, clean_symbols
from ftcli.operations.registry import all_operations, find

NOW = datetime(2026, 3, 31, 23, 30, tzinfo=ZoneInfo("America/New_York"))
ORDER = {"account": "Z20000025", "symbol": "aapl", "action": "buy", "quantity": 10}


def operation(value: object) -> Operation[..., object]:
    assert isinstance(value, Operation)
    return value


def test_texts_become_types() -> None:
    chart = operation(MarketData.chart)
    assert bind(chart, {"symbol": "AAPL", "width": "week", "extended": "true"}) == {
        "symbol": "AAPL",
        "width": BarWidth.WEEK,
        "extended": True,
    }
    quotes = operation(MarketData.quotes)
    assert bind(quotes, {"symbols": "AAPL,TSLA"}) == {"symbols": ["AAPL", "TSLA"]}
    assert bind(quotes, {"symbols": ["AAPL", "KO,PEP"]}) == {"symbols": ["AAPL", "KO", "PEP"]}


@pytest.mark.parametrize(
    ("given_", "field", "rule"),
    [
        ({}, "acct", "be given"),
        ({"acct": "Z1", "acc": "x"}, "acc", "be one of acct"),
    ],
)
def test_missing_and_unknown_parameters(given_: dict[str, str], field: str, rule: str) -> None:
    with pytest.raises(ValidationFailed) as problem:
        bind(operation(Accounts.positions), given_)
    assert problem.value.details is not None
    assert problem.value.details["field"] == field
    assert problem.value.details["rule"] == rule


@pytest.mark.parametrize(
    ("change", "field", "value", "rule"),
    [
        ({"order_type": "limit"}, "limit_price", None, "be given"),
        ({"order_type": "stop", "limit_price": 3}, "limit_price", "3", "be one of account"),
        ({"order_type": "lmt"}, "order_type", "lmt", "be one of market, limit"),
        ({}, "order_type", None, "be given"),
        ({"order_type": "market", "action": "byu"}, "action", "byu", "be one of buy, sell"),
        ({"order_type": "market", "quantity": "ten"}, "quantity", "ten", "be a number"),
        ({"order_type": "market", "quantity": 0}, "quantity", "0", "be above zero"),
        ({"order_type": "limit", "limit_price": -1}, "limit_price", "-1", "be above zero"),
        ({"order_type": "limit", "limit_price": 1, "quantity": 1.5}, "quantity", "1.5", "be whole"),
        (
            {"order_type": "stop", "stop_price": 1, "time_in_force": "ioc"},
            "time_in_force",
            "ioc",
            "go with order type",
        ),
        (
            {"order_type": "market", "trading_session": "extended"},
            "trading_session",
            "extended",
            "be regular",
        ),
        ({"order_type": "trailing_stop"}, "trailing_amount", None, "be given, or else trailing_percent"),
        ({"order_type": "market", "action": "sell_specific_shares"}, "lots", None, "be given with"),
        ({"order_type": "market", "lots": [{"lot": 1, "quantity": 1}]}, "lots[0].lot", "1", "be text"),
        ({"order_type": "market", "symbol": "  "}, "symbol", None, "be a ticker"),
    ],
)
def test_bad_orders_name_field_value_and_rule(
    change: dict[str, object], field: str, value: str | None, rule: str
) -> None:
    with pytest.raises(ValidationFailed) as problem:
        convert({**ORDER, **change}, EquityOrder)
    details = problem.value.details
    assert details is not None
    assert details["field"] == field
    assert details["value"] == value
    assert rule in details["rule"]


def test_orders_are_types() -> None:
    order = convert({**ORDER, "order_type": "stop", "stop_price": "140.50"}, EquityOrder, texts=True)
    assert isinstance(order, EquityStopOrder)
    assert order.symbol == "AAPL"
    assert price_terms(order) == {"priceTypeCode": "S", "stopPrice": Decimal("140.50")}
    with pytest.raises(TypeError):
        EquityStopOrder(account="Z1", symbol="A", action=EquityAction.BUY, quantity=Decimal(1))  # type: ignore[call-arg]


def test_every_price_reaches_the_wire() -> None:
    order = convert({**ORDER, "order_type": "stop_limit", "stop_price": 5, "limit_price": 4}, EquityOrder)
    assert price_terms(order) == {"priceTypeCode": "SL", "limitPrice": 4, "stopPrice": 5}
    trailing = convert({**ORDER, "order_type": "trailing_stop_limit", "trailing_percent": 3, "limit_offset": 1}, EquityOrder)  # fmt: skip
    assert price_terms(trailing) == {
        "priceTypeCode": "TL",
        "trailingStopAmt": 3,
        "trailingStopTypeCode": "P",
        "limitOffsetAmt": 1,
    }
    assert price_terms(convert({**ORDER, "order_type": "market"}, EquityOrder)) == {"priceTypeCode": "M"}
    assert EquityTrailingStopOrder.__struct_config__.tag == "trailing_stop"


@given(st.decimals(min_value="0.000001", max_value="1000000", places=6))
def test_prices_stay_exact(price: Decimal) -> None:
    order = convert({**ORDER, "order_type": "limit", "limit_price": f"{price:f}"}, EquityOrder, texts=True)
    assert isinstance(order, EquityLimitOrder)
    assert order.limit_price == price


@given(st.dictionaries(st.sampled_from([*ORDER, "order_type", "limit_price", "lots", "x"]), st.none() | st.integers() | st.text(max_size=4) | st.lists(st.integers(), max_size=2), max_size=6))  # fmt: skip
def test_any_body_is_an_order_or_a_clear_error(body: dict[str, object]) -> None:
    try:
        convert(body, EquityOrder)
    except ValidationFailed as problem:
        assert problem.details is not None
        assert set(problem.details) == {"field", "value", "rule"}


def test_the_body_is_the_order() -> None:
    preview = operation(EquityOrders.preview)
    assert preview.body_is is not None
    assert preview.body_is.name == "order"
    place = operation(EquityOrders.place)
    assert place.body_is is None
    bound = bind(place, {"order": {**ORDER, "order_type": "market"}, "conf_num": "2DI0KXQ4"}, texts=False)
    assert isinstance(bound["order"], EquityMarketOrder)


def test_places_of_parameters() -> None:
    detail = {param.name: param.where for param in operation(Orders.detail).params}
    assert detail == {"order_id": "path", "acct": "query"}
    assert {param.where for param in operation(EquityOrders.place).params} == {"body"}


def test_the_registry_finds_every_operation_once() -> None:
    names = [item.name for item in all_operations()]
    assert len(names) == len(set(names))
    routes = [(item.method, item.path) for item in all_operations()]
    assert len(routes) == len(set(routes))
    for item in all_operations():
        assert find(item.name) is item
        assert item.summary.endswith((".", "on.")), f"{item.name} needs a summary"
        ours = item.name.startswith(("orders.journal.", "trading."))  # they do not speak to the broker
        assert ours or "Source: protocol" in item.description, f"{item.name} must name its source"
        for param in item.params:
            assert param.param.help, f"{item.name} {param.name} needs help"


@pytest.mark.parametrize(
    ("word", "day"),
    [
        ("today", date(2026, 3, 31)),
        ("yesterday", date(2026, 3, 30)),
        ("ytd", date(2026, 1, 1)),
        ("mtd", date(2026, 3, 1)),
        ("30d", date(2026, 3, 1)),
        ("2w", date(2026, 3, 17)),
        ("1m", date(2026, 2, 28)),
        ("1y", date(2025, 3, 31)),
        ("9999999d", date(1900, 1, 1)),
        ("99999w", date(1900, 1, 1)),
        ("999999999y", date(1900, 1, 1)),
        ("2026-01-31", date(2026, 1, 31)),
        ("1/31/2026", date(2026, 1, 31)),
    ],
)
def test_days(word: str, day: date) -> None:
    assert clean_day(word, NOW, "start") == day


@pytest.mark.parametrize("word", ["", "soon", "2026-13-01", "d30", "1778769727", "9" * 5000 + "d"])
def test_not_a_day(word: str) -> None:
    with pytest.raises(ValidationFailed, match="start"):
        clean_day(word, NOW, "start")


def test_symbols() -> None:
    assert clean_symbol(" brk.b ") == "BRK.B"
    assert clean_symbols(["aapl", "AAPL", ".spx"]) == ["AAPL", ".SPX"]
    for bad in ("", "A;B", "<script>", "a" * 40):
        with pytest.raises(ValidationFailed):
            clean_symbol(bad)
    with pytest.raises(ValidationFailed, match="at least one"):
        clean_symbols([])
    with pytest.raises(ValidationFailed, match="at most 2"):
        clean_symbols(["A", "B", "C"], limit=2)


def test_null_is_no_value() -> None:
    lots = operation(find("accounts.closed_lots"))
    with pytest.raises(ValidationFailed) as problem:
        bind(lots, {"acct": "Z20000025", "symbol": "AAPL", "tax_year": "null"})
    assert problem.value.details is not None
    assert problem.value.details["field"] == "tax_year"
    access = operation(find("research.news_access"))
    assert bind(access, {}, texts=False) == bind(access, {"reveal": None}) == {}
    with pytest.raises(ValidationFailed, match="reveal"):
        bind(access, {"reveal": None}, texts=False)
