"""The three faces, each asked the same thing on a paper broker of its own with a frozen clock."""

import asyncio
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from case import Case

from ftcli import config
from ftcli.cli.entry import run
from ftcli.cli.terminal import Terminal
from ftcli.client import Client
from ftcli.environment import open_client
from ftcli.errors import FtError
from ftcli.models.field import without_none
from ftcli.models.json import dumps, loads
from ftcli.operations.binding import bind
from ftcli.operations.operation import Operation, ParamInfo, is_model
from ftcli.operations.registry import find
from ftcli.server.run import running

CLOCK = "2026-11-24T11:15:30-05:00"
Answer = tuple[bytes | None, str | None]
"""The answer's bytes, or the error's code."""


def environ_of(folder: Path) -> dict[str, str]:
    """The environment of a face: its own folder, the paper broker, the frozen clock."""
    return {
        "FT_ENV": "paper",
        "FT_DATA_DIR": str(folder),
        "FT_CONFIG": "/dev/null",
        "FT_PAPER_CLOCK": CLOCK,
        "FTSERVICE_PORT": "0",
        "FTSERVICE_API_KEY_REQUIRED": "false",
        "FTSERVICE_ENCRYPTION_KEY": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
    }


def method_of(client: Client, operation: Operation[..., Any]) -> Callable[..., Any]:
    """The SDK method of an operation."""
    target: Any = client
    for name in operation.name.split("."):
        target = getattr(target, name)
    method: Callable[..., Any] = target
    return method


async def call(client: Client, name: str, arguments: dict[str, Any]) -> Any:
    """Calls an operation with raw arguments."""
    operation = find(name)
    return await method_of(client, operation)(**bind(operation, arguments, texts=False))


MINTED = ("conf_num", "conf_nums", "stage_id", "note_id", "trigger_id", "watchlist_id", "id")
"""Fields of an answer that later calls may name."""


async def set_stage(folder: Path, case: Case) -> dict[str, Any]:
    """Runs the calls that come before; answers the case's arguments with what they minted filled in."""
    minted: dict[str, Any] = {}

    def filled(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: filled(item) for key, item in value.items()}
        if isinstance(value, list):
            return [filled(item) for item in value]
        return minted.get(value, value) if isinstance(value, str) else value

    if case.before:
        async with open_client(config.load({}, environ_of(folder))) as client:
            for step, (name, arguments) in enumerate(case.before):
                answer = await call(client, name, filled(arguments))
                for field in MINTED:
                    value = getattr(answer, field, None)
                    for name in (f"${field}", f"${step}.{field}") if value else ():
                        minted[name] = value
                        for place, item in enumerate(value if isinstance(value, list) else []):
                            minted[f"{name}[{place}]"] = item
    arguments = filled(case.arguments)
    assert isinstance(arguments, dict)
    return arguments


async def through_sdk(folder: Path, case: Case) -> Answer:
    """The answer of the SDK, as our JSON."""
    arguments = await set_stage(folder, case)
    async with open_client(config.load({}, environ_of(folder))) as client:
        try:
            return dumps(await call(client, case.operation, arguments)), None
        except FtError as problem:
            return None, problem.code


async def through_http(folder: Path, case: Case) -> Answer:
    """The ``data`` of the daemon's envelope, byte for byte."""
    arguments = await set_stage(folder, case)
    operation = find(case.operation)
    path, query, body = operation.path, {}, {}
    for param in operation.params:
        if param.name not in arguments:
            continue
        value = arguments[param.name]
        if param.where == "path":
            path = path.replace(f"{{{param.name}}}", str(value))
        elif param.where == "query":
            query[param.name] = (
                ",".join(value)
                if isinstance(value, list)
                else str(value).lower()
                if isinstance(value, bool)
                else str(value)
            )
        else:
            body[param.name] = value
    content = body[operation.body_is.name] if operation.body_is and body else body
    settings = config.load({}, environ_of(folder))
    async with running(settings) as url, httpx.AsyncClient(timeout=30) as http:
        reply = await http.request(
            operation.method,
            f"{url}/api/v1{path}",
            params=query,
            **({"json": content} if operation.method in ("POST", "PUT") or body else {}),
        )
    document = loads(reply.content)
    if not document["ok"]:
        return None, document["error"]["code"]
    data = reply.content.removeprefix(b'{"ok":true,"data":').removesuffix(b',"error":null}')
    return data, None


