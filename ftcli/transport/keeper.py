"""Keeps the session: opens, restores, proves, renews and ends it. One login at a time, whoever asks."""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from ftcli.clock import Clock
from ftcli.config import Settings
from ftcli.credentials.pending_store import PendingStore
from ftcli.errors import AuthRequired, FtError, SessionExpired, TotpRequired, ValidationFailed
from ftcli.models.session import SessionState
from ftcli.redaction import Secret
from ftcli.transport.auto_login import AutoLogins
from ftcli.transport.cookies import SESSION_COOKIES
from ftcli.transport.hosts import Hosts
from ftcli.transport.line import Line, log
from ftcli.transport.login import CLEAR_SESSION, Handshake
from ftcli.transport.pulse import keep_alive, switch_quotes_on
from ftcli.transport.retry import Random
from ftcli.transport.session import LoginResult, Session
from ftcli.transport.shared_session import SharedSession
from ftcli.transport.sign_in import SignIn
from ftcli.transport.single_flight import SingleFlight
from ftcli.transport.totp import Factor

if TYPE_CHECKING:
    from ftcli.credentials.credentials import Credentials
    from ftcli.credentials.session_store import SessionStore

CredentialsCall = Callable[[], "Credentials | None"]
Sleep = Callable[[float], Awaitable[None]]

PROVE_AFTER = timedelta(minutes=6)
"""A session not confirmed for this long is asked about before it is used: the call that asks also keeps it
alive, and an order then meets no surprise. Longer than the keep-alive interval."""

_CONTEXT_TRIES = 2
_LOGIN = "ft auth login"


