"""The only module that imports httpx: one request out, one answer or one classified failure back.

httpx's package imports its own command line tool (``httpx._main``: click, rich, pygments) whenever
those happen to be installed, about 60 ms that no caller of ours ever needs. While the package loads,
a placeholder stands in that module's place; afterwards it is gone and ``import httpx._main`` works.
"""

import asyncio
import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from importlib.util import find_spec
from types import ModuleType
from typing import Any, Literal
from urllib.request import getproxies, proxy_bypass

import msgspec

from ftcli.errors import ValidationFailed


def _import_without_its_cli() -> None:
    name = "httpx._main"
    if "httpx" in sys.modules or name in sys.modules:
        return

    def main() -> None:
        from httpx._main import main as real

        real()

    placeholder = ModuleType(name)
    placeholder.main = main  # type: ignore[attr-defined]
    sys.modules[name] = placeholder
    try:
        import httpx  # noqa: F401
    finally:
        sys.modules.pop(name, None)


_import_without_its_cli()

import httpx  # noqa: E402 - only after the placeholder stood

if find_spec("sniffio") is None:
    # httpcore tries to import it six times a request to learn whether it runs under trio. Python searches the
    # whole path each time for a module that is missing (0.4 ms a request), unless it is told that it is.
    sys.modules["sniffio"] = None  # type: ignore[assignment]

# Their debug records hold header lines, cookies and all. Whoever sets a level on purpose keeps it.
for _name in ("httpx", "httpcore"):
    if logging.getLogger(_name).level == logging.NOTSET:
        logging.getLogger(_name).setLevel(logging.WARNING)

FailureKind = Literal["connect", "timeout", "network", "unreadable"]


