"""Account events: from the service's objects to ours, each once (protocol 05 §7.7, 7.10-7.12)."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import msgspec

from ftcli.models.json import loads
from ftcli.models.streaming import Event
from ftcli.models.values import read_bool, read_date, read_datetime, read_decimal, read_text
from ftcli.streaming.timing import moment

EVENT_TYPES: Final[dict[str, tuple[str, str]]] = {
    "MFCEX": ("ORDER_FILL", "order"),
    "ORDUP": ("ORDER_UPDATE", "order"),
    "CXL01": ("ORDER_CANCELLED", "order"),
    "SPPOS": ("POSITION_UPDATE", "position"),
    "CBUPD": ("COST_BASIS_UPDATE", "position"),
    "SPBSM": ("BALANCE_UPDATE", "balance"),
    "TRPA": ("PRICE_ALERT_ABOVE", "alert"),
    "TRPB": ("PRICE_ALERT_BELOW", "alert"),
    "MA50A": ("MA50_ALERT_ABOVE", "alert"),
    "MA50B": ("MA50_ALERT_BELOW", "alert"),
    "MA200A": ("MA200_ALERT_ABOVE", "alert"),
    "MA200B": ("MA200_ALERT_BELOW", "alert"),
    "52WHA": ("WEEK52_ALERT_A", "alert"),
    "52WHB": ("WEEK52_ALERT_B", "alert"),
    "VOLAL": ("VOLUME_ALERT", "alert"),
}
"""The broker's code → (our type, category). Any other code is UNKNOWN, category other."""

# Our member → the names it may have in ``desc``, the likeliest first; all inferred (protocol 05 §7.11).
_NAMES: Final[dict[str, tuple[str, ...]]] = {
    "account": ("ACCOUNT_NUM", "acctNum", "accountNumber", "accountId"),
    "order_id": ("ORDER_NUM", "orderNum", "orderNumber", "orderId", "CONFIRMATION_NUM", "confNum"),
    "action": ("ORDER_ACTION", "orderActionCode", "action", "side"),
    "symbol": ("DISPLAY_SYMBOL", "DISP_MSG_SYMBOL", "symbol", "securitySymbol"),
    "quantity": ("ORIGINAL_QTY", "orderQty", "quantity", "qty"),
    "executed_quantity": ("EXEC_SHRS", "lastQty", "execQty"),
    "cumulative_quantity": ("EXECUTED_QTY", "cumQty", "filledQty"),
    "price": ("PRICE", "execPrice", "lastPrice"),
    "avg_price": ("AVG_PRICE", "avgPrice", "averagePrice"),
    "exchange": ("EXCH_CODE", "exchange", "market"),
    "gross_amount": ("GROSS_AMT", "grossAmount", "amount"),
    "status": ("ORDER_STATUS", "status", "statusCode"),
    "exec_date": ("EXEC_DATE", "execDate", "tradeDate"),
    "text": ("DISPLAY_DATA", "displayText", "message"),
}
_READERS: Final[dict[str, Callable[[Any], Any]]] = {
    **dict.fromkeys(_NAMES, read_text),
    **dict.fromkeys(
        ("quantity", "executed_quantity", "cumulative_quantity", "price", "avg_price", "gross_amount"),
        read_decimal,
    ),
    "exec_date": read_date,
}


def _bare(name: str) -> str:
    return name.replace("_", "").replace("-", "").lower()


_CANDIDATES: Final = {member: tuple(_bare(name) for name in names) for member, names in _NAMES.items()}


def read_event(document: dict[str, Any], at: float) -> Event:
    """An event object of the service as ours. Nothing in it can make this fail.

    Args:
        document: ``subScribeBEPSEvent``.
        at: Epoch seconds of its arrival.
    """
    code = (read_text(document.get("eventType")) or "").upper()
    event_type, category = EVENT_TYPES.get(code, ("UNKNOWN", "other"))
    desc = read_desc(document.get("desc"))
    event = Event(
        event_id=read_text(document.get("eventId")) or _substitute_id(document),
        event_type=event_type,
        code=code,
        category=category,
        desc=desc,
        message=read_text(document.get("message")),
        source=read_text(document.get("source")),
        created_at=read_datetime(document.get("eventCreatedTime")),
        handled_at=read_datetime(document.get("handleTime")),
        has_error=bool(read_bool(document.get("hasError"))),
        received_at=moment(at),
    )
    for member, value in _members(desc).items():
        setattr(event, member, value)
    if event_type == "ORDER_FILL" and event.quantity is not None and event.cumulative_quantity is not None:
        event.partial = event.cumulative_quantity < event.quantity
    return event


