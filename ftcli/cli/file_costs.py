"""What an order of a file costs at most, whichever orders of a group fill."""

from decimal import Decimal
from typing import Any

from ftcli.models.conditional import Condition, ConditionalOrder


def amounts_of(order: Any, preview: Any) -> list[Decimal] | None:
    """What an order costs by its preview, proceeds below zero: the amounts that may come together.

    Of a group they are those that cost most. The first order of ``oto`` and ``otoco`` is counted in any case, one that
    it releases only where it costs something: what an exit brings may never come. Of two that cancel each
    other the dearer counts, or the one that brings less.

    Args:
        order: The order.
        preview: What the broker said to it.

    Returns:
        The amounts; ``None`` where one is not known.
    """
    if not isinstance(order, ConditionalOrder):
        return _all_known([_amount(order, preview)])
    pairs = list(zip(order.orders, preview.orders, strict=False))
    if len(pairs) < len(order.orders):
        return None
    if order.condition is Condition.OCO:
        known = _all_known([_amount(one, said) for one, said in pairs])
        return known and [max(known)]
    entry, *released = pairs
    dear = [_amount(one, said) for one, said in released if one.action.is_buy]
    known = _all_known([_amount(*entry), *dear])
    return known and [known[0], max(known[1:], default=Decimal(0))]


def _amount(order: Any, preview: Any) -> Decimal | None:
    with_fees: Decimal | None = getattr(preview, "net_amount_with_fees", None)
    amount: Decimal | None = preview.net_amount if with_fees is None else with_fees
    buys = str(order.direction) != "credit" if hasattr(order, "legs") else order.action.is_buy
    return None if amount is None else amount if buys else -amount


def _all_known(amounts: list[Decimal | None]) -> list[Decimal] | None:
    known = [amount for amount in amounts if amount is not None]
    return known if len(known) == len(amounts) else None
