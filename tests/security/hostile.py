"""What a hostile client may send: one generator per kind, each yielding (name, request bytes, good answers)."""

import json
from collections.abc import Iterator
from typing import NamedTuple


class Shot(NamedTuple):
    """One bad request.

    Attributes:
        name: What it tries.
        data: The bytes.
        codes: HTTP statuses that are right; 0 stands for a connection closed without an answer.
        answers: How many answers may come back; a smuggled second request must get none.
    """

    name: str
    data: bytes
    codes: frozenset[int]
    answers: int = 1


KEYED = (
    ("GET", "/api/v1/accounts"),
    ("GET", "/api/v1/accounts/Z20000025/positions"),
    ("GET", "/api/v1/orders/status"),
    ("GET", "/api/v1/streaming/quotes?symbols=KO"),
    ("GET", "/api/v1/service/info"),
    ("GET", "/metrics"),
    ("GET", "/ready"),
    ("POST", "/api/v1/orders/equity/place"),
    ("POST", "/api/v1/orders/ABC12345/cancel"),
    ("POST", "/api/v1/auth/login"),
    ("POST", "/api/v1/auth/logout"),
    ("POST", "/api/v1/auth/credentials"),
    ("DELETE", "/api/v1/auth/credentials"),
    ("POST", "/api/v1/streaming/tickets"),
)
WRITES = tuple(route for route in KEYED if route[0] != "GET")


def request(
    method: str, target: str, *lines: str, host: str = "localhost", key: str = "", body: bytes | None = None
) -> bytes:
    """A request as bytes, closed after its answer."""
    head = [f"{method} {target} HTTP/1.1", f"Host: {host}", "Connection: close"]
    if key:
        head.append(f"Authorization: Bearer {key}")
    head += lines
    if body is not None:
        head.append(f"Content-Length: {len(body)}")
        if not any(line.lower().startswith("content-type") for line in lines):
            head.append("Content-Type: application/json")
    elif method in ("POST", "PUT"):
        head.append("Content-Length: 0")
    return ("\r\n".join(head) + "\r\n\r\n").encode("latin-1") + (body or b"")


def _codes(*codes: int) -> frozenset[int]:
    return frozenset(codes)


def bad_keys(good: str, revoked: str, expired: str, reader: str, unknown: str) -> Iterator[Shot]:
    """Missing, wrong, truncated, expired and revoked keys, and keys in places where none belongs."""
    typo = good[:20] + ("A" if good[20] != "A" else "B") + good[21:]
    headers = {
        "missing": [],
        "empty": ["Authorization:"],
        "bare scheme": ["Authorization: Bearer"],
        "basic": [f"Authorization: Basic {good}"],
        "no scheme": [f"Authorization: {good}"],
        "truncated": [f"Authorization: Bearer {good[:-1]}"],
        "prolonged": [f"Authorization: Bearer {good}x"],
        "mistyped": [f"Authorization: Bearer {typo}"],
        "other case": [f"Authorization: Bearer {good.swapcase()}"],
        "unknown": [f"Authorization: Bearer {unknown}"],
        "revoked": [f"Authorization: Bearer {revoked}"],
        "expired": [f"Authorization: Bearer {expired}"],
        "two keys": [f"Authorization: Bearer {unknown},{good}"],
        "high bytes": ["Authorization: Bearer ft_\xff\xfe\xfd"],
        "cookie": [f"Cookie: Authorization={good}; api_key={good}"],
        "other header": [f"X-API-Key: {good}"],
        "huge": [f"Authorization: Bearer ft_{'A' * 7000}"],
        "sql": ["Authorization: Bearer ft_' OR 1=1 --"],
    }
    for method, target in KEYED:
        for name, lines in headers.items():
            yield Shot(f"{name} key, {method} {target}", request(method, target, *lines), _codes(403))
        sign = "&" if "?" in target else "?"
        for param in ("api_key", "key", "authorization", "access_token"):
            in_url = f"{target}{sign}{param}={good}"
            yield Shot(f"key in URL as {param}, {method} {target}", request(method, in_url), _codes(403))
    for method, target in WRITES:
        yield Shot(f"reader's key, {method} {target}", request(method, target, key=reader), _codes(403))


