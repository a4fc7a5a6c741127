"""What stands around the gate: journal and limits of one environment, opened together; the kill switch beside them."""

import logging
import re
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

import msgspec

from ftcli.clock import Clock
from ftcli.config import Settings
from ftcli.errors import InternalError, NotFound, ValidationFailed
from ftcli.models.trading import (
    Facts,
    Finding,
    JournalEntry,
    JournalState,
    LimitRow,
    LimitTable,
    OrderCheck,
)
from ftcli.store import Store, db_path
from ftcli.trading.digest import digest
from ftcli.trading.journal import Journal
from ftcli.trading.limits import Scoped, applying, judge, parse
from ftcli.trading.origin import current_origin
from ftcli.trading.owner import Owner
from ftcli.trading.plan import Ahead, Plan, with_those_ahead
from ftcli.trading.previews import Previews
from ftcli.trading.records import EXTERNAL, Standing
from ftcli.trading.switch import LONGEST, switch_of
from ftcli.trading.terms import Terms, symbols_of, terms_of
from ftcli.wire import Placement, Previewed

log = logging.getLogger("ftcli.trading")

_RESOLVABLE = (JournalState.UNKNOWN, JournalState.PARTLY_ACCEPTED)
_BY_NUMBER = re.compile(r"id:([0-9]{1,18})")
_NUMBER = re.compile(r"[A-Z0-9]{4,16}")


