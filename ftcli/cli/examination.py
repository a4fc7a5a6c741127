"""What ``ft doctor`` looks at, each with its time and outcome, redacted."""

import os
import time
from typing import TYPE_CHECKING

from ftcli.cli.chart import Chart, Said
from ftcli.errors import FtError

if TYPE_CHECKING:
    from ftcli.cli.call import Call
    from ftcli.client import Client

_NOBODY = "These limits hold for nobody: put it right in [limits]."
_LOW_DISK = 50 * 1024 * 1024


async def examine(call: "Call", *, login: bool) -> Chart:
    """Looks at everything.

    Args:
        call: The command line.
        login: Whether to log in anew.
    """
    from ftcli.cli.examination_broker import examine_broker

    chart = Chart(call.settings.timeout + 5)
    _versions(chart)
    _settings(chart, call)
    await chart.look("disk", lambda: _disk(call))
    await _storage(chart, call)
    try:
        async with call.open_client() as client:
            await chart.look(
                "limits", lambda: _limits(client), lambda problem: "Until then no order is placed."
            )
            await examine_broker(chart, client, login=login)
    except (FtError, OSError) as problem:
        told = f"{problem.code}: {problem.message}" if isinstance(problem, FtError) else str(problem)
        chart.add("broker", "failed", told)
    await chart.look("daemon", lambda: _daemon(call))
    return chart


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


async def _limits(client: "Client") -> Said:
    count = len((await client.trading.limits()).limits)
    unknown = client.desk.limited_keys() - client.desk.journal.api_keys()
    if unknown:
        return (
            "warning",
            f"no API key has the id {', '.join(sorted(unknown))}",
            f"{_NOBODY} See `ft keys list`.",
        )
    return "ok", f"{count} of orders in force" if count else "none", None


async def _storage(chart: Chart, call: "Call") -> None:
    from ftcli.cli.commands.credentials import Storage, storage_of
    from ftcli.cli.commands.serve import FIRST_KEY

    seen: list[Storage] = []

    async def look() -> Said:
        seen.append(storage_of(call))
        return "ok", "looked at", None

    started = time.perf_counter()
    if not await chart.look("stores", look):
        return
    ms = (time.perf_counter() - started) * 1000
    chart.rows.pop()  # each store has a row of its own
    [found] = seen
    for store in found.stores:
        holds = {True: "holds credentials", False: "holds none", None: "cannot tell"}[store.holds]
        status = "ok" if store.usable else "warning"
        text = f"{store.where}: {holds}" + (f"; {store.reason}" if store.reason else "")
        chart.add(f"store {store.store}", status, text, ms=ms if store.store == "keyring" else None)
    key = found.key_origin or "none"
    chart.add("encryption key", "warning" if found.key_warning else "ok", f"from {key}", found.key_warning)
    for entry in found.files:
        if os.path.basename(entry.path) == FIRST_KEY:
            chart.add(
                "first API key", "warning", "it still lies in its file", f"Take it, then rm {entry.path}"
            )
    wide = [entry for entry in found.files if entry.fix]
    if wide:
        named = ", ".join(f"{entry.what} {os.path.basename(entry.path)} {entry.mode}" for entry in wide)
        advice = "; ".join(entry.fix or "" for entry in wide)
        chart.add("permissions", "warning", f"others can read or change: {named}", advice)
    else:
        chart.add("permissions", "ok", f"{len(found.files)} files and folders, all private")


async def _disk(call: "Call") -> Said:
    import shutil

    folder = call.settings.data_path("")
    free = shutil.disk_usage(folder).free
    probe = folder / f".doctor.{os.getpid()}"
    try:
        probe.write_bytes(b"x" * 4096)
    except OSError as problem:
        return "failed", f"{folder} cannot be written ({problem.strerror})", "Make room, or set FT_DATA_DIR."
    finally:
        probe.unlink(missing_ok=True)
    low = free < _LOW_DISK
    return ("warning" if low else "ok"), f"{free // 2**20} MiB free", "Make room." if low else None


async def _daemon(call: "Call") -> Said:
    """Whether a daemon listens where the settings put it."""
    import asyncio

    from ftcli.server.door import is_loopback

    settings = call.settings
    # Where it is reached is nobody's affair.
    host = settings.host if is_loopback(settings.host) else "FTSERVICE_HOST"
    place = str(settings.socket) if settings.socket else f"{host}:{settings.port}"
    try:
        async with asyncio.timeout(2):
            if settings.socket:
                _, writer = await asyncio.open_unix_connection(str(settings.socket))
            else:
                _, writer = await asyncio.open_connection(settings.host, settings.port)
        writer.close()
    except (OSError, TimeoutError):
        return "ok", f"none listens on {place}", None
    return "ok", f"something listens on {place}", None
