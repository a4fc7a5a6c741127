"""Order files: what a run may place after what, what its report says, and limits over the whole file."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cli_kit import Outcome, Run

ORDER = """
[[order]]
name = "{name}"
{account}symbol = "KO"
action = "{action}"
quantity = {quantity}
order_type = "limit"
limit_price = {price}
"""
ACCOUNT = "Z20000025"


def order(
    name: str, quantity: int = 1, *, action: str = "buy", price: int = 60, account: str = ACCOUNT
) -> str:
    named = f'account = "{account}"\n' if account else ""
    return ORDER.format(name=name, quantity=quantity, action=action, price=price, account=named)


@pytest.fixture
def apply(paper: Run, tmp_path: Path) -> Callable[..., Outcome]:
    """Runs a file of the orders given."""

    def run(orders: str, *flags: str, **world: Any) -> Outcome:
        file = tmp_path / "orders.toml"
        file.write_text(f'batch = "b"\n{orders}')
        outcome: Outcome = paper("orders", "apply", str(file), *flags, **world)
        return outcome

    return run


def report(told: Outcome) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(told.out)
    return found


def outcomes(told: Outcome) -> dict[str, str]:
    return {row["name"]: row["outcome"] for row in report(told)["orders"]}


def row(told: Outcome, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(row for row in report(told)["orders"] if row["name"] == name)
    return found


def count(paper: Run) -> int:
    return len(json.loads(paper("orders", "-a", ACCOUNT, "-o", "json").out)["orders"])


JSON = ("-o", "json")
PLACE = ("--yes", *JSON)
TOO_MUCH = 9_000_000

# -- an unknown outcome ------------------------------------------------------------------------------------


def test_nothing_more_is_placed_until_an_unknown_outcome_is_settled(
    paper: Run, apply: Callable[..., Outcome]
) -> None:
    before = count(paper)
    # The answer is lost, and what became of the order cannot be looked for.
    paper("paper", "fault", "set", "lost_place", "status=400", "paths=order-status")
    orders = order("a") + order("b") + order("c")
    lost = apply(orders, *PLACE, "--keep-going")
    assert outcomes(lost) == {"a": "unknown", "b": "not sent", "c": "not sent"}
    assert lost.status == 7
    assert row(lost, "a")["code"] == "ORDER_UNKNOWN"
    assert "outcome of a is unknown" in row(lost, "b")["message"]
    paper("paper", "fault", "set", "lost_place=off")

    again = apply(orders, *PLACE, "--keep-going")
    assert outcomes(again) == {"a": "unknown", "b": "not sent", "c": "not sent"}
    assert again.status == 7
    # Without its name it is another order to us, and a's outcome is as unknown as before.
    renamed = apply(order("a2") + order("b"), *PLACE, "--keep-going")
    assert outcomes(renamed) == {"a2": "not sent", "b": "not sent"}
    assert renamed.status == 7
    assert "apply:b:a" in row(renamed, "b")["message"]
    paper("paper", "fault", "clear")
    assert count(paper) == before + 1

    settled = apply(orders, *PLACE)  # looks for it first, and finds it
    assert outcomes(settled) == {"a": "already placed", "b": "placed", "c": "placed"}
    assert settled.status == 0
    assert count(paper) == before + 3


# -- what was never sent ----------------------------------------------------------------------------------


def test_a_refusal_in_the_plan_leaves_the_rest_not_sent(paper: Run, apply: Callable[..., Outcome]) -> None:
    orders = order("a") + order("big", TOO_MUCH) + order("c")
    assert outcomes(apply(orders, *JSON)) == {"a": "planned", "big": "refused", "c": "planned"}
    told = apply(orders, *PLACE)
    assert outcomes(told) == {"a": "not sent", "big": "refused", "c": "not sent"}
    assert "big" in row(told, "a")["message"]
    assert told.status == 6


def test_after_a_no_nothing_is_planned_any_more(paper: Run, apply: Callable[..., Outcome]) -> None:
    told = apply(order("a"), *JSON, tty=True, stdin="n\n")
    assert outcomes(told) == {"a": "not sent"}
    assert told.status == 0
    assert "Not placed." in told.err


def test_a_question_leaves_one_document_on_stdout(apply: Callable[..., Outcome]) -> None:
    told = apply(order("a"), *JSON, tty=True, stdin="y\n")
    assert outcomes(told) == {"a": "placed"}
    assert told.out.count("\n") == 1
    assert "BUY 1 KO · limit 60.00 · day" in told.err, "the plan is what is asked about"
    assert f"Place this order in the PAPER account {ACCOUNT}? [y/N]" in told.err


def test_where_a_refusal_stops_the_file_nothing_is_asked(apply: Callable[..., Outcome]) -> None:
    orders = order("a") + order("big", TOO_MUCH)
    told = apply(orders, *JSON, tty=True, stdin="y\n")
    assert "[y/N]" not in told.err
    assert outcomes(told) == {"a": "planned", "big": "refused"}
    asked = apply(orders, "--keep-going", *JSON, tty=True, stdin="y\n")
    assert outcomes(asked) == {"a": "placed", "big": "refused"}


def test_the_question_names_every_account(apply: Callable[..., Outcome]) -> None:
    told = apply(order("a") + order("b", account="Z10000017"), tty=True, stdin="n\n")
    assert f"Place these 2 orders in the PAPER accounts {ACCOUNT}, Z10000017? [y/N]" in told.err


def test_a_halt_is_said_in_the_plan_and_refuses_before_anything_is_sent(
    paper: Run, apply: Callable[..., Outcome]
) -> None:
    paper("trading", "halt", "--reason", "odd fills")
    plan = apply(order("a"), tty=True, stdin="y\n")
    assert "[y/N]" not in plan.err
    assert "odd fills" in plan.err
    told = apply(order("a"), *PLACE)
    assert told.status == 5
    assert "TRADING_HALTED" in told.err


def test_an_interruption_leaves_the_rest_not_sent(
    paper: Run, apply: Callable[..., Outcome], environ: dict[str, str], tmp_path: Path
) -> None:
    apply(order("a") + order("b"))  # writes the file
    paper("paper", "fault", "set", "slow=1", "paths=equity/place")
    process = subprocess.Popen(
        [sys.executable, "-m", "ftcli", "orders", "apply", str(tmp_path / "orders.toml"), *PLACE],
        stdout=subprocess.PIPE,
        env={"PATH": os.environ["PATH"], **environ},
        text=True,
    )
    while not json.loads(paper("orders", "journal", "list", "--state", "sending", *JSON).out)["entries"]:
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=30)
    told = Outcome(process.returncode, out.encode(), "")
    assert outcomes(told) == {"a": "placed", "b": "not sent"}
    assert row(told, "b")["message"] == "interrupted"
    assert told.status == 130


# -- the report -------------------------------------------------------------------------------------------


def test_plan_and_report_have_totals_and_counts(apply: Callable[..., Outcome]) -> None:
    orders = order("in", 2) + order("out", 1, action="sell_short", price=90) + order("big", TOO_MUCH)
    for flags, went in ((JSON, "planned"), ((*PLACE, "--keep-going"), "placed")):
        told = report(apply(orders, *flags))
        assert (told["cost"], told["proceeds"], told["total"]) == (120, 90, 30)
        assert told["counts"] == {went: 2, "refused": 1}


@pytest.mark.parametrize("world", [{}, {"tty": True, "environ_more": {"COLUMNS": "80"}}])
def test_the_table_has_total_counts_and_every_reason(
    environ: dict[str, str], apply: Callable[..., Outcome], world: dict[str, Any]
) -> None:
    more = world.pop("environ_more", {})
    told = apply(
        order("in", 2) + order("big", TOO_MUCH),
        "--no-input",
        environ={**environ, "NO_COLOR": "1", **more},
        **world,
    )
    lines = told.out.splitlines()
    assert lines[0].split() == ["Name", "Outcome", "Cost", "Order"]
    assert ["Total", "120.00"] in [line.split() for line in lines]
    assert "1 planned, 1 refused · cost 120.00 · proceeds 0.00" in lines
    assert (
        "big: The broker refused the order: Buying power is not sufficient for this order. [ORDER_REJECTED]"
        in " ".join(told.out.split())
    )
    assert all(len(line) <= 80 for line in lines) or not world


def test_at_a_narrow_terminal_every_order_can_be_read_whole(
    environ: dict[str, str], apply: Callable[..., Outcome]
) -> None:
    narrow = {**environ, "COLUMNS": "60", "NO_COLOR": "1"}
    told = apply(order("a-rather-long-name", 20), environ=narrow, tty=True, stdin="n\n")
    assert "a-rather-long-name: BUY 20 KO · limit 60.00 · day" in told.err
    assert all(len(line) <= 60 for line in told.err.splitlines() if "[y/N]" not in line)
    assert told.err.startswith(f"PAPER · account {ACCOUNT}\n")


def test_every_row_has_code_and_reason_in_every_format(apply: Callable[..., Outcome]) -> None:
    orders = order("in") + order("big", TOO_MUCH)
    (found,) = [
        line for line in csv.DictReader(io.StringIO(apply(orders, "-o", "csv").out)) if line["name"] == "big"
    ]
    lines = [json.loads(line) for line in apply(orders, "-o", "jsonl").out.splitlines()]
    for big in (found, lines[1], row(apply(orders, *JSON), "big")):
        assert big["code"] == "ORDER_REJECTED"
        assert "Buying power" in big["message"]


def test_a_plan_shows_the_brokers_warnings(apply: Callable[..., Outcome]) -> None:
    legs = "\n".join(
        f'[[group.orders]]\naccount = "{ACCOUNT}"\nsymbol = "KO"\naction = "{action}"\nquantity = 1\n{price}'
        for action, price in (
            ("buy", 'order_type = "limit"\nlimit_price = 60'),
            ("sell", 'order_type = "stop"\nstop_price = 50'),
        )
    )
    group = f'[[group]]\nname = "guarded"\ncondition = "oto"\n{legs}'
    warning = "warning: (001924) A stop order is released by a qualifying trade or quote."
    assert row(apply(group, *JSON), "guarded")["warnings"] == [warning]
    assert f"guarded: {warning}" in apply(group).out


def test_a_spread_is_told_in_words(apply: Callable[..., Outcome]) -> None:
    told = apply(
        f"""
