"""Reads a body by what it is, not by what its ``Content-Type`` says (protocol 00 §5.1).

Pure functions. Numbers with a fraction or exponent become ``Decimal`` from their own text; no
number passes through a float.
"""

import enum
import re
from decimal import Decimal
from typing import Any

import msgspec

_DECODER = msgspec.json.Decoder(float_hook=Decimal)
_ENCODER = msgspec.json.Encoder(decimal_format="number")

_CALLBACK = re.compile(r"[A-Za-z_$][\w$.]*\(|\(")
_HTML = re.compile(r"(?:<\?xml[^>]*>|<!--.*?-->|\s)*<(?:!doctype\s+html|html|head|body)\b", re.I | re.S)
_MAX_WRAPS = 3


class Kind(enum.Enum):
    """What a body is."""

    EMPTY = "empty"
    JSON = "json"
    JSONP = "jsonp"
    XML = "xml"
    HTML = "html"
    TEXT = "text"


class UnreadableBody(ValueError):
    """A body began like JSON or JSONP and is neither."""


def text_of(body: bytes) -> str:
    """The body as text. Always UTF-8 (protocol 00 §6.1); a bad byte costs one character, not the reply."""
    return body.decode("utf-8-sig", "replace")


def sniff(text: str) -> Kind:
    """What a body is, by its first non-blank characters."""
    text = text.lstrip()
    if not text:
        return Kind.EMPTY
    if text[0] in "{[":
        return Kind.JSON
    if text[0] == "<":
        return Kind.HTML if _HTML.match(text) else Kind.XML
    return Kind.JSONP if _CALLBACK.match(text) else Kind.TEXT


def is_html(body: bytes) -> bool:
    """Whether a body is a web page: where data was expected, a sign of an expired session."""
    return sniff(text_of(body[:4096])) is Kind.HTML


def decode(body: bytes) -> Any:
    """The document in a body.

    Returns:
        Python values for JSON and JSONP (also the nameless ``({…})`` of protocol 03 §5), the text
        for XML, HTML and plain text, ``None`` for an empty body.

    Raises:
        UnreadableBody: It begins like JSON or JSONP and does not parse.
    """
    whole = text = text_of(body).strip()
    for _ in range(_MAX_WRAPS):
        kind = sniff(text)
        if kind is Kind.EMPTY:
            return None
        if kind is Kind.JSON:
            return _json(text)
        if kind in (Kind.XML, Kind.HTML):
            return text
        inner = _unwrapped(text) if kind is Kind.JSONP else None
        if inner is None:
            break
        text = inner
    # A sentence may hold a parenthesis too: then it is text, and all of it.
    return whole


def _unwrapped(text: str) -> str | None:
    """What stands between the first ``(`` and the last ``)``; the callback's name does not matter."""
    first, last = text.find("("), text.rfind(")")
    if last > first:
        return text[first + 1 : last].strip()
    if sniff(text[first + 1 :]) is Kind.JSON:
        raise UnreadableBody("a JSONP reply without its closing parenthesis")
    return None


def _json(text: str) -> Any:
    try:
        return _DECODER.decode(text)
    except (msgspec.DecodeError, RecursionError, ArithmeticError) as problem:
        raise UnreadableBody(f"JSON that does not parse: {problem}") from None


def encode_json(document: Any) -> bytes:
    """A document as the broker takes it: decimals as plain JSON numbers without exponent (protocol 00 §6.2).

    Raises:
        ValueError: A number is not finite.
    """
    return _ENCODER.encode(_plain(document))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, msgspec.Struct):
        return _plain(msgspec.to_builtins(value, builtin_types=(Decimal,)))
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise ValueError("a number sent to the broker must be finite")
        # msgspec writes str(value), which has an exponent for 1E+2 and 1E-7.
        return value if "E" not in str(value) else msgspec.Raw(format(value, "f").encode())
    return value
