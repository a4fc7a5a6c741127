"""A double of the broker on loopback: login and session rules of protocol 00 §3.11 and §4.7.

It stands for the broker, not for our code. Every request is recorded; faults are queued by path.
"""

import asyncio
import json
import os
import ssl
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pyotp
from aiohttp import web

LOGIN_PAGE = "/prgw/digital/login/atp"
SESSION = "/user/session/login"
REMEMBER = "/user/identity/remember/username"
PASSWORD = "/user/factor/password/authentication"
TOTP = "/user/factor/totp/authentication"
KEEP_ALIVE = "/ftgw/digital/portfolio/extendsession"
CONTEXT = "/ftgw/digital/pico/api/v1/context/security"
DATA = "/ftgw/dp/position/v2"
PLACE = "/ftgw/dp/orderentry/equity/place/v1"
MONTAGE = "/service/quote/dtmontage"

USER, PASS = "kim", 'pa"ss\\wörd-7731'
SEED = "JBSWY3DPEHPK3PXP"
FERNET_KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
DELAYED = '<OPTIONS_MONTAGE><BASE err="1" msg="Delayed quotes not supported"/></OPTIONS_MONTAGE>'

LOGIN_HTML = "<!DOCTYPE html>\n<html><head><title>Log in</title></head><body>please</body></html>"
CONTEXT_DOCUMENT = {
    "entitlements": [
        {"value": "true", "display": "RTQ", "classification": "access"},
        {"value": "false", "display": "ProfessionalQuotes", "classification": "access"},
    ],
    "internalSystemIds": [{"type": "MID", "ID": "0011223344556677"}],
    "errors": [],
}
LOGIN_HEADERS = {
    "appid": "RETAIL-CC-LOGIN-SDK",
    "appname": "PILoginExperience",
    "content-type": "application/json",
    "accept": "*/*",
    "origin": "https://digital.fidelity.com",
    "referer": "https://digital.fidelity.com/",
    "accept-token-location": "HEADER",
    "token-location": "HEADER",
    "cache-control": "no-cache, no-store, must-revalidate",
}


class Authenticator(pyotp.TOTP):
    """An authenticator app; 80-bit secrets are common, whatever the library thinks of them."""

    min_secret_length_bits = 0


class Clock:
    """A clock that moves when told; sleeping moves it too."""

    def __init__(self) -> None:
        self.now = datetime(2026, 5, 14, 14, 42, 7, tzinfo=UTC)
        self.sleeps: list[float] = []

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **span: float) -> None:
        self.now += timedelta(**span)

    async def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.now += timedelta(seconds=seconds)


class Seen:
    """One request as it arrived."""

    def __init__(self, request: web.Request, body: bytes) -> None:
        self.method = request.method
        self.path = request.path
        self.raw_path = request.raw_path
        self.headers = {name.lower(): value for name, value in request.headers.items()}
        self.cookies = dict(request.cookies)
        self.body = body

    def __repr__(self) -> str:
        return f"{self.method} {self.path}"


class Fault:
    """What happens instead of the usual answer.

    Args:
        status, body, headers: The answer to give.
        drop: Break the connection instead of answering, after the request was read.
        hang: Never answer.
        hold: Answer when this is set.
        acts: Whether the broker carries the request out before that.
    """

    def __init__(
        self,
        status: int = 500,
        body: str = "",
        *,
        headers: dict[str, str] | None = None,
        drop: bool = False,
        hang: bool = False,
        acts: bool = False,
        hold: asyncio.Event | None = None,
    ) -> None:
        self.status, self.body, self.headers = status, body, headers or {}
        self.drop, self.hang, self.acts, self.hold = drop, hang, acts, hold


