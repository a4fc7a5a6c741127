"""The option chain: the broker's list of contracts, narrowed, marked and priced (protocol 03 §1, 5)."""

from calendar import monthrange
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from ftcli.errors import BrokerError, FtError, NotFound, ValidationFailed
from ftcli.models.chain import CallPut, Chain, ChainContract, ChainReply
from ftcli.models.field import read
from ftcli.models.market_data import SnapshotQuote, SymbolProblem
from ftcli.operations.fastquote import check_base, fastquote, tree_of
from ftcli.operations.greeks import add_greeks
from ftcli.operations.params import clean_day
from ftcli.operations.progress import report
from ftcli.operations.snapshots import MOST_SYMBOLS, fetch_quotes
from ftcli.wire import WireReply

if TYPE_CHECKING:
    from datetime import datetime

    from ftcli.operations.operation import Core

_NEAR_THE_MONEY = 20


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which contracts of a chain are wanted, and what is wanted of them.

    Attributes:
        expirations: Dates, months, ``next`` or ``all``; the next one where empty.
        strikes: How many strikes nearest the money; 0 for all; ``None`` for twenty, or all within bounds.
        lowest, highest: Bounds of the strikes, both included.
        call_put: Calls or puts only.
        prices: Whether to fetch quotes.
        greeks: Whether to compute Greeks from them.
        rate: Interest for the Greeks, percent a year.
    """

    expirations: list[str] = []
    strikes: int | None = None
    lowest: Decimal | None = None
    highest: Decimal | None = None
    call_put: CallPut | None = None
    prices: bool = True
    greeks: bool = False
    rate: Decimal = Decimal(4)

    def check(self) -> None:
        """Checks what the types cannot.

        Raises:
            ValidationFailed: A value makes no sense.
        """
        if self.strikes is not None and self.strikes < 0:
            raise ValidationFailed.of("strikes", self.strikes, "be 0 (all) or above")
        for name, value in (("min_strike", self.lowest), ("max_strike", self.highest)):
            if value is not None and (not value.is_finite() or value < 0):
                raise ValidationFailed.of(name, value, "be 0 or above")
        if self.lowest is not None and self.highest is not None and self.lowest > self.highest:
            raise ValidationFailed.of("min_strike", self.lowest, f"be at most max_strike, {self.highest}")
        if not self.rate.is_finite() or not -50 < self.rate < 100:
            raise ValidationFailed.of("rate", self.rate, "be percent a year, such as 4")
        if self.greeks and not self.prices:
            raise ValidationFailed.of("greeks", "true", "go with prices: they are computed from bid and ask")


async def fetch_chain(core: "Core", symbol: str, wanted: Wanted) -> tuple[Chain, WireReply]:
    """The chain of an underlying.

    Raises:
        NotFound: The broker knows no such underlying.
        ValidationFailed: An expiration is wanted that is not listed.
        BrokerError: The session has no real-time quotes, or the answer is no chain.
    """
    wanted.check()
    reply = await core.send(fastquote("/service/quote/chainLite", {"productid": "atn", "symbols": symbol}))
    tree = tree_of(reply, "OPTIONCHAIN")
    check_base(tree.get("BASE"), symbol, "option chain")
    listed = contracts_of(read(ChainReply, tree))
    chain = Chain(symbol=symbol, expirations=sorted({item.expiration for item in listed if item.expiration}))
    await _quote_underlying(core, chain)
    days = chosen_days(wanted.expirations, chain.expirations, core.now())
    picked = [item for item in listed if item.expiration in days and wanted.call_put in (None, item.call_put)]
    chain.contracts = _narrowed(picked, wanted, chain)
    for contract in chain.contracts:
        contract.in_the_money = in_the_money(contract, chain.last)
    if wanted.prices:
        await _price(core, chain)
    if wanted.greeks:
        add_greeks(chain.contracts, chain.last, wanted.rate, core.now())
    return chain, reply


def contracts_of(reply: ChainReply) -> list[ChainContract]:
    """The contracts of both sides: by expiration, strike and root, the call before the put."""
    found = []
    for side, days in ((CallPut.CALL, reply.calls), (CallPut.PUT, reply.puts)):
        for day in days:
            for contract in day.contracts:
                if contract.symbol:
                    contract.expiration, contract.call_put = day.day, side
                    found.append(contract)
    return sorted(
        found,
        key=lambda item: (
            item.expiration or date.max,
            item.root or "",
            item.strike or Decimal(0),
            item.call_put is CallPut.PUT,
        ),
    )


def chosen_days(words: list[str], listed: list[date], now: "datetime") -> set[date]:
    """The expirations that some words mean.

    Args:
        words: ``2027-01-15``, ``2027-01`` (every one in that month), ``next``, ``all``, or a word for a day.
        listed: The expirations there are, ascending.
        now: The present moment.

    Raises:
        ValidationFailed: One of them is not listed.
    """
    days: set[date] = set()
    for word in words or ["next"]:
        text = word.strip().lower()
        if text == "all":
            days.update(listed)
        elif text == "next":
            days.update(listed[:1])
        else:
            first, last = _month_of(text) or (clean_day(text, now, "expiration"),) * 2
            found = {day for day in listed if first <= day <= last}
            if not found:
                shown = ", ".join(day.isoformat() for day in listed) or "none at all"
                raise ValidationFailed.of(
                    "expiration", word, f"be a listed expiration ({shown}), next or all"
                )
            days |= found
    return days


def _month_of(text: str) -> tuple[date, date] | None:
    year, dash, month = text.partition("-")
    if not dash or not (year.isdecimal() and month.isdecimal() and len(year) == 4):
        return None
    if int(year) < 1 or not 1 <= int(month) <= 12:
        return None
    first = date(int(year), int(month), 1)
    return first, first.replace(day=monthrange(first.year, first.month)[1])


def in_the_money(contract: ChainContract, last: Decimal | None) -> bool | None:
    """Whether exercise would pay at the underlying's last price; ``None`` where that cannot be told."""
    if last is None or contract.strike is None or contract.call_put is None:
        return None
    return contract.strike < last if contract.call_put is CallPut.CALL else contract.strike > last


