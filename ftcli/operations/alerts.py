"""Alerts: the subscription, the past ones, announcements, the token of the event stream (protocol 04 §3, 4, 7)."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from ftcli.clock import NEW_YORK
from ftcli.errors import BrokerError, CallRefused, FtError, ValidationFailed
from ftcli.models import soap, xml
from ftcli.models.alerts import (
    Alert,
    AlertHistory,
    AlertSubscription,
    Announcement,
    Announcements,
    EventToken,
)
from ftcli.models.event_token import TOKEN_PATHS, read_token, token_expiry
from ftcli.models.field import as_list, read
from ftcli.models.soap import Node, SoapProblem
from ftcli.models.values import read_int, read_text
from ftcli.operations.operation import Core, Group, Param, operation, with_reply
from ftcli.operations.price_triggers import PriceTriggers
from ftcli.redaction import MASK, Secret, redact
from ftcli.wire import WireReply, WireRequest

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

SIGN_ON = "/ftgw/alerts/services/ATBTSubscription"
HISTORY = "/ftgw/alerts/services/ATBTAlerts"
CONTENT = "/content-headless/v2/content"
PAGE = 100
"""Alerts asked for in one call, as the desktop app does."""
_MOST = 1000
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
"""The broker wants it so, though the body is XML (protocol 04 §3)."""
_PARTS = ("ActivationStatus", "UserId", "Password", "ServerUrl", "Destination")

Reveal = Annotated[
    bool,
    Param(
        "Show the secret: whoever has it listens in your name. Over HTTP it takes the scope admin.",
        tells_secret=True,
    ),
]


class Alerts(Group):
    """Alerts of the broker: subscription, history, announcements."""

    name = "alerts"

    def __init__(self, core: Core) -> None:
        super().__init__(core)
        self.price_triggers = PriceTriggers(core)

    @operation("GET", "/alerts/subscribe", examples=("alerts subscribe",))
    async def subscribe(self, reveal: Reveal = False) -> AlertSubscription:
        """Sign on to alerts: where the message bus is, with user name, password and topics.

        The password stays masked unless you ask for it. The event stream (`ft stream events`) does not need
        this: it is the older way.

        Raises:
            BrokerError: The broker did not sign you on, or its answer lacks a part.

        Source: protocol 04 §3.1.
        """
        reply = await self.core.send(_soap_call(self.core, "alerts.subscribe", SIGN_ON, _sign_on()))
        try:
            answer = _subscription(
                soap.body_part(reply.document, soap.SUBSCRIPTION, "CustomerSignOnResponse")
            )
        except SoapProblem as problem:
            raise _unusable(reply, "sign-on", problem) from None
        if reveal:
            return with_reply(answer, reply)
        secret, answer.password = answer.password, MASK if answer.password else ""
        return with_reply(answer, _masked(reply, secret))

    @operation(
        "GET",
        "/alerts/history",
        examples=("alerts history", "alerts history --limit 20 --columns time,type,text"),
    )
    async def history(
        self,
        start: Annotated[int, Param("Number of the first alert; 1 is the newest.")] = 1,
        limit: Annotated[int, Param("At most so many alerts.")] = PAGE,
    ) -> AlertHistory:
        """Show the alerts of the past, newest first.

        They tell of executions, cancellations and prices that were reached.

        Raises:
            BrokerError: The broker's answer lacks a part.

        Source: protocol 04 §3.2.
        """
        if start < 1:
            raise ValidationFailed.of("start", start, "be 1 or above")
        if not 1 <= limit <= _MOST:
            raise ValidationFailed.of("limit", limit, f"be from 1 to {_MOST}")
        answer, last = AlertHistory(start=start), start + limit - 1
        replies: list[WireReply] = []
        while start <= last:
            until = min(last, start + PAGE - 1)
            envelope = _get_alerts(start, until)
            reply = await self.core.send(_soap_call(self.core, "alerts.history", HISTORY, envelope))
            try:
                part = soap.body_part(reply.document, soap.ALERTS, "GetAlertsResponse")
                total, found = _alerts(part)
            except SoapProblem as problem:
                raise _unusable(reply, "alert history", problem) from None
            replies.append(reply)
            answer.alerts += found
            answer.total = total if answer.total is None else answer.total
            start = until + 1
            if until >= total or soap.child(part, soap.ALERTS, "Messages") is None:
                break
        del answer.alerts[limit:]
        return with_reply(answer, _joined(replies))

    @operation("GET", "/alerts/announcements", inferred=True, examples=("alerts announcements",))
    async def announcements(self) -> Announcements:
        """Show the broker's announcements to its customers.

        Raises:
            BrokerError: Neither of the two places where they may be has them.

        Source: protocol 04 §7.
        """
        reply = await _content(self.core)
        answer = Announcements(announcements=[_announcement(entry) for entry in _entries(reply.document)])
        return with_reply(answer, reply)

    @operation("GET", "/alerts/event-token", inferred=True, examples=("alerts event-token",))
    async def event_token(self, reveal: Reveal = False) -> EventToken:
        """Ask for what lets one in at the stream of account events.

        The token stays masked unless you ask for it; `ft stream events` asks for its own.

        Raises:
            BrokerError: The broker gave none.

        Source: protocol 04 §4.
        """
        reply, token = await fetch_event_token(self.core)
        expiry = token_expiry(token.reveal())
        answer = EventToken(token=token.reveal())
        answer.expires_at = None if expiry is None else datetime.fromtimestamp(expiry, NEW_YORK)
        if reveal:
            return with_reply(answer, reply)
        answer.token = MASK
        return with_reply(answer, _masked(reply, token.reveal()))


async def fetch_event_token(core: Core) -> tuple[WireReply, Secret]:
    """A fresh token of the event stream, and the answer it came in.

    Raises:
        BrokerError: None of the places where it may be had gave one.
    """
    configured = core.settings.paths.get("alerts.event_token")
    paths = [configured] if configured else list(TOKEN_PATHS)
    while True:
        path = paths.pop(0)
        try:
            reply = await core.send(WireRequest(host="dp", method="GET", path=path))
        except CallRefused as problem:
            if not paths or (problem.details or {}).get("status") != 404:
                raise
            continue
        return reply, Secret(read_token(reply.body))


# -- SOAP (§3) -----------------------------------------------------------------------------------------------


def _soap_call(core: Core, name: str, path: str, envelope: str) -> WireRequest:
    headers = {**_FORM, "SOAPAction": "CustomerSignOn"} if path == SIGN_ON else _FORM
    where = core.settings.paths.get(name, path)
    return WireRequest(host="alerts", method="POST", path=where, body=envelope, headers=headers)


def _sign_on() -> str:
    principal = (
        Node("prin:RequestorId", "fidelity"),
        Node("prin:AuthMethod", "Basic"),
        Node("prin:PrincipalDomain", "Retail"),
        Node("prin:PrincipalRole", "Owner"),
    )
    namespaces = {"soapenv": soap.ENVELOPE, "prin": soap.PRINCIPAL, "prod": soap.PRODUCT}
    body = Node("aut:CustomerSignOn", (Node("aut:AlertCode", "ATBT"),))
    return _envelope({**namespaces, "aut": soap.SUBSCRIPTION}, principal, "0.0.1", body)


def _get_alerts(first: int, last: int) -> str:
    principal = (
        Node("prin:RequestorId", "Fidelity"),
        Node("prin:AuthMethod", "Basic"),
        Node("prin:PrincipalDomain", "Retail"),
        Node("prin:RequestorType", "Standard"),
        Node("prin:PrincipalRole", "Owner"),
    )
    namespaces = {
        "prin": soap.PRINCIPAL,
        "prod": soap.PRODUCT,
        "soapenv": soap.ENVELOPE,
        "xsd": "http://www.w3.org/2001/XMLSchema",
        "xsi": "http://www.w3.org/2001/XMLSchema-instance",
    }
    window = (Node("MsgIndexFrom", str(first)), Node("MsgIndexTo", str(last)))
    body = Node("GetAlerts", window, (("xmlns", soap.ALERTS),))
    return _envelope(namespaces, principal, "4.5.1", body)


def _envelope(namespaces: dict[str, str], principal: tuple[Node, ...], version: str, body: Node) -> str:
    product = (
        Node("prod:AppId", "AP002304"),
        Node("prod:AppName", "ATP"),
        Node("prod:AppVersion", version),
        Node("prod:ProductId", "ATP"),
        Node("prod:SubSystem", "ActiveTrader"),
    )
    header = Node(
        "soapenv:Header",
        (Node("prin:PrincipalIdentity", principal), Node("prod:ProductIdentity", product)),
    )
    spaces = tuple((f"xmlns:{prefix}", uri) for prefix, uri in namespaces.items())
    return soap.written(Node("soapenv:Envelope", (header, Node("soapenv:Body", (body,))), spaces))


def _unusable(reply: WireReply, what: str, problem: SoapProblem) -> BrokerError:
    details: dict[str, Any] = {"status": reply.status, "reason": str(problem)}
    if problem.fault is not None:
        details["fault"] = redact(problem.fault)
        return BrokerError(f"The broker refused the {what}: {details['fault']}", details=details)
    return BrokerError(f"The broker's answer to the {what} cannot be used: {problem}.", details=details)


def _subscription(part: "Element") -> AlertSubscription:
    """The sign-on's answer (protocol 04 §3.1).

    Raises:
        SoapProblem: A part is missing.
        BrokerError: The broker says FAILURE.
    """
    result = (soap.required(part, soap.SUBSCRIPTION, "ResultCode").text or "").strip()
    if not result:
        raise SoapProblem("its ResultCode is empty")
    group = soap.required(part, soap.SUBSCRIPTION, "ActivationDetails")
    values = {name: soap.required(group, soap.SUBSCRIPTION, name).text or "" for name in _PARTS}
    if result.upper() != "SUCCESS":
        status = read_text(values["ActivationStatus"])
        raise CallRefused(
            f"The broker did not sign you on to alerts: {result}.",
            details={"result": result, "activation_status": status},
        )
    answer = read(AlertSubscription, values)
    if answer.password:
        Secret(answer.password)  # masked from now on wherever it turns up
    answer.destinations = [topic.strip() for topic in values["Destination"].split(",") if topic.strip()]
    return answer


def _alerts(part: "Element") -> tuple[int, list[Alert]]:
    """The number of alerts on file, and those that came (protocol 04 §3.2).

    Raises:
        SoapProblem: The number is missing.
    """
    total = read_int(soap.required(part, soap.ALERTS, "TotalMsgCount").text)
    if total is None:
        raise SoapProblem("its TotalMsgCount is no number")
    messages = soap.child(part, soap.ALERTS, "Messages")
    found = []
    for message in soap.children(messages, soap.ALERTS, "Message") if messages is not None else []:
        inner = soap.child(message, soap.ALERTS, "Document")
        text = (inner.text or "").strip() if inner is not None else ""
        if text:
            found.append(read_alert(text))
    return total, found


def read_alert(document: str) -> Alert:
    """An alert from its own XML; one that cannot be read keeps its XML and nothing else.

    The text has been unescaped with the envelope around it. Only where it still begins with an escaped sign
    was it escaped twice: to unescape always would spoil names with an ampersand.
    """
    if document.startswith("&lt;"):
        from html import unescape  # deferred: nobody has seen it yet

        document = unescape(document)
    try:
        tree = xml.loads(document)
    except xml.UnreadableXml:
        return Alert(document=document)
    alert = read(Alert, next(iter(tree.values())))
    alert.document = document
    alert.symbol = alert.symbol.removeprefix("-") if alert.symbol else None
    return alert


def _joined(replies: list[WireReply]) -> WireReply:
    """Several pages as one answer: their documents one after the other."""
    if len(replies) == 1:
        return replies[0]
    first = replies[0]
    body = b"\n".join(reply.body for reply in replies)
    documents = [reply.document for reply in replies]
    return WireReply(status=first.status, headers=first.headers, body=body, document=documents)


def _masked(reply: WireReply, secret: str) -> WireReply:
    """An answer without its secret: not even ``-o raw`` shows it unasked."""
    if not secret:
        return reply
    body = reply.body.replace(secret.encode(), MASK.encode())
    document = _without(reply.document, secret)
    return WireReply(status=reply.status, headers=reply.headers, body=body, document=document)


def _without(value: Any, secret: str) -> Any:
    if isinstance(value, dict):
        return {key: _without(part, secret) for key, part in value.items()}
    if isinstance(value, list):
        return [_without(part, secret) for part in value]
    return value.replace(secret, MASK) if isinstance(value, str) else value


# -- announcements (§7) --------------------------------------------------------------------------------------


async def _content(core: Core) -> WireReply:
    """The announcements, from the host of the notes, else from that of the captures."""
    headers = {"WhereUsed": "ActiveTraderMessageCenter"}
    path = core.settings.paths.get("alerts.announcements", CONTENT)
    try:
        return await core.send(WireRequest(host="content", method="GET", path=path, headers=headers))
    except BrokerError as problem:
        first: FtError = problem
    try:
        return await core.send(
            WireRequest(host="dp", method="GET", path=f"/ftgw/dp{CONTENT}", headers=headers)
        )
    except BrokerError as problem:
        details = {**(problem.details or {}), "first": first.details}
        raise BrokerError(
            f"The broker's announcements are at neither of the places known. {problem.message}",
            details=details,
        ) from None


def _entries(document: Any) -> list[dict[str, Any]]:
    """The messages in an answer whose form nobody has recorded."""
    if isinstance(document, dict):
        for key in ("content", "contents", "messages", "announcements", "items"):
            if document.get(key):
                return [entry for entry in as_list(document[key]) if isinstance(entry, dict)]
        return []
    return [entry for entry in as_list(document) if isinstance(entry, dict)]


def _announcement(entry: dict[str, Any]) -> Announcement:
    answer = read(Announcement, entry)
    answer.title = _plain_text(answer.title)
    answer.text = _plain_text(answer.text)
    return answer


def _plain_text(markup: str | None) -> str | None:
    """HTML as plain text, on one line."""
    if markup is None:
        return None
    from html.parser import HTMLParser  # deferred: only announcements have markup

    class Text(HTMLParser):
        def __init__(self) -> None:
            super().__init__(convert_charrefs=True)
            self.parts: list[str] = []
            self.hidden = 0

        def handle_starttag(self, tag: str, attrs: Any) -> None:
            self.hidden += tag in ("script", "style")
            self.parts.append(" ")

        def handle_endtag(self, tag: str) -> None:
            self.hidden -= tag in ("script", "style") and self.hidden > 0
            self.parts.append(" ")

        def handle_data(self, data: str) -> None:
            if not self.hidden:
                self.parts.append(data)

    parser = Text()
    parser.feed(markup)
    parser.close()
    return " ".join("".join(parser.parts).split()) or None
