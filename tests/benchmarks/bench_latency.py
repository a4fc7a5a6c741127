"""How long a tick takes from the broker's socket to the consumer's: broker and consumers in processes of their own.

    python tests/benchmarks/bench_latency.py

The bare server reads the same socket and writes ready bytes of the same size to each transport.
"""

import asyncio
import json
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median
from types import SimpleNamespace

if __name__ == "__main__":
    here = Path(__file__).parent
    sys.path[:0] = [str(here.parents[1]), str(here)]

from bench_fanout import SSE, bare, far, mdds_kit, served
from websockets.asyncio.client import connect

from ftcli.config import Settings

UPSTREAM = str(Path(__file__).with_name("upstream.py"))
CONSUMERS, RATE = 50, 200


class Upstream:
    """The broker's process."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self._process = process
        self.url = f"ws://127.0.0.1:{port}/?productid=atn"

    async def send(self, seconds: float) -> None:
        """Lets it send."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{seconds} {RATE}\n".encode())
        await self._process.stdout.readline()


@asynccontextmanager
async def upstream() -> AsyncIterator[Upstream]:
    """The broker, listening inside this block."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(sys.executable, UPSTREAM, stdin=pipe, stdout=pipe)
    assert process.stdout is not None
    assert process.stdin is not None
    yield Upstream(process, int(await process.stdout.readline()))
    process.stdin.close()
    await process.wait()


async def ours(broker: Upstream, seconds: float) -> list[float]:
    """Delays through the daemon, in milliseconds, sorted."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(environment="paper", data_dir=Path(folder))
        stream = SimpleNamespace(url=broker.url)
        async with served(settings, mdds_kit.opener(stream)) as (service, port):  # type: ignore[arg-type]
            listening = await far(port, SSE, CONSUMERS, ["KO"])
            await broker.send(seconds)
            service.end_streams()
            listening.release()
            found: list[float] = (await listening.finish())["delays"]
            return found


async def theirs(broker: Upstream, seconds: float) -> list[float]:
    """Delays through the bare server."""
    async with bare() as (connected, port), connect(broker.url) as socket:
        listening = await far(port, "/", CONSUMERS, ["KO"])
        await socket.recv()
        await socket.send('{"SessionId":"session-1","Command":"subscribe","Symbol":"KO"}')
        await socket.recv()

        async def relay() -> None:
            async for message in socket:
                stamp = json.loads(message)["Data"][0]["44"]
                chunk = b'data: {"last":70.1,"last_time":"%b","pad":"%b"}\n\n' % (stamp.encode(), b"x" * 600)
                for transport in connected:
                    transport.write(chunk)

        relaying = asyncio.create_task(relay())
        await broker.send(seconds)
        relaying.cancel()
        await asyncio.wait([relaying])
        for transport in connected:
            transport.close()
        listening.release()
        found: list[float] = (await listening.finish())["delays"]
        return found


async def _latency(seconds: float) -> dict[str, float]:
    mine: list[float] = []
    bare_: list[float] = []
    for _ in range(2):
        async with upstream() as broker:
            mine += await ours(broker, seconds)
        async with upstream() as broker:
            bare_ += await theirs(broker, seconds)
    mine.sort()
    bare_.sort()
    return {
        "median ms": median(mine),
        "p99 ms": mine[len(mine) * 99 // 100],
        "bare median ms": median(bare_),
        "bare p99 ms": bare_[len(bare_) * 99 // 100],
        "deliveries per s": len(mine) / seconds / 2,
    }


def latency(seconds: float = 4.0) -> dict[str, float]:
    """From the broker's socket to the consumers', at 10,000 deliveries a second."""
    return asyncio.run(_latency(seconds))


if __name__ == "__main__":
    print({name: round(value, 2) for name, value in latency().items()})
