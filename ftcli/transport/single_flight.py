"""Many callers, one run: whoever asks while it is under way gets its outcome."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

Result = TypeVar("Result")


class SingleFlight(Generic[Result]):
    """Runs a coroutine at most once at a time per key.

    A caller that is cancelled leaves the run alone: the others wait for it, and a login that has begun
    is better finished than abandoned.
    """

    def __init__(self) -> None:
        self._task: asyncio.Task[Result] | None = None
        self._key = ""

    async def run(self, key: str, start: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
        """The outcome of the run of that key, joined or begun.

        Args:
            key: What the run is about; another key begins another run.
            start: Makes the coroutine.

        Raises:
            Exception: Whatever the run raises, to every caller.
        """
        if self._task is None or self._task.done() or self._key != key:
            self._key = key
            self._task = asyncio.create_task(start())
            # Looked at even where every caller was cancelled, so that asyncio does not complain.
            self._task.add_done_callback(lambda task: task.cancelled() or task.exception())
        return await asyncio.shield(self._task)

    async def stop(self) -> None:
        """Cancels the run under way, if there is one."""
        if self._task is not None and not self._task.done():
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await self._task
