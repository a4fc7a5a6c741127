"""Ending subscriptions on a connection, with the fallbacks (protocol 05 §2.8).

The broker acknowledges no unsubscribe, so success shows only as silence. Each step is therefore taken by what
still arrives: five seconds after the request form the symbol form, five seconds later the connection itself.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from ftcli.streaming import frames

if TYPE_CHECKING:
    from ftcli.streaming.commands import CommandBook

PATIENCE = 5.0
"""Seconds of data after an unsubscribe until the next step."""


class _Release(msgspec.Struct, eq=False):
    symbols: tuple[str, ...]
    by_symbol: bool
    since: float


class Releases:
    """What has been unsubscribed on a connection and may still arrive.

    Args:
        book: The connection's commands.
    """

    def __init__(self, book: "CommandBook") -> None:
        self._book = book
        self._freed: dict[str, _Release] = {}
        self.useless = False
        """Whether the connection carries nothing but data nobody asked for: it should be closed."""

    def end(self, symbols: Iterable[str], requests: Iterable[str]) -> None:
        """Unsubscribe a command that nobody needs any more.

        Args:
            symbols: Its symbols.
            requests: The server's ids of it; without one the symbol form is all there is.
        """
        names = tuple(symbol for symbol in symbols if symbol not in self._book.by_symbol)
        release = _Release(names, True, self._book.monotonic())
        for symbol in release.symbols:
            self._freed[symbol] = release
        for request in requests:
            release.by_symbol = False
            self._book.put(frames.unsubscribe(self._book.session_id, request))
        if release.by_symbol:
            self._by_symbol(release)

    def forget(self, symbol: str) -> None:
        """Somebody wants the symbol again."""
        self._freed.pop(symbol, None)

    def still_arrives(self, symbol: str) -> None:
        """Data came for a symbol that is not subscribed."""
        release = self._freed.get(symbol)
        now = self._book.monotonic()
        if release is None or now - release.since < PATIENCE:
            return
        release.since = now
        if not release.by_symbol:
            self._by_symbol(release)
        else:
            # Both forms were in vain: keep dropping, or close a connection that serves nobody.
            self._book.counters["deaf_unsubscribes"] += 1
            self.useless = not self._book.busy

    def _by_symbol(self, release: _Release) -> None:
        """The older form names no kind of subscription: only for symbols no other command needs."""
        release.by_symbol = True
        book = self._book
        names = [symbol for symbol in release.symbols if symbol not in book.by_symbol]
        if names:
            book.put(frames.unsubscribe_symbols(book.session_id, book.kind, names))
