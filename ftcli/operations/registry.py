"""Every operation by name or in order: the table of contents (:mod:`ftcli.operations.contents`), loaded."""

from collections.abc import Iterator
from typing import Any

from ftcli.operations.contents import GROUPS, GroupEntry, groups_of, top_groups
from ftcli.operations.operation import Operation, operations_of

__all__ = ["GROUPS", "GroupEntry", "all_operations", "find", "groups_of", "top_groups"]


def all_operations() -> Iterator[Operation[..., Any]]:
    """Every operation, in the order of the table of contents."""
    for entry in GROUPS:
        yield from operations_of(entry.load())


def find(name: str) -> Operation[..., Any]:
    """The operation of a dotted name.

    Raises:
        KeyError: There is none.
    """
    group, _, attribute = name.rpartition(".")
    for entry in GROUPS:
        if entry.name == group:
            for candidate in operations_of(entry.load()):
                if candidate.attribute == attribute:
                    return candidate
    raise KeyError(name)
