"""The daemon's door: where it may be bound, and which requests are not even looked at.

A page of any web site can make a browser send requests to this machine. These checks keep such pages out:
the ``Host`` must be one of ours (a name that an attacker has pointed at 127.0.0.1 is not), a write or a
WebSocket must not come from a foreign ``Origin``, and without keys nothing may come from another site.
"""

import ipaddress
import re
from collections.abc import Iterable
from socket import gethostname
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ftcli.config import Settings
from ftcli.errors import ValidationFailed

if TYPE_CHECKING:
    from aiohttp import web

MAX_BODY = 256 * 1024
"""Bytes of a request body."""
MAX_LINE = 8190
"""Bytes of a request line, and of one header."""
MAX_HEADERS = 100
"""Number of headers."""
MAX_HEAD = 32 * 1024
"""Bytes of all header lines together."""
_FEW_HEADERS = 24
"""So many need no adding up: each is bounded by itself."""
_ONCE = ("Authorization", "Origin", "Content-Type", "Transfer-Encoding", "Idempotency-Key")
HEAD_SECONDS = 10
"""Within which a TLS handshake must be done, and the head of a request must have arrived."""
BODY_SECONDS = 20
"""Within which a body must have arrived."""
IDLE_SECONDS = 60
"""After which a connection between two requests is closed."""
STRANGER_SECONDS = 15
"""The same, where no good key has come with any of them."""
STUCK_SECONDS = 60
"""After which a client that does not read its answer is cut off."""

_LAST_PORT = 65535
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[\w.\-]+)(?::(\d{1,5}))?", re.ASCII)
_FOREIGN_HEADERS = "Authorization, Content-Type, Idempotency-Key, Last-Event-ID, X-Request-Id"


def is_loopback(host: str) -> bool:
    """Whether an address or name can only mean this machine."""
    name = host.strip("[]").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def check_bind(settings: Settings) -> None:
    """Refuses to stand open to the network without keys, and where nobody could come in.

    Raises:
        ValidationFailed: The address can be reached from other machines and no key would be required; the port is none;
            there is no place for a connection.
    """
    if settings.port > _LAST_PORT:
        raise ValidationFailed.of("FTSERVICE_PORT", settings.port, f"be from 0 to {_LAST_PORT}")
    if settings.max_connections < 1:
        raise ValidationFailed.of("FTSERVICE_MAX_CONNECTIONS", settings.max_connections, "be at least 1")
    if settings.api_key_required or settings.socket is not None or is_loopback(settings.host):
        return
    raise ValidationFailed(
        f"FTSERVICE_API_KEY_REQUIRED=false is allowed on this machine's own address only, and FTSERVICE_HOST "
        f"is {settings.host}. Anybody in the network could trade. Bind 127.0.0.1, or require keys.",
        details={"field": "FTSERVICE_API_KEY_REQUIRED", "value": "false", "rule": "be true on this address"},
    )


