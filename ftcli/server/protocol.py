"""The HTTP protocol below the routes: limits, and our envelope for requests that never become one."""

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from aiohttp import EMPTY_PAYLOAD, StreamReader, web, web_protocol

from ftcli.errors import ValidationFailed
from ftcli.server.door import (
    HEAD_SECONDS,
    IDLE_SECONDS,
    MAX_HEAD,
    MAX_HEADERS,
    MAX_LINE,
    STRANGER_SECONDS,
    STUCK_SECONDS,
)
from ftcli.server.envelope import REQUEST_ID, fault, from_http, refuse, request_id
from ftcli.server.expect import WAITS, expecting
from ftcli.server.keys import ApiKey
from ftcli.server.last_words import BUSY, ENDLESS, SLOW, reason_of
from ftcli.server.places import Places

if TYPE_CHECKING:
    import ssl

log = logging.getLogger("ftcli.server")

_FAREWELL = 2.0
"""Seconds a client has to end TLS in form."""

_LIMITS: dict[str, Any] = {
    "access_log": None,
    "keepalive_timeout": STRANGER_SECONDS,
    "lingering_time": 2,
    "max_line_size": MAX_LINE,
    "max_field_size": MAX_LINE,
    "max_headers": MAX_HEADERS,
    "auto_decompress": False,
}


def _address(transport: asyncio.BaseTransport) -> str:
    """Where a client comes from; empty for the unix socket."""
    peer = transport.get_extra_info("peername")
    return peer[0] if isinstance(peer, tuple) else ""


