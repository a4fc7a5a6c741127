"""Accounts, positions and balances of the paper broker, key by key as protocol 01 §3.1, 3.3 and 3.6 spell them."""

from pathlib import Path
from typing import Any

from accounts_wire_kit import (
    BILLS,
    CASH,
    DISCOVERY,
    MARGIN,
    PLAN,
    ROTH,
    check,
    digits,
    flag,
    moment,
    number,
    number_text,
    one_of,
    stranger,
    text,
    whole,
)

# -- §3.1 --------------------------------------------------------------------------------------------------

DISCOVERED = {
    "acctDetails": [
        {
            "acctNum": text,
            "acctType": one_of("Brokerage", "WPS"),
            "acctSubType": one_of("Brokerage", "Cash Management", "Defined Contributions"),
            "acctSubTypeDesc?": text,
            "preferenceDetail": {
                "name": text,
                "isHidden": flag,
                "acctGroupId?": text,
                "isDefaultAcct?": flag,
            },
            "acctTradeAttrDetail?": {
                "optionLevel": one_of(0, 1, 2, 3, 4, 5),
                "mrgnEstb": flag,
                "optionEstb": flag,
            },
            "acctTypesIndDetail?": {"isRetirement": flag},
            "acctLegalAttrDetail?": {
                "legalConstructCode?": text,
                "offeringCode?": text,
                "lineOfBusinessCode?": text,
            },
            "workplacePlanDetail?": {
                "marketValue": number_text(2),
                "planTypeName": text,
                "planType": text,
                "clientId": digits(9),
                "vestedAcctValEOD": number_text(2),
                "isVested100Pct": flag,
            },
        }
    ]
}


async def test_accounts(tmp_path: Path) -> None:
    blocks = ("Preference", "AcctTradeAttr", "AcctTypesInd", "AcctLegalAttr", "WorkplacePlan", "Group")
    filters = {f"return{block}Detail": True for block in blocks}
    async with stranger(tmp_path) as broker:
        found = await broker.ask(
            DISCOVERY, {"acctCategory": "Brokerage,WorkplaceContributions", "filters": filters}
        )
        alone = await broker.ask(DISCOVERY, {"acctCategory": "Brokerage", "filters": {}})
    check(found, DISCOVERED)
    rows = {row["acctNum"]: row for row in found["acctDetails"]}
    assert set(rows) == {PLAN, BILLS, CASH, MARGIN, ROTH}
    assert rows[PLAN]["acctType"] == "WPS"
    assert "acctTradeAttrDetail" not in rows[PLAN]
    assert "acctSubTypeDesc" not in rows[PLAN]
    assert rows[PLAN]["workplacePlanDetail"]["planTypeName"] == "401K"
    assert "workplacePlanDetail" not in rows[CASH]
    assert rows[CASH]["preferenceDetail"]["isDefaultAcct"] is True
    assert rows[BILLS]["acctLegalAttrDetail"]["offeringCode"] == "CASHMGMTACCT"
    assert rows[ROTH]["acctLegalAttrDetail"]["legalConstructCode"] == "ROTHIRA"
    assert rows[MARGIN]["acctTradeAttrDetail"] == {"optionLevel": 5, "mrgnEstb": True, "optionEstb": True}
    assert [set(row) for row in alone["acctDetails"]] == [
        {"acctNum", "acctType", "acctSubType", "acctSubTypeDesc"}
    ] * 4, "each filter asks for one block"


# -- §3.3 --------------------------------------------------------------------------------------------------

