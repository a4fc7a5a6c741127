"""How long, and for how much, the door bears with a client: TLS, heads, chunks, and answers nobody reads."""

import asyncio
import json
import re
import ssl
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import httpx
import msgspec
import pytest
from hostile import request
from server_kit import Daemon, daemon
from tls_kit import certificate

from ftcli.config import Settings
from ftcli.server import protocol

STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) ")
HEALTH = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        environment="paper",
        upstream="http://127.0.0.1:9",
        data_dir=tmp_path,
        port=0,
        timeout=2.0,
        max_connections=5,
    )


@pytest.fixture
async def plain(settings: Settings) -> AsyncIterator[Daemon]:
    async with daemon(settings) as found:
        yield found


def keyed(found: Daemon) -> bytes:
    """A read with the first key; the connection stays."""
    return request("GET", "/api/v1/service/info", key=found.key).replace(b"Connection: close\r\n", b"")


class Client:
    """A connection that says what it wants, when it wants."""

    def __init__(self, port: int, address: str = "127.0.0.1") -> None:
        self.port = port
        self.address = address

    async def __aenter__(self) -> "Client":
        self.reader, self.writer = await asyncio.open_connection(
            "127.0.0.1", self.port, local_addr=(self.address, 0)
        )
        return self

    async def __aexit__(self, *error: object) -> None:
        self.writer.close()

    async def answer(self, data: bytes = b"") -> bytes:
        """Sends bytes and reads one answer with its body."""
        self.writer.write(data)
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 5)
        length = re.search(rb"(?i)content-length: (\d+)", head)
        return head + await self.reader.readexactly(int(length[1]) if length else 0)

    async def rest(self) -> bytes:
        """What comes until the daemon hangs up."""
        try:
            return await asyncio.wait_for(self.reader.read(), 5)
        except ConnectionError:
            return b""


class TestTls:
    @pytest.fixture
    async def secured(
        self, settings: Settings, tmp_path: Path
    ) -> AsyncIterator[tuple[Daemon, ssl.SSLContext]]:
        cert, key = certificate(tmp_path)
        async with daemon(
            msgspec.structs.replace(settings, host="localhost", tls_cert=cert, tls_key=key)
        ) as found:
            yield found, ssl.create_default_context(cafile=str(cert))

    async def test_a_handshake_counts_as_a_connection_and_must_end(
        self, secured: tuple[Daemon, ssl.SSLContext], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.5)
        found, context = secured
        slow = [await Client(found.port).__aenter__() for _ in range(5)]
        slow[0].writer.write(bytes.fromhex("1603010200"))  # the first bytes of a hello, and never the rest
        async with Client(found.port) as sixth:
            began = asyncio.get_running_loop().time()
            assert await slow[0].rest() == b""  # it makes room for the newcomer
            assert asyncio.get_running_loop().time() - began < 0.4
            for client in (sixth, *slow[1:]):
                assert await client.rest() == b""
        for client in slow:
            await client.__aexit__()
        async with httpx.AsyncClient(verify=context, trust_env=False) as http:
            assert (await http.get(f"{found.url}/health")).status_code == 200

    async def test_a_request_in_one_breath_with_the_end_of_the_handshake_is_answered(
        self, secured: tuple[Daemon, ssl.SSLContext]
    ) -> None:
        found, context = secured
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
        async with Client(found.port) as client:
            while True:
                try:
                    tls.do_handshake()
                    break
                except ssl.SSLWantReadError:
                    client.writer.write(outgoing.read())
                    incoming.write(await asyncio.wait_for(client.reader.read(65536), 5))
            tls.write(HEALTH)
            client.writer.write(outgoing.read())
            text = b""
            while b"healthy" not in text:
                incoming.write(await asyncio.wait_for(client.reader.read(65536), 5))
                try:
                    text += tls.read(65536)
                except ssl.SSLWantReadError:
                    continue
        assert STATUS.findall(text) == [b"200"]

    async def test_the_daemon_stops_while_a_handshake_hangs(self, settings: Settings, tmp_path: Path) -> None:
        cert, key = certificate(tmp_path)
        chosen = msgspec.structs.replace(settings, host="localhost", tls_cert=cert, tls_key=key)
        async with daemon(chosen) as found:
            client = await Client(found.port).__aenter__()
        assert await client.rest() == b""
        await client.__aexit__()