class BrokerDouble:
    """The double. ``users``: name → (password, TOTP seed or empty)."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.clock = clock
        self.seen: list[Seen] = []
        self.complaints: list[str] = []
        self.users = {USER: (PASS, "")}
        self.dead_keep_alive = "302"
        self.dead_data = "401"
        self.keeps_cookie_values = False
        self.sets_cookies = True
        self.domain = ""
        self.code_as_text = False
        self.answers: dict[str, Any] = {}
        self.faults: dict[str, list[Fault]] = defaultdict(list)
        self.logins = 0
        self.unlocked_quotes: set[str] = set()
        self._states: dict[str, tuple[str, str]] = {}  # SESSION_SCTX → (state, user)
        self._live: dict[str, str] = {}  # ATC → session number
        self._used_codes: set[str] = set()
        self._hanging = asyncio.Event()
        self._arrivals = asyncio.Condition()

    async def start(self, tls: ssl.SSLContext | None = None) -> str:
        app = web.Application()
        app.router.add_route("*", "/{rest:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=tls)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        return f"https://localhost:{port}" if tls else f"http://{host}:{port}"

    async def stop(self) -> None:
        self._hanging.set()
        await self._runner.cleanup()

    # What tests do and ask

    def expire(self) -> None:
        """Ends every session."""
        self._live.clear()

    def fail(self, path: str, *faults: Fault) -> None:
        """Queues faults: each is used up by one request to the path (with a method: ``"PUT /path"``)."""
        self.faults[path].extend(faults)

    def calls(self, path: str, method: str = "") -> list[Seen]:
        return [seen for seen in self.seen if seen.path == path and method in ("", seen.method)]

    async def arrival(self, path: str, count: int = 1) -> None:
        """Waits until that many requests for a path have come."""
        async with self._arrivals:
            await self._arrivals.wait_for(lambda: len(self.calls(path)) >= count)

    # How it answers

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        seen = Seen(request, await request.read())
        self.seen.append(seen)
        async with self._arrivals:
            self._arrivals.notify_all()
        key = next((key for key in (f"{seen.method} {seen.path}", seen.path) if self.faults[key]), "")
        if not key:
            return self._answer(seen)
        fault = self.faults[key].pop(0)
        if fault.acts:
            self._answer(seen)
        if fault.hold:
            await fault.hold.wait()
        if fault.hang:
            await self._hanging.wait()
        if fault.drop or fault.hang:
            assert request.transport is not None
            request.transport.abort()
        return web.Response(status=fault.status, text=fault.body, headers=fault.headers)

    def _answer(self, seen: Seen) -> web.Response:
        if seen.path == LOGIN_PAGE:
            return self._login_page(seen)
        if seen.path.startswith("/user/"):
            return self._auth(seen)
        if seen.path == KEEP_ALIVE:
            return self._extend(seen)
        if not self._is_live(seen):
            return self._dead(self.dead_data)
        if seen.path == CONTEXT:
            self.unlocked_quotes.add(self._live[seen.cookies["ATC"]])
            return web.json_response(self.answers.get(CONTEXT, CONTEXT_DOCUMENT))
        if seen.path == MONTAGE and self._live[seen.cookies["ATC"]] not in self.unlocked_quotes:
            return web.Response(text=DELAYED)
        answer = self.answers.get(seen.path, {"path": seen.path})
        return web.Response(text=answer) if isinstance(answer, str) else web.json_response(answer)

    def _login_page(self, seen: Seen) -> web.Response:
        reply = web.Response(text=LOGIN_HTML, content_type="text/html")
        context = os.urandom(8).hex()
        self._states[context] = ("init", "")
        self._set(reply, "SESSION_SCTX", context)
        return reply

    def _auth(self, seen: Seen) -> web.Response:
        self._check_login_headers(seen)
        context = seen.cookies.get("SESSION_SCTX", "")
        state, user = self._states.get(context, ("init", ""))
        body = json.loads(seen.body) if seen.body else None
        step = (seen.method, seen.path)
        if step == ("DELETE", SESSION):
            self._expect(seen, body == {} and seen.headers.get("accept-token-type") == "FAC")
            self._live.pop(seen.cookies.get("ATC", ""), None)
            reply = web.Response(status=204)
            for name in ("ET", "ATC", "FC", "RC", "SC"):
                reply.del_cookie(name, path="/")
            return reply
        self._expect(seen, seen.headers.get("accept-token-type") == "ET")
        if step == ("GET", REMEMBER):
            return self._envelope(1200, "User Identified")
        if step == ("PUT", REMEMBER):
            self._expect(seen, body == {})
            return self._envelope(1200, "OK")
        if step == ("POST", f"{REMEMBER}/1"):
            self._expect(seen, body == {})
            return self._set(self._envelope(1200, "User Identified"), "ET", os.urandom(8).hex())
        if step == ("POST", PASSWORD):
            self._expect(seen, set(body) == {"username", "password"})
            if self.users.get(body["username"], ("",))[0] != body["password"]:
                return self._envelope(1400, "Authentication Failed")
            self._states[context] = ("pw_ok", body["username"])
            return self._envelope(1200, "User Authenticated")
        if step == ("POST", SESSION):
            self._expect(seen, body == {} and seen.headers.get("eventtype") == "LOGIN")
            self._expect(seen, seen.headers.get("sub_eventtype") == "rt_login")
            if state == "pw_ok" and self.users[user][1]:
                self._states[context] = ("totp", user)
                return self._envelope(1201, "Additional authentication required")
            if state in ("pw_ok", "totp_ok"):
                return self._open(context, user)
        if step == ("POST", TOTP):
            code = body["securityCode"]
            self._expect(seen, isinstance(code, str) and len(code) == 6)
            right = Authenticator(self.users[user][1]).at(self.clock()) if state == "totp" else ""
            if right and code == right and code not in self._used_codes:
                self._used_codes.add(code)
                self._states[context] = ("totp_ok", user)
                return self._envelope(1200, "User Authenticated")
        return self._envelope(1400, "Authentication Failed")

    def _open(self, context: str, user: str) -> web.Response:
        self._states[context] = ("live", user)
        self.logins += 1
        reply = self._envelope(1200, "Session Created")
        return self._issue(reply, str(self.logins)) if self.sets_cookies else reply

    def _issue(self, reply: web.Response, session: str) -> web.Response:
        for name in ("ATC", "FC", "RC", "SC"):
            value = f"{name.lower()}-{os.urandom(12).hex()}"
            if name == "ATC":
                self._live[value] = session
            self._set(reply, name, value)
        return reply

    def _extend(self, seen: Seen) -> web.Response:
        if not self._is_live(seen):
            return self._dead(self.dead_keep_alive)
        reply = web.Response()
        return reply if self.keeps_cookie_values else self._issue(reply, self._live[seen.cookies["ATC"]])

    def _is_live(self, seen: Seen) -> bool:
        return {"ATC", "FC", "RC", "SC"} <= set(seen.cookies) and seen.cookies["ATC"] in self._live

    def _dead(self, form: str) -> web.Response:
        if form == "302":
            return web.Response(status=302, headers={"Location": LOGIN_PAGE})
        if form == "302-auth":
            return web.Response(status=302, headers={"Location": "https://ecaap.fidelity.com/x"})
        if form == "html":
            return web.Response(text=LOGIN_HTML, content_type="text/html")
        return web.Response(status=int(form))

    def _set(self, reply: web.Response, name: str, value: str) -> web.Response:
        if self.domain:
            line = f"{name}={value}; Domain={self.domain}; Path=/; Secure; HttpOnly"
            reply.headers.add("Set-Cookie", line)
        else:
            reply.headers.add("Set-Cookie", f"{name}={value}; Path=/")
        return reply

    def _envelope(self, code: int, message: str) -> web.Response:
        shown = str(code) if self.code_as_text else code
        status = {"code": shown, "message": message}
        base = {"sessionTokens": None, "status": status, "links": []}
        return web.json_response({"responseBaseInfo": base, "authenticators": [], "callbacks": []})

    def _check_login_headers(self, seen: Seen) -> None:
        for name, value in LOGIN_HEADERS.items():
            if seen.headers.get(name) != value:
                self.complaints.append(f"{seen}: {name} is {seen.headers.get(name)!r}")
        if not seen.headers.get("fsreqid", "").startswith("REQ"):
            self.complaints.append(f"{seen}: no fsreqid")

    def _expect(self, seen: Seen, right: bool) -> None:
        if not right:
            self.complaints.append(f"{seen}: not as documented: {seen.body!r}")
