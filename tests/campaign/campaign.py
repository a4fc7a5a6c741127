"""The fault campaign: many placements on every face, on a broker that loses answers, while processes are killed.

    python tests/campaign/campaign.py 2000

Afterwards the paper broker's ledger is held against the journal. Every intent carries a mark of its own, so an intent
that was placed twice shows in the ledger whatever numbers it went under.
"""

import asyncio
import contextlib
import io
import json
import os
import random
import sys
import tempfile
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from campaign_broker import AFTER, BEFORE, SLOW, Upstream
from campaign_intents import CHANGES, FACES, FAMILIES, Deck, Intent, Mark, make_intents
from campaign_processes import Command, Daemon, killed_after, told

from ftcli.cli.entry import run as run_cli
from ftcli.cli.terminal import Terminal
from ftcli.client import Client
from ftcli.clock import system_clock
from ftcli.environment import open_client
from ftcli.errors import FtError, ValidationFailed
from ftcli.models.trading import JournalState, ResolveAs
from ftcli.operations.binding import bind
from ftcli.operations.registry import find
from ftcli.paper.desk import DEMO_PASSWORD, DEMO_USERNAME

DAEMON_DIES_EVERY = 30
"""Intents between two deaths of a daemon."""
IN_FLIGHT = timedelta(seconds=2 * SLOW)
"""Longer than an order may be on its way to the broker."""
ENDS_OF_COMMANDS = ("lives", "before", "after", "at random")
"""A command in a process of its own lives, or is killed as the broker gets its order, once the broker has acted, or
at a random moment."""
REPEATS = ("without a key", "under its key", "under its key, with a new preview", "at two daemons at once")

