"""Frames of the paper broker's market data (protocol 05 §2.9-2.12)."""

from typing import TYPE_CHECKING, Any

from ftcli.models.json import dumps
from ftcli.models.mdds_items import Item

if TYPE_CHECKING:
    from ftcli.paper.faults import Faults
    from ftcli.paper.mdds import Subscription

_DELAY = "1.204113ms"
_SHORT_DELAY = "846.31µs"


def text(document: Any) -> str:
    """A document as a frame."""
    return dumps(document).decode()


def message_frame(word: str, data: list[Item], request: str) -> str:
    """An answer to a command."""
    delay = _SHORT_DELAY if request[-1:] in "02468ace" else _DELAY
    return text({"Command": word, "ResponseType": "1", "Data": data, "Delay": delay, "Request": request})


def error_frame(word: str, symbol: str, reason: str, code: str, request: str) -> str:
    """The refusal of a symbol or a command (protocol 05 §2.12)."""
    data = [{"0": reason, "6": symbol}] if symbol else [{"0": reason}]
    document = {"Command": word, "ResponseType": "-1", "ErrorCode": code, "Data": data}
    return text({**document, "Delay": _DELAY, "Request": request})


def delta_frame(held: "Subscription", change: Item, faults: "Faults") -> str:
    """A delta. Books carry the command word, quotes only their data, unless a fault says otherwise."""
    is_book = held.command == "subscribe_virtualbook"
    if faults.mdds_envelope == "both" or (faults.mdds_envelope == "book" and is_book):
        head = {"Command": held.command, "ResponseType": "0", "Data": [change]}
        return text({**head, "Request": held.request})
    return text({"ResponseType": "0", "Data": [change]})
