"""MDDS frames: the commands we send, the messages we read (protocol 05 §1.3, 2.2-2.12). No sockets here."""

from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal

import msgspec

from ftcli.models.streaming import Kind

SNAPSHOT: Final = "1"
DELTA: Final = "0"
ERROR: Final = "-1"

SUBSCRIBE: Final = "subscribe"
SUBSCRIBE_BOOK: Final = "subscribe_virtualbook"
SUBSCRIBE_BAR: Final = "subscribe_1-minute-bar"
UNSUBSCRIBE: Final = "unsubscribe"
UNSUBSCRIBE_BOOK: Final = "unsubscribe_virtualbook"

WORDS: Final[dict[Kind, str]] = {
    "quote": SUBSCRIBE,
    "trade": SUBSCRIBE,
    "book": SUBSCRIBE_BOOK,
    "bar": SUBSCRIBE_BAR,
}
"""The command word of each kind of subscription."""

Item = dict[str, str]


_Said = Annotated[str, msgspec.Meta(min_length=1)]
_PartialItem = Annotated[dict[str, _Said], msgspec.Meta(max_length=40)]


class Deltas(msgspec.Struct, gc=False):
    """The part of a message that an ordinary delta needs; the rest of the frame is skipped unread.

    What is not ordinary does not decode: an empty value, a value that is no text, an item of more than 40 ids
    (protocol 05 §2.14). So these need no look of their own at every tick.
    """

    ResponseType: str = ""
    Data: list[_PartialItem] = []


class Message(msgspec.Struct, gc=False):
    """A data message whole (protocol 05 §2.9)."""

    ResponseType: str = ""
    Data: list[Item] = []
    Command: str = ""
    ErrorCode: str = ""
    Delay: str = ""
    Request: str = ""


class _LooseMessage(msgspec.Struct, gc=False):
    """A message whose values are not all text."""

    ResponseType: msgspec.Raw = msgspec.Raw(b"")
    Data: list[dict[str, msgspec.Raw]] | None = None
    Command: msgspec.Raw = msgspec.Raw(b"")
    ErrorCode: msgspec.Raw = msgspec.Raw(b"")
    Delay: msgspec.Raw = msgspec.Raw(b"")
    Request: msgspec.Raw = msgspec.Raw(b"")


read_deltas = msgspec.json.Decoder(Deltas).decode
"""The fast reader: raises ``msgspec.MsgspecError`` for whatever is not ordinary."""
read_message = msgspec.json.Decoder(Message).decode
"""Reads a message whole: raises ``msgspec.MsgspecError`` where a value is no text; then :func:`read_loose`."""
_read_loose = msgspec.json.Decoder(_LooseMessage).decode


def read_loose(frame: bytes | str) -> Message | None:
    """A message with numbers or booleans where text is usual, turned into their text form.

    Returns:
        The message, or ``None`` where the frame is no data message at all.
    """
    try:
        loose = _read_loose(frame)
    except msgspec.MsgspecError:
        return None
    return Message(
        ResponseType=_text(loose.ResponseType),
        Data=[{key: _text(value) for key, value in item.items()} for item in loose.Data or []],
        Command=_text(loose.Command),
        ErrorCode=_text(loose.ErrorCode),
        Delay=_text(loose.Delay),
        Request=_text(loose.Request),
    )


def _text(raw: msgspec.Raw) -> str:
    """The text form of a raw JSON value: digits as they were sent; null and structures are nothing."""
    body = bytes(raw)
    if not body or body == b"null" or body[:1] in (b"{", b"["):
        return ""
    return str(msgspec.json.decode(body)) if body[:1] == b'"' else body.decode()


class Greeting(msgspec.Struct, frozen=True):
    """The first message of a connection (protocol 05 §1.3).

    Attributes:
        session_id: To be echoed in every command; empty where the connection was refused.
        host: Container and zone, for diagnostics.
        status: The server's word where it sent one.
    """

    session_id: str
    host: str
    status: str


def read_greeting(frame: bytes | str) -> Greeting | None:
    """Reads a connect message in either form.

    Returns:
        The greeting; its ``session_id`` is empty where the server says that we are not connected. ``None``
        for a frame that is no connect message.
    """
    try:
        document: Any = msgspec.json.decode(frame)
    except msgspec.MsgspecError:
        return None
    if not isinstance(document, dict):
        return None
    members = {str(name).lower(): value for name, value in document.items()}
    if "sessionid" not in members or "command" in members or "data" in members:
        return None
    session_id, product, status, host = (
        value if isinstance(value := members.get(name), str) else ""
        for name in ("sessionid", "productid", "status", "host")
    )
    accepted = status == "Ok" if status else bool(product)
    return Greeting(session_id if accepted else "", host, status)


def subscribe(
    session_id: str, kind: Kind, symbols: Sequence[str], *, conflation_ms: int = 1000, greeks: bool = False
) -> str:
    """A subscribe command.

    Args:
        session_id: Of the connection it is sent on.
        kind: What to subscribe to; a book takes one symbol.
        symbols: At most 50.
        conflation_ms: Least time between two updates of a symbol (not for bars).
        greeks: Whether options get their ``.GK`` item too (quotes only).
    """
    command: dict[str, Any] = {"SessionId": session_id, "Command": WORDS[kind], "Symbol": ",".join(symbols)}
    if kind != "bar":
        command["ConflationRate"] = conflation_ms
    if kind in ("quote", "trade"):
        command["IncludeGreeks"] = greeks
    elif kind == "book":
        command["IncludeArcaOnly"] = True
    return _write(command)


def unsubscribe(session_id: str, request: str) -> str:
    """Ends a whole subscribe command by the id the server gave it: the form to use."""
    return _write({"SessionId": session_id, "Command": UNSUBSCRIBE, "Request": request})


def unsubscribe_symbols(session_id: str, kind: Kind, symbols: Sequence[str]) -> str:
    """The older form, by symbol; only a fallback (protocol 05 §2.6-2.8)."""
    word: Literal["unsubscribe", "unsubscribe_virtualbook"] = (
        UNSUBSCRIBE_BOOK if kind == "book" else UNSUBSCRIBE
    )
    return _write({"SessionId": session_id, "Command": word, "Symbol": ",".join(symbols)})


def _write(command: dict[str, Any]) -> str:
    return msgspec.json.encode(command).decode()


def is_not_found(code: str, text: str) -> bool:
    """Whether an error means that the symbol does not exist, which no retry will cure."""
    return code == "18" or text.strip().casefold() == "source not found"
