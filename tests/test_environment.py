"""Opening the core: the paper broker in process, a simulator over sockets, the session between processes."""

import asyncio
import stat
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ftcli import config
from ftcli.clock import frozen_clock
from ftcli.environment import open_client
from ftcli.errors import AuthRequired, TotpRequired, ValidationFailed
from ftcli.paper.desk import DEMO_PASSWORD, DEMO_USERNAME, Desk, open_desk
from ftcli.paper.logins import User
from ftcli.paper.market import Market
from ftcli.paper.server import running
from ftcli.paper.state import State

NOW = datetime(2026, 11, 24, 11, 15, tzinfo=ZoneInfo("America/New_York"))
SECRET = "JBSWY3DPEHPK3PXP"


def environ_of(folder: Path, **more: str) -> dict[str, str]:
    return {
        "FT_DATA_DIR": str(folder),
        "FT_CONFIG": "/dev/null",
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        **more,
    }


def desk(totp: str | None = None) -> Desk:
    user = User(username=DEMO_USERNAME, password=DEMO_PASSWORD, totp_secret=totp)
    return Desk(State(":memory:"), Market(), frozen_clock(NOW), user, seed=1)


async def test_streams_of_the_paper_broker_in_process(tmp_path: Path) -> None:
    environ = environ_of(tmp_path, FT_ENV="paper", FT_PAPER_CLOCK=NOW.isoformat())
    async with open_client(environ=environ) as client:
        snapshot = (await client.market_data.quotes(["AAPL"])).quotes[0]
        quotes = client.stream.quotes(["AAPL"])
        quote = await anext(quotes)
        await quotes.aclose()  # type: ignore[attr-defined]
    assert (quote.symbol, quote.snapshot, quote.stale) == ("AAPL", True, False)
    assert (quote.last, quote.bid, quote.ask) == (snapshot.last, snapshot.bid, snapshot.ask)


async def test_not_logged_in_says_what_to_do(tmp_path: Path) -> None:
    async with running(desk()) as url, open_client(environ=environ_of(tmp_path, FT_UPSTREAM=url)) as client:
        with pytest.raises(AuthRequired, match="ft auth login"):
            await client.accounts.list()


async def test_wrong_password_is_tried_once(tmp_path: Path) -> None:
    broker = desk()
    async with running(broker) as url:
        environ = environ_of(tmp_path, FT_UPSTREAM=url, FT_USERNAME="demo", FT_PASSWORD="not-this-one")
        async with open_client(environ=environ) as client:
            with pytest.raises(AuthRequired):
                await client.auth.login()
    assert broker.logins.password_failures == 1


async def test_second_factor_asked_for_and_answered(tmp_path: Path) -> None:
    broker = desk(SECRET)
    async with running(broker) as url:
        environ = environ_of(tmp_path, FT_UPSTREAM=url, FT_USERNAME="demo", FT_PASSWORD=DEMO_PASSWORD)
        async with open_client(environ=environ) as client:
            with pytest.raises(TotpRequired):
                await client.auth.login()
            assert (await client.auth.status(offline=True)).state == "totp_pending"


async def test_the_session_outlives_the_process_encrypted(tmp_path: Path) -> None:
    broker = desk()
    async with running(broker) as url:
        environ = environ_of(tmp_path, FT_UPSTREAM=url, FT_USERNAME="demo", FT_PASSWORD=DEMO_PASSWORD)
        async with open_client(environ=environ) as client:
            await client.auth.login()
            token = client.broker.cookie_header("mdds")
        del environ["FT_PASSWORD"], environ["FT_USERNAME"]
        async with open_client(environ=environ) as client:
            assert (await client.accounts.list()).accounts
        assert broker.logins.sessions_created == 1
        file = tmp_path / "session-live.bin"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        content = file.read_bytes()
        for part in token.split("; "):
            assert part.partition("=")[2].encode() not in content
        async with open_client(environ=environ) as client:
            await client.auth.logout()
        assert not file.exists() or b"ATC" not in file.read_bytes()
        async with open_client(environ=environ) as client:
            with pytest.raises(AuthRequired):
                await client.accounts.list()


async def test_processes_share_one_session(tmp_path: Path) -> None:
    """Several command lines at once, on a session that has just expired: one login, and all of them answer."""
    broker = desk()
    async with running(broker) as url:
        environ = environ_of(tmp_path, FT_UPSTREAM=url, FT_USERNAME="demo", FT_PASSWORD=DEMO_PASSWORD)
        async with open_client(environ=environ) as client:
            await client.auth.login()
        broker.logins.expire_all()
        results = await asyncio.gather(*(asyncio.to_thread(ft, environ) for _ in range(4)))
    for result in results:
        assert result.returncode == 0, result.stderr
        assert '"account":"Z20000025"' in result.stdout
    assert broker.logins.sessions_created == 2


def ft(environ: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "ftcli", "accounts", "list", "-o", "json"]
    return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)


async def test_a_foreign_upstream_needs_a_second_setting(tmp_path: Path) -> None:
    with pytest.raises(ValidationFailed, match="(?i)remote|machine"):
        async with open_client(environ=environ_of(tmp_path, FT_UPSTREAM="https://example.com")):
            pass


@pytest.mark.parametrize("word", ["papr", "PAPER!", "prod", " "])
def test_a_typo_never_means_live(word: str, tmp_path: Path) -> None:
    with pytest.raises(ValidationFailed):
        config.load({}, environ_of(tmp_path, FT_ENV=word))


def test_paper_clock_must_be_a_moment(tmp_path: Path) -> None:
    with pytest.raises(ValidationFailed, match="FT_PAPER_CLOCK"):
        open_desk(config.load({}, environ_of(tmp_path, FT_ENV="paper", FT_PAPER_CLOCK="noon")))
