"""Option contracts of the paper market: their symbols, expirations and strikes."""

from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from msgspec import Struct

from ftcli.clock import market_date
from ftcli.paper.calendar import is_trading_day, previous_trading_day, session_on
from ftcli.paper.noise import text_key
from ftcli.paper.symbols import Security, cusip_check_digit
from ftcli.paper.symbols import find as find_security
from ftcli.paper.timeline import epoch_milliseconds, span_at

if TYPE_CHECKING:
    from ftcli.paper.market import Market

MULTIPLIER = 100
_FRIDAY = 4
_HALF = Decimal("0.5")

# Index options: the monthly root, the root of all other expirations, and the index.
_INDEX_ROOTS = {
    ".SPX": ("SPX", "SPXW"),
    ".NDX": ("NDX", "NDXP"),
    ".RUT": ("RUT", "RUTW"),
    ".OEX": ("OEX", "OEX"),
}
_UNDERLYINGS = {root: index for index, roots in _INDEX_ROOTS.items() for root in roots}
_DAILY = frozenset({"SPY", "QQQ", "IWM", ".SPX", ".NDX", ".RUT"})
_DAILY_COUNT = 5
_WEEKLY_COUNT = 8


class OptionContract(Struct, frozen=True):
    """One listed option.

    Attributes:
        root: Symbol part of the contract: ``AAPL``, ``BRKB``, ``SPXW``.
        underlying: Symbol of the underlying: ``AAPL``, ``BRK.B``, ``.SPX``.
        expiration: Last trading day.
        right: ``C`` or ``P``.
        strike: Dollars per share.
    """

    root: str
    underlying: str
    expiration: date
    right: str
    strike: Decimal

    @classmethod
    def parse(cls, text: str) -> "OptionContract":
        """The contract of a symbol such as ``AAPL270115C152.5``.

        A leading dash, lower case, blanks after the root and the 21-character form with its
        eight-digit strike are understood. Whether such a contract exists is not checked; see `find`.

        Raises:
            ValueError: The text is no option symbol.
        """
        wanted = "".join(text.upper().split()).removeprefix("-")
        place = max(wanted.rfind("C"), wanted.rfind("P"))
        root, digits, strike = wanted[: place - 6], wanted[max(place - 6, 0) : place], wanted[place + 1 :]
        if place < 7 or not root[0].isalpha() or not root.isalnum() or not root.isascii():
            raise ValueError(f"{text!r} is not an option symbol such as AAPL270115C150")
        expiration, price = _parse_date(digits), _parse_strike(strike)
        if expiration is None or price is None:
            raise ValueError(f"{text!r} is not an option symbol such as AAPL270115C150")
        underlying = _UNDERLYINGS.get(root)
        if underlying is None:
            security = find_security(root)
            underlying = security.symbol if security is not None else root
        return cls(root, underlying, expiration, wanted[place], price)

    @classmethod
    def parse_or_none(cls, text: str) -> "OptionContract | None":
        """Like `parse`, but None for a text that is no option symbol."""
        try:
            return cls.parse(text)
        except ValueError:
            return None

    @property
    def symbol(self) -> str:
        """The compact symbol without dash, as orders spell it: ``AAPL270115C152.5``."""
        day = self.expiration
        return f"{self.root}{day.year % 100:02d}{day.month:02d}{day.day:02d}{self.right}{plain(self.strike)}"

    @property
    def stream_symbol(self) -> str:
        """The symbol with leading dash, as quotes and streams spell it."""
        return "-" + self.symbol

    @property
    def cusip(self) -> str:
        """Nine characters with a valid check digit; invented."""
        base = f"9{text_key('cusip:' + self.symbol) % 100_000:05d}{self.right}{self.expiration.month % 10}"
        return base + cusip_check_digit(base)

    @property
    def description(self) -> str:
        """As the broker names it: ``AAPL JAN 15 2027 $152.50 CALL``."""
        word = "CALL" if self.right == "C" else "PUT"
        strike = (
            plain(self.strike) if self.strike == self.strike.to_integral_value() else f"{self.strike:.2f}"
        )
        return f"{self.root} {self.expiration:%b %d %Y} ${strike} {word}".upper()

    @property
    def is_call(self) -> bool:
        """True for a call, False for a put."""
        return self.right == "C"

    @property
    def european(self) -> bool:
        """Whether it is exercised at expiration only and settled in cash (index options)."""
        return self.underlying.startswith(".")

    @property
    def expiry(self) -> datetime:
        """The moment it expires: the close of its last trading day, in New York time."""
        session = session_on(self.expiration) or session_on(previous_trading_day(self.expiration))
        assert session is not None
        return session.close

    @property
    def expiration_kind(self) -> str:
        """``monthly`` for the third Friday's contracts, else ``weekly``."""
        return "monthly" if is_monthly(self.expiration) else "weekly"

    def intrinsic(self, spot: Decimal) -> Decimal:
        """What exercise is worth per share at a price of the underlying."""
        return max(Decimal(0), spot - self.strike if self.is_call else self.strike - spot)


