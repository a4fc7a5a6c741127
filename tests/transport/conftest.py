from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from broker_double import FERNET_KEY, PASS, USER, BrokerDouble, Clock

from ftcli.config import Settings
from ftcli.credentials.credentials import Credentials
from ftcli.credentials.keys import KeySource
from ftcli.credentials.session_store import SessionStore
from ftcli.redaction import Secret
from ftcli.transport.broker import Broker

# Decoding is quick, but the machine that runs the tests may be busy.
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def double(clock: Clock) -> AsyncIterator[BrokerDouble]:
    double = BrokerDouble(clock)
    double.url = await double.start()
    yield double
    await double.stop()


@pytest.fixture
def make(double: BrokerDouble, clock: Clock, tmp_path: Path) -> Callable[..., Broker]:
    """Makes brokers of the double: ``stored`` share one session file, ``totp`` belongs to the credentials."""

    def build(
        *,
        stored: bool = False,
        credentials: bool = True,
        totp: str = "",
        auto_login: bool = False,
        **settings: Any,
    ) -> Broker:
        settings = {"upstream": double.url, "timeout": 5.0, "encryption_key": Secret(FERNET_KEY), **settings}
        chosen = Settings(data_dir=tmp_path, **settings)
        store = SessionStore(tmp_path / "test.session", KeySource(chosen)) if stored else None
        known = Credentials(username=USER, password=Secret(PASS), totp=Secret(totp) if totp else None)
        return Broker(
            chosen,
            clock=clock,
            store=store,
            credentials=(lambda: known) if credentials else None,
            auto_login=auto_login,
            sleep=clock.sleep,
            chance=lambda: 0.5,
        )

    return build


@pytest.fixture
async def broker(make: Callable[..., Broker]) -> AsyncIterator[Broker]:
    """A broker that is logged in."""
    async with make() as broker:
        await broker.login()
        yield broker
