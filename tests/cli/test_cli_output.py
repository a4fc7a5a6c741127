"""The output formats, on documents made by hand."""

import csv
import io
import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from cli_kit import shown

from ftcli.errors import ValidationFailed
from ftcli.models.accounts import Position, Positions, PositionTotals
from ftcli.models.balances import Balances, BalanceSnapshot
from ftcli.models.json import dumps
from ftcli.models.market_data import Bar, Chart, Quotes, SnapshotQuote, SymbolProblem
from ftcli.models.order_confirmations import OrderMessage, OrderPreview
from ftcli.models.session import SessionState, SessionStatus
from ftcli.models.streaming import Greeks, Quote
from ftcli.operations.operation import with_reply
from ftcli.wire import WireReply

NAME = "FIDELITY GOVERNMENT MONEY MARKET FUND WITH A LONG NAME"


def positions() -> Positions:
    return Positions(
        account="Z20000025",
        positions=[
            Position(
                symbol="AAPL",
                description="APPLE INC",
                quantity=Decimal("100"),
                last_price=Decimal("189.98"),
                market_value=Decimal("18998.00"),
                today_gain=Decimal("-120.50"),
                today_gain_pct=Decimal("-0.63"),
                total_gain=Decimal("3998"),
                total_gain_pct=Decimal("26.65"),
                cost_basis=Decimal("15000"),
            ),
            Position(
                symbol="SPAXX",
                description=NAME,
                quantity=Decimal("1234567.89"),
                market_value=Decimal("1234567.89"),
            ),
            Position(
                symbol="TSLA",
                description="TESLA INC",
                quantity=Decimal("-0.5"),
                market_value=Decimal("-125.06"),
                total_gain=Decimal("3"),
            ),
        ],
        totals=PositionTotals(market_value=Decimal("1253440.83"), today_gain=Decimal("-120.50")),
    )


# -- records ---------------------------------------------------------------------------------------


def test_json_is_the_document_and_a_line_end() -> None:
    assert shown(positions(), "-o", "json").data == dumps(positions()) + b"\n"


def test_json_with_columns_sort_and_limit_keeps_the_document_around_the_rows() -> None:
    result = shown(
        positions(),
        "-o",
        "json",
        "--columns",
        "symbol,market_value",
        "--sort",
        "-market_value",
        "--limit",
        "2",
    )
    document = json.loads(result.out)
    assert document["account"] == "Z20000025"
    assert document["totals"]["market_value"] == 1253440.83
    assert document["positions"] == [
        {"symbol": "SPAXX", "market_value": 1234567.89},
        {"symbol": "AAPL", "market_value": 18998.00},
    ]
    assert '"market_value":18998.00' in result.out  # the broker's digits, not a float's


def test_jsonl_has_one_row_a_line() -> None:
    lines = shown(positions(), "-o", "jsonl").out.splitlines()
    assert [json.loads(line)["symbol"] for line in lines] == ["AAPL", "SPAXX", "TSLA"]


def test_csv_has_every_field_and_exact_values() -> None:
    rows = list(csv.DictReader(io.StringIO(shown(positions(), "-o", "csv").out)))
    assert list(rows[0]) == list(Position.__struct_fields__)
    assert rows[0]["market_value"] == "18998.00"
    assert rows[1]["quantity"] == "1234567.89"
    assert rows[1]["cost_basis"] == ""


def test_csv_flattens_groups_with_dots() -> None:
    quote = Quote(
        symbol="X", greeks=Greeks(delta=Decimal("0.51")), received_at=datetime(2026, 1, 2, 3, tzinfo=UTC)
    )
    (row,) = csv.DictReader(io.StringIO(shown(quote, "-o", "csv").out))
    assert row["greeks.delta"] == "0.51"
    assert row["received_at"] == "2026-01-02T03:00:00+00:00"
    assert row["stale"] == "false"


def test_a_document_without_rows_is_its_own_row() -> None:
    status = SessionStatus(state=SessionState.AUTHENTICATED, environment="paper")
    assert shown(status, "-o", "jsonl").data == dumps(status) + b"\n"
    (row,) = csv.DictReader(io.StringIO(shown(status, "-o", "csv").out))
    assert row["state"] == "authenticated"


