"""Which way a request leaves the process: proxies of the environment, and few connections to this machine."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from ftcli.transport.cookies import Jar
from ftcli.transport.http import Failure, HttpDoor

DATA = "https://digital.fidelity.com/ftgw/dp/x"


@asynccontextmanager
async def listener(answers: bool) -> AsyncIterator[tuple[int, list[bytes]]]:
    """A server that notes the start of each request, and answers or never does."""
    seen: list[bytes] = []
    over = asyncio.Event()

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append((await reader.readuntil(b"\r\n\r\n")).partition(b"\r\n")[0])
        if answers:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        else:
            await over.wait()
        writer.close()

    server = await asyncio.start_server(connection, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], seen
    finally:
        over.set()
        server.close()


@pytest.fixture
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return monkeypatch


async def test_the_proxy_of_the_environment_is_used(no_proxies: pytest.MonkeyPatch) -> None:
    async with listener(answers=True) as (port, seen):
        no_proxies.setenv("http_proxy", f"http://127.0.0.1:{port}")
        door = HttpDoor()
        answer = await door.exchange("GET", "http://broker.invalid/x", {}, None, 5)
        await door.aclose()
    assert answer.status == 200
    assert seen == [b"GET http://broker.invalid/x HTTP/1.1"]


async def test_hosts_without_proxy_are_reached_directly(no_proxies: pytest.MonkeyPatch) -> None:
    async with listener(answers=True) as (proxy, through), listener(answers=True) as (port, seen):
        no_proxies.setenv("http_proxy", f"http://127.0.0.1:{proxy}")
        no_proxies.setenv("no_proxy", "127.0.0.1")
        door = HttpDoor()
        await door.exchange("GET", f"http://127.0.0.1:{port}/x", {}, None, 5)
        await door.aclose()
    assert (through, seen) == ([], [b"GET /x HTTP/1.1"])


async def test_a_simulator_on_this_machine_is_never_reached_through_a_proxy(
    no_proxies: pytest.MonkeyPatch,
) -> None:
    async with listener(answers=True) as (port, seen):
        no_proxies.setenv("http_proxy", "http://127.0.0.1:9")
        door = HttpDoor(local=True)
        await door.exchange("GET", f"http://127.0.0.1:{port}/x", {}, None, 5)
        await door.aclose()
    assert seen == [b"GET /x HTTP/1.1"]


async def test_what_waited_for_a_connection_in_vain_was_not_sent() -> None:
    async with listener(answers=False) as (port, seen):
        door = HttpDoor(local=True)
        url = f"http://127.0.0.1:{port}/x"
        first = [asyncio.create_task(door.exchange("GET", url, {}, None, 5)) for _ in range(4)]
        while len(seen) < 4:
            await asyncio.sleep(0)
        with pytest.raises(Failure) as waited:
            await door.exchange("POST", url, {}, b"{}", 0.05)
        for task in first:
            task.cancel()
        ended = await asyncio.gather(*first, return_exceptions=True)
        await door.aclose()
    assert all(isinstance(outcome, asyncio.CancelledError) for outcome in ended)
    assert (waited.value.kind, waited.value.sent) == ("timeout", False)
    assert len(seen) == 4


def test_a_cookie_header_is_remembered_until_a_cookie_changes() -> None:
    jar = Jar()
    jar.absorb(DATA, (("set-cookie", "ATC=one; Path=/; Secure"),))
    assert jar.header(DATA) == jar.header(DATA) == "ATC=one"
    jar.absorb(DATA, (("set-cookie", "ATC=two; Path=/; Secure"),))
    assert jar.header(DATA) == "ATC=two"
    jar.absorb(DATA, (("set-cookie", "ATC=; Path=/; Max-Age=0"),))
    assert jar.header(DATA) == ""


def test_a_cookie_that_expires_is_asked_about_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_800_000_000.0
    monkeypatch.setattr("time.time", lambda: now)
    jar = Jar()
    jar.absorb(DATA, (("set-cookie", "ATC=one; Path=/; Secure; Max-Age=60"),))
    assert jar.header(DATA) == "ATC=one"
    now += 61
    assert jar.header(DATA) == ""


async def test_a_proxy_that_finds_no_way_to_the_broker_has_got_nothing_of_the_call(
    no_proxies: pytest.MonkeyPatch,
) -> None:
    got: list[bytes] = []
    ended = asyncio.Event()

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        got.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        ended.set()

    asked: list[str] = []
    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    no_proxies.setenv("https_proxy", f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    door = HttpDoor()
    with pytest.raises(Failure) as failure:
        await door.exchange(
            "POST", "https://broker.invalid/place", {}, b"{}", 5, lambda: asked.append("sending")
        )
    await door.aclose()
    await ended.wait()
    server.close()
    assert got[0].startswith(b"CONNECT broker.invalid:443")
    assert not failure.value.sent
    assert not asked


async def test_calls_that_are_broken_off_leave_room_for_later_ones() -> None:
    served: set[asyncio.Task[None] | None] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.add(asyncio.current_task())
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe")
                await asyncio.sleep(0)
                writer.write(b"llo")
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    door = HttpDoor(local=True)

    async def broken_off(turns: int) -> None:
        """A call whose caller leaves after so many turns of the event loop."""
        call = asyncio.create_task(door.exchange("GET", url, {}, None, 30))
        for _ in range(turns):
            await asyncio.sleep(0)
        call.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await call

    for turns in range(1, 60):
        await asyncio.gather(*(broken_off(turns) for _ in range(8)))
    answers = await asyncio.gather(*(door.exchange("GET", url, {}, None, 10) for _ in range(8)))
    assert {answer.body for answer in answers} == {b"hello"}
    await door.aclose()
    server.close()
    await asyncio.gather(*filter(None, served))
