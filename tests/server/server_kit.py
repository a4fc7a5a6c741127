"""A daemon for tests: the real one, on a free port, with its first key."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from ftcli.client import Client
from ftcli.config import Settings
from ftcli.environment import paper_credentials
from ftcli.paper.desk import open_desk
from ftcli.paper.door import PaperDoor
from ftcli.server.run import running
from ftcli.transport.broker import Broker

sys.path.append(str(Path(__file__).parents[1]))

from secret_watch import TELLING_PATHS, WATCH


class Daemon:
    """A running daemon: its URL, its first key, and what it announced."""

    def __init__(self, url: str, key: str, announced: list[str]) -> None:
        self.url = url
        self.key = key
        self.announced = announced
        self.port = int(url.rpartition(":")[2])

    def client(self, key: str | None = "") -> httpx.AsyncClient:
        """A client of the daemon: with the first key, another one, or none (``None``)."""
        found = self.key if key == "" else key
        headers = {"Authorization": f"Bearer {found}"} if found else {}
        return httpx.AsyncClient(
            base_url=self.url,
            headers=headers,
            trust_env=False,
            timeout=10,
            event_hooks={"response": [_collect]},
        )

    async def raw(self, request: bytes) -> bytes:
        """Sends bytes and reads the answer until the daemon closes the connection."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(request)
            return await asyncio.wait_for(reader.read(), 10)
        finally:
            writer.close()


async def _collect(response: httpx.Response) -> None:
    """Hands an answer to the search for secrets, unless it is endless."""
    if response.headers.get("content-type", "").startswith("text/event-stream"):
        return
    path = response.url.path.removeprefix("/api/v1")
    if not path.startswith(TELLING_PATHS):
        WATCH.collect("answer of the daemon", (), str(response.headers), await response.aread())


@asynccontextmanager
async def daemon(settings: Settings, **options: Any) -> AsyncIterator[Daemon]:
    """Runs a daemon inside this block."""
    announced: list[str] = []
    async with running(settings, announced.append, **options) as url:
        key = next((line.rpartition(" ")[2] for line in announced if "first API key" in line), "")
        yield Daemon(url, key, announced)


async def _no_sleep(seconds: float) -> None:
    await asyncio.sleep(0)


class Weather(httpx.AsyncBaseTransport):
    """What can happen between the daemon and the paper broker: calls that wait, and calls that fail."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.down = False
        self._door: httpx.AsyncBaseTransport | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.calls.append(request.url.path)
        await self.gate.wait()
        if self.down:
            raise httpx.ConnectError("nobody there", request=request)
        assert self._door is not None
        return await self._door.handle_async_request(request)

    @asynccontextmanager
    async def opener(self, settings: Settings) -> AsyncIterator[Client]:
        """Opens the core on the paper broker behind this weather."""
        desk = open_desk(settings)
        self._door = PaperDoor(desk)
        broker = Broker(
            settings,
            clock=desk.clock,
            door=self,
            credentials=paper_credentials(settings),
            auto_login=True,
            sleep=_no_sleep,
        )
        client = Client(settings, broker, desk.clock)
        try:
            yield client
        finally:
            await client.aclose()


def failed(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Checks an error envelope and gives its error."""
    assert response.status_code == status, response.text
    document = response.json()
    assert list(document) == ["ok", "data", "error"]
    assert document["ok"] is False
    assert document["data"] is None
    error: dict[str, Any] = document["error"]
    assert list(error) == ["code", "message", "details"]
    assert error["code"] == code
    return error
