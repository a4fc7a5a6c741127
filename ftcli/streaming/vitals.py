"""Is a socket alive: the socket's own clock and the data's (protocol 05 §1.7).

The socket's clock runs always: a ping every 20 s, its pong within 10 s. The data's clock runs only while
the market is open and something is subscribed: after 60 s of silence the socket is suspect, 30 s later dead.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

from ftcli.streaming.timing import Timing, moment

PING_EVERY = 20.0
PONG_WAIT = 10.0
SILENCE = 60.0
SUSPICION = 30.0
GREETING_WAIT = 10.0


class Vitals:
    """The clocks of one connection; one object serves a link's connections one after the other.

    Args:
        timing: The clocks.
        market_open: Whether silence would be suspicious at a moment; ``None``: never.
    """

    def __init__(self, timing: Timing, market_open: Callable[[datetime], bool] | None) -> None:
        self._timing = timing
        self._market_open = market_open
        self.verdict = ""
        """Why the connection was given up, where it was given up here."""
        self._last_data = self._last_pong = timing.monotonic()
        self._armed_since: float | None = None
        self._suspect_since: float | None = None
        self._greeting_due: float | None = None
        self._next_ping = 0.0
        self._pong: asyncio.Future[object] | None = None
        self._pong_due = 0.0

    def start(self) -> None:
        """A connection has been opened; its connect message is due."""
        now = self._timing.monotonic()
        self.verdict = ""
        self._last_data = self._last_pong = now
        self._armed_since = None
        self._suspect_since = None
        self._greeting_due = now + GREETING_WAIT
        self._next_ping = now + PING_EVERY
        self._pong = None

    def greeted(self) -> None:
        """The connect message has come."""
        self._greeting_due = None

    def data_came(self) -> bool:
        """A data frame has come; whether that clears the connection of a suspicion."""
        self._last_data = self._timing.monotonic()
        cleared, self._suspect_since = self._suspect_since is not None, None
        return cleared

    def ping_due(self) -> bool:
        """Whether it is time for a ping."""
        return self._timing.monotonic() >= self._next_ping

    def pinged(self, pong: Awaitable[object]) -> None:
        """A ping has been sent."""
        now = self._timing.monotonic()
        self._next_ping = now + PING_EVERY
        if self._pong is None or self._pong.done():
            self._pong = asyncio.ensure_future(pong)
            self._pong.add_done_callback(self._ponged)
            self._pong_due = now + PONG_WAIT

    def _ponged(self, pong: asyncio.Future[object]) -> None:
        # A pong that never comes fails with the connection, whose end is seen elsewhere.
        if not pong.cancelled() and pong.exception() is None and pong is self._pong:
            self._last_pong = self._timing.monotonic()

    def heard(self) -> float:
        """When the connection last gave a proof of life, in epoch seconds: what came after it may be lost.

        A pong is no proof for a connection that was given up because it answers pings and sends nothing.
        """
        silent = self.verdict == "no data" or self._suspect_since is not None
        last = self._last_data if silent else max(self._last_data, self._last_pong)
        return self._timing.epoch() - (self._timing.monotonic() - last)

    def becomes_suspect(self, subscribed: bool) -> bool:
        """Whether the silence has just become suspicious."""
        now = self._timing.monotonic()
        market_open = self._market_open
        armed = subscribed and market_open is not None and market_open(moment(self._timing.epoch()))
        if not armed:
            self._armed_since = None
            return False
        if self._armed_since is None:
            self._armed_since = now
            if self._suspect_since is not None:
                self._suspect_since = now
        if self._suspect_since is None and now - self._silent_since() >= SILENCE:
            self._suspect_since = now
            return True
        return False

    def _silent_since(self) -> float:
        # The silence before the opening bell, or before the first subscription, counts for nothing.
        return max(self._last_data, self._armed_since or 0.0)

    def dead(self) -> bool:
        """Whether the connection must be given up; :attr:`verdict` says why."""
        now = self._timing.monotonic()
        if self._greeting_due is not None and now >= self._greeting_due:
            self.verdict = "no connect message"
        elif self._pong is not None and not self._pong.done() and now >= self._pong_due:
            self.verdict = "no pong"
        elif self._is_judged() and now - (self._suspect_since or 0.0) >= SUSPICION:
            self.verdict = "no data"
        return bool(self.verdict)

    def _is_judged(self) -> bool:
        # A suspicion outlasts the closing bell, but nothing is given up for it at night.
        return self._suspect_since is not None and self._armed_since is not None

    def next_deadline(self) -> float:
        """When to look again, on the monotonic clock."""
        times = [self._next_ping]
        if self._greeting_due is not None:
            times.append(self._greeting_due)
        if self._pong is not None and not self._pong.done():
            times.append(self._pong_due)
        if self._is_judged():
            times.append((self._suspect_since or 0.0) + SUSPICION)
        elif self._armed_since is not None:
            times.append(self._silent_since() + SILENCE)
        return min(times)
