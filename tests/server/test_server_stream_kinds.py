"""Trades, books, bars and account events over HTTP, on the paper broker's own streams."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import WSMsgType
from server_kit import Daemon

from ftcli.config import Settings

Start = Callable[..., Awaitable[Daemon]]
ORDER = {"account": "Z20000025", "symbol": "KO", "action": "buy", "quantity": 2, "order_type": "market"}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(environment="paper", data_dir=tmp_path, port=0)


@pytest.fixture
async def web(settings: Settings, start: Start) -> AsyncIterator[aiohttp.ClientSession]:
    daemon = await start(settings)
    headers = {"Authorization": f"Bearer {daemon.key}"}
    async with aiohttp.ClientSession(daemon.url, headers=headers) as session:
        yield session


async def place(web: aiohttp.ClientSession, **changes: Any) -> str:
    """Buys something; the order's number."""
    order = ORDER | changes
    async with web.post("/api/v1/orders/equity/preview", json=order) as reply:
        number: str = (await reply.json())["data"]["conf_num"]
    async with web.post("/api/v1/orders/equity/place", json={"order": order, "conf_num": number}) as reply:
        assert reply.status == 200, await reply.text()
    return number


async def next_event(response: aiohttp.ClientResponse, *names: str) -> tuple[str, str, dict[str, Any]]:
    """Name, id and data of the next server-sent event of some names."""
    name = identity = ""
    async with asyncio.timeout(20):
        async for raw in response.content:
            word, _, value = raw.decode().rstrip("\n").partition(": ")
            if word == "event":
                name, identity = value, ""
            elif word == "id":
                identity = value
            elif word == "data" and name in names:
                return name, identity, json.loads(value)
    raise AssertionError("the stream has ended")


@pytest.mark.parametrize(
    ("path", "name", "members"),
    [
        ("book?symbols=AAPL", "book", {"bids", "asks", "best_bid", "best_ask", "spread"}),
        ("bars?symbols=AAPL,SPY", "bar", {"open", "high", "low", "close", "volume", "final"}),
        ("trades?symbols=SPY,AAPL,TSLA,MSFT,KO,PEP", "trade", {"price", "size", "exchange", "cum_volume"}),
    ],
)
async def test_server_sent_events(
    web: aiohttp.ClientSession, path: str, name: str, members: set[str]
) -> None:
    async with web.get(f"/api/v1/streaming/{path}") as response:
        assert response.status == 200
        _, _, hello = await next_event(response, "hello")
        assert hello["symbols"]
        _, identity, data = await next_event(response, name)
        assert members <= set(data)
        assert data["symbol"] in hello["symbols"]
        assert "-" in identity


async def test_a_fill_reaches_event_readers_and_those_who_come_back(web: aiohttp.ClientSession) -> None:
    async with web.get("/api/v1/streaming/events") as response:
        while (await next_event(response, "status"))[2]["state"] != "open":
            pass
        first = await place(web)
        seen = ""
        while True:
            _, seen, event = await next_event(response, "beps")
            if event["event_type"] == "ORDER_FILL":
                break
        assert (event["category"], event["order_id"]) == ("order", first)
        assert event["desc"]["EXECUTED_QTY"] == "2"
    second = await place(web, quantity=4)
    async with web.get("/api/v1/streaming/events", headers={"Last-Event-ID": seen}) as response:
        codes = []
        while not codes or codes[-1] != ("SPBSM", second):
            _, _, event = await next_event(response, "beps")
            codes.append((event["code"], event["desc"].get("ORDER_NUM", second)))
        # What followed the first fill, then all of the second order: nothing twice, nothing missing.
        assert codes[0] == ("SPPOS", first)
        assert [code for code, number in codes if number == second][-5:] == [
            "ORDUP", "ORDUP", "MFCEX", "SPPOS", "SPBSM",
        ]  # fmt: skip


async def test_websockets_of_every_kind(web: aiohttp.ClientSession) -> None:
    for path, member in (("trades", "price"), ("book", "bids"), ("bars", "open")):
        symbols = ["SPY"] if path == "book" else ["SPY", "AAPL", "TSLA", "MSFT", "KO", "PEP"]
        async with web.ws_connect(f"/api/v1/ws/{path}") as ws:
            await ws.send_json({"action": "subscribe", "symbols": symbols, "id": 7})
            ack = await asyncio.wait_for(ws.receive_json(), 10)
            assert (ack["type"], ack["id"], ack["symbols"]) == ("ack", 7, symbols)
            async with asyncio.timeout(20):
                while "type" in (data := await ws.receive_json()):
                    pass
            assert data["symbol"] in symbols
            assert member in data


async def test_the_websocket_of_events_needs_no_command(web: aiohttp.ClientSession) -> None:
    async with web.ws_connect("/api/v1/ws/events") as ws:
        async with asyncio.timeout(10):
            while (await ws.receive_json()).get("state") != "open":
                pass
        await ws.send_json({"action": "subscribe", "symbols": ["KO"], "id": 1})
        refusal = await asyncio.wait_for(ws.receive_json(), 10)
        assert (refusal["type"], refusal["error"]["code"]) == ("error", "VALIDATION_ERROR")
        number = await place(web)
        async with asyncio.timeout(10):
            while True:
                message = await ws.receive()
                assert message.type is WSMsgType.TEXT
                data = json.loads(message.data)
                if data.get("event_type") == "ORDER_FILL":
                    break
        assert data["order_id"] == number


async def test_an_unknown_symbol_is_told_and_the_others_stream(web: aiohttp.ClientSession) -> None:
    async with web.get("/api/v1/streaming/book?symbols=ZZZZQ,AAPL") as response:
        found = {
            name: data
            for name, _, data in [await next_event(response, "symbol_error", "book") for _ in range(2)]
        }
    assert found["symbol_error"]["symbol"] == "ZZZZQ"
    assert found["book"]["symbol"] == "AAPL"


async def test_concurrent_first_readers_share_one_hub(web: aiohttp.ClientSession) -> None:
    async def read(symbol: str) -> None:
        async with web.get(f"/api/v1/streaming/quotes?symbols={symbol}") as response:
            await next_event(response, "quote")

    await asyncio.gather(*(read(symbol) for symbol in ("AAPL", "KO", "SPY", "PEP", "TSLA", "MSFT")))
    async with web.get("/api/v1/streaming/status") as reply:
        status = (await reply.json())["data"]
    assert len([socket for socket in status["mdds"]["sockets"] if socket["pool"] == "quote"]) == 1
