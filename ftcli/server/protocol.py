"""The HTTP protocol below the routes: limits, and our envelope for requests that never become one."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from aiohttp import web

from ftcli.errors import FtError, RateLimited, ValidationFailed
from ftcli.server.door import HEAD_SECONDS, IDLE_SECONDS, MAX_HEADERS, MAX_LINE
from ftcli.server.envelope import JSON, REQUEST_ID, failure, fault, from_http, refuse, request_id

log = logging.getLogger("ftcli.server")

_LIMITS: dict[str, Any] = {
    "access_log": None,
    "keepalive_timeout": IDLE_SECONDS,
    "lingering_time": 2,
    "max_line_size": MAX_LINE,
    "max_field_size": MAX_LINE,
    "max_headers": MAX_HEADERS,
    "auto_decompress": False,
}


def _last_words(status: str, problem: FtError, more: str = "") -> bytes:
    """An answer for a connection that never became a request."""
    body = failure(problem)
    head = f"HTTP/1.1 {status}\r\nContent-Type: {JSON}\r\nContent-Length: {len(body)}\r\nServer: ft\r\n"
    return f"{head}Cache-Control: no-store\r\nConnection: close\r\n{more}\r\n".encode() + body


_BUSY = _last_words(
    "429 Too Many Requests",
    RateLimited("Too many connections are open.", details={"reason": "connections"}),
    "Retry-After: 1\r\n",
)
_SLOW = _last_words(
    "408 Request Timeout",
    ValidationFailed(
        "The request did not arrive in time.",
        details={"field": "request", "value": None, "rule": f"arrive within {HEAD_SECONDS} seconds"},
    ),
)


class _Protocol(web.RequestHandler):
    __slots__ = ("lost", "most", "patience")

    lost: Callable[[], None] | None
    most: int
    patience: asyncio.TimerHandle | None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has come: it is turned away where there are too many, and must say something soon."""
        if self._manager is not None and len(self._manager._connections) >= self.most:
            self._force_close, self._manager = True, None
            if isinstance(transport, asyncio.WriteTransport):
                transport.write(_BUSY)
            transport.close()
            return
        super().connection_made(transport)
        self.patience = self._loop.call_later(HEAD_SECONDS, self._give_up)

    def _give_up(self) -> None:
        """Ends a connection whose first request has not come, or comes drop by drop."""
        if self._request_count == 0 and isinstance(self.transport, asyncio.WriteTransport):
            self.transport.write(_SLOW)
            self.force_close()

    def connection_lost(self, exc: BaseException | None) -> None:
        """The client has left."""
        if self.patience is not None:
            self.patience.cancel()
            self.patience = None
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
            reason = (message or "").partition("\n")[0].rstrip(":. ") or "malformed"
            problem = ValidationFailed(
                f"This is not an acceptable HTTP request ({reason}).",
                details={"field": "request", "value": None, "rule": "be HTTP/1.1 within the limits"},
            )
            response = refuse(request, problem, status=400)
        else:
            response = fault(request, exc or RuntimeError(message or "unknown"))
        response.force_close()
        return response


class _Server(web.Server):
    most = 1024

    def __call__(self) -> web.RequestHandler:
        protocol = _Protocol(self, loop=self._loop, **_LIMITS)
        protocol.lost = protocol.patience = None
        protocol.most = self.most
        return protocol


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
    """

    __slots__ = ("_most",)

    def __init__(self, app: web.Application, *, stop_within: float = 2.0, connections: int = 1024) -> None:
        super().__init__(app, shutdown_timeout=stop_within)
        self._most = connections

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        server = _Server(made.request_handler, request_factory=made.request_factory)
        server.most = self._most
        return server
