"""The paper market's list of securities."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftcli.paper import symbols

ALL = list(symbols.all_securities())


def test_every_kind_is_there() -> None:
    kinds = {kind: sum(1 for security in ALL if security.kind == kind) for kind in {s.kind for s in ALL}}
    assert len(ALL) >= 80
    assert set(kinds) == {"equity", "etf", "index", "mutual_fund", "money_market"}
    assert kinds["equity"] >= 80


@pytest.mark.parametrize(
    "symbol",
    [
        "AAPL",
        "BRK.B",
        "KO",
        "GME",
        "SPY",
        "ARKK",
        "SPAXX",
        "FDRXX",
        "FZFXX",
        "FXAIX",
        "FCNTX",
        ".SPX",
        ".VIX",
    ],
)
def test_expected_symbols_are_known(symbol: str) -> None:
    security = symbols.find(symbol)
    assert security is not None
    assert security.symbol == symbol


@pytest.mark.parametrize("spelling", ["BRK.B", "BRK/B", "BRKB", "BRK B", "BRK-B", " brk.b "])
def test_class_shares_in_any_spelling(spelling: str) -> None:
    security = symbols.find(spelling)
    assert security is not None
    assert security.symbol == "BRK.B"
    assert security.description == "BERKSHIRE HATHAWAY INC COM CL B"


@pytest.mark.parametrize("spelling", [".SPX", "SPX", "$SPX", "^SPX", ".spx"])
def test_indices_in_any_spelling(spelling: str) -> None:
    assert symbols.canonical(spelling) == ".SPX"


@pytest.mark.parametrize("unknown", ["", "ZZZZQ", "-AAPL270115C150", "AAPL270115C150", "."])
def test_unknown_symbols(unknown: str) -> None:
    assert symbols.find(unknown) is None


def test_known_check_digits() -> None:
    assert symbols.cusip_check_digit("03783310") == "0"
    assert symbols.cusip_check_digit("38259P50") == "8"
    assert symbols.cusip_check_digit("68389X10") == "5"


def test_cusips_are_unique_and_valid() -> None:
    assert len({security.cusip for security in ALL}) == len(ALL)
    for security in ALL:
        assert len(security.cusip) == 9
        assert symbols.cusip_check_digit(security.cusip[:8]) == security.cusip[8]


def test_figures_make_sense() -> None:
    for security in ALL:
        assert security.price > 0
        assert symbols.find(security.tracks) is not None, security.symbol
        traded = security.kind in ("equity", "etf")
        assert (security.average_volume > 0) == traded
        assert security.name
        assert security.description == security.description.upper()
        if security.kind == "money_market":
            assert security.price == Decimal("1.00")
            assert security.yield_7day is not None
        if security.dividend:
            assert security.dividend_frequency
            assert security.dividend_yield is not None
            assert 0 < security.dividend_yield < 15


def test_hard_to_borrow_securities_have_few_shares_to_lend() -> None:
    hard, easy = symbols.find("BYND"), symbols.find("KO")
    assert hard is not None
    assert easy is not None
    assert hard.hard_to_borrow
    assert hard.borrow_rate > 1
    assert not easy.hard_to_borrow
    assert 0 < symbols.available_to_borrow(hard) < symbols.available_to_borrow(easy)


def test_search_ranks_exact_symbols_first() -> None:
    assert symbols.search("spy")[0].symbol == "SPY"
    assert symbols.search("v", 3)[0].symbol == "V"
    assert symbols.search(".spx")[0].symbol == ".SPX"


def test_search_finds_names_and_words() -> None:
    assert symbols.search("apple")[0].symbol == "AAPL"
    assert symbols.search("class b berk")[0].symbol == "BRK.B"
    assert {security.symbol for security in symbols.search("government money")} >= {"SPAXX"}


def test_search_limits_and_rejects() -> None:
    assert len(symbols.search("a", 5)) == 5
    assert symbols.search("") == []
    assert symbols.search("   ") == []
    assert symbols.search("a", 0) == []
    assert symbols.search("qqqqqqq") == []


@given(st.sampled_from(ALL))
def test_every_security_is_found_by_its_symbol_and_its_name(security: symbols.Security) -> None:
    assert symbols.find(security.symbol.lower()) == security
    assert security in symbols.search(security.symbol, 3)[:1]
    assert security in symbols.search(security.name, 5)


@given(st.text(max_size=12))
def test_any_text_can_be_looked_up(text: str) -> None:
    found = symbols.find(text)
    assert found is None or found in ALL
    assert len(symbols.search(text, 4)) <= 4
