"""A database that another process writes to, or a disk that is full, keeps nobody from halting and canceling."""

import asyncio
import resource
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cli_kit import ft
from server_kit import daemon

from ftcli.config import Settings
from ftcli.server.keys import KeyRing, parse_scopes
from ftcli.store import Store, db_path

AT_ONCE = 3.0
"""Seconds; a writer waits for another one for five."""
ORDER = {
    "account": "Z20000025",
    "symbol": "KO",
    "action": "buy",
    "quantity": 1,
    "order_type": "limit",
    "limit_price": 50,
}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(environment="paper", data_dir=tmp_path, port=0, paper_clock="2026-11-24T11:15:30-05:00")


def make(settings: Settings) -> str:
    """A key that nobody has used; each first use is to be noted."""
    store = Store(db_path(settings))
    try:
        return KeyRing(store).create(name="test", scopes=parse_scopes("read,trade"))[0]
    finally:
        store.close()


@contextmanager
def locked(settings: Settings) -> Iterator[None]:
    """Another writer holds the database inside this block."""
    other = sqlite3.connect(db_path(settings), isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")
    finally:
        other.close()


@contextmanager
def full_disk(settings: Settings) -> Iterator[None]:
    """The database cannot grow inside this block."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = Path(f"{db_path(settings)}-wal").stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_a_locked_database_holds_up_no_halt_and_no_cancel(settings: Settings) -> None:
    async with daemon(settings) as running, running.client() as http:
        previewed = await http.post("/api/v1/orders/equity/preview", json=ORDER)
        number = previewed.json()["data"]["conf_num"]
        placed = await http.post("/api/v1/orders/equity/place", json={"order": ORDER, "conf_num": number})
        assert placed.status_code == 200, placed.text
        async with running.client(make(settings)) as halter, running.client(make(settings)) as canceler:
            with locked(settings):
                begun = time.monotonic()
                halted, health, canceled = await asyncio.gather(
                    halter.post("/api/v1/trading/halt"),
                    http.get("/health"),
                    canceler.post(f"/api/v1/orders/{number}/cancel"),
                )
                took = time.monotonic() - begun
    assert (halted.status_code, health.status_code, canceled.status_code) == (200, 200, 200), canceled.text
    assert halted.json()["data"]["halted"]
    assert took < AT_ONCE


async def test_a_daemon_just_started_halts_beside_a_locked_database(settings: Settings) -> None:
    """Its journal has not been opened yet, and changes of keys have not been told."""
    async with daemon(settings) as running, running.client(make(settings)) as http:
        with locked(settings):
            begun = time.monotonic()
            halted = await http.post("/api/v1/trading/halt")
            took = time.monotonic() - begun
    assert halted.status_code == 200, halted.text
    assert took < AT_ONCE


async def test_a_full_disk_keeps_nobody_from_halting(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    async with daemon(settings) as running, running.client(make(settings)) as http:
        with full_disk(settings):
            halted = await http.post("/api/v1/trading/halt")
            assert halted.status_code == 200, halted.text
            again = await http.post("/api/v1/trading/halt")
            assert again.status_code == 200, again.text
    assert "(test: read,trade" not in caplog.text, "a change is told once it is noted as told"


def test_changes_of_keys_are_told_once_the_disk_takes_it(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    store = Store(db_path(settings))
    ring = KeyRing(store)
    key = make(settings)
    try:
        with locked(settings):
            ring.check(key)
            assert "keys.create" not in caplog.text
        ring._next_look = 0.0
        ring.check(key)
        assert caplog.text.count("keys.create") == 1
    finally:
        store.close()


def test_halting_at_the_command_line_waits_for_no_writer(settings: Settings) -> None:
    make(settings)
    environ = {"FT_ENV": "paper", "FT_DATA_DIR": str(settings.data_dir)}
    with locked(settings):
        begun = time.monotonic()
        done = ft("trading", "halt", environ=environ)
        took = time.monotonic() - begun
    assert done.status == 0, done.err
    assert took < AT_ONCE
