"""The saved session: round trip, permissions, damage, and processes at the same time (protocol 00 §4.4)."""

import asyncio
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from ftcli.config import Settings
from ftcli.credentials.files import write_private
from ftcli.credentials.keys import KeySource
from ftcli.credentials.os_keyring import OsKeyring
from ftcli.credentials.session_store import SavedCookie, SavedSession, SessionStore
from ftcli.errors import Conflict
from ftcli.redaction import Secret

KEY = "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s="
OTHER = "b29vb29vb29vb29vb29vb29vb29vb29vb29vb29vb28="
MOMENT = datetime(2026, 5, 14, 14, 42, 7, 123456, tzinfo=UTC)


class NoKeyring:
    name = "none"

    def get_password(self, service: str, username: str) -> str | None:
        raise RuntimeError

    def set_password(self, service: str, username: str, password: str) -> None:
        raise RuntimeError

    def delete_password(self, service: str, username: str) -> None:
        raise RuntimeError


def store_at(folder: Path, key: str = KEY) -> SessionStore:
    settings = Settings(data_dir=folder, encryption_key=Secret(key) if key else None)
    return SessionStore(folder / "private" / "live.session", KeySource(settings, OsKeyring(NoKeyring())))


def session(**changes: Any) -> SavedSession:
    cookie = SavedCookie(
        name="ATC",
        value="cookie-value-1",
        domain=".fidelity.com",
        path="/",
        secure=True,
        http_only=True,
        expires=None,
    )
    usual: dict[str, Any] = {
        "id": "abc",
        "created_at": MOMENT,
        "username": "kim",
        "last_keep_alive": MOMENT,
        "app_version": "4.5.1.4",
        "hosts": {"dp": "http://127.0.0.1:1"},
        "cookies": (cookie,),
        "member_id": "0011223344556677",
    }
    return SavedSession(**{**usual, **changes})


def test_a_session_comes_back_the_same(tmp_path) -> None:
    saved = session(second_factor=True, real_time_quotes=False)
    store_at(tmp_path).save(saved)
    store = store_at(tmp_path)
    assert store.load() == saved
    assert store.reason == ""


texts = st.text(st.characters(codec="utf-8"), max_size=20)


@hypothesis_settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None
)
@given(
    st.lists(
        st.builds(
            SavedCookie,
            name=texts,
            value=texts,
            domain=texts,
            path=texts,
            secure=st.booleans(),
            http_only=st.booleans(),
            expires=st.none() | st.integers(0, 2**40),
        ),
        max_size=5,
    )
)
def test_any_cookies_come_back_the_same(tmp_path, cookies: list[SavedCookie]) -> None:
    saved = session(cookies=tuple(cookies))
    store_at(tmp_path).save(saved)
    assert store_at(tmp_path).load() == saved


def test_the_file_is_private_and_unreadable(tmp_path) -> None:
    store = store_at(tmp_path)
    store.save(session())
    content = store.path.read_bytes()
    assert store.path.stat().st_mode & 0o777 == 0o600
    assert store.path.parent.stat().st_mode & 0o777 == 0o700
    for secret in (b"cookie-value-1", b"kim", b"0011223344556677", b"ATC", KEY.encode()):
        assert secret not in content
    assert [path.name for path in store.path.parent.iterdir()] == ["live.session"]


def test_a_wide_open_file_is_closed_by_the_next_save(tmp_path) -> None:
    store = store_at(tmp_path)
    store.save(session())
    store.path.chmod(0o666)
    store.save(session(id="next"))
    assert store.path.stat().st_mode & 0o777 == 0o600


def test_no_session_is_saved(tmp_path) -> None:
    store = store_at(tmp_path)
    assert store.load() is None
    assert store.reason == "no session is saved"
    assert store.stamp() is None
    assert store.delete() is False


def test_another_key_tells_why_and_destroys_nothing(tmp_path) -> None:
    store_at(tmp_path).save(session())
    stranger = store_at(tmp_path, OTHER)
    content = stranger.path.read_bytes()
    assert stranger.load() is None
    assert "another key" in stranger.reason
    assert stranger.path.read_bytes() == content
    stranger.save(session(id="new"))
    assert "kept as" in stranger.warning
    aside = stranger.path.with_name("live.session.unreadable")
    assert aside.read_bytes() == content
    assert store_at(tmp_path, OTHER).load() == session(id="new")
    stranger.save(session(id="newer"))
    assert stranger.warning == ""


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not a saved session"),
        (b"garbage", "not a saved session"),
        (b"\xff\xfe\x00", "not a saved session"),
        (b"ftcli-session-2 x y", "not a saved session"),
        (b"ftcli-session-1 nokey token", "another key"),
    ],
)
def test_a_file_that_is_no_session(tmp_path, content: bytes, reason: str) -> None:
    store = store_at(tmp_path)
    write_private(store.path, content)
    assert store.load() is None
    assert reason in store.reason
    assert store.path.read_bytes() == content


