"""Limits hold: no order passes that breaks one, and each refusal names its rule."""

import math
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ftcli import config
from ftcli.environment import open_client
from ftcli.errors import RiskLimit, ValidationFailed
from ftcli.models.conditional import (
    Condition,
    ConditionalChange,
    ConditionalOrder,
    ConditionalReplacement,
)
from ftcli.models.option_tickets import MultiLegOrder, NetDirection, OptionAction, OptionLeg, OptionOrder
from ftcli.models.tickets import (
    EquityAction,
    EquityLimitOrder,
    EquityMarketOrder,
    EquityOrder,
    EquityStopLimitOrder,
)
from ftcli.models.trading import Facts
from ftcli.server.key_text import new_key
from ftcli.trading.limits import Day, applying, judge, parse, refuse
from ftcli.trading.terms import terms_of

MONEY = st.decimals(min_value="0.01", max_value="5000", places=2)
SMALL = st.decimals(min_value="0.01", max_value="50", places=2)
SYMBOLS = ("AAPL", "KO", "GME")
ACTIONS = [EquityAction.BUY, EquityAction.SELL, EquityAction.SELL_SHORT, EquityAction.SELL_ALL]
CONTRACTS = ("AAPL270115C150", "KO270115P70", "GME270115C20", "KO270115C80", "KO270115C90", "KO270319P80")
ACCOUNT = "Z10000017"
NUMBERS = ("J05MWTSB", "J05MWTSC")
KEYS = ("3fA9xY2b", "8kQ2mR7t")
"""A key, and the one that rotation put in its place."""
NOW = datetime(2026, 11, 24, 16, tzinfo=UTC)


@st.composite
def rules(draw: Any) -> dict[str, Any]:
    choices = {
        "max_quantity": st.integers(0, 100),
        "max_value": MONEY,
        "max_daily_value": MONEY,
        "max_daily_orders": st.integers(0, 4),
        "price_band": st.integers(0, 50),
        "symbols_allowed": st.lists(st.sampled_from(SYMBOLS + CONTRACTS), min_size=1),
        "symbols_denied": st.lists(st.sampled_from(SYMBOLS + CONTRACTS), min_size=1),
        "actions_allowed": st.lists(st.sampled_from(["buy", "sell", "buy_to_open"]), min_size=1),
        "asset_classes": st.sampled_from([["option"], ["equity"]]),
        "market_hours_only": st.just(True),
        "duplicate_window": st.integers(1, 60),
        "max_open_orders": st.integers(0, 4),
    }
    names = draw(st.sets(st.sampled_from(sorted(choices))))
    return {name: draw(choices[name]) for name in names}


@st.composite
def equity(draw: Any) -> Any:
    """A share order of any type."""
    kind = draw(st.sampled_from(get_args(EquityOrder)))
    given: dict[str, Any] = {"account": ACCOUNT, "symbol": draw(st.sampled_from(SYMBOLS))}
    given |= {"action": draw(st.sampled_from(ACTIONS)), "quantity": Decimal(draw(st.integers(1, 200)))}
    fields = kind.__struct_fields__
    given |= {name: draw(MONEY) for name in ("limit_price", "stop_price") if name in fields}
    if "trailing_amount" in fields:
        given[draw(st.sampled_from(["trailing_amount", "trailing_percent"]))] = draw(SMALL)
    if "limit_offset" in fields:
        given["limit_offset"] = draw(SMALL)
    return kind(**given)


@st.composite
def option(draw: Any) -> Any:
    kind = draw(st.sampled_from(get_args(OptionOrder)))
    given: dict[str, Any] = {"account": ACCOUNT, "symbol": draw(st.sampled_from(CONTRACTS))}
    given |= {"action": draw(st.sampled_from(list(OptionAction))), "quantity": draw(st.integers(1, 200))}
    fields = kind.__struct_fields__
    return kind(**given, **{name: draw(SMALL) for name in ("limit_price", "stop_price") if name in fields})


