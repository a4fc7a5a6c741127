"""The copy of the session that the user's processes share, and its rules (protocol 00 §4.4)."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from ftcli.config import Settings
from ftcli.errors import Conflict, FtError
from ftcli.transport.hosts import Hosts
from ftcli.transport.line import log
from ftcli.transport.session import Session

if TYPE_CHECKING:
    from ftcli.credentials.session_store import SavedSession, SessionStore, Stamp


class SharedSession:
    """Loads and saves the session, noticing what other processes did. Without a store it does nothing.

    Args:
        store: The encrypted file.
        settings: App version, noted in the file.
        hosts: A session is only used at the addresses it was opened at.

    Attributes:
        reason: Why the latest load found nothing.
    """

    def __init__(self, store: "SessionStore | None", settings: Settings, hosts: Hosts) -> None:
        self.store = store
        self.reason = ""
        self._app_version = settings.app_version
        self._overrides = hosts.overrides
        self._stamp: Stamp | None = None
        self._last: SavedSession | None = None

    def changed(self) -> bool:
        """Whether the file is another one than we last read or wrote. One ``stat``."""
        return self.store is not None and self.store.stamp() != self._stamp

    async def load(self) -> "SavedSession | None":
        """The saved session, if it belongs to our hosts."""
        if self.store is None:
            return None
        self._stamp = self.store.stamp()  # before reading: a change in between shows up as one
        # In a thread: the key may come from a keyring that takes its time.
        saved = await asyncio.to_thread(self.store.load)
        self.reason = self.store.reason
        if saved is not None and saved.hosts != self._overrides:
            self.reason = "the saved session was opened at other addresses than those set now"
            saved = None
        self._last = saved
        return saved

    async def save(self, session: Session, *, expired: bool = False) -> list[str]:
        """Writes the session; answers what the user should know. Failing here does not undo the login."""
        trouble = await self._write(session, expired)
        if trouble:
            return [f"The session could not be saved and ends with this process: {trouble}"]
        return [self.store.warning] if self.store is not None and self.store.warning else []

    async def _write(self, session: Session, expired: bool) -> str:
        """Writes the session; answers why that failed, else nothing."""
        if self.store is None:
            return ""
        saved = session.saved(self._app_version, self._overrides, expired=expired)
        try:
            await asyncio.to_thread(self.store.save, saved)
        except (OSError, FtError) as problem:
            return str(problem)
        self._stamp = self.store.stamp()
        self._last = saved
        return ""

    async def save_if_changed(self, session: Session, *, expired: bool = False) -> None:
        """Writes under a lock that is held already, unless another process wrote or nothing is new."""
        if self.store is not None and not self.changed() and not self._is_saved(session, expired):
            trouble = await self._write(session, expired)
            if trouble:
                log.warning("what is new in the session was not saved: %s", trouble)

    async def save_if_ours(self, session: Session, *, expired: bool = False) -> None:
        """Writes refreshed cookies, or that the session is over, unless another process wrote meanwhile.

        Theirs is newer than ours then. While another process logs in, nothing is written either.
        """
        if self.store is None or self._is_saved(session, expired):
            return
        with contextlib.suppress(Conflict):
            async with self.store.lock(patience=0):
                await self.save_if_changed(session, expired=expired)

    @property
    def is_gone(self) -> bool:
        """Whether the latest load met no file at all: nobody is logged in."""
        return self.store is not None and self._stamp is None

    @property
    def is_there(self) -> bool:
        """Whether the latest load met a file, readable or not."""
        return self._stamp is not None

    async def delete(self) -> None:
        """Forgets the saved session."""
        if self.store is not None:
            await asyncio.to_thread(self.store.delete)
            self._stamp = self.store.stamp()
            self._last = None

    @contextlib.asynccontextmanager
    async def lock(self) -> AsyncIterator[None]:
        """Held around a login and its save: one process logs in, the others wait and find its session."""
        if self.store is None:
            yield
            return
        async with self.store.lock():
            yield

    def _is_saved(self, session: Session, expired: bool) -> bool:
        return self._last == session.saved(self._app_version, self._overrides, expired=expired)
