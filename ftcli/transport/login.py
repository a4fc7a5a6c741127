"""The login handshake, step by step (protocol 00 §3). One attempt, one empty jar, strictly in order."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import msgspec

from ftcli.clock import Clock
from ftcli.errors import AuthRequired, BrokerError, CallRefused, FtError, LostReply, NotSent, RateLimited
from ftcli.redaction import Secret, redact
from ftcli.transport.cookies import Jar
from ftcli.transport.decode import UnreadableBody, decode, is_html
from ftcli.transport.headers import login_headers
from ftcli.transport.hosts import DIGITAL
from ftcli.transport.line import Line, log
from ftcli.transport.retry import DELAYS, Random, jittered, parse_date, parse_retry_after
from ftcli.transport.totp import Factor, FreshCode, fresh_code
from ftcli.wire import Retry, WireRequest

if TYPE_CHECKING:
    from ftcli.transport.http import Answer

OK, FACTOR_WANTED = 1200, 1201
CLOCK_TOLERANCE = 15.0
"""Seconds of difference that neither spoil a code nor are worth a word."""
_TRIES = 3
_SEE_APP = "Log in once with the official app to see what it asks for."


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """What a reply of ``auth`` says (protocol 00 §3.2).

    Attributes:
        code: The status code inside the body; it decides, not the HTTP status.
        message: Text for the user.
        factors: Names found in ``authenticators`` and ``callbacks``.
    """

    code: int
    message: str = ""
    factors: tuple[str, ...] = ()


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One call of the handshake.

    Attributes:
        name: The name in error details.
        request: The call.
        decides: Whether its answer matters; otherwise only a blocked page stops the login.
        repeatable: Whether a network fault may be answered by another try (steps 1 to 4).
    """

    name: str
    request: WireRequest
    decides: bool = False
    repeatable: bool = False


def _auth(
    method: str, path: str, body: Any, retry: Retry, headers: dict[str, str] | None = None
) -> WireRequest:
    return WireRequest(host="auth", method=method, path=path, body=body, headers=headers or {}, retry=retry)


_REMEMBER = "/user/identity/remember/username"
CLEAR_SESSION = _auth("DELETE", "/user/session/login", {}, Retry.WRITE, {"Accept-Token-Type": "FAC"})
_REMEMBERED_USER = _auth("GET", _REMEMBER, None, Retry.READ)
_SELECT_USER = _auth("POST", f"{_REMEMBER}/1", {}, Retry.READ)
_REMEMBER_USER = _auth("PUT", _REMEMBER, {}, Retry.READ)
_OPEN_SESSION = _auth(
    "POST", "/user/session/login", {}, Retry.NEVER, {"eventtype": "LOGIN", "sub_eventtype": "rt_login"}
)


class StepReport(msgspec.Struct, frozen=True, kw_only=True):
    """How one step of a login went.

    Attributes:
        name: Its name, as in error details.
        seconds: How long it took.
        ok: Whether the login went on.
        outcome: HTTP status and the broker's code, or the error's code.
    """

    name: str
    seconds: float
    ok: bool
    outcome: str


