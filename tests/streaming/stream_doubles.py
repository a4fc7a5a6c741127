"""Doubles of what streams stand on: time that a test moves, and a scripted broker on a real socket."""

import asyncio
import base64
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

START = 1_759_674_000.0
PATIENCE = 5.0


async def soon(awaitable: Any) -> Any:
    """What is awaited, or a failure instead of a test that hangs."""
    return await asyncio.wait_for(awaitable, PATIENCE)


async def settle(turns: int = 20) -> None:
    """Let every task that can run do so. Nothing is waited for."""
    for _ in range(turns):
        await asyncio.sleep(0)


class ManualTimer:
    def __init__(self, due: float, call: Callable[[], None]) -> None:
        self.due, self.call, self.cancelled = due, call, False

    def cancel(self) -> None:
        self.cancelled = True


class ManualTiming:
    """Time that passes only when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0
        self.timers: list[ManualTimer] = []

    def monotonic(self) -> float:
        return self.now

    def epoch(self) -> float:
        return START + self.now

    def call_later(self, seconds: float, call: Callable[[], None]) -> ManualTimer:
        timer = ManualTimer(self.now + seconds, call)
        self.timers.append(timer)
        return timer

    async def advance(self, seconds: float) -> None:
        """Let time pass; timers run in order, and the tasks they wake run in between."""
        end = self.now + seconds
        while True:
            await settle()
            self.timers = [timer for timer in self.timers if not timer.cancelled]
            due = [timer for timer in self.timers if timer.due <= end + 1e-9]
            if not due:
                break
            timer = min(due, key=lambda entry: entry.due)
            self.timers.remove(timer)
            self.now = max(self.now, timer.due)
            timer.call()
        self.now = end
        await settle()


class Peer:
    """One connection the scripted broker has accepted."""

    def __init__(self, connection: ServerConnection, number: int) -> None:
        self.connection = connection
        self.number = number
        self.session_id = f"session-{number}"
        self.received: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()

    @property
    def cookie(self) -> str | None:
        request = self.connection.request
        assert request is not None
        return request.headers.get("Cookie")

    async def command(self) -> dict[str, Any]:
        """The next command of the client."""
        message = await soon(self.received.get())
        assert message is not None, "the client has closed the connection"
        return message

    async def ended(self) -> None:
        """Wait until the client is gone; what it still sent is skipped."""
        while await soon(self.received.get()) is not None:
            pass

    def quiet(self) -> bool:
        """Whether the client has sent nothing that was not looked at."""
        return self.received.empty()

    async def send(self, message: dict[str, Any] | str) -> None:
        await self.connection.send(message if isinstance(message, str) else json.dumps(message))

    async def greet(self) -> None:
        await self.send({"SessionId": self.session_id, "host": "abc.us-east-1c", "productid": "atn"})

    async def snapshot(
        self, *items: dict[str, str], request: str = "00000001", word: str = "subscribe"
    ) -> None:
        for item in items:
            data = [{"0": "success", **item}]
            await self.send({"Command": word, "ResponseType": "1", "Data": data, "Request": request})

    async def delta(self, *items: dict[str, str]) -> None:
        await self.send({"ResponseType": "0", "Data": list(items)})

    async def refuse(self, symbol: str, *, code: str = "18", text: str = "Source not found",
                     request: str = "00000001", word: str = "subscribe") -> None:  # fmt: skip
        data = [{"0": text, "6": symbol}]
        await self.send(
            {"Command": word, "ResponseType": "-1", "ErrorCode": code, "Data": data, "Request": request}
        )

    async def flush(self) -> None:
        """Wait until the client has taken in everything sent so far."""
        await soon(await self.connection.ping())
        await settle()

    async def drop(self) -> None:
        """Break the connection without a word."""
        self.connection.transport.abort()


class ScriptedBroker:
    """A WebSocket server on the loopback whose every answer is given by the test."""

    def __init__(self) -> None:
        self.peers: asyncio.Queue[Peer] = asyncio.Queue()
        self.refusals: list[int] = []
        """Status codes with which the next upgrades are refused."""
        self.upgrades = 0
        self.count = 0
        self.subprotocols: list[Any] | None = None
        self.paths: list[str] = []
        self.answers_stop = True
        """Whether an AppSync ``stop`` is answered by itself, so that closing need not be scripted."""

    async def __aenter__(self) -> "ScriptedBroker":
        self.server = await serve(
            self._handle, "127.0.0.1", 0, process_request=self._upgrade, ping_interval=None,
            subprotocols=self.subprotocols, close_timeout=0.1,
        )  # fmt: skip
        self.port = next(iter(self.server.sockets)).getsockname()[1]
        self.url = f"ws://127.0.0.1:{self.port}/?productid=atn"
        return self

    async def __aexit__(self, *_: object) -> None:
        self.server.close()
        await self.server.wait_closed()

    def _upgrade(self, connection: ServerConnection, request: Request) -> Response | None:
        self.upgrades += 1
        self.paths.append(request.path)
        if self.refusals:
            return connection.respond(self.refusals.pop(0), "no")
        return None

    async def _handle(self, connection: ServerConnection) -> None:
        self.count += 1
        peer = Peer(connection, self.count)
        await self.peers.put(peer)
        try:
            async for message in connection:
                document = json.loads(message)
                await peer.received.put(document)
                if document.get("type") == "stop" and self.answers_stop:
                    await peer.send({"type": "complete", "id": document["id"]})
        except ConnectionClosed:
            pass
        await peer.received.put(None)

    async def peer(self, *, greet: bool = True) -> Peer:
        """The next connection."""
        peer: Peer = await soon(self.peers.get())
        if greet:
            await peer.greet()
        return peer


def header_of(path: str) -> dict[str, str]:
    """The decoded ``header`` parameter of an AppSync upgrade."""
    header = parse_qs(urlsplit(path).query)["header"][0]
    decoded: dict[str, str] = json.loads(base64.b64decode(header))
    return decoded
