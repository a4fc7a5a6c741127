"""The key of the encrypted files changes while a daemon, or whatever else stays, holds the session."""

import asyncio
import contextlib
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from broker_double import FERNET_KEY, BrokerDouble
from process_kit import ROOT, cli, environ_of

from ftcli.credentials.keys import new_key

NAMED = "FTSERVICE_ENCRYPTION_KEY"
HOLDER = """
import asyncio, logging, sys
from ftcli.environment import open_client
async def main():
    async with open_client() as ft:
        for line in iter(sys.stdin.readline, ""):
            print(await ft.broker.keep_alive(), flush=True)
logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
asyncio.run(main())
"""


class Holder:
    """A process that has the session open and keeps it alive when told; the broker renews its cookies then."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.said = ""

    async def keep_alive(self) -> bool:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(b"\n")
        return (await asyncio.wait_for(self._process.stdout.readline(), 30)).strip() == b"True"

    async def end(self) -> None:
        _, err = await asyncio.wait_for(self._process.communicate(b""), 30)
        self.said = err.decode()


@contextlib.asynccontextmanager
async def _holding(environ: dict[str, str]) -> AsyncIterator[Holder]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", HOLDER),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environ,
        cwd=ROOT,
    )
    holder = Holder(process)
    try:
        yield holder
        await holder.end()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _ft(environ: dict[str, str], *words: str, stdin: str = "") -> Any:
    """Runs a command that must succeed; its document."""
    status, out, err = await cli(environ, *words, "-o", "json", stdin=stdin)
    assert status == 0, err
    return json.loads(out)


@pytest.fixture
def environ(double: BrokerDouble, tmp_path: Path) -> dict[str, str]:
    return environ_of(double, tmp_path)


async def test_a_daemon_goes_on_with_a_key_that_was_changed_in_its_file(environ: dict[str, str]) -> None:
    await _ft(environ, "auth", "login")
    async with _holding(environ) as holder:
        assert await holder.keep_alive()
        await _ft(environ, "auth", "rekey")
        assert await holder.keep_alive()
        assert (await _ft(environ, "auth", "status"))["state"] == "authenticated"
        await _ft(environ, "auth", "rekey")
        assert await holder.keep_alive()
    assert holder.said == ""
    assert (await _ft(environ, "auth", "status"))["state"] == "authenticated"


async def test_a_daemon_reads_the_new_key_from_the_file_that_a_variable_names(
    environ: dict[str, str], tmp_path: Path
) -> None:
    named = tmp_path / "secret-key"
    named.write_text(FERNET_KEY)
    environ |= {f"{NAMED}_FILE": str(named)}
    await _ft(environ, "auth", "login")
    async with _holding(environ) as holder:
        assert await holder.keep_alive()
        fresh = (await _ft(environ, "auth", "rekey", "--generate"))["new_key"]
        named.write_text(fresh)
        session = tmp_path / "session-live.bin"
        before = session.read_bytes()
        assert await holder.keep_alive()
        assert session.read_bytes() != before
        assert (await _ft(environ, "auth", "status"))["state"] == "authenticated"
    assert holder.said == ""


async def test_a_daemon_that_cannot_learn_the_new_key_writes_nothing_and_says_so(
    environ: dict[str, str], tmp_path: Path
) -> None:
    old, fresh = environ | {NAMED: FERNET_KEY}, new_key().decode()
    new = environ | {NAMED: fresh}
    await _ft(old, "auth", "login")
    async with _holding(old) as holder:
        assert await holder.keep_alive()
        await _ft(old, "auth", "rekey", "--key-stdin", stdin=f"{fresh}\n")
        session = tmp_path / "session-live.bin"
        before = session.read_bytes()
        assert await holder.keep_alive()
        assert session.read_bytes() == before
    assert "was replaced by `ft auth rekey`" in holder.said
    assert fresh not in holder.said
    assert (await _ft(new, "auth", "status"))["state"] == "authenticated"
    again = await _ft(new, "auth", "rekey", "--key-stdin", stdin=f"{FERNET_KEY}\n")
    assert "session-live.bin" in again["files"]
    # The former key is the present one again, and fit to write with.
    await _ft(old, "auth", "login")