class Handshake:
    """Carries out logins. Keeps nothing between them but the way to the broker and what its clock showed.

    Attributes:
        watch: Told how each step went.
        clock_ahead: Seconds that this machine's clock is ahead of the broker's, as its latest answer showed;
            negative if it is behind, ``None`` if not known.

    Args:
        line: Speaks to the hosts.
        app_version: Version of the desktop app, for the login page's headers.
        clock: Reads the time.
        sleep: Waits that many seconds.
        chance: Source of the jitter.
    """

    def __init__(
        self,
        line: Line,
        app_version: str,
        *,
        clock: Clock,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        chance: Random = random.random,
    ) -> None:
        self.watch: Callable[[StepReport], None] | None = None
        self.clock_ahead: float | None = None
        self._line = line
        self._clock = clock
        self._sleep = sleep
        self._chance = chance
        self._login_page = WireRequest(
            host="digital",
            method="GET",
            path="/prgw/digital/login/atp",
            query={"exp": "new", "AuthRedUrl": f"{DIGITAL}/ftgw/digital/portfolio/extendsession"},
            headers=login_headers(app_version),
        )

    async def begin(
        self, jar: Jar, username: str, password: Secret, sending: Callable[[], Awaitable[None]]
    ) -> Envelope:
        """Steps 1 to 7: from the login page to the request for a session.

        Args:
            jar: An empty jar; it holds the session afterwards. Throw it away if this raises.
            username: User name.
            password: Password; sent once.
            sending: Told just before the password leaves; what it raises stops the login.

        Returns:
            The answer of step 7: session created (1200), or second factor wanted (1201).

        Raises:
            AuthRequired: The broker refused user name, password or session.
            RateLimited: The broker throttles.
            BrokerError: Trouble at the broker or on the way; ``details["step"]`` names the step.
        """
        for name, request in (
            ("login_page", self._login_page),
            ("clear_session", CLEAR_SESSION),
            ("remembered_user", _REMEMBERED_USER),
            ("select_user", _SELECT_USER),
        ):
            await self._take(jar, Step(name=name, request=request, repeatable=True))
        body = {"username": username, "password": password.reveal()}
        request = _auth("POST", "/user/factor/password/authentication", body, Retry.NEVER)
        step = Step(name="password", request=request, decides=True)
        await sending()
        answer = await self._take(jar, step, password.reveal())
        if answer.code != OK:
            raise _refused(step, answer, "Check user name and password; repeated attempts lock the account.")
        await self._take(jar, Step(name="remember_user", request=_REMEMBER_USER))
        step = Step(name="open_session", request=_OPEN_SESSION, decides=True)
        opened = await self._take(jar, step)
        if opened.code not in (OK, FACTOR_WANTED):
            raise _refused(step, opened, _SEE_APP)
        return opened

    async def look_at_page(self) -> None:
        """Step 1 alone, with a jar that is thrown away: whether the broker answers, and what its clock says.

        Raises:
            BrokerError: It does not.
        """
        await self._take(self._line.new_jar(), Step(name="login_page", request=self._login_page))

    async def answer_factor(
        self,
        jar: Jar,
        factor: Factor,
        last_step: Callable[[], int],
        sending: Callable[[FreshCode], Awaitable[bool]],
    ) -> None:
        """Steps 7a and 7b: sends the code of the second factor and asks for the session again.

        Args:
            jar: The jar of :meth:`begin`. Throw it away if this raises.
            factor: Code or secret.
            last_step: Tells the step whose code was sent last.
            sending: Told just before a code leaves, so that it is never sent again. ``False``: another login has sent
                it meanwhile, so the next one is taken.

        Raises:
            AuthRequired: The code was refused, or the broker wants yet another factor.
            RateLimited: The broker throttles.
            BrokerError: Trouble at the broker or on the way.
        """
        fresh = await fresh_code(factor, last_step(), self._clock, self._sleep)
        while not await sending(fresh):
            fresh = await fresh_code(factor, last_step(), self._clock, self._sleep)
        request = _auth("POST", "/user/factor/totp/authentication", {"securityCode": fresh.code}, Retry.NEVER)
        step = Step(name="totp", request=request, decides=True)
        answer = await self._take(jar, step, fresh.code)
        if answer.code != OK:
            raise _refused(step, answer, self._advice_on_code(factor), self.clock_ahead)
        step = Step(name="open_session_again", request=_OPEN_SESSION, decides=True)
        opened = await self._take(jar, step)
        if opened.code == FACTOR_WANTED:
            raise _unsupported_factor(step, opened)
        if opened.code != OK:
            raise _refused(step, opened, _SEE_APP)

    def _advice_on_code(self, factor: Factor) -> str:
        ahead = self.clock_ahead
        if ahead is None or abs(ahead) < CLOCK_TOLERANCE:
            return "Log in again with a fresh code; check this machine's clock."
        where = (
            f"This machine's clock is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} the broker's"
        )
        if factor.is_code:
            return f"{where}: if the code was made here, set the clock. Log in again with a fresh code."
        return f"{where}, so its codes are wrong: set the clock, then log in again."

    async def _take(self, jar: Jar, step: Step, *secrets: str) -> Envelope:
        """One step: its envelope, or an empty one (code 0) where the answer does not matter."""
        started = time.perf_counter()
        try:
            envelope, status = await self._taken(jar, step, *secrets)
        except FtError as problem:
            self._report(step, started, ok=False, outcome=problem.code)
            raise
        outcome = f"HTTP {status}" + (f", code {envelope.code}" if envelope.code else "")
        fine = not step.decides or envelope.code in (OK, FACTOR_WANTED)
        self._report(step, started, ok=fine, outcome=outcome)
        return envelope

    def _report(self, step: Step, started: float, *, ok: bool, outcome: str) -> None:
        if self.watch is not None:
            seconds = time.perf_counter() - started
            self.watch(StepReport(name=step.name, seconds=seconds, ok=ok, outcome=outcome))

    async def _taken(self, jar: Jar, step: Step, *secrets: str) -> tuple[Envelope, int]:
        answer = await self._exchange(jar, step)
        self._read_clock(answer.header("date"))
        details = {"step": step.name, "host": step.request.host, "status": answer.status}
        if answer.status == 429:
            raise RateLimited(
                f"The broker throttles logins (step {step.name}). Wait before the next attempt.",
                details=details,
                retry_after=parse_retry_after(answer.header("retry-after"), self._clock()),
            )
        if step.request is self._login_page or step.request is CLEAR_SESSION:
            return Envelope(code=0), answer.status
        envelope = read_envelope(answer.body)
        if envelope is not None:
            return envelope, answer.status
        blocked = answer.status < 500 and is_html(answer.body)
        if not step.decides and not blocked:
            return Envelope(code=0), answer.status
        details["excerpt"] = self._line.quote_of(answer.body, jar, *secrets)
        if answer.status >= 500:
            raise LostReply(
                f"The broker failed with HTTP {answer.status} at login step {step.name}; what became of it "
                "is unknown. Wait a minute, then log in again.",
                details=details,
            )
        raise CallRefused(
            f"The broker answered login step {step.name} with an unexpected page (HTTP {answer.status}): "
            "a challenge, a block or maintenance. Log in once with the official app, then try again.",
            details=details,
        )

    def _read_clock(self, date: str | None) -> None:
        moment = parse_date(date)
        if moment is not None:
            self.clock_ahead = (self._clock() - moment).total_seconds()

    async def _exchange(self, jar: Jar, step: Step) -> "Answer":
        from ftcli.transport.http import Failure  # deferred with the rest of httpx

        tries = 0
        while True:
            tries += 1
            try:
                if step.request is self._login_page:
                    answer = await self._line.follow(jar, step.request)
                else:
                    answer = await self._line.exchange(jar, step.request)
            except Failure as failure:
                problem: FtError | None = _broken(step, failure.kind, failure.sent, failure.reason)
            else:
                if answer.status < 500 or not step.repeatable or step.request is CLEAR_SESSION:
                    return answer
                problem = _page_down(step, answer.status) if step.request is self._login_page else None
            if step.repeatable and tries < _TRIES:
                log.debug("login step %s failed, try %d of %d follows", step.name, tries + 1, _TRIES)
                await self._sleep(jittered(DELAYS[tries - 1], self._chance))
            elif problem is not None:
                raise problem
            else:
                # Steps 3 and 4 may well fail on an empty jar for good: their answers never mattered.
                return answer


