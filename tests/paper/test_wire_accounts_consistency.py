"""The paper broker's account documents agree with one another to the cent (protocol 01 §4.2-4.4)."""

import json
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from accounts_wire_kit import (
    ACCRUALS_V2,
    BILLS,
    BORROW,
    BROKERAGE,
    CASH,
    INSIGHTS,
    LOANS,
    MARGIN,
    ROTH,
    SERIES,
    TODAY,
    Stranger,
    midnight,
    stranger,
)

D = Decimal
LONG_AGO = date(2024, 11, 1)
SPAN = ("2024-11-01", "2026-11-24")
PREVIEW, PLACE = (f"/ftgw/dp/orderentry/equity/{step}/v1" for step in ("preview", "place"))


def held(document: Any, account: str) -> Any:
    rows = document["position"]["acctDetails"]["acctDetail"]
    return next(row for row in rows if row["acctNum"] == account)


def rows_of(document: Any, account: str) -> dict[str, Any]:
    """Positions by symbol, options without their dash."""
    return {
        row["symbol"].removeprefix("-"): row
        for row in held(document, account)["positionDetails"]["positionDetail"]
    }


async def realised(broker: Stranger, *accounts: str) -> Any:
    return (await broker.closed(*SPAN, *accounts))["closedPosition"]


async def sell(broker: Stranger, account: str, symbol: str, quantity: int, holding: str) -> None:
    """Sells shares at the market, through the broker's own order entry."""
    parameter = {
        "acctNum": account,
        "baseOrderDetail": {
            "acctTypeCode": holding,
            "orderActionCode": "S",
            "qty": quantity,
            "qtyTypeCode": "S",
            "securityDetail": {"symbol": symbol},
            "reqTypeCode": "P",
        },
        "tradableSecOrderDetail": {
            "tifCode": "D",
            "priceTypeDetail": {"priceTypeCode": "M"},
            "mktRouteCode": "",
        },
    }
    preview = await broker.ask(PREVIEW, {"request": {"parameter": parameter}})
    numbers = [part for key, part in walk(preview) if key == "confNum"]
    parameter["baseOrderDetail"]["confNum"] = numbers[0]  # type: ignore[index]
    await broker.ask(PLACE, {"request": {"parameter": parameter}})


def walk(value: Any) -> Any:
    if isinstance(value, dict):
        for key, part in value.items():
            yield key, part
            yield from walk(part)
    elif isinstance(value, list):
        for part in value:
            yield from walk(part)


async def test_positions_add_up(tmp_path: Path) -> None:
    async with stranger(tmp_path) as broker:
        document = await broker.positions(*BROKERAGE)
        history = await broker.history(TODAY - timedelta(days=10), TODAY, *BROKERAGE)
    portfolio = document["position"]["portfolioDetail"]
    accounts = document["position"]["acctDetails"]["acctDetail"]
    for account in accounts:
        totals, rows = account["accountGainLossDetail"], account["positionDetails"]["positionDetail"]
        assert account["accountPositionCount"] == len(rows)
        for key, field in (("totalGainLoss", "totalGainLoss"), ("todaysGainLoss", "todaysGainLoss")):
            assert totals[key] == sum(row["marketValDetail"][field] for row in rows)
        assert totals["costBasisTotal"] == sum(row["costBasisDetail"]["costBasis"] for row in rows)
        value = sum(row["marketValDetail"]["marketVal"] for row in rows)
        assert totals["costBasisTotal"] + totals["totalGainLoss"] == value
        for row in rows:
            check_row(row, totals["accountMarketVal"])
    totals = portfolio["portfolioGainLossDetail"]
    assert portfolio["portfolioPositionCount"] == sum(row["accountPositionCount"] for row in accounts)
    for key, field in (
        ("totalGainLoss", "totalGainLoss"),
        ("costBasisTotal", "costBasisTotal"),
        ("portfolioTotalVal", "accountMarketVal"),
        ("todaysGainLoss", "todaysGainLoss"),
    ):
        assert totals[key] == sum(row["accountGainLossDetail"][field] for row in accounts)
    assert [row["acctNum"] for row in history["acctDetails"]] == list(BROKERAGE)


