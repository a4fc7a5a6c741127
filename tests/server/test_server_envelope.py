"""Whatever goes wrong, the answer is the envelope, with the right code; and the headers are always there."""

import asyncio
import gzip
import json
import re
from collections.abc import Awaitable, Callable

import httpx
import pytest
from server_kit import Daemon, failed

from ftcli.config import Settings
from ftcli.server import protocol, routes
from ftcli.server.door import MAX_BODY

Start = Callable[..., Awaitable[Daemon]]

JSON = {"Content-Type": "application/json"}
LOGOUT = b"POST /api/v1/auth/logout HTTP/1.1\r\nHost: localhost\r\n"


async def test_health_is_the_documented_document_and_needs_no_key(daemon: Daemon) -> None:
    async with daemon.client(None) as http:
        for path in ("/health", "/api/v1/health"):
            response = await http.get(path)
            assert response.status_code == 200
            assert response.content == b'{"ok":true,"data":{"status":"healthy"},"error":null}'
            assert response.headers["Content-Type"] == "application/json; charset=utf-8"


async def test_every_answer_carries_the_security_headers(http: httpx.AsyncClient) -> None:
    for path in ("/health", "/nowhere", "/docs", "/metrics"):
        headers = (await http.get(path)).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["Server"] == "ft"
        assert headers["X-Request-Id"]
        assert headers["Cache-Control"] == ("no-cache" if path == "/docs" else "no-store")
        assert "Access-Control-Allow-Origin" not in headers


async def test_request_ids_come_back_if_well_formed(http: httpx.AsyncClient) -> None:
    mine = await http.get("/health", headers={"X-Request-Id": "job-17.a_b"})
    assert mine.headers["X-Request-Id"] == "job-17.a_b"
    for bad in ("a b", "x" * 65, "new\tline", ""):
        other = (await http.get("/health", headers={"X-Request-Id": bad})).headers["X-Request-Id"]
        assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]+", other)


async def test_unknown_routes(http: httpx.AsyncClient) -> None:
    for path in (
        "/nowhere",
        "/api/v1/accounts/",
        "/api/v1//accounts",
        "/api/v2/accounts",
        "/docs/../etc/passwd",
    ):
        error = failed(await http.get(path), 404, "NOT_FOUND")
        assert "/docs" in error["message"]


async def test_wrong_methods_name_the_right_ones(http: httpx.AsyncClient) -> None:
    response = await http.delete("/api/v1/accounts")
    error = failed(response, 405, "NOT_FOUND")
    assert response.headers["Allow"] == "GET, HEAD, OPTIONS"
    assert error["details"]["methods"] == ["GET", "HEAD", "OPTIONS"]
    response = await http.get("/api/v1/orders/equity/preview")
    failed(response, 405, "NOT_FOUND")
    assert response.headers["Allow"] == "OPTIONS, POST"


async def test_options_and_head(http: httpx.AsyncClient) -> None:
    options = await http.options("/api/v1/orders/equity/place", headers={"Origin": "https://evil.example"})
    assert (options.status_code, options.content) == (204, b"")
    assert options.headers["Allow"] == "OPTIONS, POST"
    assert "Access-Control-Allow-Origin" not in options.headers
    failed(await http.options("/nowhere"), 404, "NOT_FOUND")
    head, get = await http.head("/health"), await http.get("/health")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Content-Length"] == get.headers["Content-Length"] == str(len(get.content))


@pytest.mark.parametrize(
    ("path", "field", "rule"),
    [
        ("/api/v1/accounts?symbol=A", "symbol", "not be given"),
        ("/api/v1/accounts/Z20000025/positions?acct=Z1", "acct", "be given in the path only"),
        ("/api/v1/market-data/quotes", "symbols", "be given"),
        ("/api/v1/market-data/chart/AAPL?width=fortnight", "width", "be one of 1, 5, 15, 30, 60, day"),
        ("/api/v1/market-data/chart/AAPL?width=5&width=15", "width", "be given once"),
        ("/api/v1/market-data/chart/AAPL?extended=perhaps", "extended", "be true or false"),
        ("/api/v1/accounts?raw=perhaps", "raw", "be true or false"),
        ("/api/v1/auth/status?ofline=true", "ofline", "be one of offline"),
    ],
)
async def test_bad_parameters_name_field_value_and_rule(
    http: httpx.AsyncClient, path: str, field: str, rule: str
) -> None:
    error = failed(await http.get(path), 422, "VALIDATION_ERROR")
    assert error["details"]["field"] == field
    assert error["details"]["rule"].startswith(rule)
    assert set(error["details"]) == {"field", "value", "rule"}