def read_envelope(body: bytes) -> Envelope | None:
    """The envelope of an ``auth`` reply, read leniently; ``None`` if the body is none.

    ``code`` may be a numeric string; everything else may be missing (protocol 00 §3.2).
    """
    try:
        document = decode(body)
    except UnreadableBody:
        return None
    base = _dict(document).get("responseBaseInfo")
    status = _dict(_dict(base).get("status"))
    code = status.get("code")
    if isinstance(code, str) and code.strip().isascii() and code.strip().isdigit():
        code = int(code.strip()[:9])
    if not isinstance(code, int) or isinstance(code, bool):
        return None
    message = status.get("message")
    return Envelope(
        code=code,
        message=redact(message.strip()) if isinstance(message, str) else "",
        factors=(*_names(_dict(document).get("authenticators")), *_names(_dict(document).get("callbacks"))),
    )


def _names(items: Any) -> list[str]:
    """The names of what the broker offers, never the values: those are unknown and may be secret."""
    found: list[str] = []
    for item in items if isinstance(items, list) else []:
        found.extend(map(str, item) if isinstance(item, dict) else [type(item).__name__])
    return found[:20]


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _refused(step: Step, envelope: Envelope, advice: str, clock_ahead: float | None = None) -> AuthRequired:
    said = (envelope.message or "no reason given").rstrip(".")
    return AuthRequired(
        f"The broker refused the login: {said} (code {envelope.code}, step {step.name}). {advice}",
        details={
            "step": step.name,
            "broker_code": envelope.code,
            "broker_message": envelope.message,
            **({} if clock_ahead is None else {"clock_ahead": round(clock_ahead)}),
        },
    )


def _unsupported_factor(step: Step, envelope: Envelope) -> AuthRequired:
    return AuthRequired(
        "The broker asks for a second factor that is not supported: only codes of an authenticator app are. "
        "Enrol one in the security settings of your account.",
        details={"step": step.name, "broker_code": envelope.code, "factors": list(envelope.factors)},
    )


def _page_down(step: Step, status: int) -> BrokerError:
    return BrokerError(
        f"The broker's login page failed with HTTP {status}. Try again later.",
        details={"step": step.name, "host": step.request.host, "status": status},
    )


def _broken(step: Step, kind: str, sent: bool, reason: str) -> BrokerError:
    """A login step without an answer. From the password on, what happened is unknown (protocol 00 §3.9)."""
    details = {"step": step.name, "host": step.request.host, "status": None, "reason": redact(reason)}
    what = f"Login step {step.name} got no answer ({kind})."
    if step.request.retry is not Retry.NEVER:
        return BrokerError(f"{what} Check the network, then log in again.", details=details)
    if not sent:
        return NotSent(f"{what} Nothing was sent. Check the network, then log in again.", details=details)
    return LostReply(f"{what} It was not repeated. Wait a minute, then log in again.", details=details)
