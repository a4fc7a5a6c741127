"""What a session is, and what callers are told about it."""

import os
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from ftcli.clock import Clock
from ftcli.credentials.session_store import SavedSession
from ftcli.models.session import SessionState
from ftcli.redaction import Secret
from ftcli.transport.cookies import Jar

IDLE_LIMIT = timedelta(minutes=30)
"""After about this long without a keep-alive the broker ends a session (protocol 00 §4.1)."""
PENDING_LIMIT = timedelta(minutes=2)
"""How long a login waits for the code of the second factor (protocol 00 §3.6)."""


class SecurityContext(msgspec.Struct, frozen=True, kw_only=True):
    """What the login is entitled to (protocol 00 §3.7).

    Attributes:
        entitlements: Value by name, such as ``RTQ``.
        member_id: The broker's id of the customer (``MID``), personal.
    """

    entitlements: dict[str, str] = {}
    member_id: Secret | None = None

    @property
    def real_time_quotes(self) -> bool:
        """Whether quotes may be real-time."""
        return self.entitlements.get("RTQ", "").strip().lower() == "true"

    @classmethod
    def parse(cls, document: Any) -> "SecurityContext | None":
        """Reads the broker's document leniently; ``None`` if it lists errors or is no document."""
        if not isinstance(document, dict) or document.get("errors"):
            return None
        entitlements = {
            str(item["display"]): str(item.get("value", ""))
            for item in _dicts(document.get("entitlements"))
            if item.get("display")
        }
        ids = _dicts(document.get("internalSystemIds"))
        member = next((str(item["ID"]) for item in ids if item.get("type") == "MID" and item.get("ID")), "")
        return cls(entitlements=entitlements, member_id=Secret(member) if member else None)


def _dicts(items: Any) -> list[Mapping[str, Any]]:
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


class SessionStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The session as ``ft auth status`` shows it.

    Attributes:
        state: Where the session stands; ``totp_pending`` is a login that waits for its code.
        username: Whose session it is.
        last_keep_alive: When the broker last confirmed it.
        expires_estimate: When it will end if nothing keeps it alive: half an hour later.
        real_time_quotes: Whether quotes are real-time; ``None`` if not known.
        member_id: The broker's id of the customer, personal.
        note: What else a person should know, such as why a saved session was not used.
    """

    state: SessionState
    username: str = ""
    last_keep_alive: datetime | None = None
    expires_estimate: datetime | None = None
    real_time_quotes: bool | None = None
    member_id: Secret | None = None
    note: str = ""


class LoginResult(msgspec.Struct, frozen=True, kw_only=True):
    """A login that succeeded.

    Attributes:
        username: Who is logged in.
        real_time_quotes: Whether quotes are real-time; ``None`` if the broker did not tell.
        member_id: The broker's id of the customer, personal.
        warnings: Texts the user should see.
    """

    username: str
    real_time_quotes: bool | None = None
    member_id: Secret | None = None
    warnings: tuple[str, ...] = ()


class Session:
    """A live session: the cookies and what is known about them.

    Attributes:
        id: Random name, kept when the session is saved and loaded; a confirmation number lives within one session.
        jar: The cookies.
        username: Whose session it is.
        created_at: When the login succeeded.
        last_keep_alive: When the broker last confirmed it.
        second_factor: Whether the login needed one.
        real_time_quotes: Entitlement, ``None`` if not known.
        member_id: The broker's id of the customer.
        context_is_set: Whether this process asked for the security context.
        context_tries: How often it tried in vain.
    """

    def __init__(self, jar: Jar, username: str, clock: Clock, *, second_factor: bool) -> None:
        self.id = os.urandom(8).hex()
        self.jar = jar
        self.username = username
        self.created_at = self.last_keep_alive = clock()
        self.second_factor = second_factor
        self.real_time_quotes: bool | None = None
        self.member_id: Secret | None = None
        self.context_is_set = False
        self.context_tries = 0

    def __repr__(self) -> str:
        return f"Session({self.id})"

    @classmethod
    def restored(cls, saved: SavedSession, *, shared_cookies: bool) -> "Session":
        """The session that was saved."""
        session = cls(
            Jar(saved.cookies, shared=shared_cookies),
            saved.username,
            lambda: saved.created_at,
            second_factor=saved.second_factor,
        )
        session.id = saved.id
        session.last_keep_alive = saved.last_keep_alive
        session.real_time_quotes = saved.real_time_quotes
        session.member_id = Secret(saved.member_id) if saved.member_id else None
        return session

    def saved(self, app_version: str, hosts: dict[str, str], *, expired: bool = False) -> SavedSession:
        """The session as it is kept; an expired one without its cookies."""
        return SavedSession(
            id=self.id,
            created_at=self.created_at,
            username=self.username,
            last_keep_alive=self.last_keep_alive,
            app_version=app_version,
            hosts=hosts,
            cookies=() if expired else self.jar.dump(),
            second_factor=self.second_factor,
            real_time_quotes=self.real_time_quotes,
            member_id=self.member_id.reveal() if self.member_id else "",
            expired=expired,
        )

    def take(self, context: SecurityContext) -> None:
        """Notes what the security context told."""
        self.context_is_set = True
        self.real_time_quotes = context.real_time_quotes
        self.member_id = context.member_id or self.member_id
