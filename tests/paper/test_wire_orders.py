"""The paper broker's order documents, against the text of protocol 02: literal key paths and values."""

from typing import Any

import pytest
from market_wire_kit import Broker

CASH, MARGIN = "Z10000017", "Z20000025"
EQUITY = "/ftgw/dp/orderentry/equity/{}/v1"
STATUS = "/ftgw/dp/retail-order-status/v3/accounts/orders/status-{}"


@pytest.fixture
def broker() -> Broker:
    return Broker().log_in()


def equity(**changes: Any) -> dict[str, Any]:
    """The captured equity body (§5.1), with changes to its innermost parts."""
    base = {
        "orderActionCode": "B",
        "acctTypeCode": "C",
        "qty": 4,
        "qtyTypeCode": "S",
        "securityDetail": {"symbol": changes.pop("symbol", "KO")},
    }
    price = {"priceTypeCode": "M"}
    tradable = {"tifCode": "D", "priceTypeDetail": price, "mktRouteCode": ""}
    for name, value in changes.items():
        target = base if name in ("orderActionCode", "acctTypeCode", "qty", "confNum") else tradable
        if name in ("priceTypeCode", "limitPrice", "stopPrice"):
            target = price
        target[name] = value
    parameter = {
        "baseOrderDetail": base,
        "tradableSecOrderDetail": tradable,
        "priceDetail": {},
        "acctNum": CASH,
    }
    return {"request": {"parameter": parameter}}


def placed(body: dict[str, Any], number: str) -> dict[str, Any]:
    body["request"]["parameter"]["baseOrderDetail"]["confNum"] = number
    body["request"]["parameter"] |= {"previewInd": True, "confInd": True}
    return body


def enter(broker: Broker, **changes: Any) -> str:
    """Previews and places an order; answers its number."""
    answer = broker.json("POST", EQUITY.format("preview"), body=equity(**changes))
    number = answer["preview"]["orderConfirmDetail"]["confNum"]
    place = broker.json("POST", EQUITY.format("place"), body=placed(equity(**changes), number))
    assert place["place"]["orderConfirmDetail"]["respTypeCode"] == "A"
    return str(number)


def status(broker: Broker, number: str | None = None) -> dict[str, Any]:
    filters = [
        "fbOpenInd",
        "fbUSDInd",
        "fbFigurationInd",
        "fbDisbursementInd",
        "fbIncludeOptionInd",
        "fbPriceImprovementInd",
        "fvOrderStatusType",
        "fvSymbolWithOption",
        "fvExecCode",
        "fvSymbol",
        "fvOrderTypeCode",
        "symbolOptIndCode",
    ]
    parameter: dict[str, Any] = {**dict.fromkeys(filters), "orderId": number}
    parameter["acctDetails"] = {"acctDetail": [{"acctNum": CASH, "accType": None}]}
    kind = "detail" if number else "summary"
    document: dict[str, Any] = broker.json(
        "POST", STATUS.format(kind), body={"request": {"parameter": parameter}}
    )
    return document


def test_preview_reply(broker: Broker) -> None:
    document = broker.json(
        "POST",
        EQUITY.format("preview"),
        body=equity(symbol="AAPL", qty=3, priceTypeCode="L", limitPrice=250.5),
    )
    preview = document["preview"]
    assert preview["acctNum"] == CASH
    detail = preview["orderConfirmDetail"]
    assert detail["respTypeCode"] == "V"
    assert len(detail["confNum"]) == 8
    assert detail["confNum"].startswith("2")
    assert detail["acctTypeCode"] == "C"
    assert detail["estCommissionDetail"] == {"estCommission": 0, "typeCode": "30"}
    assert detail["dtcEstFee"] == 0
    assert detail["netAmount"] == detail["netProceedsInclusive"] == 751.5
    assert detail["priceDetail"]["bidPrice"] < detail["priceDetail"]["askPrice"]
    assert isinstance(detail["priceDetail"]["priceDateTime"], int)
    order = detail["orderDetail"]
    assert order["baseOrderDetail"] == {
        "orderActionCode": "B",
        "actionCodeDesc": "Buy",
        "qty": 3,
        "qtyTypeCode": "S",
        "valOfOrder": 751.5,
        "securityDetail": {
            "symbol": "AAPL",
            "cusip": order["baseOrderDetail"]["securityDetail"]["cusip"],
            "secDesc": "APPLE INC COM",
        },
    }
    tradable = order["tradableSecOrderDetail"]
    assert tradable["priceTypeDetail"] == {
        "priceTypeCode": "L",
        "priceTypeDesc": "Limit",
        "limitPrice": 250.5,
    }
    assert (tradable["tifCode"], tradable["mktRouteCode"]) == ("D", "")
    assert order["acctNum"] == CASH


