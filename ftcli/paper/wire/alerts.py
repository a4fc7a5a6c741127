"""The alert services in SOAP (protocol 04 §3): sign-on, and what the event log tells of the past."""

import base64
import hashlib
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from ftcli.clock import NEW_YORK
from ftcli.models import soap
from ftcli.models.soap import Node, SoapProblem
from ftcli.models.values import read_int
from ftcli.paper.amounts import dollars, plain
from ftcli.paper.codes import EventKind
from ftcli.paper.instruments import find
from ftcli.paper.wire.exchange import PaperReply, PaperRequest, answers, text_reply

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from ftcli.paper.books import Event
    from ftcli.paper.desk import Desk

_XML = "text/xml;charset=utf-8"
_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
_BUS = "ssl://localhost:7243"
"""Nothing listens there: the paper broker's events come by the event stream."""
_PAGE = 1000
_IDS = {
    EventKind.EXECUTION: ("MF.EX", "6", "3"),
    EventKind.CANCELLED: ("CX.01", "5", "2"),
    EventKind.PRICE_ABOVE: ("TR.PA", "5", "2"),
    EventKind.PRICE_BELOW: ("TR.PB", "5", "2"),
}
"""Events that are alerts too: type code in the message id, priority, origin."""


def _envelope(body: Node, *header: Node) -> str:
    content = (*header, Node("soapenv:Body", (body,)))
    return _DECLARATION + soap.written(Node("soapenv:Envelope", content, (("xmlns:soapenv", soap.ENVELOPE),)))


def _fault(text: str) -> PaperReply:
    fault = Node("soapenv:Fault", (Node("faultcode", "soapenv:Client"), Node("faultstring", text)))
    return text_reply(_envelope(fault), _XML, 500)


def _asked(request: PaperRequest, namespace: str, name: str) -> "Element":
    return soap.body_part(request.body.decode("utf-8", "replace"), namespace, name)


@answers("POST", "/alerts/services/ATBTSubscription")
@answers("POST", "/ftgw/alerts/services/ATBTSubscription")
def sign_on(desk: "Desk", request: PaperRequest) -> PaperReply:
    """Credentials of the message bus; FAILURE where another product is asked for (protocol 04 §3.1)."""
    try:
        asked = _asked(request, soap.SUBSCRIPTION, "CustomerSignOn")
        code = soap.required(asked, soap.SUBSCRIPTION, "AlertCode").text
    except SoapProblem as problem:
        return _fault(str(problem))
    good = (code or "").strip() == "ATBT"
    seed = f"message bus {desk.member_id}".encode()
    user = base64.b64encode(hashlib.blake2b(seed, digest_size=16).digest()).decode()
    values = {
        "ActivationStatus": "1" if good else "0",
        "UserId": user if good else "none",
        "Password": hashlib.blake2b(seed, digest_size=16, person=b"password").hexdigest() if good else "none",
        "ServerUrl": _BUS,
        "Destination": f"EMST.ATP.{user},EMST.ATC.BROADCAST" if good else "",
    }
    details = Node(
        "p971:ActivationDetails", tuple(Node(f"p971:{name}", text) for name, text in values.items())
    )
    answer = Node(
        "p971:CustomerSignOnResponse",
        (Node("p971:ResultCode", "SUCCESS" if good else "FAILURE"), details),
        (("xmlns:p971", soap.SUBSCRIPTION),),
    )
    return text_reply(_envelope(answer), _XML)


@answers("POST", "/alerts/services/ATBTAlerts")
@answers("POST", "/ftgw/alerts/services/ATBTAlerts")
def get_alerts(desk: "Desk", request: PaperRequest) -> PaperReply:
    """Alerts of a window, counted from the newest; each is a document within the document (protocol 04 §3.2)."""
    try:
        asked = _asked(request, soap.ALERTS, "GetAlerts")
        window = [
            read_int(soap.required(asked, soap.ALERTS, name).text) for name in ("MsgIndexFrom", "MsgIndexTo")
        ]
    except SoapProblem as problem:
        return _fault(str(problem))
    first, last = window
    if first is None or last is None or first < 1 or last < first:
        return _fault("MsgIndexFrom and MsgIndexTo must be numbers from 1 on, in order")
    events = _alert_events(desk)
    shown = events[first - 1 : last]
    parts = [Node("ns1:TotalMsgCount", str(len(events)))]
    if shown:
        messages = tuple(
            Node("ns1:Message", (Node("ns1:Document", soap.written(alert_document(event))),))
            for event in shown
        )
        parts.append(Node("ns1:Messages", messages))
    answer = Node("ns1:GetAlertsResponse", tuple(parts), (("xmlns:ns1", soap.ALERTS),))
    return text_reply(_envelope(answer, Node("soapenv:Header")), _XML)


