"""A symbol is denied, and allowed, in every spelling: the spellings are written out here, not made by our code."""

from decimal import Decimal
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ftcli import config
from ftcli.environment import open_client
from ftcli.errors import RiskLimit
from ftcli.models.conditional import Condition, ConditionalOrder
from ftcli.models.option_tickets import (
    MultiLegOrder,
    NetDirection,
    OptionAction,
    OptionLeg,
    OptionLimitOrder,
)
from ftcli.models.tickets import EquityAction, EquityLimitOrder
from ftcli.models.trading import Facts
from ftcli.trading.limits import Day, judge, parse
from ftcli.trading.terms import terms_of

ACCOUNT = "Z10000017"

WRITTEN = {
    "BRK.B": ["BRK.B", "BRK/B", "BRK-B", "BRKB", "brk.b", "brk/b"],
    "BF.A": ["BF.A", "BF/A", "bf-a", "BFA"],
    "AAPL": ["AAPL", "aapl"],
    "SPX": ["SPX", ".SPX", "$SPX", "^SPX", "spx", ".spx"],
    "NDX": ["NDX", ".NDX", "^ndx"],
    "RUT": ["RUT", "$RUT"],
    "VIX": ["VIX", ".VIX"],
    "OEX": ["OEX", ".OEX"],
}
"""What a person may write into a list, by the security it names."""

SHARES = {
    "BRK.B": ["BRK.B", "BRK/B", "BRK B", "BRK-B", "BRKB", "brk b"],
    "BF.A": ["BF.A", "BF/A", "BF A", "BFA"],
    "AAPL": ["AAPL", " aapl ", "\uff21\uff21\uff30\uff2c", "AA\u200bPL"],
}
"""What an order for its shares may name it by; full-width letters and a space of no width among them."""

OPTIONS = {
    "BRK.B": ["BRKB270115C400", "-brkb270115c400", "BRK.B 2027-01-15 400 C", "BRKB1 270115C00400000"],
    "BF.A": ["BFA270115P40", "BF/A 2027-01-15 40 P"],
    "AAPL": ["AAPL270115C150", "AAPL  270115C00150000", "AAPL1270115C150", "AAPL2 270115C00150000"],
    "SPX": ["SPX270115C6000", "SPXW270115C6000", "SPXW  270115C06000000", ".SPX 2027-01-15 6000 C"],
    "NDX": ["NDX270115C20000", "-NDXP270115C20000", "NDXP 2027-01-15 20000 C"],
    "RUT": ["RUT270115P2000", "RUTW270115P2000"],
    "VIX": ["VIX270115C20", "VIXW270115C20"],
    "OEX": ["OEX270115C2500", "XEO270115C2500"],
}
"""What an order for its options may name it by: weekly roots, adjusted roots, and every form of the contract."""

ELSE = "KO"
"""A security that is none of these."""


def shares(symbol: str) -> EquityLimitOrder:
    return EquityLimitOrder(
        account=ACCOUNT,
        symbol=symbol,
        action=EquityAction.BUY,
        quantity=Decimal(1),
        limit_price=Decimal(5),
    )


def contract(symbol: str) -> OptionLimitOrder:
    return OptionLimitOrder(
        account=ACCOUNT,
        symbol=symbol,
        action=OptionAction.BUY_TO_OPEN,
        quantity=1,
        limit_price=Decimal(5),
    )


@st.composite
def orders(draw: Any) -> tuple[str, Any]:
    """A security, and an order that trades it, alone or as a part."""
    name = draw(st.sampled_from(sorted(WRITTEN)))
    if name in SHARES and draw(st.booleans()):
        order = shares(draw(st.sampled_from(SHARES[name])))
        if draw(st.booleans()):
            pair = draw(st.permutations([order, shares(ELSE)]))
            return name, ConditionalOrder(condition=Condition.OCO, orders=pair)
        return name, order
    symbol = draw(st.sampled_from(OPTIONS[name]))
    if draw(st.booleans()):
        legs = [
            OptionLeg(symbol=each, action=OptionAction.BUY_TO_OPEN) for each in (symbol, f"{ELSE}270115C70")
        ]
        return name, MultiLegOrder(
            account=ACCOUNT,
            legs=draw(st.permutations(legs)),
            direction=NetDirection.DEBIT,
            net_price=Decimal(5),
        )
    return name, contract(symbol)


def broken(raw: dict[str, Any], order: Any) -> list[str]:
    (one,) = parse(raw)
    return [item.rule for item in judge(one, terms_of(order, {}), Facts(), Day())]


@settings(max_examples=500, deadline=None)
@given(given_order=orders(), data=st.data())
def test_no_spelling_gets_past_a_list(given_order: tuple[str, Any], data: st.DataObject) -> None:
    name, order = given_order
    word = data.draw(st.sampled_from(WRITTEN[name]))
    others = data.draw(
        st.lists(st.sampled_from([each for each in WRITTEN if each != name]).flatmap(spelled), min_size=1)
    )
    assert broken({"symbols_denied": [*others, word]}, order) == ["symbols_denied"]
    assert broken({"symbols_denied": " ".join([*others, word])}, order) == ["symbols_denied"]
    assert broken({"symbols_allowed": [*others, ELSE]}, order) == ["symbols_allowed"]
    assert broken({"symbols_denied": others}, order) == []
    assert broken({"symbols_allowed": f"{ELSE}, {word}"}, order) == []


