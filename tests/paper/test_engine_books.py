"""What the account calls show: the identities of protocol 01 §4 on the seeded accounts and after trading."""

from collections import Counter
from datetime import date, datetime, timedelta

import pytest
from engine_kit import (
    CASH,
    FUTURE,
    MARGIN,
    NOON,
    PAST,
    ROTH,
    Bench,
    market,
    money,
    option,
    shares,
)
from test_engine_options import near

from ftcli.clock import NEW_YORK
from ftcli.errors import NotFound
from ftcli.paper.engine import Engine
from ftcli.paper.history import CATEGORIES
from ftcli.paper.instruments import find
from ftcli.paper.records import ZERO
from ftcli.paper.state import State

MANAGEMENT = "Z30000033"
BROKERAGE = [MANAGEMENT, CASH, MARGIN, ROTH]


def traded(bench: Bench) -> Bench:
    """A day of all sorts of trades."""
    bench.placed(shares("B", "COST", 3))
    bench.placed(shares("S", "MSFT", 15))
    bench.placed(shares("SH", "PEP", 40))
    bench.placed(shares("B", "KO", "0.5", account=CASH))
    bench.placed(option("buy", near(bench, "AAPL", "P", "0.95"), 1))
    bench.placed(option("sell", near(bench, "MSFT", "P", "0.90"), 1))
    bench.placed(shares("B", "JPM", 10, limit=bench.ask("JPM") - 9))
    bench.go(timedelta(hours=2))
    return bench


@pytest.fixture(params=["seeded", "traded", "next day", "weekend"])
def bench(request: pytest.FixtureRequest) -> Bench:
    found = Bench()
    if request.param != "seeded":
        traded(found)
    if request.param == "next day":
        found.go(timedelta(days=1))
    if request.param == "weekend":
        found.go(datetime(2026, 11, 28, 12, 0, tzinfo=NEW_YORK))
    return found


def test_position_identities(bench: Bench) -> None:
    portfolio = bench.engine.positions(BROKERAGE)
    for account in portfolio.accounts:
        rows = account.positions
        assert rows[0].kind == "core"
        assert rows[0].total_gain == rows[0].market_value == rows[0].quantity
        for row in rows:
            assert row.total_gain == row.market_value - row.cost_basis
            assert row.todays_gain == row.market_value - row.previous_market_value
            if row.last is not None:
                assert abs(row.market_value - row.quantity * row.multiplier * row.last) <= money("0.005")
            if row.last is not None and row.prev_close is not None:
                assert row.change == row.last - row.prev_close
        assert account.cost_basis + account.total_gain == sum(row.market_value for row in rows)
        assert account.todays_gain == sum(row.todays_gain for row in rows)
        balances = bench.engine.balances(account.account).recent
        assert account.market_value == balances.net_worth
        assert abs(sum(row.holding_pct for row in rows) - 100) < 40
    assert portfolio.value == sum(account.market_value for account in portfolio.accounts)
    assert portfolio.total_gain == sum(account.total_gain for account in portfolio.accounts)
    assert portfolio.position_count == sum(len(account.positions) for account in portfolio.accounts)


def test_balance_identities(bench: Bench) -> None:
    for account in BROKERAGE:
        balances = bench.engine.balances(account)
        for snapshot in (balances.recent, balances.intraday, balances.close):
            short = snapshot.short_credit
            assert short == -snapshot.held_in_short
            parts = snapshot.market_value + snapshot.core + snapshot.unsettled_deposit
            assert snapshot.net_worth == parts + snapshot.credit_debit + short
            assert snapshot.cash_buying_power >= 0
            assert snapshot.withdrawable_cash <= snapshot.settled <= snapshot.core
            margin = snapshot.margin
            assert (margin is not None) == (account == MARGIN)
            if margin is None:
                assert snapshot.equity_pct == 100
                continue
            assert margin.equity == margin.held_in_margin + margin.credit_debit
            assert snapshot.equity_pct == margin.equity_pct
            assert snapshot.net_market_value == margin.held_in_margin + snapshot.held_in_options - short
            assert abs(margin.buying_power * 3 / 10 - margin.non_margin_buying_power) <= money("0.01")
            assert margin.corporate_bond_buying_power == margin.non_margin_buying_power * 4
            assert margin.municipal_bond_buying_power == margin.non_margin_buying_power * 5
            assert margin.government_bond_buying_power == margin.non_margin_buying_power * 10
        flows = sum(
            line.net
            for line in bench.engine.transactions(account, NOON.date(), bench.moment.date())
            if line.external and line.time > balances.close.as_of
        )
        worth = balances.recent.net_worth - balances.close.net_worth - flows
        assert balances.net_worth_change == worth


