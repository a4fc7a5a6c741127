"""What counts against a limit, when, and for whom: days, unsent orders, changes, and keys that were rotated."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from test_gate import BUY, PLACE, Upstream, live

from ftcli.client import Client
from ftcli.clock import NEW_YORK
from ftcli.config import Settings
from ftcli.errors import NotSent, RiskLimit, ValidationFailed
from ftcli.models.order_codes import TimeInForce
from ftcli.models.tickets import EquityLimitOrder
from ftcli.server.keys import KeyRing, key_ring
from ftcli.server.run import running
from ftcli.store import Store
from ftcli.trading.limits import parse
from ftcli.trading.origin import placing
from ftcli.wire import LastWord, WireReply, WireRequest

GTC: EquityLimitOrder = msgspec.structs.replace(BUY, time_in_force=TimeInForce.GTC)
OTHER: EquityLimitOrder = msgspec.structs.replace(GTC, limit_price=Decimal(61))


async def number_of(client: Client, order: EquityLimitOrder) -> str:
    return (await client.orders.equity.preview(order)).conf_num or ""


@contextmanager
def cut_off(client: Client) -> Iterator[None]:
    """Inside, no place leaves the house."""
    send = client.send

    async def gone(request: WireRequest, last_word: LastWord | None = None) -> WireReply:
        if request.path == PLACE:
            raise NotSent("connection refused")
        return await send(request, last_word)

    client.send = gone  # type: ignore[method-assign]
    yield
    client.send = send  # type: ignore[method-assign]


def evening() -> list[datetime]:
    return [datetime(2026, 11, 24, 23, 59, 50, tzinfo=NEW_YORK)]


@asynccontextmanager
async def at(folder: Path, moment: list[datetime], limits: dict[str, Any]) -> AsyncIterator[Client]:
    """A client whose clock, and the broker's, is the one moment."""
    upstream = Upstream()
    upstream.desk.clock = lambda: moment[0]
    async with live(folder, upstream, live_trading=True, limits=limits) as client:
        yield client


async def test_a_day_ends_at_midnight_in_new_york(tmp_path: Path) -> None:
    moment = evening()
    moment[0] -= timedelta(hours=5)  # 18:59 there, 23:59 UTC
    async with at(tmp_path, moment, {"max_daily_orders": 1, "max_daily_value": 300}) as client:
        await client.orders.equity.place(GTC, await number_of(client, GTC))
        moment[0] += timedelta(minutes=1)
        with pytest.raises(RiskLimit, match="max_daily_orders"):
            await client.orders.equity.place(OTHER, await number_of(client, OTHER))
        moment[0] += timedelta(hours=5)
        # The order of yesterday is still open, and counts for the day on which it was placed.
        await client.orders.equity.place(OTHER, await number_of(client, OTHER))
        used = {row.rule: row.used for row in (await client.trading.limits()).limits}
        assert used == {"max_daily_orders": "1", "max_daily_value": "122"}


async def test_an_unsent_order_counts_for_the_day_on_which_it_is_sent(tmp_path: Path) -> None:
    moment = evening()
    async with at(tmp_path, moment, {"max_daily_orders": 1, "max_daily_value": 300}) as client:
        number = await number_of(client, GTC)
        with cut_off(client), pytest.raises(NotSent):
            await client.orders.equity.place(GTC, number)
        moment[0] += timedelta(seconds=20)
        await client.orders.equity.place(GTC, number)
        used = {row.rule: row.used for row in (await client.trading.limits()).limits}
        assert used == {"max_daily_orders": "1", "max_daily_value": "120"}
        with pytest.raises(RiskLimit, match="max_daily_orders"):
            await client.orders.equity.place(OTHER, await number_of(client, OTHER))


async def test_the_duplicate_window_runs_from_the_attempt_that_went_out(tmp_path: Path) -> None:
    moment = evening()
    async with at(tmp_path, moment, {"duplicate_window": 30}) as client:
        number, second = await number_of(client, GTC), await number_of(client, GTC)
        with cut_off(client), pytest.raises(NotSent):
            await client.orders.equity.place(GTC, number)
        moment[0] += timedelta(minutes=5)
        await client.orders.equity.place(GTC, number)
        moment[0] += timedelta(seconds=10)
        with pytest.raises(RiskLimit, match="placed 10 s ago"):
            await client.orders.equity.place(GTC, second)


async def test_an_unsent_order_counts_for_the_key_that_sends_it(tmp_path: Path) -> None:
    limits = {"keys.first.max_daily_orders": 1, "keys.second.max_daily_orders": 1}
    async with at(tmp_path, evening(), limits) as client:
        number = await number_of(client, GTC)
        with placing("http", api_key="first"), cut_off(client), pytest.raises(NotSent):
            await client.orders.equity.place(GTC, number)
        with placing("http", api_key="second"):
            await client.orders.equity.place(GTC, number)
            with pytest.raises(RiskLimit, match="max_daily_orders .key second"):
                await client.orders.equity.place(OTHER, await number_of(client, OTHER))
        assert (await client.orders.journal.show(number)).api_key == "second"
        with placing("http", api_key="first"):
            await client.orders.equity.place(OTHER, await number_of(client, OTHER))


