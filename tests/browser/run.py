"""The documented stream clients, unchanged, against a real daemon: the curl lines, and JavaScript in a real browser.

    python tests/browser/run.py

Starts ``ft serve --paper`` on a free port, runs the curl lines of docs/streaming.md, and types its JavaScript client
into the console of headless Chromium, statement by statement, as a person would. Needs curl and Chromium
(``apt-get install chromium``); says so where one is missing, and fails.
"""

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from typing import Any

from websockets.asyncio.client import connect

ROOT = Path(__file__).parents[2]
PATIENCE = 30.0
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")

QUOTES = 'curl -N "http://localhost:8787/api/v1/streaming/quotes?symbols=AAPL,TSLA"'
EVENTS = 'curl -N "http://localhost:8787/api/v1/streaming/events"'
CLIENT = (
    'const ws = new WebSocket("ws://localhost:8787/api/v1/ws/quotes");',
    'ws.send(JSON.stringify({ action: "subscribe", symbols: ["AAPL", "TSLA"] }));',
    "ws.onmessage = (e) => console.log(JSON.parse(e.data));",
)
WATCH = (
    "var seen = {}; ws.addEventListener('message', (e) => "
    "{ const q = JSON.parse(e.data); if (!q.type) seen[q.symbol] = q.last; })"
)
SOURCE = 'const es = new EventSource("/api/v1/streaming/quotes?symbols=AAPL");'
ORDER = {"account": "Z20000025", "symbol": "KO", "action": "buy", "quantity": 2, "order_type": "market"}


def needed(*names: str) -> str:
    """The first of some programs that is there."""
    for name in names:
        if found := shutil.which(name):
            return found
    sys.exit(f"{names[0]} is missing: apt-get install -y {names[0]}")


def start_daemon(folder: Path) -> tuple[subprocess.Popen[str], str]:
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("FT_", "FTSERVICE_"))},
        "FT_DATA_DIR": str(folder),
        "FT_CONFIG": "/dev/null",
        "FTSERVICE_API_KEY_REQUIRED": "false",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "ftcli", "serve", "--paper", "--port", "0"],
        stderr=subprocess.PIPE,
        env=environ,
        cwd=ROOT,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if found := re.search(r"http://[\w.]+:(\d+)", line):
            return process, found[1]
    sys.exit("the daemon did not start")


def call(port: str, path: str, body: Any) -> Any:
    request = urllib.request.Request(
        f"http://localhost:{port}/api/v1{path}",
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=PATIENCE) as reply:
        return json.loads(reply.read())["data"]


