"""Seeding: demo accounts with two years of trades behind them, a pure function of market, seed and moment.

Nothing is made up afterwards: every lot, dollar and closed lot comes from booking the trades through the
ledger at the prices the market had then, so all figures agree from the first call on.
"""

from datetime import date, datetime, time, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING

import msgspec

from ftcli.clock import market_date
from ftcli.paper import symbols
from ftcli.paper.amounts import CENT, cents
from ftcli.paper.codes import Action, Family, Holding, PriceType, Status, TimeInForce
from ftcli.paper.estimates import commission, regulatory_fee
from ftcli.paper.instruments import find
from ftcli.paper.ledger import Trade, book_cash, book_trade, settlement_date
from ftcli.paper.lifecycle import make_order, release
from ftcli.paper.numbers import confirmation_number
from ftcli.paper.records import ZERO, Cash, Deposit, Loan, Meta
from ftcli.paper.seed_accounts import demo_accounts
from ftcli.paper.seed_cash import Deed, Past, dividends, holding_of, household
from ftcli.paper.seed_plan import (
    CASH_ACCOUNT,
    CORE_TARGETS,
    MANAGEMENT_ACCOUNT,
    MARGIN_ACCOUNT,
    OPTIONS,
    PAYROLL,
    TRADES,
    OptionStep,
    Step,
)
from ftcli.paper.tickets import Ticket, TicketLeg
from ftcli.paper.world import World

if TYPE_CHECKING:
    from ftcli.paper.matching import Floor

_THOUSAND = Decimal(1000)
_FUND_UNIT = Decimal("0.001")
_HISTORY_DAYS = 365
_MORNING = time(10, 5)
_LOSS_SPAN = (22, 12)


def seed_world(world: World, seed: int, now: datetime, floor: "Floor") -> None:
    """Fill an empty world.

    Args:
        seed: Another seed trades at other moments of the day.
        now: The present; history ends before it.
        floor: Market and rules of the house.
    """
    world.meta = Meta(seed=seed, started=now, looked=now)
    past = Past(floor, seed, now)
    for account in demo_accounts(now):
        world.accounts.put(account.number, account)
        if account.brokerage:
            world.cash.put(account.number, Cash(account=account.number))
    deeds = _trades(past) + household(past)
    deeds += dividends(past, deeds)
    for deed in sorted(deeds + _opening_deposits(past, deeds), key=lambda deed: deed.time):
        _book(world, deed)
    _finish_cash(world, past)
    _open_orders(world, past)


def _book(world: World, deed: Deed) -> None:
    if deed.trade is not None:
        book_trade(world, deed.trade)
        return
    outside = deed.category not in ("dividend", "interest", "margin_interest")
    book_cash(
        world,
        deed.account,
        deed.time,
        deed.text,
        deed.amount,
        deed.category,
        symbol=deed.symbol,
        holding=deed.holding,
        external=outside,
    )


# -- trades ------------------------------------------------------------------------------------------


def _trades(past: Past) -> list[Deed]:
    deeds: list[Deed] = []
    for step in TRADES:
        deeds += _loss(past, step) if step.deed == "loss" else [_trade(past, step, step.symbol)]
    for option in OPTIONS:
        deed = _option(past, option)
        if deed is not None:
            deeds.append(deed)
    return deeds


def _trade(past: Past, step: Step, symbol: str) -> Deed:
    at = past.moment(step.days, step.account + symbol)
    buys = step.deed in ("buy", "fund", "cover")
    price = past.price(symbol, at, buys=buys)
    instrument = find(symbol)
    assert price is not None
    assert instrument is not None
    quantity = step.quantity
    if step.deed == "fund":
        quantity = (quantity / price).quantize(_FUND_UNIT, ROUND_FLOOR)
    trade = Trade(
        account=step.account,
        symbol=symbol,
        description=instrument.long_text,
        buys=buys,
        opens=step.deed in ("buy", "fund", "short"),
        quantity=quantity,
        price=price,
        time=at,
        holding=holding_of(step.account, step.deed),
    )
    return Deed(time=at, account=step.account, amount=trade.net, trade=trade)


