"""The hostile client: every bad request refused with the right code, none reaches the core, the daemon serves on."""

import asyncio
import base64
import gc
import json
import os
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from hostile import Shot, bad_bodies, bad_hosts, bad_keys, bad_origins, bad_paths, request, smuggling
from server_kit import Daemon, Weather, daemon

from ftcli.config import Settings
from ftcli.server import key_text, protocol
from ftcli.server import routes as routes_module
from ftcli.server.keys import KeyRing, parse_scopes
from ftcli.store import Store, db_path

STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) ")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(environment="paper", data_dir=tmp_path, port=0, max_connections=60, wrong_key_rate="off")


class Target:
    """A daemon under fire, and the broker calls that reached what is behind it."""

    def __init__(self, found: Daemon, weather: Weather, keys: dict[str, str]) -> None:
        self.daemon = found
        self.weather = weather
        self.keys = keys

    async def fire(self, shot: Shot) -> str:
        """Sends it; answers what was wrong with the answer, empty if nothing."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.daemon.port)
        answer = b""
        try:
            writer.write(shot.data)
            while True:
                # A connection that stays open after its answer is given a moment for a second one.
                part = await asyncio.wait_for(reader.read(65536), 0.15 if answer else 2)
                if not part:
                    break
                answer += part
        except (ConnectionError, TimeoutError):
            pass
        finally:
            writer.close()
        codes = [int(code) for code in STATUS.findall(answer)]
        first = codes[0] if codes else 0
        if first not in shot.codes:
            return f"{shot.name}: {first} instead of {sorted(shot.codes)}: {answer[-300:]!r}"
        if len(codes) > shot.answers:
            return f"{shot.name}: {len(codes)} answers {codes}"
        secret = [name for name, key in self.keys.items() if key.encode() in answer]
        return f"{shot.name}: the answer repeats the {secret[0]} key" if secret else ""


@pytest.fixture
async def target(settings: Settings) -> AsyncIterator[Target]:
    store = Store(db_path(settings))
    ring = KeyRing(store)
    keys = {
        "good": ring.create(name="good")[0],
        "reader": ring.create(name="r", scopes=parse_scopes("read"))[0],
    }
    keys["revoked"], gone = ring.create(name="gone")
    ring.revoke(gone.id)
    keys["expired"], old = ring.create(name="old", expires_in=timedelta(seconds=1))
    store.execute("UPDATE api_keys SET expires_at = 1 WHERE id = ?", old.id)
    keys["unknown"] = key_text.new_key()
    store.close()
    weather = Weather()
    async with daemon(settings, opener=weather.opener) as found:
        async with found.client(keys["good"]) as http:
            assert (await http.get("/api/v1/accounts")).status_code == 200  # logs in once, before the fire
        yield Target(found, weather, keys)


def shots(keys: dict[str, str]) -> list[Shot]:
    """All of them."""
    good = keys["good"]
    return [
        *bad_keys(good, keys["revoked"], keys["expired"], keys["reader"], keys["unknown"]),
        *bad_hosts(good),
        *bad_origins(good),
        *bad_bodies(good),
        *bad_paths(good),
        *smuggling(good),
    ]


def resident() -> int:
    """Bytes of memory the process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def test_every_bad_request_is_refused_and_none_reaches_the_core(target: Target) -> None:
    fired = shots(target.keys)
    assert len(fired) >= 300
    before = list(target.weather.calls)
    wrong = [problem for shot in fired if (problem := await target.fire(shot))]
    assert not wrong, f"{len(wrong)} of {len(fired)}:\n" + "\n".join(wrong[:40])
    assert target.weather.calls == before
    async with target.daemon.client(target.keys["good"]) as http:
        assert (await http.get("/api/v1/accounts/Z20000025/positions")).status_code == 200


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
async def test_memory_stays_flat_under_fire(target: Target) -> None:
    fired = shots(target.keys)[::3]
    for _ in range(2):
        for shot in fired:
            await target.fire(shot)
    gc.collect()
    before = resident()
    for _ in range(3):
        for shot in fired:
            await target.fire(shot)
    gc.collect()
    assert resident() - before < 16 * 1024 * 1024


