"""The order status list: one entry per order, one per leg of a package (protocol 02 §13, §18.1)."""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal

from ftcli.clock import market_date
from ftcli.paper import calendar
from ftcli.paper.amounts import dollars, plain
from ftcli.paper.codes import (
    Action,
    Effect,
    NetSide,
    PriceType,
    Status,
    TrailUnit,
)
from ftcli.paper.figures import OrderEntry, OrderSummary
from ftcli.paper.instruments import Instrument, find
from ftcli.paper.lifecycle import average_price
from ftcli.paper.matching import Floor, current_stop
from ftcli.paper.records import ZERO, Order, OrderLeg
from ftcli.paper.world import World

_STATUS_TEXTS = {
    Status.OPEN: "Open",
    Status.PARTIAL_FILL: "Partially Filled",
    Status.EXECUTION_PENDING: "Execution Pending",
    Status.SETTLEMENT_PENDING: "Settlement Pending",
    Status.PENDING_CANCEL: "Pending Cancel",
    Status.PENDING_CANCEL_PARTIAL_FILL: "Pending Cancel",
    Status.VERIFIED_CANCEL: "Verified Canceled",
    Status.VERIFIED_CANCEL_PARTIAL_FILL: "Verified Canceled",
    Status.AWAITS_PRIMARY: "Awaiting primary order",
    Status.AWAITS_CONTINGENT: "Awaiting trigger",
    Status.TRIGGERED_OPEN: "Triggered",
    Status.ERROR: "Error",
}


def trading_day(now: datetime) -> date:
    """The latest day, up to today, on which the exchange was or will be open."""
    today = market_date(now)
    return today if calendar.is_trading_day(today) else calendar.previous_trading_day(today)


def listed_orders(world: World, account: str, now: datetime) -> list[Order]:
    """The orders a status list shows: all open ones and those that changed on the trading day."""
    orders = [*world.orders.of(account), *world.finished_orders(account, trading_day(now))]
    return sorted(orders, key=lambda order: order.sequence)


def entries(floor: Floor, orders: Iterable[Order], now: datetime) -> list[OrderEntry]:
    """The entries of some orders; each leg of a package has its own."""
    return [_entry(floor, order, leg, now) for order in orders for leg in order.legs]


def summary(account: str, orders: Iterable[Order]) -> OrderSummary:
    """Counters over orders."""
    counters = [order.status.counter for order in orders]
    return OrderSummary(
        account=account,
        orders=len(counters),
        open=counters.count("open"),
        filled=counters.count("filled"),
        cancelled=counters.count("cancelled"),
    )


def _entry(floor: Floor, order: Order, leg: OrderLeg, now: datetime) -> OrderEntry:
    instrument = find(leg.symbol)
    stop = current_stop(floor, order, now)
    special_code, special_name = _special(order)
    average = average_price(leg)
    text = _price_text(order, stop)
    return OrderEntry(
        order=order,
        leg=leg,
        status=order.status,
        status_text=_status_text(order, average),
        cancelable=order.status.cancelable,
        replaceable=order.status.replaceable,
        quantity=leg.quantity,
        executed=leg.executed,
        remaining=leg.remaining,
        average_price=average,
        gross=leg.gross,
        commission=leg.commission,
        fees=leg.fees,
        net=leg.net,
        description=_description(order, leg, instrument, text),
        security_description="" if instrument is None else instrument.status_text,
        cusip="" if instrument is None else instrument.cusip,
        security_type="1" if instrument is None else instrument.security_type,
        price_text=text,
        time_in_force=order.time_in_force,
        price_type=order.price_type,
        session=order.session,
        venue=order.fills[-1].venue if order.fills else order.route,
        strategy_code=strategy_code(order) if order.is_package else None,
        special_code=special_code,
        special_name=special_name,
        linked=order.linked,
        family=order.family,
        net_side=order.net_side,
        group_kind=order.group_kind,
        fills=tuple(fill for fill in order.fills if order.legs[fill.leg] is leg),
        stop_price=stop,
        underlying=None if instrument is None or not instrument.is_option else instrument.root,
        right=None if instrument is None or not instrument.is_option else instrument.right,
        strike=None if instrument is None else instrument.strike,
        expiration=None if instrument is None else instrument.expiration,
    )


