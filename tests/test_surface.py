"""The contract: every row of ``data/surface.csv`` on its three faces, and the faces list the same operations.

A row says how an operation is called over HTTP, on the command line and from Python. Path parameters are compared by
place and not by name; words in capitals stand for values.
"""

import csv
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from cli_kit import terminal

from ftcli.cli.call import Call
from ftcli.cli.contents import DEFAULTS, FORMS, SHORTCUTS
from ftcli.cli.parsing import Command, Context, Group
from ftcli.cli.root import root
from ftcli.client import Client
from ftcli.config import Settings
from ftcli.operations.operation import operations_of
from ftcli.operations.registry import all_operations, find, groups_of, top_groups
from ftcli.server.app import OWN
from ftcli.server.docs import page_handlers
from ftcli.server.openapi import document
from ftcli.server.routes import PREFIX
from ftcli.transport.broker import Broker

HERE = Path(__file__).parent
PAGES = [HERE.parent / "README.md", *sorted(HERE.parent.joinpath("docs").rglob("*.md"))]


class Row(NamedTuple):
    """One operation of the contract."""

    http: str
    cli: str
    sdk: str


with (HERE / "data" / "surface.csv").open() as file:
    ROWS = [Row(**row) for row in csv.DictReader(file)]

ROUTES: dict[str, dict[str, Any]] = {
    f"{method.upper()} {re.sub('{.*?}', '{}', path)}": entry
    for path, methods in document(list(all_operations()), OWN)["paths"].items()
    for method, entry in methods.items()
} | {f"GET {path}": {} for path in page_handlers()}


def mounted(group: Group, words: tuple[str, ...] = ()) -> Iterator[tuple[str, Command]]:
    """Every command with its words."""
    for word in group.list_commands(context_of(group)):
        node = group.get_command(context_of(group), word)
        if isinstance(node, Group):
            yield from mounted(node, (*words, word))
        else:
            assert node is not None
            yield " ".join((*words, word)), node


def context_of(command: Command | Group) -> Context:
    return Context(command, info_name="ft", obj=Call(terminal(), []))


COMMANDS = dict(mounted(root()))


def options_of(words: str) -> set[str]:
    """Every option a command takes, its own and the common ones."""
    command = COMMANDS[words]
    params = command.get_params(context_of(command))
    return {name for param in params for name in (*param.opts, *param.secondary_opts)}


def command_in(line: str) -> tuple[str, list[str]]:
    """The command a line calls, and the options it uses."""
    parts = [part for part in shlex.split(line, comments=True) if part not in ("|", ">", "<")]
    used = [part.partition("=")[0] for part in parts if re.fullmatch(r"--[a-z][a-z-]*(=.*)?|-[a-z]", part)]
    words = [part for part in parts if not part.startswith("-")]
    for length in range(len(words), 0, -1):
        if " ".join(words[:length]) in COMMANDS:
            return " ".join(words[:length]), used
        if length == 1 and words[0] in DEFAULTS:
            return f"{words[0]} {DEFAULTS[words[0]]}", used
    raise AssertionError(f"no command in: ft {line}")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.http)
def test_every_row_has_its_route(row: Row) -> None:
    kind, _, target = row.http.removeprefix("SSE ").partition(" ")
    path, _, query = target.partition("?")
    method = "GET" if kind == "WS" else kind
    shape = re.sub("{.*?}", "{}", path)
    entry = ROUTES.get(f"{method} {PREFIX}{shape}", ROUTES.get(f"{method} {shape}"))
    assert entry is not None, f"no route {row.http}"
    if query:
        names = {param["name"] for param in entry["parameters"] if param["in"] == "query"}
        assert query.removesuffix("=") in names
    if row.http.startswith("SSE "):
        assert "text/event-stream" in entry["responses"]["200"]["content"]


@pytest.mark.parametrize("row", [row for row in ROWS if row.cli], ids=lambda row: row.cli)
def test_every_row_has_its_command_and_options(row: Row) -> None:
    words, used = command_in(row.cli.removeprefix("ft "))
    assert words == " ".join(
        word for word in row.cli.split()[1:] if re.fullmatch("[a-z-]+", word) and word[0] != "-"
    )
    assert set(used) <= options_of(words)


