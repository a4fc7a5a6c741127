"""Balances of an account: at recent, regular-session and closing prices (protocol 01 §4.3)."""

from datetime import datetime
from decimal import Decimal

from msgspec.structs import replace

from ftcli.clock import market_date
from ftcli.paper import calendar
from ftcli.paper.amounts import cents, percent
from ftcli.paper.codes import PriceType
from ftcli.paper.figures import AccountBalances, BalanceSnapshot, MarginFigures
from ftcli.paper.instruments import find
from ftcli.paper.matching import Floor
from ftcli.paper.positions import cash_like
from ftcli.paper.prices import Prices
from ftcli.paper.records import ZERO, Account, Cash, Transaction
from ftcli.paper.risk import HOUSE_LONG, Book, Power, book_of, commitments, option_underlyings, power
from ftcli.paper.settings import Settings
from ftcli.paper.tables import Commitments, Holdings
from ftcli.paper.world import World

_BOND_RATES = (Decimal("0.25"), Decimal("0.20"), Decimal("0.10"))
_HUNDRED = Decimal(100)
_YEAR = Decimal(360)


class ClosePrices:
    """Prices of the previous close."""

    def __init__(self, prices: Prices) -> None:
        self._prices = prices

    def mark(self, symbol: str) -> Decimal | None:
        """The previous close of a symbol."""
        return self._prices.previous_close(symbol)


def previous_close(now: datetime) -> datetime:
    """The close that the day's changes are measured from: the one before the latest session that opened."""
    session = calendar.current_or_next_session(now)
    if session.open > now:
        session = calendar.previous_session(now)
    return calendar.previous_session(session.date).close


def account_balances(floor: Floor, world: World, account: Account, now: datetime) -> AccountBalances:
    """The three snapshots of an account."""
    prices = floor.prices(now)
    since = previous_close(now)
    fresh = _transactions_since(world, account, since, now)
    recent_book = book_of(world, account, prices)
    close_book = _book_at_close(world, account, fresh, since, prices)
    held_back = commitments(world, account.number)
    recent = _snapshot(floor.settings, world, recent_book, held_back, now, close_book)
    close = _snapshot(floor.settings, world, close_book, Commitments(), since, close_book)
    flows = sum((line.net for line in fresh if line.external), ZERO)
    change = recent.net_worth - close.net_worth - flows
    orders = world.orders.of(account.number)
    margin = recent.margin
    return AccountBalances(
        account=account.number,
        as_of=now,
        is_margin=account.margin,
        has_options=account.option_level > 0 or bool(option_underlyings(recent_book.totals)),
        has_intraday_activity=any(line.holding is not None for line in fresh),
        has_unpriced_order=any(order.price_type is PriceType.MARKET for order in orders),
        has_margin_calls=margin is not None and margin.house_surplus < 0,
        recent=recent,
        intraday=replace(recent),
        close=close,
        net_worth_change=change,
        intraday_net_worth_change=change,
    )


def _transactions_since(world: World, account: Account, since: datetime, now: datetime) -> list[Transaction]:
    lines = world.transactions(account.number, market_date(since), market_date(now))
    return [line for line in lines if line.time > since]


def _book_at_close(
    world: World, account: Account, fresh: list[Transaction], since: datetime, prices: Prices
) -> Book:
    """What the account held at the last close: the present holdings with later trades undone."""
    present = book_of(world, account, prices)
    if not fresh:
        return Book(account=account, totals=present.totals, cash=present.cash, marks=ClosePrices(prices))
    totals = {
        symbol: Holdings(
            quantity=item.quantity, cost=item.cost, cash_quantity=min(item.quantity, item.cash_quantity)
        )
        for symbol, item in present.totals.items()
    }
    _undo_lots(world, account, totals, fresh, since)
    totals = {symbol: item for symbol, item in totals.items() if item.quantity}
    short = sum((-item.cost for symbol, item in totals.items() if _is_short_stock(symbol, item)), ZERO)
    left = cash_like(world, account) - sum((line.net for line in fresh), ZERO) - short
    cash = Cash(account=account.number, core=max(ZERO, left), balance=min(ZERO, left))
    cash = replace(cash, memorandum=present.cash.memorandum)
    return Book(account=account, totals=totals, cash=cash, marks=ClosePrices(prices))


def _is_short_stock(symbol: str, holding: Holdings) -> bool:
    instrument = find(symbol)
    return holding.quantity < 0 and instrument is not None and not instrument.is_option


