"""What the daemon costs: positions through ``ft serve`` beside the least that could pass them on.

    python tests/benchmarks/bench_gateway.py

Eight keep-alive connections ask for an account with fifty positions. Upstream is a fixed answer on this machine.
``bare`` is a minimal aiohttp handler that makes the same httpx call and returns the bytes untouched; ``apart`` is
``ft serve`` with eight clients whose requests share nothing, ``alike`` with eight clients that ask the same. All in
one run, in turns, each server a process of its own; the ratios are the medians of the turns. ``/s`` are requests a
second, ``ms`` is processor time of the server for one, and ``cpu`` marks the ratio of the latter: on a machine that
has less than one core for each of the four processes, only that one shows what the daemon itself costs.
"""

import asyncio
import contextlib
import json
import math
import multiprocessing
import operator
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from ftcli.config import Settings
from ftcli.paper.desk import Desk, open_desk
from ftcli.paper.door import cookies_of
from ftcli.paper.wire.exchange import PaperRequest, respond
from ftcli.transport.headers import data_headers

HOME = Path(__file__).parents[2]
POSITIONS = "/ftgw/dp/position/v2"
ACCOUNT = "Z20000025"
KEY = "a-key-for-the-benchmark-only-0123456789"
CONNECTIONS = 8
FLOORS = {"apart": 0.7, "alike": 2.0}

SAME = [f"/api/v1/accounts/{ACCOUNT}/positions"]
# Eight spellings of one account number: the same call upstream, but nothing that the daemon could share.
APART = [
    f"/api/v1/accounts/{name}{'%20' * spaces}/positions"
    for spaces in range(4)
    for name in (ACCOUNT, ACCOUNT.lower())
]

HEADERS = {
    **data_headers("1.0.0"),
    "fsreqid": f"REQ{'0' * 32}",
    "Cookie": "; ".join(f"{name}={'x' * 32}" for name in ("ATC", "FC", "RC", "SC")),
}
BODY = json.dumps({"request": {"parameter": {f"returnDetailOfKind{number}": True for number in range(16)}}})


# -- upstream: the paper broker, but its positions are fixed bytes -------------------------------------------


async def upstream(ready: Callable[[int], None], folder: str) -> None:
    """Serves until the process is ended."""
    desk = open_desk(Settings(environment="paper", data_dir=Path(folder)))
    fixed: list[bytes] = []

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                body = await reader.readexactly(_length(head))
                if fixed and head.startswith(b"POST /ftgw/dp/position/v2 "):
                    writer.write(fixed[0])
                    continue
                start, *lines = head.decode("latin-1").strip().split("\r\n")
                method, target, _ = start.split(" ")
                headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
                answer = _answer(desk, method, target, headers, body)
                if target == POSITIONS and answer.startswith(b"HTTP/1.1 200 "):
                    fixed.append(answer)
                writer.write(answer)
        writer.close()

    server = await asyncio.start_server(connection, "127.0.0.1", 0)
    ready(server.sockets[0].getsockname()[1])
    await server.serve_forever()


def _answer(desk: Desk, method: str, target: str, headers: dict[str, str], body: bytes) -> bytes:
    path, _, text = target.partition("?")
    query = dict(part.split("=", 1) for part in text.split("&") if "=" in part)
    cookies = cookies_of(headers.get("cookie", ""))
    request = PaperRequest(method=method, path=path, query=query, headers=headers, cookies=cookies, body=body)
    reply = respond(desk, request)
    content = fifty(reply.body) if path == POSITIONS and reply.status == 200 else reply.body
    lines = [f"HTTP/1.1 {reply.status} OK", *(f"{name}: {value}" for name, value in reply.headers)]
    lines = [line for line in lines if not line.lower().startswith("content-length")]
    return "\r\n".join([*lines, f"Content-Length: {len(content)}", "", ""]).encode() + content


def fifty(body: bytes) -> bytes:
    """A positions document with fifty rows in its account."""
    document = json.loads(body)
    accounts = document["position"]["acctDetails"]["acctDetail"]
    for account in accounts if isinstance(accounts, list) else [accounts]:
        rows = account["positionDetails"]["positionDetail"]
        account["positionDetails"]["positionDetail"] = (rows * 50)[:50]
    return json.dumps(document, separators=(",", ":")).encode()


# -- the bare gateway ----------------------------------------------------------------------------------------


async def bare(ready: Callable[[int], None], upstream_port: int) -> None:
    """Serves until the process is ended."""
    import httpx
    from aiohttp import web

    async with httpx.AsyncClient(trust_env=False) as client:

        async def positions(request: web.Request) -> web.Response:
            url = f"http://127.0.0.1:{upstream_port}{POSITIONS}"
            answer = await client.post(url, content=BODY, headers=HEADERS)
            return web.Response(body=answer.content, content_type="application/json")

        app = web.Application()
        app.router.add_get("/api/v1/accounts/{acct}/positions", positions)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        ready(runner.addresses[0][1])
        await asyncio.Event().wait()


