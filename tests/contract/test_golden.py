"""The JSON of every operation grows and never changes: its members and their kinds, kept in ``tests/golden``.

    FT_UPDATE_GOLDEN=1 python -m pytest tests/contract/test_golden.py

adds what is new. It takes nothing away: a member that is gone, or has become something else, breaks the scripts of
users, and whoever means it deletes the line by hand.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from faces import through_sdk
from test_contract import CASES

from ftcli.models.json import loads

HOME = Path(__file__).parents[1] / "golden"
OPERATIONS = sorted({case.operation for case in CASES if case.error is None})
Members = dict[str, set[str]]
"""By path (``positions[].symbol``) the kinds of JSON values seen there."""


def members(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every path in a document with the kind of the value there."""
    if isinstance(value, dict):
        yield path, "object"
        for name, part in value.items():
            yield from members(part, f"{path}.{name}".lstrip("."))
    elif isinstance(value, list):
        yield path, "array"
        for part in value:
            yield from members(part, f"{path}[]")
    else:
        kinds = {bool: "boolean", str: "string", type(None): "null"}
        yield path, kinds.get(type(value), "number")


def stored(file: Path) -> Members:
    """The members that are promised."""
    lines = file.read_text().splitlines() if file.exists() else []
    return {path: set(kinds.split("/")) for path, _, kinds in (line.partition(" ") for line in lines)}


def told(found: Members) -> str:
    return "".join(f"{path} {'/'.join(sorted(kinds))}\n" for path, kinds in sorted(found.items()))


def changed(promised: set[str], seen: set[str]) -> bool:
    """Whether a value that was told is told as something else; null says nothing."""
    before, now = promised - {"null"}, seen - {"null"}
    return bool(before and now and not now <= before)


@pytest.mark.parametrize("operation", OPERATIONS)
async def test_answers_only_grow(operation: str, stage: Callable[[str], Path]) -> None:
    seen: Members = {}
    for number, case in enumerate(
        case for case in CASES if case.operation == operation and case.error is None
    ):
        data, code = await through_sdk(stage(f"{number}"), case)
        assert data is not None, code
        for path, kind in members(loads(data)):
            if path:
                seen.setdefault(path, set()).add(kind)
    file = HOME / f"{operation}.txt"
    promised = stored(file)
    if os.environ.get("FT_UPDATE_GOLDEN"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(
            told({path: promised.get(path, set()) | seen.get(path, set()) for path in promised | seen})
        )
    gone = sorted(promised.keys() - seen.keys())
    assert not gone, "members are gone"
    other = {path: told({path: seen[path]}) for path in promised if changed(promised[path], seen[path])}
    assert not other, "members have become something else"
    if not os.environ.get("FT_UPDATE_GOLDEN"):
        assert not sorted(seen.keys() - promised.keys()), "new members: FT_UPDATE_GOLDEN=1 keeps them"
