"""Options of the paper market: contracts and chains, quotes, Greeks and settlement.

The prices follow Black-Scholes with a volatility surface of each underlying's own (skew, smile and
term structure) around the underlying's quote, so calls and puts agree by put-call parity.
"""

from ftcli.paper.option_bars import OptionSource
from ftcli.paper.option_contracts import (
    MULTIPLIER,
    Chain,
    ChainExpiration,
    OptionContract,
    chain,
    expirations,
    find,
    is_expiration,
    is_monthly,
    option_roots,
    strikes,
    third_friday,
)
from ftcli.paper.option_quotes import (
    option_greeks,
    option_montage,
    option_quote,
    option_trades,
    settlement_value,
    theoretical_price,
)

__all__ = [
    "MULTIPLIER",
    "Chain",
    "ChainExpiration",
    "OptionContract",
    "OptionSource",
    "chain",
    "expirations",
    "find",
    "is_expiration",
    "is_monthly",
    "option_greeks",
    "option_montage",
    "option_quote",
    "option_roots",
    "option_trades",
    "settlement_value",
    "strikes",
    "theoretical_price",
    "third_friday",
]