def _length(head: bytes) -> int:
    """The length of the body that follows some headers."""
    found = head.lower().partition(b"content-length:")[2]
    return int(found.split(b"\r\n", 1)[0]) if found else 0


# -- the load ------------------------------------------------------------------------------------------------


async def per_second(port: int, paths: list[str], each: int) -> float:
    """Requests a second over keep-alive connections, each asking for its own of the paths."""

    async def one(path: str) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
        request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {KEY}\r\n\r\n".encode()
        for _ in range(each):
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200 "):
                raise RuntimeError(f"{path}: {head[:80]!r}")
            await reader.readexactly(_length(head))
        writer.close()

    start = time.perf_counter()
    await asyncio.gather(*(one(paths[number % len(paths)]) for number in range(CONNECTIONS)))
    return CONNECTIONS * each / (time.perf_counter() - start)


# -- processes -----------------------------------------------------------------------------------------------


def _run(server: Callable[..., Any], pipe: Any, *arguments: Any) -> None:
    asyncio.run(server(pipe.send, *arguments))


@contextmanager
def process(server: Callable[..., Any], *arguments: Any) -> Iterator[tuple[int, int]]:
    """A server in a process of its own, inside this block; gives its process and port."""
    spawn = multiprocessing.get_context("spawn")
    here, there = spawn.Pipe()
    child = spawn.Process(target=_run, args=(server, there, *arguments), daemon=True)
    child.start()
    try:
        if not here.poll(20):
            raise RuntimeError(f"{server.__name__} did not start")
        assert child.pid is not None
        yield child.pid, here.recv()
    finally:
        child.terminate()
        child.join()


@contextmanager
def daemon(upstream_port: int, folder: str) -> Iterator[tuple[int, int]]:
    """The daemon as its command runs it, inside this block; gives its process and port."""
    environ = {
        **os.environ,
        "PYTHONPATH": str(HOME),
        "FT_ENV": "paper",
        "FT_UPSTREAM": f"http://127.0.0.1:{upstream_port}",
        "FT_DATA_DIR": folder,
        "FTSERVICE_API_KEY": KEY,
        "FTSERVICE_KEY_RATE": "1000000/s",
    }
    command = [sys.executable, "-m", "ftcli", "serve", "--port", "0"]
    child = subprocess.Popen(
        command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        assert child.stdout is not None
        said: list[str] = []
        for line in child.stdout:
            said.append(line)
            if "listens on" in line:
                yield child.pid, int(line.strip().rpartition(":")[2])
                return
        raise RuntimeError(f"ft serve did not start: {''.join(said)}")
    finally:
        child.terminate()
        child.wait(10)


def processor_seconds(pid: int) -> float:
    """Processor time a process has used; what other processes do to the machine hardly shows in it."""
    with contextlib.suppress(FileNotFoundError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return math.nan  # only Linux tells


async def measured(bare: tuple[int, int], ours: tuple[int, int], rounds: int, each: int) -> dict[str, float]:
    """Requests a second and processor time of each way, and the medians of the ratios."""
    ways = {"bare": (*bare, SAME), "apart": (*ours, APART), "alike": (*ours, SAME)}
    rates: dict[str, list[float]] = {name: [] for name in ways}
    costs: dict[str, list[float]] = {name: [] for name in ways}
    for name in ("alike", "bare", "apart"):  # the daemon first: it logs in, and upstream fixes its answer
        await per_second(*ways[name][1:], 25)
    for _ in range(rounds):
        for name, (pid, port, paths) in ways.items():
            before = processor_seconds(pid)
            rates[name].append(await per_second(port, paths, each))
            costs[name].append((processor_seconds(pid) - before) / (each * CONNECTIONS) * 1000)
    found = {f"{name}/s": median(values) for name, values in rates.items()}
    found |= {f"{name} ms": median(values) for name, values in costs.items()}
    for name in ("apart", "alike"):
        found[f"{name} / bare"] = median(map(operator.truediv, rates[name], rates["bare"]))
        found[f"{name} / bare cpu"] = median(map(operator.truediv, costs["bare"], costs[name]))
    return found


def gateway(rounds: int = 7, each: int = 100) -> dict[str, float]:
    """Runs it all."""
    with (
        tempfile.TemporaryDirectory() as folder,
        process(upstream, folder) as (_, upstream_port),
        process(bare, upstream_port) as passing,
        daemon(upstream_port, f"{folder}/daemon") as ours,
    ):
        return asyncio.run(measured(passing, ours, rounds, each))


if __name__ == "__main__":
    found = gateway()
    print("gateway", {key: round(value, 2) for key, value in found.items()}, "floors", FLOORS)
