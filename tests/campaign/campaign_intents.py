"""What the campaign's clients want: orders of every family, each with a mark of its own."""

import random
from collections import Counter
from decimal import Decimal
from typing import Any, Generic, TypeVar

MARGIN, CASH = "Z20000025", "Z10000017"
SHARES = ("KO", "PEP", "JNJ", "PG")
STRIKES = (270, 280, 290, 300)
FAMILIES = ("equity", "option", "options", "conditional", "replace", "conditional_replace")
CHANGES = ("replace", "conditional_replace")
"""Families that change an open order."""
FACES = ("sdk",) * 3 + ("http",) * 5 + ("cli",) * 2 + ("cli process",) * 2
Mark = tuple[str, int, Decimal | None]
"""Symbol of the first leg, number of legs, price: what tells an intent's order in the ledger."""

Card = TypeVar("Card")


class Deck(Generic[Card]):
    """Deals cards in random order, all of them before one comes again."""

    def __init__(self, cards: tuple[Card, ...], chance: random.Random) -> None:
        self._cards, self._chance = cards, chance
        self._left: list[Card] = []

    def deal(self) -> Card:
        """The next card."""
        if not self._left:
            self._left = self._chance.sample(self._cards, len(self._cards))
        return self._left.pop()


class Intent:
    """One order somebody wants once: its family, its unmistakable mark, and what became of the tries.

    Args:
        number: Its place among the intents of its kind: it makes symbol and price. The prices are small, so
            that thousands fit into the accounts, and far from the market, so that all stay open.
        key: Idempotency key, None for a client that has none.
    """

    def __init__(self, number: int, family: str, face: str, key: str | None) -> None:
        self.family, self.face, self.key = family, face, key
        self.account = CASH if family == "replace" else MARGIN
        which, step = number % 4, number // 4
        self.price = Decimal((10 if kind_of(family) else 100) + step) / 100
        self.share, self.strike = SHARES[which], STRIKES[which]
        self.outcomes: list[str] = []

    @property
    def mark(self) -> Mark:
        """What tells its order in the ledger."""
        if not kind_of(self.family):
            return self.share, 1, self.price
        return f"AAPL270319C{self.strike}", 2 if self.family == "options" else 1, self.price

    def body(self, original: str = "") -> dict[str, Any]:
        """The order, as JSON.

        Args:
            original: Number of the open order that a change changes.
        """
        equity = {
            "account": self.account,
            "symbol": self.share,
            "action": "buy",
            "quantity": 1,
            "order_type": "limit",
            "limit_price": self.price,
        }
        if self.family == "option":
            contract = {"symbol": f"AAPL 2027-03-19 {self.strike} C", "action": "buy_to_open"}
            return {"order": {**equity, **contract}}
        if self.family == "options":
            return {"order": self._spread()}
        if self.family == "conditional":
            sale = {**equity, "action": "sell", "limit_price": 900}
            return {"order": {"condition": "oto", "orders": [equity, sale]}}
        if self.family == "replace":
            return {"order": equity, "replaces": original}
        if self.family == "conditional_replace":
            return {"order": {"condition": "oto", "changes": [{"order": equity, "replaces": original}]}}
        return {"order": equity}

    def _spread(self) -> dict[str, Any]:
        legs = [
            {"symbol": f"AAPL 2027-03-19 {strike} C", "action": action, "quantity": 1}
            for strike, action in ((self.strike, "buy_to_open"), (self.strike + 10, "sell_to_open"))
        ]
        return {"account": self.account, "legs": legs, "direction": "debit", "net_price": self.price}

    def original(self) -> "Intent":
        """For a change: the open order that it changes, at a price that is no intent's."""
        before = Intent(0, "equity" if self.family == "replace" else "conditional", "sdk", None)
        before.account, before.share, before.price = self.account, self.share, Decimal("0.5")
        return before


def kind_of(family: str) -> str:
    """Families of one kind share their numbers, because their orders could not be told apart; empty: shares."""
    return family if family in ("option", "options") else ""


def make_intents(count: int, chance: random.Random) -> list[Intent]:
    """Intents of all families and faces."""
    families, faces = Deck(FAMILIES, chance), Deck(FACES, chance)
    numbers: Counter[str] = Counter()
    intents = []
    for index in range(count):
        family, face = families.deal(), faces.deal()
        key = f"key-{index}" if chance.random() < 0.6 else None
        intents.append(Intent(numbers[kind_of(family)], family, face, key))
        numbers[kind_of(family)] += 1
    return intents
