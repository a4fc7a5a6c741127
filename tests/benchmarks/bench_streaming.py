"""How fast the streams are, against the bare minimum that could do the job.

    python tests/benchmarks/bench_streaming.py

Two ratios, each ours divided by bare: decoding partial quote deltas and merging them into quotes (``written``:
and writing each quote's JSON) against decoding the same frames with msgspec alone; and one symbol fanned out to
fifty Server-Sent-Event connections by the hub against a plain asyncio server that writes ready bytes to fifty
transports.
"""

import asyncio
import gc
import json
import random
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

import msgspec

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from ftcli.streaming.hub import Hub
from ftcli.streaming.mdds_session import MddsSession
from ftcli.streaming.options import MddsOptions
from ftcli.streaming.quote import QuoteState
from ftcli.streaming.timing import SYSTEM
from ftcli.streaming.update import Update

SYMBOLS = [f"SYM{number}" for number in range(100)]
READERS = 50


class Bare(msgspec.Struct):
    """The least a typed decoder of these frames can be."""

    ResponseType: str
    Data: list[dict[str, str]]


def delta(symbol: str, chance: random.Random) -> dict[str, str]:
    """A partial delta: the top of the book, now and then a trade."""
    bid = 70 + chance.randrange(400) / 100
    sizes = [str(chance.randrange(1, 20) * 100) for _ in range(2)]
    item = {"6": symbol, "20": f"{bid:.2f}", "21": sizes[0], "18": f"{bid + 0.02:.2f}", "19": sizes[1]}
    if chance.random() < 0.4:
        volume = str(chance.randrange(10**7))
        item |= {"29": f"{bid + 0.01:.2f}", "28": "100", "33": volume, "316": "14:31:02"}
    return item


def frames(count: int = 5000) -> list[bytes]:
    chance = random.Random(1)
    made = [{"ResponseType": "0", "Data": [delta(chance.choice(SYMBOLS), chance)]} for _ in range(count)]
    return [json.dumps(frame, separators=(",", ":")).encode() for frame in made]


def snapshot(symbol: str) -> dict[str, str]:
    return {"0": "success", "6": symbol, "1": "Some Company", "25": "USD", "26": "72.3", "27": "71.42",
            "29": "72.15", "31": "71.55", "32": "71.4", "33": "8123456", "57": "307020000000", "18": "72.16",
            "20": "72.14", "128": "EQ", "169": "realtime"}  # fmt: skip


def session(*, watched: bool) -> MddsSession:
    made = MddsSession("s", "quote", lambda error: None, SYSTEM)
    states = [QuoteState(symbol) for symbol in SYMBOLS]
    made.subscribe(states)
    made.next_frame()
    made.next_frame()
    for state in states:
        state.snapshot(snapshot(state.symbol), 0.0)
        if watched:
            state.watch(lambda changed: changed.take())
    return made


def seconds(work: Any, sample: list[bytes]) -> float:
    """Processor time for all frames; other processes do not count."""
    start = time.process_time()
    for frame in sample:
        work(frame)
    return time.process_time() - start


def decoding(rounds: int = 15) -> dict[str, float]:
    """Frames a second of each way, taken in turns so that a busy machine troubles all alike."""
    sample = frames()
    decode = msgspec.json.Decoder(Bare).decode
    merged, written = session(watched=False), session(watched=True)
    ways: dict[str, Any] = {
        "bare": lambda frame: decode(frame),
        "merged": lambda frame: merged.feed(frame, 1.0),
        "written": lambda frame: written.feed(frame, 1.0),
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    gc.collect()
    for _ in range(rounds):
        for name, work in ways.items():
            times[name].append(seconds(work, sample))
    found = {name: len(sample) / median(values) for name, values in times.items()}
    return {**found, "ratio": found["merged"] / found["bare"]}


async def listeners(port: int, count: int) -> list[asyncio.Task[int]]:
    """Connections that only count what they get."""

    async def listen(ready: asyncio.Event) -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        ready.set()
        total = 0
        while chunk := await reader.read(1 << 18):
            total += len(chunk)
        writer.close()
        return total

    tasks = []
    for _ in range(count):
        ready = asyncio.Event()
        tasks.append(asyncio.create_task(listen(ready)))
        await ready.wait()
    return tasks


async def serve(connected: asyncio.Queue[asyncio.Transport]) -> asyncio.Server:
    class Writer(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            assert isinstance(transport, asyncio.Transport)
            connected.put_nowait(transport)

    return await asyncio.get_running_loop().create_server(Writer, "127.0.0.1", 0)


async def fan_out(ticks: int, *, ours: bool) -> float:
    """Seconds for so many ticks to be written to every connection and read there."""
    arriving: asyncio.Queue[asyncio.Transport] = asyncio.Queue()
    server = await serve(arriving)
    tasks = await listeners(server.sockets[0].getsockname()[1], READERS)
    connected = [await arriving.get() for _ in range(READERS)]
    items = [{**msgspec.json.decode(frame)["Data"][0], "6": "KO"} for frame in frames(ticks)]
    hub = Hub(MddsOptions())
    feed = _subscribed(hub, connected) if ours else _ready(connected)
    start = time.perf_counter()
    for index, item in enumerate(items):
        feed(item)
        if index % 8 == 7:
            await asyncio.sleep(0)
    for transport in connected:
        transport.close()
    await asyncio.gather(*tasks)
    elapsed = time.perf_counter() - start
    server.close()
    await hub.aclose()
    return elapsed


def _ready(connected: list[asyncio.Transport]) -> Any:
    """The bare server: the same bytes for every tick, made beforehand."""
    state = QuoteState("KO")
    state.snapshot(snapshot("KO"), 0.0)
    chunk = Update("quote", "KO", 1, 1, state.picture()).sse_chunk

    def feed(_: dict[str, str]) -> None:
        for transport in connected:
            transport.write(chunk)

    return feed


def _subscribed(hub: Hub, connected: list[asyncio.Transport]) -> Any:
    """Fifty sinks on one symbol, and the function that feeds it."""
    for transport in connected:

        def sink(update: Update, write: Any = transport.write) -> None:
            write(update.sse_chunk)

        hub.quotes(["KO"], sink=sink).open()
    channel = hub._book.get("quote", "KO")
    assert channel is not None
    state = channel.state
    state.snapshot(snapshot("KO"), 0.0)
    return lambda item: state.delta(item, 1.0)


async def fanning(ticks: int = 2000) -> dict[str, float]:
    times: dict[bool, list[float]] = {False: [], True: []}
    for _ in range(5):
        for way, found in times.items():
            found.append(await fan_out(ticks, ours=way))
    bare, ours = median(times[False]), median(times[True])
    return {"bare": ticks * READERS / bare, "ours": ticks * READERS / ours, "ratio": bare / ours}


if __name__ == "__main__":
    for name, found in (("decode", decoding()), ("fan-out", asyncio.run(fanning()))):
        print(name, {key: round(value, 2) for key, value in found.items()})
