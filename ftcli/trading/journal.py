"""The journal of orders: every intent is on disk before it is sent, every change of state is a row of its own."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec

from ftcli.clock import Clock, market_date
from ftcli.errors import Conflict
from ftcli.models.json import dumps, loads
from ftcli.models.trading import JournalChange, JournalEntry, JournalState
from ftcli.store import Store
from ftcli.trading.limits import Day
from ftcli.trading.origin import Origin
from ftcli.trading.owner import Owner
from ftcli.wire import Placement

COUNTED = ("sending", "accepted", "unknown")
"""States whose orders count against a day's limits."""

_NOW = """
    SELECT p.*, (SELECT MAX(key) FROM placement_keys WHERE placement = p.id) AS taken_key,
        e.state, e.at AS changed, e.owner, e.detail, e.reply FROM placements p
    JOIN placement_events e ON e.id = (SELECT MAX(id) FROM placement_events WHERE placement = p.id)
"""

_HAS_NUMBER = "EXISTS (SELECT 1 FROM json_each(p.conf_nums) WHERE value = ?3)"

_OF_KEY = """
    COALESCE((SELECT placement FROM placement_keys WHERE environment = ?1 AND key = ?2 ORDER BY id DESC LIMIT 1),
             (SELECT id FROM placements WHERE environment = ?1 AND key = ?2))
"""
"""The placement that an idempotency key stands for now: a retry of what was never sent may have taken it over."""


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """A placement and where it stands now."""

    id: int
    state: JournalState
    digest: str
    conf_nums: list[str]
    owner: str
    detail: dict[str, Any]
    reply: bytes | None


