"""When to try again (protocol 05 §6.2)."""

import random
from collections.abc import Callable, Sequence

WAITS = (0.5, 1.0, 2.0, 3.0, 4.5, 10.0, 30.0)
"""Seconds before attempts 1, 2, 3 ...; the last one again and again."""
STABLE = 60.0
"""Seconds a connection must have lasted for the schedule to start over."""


class Schedule:
    """The waits before reconnecting, each varied by up to a fifth so that sockets do not come back in step.

    Args:
        waits: The waits in seconds; at least one.
        jitter: A number from 0 to 1, fresh at each call; 0.5 means no variation.
    """

    def __init__(self, waits: Sequence[float] = WAITS, jitter: Callable[[], float] = random.random) -> None:
        self._waits = tuple(waits) or WAITS
        self._jitter = jitter

    def wait(self, attempt: int) -> float:
        """Seconds before an attempt, counted from 1."""
        base = self._waits[min(attempt, len(self._waits)) - 1]
        return round(base * (0.8 + 0.4 * self._jitter()), 3)