def check_row(row: dict[str, Any], account_value: Decimal) -> None:
    price, value, cost = row["priceDetail"], row["marketValDetail"], row["costBasisDetail"]
    multiplier = 100 if row["securityType"] == "Option" else 1
    cent = D("0.005")
    assert abs(value["marketVal"] - row["quantity"] * multiplier * price["lastPrice"]) <= cent
    assert value["totalGainLoss"] == value["marketVal"] - cost["costBasis"]
    assert value["todaysGainLoss"] == value["marketVal"] - value["previousMarketVal"]
    assert price["lastPriceChg"] == price["lastPrice"] - price["prevClosePrice"]
    if cost["costBasis"]:
        average = abs(cost["costBasis"]) / abs(row["quantity"] * multiplier)
        assert abs(cost["avgCostPerShare"] - average) <= D("0.00005")
        share = value["totalGainLoss"] / abs(cost["costBasis"]) * 100
        assert abs(value["totalGainLossPct"] - share) <= cent
    assert abs(row["holdingPct"] - value["marketVal"] / account_value * 100) <= cent


async def test_a_deposit_that_is_not_swept_yet(tmp_path: Path) -> None:
    """What an account's value has beyond its positions stands in the history as a deposit of these days."""
    async with stranger(tmp_path, "2026-11-13T15:00:00-05:00") as broker:
        account = held(await broker.positions(BILLS), BILLS)
        balances = (await broker.balances(BILLS))["balances"][0]["brokerageAcctDetail"]["recentBalanceDetail"]
        day = date(2026, 11, 13)
        lines = (await broker.history(day - timedelta(days=3), day, BILLS))["acctDetails"][0][
            "transactionDetails"
        ]
    value = sum(row["marketValDetail"]["marketVal"] for row in account["positionDetails"]["positionDetail"])
    waiting = account["accountGainLossDetail"]["accountMarketVal"] - value
    assert waiting > 0
    deposits = [line["amtDetail"]["net"] for line in lines if line["catDetail"]["txnCatCode"] == "DD"]
    assert waiting in deposits
    assert balances["acctValDetail"]["netWorth"] == account["accountGainLossDetail"]["accountMarketVal"]


async def test_balances_agree_with_positions_and_options(tmp_path: Path) -> None:
    async with stranger(tmp_path) as broker:
        positions = await broker.positions(*BROKERAGE)
        balances = await broker.balances(*BROKERAGE)
        options = await broker.options(*BROKERAGE)
        loans = await broker.plural(LOANS, MARGIN)
        accruals = await broker.plural(ACCRUALS_V2, MARGIN)
    summaries = {
        row["acctDetail"]["acctNum"]: row["acctDetail"] for row in options["optionPairing"]["acctDetails"]
    }
    for row in balances["balances"]:
        now = row["brokerageAcctDetail"]["recentBalanceDetail"]
        account, securities = held(positions, row["acctNum"]), rows_of(positions, row["acctNum"])
        core = securities.pop("SPAXX")
        value = sum(entry["marketValDetail"]["marketVal"] for entry in securities.values())
        assert now["acctValDetail"]["netWorth"] == account["accountGainLossDetail"]["accountMarketVal"]
        assert now["acctValDetail"]["marketVal"] == value
        assert now["cashDetail"]["coreBalance"] == core["quantity"]
        summary = summaries[row["acctNum"]]
        if "optionGainLossDetail" in summary:
            assert now["optionsDetail"]["heldInOption"] == summary["optionGainLossDetail"]["totalMarketValue"]
    margin = next(row for row in balances["balances"] if row["acctNum"] == MARGIN)["brokerageAcctDetail"]
    now = margin["recentBalanceDetail"]
    short = rows_of(positions, MARGIN)["SPCE"]["marketValDetail"]["marketVal"]
    assert now["shortDetail"]["heldInShort"] == short
    lender = loans["loanedSecurities"]["acctDetails"]["acctDetail"][0]
    lent = [entry for entry in lender["contractDataDetails"]["contractDataDetail"] if "contractVal" in entry]
    assert abs(now["acctValDetail"]["loanedSecMktVal"] - sum(D(entry["contractVal"]) for entry in lent)) <= 1
    components = accruals["accruals"]["acctDetails"]["acctDetail"][0]["accrualDetails"]["accrualDetail"]
    interest = next(entry for entry in components if entry["accrualTypeCode"] == "MRGN")
    assert now["marginDetail"]["interestRate"] == interest["rate"]
    assert now["marginDetail"]["creditDebit"] == interest["balance"]
    assert abs(now["marginDetail"]["interestAccruedDaily"] + interest["priorDayAccrual"]) <= D("0.01")


