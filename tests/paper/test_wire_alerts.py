"""The alert services on the paper broker's wire, against protocol 04 §3, 4 and 7 and nothing of ours."""

import base64
import json
import re
from datetime import timedelta
from typing import Any
from xml.etree.ElementTree import Element

import pytest
from defusedxml.ElementTree import fromstring
from hypothesis import given
from hypothesis import strategies as st
from lists_kit import MORNING, Broker

from ftcli.paper import event_tokens

SOAPENV = "http://schemas.xmlsoap.org/soap/envelope/"
SUBSCRIPTION = "http://xmlns.fmr.com/institutional/eca/fens/2014/06/AutoSubscription"
ALERTS = "http://xmlns.fmr.com/brokerage/fens/service/ALERTS/2009-09"
HOSTED = ["/ftgw/alerts/services", "/alerts/services"]
TRIGGERS = "/ftgw/dp/retail-price-triggers/v1/investments/research/alert/price-triggers"


def envelope(body: str) -> str:
    return f'<e:Envelope xmlns:e="{SOAPENV}"><e:Header/><e:Body>{body}</e:Body></e:Envelope>'  # any prefix will do


def sign_on(code: str = "ATBT") -> str:
    return envelope(
        f'<x:CustomerSignOn xmlns:x="{SUBSCRIPTION}"><x:AlertCode>{code}</x:AlertCode></x:CustomerSignOn>'
    )


def get_alerts(first: Any = 1, last: Any = 100) -> str:
    window = f"<MsgIndexFrom>{first}</MsgIndexFrom><MsgIndexTo>{last}</MsgIndexTo>"
    return envelope(f'<GetAlerts xmlns="{ALERTS}">{window}</GetAlerts>')


def texts(element: Element) -> dict[str, str]:
    """Local name → text of the elements without children."""
    return {node.tag.rpartition("}")[2]: node.text or "" for node in element.iter() if not len(node)}


def history(broker: Broker, first: int = 1, last: int = 100) -> tuple[int, list[Element]]:
    answer = broker.post("/ftgw/alerts/services/ATBTAlerts", get_alerts(first, last))
    assert answer.status == 200
    part = answer.tree.find(f"{{{SOAPENV}}}Body/{{{ALERTS}}}GetAlertsResponse")
    assert part is not None
    count = part.findtext(f"{{{ALERTS}}}TotalMsgCount")
    assert count is not None
    documents = part.findall(f"{{{ALERTS}}}Messages/{{{ALERTS}}}Message/{{{ALERTS}}}Document")
    assert all(len(document) == 0 for document in documents), "the inner document is text"
    return int(count), [fromstring(document.text or "") for document in documents]


def place(broker: Broker, symbol: str, quantity: int, limit: float | None = None) -> str:
    """Buys in the cash account; answers the order's number."""
    prices: dict[str, Any] = (
        {"priceTypeCode": "M"} if limit is None else {"priceTypeCode": "L", "limitPrice": limit}
    )
    base: dict[str, Any] = {
        "orderActionCode": "B",
        "acctTypeCode": "C",
        "qty": quantity,
        "qtyTypeCode": "S",
        "securityDetail": {"symbol": symbol},
    }
    parameter = {
        "baseOrderDetail": base,
        "tradableSecOrderDetail": {"tifCode": "D", "priceTypeDetail": prices, "mktRouteCode": ""},
        "priceDetail": {},
        "acctNum": "Z10000017",
    }
    entry = "/ftgw/dp/orderentry/equity"
    preview = broker.post(f"{entry}/preview/v1", {"request": {"parameter": parameter}}).document
    number: str = preview["preview"]["orderConfirmDetail"]["confNum"]
    base["confNum"] = number
    parameter |= {"previewInd": True, "confInd": True}
    placed = broker.post(f"{entry}/place/v1", {"request": {"parameter": parameter}}).document
    assert placed["place"]["orderConfirmDetail"]["respTypeCode"] == "A"
    return number


