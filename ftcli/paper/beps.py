"""The account event stream as the paper broker serves it: AppSync's protocol, one :class:`BepsFeed` a connection.

It reads and writes messages; whoever owns the socket carries them (protocol 05 §7, appendix C).
"""

import base64
import binascii
import re
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from ftcli.clock import NEW_YORK
from ftcli.models.json import dumps, loads
from ftcli.paper import event_tokens
from ftcli.paper.codes import EventKind
from ftcli.paper.instruments import find
from ftcli.paper.mdds_frames import text
from ftcli.paper.records import Event

if TYPE_CHECKING:
    from ftcli.paper.desk import Desk

PATH = "/graphql/realtime"
SUBPROTOCOL = "graphql-ws"
_FIELD = "subScribeBEPSEvent"
_MEMBERS = (
    "eventId",
    "eventType",
    "source",
    "eventCreatedTime",
    "handleTime",
    "hasError",
    "message",
    "desc",
    "subscribeId",
    "consumerAppId",
)
_SOURCES = {
    EventKind.POSITION: "POSITIONS",
    EventKind.COST_BASIS: "POSITIONS",
    EventKind.BALANCE: "BALANCES",
    EventKind.PRICE_ABOVE: "ALERTS",
    EventKind.PRICE_BELOW: "ALERTS",
}
_NAMESPACE = uuid.UUID("6f0f7a0e-54a7-4e3e-9b57-0d6b1f9f4f5e")
_UNAUTHORIZED = {"errorType": "UnauthorizedException", "message": "Token has expired.", "errorCode": 401}
_START_ERRORS: dict[str, dict[str, Any]] = {
    "unauthorized": {
        "errorType": "UnauthorizedException",
        "message": f"Not Authorized to access {_FIELD} on type Subscription",
    },
    "limit": {"errorType": "LimitExceededError", "message": "Rate limit exceeded"},
    "query": {"errorType": "ValidationError", "message": f"Unknown field in {_FIELD}"},
}


def credentials_of(query: Mapping[str, str]) -> dict[str, str] | None:
    """Token and host of an upgrade's query; ``None`` where it is malformed (protocol 05 §7.2).

    Args:
        query: Its parameters, decoded. A ``+`` that was sent raw has become a blank by that.
    """
    try:
        header = loads(base64.b64decode(query.get("header", "").replace(" ", "+"), validate=True))
        payload = loads(base64.b64decode(query.get("payload", "").replace(" ", "+"), validate=True))
    except (binascii.Error, ValueError, msgspec.DecodeError):
        return None
    if payload != {} or not isinstance(header, dict):
        return None
    found = {name: header.get(name) for name in ("Authorization", "host")}
    if not all(isinstance(value, str) and value for value in found.values()):
        return None
    return {name: str(value) for name, value in found.items()}