def test_day_change_without_trades_is_the_positions_change() -> None:
    bench = Bench()
    bench.go(timedelta(days=1))
    for account in BROKERAGE:
        (rows,) = bench.engine.positions([account]).accounts
        balances = bench.engine.balances(account)
        assert balances.net_worth_change == rows.todays_gain
        assert not balances.has_intraday_activity or account == MANAGEMENT


def test_close_snapshot_undoes_the_days_trades() -> None:
    """Net worth at the last close is the same whatever is traded afterwards."""
    quiet, busy = Bench(), traded(Bench())
    quiet.go(busy.moment)
    for account in BROKERAGE:
        assert busy.engine.balances(account).close.net_worth == quiet.engine.balances(account).close.net_worth


def test_lots_add_up_to_the_position(bench: Bench) -> None:
    for account in bench.engine.positions(BROKERAGE).accounts:
        for row in account.positions:
            if row.kind == "core":
                continue
            lots = bench.engine.lots(account.account, row.symbol)
            assert sum(lot.quantity for lot in lots) == row.quantity
            assert sum(lot.cost_basis for lot in lots) == row.cost_basis
            assert sum(lot.gain for lot in lots) == row.total_gain
            assert [lot.sequence for lot in lots] == list(range(1, len(lots) + 1))
            assert sorted(lots, key=lambda lot: lot.lot_id[:5]) == list(lots) or any(
                lot.wash_sale for lot in lots
            )


def test_option_summary_adds_up(bench: Bench) -> None:
    summary = bench.engine.option_summary(MARGIN)
    (rows,) = bench.engine.positions([MARGIN]).accounts
    options = [row for row in rows.positions if row.kind == "option"]
    pairs = [pair for _, group in summary.groups for pair in group]
    legs = [leg for pair in pairs for leg in pair.legs]
    assert sum(leg.market_value for leg in legs) == summary.option_value
    assert summary.option_value == sum(row.market_value for row in options)
    assert summary.option_cost == sum(row.cost_basis for row in options)
    assert bench.engine.balances(MARGIN).recent.held_in_options == summary.option_value
    assert summary.account_value == sum(row.market_value for row in rows.positions[1:])
    held: Counter[str] = Counter()
    for leg in legs:
        held[leg.symbol] += int(leg.quantity) if leg.buys else -int(leg.quantity)
    assert dict(held) == {row.symbol: int(row.quantity) for row in options}
    assert "Debit Spread" in {pair.name for pair in pairs}
    assert [day for day, _ in summary.groups] == sorted(day for day, _ in summary.groups)


def test_closed_positions_agree_with_their_lots_and_sales(bench: Bench) -> None:
    for account in BROKERAGE:
        closed = bench.engine.closed_positions(account, PAST, FUTURE)
        assert closed.proceeds == sum(row.proceeds for row in closed.positions)
        assert closed.total.total == closed.total.gains + closed.total.losses
        assert closed.total.total == closed.proceeds - closed.cost_basis
        history = {line.transaction_id: line for line in bench.engine.transactions(account, PAST, FUTURE)}
        for row in closed.positions:
            lots = bench.engine.closed_lots(account, row.symbol, PAST, FUTURE)
            assert tuple(lots) == row.lots
            assert row.cost_basis == row.unadjusted_cost_basis - row.disallowed
            assert row.total.total == row.proceeds - row.cost_basis
            for sale in {lot.transaction for lot in lots if not lot.short}:
                amount = sum(lot.proceeds for lot in lots if lot.transaction == sale)
                assert amount == history[sale].net


def test_history_explains_every_dollar(bench: Bench) -> None:
    for account in BROKERAGE:
        assert bench.cash_like(account) == bench.history_net(account)
        for line in bench.engine.transactions(account, PAST, FUTURE):
            assert line.category in CATEGORIES
            if line.holding is not None:
                assert line.net == line.principal - line.commission - line.fees
                assert line.text.endswith(f"({line.holding.text})")


# -- seeding ---------------------------------------------------------------------------------------------


