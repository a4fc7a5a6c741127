"""History, gains and lots of the paper broker, key by key as protocol 01 §3.4, 3.7, 3.9, 3.10 and 3.12 spell them."""

from datetime import date
from decimal import Decimal
from pathlib import Path

from accounts_wire_kit import (
    BILLS,
    CASH,
    MARGIN,
    TODAY,
    check,
    day,
    day_of,
    digits,
    flag,
    iso_day,
    midnight,
    number,
    number_text,
    one_of,
    stranger,
    text,
    whole,
)

D = Decimal
LONG_AGO = date(2024, 11, 1)

# -- §3.7 --------------------------------------------------------------------------------------------------

SECURITY = {
    "typeCode": one_of("E", "O", "M"),
    "typeCodeDesc": one_of("Equity", "Option", "Mutual Fund"),
    "symbol": text,
    "desc": text,
    "cusip": text,
    "isQuotable": flag,
    "optionDetail?": {
        "contractSymbol": text,
        "expireDate": iso_day,
        "strikePrice": number,
        "type": one_of("C", "P"),
    },
}
AMOUNTS = {
    "price": number,
    "commission": number,
    "fees": number,
    "interest": number,
    "net": number,
    "principal": number,
}
TRADE = {
    "desc": text,
    "shortDesc": text,
    "quantity": number,
    "dateDetail": {"tradedDate": day, "postedDate": day, "stlmntDate": day},
    "securityDetail": SECURITY,
    "amtDetail": AMOUNTS,
    "brokerageDetail": {
        "tradeTypeCode": one_of("1", "2", "3"),
        "tradeTypeCodeDesc": one_of("Cash", "Margin", "Short"),
        "isCancelled": flag,
    },
    "catDetail": {
        "txnTypeCode": one_of("ST"),
        "txnTypeDesc": one_of("Security Transaction or Trade"),
        "txnCatCode": one_of("IA"),
        "txnCatDesc": one_of("Investment Activity"),
        "txnSubCatCode": text,
        "txnSubCatDesc": text,
    },
}
CASH_ENTRY = {
    "desc": text,
    "shortDesc": text,
    "quantity": one_of(0),
    "dateDetail": {"tradedDate": day, "postedDate": day},
    "amtDetail": AMOUNTS,
    "catDetail": {
        "txnTypeCode": one_of("CT"),
        "txnTypeDesc": one_of("Cash Transaction"),
        "txnCatCode": text,
        "txnCatDesc": text,
        "txnSubCatCode?": text,
        "txnSubCatDesc?": text,
    },
}
NO_SECURITY = {"desc": one_of(""), "isQuotable": one_of(False)}


async def test_transactions(tmp_path: Path) -> None:
    async with stranger(tmp_path) as broker:
        found = await broker.history(LONG_AGO, TODAY, CASH, MARGIN, BILLS)
    assert set(found) == {"asOfDate", "acctDetails"}
    assert found["asOfDate"] == midnight(TODAY)
    assert [set(row) for row in found["acctDetails"]] == [{"acctNum", "transactionDetails"}] * 3
    lines = [line for row in found["acctDetails"] for line in row["transactionDetails"]]
    trades = [line for line in lines if line["catDetail"]["txnTypeCode"] == "ST"]
    entries = [line for line in lines if line["catDetail"]["txnTypeCode"] == "CT"]
    assert trades
    assert entries
    for line in trades:
        check(line, TRADE)
    for line in entries:
        security = SECURITY if "symbol" in line["securityDetail"] else NO_SECURITY
        check(line, {**CASH_ENTRY, "securityDetail": security})
    codes = {(line["catDetail"]["txnCatCode"], line["catDetail"]["txnCatDesc"]) for line in entries}
    assert ("DD", "Direct Deposit") in codes
    assert all(
        "txnSubCatCode" not in line["catDetail"]
        for line in entries
        if line["catDetail"]["txnCatCode"] == "DD"
    )


