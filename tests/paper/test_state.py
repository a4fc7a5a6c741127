"""The state on disk: what is written, rolled back, shared between processes, and how fast."""

import subprocess
import sys
import textwrap
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from time import perf_counter

import msgspec
import pytest
from engine_kit import CASH, MARGIN, NOON, Bench, market, money, seeded, shares
from hypothesis import given
from hypothesis import strategies as st

from ftcli.errors import InternalError
from ftcli.paper.codes import Response, Status
from ftcli.paper.engine import Engine
from ftcli.paper.records import Cash, Order
from ftcli.paper.state import SCHEMA_VERSION, State
from ftcli.paper.tables import ReadOnlyError
from ftcli.paper.world import decoder


def engine_on(path: Path, now: datetime = NOON) -> Engine:
    return Engine(State(path), market(7, True), lambda: now)


def test_everything_survives_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "paper.sqlite"
    engine = engine_on(path)
    ticket = shares("B", "KO", "0.75", account=CASH)
    number = engine.preview(ticket).number
    assert engine.place(number, ticket).response is Response.ACCEPTED
    resting = shares("B", "KO", 5, limit="50")
    open_number = engine.preview(resting).number
    engine.place(open_number, resting)
    previewed = engine.preview(resting).number
    before = (
        engine.positions([CASH, MARGIN]),
        engine.balances(CASH),
        engine.orders(CASH),
        engine.orders(MARGIN),
        engine.events(0),
        engine.transactions(CASH, NOON.date(), NOON.date()),
    )
    again = engine_on(path)
    after = (
        again.positions([CASH, MARGIN]),
        again.balances(CASH),
        again.orders(CASH),
        again.orders(MARGIN),
        again.events(0),
        again.transactions(CASH, NOON.date(), NOON.date()),
    )
    assert after == before
    assert again.order(open_number) == engine.order(open_number)
    assert again.place(previewed, resting).response is Response.ACCEPTED
    fresh = again.preview(resting).number
    assert fresh not in {number, open_number, previewed}


def test_a_failed_transaction_leaves_nothing(tmp_path: Path) -> None:
    with seeded(NOON, 7, True) as state:
        with state.reading() as world:
            cash, meta, orders = world.cash[CASH], world.meta, len(world.orders)
        with pytest.raises(ZeroDivisionError), state.transaction() as world:
            world.cash.put(CASH, Cash(account=CASH))
            world.next("order_sequence")
            for order in world.orders:
                world.put_order(msgspec.structs.replace(order, status=Status.ERROR))
            _ = 1 / 0
        with state.reading() as world:
            assert (world.cash[CASH], world.meta, len(world.orders)) == (cash, meta, orders)


def test_reading_cannot_write() -> None:
    with seeded(NOON, 7, True) as state, state.reading() as world:
        with pytest.raises(ReadOnlyError):
            world.cash.put(CASH, Cash(account=CASH))
        with pytest.raises(ReadOnlyError):
            world.next("order_sequence")
        with pytest.raises(ReadOnlyError):
            world.put_order(next(iter(world.orders)))
        with pytest.raises(ReadOnlyError):
            world.drop_previews(NOON)


def test_writers_see_each_other(tmp_path: Path) -> None:
    path = tmp_path / "paper.sqlite"
    one, two = engine_on(path), engine_on(path)
    ticket = shares("B", "KO", 1, limit="50")
    numbers = []
    for engine in (one, two) * 5:
        number = engine.preview(ticket).number
        numbers.append(number)
        other = two if engine is one else one
        assert other.place(number, ticket).response is Response.ACCEPTED
        assert engine.order(number) is not None
    assert len(set(numbers)) == 10
    assert {entry.order.number for entry in one.orders(MARGIN)} >= set(numbers)
    assert one.orders(MARGIN) == two.orders(MARGIN)
    assert [event.sequence for event in one.events(0)] == list(range(1, 11))


