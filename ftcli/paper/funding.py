"""What an order needs: shares or contracts to sell, option approval, buying power.

The demand of an order is what its execution at the estimate price would take out of the account's buying
power: dollars of cash, and margin. Open orders hold their demand back until they end.
"""

from decimal import Decimal

import msgspec

from ftcli.paper.checks import Case, has_unsettled
from ftcli.paper.codes import Action, Effect, Family, Holding
from ftcli.paper.estimates import (
    HUNDRED,
    commission,
    estimate_price,
    package_units,
    regulatory_fee,
    signed_net,
)
from ftcli.paper.instruments import Instrument, find
from ftcli.paper.records import ZERO, Account, Order
from ftcli.paper.risk import (
    COVERED_LEVEL,
    HOUSE_LONG,
    HOUSE_SHORT,
    LONG_LEVEL,
    SPREAD_LEVEL,
    UNCOVERED_LEVEL,
    as_contract,
    book_of,
    commitments,
    contracts,
    merge,
    need_of,
    pending_contracts,
    power,
)
from ftcli.paper.strategies import Contract, Cover, cover
from ftcli.paper.tables import Commitments
from ftcli.paper.tickets import Ticket, TicketLeg

_SALES = (Action.SELL, Action.SELL_ALL, Action.SELL_SPECIFIC)
_ONE = Decimal(1)


class Demand(msgspec.Struct, frozen=True, kw_only=True):
    """Cash dollars and margin that an execution would take."""

    cash: Decimal = ZERO
    requirement: Decimal = ZERO


def freed_orders(case: Case) -> list[Order]:
    """The open orders that would be gone when this ticket is entered."""
    return [order for order in (case.world.orders.get(number) for number in case.freed) if order is not None]


def closable(case: Case, symbol: str, *, long: bool) -> Decimal:
    """How much of a holding no open order closes already; 0 where it is of the other direction."""
    account = case.ticket.account
    held = case.world.lots.quantity(account, symbol)
    if (held > 0) != long:
        return ZERO
    taken = case.world.orders.closing(account, symbol, long=long)
    for order in freed_orders(case):
        taken -= sum(
            (leg.remaining for leg in order.legs if leg.symbol == symbol and not order.on_hold), ZERO
        )
    return max(ZERO, abs(held) - taken)


def resolve_effects(case: Case) -> Ticket:
    """Decide open or close of each option leg (protocol 02 §3.3).

    A leg sent as opening that the position covers as a whole is taken as a close.
    """
    legs = []
    for leg in case.ticket.legs:
        if leg.action.for_options and leg.effect is not Effect.CLOSE:
            long = not leg.action.buys
            covered = not case.waits and closable(case, leg.symbol, long=long) >= leg.quantity
            leg = msgspec.structs.replace(leg, effect=Effect.CLOSE if covered else Effect.OPEN)
        legs.append(leg)
    return msgspec.structs.replace(case.ticket, legs=tuple(legs))


def check_funding(case: Case) -> Demand:
    """Check holdings, approval and buying power of a ticket whose form is right.

    Returns:
        What the order holds back while it is open.
    """
    for leg in case.ticket.legs:
        if leg.action.for_options:
            _check_option_holding(case, leg)
        else:
            _check_share_holding(case, leg)
    account = case.account
    assert account is not None
    if case.refused:
        return Demand()
    _check_options(case, account)
    if case.refused or case.waits:
        return Demand()
    needed = demand(case)
    _check_power(case, account, needed)
    return needed


def _check_share_holding(case: Case, leg: TicketLeg) -> None:
    account = case.account
    assert account is not None
    held = case.world.lots.quantity(account.number, leg.symbol)
    if leg.action is Action.SELL_SHORT:
        _check_short(case, leg, held)
    elif case.waits:
        return
    elif leg.action is Action.BUY:
        if held < 0:
            case.refuse("SIM220")
    elif leg.action is Action.BUY_TO_COVER:
        if closable(case, leg.symbol, long=False) < leg.quantity:
            case.refuse("SIM215")
    elif leg.action is Action.SELL_ALL and leg.quantity != held:
        case.refuse("SIM231")
    elif closable(case, leg.symbol, long=True) < leg.quantity:
        case.refuse("SIM214")
    elif leg.action is Action.SELL_SPECIFIC:
        _check_lots(case, leg)


