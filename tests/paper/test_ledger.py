"""The ledger alone: lots, cash, closed lots, wash sales; and random bookings that must conserve every cent."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from engine_kit import money
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ftcli.clock import NEW_YORK, market_date
from ftcli.paper.amounts import cents, dollars, four_places, percent, plain, share
from ftcli.paper.codes import Holding
from ftcli.paper.ledger import (
    LotsMissingError,
    Trade,
    add_cash,
    book_cash,
    book_trade,
    is_long_term,
    settle,
    settlement_date,
)
from ftcli.paper.records import ZERO, Account, Cash, LotChoice, Meta
from ftcli.paper.state import State
from ftcli.paper.world import World

START = datetime(2026, 3, 2, 11, 0, tzinfo=NEW_YORK)
ACCOUNT = "Z90000017"
PAST, FUTURE = date(2000, 1, 1), date(2100, 1, 1)


@contextmanager
def books(core: str = "100000", *, margin: bool = True, retirement: bool = False) -> Iterator[World]:
    """A world with one account and some cash."""
    with State(":memory:") as state, state.transaction() as world:
        world.meta = Meta(seed=1, started=START, looked=START)
        world.accounts.put(
            ACCOUNT,
            Account(
                number=ACCOUNT,
                kind="Brokerage",
                sub_type="Brokerage",
                sub_type_text=None,
                name="Test",
                registration="INDIVIDUAL",
                opened=date(2020, 1, 1),
                order=0,
                margin=margin,
                retirement=retirement,
            ),
        )
        world.cash.put(ACCOUNT, Cash(account=ACCOUNT, core=Decimal(core)))
        yield world


def trade(
    buys: bool,
    quantity: str | Decimal,
    price: str | Decimal,
    day: int = 0,
    *,
    symbol: str = "KO",
    opens: bool | None = None,
    holding: Holding = Holding.MARGIN,
    multiplier: int = 1,
    costs: str = "0",
    lots: tuple[LotChoice, ...] = (),
) -> Trade:
    return Trade(
        account=ACCOUNT,
        symbol=symbol,
        description=f"{symbol} INC COM ({symbol})",
        buys=buys,
        opens=buys if opens is None else opens,
        quantity=Decimal(quantity),
        price=Decimal(price),
        time=START + timedelta(days=day),
        holding=holding,
        multiplier=Decimal(multiplier),
        commission=Decimal(costs),
        lots=lots,
    )


def total_cash(world: World) -> Decimal:
    """Core, balance and short proceeds."""
    cash = world.cash[ACCOUNT]
    short = sum(
        (-lot.cost for lot in world.lots if lot.holding is Holding.SHORT),
        ZERO,
    )
    return cash.core + cash.balance + short


# -- money ---------------------------------------------------------------------------------------------


def test_rounding_is_half_up_and_away_from_zero() -> None:
    assert cents(money("0.005")) == money("0.01")
    assert cents(money("-0.005")) == money("-0.01")
    assert cents(money("2.675")) == money("2.68")
    assert four_places(money("1.00005")) == money("1.0001")
    assert percent(money(1), money(-3)) == money("33.33")
    assert percent(money(1), ZERO) == 0
    assert (plain(money("100.00")), plain(money("0.750")), plain(money("1E+3"))) == ("100", "0.75", "1000")
    assert (dollars(money("41.1")), dollars(money("3.2205"))) == ("$41.10", "$3.2205")


@given(
    total=st.decimals("-1e6", "1e6", places=2),
    parts=st.lists(st.integers(1, 500), min_size=1, max_size=12),
)
def test_shares_of_an_amount_add_up(total: Decimal, parts: list[int]) -> None:
    left, whole, found = total, Decimal(sum(parts)), ZERO
    for part in parts:
        piece = share(left, Decimal(part), whole)
        found += piece
        left, whole = left - piece, whole - part
    assert found == total
    assert left == 0


def test_term_changes_the_day_after_the_anniversary() -> None:
    assert not is_long_term(date(2025, 3, 2), date(2026, 3, 2))
    assert is_long_term(date(2025, 3, 2), date(2026, 3, 3))
    assert not is_long_term(date(2024, 2, 29), date(2025, 2, 28))
    assert is_long_term(date(2024, 2, 29), date(2025, 3, 1))


# -- lots ---------------------------------------------------------------------------------------------------


def test_sales_take_the_oldest_lots_first() -> None:
    with books() as world:
        book_trade(world, trade(True, "10", "50"))
        book_trade(world, trade(True, "10", "60", 1))
        booking = book_trade(world, trade(False, "15", "70", 2))
        assert [(lot.quantity, lot.cost, lot.gain) for lot in booking.closed] == [
            (10, 500, 200),
            (5, 300, 50),
        ]
        assert sum(lot.proceeds for lot in booking.closed) == booking.transaction.net == 1050
        (left,) = world.lots.of(ACCOUNT, "KO")
        assert (left.quantity, left.cost) == (5, 300)
        assert len(left.lot_id) == 12
        assert left.lot_id.isdigit()


def test_costs_are_part_of_the_basis_and_of_the_proceeds() -> None:
    with books() as world:
        symbol = "KO260619C60"
        bought = trade(True, "3", "3.10", symbol=symbol, multiplier=100, costs="2.01")
        assert bought.net == money("-932.01")
        book_trade(world, bought)
        sold = trade(False, "3", "4.00", 5, symbol=symbol, opens=False, multiplier=100, costs="2.01")
        (closed,) = book_trade(world, sold).closed
        assert (closed.proceeds, closed.cost) == (money("1197.99"), money("932.01"))


def test_written_options_and_short_shares() -> None:
    with books() as world:
        written = trade(False, "2", "1.50", symbol="KO260619P50", opens=True, multiplier=100, costs="1.34")
        book_trade(world, written)
        assert world.cash[ACCOUNT].core == money("100298.66")  # premium is cash at once
        bought = trade(True, "2", "0.50", 3, symbol="KO260619P50", opens=False, multiplier=100, costs="1.34")
        (closed,) = book_trade(world, bought).closed
        assert (closed.gain, closed.term, closed.short) == (money("197.32"), "Short", True)
        core = world.cash[ACCOUNT].core
        book_trade(world, trade(False, "100", "15", opens=True, holding=Holding.SHORT))
        assert world.cash[ACCOUNT].core == core  # proceeds stay in the short account
        (lot,) = world.lots.of(ACCOUNT, "KO")
        assert (lot.quantity, lot.cost) == (-100, -1500)
        book_trade(world, trade(True, "40", "12", 1, opens=False, holding=Holding.SHORT))
        assert world.cash[ACCOUNT].core == core + 40 * 3


def test_closing_more_than_there_is_books_nothing() -> None:
    with books() as world:
        book_trade(world, trade(True, "10", "50"))
        with pytest.raises(LotsMissingError):
            book_trade(world, trade(False, "11", "50", 1))
        assert world.lots.quantity(ACCOUNT, "KO") == 10
        assert len(world.transactions(ACCOUNT, PAST, FUTURE)) == 1


def test_cash_goes_to_the_core_after_a_debit_is_paid() -> None:
    with books("1000") as world:
        add_cash(world, ACCOUNT, money("-1500"))
        cash = world.cash[ACCOUNT]
        assert (cash.core, cash.balance) == (0, -500)
        add_cash(world, ACCOUNT, money(700))
        cash = world.cash[ACCOUNT]
        assert (cash.core, cash.balance) == (200, 0)


def test_proceeds_settle_on_the_next_trading_day() -> None:
    assert settlement_date(date(2026, 11, 25)) == date(2026, 11, 27)  # over Thanksgiving
    with books("1000") as world:
        book_trade(world, trade(True, "10", "50"))
        book_trade(world, trade(False, "10", "60"))
        (item,) = world.cash[ACCOUNT].settlements
        assert (item.amount, item.settles) == (600, date(2026, 3, 3))
        settle(world, ACCOUNT, date(2026, 3, 2))
        assert world.cash[ACCOUNT].settlements
        settle(world, ACCOUNT, date(2026, 3, 3))
        assert not world.cash[ACCOUNT].settlements


# -- wash sales ------------------------------------------------------------------------------------------------


def test_loss_replaced_afterwards_is_disallowed() -> None:
    with books() as world:
        book_trade(world, trade(True, "90", "30"))
        (sold,) = book_trade(world, trade(False, "90", "25", 20)).closed
        assert sold.gain == -450
        booking = book_trade(world, trade(True, "45", "26", 50))
        (adjusted,) = booking.wash_sales
        assert (adjusted.disallowed, adjusted.gain, adjusted.unadjusted_gain) == (225, -225, -450)
        assert adjusted.cost == adjusted.unadjusted_cost - adjusted.disallowed
        (lot,) = world.lots.of(ACCOUNT, "KO")
        assert (lot.cost, lot.wash_adjustment) == (45 * 26 + 225, 225)
        assert lot.acquired == market_date(START) + timedelta(days=50 - 20)
        assert not book_trade(world, trade(True, "90", "26", 51)).wash_sales  # 31 days after the sale


def test_loss_with_shares_bought_before_is_disallowed_once() -> None:
    with books() as world:
        book_trade(world, trade(True, "100", "30"))
        book_trade(world, trade(True, "40", "28", 10))
        first = trade(False, "100", "20", 20)
        (sold,) = book_trade(world, first).closed
        assert (sold.disallowed, sold.wash_matched) == (400, 40)
        (lot,) = world.lots.of(ACCOUNT, "KO")
        assert lot.replacement
        (again,) = book_trade(world, trade(False, "40", "20", 21)).closed
        assert again.unadjusted_cost == 40 * 28 + 400
        assert again.disallowed == 0


def test_partly_replaced_lot_is_split() -> None:
    with books() as world:
        book_trade(world, trade(True, "10", "30"))
        book_trade(world, trade(False, "10", "20", 1))
        book_trade(world, trade(True, "25", "21", 2))
        lots = {lot.quantity: lot for lot in world.lots.of(ACCOUNT, "KO")}
        assert lots[money(10)].cost == 210 + 100
        assert lots[money(15)].cost == 315
        assert lots[money(15)].acquired > lots[money(10)].acquired


def test_retirement_accounts_have_no_wash_sales() -> None:
    with books(margin=False, retirement=True) as world:
        book_trade(world, trade(True, "10", "30"))
        book_trade(world, trade(False, "10", "20", 1))
        assert not book_trade(world, trade(True, "10", "21", 2)).wash_sales


# -- anything goes -----------------------------------------------------------------------------------------------

STEP = st.tuples(
    st.sampled_from(["buy", "sell", "short", "cover", "write", "unwrite", "deposit", "specific"]),
    st.sampled_from(["KO", "PEP"]),
    st.decimals("0.01", "400", places=2),
    st.integers(1, 60),
    st.integers(0, 25),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(STEP, min_size=1, max_size=40))
def test_books_conserve_cash_cost_and_gain(steps: list[tuple[str, str, Decimal, int, int]]) -> None:
    """Cash moves only by what history says; cost in lots and closed lots comes from purchases alone."""
    with books("1000000") as world:
        start, day = total_cash(world), 0
        for deed, symbol, price, size, days in steps:
            day += days
            _perform(world, deed, symbol, price, size, day)
            history = world.transactions(ACCOUNT, PAST, FUTURE)
            assert total_cash(world) - start == sum((line.net for line in history), ZERO)
            assert world.cash[ACCOUNT].core >= 0
            for line in history:
                parts = line.principal - line.commission - line.fees + line.interest
                assert line.net == parts or line.category == "deposit"
        _check_lots(world)


def _perform(world: World, deed: str, symbol: str, price: Decimal, size: int, day: int) -> None:
    held = world.lots.quantity(ACCOUNT, symbol)
    put = f"{symbol}270115P50"
    written = -world.lots.quantity(ACCOUNT, put)
    quantity = Decimal(size)
    if deed == "buy" and held >= 0:
        book_trade(world, trade(True, quantity, price, day, symbol=symbol))
    elif deed == "sell" and held > 0:
        book_trade(world, trade(False, min(quantity, held), price, day, symbol=symbol))
    elif deed == "specific" and held > 0:
        lot = world.lots.of(ACCOUNT, symbol)[-1]
        taken = min(quantity, lot.quantity)
        choice = LotChoice(quantity=taken, lot_id=lot.lot_id)
        book_trade(world, trade(False, taken, price, day, symbol=symbol, lots=(choice,)))
    elif deed == "short" and held <= 0:
        short = trade(False, quantity, price, day, symbol=symbol, opens=True, holding=Holding.SHORT)
        book_trade(world, short)
    elif deed == "cover" and held < 0:
        covered = min(quantity, -held)
        cover = trade(True, covered, price, day, symbol=symbol, opens=False, holding=Holding.SHORT)
        book_trade(world, cover)
    elif deed == "write":
        write = trade(False, quantity, price, day, symbol=put, opens=True, multiplier=100, costs="1.34")
        book_trade(world, write)
    elif deed == "unwrite" and written > 0:
        back = min(quantity, written)
        unwrite = trade(True, back, price, day, symbol=put, opens=False, multiplier=100, costs="1.34")
        book_trade(world, unwrite)
    elif deed == "deposit":
        book_cash(world, ACCOUNT, START + timedelta(days=day), "DEPOSIT", price, "deposit", external=True)


def _check_lots(world: World) -> None:
    """Totals agree with the lots, closed lots with their sales, and nothing of the cost is lost."""
    history = {line.transaction_id: line for line in world.transactions(ACCOUNT, PAST, FUTURE)}
    closed = world.closed_lots(ACCOUNT, PAST, FUTURE)
    for symbol, total in world.lots.totals(ACCOUNT).items():
        lots = world.lots.of(ACCOUNT, symbol)
        assert sum(lot.quantity for lot in lots) == total.quantity
        assert sum(lot.cost for lot in lots) == total.cost
        assert len({lot.quantity > 0 for lot in lots}) == 1
    by_sale: dict[int, Decimal] = {}
    for lot in closed:
        assert 0 <= lot.wash_matched <= lot.quantity
        assert lot.gain == lot.proceeds - lot.cost
        amount = -lot.unadjusted_cost if lot.short else lot.proceeds
        by_sale[lot.transaction] = by_sale.get(lot.transaction, ZERO) + amount
    for sale, amount in by_sale.items():
        assert amount == history[sale].net
    opened = sum((line.net for line in history.values() if line.holding is not None), ZERO)
    realised = sum((lot.gain for lot in closed), ZERO)
    in_lots = sum((lot.cost for lot in world.lots), ZERO)
    assert realised - in_lots == opened  # every cent is realised or still in a lot
