"""Tickets: a key's stand-in where a browser cannot send a header (``EventSource``, ``WebSocket``).

A ticket opens one stream within thirty seconds. Unlike a key it may stand in a URL: when the URL turns up in
some history or log, the ticket is spent.
"""

import hashlib
import secrets
import time
from collections.abc import Callable

from ftcli.errors import ApiKeyInvalid, RateLimited
from ftcli.server.keys import ApiKey

LIFETIME = 30.0
"""Seconds."""
_MOST = 1000


class Tickets:
    """Gives out tickets and takes them back.

    Args:
        ticks: A steady clock in seconds.
    """

    def __init__(self, ticks: Callable[[], float] = time.monotonic) -> None:
        self._ticks = ticks
        self._open: dict[bytes, tuple[ApiKey, float]] = {}

    def issue(self, key: ApiKey) -> str:
        """A new ticket that stands for a key.

        Raises:
            RateLimited: Too many tickets are open.
        """
        now = self._ticks()
        self._open = {ticket: entry for ticket, entry in self._open.items() if entry[1] > now}
        if len(self._open) >= _MOST:
            raise RateLimited("Too many tickets are waiting to be used.", retry_after=LIFETIME)
        # Its form gives it away to ftcli.redaction, however many are open.
        ticket = f"ftt_{secrets.token_urlsafe(24)}"
        self._open[_digest(ticket)] = (key, now + LIFETIME)
        return ticket

    def clear(self) -> None:
        """Forgets every ticket: who logs out leaves none behind."""
        self._open.clear()

    def redeem(self, ticket: str) -> ApiKey:
        """The key a ticket stands for; the ticket is spent.

        Raises:
            ApiKeyInvalid: It is unknown, spent, or older than thirty seconds.
        """
        key, ends = self._open.pop(_digest(ticket), (None, 0.0))
        if key is None or ends <= self._ticks():
            raise ApiKeyInvalid(
                "This ticket is not good (any more): it opens one stream, within 30 seconds. "
                "Get another: POST /api/v1/streaming/tickets.",
                details={"reason": "ticket"},
            )
        return key


def _digest(ticket: str) -> bytes:
    return hashlib.sha256(ticket.encode("utf-8", "surrogateescape")).digest()