def bad_hosts(key: str) -> Iterator[Shot]:
    """Names that an attacker can own."""
    names = (
        *(
            "evil.example",
            "evil.example:8787",
            "localhost.evil.example",
            "127.0.0.1.nip.io",
            "127.0.0.1.evil.example",
        ),
        *(
            "localhost@evil.example",
            "evil.example@localhost",
            "localhost:99999",
            "localhost:x",
            "localhost/evil",
        ),
        *("[::1", "169.254.169.254", "0.0.0.0", "2130706433.evil.example", "evil.example#localhost"),
        *("evil.example?localhost", "local host", "", "localhost,evil.example", "xn--lcalhost-54a.example"),
    )
    for name in names:
        for method, target in (KEYED[0], KEYED[7], ("GET", "/health"), ("GET", "/docs")):
            data = request(method, target, host=name, key=key, body=b"{}" if method == "POST" else None)
            yield Shot(f"Host {name!r}, {method} {target}", data, _codes(400, 422))
    twice = request("GET", "/health", "Host: evil.example", key=key)
    yield Shot("two Hosts", twice, _codes(400, 422))
    yield Shot("no Host", b"GET /health HTTP/1.1\r\nConnection: close\r\n\r\n", _codes(400, 422))
    absolute = request("GET", "http://evil.example/health", host="evil.example", key=key)
    yield Shot("absolute form", absolute, _codes(400, 404, 422))


def bad_origins(key: str) -> Iterator[Shot]:
    """Pages of other sites."""
    origins = (
        *(
            "https://evil.example",
            "http://evil.example:8787",
            "null",
            "file://",
            "http://localhost.evil.example",
        ),
        *(
            "http://localhost:3000",
            "http://127.0.0.1:1",
            "https://localhost",
            "http://localhost@evil.example",
        ),
        *("chrome-extension://abc", "http://localhost/", "javascript:alert(1)"),
    )
    for origin in origins:
        for method, target in WRITES:
            body = b"{}" if method == "POST" else None
            data = request(method, target, f"Origin: {origin}", host="localhost:8787", key=key, body=body)
            yield Shot(f"Origin {origin}, {method} {target}", data, _codes(422))


def bad_bodies(key: str) -> Iterator[Shot]:
    """Bodies that are none, too large, or of another shape."""
    bodies = {
        "no JSON": b"hello",
        "half JSON": b'{"order": {"account":',
        "trailing": b"{} {}",
        "array": b"[1,2,3]",
        "text": b'"x"',
        "number": b"12",
        "true": b"true",
        "NaN": b'{"order": NaN}',
        "bad UTF-8": b'{"order": "\xff\xfe"}',
        "UTF-16": '{"order": {}}'.encode("utf-16"),
        "deep": b"[" * 50_000 + b"]" * 50_000,
        "deep objects": b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
        "unknown member": b'{"__proto__": {"live_trading": true}}',
        "huge number": b'{"order": {"account": "Z20000025", "quantity": 1e999999999}}',
        "huge digits": b'{"order": ' + b"9" * 100_000 + b"}",
        "null byte": b'{"order": "\\u0000"}',
        "too large": b'{"order": "' + b"x" * 300_000 + b'"}',
        "XML": b"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><x>&a;</x>",
    }
    order = (
        '"account": "Z20000025", "symbol": "KO", "action": "buy", "order_type": "limit", "limit_price": 50, '
        '"time_in_force": "day"'
    )
    quantities = {
        "60 digits": "9" * 60,
        "5000 digits": "9" * 5000,
        "100000 digits as text": f'"{"9" * 100_000}"',
        "1e400": "1e400",
        "1e-400": "1e-400",
        "huge exponent": '"1e999999999999"',
        "many decimals": f"1.{'1' * 2000}",
        "Infinity": "Infinity",
        "-Infinity": "-Infinity",
        "NaN as text": '"NaN"',
        "sNaN as text": '"sNaN"',
        "Infinity as text": '"Infinity"',
        "minus zero": "-0",
        "underscore": '"1_0"',
        "full-width digits": '"\uff11\uff10"',
        "hexadecimal": '"0x1"',
        "true": "true",
        "list": "[1]",
        "twice": '1, "quantity": 2',
        "lone surrogate beside": '1, "note": "\\ud800"',
    }
    bodies |= {
        f"quantity {name}": f'{{{order}, "quantity": {text}}}'.encode() for name, text in quantities.items()
    }
    bodies |= {
        "wide": b"{" + b",".join(b'"k%d":1' % number for number in range(20_000)) + b"}",
        "colliding": b"{" + b",".join(b'"%d":1' % (number * (2**61 - 1)) for number in range(8000)) + b"}",
        "nested twice": b'{"order": {"account": "Z20000025", "account": "Z10000017"}, "conf_num": "X"}',
        "byte order mark": b'\xef\xbb\xbf{"order": {}}',
        "surrogate key": b'{"\\udfff": 1}',
    }
    for name, body in bodies.items():
        for target in (
            "/api/v1/orders/equity/place",
            "/api/v1/orders/equity/preview",
            "/api/v1/auth/credentials",
        ):
            data = request("POST", target, key=key, body=body)
            yield Shot(f"{name} body, {target}", data, _codes(422))
    good = json.dumps({"order": {}, "conf_num": "X"}).encode()
    for kind in (
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/xml",
        "text/plain, application/json",
        "application/problem+json",
        "application/json; charset=utf-16",
        "application/json; charset=utf-7",
        "application/json; charset=../../x",
    ):
        data = request("POST", "/api/v1/orders/equity/place", f"Content-Type: {kind}", key=key, body=good)
        yield Shot(f"body as {kind}", data, _codes(422))
    for coding in ("gzip", "br", "deflate", "x-evil"):
        data = request(
            "POST", "/api/v1/orders/equity/place", f"Content-Encoding: {coding}", key=key, body=good
        )
        yield Shot(f"body coded {coding}", data, _codes(422))