MUST_BE_ZERO = (
    "told ok, not in the ledger",
    "placed twice",
    "placed, not in the journal",
    "unknown, present at the broker",
    "settled as not placed, present at the broker",
    "still sending",
)
MUST_HAPPEN = (
    *(f"fault {name}" for name in (*BEFORE, *AFTER, "sender killed before", "sender killed after")),
    *(f"tried by {face}" for face in dict.fromkeys(FACES)),
    *(f"placed {family}" for family in FAMILIES),
    *(f"repeated {how}" for how in REPEATS),
    "command killed at random",
    "daemon killed",
    "sessions expired",
    "settled as not placed",
)


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
        self._url = ""
        self.upstream = Upstream(random.Random(seed + 1))
        self.intents = make_intents(count, self._chance)
        self._ends = Deck(ENDS_OF_COMMANDS, self._chance)
        self._faces = Deck(FACES, self._chance)
        self._begun = 0
        self._deaths = asyncio.Semaphore(0)
        self._login = asyncio.Lock()
        self._daemons: list[Daemon] = []
        self._originals: dict[Intent, str] = {}
        self.done: Counter[str] = Counter()
        self.troubles: Counter[str] = Counter()

    def environ(self) -> dict[str, str]:
        """The environment of every process."""
        return {
            **{name: os.environ[name] for name in ("PATH", "PYTHONPATH", "HOME") if name in os.environ},
            "FT_ENV": "paper",
            "FT_UPSTREAM": self._url,
            "FT_DATA_DIR": str(self._folder),
            "FT_CONFIG": "/dev/null",
            "FT_TIMEOUT": "2",
            "FTSERVICE_API_KEY_REQUIRED": "false",
            "FTSERVICE_ENCRYPTION_KEY": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
            "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        }

    async def run(self) -> dict[str, int]:
        """Places everything, reconciles, and compares."""
        async with self.upstream.running() as self._url:
            async with open_client(environ=self.environ()) as client:
                await self._prepare(client)
                self._daemons = [Daemon(self.environ()) for _ in range(2)]
                for daemon in self._daemons:
                    await daemon.start()
                killer = asyncio.create_task(self._kill_daemons(client))
                self.upstream.calm = False
                try:
                    await self._place_all(client)
                finally:
                    killer.cancel()
                    await asyncio.gather(killer, return_exceptions=True)
                    for daemon in self._daemons:
                        await daemon.kill()
            if killer.done() and not killer.cancelled():
                killer.result()  # a daemon that did not start again
            self.upstream.calm = True
            await asyncio.sleep(SLOW)  # answers that are still slow
            async with open_client(environ=self.environ()) as judge:
                await judge.auth.login(DEMO_USERNAME, DEMO_PASSWORD)
                await judge.orders.reconcile()
                return await self._compare(judge)

    async def _prepare(self, client: Client) -> None:
        """The open orders that changes change."""
        for intent in self.intents:
            if intent.family not in CHANGES:
                continue
            one = intent.original()
            numbers = await self._preview(client, f"orders.{one.family}", one.body())
            assert numbers is not None, self.troubles
            await _call(client, f"orders.{one.family}.place", {**one.body(), **numbers})
            self._originals[intent] = numbers.get("conf_num") or numbers["conf_nums"][0]

    async def _place_all(self, client: Client) -> None:
        waiting = list(self.intents)
        end = time.monotonic() + self._seconds

        async def worker() -> None:
            while waiting and time.monotonic() < end:
                self._begun += 1
                if self._begun % DAEMON_DIES_EVERY == 0:
                    self._deaths.release()
                await self._pursue(waiting.pop(), client)

        await asyncio.gather(*(worker() for _ in range(6)))

    # -- what clients do ------------------------------------------------------------------------------------

    async def _pursue(self, intent: Intent, client: Client) -> None:
        """What an impatient user does: previews, places, and places again, whatever came."""
        name, body = f"orders.{intent.family}", intent.body(self._originals.get(intent, ""))
        numbers = None
        for _ in range(8):
            numbers = await self._preview(client, name, body)
            if numbers:
                break
        if not numbers:
            intent.outcomes.append("no preview")
            return
        await self._try(intent, intent.face, {**body, **numbers}, client)
        for _ in range(self._chance.choice((0, 1, 1, 2))):
            await self._repeat(intent, {**body, **numbers}, client)

    async def _repeat(self, intent: Intent, given: dict[str, Any], client: Client) -> None:
        """The same again: mostly on the same face, under a key sometimes as previewed anew."""
        face = intent.face if self._chance.random() < 0.7 else self._faces.deal()
        again, how = given, "under its key" if intent.key else "without a key"
        if intent.key and self._chance.random() < 0.4:
            numbers = await self._preview(client, f"orders.{intent.family}", given)
            if numbers:  # the broker previews no second change of an order that is changed already
                again, how = {**given, **numbers}, "under its key, with a new preview"
        self.done[f"repeated {how}"] += 1
        if face == "http" and self._chance.random() < 0.4:
            self.done["repeated at two daemons at once"] += 1
            pairs = zip(self._daemons, (given, again), strict=True)
            intent.outcomes += await asyncio.gather(
                *(self._http(intent, one, daemon) for daemon, one in pairs)
            )
        else:
            await self._try(intent, face, again, client)

    async def _try(self, intent: Intent, face: str, given: dict[str, Any], client: Client) -> None:
        self.done[f"tried by {face}"] += 1
        if face == "sdk":
            outcome = await self._sdk(intent, given, client)
        elif face == "http":
            outcome = await self._http(intent, given, self._chance.choice(self._daemons))
        elif face == "cli":
            outcome = await asyncio.to_thread(self._cli, intent, given)
        else:
            outcome = await self._command(intent, given)
        intent.outcomes.append(outcome)

    async def _preview(self, client: Client, name: str, given: dict[str, Any]) -> dict[str, Any] | None:
        body = {field: value for field, value in given.items() if field in ("order", "replaces")}
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

    async def _sdk(self, intent: Intent, given: dict[str, Any], client: Client) -> str:
        try:
            with client.placing_as("sdk", key=intent.key):
                await _call(client, f"orders.{intent.family}.place", given)
        except FtError as problem:
            return problem.code
        return "ok"

    async def _http(self, intent: Intent, given: dict[str, Any], daemon: Daemon) -> str:
        headers = {"Idempotency-Key": intent.key} if intent.key else {}
        path = find(f"orders.{intent.family}.place").path
        try:
            async with httpx.AsyncClient(timeout=15, trust_env=False) as http:
                reply = await http.post(
                    f"{daemon.url}/api/v1{path}",
                    content=json.dumps(given, default=str),
                    headers={**headers, "Content-Type": "application/json"},
                )
            document = reply.json()
        except (httpx.HTTPError, ValueError):
            return "daemon gone"
        return "ok" if document["ok"] else str(document["error"]["code"])

    def _cli(self, intent: Intent, given: dict[str, Any]) -> str:
        err = io.BytesIO()
        out, text = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.TextIOWrapper(err, "utf-8")
        status = run_cli(_words(intent, given), Terminal(io.StringIO(), out, text, self.environ()))
        text.flush()
        return told(status, err.getvalue().decode())

    async def _command(self, intent: Intent, given: dict[str, Any]) -> str:
        end = self._ends.deal()
        number = given.get("conf_num") or given["conf_nums"][0]
        command = await Command.start(_words(intent, given), self.environ())
        if end in ("before", "after"):
            self.upstream.victims[number] = (end, command.kill)
        killer = asyncio.create_task(
            killed_after(self._chance.uniform(0.1, 1) if end == "at random" else 60, command.kill)
        )
        try:
            outcome = await command.outcome()
        finally:
            killer.cancel()
            self.upstream.victims.pop(number, None)
        if outcome == "killed" and end == "at random":
            self.done["command killed at random"] += 1
        return outcome

    # -- what else goes wrong -------------------------------------------------------------------------------

    async def _kill_daemons(self, client: Client) -> None:
        """kill -9, at random, and a new start; every second time the broker forgets every session too."""
        while True:
            await self._deaths.acquire()
            await asyncio.sleep(self._chance.uniform(0, 1))
            daemon = self._chance.choice(self._daemons)
            await daemon.kill()
            self.done["daemon killed"] += 1
            if self.done["daemon killed"] % 2 == 0:
                self.upstream.desk.logins.expire_all()
                self.done["sessions expired"] += 1
                await asyncio.sleep(0.3)
                await self._log_in(client)
            await daemon.start()
            await self._settle(client)

    async def _settle(self, client: Client) -> None:
        """What a person does who has looked in the broker's app: what is long not there was not placed.

        Otherwise each new process would look for all of them once more.
        """
        long_ago = system_clock() - IN_FLIGHT
        ledger = self.upstream.ledger()
        for entry in (await client.orders.journal.list(state=JournalState.UNKNOWN)).entries:
            if entry.changes[-1].changed_at < long_ago and not set(entry.conf_nums) & set(ledger):
                with contextlib.suppress(ValidationFailed):  # found out by another process meanwhile
                    await client.orders.resolve(str(entry.id), ResolveAs.NOT_PLACED, "not in the app either")
                    self.done["settled as not placed"] += 1

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

    # -- the verdict ----------------------------------------------------------------------------------------

    async def _compare(self, judge: Client) -> dict[str, int]:
        ledger = self.upstream.ledger()
        entries = (await judge.orders.journal.export(accounts_shown=True)).entries
        ours = {number for item in entries if item.state != "external" for number in item.conf_nums}
        families = {intent.mark: intent.family for intent in self.intents}
        assert len(families) == len(self.intents)
        placed: Counter[Mark] = Counter(mark for mark in ledger.values() if mark in families)
        lost = [item for item in entries if item.state == "unknown"]
        given_up = [item for item in entries if item.state == "not_placed"]
        return {
            "intents": sum(bool(intent.outcomes) for intent in self.intents),
            "tries": sum(len(intent.outcomes) for intent in self.intents),
            "place calls at the broker": sum(self.upstream.seen.values()),
            "intents in the ledger": len(placed),
            "intents told ok": sum("ok" in intent.outcomes for intent in self.intents),
            "unknown, absent at the broker": sum(not set(item.conf_nums) & set(ledger) for item in lost),
            "told ok, not in the ledger": sum(
                "ok" in intent.outcomes and not placed[intent.mark] for intent in self.intents
            ),
            "placed twice": sum(count > 1 for count in placed.values()),
            "placed, not in the journal": sum(
                mark in families and number not in ours for number, mark in ledger.items()
            ),
            "unknown, present at the broker": sum(bool(set(item.conf_nums) & set(ledger)) for item in lost),
            "settled as not placed, present at the broker": sum(
                bool(set(item.conf_nums) & set(ledger)) for item in given_up
            ),
            "still sending": sum(item.state == "sending" for item in entries),
            **self._what_happened(Counter(families[mark] for mark in placed)),
        }

    def _what_happened(self, placed: Counter[str]) -> dict[str, int]:
        found = Counter({f"fault {name}": count for name, count in self.upstream.seen.items()})
        found.update(self.done)
        found.update({f"placed {family}": count for family, count in placed.items()})
        return {name: found[name] for name in sorted({*MUST_HAPPEN, *found})}


def _words(intent: Intent, given: dict[str, Any]) -> list[str]:
    """The place as a command."""
    words = [*(find(f"orders.{intent.family}.place").cli or "").split(), "--yes", "-o", "json"]
    words += ["--body", json.dumps(given["order"], default=str)]
    for option in ("replaces", "conf_num"):
        if option in given:
            words += [f"--{option.replace('_', '-')}", str(given[option])]
    if "conf_nums" in given:
        words += ["--conf-nums", ",".join(given["conf_nums"])]
    if intent.key:
        words += ["--idempotency-key", intent.key]
    return words


async def _call(client: Client, name: str, given: dict[str, Any]) -> Any:
    method: Any = client
    for part in name.split("."):
        method = getattr(method, part)
    return await method(**bind(find(name), given, texts=False))


def table(figures: dict[str, int], outcomes: Counter[str], seconds: float) -> str:
    """The figures for people."""
    rows = [*figures.items(), *((f"told {name}", count) for name, count in sorted(outcomes.items()))]
    return (
        "\n".join(f"{name[:66]:<68}{count:>6}" for name, count in rows) + f"\n{'seconds':<68}{seconds:>6.0f}"
    )


async def campaign(count: int, seed: int, folder: Path, seconds: float = 1e9) -> tuple[dict[str, int], str]:
    """Runs it; answers the figures and their table."""
    started = time.monotonic()
    one = Campaign(count, seed, folder, seconds)
    figures = await one.run()
    outcomes = Counter(outcome for intent in one.intents for outcome in intent.outcomes)
    return figures, table(figures, outcomes + one.troubles, time.monotonic() - started)


def faults(figures: dict[str, int]) -> dict[str, int]:
    """The figures that are wrong: what must not be, and what was not tried at all."""
    wrong = {name: figures[name] for name in MUST_BE_ZERO if figures[name]}
    return wrong | {name: 0 for name in MUST_HAPPEN if not figures[name]}


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        found, text = asyncio.run(
            campaign(int(sys.argv[1]) if len(sys.argv) > 1 else 2000, int(time.time()), Path(scratch))
        )
    print(text)
    sys.exit(bool(faults(found)))
