"""One socket to BEPS, from its opening to its end (protocol 05 §7.3-7.6)."""

import asyncio
import logging
from collections.abc import Callable

from ftcli.streaming.beps_session import BepsSession
from ftcli.streaming.sockets import Connect, Socket, SocketClosed, SocketRefused, Upgrade, cancel, close
from ftcli.streaming.timing import Alarm, Timing
from ftcli.streaming.vitals import Vitals

log = logging.getLogger("ftcli.streaming")


class Line:
    """A connection in a task of its own.

    Args:
        session: Its protocol side.
        upgrade: What to open it with.
        connect: Opens sockets.
        timing: The clocks.
        changed: Called when it goes live, falls silent or ends.
    """

    def __init__(
        self,
        session: BepsSession,
        upgrade: Upgrade,
        connect: Connect,
        timing: Timing,
        changed: Callable[["Line"], None],
    ) -> None:
        self.session = session
        self.opened_at = timing.monotonic()
        self.reason = ""
        """Why it ended."""
        self.unauthorized = False
        """Whether the token was not accepted."""
        self._upgrade = upgrade
        self._connect = connect
        self._timing = timing
        self._changed = changed
        self._vitals = Vitals(timing, None)
        self._wake = Alarm(timing)
        self._told = (session.phase, session.suspect)
        self._task = asyncio.create_task(self._run(), name="beps")
        self._task.add_done_callback(lambda _: changed(self))

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self._task.done()

    @property
    def live(self) -> bool:
        """Whether events arrive on it."""
        return self.session.phase == "live" and not self.over

    async def finish(self) -> None:
        """End it in good order: stop, wait for the answer, close."""
        if self.session.phase == "opening":
            await self.abandon()
            return
        self.session.stop()
        self._wake.ring()
        if not self.over:
            await asyncio.wait([self._task])

    async def abandon(self) -> None:
        """End it at once."""
        await cancel(self._task)

    async def _run(self) -> None:
        try:
            await self._live()
        except Exception:
            log.exception("the event socket failed")
            self.reason = "internal error"

    async def _live(self) -> None:
        try:
            socket = await self._connect(self._upgrade)
        except SocketClosed as problem:
            self.reason = problem.reason
            self.unauthorized = isinstance(problem, SocketRefused) and problem.status in (400, 401, 403)
            return
        self._vitals.start()
        self._vitals.greeted()
        tending = asyncio.create_task(self._tend(socket), name="beps tending")
        try:
            while self.session.phase != "over":
                self.session.feed(await socket.recv())
                self._tell()
                self._wake.ring()
        except SocketClosed as problem:
            self.reason = problem.reason
        finally:
            await cancel(tending)
            await close(socket)
        self.reason = self.session.reason or self._vitals.verdict or self.reason
        self.unauthorized = self.session.fault == "unauthorized"

    def _tell(self) -> None:
        now = (self.session.phase, self.session.suspect)
        if now != self._told:
            self._told = now
            self._changed(self)

    async def _tend(self, socket: Socket) -> None:
        """Send, ping and watch the clocks until the connection is over."""
        session, vitals = self.session, self._vitals
        try:
            while True:
                session.poll()
                self._tell()
                while (frame := session.next_frame()) is not None:
                    await socket.send(frame)
                if session.phase == "over":
                    # The reader is waiting for a frame that will not come: closing wakes it.
                    await socket.close()
                    return
                if vitals.ping_due():
                    vitals.pinged(await socket.ping())
                if vitals.dead():
                    socket.abort()
                    return
                due = min(session.next_deadline(), vitals.next_deadline())
                await self._wake.wait(max(due - self._timing.monotonic(), 0.01))
        except SocketClosed:
            return
        except Exception:
            log.exception("tending the event socket failed")
            socket.abort()
