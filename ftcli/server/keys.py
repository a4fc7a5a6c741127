"""API keys: who may use the daemon, for what, for which accounts, and how often."""

import hmac
import logging
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from ftcli.clock import Clock, system_clock
from ftcli.config import Settings
from ftcli.errors import ApiKeyInvalid, NotFound, ValidationFailed
from ftcli.redaction import Secret, remember
from ftcli.server import key_changes
from ftcli.server.key_record import BOOTSTRAP_KEY, record_of
from ftcli.server.key_record import NO_KEY as NO_KEY
from ftcli.server.key_record import SCOPES as SCOPES
from ftcli.server.key_record import ApiKey as ApiKey
from ftcli.server.key_record import Scope as Scope
from ftcli.server.key_record import check_scope as check_scope
from ftcli.server.key_record import parse_scopes as parse_scopes
from ftcli.server.key_text import LENGTH, PREFIX, bootstrap_digest, digest, identity_of, new_key, well_formed
from ftcli.server.limits import parse_rate
from ftcli.store import Store, db_path

log = logging.getLogger("ftcli.server")

WRONG = frozenset({"mistyped", "unknown", "revoked", "expired"})
"""Reasons for which a key that was presented is refused as a key, and not for what it was wanted for."""

LONGEST_LIFE = timedelta(days=36_500)
"""Of a key that ends; one may also be without an end."""

_LOOK_EVERY = 0.5
_NOTE_EVERY = 60