# -- slow clients and too many ------------------------------------------------------------------------------


async def test_slow_heads_bodies_and_silence_are_ended(
    target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.3)
    monkeypatch.setattr(routes_module, "BODY_SECONDS", 0.3)
    before = list(target.weather.calls)

    async def drip(data: bytes, whole: bytes = b"") -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", target.daemon.port)
        writer.write(whole)

        async def trickle() -> None:
            for index in range(len(data)):
                writer.write(data[index : index + 1])
                await asyncio.sleep(0.1)

        slow = asyncio.create_task(trickle())
        try:
            return await asyncio.wait_for(reader.read(), 5)
        finally:
            slow.cancel()
            writer.close()

    head = request("GET", "/api/v1/accounts", key=target.keys["good"])
    body = request("POST", "/api/v1/auth/login", key=target.keys["good"], body=b"{" + b" " * 400 + b"}")
    cut = body.index(b"{") + 1
    answers = await asyncio.gather(
        *(drip(head) for _ in range(10)),
        *(drip(b"") for _ in range(10)),
        *(drip(body[cut:], body[:cut]) for _ in range(5)),
    )
    assert [int(STATUS.findall(answer)[0]) for answer in answers] == [408] * 20 + [422] * 5
    assert target.weather.calls == before
    async with target.daemon.client(target.keys["good"]) as http:
        assert (await http.get("/health")).status_code == 200


async def test_of_too_many_connections_the_oldest_is_told_to_go_and_room_comes_back(target: Target) -> None:
    held = [await asyncio.open_connection("127.0.0.1", target.daemon.port) for _ in range(60)]
    read = request("GET", "/api/v1/service/info", key=target.keys["good"]).replace(
        b"Connection: close\r\n", b""
    )
    for mine, other in held:
        other.write(read)
        assert (await mine.readline()).startswith(b"HTTP/1.1 200 ")
    held.append(await asyncio.open_connection("127.0.0.1", target.daemon.port))
    newcomer, writer = held[-1]
    writer.write(read)
    assert (await newcomer.readline()).startswith(b"HTTP/1.1 200 ")
    _, begin, rest = (await asyncio.wait_for(held[0][0].read(), 5)).partition(b"HTTP/1.1 429 ")
    assert begin
    assert b"Retry-After: 1" in rest
    assert json.loads(rest.partition(b"\r\n\r\n")[2])["error"]["code"] == "RATE_LIMITED"
    for _, other in held:
        other.close()
        await other.wait_closed()
    await asyncio.sleep(0.05)
    async with target.daemon.client(target.keys["good"]) as http:
        assert (await http.get("/health")).status_code == 200


# -- WebSocket and tickets ----------------------------------------------------------------------------------

UPGRADE = (
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Version: 13",
    f"Sec-WebSocket-Key: {base64.b64encode(bytes(16)).decode()}",
)
WS = "/api/v1/ws/quotes"


def upgrades(keys: dict[str, str]) -> list[Shot]:
    """Upgrades that must not succeed."""
    good = keys["good"]

    def raw(*lines: str, target: str = WS) -> bytes:
        return ("\r\n".join([f"GET {target} HTTP/1.1", "Host: localhost", *lines]) + "\r\n\r\n").encode()

    bearer = f"Authorization: Bearer {good}"
    found = [
        Shot(
            f"upgrade with {name} key", raw(*UPGRADE, f"Authorization: Bearer {keys[name]}"), frozenset({403})
        )
        for name in ("revoked", "expired", "unknown", "reader")
    ]
    found += [
        Shot("key in URL", raw(*UPGRADE, target=f"{WS}?key={good}"), frozenset({422})),
        Shot("api_key in URL", raw(*UPGRADE, bearer, target=f"{WS}?api_key={good}"), frozenset({422})),
        Shot("spent ticket", raw(*UPGRADE, target=f"{WS}?ticket=ftt_nonsense"), frozenset({403})),
        Shot("no upgrade", raw(bearer, "Connection: close"), frozenset({422})),
        Shot("upgrade to h2c", raw("Upgrade: h2c", "Connection: Upgrade", bearer), frozenset({422, 400})),
        Shot(
            "old version",
            raw(*UPGRADE[:2], "Sec-WebSocket-Version: 8", UPGRADE[3], bearer),
            frozenset({400, 422}),
        ),
        Shot("no nonce", raw(*UPGRADE[:3], bearer), frozenset({400, 422})),
        Shot("bad nonce", raw(*UPGRADE[:3], "Sec-WebSocket-Key: x", bearer), frozenset({400, 422})),
    ]
    for origin in ("https://evil.example", "null", "http://localhost:1", "file://"):
        found.append(Shot(f"Origin {origin}", raw(*UPGRADE, bearer, f"Origin: {origin}"), frozenset({422})))
    return found


