"""Where the daemon may stand, and which requests it does not even look at."""

from collections.abc import Awaitable, Callable

import msgspec
import pytest
from server_kit import Daemon, failed

from ftcli.config import Settings
from ftcli.errors import ValidationFailed
from ftcli.server.door import Door, check_bind, is_loopback


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.3.2.1", True),
        ("::1", True),
        ("[::1]", True),
        ("localhost", True),
        ("ft.localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.1.4", False),
        ("localhost.evil.example", False),
        ("127.0.0.1.nip.io", False),
        ("", False),
    ],
)
def test_what_is_loopback(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


def test_an_open_bind_needs_keys(settings: Settings) -> None:
    for host in ("0.0.0.0", "::", "192.168.1.4", "example.com"):
        check_bind(msgspec.structs.replace(settings, host=host))
        with pytest.raises(ValidationFailed, match="FTSERVICE_API_KEY_REQUIRED"):
            check_bind(msgspec.structs.replace(settings, host=host, api_key_required=False))
    check_bind(msgspec.structs.replace(settings, api_key_required=False))


@pytest.mark.parametrize(
    ("host", "at_home", "in_network"),
    [
        ("localhost:8787", True, True),
        ("LOCALHOST", True, True),
        ("127.0.0.1:1", True, True),
        ("[::1]:8787", True, True),
        ("192.168.1.4:8787", False, True),
        ("ft:8787", False, True),
        ("evil.example", False, False),
        ("localhost.evil.example:8787", False, False),
        ("localhost:8787@evil.example", False, False),
        ("localhost:http", False, False),
        ("localhost:99999", False, False),
        ("localhost/evil", False, False),
        ("local host", False, False),
        ("", False, False),
        ("[::1", False, False),
    ],
)
def test_hosts(host: str, at_home: bool, in_network: bool) -> None:
    for bound, good in (("127.0.0.1", at_home), ("0.0.0.0", in_network)):
        door = Door(bound)
        for _ in range(2):
            if good:
                door.check_host([host])
            else:
                with pytest.raises(ValidationFailed):
                    door.check_host([host])


def test_one_host_only() -> None:
    for hosts in ([], ["localhost", "localhost"]):
        with pytest.raises(ValidationFailed):
            Door("127.0.0.1").check_host(hosts)


@pytest.mark.parametrize(
    ("origin", "good"),
    [
        (None, True),
        ("http://localhost:8787", True),
        ("http://127.0.0.1:8787", True),
        ("https://localhost:8787", True),
        ("http://localhost:3000", False),
        ("http://localhost", False),
        ("https://evil.example", False),
        ("http://localhost.evil.example:8787", False),
        ("http://evil.example:8787", False),
        ("null", False),
        ("", False),
        ("file://", False),
        ("http://localhost:8787/x", False),
        ("http://localhost:port", False),
    ],
)
def test_origins(origin: str | None, good: bool) -> None:
    if good:
        Door("127.0.0.1").check_origin(origin, "localhost:8787")
    else:
        with pytest.raises(ValidationFailed):
            Door("127.0.0.1").check_origin(origin, "localhost:8787")


async def test_foreign_hosts_and_pages_do_not_come_in(daemon: Daemon) -> None:
    async with daemon.client() as http:
        for path in ("/health", "/api/v1/accounts", "/docs", "/nowhere"):
            response = await http.get(path, headers={"Host": "evil.example"})
            assert failed(response, 422, "VALIDATION_ERROR")["details"]["field"] == "Host"
        foreign = {"Origin": "https://evil.example"}
        response = await http.post("/api/v1/auth/logout", headers=foreign)
        assert failed(response, 422, "VALIDATION_ERROR")["details"]["field"] == "Origin"
        socket = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
        response = await http.get(
            "/api/v1/ws/quotes", headers={**foreign, **socket, "Sec-WebSocket-Key": "x" * 24}
        )
        assert failed(response, 422, "VALIDATION_ERROR")["details"]["field"] == "Origin"
        assert (await http.get("/health", headers=foreign)).status_code == 200
    twice = await daemon.raw(b"GET /health HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n")
    assert b" 400 " in twice.partition(b"\r\n")[0] or b" 422 " in twice.partition(b"\r\n")[0]


async def test_a_taken_port_is_named(
    daemon: Daemon, settings: Settings, start: Callable[..., Awaitable[Daemon]]
) -> None:
    with pytest.raises(ValidationFailed, match="FTSERVICE_PORT"):
        await start(msgspec.structs.replace(settings, port=daemon.port))
