"""API keys from the command line and at the door: scopes, accounts, rates, rotation, audit."""

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import httpx
import pytest
from cli_kit import ft
from server_kit import Daemon, daemon, failed

from ftcli.config import Settings
from ftcli.errors import ApiKeyInvalid, RateLimited, ValidationFailed
from ftcli.server.keys import KeyRing, parse_scopes
from ftcli.server.limits import Throttle, parse_rate
from ftcli.store import Store, db_path

MINE, OTHER = "Z20000025", "Z10000017"
ORDER = {
    "account": OTHER,
    "symbol": "KO",
    "action": "buy",
    "quantity": 1,
    "order_type": "limit",
    "limit_price": 50,
}


class MovingClock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(environment="paper", data_dir=tmp_path, port=0, paper_clock="2026-11-24T11:15:30-05:00")


@pytest.fixture
async def running(settings: Settings) -> AsyncIterator[Daemon]:
    async with daemon(settings) as found:
        yield found


def make(settings: Settings, scopes: str = "read,stream,trade", accounts: str = "", rate: str = "") -> str:
    store = Store(db_path(settings))
    try:
        return KeyRing(store).create(
            name="test",
            scopes=parse_scopes(scopes),
            accounts=frozenset(filter(None, accounts.split(","))),
            rate=rate,
        )[0]
    finally:
        store.close()


class TestRotation:
    def test_both_keys_are_good_during_the_overlap(self, tmp_path: Path) -> None:
        clock = MovingClock()
        ring = KeyRing(Store(tmp_path / "service.db"), clock=clock)
        old, record = ring.create(
            name="bot",
            scopes=parse_scopes("read,trade"),
            accounts=frozenset({MINE}),
            rate="60/m",
            expires_in=timedelta(days=30),
        )
        new, made = ring.rotate(record.id, overlap=timedelta(hours=24))
        assert (made.name, made.scopes, made.accounts, made.rate) == (
            "bot",
            record.scopes,
            record.accounts,
            "60/m",
        )
        assert made.expires_at == clock.now + timedelta(days=30)
        assert ring.find(record.id).replaced_by == made.id
        clock.now += timedelta(hours=23)
        assert {ring.check(key, "trade").id for key in (old, new)} == {record.id, made.id}
        clock.now += timedelta(hours=2)
        with pytest.raises(ApiKeyInvalid) as caught:
            ring.check(old, "trade")
        assert caught.value.details == {"reason": "expired"}
        assert ring.check(new, "trade").id == made.id

    def test_a_rotated_or_ended_key_is_not_rotated_again(self, tmp_path: Path) -> None:
        ring = KeyRing(Store(tmp_path / "service.db"))
        key, record = ring.create(name="bot")
        ring.rotate(key, overlap=timedelta(0))
        with pytest.raises(ApiKeyInvalid):
            ring.check(key, "read")
        with pytest.raises(ValidationFailed):
            ring.rotate(record.id, overlap=timedelta(hours=1))

    def test_the_overlap_never_lengthens_a_life(self, tmp_path: Path) -> None:
        clock = MovingClock()
        ring = KeyRing(Store(tmp_path / "service.db"), clock=clock)
        _, record = ring.create(name="bot", expires_in=timedelta(hours=1))
        ring.rotate(record.id, overlap=timedelta(hours=24))
        assert ring.find(record.id).expires_at == clock.now + timedelta(hours=1)


class TestRates:
    def test_a_bucket_runs_empty_and_fills_again(self) -> None:
        now = [100.0]
        throttle = Throttle("", lambda: now[0])
        for _ in range(3):
            throttle.take("a", "3/m")
        with pytest.raises(RateLimited) as caught:
            throttle.take("a", "3/m")
        assert caught.value.retry_after == pytest.approx(20)
        throttle.take("b", "3/m")
        now[0] += 20
        throttle.take("a", "3/m")
        with pytest.raises(RateLimited):
            throttle.take("a", "3/m")
        for _ in range(1000):
            throttle.take("c")

    @pytest.mark.parametrize("text", ["0/s", "5", "5/d", "-1/s", "x/m", "1.5/s", "5 / s"])
    def test_what_is_no_rate(self, text: str) -> None:
        with pytest.raises(ValidationFailed):
            parse_rate(text)

    async def test_the_daemon_says_when_to_come_back(self, settings: Settings, running: Daemon) -> None:
        async with running.client(make(settings, rate="2/h")) as http:
            for _ in range(2):
                assert (await http.get("/api/v1/service/info")).status_code == 200
            refused = await http.get("/api/v1/service/info")
        assert failed(refused, 429, "RATE_LIMITED")["details"]["reason"] == "key_rate"
        assert 1 <= int(refused.headers["Retry-After"]) <= 1800
        async with running.client() as http:  # another key is not touched by it
            assert (await http.get("/api/v1/service/info")).status_code == 200