@st.composite
def package(draw: Any) -> MultiLegOrder:
    symbols = draw(st.lists(st.sampled_from(CONTRACTS), min_size=2, max_size=4, unique=True))
    legs = [
        OptionLeg(
            symbol=symbol,
            action=draw(st.sampled_from(list(OptionAction))),
            quantity=draw(st.sampled_from([2, 4, 6])),
        )
        for symbol in symbols
    ]
    direction = draw(st.sampled_from(list(NetDirection)))
    price = Decimal(0) if direction is NetDirection.EVEN else draw(SMALL)
    return MultiLegOrder(account=ACCOUNT, legs=legs, direction=direction, net_price=price)


@st.composite
def group(draw: Any) -> Any:
    """A conditional group, or changes of one."""
    condition = draw(st.sampled_from(list(Condition)))
    orders = [draw(equity()) for _ in range(condition.size)]
    if draw(st.booleans()):
        return ConditionalOrder(condition=condition, orders=orders)
    changes = [
        ConditionalChange(order=order, replaces=number)
        for order, number in zip(orders, NUMBERS, strict=False)
    ]
    return ConditionalReplacement(condition=condition, changes=changes[: draw(st.integers(1, len(changes)))])


@st.composite
def whole(draw: Any) -> tuple[Any, list[str]]:
    """An order of any family, and the numbers of the open orders it changes."""
    order = draw(equity() | option() | package() | group())
    if isinstance(order, ConditionalReplacement):
        return order, [change.replaces for change in order.changes]
    changes = isinstance(order, get_args(EquityOrder)) and draw(st.booleans())
    return order, [NUMBERS[0]] if changes else []


@st.composite
def limits_of(draw: Any) -> dict[str, Any]:
    """Limits of all, of accounts, and of keys: of the one used or its forerunner, and of others."""
    return {
        **draw(rules()),
        "accounts": {draw(st.sampled_from([ACCOUNT, "Z20000025"])): draw(rules())},
        "keys": {draw(st.sampled_from([*KEYS, "other"])): draw(rules())},
    }


def singles(order: Any) -> list[Any]:
    if isinstance(order, ConditionalReplacement):
        return [change.order for change in order.changes]
    return order.orders if isinstance(order, ConditionalOrder) else [order]


def worst_of(order: MultiLegOrder, sets: int) -> Decimal | None:
    """The most a package can lose, or its net price where that is more; nothing where neither is known."""
    if len({leg.symbol[:-3] for leg in order.legs}) > 1 or not order.legs[0].symbol.startswith("KO270115"):
        return None
    paid = {"debit": 1, "credit": -1, "even": 0}[order.direction.value] * order.net_price * 100 * sets

    def gain(price: int) -> Decimal:
        total = -paid
        for leg in order.legs:
            strike = int(leg.symbol[-2:])
            worth = max(price - strike if leg.symbol[-3] == "C" else strike - price, 0)
            total += (100 if leg.action.name.startswith("BUY") else -100) * leg.quantity * worth
        return total

    if gain(200) < gain(100):
        return None
    return max(order.net_price * 100 * sets, *(-gain(price) for price in (0, 70, 80, 90)))


