"""The paper broker as a whole: market, engine, state, logins and clock behind one desk.

desk = open_desk(settings)
respond(desk, PaperRequest(method="POST", path="/ftgw/dp/position/v2", ...))
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from ftcli.clock import Clock, frozen_clock, system_clock
from ftcli.config import Settings
from ftcli.errors import ValidationFailed
from ftcli.models.values import read_datetime
from ftcli.paper.documents import clear_documents
from ftcli.paper.engine import Engine
from ftcli.paper.faults import FaultBoard
from ftcli.paper.logins import Logins, User
from ftcli.paper.market import Market
from ftcli.paper.price_triggers import TriggerWatch
from ftcli.paper.state import State

DEMO_USERNAME = "demo"
DEMO_PASSWORD = "open-sesame"  # nosec B105 # noqa: S105 - the paper broker's, printed in the docs


class Desk:
    """One paper broker.

    Args:
        state: Where its world is kept.
        market: The market its orders meet.
        clock: Tells the time; frozen in tests and demos.
        user: Who may log in.
        seed: Seed of accounts and numbers.
        faults: Switches of :mod:`ftcli.paper.faults` that are set from the start.
    """

    def __init__(
        self,
        state: State,
        market: Market,
        clock: Clock,
        user: User,
        seed: int,
        faults: Mapping[str, str] | None = None,
    ) -> None:
        self.state = state
        self.market = market
        self.clock = clock
        self.logins = Logins(user)
        self.engine = Engine(state, market, clock, seed=seed)
        self.engine.watchers.append(TriggerWatch(state, market))
        self.faults = FaultBoard(state, faults or {}, self.logins)
        self.member_id = hashlib.blake2b(f"member {seed}".encode(), digest_size=8).hexdigest()

    def now(self) -> datetime:
        """The present moment on the desk's clock."""
        return self.clock()

    def reset(self) -> None:
        """Forgets all orders, history and lists: the accounts are as on the first day."""
        self.state.reset()
        clear_documents(self.state)

    def summary(self) -> dict[str, Any]:
        """What `ft paper status` shows: state file, clock, market hours, accounts, orders."""
        now = self.now()
        return {
            "state": str(self.state.path),
            "now": now,
            "market_open": self.market.is_open(now),
            "market_hours": "always" if self.market.always_open else "nyse",
            "session": self.market.session_state(now),
            "accounts": [account.number for account in self.engine.accounts()],
        }


def open_desk(settings: Settings) -> Desk:
    """The paper broker of the settings: its state file, seed, market hours and clock.

    Raises:
        ValidationFailed: The clock does not parse.
    """
    path = settings.paper_db or settings.data_path("paper.sqlite")
    totp = settings.paper_totp.reveal() if settings.paper_totp else None
    return Desk(
        state=State(Path(path)),
        market=Market(seed=settings.paper_seed, always_open=settings.paper_market == "always"),
        clock=paper_clock(settings),
        user=User(username=DEMO_USERNAME, password=DEMO_PASSWORD, totp_secret=totp),
        seed=settings.paper_seed,
        faults=settings.paper_faults,
    )


def paper_clock(settings: Settings) -> Clock:
    """The system's clock, or one frozen at ``FT_PAPER_CLOCK``.

    Raises:
        ValidationFailed: The setting is no moment.
    """
    if not settings.paper_clock:
        return system_clock
    moment = read_datetime(settings.paper_clock)
    if moment is None:
        raise ValidationFailed.of(
            "FT_PAPER_CLOCK", settings.paper_clock, "be a moment such as 2026-11-25T10:30:00-05:00"
        )
    return frozen_clock(moment)
