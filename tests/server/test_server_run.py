"""Start, log, keep-alive and stop of the daemon."""

import asyncio
import io
import json
import logging
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp
import msgspec
import pytest
import server_kit
from server_kit import Daemon

from ftcli.config import Settings
from ftcli.environment import open_client
from ftcli.errors import ValidationFailed
from ftcli.redaction import Secret
from ftcli.server.log import logging_to
from ftcli.server.run import serve
from ftcli.transport.heartbeat import beat

Start = Callable[..., Awaitable[Daemon]]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(environment="paper", data_dir=tmp_path, port=0)


async def test_it_says_where_it_listens_and_what_can_happen(settings: Settings, start: Start) -> None:
    daemon = await start(settings)
    assert daemon.announced[0] == f"ft serve listens on {daemon.url}"
    assert daemon.announced[1] == "Environment: paper (orders go nowhere real)"
    assert daemon.announced[2] == f"Documentation: {daemon.url}/docs"
    assert daemon.announced[3].startswith("Your first API key, shown only now: ft_")
    assert len(daemon.announced) == 4


async def test_an_open_bind_without_keys_is_refused_before_anything_opens(
    settings: Settings, tmp_path: Path
) -> None:
    open_settings = msgspec.structs.replace(settings, host="0.0.0.0", api_key_required=False)
    with pytest.raises(ValidationFailed):
        await serve(open_settings, lambda line: None)
    assert _all_files(tmp_path) == []


async def test_it_stops_within_five_seconds_and_tells_every_stream(settings: Settings) -> None:
    async with aiohttp.ClientSession() as session:
        async with server_kit.daemon(settings) as daemon:
            headers = {"Authorization": f"Bearer {daemon.key}"}
            url = f"{daemon.url}/api/v1"
            events = await session.get(f"{url}/streaming/quotes?symbols=KO", headers=headers)
            await events.content.readline()
            talk = await session.ws_connect(f"{url}/ws/quotes", headers=headers)
            await talk.send_json({"action": "subscribe", "symbols": ["KO"]})
            await talk.receive()
            silent = await session.ws_connect(f"{url}/ws/quotes", headers={"Origin": daemon.url})
            mute_reader, mute_writer = await asyncio.open_connection("127.0.0.1", daemon.port)
            mute_writer.write(
                f"GET /api/v1/streaming/quotes?symbols=AAPL HTTP/1.1\r\nHost: localhost\r\n"
                f"Authorization: Bearer {daemon.key}\r\n\r\n".encode()
            )
            _, half_writer = await asyncio.open_connection("127.0.0.1", daemon.port)
            half_writer.write(b"POST /api/v1/auth/logout HTTP/1.1\r\nHost: localhost\r\nContent-Le")
            await mute_reader.readuntil(b"hello")
            started = time.monotonic()
        took = time.monotonic() - started
        assert took < 5
        text = (await events.content.read()).decode()
        assert text.rstrip().endswith('event: bye\ndata: {"reason":"shutdown","error":null}')
        message = await talk.receive()
        while message.type is aiohttp.WSMsgType.TEXT:
            message = await talk.receive()
        assert (message.type, message.data, message.extra) == (aiohttp.WSMsgType.CLOSE, 1001, "shutdown")
        assert (await silent.receive()).type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)
        with pytest.raises(aiohttp.ClientConnectionError):
            await session.get(f"{url}/health")
        for writer in (mute_writer, half_writer):
            writer.close()
        await talk.close()
        await silent.close()
        events.close()


PROGRAM = """
import asyncio, sys
from pathlib import Path
from ftcli.config import Settings
from ftcli.server.run import serve
settings = Settings(environment="paper", data_dir=Path(sys.argv[1]), port=0, log_level="DEBUG")
asyncio.run(serve(settings, lambda line: print(line, flush=True)))
print("clean", flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_signals_end_it_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        PROGRAM,
        str(tmp_path),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    lines = [(await asyncio.wait_for(process.stdout.readline(), 20)).decode().strip() for _ in range(4)]
    url, key = lines[0].rpartition(" ")[2], lines[3].rpartition(" ")[2]
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {key}"}) as session:
        events = await session.get(f"{url}/api/v1/streaming/quotes?symbols=KO")
        await events.content.readline()
        await session.get(f"{url}/api/v1/accounts/Z20000025/positions")
        started = time.monotonic()
        process.send_signal(number)
        assert (await events.content.read()).endswith(b'{"reason":"shutdown","error":null}\n\n')
        out, err = await asyncio.wait_for(process.communicate(), 10)
        assert time.monotonic() - started < 5
        events.close()
    assert process.returncode == 0, err.decode()
    assert out.decode().strip() == "clean"
    log = err.decode()
    entries = [json.loads(line) for line in log.splitlines()]
    assert {"listening on", "stopping", "stopped"} <= {
        word
        for entry in entries
        for word in ("listening on", "stopping", "stopped")
        if entry["message"].startswith(word)
    }
    for secret in (key, "open-sesame", "Z20000025"):
        assert secret not in log
    assert key.encode() not in _all_bytes(tmp_path)


def _all_files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def _all_bytes(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in _all_files(folder))


def test_the_log_is_redacted_whoever_writes() -> None:
    Secret("hunter2-the-secret")
    stream = io.StringIO()
    with logging_to(stream, "DEBUG"):
        logging.getLogger("ftcli.server").info("account Z20000025, key %s", "hunter2-the-secret")
        logging.getLogger("httpx").warning("GET / Cookie: ATC=abcdef123")
        logging.getLogger("websockets.client").debug("never shown")
        logging.getLogger("aiohttp.server").warning("Authorization: Bearer ft_abcdefgh")
        try:
            raise ValueError("hunter2-the-secret in an error")
        except ValueError:
            logging.getLogger("ftcli").exception("fault", extra={"request_id": "r1"})
    logging.getLogger("ftcli").warning("not ours any more")
    entries = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [entry["level"] for entry in entries] == ["INFO", "WARNING", "WARNING", "ERROR"]
    assert entries[0]["message"] == "account …0025, key ***"
    assert entries[3]["request_id"] == "r1"
    assert "Traceback" in entries[3]["message"]
    for word in ("hunter2", "abcdef123", "ft_abcdefgh", "Z20000025"):
        assert word not in stream.getvalue()


class _Stop(Exception):
    pass


async def test_the_session_is_kept_alive_with_jitter(settings: Settings) -> None:
    pauses: list[float] = []
    chances = iter([0.0, 0.5, 1.0])

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            raise _Stop

    async with open_client(settings) as ft:
        assert ft.broker.state == "disconnected"
        with pytest.raises(_Stop):
            await beat(ft.broker, 300, sleep=sleep, chance=lambda: next(chances))
        assert ft.broker.state == "authenticated"
        assert pauses == pytest.approx([270, 300, 330])
        await beat(ft.broker, 0, sleep=sleep)  # 0 means none


async def test_trouble_on_the_way_is_tried_again_soon(settings: Settings) -> None:
    weather, pauses = server_kit.Weather(), []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        weather.down = 1 <= len(pauses) <= 4
        if len(pauses) == 6:
            raise _Stop

    async with weather.opener(settings) as ft:
        with pytest.raises(_Stop):
            await beat(ft.broker, 300, sleep=sleep, chance=lambda: 0.5)
        assert ft.broker.state == "authenticated"
    assert pauses == [300, 15, 30, 60, 60, 300]
