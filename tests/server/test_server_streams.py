"""Streams over HTTP: server-sent events, the WebSocket, tickets, and what steers them."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import mdds_kit
import msgspec
import pytest
from aiohttp import ClientWebSocketResponse, WSMsgType
from server_kit import Daemon, failed

from ftcli.client import Client
from ftcli.config import Settings
from ftcli.errors import ApiKeyInvalid
from ftcli.paper.desk import open_desk
from ftcli.paper.door import PaperDoor
from ftcli.server.keys import NO_KEY, KeyRing, parse_scopes
from ftcli.server.tickets import Tickets
from ftcli.store import Store, db_path
from ftcli.transport.broker import Broker

Start = Callable[..., Awaitable[Daemon]]
QUOTES = "/api/v1/streaming/quotes"
SOCKET = "/api/v1/ws/quotes"


async def soon(awaitable: Awaitable[Any]) -> Any:
    return await asyncio.wait_for(awaitable, 10)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(environment="paper", data_dir=tmp_path, port=0, log_level="DEBUG")


@pytest.fixture
async def stream() -> AsyncIterator[mdds_kit.Mdds]:
    async with mdds_kit.mdds() as found:
        yield found


@pytest.fixture
async def daemon(settings: Settings, start: Start, stream: mdds_kit.Mdds) -> Daemon:
    return await start(settings, opener=mdds_kit.opener(stream))


@pytest.fixture
async def web(daemon: Daemon) -> AsyncIterator[aiohttp.ClientSession]:
    headers = {"Authorization": f"Bearer {daemon.key}"}
    async with aiohttp.ClientSession(daemon.url, headers=headers) as session:
        yield session
        for response in _responses:
            response.close()
        _responses.clear()


_responses: list[aiohttp.ClientResponse] = []


class Events:
    """Reads server-sent events."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response
        _responses.append(response)

    async def next(self) -> dict[str, Any]:
        """The next event with its fields; comments as ``{"comment": ...}``."""
        event: dict[str, Any] = {}
        while True:
            line = (await soon(self.response.content.readline())).decode()
            assert line, "the stream has ended"
            line = line.rstrip("\n")
            if not line:
                return event
            name, _, value = line.partition(": ") if not line.startswith(":") else ("comment", "", line[1:])
            event[name] = json.loads(value) if name == "data" else value

    async def until(self, name: str) -> dict[str, Any]:
        while True:
            event = await self.next()
            if event.get("event") == name:
                return event


async def open_events(web: aiohttp.ClientSession, query: str, **headers: str) -> Events:
    response = await web.get(f"{QUOTES}?{query}", headers=headers)
    assert response.status == 200, await response.text()
    return Events(response)


async def said(ws: ClientWebSocketResponse) -> dict[str, Any]:
    message = await soon(ws.receive())
    assert message.type is WSMsgType.TEXT, message
    document: dict[str, Any] = json.loads(message.data)
    return document


async def quote(ws: ClientWebSocketResponse) -> dict[str, Any]:
    while True:
        document = await said(ws)
        if "type" not in document:
            return document


async def closed(ws: ClientWebSocketResponse) -> int:
    while True:
        message = await soon(ws.receive())
        if message.type is not WSMsgType.TEXT:
            assert message.type is WSMsgType.CLOSE, message
            return int(message.data)


# -- server-sent events ------------------------------------------------------------------------------------


async def test_events_begin_with_hello_and_then_quotes_come(
    web: aiohttp.ClientSession, stream: mdds_kit.Mdds
) -> None:
    events = await open_events(web, "symbols=KO,pep")
    headers = events.response.headers
    assert headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Accel-Buffering"] == "no"
    hello = await events.next()
    assert (hello["event"], hello["retry"]) == ("hello", "3000")
    assert hello["data"]["symbols"] == ["KO", "PEP"]
    assert hello["data"]["request_id"] == headers["X-Request-Id"]
    first = await events.until("quote")
    assert first["data"]["symbol"] == "KO"
    assert (first["data"]["last"], first["data"]["bid"], first["data"]["ask"]) == (70.1, 70.09, 70.11)
    assert first["id"]
    await events.until("quote")
    await stream.price("KO", "71.25")
    assert (await events.until("quote"))["data"]["last"] == 71.25