class Door:
    """Checks where a request comes from.

    Args:
        host: The address the daemon is bound to.
        hosts: Further names it answers to.
        origins: Origins whose pages may use it.
        socket: Whether it stands on a unix socket only.

    Raises:
        ValidationFailed: A name or an origin is none.
    """

    def __init__(
        self, host: str, *, hosts: Iterable[str] = (), origins: Iterable[str] = (), socket: bool = False
    ) -> None:
        self._loopback = socket or is_loopback(host)
        self._names = {host.strip("[]").lower(), gethostname().lower()}
        self._extra = frozenset(map(_checked_name, hosts))
        self.origins = frozenset(map(_checked_origin, origins))
        self._good_hosts: set[str] = set()

    def check_form(self, request: "web.Request") -> None:
        """Lets requests pass that every server reads alike.

        Args:
            request: The request.

        Raises:
            ValidationFailed: Its target is no path, a header that counts is there twice, its body is coded in more
                ways than one, or its head is too large.
        """
        if not request.raw_path.startswith("/") and request.raw_path != "*":
            raise ValidationFailed.of("path", request.raw_path[:80], "begin with a slash")
        headers = request.headers
        for name in _ONCE:
            if name in headers and (count := len(headers.getall(name))) > 1:
                raise ValidationFailed.of(name, f"{count} of it", "be there once")
        coding = headers.get("Transfer-Encoding")
        if coding is not None and (coding.lower() != "chunked" or request.version < (1, 1)):
            raise ValidationFailed.of("Transfer-Encoding", coding, "be chunked, and HTTP/1.1")
        lines = request.raw_headers
        if len(lines) > _FEW_HEADERS:
            size = sum(len(name) + len(value) for name, value in lines)
            if size > MAX_HEAD:
                raise ValidationFailed.of("headers", f"{size} bytes", f"have at most {MAX_HEAD} together")

    def check_host(self, hosts: list[str]) -> None:
        """Lets requests pass that name this daemon, by a name no stranger can own.

        Args:
            hosts: Values of the ``Host`` header.

        Raises:
            ValidationFailed: There is none, there are several, or it is a foreign name.
        """
        if len(hosts) != 1:
            raise ValidationFailed.of("Host", ", ".join(hosts) or None, "be given once")
        host = hosts[0]
        if host in self._good_hosts:
            return
        if not self._is_ours(host):
            raise ValidationFailed.of("Host", host, "name this service, such as localhost or 127.0.0.1")
        if len(self._good_hosts) < 64:
            self._good_hosts.add(host)

    def _is_ours(self, host: str) -> bool:
        name = _hostname(host)
        if not name:
            return False
        if is_loopback(name) or name in self._extra:
            return True
        if self._loopback:
            return False
        # Bound to the network: names that no public domain can have. An address cannot be rebound at all.
        return name in self._names or "." not in name or _is_address(name)

    def check_origin(self, origin: str | None, host: str) -> None:
        """Lets a write or a WebSocket pass that comes from a program, or from a page of this daemon.

        Args:
            origin: The ``Origin`` header, which browsers send and programs do not.
            host: The ``Host`` header.

        Raises:
            ValidationFailed: It comes from a page of another site.
        """
        if origin is None or origin.lower() in self.origins or self._same_site(origin, host):
            return
        raise ValidationFailed.of(
            "Origin", origin, "be this service's own: other sites' pages may not use it"
        )

    def check_site(self, request: "web.Request", *, page: bool) -> None:
        """Lets a request pass that no page of another site has made a browser send, as far as the browser tells.

        ``Origin`` is missing on the simplest of them (an image, a script): ``Sec-Fetch-Site`` is not, and no page can
        change it. A page whose ``Origin`` is there and good may ask from elsewhere.

        Args:
            request: The request.
            page: Whether it is for a page of ours, to which a link may lead.

        Raises:
            ValidationFailed: It comes from a page of another site.
        """
        headers = request.headers
        origin = headers.get("Origin")
        self.check_origin(origin, headers["Host"])
        site = headers.get("Sec-Fetch-Site", "none").lower()
        linked = page and headers.get("Sec-Fetch-Mode") == "navigate"
        if site in ("none", "same-origin") or linked or origin is not None:
            return
        raise ValidationFailed.of(
            "Sec-Fetch-Site", site, "be same-origin or none: other sites' pages may not use this service"
        )

    async def dress(self, request: "web.Request", response: "web.StreamResponse") -> None:
        """Puts on what browsers need to hear: which foreign pages may read the answer, and to come by TLS."""
        if request.secure:
            response.headers["Strict-Transport-Security"] = "max-age=31536000"
        if not self.origins:
            return
        response.headers.add("Vary", "Origin")
        origin = request.headers.get("Origin", "")
        if origin.lower() not in self.origins:
            return
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = "Idempotency-Replayed, Retry-After, X-Request-Id"
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        if request.method == "OPTIONS":
            response.headers["Access-Control-Allow-Methods"] = "GET, POST, PUT, DELETE"
            response.headers["Access-Control-Allow-Headers"] = _FOREIGN_HEADERS
            response.headers["Access-Control-Max-Age"] = "600"

    def _same_site(self, origin: str, host: str) -> bool:
        try:
            page, here = urlsplit(origin), urlsplit(f"//{host}")
            port = page.port or {"http": 80, "https": 443}.get(page.scheme, 0)
            own_port = here.port or {"http": 80, "https": 443}.get(page.scheme, 0)
        except ValueError:
            return False
        if page.scheme not in ("http", "https") or page.path or page.query or port != own_port:
            return False
        name, own = page.hostname or "", here.hostname or ""
        return name == own or (is_loopback(name) and is_loopback(own))


def words(text: str) -> list[str]:
    """The words of a list with commas, in lower case."""
    return [word.strip().lower() for word in text.split(",") if word.strip()]


def _checked_name(name: str) -> str:
    bare = name.strip("[]")
    if _hostname(name) != bare and not _is_address(bare):
        raise ValidationFailed.of(
            "FTSERVICE_ALLOWED_HOSTS", name, "hold names such as ft.example, without port and wildcard"
        )
    return bare


def _checked_origin(origin: str) -> str:
    try:
        parts = urlsplit(origin)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # no port, or no address
        good = False
    if not good or origin.count("/") != 2 or "*" in origin:
        raise ValidationFailed.of(
            "FTSERVICE_ALLOWED_ORIGINS",
            origin,
            "hold origins such as https://app.example:8443, and no wildcard",
        )
    return origin


def _hostname(host: str) -> str:
    """The name in a ``Host`` header, in lower case; empty where it is not well formed."""
    found = _HOST.fullmatch(host)
    return found[1].strip("[]").lower() if found and int(found[2] or 0) <= _LAST_PORT else ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
