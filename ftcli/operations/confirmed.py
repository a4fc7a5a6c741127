"""Whether the broker confirms a change: its newer services say so in a message inside a 200 (protocol 04 §0.4)."""

from collections.abc import Callable
from typing import Any

from ftcli.errors import BrokerError, CallRefused, LostReply
from ftcli.models.order_confirmations import OrderMessage
from ftcli.operations.dp import document_of
from ftcli.operations.verdicts import message_details, messages_of
from ftcli.wire import WireReply

Rule = Callable[[OrderMessage], bool]
"""Whether a message says that all went well; each service has a rule of its own."""


def confirmed(reply: WireReply, rule: Rule) -> bool:
    """Whether some message of an answer says that all went well."""
    return any(rule(message) for message in messages_of(document_of(reply)))


def check_answered(reply: WireReply, rule: Rule, payload: str) -> None:
    """Checks a read: what was asked for is there, or a message says that all went well.

    Args:
        reply: The answer.
        rule: The service's rule of success.
        payload: Key of what was asked for; where it is there, messages do not matter.

    Raises:
        BrokerError: The broker says that something went wrong.
    """
    document = document_of(reply)
    if document.get(payload) or confirmed(reply, rule):
        return
    messages = messages_of(document)
    if messages or payload not in document:
        said = _said(messages) if messages else "neither data nor a message"
        raise BrokerError(
            f"The broker says: {said}",
            details={"status": reply.status, "messages": message_details(messages)},
        )


def check_changed(reply: WireReply, rule: Rule, what: str) -> None:
    """Checks a change.

    Args:
        reply: The answer.
        rule: The service's rule of success.
        what: What was to be done, as the end of "The broker did not ...".

    Raises:
        CallRefused: The broker says that something went wrong.
        LostReply: It says nothing: the change may have happened.
    """
    if not any(rule(message) for message in messages_of(document_after_change(reply))):
        raise refusal(reply, what)


def document_after_change(reply: WireReply) -> dict[str, Any]:
    """The answer to a change as an object; nothing at all is an empty one.

    Raises:
        LostReply: It is something else, so nobody knows what has happened.
    """
    if reply.document is None:
        return {}
    if not isinstance(reply.document, dict):
        raise LostReply(
            "The broker's answer to the change is not the document it should be. Look before you try again.",
            details={"status": reply.status},
        )
    return reply.document


def refusal(reply: WireReply, what: str) -> CallRefused | LostReply:
    """What an answer without a confirmation means: a refusal, or nothing that anyone could tell.

    Args:
        reply: The answer, an object.
        what: What was to be done, as the end of "The broker did not ...".
    """
    messages = messages_of(document_of(reply))
    details = {"status": reply.status, "messages": message_details(messages)}
    if messages:
        return CallRefused(f"The broker did not {what}: {_said(messages)}", details=details)
    return LostReply(
        f"The broker does not say whether it did {what}. Look before you try again.", details=details
    )


def _said(messages: list[OrderMessage]) -> str:
    worst = next((message for message in messages if message.is_error), messages[0])
    words = [word for word in (worst.label, worst.text) if word]
    return " – ".join(dict.fromkeys(words)) or f"code {worst.outer_code}"
