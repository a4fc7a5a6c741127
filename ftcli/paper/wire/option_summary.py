"""Option strategies as the main gateway answers them (protocol 01 §3.8)."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ftcli.models import option_holdings as models
from ftcli.models.field import write
from ftcli.models.values import read_bool
from ftcli.paper import figures
from ftcli.paper.amounts import percent
from ftcli.paper.records import ZERO
from ftcli.paper.wire.accounts import own_accounts
from ftcli.paper.wire.exchange import PaperRequest, answers, group, member
from ftcli.paper.wire.history import multiplier

if TYPE_CHECKING:
    from ftcli.paper.desk import Desk

_UNPAIRED = "SINGLE"


@answers("POST", "/ftgw/dp/retail-am-optionsummary/v1/accounts/positions/option-summary/get")
def option_summary(desk: "Desk", request: PaperRequest) -> Any:
    """Option holdings by expiration and strategy; each account stands in a one-key object."""
    parameter = group(request.document, "request", "parameter")
    accounts = own_accounts(desk, member(parameter, "acctDetails"))
    member(parameter, "view")
    unpaired = read_bool(parameter.get("returnUnpairedPositions")) is not False
    rows = [_account(desk.engine.option_summary(account.number), unpaired) for account in accounts]
    return {"optionPairing": {"acctDetails": [{"acctDetail": row} for row in rows]}}


def _account(found: figures.OptionSummary, unpaired: bool) -> dict[str, Any]:
    groups = []
    for day, pairings in found.groups:
        kept = [pairing for pairing in pairings if unpaired or pairing.code != _UNPAIRED]
        if kept:
            groups.append(_group(day, kept))
    answer = models.OptionAccount(
        account=found.account,
        cycle_date=f"{found.cycle:%Y%m%d}",
        cycle_time=f"{found.cycle:%H%M%S}",
        underlying_count=found.underlying_count,
        expiration_count=len(groups),
        groups=groups,
    )
    if found.groups:
        answer.holdings = _totals(found.account_value, found.account_cost)
        answer.holdings.gain_pct = percent(found.account_value - found.account_cost, found.account_cost)
        answer.totals = _totals(found.option_value, found.option_cost)
    document = write(answer)
    for expiration in document["underlyingDetails"]["underlyingDetail"]:
        for strategy in expiration["pairingDetails"]["pairingDetail"]:
            for leg in strategy["legDetails"]["legDetail"]:
                _repeat(leg)
    return document


def _repeat(leg: dict[str, Any]) -> None:
    """The broker says expiration and strike of a leg twice."""
    security, price = leg["legSecurityDetails"], leg["legPriceDetail"]
    price["legExpirationDate"] = security["legSymbolExpiryDate"]
    price["legOptionStrikePrice"] = security["legSymbolStrike"]


def _totals(value: Decimal, cost: Decimal) -> models.OptionTotals:
    return models.OptionTotals(market_value=value, cost_basis=cost, gain=value - cost)


def _group(day: date, pairings: Sequence[figures.OptionPairing]) -> models.OptionGroup:
    value = sum((pairing.market_value for pairing in pairings), ZERO)
    cost = sum((pairing.cost_basis for pairing in pairings), ZERO)
    return models.OptionGroup(
        expiration=day,
        days=pairings[0].legs[0].days,
        count=len(pairings),
        market_value=value,
        cost_basis=cost,
        gain=value - cost,
        gain_pct=percent(value - cost, cost),
        strategies=[_strategy(pairing) for pairing in pairings],
    )


def _strategy(pairing: figures.OptionPairing) -> models.OptionStrategy:
    last, before = pairing.underlying_last, pairing.underlying_prev_close
    change = None if last is None or before is None else last - before
    return models.OptionStrategy(
        underlying=pairing.underlying,
        underlying_name=pairing.underlying_description,
        underlying_previous_close=before,
        underlying_last=last,
        underlying_change=change,
        underlying_change_pct=None if change is None or before is None else percent(change, before),
        code=pairing.code,
        strategy=pairing.name,
        market_value=pairing.market_value,
        cost_basis=pairing.cost_basis,
        gain=pairing.gain,
        leg_count=len(pairing.legs),
        legs=[_leg(leg) for leg in pairing.legs],
    )


def _leg(leg: figures.OptionLeg) -> models.HeldOption:
    return models.HeldOption(
        side=models.Side.LONG if leg.buys else models.Side.SHORT,
        contracts=leg.quantity,
        moneyness=models.Moneyness.IN if leg.in_the_money else models.Moneyness.OUT,
        right_text="CALL" if leg.right == "C" else "PUT",
        market_value=leg.market_value,
        gain=leg.gain,
        gain_pct=leg.gain_pct,
        symbol=leg.symbol,
        description=leg.description,
        expiration=leg.expiration,
        right=models.Right.from_wire(leg.right),
        strike=leg.strike,
        deliverable=multiplier(leg.symbol),
        previous_close=leg.prev_close,
        last_price=leg.last,
        last_price_change=leg.change,
        days=leg.days,
    )
