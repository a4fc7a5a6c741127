"""The payoff of packages, by known shapes and against a walk over prices."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftcli.models.option_tickets import MultiLegOrder, NetDirection, OptionAction, OptionLeg
from ftcli.models.payoff import payoff


def package(direction: str, net: str, *legs: tuple[str, str, int]) -> MultiLegOrder:
    return MultiLegOrder(
        account="Z20000025",
        direction=NetDirection(direction),
        net_price=Decimal(net),
        legs=[
            OptionLeg(symbol=f"AAPL270319{name}", action=OptionAction(action), quantity=quantity)
            for name, action, quantity in legs
        ],
    )


@pytest.mark.parametrize(
    ("order", "gain", "loss", "evens"),
    [
        (
            package("debit", "2.05", ("C40", "buy_to_open", 2), ("C45", "sell_to_open", 2)),
            590,
            410,
            ["42.05"],
        ),
        (
            package("credit", "1.50", ("P40", "buy_to_open", 1), ("P45", "sell_to_open", 1)),
            150,
            350,
            ["43.50"],
        ),
        (
            package("debit", "3", ("C40", "buy_to_open", 1), ("P40", "buy_to_open", 1)),
            None,
            300,
            ["37", "43"],
        ),
        (
            package("credit", "3", ("C40", "sell_to_open", 1), ("P40", "sell_to_open", 1)),
            300,
            None,
            ["37", "43"],
        ),
        (
            package(
                "credit",
                "1",
                ("P35", "buy_to_open", 1),
                ("P40", "sell_to_open", 1),
                ("C50", "sell_to_open", 1),
                ("C55", "buy_to_open", 1),
            ),
            100,
            400,
            ["39", "51"],
        ),
    ],
)
def test_known_shapes(order: MultiLegOrder, gain: int | None, loss: int | None, evens: list[str]) -> None:
    found = payoff(order)
    assert found is not None
    assert (found.max_gain, found.max_loss) == (gain, loss)
    assert found.break_evens == [Decimal(price) for price in evens]


def test_legs_of_different_days_have_no_common_expiration() -> None:
    order = package("debit", "1", ("C40", "buy_to_open", 1), ("C45", "sell_to_open", 1))
    later = OptionLeg(symbol="AAPL270618C45", action=OptionAction.SELL_TO_OPEN, quantity=1)
    assert payoff(MultiLegOrder(**{**_terms(order), "legs": [order.legs[0], later]})) is None


def _terms(order: MultiLegOrder) -> dict[str, Any]:
    return {name: getattr(order, name) for name in order.__struct_fields__}


LEGS = st.tuples(
    st.sampled_from(["C", "P"]),
    st.integers(1, 20),
    st.sampled_from(["buy_to_open", "sell_to_open"]),
    st.integers(1, 3),
)


@given(
    legs=st.lists(LEGS, min_size=2, max_size=4, unique_by=lambda leg: leg[:2]),
    net=st.decimals("0.05", "9", places=2),
    direction=st.sampled_from(["debit", "credit"]),
)
def test_no_price_gains_or_loses_more(legs: list[Any], net: Decimal, direction: str) -> None:
    from math import gcd

    order = package(
        direction, str(net), *((f"{right}{strike}", action, count) for right, strike, action, count in legs)
    )
    found = payoff(order)
    assert found is not None
    paid = net * gcd(*(leg[3] for leg in legs)) * (1 if direction == "debit" else -1)

    def value(price: Decimal) -> Decimal:
        total = -paid
        for right, strike, action, count in legs:
            inner = max(Decimal(0), price - strike if right == "C" else strike - price)
            total += inner * count * (1 if action == "buy_to_open" else -1)
        return total * 100

    walked = [value(Decimal(step) / 2) for step in range(61)]
    if found.max_gain is not None:
        assert max(0, *walked) == found.max_gain
    else:
        assert value(Decimal(10_000)) > value(Decimal(1_000))
    if found.max_loss is not None:
        assert max(0, -min(walked)) == found.max_loss
    else:
        assert value(Decimal(10_000)) < value(Decimal(1_000))
    for price in found.break_evens:
        assert abs(value(price)) <= sum(leg[3] for leg in legs)  # a break-even is told to the cent
