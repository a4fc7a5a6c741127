"""How errors end a command line: the status, the words, the JSON object, and what stays silent."""

import asyncio
import json
import os
import subprocess
import sys
from typing import Any

import pytest
from cli_kit import Run, Screen, failing, ft, terminal

from ftcli.cli.entry import run
from ftcli.errors import (
    AuthRequired,
    FtError,
    InternalError,
    OrderRejected,
    RateLimited,
    TotpRequired,
    all_error_classes,
)
from ftcli.redaction import Secret

STATUSES = {
    "INTERNAL": 1,
    "VALIDATION_ERROR": 2,
    "NOT_FOUND": 3,
    "AUTH_REQUIRED": 4,
    "TOTP_REQUIRED": 4,
    "SESSION_EXPIRED": 4,
    "API_KEY_INVALID": 4,
    "LIVE_TRADING_DISABLED": 5,
    "TRADING_HALTED": 5,
    "RISK_LIMIT": 5,
    "ORDER_REJECTED": 6,
    "ORDER_UNKNOWN": 7,
    "RATE_LIMITED": 8,
    "FIDELITY_ERROR": 9,
    "UPSTREAM_TIMEOUT": 10,
    "CONFLICT": 11,
    "DAEMON_REQUIRED": 12,
}


@pytest.mark.parametrize("cls", all_error_classes(), ids=lambda cls: cls.code)
def test_every_error_has_its_status_and_its_object(cls: type[FtError]) -> None:
    problem = cls("What happened, and what to do.", details={"field": "x"})
    told = ft("accounts", "list", opener=failing(problem))
    assert told.status == STATUSES[cls.code]
    assert told.out == ""
    assert told.err.startswith(f"Error: What happened, and what to do. [{cls.code}]\n")
    document = ft("accounts", "list", "-o", "json", opener=failing(problem))
    assert document.status == told.status
    assert document.out == ""
    told_json = json.loads(document.err)
    assert set(told_json) == {"code", "message", "details"}
    assert told_json["code"] == cls.code
    assert told_json["message"] == "What happened, and what to do."
    assert told_json["details"]["field"] == "x"


def test_no_status_is_missing_from_the_table() -> None:
    assert {cls.code for cls in all_error_classes()} == set(STATUSES)


def test_the_brokers_further_messages_are_shown() -> None:
    messages = [
        {"severity": "error", "code": "MA5010", "text": "No shares."},
        {"severity": "warning", "code": "W1", "text": "Market is closed."},
    ]
    problem = OrderRejected("The broker refused the order: No shares.", details={"messages": messages})
    told = ft("accounts", "list", opener=failing(problem)).err
    assert told.count("No shares.") == 1
    assert "  warning: Market is closed.\n" in told


def test_a_limit_says_when_to_come_back() -> None:
    assert (
        "Try again in 30 s."
        in ft("accounts", "list", opener=failing(RateLimited("Slow.", retry_after=30))).err
    )


def test_who_is_not_logged_in_is_told_what_to_do() -> None:
    told = ft("positions", opener=failing(AuthRequired("Nobody is logged in."))).err
    assert "ft auth login" in told
    assert "ft --paper positions" in told


def test_a_pending_second_factor_names_its_command() -> None:
    assert (
        "ft auth approve --code CODE" in ft("positions", opener=failing(TotpRequired("The broker asks."))).err
    )


# -- faults of ours --------------------------------------------------------------------------------


def test_a_fault_of_ours_has_an_id_and_no_traceback() -> None:
    told = ft("accounts", "list", opener=failing(KeyError("boom")))
    assert told.status == 1
    assert "[INTERNAL]" in told.err
    assert "Traceback" not in told.err
    assert "--debug" in told.err
    document = json.loads(ft("accounts", "list", "-o", "json", opener=failing(KeyError("boom"))).err)
    assert len(document["details"]["id"]) == 8


def test_debug_shows_the_traceback_without_secrets() -> None:
    secret = Secret("hunter2-hunter2")
    told = ft("accounts", "list", "--debug", opener=failing(RuntimeError(f"bad {secret.reveal()}"))).err
    assert "Traceback" in told
    assert "RuntimeError" in told
    assert "hunter2" not in told


def test_the_id_differs_from_run_to_run() -> None:
    def number() -> Any:
        return json.loads(ft("accounts", "list", "-o", "json", opener=failing(KeyError())).err)["details"][
            "id"
        ]

    assert number() != number()


# -- the command line itself -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("acounts list", "There is no command `ft acounts`. Did you mean `accounts`?"),
        ("accounts positoins", "There is no command `ft accounts positoins`. Did you mean `positions`?"),
        ("accounts positions --colums symbol", "There is no option --colums here. Did you mean `--columns`?"),
        ("accounts positions extra", "Got unexpected extra argument(s) (extra)."),
        ("accounts positions --columns", "Option '--columns' requires an argument."),
        ("accounts list -o jsno", "Did you mean json?"),
        ("--env lve accounts list", "--env: 'lve' given, but it must be one of paper, live."),
        ("accounts list --limit 0", "--limit: '0' given"),
        ("accounts list --timeout soon", "--timeout: 'soon' given"),
        ("accounts list --watch often", "--watch: 'often' given"),
        ("accounts list --color sometimes", "--color: 'sometimes' given"),
        ("orders statsu", "Did you mean `status`?"),
        ("market-data chart AAPL --width fortnight", "be one of 1, 5, 15"),
        ("market-data quotes", "symbols is required."),
    ],
)
def test_a_bad_command_line_is_a_validation_error(line: str, text: str) -> None:
    told = ft(
        *line.split(), environ={"FT_ENV": "paper"}, opener=failing(AssertionError("nothing may be opened"))
    )
    assert told.status == 2
    assert told.out == ""
    assert text in told.err
    assert "[VALIDATION_ERROR]" in told.err


