"""A broker on this machine behind TLS, whose certificate the user names."""

import json
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from broker_double import PASSWORD, BrokerDouble
from process_kit import cli, environ_of
from tls_kit import certificate


@pytest.fixture
async def secure(tmp_path: Path) -> AsyncIterator[BrokerDouble]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate(tmp_path))
    double = BrokerDouble(lambda: datetime.now(UTC))
    double.url = await double.start(context)
    yield double
    await double.stop()


async def test_it_is_reached_with_the_certificate_that_is_named(secure: BrokerDouble, tmp_path: Path) -> None:
    environ = environ_of(secure, tmp_path / "data") | {"SSL_CERT_FILE": str(tmp_path / "cert.pem")}
    status, out, err = await cli(environ, "auth", "login", "-o", "json")
    assert status == 0, err
    assert json.loads(out)["state"] == "authenticated"


async def test_it_is_not_trusted_without(secure: BrokerDouble, tmp_path: Path) -> None:
    status, _, err = await cli(environ_of(secure, tmp_path / "data"), "auth", "login", "-o", "json")
    told = json.loads(err)
    assert (status, told["code"]) == (9, "FIDELITY_ERROR")
    assert "certificate" in str(told["details"])
    assert secure.calls(PASSWORD) == []


@pytest.mark.parametrize("content", [None, "no certificate"])
async def test_a_file_without_certificates_is_named(
    secure: BrokerDouble, tmp_path: Path, content: str | None
) -> None:
    named = tmp_path / "named.pem"
    if content:
        named.write_text(content)
    environ = environ_of(secure, tmp_path / "data") | {"SSL_CERT_FILE": str(named)}
    status, _, err = await cli(environ, "auth", "login", "-o", "json")
    told = json.loads(err)
    assert (status, told["code"], told["details"]["field"]) == (2, "VALIDATION_ERROR", "SSL_CERT_FILE")