def test_refused_preview_says_why_and_still_carries_a_number(broker: Broker) -> None:
    document = broker.json(
        "POST", EQUITY.format("preview"), body=equity(symbol="AAPL", qty=1, priceTypeCode="L", limitPrice=900)
    )
    detail = document["preview"]["orderConfirmDetail"]
    assert detail["respTypeCode"] == "E"
    assert detail["errorCategories"] == ["UNKNOWN"]
    assert detail["confNum"]
    [message] = document["preview"]["orderConfirmMsgs"]["orderConfirmMessage"]
    assert message == {
        "message": "other",
        "detail": "Code=MA5010,Text=Your limit is too distant from the latest trade.,Source=",
        "source": "EquityOptionPreview",
        "code": "2999",
        "type": "error",
    }


def test_place_reply_is_thinner(broker: Broker) -> None:
    answer = broker.json("POST", EQUITY.format("preview"), body=equity())
    number = answer["preview"]["orderConfirmDetail"]["confNum"]
    document = broker.json("POST", EQUITY.format("place"), body=placed(equity(), number))
    detail = document["place"]["orderConfirmDetail"]
    assert (detail["respTypeCode"], detail["confNum"]) == ("A", number)
    assert detail["estCommissionDetail"] == {"estCommission": 0}
    assert "dtcEstFee" not in detail
    assert "netProceedsInclusive" not in detail
    base = detail["orderDetail"]["baseOrderDetail"]
    assert set(base) == {"orderActionCode", "actionCodeDesc", "qty", "securityDetail"}
    assert "mktRouteCode" not in detail["orderDetail"]["tradableSecOrderDetail"]


def test_a_number_is_for_one_place_of_the_same_order(broker: Broker) -> None:
    answer = broker.json("POST", EQUITY.format("preview"), body=equity())
    number = answer["preview"]["orderConfirmDetail"]["confNum"]
    other = broker.json("POST", EQUITY.format("place"), body=placed(equity(qty=5), number))
    assert other["place"]["orderConfirmDetail"]["respTypeCode"] == "E"
    for expected in ("A", "E"):
        again = broker.json("POST", EQUITY.format("place"), body=placed(equity(), number))
        assert again["place"]["orderConfirmDetail"]["respTypeCode"] == expected
    listed = [row["idDetail"]["confNum"] for row in status(broker)["order"]["orderDetails"]["orderDetail"]]
    assert listed.count(number) == 1


def test_status_entry_of_an_open_and_a_filled_order(broker: Broker) -> None:
    resting = enter(broker, symbol="AAPL", qty=2, priceTypeCode="L", limitPrice=240)
    filled = enter(broker)
    document = status(broker)["order"]
    [account] = document["acctDetails"]["acctDetail"]
    assert (account["acctNum"], account["acctLevel"]) == (CASH, "B")
    summary = account["orderSummary"]
    assert set(summary) == {"orderCount", "openCount", "filledCount", "cancelledCount"}
    assert summary["orderCount"] == summary["openCount"] + summary["filledCount"] + summary["cancelledCount"]
    rows = {row["idDetail"]["confNum"]: row for row in document["orderDetails"]["orderDetail"]}
    row = rows[resting]
    assert row["acctNum"] == CASH
    assert row["statusDetail"] == {
        "statusCode": "OPEN",
        "statusDesc": "Open",
        "cancelableInd": True,
        "replaceableInd": True,
        "amountDetail": {
            "qtyRemaining": 2,
            "avgExecPrice": 0,
            "qty": 2,
            "qtyExec": 0,
            "commission": 0,
            "gross": 0,
            "net": 0,
        },
    }
    assert row["idDetail"]["orderSource"] == "WO#"
    assert len(row["idDetail"]["systemOrderId"]) == 10
    base = row["baseOrderDetail"]
    assert base["description"] == "Buy 2 Shares of AAPL Limit at $240.00 (Day)"
    assert (base["acctTypeCode"], base["acctTypeDesc"]) == (1, "Cash")
    assert (base["orderActionCode"], base["sellAllInd"], base["origQty"]) == ("B", False, 2)
    assert base["securityDetail"]["secType"] == "1"
    tradable = row["tradableSecOrderDetail"]
    assert tradable["priceTypeDetail"] == {
        "priceTypeCode": "L",
        "priceTypeDesc": "Limit",
        "priceTypeDetailDesc": "Limit at $240.00",
        "limitPrice": 240,
        "pegInd": False,
    }
    assert (tradable["tifCode"], tradable["tifDesc"], tradable["marketSessionCode"]) == ("D", "Day", "S")
    done = rows[filled]["statusDetail"]
    assert (done["statusCode"], done["cancelableInd"], done["replaceableInd"]) == ("FILLED", False, False)
    price = done["amountDetail"]["avgExecPrice"]
    assert done["statusDesc"] == f"Filled at ${price:.2f}"
    assert done["amountDetail"]["net"] == pytest.approx(4 * price)


