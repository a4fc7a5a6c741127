"""``ft doctor``: everything by name, with time and outcome, and nothing private."""

import asyncio
import contextlib
import json
import os
import resource
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from broker_double import FERNET_KEY, LOGIN_PAGE, PASS, PASSWORD, TOTP, USER, BrokerDouble, Fault
from cli_kit import ft, paper_server
from test_security_door import certificate

from ftcli.paper.desk import DEMO_PASSWORD

Found = dict[str, dict[str, object]]

STEPS = [
    "login_page",
    "clear_session",
    "remembered_user",
    "select_user",
    "password",
    "remember_user",
    "open_session",
]


def examined(folder: Path, *words: str, **variables: str) -> tuple[int, Found]:
    environ = {"FT_ENV": "paper", "FT_DATA_DIR": str(folder), "FTSERVICE_PORT": "9", **variables}
    done = ft("doctor", "--json", *words, environ=environ)
    assert done.out, done.err
    document = json.loads(done.out)
    assert document["healthy"] is (done.status == 0)
    _is_fit_for_strangers(done.out)
    return done.status, {row["check"]: row for row in document["findings"]}


def _is_fit_for_strangers(text: str) -> None:
    """Nothing private: no home, name, password or account."""
    home = os.path.expanduser("~")
    for private in (f"{home}/", PASS, USER, FERNET_KEY, "Z20000025", "wrong-password-1"):
        assert private not in text


