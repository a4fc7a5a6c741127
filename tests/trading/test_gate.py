"""Nothing reaches a place call but through the gate, at most once, and a lost answer is told as such."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from aiohttp import web

from ftcli import config
from ftcli.client import Client
from ftcli.clock import Clock, frozen_clock
from ftcli.environment import live_client
from ftcli.errors import Conflict, LiveTradingDisabled, NotSent, OrderUnknown
from ftcli.models.json import dumps, loads
from ftcli.models.tickets import EquityAction, EquityLimitOrder
from ftcli.operations.registry import all_operations
from ftcli.paper.desk import DEMO_PASSWORD, DEMO_USERNAME, Desk
from ftcli.paper.logins import User
from ftcli.paper.market import Market
from ftcli.paper.server import make_app
from ftcli.paper.state import State
from ftcli.wire import LastWord, WireReply, WireRequest

NOW = datetime(2026, 11, 24, 11, 15, tzinfo=ZoneInfo("America/New_York"))
PLACE = "/ftgw/dp/orderentry/equity/place/v1"
BUY = EquityLimitOrder(
    account="Z10000017", symbol="KO", action=EquityAction.BUY, quantity=Decimal(2), limit_price=Decimal("60")
)


class Upstream:
    """The paper broker behind a socket that can misbehave.

    Attributes:
        fault: What happens to the next place: ``lost`` (acted on, no answer), ``html``, ``500``, ``401``, or nothing;
            ``cancel``: cancels fail.
        places: How many place calls arrived, of any family.
        hold: While it is not set, a place is acted on and its answer kept back.
        acted: Set once a place has been acted on.
        listed: Where it is set, every order list waits there for the others, once it is made up.
        hidden: Orders that neither order status nor detail shows.
        failed: Orders that both show as failed.
        refused: How many of the last orders of a group the answer to its place refuses.
        details: How many order details were asked for.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        user = User(username=DEMO_USERNAME, password=DEMO_PASSWORD)
        self.desk = Desk(State(":memory:"), Market(), clock or frozen_clock(NOW), user, seed=1)
        self.fault = ""
        self.places = 0
        self.hold, self.acted = asyncio.Event(), asyncio.Event()
        self.hold.set()
        self.listed: asyncio.Barrier | None = None
        self.hidden: set[str] = set()
        self.failed: set[str] = set()
        self.refused = 0
        self.details = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        app = make_app(self.desk)
        app.middlewares.append(self._misbehave)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()

    @property
    def _misbehave(self) -> Any:
        @web.middleware
        async def middleware(request: web.Request, handler: Any) -> web.StreamResponse:
            if self.fault == "cancel" and "/cancel/place/" in request.path:
                return web.Response(status=500)
            if "/place" not in request.path or "/cancel/" in request.path:
                answer: web.StreamResponse = await handler(request)
                if self.listed is not None and request.path.endswith("/status-summary"):
                    await self.listed.wait()
                self.details += request.path.endswith("/status-detail")
                if "/retail-order-status/" in request.path:
                    return self._retold(answer)
                return answer
            self.places += 1
            if self.fault in ("500", "401"):
                return web.Response(status=int(self.fault))
            answer = await handler(request)
            self.acted.set()
            await self.hold.wait()
            if self.fault == "lost":
                assert request.transport is not None
                request.transport.abort()
            if self.fault == "html":
                return web.Response(text="<html>maintenance</html>", content_type="text/html")
            if self.fault == "empty":
                return web.json_response({})
            if self.refused:
                document = loads(_body(answer))
                for leg in document["place"]["condOrderDetails"][-self.refused :]:
                    leg["orderConfirmDetail"]["respTypeCode"] = "E"
                return web.Response(body=dumps(document), content_type="application/json")
            return answer

        return middleware

    def _retold(self, answer: web.StreamResponse) -> web.StreamResponse:
        """An order list with what is hidden or failed."""
        document = loads(_body(answer))
        details = document["order"]["orderDetails"]
        details["orderDetail"] = [
            order for order in details["orderDetail"] if order["idDetail"]["confNum"] not in self.hidden
        ]
        for order in details["orderDetail"]:
            if order["idDetail"]["confNum"] in self.failed:
                order["statusDetail"] |= {"statusCode": "ERROR", "cancelableInd": False}
        return web.Response(body=dumps(document), content_type="application/json")


def _body(answer: web.StreamResponse) -> bytes:
    assert isinstance(answer, web.Response)
    assert isinstance(answer.body, bytes)
    return answer.body


@asynccontextmanager
async def live(folder: Path, upstream: Upstream, **flags: Any) -> AsyncIterator[Client]:
    environ = {
        "FT_ENV": "live",
        "FT_DATA_DIR": str(folder),
        "FT_CONFIG": "/dev/null",
        "FT_USERNAME": DEMO_USERNAME,
        "FT_PASSWORD": DEMO_PASSWORD,
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
    }
    async with upstream.running() as url:
        client = live_client(config.load({"upstream": url, **flags}, environ), upstream.desk.clock)
        try:
            await client.auth.login()
            yield client
        finally:
            await client.aclose()


async def test_live_trading_off_sends_nothing(tmp_path: Path) -> None:
    upstream = Upstream()
    async with live(tmp_path, upstream) as client:
        preview = await client.orders.equity.preview(BUY)
        assert preview.conf_num
        with pytest.raises(LiveTradingDisabled, match="nothing was sent"):
            await client.orders.equity.place(BUY, preview.conf_num)
    assert upstream.places == 0


