"""Commands made from operations: values as texts, bodies as options, kinds told, the account found."""

import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from cli_kit import Run, ft
from hypothesis import given
from hypothesis import strategies as st

from ftcli.cli.accounts import PLACEHOLDER, Slot
from ftcli.cli.body import account_holders, assemble, members, tag_of
from ftcli.errors import ValidationFailed
from ftcli.models.conditional import ConditionalOrder
from ftcli.models.tickets import EquityOrder
from ftcli.operations.binding import convert

BASE = {"account": "Z20000025", "symbol": "KO", "action": "buy", "quantity": "1"}
PRICES = {
    "limit_price": "60",
    "stop_price": "61",
    "trailing_amount": "2",
    "trailing_percent": "3",
    "limit_offset": "1",
}


@pytest.mark.parametrize(
    ("given_", "kind"),
    [
        ([], "market"),
        (["limit_price"], "limit"),
        (["stop_price"], "stop"),
        (["stop_price", "limit_price"], "stop_limit"),
        (["trailing_amount"], "trailing_stop"),
        (["trailing_percent"], "trailing_stop"),
        (["trailing_amount", "limit_offset"], "trailing_stop_limit"),
        (["trailing_percent", "limit_offset"], "trailing_stop_limit"),
    ],
)
def test_the_kind_is_told_from_the_prices(given_: list[str], kind: str) -> None:
    order = convert(
        assemble(EquityOrder, BASE | {name: PRICES[name] for name in given_}), EquityOrder, texts=True
    )
    assert order.__struct_config__.tag == kind


def needed(member: Any) -> set[str]:
    """The prices a kind cannot do without."""
    return {field.name for field in msgspec.structs.fields(member) if field.required} & set(PRICES)


@given(st.sets(st.sampled_from(sorted(PRICES))))
def test_a_told_kind_takes_every_price_given_or_it_is_an_error(names: set[str]) -> None:
    given_ = BASE | {name: PRICES[name] for name in names}
    fits = [member for member in members(EquityOrder) if names <= set(member.__struct_fields__)]
    if not any(needed(member) <= names for member in fits):
        with pytest.raises(ValidationFailed, match="order_type"):
            assemble(EquityOrder, given_)
        return
    body = assemble(EquityOrder, given_)
    member = next(member for member in members(EquityOrder) if tag_of(member) == body["order_type"])
    assert names <= set(member.__struct_fields__)
    trail = names & {"trailing_amount", "trailing_percent"}
    if len(trail) == 1 or "trailing" not in body["order_type"]:  # both or neither are the order's own affair
        order: Any = convert(body, EquityOrder, texts=True)
        assert {name: getattr(order, name) for name in names} == {
            name: Decimal(PRICES[name]) for name in names
        }


def test_a_kind_that_is_given_is_not_touched() -> None:
    body = assemble(EquityOrder, BASE | {"order_type": "limit"})
    assert body["order_type"] == "limit"
    with pytest.raises(ValidationFailed, match="limit_price is required"):
        convert(body, EquityOrder, texts=True)


def test_nested_values_as_json_and_as_pairs() -> None:
    sale = BASE | {"action": "sell_specific_shares", "quantity": "3"}
    pairs = assemble(EquityOrder, sale | {"lots": ["lot=L1,quantity=2", "lot=L2,quantity=1"]})
    text = assemble(EquityOrder, sale | {"lots": ['[{"lot":"L1","quantity":2},{"lot":"L2","quantity":1}]']})
    assert convert(pairs, EquityOrder, texts=True) == convert(text, EquityOrder, texts=True)
    for bad in ("L1", "{oops", "=1", "lot=L1,2"):
        with pytest.raises(ValidationFailed, match="lots"):
            assemble(EquityOrder, sale | {"lots": [bad]})


def test_dots_lead_inside_and_kinds_are_told_there_too() -> None:
    orders = [
        "symbol=KO,action=buy,quantity=1,limit-price=60",
        '{"symbol": "KO", "action": "sell", "quantity": 1, "stop_price": 50}',
    ]
    body = assemble(ConditionalOrder, {"condition": "oto", "orders": orders})
    assert [order["order_type"] for order in body["orders"]] == ["limit", "stop"]
    Slot(account_holders(ConditionalOrder, body), "account").fill("Z20000025")
    group = convert(body, ConditionalOrder, texts=True)
    assert group.account == "Z20000025"


