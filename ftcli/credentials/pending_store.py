"""A login that waits for the code of its second factor, kept so that another terminal can give it.

It holds the cookies of the half-done login, encrypted like a session, and is good for two minutes. Until when
stands in the file's own time stamp, so that asking costs one ``stat`` and no key.
"""

import os
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from ftcli.credentials.files import remove, write_private
from ftcli.credentials.sealed import Sealed, seal, unseal
from ftcli.credentials.session_store import KeyProvider, SavedCookie

_HEADER = "ftcli-session-1"


class SavedLogin(msgspec.Struct, frozen=True, kw_only=True):
    """The half-done login. Never holds the password.

    Attributes:
        username: Whose login it is.
        until: When the broker's patience ends.
        hosts: Host overrides in force; it is worth nothing elsewhere.
        cookies: Its cookies.
    """

    username: str
    until: datetime
    hosts: dict[str, str]
    cookies: tuple[SavedCookie, ...]

    def __repr__(self) -> str:
        return f"SavedLogin({len(self.cookies)} cookies)"


class PendingStore:
    """One encrypted file, next to the session's. Write it while holding the session store's lock.

    Args:
        path: The file.
        keys: Where the key comes from.
    """

    def __init__(self, path: Path, keys: KeyProvider) -> None:
        self.path = path
        self._keys = keys

    def until(self) -> datetime | None:
        """Until when a login waits; ``None`` if none does."""
        try:
            return datetime.fromtimestamp(self.path.stat().st_mtime, UTC)
        except OSError:
            return None

    def save(self, login: SavedLogin) -> None:
        """Keeps a login.

        Raises:
            OSError: The file cannot be written.
            ValidationFailed: The encryption key is unusable.
        """
        with self._keys.held():
            write_private(self.path, seal(_HEADER, self._keys.get(), msgspec.json.encode(login)))
        os.utime(self.path, (login.until.timestamp(),) * 2)

    def load(self) -> SavedLogin | None:
        """The login that waits, ``None`` if there is none or it cannot be opened."""
        try:
            sealed = Sealed.parse(self.path.read_bytes())
        except OSError:
            return None
        key = self._keys.find(sealed.key) if sealed else None
        content = unseal(sealed, key) if sealed and key else None
        try:
            return msgspec.json.decode(content or b"", type=SavedLogin)
        except msgspec.MsgspecError:
            return None

    def delete(self) -> None:
        """Forgets it."""
        remove(self.path)
