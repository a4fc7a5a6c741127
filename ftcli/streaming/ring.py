"""The recent past of a stream, for readers that come back (``Last-Event-ID``)."""

from collections import deque
from collections.abc import Container

from ftcli.streaming.update import Update


class Ring:
    """The last updates of one kind, the oldest forgotten first.

    Args:
        size: How many are kept.
    """

    def __init__(self, size: int) -> None:
        self._updates: deque[Update] = deque()
        self._size = size
        self._forgotten = 0

    def add(self, update: Update) -> None:
        """Keep an update."""
        if len(self._updates) >= self._size:
            if not self._size:
                self._forgotten = update.id
                return
            self._forgotten = self._updates.popleft().id
        self._updates.append(update)

    def since(self, last_id: int, symbols: Container[str] | None = None) -> list[Update] | None:
        """What came after an id.

        Args:
            last_id: The last id the reader has seen.
            symbols: Only these; all by default.

        Returns:
            The updates in order, or ``None`` where some of them are forgotten.
        """
        if last_id < self._forgotten:
            return None
        found: list[Update] = []
        for update in reversed(self._updates):
            if update.id <= last_id:
                break
            if symbols is None or update.symbol in symbols:
                found.append(update)
        found.reverse()
        return found
