"""Unofficial command line, SDK and local HTTP service for Fidelity accounts.

    from ftcli import open_client

    async with open_client(environment="paper") as ft:
        positions = await ft.accounts.positions("Z20000025")

Not affiliated with Fidelity. The names below load on first use, so that ``import ftcli`` costs nothing.
"""

from typing import TYPE_CHECKING, Any

from ftcli.version import __version__

if TYPE_CHECKING:
    from ftcli.client import Client
    from ftcli.environment import open_client
    from ftcli.errors import FtError

__all__ = ["Client", "FtError", "__version__", "open_client"]

_HOMES = {"Client": "ftcli.client", "FtError": "ftcli.errors", "open_client": "ftcli.environment"}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'ftcli' has no attribute {name!r}")