def reading(
    order: Any, last: dict[str, Decimal]
) -> tuple[Decimal | None, Decimal | None, list[Decimal | None]]:
    """An independent reading of one order: its value, the last price, and the prices that the band holds."""
    if isinstance(order, MultiLegOrder):
        sets = math.gcd(*[leg.quantity for leg in order.legs])
        sides = {leg.symbol: 1 if leg.action.name.startswith("BUY") else -1 for leg in order.legs}
        known = all(leg.symbol in last for leg in order.legs)
        mark = (
            sum(sides[leg.symbol] * last[leg.symbol] * leg.quantity for leg in order.legs) / Decimal(sets)
            if known
            else None
        )
        sign = {"debit": 1, "credit": -1, "even": 0}[order.direction.value]
        value = worst_of(order, sets)
        if not value and known:
            sold, bought = (
                sum(last[leg.symbol] * leg.quantity * 100 for leg in order.legs if sides[leg.symbol] == side)
                for side in (-1, 1)
            )
            value = Decimal(max(bought, sold, order.net_price * 100 * sets))
        return value or None, mark, [sign * order.net_price]
    limit, stop = getattr(order, "limit_price", None), getattr(order, "stop_price", None)
    mark = last.get(order.symbol)
    size = Decimal(order.quantity) * (100 if order.symbol in CONTRACTS else 1)
    prices: list[Decimal | None] = [price for price in (limit, stop) if price]
    if "trailing_percent" in order.__struct_fields__:
        trail = order.trailing_amount
        if trail is None and mark is not None:
            trail = mark * order.trailing_percent / Decimal(100)
        steps = [Decimal(0), order.limit_offset] if hasattr(order, "limit_offset") else [Decimal(0)]
        up = order.action.name.startswith("BUY")
        prices = [
            None if mark is None or trail is None else mark + trail + step if up else mark - trail - step
            for step in steps
        ]
    if order.action.name.startswith("BUY") and limit:
        return limit * size, mark, prices
    worst = None if mark is None or order.action.name == "SELL_ALL" else max([mark, *filter(None, prices)])
    return (None if worst is None else worst * size), mark, prices


def broken(rule: dict[str, Any], order: Any, replaces: list[str], facts: Facts, day: Day) -> set[str]:
    """An independent reading of the rules, for an order of any family."""
    orders = singles(order)
    read = [reading(one, facts.last) for one in orders]
    values = [value for value, _, _ in read]
    total = None if None in [day.value, *values] else sum((value or 0 for value in values), day.value or 0)
    more = len(orders) - sum(number in facts.open_numbers for number in set(replaces))
    parts = [part for one in orders for part in getattr(one, "legs", [one])]

    def underlying(part: Any) -> str:
        return next(symbol for symbol in SYMBOLS if part.symbol.startswith(symbol))

    def off(mark: Decimal | None, price: Decimal | None, limit: int) -> bool:
        return not mark or price is None or abs(price - mark) * 100 / abs(mark) > limit

    tests = {
        "max_quantity": lambda limit: any(
            part.quantity > limit or part.action.name == "SELL_ALL" for part in parts
        ),
        "max_value": lambda limit: any(value is None or value > limit for value in values),
        "max_daily_value": lambda limit: total is None or total > limit,
        "max_daily_orders": lambda limit: day.orders + len(orders) > limit,
        "price_band": lambda limit: any(
            off(mark, price, limit) for _, mark, prices in read for price in prices
        ),
        "symbols_allowed": lambda limit: any(
            part.symbol not in limit and underlying(part) not in limit for part in parts
        ),
        "symbols_denied": lambda limit: any(
            part.symbol in limit or underlying(part) in limit for part in parts
        ),
        "actions_allowed": lambda limit: any(part.action.value not in limit for part in parts),
        "asset_classes": lambda limit: any(
            ("option" if part.symbol in CONTRACTS else "equity") not in limit for part in parts
        ),
        "market_hours_only": lambda limit: not facts.market_open,
        "duplicate_window": lambda limit: day.same_order_age is not None and day.same_order_age < limit,
        "max_open_orders": lambda limit: (
            more > 0 and (facts.open_orders is None or facts.open_orders + more > limit)
        ),
    }
    return {name for name, limit in rule.items() if tests[name](limit)}


