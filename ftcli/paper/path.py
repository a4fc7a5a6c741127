"""How a price moves inside a bar: a bar is cut into smaller bars, these into trades.

Everything here is in whole price units (cents, or hundredths of a cent for prices below a dollar)
and agrees exactly: the parts of a bar begin at its open, end at its close, reach its high and its
low, and their volumes and trade counts add up to its own.
"""

from ftcli.paper.noise import lanes, normal, stream

SECONDS = 60
MIN_TRADES = 4
MAX_TRADES = 56
_MAX_STRETCH = 3.0


class Path:
    """A bar cut into consecutive smaller bars.

    Attributes:
        nodes: Where each part begins, and where the last ends: one more than there are parts.
        highs, lows: Of each part.
        volumes, counts: Shares and trades up to the beginning of each part, and in all.
        tops, bottoms: Highest and lowest price of the parts before each part.
    """

    __slots__ = ("bottoms", "counts", "highs", "lows", "nodes", "tops", "volumes")

    def __init__(
        self, nodes: list[int], highs: list[int], lows: list[int], volumes: list[int], counts: list[int]
    ) -> None:
        self.nodes = nodes
        self.highs = highs
        self.lows = lows
        self.volumes = volumes
        self.counts = counts
        self.tops = [highs[0], *highs]
        self.bottoms = [lows[0], *lows]
        for index in range(2, len(self.tops)):
            if self.tops[index - 1] > self.tops[index]:
                self.tops[index] = self.tops[index - 1]
            if self.bottoms[index - 1] < self.bottoms[index]:
                self.bottoms[index] = self.bottoms[index - 1]


class Prints:
    """The trades of one minute, and the quote in each of its seconds.

    Attributes:
        times: Milliseconds after the start of the minute, ascending, at most one a second.
        prices, exchanges: Of each trade; exchanges are indices into a list of venues.
        volumes: Shares traded up to and including each trade.
        tops, bottoms: Highest and lowest price up to and including each trade.
        bids, asks: In each of the sixty seconds.
    """

    __slots__ = ("asks", "bids", "bottoms", "exchanges", "prices", "times", "tops", "volumes")

    def __init__(
        self,
        times: list[int],
        prices: list[int],
        volumes: list[int],
        exchanges: list[int],
        bids: list[int],
        asks: list[int],
    ) -> None:
        self.times = times
        self.prices = prices
        self.volumes = volumes
        self.exchanges = exchanges
        self.bids = bids
        self.asks = asks
        self.tops = list(prices)
        self.bottoms = list(prices)
        for index in range(1, len(prices)):
            if self.tops[index - 1] > self.tops[index]:
                self.tops[index] = self.tops[index - 1]
            if self.bottoms[index - 1] < self.bottoms[index]:
                self.bottoms[index] = self.bottoms[index - 1]


def bridge(opening: int, high: int, low: int, closing: int, steps: list[float]) -> list[int]:
    """A walk from ``opening`` to ``closing`` that follows ``steps`` and stays within the range.

    It usually reaches high and low, or comes near; the caller plants them where it does not.

    Returns:
        One price more than there are steps.
    """
    count = len(steps)
    total = 0.0
    for step in steps:
        total += step
    drift = total / count
    walk = highest = lowest = 0.0
    deviations = []
    for step in steps:
        walk += step - drift
        deviations.append(walk)
        if walk > highest:
            highest = walk
        elif walk < lowest:
            lowest = walk
    extent = highest - lowest
    scale = (high - low - 0.5 * abs(closing - opening)) / extent if extent > 0.0 else 0.0
    slope = (closing - opening) / count
    values = []
    level = float(opening)
    for deviation in deviations:
        level += slope
        value = level + scale * deviation
        if value > high:
            value = high - (value - high)
        elif value < low:
            value = low + (low - value)
        values.append(value)
    return _stretch(opening, high, low, closing, values)


def _stretch(opening: int, high: int, low: int, closing: int, values: list[float]) -> list[int]:
    """Draw out what lies beyond open and close towards high and low, and round."""
    ceiling, floor = max(opening, closing), min(opening, closing)
    highest, lowest = max(values), min(values)
    up = min((high - ceiling) / (highest - ceiling), _MAX_STRETCH) if highest > ceiling else 1.0
    down = min((floor - low) / (floor - lowest), _MAX_STRETCH) if lowest < floor else 1.0
    nodes = [opening]
    for value in values:
        if value > ceiling:
            value = ceiling + (value - ceiling) * up
        elif value < floor:
            value = floor + (value - floor) * down
        price = int(value + 0.5)
        nodes.append(low if price < low else high if price > high else price)
    nodes[-1] = closing
    return nodes


def subdivide(
    opening: int, high: int, low: int, closing: int, steps: list[float], shapes: list[int]
) -> tuple[list[int], list[int], list[int]]:
    """Cut a bar into as many bars as there are steps.

    Args:
        opening, high, low, closing: The bar.
        steps: The random step of each part.
        shapes: A random number per part, for the length of its wicks.

    Returns:
        Nodes, highs and lows as in `Path`.
    """
    nodes = bridge(opening, high, low, closing, steps)
    moved = 0
    previous = opening
    for node in nodes:
        moved += node - previous if node > previous else previous - node
        previous = node
    typical = moved / len(steps) / 65536.0
    highs, lows = [], []
    first = opening
    for index, shape in enumerate(shapes):
        second = nodes[index + 1]
        top, bottom = (first, second) if first > second else (second, first)
        top += int(typical * (shape & 0xFFFF))
        bottom -= int(typical * ((shape >> 16) & 0xFFFF))
        highs.append(high if top > high else top)
        lows.append(low if bottom < low else bottom)
        first = second
    top, bottom = max(highs), min(lows)
    if top < high:
        highs[highs.index(top)] = high
    if bottom > low:
        lows[lows.index(bottom)] = low
    return nodes, highs, lows