@pytest.mark.parametrize("account", [MARGIN, CASH, ROTH])
async def test_lots_add_up_to_their_position(tmp_path: Path, account: str) -> None:
    async with stranger(tmp_path) as broker:
        rows = rows_of(await broker.positions(account), account)
        rows.pop("SPAXX")
        assert rows
        for symbol, row in rows.items():
            entry = await broker.open_lots(account, symbol)
            lots = entry["lotDetails"]["lotDetail"]
            assert entry["lotCount"] == len(lots) > 0
            assert sum(lot["quantity"] for lot in lots) == row["quantity"]
            assert sum(lot["costBasis"] for lot in lots) == row["costBasisDetail"]["costBasis"]
            assert sum(lot["gainLoss"] for lot in lots) == row["marketValDetail"]["totalGainLoss"]
            multiplier = 100 if row["securityType"] == "Option" else 1
            for lot in lots:
                cost = abs(lot["quantity"]) * lot["costPerShare"] * multiplier
                assert abs(abs(lot["costBasis"]) - cost) <= D("0.01") * (1 + abs(lot["quantity"]))
            await check_offered(broker, account, symbol, lots)


async def check_offered(broker: Stranger, account: str, symbol: str, lots: list[Any]) -> None:
    """The lots of the order-entry call are the same ones, over all ways of holding."""
    offered = [
        lot["specificShrTaxLotAccountingDetail"] | {"lotQty": lot["lotQty"], "lotSeq": lot["lotSeq"]}
        for code in ("_1", "_2", "_3")
        for lot in (await broker.tax_lots(account, symbol, code))["specificShrTaxLotDetail"][
            "specificShrTaxLotDetails"
        ]
    ]
    offered.sort(key=lambda lot: lot["lotSeq"])
    assert [lot["eventId"] for lot in offered] == [lot["lotId"] for lot in lots]
    pairs = (
        ("lotQty", "quantity"),
        ("costBasis", "costBasis"),
        ("unrealizedGainLoss", "gainLoss"),
        ("acquisitionDate", "acquiredDate"),
        ("avgCostPerShare", "costPerShare"),
        ("term", "term"),
    )
    for there, here in pairs:
        assert [lot[there] for lot in offered] == [lot[here] for lot in lots], there


