"""Charts of any range: long intraday ranges are fetched in windows and put together (protocol 03 §3)."""

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from ftcli.clock import NEW_YORK
from ftcli.errors import NotFound
from ftcli.models.field import read
from ftcli.models.json import dumps
from ftcli.models.market_data import Bar, BarWidth, Chart, ChartReply
from ftcli.operations.fastquote import fastquote
from ftcli.operations.progress import report
from ftcli.wire import WireReply, WireRequest

if TYPE_CHECKING:
    from ftcli.operations.operation import Core

PATH = "/service/marketdata/historical/chart/json"
_DAYS_PER_MINUTE = 5
_LONGEST_WINDOW = 90
_AT_ONCE = 4
Window = tuple[datetime, datetime]


def windows(first: datetime, last: datetime, width: BarWidth) -> list[Window]:
    """The range cut into windows that the broker answers in one piece, oldest first.

    Nobody knows how many bars it gives at most; five trading days of one-minute bars (some 4,800 with
    extended hours) are safe. Windows meet at midnight, so none cuts a session in two.

    Args:
        first, last: The range, half open, in New York time.
        width: Width of the bars. Days and wider are few: they come in one piece.
    """
    if not width.intraday:
        return [(first, last)]
    days = min(_DAYS_PER_MINUTE * int(width.value), _LONGEST_WINDOW)
    found = []
    start = first
    while start < last:
        after = datetime.combine(start.date() + timedelta(days=days), time(), NEW_YORK)
        found.append((start, min(after, last)))
        start = after
    return found


async def fetch_chart(
    core: "Core", symbol: str, width: BarWidth, between: Window, *, extended: bool
) -> tuple[Chart, WireReply]:
    """The chart of a symbol for a half-open range.

    Raises:
        NotFound: The broker has no data for the symbol.
    """
    import asyncio  # a call is under way: it is loaded

    parts = windows(*between, width)
    done = 0

    async def fetch(part: Window) -> WireReply:
        nonlocal done
        reply = await core.send(_request(core.now(), symbol, width, part, extended=extended))
        done += 1
        if len(parts) > 1:
            report(done, len(parts))
        return reply

    replies: list[WireReply] = []
    for number in range(0, len(parts), _AT_ONCE):
        replies += await asyncio.gather(*map(fetch, parts[number : number + _AT_ONCE]))
    charts = [found for reply in replies if (found := _first_chart(reply)) is not None]
    if not charts:
        raise NotFound(f"The broker has no chart data for {symbol}.", details={"symbol": symbol})
    chart = charts[-1]  # the day's figures are those of the latest answer
    first, last = between
    chart.bars = [bar for bar in merged(charts) if bar.time is not None and first <= bar.time < last]
    chart.width = width.value
    return chart, replies[0] if len(replies) == 1 else _together(replies)


def merged(charts: list[Chart]) -> list[Bar]:
    """The bars of some pages as one list. A bar cut off by the end of a page comes whole in the next.

    The broker's times name no offset: in the night on which the clocks go back an hour comes twice, and the
    order of the bars tells which is which.
    """
    bars: list[Bar] = []
    for page in charts:
        fresh = True
        for bar in page.bars:
            moment, before = bar.time, bars[-1].time if bars else None
            if moment is None:
                continue
            if before is not None and moment.timestamp() <= before.timestamp():
                if fresh and moment.timestamp() == before.timestamp():
                    bars.pop()
                elif moment.replace(fold=1).utcoffset() != moment.utcoffset():
                    bar.time = moment.replace(fold=1)
            bars.append(bar)
            fresh = False
    return bars


def _first_chart(reply: WireReply) -> Chart | None:
    charts = read(ChartReply, reply.document).symbols
    return charts[0] if charts else None


def _request(now: datetime, symbol: str, width: BarWidth, window: Window, *, extended: bool) -> WireRequest:
    start, end = window
    query = {
        "callback": f"jsonp_{int(now.timestamp() * 1000)}_1",
        "symbols": symbol,
        "startDate": f"{start:%Y/%m/%d-%H:%M:%S}",
        "endDate": f"{end:%Y/%m/%d-%H:%M:%S}",
        "barWidth": width.wire,
        "corpActions": "Y",
        "timestamp": "start",
        "extendedHours": "Y" if extended and width.intraday else "N",
        "isInitialFetch": "true",
        "productid": "atn",
        "quoteType": "R",
    }
    return fastquote(PATH, query)


def _together(replies: list[WireReply]) -> WireReply:
    """Several answers as one: untouched, one after the other."""
    documents: list[Any] = [reply.document for reply in replies]
    return WireReply(
        status=replies[-1].status, headers=replies[-1].headers, body=dumps(documents), document=documents
    )
