"""One reader of the hub: an async iterator, or a sink that is called in line.

Both see every update while they keep up. When a reader is slow, quotes, books and running bars are conflated
to the latest of each symbol; trades, final bars and account events are not: if they pile up beyond the limit
the consumer is closed and told the last id it has seen.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self

from ftcli.errors import FtError, RateLimited
from ftcli.models.streaming import Kind
from ftcli.streaming.update import Update

if TYPE_CHECKING:
    from ftcli.streaming.hub import Hub

log = logging.getLogger("ftcli.streaming")

Sink = Callable[[Update], bool | None]
"""Takes an update at once; ``False`` says "not now": the update is kept until :meth:`Consumer.flush`."""

_RETRY = 0.05
"""Seconds until a sink that refused right after draining is asked again."""

Subject = Kind | Literal["event"]


class Consumer:
    """A reader of one kind of stream. Made by :meth:`~ftcli.streaming.hub.Hub.quotes` and its sisters.

        async with hub.quotes(["KO", "PEP"]) as consumer:
            async for update in consumer:
                print(update.quote.last)

    Args:
        hub: Whose updates it reads.
        kind: What it reads.
        symbols: The symbols to start with; more can be added at any time.
        last_id: Id of the last update it has seen in an earlier life, to be told what it missed.
        sink: Called with each update in line, instead of iteration.
        raw: Whether quotes carry the broker's own values too.
        limit: Updates kept while it is busy.
    """

    def __init__(
        self,
        hub: "Hub",
        kind: Subject,
        symbols: Iterable[str] = (),
        *,
        last_id: str = "",
        sink: Sink | None = None,
        raw: bool = False,
        limit: int = 1000,
    ) -> None:
        self.kind = kind
        self.raw = raw
        self.symbols: set[str] = set()
        self.last_id = 0
        """Id of the last update handed over."""
        self.conflated = 0
        """Updates replaced by a newer one before they were read."""
        self.closed = False
        self.close_reason = ""
        self.error: FtError | None = None
        self._hub = hub
        self._initial = list(symbols)
        self._resume_after = last_id
        self._sink = sink
        self._limit = limit
        self._queue: deque[Update] = deque()
        self._late: dict[str, Update] = {}
        self._waiter: asyncio.Future[None] | None = None
        self._congested: asyncio.Event | None = None

    # -- life ------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close("left")

    def open(self) -> None:
        """Join the hub and subscribe the first symbols.

        Raises:
            RateLimited: There are too many consumers, or no socket is left for the symbols.
            ValidationFailed: A symbol is none, or there are too many of them.
        """
        self._hub.admit(self)
        try:
            self._hub.join(self, self._initial, last_id=self._resume_after)
        except BaseException:
            self.close("refused")
            raise

    def close(self, reason: str, error: FtError | None = None) -> None:
        """Leave the hub. What is queued can still be read; then iteration ends, with ``error`` if given."""
        if self.closed:
            return
        self.closed, self.close_reason, self.error = True, reason, error
        self._hub.leave(self)
        self._release()
        if self._congested is not None:
            self._congested.set()

    # -- symbols ---------------------------------------------------------------------------------------

    def add(self, symbols: Iterable[str], *, last_id: str = "") -> list[str]:
        """Read these symbols too; their present state comes at once where it is known.

        Args:
            symbols: Symbols as users spell them.
            last_id: Id of the last update of them that was seen in an earlier life, to be told what was missed.

        Returns:
            The symbols in the stream's spelling, those that were read already included.

        Raises:
            RateLimited: No socket is left for them.
            ValidationFailed: One is no symbol, or there are too many of them. None is added then.
        """
        return self._hub.join(self, symbols, last_id=last_id)

    def remove(self, symbols: Iterable[str]) -> list[str]:
        """Read these symbols no longer; the ones that were read."""
        return self._hub.part(self, symbols)

    # -- taking in (called by the hub) -----------------------------------------------------------------

    def push(self, update: Update) -> None:
        """Hand over an update, or keep it while the reader is busy. Never raises, never waits."""
        if self.closed:
            return
        sink = self._sink
        if sink is not None and not self._queue and not self._late:
            try:
                taken = sink(update)
            except Exception:
                self._broken()
                return
            if taken is not False:
                self.last_id = update.id
                return
        self._keep(update)

    def _keep(self, update: Update) -> None:
        key = update.key
        if key is not None and (self._sink is not None or self._late or len(self._queue) >= self._limit):
            # A sink refuses only when it is slow, so conflation starts at once. A newer update takes the
            # place of the older one in the line: a busy symbol gets its turn like any other.
            if key in self._late:
                self.conflated += 1
                if self.kind == "bar":
                    # Ids must leave in order here: a reader that comes back must not have skipped a final bar.
                    del self._late[key]
            elif len(self._late) >= self._limit + len(self.symbols):
                self._overflow()
                return
            self._late[key] = update
        elif len(self._queue) + len(self._late) < self._limit:
            self._queue.append(update)
        else:
            self._overflow()
            return
        self._release()
        if self._congested is not None:
            self._congested.set()

    def _broken(self) -> None:
        log.exception("a consumer failed and was closed")
        self.close("consumer failed")

    def _overflow(self) -> None:
        # What waits can still be read.
        last = self._hub.event_id(max([self.last_id, *(update.id for update in self._queue)]))
        self.close(
            "overflow",
            RateLimited(
                f"Too slow: {self._limit} updates that must not be dropped are waiting. "
                f"Reconnect with Last-Event-ID {last} to get them.",
                details={"last_id": last, "waiting": self.waiting},
            ),
        )

    # -- reading ---------------------------------------------------------------------------------------

    @property
    def waiting(self) -> int:
        """Updates that wait to be read."""
        return len(self._queue) + len(self._late)

    def take(self) -> Update | None:
        """The next update without waiting, or ``None``."""
        if self._queue:
            update = self._queue.popleft()
        elif self._late:
            update = self._late.pop(next(iter(self._late)))
        else:
            return None
        self.last_id = max(self.last_id, update.id)
        return update

    def __aiter__(self) -> AsyncIterator[Update]:
        return self

    async def __anext__(self) -> Update:
        while True:
            update = self.take()
            if update is not None:
                return update
            if self.closed:
                if self.error is not None:
                    raise self.error
                raise StopAsyncIteration
            if self._waiter is not None:
                raise RuntimeError("a consumer has one reader only")
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None

    def _release(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # -- sinks -----------------------------------------------------------------------------------------

    async def congested(self) -> None:
        """Wait until the sink has refused an update, or the consumer is closed."""
        if self._congested is None:
            self._congested = asyncio.Event()
        if self.closed or self.waiting:
            return
        self._congested.clear()
        await self._congested.wait()

    def flush(self) -> bool:
        """Offer the kept updates to the sink again; whether it has taken them all."""
        sink = self._sink
        while sink is not None and (self._queue or self._late):
            if self._queue:
                update = self._queue[0]
            else:
                update = next(iter(self._late.values()))
            try:
                taken = sink(update)
            except Exception:
                self._broken()
                return False
            if taken is False:
                return False
            self.take()
        return True

    async def pump(self, drain: Callable[[], Awaitable[object]]) -> None:
        """Keep a sink supplied until the consumer is closed: the body of a server's connection handler.

        Whenever the sink has refused an update, wait for room and offer what was kept.

        Args:
            drain: Waits until the connection can take more.
        """
        while True:
            await self.congested()
            if self.closed:
                return
            await drain()
            if not self.flush():
                # The way looked free and was not: do not ask again at once.
                await asyncio.sleep(_RETRY)


def transport_sink(
    transport: asyncio.WriteTransport, frame: Callable[[Update], bytes], high_water: int = 65536
) -> Sink:
    """A sink that writes straight to a transport, and refuses while too much waits to leave.

        consumer = hub.quotes(symbols, sink=transport_sink(transport, lambda update: update.sse_chunk))

    Args:
        transport: Where to write.
        frame: Which form of an update to write; forms are made once and shared by all connections.
        high_water: Bytes in the transport's buffer above which updates are refused.
    """
    write, waiting = transport.write, transport.get_write_buffer_size

    def sink(update: Update) -> bool:
        if waiting() > high_water:
            return False
        write(frame(update))
        return True

    return sink
