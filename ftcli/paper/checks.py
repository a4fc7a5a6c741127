"""The broker's refusals and warnings for one order, at preview and again at place.

Each check appends messages; an order with an error is refused. Source: protocol 02 §3-§7, §18.3.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

import msgspec

from ftcli.paper import calendar
from ftcli.paper.codes import (
    Action,
    Family,
    Holding,
    NetSide,
    PriceType,
    SessionCode,
    Severity,
    TimeInForce,
)
from ftcli.paper.instruments import Instrument, find
from ftcli.paper.messages import error, warning
from ftcli.paper.prices import Prices
from ftcli.paper.records import ZERO, Account, Message
from ftcli.paper.settings import Settings
from ftcli.paper.tickets import Ticket, TicketLeg
from ftcli.paper.world import World

CLOSE_LEAD = timedelta(minutes=10)
OPEN_LEAD = timedelta(minutes=2)
_CENT = Decimal("0.01")
_FINE = Decimal("0.0001")
_FRACTION = Decimal("0.001")
_ONE = Decimal(1)
_SHORT_ACTIONS = (Action.SELL_SHORT, Action.BUY_TO_COVER)
_STOCK_ACTIONS = frozenset(action for action in Action if not action.for_options)


class Case(msgspec.Struct, kw_only=True):
    """One ticket under examination.

    Attributes:
        account: None when there is no such account.
        conditional: True for a member of a conditional group.
        waits: True for a child, which needs no position and no buying power before its primary fills.
        always_open: True where the market never closes.
        freed: Open orders that would be gone (the original of a replacement).
    """

    world: World
    ticket: Ticket
    prices: Prices
    settings: Settings
    account: Account | None
    always_open: bool
    conditional: bool = False
    waits: bool = False
    freed: tuple[str, ...] = ()
    messages: list[Message] = msgspec.field(default_factory=list)

    @property
    def now(self) -> datetime:
        """The moment of the check."""
        return self.prices.at

    @property
    def refused(self) -> bool:
        """True once an error has been found."""
        return any(message.severity is Severity.ERROR for message in self.messages)

    def refuse(self, code: str, detail: str = "") -> None:
        """Add an error."""
        self.messages.append(error(code, detail))

    def warn(self, code: str, detail: str = "") -> None:
        """Add a warning."""
        self.messages.append(warning(code, detail))

    def instrument(self, leg: TicketLeg) -> Instrument:
        """The instrument of a leg, once it is known to exist."""
        found = find(leg.symbol)
        assert found is not None
        return found


def check_form(case: Case) -> None:
    """Everything that does not depend on holdings or money."""
    steps: tuple[Callable[[Case], None], ...] = (
        _account,
        _securities,
        _quantities,
        _price_fields,
        _increments,
        _time_in_force,
        _market_hours,
        _price_band,
        _stops,
    )
    for step in steps:
        step(case)
        if case.refused:
            return


def _account(case: Case) -> None:
    account, ticket = case.account, case.ticket
    if account is None or not account.brokerage:
        case.refuse("SIM211")
        return
    for_shorts = all(leg.action in _SHORT_ACTIONS for leg in ticket.legs)
    on_margin = ticket.holding is not Holding.CASH
    if (on_margin and not account.margin) or (ticket.holding is Holding.SHORT and not for_shorts):
        case.refuse("SIM230")


def _securities(case: Case) -> None:
    for leg in case.ticket.legs:
        instrument = find(leg.symbol)
        if instrument is None:
            case.refuse("SIM234" if leg.action.for_options else "SIM212", leg.symbol)
            return
        if instrument.is_option:
            _option_leg(case, leg, instrument)
        elif leg.action.for_options or case.ticket.family is Family.OPTION:
            case.refuse("SIM233")
        elif instrument.is_fund or instrument.kind == "index":
            case.refuse("SIM213")
    if case.ticket.family is Family.PACKAGE and not case.refused:
        _package(case)


def _option_leg(case: Case, leg: TicketLeg, instrument: Instrument) -> None:
    if leg.action in _STOCK_ACTIONS:
        case.refuse("SIM233")
        return
    right = "C" if leg.action in (Action.BUY_CALL, Action.SELL_CALL) else "P"
    if right != instrument.right:
        case.refuse("SIM233")
    assert instrument.expiration is not None
    session = calendar.session_on(instrument.expiration)
    if session is None or case.now >= session.close:
        case.refuse("SIM234", leg.symbol)


def _package(case: Case) -> None:
    ticket = case.ticket
    instruments = [case.instrument(leg) for leg in ticket.legs]
    options = [instrument for instrument in instruments if instrument.is_option]
    distinct = len({leg.symbol for leg in ticket.legs}) == len(ticket.legs)
    one = len({instrument.underlying for instrument in instruments}) == 1
    if not (
        2 <= len(ticket.legs) <= 4 and distinct and one and options and len(instruments) - len(options) <= 1
    ):
        case.refuse("SIM237")
        return
    for leg in ticket.legs:
        if leg.action in (Action.SELL_ALL, Action.SELL_SPECIFIC):
            case.refuse("SIM233")


def _quantities(case: Case) -> None:
    from ftcli.paper.estimates import package_units

    ticket = case.ticket
    for leg in ticket.legs:
        if leg.quantity <= 0:
            case.refuse("SIM221")
            return
        whole = leg.quantity == leg.quantity.to_integral_value()
        if whole:
            continue
        fine = leg.quantity % _FRACTION == 0
        if leg.action.for_options or not fine or ticket.family is Family.PACKAGE:
            case.refuse("SIM221")
        elif not _may_be_fractional(ticket, leg):
            case.refuse("SIM222")
    if ticket.family is Family.PACKAGE and not case.refused:
        try:
            package_units(ticket.legs)
        except ValueError:
            case.refuse("SIM238")


def _may_be_fractional(ticket: Ticket, leg: TicketLeg) -> bool:
    plain_day = ticket.time_in_force is TimeInForce.DAY and ticket.session is SessionCode.STANDARD
    usual = leg.action in (Action.BUY, Action.SELL, Action.SELL_ALL, Action.SELL_SPECIFIC)
    return ticket.price_type is PriceType.MARKET and plain_day and usual


def _price_fields(case: Case) -> None:
    ticket = case.ticket
    kind = ticket.price_type
    if ticket.family is Family.PACKAGE:
        price = ticket.limit_price
        if kind is not PriceType.LIMIT or price is None or ticket.net_side is None:
            case.refuse("SIM223")
        elif price < 0 or (price == 0) != (ticket.net_side is NetSide.EVEN):
            case.refuse("SIM239")
        return
    if kind.trails and ticket.family is not Family.EQUITY:
        case.refuse("SIM247")
    elif kind.has_limit and not _positive(ticket.limit_price):
        case.refuse("SIM223", "A limit price is needed.")
    elif kind.has_stop and not _positive(ticket.stop_price):
        case.refuse("SIM223", "A stop price is needed.")
    elif kind.trails and not (_positive(ticket.trail_amount) and ticket.trail_unit is not None):
        case.refuse("SIM223", "A trailing amount is needed.")
    elif kind is PriceType.TRAILING_STOP_LIMIT and (ticket.limit_offset is None or ticket.limit_offset < 0):
        case.refuse("SIM223", "A limit offset is needed.")


def _positive(price: Decimal | None) -> bool:
    return price is not None and price > 0


def _increments(case: Case) -> None:
    ticket = case.ticket
    for price in (ticket.limit_price, ticket.stop_price):
        if price is None:
            continue
        fine = price < 1 and ticket.family is Family.EQUITY
        if price % (_FINE if fine else _CENT):
            case.refuse("SIM224")
            return
    for distance in (ticket.trail_amount, ticket.limit_offset):
        if distance is not None and distance % _CENT:
            case.refuse("SIM224")
            return


def _time_in_force(case: Case) -> None:
    ticket = case.ticket
    kind, tif = ticket.price_type, ticket.time_in_force
    if tif in (TimeInForce.IOC, TimeInForce.FOK):
        allowed = kind in (PriceType.LIMIT, PriceType.MARKET) and not case.conditional
    elif tif in (TimeInForce.AT_OPEN, TimeInForce.AT_CLOSE):
        allowed = kind is PriceType.MARKET and ticket.family is Family.EQUITY and not case.conditional
    elif tif is TimeInForce.GTC:
        allowed = kind is not PriceType.MARKET
    else:
        allowed = True
    if not allowed:
        case.refuse("SIM225")
    if ticket.session is SessionCode.EXTENDED:
        usual = kind is PriceType.LIMIT and tif is TimeInForce.DAY and ticket.family is Family.EQUITY
        if not usual or case.conditional:
            case.refuse("SIM226")


def _market_hours(case: Case) -> None:
    if case.always_open:
        return
    ticket, now = case.ticket, case.now
    session = calendar.current_or_next_session(now)
    in_session = session.open <= now
    if ticket.time_in_force is TimeInForce.AT_OPEN:
        if in_session or now > session.open - OPEN_LEAD:
            case.refuse("SIM227")
    elif ticket.time_in_force is TimeInForce.AT_CLOSE:
        if in_session and now > session.close - CLOSE_LEAD:
            case.refuse("SIM228")
    elif ticket.time_in_force in (TimeInForce.IOC, TimeInForce.FOK):
        if not in_session:
            case.refuse("SIM229")
    elif not in_session and ticket.session is SessionCode.STANDARD and not case.waits:
        case.warn("SIM102")


def _price_band(case: Case) -> None:
    """``MA5010``: a limit far on the aggressive side of the last trade (protocol 02 §18.3)."""
    ticket = case.ticket
    if ticket.family is not Family.EQUITY or ticket.price_type is not PriceType.LIMIT:
        return
    quote = case.prices.quote(ticket.leg.symbol)
    last = None if quote is None else quote.last
    if last is None or ticket.limit_price is None:
        return
    band = case.settings.price_band
    if ticket.leg.action.buys:
        too_far = ticket.limit_price > last * (1 + band)
    else:
        too_far = ticket.limit_price < last * (1 - band)
    if too_far:
        case.refuse("MA5010")


def _stops(case: Case) -> None:
    """A stop must not be reached already, and a trail must leave a positive stop."""
    ticket = case.ticket
    if not ticket.price_type.needs_trigger:
        return
    quote = case.prices.quote(ticket.leg.symbol)
    last = None if quote is None else quote.last
    if last is None:
        return
    if ticket.price_type.has_stop and ticket.stop_price is not None:
        if ticket.leg.action.buys and ticket.stop_price <= last:
            case.refuse("SIM206")
        elif not ticket.leg.action.buys and ticket.stop_price >= last:
            case.refuse("SIM205")
    elif not ticket.leg.action.buys and ticket.trail_amount is not None:
        percent = ticket.trail_unit is not None and ticket.trail_unit.value == "P"
        if ticket.trail_amount >= (Decimal(100) if percent else last):
            case.refuse("SIM223", "The trailing amount leaves no stop price.")


def has_unsettled(world: World, account: str, amount: Decimal) -> bool:
    """True where spending ``amount`` would reach into proceeds that have not settled."""
    cash = world.cash[account]
    unsettled = sum((item.amount for item in cash.settlements), ZERO)
    return amount > max(ZERO, cash.core - unsettled)
