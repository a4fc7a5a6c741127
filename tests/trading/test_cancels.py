"""A cancel is always let through: it needs no read of the order status, and says of its order what is true."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web
from test_gate import Upstream, live
from test_reconcile import ACCOUNT, BRACKET, BUY, CALL, SPREAD, place

from ftcli.client import Client
from ftcli.environment import live_client
from ftcli.errors import BrokerError, NotFound, OrderRejected, OrderUnknown
from ftcli.models.trading import ResolveAs
from ftcli.paper.desk import DEMO_PASSWORD, DEMO_USERNAME


class Counting(Upstream):
    """The paper broker behind a socket that counts.

    Attributes:
        cancels: What the cancels that arrived said of their order.
        reads: How many reads of the order status arrived.
        status: What a read of the order status comes to: nothing unusual, ``out`` or ``behind``.
    """

    def __init__(self) -> None:
        super().__init__()
        self.cancels: list[dict[str, str]] = []
        self.reads = 0
        self.status = ""

    @property
    def _misbehave(self) -> Any:
        @web.middleware
        async def middleware(request: web.Request, handler: Any) -> web.StreamResponse:
            if "/cancel/place/" in request.path:
                (said,) = (await request.json())["request"]["parameter"]["cancelOrderDetail"]
                self.cancels.append(said)
            if "/status-" in request.path:
                self.reads += 1
                if self.status == "out":
                    return web.Response(status=400)  # which no layer asks again
                if self.status == "behind":
                    return web.json_response({"order": {"orderDetails": {"orderDetail": []}}})
            answer: web.StreamResponse = await handler(request)
            if self.fault == "lost" and "/equity/place/" in request.path:
                assert request.transport is not None
                request.transport.abort()
            return answer

        return middleware


async def action_of(client: Client, number: str) -> str:
    """The broker's code of what an order does, as its status says."""
    action = (await client.orders.detail(number)).orders[0].action
    assert action is not None
    return action.wire


@pytest.mark.parametrize("order", [BUY, CALL, SPREAD, BRACKET], ids=["shares", "call", "spread", "bracket"])
async def test_an_order_placed_here_is_canceled_while_the_status_is_out(order: Any, tmp_path: Path) -> None:
    upstream = Counting()
    async with live(tmp_path, upstream, live_trading=True, unverified=True) as client:
        numbers = await place(client, order)
        actions = {number: await action_of(client, number) for number in numbers}
        upstream.status, upstream.reads = "out", 0
        answers = [await client.orders.cancel.place(number) for number in reversed(numbers)]
        assert [answer.verdict for answer in answers] == ["accepted"] * len(numbers)
        assert upstream.cancels == [
            {"confNum": number, "acctNum": ACCOUNT, "actionCode": actions[number]}
            for number in reversed(numbers)
        ]
        assert upstream.reads == 0


async def strangers_order(upstream: Upstream, client: Client, folder: Path) -> str:
    """The number of an order that was placed elsewhere."""
    settings = msgspec.structs.replace(client.settings, data_dir=folder / "theirs")
    other = live_client(settings, upstream.desk.clock)
    await other.auth.login(DEMO_USERNAME, DEMO_PASSWORD)
    (number,) = await place(other, BUY)
    await other.aclose()
    return number


async def test_an_order_placed_elsewhere_is_canceled_by_its_account_alone(tmp_path: Path) -> None:
    upstream = Counting()
    async with live(tmp_path, upstream, live_trading=True) as client:
        number = await strangers_order(upstream, client, tmp_path)
        upstream.status = "out"
        with pytest.raises(BrokerError, match="Name the order's account"):
            await client.orders.cancel.place(number)
        assert not upstream.cancels
        assert (await client.orders.cancel.place(number, ACCOUNT)).verdict == "accepted"


async def test_a_status_that_is_behind_keeps_no_cancel_back(tmp_path: Path) -> None:
    upstream = Counting()
    async with live(tmp_path, upstream, live_trading=True) as client:
        (number,) = await place(client, BUY)
        upstream.status = "behind"
        assert (await client.orders.cancel.place(number)).verdict == "accepted"
        with pytest.raises(NotFound):
            await client.orders.cancel.place("2ZZZZZZZ")


async def test_an_order_that_only_the_journal_knows_is_for_the_broker_to_refuse(tmp_path: Path) -> None:
    upstream = Counting()
    async with live(tmp_path, upstream, live_trading=True) as client:
        stranger = await strangers_order(upstream, client, tmp_path)
        preview = await client.orders.equity.preview(BUY)
        number, upstream.fault = preview.conf_num or "", "lost"
        with pytest.raises(OrderUnknown):
            await client.orders.equity.place(BUY, number)
        upstream.fault, upstream.status = "", "behind"
        await client.orders.resolve(number, ResolveAs.NOT_PLACED, "I saw none")
        for unknown in ("2ZZZZZZZ", stranger):
            for account in (None, ACCOUNT, "Z99999999"):
                with pytest.raises(NotFound):
                    await client.orders.cancel.place(unknown, account)
        assert not upstream.cancels
        assert (await client.orders.cancel.place(number, ACCOUNT)).verdict == "accepted"


async def test_a_strangers_order_is_not_canceled_in_another_account(tmp_path: Path) -> None:
    upstream = Counting()
    async with live(tmp_path, upstream, live_trading=True) as client:
        number = await strangers_order(upstream, client, tmp_path)
        with pytest.raises(NotFound):
            await client.orders.cancel.place(number, "Z10000017")
        assert not upstream.cancels


async def test_an_order_is_not_canceled_in_another_account(tmp_path: Path) -> None:
    upstream = Counting()
    async with live(tmp_path, upstream, live_trading=True) as client:
        (number,) = await place(client, BUY)
        with pytest.raises(NotFound):
            await client.orders.cancel.place(number, "Z10000017")
        assert not upstream.cancels


async def test_what_can_be_canceled_no_more_is_refused_by_the_broker(tmp_path: Path) -> None:
    upstream = Counting()
    async with live(tmp_path, upstream, live_trading=True) as client:
        (number,) = await place(client, BUY)
        await client.orders.cancel.place(number, ACCOUNT)
        with pytest.raises(OrderRejected, match="no longer"):
            await client.orders.cancel.place(number, ACCOUNT)


async def test_a_journal_that_cannot_be_opened_keeps_no_cancel_back(tmp_path: Path) -> None:
    upstream = Counting()
    async with live(tmp_path, upstream, live_trading=True) as client:
        (number,) = await place(client, BUY)
        broken = tmp_path / "broken.db"
        broken.write_bytes(b"no database at all" * 100)
        other = live_client(msgspec.structs.replace(client.settings, db_path=broken), upstream.desk.clock)
        await other.auth.login(DEMO_USERNAME, DEMO_PASSWORD)
        assert (await other.orders.cancel.place(number, ACCOUNT)).verdict == "accepted"
        await other.aclose()