class Answer(msgspec.Struct, frozen=True):
    """An HTTP answer, whatever its status.

    Attributes:
        status: HTTP status.
        headers: (name in lower case, value) in order, repeated ones repeated.
        body: The bytes after content decoding.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        """The first header of that name (lower case)."""
        return next((value for key, value in self.headers if key == name), None)

    def __repr__(self) -> str:
        # Headers and bodies hold cookies and account data.
        return f"Answer(status={self.status}, {len(self.body)} bytes)"


class Failure(Exception):
    """No answer came.

    Attributes:
        kind: ``connect`` (no connection, TLS or DNS), ``timeout``, ``network`` (the connection broke) or
            ``unreadable`` (the answer's encoding is broken).
        sent: Whether a part of the request may have left this machine.
        reason: The library's words for it.
    """

    def __init__(self, kind: FailureKind, sent: bool, reason: str) -> None:
        super().__init__(f"{kind}: {reason}")
        self.kind = kind
        self.sent = sent
        self.reason = reason


_parsed = lru_cache(maxsize=100)(httpx.URL)

_NEVER_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)


class _Progress:
    """Watches an exchange through httpcore's trace hook: was anything written?

    Args:
        traced: Whether the transport is sure to report; a stranger has proved it by reporting once.
        last_word: Called before anything is written; what it raises ends the exchange.
    """

    def __init__(self, *, traced: bool, last_word: Callable[[], None] | None) -> None:
        self.traced = traced
        self.writing = False
        self._last_word = last_word
        if last_word is not None and not traced:
            last_word()

    async def note(self, event: str, info: dict[str, Any]) -> None:
        self.traced = True
        # A proxy is first asked for a way to the broker: nothing of the request itself has left with that.
        if (
            "send_request_headers.started" in event
            and getattr(info.get("request"), "method", b"") != b"CONNECT"
        ):
            if self._last_word is not None:
                self._last_word()
            self.writing = True

    def sent(self, problem: Exception) -> bool:
        """Exact where the door reports its progress; otherwise by the exception, and "yes" in doubt."""
        return self.writing if self.traced else not isinstance(problem, _NEVER_SENT)


_LOCAL_CONNECTIONS = 4
"""To a simulator on this machine: as many calls at once as the pace lets through to the broker. httpcore looks at
every idle connection for every request, so that more of them would only cost time."""


class _Way:
    """One of httpx's transports.

    Attributes:
        transport: The transport.
        calls: How many calls are under way on it.
        is_given_up: Whether no other call may take it.
    """

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self.transport = transport
        self.calls = 0
        self.is_given_up = False


class HttpDoor:
    """The way out of the process. Neither cookies nor redirects nor retries happen here.

    For that reason requests go to httpx's transport and not through its client, which would keep cookies and
    follow redirects of its own; what would be left of it is choosing the proxy.

    A call that is broken off, by its time limit or by its caller, can leave httpcore's pool with a connection that it
    takes for busy for ever, until none is left and every later call waits in vain. So a transport on which that
    happened is given up: later calls get a new one, and it is closed with the last call under way on it.

    Args:
        door: A transport to use instead of the network, such as the in-process paper broker.
        local: Every host is this machine: no proxy from the environment, and certificates for ``https`` only.
    """

    def __init__(self, door: httpx.AsyncBaseTransport | None = None, *, local: bool = False) -> None:
        self._given = _Way(door) if door is not None else None
        self._local = local
        self._ways: dict[str, _Way] = {}
        self._trust: Any = None
        self._closing: set[asyncio.Task[None]] = set()

    def _way_to(self, url: httpx.URL) -> _Way:
        """The transport for a URL; the environment may name a proxy for its host (``HTTPS_PROXY`` ...)."""
        if self._given is not None:
            return self._given
        name = url.scheme
        if not self._local:
            proxies = {} if proxy_bypass(url.host) else getproxies()
            name = proxies.get(url.scheme, proxies.get("all", ""))
        if name not in self._ways:
            self._ways[name] = _Way(self._local_transport(name) if self._local else self._transport(name))
        return self._ways[name]

    def _transport(self, proxy: str) -> httpx.AsyncHTTPTransport:
        return httpx.AsyncHTTPTransport(verify=self._certificates(), proxy=proxy or None)

    def _local_transport(self, scheme: str) -> httpx.AsyncHTTPTransport:
        import ssl

        # For plain HTTP, a context that trusts nobody is as strict and costs nothing.
        trust = self._certificates() if scheme == "https" else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        limits = httpx.Limits(max_connections=_LOCAL_CONNECTIONS)
        return httpx.AsyncHTTPTransport(verify=trust, trust_env=False, limits=limits)

    def _certificates(self) -> Any:
        if self._trust is None:  # loading them takes 20 ms
            self._trust = certificates()
        return self._trust

    @contextmanager
    def _on(self, way: _Way) -> Iterator[httpx.AsyncBaseTransport]:
        """A call on a transport, which is given up where the call is broken off."""
        way.calls += 1
        try:
            yield way.transport
        except httpx.HTTPError:
            raise  # httpcore's own, after which its pool is in order
        except BaseException:
            self._give_up(way)
            raise
        finally:
            way.calls -= 1
            if way.is_given_up and not way.calls:
                closing = asyncio.ensure_future(way.transport.aclose())
                self._closing.add(closing)
                closing.add_done_callback(self._closing.discard)

    def _give_up(self, way: _Way) -> None:
        if way is not self._given:
            way.is_given_up = True
            self._ways = {name: other for name, other in self._ways.items() if other is not way}

    async def exchange(
        self,
        method: str,
        url: str,
        headers: dict[str, str],
        content: bytes | None,
        time_limit: float,
        last_word: Callable[[], None] | None = None,
    ) -> Answer:
        """Sends one request and reads the whole answer.

        Args:
            method: HTTP method.
            url: Complete URL.
            headers: Headers, sent in this casing; ``Host`` and ``Content-Length`` are added.
            content: The body, ``None`` for none.
            time_limit: Seconds for the whole exchange.
            last_word: Called when a connection stands, before the first byte; what it raises is raised here.

        Raises:
            Failure: No usable answer came.
            ValidationFailed: The certificates to trust by cannot be read.
        """
        request = httpx.Request(
            method,
            _parsed(url),
            # A cookie may hold any byte; httpx would insist on ASCII.
            headers=[(name.encode(), value.encode()) for name, value in headers.items()],
            content=content,
        )
        way = self._way_to(request.url)
        traced = isinstance(way.transport, httpx.AsyncHTTPTransport)
        progress = _Progress(traced=traced, last_word=last_word)
        request.extensions["trace"] = progress.note
        try:
            # All of it is timed, so that httpx need not time each step as well.
            async with asyncio.timeout(time_limit):
                with self._on(way) as transport:
                    response = await transport.handle_async_request(request)
                    try:
                        body = await response.aread()
                    finally:
                        await response.aclose()
            return Answer(response.status_code, tuple(response.headers.multi_items()), body)
        except (httpx.TimeoutException, TimeoutError) as problem:
            failure = Failure("timeout", progress.sent(problem), f"no answer within {time_limit:g} s")
        except (httpx.ConnectError, httpx.ProxyError, httpx.UnsupportedProtocol) as problem:
            failure = Failure("connect", progress.sent(problem), str(problem))
        except httpx.DecodingError as problem:
            failure = Failure("unreadable", True, str(problem))
        except httpx.HTTPError as problem:
            failure = Failure("network", progress.sent(problem), str(problem) or type(problem).__name__)
        # Raised out here so that no traceback carries the request with its cookies and body.
        raise failure

    async def aclose(self) -> None:
        """Closes the connections."""
        for way in (self._given, *self._ways.values()):
            if way is not None:
                await way.transport.aclose()
        # What fails to close has nothing left to lose, and must not hide what the command came to.
        await asyncio.gather(*self._closing, return_exceptions=True)


def certificates() -> Any:
    """The TLS context that calls to the broker trust by: ``SSL_CERT_FILE`` or ``SSL_CERT_DIR``, else certifi's list.

    Raises:
        ValidationFailed: What is named cannot be read.
    """
    try:
        return httpx.create_ssl_context()
    except OSError as problem:  # an ssl.SSLError too
        name = "SSL_CERT_FILE" if os.environ.get("SSL_CERT_FILE") else "SSL_CERT_DIR"
        raise ValidationFailed.of(
            name, os.environ.get(name), f"name certificates in PEM ({problem.strerror or problem})"
        ) from None