class KeyRing:
    """The keys of one store: checks them, makes them, revokes them.

    Args:
        store: Where they are kept.
        clock: Tells the time.
        bootstrap: A key from outside (``FTSERVICE_API_KEY``) that may do everything and is not stored.
        who: Who changes keys here, for the audit log.

    Raises:
        ValidationFailed: The bootstrap key can be guessed, or no header brings it.
    """

    def __init__(
        self,
        store: Store,
        *,
        clock: Clock = system_clock,
        bootstrap: Secret | None = None,
        who: str = key_changes.DAEMON,
    ) -> None:
        self._store = store
        self._who = who
        self._clock = clock
        self._bootstrap = bootstrap_digest(bootstrap) if bootstrap else None
        self._known: dict[str, tuple[bytes, ApiKey]] = {}
        self._seen_changes = -1
        self._next_look = 0.0
        self._noted: dict[str, datetime] = {}
        self._failing = False

    # -- checking -------------------------------------------------------------------------------------------

    def check(self, key: str | None, scope: Scope | None = None) -> ApiKey:
        """Finds out whose key it is and whether it may do this.

        Args:
            key: The key as presented; ``None`` where there is none.
            scope: What it is wanted for; ``None`` where that is asked later.

        Raises:
            ApiKeyInvalid: It is missing, mistyped, unknown, revoked, expired, or lacks the scope; the details
                give the reason as one word.
        """
        if not key:
            raise _refused("missing", "An API key is required: send the header `Authorization: Bearer ft_…`.")
        found = self._find(key)
        return check_scope(found, scope) if scope else found

    def _find(self, key: str) -> ApiKey:
        presented = digest(key)
        if self._bootstrap and hmac.compare_digest(presented, self._bootstrap):
            return BOOTSTRAP_KEY
        if not well_formed(key):
            known_form = key.startswith(PREFIX) and len(key) == LENGTH
            text = "its checksum is wrong" if known_form else "it has not the form of one"
            raise _refused("mistyped", f"This is no API key of this service: {text}. Was it copied whole?")
        identity = identity_of(key)
        if identity not in self._known:
            self._next_look = 0.0  # it may have been made this very moment
        self._look(known=identity in self._known)
        kept, record = self._known.get(identity, (_NO_DIGEST, None))
        if not hmac.compare_digest(presented, kept) or record is None:
            raise _refused("unknown", "This API key is not known here.")
        self._check_alive(record)
        self._note_use(record, self._clock())
        return record

    def check_alive(self, key: ApiKey) -> None:
        """Whether a key is still good that was good before: of a ticket, a stream, a held symbol.

        Raises:
            ApiKeyInvalid: It has been revoked, or has expired.
        """
        self._look(known=True)
        self._check_alive(self._known.get(key.id, (_NO_DIGEST, key))[1])

    def _check_alive(self, record: ApiKey) -> None:
        if record.revoked_at:
            raise _refused("revoked", "This API key has been revoked.")
        if record.expires_at and self._clock() >= record.expires_at:
            raise _refused("expired", f"This API key expired on {record.expires_at:%Y-%m-%d}.")

    def _look(self, *, known: bool) -> None:
        """Reads the keys again where another process has changed the file; asks twice a second.

        Args:
            known: Whether the key asked for has been read before. It is then good by what was read, where the file
                cannot be read now: that must keep nobody from halting.
        """
        moment = time.monotonic()
        if moment < self._next_look:
            return
        self._next_look = moment + _LOOK_EVERY
        try:
            with self._store.at_once():
                changes = self._store.foreign_changes()
                if changes != self._seen_changes:
                    self._load()
                    known = True  # what fails from here on keeps nobody back
                    key_changes.tell(self._store)
                    self._seen_changes = changes
        except sqlite3.Error as problem:
            if not known:
                raise
            if not self._failing:
                log.warning("the API keys cannot be read again, or their changes told: %s", problem)
            self._failing = True
        else:
            self._failing = False

    def _load(self) -> None:
        rows = self._store.rows("SELECT * FROM api_keys")
        self._known = {row["id"]: (row["digest"], record_of(row)) for row in rows}

    def _note_use(self, record: ApiKey, now: datetime) -> None:
        """Notes the use of a key, at most once a minute. It is only told to people, so nothing depends on it."""
        last = self._noted.get(record.id)
        if last is not None and (now - last).total_seconds() < _NOTE_EVERY:
            return
        self._noted[record.id] = now
        try:
            with self._store.at_once():
                self._store.execute(
                    "UPDATE api_keys SET last_used_at = ? WHERE id = ?", int(now.timestamp()), record.id
                )
        except sqlite3.Error as problem:
            log.debug("the use of API key %s could not be noted: %s", record.id, problem)

    # -- keeping --------------------------------------------------------------------------------------------

    def create(
        self,
        *,
        name: str,
        scopes: frozenset[Scope] = frozenset(SCOPES),
        expires_in: timedelta | None = None,
        accounts: frozenset[str] = frozenset(),
        rate: str = "",
    ) -> tuple[str, ApiKey]:
        """Makes a key. The text returned is shown nowhere else, ever.

        Args:
            name: What its owner calls it.
            scopes: What it may do.
            expires_in: How long it lives; forever where left out.
            accounts: The only accounts it may touch; all where empty.
            rate: How often it may be used, such as ``120/m``; the daemon's own rule where empty.

        Raises:
            ValidationFailed: No scope is given, the life is none of up to 100 years, the rate is none, or a key
                bound to accounts is to have the scope admin, which is about the whole login.
        """
        if not scopes:
            raise ValidationFailed.of("scope", None, f"be one or more of {', '.join(SCOPES)}")
        if expires_in is not None and not timedelta(0) < expires_in <= LONGEST_LIFE:
            raise ValidationFailed.of("expires", str(expires_in), "lie in the future, within 100 years")
        if accounts and "admin" in scopes:
            raise ValidationFailed.of(
                "scope", "admin", "not be given to a key bound to accounts: it rules the whole login"
            )
        parse_rate(rate)
        with self._store.transaction():
            key = self._insert(name, scopes, expires_in, accounts, rate)
        self._load()
        return key, self._known[identity_of(key)][1]

    def _insert(
        self,
        name: str,
        scopes: frozenset[Scope],
        expires_in: timedelta | None,
        accounts: frozenset[str],
        rate: str,
        replaces: str = "",
    ) -> str:
        """Keeps a new key within a transaction; answers the key itself."""
        key = new_key()
        remember(key)
        now = self._clock()
        ends = None if expires_in is None else now + expires_in
        self._store.execute(
            "INSERT INTO api_keys (id, name, digest, scopes, created_at, expires_at, accounts, rate)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            identity_of(key),
            name,
            digest(key),
            ",".join(sorted(scopes)),
            int(now.timestamp()),
            None if ends is None else int(ends.timestamp()),
            ",".join(sorted(accounts)),
            rate,
        )
        what = f"{name}: {','.join(sorted(scopes))}, {f'until {ends:%Y-%m-%d}' if ends else 'without end'}"
        if replaces:
            self._note("rotate", identity_of(key), f"{what}, replaces {replaces}")
        else:
            self._note("create", identity_of(key), what)
        return key

    def _note(self, change: str, identity: str, what: str) -> None:
        key_changes.note(self._store, change, identity, what, self._who, self._clock())

    def rotate(
        self, identity: str, *, overlap: timedelta, expires_in: timedelta | None = None
    ) -> tuple[str, ApiKey]:
        """Makes a key like another one, which ends after the overlap: time enough to change its users over.

        Limits hold for both as for one key, and what one has used today the other has used.

        Args:
            identity: Id of the old key, or the key itself.
            overlap: How long both are good; at 0 the old one ends at once.
            expires_in: Life of the new key; as long as the old one's was where left out.

        Raises:
            NotFound: There is no such key.
            ValidationFailed: It has ended already, or has been replaced before.
        """
        now = self._clock()
        # Looked at within the transaction: of two who rotate one key at once, one finds it replaced.
        with self._store.transaction():
            old = self.find(identity)
            if old.state(now) != "active" or old.replaced_by:
                what = f"replaced by {old.replaced_by}" if old.replaced_by else old.state(now)
                raise ValidationFailed.of("ID", old.id, f"be in use; this key is {what}")
            if expires_in is None and old.expires_at is not None:
                expires_in = old.expires_at - old.created_at
            key = self._insert(old.name, old.scopes, expires_in, old.accounts, old.rate, replaces=old.id)
            ends = int((now + overlap).timestamp())
            self._store.execute(
                "UPDATE api_keys SET replaced_by = ?, expires_at = MIN(COALESCE(expires_at, ?), ?) WHERE id = ?",
                identity_of(key),
                ends,
                ends,
                old.id,
            )
        self._load()
        return key, self._known[identity_of(key)][1]

    def find(self, identity: str) -> ApiKey:
        """A key by its id, or by the key itself.

        Raises:
            NotFound: There is no such key.
        """
        wanted = identity_of(identity) if well_formed(identity) else identity.strip()
        self._load()
        if wanted not in self._known:
            raise NotFound(f"There is no API key {wanted[:8]}.", details={"id": wanted[:8]})
        return self._known[wanted][1]

    def all_keys(self) -> list[ApiKey]:
        """Every key, the oldest first; revoked ones too."""
        return [
            record_of(row) for row in self._store.rows("SELECT * FROM api_keys ORDER BY created_at, rowid")
        ]

    def revoke(self, identity: str) -> ApiKey:
        """Ends a key at once; a running daemon refuses it within a second, and ends what it holds open.

        Args:
            identity: Its id, or the key itself.

        Raises:
            NotFound: There is no such key.
        """
        found = self.find(identity)
        now = int(self._clock().timestamp())
        with self._store.transaction():
            done = self._store.execute(
                "UPDATE api_keys SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL", now, found.id
            )
            if done:
                self._note("revoke", found.id, found.name)
        return self.find(found.id)

    def first_key(self) -> str | None:
        """Makes the first key, where there has never been one; ``None`` where nobody needs it."""
        if self._bootstrap or self._store.rows("SELECT 1 FROM api_keys LIMIT 1"):
            return None
        return self.create(name="first key")[0]


@contextmanager
def key_ring(settings: Settings) -> Iterator[KeyRing]:
    """The keys of the daemon's database, whether the daemon runs or not."""
    store = Store(db_path(settings))
    try:
        yield KeyRing(store, who=key_changes.command_line())
    finally:
        store.close()


_NO_DIGEST = bytes(32)


def bearer(header: str | None) -> str | None:
    """The key in an ``Authorization`` header; ``None`` where it holds none."""
    if header and header[:7].lower() == "bearer ":
        return header[7:].strip()
    return None


def _refused(reason: str, message: str) -> ApiKeyInvalid:
    return ApiKeyInvalid(message, details={"reason": reason})
