"""What the research calls to the main gateway share: addresses, errors inside a 200 (protocol 03 §0.7)."""

from typing import Any

from ftcli.errors import BrokerError, NotFound
from ftcli.operations.verdicts import message_details, messages_of
from ftcli.wire import Retry, WireReply, WireRequest

_NOT_FOUND = frozenset({"4000", "4004", "4040"})
"""Codes of an unknown symbol, record or id (protocol 03 §0.7, §13.2)."""


def dp_get(path: str, query: dict[str, str]) -> WireRequest:
    """A read by GET; these stand under the direct prefix (protocol 03 §0.2)."""
    return WireRequest(host="dp", method="GET", path=f"/ftgw/dpdirect/{path}", query=query)


def dp_post(path: str, body: Any, retry: Retry = Retry.READ) -> WireRequest:
    """A call by POST."""
    return WireRequest(host="dp", method="POST", path=f"/ftgw/dp/{path}", body=body, retry=retry)


def document_of(reply: WireReply) -> dict[str, Any]:
    """The answer as an object; nothing at all is an empty one.

    Raises:
        BrokerError: It is something else.
    """
    if reply.document is None:
        return {}
    if not isinstance(reply.document, dict):
        raise BrokerError(
            "The broker's answer is not the document it should be.", details={"status": reply.status}
        )
    return reply.document


def check_said(reply: WireReply, payload: str, wanted: str) -> dict[str, Any]:
    """The answer, unless the broker sent an error and nothing else.

    Args:
        reply: The answer.
        payload: Key of what was asked for.
        wanted: What was asked for, for the message.

    Raises:
        NotFound: The broker knows no such symbol or id.
        BrokerError: The broker refused the call in a 200.
    """
    document = document_of(reply)
    errors = [message for message in messages_of(document) if message.is_error]
    if errors and not document.get(payload):
        details = {"status": reply.status, "messages": message_details(errors)}
        if any(_NOT_FOUND & {message.code, message.outer_code} for message in errors):
            raise NotFound(f"The broker has nothing for {wanted}: {errors[0].text}", details=details)
        raise BrokerError(f"The broker says: {errors[0].text}", details=details)
    return document
