"""The one SQLite file: API keys, the journal of orders, account events seen, and whatever else must outlive a restart.

Each user of the file appends its tables to :data:`MIGRATIONS`; a step, once released, is never changed.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ftcli.config import Settings
from ftcli.errors import FtError, InternalError

MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE api_keys (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        digest BLOB NOT NULL,
        scopes TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        expires_at INTEGER,
        last_used_at INTEGER,
        revoked_at INTEGER
    ) STRICT;
    """,
    """
    CREATE TABLE previews (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        environment TEXT NOT NULL,
        conf_num TEXT NOT NULL,
        conf_nums TEXT NOT NULL,
        kind TEXT NOT NULL,
        account TEXT NOT NULL,
        digest TEXT NOT NULL,
        marks TEXT NOT NULL,
        owner TEXT NOT NULL,
        session INTEGER NOT NULL,
        at TEXT NOT NULL
    ) STRICT;
    CREATE INDEX previews_by_number ON previews (environment, conf_num);
    CREATE TABLE placements (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        environment TEXT NOT NULL,
        key TEXT,
        preview INTEGER UNIQUE,
        kind TEXT NOT NULL,
        account TEXT NOT NULL,
        conf_nums TEXT NOT NULL,
        digest TEXT NOT NULL,
        document TEXT NOT NULL,
        value TEXT,
        orders INTEGER NOT NULL,
        who TEXT NOT NULL,
        api_key TEXT NOT NULL,
        day TEXT NOT NULL,
        at TEXT NOT NULL,
        UNIQUE (environment, key)
    ) STRICT;
    CREATE INDEX placements_by_day ON placements (environment, day);
    CREATE TABLE placement_events (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        placement INTEGER NOT NULL REFERENCES placements (id),
        state TEXT NOT NULL,
        at TEXT NOT NULL,
        owner TEXT NOT NULL,
        detail TEXT NOT NULL,
        reply BLOB
    ) STRICT;
    CREATE INDEX events_by_placement ON placement_events (placement);
    CREATE TRIGGER placements_stay BEFORE UPDATE ON placements
        BEGIN SELECT RAISE(ABORT, 'the journal only grows'); END;
    CREATE TRIGGER placements_remain BEFORE DELETE ON placements
        BEGIN SELECT RAISE(ABORT, 'the journal only grows'); END;
    CREATE TRIGGER placement_events_stay BEFORE UPDATE ON placement_events
        BEGIN SELECT RAISE(ABORT, 'the journal only grows'); END;
    CREATE TRIGGER placement_events_remain BEFORE DELETE ON placement_events
        BEGIN SELECT RAISE(ABORT, 'the journal only grows'); END;
    """,
    """
    ALTER TABLE api_keys ADD COLUMN accounts TEXT NOT NULL DEFAULT '';
    ALTER TABLE api_keys ADD COLUMN rate TEXT NOT NULL DEFAULT '';
    ALTER TABLE api_keys ADD COLUMN replaced_by TEXT NOT NULL DEFAULT '';
    """,
    """
    CREATE TABLE stream_events (
        environment TEXT NOT NULL,
        event_id TEXT NOT NULL,
        digest TEXT NOT NULL,
        at REAL NOT NULL,
        PRIMARY KEY (environment, event_id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX stream_events_by_time ON stream_events (environment, at);
    """,
    """
    CREATE TABLE placement_keys (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        environment TEXT NOT NULL,
        key TEXT NOT NULL,
        placement INTEGER NOT NULL REFERENCES placements (id)
    ) STRICT;
    CREATE INDEX placement_keys_by_key ON placement_keys (environment, key);
    CREATE INDEX placement_keys_by_placement ON placement_keys (placement);
    CREATE TRIGGER placement_keys_stay BEFORE UPDATE ON placement_keys
        BEGIN SELECT RAISE(ABORT, 'the journal only grows'); END;
    CREATE TRIGGER placement_keys_remain BEFORE DELETE ON placement_keys
        BEGIN SELECT RAISE(ABORT, 'the journal only grows'); END;
    """,
    """
    CREATE TABLE key_changes (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        change TEXT NOT NULL,
        key TEXT NOT NULL,
        what TEXT NOT NULL,
        who TEXT NOT NULL,
        at INTEGER NOT NULL,
        told INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    """,
    """
    ALTER TABLE previews ADD COLUMN session_id TEXT NOT NULL DEFAULT '';
    CREATE INDEX placements_by_digest ON placements (environment, digest);
    """,
    """
    CREATE INDEX attempts_again ON placement_events (placement) WHERE state = 'sending' AND detail <> '{}';
    CREATE INDEX open_events ON placement_events (state, placement) WHERE state IN ('sending', 'unknown');
    ALTER TABLE placements ADD COLUMN likeness TEXT NOT NULL DEFAULT '';
    CREATE INDEX placements_by_likeness ON placements (environment, likeness);
    DROP INDEX placements_by_digest;
    """,
)
"""The file's steps from nothing to its present form, in order; ``PRAGMA user_version`` counts those done."""


