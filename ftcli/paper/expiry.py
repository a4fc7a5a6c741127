"""Expiration of options: what is in the money by a cent is exercised or assigned, the rest is worthless.

Contracts on shares are settled in shares, contracts on an index in cash. The premium of an exercised or
assigned contract becomes part of the cost of the shares. A holder who cannot take or deliver the shares is
paid the intrinsic value instead.
"""

from datetime import date, datetime
from decimal import Decimal

import msgspec
from msgspec.structs import replace

from ftcli.clock import market_date
from ftcli.paper import hours
from ftcli.paper.amounts import CENT, share
from ftcli.paper.codes import Holding
from ftcli.paper.instruments import Instrument, find
from ftcli.paper.ledger import Trade, book_trade, take_from_lot
from ftcli.paper.lifecycle import tell_holdings
from ftcli.paper.matching import Floor
from ftcli.paper.records import ZERO, Account, Transaction
from ftcli.paper.risk import HOUSE_LONG, book_of, power
from ftcli.paper.tables import Commitments
from ftcli.paper.world import World

_HUNDRED = Decimal(100)


class _Expiring(msgspec.Struct, frozen=True, kw_only=True):
    """A holding on its last day; ``quantity`` is signed contracts."""

    account: Account
    instrument: Instrument
    quantity: Decimal
    spot: Decimal
    at: datetime

    @property
    def long(self) -> bool:
        """True for a bought contract."""
        return self.quantity > 0

    @property
    def contracts(self) -> Decimal:
        """Contracts, unsigned."""
        return abs(self.quantity)

    @property
    def shares(self) -> Decimal:
        """Shares behind the contracts."""
        return self.contracts * _HUNDRED

    @property
    def value(self) -> Decimal:
        """Intrinsic value per share."""
        return self.instrument.intrinsic(self.spot)

    @property
    def takes_shares(self) -> bool:
        """True where exercise or assignment buys the shares."""
        return (self.instrument.right == "C") == self.long

    @property
    def strike(self) -> Decimal:
        """The exercise price."""
        assert self.instrument.strike is not None
        return self.instrument.strike

    @property
    def words(self) -> str:
        """Phrase of the history: exercised or assigned."""
        side = "EXERCISED" if self.long else "ASSIGNED"
        return f"{side} {'CALL' if self.instrument.right == 'C' else 'PUT'}S"


def expire(floor: Floor, world: World, day: date, at: datetime) -> None:
    """Settle every option holding that expires on a date.

    Args:
        at: The close of the last trading day.
    """
    for account in world.accounts:
        expiring = _expiring(floor, world, account, day, at)
        if not expiring:
            continue
        in_the_money = [item for item in expiring if item.value >= CENT]
        shares = [item.instrument for item in in_the_money if item.instrument.underlying_kind != "index"]
        symbols = {item.instrument.symbol for item in expiring} | {found.underlying for found in shares}
        for item in expiring:
            if item.value < CENT:
                _close_at(world, item, ZERO, "EXPIRED", "expiration")
        for item in sorted(in_the_money, key=lambda item: not item.takes_shares):
            _settle(floor, world, item)
        tell_holdings(world, account.number, sorted(symbols), at, None)


def _expiring(floor: Floor, world: World, account: Account, day: date, at: datetime) -> list[_Expiring]:
    found = []
    for symbol, holding in list(world.lots.totals(account.number).items()):
        instrument = find(symbol)
        if instrument is None or instrument.expiration is None or not holding.quantity:
            continue
        if instrument.expiration != day or hours.last_session_close(day) > at:
            continue
        quote = floor.prices(at).quote(instrument.underlying)
        spot = ZERO if quote is None else quote.close or quote.last or ZERO
        found.append(
            _Expiring(account=account, instrument=instrument, quantity=holding.quantity, spot=spot, at=at)
        )
    return found


def _close_at(world: World, item: _Expiring, price: Decimal, words: str, category: str) -> None:
    """Close the contracts at a price, without costs."""
    book_trade(
        world,
        Trade(
            account=item.account.number,
            symbol=item.instrument.symbol,
            description=item.instrument.long_text,
            buys=not item.long,
            opens=False,
            quantity=item.contracts,
            price=price,
            time=item.at,
            holding=item.account.holding,
            multiplier=_HUNDRED,
            words=words,
            category=category,
        ),
    )


