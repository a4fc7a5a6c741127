"""Account events that earlier processes have seen: what the broker tells twice is not published twice.

Only what came before this process counts: two that listen at once both tell their readers (protocol 05 §7.12).
"""

import logging
import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path

from ftcli.errors import InternalError
from ftcli.store import Store
from ftcli.streaming.beps_events import EventMemory, Known
from ftcli.streaming.timing import SYSTEM

log = logging.getLogger(__name__)


class SeenEvents:
    """The memory of one environment, in the one SQLite file. It opens when first needed.

    Nothing here may cost an event: where the file cannot be used, a warning is logged and the memory ends with
    the process.

    Args:
        path: The file.
        environment: ``paper`` or ``live``; both may share the file.
        epoch: Tells the time as the streams do, in epoch seconds.
    """

    def __init__(self, path: Path, environment: str, epoch: Callable[[], float] = SYSTEM.epoch) -> None:
        self._path = path
        self._environment = environment
        self._epoch = epoch
        self._store: Store | None = None
        self._since_pruned = 0

    def known(self) -> Iterable[Known]:
        """What has been seen so far: ten thousand events or a day, whichever is more; the oldest first."""
        try:
            self._store = self._store or self._open()
            self._prune()
            rows = self._store.rows(
                "SELECT event_id, digest, at FROM stream_events WHERE environment = ? ORDER BY at",
                self._environment,
            )
        except (InternalError, sqlite3.Error) as problem:
            log.warning("events seen by earlier processes are not known: %s", problem)
            return []
        return [(row["event_id"], row["digest"], row["at"]) for row in rows]

    def remember(self, event: Known) -> None:
        """Keeps an event for the processes to come.

        Args:
            event: Its id, the digest of its details, and when it came.
        """
        if self._store is None:
            return
        try:
            self._store.execute(
                "INSERT OR REPLACE INTO stream_events (environment, event_id, digest, at) VALUES (?, ?, ?, ?)",
                self._environment,
                *event,
            )
            self._since_pruned += 1
            if self._since_pruned >= EventMemory.LIMIT:
                self._prune()
        except sqlite3.Error as problem:
            log.warning("an event cannot be remembered for the next process: %s", problem)

    def close(self) -> None:
        """Closes the file."""
        if self._store is not None:
            self._store.close()
            self._store = None

    def _open(self) -> Store:
        store = Store(self._path)
        # A power cut may cost the last few: then they are told once more. Readers need not wait for the disk.
        store.execute("PRAGMA synchronous = NORMAL")
        return store

    def _prune(self) -> None:
        assert self._store is not None
        self._since_pruned = 0
        self._store.execute(
            "DELETE FROM stream_events WHERE environment = ?1 AND at < ?2 AND event_id NOT IN"
            " (SELECT event_id FROM stream_events WHERE environment = ?1 ORDER BY at DESC LIMIT ?3)",
            self._environment,
            self._epoch() - EventMemory.AGE,
            EventMemory.LIMIT,
        )
