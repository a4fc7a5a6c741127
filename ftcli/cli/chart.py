"""The findings of ``ft doctor``: each with its time and outcome, fit to be shown to strangers."""

import asyncio
import contextlib
import getpass
import os
import re
import socket
import time
from collections.abc import Awaitable, Callable
from typing import Any

from ftcli.errors import FtError
from ftcli.redaction import redact_log

Row = dict[str, Any]
Said = tuple[str, str, str | None]
"""Status, outcome, advice."""


class Chart:
    """Collects the findings.

    Args:
        limit: Seconds that one look may take.

    Attributes:
        rows: The findings.
        exit_status: That of the first failure, as a command that met it would end; 0 without one.
    """

    def __init__(self, limit: float) -> None:
        self.rows: list[Row] = []
        self.exit_status = 0
        self._limit = limit

    def add(
        self,
        check: str,
        status: str,
        outcome: str,
        advice: str | None = None,
        ms: float | None = None,
        exit_status: int = 1,
    ) -> None:
        """Adds a finding, with everything private masked."""
        if status == "failed":
            self.exit_status = self.exit_status or exit_status
        self.rows.append(
            {
                "check": check,
                "status": status,
                "ms": None if ms is None else round(ms),
                "outcome": _for_strangers(outcome),
                "advice": _for_strangers(advice) if advice else None,
            }
        )

    async def look(
        self,
        check: str,
        ask: Callable[[], Awaitable[Said]],
        advise: Callable[[FtError], Said | str | None] = lambda problem: None,
        *,
        limited: bool = True,
    ) -> bool:
        """Looks at one thing; whatever goes wrong is a finding, and the next look follows.

        Args:
            check: Its name.
            ask: Looks.
            advise: What to do about an error, or a finding that takes its place.
            limited: Whether it may be broken off: not where that could do harm.
        """
        started = time.perf_counter()
        exit_status = 1
        try:
            async with asyncio.timeout(self._limit if limited else None):
                said = await ask()
        except FtError as problem:
            exit_status = problem.exit_status
            advice = advise(problem)
            said = (
                advice
                if isinstance(advice, tuple)
                else ("failed", f"{problem.code}: {problem.message}", advice)
            )
        except TimeoutError:
            exit_status = 10
            said = "failed", f"no answer within {self._limit:g} s", None
        except Exception as problem:
            said = "failed", f"{type(problem).__name__}: {problem}", None
        self.add(check, *said, (time.perf_counter() - started) * 1000, exit_status)
        return said[0] in ("ok", "warning")


def _for_strangers(text: str) -> str:
    """The text without secrets and accounts, and without the names of home, user and machine.

    They become what a shell calls them: a command in it can still be pasted, unless quotes keep them as they are.
    """
    clean = redact_log(text)
    for name, shown in _private_names():
        clean = re.sub(
            rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])", shown, clean, flags=re.IGNORECASE
        )
    return clean


def _private_names() -> list[tuple[str, str]]:
    home = os.path.expanduser("~")
    names = [(path, "~") for path in (home, os.path.realpath(home)) if len(path) > 1]
    machine = socket.gethostname()
    names += [(name, "$HOSTNAME") for name in (machine, machine.partition(".")[0]) if name != "localhost"]
    with contextlib.suppress(KeyError, OSError, ImportError):  # a user without a name, as in containers
        names.append((getpass.getuser(), "$USER"))
    return [(name, shown) for name, shown in names if name and name != "root"]
