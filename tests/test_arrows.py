"""Who may import whom, that every module imports alone, and that the cold path stays light."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "ftcli"
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for path in PACKAGE.rglob("*.py")
)

# room → rooms it may import from. A room is a package or a module directly under ftcli.
BASE = {"errors", "clock", "redaction", "version", "totp"}
WIRE = BASE | {"wire"}
ALLOWED = {
    "errors": set(),
    "clock": set(),
    "totp": set(),
    "version": set(),
    "spellings": set(),
    "redaction": {"spellings"},
    "market_hours": {"clock"},
    "log_guard": BASE,
    "wire": BASE,
    "config": BASE | {"config_file"},
    "config_file": BASE,
    "models": WIRE,
    "operations": WIRE | {"models", "config"},
    "transport": WIRE | {"models", "config", "credentials", "log_guard"},
    "credentials": WIRE | {"config"},
    "streaming": WIRE | {"models", "config"},
    "trading": WIRE | {"models", "config", "store"},
    "paper": WIRE | {"models", "config", "market_hours"},
    "store": WIRE | {"config"},
    "client": WIRE
    | {
        "models",
        "config",
        "operations",
        "transport",
        "credentials",
        "streaming",
        "trading",
        "store",
        "feeds",
        "seen_events",
        "placing",
    },
    "feeds": WIRE
    | {"models", "config", "operations", "transport", "streaming", "market_hours", "seen_events", "sweeps"},
    "sweeps": WIRE | {"models", "operations"},
    "seen_events": WIRE | {"config", "streaming", "store"},
    "placing": WIRE | {"models", "config", "operations", "transport", "trading"},
    "environment": WIRE
    | {"config", "client", "paper", "credentials", "transport", "operations", "streaming"},
    "cli": WIRE
    | {"models", "config", "operations", "client", "environment", "paper", "credentials", "server"},
    "server": WIRE
    | {"models", "config", "operations", "client", "environment", "streaming", "store", "log_guard"},
    "__main__": {"cli"},
    "__init__": {"version", "client", "environment", "errors"},
}
# What looks like an arrow the wrong way and is meant: only for type checkers, or a command that starts a face.
DEFERRED_ONLY = {("cli", "paper"), ("cli", "server"), ("cli", "credentials")}


def room_of(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def imports_of(path: Path) -> list[tuple[str, bool]]:
    """(module, at module level and at run time) of every import of ours in a file."""
    tree = ast.parse(path.read_text("utf-8"))
    found: list[tuple[str, bool]] = []

    def visit(node: ast.AST, top: bool) -> None:
        for child in ast.iter_child_nodes(node):
            here = top and not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
            if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
                here = False
            if isinstance(child, ast.ImportFrom) and child.module and child.module.split(".")[0] == "ftcli":
                whole = child.module if child.module != "ftcli" else f"ftcli.{child.names[0].name}"
                found.append((whole, here))
            if isinstance(child, ast.Import):
                found.extend(
                    (alias.name, here) for alias in child.names if alias.name.split(".")[0] == "ftcli"
                )
            visit(child, here)

    visit(tree, True)
    return found


@pytest.mark.parametrize("module", MODULES)
def test_imports_go_one_way(module: str) -> None:
    path = ROOT / Path(*module.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    room = room_of(module)
    for target, at_top in imports_of(path):
        other = room_of(target)
        if other == room:
            continue
        assert other in ALLOWED[room], f"{module} imports {target}: {room} must not know {other}"
        if (room, other) in DEFERRED_ONLY:
            assert not at_top, f"{module} imports {target} at module level; it must be deferred"


def test_nothing_imports_the_faces() -> None:
    for room, others in ALLOWED.items():
        assert "cli" not in others or room == "__main__"
        assert "server" not in others or room == "cli"


def test_every_module_imports_alone() -> None:
    script = (
        "import importlib, sys\n"
        "for name in sys.argv[1:]:\n"
        "    for known in [m for m in sys.modules if m.split('.')[0] == 'ftcli']: del sys.modules[known]\n"
        "    importlib.import_module(name)\n"
    )
    names = [name for name in MODULES if not name.endswith("__main__")]
    result = subprocess.run(
        [sys.executable, "-c", script, *names], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    ("statement", "forbidden"),
    [
        ("import ftcli", ["msgspec", "httpx", "asyncio", "typer"]),
        (
            "import ftcli.operations.accounts",
            ["httpx", "aiohttp", "rich", "keyring", "cryptography", "asyncio"],
        ),
        ("import ftcli.client", ["httpx", "aiohttp", "rich", "keyring", "cryptography", "ftcli.paper"]),
        ("import ftcli.paper.desk", ["httpx", "aiohttp", "rich", "keyring", "cryptography"]),
    ],
)
def test_light_imports(statement: str, forbidden: list[str]) -> None:
    script = f"{statement}\nimport sys\nprint('\\n'.join(sys.modules))"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = set(result.stdout.split())
    assert not [name for name in forbidden if name in loaded]


def test_modules_stay_rooms() -> None:
    """About 400 lines a module: past 420 it is time to split."""
    long = {name: count for name in MODULES if (count := _lines(name)) > 420}
    assert not long


def _lines(module: str) -> int:
    path = ROOT / Path(*module.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return len(path.read_text("utf-8").splitlines())
