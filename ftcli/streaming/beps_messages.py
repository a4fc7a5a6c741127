"""BEPS on the wire: AWS AppSync's GraphQL subscription over a WebSocket (protocol 05 §7.1-7.8)."""

import base64
from decimal import Decimal
from typing import Any, Final, Literal
from urllib.parse import quote

import msgspec

HOST: Final = "spservice.fidelity.com"
URL_TEMPLATE: Final = "wss://spservice.fidelity.com/graphql/realtime?header={0}&payload=e30%3D"
SUBPROTOCOL: Final = "graphql-ws"
AGENT: Final = "aws-amplify/5.1.4 js"
DEFAULT_TIMEOUT_MS: Final = 300_000

_SELECTION = (
    "eventId eventType source eventCreatedTime handleTime hasError message desc subscribeId consumerAppId"
)
_REDUCED = "eventId eventType desc"

INIT: Final = '{"type":"connection_init"}'

Fault = Literal["unauthorized", "limit", "max_subscriptions", "query", "other"]
"""What an error of the service means for us (protocol 05 §7.8)."""

_QUERY_SIGNS = ("validation", "unknown field", "fieldundefined", "syntax")
_UNAUTHORIZED = frozenset(["unauthorizedexception", "unauthorized", "notauthorizedexception"])


class Message(msgspec.Struct, gc=False):
    """A message of the service."""

    type: str = ""
    id: str | int | None = None
    payload: Any = None


_read = msgspec.json.Decoder(Message, float_hook=Decimal).decode


def read_message(frame: bytes | str) -> Message | None:
    """A message, or ``None`` where the frame is none."""
    try:
        return _read(frame)
    except msgspec.MsgspecError:
        return None


def auth_header(token: str, host: str) -> str:
    """The credentials as the URL carries them: base64 of a JSON object whose member order counts."""
    document = msgspec.json.encode({"Authorization": token, "host": host})
    return base64.b64encode(document).decode()


def connection_url(template: str, token: str, host: str) -> str:
    """The URL to connect to. It contains the token: never log it.

    Args:
        template: URL with ``{0}`` for the header; empty for the broker's own.
        token: The JWT, bare.
        host: Name the API is known by; empty for the broker's own.
    """
    header = quote(auth_header(token, host or HOST), safe="")
    return (template or URL_TEMPLATE).replace("{0}", header)


def document(*, reduced: bool = False) -> str:
    """The subscription document; reduced to what is indispensable where the service refused the full one."""
    return (
        "subscription AccountEvents($subscribeId: String!, $consumerAppId: String!) "
        "{ subScribeBEPSEvent(subscribeId: $subscribeId, consumerAppId: $consumerAppId) "
        f"{{ {_REDUCED if reduced else _SELECTION} }} }}"
    )


def start(
    message_id: str, *, token: str, host: str, member_id: str, app_id: str, reduced: bool = False
) -> str:
    """The message that starts the subscription.

    Args:
        message_id: Unique on the socket.
        token: The JWT, bare.
        host: Name the API is known by.
        member_id: Whose events.
        app_id: Consumer application id.
        reduced: Whether to ask for the reduced selection.
    """
    variables = {"subscribeId": member_id, "consumerAppId": app_id}
    data = msgspec.json.encode({"query": document(reduced=reduced), "variables": variables}).decode()
    authorization = {"Authorization": token, "host": host or HOST, "x-amz-user-agent": AGENT}
    return msgspec.json.encode(
        {
            "id": message_id,
            "type": "start",
            "payload": {"data": data, "extensions": {"authorization": authorization}},
        }
    ).decode()


def stop(message_id: str) -> str:
    """The message that ends the subscription."""
    return msgspec.json.encode({"type": "stop", "id": message_id}).decode()


def ack_timeout(payload: Any) -> float:
    """Seconds without a keep-alive after which the connection is dead, from a ``connection_ack``."""
    value = payload.get("connectionTimeoutMs") if isinstance(payload, dict) else None
    if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
        return value / 1000
    return DEFAULT_TIMEOUT_MS / 1000


def errors_of(payload: Any) -> list[dict[str, Any]]:
    """The errors of a payload: a list by the documentation, a single object now and then."""
    found = payload.get("errors") if isinstance(payload, dict) else None
    if isinstance(found, dict):
        found = [found]
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []


def fault_of(payload: Any) -> Fault:
    """What the errors of a payload mean for us."""
    for error in errors_of(payload):
        kind = str(error.get("errorType") or "").strip().lower()
        text = str(error.get("message") or "").lower()
        if kind in _UNAUTHORIZED or "token expired" in text or "token has expired" in text:
            return "unauthorized"
        code = str(error.get("errorCode") or "").strip()
        if code in ("401", "403"):
            return "unauthorized"
        if kind == "limitexceedederror":
            return "limit"
        if kind == "maxsubscriptionsreachederror":
            return "max_subscriptions"
        if any(sign in f"{kind} {text}" for sign in _QUERY_SIGNS):
            return "query"
        if code == "400":
            # Not worth trying again with the same token (protocol 05 §7.3), where it is not the query's fault.
            return "unauthorized"
    return "other"


def fault_text(payload: Any) -> str:
    """The first error's type, for status messages; texts of the service are not passed on unread."""
    for error in errors_of(payload):
        if error.get("errorType"):
            return str(error["errorType"])[:60]
    return "error"
