"""Orders with their exits: a bracket, a single exit after an entry, a pair that cancels each other."""

from decimal import Decimal
from typing import Any

from ftcli.errors import ValidationFailed
from ftcli.models.conditional import Condition, ConditionalOrder
from ftcli.models.tickets import EquityLimitOrder, EquityStopOrder

_OPPOSITE = {"buy": "sell", "sell": "buy", "sell_short": "buy_to_cover", "buy_to_cover": "sell_short"}


def with_exits(order: Any, take_profit: Decimal | None, stop_loss: Decimal | None, *, is_exit: bool) -> Any:
    """An order and its exits as one group; the order itself where there is none.

    Args:
        order: The entry. Where ``is_exit``, it only says account, symbol, action and quantity.
        take_profit: Price of a limit order that takes the profit.
        stop_loss: Price of a stop order that limits the loss.
        is_exit: Whether the position is there already: the two exits then cancel each other.

    Raises:
        ValidationFailed: The exits are on the wrong side of each other, or one is missing.
    """
    if take_profit is None and stop_loss is None:
        return order
    action = str(order.action) if is_exit else _OPPOSITE[str(order.action)]
    sells = action in ("sell", "sell_short")
    if take_profit is not None and stop_loss is not None and (take_profit > stop_loss) is not sells:
        side = "above" if sells else "below"
        raise ValidationFailed.of("--take-profit", take_profit, f"be {side} --stop-loss {stop_loss}")
    if not is_exit:
        _check_sides(order, take_profit, stop_loss, sells=sells)
    given = {
        "account": order.account,
        "symbol": order.symbol,
        "action": type(order.action)(action),
        "quantity": order.quantity,
        "time_in_force": order.time_in_force,
    }
    exits: list[Any] = []
    if take_profit is not None:
        exits.append(EquityLimitOrder(**given, limit_price=take_profit))
    if stop_loss is not None:
        exits.append(EquityStopOrder(**given, stop_price=stop_loss))
    if is_exit:
        if len(exits) < 2:
            missing = "--take-profit" if take_profit is None else "--stop-loss"
            raise ValidationFailed.of(missing, None, "be given", hint="One exit alone is --limit or --stop.")
        return ConditionalOrder(condition=Condition.OCO, orders=exits)
    condition = Condition.OTOCO if len(exits) == 2 else Condition.OTO
    return ConditionalOrder(condition=condition, orders=[order, *exits])


def _check_sides(entry: Any, take_profit: Decimal | None, stop_loss: Decimal | None, *, sells: bool) -> None:
    """Checks that exits are not such that they execute at once after their entry.

    Raises:
        ValidationFailed: A profit would be taken at a loss, or a loss be limited above the entry's price.
    """
    price = getattr(entry, "limit_price", getattr(entry, "stop_price", None))
    if price is None:  # the market decides
        return
    for option, value, above in (
        ("--take-profit", take_profit, sells),
        ("--stop-loss", stop_loss, not sells),
    ):
        if value is not None and (value <= price if above else value >= price):
            side = "above" if above else "below"
            raise ValidationFailed.of(option, value, f"be {side} the entry's price {price}")
