"""What makes two orders the same order: hashes of all they say, blind to how a number is spelled."""

import hashlib
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec

from ftcli.models.json import dumps
from ftcli.trading.symbols import one_spelling


def digest(kind: str, account: str, order: Any, replaces: Sequence[str]) -> str:
    """The hash of an order: family, account, every term, and what it changes. Confirmation numbers are left out."""
    return _hash([kind, account, _plain(order), _numbers(replaces)])


def likeness(order: Any, replaces: Sequence[str]) -> str:
    """The hash by which the duplicate window knows an order: blind to how its symbols are spelled, too.

    Idempotency goes by :func:`digest`, whose value is in every journal.
    """
    return _hash([_spelled(_plain(order)), _numbers(replaces)])


def _hash(parts: list[Any]) -> str:
    return hashlib.sha256(dumps(parts)).hexdigest()


def _numbers(replaces: Sequence[str]) -> list[str]:
    return [number.upper() for number in replaces]


def _spelled(value: Any) -> Any:
    """A plain order with every symbol in its one spelling."""
    if isinstance(value, dict):
        return {
            key: one_spelling(part) if key == "symbol" and isinstance(part, str) else _spelled(part)
            for key, part in value.items()
        }
    return [_spelled(part) for part in value] if isinstance(value, list) else value


def _plain(order: Any) -> Any:
    def walk(value: Any) -> Any:
        if isinstance(value, Decimal):
            return f"{value.normalize():f}"
        if isinstance(value, int) and not isinstance(value, bool):
            return f"{value}"
        if isinstance(value, dict):
            return {key: walk(value[key]) for key in sorted(value)}
        return [walk(item) for item in value] if isinstance(value, list) else value

    return walk(msgspec.to_builtins(order, builtin_types=(Decimal,)))
