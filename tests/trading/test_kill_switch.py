"""The kill switch: for each environment, for every process, and whatever else does not work."""

import asyncio
import json
import re
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web
from cli_kit import ft
from test_at_most_once import number_of
from test_gate import BUY, Upstream, live
from test_reconcile import BRACKET, place

from ftcli import config
from ftcli.environment import live_client, open_client
from ftcli.errors import BrokerError, InternalError, OrderRejected, OrderUnknown, TradingHalted


async def test_a_halt_stops_every_process(tmp_path: Path) -> None:
    upstream = Upstream()
    async with live(tmp_path, upstream, live_trading=True) as client:
        number = await number_of(client)
        other = live_client(client.settings, upstream.desk.clock)
        halted = await other.trading.halt("model is off")
        assert halted.halted
        with pytest.raises(TradingHalted) as refused:
            await client.orders.equity.place(BUY, number)
        message = refused.value.message
        assert re.match(
            r"Live trading was halted by sdk \(.+@.+\) at .* \(model is off\), so nothing", message
        )
        assert refused.value.details
        assert refused.value.details["environment"] == "live"
        client.switch.path.write_text("{ not json")
        with pytest.raises(TradingHalted, match="cannot be understood"):
            await client.orders.equity.place(BUY, number)
        await client.trading.resume()
        placed = await client.orders.equity.place(BUY, number)
        again = await client.trading.halt("once more", cancel_open=True)
        assert placed.conf_num in again.canceled, "cancels are always let through"
        await other.aclose()
    assert upstream.places == 1


async def test_paper_and_live_have_a_switch_each(tmp_path: Path) -> None:
    upstream = Upstream()
    async with live(tmp_path, upstream, live_trading=True) as client:
        number = await number_of(client)
        async with open_client(
            msgspec.structs.replace(client.settings, environment="paper", upstream="")
        ) as paper:
            halted = await paper.trading.halt("a test of mine")
            assert (halted.halted, halted.environment) == (True, "paper")
            assert "live trading has a kill switch of its own" in (halted.note or "")
            assert not (await client.trading.status()).halted
            await client.trading.halt()
            await paper.trading.resume()
            assert not (await paper.trading.status()).halted
        assert (await client.trading.status()).halted
        with pytest.raises(TradingHalted):
            await client.orders.equity.place(BUY, number)
        assert client.switch.path.name == "trading-halted.json", "a flag of old halts live trading"
    assert upstream.places == 0


BROKEN = [
    {"FT_LIMITS": "nonsense"},
    {"FT_LIMITS": "max_valeu=5"},
    {"FT_LIMITS": "symbols_denied"},
    {"FTSERVICE_DB_PATH": "garbage.db"},
]


@pytest.mark.parametrize("broken", BROKEN, ids=lambda item: "=".join(next(iter(item.items()))))
@pytest.mark.parametrize("environment", ["paper", "live"])
def test_it_needs_neither_limits_nor_database(
    broken: dict[str, str], environment: str, tmp_path: Path
) -> None:
    (tmp_path / "garbage.db").write_bytes(b"no database at all" * 100)
    environ = {"FT_ENV": environment, "FT_DATA_DIR": str(tmp_path), **broken}
    if "FTSERVICE_DB_PATH" in environ:
        environ["FTSERVICE_DB_PATH"] = str(tmp_path / "garbage.db")

    def told(*words: str) -> dict[str, Any]:
        done = ft("trading", *words, "-o", "json", environ=environ)
        assert done.status == 0, done.err
        found: dict[str, Any] = json.loads(done.out)
        return found

    halted = told("halt", "--reason", "odd\x1b[31m\nfills")
    assert (halted["halted"], halted["reason"], halted["unresolved"]) == (True, "odd [31m fills", None)
    assert "No order can be placed" in halted["note"]
    assert told("status")["halted"]
    assert not told("resume")["halted"]


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder that takes no files, root or not")
async def test_a_halt_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    settings = config.load(
        {}, {"FT_ENV": "live", "FT_DATA_DIR": str(tmp_path), "FTSERVICE_DB_PATH": "/proc/x.db"}
    )
    async with open_client(settings) as client:
        with pytest.raises(InternalError, match="NOT halted"):
            await client.trading.halt()


