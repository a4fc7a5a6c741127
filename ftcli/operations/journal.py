"""The journal of orders, to be read."""

import re
from typing import Annotated, Any

from ftcli.errors import ValidationFailed
from ftcli.models.trading import JournalEntry, JournalPage, JournalState
from ftcli.operations.operation import Core, Group, Param, operation
from ftcli.operations.params import clean_account
from ftcli.operations.reconcile import JournalKey
from ftcli.redaction import ACCOUNT

MOST = 1000

AccountFilter = Annotated[
    str | None,
    Param("Only of this account.", cli=("--account",), example="Z20000025"),
]
StateFilter = Annotated[
    JournalState | None, Param("Only those in this state, such as unknown.", example="unknown")
]


class JournalGroup(Group):
    """Every order placed from here: who placed it, when, and what came of it."""

    name = "orders.journal"

    @operation(
        "GET", "/orders/journal", examples=("orders journal list", "orders journal list --state unknown")
    )
    async def list(
        self,
        account: AccountFilter = None,
        state: StateFilter = None,
        count: Annotated[int, Param("How many at most, the latest first.")] = 100,
    ) -> JournalPage:
        """List placements, the latest first, with where each stands.

        An order is in the journal before its first byte is sent; nothing in it is ever altered.
        """
        if not 1 <= count <= MOST:
            raise ValidationFailed.of("count", count, f"be 1 to {MOST}")
        return JournalPage(entries=_entries(self.core, account, state, count))

    @operation("GET", "/orders/journal/export", examples=("orders journal export -o json",))
    async def export(
        self,
        account: AccountFilter = None,
        state: StateFilter = None,
        accounts_shown: Annotated[
            bool, Param("Show account numbers; they are masked otherwise.", cli=("--show-accounts",))
        ] = False,
    ) -> JournalPage:
        """Export the whole journal with every change of state. Account numbers are masked unless you ask."""
        entries = _entries(self.core, account, state, None)
        return JournalPage(entries=entries if accounts_shown else [_masked(entry) for entry in entries])

    @operation("GET", "/orders/journal/{key}", examples=("orders journal show 2DI0KXQ4",))
    async def show(self, key: JournalKey) -> JournalEntry:
        """Show one placement with every change of its state, the broker's messages and the evidence.

        Raises:
            NotFound: The journal has no such placement.
        """
        return self.core.desk.entry(key)


def _entries(
    core: Core, account: str | None, state: JournalState | None, count: int | None
) -> list[JournalEntry]:
    return core.desk.entries(state.value if state else "", clean_account(account) if account else "", count)


def _masked(entry: JournalEntry) -> JournalEntry:
    """The entry without account numbers: its own wherever it stands, and whatever else looks like one."""
    number = re.compile(rf"{re.escape(entry.account)}|{ACCOUNT.pattern}", re.IGNORECASE)

    def walk(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: walk(item) for name, item in value.items()}
        if isinstance(value, list):
            return [walk(item) for item in value]
        if isinstance(value, str):
            return number.sub(lambda found: f"***{found.group()[-4:]}", value)
        return value

    for change in entry.changes:
        change.message = walk(change.message)
        change.evidence, change.messages = walk(change.evidence), walk(change.messages)
    entry.order, entry.key = walk(entry.order), walk(entry.key)
    entry.account = walk(entry.account)
    return entry
