"""What lies behind an account: history, closed positions, loans and accruals (protocol 01 §3.7-§3.16)."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal

import msgspec

from ftcli.clock import market_date
from ftcli.paper.amounts import cents
from ftcli.paper.figures import (
    AccountClosedPositions,
    Accrual,
    ClosedPosition,
    GainTotals,
    LoanFigures,
)
from ftcli.paper.instruments import find
from ftcli.paper.matching import Floor
from ftcli.paper.prices import Prices
from ftcli.paper.records import ZERO, Account, ClosedLot, Loan
from ftcli.paper.risk import book_of, power
from ftcli.paper.tables import Commitments
from ftcli.paper.world import World

_YEAR = Decimal(36_000)


class Category(msgspec.Struct, frozen=True, kw_only=True):
    """The ``catDetail`` codes and texts of a line of history; None where the broker sends nothing."""

    type_code: str
    type_text: str
    code: str
    text: str
    sub_code: str | None = None
    sub_text: str | None = None


def _trade(sub_code: str, sub_text: str) -> Category:
    return Category(
        type_code="ST",
        type_text="Security Transaction or Trade",
        code="IA",
        text="Investment Activity",
        sub_code=sub_code,
        sub_text=sub_text,
    )


def _cash(code: str, text: str, sub_code: str | None = None, sub_text: str | None = None) -> Category:
    return Category(
        type_code="CT",
        type_text="Cash Transaction",
        code=code,
        text=text,
        sub_code=sub_code,
        sub_text=sub_text,
    )


CATEGORIES = {
    "buy": _trade("BY", "Buy"),
    "sell": _trade("SL", "Sell"),
    "exercise": _trade("EX", "Exercise"),
    "assignment": _trade("AS", "Assignment"),
    "expiration": _trade("XP", "Expiration"),
    "reinvestment": _trade("RI", "Reinvestment"),
    "deposit": _cash("DD", "Direct Deposit"),
    "transfer": _cash("TR", "Transfer"),
    "withdrawal": _cash("WD", "Withdrawal"),
    "contribution": _cash("CN", "Contribution"),
    "dividend": _cash("DI", "Dividends and Interest", "DV", "Dividend"),
    "interest": _cash("DI", "Dividends and Interest", "IN", "Interest"),
    "margin_interest": _cash("DI", "Dividends and Interest", "MI", "Margin Interest"),
    "fee": _cash("FE", "Fees"),
}
"""Codes of the history's categories: buy, sell and direct deposit are the broker's, the rest is ours."""


def gain_totals(lots: Iterable[ClosedLot]) -> GainTotals:
    """The gain object of some closed lots."""
    gains = losses = disallowed = plain_gains = plain_losses = ZERO
    for lot in lots:
        gains += max(ZERO, lot.gain)
        losses += min(ZERO, lot.gain)
        disallowed += lot.disallowed
        plain_gains += max(ZERO, lot.unadjusted_gain)
        plain_losses += min(ZERO, lot.unadjusted_gain)
    return GainTotals(
        gains=gains,
        losses=losses,
        disallowed=disallowed,
        total=gains + losses,
        unadjusted_gains=plain_gains,
        unadjusted_losses=plain_losses,
        unadjusted_total=plain_gains + plain_losses,
    )


def closed_positions(world: World, account: str, first: date, last: date) -> AccountClosedPositions:
    """Realised gains of an account per symbol, for lots closed in ``first`` .. ``last``."""
    lots = world.closed_lots(account, first, last)
    by_symbol: dict[str, list[ClosedLot]] = {}
    for lot in lots:
        by_symbol.setdefault(lot.symbol, []).append(lot)
    rows = tuple(_closed_position(symbol, by_symbol[symbol]) for symbol in sorted(by_symbol))
    return AccountClosedPositions(
        account=account,
        positions=rows,
        proceeds=sum((row.proceeds for row in rows), ZERO),
        cost_basis=sum((row.cost_basis for row in rows), ZERO),
        long_term=gain_totals(lot for lot in lots if lot.long_term),
        total=gain_totals(lots),
    )


def _closed_position(symbol: str, lots: list[ClosedLot]) -> ClosedPosition:
    instrument = find(symbol)
    return ClosedPosition(
        symbol=symbol,
        cusip="" if instrument is None else instrument.cusip,
        description=symbol if instrument is None else instrument.description,
        kind="equity" if instrument is None else instrument.kind,
        quantity=sum((lot.quantity for lot in lots), ZERO),
        proceeds=sum((lot.proceeds for lot in lots), ZERO),
        cost_basis=sum((lot.cost for lot in lots), ZERO),
        unadjusted_cost_basis=sum((lot.unadjusted_cost for lot in lots), ZERO),
        disallowed=sum((lot.disallowed for lot in lots), ZERO),
        long_term=gain_totals(lot for lot in lots if lot.long_term),
        total=gain_totals(lots),
        lots=tuple(lots),
    )


# -- loans and accruals ----------------------------------------------------------------------------


def _days(first: date, start: date, end: date) -> int:
    """Days of ``start`` <= day < ``end`` that are not before ``first``."""
    return max(0, (end - max(first, start)).days)


def _months(today: date) -> tuple[date, date]:
    """First day of this month and of the one before."""
    this = today.replace(day=1)
    return this, (this - timedelta(days=1)).replace(day=1)


def loaned(world: World, account: Account, prices: Prices) -> tuple[LoanFigures, ...]:
    """Shares on loan, open loans first; a day's interest is ``value x rate / 100 / 360``."""
    today = market_date(prices.at)
    rows = [_loan(loan, prices, today) for loan in world.loans if loan.account == account.number]
    return tuple(sorted(rows, key=lambda row: not row.active))


