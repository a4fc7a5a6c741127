"""The session's cookies: one jar for all hosts, computed on the real host names (protocol 00 §2.8).

The jar never learns that a host is overridden. A simulator that answers every host at one address
may leave ``Domain`` out or name the real domain: both come to the same here.
"""

import re
from http.cookiejar import Cookie, CookieJar
from typing import Any, cast
from urllib.parse import urlsplit
from urllib.request import Request

from ftcli.credentials.session_store import SavedCookie
from ftcli.redaction import remember_passing

SESSION_COOKIES = frozenset({"ATC", "FC", "RC", "SC"})
"""Together they are the login; a live session has at least one of them."""

_MAX_HEADERS = 100
"""URLs whose header is remembered until a cookie changes; cookies that expire change by themselves."""
_SHARED_DOMAIN = ".fidelity.com"
_DOMAIN = re.compile(r";\s*domain\s*=[^;]*", re.I)


class Jar:
    """All cookies of one session.

    Args:
        cookies: Cookies to begin with.
        shared: Give every cookie the whole domain: the hosts are simulated at one address.
    """

    def __init__(self, cookies: tuple[SavedCookie, ...] = (), *, shared: bool = False) -> None:
        self._jar = CookieJar()
        self._shared = shared
        self._headers: dict[str, str] = {}
        for cookie in cookies:
            self._jar.set_cookie(_restored(cookie))
            remember_passing(cookie.value)

    def __repr__(self) -> str:
        return f"Jar({', '.join(sorted(self.names()))})"

    def header(self, url: str) -> str:
        """The value of the ``Cookie`` header for a canonical URL; empty where no cookie applies."""
        header = self._headers.get(url)
        if header is None:
            request = Request(url)  # noqa: S310 - nothing is opened: the jar wants this shape
            self._jar.add_cookie_header(request)
            header = str(request.get_header("Cookie", ""))
            if len(self._headers) < _MAX_HEADERS and all(cookie.expires is None for cookie in self._jar):
                self._headers[url] = header
        return header

    def header_of_all(self) -> str:
        """Every cookie as ``name=value`` joined by ``; ``, for the quote streams (protocol 00 §4.5)."""
        self._jar.clear_expired_cookies()
        pairs = {cookie.name: cookie.value or "" for cookie in self._jar}
        return "; ".join(f"{name}={value}" for name, value in pairs.items())

    def absorb(self, url: str, headers: tuple[tuple[str, str], ...]) -> None:
        """Takes the ``Set-Cookie`` headers of an answer from a canonical URL."""
        lines = [value for name, value in headers if name == "set-cookie"]
        if not lines:
            return
        self._headers.clear()
        if self._shared and (urlsplit(url).hostname or "").endswith(_SHARED_DOMAIN):
            lines = [f"{_DOMAIN.sub('', line)}; Domain={_SHARED_DOMAIN}" for line in lines]
        self._jar.extract_cookies(cast(Any, _Lines(lines)), Request(url))  # noqa: S310 - as above
        for value in self.values():  # those that stay too: however many come after them, they are masked
            remember_passing(value)

    def names(self) -> set[str]:
        """The names of all cookies."""
        return {cookie.name for cookie in self._jar}

    def values(self) -> set[str]:
        """The values of all cookies, to be masked wherever a foreign text is quoted."""
        return {cookie.value for cookie in self._jar if cookie.value}

    def dump(self) -> tuple[SavedCookie, ...]:
        """Every cookie with its attributes, in a stable order."""
        return tuple(
            SavedCookie(
                name=cookie.name,
                value=cookie.value or "",
                domain=cookie.domain,
                path=cookie.path,
                secure=cookie.secure,
                http_only=cookie.has_nonstandard_attr("HttpOnly"),
                expires=cookie.expires,
            )
            for cookie in sorted(self._jar, key=lambda cookie: (cookie.domain, cookie.path, cookie.name))
        )


class _Lines:
    """``Set-Cookie`` lines in the shape that http.cookiejar reads."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines

    def info(self) -> "_Lines":
        return self

    def get_all(self, name: str, default: list[str]) -> list[str]:
        return self._lines if name.lower() == "set-cookie" else default


def _restored(saved: SavedCookie) -> Cookie:
    wide = saved.domain.startswith(".")
    return Cookie(
        version=0,
        name=saved.name,
        value=saved.value,
        port=None,
        port_specified=False,
        domain=saved.domain,
        domain_specified=wide,
        domain_initial_dot=wide,
        path=saved.path,
        path_specified=True,
        secure=saved.secure,
        expires=saved.expires,
        discard=saved.expires is None,
        comment=None,
        comment_url=None,
        rest={"HttpOnly": ""} if saved.http_only else {},
    )
