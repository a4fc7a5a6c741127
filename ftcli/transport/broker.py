"""The session with the broker: the one object through which every HTTP call passes."""

import asyncio
import random
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from ftcli.clock import Clock, system_clock
from ftcli.config import Settings
from ftcli.errors import AuthRequired, FtError, SessionExpired, ValidationFailed
from ftcli.models.session import SessionState
from ftcli.redaction import Secret
from ftcli.transport import faults
from ftcli.transport.cookies import Jar
from ftcli.transport.hosts import Hosts, find
from ftcli.transport.keeper import CredentialsCall, SessionKeeper, Sleep
from ftcli.transport.line import Line, log
from ftcli.transport.pace import Pace
from ftcli.transport.pulse import SECURITY_CONTEXT
from ftcli.transport.reply import reply_of
from ftcli.transport.retry import Fault, Random, delay_before_repeat, fault_of, parse_retry_after
from ftcli.transport.session import (
    IDLE_LIMIT,
    LoginResult,
    SecurityContext,
    Session,
    SessionStatus,
)
from ftcli.transport.verdict import Verdict, has_delayed_quotes, judge
from ftcli.wire import LastWord, Retry, WireReply, WireRequest

if TYPE_CHECKING:
    import httpx

    from ftcli.credentials.session_store import SessionStore
    from ftcli.transport.http import Answer
    from ftcli.transport.login import StepReport
    from ftcli.transport.reach import Reached

_REPLAYED = frozenset({Retry.READ, Retry.PREVIEW})
"""What may be sent again after a renewal (protocol 00 §4.3, rule 5)."""