# -- sign-on ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", HOSTED)
def test_sign_on(prefix: str) -> None:
    answer = Broker().post(f"{prefix}/ATBTSubscription", sign_on())
    assert answer.status == 200
    part = answer.tree.find(f"{{{SOAPENV}}}Body/{{{SUBSCRIPTION}}}CustomerSignOnResponse")
    assert part is not None
    assert [node.tag for node in part] == [
        f"{{{SUBSCRIPTION}}}ResultCode",
        f"{{{SUBSCRIPTION}}}ActivationDetails",
    ]
    found = texts(part)
    assert (found["ResultCode"], found["ActivationStatus"]) == ("SUCCESS", "1")
    assert len(base64.b64decode(found["UserId"], validate=True)) == 16
    assert re.fullmatch(r"[0-9a-f]{32}", found["Password"])
    assert re.fullmatch(r"ssl://localhost:\d+", found["ServerUrl"]), "never the real broker's bus"
    assert found["Destination"] == f"EMST.ATP.{found['UserId']},EMST.ATC.BROADCAST"


def test_sign_on_for_another_product_fails_in_a_200() -> None:
    answer = Broker().post("/ftgw/alerts/services/ATBTSubscription", sign_on("OTHER"))
    assert answer.status == 200
    found = texts(answer.tree)
    bus = found.pop("ServerUrl")
    assert bus.startswith("ssl://")
    assert found == {
        "ResultCode": "FAILURE",
        "ActivationStatus": "0",
        "UserId": "none",
        "Password": "none",
        "Destination": "",
    }


@pytest.mark.parametrize(
    ("service", "body"),
    [
        ("ATBTSubscription", ""),
        ("ATBTSubscription", "{}"),
        ("ATBTSubscription", "<a><b></a>"),
        ("ATBTSubscription", "<a/>"),
        ("ATBTSubscription", envelope("<CustomerSignOn><AlertCode>ATBT</AlertCode></CustomerSignOn>")),
        ("ATBTSubscription", envelope(f'<CustomerSignOn xmlns="{SUBSCRIPTION}"/>')),
        ("ATBTAlerts", envelope(f'<GetAlerts xmlns="{ALERTS}"/>')),
        ("ATBTAlerts", get_alerts("one")),
        ("ATBTAlerts", get_alerts(0)),
        ("ATBTAlerts", get_alerts(10, 9)),
    ],
)
def test_what_is_no_request_is_a_fault(service: str, body: str) -> None:
    answer = Broker().post(f"/ftgw/alerts/services/{service}", body)
    assert answer.status == 500
    fault = answer.tree.find(f"{{{SOAPENV}}}Body/{{{SOAPENV}}}Fault")
    assert fault is not None
    assert fault.findtext("faultstring")


@pytest.mark.parametrize("service", ["ATBTSubscription", "ATBTAlerts"])
def test_no_session_no_alerts(service: str) -> None:
    assert Broker().refused("POST", f"/ftgw/alerts/services/{service}") == 401


# -- history ---------------------------------------------------------------------------------------------------


def test_no_alerts_no_messages() -> None:
    answer = Broker().post("/alerts/services/ATBTAlerts", get_alerts())
    part = answer.tree.find(f"{{{SOAPENV}}}Body/{{{ALERTS}}}GetAlertsResponse")
    assert part is not None
    assert [(node.tag, node.text) for node in part] == [(f"{{{ALERTS}}}TotalMsgCount", "0")]


