"""The broker's option summary as flat strategies, and the Greeks of their legs (protocol 01 §3.8)."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ftcli.models.field import read
from ftcli.models.option_holdings import (
    HeldOption,
    OptionAccount,
    OptionExpiration,
    OptionsSummary,
    OptionStrategy,
    Right,
    Side,
)
from ftcli.models.values import read_datetime
from ftcli.operations.operation import Core

if TYPE_CHECKING:
    from ftcli.models.streaming import Greeks

GREEKS_SECONDS = 5.0
"""How long to wait for the stream."""

_GREEKS = ("delta", "gamma", "theta", "vega", "rho")


def summary_of(entry: dict[str, Any]) -> OptionsSummary:
    """One account's summary: strategies in a flat list, each knowing its expiration; sums by expiration."""
    sent = read(OptionAccount, entry)
    answer = OptionsSummary(
        totals=sent.totals,
        holdings=sent.holdings,
        underlying_count=sent.underlying_count,
        expiration_count=sent.expiration_count,
    )
    if sent.cycle_date and sent.cycle_time:
        answer.as_of = read_datetime(f"{sent.cycle_date}T{sent.cycle_time.zfill(6)}")
    for group in sent.groups:
        sums = {field: getattr(group, field) for field in OptionExpiration.__struct_fields__}
        answer.expirations.append(OptionExpiration(**sums))
        for strategy in group.strategies:
            strategy.expiration, strategy.days = group.expiration, group.days
            strategy.summary = _short(strategy)
            answer.strategies.append(strategy)
    return answer


def _short(strategy: OptionStrategy) -> str | None:
    """The legs in a few signs: ``+3 90C -3 100C``."""
    return " ".join(filter(None, (_short_leg(leg) for leg in strategy.legs))) or None


def _short_leg(leg: HeldOption) -> str:
    if leg.contracts is None or leg.strike is None:
        return ""
    sign = {Side.LONG: "+", Side.SHORT: "-"}.get(leg.side, "") if leg.side else ""
    letter = {Right.CALL: "C", Right.PUT: "P"}.get(leg.right, "") if leg.right else ""
    return f"{sign}{_plain(leg.contracts)} {_plain(leg.strike)}{letter}"


def _plain(number: Decimal) -> str:
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


async def add_greeks(core: Core, summary: OptionsSummary) -> None:
    """Gives each leg the Greeks of the quote stream; legs it says nothing about in time stay without.

    Args:
        core: Opens the stream.
        summary: Whose legs.
    """
    import asyncio  # deferred: most calls want no Greeks

    waiting: dict[str, list[HeldOption]] = {}
    for strategy in summary.strategies:
        for leg in strategy.legs:
            if leg.symbol:
                waiting.setdefault(f"-{leg.symbol.removeprefix('-')}", []).append(leg)
    if not waiting:
        return
    async with core.updates("quote", list(waiting)) as updates:
        try:
            async with asyncio.timeout(GREEKS_SECONDS):
                async for update in updates:
                    greeks = update.quote.greeks if update.kind == "quote" else None
                    if greeks is not None and greeks.delta is not None:
                        _give(waiting.pop(update.quote.symbol, []), greeks)
                    if not waiting:
                        break
        except TimeoutError:
            return


def _give(legs: list[HeldOption], greeks: "Greeks") -> None:
    for leg in legs:
        for name in _GREEKS:
            setattr(leg, name, getattr(greeks, name))
        leg.implied_volatility = greeks.iv_mid
