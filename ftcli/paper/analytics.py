"""What an option position would bring at expiration or today, by the paper market (protocol 03 §11)."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise
from math import exp, log, sqrt
from typing import TYPE_CHECKING

from msgspec import Struct

from ftcli.clock import NEW_YORK
from ftcli.paper import options
from ftcli.paper.option_pricing import Terms, normal_cdf, price, sensitivities
from ftcli.paper.symbols import Security

if TYPE_CHECKING:
    from ftcli.paper.market import Market

RATE = 0.0375
_YEAR_SECONDS = 365 * 86_400
_GRID = 400
_GREEKS = ("delta", "gamma", "theta", "vega", "rho")
Payoff = Callable[[float], float]


class Leg(Struct, frozen=True, kw_only=True):
    """A leg of a position.

    Attributes:
        contract: The option; ``None`` for shares of the underlying.
        quantity: Contracts, or shares; negative where short.
        price: Entry price per share.
    """

    contract: options.OptionContract | None
    quantity: int
    price: float

    @property
    def size(self) -> int:
        """Shares it stands for."""
        return self.quantity * (1 if self.contract is None else options.MULTIPLIER)


class Outcome(Struct, frozen=True, kw_only=True):
    """A position or leg, evaluated, in dollars for the whole quantity; ``None`` is an unlimited case."""

    price: float
    profit: float
    premium: float
    value: float
    probability: float
    break_even: list[float]
    max_profit: float | None
    max_loss: float | None
    max_profit_1sd: float
    max_loss_1sd: float
    delta: float = 0.0
    gamma: float = 0.0
    theta: float = 0.0
    vega: float = 0.0
    rho: float = 0.0
    volatility: float | None = None


class Evaluator:
    """Evaluates positions on one underlying at one moment.

    Args:
        market: The market.
        security: The underlying.
        now: The present moment.
        period: Days that historical volatility looks back.
    """

    def __init__(self, market: "Market", security: Security, now: datetime, period: int) -> None:
        quote = market.quote(security.symbol, now)
        assert quote is not None
        assert quote.mark is not None
        self._market = market
        self._now = now
        self.spot = float(quote.mark)
        self._dividend = float(security.dividend_yield or 0) / 100
        self._historical = historical_volatility(market, security, now, period)

    def day_of(self, legs: list[Leg], at_expiry: bool) -> date:
        """The day of the evaluation: the first expiration, or today."""
        days = [leg.contract.expiration for leg in legs if leg.contract is not None]
        today = self._now.astimezone(NEW_YORK).date()
        return min(days, default=today) if at_expiry else today

    def evaluate(self, legs: list[Leg], day: date, at_expiry: bool) -> Outcome:
        """A position on a day.

        Args:
            legs: Its legs; one for a leg alone.
            day: The day.
            at_expiry: Whether it is that of expiration: nothing is left of the Greeks then.
        """
        moment = datetime.combine(day, time(16, 0), NEW_YORK) if at_expiry else self._now
        volatility = {leg: self._volatility(leg) for leg in legs}

        def payoff(spot: float) -> float:
            return sum(
                leg.size * (self._value(leg, spot, moment, volatility[leg]) - leg.price) for leg in legs
            )

        points = self._points(legs)
        results = [payoff(point) for point in points]
        slope = sum(leg.size for leg in legs if leg.contract is None or leg.contract.is_call)
        roots = _roots(payoff, points)
        deviation = self._deviation(legs)
        low, high = self.spot * exp(-deviation), self.spot * exp(deviation)
        near = [payoff(point) for point in [low, high, *(point for point in points if low < point < high)]]
        greeks = dict.fromkeys(_GREEKS, 0.0) if at_expiry else self._greeks(legs, volatility)
        alone = legs[0] if len(legs) == 1 else None
        return Outcome(
            price=self.spot,
            profit=payoff(self.spot),
            premium=alone.price
            if alone
            else sum(leg.price if leg.quantity > 0 else -leg.price for leg in legs),
            value=sum(leg.size * self._value(leg, self.spot, moment, volatility[leg]) for leg in legs),
            probability=_probability(payoff, roots, self.spot, deviation),
            break_even=roots,
            max_profit=None if slope > 0 else max(results),
            max_loss=None if slope < 0 else min(results),
            max_profit_1sd=max(near),
            max_loss_1sd=min(near),
            volatility=volatility[alone] if alone and alone.contract else None,
            **greeks,
        )

    def _deviation(self, legs: list[Leg]) -> float:
        """One standard deviation of the underlying's return until the first expiration."""
        end = datetime.combine(self.day_of(legs, True), time(16, 0), NEW_YORK)
        return self._historical * sqrt(max((end - self._now).total_seconds(), 0) / _YEAR_SECONDS)

    def _volatility(self, leg: Leg) -> float:
        if leg.contract is None:
            return 0.0
        greeks = options.option_greeks(self._market, leg.contract, self._now)
        implied = None if greeks is None else greeks.iv_mid
        return float(implied) if implied is not None else self._historical

    def _terms(self, leg: Leg, spot: float, moment: datetime, volatility: float) -> Terms:
        assert leg.contract is not None
        left = (leg.contract.expiry - moment).total_seconds() / _YEAR_SECONDS
        strike = float(leg.contract.strike)
        return Terms(spot, strike, left, volatility, RATE, self._dividend, leg.contract.is_call)

    def _value(self, leg: Leg, spot: float, moment: datetime, volatility: float) -> float:
        """What a share of the leg is worth: its intrinsic value once expired."""
        return spot if leg.contract is None else price(self._terms(leg, spot, moment, volatility))

    def _greeks(self, legs: list[Leg], volatility: dict[Leg, float]) -> dict[str, float]:
        sums = dict.fromkeys(_GREEKS, 0.0)
        for leg in legs:
            if leg.contract is None:
                sums["delta"] += leg.size
                continue
            found = sensitivities(self._terms(leg, self.spot, self._now, volatility[leg]))
            for name in _GREEKS:
                sums[name] += leg.size * getattr(found, name)
        return sums

    def _points(self, legs: list[Leg]) -> list[float]:
        """Prices to look at: every strike, and a grid from nothing to far above all of them."""
        strikes = [float(leg.contract.strike) for leg in legs if leg.contract is not None]
        top = 3 * max([self.spot, *strikes]) + 2 * sum(leg.price for leg in legs)
        grid = [max(top * index / _GRID, 0.01) for index in range(_GRID + 1)]
        return sorted({*grid, *strikes, self.spot})