class BepsFeed:
    """The server's side of one connection.

    Args:
        desk: The paper broker.
        token: The token of the upgrade.
        ticks: The moment on a steady clock, for keep-alives.
    """

    def __init__(self, desk: "Desk", token: str, ticks: float) -> None:
        self._desk = desk
        self._token = token
        self._said_at = ticks
        self._acknowledged = False
        self._completed = desk.faults.current().beps_complete
        self._members: tuple[str, ...] = _MEMBERS
        self._app = ""
        self.subscription: str | None = None
        """Id of the subscription, once it has been started."""
        self.after = 0
        """Sequence number of the last event that has been pushed."""
        self.has_ended = False
        """Whether the server wants the connection closed."""

    def receive(self, frame: str, now: datetime) -> list[str]:
        """Answers a message.

        Args:
            frame: The frame.
            now: The present moment.

        Raises:
            SocketEnd: The connection is to be closed.
        """
        faults = self._desk.faults.current()
        try:
            message = loads(frame)
        except msgspec.DecodeError:
            message = None
        if faults.mute or not isinstance(message, dict):
            return []
        kind, number = message.get("type"), str(message.get("id", ""))
        if kind == "connection_init":
            return self._greet(now)
        if kind == "start" and self._acknowledged:
            return self._start(number, message.get("payload"), now)
        if kind == "stop" and number == self.subscription:
            self.subscription = None
            return [text({"type": "complete", "id": number})]
        return []

    def _greet(self, now: datetime) -> list[str]:
        faults = self._desk.faults.current()
        if faults.beps_connect == "none":
            return []
        good = event_tokens.is_good(self._token, self._desk.member_id, now)
        if not good or faults.beps_connect == "error":
            return [text({"type": "connection_error", "payload": {"errors": [_UNAUTHORIZED]}})]
        self._acknowledged = True
        payload = {"connectionTimeoutMs": faults.beps_timeout} if faults.beps_timeout else {}
        return [text({"type": "connection_ack", "payload": payload}), '{"type":"ka"}']

    def _start(self, number: str, payload: Any, now: datetime) -> list[str]:
        faults = self._desk.faults.current()
        error = _START_ERRORS.get(faults.beps_start)
        try:
            query, variables, token = _asked(payload)
        except (KeyError, TypeError, ValueError, msgspec.DecodeError):
            error = error or _START_ERRORS["query"]
        else:
            mine = variables["subscribeId"] == self._desk.member_id
            if not mine or not event_tokens.is_good(token, self._desk.member_id, now):
                error = error or _START_ERRORS["unauthorized"]
            self._members = tuple(name for name in _MEMBERS if re.search(rf"\b{name}\b", query))
            self._app = variables["consumerAppId"]
        if error is not None:
            return [text({"type": "error", "id": number, "payload": {"errors": [error]}})]
        if self.subscription is None:
            self.after = self._desk.engine.last_event()
        self.subscription = number
        return [] if faults.beps_start == "none" else [text({"type": "start_ack", "id": number})]

    # -- what the server says by itself ----------------------------------------------------------------

    def tick(self, ticks: float, now: datetime) -> list[str]:
        """Keep-alives, and an end that nobody asked for.

        Args:
            ticks: The moment on a steady clock.
            now: The present moment.
        """
        faults = self._desk.faults.current()
        if faults.mute or not self._acknowledged:
            return []
        frames = []
        if faults.beps_keep_alive and ticks - self._said_at >= faults.beps_keep_alive:
            self._said_at = ticks
            frames.append('{"type":"ka"}')
        if faults.error_frames:
            frames += ['{"type":"data","payload":', '{"type":"surprise"}']
        if faults.beps_complete > self._completed and self.subscription is not None:
            frames.append(text({"type": "complete", "id": self.subscription}))
            self.subscription = None
        self._completed = faults.beps_complete
        return frames + self._expiry(faults.beps_expiry, now)

    def _expiry(self, way: str, now: datetime) -> list[str]:
        """The end of a subscription whose token has run out, as far as the faults want one."""
        if way == "ignore" or self.subscription is None:
            return []
        if event_tokens.is_good(self._token, self._desk.member_id, now):
            return []
        self.has_ended = way == "close"
        number, self.subscription = self.subscription, None
        error = {"type": "error", "id": number, "payload": {"errors": [_UNAUTHORIZED]}}
        return [text(error)] if way == "error" else []

    def push(self, events: list[Event], now: datetime) -> list[str]:
        """The events that have not been pushed, as frames.

        Args:
            events: The newest part of the log, in order.
            now: The present moment.
        """
        faults = self._desk.faults.current()
        fresh = [event for event in events if event.sequence > self.after]
        if not fresh or self.subscription is None or faults.mute:
            return []
        self.after = fresh[-1].sequence
        if faults.beps_reorder:
            fresh.reverse()
        frames = []
        for event in fresh:
            if faults.beps_noise:
                frames += self._noise(event, now)
            frame = self._frame(event_document(self._desk, event, now))
            frames += [frame, frame] if faults.beps_duplicate else [frame]
        return frames

    def push_document(self, document: dict[str, Any]) -> list[str]:
        """An event that a test has made up."""
        if self.subscription is None:
            return []
        whole = {"eventId": str(uuid.uuid4()), "subscribeId": self._desk.member_id, **document}
        return [self._frame(whole)]

    def _noise(self, event: Event, now: datetime) -> list[str]:
        known = event_document(self._desk, event, now)
        foreign = {**known, "eventId": str(uuid.uuid4()), "subscribeId": "0" * 16}
        unknown = {**known, "eventId": f"{known['eventId']}-x", "eventType": "XYZZY"}
        return [self._frame(document) for document in (None, foreign, unknown)]

    def _frame(self, document: dict[str, Any] | None) -> str:
        """A document as the subscription selects it."""
        shown = None
        if document is not None:
            whole = {"consumerAppId": self._app, **document}
            shown = {name: whole.get(name) for name in self._members}
        return text({"id": self.subscription, "type": "data", "payload": {"data": {_FIELD: shown}}})


