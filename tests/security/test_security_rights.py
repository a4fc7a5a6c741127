"""Rights that are too wide, wherever the settings put a file: seen by ``ft auth storage`` and ``ft doctor``."""

import json
from pathlib import Path

import pytest
from cli_kit import ft


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A data folder, a user file, a secret and a database, each in a folder of its own, all private."""
    monkeypatch.setenv("LOGNAME", "root")  # another user's name would be masked in the folder's
    for name in ("data", "conf", "secrets", "db"):
        (tmp_path / name).mkdir(mode=0o700)
    for name in ("conf/config.toml", "secrets/password", "db/service.db", "db/service.db-wal", "tls.pem"):
        (tmp_path / name).write_text('account = "Z20000025"\n' if name.endswith("toml") else "x")
        (tmp_path / name).chmod(0o600)
    return {
        "FT_ENV": "live",
        "FT_UPSTREAM": "http://127.0.0.1:9",
        "FT_TIMEOUT": "1",
        "FT_DATA_DIR": str(tmp_path / "data"),
        "FT_CONFIG": str(tmp_path / "conf/config.toml"),
        "FT_PASSWORD_FILE": str(tmp_path / "secrets/password"),
        "FTSERVICE_DB_PATH": str(tmp_path / "db/service.db"),
        "FTSERVICE_TLS_KEY": str(tmp_path / "tls.pem"),
    }


def fixes(world: dict[str, str]) -> list[str]:
    told = ft("auth", "storage", "-o", "json", environ=world)
    assert told.status == 0, told.err
    return [entry["fix"] for entry in json.loads(told.out)["files"] if entry["fix"]]


def test_what_is_private_needs_no_fix(world: dict[str, str]) -> None:
    assert fixes(world) == []
    assert "OPEN" not in ft("auth", "storage", environ=world).out


@pytest.mark.parametrize(
    ("name", "mode", "fix"),
    [
        ("data", 0o755, "700"),
        ("conf/config.toml", 0o644, "600"),
        ("conf/config.toml", 0o640, "600"),
        ("secrets/password", 0o604, "600"),
        ("db/service.db", 0o644, "600"),
        ("db/service.db-wal", 0o660, "600"),
        ("tls.pem", 0o644, "600"),
        ("conf", 0o770, "go-w"),
        ("secrets", 0o707, "go-w"),
        ("db", 0o777, "go-w"),
    ],
)
def test_each_is_found_with_the_command_that_mends_it(
    world: dict[str, str], tmp_path: Path, name: str, mode: int, fix: str
) -> None:
    (tmp_path / name).chmod(mode)
    wanted = f"chmod {fix} {tmp_path / name}"
    assert fixes(world) == [wanted]
    assert wanted in ft("auth", "storage", environ=world).out
    found = {row["check"]: row for row in json.loads(ft("doctor", "--json", environ=world).out)["findings"]}
    assert found["permissions"]["status"] == "warning"
    assert found["permissions"]["advice"] == wanted
    assert f"{mode:04o}" in found["permissions"]["outcome"]


def test_others_may_look_into_a_folder_that_is_not_ours_alone(world: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "conf").chmod(0o755)
    (tmp_path / "db").chmod(0o1777)  # as /tmp: nobody can replace what another one owns
    assert fixes(world) == []


def test_a_path_with_blanks_is_quoted(world: dict[str, str], tmp_path: Path) -> None:
    secret = tmp_path / "my secret"
    secret.write_text("x")
    secret.chmod(0o644)
    assert fixes(world | {"FT_PASSWORD_FILE": str(secret)}) == [f"chmod 600 '{secret}'"]
