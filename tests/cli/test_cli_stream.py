"""Live quotes on the command line."""

import csv
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

from cli_kit import Run, ft

ROOT = Path(__file__).parents[2]


def moving(environ: dict[str, str]) -> dict[str, str]:
    """The same world with a clock that runs: a stream needs one."""
    return {name: value for name, value in environ.items() if name != "FT_PAPER_CLOCK"}


def test_records_are_one_quote_a_line_and_stop_at_the_count(environ: dict[str, str]) -> None:
    told = ft("stream", "quotes", "KO", "AAPL", "-o", "jsonl", "--count", "4", environ=moving(environ))
    assert told.status == 0, told.err
    rows = [json.loads(line) for line in told.out.splitlines()]
    assert len(rows) == 4
    assert {row["symbol"] for row in rows} == {"KO", "AAPL"}
    assert all(row["last"] > 0 for row in rows)


def test_fields_choose_and_csv_has_one_header(environ: dict[str, str]) -> None:
    told = ft(
        "stream",
        "quotes",
        "KO",
        "-o",
        "csv",
        "--fields",
        "symbol,bid,ask",
        "--count",
        "2",
        environ=moving(environ),
    )
    rows = list(csv.reader(io.StringIO(told.out)))
    assert rows[0] == ["symbol", "bid", "ask"]
    assert len(rows) == 3
    assert all(row[0] == "KO" for row in rows[1:])


def test_lines_in_a_pipe_are_aligned_under_their_titles(environ: dict[str, str]) -> None:
    told = ft("stream", "quotes", "KO", "--for", "2s", environ=moving(environ))
    assert told.status == 0, told.err
    head, *lines = told.out.splitlines()
    assert head.split() == [
        "Symbol", "Last", "Time", "Bid", "Bid", "size", "Ask", "Ask", "size", "Chg", "Chg", "%", "Volume"
    ]  # fmt: skip
    assert lines
    end = head.index("Last") + len("Last")
    assert all(line[end - 1].isdigit() and line[end : end + 1] in (" ", "") for line in lines)
    assert "\x1b" not in told.out


def test_a_terminal_gets_a_table_that_changes_in_place(environ: dict[str, str]) -> None:
    told = ft("stream", "quotes", "KO", "AAPL", "--count", "6", environ=moving(environ), tty=True)
    assert told.status == 0, told.err
    assert "\x1b[1A" in told.out or "\x1b[2K" in told.out
    assert "Symbol" in told.out
    assert "KO" in told.out


def test_a_narrow_terminal_keeps_the_time_and_no_color_keeps_the_table(environ: dict[str, str]) -> None:
    world = moving(environ) | {"COLUMNS": "80", "NO_COLOR": "1"}
    told = ft("stream", "quotes", "KO", "AAPL", "--count", "6", environ=world, tty=True)
    assert told.status == 0, told.err
    assert "\x1b[1A" in told.out or "\x1b[2K" in told.out
    assert not re.search(r"\x1b\[3\dm", told.out)
    plain = re.sub(r"\x1b\[[\d;?]*\w", "", told.out)
    titles = next(line for line in plain.splitlines() if "Symbol" in line)
    assert re.search(r"Symbol +Last +Chg .*Bid × Ask .*Volume +Time", titles)


def test_a_line_whose_data_are_old_says_so(environ: dict[str, str]) -> None:
    world = moving(environ)
    watching = subprocess.Popen(
        [sys.executable, "-m", "ftcli", "stream", "quotes", "KO", "--for", "30s"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"PATH": os.environ["PATH"], **world},
        cwd=ROOT,
        text=True,
    )
    try:
        assert watching.stdout is not None
        assert watching.stdout.readline().startswith("Symbol")
        fresh = watching.stdout.readline()
        assert fresh.startswith("KO")
        assert not fresh.rstrip().endswith("stale")
        assert ft("paper", "fault", "set", "drop", environ=world).status == 0
        assert any(line.rstrip().endswith("stale") for line in watching.stdout)
    finally:
        watching.kill()
        watching.communicate()


def test_what_does_not_go_with_a_stream_is_said(paper: Run) -> None:
    assert paper("stream", "quotes", "KO", "-o", "raw").status == 2
    assert paper("stream", "quotes", "KO", "--count", "none").status == 2
    assert paper("stream", "quotes", "KO", "--for", "soon").status == 2
    assert "Did you mean bid?" in paper("stream", "quotes", "KO", "--fields", "bidd").err
    assert paper("stream", "quotes").status == 2
