"""Spans of time as people type them."""

import re

from ftcli.errors import ValidationFailed

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "": 1.0}
_SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|)")


def seconds(text: str, option: str) -> float:
    """The seconds of ``5s``, ``500ms``, ``2m``, ``1h`` or a bare number of seconds.

    Args:
        text: What was typed.
        option: The option it was given to, for the error.

    Raises:
        ValidationFailed: It is no span, or not above zero.
    """
    found = _SPAN.fullmatch(text.strip().lower())
    span = float(found[1]) * _UNITS[found[2]] if found else 0.0
    if span <= 0:
        raise ValidationFailed.of(option, text, "be a span of time such as 5s, 500ms or 2m")
    return span
