"""Options, loans, borrowing and accruals of the paper broker, key by key as protocol 01 spells them."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from accounts_wire_kit import (
    ACCRUALS_V1,
    ACCRUALS_V2,
    BILLS,
    BORROW,
    CASH,
    CASH_ACCRUALS,
    INSIGHTS,
    LOANS,
    MARGIN,
    SERIES,
    TODAY,
    check,
    day,
    digits,
    flag,
    iso_day,
    midnight,
    number,
    number_text,
    one_of,
    or_null,
    stranger,
    text,
    whole,
)

D = Decimal

# -- §3.8 --------------------------------------------------------------------------------------------------

SUMS = {"totalGainLoss": number, "totalMarketValue": number, "totalCostBasis": number}
LEG = {
    "legBuySellInd": one_of("B", "S"),
    "legShares": number,
    "legInTheMoneyIndex": one_of("I", "O"),
    "legOptionSecurityTypeCode": one_of("CALL", "PUT"),
    "marketValDetail": {"marketVal": number, "totalGainLoss": number, "totalGainLossPct": number},
    "legSecurityDetails": {
        "legSymbol": text,
        "legSecurityDescription": text,
        "legSymbolExpiryDate": iso_day,
        "legSymbolPCIndex": one_of("C", "P"),
        "legSymbolStrike": number,
        "delShares": one_of(100),
    },
    "legPriceDetail": {
        "legOptionPrice": number,
        "legOptionLastPrice": number,
        "legOptionPriceChg": number,
        "legExpirationDate": iso_day,
        "legExpirationDays": whole,
        "legOptionStrikePrice": number,
    },
}
STRATEGY = {
    "pairingSecurityDetails": {
        "symbol": text,
        "securityDescription": text,
        "priceDetail": {
            "ulPrice": number,
            "lastPrice": number,
            "lastPriceChg": number,
            "lastPriceChgPct": number,
        },
    },
    "optionPairMatchCode": text,
    "optionPairMatchCodeDescription": text,
    **SUMS,
    "legCount": whole,
    "legDetails": {"legDetail": [LEG]},
}
GROUP = {
    "legExpirationDate": iso_day,
    "legExpirationDays": whole,
    "pairingCount": whole,
    **SUMS,
    "totalGainLossPct": number,
    "pairingDetails": {"pairingDetail": [STRATEGY]},
}
OPTION_ACCOUNT = {
    "acctNum": text,
    "cycleDate": digits(8),
    "cycleTime": digits(6),
    "underlyingCount": whole,
    "count": whole,
    "accountGainLossDetail?": {**SUMS, "totalGainLossPct": number},
    "optionGainLossDetail?": SUMS,
    "underlyingDetails": {"underlyingDetail": [GROUP]},
}


async def test_option_summary(tmp_path: Path) -> None:
    async with stranger(tmp_path) as broker:
        found = await broker.options(MARGIN, BILLS)
        paired = await broker.options(MARGIN, returnUnpairedPositions=False)
    check(found, {"optionPairing": {"acctDetails": [{"acctDetail": OPTION_ACCOUNT}]}})
    margin, bills = (row["acctDetail"] for row in found["optionPairing"]["acctDetails"])
    assert (margin["acctNum"], bills["acctNum"]) == (MARGIN, BILLS)
    assert set(bills) == {
        "acctNum",
        "cycleDate",
        "cycleTime",
        "underlyingCount",
        "count",
        "underlyingDetails",
    }
    assert (bills["underlyingCount"], bills["count"], bills["underlyingDetails"]) == (
        0,
        0,
        {"underlyingDetail": []},
    )
    assert margin["cycleDate"] == "20261124"
    groups = margin["underlyingDetails"]["underlyingDetail"]
    assert margin["count"] == len(groups)
    assert [group["legExpirationDate"] for group in groups] == sorted(
        group["legExpirationDate"] for group in groups
    )
    for group in groups:
        assert group["legExpirationDays"] == (date.fromisoformat(group["legExpirationDate"]) - TODAY).days
        assert group["pairingCount"] == len(group["pairingDetails"]["pairingDetail"])
        for strategy in group["pairingDetails"]["pairingDetail"]:
            assert strategy["legCount"] == len(strategy["legDetails"]["legDetail"])
            price = strategy["pairingSecurityDetails"]["priceDetail"]
            assert price["lastPrice"] - price["ulPrice"] == price["lastPriceChg"]
            for leg in strategy["legDetails"]["legDetail"]:
                check_leg(leg, group, price["lastPrice"])
    kept = paired["optionPairing"]["acctDetails"][0]["acctDetail"]["underlyingDetails"]["underlyingDetail"]
    codes = {
        strategy["optionPairMatchCode"]
        for group in kept
        for strategy in group["pairingDetails"]["pairingDetail"]
    }
    assert codes
    assert "SINGLE" not in codes


def check_leg(leg: dict[str, Any], group: dict[str, Any], spot: Decimal) -> None:
    security, price, value = leg["legSecurityDetails"], leg["legPriceDetail"], leg["marketValDetail"]
    assert not security["legSymbol"].startswith("-")
    assert security["legSymbolExpiryDate"] == group["legExpirationDate"]
    assert price["legOptionLastPrice"] - price["legOptionPrice"] == price["legOptionPriceChg"]
    assert price["legExpirationDays"] == group["legExpirationDays"]
    assert price["legExpirationDate"] == group["legExpirationDate"]
    assert price["legOptionStrikePrice"] == security["legSymbolStrike"]
    assert {"C": "CALL", "P": "PUT"}[security["legSymbolPCIndex"]] == leg["legOptionSecurityTypeCode"]
    assert leg["legShares"] > 0, "contracts, without a sign"
    assert (value["marketVal"] < 0) is (leg["legBuySellInd"] == "S")
    assert abs(value["marketVal"]) == leg["legShares"] * 100 * price["legOptionLastPrice"]
    inside = (
        spot > security["legSymbolStrike"]
        if security["legSymbolPCIndex"] == "C"
        else spot < security["legSymbolStrike"]
    )
    assert leg["legInTheMoneyIndex"] == ("I" if inside else "O")


# -- §3.11 -------------------------------------------------------------------------------------------------


async def test_loaned_securities(tmp_path: Path) -> None:
    open_loan = {
        "symbol": text,
        "cusip": text,
        "securityDescription": text,
        "rate": number_text(3),
        "contractVal": number_text(0),
        "contractQty": whole,
        "priorDayAccrual": number_text(2),
        "monthToDateAccrual": number_text(2),
    }
    ended = {"symbol": text, "cusip": text, "securityDescription": text, "monthToDateAccrual": number_text(2)}
    async with stranger(tmp_path) as broker:
        found = await broker.plural(LOANS, MARGIN, CASH)
    rows = found["loanedSecurities"]["acctDetails"]["acctDetail"]
    assert [row["acctNum"] for row in rows] == [MARGIN, CASH]
    lender, other = rows
    assert set(found) == {"loanedSecurities"}
    assert set(other) == {"acctNum", "priorDayAccruals", "monthToDateAccruals", "priorMonthAccruals"}
    assert other["priorDayAccruals"] == "0"
    wrappers = {"contractDataDetails", "collateralDetails"}
    assert set(lender) == set(other) | wrappers
    for name in set(other) - {"acctNum"}:
        assert number_text(2)(lender[name])
    loans = lender["contractDataDetails"]["contractDataDetail"]
    running = [row for row in loans if "rate" in row]
    assert running
    assert len(running) < len(loans), "one has ended this month"
    for row in loans:
        check(row, open_loan if row in running else ended)
    check(
        lender["collateralDetails"],
        {"collateralDetail": [{"cusip": text, "cusipDesc": text, "amount": number_text(0)}]},
    )
    lent = sum(D(row["contractVal"]) for row in running)
    secured = D(lender["collateralDetails"]["collateralDetail"][0]["amount"])
    assert lent * D("1.02") <= secured < lent * D("1.02") + 1
    assert D(lender["priorDayAccruals"]) == sum(D(row["priorDayAccrual"]) for row in running)
    assert D(lender["monthToDateAccruals"]) == sum(D(row["monthToDateAccrual"]) for row in loans)
    for row in running:
        daily = D(row["contractVal"]) * D(row["rate"]) / 100 / 360
        assert abs(D(row["priorDayAccrual"]) - daily) <= D("0.01")


# -- §3.5, 3.13, 3.14 --------------------------------------------------------------------------------------

NAMED = {
    "securityDetails": [{"symbol": "SPCE"}, {"symbol": "AAPL"}, {"symbol": "NOSUCH"}, {"symbol": ".SPX"}]
}


async def test_hard_to_borrow(tmp_path: Path) -> None:
    row = {
        "symbol": text,
        "cusip": text,
        "securityDescription": text,
        "isHardToBorrow": flag,
        "borrowRate": or_null(number_text(3)),
        "rateDate": one_of("2026-11-24"),
        "availShares": or_null(whole),
    }
    account = {"acctNum": text, "securityDetails": {"securityDetail": [row]}}
    async with stranger(tmp_path) as broker:
        found = await broker.plural(BORROW, MARGIN, CASH, **NAMED)
    check(found, {"hardToBorrow": {"acctDetails": {"acctDetail": [account]}}})
    margin, cash = found["hardToBorrow"]["acctDetails"]["acctDetail"]
    assert margin["securityDetails"] == cash["securityDetails"], "rates do not depend on the account"
    hard, easy = margin["securityDetails"]["securityDetail"]
    assert (hard["symbol"], hard["isHardToBorrow"]) == ("SPCE", True)
    assert D(hard["borrowRate"]) > 1
    assert hard["availShares"] > 0
    assert (easy["symbol"], easy["isHardToBorrow"]) == ("AAPL", False)
    assert (easy["borrowRate"], easy["availShares"]) == (None, None)


INSIGHT = {
    "symbol": text,
    "cusip": text,
    "securityDescription": text,
    "asOfDate": iso_day,
    "shortInterest": whole,
    "shortInterestPrior": whole,
    "shortInterestChgPct": number,
    "shortInterestPctFloat": number,
    "daysToCover": number,
    "avgDailyVolume": whole,
    "utilizationPct": number,
    "borrowRate?": number,
    "isHardToBorrow": flag,
}


async def test_short_insights(tmp_path: Path) -> None:
    async with stranger(tmp_path) as broker:
        found = await broker.plural(INSIGHTS, MARGIN, **NAMED)
    check(found, {"shortInsights": {"securityDetails": {"securityDetail": [INSIGHT]}}})
    hard, easy = found["shortInsights"]["securityDetails"]["securityDetail"]
    assert (hard["symbol"], easy["symbol"]) == ("SPCE", "AAPL")
    assert hard["asOfDate"] == "2026-10-30", "mid-November's report is not out yet"
    for row in (hard, easy):
        change = D(row["shortInterest"] - row["shortInterestPrior"]) / row["shortInterestPrior"] * 100
        assert abs(row["shortInterestChgPct"] - change) <= D("0.005")
        assert abs(row["daysToCover"] - D(row["shortInterest"]) / row["avgDailyVolume"]) <= D("0.05")
    assert hard["shortInterestPctFloat"] > easy["shortInterestPctFloat"]
    assert "borrowRate" not in easy


async def test_short_insight_series(tmp_path: Path) -> None:
    point = {
        "date": iso_day,
        "shortInterest": whole,
        "shortInterestPctFloat": number,
        "daysToCover": number,
        "avgDailyVolume": whole,
        "utilizationPct": number,
        "borrowRate?": number,
    }
    async with stranger(tmp_path) as broker:
        found = await broker.ask(
            SERIES, {"symbol": "SPCE", "startDate": "2026-08-01", "endDate": "2026-11-24"}
        )
        year = await broker.ask(SERIES, {"symbol": "spce"})
        unknown = await broker.ask(SERIES, {"symbol": "NOSUCH"})
    check(found, {"symbol": one_of("SPCE"), "timeseries": [point]})
    assert [row["date"] for row in found["timeseries"]] == [
        "2026-08-14",
        "2026-08-31",
        "2026-09-15",
        "2026-09-30",
        "2026-10-15",
        "2026-10-30",
    ]
    assert len(year["timeseries"]) == 23
    assert year["timeseries"][-6:] == found["timeseries"], "a pure function of symbol and date"
    assert unknown == {"symbol": "NOSUCH", "timeseries": []}


# -- §3.15, 3.16 -------------------------------------------------------------------------------------------


async def test_accruals(tmp_path: Path) -> None:
    component = {
        "accrualTypeCode": one_of("MRGN", "SHORT"),
        "accrualTypeDesc": one_of("Margin Interest", "Short Borrow Charge"),
        "symbol": or_null(text),
        "cusip": or_null(text),
        "accrualDate": day,
        "balance": number,
        "quantity": or_null(number),
        "rate": number,
        "priorDayAccrual": number,
        "monthToDateAccrual": number,
    }
    account = {
        "acctNum": text,
        "priorDayAccruals": number,
        "monthToDateAccruals": number,
        "priorMonthAccruals": number,
        "accrualDetails?": {"accrualDetail": [component]},
    }
    async with stranger(tmp_path) as broker:
        found = await broker.plural(ACCRUALS_V2, MARGIN, BILLS)
        assert await broker.plural(ACCRUALS_V1, MARGIN, BILLS) == found
    check(found, {"accruals": {"acctDetails": {"acctDetail": [account]}}})
    margin, bills = found["accruals"]["acctDetails"]["acctDetail"]
    assert "accrualDetails" not in bills
    rows = {row["accrualTypeCode"]: row for row in margin["accrualDetails"]["accrualDetail"]}
    assert (rows["MRGN"]["symbol"], rows["MRGN"]["quantity"]) == (None, None)
    assert (rows["SHORT"]["symbol"], rows["SHORT"]["accrualDate"]) == ("SPCE", midnight(date(2026, 11, 23)))
    assert rows["SHORT"]["quantity"] < 0
    for row in rows.values():
        assert row["priorDayAccrual"] <= 0, "charged"
        assert abs(row["priorDayAccrual"] - row["balance"] * row["rate"] / 100 / 360) <= D("0.005")
    for total, part in (
        ("priorDayAccruals", "priorDayAccrual"),
        ("monthToDateAccruals", "monthToDateAccrual"),
    ):
        assert margin[total] == sum(row[part] for row in rows.values())


async def test_cash_accruals(tmp_path: Path) -> None:
    component = {
        "accrualTypeCode": one_of("CASH"),
        "accrualTypeDesc": one_of("Cash Credit Interest"),
        "currencyCode": one_of("USD"),
        "accrualDate": day,
        "balance": number,
        "rate": number,
        "priorDayAccrual": number,
        "monthToDateAccrual": number,
    }
    account = {
        "acctNum": text,
        "priorDayAccruals": number,
        "monthToDateAccruals": number,
        "priorMonthAccruals": number,
        "accrualDetails": {"accrualDetail": [component]},
    }
    async with stranger(tmp_path) as broker:
        found = await broker.plural(CASH_ACCRUALS, BILLS)
        held = await broker.positions(BILLS)
    check(found, {"cashAccruals": {"acctDetails": {"acctDetail": [account]}}})
    (row,) = found["cashAccruals"]["acctDetails"]["acctDetail"][0]["accrualDetails"]["accrualDetail"]
    core = held["position"]["acctDetails"]["acctDetail"][0]["positionDetails"]["positionDetail"][0]
    assert row["balance"] == core["quantity"]
    assert row["priorDayAccrual"] > 0
