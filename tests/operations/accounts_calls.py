"""Every read of the accounts group with the path it calls and the protocol's example of an answer."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

from accounts_kit import wired

from ftcli.client import Client
from ftcli.errors import BrokerError, NotFound
from ftcli.models.json import dumps, loads

MARGIN, CASH, BILLS = "Z20000025", "Z10000017", "Z30000033"


class Call(NamedTuple):
    """An operation, the path it calls and the example it is answered with.

    Attributes:
        empty: What an answer without anything about the account is: an empty document, or ``NotFound``.
        named: Keys whose texts name what was asked for; without them there is no match.
    """

    path: str
    file: str
    make: Callable[[Client], Awaitable[Any]]
    empty: bool = True
    named: tuple[str, ...] = ("acctNum",)


CALLS = {
    "list": Call(
        "/ftgw/dp/customer-am-acctnxt/v2/accounts",
        "accounts",
        lambda ft: ft.accounts.list(),
        named=("acctNum",),
    ),
    "positions": Call(
        "/ftgw/dp/position/v2", "positions", lambda ft: ft.accounts.positions(MARGIN), empty=False
    ),
    "balances": Call(
        "/ftgw/dp/balance/detail/v2", "balances", lambda ft: ft.accounts.balances(MARGIN), empty=False
    ),
    "features": Call(
        "/ftgw/dp/customer-am-feature/v2/accounts/features/get",
        "features",
        lambda ft: ft.accounts.features(MARGIN),
        empty=False,
    ),
    "transactions": Call(
        "/ftgw/dp/accountmanagement/transaction/history/v2",
        "transactions",
        lambda ft: ft.accounts.transactions(MARGIN),
    ),
    "options_summary": Call(
        "/ftgw/dp/retail-am-optionsummary/v1/accounts/positions/option-summary/get",
        "option_summary",
        lambda ft: ft.accounts.options_summary(MARGIN),
    ),
    "closed_positions": Call(
        "/ftgw/dp/customer-am-position/v1/accounts/closedposition",
        "closed_positions",
        lambda ft: ft.accounts.closed_positions(MARGIN),
    ),
    "closed_lots": Call(
        "/ftgw/dp/customer-am-position/v1/accounts/closedlots",
        "closed_lots",
        lambda ft: ft.accounts.closed_lots(CASH, "OLDX"),
    ),
    "loaned_securities": Call(
        "/ftgw/dp/retail-am-loanedsecurities/v1/accounts/positions/rates",
        "loaned_securities",
        lambda ft: ft.accounts.loaned_securities(MARGIN),
    ),
    "tax_lots": Call(
        "/ftgw/dp/orderentry/taxlot/v1", "tax_lots", lambda ft: ft.accounts.tax_lots(MARGIN, "ACME")
    ),
    "lots": Call("/ftgw/dp/position/open/lots/v1", "open_lots", lambda ft: ft.accounts.lots(MARGIN, "ACME")),
    "hard_to_borrow": Call(
        "/ftgw/dp/retail-am-hardtoborrow/v1/accounts/positions/rates/borrow",
        "hard_to_borrow",
        lambda ft: ft.accounts.hard_to_borrow(MARGIN, ["HTBX", "ACME"]),
        empty=False,
        named=("acctNum", "symbol"),
    ),
    "short_insights": Call(
        "/ftgw/dp/retail-am-shortinsight/v1/accounts/positions/insights",
        "short_insights",
        lambda ft: ft.accounts.short_insights(MARGIN, ["HTBX"]),
        empty=False,
        named=("symbol",),
    ),
    "short_insights_timeseries": Call(
        "/ftgw/dp/retail-am-shortinsight/api/v1/timeseries",
        "short_insight_series",
        lambda ft: ft.accounts.short_insights_timeseries(MARGIN, "HTBX"),
    ),
    "accruals": Call(
        "/ftgw/dp/retail-am-accountaccruals/v2/accounts/accruals",
        "accruals",
        lambda ft: ft.accounts.accruals(MARGIN),
    ),
    "cash_accruals": Call(
        "/ftgw/dp/retail-am-accountaccruals/v1/accounts/cash/accruals",
        "cash_accruals",
        lambda ft: ft.accounts.cash_accruals(BILLS),
    ),
}


async def reads(folder: Path, call: Call, *documents: Any) -> list[Any]:
    """What the operation answers to each document; an error stands for itself."""
    answers: list[Any] = []
    async with wired(folder) as (client, wire):
        for document in documents:
            wire.say(call.path, document)
            try:
                answers.append(await call.make(client))
            except (NotFound, BrokerError) as problem:
                answers.append(problem)
    return answers


async def shown(folder: Path, call: Call, *documents: Any) -> list[Any]:
    """The same as JSON documents of ours."""
    return [
        answer if isinstance(answer, Exception) else loads(dumps(answer))
        for answer in await reads(folder, call, *documents)
    ]