async def test_a_symbol_the_broker_does_not_know_is_told(web: aiohttp.ClientSession) -> None:
    events = await open_events(web, "symbols=NOPE")
    error = (await events.until("symbol_error"))["data"]
    assert (error["symbol"], error["reason"]) == ("NOPE", "symbol_not_found")


async def test_who_comes_back_gets_what_was_missed_or_a_gap(
    web: aiohttp.ClientSession, stream: mdds_kit.Mdds
) -> None:
    keeper = await open_events(web, "symbols=KO")  # keeps the symbol subscribed meanwhile
    await keeper.until("quote")
    events = await open_events(web, "symbols=KO")
    last_id = (await events.until("quote"))["id"]
    events.response.close()
    for price in ("71.01", "71.02"):
        await stream.price("KO", price)
        await keeper.until("quote")
    back = await open_events(web, "symbols=KO", **{"Last-Event-ID": last_id})
    assert [(await back.until("quote"))["data"]["last"] for _ in range(2)] == [71.01, 71.02]
    other = await open_events(web, f"symbols=KO&last_event_id={last_id}")
    assert (await other.until("quote"))["data"]["last"] == 71.01
    lost = await open_events(web, "symbols=KO", **{"Last-Event-ID": "another-life-7"})
    assert (await lost.until("gap"))["data"]["gap"] is True
    assert (await lost.until("quote"))["data"]["last"] == 71.02


async def test_the_loss_of_the_upstream_is_told(web: aiohttp.ClientSession, stream: mdds_kit.Mdds) -> None:
    events = await open_events(web, "symbols=KO")
    await events.until("quote")
    await stream.drop()
    assert (await events.until("status"))["data"]["state"] == "reconnecting"
    assert (await events.until("quote"))["data"]["stale"] is True
    while (await events.until("quote"))["data"]["stale"]:
        pass


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("", "symbols"),
        ("symbols=", "symbols"),
        ("symbols=,", "symbols"),
        ("symbols=A%5EB%40", "symbols"),
        ("symbols=KO&x=1", "x"),
    ],
)
async def test_bad_requests_are_ordinary_errors(daemon: Daemon, query: str, field: str) -> None:
    async with daemon.client() as http:
        error = failed(await http.get(f"{QUOTES}?{query}"), 422, "VALIDATION_ERROR")
        assert error["details"]["field"] == field
        many = ",".join(f"S{number}" for number in range(300))
        assert (
            failed(await http.get(f"{QUOTES}?symbols={many}"), 422, "VALIDATION_ERROR")["details"]["field"]
            == "symbols"
        )


async def test_a_logout_ends_streams_and_says_so(http: httpx.AsyncClient, web: aiohttp.ClientSession) -> None:
    events = await open_events(web, "symbols=KO")
    await events.until("quote")
    async with web.ws_connect(SOCKET) as ws:
        await ws.send_json({"action": "subscribe", "symbols": ["KO"]})
        await quote(ws)
        assert (await http.post("/api/v1/auth/logout")).status_code == 200
        assert (await events.until("bye"))["data"]["reason"] == "logout"
        assert await closed(ws) == 4401


async def test_head_opens_no_stream(daemon: Daemon) -> None:
    async with daemon.client() as http:
        response = await http.head(f"{QUOTES}?symbols=KO")
        assert response.status_code == 200
        assert (await http.get("/api/v1/streaming/status")).json()["data"]["consumers"] == 0


