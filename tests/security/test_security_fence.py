"""A key bound to an account against every operation and stream: nothing foreign is read, nothing foreign changes."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import aiohttp
import httpx
import msgspec
import pytest
from fence_kit import (
    FOREIGN,
    GROUPS,
    MINE,
    NEVER_GOOD,
    OPERATIONS,
    Wire,
    plain,
    send,
    settings_in,
    staged,
    tries,
)
from server_kit import Daemon, daemon, failed
from test_security_keys import make

from ftcli.config import Settings
from ftcli.errors import ApiKeyInvalid
from ftcli.operations.operation import Operation, ParamInfo
from ftcli.operations.registry import all_operations
from ftcli.server import fence
from ftcli.server.app import make_app
from ftcli.server.keys import ApiKey
from ftcli.server.own import OwnRoute
from ftcli.server.service import SERVICE
from ftcli.server.streams import STREAM_ROUTES

NO_ACCOUNT = {
    "auth.status",
    "accounts.list",  # its own only
    "market_data.quotes",
    "market_data.chart",
    "market_data.chain",
    "market_data.montage",
    "market_data.time_and_sales",
    "reference.holiday_calendar",
    "research.analytics",
    "research.dividends",
    "research.earnings",
    "research.equity_summary",
    "research.screener",
    "research.search",
    "trading.halt",
}
"""What such a key may use without naming an account. A new operation is closed until somebody has thought about it."""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_in(tmp_path)


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
async def running(settings: Settings, wire: Wire) -> AsyncIterator[Daemon]:
    async with daemon(settings, opener=wire.opener) as found:
        yield found


async def state_of(http: httpx.AsyncClient, accounts: list[str]) -> dict[str, Any]:
    """All that belongs to foreign accounts, and to the login as a whole."""
    paths = [
        f"/accounts/{number}/{what}"
        for number in accounts
        for what in ("positions", "balances", "transactions")
    ]
    paths += [f"/orders/status?acct_ids={number}" for number in accounts]
    paths += [f"/orders/journal?count=1000&account={number}" for number in accounts]
    paths += ["/orders/staged", "/watchlists", "/research/notebooks", "/alerts/price-triggers"]
    paths += ["/preferences", "/preferences/independent"]
    found = {}
    for path in paths:
        answer = await http.get(f"/api/v1{path}")
        found[path] = (answer.status_code, answer.json()["data"])
        if path == "/orders/staged":  # a draft of its own is no harm
            drafts = found[path][1]["orders"]
            drafts[:] = [draft for draft in drafts if draft["account"] != MINE]
    return found


@pytest.mark.parametrize("group", GROUPS)
async def test_every_operation_with_every_way_to_name_an_account(
    group: str, settings: Settings, running: Daemon, wire: Wire
) -> None:
    operations = [operation for operation in OPERATIONS if operation.name.rpartition(".")[0] == group]
    arguments = await staged(settings.data_dir, operations)
    wrong: list[str] = []
    passed: set[str] = set()
    async with running.client() as whole, running.client(make(settings, accounts=MINE, rate="off")) as bound:
        rows = (await whole.get("/api/v1/accounts")).json()["data"]["accounts"]
        names = {row["account"]: row["name"] for row in rows if row["account"] != MINE}
        assert set(FOREIGN) < set(names)
        before = await state_of(whole, list(FOREIGN))
        wire.sent.clear()
        for operation in operations:
            for one in tries(operation, arguments[operation.name], names):
                answer = await send(bound, one)
                said = repr(one)
                told = [number for number in names if number in answer.text and number not in said]
                asked = [number for number in names for sent in wire.sent if number in sent]
                wire.sent.clear()
                if told or asked or answer.status_code >= 500:
                    wrong.append(
                        f"{one.operation}, {one.name}: {answer.status_code} told {told}, asked {asked}"
                    )
                if answer.status_code == 200 and one.name in ("none", "foreign"):
                    passed.add(one.operation)
                if answer.status_code == 200 and "mine" not in one.name and one.operation not in NO_ACCOUNT:
                    wrong.append(f"{one.operation}, {one.name}: let in")
                if answer.status_code == 403 and one.name == "mine" and "stage_id" not in said:
                    wrong.append(f"{one.operation}, {one.name}: refused")
        after = await state_of(whole, list(FOREIGN))
        await whole.post("/api/v1/trading/resume")
        # The requests are good ones: nothing but the fence has refused them.
        fair = [
            (await send(whole, plain(one, arguments[one.name]))).status_code
            for one in operations
            if one.name not in NEVER_GOOD
        ]
    assert not wrong, "\n".join(wrong)
    assert [path for path in before if before[path] != after[path]] == []
    assert passed == {name for name in NO_ACCOUNT if name.rpartition(".")[0] == group}
    assert set(fair) <= {200}, fair


async def test_an_error_lists_no_accounts_but_its_own(settings: Settings, running: Daemon) -> None:
    """A key made for an account that this login has not, or has no more."""
    async with running.client(make(settings, accounts="Z99999999")) as http:
        error = failed(await http.get("/api/v1/accounts/Z99999999/positions"), 404, "NOT_FOUND")
    assert error["details"] == {"account": "Z99999999", "accounts": []}
    assert not [number for number in FOREIGN if number in error["message"]]


def test_every_route_stands_behind_the_fence(settings: Settings) -> None:
    """No handler without a guard; and what is open to a key bound to accounts is a route that exists."""
    app = make_app(settings, None)
    guards = app[SERVICE].guards
    assert [route for route in app.router.routes() if route.handler not in guards] == []
    names = {guard.name for guard in guards.values()}
    assert names >= fence._OPEN
    bound = ApiKey(
        id="x", name="x", scopes=frozenset(), created_at=datetime.now(UTC), accounts=frozenset({MINE})
    )
    for name in [*names, "made.later"]:
        if name in fence._OPEN or any(fence._places(name)):
            fence.check_route(name, bound)
        else:
            with pytest.raises(ApiKeyInvalid):
                fence.check_route(name, bound)


def test_no_declaration_calls_an_account_what_the_fence_does_not_know() -> None:
    """Every parameter or member whose name smells of accounts, at any depth of any operation."""
    found = {name for operation in all_operations() for param in operation.params for name in _names(param)}
    smelling = {name for name in found if "acc" in name or "acct" in name}
    assert smelling - fence._NAMES == {"accounts_shown"}


def _names(param: ParamInfo) -> set[str]:
    return {param.name, *_members(param.type)}


def _members(kind: Any) -> set[str]:
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        fields = msgspec.structs.fields(kind)
        return {name for field in fields for name in (field.encode_name, *_members(field.type))}
    return {name for part in get_args(kind) for name in _members(part)}


SOCKETS = [route for route in STREAM_ROUTES if route.socket]
WAYS = ("header", "ticket", "key first", "ticket first", "key with a command", "ticket with a command")
"""How a key or a ticket comes to a WebSocket."""


@asynccontextmanager
async def socket_of(
    running: Daemon, key: str, path: str, way: str
) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """A WebSocket whose key comes this way.

    Raises:
        WSServerHandshakeError: It is refused at once.
    """
    text = key
    if "ticket" in way:
        async with running.client(key) as http:
            text = (await http.post("/api/v1/streaming/tickets")).json()["data"]["ticket"]
    headers = {"Authorization": f"Bearer {key}"} if way == "header" else {}
    url = f"{running.url}/api/v1{path}" + (f"?ticket={text}" if way == "ticket" else "")
    async with aiohttp.ClientSession(headers=headers) as session, session.ws_connect(url) as socket:
        if way.endswith("first"):
            await socket.send_json({"action": "auth", way.partition(" ")[0]: text})
        elif way.endswith("command"):
            await socket.send_json({"action": "subscribe", "symbols": ["KO"], way.partition(" ")[0]: text})
        if way in ("header", "ticket"):
            await socket.send_json({"action": "subscribe", "symbols": ["KO"]})
        yield socket


class TestStreams:
    """The market is open to a key bound to accounts, account events are not, whichever way the key comes."""

    @pytest.mark.parametrize("way", WAYS)
    @pytest.mark.parametrize("route", SOCKETS, ids=lambda route: route.name)
    async def test_sockets(self, settings: Settings, running: Daemon, route: OwnRoute, way: str) -> None:
        key = make(settings, accounts=MINE)
        if route.path != "/ws/events":
            async with socket_of(running, key, route.path, way) as socket:
                assert json.loads((await socket.receive(10)).data)["type"] == "ack"
            return
        try:
            async with socket_of(running, key, route.path, way) as socket:
                said = json.loads((await socket.receive(10)).data)
                assert (said["type"], said["error"]["code"]) == ("error", "API_KEY_INVALID")
                assert said["error"]["details"]["reason"] == "account"
                await socket.receive(10)
                assert socket.close_code == 4403
        except aiohttp.WSServerHandshakeError as problem:
            assert (way in ("header", "ticket"), problem.status) == (True, 403)
        async with socket_of(running, make(settings), route.path, way) as socket:  # the request is a good one
            if "command" in way or way in ("header", "ticket"):
                assert "by themselves" in (await socket.receive(10)).data
            else:
                assert json.loads((await socket.receive(10)).data)["type"] == "ack"

    @pytest.mark.parametrize("ticket", [False, True], ids=["key", "ticket"])
    @pytest.mark.parametrize(
        "operation", [one for one in all_operations() if one.streaming], ids=lambda one: one.name
    )
    async def test_events(
        self, settings: Settings, running: Daemon, operation: Operation[..., Any], ticket: bool
    ) -> None:
        async with running.client(make(settings, accounts=MINE)) as http:
            query = {"symbols": "KO"} if operation.params else {}
            if ticket:
                query["ticket"] = (await http.post("/api/v1/streaming/tickets")).json()["data"]["ticket"]
                del http.headers["Authorization"]
            async with http.stream("GET", f"/api/v1{operation.path}", params=query) as answer:
                if operation.name == "stream.events":
                    await answer.aread()
                    assert failed(answer, 403, "API_KEY_INVALID")["details"]["reason"] == "account"
                else:
                    assert answer.status_code == 200

    async def test_what_other_keys_follow_is_not_told(self, settings: Settings, running: Daemon) -> None:
        async with running.client() as whole, running.client(make(settings, accounts=MINE)) as bound:
            held = await whole.post("/api/v1/streaming/subscribe", json={"symbols": ["KO", "AAPL"]})
            assert held.status_code == 200
            own = await bound.post("/api/v1/streaming/subscribe", json={"symbols": ["TSLA"]})
            assert [row["symbol"] for row in own.json()["data"]["subscriptions"]] == ["TSLA"]
            failed(await bound.get("/api/v1/streaming/subscriptions"), 403, "API_KEY_INVALID")
