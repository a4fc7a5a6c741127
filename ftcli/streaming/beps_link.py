"""The account event stream and everything that keeps it going (protocol 05 §7.6-7.9).

A link owns one task. It fetches tokens, keeps a connection, replaces it before its token runs out (the new
one first, then the old one goes), and after an outage asks its owner to look for what was missed.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Literal

from ftcli.models.streaming import Event, StreamState
from ftcli.streaming.beps_events import EventMemory, read_event
from ftcli.streaming.beps_line import Line
from ftcli.streaming.beps_messages import SUBPROTOCOL, connection_url
from ftcli.streaming.beps_session import BepsCredentials, BepsSession
from ftcli.streaming.beps_token import token_expiry
from ftcli.streaming.counters import Oddities
from ftcli.streaming.options import BepsOptions, headers
from ftcli.streaming.schedule import STABLE, Schedule
from ftcli.streaming.sockets import Upgrade, cancel, connector
from ftcli.streaming.timing import Alarm, Timing, moment

log = logging.getLogger("ftcli.streaming")

BEFORE_EXPIRY = 60.0
"""Seconds before a token's end at which it is replaced."""
WITHOUT_EXPIRY = 25 * 60.0
"""Seconds after which a token that names no end is replaced."""
LONGEST = 23 * 3600.0
"""Seconds after which a connection is replaced in any case."""
TOKEN_AGE = 300.0
"""Seconds for which a token may be used for another connection."""
AFTER_REFUSAL = 30.0
"""Seconds to wait after the second refusal of a token in a row, or when there are too many subscriptions."""

BASELINE_WAIT = 5.0
"""Seconds for which the first connection waits until it is known how things are."""
SWEEPS = 5
"""How often a sweep that fails is tried again."""

BepsState = Literal[
    "none", "connecting", "open", "suspect", "reconnecting", "auth_required", "failed", "stopped"
]


class _NotReplacedError(Exception):
    """The new connection did not come about; the old one stays."""