def _loss(past: Past, step: Step) -> list[Deed]:
    """Buy, sell lower, buy again soon: a wash sale, with the candidate that fell the most."""
    sold, again = step.days - _LOSS_SPAN[0], step.days - _LOSS_SPAN[0] - _LOSS_SPAN[1]

    def fall(symbol: str) -> Decimal:
        first = past.price(symbol, past.moment(step.days, step.account + symbol), buys=True)
        second = past.price(symbol, past.moment(sold, step.account + symbol), buys=False)
        assert first is not None
        assert second is not None
        return second / first

    symbol = min(step.symbol.split(), key=fall)
    half = str(step.quantity / 2)
    plan = (("buy", step.days, step.amount), ("sell", sold, step.amount), ("buy", again, half))
    return [
        _trade(past, Step(step.account, days, deed, symbol, amount), symbol) for deed, days, amount in plan
    ]


def _option(past: Past, step: OptionStep) -> Deed | None:
    """An option trade, None where the market lists no fitting contract that still lives."""
    from ftcli.paper import option_contracts

    at = past.moment(step.days, step.account + step.symbol)
    security = symbols.find(step.symbol)
    spot = past.price(step.symbol, at, buys=True)
    assert security is not None
    assert spot is not None
    wanted = market_date(at) + timedelta(days=step.months)
    days = [
        day
        for day in option_contracts.expirations(security, at)
        if option_contracts.is_monthly(day) and day > market_date(past.now)
    ]
    if not days:
        return None
    day = min(days, key=lambda other: abs((other - wanted).days))
    strikes = option_contracts.strikes(past.floor.market, security, day, at)
    strike = min(strikes, key=lambda other: abs(other - spot * Decimal(step.moneyness)))
    root = option_contracts.option_roots(security)[0]
    contract = option_contracts.OptionContract(root, security.symbol, day, step.right, strike)
    return _option_trade(past, step, contract.symbol, at)


def _option_trade(past: Past, step: OptionStep, symbol: str, at: datetime) -> Deed | None:
    signed, instrument = Decimal(step.contracts), find(symbol)
    price = past.price(symbol, at, buys=signed > 0)
    if instrument is None or not price:
        return None
    quantity = abs(signed)
    trade = Trade(
        account=step.account,
        symbol=symbol,
        description=instrument.long_text,
        buys=signed > 0,
        opens=True,
        quantity=quantity,
        price=price,
        time=at,
        holding=holding_of(step.account, "buy"),
        multiplier=instrument.multiplier,
        commission=commission(past.floor.settings, instrument, quantity),
        fees=regulatory_fee(past.floor.settings, instrument, quantity),
    )
    return Deed(time=at, account=step.account, amount=trade.net, trade=trade)


# -- cash ------------------------------------------------------------------------------------------


def _opening_deposits(past: Past, deeds: list[Deed]) -> list[Deed]:
    """One transfer into each account, large enough for all that follows and for the core target."""
    found = []
    for account, target in CORE_TARGETS.items():
        mine = sorted((deed for deed in deeds if deed.account == account), key=lambda deed: deed.time)
        lowest = running = ZERO
        for deed in mine:
            running += ZERO if deed.trade is not None and deed.trade.is_short_sale else deed.amount
            lowest = min(lowest, running)
        need = max(-lowest + target / 4, target - running)
        amount = (need / _THOUSAND).to_integral_value(ROUND_CEILING) * _THOUSAND
        at = past.moment(max(510, 2), account) if not mine else mine[0].time - timedelta(days=7)
        text = "ELECTRONIC FUNDS TRANSFER RECEIVED"
        found.append(
            Deed(
                time=at, account=account, amount=amount, text=text, category="transfer", holding=Holding.CASH
            )
        )
    return found


