"""The journal of orders: every intent is on disk before it is sent, every change of state is a row of its own."""

import logging
import sqlite3
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from ftcli.clock import Clock, market_date
from ftcli.errors import Conflict
from ftcli.models.json import dumps, loads
from ftcli.models.trading import JournalState
from ftcli.store import Store
from ftcli.trading.digest import likeness
from ftcli.trading.origin import Origin
from ftcli.trading.owner import Owner
from ftcli.trading.records import EXTERNAL, NOW, OPEN, Records, Standing
from ftcli.wire import Placement

log = logging.getLogger("ftcli.trading")


class Journal(Records):
    """The journal of one environment.

    Args:
        store: The open file.
        environment: ``paper`` or ``live``; both may share the file.
        clock: Tells the time.
        owner: This process, in whose name orders are sent.
    """

    def __init__(self, store: Store, environment: str, clock: Clock, owner: Owner) -> None:
        super().__init__(store, environment, clock)
        self._owner = owner
        self._unwritten: dict[int, tuple[JournalState, bytes | None, dict[str, Any]]] = {}
        """Outcomes that the disk did not take."""
        self._lost = False

    # -- placements -----------------------------------------------------------------------------------------

    def begun(self, key: str, preview: int | None, digest: str) -> Standing | None:
        """The placement that answers a repeat: one of this key, or else of this preview, that may have been sent.

        A key that is used for a placement made without it, or under another one, stands for it from now on.

        Raises:
            Conflict: The key or the preview belongs to another order.
        """
        self.catch_up()
        for standing, found_by in ((self.of_key(key), key), (self.of_preview(preview), "")):
            if standing is None or standing.state is JournalState.NOT_SENT:
                continue
            if standing.digest != digest:
                raise _other_order(found_by, standing)
            self._bind(key, standing.id)
            return standing
        return None

    def _bind(self, key: str, number: int) -> None:
        """Lets a key stand for a placement."""
        standing = self.of_key(key)
        if key and (standing is None or standing.id != number):
            self._store.execute(
                "INSERT INTO placement_keys (environment, key, placement) VALUES (?, ?, ?)",
                self._environment,
                key,
                number,
            )

    def begin(
        self,
        placement: Placement[Any],
        digest: str,
        preview: int,
        origin: Origin,
        value: Decimal | None,
        orders: int,
        check: Callable[[], None],
    ) -> int | Standing:
        """Writes the intent, once: of all who try with one key or one preview, one gets a number.

        Args:
            placement: The order.
            digest: Its hash.
            preview: Its preview.
            origin: Who places it, and under which key.
            value: Its estimated value.
            orders: How many orders it is.
            check: The last checks, made while nobody else can write; raises where one fails.

        Returns:
            The number of the new placement, or the one that stands already.

        Raises:
            Conflict: The key belongs to another order.
        """
        owner = self._owner.stand()
        with self._store.transaction():
            standing = self.begun(origin.key, preview, digest)
            if standing is not None:
                return standing
            unsent = self.of_key(origin.key)
            if unsent is not None and unsent.digest != digest:
                raise _other_order(origin.key, unsent)
            check()
            # Only the very placement that was never sent is taken up again: another preview has numbers of its own,
            # and what is sent under them must be found by them.
            again = self.of_preview(preview)
            number = again.id if again else self._insert(placement, digest, preview, origin, value, orders)
            self._bind(origin.key, number)
            detail = self._particulars(origin, value) if again else {}
            self._event(number, JournalState.SENDING, owner, detail, None)
            return number

    def _insert(
        self,
        placement: Placement[Any],
        digest: str,
        preview: int | None,
        origin: Origin,
        value: Decimal | None,
        orders: int,
    ) -> int:
        mine = self._particulars(origin, value)
        self._store.execute(
            "INSERT INTO placements (environment, key, preview, kind, account, conf_nums, digest, document, value,"
            " orders, who, api_key, day, at, likeness) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            self._environment,
            None if self.of_key(origin.key) else origin.key or None,
            preview,
            placement.kind,
            placement.account,
            dumps(placement.conf_nums).decode(),
            digest,
            dumps({"order": placement.order, "replaces": placement.replaces}).decode(),
            mine["value"],
            orders,
            mine["who"],
            mine["api_key"],
            mine["day"],
            self._at(),
            likeness(placement.order, placement.replaces),
        )
        number: int = self._store.rows("SELECT last_insert_rowid() AS id")[0]["id"]
        return number

    def _particulars(self, origin: Origin, value: Decimal | None) -> dict[str, Any]:
        """What limits count an attempt by, beside its time."""
        return {
            "value": None if value is None else f"{value:f}",
            "who": origin.who,
            "api_key": origin.api_key,
            "day": market_date(self._clock()).isoformat(),
        }

    def _event(
        self, number: int, state: JournalState, owner: str, detail: dict[str, Any], reply: bytes | None
    ) -> None:
        self._store.execute(
            "INSERT INTO placement_events (placement, state, at, owner, detail, reply) VALUES (?, ?, ?, ?, ?, ?)",
            number,
            state.value,
            self._at(),
            owner,
            dumps(detail).decode(),
            reply,
        )

    def change(
        self,
        number: int,
        state: JournalState,
        *,
        since: tuple[JournalState, ...] = (JournalState.SENDING,),
        reply: bytes | None = None,
        **detail: Any,
    ) -> bool:
        """Notes a change of state, unless somebody else has noted another meanwhile.

        Args:
            number: The placement.
            state: Its new state.
            since: The states it may leave.
            reply: The broker's answer.
            detail: What is known of it: code, message, messages, evidence.

        Returns:
            Whether it was noted.
        """
        with self._store.transaction():
            rows = self._store.rows(f"{NOW} WHERE p.id = ?", number)
            if not rows or JournalState(rows[0]["state"]) not in since:
                return False
            self._event(number, state, self._owner.name, detail, reply)
            return True

    def note(self, number: int, state: JournalState, *, reply: bytes | None = None, **detail: Any) -> None:
        """Notes an outcome. What the disk does not take now is noted by :meth:`catch_up`, or by evidence later."""
        self._lost = self._lost or state is JournalState.UNKNOWN
        try:
            self.change(number, state, reply=reply, **detail)
        except sqlite3.Error as problem:
            self._unwritten[number] = (state, reply, detail)
            log.error("the outcome of placement %s (%s) could not be journalled: %s", number, state, problem)

    def catch_up(self) -> bool:
        """Notes the outcomes that the disk did not take; answers whether none is left."""
        for number, (state, reply, detail) in list(self._unwritten.items()):
            try:
                self.change(number, state, reply=reply, **detail)
            except sqlite3.Error:
                return False
            del self._unwritten[number]
        return True

    def take_lost(self) -> bool:
        """Whether this process has lost an answer, or has an outcome to write, since it was asked last."""
        found, self._lost = self._lost or self.is_behind, False
        return found

    @property
    def is_behind(self) -> bool:
        """Whether there are outcomes that the disk did not take."""
        return bool(self._unwritten)

    def settle(
        self,
        number: int,
        state: JournalState,
        *,
        since: JournalState = JournalState.UNKNOWN,
        claims: Sequence[str] = (),
        **detail: Any,
    ) -> bool:
        """Notes what evidence or a person says of a lost order, unless another placement has its numbers.

        Args:
            number: The placement.
            state: Its state from now on; where it stays as it is, only what is newly found is noted.
            since: The state it must be in.
            claims: The numbers it has at the broker, where they are not all its own. Orders adopted under them are told
                whose they are.
            detail: What is known of it: message, evidence, found.

        Returns:
            Whether it was noted.
        """
        with self._store.transaction():
            rows = self._store.rows(f"{NOW} WHERE p.id = ?", number)
            if not rows or rows[0]["state"] != since.value:
                return False
            if state is since and loads(rows[0]["detail"]).get("found", {}) == detail.get("found", {}):
                return False
            holders = {item for claim in claims for item in self.holders(rows[0]["account"], claim, number)}
            if any(kind != EXTERNAL for _, kind in holders):
                return False
            for other, _ in holders:
                told = {"message": f"this is placement {number} of this journal"}
                self._event(other, JournalState.EXTERNAL, self._owner.name, told, None)
            self._event(number, state, self._owner.name, {**detail, "claims": list(claims)}, None)
            return True

    def adopt(self, account: str, number: str, order: Any) -> bool:
        """Notes an order found at the broker that was not placed here; answers whether it was new."""
        with self._store.transaction():
            if number in self.known_numbers(account):
                return False
            found: Placement[Any] = Placement(
                kind=EXTERNAL,
                account=account,
                conf_nums=[number],
                order=order,
                request=None,  # type: ignore[arg-type]  # nothing is sent for it
                judge=lambda reply, sent: None,
                proven=lambda sent: None,
            )
            entry = self._insert(found, "", None, Origin(who="broker"), None, 1)
            self._event(entry, JournalState.EXTERNAL, self._owner.name, {}, None)
            return True

    def settle_dead(self) -> None:
        """Turns what a process that is gone was sending into ``unknown``: it may have gone out."""
        self.catch_up()
        for row in self._store.rows(
            f"{NOW} WHERE p.id IN ({OPEN}) AND p.environment = ? AND e.state = 'sending'", self._environment
        ):
            if not self._owner.lives(row["owner"]):
                self.change(
                    row["id"],
                    JournalState.UNKNOWN,
                    message="the process that was sending it ended before an answer",
                )


def _other_order(key: str, standing: Standing) -> Conflict:
    what = f"The idempotency key {key}" if key else f"The confirmation number {', '.join(standing.conf_nums)}"
    return Conflict(
        f"{what} belongs to another order, so nothing was sent.",
        details={"key": key or None, "conf_nums": standing.conf_nums},
    )
