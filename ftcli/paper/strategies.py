"""Option strategies: what an account's contracts on one underlying add up to and what they require.

Written contracts are covered by shares, by bought contracts (spreads) or by nothing. The same pairing gives
the requirement that balances show, the approval level an opening order needs and the groups of the option
summary.
"""

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal

import msgspec

from ftcli.paper.records import ZERO

HUNDRED = Decimal(100)
_UNCOVERED_RATE = Decimal("0.20")
_UNCOVERED_MINIMUM = Decimal("0.10")


class Contract(msgspec.Struct, frozen=True, kw_only=True):
    """A net holding of one option; ``quantity`` is contracts, negative when written."""

    symbol: str
    right: str
    strike: Decimal
    expiration: date
    quantity: Decimal


class Cover(msgspec.Struct, frozen=True, kw_only=True):
    """How the written contracts on one underlying are covered.

    Attributes:
        by_shares: Written calls covered by shares held.
        spread_width: Dollars at risk in pairs of written and bought contracts, the larger of the call
            and the put side.
        spreads: Contracts written that are paired with bought ones.
        naked_calls, naked_puts: The rest, as (contract, quantity above 0).
    """

    by_shares: Decimal
    spread_width: Decimal
    spreads: Decimal
    naked_calls: tuple[tuple[Contract, Decimal], ...]
    naked_puts: tuple[tuple[Contract, Decimal], ...]

    @property
    def naked_call_quantity(self) -> Decimal:
        """Contracts of uncovered calls."""
        return sum((quantity for _, quantity in self.naked_calls), ZERO)

    @property
    def naked_put_quantity(self) -> Decimal:
        """Contracts of puts without a bought put behind them."""
        return sum((quantity for _, quantity in self.naked_puts), ZERO)

    @property
    def put_reserve(self) -> Decimal:
        """Dollars that would buy the shares of every such put."""
        return sum((leg.strike * quantity * HUNDRED for leg, quantity in self.naked_puts), ZERO)


class _Side:
    """Written contracts of one right and the bought ones that may cover them."""

    def __init__(self, contracts: Sequence[Contract], right: str) -> None:
        legs = [leg for leg in contracts if leg.right == right]
        self.calls = right == "C"
        self.written = {leg: -leg.quantity for leg in legs if leg.quantity < 0}
        self.bought = {leg: leg.quantity for leg in legs if leg.quantity > 0}
        self.paired = ZERO
        self.width = ZERO

    def _risk(self, written: Contract, bought: Contract) -> Decimal:
        """Dollars per share that the pair can lose; never negative."""
        width = bought.strike - written.strike if self.calls else written.strike - bought.strike
        return max(ZERO, width)

    def _pairs(self, *, free_only: bool) -> list[tuple[Decimal, Contract, Contract]]:
        pairs = [
            (self._risk(written, bought), written, bought)
            for written in self.written
            for bought in self.bought
            if bought.expiration >= written.expiration
        ]
        if free_only:
            pairs = [pair for pair in pairs if not pair[0]]
        return sorted(pairs, key=lambda pair: (pair[0], abs(pair[1].strike - pair[2].strike), pair[1].symbol))

    def pair(self, *, free_only: bool) -> None:
        """Match written with bought contracts, the cheapest pairs first."""
        for risk, written, bought in self._pairs(free_only=free_only):
            quantity = min(self.written[written], self.bought[bought])
            if quantity > 0:
                self.written[written] -= quantity
                self.bought[bought] -= quantity
                self.paired += quantity
                self.width += risk * quantity * HUNDRED

    def cover_with(self, lots: Decimal) -> Decimal:
        """Cover what is left with ``lots`` of a hundred shares; answers how many were used."""
        used = ZERO
        for written in sorted(self.written, key=lambda leg: (leg.strike, leg.symbol)):
            quantity = min(lots - used, self.written[written])
            self.written[written] -= quantity
            used += quantity
        return used

    def rest(self) -> tuple[tuple[Contract, Decimal], ...]:
        """What is not covered."""
        return tuple((leg, quantity) for leg, quantity in self.written.items() if quantity > 0)


def cover(contracts: Sequence[Contract], shares: Decimal) -> Cover:
    """Pair off the contracts of one underlying.

    Written calls are covered by shares first, unless pairing them with bought calls first leaves less
    uncovered or at risk.

    Args:
        contracts: Net holdings, all of the same underlying.
        shares: Shares of the underlying that are free to be delivered; negative counts as none.
    """
    by_shares = _cover(contracts, shares, pairs_first=False)
    by_pairs = _cover(contracts, shares, pairs_first=True)
    return min((by_shares, by_pairs), key=lambda found: (found.naked_call_quantity, found.spread_width))


