"""Option chains and per-exchange option quotes (protocol 03 §1, 2)."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, TypeVar

from ftcli.models.field import PER_SHARE, PERCENT, Document, Model, at
from ftcli.models.market_data import SymbolProblem
from ftcli.models.values import Code

CONTRACTS = "contracts"
VOLATILITY = "fraction (0.25 = 25 %)"


class CallPut(Code):
    """Whether an option is a call or a put (protocol 03 §2.3)."""

    CALL = "call", "C"
    PUT = "put", "P"


class ExpiryType(Code):
    """What series an option belongs to; the broker knows more than these two (protocol 03 §1.2)."""

    WEEKLY = "weekly", "W"
    MONTHLY = "monthly", "M"


class ChainContract(Model):
    """One contract of a chain, with its quote where one was asked for."""

    symbol: Annotated[str, at("s", "Option symbol, with its dash.", example="-AAPL270115C150")] = ""
    root: Annotated[str | None, at("cs", "Root of the contract; differs for adjusted and index options.")] = (
        None
    )
    expiration: Annotated[date | None, at(None, "Day of expiration.", column="Expiration")] = None
    strike: Annotated[
        Decimal | None, at("st", "Strike price.", unit=PER_SHARE, form="text", column="Strike", example=150)
    ] = None
    call_put: Annotated[CallPut | None, at(None, "Call or put.", column="Type")] = None
    expiry_type: Annotated[ExpiryType | None, at("et", "Weekly, monthly, or the broker's own code.")] = None
    in_the_money: Annotated[
        bool | None, at(None, "Whether exercise would pay at the underlying's last price.", column="ITM")
    ] = None
    bid: Annotated[Decimal | None, at(None, "Bid.", unit=PER_SHARE, column="Bid")] = None
    ask: Annotated[Decimal | None, at(None, "Ask.", unit=PER_SHARE, column="Ask")] = None
    last: Annotated[Decimal | None, at(None, "Last price.", unit=PER_SHARE, column="Last")] = None
    change: Annotated[
        Decimal | None,
        at(None, "Change since the previous close.", unit=PER_SHARE, column="Change", signed=True),
    ] = None
    volume: Annotated[int | None, at(None, "Contracts traded today.", unit=CONTRACTS, column="Volume")] = None
    implied_volatility: Annotated[
        Decimal | None,
        at(None, "Volatility implied by the middle of bid and ask, computed.", unit=VOLATILITY),
    ] = None
    delta: Annotated[Decimal | None, at(None, "Per 1.00 of the underlying, computed.")] = None
    gamma: Annotated[Decimal | None, at(None, "Change of delta per 1.00 of the underlying, computed.")] = None
    theta: Annotated[Decimal | None, at(None, "Per calendar day, computed.", unit=PER_SHARE)] = None
    vega: Annotated[Decimal | None, at(None, "Per volatility point (0.01), computed.", unit=PER_SHARE)] = None
    rho: Annotated[Decimal | None, at(None, "Per percent point of interest, computed.", unit=PER_SHARE)] = (
        None
    )


class ChainRow(Model):
    """A strike of one expiration as tables show it: calls left, puts right."""

    expiration: Annotated[date | None, at(None, "Day of expiration.", column="Expiration")] = None
    call_volume: Annotated[int | None, at(None, "Calls traded today.", column="C vol")] = None
    call_last: Annotated[Decimal | None, at(None, "Last of the call.", unit=PER_SHARE, column="C last")] = (
        None
    )
    call_bid: Annotated[Decimal | None, at(None, "Bid of the call.", unit=PER_SHARE, column="C bid")] = None
    call_ask: Annotated[Decimal | None, at(None, "Ask of the call.", unit=PER_SHARE, column="C ask")] = None
    strike: Annotated[Decimal | None, at(None, "Strike price.", unit=PER_SHARE, column="Strike")] = None
    in_the_money: Annotated[str, at(None, "Which of the two is in the money.", column="ITM")] = ""
    put_bid: Annotated[Decimal | None, at(None, "Bid of the put.", unit=PER_SHARE, column="P bid")] = None
    put_ask: Annotated[Decimal | None, at(None, "Ask of the put.", unit=PER_SHARE, column="P ask")] = None
    put_last: Annotated[Decimal | None, at(None, "Last of the put.", unit=PER_SHARE, column="P last")] = None
    put_volume: Annotated[int | None, at(None, "Puts traded today.", column="P vol")] = None


class ChainTable(Document):
    """A chain as tables show it."""

    symbol: Annotated[str, at(None, "The underlying.")] = ""
    name: Annotated[str | None, at(None, "Its name and last price.")] = None
    rows: Annotated[list[ChainRow], at(None, "One row per expiration and strike.")] = []
    problems: Annotated[list[SymbolProblem], at(None, "What could not be had, with the reason.")] = []


class GreeksRow(Model):
    """A strike of one expiration with the Greeks in place of trading: calls left, puts right."""

    expiration: Annotated[date | None, at(None, "Day of expiration.", column="Expiration")] = None
    call_implied_volatility: Annotated[
        Decimal | None, at(None, "Implied volatility of the call.", unit=VOLATILITY, column="C IV")
    ] = None
    call_delta: Annotated[Decimal | None, at(None, "Delta of the call.", column="C delta")] = None
    call_bid: Annotated[Decimal | None, at(None, "Bid of the call.", unit=PER_SHARE, column="C bid")] = None
    call_ask: Annotated[Decimal | None, at(None, "Ask of the call.", unit=PER_SHARE, column="C ask")] = None
    strike: Annotated[Decimal | None, at(None, "Strike price.", unit=PER_SHARE, column="Strike")] = None
    in_the_money: Annotated[str, at(None, "Which of the two is in the money.", column="ITM")] = ""
    put_bid: Annotated[Decimal | None, at(None, "Bid of the put.", unit=PER_SHARE, column="P bid")] = None
    put_ask: Annotated[Decimal | None, at(None, "Ask of the put.", unit=PER_SHARE, column="P ask")] = None
    put_delta: Annotated[Decimal | None, at(None, "Delta of the put.", column="P delta")] = None
    put_implied_volatility: Annotated[
        Decimal | None, at(None, "Implied volatility of the put.", unit=VOLATILITY, column="P IV")
    ] = None


class GreeksTable(Document):
    """A chain with Greeks as tables show it."""

    symbol: Annotated[str, at(None, "The underlying.")] = ""
    name: Annotated[str | None, at(None, "Its name and last price.")] = None
    rows: Annotated[list[GreeksRow], at(None, "One row per expiration and strike.")] = []
    problems: Annotated[list[SymbolProblem], at(None, "What could not be had, with the reason.")] = []


Row = TypeVar("Row", ChainRow, GreeksRow)
_SHOWN_PLACES = Decimal("0.001")


class Chain(Document):
    """The options of an underlying: contracts by expiration and strike, calls before puts."""

    symbol: Annotated[str, at(None, "The underlying.", example="AAPL")] = ""
    name: Annotated[str | None, at(None, "Its name.")] = None
    last: Annotated[Decimal | None, at(None, "Last price of the underlying.", unit=PER_SHARE)] = None
    change: Annotated[Decimal | None, at(None, "Its change since the previous close.", unit=PER_SHARE)] = None
    change_pct: Annotated[Decimal | None, at(None, "The same in percent.", unit=PERCENT)] = None
    bid: Annotated[Decimal | None, at(None, "Bid of the underlying.", unit=PER_SHARE)] = None
    ask: Annotated[Decimal | None, at(None, "Ask of the underlying.", unit=PER_SHARE)] = None
    expirations: Annotated[
        list[date], at(None, "Every expiration there is, whether its contracts are listed here or not.")
    ] = []
    contracts: Annotated[list[ChainContract], at(None, "The contracts asked for.")] = []
    problems: Annotated[list[SymbolProblem], at(None, "What could not be had, with the reason.")] = []

    def for_table(self) -> ChainTable | GreeksTable:
        """The chain with calls and puts of a strike side by side; with the Greeks, where there are any."""
        price = None if self.last is None else f"last {self.last:f}"
        heading = " · ".join(part for part in (self.name, price) if part) or None
        if any(contract.delta is not None for contract in self.contracts):
            greeks: dict[Any, GreeksRow] = {}
            self._pair(greeks, GreeksRow, ("bid", "ask", "delta", "implied_volatility"))
            rows = list(greeks.values())
            return GreeksTable(symbol=self.symbol, name=heading, rows=rows, problems=self.problems)
        plain: dict[Any, ChainRow] = {}
        self._pair(plain, ChainRow, ("bid", "ask", "last", "volume"))
        return ChainTable(symbol=self.symbol, name=heading, rows=list(plain.values()), problems=self.problems)

    def _pair(self, rows: dict[Any, Row], kind: type[Row], shown: tuple[str, ...]) -> None:
        for contract in self.contracts:
            key = (contract.expiration, contract.root, contract.strike)
            row = rows.setdefault(key, kind(expiration=contract.expiration, strike=contract.strike))
            side = "put" if contract.call_put is CallPut.PUT else "call"
            for name in shown:
                value = getattr(contract, name)
                if name in ("delta", "implied_volatility") and value is not None:
                    value = value.quantize(_SHOWN_PLACES)
                setattr(row, f"{side}_{name}", value)
            if contract.in_the_money:
                row.in_the_money = side


class ChainExpiration(Model):
    """One side of the contracts of one expiration, as the broker lists them."""

    day: Annotated[date | None, at("dt", "Day of expiration.", form="iso_day")] = None
    contracts: Annotated[list[ChainContract], at("O[]", "Its contracts.")] = []


class ChainReply(Model):
    """The broker's chain document without its outer element (protocol 03 §1.2)."""

    requested: Annotated[str | None, at("BASE.ri", "What was asked for.")] = None
    error: Annotated[str | None, at("BASE.err", "0 where all is fine.")] = None
    underlying: Annotated[str | None, at("BASE.us", "Symbol of the underlying.")] = None
    fidelity_symbol: Annotated[str | None, at("BASE.fs", "The broker's form of the symbol.")] = None
    status: Annotated[str | None, at("BASE.st", "What is wrong, in words.")] = None
    calls: Annotated[list[ChainExpiration], at("CHAIN.CALLS.EXP_DATE[]", "Calls by expiration.")] = []
    puts: Annotated[list[ChainExpiration], at("CHAIN.PUTS.EXP_DATE[]", "Puts by expiration.")] = []