async def test_a_client_that_leaves_is_forgotten_at_once(daemon: Daemon, web: aiohttp.ClientSession) -> None:
    events = await open_events(web, "symbols=KO")
    await events.until("quote")
    async with daemon.client() as http:

        async def consumers() -> int:
            count: int = (await http.get("/api/v1/streaming/status")).json()["data"]["consumers"]
            return count

        assert await consumers() == 1
        events.response.close()
        async with asyncio.timeout(5):
            while await consumers():
                pass


async def test_a_slow_client_ends_with_the_newest_and_slows_nobody(
    daemon: Daemon, web: aiohttp.ClientSession, stream: mdds_kit.Mdds
) -> None:
    total = 1200
    slow = socket.socket()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(slow, ("127.0.0.1", daemon.port))
    request = (
        f"GET {QUOTES}?symbols=KO HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {daemon.key}\r\n\r\n"
    )
    await loop.sock_sendall(slow, request.encode())
    fast = await open_events(web, "symbols=KO")
    await fast.until("quote")
    last = ""
    for number in range(total):
        last = f"{100 + number / 100 + 0.001:.3f}"
        await stream.price("KO", last)
        assert (await fast.until("quote"))["data"]["last"] == float(last)  # not one is missing
    seen = b""
    async with asyncio.timeout(10):
        while f'"last":{last},'.encode() not in seen[-4000:]:
            seen += await loop.sock_recv(slow, 65536)
    slow.close()
    assert 1 < seen.count(b"event: quote") < total / 2


# -- tickets -----------------------------------------------------------------------------------------------


async def test_a_ticket_opens_one_stream(daemon: Daemon, http: httpx.AsyncClient) -> None:
    data = (await http.post("/api/v1/streaming/tickets")).json()["data"]
    assert data["expires_in"] == 30
    url = f"{QUOTES}?symbols=KO&ticket={data['ticket']}"
    async with aiohttp.ClientSession(daemon.url) as stranger:
        events = Events(await stranger.get(url))
        assert (await events.next())["event"] == "hello"
        events.response.close()
        again = await stranger.get(url)
        assert again.status == 403
        assert (await again.json())["error"]["details"] == {"reason": "ticket"}
        other = await stranger.get(f"/api/v1/service/info?ticket={data['ticket']}")
        assert other.status == 403
        socket_ticket = (await http.post("/api/v1/streaming/tickets")).json()["data"]["ticket"]
        async with stranger.ws_connect(f"{SOCKET}?ticket={socket_ticket}") as ws:
            await ws.send_json({"action": "subscribe", "symbols": ["KO"]})
            assert (await said(ws))["type"] == "ack"


# -- the WebSocket -----------------------------------------------------------------------------------------


async def test_the_documented_conversation(web: aiohttp.ClientSession, stream: mdds_kit.Mdds) -> None:
    async with web.ws_connect(SOCKET) as ws:
        await ws.send_str(json.dumps({"action": "subscribe", "symbols": ["AAPL", "TSLA"]}))
        assert (await said(ws))["symbols"] == ["AAPL", "TSLA"]
        assert {(await quote(ws))["symbol"] for _ in range(2)} == {"AAPL", "TSLA"}
        await stream.price("TSLA", "401.5")
        found = await quote(ws)
        assert (found["symbol"], found["last"]) == ("TSLA", 401.5)
        await ws.send_str(json.dumps({"action": "unsubscribe", "symbols": ["TSLA"], "id": "u1"}))
        ack = await said(ws)
        assert ack.pop("subscribed") == ["AAPL"]
        assert ack == {"type": "ack", "action": "unsubscribe", "id": "u1", "symbols": ["TSLA"], "errors": []}
        await stream.price("TSLA", "402")
        await stream.price("AAPL", "250")
        assert (await quote(ws))["symbol"] == "AAPL"


