"""Documents that the paper broker keeps beside its world: notes, watchlists, alerts, preferences.

They live in a table of their own in the same file as the world, as JSON by kind and key, in the order in
which they were first put. Numbers stay exact.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ftcli.models.json import dumps, loads
from ftcli.paper.state import State

_SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
  id INTEGER PRIMARY KEY, kind TEXT NOT NULL, key TEXT NOT NULL, data BLOB NOT NULL, UNIQUE (kind, key)
)
"""


class Documents:
    """The documents of one kind.

    Args:
        state: The file.
        kind: Name of the kind: ``notes``, ``watchlists`` ...
    """

    def __init__(self, state: State, kind: str) -> None:
        self._state = state
        self._kind = kind
        self._execute = state._connection.execute

    def all(self) -> dict[str, Any]:
        """Every document by key, the oldest first."""
        with self._state.reading():
            return self._all()

    def get(self, key: str) -> Any:
        """One document; ``None`` where there is none of this key."""
        with self._state.reading():
            return self._all(key).get(key)

    def put(self, key: str, document: Any) -> None:
        """Adds a document, or replaces that of the same key."""
        with self.changing() as documents:
            documents.put(key, document)

    def delete(self, key: str) -> bool:
        """Takes a document away; answers whether there was one."""
        with self.changing() as documents:
            return documents.delete(key)

    @contextmanager
    def changing(self) -> "Iterator[Changing]":
        """Several changes that happen together or, on an exception, not at all.

        Must not be nested, nor begun inside a transaction or reading of the state.
        """
        with self._state.transaction():
            yield self.inside()

    def inside(self) -> "Changing":
        """Changes within a transaction of the state that is open already and happens as a whole."""
        self._execute(_SCHEMA)
        return Changing(self._kind, self._all(), self._execute)

    def _all(self, key: str | None = None) -> dict[str, Any]:
        if not self._execute("SELECT 1 FROM sqlite_master WHERE name = 'documents'").fetchone():
            return {}
        rows = self._execute(
            "SELECT key, data FROM documents WHERE kind = ?1 AND (?2 IS NULL OR key = ?2) ORDER BY id",
            (self._kind, key),
        )
        return {name: loads(data) for name, data in rows}


class Changing:
    """The documents of one kind within one change."""

    def __init__(self, kind: str, documents: dict[str, Any], execute: Callable[..., Any]) -> None:
        self._kind = kind
        self._execute = execute
        self._documents = documents

    @property
    def documents(self) -> Mapping[str, Any]:
        """Every document by key, the oldest first."""
        return self._documents

    def put(self, key: str, document: Any) -> None:
        """Adds a document, or replaces that of the same key."""
        self._documents[key] = document
        self._execute(
            "INSERT INTO documents (kind, key, data) VALUES (?, ?, ?) "
            "ON CONFLICT (kind, key) DO UPDATE SET data = excluded.data",
            (self._kind, key, dumps(document)),
        )

    def delete(self, key: str) -> bool:
        """Takes a document away; answers whether there was one."""
        self._execute("DELETE FROM documents WHERE kind = ? AND key = ?", (self._kind, key))
        return self._documents.pop(key, None) is not None


def clear_documents(state: State) -> None:
    """Forgets the documents of every kind; part of putting the paper broker back to its start."""
    with state.transaction():
        state._connection.execute(_SCHEMA)
        state._connection.execute("DELETE FROM documents")
