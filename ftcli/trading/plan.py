"""Orders judged one after another before any is placed, as if those before had been placed already today."""

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from ftcli.models.trading import Facts, OrderCheck
from ftcli.trading.limits import Day, Scoped
from ftcli.trading.terms import sum_of, terms_of

if TYPE_CHECKING:
    from ftcli.trading.desk import Desk


class Ahead(NamedTuple):
    """What an order that shall be placed before takes of the day.

    Attributes:
        account: Its account.
        likeness: Its hash, by which the duplicate window knows it.
        value: Dollars; ``None`` where they are not known.
        orders: How many orders it counts for.
    """

    account: str
    likeness: str
    value: Decimal | None
    orders: int


def with_those_ahead(day: Day, one: Scoped, likeness: str, ahead: Sequence[Ahead]) -> Day:
    """The day as it will be when the orders ahead have been placed.

    Args:
        day: What the journal knows of today, for the scope.
        one: The scope.
        likeness: Hash of the order to judge.
        ahead: The orders before it.
    """
    counted = [item for item in ahead if one.account in ("", item.account)]
    age = 0.0 if any(item.likeness == likeness for item in counted) else day.same_order_age
    return Day(
        value=sum_of([day.value, *(item.value for item in counted)]),
        orders=day.orders + sum(item.orders for item in counted),
        same_order_age=age,
    )


class Plan:
    """Orders that shall be placed in one go.

    Args:
        desk: Judges each.
    """

    def __init__(self, desk: "Desk") -> None:
        self._desk = desk
        self._ahead: list[Ahead] = []

    def check(self, account: str, order: Any, facts: Facts) -> OrderCheck:
        """What the gate will say to an order once those let through here before it are placed.

        Open orders are counted as they are now: whether those ahead stay open, nobody knows.

        Args:
            account: Its account.
            order: The order.
            facts: What is known of the market and the account.
        """
        check = self._desk.check(account, order, facts, self._ahead)
        if not check.findings:
            terms = terms_of(order, facts.last)
            self._ahead.append(Ahead(account, terms.likeness, terms.value, len(terms.orders)))
        return check
