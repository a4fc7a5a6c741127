"""How often an API key may be used: so many calls at once, given back evenly over the unit."""

import re
import time
from collections.abc import Callable

import msgspec

from ftcli.errors import RateLimited, ValidationFailed

_RATE = re.compile(r"(\d{1,7})/(s|m|h)")
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}


class Rate(msgspec.Struct, frozen=True):
    """A number of calls within a span.

    Attributes:
        calls: How many, and how many at once.
        seconds: Within how long they are given back.
    """

    calls: int
    seconds: float


def parse_rate(text: str) -> Rate | None:
    """A rate such as ``5/s``, ``120/m`` or ``1000/h``; ``None`` for the empty text: no limit.

    Raises:
        ValidationFailed: It has not this form, or is zero.
    """
    if not text:
        return None
    found = _RATE.fullmatch(text.strip())
    if not found or not int(found[1]):
        raise ValidationFailed.of("rate", text, "be a number of calls per unit, such as 5/s, 120/m or 1000/h")
    return Rate(int(found[1]), _SECONDS[found[2]])


class Throttle:
    """Counts the calls of each key, as a bucket that runs empty and fills again.

    Args:
        default: Rate of keys that have none of their own; empty for no limit.
        ticks: A steady clock in seconds.

    Raises:
        ValidationFailed: The default is no rate.
    """

    def __init__(self, default: str = "", ticks: Callable[[], float] = time.monotonic) -> None:
        self._rates: dict[str, Rate | None] = {"": parse_rate(default)}
        self._ticks = ticks
        self._left: dict[str, tuple[float, float]] = {}

    def take(self, key: str, rate: str = "") -> None:
        """Counts one call of a key.

        Args:
            key: Its id.
            rate: Its own rate; empty for the default.

        Raises:
            RateLimited: It has used up its calls; says when the next one is given back.
        """
        if rate not in self._rates:
            self._rates[rate] = parse_rate(rate)
        limit = self._rates[rate]
        if limit is None:
            return
        now = self._ticks()
        left, since = self._left.get(key, (float(limit.calls), now))
        each = limit.seconds / limit.calls
        left = min(float(limit.calls), left + (now - since) / each)
        if left < 1:
            self._left[key] = (left, now)
            raise RateLimited(
                f"This API key may be used {limit.calls} times in {limit.seconds:g} s, and that is used up.",
                details={"reason": "key_rate", "calls": limit.calls, "seconds": int(limit.seconds)},
                retry_after=(1 - left) * each,
            )
        self._left[key] = (left - 1, now)
