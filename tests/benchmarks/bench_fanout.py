"""How fast the daemon's streams are: consumers in another process, the bare server beside it.

    python tests/benchmarks/bench_fanout.py

Frames of the broker go into the daemon's own connection; what is measured is everything from there to the consumers'
sockets: decode, merge, one encode, fan-out. The bare server writes ready bytes of the same size to each transport.
``ratio`` is of processor time of the serving process, so that consumers and other programs do not count; ``by the clock``
is of events a second as they went out, consumers and all.
"""

import asyncio
import gc
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

if __name__ == "__main__":
    here = Path(__file__).parent
    sys.path[:0] = [str(here.parents[1]), str(here)]
sys.path.append(str(Path(__file__).parents[1] / "server"))

import mdds_kit
from aiohttp import web

from ftcli.config import Settings
from ftcli.server.app import make_app
from ftcli.server.service import SERVICE, Service

DRAIN = str(Path(__file__).with_name("drain.py"))
CALM = 16 * 1024
"""Bytes that may wait for a consumer before the next ticks go out."""


class Far:
    """The consumers' process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def finish(self) -> dict[str, Any]:
        """Lets it read to the end; to be called once the connections are closed."""
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        await self._process.wait()
        found: dict[str, Any] = json.loads(line)
        return found

    def release(self) -> None:
        """Lets a stuck consumer read."""
        assert self._process.stdin is not None
        self._process.stdin.write(b"\n")


async def far(port: int, path: str, count: int, symbols: list[str], *extra: str) -> Far:
    process = await asyncio.create_subprocess_exec(
        sys.executable, DRAIN, str(port), path, str(count), ",".join(symbols), *extra,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=1 << 26,
    )  # fmt: skip
    assert process.stdout is not None
    assert (await process.stdout.readline()).strip() == b"ready"
    return Far(process)


@asynccontextmanager
async def served(settings: Settings, opener: Callable[[Settings], Any]) -> AsyncIterator[tuple[Service, int]]:
    """The daemon's own application, listening inside this block."""
    app = make_app(settings, None, opener=opener)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, backlog=8192)
    await site.start()
    try:
        yield app[SERVICE], runner.addresses[0][1]
    finally:
        await runner.cleanup()