class TestAccounts:
    """A key bound to accounts sees and touches these, and nothing that belongs to the login."""

    async def test_it_sees_its_own(self, settings: Settings, running: Daemon) -> None:
        async with running.client(make(settings, accounts=MINE)) as http:
            listed = await http.get("/api/v1/accounts")
            assert [row["account"] for row in listed.json()["data"]["accounts"]] == [MINE]
            for path in (
                f"/accounts/{MINE}/positions",
                f"/accounts/{MINE.lower()}/balances",
                f"/orders/status?acct_ids={MINE}",
                "/market-data/quotes?symbols=KO",
                "/reference/holiday-calendar",
                "/auth/status",
                "/service/info",
            ):
                assert (await http.get(f"/api/v1{path}")).status_code == 200, path

    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [
            ("GET", f"/accounts/{OTHER}/positions", None),
            ("GET", f"/accounts/{OTHER.lower()}/positions", None),
            ("GET", f"/accounts/%5A{OTHER[1:]}/positions", None),
            ("GET", "/orders/status", None),
            ("GET", f"/orders/status?acct_ids={OTHER}", None),
            ("GET", f"/orders/status?acct_ids={MINE},{OTHER}", None),
            ("GET", f"/orders/status?acct_ids={MINE}&acct_ids={OTHER}", None),
            ("GET", "/orders/ABC12345/detail", None),
            ("GET", f"/orders/ABC12345/detail?acct={OTHER}", None),
            ("GET", "/orders/staged", None),
            ("GET", "/alerts/history", None),
            ("GET", "/watchlists", None),
            ("POST", "/orders/equity/preview", ORDER),
            ("POST", "/orders/equity/place", {"order": ORDER, "conf_num": "ABC12345"}),
            ("POST", "/orders/replace/place", {"order": ORDER, "replaces": "A", "conf_num": "ABC12345"}),
            (
                "POST",
                "/orders/conditional/preview",
                {"condition": "oto", "orders": [{**ORDER, "account": MINE}, ORDER]},
            ),
            ("POST", "/orders/ABC12345/cancel", None),
            ("POST", "/orders/ABC12345/cancel", {"account": OTHER}),
            ("POST", "/orders/ABC12345/cancel", {"account": [MINE, OTHER]}),
            ("POST", "/orders/trade-agreement", {"account": OTHER, "agreement": "x"}),
            ("POST", "/trading/resume", None),
            ("POST", "/trading/halt", {"cancel_open": True}),
            ("POST", "/trading/halt", [1]),
            ("POST", "/auth/logout", None),
            ("POST", "/auth/credentials", {"username": "x", "password": "yyyyyyyy"}),
        ],
    )
    async def test_it_touches_nothing_else(
        self, settings: Settings, running: Daemon, method: str, path: str, body: object
    ) -> None:
        async with running.client(make(settings, accounts=MINE)) as http:
            response = (
                await http.request(method, f"/api/v1{path}", json=body)
                if body
                else await http.request(method, f"/api/v1{path}")
            )
        error = failed(response, 403, "API_KEY_INVALID")
        assert error["details"]["reason"] in ("account", "scope")

    async def test_its_own_order_passes(self, settings: Settings, running: Daemon) -> None:
        async with running.client(make(settings, accounts=MINE)) as http:
            preview = await http.post("/api/v1/orders/equity/preview", json={**ORDER, "account": MINE})
        assert preview.status_code == 200, preview.text

    async def test_it_may_halt_but_not_resume(self, settings: Settings, running: Daemon) -> None:
        """To halt is never wrong; to go on is for those who answer for the whole login."""
        bound, reader, whole = (
            make(settings, accounts=MINE),
            make(settings, scopes="read", accounts=MINE),
            make(settings),
        )
        async with running.client(bound) as http:
            halted = await http.post("/api/v1/trading/halt", json={"reason": "odd fills"})
            assert halted.status_code == 200, halted.text
            assert halted.json()["data"]["halted_by"].startswith("http key ")
            error = failed(await http.post("/api/v1/trading/resume"), 403, "API_KEY_INVALID")
            assert error["details"]["reason"] == "account"
        async with running.client(reader) as http:
            error = failed(await http.post("/api/v1/trading/halt"), 403, "API_KEY_INVALID")
            assert error["details"]["reason"] == "scope"
        async with running.client(whole) as http:
            resumed = await http.post("/api/v1/trading/resume")
            assert resumed.status_code == 200, resumed.text
            assert not resumed.json()["data"]["halted"]

    def test_it_cannot_have_the_scope_admin(self, tmp_path: Path) -> None:
        ring = KeyRing(Store(tmp_path / "service.db"))
        with pytest.raises(ValidationFailed):
            ring.create(name="x", scopes=parse_scopes("read,admin"), accounts=frozenset({MINE}))


