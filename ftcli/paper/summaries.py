"""The option summary: an account's contracts grouped by expiration and strategy (protocol 01 §3.8)."""

from datetime import date, datetime
from decimal import Decimal

from ftcli.clock import NEW_YORK, market_date
from ftcli.paper.amounts import percent, share
from ftcli.paper.figures import OptionLeg, OptionPairing, OptionSummary
from ftcli.paper.instruments import find
from ftcli.paper.positions import account_positions
from ftcli.paper.prices import Prices
from ftcli.paper.records import ZERO, Account
from ftcli.paper.risk import contracts, option_underlyings
from ftcli.paper.strategies import Contract, Pairing, pairings
from ftcli.paper.world import World


class _Left:
    """Value and cost of each option position that is not yet shown in a leg."""

    def __init__(self, world: World, account: Account, prices: Prices) -> None:
        self.quantity: dict[str, Decimal] = {}
        self.value: dict[str, Decimal] = {}
        self.cost: dict[str, Decimal] = {}
        for row in account_positions(world, account, prices).positions:
            if row.kind == "option":
                self.quantity[row.symbol] = row.quantity
                self.value[row.symbol] = row.market_value
                self.cost[row.symbol] = row.cost_basis

    def take(self, symbol: str, quantity: Decimal) -> tuple[Decimal, Decimal]:
        """Value and cost of a part of a position; the last part takes what rounding left."""
        whole = self.quantity[symbol]
        value = share(self.value[symbol], quantity, whole)
        cost = share(self.cost[symbol], quantity, whole)
        self.quantity[symbol] -= quantity
        self.value[symbol] -= value
        self.cost[symbol] -= cost
        return value, cost


def option_summary(world: World, account: Account, prices: Prices) -> OptionSummary:
    """The option holdings of an account; each group, pairing and leg adds up to its positions."""
    totals = world.lots.totals(account.number)
    left = _Left(world, account, prices)
    rows = account_positions(world, account, prices)
    groups: dict[date, list[OptionPairing]] = {}
    underlyings = option_underlyings(totals)
    for underlying in sorted(underlyings):
        held = contracts(totals, underlying)
        shares = totals.get(underlying)
        free = ZERO if shares is None else shares.quantity
        for day in sorted({leg.expiration for leg in held}):
            found = pairings([leg for leg in held if leg.expiration == day], free)
            groups.setdefault(day, []).extend(_pairing(item, underlying, day, left, prices) for item in found)
    options = [row for row in rows.positions if row.kind == "option"]
    others = [row for row in rows.positions if row.kind != "core"]
    return OptionSummary(
        account=account.number,
        cycle=_cycle(prices.at),
        groups=tuple((day, tuple(groups[day])) for day in sorted(groups)),
        underlying_count=len(underlyings),
        option_value=sum((row.market_value for row in options), ZERO),
        option_cost=sum((row.cost_basis for row in options), ZERO),
        account_value=sum((row.market_value for row in others), ZERO),
        account_cost=sum((row.cost_basis for row in others), ZERO),
    )


def _cycle(now: datetime) -> datetime:
    """The overnight position run before a moment."""
    return now.astimezone(NEW_YORK).replace(hour=3, minute=1, second=12, microsecond=0)


def _pairing(pairing: Pairing, underlying: str, day: date, left: _Left, prices: Prices) -> OptionPairing:
    legs = tuple(_leg(leg, quantity, left, prices) for leg, quantity in pairing.legs)
    instrument = find(underlying)
    return OptionPairing(
        underlying=underlying,
        underlying_description=underlying if instrument is None else instrument.description,
        underlying_last=prices.mark(underlying),
        underlying_prev_close=prices.previous_close(underlying),
        code=pairing.code,
        name=pairing.name,
        expiration=day,
        legs=legs,
        market_value=sum((leg.market_value for leg in legs), ZERO),
        cost_basis=sum((leg.cost_basis for leg in legs), ZERO),
        gain=sum((leg.gain for leg in legs), ZERO),
    )


def _leg(contract: Contract, quantity: Decimal, left: _Left, prices: Prices) -> OptionLeg:
    instrument = find(contract.symbol)
    assert instrument is not None
    value, cost = left.take(contract.symbol, quantity)
    last, close = prices.mark(contract.symbol), prices.previous_close(contract.symbol)
    spot = prices.mark(instrument.underlying)
    return OptionLeg(
        symbol=contract.symbol,
        description=instrument.short_text,
        buys=quantity > 0,
        quantity=abs(quantity),
        right=contract.right,
        strike=contract.strike,
        expiration=contract.expiration,
        days=(contract.expiration - market_date(prices.at)).days,
        in_the_money=spot is not None and instrument.intrinsic(spot) > 0,
        last=last,
        prev_close=close,
        change=None if last is None or close is None else last - close,
        market_value=value,
        cost_basis=cost,
        gain=value - cost,
        gain_pct=percent(value - cost, cost),
    )
