"""The journal of orders, read: where each placement stands, and what counts against limits."""

import sys
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec

from ftcli.clock import Clock, market_date
from ftcli.models.json import dumps, loads
from ftcli.models.trading import JournalChange, JournalEntry, JournalState
from ftcli.store import Store
from ftcli.trading.limits import Day
from ftcli.trading.terms import sum_of

EXTERNAL = "external"
"""Kind of the placements that were adopted from the broker."""

_COUNTED = "e.state IN ('sending', 'accepted', 'partly_accepted', 'unknown')"
"""States whose orders count against limits."""
_OF_DAY = """
    p.id IN (SELECT id FROM placements WHERE environment = ?1 AND day = ?2
        UNION SELECT placement FROM placement_events WHERE state = 'sending' AND detail <> '{}') AND sent_day = ?2
    AND +p.environment = ?1
"""
"""Sent on a day: of those begun then, and those never sent and taken up again, whose attempt tells its own day.

The plus keeps SQLite from reading the whole environment by an index instead.
"""
_OF_SCOPE = "(?3 = '' OR p.account = ?3) AND (?4 = '[]' OR sent_key IN (SELECT value FROM json_each(?4)))"

NOW = """
    SELECT p.*, (SELECT MAX(key) FROM placement_keys WHERE placement = p.id) AS taken_key,
        e.state, e.at AS changed, e.owner, e.detail, e.reply, COALESCE(s.at, p.at) AS sent_at,
        COALESCE(json_extract(s.detail, '$.day'), p.day) AS sent_day,
        COALESCE(json_extract(s.detail, '$.who'), p.who) AS sent_by,
        COALESCE(json_extract(s.detail, '$.api_key'), p.api_key) AS sent_key,
        CASE WHEN s.detail <> '{}' THEN json_extract(s.detail, '$.value') ELSE p.value END AS sent_value
    FROM placements p
    JOIN placement_events e ON e.id = (SELECT MAX(id) FROM placement_events WHERE placement = p.id)
    LEFT JOIN placement_events s ON s.id = (
        SELECT MAX(id) FROM placement_events WHERE placement = p.id AND state = 'sending')
"""
"""Placements as they stand now; what was never sent and is taken up again counts as of the latest attempt."""

_LINE = """
    WITH RECURSIVE line (id) AS (
        SELECT ?1 UNION
        SELECT k.id FROM api_keys k JOIN line ON k.replaced_by = line.id
            OR k.id = (SELECT replaced_by FROM api_keys WHERE id = line.id)
    ) SELECT id FROM line
"""

OPEN = """
    SELECT o.placement FROM placement_events o WHERE o.state IN ('sending', 'unknown')
    AND NOT EXISTS (SELECT 1 FROM placement_events later WHERE later.placement = o.placement AND later.id > o.id)
"""
"""The placements that are being sent or of unknown outcome; an index of their own spares reading the whole journal."""

_CHANGED_SINCE = "SELECT placement FROM placement_events WHERE id > ?1"

OF_NUMBER = """
    (SELECT MAX(p.id) FROM placements p
     WHERE p.environment = ?1 AND EXISTS (SELECT 1 FROM json_each(p.conf_nums) WHERE value = ?3))
"""
"""The latest placement of a confirmation number."""

