"""Trades, books, bars, events, the daemon's streams and the faults of the paper broker on the command line."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_kit import Run, ft, paper_server

ROOT = Path(__file__).parents[2]
BUY = ("buy", "KO", "2", "-a", "Z20000025", "--yes")


@pytest.fixture
def moving(environ: dict[str, str]) -> dict[str, str]:
    """The same world with a clock that runs: a stream needs one."""
    return {name: value for name, value in environ.items() if name != "FT_PAPER_CLOCK"}


@pytest.fixture
def daemon(moving: dict[str, str]) -> Iterator[tuple[str, str]]:
    """URL and first key of a daemon that runs."""
    process = subprocess.Popen(
        [sys.executable, "-m", "ftcli", "serve", "--port", "0"],
        stderr=subprocess.PIPE,
        env={"PATH": os.environ["PATH"], **moving},
        cwd=ROOT,
        text=True,
    )
    assert process.stderr is not None
    url = line = ""
    try:
        while "first API key" not in line:
            line = process.stderr.readline()
            assert line, "the daemon did not start"
            url = url or (found[0] if (found := re.search(r"http://[\w.]+:\d+", line)) else "")
        handed_over = Path(moving["FT_DATA_DIR"]) / "first-api-key"
        key = handed_over.read_text().strip()
        handed_over.unlink()  # as the user is told: no key stays in a file
        yield url, key
    finally:
        process.terminate()
        process.communicate(timeout=10)


@pytest.mark.parametrize(
    ("word", "members"),
    [("trades", {"price", "size"}), ("book", {"bids", "asks"}), ("bars", {"open", "close", "final"})],
)
def test_each_kind_as_records(moving: dict[str, str], word: str, members: set[str]) -> None:
    symbols = ["SPY", "AAPL", "TSLA", "MSFT"] if word == "trades" else ["SPY"]
    told = ft("stream", word, *symbols, "-o", "jsonl", "--count", "1", environ=moving)
    assert told.status == 0, told.err
    (row,) = [json.loads(line) for line in told.out.splitlines()]
    assert row["symbol"] in symbols
    assert members <= set(row)


def test_lines_for_each_kind_in_a_pipe(moving: dict[str, str]) -> None:
    book = ft("stream", "book", "AAPL", "--count", "2", environ=moving)
    assert book.out.splitlines()[0].split() == ["Symbol", "Bid", "Ask", "Spread"]
    assert len(book.out.splitlines()) == 3
    bars = ft("stream", "bars", "SPY", "--count", "1", environ=moving)
    assert bars.out.splitlines()[0].split()[:3] == ["Symbol", "Start", "Open"]


def test_a_terminal_shows_bid_ask_size_and_the_two_sides_of_a_book(moving: dict[str, str]) -> None:
    quotes = ft("stream", "quotes", "KO", "AAPL", "--count", "6", environ=moving, tty=True)
    assert quotes.status == 0, quotes.err
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", quotes.out)
    assert all(title in plain for title in ("Symbol", "Last", "Chg %", "Bid × Ask", "Size", "Volume", "Time"))
    assert re.search(r"KO +[\d.]+ .*\d × \d", plain)
    book = ft("stream", "book", "AAPL", "--count", "1", environ=moving, tty=True)
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", book.out)
    assert "AAPL · spread" in plain
    assert re.search(r"Venue +Size +Bid +Ask +Size +Venue", plain)
    assert len(re.findall(r"^[A-Z]{4} +[\d,]+ +[\d.]+ +[\d.]+ +[\d,]+ +[A-Z]{4}", plain, re.MULTILINE)) >= 20


def test_a_symbol_that_does_not_exist_ends_it(moving: dict[str, str]) -> None:
    told = ft("stream", "quotes", "ZZZZQ", environ=moving)
    assert told.status != 0
    assert "[NOT_FOUND]" in told.err
    mixed = ft("stream", "quotes", "ZZZZQ", "KO", "--count", "1", environ=moving)
    assert mixed.status == 0
    assert "ZZZZQ: symbol not found." in mixed.err


def test_an_order_in_another_process_reaches_events(moving: dict[str, str]) -> None:
    watching = subprocess.Popen(
        [sys.executable, "-m", "ftcli", "stream", "events", "-o", "jsonl", "--count", "5", "-v"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"PATH": os.environ["PATH"], **moving},
        cwd=ROOT,
        text=True,
    )
    try:
        number = ""
        # Events are pushed to who is there: orders go on until the first of them has been seen.
        for _ in range(20):
            told = ft(*BUY, "-o", "json", environ=moving)
            assert told.status == 0, told.err
            number = json.loads(told.out)["conf_num"]
            try:
                watching.wait(timeout=1)
                break
            except subprocess.TimeoutExpired:
                continue
        out, _ = watching.communicate(timeout=10)
    finally:
        watching.kill()
    rows = [json.loads(line) for line in out.splitlines()]
    assert number
    assert {"ORDER_FILL", "POSITION_UPDATE", "BALANCE_UPDATE"} <= {row["event_type"] for row in rows}


# -- the daemon --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "args", [("status",), ("subscriptions",), ("subscribe", "KO"), ("unsubscribe", "KO")]
)
def test_without_a_daemon_it_is_status_12(paper: Run, args: tuple[str, ...], environ: dict[str, str]) -> None:
    told = ft("stream", *args, environ=environ | {"FT_DAEMON": "http://127.0.0.1:9"})
    assert told.status == 12
    assert "[DAEMON_REQUIRED]" in told.err
    assert "ft serve" in told.err


def test_the_running_daemon_is_asked_and_steered(daemon: tuple[str, str], environ: dict[str, str]) -> None:
    url, key = daemon
    world = environ | {"FT_DAEMON": url}
    refused = ft("stream", "status", environ=world)
    assert refused.status == 11 or "[API_KEY_INVALID]" in refused.err
    assert "FT_API_KEY" in refused.err
    world |= {"FT_API_KEY": key}
    held = ft("stream", "subscribe", "KO", "AAPL", "-o", "json", environ=world)
    assert held.status == 0, held.err
    assert {row["symbol"]: row["count"] for row in json.loads(held.out)["subscriptions"]} == {
        "KO": 1,
        "AAPL": 1,
    }
    listed = ft("stream", "subscriptions", environ=world)
    assert "KO" in listed.out
    status = json.loads(ft("stream", "status", "-o", "json", environ=world).out)
    assert status["subscriptions"] == 2
    assert ft("stream", "unsubscribe", "KO", environ=world).status == 0
    again = ft("stream", "unsubscribe", "KO", environ=world)
    assert "[NOT_FOUND]" in again.err
    assert key not in again.err


def test_a_daemon_on_a_socket_is_asked_too_and_leaves_no_file(moving: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "ft.sock"
    world = moving | {"FTSERVICE_SOCKET": str(path), "FTSERVICE_API_KEY_REQUIRED": "false"}
    process = subprocess.Popen(
        [sys.executable, "-m", "ftcli", "serve"],
        stderr=subprocess.PIPE,
        env={"PATH": os.environ["PATH"], **world},
        cwd=ROOT,
        text=True,
    )
    try:
        assert process.stderr is not None
        assert f"unix://{path}" in process.stderr.readline()
        asking = moving | {"FT_DAEMON": f"unix://{path}"}
        status = ft("stream", "status", "-o", "json", environ=asking)
        assert status.status == 0, status.err
        assert json.loads(status.out)["subscriptions"] == 0
    finally:
        process.terminate()
        process.communicate(timeout=10)
    assert not path.exists()
    gone = ft("stream", "status", environ=asking)
    assert gone.status == 12
    assert str(path) in gone.err


@pytest.mark.parametrize("url", ["ftp://localhost", "unix://relative.sock", "localhost:8787"])
def test_what_is_no_url_of_a_daemon(environ: dict[str, str], url: str) -> None:
    told = ft("stream", "status", environ=environ | {"FT_DAEMON": url})
    assert told.status == 2
    assert "unix:///path" in told.err


# -- faults ------------------------------------------------------------------------------------------------


def test_faults_are_listed_set_and_cleared(paper: Run) -> None:
    assert paper("positions").status == 0
    told = paper("paper", "fault", "set", "html=on", "drop")
    assert told.status == 0, told.err
    assert "html" in told.out
    assert "[FIDELITY_ERROR]" in paper("positions").err
    rows = json.loads(paper("paper", "fault", "list", "-o", "json").out)["faults"]
    assert {row["name"]: row["value"] for row in rows}["drop"] == "1"
    assert paper("paper", "fault", "clear").status == 0
    assert paper("positions").status == 0


def test_faults_from_the_start_and_bad_ones(environ: dict[str, str]) -> None:
    assert "[FIDELITY_ERROR]" in ft("positions", environ=environ | {"FT_PAPER_FAULTS": "html=on"}).err
    told = ft("positions", environ=environ | {"FT_PAPER_FAULTS": "htlm=on"})
    assert told.status == 2
    assert "Did you mean html?" in told.err
    assert ft("paper", "fault", "set", "slow=long", environ=environ).status == 2


def test_an_order_whose_answer_is_lost_is_looked_for_and_found(paper: Run) -> None:
    before = len(json.loads(paper("orders", "-o", "json").out)["orders"])
    paper("paper", "fault", "set", "lost_place=on")
    told = paper(*BUY)
    paper("paper", "fault", "clear")
    assert told.status == 0, told.err
    assert "The answer to the order was lost." in told.err
    assert "Placed: order" in told.out
    (entry,) = json.loads(paper("orders", "journal", "list", "-o", "json").out)["entries"]
    assert [change["state"] for change in entry["changes"]] == ["sending", "unknown", "accepted"]
    assert len(json.loads(paper("orders", "-o", "json").out)["orders"]) == before + 1


def test_a_server_elsewhere_is_told_by_its_url(tmp_path: Path, environ: dict[str, str]) -> None:
    folder = tmp_path / "server"
    folder.mkdir()
    with paper_server(folder) as url:
        told = ft("paper", "fault", "set", "slow=0.5", "--url", url, environ=environ)
        assert told.status == 0, told.err
        assert "0.5" in ft("paper", "fault", "list", "--url", url, environ=environ).out
        assert ft("paper", "fault", "set", "slw=1", "--url", url, environ=environ).status == 2
        assert "No faults" in ft("paper", "fault", "clear", "--url", url, environ=environ).err
    gone = ft("paper", "fault", "list", "--url", url, environ=environ)
    assert gone.status == 12