def _alert_events(desk: "Desk") -> "list[Event]":
    """The events that are alerts, the newest first."""
    found: list[Event] = []
    after = 0
    while True:
        page = desk.engine.events(after, _PAGE)
        found += [event for event in page if event.kind in _IDS]
        if len(page) < _PAGE:
            break
        after = page[-1].sequence
    return sorted(found, key=lambda event: (event.time, event.sequence), reverse=True)


def alert_document(event: "Event") -> Node:
    """An event as the old feed tells it: all texts, empty where they do not apply (protocol 04 §3.2)."""
    code, priority, origin = _IDS[event.kind]
    moment = event.time.astimezone(NEW_YORK)
    symbol = event.data.symbol or ""
    header = {
        "MSG_ID": f"{code:<8}.{_stamp(moment)}",
        "MSG_TYPE": event.kind.value,
        "MSG_PRIORITY": priority,
        "SYSTEM_FLAG": origin,
        "ALERT_PUBLISHER_TMST": _stamp(moment),
    }
    display = {
        "DISPLAY_DATA_ENCODING": "TEXT",
        "DISPLAY_DATA": _TEXTS[event.kind](event, moment),
        "DISPLAY_SYMBOL": _dashed(symbol),
    }
    groups = {"MSG_HDR": header, "DISPLAY_DETAIL": display, "MSG_DETAIL": _detail(event, moment)}
    return Node("ALERT", tuple(_group(name, values) for name, values in groups.items()))


def _group(name: str, values: dict[str, str]) -> Node:
    return Node(name, tuple(Node(key, text) for key, text in values.items()))


def _detail(event: "Event", moment: datetime) -> dict[str, str]:
    data, filled = event.data, event.kind is EventKind.EXECUTION
    instrument = find(data.symbol or "")
    ordered = event.order is not None
    return {
        "ACCOUNT_NUM": event.account,
        "ORDER_ACTION": data.action.value if data.action else "",
        "ORIGINAL_QTY": _number(data.original_quantity),
        "EXECUTED_QTY": _number(data.executed_quantity),
        "ORDER_NUM": event.order or "",
        "ORDER_STATUS": ("1" if filled else "5") if ordered else "",
        "DISP_MSG_SYMBOL": data.symbol or "",
        "AVG_PRICE": _number(data.average_price) if filled else "",
        "PRICE": _number(data.price),
        "EXEC_SHRS": (_number(data.last_quantity) if filled else "0") if ordered else "",
        "EXEC_DATE": f"{moment:%Y%m%d}" if filled else "",
        "EXCH_CODE": (data.venue or "") if filled else "",
        "GROSS_AMT": _number(data.gross) if filled else "",
        "SEC_TYPE": instrument.security_type if instrument else "",
    }


def _stamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d-%H.%M.%S.%f}"


def _number(value: Decimal | None) -> str:
    return "" if value is None else plain(value)


def _price(value: Decimal | None) -> str:
    return "" if value is None else dollars(value)


def _dashed(symbol: str) -> str:
    instrument = find(symbol)
    return f"-{symbol}" if instrument is not None and instrument.is_option else symbol


def _order_words(event: "Event") -> str:
    action = event.data.action.text.upper() if event.data.action else ""
    return f"Order to {action} {_number(event.data.original_quantity)} {_dashed(event.data.symbol or '')}"


def _filled_text(event: "Event", moment: datetime) -> str:
    data = event.data
    clock = f"{moment:%I:%M %p}".lstrip("0")
    return (
        f"{_order_words(event)}:  {_number(data.last_quantity)}  filled @ {_price(data.price)}.   "
        f"Execution time: {clock}. Order Number: {event.order}"
    )


def _cancelled_text(event: "Event", moment: datetime) -> str:
    return f"{_order_words(event)} cancelled. Order Number: {event.order}"


def _price_text(event: "Event", moment: datetime) -> str:
    data = event.data
    side = "above" if event.kind is EventKind.PRICE_ABOVE else "below"
    return (
        f"{_dashed(data.symbol or '')} is at or {side} {_price(data.threshold)}. "
        f"Last price: {_price(data.price)}. Trigger: {data.trigger}"
    )


_TEXTS: dict[EventKind, Callable[["Event", datetime], str]] = {
    EventKind.EXECUTION: _filled_text,
    EventKind.CANCELLED: _cancelled_text,
    EventKind.PRICE_ABOVE: _price_text,
    EventKind.PRICE_BELOW: _price_text,
}
