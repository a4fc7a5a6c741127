"""A socket's life: opening, reconnecting, cookies, clocks (protocol 05 §1.3, 1.7, 6)."""

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import pytest
from stream_doubles import ManualTiming, Peer, ScriptedBroker, settle, soon
from transcripts import assert_in_order, parse, transcript

from ftcli.errors import RateLimited
from ftcli.streaming.consumer import Consumer
from ftcli.streaming.hub import Hub
from ftcli.streaming.options import MddsOptions
from ftcli.streaming.schedule import Schedule
from ftcli.streaming.sockets import SocketClosed, SocketRefused, Upgrade, connector
from ftcli.streaming.timing import SYSTEM, Alarm

KO = {"6": "KO", "29": "72.16", "20": "72.15", "18": "72.17"}


class World:
    """A hub on a scripted broker, with a session that tests can let expire."""

    def __init__(self, broker: ScriptedBroker) -> None:
        self.broker = broker
        self.timing = ManualTiming()
        self.alive: list[bool | Exception] = []
        self.renewals: list[bool] = []
        self.asked = 0
        self.renewed = 0
        self.cookies = 0
        self.open = False
        self.hub = self.make()

    def make(self, **options: Any) -> Hub:
        ours = {
            "url": self.broker.url,
            "cookie": self.cookie,
            "session_alive": self.session_alive,
            "renew": self.renew,
            "market_open": self.market_open,
        }
        return Hub(MddsOptions(**(ours | options)), timing=self.timing, jitter=lambda: 0.5)

    async def cookie(self) -> str:
        self.cookies += 1
        return f"ATC={self.cookies}"

    async def session_alive(self) -> bool:
        self.asked += 1
        answer = self.alive.pop(0) if self.alive else True
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def renew(self) -> bool:
        self.renewed += 1
        return self.renewals.pop(0) if self.renewals else True

    def market_open(self, moment: datetime) -> bool:
        assert moment.tzinfo is not None
        return self.open


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with ScriptedBroker() as broker:
        made = World(broker)
        async with made.hub:
            yield made


async def take(consumer: Consumer, kind: str = "status") -> dict[str, Any]:
    """The next update, which must be of this kind."""
    update = await soon(anext(consumer))
    assert update.kind == kind, update.bytes
    return parse(update.bytes)


async def opened(world: World, consumer: Consumer) -> Peer:
    """The next connection, brought to where quotes flow."""
    peer = await world.broker.peer()
    await peer.command()
    assert (await take(consumer))["state"] == "open"
    await peer.snapshot(KO)
    await take(consumer, "quote")
    return peer


def test_the_schedule() -> None:
    even = Schedule(jitter=lambda: 0.5)
    assert [even.wait(number) for number in range(1, 10)] == [0.5, 1, 2, 3, 4.5, 10, 30, 30, 30]
    assert Schedule(jitter=lambda: 0.0).wait(6) == 8
    assert Schedule(jitter=lambda: 1.0).wait(6) == 12


async def test_greetings_transcript(world: World) -> None:
    lines = transcript("greetings")
    good, bad = (line.text for line in lines if line.who == "S")
    published: list[dict[str, Any]] = []
    async with world.hub.quotes(["KO"]) as consumer:
        peer = await world.broker.peer(greet=False)
        await peer.send(good)
        published.append(await take(consumer))
        await peer.drop()
        published.append(await take(consumer))
        await world.timing.advance(0.5)
        peer = await world.broker.peer(greet=False)
        await peer.send(bad)
        published.append(await take(consumer))
        await peer.ended()
    # In the transcript the refused greeting is a first attempt; here it follows one that was good.
    wanted = [line.document for line in lines if line.who == "O"]
    assert_in_order(published, wanted)
    assert published[-1]["attempt"] == 2


async def test_recovery_transcript(world: World) -> None:
    wanted = [line.document for line in transcript("recovery") if line.who == "O"]
    async with world.hub.quotes(["KO"]) as quotes, world.hub.books(["KO"]) as books:
        peers = [await world.broker.peer() for _ in "12"]
        for peer in peers:
            word = (await peer.command())["Command"]
            item = KO if word == "subscribe" else {"6": "KO.VB", "462": "72.1500"}
            await peer.snapshot(item, word=word)
        for consumer, kind in ((quotes, "quote"), (books, "book")):
            await take(consumer)
            await take(consumer, kind)
        await world.timing.advance(1.34)
        for peer in peers:
            await peer.drop()
        published = [await take(quotes), await take(quotes, "quote")]
        assert (await take(books))["pool"] == "book"
        published.append(await take(books, "book"))
        await world.timing.advance(0.5)
        for _ in "12":
            peer = await world.broker.peer()
            if (await peer.command())["Command"] == "subscribe":
                await peer.snapshot({"6": "KO", "18": "72.2", "20": "72.19", "29": "72.19", "33": "8139002"})
        published += [await take(quotes), await take(quotes, "quote")]
        # Moments, lengths and counts are the transcript's own; ours are frozen.
        for document in wanted:
            for name in ("since", "stale_since", "gap_ms", "seq"):
                document.pop(name, None)
        assert_in_order(published, wanted)
        # The last frame came at the start: what the 1.34 seconds after it held may be lost.
        assert published[0]["since"] == "2025-10-05T14:20:00Z"
        assert published[1]["stale_since"] == "2025-10-05T14:20:00.000Z"


