"""The door: TLS, the private socket, names and origins one allows, warnings, and no core file."""

import contextlib
import os
import resource
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import msgspec
import pytest
from server_kit import Daemon, daemon, failed
from tls_kit import certificate

from ftcli.config import Settings
from ftcli.errors import ValidationFailed
from ftcli.redaction import Secret
from ftcli.server.binding import warnings
from ftcli.server.run import running, serve

PAGE = "https://desk.example"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        environment="paper", upstream="http://127.0.0.1:9", data_dir=tmp_path, port=0, timeout=2.0
    )


def has_ipv6() -> bool:
    """Whether this machine has the address ::1."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET6) as probe:
        probe.bind(("::1", 0))
        return True
    return False


class TestTls:
    async def test_it_speaks_tls_and_nothing_older_than_1_2(self, settings: Settings, tmp_path: Path) -> None:
        cert, key = certificate(tmp_path)
        chosen = msgspec.structs.replace(settings, host="localhost", tls_cert=cert, tls_key=key)
        async with daemon(chosen) as found:
            assert found.url.startswith("https://localhost:")
            context = ssl.create_default_context(cafile=str(cert))
            async with httpx.AsyncClient(verify=context, trust_env=False) as http:
                response = await http.get(f"{found.url}/health")
            assert response.status_code == 200
            assert response.headers["Strict-Transport-Security"] == "max-age=31536000"
            async with httpx.AsyncClient(trust_env=False) as http:
                with pytest.raises(httpx.HTTPError):
                    await http.get(f"http://localhost:{found.port}/health")

    @pytest.mark.parametrize("what", ["missing", "no certificate", "key without certificate"])
    async def test_a_bad_certificate_stops_the_start(
        self, settings: Settings, tmp_path: Path, what: str
    ) -> None:
        nothing = tmp_path / "nothing.pem"
        chosen = msgspec.structs.replace(settings, tls_cert=nothing)
        if what == "no certificate":
            nothing.write_text("x")
        if what == "key without certificate":
            chosen = msgspec.structs.replace(settings, tls_key=nothing)
        with pytest.raises(ValidationFailed, match="FTSERVICE_TLS_CERT"):
            async with running(chosen):
                pass

    async def test_an_encrypted_key_needs_its_password_and_nobody_is_asked_for_it(
        self, settings: Settings, tmp_path: Path
    ) -> None:
        cert, key = certificate(tmp_path, "of-the-tls-key")
        chosen = msgspec.structs.replace(settings, host="localhost", tls_cert=cert, tls_key=key)
        with pytest.raises(ValidationFailed, match="FTSERVICE_TLS_KEY_PASSWORD_FILE") as caught:
            async with running(chosen):
                pass
        assert (caught.value.details or {})["field"] == "FTSERVICE_TLS_KEY"
        wrong = msgspec.structs.replace(chosen, tls_key_password=Secret("not-this-one"))
        with pytest.raises(ValidationFailed, match="password"):
            async with running(wrong):
                pass
        good = msgspec.structs.replace(chosen, tls_key_password=Secret("of-the-tls-key"))
        async with daemon(good) as found:
            context = ssl.create_default_context(cafile=str(cert))
            async with httpx.AsyncClient(verify=context, trust_env=False) as http:
                assert (await http.get(f"{found.url}/health")).status_code == 200

    async def test_a_start_that_fails_uses_up_no_first_key(self, settings: Settings, tmp_path: Path) -> None:
        async with daemon(settings) as first:
            with pytest.raises(ValidationFailed, match="FTSERVICE_PORT"):
                async with running(
                    msgspec.structs.replace(settings, data_dir=tmp_path / "other", port=first.port)
                ):
                    pass
        async with daemon(msgspec.structs.replace(settings, data_dir=tmp_path / "other")) as second:
            assert second.key


class TestSocket:
    async def test_it_is_private_and_the_only_way_in(self, settings: Settings, tmp_path: Path) -> None:
        path = tmp_path / "run" / "ft.sock"
        chosen = msgspec.structs.replace(settings, socket=path, host="0.0.0.0", api_key_required=False)
        async with running(chosen) as url:
            assert url == f"unix://{path}"
            assert path.stat().st_mode & 0o777 == 0o600
            assert path.parent.stat().st_mode & 0o777 == 0o700
            transport = httpx.AsyncHTTPTransport(uds=str(path))
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
                assert (await http.get("/health")).status_code == 200
                assert (await http.get("/api/v1/service/info")).status_code == 200
                evil = await http.get("/health", headers={"Host": "evil.example"})
                assert failed(evil, 422, "VALIDATION_ERROR")["details"]["field"] == "Host"
            with pytest.raises(ValidationFailed, match="another ft serve"):
                async with running(chosen):
                    pass

    async def test_it_goes_with_the_daemon_unless_it_is_anothers(
        self, settings: Settings, tmp_path: Path
    ) -> None:
        path = tmp_path / "ft.sock"
        chosen = msgspec.structs.replace(settings, socket=path)
        async with running(chosen):
            assert path.is_socket()
        assert not path.exists()
        async with running(chosen):
            path.unlink()
            path.write_text("another's")
        assert path.read_text() == "another's"

    async def test_a_dead_one_is_replaced_and_another_file_is_not(
        self, settings: Settings, tmp_path: Path
    ) -> None:
        path = tmp_path / "ft.sock"
        old = socket.socket(socket.AF_UNIX)
        old.bind(str(path))
        old.close()
        async with running(msgspec.structs.replace(settings, socket=path)):
            pass
        precious = tmp_path / "precious"
        precious.write_text("x")
        with pytest.raises(ValidationFailed):
            async with running(msgspec.structs.replace(settings, socket=precious)):
                pass
        assert precious.read_text() == "x"


class TestAddresses:
    @pytest.mark.skipif(not has_ipv6(), reason="needs the address ::1")
    @pytest.mark.parametrize("host", ["::1", "[::1]", "::", "[::]"])
    async def test_ipv6_with_and_without_brackets(self, settings: Settings, host: str) -> None:
        async with daemon(msgspec.structs.replace(settings, host=host)) as found:
            assert found.url == f"http://[::1]:{found.port}"
            async with found.client() as http:
                for name in (f"[::1]:{found.port}", "[::1]", "[0:0:0:0:0:0:0:1]:80", "localhost"):
                    assert (await http.get("/health", headers={"Host": name})).status_code == 200
                for name in ("::1", "[::1", "[::1]x", "[::1]:x", "[evil.example]"):
                    answer = await http.get("/health", headers={"Host": name})
                    assert failed(answer, 422, "VALIDATION_ERROR")["details"]["field"] == "Host"
                own = {"Origin": found.url}
                assert (await http.post("/api/v1/streaming/tickets", headers=own)).status_code == 200

    @pytest.mark.parametrize(
        "host", ["", "[]", "nobody.invalid", "192.0.2.1", "a..b", "x" * 300, "127.0.0.1\x00"]
    )
    async def test_what_is_no_address_of_this_machine(self, settings: Settings, host: str) -> None:
        with pytest.raises(ValidationFailed) as caught:
            async with running(msgspec.structs.replace(settings, host=host)):
                pass
        assert (caught.value.details or {})["field"] == "FTSERVICE_HOST"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [({"port": 70_000}, "FTSERVICE_PORT"), ({"max_connections": 0}, "FTSERVICE_MAX_CONNECTIONS")],
)
async def test_where_nobody_could_come_in(settings: Settings, wrong: dict[str, int], field: str) -> None:
    with pytest.raises(ValidationFailed) as caught:
        async with running(msgspec.structs.replace(settings, **wrong)):
            pass
    assert (caught.value.details or {})["field"] == field


class TestNamesAndOrigins:
    @pytest.fixture
    async def running(self, settings: Settings) -> AsyncIterator[Daemon]:
        chosen = msgspec.structs.replace(
            settings, allowed_hosts="ft.example, FT2.example", allowed_origins=f"{PAGE},http://localhost:3000"
        )
        async with daemon(chosen) as found:
            yield found

    async def test_names_one_allows(self, running: Daemon) -> None:
        async with running.client() as http:
            for host, status in (("ft.example", 200), ("ft2.example:8787", 200), ("ft3.example", 422)):
                assert (await http.get("/health", headers={"Host": host})).status_code == status

    async def test_pages_one_allows_and_no_other(self, running: Daemon) -> None:
        async with running.client() as http:
            asked = await http.options(
                "/api/v1/orders/equity/place",
                headers={"Origin": PAGE, "Access-Control-Request-Method": "POST"},
            )
            assert asked.status_code == 204
            assert asked.headers["Access-Control-Allow-Origin"] == PAGE
            assert "Authorization" in asked.headers["Access-Control-Allow-Headers"]
            read = await http.get("/api/v1/service/info", headers={"Origin": PAGE})
            assert read.headers["Access-Control-Allow-Origin"] == PAGE
            assert "Access-Control-Allow-Credentials" not in read.headers
            write = await http.post("/api/v1/streaming/tickets", headers={"Origin": PAGE})
            assert write.status_code == 200
            for origin in (
                "https://evil.example",
                "https://desk.example.evil.example",
                "http://desk.example",
                "null",
            ):
                read = await http.get("/api/v1/service/info", headers={"Origin": origin})
                assert "Access-Control-Allow-Origin" not in read.headers
                assert "Origin" in read.headers["Vary"]
                refused = await http.post("/api/v1/streaming/tickets", headers={"Origin": origin})
                assert failed(refused, 422, "VALIDATION_ERROR")["details"]["field"] == "Origin"

    @pytest.mark.parametrize(
        "origin",
        [
            "*",
            "https://*.example",
            "desk.example",
            "https://desk.example/",
            "file://x",
            "http://[x",
            "http://a:99999",
        ],
    )
    async def test_what_is_no_origin(self, settings: Settings, origin: str) -> None:
        with pytest.raises(ValidationFailed, match="FTSERVICE_ALLOWED_ORIGINS"):
            async with running(msgspec.structs.replace(settings, allowed_origins=origin)):
                pass

    @pytest.mark.parametrize("name", ["*", "*.example", "https://ft.example", "ft.example:80"])
    async def test_what_is_no_name(self, settings: Settings, name: str) -> None:
        with pytest.raises(ValidationFailed, match="FTSERVICE_ALLOWED_HOSTS"):
            async with running(msgspec.structs.replace(settings, allowed_hosts=f"ft.example,{name}")):
                pass

    async def test_closed_unless_listed(self, settings: Settings) -> None:
        async with daemon(settings) as found, found.client() as http:
            read = await http.get("/api/v1/service/info", headers={"Origin": PAGE})
        assert not [name for name in read.headers if name.lower().startswith("access-control")]

    async def test_without_keys_no_foreign_page_may_even_read(self, settings: Settings) -> None:
        chosen = msgspec.structs.replace(settings, api_key_required=False)
        async with daemon(chosen) as found, found.client(None) as http:
            read = await http.get("/api/v1/service/info", headers={"Origin": PAGE})
        assert failed(read, 422, "VALIDATION_ERROR")["details"]["field"] == "Origin"


class TestSites:
    """What browsers say of where a request comes from; it counts where no key is asked for."""

    READS = (
        "/api/v1/accounts",
        "/api/v1/streaming/quotes?symbols=KO",
        "/health",
        "/openapi.json",
        "/nowhere",
    )

    async def test_without_keys_no_foreign_page_may_send_anything(self, settings: Settings) -> None:
        chosen = msgspec.structs.replace(settings, api_key_required=False, allowed_origins=PAGE)
        async with daemon(chosen) as found, found.client(None) as http:
            for site in ("cross-site", "same-site", "Cross-Site", "odd"):
                for path in self.READS:
                    for mode in ("no-cors", "navigate"):  # an image; a link or a frame
                        sent = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode}
                        read = await http.get(path, headers=sent)
                        error = failed(read, 422, "VALIDATION_ERROR")
                        assert error["details"]["field"] == "Sec-Fetch-Site", path
            for sent in (
                {"Sec-Fetch-Site": "none"},
                {"Sec-Fetch-Site": "same-origin"},
                {},
                {"Sec-Fetch-Site": "cross-site", "Origin": PAGE},
                {"Sec-Fetch-Site": "cross-site", "Origin": f"http://localhost:{found.port}"},
            ):
                assert (await http.get("/api/v1/service/info", headers=sent)).status_code == 200
            foreign = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
            read = await http.get("/health", headers=foreign)
            assert failed(read, 422, "VALIDATION_ERROR")["details"]["field"] == "Origin"

    async def test_a_link_may_lead_to_the_documentation(self, settings: Settings) -> None:
        chosen = msgspec.structs.replace(settings, api_key_required=False)
        async with daemon(chosen) as found, found.client(None) as http:
            link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
            assert (await http.get("/docs", headers=link)).status_code == 200
            script = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
            failed(await http.get("/docs/docs.js", headers=script), 422, "VALIDATION_ERROR")

    async def test_with_keys_the_key_decides(self, settings: Settings) -> None:
        async with daemon(settings) as found, found.client() as http:
            sent = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
            assert (await http.get("/api/v1/service/info", headers=sent)).status_code == 200


async def test_where_a_proxy_says_it_all_comes_from_is_not_believed(settings: Settings) -> None:
    chosen = msgspec.structs.replace(settings, wrong_key_rate="2/h")
    async with daemon(chosen) as found, found.client("ft_wrong") as http:
        codes = []
        for number in range(4):
            told = {
                "X-Forwarded-For": f"10.0.0.{number}",
                "X-Real-IP": f"10.0.0.{number}",
                "Forwarded": f"for=10.0.0.{number};host=localhost;proto=https",
                "X-Forwarded-Proto": "https",
            }
            answer = await http.get("/api/v1/service/info", headers=told)
            assert "Strict-Transport-Security" not in answer.headers
            codes.append(answer.status_code)
        assert codes == [403, 403, 429, 429]
        host = {"Host": "evil.example", "X-Forwarded-Host": "localhost"}
        assert failed(await http.get("/health", headers=host), 422, "VALIDATION_ERROR")


async def test_every_answer_has_the_security_headers(settings: Settings) -> None:
    async with daemon(settings) as found, found.client() as http:
        for path in (
            "/health",
            "/docs",
            "/docs/docs.js",
            "/openapi.json",
            "/metrics",
            "/nowhere",
            "/api/v1/accounts",
        ):
            headers = (await http.get(path)).headers
            assert headers["X-Content-Type-Options"] == "nosniff", path
            assert headers["Referrer-Policy"] == "no-referrer", path
            assert headers["X-Frame-Options"] == "DENY", path
            assert "default-src 'none'" in headers["Content-Security-Policy"], path
            assert "unsafe" not in headers["Content-Security-Policy"], path
            assert headers["Server"] == "ft", path
            assert headers["X-Request-Id"], path


def test_what_stands_open_is_said_aloud(settings: Settings, tmp_path: Path) -> None:
    assert warnings(settings) == []
    (shut,) = warnings(msgspec.structs.replace(settings, host="0.0.0.0"))
    assert "no TLS" in shut
    cert, key = certificate(tmp_path)
    for rights, who in (
        (0o644, "everybody"),
        (0o640, "its group"),
        (0o620, "its group"),
        (0o602, "everybody"),
    ):
        key.chmod(rights)
        (readable,) = warnings(msgspec.structs.replace(settings, tls_cert=cert, tls_key=key))
        assert who in readable
        assert "0600" in readable
    key.chmod(0o400)
    assert warnings(msgspec.structs.replace(settings, tls_cert=cert, tls_key=key)) == []
    assert warnings(msgspec.structs.replace(settings, api_key_required=False))


async def test_the_daemon_leaves_no_core_file(settings: Settings) -> None:
    before = resource.getrlimit(resource.RLIMIT_CORE)
    assert os.name == "posix"
    with pytest.raises(ValidationFailed):  # it goes as far as to bind
        await serve(msgspec.structs.replace(settings, socket=settings.data_path("")), lambda line: None)
    assert resource.getrlimit(resource.RLIMIT_CORE)[0] == 0
    assert before is not None
