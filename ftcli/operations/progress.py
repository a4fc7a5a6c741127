"""Progress of calls that are made in several pages, for whoever waits: a bar on a terminal, a log line.

    with progress(lambda done, total: print(f"{done} of {total}")):
        chart = await ft.market_data.chart("AAPL", width=BarWidth.MIN_1, start="1y")

It belongs to the caller's own context: calls of others at the same time do not report to it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Watcher = Callable[[int, int], None]
"""Is told how many pages are done, and how many there will be."""

_watcher: ContextVar[Watcher | None] = ContextVar("ftcli.progress", default=None)


@contextmanager
def progress(watcher: Watcher) -> Iterator[None]:
    """Tells ``watcher`` of every page that the calls inside make.

    Args:
        watcher: Gets the pages done and their total; called at least once for a call of several pages.
    """
    token = _watcher.set(watcher)
    try:
        yield
    finally:
        _watcher.reset(token)


def report(done: int, total: int) -> None:
    """Says how far a call of several pages has come."""
    watcher = _watcher.get()
    if watcher is not None:
        watcher(done, total)