@pytest.fixture(scope="module")
def paper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A paper broker that stands in for the real one."""
    with paper_server(tmp_path_factory.mktemp("paper")) as url:
        yield url


def _shake_hands(server: socket.socket, context: ssl.SSLContext) -> None:
    """Takes connections and begins TLS on each, until the socket is closed."""
    with contextlib.suppress(OSError):
        while True:
            taken, _ = server.accept()
            with contextlib.suppress(OSError), taken:
                context.wrap_socket(taken, server_side=True).close()


def live(url: str, **variables: str) -> dict[str, str]:
    return {
        "FT_ENV": "live",
        "FT_UPSTREAM": url,
        "FT_TIMEOUT": "5",
        "FTSERVICE_ENCRYPTION_KEY": FERNET_KEY,
        **variables,
    }


def test_on_the_paper_broker_all_is_well(tmp_path: Path) -> None:
    status, found = examined(tmp_path / "data")
    assert status == 0
    assert [name.removeprefix("login ") for name in found if name.startswith("login ")] == STEPS
    assert all(isinstance(found[f"login {step}"]["ms"], int) for step in STEPS)
    wanted = ("ftcli", "python", "libraries", "settings", "store environment", "store file", "store keyring")
    wanted += (
        "encryption key",
        "permissions",
        "disk",
        "broker",
        "session",
        "accounts",
        "stream mdds",
        "stream beps",
        "daemon",
    )
    assert not [name for name in wanted if name not in found]
    assert {
        found[name]["status"]
        for name in ("disk", "session", "stream mdds", "stream beps", "accounts", "permissions")
    } == {"ok"}


def test_wide_open_files_are_found(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o755)
    (folder / "encryption.key").write_text("x")
    (folder / "encryption.key").chmod(0o644)
    _, found = examined(folder)
    assert found["permissions"]["status"] == "warning"
    assert "encryption.key" in str(found["permissions"]["outcome"])
    assert "chmod 600" in str(found["permissions"]["advice"])


def test_it_speaks_to_people_too(tmp_path: Path) -> None:
    done = ft("doctor", environ={"FT_ENV": "paper", "FT_DATA_DIR": str(tmp_path / "data")})
    assert done.status == 0, done.err
    assert "ok       login password" in done.out
    assert "Z20000025" not in done.out


class TestWhatCanBeWrong:
    """Each trouble is a finding of its own with what to do, whatever else is asked; the exit status tells which."""

    @pytest.mark.parametrize(
        ("limits", "said"),
        [
            ("max_value=lots", "limits.max_value: 'lots' given, but it must be a number of zero or more."),
            ("max_valeu=5", "limits.max_valeu: '5' given, but it must be one of the rules: max_quantity, "),
            ("nonsense", "limits.nonsense: nothing given, but it must be a rule with its value"),
            ("accounts.Z20000025.price_band=-1", ".price_band: '-1' given, but it must be a number of zero"),
        ],
    )
    def test_limits_do_not_parse(self, limits: str, said: str, tmp_path: Path) -> None:
        status, found = examined(tmp_path, FT_LIMITS=limits)
        assert (status, found["limits"]["status"]) == (2, "failed")
        assert said in str(found["limits"]["outcome"])
        assert found["limits"]["advice"] == "Until then no order is placed."

    def test_limits_are_counted(self, tmp_path: Path) -> None:
        assert examined(tmp_path)[1]["limits"]["outcome"] == "none"
        _, found = examined(tmp_path, FT_LIMITS="max_value=5,max_quantity=1")
        assert (found["limits"]["status"], found["limits"]["outcome"]) == ("ok", "2 of orders in force")

    def test_limits_of_nobody_are_told(self, tmp_path: Path, paper: str) -> None:
        limits = "max_value=5,keys.abc.max_quantity=1,accounts.Z99999999.max_value=1"
        known = {"FT_USERNAME": "demo", "FT_PASSWORD": DEMO_PASSWORD}
        _, found = examined(tmp_path, "--login", **live(paper, **known), FT_LIMITS=limits)
        assert found["limits"]["status"] == found["accounts"]["status"] == "warning"
        assert "no API key has the id abc" in str(found["limits"]["outcome"])
        assert "no account of this login" in str(found["accounts"]["outcome"])
        assert "Z99999999" not in str(found), "account numbers are masked"

    def test_nothing_is_set_up(self, tmp_path: Path, paper: str) -> None:
        status, found = examined(tmp_path, "--login", **live(paper))
        assert (status, found["login"]["status"]) == (2, "failed")
        assert "ft auth credentials set" in str(found["login"]["advice"])
        assert found["session"]["outcome"] == "disconnected"
        assert found["stream mdds"]["status"] == found["stream beps"]["status"] == "skipped"

    def test_all_is_well_at_a_broker_over_the_network(self, tmp_path: Path, paper: str) -> None:
        known = {"FT_USERNAME": "demo", "FT_PASSWORD": DEMO_PASSWORD}
        status, found = examined(tmp_path, "--login", **live(paper, **known))
        assert status == 0
        [host] = [row for name, row in found.items() if name.startswith("host ")]
        assert host["status"] == "ok"
        assert "mdds, beps" in str(host["outcome"])
        assert isinstance(host["ms"], int)
        assert found["clock"]["status"] == "ok"
        assert found["stream beps"]["status"] == "ok"

    async def test_a_wrong_password_and_then_the_cap(self, tmp_path: Path, double: BrokerDouble) -> None:
        world = live(double.url, FT_USERNAME=USER, FT_PASSWORD="wrong-password-1")
        for tries in range(1, 4):
            status, found = await asyncio.to_thread(examined, tmp_path, "--login", **world)
            assert (status, found["login password"]["status"]) == (4, "failed")
            assert "official app" in str(found["login"]["advice"])
            assert len(double.calls(PASSWORD)) == tries
        status, found = await asyncio.to_thread(examined, tmp_path, "--login", **world)
        assert status == 8
        assert "Do not try on" in str(found["login"]["advice"])
        assert len(double.calls(PASSWORD)) == 3

    async def test_a_locked_account(self, tmp_path: Path, double: BrokerDouble) -> None:
        envelope = {"responseBaseInfo": {"status": {"code": 1401, "message": "Account locked"}}}
        double.fail(PASSWORD, Fault(status=200, body=json.dumps(envelope)))
        world = live(double.url, FT_USERNAME=USER, FT_PASSWORD=PASS)
        status, found = await asyncio.to_thread(examined, tmp_path, "--login", **world)
        assert status == 4
        assert "Account locked" in str(found["login"]["outcome"])
        assert "unlock it there" in str(found["login"]["advice"])

    def test_the_second_factor_is_waited_for(self, tmp_path: Path) -> None:
        (tmp_path / "paper").mkdir()
        with paper_server(tmp_path / "paper", FT_PAPER_FAULTS="second_factor=on") as url:
            known = {"FT_USERNAME": "demo", "FT_PASSWORD": DEMO_PASSWORD}
            status, found = examined(tmp_path / "data", "--login", **live(url, **known))
            assert status == 0
            assert (found["login"]["status"], found["session"]["outcome"]) == ("warning", "totp_pending")
            assert "ft auth approve" in str(found["login"]["advice"]) + str(found["session"]["advice"])
            _, later = examined(tmp_path / "data", **live(url, **known))
            assert later["session"]["outcome"] == "totp_pending"

    def test_the_broker_is_down(self, tmp_path: Path) -> None:
        status, found = examined(tmp_path, **live("http://127.0.0.1:9"))
        assert status == 9
        host = found["host 127.0.0.1:9"]
        assert host["status"] == "failed"
        assert "refused" in str(host["outcome"])
        assert found["broker"]["status"] == "failed"
        assert found["broker"]["advice"]
        assert found["login"]["status"] == "skipped"
        assert found["session"]["status"] == "warning"

    def test_a_stream_that_a_setting_puts_elsewhere(self, tmp_path: Path, paper: str) -> None:
        world = live(paper, FTSERVICE_BEPS_STREAM_URL="ws://127.0.0.1:9/x?header={0}")
        status, found = examined(tmp_path, **world)
        assert status == 0
        assert found["host 127.0.0.1:9"]["status"] == "warning"  # the rest goes without account events
        assert str(found["host 127.0.0.1:9"]["outcome"]).endswith("for beps")

    def test_a_certificate_that_nobody_vouches_for(self, tmp_path: Path) -> None:
        cert = certificate(tmp_path)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*cert)
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            threading.Thread(target=_shake_hands, args=(server, context), daemon=True).start()
            status, found = examined(tmp_path / "data", **live(f"https://127.0.0.1:{port}"))
        assert status == 9
        assert "certificate is not trusted" in str(found[f"host 127.0.0.1:{port}"]["outcome"])

    def test_its_name_is_not_known(self, tmp_path: Path) -> None:
        world = live("http://broker.invalid:81", FT_UPSTREAM_REMOTE="true")
        status, found = examined(tmp_path, **world)
        assert status == 9
        assert "name is not known" in str(found["host broker.invalid:81"]["outcome"])

    def test_it_is_slow(self, tmp_path: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as mute:
            port = mute.getsockname()[1]
            status, found = examined(tmp_path, **live(f"http://127.0.0.1:{port}", FT_TIMEOUT="0.5"))
        assert status == 9
        assert found[f"host 127.0.0.1:{port}"]["status"] == "ok"
        assert "timeout" in str(found["broker"]["outcome"])
        assert 500 <= int(str(found["broker"]["ms"])) < 5000

    async def test_a_clock_that_is_wrong(self, tmp_path: Path, double: BrokerDouble) -> None:
        early = {"Date": "Tue, 24 Nov 2020 15:30:00 GMT"}
        double.fail(LOGIN_PAGE, *[Fault(status=200, body="<html></html>", headers=early)] * 2)
        envelope = {"responseBaseInfo": {"status": {"code": 1400, "message": "no"}}}
        double.fail(TOTP, Fault(status=200, body=json.dumps(envelope), headers=early))
        world = live(double.url, FT_USERNAME=USER, FT_PASSWORD=PASS)
        status, found = await asyncio.to_thread(examined, tmp_path, **world)
        assert status == 1
        assert "ahead of" in str(found["clock"]["outcome"])
        assert "clock" in str(found["clock"]["advice"])

    def test_a_disk_that_takes_nothing(self, tmp_path: Path, paper: str) -> None:
        """No file may grow: what a full disk does, for a process of its own."""
        environ = live(
            paper,
            PATH=os.environ["PATH"],
            FT_DATA_DIR=str(tmp_path),
            FT_CONFIG="/dev/null",
            FT_USERNAME="demo",
            FT_PASSWORD=DEMO_PASSWORD,
            FTSERVICE_PORT="9",
            PYTHON_KEYRING_BACKEND="keyring.backends.fail.Keyring",
        )
        done = subprocess.run(
            [sys.executable, "-m", "ftcli", "doctor", "--login", "--json"],
            capture_output=True,
            env=environ,
            cwd=Path(__file__).parents[2],
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)),
            timeout=60,
            check=False,
        )
        found = {row["check"]: row for row in json.loads(done.stdout)["findings"]}
        assert done.returncode == 1
        assert "cannot be written" in found["disk"]["outcome"]
        assert "Make room" in found["disk"]["advice"]
        # Uncounted logins could lock the account.
        assert "counts the logins, cannot be written" in found["login"]["outcome"]
        assert found["daemon"]["status"] == "ok"

    def test_a_data_folder_that_is_none(self, tmp_path: Path, paper: str) -> None:
        status, found = examined(Path("/proc/nothing"), **live(paper))
        assert status == 2
        for check in ("disk", "stores", "broker"):
            assert "FT_DATA_DIR" in str(found[check]["outcome"]), check
        assert found["daemon"]["status"] == "ok"

    def test_home_is_not_told(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HOME", str(tmp_path))
        (tmp_path / "data").mkdir(mode=0o755)
        _, found = examined(tmp_path / "data")
        assert found["permissions"]["advice"] == "chmod 700 ~/data"
        assert str(tmp_path) not in json.dumps(found)

    def test_neither_user_nor_machine_is_told(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        machine = "Annas-Laptop"
        monkeypatch.setattr(socket, "gethostname", lambda: f"{machine}.smith.example")
        monkeypatch.setenv("LOGNAME", "anna.smith")
        monkeypatch.setenv("HOME", str(tmp_path / "anna"))
        for name in ("anna", "annabel", "srv"):
            folder = tmp_path / name / "anna.smith" / machine.lower()
            folder.mkdir(parents=True, mode=0o755)
            _, found = examined(folder, FTSERVICE_HOST="192.0.2.7")
            told = json.dumps(found)
            assert "chmod 700" in told
            for private in ("smith", machine.lower(), "192.0.2.7", "~bel"):
                assert private not in told.lower(), private
        assert "/srv/$USER/$HOSTNAME" in told
        assert found["daemon"]["outcome"] == "none listens on FTSERVICE_HOST:9"

    def test_a_proxy_is_not_told(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        with socket.create_server(("127.0.0.1", 0)) as proxy:
            monkeypatch.setenv(
                "http_proxy", f"http://anna:hunter2-hunter2@localhost:{proxy.getsockname()[1]}"
            )
            world = live("http://broker.invalid:81", FT_UPSTREAM_REMOTE="true", FT_TIMEOUT="0.5")
            _, found = examined(tmp_path, **world)
        assert found["host broker.invalid:81"]["outcome"].startswith("connects (by a proxy)")
        assert "localhost" not in json.dumps(found)
        assert "hunter2" not in json.dumps(found)
