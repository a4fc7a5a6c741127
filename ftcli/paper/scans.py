"""Market scans of the paper broker (protocol 03 §12.4), from the market's quotes.

Only scan 2 is the broker's own by number. The others have numbers of our choice and the four columns that
every scan has; a number beyond the list finds nothing.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from ftcli.paper.noise import combine, lanes, text_key
from ftcli.paper.quotes import Quote
from ftcli.paper.symbols import Security, all_securities

if TYPE_CHECKING:
    from ftcli.paper.market import Market

Field = tuple[str, str, str]
"""Title, value, number of the help text."""
Rank = Callable[[Quote], Decimal | None]

MOST_ROWS = 25
_OPTIONS_PER_SHARE = Decimal("0.0006")


def _above_low(quote: Quote) -> Decimal | None:
    return quote.last / quote.week52_low if quote.last and quote.week52_low else None


def _below_high(quote: Quote) -> Decimal | None:
    return -quote.last / quote.week52_high if quote.last and quote.week52_high else None


def _busy(quote: Quote) -> Decimal | None:
    return (
        -Decimal(quote.volume) / quote.avg_volume_10day if quote.volume and quote.avg_volume_10day else None
    )


def _gain(quote: Quote) -> Decimal | None:
    return None if quote.change_pct is None else -quote.change_pct


def _loss(quote: Quote) -> Decimal | None:
    return quote.change_pct


def _since_open(quote: Quote) -> Decimal | None:
    return -quote.last / quote.open if quote.last and quote.open else None


def _below_open(quote: Quote) -> Decimal | None:
    return quote.last / quote.open if quote.last and quote.open else None


RANKS: dict[int, tuple[str, Rank]] = {
    1: ("52-Week High", _below_high),
    3: ("52-Week Low", _above_low),
    5: ("Volume Movers", _busy),
    6: ("Standard Session, advancing", _gain),
    7: ("Standard Session, declining", _loss),
    8: ("Bullish Morning Momentum", _since_open),
    9: ("Bearish Morning Momentum", _below_open),
}
"""Scans by a figure, the smallest first."""
OPTION_VOLUME = {2: "Call", 4: "Put"}
"""Scans by the volume of calls or puts against its average."""


def run_scan(market: "Market", scan: int, now: datetime) -> list[list[Field]]:
    """The rows of a scan, best first; nothing for a number that is no scan.

    Args:
        market: The market.
        scan: Number of the scan.
        now: The present moment.
    """
    if scan in OPTION_VOLUME:
        return _by_option_volume(market, OPTION_VOLUME[scan], now)
    if scan not in RANKS:
        return []
    rank = RANKS[scan][1]
    ranked = [
        (figure, quote.symbol, security, quote)
        for security, quote in _stocks(market, now)
        if (figure := rank(quote)) is not None
    ]
    ranked.sort(key=lambda entry: entry[:2])
    return [_common(security, quote) for _, _, security, quote in ranked[:MOST_ROWS]]


def _stocks(market: "Market", now: datetime) -> Iterator[tuple[Security, Quote]]:
    for security in all_securities():
        if security.kind in ("equity", "etf"):
            quote = market.quote(security.symbol, now)
            if quote is not None:
                yield security, quote


def _common(security: Security, quote: Quote) -> list[Field]:
    return [
        ("Symbol", security.symbol, ""),
        ("Company Name", security.name, ""),
        ("Last", _text(quote.last), ""),
        ("Last Change", _text(quote.change), ""),
    ]


def _text(value: Decimal | None) -> str:
    return "" if value is None else f"{value:f}"


def _by_option_volume(market: "Market", side: str, now: datetime) -> list[list[Field]]:
    found = []
    for security, quote in _stocks(market, now):
        if not security.options or not quote.volume or quote.trade_date is None:
            continue
        average = max(int(security.average_volume * _OPTIONS_PER_SHARE), 1)
        # How eager option traders are today, about this side: between a third and ten times as usual.
        mood = lanes(combine(text_key(f"{side}:{security.symbol}"), quote.trade_date.toordinal()))[0]
        usual = Decimal(quote.volume) / max(quote.avg_volume_10day or 1, 1)
        volume = int(average * usual * Decimal(30 ** (2 * mood - 1)) / 2)
        if volume:
            found.append((Decimal(volume) / average, security, quote, volume, average))
    found.sort(key=lambda entry: (-entry[0], entry[1].symbol))
    return [
        [
            *_common(security, quote),
            (f"{side} Volume", str(volume), ""),
            (f"Average {side} Volume", str(average), "16"),
            (f"Percent Average {side} Volume", f"{100 * ratio:.0f}", "17"),
        ]
        for ratio, security, quote, volume, average in found[:MOST_ROWS]
    ]
