"""Bad days survived: the client on a real socket against the paper broker's faults. Nothing is lost untold."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from bad_day_kit import MARGIN, BadDay, bad_day, soon, until
from stream_doubles import ManualTiming

from ftcli.models.alerts import TriggerOperator
from ftcli.models.streaming import Event
from ftcli.paper.server import running
from ftcli.streaming.update import Update


@pytest.fixture
async def day(tmp_path: Path) -> AsyncIterator[BadDay]:
    async with bad_day(tmp_path) as found:
        yield found


def is_fresh(update: Update) -> bool:
    return update.kind == "quote" and not update.quote.stale


def is_stale(update: Update) -> bool:
    return update.kind == "quote" and update.quote.stale


def is_event(code: str) -> object:
    return lambda update: update.kind == "event" and update.value.code == code


async def test_a_hundred_broken_connections_in_one_stream(day: BadDay) -> None:
    async with day.hub.quotes(["SPY", "AAPL"]) as consumer:
        await until(consumer, is_fresh)
        tasks = len(asyncio.all_tasks())
        for _ in range(100):
            await day.fault(drop=True)
            await until(consumer, is_stale)
            await until(consumer, is_fresh)
        status = day.hub.status()
        assert status.mdds.connected
        assert len(status.mdds.sockets) == 1
        assert len(asyncio.all_tasks()) <= tasks + 2, "tasks were left behind"
        assert {row.symbol: row.count for row in day.hub.subscriptions().subscriptions} == {
            "SPY": 1,
            "AAPL": 1,
        }


async def test_a_close_frame_is_no_different(day: BadDay) -> None:
    async with day.hub.books(["AAPL"]) as consumer:
        await until(consumer, lambda update: update.kind == "book")
        await day.fault(close=True)
        await until(consumer, lambda update: update.kind == "book" and update.value.stale)
        await until(consumer, lambda update: update.kind == "book" and not update.value.stale)


async def test_broken_frames_are_counted_and_skipped(day: BadDay) -> None:
    await day.fault(error_frames=True)
    async with day.hub.quotes(["SPY"]) as consumer:
        for _ in range(3):
            await until(consumer, is_fresh)
    counters = day.hub.status().mdds.counters
    assert counters["malformed_frames"] >= 1


async def test_a_mute_socket_is_found_out_and_replaced(tmp_path: Path) -> None:
    timing = ManualTiming()
    async with bad_day(tmp_path, timing) as day, day.hub.quotes(["SPY"]) as consumer:
        await until(consumer, is_fresh)
        await day.fault(mute=True)
        await timing.advance(21)  # a ping goes out, and no pong comes back
        for _ in range(100):
            await asyncio.sleep(0)
        await timing.advance(11)
        await until(consumer, is_stale)
        await day.fault(mute=False)
        while not (update := consumer.take()) or not is_fresh(update):
            await timing.advance(0.05)
            await asyncio.sleep(0.01)


async def test_the_session_ends_in_mid_stream(day: BadDay) -> None:
    created = day.desk.logins.sessions_created
    async with day.hub.quotes(["SPY"]) as consumer:
        await until(consumer, is_fresh)
        await day.fault(expire=True, drop=True)
        await until(consumer, is_stale)
        await until(consumer, is_fresh)
    assert day.desk.logins.sessions_created == created + 1


async def test_the_upstream_restarts_with_another_session_id(tmp_path: Path) -> None:
    async with bad_day(tmp_path) as day:
        hub = day.hub
        async with running(day.desk) as first:
            port = int(first.rpartition(":")[2])
            second_day = BadDay(day.desk, day.client, port, hub._timing)
            consumer = second_day.hub.quotes(["SPY"])
            consumer.open()
            await until(consumer, is_fresh)
        await until(consumer, is_stale)
        async with running(day.desk, port=port):
            await until(consumer, is_fresh)
            await second_day.hub.aclose()


async def test_a_fill_is_pushed_in_the_brokers_order(day: BadDay) -> None:
    async with day.hub.events() as consumer:
        await until(consumer, lambda update: update.kind == "status" and update.value.state == "open")
        number = day.buy()
        found: list[Event] = []
        while not found or found[-1].code != "SPBSM":
            found.append((await until(consumer, lambda update: update.kind == "event")).value)
    assert [event.code for event in found] == ["ORDUP", "ORDUP", "MFCEX", "SPPOS", "SPBSM"]
    fill = found[2]
    assert (fill.event_type, fill.category, fill.order_id, fill.symbol) == (
        "ORDER_FILL",
        "order",
        number,
        "KO",
    )
    assert (fill.cumulative_quantity, fill.partial, fill.recovered) == (3, False, False)
    assert fill.desc["ORDER_NUM"] == number


@pytest.mark.parametrize("shape", ["text", "double", "object", "xml"])
@pytest.mark.parametrize("times", ["iso", "millis", "old"])
async def test_details_and_times_of_every_form(day: BadDay, shape: str, times: str) -> None:
    await day.fault(beps_desc=shape, beps_times=times)
    async with day.hub.events() as consumer:
        await until(consumer, lambda update: update.kind == "status" and update.value.state == "open")
        before = day.desk.now()
        number = day.buy()
        fill: Event = (await until(consumer, is_event("MFCEX"))).value  # type: ignore[arg-type]
    assert (fill.order_id, fill.executed_quantity) == (number, 3)
    assert fill.created_at is not None
    assert abs((fill.created_at - before).total_seconds()) < 5


async def test_duplicates_noise_and_disorder_lose_nothing(day: BadDay) -> None:
    await day.fault(beps_duplicate=True, beps_reorder=True, beps_noise=True, error_frames=True)
    async with day.hub.events() as consumer:
        await until(consumer, lambda update: update.kind == "status" and update.value.state == "open")
        numbers = [day.buy(quantity=quantity) for quantity in (1, 2, 3, 4, 5)]
        found: Counter[tuple[str, str | None]] = Counter()
        while sum(count for (code, _), count in found.items() if code == "MFCEX") < 5:
            event = (await until(consumer, lambda update: update.kind == "event")).value
            found[event.code, event.order_id] += 1
    assert {key: count for key, count in found.items() if key[0] == "MFCEX"} == {
        ("MFCEX", number): 1 for number in numbers
    }


async def test_what_happens_in_an_outage_is_recovered(day: BadDay) -> None:
    async with day.hub.events() as consumer:
        await until(consumer, lambda update: update.kind == "status" and update.value.state == "open")
        open_order = day.buy(limit="1.50")
        await until(consumer, is_event("ORDUP"))  # type: ignore[arg-type]
        await day.fault(refuse="403", drop=True)
        await until(consumer, lambda update: update.kind == "status" and update.value.state != "open")
        missed = day.buy(symbol="PEP", quantity=7)
        await day.fault(refuse="")
        fill: Event = (await until(consumer, is_event("MFCEX"))).value  # type: ignore[arg-type]
        assert (fill.order_id, fill.executed_quantity, fill.recovered) == (missed, 7, True)
        assert fill.source == "reconcile"
        # The sweep comes once: the order that did not change is not told of, and live events go on.
        await _swept(day)
        live = day.buy(quantity=2)
        following: Event = (await until(consumer, is_event("MFCEX"))).value  # type: ignore[arg-type]
        assert (following.order_id, following.recovered) == (live, False)
        assert open_order not in (fill.order_id, following.order_id)


async def test_positions_and_balances_of_an_outage_are_recovered_too(day: BadDay) -> None:
    async with day.hub.events() as consumer:
        await until(consumer, is_open)
        await day.fault(refuse="403", drop=True)
        await until(consumer, lambda update: update.kind == "status" and update.value.state != "open")
        day.buy(symbol="PEP", quantity=7)
        await day.fault(refuse="")
        position: Event = (await until(consumer, is_event("SPPOS"))).value  # type: ignore[arg-type]
        assert (position.account, position.symbol, position.recovered) == (MARGIN, "PEP", True)
        assert position.quantity is not None
        assert position.quantity >= 7
        balance: Event = (await until(consumer, is_event("SPBSM"))).value  # type: ignore[arg-type]
        assert (balance.account, balance.recovered) == (MARGIN, True)
        # The next outage, in which nothing happens, tells of nothing.
        await day.fault(drop=True)
        await until(consumer, lambda update: update.kind == "status" and update.value.state != "open")
        await until(consumer, is_open)
        await _swept(day)
        number = day.buy(symbol="KO", quantity=1)
        following = await until(consumer, lambda update: update.kind == "event")
        assert (following.value.order_id, following.value.recovered) == (number, False)


async def _swept(day: BadDay) -> None:
    """Wait until the sweep has ended: what happens beside it may be both pushed and found."""
    feed = day.hub._events
    assert feed is not None
    sweep = feed._link._sweeping
    assert sweep is not None
    await soon(sweep)


def is_open(update: Update) -> bool:
    return update.kind == "status" and update.value.state == "open"


async def test_an_outage_nobody_can_look_into_is_told_as_a_gap(day: BadDay) -> None:
    async with day.hub.events() as consumer:
        await until(consumer, is_open)
        await day.fault(status=500, paths="retail-order-status", drop=True)
        gap = (await asyncio.wait_for(_gap(consumer), 60)).value
    assert gap.gap_from is not None
    assert gap.gap_to >= gap.gap_from


async def _gap(consumer: object) -> Update:
    async for update in consumer:  # type: ignore[attr-defined]
        if update.kind == "gap":
            return update
    raise AssertionError("no gap was told")


async def test_an_unasked_end_starts_anew(day: BadDay) -> None:
    async with day.hub.events() as consumer:
        await until(consumer, lambda update: update.kind == "status" and update.value.state == "open")
        await day.fault(beps_complete=True)
        while day.hub.status().beps.counters.get("unasked_completes", 0) == 0:  # type: ignore[union-attr]
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.3)
        day.buy()
        await until(consumer, is_event("MFCEX"))  # type: ignore[arg-type]


async def test_a_price_trigger_fires(day: BadDay) -> None:
    quote = day.desk.market.quote("KO", day.desk.now())
    assert quote is not None
    assert quote.last is not None
    async with day.hub.events() as consumer:
        await until(consumer, lambda update: update.kind == "status" and update.value.state == "open")
        await day.client.alerts.price_triggers.create("KO", TriggerOperator.GREATER_THAN, quote.last)
        event: Event = (await until(consumer, is_event("TRPA"))).value  # type: ignore[arg-type]
    assert (event.event_type, event.category, event.symbol) == ("PRICE_ALERT_ABOVE", "alert", "KO")


@pytest.mark.parametrize("way", ["401", "403", "302", "close"])
async def test_refused_sockets_are_tried_again(day: BadDay, way: str) -> None:
    await day.fault(refuse=way)
    async with day.hub.quotes(["SPY"]) as consumer:
        await until(consumer, lambda update: update.kind == "status" and update.value.state != "open")
        await day.fault(refuse="")
        await until(consumer, is_fresh)


async def test_a_late_greeting_is_waited_for(day: BadDay) -> None:
    await day.fault(mdds_greeting="late")
    async with day.hub.quotes(["SPY"]) as consumer:
        await until(consumer, is_fresh)
    counters = day.hub.status().mdds.counters
    assert counters.get("reconnects", 0) == 0


async def test_answers_in_parts_come_together(day: BadDay) -> None:
    await day.fault(mdds_reply="split")
    wanted = {"SPY", "AAPL", "KO", "NOSUCH"}
    async with day.hub.quotes(sorted(wanted)) as consumer:
        first = await until(consumer, lambda update: update.kind == "symbol_error")
        assert first.value.symbol == "NOSUCH"
        wanted.discard("NOSUCH")
        while wanted:
            wanted.discard((await until(consumer, is_fresh)).quote.symbol)


async def test_a_book_that_crosses_in_bursts_stays_whole(day: BadDay) -> None:
    async with day.hub.books(["AAPL"]) as consumer:
        await until(consumer, lambda update: update.kind == "book" and not update.value.crossed)
        await day.fault(mdds_book="crossed")
        crossed = (await until(consumer, lambda update: update.kind == "book" and update.value.crossed)).value
        assert crossed.spread < 0
        await day.fault(mdds_book="burst")
        whole = (
            await until(consumer, lambda update: update.kind == "book" and not update.value.crossed)
        ).value
        assert len(whole.bids) == len(whole.asks) == 25
        await day.fault(mdds_book="thin")
        thin = (
            await until(consumer, lambda update: update.kind == "book" and len(update.value.bids) < 25)
        ).value
        assert len(thin.bids) == 3


async def test_ids_of_an_old_table_are_no_trades(day: BadDay) -> None:
    await day.fault(mdds_noise=True)
    async with day.hub.trades(["SPY", "QQQ", "AAPL", "MSFT", "NVDA", "AMZN", "TSLA", "KO"]) as consumer:
        for _ in range(3):  # all of them trade every few seconds
            trade = (await until(consumer, lambda update: update.kind == "trade")).value
            assert trade.price > 1, "1159 says 0.01"


async def test_a_socket_without_a_session(day: BadDay) -> None:
    await day.fault(mdds_cookie=False)
    created = day.desk.logins.sessions_created
    day.desk.logins.expire_all()
    async with day.hub.quotes(["SPY"]) as consumer:
        await until(consumer, is_fresh)
    assert day.desk.logins.sessions_created == created


@pytest.mark.parametrize("way", ["error", "close"])
async def test_a_token_that_runs_out_is_renewed(day: BadDay, way: str) -> None:
    await day.fault(beps_token_life=2, beps_expiry=way)
    async with day.hub.events() as consumer:
        await until(consumer, lambda update: update.kind == "status" and update.value.state == "open")
        await day.fault(beps_token_life=3600)
        await until(consumer, lambda update: update.kind == "status" and update.value.state != "open")
        await until(consumer, lambda update: update.kind == "status" and update.value.state == "open")
        day.buy()
        await until(consumer, is_event("MFCEX"))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "fault", [{"beps_connect": "error"}, {"beps_start": "limit"}, {"beps_token": "second_path"}]
)
async def test_events_come_in_the_end(day: BadDay, fault: dict[str, str]) -> None:
    await day.fault(**fault)
    async with day.hub.events() as consumer:
        if "beps_connect" in fault:
            await until(
                consumer, lambda update: update.kind == "status" and update.value.state == "reconnecting"
            )
            await day.fault(beps_connect="ack")
            day.hub.session_renewed()
        if "beps_start" in fault:
            await asyncio.sleep(0.5)
            await day.fault(beps_start="ack", drop=True)
        await until(consumer, lambda update: update.kind == "status" and update.value.state == "open")
        day.buy()
        await until(consumer, is_event("MFCEX"))  # type: ignore[arg-type]


async def test_events_of_ones_own_making_and_who_may_switch(day: BadDay) -> None:
    base = f"http://127.0.0.1:{day.port}/sim"
    async with httpx.AsyncClient(trust_env=False) as http, day.hub.events() as consumer:
        await until(consumer, lambda update: update.kind == "status" and update.value.state == "open")
        made = {"eventType": "VOLAL", "desc": '{"DISPLAY_SYMBOL":"KO"}', "eventCreatedTime": None}
        reply = await http.post(f"{base}/events", json=made)
        assert reply.json() == {"reached": 1}
        event: Event = (await until(consumer, is_event("VOLAL"))).value  # type: ignore[arg-type]
        assert (event.event_type, event.symbol) == ("VOLUME_ALERT", "KO")
        # A page in a browser on this machine must not be able to.
        page = await http.post(
            f"{base}/faults", json={"html": True}, headers={"Origin": "http://evil.example"}
        )
        assert page.status_code == 403
        wrong = await http.post(f"{base}/faults", json={"htlm": True})
        assert wrong.status_code == 422
        assert "Did you mean html?" in wrong.json()["error"]
        assert not day.desk.faults.current().html
        assert (await http.get(f"{base}/faults")).json()["mdds_deltas"] == "partial"
        assert (await http.delete(f"{base}/faults")).status_code == 200