_PATIENCE = 5
"""Seconds that a writer waits for another one."""


def _statements(step: str) -> Iterator[str]:
    """The statements of a step. A trigger has semicolons of its own, so SQLite says where each one ends."""
    found = ""
    for part in step.split(";"):
        found += f"{part};"
        if sqlite3.complete_statement(found):
            if found.strip(" \n;"):
                yield found
            found = ""


def db_path(settings: Settings) -> Path:
    """Where the file is: ``FTSERVICE_DB_PATH``, else ``service.db`` in the data folder."""
    return settings.db_path or settings.data_path("service.db")


class Store:
    """The open file. Several processes may have it open at once.

    Args:
        path: The file; made, readable by its owner alone, where it is missing.

    Raises:
        InternalError: The file cannot be opened, or a newer version of ftcli has written it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with suppress(FileExistsError):
                # Made before SQLite makes it: its journal files copy the mode of the main file. One that is there is
                # never opened here: to close it would end the locks that SQLite holds on it for this process.
                os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
            self._db = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None)
            self._db.row_factory = sqlite3.Row
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.execute("PRAGMA foreign_keys = ON")
            self._migrate()
        except (OSError, sqlite3.Error) as problem:
            raise self._unusable(str(problem)) from problem

    def _unusable(self, reason: str) -> FtError:
        return InternalError(
            f"The database {self.path} cannot be used: {reason}.", details={"file": str(self.path)}
        )

    def _version(self) -> int:
        done: int = self._db.execute("PRAGMA user_version").fetchone()[0]
        if done > len(MIGRATIONS):
            raise self._unusable("a newer version of ftcli has written it")
        return done

    def _migrate(self) -> None:
        if self._version() == len(MIGRATIONS):
            return  # so that a halt, which only reads, does not wait for a writer
        with self.transaction():
            done = self._version()
            for step in MIGRATIONS[done:]:
                for statement in _statements(step):
                    self._db.execute(statement)
            self._db.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All statements inside, or none of them; other writers wait."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Inside, a statement that another writer keeps waiting fails at once. It must hold no ``await``."""
        self._db.execute("PRAGMA busy_timeout = 0")
        try:
            yield
        finally:
            self._db.execute(f"PRAGMA busy_timeout = {_PATIENCE * 1000}")

    def execute(self, statement: str, *values: Any) -> int:
        """Runs a statement and returns the number of rows it changed."""
        return self._db.execute(statement, values).rowcount

    def rows(self, statement: str, *values: Any) -> list[sqlite3.Row]:
        """The rows of a query."""
        return self._db.execute(statement, values).fetchall()

    def foreign_changes(self) -> int:
        """A number that changes whenever another process or connection has written."""
        found: int = self._db.execute("PRAGMA data_version").fetchone()[0]
        return found

    def close(self) -> None:
        """Closes the file."""
        self._db.close()
