"""Limits hold: no order passes that breaks one, and each refusal names its rule."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ftcli import config
from ftcli.environment import open_client
from ftcli.errors import RiskLimit, ValidationFailed
from ftcli.models.tickets import EquityAction, EquityLimitOrder, EquityMarketOrder
from ftcli.models.trading import Facts
from ftcli.trading.limits import Day, applying, judge, parse
from ftcli.trading.terms import terms_of

MONEY = st.decimals(min_value="0.01", max_value="5000", places=2)
SYMBOLS = ("AAPL", "KO", "GME")
ACTIONS = [EquityAction.BUY, EquityAction.SELL, EquityAction.SELL_SHORT]
NOW = datetime(2026, 11, 24, 16, tzinfo=UTC)


@st.composite
def rules(draw: Any) -> dict[str, Any]:
    choices = {
        "max_quantity": st.integers(0, 100),
        "max_value": MONEY,
        "max_daily_value": MONEY,
        "max_daily_orders": st.integers(0, 4),
        "price_band": st.integers(0, 50),
        "symbols_allowed": st.lists(st.sampled_from(SYMBOLS), min_size=1),
        "symbols_denied": st.lists(st.sampled_from(SYMBOLS), min_size=1),
        "actions_allowed": st.lists(st.sampled_from(["buy", "sell"]), min_size=1),
        "asset_classes": st.just(["option"]),
        "market_hours_only": st.just(True),
        "duplicate_window": st.integers(1, 60),
        "max_open_orders": st.integers(0, 4),
    }
    names = draw(st.sets(st.sampled_from(sorted(choices))))
    return {name: draw(choices[name]) for name in names}


def broken(rule: dict[str, Any], order: Any, facts: Facts, day: Day) -> set[str]:
    """An independent reading of the rules, for one equity order."""
    price = getattr(order, "limit_price", None)
    last = facts.last.get(order.symbol)
    at = price or last
    value = None if at is None else at * order.quantity
    away = None if price is None or last is None else abs(price - last) * 100 / last
    tests = {
        "max_quantity": lambda limit: order.quantity > limit,
        "max_value": lambda limit: value is None or value > limit,
        "max_daily_value": lambda limit: value is None or value + day.value > limit,
        "max_daily_orders": lambda limit: day.orders + 1 > limit,
        "price_band": lambda limit: price is not None and (away is None or away > limit),
        "symbols_allowed": lambda limit: order.symbol not in limit,
        "symbols_denied": lambda limit: order.symbol in limit,
        "actions_allowed": lambda limit: order.action.value not in limit,
        "asset_classes": lambda limit: "equity" not in limit,
        "market_hours_only": lambda limit: not facts.market_open,
        "duplicate_window": lambda limit: day.same_order_age is not None and day.same_order_age < limit,
        "max_open_orders": lambda limit: facts.open_orders is None or facts.open_orders + 1 > limit,
    }
    return {name for name, limit in rule.items() if tests[name](limit)}


@settings(max_examples=600, deadline=None)
@given(
    rule=rules(),
    symbol=st.sampled_from(SYMBOLS),
    action=st.sampled_from(ACTIONS),
    quantity=st.integers(1, 200),
    price=st.none() | MONEY,
    last=st.none() | MONEY,
    open_orders=st.none() | st.integers(0, 5),
    market_open=st.none() | st.booleans(),
    day_value=MONEY,
    day_orders=st.integers(0, 5),
    age=st.none() | st.floats(0, 120),
)
def test_no_order_passes_that_breaks_a_limit(
    rule: dict[str, Any],
    symbol: str,
    action: EquityAction,
    quantity: int,
    price: Decimal | None,
    last: Decimal | None,
    open_orders: int | None,
    market_open: bool | None,
    day_value: Decimal,
    day_orders: int,
    age: float | None,
) -> None:
    terms = {"account": "Z10000017", "symbol": symbol, "action": action, "quantity": Decimal(quantity)}
    order: Any = EquityMarketOrder(**terms) if price is None else EquityLimitOrder(**terms, limit_price=price)
    facts = Facts(last={symbol: last} if last else {}, open_orders=open_orders, market_open=market_open)
    day = Day(value=day_value, orders=day_orders, same_order_age=age)
    sets = applying(parse(rule), "Z10000017", "")
    findings = [item for one in sets for item in judge(one, terms_of(order, facts.last), facts, day)]
    assert {item.rule for item in findings} == broken(rule, order, facts, day)
    for item in findings:
        assert item.rule in item.text
        assert item.limit


@pytest.mark.parametrize(
    "raw",
    [
        {"max_valeu": 5},
        {"max_value": "lots"},
        {"max_value": -1},
        {"max_value": "NaN"},
        {"actions_allowed": ["bye"]},
        {"asset_classes": "crypto"},
        {"accounts": {"Z1": 5}},
        {"accounts": {"Z1": {"max_orders": 5}}},
        {"max_daily_orders": 1.5},
    ],
)
def test_half_understood_limits_are_errors(raw: dict[str, Any]) -> None:
    with pytest.raises(ValidationFailed):
        parse(raw)


def test_limits_of_accounts_and_keys_apply_to_them_only() -> None:
    limits = parse({"accounts.Z1.max_value": "5", "keys": {"abc": {"max_quantity": 1}}, "max_value": 100})
    assert [one.name for one in applying(limits, "Z1", "")] == ["all", "account Z1"]
    assert [one.name for one in applying(limits, "Z2", "abc")] == ["all", "key abc"]


async def test_a_limit_refuses_a_place_and_counts_the_day(tmp_path: Path) -> None:
    environ = {
        "FT_ENV": "paper",
        "FT_DATA_DIR": str(tmp_path),
        "FT_CONFIG": str(tmp_path / "none.toml"),
        "FT_PAPER_CLOCK": NOW.isoformat(),
        "FT_LIMITS": "max_value=200,max_daily_orders=2,symbols_denied=GME AMC,price_band=10,max_open_orders=9",
    }

    def order(quantity: int, price: str = "72") -> EquityLimitOrder:
        return EquityLimitOrder(
            account="Z10000017",
            symbol="KO",
            action=EquityAction.BUY,
            quantity=Decimal(quantity),
            limit_price=Decimal(price),
        )

    async with open_client(config.load({}, environ)) as client:

        async def place(one: EquityLimitOrder) -> Any:
            preview = await client.orders.equity.preview(one)
            return await client.orders.equity.place(one, preview.conf_num or "")

        last = (await client.market_data.quotes(["KO"])).quotes[0].last
        assert last
        near = f"{last:.2f}"
        with pytest.raises(RiskLimit) as refused:
            await place(order(50, near))
        assert refused.value.details
        assert refused.value.details["rule"] == "max_value"
        with pytest.raises(RiskLimit) as refused:
            await place(order(1, f"{last / 2:.2f}"))
        assert refused.value.details
        assert refused.value.details["rule"] == "price_band"
        await place(order(1, near))
        await place(order(2, near))
        check = await client.trading.check(order(1, near))
        assert [item.rule for item in check.findings] == ["max_daily_orders"]
        with pytest.raises(RiskLimit, match="max_daily_orders"):
            await place(order(1, near))
        rows = {row.rule: row.used for row in (await client.trading.limits()).limits}
        assert rows["max_daily_orders"] == "2"
        states = [entry.state for entry in (await client.orders.journal.list()).entries]
        assert states == ["accepted", "accepted"], "what a limit refuses never reaches the journal"
