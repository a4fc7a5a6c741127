"""Ends what a key holds, streams, subscriptions and places, when the key itself ends: revoked, replaced or expired."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

from aiohttp import web

from ftcli.server.keys import ApiKey
from ftcli.server.places import Places
from ftcli.server.service import Service

log = logging.getLogger("ftcli.server")

EVERY = 0.5
"""Seconds between two looks; each costs one question to the database, however many streams there are."""


class KeyWatch:
    """Looks at the keys of what is open.

    Args:
        service: The daemon.

    Attributes:
        places: Who holds a connection; there while the daemon listens.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self.places: Places | None = None
        self._open: dict[str, tuple[ApiKey, set[Callable[[str], None]]]] = {}

    @contextmanager
    def over(self, key: ApiKey, close: Callable[[str], None]) -> Iterator[None]:
        """Closes a stream that is open inside this block when its key ends.

        Args:
            key: The key it was opened with.
            close: Ends it, given the reason.
        """
        _, closers = self._open.setdefault(key.id, (key, set()))
        closers.add(close)
        try:
            yield
        finally:
            closers.discard(close)
            if not closers:
                self._open.pop(key.id, None)

    def look(self) -> None:
        """Ends what belongs to keys that have ended."""
        is_good = self._service.still_admits
        for key, closers in list(self._open.values()):
            if not is_good(key):
                for close in list(closers):
                    close("key")
        if self.places is not None:
            self.places.forget_ended(is_good)
        if self._service.hub is not None:
            self._service.holds.release_ended(self._service.hub, is_good)

    @asynccontextmanager
    async def looking(self) -> AsyncIterator[None]:
        """Looks again and again inside this block."""
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            task.cancel()

    async def _run(self) -> None:
        failing = False
        while True:
            await asyncio.sleep(EVERY)
            try:
                self.look()
                failing = False
            except Exception as problem:  # whatever it is, the next look must follow
                if not failing:
                    log.error("the API keys of open streams cannot be looked at", exc_info=problem)
                failing = True


KEY_WATCH = web.AppKey("key_watch", KeyWatch)
