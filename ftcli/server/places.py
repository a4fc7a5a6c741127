"""Who holds a connection: clients that have shown a good key, and strangers, of whom one makes room for the next.

A place is an open file of the process, and without files neither the journal nor the kill switch can be reached. So
there are never more places than the system has files to spare; and since nobody can tell a stranger from an owner who
has not spoken yet, a newcomer always comes in, at the cost of whoever has been silent longest.
"""

import contextlib
from typing import Protocol

from ftcli.server.limits import network_of

RESERVE = 256
"""Open files kept for everything but clients: databases, the kill switch, the broker, and clients on their way in."""
_FEWEST = 16


def affordable(wanted: int) -> int:
    """How many connections the system lets this process hold; its limit of open files is raised as far as needed.

    Args:
        wanted: How many are wanted.
    """
    try:
        import resource
    except ImportError:  # Windows, which has no such limit
        return wanted
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + RESERVE
    if _less(soft, needed) and _less(soft, hard):
        more = needed if _less(needed, hard) else hard
        with contextlib.suppress(OSError, ValueError):  # not every system lets one have what it promises
            resource.setrlimit(resource.RLIMIT_NOFILE, (more, hard))
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(min(_FEWEST, wanted), soft - RESERVE) if _less(soft, needed) else wanted


def _less(one: int, other: int) -> bool:
    """Whether a limit is below another one; below 0 it is none."""
    return one >= 0 and (other < 0 or one < other)


class Guest(Protocol):
    """A connection, as far as its place goes."""

    @property
    def is_known(self) -> bool:
        """Whether it has shown a good key."""

    def make_room(self) -> None:
        """Ends it at once."""


class Places:
    """The places of all connections.

    Args:
        most: How many there are.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._networks: dict[Guest, str] = {}
        """Everybody who has a place, and where from."""
        self._strangers: dict[str, dict[Guest, None]] = {}
        """By network, in the order of their coming; some may be known by now."""

    def take(self, guest: Guest, address: str) -> bool:
        """Gives a newcomer a place; ``False`` where clients that have shown a key hold them all.

        Args:
            guest: The newcomer.
            address: Where it comes from; empty for the unix socket.
        """
        if len(self._networks) >= self._most and not self._free_one():
            return False
        network = self._networks[guest] = network_of(address)
        self._strangers.setdefault(network, {})[guest] = None
        return True

    def leave(self, guest: Guest) -> None:
        """Takes a place back."""
        network = self._networks.pop(guest, None)
        if network is not None:
            self._forget(guest, network)

    def _forget(self, guest: Guest, network: str) -> None:
        crowd = self._strangers.get(network, {})
        crowd.pop(guest, None)
        if not crowd:
            self._strangers.pop(network, None)

    def _free_one(self) -> bool:
        while self._strangers:
            network, crowd = max(self._strangers.items(), key=lambda item: len(item[1]))
            first = next(iter(crowd))
            if first.is_known:
                self._forget(first, network)
                continue
            self.leave(first)
            first.make_room()
            return True
        return False
