"""Time as the streams see it: two clocks and alarms, all injectable, so that no test has to sleep."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol


class Timer(Protocol):
    """A call that was put off and can still be called off."""

    def cancel(self) -> None:
        """Call it off; harmless when it has already run."""


class Timing(Protocol):
    """The passage of time: :data:`SYSTEM`, or one that a test moves by hand."""

    def monotonic(self) -> float:
        """Seconds since some start, never going back."""

    def epoch(self) -> float:
        """Seconds since 1970, for what users see."""

    def call_later(self, seconds: float, call: Callable[[], None]) -> Timer:
        """Run ``call`` on the event loop after ``seconds``."""


class SystemTiming:
    """The machine's own clocks and the running event loop's timers."""

    monotonic = staticmethod(time.monotonic)
    epoch = staticmethod(time.time)

    def call_later(self, seconds: float, call: Callable[[], None]) -> Timer:
        """Run ``call`` on the running event loop after ``seconds``."""
        return asyncio.get_running_loop().call_later(seconds, call)


SYSTEM: Timing = SystemTiming()


class Alarm:
    """Wakes one waiting task early: an event that resets itself, with a time limit.

    Args:
        timing: Whose seconds the limit counts.
    """

    def __init__(self, timing: Timing) -> None:
        self._timing = timing
        self._rung = False
        self._future: asyncio.Future[None] | None = None

    def ring(self) -> None:
        """Wake the waiting task, or the next one that waits."""
        self._rung = True
        self._release()

    def _release(self) -> None:
        if self._future is not None and not self._future.done():
            self._future.set_result(None)

    async def wait(self, seconds: float | None) -> bool:
        """Wait until it rings or ``seconds`` are over (``None``: for ever).

        Returns:
            Whether it rang.
        """
        if not self._rung and (seconds is None or seconds > 0):
            self._future = asyncio.get_running_loop().create_future()
            timer = None if seconds is None else self._timing.call_later(seconds, self._release)
            try:
                await self._future
            finally:
                self._future = None
                if timer is not None:
                    timer.cancel()
        rung, self._rung = self._rung, False
        return rung


class IsoStamp:
    """Epoch seconds as ISO 8601 text in UTC with milliseconds; remembers what it wrote last."""

    __slots__ = ("_epoch", "_prefix", "_second", "_text")

    def __init__(self) -> None:
        self._epoch = -1.0
        self._second = -1
        self._prefix = self._text = ""

    def __call__(self, epoch: float) -> str:
        if epoch == self._epoch:
            return self._text
        self._epoch = epoch
        milliseconds = int(epoch * 1000)
        second = milliseconds // 1000
        if second != self._second:
            self._second = second
            self._prefix = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        self._text = f"{self._prefix}.{milliseconds - second * 1000:03d}Z"
        return self._text


iso = IsoStamp()
"""The process's own writer of time stamps; all streams run on one event loop, so one is enough."""


def moment(epoch: float) -> datetime:
    """Epoch seconds as an aware moment in UTC, cut to milliseconds as :data:`iso` writes it."""
    return datetime.fromtimestamp(int(epoch * 1000) / 1000, UTC)
