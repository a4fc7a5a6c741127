"""Who is logged in at the paper broker: the login state machine of protocol 00 §3.11 and the rules of §4.7.

Logins live in memory, like a server's: when the process ends they are gone, and clients meet an expired
session, which is what they must be able to live with anyway.
"""

import enum
import secrets
from datetime import datetime, timedelta

import msgspec

from ftcli.paper.wire.exchange import PaperReply, text_reply
from ftcli.totp import STEP, code_of

ALIVE = ("ATC", "FC", "RC", "SC")
"""The session cookies: all four must be there and known."""

MAX_FAILURES = 5
OLD_VALUES_LIVE = timedelta(seconds=60)


class Step(enum.Enum):
    """How far a login has come."""

    INIT = "init"
    PASSWORD_OK = "password_ok"  # nosec B105 # noqa: S105 - a step, no password
    TOTP = "totp"
    TOTP_OK = "totp_ok"
    LIVE = "live"


class Verdict(msgspec.Struct, frozen=True):
    """An answer of the login: the code that decides, its message, and where the login stands now."""

    code: int
    message: str
    step: Step


class User(msgspec.Struct, frozen=True, kw_only=True):
    """The one user of the paper broker."""

    username: str
    password: str
    totp_secret: str | None = None


class Jar(msgspec.Struct):
    """What the broker knows of one cookie jar."""

    step: Step = Step.INIT
    seen: datetime | None = None
    quotes: bool = False
    cookies: dict[str, str] = {}
    old_cookies: list[tuple[datetime, dict[str, str]]] = []


class SessionRules(msgspec.Struct):
    """Knobs of protocol 00 §4.7, for tests of a bad day.

    Attributes:
        idle_limit: Life without a keep-alive.
        any_call_extends: Whether other calls reset the idle clock too.
        keep_alive_refusal: Answer of a dead keep-alive: ``302``, ``401``, ``403`` or ``html``.
        data_refusal: Answer of other calls without a session: the same words.
    """

    idle_limit: timedelta = timedelta(seconds=1800)
    any_call_extends: bool = False
    keep_alive_refusal: str = "302"
    data_refusal: str = "401"


FAILED = "Authentication Failed"
TOKEN_MARK = "paPerTok3n"  # nosec B105 # noqa: S105 - how every token of the paper broker begins