class _Protocol(web.RequestHandler):
    """One connection, with the patience of the door.

    Attributes:
        lost: Called when the client has left.
        patience: Runs while the head of a request is awaited.
        stuck: Runs while the client does not read.
        body: Body of the latest request.
        barren: Bytes that have come since and brought neither a byte of it nor another request.
    """

    __slots__ = ("barren", "body", "lost", "patience", "server", "stuck")

    def __init__(self, server: "_Server") -> None:
        super().__init__(server, loop=server._loop, **_LIMITS)
        self.server = server
        self.lost: Callable[[], None] | None = None
        self.patience: asyncio.TimerHandle | None = None
        self.stuck: asyncio.TimerHandle | None = None
        self.body: StreamReader = EMPTY_PAYLOAD
        self.barren = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has come, and must say something soon."""
        self.server.places.take(self, _address(transport))
        super().connection_made(transport)
        assert self.transport is not None
        self.transport.set_write_buffer_limits(high=0)  # so that we hear of every byte that is not taken
        self._await_head()

    @property
    def tie(self) -> int:
        """What its end would break off: 0 nothing, 1 a stream or what is not read anyway, 2 an answer."""
        if self._is_idle:
            return 0
        return 1 if self.lost is not None or self.stuck is not None else 2

    def make_room(self) -> None:
        """Ends the connection at once, with a word where no answer is under way."""
        if self.transport is not None:
            transport = self.transport
            if self._is_idle:
                BUSY.say(transport)
            self.force_close()
            transport.abort()

    def _process_keepalive(self) -> None:
        """Ends a connection that rests between two requests: one that is known may rest for longer."""
        end = self._next_keepalive_close_time + IDLE_SECONDS - STRANGER_SECONDS
        if self.server.places.knows(self) and self._keepalive and self._loop.time() < end:
            self._keepalive_handle = self._loop.call_at(end, self._process_keepalive)
        else:
            super()._process_keepalive()

    def _await_head(self) -> None:
        if self.patience is None:
            self.patience = self._loop.call_later(HEAD_SECONDS, self._give_up)

    @property
    def _is_idle(self) -> bool:
        """Whether no request is in hand: what comes now is the head of one."""
        return self._waiter is not None and not self._waiter.done()

    def _give_up(self) -> None:
        """Ends a connection whose request does not come, or comes drop by drop."""
        self.patience = None
        if self._is_idle:
            SLOW.say(self.transport)
            self.force_close()

    def data_received(self, data: bytes) -> None:
        """Something has come: it goes to the parser in pieces, so that each can be seen to bring something."""
        if len(data) <= MAX_LINE:
            self._parse(data)
            return
        for start in range(0, len(data), MAX_LINE):
            self._parse(data[start : start + MAX_LINE])

    def _parse(self, data: bytes) -> None:
        requests, size = self._request_count, self.body.total_bytes
        super().data_received(data)
        if self._request_count != requests:
            message, body = self._messages[-1]
            if isinstance(message, web_protocol._ErrInfo):
                self._fail_body(message.message)
            self.body, self.barren = body, 0
            self._cancel("patience")
        elif self.body.total_bytes != size or self._upgraded or self._buffer_paused or self._reading_paused:
            self.barren = 0
        elif data and self.transport is not None:
            self._endure(len(data))

    def _endure(self, size: int) -> None:
        """Bears with bytes that bring nothing: part of a head, or the frame of a body's chunks."""
        self.barren += size
        if self.barren > MAX_HEAD:
            if self._is_idle:
                ENDLESS.say(self.transport)
                self.force_close()
            else:
                self._fail_body(f"more than {MAX_HEAD} bytes of chunk lines")
        elif self._is_idle:
            self._await_head()

    def _fail_body(self, reason: str) -> None:
        """Tells whoever waits for the body that it will never be whole; nothing after it is looked at."""
        if not self.body.is_eof():
            self.body.set_exception(web.RequestPayloadError(reason))
            self._lingering_time = 0.0
            self.close()

    def pause_writing(self) -> None:
        """The client does not take all that was written: it has a while to do so."""
        super().pause_writing()
        if self.transport is not None:
            self.stuck = self._loop.call_later(STUCK_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """The client has read on."""
        self._cancel("stuck")
        super().resume_writing()

    def _cancel(self, timer: Literal["patience", "stuck"]) -> None:
        handle: asyncio.TimerHandle | None = getattr(self, timer)
        if handle is not None:
            handle.cancel()
            setattr(self, timer, None)

    def connection_lost(self, exc: BaseException | None) -> None:
        """The client has left."""
        self.server.places.leave(self)
        self._cancel("patience")
        self._cancel("stuck")
        if self.lost is not None:
            self.lost()
            self.lost = None
        super().connection_lost(exc)

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Sends an answer; what aiohttp refuses before the front sees it gets our envelope too."""
        if isinstance(resp, web.HTTPException):
            if REQUEST_ID not in request:
                request[REQUEST_ID] = request_id(None)
            resp = from_http(request, resp)
        # A body that was not asked for may come all the same, or a request in its place: nobody can tell.
        if (self._close or request.get(WAITS)) and resp is not None:
            resp.force_close()
        return await super().finish_response(request, resp, start_time)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The answer to bytes that are no acceptable HTTP, and to faults beyond the front."""
        if request.writer.output_size > 0:
            raise ConnectionError("the answer has begun, so it can only break off")
        request[REQUEST_ID] = request_id(None)
        if status < 500:
            log.debug("not HTTP from %s: %s", request.remote, type(exc).__name__)
            problem = ValidationFailed(
                f"This is not an acceptable HTTP request ({reason_of(exc, message)}).",
                details={"field": "request", "value": None, "rule": "be HTTP/1.1 within the limits"},
            )
            response = refuse(request, problem, status=400)
        else:
            response = fault(request, exc or RuntimeError(message or "unknown"))
        response.force_close()
        return response


class _Handshake(asyncio.Protocol):
    """A TLS client on its way in. It counts as a connection, and has as long for its handshake as for a head."""

    def __init__(self, server: "_Server", context: "ssl.SSLContext") -> None:
        self._server = server
        self._context = context
        self._early = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begins the handshake, where there is room."""
        assert isinstance(transport, asyncio.Transport)
        self._server.places.take(self, _address(transport))
        transport.pause_reading()
        self._transport = transport
        self._task = asyncio.create_task(self._shake_hands(transport))
        self._server.shaking.add(self)
        self._task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._server.shaking.discard(self)
        self._server.places.leave(self)

    @property
    def tie(self) -> int:
        """Nothing has begun."""
        return 0

    def make_room(self) -> None:
        """Ends the handshake, be it that it has not begun: a task cancelled so early never runs."""
        self._task.cancel()
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """What a client says in one breath with the end of its handshake."""
        self._early += data

    async def _shake_hands(self, transport: asyncio.Transport) -> None:
        try:
            secured = await asyncio.get_running_loop().start_tls(
                transport,
                self,
                self._context,
                server_side=True,
                ssl_handshake_timeout=HEAD_SECONDS,
                ssl_shutdown_timeout=_FAREWELL,
            )
        except OSError as problem:  # a bad handshake, a client that has left, or none within the time
            log.debug("no TLS handshake with a client: %s", type(problem).__name__)
            return
        if secured is None or secured.is_closing():
            return
        self._server.places.leave(self)  # the connection takes its own
        protocol = _Protocol(self._server)
        secured.set_protocol(protocol)
        protocol.connection_made(secured)
        if self._early:
            protocol.data_received(self._early)


class _Server(web.Server):
    """Makes the protocol of each connection.

    Args:
        made: The server of the app.
        places: Who holds a connection.
        context: TLS, where it is spoken.

    Attributes:
        shaking: Handshakes under way.
    """

    def __init__(self, made: web.Server, places: Places, context: "ssl.SSLContext | None") -> None:
        super().__init__(made.request_handler, request_factory=expecting(made.request_factory))
        self._context = context
        self.places = places
        self.shaking: set[_Handshake] = set()

    def __call__(self) -> asyncio.Protocol:  # type: ignore[override]
        return _Handshake(self, self._context) if self._context else _Protocol(self)

    def pre_shutdown(self) -> None:
        """Ends what is not yet, or between, requests."""
        for handshake in list(self.shaking):
            handshake.make_room()
        super().pre_shutdown()


def vouch(request: web.Request, key: ApiKey | None) -> None:
    """Says whose the connection of a request is now.

    Args:
        request: The request.
        key: The key it has been let in with; ``None`` as long as it has not.
    """
    if isinstance(request.protocol, _Protocol):
        request.protocol.server.places.know(request.protocol, key)


def when_lost(request: web.Request, call: Callable[[], None]) -> None:
    """Calls back as soon as the client of a request has left: a stream must not wait for its next write."""
    if isinstance(request.protocol, _Protocol):
        request.protocol.lost = call


class Runner(web.AppRunner):
    """Runs the app on sockets of its own, with the limits of the door.

    Args:
        app: The app.
        stop_within: Seconds that open requests get to end before they are cut off.
        connections: How many connections are held at once.
        context: TLS, where it is to be spoken.

    Attributes:
        places: Who holds a connection.
    """

    __slots__ = ("_context", "places")

    def __init__(
        self,
        app: web.Application,
        *,
        stop_within: float = 2.0,
        connections: int = 1024,
        context: "ssl.SSLContext | None" = None,
    ) -> None:
        super().__init__(app, shutdown_timeout=stop_within)
        self.places = Places(connections)
        self._context = context

    @property
    def speaks_tls(self) -> bool:
        """Whether its clients must."""
        return self._context is not None

    async def _make_server(self) -> web.Server:
        return _Server(await super()._make_server(), self.places, self._context)