def spelled(name: str) -> "st.SearchStrategy[str]":
    return st.sampled_from(WRITTEN[name])


def test_a_contract_and_a_root_can_be_named_too() -> None:
    weekly, monthly = contract("SPXW270115C6000"), contract("SPX270115C6000")
    assert broken({"symbols_denied": ["SPXW"]}, weekly) == ["symbols_denied"]
    assert broken({"symbols_denied": ["SPXW"]}, monthly) == []
    assert broken({"symbols_denied": ["-SPX270115C6000.0"]}, monthly) == ["symbols_denied"]
    assert broken({"symbols_allowed": ["SPX  270115C06000000"]}, monthly) == []
    assert broken({"symbols_allowed": ["SPX270115C6005"]}, monthly) == ["symbols_allowed"]
    assert broken({"symbols_allowed": ["AAPL1"]}, contract("AAPL270115C150")) == ["symbols_allowed"]


def test_a_root_nobody_knows_is_not_allowed_by_the_index_it_looks_like() -> None:
    assert broken({"symbols_allowed": ["SPX"]}, contract("SPXQ270115C6000")) == ["symbols_allowed"]
    assert broken({"symbols_allowed": ["SPXQ"]}, contract("SPXQ270115C6000")) == []


def test_an_option_in_an_order_for_shares_is_an_option() -> None:
    order = shares("-SPXW270115C6000")
    assert broken({"symbols_denied": ["SPX"]}, order) == ["symbols_denied"]
    assert broken({"asset_classes": "equity"}, order) == ["asset_classes"]
    assert broken({"max_value": 499}, order) == ["max_value"]
    assert broken({"max_value": 500}, order) == []


@pytest.mark.parametrize(("denied", "traded"), [("SPX", "SPXW270115C6000"), ("BRK/B", "BRKB270115C400")])
async def test_the_gate_denies_an_option_by_its_underlying(denied: str, traded: str, tmp_path: Path) -> None:
    environ = {
        "FT_ENV": "paper",
        "FT_DATA_DIR": str(tmp_path),
        "FT_CONFIG": "/dev/null",
        "FT_PAPER_CLOCK": "2026-11-24T16:00:00+00:00",
        "FT_LIMITS": f"symbols_denied={denied}",
    }
    async with open_client(config.load({}, environ)) as client:
        check = await client.trading.check_option(contract(traded))
        assert [item.rule for item in check.findings] == ["symbols_denied"]


async def test_the_gate_denies_a_class_share_by_any_of_its_names(tmp_path: Path) -> None:
    environ = {
        "FT_ENV": "paper",
        "FT_DATA_DIR": str(tmp_path),
        "FT_CONFIG": "/dev/null",
        "FT_PAPER_CLOCK": "2026-11-24T16:00:00+00:00",
        "FT_LIMITS": "symbols_denied=BRKB",
    }
    async with open_client(config.load({}, environ)) as client:
        for symbol in ("BRK.B", "BRK/B"):
            order = shares(symbol)
            preview = await client.orders.equity.preview(order)
            with pytest.raises(RiskLimit, match="symbols_denied"):
                await client.orders.equity.place(order, preview.conf_num or "")


@pytest.mark.parametrize("form", ["shares", "group"])
async def test_the_same_order_is_the_same_in_every_spelling(form: str, tmp_path: Path) -> None:
    """The duplicate window; the spellings are those that the paper broker previews."""
    environ = {
        "FT_ENV": "paper",
        "FT_DATA_DIR": str(tmp_path),
        "FT_CONFIG": "/dev/null",
        "FT_PAPER_CLOCK": "2026-11-24T16:00:00+00:00",
        "FT_LIMITS": "duplicate_window=3600",
    }
    async with open_client(config.load({}, environ)) as client:

        async def place(symbol: str) -> None:
            order, trade = shares(symbol), client.orders
            if form == "shares":
                preview = await trade.equity.preview(order)
                await trade.equity.place(order, preview.conf_num or "")
                return
            pair = ConditionalOrder(condition=Condition.OTO, orders=[order, shares(ELSE)])
            previews = await trade.conditional.preview(pair)
            await trade.conditional.place(pair, previews.conf_nums)

        await place("BRK.B")
        for spelling in ("BRK/B", "brk b", "BRK-B", "BRKB"):
            with pytest.raises(RiskLimit, match="duplicate_window"):
                await place(spelling)
        checked = await client.trading.check(shares("BRK/B"))
        assert ["duplicate_window"] * (form == "shares") == [item.rule for item in checked.findings]
        await place(ELSE)


def test_orders_are_alike_in_every_spelling_and_in_nothing_else() -> None:
    known = [{terms_of(shares(each), {}).likeness for each in spellings} for spellings in SHARES.values()]
    known += [{terms_of(shares(ELSE), {}).likeness}, {terms_of(shares(ELSE), {}, ["2ABCDEFG"]).likeness}]
    known += [{terms_of(contract(forms[0]), {}).likeness} for forms in OPTIONS.values()]
    assert [len(alike) for alike in known] == [1] * len(known)
    assert not [pair for pair in combinations(known, 2) if pair[0] & pair[1]]
