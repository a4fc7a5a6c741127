"""Books that stay wrong are asked for again (protocol 05 §5.2)."""

from ftcli.streaming.book import BookState

INCONSISTENT_FOR = 2.0
CROSSED_FOR = 5.0
AGAIN_AFTER = 60.0
"""Seconds between two renewals of one symbol."""


class BookWatch:
    """Since when each book of a connection is out of order, or crossed without moving."""

    def __init__(self) -> None:
        self._inconsistent: dict[str, float] = {}
        self._crossed: dict[str, float] = {}
        self._renewed: dict[str, float] = {}

    def note(self, book: BookState, now: float) -> None:
        """A book has just changed."""
        if book.inconsistent:
            self._inconsistent.setdefault(book.symbol, now)
        else:
            self._inconsistent.pop(book.symbol, None)
        if book.crossed:
            self._crossed[book.symbol] = now
        else:
            self._crossed.pop(book.symbol, None)

    def forget(self, symbol: str) -> None:
        """A symbol is not watched any more."""
        self._inconsistent.pop(symbol, None)
        self._crossed.pop(symbol, None)

    def _times(self) -> dict[str, float]:
        times: dict[str, float] = {}
        for since, patience in ((self._inconsistent, INCONSISTENT_FOR), (self._crossed, CROSSED_FOR)):
            for symbol, start in since.items():
                due = max(start + patience, self._renewed.get(symbol, -AGAIN_AFTER) + AGAIN_AFTER)
                times[symbol] = min(due, times.get(symbol, due))
        return times

    def due(self, now: float) -> list[str]:
        """The symbols to be subscribed anew now."""
        found = [symbol for symbol, when in self._times().items() if when <= now]
        for symbol in found:
            self._renewed[symbol] = now
            self.forget(symbol)
        return found

    def next_deadline(self) -> float | None:
        """When :meth:`due` has something next."""
        return min(self._times().values(), default=None)
