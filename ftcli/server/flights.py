"""Identical reads in flight at the same moment share one call to the broker."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class _Flight(Generic[T]):
    def __init__(self, turn: int) -> None:
        self.turn = turn
        self.waiting: list[asyncio.Future[T]] = []


class Flights(Generic[T]):
    """Runs a call once for all who ask for it while it is under way.

    The first asker makes the call itself; the others wait for its outcome, errors included. If the first one
    is canceled, one of the others makes the call anew. A read that starts after a change never joins one that
    started before it, so everybody reads their own writes.
    """

    def __init__(self) -> None:
        self._flights: dict[bytes, _Flight[T]] = {}
        self._turn = 0
        self.joined = 0
        """How many have joined a call of another."""

    def turn(self) -> None:
        """Tells that something changed, or is about to: later reads do not join the present ones."""
        self._turn += 1

    async def fly(self, key: bytes, call: Callable[[], Awaitable[T]]) -> T:
        """The outcome of ``call``, or of the same call of somebody else.

        Args:
            key: What makes two calls the same.
            call: Makes the call.
        """
        while True:
            flight = self._flights.get(key)
            if flight is None or flight.turn != self._turn:
                return await self._lead(key, call)
            self.joined += 1
            future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
            flight.waiting.append(future)
            try:
                return await future
            except _Abandoned:
                continue
            finally:
                future.cancel()

    async def _lead(self, key: bytes, call: Callable[[], Awaitable[T]]) -> T:
        flight = self._flights[key] = _Flight(self._turn)
        try:
            result = await call()
        except BaseException as problem:
            self._land(key, flight)
            lost = _Abandoned() if isinstance(problem, asyncio.CancelledError) else problem
            for future in flight.waiting:
                if not future.done():
                    future.set_exception(lost)
            raise
        self._land(key, flight)
        for future in flight.waiting:
            if not future.done():
                future.set_result(result)
        return result

    def _land(self, key: bytes, flight: _Flight[T]) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]


class _Abandoned(Exception):
    """The one who made the call was canceled."""
