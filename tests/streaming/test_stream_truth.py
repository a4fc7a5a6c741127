"""What readers are told is true on the odd days too: stale, gaps, errors, resumed streams, readers that leave."""

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from stream_doubles import ManualTiming, Peer, ScriptedBroker, settle, soon

from ftcli.errors import RateLimited
from ftcli.streaming.consumer import Consumer
from ftcli.streaming.hub import Hub
from ftcli.streaming.options import Limits, MddsOptions
from ftcli.streaming.update import Update

KO = {"6": "KO", "29": "72.16", "33": "1000"}
PEP = {"6": "PEP", "29": "150", "33": "1000"}
OPTION = "-KO270219C70"
BARS = "subscribe_1-minute-bar"

MakeHub = Callable[..., Hub]


class World:
    """A scripted broker, a clock, and whether the market is open."""

    def __init__(self, broker: ScriptedBroker) -> None:
        self.broker = broker
        self.timing = ManualTiming()
        self.open = False
        self.hubs: list[Hub] = []

    def hub(self, **limits: int) -> Hub:
        options = MddsOptions(url=self.broker.url, market_open=lambda at: self.open)
        hub = Hub(options, timing=self.timing, jitter=lambda: 0.5, limits=Limits(**limits))
        self.hubs.append(hub)
        return hub

    async def live(self, *items: dict[str, str], word: str = "subscribe") -> Peer:
        """The next connection, its first command answered with these snapshots."""
        peer = await self.broker.peer()
        await peer.command()
        await peer.snapshot(*items, word=word)
        await peer.flush()
        return peer

    async def quiet(self, peer: Peer, seconds: int) -> None:
        """Time passes; the peer answers pings and says nothing else."""
        for _ in range(seconds):
            await self.timing.advance(1)
            await peer.flush()


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with ScriptedBroker() as broker:
        made = World(broker)
        yield made
        for hub in made.hubs:
            await hub.aclose()


def told(consumer: Consumer, *kinds: str) -> list[dict[str, Any]]:
    """What has come so far, of these kinds, or of all."""
    found = []
    while (update := consumer.take()) is not None:
        if not kinds or update.kind in kinds:
            found.append(json.loads(update.bytes))
    return found


async def until(consumer: Consumer, kind: str, **members: Any) -> dict[str, Any]:
    """The next update of a kind with these members."""
    while True:
        update = await soon(anext(consumer))
        document: dict[str, Any] = json.loads(update.bytes)
        if update.kind == kind and members.items() <= document.items():
            return document


def rows(hub: Hub) -> list[tuple[str, str]]:
    return [(row.symbol, row.state) for row in hub.subscriptions().subscriptions]


def bar(symbol: str, minute: int, price: str) -> dict[str, str]:
    prices = dict.fromkeys(("360", "358", "359", "356"), price)
    times = {"361": f"14:{minute}:00", "357": f"14:{minute + 1}:00"}
    return {"6": symbol, **times, **prices, "362": "100", "1172": "1"}


# -- stale ---------------------------------------------------------------------------------------------------


async def test_what_had_no_snapshot_since_the_outage_stays_stale(world: World) -> None:
    world.open = True
    hub = world.hub()
    async with hub.quotes(["KO", "PEP"]) as consumer:
        await (await world.live(KO, PEP)).drop()
        await until(consumer, "status", state="reconnecting")
        await world.timing.advance(0.6)
        peer = await world.live()
        await world.quiet(peer, 62)
        await until(consumer, "status", state="suspect")
        told(consumer)
        await peer.snapshot(KO | {"29": "80"})
        assert (await until(consumer, "quote"))["last"] == 80
        assert rows(hub) == [("KO", "live"), ("PEP", "error")]
        async with hub.quotes(["PEP"]) as late:
            await until(late, "symbol_error", reason="subscribe_timeout")
            assert (await until(late, "quote"))["stale"] is True


async def test_a_suspicion_ends_with_the_next_data_even_after_the_bell(world: World) -> None:
    world.open = True
    hub = world.hub()
    async with hub.quotes(["KO"]) as consumer:
        peer = await world.live(KO)
        await world.quiet(peer, 61)
        await until(consumer, "status", state="suspect")
        world.open = False
        await world.quiet(peer, 120)  # nothing is given up at night
        await peer.delta({"6": "KO", "29": "73"})
        await until(consumer, "quote", last=73, stale=False)
        assert hub.status().mdds.state == "open"


