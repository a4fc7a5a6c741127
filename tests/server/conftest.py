from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
import server_kit

from ftcli.config import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a daemon whose broker cannot be reached: nothing here needs it."""
    return Settings(
        environment="paper",
        upstream="http://127.0.0.1:9",
        data_dir=tmp_path,
        port=0,
        timeout=2.0,
        log_level="DEBUG",
    )


@pytest.fixture
async def start() -> AsyncIterator[Callable[..., Awaitable[server_kit.Daemon]]]:
    """Starts daemons, and stops them at the end."""
    async with AsyncExitStack() as stack:

        async def begin(settings: Settings, **options: Any) -> server_kit.Daemon:
            return await stack.enter_async_context(server_kit.daemon(settings, **options))

        yield begin


@pytest.fixture
async def daemon(settings: Settings, start: Callable[..., Awaitable[server_kit.Daemon]]) -> server_kit.Daemon:
    """A running daemon."""
    return await start(settings)


@pytest.fixture
async def http(daemon: server_kit.Daemon) -> AsyncIterator[httpx.AsyncClient]:
    """A client with a key that may do everything."""
    async with daemon.client() as client:
        yield client
