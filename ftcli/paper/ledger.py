"""The ledger: books trades, expirations and cash into lots, cash, history and closed lots.

Nothing here knows orders or prices: it is told what happened and keeps the books consistent to the cent.
Over every booking the sum ``core + balance + deposits + short proceeds - net of all history`` stays
constant. Source: protocol 01 §4.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal

import msgspec
from msgspec.structs import replace

from ftcli.clock import market_date
from ftcli.paper import calendar
from ftcli.paper.amounts import cents, share
from ftcli.paper.codes import Holding
from ftcli.paper.records import (
    ZERO,
    Cash,
    ClosedLot,
    Lot,
    LotChoice,
    Settlement,
    Transaction,
)
from ftcli.paper.wash import adjust_after_purchase, adjust_after_sale, new_lot_id
from ftcli.paper.world import World


class Trade(msgspec.Struct, frozen=True, kw_only=True):
    """An execution to book.

    Attributes:
        description: Text of the security for the history.
        multiplier: 100 for options, else 1.
        opens: True where it adds to a position; ``buys`` False with ``opens`` is a short sale or a
            written option.
        holding: Account type it is booked in; short shares are booked ``Holding.SHORT``.
        lots: Chosen lots of a specific-shares sale, first in first out where empty.
        basis: Premium of an exercised or assigned option that becomes part of the shares' cost; not for
            shares sold short.
        words: Action phrase of the history line, derived where empty.
        category: Key into ``history.CATEGORIES``, derived where empty.
    """

    account: str
    symbol: str
    description: str
    buys: bool
    opens: bool
    quantity: Decimal
    price: Decimal
    time: datetime
    holding: Holding
    multiplier: Decimal = Decimal(1)
    commission: Decimal = ZERO
    fees: Decimal = ZERO
    lots: tuple[LotChoice, ...] = ()
    order: str | None = None
    basis: Decimal = ZERO
    words: str = ""
    category: str = ""

    @property
    def gross(self) -> Decimal:
        """Quantity x price x multiplier, in cents."""
        return cents(self.quantity * self.price * self.multiplier)

    @property
    def net(self) -> Decimal:
        """Signed cash effect."""
        costs = self.commission + self.fees
        return -self.gross - costs if self.buys else self.gross - costs

    @property
    def is_short_sale(self) -> bool:
        """True where shares (not options) are sold that the account does not have."""
        return self.holding is Holding.SHORT


class Booking(msgspec.Struct, frozen=True, kw_only=True):
    """What a booked trade left behind."""

    transaction: Transaction
    closed: tuple[ClosedLot, ...] = ()
    wash_sales: tuple[ClosedLot, ...] = ()


class LotsMissingError(ValueError):
    """A trade closes more than the lots hold; the engine checks before it books."""


def add_cash(world: World, account: str, amount: Decimal, *, settles: date | None = None) -> Cash:
    """Bring dollars into an account, or take them out.

    Money that comes in pays back a debit first and the rest is swept into the core fund; money that
    goes out comes from the core fund first and the rest is owed.

    Args:
        settles: For sale proceeds, when they settle; what reaches the core fund counts as unsettled until
            then.
    """
    cash = world.cash[account]
    if amount >= 0:
        repaid = min(amount, max(ZERO, -cash.balance))
        swept = amount - repaid
        settlements = cash.settlements
        if settles is not None and swept > 0:
            settlements = (*settlements, Settlement(amount=swept, settles=settles))
        cash = replace(cash, balance=cash.balance + repaid, core=cash.core + swept, settlements=settlements)
    else:
        from_core = min(-amount, cash.core)
        cash = replace(cash, core=cash.core - from_core, balance=cash.balance + amount + from_core)
    world.cash.put(account, cash)
    return cash


def settle(world: World, account: str, today: date) -> None:
    """Forget settlements that are through and sweep deposits that are due."""
    cash = world.cash[account]
    left = tuple(item for item in cash.settlements if item.settles > today)
    due = sum((item.amount for item in cash.deposits if item.sweeps <= today), ZERO)
    if left == cash.settlements and not due:
        return
    waiting = tuple(item for item in cash.deposits if item.sweeps > today)
    world.cash.put(account, replace(cash, settlements=left, deposits=waiting))
    if due:
        add_cash(world, account, due)


def settlement_date(traded: date) -> date:
    """Trade date plus one trading day."""
    return calendar.next_trading_day(traded)


def book_cash(
    world: World,
    account: str,
    time: datetime,
    text: str,
    amount: Decimal,
    category: str,
    *,
    symbol: str | None = None,
    holding: Holding = Holding.CASH,
    external: bool = False,
    interest: Decimal = ZERO,
    move: bool = True,
) -> Transaction:
    """Book a deposit, withdrawal, dividend or interest.

    Args:
        category: Key into ``history.CATEGORIES``.
        external: True where the money comes from or goes outside the account.
        move: False where the caller moves the money itself (a deposit that is swept later).
    """
    day = market_date(time)
    transaction = Transaction(
        transaction_id=world.next("transaction_sequence"),
        account=account,
        time=time,
        traded=day,
        posted=day,
        text=f"{text} ({holding.text})",
        short_text=text,
        net=amount,
        category=category,
        symbol=symbol,
        interest=interest,
        external=external,
    )
    world.add_transaction(transaction)
    if move:
        add_cash(world, account, amount)
    return transaction


def book_trade(world: World, trade: Trade) -> Booking:
    """Book an execution: lots, cash, one line of history, closed lots and wash sales.

    Raises:
        LotsMissingError: It closes more than there is; nothing is booked.
    """
    chosen = [] if trade.opens else list(choose_lots(world, trade))
    transaction = _trade_line(world, trade)
    world.add_transaction(transaction)
    if trade.opens:
        wash = _open_lot(world, trade)
        if not trade.is_short_sale:
            _move_cash(world, trade, trade.net)
        return Booking(transaction=transaction, wash_sales=tuple(wash))
    closed = _close_lots(world, trade, chosen, transaction.transaction_id)
    if trade.buys and trade.is_short_sale:
        released = sum((lot.proceeds for lot in closed), ZERO)
        add_cash(world, trade.account, released + trade.net)
    else:
        _move_cash(world, trade, trade.net)
    adjusted = [adjust_after_sale(world, lot) for lot in closed]
    wash = [lot for lot in adjusted if lot.disallowed]
    return Booking(transaction=transaction, closed=tuple(adjusted), wash_sales=tuple(wash))


def _move_cash(world: World, trade: Trade, amount: Decimal) -> None:
    traded = market_date(trade.time)
    add_cash(world, trade.account, amount, settles=None if trade.buys else settlement_date(traded))


def _trade_line(world: World, trade: Trade) -> Transaction:
    words = trade.words or _words(trade)
    day = market_date(trade.time)
    return Transaction(
        transaction_id=world.next("transaction_sequence"),
        account=trade.account,
        time=trade.time,
        traded=day,
        posted=day,
        settles=settlement_date(day),
        text=f"{words} {trade.description} ({trade.holding.text})",
        short_text=words,
        symbol=trade.symbol,
        quantity=trade.quantity if trade.buys else -trade.quantity,
        price=trade.price,
        principal=-trade.gross if trade.buys else trade.gross,
        commission=trade.commission,
        fees=trade.fees,
        net=trade.net,
        category=trade.category or ("buy" if trade.buys else "sell"),
        holding=trade.holding,
        order=trade.order,
    )


def _words(trade: Trade) -> str:
    verb = "YOU BOUGHT" if trade.buys else "YOU SOLD"
    if trade.multiplier != 1:
        return f"{verb} {'OPENING' if trade.opens else 'CLOSING'} TRANSACTION"
    if trade.is_short_sale:
        return f"{verb} SHORT COVER" if trade.buys else f"{verb} SHORT"
    return verb


def _open_lot(world: World, trade: Trade) -> list[ClosedLot]:
    day = market_date(trade.time)
    lot = Lot(
        lot_id=new_lot_id(world, day),
        account=trade.account,
        symbol=trade.symbol,
        quantity=trade.quantity if trade.buys else -trade.quantity,
        price=trade.price,
        cost=-trade.net + trade.basis,
        opened=trade.time,
        acquired=day,
        holding=trade.holding,
        order=trade.order,
    )
    world.lots.put(lot.lot_id, lot)
    return adjust_after_purchase(world, lot) if trade.buys else []


def choose_lots(world: World, trade: Trade) -> Iterator[tuple[Lot, Decimal]]:
    """Which lots a closing trade takes, and how much of each (positive)."""
    lots = [lot for lot in world.lots.of(trade.account, trade.symbol) if (lot.quantity > 0) != trade.buys]
    wanted = trade.quantity
    for choice in trade.lots:
        lot = _chosen(lots, choice)
        taken = min(choice.quantity, wanted)
        if lot is None or taken > abs(lot.quantity):
            raise LotsMissingError(trade.symbol)
        if taken > 0:
            yield lot, taken
        wanted -= taken
    if trade.lots:
        lots = []
    for lot in lots:
        taken = min(wanted, abs(lot.quantity))
        if taken <= 0:
            return
        yield lot, taken
        wanted -= taken
    if wanted > 0:
        raise LotsMissingError(trade.symbol)


def _chosen(lots: list[Lot], choice: LotChoice) -> Lot | None:
    if choice.lot_id:
        return next((lot for lot in lots if lot.lot_id == choice.lot_id), None)
    return lots[choice.sequence - 1] if 1 <= choice.sequence <= len(lots) else None


def take_from_lot(world: World, lot: Lot, quantity: Decimal) -> Decimal:
    """Take shares out of a lot.

    Returns:
        The part of the lot's (signed) cost that belongs to them.
    """
    size = abs(lot.quantity)
    cost = share(lot.cost, quantity, size)
    if quantity == size:
        world.lots.remove(lot.lot_id)
        return cost
    signed = quantity if lot.quantity > 0 else -quantity
    wash = share(lot.wash_adjustment, quantity, size)
    world.lots.put(
        lot.lot_id,
        replace(
            lot,
            quantity=lot.quantity - signed,
            cost=lot.cost - cost,
            wash_adjustment=lot.wash_adjustment - wash,
        ),
    )
    return cost


def _close_lots(
    world: World, trade: Trade, chosen: list[tuple[Lot, Decimal]], transaction: int
) -> list[ClosedLot]:
    """Close the chosen lots; the trade's dollars and its basis are spread over them by quantity."""
    dollars = _Spread(-trade.net if trade.buys else trade.net, trade.quantity)
    basis = _Spread(trade.basis, trade.quantity)
    closed = []
    for lot, quantity in chosen:
        cost = take_from_lot(world, lot, quantity)
        amount, extra = dollars.take(quantity), basis.take(quantity)
        if trade.buys:
            amount += extra
        else:
            cost += extra
        closed.append(close_lot(world, lot, quantity, cost, amount, trade.time, transaction))
    return closed


