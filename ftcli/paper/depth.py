"""The level-two book of the paper market."""

from decimal import Decimal

from ftcli.paper.noise import combine, stream
from ftcli.paper.quotes import Depth, DepthLevel, Quote
from ftcli.paper.tape import VENUES, Book
from ftcli.paper.timeline import epoch_seconds, moment_of

LEVELS = 25


def make_depth(book: Book, quote: Quote) -> Depth:
    """The book around a quote: its bid and ask first, then ever worse prices.

    Several venues may show the same price. Lines keep still for seconds at a time.
    """
    assert quote.bid is not None
    assert quote.ask is not None
    second = epoch_seconds(quote.time)
    moment = moment_of(1000 * second)
    tick = Decimal(1).scaleb(-book.security.decimals)
    step = max(tick, ((quote.ask - quote.bid) / 2).quantize(tick))
    first_bid = DepthLevel(quote.bid, quote.bid_size or 100, quote.bid_exchange or VENUES[0], moment)
    first_ask = DepthLevel(quote.ask, quote.ask_size or 100, quote.ask_exchange or VENUES[0], moment)
    bids = _side(combine(book.print_key, 1), second, first_bid, -step)
    asks = _side(combine(book.print_key, 2), second, first_ask, step)
    return Depth(symbol=quote.symbol, time=quote.time, bids=bids, asks=asks)


def _side(key: int, second: int, best: DepthLevel, step: Decimal) -> list[DepthLevel]:
    levels = [best]
    price = best.price
    for index in range(1, LEVELS):
        period = 2 + index % 5
        (number,) = stream(combine(key, index, second // period), 1)
        price += step * (0, 0, 1, 1, 1, 2, 1, 1)[number & 7]
        if price <= 0:
            break
        size = 100 * (1 + ((number >> 8) % (4 + 2 * index)))
        if (number >> 24) % 5 == 0:
            size += (number >> 28) % 100
        age = 1000 * (second % period) + (number >> 40) % 1000  # milliseconds since it last changed
        levels.append(DepthLevel(price, size, VENUES[(number >> 16) % 7], moment_of(1000 * second - age)))
    return levels