async def test_upgrades_that_must_not_succeed(target: Target) -> None:
    before = list(target.weather.calls)
    wrong = [problem for shot in upgrades(target.keys) if (problem := await target.fire(shot))]
    assert not wrong, "\n".join(wrong)
    assert target.weather.calls == before


FIRST_MESSAGES: list[Any] = [
    "hello",
    "{}",
    "[]",
    '{"action": "subscribe", "symbols": ["KO"]}',
    '{"action": "auth"}',
    '{"action": "auth", "key": ""}',
    '{"action": "auth", "key": "ft_wrong"}',
    '{"action": "auth", "key": 7}',
    '{"action": "auth", "ticket": "ftt_nonsense"}',
    '{"action": "auth", "key": "unknown"}',
    '{"action": "auth", "key": "revoked"}',
    '{"action": "auth", "key": "expired"}',
    '{"action": "auth", "key": "reader"}',
    b"\x00\x01",
    "x" * 70_000,
]


@pytest.mark.parametrize("index", range(len(FIRST_MESSAGES)))
async def test_first_messages_without_a_good_key(target: Target, index: int) -> None:
    message = FIRST_MESSAGES[index]
    before = list(target.weather.calls)
    if isinstance(message, str):
        for name in ("unknown", "revoked", "expired", "reader"):
            message = message.replace(f'"{name}"', f'"{target.keys[name]}"')
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(target.daemon.url + WS, headers={"Origin": target.daemon.url}) as socket,
    ):
        await (socket.send_bytes(message) if isinstance(message, bytes) else socket.send_str(message))
        while True:
            answer = await socket.receive(5)
            if answer.type is not aiohttp.WSMsgType.TEXT:
                break
            assert json.loads(answer.data)["type"] == "error"
        assert socket.close_code in (4400, 4401, 4403, 1009), socket.close_code
    assert target.weather.calls == before


FRAMES = {
    "reserved bits": bytes([0xF1, 0x80]) + bytes(4),
    "unknown opcode": bytes([0x83, 0x80]) + bytes(4),
    "long ping": bytes([0x89, 0xFE, 0x00, 0xC8]) + bytes(4 + 200),
    "fragmented ping": bytes([0x09, 0x80]) + bytes(4),
    "continuation of nothing": bytes([0x80, 0x80]) + bytes(4),
    "8 exabytes": bytes([0x81, 0xFF]) + (2**63 - 1).to_bytes(8, "big") + bytes(4),
    "bad UTF-8": bytes([0x81, 0x82]) + bytes(4) + b"\xff\xfe",
    "close with bad code": bytes([0x88, 0x82]) + bytes(4) + (999).to_bytes(2, "big"),
    "close with one byte": bytes([0x88, 0x81]) + bytes(4) + b"x",
    "close with reserved code": bytes([0x88, 0x82]) + bytes(4) + (1005).to_bytes(2, "big"),
    "close with bad UTF-8": bytes([0x88, 0x83]) + bytes(4) + (1000).to_bytes(2, "big") + b"\xff",
    "new message inside another": bytes([0x01, 0x81])
    + bytes(4)
    + b"{"
    + bytes([0x81, 0x81])
    + bytes(4)
    + b"}",
    "compressed though not agreed": bytes([0xC1, 0x82]) + bytes(4) + b"{}",
    "too large in parts": bytes([0x01, 0xFE, 0xFF, 0xFF])
    + bytes(4 + 65535)
    + bytes([0x80, 0x82])
    + bytes(4 + 2),
}