ORDER = {
    "account": "Z20000025",
    "symbol": "AAPL",
    "action": "buy",
    "quantity": 10,
    "order_type": "limit",
    "limit_price": 150.00,
}


@pytest.mark.parametrize(
    ("body", "field", "rule"),
    [
        (b"", "body", "be given"),
        (b"[1]", "body", "be a JSON object"),
        (b'{"account": ', "body", "be valid JSON"),
        (b"\xff\xfe", "body", "be valid JSON"),
        (b'{"a": NaN}', "body", "be valid JSON"),
        (b"[" * 100_000, "body", "be valid JSON"),
        (json.dumps(ORDER | {"action": "by"}).encode(), "action", "be one of buy, sell"),
        (json.dumps(ORDER | {"colour": 1}).encode(), "colour", "be one of account, symbol"),
        (json.dumps(ORDER | {"order_type": "stop"}).encode(), "limit_price", "be one of"),
        (json.dumps(ORDER | {"quantity": 0}).encode(), "quantity", "be above zero"),
        (json.dumps(ORDER | {"quantity": True}).encode(), "quantity", "be a number"),
        (json.dumps(ORDER | {"time_in_force": 3}).encode(), "time_in_force", "be one of day"),
    ],
)
async def test_bad_bodies_name_field_value_and_rule(
    http: httpx.AsyncClient, body: bytes, field: str, rule: str
) -> None:
    response = await http.post("/api/v1/orders/equity/preview", content=body, headers=JSON)
    error = failed(response, 422, "VALIDATION_ERROR")
    assert error["details"]["field"] == field
    assert error["details"]["rule"].startswith(rule)


async def test_members_of_bodies_are_checked(http: httpx.AsyncClient) -> None:
    async def place(body: object) -> dict[str, object]:
        response = await http.post("/api/v1/orders/equity/place", json=body)
        found: dict[str, object] = failed(response, 422, "VALIDATION_ERROR")["details"]
        return found

    assert (await place({"order": ORDER}))["field"] == "conf_num"
    assert (await place({"conf_num": "C1"}))["field"] == "order"
    assert (await place({"order": ORDER, "conf_num": 7}))["field"] == "conf_num"
    assert (await place({"order": ORDER, "conf_num": "C1", "confnum": "C1"}))["field"] == "confnum"
    assert (await place([]))["field"] == "body"


async def test_wrong_content_types(http: httpx.AsyncClient) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
        response = await http.post(
            "/api/v1/orders/equity/preview", content=json.dumps(ORDER), headers={"Content-Type": kind}
        )
        error = failed(response, 422, "VALIDATION_ERROR")
        assert error["details"]["field"] == "Content-Type"
    packed = gzip.compress(json.dumps(ORDER).encode())
    response = await http.post(
        "/api/v1/orders/equity/preview", content=packed, headers={**JSON, "Content-Encoding": "gzip"}
    )
    assert failed(response, 422, "VALIDATION_ERROR")["details"]["field"] == "Content-Encoding"


async def test_bodies_over_the_limit(daemon: Daemon, http: httpx.AsyncClient) -> None:
    response = await http.post("/api/v1/orders/equity/preview", content=b"x" * (MAX_BODY + 1), headers=JSON)
    assert failed(response, 422, "VALIDATION_ERROR")["details"]["rule"] == f"have at most {MAX_BODY} bytes"
    assert response.headers["Connection"] == "close"

    async def endless() -> object:
        for _ in range(64):
            yield b"x" * 16384

    chunked = await http.post("/api/v1/orders/equity/preview", content=endless(), headers=JSON)  # type: ignore[arg-type]
    failed(chunked, 422, "VALIDATION_ERROR")
    assert (await http.get("/health")).status_code == 200


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\x16\x03\x01\x02\x00 hello\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"BREW@ /pot HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: localhost\r\nBroken header\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * 9000 + b"\r\n\r\n",
        b"GET /" + b"y" * 9000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: localhost\r\n"
        + b"".join(b"X%d: y\r\n" % n for n in range(200))
        + b"\r\n",
        LOGOUT + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        LOGOUT + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
)
async def test_what_is_no_http_gets_the_envelope_too(daemon: Daemon, request_bytes: bytes) -> None:
    answer = await daemon.raw(request_bytes)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.split(b"\r\n")[0].split(b" ")[1] == b"400"
    assert b"X-Request-Id: " in head
    document = json.loads(body)
    assert document["error"]["code"] == "VALIDATION_ERROR"
    async with daemon.client() as http:
        assert (await http.get("/health")).status_code == 200