def test_status_of_strangers_is_empty(broker: Broker) -> None:
    assert status(broker, "NOSUCH00")["order"]["orderDetails"]["orderDetail"] == []


def test_cancel(broker: Broker) -> None:
    number = enter(broker, symbol="AAPL", qty=2, priceTypeCode="L", limitPrice=240)
    entry = {"confNum": number, "acctNum": CASH, "actionCode": "B"}
    path = "/ftgw/dp/orderentry/cancel/{}/v1"
    body = {"request": {"parameter": {"cancelOrderDetail": [entry]}}}
    [preview] = broker.json("POST", path.format("preview"), body=body)["preview"]["cancelConfirmDetail"]
    assert preview["respTypeCode"] == "V"
    body["request"]["parameter"] |= {"previewInd": False, "confInd": False}  # type: ignore[dict-item]
    [place] = broker.json("POST", path.format("place"), body=body)["place"]["cancelConfirmDetail"]
    assert place == {
        "respTypeCode": "A",
        "confNum": number,
        "acctNum": CASH,
        "actionCode": "B",
        "actionCodeDesc": "Buy",
        "origQty": 2,
        "execQty": 0,
        "remainingQty": 2,
    }
    [row] = status(broker, number)["order"]["orderDetails"]["orderDetail"]
    assert row["statusDetail"]["statusCode"] == "VERIFIED_CANCEL"
    [again] = broker.json("POST", path.format("place"), body=body)["place"]["cancelConfirmDetail"]
    assert again["respTypeCode"] == "E"
    assert again["orderConfirmMsgs"]["orderConfirmMessage"][0]["type"] == "error"


def test_malformed_bodies_are_bad_requests(broker: Broker) -> None:
    assert broker.ask("POST", EQUITY.format("preview"), body={}).status == 400
    assert broker.ask("POST", EQUITY.format("preview"), body=equity(orderActionCode="XX")).status == 400
    assert broker.ask("POST", EQUITY.format("preview"), body=equity(qty="many")).status == 400


def test_a_foreign_account_is_forbidden(broker: Broker) -> None:
    body = equity()
    body["request"]["parameter"]["acctNum"] = "Z99999999"
    reply = broker.ask("POST", EQUITY.format("preview"), body=body)
    assert reply.status == 403
    assert b'"type":"error"' in reply.body


def option(**changes: Any) -> dict[str, Any]:
    base = {
        "orderActionCode": "BC",
        "acctTypeCode": "M",
        "qty": 2,
        "qtyTypeCode": "S",
        "securityDetail": {"symbol": "AAPL270319C270"},
        "specificShrDetail": {},
        **changes,
    }
    tradable = {
        "tifCode": "D",
        "priceTypeDetail": {"priceTypeCode": "M"},
        "mktRouteCode": "",
        "destinationCode": "",
        "optionDetail": {"type": "O"},
    }
    return {
        "request": {
            "parameter": {
                "baseOrderDetail": base,
                "tradableSecOrderDetail": tradable,
                "priceDetail": {},
                "acctNum": MARGIN,
            }
        }
    }


