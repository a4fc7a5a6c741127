"""Brackets, waiting, canceling all, order files, kill switch and keys from the command line."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from cli_kit import Meanwhile, Run, terminal

from ftcli.cli.entry import run

MARGIN = ("-a", "Z20000025")
BUY = ("buy", "KO", "2", "--limit", "60", *MARGIN)
BRACKET = (*BUY, "--take-profit", "90", "--stop-loss", "50")


def orders(paper: Run) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(paper("orders", *MARGIN, "-o", "json").out)["orders"]
    return found


@pytest.mark.parametrize("words", [BUY, BRACKET, BRACKET[:-2]])
def test_a_ticket_shows_buying_power_before_and_after(paper: Run, words: tuple[str, ...]) -> None:
    lines = paper(*words).out.splitlines()
    amounts = {
        line.rsplit(maxsplit=1)[0].strip(): float(line.rsplit(maxsplit=1)[1].replace(",", ""))
        for line in lines
        if line.startswith(("  Buying power", "  After this order", "  Estimated cost"))
    }
    assert amounts["Buying power"] - amounts["Estimated cost"] == amounts["After this order"]


def test_one_command_places_a_bracket(paper: Run) -> None:
    before = len(orders(paper))
    plan = paper(*BRACKET)
    assert plan.status == 0
    assert "  BUY 2 KO · limit 60.00 · day" in plan.out
    assert "  when filled, SELL 2 KO · limit 90.00 · day" in plan.out
    assert "  or else SELL 2 KO · stop 50.00 · day" in plan.out
    assert len(orders(paper)) == before
    told = paper(*BRACKET, "--yes", "-o", "json")
    assert told.status == 0, told.err
    assert [leg["verdict"] for leg in json.loads(told.out)["orders"]] == ["accepted"] * 3
    states = sorted(order["state"] for order in orders(paper) if order["symbol"] == "KO")
    assert states.count("waiting") == 2


def test_a_bracket_shows_name_quote_cost_and_what_its_exits_bring(paper: Run) -> None:
    lines = paper(*BRACKET).out.splitlines()
    assert "  KO  COCA-COLA CO COM" in lines
    assert any(line.startswith("  last ") and " bid " in line and " ask " in line for line in lines)
    figures = [line.split() for line in lines]
    for row in (
        "Order value 120.00",
        "Commission 0.00",
        "Estimated cost 120.00",
        "Proceeds at limit 90.00 180.00",
        "Proceeds at stop 50.00 100.00",
    ):
        assert row.split() in figures
    assert "  warning: (001924) A stop order is released by a qualifying trade or quote." in lines
    assert not any("Success" in line for line in lines)


def test_a_pair_of_exits_shows_what_each_brings(paper: Run) -> None:
    lines = paper("sell", "AAPL", "2", "--take-profit", "300", "--stop-loss", "200", *MARGIN).out.splitlines()
    assert "  AAPL  APPLE INC COM" in lines
    assert any(line.startswith("  last ") for line in lines)
    figures = [line.split()[:-1] for line in lines]
    assert ["Proceeds", "at", "limit", "300.00"] in figures
    assert ["Proceeds", "at", "stop", "200.00"] in figures
    assert ["Buying", "power"] in figures


def test_a_group_says_where_it_was_placed(paper: Run) -> None:
    told = paper(*BRACKET, tty=True, stdin="y\n")
    assert "Place these orders in the PAPER account Z20000025? [y/N]" in told.err
    assert told.out.startswith("Placed: orders ")
    assert told.out.endswith(" · PAPER account Z20000025\n")
    assert "Success" not in told.err


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ((*BUY, "--take-profit", "40", "--stop-loss", "50"), "--take-profit"),
        (("sell", "KO", "2", "--take-profit", "90", *MARGIN), "--stop-loss"),
    ],
)
def test_exits_that_make_no_sense_are_refused(paper: Run, words: tuple[str, ...], named: str) -> None:
    told = paper(*words)
    assert told.status == 2
    assert named in told.err


def test_wait_ends_with_the_order_or_with_the_time(paper: Run) -> None:
    filled = paper("buy", "KO", "1", *MARGIN, "--yes").out.split()[2]
    assert paper("orders", "wait", filled, "--timeout", "5s").status == 0
    told = paper("orders", "wait", filled, "--for", "canceled")
    assert told.status == 6
    assert "ended as filled" in told.err
    resting = paper(*BUY, "--yes").out.split()[2].rstrip(",")
    told = paper("orders", "wait", resting, "--timeout", "100ms", "-o", "json")
    assert told.status == 10
    assert told.out == ""
    problem = json.loads(told.err)
    assert problem["code"] == "UPSTREAM_TIMEOUT"
    assert "still stands" in problem["message"]
    paper("cancel", resting)
    told = paper("orders", "wait", resting, "-o", "json")
    assert told.status == 6
    assert json.loads(told.err)["details"] == {"conf_num": resting, "state": "canceled"}
    for wanted in ("canceled", "final"):
        told = paper("orders", "wait", resting, "--for", wanted, "-o", "json")
        assert told.status == 0
        assert json.loads(told.out)["orders"][0]["state"] == "canceled"
    told = paper("orders", "wait", resting, "--for", "gone")
    assert told.status == 2
    assert "be one of filled, canceled, final" in told.err


def test_wait_outlasts_an_outage(paper: Run, environ: dict[str, str]) -> None:
    filled = paper("buy", "KO", "1", *MARGIN, "--yes").out.split()[2]
    paper("paper", "fault", "set", "html=true", "paths=status-detail")
    screen = terminal(environ=environ, tty=True)
    with ThreadPoolExecutor(1) as other:
        waiting = other.submit(run, ["orders", "wait", filled, "--timeout", "60s"], screen)
        while b"Waiting goes on" not in screen.stderr.data:  # type: ignore[attr-defined]
            assert not waiting.done()
            time.sleep(0.05)
        paper("paper", "fault", "clear")
        assert waiting.result() == 0
    assert screen.stderr.data.count(b"Waiting goes on") == 1, "an outage is told once"  # type: ignore[attr-defined]


def test_wait_ends_with_its_time_while_the_broker_is_out(paper: Run) -> None:
    filled = paper("buy", "KO", "1", *MARGIN, "--yes").out.split()[2]
    paper("paper", "fault", "set", "status=503", "paths=status-detail")
    told = paper("orders", "wait", filled, "--timeout", "100ms", "-o", "json")
    assert told.status == 10
    problem = json.loads(told.err)
    assert problem["code"] == "UPSTREAM_TIMEOUT"
    assert "not known where order" in problem["message"]
    assert problem["details"] == {"order_id": filled, "states": []}


def test_wait_ends_at_once_where_waiting_cannot_help(paper: Run, live: Run) -> None:
    told = live("orders", "wait", "2ZZZZZZZ", "--timeout", "60s", "-o", "json")
    assert told.status == 4
    assert paper("orders", "wait", "2ZZZZZZZ", "--timeout", "60s").status == 3


def test_cancel_all_asks(paper: Run) -> None:
    number = paper(*BUY, "--yes").out.split()[2]
    assert paper("orders", "cancel", "--all", *MARGIN).status == 2
    count = len({order["conf_num"] for order in orders(paper) if order["cancelable"]})
    told = paper("orders", "cancel", "--all", *MARGIN, tty=True, stdin="n\n")
    assert "Nothing was canceled" in told.err
    assert f"Cancel {count} open orders in the PAPER account Z20000025? [y/N]" in told.err
    assert number in told.err, "the orders are listed before the question"
    told = paper("orders", "cancel", "--all", *MARGIN, tty=True, stdin="y\n")
    assert told.status == 0
    assert number in told.out
    assert not [order for order in orders(paper) if order["cancelable"]]


def test_cancel_all_takes_a_group_that_goes_together_for_canceled(paper: Run) -> None:
    assert paper(*BRACKET, "--yes").status == 0
    told = paper("orders", "cancel", "--all", "--yes", *MARGIN, "-o", "json")
    assert told.status == 0, told.err
    assert {order["state"] for order in json.loads(told.out)["orders"]} == {"canceled"}


def test_cancel_all_is_of_the_default_account_where_there_is_one(paper: Run, environ: dict[str, str]) -> None:
    first = paper(*BUY, "--yes").out.split()[2]
    other = paper("buy", "KO", "1", "--limit", "60", "-a", "Z10000017", "--yes").out.split()[2]
    mine = environ | {"FT_ACCOUNT": "z20000025"}
    told = paper("cancel", "--all", tty=True, stdin="n\n", environ=mine)
    count = len({order["conf_num"] for order in orders(paper) if order["cancelable"]})
    assert f"Cancel {count} open orders in the PAPER account Z20000025? [y/N]" in told.err
    assert (
        "2 open in other accounts (Z10000017) are left alone: the default account is Z20000025." in told.err
    )
    assert other not in told.err
    told = paper("cancel", "--all", "--yes", "-o", "json", environ=mine)
    document = json.loads(told.out)
    assert first in {order["conf_num"] for order in document["orders"]}
    assert {order["account"] for order in document["orders"]} == {"Z20000025"}
    # Without a default account it is of all, and so it says.
    told = paper("cancel", "--all", tty=True, stdin="n\n")
    assert "Cancel 2 open orders in the PAPER account Z10000017? [y/N]" in told.err
    paper(*BUY, "--yes")
    told = paper("cancel", "--all", tty=True, stdin="n\n")
    assert "Cancel 3 open orders in the PAPER accounts Z10000017, Z20000025? [y/N]" in told.err
    named = paper("cancel", "--all", "--yes", "-a", "Z10000017", "-o", "json", environ=mine)
    assert {order["conf_num"] for order in json.loads(named.out)["orders"]} > {other}
    assert paper("cancel", "--all", "--yes", environ=environ | {"FT_ACCOUNT": "Z99999999"}).status == 3


def test_cancel_all_says_what_it_asked_for_where_the_status_cannot_be_read_afterwards(
    paper: Run, environ: dict[str, str]
) -> None:
    number = paper(*BUY, "--yes").out.split()[2]
    screen = terminal(environ=environ, tty=True)
    with ThreadPoolExecutor(1) as other:

        def outage() -> None:
            other.submit(paper, "paper", "fault", "set", "status=400", "paths=status-summary").result()

        screen.stdin = Meanwhile(outage)
        status = run(["cancel", "--all", *MARGIN], screen)
    assert status == 9
    said = screen.stderr.data.decode()  # type: ignore[attr-defined]
    assert "The broker has been asked to cancel" in said
    assert number in said
    paper("paper", "fault", "clear")
    assert not [order for order in orders(paper) if order["cancelable"]]


def test_cancel_all_tells_what_it_could_not_cancel(paper: Run) -> None:
    number = paper(*BUY, "--yes").out.split()[2]
    paper("paper", "fault", "set", "status=500", "paths=cancel/place")
    told = paper("orders", "cancel", "--all", "--yes", *MARGIN, "-o", "json")
    assert number in [order["conf_num"] for order in json.loads(told.out)["orders"]]
    assert told.status == 7
    problem = json.loads(told.err)
    assert problem["code"] == "ORDER_UNKNOWN"
    assert problem["details"]["failed"][number]["code"] == "ORDER_UNKNOWN"


def test_a_cancel_whose_answer_is_lost_is_unknown(paper: Run) -> None:
    number = paper(*BUY, "--yes").out.split()[2]
    paper("paper", "fault", "set", "status=500", "paths=cancel/place")
    told = paper("cancel", number)
    assert told.status == 7
    assert f"ft orders detail {number}" in told.err


def test_a_key_places_once_over_two_commands(paper: Run) -> None:
    before = len(orders(paper))
    words = (*BUY, "--yes", "--idempotency-key", "monday")
    first, second = paper(*words, "-o", "json"), paper(*words, "-o", "json")
    assert first.out == second.out
    assert len(orders(paper)) == before + 1
    assert "Nothing was sent" in paper(*words).err


def test_halt_and_resume(paper: Run) -> None:
    assert paper("trading", "halt", "--reason", "odd fills").status == 0
    told = paper(*BUY, "--yes")
    assert told.status == 5
    assert "halted by cli" in told.err
    assert "odd fills" in told.err
    assert paper("trading", "resume").status == 0
    assert paper(*BUY, "--yes").status == 0


FILE = """
batch = "test-1"

