"""What a key bound to one account may try: every operation, with accounts named in every way and place."""

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import httpx
from case import CASH, MARGIN, ROTH, Case
from faces import environ_of, set_stage
from server_kit import Weather

from ftcli import config
from ftcli.config import Settings
from ftcli.operations.operation import Operation
from ftcli.operations.registry import all_operations

MINE = ROTH
FOREIGN = ("Z10000017", "Z20000025")
"""The accounts that the contract cases name."""

_ROOM = Path(__file__).parents[1] / "contract"
CASES: list[Case] = [
    case for path in sorted(_ROOM.glob("cases*.py")) for case in importlib.import_module(path.stem).CASES
]
OPERATIONS = [operation for operation in all_operations() if not operation.streaming]
GROUPS = list(dict.fromkeys(operation.name.rpartition(".")[0] for operation in OPERATIONS))

Arguments = dict[str, Any]


class Wire(Weather):
    """The way to the paper broker, which keeps what went over it."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(f"{request.url} {request.content.decode(errors='replace')}")
        return await super().handle_async_request(request)


class Try(NamedTuple):
    """One request.

    Attributes:
        name: What it tries.
        operation: The operation.
        method, path, query, body: The request; the path under ``/api/v1``.
    """

    name: str
    operation: str
    method: str
    path: str
    query: list[tuple[str, str]]
    body: Any


async def staged(folder: Path, operations: list[Operation[..., Any]]) -> dict[str, Arguments]:
    """Sets the stage of one good case of each operation; answers their arguments."""
    return {operation.name: await set_stage(folder, _case(operation)) for operation in operations}


def _case(operation: Operation[..., Any]) -> Case:
    good = [case for case in CASES if case.operation == operation.name and case.error is None]
    if good:
        return max(good, key=lambda case: len(case.arguments))
    needed = [param.name for param in operation.params if param.required]
    return next((case for case in CASES if case.operation == operation.name and needed), Case(operation.name))


NEVER_GOOD = {"auth.answer_totp", "orders.resolve"}
"""Operations that the contract cases let succeed nowhere."""


def plain(operation: Operation[..., Any], arguments: Arguments, name: str = "as it is") -> Try:
    """The request that says what the arguments say."""
    path, query, body = operation.path, [], {}
    for param in operation.params:
        if param.name not in arguments:
            continue
        value = arguments[param.name]
        if param.where == "path":
            path = path.replace(f"{{{param.name}}}", quote(str(value), safe=""))
        elif param.where == "query":
            parts = value if isinstance(value, list) else [value]
            query += [
                (param.name, str(part).lower() if isinstance(part, bool) else str(part)) for part in parts
            ]
        else:
            body[param.name] = value
    content = body[operation.body_is.name] if operation.body_is and body else body
    return Try(name, operation.name, operation.method, path, query, content or None)


def tries(operation: Operation[..., Any], arguments: Arguments, names: dict[str, str]) -> Iterator[Try]:
    """Every way to reach for what is not one's own.

    Args:
        operation: The operation.
        arguments: Arguments of a good call, which name foreign accounts or none.
        names: What a foreign account is called, by its number.
    """
    yield plain(operation, arguments, "foreign")
    spellings = {
        "lower case": lambda number: number.lower(),
        "blanks": lambda number: f" {number}\t",
        "masked": lambda number: f"***{number[-4:]}",
        "masked as in logs": lambda number: f"…{number[-4:]}",
        "dashed": lambda number: f"{number[:3]}-{number[3:]}",
        "name": lambda number: names[number],
        "full-width": lambda number: number.translate({ord("1"): "１", ord("2"): "２"}),
        "null": lambda number: None,
        "empty": lambda number: "",
        "wildcard": lambda number: "*",
        "mine": lambda number: MINE,  # what the rest names (orders, drafts, previews) is foreign still
        "mine and foreign": lambda number: [MINE, number],
        "foreign and mine": lambda number: [number, MINE],
        "mine, foreign": lambda number: f"{MINE},{number}",
        "an object": lambda number: {"account": MINE, "acct": number},
    }
    for name, spell in spellings.items():
        spelled = _respelled(arguments, spell)
        if spelled != arguments:
            yield plain(operation, spelled, name)
    bare = plain(operation, _without(arguments), "none")
    if "{" not in bare.path:
        yield bare
        for key in ("acct", "acct_ids", "account", "accounts", "Account", "acct_ids[]"):
            yield bare._replace(name=f"mine as ?{key}", query=[*bare.query, (key, MINE)])
            if bare.method != "GET" and not isinstance(bare.body, list):
                body = {**(bare.body or {}), key: MINE}
                yield bare._replace(name=f"mine as member {key}", body=body)
                yield bare._replace(name=f"mine deep in {key}", body=_sown(bare.body or {}, key))
    mine = plain(operation, _respelled(arguments, lambda number: MINE))
    for key in ("acct", "acct_ids", "account"):
        yield mine._replace(
            name=f"mine, and foreign as ?{key}", query=[*mine.query, (key, MARGIN), (key, CASH)]
        )


def _respelled(value: Any, spell: Any) -> Any:
    if isinstance(value, dict):
        return {key: _respelled(item, spell) for key, item in value.items()}
    if isinstance(value, list):
        found = [_respelled(item, spell) for item in value]
        return [part for item in found for part in (item if isinstance(item, list) else [item])]
    return spell(value) if isinstance(value, str) and value in FOREIGN else value


def _without(value: Any) -> Any:
    """The value without what names a foreign account."""
    if isinstance(value, dict):
        kept = {key: _without(item) for key, item in value.items() if item not in FOREIGN}
        return {key: item for key, item in kept.items() if item != [] or value[key] == []}
    return [_without(item) for item in value if item not in FOREIGN] if isinstance(value, list) else value


def _sown(value: Any, key: str) -> Any:
    """The value with one's own account in every object of it, where anything may stand."""
    if isinstance(value, dict):
        inner = {name: _sown(item, key) for name, item in value.items()}
        return inner if any(isinstance(item, dict) for item in value.values()) else {**inner, key: MINE}
    return [_sown(item, key) for item in value] if isinstance(value, list) else value


async def send(http: httpx.AsyncClient, one: Try) -> httpx.Response:
    """Sends a request to the daemon."""
    content: dict[str, Any] = {"json": one.body} if one.body is not None else {}
    return await http.request(one.method, f"/api/v1{one.path}", params=one.query, **content)


def settings_in(folder: Path) -> Settings:
    """Settings of a daemon with keys, on the paper broker of this folder, its clock frozen."""
    return config.load({}, environ_of(folder) | {"FTSERVICE_API_KEY_REQUIRED": "true"})