def test_option_preview_and_place(broker: Broker) -> None:
    path = "/ftgw/dp/orderentry/option/{}/v2"
    detail = broker.json("POST", path.format("preview"), body=option())["preview"]["orderConfirmDetail"]
    assert detail["respTypeCode"] == "V"
    assert detail["estCommissionDetail"] == {"estCommission": 1.3, "typeCode": "3"}
    base = detail["orderDetail"]["baseOrderDetail"]
    assert base["actionCodeDesc"] == "Buy Call"
    assert base["securityDetail"]["symbol"] == "AAPL270319C270"
    assert base["specificShrDetail"] == {"taxLotDetails": []}
    assert base["valOfOrder"] == pytest.approx(2 * 100 * detail["priceDetail"]["askPrice"])
    assert detail["orderDetail"]["tradableSecOrderDetail"]["optionDetail"] == {"type": "O"}
    number = detail["confNum"]
    assert number[0] == "K", "November"
    body = option(confNum=number)
    body["request"]["parameter"] |= {"previewInd": False, "confInd": False}
    place = broker.json("POST", path.format("place"), body=body)["place"]["orderConfirmDetail"]
    assert (place["respTypeCode"], place["confNum"]) == ("A", number)
    assert place["netProceedsInclusive"] == detail["netProceedsInclusive"]


def spread(step: str, **base: Any) -> dict[str, Any]:
    def leg(action: str, symbol: str) -> dict[str, Any]:
        return {
            "type": "O",
            "orderActionCode": action,
            "qty": 2,
            "securityDetail": {"symbolCUSIPCode": "S", "symbol": symbol},
            "priceDetail": {"price": 280, "priceDateTime": 1791210600, "bidPrice": 1, "askPrice": 2},
        }

    legs = [leg("BO", "AAPL270319C270"), leg("SO", "AAPL270319C290")]
    return {
        "parameters": {
            "acctNum": MARGIN,
            "tradableSecOrderDetail": {
                "tifCode": "D",
                "dbCrEvenCode": "DB",
                "netAmount": 9.5,
                "destinationCode": "",
            },
            "expDateDefaultInd": True,
            "expTimeDefaultInd": True,
            "baseOrderDetail": {
                "acctTypeCode": "M",
                "reqTypeCode": step,
                **base,
                "optionDetail": {"strategyType": "CU", "numOfLegs": 2, "complexOrderDetails": legs},
            },
        }
    }


def test_multi_leg_preview_speaks_side_and_right(broker: Broker) -> None:
    path = "/ftgw/dp/orderentry/multilegoption/{}/v1"
    answer = broker.json("POST", path.format("preview"), body=spread("N"))["multiLegOptionResponse"]
    [message] = answer["sysMsgs"]["sysMsg"]
    assert message["type"] == "warning"
    assert message["code"] == "1999"
    assert message["detail"].startswith("Code=354020, Text=(354020) ")
    assert message["source"] == "multilegorder"
    detail = answer["orderConfirmDetail"]
    assert detail["respTypeCode"] == "V"
    assert (detail["netAmount"], detail["gcd"], detail["totalEstCommission"]) == (9.5, 2, 2.6)
    assert detail["subtotalValOfOrder"] == 1900
    assert detail["finalTotalValOfOrder"] == 1902.6
    assert detail["netBid"] < detail["midPoint"] < detail["netAsk"]
    package = detail["orderDetail"]["baseOrderDetail"]["optionDetail"]
    assert (package["complexType"], package["numOfLegs"]) == ("CO", 2)
    assert [leg["orderActionCode"] for leg in package["complexOrderDetails"]] == ["BC", "SC"]
    assert package["complexOrderDetails"][0]["securityDetail"] == {
        "symbol": "AAPL270319C270",
        "etfInd": False,
    }
    tradable = detail["orderDetail"]["tradableSecOrderDetail"]
    assert (tradable["dbCrEvenCode"], tradable["aonCode"]) == ("DB", False)
    assert tradable["priceTypeDetail"] == {"priceTypeCode": "L"}
    number = detail["confNum"]
    place = broker.json("POST", path.format("place"), body=spread("P", confNum=number))
    assert place["multiLegOptionResponse"]["orderConfirmDetail"]["respTypeCode"] == "A"


