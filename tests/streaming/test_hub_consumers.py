"""Readers of the hub: conflation, sinks, limits, replay, holds."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from stream_doubles import ManualTiming, Peer, ScriptedBroker, settle, soon

from ftcli.errors import NotFound, RateLimited, ValidationFailed
from ftcli.streaming.consumer import Consumer, transport_sink
from ftcli.streaming.hub import Hub
from ftcli.streaming.options import Limits, MddsOptions
from ftcli.streaming.update import Update, ws_text_frame


class World:
    def __init__(self, broker: ScriptedBroker) -> None:
        self.broker = broker
        self.timing = ManualTiming()
        self.hubs: list[Hub] = []

    def hub(self, **limits: int) -> Hub:
        hub = Hub(
            MddsOptions(url=self.broker.url), timing=self.timing, jitter=lambda: 0.5, limits=Limits(**limits)
        )
        self.hubs.append(hub)
        return hub

    async def live(self, *symbols: str) -> Peer:
        """The next connection with snapshots of these symbols sent."""
        peer = await self.broker.peer()
        await peer.command()
        for symbol in symbols:
            await peer.snapshot({"6": symbol, "29": "1", "33": "1000"})
        await peer.flush()
        return peer


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with ScriptedBroker() as broker:
        made = World(broker)
        yield made
        for hub in made.hubs:
            await hub.aclose()


def drain(consumer: Consumer, kind: str = "quote") -> list[Update]:
    found = []
    while (update := consumer.take()) is not None:
        if update.kind == kind:
            found.append(update)
    return found


def last(update: Update) -> Any:
    return json.loads(update.bytes)["last"]


async def ticks(peer: Peer, count: int, *symbols: str) -> None:
    for number in range(count):
        await peer.delta(*({"6": symbol, "29": str(number + 2)} for symbol in symbols))
    await peer.flush()


async def test_a_reader_that_keeps_up_sees_every_tick(world: World) -> None:
    hub = world.hub(queue=20)
    async with hub.quotes(["KO"]) as consumer:
        peer = await world.live("KO")
        await ticks(peer, 15, "KO")
        assert [last(update) for update in drain(consumer)] == list(range(1, 17))
        assert consumer.conflated == 0


async def test_a_slow_reader_gets_the_latest_of_each_symbol_and_slows_nobody(world: World) -> None:
    hub = world.hub(queue=4)
    async with hub.quotes(["KO", "PEP"]) as slow, hub.quotes(["KO"]) as quick:
        peer = await world.live("KO", "PEP")
        seen = [last(update) for update in drain(quick)]
        for number in range(20):
            await peer.delta({"6": "KO", "29": str(number + 2)}, {"6": "PEP", "29": str(number + 100)})
            await peer.flush()
            seen += [last(update) for update in drain(quick)]
        assert seen == list(range(1, 22))
        found = drain(slow)
        assert len(found) <= 6
        assert {update.symbol: last(update) for update in found[-2:]} == {"KO": 21, "PEP": 119}
        assert slow.conflated > 30
        for symbol in ("KO", "PEP"):
            seqs = [update.seq for update in found if update.symbol == symbol]
            assert seqs == sorted(seqs)


async def test_a_busy_symbol_does_not_starve_in_the_line(world: World) -> None:
    hub = world.hub(queue=2)
    async with hub.quotes(["KO", "PEP", "XOM"]) as slow:
        peer = await world.live("KO", "PEP", "XOM")
        await ticks(peer, 3, "KO", "PEP", "XOM")
        drained = []
        for _ in range(12):
            await ticks(peer, 1, "KO", "PEP", "XOM")
            update = slow.take()
            assert update is not None
            drained.append(update.symbol)
        assert {drained.count(symbol) for symbol in ("KO", "PEP", "XOM")} <= {3, 4, 5}


async def test_prints_are_never_conflated(world: World) -> None:
    hub = world.hub(queue=4)
    async with hub.trades(["KO"]) as slow, hub.trades(["KO"]) as quick:
        peer = await world.live("KO")
        got = []
        for number in range(6):
            await peer.delta({"6": "KO", "29": str(number + 2), "28": "1", "33": str(1001 + number)})
            got.append(await soon(anext(quick)))
            if got[-1].kind == "status":
                got[-1] = await soon(anext(quick))
        assert slow.close_reason == "overflow"
        kept = drain(slow, "trade")
        assert len(kept) == 3
        with pytest.raises(RateLimited) as problem:
            await anext(slow)
        assert problem.value.details == {"last_id": kept[-1].event_id, "waiting": 4}
        assert slow not in hub.consumers
        async with hub.trades(["KO"], last_id=kept[-1].event_id) as back:
            assert [update.id for update in drain(back, "trade")] == [update.id for update in got[3:]]


async def test_sinks_are_called_in_line_with_shared_frames(world: World) -> None:
    hub = world.hub()
    written: list[list[bytes]] = [[], []]
    consumers = [
        hub.quotes(["KO"], sink=lambda update, to=to: to.append(update.sse_chunk))  # type: ignore[misc]
        for to in written
    ]
    for consumer in consumers:
        consumer.open()
    await world.live("KO")
    chunk = written[0][-1]
    assert chunk is written[1][-1]
    size, body = chunk.split(b"\r\n", 1)
    assert int(size, 16) == len(body) - 2
    lines = body.decode().splitlines()
    assert lines[0] == "event: quote"
    assert lines[1].startswith("id: ")
    assert json.loads(lines[2].removeprefix("data: "))["symbol"] == "KO"
    assert lines[3] == ""


async def test_a_sink_that_is_full_is_conflated_until_it_is_flushed(world: World) -> None:
    hub = world.hub()
    written: list[int] = []
    room = 2

    def sink(update: Update) -> bool:
        nonlocal room
        if update.kind != "quote":
            return True
        if not room:
            return False
        room -= 1
        written.append(last(update))
        return True

    consumer = hub.quotes(["KO"], sink=sink)
    consumer.open()
    congested = asyncio.create_task(consumer.congested())
    peer = await world.live("KO")
    assert not congested.done()
    await ticks(peer, 9, "KO")
    await soon(congested)
    assert (written, consumer.waiting, consumer.conflated) == ([1, 2], 1, 7)
    assert consumer.flush() is False
    room = 5
    assert consumer.flush() is True
    await ticks(peer, 1, "KO")
    assert written == [1, 2, 10, 2]
    assert consumer.last_id > 0


class Pipe(asyncio.WriteTransport):
    """A transport whose buffer the test fills and empties."""

    def __init__(self) -> None:
        super().__init__()
        self.buffered = 0
        self.written: list[bytes] = []

    def get_write_buffer_size(self) -> int:
        return self.buffered

    def write(self, data: Any) -> None:
        self.written.append(bytes(data))


async def test_a_pump_keeps_a_connection_supplied(world: World) -> None:
    hub = world.hub()
    pipe = Pipe()
    drains = 0
    room = asyncio.Event()

    async def drain() -> None:
        nonlocal drains
        drains += 1
        await room.wait()

    consumer = hub.quotes(["KO"], sink=transport_sink(pipe, lambda update: update.ws_frame))
    consumer.open()
    pumping = asyncio.create_task(consumer.pump(drain))
    peer = await world.live("KO")
    before = len(pipe.written)
    pipe.buffered = 100_000
    await ticks(peer, 5, "KO")
    assert (len(pipe.written), drains) == (before, 1)
    pipe.buffered = 0
    room.set()
    await settle()
    assert len(pipe.written) == before + 1
    assert json.loads(pipe.written[-1][4:])["last"] == 6
    await ticks(peer, 1, "KO")
    assert len(pipe.written) == before + 2
    consumer.close("done")
    await soon(pumping)


async def test_a_sink_that_fails_is_closed_and_troubles_nobody(world: World) -> None:
    hub = world.hub()

    def broken(update: Update) -> None:
        raise RuntimeError("broken")

    bad = hub.quotes(["KO"], sink=broken)
    bad.open()
    async with hub.quotes(["KO"]) as good:
        peer = await world.live("KO")
        await ticks(peer, 2, "KO")
        assert len(drain(good)) == 3
        assert bad.close_reason == "consumer failed"
        assert hub.consumers == {good}
        await soon(bad.congested())


async def test_a_sink_may_close_its_own_consumer(world: World) -> None:
    hub = world.hub()
    consumers: list[Consumer] = []

    def sink(update: Update) -> None:
        for consumer in consumers:
            consumer.close("done")

    consumers += [hub.quotes(["KO"], sink=sink) for _ in range(3)]
    for consumer in consumers:
        consumer.open()
    await world.live("KO")
    assert hub.consumers == set()
    assert hub.subscriptions().subscriptions[0].state == "releasing"


async def test_symbols_come_and_go(world: World) -> None:
    hub = world.hub(symbols=2)
    async with hub.quotes() as consumer:
        assert consumer.add(["ko"]) == ["KO"]
        peer = await world.live("KO")
        assert [update.symbol for update in drain(consumer)] == ["KO"]
        assert consumer.add(["KO", "pep"]) == ["KO", "PEP"]
        assert (await peer.command())["Symbol"] == "PEP"
        with pytest.raises(ValidationFailed) as problem:
            consumer.add(["XOM"])
        assert problem.value.details is not None
        assert problem.value.details["value"] == "3"
        assert consumer.remove(["KO", "XOM"]) == ["KO"]
        await ticks(peer, 1, "KO")
        assert drain(consumer) == []
        assert consumer.symbols == {"PEP"}


async def test_limits_refuse_and_leave_nothing_behind(world: World) -> None:
    hub = world.hub(consumers=1, symbols=1)
    with pytest.raises(ValidationFailed):
        hub.quotes(["KO", "PEP"]).open()
    with pytest.raises(ValidationFailed):
        hub.quotes(["no symbol!"]).open()
    assert hub.consumers == set()
    assert hub.subscriptions().subscriptions == []
    with hub_consumer(hub), pytest.raises(RateLimited) as problem:
        hub.quotes(["PEP"]).open()
    assert problem.value.retry_after == 5
    assert world.broker.upgrades == 0


class hub_consumer:  # noqa: N801 - a context, not a class to a reader
    def __init__(self, hub: Hub) -> None:
        self.consumer = hub.quotes()

    def __enter__(self) -> Consumer:
        self.consumer.open()
        return self.consumer

    def __exit__(self, *_: object) -> None:
        self.consumer.close("left")


async def test_a_returning_reader_gets_what_it_missed(world: World) -> None:
    hub = world.hub()
    async with hub.quotes(["KO", "PEP"]) as consumer:
        peer = await world.live("KO", "PEP")
        mark = drain(consumer)[-1].event_id
    await ticks(peer, 3, "KO")
    async with hub.quotes(["KO", "PEP"], last_id=mark) as back:
        assert [(update.symbol, last(update)) for update in drain(back)] == [
            ("KO", 2), ("KO", 3), ("KO", 4), ("PEP", 1),
        ]  # fmt: skip


@pytest.mark.parametrize("mark", ["nonsense", "0-1", "", "forgotten", "future"])
async def test_a_returning_reader_is_told_of_a_gap(world: World, mark: str) -> None:
    hub = world.hub(replay=2)
    async with hub.quotes(["KO"]) as consumer:
        peer = await world.live("KO")
        first = drain(consumer)[0]
        await ticks(peer, 5, "KO")
    mark = {"forgotten": first.event_id, "future": hub.event_id(10**6)}.get(mark, mark)
    async with hub.quotes(["KO"], last_id=mark) as back:
        kinds = []
        while (update := back.take()) is not None:
            kinds.append(update.kind)
        assert kinds == (["gap", "quote"] if mark else ["quote"])


async def test_what_was_not_published_is_a_gap(world: World) -> None:
    hub = world.hub()
    hub.hold(["KO"])
    async with hub.quotes(["KO"]) as consumer:
        peer = await world.live("KO")
        mark = drain(consumer)[-1].event_id
    await world.timing.advance(10)
    await ticks(peer, 3, "KO")
    async with hub.quotes(["KO"], last_id=mark) as back:
        found = []
        while (update := back.take()) is not None:
            found.append(update)
        assert [update.kind for update in found] == ["gap", "quote"]
        assert last(found[-1]) == 4


async def test_holds_keep_a_subscription_without_a_reader(world: World) -> None:
    hub = world.hub()
    assert hub.hold(["ko", "PEP"]) == {"KO": 1, "PEP": 1}
    assert hub.hold(["KO"]) == {"KO": 2}
    peer = await world.live("KO", "PEP")
    async with hub.quotes(["KO"]) as consumer:
        assert [last(update) for update in drain(consumer)] == [1]
        assert hub.subscriptions().subscriptions[0].count == 3
    await world.timing.advance(60)
    assert [(row.symbol, row.count, row.state) for row in hub.subscriptions().subscriptions] == [
        ("KO", 2, "live"), ("PEP", 1, "live"),
    ]  # fmt: skip
    with pytest.raises(NotFound):
        hub.unhold(["KO", "XOM"])
    assert hub.unhold(["KO"]) == {"KO": 1}
    assert hub.unhold(["KO"]) == {"KO": 0}
    with pytest.raises(NotFound):
        hub.unhold(["KO"])
    await world.timing.advance(10)
    assert [row.symbol for row in hub.subscriptions().subscriptions] == ["PEP"]
    assert hub.unhold(["PEP"]) == {"PEP": 0}
    await world.timing.advance(10)
    assert (await peer.command())["Command"] == "unsubscribe"


async def test_numbers_of_a_symbol_never_start_over(world: World) -> None:
    hub = world.hub()
    async with hub.quotes(["KO"]) as consumer:
        peer = await world.live("KO")
        assert [update.seq for update in drain(consumer)] == [1]
    await world.timing.advance(10)
    await peer.command()
    async with hub.quotes(["KO"]) as consumer:
        await peer.command()
        await peer.snapshot({"6": "KO", "29": "5"}, request="r2")
        await peer.flush()
        assert [update.seq for update in drain(consumer)] == [2]


async def test_a_stream_error_is_told_with_the_tries_left(world: World) -> None:
    hub = world.hub()
    async with hub.quotes(["KO"]) as consumer:
        peer = await world.broker.peer()
        await peer.command()
        for left, wait in ((3, 0.5), (2, 1.0), (1, 2.0), (0, 0)):
            await peer.refuse("KO", code="42", text="Busy", request=f"r{left}")
            await peer.flush()
            error = drain(consumer, "symbol_error")[0].value
            assert (error.reason, error.retries_left) == ("stream_error", left)
            if wait:
                await world.timing.advance(wait)
                await peer.command()
        assert hub.subscriptions().subscriptions[0].state == "error"
        async with hub.quotes(["KO"]):
            assert (await peer.command())["Symbol"] == "KO"


async def test_the_state_of_everything(world: World) -> None:
    hub = world.hub()
    assert (hub.status().mdds.state, hub.status().connected) == ("none", False)
    async with hub.quotes(["KO"]):
        assert hub.latest("KO") is None
        await world.live("KO")
        status = hub.status()
        assert (status.connected, status.consumers, status.subscriptions) == (True, 1, 1)
        assert (status.mdds.sockets[0].pool, status.mdds.sockets[0].host) == ("quote", "abc.us-east-1c")
        quote = hub.latest("KO")
        assert quote is not None
        assert quote.last == 1
        assert hub.latest("PEP") is None


async def test_one_reader_at_a_time(world: World) -> None:
    hub = world.hub()
    async with hub.quotes() as consumer:
        waiting = asyncio.create_task(anext(consumer))
        await settle()
        with pytest.raises(RuntimeError):
            await anext(consumer)
        waiting.cancel()
        await asyncio.wait([waiting])
        again = asyncio.create_task(anext(consumer))
        await settle()
        consumer.close("enough")
        await asyncio.wait([again])
        assert isinstance(again.exception(), StopAsyncIteration | RuntimeError)


@pytest.mark.parametrize("size", [0, 125, 126, 65535, 65536])
def test_frames_for_web_sockets(size: int) -> None:
    from websockets.frames import Frame, Opcode
    from websockets.streams import StreamReader

    reader = StreamReader()
    reader.feed_data(ws_text_frame(b"x" * size))
    parser = Frame.parse(reader.read_exact, mask=False)
    with pytest.raises(StopIteration) as done:
        next(parser)
    frame = done.value.value
    assert (frame.opcode, frame.fin, len(frame.data)) == (Opcode.TEXT, True, size)


async def test_raw_values_for_who_wants_them(world: World) -> None:
    hub = world.hub()
    async with hub.quotes(["KO"], raw=True) as raw, hub.quotes(["KO"]) as plain:
        await world.live("KO")
        with_raw, without = drain(raw)[0], drain(plain)[0]
        assert with_raw.quote.raw == {"6": "KO", "29": "1", "33": "1000"}
        assert without.quote.raw is None
        assert with_raw.id == without.id
        async with hub.quotes(["KO"], raw=True) as late:
            assert drain(late)[0].quote.raw == with_raw.quote.raw


async def test_refused_bars_are_built_from_the_tape(world: World) -> None:
    hub = world.hub()
    async with hub.bars(["KO"]) as consumer:
        peer = await world.broker.peer()
        await peer.command()
        for wait in (0.5, 1.0, 2.0, 0):
            await peer.refuse("KO", code="42", text="No bars", request=f"r{wait}")
            await peer.flush()
            if wait:
                await world.timing.advance(wait)
                await peer.command()
        assert [error.value.retries_left for error in drain(consumer, "symbol_error")] == [3, 2, 1, 0]
        tape = await world.live("KO")
        for price, volume in (("72.10", "1100"), ("72.30", "1150"), ("72.00", "1400")):
            await tape.delta({"6": "KO", "29": price, "28": "50", "33": volume})
        await tape.flush()
        bar = drain(consumer, "bar")[-1].value
        assert (bar.start, bar.end, bar.source, bar.final) == ("10:20:00", "10:21:00", "computed", False)
        assert [str(value) for value in (bar.open, bar.high, bar.low, bar.close)] == [
            "72.10", "72.30", "72.00", "72.00",
        ]  # fmt: skip
        assert (bar.volume, bar.trade_count) == (350, 3)
        await world.timing.advance(65)
        assert drain(consumer, "bar")[-1].value.final is True
        async with hub.bars(["KO"]):
            assert world.broker.upgrades == 2
    await world.timing.advance(20)
    assert hub.subscriptions().subscriptions == []
