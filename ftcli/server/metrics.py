"""What the daemon counts about itself, in Prometheus' text format. No label holds anything a client chose."""

import bisect
import time
from collections.abc import Callable, Iterable
from typing import Literal

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

Kind = Literal["counter", "gauge"]
Sample = tuple[str, float]
"""Labels, written out as ``{name="value"}`` or empty, and a value."""


class Metrics:
    """Counts requests by route, and asks others for their figures when they are read."""

    def __init__(self) -> None:
        self._requests: dict[tuple[str, int], int] = {}
        self._seconds: dict[str, list[float]] = {}
        self._sources: list[tuple[str, Kind, str, Callable[[], Iterable[Sample]]]] = []
        self._started = time.time()
        self.open = 0
        """Requests in hand."""
        self.refused = 0
        """Requests refused for their key."""

    def seen(self, route: str, status: int, seconds: float | None) -> None:
        """Counts one request.

        Args:
            route: Name of its route, ``unknown`` where it has none.
            status: HTTP status of the answer.
            seconds: How long it took; ``None`` where that says nothing.
        """
        key = (route, status)
        self._requests[key] = self._requests.get(key, 0) + 1
        if seconds is None:
            return
        times = self._seconds.get(route)
        if times is None:
            times = self._seconds[route] = [0.0] * (len(_BUCKETS) + 2)
        times[bisect.bisect_left(_BUCKETS, seconds)] += 1
        times[-1] += seconds

    def watch(self, name: str, kind: Kind, text: str, source: Callable[[], Iterable[Sample]]) -> None:
        """Adds a figure that ``source`` gives at the moment of reading."""
        self._sources.append((name, kind, text, source))

    def render(self) -> str:
        """Everything as Prometheus text."""
        lines: list[str] = []
        self._put(
            lines, "ft_start_time_seconds", "gauge", "Start of the daemon, Unix time.", [("", self._started)]
        )
        requests = [
            (labels(route=route, status=str(status)), float(count))
            for (route, status), count in sorted(self._requests.items())
        ]
        self._put(lines, "ft_http_requests_total", "counter", "Requests by route and status.", requests)
        self._histogram(lines)
        self._put(lines, "ft_http_requests_open", "gauge", "Requests in hand.", [("", self.open)])
        self._put(
            lines,
            "ft_http_key_refusals_total",
            "counter",
            "Requests refused for their key.",
            [("", self.refused)],
        )
        for name, kind, text, source in self._sources:
            self._put(lines, name, kind, text, source())
        return "\n".join(lines) + "\n"

    def _put(self, lines: list[str], name: str, kind: str, text: str, samples: Iterable[Sample]) -> None:
        lines += [f"# HELP {name} {text}", f"# TYPE {name} {kind}"]
        lines += [f"{name}{label} {number(value)}" for label, value in samples]

    def _histogram(self, lines: list[str]) -> None:
        name = "ft_http_request_seconds"
        lines += [f"# HELP {name} Time to answer, by route.", f"# TYPE {name} histogram"]
        for route, times in sorted(self._seconds.items()):
            total = 0.0
            for limit, count in zip([*_BUCKETS, float("inf")], times, strict=False):
                total += count
                shown = "+Inf" if limit == float("inf") else number(limit)
                lines.append(f"{name}_bucket{labels(route=route, le=shown)} {number(total)}")
            lines.append(f"{name}_sum{labels(route=route)} {times[-1]:.6f}")
            lines.append(f"{name}_count{labels(route=route)} {number(total)}")


def labels(**values: str) -> str:
    """Labels as the format writes them."""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in values.items()) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def number(value: float) -> str:
    """A number in the format's spelling."""
    return str(int(value)) if value == int(value) else repr(float(value))
