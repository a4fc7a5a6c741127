"""The securities the paper market trades: look-up by symbol and search by text."""

from collections.abc import Iterator
from decimal import Decimal

from msgspec import Struct

from ftcli.paper import symbol_table
from ftcli.paper.noise import lanes, mix, text_key

_ZERO = Decimal(0)
_MILLION = 1_000_000
_FREQUENCIES = {"M": "Monthly", "Q": "Quarterly", "S": "Semi-Annual", "A": "Annual", "-": ""}
_ADRS = frozenset({"BABA", "TSM", "NVO", "NIO", "ARM"})
_TWINS = {"GOOG": "GOOGL"}  # share classes of one company move together
_NO_FIGURE = "-"


class Security(Struct, frozen=True, kw_only=True):
    """One listed security, index or fund of the paper market.

    Attributes:
        symbol: As the broker shows it: ``AAPL``, ``BRK.B``, ``.SPX``, ``SPAXX``.
        name: Mixed case, for people.
        description: Upper case, as in positions and charts.
        cusip: Nine characters with a valid check digit; invented.
        kind: ``equity``, ``etf``, ``index``, ``mutual_fund`` or ``money_market``.
        subtype: ``COM``, ``ADR``, ``ETF``, ``Govt``, ``MF`` or empty (protocol 03 §10).
        exchange: Market identifier code of the primary listing.
        price: The level the paper price wanders around.
        volatility: Annual, as a fraction.
        beta: To the market as a whole.
        average_volume: Shares a day; 0 for indices and funds.
        shares_outstanding: Shares; for funds net assets over net asset value.
        sector, industry: Names; empty for indices.
        dividend: Dollars per share and year.
        dividend_frequency: ``Quarterly``, ``Monthly`` ...; empty without dividend.
        eps: Trailing twelve months' earnings per share, None for everything but companies.
        borrow_rate: What a short seller pays, percent a year.
        hard_to_borrow: Whether shares must be located before a short sale.
        marginable, shortable: Whether it may be bought on margin, sold short.
        options: ``weekly``, ``monthly`` or empty: which listed options exist.
        yield_7day: Seven-day yield of a money market fund, percent.
        tracks: The security whose moves this one repeats, or its own symbol.
        leverage: How many times over, negative for inverse funds.
        decimals: Decimal places of its prices.
    """

    symbol: str
    name: str
    description: str
    cusip: str
    kind: str
    subtype: str
    exchange: str
    price: Decimal
    volatility: float
    beta: float
    average_volume: int = 0
    shares_outstanding: int = 0
    sector: str = ""
    industry: str = ""
    dividend: Decimal = _ZERO
    dividend_frequency: str = ""
    eps: Decimal | None = None
    borrow_rate: Decimal = Decimal("0.25")
    hard_to_borrow: bool = False
    marginable: bool = True
    shortable: bool = True
    options: str = ""
    yield_7day: Decimal | None = None
    tracks: str = ""
    leverage: int = 1
    decimals: int = 2

    @property
    def tradable(self) -> bool:
        """Whether orders are taken: everything but indices."""
        return self.kind != "index"

    @property
    def is_fund(self) -> bool:
        """Whether it is priced once a day instead of being traded on an exchange."""
        return self.kind in ("mutual_fund", "money_market")

    @property
    def dividend_yield(self) -> Decimal | None:
        """Percent of the anchor price, None without dividend."""
        if not self.dividend:
            return None
        return (self.dividend / self.price * 100).quantize(Decimal("0.01"))

    @property
    def pe_ratio(self) -> Decimal | None:
        """Anchor price over earnings, None without (positive) earnings."""
        if self.eps is None or self.eps <= 0:
            return None
        return (self.price / self.eps).quantize(Decimal("0.01"))


def cusip_check_digit(base: str) -> str:
    """The ninth character of a CUSIP with the given eight (digits, capital letters, ``*@#``)."""
    total = 0
    for position, character in enumerate(base):
        value = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ*@#".index(character)
        if position % 2:
            value *= 2
        total += value // 10 + value % 10
    return str((10 - total % 10) % 10)


def _cusip(symbol: str, kind: str) -> str:
    number = text_key("cusip:" + symbol)
    issue = {"equity": "10", "etf": "10", "index": "99"}.get(kind, "70")
    base = f"{100_000 + number % 890_000:06d}{issue}"
    return base + cusip_check_digit(base)


