"""A market data stream that says what a test wants, behind a daemon on the paper broker."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from ftcli.client import Client
from ftcli.config import Settings
from ftcli.environment import paper_client


class Mdds:
    """Answers every subscription with a snapshot, and sends prices when told to.

    Attributes:
        greets: While it is not set, a new connection hears nothing.
    """

    def __init__(self) -> None:
        self.greets = asyncio.Event()
        self.greets.set()
        self.url = ""
        self.subscribed: list[str] = []
        self.unsubscribed: list[str] = []
        self._connections: set[ServerConnection] = set()
        self._changed = asyncio.Event()

    async def handle(self, connection: ServerConnection) -> None:
        self._connections.add(connection)
        greeting = {"SessionId": "session-1", "host": "abc.us-east-1c", "productid": "atn"}
        try:
            await self.greets.wait()
            await connection.send(json.dumps(greeting))
            async for message in connection:
                await self._answer(connection, json.loads(message))
        except ConnectionClosed:
            pass
        finally:
            self._connections.discard(connection)

    async def _answer(self, connection: ServerConnection, command: dict[str, Any]) -> None:
        if command["Command"] == "unsubscribe":
            self.unsubscribed.append(json.dumps(command))
        else:
            for symbol in str(command["Symbol"]).split(","):
                self.subscribed.append(symbol)
                await connection.send(json.dumps(_reply(symbol)))
        self._changed.set()

    async def price(self, symbol: str, text: str) -> None:
        """Sends a new last price."""
        message = json.dumps({"ResponseType": "0", "Data": [{"6": symbol, "29": text}]})
        for connection in self._connections:
            await connection.send(message)

    async def drop(self) -> None:
        """Breaks every connection."""
        for connection in list(self._connections):
            connection.transport.abort()


def _reply(symbol: str) -> dict[str, Any]:
    if symbol.startswith("NO"):
        data = [{"0": "Source not found", "6": symbol}]
        return {
            "Command": "subscribe",
            "ResponseType": "-1",
            "ErrorCode": "18",
            "Data": data,
            "Request": "00000001",
        }
    item = {
        "0": "success",
        "6": symbol,
        "29": "70.10",
        "20": "70.09",
        "18": "70.11",
        "128": "EQ",
        "169": "realtime",
    }
    return {"Command": "subscribe", "ResponseType": "1", "Data": [item], "Request": "00000001"}


@asynccontextmanager
async def mdds() -> AsyncIterator[Mdds]:
    """The stream, listening inside this block."""
    found = Mdds()
    async with serve(found.handle, "127.0.0.1", 0, ping_interval=None, close_timeout=0.1) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        found.url = f"ws://127.0.0.1:{port}/?productid=atn"
        yield found


def opener(stream: Mdds) -> Callable[[Settings], Any]:
    """Opens the core on the paper broker, with this stream instead of the paper broker's own."""

    @asynccontextmanager
    async def opened(settings: Settings) -> AsyncIterator[Client]:
        async with AsyncExitStack() as stack:
            paper = paper_client(settings, stack)

            async def url(key: str) -> str:
                return stream.url

            client = Client(settings, paper.broker, paper.now, url)
            try:
                yield client
            finally:
                await client.aclose()

    return opened
