"""Positions and lots, derived from the open lots and the market (protocol 01 §3.3, §3.4, §4.2)."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from ftcli.clock import market_date
from ftcli.paper import calendar
from ftcli.paper.amounts import cents, four_places, percent
from ftcli.paper.figures import AccountPositions, OpenLot, Portfolio, Position
from ftcli.paper.instruments import Instrument, find
from ftcli.paper.ledger import is_long_term
from ftcli.paper.prices import Prices
from ftcli.paper.records import ZERO, Account, Lot
from ftcli.paper.tables import Holdings
from ftcli.paper.world import World

CORE_SYMBOL = "SPAXX"
_ONE = Decimal(1)
_KINDS = {"etf": "etf", "mutual_fund": "fund", "money_market": "fund", "option": "option"}
_SUB_KINDS = {
    "etf": "Exchange Traded Fund",
    "mutual_fund": "Mutual Fund",
    "money_market": "Money Market Fund",
}


def previous_close_moment(prices: Prices, symbol: str) -> datetime:
    """The close that the day's change of a symbol is measured from."""
    quote = prices.quote(symbol)
    if quote is not None and quote.trade_date is not None:
        return calendar.previous_session(quote.trade_date).close
    session = calendar.current_or_next_session(prices.at)
    if session.open <= prices.at:
        return calendar.previous_session(session.date).close
    return calendar.previous_session(calendar.previous_session(prices.at).date).close


def account_positions(world: World, account: Account, prices: Prices) -> AccountPositions:
    """The positions of an account; the core fund comes first, then the symbols in order."""
    value = account_value(world, account, prices)
    rows = [_core(world, account, value)]
    for symbol, holding in sorted(world.lots.totals(account.number).items(), key=lambda item: item[0]):
        rows.append(_position(world, account, symbol, holding, prices, value))
    rows.sort(key=lambda row: ("core", "equity", "etf", "fund", "option").index(row.kind))
    cost = sum((row.cost_basis for row in rows), ZERO)
    gain = sum((row.total_gain for row in rows), ZERO)
    today = sum((row.todays_gain for row in rows), ZERO)
    before = sum((row.previous_market_value for row in rows), ZERO)
    return AccountPositions(
        account=account.number,
        positions=tuple(rows),
        market_value=value,
        cost_basis=cost,
        total_gain=gain,
        total_gain_pct=percent(gain, cost) if cost else None,
        todays_gain=today,
        todays_gain_pct=percent(today, before) if today else None,
    )


def account_value(world: World, account: Account, prices: Prices) -> Decimal:
    """``accountMarketVal``: positions, core, unswept deposits, margin and short balances."""
    total = cash_like(world, account)
    for symbol, holding in world.lots.totals(account.number).items():
        total += _value(symbol, holding.quantity, prices.mark(symbol))
    return total


def cash_like(world: World, account: Account) -> Decimal:
    """Core, balance, unswept deposits and what short shares were sold for."""
    cash = world.cash[account.number]
    total = cash.core + cash.balance + sum((item.amount for item in cash.deposits), ZERO)
    for symbol, holding in world.lots.totals(account.number).items():
        instrument = find(symbol)
        if holding.quantity < 0 and instrument is not None and not instrument.is_option:
            total -= holding.cost
    return total


def _value(symbol: str, quantity: Decimal, price: Decimal | None) -> Decimal:
    instrument = find(symbol)
    if instrument is None or price is None:
        return ZERO
    return cents(quantity * instrument.multiplier * price)


def _core(world: World, account: Account, value: Decimal) -> Position:
    core = world.cash[account.number].core
    instrument = find(CORE_SYMBOL)
    assert instrument is not None
    return Position(
        account=account.number,
        symbol=CORE_SYMBOL,
        kind="core",
        sub_kind="Fidelity Mutual Fund",
        description=instrument.description,
        cusip=instrument.cusip,
        quantity=core,
        multiplier=_ONE,
        last=_ONE,
        change=ZERO,
        change_pct=ZERO,
        close=_ONE,
        prev_close=_ONE,
        market_value=core,
        previous_market_value=core,
        cost_basis=ZERO,
        average_cost=ZERO,
        total_gain=core,
        total_gain_pct=ZERO,
        todays_gain=ZERO,
        todays_gain_pct=ZERO,
        holding_pct=percent(core, value),
        holding_type="Cash",
        has_intraday_pricing=False,
    )