async def test_the_acknowledgement_comes_before_the_snapshot(web: aiohttp.ClientSession) -> None:
    async with web.ws_connect(SOCKET) as first, web.ws_connect(SOCKET) as second:
        await first.send_json({"action": "subscribe", "symbols": ["KO"]})
        await quote(first)
        await second.send_json({"action": "subscribe", "symbols": ["KO", "b@d"], "id": {"n": 1}})
        ack = await said(second)
        assert (ack["type"], ack["id"], ack["symbols"]) == ("ack", {"n": 1}, ["KO"])
        assert [(entry["symbol"], entry["code"]) for entry in ack["errors"]] == [("b@d", "VALIDATION_ERROR")]
        assert (await said(second))["symbol"] == "KO"


async def test_bad_messages_are_answered_to_that_client_only(
    web: aiohttp.ClientSession, stream: mdds_kit.Mdds
) -> None:
    async with web.ws_connect(SOCKET) as good, web.ws_connect(SOCKET) as bad:
        await good.send_json({"action": "subscribe", "symbols": ["KO"]})
        await quote(good)
        for text, identity in (
            ("hello", None),
            ("[]", None),
            ("{}", None),
            ('{"action": 1}', None),
            ('{"action": "fly", "id": 3}', 3),
            ('{"action": "subscribe", "id": 4}', 4),
            ('{"action": "subscribe", "symbols": "KO", "id": 5}', None),
        ):
            await bad.send_str(text)
            answer = await said(bad)
            assert (answer["type"], answer["id"], answer["error"]["code"]) == (
                "error",
                identity,
                "VALIDATION_ERROR",
            )
        await bad.send_bytes(b"\x00")
        assert (await said(bad))["type"] == "error"
        await bad.send_json({"action": "subscribe", "symbols": ["NOPE"]})
        assert (await said(bad))["type"] == "ack"
        while (await said(bad)).get("type") != "symbol_error":
            pass
        await stream.price("KO", "72")
        assert (await quote(good))["last"] == 72


async def test_nonsense_without_end_and_long_messages_end_the_conversation(
    web: aiohttp.ClientSession,
) -> None:
    async with web.ws_connect(SOCKET) as ws:
        for _ in range(30):
            await ws.send_str("x")
        # Each of the twenty is answered; after the close nothing more is said.
        for _ in range(20):
            assert (await said(ws))["type"] == "error"
        assert await closed(ws) == 4400
    async with web.ws_connect(SOCKET) as ws:
        await ws.send_str("x" * 70_000)
        assert await closed(ws) == 1009


async def test_keys_are_checked_before_the_upgrade(daemon: Daemon, settings: Settings) -> None:
    store = Store(db_path(settings))
    reader, _ = KeyRing(store).create(name="reader", scopes=parse_scopes("read"))
    store.close()
    async with aiohttp.ClientSession(daemon.url) as session:
        for headers in ({"Authorization": "Bearer ft_wrong"}, {"Authorization": f"Bearer {reader}"}):
            with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
                await session.ws_connect(SOCKET, headers=headers)
            assert caught.value.status == 403
    async with daemon.client() as http:
        plain = failed(await http.get(SOCKET), 422, "VALIDATION_ERROR")
        assert plain["details"]["field"] == "Upgrade"


@pytest.mark.parametrize("who", ["page", "program"])
async def test_a_key_may_come_in_the_first_message(daemon: Daemon, settings: Settings, who: str) -> None:
    store = Store(db_path(settings))
    reader, _ = KeyRing(store).create(name="reader", scopes=parse_scopes("read"))
    store.close()
    headers = {"Origin": daemon.url} if who == "page" else {}
    async with aiohttp.ClientSession(daemon.url, headers=headers) as session:
        async with session.ws_connect(SOCKET) as ws:
            await ws.send_json({"action": "auth", "key": daemon.key, "id": 1})
            assert await said(ws) == {"type": "ack", "action": "auth", "id": 1}
            await ws.send_json({"action": "subscribe", "symbols": ["KO"]})
            assert (await said(ws))["symbols"] == ["KO"]
        async with session.ws_connect(SOCKET) as ws:
            await ws.send_json({"action": "subscribe", "symbols": ["KO"], "key": daemon.key, "id": 2})
            ack = await said(ws)
            assert (ack["type"], ack["id"], ack["symbols"]) == ("ack", 2, ["KO"])
            assert (await quote(ws))["symbol"] == "KO"
        for first, code in (
            ({"action": "auth", "key": "ft_wrong"}, 4401),
            ({"action": "auth", "ticket": "ftt_wrong"}, 4401),
            ({"action": "auth", "key": reader}, 4403),
            ({"action": "subscribe", "symbols": ["KO"]}, 4401),
        ):
            async with session.ws_connect(SOCKET) as ws:
                await ws.send_json(first)
                assert (await said(ws))["type"] == "error"
                assert await closed(ws) == code