HAND_MADE: dict[str, Callable[[dict[str, Any]], list[str]]] = {
    "auth.login": lambda arguments: ["auth", "login"],
    "auth.answer_totp": lambda arguments: ["auth", "approve", "--code", "-"],
    "credentials.store": lambda arguments: [
        *("auth", "credentials", "set", "--username", arguments["username"], "--password-stdin"),
        *(["--totp-stdin"] if "totp" in arguments else []),
    ],
    "credentials.remove": lambda arguments: ["auth", "credentials", "delete"],
    "orders.cancel.preview": lambda arguments: ["orders", "cancel", arguments["conf_num"], "--preview"],
    "orders.cancel.place": lambda arguments: ["orders", "cancel", arguments["conf_num"]],
}
"""Operations whose command is a form of its own."""

STDIN: dict[str, tuple[str, ...]] = {"auth.answer_totp": ("code",), "credentials.store": ("password", "totp")}
"""Arguments that the command line takes from stdin, a line each, because they are secret."""


async def through_cli(folder: Path, case: Case) -> Answer:
    """What the command prints with ``-o json``."""
    arguments = await set_stage(folder, case)
    stdout, stderr = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.TextIOWrapper(io.BytesIO(), "utf-8")
    lines = [f"{arguments[name]}\n" for name in STDIN.get(case.operation, ()) if name in arguments]
    terminal = Terminal(io.StringIO("".join(lines)), stdout, stderr, environ_of(folder))
    status = await asyncio.to_thread(run, command_line(case.operation, arguments), terminal)
    data, talk = _written(stdout), _written(stderr)
    if status:
        assert data == b"", "an error leaves stdout empty"
        return None, json.loads(talk)["code"]
    assert data.endswith(b"\n")
    return data.removesuffix(b"\n"), None


def _written(stream: io.TextIOWrapper) -> bytes:
    stream.flush()
    buffer = stream.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue()


def command_line(name: str, arguments: dict[str, Any]) -> list[str]:
    """The command line that says what the arguments say."""
    if name in HAND_MADE:
        return [*HAND_MADE[name](arguments), "-o", "json"]
    operation = find(name)
    assert operation.cli, f"{name} has no command"
    positional: list[str] = []
    options: list[str] = []
    for param in operation.params:
        if param.name in arguments:
            _spell(param, arguments[param.name], positional, options)
    if operation.risk == "money":
        options.append("--yes")
    return [*operation.cli.split(), *options, "-o", "json", "--", *positional]


def _spell(param: ParamInfo, value: Any, positional: list[str], options: list[str]) -> None:
    kind = without_none(param.type)
    if is_model(kind):
        for field, item in value.items():
            nested = isinstance(item, dict) or (isinstance(item, list) and item and isinstance(item[0], dict))
            if isinstance(item, bool):
                options.append(_flag(field) if item else f"--no-{_flag(field)[2:]}")
            else:
                options += [_flag(field), json.dumps(item) if nested else _text(item)]
    elif param.param.argument:
        positional += [_text(item) for item in (value if isinstance(value, list) else [value])]
    elif value is True:
        options.append(_first_flag(param))
    elif value is not False:
        options += [_first_flag(param), _text(value)]


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _first_flag(param: ParamInfo) -> str:
    return param.param.cli[0] if param.param.cli else _flag(param.name)


def _text(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


FACES = {"sdk": through_sdk, "cli": through_cli, "http": through_http}
