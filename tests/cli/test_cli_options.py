"""Options and packages of options from the command line: tickets, questions, and what is placed."""

import json
import re

import pytest
from cli_kit import Run

CALL, HIGHER = "AAPL 2027-03-19 270 C", "AAPL 2027-03-19 280 C"
MARGIN = ("-a", "Z20000025")
SPREAD = ("spread", "--buy", CALL, "--sell", HIGHER, "--debit", "5.90", *MARGIN)


def tokens(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()]


@pytest.mark.parametrize(
    ("words", "action"),
    [
        (("buy",), "BUY TO OPEN"),
        (("buy", "--cover"), "BUY TO CLOSE"),
        (("sell", "--short"), "SELL TO OPEN"),
        (("sell",), "SELL TO CLOSE"),
    ],
)
def test_the_words_for_shares_mean_opening_and_closing_of_options(
    paper: Run, words: tuple[str, ...], action: str
) -> None:
    if action.endswith("CLOSE"):  # there must be something to close
        opening = "buy" if action.startswith("SELL") else "sell"
        short = ["--short"] if opening == "sell" else []
        price = "90" if opening == "buy" else "1"
        assert paper(opening, CALL, "1", "--limit", price, *short, *MARGIN, "--yes").status == 0
    verb, *flags = words
    told = paper(verb, CALL, "1", "--limit", "20", *flags, *MARGIN)
    assert told.status == 0, told.err
    lines = told.out.splitlines()
    assert lines[0] == "PAPER · account Z20000025 Active Trading"
    assert any(line.startswith(f"  {action} 1 AAPL 2027-03-19 270 C") for line in lines)
    assert "  limit 20.00 · day" in lines
    cost = "cost" if action.startswith("BUY") else "proceeds"
    amount = "2,000.65" if cost == "cost" else "1,999.33"  # a sale pays the exchange's fee too
    assert ["Estimated", cost, amount] in tokens(told.out)


def test_an_option_is_placed_by_yes(paper: Run) -> None:
    told = paper("buy", CALL, "2", "--limit", "1.50", *MARGIN, "--yes")
    assert told.status == 0
    assert told.out.startswith("Placed: order ")
    assert told.out.endswith(
        " · BUY TO OPEN 2 AAPL 2027-03-19 270 C · limit 1.50 · day · PAPER account Z20000025\n"
    )
    detail = json.loads(paper("orders", "detail", told.out.split()[2], "-o", "json").out)
    assert detail["orders"][0]["limit_price"] == 1.5


@pytest.mark.parametrize(
    "flags",
    [
        ("--trail", "3%"),
        ("--limit", "5", "--extended"),
        ("--limit", "5", "--take-profit", "8"),
        ("--limit", "5", "--stop-loss", "3"),
        ("--limit", "5", "--tif", "ioc"),
    ],
)
def test_what_options_do_not_have_is_named(paper: Run, flags: tuple[str, ...]) -> None:
    told = paper("buy", CALL, "1", *flags, *MARGIN)
    assert told.status == 2
    assert "[VALIDATION_ERROR]" in told.err
    assert (
        flags[-2].lstrip("-") in told.err or flags[-1].lstrip("-") in told.err or "time_in_force" in told.err
    )


def test_half_a_contract_is_an_error(paper: Run) -> None:
    told = paper("buy", CALL, "1.5", "--limit", "5", *MARGIN)
    assert told.status == 2
    assert "quantity" in told.err


def test_the_ticket_of_a_package_shows_legs_price_gain_loss_and_break_even(paper: Run) -> None:
    told = paper(*SPREAD)
    assert told.status == 0, told.err
    lines = told.out.splitlines()
    assert lines[0] == "PAPER · account Z20000025 Active Trading"
    buying, selling = (line.split() for line in lines[2:4])
    assert buying[:8] == ["BUY", "TO", "OPEN", "1", "AAPL", "2027-03-19", "270", "C"]
    assert selling[:8] == ["SELL", "TO", "OPEN", "1", "AAPL", "2027-03-19", "280", "C"]
    assert buying[8::2] == ["last", "bid", "ask"]
    assert "  2 legs · net debit 5.90 · day" in lines
    found = tokens(told.out)
    for row in (
        ["Order", "value", "590.00"],
        ["Commission", "1.30"],
        ["Estimated", "cost", "591.30"],
        ["Max", "gain", "410.00"],
        ["Max", "loss", "590.00"],
        ["Break-even", "275.90"],
    ):
        assert row in found
    assert "Add --yes" in told.err


def test_packages_ratios_and_unlimited_loss(paper: Run) -> None:
    told = paper(
        "spread", "--buy", CALL, "--sell", f"2x {HIGHER}", "--credit", "10.70", "--quantity", "2", *MARGIN
    )
    assert told.status == 0, told.err
    found = tokens(told.out)
    assert found[2][:4] == ["BUY", "TO", "OPEN", "2"]
    assert found[3][:4] == ["SELL", "TO", "OPEN", "4"]
    for row in (
        ["Max", "gain", "4,140.00"],
        ["Max", "loss", "unlimited"],
        ["Break-even", "300.70"],
        ["Estimated", "proceeds", "2,136.10"],
    ):
        assert row in found


