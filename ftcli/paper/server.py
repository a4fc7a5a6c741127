"""The paper broker's other door: an aiohttp server on this machine that speaks the broker's wire.

Every host of the broker is the same base here: ``FT_UPSTREAM=http://127.0.0.1:PORT`` points a client at it, streams
too. Clients that somebody else wrote for the real broker work against it as well.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web
from msgspec import DecodeError, structs

from ftcli.config import Settings
from ftcli.errors import ValidationFailed
from ftcli.models.json import dumps, loads
from ftcli.paper.beps import PATH
from ftcli.paper.desk import DEMO_PASSWORD, DEMO_USERNAME, Desk, open_desk
from ftcli.paper.sockets import Sockets
from ftcli.paper.wire.exchange import PaperRequest, respond

DESK = web.AppKey("desk", Desk)


SOCKETS = web.AppKey("sockets", Sockets)
LONGEST_BODY = 1 << 20


def make_app(desk: Desk) -> web.Application:
    """The paper broker as an aiohttp application.

    Args:
        desk: The paper broker.
    """
    app = web.Application(client_max_size=LONGEST_BODY)
    app[DESK] = desk
    app[SOCKETS] = Sockets(desk)
    app.router.add_route("*", "/sim/faults", _faults)
    app.router.add_post("/sim/events", _event)
    app.router.add_route("*", "/{path:.*}", _handle)
    app.on_shutdown.append(_close_sockets)
    return app


async def _close_sockets(app: web.Application) -> None:
    await app[SOCKETS].close()


async def _handle(request: web.Request) -> web.StreamResponse:
    if request.headers.get("Upgrade", "").lower() == "websocket":
        sockets = request.app[SOCKETS]
        return await (
            sockets.account_events(request) if request.path == PATH else sockets.market_data(request)
        )
    reply = respond(
        request.app[DESK],
        PaperRequest(
            method=request.method,
            path=request.path,
            query=dict(request.query),
            headers={name.lower(): value for name, value in request.headers.items()},
            cookies=dict(request.cookies),
            body=await request.read(),
        ),
    )
    if reply.delay:
        await asyncio.sleep(reply.delay)
    if reply.lost and request.transport is not None:
        request.transport.abort()
    response = web.Response(status=reply.status, body=reply.body)
    for name, value in reply.headers:
        response.headers.add(name, value)
    return response


def _local(request: web.Request) -> None:
    """Lets only this machine's programs through, and no page of a browser."""
    if request.remote not in ("127.0.0.1", "::1") or "Origin" in request.headers:
        raise web.HTTPForbidden(text="only programs on this machine may do this")


async def _faults(request: web.Request) -> web.StreamResponse:
    """``GET``, ``POST`` and ``DELETE /sim/faults``: shows, sets and clears the switches of a bad day."""
    _local(request)
    sockets, board = request.app[SOCKETS], request.app[DESK].faults
    try:
        if request.method == "POST":
            changes = loads(await request.read())
            if not isinstance(changes, dict):
                raise ValidationFailed("The body must be a JSON object of faults.")
            board.change(changes)
        elif request.method == "DELETE":
            board.clear()
    except (ValidationFailed, DecodeError) as problem:
        return web.json_response({"error": getattr(problem, "message", str(problem))}, status=422)
    sockets.trouble()
    return web.json_response(body=dumps(structs.asdict(board.current())))


async def _event(request: web.Request) -> web.StreamResponse:
    """``POST /sim/events``: pushes an account event as it is given, whatever code it has."""
    _local(request)
    try:
        document = loads(await request.read())
    except DecodeError as problem:
        return web.json_response({"error": str(problem)}, status=422)
    return web.json_response({"reached": request.app[SOCKETS].send_event(dict(document))})


@asynccontextmanager
async def running(desk: Desk, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
    """Serves a paper broker while the context lasts; gives its base URL.

    Args:
        desk: The paper broker.
        host, port: Where to listen; port 0 takes a free one.

    Raises:
        OSError: The port is taken.
    """
    runner = web.AppRunner(make_app(desk), access_log=None, shutdown_timeout=2)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        address = runner.addresses[0]
        yield f"http://{address[0]}:{address[1]}"
    finally:
        await runner.cleanup()


async def serve_paper(settings: Settings, host: str, port: int, announce: Callable[[str], None]) -> None:
    """Serves the paper broker until it is cancelled: ``ft paper serve``.

    Args:
        settings: Seed, state file, market hours, clock.
        host, port: Where to listen.
        announce: Told how to reach it.
    """
    async with running(open_desk(settings), host, port) as base:
        announce(f"The paper broker listens on {base} (user {DEMO_USERNAME}, password {DEMO_PASSWORD}).")
        announce(f"Point a client at it: export FT_UPSTREAM={base}")
        await asyncio.Event().wait()