@pytest.mark.parametrize("flags", [("-o", "json"), ("-ojson",), ("--output=json",), ("--output", "json")])
def test_even_a_bad_command_line_is_one_object_where_json_is_asked_for(flags: tuple[str, ...]) -> None:
    told = ft("accounts", "positions", "--bogus", *flags)
    assert json.loads(told.err)["code"] == "VALIDATION_ERROR"
    assert json.loads(ft("acounts", environ={"FT_OUTPUT": "json"}).err)["details"]["value"] == "acounts"


def test_a_setting_that_does_not_parse_ends_with_status_2() -> None:
    told = ft("accounts", "list", environ={"FT_ENV": "papre"})
    assert told.status == 2
    assert "FT_ENV" in told.err
    assert "Did you mean paper?" in told.err


# -- ends that are no errors -----------------------------------------------------------------------


def test_an_interruption_is_130_and_says_nothing() -> None:
    told = ft("accounts", "list", opener=failing(KeyboardInterrupt()))
    assert told.status == 130
    assert told.err.strip() == ""


def test_a_broken_pipe_is_silent() -> None:
    line = f"FT_CONFIG=/dev/null {sys.executable} -m ftcli config show -o csv"
    script = f"set -o pipefail; {line} | (exec 0<&-; sleep 0)"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False, timeout=30)
    assert done.stderr == ""
    assert done.returncode in (0, 141)


def test_a_reader_that_leaves_while_we_write_is_no_error() -> None:
    class Leaving(Screen):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    screen = terminal()
    screen.stdout = Leaving()
    assert run(["config", "show", "-o", "csv"], screen) == 0
    assert screen.stderr.data == b""  # type: ignore[attr-defined]


def test_internal_is_the_root_codes_name() -> None:
    assert InternalError("x").code == "INTERNAL"
    assert asyncio.iscoroutinefunction(ft) is False


def test_a_lost_order_that_is_found_is_told_as_what_it_is(
    paper: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That the command looked for it makes it no repeat: it was sent, by this very call."""
    monkeypatch.setattr("ftcli.trading.watch.PAUSES", (0, 0))
    paper("paper", "fault", "set", "lost_place=on")
    told = paper("buy", "KO", "1", "--limit", "60", "-a", "Z20000025", "--yes", "--idempotency-key", "mine")
    assert told.status == 0
    assert told.out.startswith("Placed: order ")
    assert "The answer to the order was lost." in told.err
    assert "Found: order status lists " in told.err
    assert "Nothing was sent" not in told.err
    paper("paper", "fault", "set", "lost_place=off")
    told = paper("buy", "KO", "1", "--limit", "60", "-a", "Z20000025", "--yes", "--idempotency-key", "mine")
    assert "Nothing was sent" in told.err


def test_a_person_names_the_number_of_a_lost_order(paper: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ftcli.trading.watch.PAUSES", (0, 0))
    paper("paper", "fault", "set", "lost_place=on", "status=400", "paths=order-status")
    buy = ("buy", "KO", "1", "--limit", "60", "-a", "Z20000025", "--yes", "--idempotency-key", "mine")
    assert paper(*buy).status == 7
    words = ("orders", "resolve", "mine", "--reason", "in the app")
    told = paper(*words, "--as", "not-placed", "--conf-num", "2GZZZZZZ")
    assert told.status == 2
    assert "conf_nums: '2GZZZZZZ' given, but it must be left out" in told.err
    told = paper(*words, "--as", "placed", "--conf-num", "2GZZZZZZ", "-o", "json")
    assert json.loads(told.out)["changes"][-1]["conf_nums"] == ["2GZZZZZZ"]
    assert paper(*buy).out.startswith("Placed: order 2GZZZZZZ")


def test_a_warning_of_the_log_is_said_to_a_person_and_never_beside_json(
    paper: Run, environ: dict[str, str]
) -> None:
    buy = ("buy", "KO", "1", "--limit", "60", "-a", "Z20000025", "--yes")
    paper("paper", "fault", "set", "lost_place=on", "status=400", "paths=order-status")
    assert paper(*buy).status == 7
    paper("paper", "fault", "set", "lost_place=off")
    told = paper(*buy)
    assert told.status == 0
    assert "Warning: lost orders could not be looked for" in told.err
    # In a process of its own: here the test's own handlers would hide what Python does where there is none.
    program = subprocess.run(
        [sys.executable, "-m", "ftcli", *buy, "-o", "json"],
        env={"PATH": os.environ["PATH"], **environ},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (program.returncode, program.stderr) == (0, "")
