"""The files that settings come from: whatever is wrong with one is told in a sentence, never as a fault of ours."""

import json
from pathlib import Path

import pytest
from cli_kit import ft


def refused(environ: dict[str, str], *words: str) -> dict[str, object]:
    """The error that a command ends with."""
    done = ft(*(words or ("config", "show")), "-o", "json", environ={"FT_ENV": "paper", **environ})
    document = json.loads(done.err)
    assert (done.status, document["code"]) == (2, "VALIDATION_ERROR"), document
    return document


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    file = tmp_path / "x"
    file.write_bytes(b"ok\xff\xfehunter2")
    for variable in ("FT_CONFIG", "FT_PASSWORD_FILE", "FT_ACCOUNT_FILE", "FTSERVICE_ENCRYPTION_KEY_FILE"):
        problem = refused({variable: str(file)})
        assert problem["details"] == {
            "field": variable,
            "value": str(file),
            "rule": "be a text file in UTF-8; its byte 2 is none",
        }
        assert "hunter2" not in json.dumps(problem)


def test_a_folder(tmp_path: Path) -> None:
    for variable in ("FT_CONFIG", "FT_PASSWORD_FILE"):
        assert "Is a directory" in str(refused({variable: str(tmp_path)})["message"])


def test_a_file_that_never_ends() -> None:
    for variable in ("FT_CONFIG", "FT_PASSWORD_FILE"):
        assert "at most 64 KiB" in str(refused({variable: "/dev/zero"})["message"])


@pytest.mark.parametrize("content", ["", "\n", " \n"])
def test_an_empty_secret_is_not_silently_none(tmp_path: Path, content: str) -> None:
    file = tmp_path / "key"
    file.write_text(content)
    assert "empty" in str(refused({"FTSERVICE_ENCRYPTION_KEY_FILE": str(file)})["message"])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("profile = 3", "must hold tables"),
        ("[profile]\nx = 3", "must hold tables"),
        ('profile = "x"\nprofiles = "xyz"', "must hold tables"),
        ("password = 12345678", "must be text"),
        ('password = ["hunter2"]', "must be text"),
        ("data_dir = 3", "must be text"),
        ('data_dir = "~nobodyhere/x"', "~ is known"),
        ("data_dir = ", "not valid TOML"),
    ],
)
def test_values_of_the_wrong_kind(tmp_path: Path, content: str, said: str) -> None:
    file = tmp_path / "config.toml"
    file.write_text(content)
    problem = json.dumps(refused({"FT_CONFIG": str(file), "FT_PROFILE": "x" if "profile" in content else ""}))
    assert said in problem
    assert "12345678" not in problem
    assert "hunter2" not in problem


@pytest.mark.parametrize("folder", ["/proc/nothing", "/dev/null"])
def test_a_data_folder_that_is_none(folder: str) -> None:
    for words in (("auth", "storage"), ("keys", "list"), ("auth", "credentials", "show")):
        problem = refused({"FT_DATA_DIR": folder}, *words)
        assert problem["details"]["field"] == "data_dir"  # type: ignore[index]
