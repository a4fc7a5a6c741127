"""The session behind the sockets: is it alive, can it be renewed (protocol 05 §6.2, 6.3).

All sockets share one gate: ten of them dropping at once cause one question to the broker, not ten.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Literal

from ftcli.streaming.timing import SYSTEM, Timing

Verdict = Literal["alive", "expired", "unknown"]
Ask = Callable[[], Awaitable[bool]]

_FRESH = 5.0
"""Seconds for which an answer serves the other sockets too."""
_NO_ANSWER = 0.3
"""Seconds for which "cannot tell" does: less than the shortest wait before another attempt."""


class SessionGate:
    """Asks the session's owner, one question at a time.

    Args:
        session_alive: Whether the session is valid. Raises where it cannot tell (no network). ``None``:
            there is no session to ask about.
        renew: Gets a new session; answers whether there is one now. ``None``: only a person can.
        timing: The clock.
    """

    def __init__(
        self, session_alive: Ask | None = None, renew: Ask | None = None, timing: Timing = SYSTEM
    ) -> None:
        self._session_alive = session_alive
        self._renew = renew
        self._timing = timing
        self._lock = asyncio.Lock()
        self._verdict: tuple[float, Verdict] | None = None
        self._renewal: tuple[float, bool] | None = None

    async def verdict(self) -> Verdict:
        """``alive``, ``expired``, or ``unknown`` where the question could not be put."""
        if self._session_alive is None:
            return "alive"
        async with self._lock:
            known = self._verdict
            if known is not None:
                fresh = _NO_ANSWER if known[1] == "unknown" else _FRESH
                if self._timing.monotonic() - known[0] < fresh:
                    return known[1]
            verdict: Verdict
            try:
                verdict = "alive" if await self._session_alive() else "expired"
            except Exception:
                # No network, a maintenance page: no reason to bother anyone with a login.
                verdict = "unknown"
            self._verdict = (self._timing.monotonic(), verdict)
            return verdict

    async def renew(self) -> bool:
        """Ask the owner for a new session; whether there is one. The streams never log in by themselves."""
        if self._renew is None:
            return False
        async with self._lock:
            known = self._renewal
            if known is not None and self._timing.monotonic() - known[0] < _FRESH:
                return known[1]
            try:
                renewed = await self._renew()
            except Exception:
                renewed = False
            now = self._timing.monotonic()
            self._renewal = (now, renewed)
            if renewed:
                self._verdict = (now, "alive")
            return renewed

    def forget(self) -> None:
        """Forget earlier answers: somebody has logged in."""
        self._verdict = self._renewal = None
