"""Numbers for people are exact: what is shown is the value, rounded once, half up, and nothing else."""

from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftcli.cli.output.numbers import is_midnight, moment_text, number_text, plain, value_text
from ftcli.models.field import PER_SHARE, PERCENT, SHARES, USD

DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15, places=8)
HUGE = st.decimals(allow_nan=False, allow_infinity=False)


def back(text: str) -> Decimal:
    return Decimal(text.replace(",", "").removeprefix("+"))


@given(DECIMALS)
def test_money_is_rounded_to_cents_once(value: Decimal) -> None:
    text = number_text(value, USD)
    assert back(text) == value.quantize(Decimal("0.01"), ROUND_HALF_UP)
    assert text.partition(".")[2].__len__() == 2


@given(DECIMALS)
def test_quantities_are_shown_as_they_are(value: Decimal) -> None:
    assert back(number_text(value, SHARES)) == value


@given(DECIMALS)
def test_prices_have_two_to_six_decimals_and_lose_nothing_a_quote_has(value: Decimal) -> None:
    text = number_text(value, PER_SHARE)
    places = len(text.partition(".")[2])
    assert 2 <= places <= 6
    assert abs(back(text) - value) <= Decimal("0.00005")


@given(DECIMALS, st.sampled_from([USD, PERCENT, PER_SHARE, SHARES, ""]))
def test_nothing_is_ever_minus_zero_and_groups_have_three_digits(value: Decimal, unit: str) -> None:
    text = number_text(value, unit, signed=True)
    if back(text) == 0:
        assert not text.startswith(("-", "+"))
    else:
        assert text.startswith("+") == (back(text) > 0)
    whole = text.lstrip("+-").partition(".")[0].split(",")
    assert len(whole[0]) <= 3
    assert all(len(group) == 3 for group in whole[1:])


@given(HUGE)
def test_no_size_of_number_breaks_or_shows_an_exponent(value: Decimal) -> None:
    if abs(value.adjusted()) < 60:
        for unit in (USD, PER_SHARE, SHARES, PERCENT):
            assert "E" not in number_text(value, unit)


@given(DECIMALS)
def test_plain_keeps_every_digit(value: Decimal) -> None:
    assert plain(value) == f"{value:f}"
    assert Decimal(plain(value)) == value


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (Decimal("1234567.891"), USD, "1,234,567.89"),
        (Decimal("0.125"), USD, "0.13"),
        (Decimal("-0.004"), USD, "0.00"),
        (Decimal("189.9800"), PER_SHARE, "189.98"),
        (Decimal("250.12345"), PER_SHARE, "250.1235"),
        (Decimal("0.000123"), PER_SHARE, "0.000123"),
        (Decimal(5), PER_SHARE, "5.00"),
        (Decimal("0.50"), SHARES, "0.5"),
        (Decimal("1E+3"), SHARES, "1,000"),
        (Decimal("100"), SHARES, "100"),
        (Decimal("26.655"), PERCENT, "26.66"),
        (1234567, SHARES, "1,234,567"),
    ],
)
def test_examples(value: Decimal | int, unit: str, text: str) -> None:
    assert number_text(value, unit) == text


def test_other_values() -> None:
    assert value_text(None) == "-"
    assert value_text("") == "-"
    assert value_text(True) == "yes"
    assert value_text(False) == "no"
    assert value_text(["a", "b"]) == "a, b"
    assert value_text([]) == "-"


def test_moments_are_new_york_moments_on_both_sides_of_the_clock_change() -> None:
    assert moment_text(datetime(2026, 7, 1, 13, 30, tzinfo=UTC)) == "2026-07-01 09:30:00"
    assert moment_text(datetime(2026, 1, 2, 14, 30, tzinfo=UTC)) == "2026-01-02 09:30:00"
    assert is_midnight(datetime(2026, 1, 2, 5, 0, tzinfo=UTC))
    assert not is_midnight(datetime(2026, 1, 2, 0, 0, tzinfo=UTC))