async def test_the_option_summary_adds_up(tmp_path: Path) -> None:
    async with stranger(tmp_path) as broker:
        document = (await broker.options(MARGIN, CASH))["optionPairing"]["acctDetails"]
        positions = await broker.positions(MARGIN, CASH)
    for entry in (row["acctDetail"] for row in document):
        rows = rows_of(positions, entry["acctNum"])
        rows.pop("SPAXX")
        options = {symbol: row for symbol, row in rows.items() if row["securityType"] == "Option"}
        groups = entry["underlyingDetails"]["underlyingDetail"]
        pairings = [pairing for group in groups for pairing in group["pairingDetails"]["pairingDetail"]]
        legs = [leg for pairing in pairings for leg in pairing["legDetails"]["legDetail"]]
        for key in ("totalMarketValue", "totalCostBasis", "totalGainLoss"):
            for group in groups:
                inside = group["pairingDetails"]["pairingDetail"]
                assert group[key] == sum(pairing[key] for pairing in inside)
            assert entry["optionGainLossDetail"][key] == sum(group[key] for group in groups)
        for pairing in pairings:
            inside = pairing["legDetails"]["legDetail"]
            assert pairing["totalMarketValue"] == sum(leg["marketValDetail"]["marketVal"] for leg in inside)
            assert pairing["totalGainLoss"] == sum(leg["marketValDetail"]["totalGainLoss"] for leg in inside)
        for symbol, row in options.items():
            mine = [leg for leg in legs if leg["legSecurityDetails"]["legSymbol"] == symbol]
            signed = sum(
                leg["legShares"] if leg["legBuySellInd"] == "B" else -leg["legShares"] for leg in mine
            )
            assert signed == row["quantity"]
            assert (
                sum(leg["marketValDetail"]["marketVal"] for leg in mine)
                == row["marketValDetail"]["marketVal"]
            )
            gain = sum(leg["marketValDetail"]["totalGainLoss"] for leg in mine)
            assert gain == row["marketValDetail"]["totalGainLoss"]
        whole = entry["accountGainLossDetail"]
        assert whole["totalMarketValue"] == sum(row["marketValDetail"]["marketVal"] for row in rows.values())
        assert whole["totalGainLoss"] == sum(row["marketValDetail"]["totalGainLoss"] for row in rows.values())


async def test_realised_gains_add_up(tmp_path: Path) -> None:
    async with stranger(tmp_path) as broker:
        document = await realised(broker, *BROKERAGE)
        history = await broker.history(LONG_AGO, TODAY, *BROKERAGE)
        lines = {row["acctNum"]: row["transactionDetails"] for row in history["acctDetails"]}
        accounts = document["acctDetails"]["acctDetail"]
        assert sum(row["closedPositionCount"] for row in accounts) >= 3
        for account in accounts:
            rows = account["closedPositionDetails"]
            assert account["closedPositionCount"] == len(rows)
            assert account["proceedsAmtTotal"] == sum(row["proceedsAmt"] for row in rows)
            assert account["costBasisTotal"] == sum(row["costBasisDetail"]["costBasis"] for row in rows)
            for part in ("longTermGainLossDetail", "totalGainLossDetail"):
                gains = account[part]
                assert gains["totalGainLoss"] == gains["realizedGain"] + gains["realizedLoss"]
                assert gains["realizedGain"] >= 0 >= gains["realizedLoss"]
                assert gains["totalGainLoss"] == sum(row[part]["totalGainLoss"] for row in rows)
            for row in rows:
                await check_lots(broker, account["acctNum"], row, lines[account["acctNum"]])
    portfolio = document["portfolioDetail"]
    gains = portfolio["portfolioGainLossDetail"]
    assert gains["totalGainLoss"] == gains["shortTermTotalGainLoss"] + gains["longTermTotalGainLoss"]
    assert gains["totalGainLoss"] == portfolio["proceedsAmtTotal"] - portfolio["costBasisTotal"]
    assert gains["totalGainLoss"] == sum(row["totalGainLossDetail"]["totalGainLoss"] for row in accounts)
    assert portfolio["proceedsAmtTotal"] == sum(row["proceedsAmtTotal"] for row in accounts)


async def check_lots(broker: Stranger, account: str, row: dict[str, Any], lines: list[Any]) -> None:
    """A row is the sum of its closed lots, and each sale of them stands in the history."""
    entry = (await broker.closed_lots(row["symbol"], *SPAN, account))["closedLots"]["acctDetails"][
        "acctDetail"
    ][0]
    lots = entry["closedLotDetails"]
    assert entry["closedLotCount"] == len(lots)
    assert (
        row["totalGainLossDetail"]["totalGainLoss"]
        == row["proceedsAmt"] - row["costBasisDetail"]["costBasis"]
    )
    for total, part in (
        (row["quantity"], "quantity"),
        (row["proceedsAmt"], "proceedsAmt"),
        (entry["proceedsAmtTotal"], "proceedsAmt"),
    ):
        assert total == sum(lot[part] for lot in lots)
    cost, gain = row["costBasisDetail"], row["totalGainLossDetail"]
    for key in ("costBasis", "unadjustedCostBasis", "disallowedAmount"):
        assert cost[key] == sum(lot["costBasisDetail"][key] for lot in lots)
    assert (
        gain["totalGainLoss"]
        == entry["totalGainLoss"]
        == sum(lot["gainLossDetail"]["totalGainLoss"] for lot in lots)
    )
    long_term = sum(lot["gainLossDetail"]["totalGainLoss"] for lot in lots if lot["term"] == "Long")
    assert row["longTermGainLossDetail"]["totalGainLoss"] == long_term
    for sold in {lot["soldDate"] for lot in lots}:
        sales = [
            line["amtDetail"]["net"]
            for line in lines
            if line["securityDetail"].get("symbol") == row["symbol"]
            and line["quantity"] < 0
            and line["dateDetail"]["tradedDate"] == sold
        ]
        assert sum(sales) == sum(lot["proceedsAmt"] for lot in lots if lot["soldDate"] == sold)


