"""Drafts, agreements and locates on the paper broker's wire, against protocol 02 §12, 14, 15."""

from pathlib import Path
from typing import Any

import pytest
from lists_kit import Broker

BASE = "/ftgw/dp/ent-research-staging/v1/customers/staged-order"
AGREEMENT = "/ftgw/dp/trade/useragreement/modify/v1"
LOCATE = "/ftgw/dp/reference/security/stock/locate/find/v1"
SUCCESS = {"messages": [{"code": "200", "severity": "INFO", "message": "SUCCESS"}]}
NOTHING = {
    "messages": [{"code": "204", "severity": "INFO", "message": "NOTHING STORED FOR THIS STAGE TYPE."}]
}
DRAFT = {
    "stageType": "saveD_ORDER",
    "acctNum": "Z20000025",
    "symbol": "AAPL",
    "orderActionCode": "B",
    "acctTypeCode": "M",
    "qty": 100,
    "qtyTypeCode": "S",
    "tifCode": "D",
    "priceTypeCode": "L",
    "limitPrice": 241.05,
    "mktRouteCode": "",
}


def staged(broker: Broker, verb: str, *entries: dict[str, Any]) -> Any:
    answer = broker.post(f"{BASE}/{verb}", {"stagedOrders": list(entries)})
    assert answer.status == 200
    return answer.document


def selector(*ids: str) -> dict[str, Any]:
    return {"stageType": "saveD_ORDER", "stageIds": list(ids)}


def test_nothing_is_a_note_without_a_list() -> None:
    assert staged(Broker(), "get", selector()) == NOTHING


def test_save_and_get() -> None:
    broker = Broker()
    answer = staged(broker, "save", DRAFT)
    assert answer == {
        **SUCCESS,
        "stagedOrders": [{"stageId": "SIMSTG000001", "stageType": "saveD_ORDER"}],
    }
    staged(broker, "save", {**DRAFT, "symbol": "KO"})
    found = staged(broker, "get", selector())
    assert found == {
        **SUCCESS,
        "stagedOrders": [
            {"stageId": "SIMSTG000001", **DRAFT},
            {"stageId": "SIMSTG000002", **DRAFT, "symbol": "KO"},
        ],
    }
    one = staged(broker, "get", selector("SIMSTG000002"))["stagedOrders"]
    assert [draft["symbol"] for draft in one] == ["KO"]
    assert staged(broker, "get", selector("SIMSTG000009")) == NOTHING
    assert staged(broker, "get", {"stageType": "other", "stageIds": []}) == NOTHING


def test_a_draft_with_an_id_is_overwritten() -> None:
    broker = Broker()
    staged(broker, "save", DRAFT)
    answer = staged(broker, "save", {**DRAFT, "stageId": "SIMSTG000001", "qty": 7})
    assert answer["stagedOrders"] == [{"stageId": "SIMSTG000001", "stageType": "saveD_ORDER"}]
    (draft,) = staged(broker, "get", selector())["stagedOrders"]
    assert draft == {"stageId": "SIMSTG000001", **DRAFT, "qty": 7}
    assert staged(broker, "save", {**DRAFT, "stageId": "SIMSTG000009"}) == NOTHING
    assert len(staged(broker, "get", selector())["stagedOrders"]) == 1


def test_delete() -> None:
    broker = Broker()
    staged(broker, "save", DRAFT, DRAFT)
    assert staged(broker, "delete", selector("SIMSTG000001", "SIMSTG000009")) == NOTHING
    assert len(staged(broker, "get", selector())["stagedOrders"]) == 2
    assert staged(broker, "delete", selector("SIMSTG000001")) == SUCCESS
    assert [draft["stageId"] for draft in staged(broker, "get", selector())["stagedOrders"]] == [
        "SIMSTG000002"
    ]
    staged(broker, "delete", selector("SIMSTG000002"))
    assert staged(broker, "get", selector()) == NOTHING
    assert staged(broker, "save", DRAFT)["stagedOrders"][0]["stageId"] == "SIMSTG000003"


