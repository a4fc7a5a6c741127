"""Option symbols: every spelling leads to the same contract and back."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftcli.errors import ValidationFailed
from ftcli.models.option_symbol import OptionSymbol

AAPL = OptionSymbol("AAPL", date(2027, 1, 15), "C", Decimal("152.5"))

symbols = st.builds(
    OptionSymbol,
    root=st.from_regex(r"[A-Z][A-Z0-9]{0,5}", fullmatch=True),
    expiration=st.dates(date(2000, 1, 1), date(2099, 12, 31)),
    right=st.sampled_from("CP"),
    strike=st.integers(1, 99_999_999).map(lambda thousandths: Decimal(thousandths) / 1000),
)


@pytest.mark.parametrize(
    "text",
    [
        "AAPL270115C152.5",
        "aapl270115c152.50",
        "-AAPL270115C152.5",
        ".AAPL270115C152.5",
        "AAPL 270115C152.5",
        "AAPL  270115C00152500",
        "AAPL270115C00152500",
        "AAPL 2027-01-15 152.5 C",
        "  aapl 2027-1-15 152.50 call ",
        "AAPL 2027/01/15 C 152.5",
        "AAPL 01/15/27 152.5 call",
        "AAPL 1/15/2027 152.5C",
        "AAPL 1/15/2027 C152.5",
        "AAPL JAN 15 2027 $152.50 CALL",
        "AAPL Jan 15, 2027 152.5 Calls",
        "AAPL January 15 '27 152.5 C",
        "AAPL 15JAN27 152.5 C",
        "AAPL 15 Jan 2027 152.5 c",
        "AAPL 15-JAN-2027 152.5 C",
        "AAPL 270115 152.5 C",
        "AAPL 20270115 152.5 C",
        "AAPL 152.5 C 2027-01-15",
        "AAPL $152.50 Call 1/15/27",
    ],
)
def test_every_spelling_of_one_contract(text: str) -> None:
    assert OptionSymbol.parse(text) == AAPL


def test_renderings() -> None:
    assert AAPL.compact == "AAPL270115C152.5"
    assert AAPL.dashed == "-AAPL270115C152.5"
    assert AAPL.occ == "AAPL  270115C00152500"
    assert AAPL.human == str(AAPL) == "AAPL 2027-01-15 152.5 C"
    assert AAPL.is_call
    small = OptionSymbol.parse("F 2026-12-18 .5 put")
    assert (small.compact, small.occ, small.is_call) == ("F261218P0.5", "F     261218P00000500", False)
    assert OptionSymbol.parse("NVLT 2026-07-17 40 C").compact == "NVLT260717C40"


@pytest.mark.parametrize(
    ("text", "compact", "underlying"),
    [
        ("BRK.B 2027-01-15 500 C", "BRKB270115C500", "BRKB"),
        ("BRK/B 1/15/27 500 p", "BRKB270115P500", "BRKB"),
        ("AAPL1270115C150", "AAPL1270115C150", "AAPL1"),
        ("SPXW261127P6800", "SPXW261127P6800", ".SPX"),
        (".SPX 2026-12-18 6900 C", "SPX261218C6900", ".SPX"),
        ("C270115C100", "C270115C100", "C"),
        ("PCP 2027-01-15 10 P", "PCP270115P10", "PCP"),
    ],
)
def test_roots(text: str, compact: str, underlying: str) -> None:
    contract = OptionSymbol.parse(text)
    assert contract.compact == compact
    assert contract.underlying == underlying


@pytest.mark.parametrize(
    "text",
    [
        "",
        "AAPL",
        "BRK.B",
        ".SPX",
        "-AAPL",
        "AAPL 150 C",
        "AAPL Jan 15 150 C",
        "AAPL 2027-02-30 150 C",
        "AAPL270230C150",
        "AAPL 2027-01-15 150",
        "AAPL 2027-01-15 150 X",
        "AAPL 2027-01-15 0 C",
        "AAPL 2027-01-15 -5 C",
        "AAPL 2027-01-15 100000 C",
        "AAPL 2027-01-15 1.2345 C",
        "AAPL270115C0",
        "AAPL270115C00000000",
        "AAPL270115C",
        "AAPL27011C150",
        "TOOLONG270115C150",
        "-NVLT260717C42.5.W",
        "AAPL 15/01/2027 150 C",
        "ＡAPL270115C150",
        "AAPL٢٧0115C150",
    ],
)
def test_what_is_no_option(text: str) -> None:
    assert OptionSymbol.parse_or_none(text) is None
    with pytest.raises(ValidationFailed) as problem:
        OptionSymbol.parse(text, "leg")
    assert problem.value.details is not None
    assert problem.value.details["field"] == "leg"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"root": "aapl"}, "root"),
        ({"right": "X"}, "right"),
        ({"strike": Decimal(0)}, "strike"),
        ({"strike": Decimal("NaN")}, "strike"),
        ({"expiration": date(1999, 1, 15)}, "expiration"),
    ],
)
def test_a_contract_that_cannot_be_cannot_be_built(change: dict[str, object], field: str) -> None:
    facts = {"root": "AAPL", "expiration": date(2027, 1, 15), "right": "C", "strike": Decimal(150), **change}
    with pytest.raises(ValidationFailed, match=field):
        OptionSymbol(**facts)  # type: ignore[arg-type]


@given(symbols)
def test_every_rendering_reads_back(contract: OptionSymbol) -> None:
    for text in (contract.compact, contract.dashed, contract.occ, contract.human):
        assert OptionSymbol.parse(text) == contract
        assert OptionSymbol.parse(text.lower()) == contract
    assert len(contract.occ) == 21
    assert hash(OptionSymbol.parse(contract.occ)) == hash(contract)


@given(symbols, st.booleans(), st.sampled_from(["%Y-%m-%d", "%m/%d/%y", "%m/%d/%Y", "%b %d %Y", "%d%b%y"]))
def test_peoples_spellings_read_back(contract: OptionSymbol, word: bool, form: str) -> None:
    right = ("call" if contract.is_call else "put") if word else contract.right
    day = contract.expiration.strftime(form)
    assert OptionSymbol.parse(f"{contract.root} {day} {contract.strike:f} {right}") == contract
    assert OptionSymbol.parse(f"{contract.root} ${contract.strike:f} {right} {day}") == contract


@given(st.text(max_size=40))
def test_any_text_is_a_contract_or_none(text: str) -> None:
    found = OptionSymbol.parse_or_none(text)
    assert found is None or OptionSymbol.parse(found.compact) == found