@pytest.mark.parametrize("row", [row for row in ROWS if row.sdk], ids=lambda row: row.sdk)
def test_every_row_has_its_method_with_its_route(row: Row) -> None:
    client = Client(Settings(), Broker(Settings()))
    target: Any = client
    for name in row.sdk.split("."):
        target = getattr(target, name)
    if not callable(target):  # a noun alone lists what it holds
        target, row = target.list, row._replace(sdk=f"{row.sdk}.list")
    operation = find(row.sdk)
    assert target == operation.__get__(target.__self__, type(target.__self__))
    path = row.http.rpartition(" ")[2].partition("?")[0]
    assert re.sub("{.*?}", "{}", operation.path) == re.sub("{.*?}", "{}", path)
    assert row.http.removeprefix("SSE ").startswith(operation.method)


# -- parity --------------------------------------------------------------------------------------------------


def in_sdk() -> set[str]:
    """The operations that can be reached from a client."""
    found = set()
    for entry in top_groups():
        for group in groups_of(entry.name):
            target: Any = Client(Settings(), Broker(Settings()))
            for name in group.name.split("."):
                target = getattr(target, name)
            found |= {operation.name for operation in operations_of(type(target))}
    return found


def test_the_sdk_has_every_operation_and_no_other() -> None:
    assert in_sdk() == {operation.name for operation in all_operations()}


def test_the_routes_are_the_operations_and_the_daemons_own() -> None:
    operations = {f"{item.method} {PREFIX}{re.sub('{.*?}', '{}', item.path)}" for item in all_operations()}
    own = {f"{route.method} {route.path if route.root else PREFIX + route.path}" for route in OWN}
    assert set(ROUTES) - {f"GET {path}" for path in page_handlers()} == operations | own


HAND_MADE = {
    "auth.login": "auth login",
    "auth.answer_totp": "auth approve",
    "credentials.store": "auth credentials set",
    "credentials.remove": "auth credentials delete",
    "orders.cancel.preview": "orders cancel",
    "orders.cancel.place": "orders cancel",
}
"""The operations whose command is a form of its own."""


def test_the_command_line_has_every_operation() -> None:
    words = {operation.name: operation.cli or HAND_MADE[operation.name] for operation in all_operations()}
    assert set(words.values()) <= set(COMMANDS)
    forms = {form.words for form in FORMS} | set(SHORTCUTS)
    assert set(COMMANDS) - forms == {operation.cli for operation in all_operations() if operation.cli}


def test_shortcuts_are_those_of_the_contract() -> None:
    lines = (
        "positions", "balances", "quote AAPL TSLA", "buy AAPL 10 --limit 150", "sell TSLA 5 --stop 200", "cancel CONF",
        "orders", "chain AAPL", "chart AAPL", "search apple",
    )  # fmt: skip
    for line in lines:
        words, used = command_in(line)
        assert words.split()[0] == line.split()[0]
        assert set(used) <= options_of(words)


# -- what the documentation says -----------------------------------------------------------------------------


def documented() -> Iterator[tuple[str, str]]:
    """Every command line in a code block of README and docs, and in the examples of the help."""
    for page in PAGES:
        blocks: list[str] = re.findall(r"^```sh\n(.*?)^```", page.read_text(), re.M | re.S)
        for line in "\n".join(blocks).replace("\\\n", " ").splitlines():
            for part in re.findall(r"(?:^|\| |\$\(|&& |; )ft ((?:'[^']*'|\"[^\"]*\"|[^|#)&;\"'])+)", line):
                yield page.name, part.strip()
    for words, command in COMMANDS.items():
        yield from ((words, example) for example in command.examples)


@pytest.mark.parametrize(("where", "line"), sorted(set(documented())), ids=lambda text: text)
def test_documented_commands_and_options_exist(where: str, line: str) -> None:
    words, used = command_in(line)
    assert set(used) <= options_of(words), where
