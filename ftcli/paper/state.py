"""Where the paper broker keeps its world: one SQLite file that several processes may use at once.

Each record is one row of JSON in which decimals are text, hence exact. A transaction takes the write lock
at its start (``BEGIN IMMEDIATE``), so two processes never work from the same old state; readers never wait
for a writer (WAL). The world is kept in memory between calls and loaded again only when another connection
has written in the meantime, which SQLite tells for the price of one pragma.
"""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ftcli.errors import InternalError
from ftcli.paper.world import World

SCHEMA_VERSION = 1
"""Grows whenever rows written by an older program can no longer be read."""

BUSY_SECONDS = 30.0
"""How long a transaction waits for another process to finish writing."""

_SCHEMA = """
CREATE TABLE meta (id INTEGER PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE accounts (number TEXT NOT NULL UNIQUE, data BLOB NOT NULL);
CREATE TABLE cash (account TEXT PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE loans (loan TEXT NOT NULL UNIQUE, data BLOB NOT NULL);
CREATE TABLE lots (lot_id TEXT PRIMARY KEY, opened TEXT NOT NULL, data BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE orders (
  number TEXT PRIMARY KEY, account TEXT NOT NULL, sequence INTEGER NOT NULL, open INTEGER NOT NULL,
  changed_on TEXT NOT NULL, data BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX orders_open ON orders (sequence) WHERE open = 1;
CREATE INDEX orders_finished ON orders (account, changed_on) WHERE open = 0;
CREATE TABLE previews (
  number TEXT PRIMARY KEY, made TEXT NOT NULL, group_number TEXT, rank INTEGER NOT NULL, data BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX previews_group ON previews (group_number) WHERE group_number IS NOT NULL;
CREATE INDEX previews_made ON previews (made);
CREATE TABLE transactions (
  id INTEGER PRIMARY KEY, account TEXT NOT NULL, posted TEXT NOT NULL, data BLOB NOT NULL
);
CREATE INDEX transactions_account ON transactions (account, posted);
CREATE TABLE closed_lots (
  closed_id TEXT PRIMARY KEY, account TEXT NOT NULL, symbol TEXT NOT NULL, sold TEXT NOT NULL,
  data BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX closed_lots_account ON closed_lots (account, sold);
CREATE TABLE events (sequence INTEGER PRIMARY KEY, data BLOB NOT NULL);
"""
_TABLES = (
    "meta", "accounts", "cash", "loans", "lots", "orders", "previews", "transactions", "closed_lots",
    "events",
)  # fmt: skip


class State:
    """The world on disk, or in memory with ``":memory:"``.

    Args:
        path: The database file; missing directories are made.

    Raises:
        InternalError: The file is no database of ours, or of a version this program cannot read.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = str(path)
        if self.path != ":memory:":
            Path(self.path).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with suppress(OSError):  # SQLite says better what is wrong
                # Made before SQLite makes it, for its owner alone: the journal files copy the mode. One that is there
                # is never opened here: to close it would end the locks that SQLite holds on it for this process.
                os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        self._lock = threading.RLock()
        self._world: World | None = None
        self._version = -1
        self._depth = 0
        try:
            self._connection = sqlite3.connect(
                self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            self._prepare()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise InternalError(f"The paper state {self.path} cannot be opened: {error}.") from error
            raise InternalError(
                f"{self.path} is not a paper broker's state ({error}). Name another file or remove this one.",
                details={"path": self.path},
            ) from error

    def _prepare(self) -> None:
        execute = self._connection.execute
        if self._schema_version() == 0:
            execute("PRAGMA journal_mode = WAL")
            execute("BEGIN IMMEDIATE")
            try:
                if self._schema_version() == 0:
                    for statement in _SCHEMA.split(";"):
                        execute(statement)
                    execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            except BaseException:
                execute("ROLLBACK")
                raise
            execute("COMMIT")
        found = self._schema_version()
        if found != SCHEMA_VERSION:
            self._connection.close()
            raise InternalError(
                f"The paper state {self.path} has schema version {found} and this program needs "
                f"{SCHEMA_VERSION}. Reset it (this forgets the paper accounts) or use the matching version.",
                details={"path": self.path, "found": found, "needed": SCHEMA_VERSION},
            )
        execute("PRAGMA synchronous = NORMAL")

    def _schema_version(self) -> int:
        return int(self._connection.execute("PRAGMA user_version").fetchone()[0])

    def close(self) -> None:
        """Close the database; the object cannot be used afterwards."""
        with self._lock:
            self._world = None
            self._connection.close()

    def __enter__(self) -> "State":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _current_world(self) -> World:
        """The world as of the transaction that has just begun."""
        version = int(self._connection.execute("PRAGMA data_version").fetchone()[0])
        if self._world is None or version != self._version:
            self._world = World(self._connection)
            self._version = version
        return self._world

    @contextmanager
    def transaction(self) -> Iterator[World]:
        """Change the world: all of it or, on an exception, nothing.

        Only one process writes at a time. Must not be nested, nor begun inside ``reading``.
        """
        with self._lock:
            assert self._depth == 0, "transactions do not nest"
            self._connection.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                world = self._current_world()
                world.set_writable(True)
                yield world
                world.flush()
                world.set_writable(False)
                self._connection.execute("COMMIT")
            except BaseException:
                self._world = None
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
            finally:
                self._depth -= 1

    @contextmanager
    def reading(self) -> Iterator[World]:
        """Look at the world; everything read inside belongs to one moment."""
        with self._lock:
            if self._depth:
                assert self._world is not None
                yield self._world
                return
            self._connection.execute("BEGIN")
            self._depth += 1
            try:
                yield self._current_world()
            finally:
                self._depth -= 1
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")

    def reset(self) -> None:
        """Forget everything; the next user seeds the world anew."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                for table in _TABLES:
                    self._connection.execute(f"DELETE FROM {table}")  # nosec B608 # noqa: S608 - names of ours
                self._connection.execute("COMMIT")
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            finally:
                self._world = None
