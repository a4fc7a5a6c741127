"""One socket to MDDS and everything that keeps it going (protocol 05 §1.7, 6).

A link owns one task, which connects, reads, and connects again; while a socket is open a second one tends it:
sends what is to be sent, pings, and watches both clocks. Both end in :meth:`Link.aclose`.
"""

import asyncio
import logging
from collections.abc import Iterable
from datetime import datetime
from typing import Literal, NoReturn, Protocol

from ftcli.models.streaming import Kind, StreamState, SymbolError
from ftcli.streaming.counters import Oddities
from ftcli.streaming.frames import read_greeting
from ftcli.streaming.gate import SessionGate
from ftcli.streaming.mdds_session import MddsSession
from ftcli.streaming.options import POOLS, MddsOptions, headers
from ftcli.streaming.quote import QuoteState
from ftcli.streaming.schedule import STABLE, Schedule
from ftcli.streaming.sockets import Connect, Socket, SocketClosed, SocketRefused, Upgrade, cancel, close
from ftcli.streaming.state import State
from ftcli.streaming.timing import Alarm, Timing, moment
from ftcli.streaming.vitals import Vitals

log = logging.getLogger("ftcli.streaming")

SPACING = 0.05
"""Seconds between two frames sent."""
AUTH_RECHECK = 30.0
"""Seconds between two looks at a session that only a person can renew."""

ENTITLEMENT_CHECK = 5.0
"""Seconds between two looks at whether all quotes are delayed, until something has been done about it."""

LinkState = Literal["none", "connecting", "open", "suspect", "reconnecting", "auth_required", "stopped"]


class Owner(Protocol):
    """Who is told what happens to a link."""

    def link_changed(self, link: "Link", change: StreamState) -> None:
        """The link's state has changed."""

    def link_lost(self, link: "Link", at: float) -> None:
        """The states of the link are stale from now on; called after :meth:`link_changed`."""

    def link_suspect(self, link: "Link", at: float | None) -> None:
        """The link is silent since ``at``, or (``None``) speaks again."""

    def refused(self, error: SymbolError) -> None:
        """The broker refuses a symbol."""


class _Ending:
    """How a connection ended."""

    def __init__(self, reason: str, *, lasted: float | None = None, auth: bool = False) -> None:
        self.reason = reason
        self.lasted = lasted
        """Seconds it was open; ``None``: it never was."""
        self.auth = auth
        """Whether it looks as if the session was not accepted."""