def _describe(name: str, kind: str, adr: bool) -> str:
    upper = name.upper()
    if kind != "equity":
        return upper
    if adr:
        return f"{upper} SPON ADS EACH REP ORD SHS"
    company, separator, share_class = upper.partition(" CLASS ")
    return f"{company} COM CL {share_class}" if separator else f"{upper} COM"


def _decimal(text: str) -> Decimal:
    return _ZERO if text == _NO_FIGURE else Decimal(text)


def _shares(millions: str) -> int:
    return int(Decimal(millions) * _MILLION)


def _options(code: str) -> str:
    return {"W": "weekly", "M": "monthly"}.get(code, "")


def _equity(line: str) -> Security:
    (symbol, name, mic, price, volatility, beta, volume, shares, sector, industry,
     dividend, frequency, eps, borrow, options) = line.split("|")  # fmt: skip
    rate = Decimal(borrow)
    adr = symbol in _ADRS
    return Security(
        symbol=symbol,
        name=name,
        description=_describe(name, "equity", adr),
        cusip=_cusip(symbol, "equity"),
        kind="equity",
        subtype="ADR" if adr else "COM",
        exchange=mic,
        price=Decimal(price),
        volatility=float(volatility) / 100,
        beta=float(beta),
        average_volume=_shares(volume),
        shares_outstanding=_shares(shares),
        sector=sector,
        industry=industry,
        dividend=_decimal(dividend),
        dividend_frequency=_FREQUENCIES[frequency],
        eps=Decimal(eps),
        borrow_rate=rate,
        hard_to_borrow=rate >= 1,
        marginable=Decimal(price) >= 3,
        shortable=Decimal(price) >= 1,
        options=_options(options),
        tracks=_TWINS.get(symbol, symbol),
        decimals=2 if Decimal(price) >= 1 else 4,
    )


def _etf(line: str) -> Security:
    (symbol, name, mic, price, volatility, beta, volume, shares, group,
     dividend, frequency, options, tracks, leverage) = line.split("|")  # fmt: skip
    return Security(
        symbol=symbol,
        name=name,
        description=_describe(name, "etf", False),
        cusip=_cusip(symbol, "etf"),
        kind="etf",
        subtype="ETF",
        exchange=mic,
        price=Decimal(price),
        volatility=float(volatility) / 100,
        beta=float(beta),
        average_volume=_shares(volume),
        shares_outstanding=_shares(shares),
        sector="",
        industry=group,
        dividend=_decimal(dividend),
        dividend_frequency=_FREQUENCIES[frequency],
        options=_options(options),
        tracks=symbol if tracks == _NO_FIGURE else tracks,
        leverage=int(leverage),
    )


def _index(line: str) -> Security:
    symbol, name, level, volatility, beta, options = line.split("|")
    return Security(
        symbol=symbol,
        name=name,
        description=name.upper(),
        cusip=_cusip(symbol, "index"),
        kind="index",
        subtype="",
        exchange="XCBO",
        price=Decimal(level),
        volatility=float(volatility) / 100,
        beta=float(beta),
        marginable=False,
        shortable=False,
        options=_options(options),
        tracks=symbol,
    )


def _fund(line: str) -> Security:
    symbol, name, price, volatility, beta, assets, group, dividend, frequency, tracks = line.split("|")
    return Security(
        symbol=symbol,
        name=name,
        description=name.upper(),
        cusip=_cusip(symbol, "mutual_fund"),
        kind="mutual_fund",
        subtype="MF",
        exchange="XNAS",
        price=Decimal(price),
        volatility=float(volatility) / 100,
        beta=float(beta),
        shares_outstanding=int(Decimal(assets) * _MILLION / Decimal(price)),
        industry=group,
        dividend=_decimal(dividend),
        dividend_frequency=_FREQUENCIES[frequency],
        shortable=False,
        tracks=symbol if tracks == _NO_FIGURE else tracks,
    )