def test_seed_is_a_pure_function() -> None:
    def dump(seed: int, now: datetime) -> list[str]:
        with State(":memory:") as state:
            Engine(state, market(7, True), lambda: now, seed=seed).advance()
            return list(state._connection.iterdump())

    assert dump(1, NOON) == dump(1, NOON)
    assert dump(1, NOON) != dump(2, NOON)
    assert dump(1, NOON) != dump(1, NOON + timedelta(days=1))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(
    "now",
    [
        datetime(2026, 11, 28, 3, 0, tzinfo=NEW_YORK),
        datetime(2027, 1, 4, 9, 30, tzinfo=NEW_YORK),
        datetime(2026, 7, 3, 18, 0, tzinfo=NEW_YORK),
    ],
)
def test_seeded_world_has_all_that_a_demo_needs(seed: int, now: datetime) -> None:
    bench = Bench(now, seed=seed)
    accounts = bench.engine.accounts()
    assert [account.number for account in accounts] == ["77012", MANAGEMENT, CASH, MARGIN, ROTH]
    assert accounts[0].plan is not None
    kinds = {row.kind for account in bench.engine.positions(BROKERAGE).accounts for row in account.positions}
    assert kinds == {"core", "equity", "etf", "fund", "option"}
    margin = bench.world().lots.totals(MARGIN)
    assert any(holding.quantity < 0 and find(symbol).kind == "equity" for symbol, holding in margin.items())  # type: ignore[union-attr]
    terms = {lot.term for symbol in margin for lot in bench.engine.lots(MARGIN, symbol)}
    assert terms == {"Long", "Short"}
    closed = bench.engine.closed_positions(MARGIN, PAST, FUTURE)
    assert closed.total.disallowed > 0
    assert len(bench.engine.orders(MARGIN)) == 2
    assert all(entry.cancelable for entry in bench.engine.orders(MARGIN))
    year = bench.engine.transactions(MARGIN, now.date() - timedelta(days=365), now.date())
    assert {"buy", "sell", "dividend", "interest"} <= {line.category for line in year}
    assert any(line.category == "deposit" for line in bench.engine.transactions(MANAGEMENT, PAST, FUTURE))
    balances = bench.engine.balances(MANAGEMENT).recent
    assert balances.unsettled_deposit == 1500
    assert all(bench.engine.balances(account).recent.core > 500 for account in BROKERAGE)
    assert bench.engine.balances(MARGIN).recent.margin.house_surplus > 20_000  # type: ignore[union-attr]
    assert bench.engine.events(0) == []


def test_deposit_is_swept_into_the_core() -> None:
    bench = Bench()
    core = bench.engine.balances(MANAGEMENT).recent.core
    worth = bench.value(MANAGEMENT)
    bench.go(timedelta(days=1))
    after = bench.engine.balances(MANAGEMENT).recent
    assert (after.core, after.unsettled_deposit) == (core + 1500, 0)
    assert after.net_worth == worth


def test_loans_and_accruals() -> None:
    bench = Bench()
    first, ended = bench.engine.loans(MARGIN)
    assert first.value == 20 * bench.last("QQQ")
    assert bench.engine.balances(MARGIN).recent.loaned_value == first.value
    assert first.prior_day == round(first.value * first.rate / 36000, 2)
    assert (ended.active, ended.quantity) == (False, 0)
    assert ended.month_to_date > 0
    (borrow,) = [line for line in bench.engine.accruals(MARGIN) if line.code == "SHORT"]
    assert borrow.balance == -200 * bench.last("SPCE")
    assert borrow.prior_day < 0
    (earned,) = bench.engine.cash_accruals(ROTH)
    assert earned.balance == bench.engine.balances(ROTH).recent.core


def test_unknown_accounts_are_not_found() -> None:
    engine = Bench().engine
    for call in (engine.balances, engine.option_summary, engine.loans, engine.account):
        with pytest.raises(NotFound):
            call("Z00000000")
    with pytest.raises(NotFound):
        engine.positions(["77012"])
    assert engine.orders("Z00000000") == []
    assert engine.transactions("Z00000000", PAST, FUTURE) == []
    assert engine.lots(MARGIN, "NOSUCH") == ()


def test_clock_set_back_counts_as_standing_still() -> None:
    bench = Bench()
    number = bench.placed(shares("B", "KO", 5, limit="50"))
    bench.moment = NOON - timedelta(days=3)
    assert bench.engine.now() == NOON
    later = bench.placed(shares("B", "KO", 5))
    assert bench.order(later).entered == NOON
    assert bench.order(number).status.value == "OPEN"


def test_cash_type_shares_in_a_margin_account_carry_no_loan() -> None:
    from ftcli.paper.codes import Holding

    bench = Bench()
    before = bench.engine.balances(MARGIN).recent
    bench.placed(shares("B", "KO", 100, holding=Holding.CASH))
    after = bench.engine.balances(MARGIN).recent
    assert after.held_in_cash == 100 * bench.last("KO")
    assert after.margin is not None
    assert before.margin is not None
    assert after.margin.held_in_margin == before.margin.held_in_margin
    assert after.margin.house_requirement == before.margin.house_requirement
    core = after.core
    fits = int(core / bench.ask("KO"))
    assert bench.refusal(shares("B", "KO", fits + 1, holding=Holding.CASH)) == "SIM210"


def test_year_of_days() -> None:
    """A year passes: nothing breaks, books stay consistent, options are gone."""
    bench = traded(Bench())
    for _ in range(26):
        bench.go(timedelta(days=14))
        for account in BROKERAGE:
            assert bench.cash_like(account) == bench.history_net(account)
    assert not any(find(symbol).is_option for symbol in bench.world().lots.totals(MARGIN))  # type: ignore[union-attr]
    assert date(2027, 11, 23) == bench.moment.date()
    assert bench.engine.balances(MARGIN).recent.held_in_options == ZERO