class SessionKeeper:
    """Owns the session of one :class:`~ftcli.transport.broker.Broker`; see there for the parameters.

    Attributes:
        session: The live session, if there is one.
        automatic: The brake on automatic logins.
        handshake: The login's steps, for those who watch them.
    """

    def __init__(
        self,
        line: Line,
        settings: Settings,
        hosts: Hosts,
        *,
        clock: Clock,
        sleep: Sleep,
        chance: Random = random.random,
        store: "SessionStore | None",
        credentials: CredentialsCall | None,
        auto_login: bool,
    ) -> None:
        self.session: Session | None = None
        self.automatic = AutoLogins(store.counted if store is not None else None, clock)
        self._line = line
        self._clock = clock
        self._credentials = credentials
        self._auto_reauth = settings.auto_reauth
        self._auto_login = auto_login
        self.handshake = Handshake(line, settings.app_version, clock=clock, sleep=sleep, chance=chance)
        waiting = None
        if store is not None:
            waiting = PendingStore(store.path.with_name(f"{store.path.name}.pending"), store.keys)
        self._sign_in = SignIn(line, self.handshake, self.automatic, clock, waiting, hosts.overrides)
        self._shared = SharedSession(store, settings, hosts)
        self._lock = asyncio.Lock()
        self._probing = SingleFlight[bool]()
        self._obtaining = SingleFlight[Session]()
        self._over: Session | None = None  # the session that expired
        self._listeners: list[Callable[[SessionState], None]] = []

    @property
    def state(self) -> SessionState:
        """Where the session stands, as far as is known without asking the broker."""
        if self._sign_in.is_pending:
            return SessionState.TOTP_PENDING
        if self.session is not None:
            return SessionState.AUTHENTICATED
        return SessionState.EXPIRED if self._over is not None else SessionState.DISCONNECTED

    @property
    def latest(self) -> Session | None:
        """The live session, else the one that expired."""
        return self.session or self._over

    @property
    def note(self) -> str:
        """Why there is no saved session to use."""
        return self._shared.reason if self.latest is None else ""

    def listen(self, callback: Callable[[SessionState], None]) -> Callable[[], None]:
        """Calls back on every change of the session; answers how to stop that."""
        self._listeners.append(callback)
        return lambda: self._listeners.remove(callback)

    # Having a session

    async def ensure(self, host: str) -> Session:
        """A session fit for a call to ``host``: present, lately confirmed, with quotes switched on.

        Raises:
            AuthRequired: There is none and none may be opened.
            SessionExpired: It is over and could not be renewed.
        """
        await self.notice_others()
        session = self.session or await self._obtaining.run("", self._obtain)
        if self._clock() - session.last_keep_alive > PROVE_AFTER and not await self._seems_alive(session):
            self.expire(session)
            session = await self.renew(session)
        if host == "fastquote" and not session.context_is_set and session.context_tries < _CONTEXT_TRIES:
            await self.switch_quotes_on(session)
        return session

    async def notice_others(self) -> None:
        """Takes over what another process did to the shared session since we last looked."""
        if self._shared.changed():
            async with self._lock:
                if self._shared.changed():
                    await self._reload()

    async def probe(self, session: Session) -> bool:
        """Whether the session is alive, by a keep-alive. Callers at the same time share one call.

        Raises:
            BrokerError: The broker gave no verdict: network or server trouble.
            RateLimited: The same, because it throttles.
        """
        alive = await self._probing.run(session.id, lambda: keep_alive(self._line, session, self._clock))
        if alive:
            await self._shared.save_if_ours(session)
        return alive

    async def switch_quotes_on(self, session: Session) -> bool:
        """Asks for the security context; answers whether the broker gave it."""
        return await switch_quotes_on(self._line, session)

    async def _seems_alive(self, session: Session) -> bool:
        """Like :meth:`probe`; without a verdict the call itself will show it."""
        try:
            return await self.probe(session)
        except FtError as trouble:
            log.debug("the keep-alive gave no verdict: %s", trouble.code)
            return True

    async def _obtain(self) -> Session:
        async with self._lock:
            if self.session is not None:
                return self.session
            if self._sign_in.is_pending:
                raise TotpRequired(
                    "A login waits for the code of its second factor: ft auth approve --code CODE",
                    details={"next": "ft auth approve --code CODE"},
                )
            if self._over is not None:
                return await self._renew(self._over)
            credentials = await self._given() if self._auto_login else None
            if credentials is None:
                raise AuthRequired(
                    f"Not logged in. Log in with `{_LOGIN}`, or try it without an account: `ft --paper ...`",
                    details={"next": _LOGIN},
                )
            return await self._open_by_itself(credentials)

    async def _open_by_itself(self, credentials: "Credentials") -> Session:
        """The first login of an environment that logs in by itself (paper)."""
        off = self.automatic.why_off(credentials.username)
        if off:
            raise AuthRequired(f"Automatic login is off: {off}", details={"next": _LOGIN})
        factor = self._sign_in.factor_of(credentials.totp)
        async with self._shared.lock():
            if self._shared.changed():
                await self._reload()
            if self.session is None:
                try:
                    username, password = credentials.username, credentials.password
                    await self._open(await self._sign_in.start(username, password, factor))
                except AuthRequired as refusal:
                    if not isinstance(refusal, TotpRequired):
                        await self._switch_off(credentials, refusal.message)
                    raise
        return self._live()

    # Expiry and renewal

    def expire(self, session: Session) -> None:
        """Declares a session over, unless another one has taken its place already."""
        if self.session is session:
            self.session, self._over = None, session
            self._tell()

    async def bury(self, session: Session) -> None:
        """Declares a session over for the other processes too: nobody is going to renew it now."""
        self.expire(session)
        if self._over is session:
            await self._shared.save_if_ours(session, expired=True)

    async def renew(self, over: Session) -> Session:
        """The session that replaces an expired one. Many callers, one login, one outcome.

        Raises:
            SessionExpired: It could not be renewed; the details say why.
        """

        async def run() -> Session:
            async with self._lock:
                if self.session is not None and self.session is not over:
                    return self.session
                return await self._renew(over)

        return await self._obtaining.run(over.id, run)

    async def _renew(self, over: Session) -> Session:
        async with self._shared.lock():
            if not await self._adopt_newer():
                try:
                    await self._log_in_again(over)
                except SessionExpired:
                    await self._shared.save_if_changed(over, expired=True)
                    raise
        return self._live()

    async def _log_in_again(self, over: Session) -> None:
        credentials, factor = await self._renewal_credentials(over)
        await asyncio.to_thread(self.automatic.claim, credentials.username)
        try:
            await self._open(await self._sign_in.start(credentials.username, credentials.password, factor))
        except AuthRequired as refusal:
            self._sign_in.forget()
            await self._switch_off(credentials, f"the broker refused it ({refusal.message})")
            raise _not_renewed(refusal.message) from refusal
        except FtError as trouble:
            raise _not_renewed(trouble.message, trouble.retry_after) from trouble

    async def _switch_off(self, credentials: "Credentials", reason: str) -> None:
        await asyncio.to_thread(self.automatic.disable, credentials.username, reason)

    async def _renewal_credentials(self, over: Session) -> "tuple[Credentials, Factor | None]":
        if not self._auto_reauth:
            raise _not_renewed("automatic login is switched off (auto_reauth)")
        credentials = await self._given()
        if credentials is None:
            raise _not_renewed("no complete credentials are stored")
        if credentials.username.lower() != over.username.lower():
            # Renewing must never lead into somebody else's accounts.
            raise _not_renewed("the stored credentials belong to another user than the session did")
        try:
            factor = self._sign_in.factor_of(credentials.totp)
        except ValidationFailed as wrong:
            raise _not_renewed(wrong.message) from wrong
        if factor is not None and factor.is_code:
            factor = None  # a code works once: only a secret can make another one
        if over.second_factor and factor is None:
            raise _not_renewed("the login needs a second factor, and its secret is not stored")
        return credentials, factor

    async def _adopt_newer(self) -> bool:
        """Whether another process has renewed the session: then its cookies are ours now."""
        if not self._shared.changed():
            return False
        await self._reload()
        session = self.session
        if session is None:
            return False
        # The shared lock is held: the login that follows, or the next keep-alive, saves.
        with contextlib.suppress(FtError):
            if await keep_alive(self._line, session, self._clock):
                return True
        self.expire(session)
        return False

    async def _given(self) -> "Credentials | None":
        # In a thread: a keyring may take its time.
        return await asyncio.to_thread(self._credentials) if self._credentials is not None else None

    async def _reload(self) -> None:
        old = self.session
        saved = await self._shared.load()
        if saved is None:
            if self._shared.is_gone:
                self.session = self._over = None  # logged out elsewhere
        elif not saved.expired:
            session = Session.restored(saved, shared_cookies=self._line.shares_cookies)
            if old is not None and old.id == saved.id:
                old.jar, old.last_keep_alive = session.jar, max(old.last_keep_alive, saved.last_keep_alive)
            else:
                self._install(session)
        elif old is None or old.id == saved.id:
            self.session = None
            self._over = Session.restored(saved, shared_cookies=self._line.shares_cookies)
        if old is not self.session:
            self._tell()

    # Logging in and out

    async def login(self, username: str, password: Secret | None, totp: Secret | None) -> LoginResult:
        """See :meth:`ftcli.transport.broker.Broker.login`."""
        given = None if username and password and totp else await self._given()
        if given is not None and username.lower() in ("", given.username.lower()):
            username, password, totp = given.username, password or given.password, totp or given.totp
        if not username or not password:
            missing = "password" if username else "username"
            raise ValidationFailed.of(missing, None, "be given, or be stored with `ft auth credentials set`")
        factor = self._sign_in.factor_of(totp)
        async with self._lock, self._shared.lock():
            try:
                return await self._open(await self._sign_in.start(username, password, factor))
            except TotpRequired:
                self._tell()
                raise

    async def answer_totp(self, code: Secret) -> LoginResult:
        """See :meth:`ftcli.transport.broker.Broker.answer_totp`."""
        factor = self._sign_in.factor_of(code)
        if factor is None:
            raise ValidationFailed.of("totp", None, "be six digits")
        async with self._lock, self._shared.lock():
            return await self._open(await self._sign_in.answer(factor))

    async def logout(self) -> bool:
        """See :meth:`ftcli.transport.broker.Broker.logout`."""
        from ftcli.transport.http import Failure

        async with self._lock, self._shared.lock():
            if self._shared.changed():
                await self._reload()
            unread = self.latest is None and self._shared.is_there
            session, self.session, self._over = self.session, None, None
            self._sign_in.forget()
            try:
                if session is None:
                    return not unread  # a session that cannot be opened here lives on at the broker
                return (await self._line.exchange(session.jar, CLEAR_SESSION)).status < 400
            except Failure:
                return False
            finally:
                await self._shared.delete()
                self._tell()

    async def _open(self, session: Session) -> LoginResult:
        """Makes the session of a login that succeeded the present one."""
        warnings = await self._verified(session)
        self._install(session)
        await asyncio.to_thread(self.automatic.enable, session.username)
        if not await self.switch_quotes_on(session):
            warnings.append("The broker did not confirm real-time quotes; quotes may be delayed.")
        warnings += await self._shared.save(session)
        self._tell()
        return LoginResult(
            username=session.username,
            real_time_quotes=session.real_time_quotes,
            member_id=session.member_id,
            warnings=tuple(warnings),
        )

    async def _verified(self, session: Session) -> list[str]:
        """Odd but possible: the login succeeded and left none of the known cookies (protocol 00 §3.9)."""
        if SESSION_COOKIES & session.jar.names():
            return []
        if not await keep_alive(self._line, session, self._clock):
            raise AuthRequired(
                "The broker accepted the login but opened no session. Log in once with the official app.",
                details={"step": "open_session"},
            )
        return ["The login left none of the known session cookies; it seems to work all the same."]

    def _install(self, session: Session) -> None:
        self.session, self._over = session, None

    def _live(self) -> Session:
        assert self.session is not None
        return self.session

    def _tell(self) -> None:
        for callback in tuple(self._listeners):
            callback(self.state)

    async def aclose(self) -> None:
        """Stops what is under way and saves refreshed cookies."""
        await self._probing.stop()
        await self._obtaining.stop()
        if self.session is not None:
            await self._shared.save_if_ours(self.session)


def _not_renewed(reason: str, retry_after: float | None = None) -> SessionExpired:
    return SessionExpired(
        f"The session has expired and was not renewed: {reason.rstrip('.')}. Log in: {_LOGIN}",
        details={"reason": reason, "next": _LOGIN},
        retry_after=retry_after,
    )