[[spread]]
account = "{ACCOUNT}"
direction = "debit"
net_price = 2.05
legs = [
  {{ symbol = "AAPL 2027-03-19 270 C", action = "buy_to_open" }},
  {{ symbol = "AAPL 2027-03-19 280 C", action = "sell_to_open" }},
]
""",
        *JSON,
    )
    words = "BUY TO OPEN 1 AAPL 2027-03-19 270 C; SELL TO OPEN 1 AAPL 2027-03-19 280 C · net debit 2.05 · day"
    assert row(told, "spread-1")["order"] == words


# -- limits over the whole file ---------------------------------------------------------------------------


@pytest.mark.parametrize("limits", ["max_daily_value = 150", "max_daily_orders = 2", "duplicate_window = 60"])
def test_the_plan_counts_the_orders_before_each(
    environ: dict[str, str], apply: Callable[..., Outcome], limits: str
) -> None:
    Path(environ["FT_CONFIG"]).write_text(f"[limits.accounts.{ACCOUNT}]\n{limits}\n")
    # Another account's order counts nothing here, and what is refused leaves room for what fits.
    orders = (
        order("other", account="Z10000017") + order("a") + order("b", price=61) + order("c") + order("d", 9)
    )
    rule = limits.partition(" ")[0]
    told = apply(orders, *JSON)
    assert outcomes(told)["b"] == "planned"
    assert row(told, "c") | {"order": ""} == row(told, "c") | {
        "order": "",
        "outcome": "refused",
        "code": "RISK_LIMIT",
    }
    assert rule in row(told, "c")["message"]
    assert told.status == 5
    daily = rule.startswith("max_daily")
    assert report(told)["first_beyond"] == ("c" if daily else None)
    table = apply(orders).out
    assert ("The first order beyond a limit of the day is c" in table) is daily


def test_what_was_placed_today_counts_once(environ: dict[str, str], apply: Callable[..., Outcome]) -> None:
    Path(environ["FT_CONFIG"]).write_text("[limits]\nmax_daily_orders = 2\n")
    assert outcomes(apply(order("a"), *PLACE)) == {"a": "placed"}
    told = apply(order("a") + order("b") + order("c"), *JSON)
    assert outcomes(told) == {"a": "already placed", "b": "planned", "c": "refused"}


# -- accounts ----------------------------------------------------------------------------------------------


def test_orders_without_an_account_go_to_the_default_one(
    paper: Run, environ: dict[str, str], apply: Callable[..., Outcome]
) -> None:
    orders = order("named", account="Z10000017") + order("bare", account="")
    told = apply(orders, *JSON, environ={**environ, "FT_ACCOUNT": ACCOUNT})
    assert row(told, "bare")["account"] == ACCOUNT
    assert row(told, "named")["account"] == "Z10000017"
    assert row(apply(orders, *JSON, "-a", "Z30000033"), "bare")["account"] == "Z30000033"
    nobody = apply(orders, *JSON)
    assert nobody.status == 2
    assert "FT_ACCOUNT" in nobody.err