def _money_market(line: str) -> Security:
    symbol, name, assets, seven_day = line.split("|")
    return Security(
        symbol=symbol,
        name=name,
        description=name.upper(),
        cusip=_cusip(symbol, "money_market"),
        kind="money_market",
        subtype="Govt",
        exchange="XNAS",
        price=Decimal("1.00"),
        volatility=0.0,
        beta=0.0,
        shares_outstanding=_shares(assets),
        industry="Money Market",
        dividend=(Decimal(seven_day) / 100).quantize(Decimal("0.0001")),
        dividend_frequency="Monthly",
        shortable=False,
        yield_7day=Decimal(seven_day),
        tracks=symbol,
    )


_READERS = (
    (symbol_table.EQUITIES, _equity),
    (symbol_table.ETFS, _etf),
    (symbol_table.INDICES, _index),
    (symbol_table.FUNDS, _fund),
    (symbol_table.MONEY_MARKET, _money_market),
)

_lines: dict[str, tuple[str, int]] = {}
_spellings: dict[str, str] = {}
_found: dict[str, Security] = {}


def _load() -> None:
    for reader, (table, _) in enumerate(_READERS):
        for line in table.splitlines():
            symbol = line[: line.index("|")]
            _lines[symbol] = (line, reader)
            if not symbol.isalpha():
                _spellings[symbol.replace(".", "")] = symbol
    _spellings.update((symbol, symbol) for symbol in _lines)


def canonical(symbol: str) -> str | None:
    """The broker's spelling of a symbol, None when it is not known.

    Case does not matter; class shares may be written ``BRK.B``, ``BRK/B``, ``BRK-B``, ``BRK B`` or
    ``BRKB``, indices with or without their leading dot, ``$`` or ``^``.
    """
    if not _lines:
        _load()
    text = symbol.strip().upper()
    known = _spellings.get(text)
    if known is not None:
        return known
    if text.startswith("-"):
        return None
    bare = "".join(character for character in text if character.isalnum())
    return _spellings.get(bare)


def find(symbol: str) -> Security | None:
    """The security of a symbol in any usual spelling, None when the paper market has none.

    Args:
        symbol: See `canonical` for the spellings understood.
    """
    name = canonical(symbol)
    if name is None:
        return None
    security = _found.get(name)
    if security is None:
        line, reader = _lines[name]
        security = _found[name] = _READERS[reader][1](line)
    return security


def all_securities() -> Iterator[Security]:
    """Every security of the paper market, in the order of its table."""
    if not _lines:
        _load()
    for symbol in _lines:
        security = find(symbol)
        assert security is not None
        yield security


def _rank(security: Security, text: str, bare: str) -> int | None:
    """How well a security answers a search: the smaller the better, None for not at all."""
    symbol = security.symbol.replace(".", "")
    name = security.name.upper()
    if bare and symbol == bare:
        return 0
    if bare and symbol.startswith(bare):
        return 1
    if name.startswith(text):
        return 2
    words = text.split()
    names = name.replace("'", "").replace("-", " ").split()
    if words and all(any(part.startswith(word) for part in names) for word in words):
        return 3
    if len(text) >= 3 and (text in name or text == security.cusip):
        return 4
    return None


def search(text: str, limit: int = 10) -> list[Security]:
    """Securities whose symbol or name fits a text, the best first.

    Exact symbols come first, then symbols and names that begin with the text, then names whose
    words begin with its words, then names that contain it; the more traded comes first among equals.

    Args:
        text: Any case; an empty text finds nothing.
        limit: How many at most.
    """
    wanted = text.strip().upper()
    bare = "".join(character for character in wanted if character.isalnum())
    if not wanted:
        return []
    ranked = []
    for security in all_securities():
        rank = _rank(security, wanted, bare)
        if rank is not None:
            traded = float(security.price) * (security.average_volume or security.shares_outstanding / 1000)
            ranked.append((rank, -traded, security.symbol, security))
    ranked.sort(key=lambda entry: entry[:3])
    return [entry[3] for entry in ranked[: max(limit, 0)]]


def available_to_borrow(security: Security) -> int:
    """Shares the lender has for short sellers: plenty, or little when hard to borrow."""
    if not security.shortable:
        return 0
    share = lanes(mix(text_key("borrow:" + security.symbol)))[0]
    portion = 0.0005 if security.hard_to_borrow else 0.02
    return int(security.shares_outstanding * portion * (0.5 + share)) // 100 * 100
