"""WebSockets to the broker, behind a seam narrow enough for another door (an in-process simulator)."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

if TYPE_CHECKING:
    import ssl

    from websockets.asyncio.client import ClientConnection

MAX_FRAME = 8 * 1024 * 1024
"""Bytes of the longest frame accepted."""


class SocketClosed(Exception):
    """The connection is gone.

    Attributes:
        reason: Why, in a few words; never holds a URL.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class SocketRefused(SocketClosed):
    """The upgrade was answered with something else than 101.

    Attributes:
        status: The HTTP status.
    """

    def __init__(self, status: int) -> None:
        super().__init__(f"upgrade refused with {status}")
        self.status = status


class Socket(Protocol):
    """An open WebSocket."""

    async def recv(self) -> bytes:
        """The next message. Raises :class:`SocketClosed`."""

    async def send(self, text: str) -> None:
        """Send a text message. Raises :class:`SocketClosed`."""

    async def ping(self) -> Awaitable[object]:
        """Send a ping; what is returned completes with its pong. Raises :class:`SocketClosed`."""

    async def close(self) -> None:
        """Close with code 1000, or drop the connection where the other side does not answer."""

    def abort(self) -> None:
        """Drop the connection at once."""


class Upgrade(msgspec.Struct, frozen=True, kw_only=True):
    """What a connection is opened with.

    Attributes:
        url: ``wss`` URL; it may hold a token and is never logged.
        headers: Headers besides the protocol's own.
        subprotocol: The one subprotocol to ask for, and to insist on.
        timeout: Seconds for TCP, TLS and the upgrade together.
        user_agent: ``User-Agent``; none is sent where it is empty.
    """

    url: str
    headers: Mapping[str, str] = {}
    subprotocol: str = ""
    timeout: float = 10.0
    user_agent: str = ""


Connect = Callable[[Upgrade], Awaitable[Socket]]
"""Opens a connection. Raises :class:`SocketClosed` (or its subclass) for every way it can fail."""


def connector(ssl_context: "Callable[[], ssl.SSLContext] | None" = None) -> Connect:
    """Opens connections with the ``websockets`` library.

    Redirects are never followed: to this broker they mean a login page. Certificates are always verified.

    Args:
        ssl_context: Makes the TLS context where the system's certificates are not enough.
    """

    async def connect(upgrade: Upgrade) -> Socket:
        from websockets.exceptions import InvalidStatus, WebSocketException

        try:
            connection = await _open(upgrade, ssl_context)
        except InvalidStatus as refused:
            raise SocketRefused(refused.response.status_code) from None
        except (OSError, WebSocketException, ValueError) as problem:
            # The problem's own text may quote the URL, and the URL may hold a token: name its kind only.
            raise SocketClosed(f"cannot connect ({type(problem).__name__})") from None
        if upgrade.subprotocol and connection.subprotocol is None:
            await connection.close()
            raise SocketClosed("the server does not speak the subprotocol")
        return _WebSocket(connection)

    return connect


async def _open(upgrade: Upgrade, ssl_context: "Callable[[], ssl.SSLContext] | None") -> "ClientConnection":
    from urllib.parse import urlsplit

    from websockets.asyncio import client
    from websockets.typing import Subprotocol

    class NoRedirects(client.connect):
        def process_redirect(self, exc: Exception) -> Exception | str:
            return exc

    parts = urlsplit(upgrade.url)
    tls: dict[str, Any] = {}
    if parts.scheme == "wss" and ssl_context is not None:
        tls["ssl"] = ssl_context()
    # At DEBUG the library logs the handshake, that is cookies and the URL with its token.
    quiet = logging.getLogger("ftcli.streaming.sockets")
    quiet.setLevel(logging.WARNING)
    return await NoRedirects(
        upgrade.url,
        logger=quiet,
        subprotocols=[Subprotocol(upgrade.subprotocol)] if upgrade.subprotocol else None,
        additional_headers=upgrade.headers,
        user_agent_header=upgrade.user_agent or None,
        proxy=None if parts.hostname in ("localhost", "127.0.0.1", "::1") else True,
        open_timeout=upgrade.timeout,
        # We ping by our own clock, and need to know of every pong.
        ping_interval=None,
        close_timeout=2,
        max_size=MAX_FRAME,
        max_queue=256,
        **tls,
    )


class _WebSocket:
    """A connection of the ``websockets`` library as a :class:`Socket`."""

    def __init__(self, connection: "ClientConnection") -> None:
        from websockets.exceptions import ConnectionClosed

        self._connection = connection
        self._closed = ConnectionClosed

    async def recv(self) -> bytes:
        try:
            return await self._connection.recv(decode=False)
        except self._closed as closed:
            raise SocketClosed(_reason(closed)) from None

    async def send(self, text: str) -> None:
        try:
            await self._connection.send(text)
        except self._closed as closed:
            raise SocketClosed(_reason(closed)) from None

    async def ping(self) -> Awaitable[object]:
        try:
            return await self._connection.ping()
        except self._closed as closed:
            raise SocketClosed(_reason(closed)) from None

    async def close(self) -> None:
        await self._connection.close()

    def abort(self) -> None:
        self._connection.transport.abort()


def _reason(closed: Exception) -> str:
    received = getattr(closed, "rcvd", None)
    return f"closed by the server with {received.code}" if received is not None else "connection lost"


async def cancel(task: "asyncio.Task[None] | None") -> None:
    """Cancel a task of ours and wait until it has ended."""
    if task is None or task is asyncio.current_task():
        return
    task.cancel()
    await asyncio.wait([task])


async def close(socket: Socket) -> None:
    """Close without waiting for ever, and without losing a cancellation."""
    closing = asyncio.ensure_future(socket.close())
    try:
        await asyncio.shield(closing)
    except asyncio.CancelledError:
        socket.abort()
        await asyncio.wait([closing])
        raise
    except Exception:
        socket.abort()
