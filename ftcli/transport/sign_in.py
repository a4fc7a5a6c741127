"""A login from the user's point of view: credentials in, session cookies out, with the pause for a code."""

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from ftcli.clock import Clock
from ftcli.credentials.pending_store import SavedLogin
from ftcli.errors import AuthRequired, FtError, TotpRequired, ValidationFailed
from ftcli.redaction import Secret
from ftcli.transport.auto_login import AutoLogins
from ftcli.transport.cookies import Jar
from ftcli.transport.line import Line, log
from ftcli.transport.login import OK, Handshake
from ftcli.transport.session import PENDING_LIMIT, Session
from ftcli.transport.totp import Factor, FreshCode, parse_factor

if TYPE_CHECKING:
    from ftcli.credentials.pending_store import PendingStore


class _Pending(NamedTuple):
    """A login that waits for the code of its second factor."""

    jar: Jar
    username: str
    until: datetime


class SignIn:
    """Carries a login through, whether the code comes with it or later.

    Args:
        line: Speaks to the hosts.
        handshake: The steps.
        automatic: Counts passwords and codes, and remembers which code was sent last.
        clock: Reads the time.
        waiting: Where a login waits for its code, for other processes to give it; ``None`` keeps it to this one.
        hosts: Host overrides in force.
    """

    def __init__(
        self,
        line: Line,
        handshake: Handshake,
        automatic: AutoLogins,
        clock: Clock,
        waiting: "PendingStore | None" = None,
        hosts: dict[str, str] | None = None,
    ) -> None:
        self._line = line
        self._handshake = handshake
        self._automatic = automatic
        self._clock = clock
        self._waiting = waiting
        self._hosts = hosts or {}
        self._pending: _Pending | None = None
        self._shared = False  # whether the pending login is on disk, where another process may take it

    @property
    def is_pending(self) -> bool:
        """Whether a login waits for its code, in this process or in another one."""
        if self._waiting is not None and (self._shared or self._pending is None):
            until = self._waiting.until()
            return until is not None and self._clock() < until
        return self._pending is not None and self._clock() < self._pending.until

    def forget(self) -> None:
        """Drops a login that waits for its code."""
        self._pending, self._shared = None, False
        if self._waiting is not None:
            self._waiting.delete()

    async def _take_pending(self) -> "_Pending | None":
        """The login that waits, wherever it began; nobody else gets it."""
        pending = None if self._shared else self._pending
        if pending is None and self._waiting is not None:
            saved = await asyncio.to_thread(self._waiting.load)
            if saved is not None and saved.hosts == self._hosts:
                jar = Jar(saved.cookies, shared=self._line.shares_cookies)
                pending = _Pending(jar, saved.username, saved.until)
        self.forget()
        return pending

    async def _keep_pending(self, pending: "_Pending") -> None:
        self._pending = pending
        if self._waiting is None:
            return
        saved = SavedLogin(
            username=pending.username, until=pending.until, hosts=self._hosts, cookies=pending.jar.dump()
        )
        try:
            await asyncio.to_thread(self._waiting.save, saved)
        except (OSError, FtError) as problem:
            log.debug("the pending login stays in this process: %s", type(problem).__name__)
        else:
            self._shared = True

    def factor_of(self, given: Secret | None) -> Factor | None:
        """The second factor, checked before anything is sent.

        Raises:
            ValidationFailed: It is neither code nor secret, or a code that was sent before.
        """
        if not given:
            return None
        factor = parse_factor(given)
        if factor.is_code and self._automatic.was_typed(factor.text):
            rule = "be a fresh code: this one was used already, wait for the next"
            raise ValidationFailed(
                f"totp: must {rule}.", details={"field": "totp", "value": None, "rule": rule}
            )
        return factor

    async def start(self, username: str, password: Secret, factor: Factor | None) -> Session:
        """Logs in.

        Raises:
            TotpRequired: A code is wanted and none was given; :meth:`answer` takes it within two minutes.
            AuthRequired: The broker refused.
            BrokerError: Trouble at the broker or on the way.
        """
        self.forget()
        await asyncio.to_thread(self._automatic.check_attempts, username)
        jar = self._line.new_jar()
        opened = await self._handshake.begin(
            jar,
            username,
            password,
            lambda: asyncio.to_thread(self._automatic.note_attempt, username, "password"),
        )
        await asyncio.to_thread(self._automatic.accept, username, "password")
        if opened.code == OK:
            return Session(jar, username, self._clock, second_factor=False)
        pending = _Pending(jar, username, self._clock() + PENDING_LIMIT)
        if factor is not None:
            return await self._finish(pending, factor)
        await self._keep_pending(pending)
        raise TotpRequired(
            "The broker asks for the code of your authenticator app. Give it within two minutes, from any "
            "terminal: ft auth approve --code CODE",
            details={"step": "totp", "factors": list(opened.factors), "next": "ft auth approve --code CODE"},
        )

    async def answer(self, factor: Factor) -> Session:
        """Gives the code to the login that waits for it. Whatever comes of it, that login is used up.

        Raises:
            AuthRequired: No login waits any more, or the broker refused the code.
            BrokerError: Trouble at the broker or on the way.
        """
        pending = await self._take_pending()
        if pending is None or self._clock() >= pending.until:
            raise AuthRequired(
                "No login is waiting for a code (it waits two minutes). Start again: ft auth login",
                details={"next": "ft auth login"},
            )
        return await self._finish(pending, factor)

    async def _finish(self, pending: _Pending, factor: Factor) -> Session:
        counts, username = self._automatic, pending.username

        def may_leave(fresh: FreshCode) -> bool:
            if fresh.step is not None and not counts.take_step(username, fresh.step):
                return False
            counts.note_attempt(username, "code")
            if fresh.step is None:
                counts.note_typed(fresh.code)
            return True

        async def sending(fresh: FreshCode) -> bool:
            return await asyncio.to_thread(may_leave, fresh)

        await asyncio.to_thread(counts.check_attempts, username)
        await self._handshake.answer_factor(pending.jar, factor, lambda: counts.last_step(username), sending)
        await asyncio.to_thread(counts.accept, username, "code")
        return Session(pending.jar, pending.username, self._clock, second_factor=True)