class Link:
    """One connection of one kind of subscription.

    Args:
        kind: What it carries.
        options: How to reach the broker.
        connect: Opens sockets.
        gate: The session behind it.
        schedule: When to reconnect.
        timing: The clocks.
        counters: Where oddities are counted.
        owner: Who is told.
    """

    def __init__(
        self,
        kind: Kind,
        options: MddsOptions,
        connect: Connect,
        gate: SessionGate,
        schedule: Schedule,
        timing: Timing,
        counters: Oddities,
        owner: Owner,
    ) -> None:
        self.kind = kind
        self.pool = POOLS[kind]
        self.states: dict[str, State] = {}
        self.state: LinkState = "none"
        self.since = timing.epoch()
        self.host = ""
        self.last_change: StreamState | None = None
        self.attempt = 0
        self.session: MddsSession | None = None
        self._options = options
        self._connect = connect
        self._gate = gate
        self._schedule = schedule
        self._timing = timing
        self._counters = counters
        self._owner = owner
        self._vitals = Vitals(timing, options.market_open)
        self._wake = Alarm(timing)
        self._resume = Alarm(timing)
        self._task: asyncio.Task[None] | None = None
        self._idle_since: float | None = None
        self._entitled = options.entitle is None
        self._lost_at: float | None = None

    # -- subscribing -----------------------------------------------------------------------------------

    def subscribe(self, states: Iterable[State]) -> None:
        """Carry these symbols from now on; connects where nothing is connected yet."""
        new = list(states)
        self.states.update((state.symbol, state) for state in new)
        self._idle_since = None
        if self.session is not None:
            self.session.subscribe(new)
            self._wake.ring()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name=f"mdds {self.pool}")

    def release(self, symbol: str) -> None:
        """Carry a symbol no longer."""
        if self.states.pop(symbol, None) is None:
            return
        if self.session is not None:
            self.session.release(symbol)
        if not self.states:
            self._idle_since = self._timing.monotonic()
        self._wake.ring()

    def carries(self, symbol: str) -> bool:
        """Whether a released symbol still flows here."""
        return self.session is not None and self.session.carries(symbol)

    def session_renewed(self) -> None:
        """Somebody has logged in: try at once."""
        self._resume.ring()

    async def aclose(self) -> None:
        """Close the socket and end the tasks."""
        await cancel(self._task)
        self._task = None
        self.session = None
        self._change("stopped")

    # -- life ------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        attempt = early = 0
        self._change("connecting")
        while True:
            try:
                ending = await self._connection()
            except Exception:
                # Whatever it is, it must not end the link: its symbols would be silent for ever.
                log.exception("the %s socket failed", self.pool)
                ending = _Ending("internal error")
            if ending.lasted is not None and ending.lasted >= STABLE:
                attempt = 0
            early = early + 1 if ending.lasted is not None and ending.lasted < 1 else 0
            if self.states:
                attempt = await self._back_off(attempt, ending, ending.auth or early >= 2)
            if not self.states:
                self.session = self._lost_at = None
                self._change("none")
                return

    async def _back_off(self, attempt: int, ending: _Ending, suspicious: bool) -> int:
        """Wait for the next attempt and make sure that it makes sense; its number."""
        if self._lost_at is None:
            self._lost_at = self._timing.epoch() if self.session is None else self._vitals.heard()
        checked = attempt == 0
        while True:
            attempt += 1
            self.attempt = attempt
            wait = self._schedule.wait(attempt)
            self._change(
                "reconnecting", attempt=attempt, next_retry_s=wait, since=moment(self._lost_at), stale=True,
                reason=ending.reason,
            )  # fmt: skip
            if self.session is not None:
                self.session = None
                self._owner.link_lost(self, self._lost_at)
            await self._resume.wait(wait)
            if not (checked or suspicious or attempt % 3 == 1):
                return attempt
            verdict = await self._gate.verdict()
            if verdict == "alive" and not (ending.auth and attempt > 1):
                return attempt
            if verdict != "unknown":
                # Expired, or alive by its own account and still refused again: either way new cookies.
                await self._auth_required()
                return attempt
            ending = _Ending("no network")

    async def _auth_required(self) -> None:
        """Wait for a session: asked for once, then looked for now and then."""
        self._change("auth_required")
        if await self._gate.renew():
            return
        while self.states:
            if await self._resume.wait(AUTH_RECHECK):
                self._gate.forget()
            if await self._gate.verdict() == "alive":
                return

    async def _connection(self) -> _Ending:
        """One connection from its opening to its end."""
        try:
            socket = await self._connect(await self._upgrade())
        except SocketRefused as refused:
            return _Ending(refused.reason, auth=refused.status in (401, 403) or 300 <= refused.status < 400)
        except SocketClosed as closed:
            return _Ending(closed.reason)
        self._vitals.start()
        tending = asyncio.create_task(self._tend(socket), name=f"mdds {self.pool} tending")
        opened: float | None = None
        try:
            greeting = read_greeting(await socket.recv())
            if greeting is None or not greeting.session_id:
                return _Ending("connect message missing or bad", auth=greeting is not None)
            self._opened(greeting.session_id, greeting.host)
            opened = self._timing.monotonic()
            await self._read(socket)
        except SocketClosed as closed:
            reason = self._vitals.verdict or closed.reason
            return _Ending(reason, lasted=None if opened is None else self._timing.monotonic() - opened)
        finally:
            await cancel(tending)
            await close(socket)

    async def _upgrade(self) -> Upgrade:
        return Upgrade(
            url=self._options.url,
            headers=await headers(self._options.cookie),
            user_agent=self._options.user_agent,
        )

    def _opened(self, session_id: str, host: str) -> None:
        self._vitals.greeted()
        self.host = host
        self.session = MddsSession(
            session_id,
            self.kind,
            self._owner.refused,
            self._timing,
            self._counters,
            conflation_ms=self._options.conflation_ms,
            chunk=self._options.chunk,
        )
        # The outage ends with the first data: where none come, the next loss is still the same outage.
        lost = self._lost_at
        self._change("open", gap=None if lost is None else self._timing.epoch() - lost)
        self.session.subscribe(self.states.values())
        self._wake.ring()

    async def _read(self, socket: Socket) -> NoReturn:
        """Feed the session until the socket closes: the only reader of this socket."""
        session, vitals, epoch = self.session, self._vitals, self._timing.epoch
        assert session is not None
        while True:
            frame = await socket.recv()
            self._lost_at = None
            if vitals.data_came():
                self._change("open")
                self._owner.link_suspect(self, None)
            session.feed(frame, epoch())

    async def _tend(self, socket: Socket) -> None:
        """Send, ping and watch the clocks until the socket is given up."""
        try:
            while True:
                wait = await self._tend_once(socket)
                if wait is None:
                    socket.abort()
                    return
                await self._wake.wait(wait)
        except SocketClosed:
            return
        except Exception:
            log.exception("tending the %s socket failed", self.pool)
            socket.abort()

    async def _tend_once(self, socket: Socket) -> float | None:
        """Do what is due; seconds until something is again, ``None`` where the socket should go."""
        session, vitals = self.session, self._vitals
        now = self._timing.monotonic()
        if session is not None:
            session.poll()
            frame = session.next_frame()
            if frame is not None:
                await socket.send(frame)
                return SPACING
            if session.useless:
                vitals.verdict = "data nobody asked for"
                return None
        if self._idle_since is not None and now - self._idle_since >= self._options.idle:
            vitals.verdict = "idle"
            return None
        if not self._entitled and self._all_delayed():
            await self._entitle()
            vitals.verdict = "all quotes are delayed"
            return None
        if vitals.ping_due():
            vitals.pinged(await socket.ping())
        if vitals.becomes_suspect(bool(self.states)):
            vitals.pinged(await socket.ping())
            silent_since = vitals.heard()
            self._change("suspect", since=moment(silent_since), stale=True, reason="no data")
            self._owner.link_suspect(self, silent_since)
        if vitals.dead():
            return None
        times = [vitals.next_deadline()]
        if session is not None and (due := session.next_deadline()) is not None:
            times.append(due)
        if not self._entitled:
            times.append(now + ENTITLEMENT_CHECK)
        if self._idle_since is not None:
            times.append(self._idle_since + self._options.idle)
        return max(min(times) - now, 0.01)

    def _all_delayed(self) -> bool:
        """Whether every quote has come, and every one of them delayed (protocol 05 §4.5)."""
        quotes = [state for state in self.states.values() if isinstance(state, QuoteState)]
        return bool(quotes) and all(
            state.has_snapshot and state.text("169") not in (None, "realtime") for state in quotes
        )

    async def _entitle(self) -> None:
        """Ask for real-time quotes once more, then never again: the session may have no right to them."""
        self._entitled = True
        assert self._options.entitle is not None
        try:
            await self._options.entitle()
        except Exception:
            self._counters["failed_entitlements"] += 1

    def _change(
        self,
        state: LinkState,
        *,
        attempt: int | None = None,
        next_retry_s: float | None = None,
        since: datetime | None = None,
        stale: bool = False,
        gap: float | None = None,
        reason: str | None = None,
    ) -> None:
        if state == self.state and state != "reconnecting":
            return
        self.state = state
        self.since = self._timing.epoch()
        if state == "open":
            self.attempt = 0
        self.last_change = StreamState(
            stream="mdds",
            pool=self.pool,
            state=state,
            attempt=attempt,
            next_retry_s=next_retry_s,
            stale_symbols=sum(entry.ever for entry in self.states.values()) if stale else None,
            since=since,
            gap_ms=None if gap is None else round(gap * 1000),
            reason=reason,
        )
        self._owner.link_changed(self, self.last_change)