def test_raw_is_the_brokers_bytes_untouched() -> None:
    body = b'{ "position" : 1.50 }\r\n'
    document = with_reply(positions(), WireReply(status=200, headers={}, body=body, document={}))
    assert shown(document, "-o", "raw").data == body


def test_raw_needs_a_broker_document_and_takes_no_choosing() -> None:
    with pytest.raises(ValidationFailed, match="no document of the broker"):
        shown(positions(), "-o", "raw")
    with pytest.raises(ValidationFailed, match="--sort"):
        shown(positions(), "-o", "raw", "--sort", "symbol")


@pytest.mark.parametrize("output", ["table", "json", "jsonl", "csv"])
def test_an_unknown_column_is_an_error_with_a_suggestion(output: str) -> None:
    with pytest.raises(ValidationFailed, match="Did you mean market_value"):
        shown(positions(), "-o", output, "--columns", "symbol,markt_value")
    with pytest.raises(ValidationFailed, match="Did you mean symbol"):
        shown(positions(), "-o", output, "--sort", "symbl")


# -- tables ----------------------------------------------------------------------------------------


def test_a_piped_table_fits_a_hundred_columns_and_cuts_nothing() -> None:
    result = shown(positions())
    assert max(len(line) for line in result.out.splitlines()) <= 100
    assert "…" not in result.out
    assert "\x1b" not in result.out
    head = result.out.splitlines()[0].split()
    assert head[:2] == ["Symbol", "Quantity"]  # the name beside the symbol was the first to go
    assert "Gain" in head


def test_numbers_are_set_flush_right_under_their_titles() -> None:
    lines = shown(positions(), "--columns", "symbol,market_value").out.splitlines()
    assert lines == [
        "Symbol  Market value",
        "AAPL       18,998.00",
        "SPAXX   1,234,567.89",
        "TSLA         -125.06",
        "------  ------------",
        "Total   1,253,440.83",
    ]


@pytest.mark.parametrize("tty", [True, False])
def test_columns_asked_for_by_name_all_stay_wide_or_not(tty: bool) -> None:
    names = (
        "symbol,description,quantity,last_price,market_value,today_gain,total_gain,cost_basis,security_type"
    )
    drawn = shown(positions(), "--columns", names, tty=tty, environ={"COLUMNS": "80"}).out
    assert "Security type" in drawn
    assert (NAME in drawn) is not tty  # on a terminal texts are cut as far as that helps


def test_verbose_says_how_many_columns_did_not_fit() -> None:
    assert "2 more columns would not fit" in shown(positions(), "-v", environ={"COLUMNS": "88"}).err


def test_names_stay_where_there_is_room() -> None:
    result = shown(positions(), environ={"COLUMNS": "200"})
    assert NAME in result.out


def test_a_terminal_cuts_texts_before_it_drops_columns() -> None:
    result = shown(positions(), tty=True, environ={"COLUMNS": "112", "NO_COLOR": "1"})
    assert "FIDELITY GOVE" in result.out
    assert NAME not in result.out
    assert "…" in result.out
    assert "Cost basis" in result.out
    assert max(len(line) for line in result.out.splitlines()) <= 112


def test_colour_follows_the_sign_on_a_terminal_only() -> None:
    drawn = shown(positions(), tty=True, environ={"COLUMNS": "140"}).out
    assert "\x1b[31m-120.50" in drawn
    assert "\x1b[32m+3,998.00" in drawn
    assert "Total" in drawn
    assert "\x1b" not in shown(positions()).out


