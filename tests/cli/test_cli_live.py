"""The live environment from the command line: login, and orders that must not happen by accident.

The broker is ``ft paper serve`` in a process of its own, reached over HTTP like the real one.
"""

import json
from functools import partial
from pathlib import Path

import pyotp
import pytest
from cli_kit import Run, ft, paper_server

PASSWORD = "open-sesame"
BUY = ("buy", "KO", "1", "--limit", "60", "-a", "Z20000025")


@pytest.fixture
def logged_in(real: Run) -> Run:
    told = real("auth", "login", "--username", "demo", "--password-stdin", stdin=f"{PASSWORD}\n")
    assert told.status == 0, told.err
    return real


# -- login -----------------------------------------------------------------------------------------


def test_who_never_logged_in_is_told_what_to_do_next(real: Run) -> None:
    told = real("positions")
    assert told.status == 4
    assert told.out == ""
    assert "ft auth login" in told.err
    assert "--paper" in told.err


def test_the_session_lives_between_commands_until_logout(logged_in: Run) -> None:
    status = json.loads(logged_in("auth", "status", "-o", "json").out)
    assert (status["state"], status["environment"], status["live_trading"]) == (
        "authenticated",
        "live",
        False,
    )
    assert json.loads(logged_in("positions", "-o", "json").out)["account"] == "Z10000017"
    assert logged_in("auth", "logout").status == 0
    assert logged_in("positions").status == 4


def test_questions_are_asked_on_a_terminal(real: Run) -> None:
    told = real("auth", "login", tty=True, stdin="demo\n", secrets=[PASSWORD])
    assert told.status == 0, told.err
    assert "User name: " in told.err
    assert PASSWORD not in told.err + told.out
    assert real("accounts", "list").status == 0


def test_without_a_terminal_nothing_is_asked(real: Run) -> None:
    told = real("auth", "login")
    assert told.status == 2
    assert "User name" not in told.err
    quiet = real("auth", "login", "--no-input", tty=True, stdin="demo\n")
    assert quiet.status == 2