def _settle(floor: Floor, world: World, item: _Expiring) -> None:
    category = "exercise" if item.long else "assignment"
    if item.instrument.underlying_kind == "index":
        _close_at(world, item, item.value, item.words, category)
    elif item.takes_shares:
        if item.long and not _can_take(floor, world, item):
            _close_at(world, item, item.value, item.words, category)
        else:
            _take_shares(world, item, category)
    elif _can_deliver(world, item):
        _deliver_shares(world, item, category)
    else:
        _close_at(world, item, item.value, item.words, category)


def _can_take(floor: Floor, world: World, item: _Expiring) -> bool:
    """True where the account can pay for the shares that stay with it after assigned calls take theirs."""
    leaving = ZERO
    for symbol, holding in world.lots.totals(item.account.number).items():
        other = find(symbol)
        if (
            other is not None
            and other.is_option
            and holding.quantity < 0
            and other.right == "C"
            and other.expiration == item.instrument.expiration
            and other.underlying == item.instrument.underlying
            and other.intrinsic(item.spot) >= CENT
        ):
            leaving -= holding.quantity * _HUNDRED
    shares = item.shares - leaving
    if shares <= 0:
        return True
    available = power(book_of(world, item.account, floor.prices(item.at)), Commitments())
    cost = shares * item.strike
    return cost * HOUSE_LONG <= available.non_margin if item.account.margin else cost <= available.cash


def _can_deliver(world: World, item: _Expiring) -> bool:
    held = world.lots.quantity(item.account.number, item.instrument.underlying)
    underlying = find(item.instrument.underlying)
    may_short = item.account.short_selling and underlying is not None and underlying.shortable
    return held >= item.shares or may_short


def _lift_contracts(world: World, item: _Expiring, category: str) -> Decimal:
    """Take the contracts out of the books; answers their (signed) cost."""
    cost = ZERO
    for lot in world.lots.of(item.account.number, item.instrument.symbol):
        cost += take_from_lot(world, lot, abs(lot.quantity))
    _note(world, item, category)
    return cost


def _note(world: World, item: _Expiring, category: str) -> None:
    """A line of history for the contracts themselves, without money."""
    day = market_date(item.at)
    world.add_transaction(
        Transaction(
            transaction_id=world.next("transaction_sequence"),
            account=item.account.number,
            time=item.at,
            traded=day,
            posted=day,
            text=f"{item.words} {item.instrument.long_text} ({item.account.holding.text})",
            short_text=item.words,
            net=ZERO,
            category=category,
            symbol=item.instrument.symbol,
            quantity=-item.quantity,
            holding=item.account.holding,
        )
    )


def _take_shares(world: World, item: _Expiring, category: str) -> None:
    """Buy the shares at the exercise price; short shares are covered first."""
    basis = _lift_contracts(world, item, category)
    held = world.lots.quantity(item.account.number, item.instrument.underlying)
    covered = min(item.shares, max(ZERO, -held))
    part = share(basis, covered, item.shares)
    if covered:
        _trade_shares(world, item, covered, opens=False, short=True, basis=part)
    if covered < item.shares:
        _trade_shares(world, item, item.shares - covered, opens=True, short=False, basis=basis - part)


def _deliver_shares(world: World, item: _Expiring, category: str) -> None:
    """Sell the shares at the exercise price; what is missing is sold short."""
    held = max(ZERO, world.lots.quantity(item.account.number, item.instrument.underlying))
    owned = min(item.shares, held)
    if owned == item.shares:
        basis = _lift_contracts(world, item, category)
        _trade_shares(world, item, owned, opens=False, short=False, basis=basis)
        return
    _close_at(world, item, ZERO, item.words, category)
    if owned:
        _trade_shares(world, item, owned, opens=False, short=False, basis=ZERO)
    _trade_shares(world, item, item.shares - owned, opens=True, short=True, basis=ZERO)


def _trade_shares(
    world: World, item: _Expiring, quantity: Decimal, *, opens: bool, short: bool, basis: Decimal
) -> None:
    underlying = find(item.instrument.underlying)
    assert underlying is not None
    trade = Trade(
        account=item.account.number,
        symbol=underlying.symbol,
        description=underlying.long_text,
        buys=item.takes_shares,
        opens=opens,
        quantity=quantity,
        price=item.strike,
        time=item.at,
        holding=Holding.SHORT if short else item.account.holding,
        basis=basis,
    )
    words = f"{'YOU BOUGHT' if item.takes_shares else 'YOU SOLD'} {item.words}"
    book_trade(world, replace(trade, words=words))
