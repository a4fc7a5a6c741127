"""At most once: repeats, races between processes, kill -9, and what settles a lost answer."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from test_gate import BUY, PLACE, Upstream, live

from ftcli import config
from ftcli.client import Client
from ftcli.clock import NEW_YORK
from ftcli.environment import live_client
from ftcli.errors import Conflict, OrderUnknown, RiskLimit, ValidationFailed
from ftcli.models.json import dumps
from ftcli.models.order_codes import TimeInForce
from ftcli.models.tickets import EquityLimitOrder
from ftcli.models.trading import ResolveAs
from ftcli.paper.desk import DEMO_PASSWORD, DEMO_USERNAME
from ftcli.trading.origin import placing
from ftcli.wire import LastWord, WireReply, WireRequest

OTHER: EquityLimitOrder = msgspec.structs.replace(BUY, limit_price=Decimal(61))


async def number_of(client: Client, order: EquityLimitOrder = BUY) -> str:
    preview = await client.orders.equity.preview(order)
    assert preview.conf_num
    return preview.conf_num


async def test_the_same_key_answers_the_first_outcome(tmp_path: Path) -> None:
    upstream = Upstream()
    async with live(tmp_path, upstream, live_trading=True) as client:
        number, later = await number_of(client), await number_of(client)
        with placing("http", key="k1", api_key="abc") as first:
            placed = await client.orders.equity.place(BUY, number)
        assert not first.replayed
        # A client that lost our answer previews again and repeats: the key tells.
        for again_number in (number, later):
            with placing("http", key="k1") as again:
                assert dumps(await client.orders.equity.place(BUY, again_number)) == dumps(placed)
            assert again.replayed
        # The number alone tells as well, whatever the key.
        with placing(key="k2") as third:
            assert dumps(await client.orders.equity.place(BUY, number)) == dumps(placed)
        assert third.replayed
        with placing(key="k1"), pytest.raises(Conflict, match="belongs to another order"):
            await client.orders.equity.place(OTHER, await number_of(client, OTHER))
        entry = await client.orders.journal.show("k1")
        assert (entry.who, entry.api_key, entry.conf_nums) == ("http", "abc", [number])
    assert upstream.places == 1


async def test_only_the_previewed_order_is_placed(tmp_path: Path) -> None:
    upstream = Upstream()
    async with live(tmp_path, upstream, live_trading=True) as client:
        number = await number_of(client)
        with pytest.raises(Conflict, match="not the one that was previewed"):
            await client.orders.equity.place(OTHER, number)
        with pytest.raises(ValidationFailed, match="preview made here"):
            await client.orders.equity.place(BUY, "2ZZZZZZZ")
        upstream.desk.logins.expire_all()
        await client.auth.login(DEMO_USERNAME, DEMO_PASSWORD)
        with pytest.raises(Conflict, match="session with the broker has changed"):
            await client.orders.equity.place(BUY, number)
    assert upstream.places == 0


async def test_a_preview_of_another_session_is_not_placed_in_any_process(tmp_path: Path) -> None:
    """Processes that share a session place each other's previews; after a new login nobody does (protocol 00 §4.3)."""
    upstream = Upstream()
    async with upstream.running() as url:
        client = await opened(tmp_path, url, upstream)
        first, second = await number_of(client), await number_of(client)
        other = live_client(client.settings)
        assert (await other.orders.equity.place(BUY, first)).conf_num == first
        await other.auth.login(DEMO_USERNAME, DEMO_PASSWORD)
        third = live_client(client.settings)
        for one in (other, third, client):
            with pytest.raises(Conflict, match="session with the broker has changed"):
                await one.orders.equity.place(BUY, second)
            await one.aclose()
    assert upstream.places == 1


async def test_an_old_preview_is_not_placed(tmp_path: Path) -> None:
    upstream = Upstream()
    async with live(tmp_path, upstream, live_trading=True) as client:
        number = await number_of(client)
        now = client.desk.now()
        client.desk.now = lambda: now + timedelta(seconds=1801)
        with pytest.raises(ValidationFailed, match="of the last 1800 s"):
            await client.orders.equity.place(BUY, number)
    assert upstream.places == 0