async def test_live_trading_on_places_once(tmp_path: Path) -> None:
    upstream = Upstream()
    async with live(tmp_path, upstream, live_trading=True) as client:
        preview = await client.orders.equity.preview(BUY)
        assert preview.conf_num
        placement = await client.orders.equity.place(BUY, preview.conf_num)
        assert placement.conf_num == preview.conf_num
        again = await client.orders.equity.place(BUY, preview.conf_num)
        assert dumps(again) == dumps(placement)
    assert upstream.places == 1


@pytest.mark.parametrize("fault", ["lost", "html", "500", "empty"])
async def test_a_lost_answer_is_unknown_and_never_repeated(tmp_path: Path, fault: str) -> None:
    upstream = Upstream()
    async with live(tmp_path, upstream, live_trading=True) as client:
        preview = await client.orders.equity.preview(BUY)
        assert preview.conf_num
        upstream.fault = fault
        with pytest.raises(OrderUnknown) as lost:
            await client.orders.equity.place(BUY, preview.conf_num)
        assert upstream.places == 1
        upstream.fault = ""
        assert lost.value.outcome_unknown
        if fault != "500":  # there the broker had acted, and its order status is the evidence
            found = await client.orders.detail(preview.conf_num)
            assert found.orders[0].conf_num == preview.conf_num


async def test_an_order_that_never_left_is_told_as_such(tmp_path: Path) -> None:
    upstream = Upstream()
    async with live(tmp_path, upstream, live_trading=True) as client:
        preview = await client.orders.equity.preview(BUY)
        assert preview.conf_num
        send = client.send

        async def gone(request: WireRequest, last_word: LastWord | None = None) -> WireReply:
            if request.path == PLACE:
                raise NotSent("connection refused")
            return await send(request, last_word)

        client.send = gone  # type: ignore[method-assign]
        with pytest.raises(NotSent):
            await client.orders.equity.place(BUY, preview.conf_num)
        assert (await client.orders.journal.show(preview.conf_num)).state == "not_sent"
        client.send = send  # type: ignore[method-assign]
        await client.orders.equity.place(BUY, preview.conf_num)
        states = [change.state for change in (await client.orders.journal.show(preview.conf_num)).changes]
        assert states == ["sending", "not_sent", "sending", "accepted"]
    assert upstream.places == 1


async def test_a_retry_of_what_never_left_is_found_by_the_numbers_it_went_under(tmp_path: Path) -> None:
    """The same key with a new preview: what is sent is journalled as what it is, and never sent again."""
    upstream = Upstream()
    async with live(tmp_path, upstream, live_trading=True) as client:
        send = client.send

        async def gone(request: WireRequest, last_word: LastWord | None = None) -> WireReply:
            if request.path == PLACE:
                raise NotSent("connection refused")
            return await send(request, last_word)

        first = await client.orders.equity.preview(BUY)
        client.send = gone  # type: ignore[method-assign]
        with client.placing_as("sdk", key="K"), pytest.raises(NotSent):
            await client.orders.equity.place(BUY, first.conf_num or "")
        client.send = send  # type: ignore[method-assign]
        second = await client.orders.equity.preview(BUY)
        with client.placing_as("sdk", key="K"):
            placed = await client.orders.equity.place(BUY, second.conf_num or "")
        assert placed.conf_num == second.conf_num
        journal = client.orders.journal
        for name in (second.conf_num, "K"):
            entry = await journal.show(name or "")
            assert (entry.state, entry.conf_nums, entry.key) == ("accepted", [second.conf_num], "K")
        assert (await journal.show(first.conf_num or "")).state == "not_sent"
        await client.orders.equity.place(BUY, second.conf_num or "")  # without the key, as a person may
        third = await client.orders.equity.preview(BUY)
        with client.placing_as("sdk", key="K") as origin:
            again = await client.orders.equity.place(BUY, third.conf_num or "")
        assert (again.conf_num, origin.replayed) == (second.conf_num, True)
    assert upstream.places == 1


async def test_a_key_that_comes_late_stands_for_what_was_placed(tmp_path: Path) -> None:
    upstream = Upstream()
    async with live(tmp_path, upstream, live_trading=True) as client:
        first = await client.orders.equity.preview(BUY)
        await client.orders.equity.place(BUY, first.conf_num or "")
        second = await client.orders.equity.preview(BUY)
        for number in (first.conf_num, second.conf_num):
            with client.placing_as("sdk", key="K") as origin:
                again = await client.orders.equity.place(BUY, number or "")
            assert (again.conf_num, origin.replayed) == (first.conf_num, True)
        other = msgspec.structs.replace(BUY, quantity=Decimal(3))
        changed = await client.orders.equity.preview(other)
        with client.placing_as("sdk", key="K"), pytest.raises(Conflict, match="idempotency key K"):
            await client.orders.equity.place(other, changed.conf_num or "")
    assert upstream.places == 1


def test_every_operation_that_places_is_marked_as_money() -> None:
    """The gate is reached through ``core.place``; whoever calls it must be of risk ``money``, and the reverse."""
    for operation in all_operations():
        calls_gate = (
            "place" in operation.function.__code__.co_names
            or "_place" in operation.function.__code__.co_names
        )
        is_place = operation.attribute == "place" and not operation.name.startswith("orders.cancel")
        assert (operation.risk == "money") == is_place, operation.name
        if is_place:
            assert calls_gate, f"{operation.name} does not go through the gate"
