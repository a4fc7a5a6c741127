"""``ft doctor``: everything by name, with time and outcome, and nothing private."""

import json
from pathlib import Path

from cli_kit import ft

STEPS = [
    "login_page",
    "clear_session",
    "remembered_user",
    "select_user",
    "password",
    "remember_user",
    "open_session",
]


def examined(folder: Path, *words: str, **variables: str) -> tuple[int, dict[str, dict[str, object]]]:
    environ = {"FT_ENV": "paper", "FT_DATA_DIR": str(folder), "FTSERVICE_PORT": "9", **variables}
    done = ft("doctor", "--json", *words, environ=environ)
    assert done.out, done.err
    document = json.loads(done.out)
    assert document["healthy"] is (done.status == 0)
    return done.status, {row["check"]: row for row in document["findings"]}


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
        "broker reachable",
        "session",
        "accounts",
        "streams",
        "daemon",
    )
    assert not [name for name in wanted if name not in found]
    assert {found[name]["status"] for name in ("disk", "session", "streams", "accounts", "permissions")} == {
        "ok"
    }


def test_a_broker_that_is_away_is_named_and_nothing_is_guessed(tmp_path: Path) -> None:
    status, found = examined(tmp_path, FT_ENV="live", FT_UPSTREAM="http://127.0.0.1:9", FT_TIMEOUT="1")
    assert status == 9
    assert found["broker reachable"]["status"] == "failed"
    assert found["broker reachable"]["advice"]
    assert found["login"]["status"] == "skipped"
    assert found["session"]["status"] == "warning"


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
