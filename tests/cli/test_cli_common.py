"""The common options: at any place, the later one wins, and between paper and live nothing is guessed."""

import json
from pathlib import Path
from typing import Any

import pytest
from cli_kit import Outcome, Run, ft


def setting(name: str, *args: str, **world: Any) -> tuple[str, str]:
    """(value, origin) of a setting as ``ft config show`` sees it."""
    told = ft(*args, "config", "show", "-o", "json", **world)
    assert told.status == 0, told.err
    rows = json.loads(told.out)["settings"]
    return next((row["value"], row["origin"]) for row in rows if row["name"] == name)


def test_common_options_are_taken_at_every_place() -> None:
    for line in (
        ["--paper", "config", "show", "-o", "json"],
        ["config", "--paper", "show", "-o", "json"],
        ["config", "show", "--paper", "-o", "json"],
        ["-o", "json", "config", "show", "--env", "paper"],
    ):
        rows = json.loads(ft(*line).out)["settings"]
        assert next(row for row in rows if row["name"] == "environment") == {
            "name": "environment",
            "value": "paper",
            "origin": "command line",
        }


@pytest.mark.parametrize(
    ("line", "environment"),
    [
        (["--env", "live", "config", "show", "--paper"], "paper"),
        (["--paper", "config", "show", "--env", "live"], "live"),
        (["--paper", "--env", "live", "config", "show"], "live"),
        (["--env", "live", "--paper", "config", "show"], "paper"),
    ],
)
def test_the_later_one_wins(line: list[str], environment: str) -> None:
    rows = json.loads(ft(*line, "-o", "json").out)["settings"]
    assert next(row["value"] for row in rows if row["name"] == "environment") == environment


def test_layers_flag_over_environment_over_profile_over_file_over_default(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('account = "FILE1"\ntimeout = 5\n[profile.other]\naccount = "PROFILE1"\n')
    world: dict[str, Any] = {"environ": {"FT_CONFIG": str(file)}}
    assert setting("account", **world) == ("FILE1", str(file))
    assert setting("account", "--profile", "other", **world) == ("PROFILE1", "profile other")
    more: dict[str, Any] = {"environ": {"FT_CONFIG": str(file), "FT_ACCOUNT": "ENV1", "FT_TIMEOUT": "7"}}
    assert setting("account", "--profile", "other", **more) == ("ENV1", "FT_ACCOUNT")
    assert setting("timeout", "--timeout", "2m", **more) == ("120.0", "command line")
    assert setting("port", **world) == ("8787", "default")


def test_an_unknown_key_is_an_error_with_a_suggestion(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('acount = "X"\n')
    told = ft("config", "show", environ={"FT_CONFIG": str(file)})
    assert told.status == 2
    assert "Did you mean account?" in told.err


def test_secrets_are_masked_and_both_forms_at_once_are_an_error(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("correct-horse-battery\n")
    assert setting("password", environ={"FT_PASSWORD_FILE": str(secret)}) == ("***", "FT_PASSWORD_FILE")
    both = ft("config", "show", environ={"FT_PASSWORD_FILE": str(secret), "FT_PASSWORD": "x"})
    assert both.status == 2
    assert "set only one of them" in both.err


def test_the_path_of_the_user_file(tmp_path: Path) -> None:
    file = tmp_path / "ft.toml"
    file.touch()
    told = ft("config", "path", environ={"FT_CONFIG": str(file)})
    assert told.out == f"{file}\n"


def test_a_user_file_that_was_named_must_be_there(tmp_path: Path) -> None:
    # It may have said `environment = "paper"`: nothing may happen elsewhere because its name is misspelt.
    told = ft("positions", environ={"FT_CONFIG": str(tmp_path / "cnofig.toml")})
    assert told.status == 2
    assert "FT_CONFIG" in told.err
    assert "cnofig.toml" in told.err
    assert "/dev/null stands for none" in told.err


def test_quiet_leaves_data_and_errors(paper: Run) -> None:
    def run(*flags: str) -> Outcome:
        return paper("quote", "KO", "NOPE", *flags)

    assert "NOPE" in run().err
    assert run("-q").err == ""
    assert run("-q").out == run().out
    assert paper("quote", "NOPE", "-q").err.startswith("Error: ")


def test_verbose_and_debug_say_more_and_never_a_secret(paper: Run) -> None:
    assert paper("positions").err == ""
    assert "ftcli." in paper("positions", "--debug").err
    assert "open-sesame" not in paper("positions", "--debug").err


def test_output_comes_from_the_environment_too(paper: Run, environ: dict[str, str]) -> None:
    told = ft("quote", "KO", environ=environ | {"FT_OUTPUT": "json"})
    assert told.data == paper("quote", "KO", "-o", "json").data
    assert ft("quote", "KO", "-o", "csv", environ=environ | {"FT_OUTPUT": "json"}).out.startswith("symbol,")