def _position(
    world: World, account: Account, symbol: str, holding: Holdings, prices: Prices, value: Decimal
) -> Position:
    instrument, quote = find(symbol), prices.quote(symbol)
    mark, close = prices.mark(symbol), prices.previous_close(symbol)
    market_value = _value(symbol, holding.quantity, mark)
    before = _value_before(world, account.number, symbol, holding, prices)
    gain, today = market_value - holding.cost, market_value - before
    change = None if mark is None or close is None else mark - close
    multiplier = _ONE if instrument is None else instrument.multiplier
    return Position(
        account=account.number,
        symbol=symbol,
        kind="equity" if instrument is None else _KINDS.get(instrument.kind, "equity"),
        sub_kind=_sub_kind(instrument),
        description=symbol if instrument is None else instrument.short_text,
        cusip="" if instrument is None else instrument.cusip,
        quantity=holding.quantity,
        multiplier=multiplier,
        last=mark,
        change=change,
        change_pct=None if change is None or not close else percent(change, close),
        close=(quote.close if quote is not None and quote.close is not None else close),
        prev_close=close,
        market_value=market_value,
        previous_market_value=before,
        cost_basis=holding.cost,
        average_cost=four_places(abs(holding.cost) / abs(holding.quantity * multiplier)),
        total_gain=gain,
        total_gain_pct=percent(gain, holding.cost),
        todays_gain=today,
        todays_gain_pct=percent(today, before),
        holding_pct=percent(market_value, value),
        holding_type="Margin" if account.margin else "Cash",
        has_intraday_pricing=instrument is not None and not instrument.is_fund,
        underlying=None if instrument is None or not instrument.is_option else instrument.underlying,
        right=None if instrument is None or not instrument.is_option else instrument.right,
        strike=None if instrument is None else instrument.strike,
        expiration=None if instrument is None else instrument.expiration,
    )


def _sub_kind(instrument: Instrument | None) -> str:
    if instrument is None:
        return "Common Stock"
    if instrument.is_option:
        return "Call" if instrument.right == "C" else "Put"
    return _SUB_KINDS.get(instrument.kind, "Common Stock")


def _value_before(world: World, account: str, symbol: str, holding: Holdings, prices: Prices) -> Decimal:
    """Value at the previous close; what was bought since counts at its purchase price (protocol 01 §4.2)."""
    since = previous_close_moment(prices, symbol)
    fresh = [lot for lot in world.lots.of(account, symbol) if lot.opened > since]
    quantity = holding.quantity - sum((lot.quantity for lot in fresh), ZERO)
    before = _value(symbol, quantity, prices.previous_close(symbol))
    return before + sum((_value(symbol, lot.quantity, lot.price) for lot in fresh), ZERO)


def portfolio(world: World, accounts: Sequence[Account], prices: Prices) -> Portfolio:
    """Several accounts and their sums."""
    rows = tuple(account_positions(world, account, prices) for account in accounts)
    cost = sum((row.cost_basis for row in rows), ZERO)
    gain = sum((row.total_gain for row in rows), ZERO)
    today = sum((row.todays_gain for row in rows), ZERO)
    value = sum((row.market_value for row in rows), ZERO)
    return Portfolio(
        accounts=rows,
        position_count=sum(len(row.positions) for row in rows),
        value=value,
        cost_basis=cost,
        total_gain=gain,
        total_gain_pct=percent(gain, cost) if cost else None,
        todays_gain=today,
        todays_gain_pct=percent(today, value - today) if today else None,
    )


def open_lots(world: World, account: Account, symbol: str, prices: Prices) -> tuple[OpenLot, ...]:
    """The open tax lots of a symbol, oldest first; their values add up to the position's to the cent."""
    lots = world.lots.of(account.number, symbol)
    left = _value(symbol, world.lots.quantity(account.number, symbol), prices.mark(symbol))
    rows = []
    for sequence, lot in enumerate(lots, 1):
        last = sequence == len(lots)
        value = left if last else _value(symbol, lot.quantity, prices.mark(symbol))
        left -= value
        rows.append(_open_lot(sequence, lot, value, prices))
    return tuple(rows)


def _open_lot(sequence: int, lot: Lot, value: Decimal, prices: Prices) -> OpenLot:
    instrument = find(lot.symbol)
    multiplier = _ONE if instrument is None else instrument.multiplier
    long_term = lot.quantity > 0 and is_long_term(lot.acquired, market_date(prices.at))
    return OpenLot(
        sequence=sequence,
        lot_id=lot.lot_id,
        symbol=lot.symbol,
        quantity=lot.quantity,
        acquired=lot.acquired,
        price=lot.price,
        cost_basis=lot.cost,
        cost_per_share=four_places(abs(lot.cost) / abs(lot.quantity * multiplier)),
        market_value=value,
        gain=value - lot.cost,
        term="Long" if long_term else "Short",
        wash_sale=bool(lot.wash_adjustment),
        holding_number=lot.holding.number,
    )
