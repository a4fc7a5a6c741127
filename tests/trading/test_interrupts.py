"""Ctrl-C while an order is placed: before its first byte it stops the order, after it the order is told as under way."""

import asyncio
from pathlib import Path

import pytest
from test_at_most_once import number_of
from test_gate import BUY, Upstream, live

from ftcli import placing
from ftcli.cli.call import Call
from ftcli.cli.placing import unbroken
from ftcli.cli.terminal import Terminal
from ftcli.client import Client
from ftcli.errors import NotFound, OrderRejected, OrderUnknown
from ftcli.models.trading import JournalState
from ftcli.transport.pace import PER_SECOND, Pace


class Hanging:
    """An order list that is never answered, and says when it is asked for."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()

    async def wait(self) -> None:
        """Called where the list would be answered."""
        self.asked.set()
        await asyncio.Event().wait()


def command_of(client: Client) -> Call:
    """A command with that client, as it opens one itself."""
    call = Call(Terminal.of_process(), [])
    client.on_sending = lambda: call.when_sending() if call.when_sending else None
    return call


async def test_before_the_intent_is_written_nothing_is_sent(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    upstream = Upstream()
    async with live(tmp_path, upstream, live_trading=True, limits={"max_open_orders": 50}) as client:
        number = await number_of(client)
        call = command_of(client)
        hanging = upstream.listed = Hanging()  # type: ignore[assignment]
        task = asyncio.create_task(unbroken(call, lambda: client.orders.equity.place(BUY, number), [number]))
        await hanging.asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert call.in_flight is None
        assert "The order was not sent." in capsys.readouterr().err
        with pytest.raises(NotFound):
            client.desk.entry(number)
        upstream.listed = None
    assert upstream.places == 0


async def test_a_journalled_order_that_waits_for_its_turn_is_not_sent_either(tmp_path: Path) -> None:
    upstream = Upstream()
    async with live(tmp_path, upstream, live_trading=True) as client:
        number = await number_of(client)
        call = command_of(client)
        waiting = asyncio.Event()

        async def turn(_: float) -> None:
            waiting.set()
            await asyncio.Event().wait()

        pace = client.broker._pace = Pace(True, sleep=turn, ticks=lambda: 0.0)
        for _ in range(PER_SECOND):
            async with pace.turn():
                pass
        task = asyncio.create_task(unbroken(call, lambda: client.orders.equity.place(BUY, number), [number]))
        await waiting.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert client.desk.entry(number).state is JournalState.NOT_SENT
        client.broker._pace.on = False
        assert (await client.orders.equity.place(BUY, number)).conf_num == number, "it may be sent again"
    assert upstream.places == 1


async def test_after_its_first_byte_it_is_under_way(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    upstream = Upstream()
    upstream.hold.clear()
    async with live(tmp_path, upstream, live_trading=True) as client:
        number = await number_of(client)
        call = command_of(client)
        task = asyncio.create_task(unbroken(call, lambda: client.orders.equity.place(BUY, number), [number]))
        await upstream.acted.wait()
        task.cancel()
        await asyncio.sleep(0)
        assert isinstance(call.in_flight, OrderUnknown)
        upstream.hold.set()
        assert (await task).conf_num == number
        assert "cannot be called back" in capsys.readouterr().err
        assert call.in_flight is None


async def test_a_refusal_after_ctrl_c_leaves_nothing_in_flight() -> None:
    call = Call(Terminal.of_process(), [])
    answer = asyncio.Event()

    async def refused() -> None:
        assert call.when_sending is not None
        call.when_sending()
        await answer.wait()
        raise OrderRejected("no")

    task = asyncio.create_task(unbroken(call, refused, ["2DI0KXQ4"]))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.sleep(0)
    answer.set()
    with pytest.raises(OrderRejected):
        await task
    assert call.in_flight is None


async def test_a_new_order_does_not_wait_for_what_became_of_old_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(placing, "BEFOREHAND", 0.05)
    upstream = Upstream()
    async with live(tmp_path, upstream, live_trading=True) as client:
        lost = await number_of(client)
        upstream.fault = "500"
        with pytest.raises(OrderUnknown):
            await client.orders.equity.place(BUY, lost)
        upstream.fault = ""
        number = await number_of(client)
        upstream.listed = Hanging()  # type: ignore[assignment]
        async with asyncio.timeout(20):
            assert (await client.orders.equity.place(BUY, number)).conf_num == number
        upstream.listed = None
