"""API keys made, replaced and ended on the command line: told in the daemon's audit log, known to it at once."""

import logging
import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import msgspec
import pytest
from cli_kit import ft
from server_kit import daemon

from ftcli.config import Settings
from ftcli.server import keys as keys_module
from ftcli.server.keys import KeyRing
from ftcli.store import Store

ROOT = Path(__file__).parents[2]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(environment="paper", data_dir=tmp_path, port=0)


def keys(folder: Path, *words: str) -> dict[str, str]:
    done = ft("keys", *words, "-o", "json", environ={"FT_ENV": "paper", "FT_DATA_DIR": str(folder)})
    assert done.status == 0, done.err
    found: dict[str, str] = msgspec.json.decode(done.data)
    return found


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    lines = [record.getMessage() for record in caplog.records if record.name == "ftcli.audit"]
    return [line.partition(" at 2")[0] for line in lines if line.startswith("keys.")]


class TestAudit:
    async def test_changes_are_told_by_the_running_daemon_once(
        self, settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO, "ftcli.audit")
        async with daemon(settings) as running:
            first = running.key[3:11]
            assert told(caplog) == [
                f"keys.create {first} (first key: admin,read,stream,trade, without end) by daemon"
            ]
            made = keys(tmp_path, "create", "--name", "bot", "--scope", "read", "--expires", "never")
            new = keys(tmp_path, "rotate", made["id"], "--overlap", "1h")
            keys(tmp_path, "revoke", new["id"])
            keys(tmp_path, "revoke", new["id"])  # it has ended already: nothing changes
            async with running.client(made["key"]) as http:
                assert (await http.get("/api/v1/service/info")).status_code == 200
            lines = told(caplog)[1:]
        who = lines[0].rpartition(" by ")[2]
        assert who.startswith("command line of ")
        assert lines == [
            f"keys.create {made['id']} (bot: read, without end) by {who}",
            f"keys.rotate {new['id']} (bot: read, without end, replaces {made['id']}) by {who}",
            f"keys.revoke {new['id']} (bot) by {who}",
        ]
        assert made["key"] not in caplog.text

    async def test_changes_while_none_ran_are_told_at_the_start(
        self, settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        made = keys(tmp_path, "create", "--name", "bot", "--scope", "read", "--expires", "90d")
        caplog.set_level(logging.INFO, "ftcli.audit")
        async with daemon(settings):
            [line] = told(caplog)
            assert line.startswith(f"keys.create {made['id']} (bot: read, until 2")
        caplog.clear()
        async with daemon(settings):
            assert told(caplog) == []


class TestKnownAtOnce:
    def test_a_key_that_was_just_made(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        moment = [100.0]
        monkeypatch.setattr(keys_module.time, "monotonic", lambda: moment[0])
        ring = KeyRing(Store(tmp_path / "service.db"))
        old, _ = ring.create(name="old")
        ring.check(old, "read")
        key, _ = KeyRing(Store(tmp_path / "service.db")).create(name="new")
        moment[0] += 0.06
        assert ring.check(key, "read").name == "new"


def environ(folder: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "FT_ENV": "paper",
        "FT_DATA_DIR": str(folder),
        "FT_CONFIG": "/dev/null",
        "FTSERVICE_PORT": "0",
    }


class TestFirstKey:
    """It is shown to who watches; a log that is kept and sent on never sees it."""

    LINE = [sys.executable, "-m", "ftcli", "serve"]

    def test_into_a_private_file_where_nobody_watches(self, tmp_path: Path) -> None:
        process = subprocess.Popen(
            self.LINE, stderr=subprocess.PIPE, env=environ(tmp_path), cwd=ROOT, text=True
        )
        assert process.stderr is not None
        said = ""
        while "first API key" not in said:
            line = process.stderr.readline()
            assert line, said
            said += line
        path = tmp_path / "first-api-key"
        key = path.read_text().strip()
        assert path.stat().st_mode & 0o777 == 0o600
        assert str(path) in said
        url = re.search(r"http://[\d.]+:\d+", said)
        assert url
        answer = httpx.get(
            f"{url[0]}/api/v1/accounts", headers={"Authorization": f"Bearer {key}"}, trust_env=False
        )
        assert answer.status_code == 200
        process.send_signal(signal.SIGTERM)
        said += process.stderr.read()
        process.stderr.close()
        assert process.wait(10) == 0
        assert key not in said
        assert "keys.create" in said
        doctor = ft("doctor", environ={**environ(tmp_path), "FTSERVICE_PORT": "9"})
        assert "still lies in its file" in doctor.out
        path.unlink()  # as the user is told
        assert "still lies" not in ft("doctor", environ={**environ(tmp_path), "FTSERVICE_PORT": "9"}).out

    def test_on_the_terminal_of_who_watches(self, tmp_path: Path) -> None:
        ours, theirs = pty.openpty()
        process = subprocess.Popen(self.LINE, stderr=theirs, env=environ(tmp_path), cwd=ROOT)
        os.close(theirs)
        said, until = "", time.monotonic() + 20
        while not ("shown only now: ft_" in said and "listening on" in said) and time.monotonic() < until:
            said += os.read(ours, 4096).decode()
        process.terminate()
        assert process.wait(10) == 0
        os.close(ours)
        assert "shown only now: ft_" in said
        assert not (tmp_path / "first-api-key").exists()