async def test_a_preview_from_the_future_is_not_placed(tmp_path: Path) -> None:
    """The clock was set back: nobody knows how old the preview is."""
    upstream = Upstream()
    async with live(tmp_path, upstream, live_trading=True) as client:
        number = await number_of(client)
        now = client.desk.now()
        client.desk.now = lambda: now - timedelta(seconds=2)
        with pytest.raises(ValidationFailed, match="Preview the order again"):
            await client.orders.equity.place(BUY, number)
    assert upstream.places == 0


async def test_while_one_is_under_way_another_is_a_conflict(tmp_path: Path) -> None:
    upstream = Upstream()
    async with live(tmp_path, upstream, live_trading=True) as client:
        number, send = await number_of(client), client.send
        arrived, go = asyncio.Event(), asyncio.Event()

        async def slow(request: WireRequest, last_word: LastWord | None = None) -> WireReply:
            if request.path == PLACE:
                arrived.set()
                await go.wait()
            return await send(request, last_word)

        client.send = slow  # type: ignore[method-assign]
        first = asyncio.create_task(client.orders.equity.place(BUY, number))
        await arrived.wait()
        with pytest.raises(Conflict, match="being placed right now"):
            await client.orders.equity.place(BUY, number)
        second = live_client(client.settings, upstream.desk.clock)
        with pytest.raises(Conflict, match="being placed right now"):
            await second.orders.equity.place(BUY, number)
        await second.aclose()
        go.set()
        assert (await first).conf_num == number
    assert upstream.places == 1


_RACER = """
import asyncio, sys
from ftcli import config
from ftcli.environment import live_client
from ftcli.errors import FtError
from ftcli.models.tickets import EquityAction, EquityLimitOrder
from decimal import Decimal

async def main(number, key):
    client = live_client(config.load())
    order = EquityLimitOrder(account="Z10000017", symbol="KO", action=EquityAction.BUY, quantity=Decimal(2),
                             limit_price=Decimal("60"))
    print("ready", flush=True)
    sys.stdin.readline()
    try:
        with client.placing_as("sdk", key=key):
            await client.orders.equity.place(order, number)
        print("ok", flush=True)
    except FtError as problem:
        print(problem.code, flush=True)
    await client.aclose()

asyncio.run(main(*sys.argv[1:]))
"""


