"""After a lost answer the order is looked for by itself: in the background, or while a command still runs."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest
from faces import environ_of
from test_at_most_once import number_of
from test_gate import BUY, Upstream, live

from ftcli import config, placing
from ftcli.errors import OrderUnknown
from ftcli.server.run import running
from ftcli.trading.watch import PAUSES, LostWatch


def test_the_looks_are_those_of_the_protocol() -> None:
    assert PAUSES == (2, 5, 10, 20, 40)


async def test_a_lost_order_is_found_without_anybody_asking(tmp_path: Path) -> None:
    upstream = Upstream()
    async with live(tmp_path, upstream, live_trading=True) as client:
        client._lost_watch = LostWatch(client._nothing_lost, (0, 0))
        number = await number_of(client)
        upstream.fault = "lost"
        with pytest.raises(OrderUnknown):
            await client.orders.equity.place(BUY, number)
        assert (await client.orders.journal.show(number)).state == "unknown"
        await client.lost_watch.over()
        assert (await client.orders.journal.show(number)).state == "accepted"
    assert upstream.places == 1


async def test_who_waits_gets_the_outcome(tmp_path: Path) -> None:
    upstream = Upstream()
    async with live(tmp_path, upstream, live_trading=True) as client:
        told: list[str] = []
        client.on_lost = told.append
        client._lost_watch = LostWatch(client._nothing_lost, (0, 0, 0))
        number = await number_of(client)
        upstream.fault = "lost"
        assert (await client.orders.equity.place(BUY, number)).conf_num == number
        assert told[1:] == [f"Found: order status lists {number} as open."]
        # What is not there stays unknown, after the looks there is time for.
        upstream.fault = "500"
        with pytest.raises(OrderUnknown):
            await client.orders.equity.place(BUY, await number_of(client))
    assert upstream.places == 2


async def test_patience_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker that does not answer the looks either does not hold the command for ever."""
    upstream = Upstream()
    async with live(tmp_path, upstream, live_trading=True) as client:
        client.on_lost = lambda text: None
        client._lost_watch = LostWatch(client._nothing_lost, (0, 0))
        monkeypatch.setattr(placing, "PATIENCE", 0.05)
        number = await number_of(client)
        upstream.fault = "500"
        upstream.listed = asyncio.Barrier(2)  # nobody else will come
        with pytest.raises(OrderUnknown):
            await client.orders.equity.place(BUY, number)


async def test_it_goes_on_until_nothing_is_lost_and_ends_with_the_client(tmp_path: Path) -> None:
    looks: list[bool] = []

    async def look() -> bool:
        looks.append(len(looks) == 2)
        if len(looks) == 1:
            raise RuntimeError("a bad moment")
        return looks[-1]

    watch = LostWatch(look, (0, 0, 0, 0, 0))
    watch.start()
    await watch.over()
    assert looks == [False, False, True], "a look that fails is not the last"

    upstream = Upstream()
    async with live(tmp_path, upstream, live_trading=True) as client:
        upstream.fault = "500"
        with pytest.raises(OrderUnknown):
            await client.orders.equity.place(BUY, await number_of(client))
        (task,) = client.lost_watch._tasks
    assert task.cancelled()
    client.watch_lost()
    assert not client.lost_watch._tasks, "a closed client starts nothing"


async def test_an_order_broken_off_is_looked_for(tmp_path: Path) -> None:
    upstream = Upstream()
    async with live(tmp_path, upstream, live_trading=True) as client:
        client._lost_watch = LostWatch(client._nothing_lost, (0,))
        number = await number_of(client)
        upstream.hold.clear()
        task = asyncio.create_task(client.orders.equity.place(BUY, number))
        await upstream.acted.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        upstream.hold.set()
        await client.lost_watch.over()
        assert (await client.orders.journal.show(number)).state == "accepted"


async def test_the_daemon_finds_what_it_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ftcli.trading.watch.PAUSES", (0.01, 0.01))
    settings = config.load({}, environ_of(tmp_path) | {"FT_PAPER_FAULTS": "lost_place=on"})
    order = {"account": "Z10000017", "symbol": "KO", "action": "buy", "quantity": 1}
    order |= {"order_type": "limit", "limit_price": 60}
    async with running(settings) as url, httpx.AsyncClient(base_url=f"{url}/api/v1", timeout=20) as http:

        async def data(method: str, path: str, **more: Any) -> Any:
            return (await http.request(method, path, **more)).json()

        number = (await data("POST", "/orders/equity/preview", json=order))["data"]["conf_num"]
        told = await data("POST", "/orders/equity/place", json={"order": order, "conf_num": number})
        assert told["error"]["code"] == "ORDER_UNKNOWN"
        async with asyncio.timeout(10):
            while (await data("GET", f"/orders/journal/{number}"))["data"]["state"] != "accepted":
                await asyncio.sleep(0.01)