async def events_of(line: str, port: str, name: str, after_hello: Any = None) -> dict[str, Any]:
    """Runs a curl line and gives the data of the first event of a name."""
    process = await asyncio.create_subprocess_shell(
        f"exec {line.replace('8787', port)} -s --noproxy '*'", stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    kind = ""
    try:
        async with asyncio.timeout(PATIENCE):
            async for raw in process.stdout:
                word, _, value = raw.decode().rstrip("\n").partition(": ")
                if word == "event":
                    kind = value
                elif (
                    word == "data"
                    and kind == "status"
                    and after_hello
                    and json.loads(value)["state"] == "open"
                ):
                    await asyncio.to_thread(after_hello)
                    after_hello = None
                elif word == "data" and kind == name:
                    found: dict[str, Any] = json.loads(value)
                    if name != "beps" or found["event_type"] == "ORDER_FILL":
                        return found
    finally:
        process.kill()
        await process.wait()
    raise AssertionError(f"curl ended without {name}")


class Console:
    """The console of a page, over the browser's debugging protocol."""

    def __init__(self, socket: Any) -> None:
        self._socket = socket
        self._number = 0
        self.logged: list[dict[str, Any]] = []

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        self._number += 1
        await self._socket.send(json.dumps({"id": self._number, "method": method, "params": params}))
        while True:
            message = json.loads(await asyncio.wait_for(self._socket.recv(), PATIENCE))
            if message.get("id") == self._number:
                result: dict[str, Any] = message.get("result", {})
                return result
            if message.get("method") == "Runtime.consoleAPICalled":
                self.logged.append(message["params"])

    async def type(self, statement: str) -> Any:
        """Types a statement, as in the console: each by itself, declarations stay."""
        answer = await self.call(
            "Runtime.evaluate", expression=statement, replMode=True, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in answer:
            raise AssertionError(f"{statement}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    async def until(self, expression: str) -> Any:
        """Waits until an expression is true."""
        async with asyncio.timeout(PATIENCE):
            while not (value := await self.type(expression)):
                await asyncio.sleep(0.1)
        return value


async def browse(port: str, folder: Path) -> None:
    browser = needed(*BROWSERS)
    flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-port=0"]
    process = await asyncio.create_subprocess_exec(
        browser,
        *flags,
        "--no-proxy-server",
        f"--user-data-dir={folder / 'profile'}",
        f"http://localhost:{port}/docs",
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    try:
        async with asyncio.timeout(PATIENCE):
            while not (
                found := re.search(r"ws://127\.0\.0\.1:(\d+)/", (await process.stderr.readline()).decode())
            ):
                pass
        draining = asyncio.create_task(process.stderr.read())
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        target = ""
        while not target:
            await asyncio.sleep(0.2)
            pages = json.loads(opener.open(f"http://127.0.0.1:{found[1]}/json", timeout=5).read())
            urls = [page["webSocketDebuggerUrl"] for page in pages if "/docs" in page["url"]]
            target = urls[0] if urls else ""
        async with connect(target, proxy=None, max_size=None) as socket:
            await in_console(Console(socket), port)
        draining.cancel()
    finally:
        process.terminate()
        await process.wait()


async def in_console(console: Console, port: str) -> None:
    await console.call("Runtime.enable")
    create, send, listen = (statement.replace("8787", port) for statement in CLIENT)
    await console.type(create)
    await console.until("ws.readyState === 1")
    await console.type(WATCH)
    await console.type(send)
    await console.type(listen)
    await console.until("Object.keys(seen).length === 2")
    prices = await console.type("seen")
    assert set(prices) == {"AAPL", "TSLA"}, prices
    assert all(price > 0 for price in prices.values()), prices
    async with asyncio.timeout(PATIENCE):
        while not console.logged:
            await console.type("1")
            await asyncio.sleep(0.1)
    print("browser: WebSocket client:", prices)
    await console.type(SOURCE)
    await console.type(
        "var events = []; es.addEventListener('quote', (e) => events.push(JSON.parse(e.data)))"
    )
    quote = await console.until("events.length ? events[0] : null")
    assert quote["symbol"] == "AAPL", quote
    print("browser: EventSource:", quote["symbol"], quote["last"])


async def main() -> None:
    needed("curl")
    needed(*BROWSERS)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        process, port = start_daemon(Path(name))
        try:
            quote = await events_of(QUOTES, port, "quote")
            assert quote["symbol"] in ("AAPL", "TSLA"), quote
            assert quote["last"] > 0, quote
            print("curl: quotes:", quote["symbol"], quote["last"])

            def order() -> None:
                number = call(port, "/orders/equity/preview", ORDER)["conf_num"]
                call(port, "/orders/equity/place", {"order": ORDER, "conf_num": number})

            fill = await events_of(EVENTS, port, "beps", order)
            assert (fill["event_type"], fill["category"]) == ("ORDER_FILL", "order"), fill
            assert fill["desc"]["ORDER_NUM"] == fill["order_id"], fill
            print("curl: events:", fill["event_type"], fill["order_id"])
            await browse(port, Path(name))
        finally:
            process.terminate()
            process.communicate(timeout=10)
    print("all clients work")


if __name__ == "__main__":
    asyncio.run(main())
