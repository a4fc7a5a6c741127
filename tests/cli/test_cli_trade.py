"""Ordering from the command line: what is shown, what is asked, what is placed, and what is never placed."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from typing import Any

import pytest
from cli_kit import Run, ft

from ftcli.cli.call import Call
from ftcli.cli.placing import unbroken
from ftcli.cli.terminal import Terminal

BUY = ("buy", "KO", "2", "--limit", "60", "-a", "Z20000025")


def orders(paper: Run) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(paper("orders", "-a", "Z20000025", "-o", "json").out)["orders"]
    return found


def test_without_a_terminal_and_without_yes_nothing_is_placed(paper: Run) -> None:
    before = orders(paper)
    told = paper(*BUY)
    assert told.status == 0
    assert orders(paper) == before
    lines = told.out.splitlines()
    assert lines[0] == "PAPER · account Z20000025 Active Trading"
    assert "  BUY 2 KO  COCA-COLA CO COM" in lines
    assert "  limit 60.00 · day" in lines
    assert any(line.startswith("  last ") and " bid " in line and " ask " in line for line in lines)
    assert ["Estimated", "cost", "120.00"] in [line.split() for line in lines]
    assert "Add --yes" in told.err


def test_yes_places_once_and_says_where_it_stands(paper: Run) -> None:
    before = len(orders(paper))
    told = paper(*BUY, "--yes")
    assert told.status == 0
    assert told.out.startswith("Placed: order ")
    assert told.err.startswith("PAPER · account Z20000025 Active Trading\n")
    after = orders(paper)
    assert len(after) == before + 1
    number = told.out.split()[2]
    assert told.out == f"Placed: order {number} · BUY 2 KO · limit 60.00 · day · PAPER account Z20000025\n"
    placed = next(order for order in after if order["conf_num"] == number)
    assert (placed["symbol"], placed["quantity"], placed["limit_price"]) == ("KO", 2, 60)
    assert f"orders detail {number}" in told.err


def test_json_prints_exactly_one_document(paper: Run) -> None:
    placed = paper(*BUY, "--yes", "-o", "json")
    assert json.loads(placed.out)["verdict"] == "accepted"
    assert placed.out.count("\n") == 1
    preview = paper(*BUY, "-o", "json")
    assert json.loads(preview.out)["verdict"] == "validated"
    assert preview.out.count("\n") == 1


@pytest.mark.parametrize(
    ("answer", "placed"), [("y\n", 1), ("yes\n", 1), ("n\n", 0), ("\n", 0), ("", 0), ("yep\n", 0)]
)
def test_the_question_takes_a_clear_yes_only(paper: Run, answer: str, placed: int) -> None:
    before = len(orders(paper))
    told = paper(*BUY, tty=True, stdin=answer)
    assert told.status == 0
    assert "Place this order in the PAPER account Z20000025? [y/N]" in told.err
    assert len(orders(paper)) == before + placed
    assert ("Not placed." in told.err) is not bool(placed)


def test_no_input_never_asks(paper: Run) -> None:
    before = len(orders(paper))
    told = paper(*BUY, "--no-input", tty=True, stdin="y\n")
    assert "[y/N]" not in told.err
    assert len(orders(paper)) == before


def test_a_no_leaves_the_preview_as_the_one_document(paper: Run) -> None:
    told = paper(*BUY, "-o", "json", tty=True, stdin="n\n")
    assert json.loads(told.out)["verdict"] == "validated"


@pytest.mark.parametrize(
    ("flags", "kind", "shown"),
    [
        ((), "market", "  market · day"),
        (("--stop", "80"), "stop", "  stop 80.00 · day"),
        (
            ("--stop", "80", "--limit", "81", "--tif", "gtc"),
            "stop_limit",
            "  stop limit, limit 81.00, stop 80.00 · gtc",
        ),
        (("--trail", "1.5"), "trailing_stop", "  trailing stop, trailing by 1.50 · day"),
        (("--trail", "3%", "--tif", "gtc"), "trailing_stop", "  trailing stop, trailing by 3% · gtc"),
        (
            ("--trail", "3%", "--limit-offset", "0.1"),
            "trailing_stop_limit",
            "  trailing stop limit, trailing by 3%, limit offset 0.10 · day",
        ),
        (("--limit", "60", "--extended"), "limit", "  limit 60.00 · day · extended hours"),
    ],
)
def test_every_kind_of_order_shows_all_its_prices(
    paper: Run, flags: tuple[str, ...], kind: str, shown: str
) -> None:
    line = ("buy", "KO", "2", "-a", "Z20000025", *flags)
    told = paper(*line)
    assert told.status == 0, told.err
    assert shown in told.out.splitlines()
    assert json.loads(paper(*line, "-o", "json").out)["order_type"] == kind


def test_selling_short_and_covering_have_their_words(paper: Run) -> None:
    assert "SELL SHORT 1 KO" in paper("sell", "KO", "1", "--short", "-a", "Z20000025").out
    sale = paper("sell", "AAPL", "1", "-a", "Z20000025").out
    assert "SELL 1 AAPL" in sale
    assert "Estimated proceeds" in sale


def test_prices_that_do_not_go_together_are_an_error_before_anything_is_sent(paper: Run) -> None:
    told = paper("buy", "KO", "2", "--limit", "60", "--trail", "1", "-a", "Z20000025")
    assert told.status == 2
    assert "No order_type goes with limit_price and trailing_amount" in told.err
    assert paper("buy", "KO", "0", "-a", "Z20000025").status == 2
    assert paper("buy", "KO", "1.5", "--limit", "60", "-a", "Z20000025").status == 2
    assert paper("buy", "KO", "many", "-a", "Z20000025").status == 2


def test_a_refused_order_ends_with_6_and_the_brokers_words(paper: Run) -> None:
    told = paper("buy", "KO", "100000000", "-a", "Z10000017", "--yes")
    assert told.status == 6
    assert "[ORDER_REJECTED]" in told.err
    assert told.out == ""


def test_live_on_the_paper_broker_is_a_misunderstanding(paper: Run) -> None:
    told = paper(*BUY, "--live", "--yes")
    assert told.status == 2
    assert "--env live" in told.err


# -- cancel ----------------------------------------------------------------------------------------


def test_cancel_and_its_preview(paper: Run) -> None:
    number = json.loads(paper(*BUY, "--yes", "-o", "json").out)["conf_num"]
    preview = paper("orders", "cancel", number, "--preview", "-o", "json")
    assert json.loads(preview.out)["remaining_quantity"] == 2
    assert preview.err == ""  # it belongs to the program that reads JSON
    assert paper("orders", "cancel", number, "--preview").err.startswith("PAPER · preview of a cancel · ")
    told = paper("cancel", number.lower())
    assert told.status == 0
    assert told.err.startswith("PAPER · cancel · ")
    assert json.loads(paper("orders", "detail", number, "-o", "json").out)["orders"][0]["state"] == "canceled"
    again = paper("cancel", number)
    assert again.status == 6
    assert paper("cancel", "2ZZZZZZZ").status == 3


# -- the operation's own command -------------------------------------------------------------------

ORDER = ("--symbol", "KO", "--action", "buy", "--quantity", "1", "--limit-price", "60", "-a", "Z20000025")


def test_the_place_command_needs_the_number_and_places(paper: Run) -> None:
    number = json.loads(paper("orders", "equity", "preview", *ORDER, "-o", "json").out)["conf_num"]
    assert paper("orders", "equity", "place", *ORDER).status == 2
    told = paper(
        "orders", "equity", "place", *ORDER, "--conf-num", number, "-o", "csv", "--columns", "conf_num"
    )
    assert told.status == 0
    assert told.out == f"conf_num\n{number}\n"
    assert told.err.startswith(f"PAPER · account Z20000025 · orders equity place {number}\n")


# -- what nothing breaks off -----------------------------------------------------------------------


async def test_the_first_interruption_only_says_that_the_order_is_under_way() -> None:
    screen = Terminal.of_process()
    call = Call(screen, [])
    sent, answer = asyncio.Event(), asyncio.Event()

    async def place() -> str:
        assert call.when_sending is not None
        call.when_sending()
        sent.set()
        await answer.wait()
        return "placed"

    task = asyncio.create_task(unbroken(call, place, ["2DI0KXQ4"]))
    await sent.wait()
    task.cancel()
    await asyncio.sleep(0)
    assert call.in_flight is not None
    answer.set()
    assert await task == "placed"
    assert call.in_flight is None


SLOW = """
import asyncio, sys
from ftcli.cli.call import Call
from ftcli.cli.entry import ending
from ftcli.cli.placing import unbroken
from ftcli.cli.terminal import Terminal

async def place():
    call.when_sending()
    print("sent", flush=True)
    await asyncio.sleep(60)

call = Call(Terminal.of_process(), [])
sys.exit(ending(call, lambda: asyncio.run(unbroken(call, place, ["2DI0KXQ4"]))))
"""


def test_the_second_interruption_ends_with_7_and_how_to_look() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ.copy(),
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline() == "sent\n"
    process.send_signal(signal.SIGINT)
    assert "is under way" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 7
    assert "Do not send it again" in err
    assert "ft orders detail 2DI0KXQ4" in err


# -- live, where placing is off --------------------------------------------------------------------


@pytest.mark.usefixtures("paper")
def test_nobody_logged_in_means_no_preview_either(live: Run) -> None:
    told = live(*BUY, "--yes", "--live")
    assert told.status == 4
    assert told.out == ""


def test_ft_is_the_same_program_as_python_m_ftcli() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ftcli", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == ft("--version").out
