"""Help texts: golden for a few commands, and true for all of them."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cli_kit import ft, terminal

from ftcli.cli.call import Call
from ftcli.cli.contents import FORM_GROUPS, FORMS, HEADINGS, SHORTCUTS
from ftcli.cli.parameters import Option
from ftcli.cli.parsing import Command, Context, Group
from ftcli.cli.root import root
from ftcli.operations.contents import top_groups
from ftcli.operations.registry import all_operations

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize(
    "line", ["buy", "accounts positions", "orders equity preview", "auth login", "stream quotes", "config"]
)
def test_golden(line: str) -> None:
    """Rebuild with FT_UPDATE_GOLDEN=1 after a change that is meant."""
    text = ft(*line.split(), "--help").out
    file = GOLDEN / f"{line.replace(' ', '_')}.txt"
    if os.environ.get("FT_UPDATE_GOLDEN"):
        file.write_text(text)
    assert text == file.read_text()


def nodes(group: Group, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Command | Group]]:
    context = Context(group, info_name="ft", obj=Call(terminal(), []))
    for word in group.list_commands(context):
        node = group.get_command(context, word)
        assert node is not None, (*words, word)
        yield (*words, word), node
        if isinstance(node, Group):
            yield from nodes(node, (*words, word))


NODES = dict(nodes(root()))
COMMANDS = {words: node for words, node in NODES.items() if isinstance(node, Command)}


@pytest.mark.parametrize("words", NODES, ids=" ".join)
def test_every_node_explains_itself_within_the_width(words: tuple[str, ...]) -> None:
    shown = ft(*words, "--help")
    assert shown.status == 0
    assert shown.err == ""
    assert shown.out.startswith(f"Usage: ft {' '.join(words)} ")
    outside = shown.out.partition("\nExamples:")[0]
    assert all(len(line) <= 100 for line in outside.splitlines())
    assert "Source:" not in shown.out
    assert "Raises:" not in shown.out
    assert "``" not in shown.out


def test_every_operation_with_words_has_its_command_and_no_other_is_mounted() -> None:
    mounted = {
        " ".join(words)
        for words in COMMANDS
        if words[0] not in SHORTCUTS and not any(form.words == " ".join(words) for form in FORMS)
    }
    assert mounted == {operation.cli for operation in all_operations() if operation.cli}


def test_every_parameter_of_an_operation_can_be_given() -> None:
    for operation in all_operations():
        if operation.cli:
            command = COMMANDS[tuple(operation.cli.split())]
            context = Context(command, info_name="ft", obj=Call(terminal(), []))
            names = {param.name.partition("__")[0] for param in command.get_params(context)}
            assert {param.name for param in operation.params} <= names, operation.name


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_no_spelling_is_used_twice_and_all_options_have_help(words: tuple[str, ...]) -> None:
    command = COMMANDS[words]
    seen: list[str] = []
    for param in command.get_params(Context(command, info_name="ft", obj=Call(terminal(), []))):
        if isinstance(param, Option):
            seen += [*param.opts, *param.secondary_opts]
        assert getattr(param, "help", None), (words, param.name)
    assert len(seen) == len(set(seen))


def examples() -> list[str]:
    return sorted({example for command in COMMANDS.values() for example in command.examples})


@pytest.mark.parametrize("example", examples())
def test_examples_parse(example: str, tmp_path: Path) -> None:
    """Every example reaches the broker, or at least the point where it would."""
    import shlex

    class ReachedError(Exception):
        pass

    def opener(settings: Any) -> Any:
        raise ReachedError

    words = [part for part in shlex.split(example) if part != "<"]
    if "<" in shlex.split(example):
        words.pop()  # the file behind the sign
    if (
        words[-3:-1] == ["paper", "serve"]
        or words[0] in ("demo", "serve")
        or "serve" in words
        or "reset" in words
        or words[:2] in (["auth", "rekey"], ["auth", "credentials"], ["keys", "rotate"], ["keys", "revoke"])
    ):
        pytest.skip("runs something of its own")
    if words[:2] == ["orders", "apply"]:
        words[2] = str(tmp_path / "orders.toml")
        Path(words[2]).write_text(
            'batch = "b"\n[[order]]\naccount = "Z20000025"\nsymbol = "AAPL"\naction = "buy"\nquantity = 1\n'
            'order_type = "market"\n'
        )
    body = (
        '{"account": "Z20000025", "symbol": "AAPL", "action": "buy", "quantity": 1, "order_type": "market"}'
    )
    done = ft(
        *words,
        stdin=body,
        environ={"FT_ENV": "paper", "FT_ACCOUNT": "Z20000025", "FT_DATA_DIR": str(tmp_path)},
        opener=opener,
    )
    reached = "ReachedError" in done.err or "DAEMON_REQUIRED" in done.err
    assert done.status == 0 or reached, done.err


def test_the_tables_say_what_the_commands_say() -> None:
    from importlib import import_module

    for form in FORMS:
        declared = getattr(import_module(f"ftcli.cli.commands.{form.module}"), form.attribute)
        assert declared.summary == form.summary
    assert {form.words for form in FORMS if form.is_top} | set(FORM_GROUPS) | set(SHORTCUTS) == set(HEADINGS)


def test_shortcuts_are_the_commands_they_stand_for() -> None:
    for word, target in SHORTCUTS.items():
        own, meant = ft(word, "--help").out, ft(*target.split(), "--help").out
        assert own.replace(f"ft {word}", "ft") == meant.replace(f"ft {target}", "ft").replace(
            f"ft {word}", "ft"
        )


def test_ft_alone_and_a_group_alone_explain_themselves() -> None:
    assert ft().out == ft("--help").out
    assert ft("accounts").out == ft("accounts", "--help").out
    text = ft().out
    assert all(entry.name.replace("_", "-") in text for entry in top_groups())
    assert all(word in text for word in (*SHORTCUTS, *FORM_GROUPS))


def test_version() -> None:
    from ftcli.version import __version__

    assert ft("--version").out == f"ftcli {__version__}\n"


def test_help_on_a_terminal_is_drawn_and_in_a_pipe_plain(tmp_path: Path) -> None:
    import pty

    line = [sys.executable, "-m", "ftcli", "config", "--help"]
    plain = subprocess.run(line, capture_output=True, text=True, check=True).stdout
    assert "\x1b" not in plain
    assert "╭" not in plain
    master, slave = pty.openpty()
    environ = {"PATH": os.environ["PATH"], "TERM": "xterm-256color", "COLUMNS": "100"}
    with subprocess.Popen(
        line, stdout=slave, stderr=slave, env=environ, cwd=Path(__file__).parents[2]
    ) as process:
        os.close(slave)
        drawn = b""
        while True:
            try:
                part = os.read(master, 65536)
            except OSError:  # the other end is closed
                break
            if not part:
                break
            drawn += part
        os.close(master)
        assert process.wait() == 0
    assert "╭" in drawn.decode()
    assert "[profile.NAME]" in drawn.decode()


@pytest.mark.parametrize("line", [["--help"], ["--version"], ["accounts", "--bogus"]])
def test_what_needs_no_broker_loads_no_heavy_library(line: list[str]) -> None:
    code = (
        "import sys; from ftcli.cli.entry import run; run(sys.argv[1:]);"
        "sys.stderr.write('LOADED ' + ' '.join(sorted(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code, *line], capture_output=True, text=True, check=True)
    loaded = done.stderr.rpartition("LOADED ")[2].split()
    heavy = {"rich", "httpx", "aiohttp", "asyncio", "pydantic", "cryptography", "keyring", "msgspec", "ssl"}
    assert not heavy & set(loaded)