async def test_a_loss_begins_at_the_last_proof_of_life_not_when_it_is_noticed(world: World) -> None:
    async with world.hub.quotes(["KO"]) as quotes, world.hub.trades(["KO"]) as trades:
        peers = [await world.broker.peer() for _ in "12"]
        for peer in peers:
            await peer.command()
            await peer.snapshot(KO)
        for consumer in (quotes, trades):
            await take(consumer)
        await take(quotes, "quote")
        await world.timing.advance(5)
        for peer in peers:
            await peer.delta({"6": "KO", "29": "72.2", "28": "100", "33": "500"})
        await take(quotes, "quote")
        await take(trades, "trade")
        for peer in peers:
            peer.connection.transport.pause_reading()
        await world.timing.advance(25)
        for consumer in (quotes, trades):
            assert (await take(consumer))["since"] == "2025-10-05T14:20:05Z"
        assert (await take(quotes, "quote"))["stale_since"] == "2025-10-05T14:20:05.000Z"
        for peer in peers:
            peer.connection.transport.resume_reading()
        await world.timing.advance(0.5)
        for _ in "12":
            peer = await world.broker.peer()
            await peer.command()
            await peer.snapshot(KO)
        assert (await take(trades))["gap_ms"] == 25_500
        gap = await take(trades, "gap")
        assert (gap["from"], gap["to"]) == ("2025-10-05T14:20:05.000Z", "2025-10-05T14:20:30.500Z")


async def test_a_pong_is_a_proof_of_life_too(world: World) -> None:
    async with world.hub.quotes(["KO"]) as consumer:
        peer = await opened(world, consumer)
        await world.timing.advance(20)
        await peer.flush()
        await world.timing.advance(3)
        await peer.drop()
        assert (await take(consumer))["since"] == "2025-10-05T14:20:20Z"


async def test_a_connection_that_brings_nothing_does_not_end_the_outage(world: World) -> None:
    async with world.hub.quotes(["KO"]) as consumer:
        peer = await opened(world, consumer)
        await world.timing.advance(2)
        await peer.drop()
        await take(consumer)
        await take(consumer, "quote")
        await world.timing.advance(0.5)
        peer = await world.broker.peer()
        assert (await take(consumer))["gap_ms"] == 2500
        await world.timing.advance(1)
        await peer.drop()
        again = await take(consumer)
        assert (again["state"], again["since"]) == ("reconnecting", "2025-10-05T14:20:00Z")
        assert (await take(consumer, "quote"))["stale_since"] == "2025-10-05T14:20:00.000Z"
        await world.timing.advance(1)
        peer = await world.broker.peer()
        assert (await take(consumer))["gap_ms"] == 4500
        await peer.snapshot(KO)
        assert (await take(consumer, "quote"))["stale"] is False
        await world.timing.advance(3)
        await peer.drop()
        assert (await take(consumer))["since"] == "2025-10-05T14:20:04.500000Z"


async def test_a_symbol_that_is_never_answered_is_asked_for_again_and_its_readers_know(world: World) -> None:
    async with world.hub.quotes(["KO"]) as consumer:
        peer = await world.broker.peer()
        await peer.command()
        await take(consumer)
        await world.timing.advance(10)
        assert (await peer.command())["Symbol"] == "KO"
        await world.timing.advance(10)
        assert (await take(consumer, "symbol_error"))["reason"] == "subscribe_timeout"
        async with world.hub.quotes(["KO"]) as later:
            assert (await take(later, "symbol_error"))["reason"] == "subscribe_timeout"
            for _ in "123":
                await world.timing.advance(30)
                assert (await peer.command())["Symbol"] == "KO"
                await world.timing.advance(10)
            assert consumer.take() is None
            await world.timing.advance(30)
            await peer.command()
            await peer.snapshot(KO)
            for reader in (consumer, later):
                assert (await take(reader, "quote"))["stale"] is False
            await world.timing.advance(100)
            await peer.flush()
            assert peer.quiet()