@pytest.mark.parametrize(
    ("tty", "environ", "flags", "coloured"),
    [
        (True, {}, (), True),
        (False, {}, (), False),
        (True, {"NO_COLOR": "1"}, (), False),
        (True, {"NO_COLOR": ""}, (), True),
        (True, {"TERM": "dumb"}, (), False),
        (False, {"CLICOLOR_FORCE": "1"}, (), True),
        (False, {"CLICOLOR_FORCE": "0"}, (), False),
        (True, {"NO_COLOR": "1", "CLICOLOR_FORCE": "1"}, (), False),
        (False, {}, ("--color", "always"), True),
        (True, {"CLICOLOR_FORCE": "1"}, ("--color", "never"), False),
        (False, {"NO_COLOR": "1"}, ("--color", "always"), True),
    ],
)
def test_who_decides_about_colour(
    tty: bool, environ: dict[str, str], flags: tuple[str, ...], coloured: bool
) -> None:
    assert ("\x1b[" in shown(positions(), *flags, tty=tty, environ=environ).out) is coloured


def test_an_empty_list_prints_nothing_and_says_so() -> None:
    result = shown(Positions(account="Z2"))
    assert result.out == ""
    assert result.err == "No positions.\n"


def test_times_are_new_york_times_and_days_are_days() -> None:
    bars = [Bar(time=datetime(2026, 7, 1, 13, 30, tzinfo=UTC), close=Decimal("2.5"))]
    assert "Time (ET)" in shown(Chart(symbol="X", bars=bars)).out
    assert "2026-07-01 09:30:00" in shown(Chart(symbol="X", bars=bars)).out
    days = [Bar(time=datetime(2026, 7, 1, 4, 0, tzinfo=UTC), close=Decimal("2.5"))]
    lines = shown(Chart(symbol="X", bars=days)).out.splitlines()
    assert lines[0].startswith("Time    ")
    assert lines[1].startswith("2026-07-01  ")


def test_snapshots_stand_side_by_side_and_empty_lines_are_left_out() -> None:
    balances = Balances(
        account="Z2",
        recent=BalanceSnapshot(account_value=Decimal("1000.5"), account_value_change=Decimal("-3")),
        close=BalanceSnapshot(account_value=Decimal("1003.5"), settled_cash=Decimal("7")),
    )
    lines = shown(balances).out.splitlines()
    assert lines[0].split() == ["Recent", "Close"]
    assert lines[1].split() == ["Account", "value", "1,000.50", "1,003.50"]
    assert lines[2].split() == ["Change", "today", "-3.00", "-"]
    assert "Margin equity" not in shown(balances).out


def test_a_document_without_rows_is_names_and_values() -> None:
    moment = datetime(2026, 7, 1, 13, 30, tzinfo=UTC)
    out = shown(
        SessionStatus(state=SessionState.AUTHENTICATED, environment="paper", last_keep_alive=moment)
    ).out
    assert out.splitlines() == [
        "State                 authenticated",
        "Environment           paper",
        "Live trading          no",
        "Last keep-alive (ET)  2026-07-01 09:30:00",
    ]


def test_messages_are_said_beside_a_preview_and_are_not_its_rows() -> None:
    preview = OrderPreview(
        account="Z2", conf_num="2DI0KXQ4", messages=[OrderMessage(severity="warning", text="Look.")]
    )
    result = shown(preview)
    assert "2DI0KXQ4" in result.out
    assert "Look." not in result.out
    assert "warning: Look." in result.err
    assert len(shown(preview, "-o", "jsonl").out.splitlines()) == 1


def test_symbols_without_a_quote_are_said_on_stderr() -> None:
    quotes = Quotes(
        quotes=[SnapshotQuote(symbol="AAPL", last=Decimal("1.5"))],
        problems=[SymbolProblem(symbol="X", reason="no quote")],
    )
    result = shown(quotes)
    assert "X: no quote" in result.err
    assert "no quote" not in result.out


def test_sorting_puts_the_unknown_last_either_way() -> None:
    def order(flag: str) -> list[str]:
        return [
            line.split()[0]
            for line in shown(positions(), "--columns", "symbol,last_price", "--sort", flag).out.splitlines()[
                1:
            ]
        ]

    assert order("last_price")[0] == "AAPL"
    assert order("-last_price")[0] == "AAPL"
    assert order("-symbol") == ["TSLA", "SPAXX", "AAPL"]