@pytest.mark.parametrize("who", ["page", "program"])
async def test_who_brings_no_key_is_closed(daemon: Daemon, monkeypatch: pytest.MonkeyPatch, who: str) -> None:
    monkeypatch.setattr("ftcli.server.ws.AUTH_WITHIN", 0.05)
    page = {"Origin": daemon.url} if who == "page" else {}
    async with aiohttp.ClientSession(daemon.url, headers=page) as session, session.ws_connect(SOCKET) as ws:
        assert await closed(ws) == 4401


async def test_without_keys_the_example_works_as_it_stands(
    settings: Settings, start: Start, stream: mdds_kit.Mdds
) -> None:
    open_settings = msgspec.structs.replace(settings, api_key_required=False)
    daemon = await start(open_settings, opener=mdds_kit.opener(stream))
    async with aiohttp.ClientSession(daemon.url, headers={"Origin": daemon.url}) as session:
        async with session.ws_connect(SOCKET) as ws:
            await ws.send_str('{"action": "subscribe", "symbols": ["AAPL", "TSLA"]}')
            assert (await quote(ws))["symbol"] == "AAPL"
        events = Events(await session.get(f"{QUOTES}?symbols=AAPL,TSLA"))
        assert (await events.until("quote"))["data"]["symbol"] in ("AAPL", "TSLA")
        events.response.close()


async def test_a_good_key_is_not_blamed_for_a_missing_login(settings: Settings, start: Start) -> None:
    @asynccontextmanager
    async def opener(settings: Settings) -> AsyncIterator[Client]:
        desk = open_desk(settings)
        client = Client(settings, Broker(settings, clock=desk.clock, door=PaperDoor(desk)), desk.clock)
        yield client
        await client.aclose()

    daemon = await start(settings, opener=opener)
    async with aiohttp.ClientSession(daemon.url) as session, session.ws_connect(SOCKET) as ws:
        await ws.send_json({"action": "auth", "key": daemon.key})
        assert (await said(ws))["type"] == "ack"
        assert (await said(ws))["error"]["code"] == "AUTH_REQUIRED"
        assert await closed(ws) == 4503


async def test_who_comes_back_to_a_socket_gets_what_was_missed_or_a_gap(
    web: aiohttp.ClientSession, stream: mdds_kit.Mdds
) -> None:
    async with web.ws_connect(SOCKET) as keeper:
        await keeper.send_json({"action": "subscribe", "symbols": ["KO", "PEP"]})
        last_id = (await quote(keeper))["id"]
        for price in ("71.01", "71.02"):
            await stream.price("KO", price)
            while (seen := await quote(keeper))["last"] != float(price):
                pass
        async with web.ws_connect(f"{SOCKET}?last_event_id={last_id}") as ws:
            await ws.send_json({"action": "subscribe", "symbols": ["KO"]})
            assert [(await quote(ws))["last"] for _ in "12"] == [71.01, 71.02]
            # The next symbols are new: they are shown as they are.
            await ws.send_json({"action": "subscribe", "symbols": ["PEP"]})
            assert (await quote(ws))["snapshot"] is True
        async with web.ws_connect(SOCKET) as ws:
            await ws.send_json({"action": "subscribe", "symbols": ["KO"], "last_event_id": last_id})
            assert [(await quote(ws))["last"] for _ in "12"] == [71.01, 71.02]
            await ws.send_json({"action": "subscribe", "symbols": ["PEP"], "last_event_id": seen["id"]})
            assert (await said(ws))["type"] == "ack"
            assert (await quote(ws))["symbol"] == "PEP"
        async with web.ws_connect(f"{SOCKET}?last_event_id=another-life-7") as ws:
            await ws.send_json({"action": "subscribe", "symbols": ["KO"]})
            assert (await said(ws))["type"] == "ack"
            assert (await said(ws))["type"] == "gap"
            assert (await quote(ws))["last"] == 71.02


