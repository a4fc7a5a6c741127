"""Keeps us from crowding the broker: few calls at once, few a second (protocol 00 §5.5, end)."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

AT_ONCE = 4
PER_SECOND = 5
SLOWED_FOR = 600.0
"""Seconds for which the rate is halved after the broker said "too many" (protocol 00 Q15)."""


class Pace:
    """Lets at most four calls run at once and five start per second.

    Args:
        on: Off, it lets everything through: a simulator on this machine needs no mercy.
        sleep: Waits that many seconds.
        ticks: A steady clock in seconds.
    """

    def __init__(
        self,
        on: bool,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self.on = on
        self._sleep = sleep
        self._ticks = ticks
        self._running = asyncio.Semaphore(AT_ONCE)
        self._turn = asyncio.Lock()
        self._starts: deque[float] = deque(maxlen=PER_SECOND)
        self._slow_until = float("-inf")

    def slow_down(self) -> None:
        """Halves the rate for ten minutes: the broker asked for it."""
        self._slow_until = self._ticks() + SLOWED_FOR

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Waits for a free place and for the next start, then holds the place."""
        if not self.on:
            yield
            return
        async with self._running:
            async with self._turn:
                await self._wait_for_start()
            yield

    async def _wait_for_start(self) -> None:
        if len(self._starts) == PER_SECOND:
            window = 2.0 if self._ticks() < self._slow_until else 1.0
            wait = self._starts[0] + window - self._ticks()
            if wait > 0:
                await self._sleep(wait)
        self._starts.append(self._ticks())
