"""Watchlists on the paper broker's wire, against protocol 04 §1 and nothing of ours."""

import re
from pathlib import Path
from typing import Any

import pytest
from lists_kit import Broker

BASE = "/ftgw/dp/retail-watchlist/v1/customers/watchlists"
GET = {
    "watchlists": [{"watchListIds": [], "watchListTypeCode": "WL"}],
    "includeWatchListSecurityDetails": True,
    "positionTypes": ["H", "O"],
}
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
STAMP = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d")
SAVED = {
    "message": "Request Successful",
    "detail": "Watchlists successfully saved for user: demo",
    "source": "",
    "code": "2000",
    "type": "",
}


def row(symbol: str, rank: str, security_id: str | None = None) -> dict[str, Any]:
    found = {"symbol": symbol, "shareQuantity": "0", "rankId": rank, "priceDetail": {"purchasePrice": 0}}
    return found | ({"securityId": security_id} if security_id else {})


def save_body(name: str, rows: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    entry = {
        "watchListName": name,
        "productCode": "WL",
        "isDefault": False,
        "watchListTypeCode": "WL",
        "securityDetails": rows,
        **more,
    }
    return {"watchListDetails": [entry]}


def lists(broker: Broker) -> dict[str, dict[str, Any]]:
    details = broker.post(f"{BASE}/get", GET).document["watchListDetails"]
    return {item["watchListName"]: item for item in details}


def test_get_has_the_shape_of_the_protocol() -> None:
    answer = Broker().post(f"{BASE}/get", GET)
    assert answer.status == 200
    document = answer.document
    assert set(document) == {"sysMsgs", "watchListDetails"}
    assert document["sysMsgs"] == {
        "sysMsg": [{"message": "Successfully retreived all Watchlist Details", "code": "2000"}]
    }
    assert len(document["watchListDetails"]) == 2
    for place, item in enumerate(document["watchListDetails"], start=1):
        assert set(item) == {
            "watchListId", "watchListName", "watchListTypeCode", "isDefault", "sortOrder",
            "createdTimeStamp", "lastUpdatedTime", "securityDetails",
        }  # fmt: skip
        assert UUID.fullmatch(item["watchListId"])
        assert item["watchListTypeCode"] == "WL"
        assert item["isDefault"] is (place == 1)
        assert item["sortOrder"] == place
        assert STAMP.fullmatch(item["createdTimeStamp"])
        assert STAMP.fullmatch(item["lastUpdatedTime"])
        for rank, member in enumerate(item["securityDetails"], start=1):
            assert set(member) == {
                "symbol", "cusip", "securityType", "newsStateInd", "watchCloselyInd", "rankId", "securityId"
            }  # fmt: skip
            assert (member["cusip"], member["securityType"], member["rankId"]) == ("", "", rank)
            assert type(member["watchCloselyInd"]) is bool
            assert type(member["newsStateInd"]) is bool
            assert UUID.fullmatch(member["securityId"])


def test_get_selects_by_id_and_kind_and_leaves_details_out() -> None:
    broker = Broker()
    wanted = lists(broker)["Income"]["watchListId"]
    unknown = "00000000-0000-4000-8000-000000000000"
    selector = {"watchListIds": [wanted, unknown], "watchListTypeCode": "WL"}
    body = {**GET, "watchlists": [selector], "includeWatchListSecurityDetails": False}
    found = broker.post(f"{BASE}/get", body).document["watchListDetails"]
    assert [item["watchListName"] for item in found] == ["Income"]
    assert "securityDetails" not in found[0]
    other = {**GET, "watchlists": [{"watchListIds": [], "watchListTypeCode": "XX"}]}
    assert broker.post(f"{BASE}/get", other).document["watchListDetails"] == []


def test_create_assigns_ids_and_answers_with_little() -> None:
    broker = Broker()
    answer = broker.post(f"{BASE}/save", save_body("Energy", [row("XOM", "1"), row("-AAPL270115C150", "2")]))
    assert answer.status == 200
    document = answer.document
    assert document["sysMsgs"] == {"sysMsg": [SAVED]}
    (entry,) = document["watchListDetails"]
    assert set(entry) == {"watchListId", "securityDetails"}
    assert UUID.fullmatch(entry["watchListId"])
    assert [set(member) for member in entry["securityDetails"]] == [{"securityId", "rankId", "symbol"}] * 2
    assert [(member["symbol"], member["rankId"]) for member in entry["securityDetails"]] == [
        ("XOM", 1),
        ("-AAPL270115C150", 2),
    ]
    kept = lists(broker)["Energy"]
    assert kept["watchListId"] == entry["watchListId"]
    assert kept["createdTimeStamp"] == kept["lastUpdatedTime"] == "2026-07-08 10:15:42.0"
    assert kept["sortOrder"] == 3
    again = broker.post(f"{BASE}/save", save_body("Energy", [])).document["watchListDetails"][0]
    assert again["watchListId"] != entry["watchListId"], "a name is no id"


def test_update_replaces_the_whole_list_and_keeps_what_survives() -> None:
    broker = Broker()
    before = lists(broker)["My watchlist"]
    marked, other = before["securityDetails"][:2]
    assert marked["watchCloselyInd"] is True
    broker.wait(minutes=5, milliseconds=300)
    rows = [row("T", "3"), row(marked["symbol"], "7", marked["securityId"]), row("KO", "1")]
    body = save_body("Renamed", rows, watchListId=before["watchListId"], isDefault=True)
    broker.post(f"{BASE}/save", body)
    after = lists(broker)["Renamed"]
    assert "My watchlist" not in lists(broker)
    assert after["watchListId"] == before["watchListId"]
    assert after["createdTimeStamp"] == before["createdTimeStamp"]
    assert after["lastUpdatedTime"] == "2026-07-08 10:20:42.3"
    assert after["sortOrder"] == before["sortOrder"]
    assert [(item["symbol"], item["rankId"]) for item in after["securityDetails"]] == [
        ("KO", 1),
        ("T", 3),
        (marked["symbol"], 7),
    ], "ranks are those sent, gaps and all"
    survivor = after["securityDetails"][2]
    assert survivor["securityId"] == marked["securityId"]
    assert survivor["watchCloselyInd"] is True
    assert other["securityId"] not in {item["securityId"] for item in after["securityDetails"]}


def test_there_is_one_default_list() -> None:
    broker = Broker()
    broker.post(f"{BASE}/save", save_body("Energy", [], isDefault=True))
    assert {name: item["isDefault"] for name, item in lists(broker).items()} == {
        "My watchlist": False,
        "Income": False,
        "Energy": True,
    }


def test_a_client_may_bring_its_own_id() -> None:
    broker = Broker()
    mine = "0f5b6f6e-2b86-4f0a-9f55-5d2f6fb6a1d1"
    body = save_body("Energy", [row("XOM", "1", "c0a4b1de-8d0f-4b2e-8ab3-1e0d7c2f9a10")], watchListId=mine)
    (entry,) = broker.post(f"{BASE}/save", body).document["watchListDetails"]
    assert entry["watchListId"] == mine
    assert entry["securityDetails"][0]["securityId"] == "c0a4b1de-8d0f-4b2e-8ab3-1e0d7c2f9a10"


@pytest.mark.parametrize(
    "body",
    [
        save_body("  ", [row("XOM", "1")]),
        save_body("Energy", [{"rankId": "1"}]),
        save_body("Energy", [row("XOM", "first")]),
        save_body("Energy", [], watchListTypeCode="XX"),
        {"watchListDetails": []},
    ],
)
def test_a_save_that_makes_no_sense_is_refused_in_a_200(body: dict[str, Any]) -> None:
    broker = Broker()
    answer = broker.post(f"{BASE}/save", body)
    assert answer.status == 200
    assert answer.document["watchListDetails"] == []
    (message,) = answer.document["sysMsgs"]["sysMsg"]
    assert (message["code"], message["type"]) == ("5000", "E")
    assert set(lists(broker)) == {"My watchlist", "Income"}


@pytest.mark.parametrize("form", ["selector", "save"])
def test_delete_takes_both_bodies(form: str) -> None:
    broker = Broker()
    key = lists(broker)["Income"]["watchListId"]
    selector = {"watchlists": [{"watchListIds": [key], "watchListTypeCode": "WL"}]}
    saved = {"watchListDetails": [{"watchListId": key, "watchListTypeCode": "WL"}]}
    answer = broker.post(f"{BASE}/delete", selector if form == "selector" else saved)
    assert answer.document == {
        "sysMsgs": {
            "sysMsg": [
                {
                    "message": "Request Successful",
                    "detail": "Watchlists successfully deleted for user: demo",
                    "source": "",
                    "code": "2000",
                    "type": "",
                }
            ]
        }
    }
    assert set(lists(broker)) == {"My watchlist"}


def test_deleting_what_is_not_there_deletes_nothing() -> None:
    broker = Broker()
    keys = [lists(broker)["Income"]["watchListId"], "00000000-0000-4000-8000-000000000000"]
    body = {"watchlists": [{"watchListIds": keys, "watchListTypeCode": "WL"}]}
    (message,) = broker.post(f"{BASE}/delete", body).document["sysMsgs"]["sysMsg"]
    assert (message["code"], message["type"]) == ("4040", "E")
    assert set(lists(broker)) == {"My watchlist", "Income"}


def test_all_lists_may_go_and_stay_gone() -> None:
    broker = Broker()
    keys = [item["watchListId"] for item in lists(broker).values()]
    body = {"watchlists": [{"watchListIds": keys, "watchListTypeCode": "WL"}]}
    broker.post(f"{BASE}/delete", body)
    assert broker.post(f"{BASE}/get", GET).document["watchListDetails"] == []
    broker.desk.reset()
    assert set(lists(broker)) == {"My watchlist", "Income"}, "a reset puts everything back"


def test_lists_survive_and_processes_share_them(tmp_path: Path) -> None:
    one, two = (Broker(path=tmp_path / "paper.sqlite") for _ in range(2))
    one.post(f"{BASE}/save", save_body("Energy", [row("XOM", "1")]))
    assert "Energy" in lists(two)
    two.post(f"{BASE}/save", save_body("Banks", [row("JPM", "1")]))
    found = lists(Broker(path=tmp_path / "paper.sqlite"))
    assert list(found) == ["My watchlist", "Income", "Energy", "Banks"]
    assert len({item["watchListId"] for item in found.values()}) == 4


@pytest.mark.parametrize("verb", ["get", "save", "delete"])
def test_a_malformed_request_is_a_400_and_no_session_a_401(verb: str) -> None:
    broker = Broker()
    for body in ({}, [], {"other": 1}):
        answer = broker.post(f"{BASE}/{verb}", body)
        assert answer.status == 400
        assert answer.document["sysMsgs"]["sysMsg"][0]["code"] == "4000"
    assert broker.refused("POST", f"{BASE}/{verb}", GET) == 401
