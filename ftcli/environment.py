"""Opens the core on the broker the settings name: the paper broker, a simulator, or the real one.

This is the only place that knows both the client and the paper broker. Command line, daemon and SDK users all
come in through :func:`open_client`.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from ftcli import config
from ftcli.client import Client
from ftcli.clock import Clock, system_clock
from ftcli.config import Settings
from ftcli.errors import ValidationFailed
from ftcli.redaction import Secret

if TYPE_CHECKING:
    from ftcli.credentials.credentials import Credentials


@asynccontextmanager
async def open_client(
    settings: Settings | None = None, *, environ: Mapping[str, str] | None = None, **overrides: Any
) -> AsyncIterator[Client]:
    """Opens a client, and closes it at the end.

    Args:
        settings: Settings in force; read from all layers (:mod:`ftcli.config`) where left out.
        environ: The environment to read them from.
        overrides: Single settings by name, such as ``environment="paper"``.

    Raises:
        ValidationFailed: A setting does not parse.
    """
    settings = settings or config.load(overrides, environ)
    async with AsyncExitStack() as stack:
        if settings.is_paper and not settings.upstream:
            client = paper_client(settings, stack)
        else:
            client = live_client(settings)
        try:
            yield client
        finally:
            await client.aclose()


def live_client(settings: Settings, clock: Clock = system_clock) -> Client:
    """A client of the real broker, or of whatever the host overrides point at."""
    from ftcli.credentials.credentials import CredentialStore
    from ftcli.credentials.keys import KeySource
    from ftcli.credentials.os_keyring import OsKeyring
    from ftcli.credentials.session_store import SessionStore
    from ftcli.transport.broker import Broker

    keyring = OsKeyring()  # one for all: where it does not answer, that is waited for once
    # To the broker all session names are one user: they share the count of logins.
    counted = settings.data_path(f"session-{settings.environment}.bin.logins")
    store = SessionStore(session_path(settings), KeySource(settings, keyring), counted=counted)
    credentials = paper_credentials(settings) if settings.is_paper else CredentialStore(settings, keyring).get
    broker = Broker(settings, clock=clock, store=store, credentials=credentials, auto_login=settings.is_paper)
    return Client(settings, broker, clock)


def session_path(settings: Settings) -> Path:
    """The session file: shared by all processes of the same environment and the same session name.

    Raises:
        ValidationFailed: The session's name is no word.
    """
    name = settings.session
    if name and not (name.replace("-", "").isalnum() and name.isascii() and len(name) <= 40):
        raise ValidationFailed.of("session", name, "be a short word of letters, digits and dashes")
    return settings.data_path(f"session-{settings.environment}{f'-{name}' if name else ''}.bin")


def paper_client(settings: Settings, stack: AsyncExitStack) -> Client:
    """A client of the paper broker inside this process.

    Args:
        settings: The settings in force.
        stack: Ends what the client opens; its streams run through a socket on this machine.
    """
    from ftcli.paper.desk import open_desk
    from ftcli.transport import http  # first: it imports httpx without httpx's own command line

    assert http
    from ftcli.paper.door import PaperDoor
    from ftcli.transport.broker import Broker
    from ftcli.transport.hosts import Hosts

    desk = open_desk(settings)
    broker = Broker(
        settings,
        clock=desk.clock,
        door=PaperDoor(desk),
        credentials=paper_credentials(settings),
        auto_login=True,
    )

    served: list[str] = []

    async def stream_url(key: str) -> str:
        from ftcli.paper.server import running  # deferred: aiohttp is only needed for streams

        if not served:
            served.append(await stack.enter_async_context(running(desk)))
        upstream = msgspec.structs.replace(settings, upstream=served[0])
        return Hosts(upstream).url(key)

    return Client(settings, broker, desk.clock, stream_url)


def paper_credentials(settings: Settings) -> "Callable[[], Credentials | None]":
    """Answers the paper broker's own user: paper logs in by itself."""

    def answer() -> "Credentials | None":
        from ftcli.credentials.credentials import Credentials
        from ftcli.paper.desk import DEMO_PASSWORD, DEMO_USERNAME

        return Credentials(
            username=DEMO_USERNAME, password=Secret(DEMO_PASSWORD), totp=settings.paper_totp, origin="paper"
        )

    return answer
