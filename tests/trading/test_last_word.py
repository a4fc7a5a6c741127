"""What changed while a place waited for its turn is seen before its first byte leaves."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from test_at_most_once import number_of
from test_gate import BUY, Upstream, live

from ftcli.client import Client
from ftcli.environment import live_client
from ftcli.errors import Conflict, OrderUnknown, TradingHalted
from ftcli.models.trading import JournalState
from ftcli.transport.http import HttpDoor
from ftcli.transport.pace import PER_SECOND, Pace


async def crowd(client: Client, meanwhile: Any) -> None:
    """Makes the client's next call wait for its turn, and has something happen while it does."""

    async def sleep(_: float) -> None:
        await meanwhile()

    pace = client.broker._pace = Pace(True, sleep=sleep, ticks=lambda: 0.0)
    for _ in range(PER_SECOND):
        async with pace.turn():
            pass


async def test_a_halt_while_a_place_waits_for_its_turn(tmp_path: Path) -> None:
    upstream = Upstream()
    async with live(tmp_path, upstream, live_trading=True) as client:
        number = await number_of(client)

        async def halt() -> None:
            client.halt("the model is off")

        await crowd(client, halt)
        with pytest.raises(TradingHalted, match="the model is off"):
            await client.orders.equity.place(BUY, number)
        assert client.desk.entry(number).state is JournalState.NOT_SENT
        client.broker._pace.on = False
        client.resume()
        assert upstream.places == 0
        assert (await client.orders.equity.place(BUY, number)).conf_num == number
    assert upstream.places == 1


async def test_another_session_while_the_limits_are_looked_up(tmp_path: Path) -> None:
    upstream = Upstream()
    async with live(tmp_path, upstream, live_trading=True, limits={"max_open_orders": 50}) as client:
        number = await number_of(client)
        other = live_client(client.settings, upstream.desk.clock)

        class Beside:
            """Logs in from another process while the order list is answered."""

            async def wait(self) -> None:
                upstream.listed = None
                await other.auth.logout()
                await other.auth.login()

        upstream.listed = Beside()  # type: ignore[assignment]
        with pytest.raises(Conflict, match="session with the broker has changed") as refused:
            await client.orders.equity.place(BUY, number)
        assert (refused.value.details or {})["reason"] == "session"
        assert client.desk.entry(number).state is JournalState.NOT_SENT
        await other.aclose()
    assert upstream.places == 0


async def test_no_byte_leaves_where_the_last_word_is_no() -> None:
    got: list[bytes] = []
    ended = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        got.append(await reader.read())
        writer.close()
        await writer.wait_closed()
        ended.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/place"
    door = HttpDoor(local=True)

    def no() -> None:
        raise TradingHalted("no")

    with pytest.raises(TradingHalted):
        await door.exchange("POST", url, {}, b"{}", 5.0, no)
    await door.aclose()
    await ended.wait()
    server.close()
    assert got == [b""], "it connected, and sent nothing"


async def test_a_lost_answer_is_told_without_advice_to_place_again(tmp_path: Path) -> None:
    upstream = Upstream()
    async with live(tmp_path, upstream, live_trading=True) as client:
        for fault in ("500", "lost", "401"):
            number = await number_of(client)
            upstream.fault = fault
            with pytest.raises(OrderUnknown) as unknown:
                await client.orders.equity.place(BUY, number)
            text = unknown.value.message
            assert number in text
            assert "Do not send it again" in text
            assert "try again" not in text.lower()
            assert "preview again" not in text.lower()
            upstream.fault = ""