def share_out(total: int, weights: list[float], floor: int) -> list[int]:
    """Cumulated parts of a total, each at least ``floor``, in proportion to weights.

    Returns:
        One number more than there are weights: 0 first, ``total`` last.
    """
    whole = 0.0
    for weight in weights:
        whole += weight
    spare = total - floor * len(weights)
    rate = spare / whole
    parts = [0]
    running = 0.0
    for index, weight in enumerate(weights, 1):
        running += weight
        parts.append(floor * index + int(running * rate))
    parts[-1] = total
    return parts


def paired_counts(base: int, shapes: list[int]) -> list[int]:
    """Cumulated trade counts that vary from part to part but add up to ``base`` times the parts.

    Neighbours differ from ``base`` in opposite directions, so the sum is known without looking.
    """
    spread = min(base - MIN_TRADES, MAX_TRADES - base, base // 4)
    counts = [0]
    running = 0
    offset = 0
    for index, shape in enumerate(shapes):
        offset = -offset if index % 2 else (shape >> 48) % (2 * spread + 1) - spread
        running += base + offset
        counts.append(running)
    return counts


def _trade_sizes(volume: int, numbers: list[int]) -> list[int]:
    """Cumulated sizes of a minute's trades: round lots where the volume is large enough."""
    count = len(numbers)
    if volume == 0:
        return [0] * count
    weights = []
    for number in numbers:
        part = ((number >> 20) & 0xFFFF) / 65536.0
        weights.append(0.05 + part * part * part)
    if volume < 200 * count:
        return share_out(volume, weights, 1)[1:]
    lots = share_out(volume // 100, weights, 1)[1:]
    sizes = [100 * lot for lot in lots]
    sizes[-1] = volume
    return sizes


def _plant(prices: list[int], high: int, low: int) -> None:
    """Let the inner trades of a minute reach its high and its low."""
    inner = range(1, len(prices) - 1)
    planted = -1
    if max(prices) < high:
        planted = max(inner, key=prices.__getitem__)
        prices[planted] = high
    if min(prices) > low:
        lowest = min((index for index in inner if index != planted), key=prices.__getitem__)
        prices[lowest] = low


def _quotes(
    opening: int, seconds: list[int], prices: list[int], numbers: list[int], spread: int, jitter: int
) -> tuple[list[int], list[int]]:
    """Bid and ask of each second: every trade happens at the bid or at the ask of its second."""
    extra, restless = numbers[-2], numbers[-1]
    trade_at = dict(zip(seconds, range(len(seconds)), strict=True))
    bids, asks = [], []
    price, width, buying = opening, spread, bool(extra >> 63)
    for second in range(SECONDS):
        trade = trade_at.get(second)
        if trade is not None:
            number = numbers[trade]
            moved = prices[trade] - price
            buying = moved > 0 or (moved == 0 and bool(number & 1))
            price = prices[trade]
            width = spread + ((number >> 4) % (jitter + 1) if number & 6 == 6 else 0)
        elif (extra >> second) & (restless >> second) & 1:
            buying = not buying
        if buying:
            bids.append(price - width)
            asks.append(price)
        else:
            bids.append(price)
            asks.append(price + width)
    return bids, asks


def make_prints(
    key: int,
    bar: tuple[int, int, int, int],
    volume: int,
    count: int,
    spread: int,
    jitter: int,
    venues: int,
    opens: bool,
) -> Prints:
    """The trades and quotes of one minute.

    Args:
        key: Random key of the minute.
        bar: Its open, high, low and close.
        volume: Its shares, at least ``count`` (or 0 for an index).
        count: Its trades, from `MIN_TRADES` to `MAX_TRADES`.
        spread, jitter: Usual width of the quote and how much wider it may get.
        venues: Number of venues to choose from.
        opens: Whether the first trade is the opening print, at the very start of the minute.
    """
    opening, high, low, closing = bar
    numbers = stream(key, count + 2)
    if high == low:
        prices = [opening] * count
    else:
        prices = bridge(opening, high, low, closing, [normal(number) for number in numbers[1:count]])
        _plant(prices, high, low)
    times, seconds, exchanges = [], [], []
    for index in range(count):
        number = numbers[index]
        first = SECONDS * index // count
        width = SECONDS * (index + 1) // count - first
        second = first + (number >> 36) % width
        if index == 0 and opens:
            second = 0
            times.append(0)
        else:
            times.append(1000 * second + (number >> 44) % 1000)
        seconds.append(second)
        exchanges.append((number >> 56) % venues)
    bids, asks = _quotes(opening, seconds, prices, numbers, spread, jitter)
    return Prints(times, prices, _trade_sizes(volume, numbers[:count]), exchanges, bids, asks)


def volume_weights(shapes: list[int]) -> list[float]:
    """How the volume of a bar spreads over its parts, from a random number per part."""
    weights = []
    for shape in shapes:
        _, _, share, _ = lanes(shape)
        weights.append(0.4 + share * share)
    return weights