OF_KEY = """
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


class Records:
    """The placements of one environment, to be read.

    Args:
        store: The open file.
        environment: ``paper`` or ``live``; both may share the file.
        clock: Tells the time.
    """

    def __init__(self, store: Store, environment: str, clock: Clock) -> None:
        self._store = store
        self._environment = environment
        self._clock = clock

    def _at(self) -> str:
        return self._clock().astimezone(UTC).isoformat(timespec="microseconds")

    def of_key(self, key: str) -> Standing | None:
        """The placement that an idempotency key stands for; none for the empty key."""
        rows = self._store.rows(f"{NOW} WHERE p.id = {OF_KEY}", self._environment, key) if key else []
        return standing_of(rows[0]) if rows else None

    def of_preview(self, preview: int | None) -> Standing | None:
        """The placement of a preview, whatever key it went under."""
        rows = self._store.rows(
            f"{NOW} WHERE p.environment = ? AND p.preview = ?", self._environment, preview
        )
        return standing_of(rows[0]) if rows else None

    def unresolved(self) -> list[JournalEntry]:
        """The placements whose answer was lost."""
        rows = self._store.rows(
            f"{NOW} WHERE p.id IN ({OPEN}) AND p.environment = ? AND e.state = 'unknown'", self._environment
        )
        return [self._entry(row) for row in rows]

    def entries(self, *, state: str = "", account: str = "", count: int | None = None) -> list[JournalEntry]:
        """Placements, the latest first."""
        rows = self._store.rows(
            f"{NOW} WHERE p.environment = ? AND (? = '' OR e.state = ?) AND (? = '' OR p.account = ?)"
            " ORDER BY p.id DESC LIMIT ?",
            self._environment,
            state,
            state,
            account,
            account,
            -1 if count is None else count,
        )
        return [self._entry(row) for row in rows]

    def placement(self, number: int) -> JournalEntry | None:
        """One placement, by its number in the journal."""
        rows = self._store.rows(f"{NOW} WHERE p.environment = ?1 AND p.id = ?2", self._environment, number)
        return self._entry(rows[0]) if rows else None

    def named(self, name: str) -> list[JournalEntry]:
        """The placements that a name may mean: as a key, as a journal number, as a confirmation number (the latest)."""
        rows = self._store.rows(
            f"{NOW} WHERE p.environment = ?1 AND (p.id = {OF_KEY} OR CAST(p.id AS TEXT) = ?2 OR p.id = {OF_NUMBER})",
            self._environment,
            name,
            name.upper(),
        )
        return [self._entry(row) for row in rows]

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

    def line_of(self, api_key: str) -> list[str]:
        """The ids that count as one key: its own, those that rotation replaced by it, and those that replaced it."""
        return [row["id"] for row in self._store.rows(_LINE, api_key)] if api_key else []

    def api_keys(self) -> set[str]:
        """Ids that an API key can have: of all that were ever made, and of `FTSERVICE_API_KEY`."""
        return {"env", *(row["id"] for row in self._store.rows("SELECT id FROM api_keys"))}

    def holders(self, account: str, conf_num: str, but: int) -> set[tuple[int, str]]:
        """Number and kind of the placements that have a confirmation number, as their own or as a claim.

        Args:
            account: The account.
            conf_num: The number at the broker.
            but: A placement that is left out.
        """
        rows = self._store.rows(
            "SELECT p.id, p.kind FROM placements p, json_each(p.conf_nums) j"
            " WHERE p.environment = ?1 AND p.account = ?2 AND p.id <> ?4 AND j.value = ?3"
            " UNION SELECT p.id, p.kind FROM placements p JOIN placement_events e ON e.placement = p.id,"
            " json_each(e.detail, '$.claims') j"
            " WHERE p.environment = ?1 AND p.account = ?2 AND p.id <> ?4 AND j.value = ?3",
            self._environment,
            account,
            conf_num,
            but,
        )
        return {(row["id"], row["kind"]) for row in rows}

    def today(self, account: str, api_key: str, likeness: str) -> Day:
        """What has been placed today, in an account, by a key and those of its line, or in all.

        Args:
            account, api_key: Whose; empty for all.
            likeness: Hash of the order that shall be placed, for the age of one like it.
        """
        moment = self._clock()
        scope = (account, dumps(self.line_of(api_key)).decode())
        rows = self._store.rows(
            f"{NOW} WHERE {_OF_DAY} AND {_OF_SCOPE} AND {_COUNTED}",
            self._environment,
            market_date(moment).isoformat(),
            *scope,
        )
        return Day(
            value=sum_of([_decimal(row["sent_value"]) for row in rows]),
            orders=sum(row["orders"] for row in rows),
            same_order_age=self._age_of_same(moment, scope, likeness) if likeness else None,
        )

    def _age_of_same(self, moment: datetime, scope: tuple[str, str], likeness: str) -> float | None:
        """Seconds since the same order was placed last, on whatever day."""
        rows = self._store.rows(
            f"{NOW} WHERE p.environment = ?1 AND p.likeness = ?2 AND {_OF_SCOPE} AND {_COUNTED}",
            self._environment,
            likeness,
            *scope,
        )
        ages = [(moment - datetime.fromisoformat(row["sent_at"])).total_seconds() for row in rows]
        return min(ages, default=None)

    def mark(self) -> int:
        """The number of the latest change, by which later ones are known."""
        found: int = self._store.rows("SELECT COALESCE(MAX(id), 0) AS id FROM placement_events")[0]["id"]
        return found

    def unlisted(self, account: str, numbers: list[str], mark: int | None) -> int:
        """How many orders of an account may be open at the broker although its list did not show them.

        They are being sent, of unknown outcome, or were accepted after the list was asked for.

        Args:
            account: The account.
            numbers: Confirmation numbers that the list showed.
            mark: The latest change when it was asked for; where left out, accepted ones are in it.
        """
        rows = self._store.rows(
            f"{NOW} WHERE p.id IN ({OPEN} UNION {_CHANGED_SINCE})"
            " AND p.environment = ?2 AND p.account = ?3"
            " AND e.state IN ('sending', 'unknown', 'accepted', 'partly_accepted')",
            sys.maxsize if mark is None else mark,
            self._environment,
            account,
        )
        shown = set(numbers)
        return sum(max(row["orders"] - len(shown.intersection(loads(row["conf_nums"]))), 0) for row in rows)

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
            who=row["sent_by"],
            api_key=row["sent_key"],
            key=row["key"] or row["taken_key"],
            digest=row["digest"],
            value=_decimal(row["sent_value"]),
            changes=[_change(change) for change in changes],
        )


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _change(row: Any) -> JournalChange:
    detail = loads(row["detail"])
    return JournalChange(
        state=JournalState(row["state"]),
        changed_at=datetime.fromisoformat(row["at"]),
        message=detail.get("message", ""),
        evidence=detail.get("evidence", []),
        found=detail.get("found", {}),
        conf_nums=detail.get("claims", []),
        messages=detail.get("messages", []),
    )


def standing_of(row: Any) -> Standing:
    return Standing(
        id=row["id"],
        state=JournalState(row["state"]),
        digest=row["digest"],
        conf_nums=loads(row["conf_nums"]),
        owner=row["owner"],
        detail=loads(row["detail"]),
        reply=row["reply"],
    )