def _narrowed(contracts: list[ChainContract], wanted: Wanted, chain: Chain) -> list[ChainContract]:
    """The contracts within the bounds and, of each expiration, near the money."""
    bounded = wanted.lowest is not None or wanted.highest is not None
    low, high = wanted.lowest or Decimal(0), wanted.highest
    found = [
        item
        for item in contracts
        if not bounded
        or (item.strike is not None and low <= item.strike and (high is None or item.strike <= high))
    ]
    count = wanted.strikes if wanted.strikes is not None else 0 if bounded else _NEAR_THE_MONEY
    if not count:
        return found
    if chain.last is None:
        reason = "no price of the underlying: strikes near the money cannot be told, all are listed"
        chain.problems.append(SymbolProblem(symbol=chain.symbol, reason=reason))
        return found
    strikes: dict[tuple[object, object], set[Decimal]] = {}
    for item in found:
        if item.strike is not None:
            strikes.setdefault((item.expiration, item.root), set()).add(item.strike)
    near = {key: set(_nearest(values, chain.last, count)) for key, values in strikes.items()}
    return [item for item in found if item.strike in near.get((item.expiration, item.root), ())]


def _nearest(strikes: set[Decimal], last: Decimal, count: int) -> list[Decimal]:
    """The strikes nearest the money: as many below as above, where there are."""
    below = sorted((strike for strike in strikes if strike < last), reverse=True)
    above = sorted(strike for strike in strikes if strike >= last)
    lower = min(len(below), max(count // 2, count - len(above)))
    return below[:lower] + above[: count - lower]


# -- quotes --------------------------------------------------------------------------------------------------


async def _quote_underlying(core: "Core", chain: Chain) -> None:
    quote = (await _quotes(core, chain, [chain.symbol])).get(chain.symbol)
    if quote is not None:
        chain.name, chain.last, chain.bid, chain.ask = quote.name, quote.last, quote.bid, quote.ask
        chain.change, chain.change_pct = quote.change, quote.change_pct


async def _price(core: "Core", chain: Chain) -> None:
    """Puts a quote to every contract, a hundred at a time."""
    symbols = [contract.symbol for contract in chain.contracts]
    pages = [symbols[start : start + MOST_SYMBOLS] for start in range(0, len(symbols), MOST_SYMBOLS)]
    quotes: dict[str, SnapshotQuote] = {}
    for done, page in enumerate(pages, 1):
        quotes |= await _quotes(core, chain, page)
        if len(pages) > 1:
            report(done, len(pages))
    missing = 0
    for contract in chain.contracts:
        quote = quotes.get(contract.symbol)
        if quote is None:
            missing += 1
            continue
        contract.bid, contract.ask, contract.last = quote.bid, quote.ask, quote.last
        contract.change, contract.volume = quote.change, quote.volume
    if missing and quotes:
        reason = f"no quote for {missing} of {len(chain.contracts)} contracts"
        chain.problems.append(SymbolProblem(symbol=chain.symbol, reason=reason))


async def _quotes(core: "Core", chain: Chain, symbols: list[str]) -> dict[str, SnapshotQuote]:
    """Quotes by symbol. A chain without prices is still a chain: what fails is said under ``problems``."""
    try:
        quotes, _ = await fetch_quotes(core, symbols)
    except (NotFound, BrokerError) as problem:
        _note(chain, symbols, problem)
        return {}
    return {quote.symbol: quote for quote in quotes.quotes}


def _note(chain: Chain, symbols: list[str], problem: FtError) -> None:
    what = "no quote" if len(symbols) == 1 else "no quotes of the contracts"
    reason = f"{what}: {problem.message}" if isinstance(problem, BrokerError) else what
    known = {noted.reason for noted in chain.problems}
    if reason not in known:
        chain.problems.append(SymbolProblem(symbol=chain.symbol, reason=reason))