@pytest.mark.parametrize("name", FRAMES)
async def test_frames_that_break_the_protocol_end_the_socket(target: Target, name: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", target.daemon.port)
    head = [f"GET {WS} HTTP/1.1", "Host: localhost", *UPGRADE, f"Authorization: Bearer {target.keys['good']}"]
    writer.write(("\r\n".join(head) + "\r\n\r\n").encode())
    assert b" 101 " in await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
    writer.write(FRAMES[name])
    assert await asyncio.wait_for(reader.read(), 5) is not None  # it ends; nobody waits for 8 exabytes
    writer.close()
    async with target.daemon.client(target.keys["good"]) as http:
        assert (await http.get("/health")).status_code == 200


MESSAGES = {
    "deep": '{"action": "subscribe", "symbols": ["KO"], "id": ' + "[" * 30_000 + "]" * 30_000 + "}",
    "digits": '{"action": "subscribe", "symbols": ["KO"], "id": ' + "9" * 5000 + "}",
    "NaN": '{"action": "subscribe", "symbols": ["KO"], "id": NaN}',
    "1e999": '{"action": "subscribe", "symbols": ["KO"], "id": 1e999}',
    "surrogate": '{"action": "subscribe", "symbols": ["\\ud800"]}',
    "crowd": json.dumps({"action": "subscribe", "symbols": [f"A{number}" for number in range(5000)]}),
    "binary": b"{}",
}


@pytest.mark.parametrize("name", MESSAGES)
async def test_a_bad_message_is_answered_and_the_socket_lives_on(target: Target, name: str) -> None:
    message = MESSAGES[name]
    headers = {"Authorization": f"Bearer {target.keys['good']}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.ws_connect(target.daemon.url + WS, compress=15) as socket,
    ):
        await (socket.send_bytes(message) if isinstance(message, bytes) else socket.send_str(message))
        answer = json.loads((await socket.receive(5)).data)
        assert (answer["type"], answer["error"]["code"]) == ("error", "VALIDATION_ERROR")
        await socket.send_str('{"action": "unsubscribe", "symbols": ["KO"], "id": 1}')
        assert json.loads((await socket.receive(5)).data)["type"] == "ack"


async def test_who_does_not_read_answers_is_not_listened_to(target: Target) -> None:
    """Else a small message with a large answer, sent again and again, would fill the memory."""
    _, writer = await asyncio.open_connection("127.0.0.1", target.daemon.port)
    writer.transport.pause_reading()  # type: ignore[attr-defined]
    head = [f"GET {WS} HTTP/1.1", "Host: localhost", *UPGRADE, f"Authorization: Bearer {target.keys['good']}"]
    writer.write(("\r\n".join(head) + "\r\n\r\n").encode())
    text = json.dumps({"action": "subscribe", "symbols": [f"@{number}" for number in range(5000)]}).encode()
    frame = bytes([0x81, 0xFE]) + len(text).to_bytes(2, "big") + bytes(4) + text
    before = resident()
    writer.write(frame * 200)
    for _ in range(20):
        await asyncio.sleep(0.05)
        assert resident() - before < 60 * 1024 * 1024
    writer.transport.abort()
    async with target.daemon.client(target.keys["good"]) as http:
        assert (await http.get("/health")).status_code == 200


async def test_a_ticket_is_good_once_and_gone_after_logout(target: Target) -> None:
    async with target.daemon.client(target.keys["good"]) as http:
        tickets = [(await http.post("/api/v1/streaming/tickets")).json()["data"]["ticket"] for _ in range(2)]
    url = f"{target.daemon.url}{WS}"
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(f"{url}?ticket={tickets[0]}") as socket:
            assert not socket.closed
        for _ in range(2):
            with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
                await session.ws_connect(f"{url}?ticket={tickets[0]}")
            assert caught.value.status == 403
        async with target.daemon.client(target.keys["good"]) as http:
            assert (await http.post("/api/v1/auth/logout")).status_code == 200
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await session.ws_connect(f"{url}?ticket={tickets[1]}")
        assert caught.value.status == 403
