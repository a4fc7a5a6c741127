"""The id table, symbols and the conversion of wire text: parsers with properties."""

import csv
import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftcli.errors import ValidationFailed
from ftcli.models.mdds import BOOK_IDS, BOOK_SLOTS, FIELDS, IDS, STATIC_IDS, book_id, field_name
from ftcli.streaming.symbols import is_option, split_suffix, stream_symbol, stream_symbols
from ftcli.streaming.timing import IsoStamp, moment
from ftcli.streaming.wire_text import DATE, LIMIT, NUMBER, PRICE, SIZE, TEXT, UNSIGNED, TextTable, plain

TABLE = Path(__file__).parent.parent / "data" / "mdds_fields.csv"


def test_the_id_table_is_the_published_one() -> None:
    with TABLE.open(newline="") as file:
        rows = [tuple(row.values()) for row in csv.DictReader(file)]
    ours = [(row.id, row.name, row.category, row.type, row.provenance) for row in FIELDS.values()]
    assert ours == rows
    assert len(ours) == 296


def test_ids_of_the_book() -> None:
    assert len(BOOK_IDS) == 200
    assert book_id("bid", "price", 0) == "462"
    assert book_id("ask", "time", 24) == "940"
    assert BOOK_SLOTS["512"] == ("bid", "size", 0)
    assert all(FIELDS[key].category == "l2" for key in BOOK_IDS)


def test_names() -> None:
    assert field_name("29") == "last_price"
    assert field_name("5001") == "field_5001"
    assert IDS["iv_mid"] == "196"
    assert FIELDS.keys() >= STATIC_IDS


@pytest.mark.parametrize(
    ("text", "symbol", "suffix"),
    [
        ("KO.VB", "KO", ".VB"),
        ("-KO270219C70.GK", "-KO270219C70", ".GK"),
        (".SPX", ".SPX", ""),
        ("KO", "KO", ""),
        ("KO.vb", "KO.vb", ""),
        ("KO.VB.VB", "KO.VB", ".VB"),
    ],
)
def test_suffixes(text: str, symbol: str, suffix: str) -> None:
    assert split_suffix(text) == (symbol, suffix)


@pytest.mark.parametrize(
    ("text", "symbol"),
    [
        ("ko", "KO"),
        (" .spx ", ".SPX"),
        ("-ko270219c70", "-KO270219C70"),
        ("KO270219C70", "-KO270219C70"),
        ("F270219C12.50", "-F270219C12.5"),
        ("KO    270219C00070000", "-KO270219C70"),
        ("F     270219P00012500", "-F270219P12.5"),
        ("SPXW261016P6250", "-SPXW261016P6250"),
        ("KO 2027-02-19 70 C", "-KO270219C70"),
        ("ko 2/19/27 12.50 put", "-KO270219P12.5"),
        ("BRK.B", "BRK.B"),
        ("BTC/USD", "BTC/USD"),
    ],
)
def test_symbols_as_users_spell_them(text: str, symbol: str) -> None:
    assert stream_symbol(text) == symbol
    assert stream_symbol(symbol) == symbol


@pytest.mark.parametrize("text", ["", "KO,PEP", "K\x00O", "…", "A" * 40, "--KO", "{}"])
def test_what_is_no_symbol(text: str) -> None:
    with pytest.raises(ValidationFailed) as problem:
        stream_symbol(text)
    assert problem.value.details is not None
    assert problem.value.details["field"] == "symbols"


def test_lists_of_symbols() -> None:
    assert stream_symbols(["ko,pep", "KO", " .spx"]) == ["KO", "PEP", ".SPX"]
    assert is_option("-KO270219C70")
    assert not is_option("KO")
    assert not is_option("-")


@given(st.text(max_size=40))
def test_a_symbol_never_breaks_a_command(text: str) -> None:
    try:
        symbol = stream_symbol(text)
    except ValidationFailed:
        return
    assert symbol == stream_symbol(symbol)
    assert "," not in symbol
    assert symbol == symbol.upper().strip()


NUMERALS = st.decimals(
    allow_nan=False, allow_infinity=False, places=None, min_value=-(10**12), max_value=10**12
)


@given(NUMERALS)
def test_numbers_keep_their_digits(number: Decimal) -> None:
    text = f"{number:f}"
    json_text = NUMBER[text]
    assert json.loads(json_text, parse_float=Decimal, parse_int=Decimal) == number
    if text.lstrip("-") == json_text.lstrip("-"):
        assert json_text == text


@given(st.text(max_size=30))
def test_any_text_gives_json_or_nothing(text: str) -> None:
    for table in (NUMBER, PRICE, UNSIGNED, SIZE, DATE, TEXT):
        value = table.convert(text)
        if value:
            json.loads(value)


@pytest.mark.parametrize(
    ("table", "text", "value"),
    [
        (NUMBER, "72.1400", "72.1400"),
        (NUMBER, "-0.5", "-0.5"),
        (NUMBER, "7_7", ""),
        (SIZE, "1_000", ""),
        (NUMBER, ".5", "0.5"),
        (NUMBER, "+3", "3"),
        (NUMBER, "007", "7"),
        (NUMBER, "3.07E11", "3.07E11"),
        (NUMBER, "1e999999", ""),
        (NUMBER, "NaN", ""),
        (NUMBER, "Infinity", ""),
        (NUMBER, "--", ""),
        (NUMBER, "N/A", ""),
        (PRICE, "0.0000", ""),
        (PRICE, "-1", ""),
        (PRICE, "0.0001", "0.0001"),
        (UNSIGNED, "0", "0"),
        (UNSIGNED, "-0.01", ""),
        (SIZE, "5000.0", "5000"),
        (SIZE, "5000.5", ""),
        (SIZE, "-5", ""),
        (SIZE, "007", "7"),
        (SIZE, "0", "0"),
        (SIZE, "٣", "3"),
        (SIZE, "1E3", "1000"),
        (DATE, "2026-06-18", '"2026-06-18"'),
        (DATE, "2026-13-18", ""),
        (DATE, "20260618", ""),
        (TEXT, 'a"b', '"a\\"b"'),
        (TEXT, "  ", ""),
    ],
)
def test_conversions(table: TextTable, text: str, value: str) -> None:
    assert table[text] == value
    assert table.convert(text) == value


def test_a_table_starts_over_when_it_is_full() -> None:
    table = TextTable(lambda text: text)
    for number in range(LIMIT + 1):
        assert table[str(number)] == str(number)
    assert len(table) == 1


@given(NUMERALS)
def test_plain_numbers(number: Decimal) -> None:
    text = plain(number)
    assert Decimal(text) == number
    assert "E" not in text
    assert not ("." in text and text.endswith("0"))


@given(st.floats(min_value=0, max_value=4e9))
def test_stamps(epoch: float) -> None:
    stamp = IsoStamp()
    for value in (epoch, epoch, epoch + 0.001, epoch):
        text = stamp(value)
        assert text.endswith("Z")
        assert abs((moment(value) - moment(0)).total_seconds() - value) < 0.0011
        assert text[:19] == moment(value).isoformat()[:19]
