"""Black-Scholes prices, Greeks and implied volatilities, in plain floats.

Prices are dollars per share, times are years of 365 days, rates and volatilities fractions a year.
Calls and puts satisfy put-call parity by construction: the one out of the money is computed, the other
follows from it.
"""

from math import erf, exp, log, pi, sqrt

from msgspec import Struct

YEAR_DAYS = 365.0
_SQRT2 = sqrt(2.0)
_SQRT_2PI = sqrt(2.0 * pi)


class Terms(Struct, frozen=True):
    """What an option's theoretical price depends on.

    Attributes:
        spot: Price of the underlying.
        strike: Strike price.
        years: Time to expiration; 0 or less once expired.
        volatility: Annual.
        rate: Risk-free interest, continuously compounded.
        dividend: Dividend yield, continuously compounded.
        call: True for a call, False for a put.
    """

    spot: float
    strike: float
    years: float
    volatility: float
    rate: float
    dividend: float
    call: bool


def normal_cdf(value: float) -> float:
    """The standard normal distribution function."""
    return 0.5 * (1.0 + erf(value / _SQRT2))


def normal_density(value: float) -> float:
    """The standard normal density."""
    return exp(-0.5 * value * value) / _SQRT_2PI


def intrinsic(terms: Terms) -> float:
    """What immediate exercise is worth."""
    gain = terms.spot - terms.strike if terms.call else terms.strike - terms.spot
    return gain if gain > 0.0 else 0.0


def price(terms: Terms) -> float:
    """The theoretical price: European exercise before expiration, the intrinsic value from then on."""
    years = terms.years
    if years <= 0.0 or terms.volatility <= 0.0:
        return intrinsic(terms)
    spot = terms.spot * exp(-terms.dividend * years)
    strike = terms.strike * exp(-terms.rate * years)
    deviation = terms.volatility * sqrt(years)
    first = log(spot / strike) / deviation + 0.5 * deviation
    if spot < strike:
        call = spot * normal_cdf(first) - strike * normal_cdf(first - deviation)
        call = call if call > 0.0 else 0.0
        return call if terms.call else call - spot + strike
    put = strike * normal_cdf(deviation - first) - spot * normal_cdf(-first)
    put = put if put > 0.0 else 0.0
    return put + spot - strike if terms.call else put


class Sensitivities(Struct, frozen=True):
    """Delta and gamma per dollar, theta per calendar day, vega and rho per percentage point."""

    delta: float
    gamma: float
    theta: float
    vega: float
    rho: float


def sensitivities(terms: Terms) -> Sensitivities:
    """The Greeks of the theoretical price; at and after expiration only delta is left."""
    years, deviation = terms.years, terms.volatility * sqrt(max(terms.years, 0.0))
    sign = 1.0 if terms.call else -1.0
    if years <= 0.0 or deviation <= 0.0:
        return Sensitivities(sign if intrinsic(terms) > 0.0 else 0.0, 0.0, 0.0, 0.0, 0.0)
    carry, discount = exp(-terms.dividend * years), exp(-terms.rate * years)
    spot, strike = terms.spot * carry, terms.strike * discount
    first = log(spot / strike) / deviation + 0.5 * deviation
    second = first - deviation
    density = normal_density(first)
    decay = -spot * density * terms.volatility / (2.0 * sqrt(years))
    theta = decay + sign * (
        terms.dividend * spot * normal_cdf(sign * first) - terms.rate * strike * normal_cdf(sign * second)
    )
    return Sensitivities(
        delta=sign * carry * normal_cdf(sign * first),
        gamma=carry * density / (terms.spot * deviation),
        theta=theta / YEAR_DAYS,
        vega=spot * density * sqrt(years) / 100.0,
        rho=sign * strike * years * normal_cdf(sign * second) / 100.0,
    )


def implied_volatility(terms: Terms, target: float) -> float | None:
    """The volatility at which the theoretical price is ``target``, None when there is none.

    The search is a bisection between 0.1 % and 1000 % and ignores ``terms.volatility``.
    """
    low, high = 0.001, 10.0
    if terms.years <= 0.0:
        return None
    if not _with(terms, low) < target < _with(terms, high):
        return None
    for _ in range(44):
        middle = 0.5 * (low + high)
        if _with(terms, middle) < target:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


def _with(terms: Terms, volatility: float) -> float:
    return price(
        Terms(
            terms.spot,
            terms.strike,
            terms.years,
            volatility,
            terms.rate,
            terms.dividend,
            terms.call,
        )
    )
