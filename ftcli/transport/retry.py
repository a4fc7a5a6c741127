"""Which failed calls are repeated, and after how long (protocol 00 §5.5). Decides; never sleeps."""

import enum
import random
from collections.abc import Callable
from datetime import UTC, datetime

from ftcli.wire import Retry

Random = Callable[[], float]
"""Answers a number from 0 (included) to 1 (excluded)."""

DELAYS = (1.0, 2.0, 4.0)
"""Seconds before the first, second and third repetition of a read."""
JITTER = 0.2
LONGEST_WAIT = 60.0
"""A ``Retry-After`` above this is reported to the caller instead of being slept through."""

_TRANSIENT = frozenset({500, 502, 503, 504})


class Fault(enum.Enum):
    """Why a try brought no answer."""

    NETWORK = "network"
    SERVER = "server"
    THROTTLED = "throttled"


def fault_of(status: int) -> Fault | None:
    """The fault that an HTTP status stands for; ``None`` where the status is an answer."""
    if status == 429:
        return Fault.THROTTLED
    return Fault.SERVER if status >= 500 else None


def delay_before_repeat(
    retry: Retry,
    fault: Fault,
    tries: int,
    *,
    status: int = 0,
    retry_after: float | None = None,
    chance: Random = random.random,
) -> float | None:
    """Seconds to wait before the call is sent once more, or ``None`` if it is not to be.

    Args:
        retry: The call's class. WRITE and NEVER are never repeated.
        fault: What went wrong with the latest try.
        tries: How many tries have failed, this one included.
        status: HTTP status of the latest try, 0 where there was none.
        retry_after: What the broker asked for, in seconds.
        chance: Source of the jitter.
    """
    if retry is Retry.READ:
        repeatable = fault is not Fault.SERVER or status in _TRANSIENT
        if not repeatable or tries > len(DELAYS):
            return None
    elif retry is not Retry.PREVIEW or tries > 1 or fault is Fault.THROTTLED:
        return None
    if retry_after is not None and fault is not Fault.NETWORK:
        return retry_after if retry_after <= LONGEST_WAIT else None
    return jittered(DELAYS[tries - 1], chance)


def jittered(delay: float, chance: Random = random.random, spread: float = JITTER) -> float:
    """``delay`` made up to ``spread`` shorter or longer, so that many clients do not march in step."""
    return delay * (1 + spread * (2 * chance() - 1))


def parse_retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds to wait by a ``Retry-After`` header, given as seconds or as an HTTP date.

    Returns:
        ``None`` where the header is missing or says nothing usable; never a negative number.
    """
    text = (value or "").strip()
    if not text:
        return None
    if text.isascii() and text.isdigit():
        return float(text[:9])
    moment = parse_date(text)
    return None if moment is None else max(0.0, (moment - now).total_seconds())


def parse_date(value: str | None) -> datetime | None:
    """The moment of an HTTP date; ``None`` where it is missing or none."""
    from email.utils import parsedate_to_datetime  # deferred: few answers need it

    try:
        moment = parsedate_to_datetime((value or "").strip())
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
