"""Every key of the paper broker's account documents stands in the protocol's example, and the other way round."""

import json
import re
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from accounts_wire_kit import (
    ACCRUALS_V2,
    BILLS,
    BORROW,
    CASH,
    CASH_ACCRUALS,
    DISCOVERY,
    INSIGHTS,
    LOANS,
    MARGIN,
    NEW_YORK,
    SERIES,
    TODAY,
    Stranger,
    check,
    day,
    key_paths,
    stranger,
    text,
)

LONG_AGO = date(2024, 11, 1)

NAMED = {"securityDetails": [{"symbol": "SPCE"}, {"symbol": "AAPL"}]}

# -- the examples of the protocol --------------------------------------------------------------------------

EXAMPLES = Path(__file__).parent.parent / "data" / "accounts"
DIFFERENCES: dict[str, tuple[set[str], set[str]]] = {
    # what the example has and the demo customer gives no cause for; what the tables name beyond the example
    "accounts": (
        set(),
        {"acctDetails[].acctTypesIndDetail", "acctDetails[].acctTypesIndDetail.isRetirement"},
    ),
    "positions": (
        set(),
        {"position.acctDetails.acctDetail[].positionDetails.positionDetail[].optionUnderlyingSymbol"},
    ),
    "option_summary": (set(), set()),
}


async def answers_of(broker: Stranger) -> dict[str, Any]:
    """One document of each call, about everything there is."""
    everything = ("2024-11-01", "2026-11-24")
    discovery = {
        "acctCategory": "Brokerage,WorkplaceContributions",
        "filters": {
            f"return{block}Detail": True
            for block in ("Preference", "AcctTradeAttr", "AcctTypesInd", "AcctLegalAttr", "WorkplacePlan")
        },
    }
    return {
        "accounts": await broker.ask(DISCOVERY, discovery),
        "positions": await broker.positions(CASH, MARGIN, BILLS),
        "balances": await broker.balances(MARGIN),
        "transactions": await broker.history(LONG_AGO, TODAY, MARGIN, BILLS),
        "option_summary": await broker.options(MARGIN),
        "closed_positions": await broker.closed(*everything, MARGIN),
        "closed_lots": await broker.closed_lots("DIS", *everything, CASH),
        "loaned_securities": await broker.plural(LOANS, MARGIN),
        "tax_lots": await broker.tax_lots(MARGIN, "AAPL", "_2"),
        "open_lots": {"openLots": {"acctDetails": {"acctDetail": [await broker.open_lots(MARGIN, "AAPL")]}}},
        "hard_to_borrow": await broker.plural(BORROW, MARGIN, **NAMED),
        "short_insights": await broker.plural(INSIGHTS, MARGIN, **NAMED),
        "short_insight_series": await broker.ask(SERIES, {"symbol": "SPCE"}),
        "accruals": await broker.plural(ACCRUALS_V2, MARGIN),
        "cash_accruals": await broker.plural(CASH_ACCRUALS, BILLS),
    }


def snapshots_alike(paths: set[str]) -> set[str]:
    """The three balance snapshots share one type."""
    return {re.sub(r"\.(recent|intraday|close)BalanceDetail", ".BalanceDetail", path) for path in paths}


async def test_every_key_stands_in_the_protocols_example(tmp_path: Path) -> None:
    async with stranger(tmp_path) as broker:
        documents = await answers_of(broker)
    for name, document in documents.items():
        expected = snapshots_alike(key_paths(json.loads((EXAMPLES / f"{name}.json").read_bytes())))
        missing, more = DIFFERENCES.get(name, (set(), set()))
        found = snapshots_alike(key_paths(document))
        assert found - expected == more, f"{name}: keys the protocol does not show"
        assert expected - found == missing, f"{name}: keys of the protocol that are not there"


@pytest.mark.parametrize(("stamp", "good"), [(1778558400, True), (1778558401, False), (1778558400000, False)])
def test_the_rules_themselves(stamp: int, good: bool) -> None:
    assert day(stamp) is good
    assert datetime.fromtimestamp(1778558400, NEW_YORK).date() == date(2026, 5, 12)
    with pytest.raises(AssertionError, match="unknown keys"):
        check({"acctNo": "1"}, {"acctNum": text})
    with pytest.raises(AssertionError, match="missing"):
        check({}, {"acctNum": text})
    with pytest.raises(AssertionError):
        check({"acctNum": 7}, {"acctNum": text})
