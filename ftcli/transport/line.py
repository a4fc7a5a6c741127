"""One exchange in the broker's terms: address, headers and cookies put on, a log line written."""

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode, urljoin

from ftcli.config import Settings
from ftcli.errors import InternalError
from ftcli.log_guard import guard_loggers
from ftcli.redaction import MASK, excerpt, redact_log
from ftcli.transport import headers as profiles
from ftcli.transport.cookies import Jar
from ftcli.transport.decode import encode_json
from ftcli.transport.hosts import Hosts, find
from ftcli.wire import WireRequest

if TYPE_CHECKING:
    import httpx

    from ftcli.transport.http import Answer, HttpDoor

log = logging.getLogger("ftcli.transport")

REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MAX_REDIRECTS = 5


class Line:
    """Speaks to the broker's hosts; knows no session, no retry and no meaning of an answer.

    Args:
        settings: Time limit and app version.
        hosts: Where the hosts are.
        door: Transport used instead of the network.
    """

    def __init__(self, settings: Settings, hosts: Hosts, door: "httpx.AsyncBaseTransport | None") -> None:
        guard_loggers()
        self._timeout = settings.timeout
        self._hosts = hosts
        self._door = door
        self._http: HttpDoor | None = None
        self._profiles = {
            "data": profiles.data_headers(settings.app_version),
            "login": profiles.login_headers(settings.app_version),
        }

    @property
    def is_simulated(self) -> bool:
        """Whether no real host can be reached this way."""
        return self._door is not None or self._hosts.all_local

    @property
    def is_inside(self) -> bool:
        """Whether the broker is inside this process: there is no host to reach."""
        return self._door is not None

    @property
    def shares_cookies(self) -> bool:
        """Whether the hosts are simulated, so that their cookies belong to all of them."""
        return self._door is not None or self._hosts.is_overridden("auth")

    def new_jar(self) -> Jar:
        """An empty cookie jar that fits the hosts."""
        return Jar(shared=self.shares_cookies)

    async def exchange(
        self, jar: Jar, request: WireRequest, last_word: Callable[[], None] | None = None
    ) -> "Answer":
        """Sends a request with the jar's cookies and keeps the cookies of the answer.

        Args:
            jar: The cookies.
            request: The call.
            last_word: Called just before the first byte leaves; what it raises is raised here.

        Raises:
            Failure: No usable answer came.
        """
        host = find(request.host)
        if host.is_stream or not request.path.startswith("/"):
            # Without its slash a path could run on into the host's name.
            raise InternalError(f"{request.host}{request.path} is no HTTP call: a stream, or no slash.")
        canonical = self._hosts.canonical(request.host) + request.path
        headers = self._headers(request, jar.header(canonical) if host.cookies else "")
        started = time.perf_counter()
        outcome = "failed"
        try:
            answer = await self._open_door().exchange(
                request.method,
                self._target(request),
                headers,
                _content(request.body),
                self._timeout,
                last_word,
            )
            outcome = str(answer.status)
        finally:
            if log.isEnabledFor(logging.DEBUG):
                ms = (time.perf_counter() - started) * 1000
                path = redact_log(request.path.partition("?")[0])
                log.debug("%s %s %s -> %s in %.0f ms", request.method, request.host, path, outcome, ms)
        if host.cookies:
            jar.absorb(canonical, answer.headers)
        return answer

    async def follow(self, jar: Jar, request: WireRequest) -> "Answer":
        """Like :meth:`exchange` for a GET, redirects followed as long as they stay at the broker's hosts."""
        answer = await self.exchange(jar, request)
        for _ in range(_MAX_REDIRECTS):
            location = answer.header("location") if answer.status in REDIRECTS else None
            place = location and self._hosts.locate(
                urljoin(f"{self._hosts.canonical(request.host)}{request.path}", location)
            )
            if not place:
                break
            request = WireRequest(host=place[0], method="GET", path=place[1], headers=request.headers)
            answer = await self.exchange(jar, request)
        return answer

    def quote_of(self, body: bytes, jar: Jar, *secrets: str) -> str:
        """The start of a foreign body, fit for an error message: cookies and the given secrets masked too."""
        text = body.decode("utf-8", "replace")
        for value in sorted({*jar.values(), *secrets}, key=len, reverse=True):
            for form in _spellings(value) if len(value) >= 4 else ():
                text = text.replace(form, MASK)
        return excerpt(text)

    async def aclose(self) -> None:
        """Closes the connections."""
        if self._http is not None:
            await self._http.aclose()
            self._http = None

    def _open_door(self) -> "HttpDoor":
        if self._http is None:
            from ftcli.transport.http import HttpDoor  # deferred: `ft auth status --offline` needs no httpx

            self._http = HttpDoor(self._door, local=self._hosts.all_local)
        return self._http

    def _target(self, request: WireRequest) -> str:
        url = self._hosts.url(request.host) + request.path
        if not request.query:
            return url
        joint = "&" if "?" in request.path else "?"
        return f"{url}{joint}{urlencode(request.query, safe=',', quote_via=quote)}"

    def _headers(self, request: WireRequest, cookie: str) -> dict[str, str]:
        host = find(request.host)
        own = {"fsreqid": profiles.request_id()} if host.cookies else {}
        if cookie:
            own["Cookie"] = cookie
        return profiles.merged(self._profiles[host.profile], own, request.headers)


def _spellings(value: str) -> tuple[str, ...]:
    """A value as JSON, a query or a page may repeat it."""
    import html
    import json

    as_json = (json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1])
    return (value, *as_json, quote(value), quote(value, safe=""), html.escape(value))


def _content(body: object) -> bytes | None:
    if body is None or isinstance(body, bytes):
        return body
    return body.encode() if isinstance(body, str) else encode_json(body)
