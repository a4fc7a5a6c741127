"""The saved session: encrypted, private, shared by the processes of one user (protocol 00 §4.4)."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Protocol

import msgspec

from ftcli.credentials.files import lock_file, remove, write_private
from ftcli.credentials.sealed import Sealed, seal, unseal
from ftcli.errors import Conflict, InternalError

_HEADER = "ftcli-session-1"
_LOCK_PATIENCE = 180.0
"""Seconds to wait for another process that is logging in: a whole login with a second factor fits."""

Stamp = tuple[int, int, int]
"""What tells one version of the file from the next: modification time, size, inode."""


class KeyProvider(Protocol):
    """Where the store's key comes from; :class:`ftcli.credentials.keys.KeySource` is one."""

    warning: str

    def held(self) -> contextlib.AbstractContextManager[None]:
        """Nobody changes the key meanwhile: held around taking it and writing with it."""

    def get(self) -> bytes:
        """The key to encrypt with."""

    def find(self, wanted: str, /) -> bytes | None:
        """The key of that id, if it can be had."""


class SavedCookie(msgspec.Struct, frozen=True, kw_only=True):
    """One cookie with its attributes; ``expires`` in epoch seconds, ``None`` for "until the session ends"."""

    name: str
    value: str
    domain: str
    path: str
    secure: bool
    http_only: bool
    expires: int | None

    def __repr__(self) -> str:
        return f"SavedCookie({self.name} for {self.domain}{self.path})"


class SavedSession(msgspec.Struct, frozen=True, kw_only=True):
    """A session as it is kept between processes. Never holds the password.

    Attributes:
        id: Random name, the same for as long as the login lives.
        created_at: When the login succeeded.
        username: Whose session it is: only these credentials may renew it.
        last_keep_alive: When the broker last confirmed it.
        app_version: App version named at login.
        hosts: Host overrides in force at login; the session is worth nothing elsewhere.
        cookies: The cookie jar; empty once the session has expired.
        second_factor: Whether the login needed one.
        real_time_quotes: Entitlement ``RTQ``, ``None`` if not known.
        member_id: The broker's id of the customer, personal.
        expired: The session is over; kept so that the next process can say so.
    """

    id: str
    created_at: datetime
    username: str
    last_keep_alive: datetime
    app_version: str
    hosts: dict[str, str]
    cookies: tuple[SavedCookie, ...]
    second_factor: bool = False
    real_time_quotes: bool | None = None
    member_id: str = ""
    expired: bool = False

    def __repr__(self) -> str:
        return f"SavedSession({self.id}, {len(self.cookies)} cookies, expired={self.expired})"


class SessionStore:
    """One encrypted session file.

    Args:
        path: The file.
        key_source: Where the key comes from.
        lock_path: The lock that processes share; next to the file by default.

    Attributes:
        path: The file.
        reason: Why the latest :meth:`load` found nothing; empty if it did find a session.
        warning: What the user should know about the latest :meth:`save`.
    """

    def __init__(
        self,
        path: Path,
        key_source: KeyProvider,
        lock_path: Path | None = None,
        counted: Path | None = None,
    ) -> None:
        self.path = path
        self.counted = counted or path.with_name(f"{path.name}.logins")
        """Where logins are counted: one file for all sessions of an environment."""
        self.reason = ""
        self.warning = ""
        self._keys = key_source
        self._lock_path = lock_path or path.with_name(f"{path.name}.lock")

    @property
    def keys(self) -> KeyProvider:
        """Where the key comes from."""
        return self._keys

    def stamp(self) -> Stamp | None:
        """The file's present version, ``None`` without a file. A single ``stat``: fit to be called often."""
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino

    def load(self) -> SavedSession | None:
        """The saved session; ``None`` if there is none or it cannot be read, and :attr:`reason` tells why.

        A file that cannot be read is left where it is.
        """
        self.reason = ""
        try:
            raw = self.path.read_bytes()
        except FileNotFoundError:
            self.reason = "no session is saved"
            return None
        except OSError as problem:
            self.reason = f"{self.path} cannot be read ({problem.strerror})"
            return None
        return self._opened(raw)

    def save(self, session: SavedSession) -> None:
        """Replaces the saved session. A file of another key or a damaged one is kept aside first.

        Raises:
            OSError: The file cannot be written.
            ValidationFailed: The encryption key is unusable, or was replaced.
        """
        with self._keys.held():
            content = seal(_HEADER, self._keys.get(), msgspec.json.encode(session))
            aside = self._put_aside_unreadable()
            write_private(self.path, content)
        self.warning = " ".join(filter(None, (self._keys.warning, aside)))

    def delete(self) -> bool:
        """Removes the saved session, and one that was kept aside; answers whether there was one."""
        remove(self._aside)
        return remove(self.path)

    @contextlib.asynccontextmanager
    async def lock(self, patience: float | None = None) -> AsyncIterator[None]:
        """Holds the lock that all processes share, around a login and its save.

        Args:
            patience: Seconds to wait for it; three minutes unless given.

        Raises:
            Conflict: Another process holds it for longer than that.
            InternalError: The lock file cannot be made.
        """
        from filelock import FileLock, Timeout  # deferred: 30 ms

        try:
            lock_file(self._lock_path)
        except OSError as problem:
            raise InternalError(
                f"{self._lock_path} cannot be written ({problem.strerror}). Set FT_DATA_DIR.",
                details={"file": str(self._lock_path)},
            ) from None
        patience = _LOCK_PATIENCE if patience is None else patience
        held = FileLock(self._lock_path, thread_local=False)
        deadline = asyncio.get_running_loop().time() + patience
        while True:
            try:
                # Short tries instead of a blocking one: the event loop goes on, and a cancelled
                # waiter leaves nothing behind.
                held.acquire(blocking=False)
                break
            except Timeout:
                if asyncio.get_running_loop().time() >= deadline:
                    raise Conflict(
                        f"Another ftcli process has been logging in for {patience:g} s. Try again later.",
                        details={"lock": str(self._lock_path)},
                    ) from None
                await asyncio.sleep(0.02)
        try:
            yield
        finally:
            held.release()

    def _opened(self, raw: bytes) -> SavedSession | None:
        sealed = Sealed.parse(raw)
        if sealed is None or sealed.header != _HEADER:
            self.reason = f"{self.path} is not a saved session"
            return None
        key = self._keys.find(sealed.key)
        if key is None:
            self.reason = (
                f"{self.path} was encrypted with another key (key id {sealed.key}), which is not at hand"
            )
            return None
        content = unseal(sealed, key)
        try:
            return msgspec.json.decode(content or b"", type=SavedSession)
        except (msgspec.MsgspecError, ValueError):
            self.reason = f"{self.path} is damaged"
            return None

    def _put_aside_unreadable(self) -> str:
        if not self.path.exists() or self.load() is not None:
            return ""
        os.replace(self.path, self._aside)
        return f"The former session file could not be read ({self.reason}); it was kept as {self._aside}."

    @property
    def _aside(self) -> Path:
        return self.path.with_name(f"{self.path.name}.unreadable")
