"""The previews made here: a place is held against the one that minted its numbers."""

from datetime import UTC, datetime
from decimal import Decimal

import msgspec

from ftcli.clock import Clock
from ftcli.models.json import dumps, loads
from ftcli.store import Store
from ftcli.trading.owner import Owner
from ftcli.wire import Previewed


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """A preview as remembered."""

    id: int
    kind: str
    account: str
    conf_nums: list[str]
    digest: str
    marks: dict[str, Decimal]
    owner: str
    session: str
    at: datetime


class Previews:
    """The previews of one environment.

    Args:
        store: The open file.
        environment: ``paper`` or ``live``; both may share the file.
        clock: Tells the time.
        owner: This process, in whose session they were made.
    """

    def __init__(self, store: Store, environment: str, clock: Clock, owner: Owner) -> None:
        self._store = store
        self._environment = environment
        self._clock = clock
        self._owner = owner

    def remember(self, preview: Previewed, digest: str, session: str) -> None:
        """Remembers a preview, so that its place can be held against it."""
        numbers = [number.upper() for number in preview.conf_nums]
        with self._store.transaction():
            self._store.execute(
                "INSERT INTO previews (environment, conf_num, conf_nums, kind, account, digest, marks, owner,"
                " session, session_id, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?)",
                self._environment,
                numbers[0],
                dumps(numbers).decode(),
                preview.kind,
                preview.account,
                digest,
                dumps({symbol: f"{price:f}" for symbol, price in preview.marks.items()}).decode(),
                self._owner.name,
                session,
                self._clock().astimezone(UTC).isoformat(timespec="microseconds"),
            )

    def find(self, conf_nums: list[str]) -> Preview | None:
        """The latest preview that minted these numbers. The paper broker, reset, mints them again."""
        rows = self._store.rows(
            "SELECT * FROM previews WHERE environment = ? AND conf_num = ? AND conf_nums = ?"
            " ORDER BY id DESC LIMIT 1",
            self._environment,
            conf_nums[0],
            dumps(conf_nums).decode(),
        )
        if not rows:
            return None
        row = rows[0]
        return Preview(
            id=row["id"],
            kind=row["kind"],
            account=row["account"],
            conf_nums=conf_nums,
            digest=row["digest"],
            marks={symbol: Decimal(price) for symbol, price in loads(row["marks"]).items()},
            owner=row["owner"],
            session=row["session_id"],
            at=datetime.fromisoformat(row["at"]),
        )
