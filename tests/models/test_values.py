"""Single values: exact, tolerant, and never inventing anything."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftcli.models.order_codes import Action, OrderType
from ftcli.models.values import (
    WRITERS,
    ny_midnight,
    read_bool,
    read_date,
    read_datetime,
    read_decimal,
    read_int,
    read_text,
)

NEW_YORK = ZoneInfo("America/New_York")
decimals = st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**12), max_value=10**12)


@pytest.mark.parametrize("nothing", [None, "", "--", "N/A", " -- ", [], {}])
def test_sentinels_are_nothing(nothing: object) -> None:
    assert read_text(nothing) is None
    assert read_decimal(nothing) is None
    assert read_int(nothing) is None
    assert read_bool(nothing) is None
    assert read_date(nothing) is None
    assert read_datetime(nothing) is None


@given(decimals)
def test_decimals_survive_every_form(number: Decimal) -> None:
    assert read_decimal(number) == number
    assert read_decimal(f"{number:f}") == number
    assert read_decimal(f"{number:,f}") == number
    assert read_decimal(WRITERS["text"](number)) == number
    assert read_decimal(WRITERS["number"](number)) == number


@given(st.text(max_size=12))
def test_readers_never_raise(text: str) -> None:
    for reader in (read_text, read_decimal, read_int, read_bool, read_date, read_datetime):
        reader(text)


@pytest.mark.parametrize(
    ("wire", "value"),
    [("+1.50", "1.50"), ("1,234.5", "1234.5"), ("7%", "7"), ("$3", "3"), (12, "12"), ("1e3", "1000")],
)
def test_number_forms(wire: object, value: str) -> None:
    assert read_decimal(wire) == Decimal(value)


@pytest.mark.parametrize("wire", ["abc", "Infinity", "NaN", True, "1.2.3"])
def test_not_a_number(wire: object) -> None:
    assert read_decimal(wire) is None


@pytest.mark.parametrize(("wire", "value"), [("5000.0", 5000), ("7", 7), ("7.5", None), (Decimal("3.0"), 3)])
def test_whole_numbers(wire: object, value: int | None) -> None:
    assert read_int(wire) == value


@given(st.dates(min_value=date(1990, 1, 1), max_value=date(2080, 1, 1)))
def test_dates_survive_every_form(day: date) -> None:
    """Epoch midnights are New York's, in winter and summer (protocol 00 §6.3)."""
    assert read_date(ny_midnight(day)) == day
    for form in ("iso_day", "mdy"):
        assert read_date(WRITERS[form](day)) == day
    if 2000 <= day.year < 2100:
        assert read_date(WRITERS["mdy_short"](day)) == day
    assert read_date(f"{day:%Y%m%d}") == day


@given(st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2080, 1, 1)))
def test_moments_survive_every_form(naive: datetime) -> None:
    moment = naive.replace(microsecond=0, tzinfo=UTC)
    for form in ("epoch", "epoch_ms"):
        found = read_datetime(WRITERS[form](moment))
        # Of the hour that autumn repeats Python holds times of two zones to be never equal.
        assert found is not None
        assert found.timestamp() == moment.timestamp()
    local = moment.astimezone(NEW_YORK)
    if local.fold == 0 and local + timedelta(0) == moment:
        assert read_datetime(WRITERS["chart_time"](moment)) == moment


def test_documented_examples() -> None:
    """The worked values of protocol 00 §6.3."""
    assert read_datetime(1778769727) == datetime(2026, 5, 14, 10, 42, 7, tzinfo=NEW_YORK)
    assert read_date(1778817600) == date(2026, 5, 15)
    assert read_date(1797570000) == date(2026, 12, 18)
    assert read_datetime(1778769727015) == datetime(2026, 5, 14, 10, 42, 7, 15000, tzinfo=NEW_YORK)
    assert read_date("05/14/26") == date(2026, 5, 14)
    assert read_date("1/15/2027") == date(2027, 1, 15)
    assert read_datetime("2026-05-14-10.42.07.120000") == datetime(
        2026, 5, 14, 10, 42, 7, 120000, tzinfo=NEW_YORK
    )
    assert read_datetime("2026-05-14 10:42:07.5") == datetime(2026, 5, 14, 10, 42, 7, 500000, tzinfo=NEW_YORK)


def test_codes_read_both_spellings_and_keep_strangers() -> None:
    assert OrderType("stop_limit") is OrderType.STOP_LIMIT
    assert OrderType("stop-limit") is OrderType.STOP_LIMIT
    assert OrderType("SL") is OrderType.STOP_LIMIT
    assert Action("SS") is Action.SELL_SPECIFIC_SHARES
    with pytest.raises(ValueError, match="sll"):
        OrderType("sll")
    stranger = OrderType.from_wire("XQ")
    assert stranger == "XQ"
    assert stranger.wire == "XQ"
    assert not stranger.known
    assert "XQ" not in OrderType.__members__
    assert OrderType.from_wire("M").known
