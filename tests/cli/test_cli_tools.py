"""``ft api``, ``ft paper``, ``ft serve``, ``ft demo``, ``--watch`` and the completion of shells."""

import json
import os
import re
import signal
import stat
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from cli_kit import Run, ft, terminal

from ftcli.cli.call import Call
from ftcli.cli.commands.api import route
from ftcli.cli.completion import CACHE, cached

ROOT = Path(__file__).parents[2]


# -- api -------------------------------------------------------------------------------------------


def test_a_route_gives_what_its_command_gives(paper: Run) -> None:
    assert paper("api", "GET", "/accounts").data == paper("accounts", "list", "-o", "json").data
    one = paper("api", "get", "/api/v1/accounts/Z20000025/positions")
    assert one.data == paper("positions", "-a", "Z20000025", "-o", "json").data
    quotes = paper("api", "GET", "/market-data/quotes?symbols=KO,AAPL")
    assert quotes.data == paper("quote", "KO", "AAPL", "-o", "json").data


def test_a_route_has_raw_and_tables_too(paper: Run) -> None:
    raw = paper("api", "GET", "/accounts?raw=true")
    assert raw.data == paper("accounts", "list", "-o", "raw").data
    assert json.loads(raw.out) != json.loads(paper("api", "GET", "/accounts").out)
    assert paper("api", "GET", "/accounts", "-o", "csv").out.startswith("account,")


def test_a_word_of_a_path_wins_over_a_name(paper: Run) -> None:
    operation, names = route("POST", "/orders/replace/preview")
    assert (operation.name, names) == ("orders.replace.preview", {})
    operation, names = route("POST", "/api/v1/orders/2DI0KXQ4/cancel/preview/")
    assert (operation.name, names) == ("orders.cancel.preview", {"conf_num": "2DI0KXQ4"})
    assert route("GET", "/accounts/Z%2F1/positions")[1] == {"acct": "Z/1"}
    assert paper("api", "GET", "/orders/2ZZZZZZZ/detail").status == 3


def test_bodies_come_as_json_or_on_stdin(paper: Run) -> None:
    body = {"account": "Z20000025", "symbol": "KO", "action": "buy", "quantity": 1, "order_type": "market"}
    for world in (("--body", json.dumps(body), ""), ("--body", "-", json.dumps(body))):
        told = paper("api", "POST", "/orders/equity/preview", *world[:2], stdin=world[2])
        assert json.loads(told.out)["verdict"] == "validated"
    number = json.loads(told.out)["conf_num"]
    place = json.dumps({"order": body, "conf_num": number})
    assert (
        json.loads(paper("api", "POST", "/orders/equity/place", "--body", place).out)["verdict"] == "accepted"
    )


def test_bad_routes_and_bodies(paper: Run) -> None:
    assert paper("api", "GET", "/acounts").status == 3
    assert "Did you mean GET /accounts?" in paper("api", "GET", "/acounts").err
    assert paper("api", "FETCH", "/accounts").status == 2
    assert paper("api", "GET", "/accounts?bogus=1").status == 2
    assert paper("api", "POST", "/orders/equity/preview", "--body", "{").status == 2
    assert paper("api", "POST", "/orders/equity/preview", "--body", "[]").status == 2


def test_live_trading_is_off_here_as_everywhere(live: Run) -> None:
    body = {"account": "Z20000025", "symbol": "KO", "action": "buy", "quantity": 1, "order_type": "market"}
    told = live(
        "api", "POST", "/orders/equity/place", "--body", json.dumps({"order": body, "conf_num": "2A"})
    )
    assert told.status in (4, 5)


# -- paper -----------------------------------------------------------------------------------------


def test_paper_status_and_reset(paper: Run) -> None:
    status = json.loads(paper("paper", "status", "-o", "json").out)
    assert status["accounts"]
    assert status["now"].startswith("2026-11-24T10:30:00")
    before = paper("orders", "-o", "json").data
    paper("buy", "KO", "1", "-a", "Z20000025", "--yes")
    assert paper("orders", "-o", "json").data != before
    assert paper("paper", "reset").status == 0
    assert paper("orders", "-o", "json").data == before


def test_reset_asks_on_a_terminal(paper: Run) -> None:
    paper("buy", "KO", "1", "-a", "Z20000025", "--yes")
    before = paper("orders", "-o", "json").data
    told = paper("paper", "reset", tty=True, stdin="n\n")
    assert "Nothing was changed." in told.err
    assert paper("orders", "-o", "json").data == before
    paper("paper", "reset", "--yes", tty=True)
    assert paper("orders", "-o", "json").data != before


# -- serve, demo, watch ----------------------------------------------------------------------------