class ChainExpiration(Struct, frozen=True):
    """All contracts of one root that expire on one day, strikes ascending.

    Attributes:
        date: The expiration.
        root: The contracts' root.
        kind: ``monthly`` or ``weekly``.
        calls, puts: The contracts.
    """

    date: date
    root: str
    kind: str
    calls: list[OptionContract]
    puts: list[OptionContract]


class Chain(Struct, frozen=True):
    """The listed options of an underlying, expirations ascending."""

    underlying: str
    expirations: list[ChainExpiration]


def plain(value: Decimal) -> str:
    """A strike without trailing zeros or exponent: ``150``, ``152.5``."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _parse_date(digits: str) -> date | None:
    if len(digits) != 6 or not digits.isdecimal():
        return None
    try:
        return date(2000 + int(digits[:2]), int(digits[2:4]), int(digits[4:]))
    except ValueError:
        return None


def _parse_strike(text: str) -> Decimal | None:
    if not text.replace(".", "", 1).isdecimal() or not text.isascii() or len(text) > 12:
        return None
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    if len(text) == 8 and "." not in text:  # the padded form counts thousandths
        value /= 1000
    value = Decimal(plain(value))
    return value if value > 0 else None


def third_friday(year: int, month: int) -> date:
    """The monthly expiration: the third Friday, or the trading day before it if that is a holiday."""
    first = date(year, month, 1)
    return _trading_friday(first + timedelta(days=(_FRIDAY - first.weekday()) % 7 + 14))


def _trading_friday(day: date) -> date:
    return day if is_trading_day(day) else previous_trading_day(day)


def is_monthly(day: date) -> bool:
    """Whether a date is a monthly expiration."""
    return day == third_friday(day.year, day.month)


def _is_weekly(day: date) -> bool:
    return day == _trading_friday(day + timedelta(days=_FRIDAY - day.weekday()))


def find(symbol: str) -> OptionContract | None:
    """The contract of a symbol, None unless the paper market has such options.

    The underlying must have options, the expiration must be a day on which its options expire, and
    the strike a multiple of half a dollar. Expired contracts are found too.

    Args:
        symbol: See `OptionContract.parse`.
    """
    try:
        return _found[symbol]
    except KeyError:
        pass
    contract = OptionContract.parse_or_none(symbol)
    if contract is not None and not _exists(contract):
        contract = None
    if len(_found) > 20_000:
        _found.clear()
    _found[symbol] = contract
    return contract


_found: dict[str, OptionContract | None] = {}


def _exists(contract: OptionContract) -> bool:
    security = find_security(contract.underlying)
    if security is None or not security.options or contract.root not in option_roots(security):
        return False
    if contract.strike % _HALF or not is_expiration(security, contract.expiration):
        return False
    monthly_root, other_root = option_roots(security)
    allowed = (monthly_root, other_root) if is_monthly(contract.expiration) else (other_root,)
    return contract.root in allowed


def option_roots(security: Security) -> tuple[str, str]:
    """Roots of a security's monthly options and of its other ones."""
    bare = security.symbol.replace(".", "")
    return _INDEX_ROOTS.get(security.symbol, (bare, bare))


def is_expiration(security: Security, day: date) -> bool:
    """Whether options of a security expire on a date."""
    if day.weekday() > _FRIDAY or not is_trading_day(day):
        return False
    if security.symbol in _DAILY or is_monthly(day):
        return True
    return security.options == "weekly" and _is_weekly(day)


