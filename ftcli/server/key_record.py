"""The record of an API key: what is known of it, and what it may do."""

import sqlite3
from datetime import UTC, datetime
from typing import Literal, get_args

import msgspec

from ftcli.errors import ApiKeyInvalid, ValidationFailed

Scope = Literal["read", "stream", "trade", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a key; never the key itself.

    Attributes:
        id: Its public part, by which it is listed and revoked.
        name: What its owner calls it.
        scopes: What it may do.
        created_at, expires_at, last_used_at, revoked_at: Its life; ``last_used_at`` to the minute.
        accounts: The only accounts it may touch; empty for all of the login.
        rate: How often it may be used, such as ``120/m``; empty for the daemon's own rule.
        replaced_by: Id of the key that rotation put in its place.
    """

    id: str
    name: str
    scopes: frozenset[Scope]
    created_at: datetime
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None
    accounts: frozenset[str] = frozenset()
    rate: str = ""
    replaced_by: str = ""

    def state(self, now: datetime) -> str:
        """``active``, ``expired`` or ``revoked``."""
        if self.revoked_at:
            return "revoked"
        return "expired" if self.expires_at and now >= self.expires_at else "active"

    def allows(self, scope: Scope) -> bool:
        """Whether it may do this."""
        return scope in self.scopes


NO_KEY = ApiKey(
    id="", name="no key required", scopes=frozenset(SCOPES), created_at=datetime(1970, 1, 1, tzinfo=UTC)
)
"""Stands for everybody where the daemon asks for no key."""

BOOTSTRAP_KEY = ApiKey(
    id="env", name="FTSERVICE_API_KEY", scopes=frozenset(SCOPES), created_at=datetime(1970, 1, 1, tzinfo=UTC)
)
"""Stands for the key from outside, which is not stored."""


def parse_scopes(text: str) -> frozenset[Scope]:
    """Scopes from text such as ``read,stream``.

    Raises:
        ValidationFailed: One is unknown, or there is none.
    """
    words = [word.strip().lower() for word in text.split(",") if word.strip()]
    known: dict[str, Scope] = {scope: scope for scope in SCOPES}
    for word in words or [""]:
        if word not in known:
            raise ValidationFailed.of("scope", word, f"be one or more of {', '.join(SCOPES)}")
    return frozenset(known[word] for word in words)


def check_scope(key: ApiKey, scope: Scope) -> ApiKey:
    """The key itself, if it may do this.

    Raises:
        ApiKeyInvalid: It has not this scope.
    """
    if not key.allows(scope):
        raise ApiKeyInvalid(
            f"This API key has no scope {scope}; it has {', '.join(sorted(key.scopes))}.",
            details={"reason": "scope", "scope": scope, "scopes": sorted(key.scopes)},
        )
    return key


def record_of(row: sqlite3.Row) -> ApiKey:
    """A key as its row in the store has it."""
    return ApiKey(
        id=row["id"],
        name=row["name"],
        scopes=frozenset(scope for scope in SCOPES if scope in row["scopes"].split(",")),
        created_at=_moment(row["created_at"]) or datetime.fromtimestamp(0, UTC),
        expires_at=_moment(row["expires_at"]),
        last_used_at=_moment(row["last_used_at"]),
        revoked_at=_moment(row["revoked_at"]),
        accounts=frozenset(filter(None, row["accounts"].split(","))),
        rate=row["rate"],
        replaced_by=row["replaced_by"],
    )


def _moment(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