def _loan(loan: Loan, prices: Prices, today: date) -> LoanFigures:
    instrument = find(loan.symbol)
    this, before = _months(today)
    value = cents(loan.quantity * (prices.mark(loan.symbol) or ZERO))
    daily = value * loan.rate / _YEAR
    end = loan.ended or today
    active = loan.ended is None
    return LoanFigures(
        symbol=loan.symbol,
        cusip="" if instrument is None else instrument.cusip,
        description=loan.symbol if instrument is None else instrument.description,
        rate=loan.rate,
        quantity=loan.quantity if active else ZERO,
        value=value if active else ZERO,
        prior_day=cents(daily) if active and loan.since < today else ZERO,
        month_to_date=cents(daily * _days(loan.since, this, end)),
        prior_month=cents(daily * _days(loan.since, before, min(this, end))),
        active=active,
    )


def _accrual(
    code: str,
    text: str,
    today: date,
    balance: Decimal,
    rate: Decimal,
    *,
    symbol: str | None = None,
    quantity: Decimal | None = None,
    since: date | None = None,
) -> Accrual:
    this, before = _months(today)
    start = since or before
    daily = balance * rate / _YEAR
    instrument = None if symbol is None else find(symbol)
    return Accrual(
        code=code,
        text=text,
        symbol=symbol,
        cusip=None if instrument is None else instrument.cusip,
        accrued_on=today - timedelta(days=1),
        balance=balance,
        quantity=quantity,
        rate=rate,
        prior_day=cents(daily),
        month_to_date=cents(daily * _days(start, this, today)),
        prior_month=cents(daily * _days(start, before, this)),
    )


def accruals(floor: Floor, world: World, account: Account, now: datetime) -> tuple[Accrual, ...]:
    """Margin interest and borrow charges; balances and amounts are negative, they are charged."""
    prices, today, rows = floor.prices(now), market_date(now), []
    debit = min(ZERO, power(book_of(world, account, prices), Commitments()).credit_debit)
    if account.margin and debit:
        rows.append(_accrual("MRGN", "Margin Interest", today, debit, floor.settings.margin_rate))
    for symbol, holding in world.lots.totals(account.number).items():
        instrument = find(symbol)
        if holding.quantity >= 0 or instrument is None or instrument.is_option:
            continue
        if not instrument.hard_to_borrow:
            continue
        value = cents(holding.quantity * (prices.mark(symbol) or ZERO))
        opened = market_date(min(lot.opened for lot in world.lots.of(account.number, symbol)))
        rows.append(
            _accrual(
                "SHORT",
                "Short Borrow Charge",
                today,
                value,
                instrument.borrow_rate,
                symbol=symbol,
                quantity=holding.quantity,
                since=opened,
            )
        )
    return tuple(rows)


def cash_accruals(floor: Floor, world: World, account: Account, now: datetime) -> tuple[Accrual, ...]:
    """Interest earned by the core fund."""
    core = world.cash[account.number].core
    if not core:
        return ()
    return (_accrual("CASH", "Cash Credit Interest", market_date(now), core, floor.settings.core_rate),)
