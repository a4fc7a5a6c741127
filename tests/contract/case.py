"""What a contract case says: one call that must give the same answer through SDK, command line and HTTP."""

from collections.abc import Callable
from typing import Any, NamedTuple

from ftcli.errors import FtError

MARGIN = "Z20000025"
"""The paper broker's margin account, with options."""
CASH = "Z10000017"
"""Its individual cash account."""
ROTH = "240000041"
"""Its Roth IRA."""


class Case(NamedTuple):
    """One call on three faces.

    Attributes:
        operation: Dotted name: ``accounts.positions``.
        arguments: Raw arguments by parameter name, as JSON would carry them.
        error: The error class expected instead of an answer.
        check: Says more of the answer (our document as JSON) than that the faces agree.
        before: Calls that set the stage on the same broker, each (operation, arguments); arguments may hold
            ``"$conf_num"``, which stands for the last confirmation number minted before, and likewise the
            other names in ``faces.MINTED``; ``"$conf_nums[0]"`` is the first of several, ``"$1.conf_num"`` that
            of the second call before.
    """

    operation: str
    arguments: dict[str, Any] = {}
    error: type[FtError] | None = None
    check: Callable[[Any], None] | None = None
    before: tuple[tuple[str, dict[str, Any]], ...] = ()
