"""How often an API key may be used, and how often a wrong one may be tried: so many at once, given back evenly."""

import ipaddress
import re
import time
from collections.abc import Callable
from typing import TypeVar

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


OFF = "off"
"""Stands for no limit."""


def parse_rate(text: str, field: str = "rate") -> Rate | None:
    """A rate such as ``5/s``, ``120/m`` or ``1000/h``; ``None`` for no limit: ``off``, or the empty text.

    Args:
        text: The rate.
        field: What an error calls it.

    Raises:
        ValidationFailed: It has not this form, or is zero.
    """
    if text in ("", OFF):
        return None
    found = _RATE.fullmatch(text.strip())
    if not found or not int(found[1]):
        raise ValidationFailed.of(
            field, text, f"be a number of calls per unit, such as 5/s, 120/m or 1000/h, or {OFF}"
        )
    return Rate(int(found[1]), _SECONDS[found[2]])


class Bucket:
    """What is left of a rate: it runs empty with use and fills again with time."""

    __slots__ = ("_left", "_rate", "_since")

    def __init__(self, rate: Rate, now: float) -> None:
        self._rate = rate
        self._left = float(rate.calls)
        self._since = now

    def wait(self, now: float) -> float:
        """Seconds until there is one again; 0 where there is one."""
        each = self._rate.seconds / self._rate.calls
        self._left = min(float(self._rate.calls), self._left + (now - self._since) / each)
        self._since = now
        return 0.0 if self._left >= 1 else (1 - self._left) * each

    def take(self) -> None:
        """Uses one up."""
        self._left -= 1


class Throttle:
    """Counts the calls of each key.

    Args:
        default: Rate of keys that have none of their own.
        ticks: A steady clock in seconds.

    Raises:
        ValidationFailed: The default is no rate.
    """

    def __init__(self, default: str = "", ticks: Callable[[], float] = time.monotonic) -> None:
        self._rates: dict[str, Rate | None] = {"": parse_rate(default, "FTSERVICE_KEY_RATE")}
        self._ticks = ticks
        self._buckets: dict[str, Bucket] = {}

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
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = Bucket(limit, now)
        if wait := bucket.wait(now):
            raise RateLimited(
                f"This API key may be used {limit.calls} times in {limit.seconds:g} s, and that is used up.",
                details={"reason": "key_rate", "calls": limit.calls, "seconds": int(limit.seconds)},
                retry_after=wait,
            )
        bucket.take()


class Guesses:
    """Slows down an address from which wrong keys come, without locking out a key that is used from there.

    Args:
        rate: How many wrong keys an address may send.
        ticks: A steady clock in seconds.

    Raises:
        ValidationFailed: It is no rate.
    """

    def __init__(self, rate: str, ticks: Callable[[], float] = time.monotonic) -> None:
        self._rate = parse_rate(rate, "FTSERVICE_WRONG_KEY_RATE")
        self._ticks = ticks
        self._buckets: dict[str, Bucket] = {}
        self._good: dict[tuple[str, str], None] = {}

    def wrong(self, address: str) -> None:
        """Counts a wrong key.

        Raises:
            RateLimited: Too many have come from there.
        """
        if self._rate is None:
            return
        net = network_of(address)
        self._check(net)
        bucket = self._buckets.get(net)
        if bucket is None:
            bucket = _remember(self._buckets, net, Bucket(self._rate, self._ticks()))
        bucket.take()

    def right(self, address: str, key: str) -> None:
        """Lets a right key that can be guessed pass; one that has not been used from there waits like a wrong one.

        Args:
            address: Where it comes from.
            key: Its id.

        Raises:
            RateLimited: Too many wrong ones have come from there.
        """
        if self._rate is None or (address, key) in self._good:
            return
        self._check(network_of(address))
        _remember(self._good, (address, key), None)

    def _check(self, net: str) -> None:
        bucket = self._buckets.get(net)
        if bucket is not None and (wait := bucket.wait(self._ticks())):
            raise RateLimited(
                "Too many wrong API keys have come from this address.",
                details={"reason": "wrong_keys"},
                retry_after=wait,
            )


_MOST = 4096
"""Addresses remembered."""

_K = TypeVar("_K")
_V = TypeVar("_V")


def _remember(where: dict[_K, _V], key: _K, value: _V) -> _V:
    """Adds an entry, and forgets the oldest where there are too many."""
    if len(where) >= _MOST:
        del where[next(iter(where))]
    where[key] = value
    return value


def network_of(address: str) -> str:
    """What one client can choose its addresses from: of an IPv6 address the network."""
    try:
        found = ipaddress.IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    return address if found.is_loopback or found.ipv4_mapped else f"{int(found) >> 64:x}"
