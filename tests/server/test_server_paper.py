"""Requests that reach the paper broker: the core's own bytes, raw documents, orders, shared reads."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
import server_kit
from server_kit import Daemon, failed

from ftcli.client import Client
from ftcli.config import Settings
from ftcli.environment import open_client
from ftcli.models.json import dumps, loads

Start = Callable[..., Awaitable[Daemon]]
MARGIN = "Z20000025"
ORDER = {
    "account": MARGIN,
    "symbol": "AAPL",
    "action": "buy",
    "quantity": 3,
    "order_type": "limit",
    "limit_price": "1.50",
    "time_in_force": "gtc",
}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        environment="paper",
        data_dir=tmp_path,
        port=0,
        paper_clock="2026-11-24T10:30:00-05:00",
        log_level="DEBUG",
    )


async def good(response: httpx.Response) -> Any:
    assert response.status_code == 200, response.text
    document = loads(response.content)
    assert list(document) == ["ok", "data", "error"]
    assert document["ok"] is True
    assert document["error"] is None
    return document["data"]


async def test_data_are_the_very_bytes_of_the_core(http: httpx.AsyncClient, settings: Settings) -> None:
    calls: list[tuple[str, Callable[[Client], Awaitable[Any]]]] = [
        (f"/accounts/{MARGIN}/positions", lambda ft: ft.accounts.positions(MARGIN)),
        (f"/accounts/{MARGIN}/balances", lambda ft: ft.accounts.balances(MARGIN)),
        (f"/orders/status?acct_ids={MARGIN}", lambda ft: ft.orders.status([MARGIN])),
        ("/market-data/quotes?symbols=AAPL,BRK.B", lambda ft: ft.market_data.quotes(["AAPL", "BRK.B"])),
        (
            "/market-data/quotes?symbols=AAPL&symbols=BRK.B",
            lambda ft: ft.market_data.quotes(["AAPL", "BRK.B"]),
        ),
        ("/market-data/chart/AAPL?start=30d", lambda ft: ft.market_data.chart("AAPL", start="30d")),
    ]
    async with open_client(settings) as ft:
        for path, call in calls:
            wanted = dumps(await call(ft))
            response = await http.get(f"/api/v1{path}")
            assert response.content == b'{"ok":true,"data":' + wanted + b',"error":null}', path


async def test_raw_gives_the_untouched_document(http: httpx.AsyncClient, settings: Settings) -> None:
    async with open_client(settings) as ft:
        positions = await ft.accounts.positions(MARGIN)
        response = await http.get(f"/api/v1/accounts/{MARGIN}/positions?raw=true")
        assert response.content == b'{"ok":true,"data":' + (positions.raw_body or b"") + b',"error":null}'
        assert response.headers["Content-Type"] == "application/vnd.ft.raw+json"
        chart = await ft.market_data.chart("AAPL", start="5d")
        assert (chart.raw_body or b"").startswith(b"jsonp")  # JSONP: given decoded
        assert await good(await http.get("/api/v1/market-data/chart/AAPL?start=5d&raw=true")) == chart.raw
    assert await good(await http.get("/api/v1/auth/status?raw=true")) is None
    plain = await good(await http.get(f"/api/v1/accounts/{MARGIN}/positions?raw=false"))
    assert plain == loads(dumps(positions))
    assert isinstance(plain["totals"]["market_value"], Decimal)


async def test_an_order_walks_from_preview_to_cancel(http: httpx.AsyncClient) -> None:
    preview = await good(await http.post("/api/v1/orders/equity/preview", json=ORDER))
    assert preview["limit_price"] == Decimal("1.50")
    number = preview["conf_num"]
    placed = await good(
        await http.post("/api/v1/orders/equity/place", json={"order": ORDER, "conf_num": number})
    )
    assert (placed["conf_num"], placed["verdict"]) == (number, "accepted")
    detail = await good(await http.get(f"/api/v1/orders/{number}/detail"))
    assert (detail["orders"][0]["state"], detail["orders"][0]["quantity"]) == ("open", 3)
    await good(await http.post(f"/api/v1/orders/{number}/cancel/preview"))
    canceled = await good(
        await http.post(f"/api/v1/orders/{number.lower()}/cancel", json={"account": MARGIN})
    )
    assert canceled["conf_num"] == number
    rejected = await http.post(f"/api/v1/orders/{number}/cancel", json={})
    failed(rejected, 422, "ORDER_REJECTED")


async def test_errors_of_the_core_keep_their_code(http: httpx.AsyncClient) -> None:
    failed(await http.get("/api/v1/accounts/Z99999999/positions"), 404, "NOT_FOUND")
    failed(await http.get("/api/v1/orders/NOSUCH/detail"), 404, "NOT_FOUND")
    failed(await http.get("/api/v1/market-data/quotes?symbols=ZZZZQ"), 404, "NOT_FOUND")
    error = failed(await http.get("/api/v1/accounts/a%20b/positions"), 422, "VALIDATION_ERROR")
    assert error["details"]["field"] == "account"
    failed(await http.get("/api/v1/market-data/chart/AAPL?start=never"), 422, "VALIDATION_ERROR")
    big = ORDER | {"quantity": 10_000_000, "order_type": "market"}
    del big["limit_price"], big["time_in_force"]
    failed(await http.post("/api/v1/orders/equity/preview", json=big), 422, "ORDER_REJECTED")


async def test_login_and_logout(http: httpx.AsyncClient) -> None:
    assert (await good(await http.get("/api/v1/auth/status")))["state"] == "authenticated"
    assert (await good(await http.post("/api/v1/auth/logout")))["state"] == "disconnected"
    error = failed(await http.get("/ready"), 503, "AUTH_REQUIRED")
    assert error["details"]["checks"][0] == {
        "name": "session",
        "ok": False,
        "reason": "Not logged in at the broker.",
    }
    body = {"username": "demo", "password": "wrong-password"}
    refused = failed(await http.post("/api/v1/auth/login", json=body), 401, "AUTH_REQUIRED")
    assert "wrong-password" not in json.dumps(refused)
    right = {"username": "demo", "password": "open-sesame"}
    assert (await good(await http.post("/api/v1/auth/login", json=right)))["state"] == "authenticated"
    assert (await good(await http.get("/ready")))["status"] == "ready"


class Stage:
    """A daemon on a broker whose answers can be held back."""

    def __init__(self, daemon: Daemon, weather: server_kit.Weather, http: httpx.AsyncClient) -> None:
        self.daemon, self.weather, self.http = daemon, weather, http

    def count(self, path: str) -> int:
        return sum(call.endswith(path) for call in self.weather.calls)

    async def arrived(self, requests: int) -> None:
        """Waits until the daemon has that many requests in hand, the one that asks included."""
        async with asyncio.timeout(5):
            while True:
                text = (await self.http.get("/metrics")).text
                if f"ft_http_requests_open {requests + 1}\n" in text:
                    return


@pytest.fixture
async def stage(settings: Settings, start: Start) -> AsyncIterator[Stage]:
    weather = server_kit.Weather()
    daemon = await start(settings, opener=weather.opener)
    async with daemon.client() as http:
        await good(await http.get(f"/api/v1/accounts/{MARGIN}/positions"))
        weather.calls.clear()
        yield Stage(daemon, weather, http)
        weather.gate.set()


async def test_identical_reads_share_one_call(stage: Stage) -> None:
    path = f"/api/v1/accounts/{MARGIN}/positions"
    stage.weather.gate.clear()
    reads = [
        asyncio.create_task(stage.http.get(path + query)) for query in ("", "", "?raw=true", "?raw=false")
    ]
    await stage.arrived(4)
    stage.weather.gate.set()
    answers = await asyncio.gather(*reads)
    assert stage.count("position/v2") == 1
    assert answers[0].content == answers[1].content == answers[3].content
    assert "portfolioDetail" in answers[2].text
    assert "ft_http_shared_reads_total 3\n" in (await stage.http.get("/metrics")).text


async def test_previews_are_never_shared(stage: Stage) -> None:
    stage.weather.gate.clear()
    url = "/api/v1/orders/equity/preview"
    previews = [asyncio.create_task(stage.http.post(url, json=ORDER)) for _ in range(3)]
    await stage.arrived(3)
    stage.weather.gate.set()
    numbers = {(await good(await preview))["conf_num"] for preview in previews}
    assert len(numbers) == 3


async def test_shared_errors_reach_everybody(stage: Stage) -> None:
    stage.weather.gate.clear()
    stage.weather.down = True
    reads = [asyncio.create_task(stage.http.get("/api/v1/orders/status")) for _ in range(3)]
    await stage.arrived(3)
    stage.weather.gate.set()
    for read in reads:
        failed(await read, 502, "FIDELITY_ERROR")


async def test_a_client_that_leaves_does_not_stop_an_order(stage: Stage) -> None:
    preview = await good(await stage.http.post("/api/v1/orders/equity/preview", json=ORDER))
    stage.weather.gate.clear()
    body = {"order": ORDER, "conf_num": preview["conf_num"]}
    place = asyncio.create_task(stage.http.post("/api/v1/orders/equity/place", json=body))
    await stage.arrived(1)
    place.cancel()
    await asyncio.wait([place])
    stage.weather.gate.set()
    detail = await good(await stage.http.get(f"/api/v1/orders/{preview['conf_num']}/detail"))
    assert detail["orders"][0]["state"] == "open"
    assert stage.count("equity/place/v1") == 1


async def test_live_orders_need_the_switch(tmp_path: Path, start: Start) -> None:
    # The live environment against an address where nobody answers: the gate refuses before anything is sent.
    settings = Settings(
        environment="live", upstream="http://127.0.0.1:9", data_dir=tmp_path, port=0, timeout=1
    )
    daemon = await start(settings)
    async with daemon.client() as http:
        info = await good(await http.get("/api/v1/service/info"))
        assert (info["environment"], info["live_trading"], info["session"]) == ("live", False, "disconnected")
        failed(await http.get("/ready"), 503, "AUTH_REQUIRED")
        failed(await http.get("/api/v1/accounts"), 401, "AUTH_REQUIRED")
        failed(await http.get("/api/v1/streaming/quotes?symbols=KO"), 401, "AUTH_REQUIRED")


async def test_a_fault_shows_its_number_and_nothing_else(
    settings: Settings, start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> datetime:
        raise RuntimeError("inner secret detail")

    @asynccontextmanager
    async def opener(settings: Settings) -> AsyncIterator[Client]:
        async with open_client(settings) as paper:
            yield Client(settings, paper.broker, broken)

    daemon = await start(settings, opener=opener)
    async with daemon.client() as http:
        response = await http.get("/api/v1/market-data/chart/AAPL", headers={"X-Request-Id": "find-me"})
        error = failed(response, 500, "INTERNAL")
        assert error["details"] == {"request_id": "find-me"}
        assert "inner secret detail" not in response.text
        assert "Traceback" not in response.text
        record = next(record for record in caplog.records if "find-me" in record.getMessage())
        assert "inner secret detail" in (record.exc_text or "")
        assert (await http.get("/health")).status_code == 200
