"""What the accounts operations send: paths, bodies and headers as the protocol spells them, and what they do on trouble."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from accounts_kit import example, wired

from ftcli.client import Client
from ftcli.errors import BrokerError, NotFound, ValidationFailed
from ftcli.models.lots import HoldingType

DP = "/ftgw/dp/"
MARGIN, CASH, BILLS, ROTH, PLAN = "Z20000025", "Z10000017", "Z30000033", "240000041", "77012"
YEAR_START, TODAY = "2026-01-01", "2026-05-13"
FLAGS = {
    "hasCoreStlmnt": False,
    "hasFrgnTxn": False,
    "hasPortfolioRetirementIncDetail": True,
    "hasOnlyPortfolioRetirementIncDetail": True,
    "hasAcctRetirementIncDetail": True,
    "hasOnlyAcctRetirementIncDetail": True,
    "hasIntradayTxn": False,
    "hasJournaledTxn": False,
    "hasOnlyContributionTxn": True,
    "hasBasketName": True,
}
HISTORY = {
    "acctDetails": [{"acctType": "brokerage", "acctNum": MARGIN, "sysOfRcd": None}],
    "searchCriteriaDetail": {
        "txnType": None,
        "txnCat": None,
        "txnSubCat": None,
        "txnFromDate": 1776052800,
        "txnToDate": 1778644800,
        "securityDetail": None,
        "filterCriteriaDetail": FLAGS,
    },
}
SALES = {
    "acctDetails": [{"acctNum": CASH, "isRetirementAcct": False}],
    "startDate": YEAR_START,
    "endDate": TODAY,
    "taxYear": None,
    "dateType": "YTD",
    "isExcludeWashSales": False,
}
BORROW = {
    "acctDetails": [{"acctNum": MARGIN}],
    "securityDetails": [{"symbol": "SPCE"}, {"symbol": "AAPL"}],
}
ONE_ACCOUNT = {"request": {"parameters": {"acctDetails": [{"acctNum": MARGIN}]}}}
APP = {"fid-originating-app-id": "AP149323"}

REQUESTS: dict[str, tuple[str, Callable[[Client], Awaitable[Any]], Any, dict[str, str]]] = {
    "transactions": (
        "accountmanagement/transaction/history/v2",
        lambda ft: ft.accounts.transactions(MARGIN, start="2026-04-13"),
        HISTORY,
        {},
    ),
    "options_summary": (
        "retail-am-optionsummary/v1/accounts/positions/option-summary/get",
        lambda ft: ft.accounts.options_summary(MARGIN),
        {
            "request": {
                "parameter": {
                    "returnCostBasisDetails": True,
                    "returnIntradayDetails": True,
                    "view": "EXPIRATION",
                    "returnUnpairedPositions": True,
                    "acctDetails": {"acctDetail": [{"acctNum": MARGIN}]},
                }
            }
        },
        {},
    ),
    "closed_positions": (
        "customer-am-position/v1/accounts/closedposition",
        lambda ft: ft.accounts.closed_positions(CASH),
        {"request": {"parameters": SALES}},
        {},
    ),
    "closed_lots": (
        "customer-am-position/v1/accounts/closedlots",
        lambda ft: ft.accounts.closed_lots(CASH, "dis", start="2026-02-01", end="2026-03-01"),
        {
            "request": {
                "parameters": {
                    **SALES,
                    "symbol": "DIS",
                    "cusip": None,
                    "startDate": "2026-02-01",
                    "endDate": "2026-02-28",
                    "dateType": "CUSTOM",
                }
            }
        },
        {},
    ),
    "loaned_securities": (
        "retail-am-loanedsecurities/v1/accounts/positions/rates",
        lambda ft: ft.accounts.loaned_securities(MARGIN),
        ONE_ACCOUNT,
        {"cl": "3"},
    ),
    "tax_lots": (
        "orderentry/taxlot/v1",
        lambda ft: ft.accounts.tax_lots(MARGIN, "aapl"),
        {"holdingTypeCode": "_2", "acctNum": MARGIN, "securityDetail": {"symbol": "AAPL"}},
        {},
    ),
    "lots": (
        "position/open/lots/v1",
        lambda ft: ft.accounts.lots(MARGIN, "-AAPL270319C250"),
        {
            "request": {
                "parameter": {
                    "acctDetails": {"acctDetail": [{"acctNum": MARGIN, "symbol": "AAPL270319C250"}]}
                }
            }
        },
        {},
    ),
    "hard_to_borrow": (
        "retail-am-hardtoborrow/v1/accounts/positions/rates/borrow",
        lambda ft: ft.accounts.hard_to_borrow(MARGIN, ["spce", "AAPL", "SPCE"]),
        {"request": {"parameters": BORROW}},
        {"cl": "3"},
    ),
    "short_insights": (
        "retail-am-shortinsight/v1/accounts/positions/insights",
        lambda ft: ft.accounts.short_insights(MARGIN, ["SPCE", "AAPL"]),
        {"request": {"parameters": BORROW}},
        APP,
    ),
    "short_insights_timeseries": (
        "retail-am-shortinsight/api/v1/timeseries",
        lambda ft: ft.accounts.short_insights_timeseries(MARGIN, "SPCE", start="2026-03-01"),
        {"symbol": "SPCE", "startDate": "2026-03-01", "endDate": TODAY},
        APP,
    ),
    "accruals": (
        "retail-am-accountaccruals/v2/accounts/accruals",
        lambda ft: ft.accounts.accruals(MARGIN),
        ONE_ACCOUNT,
        APP,
    ),
    "cash_accruals": (
        "retail-am-accountaccruals/v1/accounts/cash/accruals",
        lambda ft: ft.accounts.cash_accruals(MARGIN),
        ONE_ACCOUNT,
        APP,
    ),
}


@pytest.mark.parametrize("name", REQUESTS)
async def test_the_request_is_the_protocols(tmp_path: Path, name: str) -> None:
    path, make, body, headers = REQUESTS[name]
    async with wired(tmp_path) as (client, wire):
        await make(client)
    (seen,) = wire.of(DP + path)
    assert seen.body == body
    assert seen.headers["appid"] == "AP149323"
    for header, value in headers.items():
        assert seen.headers[header] == value
    for header in {"cl", "fid-originating-app-id"} - set(headers):
        assert header not in seen.headers


@pytest.mark.parametrize(
    ("account", "holding", "code"),
    [
        (MARGIN, None, "_2"),
        (CASH, None, "_1"),
        (MARGIN, HoldingType.SHORT, "_3"),
        (MARGIN, HoldingType.CASH, "_1"),
    ],
)
async def test_how_tax_lots_are_held(
    tmp_path: Path, account: str, holding: HoldingType | None, code: str
) -> None:
    async with wired(tmp_path) as (client, wire):
        answer = await client.accounts.tax_lots(account, "KO", holding)
    assert wire.of(f"{DP}orderentry/taxlot/v1")[0].body["holdingTypeCode"] == code
    assert answer.account_type_code == int(code[1:])


async def test_retirement_accounts_say_so(tmp_path: Path) -> None:
    async with wired(tmp_path) as (client, wire):
        await client.accounts.closed_positions(ROTH, tax_year=2025, exclude_wash_sales=True)
    sent = wire.of(f"{DP}customer-am-position/v1/accounts/closedposition")[0].body["request"]["parameters"]
    assert sent["acctDetails"] == [{"acctNum": ROTH, "isRetirementAcct": True}]
    assert (sent["startDate"], sent["endDate"], sent["taxYear"]) == ("2025-01-01", "2025-12-31", None)
    assert (sent["dateType"], sent["isExcludeWashSales"]) == ("CUSTOM", True)


BAD: dict[str, tuple[Callable[[Client], Awaitable[Any]], str]] = {
    "a start after the end": (
        lambda ft: ft.accounts.transactions(MARGIN, start="2026-05-01", end="2026-04-01"),
        "start",
    ),
    "a range of centuries": (lambda ft: ft.accounts.transactions(MARGIN, start="1950-01-01"), "start"),
    "an unreadable day": (lambda ft: ft.accounts.transactions(MARGIN, end="soon"), "end"),
    "no lines at all": (lambda ft: ft.accounts.transactions(MARGIN, limit=0), "limit"),
    "too many lines": (lambda ft: ft.accounts.transactions(MARGIN, limit=1001), "limit"),
    "a made-up cursor": (lambda ft: ft.accounts.transactions(MARGIN, cursor="abc"), "cursor"),
    "a cursor of signs": (lambda ft: ft.accounts.transactions(MARGIN, cursor="é£"), "cursor"),
    "a year and a range": (
        lambda ft: ft.accounts.closed_positions(MARGIN, start="ytd", tax_year=2025),
        "tax_year",
    ),
    "no year": (lambda ft: ft.accounts.closed_lots(MARGIN, "KO", tax_year=25), "tax_year"),
    "a bad symbol": (lambda ft: ft.accounts.lots(MARGIN, "<x>"), "symbol"),
    "no symbols": (lambda ft: ft.accounts.hard_to_borrow(MARGIN, []), "symbols"),
    "too many symbols": (
        lambda ft: ft.accounts.short_insights(MARGIN, [f"A{number}" for number in range(101)]),
        "symbols",
    ),
    "a workplace plan": (lambda ft: ft.accounts.options_summary(PLAN), "account"),
    "no account number": (lambda ft: ft.accounts.accruals("no!"), "account"),
}


@pytest.mark.parametrize("name", BAD)
async def test_bad_input_names_its_field_and_sends_nothing(tmp_path: Path, name: str) -> None:
    make, field = BAD[name]
    async with wired(tmp_path) as (client, wire):
        await client.default_accounts()
        before = len(wire.seen)
        with pytest.raises(ValidationFailed) as problem:
            await make(client)
        assert problem.value.details is not None
        assert problem.value.details["field"] == field
        assert len(wire.seen) == before


@pytest.mark.parametrize("name", REQUESTS)
async def test_an_account_of_somebody_else(tmp_path: Path, name: str) -> None:
    """An account the login does not have is not asked for."""
    async with wired(tmp_path) as (client, wire):
        wire.say(f"{DP}customer-am-acctnxt/v2/accounts", {"acctDetails": [{"acctNum": "Z99999999"}]})
        with pytest.raises(NotFound, match="Z99999999"):
            await REQUESTS[name][1](client)
        assert not wire.of(DP + REQUESTS[name][0])


# -- two versions, another host, another path --------------------------------------------------------------

V1, V2 = (f"{DP}retail-am-accountaccruals/{version}/accounts/accruals" for version in ("v1", "v2"))
CASH_PATH = f"{DP}retail-am-accountaccruals/v1/accounts/cash/accruals"


async def test_accruals_fall_back_to_the_first_version(tmp_path: Path) -> None:
    async with wired(tmp_path) as (client, wire):
        wire.say(V2, {}, status=404)
        answer = await client.accounts.accruals(MARGIN)
    assert len(wire.of(V1)) == 1
    assert answer.accruals


@pytest.mark.parametrize("status", [400, 403, 500])
async def test_other_troubles_do_not(tmp_path: Path, status: int) -> None:
    async with wired(tmp_path) as (client, wire):
        wire.say(V2, {}, status=status)
        with pytest.raises(BrokerError):
            await client.accounts.accruals(MARGIN)
    assert not wire.of(V1)


async def test_accruals_of_neither_version(tmp_path: Path) -> None:
    async with wired(tmp_path) as (client, wire):
        wire.say(V2, {}, status=404)
        wire.say(V1, {}, status=404)
        with pytest.raises(BrokerError) as problem:
            await client.accounts.accruals(MARGIN)
    assert problem.value.details is not None
    assert problem.value.details["path"] == V1


@pytest.mark.parametrize("status", [403, 404, 500, 503])
async def test_cash_accruals_that_are_refused_are_not_available(tmp_path: Path, status: int) -> None:
    async with wired(tmp_path) as (client, wire):
        wire.say(CASH_PATH, {}, status=status)
        with pytest.raises(BrokerError, match="not available") as problem:
            await client.accounts.cash_accruals(BILLS)
    assert problem.value.details is not None
    assert (problem.value.details["host"], problem.value.details["status"]) == ("dpxq1", status)


async def test_a_cash_accruals_host_out_of_reach(tmp_path: Path) -> None:
    async with wired(tmp_path, hosts={"dpxq1": "http://127.0.0.1:9"}) as (client, wire):
        with pytest.raises(BrokerError, match="not available.*FT_HOSTS=dpxq1="):
            await client.accounts.cash_accruals(BILLS)
        assert not wire.of(CASH_PATH)
        assert (await client.accounts.accruals(MARGIN)).accruals, "the other host is fine"


OVERRIDDEN = {
    "accounts.lots": (lambda ft: ft.accounts.lots(MARGIN, "ACME"), "open_lots"),
    "accounts.closed_lots": (lambda ft: ft.accounts.closed_lots(CASH, "OLDX"), "closed_lots"),
    "accounts.hard_to_borrow": (lambda ft: ft.accounts.hard_to_borrow(MARGIN, ["HTBX"]), "hard_to_borrow"),
    "accounts.short_insights": (lambda ft: ft.accounts.short_insights(MARGIN, ["HTBX"]), "short_insights"),
    "accounts.short_insights_timeseries": (
        lambda ft: ft.accounts.short_insights_timeseries(MARGIN, "HTBX"),
        "short_insight_series",
    ),
    "accounts.accruals.v2": (lambda ft: ft.accounts.accruals(MARGIN), "accruals"),
    "accounts.cash_accruals": (lambda ft: ft.accounts.cash_accruals(BILLS), "cash_accruals"),
}


@pytest.mark.parametrize("name", OVERRIDDEN)
async def test_an_inferred_path_can_be_replaced(tmp_path: Path, name: str) -> None:
    make, file = OVERRIDDEN[name]
    async with wired(tmp_path, paths={name: "/found/out/later"}) as (client, wire):
        wire.say("/found/out/later", example(file))
        answer = await make(client)
    assert len(wire.of("/found/out/later")) == 1
    assert answer.raw == example(file)


async def test_a_replaced_path_begins_with_a_slash(tmp_path: Path) -> None:
    async with wired(tmp_path, paths={"accounts.lots": "position/open/lots/v2"}) as (client, _):
        with pytest.raises(ValidationFailed, match="begin with a slash"):
            await client.accounts.lots(MARGIN, "ACME")
