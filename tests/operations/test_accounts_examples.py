"""What the accounts operations make of the protocol's example documents."""

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from accounts_calls import BILLS, CALLS, CASH, MARGIN, reads
from accounts_kit import example

from ftcli.models.lots import Term
from ftcli.models.option_holdings import Moneyness, Right, Side

D = Decimal
NEW_YORK = ZoneInfo("America/New_York")


async def answer_of(folder: Path, name: str) -> Any:
    call = CALLS[name]
    answer = (await reads(folder, call, example(call.file)))[0]
    assert not isinstance(answer, Exception), answer
    return answer


async def test_transactions_example(tmp_path: Path) -> None:
    answer = await answer_of(tmp_path, "transactions")
    assert (answer.account, answer.as_of) == (MARGIN, date(2026, 5, 13))
    assert answer.next_cursor is None
    bought, written = answer.transactions
    assert (bought.symbol, bought.kind, bought.action) == ("ACME", "Buy", "YOU BOUGHT")
    assert (bought.quantity, bought.price, bought.principal, bought.amount) == (
        5,
        D("82.47"),
        D("-412.35"),
        D("-412.35"),
    )
    assert (bought.traded, bought.posted, bought.settles) == (
        date(2026, 5, 12),
        date(2026, 5, 12),
        date(2026, 5, 13),
    )
    assert (bought.account_type, bought.account_type_code, bought.is_cancelled) == ("Margin", "2", False)
    assert (bought.type_code, bought.category_code, bought.sub_category_code) == ("ST", "IA", "BY")
    assert (bought.security_type, bought.security_type_code, bought.cusip) == ("Equity", "E", "00499A104")
    assert (written.symbol, written.quantity) == ("ACME260717C100", -3)
    assert (written.option_root, written.expiration, written.strike, written.right) == (
        "ACME",
        date(2026, 7, 17),
        100,
        "C",
    )
    assert written.amount == written.principal - written.commission - written.fees == D("585.96")
    assert written.interest == 0


async def test_a_cash_entry_has_no_security(tmp_path: Path) -> None:
    document = example("transactions")
    document["acctDetails"] = document["acctDetails"][1:]
    document["acctDetails"][0]["acctNum"] = MARGIN
    answer = (await reads(tmp_path, CALLS["transactions"], document))[0]
    (deposit,) = answer.transactions
    assert (deposit.kind, deposit.amount, deposit.quantity) == ("Direct Deposit", 1500, 0)
    assert (deposit.symbol, deposit.settles, deposit.account_type, deposit.security_name) == (
        None,
        None,
        None,
        None,
    )
    assert deposit.is_quotable is False


async def test_options_summary_example(tmp_path: Path) -> None:
    answer = await answer_of(tmp_path, "options_summary")
    assert answer.account == MARGIN
    assert answer.as_of == datetime(2026, 5, 13, 3, 1, 12, tzinfo=NEW_YORK)
    assert (answer.underlying_count, answer.expiration_count) == (2, 2)
    assert (answer.totals.market_value, answer.totals.cost_basis, answer.totals.gain) == (
        1070,
        D("583.76"),
        D("486.24"),
    )
    assert answer.totals.gain_pct is None
    assert answer.holdings.gain_pct == D("29.04")
    assert [(row.expiration, row.days, row.count, row.gain) for row in answer.expirations] == [
        (date(2026, 7, 17), 65, 1, D("421.92")),
        (date(2026, 12, 18), 219, 1, D("64.32")),
    ]
    spread, single = answer.strategies
    assert (spread.strategy, spread.code, spread.underlying) == ("Debit Spread", "SPREAD", "ACME")
    assert (spread.expiration, spread.days, spread.summary) == (date(2026, 7, 17), 65, "+3 90C -3 100C")
    assert (spread.underlying_last, spread.underlying_previous_close) == (D("84.1"), D("82.6"))
    held, written = spread.legs
    assert (held.side, held.right, held.moneyness) == (Side.LONG, Right.CALL, Moneyness.OUT)
    assert (held.symbol, held.contracts, held.strike, held.deliverable) == ("ACME260717C90", 3, 90, 100)
    assert (held.last_price, held.previous_close, held.last_price_change) == (D("4.35"), D("3.9"), D("0.45"))
    assert (written.side, written.market_value, written.gain, written.gain_pct) == (
        Side.SHORT,
        -540,
        D("45.96"),
        D("7.84"),
    )
    assert held.delta is None, "the wire has no Greeks"
    assert (single.legs[0].right, single.legs[0].moneyness, single.summary) == (
        Right.PUT,
        Moneyness.IN,
        "+1 42P",
    )


