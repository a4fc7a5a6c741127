"""Implied volatility and Greeks of options, computed here because the chain carries none (protocol 03 §1).

Black's formula on the forward price. The forward comes from put-call parity at the strikes nearest the
money, so that dividends need not be guessed. Listed stock options may be exercised early; the formula does
not know that. Floats are right here: these are estimates, and no money is reckoned with them.
"""

from collections.abc import Iterable
from datetime import datetime, time
from decimal import Decimal
from math import erf, exp, log, pi, sqrt

import msgspec

from ftcli.clock import NEW_YORK
from ftcli.models.chain import CallPut, ChainContract

_YEAR_SECONDS = 365 * 86_400
_CLOSE = time(16, 0)
_PLACES = Decimal("0.000001")
_NEAREST = 3
_LOWEST, _HIGHEST = 0.001, 10.0
_STEPS = 60


class Market(msgspec.Struct, frozen=True):
    """What an expiration's options are priced against.

    Attributes:
        spot: Price of the underlying.
        forward: Its price for delivery at expiration.
        years: Time to expiration.
        rate: Continuously compounded interest a year.
    """

    spot: float
    forward: float
    years: float
    rate: float

    @property
    def discount(self) -> float:
        """Present value of a dollar at expiration."""
        return exp(-self.rate * self.years)


class Greeks(msgspec.Struct, frozen=True):
    """Delta and gamma per dollar, theta per calendar day, vega and rho per percent point."""

    delta: float
    gamma: float
    theta: float
    vega: float
    rho: float


def add_greeks(
    contracts: Iterable[ChainContract], spot: Decimal | None, rate: Decimal, now: datetime
) -> None:
    """Fills in implied volatility and Greeks where bid and ask allow it; leaves the others empty.

    Args:
        contracts: The contracts, with bid and ask.
        spot: Last price of the underlying.
        rate: Risk-free interest, percent a year.
        now: The present moment.
    """
    if spot is None or spot <= 0:
        return
    series: dict[tuple[object, object], list[ChainContract]] = {}
    for contract in contracts:
        series.setdefault((contract.expiration, contract.root), []).append(contract)
    interest = log(1 + float(rate) / 100)
    for group in series.values():
        market = _market_of(group, float(spot), interest, now)
        if market is not None:
            for contract in group:
                _fill(contract, market)


def middle(contract: ChainContract) -> float | None:
    """Half way between bid and ask, where there is an ask."""
    if contract.ask is None or contract.ask <= 0:
        return None
    return float((contract.bid or Decimal(0)) + contract.ask) / 2


def _market_of(group: list[ChainContract], spot: float, rate: float, now: datetime) -> Market | None:
    day = group[0].expiration
    if day is None:
        return None
    years = (datetime.combine(day, _CLOSE, NEW_YORK) - now).total_seconds() / _YEAR_SECONDS
    if years <= 0:
        return None
    return Market(spot, _forward(group, spot, rate, years), years, rate)


def _forward(group: list[ChainContract], spot: float, rate: float, years: float) -> float:
    """By put-call parity: the median of the strikes nearest the money; without pairs, spot plus interest."""
    pairs: dict[Decimal, dict[CallPut, float]] = {}
    for contract in group:
        price = middle(contract)
        if contract.strike is not None and contract.call_put is not None and price is not None:
            pairs.setdefault(contract.strike, {})[contract.call_put] = price
    whole = [strike for strike, prices in pairs.items() if CallPut.CALL in prices and CallPut.PUT in prices]
    nearest = sorted(whole, key=lambda strike: abs(float(strike) - spot))[:_NEAREST]
    growth = exp(rate * years)
    forwards = sorted(
        float(strike) + growth * (pairs[strike][CallPut.CALL] - pairs[strike][CallPut.PUT])
        for strike in nearest
    )
    forward = forwards[len(forwards) // 2] if forwards else spot * growth
    return forward if forward > 0 else spot * growth


def _fill(contract: ChainContract, market: Market) -> None:
    price = middle(contract)
    if price is None or contract.strike is None or contract.call_put is None:
        return
    strike, call = float(contract.strike), contract.call_put is CallPut.CALL
    volatility = implied_volatility(market, strike, call, price)
    if volatility is None:
        return
    greeks = sensitivities(market, strike, call, volatility)
    contract.implied_volatility = _decimal(volatility)
    for name in Greeks.__struct_fields__:
        setattr(contract, name, _decimal(getattr(greeks, name)))


def _decimal(value: float) -> Decimal:
    return Decimal(value).quantize(_PLACES)


def theoretical_price(market: Market, strike: float, call: bool, volatility: float) -> float:
    """What an option is worth at a volatility, in dollars per share."""
    deviation = volatility * sqrt(market.years)
    first = log(market.forward / strike) / deviation + deviation / 2
    sign = 1.0 if call else -1.0
    inner = market.forward * _normal(sign * first) - strike * _normal(sign * (first - deviation))
    return max(0.0, market.discount * sign * inner)


def implied_volatility(market: Market, strike: float, call: bool, price: float) -> float | None:
    """The volatility at which an option is worth ``price``; ``None`` where none gives it."""
    low, high = _LOWEST, _HIGHEST
    if (
        not theoretical_price(market, strike, call, low)
        < price
        < theoretical_price(market, strike, call, high)
    ):
        return None
    for _ in range(_STEPS):
        guess = (low + high) / 2
        if theoretical_price(market, strike, call, guess) < price:
            low = guess
        else:
            high = guess
    return (low + high) / 2


def sensitivities(market: Market, strike: float, call: bool, volatility: float) -> Greeks:
    """The Greeks of an option at a volatility, towards the underlying's price."""
    root = sqrt(market.years)
    deviation = volatility * root
    first = log(market.forward / strike) / deviation + deviation / 2
    second, sign = first - deviation, 1.0 if call else -1.0
    discount, spot = market.discount, market.spot
    carry = discount * market.forward / spot  # what is left of a share after the dividends until then
    dividend = -log(carry) / market.years
    density = exp(-first * first / 2) / sqrt(2 * pi)
    decay = -spot * carry * density * volatility / (2 * root)
    theta = decay + sign * (
        dividend * spot * carry * _normal(sign * first)
        - market.rate * strike * discount * _normal(sign * second)
    )
    return Greeks(
        delta=sign * carry * _normal(sign * first),
        gamma=carry * density / (spot * deviation),
        theta=theta / 365,
        vega=spot * carry * density * root / 100,
        rho=sign * strike * market.years * discount * _normal(sign * second) / 100,
    )


def _normal(value: float) -> float:
    return 0.5 * (1 + erf(value / sqrt(2)))
