"""What makes two orders the same order: a hash of all they say, blind to how a number is spelled."""

import hashlib
from decimal import Decimal
from typing import Any

import msgspec

from ftcli.models.json import dumps


def digest(kind: str, account: str, order: Any, replaces: list[str]) -> str:
    """The hash of an order: family, account, every term, and what it changes. Confirmation numbers are left out."""
    numbers = [number.upper() for number in replaces]
    return hashlib.sha256(dumps([kind, account, _plain(order), numbers])).hexdigest()


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
