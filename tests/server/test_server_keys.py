"""API keys: what is kept, what is refused and why, and what a key may do."""

import os
import sqlite3
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from server_kit import Daemon, failed

from ftcli.config import Settings
from ftcli.errors import ApiKeyInvalid, InternalError, NotFound, ValidationFailed
from ftcli.operations.registry import find
from ftcli.redaction import Secret
from ftcli.server import key_text
from ftcli.server import keys as keys_module
from ftcli.server.keys import SCOPES, KeyRing, bearer, parse_scopes
from ftcli.server.routes import scope_of
from ftcli.store import Store, db_path

Start = Callable[..., Awaitable[Daemon]]


class MovingClock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> MovingClock:
    return MovingClock()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "service.db")


@pytest.fixture
def ring(store: Store, clock: MovingClock) -> KeyRing:
    return KeyRing(store, clock=clock)


def reason(ring: KeyRing, key: str | None, scope: keys_module.Scope = "read") -> str:
    with pytest.raises(ApiKeyInvalid) as caught:
        ring.check(key, scope)
    assert caught.value.details
    assert not key or len(key) < 12 or key not in caught.value.message
    return str(caught.value.details["reason"])


def test_a_key_has_the_documented_form_and_opens(ring: KeyRing) -> None:
    key, record = ring.create(name="laptop")
    assert key.startswith("ft_")
    assert len(key) == 49
    assert key[3:].isalnum()
    assert record.scopes == frozenset(SCOPES)
    for scope in SCOPES:
        assert ring.check(key, scope).id == record.id == key[3:11]
    assert ring.create(name="other")[0] != key


def test_only_a_hash_is_kept_and_the_file_is_private(ring: KeyRing, store: Store) -> None:
    key, _ = ring.create(name="laptop")
    for path in store.path.parent.iterdir():
        assert key.encode() not in path.read_bytes()
        assert key[11:43].encode() not in path.read_bytes()
        assert path.stat().st_mode & 0o077 == 0


def test_each_refusal_has_its_reason(ring: KeyRing, clock: MovingClock) -> None:
    key, record = ring.create(name="day", expires_in=timedelta(days=1))
    stranger = KeyRing(Store(Path(f"{ring._store.path}.other"))).create(name="foreign")[0]
    assert reason(ring, None) == "missing"
    assert reason(ring, "") == "missing"
    assert reason(ring, "hunter2") == "mistyped"
    assert reason(ring, key[:-1]) == "mistyped"
    assert reason(ring, key.replace(key[20], "0" if key[20] != "0" else "1", 1)) == "mistyped"
    assert reason(ring, stranger) == "unknown"
    assert reason(ring, key + "\udcff") == "mistyped"
    clock.now += timedelta(hours=23, minutes=59)
    ring.check(key, "read")
    clock.now += timedelta(minutes=1)
    assert reason(ring, key) == "expired"
    other, _ = ring.create(name="other")
    ring.revoke(other[3:11])
    assert reason(ring, other) == "revoked"
    assert ring.revoke(key).revoked_at is not None  # by the key itself too
    assert record.revoked_at is None


def test_a_key_of_the_right_id_with_another_secret_is_unknown(ring: KeyRing) -> None:
    key, _ = ring.create(name="laptop")
    body = key[:11] + "A" * 32
    assert reason(ring, body + key_text.checksum(body)) == "unknown"


@given(st.text(min_size=1, max_size=60))
def test_no_text_opens_by_chance(text: str) -> None:
    ring = KeyRing(_shared_store())
    assert reason(ring, text) in ("mistyped", "missing")


_stores: list[Store] = []


def _shared_store() -> Store:
    if not _stores:
        import tempfile

        _stores.append(Store(Path(tempfile.mkdtemp()) / "service.db"))
        KeyRing(_stores[0]).create(name="one")
    return _stores[0]


@given(st.integers(min_value=3, max_value=42), st.sampled_from(key_text.ALPHABET))
def test_every_single_typo_is_seen_by_the_checksum(place: int, sign: str) -> None:
    key = "ft_" + "a1B2" * 10
    key += key_text.checksum(key)
    typo = key[:place] + sign + key[place + 1 :]
    assert key_text.well_formed(typo) is (typo == key)


def test_scopes(ring: KeyRing) -> None:
    key, _ = ring.create(name="reader", scopes=parse_scopes("read, STREAM"))
    ring.check(key, "stream")
    with pytest.raises(ApiKeyInvalid) as caught:
        ring.check(key, "trade")
    assert caught.value.details == {"reason": "scope", "scope": "trade", "scopes": ["read", "stream"]}
    with pytest.raises(ValidationFailed):
        parse_scopes("read,write")
    with pytest.raises(ValidationFailed):
        parse_scopes(" , ")
    with pytest.raises(ValidationFailed):
        ring.create(name="x", expires_in=timedelta(0))


@pytest.mark.parametrize(
    ("name", "scope"),
    [
        ("accounts.list", "read"),
        ("orders.status", "read"),
        ("orders.equity.preview", "read"),
        ("orders.equity.place", "trade"),
        ("orders.cancel.place", "trade"),
        ("auth.status", "read"),
        ("auth.login", "admin"),
        ("auth.logout", "admin"),
        ("auth.answer_totp", "admin"),
        ("stream.quotes", "stream"),
    ],
)
def test_what_each_operation_needs(name: str, scope: str) -> None:
    assert scope_of(find(name)) == scope


