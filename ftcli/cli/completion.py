"""Shell completion: words from the tables, values from a small cache of what was shown last.

Completing never talks to the broker. The cache holds account numbers, symbols and open order numbers, in a
file that only its owner can read; logging out empties it.
"""

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, get_args, get_origin

from ftcli.cli.parameters import Completer
from ftcli.errors import FtError

if TYPE_CHECKING:
    from pathlib import Path

    from ftcli.cli.call import Call
    from ftcli.cli.parsing import Group
    from ftcli.operations.operation import Operation

VARIABLE = "_FT_COMPLETE"
CACHE = "completion.json"
_KEPT = 200


def completer(kind: str, type_: Any = None, choices: tuple[str, ...] = ()) -> Completer | None:
    """What completes a value.

    Args:
        kind: ``accounts``, ``symbols``, ``orders`` or nothing.
        type_: The value's type: codes complete by themselves.
        choices: The values, where they are known otherwise.
    """
    if kind:
        return lambda call, incomplete: cached(call, kind)
    item = get_args(type_)[0] if get_origin(type_) is list else type_
    if not choices:
        from ftcli.cli.mount import choices_of

        choices = choices_of(item)
    return (lambda call, incomplete: choices) if choices else None


# -- the cache ---------------------------------------------------------------------------------------------


def cached(call: "Call", kind: str) -> list[str | tuple[str, str]]:
    """Values of a kind that were shown lately in the environment in force."""
    try:
        entry = _read(call.settings.data_path(CACHE)).get(call.settings.environment, {})
    except (FtError, OSError):
        return []  # a shell that completes is no place for complaints
    return [tuple(item) if isinstance(item, list) else item for item in entry.get(kind, [])]


def remember(call: "Call", operation: "Operation[..., Any]", result: Any) -> None:
    """Keeps what a result offers for completion."""
    found: dict[str, list[Any]] = {}
    if operation.name == "accounts.list":
        found["accounts"] = [[account.account, account.name or ""] for account in result.accounts]
    elif operation.name == "accounts.positions":
        found["symbols"] = _symbols(position.symbol for position in result.positions)
    elif operation.name == "orders.status":
        found["orders"] = [
            [order.conf_num, order.description or ""]
            for order in result.orders
            if order.conf_num and order.cancelable
        ]
    elif operation.name != "auth.logout":
        return
    _keep(call, found, forget=operation.name == "auth.logout")


def _symbols(symbols: Iterable[str | None]) -> list[str]:
    return sorted({symbol for symbol in symbols if symbol})[:_KEPT]


def _keep(call: "Call", found: dict[str, list[Any]], *, forget: bool) -> None:
    try:
        path = call.settings.data_path(CACHE)
    except OSError:
        return
    cache = _read(path)
    before = cache.get(call.settings.environment, {})
    after = {} if forget else {**before, **found}
    if after == before:
        return
    cache[call.settings.environment] = after
    from ftcli.models.json import dumps

    temporary = path.with_name(f".{CACHE}.{os.getpid()}")
    try:
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(dumps(cache))
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)  # completion is a comfort: without it everything still works


def _read(path: "Path") -> dict[str, Any]:
    import msgspec

    from ftcli.models.json import loads

    try:
        cache = loads(path.read_bytes())
    except (OSError, msgspec.DecodeError):
        return {}
    return cache if isinstance(cache, dict) else {}


# -- the shells --------------------------------------------------------------------------------------------


def complete(root: "Group", call: "Call", instruction: str) -> int:
    """Answers a shell that asks for completions, or for its script.

    Args:
        root: The command ``ft``.
        call: The call, for the cache.
        instruction: Such as ``complete_zsh``, as the scripts say it.
    """
    _register_shells()
    from typer.completion import shell_complete

    return shell_complete(root, {"obj": call}, "ft", VARIABLE, instruction)


def _register_shells() -> None:
    """Typer's shells; the two that show help show it as it is, without loading rich to take markup out."""
    from typer._click.shell_completion import CompletionItem, add_completion_class
    from typer._completion_classes import FishComplete, ZshComplete, completion_init

    class Fish(FishComplete):
        def format_completion(self, item: CompletionItem) -> str:
            return f"{item.value}\t{' '.join(item.help.split())}" if item.help else f"{item.value}"

    class Zsh(ZshComplete):
        def format_completion(self, item: CompletionItem) -> str:
            text = f'"{_for_zsh(item.value)}"'
            return f'{text}:"{_for_zsh(item.help)}"' if item.help else text

    completion_init()
    add_completion_class(Fish, "fish")
    add_completion_class(Zsh, "zsh")


def _for_zsh(text: str) -> str:
    for sign, escaped in (('"', '""'), ("'", "''"), ("$", "\\$"), ("`", "\\`"), (":", r"\\:")):
        text = text.replace(sign, escaped)
    return text


def install(call: "Call") -> None:
    """Installs completion for the shell that is running."""
    from typer._completion_shared import install as install_script

    shell, path = install_script(prog_name="ft")
    call.terminal.write(f"Completion for {shell} is installed in {path}; it works in new terminals.\n")


def show_script(call: "Call") -> None:
    """Prints the completion script of the shell that is running, or of the one in ``SHELL``."""
    from typer._completion_shared import _get_shell_name, get_completion_script

    shell = _get_shell_name() or os.path.basename(call.terminal.environ.get("SHELL", "bash"))
    # "shell" names one: nothing is run.
    script = get_completion_script(prog_name="ft", complete_var=VARIABLE, shell=shell)  # nosec B604
    call.terminal.write(script + "\n")
