"""Calls that the broker would refuse for a reason that can be told before: found by generated requests."""

from case import CASH, MARGIN, Case

from ftcli.errors import NotFound, ValidationFailed

PLAN = "77012"
"""The paper broker's workplace plan, which cannot trade."""

CASES = [
    Case("watchlists.save", {"watchlist": {"watchlist_id": " "}}, error=ValidationFailed),
    Case("watchlists.save", {"watchlist": {"watchlist_id": "", "name": "Energy"}}, error=ValidationFailed),
    Case("orders.accept_trade_agreement", {"account": CASH, "agreement": " "}, error=ValidationFailed),
    Case("orders.accept_trade_agreement", {"account": PLAN, "agreement": "EXTHRS"}, error=ValidationFailed),
    Case("orders.locate", {"account": PLAN, "symbol": "GME", "quantity": 60}, error=ValidationFailed),
    Case("orders.locate", {"account": MARGIN, "symbol": "AAPL270219C290", "quantity": 5}, error=NotFound),
]