def _finish_cash(world: World, past: Past) -> None:
    """Settle what has settled, leave today's pay unswept and lend out a few shares."""
    today = market_date(past.now)
    for cash in world.cash:
        left = tuple(item for item in cash.settlements if item.settles > today)
        memorandum = cents(cash.core / 2) if world.accounts[cash.account].margin else ZERO
        world.cash.put(cash.account, msgspec.structs.replace(cash, settlements=left, memorandum=memorandum))
    amount, text = PAYROLL
    received = past.today
    at = past.moment(0, MANAGEMENT_ACCOUNT)
    book_cash(world, MANAGEMENT_ACCOUNT, at, text, amount, "deposit", external=True, move=False)
    cash = world.cash[MANAGEMENT_ACCOUNT]
    deposit = Deposit(amount=amount, received=received, sweeps=settlement_date(today))
    world.cash.put(MANAGEMENT_ACCOUNT, msgspec.structs.replace(cash, deposits=(deposit,)))
    _lend(world, MARGIN_ACCOUNT, "QQQ", Decimal(20), Decimal("0.350"), past.today - timedelta(days=40))
    _lend(
        world,
        MARGIN_ACCOUNT,
        "MSFT",
        Decimal(10),
        Decimal("0.250"),
        past.today - timedelta(days=70),
        past.today - timedelta(days=past.today.day // 2),
    )


def _lend(
    world: World,
    account: str,
    symbol: str,
    quantity: Decimal,
    rate: Decimal,
    since: date,
    ended: date | None = None,
) -> None:
    loan = Loan(account=account, symbol=symbol, quantity=quantity, rate=rate, since=since, ended=ended)
    world.loans.put(f"{account}/{symbol}/{since}", loan)


# -- open orders ---------------------------------------------------------------------------------------------


def _open_orders(world: World, past: Past) -> None:
    """Good-til-cancelled orders of the last days that the market cannot have reached yet."""
    _order(world, past, MARGIN_ACCOUNT, "AAPL", Action.SELL, "50", "1.12", PriceType.LIMIT)
    _order(world, past, MARGIN_ACCOUNT, "QQQ", Action.SELL, "25", "0.86", PriceType.STOP)
    _order(world, past, CASH_ACCOUNT, "KO", Action.BUY, "20", "0.90", PriceType.LIMIT)


def _order(
    world: World,
    past: Past,
    account: str,
    symbol: str,
    action: Action,
    quantity: str,
    factor: str,
    kind: PriceType,
) -> None:
    at = past.moment(4, account + symbol + kind)
    price = _away(past, symbol, at, Decimal(factor))
    ticket = Ticket(
        account=account,
        family=Family.EQUITY,
        legs=(TicketLeg(symbol=symbol, action=action, quantity=Decimal(quantity)),),
        holding=holding_of(account, "buy"),
        price_type=kind,
        limit_price=price if kind.has_limit else None,
        stop_price=price if kind.has_stop else None,
        time_in_force=TimeInForce.GTC,
    )
    number = confirmation_number(world, at, Family.EQUITY)
    order = release(past.floor, make_order(past.floor, world, ticket, number, at, status=Status.OPEN), at)
    if action.buys:
        cost = cents(Decimal(quantity) * price)
        order = msgspec.structs.replace(order, committed=cost, requirement=cost)
    world.put_order(order)


def _away(past: Past, symbol: str, since: datetime, factor: Decimal) -> Decimal:
    """A price so far from all prices since a moment that the market has not been there."""
    market = past.floor.market
    prices = [past.price(symbol, since, buys=True), past.price(symbol, past.now, buys=True)]
    for bar in market.bars(symbol, since, past.now, 30, extended=True):
        prices += [bar.high, bar.low]
    known = [price for price in prices if price is not None]
    edge = max(known) if factor > 1 else min(known)
    return (edge * factor).quantize(CENT, ROUND_FLOOR)
