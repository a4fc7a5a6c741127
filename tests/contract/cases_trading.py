"""The contract cases of journal, limits and kill switch."""

from decimal import Decimal
from typing import Any

from case import CASH, MARGIN, Case
from cases import BUY, CALL, first, values
from cases_lists import SPREAD

from ftcli.errors import NotFound, TradingHalted, ValidationFailed

PLACED = (
    ("orders.equity.preview", {"order": BUY}),
    ("orders.equity.place", {"order": BUY, "conf_num": "$conf_num"}),
)
"""One order, placed through the SDK."""


def masked(answer: Any) -> None:
    """Checks that the export holds no account number."""
    (entry,) = answer["entries"]
    assert entry["account"] == "***0017"
    assert entry["order"]["order"]["account"] == "***0017"
    assert CASH not in str(answer)
    assert [change["state"] for change in entry["changes"]] == ["sending", "accepted"]


def adopted(answer: Any) -> None:
    """Checks that the seeded orders were taken in and nothing was lost."""
    assert answer["settled"] == []
    assert len(answer["adopted"]) >= 2


CASES = [
    Case("orders.journal.list", check=values(entries=[])),
    Case(
        "orders.journal.list",
        before=PLACED,
        check=first("entries", state="accepted", account=CASH, who="sdk"),
    ),
    Case("orders.journal.list", {"state": "unknown"}, before=PLACED, check=values(entries=[])),
    Case("orders.journal.list", {"count": 0}, error=ValidationFailed),
    Case("orders.journal.list", {"state": "lost"}, error=ValidationFailed),
    Case(
        "orders.journal.show", {"key": "$conf_num"}, before=PLACED, check=values(state="accepted", value=765)
    ),
    Case("orders.journal.show", {"key": "NOSUCH00"}, error=NotFound),
    Case("orders.journal.export", before=PLACED, check=masked),
    Case(
        "orders.journal.export",
        {"accounts_shown": True},
        before=PLACED,
        check=first("entries", account=CASH),
    ),
    Case("orders.journal.export", {"account": "?"}, error=ValidationFailed),
    Case("orders.reconcile", check=adopted),
    Case(
        "orders.reconcile", before=(*PLACED, ("orders.reconcile", {})), check=values(settled=[], adopted=[])
    ),
    Case(
        "orders.resolve",
        {"key": "$conf_num", "outcome": "placed", "reason": "seen in the app"},
        before=PLACED,
        error=ValidationFailed,  # its outcome is known
    ),
    Case("orders.resolve", {"key": "NOSUCH00", "outcome": "placed", "reason": "seen"}, error=NotFound),
    Case("orders.resolve", {"key": "1", "outcome": "maybe", "reason": "seen"}, error=ValidationFailed),
    Case("trading.status", check=values(halted=False, environment="paper", unresolved=0)),
    Case(
        "trading.status",
        before=(("trading.halt", {"reason": "test"}),),
        check=values(halted=True, reason="test"),
    ),
    Case("trading.limits", check=values(limits=[])),
    Case("trading.check", {"order": BUY}, check=values(allowed=True, value=765, findings=[])),
    Case(
        "trading.check",
        {"order": BUY},
        before=(("trading.halt", {}),),
        check=values(allowed=False, halted=True, findings=[]),
    ),
    Case("trading.check", {"order": {**BUY, "account": "Z99999999"}}, error=NotFound),
    Case("trading.check_option", {"order": CALL}, check=values(allowed=True, value=2000)),
    Case(
        "trading.check_option", {"order": {**CALL, "account": MARGIN, "quantity": 0}}, error=ValidationFailed
    ),
    Case("trading.check_options", {"order": SPREAD}, check=values(allowed=True, value=450, findings=[])),
    Case("trading.check_options", {"order": {**SPREAD, "legs": SPREAD["legs"][:1]}}, error=ValidationFailed),
    Case(
        "trading.check_conditional",
        {"order": {"condition": "oto", "orders": [BUY, {**BUY, "action": "sell"}]}},
        # The purchase at its limit, 255; the sale at the last price, 279.02.
        check=values(allowed=True, value=Decimal("1602.06")),
    ),
    Case(
        "trading.check_conditional", {"order": {"condition": "oto", "orders": [BUY]}}, error=ValidationFailed
    ),
    Case("trading.resume", before=(("trading.halt", {}),), check=values(halted=False)),
    Case("trading.halt", {"cancel_open": "perhaps"}, error=ValidationFailed),
    Case(
        "orders.equity.place",
        {"order": BUY, "conf_num": "$conf_num"},
        before=(("orders.equity.preview", {"order": BUY}), ("trading.halt", {"reason": "test"})),
        error=TradingHalted,
    ),
]
