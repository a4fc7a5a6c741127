"""Every operation gives the same answer through SDK, command line and HTTP, against the paper broker."""

import importlib
from collections.abc import Callable
from pathlib import Path

import pytest
from case import Case
from faces import FACES

from ftcli.models.json import loads
from ftcli.operations.registry import all_operations

MODULES = sorted(path.stem for path in Path(__file__).parent.glob("cases*.py"))
CASES: list[Case] = [case for name in MODULES for case in importlib.import_module(name).CASES]


def label(case: Case) -> str:
    return f"{case.operation}-{case.error.code if case.error else 'ok'}"


@pytest.mark.parametrize("case", CASES, ids=label)
async def test_three_faces_one_answer(case: Case, stage: Callable[[str], Path]) -> None:
    answers = {name: await ask(stage(name), case) for name, ask in FACES.items()}
    assert answers["cli"] == answers["sdk"]
    assert answers["http"] == answers["sdk"]
    data, code = answers["sdk"]
    assert code == (case.error.code if case.error else None)
    if data is not None and case.check is not None:
        case.check(loads(data))


def test_every_operation_has_a_case() -> None:
    covered = {case.operation for case in CASES}
    missing = [item.name for item in all_operations() if not item.streaming and item.name not in covered]
    assert not missing
