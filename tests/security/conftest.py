"""The kits and fixtures of the other rooms' tests are used here too."""

import importlib.util
import sys
from pathlib import Path
from typing import Any

_TESTS = Path(__file__).parents[1]
for _room in ("cli", "contract", "server", "transport"):
    sys.path.insert(0, str(_TESTS / _room))


def _fixtures_of(room: str) -> Any:
    spec = importlib.util.spec_from_file_location(f"{room}_fixtures", _TESTS / room / "conftest.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_transport = _fixtures_of("transport")
clock, double, make = _transport.clock, _transport.double, _transport.make