@asynccontextmanager
async def daemon() -> AsyncIterator[tuple[Service, int]]:
    """The daemon's own application, on a market data stream that says nothing by itself."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(environment="paper", data_dir=Path(folder), stream_consumers=10_000)
        async with mdds_kit.mdds() as stream, served(settings, mdds_kit.opener(stream)) as found:
            yield found


@asynccontextmanager
async def bare() -> AsyncIterator[tuple[list[asyncio.Transport], int]]:
    """A server that does nothing but write."""
    connected: list[asyncio.Transport] = []

    class Writer(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            assert isinstance(transport, asyncio.Transport)
            connected.append(transport)
            transport.write(b"ready")

    server = await asyncio.get_running_loop().create_server(Writer, "127.0.0.1", 0, backlog=8192)
    yield connected, server.sockets[0].getsockname()[1]
    server.close()


def frame(symbol: str, number: int, stamp: int = 0) -> bytes:
    """A partial delta as the broker sends it; no two in a row are alike."""
    item = {"6": symbol, "29": f"{70 + number % 97 / 100:.2f}", "33": str(8_000_000 + number), "28": "100"}
    item |= {"20": f"{70 + number % 89 / 100:.2f}", "18": f"{71 + number % 83 / 100:.2f}", "44": str(stamp)}
    return json.dumps({"ResponseType": "0", "Data": [item]}, separators=(",", ":")).encode()


def feeder(service: Service, symbols: list[str]) -> Callable[[str, bytes], None]:
    """Feeds frames into the connection that carries a symbol."""
    hub = service.hub
    assert hub is not None
    sessions = {}
    for symbol in symbols:
        channel = hub._book.get("quote", symbol)
        assert channel is not None
        assert channel.link is not None
        assert channel.link.session is not None
        sessions[symbol] = channel.link.session
    return lambda symbol, data: sessions[symbol].feed(data, time.time())


async def calm(transports: list[Any]) -> None:
    """Waits until nothing much waits for any consumer: every tick is to be delivered."""
    while any(transport.get_write_buffer_size() > CALM for transport in transports):
        await asyncio.sleep(0.001)


class Spent(NamedTuple):
    """Seconds of the processor and of the clock."""

    processor: float
    clock: float


async def push(write: Callable[[int], None], ticks: int, transports: list[Any], each: int) -> Spent:
    """What so many ticks cost, a few to each turn of the event loop."""
    spent = 0.0
    gc.collect()
    begun = time.perf_counter()
    for begin in range(0, ticks, each):
        start = time.process_time()
        for number in range(begin, min(begin + each, ticks)):
            write(number)
        await asyncio.sleep(0)
        spent += time.process_time() - start
        waiting = time.process_time()
        await calm(transports)
        spent += time.process_time() - waiting if transports else 0.0
    return Spent(spent, time.perf_counter() - begun)


def transports_of(service: Service) -> list[Any]:
    assert service.hub is not None
    return [consumer._sink.__self__._transport for consumer in service.hub.consumers]  # type: ignore[union-attr]


async def ours(path: str, consumers: int, symbols: list[str], ticks: int, each: int) -> tuple[Spent, bytes]:
    """What it costs the daemon, and one chunk as it went out."""
    async with daemon() as (service, port):
        listening = await far(port, path, consumers, symbols)
        assert service.hub is not None
        assert len(service.hub.consumers) == consumers
        feed, transports = feeder(service, symbols), transports_of(service)
        frames = [(symbols[n % len(symbols)], frame(symbols[n % len(symbols)], n)) for n in range(ticks)]
        spent = await push(lambda n: feed(*frames[n]), ticks, transports, each)
        conflated = sum(consumer.conflated for consumer in service.hub.consumers)
        assert not conflated, f"{conflated} ticks were conflated"
        channel = service.hub._book.get("quote", symbols[0])
        assert channel is not None
        picture = channel.state.picture()
        assert picture is not None
        service.end_streams()
        listening.release()
        found = await listening.finish()
        least = ticks * consumers // len(symbols)
        assert found["quotes"] >= least, f"{found['quotes']} of {least} quotes arrived"
        return spent, picture


async def raw(payload: bytes, consumers: int, symbols: int, ticks: int, each: int) -> Spent:
    """What the same bytes to the same consumers cost the bare server."""
    chunk = b"event: quote\nid: 1a2b3c4d5e-12345\ndata: %b\n\n" % payload
    chunk = b"%x\r\n%b\r\n" % (len(chunk), chunk)
    async with bare() as (connected, port):
        listening = await far(port, "/", consumers, ["KO"])
        groups = [connected[start::symbols] for start in range(symbols)]

        def write(number: int) -> None:
            for transport in groups[number % symbols]:
                transport.write(chunk)

        spent = await push(write, ticks, connected, each)
        for transport in connected:
            transport.close()
        listening.release()
        await listening.finish()
        return spent


async def compare(
    path: str, consumers: int, symbols: list[str], ticks: int, rounds: int = 3
) -> dict[str, float]:
    """Ours against bare: a tick to each turn of the event loop, the hardest case, and in bursts of eight."""
    events = ticks * consumers / len(symbols)
    found: dict[int, list[tuple[Spent, Spent]]] = {1: [], 8: []}
    for _ in range(rounds):
        for each, pairs in found.items():
            spent, payload = await ours(path, consumers, symbols, ticks, each)
            pairs.append((spent, await raw(payload, consumers, len(symbols), ticks, each)))
    return {
        "ratio": median(least.processor / spent.processor for spent, least in found[1]),
        "events per cpu s": median(events / spent.processor for spent, _ in found[1]),
        "ratio in bursts": median(least.processor / spent.processor for spent, least in found[8]),
        "by the clock": median(least.clock / spent.clock for spent, least in found[1]),
        "events per s": median(events / spent.clock for spent, _ in found[1]),
        "bare": median(events / least.clock for _, least in found[1]),
        "by the clock in bursts": median(least.clock / spent.clock for spent, least in found[8]),
    }


SSE, WS = "/api/v1/streaming/quotes?symbols={}", "/api/v1/ws/quotes"
MANY = [f"SYM{number}" for number in range(200)]


def sse() -> dict[str, float]:
    """50 consumers of one symbol over SSE."""
    return asyncio.run(compare(SSE, 50, ["KO"], 4000))


def websocket() -> dict[str, float]:
    """50 consumers of one symbol over WebSocket."""
    return asyncio.run(compare(WS, 50, ["KO"], 4000))


def wide() -> dict[str, float]:
    """1,000 consumers over 200 symbols."""
    return asyncio.run(compare(SSE, 1000, MANY, 20_000, rounds=2))


def _rss() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


async def _idle(count: int) -> dict[str, float]:
    async with daemon() as (service, port):
        first = await far(port, SSE, 50, ["KO"])
        gc.collect()
        before = _rss()
        listening = await far(port, SSE, count, ["KO"])
        gc.collect()
        used = _rss() - before
        assert service.hub is not None
        held = len(service.hub.consumers) - 50
        service.end_streams()
        for one in (first, listening):
            one.release()
            await one.finish()
    kilobytes = used / held / 1024
    return {"consumers held": held, "KB each": kilobytes, "40 KB / each": 40 / max(kilobytes, 0.1)}


def idle() -> dict[str, float]:
    """Memory of a consumer that reads and gets nothing: 5,000 of them."""
    return asyncio.run(_idle(5000))


async def _slow(seconds: float) -> dict[str, float]:
    rates: dict[bool, list[float]] = {False: [], True: []}
    grown, newest = [], []
    for _ in range(3):
        for stuck, found in rates.items():
            rate, grew, good = await _beside(seconds, stuck)
            found.append(rate)
            if stuck:
                grown.append(grew)
                newest.append(good)
    return {
        "others' rate": max(rates[True]) / max(rates[False]),
        "ends with the newest": float(all(newest)),
        "memory grown MB": max(grown) / 1e6,
    }


async def _beside(seconds: float, stuck: bool) -> tuple[float, int, bool]:
    """Ticks a processor second to 100 consumers, one of whom may be stuck; memory; whether that one is right at last."""
    symbols = [f"SYM{number}" for number in range(5)]
    path = SSE.format(",".join(symbols))
    async with daemon() as (service, port):
        listening = await far(port, path, 100, ["KO"], *(["stuck"] if stuck else []))
        assert service.hub is not None
        feed, transports = feeder(service, symbols), transports_of(service)
        ticks, begun = 0, time.process_time()
        before, half = 0, begun  # until its buffers are full a stuck consumer looks like any other
        while (passed := time.process_time() - begun) < seconds:
            if not before and passed > seconds / 3:
                before, ticks, half = _rss(), 0, time.process_time()
            for number in range(ticks, ticks + 8):
                symbol = symbols[number % 5]
                feed(symbol, frame(symbol, number))
            ticks += 8
            await asyncio.sleep(0)
            while sorted(transport.get_write_buffer_size() for transport in transports)[-2] > CALM:
                await asyncio.sleep(0.001)
        rate, grew = ticks / (time.process_time() - half), _rss() - before
        wanted = {}
        for symbol in symbols:
            quote = service.hub.latest(symbol)
            assert quote is not None
            wanted[symbol] = float(quote.last or 0)
        listening.release()
        await asyncio.sleep(1)
        service.end_streams()
        lasts = (await listening.finish())["lasts"]
        return rate, grew, {name: float(price) for name, price in lasts.items()} == wanted


def slow(seconds: float = 5.0) -> dict[str, float]:
    """One consumer among 100 that reads nothing: what that costs the others, and what it sees at last."""
    return asyncio.run(_slow(seconds))


WARM = 60_000
"""Ticks after which the replay ring and the tables of known texts have their full size."""


async def _steady(seconds: float) -> dict[str, float]:
    symbols = [f"SYM{number}" for number in range(5)]
    async with daemon() as (service, port):
        path = SSE.format(",".join(symbols))
        first = await far(port, path, 1, ["KO"])
        assert service.hub is not None
        feed = feeder(service, symbols)
        for number in range(WARM):
            feed(symbols[number % 5], frame(symbols[number % 5], number))
            if not number % 100:
                await calm(transports_of(service))
        listening = await far(port, path, 100, ["KO"], "slow")
        begun, number, sizes = time.monotonic(), WARM, [_rss()]
        while (passed := time.monotonic() - begun) < seconds:
            while number < WARM + passed * 200:
                feed(symbols[number % 5], frame(symbols[number % 5], number))
                number += 1
            if passed * 10 > len(sizes) * seconds:
                sizes.append(_rss())
            await asyncio.sleep(0.001)
        conflated = sorted(consumer.conflated for consumer in service.hub.consumers)
        wanted = {symbol: service.hub.latest(symbol) for symbol in symbols}
        listening.release()
        await asyncio.sleep(1)
        service.end_streams()
        lasts = (await listening.finish())["lasts"]
        first.release()
        await first.finish()
    right = all(quote is not None and float(quote.last or 0) == float(lasts[symbol])
                for symbol, quote in wanted.items())  # fmt: skip
    early, late = sizes[1], sizes[-1]
    return {
        "seconds": seconds,
        "deliveries": (number - WARM) * 100.0,
        "memory MB": late / 1e6,
        "before / after": early / late,
        "conflated for it": float(conflated[-1]),
        "for the others": float(conflated[-2]),
        "ends with the newest": float(right),
    }


def steady(seconds: float = 120.0) -> dict[str, float]:
    """Two minutes with one consumer among 100 that reads a sixth of what comes: memory stays flat."""
    return asyncio.run(_steady(seconds))


async def _reconnect() -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(environment="paper", data_dir=Path(folder), stream_backoff="0.01")
        async with mdds_kit.mdds() as stream, mdds_kit.opener(stream)(settings) as client:
            hub = await client.hub()
            async with hub.quotes(MANY) as consumer:
                seen: set[str] = set()
                async for update in consumer:
                    seen |= {update.symbol} if update.kind == "quote" else set()
                    if len(seen) == len(MANY):
                        break
                times = []
                for _ in range(10):
                    stale: set[str] = set()
                    fresh: set[str] = set()
                    start = time.perf_counter()
                    await stream.drop()
                    async for update in consumer:
                        if update.kind == "quote":
                            if update.quote.stale:
                                stale.add(update.symbol)
                            elif update.symbol in stale:
                                fresh.add(update.symbol)
                        if len(fresh) == len(MANY):
                            break
                    times.append((time.perf_counter() - start) * 1000)
    return {"ms for 200 symbols": median(times)}


def reconnect() -> dict[str, float]:
    """From a broken connection to every symbol live again, with a wait of 10 ms before the attempt."""
    return asyncio.run(_reconnect())


FLOORS: dict[str, dict[str, float]] = {
    "sse": {"ratio": 0.6, "by the clock": 0.6},
    "websocket": {"ratio": 0.4, "by the clock": 0.4},
    "wide": {"ratio": 0.5, "by the clock": 0.5},
    "slow": {"others' rate": 0.95, "ends with the newest": 1.0},
    "steady": {"before / after": 0.97, "ends with the newest": 1.0},
    "idle": {"consumers held": 5000, "40 KB / each": 1.0},
    "reconnect": {},
}
ALL: dict[str, Callable[[], dict[str, float]]] = {
    "sse": sse,
    "websocket": websocket,
    "wide": wide,
    "slow": slow,
    "steady": steady,
    "idle": idle,
    "reconnect": reconnect,
}

if __name__ == "__main__":
    for name in sys.argv[1:] or ALL:
        print(name, {key: round(value, 3) for key, value in ALL[name]().items()}, FLOORS[name], flush=True)