def expirations(security: Security, at: datetime) -> list[date]:
    """The expirations listed at a moment, ascending; empty for a security without options.

    Weekly expirations for the next weeks where a security has them, monthly ones for the coming
    months, then quarters, and long-term ones in January (and June and December) two years out.
    """
    if not security.options:
        return []
    today = market_date(at)
    days: set[date] = set()
    if security.symbol in _DAILY:
        day = today
        while len(days) < _DAILY_COUNT:
            if is_trading_day(day):
                days.add(day)
            day += timedelta(days=1)
    if security.options == "weekly":
        friday = today + timedelta(days=(_FRIDAY - today.weekday()) % 7)
        days.update(_trading_friday(friday + timedelta(weeks=week)) for week in range(_WEEKLY_COUNT))
    days.update(_monthlies(today, security.options == "weekly"))
    first = today if _expires_after(today, at) else today + timedelta(days=1)
    return sorted(day for day in days if day >= first)


def _expires_after(day: date, at: datetime) -> bool:
    session = session_on(day)
    return session is not None and at < session.close


def _monthlies(today: date, liquid: bool) -> list[date]:
    near, quarters, middle = (5, (1, 3, 6, 9, 12), 14) if liquid else (1, (1, 4, 7, 10), 9)
    yearly = (1, 6, 12) if liquid else (1,)
    days = []
    for ahead in range(31):
        years, month = divmod(today.month - 1 + ahead, 12)
        month += 1
        if ahead <= near or (ahead <= middle and month in quarters) or month in yearly:
            days.append(third_friday(today.year + years, month))
    return days


def strike_step(security: Security, price: float) -> Decimal:
    """Distance of neighbouring strikes near the money."""
    if security.kind == "index":
        steps = [(1000, "1"), (5000, "5"), (10_000, "5"), (1e12, "50")]
    elif security.kind == "etf" and security.options == "weekly":
        steps = [(50, "0.5"), (1e12, "1")]
    elif security.options == "weekly":
        steps = [(25, "0.5"), (100, "1"), (300, "2.5"), (1000, "5"), (2500, "10"), (1e12, "25")]
    else:
        steps = [(10, "0.5"), (50, "1"), (200, "5"), (1e12, "10")]
    return Decimal(next(step for limit, step in steps if price < limit))


def strikes(market: "Market", security: Security, expiration: date, at: datetime) -> list[Decimal]:
    """The strikes listed at a moment for an expiration, ascending.

    They lie close together near the money and further apart away from it, and reach further for
    later expirations and for more volatile securities.
    """
    days = market.tape.book(security).days
    day = previous_trading_day(span_at(epoch_milliseconds(at) // 1000).day)
    closes = []
    for _ in range(20):
        closes.append(days.close_on(day) / days.units)
        day = previous_trading_day(day)
    center = closes[0]
    years = max((expiration - market_date(at)).days, 1) / 365.0
    width = min(0.08 + 3.0 * security.volatility * years**0.5, 1.5)
    step = strike_step(security, center)
    low = min(min(closes) * (1.0 - min(width, 0.85)), center - 3.0 * float(step))
    high = max(max(closes) * (1.0 + width), center + 3.0 * float(step))
    fine = float(step) < 0.02 * center  # where strikes are close enough to leave some out
    found = []
    strike = step * max(1, int(low / float(step)))
    while float(strike) <= high:
        spacing = _spacing(abs(float(strike) / center - 1.0), years) if fine else 1
        if not strike % (step * spacing):
            found.append(Decimal(plain(strike)))
        strike += step
    return found


def _spacing(distance: float, years: float) -> int:
    """How many steps lie between strikes, by distance from the money and time to expiration."""
    near = 1 if distance < 0.1 else 2 if distance < 0.25 else 10
    return near * (1 if years < 0.25 else 2)


def chain(market: "Market", underlying: str, at: datetime) -> Chain | None:
    """The options listed on an underlying at a moment (protocol 03 §1).

    Args:
        underlying: A stock, ETF or index symbol in any usual spelling.

    Returns:
        None when the symbol is unknown; a chain without expirations when it has no options.
    """
    security = find_security(underlying)
    if security is None:
        return None
    monthly_root, other_root = option_roots(security)
    listed = []
    for day in expirations(security, at):
        monthly = is_monthly(day)
        root = monthly_root if monthly else other_root
        prices = strikes(market, security, day, at)
        calls, puts = (
            [OptionContract(root, security.symbol, day, right, strike) for strike in prices] for right in "CP"
        )
        listed.append(ChainExpiration(day, root, "monthly" if monthly else "weekly", calls, puts))
    return Chain(security.symbol, listed)