@settings(max_examples=1000, deadline=None)
@given(
    raw=limits_of(),
    given=whole(),
    key=st.sampled_from(["", KEYS[1]]),
    open_numbers=st.sets(st.sampled_from(NUMBERS)),
    last=st.dictionaries(st.sampled_from(SYMBOLS + CONTRACTS), MONEY | SMALL),
    open_orders=st.none() | st.integers(0, 5),
    market_open=st.none() | st.booleans(),
    day_value=st.none() | MONEY,
    day_orders=st.integers(0, 5),
    age=st.none() | st.floats(0, 120),
)
def test_no_order_passes_that_breaks_a_limit(
    raw: dict[str, Any],
    given: tuple[Any, list[str]],
    key: str,
    open_numbers: set[str],
    last: dict[str, Decimal],
    open_orders: int | None,
    market_open: bool | None,
    day_value: Decimal | None,
    day_orders: int,
    age: float | None,
) -> None:
    order, replaces = given
    facts = Facts(
        last=last, open_orders=open_orders, open_numbers=sorted(open_numbers), market_open=market_open
    )
    day = Day(value=day_value, orders=day_orders, same_order_age=age)
    sets = applying(parse(raw), ACCOUNT, KEYS if key else [])
    terms = terms_of(order, facts.last, replaces)
    findings = [item for one in sets for item in judge(one, terms, facts, day)]
    scopes = {"all": {name: raw[name] for name in raw if name not in ("accounts", "keys")}}
    scopes |= {f"account {name}": rule for name, rule in raw["accounts"].items() if name == ACCOUNT}
    scopes |= {f"key {name}": rule for name, rule in raw["keys"].items() if key and name in KEYS}
    assert {(item.scope, item.rule) for item in findings} == {
        (scope, name) for scope, rule in scopes.items() for name in broken(rule, order, replaces, facts, day)
    }
    for item in findings:
        assert item.text.startswith(f"{item.rule} ({item.scope}): ")
        assert item.limit
    if findings:
        with pytest.raises(RiskLimit, match=findings[0].rule):
            refuse(findings)


def test_a_stop_limit_is_held_at_both_its_prices() -> None:
    """A limit near the last price is no excuse for a stop that is far from it."""
    order = EquityStopLimitOrder(
        account=ACCOUNT,
        symbol="KO",
        action=EquityAction.BUY,
        quantity=Decimal(1),
        stop_price=Decimal(7),
        limit_price=Decimal(70),
    )
    (one,) = parse({"price_band": 10})
    (finding,) = judge(one, terms_of(order, {"KO": Decimal(71)}), Facts(), Day())
    assert finding.text == (
        "price_band (all): the stop price 7 is 90.14 % from 71, the last; at most 10 % is allowed."
    )


def test_refusals_read_as_sentences() -> None:
    order = EquityMarketOrder(account=ACCOUNT, symbol="GME", action=EquityAction.BUY, quantity=Decimal(5))
    raw = {"symbols_denied": "gme amc", "max_quantity": 2, "asset_classes": "option", "max_value": 50}
    raw |= {"symbols_allowed": "KO", "actions_allowed": "sell", "max_open_orders": 3, "duplicate_window": 9}
    raw |= {"market_hours_only": True, "max_daily_orders": 1, "max_daily_value": 100}
    (one,) = parse(raw)
    facts = Facts(last={"GME": Decimal(20)}, open_orders=3, market_open=False)
    findings = judge(
        one, terms_of(order, facts.last), facts, Day(orders=1, value=Decimal(5), same_order_age=4)
    )
    assert [item.text.partition(" (all): ")[2] for item in findings] == [
        "GME is not among the symbols allowed (KO).",
        "GME is among the symbols denied (GME AMC).",
        "buy (GME) is not among the actions allowed (sell).",
        "GME is of class equity; allowed: option.",
        "5 of GME are ordered; at most 2 are allowed.",
        "the order is worth $100; at most $50 is allowed.",
        "with this order the day is worth $105; at most $100 a day is allowed.",
        "with this order the day has 2 orders; at most 1 are allowed.",
        "the market is closed; orders are taken in regular hours only.",
        "the same order was placed 4 s ago; within 9 s it is refused.",
        "with this 4 orders are open; at most 3 are allowed.",
    ]


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
        {"duplicate_window": -5},
        {"max_open_orders": -1},
        {"accounts": {"Z20-000025": {"max_value": 5}}},
        {"symbols_denied": ["GME AMC"]},
        {"symbols_denied": ["GME,AMC"]},
        {"symbols_allowed": ["*"]},
    ],
)
def test_half_understood_limits_are_errors(raw: dict[str, Any]) -> None:
    with pytest.raises(ValidationFailed):
        parse(raw)