def _undo_lots(
    world: World, account: Account, totals: dict[str, Holdings], fresh: list[Transaction], since: datetime
) -> None:
    for symbol in list(totals):
        for lot in world.lots.of(account.number, symbol):
            if lot.opened > since:
                totals[symbol].quantity -= lot.quantity
                totals[symbol].cost -= lot.cost
    seen = set()
    for closed in world.closed_lots(account.number, market_date(since), market_date(fresh[0].time)):
        if closed.closed_at <= since:
            continue
        seen.add(closed.transaction)
        if closed.opened is not None and closed.opened > since:
            continue
        holding = totals.setdefault(closed.symbol, Holdings())
        holding.quantity += -closed.quantity if closed.short else closed.quantity
        holding.cost += -closed.proceeds if closed.short else closed.unadjusted_cost
    for line in fresh:
        lifted = line.category in ("exercise", "assignment") and line.transaction_id not in seen
        if lifted and not line.principal and line.symbol is not None:
            totals.setdefault(line.symbol, Holdings()).quantity -= line.quantity


def _snapshot(
    settings: Settings,
    world: World,
    book: Book,
    held_back: Commitments,
    as_of: datetime,
    before: Book,
) -> BalanceSnapshot:
    found = power(book, held_back)
    held, cash, account = found.held, book.cash, book.account
    deposits = sum((item.amount for item in cash.deposits), ZERO)
    value = held.held_in_margin + held.held_in_cash + held.held_in_options - held.short_value
    unsettled = sum((item.amount for item in cash.settlements), ZERO)
    settled = max(ZERO, cash.core - unsettled)
    in_core = min(held_back.cash, cash.core)
    mark = power(before, Commitments()).held.short_value - held.short_value if before is not book else ZERO
    return BalanceSnapshot(
        as_of=as_of,
        net_worth=value + cash.core + cash.balance + deposits + held.short_proceeds,
        market_value=value,
        equity_pct=_equity_pct(found) if account.margin else _HUNDRED,
        has_unpriced_position=held.unpriced,
        loaned_value=_loaned(world, book),
        held_in_cash=held.held_in_cash,
        core=cash.core,
        credit_debit=found.credit_debit,
        settled=settled,
        cash_buying_power=cents(found.cash),
        committed_cash=in_core,
        committed_cash_and_margin=held_back.cash,
        without_margin_impact=cash.core - in_core,
        withdrawable_cash=max(ZERO, settled - in_core),
        withdrawable_with_margin=max(ZERO, settled - in_core),
        unsettled_deposit=deposits,
        held_in_short=-held.short_value,
        short_credit=held.short_value,
        daily_mark=mark,
        held_in_options=held.held_in_options,
        options_in_the_money=held.options_in_the_money,
        option_requirement=cents(found.need.margin),
        cash_covered_put_reserve=found.need.put_reserve,
        cash_spread_reserve=found.need.spread_reserve,
        net_market_value=held.held_in_margin + held.held_in_options - held.short_value,
        margin=_margin(settings, book, found, as_of) if account.margin else None,
    )


def _equity_pct(found: Power) -> Decimal:
    held = found.held.held_in_margin
    return percent(found.equity, held) if held else _HUNDRED


def _loaned(world: World, book: Book) -> Decimal:
    total = ZERO
    for loan in world.loans:
        if loan.account == book.account.number and loan.ended is None:
            total += cents(loan.quantity * (book.marks.mark(loan.symbol) or ZERO))
    return total


def _margin(settings: Settings, book: Book, found: Power, as_of: datetime) -> MarginFigures:
    """Margin figures; each buying power is a fixed multiple of the one without loan value."""
    base = cents(found.non_margin)
    debit = -min(ZERO, found.credit_debit)
    daily = cents(debit * settings.margin_rate / _HUNDRED / _YEAR)
    corporate, municipal, government = (cents(base / rate) for rate in _BOND_RATES)
    requirement = cents(found.house_requirement)
    return MarginFigures(
        held_in_margin=found.held.held_in_margin,
        credit_debit=found.credit_debit,
        equity=found.equity,
        equity_pct=_equity_pct(found),
        house_requirement=requirement,
        house_surplus=found.equity + book.cash.core - requirement,
        exchange_surplus=cents(found.exchange_surplus),
        memorandum=book.cash.memorandum,
        interest_rate=settings.margin_rate if debit else ZERO,
        interest_accrued_month=daily * (market_date(as_of).day - 1),
        interest_accrued_daily=daily,
        buying_power=cents(base / HOUSE_LONG),
        non_margin_buying_power=base,
        day_trade_buying_power=max(ZERO, cents(found.exchange_surplus)),
        corporate_bond_buying_power=corporate,
        municipal_bond_buying_power=municipal,
        government_bond_buying_power=government,
    )
