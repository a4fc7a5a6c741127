"""The paper broker behind a real socket, with the answers of single paths replaced and every request recorded."""

import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from ftcli.client import Client
from ftcli.config import Settings
from ftcli.environment import paper_credentials
from ftcli.models.json import dumps, loads
from ftcli.paper.desk import Desk, open_desk
from ftcli.paper.server import running
from ftcli.paper.wire.exchange import PaperRequest, respond
from ftcli.transport.broker import Broker

CLOCK = "2026-05-13T15:42:10-04:00"
"""The moment of the protocol's examples."""

DATA = Path(__file__).parent.parent / "data" / "accounts"


def example(name: str) -> Any:
    """One of the protocol's example documents, numbers exact."""
    return loads((DATA / f"{name}.json").read_bytes())


class Seen:
    """A request as it came in."""

    def __init__(self, request: PaperRequest) -> None:
        self.path = request.path
        self.headers = request.headers
        self.body = json.loads(request.body) if request.body else None


class Wire:
    """What the broker says instead of the paper broker's own answers."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.seen: list[Seen] = []
        self._said: dict[str, tuple[int, bytes]] = {}

    def say(self, path: str, document: Any, status: int = 200) -> None:
        """Replaces the answer of a path."""
        self._said[path] = (status, document if isinstance(document, bytes) else dumps(document))

    def of(self, path: str) -> list[Seen]:
        """The requests to a path, in order."""
        return [seen for seen in self.seen if seen.path == path]

    async def answer(self, request: web.Request) -> web.Response:
        """Answers one request."""
        asked = PaperRequest(
            method=request.method,
            path=request.path,
            query=dict(request.query),
            headers={name.lower(): value for name, value in request.headers.items()},
            cookies=dict(request.cookies),
            body=await request.read(),
        )
        self.seen.append(Seen(asked))
        if asked.path in self._said:
            status, body = self._said[asked.path]
            return web.Response(status=status, body=body, content_type="application/json")
        reply = respond(self.desk, asked)
        response = web.Response(status=reply.status, body=reply.body)
        for name, value in reply.headers:
            response.headers.add(name, value)
        return response


async def no_wait(seconds: float) -> None:
    """Retries need not be waited for."""


@asynccontextmanager
async def wired(folder: Path, clock: str = CLOCK, **settings: Any) -> AsyncIterator[tuple[Client, Wire]]:
    """A client and the broker it talks to, over loopback; streams come from the paper broker's own server."""
    paper = Settings(
        environment="paper", data_dir=folder, paper_db=folder / "paper.sqlite", paper_clock=clock
    )
    desk = open_desk(paper)
    wire = Wire(desk)
    async with _serving(wire) as base, running(desk) as streams:
        hosts = {"mdds": streams, **settings.pop("hosts", {})}
        asked = Settings(
            environment="paper", data_dir=folder, paper_clock=clock, upstream=base, hosts=hosts, **settings
        )
        broker = Broker(
            asked, clock=desk.clock, credentials=paper_credentials(asked), auto_login=True, sleep=no_wait
        )
        client = Client(asked, broker, desk.clock)
        try:
            yield client, wire
        finally:
            await client.aclose()
    desk.state.close()


@asynccontextmanager
async def _serving(wire: Wire) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", wire.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    try:
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


# -- documents changed as a broker may change them ---------------------------------------------------------


def changed(document: Any, change: Callable[[str, Any], Any], key: str = "") -> Any:
    """A document with every value passed through ``change(key, value)``, the innermost first."""
    if isinstance(document, dict):
        document = {name: changed(value, change, name) for name, value in document.items()}
    elif isinstance(document, list):
        document = [changed(value, change, key) for value in document]
    return change(key, document)


def places(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of all groups: objects and lists that are members of an object."""
    if isinstance(document, dict):
        for name, value in document.items():
            if isinstance(value, dict | list):
                yield (*path, name)
            yield from places(value, (*path, name))
    elif isinstance(document, list):
        for number, value in enumerate(document):
            yield from places(value, (*path, number))


def without(document: Any, path: tuple[Any, ...], instead: Any = ...) -> Any:
    """A document with one group taken out, or replaced."""
    document = loads(dumps(document))
    holder = document
    for step in path[:-1]:
        holder = holder[step]
    if instead is ...:
        del holder[path[-1]]
    else:
        holder[path[-1]] = instead
    return document


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every single value of a document of ours, with its path."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield from leaves(part, f"{path}.{name}".lstrip("."))
    elif isinstance(value, list):
        for part in value:
            yield from leaves(part, f"{path}[]")
    else:
        yield path, value