class TestHeads:
    async def test_each_head_must_come_in_time_not_only_the_first(
        self, plain: Daemon, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.4)
        async with Client(plain.port) as client:
            for _ in range(2):
                assert b" 200 " in await client.answer(HEALTH)

            async def drip() -> None:
                for index in range(len(HEALTH)):
                    client.writer.write(HEALTH[index : index + 1])
                    await asyncio.sleep(0.1)

            slow = asyncio.create_task(drip())
            answer = await client.rest()
            slow.cancel()
        assert STATUS.findall(answer) == [b"408"]

    async def test_between_requests_there_is_more_time(
        self, plain: Daemon, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.2)
        async with Client(plain.port) as client:
            assert b" 200 " in await client.answer(HEALTH)
            await asyncio.sleep(0.5)
            assert b" 200 " in await client.answer(HEALTH)

    async def test_a_stranger_has_less(self, plain: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(protocol._LIMITS, "keepalive_timeout", 0.3)
        async with Client(plain.port) as stranger, Client(plain.port) as owner:
            assert b" 200 " in await stranger.answer(HEALTH)
            assert b" 200 " in await owner.answer(keyed(plain))
            began = asyncio.get_running_loop().time()
            assert await stranger.rest() == b""
            assert asyncio.get_running_loop().time() - began < 2
            await asyncio.sleep(0.5)
            assert b" 200 " in await owner.answer(HEALTH)

    async def test_a_head_without_end_is_refused(self, plain: Daemon) -> None:
        async with Client(plain.port) as client:
            assert b" 200 " in await client.answer(HEALTH)
            lines = "".join(f"X-{number}: {'x' * 4000}\r\n" for number in range(9))
            client.writer.write(f"GET /health HTTP/1.1\r\nHost: localhost\r\n{lines}".encode())
            answer = await client.rest()
        assert STATUS.findall(answer) == [b"400"]
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"] == "VALIDATION_ERROR"


class TestChunks:
    def head(self, plain: Daemon) -> bytes:
        return request(
            "POST",
            "/api/v1/streaming/subscribe",
            "Transfer-Encoding: chunked",
            "Content-Type: application/json",
            key=plain.key,
        ).replace(b"Content-Length: 0\r\n", b"")

    @pytest.mark.parametrize(
        "line",
        [b"1;x=" + b"a" * 300_000, b"0" * 300_000 + b"1", b"0\r\n" + b"X: y\r\n" * 50_000],
        ids=["extension", "zeros", "trailers"],
    )
    async def test_the_frame_of_a_chunk_is_bounded(self, plain: Daemon, line: bytes) -> None:
        async with Client(plain.port) as client:
            client.writer.write(self.head(plain))
            await client.writer.drain()
            client.writer.write(b"1\r\n{\r\n" + line)
            answer = await client.rest()
        (status,) = STATUS.findall(answer)
        assert status in (b"400", b"422")
        error = json.loads(answer.partition(b"\r\n\r\n")[2])["error"]
        assert error["code"] == "VALIDATION_ERROR"

    async def test_a_malformed_chunk_is_answered_at_once(self, plain: Daemon) -> None:
        async with Client(plain.port) as client:
            client.writer.write(self.head(plain) + b"1\r\n{\r\n")
            await client.writer.drain()
            await asyncio.sleep(0.1)  # so that the request is in hand when the rest comes
            began = asyncio.get_running_loop().time()
            client.writer.write(b"zz\r\n" + HEALTH)
            answer = await client.rest()
        assert asyncio.get_running_loop().time() - began < 2
        (status,) = STATUS.findall(answer)  # one answer: what follows is not looked at
        assert status == b"422"
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["details"]["field"] == "body"

    async def test_small_chunks_are_fine(self, plain: Daemon) -> None:
        body = json.dumps({"symbols": ["KO"] * 9000, "x": 1}).encode()
        chunks = b"".join(b"1;a=b\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"
        async with Client(plain.port) as client:
            answer = await client.answer(self.head(plain) + chunks)
        assert STATUS.findall(answer) == [b"422"]
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["details"]["field"] == "x"


async def test_many_requests_at_once_are_all_answered(plain: Daemon) -> None:
    """Requests that wait in line are not mistaken for a head without end."""
    async with Client(plain.port) as client:
        client.writer.write(HEALTH * 3000)
        for _ in range(3000):
            assert b" 200 " in await client.answer()


async def test_who_does_not_read_is_cut_off(plain: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "STUCK_SECONDS", 0.5)
    page = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"
    async with Client(plain.port) as deaf, Client(plain.port) as other:
        assert b" 200 " in await deaf.answer(keyed(plain))
        size = len(await deaf.answer(page))
        deaf.writer.transport.pause_reading()
        deaf.writer.write(page * 200)
        await asyncio.sleep(0.3)
        assert b" 200 " in await other.answer(HEALTH)  # nobody else waits for it
        await asyncio.sleep(1.7)
        deaf.writer.transport.resume_reading()
        assert len(await deaf.rest()) < 200 * size


async def test_who_does_not_read_makes_room(plain: Daemon) -> None:
    page = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"
    deaf = []
    for _ in range(5):
        client = await Client(plain.port).__aenter__()
        assert b" 200 " in await client.answer(keyed(plain))
        client.writer.transport.pause_reading()
        client.writer.write(page * 200)
        deaf.append(client)
    async with Client(plain.port) as other:
        assert b" 200 " in await other.answer(keyed(plain))
    for client in deaf:
        client.writer.transport.abort()


class TestPlaces:
    async def test_a_newcomer_comes_in_and_the_oldest_stranger_makes_room(self, plain: Daemon) -> None:
        async with Client(plain.port) as owner:
            assert b" 200 " in await owner.answer(keyed(plain))
            strangers = [await Client(plain.port).__aenter__() for _ in range(4)]
            for _ in range(12):
                async with Client(plain.port) as newcomer:
                    assert b" 200 " in await newcomer.answer(keyed(plain))
                oldest = strangers.pop(0)
                assert STATUS.findall(await oldest.rest()) == [b"429"]
                await oldest.__aexit__()
                strangers.append(await Client(plain.port).__aenter__())
            assert b" 200 " in await owner.answer(keyed(plain))
        for silent in strangers:
            await silent.__aexit__()

    async def test_a_socket_that_waits_for_its_key_makes_room_and_an_open_one_does_not(
        self, settings: Settings
    ) -> None:
        chosen = msgspec.structs.replace(settings, upstream="")
        async with daemon(chosen) as found, aiohttp.ClientSession() as session:
            url, headers = f"{found.url}/api/v1/ws/quotes", {"Origin": found.url}
            early = await session.ws_connect(url, headers=headers)
            await early.send_json({"action": "auth", "key": found.key, "id": 1})
            assert (await early.receive(5)).type is aiohttp.WSMsgType.TEXT
            late = await session.ws_connect(url, headers=headers)
            held = [await Client(found.port).__aenter__() for _ in range(4)]
            assert (await late.receive(5)).type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.CLOSE)
            assert not early.closed
            await early.send_json({"action": "none", "id": 2})
            assert (await early.receive(5)).json()["id"] == 2
            await early.close()
            await late.close()
        for client in held:
            await client.__aexit__()

    @pytest.mark.skipif(sys.platform != "linux", reason="needs more than one address of this machine")
    async def test_strangers_from_elsewhere_push_nobody_out(self, plain: Daemon) -> None:
        async with Client(plain.port) as slow, Client(plain.port, "127.0.0.3") as other:
            crowd = [await Client(plain.port, "127.0.0.2").__aenter__() for _ in range(20)]
            for client in crowd[:17]:
                assert STATUS.findall(await client.rest()) == [b"429"]
            for owner in (slow, other):
                assert b" 200 " in await owner.answer(keyed(plain))
        for client in crowd:
            await client.__aexit__()

    async def test_places_come_back(self, plain: Daemon) -> None:
        for _ in range(30):
            async with Client(plain.port) as client:
                assert b" 200 " in await client.answer(keyed(plain))


async def test_last_words_have_what_every_answer_has(plain: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.5)
    held = [await Client(plain.port).__aenter__() for _ in range(5)]
    async with Client(plain.port) as sixth:
        answers = [await held[0].rest(), *[await client.rest() for client in (*held[1:], sixth)]]
    seen = set()
    for answer in answers:
        head = answer.partition(b"\r\n\r\n")[0].decode()
        lines = dict(line.split(": ", 1) for line in head.splitlines()[1:])
        assert lines["X-Content-Type-Options"] == "nosniff"
        assert lines["Cache-Control"] == "no-store"
        assert lines["Server"] == "ft"
        assert lines["Connection"] == "close"
        seen.add(lines["X-Request-Id"])
    assert [STATUS.findall(answer)[0] for answer in answers] == [b"429"] + [b"408"] * 5
    assert len(seen) == 6
    for client in held:
        await client.__aexit__()


async def test_an_opened_websocket_tells_its_request_id(plain: Daemon) -> None:
    here = f"localhost:{plain.port}"
    head = [
        "GET /api/v1/ws/quotes HTTP/1.1",
        f"Host: {here}",
        f"Origin: http://{here}",
        "Connection: Upgrade",
    ]
    head += ["Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="]
    head += ["X-Request-Id: mine-1"]
    async with Client(plain.port) as client:
        answer = await client.answer(("\r\n".join(head) + "\r\n\r\n").encode())
    assert b" 101 " in answer
    assert b"X-Request-Id: mine-1" in answer