def test_processes_write_at_once(tmp_path: Path) -> None:
    """Four processes place orders against one file; every order is there once, every dollar accounted for."""
    path = tmp_path / "paper.sqlite"
    script = textwrap.dedent(
        """
        import sys
        from datetime import datetime
        sys.path.insert(0, sys.argv[1])
        from engine_kit import NOON, market, shares
        from ftcli.paper.engine import Engine
        from ftcli.paper.state import State

        engine = Engine(State(sys.argv[2]), market(7, True), lambda: NOON)
        for _ in range(15):
            ticket = shares("B", "KO", 1)
            number = engine.preview(ticket).number
            print(number, engine.place(number, ticket).response.value)
        """
    )
    here = str(Path(__file__).parent)
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", script, here, str(path)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    lines = []
    for run in runs:
        out, err = run.communicate(timeout=120)
        assert run.returncode == 0, err
        lines += out.split("\n")[:-1]
    assert len(lines) == 60
    assert {line[9:] for line in lines} == {"A"}
    engine = engine_on(path)
    assert len({entry.order.number for entry in engine.orders(MARGIN)}) == 60 + 2
    assert sum(lot.quantity for lot in engine.lots(MARGIN, "KO")) == 60
    sequences = [event.sequence for event in engine.events(0)]
    assert sequences == list(range(1, 60 * 5 + 1))


def test_foreign_and_newer_files_are_told_clearly(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("this is no database, just a few words that are long enough " * 20)
    with pytest.raises(InternalError, match="is not a paper broker's state"):
        State(text)
    newer = tmp_path / "newer.sqlite"
    with State(newer) as state:
        state._connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    with pytest.raises(InternalError, match=r"schema version 2 and this program needs 1\. Reset it"):
        State(newer)
    with pytest.raises(InternalError, match="cannot be opened"):
        State(tmp_path)


def test_reset_forgets_and_seeds_anew(tmp_path: Path) -> None:
    engine = engine_on(tmp_path / "paper.sqlite")
    first = engine.balances(MARGIN)
    ticket = shares("B", "KO", 10)
    engine.place(engine.preview(ticket).number, ticket)
    assert engine.balances(MARGIN) != first
    engine._state.reset()
    assert engine.balances(MARGIN) == first
    assert engine.events(0) == []


def test_reads_do_not_write(tmp_path: Path) -> None:
    path = tmp_path / "paper.sqlite"
    clock = [NOON]
    engine = Engine(State(path), market(7, True), lambda: clock[0])
    engine.accounts()

    def writes() -> int:
        return int(engine._state._connection.total_changes)

    before = writes()
    for _ in range(20):
        clock[0] += timedelta(seconds=7)
        engine.positions([MARGIN])
        engine.balances(MARGIN)
        engine.orders(MARGIN)
        engine.events(0)
    assert writes() == before


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_decimals_are_kept_exactly(value: Decimal) -> None:
    cash = Cash(account=CASH, core=value)
    again = msgspec.json.decode(msgspec.json.encode(cash), type=Cash)
    assert again.core == value
    assert str(again.core) == str(value)


def test_orders_are_kept_exactly() -> None:
    bench = Bench()
    number = bench.placed(shares("S", "AAPL", 5, stop=bench.bid("AAPL") - 10, limit=bench.bid("AAPL") - 11))
    order = bench.order(number)
    assert decoder(Order).decode(msgspec.json.encode(order)) == order


def test_many_placements_cost_the_same_each() -> None:
    """Two thousand orders: the last hundred must not be slower than the first by more than a little."""
    bench = Bench()
    ticket = shares("B", "KO", 1, limit="20")
    times = []
    for _ in range(20):
        start = perf_counter()
        for _ in range(100):
            bench.engine.place(bench.engine.preview(ticket).number, ticket)
        times.append(perf_counter() - start)
    assert bench.engine.order_summary(MARGIN).open == 2000 + 2
    assert min(times[-3:]) < 4 * min(times[:3])
    assert bench.engine.balances(MARGIN).recent.committed_cash_and_margin == money(40000)


def test_many_executions_cost_the_same_each() -> None:
    bench = Bench()
    ticket = shares("B", "KO", "0.01")
    times = []
    for _ in range(10):
        start = perf_counter()
        for _ in range(100):
            bench.engine.place(bench.engine.preview(ticket).number, ticket)
        times.append(perf_counter() - start)
    assert bench.held("KO") == 10
    assert min(times[-3:]) < 4 * min(times[:3])
