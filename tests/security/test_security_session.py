"""Session life under attack and in company: one login for all, a cap on attempts, a code from another terminal."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from broker_double import (
    DATA,
    FERNET_KEY,
    PASS,
    PASSWORD,
    SEED,
    SESSION,
    TOTP,
    USER,
    Authenticator,
    BrokerDouble,
    Fault,
)
from process_kit import ROOT, cli, environ_of

from ftcli.errors import AuthRequired, FtError, RateLimited, TotpRequired
from ftcli.models.session import SessionState
from ftcli.redaction import Secret
from ftcli.transport.broker import Broker
from ftcli.wire import WireRequest

READ = WireRequest(host="dp", method="POST", path=DATA, body={})

WORKER = """
import asyncio, sys
from ftcli.environment import open_client
from ftcli.wire import WireRequest
async def main():
    async with open_client() as ft:
        print("ready", flush=True)
        sys.stdin.readline()
        request = WireRequest(host="dp", method="POST", path=sys.argv[1], body={})
        replies = await asyncio.gather(*(ft.send(request) for _ in range(50)))
        print(sum(reply.status == 200 for reply in replies), flush=True)
asyncio.run(main())
"""


def _files(folder: Path, *suffixes: str) -> list[Path]:
    return [path for path in folder.iterdir() if path.suffix in suffixes]


def _environ(double: BrokerDouble, folder: Path, password: str = PASS) -> dict[str, str]:
    return {
        **environ_of(double, folder),
        "FT_PASSWORD": password,
        "FTSERVICE_ENCRYPTION_KEY": FERNET_KEY,
    }


async def test_two_processes_and_fifty_coroutines_each_make_one_login(
    double: BrokerDouble, tmp_path: Path
) -> None:
    environ = _environ(double, tmp_path)
    status, _, err = await cli(environ, "auth", "login")
    assert status == 0, err
    workers = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", WORKER, DATA),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environ,
            cwd=ROOT,
        )
        for _ in range(2)
    ]
    for worker in workers:
        assert worker.stdout is not None
        assert await asyncio.wait_for(worker.stdout.readline(), 30) == b"ready\n"
    double.expire()
    before = len(double.calls(PASSWORD))
    outcomes = await asyncio.gather(
        *(asyncio.wait_for(worker.communicate(b"go\n"), 60) for worker in workers)
    )
    assert [out.strip() for out, _ in outcomes] == [b"50", b"50"]
    assert len(double.calls(PASSWORD)) - before == 1


async def test_a_wrong_password_in_a_loop_of_processes_stops_at_the_cap(
    double: BrokerDouble, tmp_path: Path
) -> None:
    environ = _environ(double, tmp_path, "wrong-password-1")
    codes = []
    for _ in range(6):
        status, _, err = await cli(environ, "auth", "login", "-o", "json")
        codes.append((status, json.loads(err)["code"]))
    assert codes == [(4, "AUTH_REQUIRED")] * 3 + [(8, "RATE_LIMITED")] * 3
    assert len(double.calls(PASSWORD)) == 3


async def test_another_session_name_or_spelling_has_no_tries_of_its_own(
    double: BrokerDouble, tmp_path: Path
) -> None:
    environ = _environ(double, tmp_path, "wrong-password-1")
    for number in range(3):
        named = environ | {"FT_SESSION": f"s{number}"}
        status, _, err = await cli(named, "auth", "login", "-o", "json")
        assert (status, json.loads(err)["code"]) == (4, "AUTH_REQUIRED")
    for named in (environ, environ | {"FT_SESSION": "s9"}, environ | {"FT_USERNAME": f" {USER.upper()}  "}):
        status, _, err = await cli(named, "auth", "login", "-o", "json")
        assert (status, json.loads(err)["code"]) == (8, "RATE_LIMITED")
    assert len(double.calls(PASSWORD)) == 3


async def test_a_damaged_count_is_a_full_one(double: BrokerDouble, tmp_path: Path) -> None:
    environ = _environ(double, tmp_path, "wrong-password-1")
    await cli(environ, "auth", "login", "-o", "json")
    for counted in await asyncio.to_thread(lambda: list(tmp_path.rglob("*.logins"))):
        counted.write_text("x")
    status, _, err = await cli(environ, "auth", "login", "-o", "json")
    assert (status, json.loads(err)["code"]) == (8, "RATE_LIMITED")
    assert len(double.calls(PASSWORD)) == 1


async def test_the_cap_ends_after_an_hour_and_a_success_resets_it(
    double: BrokerDouble, clock: Any, make: Callable[..., Broker]
) -> None:
    async with make(stored=True, credentials=False) as broker:
        for _ in range(2):
            with pytest.raises(AuthRequired):
                await broker.login(USER, Secret("wrong-password-1"))
        await broker.login(USER, Secret(PASS))
        for _ in range(3):
            with pytest.raises(AuthRequired):
                await broker.login(USER, Secret("wrong-password-1"))
    async with make(stored=True, credentials=False) as broker:  # a restart forgets nothing
        sent = len(double.calls(PASSWORD))
        for _ in range(20):
            with pytest.raises(RateLimited) as caught:
                await broker.login(USER, Secret(PASS))
        assert len(double.calls(PASSWORD)) == sent
        assert caught.value.retry_after == pytest.approx(3600, abs=60)
        clock.now += timedelta(minutes=61)
        await broker.login(USER, Secret(PASS))


async def test_wrong_codes_in_a_loop_stop_at_the_cap(
    double: BrokerDouble, clock: Any, make: Callable[..., Broker]
) -> None:
    double.users = {USER: (PASS, SEED)}
    async with make(stored=True, credentials=False) as broker:
        for number in range(6):
            with pytest.raises(FtError):
                await broker.login(USER, Secret(PASS), Secret(f"00000{number}"))
    assert len(double.calls(TOTP)) == 3


class TestApproval:
    async def test_another_process_gives_the_code(
        self, double: BrokerDouble, clock: Any, make: Callable[..., Broker]
    ) -> None:
        double.users = {USER: (PASS, SEED)}
        async with make(stored=True) as first, make(stored=True) as second:
            with pytest.raises(TotpRequired):
                await first.login()
            assert (await second.status(offline=True)).state is SessionState.TOTP_PENDING
            await second.answer_totp(Secret(Authenticator(SEED).at(clock.now)))
            assert (await first.status(offline=True)).state is SessionState.AUTHENTICATED
            assert (await first.send(READ)).status == 200
            with pytest.raises(AuthRequired):
                await first.answer_totp(Secret("123123"))
        assert len(double.calls(TOTP)) == 1

    async def test_it_waits_two_minutes_and_leaves_nothing(
        self, double: BrokerDouble, clock: Any, make: Callable[..., Broker], tmp_path: Path
    ) -> None:
        double.users = {USER: (PASS, SEED)}
        async with make(stored=True) as first, make(stored=True) as second:
            with pytest.raises(TotpRequired):
                await first.login()
            kept = tmp_path / "test.session.pending"
            assert kept.stat().st_mode & 0o077 == 0
            assert PASS.encode() not in kept.read_bytes()
            clock.now += timedelta(seconds=121)
            assert (await second.status(offline=True)).state is SessionState.DISCONNECTED
            with pytest.raises(AuthRequired):
                await second.answer_totp(Secret("123456"))
            assert not kept.exists()

    async def test_logout_wipes_it(
        self, double: BrokerDouble, make: Callable[..., Broker], tmp_path: Path
    ) -> None:
        double.users = {USER: (PASS, SEED)}
        async with make(stored=True) as broker:
            with pytest.raises(TotpRequired):
                await broker.login()
            await broker.logout()
            assert broker.state is SessionState.DISCONNECTED
        assert not _files(tmp_path, ".session", ".pending")


async def test_a_wrong_clock_is_named_when_a_code_is_refused(
    double: BrokerDouble, clock: Any, make: Callable[..., Broker]
) -> None:
    double.users = {USER: (PASS, SEED)}
    async with make() as broker:
        # The double's own Date header is the real time; our clock stands in May.
        with pytest.raises(AuthRequired, match=r"clock is \d+ s behind the broker's") as caught:
            await broker.login(USER, Secret(PASS), Secret("000000"))
        assert caught.value.details is not None
        assert caught.value.details["clock_ahead"] < -1000


async def test_a_code_from_a_phone_is_not_blamed_on_this_clock(
    double: BrokerDouble, make: Callable[..., Broker]
) -> None:
    double.users = {USER: (PASS, SEED)}
    async with make() as broker:
        with pytest.raises(AuthRequired, match="if the code was made here"):
            await broker.login(USER, Secret(PASS), Secret("000000"))
    async with make(totp="GEZDGNBVGY3TQOJQ") as broker:
        with pytest.raises(AuthRequired, match="so its codes are wrong"):
            await broker.login()


async def test_a_clock_that_ran_ahead_makes_no_login_wait_for_days(
    double: BrokerDouble, clock: Any, make: Callable[..., Broker]
) -> None:
    double.users = {USER: (PASS, SEED)}
    right = clock.now
    clock.forward(days=3)
    async with make(stored=True, totp=SEED) as broker:
        await broker.login()
        with pytest.raises(AuthRequired):
            await broker.login(USER, Secret("wrong-password-1"))
    clock.now = right
    async with make(stored=True, totp=SEED) as broker:
        await broker.login()
        assert sum(clock.sleeps) < 60
        for _ in range(2):
            with pytest.raises(AuthRequired):
                await broker.login(USER, Secret("wrong-password-1"))


async def test_tries_counted_by_a_clock_that_ran_ahead_age_from_now_on(
    double: BrokerDouble, clock: Any, make: Callable[..., Broker]
) -> None:
    right = clock.now
    clock.forward(days=30)
    async with make(stored=True, credentials=False) as broker:
        for _ in range(3):
            with pytest.raises(AuthRequired):
                await broker.login(USER, Secret("wrong-password-1"))
    clock.now = right
    async with make(stored=True, credentials=False) as broker:
        with pytest.raises(RateLimited):
            await broker.login(USER, Secret(PASS))
        clock.forward(minutes=61)
        await broker.login(USER, Secret(PASS))


async def test_a_status_that_was_not_asked_for_says_how_old_it_is(
    double: BrokerDouble, clock: Any, make: Callable[..., Broker]
) -> None:
    async with make(stored=True) as broker:
        await broker.login()
        assert (await broker.status(offline=True)).note == ""
        clock.forward(minutes=31)
        assert "probably ended" in (await broker.status(offline=True)).note
        assert (await broker.status()).note == ""  # asked, and found alive


async def test_logout_wipes_what_was_kept_aside_too(
    double: BrokerDouble, make: Callable[..., Broker], tmp_path: Path
) -> None:
    (tmp_path / "test.session").write_text("ftcli-session-1 other gAAAA")
    async with make(stored=True) as broker:
        await broker.login()
        assert (tmp_path / "test.session.unreadable").exists()
        await broker.logout()
    assert not _files(tmp_path, ".session", ".unreadable")


async def test_a_logout_that_the_broker_did_not_confirm_is_told(double: BrokerDouble, tmp_path: Path) -> None:
    environ = _environ(double, tmp_path)
    assert (await cli(environ, "auth", "login"))[0] == 0
    double.fail(f"DELETE {SESSION}", Fault(drop=True))
    status, out, _ = await cli(environ, "auth", "logout", "-o", "json")
    told = json.loads(out)
    assert (status, told["state"]) == (0, "disconnected")
    assert "did not confirm" in told["note"]
    assert (await cli(environ, "auth", "login"))[0] == 0
    _, out, _ = await cli(environ, "auth", "logout", "-o", "json")
    assert json.loads(out)["note"] in (None, "no session is saved")


async def test_a_logout_of_a_session_that_cannot_be_read_is_not_said_to_be_confirmed(
    double: BrokerDouble, tmp_path: Path
) -> None:
    environ = _environ(double, tmp_path)
    assert (await cli(environ, "auth", "login"))[0] == 0
    other = environ | {"FTSERVICE_ENCRYPTION_KEY": "b3RoZXJvdGhlcm90aGVyb3RoZXJvdGhlcm90aGVyb3Q="}
    status, out, _ = await cli(other, "auth", "logout", "-o", "json")
    assert (status, json.loads(out)["state"]) == (0, "disconnected")
    assert "did not confirm" in json.loads(out)["note"]
    assert not _files(tmp_path, ".bin")
    _, out, _ = await cli(other, "auth", "logout", "-o", "json")
    assert "did not confirm" not in (json.loads(out)["note"] or "")


async def test_each_step_of_a_login_is_told(double: BrokerDouble, make: Callable[..., Broker]) -> None:
    steps: list[Any] = []
    async with make() as broker:
        broker.watch_login(steps.append)
        await broker.login()
    names = [
        "login_page",
        "clear_session",
        "remembered_user",
        "select_user",
        "password",
        "remember_user",
        "open_session",
    ]
    assert [step.name for step in steps] == names
    assert all(step.ok and step.seconds >= 0 and step.outcome.startswith("HTTP 20") for step in steps)
    assert double.calls(SESSION)
