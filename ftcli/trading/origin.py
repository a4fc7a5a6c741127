"""Who places an order, and under which idempotency key: said once around a call, not by every operation."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import msgspec

from ftcli.errors import ValidationFailed

MAX_KEY = 128


class Origin(msgspec.Struct, kw_only=True):
    """Where an order comes from.

    Attributes:
        who: ``sdk``, ``cli`` or ``http``.
        api_key: Id of the API key, over HTTP.
        key: Idempotency key; empty where none was given.
        replayed: Set by the gate: the outcome is that of an earlier call, and nothing was sent.
    """

    who: str = "sdk"
    api_key: str = ""
    key: str = ""
    replayed: bool = False


_current: ContextVar[Origin | None] = ContextVar("ftcli_origin", default=None)


def current_origin() -> Origin:
    """The origin of the call under way; the SDK without a key where nobody said otherwise."""
    return _current.get() or Origin()


@contextmanager
def placing(who: str = "sdk", *, key: str | None = None, api_key: str = "") -> Iterator[Origin]:
    """Says who places the orders inside, and under which idempotency key.

    Args:
        who: ``sdk``, ``cli`` or ``http``.
        key: Idempotency key of the one order inside.
        api_key: Id of the API key, over HTTP.

    Raises:
        ValidationFailed: The key is empty, too long, or has characters that do not print.
    """
    if key is not None and (not key.strip() or len(key) > MAX_KEY or not key.isprintable()):
        raise ValidationFailed.of("Idempotency-Key", key[:MAX_KEY], f"be 1 to {MAX_KEY} printable characters")
    origin = Origin(who=who, key=(key or "").strip(), api_key=api_key)
    token = _current.set(origin)
    try:
        yield origin
    finally:
        _current.reset(token)