@pytest.mark.parametrize("query", ["symbols=KO", "last_id=7", "ticket=x&key=y"])
async def test_a_parameter_a_socket_does_not_know_is_refused(web: aiohttp.ClientSession, query: str) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await web.ws_connect(f"{SOCKET}?{query}")
    assert caught.value.status == 422


# -- steering ----------------------------------------------------------------------------------------------


async def test_subscribe_counts_and_unsubscribe_counts_down(http: httpx.AsyncClient) -> None:
    async def rows(method: str, path: str, body: Any = None) -> dict[str, int]:
        data = (await http.request(method, f"/api/v1/streaming/{path}", json=body)).json()["data"]
        return {row["symbol"]: row["count"] for row in data["subscriptions"]}

    body = {"symbols": ["aapl", "TSLA"]}
    assert await rows("GET", "subscriptions") == {}
    assert await rows("POST", "subscribe", body) == {"AAPL": 1, "TSLA": 1}
    assert await rows("POST", "subscribe", {"symbols": ["AAPL"]}) == {"AAPL": 2}
    assert await rows("GET", "subscriptions") == {"AAPL": 2, "TSLA": 1}
    assert await rows("POST", "unsubscribe", body) == {"AAPL": 1, "TSLA": 0}
    missing = await http.post("/api/v1/streaming/unsubscribe", json={"symbols": ["TSLA"]})
    assert failed(missing, 404, "NOT_FOUND")["details"] == {"symbols": ["TSLA"]}
    for bad in (
        {},
        {"symbols": []},
        {"symbols": ["b@d"]},
        {"symbols": "AAPL"},
        {"symbols": ["KO"], "kind": "x"},
        [],
    ):
        failed(await http.post("/api/v1/streaming/subscribe", json=bad), 422, "VALIDATION_ERROR")


async def test_status_before_and_after(http: httpx.AsyncClient, web: aiohttp.ClientSession) -> None:
    status = (await http.get("/api/v1/streaming/status")).json()["data"]
    assert (status["mdds"]["state"], status["connected"], status["consumers"]) == ("none", False, 0)
    assert (await http.get("/api/v1/service/info")).status_code == 200
    events = await open_events(web, "symbols=KO")
    await events.until("quote")
    status = (await http.get("/api/v1/streaming/status")).json()["data"]
    assert (status["mdds"]["state"], status["connected"], status["consumers"]) == ("open", True, 1)
    metrics = (await http.get("/metrics")).text
    assert "ft_streams_open 1" in metrics
    assert "ft_mdds_connected 1" in metrics
    assert "ft_mdds_subscriptions 1" in metrics


async def test_ready_follows_the_stream(
    http: httpx.AsyncClient, web: aiohttp.ClientSession, stream: mdds_kit.Mdds
) -> None:
    events = await open_events(web, "symbols=KO")
    await events.until("quote")
    ready = (await http.get("/ready")).json()["data"]
    assert [(check["name"], check["ok"]) for check in ready["checks"]] == [
        ("session", True),
        ("streams", True),
    ]
    stream.greets.clear()
    await stream.drop()
    await events.until("status")
    error = failed(await http.get("/ready"), 503, "FIDELITY_ERROR")
    assert [(check["name"], check["ok"]) for check in error["details"]["checks"]] == [
        ("session", True),
        ("streams", False),
    ]
    stream.greets.set()
    await events.until("status")
    assert (await http.get("/ready")).status_code == 200