async def test_an_account_without_options(tmp_path: Path) -> None:
    document = example("option_summary")
    document["optionPairing"]["acctDetails"].reverse()
    document["optionPairing"]["acctDetails"][0]["acctDetail"]["acctNum"] = MARGIN
    document["optionPairing"]["acctDetails"][1] = {"acctNum": "misplaced"}
    answer = (await reads(tmp_path, CALLS["options_summary"], document))[0]
    assert (answer.strategies, answer.expirations, answer.totals, answer.underlying_count) == (
        [],
        [],
        None,
        0,
    )


async def test_closed_positions_example(tmp_path: Path) -> None:
    answer = await answer_of(tmp_path, "closed_positions")
    assert (answer.account, answer.start, answer.end) == (MARGIN, date(2026, 1, 1), date(2026, 5, 14))
    (row,) = answer.positions
    assert (row.symbol, row.quantity, row.proceeds, row.cost_basis) == ("BLUX", 50, D("1402.4"), D("1550.96"))
    assert (row.unadjusted_cost_basis, row.disallowed_loss, row.has_wash_sale) == (1650, D("99.04"), True)
    assert (row.gain, row.long_term_gain, row.short_term_gain) == (D("-148.56"), 0, D("-148.56"))
    assert (row.asset_id, row.short_description, row.today_gain_since_purchase) == ("204982", "BLUE LUX C", 0)
    totals = answer.totals
    assert (totals.losses, totals.gains, totals.disallowed_loss) == (D("-148.56"), 0, D("99.04"))
    assert (totals.unadjusted_losses, totals.unadjusted_gain) == (D("-247.6"), D("-247.6"))
    assert (totals.proceeds, totals.cost_basis, totals.short_term_gain) == (
        D("1402.4"),
        D("1550.96"),
        D("-148.56"),
    )


async def test_closed_lots_example(tmp_path: Path) -> None:
    answer = await answer_of(tmp_path, "closed_lots")
    long, short = answer.lots
    assert (long.term, long.acquired, long.sold) == (Term.LONG, date(2023, 3, 10), date(2026, 3, 18))
    assert (long.quantity, long.proceeds, long.cost_basis, long.gain) == (20, D("1473.7"), 1180, D("293.7"))
    assert (short.term, short.lot_id, short.cost_per_share) == (Term.SHORT, "218809002441", D("65.23"))
    assert answer.totals.gain == long.gain + short.gain == D("378.25")
    assert (answer.count, answer.symbol, answer.description) == (2, "OLDX", "OLDX HOLDINGS INC COM")


async def test_loaned_securities_example(tmp_path: Path) -> None:
    answer = await answer_of(tmp_path, "loaned_securities")
    running, ended = answer.loans
    assert (running.symbol, running.rate, running.value, running.quantity) == ("QZX", D("2.250"), 824, 20)
    assert (running.prior_day, running.month_to_date) == (D("0.05"), D("0.62"))
    assert (ended.symbol, ended.month_to_date) == ("BLUX", D("0.05"))
    assert (ended.rate, ended.value, ended.quantity, ended.prior_day) == (None, None, None, None)
    assert (answer.collateral[0].amount, answer.collateral[0].collateral_id) == (841, "L0C995531")
    assert (answer.totals.prior_day, answer.totals.prior_month) == (D("0.05"), D("1.18"))