def _check_short(case: Case, leg: TicketLeg, held: Decimal) -> None:
    account, instrument = case.account, case.instrument(leg)
    assert account is not None
    if not account.short_selling or not account.margin:
        case.refuse("SIM216")
    elif not instrument.shortable:
        case.refuse("SIM217")
    elif instrument.hard_to_borrow and not case.settings.locate:
        case.refuse("SIM218")
    elif held > 0 and not case.waits:
        case.refuse("SIM219")


def _check_lots(case: Case, leg: TicketLeg) -> None:
    lots = case.world.lots.of(case.ticket.account, leg.symbol)
    by_id = {lot.lot_id: lot.quantity for lot in lots}
    left = {lot.lot_id: lot.quantity for lot in lots}
    for choice in leg.lots:
        lot_id = choice.lot_id
        if not lot_id and 1 <= choice.sequence <= len(lots):
            lot_id = lots[choice.sequence - 1].lot_id
        if choice.quantity <= 0 or lot_id not in by_id or left[lot_id] < choice.quantity:
            case.refuse("SIM232")
            return
        left[lot_id] -= choice.quantity
    if sum((choice.quantity for choice in leg.lots), ZERO) != leg.quantity:
        case.refuse("SIM232")


def _check_option_holding(case: Case, leg: TicketLeg) -> None:
    if case.waits:
        return
    held = case.world.lots.quantity(case.ticket.account, leg.symbol)
    if leg.effect is Effect.CLOSE:
        if closable(case, leg.symbol, long=not leg.action.buys) < leg.quantity:
            case.refuse("SIM235")
    elif held and (held > 0) != leg.action.buys:
        case.refuse("SIM249")


def _underlying(ticket: Ticket) -> str | None:
    """The underlying whose written options a ticket may change the cover of."""
    for leg in ticket.legs:
        instrument = find(leg.symbol)
        if instrument is not None and instrument.is_option:
            return instrument.underlying
    leg = ticket.leg
    return leg.symbol if leg.action in _SALES else None


def _covers(case: Case) -> tuple[Cover, Cover] | None:
    """Cover of the written options before and after the ticket, None where it cannot matter."""
    ticket = case.ticket
    underlying = _underlying(ticket)
    if underlying is None:
        return None
    world, account = case.world, ticket.account
    held = contracts(world.lots.totals(account), underlying)
    orders = [order for order in world.orders.with_options(account) if order.number not in case.freed]
    base = merge(held, pending_contracts(orders, underlying))
    if not base and ticket.family is Family.EQUITY:
        return None
    shares = closable(case, underlying, long=True)
    after, shares_after = _after(ticket, base, shares, underlying)
    return cover(base, shares), cover(after, shares_after)


def _after(
    ticket: Ticket, base: list[Contract], shares: Decimal, underlying: str
) -> tuple[list[Contract], Decimal]:
    added = []
    for leg in ticket.legs:
        signed = leg.quantity if leg.action.buys else -leg.quantity
        contract = as_contract(leg.symbol, signed, underlying)
        if contract is not None:
            added.append(contract)
        elif leg.symbol == underlying:
            shares += signed
    return merge(base, added), shares


def _check_options(case: Case, account: Account) -> None:
    """Refuse what the account's option level does not allow (protocol 02 §18.3)."""
    covers = _covers(case)
    if covers is None:
        return
    before, after = covers
    level = account.option_level
    more_calls = after.naked_call_quantity > before.naked_call_quantity
    more_puts = after.naked_put_quantity > before.naked_put_quantity
    if not any(leg.action.for_options for leg in case.ticket.legs):
        if more_calls and not (account.margin and level >= UNCOVERED_LEVEL):
            case.refuse("SIM236")
        return
    opens = [leg for leg in case.ticket.legs if leg.effect is Effect.OPEN]
    needed = COVERED_LEVEL if opens else 0
    if any(leg.action.buys for leg in opens) or more_puts:
        needed = LONG_LEVEL
    if any(not leg.action.buys for leg in opens) and after.spreads > before.spreads:
        needed = SPREAD_LEVEL
    uncovered = more_calls and not case.waits
    if level < (UNCOVERED_LEVEL if uncovered else needed) or (uncovered and not account.margin):
        case.refuse("SIM202")