async def test_strange_expectations(http: httpx.AsyncClient) -> None:
    failed(await http.post("/api/v1/auth/logout", headers={"Expect": "a-miracle"}), 422, "VALIDATION_ERROR")


async def test_a_body_is_asked_for_only_once_the_key_has_been_looked_at(daemon: Daemon) -> None:
    def asking(target: str, key: str, *lines: str) -> bytes:
        head = [f"POST {target} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {key}", *lines]
        head += ["Expect: 100-continue", "Content-Type: application/json", "Content-Length: 2"]
        return ("\r\n".join(head) + "\r\n\r\n").encode()

    path = "/api/v1/orders/equity/preview"
    for refused in (
        asking(path, "ft_wrong"),
        asking("/nowhere", ""),
        asking(path, daemon.key, "Origin: null"),
    ):
        answer = await daemon.raw(refused)  # and the connection is closed: a body may come after all
        assert b"100 Continue" not in answer
        assert answer.split(b" ")[1] in (b"403", b"404", b"422")
    reader, writer = await asyncio.open_connection("127.0.0.1", daemon.port)
    for _ in range(2):
        writer.write(asking(path, daemon.key))
        assert await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5) == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"{}")
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
        assert head.startswith(b"HTTP/1.1 422 ")
        length = re.search(rb"Content-Length: (\d+)", head)
        assert length is not None
        await reader.readexactly(int(length[1]))
    writer.close()


async def test_who_does_not_finish_is_cut_off(
    settings: Settings, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(protocol._LIMITS, "keepalive_timeout", 0.2)
    monkeypatch.setattr(routes, "BODY_SECONDS", 0.2)
    daemon = await start(settings)
    assert await daemon.raw(b"GET /health HTTP/1.1\r\nHost: loc") == b""  # half a header
    assert await daemon.raw(b"") == b""  # nothing at all
    head = f"Host: localhost\r\nAuthorization: Bearer {daemon.key}\r\nContent-Type: application/json\r\n"
    request = f"POST /api/v1/auth/login HTTP/1.1\r\n{head}Content-Length: 50\r\n\r\n{{"  # half a body
    answer = await daemon.raw(request.encode())
    assert answer.startswith(b"HTTP/1.1 422 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["details"]["field"] == "body"


async def test_big_public_bodies_are_compressed_where_wanted(daemon: Daemon) -> None:
    async with daemon.client(None) as http:
        packed = await http.get("/openapi.json", headers={"Accept-Encoding": "gzip"})
        plain = await http.get("/openapi.json", headers={"Accept-Encoding": "identity"})
        refused = await http.get("/openapi.json", headers={"Accept-Encoding": "gzip;q=0"})
        assert packed.headers["Content-Encoding"] == "gzip"
        assert packed.headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding"
        assert int(packed.headers["Content-Length"]) * 4 < int(plain.headers["Content-Length"])
        assert "Content-Encoding" not in plain.headers
        assert "Content-Encoding" not in refused.headers
        assert packed.json() == plain.json()
        again = await http.get("/openapi.json", headers={"If-None-Match": packed.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")


async def test_metrics_count_by_route(http: httpx.AsyncClient) -> None:
    for _ in range(3):
        await http.get("/health")
    await http.get("/secret-looking-path")
    text = (await http.get("/metrics")).text
    assert 'ft_http_requests_total{route="service.health",status="200"} 3' in text
    assert 'ft_http_requests_total{route="unknown",status="404"} 1' in text
    assert 'ft_http_request_seconds_count{route="service.health"} 3' in text
    assert 'ft_http_request_seconds_bucket{route="service.health",le="+Inf"} 3' in text
    assert "secret-looking-path" not in text
    assert all(line.startswith(("#", "ft_")) for line in text.splitlines())