def amounts(text: str) -> dict[str, float]:
    """The figures of a ticket, by their names."""
    lines = [line.rsplit(maxsplit=1) for line in text.splitlines() if re.fullmatch(r"  \w.* [\d,.]+", line)]
    return {name.strip(): float(figure.replace(",", "")) for name, figure in lines}


@pytest.mark.parametrize(
    ("legs", "takes"),
    [
        # A share bought at the strike in any case: the put sold may cost all of it.
        (("AAPL270115C270 buy_to_open", "AAPL270115P270 sell_to_open"), 27_000 + 1.30),
        (("AAPL270115C280 buy_to_open", "AAPL270115C290 sell_to_open"), 1.30),
        # Of unlimited loss: what it ties up, only the broker knows.
        (("AAPL270115C280 sell_to_open", "AAPL270115P280 buy_to_open"), None),
        # Only bought, or closed: nothing but the commission.
        (("AAPL270115C280 buy_to_open", "AAPL270115P280 buy_to_open"), 1.30),
    ],
)
def test_a_package_at_even_costs_its_commission(
    legs: tuple[str, str], takes: float | None, paper: Run
) -> None:
    words = [
        word
        for symbol, action in map(str.split, legs)
        for word in ("--legs", f"symbol={symbol},action={action}")
    ]
    told = paper("orders", "options", "preview", *words, "--direction", "even", "--net-price", "0", *MARGIN)
    assert told.status == 0, told.err
    found = amounts(told.out)
    assert "Estimated proceeds" not in told.out
    assert found["Order value"] == 0
    assert found["Even, estimated cost"] == found["Commission"] == 1.30
    after = None if takes is None else round(found["Buying power"] - takes, 2)
    assert found.get("After this order") == after


def test_legs_of_different_days_have_no_payoff(paper: Run) -> None:
    told = paper("spread", "--sell", "AAPL 2027-01-15 270 C", "--buy", CALL, "--debit", "5", *MARGIN)
    assert told.status == 0, told.err
    assert "Max gain" not in told.out


def test_a_package_is_placed_once_by_yes_and_closed_again(paper: Run) -> None:
    opened = paper(*SPREAD, "--idempotency-key", "spread-1", "--yes")
    assert opened.status == 0, opened.err
    number = opened.out.split()[2]
    assert opened.out == f"Placed: order {number} · 2 legs · net debit 5.90 · day · PAPER account Z20000025\n"
    again = paper(*SPREAD, "--idempotency-key", "spread-1", "--yes", "-o", "json")
    assert json.loads(again.out)["conf_num"] == number
    # In words too it is the order that was placed, not the preview that went before the repeat.
    repeated = paper(*SPREAD, "--idempotency-key", "spread-1", "--yes")
    assert repeated.out == opened.out
    assert f"orders detail {number}" in repeated.err
    closing = paper("spread", "--sell-to-close", CALL, "--buy-to-close", HIGHER, "--credit", "3", *MARGIN)
    assert closing.status == 0, closing.err
    assert "BUY TO CLOSE 1 AAPL 2027-03-19 280 C" in closing.out


def test_the_question_comes_with_the_ticket(paper: Run) -> None:
    told = paper(*SPREAD, tty=True, stdin="n\n")
    assert "Max loss" in told.err
    assert "Place this order in the PAPER account Z20000025? [y/N]" in told.err
    assert "Not placed." in told.err


@pytest.mark.parametrize(
    ("line", "named"),
    [
        (("--buy", CALL, "--sell", HIGHER), "--debit"),
        (("--buy", CALL, "--sell", HIGHER, "--debit", "5", "--credit", "5"), "--debit"),
        (("--buy", CALL, "--debit", "5"), "legs"),
        (("--buy", CALL, "--sell", CALL, "--debit", "5"), "legs"),
        (("--buy", CALL, "--sell", "AAPL", "--debit", "5"), "symbol"),
        (("--buy", CALL, "--sell", HIGHER, "--debit", "-5"), "net_price"),
        (("--buy", CALL, "--sell", HIGHER, "--debit", "5", "--quantity", "0"), "--quantity"),
    ],
)
def test_what_is_no_package_is_said_before_anything_is_sent(
    paper: Run, line: tuple[str, ...], named: str
) -> None:
    told = paper("spread", *line, *MARGIN)
    assert told.status == 2
    assert named in told.err
    assert told.out == ""


def test_the_preview_command_shows_the_ticket_and_how_to_place_it(paper: Run) -> None:
    told = paper(
        "orders", "options", "preview", *MARGIN,
        "--legs", f"symbol={CALL},action=buy_to_open", "--legs", f"symbol={HIGHER},action=sell_to_open",
        "--direction", "debit", "--net-price", "5.90",
    )  # fmt: skip
    found = tokens(told.out)
    assert ["Max", "loss", "590.00"] in found
    assert found.index(["Max", "loss", "590.00"]) > next(
        i for i, row in enumerate(found) if row[:3] == ["BUY", "TO", "OPEN"]
    )
    number = found[-1][-1]
    assert found[-1] == ["To", "place", "it:", "--conf-num", number]


def test_a_check_says_whether_it_is_allowed_even_without_findings(paper: Run) -> None:
    told = paper(
        "trading",
        "check",
        "--symbol",
        "KO",
        "--action",
        "buy",
        "--quantity",
        "1",
        "--limit-price",
        "60",
        *MARGIN,
    )
    assert ["Allowed", "yes"] in tokens(told.out)
    assert "No findings." in told.err
