"""The hub against a scripted broker on a real socket: quotes from connecting to recovering."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from stream_doubles import ManualTiming, ScriptedBroker, settle, soon

from ftcli.streaming.consumer import Consumer
from ftcli.streaming.hub import Hub
from ftcli.streaming.options import MddsOptions

KO = {
    "6": "KO",
    "1": "Coca-Cola",
    "29": "72.15",
    "20": "72.14",
    "18": "72.16",
    "128": "EQ",
    "169": "realtime",
}


class World:
    def __init__(self, broker: ScriptedBroker, timing: ManualTiming, hub: Hub) -> None:
        self.broker, self.timing, self.hub = broker, timing, hub
        self.cookies = ["ATC=one", "ATC=two", "ATC=three", "ATC=four"]
        self.alive: list[bool] = []
        self.asked = 0


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with ScriptedBroker() as broker:
        timing = ManualTiming()
        made: list[World] = []

        async def alive() -> bool:
            made[0].asked += 1
            return made[0].alive.pop(0) if made[0].alive else True

        options = MddsOptions(url=broker.url, cookie=lambda: made[0].cookies.pop(0), session_alive=alive)
        async with Hub(options, timing=timing, jitter=lambda: 0.5) as hub:
            made.append(World(broker, timing, hub))
            yield made[0]


async def opened(consumer: Consumer) -> None:
    """The status that says that the connection is there."""
    status = await soon(anext(consumer))
    assert (status.kind, read(status)["state"]) == ("status", "open")


def read(update: Any) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(update.bytes)
    return document


async def test_a_reader_gets_snapshot_and_deltas(world: World) -> None:
    async with world.hub.quotes(["ko"]) as consumer:
        peer = await world.broker.peer()
        assert peer.cookie == "ATC=one"
        assert await peer.command() == {
            "SessionId": "session-1", "Command": "subscribe", "Symbol": "KO", "ConflationRate": 1000,
            "IncludeGreeks": False,
        }  # fmt: skip
        await opened(consumer)
        await peer.snapshot(KO)
        first = await soon(anext(consumer))
        assert (first.symbol, first.seq, read(first)["snapshot"], read(first)["last"]) == (
            "KO",
            1,
            True,
            72.15,
        )
        await peer.delta({"6": "KO", "20": "72.15"})
        second = await soon(anext(consumer))
        assert (read(second)["bid"], read(second)["ask"], second.seq) == (72.15, 72.16, 2)
        assert str(second.quote.bid) == "72.15"


async def test_two_readers_share_bytes_and_subscription(world: World) -> None:
    async with world.hub.quotes(["KO"]) as one, world.hub.quotes(["KO", "PEP"]) as two:
        peer = await world.broker.peer()
        await peer.command()
        await opened(one)
        await opened(two)
        await peer.snapshot(KO)
        assert await soon(anext(one)) is await soon(anext(two))
        assert world.hub.subscriptions().subscriptions[0].count == 2


async def test_a_late_reader_gets_the_present_state(world: World) -> None:
    async with world.hub.quotes(["KO"]) as one:
        peer = await world.broker.peer()
        await peer.command()
        await peer.snapshot(KO)
        await opened(one)
        await soon(anext(one))
        await peer.delta({"6": "KO", "20": "72.15"})
        await soon(anext(one))
        async with world.hub.quotes(["KO"]) as two:
            update = two.take()
            assert update is not None
            assert (read(update)["bid"], read(update)["snapshot"], update.seq) == (72.15, True, 2)
            assert peer.quiet()


async def test_loss_and_recovery(world: World) -> None:
    async with world.hub.quotes(["KO"]) as consumer:
        peer = await world.broker.peer()
        await peer.command()
        await peer.snapshot(KO)
        await opened(consumer)
        await soon(anext(consumer))
        await peer.drop()
        status = read(await soon(anext(consumer)))
        assert status | {"reason": ""} == {
            "stream": "mdds", "pool": "quote", "state": "reconnecting", "attempt": 1, "next_retry_s": 0.5,
            "stale_symbols": 1, "since": "2025-10-05T14:20:00Z", "type": "status", "reason": "",
        }  # fmt: skip
        stale = read(await soon(anext(consumer)))
        assert (stale["last"], stale["stale"], stale["seq"]) == (72.15, True, 2)
        await world.timing.advance(0.5)
        assert world.asked == 1
        again = await world.broker.peer()
        assert again.cookie == "ATC=two"
        assert (await again.command())["SessionId"] == "session-2"
        back = read(await soon(anext(consumer)))
        assert (back["state"], back["gap_ms"]) == ("open", 500)
        await again.snapshot({**KO, "29": "72.5"})
        fresh = read(await soon(anext(consumer)))
        assert (fresh["last"], fresh["stale"], fresh["snapshot"], fresh["seq"]) == (72.5, False, True, 3)


async def test_an_unknown_symbol_is_told_to_its_reader_only_and_remembered(world: World) -> None:
    async with world.hub.quotes(["KO"]) as good, world.hub.quotes(["ZQZQX"]) as bad:
        peer = await world.broker.peer()
        assert (await peer.command())["Symbol"] == "KO,ZQZQX"
        await peer.refuse("ZQZQX")
        await opened(bad)
        await opened(good)
        error = read(await soon(anext(bad)))
        assert (error["reason"], error["code"], error["symbol"]) == ("symbol_not_found", "18", "ZQZQX")
        assert good.take() is None
        async with world.hub.quotes(["ZQZQX"]) as again:
            update = again.take()
            assert update is not None
            assert read(update)["type"] == "symbol_error"
        await settle()
        assert peer.quiet()


async def test_unsubscribe_waits_ten_seconds(world: World) -> None:
    consumer = world.hub.quotes(["KO"])
    consumer.open()
    peer = await world.broker.peer()
    await peer.command()
    await peer.snapshot(KO, request="7c41e09a")
    await opened(consumer)
    await soon(anext(consumer))
    consumer.close("left")
    await world.timing.advance(9)
    async with world.hub.quotes(["KO"]) as back:
        assert back.take() is not None
        await world.timing.advance(20)
        assert peer.quiet()
    await world.timing.advance(10.1)
    assert await peer.command() == {"SessionId": "session-1", "Command": "unsubscribe", "Request": "7c41e09a"}
    assert world.hub.subscriptions().subscriptions == []
    await world.timing.advance(61)
    await peer.ended()
    assert world.hub.status().mdds.state == "none"