async def test_no_greeting_in_ten_seconds(world: World) -> None:
    async with world.hub.quotes(["KO"]) as consumer:
        peer = await world.broker.peer(greet=False)
        await settle()
        await world.timing.advance(9.9)
        assert consumer.take() is None
        await world.timing.advance(0.1)
        status = await take(consumer)
        assert (status["state"], status["reason"]) == ("reconnecting", "no connect message")
        await peer.ended()


async def test_a_first_message_that_is_no_greeting(world: World) -> None:
    async with world.hub.quotes(["KO"]) as consumer:
        peer = await world.broker.peer(greet=False)
        await peer.delta(KO)
        assert (await take(consumer))["reason"] == "connect message missing or bad"


async def test_attempts_follow_the_schedule_and_the_session_is_asked_at_the_first_and_every_third(
    world: World,
) -> None:
    async with world.hub.quotes(["KO"]) as consumer:
        peer = await opened(world, consumer)
        world.broker.refusals = [503] * 7
        await peer.drop()
        waits, asked = [], []
        for _ in range(7):
            status = await take(consumer)
            waits.append(float(status["next_retry_s"]))
            if status["attempt"] == 1:
                await take(consumer, "quote")
            await world.timing.advance(waits[-1])
            asked.append(world.asked)
        assert waits == [0.5, 1, 2, 3, 4.5, 10, 30]
        assert asked == [1, 1, 1, 2, 2, 2, 3]
        assert (await take(consumer))["next_retry_s"] == 30
        await world.timing.advance(30)
        await opened(world, consumer)
        assert world.cookies == 9


async def test_the_schedule_starts_over_after_a_minute(world: World) -> None:
    async with world.hub.quotes(["KO"]) as consumer:
        for lasted, attempt in ((59, 1), (59, 2), (60, 1)):
            peer = await opened(world, consumer)
            await world.timing.advance(lasted)
            await peer.drop()
            status = await take(consumer)
            assert status["attempt"] == attempt
            await take(consumer, "quote")
            await world.timing.advance(float(status["next_retry_s"]))


async def test_without_a_network_nobody_is_bothered_with_a_login(world: World) -> None:
    async with world.hub.quotes(["KO"]) as consumer:
        peer = await opened(world, consumer)
        world.alive = [OSError("no network"), OSError("no network"), True]
        await peer.drop()
        for attempt, wait in ((1, 0.5), (2, 1), (3, 2)):
            status = await take(consumer)
            assert (status["attempt"], status["state"]) == (attempt, "reconnecting")
            if attempt == 1:
                await take(consumer, "quote")
            await world.timing.advance(wait)
        await opened(world, consumer)
        assert world.renewed == 0


async def test_an_expired_session_is_renewed_once(world: World) -> None:
    async with world.hub.quotes(["KO"]) as consumer:
        peer = await opened(world, consumer)
        world.alive = [False]
        await peer.drop()
        await take(consumer)
        await take(consumer, "quote")
        await world.timing.advance(0.5)
        assert (await take(consumer))["state"] == "auth_required"
        await opened(world, consumer)
        assert world.renewed == 1


async def test_a_session_only_a_person_can_renew(world: World) -> None:
    world.renewals = [False]
    async with world.hub.quotes(["KO"]) as consumer:
        peer = await opened(world, consumer)
        world.alive = [False] * 10
        await peer.drop()
        await take(consumer)
        await take(consumer, "quote")
        await world.timing.advance(0.5)
        assert (await take(consumer))["state"] == "auth_required"
        await world.timing.advance(95)
        assert world.asked == 4
        assert world.broker.upgrades == 1
        assert world.hub.status().mdds.state == "auth_required"
        world.alive = []
        world.hub.session_renewed()
        await opened(world, consumer)
        assert world.renewed == 1


@pytest.mark.parametrize("status", [401, 403, 302])
async def test_a_refusal_by_a_session_that_calls_itself_alive(world: World, status: int) -> None:
    world.broker.refusals = [status, status]
    async with world.hub.quotes(["KO"]) as consumer:
        first = await take(consumer)
        assert (first["state"], first["reason"]) == ("reconnecting", f"upgrade refused with {status}")
        await world.timing.advance(0.5)
        assert (await take(consumer))["attempt"] == 2
        assert world.renewed == 0
        await world.timing.advance(6)
        assert (await take(consumer))["state"] == "auth_required"
        await opened(world, consumer)
        assert world.renewed == 1