class _Spread:
    """Dollars spread over quantities, the last of which takes what rounding left."""

    def __init__(self, total: Decimal, quantity: Decimal) -> None:
        self._total, self._quantity = total, quantity
        self._left, self._quantity_left = total, quantity

    def take(self, quantity: Decimal) -> Decimal:
        """The dollars that fall to a part of the quantity."""
        last = quantity == self._quantity_left
        part = self._left if last else share(self._total, quantity, self._quantity)
        self._left -= part
        self._quantity_left -= quantity
        return part


def is_long_term(acquired: date, sold: date) -> bool:
    """True where shares were held for more than one year."""
    try:
        anniversary = acquired.replace(year=acquired.year + 1)
    except ValueError:
        anniversary = date(acquired.year + 1, 3, 1) - timedelta(days=1)
    return sold > anniversary


def close_lot(
    world: World,
    lot: Lot,
    quantity: Decimal,
    cost: Decimal,
    dollars: Decimal,
    time: datetime,
    transaction: int,
) -> ClosedLot:
    """Record that part of a lot is gone.

    Args:
        cost: The signed cost that was in the lot.
        dollars: What the closing trade brought in (long) or cost (short).
    """
    day = market_date(time)
    short = lot.quantity < 0
    closed = ClosedLot(
        closed_id=new_lot_id(world, day),
        lot_id=lot.lot_id,
        account=lot.account,
        symbol=lot.symbol,
        quantity=quantity,
        acquired=day if short else lot.acquired,
        sold=day,
        closed_at=time,
        proceeds=-cost if short else dollars,
        unadjusted_cost=dollars if short else cost,
        long_term=not short and is_long_term(lot.acquired, day),
        transaction=transaction,
        short=short,
        held_since=market_date(lot.opened) if short else lot.acquired,
        opened=lot.opened,
    )
    world.put_closed_lot(closed)
    return closed