def test_an_execution_is_told() -> None:
    broker = Broker()
    number = place(broker, "KO", 2)
    broker.wait(seconds=2)
    count, (alert, *others) = history(broker)
    assert count == 1 + len(others)
    assert [group.tag for group in alert] == ["MSG_HDR", "DISPLAY_DETAIL", "MSG_DETAIL"]
    found = texts(alert)
    price = found["PRICE"]
    assert re.fullmatch(r"MF\.EX   \.2026-07-08-10\.15\.4\d\.\d{6}", found["MSG_ID"])
    assert re.fullmatch(r"2026-07-08-10\.15\.4\d\.\d{6}", found["ALERT_PUBLISHER_TMST"])
    assert found | {"MSG_ID": "", "ALERT_PUBLISHER_TMST": "", "EXCH_CODE": "?"} == {
        "MSG_ID": "",
        "MSG_TYPE": "MFCEX",
        "MSG_PRIORITY": "6",
        "SYSTEM_FLAG": "3",
        "ALERT_PUBLISHER_TMST": "",
        "DISPLAY_DATA_ENCODING": "TEXT",
        "DISPLAY_DATA": f"Order to BUY 2 KO:  2  filled @ ${price}.   Execution time: 10:15 AM. "
        f"Order Number: {number}",
        "DISPLAY_SYMBOL": "KO",
        "ACCOUNT_NUM": "Z10000017",
        "ORDER_ACTION": "B",
        "ORIGINAL_QTY": "2",
        "EXECUTED_QTY": "2",
        "ORDER_NUM": number,
        "ORDER_STATUS": "1",
        "DISP_MSG_SYMBOL": "KO",
        "AVG_PRICE": price,
        "PRICE": price,
        "EXEC_SHRS": "2",
        "EXEC_DATE": "20260708",
        "EXCH_CODE": "?",
        "GROSS_AMT": f"{2 * float(price):g}",
        "SEC_TYPE": "1",
    }
    assert found["EXCH_CODE"]


def test_a_cancellation_is_told() -> None:
    broker = Broker()
    number = place(broker, "AAPL", 3, 150)
    entry = {"confNum": number, "acctNum": "Z10000017", "actionCode": "B"}
    parameter = {"cancelOrderDetail": [entry], "previewInd": False, "confInd": False}
    broker.post("/ftgw/dp/orderentry/cancel/place/v1", {"request": {"parameter": parameter}})
    broker.wait(minutes=1)
    count, (alert,) = history(broker)
    assert count == 1
    found = texts(alert)
    assert found["MSG_ID"].startswith("CX.01   .2026-07-08-10.1")
    assert {name: found[name] for name in found if name not in ("MSG_ID", "ALERT_PUBLISHER_TMST")} == {
        "MSG_TYPE": "CXL01",
        "MSG_PRIORITY": "5",
        "SYSTEM_FLAG": "2",
        "DISPLAY_DATA_ENCODING": "TEXT",
        "DISPLAY_DATA": f"Order to BUY 3 AAPL cancelled. Order Number: {number}",
        "DISPLAY_SYMBOL": "AAPL",
        "ACCOUNT_NUM": "Z10000017",
        "ORDER_ACTION": "B",
        "ORIGINAL_QTY": "3",
        "EXECUTED_QTY": "0",
        "ORDER_NUM": number,
        "ORDER_STATUS": "5",
        "DISP_MSG_SYMBOL": "AAPL",
        "AVG_PRICE": "",
        "PRICE": "150",
        "EXEC_SHRS": "0",
        "EXEC_DATE": "",
        "EXCH_CODE": "",
        "GROSS_AMT": "",
        "SEC_TYPE": "1",
    }


