"""Who keeps a connection when all are taken: no key, good or ended, holds the door against another one."""

import asyncio
import os
import re
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

import msgspec
import pytest
from hostile import request
from server_kit import Daemon, daemon
from tls_kit import certificate

from ftcli.config import Settings
from ftcli.server.keys import KeyRing, parse_scopes
from ftcli.server.run import db_path
from ftcli.store import Store

STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) ")
PLACES = 8


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(environment="paper", data_dir=tmp_path, port=0, max_connections=PLACES)


@pytest.fixture
async def running(settings: Settings) -> AsyncIterator[Daemon]:
    async with daemon(settings) as found:
        yield found


@contextmanager
def ring(settings: Settings) -> Iterator[KeyRing]:
    """The keys, as ``ft keys`` in another process has them."""
    store = Store(db_path(settings))
    yield KeyRing(store)
    store.close()


def make(settings: Settings, scopes: str, rate: str = "") -> str:
    with ring(settings) as keys:
        return keys.create(name="made", scopes=parse_scopes(scopes), rate=rate)[0]


def revoke(settings: Settings, key: str) -> None:
    with ring(settings) as keys:
        keys.revoke(key[3:11])


class Line:
    """A connection that stays, and a key."""

    def __init__(self, port: int, key: str) -> None:
        self._port = port
        self._key = key

    async def __aenter__(self) -> "Line":
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def __aexit__(self, *error: object) -> None:
        self._writer.close()

    async def ask(self, target: str = "/api/v1/service/info", method: str = "GET") -> int:
        """The status of an answer; 0 where the connection has been ended."""
        data = request(method, target, key=self._key).replace(b"Connection: close\r\n", b"")
        try:
            self._writer.write(data)
            head = await asyncio.wait_for(self._reader.readuntil(b"\r\n\r\n"), 5)
            length = re.search(rb"(?i)content-length: (\d+)", head)
            await self._reader.readexactly(int(length[1]) if length else 0)
        except (ConnectionError, asyncio.IncompleteReadError):
            return 0
        return int(STATUS.findall(head)[0])

    async def stays(self) -> bool:
        """Whether the daemon has not hung up; what it says meanwhile is read and forgotten."""
        try:
            await asyncio.wait_for(self._reader.read(), 0.3)
        except TimeoutError:
            return True
        except ConnectionError:
            pass
        return False

    async def ended(self) -> bytes:
        """What comes until the daemon hangs up."""
        try:
            return await asyncio.wait_for(self._reader.read(), 5)
        except ConnectionError:
            return b""


async def halts(running: Daemon, key: str) -> bool:
    """Whether a newcomer can halt."""
    async with Line(running.port, key) as line:
        return await line.ask("/api/v1/trading/halt", "POST") == 200


async def until_revoked(line: Line) -> None:
    for _ in range(50):
        if await line.ask() == 403:
            return
        await asyncio.sleep(0.1)
    pytest.fail("the key is never revoked")


class TestAKeyThatEnds:
    async def test_its_connections_are_strangers_from_their_next_request(
        self, settings: Settings, running: Daemon
    ) -> None:
        bad, owner = make(settings, "read"), make(settings, "trade")
        async with AsyncExitStack() as stack:
            lines = [await stack.enter_async_context(Line(running.port, bad)) for _ in range(PLACES)]
            for line in lines:
                await line.ask()
            revoke(settings, bad)
            await until_revoked(lines[-1])
            for line in lines:
                assert await line.ask() in (0, 403, 429)  # refused, or told that it had to make room
            for _ in range(3):
                assert await halts(running, owner)

    async def test_they_make_room_even_where_they_say_nothing(
        self, settings: Settings, running: Daemon
    ) -> None:
        bad, owner = make(settings, "read"), make(settings, "read")
        async with AsyncExitStack() as stack:

            async def line(key: str) -> Line:
                found = await stack.enter_async_context(Line(running.port, key))
                if key:
                    assert await found.ask() == 200
                return found

            owners = [await line(owner) for _ in range(3)]
            silent, telling = await line(bad), await line(bad)
            revoke(settings, bad)
            await until_revoked(telling)
            await asyncio.sleep(1.1)  # keys are looked at once a second
            newcomers = [await line("") for _ in range(PLACES - 3)]
            assert STATUS.findall(await silent.ended()) == [b"429"]
            assert [await found.ask() for found in owners] == [200] * 3
            assert all(await asyncio.gather(*(newcomer.stays() for newcomer in newcomers)))


