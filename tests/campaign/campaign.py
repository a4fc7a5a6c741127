"""The fault campaign: many placements on every face, on a broker that loses answers, while daemons are killed.

    python tests/campaign/campaign.py 2000

Afterwards the paper broker's ledger is held against the journal. Every intent carries a price of its own among those
of its kind, so an intent that was placed twice shows in the ledger whatever numbers it went under.
"""

import asyncio
import contextlib
import io
import json
import os
import random
import signal
import socket
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
from aiohttp import web

from ftcli.cli.entry import run as run_cli
from ftcli.cli.terminal import Terminal
from ftcli.client import Client
from ftcli.clock import system_clock
from ftcli.environment import open_client
from ftcli.errors import FtError
from ftcli.operations.binding import bind
from ftcli.operations.registry import find
from ftcli.paper.desk import DEMO_PASSWORD, DEMO_USERNAME, Desk
from ftcli.paper.logins import User
from ftcli.paper.market import Market
from ftcli.paper.server import make_app
from ftcli.paper.state import State
from ftcli.transport.http import Failure  # noqa: F401  # loads httpx the way the transport wants it

MARGIN, CASH = "Z20000025", "Z10000017"
FAULTS = ["none"] * 6 + [
    "lost",
    "lost",
    "reset_before",
    "reset_during",
    "500",
    "502_after",
    "html_after",
    "slow",
    "401",
    "429",
    "garbled",
]
"""What happens to a place call; those after the broker has acted are the dangerous ones."""
FAMILIES = ("equity", "equity", "option", "options", "conditional", "replace")
FACES = ("sdk", "http", "http", "http", "cli")
SLOW = 3.0
Mark = tuple[str, int, Decimal | None]
"""Symbol's root, number of legs, price: what tells an intent's order in the ledger."""
KINDS = {"option": ("AAPL", 1), "options": ("AAPL", 2)}
"""Families whose orders are not of one share of KO."""


class Upstream:
    """The paper broker behind a socket that misbehaves on place calls, by chance."""

    def __init__(self, chance: random.Random) -> None:
        user = User(username=DEMO_USERNAME, password=DEMO_PASSWORD)
        self.desk = Desk(State(":memory:"), Market(), system_clock, user, seed=1)
        self.seen: Counter[str] = Counter()
        self.calm = False
        self._chance = chance

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        app = make_app(self.desk)
        app.middlewares.append(self._misbehave())
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()

    def _misbehave(self) -> Any:
        @web.middleware
        async def middleware(request: web.Request, handler: Any) -> web.StreamResponse:
            if "/place/" not in request.path or "/cancel/" in request.path or self.calm:
                answer: web.StreamResponse = await handler(request)
                return answer
            fault = self._chance.choice(FAULTS)
            self.seen[fault] += 1
            return await self._fault(fault, request, handler)

        return middleware

    async def _fault(self, fault: str, request: web.Request, handler: Any) -> web.StreamResponse:
        assert request.transport is not None
        if fault == "reset_before":
            request.transport.abort()
            return web.Response()
        if fault == "reset_during":
            await request.content.readany()
            request.transport.abort()
            return web.Response()
        if fault in ("500", "401", "429"):
            return web.Response(status=int(fault))
        answer: web.StreamResponse = await handler(request)
        if fault == "lost":
            request.transport.abort()
        if fault == "502_after":
            return web.Response(status=502, text="bad gateway")
        if fault == "html_after":
            return web.Response(text="<html>maintenance</html>", content_type="text/html")
        if fault == "garbled":
            return web.Response(text='{"place": {"orderConf', content_type="application/json")
        if fault == "slow":
            await asyncio.sleep(SLOW)
        return answer


