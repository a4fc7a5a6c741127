"""What operations may ask of the trading side: journal and limits."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from ftcli.models.trading import Facts, JournalEntry, JournalState, LimitTable, OrderCheck


class TradingDesk(Protocol):
    """The trading side of a client."""

    def needs(self, account: str, order: Any) -> tuple[list[str], set[str]]:
        """The symbols and rules that facts are wanted of, to check an order."""
        ...

    def check(self, account: str, order: Any, facts: Facts) -> OrderCheck:
        """What the gate would say to an order."""
        ...

    def limit_table(self) -> LimitTable:
        """Every limit in force, and how much of it is used today."""
        ...

    def entries(self, state: str, account: str, count: int | None) -> list[JournalEntry]:
        """Placements, the latest first."""
        ...

    def at_once(self) -> AbstractContextManager[None]:
        """Inside, the journal waits for no other writer."""
        ...

    def entry(self, key: str) -> JournalEntry:
        """One placement, by number, idempotency key or confirmation number."""
        ...

    def placement(self, number: int) -> JournalEntry:
        """One placement that is there, by its number."""
        ...

    def unresolved(self) -> list[JournalEntry]:
        """The placements whose answer was lost."""
        ...

    def known_numbers(self, account: str) -> set[str]:
        """Every confirmation number the journal knows of an account."""
        ...

    def numbers_of_others(self, entry: JournalEntry) -> set[str]:
        """The confirmation numbers of a placement's account that prove nothing of it."""
        ...

    def settle(
        self,
        number: int,
        state: JournalState,
        *,
        since: JournalState = JournalState.UNKNOWN,
        claims: Sequence[str] = (),
        **detail: Any,
    ) -> bool:
        """Notes what evidence says of a lost order; answers whether it was noted."""
        ...

    def resolve(
        self, key: str, placed: bool, reason: str, conf_nums: Sequence[str] | None = None
    ) -> JournalEntry:
        """Notes what a person found out about a lost order."""
        ...

    def adopt(self, account: str, number: str, order: dict[str, Any]) -> bool:
        """Notes an order found at the broker that was not placed here; answers whether it was new."""
        ...
