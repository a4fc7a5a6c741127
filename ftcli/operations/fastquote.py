"""What all calls to `fastquote` share: one tree for JSON and XML, errors inside a 200 (protocol 03 §1, 2)."""

from typing import Any

from ftcli.errors import BrokerError, NotFound
from ftcli.models import xml
from ftcli.models.field import as_list
from ftcli.models.option_symbol import OptionSymbol
from ftcli.models.values import read_text
from ftcli.operations.params import clean_symbol
from ftcli.wire import WireReply, WireRequest

_DELAYED = b"delayed quotes not supported"


def fastquote(path: str, query: dict[str, str], *, accept: str = "") -> WireRequest:
    """A read from `fastquote`.

    Args:
        path: Its path.
        query: Parameters in order.
        accept: What form of answer is wanted, where it matters.
    """
    headers = {"Accept": accept} if accept else {}
    return WireRequest(host="fastquote", method="GET", path=path, query=query, headers=headers)


def tree_of(reply: WireReply, root: str) -> dict[str, Any]:
    """The document inside the outer element, whether it came as XML or JSON, with or without that element.

    Args:
        reply: The answer.
        root: Name of the outer element.

    Raises:
        BrokerError: It is no such document, or the session has no real-time quotes.
    """
    check_entitlement(reply)
    document = reply.document
    if isinstance(document, str) and document.startswith("<"):
        try:
            document = xml.loads(document)
        except xml.UnreadableXml as problem:
            raise BrokerError(
                "The broker's answer is not the XML it should be.",
                details={"status": reply.status, "reason": str(problem)},
            ) from None
    if not isinstance(document, dict):
        raise BrokerError(
            "The broker's answer is not the document it should be.", details={"status": reply.status}
        )
    inner = document.get(root, document)
    return inner if isinstance(inner, dict) else {}


def find_with(tree: Any, key: str) -> dict[str, Any] | None:
    """The first object at any depth that has a member of a name."""
    if isinstance(tree, dict):
        if key in tree:
            return tree
        for value in tree.values():
            for entry in as_list(value):
                found = find_with(entry, key)
                if found is not None:
                    return found
    return None


def check_entitlement(reply: WireReply) -> None:
    """The transport has already asked for real-time quotes and tried once more (protocol 03 §0.4, 2.5).

    Raises:
        BrokerError: The broker still gives none to this session.
    """
    if _DELAYED in reply.body.lower():
        raise BrokerError(
            "The broker gives this session no real-time quotes (“Delayed quotes not supported”). "
            "See what the login is entitled to: ft auth status",
            details={"status": reply.status, "reason": "quote entitlement", "next": "ft auth status"},
        )


def check_base(base: Any, symbol: str, what: str) -> None:
    """The verdict in the ``BASE`` element (protocol 03 §1.3).

    Args:
        base: The element.
        symbol: What was asked for.
        what: What was asked of it, for the message.

    Raises:
        NotFound: The broker says there is none.
    """
    if not isinstance(base, dict):
        return
    error = read_text(base.get("err"))
    if error not in (None, "0"):
        # On an error `st` is the status text; montage answers carry a strike or nothing there.
        said = read_text(base.get("msg")) or read_text(base.get("st")) or ""
        raise NotFound(
            f"The broker has no {what} for {symbol}{f': {said}' if said else ''}.",
            details={"symbol": symbol, "broker_code": error, "broker_text": said or None},
        )


def quote_symbol(value: str, field: str = "symbol") -> str:
    """A symbol as `fastquote` spells it: options in any spelling get their dash (protocol 03 §0.5).

    Raises:
        ValidationFailed: It cannot be a symbol.
    """
    option = OptionSymbol.parse_or_none(value)
    return clean_symbol(value, field) if option is None else option.dashed