def _status_text(order: Order, average: Decimal) -> str:
    if order.status is Status.FILLED:
        return f"Filled at {dollars(average)}"
    return _STATUS_TEXTS[order.status]


def _special(order: Order) -> tuple[str | None, str | None]:
    if order.is_package:
        return "C", "COMPLEX_OPTION"
    if order.group_kind is not None:
        return "O", order.group_kind.value
    return None, None


def _price_text(order: Order, stop: Decimal | None) -> str:
    """``priceTypeDetailDesc``: the order type with its prices."""
    kind, text = order.price_type, order.price_type.text
    if kind is PriceType.MARKET:
        return text
    if kind.trails and order.trail_amount is not None:
        percent = order.trail_unit is TrailUnit.PERCENT
        amount = f"{plain(order.trail_amount)}%" if percent else dollars(order.trail_amount)
        text = f"{text} at {amount}"
        return text if stop is None else f"{text} (now {dollars(stop)})"
    if kind is PriceType.LIMIT and order.limit_price is not None:
        return f"{text} at {dollars(order.limit_price)}"
    text = f"{text} at {dollars(order.stop_price or ZERO)}"
    if kind is PriceType.STOP_LIMIT and order.limit_price is not None:
        text = f"{text}, Limit {dollars(order.limit_price)}"
    return text


def _description(order: Order, leg: OrderLeg, instrument: Instrument | None, price: str) -> str:
    """The one-line text of an entry."""
    quantity, option = plain(leg.quantity), leg.action.for_options
    unit = "Contract" if option else "Share"
    plural = "" if leg.quantity == 1 else "s"
    name = leg.symbol if instrument is None else instrument.order_text
    net = ""
    if order.is_package and order.net_side is not None:
        net = {NetSide.DEBIT: "Net Debit ", NetSide.CREDIT: "Net Credit "}.get(order.net_side, "Net ")
    what = f"{_verb(leg)} {quantity} {unit}{plural} of {name}"
    return f"{what} {net}{price} ({order.time_in_force.text})"


def _verb(leg: OrderLeg) -> str:
    if not leg.action.for_options:
        return leg.action.text
    side = "Buy" if leg.action.buys else "Sell"
    return f"{side} to {'Close' if leg.effect is Effect.CLOSE else 'Open'}"


def strategy_code(order: Order) -> str:
    """The strategy of a package (``strategyCode``)."""
    pairs = [(leg, find(leg.symbol)) for leg in order.legs]
    options = [(leg, found) for leg, found in pairs if found is not None and found.is_option]
    if len(options) < len(pairs):
        return _with_shares([leg for leg, _ in pairs], [leg for leg, _ in options])
    rights = {found.right for _, found in options}
    strikes = {found.strike for _, found in options}
    expirations = {found.expiration for _, found in options}
    if len(options) == 2:
        return _two_legs(len(rights) == 1, len(strikes) == 1, len(expirations) == 1)
    if len(expirations) > 1:
        return "CUSTOM"
    if len(options) == 4:
        return "CONDOR" if len(rights) == 1 else "IRON_CONDOR"
    return "BUTTERFLY" if len(rights) == 1 else "CUSTOM"


def _two_legs(one_right: bool, one_strike: bool, one_expiration: bool) -> str:
    if one_right and one_expiration:
        return "VERTICAL"
    if one_right:
        return "CALENDAR" if one_strike else "DIAGONAL"
    if one_expiration:
        return "STRADDLE" if one_strike else "STRANGLE"
    return "CUSTOM"


def _with_shares(legs: list[OrderLeg], options: list[OrderLeg]) -> str:
    shares = next(leg for leg in legs if leg not in options)
    if len(options) == 2:
        return "COLLAR"
    if len(options) != 1:
        return "CUSTOM"
    action = options[0].action
    if shares.action.buys:
        return {Action.SELL_CALL: "BUY_WRITE", Action.BUY_PUT: "PROTECTIVE_PUT"}.get(action, "CUSTOM")
    return {Action.BUY_CALL: "COVERED_CALL", Action.SELL_PUT: "COVERED_PUT"}.get(action, "CUSTOM")
