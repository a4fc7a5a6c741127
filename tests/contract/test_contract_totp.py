"""The second factor on every face: a login that waits for its code, and the code that ends the wait.

It needs a broker that asks for a code and a client that was not told the secret, so the paper broker runs as
a server of its own here.
"""

import asyncio
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from faces import environ_of

from ftcli import config
from ftcli.cli.entry import run
from ftcli.cli.terminal import Terminal
from ftcli.environment import open_client
from ftcli.errors import AuthRequired, TotpRequired
from ftcli.models.json import dumps
from ftcli.paper.desk import DEMO_PASSWORD, DEMO_USERNAME, open_desk
from ftcli.paper.server import running as paper_running
from ftcli.redaction import Secret
from ftcli.server.run import running

SECRET = "JBSWY3DPEHPK3PXP"
ANSWER = {"state": "authenticated", "environment": "paper", "username": DEMO_USERNAME}


@pytest.fixture
async def environ(tmp_path: Path) -> AsyncIterator[dict[str, str]]:
    """The environment of a client of a paper broker that asks for a second factor."""
    own = {name: value for name, value in environ_of(tmp_path).items() if name != "FT_PAPER_CLOCK"}
    desk = open_desk(config.load({"paper_totp": Secret(SECRET)}, {**own, "FT_PAPER_DB": ":memory:"}))
    async with paper_running(desk) as url:
        yield {**own, "FT_UPSTREAM": url}
    desk.state.close()


def told(answer: Any) -> dict[str, Any]:
    return {name: answer[name] for name in ANSWER}


async def test_sdk(environ: dict[str, str]) -> None:
    async with open_client(config.load({}, environ)) as client:
        with pytest.raises(AuthRequired):
            await client.auth.answer_totp(SECRET)  # nothing waits yet
        with pytest.raises(TotpRequired):
            await client.auth.login(DEMO_USERNAME, DEMO_PASSWORD)
        status = await client.auth.answer_totp(SECRET)
        assert told(json.loads(dumps(status))) == ANSWER
        assert len((await client.accounts.list()).accounts) >= 5


async def test_http(environ: dict[str, str]) -> None:
    async with running(config.load({}, environ)) as url, httpx.AsyncClient(timeout=30) as http:
        login = {"username": DEMO_USERNAME, "password": DEMO_PASSWORD}
        waiting = await http.post(f"{url}/api/v1/auth/login", json=login)
        assert (waiting.status_code, waiting.json()["error"]["code"]) == (401, "TOTP_REQUIRED")
        assert (await http.get(f"{url}/api/v1/auth/status?offline=true")).json()["data"][
            "state"
        ] == "totp_pending"
        answered = await http.post(f"{url}/api/v1/auth/totp", json={"code": SECRET})
        assert told(answered.json()["data"]) == ANSWER
        again = await http.post(f"{url}/api/v1/auth/totp", json={"code": SECRET})
        assert (again.status_code, again.json()["error"]["code"]) == (401, "AUTH_REQUIRED")


async def test_command_line(environ: dict[str, str]) -> None:
    """Its way to say the code is the login itself: a process cannot wait for another."""
    stdout, stderr = (io.TextIOWrapper(io.BytesIO(), "utf-8") for _ in range(2))
    terminal = Terminal(io.StringIO(f"{SECRET}\n"), stdout, stderr, environ)
    line = ["auth", "login", "--totp-stdin", "-o", "json"]
    assert await asyncio.to_thread(run, line, terminal) == 0
    stdout.flush()
    assert isinstance(stdout.buffer, io.BytesIO)
    assert told(json.loads(stdout.buffer.getvalue())) == ANSWER
    stderr.flush()
    assert isinstance(stderr.buffer, io.BytesIO)
    assert SECRET.encode() not in stderr.buffer.getvalue()
