"""The paper broker behind a socket that misbehaves on place calls."""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import Any

from aiohttp import web
from campaign_intents import CASH, MARGIN, Deck, Mark

from ftcli.clock import system_clock
from ftcli.paper.desk import DEMO_PASSWORD, DEMO_USERNAME, Desk
from ftcli.paper.logins import User
from ftcli.paper.market import Market
from ftcli.paper.server import make_app
from ftcli.paper.state import State

BEFORE = ("reset_before", "reset_during", "500", "401", "429")
"""What happens to a place call that the broker never sees."""
AFTER = ("lost", "502_after", "html_after", "slow", "garbled")
"""What happens to the answer once the broker has acted: the dangerous ones."""
FAULTS = (*BEFORE, *AFTER, "lost", *["none"] * 6)
SLOW = 3.0
Kill = tuple[str, Callable[[], None]]


class Upstream:
    """The paper broker behind a socket that misbehaves.

    Attributes:
        seen: How often each fault happened.
        calm: True while nothing goes wrong.
        victims: Confirmation numbers of orders whose sender is killed when the broker gets them (``before`` it
            acts or ``after``), and how to kill it.
    """

    def __init__(self, chance: random.Random) -> None:
        user = User(username=DEMO_USERNAME, password=DEMO_PASSWORD)
        self.desk = Desk(State(":memory:"), Market(), system_clock, user, seed=1)
        self.seen: Counter[str] = Counter()
        self.calm = True
        self.victims: dict[str, Kill] = {}
        self._faults = Deck(FAULTS, chance)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        """The broker on a port of its own; gives its URL."""
        app = make_app(self.desk)
        app.middlewares.append(self._misbehave())
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()

    def ledger(self) -> dict[str, Mark]:
        """Every order of the broker by its number."""
        return {
            entry.order.number: (
                entry.order.leg.symbol,
                len(entry.order.legs),
                entry.order.limit_price,
            )
            for account in (CASH, MARGIN)
            for entry in self.desk.engine.orders(account)
        }

    def _misbehave(self) -> Any:
        @web.middleware
        async def middleware(request: web.Request, handler: Any) -> web.StreamResponse:
            words = request.path.split("/")
            if self.calm or "place" not in words or "cancel" in words:
                answer: web.StreamResponse = await handler(request)
                return answer
            victim = await self._victim(request)
            if victim is not None:
                return await self._killed(*victim, request, handler)
            fault = self._faults.deal()
            self.seen[fault] += 1
            return await self._fault(fault, request, handler)

        return middleware

    async def _victim(self, request: web.Request) -> Kill | None:
        if not self.victims:
            return None
        text = await request.text()
        number = next((number for number in self.victims if number in text), None)
        return self.victims.pop(number) if number else None

    async def _killed(
        self, when: str, kill: Callable[[], None], request: web.Request, handler: Any
    ) -> web.StreamResponse:
        """The sender dies: its order has gone out, and has or has not gone in."""
        self.seen[f"sender killed {when}"] += 1
        if when == "before":
            kill()
            return web.Response(status=503)
        answer: web.StreamResponse = await handler(request)
        kill()
        return answer

    async def _fault(self, fault: str, request: web.Request, handler: Any) -> web.StreamResponse:
        assert request.transport is not None
        if fault == "reset_before":
            request.transport.abort()
            return web.Response()
        if fault == "reset_during":
            await request.content.readany()
            request.transport.abort()
            return web.Response()
        if fault in BEFORE:
            return web.Response(status=int(fault))
        answer: web.StreamResponse = await handler(request)
        if fault == "lost":
            request.transport.abort()
        if fault == "502_after":
            return web.Response(status=502, text="bad gateway")
        if fault == "html_after":
            return web.Response(text="<html>maintenance</html>", content_type="text/html")
        if fault == "garbled":
            return web.Response(text='{"place": {"orderConf', content_type="application/json")
        if fault == "slow":
            await asyncio.sleep(SLOW)
        return answer