def bad_paths(key: str) -> Iterator[Shot]:
    """Path tricks and wrong methods."""
    paths = (
        *(
            "/..",
            "/../etc/passwd",
            "/docs/../../etc/passwd",
            "/docs/%2e%2e/%2e%2e/etc/passwd",
            "/docs/..%2f..%2fkeys",
        ),
        *(
            "//api/v1/accounts",
            "/api//v1/accounts",
            "/api/v1/accounts/",
            "/api/v1/ACCOUNTS",
            "/api/v2/accounts",
        ),
        *(
            "/api/v1/accounts;x=1",
            "/api/v1/accounts%00",
            "/api/v1/accounts%0d%0aX: y",
            "/api/v1/%61ccounts/../keys",
        ),
        *(
            "/api/v1/keys",
            "/admin",
            "/.env",
            "/.git/config",
            "/service.db",
            "/encryption.key",
            "/api/v1/../../metrics",
        ),
        *(
            "/docs/docs.html%00.js",
            "/static/docs.js",
            "/\\..\\..\\windows",
            "/api/v1/accounts/..%5c..",
            "/%c0%ae%c0%ae/",
        ),
    )
    for path in paths:
        yield Shot(f"path {path}", request("GET", path, key=key), _codes(400, 404, 422))
    for account in (
        "..",
        "%2e%2e",
        "A" * 500,
        "Z2000002%35%0aX",
        "'; DROP TABLE x;--",
        "Z20000025%2fpositions",
    ):
        target = f"/api/v1/accounts/{account.replace(' ', '%20')}/positions"
        yield Shot(f"account {account[:20]}", request("GET", target, key=key), _codes(400, 404, 422))
    for path in ("service/info", "streaming/subscriptions", "streaming/status"):
        shot = request("GET", f"/api/v1/{path}?raw=true", key=key)
        yield Shot(f"query of {path}", shot, _codes(422))
    crowd = request("GET", f"/api/v1/service/info?{'&'.join('a' for _ in range(3900))}", key=key)
    yield Shot("thousands of parameters", crowd, _codes(422))
    for query in ("x=1", "raw=maybe", "raw=true&evil=1", "%00=1", "acct=Z20000025", "__proto__=1"):
        target = f"/api/v1/accounts/Z20000025/positions?{query}"
        yield Shot(f"query {query}", request("GET", target, key=key), _codes(422))
    for method in ("PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "CONNECT"):
        data = request(method, "/api/v1/accounts", key=key)
        yield Shot(f"method {method}", data, _codes(400, 404, 405))
    long = request("GET", "/api/v1/accounts?" + "a=1&" * 5000, key=key)
    yield Shot("long URL", long, _codes(400, 414))
    yield Shot("large header", request("GET", "/health", f"X-Big: {'x' * 20_000}"), _codes(400, 431))
    many = request("GET", "/health", *(f"X-{number}: 1" for number in range(500)))
    yield Shot("many headers", many, _codes(400, 431))


def smuggling(key: str) -> Iterator[Shot]:
    """Requests whose end two servers could see at different places, and bytes that are no HTTP."""
    hidden = request("POST", "/api/v1/auth/logout", key=key)
    head = f"POST /api/v1/auth/login HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n".encode()
    bad = _codes(0, 400, 413, 422, 501)
    forms = {
        "CL and TE": b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "TE and CL": b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
        "two CL": b"Content-Length: 0\r\nContent-Length: 44\r\n\r\n",
        "CL list": b"Content-Length: 0, 44\r\n\r\n",
        "CL plus": b"Content-Length: +0\r\n\r\n",
        "CL minus": b"Content-Length: -1\r\n\r\n",
        "CL hex": b"Content-Length: 0x0\r\n\r\n",
        "CL underscore": b"Content-Length: 1_0\r\n\r\n",
        "CL blank inside": b"Content-Length: 1 0\r\n\r\n",
        "TE other": b"Transfer-Encoding: xchunked\r\n\r\n",
        "TE twice": b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
        "TE identity": b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "TE coded": b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "two keys": b"Authorization: Bearer x\r\nContent-Length: 0\r\n\r\n",
        "two origins": b"Origin: http://localhost\r\nOrigin: http://evil.example\r\nContent-Length: 0\r\n\r\n",
        "TE blank before colon": b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        "TE tab": b"Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n",
        "folded": b"X-A: b\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "bad chunk size": b"Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
        "negative chunk": b"Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n",
        "chunk without end": b"Transfer-Encoding: chunked\r\n\r\n1\r\nAB\r\n0\r\n\r\n",
        "TE in HTTP/1.0": b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "bare LF in header": b"X-A: b\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "chunk lines end in LF": b"Transfer-Encoding: chunked\r\n\r\n2\n{}\n0\n\n",
        "LF in chunk extension": b"Transfer-Encoding: chunked\r\n\r\n2;a\nb\r\n{}\r\n0\r\n\r\n",
        "chunk size 0x": b"Transfer-Encoding: chunked\r\n\r\n0x2\r\n{}\r\n0\r\n\r\n",
        "chunk size too large": b"Transfer-Encoding: chunked\r\n\r\n10000000000000002\r\n{}\r\n0\r\n\r\n",
        "blank after chunk size": b"Transfer-Encoding: chunked\r\n\r\n2 \r\n{}\r\n0\r\n\r\n",
        "odd expectation": b"Expect: 200-maybe\r\nContent-Length: 44\r\n\r\n",
        "null in header": b"X-A: b\x00c\r\n\r\n",
        "bare CR in header": b"X-A: b\rX-B: c\r\n\r\n",
        "no colon": b"Nonsense\r\n\r\n",
        "empty name": b": x\r\n\r\n",
        "blank in name": b"X A: b\r\n\r\n",
    }
    for name, rest in forms.items():
        first = head.replace(b"HTTP/1.1", b"HTTP/1.0") if name.endswith("1.0") else head
        yield Shot(name, first + rest + hidden, bad, answers=1)
    for target in ("http://evil.example/api/v1/accounts", "https://localhost/api/v1/accounts"):
        yield Shot(f"absolute {target}", request("GET", target, key=key), bad)
    wide = request("GET", "/api/v1/accounts", *(f"X-{number}: {'x' * 8000}" for number in range(90)), key=key)
    yield Shot("large head", wide, _codes(0, 400, 413, 422, 431))
    raw = {
        "authority form": b"CONNECT evil.example:443 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "asterisk": b"GET * HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "tabs in request line": b"GET\t/health\tHTTP/1.1\r\nHost: localhost\r\n\r\n",
        "lower case protocol": b"GET /health http/1.1\r\nHost: localhost\r\n\r\n",
        "HTTP/1.2": b"GET /health HTTP/1.2\r\nHost: localhost\r\n\r\n",
        "bytes above ASCII": b"GET /health?\xff=\xfe HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "bare LF": b"GET /health HTTP/1.1\nHost: localhost\n\n",
        "HTTP/0.9": b"GET /health\r\n\r\n",
        "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "HTTP/9": b"GET /health HTTP/9.9\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        "TLS hello": bytes.fromhex("16030100a5010000a10303") + b"\x00" * 60 + b"\r\n\r\n",
        "zeros": b"\x00" * 200 + b"\r\n\r\n",
        "no method": b" /health HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "bad method": b"G\x01T /health HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "redis": b"*1\r\n$4\r\nPING\r\n\r\n",
        "ssh": b"SSH-2.0-OpenSSH_9.0\r\n\r\n",
    }
    for name, data in raw.items():
        yield Shot(name, data, bad)
