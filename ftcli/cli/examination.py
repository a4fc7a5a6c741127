"""What ``ft doctor`` looks at, each with its time and outcome, redacted."""

import os
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from ftcli.errors import FtError
from ftcli.redaction import redact_log

if TYPE_CHECKING:
    from ftcli.cli.call import Call
    from ftcli.client import Client

Row = dict[str, Any]
Said = tuple[str, str, str | None]
"""Status, outcome, advice."""

_LOW_DISK = 50 * 1024 * 1024
_CLOCK_TOLERANCE = 15.0
_STREAM_SECONDS = 8.0


class Chart:
    """Collects the findings."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def add(
        self, check: str, status: str, outcome: str, advice: str | None = None, ms: float | None = None
    ) -> None:
        """Adds a finding, with everything private masked."""
        home = os.path.expanduser("~")
        text = redact_log(outcome).replace(home, "~") if len(home) > 1 else redact_log(outcome)
        self.rows.append(
            {
                "check": check,
                "status": status,
                "ms": None if ms is None else round(ms),
                "outcome": text,
                "advice": redact_log(advice) if advice else None,
            }
        )

    async def look(self, check: str, ask: Callable[[], Awaitable[Said]]) -> bool:
        """Looks at one thing; an error is a finding."""
        started = time.perf_counter()
        try:
            status, outcome, advice = await ask()
        except FtError as problem:
            status, outcome, advice = "failed", f"{problem.code}: {problem.message}", None
        except (OSError, TimeoutError) as problem:
            status, outcome, advice = "failed", f"{type(problem).__name__}: {problem}", None
        self.add(check, status, outcome, advice, (time.perf_counter() - started) * 1000)
        return status in ("ok", "warning")


async def examine(call: "Call", *, login: bool) -> list[Row]:
    """Looks at everything.

    Args:
        call: The command line.
        login: Whether to log in anew.
    """
    chart = Chart()
    _versions(chart)
    _settings(chart, call)
    _storage(chart, call)
    _disk(chart, call)
    try:
        async with call.open_client() as client:
            await _broker(chart, client, call, login)
    except FtError as problem:
        chart.add("broker", "failed", f"{problem.code}: {problem.message}")
    await _daemon(chart, call)
    return chart.rows


def _versions(chart: Chart) -> None:
    import platform
    from importlib.metadata import PackageNotFoundError, version

    from ftcli.version import __version__

    chart.add("ftcli", "ok", __version__)
    chart.add("python", "ok", f"{platform.python_version()} on {platform.system()} {platform.machine()}")
    found = []
    for name in ("aiohttp", "cryptography", "httpx", "keyring", "msgspec", "websockets"):
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            chart.add("libraries", "failed", f"{name} is missing", "Install ftcli anew.")
    chart.add("libraries", "ok", ", ".join(found))


def _settings(chart: Chart, call: "Call") -> None:
    origins = call.settings.origins
    secret = {"password", "totp", "passphrase", "encryption_key", "api_key", "beps_token", "paper_totp"}
    given = [name if name not in secret else f"{name} (secret)" for name in sorted(origins)]
    chart.add("settings", "ok", f"{call.settings.environment}; set: {', '.join(given) or 'nothing'}")


def _storage(chart: Chart, call: "Call") -> None:
    from ftcli.cli.commands.credentials import storage_of

    started = time.perf_counter()
    found = storage_of(call)
    ms = (time.perf_counter() - started) * 1000
    for store in found.stores:
        holds = {True: "holds credentials", False: "holds none", None: "cannot tell"}[store.holds]
        status = "ok" if store.usable else "warning"
        text = f"{store.where}: {holds}" + (f"; {store.reason}" if store.reason else "")
        chart.add(f"store {store.store}", status, text, ms=ms if store.store == "keyring" else None)
    key = found.key_origin or "none"
    chart.add("encryption key", "warning" if found.key_warning else "ok", f"from {key}", found.key_warning)
    wide = [entry for entry in found.files if entry.fix]
    if wide:
        named = ", ".join(f"{entry.what} {os.path.basename(entry.path)} {entry.mode}" for entry in wide)
        advice = "; ".join(entry.fix or "" for entry in wide)
        chart.add("permissions", "warning", f"others can read or change: {named}", advice)
    else:
        chart.add("permissions", "ok", f"{len(found.files)} files and folders, all private")


def _disk(chart: Chart, call: "Call") -> None:
    import shutil

    folder = call.settings.data_path("")
    free = shutil.disk_usage(folder).free
    probe = folder / f".doctor.{os.getpid()}"
    try:
        probe.write_bytes(b"x" * 4096)
        probe.unlink()
    except OSError as problem:
        chart.add("disk", "failed", f"{folder} cannot be written ({problem.strerror})", "Set FT_DATA_DIR.")
        return
    low = free < _LOW_DISK
    chart.add("disk", "warning" if low else "ok", f"{free // 2**20} MiB free", "Make room." if low else None)


async def _broker(chart: Chart, client: "Client", call: "Call", login: bool) -> None:
    broker = client.broker
    reached = [0.0]

    async def reach() -> Said:
        ahead = await broker.look_at_login_page()
        reached[0] = 1.0
        if ahead is None:
            return "ok", "answers; it tells no time", None
        return "ok", "answers", None

    if not await chart.look("broker reachable", reach):
        chart.rows[-1]["advice"] = "Check the network, a proxy or firewall, and FT_UPSTREAM or FT_HOSTS."
    _clock(chart, broker.clock_ahead)
    if login:
        await _login(chart, client)
    else:
        chart.add("login", "skipped", "not tried", "ft doctor --login tries it: one real attempt.")
    alive = await chart.look("session", lambda: _session(client))
    if alive and broker.state == "authenticated":
        await chart.look("accounts", lambda: _accounts(client))
        await chart.look("streams", lambda: _stream(client))
    else:
        chart.add("streams", "skipped", "no session")


def _clock(chart: Chart, ahead: float | None) -> None:
    if ahead is None:
        chart.add("clock", "skipped", "the broker told no time")
        return
    where = "ahead of" if ahead > 0 else "behind"
    text = f"{abs(ahead):.0f} s {where} the broker's"
    if abs(ahead) < _CLOCK_TOLERANCE:
        chart.add("clock", "ok", text)
    else:
        chart.add(
            "clock", "failed", text, "Set this machine's clock: codes of the second factor depend on it."
        )


async def _login(chart: Chart, client: "Client") -> None:
    def note(step: Any) -> None:
        chart.add(f"login {step.name}", "ok" if step.ok else "failed", step.outcome, ms=step.seconds * 1000)

    async def run() -> Said:
        await client.login(None, None, None)
        return "ok", "logged in", None

    client.broker.watch_login(note)
    try:
        await chart.look("login", run)
    finally:
        client.broker.watch_login(None)
    if chart.rows[-1]["status"] == "failed":
        chart.rows[-1]["advice"] = (
            "Give the credentials: ft auth credentials set, or FT_USERNAME and FT_PASSWORD."
        )


async def _session(client: "Client") -> Said:
    status = await client.session_status(offline=False)
    text = f"{status.state}" + (f"; {status.note}" if status.note else "")
    if status.state == "authenticated":
        quotes = {True: "real-time quotes", False: "delayed quotes", None: "entitlement not known"}
        return "ok", f"{text}; {quotes[status.real_time_quotes]}", None
    advice = "ft auth approve --code CODE" if status.state == "totp_pending" else "ft auth login"
    return "warning", text, advice


async def _accounts(client: "Client") -> Said:
    found = await client.accounts.list()
    return "ok", f"{len(found.accounts)} accounts", None


async def _stream(client: "Client") -> Said:
    import asyncio

    async with asyncio.timeout(_STREAM_SECONDS), client.updates("quote", ["SPY"]) as updates:
        async for update in updates:
            if update.kind == "quote":
                return "ok", "market data flows", None
    return "failed", "the stream ended without a quote", None


async def _daemon(chart: Chart, call: "Call") -> None:
    """Whether a daemon listens where the settings put it."""
    import asyncio

    settings = call.settings
    place = str(settings.socket) if settings.socket else f"{settings.host}:{settings.port}"
    try:
        async with asyncio.timeout(2):
            if settings.socket:
                _, writer = await asyncio.open_unix_connection(str(settings.socket))
            else:
                _, writer = await asyncio.open_connection(settings.host, settings.port)
        writer.close()
    except (OSError, TimeoutError):
        chart.add("daemon", "ok", f"none listens on {place}")
        return
    chart.add("daemon", "ok", f"something listens on {place}")
