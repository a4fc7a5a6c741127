"""Order files: what a run may place after what, what its report says, and limits over the whole file."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from cli_kit import Meanwhile, Outcome, Run, terminal

from ftcli.cli.entry import run

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


def test_ctrl_c_at_the_question_ends_it_at_once(
    paper: Run, apply: Callable[..., Outcome], environ: dict[str, str], tmp_path: Path
) -> None:
    before = count(paper)
    apply(order("a"))  # writes the file
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "ftcli", "orders", "apply", str(tmp_path / "orders.toml")],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={"PATH": os.environ["PATH"], **environ},
    )
    try:
        said = b""
        while b"[y/N]" not in said:
            said += os.read(ours, 4096)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=10) == 130, "nobody has pressed Enter"
    finally:
        process.kill()
        process.wait()
        os.close(ours)
        os.close(theirs)
    assert count(paper) == before


# -- two commands with one file ----------------------------------------------------------------------------


def yes_after(happens: Callable[[], object], file: Path, environ: dict[str, str], *flags: str) -> Outcome:
    screen = terminal(environ=environ, tty=True)
    screen.stdin = Meanwhile(happens)
    status = run(["orders", "apply", str(file), *flags, *JSON], screen)
    return Outcome(status, screen.stdout.data, screen.stderr.data.decode())  # type: ignore[attr-defined]


def test_what_another_command_placed_meanwhile_is_shown_as_it_was_placed(
    apply: Callable[..., Outcome], environ: dict[str, str], tmp_path: Path
) -> None:
    apply(order("a") + order("b"))  # writes the file
    with ThreadPoolExecutor(1) as other:
        first: list[Outcome] = []
        told = yes_after(
            lambda: first.append(other.submit(apply, order("a"), *PLACE).result()),
            tmp_path / "orders.toml",
            environ,
        )
    assert outcomes(first[0]) == {"a": "placed"}
    assert outcomes(told) == {"a": "already placed", "b": "placed"}
    assert row(told, "a")["conf_nums"] == row(first[0], "a")["conf_nums"]
    assert row(told, "a")["cost"] is None
    assert report(told)["cost"] == 60
    assert told.status == 0


def test_what_another_command_is_placing_right_now_is_unknown(
    paper: Run, apply: Callable[..., Outcome], environ: dict[str, str], tmp_path: Path
) -> None:
    apply(order("a") + order("b"))
    before = count(paper)
    with ThreadPoolExecutor(2) as others:
        placing: list[Future[Outcome]] = []

        def begin() -> None:
            others.submit(paper, "paper", "fault", "set", "slow=3", "paths=equity/place").result()
            placing.append(others.submit(apply, order("a"), *PLACE))
            sending = ("orders", "journal", "list", "--state", "sending", *JSON)
            while not json.loads(others.submit(paper, *sending).result().out)["entries"]:
                assert not placing[0].done()

        told = yes_after(begin, tmp_path / "orders.toml", environ, "--keep-going")
        first = placing[0].result()
    assert outcomes(told) == {"a": "unknown", "b": "not sent"}
    assert row(told, "a")["message"] == "another command is placing it now"
    assert row(told, "a")["conf_nums"] == row(first, "a")["conf_nums"]
    assert told.status == 7
    assert count(paper) == before + 1


# -- names ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["core ", " core", "", "a\\tb", "n" * 61])
def test_a_name_is_one_that_cannot_be_taken_for_another(apply: Callable[..., Outcome], name: str) -> None:
    told = apply(order("core") + order(name), *PLACE)
    assert told.status == 2
    problem = json.loads(told.err)
    assert problem["details"]["field"] == "name"
    assert "no blank at its ends" in problem["message"]


def test_a_batch_and_a_name_make_a_key_of_their_own(paper: Run, tmp_path: Path) -> None:
    file = tmp_path / "orders.toml"

    def place(batch: str, name: str) -> Outcome:
        file.write_text(f'batch = "{batch}"\n{order(name)}')
        told: Outcome = paper("orders", "apply", str(file), *PLACE)
        return told

    assert outcomes(place("a", "b:c")) == {"b:c": "placed"}
    assert outcomes(place("a", "b:c")) == {"b:c": "already placed"}
    told = place("a:b", "c")
    assert told.status == 2
    assert json.loads(told.err)["details"]["field"] == "batch"


def test_one_name_for_two_orders_is_refused(apply: Callable[..., Outcome]) -> None:
    told = apply(order("a") + order("b") + order("a"), *JSON)
    assert told.status == 2
    assert "name: 'a' given, but it must differ from order to order" in told.err


def test_everything_wrong_with_a_file_is_told_at_once(apply: Callable[..., Outcome]) -> None:
    orders = (
        order("a", action="buyy")
        + order("fine")
        + order("b", -1)
        + order("a", 0)
        + "[[option]]\n[[group]]\ncondition = 'oto'\norders = [5]"
    )
    told = apply(orders)
    assert told.status == 2
    first, *lines = told.err.splitlines()
    assert first == "Error: 5 orders of the file are not right."
    places = ["a", "b", "order-4", "option-1", "group-1"]
    assert [line.split(":")[0].strip() for line in lines] == places
    assert "Did you mean buy?" in lines[0]
    details = json.loads(apply(orders, *JSON).err)["details"]
    assert (details["field"], details["value"]) == ("action", "buyy")
    assert list(details["orders"]) == places


@pytest.mark.parametrize("text", ["order = [1]", "order = 3", '[order]\nname = "a"', 'account = "Z2"', ""])
def test_what_is_no_order_is_an_error(apply: Callable[..., Outcome], text: str) -> None:
    told = apply(text)
    assert told.status == 2
    assert "[[order]]" in told.err


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


BUY, BUY_MORE = ("buy", "limit", 200), ("buy", "limit", 240)
SELL, STOP = ("sell", "limit", 350), ("sell", "stop", 150)


def group(name: str, condition: str, *parts: tuple[str, str, int]) -> str:
    """A conditional group of orders for one share of AAPL: action, price field, price."""
    legs = "".join(
        f'[[group.orders]]\naccount = "{ACCOUNT}"\nsymbol = "AAPL"\naction = "{action}"\nquantity = 1\n'
        f'order_type = "{kind}"\n{kind}_price = {price}\n'
        for action, kind, price in parts
    )
    return f'[[group]]\nname = "{name}"\ncondition = "{condition}"\n{legs}'


def test_a_plan_shows_the_brokers_warnings(apply: Callable[..., Outcome]) -> None:
    guarded = group("guarded", "oto", BUY, STOP)
    warning = "warning: (001924) A stop order is released by a qualifying trade or quote."
    assert row(apply(guarded, *JSON), "guarded")["warnings"] == [warning]
    assert f"guarded: {warning}" in apply(guarded).out


@pytest.mark.parametrize(
    ("condition", "parts", "cost", "proceeds"),
    [
        ("oto", (BUY, BUY_MORE), 440, 0),  # both may fill
        ("oto", (BUY, SELL), 200, 0),  # the exit may never come
        ("oto", (SELL, BUY_MORE), 240, 350),
        ("oco", (BUY, BUY_MORE), 240, 0),  # one of them fills
        ("oco", (BUY_MORE, SELL), 240, 0),
        ("oco", (SELL, STOP), 0, 150),
        ("otoco", (BUY, SELL, STOP), 200, 0),
        ("otoco", (BUY, BUY_MORE, SELL), 440, 0),
    ],
)
def test_a_group_costs_what_its_orders_may_cost_together(
    apply: Callable[..., Outcome],
    condition: str,
    parts: tuple[tuple[str, str, int], ...],
    cost: int,
    proceeds: int,
) -> None:
    told = report(apply(group("g", condition, *parts), *JSON))
    assert told["orders"][0]["outcome"] == "planned", told["orders"][0]["message"]
    assert (told["cost"], told["proceeds"], told["total"]) == (cost, proceeds, cost - proceeds)
    assert told["orders"][0]["cost"] == cost - proceeds


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