def _asked(payload: Any) -> tuple[str, dict[str, str], str]:
    """Query, variables and token of a start message (protocol 05 §7.4).

    Raises:
        ValueError: Something is missing or of the wrong kind; so do ``KeyError`` and ``TypeError``.
    """
    data = payload["data"]
    if not isinstance(data, str):
        raise ValueError("data must be text")
    asked = loads(data)
    query, variables = asked["query"], asked["variables"]
    if _FIELD not in query or not all(
        isinstance(variables[n], str) for n in ("subscribeId", "consumerAppId")
    ):
        raise ValueError("not this subscription")
    authorization = payload["extensions"]["authorization"]
    if not authorization["host"]:
        raise ValueError("no host")
    return query, variables, str(authorization["Authorization"])


def event_document(desk: "Desk", event: Event, now: datetime) -> dict[str, Any]:
    """An entry of the event log as the service tells it (protocol 05 §7.7)."""
    faults = desk.faults.current()
    identity = uuid.uuid5(_NAMESPACE, f"{desk.member_id} {event.sequence} {event.time.isoformat()}")
    return {
        "eventId": str(identity),
        "subscribeId": desk.member_id,
        "source": _SOURCES.get(event.kind, "ORDERS"),
        "eventCreatedTime": _time(event.time, faults.beps_times),
        "eventType": event.kind.value,
        "handleTime": _time(now, faults.beps_times),
        "hasError": False,
        "message": "",
        "desc": _shaped(description(event), faults.beps_desc),
    }


def _time(moment: datetime, form: str) -> str:
    if form == "millis":
        return str(int(moment.timestamp() * 1000))
    if form == "seconds":
        return str(int(moment.timestamp()))
    if form == "old":
        return f"{moment.astimezone(NEW_YORK):%Y-%m-%d-%H.%M.%S.%f}"
    utc = moment.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"


def _shaped(details: dict[str, str], form: str) -> Any:
    if form == "object":
        return details
    if form == "empty":
        return ""
    if form == "xml":
        return f"<ALERT>{''.join(f'<{name}>{value}</{name}>' for name, value in details.items())}</ALERT>"
    if form == "plain":
        return " ".join(f"{name} {value}" for name, value in details.items())
    once = dumps(details).decode()
    return dumps(once).decode() if form == "double" else once


def description(event: Event) -> dict[str, str]:
    """The details of an event: texts, those that do not apply left out (protocol 05 §7.11)."""
    data, filled = event.data, event.kind is EventKind.EXECUTION
    moment = event.time.astimezone(NEW_YORK)
    instrument = find(data.symbol or "")
    dash = "-" if instrument is not None and instrument.is_option else ""
    is_order = event.kind in (EventKind.EXECUTION, EventKind.ORDER_UPDATE, EventKind.CANCELLED)
    details = {
        "ACCOUNT_NUM": event.account,
        "ORDER_NUM": event.order,
        "ORDER_ACTION": data.action.value if data.action else None,
        "ORDER_STATUS": _STATUS.get(event.kind) if is_order else None,
        "ORIGINAL_QTY": _number(data.original_quantity),
        "EXECUTED_QTY": _number(data.executed_quantity),
        "EXEC_SHRS": _number(data.last_quantity) if filled else None,
        "PRICE": _number(data.price),
        "AVG_PRICE": _number(data.average_price) if filled else None,
        "EXEC_DATE": f"{moment:%Y%m%d}" if filled else None,
        "EXCH_CODE": data.venue if filled else None,
        "GROSS_AMT": _number(data.gross) if filled else None,
        "SEC_TYPE": instrument.security_type if instrument and is_order else None,
        "DISPLAY_SYMBOL": f"{dash}{data.symbol}" if data.symbol else None,
        "POSITION_QTY": _number(data.position_quantity),
        "CORE_BALANCE": _number(data.core_balance),
        "CASH_BALANCE": _number(data.cash_balance),
        "TRIGGER_ID": data.trigger,
        "THRESHOLD": _number(data.threshold),
    }
    return {name: value for name, value in details.items() if value}


_STATUS = {EventKind.EXECUTION: "1", EventKind.CANCELLED: "5"}


def _number(value: Decimal | None) -> str | None:
    if value is None:
        return None
    shown = f"{value:f}"
    return shown.rstrip("0").rstrip(".") if "." in shown else shown
