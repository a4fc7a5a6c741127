"""Server-sent events: ``GET /streaming/quotes`` and its sisters."""

from collections.abc import Callable, Iterable
from operator import attrgetter

from aiohttp import hdrs, web

from ftcli.errors import FtError, ValidationFailed
from ftcli.models.json import dumps
from ftcli.operations.operation import Operation
from ftcli.server.envelope import REQUEST_ID, error_document, headers
from ftcli.server.front import KEY
from ftcli.server.key_watch import KEY_WATCH
from ftcli.server.pipe import Pipe, close_when_lost
from ftcli.server.routes import Plan
from ftcli.server.service import Guard, Handler, Service
from ftcli.streaming.consumer import Consumer
from ftcli.streaming.update import Update

HEARTBEAT = 15.0
"""Seconds between comments that keep the connection open."""
_RETRY_MS = 3000
_LAST_ID = "last_event_id"
_TICKET = "ticket"

READERS = {
    "stream.quotes": "quotes",
    "stream.trades": "trades",
    "stream.book": "books",
    "stream.bars": "bars",
    "stream.events": "events",
}
"""The hub's reader for each streaming operation."""


def event(name: str, document: object) -> bytes:
    """One event of ours."""
    return b"event: %b\ndata: %b\n\n" % (name.encode(), dumps(document))


def chunk(data: bytes) -> bytes:
    """Bytes as one chunk of a chunked body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


_sse_chunk: Callable[[Update], bytes] = attrgetter("sse_chunk")


def sse_handler(service: Service, operation: Operation[..., object]) -> Handler:
    """The handler of an operation that streams."""
    plan = Plan(operation)
    reader = attrgetter(READERS[operation.name])
    by_symbol = any(param.name == "symbols" for param in operation.params)

    async def follow(request: web.Request) -> web.StreamResponse:
        arguments, _ = plan.url_arguments(request, extra=(_LAST_ID, _TICKET))
        if by_symbol:
            arguments["symbols"] = _named(arguments["symbols"])
        if request.method == hdrs.METH_HEAD:
            return web.Response(headers=headers(request[REQUEST_ID], "text/event-stream"))
        hub = await service.open_hub()
        pipe = Pipe(request, service.outbox, _sse_chunk)
        last_id = request.headers.get("Last-Event-ID") or request.query.get(_LAST_ID, "")
        # Opened before the answer begins, so that a refusal is still an ordinary error.
        consumer: Consumer = reader(hub)(**arguments, last_id=last_id, sink=pipe.offer)
        consumer.open()
        try:
            return await _run(service, request, pipe, consumer)
        finally:
            consumer.close("left")

    return service.guard(follow, Guard(operation.name, "stream", ticket=True, lasting=True))


def _named(symbols: Iterable[str]) -> list[str]:
    found = [symbol for symbol in symbols if symbol.strip()]
    if not found:
        raise ValidationFailed.of("symbols", None, "name at least one symbol")
    return found


async def _run(service: Service, request: web.Request, pipe: Pipe, consumer: Consumer) -> web.StreamResponse:
    response = _response(request)
    with service.stream(consumer.close), request.app[KEY_WATCH].over(request[KEY], consumer.close):
        close_when_lost(request, consumer)
        await response.prepare(request)
        hello = {
            "symbols": sorted(consumer.symbols),
            "heartbeat": HEARTBEAT,
            "request_id": request[REQUEST_ID],
        }
        await response.write(b"retry: %d\n" % _RETRY_MS + event("hello", hello))
        pipe.release(consumer)
        await pipe.pump(consumer, pause=HEARTBEAT, beat=lambda: pipe.write(_BEAT))
        if not pipe.is_gone:
            await pipe.finish(consumer)
            await response.write(event("bye", _farewell(consumer)))
            await response.write_eof()
    return response


_BEAT = chunk(b":\n\n")


def _response(request: web.Request) -> web.StreamResponse:
    found = headers(request[REQUEST_ID], "text/event-stream; charset=utf-8")
    found["X-Accel-Buffering"] = "no"  # proxies must pass each event on at once
    response = web.StreamResponse(headers=found)
    response.enable_chunked_encoding()
    response.force_close()
    return response


def _farewell(consumer: Consumer) -> dict[str, object]:
    problem: FtError | None = consumer.error
    return {"reason": consumer.close_reason, "error": error_document(problem) if problem else None}