def demand(case: Case) -> Demand:
    """What executing the ticket at its estimate price would take."""
    ticket, account = case.ticket, case.account
    assert account is not None
    if ticket.family is Family.EQUITY:
        return _share_demand(case, account)
    return _option_demand(case, account)


def _share_demand(case: Case, account: Account) -> Demand:
    ticket, leg = case.ticket, case.ticket.leg
    price = estimate_price(ticket, leg, case.prices) or ZERO
    value = leg.quantity * price
    if leg.action is Action.BUY:
        instrument = case.instrument(leg)
        borrows = ticket.holding is Holding.MARGIN and instrument.marginable
        return Demand(cash=value, requirement=value * (HOUSE_LONG if borrows else _ONE))
    if leg.action is Action.SELL_SHORT:
        return Demand(requirement=value * HOUSE_SHORT)
    if leg.action in _SALES:
        uncovered = _more_need(case, account)
        return Demand(requirement=max(ZERO, uncovered - value * HOUSE_LONG) if uncovered > 0 else ZERO)
    return Demand()


def _more_need(case: Case, account: Account) -> Decimal:
    """By how much the ticket raises what written options hold back."""
    covers = _covers(case)
    underlying = _underlying(case.ticket)
    if covers is None or underlying is None:
        return ZERO
    before, after = (need_of(account, underlying, covered, case.prices) for covered in covers)
    return after.total - before.total


def ticket_costs(case: Case) -> Decimal:
    """Commission and fees of the whole ticket."""
    total = ZERO
    for leg in case.ticket.legs:
        instrument = find(leg.symbol)
        total += commission(case.settings, instrument, leg.quantity)
        total += regulatory_fee(case.settings, instrument, leg.quantity)
    return total


def _debit(case: Case) -> tuple[Decimal, Decimal]:
    """Dollars an option order or package pays (negative: receives) and its shares' loan value."""
    ticket = case.ticket
    if ticket.family is Family.PACKAGE:
        units, _ = package_units(ticket.legs)
        debit = signed_net(ticket.net_side, ticket.limit_price or ZERO) * HUNDRED * units
    else:
        price = estimate_price(ticket, ticket.leg, case.prices) or ZERO
        value = price * ticket.leg.quantity * HUNDRED
        debit = value if ticket.leg.action.buys else -value
    loan = ZERO
    for leg in ticket.legs:
        instrument: Instrument | None = find(leg.symbol)
        if instrument is None or instrument.is_option or not leg.action.buys:
            continue
        mark = case.prices.mark(leg.symbol) or ZERO
        if instrument.marginable and ticket.holding is Holding.MARGIN:
            loan += mark * leg.quantity * (_ONE - HOUSE_LONG)
    return debit + ticket_costs(case), loan


def _option_demand(case: Case, account: Account) -> Demand:
    debit, loan = _debit(case)
    more = _more_need(case, account)
    if not account.margin:
        return Demand(cash=max(ZERO, debit + more))
    return Demand(cash=max(ZERO, debit), requirement=max(ZERO, debit - loan + more))


def _check_power(case: Case, account: Account, needed: Demand) -> None:
    if not needed.cash and not needed.requirement:
        return
    held_back = commitments(case.world, account.number, freed_orders(case))
    available = power(book_of(case.world, account, case.prices), held_back)
    code = "SIM203" if case.ticket.family is Family.PACKAGE else "SIM210"
    if account.margin:
        if needed.requirement > available.non_margin or (
            case.ticket.holding is Holding.CASH and needed.cash > available.cash
        ):
            case.refuse(code)
    elif needed.cash > available.cash:
        case.refuse(code)
    elif has_unsettled(case.world, account.number, needed.cash):
        case.warn("SIM101")


def can_pay(case: Case, needed: Demand) -> bool:
    """True where the account can pay for an execution now.

    In a cash account what other orders hold back stays theirs; in a margin account the house surplus decides.
    """
    account = case.account
    assert account is not None
    if not needed.cash and not needed.requirement:
        return True
    others = Commitments() if account.margin else commitments(case.world, account.number, freed_orders(case))
    available = power(book_of(case.world, account, case.prices), others)
    if account.margin:
        return needed.requirement <= available.non_margin
    return needed.cash <= available.cash