async def test_lots_and_tax_lots_examples_agree(tmp_path: Path) -> None:
    lots, offered = await answer_of(tmp_path / "a", "lots"), await answer_of(tmp_path / "b", "tax_lots")
    assert [lot.lot_id for lot in lots.lots] == [lot.lot_id for lot in offered.lots]
    assert [lot.cost_basis for lot in lots.lots] == [lot.cost_basis for lot in offered.lots]
    first, fresh = lots.lots[0], offered.lots[2]
    assert (first.acquired, first.quantity, first.term, first.gain) == (
        date(2024, 11, 4),
        120,
        Term.LONG,
        3480,
    )
    assert (fresh.lot, fresh.acquired, fresh.price, fresh.gain) == (
        3,
        date(2026, 5, 12),
        D("82.47"),
        D("8.15"),
    )
    assert (fresh.selected_quantity, fresh.original_lot_id, fresh.local_cost_basis) == (0, None, "0.0000")
    assert (offered.count, offered.selected_count, offered.is_current, offered.account_type_code) == (
        3,
        0,
        False,
        2,
    )
    assert lots.count == 3


async def test_hard_to_borrow_example(tmp_path: Path) -> None:
    answer = await answer_of(tmp_path, "hard_to_borrow")
    hard, easy = answer.securities
    assert (hard.is_hard_to_borrow, hard.borrow_rate, hard.available) == (True, D("18.250"), 4200)
    assert (easy.is_hard_to_borrow, easy.borrow_rate, easy.available) == (False, None, None)
    assert (hard.rate_date, answer.unknown) == (date(2026, 5, 13), [])


async def test_short_insight_examples(tmp_path: Path) -> None:
    insights = await answer_of(tmp_path / "a", "short_insights")
    series = await answer_of(tmp_path / "b", "short_insights_timeseries")
    (now,), last = insights.securities, series.points[-1]
    assert (now.short_interest, now.previous_short_interest, now.change_pct) == (5120400, 4806100, D("6.54"))
    assert (now.as_of, now.is_hard_to_borrow, now.utilization_pct) == (date(2026, 4, 30), True, D("92.7"))
    assert (last.as_of, last.short_interest, last.days_to_cover) == (
        now.as_of,
        now.short_interest,
        now.days_to_cover,
    )
    assert [point.as_of for point in series.points] == [
        date(2026, 3, 31),
        date(2026, 4, 15),
        date(2026, 4, 30),
    ]
    assert insights.account == series.account == MARGIN


async def test_accrual_examples(tmp_path: Path) -> None:
    charged = await answer_of(tmp_path / "a", "accruals")
    margin, short = charged.accruals
    assert (margin.kind, margin.code, margin.balance, margin.rate) == (
        "Margin Interest",
        "MRGN",
        D("-318.6"),
        D("11.825"),
    )
    assert (short.symbol, short.quantity, short.month_to_date) == ("HTBX", -100, D("-7.8"))
    assert (charged.totals.prior_day, charged.totals.prior_month) == (D("-0.73"), D("-17.02"))
    assert margin.accrued_on == date(2026, 5, 12)
    earned = await answer_of(tmp_path / "b", "cash_accruals")
    assert (earned.accruals[0].currency, earned.accruals[0].symbol) == ("USD", None)
    assert (earned.account, earned.totals.month_to_date) == (BILLS, D("2.81"))


async def test_list_positions_and_balances_examples(tmp_path: Path) -> None:
    accounts = await answer_of(tmp_path / "a", "list")
    assert [row.account for row in accounts.accounts] == ["77012", BILLS, CASH, MARGIN, "240000041"]
    assert (accounts.accounts[0].plan_market_value, accounts.accounts[0].plan_client_id) == (
        D("48210.77"),
        "000098765",
    )
    assert [row.retirement for row in accounts.accounts] == [True, False, False, False, True]
    held = await answer_of(tmp_path / "b", "positions")
    assert (held.count, held.totals.market_value) == (7, D("26895.45"))
    short = held.positions[3]
    assert (short.quantity, short.cost_basis, short.percent_of_account) == (-100, -1500, D("-4.61"))
    balances = await answer_of(tmp_path / "c", "balances")
    assert (balances.is_margin, balances.latest.margin_rate) == (True, D("11.825"))
    assert (balances.close.house_requirement, balances.intraday.margin_equity) == (D("7439.24"), None)
    assert balances.recent.not_in_good_order_reasons == ["RESTRICTION_81"]
