"""From the hub to one client's socket, without a task switch per update.

The hub calls :meth:`Pipe.offer` in line. What one turn of the event loop brings goes out in one piece per client,
at its end. Only when the socket is full does a task wait for it, while the hub's consumer keeps the latest of each
symbol.
"""

import asyncio
import contextlib
import math
import socket
from collections.abc import Callable

from aiohttp import web

from ftcli.server.protocol import when_lost
from ftcli.streaming.consumer import Consumer
from ftcli.streaming.update import Update

FULL = 64 * 1024
"""Bytes in a transport's buffer from which on a client is slow."""
_MOST_HELD, _MOST_PENDING = 512, 64
"""Updates kept back, and updates written in one piece."""
_STUCK = 60.0
"""Seconds after which a client that reads nothing is cut off."""


class Outbox:
    """The pipes that have something to write, until the end of this turn of the event loop."""

    def __init__(self) -> None:
        self._pipes: list[Pipe] = []

    def add(self, pipe: "Pipe") -> None:
        """A pipe has something to write."""
        if not self._pipes:
            asyncio.get_running_loop().call_soon(self._send)
        self._pipes.append(pipe)

    def _send(self) -> None:
        pipes, self._pipes = self._pipes, []
        for pipe in pipes:
            pipe.send()


class Pipe:
    """One client's socket. Updates are kept back until :meth:`release`, so that an answer can go first.

    Args:
        request: The request whose connection it is.
        outbox: Where it is noted when it has something to write.
        frame: Gives an update's bytes as the client's protocol wants them.
    """

    def __init__(self, request: web.Request, outbox: Outbox, frame: Callable[[Update], bytes]) -> None:
        transport = request.transport
        if transport is None:
            raise ConnectionResetError("the client has left")
        self._transport = transport
        self._buffered = transport.get_write_buffer_size
        self._writer = request.writer
        self._outbox = outbox
        self._frame = frame
        self._held = True
        self._pending: list[bytes] = []
        transport.set_write_buffer_limits(high=FULL)
        _keep_kernel_buffer_small(transport)

    @property
    def is_gone(self) -> bool:
        """Whether the client has left."""
        return self._transport.is_closing()

    def offer(self, update: Update) -> bool:
        """Takes an update, or says that now is no time for it (the hub's sink)."""
        pending = self._pending
        if self._held:
            if len(pending) >= _MOST_HELD:
                return False
        elif self._buffered() > FULL:
            return False
        elif not pending:
            self._outbox.add(self)
        elif len(pending) >= _MOST_PENDING:
            self.send()
            self._outbox.add(self)
        pending.append(self._frame(update))
        return True

    def send(self) -> None:
        """Writes what has been taken, in one piece."""
        pending = self._pending
        if pending and not self._held:
            if not self._transport.is_closing():
                self._transport.write(pending[0] if len(pending) == 1 else b"".join(pending))
            pending.clear()

    def hold(self) -> None:
        """Keeps updates back, so that an answer can go first."""
        self.send()
        self._held = True

    def release(self, consumer: Consumer) -> None:
        """Delivers what was kept back; from now on updates go straight through."""
        self._held = False
        self.send()
        consumer.flush()

    def write(self, data: bytes) -> None:
        """Writes bytes of the client's protocol: after what has been taken, before what is kept back."""
        self.send()
        if not self._transport.is_closing():
            self._transport.write(data)

    async def room(self) -> None:
        """Waits until the client has read what was written, where that is much."""
        if self._buffered() > FULL:
            await self._drained()

    async def pump(
        self, consumer: Consumer, *, pause: float = math.inf, beat: Callable[[], None] = lambda: None
    ) -> None:
        """Delivers what :meth:`offer` could not take, until the consumer is closed or the client has left.

        Args:
            consumer: Whose updates.
            pause: Seconds after which ``beat`` is called.
            beat: A heartbeat. A slow client does not keep it from being called; one that reads nothing does, until
                it is cut off.
        """
        now = asyncio.get_running_loop().time
        due = now() + pause
        while not consumer.closed and not self.is_gone:
            try:
                async with asyncio.timeout_at(due):
                    await consumer.congested()
            except TimeoutError:
                pass
            else:
                await self._drained()
                consumer.flush()
                self.send()
            if now() >= due:
                beat()
                due = now() + pause

    async def finish(self, consumer: Consumer) -> None:
        """Delivers what a closed consumer still holds."""
        self.send()
        while consumer.waiting and not self.is_gone:
            await self._drained()
            consumer.flush()
            self.send()

    async def _drained(self) -> None:
        try:
            async with asyncio.timeout(_STUCK):
                await self._writer.drain()
        except TimeoutError:
            self._transport.abort()
            raise ConnectionResetError("the client reads nothing") from None


def close_when_lost(request: web.Request, consumer: Consumer) -> None:
    """Closes a consumer as soon as its client's connection is lost."""
    when_lost(request, lambda: consumer.close("left"))


def _keep_kernel_buffer_small(transport: asyncio.Transport) -> None:
    """A slow client should be told the latest, not what the kernel has stored up for it for minutes."""
    raw: socket.socket | None = transport.get_extra_info("socket")
    option = getattr(socket, "TCP_NOTSENT_LOWAT", None)
    if raw is not None and option is not None:
        with contextlib.suppress(OSError):
            raw.setsockopt(socket.IPPROTO_TCP, option, FULL)
