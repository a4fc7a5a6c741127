"""What limits must know beside the order: last prices, open orders, and whether the market is open."""

from datetime import datetime, time
from decimal import Decimal

from ftcli.clock import NEW_YORK
from ftcli.errors import NotFound
from ftcli.models.option_symbol import OptionSymbol
from ftcli.models.orders import Order
from ftcli.models.reference import HolidayKind
from ftcli.models.trading import Facts
from ftcli.operations.operation import Core
from ftcli.operations.order_status import fetch_status
from ftcli.operations.reference import Reference
from ftcli.operations.snapshots import fetch_quotes

PRICED = {"max_value", "max_daily_value", "price_band"}
"""Rules that hold an order against the last price."""
_OPENS, _CLOSES = time(9, 30), time(16, 0)


async def gather(core: Core, account: str, symbols: list[str], rules: set[str]) -> Facts:
    """Asks the broker for what some rules need, and for nothing else.

    Args:
        core: The core.
        account: Account of the order.
        symbols: Its symbols.
        rules: Names of the rules in force.
    """
    open_orders = market_open = None
    last: dict[str, Decimal] = {}
    listed: list[str] = []
    open_numbers: list[str] = []
    if rules & PRICED:
        last = await _last_prices(core, symbols)
    if "max_open_orders" in rules:
        status, _ = await fetch_status(core, [account])
        still_open = [order for order in status.orders if not order.state.final]
        open_numbers = _numbers(still_open)
        # One without a number is an order of its own.
        open_orders = len(open_numbers) + sum(not order.conf_num for order in still_open)
        listed = _numbers(status.orders)
    if "market_hours_only" in rules:
        market_open = await _is_open(core, core.now().astimezone(NEW_YORK))
    return Facts(
        last=last,
        open_orders=open_orders,
        open_numbers=open_numbers,
        listed=listed,
        market_open=market_open,
    )


def _numbers(orders: list[Order]) -> list[str]:
    return sorted({order.conf_num.upper() for order in orders if order.conf_num})


async def _last_prices(core: Core, symbols: list[str]) -> dict[str, Decimal]:
    options = {symbol: OptionSymbol.parse_or_none(symbol) for symbol in symbols}
    names = {symbol: found.dashed if found else symbol for symbol, found in options.items()}
    try:
        answer, _ = await fetch_quotes(core, list(names.values()))
    except NotFound:
        return {}
    prices = {quote.symbol: quote.last for quote in answer.quotes}
    return {symbol: price for symbol, name in names.items() if (price := prices.get(name)) is not None}


async def _is_open(core: Core, moment: datetime) -> bool:
    if moment.weekday() > 4:
        return False
    day = moment.date().isoformat()
    calendar = await Reference(core).holiday_calendar(start=day, end=day)
    closes = _CLOSES
    for holiday in calendar.holidays:
        if holiday.kind is HolidayKind.CLOSED:
            return False
        if holiday.closes_at:
            closes = time.fromisoformat(holiday.closes_at[:5])
    return _OPENS <= moment.time() < closes
