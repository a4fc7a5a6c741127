"""No secret in logs, errors or reprs, and httpx without its command line tool."""

import html
import json
import logging
import subprocess
import sys
import traceback
from urllib.parse import quote

import pytest
from broker_double import (
    DATA,
    KEEP_ALIVE,
    LOGIN_PAGE,
    PASS,
    PASSWORD,
    PLACE,
    SEED,
    SESSION,
    TOTP,
    USER,
    Authenticator,
    BrokerDouble,
    Clock,
    Fault,
)

from ftcli.errors import FtError
from ftcli.redaction import Secret
from ftcli.transport.http import Answer
from ftcli.wire import Retry, WireRequest

READ = WireRequest(host="dp", method="POST", path=DATA, body={"acctNum": "Z00000101"})
NEVER = WireRequest(host="dp", method="POST", path=PLACE, body={}, retry=Retry.NEVER)


FORMS = {
    PASS,
    json.dumps(PASS)[1:-1],
    json.dumps(PASS, ensure_ascii=False)[1:-1],
    quote(PASS),
    html.escape(PASS),
}


def secrets_of(double: BrokerDouble) -> set[str]:
    """Everything that must not be seen: what was sent as a secret, and every cookie value."""
    found = {*FORMS, SEED, "0011223344556677"}
    for seen in double.seen:
        found |= {value for value in seen.cookies.values() if len(value) > 3}
        if seen.path == TOTP:
            found.add(json.loads(seen.body)["securityCode"])
    return found


def assert_clean(text: str, double: BrokerDouble) -> None:
    for secret in secrets_of(double):
        assert secret not in text


def everything_about(error: BaseException) -> str:
    details = getattr(error, "details", None) or {}
    # The values as they are: repr would double the backslashes of what is looked for.
    told = [*map(str, details.values()), repr(details), str(error), repr(error)]
    return "\n".join([*traceback.format_exception(error), *told])


async def test_logs_errors_and_reprs_hold_no_secret(double, make, clock: Clock, caplog) -> None:
    caplog.set_level(logging.DEBUG)
    double.users = {USER: (PASS, SEED)}
    errors: list[FtError] = []

    async def expect_error(request: WireRequest) -> None:
        with pytest.raises(FtError) as caught:
            await broker.send(request)
        errors.append(caught.value)

    async with make(totp=SEED, stored=True) as broker:
        result = await broker.login()
        await broker.send(READ)
        echo = "; ".join(f"{name}={value}" for name, value in double.calls(DATA)[0].cookies.items())
        values = " ".join(double.calls(DATA)[0].cookies.values())
        for fault in (Fault(404, f"you sent {echo}"), Fault(400, values), Fault(200, f'{{"broken {values}')):
            double.fail(DATA, fault)
            await expect_error(READ)
        double.fail(PLACE, Fault(drop=True))
        await expect_error(NEVER)
        double.fail(PLACE, Fault(500, f"<html>{values}</html>"))
        await expect_error(NEVER)
        # The page that answers the password may repeat it in any spelling.
        for step, echo in ((PASSWORD, " ".join(sorted(FORMS))), (TOTP, PASS), (f"POST {SESSION}", PASS)):
            double.fail(step, Fault(200, f"<html>got {echo} {SEED}</html>"))
            with pytest.raises(FtError) as caught:
                await broker.login()
            errors.append(caught.value)
            clock.forward(minutes=2)
        double.expire()
        await broker.send(READ)
        status = await broker.status()
        shown = repr(
            [broker, broker._keeper.session, broker._keeper.session.jar, result, status, double.seen]
        )
        shown += repr(broker._keeper.session.saved("1", {})) + str(status.member_id)
    assert len(errors) == 8
    for error in errors:
        assert_clean(everything_about(error), double)
    assert_clean(shown, double)
    records = [record for record in caplog.records if not record.name.startswith("test")]
    assert any(record.name == "ftcli.transport" for record in records)
    for record in records:
        assert_clean(f"{record.getMessage()} {record.args!r} {record.exc_text or ''}", double)


async def test_a_log_line_says_what_happened(double, broker, caplog) -> None:
    caplog.set_level(logging.DEBUG, logger="ftcli.transport")
    double.fail("/ftgw/dp/Z00000101/x", Fault(404))
    request = WireRequest(host="dp", method="GET", path="/ftgw/dp/Z00000101/x", query={"token": "abcdef"})
    with pytest.raises(FtError):
        await broker.send(request)
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith("GET dp /ftgw/dp/…0101/x -> 404 in ")
    assert line.endswith(" ms")


async def test_failures_are_logged_too(double, broker, caplog) -> None:
    caplog.set_level(logging.DEBUG, logger="ftcli.transport")
    double.fail(PLACE, Fault(drop=True))
    with pytest.raises(FtError):
        await broker.send(NEVER)
    assert f"POST dp {PLACE} -> failed in " in caplog.records[0].getMessage()


def test_an_answer_shows_neither_headers_nor_body() -> None:
    assert repr(Answer(200, (("set-cookie", "ATC=secret1"),), b"secret2")) == "Answer(status=200, 7 bytes)"


async def test_a_refused_code_is_not_repeated_in_the_error(double, make, clock: Clock) -> None:
    double.users = {USER: (PASS, SEED)}
    wrong = str((int(Authenticator(SEED).at(clock())) + 1) % 1_000_000).zfill(6)
    async with make() as broker:
        with pytest.raises(FtError) as caught:
            await broker.login(USER, Secret(PASS), Secret(wrong))
    assert wrong not in everything_about(caught.value)


def test_offline_work_loads_no_http_library() -> None:
    loaded = modules_after("import ftcli.transport.broker")
    assert loaded.isdisjoint({"httpx", "cryptography", "keyring", "filelock", "aiohttp", "rich"})


def test_httpx_comes_without_its_command_line_tool(tmp_path) -> None:
    """Also where click, rich and pygments are installed: stand-ins for them tell if they were loaded."""
    for name in ("click", "pygments", "rich"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('loaded by mistake')")
    loaded = modules_after(
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import ftcli.transport.http, httpx; httpx.main"
    )
    assert "httpx" in loaded
    assert loaded.isdisjoint({"click", "rich", "pygments", "httpx._main"})


def test_http_libraries_are_kept_from_logging_headers() -> None:
    import ftcli.transport.http

    assert ftcli.transport.http
    assert not logging.getLogger("httpcore.http11").isEnabledFor(logging.DEBUG)


def modules_after(statement: str) -> set[str]:
    script = f"{statement}\nimport sys\nprint('\\n'.join(sys.modules))"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(result.stdout.split())


def test_paths_are_what_the_protocol_says() -> None:
    assert (LOGIN_PAGE, KEEP_ALIVE) == ("/prgw/digital/login/atp", "/ftgw/digital/portfolio/extendsession")
