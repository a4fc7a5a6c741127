"""The user's credentials at the broker: from the settings, else from the one store that holds them."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Literal, NamedTuple

import msgspec

from ftcli.config import Settings
from ftcli.credentials.encrypted_file import FILE_NAME, EncryptedFile
from ftcli.credentials.files import alone
from ftcli.credentials.keys import KeySource
from ftcli.credentials.latest import Latest
from ftcli.credentials.os_keyring import KeyringMute, OsKeyring
from ftcli.credentials.secret_store import SecretStore, StoreUnusable
from ftcli.errors import Conflict, ValidationFailed
from ftcli.redaction import Secret


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """What a login needs.

    Attributes:
        username: User name at the broker.
        password: Password.
        totp: Second factor: a six-digit code, or the base32 secret of the authenticator app.
        origin: Where they came from, for people.
    """

    username: str
    password: Secret
    totp: Secret | None = None
    origin: str = ""


class _Entry(msgspec.Struct, frozen=True, kw_only=True):
    """The entry of a store: one text, so that it is replaced as a whole."""

    username: str
    password: str
    totp: str = ""
    stored_at: float = 0.0
    """Epoch seconds; 0 in entries of before this was kept."""

    def __repr__(self) -> str:
        return "_Entry(***)"


class _Found(NamedTuple):
    """An entry and where it is."""

    entry: _Entry
    name: "StoreName"


StoreName = Literal["keyring", "file"]
STORES: tuple[StoreName, ...] = ("file", "keyring")
"""In the order in which they are asked: the file answers at once, and is there only where somebody chose it."""

_OLDER = "older credentials are here, which are not used any more"


class StoreState(msgspec.Struct, frozen=True, kw_only=True):
    """How a store stands, for people.

    Attributes:
        name: ``environment``, ``keyring`` or ``file``.
        where: The backend's name, or the path.
        usable: Whether it can keep credentials now.
        holds: Whether it holds those of this environment; ``None`` if that cannot be told.
        reason: Why it cannot be used.
    """

    name: str
    where: str
    usable: bool
    holds: bool | None
    reason: str = ""


class CredentialStore:
    """Finds, keeps and forgets credentials, apart for each environment.

    They have one home: the OS keyring, or an encrypted file whose key comes from outside. What is stored anew
    is removed from the other one; where that one is closed, what it holds no longer counts
    (:mod:`ftcli.credentials.latest`), so that an old password does not come back from there.

    Args:
        settings: ``username``, ``password``, ``totp``, ``environment`` and ``credential_store``.
        keyring: The keyring to ask.

    Attributes:
        reason: Why the latest :meth:`get` found nothing; empty if it found something.
        warning: What the latest :meth:`store` or :meth:`migrate` could not remove; else empty.
    """

    def __init__(self, settings: Settings, keyring: OsKeyring | None = None) -> None:
        self._settings = settings
        self._keyring = keyring or OsKeyring()
        self._file = EncryptedFile(settings.data_path(FILE_NAME), KeySource(settings, self._keyring))
        self._name = f"{settings.environment}-credentials"
        self._latest = Latest(settings.data_path(f"{self._name}.since"))
        self.reason = ""
        self.warning = ""

    def get(self) -> Credentials | None:
        """The credentials, ``None`` if they are not complete.

        User name and password of the settings (environment variables and their ``_FILE`` forms
        included) come first. A user name alone picks the stored entry of that user and no other; a
        second factor in the settings replaces the stored one.
        """
        self.reason = ""
        given = self._settings
        if given.username and given.password:
            return Credentials(
                username=given.username, password=given.password, totp=given.totp, origin="settings"
            )
        found = self._stored()
        if found is None:
            return None
        entry = found.entry
        if given.username and given.username.lower() != entry.username.lower():
            self.reason = "the stored credentials belong to another user name"
            return None
        return Credentials(
            username=entry.username,
            password=given.password or Secret(entry.password),
            totp=given.totp or (Secret(entry.totp) if entry.totp else None),
            origin=f"keyring ({self._keyring.name})" if found.name == "keyring" else self._file.name,
        )

    def store(self, username: str, password: Secret, totp: Secret | None = None) -> str:
        """Keeps credentials in the first store that protects them; answers where that is.

        Raises:
            ValidationFailed: User name or password is empty, or no store protects them.
            Conflict: Another process is changing them for too long; the same of :meth:`delete` and :meth:`migrate`.
        """
        for field, value in (("username", username), ("password", password)):
            if not value:
                raise ValidationFailed.of(field, None, "not be empty")
        with self._alone():
            entry = _Entry(
                username=username,
                password=password.reveal(),
                totp=totp.reveal() if totp else "",
                stored_at=self._latest.next(),
            )
            return self._of(self._keep(entry, self._candidates())).name

    def delete(self) -> bool:
        """Forgets the stored credentials wherever they are; answers whether there were any.

        Raises:
            ValidationFailed: A store cannot be opened and may still hold them; they no longer count.
        """
        with self._alone():
            found, problems = self._empty()
            noted = self._note(self._latest.next())
        if problems:
            places = " and ".join(where for where, _ in problems)
            outcome = "They are not used any more, but may" if noted else "They may"
            raise ValidationFailed(
                f"{outcome} still be in the {places}, which is still there and cannot be opened: "
                f"{'; '.join(reason for _, reason in problems)}. Unlock it or give its key and delete again, or "
                "remove it.",
                details={"field": "credentials", "value": None, "rule": "be in stores that can be opened"},
            )
        return found

    def migrate(self, target: StoreName) -> str:
        """Moves the stored credentials into another store; the old one is emptied once the new one has them.

        Raises:
            ValidationFailed: There are none, or the target cannot keep them; then nothing has changed.
        """
        with self._alone():
            found = self._stored(STORES)
            if found is None:
                raise ValidationFailed("No credentials are stored here, so there is nothing to move.")
            return self._of(self._keep(found.entry, [target])).name

    def states(self) -> list[StoreState]:
        """Every place that credentials can come from, in the order in which they are asked."""
        given = self._settings
        complete = bool(given.username and given.password)
        rows = [StoreState(name="environment", where="FT_USERNAME, FT_PASSWORD", usable=True, holds=complete)]
        for name in STORES:
            store, reason, holds, usable = self._of(name), "", None, True
            try:
                entry = self._entry(name)
                holds = entry is not None and self._counts(entry)
                reason = _OLDER if entry is not None and not holds else ""
                store.probe()
            except StoreUnusable as problem:
                reason, usable = str(problem), False
            rows.append(StoreState(name=name, where=store.name, usable=usable, holds=holds, reason=reason))
        return rows

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One process at a time changes the credentials: of two words only the latest may stay."""
        try:
            lock = alone(self._latest.path.with_name(f"{self._name}.lock"))
        except OSError:
            # In a folder that nobody can write to there is the keyring only, which goes one by one.
            lock = None
        try:
            with lock or nullcontext():
                yield
        except TimeoutError:
            raise Conflict("Another ftcli process is changing the credentials. Try again.") from None

    def _empty(self) -> tuple[bool, list[tuple[str, str]]]:
        """Empties every store; answers whether there was anything, and which could not be emptied and why."""
        found, problems = False, []
        for name in STORES:
            try:
                found |= self._of(name).delete(self._name)
            except StoreUnusable as unusable:
                if not unusable.absent:
                    problems.append((self._of(name).name, str(unusable)))
        return found, problems

    def _candidates(self) -> "list[StoreName]":
        chosen = self._settings.credential_store
        return ["keyring", "file"] if chosen == "auto" else [chosen]

    def _of(self, name: StoreName) -> SecretStore:
        return self._keyring if name == "keyring" else self._file

    def _keep(self, entry: _Entry, candidates: "list[StoreName]") -> StoreName:
        text = msgspec.json.encode(entry).decode()
        problems, written = [], "Nothing was written."
        for name in candidates:
            try:
                self._of(name).set(self._name, text)
            except StoreUnusable as problem:
                problems.append(str(problem))
                if isinstance(problem, KeyringMute):
                    written = "It may still keep it when it is unlocked."
                continue
            self._forget_elsewhere(name, entry.stored_at)
            return name
        raise ValidationFailed(
            f"The credentials cannot be stored: {'; and '.join(problems)}. {written} "
            "Set FTSERVICE_ENCRYPTION_KEY or FT_PASSPHRASE to keep them in an encrypted file, or give them in "
            "FT_USERNAME, FT_PASSWORD_FILE and FT_TOTP_FILE.",
            details={"field": "credentials", "value": None, "rule": "have a store that protects them"},
        )

    def _forget_elsewhere(self, home: StoreName, moment: float) -> None:
        other = self._of("file" if home == "keyring" else "keyring")
        self.warning = ""
        noted = moment > self._latest.since() and self._note(moment)
        try:
            other.delete(self._name)
        except StoreUnusable as problem:
            if not problem.absent:
                used = "they are not used any more" if noted else "take care to empty it"
                self.warning = f"The {other.name} cannot be opened and may hold older credentials; {used}."

    def _note(self, moment: float) -> bool:
        """From now on nothing older counts. Where that cannot be written, the newest that is found does."""
        try:
            self._latest.note(moment)
        except OSError:
            return False
        return True

    def _counts(self, entry: _Entry) -> bool:
        return entry.stored_at >= self._latest.since()

    def _entry(self, name: StoreName) -> _Entry | None:
        text = self._of(name).get(self._name)
        try:
            return None if text is None else msgspec.json.decode(text, type=_Entry)
        except msgspec.MsgspecError:
            raise StoreUnusable("the stored credentials are damaged") from None

    def _stored(self, places: "tuple[StoreName, ...] | None" = None) -> _Found | None:
        """The entry that counts; of several the newest."""
        chosen = self._settings.credential_store
        places = places or (STORES if chosen == "auto" else (chosen,))
        found, problems = self._look(places)
        if not found:
            # They may have moved to the place asked first while the next one was asked.
            found, _ = self._look(places[:1])
        if found:
            return max(found, key=lambda one: one.entry.stored_at)
        self.reason = "; ".join(problems) or "no credentials are stored"
        return None

    def _look(self, places: tuple[StoreName, ...]) -> tuple[list[_Found], list[str]]:
        """The entries that count, and what stood in the way of others."""
        found: list[_Found] = []
        problems: list[str] = []
        for name in places:
            try:
                entry = self._entry(name)
            except StoreUnusable as problem:
                problems.append(str(problem))
                continue
            if entry is not None and not self._counts(entry):
                problems.append(f"{self._of(name).name}: {_OLDER}")
            elif entry is not None:
                found.append(_Found(entry, name))
                if self._latest.since():
                    break  # the latest word, so the other store is not asked: a keyring may take its time
        return found, problems