@pytest.mark.parametrize(
    ("raw", "field", "value", "rule"),
    [
        ({"max_valeu": 5}, "limits.max_valeu", "5", "be one of the rules: max_quantity, max_value, "),
        ({"max_value": "lots"}, "limits.max_value", "lots", "be a number of zero or more"),
        ({"max_value": True}, "limits.max_value", "True", "be a number of zero or more"),
        ({"max_value": "null"}, "limits.max_value", "null", "be a number of zero or more"),
        ({"accounts.Z1.max_value": -1}, "limits.accounts.Z1.max_value", "-1", "be a number of zero or more"),
        ({"max_daily_orders": 1.5}, "limits.max_daily_orders", "1.5", "be a whole number of zero or more"),
        (
            {"max_daily_orders": False},
            "limits.max_daily_orders",
            "False",
            "be a whole number of zero or more",
        ),
        ({"market_hours_only": "often"}, "limits.market_hours_only", "often", "be true or false"),
        ({"symbols_allowed": 5}, "limits.symbols_allowed", "5", "be a list of words"),
        ({"symbols_allowed": " , "}, "limits.symbols_allowed", " , ", "be a list of words"),
        ({"symbols_denied": "GME A*"}, "limits.symbols_denied", "A*", "be one symbol, such as BRK.B"),
    ],
)
def test_a_limit_that_does_not_parse_is_named(raw: dict[str, Any], field: str, value: str, rule: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        parse(raw)
    details = refused.value.details or {}
    assert (details["field"], details["value"]) == (field, value)
    assert details["rule"].startswith(rule)
    assert field in refused.value.message


def test_a_key_in_the_place_of_its_id_is_refused_and_not_told() -> None:
    key = new_key()
    for raw in ({"keys": {key: {"max_value": 5}}}, {f"keys.{key}.max_value": 5}):
        with pytest.raises(ValidationFailed, match="by their ids") as refused:
            parse(raw)
        assert key not in f"{refused.value.message} {refused.value.details}"


def test_numbers_keep_their_digits() -> None:
    (one,) = parse({"max_value": 0.1, "max_quantity": "0.10", "price_band": 5, "market_hours_only": "true"})
    assert one.rules.in_force() == {
        "max_quantity": "0.10",
        "max_value": "0.1",
        "price_band": "5",
        "market_hours_only": "true",
    }


def test_limits_of_accounts_and_keys_apply_to_them_only() -> None:
    limits = parse({"accounts.Z1.max_value": "5", "keys": {"abc": {"max_quantity": 1}}, "max_value": 100})
    assert [one.name for one in applying(limits, "Z1", [])] == ["all", "account Z1"]
    assert [one.name for one in applying(limits, "Z2", ["abc"])] == ["all", "key abc"]


async def test_a_limit_refuses_a_place_and_counts_the_day(tmp_path: Path) -> None:
    environ = {
        "FT_ENV": "paper",
        "FT_DATA_DIR": str(tmp_path),
        "FT_CONFIG": "/dev/null",
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


def test_a_limit_given_twice_in_one_line_is_refused_and_lists_add_up() -> None:
    environ = {"FT_CONFIG": "/dev/null", "FT_LIMITS": "symbols_denied=GME,max_value=5,symbols_denied=AMC KO"}
    (one,) = parse(config.load({}, environ).limits)
    assert one.rules.symbols_denied == ["GME", "AMC", "KO"]
    twice = config.load({}, {**environ, "FT_LIMITS": "max_value=5,max_value=5000"})
    with pytest.raises(ValidationFailed, match=r"limits\.max_value"):
        parse(twice.limits)
