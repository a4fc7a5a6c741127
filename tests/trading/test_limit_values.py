"""What an order is worth to a limit: never less than it may trade for, as far as the last price tells."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ftcli import config
from ftcli.environment import open_client
from ftcli.errors import RiskLimit
from ftcli.models.option_tickets import (
    MultiLegOrder,
    NetDirection,
    OptionAction,
    OptionLeg,
    OptionLimitOrder,
    OptionMarketOrder,
    OptionStopOrder,
)
from ftcli.models.tickets import (
    EquityAction,
    EquityLimitOrder,
    EquityMarketOrder,
    EquityStopLimitOrder,
    EquityStopOrder,
    EquityTrailingStopLimitOrder,
    EquityTrailingStopOrder,
)
from ftcli.models.trading import Facts
from ftcli.trading.limits import Day, judge, parse
from ftcli.trading.terms import terms_of

ACCOUNT = "Z10000017"
BUY, SELL, SHORT = EquityAction.BUY, EquityAction.SELL, EquityAction.SELL_SHORT
OPEN, CLOSE = OptionAction.BUY_TO_OPEN, OptionAction.SELL_TO_CLOSE
CALL, HIGHER = "KO270115C70", "KO270115C80"


def equity(kind: Any, action: EquityAction, quantity: str = "10", **prices: int) -> Any:
    given = {name: Decimal(price) for name, price in prices.items()}
    return kind(account=ACCOUNT, symbol="KO", action=action, quantity=Decimal(quantity), **given)


def option(kind: Any, action: OptionAction, **prices: int) -> Any:
    given = {name: Decimal(price) for name, price in prices.items()}
    return kind(account=ACCOUNT, symbol=CALL, action=action, quantity=2, **given)


def package(direction: str, price: str, *sides: tuple[str, OptionAction, int]) -> MultiLegOrder:
    return MultiLegOrder(
        account=ACCOUNT,
        legs=[OptionLeg(symbol=symbol, action=action, quantity=count) for symbol, action, count in sides],
        direction=NetDirection(direction),
        net_price=Decimal(price),
    )


VERTICAL = ((CALL, OptionAction.BUY_TO_OPEN, 2), (HIGHER, OptionAction.SELL_TO_OPEN, 2))
RATIO = ((CALL, OptionAction.BUY_TO_OPEN, 1), (HIGHER, OptionAction.SELL_TO_OPEN, 3))
SHORT_VERTICAL = ((CALL, OptionAction.SELL_TO_OPEN, 2), (HIGHER, OptionAction.BUY_TO_OPEN, 2))
REVERSAL = ((CALL, OptionAction.BUY_TO_OPEN, 1), ("KO270115P70", OptionAction.SELL_TO_OPEN, 1))
CALENDAR = ((CALL, OptionAction.SELL_TO_OPEN, 1), ("KO270319C70", OptionAction.BUY_TO_OPEN, 1))
LAST = {
    "KO": Decimal(70),
    CALL: Decimal(6),
    HIGHER: Decimal(2),
    "KO270115P70": Decimal(5),
    "KO270319C70": Decimal(7),
}


@pytest.mark.parametrize(
    ("order", "value"),
    [
        (equity(EquityMarketOrder, BUY), 700),
        (equity(EquityMarketOrder, BUY, "0.5"), 35),
        # A limit far from the market holds a purchase down, but no sale up.
        (equity(EquityLimitOrder, BUY, limit_price=60), 600),
        (equity(EquityLimitOrder, BUY, limit_price=80), 800),
        (equity(EquityLimitOrder, SELL, limit_price=1), 700),
        (equity(EquityLimitOrder, SHORT, limit_price=1), 700),
        (equity(EquityLimitOrder, SELL, limit_price=80), 800),
        (equity(EquityStopOrder, BUY, stop_price=80), 800),
        # A stop that the market has passed already is a market order.
        (equity(EquityStopOrder, BUY, stop_price=1), 700),
        (equity(EquityStopOrder, SELL, stop_price=60), 700),
        (equity(EquityStopLimitOrder, BUY, stop_price=80, limit_price=81), 810),
        (equity(EquityStopLimitOrder, SELL, stop_price=60, limit_price=1), 700),
        (equity(EquityTrailingStopOrder, BUY, trailing_amount=5), 750),
        (equity(EquityTrailingStopOrder, BUY, trailing_percent=10), 770),
        (equity(EquityTrailingStopOrder, SELL, trailing_amount=5), 700),
        (equity(EquityTrailingStopLimitOrder, BUY, trailing_amount=5, limit_offset=1), 760),
        (option(OptionMarketOrder, OPEN), 1200),
        (option(OptionLimitOrder, OPEN, limit_price=5), 1000),
        (option(OptionLimitOrder, CLOSE, limit_price=1), 1200),
        (option(OptionStopOrder, CLOSE, stop_price=1), 1200),
        (package("debit", "4", *VERTICAL), 800),
        (package("debit", "9", *VERTICAL), 1800),
        # The same two sold: the width less what they bring in, or what they bring in where that is more.
        (package("credit", "4", *SHORT_VERTICAL), 1200),
        (package("credit", "9", *SHORT_VERTICAL), 1800),
        (package("even", "0", *SHORT_VERTICAL), 2000),
        # A share bought at 70 in any case.
        (package("even", "0", *REVERSAL), 7000),
        # Of unlimited loss, of no loss, of different days: its larger side.
        (package("credit", "1", *RATIO), 600),
        (package("even", "0", *RATIO), 600),
        (package("even", "0", *VERTICAL), 1200),
        (package("credit", "0.01", *VERTICAL), 2),
        (package("debit", "1", *CALENDAR), 700),
        (package("debit", "8", *CALENDAR), 800),
        # As a market order, so the whole of a position: how much that is, only the broker knows.
        (equity(EquityMarketOrder, EquityAction.SELL_ALL, "1"), None),
    ],
)
def test_an_order_is_worth_what_it_may_trade_for(order: Any, value: int | None) -> None:
    assert terms_of(order, LAST).value == value


@pytest.mark.parametrize("last", [{}, {"KO": Decimal(0), CALL: Decimal(0)}])
@pytest.mark.parametrize(
    "order",
    [
        equity(EquityMarketOrder, BUY),
        equity(EquityLimitOrder, SELL, limit_price=1),
        equity(EquityTrailingStopOrder, BUY, trailing_percent=10),
        option(OptionMarketOrder, OPEN),
        package("even", "0", *VERTICAL),
        package("debit", "1", *CALENDAR),
    ],
)
def test_without_a_last_price_it_is_worth_nobody_knows_what(order: Any, last: dict[str, Decimal]) -> None:
    (one,) = parse({"max_value": 10**6, "max_daily_value": 10**6})
    findings = judge(one, terms_of(order, last), Facts(last=last), Day())
    assert [(item.rule, item.value) for item in findings] == [
        ("max_value", "not known"),
        ("max_daily_value", "not known"),
    ]


def test_a_sale_of_all_breaks_what_limits_its_size() -> None:
    order = equity(EquityMarketOrder, EquityAction.SELL_ALL, "1")
    (one,) = parse({"max_quantity": 10**6, "max_value": 10**6})
    findings = judge(one, terms_of(order, LAST), Facts(), Day())
    assert [item.text for item in findings] == [
        "max_quantity (all): all of KO are ordered; at most 1000000 are allowed.",
        "max_value (all): the order is worth an amount not known; at most $1000000 is allowed.",
    ]


def test_a_day_of_unknown_value_lets_nothing_through() -> None:
    (one,) = parse({"max_daily_value": 10**6})
    findings = judge(one, terms_of(equity(EquityMarketOrder, BUY), LAST), Facts(), Day(value=None))
    assert [item.rule for item in findings] == ["max_daily_value"]


async def test_the_gate_values_a_sale_and_an_even_package_by_the_market(tmp_path: Path) -> None:
    environ = {
        "FT_ENV": "paper",
        "FT_DATA_DIR": str(tmp_path),
        "FT_CONFIG": "/dev/null",
        "FT_PAPER_CLOCK": "2026-11-24T16:00:00+00:00",
        "FT_LIMITS": "max_value=70",
    }
    account = "Z20000025"
    async with open_client(config.load({}, environ)) as client:
        sale = EquityLimitOrder(
            account=account, symbol="KO", action=SHORT, quantity=Decimal(1), limit_price=Decimal(68)
        )
        preview = await client.orders.equity.preview(sale)
        with pytest.raises(RiskLimit, match="max_value"):
            await client.orders.equity.place(sale, preview.conf_num or "")
        even = MultiLegOrder(
            account=account,
            legs=[
                OptionLeg(symbol="AAPL270115C270", action=OptionAction.BUY_TO_OPEN),
                OptionLeg(symbol="AAPL270115P270", action=OptionAction.SELL_TO_OPEN),
            ],
            direction=NetDirection.EVEN,
            net_price=Decimal(0),
        )
        package_preview = await client.orders.options.preview(even)
        with pytest.raises(RiskLimit, match="max_value"):
            await client.orders.options.place(even, package_preview.conf_num or "")
