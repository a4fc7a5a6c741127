"""Price triggers on the paper broker's wire, against protocol 04 §2 and the market's own path."""

from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lists_kit import MORNING, Broker

from ftcli.clock import NEW_YORK

BASE = "/ftgw/dp/retail-price-triggers/v1/investments/research/alert/price-triggers"
DEVICES = [{"name": "Active Trader Pro"}, {"name": "Fidelity mobile applications"}]


def body(symbol: str, operator: str, value: float, notes: str = "") -> dict[str, Any]:
    terms = {"currency": "USD", "notes": notes, "operator": operator, "symbol": symbol, "value": value}
    return {"triggers": [terms], "devices": DEVICES}


def create(broker: Broker, symbol: str, operator: str, value: float, notes: str = "") -> dict[str, Any]:
    answer = broker.post(f"{BASE}/create", body(symbol, operator, value, notes))
    assert answer.status == 200
    (trigger,) = answer.document["triggers"]
    found: dict[str, Any] = trigger
    return found


def listed(broker: Broker, status: str = "active", **query: str) -> dict[str, Any]:
    answer = broker.get(f"{BASE}/list", {"status": status, **query})
    assert answer.status == 200
    found: dict[str, Any] = answer.document["priceTrigger"]
    return found


def last(broker: Broker, symbol: str, at: datetime) -> Decimal:
    quote = broker.desk.market.quote(symbol, at)
    assert quote is not None
    assert quote.last is not None
    return quote.last


def price_events(broker: Broker) -> list[tuple[str, str | None, Decimal | None]]:
    found = [event for event in broker.desk.engine.events(0) if event.kind.value in ("TRPA", "TRPB")]
    return [(event.kind.value, event.data.symbol, event.data.price) for event in found]


def test_nothing_listed() -> None:
    answer = Broker().get(f"{BASE}/list", {"symbol": "AAPL", "status": "active", "offset": "0"})
    assert answer.document == {
        "priceTrigger": {"totalAccount": 0, "availableAccount": 0, "offset": 0, "triggers": []}
    }


def test_create_echoes_all_but_notes_and_status() -> None:
    broker = Broker()
    answer = broker.post(f"{BASE}/create", body("AAPL", "greaterThan", 4000, "up"))
    stamp = int(MORNING.timestamp() * 1000)
    assert answer.document == {
        "triggers": [
            {
                "id": "1107340001",
                "symbol": "AAPL",
                "operator": "greaterThan",
                "value": 4000,
                "currency": "USD",
                "createTime": stamp,
                "updateTime": stamp,
                "devices": DEVICES,
            }
        ]
    }
    assert b'"value":4000,' in answer.body, "whole values come without decimals"
    second = create(broker, "AAPL", "lessThanPercent", 6.5)
    assert (second["id"], second["value"]) == ("1107340002", 6.5)


def test_list_has_notes_and_status() -> None:
    broker = Broker()
    made = create(broker, "AAPL", "greaterThan", 4000, "up & away")
    create(broker, "KO", "lessThan", 1)
    found = listed(broker, symbol="AAPL")
    assert {name: found[name] for name in ("totalAccount", "availableAccount", "offset")} == {
        "totalAccount": 1,
        "availableAccount": 1,
        "offset": 0,
    }
    assert found["triggers"] == [{**made, "notes": "up & away", "status": "active"}]
    assert [row["symbol"] for row in listed(broker)["triggers"]] == ["AAPL", "KO"]
    assert listed(broker, status="expired")["triggers"] == []


def test_pages_of_twenty() -> None:
    broker = Broker()
    terms = body("AAPL", "greaterThan", 4000)["triggers"] * 45
    made = broker.post(f"{BASE}/create", {"triggers": terms, "devices": DEVICES}).document["triggers"]
    pages = [listed(broker, offset=str(offset)) for offset in (0, 20, 40, 60)]
    assert [len(page["triggers"]) for page in pages] == [20, 20, 5, 0]
    assert {page["totalAccount"] for page in pages} == {45}
    assert [page["offset"] for page in pages] == [0, 20, 40, 60]
    ids = [row["id"] for page in pages for row in page["triggers"]]
    assert ids == [row["id"] for row in made]
    assert len(set(ids)) == 45


def test_delete_ignores_what_is_not_there() -> None:
    broker = Broker()
    one, two = create(broker, "AAPL", "greaterThan", 4000), create(broker, "KO", "lessThan", 1)
    answer = broker.post(f"{BASE}/delete", {"triggers": [{"id": one["id"]}, {"id": "9999999999"}]})
    assert (answer.status, answer.document) == (200, {"status": "success"})
    assert [row["id"] for row in listed(broker)["triggers"]] == [two["id"]]
    assert create(broker, "AAPL", "greaterThan", 4000)["id"] == "1107340003", "ids are not given twice"


@pytest.mark.parametrize(
    "wrong",
    [
        body("AAPL", "above", 45),
        body("NOSUCH", "greaterThan", 45),
        body("AAPL", "greaterThan", 0),
        body("AAPL", "greaterThan", -1),
        {"triggers": [], "devices": DEVICES},
        {"triggers": body("AAPL", "greaterThan", 45)["triggers"]},
        {},
    ],
)
def test_a_trigger_that_makes_no_sense_is_a_400(wrong: dict[str, Any]) -> None:
    broker = Broker()
    good = body("AAPL", "greaterThan", 4000)["triggers"]
    if wrong.get("triggers") and "devices" in wrong:
        wrong = {**wrong, "triggers": good + wrong["triggers"]}
    assert broker.post(f"{BASE}/create", wrong).status == 400
    assert listed(broker)["triggers"] == [], "all or none"


