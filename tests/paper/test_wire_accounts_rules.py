"""The simulator rules of protocol 01: sessions, ownership, malformed requests, paths, ranges, filters."""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from accounts_wire_kit import (
    ACCRUALS_V1,
    ACCRUALS_V2,
    BALANCES,
    BILLS,
    BORROW,
    CASH,
    CASH_ACCRUALS,
    CLOCK,
    CLOSED,
    CLOSED_LOTS,
    DISCOVERY,
    HISTORY,
    INSIGHTS,
    LOANS,
    MARGIN,
    OPEN_LOTS,
    OPTIONS,
    PLAN,
    POSITIONS,
    ROTH,
    SERIES,
    TAX_LOTS,
    TODAY,
    day_of,
    midnight,
    sales,
    stranger,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from ftcli.config import Settings
from ftcli.paper.desk import Desk, open_desk
from ftcli.paper.wire.exchange import BadRequest, Forbidden, PaperRequest, find_route

STRANGE = "Z99999999"
NAMES = [{"symbol": "SPCE"}]


def singular(*accounts: str, **more: Any) -> Any:
    rows = [{"acctNum": number} for number in accounts]
    return {"request": {"parameter": {"acctDetails": {"acctDetail": rows}, **more}}}


def plural(*accounts: str, **more: Any) -> Any:
    return {"request": {"parameters": {"acctDetails": [{"acctNum": number} for number in accounts], **more}}}


def bodies(*accounts: str) -> dict[str, Any]:
    """A right request of each call about some accounts."""
    filters = {"priceTiming": {"includeRecent": True}, "requestedData": {"includeCashDetail": True}}
    dates = {"txnFromDate": midnight(TODAY), "txnToDate": midnight(TODAY)}
    year = ("2026-01-01", "2026-11-24", accounts)
    return {
        POSITIONS: singular(*accounts),
        BALANCES: singular(*accounts, filters=filters),
        HISTORY: {"acctDetails": [{"acctNum": number} for number in accounts], "searchCriteriaDetail": dates},
        OPTIONS: singular(*accounts, view="EXPIRATION"),
        CLOSED: {"request": {"parameters": sales(*year)}},
        CLOSED_LOTS: {"request": {"parameters": sales(*year, symbol="DIS")}},
        LOANS: plural(*accounts),
        BORROW: plural(*accounts, securityDetails=NAMES),
        INSIGHTS: plural(*accounts, securityDetails=NAMES),
        ACCRUALS_V1: plural(*accounts),
        ACCRUALS_V2: plural(*accounts),
        CASH_ACCRUALS: plural(*accounts),
        OPEN_LOTS: {
            "request": {
                "parameter": {
                    "acctDetails": {"acctDetail": [{"acctNum": n, "symbol": "AAPL"} for n in accounts]}
                }
            }
        },
    }


def tax_lots_of(account: str) -> Any:
    return {"holdingTypeCode": "_1", "acctNum": account, "securityDetail": {"symbol": "AAPL"}}


async def test_without_a_session_there_is_nothing(tmp_path: Path) -> None:
    requests = {**bodies(MARGIN), DISCOVERY: {}, TAX_LOTS: tax_lots_of(MARGIN), SERIES: {"symbol": "SPCE"}}
    async with stranger(tmp_path) as broker:
        broker.http.cookies.clear()
        for path, body in requests.items():
            reply = await broker.send(path, body)
            assert (reply.status_code, reply.content) == (401, b""), path


async def test_an_account_of_somebody_else_alone_is_forbidden(tmp_path: Path) -> None:
    requests = {**bodies(STRANGE), TAX_LOTS: tax_lots_of(STRANGE)}
    async with stranger(tmp_path) as broker:
        for path, body in requests.items():
            reply = await broker.send(path, body)
            assert reply.status_code == 403, path
            (message,) = reply.json()["sysMsgs"]["sysMsg"]
            assert (message["type"], message["message"]) == ("error", "Account not authorized")
            assert set(message) == {"message", "detail", "source", "code", "type"}


async def test_it_is_left_out_among_others_and_the_order_is_the_requests(tmp_path: Path) -> None:
    async with stranger(tmp_path) as broker:
        for path, body in bodies(ROTH, STRANGE, MARGIN, PLAN, CASH).items():
            document = await broker.ask(path, body)
            if path == INSIGHTS:
                continue  # data do not depend on the account
            assert accounts_of(path, document) == [ROTH, MARGIN, CASH], path


def accounts_of(path: str, document: Any) -> list[str]:
    """The account numbers of an answer, by the table of protocol 01 §1.4."""
    if path == BALANCES:
        return [row["acctNum"] for row in document["balances"]]
    if path == HISTORY:
        return [row["acctNum"] for row in document["acctDetails"]]
    if path == OPTIONS:
        return [row["acctDetail"]["acctNum"] for row in document["optionPairing"]["acctDetails"]]
    (root,) = document
    return [row["acctNum"] for row in document[root]["acctDetails"]["acctDetail"]]


async def test_malformed_requests(tmp_path: Path) -> None:
    async with stranger(tmp_path) as broker:
        for path, body in {**bodies(MARGIN), TAX_LOTS: {}, SERIES: {}, DISCOVERY: {}}.items():
            for wrong in (b"{", b"[1", {}, [], "text", {"request": None}, {"request": {"parameters": 7}}):
                reply = await broker.send(path, wrong)
                assert reply.status_code == 400, f"{path} {wrong!r}"
                assert reply.json()["sysMsgs"]["sysMsg"][0]["type"] == "error"
            assert body is not None


BROKEN = {
    "no view": (OPTIONS, singular(MARGIN)),
    "no bounds": (HISTORY, {"acctDetails": [{"acctNum": MARGIN}], "searchCriteriaDetail": {}}),
    "an odd bound": (
        HISTORY,
        {
            "acctDetails": [{"acctNum": MARGIN}],
            "searchCriteriaDetail": {"txnFromDate": "soon", "txnToDate": 1},
        },
    ),
    "no dates": (CLOSED, plural(MARGIN)),
    "an odd year": (CLOSED, plural(MARGIN, taxYear="MMXXV")),
    "no symbol": (CLOSED_LOTS, {"request": {"parameters": sales("2026-01-01", "2026-02-01", (MARGIN,))}}),
    "no symbols": (BORROW, plural(MARGIN)),
    "empty symbols": (INSIGHTS, plural(MARGIN, securityDetails=[])),
    "no lot symbol": (OPEN_LOTS, singular(MARGIN)),
    "an odd holding": (TAX_LOTS, {**tax_lots_of(MARGIN), "holdingTypeCode": "2"}),
    "an odd day": (SERIES, {"symbol": "SPCE", "startDate": "soon"}),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_requests_that_lack_something(tmp_path: Path, name: str) -> None:
    path, body = BROKEN[name]
    async with stranger(tmp_path) as broker:
        reply = await broker.send(path, body)
    assert reply.status_code == 400, reply.text
    assert reply.json()["sysMsgs"]["sysMsg"][0]["code"] == "4000"


SAME = {
    "/ftgw/dp/retail-am-hardtoborrow/v1/rates/borrow": BORROW,
    "/ftgw/dp/retail-am-hardtoborrow/v1/any/thing/rates/borrow": BORROW,
    "/ftgw/dp/customer-am-position/v1/closedlots": CLOSED_LOTS,
    "/ftgw/dp/customer-am-position/v1/some/where/closedlots": CLOSED_LOTS,
    "/ftgw/dp/retail-am-shortinsight/v1/insights": INSIGHTS,
    "/ftgw/dp/retail-am-shortinsight/v1/x/insights": INSIGHTS,
    "/api/v1/timeseries": SERIES,
    "/somewhere/else/api/v1/timeseries": SERIES,
    "/ftgw/dp/other/api/v1/timeseries": SERIES,
}


@pytest.mark.parametrize("path", SAME)
async def test_paths_known_by_their_ends(tmp_path: Path, path: str) -> None:
    body = {**bodies(MARGIN), SERIES: {"symbol": "SPCE"}}[SAME[path]]
    async with stranger(tmp_path) as broker:
        assert await broker.ask(path, body) == await broker.ask(SAME[path], body)


@pytest.mark.parametrize(
    "path",
    [
        "/ftgw/dp/retail-am-hardtoborrow/v2/rates/borrow",
        "/ftgw/dp/retail-am-hardtoborrow/v1/xrates/borrow",
        "/ftgw/dp/customer-am-position/v1/openlots",
        "/ftgw/dp/retail-am-accountaccruals/v3/accounts/accruals",
        "/api/v1/timeseries/more",
        "/api/v1/series",
    ],
)
async def test_other_paths_are_unknown(tmp_path: Path, path: str) -> None:
    async with stranger(tmp_path) as broker:
        assert (await broker.send(path, {})).status_code == 404


async def test_leniencies(tmp_path: Path) -> None:
    """The other forms of a request that the protocol allows a client."""
    async with stranger(tmp_path) as broker:
        lots = await broker.ask(OPEN_LOTS, bodies(MARGIN)[OPEN_LOTS])
        for body in (
            {"request": {"parameter": {"acctNum": MARGIN, "symbol": "aapl"}}},
            {"acctNum": MARGIN, "securityDetail": {"symbol": "AAPL"}},
            {
                "request": {
                    "parameter": {"acctDetails": {"acctDetail": {"acctNum": MARGIN, "symbol": "AAPL"}}}
                }
            },
        ):
            assert await broker.ask(OPEN_LOTS, body) == lots
        rates = await broker.ask(BORROW, bodies(MARGIN)[BORROW])
        assert await broker.ask(BORROW, plural(MARGIN, symbols=["SPCE"])) == rates
        insights = await broker.ask(INSIGHTS, bodies(MARGIN)[INSIGHTS])
        assert await broker.ask(INSIGHTS, {"request": {"parameters": {"symbols": ["SPCE"]}}}) == insights
        closed = await broker.ask(CLOSED_LOTS, bodies(CASH)[CLOSED_LOTS])
        other = sales("01/01/2026", "11/24/2026", (CASH,), securityDetail={"symbol": "DIS"})
        assert await broker.ask(CLOSED_LOTS, {"request": {"parameters": other}}) == closed
        held = (await broker.positions(MARGIN))["position"]["acctDetails"]["acctDetail"][0]
        rows = held["positionDetails"]["positionDetail"]
        option = next(row["symbol"] for row in rows if row["securityType"] == "Option")
        assert option.startswith("-")
        dashed, plain = await broker.open_lots(MARGIN, option), await broker.open_lots(MARGIN, option[1:])
        assert dashed == plain
        assert dashed["lotCount"] > 0


# -- any body at all ---------------------------------------------------------------------------------------

WORDS = st.sampled_from(
    [
        "request",
        "parameter",
        "parameters",
        "acctDetails",
        "acctDetail",
        "acctNum",
        "acctNums",
        "symbol",
        "symbols",
    ]
    + [
        "securityDetails",
        "securityDetail",
        "searchCriteriaDetail",
        "txnFromDate",
        "txnToDate",
        "txnCat",
        "view",
    ]
    + ["startDate", "endDate", "taxYear", "isExcludeWashSales", "holdingTypeCode", "returnUnpairedPositions"]
)
SCALARS = st.sampled_from(
    [MARGIN, CASH, STRANGE, "AAPL", "SPCE", "_2", "2026-01-01", "", "x", None, True, 0, 7, 1778558400]
)


def nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=5)


BODIES = st.recursive(SCALARS, nested, max_leaves=20)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    path = tmp_path_factory.mktemp("paper") / "paper.sqlite"
    desk = open_desk(Settings(environment="paper", paper_db=path, paper_clock=CLOCK))
    desk.engine.accounts()
    yield desk
    desk.state.close()


@given(path=st.sampled_from([*bodies(), TAX_LOTS, SERIES]), body=BODIES)
@settings(max_examples=400, deadline=None)
def test_any_body_is_answered_or_refused(desk: Desk, path: str, body: Any) -> None:
    answer(desk, path, body)


@given(data=st.data(), path=st.sampled_from([*bodies(), TAX_LOTS]), odd=BODIES)
@settings(max_examples=400, deadline=None)
def test_any_member_may_be_odd(desk: Desk, data: st.DataObject, path: str, odd: Any) -> None:
    """A right request with one member replaced by anything."""
    body = json.loads(json.dumps({**bodies(MARGIN), TAX_LOTS: tax_lots_of(MARGIN)}[path]))
    holder: Any = body
    while True:
        key = data.draw(st.sampled_from(sorted(holder) if isinstance(holder, dict) else range(len(holder))))
        if not isinstance(holder[key], dict | list) or not holder[key] or data.draw(st.booleans()):
            break
        holder = holder[key]
    holder[key] = odd
    answer(desk, path, body)


def answer(desk: Desk, path: str, body: Any) -> None:
    route = find_route("POST", path)
    assert route is not None
    request = PaperRequest(method="POST", path=path, body=json.dumps(body).encode())
    try:
        assert route.handler(desk, request) is not None
    except (BadRequest, Forbidden):
        pass


# -- ranges and filters ------------------------------------------------------------------------------------


def lines_of(document: Any) -> list[Any]:
    return [line for row in document["acctDetails"] for line in row["transactionDetails"]]


async def test_both_ends_of_a_history_range_count(tmp_path: Path) -> None:
    async with stranger(tmp_path) as broker:
        lines = lines_of(await broker.history(date(2025, 1, 1), TODAY, BILLS))
        stamps = [line["dateDetail"]["postedDate"] for line in lines]
        assert stamps == sorted(stamps, reverse=True), "newest first"
        newest, oldest = stamps[0], stamps[-1]
        days = sorted(set(stamps))
        first, last = (day_of(stamp) for stamp in (days[3], days[7]))
        part = lines_of(await broker.history(first, last, BILLS))
        assert [line["dateDetail"]["postedDate"] for line in part] == [
            stamp for stamp in stamps if days[3] <= stamp <= days[7]
        ]
        noon = {"txnFromDate": days[3] + 43_200, "txnToDate": days[7] + 80_000}
        assert lines_of(await broker.history(first, last, BILLS, **noon)) == part, (
            "times of day do not matter"
        )
        before = day_of(oldest) - timedelta(days=1)
        assert lines_of(await broker.history(before, before, BILLS)) == []
        assert oldest < newest


async def test_history_filters(tmp_path: Path) -> None:
    ago = date(2024, 11, 1)
    async with stranger(tmp_path) as broker:
        everything = lines_of(await broker.history(ago, TODAY, MARGIN))
        for name, key in (
            ("txnType", "txnTypeCode"),
            ("txnCat", "txnCatCode"),
            ("txnSubCat", "txnSubCatCode"),
        ):
            for code in {line["catDetail"].get(key) for line in everything} - {None}:
                found = lines_of(await broker.history(ago, TODAY, MARGIN, **{name: code}))
                assert found == [line for line in everything if line["catDetail"].get(key) == code]
        found = lines_of(await broker.history(ago, TODAY, MARGIN, securityDetail={"symbol": "AAPL"}))
        assert found == [line for line in everything if line["securityDetail"].get("symbol") == "AAPL"]
        assert found
        assert lines_of(await broker.history(ago, TODAY, MARGIN, txnCat="XX")) == []


async def test_both_ends_of_a_range_of_sales_count(tmp_path: Path) -> None:
    async with stranger(tmp_path) as broker:
        lots = (await broker.closed_lots("DIS", "2026-01-01", "2026-11-24", CASH))["closedLots"]
        sold = day_of(lots["acctDetails"]["acctDetail"][0]["closedLotDetails"][0]["soldDate"])
        day, before, after = ((sold + timedelta(days=shift)).isoformat() for shift in (0, -1, 1))
        for first, last, count in (
            (day, day, 1),
            (before, day, 1),
            (day, after, 1),
            (after, after, 0),
            (before, before, 0),
        ):
            found = (await broker.closed(first, last, CASH))["closedPosition"]["acctDetails"]["acctDetail"][0]
            assert found["closedPositionCount"] == count, (first, last)
        year = await broker.closed("2000-01-01", "2000-01-02", CASH, taxYear=2026)
        assert year["closedPosition"]["acctDetails"]["acctDetail"][0]["closedPositionCount"] == 1
        text = await broker.closed("2000-01-01", "2000-01-02", CASH, taxYear="2025")
        assert text["closedPosition"]["acctDetails"]["acctDetail"][0]["closedPositionCount"] == 0


async def test_gains_without_wash_sales(tmp_path: Path) -> None:
    span = ("2024-11-01", "2026-11-24", MARGIN)
    async with stranger(tmp_path) as broker:
        adjusted, plain = await broker.closed(*span), await broker.closed(*span, isExcludeWashSales=True)
        rows = adjusted["closedPosition"]["acctDetails"]["acctDetail"][0]
        bare = plain["closedPosition"]["acctDetails"]["acctDetail"][0]
        washed = next(row for row in rows["closedPositionDetails"] if row["isWashSaleAdjusted"])
        same = next(row for row in bare["closedPositionDetails"] if row["symbol"] == washed["symbol"])
        lots = await broker.closed_lots(washed["symbol"], *span, isExcludeWashSales=True)
    assert same["isWashSaleAdjusted"] is False
    assert same["costBasisDetail"]["costBasis"] == washed["costBasisDetail"]["unadjustedCostBasis"]
    assert (
        same["totalGainLossDetail"]["totalGainLoss"]
        == washed["totalGainLossDetail"]["unadjustedTotalGainLoss"]
    )
    assert bare["totalGainLossDetail"]["disallowedLoss"] == 0
    difference = bare["totalGainLossDetail"]["totalGainLoss"] - rows["totalGainLossDetail"]["totalGainLoss"]
    assert difference == -rows["totalGainLossDetail"]["disallowedLoss"] < 0
    entry = lots["closedLots"]["acctDetails"]["acctDetail"][0]
    assert entry["totalGainLoss"] == same["totalGainLossDetail"]["totalGainLoss"]


@pytest.mark.parametrize(
    ("clock", "settled"),
    [
        ("2026-05-11T10:00:00-04:00", "2026-04-15"),
        ("2026-05-12T10:00:00-04:00", "2026-04-30"),
        ("2026-11-24T10:00:00-05:00", "2026-10-30"),
        ("2026-11-25T10:00:00-05:00", "2026-11-13"),
    ],
)
async def test_when_a_short_interest_report_comes_out(tmp_path: Path, clock: str, settled: str) -> None:
    async with stranger(tmp_path, clock) as broker:
        found = await broker.ask(INSIGHTS, bodies(MARGIN)[INSIGHTS])
        series = await broker.ask(SERIES, {"symbol": "SPCE", "endDate": "2030-01-01"})
    assert found["shortInsights"]["securityDetails"]["securityDetail"][0]["asOfDate"] == settled
    assert series["timeseries"][-1]["date"] == settled