# -- heartbeats and limits ---------------------------------------------------------------------------------


async def test_silence_is_filled_with_comments(
    web: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ftcli.server.sse.HEARTBEAT", 0.05)
    events = await open_events(web, "symbols=KO")
    await events.until("quote")
    assert "comment" in await events.next()
    assert "comment" in await events.next()


async def test_sockets_are_pinged(web: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ftcli.server.ws.PING", 0.05)
    async with web.ws_connect(SOCKET, autoping=False) as ws:
        assert (await soon(ws.receive())).type is WSMsgType.PING


def test_tickets_are_good_once_and_for_thirty_seconds() -> None:
    moment = 0.0
    tickets = Tickets(lambda: moment)
    one, two = tickets.issue(NO_KEY), tickets.issue(NO_KEY)
    assert tickets.redeem(one) is NO_KEY
    moment = 29.9
    late = tickets.issue(NO_KEY)
    moment = 30.0
    for bad in (one, two, "ftt_unknown", ""):
        with pytest.raises(ApiKeyInvalid):
            tickets.redeem(bad)
    assert tickets.redeem(late) is NO_KEY


async def test_too_many_tickets_say_when_to_come_back(
    http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ftcli.server.tickets._MOST", 1)
    assert (await http.post("/api/v1/streaming/tickets")).status_code == 200
    response = await http.post("/api/v1/streaming/tickets")
    failed(response, 429, "RATE_LIMITED")
    assert response.headers["Retry-After"] == "30"


async def test_a_key_holds_so_many_and_lets_go_of_its_own_only(daemon: Daemon, settings: Settings) -> None:
    store = Store(db_path(settings))
    ring = KeyRing(store)
    one, other = (ring.create(name="x", scopes=parse_scopes("stream"))[0] for _ in range(2))
    store.close()

    async def ask(http: httpx.AsyncClient, verb: str, *symbols: str) -> httpx.Response:
        return await http.post(f"/api/v1/streaming/{verb}", json={"symbols": symbols})

    async with daemon.client(one) as mine, daemon.client(other) as theirs, daemon.client() as admin:
        assert (await ask(mine, "subscribe", "AAPL", "TSLA")).status_code == 200
        failed(await ask(theirs, "unsubscribe", "AAPL"), 404, "NOT_FOUND")
        assert (await ask(theirs, "subscribe", "AAPL")).status_code == 200
        error = failed(await ask(theirs, "unsubscribe", "AAPL", "TSLA"), 404, "NOT_FOUND")
        assert error["details"] == {"symbols": ["TSLA"]}  # and none was let go of
        assert (await ask(theirs, "unsubscribe", "AAPL")).status_code == 200
        failed(await ask(theirs, "unsubscribe", "AAPL"), 404, "NOT_FOUND")
        many = [f"A{first}{second}" for first in "ABCDEFGHIJKLMNOP" for second in "ABCDEFGHIJKLM"]
        error = failed(
            await ask(mine, "subscribe", *many[: settings.stream_symbols - 1]), 422, "VALIDATION_ERROR"
        )
        assert error["details"]["field"] == "symbols"
        assert (await ask(mine, "subscribe", "AAPL", "TSLA")).status_code == 200  # again is no more
        for _ in range(2):
            assert (await ask(admin, "unsubscribe", "AAPL", "TSLA")).status_code == 200
        failed(await ask(admin, "unsubscribe", "AAPL"), 404, "NOT_FOUND")
        rows = (await admin.get("/api/v1/streaming/subscriptions")).json()["data"]["subscriptions"]
        assert all(row["count"] == 0 for row in rows)
