"""A group may be put together from parts: one name, one list of operations."""

from ftcli.operations.accounts import Accounts
from ftcli.operations.history import History
from ftcli.operations.holdings import Holdings
from ftcli.operations.operation import Group, Operation, operation, operations_of
from ftcli.operations.registry import find

SURFACE = {
    "list": ("GET", "/accounts"),
    "positions": ("GET", "/accounts/{acct}/positions"),
    "balances": ("GET", "/accounts/{acct}/balances"),
    "features": ("GET", "/accounts/{acct}/features"),
    "transactions": ("GET", "/accounts/{acct}/transactions"),
    "closed_positions": ("GET", "/accounts/{acct}/closed-positions"),
    "closed_lots": ("GET", "/accounts/{acct}/closed-lots/{symbol}"),
    "lots": ("GET", "/accounts/{acct}/lots/{symbol}"),
    "tax_lots": ("GET", "/accounts/{acct}/tax-lots/{symbol}"),
    "options_summary": ("GET", "/accounts/{acct}/options-summary"),
    "loaned_securities": ("GET", "/accounts/{acct}/loaned-securities"),
    "hard_to_borrow": ("GET", "/accounts/{acct}/hard-to-borrow"),
    "short_insights": ("GET", "/accounts/{acct}/short-insights"),
    "short_insights_timeseries": ("GET", "/accounts/{acct}/short-insights/{symbol}/timeseries"),
    "accruals": ("GET", "/accounts/{acct}/accruals"),
    "cash_accruals": ("GET", "/accounts/{acct}/cash-accruals"),
}


def test_all_sixteen_are_one_group() -> None:
    found = {item.attribute: (item.method, item.path) for item in operations_of(Accounts)}
    assert found == SURFACE
    for name in SURFACE:
        assert find(f"accounts.{name}").cli == f"accounts {name.replace('_', '-')}"
    inferred = {item.attribute for item in operations_of(Accounts) if item.inferred}
    assert inferred == {
        "features",
        "closed_lots",
        "lots",
        "hard_to_borrow",
        "short_insights",
        "short_insights_timeseries",
        "accruals",
        "cash_accruals",
    }


def test_a_groups_own_operations_come_first_and_win() -> None:
    class Part(Group):
        name = "things"

        @operation("GET", "/things")
        async def list(self) -> None:
            """The part's."""

        @operation("GET", "/things/more")
        async def more(self) -> None:
            """More."""

    class Whole(Part):
        name = "things"

        @operation("GET", "/things/own")
        async def own(self) -> None:
            """Own."""

        @operation("GET", "/things/all")
        async def list(self) -> None:
            """The whole's."""

    assert [(item.attribute, item.path) for item in operations_of(Whole)] == [
        ("own", "/things/own"),
        ("list", "/things/all"),
        ("more", "/things/more"),
    ]
    assert isinstance(Whole.more, Operation)
    assert {part.name for part in (Accounts, History, Holdings)} == {"accounts"}