class Logins:
    """Login states by jar: found by ``SESSION_SCTX`` during the login, by ``ATC`` once it is live.

    Args:
        user: The user who may log in.
    """

    def __init__(self, user: User) -> None:
        self.user = user
        self.rules = SessionRules()
        self.password_failures = 0
        self.sessions_created = 0
        self._jars: dict[str, Jar] = {}
        self._live: dict[str, Jar] = {}
        self._used_codes: set[str] = set()

    def token(self) -> str:
        """A fresh random token; its beginning makes it easy to look for where it must not be."""
        return TOKEN_MARK + secrets.token_urlsafe(24)

    def begin(self) -> str:
        """A new login; answers the value of its ``SESSION_SCTX``."""
        context = self.token()
        self._jars[context] = Jar()
        return context

    def end(self, cookies: dict[str, str]) -> None:
        """Ends the jar's session; its context stays usable for the next login."""
        jar = self._jar(cookies)
        jar.step, jar.seen, jar.quotes = Step.INIT, None, False
        for values in (jar.cookies, *(old for _, old in jar.old_cookies)):
            self._live.pop(values.get("ATC", ""), None)

    def expire_all(self) -> None:
        """Ends every session, as a nightly cut-off would."""
        for jar in self._live.values():
            jar.step = Step.INIT
        self._live.clear()

    def _jar(self, cookies: dict[str, str]) -> Jar:
        live = self._live.get(cookies.get("ATC", ""))
        return live or self._jars.setdefault(cookies.get("SESSION_SCTX", ""), Jar())

    def check_password(self, cookies: dict[str, str], username: str, password: str) -> Verdict:
        """Step 5."""
        jar = self._jar(cookies)
        if self.password_failures >= MAX_FAILURES:
            return Verdict(1401, "Account locked", jar.step)
        right = secrets.compare_digest(username.encode(), self.user.username.encode())
        right &= secrets.compare_digest(password.encode(), self.user.password.encode())
        if not right:
            self.password_failures += 1
            return Verdict(1400, FAILED, jar.step)
        self.password_failures = 0
        jar.step = Step.PASSWORD_OK
        return Verdict(1200, "User Authenticated", jar.step)

    def check_totp(self, cookies: dict[str, str], code: str, now: datetime) -> Verdict:
        """Step 7a; a code counts once."""
        jar = self._jar(cookies)
        if jar.step is not Step.TOTP or not self.user.totp_secret:
            return Verdict(1400, FAILED, jar.step)
        seed = self.user.totp_secret.replace(" ", "").upper().rstrip("=")
        expected = code_of(seed, int(now.timestamp() // STEP))
        if code in self._used_codes or not secrets.compare_digest(code.encode(), expected.encode()):
            return Verdict(1400, FAILED, jar.step)
        self._used_codes.add(code)
        jar.step = Step.TOTP_OK
        return Verdict(1200, "User Authenticated", jar.step)

    def create_session(self, cookies: dict[str, str], now: datetime) -> Verdict:
        """Steps 7 and 7b."""
        jar = self._jar(cookies)
        if jar.step is Step.PASSWORD_OK and self.user.totp_secret:
            jar.step = Step.TOTP
            return Verdict(1201, "Additional authentication required", jar.step)
        if jar.step is Step.PASSWORD_OK or jar.step is Step.TOTP_OK:
            jar.step, jar.seen, jar.quotes = Step.LIVE, now, False
            self.sessions_created += 1
            return Verdict(1200, "Session Created", jar.step)
        return Verdict(1400, FAILED, Step.INIT)

    def fresh_cookies(self, cookies: dict[str, str], now: datetime) -> dict[str, str]:
        """New values of the session cookies; the old ones stay good for a minute."""
        jar = self._jar(cookies)
        if jar.cookies:
            jar.old_cookies.append((now + OLD_VALUES_LIVE, jar.cookies))
        while jar.old_cookies and jar.old_cookies[0][0] < now:
            self._live.pop(jar.old_cookies.pop(0)[1]["ATC"], None)
        jar.cookies = {name: self.token() for name in ALIVE}
        jar.seen = now
        self._live[jar.cookies["ATC"]] = jar
        return jar.cookies

    def is_live(self, cookies: dict[str, str], now: datetime) -> bool:
        """Whether the jar has a session that has not timed out."""
        jar = self._live.get(cookies.get("ATC", ""))
        if jar is None or jar.step is not Step.LIVE or jar.seen is None:
            return False
        if now - jar.seen > self.rules.idle_limit:
            jar.step = Step.INIT
            return False
        given = {name: cookies.get(name) for name in ALIVE}
        if given != jar.cookies and not any(now <= until and given == old for until, old in jar.old_cookies):
            return False
        if self.rules.any_call_extends:
            jar.seen = now
        return True

    def grant_quotes(self, cookies: dict[str, str]) -> None:
        """The security context was asked for: real-time quotes from now on."""
        self._jar(cookies).quotes = True

    def has_quotes(self, cookies: dict[str, str]) -> bool:
        """Whether the session has real-time quotes."""
        return self._jar(cookies).quotes

    def turn_away(self, path: str) -> PaperReply:
        """The answer to a call without a live session."""
        keep_alive = path.endswith("/extendsession")
        form = self.rules.keep_alive_refusal if keep_alive else self.rules.data_refusal
        if form == "302":
            return PaperReply(status=302, headers=[("Location", "/prgw/digital/login/atp?exp=new")])
        if form == "html":
            return text_reply("<!DOCTYPE html><html><body>Log in</body></html>", "text/html;charset=utf-8")
        return PaperReply(status=int(form))