async def test_an_old_suspicion_gets_its_time_again_at_the_next_bell(world: World) -> None:
    world.open = True
    hub = world.hub()
    async with hub.quotes(["KO"]) as consumer:
        peer = await world.live(KO)
        await world.quiet(peer, 61)
        world.open = False
        await world.quiet(peer, 60)
        world.open = True
        await world.quiet(peer, 21)
        assert hub.status().mdds.state == "suspect"
        await world.timing.advance(31)
        assert (await until(consumer, "status", state="reconnecting"))["reason"] == "no data"


async def test_a_symbol_refused_in_mid_stream_is_stale_and_an_error(world: World) -> None:
    hub = world.hub()
    async with hub.quotes(["KO", "PEP"]) as consumer:
        peer = await world.live(KO, PEP)
        told(consumer)
        await peer.refuse("KO")
        await peer.flush()
        found = told(consumer)
        assert found[0]["stale"] is True
        assert found[1]["reason"] == "symbol_not_found"
        assert rows(hub) == [("KO", "error"), ("PEP", "live")]
        latest = hub.latest("KO")
        assert latest is not None
        assert latest.stale


async def test_a_symbol_that_was_answered_late_is_no_error(world: World) -> None:
    hub = world.hub()
    async with hub.trades(["KO"]) as consumer:
        peer = await world.live()
        await world.quiet(peer, 21)
        await until(consumer, "symbol_error", reason="subscribe_timeout")
        await peer.snapshot(KO)
        await peer.flush()
        async with hub.trades(["KO"]) as later:
            assert told(later) == []
        assert rows(hub) == [("KO", "live")]


async def test_greeks_of_before_an_outage_do_not_pass_for_fresh(world: World) -> None:
    async with world.hub().quotes([OPTION]) as consumer:
        quote, greeks = {"6": OPTION, "29": "5"}, {"6": f"{OPTION}.GK", "187": "0.68", "184": "70"}
        peer = await world.live(quote, greeks)
        assert told(consumer, "quote")[-1]["greeks"]["delta"] == 0.68
        await peer.drop()
        assert "greeks" in await until(consumer, "quote", stale=True)
        await world.timing.advance(0.6)
        peer = await world.live(quote | {"29": "1"})
        fresh = await until(consumer, "quote", stale=False)
        assert (fresh["last"], fresh["strike"], fresh.get("greeks")) == (1, 70, None)
        await peer.snapshot(greeks | {"187": "0.2"})
        assert (await until(consumer, "quote"))["greeks"]["delta"] == 0.2


# -- the tape and bars -----------------------------------------------------------------------------------------


async def test_a_delta_that_repeats_everything_is_no_print(world: World) -> None:
    base = KO | {"28": "100", "316": "15:59:59", "882": "XNYS"}
    base |= {"1162": "71.5", "1165": "50", "1164": "08:01:00", "1176": "ARCX"}
    async with world.hub().trades(["KO"]) as consumer:
        peer = await world.live(base)
        for number in range(3):
            await peer.delta(base | {"20": f"71.9{number}"})
        await peer.delta(base | {"1164": "08:02:00"})
        await peer.flush()
        [only] = told(consumer, "trade")
        assert (only["session"], only["time"], only["price"]) == ("irregular", "08:02:00", 71.5)


@pytest.mark.parametrize("change", [{}, {"362": "299"}, {"359": "70.1"}])
async def test_no_bar_is_invented(world: World, change: dict[str, str]) -> None:
    async with world.hub().bars(["KO"]) as consumer:
        peer = await world.live({"6": "KO"}, word=BARS)
        await peer.delta({"6": "KO", **change})
        await peer.flush()
        await world.timing.advance(120)
        assert told(consumer, "bar") == []


async def test_a_bar_that_begins_after_an_outage_is_fresh(world: World) -> None:
    hub = world.hub()
    async with hub.bars(["KO"]) as consumer:
        await (await world.live(bar("KO", 30, "72"), word=BARS)).drop()
        await until(consumer, "status", state="reconnecting")
        await world.timing.advance(0.6)
        peer = await world.live()
        await peer.delta(bar("KO", 31, "73"))
        await until(consumer, "bar", start="14:30:00", final=True, stale=True)
        await until(consumer, "bar", start="14:31:00", stale=False)
        assert rows(hub) == [("KO", "live")]