class TestOneKeyWithMany:
    async def test_resting_connections_make_room(self, settings: Settings, running: Daemon) -> None:
        hog, owner = make(settings, "read"), make(settings, "trade,read")
        async with AsyncExitStack() as stack:
            mine = await stack.enter_async_context(Line(running.port, owner))
            assert await mine.ask() == 200
            for _ in range(3 * PLACES):
                line = await stack.enter_async_context(Line(running.port, hog))
                assert await line.ask() == 200
            assert await halts(running, owner)
            assert await mine.ask() == 200  # no other key's connection has been ended for it

    async def test_nor_by_requests_refused_for_their_rate(self, settings: Settings, running: Daemon) -> None:
        hog, owner = make(settings, "read", "1/h"), make(settings, "trade,read")
        async with AsyncExitStack() as stack:
            mine = await stack.enter_async_context(Line(running.port, owner))
            assert await mine.ask() == 200
            first = await stack.enter_async_context(Line(running.port, hog))
            assert await first.ask() == 200
            lines = [await stack.enter_async_context(Line(running.port, hog)) for _ in range(PLACES - 2)]
            assert [await line.ask() for line in lines] == [429] * len(lines)
            assert await halts(running, owner)
            assert not await lines[0].stays()
            assert await first.stays()  # it was let in
            assert await mine.ask() == 200

    async def test_one_whose_latest_request_is_refused_is_a_stranger(
        self, settings: Settings, running: Daemon
    ) -> None:
        hog, owner = make(settings, "read", "2/h"), make(settings, "read")
        async with AsyncExitStack() as stack:
            lines = []
            for key in (hog, hog, owner, owner, owner):
                line = await stack.enter_async_context(Line(running.port, key))
                lines.append(line)
                assert await line.ask() == 200
            assert await lines[0].ask() == 429
            newcomers = [
                await stack.enter_async_context(Line(running.port, "")) for _ in range(PLACES - 5 + 1)
            ]
            assert await newcomers[-1].ask("/health") == 200
            kept = await asyncio.gather(*(line.stays() for line in (*lines, *newcomers)))
            assert kept == [False] + [True] * PLACES

    async def test_streams_make_room_where_nothing_rests(self, settings: Settings, running: Daemon) -> None:
        hog, owner = make(settings, "read,stream"), make(settings, "trade,read")
        async with AsyncExitStack() as stack:
            streams = []
            for _ in range(PLACES + 2):
                line = await stack.enter_async_context(Line(running.port, hog))
                assert await line.ask("/api/v1/streaming/quotes?symbols=KO") == 200
                streams.append(line)
            mine = await stack.enter_async_context(Line(running.port, owner))
            assert await mine.ask() == 200
            assert await halts(running, owner)
            assert await mine.ask() == 200
            assert not await streams[0].stays()
            assert await streams[-1].stays()

    async def test_a_stranger_ends_no_stream(self, settings: Settings, running: Daemon) -> None:
        owner = make(settings, "read,stream")
        async with AsyncExitStack() as stack:
            streams = [await stack.enter_async_context(Line(running.port, owner)) for _ in range(PLACES)]
            for line in streams:
                assert await line.ask("/api/v1/streaming/quotes?symbols=KO") == 200
            for _ in range(3 * PLACES):
                stranger = await stack.enter_async_context(Line(running.port, ""))
            assert await stranger.ask("/health") == 200
            # A quarter of the places is for strangers and newcomers, and those streams made room for each other.
            kept = await asyncio.gather(*(line.stays() for line in streams))
            assert kept == [False] * (PLACES // 4) + [True] * (PLACES * 3 // 4)


@pytest.mark.skipif(sys.platform != "linux", reason="counts open files where Linux lists them")
async def test_handshakes_that_make_room_before_they_begin_leave_no_file_open(
    settings: Settings, tmp_path: Path
) -> None:
    def count() -> int:
        return len(os.listdir("/proc/self/fd"))

    cert, key = certificate(tmp_path)
    chosen = msgspec.structs.replace(settings, host="localhost", tls_cert=cert, tls_key=key)
    async with daemon(chosen) as running:
        before = count()
        for _ in range(5):
            # All at once, so that the daemon meets them in one round of its loop.
            crowd = [socket.create_connection(("127.0.0.1", running.port)) for _ in range(4 * PLACES)]
            await asyncio.sleep(0.05)
            for client in crowd:
                client.close()
        for _ in range(100):
            if count() <= before:
                break
            await asyncio.sleep(0.05)
        assert count() <= before