async def test_transactions_of_trades(tmp_path: Path) -> None:
    async with stranger(tmp_path) as broker:
        found = await broker.history(LONG_AGO, TODAY, MARGIN)
    trades = [
        line
        for line in found["acctDetails"][0]["transactionDetails"]
        if line["catDetail"]["txnTypeCode"] == "ST"
    ]
    by_code = {line["catDetail"]["txnSubCatCode"]: line for line in trades}
    assert by_code["BY"]["catDetail"]["txnSubCatDesc"] == "Buy"
    assert by_code["SL"]["catDetail"]["txnSubCatDesc"] == "Sell"
    for line in trades:
        amounts, holding = line["amtDetail"], line["brokerageDetail"]
        assert amounts["net"] == (
            amounts["principal"] - amounts["commission"] - amounts["fees"] + amounts["interest"]
        )
        sells = line["catDetail"]["txnSubCatCode"] == "SL"
        assert (line["quantity"] < 0) is sells
        assert (amounts["net"] > 0) is sells
        assert line["desc"].endswith(f"({holding['tradeTypeCodeDesc']})")
        assert {"1": "Cash", "2": "Margin", "3": "Short"}[holding["tradeTypeCode"]] == holding[
            "tradeTypeCodeDesc"
        ]
        multiplier = 100 if line["securityDetail"]["typeCode"] == "O" else 1
        gross = abs(line["quantity"]) * amounts["price"] * multiplier
        assert abs(abs(amounts["principal"]) - gross) <= D("0.005")
    option = next(line for line in trades if line["securityDetail"]["typeCode"] == "O")
    symbol = option["securityDetail"]["symbol"]
    assert not symbol.startswith("-"), "history carries no dash"
    detail = option["securityDetail"]["optionDetail"]
    short_day = detail["expireDate"][2:].replace("-", "")
    assert symbol == f"{detail['contractSymbol']}{short_day}{detail['type']}{detail['strikePrice']}"
    word = {"C": "CALL", "P": "PUT"}[detail["type"]]
    assert option["securityDetail"]["desc"].startswith(f"{word} ({detail['contractSymbol']}) ")
    assert option["securityDetail"]["desc"].endswith(" (100 SHS)")


# -- §3.9, 3.10 --------------------------------------------------------------------------------------------

ACCOUNT_GAINS = {
    "realizedGain": number,
    "realizedLoss": number,
    "disallowedLoss": number,
    "totalGainLoss": number,
    "washUnadjustedGainLossDetail": {
        "unadjustedGain": number,
        "unadjustedLoss": number,
        "unadjustedTotalGainLoss": number,
    },
}
POSITION_GAINS = {"totalGainLoss": number, "unadjustedTotalGainLoss": number}
COST = {"costBasis": number, "unadjustedCostBasis": number, "disallowedAmount": number}
REALISED = {
    "closedPosition": {
        "portfolioDetail": {
            "portfolioGainLossDetail": {
                "shortTermTotalGainLoss": number,
                "longTermTotalGainLoss": number,
                "totalGainLoss": number,
            },
            "proceedsAmtTotal": number,
            "costBasisTotal": number,
        },
        "acctDetails": {
            "acctDetail": [
                {
                    "acctNum": text,
                    "closedPositionCount": whole,
                    "proceedsAmtTotal": number,
                    "costBasisTotal": number,
                    "longTermGainLossDetail": ACCOUNT_GAINS,
                    "totalGainLossDetail": ACCOUNT_GAINS,
                    "closedPositionDetails": [
                        {
                            "symbol": text,
                            "cusip": text,
                            "securityDescription": text,
                            "securityType": one_of("Stocks/ETFs", "Options", "Mutual Funds"),
                            "quantity": number,
                            "proceedsAmt": number,
                            "isAllBasisAvailable": flag,
                            "isWashSaleAdjusted": flag,
                            "intradayEligibilityCode": one_of("SUCCESSFUL_RECALC"),
                            "securityDetail": {
                                "assetId": digits(6),
                                "securityShortDescription": lambda value: text(value) and len(value) <= 10,
                            },
                            "costBasisDetail": COST,
                            "longTermGainLossDetail": POSITION_GAINS,
                            "totalGainLossDetail": POSITION_GAINS,
                            "todayGainLossSincePurchase": number_text(3),
                            "todayGainLossSincePriorClose": number_text(3),
                        }
                    ],
                }
            ]
        },
    }
}


async def test_closed_positions(tmp_path: Path) -> None:
    async with stranger(tmp_path) as broker:
        found = await broker.closed("2024-11-01", "2026-11-24", CASH, MARGIN, BILLS)
        nothing = await broker.closed("2024-11-01", "2026-11-24")
    check(found, REALISED)
    accounts = found["closedPosition"]["acctDetails"]["acctDetail"]
    assert [row["acctNum"] for row in accounts] == [CASH, MARGIN, BILLS]
    assert (accounts[2]["closedPositionCount"], accounts[2]["closedPositionDetails"]) == (0, [])
    washed = [row for row in accounts[1]["closedPositionDetails"] if row["isWashSaleAdjusted"]]
    assert washed, "the demo customer has a wash sale"
    for row in washed:
        cost = row["costBasisDetail"]
        assert cost["costBasis"] == cost["unadjustedCostBasis"] - cost["disallowedAmount"]
        assert cost["disallowedAmount"] > 0
    assert nothing["closedPosition"]["acctDetails"]["acctDetail"] == []