class Desk:
    """The trading side of one client.

    Args:
        settings: The settings in force.
        clock: Tells the time.

    Raises:
        InternalError: The database cannot be used.
        ValidationFailed: The limits do not parse.
    """

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self.limits = parse(settings.limits)
        self.path = db_path(settings)
        self._store = Store(self.path)
        self.now: Callable[[], datetime] = clock
        self.owner = Owner(self.path.with_name(f"{self.path.name}.owners"))
        self.switch = switch_of(settings)
        self.previews = Previews(self._store, settings.environment, clock, self.owner)
        self.journal = Journal(self._store, settings.environment, clock, self.owner)

    def previewed(self, preview: Previewed, session: str) -> None:
        """Remembers a preview."""
        hashed = digest(preview.kind, preview.account, preview.order, preview.replaces)
        self.previews.remember(preview, hashed, session)

    # -- limits ---------------------------------------------------------------------------------------------

    def rules(self, account: str, api_key: str) -> set[str]:
        """The rules an order must pass."""
        return {rule for one in self._applying(account, api_key) for rule in one.rules.in_force()}

    def limited_keys(self) -> set[str]:
        """Ids of the API keys that have limits of their own."""
        return {one.api_key for one in self.limits if one.api_key}

    def _applying(self, account: str, api_key: str) -> list[Scoped]:
        return applying(self.limits, account, self.journal.line_of(api_key))

    def findings(
        self,
        account: str,
        api_key: str,
        terms: Terms,
        facts: Facts,
        ahead: Sequence[Ahead] = (),
    ) -> list[Finding]:
        """What an order breaks of the limits, once the orders ahead of it have been placed.

        Inside a transaction of the journal nobody else can slip in between.
        """
        found: list[Finding] = []
        if facts.open_orders is not None:
            unlisted = self.journal.unlisted(account, facts.listed, facts.mark)
            facts = msgspec.structs.replace(facts, open_orders=facts.open_orders + unlisted)
        for one in self._applying(account, api_key):
            day = self.journal.today(one.account, one.api_key, terms.likeness)
            found += judge(one, terms, facts, with_those_ahead(day, one, terms.likeness, ahead))
        return found

    def needs(self, account: str, order: Any) -> tuple[list[str], set[str]]:
        """The symbols and rules that facts are wanted of, to check an order."""
        return symbols_of(order), self.rules(account, current_origin().api_key)

    def plan(self) -> Plan:
        """Judges orders that shall be placed in one go."""
        return Plan(self)

    def check(self, account: str, order: Any, facts: Facts, ahead: Sequence[Ahead] = ()) -> OrderCheck:
        """What the gate would say to an order, once the orders ahead of it have been placed."""
        terms = terms_of(order, facts.last)
        findings = self.findings(account, current_origin().api_key, terms, facts, ahead)
        may, halted = self._may_place, self.switch.read() is not None
        return OrderCheck(
            allowed=may and not halted and not findings,
            value=terms.value,
            may_place=may,
            live_trading=self._settings.live_trading and not self._settings.is_paper,
            halted=halted,
            findings=findings,
        )

    @property
    def _may_place(self) -> bool:
        return self._settings.is_paper or self._settings.live_trading

    def limit_table(self) -> LimitTable:
        """Every limit in force, and how much of it is used today."""
        rows = []
        for one in self.limits:
            day = self.journal.today(one.account, one.api_key, "")
            value = "not known" if day.value is None else f"{day.value:f}"
            used = {"max_daily_value": value, "max_daily_orders": str(day.orders)}
            rows += [
                LimitRow(scope=one.name, rule=rule, limit=limit, used=used.get(rule))
                for rule, limit in one.rules.in_force().items()
            ]
        return LimitTable(limits=rows)

    # -- journal --------------------------------------------------------------------------------------------

    def entries(self, state: str, account: str, count: int | None) -> list[JournalEntry]:
        """Placements, the latest first."""
        self.journal.settle_dead()
        return self.journal.entries(state=state, account=account, count=count)

    def entry(self, key: str) -> JournalEntry:
        """One placement.

        Args:
            key: Its idempotency key, a confirmation number, its number in the journal; ``id:2`` is always the latter.

        Raises:
            NotFound: The journal has none of this key.
            ValidationFailed: It may mean several.
        """
        self.journal.settle_dead()
        name = key.strip()
        of_number = _BY_NUMBER.fullmatch(name)
        if of_number:
            one = self.journal.placement(int(of_number[1]))
            found = [one] if one else []
        else:
            found = self.journal.named(name)
        if not found:
            raise NotFound(f"The journal has no placement {key}.", details={"key": key})
        if len(found) > 1:
            # Keys may be counters: to take one order for another here would settle the wrong one.
            either = " or ".join(f"id:{one.id}" for one in found)
            raise ValidationFailed.of("key", key, f"name one placement; say {either}")
        return found[0]

    def placement(self, number: int) -> JournalEntry:
        """The placement of a number, which is there."""
        found = self.journal.placement(number)
        assert found is not None
        return found

    def digest_of(self, kind: str, order: Any) -> str:
        """The hash of an order, by which the journal knows it: the same for 60 and 60.00.

        Args:
            kind: Name of the operation that places it.
            order: The order; it changes no other.
        """
        return digest(kind, order.account, order, [])

    def unresolved(self) -> list[JournalEntry]:
        """The placements whose answer was lost."""
        self.journal.settle_dead()
        return self.journal.unresolved()

    def known_numbers(self, account: str) -> set[str]:
        """Every confirmation number the journal knows of an account."""
        return self.journal.known_numbers(account)

    def numbers_of_others(self, entry: JournalEntry) -> set[str]:
        """The confirmation numbers of a placement's account that prove nothing of it."""
        return self.journal.numbers_of_others(entry.id, entry.account)

    def standing(self, placement: Placement[Any]) -> Standing | None:
        """Where a placement stands by the journal: that of its idempotency key, else of its preview.

        Raises:
            Conflict: Key or preview belong to another order.
        """
        preview = self.previews.find(placement.conf_nums)
        hashed = digest(placement.kind, placement.account, placement.order, placement.replaces)
        return self.journal.begun(current_origin().key, preview.id if preview else None, hashed)

    def settle(
        self,
        number: int,
        state: JournalState,
        *,
        since: JournalState = JournalState.UNKNOWN,
        claims: Sequence[str] = (),
        **detail: Any,
    ) -> bool:
        """Notes what evidence says of a lost order; see :meth:`ftcli.trading.journal.Journal.settle`."""
        return self.journal.settle(number, state, since=since, claims=claims, **detail)

    def resolve(
        self, key: str, placed: bool, reason: str, conf_nums: Sequence[str] | None = None
    ) -> JournalEntry:
        """Notes what a person found out about a lost order.

        Args:
            key: Idempotency key, confirmation number or journal number.
            placed: Whether it is at the broker.
            reason: How the person knows.
            conf_nums: The numbers it has there, where they are others than those of its preview.

        Raises:
            NotFound: The journal has none of this key.
            ValidationFailed: Its outcome is neither unknown nor partly accepted, there is no reason that can be
                read, or a number cannot be its own.
        """
        entry = self.entry(key)
        if not reason.strip():
            raise ValidationFailed.of("reason", None, "be given")
        if not reason.isprintable() or len(reason) > LONGEST:
            raise ValidationFailed.of(
                "reason", reason[:LONGEST], f"be at most {LONGEST} printable characters"
            )
        if entry.state not in _RESOLVABLE:
            raise ValidationFailed.of(
                "key", key, f"name a placement in state unknown or partly_accepted; this one is {entry.state}"
            )
        claims = self._claims(entry, placed, conf_nums or [])
        if placed and not claims:
            claims = entry.changes[-1].conf_nums  # what the broker took of a group
        self.journal.settle(
            entry.id,
            JournalState.ACCEPTED if placed else JournalState.NOT_PLACED,
            since=entry.state,
            claims=claims,
            message=reason.strip(),
            evidence=[f"a person says so ({current_origin().who})"],
        )
        return self.placement(entry.id)

    def _claims(self, entry: JournalEntry, placed: bool, conf_nums: Sequence[str]) -> list[str]:
        """The numbers that a person names for a placement, checked."""
        claims = list(dict.fromkeys(number.strip().upper() for number in conf_nums))
        given = ", ".join(conf_nums)
        if claims and not placed:
            raise ValidationFailed.of("conf_nums", given, "be left out for an order that was not placed")
        if not all(map(_NUMBER.fullmatch, claims)):
            raise ValidationFailed.of("conf_nums", given, "be confirmation numbers such as 2DI0KXQ4")
        if len(claims) > len(entry.conf_nums):
            raise ValidationFailed.of("conf_nums", given, f"hold at most {len(entry.conf_nums)} of them")
        for claim in claims:
            for number, kind in self.journal.holders(entry.account, claim, entry.id):
                if kind != EXTERNAL:
                    raise ValidationFailed.of("conf_nums", claim, f"not be that of placement {number}")
        return [] if claims == entry.conf_nums else claims

    def adopt(self, account: str, number: str, order: dict[str, Any]) -> bool:
        """Notes an order found at the broker that was not placed here; answers whether it was new."""
        return self.journal.adopt(account, number, order)

    def at_once(self) -> AbstractContextManager[None]:
        """Inside, the journal waits for no other writer; see :meth:`ftcli.store.Store.at_once`."""
        return self._store.at_once()

    def close(self) -> None:
        """Closes the journal."""
        self.owner.leave()
        self._store.close()


def remember(desk: Callable[[], Desk], preview: Previewed, session: str) -> None:
    """Remembers a preview. Where the disk does not take it, the preview stands and its place is refused.

    Args:
        desk: Opens the desk.
        preview: The preview.
        session: Name of the session with the broker.
    """
    try:
        desk().previewed(preview, session)
    except (InternalError, sqlite3.Error) as problem:
        log.warning("a preview could not be remembered: %s", problem)
