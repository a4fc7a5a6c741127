"""The OS keyring for real: a Secret Service that is unlocked, locked, hanging, absent.

Runs inside the private D-Bus session that ``tests/keyring/run`` opens; elsewhere it is left out.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(
    not os.environ.get("FT_REAL_KEYRING"), reason="needs a private D-Bus session: tests/keyring/run"
)

ROOT = Path(__file__).parents[2]
PASSWORD = "the keyring's own pässword"


def start_keyring() -> subprocess.Popen[bytes]:
    """A keyring daemon whose login collection is open."""
    process = subprocess.Popen(
        ["gnome-keyring-daemon", "--foreground", "--replace", "--unlock", "--components=secrets"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdin is not None
    process.stdin.write(b"unlocked")
    process.stdin.close()
    _until_it_answers()
    return process


def _until_it_answers() -> None:
    script = "import secretstorage as s; b = s.dbus_init(); c = s.get_default_collection(b); assert not c.is_locked()"
    for _ in range(50):
        if subprocess.run([sys.executable, "-c", script], capture_output=True, check=False).returncode == 0:
            return
        time.sleep(0.1)
    raise AssertionError("the keyring daemon did not come up")


@pytest.fixture
def keyring() -> Iterator[subprocess.Popen[bytes]]:
    process = start_keyring()
    yield process
    process.send_signal(signal.SIGCONT)
    process.kill()
    process.wait(10)
    if process.stdout is not None:
        process.stdout.close()


def ft(folder: Path, *words: str, stdin: str = "", **variables: str) -> tuple[int, str, str, float]:
    """Runs ``ft`` in a process of its own, as a user would; answers status, output, errors, seconds."""
    environ = {
        **os.environ,
        "FT_ENV": "live",
        "FT_DATA_DIR": str(folder),
        "FT_CONFIG": "/dev/null",
        **variables,
    }
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "ftcli", *words, "-o", "json"],
        input=stdin,
        capture_output=True,
        text=True,
        env=environ,
        cwd=ROOT,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr, time.monotonic() - started


def keep(folder: Path) -> None:
    status, out, err, _ = ft(
        folder, "auth", "credentials", "set", "--username", "kim", "--password-stdin", stdin=f"{PASSWORD}\n"
    )
    assert status == 0, err
    assert "Secret" in json.loads(out)["store"]


def test_round_trip(keyring: subprocess.Popen[bytes], tmp_path: Path) -> None:
    keep(tmp_path)
    shown = json.loads(ft(tmp_path, "auth", "credentials", "show")[1])
    assert (shown["stored"], shown["username"]) == (True, "kim")
    script = "import keyring; print(keyring.get_password('ftcli', 'live-credentials'))"
    kept = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert json.loads(kept)["password"] == PASSWORD
    for path in tmp_path.iterdir():
        assert PASSWORD.encode() not in path.read_bytes()
    states = {row["store"]: row for row in json.loads(ft(tmp_path, "auth", "storage")[1])["stores"]}
    assert states["keyring"] | {"where": ""} == {
        "store": "keyring",
        "where": "",
        "usable": True,
        "holds": True,
        "reason": None,
    }
    assert json.loads(ft(tmp_path, "auth", "credentials", "delete")[1])["note"] is None
    assert json.loads(ft(tmp_path, "auth", "credentials", "show")[1])["stored"] is False


def test_the_key_of_the_session_lives_there_and_is_replaced_there(
    keyring: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    status, out, err, _ = ft(tmp_path, "auth", "rekey")
    assert status == 0, err
    assert json.loads(out)["key_origin"] == "keyring"
    assert not (tmp_path / "encryption.key").exists()


def test_moving_there_and_back(keyring: subprocess.Popen[bytes], tmp_path: Path) -> None:
    keep(tmp_path)
    key = {"FTSERVICE_ENCRYPTION_KEY": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="}
    assert ft(tmp_path, "auth", "credentials", "migrate", "--to", "file", **key)[0] == 0
    assert json.loads(ft(tmp_path, "auth", "credentials", "show")[1])["stored"] is False
    assert ft(tmp_path, "auth", "credentials", "migrate", "--to", "keyring", **key)[0] == 0
    assert json.loads(ft(tmp_path, "auth", "credentials", "show")[1])["username"] == "kim"
    assert ft(tmp_path, "auth", "credentials", "delete")[0] == 0


def test_locked(keyring: subprocess.Popen[bytes], tmp_path: Path) -> None:
    """A locked collection wants a dialog that nobody can see: no wait without end, and nothing in the plain."""
    keep(tmp_path)
    script = "import secretstorage as s; s.get_default_collection(s.dbus_init()).lock()"
    subprocess.run([sys.executable, "-c", script], check=True)
    status, out, _, seconds = ft(tmp_path, "auth", "credentials", "show")
    assert status == 0
    assert json.loads(out)["stored"] is False
    assert json.loads(out)["note"]
    assert seconds < 8
    status, _, err, seconds = ft(
        tmp_path, "auth", "credentials", "set", "--username", "kim", "--password-stdin", stdin=f"{PASSWORD}\n"
    )
    assert (status, json.loads(err)["code"]) == (2, "VALIDATION_ERROR")
    assert "Nothing was written" in err
    assert seconds < 8
    assert not [path for path in tmp_path.iterdir() if PASSWORD.encode() in path.read_bytes()]


def test_hanging(keyring: subprocess.Popen[bytes], tmp_path: Path) -> None:
    keep(tmp_path)
    keyring.send_signal(signal.SIGSTOP)
    status, out, _, seconds = ft(tmp_path, "auth", "credentials", "show")
    assert status == 0
    assert "did not answer within 3 s" in json.loads(out)["note"]
    assert seconds < 8
    _, out, _, seconds = ft(tmp_path, "--paper", "doctor")
    findings = {row["check"]: row for row in json.loads(out)["findings"]}
    assert findings["store keyring"]["status"] == "warning"
    assert seconds < 20
    keyring.send_signal(signal.SIGCONT)
    assert json.loads(ft(tmp_path, "auth", "credentials", "show")[1])["stored"] is True
    assert ft(tmp_path, "auth", "credentials", "delete")[0] == 0


def test_absent(tmp_path: Path) -> None:
    nowhere = {"DBUS_SESSION_BUS_ADDRESS": "unix:path=/nonexistent"}
    status, _, err, seconds = ft(
        tmp_path,
        *("auth", "credentials", "set", "--username", "kim", "--password-stdin"),
        stdin=f"{PASSWORD}\n",
        **nowhere,
    )
    assert (status, json.loads(err)["code"]) == (2, "VALIDATION_ERROR")
    assert seconds < 8
    key = {"FTSERVICE_ENCRYPTION_KEY": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="}
    status, out, _, _ = ft(
        tmp_path,
        *("auth", "credentials", "set", "--username", "kim", "--password-stdin"),
        stdin=f"{PASSWORD}\n",
        **nowhere,
        **key,
    )
    assert status == 0
    assert json.loads(out)["store"] == "encrypted file credentials.bin"


def test_what_a_locked_one_holds_does_not_come_back(keyring: subprocess.Popen[bytes], tmp_path: Path) -> None:
    keep(tmp_path)
    script = "import secretstorage as s; s.get_default_collection(s.dbus_init()).lock()"
    subprocess.run([sys.executable, "-c", script], check=True)
    status, _, err, _ = ft(tmp_path, "auth", "credentials", "delete")
    assert status == 2
    assert "They are not used any more" in json.loads(err)["message"]
    _, out, _, _ = ft(tmp_path, "--paper", "doctor")
    findings = {row["check"]: row for row in json.loads(out)["findings"]}
    assert findings["store keyring"]["status"] == "warning"
    keyring.kill()
    keyring.wait(10)
    again = start_keyring()  # unlocked, with what it kept
    try:
        shown = json.loads(ft(tmp_path, "auth", "credentials", "show")[1])
        assert shown["stored"] is False
        assert "older credentials" in shown["note"]
        assert ft(tmp_path, "auth", "credentials", "delete")[0] == 0
    finally:
        again.kill()
        again.wait(10)
        if again.stdout is not None:
            again.stdout.close()
