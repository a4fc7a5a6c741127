"""No way to a place call but the gate: every operation of risk money, over HTTP too; and lost orders by their terms."""

import importlib
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from case import Case
from faces import call, environ_of, set_stage
from test_gate import BUY, Upstream, live

from ftcli import config
from ftcli.environment import live_client, open_client
from ftcli.errors import Conflict, OrderUnknown, TradingHalted
from ftcli.operations.registry import all_operations
from ftcli.paper.desk import DEMO_PASSWORD, DEMO_USERNAME, open_desk
from ftcli.server.run import running
from ftcli.wire import LastWord, WireReply, WireRequest

CASES: list[Case] = [
    case
    for name in ("cases", "cases_lists")
    for case in importlib.import_module(name).CASES
    if case.error is None
]
MONEY = [operation.name for operation in all_operations() if operation.risk == "money"]


def test_there_are_places_of_every_family() -> None:
    assert MONEY == [
        "orders.equity.place",
        "orders.option.place",
        "orders.options.place",
        "orders.replace.place",
        "orders.conditional.place",
        "orders.conditional_replace.place",
    ]


@pytest.mark.parametrize("name", MONEY)
async def test_a_halt_stops_every_place_before_its_first_byte(name: str, tmp_path: Path) -> None:
    case = next(case for case in CASES if case.operation == name)
    settings = config.load({}, environ_of(tmp_path))
    desk = open_desk(settings)
    desk.state.close()
    arguments = await set_stage(tmp_path, case)
    async with open_client(settings) as client:
        sent: list[str] = []
        send = client.send

        async def seen(request: WireRequest, last_word: LastWord | None = None) -> WireReply:
            sent.append(request.path)
            return await send(request, last_word)

        client.send = seen  # type: ignore[method-assign]
        await client.trading.halt("test")
        with pytest.raises(TradingHalted):
            await call(client, name, arguments)
        assert not [path for path in sent if "/place" in path]
        before = {entry.id for entry in (await client.orders.journal.list()).entries}
        await client.trading.resume()
        await call(client, name, arguments)
        assert len([path for path in sent if "/place" in path]) == 1
        (entry,) = [item for item in (await client.orders.journal.list()).entries if item.id not in before]
        assert (entry.kind, entry.state) == (name, "accepted")
        # What differs in one digit from the preview is another order, whatever the family.
        with pytest.raises(Conflict):
            await call(client, name, _other(arguments))
        assert len([path for path in sent if "/place" in path]) == 1


def _other(arguments: dict[str, Any]) -> dict[str, Any]:
    """The same arguments with another price."""

    def walk(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                key: Decimal(str(item)) + 1
                if key in ("limit_price", "net_price", "stop_price")
                else walk(item)
                for key, item in value.items()
            }
        return [walk(item) for item in value] if isinstance(value, list) else value

    changed: dict[str, Any] = walk(arguments)
    return changed


async def test_http_says_that_an_outcome_is_replayed(tmp_path: Path) -> None:
    settings = config.load({}, environ_of(tmp_path))
    order = {
        "account": "Z10000017",
        "symbol": "KO",
        "action": "buy",
        "quantity": 1,
        "order_type": "limit",
        "limit_price": 60,
    }
    async with running(settings) as url, httpx.AsyncClient(base_url=f"{url}/api/v1", timeout=20) as http:
        preview = (await http.post("/orders/equity/preview", json=order)).json()["data"]
        body = {"order": order, "conf_num": preview["conf_num"]}
        headers = {"Idempotency-Key": "k"}
        first = await http.post("/orders/equity/place", json=body, headers=headers)
        second = await http.post("/orders/equity/place", json=body, headers=headers)
        assert first.status_code == 200
        assert "Idempotency-Replayed" not in first.headers
        assert second.headers["Idempotency-Replayed"] == "true"
        assert second.content == first.content
        dearer = {**order, "limit_price": 61}
        other = (await http.post("/orders/equity/preview", json=dearer)).json()["data"]
        body = {"order": dearer, "conf_num": other["conf_num"]}
        clash = await http.post("/orders/equity/place", json=body, headers=headers)
        assert (clash.status_code, clash.json()["error"]["code"]) == (409, "CONFLICT")
        bad = await http.post("/orders/equity/place", json=body, headers={"Idempotency-Key": "x" * 200})
        assert bad.status_code == 422
        journal = (await http.get("/orders/journal")).json()["data"]["entries"]
        assert [(entry["key"], entry["who"]) for entry in journal] == [("k", "http")]


async def test_a_lost_order_is_known_by_its_terms_if_they_are_unmistakable(tmp_path: Path) -> None:
    """The order entered by a stranger after ours was lost says the same as ours, and is the only one that does."""
    upstream = Upstream()
    (tmp_path / "ours").mkdir()
    async with live(tmp_path / "ours", upstream, live_trading=True) as client:
        preview = await client.orders.equity.preview(BUY)
        upstream.fault = "500"
        with pytest.raises(OrderUnknown):
            await client.orders.equity.place(BUY, preview.conf_num or "")
        upstream.fault = ""
        strangers = msgspec.structs.replace(client.settings, data_dir=tmp_path / "theirs")
        other = live_client(strangers, upstream.desk.clock)
        await other.auth.login(DEMO_USERNAME, DEMO_PASSWORD)
        unlike = msgspec.structs.replace(BUY, limit_price=Decimal(59))
        numbers = []
        for order in (unlike, BUY):
            theirs = await other.orders.equity.preview(order)
            numbers.append(theirs.conf_num or "")
            await other.orders.equity.place(order, numbers[-1])
        await other.aclose()
        await client.auth.login(DEMO_USERNAME, DEMO_PASSWORD)
        report = await client.orders.reconcile()
        (settled,) = report.settled
        assert settled.state == "accepted"
        assert f"order status lists {numbers[1]} with the same account" in settled.evidence[0]
        assert numbers[0] in report.adopted
        assert numbers[1] not in report.adopted
    shutil.rmtree(tmp_path / "theirs")