class Journal:
    """The journal of one environment.

    Args:
        store: The open file.
        environment: ``paper`` or ``live``; both may share the file.
        clock: Tells the time.
        owner: This process, in whose name orders are sent.
    """

    def __init__(self, store: Store, environment: str, clock: Clock, owner: Owner) -> None:
        self._store = store
        self._environment = environment
        self._clock = clock
        self._owner = owner

    def _at(self) -> str:
        return self._clock().astimezone(UTC).isoformat(timespec="microseconds")

    # -- placements -----------------------------------------------------------------------------------------

    def of_key(self, key: str) -> Standing | None:
        """The placement that an idempotency key stands for; none for the empty key."""
        rows = self._store.rows(f"{_NOW} WHERE p.id = {_OF_KEY}", self._environment, key) if key else []
        return _standing(rows[0]) if rows else None

    def of_preview(self, preview: int | None) -> Standing | None:
        """The placement of a preview, whatever key it went under."""
        rows = self._store.rows(
            f"{_NOW} WHERE p.environment = ? AND p.preview = ?", self._environment, preview
        )
        return _standing(rows[0]) if rows else None

    def begun(self, key: str, preview: int | None, digest: str) -> Standing | None:
        """The placement that answers a repeat: one of this key, or else of this preview, that may have been sent.

        A key that is used for a placement made without it, or under another one, stands for it from now on.

        Raises:
            Conflict: The key or the preview belongs to another order.
        """
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
            self._event(number, JournalState.SENDING, owner, {}, None)
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
        moment = self._clock()
        self._store.execute(
            "INSERT INTO placements (environment, key, preview, kind, account, conf_nums, digest, document, value,"
            " orders, who, api_key, day, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            self._environment,
            None if self.of_key(origin.key) else origin.key or None,
            preview,
            placement.kind,
            placement.account,
            dumps(placement.conf_nums).decode(),
            digest,
            dumps({"order": placement.order, "replaces": placement.replaces}).decode(),
            None if value is None else f"{value:f}",
            orders,
            origin.who,
            origin.api_key,
            market_date(moment).isoformat(),
            self._at(),
        )
        number: int = self._store.rows("SELECT last_insert_rowid() AS id")[0]["id"]
        return number

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
            rows = self._store.rows(f"{_NOW} WHERE p.id = ?", number)
            if not rows or JournalState(rows[0]["state"]) not in since:
                return False
            self._event(number, state, self._owner.name, detail, reply)
            return True

    def settle(self, number: int, evidence: list[str], claims: list[str]) -> bool:
        """Notes that a lost order went in, unless another placement has its evidence already.

        Args:
            number: The placement.
            evidence: What proves it.
            claims: The numbers it has at the broker, where they are not its own.

        Returns:
            Whether it was noted.
        """
        with self._store.transaction():
            rows = self._store.rows(f"{_NOW} WHERE p.id = ?", number)
            if not rows or rows[0]["state"] != JournalState.UNKNOWN.value:
                return False
            if self.known_numbers(rows[0]["account"]) & set(claims):
                return False
            detail = {"message": "found at the broker", "evidence": evidence, "claims": claims}
            self._event(number, JournalState.ACCEPTED, self._owner.name, detail, None)
            return True

    def adopt(self, account: str, number: str, order: Any) -> bool:
        """Notes an order found at the broker that was not placed here; answers whether it was new."""
        with self._store.transaction():
            if number in self.known_numbers(account):
                return False
            found: Placement[Any] = Placement(
                kind="external",
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

    # -- reading --------------------------------------------------------------------------------------------

    def settle_dead(self) -> None:
        """Turns what a process that is gone was sending into ``unknown``: it may have gone out."""
        for row in self._store.rows(
            f"{_NOW} WHERE p.environment = ? AND e.state = 'sending'", self._environment
        ):
            if not self._owner.lives(row["owner"]):
                self.change(
                    row["id"],
                    JournalState.UNKNOWN,
                    message="the process that was sending it ended before an answer",
                )

    def unresolved(self) -> list[JournalEntry]:
        """The placements whose answer was lost."""
        rows = self._store.rows(f"{_NOW} WHERE p.environment = ? AND e.state = 'unknown'", self._environment)
        return [self._entry(row) for row in rows]

    def entries(self, *, state: str = "", account: str = "", count: int | None = None) -> list[JournalEntry]:
        """Placements, the latest first."""
        rows = self._store.rows(
            f"{_NOW} WHERE p.environment = ? AND (? = '' OR e.state = ?) AND (? = '' OR p.account = ?)"
            " ORDER BY p.id DESC LIMIT ?",
            self._environment,
            state,
            state,
            account,
            account,
            -1 if count is None else count,
        )
        return [self._entry(row) for row in rows]

    def entry(self, key: str) -> JournalEntry | None:
        """One placement, by its number, idempotency key or a confirmation number."""
        rows = self._store.rows(
            f"{_NOW} WHERE p.environment = ?1 AND"
            f" (p.id = {_OF_KEY} OR CAST(p.id AS TEXT) = ?2"
            f" OR {_HAS_NUMBER})"
            f" ORDER BY p.id = {_OF_KEY} DESC, CAST(p.id AS TEXT) = ?2, p.id DESC LIMIT 1",
            self._environment,
            key,
            key.upper(),
        )
        return self._entry(rows[0]) if rows else None

    def known_numbers(self, account: str) -> set[str]:
        """Every confirmation number the journal knows of an account: minted here, adopted, or claimed as evidence."""
        return self._numbers(account, 0, 0)

    def numbers_of_others(self, number: int, account: str) -> set[str]:
        """The numbers that prove nothing of a placement: claimed by others, or minted again for a later one.

        Args:
            number: The placement.
            account: Its account.
        """
        return self._numbers(account, number + 1, number)

    def _numbers(self, account: str, since: int, but: int) -> set[str]:
        rows = self._store.rows(
            "SELECT j.value AS number FROM placements p, json_each(p.conf_nums) j"
            " WHERE p.environment = ?1 AND p.account = ?2 AND p.id >= ?3"
            " UNION SELECT j.value FROM placements p JOIN placement_events e ON e.placement = p.id,"
            " json_each(e.detail, '$.claims') j WHERE p.environment = ?1 AND p.account = ?2 AND p.id <> ?4",
            self._environment,
            account,
            since,
            but,
        )
        return {row["number"] for row in rows}

    def today(self, account: str, api_key: str, digest: str) -> Day:
        """What has been placed today, in an account, by a key, or in all.

        Args:
            account, api_key: Whose; empty for all.
            digest: Hash of the order that shall be placed, for the age of one like it.
        """
        moment = self._clock()
        rows = self._store.rows(
            f"{_NOW} WHERE p.environment = ? AND p.day = ? AND (? = '' OR p.account = ?)"
            " AND (? = '' OR p.api_key = ?)",
            self._environment,
            market_date(moment).isoformat(),
            account,
            account,
            api_key,
            api_key,
        )
        counted = [row for row in rows if row["state"] in COUNTED]
        ages = [
            (moment - datetime.fromisoformat(row["at"])).total_seconds()
            for row in counted
            if row["digest"] == digest
        ]
        return Day(
            value=sum((Decimal(row["value"] or 0) for row in counted), Decimal(0)),
            orders=sum(row["orders"] for row in counted),
            same_order_age=min(ages, default=None),
        )

    def _entry(self, row: Any) -> JournalEntry:
        changes = self._store.rows(
            "SELECT state, at, detail FROM placement_events WHERE placement = ? ORDER BY id", row["id"]
        )
        return JournalEntry(
            id=row["id"],
            state=JournalState(row["state"]),
            kind=row["kind"],
            account=row["account"],
            conf_nums=loads(row["conf_nums"]),
            order=loads(row["document"]),
            created_at=datetime.fromisoformat(row["at"]),
            who=row["who"],
            api_key=row["api_key"],
            key=row["key"] or row["taken_key"],
            digest=row["digest"],
            value=None if row["value"] is None else Decimal(row["value"]),
            changes=[_change(change) for change in changes],
        )


def _change(row: Any) -> JournalChange:
    detail = loads(row["detail"])
    return JournalChange(
        state=JournalState(row["state"]),
        changed_at=datetime.fromisoformat(row["at"]),
        message=detail.get("message", ""),
        evidence=detail.get("evidence", []),
        messages=detail.get("messages", []),
    )


def _standing(row: Any) -> Standing:
    return Standing(
        id=row["id"],
        state=JournalState(row["state"]),
        digest=row["digest"],
        conf_nums=loads(row["conf_nums"]),
        owner=row["owner"],
        detail=loads(row["detail"]),
        reply=row["reply"],
    )


def _other_order(key: str, standing: Standing) -> Conflict:
    what = f"The idempotency key {key}" if key else f"The confirmation number {', '.join(standing.conf_nums)}"
    return Conflict(
        f"{what} belongs to another order, so nothing was sent.",
        details={"key": key or None, "conf_nums": standing.conf_nums},
    )