def bracket(numbers: tuple[str, ...] = ()) -> dict[str, Any]:
    def leg(action: str, tif: str, price: dict[str, Any], number: str = "") -> dict[str, Any]:
        base = {"acctTypeCode": "C", "orderActionCode": action, "qty": 5, "secDetail": {"symbol": "KO"}}
        if number:
            base["confNum"] = number
        return {"baseOrderDetail": base, "tradableSecOrderDetail": {"tifCode": tif, "priceTypeDetail": price}}

    first, second = numbers or ("", "")
    return {
        "parameters": {
            "condOrderTypeCode": "OTOCO",
            "acctNum": CASH,
            "cntgntDetails": [],
            "condOrderDetail": {},
            "condOrderDetails": [
                leg("B", "D", {"priceTypeCode": "L", "limitPrice": 65}),
                leg("S", "G", {"priceTypeCode": "L", "limitPrice": 80}, first),
                leg("S", "G", {"priceTypeCode": "S", "stopPrice": 60}, second),
            ],
            **({"previewInd": False, "confInd": False} if numbers else {}),
        }
    }


@pytest.mark.parametrize("form", ["shifted", "aligned"])
def test_conditional_group_takes_both_orders_of_its_numbers(broker: Broker, form: str) -> None:
    path = "/ftgw/dp/orderentry/conditional/{}/v1"
    preview = broker.json("POST", path.format("preview"), body=bracket())["preview"]
    legs = [row["orderConfirmDetail"] for row in preview["condOrderDetails"]]
    assert [leg["respTypeCode"] for leg in legs] == ["V", "V", "V"]
    assert (
        legs[0]["estCommDetail"] == {"estComm": 0, "typeCode": "3"}
        or legs[0]["estCommDetail"]["estComm"] == 0
    )
    assert legs[0]["orderDetail"]["baseOrderDetail"]["secDetail"]["symbol"] == "KO"
    assert legs[0]["netAmt"] == legs[0]["totalCost"] == 325
    [warning] = legs[2]["orderDetail"]["sysMsgs"]["sysMsg"]
    assert warning["message"].startswith("(001924) ")
    assert warning["type"] == "warning"
    numbers = [leg["confNum"] for leg in legs]
    sent = (numbers[0], numbers[1]) if form == "shifted" else (numbers[1], numbers[2])
    place = broker.json("POST", path.format("place"), body=bracket(sent))["place"]
    assert [row["orderConfirmDetail"]["respTypeCode"] for row in place["condOrderDetails"]] == ["A", "A", "A"]
    assert [row["orderConfirmDetail"]["confNum"] for row in place["condOrderDetails"]] == numbers
    rows = {
        row["idDetail"]["confNum"]: row["statusDetail"]["statusCode"]
        for row in status(broker)["order"]["orderDetails"]["orderDetail"]
    }
    assert rows[numbers[0]] == "OPEN"
    assert rows[numbers[1]] == rows[numbers[2]] == "UNTRIGGERED_AWAITS_PRIMARY_TRIGGER"


def test_replace_keeps_the_chain(broker: Broker) -> None:
    number = enter(broker, symbol="AAPL", qty=2, priceTypeCode="L", limitPrice=240)
    path = "/ftgw/dp/orderentry/cancelandreplace/{}/v1"
    body = equity(symbol="AAPL", qty=2, priceTypeCode="L", limitPrice="241.00")
    parameter = body["request"]["parameter"]
    del parameter["priceDetail"]
    parameter["orderNumOrig"] = number
    preview = broker.json("POST", path.format("preview"), body=body)["cancelandreplace"]
    assert (preview["acctNum"], preview["orderNumOrig"]) == (CASH, number)
    new = preview["orderConfirmDetail"]["confNum"]
    assert new != number
    parameter["baseOrderDetail"]["confNum"] = new
    del parameter["tradableSecOrderDetail"]["mktRouteCode"]
    parameter |= {"previewInd": True, "confInd": True}
    place = broker.json("POST", path.format("place"), body=body)["cancelandreplace"]
    assert (place["orderConfirmDetail"]["respTypeCode"], place["orderConfirmDetail"]["confNum"]) == ("A", new)
    [old] = status(broker, number)["order"]["orderDetails"]["orderDetail"]
    [fresh] = status(broker, new)["order"]["orderDetails"]["orderDetail"]
    assert old["statusDetail"]["statusCode"] == "VERIFIED_CANCEL"
    assert fresh["idDetail"]["linkedOrderId"] == number
    assert fresh["tradableSecOrderDetail"]["priceTypeDetail"]["limitPrice"] == 241