HELD = {
    "position": {
        "portfolioDetail": {
            "portfolioPositionCount": whole,
            "portfolioGainLossDetail": {
                "totalGainLoss": number,
                "totalGainLossPct?": number,
                "costBasisTotal": number,
                "portfolioTotalVal": number,
                "todaysGainLoss": number,
                "todaysGainLossPct?": number,
            },
        },
        "acctDetails": {
            "acctDetail": [
                {
                    "acctNum": text,
                    "accountPositionCount": whole,
                    "accountGainLossDetail": {
                        "totalGainLoss": number,
                        "totalGainLossPct?": number,
                        "costBasisTotal": number,
                        "accountMarketVal": number,
                        "todaysGainLoss": number,
                        "todaysGainLossPct?": number,
                    },
                    "positionDetails": {
                        "positionDetail": [
                            {
                                "symbol": text,
                                "securityType": one_of(
                                    "Core", "Equity", "Exchange Traded", "Mutual Fund", "Option"
                                ),
                                "securitySubType": text,
                                "securityDescription": text,
                                "cusip": lambda value: text(value) and len(value) == 9,
                                "quantity": number,
                                "holdingPct": number,
                                "priceDetail": {
                                    "lastPrice": number,
                                    "lastPriceChg": number,
                                    "lastPriceChgPct": number,
                                    "closingPrice": number,
                                    "prevClosePrice": number,
                                },
                                "marketValDetail": {
                                    "marketVal": number,
                                    "previousMarketVal": number,
                                    "totalGainLoss": number,
                                    "totalGainLossPct": number,
                                    "todaysGainLoss": number,
                                    "todaysGainLossPct": number,
                                },
                                "costBasisDetail": {"avgCostPerShare": number, "costBasis": number},
                                "optionUnderlyingSymbol?": text,
                            }
                        ]
                    },
                }
            ]
        },
    }
}


async def test_positions(tmp_path: Path) -> None:
    async with stranger(tmp_path) as broker:
        found = await broker.positions(CASH, MARGIN, BILLS)
    check(found, HELD)
    accounts = found["position"]["acctDetails"]["acctDetail"]
    assert [row["acctNum"] for row in accounts] == [CASH, MARGIN, BILLS]
    rows = {row["symbol"]: row for row in accounts[1]["positionDetails"]["positionDetail"]}
    core = rows["SPAXX"]
    assert (core["securityType"], core["securitySubType"]) == ("Core", "Fidelity Mutual Fund")
    assert core["priceDetail"]["lastPrice"] == 1
    assert core["costBasisDetail"] == {"avgCostPerShare": 0, "costBasis": 0}
    assert (
        core["marketValDetail"]["totalGainLoss"] == core["marketValDetail"]["marketVal"] == core["quantity"]
    )
    assert rows["AAPL"]["securityType"] == "Equity"
    assert rows["SPY"]["securityType"] == "Exchange Traded"
    options = {name: row for name, row in rows.items() if row["securityType"] == "Option"}
    assert options
    for name, row in options.items():
        assert name.startswith("-"), "positions carry a dash"
        assert row["securitySubType"] == {"C": "Call", "P": "Put"}[name.rstrip("0123456789.")[-1]]
    assert rows["SPCE"]["quantity"] < 0 > rows["SPCE"]["marketValDetail"]["marketVal"]
    assert rows["SPCE"]["holdingPct"] < 0
    assert "totalGainLossPct" not in accounts[2]["accountGainLossDetail"], "nothing there has a cost"


# -- §3.6 --------------------------------------------------------------------------------------------------

