"""To the broker all session names are one user: logins, refusals and codes are counted together."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from broker_double import DATA, PASS, PASSWORD, SEED, TOTP, USER, Authenticator, BrokerDouble
from filelock import FileLock

from ftcli.config import Settings
from ftcli.credentials.credentials import Credentials
from ftcli.credentials.keys import KeySource
from ftcli.credentials.session_store import SessionStore
from ftcli.errors import AuthRequired, FtError, RateLimited, SessionExpired, ValidationFailed
from ftcli.redaction import Secret
from ftcli.transport.auto_login import AutoLogins
from ftcli.transport.broker import Broker
from ftcli.wire import WireRequest

READ = WireRequest(host="dp", method="POST", path=DATA, body={})
ROOT = Path(__file__).parents[2]
WORKER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from ftcli.errors import FtError
from ftcli.transport.auto_login import AutoLogins

counts = AutoLogins(Path(sys.argv[1]), lambda: datetime(2026, 5, 14, 14, 42, 7, tzinfo=UTC))
print("ready", flush=True)
sys.stdin.readline()
won = 0
for step in (7, 7, 7, 8, 8, 9):
    won += counts.take_step("kim", step)
for user in ("kim", "sam", "KIM "):
    for _ in range(3):
        try:
            counts.note_attempt(user, "password")
            won += 1000
        except FtError:
            pass
try:
    counts.claim("kim")
    won += 100_000
except FtError:
    pass
print(won, flush=True)
"""

Make = Callable[..., Broker]


@pytest.fixture
def named(double: BrokerDouble, clock: Any, tmp_path: Path) -> Make:
    """Makes brokers of one user whose sessions have different names."""

    def build(name: str, totp: str = "", password: str = PASS) -> Broker:
        settings = Settings(data_dir=tmp_path, upstream=double.url, timeout=5.0)
        store = SessionStore(
            tmp_path / f"session-live-{name}.bin", KeySource(settings), counted=tmp_path / "counted"
        )
        known = Credentials(username=USER, password=Secret(password), totp=Secret(totp) if totp else None)
        return Broker(
            settings,
            clock=clock,
            store=store,
            credentials=lambda: known,
            auto_login=False,
            sleep=clock.sleep,
            chance=lambda: 0.5,
        )

    return build


async def test_automatic_logins_of_two_sessions_are_counted_together(
    double: BrokerDouble, clock: Any, named: Make
) -> None:
    async with named("a") as first, named("b") as second:
        await first.login()
        await second.login()
        double.expire()
        assert (await first.send(READ)).status == 200
        with pytest.raises(SessionExpired, match="less than 5 minutes ago"):
            await second.send(READ)
        assert len(double.calls(PASSWORD)) == 3
        clock.forward(minutes=5)
        assert (await second.send(READ)).status == 200


async def test_a_refused_automatic_login_ends_those_of_the_other_sessions(
    double: BrokerDouble, clock: Any, named: Make
) -> None:
    async with named("a") as first, named("b") as second:
        await first.login()
        await second.login()
        double.expire()
        double.users = {USER: ("another password", "")}
        with pytest.raises(SessionExpired):
            await first.send(READ)
        clock.forward(minutes=6)
        with pytest.raises(SessionExpired, match="automatic login is off"):
            await second.send(READ)
        assert len(double.calls(PASSWORD)) == 3


async def test_a_code_is_sent_once_whatever_the_session(
    double: BrokerDouble, clock: Any, named: Make
) -> None:
    double.users = {USER: (PASS, SEED)}
    async with named("a", SEED) as first, named("b", SEED) as second:
        await first.login()
        await second.login()  # in the same 30 seconds: it waits for the next code
    assert len({seen.body for seen in double.calls(TOTP)}) == 2


async def test_two_logins_at_once_send_two_codes(double: BrokerDouble, named: Make) -> None:
    double.users = {USER: (PASS, SEED)}
    async with named("a", SEED) as first, named("b", SEED) as second:
        # The one that waits moves the clock of both, so the other's code may be late.
        await asyncio.gather(first.login(), second.login(), return_exceptions=True)
    assert len({seen.body for seen in double.calls(TOTP)}) == 2