def test_prices_reached_are_told_newest_first_in_windows() -> None:
    broker = Broker()
    symbols = ["AAPL", "KO", "-AAPL270115C280", "MSFT", "XOM"]
    for symbol in symbols:
        terms = {"currency": "USD", "notes": "", "operator": "greaterThan", "symbol": symbol, "value": 0.01}
        broker.post(f"{TRIGGERS}/create", {"triggers": [terms], "devices": [{"name": "x"}]})
        broker.wait(minutes=1)
    count, alerts = history(broker)
    shown = [(texts(alert)["DISPLAY_SYMBOL"], texts(alert)["DISP_MSG_SYMBOL"]) for alert in alerts]
    assert count == 5
    assert [bare for _, bare in shown] == [symbol.removeprefix("-") for symbol in reversed(symbols)]
    assert dict(map(reversed, shown))["AAPL270115C280"] == "-AAPL270115C280"
    assert {texts(alert)["MSG_TYPE"] for alert in alerts} == {"TRPA"}
    assert {texts(alert)["ACCOUNT_NUM"] for alert in alerts} == {""}
    assert {texts(alert)["SEC_TYPE"] for alert in alerts} == {"1", "8"}
    stamps = [texts(alert)["ALERT_PUBLISHER_TMST"] for alert in alerts]
    assert stamps == sorted(stamps, reverse=True)
    windows = [history(broker, first, last) for first, last in ((1, 2), (3, 4), (5, 6), (6, 9))]
    assert [total for total, _ in windows] == [5] * 4, "the number on file, not the number sent"
    assert [texts(alert)["MSG_ID"] for _, part in windows for alert in part] == [
        texts(alert)["MSG_ID"] for alert in alerts
    ]


# -- token and announcements -----------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["/ftgw/dp", "/ftgw/dpdirect", ""])
def test_a_token_for_the_event_stream(prefix: str) -> None:
    broker = Broker()
    path = f"{prefix}/security/token/authz/generate/1.0"
    document = broker.get(path).document
    assert set(document) == {"token", "expiresAt"}
    header, claims, signature = (part + "=" * (-len(part) % 4) for part in document["token"].split("."))
    assert json.loads(base64.urlsafe_b64decode(header)) == {"alg": "HS256", "typ": "JWT"}
    said = json.loads(base64.urlsafe_b64decode(claims))
    assert said["exp"] == document["expiresAt"] > MORNING.timestamp()
    assert said["sub"] == broker.desk.member_id
    assert len(base64.urlsafe_b64decode(signature)) == 32
    assert broker.refused("GET", path) == 401


def test_the_token_is_recognised_until_it_runs_out() -> None:
    token, expires = event_tokens.mint("member", MORNING)
    end = MORNING + timedelta(seconds=expires - MORNING.timestamp())
    assert event_tokens.is_good(token, "member", MORNING)
    assert not event_tokens.is_good(token, "member", end)
    assert not event_tokens.is_good(token, "other", MORNING)


@given(st.integers(0, 400), st.characters(min_codepoint=33, max_codepoint=126))
def test_a_changed_token_is_not_recognised(place_: int, sign: str) -> None:
    token, _ = event_tokens.mint("member", MORNING)
    index = place_ % len(token)
    changed = token[:index] + sign + token[index + 1 :]
    assert event_tokens.is_good(changed, "member", MORNING) is (changed == token)


@pytest.mark.parametrize("token", ["", ".", "..", "a.b.c", "not a token"])
def test_what_is_no_token_is_not_recognised(token: str) -> None:
    assert not event_tokens.is_good(token, "member", MORNING)


@pytest.mark.parametrize("path", ["/content-headless/v2/content", "/ftgw/dp/content-headless/v2/content"])
def test_announcements(path: str) -> None:
    broker = Broker(MORNING.replace(month=11, day=20))
    answer = broker.get(path, whereused="ActiveTraderMessageCenter")
    assert answer.status == 200
    first, second = answer.document["content"][:2]
    assert first == {
        "id": "msg-20261126-01",
        "title": "Markets closed on November 26",
        "body": "<p>Markets are closed on Thursday, November 26: Thanksgiving Day.</p>",
        "type": "announcement",
        "startDate": "2026-10-12T04:00:00Z",
        "endDate": "2026-11-27T05:00:00Z",
        "priority": 1,
    }
    assert second["title"] == "Early close on November 27"
    assert second["body"] == "<p>Markets close at 1:00 PM ET on Friday, November 27.</p>"
    assert broker.get(path).status == 400, "the header WhereUsed is needed"
    assert broker.refused("GET", path) == 401