def _cover(contracts: Sequence[Contract], shares: Decimal, *, pairs_first: bool) -> Cover:
    calls, puts = _Side(contracts, "C"), _Side(contracts, "P")
    if pairs_first:
        calls.pair(free_only=True)
    by_shares = calls.cover_with(max(ZERO, shares // HUNDRED))
    calls.pair(free_only=False)
    puts.pair(free_only=False)
    return Cover(
        by_shares=by_shares,
        spread_width=max(calls.width, puts.width),
        spreads=calls.paired + puts.paired,
        naked_calls=calls.rest(),
        naked_puts=puts.rest(),
    )


def uncovered_requirement(leg: Contract, quantity: Decimal, spot: Decimal, premium: Decimal) -> Decimal:
    """Margin for written contracts without cover: 20 % of the underlying less the amount out of the
    money, at least 10 %, plus the premium."""
    if leg.right == "C":
        out_of_the_money = max(ZERO, leg.strike - spot)
        minimum = spot * _UNCOVERED_MINIMUM
    else:
        out_of_the_money = max(ZERO, spot - leg.strike)
        minimum = leg.strike * _UNCOVERED_MINIMUM
    per_share = max(spot * _UNCOVERED_RATE - out_of_the_money, minimum) + premium
    return per_share * quantity * HUNDRED


def margin_requirement(covered: Cover, spot: Decimal, premium: Callable[[str], Decimal]) -> Decimal:
    """Margin that the written contracts of one underlying need.

    Args:
        spot: Price of the underlying.
        premium: Answers the present price of an option symbol.
    """
    naked = (*covered.naked_calls, *covered.naked_puts)
    uncovered = sum(
        (uncovered_requirement(leg, quantity, spot, premium(leg.symbol)) for leg, quantity in naked), ZERO
    )
    return covered.spread_width + uncovered


class Pairing(msgspec.Struct, frozen=True, kw_only=True):
    """A named group of contracts; quantities are signed parts of the holdings."""

    code: str
    name: str
    legs: tuple[tuple[Contract, Decimal], ...]


def pairings(contracts: Sequence[Contract], shares: Decimal) -> list[Pairing]:
    """Name the strategies among the contracts of one underlying and one expiration."""
    rest = {leg: leg.quantity for leg in sorted(contracts, key=lambda leg: (leg.right, leg.strike))}
    found = _spreads(rest)
    found = _condors(found)
    found += _combinations(rest)
    lots = max(ZERO, shares // HUNDRED)
    for leg, quantity in rest.items():
        if quantity < 0 and leg.right == "C" and lots > 0:
            covered = min(lots, -quantity)
            lots -= covered
            found.append(Pairing(code="COVERED_CALL", name="Covered Call", legs=((leg, -covered),)))
            quantity += covered
        if quantity:
            side = "Long" if quantity > 0 else "Short"
            name = f"{side} {'Call' if leg.right == 'C' else 'Put'}"
            found.append(Pairing(code="SINGLE", name=name, legs=((leg, quantity),)))
    return found


def _spreads(rest: dict[Contract, Decimal]) -> list[Pairing]:
    """Take the verticals out of ``rest``, nearest strikes first."""
    pairs = [
        (abs(bought.strike - written.strike), bought, written)
        for bought in rest
        for written in rest
        if rest[bought] > 0 > rest[written] and bought.right == written.right
    ]
    found = []
    for _, bought, written in sorted(pairs, key=lambda pair: (pair[0], pair[1].right, pair[1].strike)):
        quantity = min(rest[bought], -rest[written])
        if quantity <= 0:
            continue
        rest[bought] -= quantity
        rest[written] += quantity
        debit = (bought.strike < written.strike) == (bought.right == "C")
        name = "Debit Spread" if debit else "Credit Spread"
        legs = ((bought, quantity), (written, -quantity))
        found.append(Pairing(code="SPREAD", name=name, legs=legs))
    return found


def _condors(spreads: list[Pairing]) -> list[Pairing]:
    """Join a put and a call credit spread of the same size to an iron condor."""
    found: list[Pairing] = []
    for spread in spreads:
        first = spread.legs[0]
        partner = next(
            (
                other
                for other in found
                if other.code == "SPREAD"
                and other.name == spread.name == "Credit Spread"
                and other.legs[0][0].right != first[0].right
                and other.legs[0][1] == first[1]
            ),
            None,
        )
        if partner is None:
            found.append(spread)
            continue
        found.remove(partner)
        legs = (*partner.legs, *spread.legs)
        found.append(Pairing(code="IRON_CONDOR", name="Iron Condor", legs=legs))
    return found


def _combinations(rest: dict[Contract, Decimal]) -> list[Pairing]:
    """Take straddles (same strike) and strangles out of ``rest``."""
    found = []
    for straddle in (True, False):
        for call in [leg for leg in rest if leg.right == "C"]:
            for put in [leg for leg in rest if leg.right == "P"]:
                if (call.strike == put.strike) != straddle or rest[call] * rest[put] <= 0:
                    continue
                quantity = min(abs(rest[call]), abs(rest[put]))
                signed = quantity if rest[call] > 0 else -quantity
                rest[call] -= signed
                rest[put] -= signed
                side = "Long" if signed > 0 else "Short"
                name = "Straddle" if straddle else "Strangle"
                legs = ((call, signed), (put, signed))
                found.append(Pairing(code=name.upper(), name=f"{side} {name}", legs=legs))
    return found
