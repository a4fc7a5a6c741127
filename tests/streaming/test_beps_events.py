"""Reading account events and tokens: whatever form they come in (protocol 05 §7.7-7.12)."""

import base64
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftcli.errors import BrokerError
from ftcli.models.streaming import Event
from ftcli.streaming.beps_events import EVENT_TYPES, EventMemory, read_desc, read_event
from ftcli.streaming.beps_messages import ack_timeout, errors_of, fault_of, read_message
from ftcli.streaming.beps_session import BepsCredentials
from ftcli.streaming.beps_token import read_token, token_expiry

JWT = "aaa.bbb.ccc"


@pytest.mark.parametrize(
    ("value", "desc"),
    [
        (None, {}),
        ("", {}),
        ("  ", {}),
        ({"A": 1}, {"A": 1}),
        ('{"A":"1"}', {"A": "1"}),
        ('"{\\"A\\":\\"1\\"}"', {"A": "1"}),
        ("plain", {"text": "plain"}),
        ("<M><A>1</A><B><C>2</C></B></M>", {"A": "1", "B": {"C": "2"}}),
        ("&lt;M&gt;&lt;A&gt;1&lt;/A&gt;&lt;/M&gt;", {"A": "1"}),
        ("<M><A>1</A><A>2</A></M>", {"A": ["1", "2"]}),
        ("<M>x</M>", {"M": "x"}),
        ("<broken", {"text": "<broken"}),
        ("[1,2]", {"items": [1, 2]}),
        ("5", {"text": "5"}),
    ],
)
def test_details_in_every_form(value: Any, desc: dict[str, Any]) -> None:
    assert read_desc(value) == desc


def test_entities_of_xml_are_not_expanded() -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><x>&b;</x>'
    assert read_desc(bomb) == {"text": bomb}


@pytest.mark.parametrize(
    "desc",
    [
        {"ACCOUNT_NUM": "Z20000025", "ORDER_NUM": "C05HTRPW", "EXEC_SHRS": "0.5", "EXEC_DATE": "20261005"},
        {"acct-num": "Z20000025", "orderId": "C05HTRPW", "lastQty": 0.5, "tradeDate": "2026-10-05"},
        {"MSG_DETAIL": {"ACCOUNT_NUM": "Z20000025", "ORDER_NUM": "C05HTRPW", "EXEC_SHRS": "0.5"},
         "MSG_HDR": {"EXEC_DATE": "20261005"}},
    ],
)  # fmt: skip
def test_members_by_any_name(desc: dict[str, Any]) -> None:
    event = read_event({"eventId": "1", "eventType": "MFCEX", "desc": json.dumps(desc)}, 0.0)
    assert (event.account, event.order_id, event.executed_quantity, event.exec_date) == (
        "Z20000025", "C05HTRPW", Decimal("0.5"), date(2026, 10, 5),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("ordered", "executed", "partial"),
    [("25", "25", False), ("25", "10", True), ("25", None, None), (None, "25", None), ("1.5", "1.5", False)],
)
def test_partial_fills(ordered: str | None, executed: str | None, partial: bool | None) -> None:
    desc = {"ORIGINAL_QTY": ordered, "EXECUTED_QTY": executed}
    assert read_event({"eventType": "MFCEX", "desc": desc}, 0.0).partial is partial
    assert read_event({"eventType": "ORDUP", "desc": desc}, 0.0).partial is None


@pytest.mark.parametrize("code", ["MFCEX", " mfcex "])
def test_codes(code: str) -> None:
    event = read_event({"eventType": code}, 0.0)
    assert (event.event_type, event.category, event.code) == ("ORDER_FILL", "order", "MFCEX")


@pytest.mark.parametrize("code", ["MF.EX", "MFCEX1", None, 7])
def test_codes_never_seen(code: Any) -> None:
    event = read_event({"eventType": code}, 0.0)
    assert (event.event_type, event.category) == ("UNKNOWN", "other")
    assert len(EVENT_TYPES) == 15


@pytest.mark.parametrize(
    "time",
    ["2026-10-05T14:31:07.218Z", 1791210667218, "1791210667218", "2026-10-05-10.31.07.218000",
     1791210667.218],
)  # fmt: skip
def test_times(time: Any) -> None:
    created = read_event({"eventCreatedTime": time}, 0.0).created_at
    wanted = datetime(2026, 10, 5, 14, 31, 7, 218000, tzinfo=UTC)
    assert created is None if isinstance(time, float) else created == wanted


