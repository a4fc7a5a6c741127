"""The market at one moment, as the ledger and the checks need it: each quote is asked for once."""

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from ftcli.paper.instruments import find

if TYPE_CHECKING:
    from ftcli.paper.market import Market
    from ftcli.paper.quotes import Quote


class Prices:
    """Quotes of one moment."""

    def __init__(self, market: "Market", at: datetime) -> None:
        self.market = market
        self.at = at
        self._quotes: dict[str, Quote | None] = {}

    def quote(self, symbol: str) -> "Quote | None":
        """The quote of a share, fund or option, None when there is none."""
        if symbol in self._quotes:
            return self._quotes[symbol]
        instrument = find(symbol)
        found = None if instrument is None else self.market.quote(instrument.symbol, self.at)
        self._quotes[symbol] = found
        return found

    def mark(self, symbol: str) -> Decimal | None:
        """What a position is valued at."""
        quote = self.quote(symbol)
        return None if quote is None else quote.mark

    def previous_close(self, symbol: str) -> Decimal | None:
        """The close that the day's change is measured from."""
        quote = self.quote(symbol)
        if quote is None:
            return None
        return quote.prev_close if quote.prev_close is not None else quote.mark
