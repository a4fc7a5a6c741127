"""The paper broker behind a real socket, with single answers replaced and every request recorded as it came."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from ftcli.client import Client
from ftcli.config import Settings
from ftcli.environment import paper_credentials
from ftcli.models.json import dumps, loads
from ftcli.paper.desk import Desk, open_desk
from ftcli.paper.wire.exchange import PaperRequest, respond
from ftcli.transport.broker import Broker

CLOCK = "2026-07-08T14:42:10-04:00"
"""The day of the protocol's examples."""

DATA = Path(__file__).parent.parent / "data" / "market"
Said = tuple[int, bytes]


def example(name: str) -> bytes:
    """One of the protocol's example payloads, as it would come."""
    return (DATA / name).read_bytes()


class Seen:
    """A request as it came in."""

    def __init__(self, request: PaperRequest) -> None:
        self.method = request.method
        self.path = request.path
        self.query = request.query
        self.headers = request.headers
        self.cookies = request.cookies
        self.body = request.body

    @property
    def document(self) -> Any:
        """The body, from JSON."""
        return loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        """The body, from a form."""
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True, strict_parsing=True))


class Wire:
    """What the broker says instead of the paper broker's own answers."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.seen: list[Seen] = []
        self._said: dict[str, Callable[[Seen], Said | None]] = {}

    def say(self, path: str, document: Any, status: int = 200) -> None:
        """Replaces the answer of a path; anything but bytes is sent as JSON."""
        body = document if isinstance(document, bytes) else dumps(document)
        self._said[path] = lambda _: (status, body)

    def answer_by(self, path: str, answer: Callable[[Seen], Said | None]) -> None:
        """Replaces the answers of a path; ``None`` leaves it to the paper broker."""
        self._said[path] = answer

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
        seen = Seen(asked)
        self.seen.append(seen)
        said = self._said[asked.path](seen) if asked.path in self._said else None
        if said is not None:
            return web.Response(status=said[0], body=said[1])
        reply = respond(self.desk, asked)
        response = web.Response(status=reply.status, body=reply.body)
        for name, value in reply.headers:
            response.headers.add(name, value)
        return response


class TestClock:
    """A clock that the test turns."""

    __test__ = False

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.now = desk.now()

    def __call__(self) -> Any:
        return self.now


async def no_wait(seconds: float) -> None:
    """Retries need not be waited for."""


@asynccontextmanager
async def wired(folder: Path, clock: str = CLOCK) -> AsyncIterator[tuple[Client, Wire, TestClock]]:
    """A client, the broker it talks to over loopback, and the clock of both."""
    paper = Settings(
        environment="paper", data_dir=folder, paper_db=folder / "paper.sqlite", paper_clock=clock
    )
    desk = open_desk(paper)
    hands = TestClock(desk)
    desk.clock = hands
    wire = Wire(desk)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", wire.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    asked = Settings(
        environment="paper", data_dir=folder, paper_db=paper.paper_db, upstream=f"http://{host}:{port}"
    )
    broker = Broker(asked, clock=hands, credentials=paper_credentials(asked), auto_login=True, sleep=no_wait)
    client = Client(asked, broker, hands)
    try:
        yield client, wire, hands
    finally:
        await client.aclose()
        await runner.cleanup()
        desk.state.close()