def _substitute_id(document: dict[str, Any]) -> str:
    """An identity for an event that came without: the same content gives the same one."""
    parts = [document.get(name) for name in ("eventType", "eventCreatedTime", "desc")]
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()[:32]


def _members(desc: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in _leaves(desc):
        found.setdefault(_bare(name), value)
    members: dict[str, Any] = {}
    for member, candidates in _CANDIDATES.items():
        for candidate in candidates:
            value = _READERS[member](found.get(candidate))
            if value is not None:
                members[member] = value
                break
    return members


def _leaves(value: Any, depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Every scalar member of a nested object, the outer ones first."""
    if not isinstance(value, dict) or depth > 8:
        return
    yield from ((name, entry) for name, entry in value.items() if not isinstance(entry, dict | list))
    for entry in value.values():
        for part in entry if isinstance(entry, list) else [entry]:
            yield from _leaves(part, depth + 1)


def read_desc(value: Any) -> dict[str, Any]:
    """The details of an event, whatever form they came in (protocol 05 §7.11).

    JSON text, JSON in JSON text, an object, XML, or plain text, which becomes ``{"text": ...}``.
    """
    for _ in range(3):
        if isinstance(value, dict):
            return value
        if not isinstance(value, str) or not value.strip():
            break
        try:
            value = loads(value)
        except msgspec.MsgspecError:
            return _read_xml(value) or {"text": value}
    if value is None or str(value).strip() == "":
        return {}
    return {"items": value} if isinstance(value, list) else {"text": str(value)}


def _read_xml(text: str) -> dict[str, Any] | None:
    from html import unescape

    plain = text.strip()
    plain = plain if plain.startswith("<") else unescape(plain)
    if not plain.startswith("<"):
        return None
    from defusedxml.ElementTree import fromstring  # deferred: only the old feed's form needs it

    try:
        root = fromstring(plain)
    except Exception:
        return None
    content = _element(root)
    return content if isinstance(content, dict) else {root.tag: content}


def _element(element: Any) -> Any:
    children = list(element)
    if not children:
        return element.text or ""
    found: dict[str, Any] = {}
    for child in children:
        value = _element(child)
        if child.tag in found:
            former = found[child.tag]
            found[child.tag] = [*(former if isinstance(former, list) else [former]), value]
        else:
            found[child.tag] = value
    return found


Known = tuple[str, str, float]
"""Event id, digest of its details, epoch seconds."""


class EventMemory:
    """Which events have been seen: ten thousand or a day, whichever is more (protocol 05 §7.12).

    Args:
        known: What an earlier process has seen.
        remember: Called with each new one, to keep it for the next process.
    """

    LIMIT: Final = 10_000
    AGE: Final = 86_400.0

    def __init__(self, known: Iterable[Known] = (), remember: Callable[[Known], None] | None = None) -> None:
        self._seen: dict[str, tuple[str, float]] = {key: (digest, at) for key, digest, at in known}
        self._remember = remember

    def admit(self, event: Event, at: float) -> bool:
        """Whether an event is new; the same one with other details is, and is marked ``revised``."""
        digest = hashlib.sha256(msgspec.json.encode(event.desc, order="deterministic")).hexdigest()[:16]
        former = self._seen.pop(event.event_id, None)
        if former is not None:
            self._seen[event.event_id] = (digest, former[1])
            if former[0] == digest:
                return False
            event.revised = True
        self._seen[event.event_id] = (digest, at)
        if self._remember is not None:
            self._remember((event.event_id, digest, at))
        self._forget(at)
        return True

    def _forget(self, now: float) -> None:
        while len(self._seen) > self.LIMIT:
            oldest = next(iter(self._seen))
            if now - self._seen[oldest][1] < self.AGE:
                return
            del self._seen[oldest]