async def test_rates_agree(tmp_path: Path) -> None:
    names = {"securityDetails": [{"symbol": "SPCE"}, {"symbol": "AAPL"}]}
    async with stranger(tmp_path) as broker:
        rates = (await broker.plural(BORROW, MARGIN, **names))["hardToBorrow"]["acctDetails"]["acctDetail"][0]
        insights = (await broker.plural(INSIGHTS, MARGIN, **names))["shortInsights"]
        series = await broker.ask(SERIES, {"symbol": "SPCE"})
        accruals = await broker.plural(ACCRUALS_V2, MARGIN)
        positions = await broker.positions(MARGIN)
        loans = await broker.plural(LOANS, MARGIN)
    hard, easy = rates["securityDetails"]["securityDetail"]
    now, calm = insights["securityDetails"]["securityDetail"]
    assert D(hard["borrowRate"]) == now["borrowRate"] == series["timeseries"][-1]["borrowRate"]
    assert (hard["isHardToBorrow"], easy["isHardToBorrow"]) == (now["isHardToBorrow"], calm["isHardToBorrow"])
    last = series["timeseries"][-1]
    assert (last["date"], now["shortInterestPrior"]) == (
        now["asOfDate"],
        series["timeseries"][-2]["shortInterest"],
    )
    for key in ("shortInterest", "shortInterestPctFloat", "daysToCover", "avgDailyVolume", "utilizationPct"):
        assert last[key] == now[key]
    components = accruals["accruals"]["acctDetails"]["acctDetail"][0]["accrualDetails"]["accrualDetail"]
    charge = next(row for row in components if row["symbol"] == "SPCE")
    short = rows_of(positions, MARGIN)["SPCE"]
    assert charge["rate"] == now["borrowRate"]
    assert (charge["balance"], charge["quantity"]) == (
        short["marketValDetail"]["marketVal"],
        short["quantity"],
    )
    for loan in loans["loanedSecurities"]["acctDetails"]["acctDetail"][0]["contractDataDetails"][
        "contractDataDetail"
    ]:
        if "contractQty" in loan:
            assert 0 < loan["contractQty"] <= rows_of(positions, MARGIN)[loan["symbol"]]["quantity"]


async def test_discovery_and_features_and_balances_say_the_same(tmp_path: Path) -> None:
    async with stranger(tmp_path) as broker:
        body = {"acctCategory": "Brokerage", "filters": {"returnAcctTradeAttrDetail": True}}
        rows = (await broker.ask("/ftgw/dp/customer-am-acctnxt/v2/accounts", body))["acctDetails"]
        balances = await broker.balances(*BROKERAGE)
        features = await broker.ask(
            "/ftgw/dp/customer-am-feature/v2/accounts/features/get", {"acctNums": list(BROKERAGE)}
        )
    flags = {row["acctNum"]: row["brokerageAcctDetail"]["addlInfoDetail"] for row in balances["balances"]}
    allowed = {row["acctNum"]: row for row in features["acctDetails"]}
    for row in rows:
        traits, may = row["acctTradeAttrDetail"], allowed[row["acctNum"]]
        assert traits["mrgnEstb"] == flags[row["acctNum"]]["isMarginAccount"] == may["marginInd"]
        assert traits["optionLevel"] == may["optionLevel"]
        assert (traits["optionLevel"] > 0) == traits["optionEstb"] == may["optionsInd"]
        assert may["marginInd"] or not may["shortSellInd"]