def test_list_needs_a_status_it_knows() -> None:
    broker = Broker()
    for query in (
        {},
        {"status": "all"},
        {"status": "active", "offset": "-1"},
        {"status": "active", "offset": "x"},
    ):
        assert broker.get(f"{BASE}/list", query).status == 400
    assert broker.refused("GET", f"{BASE}/list") == 401


# -- firing ----------------------------------------------------------------------------------------------------


def test_a_trigger_fires_when_the_path_first_reaches_its_price() -> None:
    broker = Broker()
    sampled = [last(broker, "AAPL", MORNING + timedelta(seconds=5 * step)) for step in range(720)]
    target = max(sampled)
    made = create(broker, "AAPL", "greaterThan", float(target))
    assert last(broker, "AAPL", MORNING) < target
    first_sample = MORNING + timedelta(seconds=5 * sampled.index(target))
    broker.wait(hours=1)
    (fired,) = listed(broker, status="expired")["triggers"]
    assert listed(broker)["triggers"] == []
    assert fired == {
        **made, "notes": "", "status": "expired", "updateTime": fired["updateTime"]
    }  # fmt: skip
    moment = datetime.fromtimestamp(fired["updateTime"] / 1000, NEW_YORK)
    assert MORNING < moment <= first_sample
    assert last(broker, "AAPL", moment) >= target
    earlier = [price for step, price in enumerate(sampled) if MORNING + timedelta(seconds=5 * step) < moment]
    assert all(price < target for price in earlier)
    assert price_events(broker) == [("TRPA", "AAPL", last(broker, "AAPL", moment))]
    (event,) = [event for event in broker.desk.engine.events(0) if event.kind.value == "TRPA"]
    assert int(event.time.timestamp() * 1000) == fired["updateTime"]


def test_percent_counts_from_the_price_at_the_start() -> None:
    broker = Broker()
    start = last(broker, "TSLA", MORNING)
    create(broker, "TSLA", "lessThanPercent", 0.2)
    create(broker, "TSLA", "greaterThanPercent", 0.2)
    broker.wait(hours=6)
    fired = {row["operator"]: row for row in listed(broker, status="expired")["triggers"]}
    assert fired, "the paper market moves by a fifth of a percent in six hours"
    for operator, row in fired.items():
        price = last(broker, "TSLA", datetime.fromtimestamp(row["updateTime"] / 1000, NEW_YORK))
        if operator == "lessThanPercent":
            assert price <= start * Decimal("0.998")
        else:
            assert price >= start * Decimal("1.002")


def test_it_fires_when_anything_looks_and_once_only(tmp_path: Path) -> None:
    one, two = (Broker(path=tmp_path / "paper.sqlite") for _ in range(2))
    for operator in ("greaterThan", "lessThan"):
        create(one, "AAPL", operator, 1 if operator == "greaterThan" else 4000)
    one.wait(seconds=1)
    two.wait(seconds=1)
    one.desk.engine.accounts()  # any look at the engine
    expected = [("TRPA", "AAPL"), ("TRPB", "AAPL")]
    assert [event[:2] for event in price_events(one)] == expected
    assert [event[:2] for event in price_events(two)] == expected
    assert len(listed(two, status="expired")["triggers"]) == 2
    assert [event[:2] for event in price_events(two)] == expected


def test_a_price_that_is_there_already_fires_at_once_but_not_in_no_time() -> None:
    broker = Broker()
    create(broker, "AAPL", "greaterThan", 1)
    assert len(listed(broker)["triggers"]) == 1
    broker.wait(milliseconds=1)
    assert listed(broker)["triggers"] == []


def test_nothing_fires_while_the_exchange_is_closed() -> None:
    evening = MORNING.replace(hour=22)
    broker = Broker(evening, always_open=False)
    create(broker, "AAPL", "greaterThan", 1)
    broker.wait(hours=2)
    assert len(listed(broker)["triggers"]) == 1
    broker.wait(hours=10)
    (fired,) = listed(broker, status="expired")["triggers"]
    opened = (evening + timedelta(days=1)).replace(hour=9, minute=30, second=0)
    assert fired["updateTime"] == int(opened.timestamp() * 1000)


def test_a_deleted_trigger_does_not_fire() -> None:
    broker = Broker()
    made = create(broker, "AAPL", "greaterThan", 1)
    broker.post(f"{BASE}/delete", {"triggers": [{"id": made["id"]}]})
    broker.wait(seconds=5)
    assert listed(broker, status="expired")["triggers"] == []
    assert price_events(broker) == []


def test_after_a_reset_everything_begins_anew() -> None:
    broker = Broker()
    create(broker, "AAPL", "greaterThan", 4000)
    broker.wait(hours=1)
    listed(broker)
    broker.desk.reset()
    assert listed(broker)["triggers"] == []
    made = create(broker, "AAPL", "lessThan", 4000)
    assert made["id"] == "1107340001"
    broker.wait(seconds=1)
    assert [row["id"] for row in listed(broker, status="expired")["triggers"]] == [made["id"]]


@settings(max_examples=15, deadline=None)
@given(
    steps=st.lists(st.integers(1, 3600), min_size=1, max_size=6),
    percent=st.decimals("0.05", "1.5", places=2),
    operator=st.sampled_from(["greaterThanPercent", "lessThanPercent"]),
)
def test_many_looks_find_what_one_look_finds(steps: list[int], percent: Decimal, operator: str) -> None:
    often, once = Broker(), Broker()
    for broker in (often, once):
        create(broker, "NVDA", operator, float(percent))
    for step in steps:
        often.wait(seconds=step)
        listed(often)
    once.wait(seconds=sum(steps))
    assert listed(often, status="expired") == listed(once, status="expired")
    assert price_events(often) == price_events(once)