class Broker:
    """Speaks to the broker and keeps its session.

    Args:
        settings: Hosts, time limit, app version, automatic re-login.
        clock: Reads the time.
        door: A transport used instead of the network, such as the in-process paper broker.
        store: Where the session is kept between processes; without one it ends with this object.
        credentials: Answers the user's credentials, or ``None``. Called in a thread, only when needed.
        auto_login: Log in by itself on the first call where there is no session (paper).
        sleep: Waits that many seconds.
        chance: Source of jitter, from 0 to 1.
        ticks: A steady clock in seconds, for the pace.

    Raises:
        ValidationFailed: A host override is unusable.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock = system_clock,
        door: "httpx.AsyncBaseTransport | None" = None,
        store: "SessionStore | None" = None,
        credentials: CredentialsCall | None = None,
        auto_login: bool = False,
        sleep: Sleep = asyncio.sleep,
        chance: Random = random.random,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self.hosts = Hosts(settings)
        self._clock = clock
        self._store = store
        self._sleep = sleep
        self._chance = chance
        self._line = Line(settings, self.hosts, door)
        self._pace = Pace(not self._line.is_simulated, sleep=sleep, ticks=ticks)
        self._keeper = SessionKeeper(
            self._line,
            settings,
            self.hosts,
            clock=clock,
            sleep=sleep,
            chance=chance,
            store=store,
            credentials=credentials,
            auto_login=auto_login,
        )

    # Calls

    async def send(self, request: WireRequest, last_word: LastWord | None = None) -> WireReply:
        """Sends a call and answers the broker's reply, once it has passed every check below the document.

        A read that meets an expired session is repeated once after the session was renewed.

        Args:
            request: The call.
            last_word: Asked when session, turn and connection are there, before each time it goes out.

        Raises:
            AuthRequired: Not logged in. TotpRequired: a login waits for its code.
            SessionExpired: The session is over and was not renewed, or the call is of a class that is
                not repeated; the broker did nothing with it.
            RateLimited: The broker throttles; it did nothing with the call.
            UpstreamTimeout: A read or preview got no answer in time.
            LostReply: A call that must not be repeated got no usable answer; ``sent`` says whether it left.
            BrokerError: Anything else; the details carry host, path, status and a redacted excerpt.
        """
        uses_session = find(request.host).cookies
        replayed = asked_for_quotes = False
        while True:
            session = await self._keeper.ensure(request.host) if uses_session else None
            jar = session.jar if session is not None else self._line.new_jar()
            ask = None if last_word is None else partial(last_word, session.id if session else "")
            answer = await self._tries(jar, request, ask)
            verdict = await self._verdict(session, request, answer)
            if session is not None and verdict is Verdict.EXPIRED:
                await self._renew_or_raise(session, request, replayed)
                replayed = True
            elif session is not None and not asked_for_quotes and has_delayed_quotes(request.host, answer):
                asked_for_quotes = True
                await self._keeper.switch_quotes_on(session)
            else:
                return reply_of(
                    request, answer, verdict, partial(self._line.quote_of, jar=jar), self._retry_after(answer)
                )

    async def _tries(self, jar: Jar, request: WireRequest, last_word: Callable[[], None] | None) -> "Answer":
        """Sends the call, and again where its class allows it (protocol 00 §5.5)."""
        from ftcli.transport.http import Failure  # deferred: the module loads httpx

        tries = 0
        while True:
            tries += 1
            answer, problem, status, retry_after = None, None, 0, None
            try:
                async with self._pace.turn():
                    answer = await self._line.exchange(jar, request, last_word)
            except Failure as failure:
                fault = Fault.NETWORK
                problem = faults.no_answer(request, failure.kind, failure.sent, failure.reason)
            else:
                trouble = fault_of(answer.status)
                if trouble is None or judge(request.host, answer) is Verdict.SUSPECT:
                    return answer
                if trouble is Fault.THROTTLED:
                    self._pace.slow_down()
                status, fault, retry_after = answer.status, trouble, self._retry_after(answer)
            delay = delay_before_repeat(
                request.retry, fault, tries, status=status, retry_after=retry_after, chance=self._chance
            )
            if delay is None:
                if answer is None:
                    assert problem is not None
                    raise problem
                return answer
            log.debug("%s %s: try %d in %.1f s", request.method, request.host, tries + 1, delay)
            await self._sleep(delay)

    async def _verdict(self, session: Session | None, request: WireRequest, answer: "Answer") -> Verdict:
        """The verdict, once the keep-alive has told whether a doubtful answer means expiry."""
        verdict = judge(request.host, answer)
        if session is None or verdict not in (Verdict.SUSPECT, Verdict.PAGE):
            return verdict
        if verdict is Verdict.PAGE and request.retry is Retry.NEVER:
            return verdict  # nobody knows what stands behind that page: the caller has to look
        try:
            if not await self._keeper.probe(session):
                return Verdict.EXPIRED
        except FtError as trouble:
            log.debug("the keep-alive gave no verdict: %s", trouble.code)
        if verdict is Verdict.PAGE:
            return verdict
        if answer.status == 200:
            return Verdict.FINE  # an error of the call's own, which its reader tells
        return Verdict.SERVER if answer.status >= 500 else Verdict.REFUSED

    async def _renew_or_raise(self, session: Session, request: WireRequest, replayed: bool) -> None:
        self._keeper.expire(session)
        if request.retry in _REPLAYED and not replayed:
            await self._keeper.renew(session)
            return
        await self._keeper.bury(session)
        what = "The new session ended at once." if replayed else "The call was refused and not repeated."
        # What must not be repeated is the caller's to judge: a gateway may say 401 after the call went through.
        advice = "" if request.retry is Retry.NEVER else " Try again."
        raise SessionExpired(
            f"The session has expired. {what}{advice}",
            details={"host": request.host, "reason": "expired", "next": "ft auth login"},
        )

    def _retry_after(self, answer: "Answer") -> float | None:
        return parse_retry_after(answer.header("retry-after"), self._clock())

    # The session

    async def login(
        self, username: str | None = None, password: Secret | None = None, totp: Secret | None = None
    ) -> LoginResult:
        """Logs in, exactly once (protocol 00 §3). What is not given is taken from the stored credentials.

        Args:
            username: User name at the broker.
            password: Password.
            totp: Second factor: six digits, or the base32 secret of the authenticator app.

        Raises:
            ValidationFailed: Something is missing, or ``totp`` is neither; nothing was sent.
            TotpRequired: The broker wants a code: :meth:`answer_totp` takes it within two minutes.
            AuthRequired: The broker refused; ``details["step"]`` names the step.
            RateLimited: The broker throttles logins.
            BrokerError: Trouble at the broker or on the way; ``details["step"]`` names the step.
        """
        return await self._keeper.login(username or "", password, totp)

    async def answer_totp(self, code: Secret) -> LoginResult:
        """Gives the code to the login that waits for it.

        Args:
            code: Six digits, or the base32 secret.

        Raises:
            ValidationFailed: It is neither, or was sent before.
            AuthRequired: No login is waiting any more, or the broker refused the code: log in again.
            BrokerError: Trouble at the broker or on the way.
        """
        return await self._keeper.answer_totp(code)

    async def logout(self) -> bool:
        """Ends the session at the broker and forgets it here, whatever comes back (protocol 00 §3.10).

        Returns:
            Whether the broker confirmed it (or there was nothing to end).
        """
        return await self._keeper.logout()

    async def keep_alive(self) -> bool:
        """Asks the broker whether the session is alive; if so, it lives on (protocol 00 §4.1).

        Returns:
            ``False`` where there is no session or it is over; nothing is renewed here.

        Raises:
            BrokerError: No verdict: the network or the broker is in trouble.
            RateLimited: No verdict: the broker throttles.
        """
        await self._keeper.notice_others()
        session = self._keeper.session
        if session is None:
            return False
        alive = await self._keeper.probe(session)
        if not alive:
            await self._keeper.bury(session)
        return alive

    async def renew(self) -> None:
        """Renews an expired session by the stored credentials, if the rules allow it (protocol 00 §4.3).

        Raises:
            AuthRequired: There is no session to renew.
            SessionExpired: It could not be renewed; the details say why.
        """
        await self._keeper.ensure("digital")

    async def security_context(self) -> SecurityContext:
        """Asks for the entitlements, which also switches real-time quotes on (protocol 00 §3.7).

        Raises:
            BrokerError: The broker did not give it.
            AuthRequired: Not logged in.
        """
        reply = await self.send(SECURITY_CONTEXT)
        context = SecurityContext.parse(reply.document)
        if context is None:
            excerpt = self._line.quote_of(reply.body, self._line.new_jar())
            raise faults.refused(SECURITY_CONTEXT, reply.status, excerpt)
        if self._keeper.session is not None:
            self._keeper.session.take(context)
        return context

    async def ready(self, host_key: str = "dp") -> None:
        """Makes sure that there is a live session fit for a host; streams call this before they connect.

        Raises:
            AuthRequired: There is none and none may be opened.
            SessionExpired: It is over and could not be renewed.
        """
        session = await self._keeper.ensure(host_key)
        if find(host_key).is_stream and not session.context_is_set:
            await self._keeper.switch_quotes_on(session)

    async def status(self, *, offline: bool = False) -> SessionStatus:
        """Where the session stands. Never logs in and never renews.

        Args:
            offline: Answer from what is known here, without asking the broker.
        """
        await self._keeper.notice_others()
        note = ""
        if not offline and self._keeper.session is not None:
            try:
                await self.keep_alive()
            except FtError as trouble:
                note = trouble.message
        state, session = self._keeper.state, self._keeper.latest
        if session is None:
            return SessionStatus(state=state, note=note or self._keeper.note)
        is_live = state is SessionState.AUTHENTICATED
        if is_live and not note and self._clock() - session.last_keep_alive > IDLE_LIMIT:
            note = "The broker has not confirmed it for more than half an hour: it has probably ended."
        return SessionStatus(
            state=state,
            username=session.username,
            last_keep_alive=session.last_keep_alive,
            expires_estimate=session.last_keep_alive + IDLE_LIMIT if is_live else None,
            real_time_quotes=session.real_time_quotes,
            member_id=session.member_id,
            note=note,
        )

    def cookie_header(self, host_key: str) -> str:
        """The ``Cookie`` header for a WebSocket upgrade. Ask anew for every connection.

        Raises:
            AuthRequired: There is no session; :meth:`ready` gets one.
            ValidationFailed: There is no such host.
        """
        host = find(host_key)
        session = self._keeper.session
        if session is None:
            raise AuthRequired("Not logged in. Log in: ft auth login", details={"next": "ft auth login"})
        if not host.cookies:
            raise ValidationFailed.of("hosts", host_key, "be a host that takes the session's cookies")
        if host_key in ("mdds", "mddsinit"):
            return session.jar.header_of_all()
        return session.jar.header(f"{self.hosts.canonical(host_key)}{host.tail or '/'}")

    @property
    def session_id(self) -> str:
        """The session's name in every process that shares it: a confirmation number is good within it only."""
        session = self._keeper.session
        return session.id if session is not None else ""

    @property
    def shares_session(self) -> bool:
        """Whether the session is kept for other processes; else each has its own, on the paper broker inside it."""
        return self._store is not None

    @property
    def state(self) -> SessionState:
        """Where the session stands, as far as is known without asking."""
        return self._keeper.state

    def on_session_change(self, callback: Callable[[SessionState], None]) -> Callable[[], None]:
        """Calls back with the new state whenever a session begins, changes or ends: streams then reconnect.

        Returns:
            Call it to stop being called.
        """
        return self._keeper.listen(callback)

    async def look_at_login_page(self) -> float | None:
        """Asks for the login page and nothing else; answers :attr:`clock_ahead`.

        Raises:
            BrokerError: The broker does not answer.
        """
        await self._keeper.handshake.look_at_page()
        return self.clock_ahead

    async def reach(self, time_limit: float, elsewhere: dict[str, str]) -> "list[Reached]":
        """Connects to every host, streams too, and asks nothing; none where the broker is inside this process.

        See :func:`ftcli.transport.reach.reach`.
        """
        from ftcli.transport.reach import reach  # deferred: only ft doctor wants it

        return [] if self._line.is_inside else await reach(self.hosts, time_limit, elsewhere)

    def watch_login(self, watch: "Callable[[StepReport], None] | None") -> None:
        """Tells how each step of the logins to come goes: its name, time and outcome."""
        self._keeper.handshake.watch = watch

    @property
    def clock_ahead(self) -> float | None:
        """Seconds that this machine's clock is ahead of the broker's; known once a login has spoken to it."""
        return self._keeper.handshake.clock_ahead

    async def allow_automatic_login(self) -> None:
        """The user changed the credentials: automatic logins, off since a refusal, are on again."""
        await asyncio.to_thread(self._keeper.automatic.enable)

    async def aclose(self) -> None:
        """Saves what is new and closes the connections. The session at the broker lives on."""
        await self._keeper.aclose()
        await self._line.aclose()

    async def __aenter__(self) -> "Broker":
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()