async def test_a_typed_code_is_sent_once_whatever_the_session(
    double: BrokerDouble, clock: Any, named: Make
) -> None:
    double.users = {USER: (PASS, SEED)}
    code = Secret(Authenticator(SEED).at(clock.now))
    async with named("a") as first:
        await first.login(totp=code)
    async with named("b") as second:
        with pytest.raises(ValidationFailed, match="fresh code"):
            await second.login(totp=code)
        clock.forward(seconds=91)
        with pytest.raises(AuthRequired):
            await second.login(totp=code)
    assert len(double.calls(TOTP)) == 2


async def test_after_a_damage_tries_are_counted_again(
    double: BrokerDouble, clock: Any, named: Make, tmp_path: Path
) -> None:
    (tmp_path / "counted").write_text("{damaged")
    async with named("a", password="wrong-password-1") as broker:
        with pytest.raises(RateLimited):
            await broker.login()
        clock.now += timedelta(days=3650)  # the file bears the real time
        for expected in (AuthRequired, AuthRequired, AuthRequired, RateLimited, RateLimited):
            with pytest.raises(expected):
                await broker.login()
    assert len(double.calls(PASSWORD)) == 3


async def test_a_damaged_count_of_the_future_holds_for_an_hour_only(
    clock: Any, named: Make, tmp_path: Path
) -> None:
    damaged, ahead = tmp_path / "counted", (clock.now + timedelta(days=400)).timestamp()
    damaged.write_text("{damaged")
    os.utime(damaged, (ahead, ahead))
    async with named("a") as broker:
        with pytest.raises(RateLimited):
            await broker.login()
        clock.forward(minutes=61)
        await broker.login()


async def test_an_automatic_login_waits_five_minutes_after_a_damage_of_the_future(
    clock: Any, tmp_path: Path
) -> None:
    (tmp_path / "counted").write_text(f'{{"damaged": {(clock.now + timedelta(days=400)).timestamp()}}}')
    counts = AutoLogins(tmp_path / "counted", clock)
    with pytest.raises(SessionExpired, match="less than 5 minutes ago"):
        counts.claim(USER)
    clock.forward(minutes=6)
    counts.claim(USER)


async def test_where_nothing_can_be_counted_nothing_is_sent(
    double: BrokerDouble, named: Make, tmp_path: Path
) -> None:
    (tmp_path / "counted.lock").mkdir()
    async with named("a") as broker:
        with pytest.raises(FtError, match="which counts the logins"):
            await broker.login()
    assert double.calls(PASSWORD) == []


async def test_while_another_process_counts_the_loop_goes_on_and_is_told_so(
    double: BrokerDouble, named: Make, tmp_path: Path
) -> None:
    async with named("a") as broker:
        await broker.login()
        double.expire()
        with FileLock(tmp_path / "counted.lock"):
            pauses = await _pauses_during(_refused(broker.send(READ), SessionExpired))
            pauses += await _pauses_during(_refused(broker.login(), RateLimited))
        assert max(pauses) < 1
        assert len(double.calls(PASSWORD)) == 1
        await broker.login()


async def _refused(call: Awaitable[object], error: type[FtError]) -> None:
    with pytest.raises(error, match=r"another ftcli process holds .*counted, which counts") as refusal:
        await call
    assert "FT_DATA_DIR" not in refusal.value.message
    assert refusal.value.retry_after == 2


async def _pauses_during(call: Coroutine[Any, Any, None]) -> list[float]:
    """How long the loop did nothing else, time and again while the call ran; seconds."""
    task, pauses = asyncio.create_task(call), []
    while not task.done():
        before = time.perf_counter()
        await asyncio.sleep(0.01)
        pauses.append(time.perf_counter() - before)
    await task
    return pauses


async def test_no_user_name_stands_in_the_count(double: BrokerDouble, named: Make, tmp_path: Path) -> None:
    double.users = {USER: (PASS, SEED)}
    async with named("a", SEED) as broker:
        await broker.login()
        double.expire()
        await broker.send(READ)
    text = (tmp_path / "counted").read_text()
    assert text != ""
    assert f'"{USER}' not in text


async def test_processes_at_once_count_as_one(tmp_path: Path) -> None:
    workers = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", WORKER, str(tmp_path / "counted")),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
        )
        for _ in range(3)
    ]
    for worker in workers:
        assert worker.stdout is not None
        assert await asyncio.wait_for(worker.stdout.readline(), 30) == b"ready\n"
    outcomes = await asyncio.gather(
        *(asyncio.wait_for(worker.communicate(b"go\n"), 60) for worker in workers)
    )
    # One automatic login, three passwords of each user, the code of each step once.
    assert sum(int(out) for out, _ in outcomes) == 100_000 + 6 * 1000 + 3
