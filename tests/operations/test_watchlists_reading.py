"""Watchlists, triggers, preferences and drafts: the protocol's examples, and all they may turn into."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from accounts_kit import changed, leaves, places, without
from hypothesis import given
from hypothesis import strategies as st
from lists_data import CALLS, TOKEN, WATCHLISTS, Call, answer_of, example, reads, shown
from market_kit import wired

from ftcli.errors import BrokerError, CallRefused, FtError, LostReply, NotFound
from ftcli.models.alerts import PriceTriggers, TriggerOperator, TriggerStatus
from ftcli.models.event_token import read_token, token_expiry
from ftcli.models.field import read
from ftcli.models.json import loads
from ftcli.models.order_codes import Action, OrderType, ResponseType, TimeInForce
from ftcli.models.staged import StagedOrders
from ftcli.models.watchlists import Watchlists
from ftcli.operations.preferences import _rows
from ftcli.wire import WireReply

D = Decimal
NEW_YORK = ZoneInfo("America/New_York")
READS = ("watchlists", "triggers", "triggers_older", "preferences", "independent", "announcements", "staged")
each_call = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
each_read = pytest.mark.parametrize("call", [CALLS[name] for name in READS], ids=READS)
each_confirmed = pytest.mark.parametrize(
    "call",
    [call for call in CALLS.values() if call.confirms],
    ids=[name for name, call in CALLS.items() if call.confirms],
)


def document_of(call: Call) -> Any:
    return loads(example(call.file))


# -- the protocol's examples ---------------------------------------------------------------------------------


async def test_watchlists_example(tmp_path: Path) -> None:
    energy, empty = (await answer_of(tmp_path, "watchlists")).watchlists
    assert (energy.name, energy.is_default, energy.sort_order, energy.type_code) == ("Energy", True, 1, "WL")
    assert energy.watchlist_id == "0f5b6f6e-2b86-4f0a-9f55-5d2f6fb6a1d1"
    assert energy.created_at == datetime(2025, 11, 3, 9, 21, 44, 700_000, tzinfo=NEW_YORK)
    assert energy.updated_at == datetime(2026, 7, 7, 16, 2, 10, 100_000, tzinfo=NEW_YORK)
    assert (energy.symbols, energy.count) == (["NVLT", "DVQX"], 2)
    first, second = energy.securities
    assert (first.rank, first.watch_closely, first.has_news) == (1, True, False)
    assert (second.rank, second.watch_closely, second.cusip, second.security_type) == (3, False, None, None)
    assert second.security_id == "55e3f0c7-41aa-4f86-a9ce-0b6e8a7d3f22"
    assert (empty.name, empty.is_default, empty.symbols, empty.count) == ("Empty one", False, [], 0)


async def test_watchlist_saved_example(tmp_path: Path) -> None:
    answer = await answer_of(tmp_path, "watchlist_saved")
    assert answer.watchlist_id == "0f5b6f6e-2b86-4f0a-9f55-5d2f6fb6a1d1"
    assert (answer.name, answer.created, answer.is_default) == ("Energy", True, False)
    assert answer.symbols == ["NVLT", "QRS"]


async def test_triggers_example(tmp_path: Path) -> None:
    answer = await answer_of(tmp_path, "triggers")
    assert (answer.total, answer.available) == (2, 2)
    level, move = answer.triggers
    assert (level.trigger_id, level.symbol, level.value) == ("1107340021", "NVLT", 45)
    assert (level.operator, level.status) == (TriggerOperator.GREATER_THAN, TriggerStatus.ACTIVE)
    assert (level.currency, level.notes) == ("USD", None)
    assert level.created_at == level.updated_at == datetime(2026, 7, 8, 14, 42, 17, 318_000, tzinfo=UTC)
    assert level.devices == ["Active Trader Pro", "Fidelity mobile applications"]
    assert (move.operator, move.value) == (TriggerOperator.LESS_THAN_PERCENT, D("6.5"))
    assert (move.operator.is_percent, move.operator.is_above) == (True, False)
    assert (move.notes, move.devices) == ("cut", ["Active Trader Pro"])


async def test_the_older_form_of_a_trigger(tmp_path: Path) -> None:
    above, below = (await answer_of(tmp_path, "triggers_older")).triggers
    assert (above.trigger_id, above.operator, above.value) == ("T-17", TriggerOperator.GREATER_THAN, 45)
    assert (below.operator, below.value) == (TriggerOperator.LESS_THAN, D("38.5"))
    assert above.created_at == datetime(2026, 5, 14, tzinfo=NEW_YORK)
    assert (above.currency, above.updated_at, above.devices) == (None, None, [])


async def test_trigger_created_example(tmp_path: Path) -> None:
    answer = await answer_of(tmp_path, "trigger_created")
    assert (answer.trigger_id, answer.value, answer.operator) == (
        "1107340021",
        45,
        TriggerOperator.GREATER_THAN,
    )
    assert (answer.status, answer.notes) == (None, None), "the broker echoes neither"


async def test_preferences_example(tmp_path: Path) -> None:
    rows = (await answer_of(tmp_path, "preferences")).preferences
    assert [(row.path, row.key, row.value) for row in rows] == [
        ("user/atn/global/v1", "DefaultAccountNumber", "Z00000101"),
        ("user/atn/global/v1", "Theme", "Dark"),
        ("user/atn/layout/3d1c9b42/v1", "NavBarPosition", "Left"),
        ("user/atn/layout/3d1c9b42/v1", "LayoutJson", '{"tiles":[1,2]}'),
    ]
    assert {row.updated_by for row in rows} == {"AP149323"}
    (row,) = (await answer_of(tmp_path / "b", "independent")).preferences
    assert (row.path, row.key) == ("user/chart/v1", "ChartDefaults")
    assert row.value == '{"barWidth":"DAILY","type":"candle"}'


async def test_preferences_changed_example(tmp_path: Path) -> None:
    saved = await answer_of(tmp_path / "a", "preferences_set")
    assert (saved.preference_path, saved.keys) == ("user/atn/global/v1", ["Theme"])
    deleted = await answer_of(tmp_path / "b", "preferences_deleted")
    assert (deleted.keys, deleted.deleted) == (["NavBarPosition"], True)


async def test_announcements_example(tmp_path: Path) -> None:
    (row,) = (await answer_of(tmp_path, "announcements")).announcements
    assert (row.announcement_id, row.title, row.kind) == (
        "msg-20260701-01",
        "Early close on July 2",
        "announcement",
    )
    assert row.text == "Markets close at 1 p.m. ET."
    assert (row.start, row.priority) == (datetime(2026, 7, 1, tzinfo=UTC), 1)


async def test_token_example(tmp_path: Path) -> None:
    answer = await answer_of(tmp_path, "event_token")
    assert answer.token.startswith("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.")
    assert answer.expires_at == datetime.fromtimestamp(1783532537, UTC)


async def test_staged_example(tmp_path: Path) -> None:
    (draft,) = (await answer_of(tmp_path, "staged")).orders
    assert (draft.stage_id, draft.account, draft.symbol) == ("SIMSTG000042", "Z90000017", "ACMX")
    assert (draft.action, draft.quantity, draft.limit_price) == (Action.BUY, 100, D("41.05"))
    assert (draft.order_type, draft.time_in_force) == (OrderType.LIMIT, TimeInForce.DAY)
    nothing, saved = await reads(
        tmp_path / "b", CALLS["staged"], example("staged_none.json"), example("staged_saved.json")
    )
    assert nothing.orders == []
    assert [row.stage_id for row in saved.orders] == ["SIMSTG000042"]


async def test_agreement_and_locate_examples(tmp_path: Path) -> None:
    agreement = await answer_of(tmp_path / "a", "agreement")
    assert (agreement.account, agreement.agreement, agreement.verdict) == (
        "Z90000017",
        "EXTHRS",
        ResponseType.ACCEPTED,
    )
    locate = await answer_of(tmp_path / "b", "locate")
    assert (locate.symbol, locate.available, locate.requested, locate.located) == ("ACMX", 1200, 60, 60)


# -- what they may turn into ---------------------------------------------------------------------------------


def as_text(key: str, value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | Decimal) else value


def with_more(key: str, value: Any) -> Any:
    return {**value, "unknownField": {"a": [1]}} if isinstance(value, dict) and key != "data" else value


def cut(key: str, value: Any) -> Any:
    return value[:1] if isinstance(value, list) else value


def collapsed(key: str, value: Any) -> Any:
    return value[0] if isinstance(value, list) and value and isinstance(value[0], dict) else value


@each_call
@pytest.mark.parametrize("change", [as_text, with_more])
async def test_the_same_said_otherwise(tmp_path: Path, call: Call, change: Callable[[str, Any], Any]) -> None:
    """Numbers as texts, fields we do not know: the answer is the same."""
    document = document_of(call)
    plain, other = await shown(tmp_path, call, document, changed(document, change))
    assert not isinstance(plain, Exception)
    assert other == plain


@each_call
async def test_a_single_object_for_a_list(tmp_path: Path, call: Call) -> None:
    document = changed(document_of(call), cut)
    listed, single = await shown(tmp_path, call, document, changed(document, collapsed))
    assert not isinstance(listed, Exception)
    assert single == listed


@each_read
@pytest.mark.parametrize("sentinel", ["--", "N/A", "", None])
async def test_nothing_is_invented_for_what_is_not_there(tmp_path: Path, call: Call, sentinel: Any) -> None:
    def blank(key: str, value: Any) -> Any:
        kept = key in ("code", "message", "preferencePath", "data") or isinstance(value, dict | list)
        return value if kept else sentinel

    (answer,) = await shown(tmp_path, call, changed(document_of(call), blank))
    assert not isinstance(answer, Exception), answer
    ours = {"is_default", "count", "path", "key", "value"}
    said = {path for path, value in leaves(answer) if value not in (None, "")}
    said = {path for path in said if path.split(".")[-1] not in ours}
    assert not said


@each_call
async def test_any_group_may_be_missing(tmp_path: Path, call: Call) -> None:
    document = document_of(call)
    gone = [without(document, path) for path in places(document)]
    null = [without(document, path, None) for path in places(document)]
    odd = [without(document, path, "--") for path in places(document)]
    answers = await reads(tmp_path, call, *gone, *null, *odd)
    failed = [answer for answer in answers if isinstance(answer, Exception)]
    assert all(isinstance(problem, BrokerError) for problem in failed), failed


@each_read
@pytest.mark.parametrize(
    "document", [{}, {"watchListDetails": []}, {"priceTrigger": {}}, {"preferenceData": []}, {"content": []}]
)
async def test_an_empty_document_is_nothing_or_an_error(tmp_path: Path, call: Call, document: Any) -> None:
    (answer,) = await shown(tmp_path, call, document)
    if isinstance(answer, Exception):
        assert isinstance(answer, BrokerError)
        assert "preference" in call.path.lower(), "only there a message must tell that all is well"
    else:
        assert not [path for path, value in leaves(answer) if value is not None]


@each_call
@pytest.mark.parametrize("body", [b"[]", b'"text"', b"7", b"plain text"])
async def test_what_is_no_document_is_an_error(tmp_path: Path, call: Call, body: bytes) -> None:
    (answer,) = await reads(tmp_path, call, body)
    if call is CALLS["announcements"]:
        assert answer.announcements == []  # a list may be their root; the rest is nothing that could be shown
    elif not call.path.startswith(("/ftgw/dp/ent-research", "/ftgw/dp/reference", "/ftgw/dp/trade")):
        assert isinstance(answer, BrokerError)
        assert not call.once or isinstance(answer, LostReply)


@each_confirmed
async def test_a_change_without_a_word_is_not_done(tmp_path: Path, call: Call) -> None:
    document = document_of(call)
    message = {"message": "Error occurred", "code": "99999", "detail": "no space left", "type": "E"}
    nothing, empty, refused = await reads(
        tmp_path,
        call,
        {name: value for name, value in document.items() if name != "sysMsgs"},
        {**document, "sysMsgs": {}},
        {**document, "sysMsgs": {"sysMsg": [message]}},
    )
    assert isinstance(nothing, LostReply)
    assert isinstance(empty, LostReply)
    assert isinstance(refused, CallRefused)
    assert not refused.retryable
    assert "no space left" in refused.message


async def test_reads_believe_an_error_beside_no_data(tmp_path: Path) -> None:
    message = {"message": "Error occurred", "detail": "", "source": "", "code": "5000", "type": "E"}
    for name, key in (("watchlists", "watchListDetails"), ("preferences", "preferenceData")):
        call = CALLS[name]
        said = {"sysMsgs": {"sysMsg": [message]}}
        alone, beside, nothing = await reads(
            tmp_path / name, call, {**said, key: []}, {**document_of(call), **said}, {**said, key: None}
        )
        assert isinstance(alone, BrokerError)
        assert "Error occurred" in alone.message
        assert not isinstance(beside, Exception), "what is there is there"
        assert isinstance(nothing, BrokerError)


async def test_no_lists_at_all(tmp_path: Path) -> None:
    fine = {"message": "Successfully retreived all Watchlist Details", "code": "2000"}
    answers = await reads(
        tmp_path,
        CALLS["watchlists"],
        {"watchListDetails": []},
        {"sysMsgs": {"sysMsg": [fine]}},
        {"sysMsgs": {"sysMsg": fine}, "watchListDetails": None},
        b"",
    )
    assert [answer.watchlists for answer in answers] == [[]] * 4


async def test_unknown_codes_are_shown_as_they_come(tmp_path: Path) -> None:
    document = changed(
        document_of(CALLS["triggers"]),
        lambda key, value: {"operator": "touches", "status": "paused"}.get(key, value),
    )
    (answer,) = await shown(tmp_path, CALLS["triggers"], document)
    assert {(row["operator"], row["status"]) for row in answer["triggers"]} == {("touches", "paused")}


async def test_rows_come_in_order_whatever_the_answer_s(tmp_path: Path) -> None:
    document = document_of(CALLS["watchlists"])
    document["watchListDetails"].reverse()
    document["watchListDetails"][1]["securityDetails"].reverse()
    document["watchListDetails"][1]["securityDetails"].append({"rankId": 2})
    (answer,) = await reads(tmp_path, CALLS["watchlists"], document)
    assert [item.name for item in answer.watchlists] == ["Energy", "Empty one"]
    assert answer.watchlists[0].symbols == ["NVLT", "DVQX"], "a row without a symbol is none"


async def test_preferences_in_several_objects_are_one(tmp_path: Path) -> None:
    data = [{"A": " -- ", "B": "1"}, {"B": "", "lastUpdatedBy": "AP1"}, {"C": None, "D": 5, "E": {"x": [1]}}]
    said = {"sysMsgs": {"sysMsg": [{"message": "SUCCESSFUL table query"}]}}
    body = {**said, "preferenceData": [{"preferencePath": "user/x/v1", "data": data}]}
    (answer,) = await reads(tmp_path, CALLS["preferences"], body)
    assert {row.key: row.value for row in answer.preferences} == {
        "A": " -- ",
        "B": "",
        "C": None,
        "D": "5",
        "E": '{"x":[1]}',
    }, "values are texts of the user's: nothing is trimmed, no sentinel is known"
    assert {row.updated_by for row in answer.preferences} == {"AP1"}


async def test_a_refused_draft_and_agreement(tmp_path: Path) -> None:
    error = {"messages": [{"code": "400", "severity": "ERROR", "message": "NO SUCH ACCOUNT"}]}
    for name in ("staged", "staged_saved", "staged_deleted"):
        (answer,) = await reads(tmp_path / name, CALLS[name], error)
        assert isinstance(answer, BrokerError)
    (gone,) = await reads(tmp_path / "gone", CALLS["staged_deleted"], example("staged_none.json"))
    assert isinstance(gone, NotFound)
    refused = {"userAgreement": {"agreementTypeCode": "EXTHRS", "respTypeCode": "E"}}
    (answer,) = await reads(tmp_path / "agreement", CALLS["agreement"], refused)
    assert isinstance(answer, FtError)
    assert answer.code == "ORDER_REJECTED"


@pytest.mark.parametrize("name", ["triggers", "watchlists"])
async def test_a_delete_that_the_broker_confirms_is_looked_after(tmp_path: Path, name: str) -> None:
    """Watchlists are read again after a delete: a list that is still there was not deleted."""
    if name == "triggers":
        answers = await reads(tmp_path, CALLS["trigger_deleted"], {}, b"", {"status": "odd"})
        assert [answer.deleted for answer in answers] == [True, True, True], "any object is a yes"
        return
    async with wired(tmp_path) as (client, wire, _):
        wire.say(f"{WATCHLISTS}/get", example("watchlists.json"))
        wire.say(f"{WATCHLISTS}/delete", example("watchlist_deleted.json"))
        with pytest.raises(BrokerError, match="still there"):
            await client.watchlists.delete("Energy")
        unknown = {"message": "Request Failed", "code": "4040", "type": "E"}
        wire.say(f"{WATCHLISTS}/delete", {"sysMsgs": {"sysMsg": [unknown]}})
        with pytest.raises(NotFound):
            await client.watchlists.delete("Energy")


# -- anything at all -----------------------------------------------------------------------------------------

KEYS = st.sampled_from(
    ["watchListDetails", "securityDetails", "symbol", "rankId", "priceTrigger", "triggers", "id", "devices",
     "name", "value", "operator", "createTime", "preferenceData", "data", "preferencePath", "sysMsgs", "sysMsg",
     "stagedOrders", "qty", "orderActionCode", "token", "jwt"]
)  # fmt: skip
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(ANYTHING)
def test_nothing_makes_the_readers_fail(document: Any) -> None:
    for model in (Watchlists, PriceTriggers, StagedOrders):
        read(model, document)
    try:
        _rows(WireReply(status=200, headers={}, body=b"", document=document))
    except BrokerError:
        assert document is not None
        assert not isinstance(document, dict)


@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: f'{{"token": "{text}"}}'.encode()))
def test_a_token_is_found_or_refused(body: bytes) -> None:
    try:
        token = read_token(body)
    except BrokerError:
        return
    assert token.strip() == token != ""
    expiry = token_expiry(token)
    assert expiry is None or isinstance(expiry, float)


@pytest.mark.parametrize(
    "answer",
    [
        "h.p.s",
        '"h.p.s"',
        " Bearer h.p.s\n",
        '{"authToken": "h.p.s"}',
        '{"data": {"access_token": "Bearer h.p.s"}}',
        '{"Authorization": "Bearer h.p.s"}',
        '[{"x": 1}, {"something": "h.p.s"}]',
    ],
)
async def test_a_token_in_every_form(tmp_path: Path, answer: str) -> None:
    (found,) = await reads(tmp_path, CALLS["event_token"], answer.encode())
    assert (found.token, found.expires_at) == ("h.p.s", None)
    assert CALLS["event_token"].path == TOKEN