class Intent:
    """One order somebody wants once: its family, its unmistakable mark, and what became of the tries.

    Args:
        number: Its place among the intents of its kind: it makes the price.
    """

    def __init__(self, number: int, family: str, face: str, key: str | None) -> None:
        self.family, self.face, self.key = family, face, key
        self.price = Decimal(100 + number) / 100
        self.account = CASH if family == "replace" else MARGIN
        self.mark: Mark = (*KINDS.get(family, ("KO", 1)), self.price)
        self.outcomes: list[str] = []

    def body(self, original: str = "") -> dict[str, Any]:
        """The order, as JSON."""
        equity = {
            "account": self.account,
            "symbol": "KO",
            "action": "buy",
            "quantity": 1,
            "order_type": "limit",
            "limit_price": self.price,
        }
        if self.family == "option":
            contract = {"symbol": "AAPL 2027-03-19 270 C", "action": "buy_to_open"}
            return {"order": {**equity, **contract}}
        if self.family == "options":
            legs = [
                {"symbol": "AAPL 2027-03-19 270 C", "action": "buy_to_open", "quantity": 1},
                {"symbol": "AAPL 2027-03-19 280 C", "action": "sell_to_open", "quantity": 1},
            ]
            return {
                "order": {
                    "account": self.account,
                    "legs": legs,
                    "direction": "debit",
                    "net_price": self.price,
                }
            }
        if self.family == "conditional":
            sale = {**equity, "action": "sell", "limit_price": 900}
            return {"order": {"condition": "oto", "orders": [equity, sale]}}
        if self.family == "replace":
            return {"order": equity, "replaces": original}
        return {"order": equity}