[[order]]
name = "ko"
account = "Z20000025"
symbol = "KO"
action = "buy"
quantity = 2
order_type = "limit"
limit_price = 60.00

[[spread]]
account = "Z20000025"
direction = "debit"
net_price = 2.05
legs = [
  { symbol = "AAPL 2027-03-19 270 C", action = "buy_to_open" },
  { symbol = "AAPL 2027-03-19 280 C", action = "sell_to_open" },
]

[[order]]
name = "too-much"
account = "Z20000025"
symbol = "KO"
action = "buy"
quantity = 9000000
order_type = "limit"
limit_price = 60

[[option]]
account = "Z20000025"
symbol = "AAPL 2027-03-19 270 C"
action = "buy_to_open"
quantity = 1
order_type = "limit"
limit_price = 20
"""


def rows(told: Any) -> dict[str, str]:
    return {row["name"]: row["outcome"] for row in json.loads(told.out)["orders"]}


def test_a_file_is_planned_placed_and_continued(paper: Run, tmp_path: Path) -> None:
    file = tmp_path / "orders.toml"
    file.write_text(FILE)
    before = len(orders(paper))
    words = ("orders", "apply", str(file), "-o", "json")
    plan = paper(*words)
    assert rows(plan) == {
        "ko": "planned",
        "spread-1": "planned",
        "too-much": "refused",
        "option-1": "planned",
    }
    assert plan.status == 6
    assert len(orders(paper)) == before
    assert rows(paper(*words, "--yes"))["ko"] == "not sent", "a refusal in the plan stops the whole file"
    placed = paper(*words, "--yes", "--keep-going")
    assert rows(placed) == {"ko": "placed", "spread-1": "placed", "too-much": "refused", "option-1": "placed"}
    assert len(orders(paper)) == before + 4, "a spread has an entry for each leg"
    again = paper(*words, "--yes", "--keep-going")
    done = "already placed"
    assert rows(again) == {"ko": done, "spread-1": done, "too-much": "refused", "option-1": done}
    assert len(orders(paper)) == before + 4
    file.write_text(FILE.replace("quantity = 9000000", "quantity = 1"))
    assert rows(paper(*words, "--yes"))["too-much"] == "placed"


ONE = """
[[order]]
account = "Z20000025"
symbol = "{symbol}"
action = "buy"
quantity = {quantity}
order_type = "limit"
limit_price = {price}
"""


def test_an_edited_file_repeats_nothing_and_leaves_nothing_out(paper: Run, tmp_path: Path) -> None:
    file = tmp_path / "orders.toml"
    words = ("orders", "apply", str(file), "-o", "json", "--yes")
    ko, pep = ONE.format(symbol="KO", quantity=1, price=60), ONE.format(symbol="PEP", quantity=1, price=100)
    file.write_text(f'batch = "b"\n{ko}{pep}')
    assert rows(paper(*words)) == {"order-1": "placed", "order-2": "placed"}
    before = len(orders(paper))
    new = ONE.format(symbol="KO", quantity=7, price=61)
    written_otherwise = ONE.format(symbol="ko", quantity=1, price="60.00")
    file.write_text(f'batch = "b"\n{new}{written_otherwise}{pep}')
    done = "already placed"
    assert rows(paper(*words)) == {"order-1": "placed", "order-2": done, "order-3": done}
    assert len(orders(paper)) == before + 1
    file.write_text(f'batch = "b"\n{new}{ko}{ko}{pep}')  # the same once more is meant
    assert rows(paper(*words)) == {"order-1": done, "order-2": done, "order-3": "placed", "order-4": done}


def test_a_name_keeps_its_order(paper: Run, tmp_path: Path) -> None:
    file = tmp_path / "orders.toml"
    words = ("orders", "apply", str(file), "-o", "json", "--yes")
    order = ONE.format(symbol="KO", quantity=1, price=60).replace("[[order]]", '[[order]]\nname = "core"')
    file.write_text(f'batch = "b"\n{order}')
    assert rows(paper(*words)) == {"core": "placed"}
    before = len(orders(paper))
    file.write_text(f'batch = "b"\n{order.replace("quantity = 1", "quantity = 2")}')
    changed = paper(*words, "--keep-going")
    assert rows(changed) == {"core": "refused"}
    assert "new name" in json.loads(changed.out)["orders"][0]["message"]
    assert changed.status == 11
    assert len(orders(paper)) == before


@pytest.mark.parametrize(
    "text",
    [
        "",
        "batch = 'x'",
        "batch = 'x'\n[[ordre]]\n",
        FILE.replace("2.05", "-1"),
        FILE.replace("batch", "bach"),
    ],
)
def test_a_file_that_is_wrong_sends_nothing(paper: Run, tmp_path: Path, text: str) -> None:
    file = tmp_path / "orders.toml"
    file.write_text(text)
    before = len(orders(paper))
    assert paper("orders", "apply", str(file), "--yes").status == 2
    assert len(orders(paper)) == before
