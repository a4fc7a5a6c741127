"""Everything a command may need is loaded before the daemon listens.

On the command line modules load when they are needed. A daemon must be able to halt trading and to cancel when no file
can be opened any more, which includes the files of its own modules.
"""

from functools import cache
from importlib import import_module
from pkgutil import walk_packages

_ROOMS = ("credentials", "operations", "trading", "transport")
_LIBRARIES = ("anyio._backends._asyncio", "cryptography.fernet", "difflib", "encodings.idna", "filelock")
"""What they load late."""


@cache
def load_everything(*, paper: bool) -> None:
    """Loads every module behind the routes.

    Args:
        paper: Whether the broker is on this machine: then it is needed as well.
    """
    for room in (*_ROOMS, "paper") if paper else _ROOMS:
        found = import_module(f"ftcli.{room}")
        for module in walk_packages(found.__path__, f"{found.__name__}."):
            import_module(module.name)
    for name in _LIBRARIES:
        import_module(name)