async def test_a_cancel_that_fails_is_told_after_the_halt(tmp_path: Path) -> None:
    upstream = Upstream()
    async with live(tmp_path, upstream, live_trading=True) as client:
        placed = await client.orders.equity.place(BUY, await number_of(client))
        upstream.fault = "cancel"
        with pytest.raises(OrderUnknown, match="^Trading is halted, but .* could not be canceled") as told:
            await client.trading.halt(cancel_open=True)
        assert told.value.details
        assert placed.conf_num in told.value.details["not_canceled"]
        assert (await client.trading.status()).halted
        await client.trading.resume()
    # The broker is gone.
    with pytest.raises(
        BrokerError, match="^Trading is halted, but the open orders could not be read"
    ) as told:
        await live_client(client.settings, upstream.desk.clock).trading.halt(cancel_open=True)
    assert told.value.exit_status != 0
    assert client.switch.read() is not None


class Refusing(Upstream):
    """The paper broker behind a socket that fails cancels one by one.

    Attributes:
        fates: What becomes of the next cancels: ``refused``, ``lost`` before they are acted on, ``acted`` on and then
            lost; those after them are answered.
        silent: Set where no order status is answered once a cancel has arrived.
    """

    def __init__(self) -> None:
        super().__init__()
        self.fates: list[str] = []
        self.silent: asyncio.Event | None = None
        self.canceling = False

    @property
    def _misbehave(self) -> Any:
        @web.middleware
        async def middleware(request: web.Request, handler: Any) -> web.StreamResponse:
            if "/cancel/place/" not in request.path:
                if self.silent and self.canceling and "/status-" in request.path:
                    await self.silent.wait()
                answer: web.StreamResponse = await handler(request)
                return answer
            self.canceling = True
            fate = self.fates.pop(0) if self.fates else ""
            if fate == "refused":
                (said,) = (await request.json())["request"]["parameter"]["cancelOrderDetail"]
                return web.json_response({"place": {"cancelConfirmDetail": [{**said, "respTypeCode": "E"}]}})
            if fate != "lost":
                answer = await handler(request)
            return web.Response(status=500) if fate else answer

        return middleware


async def test_orders_that_go_with_another_of_their_group_are_canceled(tmp_path: Path) -> None:
    upstream = Refusing()
    async with live(tmp_path, upstream, live_trading=True, unverified=True) as client:
        bracket = await place(client, BRACKET)
        (single,) = await place(client, BUY)
        upstream.fates = [
            "",
            "",
            "",
            "acted",
        ]  # of what is canceled though its answer is lost, the status tells
        halted = await client.trading.halt(cancel_open=True)
        assert {*bracket, single} <= set(halted.canceled)
        assert not [order for order in (await client.orders.status()).orders if order.cancelable]


async def test_a_lost_cancel_outranks_a_refused_one(tmp_path: Path) -> None:
    upstream = Refusing()
    async with live(tmp_path, upstream, live_trading=True) as client:
        await client.orders.equity.place(BUY, await number_of(client))
        await client.orders.equity.place(BUY, await number_of(client))
        opened = [order.conf_num for order in (await client.orders.status()).orders if order.cancelable]
        upstream.fates = ["refused", "lost"]
        with pytest.raises(OrderUnknown, match=f"^Trading is halted, but 2 of {len(opened)} orders") as told:
            await client.trading.halt(cancel_open=True)
    assert told.value.details
    assert told.value.details["not_canceled"] == opened[:2]
    assert told.value.details["canceled"] == opened[2:]
    codes = [problem["code"] for problem in told.value.details["failed"].values()]
    assert codes == ["ORDER_REJECTED", "ORDER_UNKNOWN"]


async def test_a_halt_does_not_wait_for_a_silent_broker_to_say_what_is_gone(tmp_path: Path) -> None:
    upstream = Refusing()
    async with live(tmp_path, upstream, live_trading=True) as client:
        await client.orders.equity.place(BUY, await number_of(client))
        upstream.fates, upstream.silent = ["refused"], asyncio.Event()
        began = time.monotonic()
        with pytest.raises(
            OrderRejected, match="Whether they are gone .* could not be read: .* within 3 s"
        ) as told:
            await client.trading.halt(cancel_open=True)
        assert time.monotonic() - began < 10
        assert told.value.details
        assert told.value.details["halted"]
        assert (await client.trading.status()).halted
        upstream.silent.set()