def test_serve_answers_and_stops_with_a_signal(environ: dict[str, str]) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "ftcli", "serve", "--port", "0"],
        env=environ | {"PATH": os.environ["PATH"]},
        stderr=subprocess.PIPE,
        cwd=ROOT,
        text=True,
    )
    assert process.stderr is not None
    found = re.search(r"http://127\.0\.0\.1:\d+", process.stderr.readline())
    assert found
    with urllib.request.urlopen(f"{found[0]}/health", timeout=10) as answer:
        assert json.load(answer)["ok"] is True
    process.send_signal(signal.SIGINT)
    process.stderr.read()
    assert process.wait(timeout=10) == 0
    process.stderr.close()
    (Path(environ["FT_DATA_DIR"]) / "first-api-key").unlink()  # as the user is told: no key stays in a file


def test_demo_shows_positions_an_order_and_live_quotes(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ftcli.cli.commands.demo.SECONDS", 2.0)
    world = {name: value for name, value in environ.items() if name != "FT_PAPER_CLOCK"} | {"FT_ENV": "live"}
    told = ft("demo", environ=world)
    assert told.status == 0, told.err
    for part in ("Market value", "PAPER · account", "Estimated cost", "Placed: order ", "filled", "Bid"):
        assert part in told.out


def test_watch_repeats_until_interrupted(environ: dict[str, str]) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "ftcli", "quote", "KO", "-o", "jsonl", "--watch", "50ms"],
        env=environ | {"PATH": os.environ["PATH"]},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        text=True,
    )
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(3)]
    assert all(json.loads(line)["symbol"] == "KO" for line in lines)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=10)
    assert process.returncode == 130
    assert err.strip() == ""


# -- completion ------------------------------------------------------------------------------------


def complete(words: str, environ: dict[str, str], shell: str = "bash") -> tuple[list[str], set[str]]:
    """(what the shell is offered, modules loaded for it)."""
    code = (
        "import sys, os; from ftcli.cli.entry import run; run([]); sys.stdout.flush();"
        "sys.stderr.write(' '.join(sys.modules))"
    )
    variables = {
        "_FT_COMPLETE": f"complete_{shell}",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split()) - (0 if words.endswith(" ") else 1)),
        "_TYPER_COMPLETE_ARGS": words,
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
        "PATH": os.environ["PATH"],
    }
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environ | variables,
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    return done.stdout.splitlines(), set(done.stderr.split())


def test_words_complete_without_loading_anything_heavy(environ: dict[str, str]) -> None:
    offered, loaded = complete("ft acc", environ)
    assert offered == ["accounts"]
    assert not loaded & {"rich", "msgspec", "httpx", "asyncio", "pydantic"}
    assert complete("ft config ", environ)[0] == ["show", "path"]
    assert complete("ft accounts pos", environ)[0] == ["positions"]
    assert "--columns" in complete("ft accounts positions --col", environ)[0]


def test_values_of_codes_and_formats_complete(environ: dict[str, str]) -> None:
    assert complete("ft positions -o js", environ)[0] == ["json", "jsonl"]
    assert complete("ft --env p", environ)[0] == ["paper"]
    assert complete("ft orders equity preview --action sell_a", environ)[0] == ["sell_all"]
    assert complete("ft orders equity preview --order-type stop_", environ)[0] == ["stop_limit"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_what_was_shown_completes(paper: Run, environ: dict[str, str], shell: str) -> None:
    for line in ("accounts list", "positions", "orders"):
        assert paper(*line.split()).status == 0
    offered, loaded = complete("ft positions -a Z2", environ, shell)
    assert "Z20000025" in "".join(offered)
    assert "rich" not in loaded
    assert "AAPL" in "".join(complete("ft quote AA", environ, shell)[0])
    elsewhere = environ | {"FT_ENV": "live"}
    assert "Z20000025" not in "".join(complete("ft positions -a Z2", elsewhere, shell)[0])
    assert "Z20000025" in "".join(complete("ft --paper positions -a Z2", elsewhere, shell)[0])
    assert complete("ft positions -a Z2", environ | {"FT_ENV": "papre"}, shell)[0] in ([""], ["_files"])
    number = json.loads(paper("orders", "-o", "json").out)["orders"][0]["conf_num"]
    assert number in "".join(complete(f"ft cancel {number[:3]}", environ, shell)[0])


def test_the_cache_is_private_and_logging_out_empties_it(paper: Run, environ: dict[str, str]) -> None:
    paper("accounts", "list")
    file = Path(environ["FT_DATA_DIR"]) / CACHE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    call = Call(terminal(environ=environ), [])
    assert ("Z20000025", "Active Trading") in cached(call, "accounts")
    paper("auth", "logout")
    assert cached(Call(terminal(environ=environ), []), "accounts") == []


def test_a_damaged_cache_is_no_cache(paper: Run, environ: dict[str, str]) -> None:
    (Path(environ["FT_DATA_DIR"]) / CACHE).write_bytes(b"{oops")
    assert cached(Call(terminal(environ=environ), []), "accounts") == []
    assert paper("accounts", "list").status == 0
    assert cached(Call(terminal(environ=environ), []), "accounts") != []


def test_the_script_is_printed_for_the_shell(environ: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ftcli", "--show-completion"],
        env=environ | {"PATH": os.environ["PATH"], "SHELL": "/bin/bash"},
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert "_FT_COMPLETE" in done.stdout