async def test_closed_lots(tmp_path: Path) -> None:
    lot = {
        "lotId": digits(12),
        "quantity": number,
        "acquiredDate": day,
        "soldDate": day,
        "proceedsAmt": number,
        "costPerShare": number,
        "term": one_of("Long", "Short"),
        "isWashSaleAdjusted": flag,
        "costBasisDetail": COST,
        "gainLossDetail": POSITION_GAINS,
    }
    account = {
        "acctNum": text,
        "symbol": text,
        "cusip": text,
        "securityDescription": text,
        "closedLotCount": whole,
        "proceedsAmtTotal": number,
        "costBasisTotal": number,
        "totalGainLoss": number,
        "closedLotDetails": [lot],
    }
    async with stranger(tmp_path) as broker:
        found = await broker.closed_lots("DIS", "2024-11-01", "2026-11-24", CASH, MARGIN)
    check(found, {"closedLots": {"acctDetails": {"acctDetail": [account]}}})
    cash, margin = found["closedLots"]["acctDetails"]["acctDetail"]
    assert (cash["symbol"], cash["closedLotCount"]) == ("DIS", 2)
    assert {row["term"] for row in cash["closedLotDetails"]} == {"Long", "Short"}
    for row in cash["closedLotDetails"]:
        held = day_of(row["soldDate"]) - day_of(row["acquiredDate"])
        assert (held.days > 365) is (row["term"] == "Long")
    assert margin["closedLotDetails"] == []


# -- §3.4, 3.12 --------------------------------------------------------------------------------------------


async def test_open_lots(tmp_path: Path) -> None:
    lot = {
        "lotId": digits(12),
        "acquiredDate": day,
        "quantity": number,
        "costBasis": number,
        "costPerShare": number,
        "gainLoss": number,
        "term": one_of("Long", "Short"),
    }
    shape = {"acctNum": text, "symbol": text, "lotCount": whole, "lotDetails": {"lotDetail": [lot]}}
    async with stranger(tmp_path) as broker:
        apple = await broker.open_lots(MARGIN, "AAPL")
        short = await broker.open_lots(MARGIN, "SPCE")
        none = await broker.open_lots(MARGIN, "GME")
    check(apple, shape)
    check(short, shape)
    assert (apple["symbol"], apple["lotCount"]) == ("AAPL", 3)
    days = [row["acquiredDate"] for row in apple["lotDetails"]["lotDetail"]]
    assert days == sorted(days)
    assert [row["term"] for row in apple["lotDetails"]["lotDetail"]] == ["Long", "Short", "Short"]
    assert all(row["quantity"] < 0 for row in short["lotDetails"]["lotDetail"])
    assert none == {"acctNum": MARGIN, "symbol": "GME", "lotCount": 0, "lotDetails": {"lotDetail": []}}


async def test_tax_lots(tmp_path: Path) -> None:
    accounting = {
        "qty": one_of(0),
        "term": one_of("Long", "Short"),
        "acquisitionPrice": number,
        "costBasis": number,
        "unrealizedGainLoss": number,
        "source": one_of("Fidelity"),
        "washSaleInd": flag,
        "disqualifiedDisplayTypeCode": one_of("0"),
        "eventIdOrig": one_of(""),
        "localTLABasisPerShare": one_of("0.0000"),
        "localTLATotalBasis": one_of("0.0000"),
        "localUnrealizedGainLoss": one_of("0.0000"),
        "eventId": digits(12),
        "acquisitionDate": day,
        "avgCostPerShare": number,
    }
    shape = {
        "securityDetail": {"symbol": text},
        "execQty": one_of(0),
        "specificShrTaxLotDetail": {
            "specificShrTaxLotDetails": [
                {"lotSeq": whole, "lotQty": number, "specificShrTaxLotAccountingDetail": accounting}
            ],
            "numOfLots": one_of(0),
            "summary": {"numOfLotsTotal": whole, "numOfLots": one_of(0)},
        },
        "acctNum": text,
        "acctTypeCode": one_of(1, 2, 3),
        "lotCurrInd": one_of("false"),
    }
    async with stranger(tmp_path) as broker:
        apple = await broker.tax_lots(MARGIN, "AAPL", "_2")
        in_cash = await broker.tax_lots(MARGIN, "AAPL", "_1")
        short = await broker.tax_lots(MARGIN, "SPCE", "_3")
    for found in (apple, in_cash, short):
        check(found, shape)
    lots = apple["specificShrTaxLotDetail"]["specificShrTaxLotDetails"]
    assert [row["lotSeq"] for row in lots] == [1, 2, 3]
    assert (apple["acctTypeCode"], apple["acctNum"], apple["securityDetail"]) == (
        2,
        MARGIN,
        {"symbol": "AAPL"},
    )
    assert apple["specificShrTaxLotDetail"]["summary"]["numOfLotsTotal"] == 3
    assert (in_cash["acctTypeCode"], in_cash["specificShrTaxLotDetail"]["specificShrTaxLotDetails"]) == (
        1,
        [],
    )
    assert short["specificShrTaxLotDetail"]["summary"]["numOfLotsTotal"] == 1
    for row in lots:
        accounts = row["specificShrTaxLotAccountingDetail"]
        assert accounts["costBasis"] == row["lotQty"] * accounts["avgCostPerShare"]
