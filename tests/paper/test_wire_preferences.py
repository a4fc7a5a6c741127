"""The stores of settings on the paper broker's wire, against protocol 04 §5, 6 and nothing of ours."""

from pathlib import Path
from typing import Any

import pytest
from lists_kit import Broker

ATN = "/ftgw/dp/retail-customers/v1/personalization/atn-prefs"
INDEPENDENT = "/ftgw/dp/retail-indepInvs-pref/v1"
UPDATED = {"sysMsgs": {"sysMsg": [{"message": "Successful table update"}]}, "preferenceData": []}
GLOBAL = {"DefaultAccountNumber": "Z10000017", "Theme": "Dark", "lastUpdatedBy": "AP149323"}
STORES = {"atn": f"{ATN}/{{}}preference", "independent": f"{INDEPENDENT}/{{}}Preference"}
each_store = pytest.mark.parametrize("store", STORES)


def call(broker: Broker, store: str, verb: str, path: str, **more: Any) -> Any:
    body = {"preferences": [{**more, "preferencePath": path}]}
    answer = broker.post(STORES[store].format(verb), body, appid="AP149323")
    assert answer.status == 200
    return answer.document


def kept(broker: Broker, store: str, path: str = "user/", keys: list[str] | None = None) -> dict[str, Any]:
    document = call(broker, store, "get", path, prefKeys=keys)
    assert all(set(entry) == {"preferencePath", "data"} for entry in document["preferenceData"])
    assert all(len(entry["data"]) == 1 for entry in document["preferenceData"])
    return {entry["preferencePath"]: entry["data"][0] for entry in document["preferenceData"]}


def test_get_has_the_shape_of_the_protocol() -> None:
    document = call(Broker(), "atn", "get", "user/atn/global/v1", prefKeys=None)
    assert document == {
        "sysMsgs": {
            "sysMsg": [
                {
                    "message": "Successful table query",
                    "detail": "",
                    "source": "AP159679",
                    "code": "00000",
                    "type": "",
                }
            ]
        },
        "preferenceData": [{"preferencePath": "user/atn/global/v1", "data": [GLOBAL]}],
    }


def test_a_path_is_a_prefix_of_whole_words() -> None:
    broker = Broker()
    layout = "user/atn/layout/3d1c9b42/v1"
    assert set(kept(broker, "atn")) == {"user/atn/global/v1", layout}
    assert set(kept(broker, "atn", "user/atn")) == {"user/atn/global/v1", layout}
    assert set(kept(broker, "atn", "user/atn/layout/3d1c9b42")) == {layout}
    assert kept(broker, "atn", "user/atn/layout/3d1") == {}
    assert kept(broker, "atn", "elsewhere/") == {}


def test_keys_choose() -> None:
    broker = Broker()
    assert kept(broker, "atn", keys=["Theme", "NavBarPosition"]) == {
        "user/atn/global/v1": {"Theme": "Dark", "lastUpdatedBy": "AP149323"},
        "user/atn/layout/3d1c9b42/v1": {"NavBarPosition": "Left", "lastUpdatedBy": "AP149323"},
    }
    assert kept(broker, "atn", keys=["NoSuchKey"]) == {}
    document = call(broker, "atn", "get", "user/", prefKeys=["NoSuchKey"])
    assert document["sysMsgs"]["sysMsg"][0]["message"] == "Successful table query"


@each_store
def test_save_sets_names_and_leaves_the_others(store: str) -> None:
    broker = Broker()
    path = "user/some/place/v1"
    assert call(broker, store, "save", path, prefValues={"One": "1", "Two": " -- "}) == UPDATED
    assert call(broker, store, "save", path, prefValues={"One": '{"a":[1,2]}'}) == UPDATED
    assert kept(broker, store, path) == {
        path: {"One": '{"a":[1,2]}', "Two": " -- ", "lastUpdatedBy": "AP149323"}
    }


@each_store
def test_delete_takes_names_or_everything_below(store: str) -> None:
    broker = Broker()
    for path in ("user/x/v1", "user/x/y/v1", "user/xy/v1"):
        call(broker, store, "save", path, prefValues={"One": "1", "Two": "2"})
    assert call(broker, store, "delete", "user/x/v1", prefKeys=["One", "NoSuchKey"]) == UPDATED
    assert kept(broker, store, "user/x/v1") == {"user/x/v1": {"Two": "2", "lastUpdatedBy": "AP149323"}}
    call(broker, store, "delete", "user/x/v1", prefKeys=["Two"])
    assert kept(broker, store, "user/x/v1") == {}, "a path without settings is gone"
    assert call(broker, store, "delete", "user/x", prefKeys=None) == UPDATED
    left = kept(broker, store)
    assert "user/x/y/v1" not in left
    assert "user/xy/v1" in left, "half a name is no path"


def test_the_two_stores_know_nothing_of_each_other(tmp_path: Path) -> None:
    broker = Broker(path=tmp_path / "paper.sqlite")
    assert kept(broker, "independent") == {
        "user/chart/v1": {
            "ChartDefaults": '{"barWidth":"DAILY","type":"candle"}',
            "lastUpdatedBy": "AP149323",
        }
    }
    call(broker, "independent", "save", "user/atn/global/v1", prefValues={"Theme": "Light"})
    assert kept(broker, "atn", "user/atn/global/v1") == {"user/atn/global/v1": GLOBAL}
    again = Broker(path=tmp_path / "paper.sqlite")
    assert set(kept(again, "independent")) == {"user/chart/v1", "user/atn/global/v1"}


def test_everything_may_go_and_stay_gone() -> None:
    broker = Broker()
    call(broker, "atn", "delete", "user/", prefKeys=None)
    assert kept(broker, "atn") == {}
    assert kept(broker, "independent")


@each_store
@pytest.mark.parametrize(
    ("verb", "entry"),
    [
        ("get", {"prefKeys": None}),
        ("get", {"preferencePath": "user/", "prefKeys": "Theme"}),
        ("save", {"preferencePath": "user/a/v1"}),
        ("save", {"preferencePath": "user/a/v1", "prefValues": {"Number": 5}}),
        ("delete", {"prefKeys": ["Theme"]}),
        ("delete", {"preferencePath": "user/a/v1", "prefKeys": [5]}),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_200(store: str, verb: str, entry: dict[str, Any]) -> None:
    broker = Broker()
    for body in ({"preferences": [entry]}, {"preferences": []}, {}):
        answer = broker.post(STORES[store].format(verb), body)
        assert answer.status == 200
        (message,) = answer.document["sysMsgs"]["sysMsg"]
        assert (message["message"], message["code"]) == ("Error occurred", "99999")
        assert answer.document["preferenceData"] == []
    assert kept(broker, "atn", "user/a") == {}
    assert broker.refused("POST", STORES[store].format(verb), {}) == 401