class TestAudit:
    async def test_each_use_of_money_or_rights_leaves_a_line(
        self, settings: Settings, running: Daemon, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO, "ftcli.audit")
        async with running.client() as http:
            await http.get("/api/v1/accounts")
            await http.post("/api/v1/orders/equity/place", json={"order": ORDER, "conf_num": "2ZZZZZZZ"})
            await http.post("/api/v1/auth/logout")
        reader = make(settings, "read")
        async with running.client(reader) as http:
            await http.post("/api/v1/auth/logout")
        lines = [record for record in caplog.records if record.name == "ftcli.audit"]
        lines = [record for record in lines if not record.getMessage().startswith("keys.")]
        told = [(record.getMessage().partition(" in ")[0], getattr(record, "key", None)) for record in lines]
        first = running.key[3:11]
        assert told[0][0].startswith("POST orders.equity.place -> ")
        assert told[0][1] == first
        assert told[1:] == [("POST auth.logout -> 200", first), ("POST auth.logout -> 403", reader[3:11])]
        assert all(getattr(record, "request_id", "") for record in lines)
        assert running.key not in caplog.text


class TestCommands:
    @pytest.fixture
    def run(self, tmp_path: Path) -> Callable[..., object]:
        environ = {"FT_ENV": "paper", "FT_DATA_DIR": str(tmp_path)}
        return lambda *words, **world: ft(*words, environ=environ, **world)

    def test_a_key_is_made_listed_rotated_and_revoked(self, run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
        made = run(
            *("keys", "create", "--name", "bot", "--scope", "read,trade", "--account", MINE.lower()),
            *("--expires", "90d", "--rate", "60/m", "-o", "json"),
        )
        assert made.status == 0, made.err
        document = json.loads(made.out)
        key = document["key"]
        assert (document["scopes"], document["accounts"], document["rate"]) == (
            ["read", "trade"],
            [MINE],
            "60/m",
        )
        listed = run("keys", "list", "-o", "json")
        row = json.loads(listed.out)["keys"][0]
        assert row["prefix"] == f"ft_{document['id']}…"
        assert (row["state"], row["last_used_at"]) == ("active", None)
        assert key not in listed.out
        rotated = json.loads(run("keys", "rotate", document["id"], "--overlap", "1h", "-o", "json").out)
        assert rotated["replaces"] == document["id"]
        assert rotated["key"] != key
        assert run("keys", "revoke", rotated["id"]).status == 0
        states = {
            row["id"]: row["state"]
            for row in json.loads(run("keys", "list", "--all", "-o", "json").out)["keys"]
        }
        assert states == {document["id"]: "active", rotated["id"]: "revoked"}
        for path in tmp_path.iterdir():
            assert key.encode() not in path.read_bytes()
            assert path.stat().st_mode & 0o077 == 0

    @pytest.mark.parametrize(
        "words",
        [
            ("create", "--name", "x", "--scope", "write"),
            ("create", "--name", " ", "--scope", "read"),
            ("create", "--name", "x", "--scope", "read", "--expires", "soon"),
            ("create", "--name", "x", "--scope", "read", "--expires", "0d"),
            ("create", "--name", "x", "--scope", "read", "--rate", "often"),
            ("create", "--name", "x", "--scope", "admin", "--account", MINE),
            ("create", "--name", "x", "--scope", "read", "--account", "no!"),
            ("create", "--name", "x", "--scope", "read", "--account", ""),
            ("create", "--name", "x", "--scope", "read", "--account", " "),
            ("create", "--name", "x", "--scope", "read", "--account", ",", "--account", ""),
            ("create", "--name", "x", "--scope", ""),
            ("create", "--name", "x", "--scope", "read", "--expires", "9999y"),
            ("create", "--name", "x", "--scope", "read", "--expires", "101y"),
            ("create", "--name", "x", "--scope", "read", "--expires", "²d"),
            ("create", "--name", "x", "--scope", "read", "--expires", "9" * 5000 + "d"),
        ],
    )
    def test_bad_input_is_refused(self, run, words: tuple[str, ...]) -> None:  # type: ignore[no-untyped-def]
        assert run("keys", *words).status == 2
        assert json.loads(run("keys", "list", "-o", "json").out)["keys"] == []

    @pytest.mark.parametrize("option", ["--expires", "--overlap"])
    def test_a_rotated_key_lives_a_hundred_years_at_most(self, run, option: str) -> None:  # type: ignore[no-untyped-def]
        made = json.loads(run("keys", "create", "--name", "x", "--scope", "read", "-o", "json").out)
        assert run("keys", "rotate", made["id"], option, "9999y").status == 2
        assert run("keys", "rotate", made["id"], option, "100y").status == 0

    def test_an_unknown_key_is_not_found(self, run) -> None:  # type: ignore[no-untyped-def]
        assert run("keys", "revoke", "nobody00").status == 3


class TestWhatAReadKeyMayNot:
    @pytest.mark.parametrize(
        ("method", "path"),
        [("GET", "/alerts/subscribe"), ("GET", "/alerts/event-token"), ("POST", "/research/news-access")],
    )
    async def test_a_secret_is_told_to_admins_only_and_noted(
        self, settings: Settings, running: Daemon, caplog: pytest.LogCaptureFixture, method: str, path: str
    ) -> None:
        low, high = make(settings, "read,stream,trade"), make(settings, "read,admin")
        asked = {"params": {"reveal": "true"}} if method == "GET" else {"json": {"reveal": True}}
        async with running.client(low) as http:
            assert (await http.request(method, f"/api/v1{path}")).status_code == 200
            answer = await http.request(method, f"/api/v1{path}", **asked)  # type: ignore[arg-type]
            assert failed(answer, 403, "API_KEY_INVALID")["details"]["scope"] == "admin"
        assert "told a secret" not in caplog.text
        async with running.client(high) as http:
            http.event_hooks = {}  # the answer is a secret
            assert (await http.request(method, f"/api/v1{path}", **asked)).status_code == 200  # type: ignore[arg-type]
        assert [record.name for record in caplog.records if "told a secret" in record.getMessage()] == [
            "ftcli.audit"
        ]

    async def test_a_ticket_ends_with_its_key(self, settings: Settings, running: Daemon) -> None:
        key = make(settings, "stream")
        async with running.client(key) as http:
            ticket = (await http.post("/api/v1/streaming/tickets")).json()["data"]["ticket"]
        store = Store(db_path(settings))
        KeyRing(store).revoke(key[3:11])
        store.close()
        await asyncio.sleep(1.1)  # keys are looked at once a second
        async with running.client(None) as http:
            refused = failed(
                await http.get(f"/api/v1/streaming/events?ticket={ticket}"), 403, "API_KEY_INVALID"
            )
        assert refused["details"]["reason"] == "revoked"


class TestEchoes:
    async def test_our_own_sentences_stay_whole(self, running: Daemon) -> None:
        async with running.client(None) as http:
            answer = failed(await http.get("/api/v1/accounts"), 403, "API_KEY_INVALID")
            assert "`Authorization: Bearer ft_…`" in answer["message"]
        async with running.client() as http:
            answer = failed(await http.post("/api/v1/auth/credentials", json={}), 422, "VALIDATION_ERROR")
            assert "***" not in answer["message"]

    async def test_a_key_in_the_wrong_place_is_not_repeated(
        self, settings: Settings, running: Daemon, caplog: pytest.LogCaptureFixture
    ) -> None:
        from ftcli.server.key_text import new_key

        stranger = new_key()
        async with running.client() as http:
            for path in (f"/api/v1/foo/{stranger}", f"/api/v1/accounts/{stranger}/positions"):
                answer = await http.get(path, headers={"X-Request-Id": stranger})
                assert stranger not in answer.text + str(answer.headers)
        assert stranger not in caplog.text
        assert not [record for record in caplog.records if stranger in str(vars(record))]

    @pytest.mark.parametrize("password", [123456789, ["hunter2-hunter2"], {"a": "hunter2-hunter2"}])
    async def test_a_password_of_the_wrong_kind_is_not_repeated(
        self, running: Daemon, password: object
    ) -> None:
        async with running.client() as http:
            for path in ("/auth/login", "/auth/credentials"):
                answer = await http.post(f"/api/v1{path}", json={"username": "kim", "password": password})
                assert answer.status_code == 422
                assert "hunter2" not in answer.text
                assert "123456789" not in answer.text


class TestWhatAKeyHoldsOpen:
    """Streams and held symbols end with their key, long before a heartbeat is due."""

    @pytest.fixture(params=["revoked", "replaced", "expired"])
    def end(self, request: pytest.FixtureRequest, settings: Settings) -> Callable[[str], None]:
        """Ends a key as another process does; one that is to expire does so by itself, seconds after it was made."""

        def end(key: str) -> None:
            with contextlib.closing(Store(db_path(settings))) as store:
                if request.param == "revoked":
                    KeyRing(store).revoke(key)
                elif request.param == "replaced":
                    KeyRing(store).rotate(key, overlap=timedelta(0))

        return end

    @pytest.fixture
    def key(self, request: pytest.FixtureRequest, settings: Settings, end: object) -> str:
        life = timedelta(seconds=3) if "expired" in request.node.name else timedelta(days=1)
        with contextlib.closing(Store(db_path(settings))) as store:
            return KeyRing(store).create(name="x", scopes=parse_scopes("stream"), expires_in=life)[0]

    async def test_events(self, running: Daemon, key: str, end: Callable[[str], None]) -> None:
        async with (
            running.client(key) as http,
            http.stream("GET", "/api/v1/streaming/quotes?symbols=KO") as response,
        ):
            assert response.status_code == 200
            end(key)
            async with asyncio.timeout(8):
                text = "".join([part async for part in response.aiter_text()])
        assert text.rstrip().rpartition("event: bye")[2].startswith('\ndata: {"reason":"key"')

    @pytest.mark.parametrize("first", [False, True], ids=["header", "first message"])
    async def test_sockets(self, running: Daemon, key: str, end: Callable[[str], None], first: bool) -> None:
        headers = {} if first else {"Authorization": f"Bearer {key}"}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.ws_connect(f"{running.url}/api/v1/ws/quotes") as socket,
        ):
            await socket.send_json({"action": "subscribe", "symbols": ["KO"], "key": key if first else ""})
            assert (await socket.receive_json(timeout=5))["type"] == "ack"
            end(key)
            async with asyncio.timeout(8):
                while not socket.closed:
                    await socket.receive()
            assert socket.close_code == 4401

    async def test_holds(self, running: Daemon, key: str, end: Callable[[str], None]) -> None:
        async with running.client(key) as mine, running.client() as other:
            for symbols in (["KO", "PEP"], ["KO"]):
                held = await mine.post("/api/v1/streaming/subscribe", json={"symbols": symbols})
                assert held.status_code == 200, held.text
            await other.post("/api/v1/streaming/subscribe", json={"symbols": ["KO"]})
            end(key)
            async with asyncio.timeout(8):
                while await self.held(other) != {"KO": 1}:
                    await asyncio.sleep(0.05)
            gone = await other.post("/api/v1/streaming/unsubscribe", json={"symbols": ["PEP"]})
            assert failed(gone, 404, "NOT_FOUND")["details"] == {"symbols": ["PEP"]}

    async def held(self, http: httpx.AsyncClient) -> dict[str, int]:
        rows = (await http.get("/api/v1/streaming/subscriptions")).json()["data"]["subscriptions"]
        return {row["symbol"]: row["count"] for row in rows if row["count"]}

    async def test_other_keys_keep_what_is_theirs(
        self, settings: Settings, running: Daemon, key: str, end: Callable[[str], None]
    ) -> None:
        url = "/api/v1/streaming/quotes?symbols="
        async with (
            running.client(make(settings, "stream")) as other,
            running.client(key) as mine,
            other.stream("GET", f"{url}KO") as stays,
            mine.stream("GET", f"{url}KO") as goes,
        ):
            await other.post("/api/v1/streaming/subscribe", json={"symbols": ["PEP"]})
            end(key)
            async with asyncio.timeout(8):
                await goes.aread()
            assert not stays.is_closed
            assert await self.held(other) == {"KO": 1, "PEP": 1}