def test_last_use_is_kept_to_the_minute(ring: KeyRing, clock: MovingClock) -> None:
    key, _ = ring.create(name="laptop")
    assert ring.all_keys()[0].last_used_at is None
    first = clock.now
    for _ in range(3):
        ring.check(key, "read")
        clock.now += timedelta(seconds=19)
    assert ring.all_keys()[0].last_used_at == first
    clock.now = first + timedelta(seconds=60)
    ring.check(key, "read")
    assert ring.all_keys()[0].last_used_at == clock.now


def test_another_process_can_revoke(store: Store, ring: KeyRing, monkeypatch: pytest.MonkeyPatch) -> None:
    moment = 100.0
    monkeypatch.setattr(keys_module.time, "monotonic", lambda: moment)
    key, record = ring.create(name="laptop")
    ring.check(key, "read")
    KeyRing(Store(store.path)).revoke(record.id)
    moment = 101.0
    assert reason(ring, key) == "revoked"
    with pytest.raises(NotFound):
        ring.revoke("nobody00")


def test_the_first_key_is_made_once(ring: KeyRing) -> None:
    key = ring.first_key()
    assert key
    ring.check(key, "admin")
    assert ring.first_key() is None
    ring.revoke(key)
    assert ring.first_key() is None  # who revoked it knows how to make another


def test_a_bootstrap_key_opens_and_is_not_stored(store: Store) -> None:
    ring = KeyRing(store, bootstrap=Secret("correct-horse-battery"))
    assert ring.first_key() is None
    assert ring.check("correct-horse-battery", "admin").id == "env"
    assert reason(ring, "correct-horse-batterx") == "mistyped"
    assert ring.all_keys() == []
    with pytest.raises(ValidationFailed) as caught:
        KeyRing(store, bootstrap=Secret("short-and-weak"))
    assert "short-and-weak" not in str(caught.value.details) + caught.value.message


@pytest.mark.parametrize(
    ("header", "key"),
    [
        ("Bearer abc", "abc"),
        ("bearer  abc ", "abc"),
        ("Basic abc", None),
        ("Bearer", None),
        ("", None),
        (None, None),
    ],
)
def test_the_header(header: str | None, key: str | None) -> None:
    assert bearer(header) == key


def test_the_store_keeps_its_version(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "service.db"
    Store(path).close()
    Store(path).close()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 999")
    db.close()
    with pytest.raises(InternalError, match="newer version"):
        Store(path)
    with pytest.raises(InternalError):
        Store(tmp_path / "deep")
    os.chmod(path, 0o600)


async def test_requests_without_the_right_key_are_refused(daemon: Daemon, settings: Settings) -> None:
    store = Store(db_path(settings))
    reader, _ = KeyRing(store).create(name="reader", scopes=parse_scopes("read"))
    store.close()
    async with daemon.client(None) as http:
        for path in (
            "/api/v1/accounts",
            "/api/v1/service/info",
            "/metrics",
            "/ready",
            "/api/v1/streaming/status",
        ):
            response = await http.get(path)
            assert failed(response, 403, "API_KEY_INVALID")["details"] == {"reason": "missing"}
            assert response.headers["WWW-Authenticate"] == 'Bearer realm="ft"'
        for path in ("/health", "/docs", "/openapi.json", "/docs/docs.js"):
            assert (await http.get(path)).status_code == 200
        in_url = await http.get(f"/api/v1/service/info?api_key={daemon.key}")
        assert failed(in_url, 403, "API_KEY_INVALID")["details"] == {"reason": "missing"}
    async with daemon.client(reader) as http:
        assert (await http.get("/api/v1/service/info")).status_code == 200
        place = await http.post("/api/v1/orders/equity/place", json={})
        assert failed(place, 403, "API_KEY_INVALID")["details"]["scope"] == "trade"
        logout = await http.post("/api/v1/auth/logout")
        assert failed(logout, 403, "API_KEY_INVALID")["details"]["scope"] == "admin"
        stream = await http.get("/api/v1/streaming/quotes?symbols=AAPL")
        assert failed(stream, 403, "API_KEY_INVALID")["details"]["scope"] == "stream"


async def test_the_first_key_is_shown_once(settings: Settings, start: Start) -> None:
    first = await start(settings)
    assert sum(first.key in line for line in first.announced) == 1
    second = await start(settings)
    assert second.key == ""
    async with second.client(first.key) as http:
        assert (await http.get("/api/v1/service/info")).json()["data"]["api_key_required"] is True


async def test_no_key_where_none_is_required(settings: Settings, start: Start) -> None:
    daemon = await start(msgspec.structs.replace(settings, api_key_required=False))
    assert daemon.key == ""
    assert any("WARNING" in line for line in daemon.announced)
    async with daemon.client(None) as http:
        assert (await http.get("/api/v1/service/info")).json()["data"]["api_key_required"] is False
