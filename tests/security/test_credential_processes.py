"""Processes that store, move and delete credentials at the same time: the latest word stands."""

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from shared_keyring import Shared

from ftcli.config import Settings
from ftcli.credentials.credentials import CredentialStore
from ftcli.credentials.keys import new_key
from ftcli.credentials.os_keyring import OsKeyring
from ftcli.redaction import Secret

ROOT = Path(__file__).parents[2]
WORKER = """
import sys
from pathlib import Path
from shared_keyring import Shared
from ftcli.config import load
from ftcli.credentials.credentials import CredentialStore
from ftcli.credentials.os_keyring import OsKeyring
from ftcli.redaction import Secret

what, word, waits_at = sys.argv[2:]
store = CredentialStore(load(), OsKeyring(Shared(Path(sys.argv[1]), waits_at), time_limit=60))
print("begins", flush=True)
if what == "store":
    store.store("kim", Secret(word))
elif what == "migrate":
    store.migrate(word)
else:
    store.delete()
"""


class Worker:
    """A process that does one thing to the credentials."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def says(self, word: str) -> None:
        assert self.process.stdout is not None
        assert await asyncio.wait_for(self.process.stdout.readline(), 30) == f"{word}\n".encode()

    async def done(self) -> None:
        await asyncio.wait_for(self.process.communicate(b"go\n"), 60)
        assert self.process.returncode == 0

    async def done_by_itself(self, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.process.wait(), seconds)
        return self.process.returncode is not None


class Desk:
    """A data folder, a keyring, and processes that use them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "data"
        self.keyring = folder / "keyring.json"
        self.key = new_key().decode()
        self.workers: list[Worker] = []

    async def start(self, what: str, word: str = "", waits_at: str = "") -> Worker:
        environ = {"FT_ENV": "live", "FT_CONFIG": "/dev/null", "FTSERVICE_ENCRYPTION_KEY": self.key}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", WORKER, str(self.keyring), what, word, waits_at),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environ
            | {"PATH": os.environ["PATH"], "FT_DATA_DIR": str(self.folder)}
            | {"PYTHONPATH": f"{Path(__file__).parent}"},
            cwd=ROOT,
        )
        worker = Worker(process)
        self.workers.append(worker)
        await worker.says("begins")
        return worker

    def store(self, keyring: Shared | None = None) -> CredentialStore:
        settings = Settings(data_dir=self.folder, encryption_key=Secret(self.key))
        return CredentialStore(settings, OsKeyring(keyring or Shared(self.keyring)))

    @property
    def password(self) -> str | None:
        found = self.store().get()
        return found.password.reveal() if found else None


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    for worker in desk.workers:
        if worker.process.returncode is None:
            worker.process.kill()
            await worker.process.wait()


@pytest.mark.parametrize("waits_at", ["get", "delete"])
async def test_what_is_stored_while_they_move_is_not_lost(desk: Desk, waits_at: str) -> None:
    desk.store().store("kim", Secret("the old password"))
    moving = await desk.start("migrate", "file", waits_at)
    await moving.says("waits")
    storing = await desk.start("store", "the new password")
    await storing.done_by_itself(1)
    await moving.done()
    await storing.done()
    assert desk.password == "the new password"


async def test_what_is_deleted_while_they_move_does_not_come_back(desk: Desk) -> None:
    desk.store().store("kim", Secret("the old password"))
    moving = await desk.start("migrate", "file", "get")
    await moving.says("waits")
    deleting = await desk.start("delete")
    await deleting.done_by_itself(1)
    await moving.done()
    await deleting.done()
    assert desk.password is None


def test_somebody_who_reads_while_they_move_finds_them(desk: Desk) -> None:
    desk.store().store("kim", Secret("the password"))

    class Moving(Shared):
        """They move after somebody has looked into the file, and before the keyring answers."""

        def get_password(self, service: str, username: str, /) -> str | None:
            if not (desk.folder / "credentials.bin").exists():
                desk.store().migrate("file")
            return super().get_password(service, username)

    found = desk.store(Moving(desk.keyring)).get()
    assert found is not None
    assert found.password.reveal() == "the password"


def test_a_move_does_not_make_them_newer(desk: Desk) -> None:
    desk.store().store("kim", Secret("the password"))
    since = (desk.folder / "live-credentials.since").read_bytes()
    desk.store().migrate("file")
    assert (desk.folder / "live-credentials.since").read_bytes() == since
    assert desk.password == "the password"