def test_a_draft_never_reaches_a_market(tmp_path: Path) -> None:
    broker = Broker(path=tmp_path / "paper.sqlite")
    before = broker.desk.engine.orders("Z20000025")
    staged(broker, "save", {**DRAFT, "priceTypeCode": "M"})
    broker.wait(hours=1)
    assert [entry.order.number for entry in broker.desk.engine.orders("Z20000025")] == [
        entry.order.number for entry in before
    ]
    again = Broker(path=tmp_path / "paper.sqlite")
    assert len(staged(again, "get", selector())["stagedOrders"]) == 1


def test_drafts_that_make_no_sense() -> None:
    broker = Broker()
    message = staged(broker, "save", {**DRAFT, "symbol": None})["messages"][0]
    assert (message["code"], message["severity"]) == ("400", "ERROR")
    assert broker.post(f"{BASE}/save", {"stagedOrders": [{**DRAFT, "acctNum": "Z99999999"}]}).status == 403
    assert broker.post(f"{BASE}/save", {"stagedOrders": [{"acctNum": "Z20000025"}]}).status == 400
    assert broker.post(f"{BASE}/delete", {"stagedOrders": [selector()]}).status == 400
    assert staged(broker, "get", selector()) == NOTHING


def agree(broker: Broker, **parameter: Any) -> tuple[int, Any]:
    answer = broker.post(AGREEMENT, {"request": {"parameter": parameter}})
    return answer.status, answer.document


def test_agreement() -> None:
    broker = Broker()
    assert agree(broker, acctNum="Z20000025", agreementTypeCode="EXTHRS", acceptInd=True) == (
        200,
        {"userAgreement": {"acctNum": "Z20000025", "agreementTypeCode": "EXTHRS", "respTypeCode": "A"}},
    )
    for code, accepted in (("NOSUCH", True), ("EXTHRS", False)):
        _, answer = agree(broker, acctNum="Z20000025", agreementTypeCode=code, acceptInd=accepted)
        assert answer["userAgreement"]["respTypeCode"] == "E"
    assert agree(broker, acctNum="Z99999999", agreementTypeCode="EXTHRS", acceptInd=True)[0] == 403
    assert agree(broker, acctNum="Z20000025")[0] == 400


def locate(broker: Broker, symbol: str, quantity: Any) -> tuple[int, Any]:
    answer = broker.post(LOCATE, {"symbol": symbol, "accounts": ["Z20000025"], "qty": quantity})
    return answer.status, answer.document


def test_locate_gives_all_or_nothing() -> None:
    broker = Broker()
    status, found = locate(broker, "GME", 60)
    assert status == 200
    available = found["security"]["availShares"]
    assert available > 60
    assert set(found) == {"security", "locate"}
    assert set(found["security"]) == {"symbol", "cusip", "availShares"}
    assert found["security"]["symbol"] == "GME"
    assert len(found["security"]["cusip"]) == 9
    assert found["locate"] == {"qtyRequested": 60, "qtyLocated": 60, "respTypeCode": "A"}
    assert locate(broker, "GME", available)[1]["locate"]["respTypeCode"] == "A"
    assert locate(broker, "GME", available + 1)[1]["locate"] == {
        "qtyRequested": available + 1,
        "qtyLocated": 0,
        "respTypeCode": "E",
    }


@pytest.mark.parametrize("symbol", ["NOSUCH", ".SPX", "SPAXX"])
def test_there_is_nothing_to_borrow_of_what_cannot_be_sold_short(symbol: str) -> None:
    status, answer = locate(Broker(), symbol, 1)
    assert status == 200
    assert answer["sysMsgs"]["sysMsg"][0]["type"] == "error"
    assert "locate" not in answer


@pytest.mark.parametrize("quantity", [0, -5, "many", None])
def test_a_locate_needs_a_quantity(quantity: Any) -> None:
    assert locate(Broker(), "GME", quantity)[0] == 400


@pytest.mark.parametrize("path", [f"{BASE}/get", f"{BASE}/save", f"{BASE}/delete", AGREEMENT, LOCATE])
def test_no_session_no_answer(path: str) -> None:
    assert Broker().refused("POST", path, {}) == 401