async def test_a_sale_shows_everywhere(tmp_path: Path) -> None:
    """150 of 200 shares go: the oldest lot wholly, part of the next; history, gains, cash and lots tell the same."""
    async with stranger(tmp_path) as broker:
        before, cash = await broker.positions(MARGIN), (await broker.balances(MARGIN))["balances"][0]
        lots = (await broker.open_lots(MARGIN, "AAPL"))["lotDetails"]["lotDetail"]
        assert [lot["quantity"] for lot in lots] == [120, 75, 5]
        await sell(broker, MARGIN, "AAPL", 150, "M")
        after, cash_after = await broker.positions(MARGIN), (await broker.balances(MARGIN))["balances"][0]
        left = (await broker.open_lots(MARGIN, "AAPL"))["lotDetails"]["lotDetail"]
        (line,) = (await broker.history(TODAY, TODAY, MARGIN))["acctDetails"][0]["transactionDetails"]
        gains = (await broker.closed("2026-11-24", "2026-11-24", MARGIN))["closedPosition"]
        sold = await broker.closed_lots("AAPL", "2026-11-24", "2026-11-24", MARGIN)
    assert [(lot["lotId"], lot["quantity"]) for lot in left] == [
        (lots[1]["lotId"], 45),
        (lots[2]["lotId"], 5),
    ]
    assert (
        rows_of(after, MARGIN)["AAPL"]["quantity"] == rows_of(before, MARGIN)["AAPL"]["quantity"] - 150 == 50
    )
    assert (line["quantity"], line["shortDesc"], line["brokerageDetail"]["tradeTypeCode"]) == (
        -150,
        "YOU SOLD",
        "2",
    )
    assert line["dateDetail"]["stlmntDate"] == midnight(date(2026, 11, 25)), "the next trading day"
    net = line["amtDetail"]["net"]
    debit, core = money_of(cash)
    debit_after, core_after = money_of(cash_after)
    assert (debit_after + core_after) - (debit + core) == net
    (row,) = gains["acctDetails"]["acctDetail"][0]["closedPositionDetails"]
    assert (row["symbol"], row["quantity"], row["proceedsAmt"]) == ("AAPL", 150, net)
    assert D(row["todayGainLossSincePurchase"]) == row["totalGainLossDetail"]["totalGainLoss"]
    close = rows_of(before, MARGIN)["AAPL"]["priceDetail"]["prevClosePrice"]
    assert D(row["todayGainLossSincePriorClose"]) == net - 150 * close
    parts = sold["closedLots"]["acctDetails"]["acctDetail"][0]["closedLotDetails"]
    assert sorted((lot["lotId"], lot["quantity"], lot["term"]) for lot in parts) == sorted(
        [(lots[0]["lotId"], 120, "Long"), (lots[1]["lotId"], 30, "Short")]
    )
    costs = sum(lot["costBasisDetail"]["costBasis"] for lot in parts) + sum(lot["costBasis"] for lot in left)
    assert costs == sum(lot["costBasis"] for lot in lots)


def money_of(balances: Any) -> tuple[Decimal, Decimal]:
    now = balances["brokerageAcctDetail"]["recentBalanceDetail"]["cashDetail"]
    return now["creditDebit"], now["coreBalance"]


async def test_the_same_moment_gives_the_same_documents(tmp_path: Path) -> None:
    documents = []
    for folder in ("one", "two"):
        async with stranger(tmp_path / folder) as broker:
            said = [
                await broker.positions(*BROKERAGE),
                await broker.history(LONG_AGO, TODAY, *BROKERAGE),
                await broker.plural(INSIGHTS, securityDetails=[{"symbol": "GME"}]),
                await broker.options(MARGIN),
            ]
            documents.append(json.dumps(said, default=str))
    assert documents[0] == documents[1]
