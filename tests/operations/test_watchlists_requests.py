"""What the operations on watchlists, triggers, preferences and drafts say to the broker, word for word."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from lists_data import (
    ATN,
    CALLS,
    CONTENT,
    INDEPENDENT,
    MARGIN,
    ORDER,
    STAGED,
    TOKEN,
    TRIGGERS,
    WATCHLISTS,
    Call,
    example,
)
from market_kit import Seen, wired
from msgspec.structs import replace

from ftcli.client import Client
from ftcli.errors import BrokerError, CallRefused, FtError, LostReply, NotFound, ValidationFailed
from ftcli.models.alerts import TriggerOperator, TriggerStatus
from ftcli.models.json import loads
from ftcli.models.preferences import PreferenceValues
from ftcli.models.watchlists import WatchlistChange, WatchlistEntry

D = Decimal
ENERGY = "0f5b6f6e-2b86-4f0a-9f55-5d2f6fb6a1d1"
NVLT_ROW, DVQX_ROW = "c0a4b1de-8d0f-4b2e-8ab3-1e0d7c2f9a10", "55e3f0c7-41aa-4f86-a9ce-0b6e8a7d3f22"


def row(symbol: str, rank: str, security_id: str | None = None, **more: Any) -> dict[str, Any]:
    found = {
        "symbol": symbol,
        "shareQuantity": "0",
        "rankId": rank,
        "priceDetail": {"purchasePrice": 0},
        **more,
    }
    return found | ({"securityId": security_id} if security_id else {})


# -- watchlists ------------------------------------------------------------------------------------------------


async def test_watchlists_are_asked_for_by_id_or_all(tmp_path: Path) -> None:
    async with wired(tmp_path) as (client, wire, _):
        wire.say(f"{WATCHLISTS}/get", example("watchlists.json"))
        await client.watchlists.list()
        found = await client.watchlists.list([ENERGY], include_security_details=False)
        named = await client.watchlists.list(["empty ONE", ENERGY])
        with pytest.raises(NotFound):
            await client.watchlists.list(["Nothing of the kind"])
    asked = [seen.document for seen in wire.of(f"{WATCHLISTS}/get")]
    assert asked[0] == {
        "watchlists": [{"watchListIds": [], "watchListTypeCode": "WL"}],
        "includeWatchListSecurityDetails": True,
        "positionTypes": ["H", "O"],
    }
    assert asked[1]["watchlists"][0]["watchListIds"] == [ENERGY]
    assert asked[1]["includeWatchListSecurityDetails"] is False
    assert [item.name for item in found.watchlists] == ["Energy"]
    assert found.watchlists[0].count is None, "what was not asked for is not known"
    assert asked[2]["watchlists"][0]["watchListIds"] == [], "the broker knows no names"
    assert [item.name for item in named.watchlists] == ["Energy", "Empty one"]


async def saved(tmp_path: Path, change: WatchlistChange) -> list[dict[str, Any]]:
    """The lists in the save requests of a change."""
    async with wired(tmp_path) as (client, wire, _):
        wire.say(f"{WATCHLISTS}/get", example("watchlists.json"))
        wire.say(f"{WATCHLISTS}/save", example("watchlist_saved.json"))
        await client.watchlists.save(change)
    return [entry for seen in wire.of(f"{WATCHLISTS}/save") for entry in seen.document["watchListDetails"]]


async def test_a_new_list_has_no_ids(tmp_path: Path) -> None:
    securities = [
        WatchlistEntry(symbol="nvlt"),
        WatchlistEntry(symbol="QRS", quantity=D("25.0"), purchase_price=D("198.40")),
        WatchlistEntry(symbol="AAPL 2027-01-15 150 C"),
        WatchlistEntry(symbol="NVLT", quantity=D(1)),
    ]
    (entry,) = await saved(tmp_path, WatchlistChange(name=" Energy ", securities=securities, is_default=True))
    assert entry == {
        "watchListName": "Energy",
        "productCode": "WL",
        "isDefault": True,
        "watchListTypeCode": "WL",
        "securityDetails": [
            row("NVLT", "1", shareQuantity="1"),
            row("QRS", "2", shareQuantity="25", priceDetail={"purchasePrice": D("198.4")}),
            row("-AAPL270115C150", "3"),
        ],
    }


@pytest.mark.parametrize(
    ("change", "name", "rows"),
    [
        ({"name": "Oil"}, "Oil", [row("NVLT", "1", NVLT_ROW), row("DVQX", "2", DVQX_ROW)]),
        ({"symbols": ["QRS", "dvqx"]}, "Energy", [row("QRS", "1"), row("DVQX", "2", DVQX_ROW)]),
        ({"symbols": []}, "Energy", []),
        (
            {"add": ["QRS", "NVLT"], "remove": ["DVQX"]},
            "Energy",
            [row("NVLT", "1", NVLT_ROW), row("QRS", "2")],
        ),
    ],
)
async def test_a_change_sends_the_whole_list(
    tmp_path: Path, change: dict[str, Any], name: str, rows: list[dict[str, Any]]
) -> None:
    (entry,) = await saved(tmp_path, WatchlistChange(watchlist_id="energy", **change))
    assert entry == {
        "watchListName": name,
        "productCode": "WL",
        "isDefault": True,
        "watchListId": ENERGY,
        "watchListTypeCode": "WL",
        "securityDetails": rows,
    }


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({}, "name"),
        ({"name": " "}, "name"),
        ({"watchlist_id": " ", "name": "x"}, "watchlist_id"),
        ({"watchlist_id": ENERGY, "name": ""}, "name"),
        ({"name": "x", "symbols": ["A"], "securities": [WatchlistEntry(symbol="B")]}, "securities"),
        ({"name": "x", "symbols": ["A"], "add": ["B"]}, "add"),
        ({"name": "x", "remove": ["B"]}, "remove"),
    ],
)
def test_a_change_that_makes_no_sense(change: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationFailed) as problem:
        WatchlistChange(**change)
    assert (problem.value.details or {})["field"] == field


@pytest.mark.parametrize(
    "entry", [{"quantity": D(-1)}, {"purchase_price": D("NaN")}, {"quantity": D("Infinity")}]
)
def test_an_entry_that_makes_no_sense(entry: dict[str, Any]) -> None:
    with pytest.raises(ValidationFailed):
        WatchlistEntry(symbol="A", **entry)


async def test_what_is_refused_is_not_sent(tmp_path: Path) -> None:
    async with wired(tmp_path) as (client, wire, _):
        wire.say(f"{WATCHLISTS}/get", example("watchlists.json"))
        for change in (
            WatchlistChange(name="x", symbols=["<b>"]),
            WatchlistChange(watchlist_id=ENERGY, remove=["QRS"]),
        ):
            with pytest.raises(ValidationFailed):
                await client.watchlists.save(change)
        with pytest.raises(NotFound):
            await client.watchlists.save(WatchlistChange(watchlist_id="Nothing", add=["QRS"]))
    assert wire.of(f"{WATCHLISTS}/save") == []


async def test_a_name_of_two_lists_is_no_id(tmp_path: Path) -> None:
    document = loads(example("watchlists.json"))
    document["watchListDetails"][1]["watchListName"] = "ENERGY"
    async with wired(tmp_path) as (client, wire, _):
        wire.say(f"{WATCHLISTS}/get", document)
        with pytest.raises(ValidationFailed, match="several lists"):
            await client.watchlists.delete("energy")
        assert wire.of(f"{WATCHLISTS}/delete") == []


async def test_delete_sends_the_id_and_looks_again(tmp_path: Path) -> None:
    left = loads(example("watchlists.json"))
    left["watchListDetails"] = left["watchListDetails"][1:]
    answers = [example("watchlists.json"), None]

    def get(seen: Seen) -> tuple[int, bytes]:
        body = answers.pop(0)
        return 200, body if body is not None else b'{"watchListDetails": []}'

    async with wired(tmp_path) as (client, wire, _):
        wire.answer_by(f"{WATCHLISTS}/get", get)
        wire.say(f"{WATCHLISTS}/delete", example("watchlist_deleted.json"))
        answer = await client.watchlists.delete("Energy")
    assert (answer.watchlist_id, answer.name, answer.deleted) == (ENERGY, "Energy", True)
    (asked,) = wire.of(f"{WATCHLISTS}/delete")
    assert asked.document == {"watchlists": [{"watchListIds": [ENERGY], "watchListTypeCode": "WL"}]}
    assert answers == [], "it looked again"


# -- price triggers ----------------------------------------------------------------------------------------------


async def test_trigger_requests(tmp_path: Path) -> None:
    async with wired(tmp_path) as (client, wire, _):
        triggers = client.alerts.price_triggers
        wire.say(f"{TRIGGERS}/create", example("trigger_created.json"))
        await triggers.create("nvlt", TriggerOperator.GREATER_THAN, D(45))
        await triggers.create(
            "AAPL 2027-01-15 150 C", TriggerOperator.LESS_THAN_PERCENT, D("6.5"), "usd", " cut ", ["Phone"]
        )
        wire.say(f"{TRIGGERS}/delete", example("trigger_deleted.json"))
        await triggers.delete(" 1107340021 ")
    first, second = (seen.document for seen in wire.of(f"{TRIGGERS}/create"))
    assert first == {
        "triggers": [
            {"currency": "USD", "notes": "", "operator": "greaterThan", "symbol": "NVLT", "value": 45}
        ],
        "devices": [{"name": "Active Trader Pro"}, {"name": "Fidelity mobile applications"}],
    }
    assert second == {
        "triggers": [
            {
                "currency": "USD",
                "notes": "cut",
                "operator": "lessThanPercent",
                "symbol": "-AAPL270115C150",
                "value": D("6.5"),
            }
        ],
        "devices": [{"name": "Phone"}],
    }
    (deleted,) = wire.of(f"{TRIGGERS}/delete")
    assert deleted.document == {"triggers": [{"id": "1107340021"}]}


async def test_trigger_pages_are_fetched_to_the_end(tmp_path: Path) -> None:
    def page(seen: Seen) -> tuple[int, bytes]:
        offset = int(seen.query["offset"])
        rows = ",".join(f'{{"id":"{number}"}}' for number in range(offset, min(offset + 20, 45)))
        return 200, f'{{"priceTrigger":{{"totalAccount":45,"triggers":[{rows}]}}}}'.encode()

    async with wired(tmp_path) as (client, wire, _):
        wire.answer_by(f"{TRIGGERS}/list", page)
        answer = await client.alerts.price_triggers.list()
        rest = await client.alerts.price_triggers.list("nvlt", TriggerStatus.EXPIRED, 40)
    assert [trigger.trigger_id for trigger in answer.triggers] == [str(number) for number in range(45)]
    assert answer.total == 45
    assert isinstance(answer.raw, list)
    assert [trigger.trigger_id for trigger in rest.triggers] == ["40", "41", "42", "43", "44"]
    queries = [seen.query for seen in wire.of(f"{TRIGGERS}/list")]
    assert queries == [
        {"status": "active", "offset": "0"},
        {"status": "active", "offset": "20"},
        {"status": "active", "offset": "40"},
        {"symbol": "NVLT", "status": "expired", "offset": "40"},
    ]


@pytest.mark.parametrize("total", ["", '"totalAccount":0,', '"totalAccount":500,'])
async def test_a_service_that_knows_no_pages_is_asked_twice(tmp_path: Path, total: str) -> None:
    body = f'{{"priceTrigger":{{{total}"triggers":[{{"id":"1"}},{{"symbol":"A"}},{{"symbol":"B"}}]}}}}'
    async with wired(tmp_path) as (client, wire, _):
        wire.say(f"{TRIGGERS}/list", body.encode())
        answer = await client.alerts.price_triggers.list()
    assert len(answer.triggers) == 3
    assert len(wire.of(f"{TRIGGERS}/list")) == 2


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"value": D(0)}, "value"),
        ({"value": D("NaN")}, "value"),
        ({"value": D(100), "operator": TriggerOperator.LESS_THAN_PERCENT}, "value"),
        ({"symbol": "<b>"}, "symbol"),
        ({"currency": "dollars"}, "currency"),
        ({"devices": []}, "devices"),
        ({"devices": [" "]}, "devices"),
    ],
)
async def test_a_trigger_that_makes_no_sense(tmp_path: Path, arguments: dict[str, Any], field: str) -> None:
    given = {"symbol": "NVLT", "operator": TriggerOperator.LESS_THAN, "value": D(5), **arguments}
    async with wired(tmp_path) as (client, wire, _):
        with pytest.raises(ValidationFailed) as problem:
            await client.alerts.price_triggers.create(**given)
        for wrong in ("", "a/b", "é", "1" * 65, "../create"):
            with pytest.raises(ValidationFailed):
                await client.alerts.price_triggers.delete(wrong)
        with pytest.raises(ValidationFailed):
            await client.alerts.price_triggers.list(offset=-1)
    assert (problem.value.details or {})["field"] == field
    assert wire.seen == []


async def test_a_create_that_made_nothing(tmp_path: Path) -> None:
    async with wired(tmp_path) as (client, wire, _):
        for body, kind in (
            (b'{"triggers": []}', CallRefused),
            (b"{}", LostReply),
            (b"", LostReply),
            (b'{"sysMsgs":{"sysMsg":[{"type":"E","message":"full"}]}}', CallRefused),
        ):
            wire.say(f"{TRIGGERS}/create", body)
            with pytest.raises(kind):
                await client.alerts.price_triggers.create("NVLT", TriggerOperator.LESS_THAN, D(5))
    assert len(wire.of(f"{TRIGGERS}/create")) == 4, "each was sent once"


# -- preferences -----------------------------------------------------------------------------------------------


async def test_preference_requests(tmp_path: Path) -> None:
    values = PreferenceValues(preference_path=" user/atn/global/v1 ", values={"Theme": " Dark ", "Empty": ""})
    async with wired(tmp_path) as (client, wire, _):
        for store in (client.preferences, client.preferences.independent):
            await store.get()
            await store.get("user/chart/", ["ChartDefaults"])
            await store.set(values)
            await store.delete("user/atn/layout/3d1c9b42")
            await store.delete("user/", ["Theme"])
    expected = {
        "get": [
            {"prefKeys": None, "preferencePath": "user/"},
            {"prefKeys": ["ChartDefaults"], "preferencePath": "user/chart/"},
        ],
        "save": [{"prefValues": {"Theme": " Dark ", "Empty": ""}, "preferencePath": "user/atn/global/v1"}],
        "delete": [
            {"prefKeys": None, "preferencePath": "user/atn/layout/3d1c9b42"},
            {"prefKeys": ["Theme"], "preferencePath": "user/"},
        ],
    }
    for verb, entries in expected.items():
        for path in (f"{ATN}/{verb}preference", f"{INDEPENDENT}/{verb}Preference"):
            assert [seen.document for seen in wire.of(path)] == [
                {"preferences": [entry]} for entry in entries
            ]


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda store: store.get(""), "preference_path"),
        (lambda store: store.get("user/a b"), "preference_path"),
        (lambda store: store.get("user/\x00"), "preference_path"),
        (lambda store: store.get("user/", [""]), "pref_keys"),
        (lambda store: store.get("user/", ["A", "A"]), "pref_keys"),
        (lambda store: store.delete("user/"), "preference_path"),
        (lambda store: store.delete("/user/atn"), "preference_path"),
        (lambda store: store.delete("user/atn/x", []), "pref_keys"),
        (lambda store: store.set(PreferenceValues(preference_path="user/x", values={})), "values"),
        (lambda store: store.set(PreferenceValues(preference_path="", values={"A": ""})), "preference_path"),
        (
            lambda store: store.set(PreferenceValues(preference_path="u/x", values={"lastUpdatedBy": "x"})),
            "values",
        ),
    ],
)
async def test_preferences_that_make_no_sense(tmp_path: Path, call: Any, field: str) -> None:
    async with wired(tmp_path) as (client, wire, _):
        for store in (client.preferences, client.preferences.independent):
            with pytest.raises(ValidationFailed) as problem:
                await call(store)
            assert (problem.value.details or {})["field"] == field
    assert wire.seen == []


# -- places that are not certain ---------------------------------------------------------------------------------


async def test_the_token_is_looked_for_in_three_places(tmp_path: Path) -> None:
    bare = "/security/token/authz/generate/1.0"
    async with wired(tmp_path) as (client, wire, _):
        wire.say(TOKEN, b"{}", 404)
        wire.say(f"/ftgw/dpdirect{bare}", b"", 404)
        assert (await client.alerts.event_token()).token == "***"
        wire.say(bare, b"", 404)
        with pytest.raises(CallRefused):
            await client.alerts.event_token()
        wire.say(TOKEN, b"{}", 403)
        with pytest.raises(CallRefused):
            await client.alerts.event_token()
    paths = [seen.path for seen in wire.seen if seen.path.endswith(bare)]
    assert paths == [TOKEN, f"/ftgw/dpdirect{bare}", bare] * 2 + [TOKEN], "only a 404 leads on"


@pytest.mark.parametrize("status", [403, 404, 500])
async def test_announcements_are_looked_for_in_two_places(tmp_path: Path, status: int) -> None:
    second = f"/ftgw/dp{CONTENT}"
    async with wired(tmp_path) as (client, wire, _):
        wire.say(CONTENT, b"", status)
        wire.say(second, example("content.json"))
        assert len((await client.alerts.announcements()).announcements) == 1
        wire.say(second, b"", 404)
        with pytest.raises(BrokerError, match="neither"):
            await client.alerts.announcements()
    for seen in (*wire.of(CONTENT), *wire.of(second)):
        assert seen.headers["whereused"] == "ActiveTraderMessageCenter"


# -- what is sent once ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
async def test_a_failing_broker(tmp_path: Path, call: Call) -> None:
    """Reads are tried four times, what must not be repeated once, and then nobody knows."""
    changes = call.file not in ("watchlists.json", "triggers.json", "triggers_older.json", "preferences.json")
    changes &= call.file not in ("independent.json", "content.json", "token.json", "staged.json")
    async with wired(tmp_path) as (client, wire, _):
        wire.say(call.path, b"", 500)
        wire.say(f"/ftgw/dp{CONTENT}", b"", 500)
        with pytest.raises(FtError) as problem:
            await call.make(client)
    assert len(wire.of(call.path)) == (1 if changes else 4)
    assert isinstance(problem.value, LostReply) is call.once


async def test_drafts_are_overwritten_only_where_they_are(tmp_path: Path) -> None:
    async with wired(tmp_path) as (client, wire, _):
        wire.say(f"{STAGED}/save", example("staged_none.json"))
        with pytest.raises(NotFound):
            await client.orders.staged.save(ORDER, "SIMSTG000009")
    (asked,) = wire.of(f"{STAGED}/save")
    assert asked.document["stagedOrders"][0] == {
        "stageType": "saveD_ORDER",
        "acctNum": MARGIN,
        "symbol": "ACMX",
        "orderActionCode": "B",
        "acctTypeCode": "M",
        "qty": 100,
        "qtyTypeCode": "S",
        "tifCode": "D",
        "priceTypeCode": "L",
        "limitPrice": D("41.05"),
        "mktRouteCode": "",
        "stageId": "SIMSTG000009",
    }
    assert asked.headers["fid-log-tracking-id"].startswith("REQ")


async def test_inferred_paths_can_be_replaced(tmp_path: Path) -> None:
    async with wired(tmp_path) as (client, wire, _):
        paths = {"alerts.event_token": "/elsewhere/token", "preferences.independent.get": "/elsewhere/prefs"}
        other = Client(replace(client.settings, paths=paths), client.broker, client.now)
        wire.say("/elsewhere/token", b"h.p.s")
        wire.say("/elsewhere/prefs", example("independent.json"))
        assert (await other.alerts.event_token(reveal=True)).token == "h.p.s"
        assert len((await other.preferences.independent.get()).preferences) == 1
