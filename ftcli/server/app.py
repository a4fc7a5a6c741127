"""The daemon as an aiohttp application: every operation, and the daemon's own routes, behind one front."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from aiohttp import web

from ftcli.client import Client
from ftcli.config import Settings
from ftcli.environment import open_client
from ftcli.models.session import SessionState
from ftcli.operations.registry import all_operations
from ftcli.server.about import ABOUT
from ftcli.server.docs import DOCS, page_handlers
from ftcli.server.door import MAX_BODY
from ftcli.server.front import front
from ftcli.server.key_watch import KEY_WATCH, KeyWatch
from ftcli.server.keys import KeyRing
from ftcli.server.openapi import document
from ftcli.server.own import OwnRoute
from ftcli.server.routes import PREFIX, Plan, operation_handler
from ftcli.server.service import SERVICE, Guard, Handler, Service
from ftcli.server.sse import sse_handler
from ftcli.server.streams import STREAM_ROUTES

Opener = Callable[[Settings], AbstractAsyncContextManager[Client]]

OWN: tuple[OwnRoute, ...] = (*ABOUT, *STREAM_ROUTES, *DOCS)
"""Every route that is no operation."""
_PAGES = Guard("service.docs", None)


def make_app(settings: Settings, keys: KeyRing | None, *, opener: Opener = open_client) -> web.Application:
    """Builds the application. The core opens when it starts and closes when it ends.

    Args:
        settings: The settings in force.
        keys: The API keys; ``None`` where none is required.
        opener: Opens the core.
    """
    service = Service(settings, keys)
    app = web.Application(middlewares=[front], client_max_size=MAX_BODY)
    app[SERVICE] = service
    watch = app[KEY_WATCH] = KeyWatch(service)
    operations = list(all_operations())
    plans = [Plan(operation) for operation in operations if not operation.streaming]
    for plan in plans:
        _add(app, plan.operation.method, PREFIX + plan.operation.path, operation_handler(service, plan))
    for operation in operations:
        if operation.streaming:
            _add(app, "GET", PREFIX + operation.path, sse_handler(service, operation))
    service.description = document(operations, OWN)
    for route in OWN:
        _mount(app, service, route)
    for path, handler in page_handlers().items():
        _add(app, "GET", path, service.guard(handler, _PAGES))
        _add(app, "GET", PREFIX + path, handler)

    async def core(app: web.Application) -> AsyncIterator[None]:
        async with opener(settings) as client:
            service.client = client
            client.broker.on_session_change(service.session_changed)
            for plan in plans:
                plan.bind(client)
            async with looking_for_lost(client), watch.looking():
                yield

    async def end(app: web.Application) -> None:
        service.end_streams()

    app.cleanup_ctx.append(core)
    if service.door.origins or settings.tls_cert:
        app.on_response_prepare.append(service.door.dress)
    app.on_shutdown.append(end)
    return app


@asynccontextmanager
async def looking_for_lost(client: Client) -> AsyncIterator[None]:
    """Looks for orders whose answer was lost: now, and whenever there is a new session with the broker, for a while.

    Raises:
        InternalError: The journal cannot be opened.
        ValidationFailed: The limits do not parse.
    """
    assert client.desk

    def changed(state: SessionState) -> None:
        if state == "authenticated":
            client.watch_lost(now=True)

    forget = client.broker.on_session_change(changed)
    client.watch_lost(now=True)
    try:
        yield
    finally:
        forget()


def _mount(app: web.Application, service: Service, route: OwnRoute) -> None:
    handler = service.guard(route.make(service), route.guard)
    for path in {PREFIX + route.path, route.path if route.root else PREFIX + route.path}:
        _add(app, route.method, path, handler, head=not route.socket)


def _add(app: web.Application, method: str, path: str, handler: Handler, *, head: bool = True) -> None:
    if method == "GET":
        app.router.add_get(path, handler, allow_head=head)
    else:
        app.router.add_route(method, path, handler)