class OptionExchangeQuote(Model):
    """What one exchange bids and asks for an option (protocol 03 §2.3)."""

    exchange: Annotated[str | None, at("en", "Name of the exchange.", column="Exchange")] = None
    code: Annotated[str | None, at("ec", "Its two-letter code.", column="Code")] = None
    short_name: Annotated[str | None, at("es", "Its short name.")] = None
    symbol: Annotated[str, at("se", "Option symbol, a dot and the letter of the exchange.")] = ""
    bid_size: Annotated[
        int | None, at("bs", "Contracts bid for.", unit=CONTRACTS, form="text", column="Bid size")
    ] = None
    bid: Annotated[
        Decimal | None, at("b", "Bid; empty where there is none.", unit=PER_SHARE, form="text", column="Bid")
    ] = None
    ask: Annotated[
        Decimal | None, at("a", "Ask; empty where there is none.", unit=PER_SHARE, form="text", column="Ask")
    ] = None
    ask_size: Annotated[
        int | None, at("as", "Contracts offered.", unit=CONTRACTS, form="text", column="Ask size")
    ] = None


class Montage(Document):
    """An option's quote at every exchange, and the best of them."""

    symbol: Annotated[str, at("BASE.S", "Option symbol, with its dash.", example="-AAPL270115C150")] = ""
    root: Annotated[str | None, at("BASE.cs", "Root of the contract.")] = None
    expiration: Annotated[date | None, at("BASE.ex", "Day of expiration.", form="iso_day")] = None
    strike: Annotated[Decimal | None, at("BASE.st", "Strike price.", unit=PER_SHARE, form="text")] = None
    call_put: Annotated[CallPut | None, at("BASE.cp", "Call or put.")] = None
    adjusted: Annotated[str | None, at("BASE.adj", "The broker's mark of an adjusted contract.")] = None
    best_bid: Annotated[Decimal | None, at(None, "Highest bid of all exchanges.", unit=PER_SHARE)] = None
    best_ask: Annotated[Decimal | None, at(None, "Lowest ask of all exchanges.", unit=PER_SHARE)] = None
    quotes: Annotated[list[OptionExchangeQuote], at("EXCH_QUOTES.O[]", "One row per exchange.")] = []
