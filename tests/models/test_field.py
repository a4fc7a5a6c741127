"""One declaration of a field, read in both directions."""

from datetime import date
from decimal import Decimal
from typing import Annotated

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftcli.models.field import USD, Document, Model, as_list, at, fields, read, rows_field, walk, write
from ftcli.models.json import dumps, loads
from ftcli.models.order_codes import Action


class Leg(Model):
    symbol: Annotated[str | None, at("securityDetail.symbol", "Symbol.", column="Symbol")] = None
    price: Annotated[Decimal | None, at("priceDetail.lastPrice|last", "Price.", unit=USD)] = None
    action: Annotated[Action | None, at("code", "Action.")] = None
    day: Annotated[date | None, at("day", "Day.", form="iso_day")] = None


class Extra(Model):
    note: Annotated[str | None, at("note", "Note.")] = None


class Ticket(Document):
    number: Annotated[str, at("id.num", "Number.")] = ""
    legs: Annotated[list[Leg], at("legDetails.legDetail[]", "Legs.")] = []
    extra: Annotated[Extra | None, at(".", "Fields without an object of their own.")] = None
    ours: Annotated[int, at(None, "Not on the wire.")] = 7


def test_reads_and_writes_nested_paths() -> None:
    wire = {
        "id": {"num": "A1"},
        "legDetails": {
            "legDetail": [
                {
                    "securityDetail": {"symbol": "KO"},
                    "priceDetail": {"lastPrice": Decimal("1.50")},
                    "code": "B",
                    "day": "2026-05-14",
                }
            ]
        },
        "note": "x",
    }
    ticket = read(Ticket, wire)
    assert ticket.legs == [Leg(symbol="KO", price=Decimal("1.50"), action=Action.BUY, day=date(2026, 5, 14))]
    assert ticket.extra == Extra(note="x")
    assert write(ticket) == wire


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "num", "legDetails", "legDetail", "code", "priceDetail", "day", "x"]), inner, max_size=4), max_leaves=12))  # fmt: skip
def test_any_document_reads(document: object) -> None:
    """Whatever the broker adds, drops or garbles: no crash."""
    read(Ticket, document)


@given(
    st.lists(
        st.builds(
            Leg,
            symbol=st.none() | st.text("ABC", min_size=1, max_size=4),
            price=st.none() | st.decimals(-999, 999, places=2),
            action=st.none() | st.sampled_from(list(Action)),
            day=st.none() | st.dates(date(2000, 1, 1), date(2090, 1, 1)),
        ),
        max_size=4,
    )
)
def test_what_is_written_is_read(legs: list[Leg]) -> None:
    ticket = Ticket(number="N", legs=legs, extra=Extra())
    assert read(Ticket, loads(dumps(write(ticket)))) == ticket


def test_alternatives_and_single_objects() -> None:
    ticket = read(Ticket, {"legDetails": {"legDetail": {"last": "2.25"}}})
    assert [leg.price for leg in ticket.legs] == [Decimal("2.25")]


@pytest.mark.parametrize(
    ("value", "rows"),
    [
        (None, []),
        ("", []),
        ([1, 2], [1, 2]),
        ({"k": [1]}, [1]),
        ({"k": {"k": [{"a": 1}]}}, [{"a": 1}]),
        ([{"k": 1}, {"k": 2}], [1, 2]),
        ({"a": 1}, [{"a": 1}]),
    ],
)
def test_lists_in_all_their_shapes(value: object, rows: list[object]) -> None:
    assert as_list(value, "k") == rows


def test_json_keeps_decimals_exact() -> None:
    number = Decimal("12345678901234567890.123456789")
    assert dumps({"a": number}) == b'{"a":12345678901234567890.123456789}'
    assert loads(b'{"a":12345678901234567890.123456789}') == {"a": number}


def test_raw_is_not_part_of_the_document() -> None:
    ticket = Ticket(number="1")
    assert ticket.raw is None
    assert ticket.raw_body is None
    assert loads(dumps(ticket)) == {"number": "1", "legs": [], "extra": None, "ours": 7}


def test_declarations_can_be_walked() -> None:
    assert [info.name for info in fields(Leg)] == ["symbol", "price", "action", "day"]
    price = fields(Leg)[1]
    assert (price.unit, price.text, price.path) == (USD, "Price.", "priceDetail.lastPrice|last")
    rows = rows_field(Ticket)
    assert rows is not None
    assert rows.name == "legs"
    assert list(walk(Ticket)) == [Ticket, Leg, Extra]
    schema = msgspec.json.schema(Leg)["$defs"]["Leg"]["properties"]["price"]
    assert schema["x-unit"] == USD