def test_every_changed_byte_of_the_token_is_noticed(tmp_path) -> None:
    store = store_at(tmp_path)
    store.save(session())
    content = store.path.read_bytes()
    for place in range(len("ftcli-session-1 0123456789ab ") + 1, len(content), 7):
        changed = bytearray(content)
        changed[place] = ord("A") if changed[place] != ord("A") else ord("B")
        store.path.write_bytes(bytes(changed))
        loaded = store.load()
        # The last base64 digit may hold bits that mean nothing.
        assert loaded is None or loaded == session()
        if loaded is None:
            assert "damaged" in store.reason


def test_a_session_of_another_shape_is_damaged(tmp_path) -> None:
    from cryptography.fernet import Fernet

    store = store_at(tmp_path)
    store.save(session())
    header = b" ".join(store.path.read_bytes().split(b" ")[:2])
    token = Fernet(KEY).encrypt(msgspec.json.encode({"id": "x"}))
    store.path.write_bytes(header + b" " + token)
    assert store.load() is None
    assert "damaged" in store.reason


def test_a_change_shows_in_the_stamp(tmp_path) -> None:
    store = store_at(tmp_path)
    stamps = [store.stamp()]
    for number in range(5):
        store.save(session(id=str(number)))
        stamps.append(store.stamp())
    assert len(set(stamps)) == 6
    assert store.stamp() == stamps[-1]
    assert store.delete() is True
    assert store.stamp() is None


def test_a_failed_write_leaves_the_old_file_and_no_litter(tmp_path, monkeypatch) -> None:
    import os

    store = store_at(tmp_path)
    store.save(session())

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        store.save(session(id="new"))
    monkeypatch.undo()
    assert store.load() == session()
    assert [path.name for path in store.path.parent.iterdir()] == ["live.session"]


def test_the_key_file_s_warning_reaches_the_saver(tmp_path) -> None:
    store = store_at(tmp_path, key="")
    store.save(session())
    assert "encryption.key" in store.warning
    assert store_at(tmp_path, key="").load() == session()


def test_reprs_hold_no_values() -> None:
    shown = repr(session()) + repr(session().cookies)
    assert "cookie-value-1" not in shown
    assert "0011223344556677" not in shown


async def test_the_lock_lets_one_in_at_a_time(tmp_path) -> None:
    inside = most = 0

    async def visit() -> None:
        nonlocal inside, most
        async with store_at(tmp_path).lock():
            inside += 1
            most = max(most, inside)
            for _ in range(3):
                await asyncio.sleep(0)
            inside -= 1

    await asyncio.gather(*(visit() for _ in range(10)))
    assert most == 1


async def test_an_impatient_visitor_is_told(tmp_path) -> None:
    async with store_at(tmp_path).lock():
        with pytest.raises(Conflict):
            async with store_at(tmp_path).lock(patience=0):
                pass
    async with store_at(tmp_path).lock(patience=0):
        pass


async def test_a_cancelled_visitor_leaves_the_lock_free(tmp_path) -> None:
    async with store_at(tmp_path).lock():
        waiting = asyncio.create_task(store_at(tmp_path).lock().__aenter__())
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    async with store_at(tmp_path).lock(patience=0):
        pass


def test_readers_never_see_half_a_file(tmp_path) -> None:
    """Two processes write in turns as fast as they can while this one reads."""
    script = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_credentials_session_store import session, store_at
for number in range(60):
    store_at(Path(sys.argv[1])).save(session(id=f"{sys.argv[3]}-{number}"))
"""
    store = store_at(tmp_path)
    store.save(session())
    here = str(Path(__file__).parent)
    writers = [subprocess.Popen([sys.executable, "-c", script, str(tmp_path), here, name]) for name in "ab"]
    seen: set[str] = set()
    while any(writer.poll() is None for writer in writers):
        loaded = store.load()
        assert loaded is not None, store.reason
        seen.add(loaded.id)
    assert [writer.returncode for writer in writers] == [0, 0]
    assert len(seen) > 3
    assert [path.name for path in store.path.parent.iterdir()] == ["live.session"]