class BepsLink:
    """The one connection of account events.

    Args:
        options: How to reach it.
        schedule: When to reconnect.
        timing: The clocks.
        counters: Where oddities are counted.
        on_event: Called with each event that is new.
        on_change: Called when the state changes.
        on_gap: Called with the start and end of an outage that nobody could look into.
    """

    def __init__(
        self,
        options: BepsOptions,
        schedule: Schedule,
        timing: Timing,
        counters: Oddities,
        *,
        on_event: Callable[[Event], None],
        on_change: Callable[[StreamState], None],
        on_gap: Callable[[float, float], None],
    ) -> None:
        self.state: BepsState = "none"
        self.since = timing.epoch()
        self.delivered = 0
        self.counters = counters
        self.last_change: StreamState | None = None
        self._options = options
        self._connect = options.connect or connector()
        self._schedule = schedule
        self._timing = timing
        self._on_event = on_event
        self._on_change = on_change
        self._on_gap = on_gap
        self._memory: EventMemory | None = None
        self._alarm = Alarm(timing)
        self._resume = Alarm(timing)
        self._task: asyncio.Task[None] | None = None
        self._sweeping: asyncio.Task[None] | None = None
        self._basing: asyncio.Task[None] | None = None
        self._line: Line | None = None
        self._token: tuple[str, float] | None = None
        self._reduced = False
        self._closing = self._renewing = False
        self._gap: tuple[float, float] | None = None
        self._lost_at: float | None = None

    def start(self) -> None:
        """Connect, where that has not been done."""
        if self._memory is None:
            known = self._options.known
            self._memory = EventMemory(known() if known is not None else (), self._options.remember)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="beps link")

    def session_renewed(self) -> None:
        """Somebody has logged in: try at once."""
        self._token = None
        self._resume.ring()

    async def aclose(self) -> None:
        """End the subscription in good order and end the tasks."""
        self._closing = True
        line = self._line
        if line is not None:
            await line.finish()
        await cancel(self._task)
        await cancel(self._sweeping)
        await cancel(self._basing)
        self._task = self._sweeping = self._basing = None
        self._change("stopped")

    # -- life ------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        attempt = refused = 0
        self._change("connecting")
        await self._first_baseline()
        while True:
            try:
                line = await self._open(fresh=refused > 0)
            except asyncio.CancelledError:
                raise
            except Exception:
                # No network, no session, an unreadable answer: details are the token source's to log.
                line = None
            if line is not None:
                line = await self._serve(line)
            if self._closing:
                return
            fault = None if line is None else line.session.fault
            lived = line is not None and self._timing.monotonic() - line.opened_at >= STABLE
            attempt = 0 if lived else attempt
            refused = refused + 1 if line is not None and line.unauthorized else 0
            if fault == "query" and self._reduced:
                self._change("failed", reason="the service refuses the subscription")
                return
            self._lost(line)
            if fault == "query":
                self._reduced = True
            attempt += 1
            await self._back_off(attempt, refused, fault, "no token" if line is None else line.reason)

    async def _back_off(self, attempt: int, refused: int, fault: str | None, reason: str) -> None:
        wait = self._schedule.wait(attempt)
        if refused == 1:
            # A token that has run out is the ordinary case: a new one, and at once.
            wait, reason = 0.0, "token_refresh"
        elif refused or fault == "max_subscriptions":
            wait = max(wait, AFTER_REFUSAL)
        state: BepsState = "auth_required" if refused >= 3 else "reconnecting"
        self._change(state, attempt=attempt, next_retry_s=wait, since=self._lost_moment(), reason=reason)
        await self._resume.wait(wait)

    async def _open(self, *, fresh: bool) -> Line:
        """A new connection, with a new token where the old one is not new enough."""
        now = self._timing.monotonic()
        if fresh or self._token is None or now - self._token[1] >= TOKEN_AGE:
            self._token = (await self._options.token(), now)
        token = self._token[0]
        options = self._options
        credentials = BepsCredentials(
            token=token, host=options.host, member_id=await options.member_id(), app_id=options.app_id
        )
        session = BepsSession(credentials, self._timing, self._received, self.counters, reduced=self._reduced)
        upgrade = Upgrade(
            url=connection_url(options.url_template, token, options.host),
            headers=await headers(options.cookie),
            subprotocol=SUBPROTOCOL,
            user_agent=options.user_agent,
        )
        return Line(session, upgrade, self._connect, self._timing, self._line_changed)

    async def _serve(self, line: Line) -> Line:
        """Keep a connection until it ends, replacing it when its token grows old; the last one."""
        try:
            renew_at = self._renew_at(line)
            while True:
                self._line = line
                self._look(line)
                while not line.over and self._timing.monotonic() < renew_at:
                    await self._alarm.wait(renew_at - self._timing.monotonic())
                if line.over:
                    return line
                try:
                    line = await self._replaced(line)
                    renew_at = self._renew_at(line)
                except _NotReplacedError:
                    self.counters["failed_renewals"] += 1
                    renew_at = self._timing.monotonic() + AFTER_REFUSAL
        finally:
            self._line = None
            if not line.over:
                await line.abandon()

    def _renew_at(self, line: Line) -> float:
        """When a connection is to be replaced, on the monotonic clock."""
        now = self._timing.monotonic()
        expiry = token_expiry(line.session.credentials.token)
        left = WITHOUT_EXPIRY if expiry is None else expiry - self._timing.epoch() - BEFORE_EXPIRY
        if left <= 0:
            # Only a configured token can be that old: look now and then whether there is another one.
            left = WITHOUT_EXPIRY
        return min(now + left, max(line.opened_at + LONGEST, now + AFTER_REFUSAL))

    async def _replaced(self, line: Line) -> Line:
        """Open the successor and, once events arrive there, end the old connection."""
        try:
            token = await self._options.token()
            age = self._timing.monotonic() - line.opened_at
            if token == line.session.credentials.token and age < LONGEST:
                return line
            self._token = (token, self._timing.monotonic())
            successor = await self._open(fresh=False)
        except Exception as problem:
            raise _NotReplacedError from problem
        try:
            self._renewing = True
            if line.over:
                self._look(line)
            while not successor.live and not successor.over:
                await self._alarm.wait(None)
            if successor.over:
                raise _NotReplacedError
            if line.session.suspect:
                self._lost(line)
            self._line = successor
            self._look(successor)
            await line.finish()
        except asyncio.CancelledError:
            await successor.abandon()
            raise
        finally:
            self._renewing = False
        return successor

    def _line_changed(self, line: Line) -> None:
        # Told in line, not by the task that waits: the state has to come before the events that follow it.
        if line is self._line:
            self._look(line)
        self._alarm.ring()

    def _look(self, line: Line) -> None:
        """Tell what has become of the connection."""
        if not line.live:
            # Ended while its successor is not there yet, or the broker has ended the subscription: until one is
            # answered anew events are lost. Every other end is told by the task that tries again.
            if (line.over and self._renewing) or line.session.phase == "starting":
                self._outage(line, line.reason or "subscription ended by the broker")
            return
        if line.session.suspect:
            self._change("suspect", reason="no keep-alive")
            return
        lost, self._lost_at = self._lost_at, None
        now = self._timing.epoch()
        self._change("open", lost=lost, now=now)
        if lost is not None:
            self._sweep(lost, now)
        self._take_baseline()

    def _take_baseline(self) -> None:
        """Let the owner note how things are, so that the next sweep has something to compare with."""
        if self._options.baseline is not None and (self._basing is None or self._basing.done()):
            self._basing = asyncio.create_task(self._base(self._options.baseline), name="beps baseline")

    async def _first_baseline(self) -> None:
        """Before events can arrive, so that the sweep after the first outage covers all of it."""
        self._take_baseline()
        if self._basing is not None:
            self._basing.add_done_callback(lambda _: self._alarm.ring())
            await self._alarm.wait(BASELINE_WAIT)

    async def _base(self, baseline: Callable[[], Awaitable[None]]) -> None:
        try:
            await baseline()
        except Exception:
            # The next outage will be told as a gap.
            self.counters["failed_baselines"] += 1

    def _outage(self, line: Line, reason: str) -> None:
        if self.state in ("open", "suspect"):
            self._lost(line)
            self._change("reconnecting", since=self._lost_moment(), reason=reason)

    def _lost(self, line: Line | None) -> None:
        """Note from when on events may be missing: the last frame is the last proof that none is."""
        if line is not None and self._lost_at is None and self.state in ("open", "suspect"):
            self._lost_at = line.session.heard_at

    def _lost_moment(self) -> datetime | None:
        return None if self._lost_at is None else moment(self._lost_at)

    # -- events ----------------------------------------------------------------------------------------

    def _received(self, document: dict[str, Any]) -> None:
        at = self._timing.epoch()
        self._deliver(read_event(document, at), at)

    def _deliver(self, event: Event, at: float) -> None:
        assert self._memory is not None
        if not self._memory.admit(event, at):
            self.counters["repeated_events"] += 1
            return
        self.delivered += 1
        if self._options.seen is not None:
            self._options.seen(event)
        self._on_event(event)

    def _sweep(self, start: float, end: float) -> None:
        """Look for what was missed in an outage; outages that nobody has looked into yet are put together."""
        if self._options.sweep is None:
            self._on_gap(start, end)
            return
        if self._gap is not None:
            start = min(start, self._gap[0])
        self._gap = (start, end)
        if self._sweeping is None or self._sweeping.done():
            self._sweeping = asyncio.create_task(self._look_back(), name="beps sweep")

    async def _look_back(self) -> None:
        sweep, failures = self._options.sweep, 0
        assert sweep is not None
        while self._gap is not None:
            start, end = self._gap
            try:
                async for event in sweep(moment(start), moment(end)):
                    self._recovered(event)
            except Exception:
                self.counters["failed_sweeps"] += 1
                failures += 1
                if failures > SWEEPS:
                    # As it stands now: another outage may have come to it meanwhile.
                    (start, end), self._gap = self._gap, None
                    self._on_gap(start, end)
                    return
                await Alarm(self._timing).wait(self._schedule.wait(failures))
                continue
            if self._gap == (start, end):
                self._gap = None

    def _recovered(self, event: Event) -> None:
        now = self._timing.epoch()
        event.recovered, event.source, event.received_at = True, "reconcile", moment(now)
        self._deliver(event, now)

    def _change(
        self,
        state: BepsState,
        *,
        attempt: int | None = None,
        next_retry_s: float | None = None,
        since: datetime | None = None,
        reason: str | None = None,
        lost: float | None = None,
        now: float | None = None,
    ) -> None:
        if state == self.state and state not in ("reconnecting", "auth_required"):
            return
        self.state = state
        self.since = self._timing.epoch()
        self.last_change = StreamState(
            stream="beps",
            state=state,
            attempt=attempt,
            next_retry_s=next_retry_s,
            since=since,
            reason=reason,
            gap_from=None if lost is None else moment(lost),
            gap_to=None if lost is None or now is None else moment(now),
            gap_ms=None if lost is None or now is None else round((now - lost) * 1000),
        )
        self._on_change(self.last_change)