def test_the_password_comes_from_the_environment_or_a_file(
    real: Run, environ: dict[str, str], tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text(f"{PASSWORD}\n")
    world = real.keywords["environ"]  # type: ignore[attr-defined]
    told = ft("auth", "login", environ=world | {"FT_USERNAME": "demo", "FT_PASSWORD_FILE": str(secret)})
    assert told.status == 0, told.err


def test_a_wrong_password_is_status_4_and_is_not_repeated_to_anyone(real: Run) -> None:
    told = real("auth", "login", "--username", "demo", "--password-stdin", stdin="wrong-horse-battery\n")
    assert told.status == 4
    assert "[AUTH_REQUIRED]" in told.err
    assert "wrong-horse" not in told.err
    empty = real("auth", "login", "--username", "demo", "--password-stdin", stdin="")
    assert empty.status == 2


def test_the_password_is_never_an_argument(real: Run) -> None:
    told = real("auth", "login", "--username", "demo", "--password", PASSWORD)
    assert told.status == 2
    assert "There is no option --password" in told.err


@pytest.fixture
def second_factor(environ: dict[str, str], tmp_path: Path) -> tuple[Run, str]:
    secret = pyotp.random_base32()
    folder = tmp_path / "guarded"
    folder.mkdir()
    with paper_server(folder, FT_PAPER_TOTP=secret) as url:
        variables = {name: value for name, value in environ.items() if name != "FT_PAPER_CLOCK"}
        world = variables | {
            "FT_ENV": "live",
            "FT_UPSTREAM": url,
            "FT_USERNAME": "demo",
            "FT_PASSWORD": PASSWORD,
        }
        yield partial(ft, environ=world), secret


def test_a_missing_second_factor_has_its_own_code_and_next_step(second_factor: tuple[Run, str]) -> None:
    run, _ = second_factor
    told = run("auth", "login")
    assert told.status == 4
    assert "[TOTP_REQUIRED]" in told.err


def test_the_second_factor_is_asked_for_on_a_terminal(second_factor: tuple[Run, str]) -> None:
    run, secret = second_factor
    asked = run("auth", "login", tty=True, secrets=[pyotp.TOTP(secret).now()])
    assert asked.status == 0, asked.err
    assert run("accounts", "list").status == 0


def test_the_authenticators_secret_comes_by_stdin_and_is_no_argument(second_factor: tuple[Run, str]) -> None:
    run, secret = second_factor
    told = run("auth", "login", "--totp", secret)
    assert told.status == 2
    assert "--totp-stdin" in told.err
    assert secret not in told.err
    by_stdin = run("auth", "login", "--totp-stdin", stdin=f"{secret}\n")
    assert by_stdin.status == 0, by_stdin.err


# -- orders ----------------------------------------------------------------------------------------


def count(run: Run) -> int:
    return len(json.loads(run("orders", "-o", "json").out)["orders"])


def test_with_live_trading_off_an_order_ends_after_the_preview(logged_in: Run) -> None:
    before = count(logged_in)
    for world in ({}, {"tty": True, "stdin": "y\n"}):
        told = logged_in(*BUY, **world)
        assert told.status == 0
        assert told.out.startswith("LIVE · account Z20000025") or "LIVE" in told.out.splitlines()[0]
        assert "--live" in told.err
        assert "[y/N]" not in told.err
    assert count(logged_in) == before


def test_yes_with_live_trading_off_is_refused_with_5(logged_in: Run) -> None:
    before = count(logged_in)
    told = logged_in(*BUY, "--yes")
    assert told.status == 5
    assert told.out == ""
    document = logged_in(*BUY, "--yes", "-o", "json")
    assert document.out == ""
    assert json.loads(document.err)["code"] == "LIVE_TRADING_DISABLED"
    assert count(logged_in) == before


def test_live_places_after_a_yes_only(logged_in: Run) -> None:
    before = count(logged_in)
    assert logged_in(*BUY, "--live").status == 0  # no terminal, no --yes: a preview
    assert logged_in(*BUY, "--live", tty=True, stdin="n\n").status == 0
    assert count(logged_in) == before
    asked = logged_in(
        *BUY, "--live", tty=True, stdin="y\n", environ=logged_in.keywords["environ"] | {"NO_COLOR": "1"}
    )  # type: ignore[attr-defined]
    assert asked.out.startswith("Placed: order ")
    assert "LIVE · account Z20000025" in asked.err
    assert "Place this order with real money in the LIVE account Z20000025? [y/N]" in asked.err
    assert asked.out.endswith(" · LIVE account Z20000025\n")
    told = logged_in(*BUY, "--live", "--yes", "-o", "json")
    assert json.loads(told.out)["verdict"] == "accepted"
    assert count(logged_in) == before + 2


def test_the_place_command_asks_as_well(logged_in: Run) -> None:
    order = ("--symbol", "KO", "--action", "buy", "--quantity", "1", "--limit-price", "60", "-a", "Z20000025")
    number = json.loads(logged_in("orders", "equity", "preview", *order, "-o", "json").out)["conf_num"]
    place = ("orders", "equity", "place", *order, "--conf-num", number)
    assert logged_in(*place, "--yes").status == 5
    assert logged_in(*place, "--live").status == 2  # nobody can be asked
    asked = logged_in(*place, "--live", tty=True, stdin="n\n")
    assert asked.status == 0
    assert "  BUY 1 KO · limit 60.00 · day\n" in asked.err
    question = "Place this order with real money in the LIVE account Z20000025? [y/N]"
    assert question in asked.err
    route = ("api", "POST", "/orders/equity/place", "--live", "--body")
    body = {"symbol": "KO", "action": "buy", "quantity": 1, "order_type": "limit", "limit_price": 60}
    document = json.dumps({"order": body | {"account": "Z20000025"}, "conf_num": number})
    assert question in logged_in(*route, document, tty=True, stdin="n\n").err
    told = logged_in(*place, "--live", "--yes", "-o", "json")
    assert json.loads(told.out)["conf_num"] == number


def test_a_cancel_is_never_refused(logged_in: Run) -> None:
    number = json.loads(logged_in(*BUY, "--live", "--yes", "-o", "json").out)["conf_num"]
    told = logged_in("cancel", number)
    assert told.status == 0
    assert "LIVE · cancel" in told.err


def test_the_broker_out_of_reach_is_status_9(environ: dict[str, str]) -> None:
    world = environ | {"FT_UPSTREAM": "http://127.0.0.1:9"}
    told = ft("positions", environ=world)
    assert told.status == 9
    assert "[FIDELITY_ERROR]" in told.err
