"""What a reply says about itself: HTTP 200 is not success (protocol 00 §5.3, 01 §1.6)."""

from typing import Any

from ftcli.errors import BrokerError
from ftcli.models.field import as_list, read
from ftcli.models.order_confirmations import OrderMessage
from ftcli.wire import WireReply


def messages_of(document: Any) -> list[OrderMessage]:
    """The message lists the broker puts beside a payload, in their several forms (protocol 00 §5.3)."""
    if not isinstance(document, dict):
        return []
    found = as_list(document.get("sysMsgs"), "sysMsg") + as_list(
        document.get("orderConfirmMsgs"), "orderConfirmMessage"
    )
    plain = [
        {"type": message.get("severity"), "code": message.get("code"), "detail": message.get("message")}
        for message in as_list(document.get("messages"))
        if isinstance(message, dict)
    ]
    return [read(OrderMessage, message) for message in [*found, *plain] if isinstance(message, dict)]


def check_messages(reply: WireReply, payload: str) -> list[OrderMessage]:
    """The broker's messages beside the payload; an error beside an empty payload is an error.

    Args:
        reply: The answer.
        payload: Key of what was asked for.

    Raises:
        BrokerError: The broker sent an error message and nothing else, or no document at all.
    """
    document = reply.document
    if not isinstance(document, dict):
        raise BrokerError(
            "The broker's answer is not the document it should be.", details={"status": reply.status}
        )
    messages = messages_of(document)
    errors = [message for message in messages if message.is_error]
    if errors and not document.get(payload):
        raise BrokerError(
            f"The broker says: {errors[0].text}",
            details={"status": reply.status, "messages": message_details(errors)},
        )
    return messages


def message_details(messages: list[OrderMessage]) -> list[dict[str, Any]]:
    """Messages as error details: severity, code, text."""
    return [{"severity": item.severity, "code": item.code, "text": item.text} for item in messages]
