"""How a text looks inside another one: in JSON, Python, URLs, forms, HTML and base64, and in one inside another."""

import base64
import re
from functools import cached_property

_PLAIN = re.compile(r"[A-Za-z0-9]+")
"""What every encoding leaves as it is."""
_PARTS = re.compile(rf"{_PLAIN.pattern}|\\+|.", re.DOTALL)
_ENTITIES = {"&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "apos"}
_CONTROLS = {"\t": "t", "\n": "n", "\r": "r", "\b": "b", "\f": "f"}
_SHORTEST = 7
"""Signs of base64 from which on they are taken for what they look like."""


class Spellings:
    """All ways to write a text.

    Args:
        value: The text.

    Attributes:
        plain: What stands in all of them: a quick look tells whether there can be one.
    """

    def __init__(self, value: str) -> None:
        self._value = value
        self.plain = max(_PLAIN.findall(value), key=len, default="")

    def replace(self, text: str, mask: str) -> str:
        """``text`` with the mask in the place of each."""
        return text.replace(self.plain, mask) if self.plain == self._value else self._pattern.sub(mask, text)

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        """Made when it is wanted: it takes a millisecond, and most values never turn up anywhere."""
        parts = _PARTS.findall(self._value)
        return re.compile("".join(part if _PLAIN.fullmatch(part) else _ways(part) for part in parts))


def _ways(part: str) -> str:
    """A pattern of all ways to write one sign, or a run of backslashes.

    Every repetition is bounded: no text, however hostile, takes more time than its length.
    """
    sign = part[0]
    utf8, utf16 = (sign.encode(code, "surrogatepass") for code in ("utf-8", "utf-16-be"))
    units = [utf16[at : at + 2].hex() for at in range(0, len(utf16), 2)]
    escaped = [
        "".join(f"{_BACKSLASHES}u{unit}" for unit in units),
        "".join(f"{_BACKSLASHES}x{octet:02x}" for octet in utf8),
        f"{_BACKSLASHES}(?:x{ord(sign):02x}|U{ord(sign):08x})",
    ]
    if sign in _CONTROLS:
        escaped.append(f"{_BACKSLASHES}{_CONTROLS[sign]}")
    raw = rf"{re.escape(sign)}|\+" if sign == " " else re.escape(sign)
    escapes, written = "|".join(escaped), f"{_in_url(utf8)}|{_in_html(sign)}"
    if sign == "\\":
        return f"(?:(?i:{escapes}|{written})|{raw}){{1,{4 * len(part)}}}"
    return f"(?:(?i:{escapes})|{_BACKSLASH}{{0,8}}(?:(?i:{written})|{raw}))"


def _in_url(octets: bytes) -> str:
    return "".join(f"%(?:25){{0,3}}{octet:02x}" for octet in octets)


def _in_html(sign: str) -> str:
    forms = [f"#0{{0,6}}{ord(sign)}", f"#x0{{0,6}}{ord(sign):x}", *filter(None, [_ENTITIES.get(sign)])]
    return f"&(?:amp;){{0,3}}(?:{'|'.join(forms)});"


_BACKSLASH = r"(?:\\|(?i:" + _in_url(b"\\") + "|" + _in_html("\\") + "))"
_BACKSLASHES = f"{_BACKSLASH}{{1,8}}"
"""One of JSON; more where JSON stands in JSON."""


def in_base64(value: str) -> set[str]:
    """What shows of a text in the base64 of any other one around it, such as ``user:value`` of HTTP's Basic.

    Three times, for the three places in which it can begin; none where it is too short to be told from words.
    """
    data = value.encode("utf-8", "surrogatepass")
    found = set()
    for before in range(3):
        first, end = -(-before * 8 // 6), (before + len(data)) * 8 // 6
        text = base64.b64encode(bytes(before) + data)[first:end].decode()
        if len(text) >= _SHORTEST:
            found |= {text, text.replace("+", "-").replace("/", "_")}
    return found
