"""Where the daemon stands: a port, with TLS where certificates are given, or a private unix socket."""

import asyncio
import contextlib
import errno
import os
import socket
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web

from ftcli.config import Settings
from ftcli.errors import ValidationFailed
from ftcli.server.door import is_loopback
from ftcli.server.protocol import Runner

if TYPE_CHECKING:
    import ssl


def warnings(settings: Settings) -> list[str]:
    """What the person who starts the daemon should hear about where it stands."""
    found = []
    if not settings.api_key_required:
        who = "Whoever may open the socket" if settings.socket else "Every program on this machine"
        found.append(f"WARNING: no API key is required. {who} can use the service.")
    if not settings.socket and not is_loopback(settings.host) and not settings.tls_cert:
        found.append(
            f"WARNING: {settings.host} can be reached from the network and there is no TLS: keys and account data "
            "travel readable. Set FTSERVICE_TLS_CERT, or put a TLS proxy in front."
        )
    key = settings.tls_key or settings.tls_cert
    if key and os.name == "posix" and key.exists() and (rights := key.stat().st_mode & 0o077):
        who = "everybody on this machine" if rights & 0o007 else "its group"
        found.append(f"WARNING: {key} is open to {who}; set it to 0600.")
    return found


async def bind(runner: Runner, settings: Settings) -> str:
    """Begins to listen, and answers the URL.

    Raises:
        ValidationFailed: The port is taken, or the socket cannot be made.
    """
    if settings.socket:
        return await _bind_socket(runner, settings.socket)
    host = settings.host.removeprefix("[").removesuffix("]")
    if not host:
        raise ValidationFailed.of("FTSERVICE_HOST", settings.host, "be an address of this machine")
    site = web.TCPSite(runner, host, settings.port, backlog=AT_ONCE)
    try:
        await site.start()
    except (OSError, ValueError) as problem:  # the latter where the name is none at all
        raise _not_bound(settings, problem) from None
    _lengthen_queue(site)
    # An address that means "every interface" is none to go to.
    host = {"0.0.0.0": "localhost", "::": "::1"}.get(host, host)  # nosec B104 # noqa: S104 - not bound here
    host = f"[{host}]" if ":" in host else host
    return f"{'https' if runner.speaks_tls else 'http'}://{host}:{runner.addresses[0][1]}"


AT_ONCE = 16
"""Clients let in within one turn of the event loop: so many are open before anybody can count them."""
_QUEUE = 128
"""Clients that wait in the system meanwhile."""


def _lengthen_queue(site: web.BaseSite) -> None:
    """Gives the system a longer queue than one turn takes from it; asyncio has one number for both."""
    for listener in site._server.sockets if isinstance(site._server, asyncio.Server) else ():
        with listener.dup() as twin:
            twin.listen(_QUEUE)


def _not_bound(settings: Settings, problem: OSError | ValueError) -> ValidationFailed:
    reason = getattr(problem, "strerror", None) or problem
    if isinstance(problem, socket.gaierror | ValueError) or problem.errno == errno.EADDRNOTAVAIL:
        return ValidationFailed.of(
            "FTSERVICE_HOST", settings.host, f"be an address of this machine ({reason})"
        )
    return ValidationFailed(
        f"Cannot listen on {settings.host}:{settings.port}: {reason}. "
        "Is another ft serve running? Choose another port: FTSERVICE_PORT.",
        details={"field": "FTSERVICE_PORT", "value": str(settings.port), "rule": "be a free port"},
    )


def tls_context(settings: Settings) -> "ssl.SSLContext | None":
    """TLS as the settings want it; ``None`` where there is none, as on a unix socket.

    Raises:
        ValidationFailed: The certificate or its key cannot be used.
    """
    if settings.tls_cert is None:
        if settings.tls_key is not None:
            raise ValidationFailed.of("FTSERVICE_TLS_CERT", None, "be given with FTSERVICE_TLS_KEY")
        return None
    if settings.socket is not None:
        return None
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        # Without the password, OpenSSL would ask for it at the terminal: a service would hang there.
        context.load_cert_chain(settings.tls_cert, settings.tls_key, lambda: _key_password(settings))
    except (OSError, ssl.SSLError) as problem:
        reason = getattr(problem, "strerror", None) or getattr(problem, "reason", None) or "unusable"
        raise ValidationFailed.of(
            "FTSERVICE_TLS_CERT",
            str(settings.tls_cert),
            f"be a PEM certificate with its private key, and the key's password right if it has one ({reason})",
        ) from None
    return context


def _key_password(settings: Settings) -> str:
    if settings.tls_key_password is None:
        raise ValidationFailed.of(
            "FTSERVICE_TLS_KEY",
            str(settings.tls_key or settings.tls_cert),
            "not be encrypted, or its password be in FTSERVICE_TLS_KEY_PASSWORD_FILE",
        )
    return settings.tls_key_password.reveal()


async def _bind_socket(runner: Runner, path: Path) -> str:
    if not hasattr(socket, "AF_UNIX"):  # Windows
        raise ValidationFailed.of(
            "FTSERVICE_SOCKET", str(path), "not be given: there are none on this system"
        )
    _clear(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Bound by ourselves: the file must never exist with wider rights than its own.
        before = os.umask(0o177)
        try:
            listener.bind(str(path))
        finally:
            os.umask(before)
    except OSError as problem:
        listener.close()
        rule = f"be a path where a socket can be made ({problem.strerror or problem})"
        raise ValidationFailed.of("FTSERVICE_SOCKET", str(path), rule) from None
    site = _SocketSite(runner, listener, path)
    await site.start()
    _lengthen_queue(site)
    return site.name


class _SocketSite(web.SockSite):
    """A unix socket that takes its file away with it."""

    __slots__ = ("_file", "_path")

    def __init__(self, runner: Runner, listener: socket.socket, path: Path) -> None:
        super().__init__(runner, listener, backlog=AT_ONCE)
        self._path = path
        self._file = path.lstat()

    @property
    def name(self) -> str:
        """Its URL, as ``FT_DAEMON`` takes it."""
        return f"unix://{self._path.absolute()}"

    async def stop(self) -> None:
        """Listens no more, and removes the file, unless it is another's by now."""
        await super().stop()
        with contextlib.suppress(OSError):
            if os.path.samestat(self._path.lstat(), self._file):
                self._path.unlink()


def _clear(path: Path) -> None:
    """Removes the socket of a daemon that has died; leaves anything else where it is."""
    try:
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise ValidationFailed.of("FTSERVICE_SOCKET", str(path), "not be the path of another file")
    except FileNotFoundError:
        return
    probe = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        probe.settimeout(1)
        probe.connect(str(path))
    except (ConnectionRefusedError, FileNotFoundError):
        path.unlink(missing_ok=True)
    except OSError:
        pass
    else:
        raise ValidationFailed.of("FTSERVICE_SOCKET", str(path), "be free: another ft serve listens there")
    finally:
        probe.close()