class Campaign:
    """One run.

    Args:
        count: Intents.
        seed: Seed of every choice.
        folder: Data folder that all processes share.
        seconds: After so long no new intent is begun.
    """

    def __init__(self, count: int, seed: int, folder: Path, seconds: float) -> None:
        self._seconds = seconds
        self._chance = random.Random(seed)
        self._folder = folder
        self.upstream = Upstream(random.Random(seed + 1))
        self.intents: list[Intent] = []
        numbers: Counter[tuple[str, int]] = Counter()
        for number in range(count):
            family, face = self._chance.choice(FAMILIES), self._chance.choice(FACES)
            kind = KINDS.get(family, ("KO", 1))
            key = f"key-{number}" if self._chance.random() < 0.6 else None
            self.intents.append(Intent(numbers[kind], family, face, key))
            numbers[kind] += 1
        self.kills = self.expiries = 0
        self._login = asyncio.Lock()
        self.troubles: Counter[str] = Counter()
        self.originals: list[str] = []

    def environ(self, url: str, **more: str) -> dict[str, str]:
        """The environment of every process."""
        return {
            **{name: os.environ[name] for name in ("PATH", "PYTHONPATH", "HOME") if name in os.environ},
            "FT_ENV": "paper",
            "FT_UPSTREAM": url,
            "FT_DATA_DIR": str(self._folder),
            "FT_CONFIG": str(self._folder / "none.toml"),
            "FT_TIMEOUT": "2",
            "FTSERVICE_API_KEY_REQUIRED": "false",
            "FTSERVICE_ENCRYPTION_KEY": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
            "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
            **more,
        }

    async def run(self) -> dict[str, int]:
        """Places everything, reconciles, and compares."""
        async with self.upstream.running() as url:
            async with open_client(environ=self.environ(url)) as client:
                await self._prepare(client)
                daemons = [Daemon(self.environ(url)) for _ in range(2)]
                for daemon in daemons:
                    await daemon.start()
                killer = asyncio.create_task(self._kill(client, daemons))
                try:
                    await self._place_all(client, daemons, url)
                finally:
                    killer.cancel()
                    await asyncio.gather(killer, return_exceptions=True)
                    for daemon in daemons:
                        await daemon.kill()
            self.upstream.calm = True
            await asyncio.sleep(SLOW)  # answers that are still slow
            async with open_client(environ=self.environ(url)) as judge:
                await judge.auth.login(DEMO_USERNAME, DEMO_PASSWORD)
                await judge.orders.reconcile()
                return await self._compare(judge)

    async def _prepare(self, client: Client) -> None:
        """The open orders that replacements change."""
        self.upstream.calm = True
        for _ in range(sum(intent.family == "replace" for intent in self.intents)):
            one = Intent(0, "replace", "sdk", None)
            one.price = Decimal("0.5")
            order = bind(find("orders.equity.preview"), {"order": one.body()["order"]}, texts=False)["order"]
            preview = await client.orders.equity.preview(order)
            await client.orders.equity.place(order, preview.conf_num or "")
            self.originals.append(preview.conf_num or "")
        self.upstream.calm = False

    async def _place_all(self, client: Client, daemons: "list[Daemon]", url: str) -> None:
        waiting = list(self.intents)
        end = time.monotonic() + self._seconds

        async def worker(chance: random.Random) -> None:
            while waiting and time.monotonic() < end:
                await self._pursue(waiting.pop(), client, daemons, url, chance)

        await asyncio.gather(*(worker(random.Random(index)) for index in range(6)))

    async def _pursue(
        self, intent: Intent, client: Client, daemons: "list[Daemon]", url: str, chance: random.Random
    ) -> None:
        """What an impatient user does: previews, places, and places again, whatever came."""
        body = intent.body(self.originals.pop() if intent.family == "replace" else "")
        name = f"orders.{intent.family}"
        previewed = None
        for _ in range(8):
            previewed = await self._preview(client, name, body)
            if previewed:
                break
        if not previewed:
            intent.outcomes.append("no preview")
            return
        for attempt in range(chance.choice((1, 2, 2, 3))):
            given = {**body, **previewed}
            if intent.face == "http" and attempt == 1 and chance.random() < 0.4:
                both = [self._http(intent, name, given, daemon) for daemon in daemons]
                intent.outcomes += await asyncio.gather(*both)
            elif intent.face == "http":
                intent.outcomes.append(await self._http(intent, name, given, chance.choice(daemons)))
            elif intent.face == "cli":
                intent.outcomes.append(await asyncio.to_thread(self._cli, intent, name, given, url))
            else:
                intent.outcomes.append(await self._sdk(intent, name, given, client))

    async def _preview(self, client: Client, name: str, body: dict[str, Any]) -> dict[str, Any] | None:
        try:
            answer = await _call(client, f"{name}.preview", body)
        except FtError as problem:
            self.troubles[f"preview {problem.code}: {problem.message[:40]}"] += 1
            if problem.code == "SESSION_EXPIRED":
                await self._log_in(client)
            await asyncio.sleep(0.1)
            return None
        numbers = getattr(answer, "conf_nums", None)
        return {"conf_nums": numbers} if numbers else {"conf_num": answer.conf_num}

    async def _sdk(self, intent: Intent, name: str, given: dict[str, Any], client: Client) -> str:
        try:
            with client.placing_as("sdk", key=intent.key):
                await _call(client, f"{name}.place", given)
        except FtError as problem:
            return problem.code
        return "ok"

    async def _http(self, intent: Intent, name: str, given: dict[str, Any], daemon: "Daemon") -> str:
        headers = {"Idempotency-Key": intent.key} if intent.key else {}
        path = find(f"{name}.place").path
        try:
            async with httpx.AsyncClient(timeout=15, trust_env=False) as http:
                content = json.dumps(given, default=str)
                reply = await http.post(
                    f"{daemon.url}/api/v1{path}",
                    content=content,
                    headers={**headers, "Content-Type": "application/json"},
                )
            document = reply.json()
        except (httpx.HTTPError, ValueError):
            return "daemon gone"
        return "ok" if document["ok"] else str(document["error"]["code"])

    def _cli(self, intent: Intent, name: str, given: dict[str, Any], url: str) -> str:
        out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.TextIOWrapper(io.BytesIO(), "utf-8")
        words = [*(find(f"{name}.place").cli or "").split(), "--yes", "-o", "json"]
        words += ["--body", json.dumps(given["order"], default=str)]
        for option in ("replaces", "conf_num"):
            if option in given:
                words += [f"--{option.replace('_', '-')}", str(given[option])]
        if "conf_nums" in given:
            words += ["--conf-nums", ",".join(given["conf_nums"])]
        if intent.key:
            words += ["--idempotency-key", intent.key]
        status = run_cli(words, Terminal(io.StringIO(), out, err, self.environ(url)))
        err.flush()
        if not status:
            return "ok"
        text = err.buffer.getvalue().decode()  # type: ignore[attr-defined]
        return str(json.loads(text)["code"]) if text.startswith("{") else f"exit {status}"

    async def _kill(self, client: Client, daemons: "list[Daemon]") -> None:
        """kill -9, at random, and a new start; and now and then the broker forgets every session."""
        while True:
            await asyncio.sleep(self._chance.uniform(1, 5))
            daemon = self._chance.choice(daemons)
            await daemon.kill()
            self.kills += 1
            if self._chance.random() < 0.3:
                self.upstream.desk.logins.expire_all()
                self.expiries += 1
                await asyncio.sleep(0.3)
                await self._log_in(client)
            await daemon.start()

    async def _log_in(self, client: Client) -> None:
        """What a person does who sees that the session is over."""
        before = client.broker.session_id
        async with self._login:
            if client.broker.session_id != before:
                return
            await self._try_logins(client)

    async def _try_logins(self, client: Client) -> None:
        for _ in range(20):
            try:
                await client.auth.login(DEMO_USERNAME, DEMO_PASSWORD)
            except FtError as problem:
                self.troubles[f"login {problem.code}: {problem.message[:60]}"] += 1
                await asyncio.sleep(0.5)
            else:
                return

    async def _compare(self, judge: Client) -> dict[str, int]:
        ledger: dict[str, Mark] = {}
        for account in (CASH, MARGIN):
            for entry in self.upstream.desk.engine.orders(account):
                legs = entry.order.legs
                root = "KO" if legs[0].symbol == "KO" else "AAPL"
                ledger[entry.order.number] = (root, len(legs), entry.order.limit_price)
        entries = (await judge.orders.journal.export(accounts_shown=True)).entries
        ours = {number for item in entries if item.state != "external" for number in item.conf_nums}
        wanted = {intent.mark for intent in self.intents}
        placed = Counter(mark for mark in ledger.values() if mark in wanted)
        lost = [item for item in entries if item.state == "unknown"]
        return {
            "intents": sum(bool(intent.outcomes) for intent in self.intents),
            "place calls at the broker": sum(self.upstream.seen.values()),
            "tries": sum(len(intent.outcomes) for intent in self.intents),
            "daemons killed": self.kills,
            "sessions expired": self.expiries,
            "intents in the ledger": len(placed),
            "intents told ok": sum("ok" in intent.outcomes for intent in self.intents),
            "unknown, absent at the broker": sum(not set(item.conf_nums) & set(ledger) for item in lost),
            "told ok, not in the ledger": sum(
                "ok" in intent.outcomes and not placed[intent.mark] for intent in self.intents
            ),
            "placed twice": sum(count > 1 for count in placed.values()),
            "placed, not in the journal": sum(
                mark in wanted and number not in ours for number, mark in ledger.items()
            ),
            "unknown, present at the broker": sum(bool(set(item.conf_nums) & set(ledger)) for item in lost),
            "still sending": sum(item.state == "sending" for item in entries),
        }