def racer(
    folder: Path, url: str, number: str, key: str = "race", limits: str = ""
) -> "subprocess.Popen[str]":
    """A process of its own that places on a word from us."""
    environ = {
        **os.environ,
        "FT_ENV": "live",
        "FT_LIVE_TRADING": "true",
        "FT_UPSTREAM": url,
        "FT_DATA_DIR": str(folder),
        "FT_CONFIG": "/dev/null",
        "FTSERVICE_ENCRYPTION_KEY": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        "FT_USERNAME": DEMO_USERNAME,
        "FT_PASSWORD": DEMO_PASSWORD,
        "FT_LIMITS": limits,
    }
    return subprocess.Popen(
        [sys.executable, "-c", _RACER, number, key],
        env=environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def said(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def told(process: "subprocess.Popen[str]") -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


KEY = {"FTSERVICE_ENCRYPTION_KEY": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="}


async def opened(folder: Path, url: str, upstream: Upstream) -> Client:
    """A logged-in client whose session other processes share."""
    environ = {
        "FT_ENV": "live",
        "FT_LIVE_TRADING": "true",
        "FT_DATA_DIR": str(folder),
        "FT_CONFIG": "/dev/null",
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        "FT_UPSTREAM": url,
        **KEY,
    }
    client = live_client(config.load({}, environ))
    await client.auth.login(DEMO_USERNAME, DEMO_PASSWORD)
    return client


async def test_two_processes_that_race_place_one_order(tmp_path: Path) -> None:
    upstream = Upstream()
    async with upstream.running() as url:
        client = await opened(tmp_path, url, upstream)
        number = await number_of(client)
        racers = [racer(tmp_path, url, number) for _ in range(2)]
        for process in racers:
            assert await asyncio.to_thread(said, process) == "ready"
        for process in racers:
            told(process)
        outcomes = [await asyncio.to_thread(said, process) for process in racers]
        for process in racers:
            await asyncio.to_thread(process.communicate)
        assert "ok" in outcomes
        assert set(outcomes) <= {"ok", "CONFLICT"}
        await client.aclose()
    assert upstream.places == 1


@pytest.mark.parametrize(
    "limit",
    ["max_open_orders=OPEN", "max_daily_orders=1", "max_daily_value=150", "duplicate_window=60"],
)
async def test_two_processes_do_not_pass_a_limit_together(limit: str, tmp_path: Path) -> None:
    """Both see the same open orders at the broker before either places; one of them may."""
    upstream = Upstream()
    async with upstream.running() as url:
        client = await opened(tmp_path, url, upstream)
        facts = await client.facts(BUY.account, [], {"max_open_orders"})
        assert facts.open_orders is not None
        limits = limit.replace("OPEN", str(facts.open_orders + 1))
        if limits != limit:
            upstream.listed = asyncio.Barrier(2)
        numbers = [await number_of(client) for _ in range(2)]
        racers = [racer(tmp_path, url, number, f"key-{number}", limits) for number in numbers]
        for process in racers:
            assert await asyncio.to_thread(said, process) == "ready"
        for process in racers:
            told(process)
        outcomes = [await asyncio.to_thread(said, process) for process in racers]
        for process in racers:
            await asyncio.to_thread(process.communicate)
        await client.aclose()
        assert sorted(outcomes) == ["RISK_LIMIT", "ok"]
    assert upstream.places == 1


async def test_an_order_of_unknown_outcome_counts_as_open(tmp_path: Path) -> None:
    upstream = Upstream()
    async with live(tmp_path, upstream, live_trading=True) as client:
        facts = await client.facts(BUY.account, [], {"max_open_orders"})
        upstream.fault = "500"
        with pytest.raises(OrderUnknown):
            await client.orders.equity.place(BUY, await number_of(client))
        upstream.fault = ""
        cap = {"max_open_orders": (facts.open_orders or 0) + 1}
        strict = live_client(msgspec.structs.replace(client.settings, limits=cap), upstream.desk.clock)
        number = await number_of(strict, OTHER)
        with pytest.raises(RiskLimit, match="max_open_orders"):
            await strict.orders.equity.place(OTHER, number)
        check = await strict.trading.check(OTHER)
        assert [item.rule for item in check.findings] == ["max_open_orders"]
        await strict.aclose()
    assert upstream.places == 1


async def test_an_outcome_that_the_disk_did_not_take_is_noted_later(tmp_path: Path) -> None:
    """The process lives, so nobody may call its order lost; what came of it is told as soon as the disk takes it."""
    upstream = Upstream()
    async with live(tmp_path, upstream, live_trading=True) as client:
        number = await number_of(client)
        with sqlite3.connect(client.desk.path, isolation_level=None) as other:
            upstream.hold.clear()
            task = asyncio.create_task(client.orders.equity.place(BUY, number))
            await upstream.acted.wait()
            other.execute("BEGIN IMMEDIATE")
            upstream.hold.set()
            assert (await task).conf_num == number
            assert client.desk.journal.is_behind
            assert other.execute("SELECT state FROM placement_events").fetchall() == [("sending",)]
            other.execute("ROLLBACK")
        other.close()
        # Not "being placed right now", and not sent again: the first outcome.
        assert (await client.orders.equity.place(BUY, number)).conf_num == number
        entry = await client.orders.journal.show(number)
        assert [change.state for change in entry.changes] == ["sending", "accepted"]
    assert upstream.places == 1


async def test_kill_9_leaves_a_journalled_unknown_that_evidence_settles(tmp_path: Path) -> None:
    upstream = Upstream()
    async with upstream.running() as url:
        client = await opened(tmp_path, url, upstream)
        number = await number_of(client)
        upstream.hold.clear()  # the broker acts and keeps its answer
        process = racer(tmp_path, url, number)
        assert await asyncio.to_thread(said, process) == "ready"
        told(process)
        await upstream.acted.wait()
        assert (await client.orders.journal.show(number)).state == "sending"
        process.send_signal(signal.SIGKILL)
        await asyncio.to_thread(process.communicate)
        upstream.hold.set()
        assert (await client.orders.journal.show(number)).state == "unknown"
        # A new placement looks for the lost one first: the order status has it.
        again = await client.orders.equity.place(BUY, number)
        assert (again.conf_num, again.verdict) == (number, "accepted")
        entry = await client.orders.journal.show(number)
        assert [change.state for change in entry.changes] == ["sending", "unknown", "accepted"]
        assert entry.changes[-1].evidence == [f"order status lists {number} as open"]
        await client.aclose()
    assert upstream.places == 1


@pytest.mark.parametrize("outcome", [ResolveAs.PLACED, ResolveAs.NOT_PLACED])
async def test_what_is_nowhere_stays_unknown_until_a_person_says(tmp_path: Path, outcome: ResolveAs) -> None:
    upstream = Upstream()
    async with live(tmp_path, upstream, live_trading=True) as client:
        number = await number_of(client)
        upstream.fault = "500"
        with pytest.raises(OrderUnknown):
            await client.orders.equity.place(BUY, number)
        upstream.fault = ""
        report = await client.orders.reconcile()
        assert [item.state for item in report.settled] == ["unknown"]
        with pytest.raises(ValidationFailed, match="reason"):
            await client.orders.resolve(number, outcome, " ")
        entry = await client.orders.resolve(number, outcome, "I looked")
        assert entry.changes[-1].message == "I looked"
        if outcome is ResolveAs.PLACED:
            assert (await client.orders.equity.place(BUY, number)).conf_num == number
        else:
            with pytest.raises(Conflict, match="settled as not placed"):
                await client.orders.equity.place(BUY, number)
    assert upstream.places == 1


async def test_a_broken_off_place_is_unknown(tmp_path: Path) -> None:
    upstream = Upstream()
    async with live(tmp_path, upstream, live_trading=True) as client:
        number = await number_of(client)
        upstream.hold.clear()
        task = asyncio.create_task(client.orders.equity.place(BUY, number))
        await upstream.acted.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        upstream.hold.set()
        assert (await client.orders.journal.show(number)).state == "unknown"


async def test_the_journal_only_grows(tmp_path: Path) -> None:
    upstream = Upstream()
    async with live(tmp_path, upstream, live_trading=True) as client:
        await client.orders.equity.place(BUY, await number_of(client))
        with sqlite3.connect(client.desk.path) as other:
            for statement in ("UPDATE placement_events SET state = 'rejected'", "DELETE FROM placements"):
                with pytest.raises(sqlite3.DatabaseError, match="only grows"):
                    other.execute(statement)
        other.close()


async def test_the_same_order_is_refused_across_midnight(tmp_path: Path) -> None:
    upstream = Upstream()
    moment = [datetime(2026, 11, 24, 23, 59, 55, tzinfo=NEW_YORK)]
    upstream.desk.clock = lambda: moment[0]
    async with live(tmp_path, upstream, live_trading=True, limits={"duplicate_window": 30}) as client:
        gtc = msgspec.structs.replace(BUY, time_in_force=TimeInForce.GTC)
        first, second = await number_of(client, gtc), await number_of(client, gtc)
        await client.orders.equity.place(gtc, first)
        moment[0] += timedelta(seconds=10)
        with pytest.raises(RiskLimit, match="placed 10 s ago"):
            await client.orders.equity.place(gtc, second)
    assert upstream.places == 1


async def test_the_same_order_twice_in_a_moment_is_refused_where_asked(tmp_path: Path) -> None:
    upstream = Upstream()
    async with live(tmp_path, upstream, live_trading=True, limits={"duplicate_window": 30}) as client:
        first, second = await number_of(client), await number_of(client)
        await client.orders.equity.place(BUY, first)
        with pytest.raises(RiskLimit, match="duplicate_window"):
            await client.orders.equity.place(BUY, second)
    assert upstream.places == 1
