"""What operations may ask of the trading side: journal and limits."""

from typing import Any, Protocol

from ftcli.models.trading import Facts, JournalEntry, LimitTable, OrderCheck


class TradingDesk(Protocol):
    """The trading side of a client."""

    def needs(self, account: str, order: Any) -> tuple[list[str], set[str]]:
        """The symbols and rules that facts are wanted of, to check an order."""
        ...

    def check(self, kind: str, account: str, order: Any, facts: Facts) -> OrderCheck:
        """What the gate would say to an order."""
        ...

    def limit_table(self) -> LimitTable:
        """Every limit in force, and how much of it is used today."""
        ...

    def entries(self, state: str, account: str, count: int | None) -> list[JournalEntry]:
        """Placements, the latest first."""
        ...

    def entry(self, key: str) -> JournalEntry:
        """One placement, by number, idempotency key or confirmation number."""
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

    def settle(self, number: int, evidence: list[str], claims: list[str]) -> bool:
        """Notes that a lost order went in, with what proves it, and the numbers it has at the broker."""
        ...

    def resolve(self, key: str, placed: bool, reason: str) -> JournalEntry:
        """Notes what a person found out about a lost order."""
        ...

    def adopt(self, account: str, number: str, order: dict[str, Any]) -> bool:
        """Notes an order found at the broker that was not placed here; answers whether it was new."""
        ...