def test_an_event_without_an_id_gets_one_of_its_content() -> None:
    one, two = (read_event({"eventType": "MFCEX", "desc": "x"}, at) for at in (1.0, 2.0))
    assert one.event_id == two.event_id
    assert read_event({"eventType": "MFCEX", "desc": "y"}, 1.0).event_id != one.event_id


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
MEMBERS = st.sampled_from(
    ["eventId", "eventType", "desc", "hasError", "eventCreatedTime", "message", "source"]
)


@given(st.dictionaries(MEMBERS, VALUES))
def test_no_event_breaks_the_reader(document: dict[str, Any]) -> None:
    event = read_event(document, 1.0)
    assert event.event_id
    EventMemory().admit(event, 1.0)


@given(st.text())
def test_no_text_breaks_the_details(text: str) -> None:
    assert isinstance(read_desc(text), dict)


def known(event_id: str, **desc: Any) -> Event:
    return Event(event_id=event_id, event_type="X", code="X", category="other", desc=desc)


def test_memory() -> None:
    remembered: list[Any] = []
    memory = EventMemory(remember=remembered.append)
    assert memory.admit(known("a", x=1, y=2), 1.0)
    assert not memory.admit(known("a", y=2, x=1), 2.0)
    revised = known("a", x=2)
    assert memory.admit(revised, 3.0)
    assert revised.revised
    later = EventMemory(remembered[:1])
    assert not later.admit(known("a", x=1, y=2), 9.0)


def test_memory_forgets_what_is_old_only_when_there_is_too_much() -> None:
    memory = EventMemory()
    for number in range(EventMemory.LIMIT + 10):
        memory.admit(known(str(number)), 0.0)
    assert not memory.admit(known("0"), 86_000.0)
    memory.admit(known("new"), 86_400.0)
    assert memory.admit(known("1"), 86_401.0)
    assert not memory.admit(known("new"), 86_402.0)


@pytest.mark.parametrize(
    "body",
    [
        JWT,
        f'  "{JWT}"\n',
        json.dumps({"token": JWT}),
        json.dumps({"data": [{"AccessToken": JWT}]}),
        json.dumps({"x": "no", "y": {"z": JWT}}),
        json.dumps({"id_token": JWT, "other": "ddd.eee.fff"}),
    ],
)
def test_tokens(body: str) -> None:
    assert read_token(body) == JWT
    assert read_token(body.encode()) == JWT


@pytest.mark.parametrize("body", ["", "<html>", "{}", '{"secret":"value"}', "null", "[1]"])
def test_no_token(body: str) -> None:
    with pytest.raises(BrokerError) as problem:
        read_token(body)
    assert problem.value.details is not None
    assert problem.value.details["reason"] == "beps_token_unreadable"
    assert "value" not in json.dumps(problem.value.details["members"])


def claims(**values: Any) -> str:
    body = base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")
    return f"h.{body}.s"


def test_expiry() -> None:
    assert token_expiry(claims(exp=1791210667)) == 1791210667
    for token in (claims(), claims(exp="soon"), claims(exp=True), "a.b", "a.!!!.c", "a.e30.c", "a.W10.c"):
        assert token_expiry(token) is None


def test_credentials_do_not_show() -> None:
    credentials = BepsCredentials(token="secret-token", host="", member_id="m", app_id="ATN")
    assert "secret" not in repr(credentials)


@pytest.mark.parametrize(
    ("errors", "fault"),
    [
        ([{"errorType": "UnauthorizedException"}], "unauthorized"),
        ({"errorType": "Unauthorized"}, "unauthorized"),
        ([{"message": "Token has expired."}], "unauthorized"),
        ([{"errorCode": 401}], "unauthorized"),
        ([{"errorCode": " 403 "}], "unauthorized"),
        ([{"errorCode": "400"}], "unauthorized"),
        ([{"errorCode": 400, "errorType": "ValidationException"}], "query"),
        ([{"errorCode": 429, "errorType": "LimitExceededError"}], "limit"),
        ([{"errorType": "LimitExceededError"}], "limit"),
        ([{"errorType": "MaxSubscriptionsReachedError"}], "max_subscriptions"),
        ([{"errorType": "ValidationException"}], "query"),
        ([{"message": "Validation error of type FieldUndefined"}], "query"),
        ([{"errorType": "Other"}], "other"),
        ([], "other"),
        (None, "other"),
        ("text", "other"),
    ],
)
def test_faults(errors: Any, fault: str) -> None:
    assert fault_of({"errors": errors}) == fault


def test_odd_payloads() -> None:
    assert fault_of(None) == "other"
    assert errors_of([]) == []
    assert ack_timeout(None) == 300
    assert ack_timeout({"connectionTimeoutMs": "x"}) == 300
    assert ack_timeout({"connectionTimeoutMs": 5000}) == 5
    assert read_message("[]") is None