MONEY = number
VALUE_BLOCK = {
    "netWorth": MONEY,
    "netWorthChg": MONEY,
    "netWorthChgPct": MONEY,
    "marketVal": MONEY,
    "marketValChg": MONEY,
    "marketValChgPct": MONEY,
    "acctEqtyPct": MONEY,
    "hasUnpricedPosition": flag,
    "regulatoryNetWorth": MONEY,
    "loanedSecMktVal?": MONEY,
}
CASH_BLOCK = {
    "heldInCash": MONEY,
    "coreBalance": MONEY,
    "creditDebit": MONEY,
    "settledAmt": MONEY,
    "cshMoneyMkt": MONEY,
}
WITHDRAW_BLOCK = {"cashOnly": MONEY, "cashWithMargin": MONEY, "unsettledDeposit": MONEY}
OPTIONS_BLOCK = {
    "heldInOption": MONEY,
    "heldInOptionChg": MONEY,
    "optionInTheMoney": MONEY,
    "optionRequirement": MONEY,
    "cashCoveredPutReserve": MONEY,
    "cashSpreadReserve": MONEY,
}
CASH_SNAPSHOT = {
    "asOfDateTime": moment,
    "acctValDetail": VALUE_BLOCK,
    "cashDetail": CASH_BLOCK,
    "buyingPowerDetail": {"cash": MONEY, "cashChg": MONEY, "cashCmtdToOpenOrder": MONEY},
    "availableToWithdrawDetail": WITHDRAW_BLOCK,
    "optionsDetail?": OPTIONS_BLOCK,
}
MARGIN_SNAPSHOT = {
    "asOfDateTime": moment,
    "acctValDetail": VALUE_BLOCK,
    "cashDetail": CASH_BLOCK,
    "buyingPowerDetail": {
        "cash": MONEY,
        "cashChg": MONEY,
        "margin": MONEY,
        "marginChg": MONEY,
        "nonMargin": MONEY,
        "nonMarginChg": MONEY,
        "dayTrade": MONEY,
        "regulatoryDayTrade": MONEY,
        "withoutMarginImpact": MONEY,
        "withoutMarginImpactChg": MONEY,
        "dayTradeCallAmt": MONEY,
        "cashCmtdToOpenOrder": MONEY,
        "cashMarginCmtdToOpenOrder": MONEY,
    },
    "availableToWithdrawDetail": WITHDRAW_BLOCK,
    "marginDetail": {
        "heldInMargin": MONEY,
        "heldInMarginChg": MONEY,
        "creditDebit": MONEY,
        "creditDebitChg": MONEY,
        "equity": MONEY,
        "equityPct": MONEY,
        "interestRate": MONEY,
        "interestAccruedMTD": MONEY,
        "interestAccruedDaily": MONEY,
        "isPhantomMarginCallsAddressed": flag,
        "cashToCoverMarginCalls": MONEY,
        "maintenanceDetail": {
            "houseCallSurplus": MONEY,
            "houseCallSurplusChg": MONEY,
            "exchangeCallSurplus": MONEY,
            "exchangeCallSurplusChg": MONEY,
            "federalSpecialMemorandumAmt": MONEY,
            "federalSpecialMemorandumAmtChg": MONEY,
            "houseSecurityRequirement": MONEY,
        },
    },
    "bondDetail": {
        "corporate": MONEY,
        "corporateChg": MONEY,
        "municipal": MONEY,
        "municipalChg": MONEY,
        "government": MONEY,
        "governmentChg": MONEY,
    },
    "shortDetail": {
        "heldInShort": MONEY,
        "heldInShortChg": MONEY,
        "creditDebit": MONEY,
        "creditDebitChg": MONEY,
        "dailyMarkToMarket": MONEY,
        "dailyMarkToMarketChg": MONEY,
    },
    "optionsDetail": OPTIONS_BLOCK,
    "simplifiedMarginDetail": {
        "netMarketValue": MONEY,
        "netMarketValueChg": MONEY,
        "cashAndCredits": MONEY,
        "cashAndCreditsChg": MONEY,
        "isMarginDebtInGoodOrder": flag,
        "nigoReasonCodes?": [text],
    },
}
FLAGS = {
    "isTrustAccount": flag,
    "isMarginAccount": flag,
    "isLimitedMarginAccount": flag,
    "isPortfolioMarginAccount": flag,
    "isMultiMarginAccount": flag,
    "hasIntradayActivity": flag,
    "hasUnpricedOrder": flag,
    "hasMarginCalls": flag,
    "hasRealTimeBalances": flag,
}


def balances_of(snapshot: dict[str, Any]) -> Any:
    detail = {
        "asOfDateTime": moment,
        "addlInfoDetail": FLAGS,
        "recentBalanceDetail": snapshot,
        "intradayBalanceDetail": snapshot,
        "closeBalanceDetail": snapshot,
    }
    return {"balances": [{"acctNum": text, "brokerageAcctDetail": detail}]}


async def test_balances(tmp_path: Path) -> None:
    async with stranger(tmp_path) as broker:
        margin, cash, bills = [await broker.balances(account) for account in (MARGIN, CASH, BILLS)]
        both = await broker.balances(BILLS, MARGIN)
    check(margin, balances_of(MARGIN_SNAPSHOT))
    check(cash, balances_of(CASH_SNAPSHOT))
    check(bills, balances_of(CASH_SNAPSHOT))
    assert both == {"balances": [*bills["balances"], *margin["balances"]]}
    detail = margin["balances"][0]["brokerageAcctDetail"]
    assert (detail["addlInfoDetail"]["isMarginAccount"], margin["balances"][0]["acctNum"]) == (True, MARGIN)
    assert detail["recentBalanceDetail"]["acctValDetail"]["loanedSecMktVal"] > 0
    assert "optionsDetail" not in bills["balances"][0]["brokerageAcctDetail"]["recentBalanceDetail"]
    assert cash["balances"][0]["brokerageAcctDetail"]["addlInfoDetail"]["isMarginAccount"] is False