def historical_volatility(market: "Market", security: Security, now: datetime, period: int) -> float:
    """Annual deviation of daily returns over the last ``period`` days."""
    bars = market.bars(security.symbol, now - timedelta(days=max(period, 5)), now, "D")
    closes = [float(bar.close) for bar in bars]
    returns = [log(after / before) for before, after in pairwise(closes)]
    if len(returns) < 2:
        return security.volatility
    mean = sum(returns) / len(returns)
    return (
        sqrt(252 * sum((value - mean) ** 2 for value in returns) / (len(returns) - 1)) or security.volatility
    )


def _roots(payoff: Payoff, points: list[float]) -> list[float]:
    """Where a payoff changes its sign, to a hundredth of a cent."""
    found: list[float] = []
    for low, high in pairwise(points):
        below, above = payoff(low), payoff(high)
        if below == 0 and (not found or found[-1] < low) and above != 0 and low > points[0]:
            found.append(low)
        elif below * above < 0:
            rising = above > 0
            for _ in range(60):
                middle = (low + high) / 2
                if (payoff(middle) > 0) == rising:
                    high = middle
                else:
                    low = middle
            found.append((low + high) / 2)
    return [float(Decimal(root).quantize(Decimal("0.0001"))) for root in found]


def _probability(payoff: Payoff, roots: list[float], spot: float, deviation: float) -> float:
    """Chance of a profit when the price moves with no drift and this deviation."""
    if deviation <= 0:
        return 1.0 if payoff(spot) > 0 else 0.0

    def below(level: float) -> float:
        return normal_cdf(log(level / spot) / deviation + deviation / 2)

    edges = [0.0, *roots, float("inf")]
    total = 0.0
    for low, high in pairwise(edges):
        middle = (low + high) / 2 if high != float("inf") else 2 * max(low, spot) + 1
        if payoff(max(middle, 0.01)) > 0:
            upper = 1.0 if high == float("inf") else below(high)
            total += upper - (below(low) if low > 0 else 0.0)
    return total
