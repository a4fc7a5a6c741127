"""The front every request passes: who is it, may it come in, and what it is told when something is wrong."""

import logging
import time

from aiohttp import hdrs, web

from ftcli.errors import ApiKeyInvalid, FtError, ValidationFailed
from ftcli.operations.binding import unknown
from ftcli.server import fence
from ftcli.server.envelope import KEY as KEY
from ftcli.server.envelope import REQUEST_ID, fault, for_stranger, from_http, refuse, request_id
from ftcli.server.keys import bearer, check_scope
from ftcli.server.protocol import vouch
from ftcli.server.service import SERVICE, Guard, Handler, Service

log = logging.getLogger("ftcli.server")
audit = logging.getLogger("ftcli.audit")

_NOWHERE = Guard("unknown", None)


@web.middleware
async def front(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Checks a request, has it answered, and turns every error into its envelope."""
    service = request.app[SERVICE]
    started = time.perf_counter()
    service.metrics.open += 1
    number = request[REQUEST_ID] = request_id(request.headers.get("X-Request-Id"))
    guard = service.guards.get(request.match_info.handler, _NOWHERE)
    status = 0
    try:
        try:
            _admit(service, request, guard)
            if KEY in request and (key := request[KEY]).accounts:
                await fence.check(request, guard.name, key)
                handler = fence.substitute(service, guard.name, key, handler)
            response = await handler(request)
        except FtError as problem:
            if request.writer.output_size:
                raise  # the answer has begun: it can only break off
            response = _told(service, request, problem)
            if KEY not in request and isinstance(problem, ValidationFailed):
                response.force_close()  # what follows a request of a form that was not let in is not looked at
        except web.HTTPException as problem:
            response = from_http(request, problem)
        except ConnectionError:
            raise  # the client is gone, nobody is left to tell
        except Exception as problem:
            if request.writer.output_size:
                raise
            response = fault(request, problem)
        status = response.status
        return response
    finally:
        service.metrics.open -= 1
        seconds = time.perf_counter() - started
        service.metrics.seen(guard.name, status, None if guard.lasting else seconds)
        if guard.audit or status >= 500 or log.isEnabledFor(logging.DEBUG):
            _note(request, guard, number, status, seconds)


def _admit(service: Service, request: web.Request, guard: Guard) -> None:
    """Lets a request in.

    Raises:
        ValidationFailed: Its ``Host``, ``Origin`` or site is foreign, or its query has a parameter that does not exist.
        ApiKeyInvalid: Its key is missing or wrong, or may not do this.
        RateLimited: Its key has been used too often, or too many wrong ones have come from there.
    """
    service.door.check_form(request)
    service.door.check_host(request.headers.getall(hdrs.HOST, []))
    if service.keys is None:
        # Nothing but the browser stands between a foreign page and a service without keys.
        service.door.check_site(request, page=guard.name == "service.docs")
    elif guard.changes or guard.socket:
        service.door.check_origin(request.headers.get(hdrs.ORIGIN), request.headers[hdrs.HOST])
    if guard.scope is None:
        return
    header = request.headers.get(hdrs.AUTHORIZATION)
    ticket = request.query.get("ticket") if guard.ticket and header is None else None
    if guard.socket and service.keys and header is None and ticket is None:
        return  # a browser's page, for one, cannot send the header: the first message must bring the key
    admit(service, request, bearer(header), ticket, counted=ticket is None and not guard.always)
    if guard.query is not None:
        for name in request.query:
            if name not in guard.query:
                raise unknown(name, sorted(guard.query))


def admit(
    service: Service, request: web.Request, key: str | None, ticket: str | None, *, counted: bool
) -> None:
    """Finds out whose key or ticket a request brings, in a header, its URL or its first message: the only way in.

    Args:
        service: The daemon.
        request: The request; from now on it knows its key.
        key: The key as presented.
        ticket: The ticket that stands for one.
        counted: Whether this is a use that counts against the key's rate.

    Raises:
        ApiKeyInvalid: It is missing or wrong, or may not do this.
        RateLimited: It has been used too often, or too many wrong ones have come from there.
    """
    guard = service.guards[request.match_info.handler]
    assert guard.scope is not None
    vouch(request, None)
    found = request[KEY] = service.admit(key, ticket, request.remote)
    check_scope(found, guard.scope)
    if counted:
        service.count(found)
    fence.check_route(guard.name, found)
    vouch(request, found)


def _told(service: Service, request: web.Request, problem: FtError) -> web.Response:
    if isinstance(problem, ApiKeyInvalid):
        service.metrics.refused += 1
    if KEY in request:
        fence.conceal(problem, request[KEY])
    if problem.status >= 500 and problem.code == "INTERNAL":
        log.error("fault in request %s: %s", request[REQUEST_ID], problem.message, exc_info=problem)
        problem.details = {**(problem.details or {}), "request_id": request[REQUEST_ID]}
    return refuse(request, problem if KEY in request else for_stranger(problem, request.query))


def _note(request: web.Request, guard: Guard, number: str, status: int, seconds: float) -> None:
    key = request.get(KEY)
    level = logging.INFO if guard.audit else logging.WARNING if status >= 500 else logging.DEBUG
    (audit if guard.audit else log).log(
        level,
        "%s %s -> %s in %.1f ms",
        request.method,
        guard.name,
        status or "aborted",
        seconds * 1000,
        extra={
            "request_id": number,
            "key": key.id if key else None,
            "path": request.path,
            "remote": request.remote or "socket",
        },
    )
