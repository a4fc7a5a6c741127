"""The sockets to MDDS, grouped by what they carry (protocol 05 §1.5, 1.6)."""

import asyncio
from collections.abc import Iterable

from ftcli.errors import RateLimited
from ftcli.models.streaming import Kind, MddsStatus, SocketStatus
from ftcli.streaming.counters import Oddities
from ftcli.streaming.gate import SessionGate
from ftcli.streaming.link import Link, LinkState, Owner
from ftcli.streaming.options import MddsOptions
from ftcli.streaming.schedule import Schedule
from ftcli.streaming.sockets import connector
from ftcli.streaming.state import State
from ftcli.streaming.timing import Timing, moment

_WORST: tuple[LinkState, ...] = (
    "auth_required", "reconnecting", "suspect", "connecting", "open", "none", "stopped",
)  # fmt: skip


class Pools:
    """Every socket, opened when it is needed, closed when it is idle.

    Args:
        options: How to reach the broker.
        schedule: When to reconnect.
        timing: The clocks.
        counters: Where oddities are counted.
        owner: Who is told what happens.
    """

    def __init__(
        self, options: MddsOptions, schedule: Schedule, timing: Timing, counters: Oddities, owner: Owner
    ) -> None:
        self.links: list[Link] = []
        self._options = options
        self._connect = options.connect or connector()
        self._schedule = schedule
        self._timing = timing
        self._counters = counters
        self._owner = owner
        self._gate = SessionGate(options.session_alive, options.renew, timing)

    def check_room(self, kind: Kind, symbols: int) -> None:
        """Make sure that so many more symbols can be carried.

        Raises:
            RateLimited: They cannot.
        """
        self.links = [link for link in self.links if link.states or link.state not in ("none", "stopped")]
        size = self._options.per_socket[kind]
        room = sum(max(size - len(link.states), 0) for link in self.links if link.kind == kind)
        room += (self._options.max_sockets - len(self.links)) * size
        if symbols > room:
            raise RateLimited(
                f"No socket is left for {symbols} more {kind} subscriptions: "
                f"there is room for {max(room, 0)}. Unsubscribe others first.",
                details={"kind": kind, "wanted": symbols, "room": max(room, 0)},
            )

    def place(self, states: Iterable[State]) -> dict[str, Link]:
        """Find a socket for each state and subscribe; :meth:`check_room` has been asked.

        Returns:
            The link of each symbol.
        """
        groups: dict[Link, list[State]] = {}
        for state in states:
            link = self._link_for(state, groups)
            groups.setdefault(link, []).append(state)
        placed: dict[str, Link] = {}
        for link, group in groups.items():
            link.subscribe(group)
            placed.update((state.symbol, link) for state in group)
        return placed

    def _link_for(self, state: State, groups: dict[Link, list[State]]) -> Link:
        size = self._options.per_socket[state.kind]
        mine = [link for link in self.links if link.kind == state.kind]
        roomy = [link for link in mine if len(link.states) + len(groups.get(link, ())) < size]
        for link in roomy:
            if link.carries(state.symbol):
                return link
        if roomy:
            return roomy[0]
        link = Link(
            state.kind,
            self._options,
            self._connect,
            self._gate,
            self._schedule,
            self._timing,
            self._counters,
            self._owner,
        )
        self.links.append(link)
        return link

    def session_renewed(self) -> None:
        """Somebody has logged in: sockets that wait for it try at once."""
        self._gate.forget()
        for link in self.links:
            link.session_renewed()

    def status(self) -> MddsStatus:
        """The sockets as ``GET /streaming/status`` shows them."""
        sockets = [
            SocketStatus(
                pool=link.pool,
                state=link.state,
                symbols=len(link.states),
                host=link.host or None,
                attempt=link.attempt,
                since=moment(link.since),
            )
            for link in self.links
            if link.states or link.state not in ("none", "stopped")
        ]
        states = {socket.state for socket in sockets}
        return MddsStatus(
            connected=bool(states) and states <= {"open", "suspect"},
            state=next((state for state in _WORST if state in states), "none"),
            sockets=sockets,
            counters=dict(self._counters),
        )

    async def aclose(self) -> None:
        """Close every socket and end every task."""
        links, self.links = self.links, []
        await asyncio.gather(*(link.aclose() for link in links))