async def test_two_sockets_ask_one_question(world: World) -> None:
    async with world.hub.quotes(["KO"]) as quotes, world.hub.trades(["KO"]) as trades:
        peers = [await world.broker.peer() for _ in "12"]
        for peer, consumer in zip(peers, (quotes, trades), strict=True):
            await peer.command()
            await take(consumer)
        world.alive = [False]
        for peer in peers:
            await peer.drop()
        for consumer in (quotes, trades):
            await take(consumer)
        await world.timing.advance(0.5)
        # The first to come asks and renews; the other finds the session alive again.
        for _ in "12":
            await world.broker.peer()
        assert (world.asked, world.renewed) == (1, 1)


async def test_a_socket_that_answers_no_ping(world: World) -> None:
    async with world.hub.quotes(["KO"]) as consumer:
        peer = await opened(world, consumer)
        # From now on the server reads nothing, so it answers no ping.
        peer.connection.transport.pause_reading()
        await world.timing.advance(29.9)
        assert consumer.take() is None
        await world.timing.advance(0.1)
        status = await take(consumer)
        assert (status["state"], status["reason"]) == ("reconnecting", "no pong")
        peer.connection.transport.resume_reading()


async def test_pings_go_on(world: World) -> None:
    async with world.hub.quotes(["KO"]) as consumer:
        peer = await opened(world, consumer)
        for _ in range(10):
            await world.timing.advance(20)
            await peer.flush()
        assert consumer.take() is None


async def test_silence_in_market_hours(world: World) -> None:
    world.open = True
    async with world.hub.quotes(["KO"]) as consumer:
        peer = await opened(world, consumer)
        await quiet(world, peer, 59)
        assert consumer.take() is None
        await quiet(world, peer, 1)
        suspect = await take(consumer)
        assert (suspect["state"], suspect["stale_symbols"]) == ("suspect", 1)
        assert suspect["since"] == "2025-10-05T14:20:00Z"
        assert (await take(consumer, "quote"))["stale"] is True
        await peer.delta({"6": "KO", "29": "73"})
        assert (await take(consumer))["state"] == "open"
        assert (await take(consumer, "quote"))["stale"] is False
        assert (await take(consumer, "quote"))["last"] == 73
        await quiet(world, peer, 60)
        await take(consumer)
        await take(consumer, "quote")
        await quiet(world, peer, 30)
        dead = await take(consumer)
        assert (dead["state"], dead["reason"]) == ("reconnecting", "no data")
        assert dead["since"] == "2025-10-05T14:21:00Z"


async def quiet(world: World, peer: Peer, seconds: int) -> None:
    """Time passes; the peer answers pings and says nothing else."""
    for _ in range(seconds):
        await world.timing.advance(1)
        if peer.connection.state.name == "OPEN":
            await peer.connection.ping()
            await settle()
    await settle(60)


async def test_silence_is_normal_when_the_market_is_closed_and_before_the_bell(world: World) -> None:
    async with world.hub.quotes(["KO"]) as consumer:
        peer = await opened(world, consumer)
        await quiet(world, peer, 300)
        world.open = True
        await quiet(world, peer, 59)
        assert consumer.take() is None
        await quiet(world, peer, 21)
        assert (await take(consumer))["state"] == "suspect"


async def test_a_cookie_that_cannot_be_had_ends_nothing(world: World) -> None:
    calls = 0

    def cookie() -> str:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise RuntimeError("locked")
        return "ATC=1"

    async with world.make(cookie=cookie) as hub, hub.quotes(["KO"]) as consumer:
        assert (await take(consumer))["reason"] == "internal error"
        await world.timing.advance(0.5)
        await opened(world, consumer)


async def test_symbols_spread_over_sockets_and_a_cap(world: World) -> None:
    hub = world.make(per_socket={"quote": 2, "trade": 2, "book": 1, "bar": 2}, max_sockets=3)
    async with hub, hub.quotes(["A", "B", "C"]), hub.books(["A"]) as books:
        for _ in range(3):
            await world.broker.peer()
        with pytest.raises(RateLimited) as problem:
            books.add(["B"])
        assert problem.value.details == {"kind": "book", "wanted": 1, "room": 0}
        assert books.symbols == {"A"}
        async with hub.quotes(["C", "D"]):
            with pytest.raises(RateLimited):
                hub.quotes(["E"]).open()
            sockets = hub.status().mdds.sockets
            assert sorted((socket.pool, socket.symbols) for socket in sockets) == [
                ("book", 1), ("quote", 2), ("quote", 2),
            ]  # fmt: skip


