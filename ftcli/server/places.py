"""Who holds a connection: clients that have shown a good key, and strangers, of whom one makes room for the next.

A place is an open file of the process, and without files neither the journal nor the kill switch can be reached. So
there are never more places than the system has files to spare; and since nobody can tell a stranger from an owner who
has not spoken yet, a newcomer always comes in, at the cost of whoever has been silent longest.

Clients with a key hold three quarters at most, so a stranger costs another stranger's place and never theirs. When one
more shows a key, the key with most connections gives one up: the longest at rest, else its oldest stream. So no key,
however many connections it opens, keeps another one from halting.
"""

import contextlib
from collections.abc import Callable
from typing import Protocol

from ftcli.server.keys import ApiKey
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
    def tie(self) -> int:
        """What its end would break off: 0 nothing, 1 a stream, 2 an answer."""

    def make_room(self) -> None:
        """Ends it at once."""


_Crowds = dict[str, dict[Guest, None]]


class Places:
    """The places of all connections.

    Args:
        most: How many there are.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._most_known = max(1, most * 3 // 4)
        self._networks: dict[Guest, str] = {}
        """Everybody who has a place, and where from."""
        self._keys: dict[Guest, ApiKey] = {}
        """Whoever of them has shown a good key, and which."""
        self._strangers: _Crowds = {}
        """The others by network, in the order of their coming."""
        self._known: _Crowds = {}
        """Those with a key by its id, in the order of their latest requests."""

    def take(self, guest: Guest, address: str) -> None:
        """Gives a newcomer a place.

        Args:
            guest: The newcomer.
            address: Where it comes from; empty for the unix socket.
        """
        if len(self._networks) >= self._most:
            self._free_one()
        network = self._networks[guest] = network_of(address)
        _join(self._strangers, network, guest)

    def leave(self, guest: Guest) -> None:
        """Takes a place back."""
        if guest in self._networks:
            self._step_out(guest)
            del self._networks[guest]

    def knows(self, guest: Guest) -> bool:
        """Whether the latest request of a connection has brought a key that is still good."""
        return guest in self._keys

    def know(self, guest: Guest, key: ApiKey | None) -> None:
        """Says whose a connection is now.

        Args:
            guest: The connection.
            key: The key that its latest request was let in with; ``None`` where it was not.
        """
        before = self._keys.get(guest)
        if guest not in self._networks or (before and before.id) == (key and key.id):
            return
        self._step_out(guest)
        if key is None:
            _join(self._strangers, self._networks[guest], guest)
            return
        self._keys[guest] = key
        _join(self._known, key.id, guest)
        if len(self._keys) > self._most_known:
            self._free_known()

    def forget_ended(self, is_good: Callable[[ApiKey], bool]) -> None:
        """Makes strangers of the connections whose keys have ended.

        Args:
            is_good: Whether a key has not.
        """
        for crowd in list(self._known.values()):
            if not is_good(self._keys[next(iter(crowd))]):
                for guest in list(crowd):
                    self.know(guest, None)

    def _step_out(self, guest: Guest) -> None:
        key = self._keys.pop(guest, None)
        crowds, name = (self._known, key.id) if key else (self._strangers, self._networks[guest])
        del crowds[name][guest]
        if not crowds[name]:
            del crowds[name]

    def _free_one(self) -> None:
        if self._strangers:
            self._end(next(iter(_largest(self._strangers))))
        else:
            self._free_known()

    def _free_known(self) -> None:
        self._end(min(_largest(self._known), key=lambda guest: guest.tie))

    def _end(self, guest: Guest) -> None:
        self.leave(guest)
        guest.make_room()


def _join(crowds: _Crowds, name: str, guest: Guest) -> None:
    crowds.setdefault(name, {})[guest] = None


def _largest(crowds: _Crowds) -> dict[Guest, None]:
    return max(crowds.values(), key=lambda crowd: len(crowd))
