"""The alert services: requests word for word, the protocol's examples, and all they may turn into."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element
from zoneinfo import ZoneInfo

import pytest
from defusedxml.ElementTree import fromstring
from hypothesis import given
from hypothesis import strategies as st
from lists_data import CALLS, HISTORY, SIGN_ON, TOKEN, example, reads
from market_kit import Seen, wired

from ftcli.errors import BrokerError, CallRefused, ValidationFailed
from ftcli.models.alerts import AlertType
from ftcli.models.json import dumps
from ftcli.models.order_codes import Action
from ftcli.operations.alerts import read_alert
from ftcli.redaction import redact

D = Decimal
NEW_YORK = ZoneInfo("America/New_York")
PASSWORD = "9d41c07be25f43a8b6607c1fd2e98a35"
FAULT = (
    b'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><e:Fault>'
    b"<faultcode>e:Server</faultcode><faultstring>Try later</faultstring></e:Fault></e:Body></e:Envelope>"
)


def shape(element: Element) -> tuple[str, str, list[Any]]:
    """An element without what does not matter: prefixes, and blanks between elements."""
    return element.tag, (element.text or "").strip(), [shape(child) for child in element]


async def signed_on(folder: Path, answer: bytes, **arguments: Any) -> Any:
    async with wired(folder) as (client, wire, _):
        wire.say(SIGN_ON, answer)
        return await client.alerts.subscribe(**arguments)


async def history_of(folder: Path, answer: bytes) -> Any:
    async with wired(folder) as (client, wire, _):
        wire.say(HISTORY, answer)
        return await client.alerts.history()


# -- requests ------------------------------------------------------------------------------------------------


async def test_the_requests_are_those_of_the_protocol(tmp_path: Path) -> None:
    async with wired(tmp_path) as (client, wire, _):
        await client.alerts.subscribe()
        await client.alerts.history()
        await client.alerts.history(start=3, limit=5)
    (asked,) = wire.of(SIGN_ON)
    assert shape(fromstring(asked.body)) == shape(fromstring(example("sign_on_request.xml")))
    assert asked.headers["content-type"] == "application/x-www-form-urlencoded"
    assert asked.headers["soapaction"] == "CustomerSignOn"
    assert asked.body.startswith(b"<soapenv:Envelope "), "no XML declaration"
    assert {"ATC", "FC", "RC", "SC"} <= set(asked.cookies)
    first, second = wire.of(HISTORY)
    assert shape(fromstring(first.body)) == shape(fromstring(example("alerts_request.xml")))
    assert first.headers["content-type"] == "application/x-www-form-urlencoded"
    assert "soapaction" not in first.headers
    assert b"<MsgIndexFrom>3</MsgIndexFrom><MsgIndexTo>7</MsgIndexTo>" in second.body


async def test_long_histories_come_in_pages_of_a_hundred(tmp_path: Path) -> None:
    document = "&lt;ALERT&gt;&lt;MSG_HDR&gt;&lt;MSG_ID&gt;{}&lt;/MSG_ID&gt;&lt;/MSG_HDR&gt;&lt;/ALERT&gt;"
    whole = example("alerts.xml").decode()
    head, tail = whole.partition("<ns1:Messages>")[0], whole.rpartition("</ns1:Messages>")[2]

    def page(seen: Seen) -> tuple[int, bytes]:
        window = [
            int(node.text or "") for node in fromstring(seen.body).iter() if node.tag.endswith(("From", "To"))
        ]
        rows = range(window[0], min(window[1], 250) + 1)
        messages = "".join(
            f"<ns1:Message><ns1:Document>{document.format(number)}</ns1:Document></ns1:Message>"
            for number in rows
        )
        inner = f"<ns1:Messages>{messages}</ns1:Messages>" if rows else ""
        return 200, f"{head.replace('>7<', '>250<')}{inner}{tail}".encode()

    async with wired(tmp_path) as (client, wire, _):
        wire.answer_by(HISTORY, page)
        for start, limit, calls in ((1, 100, 1), (1, 101, 2), (1, 1000, 3), (241, 20, 1), (300, 10, 1)):
            before = len(wire.seen)
            answer = await client.alerts.history(start=start, limit=limit)
            expected = range(start, min(250, start + limit - 1) + 1)
            assert [alert.alert_id for alert in answer.alerts] == [str(number) for number in expected]
            assert (answer.start, answer.total) == (start, 250)
            assert len([seen for seen in wire.seen[before:] if seen.path == HISTORY]) == calls


@pytest.mark.parametrize("arguments", [{"start": 0}, {"limit": 0}, {"limit": 1001}])
async def test_a_window_that_makes_no_sense(tmp_path: Path, arguments: dict[str, int]) -> None:
    async with wired(tmp_path) as (client, wire, _):
        with pytest.raises(ValidationFailed):
            await client.alerts.history(**arguments)
    assert wire.seen == []


# -- sign-on -------------------------------------------------------------------------------------------------


async def test_sign_on_example(tmp_path: Path) -> None:
    answer = await signed_on(tmp_path, example("sign_on.xml"), reveal=True)
    assert (answer.active, answer.user_id) == (True, "EBESExQVFhcYGRobHB0eHw==")
    assert answer.server_url == "ssl://atccf.fisc.fidelity.com:443"
    assert answer.destinations == ["EMST.ATP.EBESExQVFhcYGRobHB0eHw==", "EMST.ATC.BROADCAST"]
    assert answer.password == PASSWORD
    assert answer.raw_body == example("sign_on.xml")


async def test_the_password_is_shown_to_nobody_unasked(tmp_path: Path) -> None:
    answer = await signed_on(tmp_path, example("sign_on.xml"))
    assert answer.password == "***"
    for text in (repr(answer), dumps(answer).decode(), str(answer.raw), (answer.raw_body or b"").decode()):
        assert PASSWORD not in text
    assert "<p971:UserId>EBESExQVFhcYGRobHB0eHw==</p971:UserId>" in answer.raw
    assert redact(f"bus {PASSWORD}") == "bus ***", "from now on it is masked wherever it turns up"


async def test_the_token_is_shown_to_nobody_unasked(tmp_path: Path) -> None:
    token = example("token.json").decode().split('"')[3]
    async with wired(tmp_path) as (client, wire, _):
        wire.say(TOKEN, example("token.json"))
        answer = await client.alerts.event_token()
    assert answer.token == "***"
    for text in (repr(answer), dumps(answer).decode(), str(answer.raw), (answer.raw_body or b"").decode()):
        assert token not in text
    assert redact(token) == "***"


async def test_a_failed_sign_on_is_an_error(tmp_path: Path) -> None:
    text = example("sign_on.xml").replace(b"SUCCESS", b"FAILURE").replace(b">1<", b">0<")
    text = text.replace(PASSWORD.encode(), b"none").replace(b"EBESExQVFhcYGRobHB0eHw==", b"none")
    with pytest.raises(CallRefused, match="FAILURE") as problem:
        await signed_on(tmp_path, text)
    assert problem.value.details == {"result": "FAILURE", "activation_status": "0"}


async def test_what_is_empty_stays_empty(tmp_path: Path) -> None:
    text = example("sign_on.xml").decode()
    for name in ("ActivationStatus", "UserId", "Password", "ServerUrl", "Destination"):
        start, end = text.index(f"<p971:{name}>"), text.index(f"</p971:{name}>")
        text = f"{text[:start]}<p971:{name}>{text[end:]}"
    answer = await signed_on(tmp_path, text.encode())
    assert (answer.active, answer.user_id, answer.password, answer.server_url) == (None, None, "", None)
    assert answer.destinations == []


@pytest.mark.parametrize(
    "name",
    ["ResultCode", "ActivationDetails", "ActivationStatus", "UserId", "Password", "ServerUrl", "Destination"],
)
async def test_a_missing_part_is_named(tmp_path: Path, name: str) -> None:
    text = example("sign_on.xml").decode().replace(f"p971:{name}>", "p971:Other>")
    with pytest.raises(BrokerError, match=f"has no {name}") as problem:
        await signed_on(tmp_path, text.encode())
    assert PASSWORD not in str(problem.value.details)


async def test_prefixes_do_not_matter_and_namespaces_do(tmp_path: Path) -> None:
    text = example("sign_on.xml").replace(b"p971", b"ns7").replace(b"soapenv", b"S")
    assert (await signed_on(tmp_path / "a", text)).active is True
    other = example("sign_on.xml").replace(b"2014/06/AutoSubscription", b"2099/01/AutoSubscription")
    with pytest.raises(BrokerError, match="has no CustomerSignOnResponse"):
        await signed_on(tmp_path / "b", other)


@pytest.mark.parametrize("make", [signed_on, history_of])
async def test_faults_and_nonsense(tmp_path: Path, make: Callable[[Path, bytes], Any]) -> None:
    with pytest.raises(BrokerError, match="Try later") as problem:
        await make(tmp_path / "fault", FAULT)
    assert (problem.value.details or {})["fault"] == "Try later"
    for number, body in enumerate(
        (b"", b"{}", b"[]", b"plain", b"<a>", b"<a/>", FAULT.replace(b"Fault", b"X"))
    ):
        with pytest.raises(BrokerError):
            await make(tmp_path / str(number), body)


@pytest.mark.parametrize("path", [SIGN_ON, HISTORY])
@pytest.mark.parametrize(("status", "tries"), [(401, 1), (500, 4)])
async def test_http_errors(tmp_path: Path, path: str, status: int, tries: int) -> None:
    """A 401 of this host is no proof that the session is over: the keep-alive says that it is not."""
    async with wired(tmp_path) as (client, wire, _):
        await client.watchlists.list()
        wire.say(path, b"", status)
        with pytest.raises(BrokerError) as problem:
            await (client.alerts.subscribe() if path == SIGN_ON else client.alerts.history())
    assert (problem.value.details or {})["status"] == status
    assert len(wire.of(path)) == tries


# -- history -------------------------------------------------------------------------------------------------


async def test_history_example(tmp_path: Path) -> None:
    answer = await history_of(tmp_path, example("alerts.xml"))
    assert (answer.total, answer.start) == (7, 1)
    fill, cancel = answer.alerts
    assert (fill.type, fill.account, fill.symbol) == (AlertType.ORDER_FILL, "Z00000101", "NVLT260717C42.5")
    assert fill.alert_id == "MF.EX   .2026-07-08-10.15.42.118204", "inner blanks are significant"
    assert fill.time == datetime(2026, 7, 8, 10, 15, 42, 117_000, tzinfo=NEW_YORK)
    assert fill.text == (
        "Order to BUY 2 -NVLT260717C42.5:  2  filled @ $0.95.   Execution time: 10:15 AM. "
        "Order Number: K41DEMO7"
    )
    assert (fill.action, fill.conf_num, fill.status_code) == (Action.BUY_CALL, "K41DEMO7", "1")
    assert (fill.quantity, fill.filled_quantity, fill.fill_quantity) == (2, 2, 2)
    assert (fill.price, fill.average_price, fill.gross_amount) == (D("0.95"), D("0.95"), 190)
    assert (fill.fill_date, fill.exchange, fill.security_class) == (date(2026, 7, 8), "CBOE", "8")
    assert (fill.priority, fill.system_flag) == (6, "3")
    assert fill.document.startswith("<ALERT><MSG_HDR><MSG_ID>MF.EX   .")
    assert (cancel.type, cancel.symbol, cancel.action) == (AlertType.ORDER_CANCELLED, "DVQX", Action.SELL)
    assert (cancel.price, cancel.average_price, cancel.fill_quantity) == (D("63.40"), None, 0)
    assert (cancel.fill_date, cancel.exchange, cancel.gross_amount) == (None, None, None)


async def test_no_alerts(tmp_path: Path) -> None:
    text = example("alerts.xml").decode()
    head, _, rest = text.partition("<ns1:Messages>")
    bare = (head + rest.partition("</ns1:Messages>")[2]).replace(">7<", ">0<")
    answer = await history_of(tmp_path, bare.encode())
    assert (answer.alerts, answer.total) == ([], 0)


async def test_messages_without_a_document_are_skipped(tmp_path: Path) -> None:
    empty = (
        "<ns1:Message/><ns1:Message><ns1:Document/></ns1:Message><ns1:Message><ns1:Document> </ns1:Document>"
    )
    text = example("alerts.xml").decode().replace("<ns1:Message>", f"{empty}</ns1:Message><ns1:Message>", 1)
    assert len((await history_of(tmp_path, text.encode())).alerts) == 2


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("TotalMsgCount", "Other", "has no TotalMsgCount"),
        (">7<", ">many<", "no number"),
        ("GetAlertsResponse", "Other", "has no GetAlertsResponse"),
        ("soapenv:Body", "soapenv:Other", "no SOAP Body"),
    ],
)
async def test_a_missing_part_of_the_history_is_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(BrokerError, match=said):
        await history_of(tmp_path, example("alerts.xml").decode().replace(old, new).encode())


def test_a_document_that_was_escaped_twice() -> None:
    once = (
        "<ALERT><DISPLAY_DETAIL><DISPLAY_DATA>Johnson &amp; Johnson</DISPLAY_DATA></DISPLAY_DETAIL></ALERT>"
    )
    twice = once.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    for document in (once, twice):
        alert = read_alert(document)
        assert alert.text == "Johnson & Johnson"
        assert alert.document == once


def test_an_alert_of_another_kind_keeps_its_document() -> None:
    document = (
        "<ALERT><MSG_HDR><MSG_TYPE>NEWTP</MSG_TYPE></MSG_HDR><MSG_DETAIL><ORDER_ACTION>ZZ</ORDER_ACTION>"
        "<FRESH_FIELD>5</FRESH_FIELD></MSG_DETAIL></ALERT>"
    )
    alert = read_alert(document)
    assert alert.type is not None
    assert alert.action is not None
    assert (str(alert.type), alert.type.known, str(alert.action)) == ("NEWTP", False, "ZZ")
    assert alert.document == document
    assert (alert.time, alert.symbol, alert.text, alert.quantity) == (None, None, None, None)


@given(st.text() | st.text(alphabet="<>&;/ABCl tg").map(lambda text: f"<ALERT>{text}</ALERT>"))
def test_no_document_makes_the_reader_fail(document: str) -> None:
    alert = read_alert(document)
    assert alert.symbol is None


GROUPS = {
    "MSG_HDR": ("MSG_ID", "MSG_TYPE", "MSG_PRIORITY", "SYSTEM_FLAG", "ALERT_PUBLISHER_TMST"),
    "DISPLAY_DETAIL": ("DISPLAY_DATA_ENCODING", "DISPLAY_DATA", "DISPLAY_SYMBOL"),
    "MSG_DETAIL": (
        "ACCOUNT_NUM", "ORDER_ACTION", "ORIGINAL_QTY", "EXECUTED_QTY", "ORDER_NUM", "ORDER_STATUS",
        "DISP_MSG_SYMBOL", "AVG_PRICE", "PRICE", "EXEC_SHRS", "EXEC_DATE", "EXCH_CODE", "GROSS_AMT", "SEC_TYPE",
    ),
}  # fmt: skip


@pytest.mark.parametrize("sentinel", ["", "--", "N/A"])
def test_every_element_may_be_empty(sentinel: str) -> None:
    inner = "".join(
        f"<{group}>{''.join(f'<{name}>{sentinel}</{name}>' for name in names)}</{group}>"
        for group, names in GROUPS.items()
    )
    alert = read_alert(f"<ALERT>{inner}</ALERT>")
    said = {name: getattr(alert, name) for name in alert.__struct_fields__ if name != "document"}
    assert set(said.values()) == {None}
    for group in GROUPS:
        for missing in ("", f"<{group}/>", f"<{group}>text</{group}>"):
            text = f"<ALERT>{inner.partition(f'<{group}>')[0]}{missing}</ALERT>"
            assert read_alert(text).price is None


# -- announcements ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("document", "texts"),
    [
        ({"content": {"id": "1", "body": "<b>a</b> &amp; b<br/>c"}}, ["a & b c"]),
        (
            [{"text": "plain"}, "odd", {"message": "<script>x()</script><p>one</p><p>two</p>"}],
            ["plain", "one two"],
        ),
        ({"messages": [{"description": "5 < 6 and 7 > 3"}]}, ["5 < 6 and 7 > 3"]),
        ({"content": [{"body": "<p></p>"}, {"body": None}, {}]}, [None, None, None]),
        ({"content": []}, []),
        ({"other": 1}, []),
    ],
)
async def test_announcements_in_any_form(tmp_path: Path, document: Any, texts: list[str | None]) -> None:
    (answer,) = await reads(tmp_path, CALLS["announcements"], document)
    assert [row.text for row in answer.announcements] == texts