MUST_BE_ZERO = (
    "told ok, not in the ledger",
    "placed twice",
    "placed, not in the journal",
    "unknown, present at the broker",
    "still sending",
)


class Daemon:
    """`ft serve` in a process of its own, on a port that stays its own."""

    def __init__(self, environ: dict[str, str]) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self._environ = {**environ, "FTSERVICE_PORT": str(port)}
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Starts it and waits until it answers."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "ftcli",
            "serve",
            env=self._environ,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        async with httpx.AsyncClient(timeout=2, trust_env=False) as http:
            for _ in range(1200):
                with contextlib.suppress(httpx.HTTPError):
                    if (await http.get(f"{self.url}/health")).status_code == 200:
                        return
                if self._process.returncode is not None:
                    raise RuntimeError(f"the daemon ended with {self._process.returncode}")
                await asyncio.sleep(0.05)
        raise RuntimeError("the daemon does not answer")

    async def kill(self) -> None:
        """kill -9."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGKILL)
            await self._process.wait()


async def _call(client: Client, name: str, given: dict[str, Any]) -> Any:
    method: Any = client
    for part in name.split("."):
        method = getattr(method, part)
    return await method(**bind(find(name), given, texts=False))


def table(figures: dict[str, int], seen: Counter[str], outcomes: Counter[str], seconds: float) -> str:
    """The figures for people."""
    rows = [*figures.items(), *((f"fault {name}", count) for name, count in sorted(seen.items()))]
    rows += [(f"told {name}", count) for name, count in sorted(outcomes.items())]
    return (
        "\n".join(f"{name[:66]:<68}{count:>6}" for name, count in rows) + f"\n{'seconds':<68}{seconds:>6.0f}"
    )


async def campaign(count: int, seed: int, folder: Path, seconds: float = 1e9) -> tuple[dict[str, int], str]:
    """Runs it; answers the figures and their table."""
    started = time.monotonic()
    one = Campaign(count, seed, folder, seconds)
    figures = await one.run()
    outcomes = Counter(outcome for intent in one.intents for outcome in intent.outcomes)
    return figures, table(figures, one.upstream.seen, outcomes + one.troubles, time.monotonic() - started)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        found, text = asyncio.run(
            campaign(int(sys.argv[1]) if len(sys.argv) > 1 else 2000, int(time.time()), Path(scratch))
        )
    print(text)
    sys.exit(any(found[name] for name in MUST_BE_ZERO))
