"""Margin, reserves and buying power of an account (protocol 01 §4.3).

House margin: 30 % of long marginable securities, all of the others, 50 % of short shares, and what written
options need. Cash accounts and accounts below option level 4 reserve the full exercise price of written
puts and the width of spreads instead. Cash in the core fund counts towards the surplus, otherwise an account
that holds only cash could buy nothing.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Protocol

import msgspec

from ftcli.paper.amounts import cents
from ftcli.paper.codes import Effect
from ftcli.paper.instruments import Instrument, find
from ftcli.paper.records import ZERO, Account, Cash, Order
from ftcli.paper.strategies import HUNDRED, Contract, Cover, cover, margin_requirement
from ftcli.paper.tables import Commitments, Holdings
from ftcli.paper.world import World

HOUSE_LONG = Decimal("0.30")
HOUSE_SHORT = Decimal("0.50")
EXCHANGE_LONG = Decimal("0.25")
EXCHANGE_SHORT = Decimal("0.30")
UNCOVERED_LEVEL = 4
SPREAD_LEVEL = 3
LONG_LEVEL = 2
COVERED_LEVEL = 1


class Marks(Protocol):
    """Answers what a symbol is valued at, None where it has no price."""

    def mark(self, symbol: str) -> Decimal | None: ...


class Book(msgspec.Struct, frozen=True, kw_only=True):
    """What an account holds at one moment, and the prices of that moment."""

    account: Account
    totals: Mapping[str, Holdings]
    cash: Cash
    marks: Marks


def book_of(world: World, account: Account, marks: Marks) -> Book:
    """The present holdings of an account."""
    return Book(
        account=account,
        totals=world.lots.totals(account.number),
        cash=world.cash[account.number],
        marks=marks,
    )


class Exposure(msgspec.Struct):
    """Holdings of an account, valued; dollars. ``short_proceeds`` is what short shares were sold for."""

    held_in_margin: Decimal = ZERO
    held_in_cash: Decimal = ZERO
    non_marginable: Decimal = ZERO
    held_in_options: Decimal = ZERO
    short_value: Decimal = ZERO
    short_proceeds: Decimal = ZERO
    options_in_the_money: Decimal = ZERO
    unpriced: bool = False


class OptionNeed(msgspec.Struct, frozen=True, kw_only=True):
    """What written options hold back: margin, or cash for puts and spreads."""

    margin: Decimal = ZERO
    put_reserve: Decimal = ZERO
    spread_reserve: Decimal = ZERO

    @property
    def total(self) -> Decimal:
        """All of it."""
        return self.margin + self.put_reserve + self.spread_reserve


class Power(msgspec.Struct, frozen=True, kw_only=True):
    """Buying power after what open orders hold back.

    Attributes:
        cash: Cash to trade with, without borrowing.
        non_margin: What securities without loan value may cost; equals ``cash`` without margin.
        credit_debit: Margin credit or debit, marks of short shares included.
        house_requirement, exchange_requirement: Margin of the holdings, written options included.
        house_surplus, exchange_surplus: Equity and core less the requirement; negative is a call.
    """

    cash: Decimal
    non_margin: Decimal
    credit_debit: Decimal
    equity: Decimal
    house_requirement: Decimal
    exchange_requirement: Decimal
    house_surplus: Decimal
    exchange_surplus: Decimal
    need: OptionNeed
    held: Exposure

    @property
    def margin(self) -> Decimal:
        """What marginable shares may cost."""
        return self.non_margin / HOUSE_LONG


def exposure(book: Book) -> Exposure:
    """Value the open positions of an account, each to the cent."""
    found = Exposure()
    for symbol, holding in book.totals.items():
        instrument, mark = find(symbol), book.marks.mark(symbol)
        if instrument is None or mark is None:
            found.unpriced = True
            continue
        value = cents(holding.quantity * instrument.multiplier * mark)
        if instrument.is_option:
            found.held_in_options += value
            spot = book.marks.mark(instrument.underlying)
            if spot is not None:
                found.options_in_the_money += instrument.intrinsic(spot) * holding.quantity * HUNDRED
        elif holding.quantity < 0:
            found.short_value -= value
            found.short_proceeds -= holding.cost
        elif not book.account.margin:
            found.held_in_cash += value
        else:
            _add_long(found, instrument, holding, value, mark)
    return found


def _add_long(
    found: Exposure, instrument: Instrument, holding: Holdings, value: Decimal, mark: Decimal
) -> None:
    in_cash = cents(min(holding.cash_quantity, holding.quantity) * mark)
    found.held_in_cash += in_cash
    found.held_in_margin += value - in_cash
    if not instrument.marginable:
        found.non_marginable += value - in_cash


def contracts(totals: Mapping[str, Holdings], underlying: str) -> list[Contract]:
    """The option holdings on one underlying."""
    found = []
    for symbol, holding in totals.items():
        contract = as_contract(symbol, holding.quantity, underlying)
        if contract is not None:
            found.append(contract)
    return found


def as_contract(symbol: str, quantity: Decimal, underlying: str) -> Contract | None:
    """An option holding for the pairing rules, None for anything but options on the underlying."""
    instrument = find(symbol)
    if instrument is None or instrument.expiration is None or instrument.strike is None:
        return None
    if instrument.underlying != underlying:
        return None
    return Contract(
        symbol=symbol,
        right=instrument.right,
        strike=instrument.strike,
        expiration=instrument.expiration,
        quantity=quantity,
    )


def option_underlyings(totals: Mapping[str, Holdings]) -> list[str]:
    """Underlyings of the options held or written."""
    found = []
    for symbol in totals:
        instrument = find(symbol)
        if instrument is not None and instrument.is_option and instrument.underlying not in found:
            found.append(instrument.underlying)
    return found


def need_of(account: Account, underlying: str, covered: Cover, marks: Marks) -> OptionNeed:
    """What the written contracts on one underlying hold back, by the kind of account."""
    spot = marks.mark(underlying) or ZERO
    if account.margin and account.option_level >= UNCOVERED_LEVEL:
        return OptionNeed(margin=margin_requirement(covered, spot, lambda symbol: marks.mark(symbol) or ZERO))
    calls = sum((max(spot, leg.strike) * n * HUNDRED for leg, n in covered.naked_calls), ZERO)
    if account.margin:
        return OptionNeed(margin=covered.spread_width + covered.put_reserve + calls)
    return OptionNeed(put_reserve=covered.put_reserve + calls, spread_reserve=covered.spread_width)


def option_need(book: Book) -> OptionNeed:
    """What all written options of an account hold back."""
    margin = puts = spreads = ZERO
    for underlying in option_underlyings(book.totals):
        shares = book.totals.get(underlying)
        free = ZERO if shares is None else shares.quantity
        covered = cover(contracts(book.totals, underlying), free)
        need = need_of(book.account, underlying, covered, book.marks)
        margin += need.margin
        puts += need.put_reserve
        spreads += need.spread_reserve
    return OptionNeed(margin=margin, put_reserve=puts, spread_reserve=spreads)


def power(book: Book, commitments: Commitments) -> Power:
    """Buying power of an account when open orders hold back ``commitments``."""
    held, need, cash = exposure(book), option_need(book), book.cash
    credit_debit = cash.balance + held.short_proceeds - held.short_value
    equity = held.held_in_margin + credit_debit
    marginable = held.held_in_margin - held.non_marginable
    house = marginable * HOUSE_LONG + held.non_marginable + held.short_value * HOUSE_SHORT + need.total
    exchange = (
        marginable * EXCHANGE_LONG + held.non_marginable + held.short_value * EXCHANGE_SHORT + need.total
    )
    house_surplus = equity + cash.core - house
    if book.account.margin:
        available = max(ZERO, cash.core - min(ZERO, credit_debit) - min(commitments.cash, cash.core))
        non_margin = max(ZERO, house_surplus - commitments.requirement)
    else:
        free = cash.core + min(ZERO, cash.balance)
        available = max(ZERO, free - need.put_reserve - need.spread_reserve - commitments.cash)
        non_margin = available
    return Power(
        cash=available,
        non_margin=non_margin,
        credit_debit=credit_debit,
        equity=equity,
        house_requirement=house,
        exchange_requirement=exchange,
        house_surplus=house_surplus,
        exchange_surplus=equity + cash.core - exchange,
        need=need,
        held=held,
    )


def commitments(world: World, account: str, released: Iterable[Order] = ()) -> Commitments:
    """What the open orders of an account hold back, those in ``released`` apart."""
    total = world.orders.commitments(account)
    cash, requirement = total.cash, total.requirement
    for order in released:
        cash -= order.committed
        requirement -= order.requirement
    return Commitments(cash=cash, requirement=requirement)


def pending_contracts(orders: Iterable[Order], underlying: str) -> list[Contract]:
    """Contracts on an underlying that open orders would write."""
    found = []
    for order in orders:
        if order.on_hold or order.status.waiting:
            continue
        for leg in order.legs:
            if leg.effect is Effect.OPEN and not leg.action.buys:
                contract = as_contract(leg.symbol, -leg.remaining, underlying)
                if contract is not None:
                    found.append(contract)
    return found


def merge(held: Iterable[Contract], added: Iterable[Contract]) -> list[Contract]:
    """Net holdings after more contracts of possibly the same symbols."""
    by_symbol: dict[str, Contract] = {}
    for contract in (*held, *added):
        known = by_symbol.get(contract.symbol)
        if known is not None:
            contract = msgspec.structs.replace(contract, quantity=known.quantity + contract.quantity)
        by_symbol[contract.symbol] = contract
    return [contract for contract in by_symbol.values() if contract.quantity]
