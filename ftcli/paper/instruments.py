"""What an order or a lot is about: shares, a fund or an option, with the broker's texts for it."""

from datetime import date
from decimal import Decimal

import msgspec

from ftcli.paper import symbols
from ftcli.paper.amounts import dollars, plain
from ftcli.paper.records import ZERO

_HUNDRED = Decimal(100)
_ONE = Decimal(1)


class Instrument(msgspec.Struct, frozen=True, kw_only=True):
    """A security of the paper market.

    Attributes:
        symbol: Without a leading dash.
        kind: ``equity``, ``etf``, ``index``, ``mutual_fund``, ``money_market`` or ``option``.
        underlying: Of an option; else the symbol itself.
        right: ``C`` or ``P`` on options, else empty.
        root: Symbol part of an option, which may differ from the underlying.
    """

    symbol: str
    kind: str
    description: str
    cusip: str
    underlying: str
    exchange: str = ""
    multiplier: Decimal = _ONE
    marginable: bool = True
    shortable: bool = False
    hard_to_borrow: bool = False
    borrow_rate: Decimal = ZERO
    right: str = ""
    root: str = ""
    strike: Decimal | None = None
    expiration: date | None = None
    underlying_kind: str = ""
    underlying_description: str = ""

    @property
    def is_option(self) -> bool:
        """True for option contracts."""
        return self.kind == "option"

    @property
    def is_fund(self) -> bool:
        """True where it is priced once a day."""
        return self.kind in ("mutual_fund", "money_market")

    @property
    def security_type(self) -> str:
        """``secType`` of the order status: ``8`` option, ``1`` equity."""
        return "8" if self.is_option else "1"

    def intrinsic(self, spot: Decimal) -> Decimal:
        """What exercise would be worth per share; 0 out of the money and for anything but options."""
        if self.strike is None:
            return ZERO
        return max(ZERO, spot - self.strike if self.right == "C" else self.strike - spot)

    @property
    def short_text(self) -> str:
        """As positions and previews name it: ``ACME JUL 17 2026 $90 CALL``."""
        return self.description

    @property
    def long_text(self) -> str:
        """As order status and history name it: ``CALL (ACME) ACME ROBOTICS INC JUL 17 26 $100 (100 SHS)``."""
        if self.expiration is None or self.strike is None:
            return f"{self.description} ({self.symbol})"
        word = "CALL" if self.right == "C" else "PUT"
        day = f"{self.expiration:%b %d %y}".upper()
        return f"{word} ({self.root}) {self.underlying_description} {day} {_strike(self.strike)} (100 SHS)"

    @property
    def status_text(self) -> str:
        """``secDesc`` of the order status."""
        return self.long_text if self.is_option else self.description

    @property
    def order_text(self) -> str:
        """Inside an order's one-line description: ``ACMX`` or ``ACMX 15 Jan 2027 40 Call``."""
        if self.expiration is None or self.strike is None:
            return self.symbol
        word = "Call" if self.right == "C" else "Put"
        return f"{self.root} {self.expiration:%d %b %Y} {plain(self.strike)} {word}"


def _strike(strike: Decimal) -> str:
    return f"${plain(strike)}" if strike == strike.to_integral_value() else dollars(strike)


_known: dict[str, Instrument | None] = {}


def normalise(symbol: str) -> str:
    """A symbol as orders and lots spell it: no dash, no padding, short option form (protocol 02 §1.2)."""
    known = symbols.canonical(symbol)
    if known is not None:
        return known
    if _looks_like_option(symbol):
        from ftcli.paper.option_contracts import OptionContract

        contract = OptionContract.parse_or_none(symbol)
        if contract is not None:
            return contract.symbol
    return symbol.strip().upper()


def _looks_like_option(symbol: str) -> bool:
    return len(symbol) > 8 and any(character.isdigit() for character in symbol)


def find(symbol: str) -> Instrument | None:
    """The instrument of a symbol as orders spell it, None when the paper market has none."""
    if symbol in _known:
        return _known[symbol]
    found = _make(symbol)
    if len(_known) > 20_000:
        _known.clear()
    _known[symbol] = found
    return found


def _make(symbol: str) -> Instrument | None:
    security = symbols.find(symbol)
    if security is None:
        return _make_option(symbol) if _looks_like_option(symbol) else None
    return Instrument(
        symbol=security.symbol,
        kind=security.kind,
        description=security.description,
        cusip=security.cusip,
        underlying=security.symbol,
        exchange=security.exchange,
        marginable=security.marginable,
        shortable=security.shortable,
        hard_to_borrow=security.hard_to_borrow,
        borrow_rate=security.borrow_rate,
    )


def _make_option(symbol: str) -> Instrument | None:
    from ftcli.paper import option_contracts

    contract = option_contracts.find(symbol)
    security = None if contract is None else symbols.find(contract.underlying)
    if contract is None or security is None:
        return None
    return Instrument(
        symbol=contract.symbol,
        kind="option",
        description=contract.description,
        cusip=contract.cusip,
        underlying=security.symbol,
        exchange="OPRA",
        multiplier=_HUNDRED,
        marginable=False,
        right=contract.right,
        root=contract.root,
        strike=contract.strike,
        expiration=contract.expiration,
        underlying_kind=security.kind,
        underlying_description=security.description,
    )
