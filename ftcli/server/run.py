"""`ft serve`: opens the core, binds, tells where it listens, keeps the session alive, stops cleanly."""

import asyncio
import contextlib
import logging
import signal
from collections.abc import AsyncIterator, Callable, Iterator

from ftcli.config import Settings
from ftcli.environment import open_client
from ftcli.server import key_changes
from ftcli.server.app import Opener, make_app
from ftcli.server.binding import bind, tls_context, warnings
from ftcli.server.door import check_bind
from ftcli.server.key_watch import KEY_WATCH
from ftcli.server.keys import KeyRing
from ftcli.server.loading import load_everything
from ftcli.server.log import logging_to
from ftcli.server.places import RESERVE, affordable
from ftcli.server.protocol import Runner
from ftcli.server.service import SERVICE
from ftcli.store import Store, db_path

log = logging.getLogger("ftcli.server")

Announce = Callable[[str], None]
HandOver = Callable[[str], str]


def show_key(key: str) -> str:
    """Hands the first API key over to the person who watches."""
    return f"Your first API key, shown only now: {key}"


_STOP_WITHIN = 5.0
_HARD_STOP = 4.5
"""A little less than promised: what still hangs then is cut off."""


async def serve(
    settings: Settings, announce: Announce, *, hand_over: HandOver = show_key, opener: Opener = open_client
) -> None:
    """Runs the daemon until a signal (SIGINT, SIGTERM) or the cancellation of this call ends it.

    Args:
        settings: The settings in force.
        announce: Shows a line to the person who started it.
        hand_over: Hands the first API key over, once; answers the line to announce about it.
        opener: Opens the core.

    Raises:
        ValidationFailed: The address cannot be bound, or is open to the network while no key is required.
        InternalError: The database cannot be opened.
    """
    check_bind(settings)
    _leave_no_core()
    with logging_to(level=settings.log_level):
        async with running(settings, announce, hand_over=hand_over, opener=opener) as url:
            with _signals() as stopped:  # before it says that it listens: who reads that may stop it at once
                log.info("listening on %s, environment %s", url, settings.environment)
                await stopped.wait()
            log.info("stopping")
        log.info("stopped")


@contextlib.asynccontextmanager
async def running(
    settings: Settings,
    announce: Announce = lambda line: None,
    *,
    hand_over: HandOver = show_key,
    opener: Opener = open_client,
) -> AsyncIterator[str]:
    """The daemon, running inside this block; gives its URL. Port 0 takes a free one."""
    check_bind(settings)
    context = tls_context(settings)
    load_everything(paper=settings.is_paper)
    places = affordable(settings.max_connections)
    store = Store(db_path(settings))
    try:
        keys = KeyRing(store, bootstrap=settings.api_key) if settings.api_key_required else None
        app = make_app(settings, keys, opener=opener)
        runner = Runner(app, connections=places, context=context)
        app[KEY_WATCH].places = runner.places
        await runner.setup()
        try:
            url = await bind(runner, settings)
            _tell(settings, url, announce)
            if places < settings.max_connections:
                announce(_few(places, settings.max_connections))
            # Only now: a key made for a start that fails would never be shown, and the next start makes none.
            first = keys.first_key() if keys else None
            if first:
                announce(hand_over(first))
            key_changes.tell(store)
            beat = asyncio.create_task(app[SERVICE].client.beat(settings.keepalive_interval))
            try:
                yield url
            finally:
                beat.cancel()
        finally:
            await _stop(runner)
    finally:
        store.close()


def _tell(settings: Settings, url: str, announce: Announce) -> None:
    trading = (
        "orders go nowhere real"
        if settings.is_paper
        else ("LIVE TRADING IS ON" if settings.live_trading else "live trading is off")
    )
    announce(f"ft serve listens on {url}")
    announce(f"Environment: {settings.environment} ({trading})")
    way = f"curl --unix-socket {url.removeprefix('unix://')} http://localhost" if settings.socket else url
    announce(f"Documentation: {way}/docs")
    for warning in warnings(settings):
        announce(warning)


def _few(places: int, wanted: int) -> str:
    return (
        f"WARNING: {places} connections at once instead of {wanted} (FTSERVICE_MAX_CONNECTIONS): this process may not "
        f"open more files. Raise its limit to {wanted + RESERVE} (ulimit -n, LimitNOFILE=)."
    )


def _leave_no_core() -> None:
    """A crash must not write keys and cookies into a core file."""
    try:
        import resource
    except ImportError:  # Windows
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


async def _stop(runner: Runner) -> None:
    """Ends within five seconds, whatever still hangs."""
    try:
        async with asyncio.timeout(_HARD_STOP):
            await runner.cleanup()
    except TimeoutError:
        log.warning("cut off what had not ended within %.0f s", _STOP_WITHIN)


@contextlib.contextmanager
def _signals() -> Iterator[asyncio.Event]:
    """An event that SIGINT and SIGTERM set."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    caught = []
    for number in (signal.SIGINT, signal.SIGTERM):
        # Neither Windows nor a loop outside the main thread has signal handlers.
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            loop.add_signal_handler(number, stopped.set)
            caught.append(number)
    try:
        yield stopped
    finally:
        for number in caught:
            loop.remove_signal_handler(number)