async def test_bars_built_here_tell_the_outage_of_their_tape(world: World) -> None:
    async with world.hub().bars(["KO"]) as consumer:
        refusing = await world.broker.peer()
        await refusing.command()
        for wait in (0.5, 1, 2, 0):
            await refusing.refuse("KO", code="99", text="no bars", request=f"r{wait}", word=BARS)
            await refusing.flush()
            if wait:
                await world.timing.advance(wait)
                await refusing.command()
        peer = await world.live(KO)
        await world.timing.advance(60 - world.timing.epoch() % 60 + 1)
        await peer.delta(KO | {"28": "100", "33": "1100"})
        assert (await until(consumer, "bar"))["volume"] == 100
        await peer.drop()
        await until(consumer, "bar", stale=True)
        await until(consumer, "status", state="reconnecting")
        await world.timing.advance(1)
        peer = await world.live(KO | {"33": "901100"})
        await until(consumer, "gap", symbol="KO")
        await peer.delta(KO | {"28": "100", "33": "901200"})
        # What was traded meanwhile belongs to no minute that is known.
        assert (await until(consumer, "bar"))["volume"] == 200
        await world.timing.advance(70)
        await until(consumer, "bar", final=True, stale=True)


# -- readers ---------------------------------------------------------------------------------------------------


class Pipe:
    """A sink with room for so many updates."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.taken: list[Update] = []

    def __call__(self, update: Update) -> bool:
        if len(self.taken) >= self.room:
            return False
        self.taken.append(update)
        return True


async def test_a_slow_reader_of_bars_that_comes_back_misses_no_final_bar(world: World) -> None:
    hub, pipe = world.hub(), Pipe(3)
    consumer = hub.bars(["KO", "PEP"], sink=pipe)
    consumer.open()
    peer = await world.live(bar("KO", 30, "72"), bar("PEP", 30, "150"), word=BARS)
    for change in (bar("KO", 30, "72.1"), bar("PEP", 31, "151"), bar("KO", 30, "72.2")):
        await peer.delta(change)
    await peer.flush()
    pipe.room += 1  # one more gets through, then the connection is cut
    consumer.flush()
    consumer.close("left")
    bars = [json.loads(update.bytes) for update in pipe.taken if update.kind == "bar"]
    async with hub.bars(["KO", "PEP"], last_id=pipe.taken[-1].event_id) as back:
        bars += told(back, "bar")
    finals = [(entry["symbol"], entry["start"]) for entry in bars if entry["final"]]
    assert finals == [("PEP", "14:30:00")]


async def test_a_reader_closed_while_it_catches_up_leaves_nothing_behind(world: World) -> None:
    hub = world.hub(queue=10)
    async with hub.trades(["KO"]) as consumer:
        peer = await world.live(KO)
        for number in range(40):
            await peer.delta({"6": "KO", "28": "1", "33": str(1001 + number)})
            await peer.flush()
            told(consumer)
        back = hub.trades(["KO"], last_id=hub.event_id(1), sink=Pipe(5))
        back.open()
        assert back.close_reason == "overflow"
        assert "Reconnect with Last-Event-ID" in str(back.error)
    await world.timing.advance(11)
    assert hub.subscriptions().subscriptions == []
    assert hub.consumers == set()


async def test_a_closed_reader_subscribes_to_nothing(world: World) -> None:
    hub = world.hub()
    consumer = hub.quotes()
    consumer.open()
    consumer.close("key")
    with pytest.raises(RateLimited, match="has ended"):
        consumer.add(["KO"])
    assert hub.subscriptions().subscriptions == []


async def test_a_symbol_left_and_a_symbol_unanswered_cost_no_connection(world: World) -> None:
    hub = world.hub()
    async with hub.quotes(["KO", "PEP"]) as consumer:
        peer = await world.live(KO, PEP)
        consumer.remove(["KO"])
        await world.timing.advance(5)
        await peer.drop()
        await until(consumer, "status", state="reconnecting")
        await world.timing.advance(0.6)
        peer = await world.live(KO)
        await world.quiet(peer, 30)
        await settle()
        assert [entry for entry in told(consumer, "status") if entry["state"] != "open"] == []
        assert world.broker.count == 2


async def test_what_nobody_reads_any_more_is_forgotten_in_the_end(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ftcli.streaming.subscriptions.REMEMBERED", 20)
    hub = world.hub()
    peer: Peer | None = None
    for number in range(6):
        names = [f"Z{number}{letter}" for letter in "ABCDEFGH"]
        async with hub.quotes(names):
            peer = peer or await world.broker.peer()
            await world.timing.advance(0.2)
            await peer.command()
            for name in names:
                await peer.refuse(name)
            await peer.flush()
        await world.timing.advance(11)
    assert (len(hub._book._negative), len(hub._book._seqs)) == (20, 20)
