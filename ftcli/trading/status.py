"""Whether orders can be placed, told whatever does not work."""

import sqlite3
from collections.abc import Callable

from ftcli.config import Settings
from ftcli.errors import FtError
from ftcli.models.trading import JournalState, TradingStatus
from ftcli.trading.desk import Desk
from ftcli.trading.switch import KillSwitch


def status(settings: Settings, switch: KillSwitch, desk: Callable[[], Desk]) -> TradingStatus:
    """Whether orders can be placed.

    Args:
        settings: The settings in force.
        switch: The kill switch.
        desk: Opens journal and limits.
    """
    halt = switch.read()
    unresolved, notes = None, []
    try:
        with desk().at_once():  # a halt waits for nobody
            unresolved = len(desk().unresolved())
            partly = desk().entries(JournalState.PARTLY_ACCEPTED.value, "", None)
        if partly:
            named = ", ".join(str(entry.id) for entry in reversed(partly))
            notes.append(
                f"Taken only in part by the broker: placement {named}. See `ft orders journal show`."
            )
    except FtError as problem:
        notes.append(f"No order can be placed: {problem.message}")
    except sqlite3.Error as problem:
        notes.append(f"No order can be placed: the journal cannot be read ({problem}).")
    if halt is not None and settings.is_paper:
        notes.append("This halts paper only; live trading has a kill switch of its own.")
    return TradingStatus(
        halted=halt is not None,
        environment=settings.environment,
        live_trading=settings.live_trading and not settings.is_paper,
        halted_by=halt.halted_by if halt else None,
        halted_at=halt.halted_at if halt else None,
        reason=halt.reason if halt else None,
        unresolved=unresolved,
        note=" ".join(notes) or None,
    )
