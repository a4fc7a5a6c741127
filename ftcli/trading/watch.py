"""Looks for lost orders by itself, a while after each lost answer (protocol 02 §19)."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable

PAUSES = (2.0, 5.0, 10.0, 20.0, 40.0)
"""Seconds before each look."""

log = logging.getLogger("ftcli.trading")


class LostWatch:
    """Looks again and again, until nothing is lost or the time for it is over. What is not found stays unknown.

    Args:
        look: Looks once; answers whether nothing is left to look for.
        pauses: Seconds before each look.
    """

    def __init__(self, look: Callable[[], Awaitable[bool]], pauses: tuple[float, ...] | None = None) -> None:
        self._look = look
        self._pauses = PAUSES if pauses is None else pauses
        self._tasks: set[asyncio.Task[bool]] = set()
        self._closed = False

    def start(self, *, now: bool = False) -> None:
        """Looks in the background, from the first pause on, whatever was under way; needs a running loop.

        Args:
            now: Whether to look at once as well.
        """
        if self._closed:
            return
        for task in self._tasks:
            task.cancel()
        task = asyncio.create_task(self._run((0.0, *self._pauses) if now else self._pauses))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def look(self, times: int, found: Callable[[], bool]) -> None:
        """Looks that many times in the foreground, until what somebody waits for is found."""
        await self._run(self._pauses[:times], found)

    async def over(self) -> None:
        """Waits for the looking in the background to end."""
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def aclose(self) -> None:
        """Ends it for good."""
        self._closed = True
        for task in self._tasks:
            task.cancel()
        await self.over()

    async def _run(self, pauses: Iterable[float], found: Callable[[], bool] = lambda: False) -> bool:
        for pause in pauses:
            await asyncio.sleep(pause)
            try:
                if await self._look() or found():
                    return True
            except Exception:
                log.exception("the look for lost orders failed")
        return False