async def test_at_the_cap_an_open_order_can_be_changed_and_none_be_added(tmp_path: Path) -> None:
    async with at(tmp_path, evening(), {}) as client:
        number = await number_of(client, GTC)
        await client.orders.equity.place(GTC, number)
        before = await client.facts(GTC.account, [], {"max_open_orders"})
        client.desk.limits[:] = parse({"max_open_orders": before.open_orders})
        for price in (61, 62):  # the second changes what the first made
            changed = msgspec.structs.replace(GTC, limit_price=Decimal(price))
            preview = await client.orders.replace.preview(changed, number)
            placed = await client.orders.replace.place(changed, number, preview.conf_num or "")
            number = placed.conf_num or ""
        after = await client.facts(GTC.account, [], {"max_open_orders"})
        assert after.open_orders == before.open_orders
        with pytest.raises(RiskLimit, match="max_open_orders"):
            await client.orders.equity.place(OTHER, await number_of(client, OTHER))


async def test_a_change_counts_with_its_whole_value(tmp_path: Path) -> None:
    """Nobody knows how much of the original traded before the change takes hold."""
    async with at(tmp_path, evening(), {"max_daily_value": 300, "max_daily_orders": 9}) as client:
        number = await number_of(client, GTC)
        await client.orders.equity.place(GTC, number)
        preview = await client.orders.replace.preview(OTHER, number)
        placed = await client.orders.replace.place(OTHER, number, preview.conf_num or "")
        used = {row.rule: row.used for row in (await client.trading.limits()).limits}
        assert used == {"max_daily_value": "242", "max_daily_orders": "2"}
        preview = await client.orders.replace.preview(GTC, placed.conf_num or "")
        with pytest.raises(RiskLimit, match="the day is worth .362"):
            await client.orders.replace.place(GTC, placed.conf_num or "", preview.conf_num or "")


# -- keys ---------------------------------------------------------------------------------------------------


def order_of(price: int) -> dict[str, Any]:
    return {
        "account": "Z10000017",
        "symbol": "KO",
        "action": "buy",
        "quantity": 1,
        "order_type": "limit",
        "limit_price": price,
    }


async def place(http: httpx.AsyncClient, key: str, price: int) -> httpx.Response:
    headers = {"Authorization": f"Bearer {key}"}
    order = order_of(price)
    preview = (await http.post("/orders/equity/preview", json=order, headers=headers)).json()["data"]
    body = {"order": order, "conf_num": preview["conf_num"]}
    return await http.post("/orders/equity/place", json=body, headers=headers)


def rule_of(answer: httpx.Response) -> str:
    assert answer.status_code == 403, answer.text
    details = answer.json()["error"]["details"]
    return f"{details['rule']} {details['scope']}"


@pytest.mark.parametrize("named", [0, 1, 2])
async def test_rotation_sheds_no_limit(named: int, tmp_path: Path) -> None:
    """Three keys, each in the place of the one before; the limits name one of them and hold for all."""
    settings = Settings(
        environment="paper", data_dir=tmp_path, port=0, paper_clock="2026-11-24T11:15:30-05:00"
    )
    with key_ring(settings) as ring:
        made = [ring.create(name="bot")]
        made += [ring.rotate(made[0][1].id, overlap=timedelta(hours=1))]
        made += [ring.rotate(made[1][1].id, overlap=timedelta(hours=1))]
        stranger, _ = ring.create(name="another")
    keys, ids = [key for key, _ in made], [record.id for _, record in made]
    rules = {"max_daily_orders": 3, "max_value": 65, "duplicate_window": 60}
    settings = msgspec.structs.replace(settings, limits={"keys": {ids[named]: rules}})
    async with running(settings) as url, httpx.AsyncClient(base_url=f"{url}/api/v1", timeout=20) as http:
        for number, key in enumerate(keys):
            assert rule_of(await place(http, key, 66)) == f"max_value key {ids[named]}"
            assert (await place(http, key, 60 + number)).status_code == 200
            assert rule_of(await place(http, key, 60)).endswith(f"key {ids[named]}")  # the first one's, again
        assert rule_of(await place(http, keys[0], 50)) == f"max_daily_orders key {ids[named]}"
        headers = {"Authorization": f"Bearer {stranger}"}
        rows = (await http.get("/trading/limits", headers=headers)).json()["data"]["limits"]
        assert {row["used"] for row in rows if row["rule"] == "max_daily_orders"} == {"3"}
        assert (await place(http, stranger, 66)).status_code == 200
        journal = (await http.get("/orders/journal", headers=headers)).json()["data"]["entries"]
        assert [entry["api_key"] for entry in reversed(journal)][:3] == ids, (
            "each under the key that placed it"
        )


def test_of_two_who_rotate_a_key_at_once_one_finds_it_replaced(tmp_path: Path) -> None:
    """Else two keys would stand in its place, and one of them outside its line."""
    path = tmp_path / "service.db"
    other = KeyRing(Store(path))
    _, record = other.create(name="bot")
    meanwhile = [lambda: other.rotate(record.id, overlap=timedelta(0))]

    def clock() -> datetime:
        if meanwhile:
            meanwhile.pop()()
        return datetime(2026, 11, 24, 16, tzinfo=NEW_YORK)

    with pytest.raises(ValidationFailed, match="replaced by"):
        KeyRing(Store(path), clock=clock).rotate(record.id, overlap=timedelta(hours=1))
    assert len(other.all_keys()) == 2