async def test_closing_ends_every_task(world: World) -> None:
    before = asyncio.all_tasks()
    hub = world.make()
    consumers = [hub.quotes(["KO"]), hub.trades(["KO"]), hub.books(["KO"]), hub.bars(["KO"])]
    for consumer in consumers:
        consumer.open()
    for _ in range(4):
        await world.broker.peer()
    await soon(hub.aclose())
    await hub.aclose()
    for consumer in consumers:
        assert consumer.close_reason == "shutdown"
        while consumer.take() is not None:
            pass
        with pytest.raises(StopAsyncIteration):
            await anext(consumer)
    mine = {task for task in asyncio.all_tasks() - before if task.get_name().startswith("mdds")}
    assert mine == set()
    with pytest.raises(RateLimited):
        hub.quotes(["KO"]).open()


@pytest.mark.parametrize("moment", ["connecting", "waiting"])
async def test_closing_while_there_is_no_connection(world: World, moment: str) -> None:
    hub = world.make()
    consumer = hub.quotes(["KO"])
    consumer.open()
    if moment == "waiting":
        peer = await world.broker.peer()
        await peer.drop()
        while (await take(consumer))["state"] != "reconnecting":
            pass
    await soon(hub.aclose())


# -- sockets -----------------------------------------------------------------------------------------------


async def test_redirects_are_refusals() -> None:
    async with ScriptedBroker() as broker:
        broker.refusals = [302]
        with pytest.raises(SocketRefused) as refused:
            await connector()(Upgrade(url=broker.url))
        assert refused.value.status == 302


async def test_no_error_shows_the_url() -> None:
    with pytest.raises(SocketClosed) as problem:
        await connector()(Upgrade(url="ws://127.0.0.1:9/?header=SECRETTOKEN", timeout=2))
    assert "SECRET" not in str(problem.value)
    assert problem.value.__cause__ is None
    with pytest.raises(SocketClosed):
        await connector()(Upgrade(url="nonsense"))


async def test_no_log_shows_cookie_or_url(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with ScriptedBroker() as broker:
        upgrade = Upgrade(url=broker.url + "&header=SECRETTOKEN", headers={"Cookie": "ATC=SECRETCOOKIE"})
        socket = await connector()(upgrade)
        await broker.peer(greet=False)
        await socket.close()
    client = [record.getMessage() for record in caplog.records if not record.name.endswith(".server")]
    assert not [text for text in client if "SECRET" in text]


async def test_a_server_without_the_subprotocol() -> None:
    async with ScriptedBroker() as broker:
        with pytest.raises(SocketClosed):
            await connector()(Upgrade(url=broker.url, subprotocol="graphql-ws"))


async def test_compression_is_offered() -> None:
    async with ScriptedBroker() as broker:
        socket = await connector()(Upgrade(url=broker.url, user_agent="ATPNext/1"))
        peer = await broker.peer(greet=False)
        request = peer.connection.request
        assert request is not None
        assert "permessage-deflate" in request.headers["Sec-WebSocket-Extensions"]
        assert request.headers["User-Agent"] == "ATPNext/1"
        assert "Origin" not in request.headers
        await socket.close()
        with pytest.raises(SocketClosed):
            await socket.send("x")


async def test_the_system_clocks() -> None:
    alarm = Alarm(SYSTEM)
    assert await alarm.wait(0) is False
    assert await alarm.wait(0.001) is False
    alarm.ring()
    assert await alarm.wait(None) is True
    waiting = asyncio.create_task(alarm.wait(60))
    await settle()
    alarm.ring()
    assert await soon(waiting) is True


async def test_delayed_quotes_are_complained_about_once(world: World) -> None:
    calls = 0

    async def entitle() -> None:
        nonlocal calls
        calls += 1
        raise OSError("no network")

    delayed = KO | {"169": "delayed"}
    async with world.make(entitle=entitle) as hub, hub.quotes(["KO", "PEP"]) as consumer:
        peer = await world.broker.peer()
        await peer.command()
        await take(consumer)
        await peer.snapshot(delayed)
        await take(consumer, "quote")
        await world.timing.advance(5)
        assert calls == 0
        await peer.snapshot(delayed | {"6": "PEP"})
        await take(consumer, "quote")
        await world.timing.advance(5)
        assert calls == 1
        status = await take(consumer)
        assert status["reason"] == "all quotes are delayed"
        for _ in "12":
            await take(consumer, "quote")
        await world.timing.advance(0.5)
        again = await world.broker.peer()
        await take(consumer)
        for symbol in ("KO", "PEP"):
            await again.snapshot(delayed | {"6": symbol})
            assert (await take(consumer, "quote"))["delayed"] is True
        await world.timing.advance(15)
        assert calls == 1
        assert consumer.take() is None
