"""The streams' client against the paper broker on a real socket, whose faults a test switches."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
from msgspec.structs import replace

from ftcli.client import Client
from ftcli.config import Settings
from ftcli.environment import paper_credentials
from ftcli.feeds import beps_options, mdds_options
from ftcli.paper.codes import Action, Effect, Family, Holding, PriceType, TimeInForce
from ftcli.paper.desk import Desk, open_desk
from ftcli.paper.door import PaperDoor
from ftcli.paper.server import running
from ftcli.paper.tickets import Ticket, TicketLeg
from ftcli.seen_events import SeenEvents
from ftcli.store import db_path
from ftcli.streaming.consumer import Consumer
from ftcli.streaming.hub import Hub
from ftcli.streaming.timing import SYSTEM, Timing
from ftcli.streaming.update import Update
from ftcli.transport.broker import Broker

MARGIN = "Z20000025"
PATIENCE = 30.0


async def soon(awaitable: Any) -> Any:
    """What is awaited, or a failure instead of a test that hangs."""
    return await asyncio.wait_for(awaitable, PATIENCE)


async def until(consumer: Consumer, wanted: Callable[[Update], bool]) -> Update:
    """The next update of a kind."""

    async def search() -> Update:
        async for update in consumer:
            if wanted(update):
                return update
        raise AssertionError("the stream has ended")

    found: Update = await soon(search())
    return found


class BadDay:
    """A paper broker that listens, and the client's hub on it."""

    def __init__(self, desk: Desk, client: Client, port: int, timing: Timing) -> None:
        self.desk = desk
        self.client = client
        self.port = port
        base = f"ws://127.0.0.1:{port}"
        settings, broker = client.settings, client.broker
        market = mdds_options(settings, broker, f"{base}/?productid=atn")
        self.memory = SeenEvents(db_path(settings), settings.environment)
        events = beps_options(settings, broker, client, f"{base}/graphql/realtime", self.memory)
        waits = (0.02,)
        self.hub = Hub(
            replace(market, waits=waits, market_open=None),
            replace(events, waits=waits),
            timing=timing,
            jitter=lambda: 0.5,
        )

    async def fault(self, **changes: Any) -> None:
        """Sets faults by the local control call."""
        async with httpx.AsyncClient(trust_env=False) as http:
            reply = await http.post(f"http://127.0.0.1:{self.port}/sim/faults", json=changes)
            assert reply.status_code == 200, reply.text

    async def push(self, event: dict[str, Any]) -> None:
        """Pushes an event of the test's own making by the local control call."""
        async with httpx.AsyncClient(trust_env=False) as http:
            reply = await http.post(f"http://127.0.0.1:{self.port}/sim/events", json=event)
            assert reply.json() == {"reached": 1}, reply.text

    def buy(self, symbol: str = "KO", quantity: int = 3, limit: str | None = None) -> str:
        """Enters an order; its number. Without a limit it is filled at once."""
        ticket = Ticket(
            account=MARGIN,
            family=Family.EQUITY,
            legs=(
                TicketLeg(symbol=symbol, action=Action.BUY, quantity=Decimal(quantity), effect=Effect.OPEN),
            ),
            holding=Holding.MARGIN,
            price_type=PriceType.LIMIT if limit else PriceType.MARKET,
            limit_price=Decimal(limit) if limit else None,
            time_in_force=TimeInForce.DAY,
        )
        preview = self.desk.engine.preview(ticket)
        assert not preview.refused, preview.messages
        placed = self.desk.engine.place(preview.number, ticket)
        assert not placed.refused, placed.messages
        return placed.number


async def _no_sleep(seconds: float) -> None:
    await asyncio.sleep(0)


@asynccontextmanager
async def bad_day(folder: Path, timing: Timing = SYSTEM, **settings: Any) -> AsyncIterator[BadDay]:
    """A paper broker and a hub inside this block."""
    found = Settings(environment="paper", data_dir=folder, **settings)
    desk = open_desk(found)
    broker = Broker(
        found,
        clock=desk.clock,
        door=PaperDoor(desk),
        credentials=paper_credentials(found),
        auto_login=True,
        sleep=_no_sleep,
    )
    client = Client(found, broker, desk.clock)
    async with running(desk) as base:
        await broker.ready("mdds")
        day = BadDay(desk, client, int(base.rpartition(":")[2]), timing)
        try:
            yield day
        finally:
            await day.hub.aclose()
            day.memory.close()
            await client.aclose()