def test_a_whole_body_with_single_options_over_it() -> None:
    body = assemble(EquityOrder, {"quantity": "5"}, dict(BASE) | {"limit_price": Decimal(60)})
    order: Any = convert(body, EquityOrder, texts=True)
    assert (order.quantity, order.limit_price) == (Decimal(5), Decimal(60))


def test_an_account_that_stands_there_is_not_overwritten() -> None:
    holders: list[dict[str, Any]] = [{"account": "A"}, {}, {"account": PLACEHOLDER}]
    slot = Slot(holders, "account")
    assert slot.value == "A"
    slot.fill("B")
    assert [holder["account"] for holder in holders] == ["A", "B", "B"]


# -- against the paper broker ----------------------------------------------------------------------

ORDER = ("--symbol", "KO", "--action", "buy", "--quantity", "1", "--limit-price", "60", "-a", "Z20000025")


def test_json_is_the_same_document_through_options_and_through_a_body(paper: Run) -> None:
    first = json.loads(paper("orders", "equity", "preview", *ORDER, "-o", "json").out)
    body = json.dumps(BASE | {"quantity": 1, "limit_price": 60})
    second = json.loads(paper("orders", "equity", "preview", "--body", "-", "-o", "json", stdin=body).out)
    assert first | {"conf_num": ""} == second | {"conf_num": ""}
    assert first["order_type"] == "limit"


def test_the_broker_codes_and_dashes_are_understood(paper: Run) -> None:
    told = paper(
        "orders", "equity", "preview", *ORDER, "--action", "B", "--time-in-force", "GTC", "-o", "json"
    )
    document = json.loads(told.out)
    assert (document["action"], document["time_in_force"]) == ("buy", "gtc")


def test_a_missing_field_has_the_same_words_as_on_the_other_faces(paper: Run) -> None:
    told = paper("orders", "equity", "preview", "--symbol", "KO", "--quantity", "1")
    assert told.status == 2
    assert "action is required." in told.err
    typo = paper("orders", "equity", "preview", "--symbol", "KO", "--quantity", "1", "--action", "bui")
    assert "Did you mean buy?" in typo.err


def test_reads_take_the_brokers_default_account_and_orders_never_guess(paper: Run) -> None:
    assert json.loads(paper("positions", "-o", "json").out)["account"] == "Z10000017"
    told = paper("buy", "KO", "1")
    assert told.status == 2
    assert "Z20000025 (Active Trading)" in told.err


def test_the_configured_account_is_used(environ: dict[str, str]) -> None:
    told = ft("positions", "-o", "json", environ=environ | {"FT_ACCOUNT": "Z20000025"})
    assert json.loads(told.out)["account"] == "Z20000025"
    flag = ft("positions", "-a", "240000041", "-o", "json", environ=environ | {"FT_ACCOUNT": "Z20000025"})
    assert json.loads(flag.out)["account"] == "240000041"


def test_symbols_by_blanks_and_by_commas_and_options_with_a_leading_dash(paper: Run) -> None:
    blanks = paper("quote", "AAPL", "KO", "-o", "json")
    commas = paper("quote", "AAPL,KO", "-o", "json")
    assert blanks.data == commas.data
    held = [row["symbol"] for row in json.loads(paper("positions", "-o", "json").out)["positions"]]
    option = next(symbol for symbol in held if symbol.startswith("-"))
    told = json.loads(paper("quote", option, "KO", "-o", "json").out)
    assert [row["symbol"] for row in told["quotes"]] == [option, "KO"]


def test_the_default_command_of_a_group_takes_its_options(paper: Run) -> None:
    plain = paper("orders", "status", "-a", "Z20000025", "-o", "json")
    short = paper("orders", "-a", "Z20000025", "-o", "json")
    assert plain.status == 0
    assert plain.data == short.data
    assert paper("-o", "json", "orders", "-a", "Z20000025").data == plain.data
