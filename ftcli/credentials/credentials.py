"""The user's credentials at the broker: from the settings, else from the one store that holds them."""

from typing import Literal

import msgspec

from ftcli.config import Settings
from ftcli.credentials.encrypted_file import FILE_NAME, EncryptedFile
from ftcli.credentials.keys import KeySource
from ftcli.credentials.os_keyring import OsKeyring
from ftcli.credentials.secret_store import SecretStore, StoreUnusable
from ftcli.errors import ValidationFailed
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

    def __repr__(self) -> str:
        return "_Entry(***)"


StoreName = Literal["keyring", "file"]


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
    is removed from the other one, so that an old password does not come back from there.

    Args:
        settings: ``username``, ``password``, ``totp``, ``environment`` and ``credential_store``.
        keyring: The keyring to ask.

    Attributes:
        reason: Why the latest :meth:`get` found nothing; empty if it found something.
    """

    def __init__(self, settings: Settings, keyring: OsKeyring | None = None) -> None:
        self._settings = settings
        self._keyring = keyring or OsKeyring()
        self._file = EncryptedFile(settings.data_path(FILE_NAME), KeySource(settings, self._keyring))
        self._name = f"{settings.environment}-credentials"
        self.reason = ""

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
        entry, origin = found
        if given.username and given.username.lower() != entry.username.lower():
            self.reason = "the stored credentials belong to another user name"
            return None
        return Credentials(
            username=entry.username,
            password=given.password or Secret(entry.password),
            totp=given.totp or (Secret(entry.totp) if entry.totp else None),
            origin=origin,
        )

    def store(self, username: str, password: Secret, totp: Secret | None = None) -> str:
        """Keeps credentials in the first store that protects them; answers where that is.

        Raises:
            ValidationFailed: User name or password is empty, or no store protects them.
        """
        for field, value in (("username", username), ("password", password)):
            if not value:
                raise ValidationFailed.of(field, None, "not be empty")
        entry = _Entry(username=username, password=password.reveal(), totp=totp.reveal() if totp else "")
        name = self._keep(msgspec.json.encode(entry).decode(), self._candidates())
        return self._of(name).name

    def delete(self) -> bool:
        """Forgets the stored credentials wherever they are; answers whether there were any.

        Raises:
            ValidationFailed: The encrypted file is there and cannot be opened: it may still hold them.
        """
        found = False
        problem = ""
        for store in (self._file, self._keyring):
            try:
                found |= store.delete(self._name)
            except StoreUnusable as unusable:
                # A keyring that is not there holds nothing; a file that is there may.
                if store is self._file:
                    problem = str(unusable)
        if problem:
            raise ValidationFailed(
                f"The credentials may still be in {self._file.path}, which is still there and cannot be opened: "
                f"{problem}. Give its key, or remove the file.",
                details={"field": "credentials", "value": None, "rule": "be in a file that can be opened"},
            )
        return found

    def migrate(self, target: StoreName) -> str:
        """Moves the stored credentials into another store; the old one is emptied once the new one has them.

        Raises:
            ValidationFailed: There are none, or the target cannot keep them; then nothing has changed.
        """
        stores: tuple[StoreName, ...] = ("file", "keyring")
        for name in stores:
            try:
                text = self._of(name).get(self._name)
            except StoreUnusable:
                continue
            if text is not None:
                self._keep(text, [target])
                return self._of(target).name
        raise ValidationFailed("No credentials are stored here, so there is nothing to move.")

    def states(self) -> list[StoreState]:
        """Every place that credentials can come from, in the order in which they are asked."""
        given = self._settings
        complete = bool(given.username and given.password)
        rows = [StoreState(name="environment", where="FT_USERNAME, FT_PASSWORD", usable=True, holds=complete)]
        for name, store in (("file", self._file), ("keyring", self._keyring)):
            reason, holds = "", None
            try:
                holds = store.get(self._name) is not None
                store.probe()
            except StoreUnusable as problem:
                reason = str(problem)
            rows.append(
                StoreState(name=name, where=store.name, usable=not reason, holds=holds, reason=reason)
            )
        return rows

    def _candidates(self) -> "list[StoreName]":
        chosen = self._settings.credential_store
        return ["keyring", "file"] if chosen == "auto" else [chosen]

    def _of(self, name: StoreName) -> SecretStore:
        return self._keyring if name == "keyring" else self._file

    def _keep(self, text: str, candidates: "list[StoreName]") -> StoreName:
        problems = []
        for name in candidates:
            try:
                self._of(name).set(self._name, text)
            except StoreUnusable as problem:
                problems.append(str(problem))
                continue
            self._forget_elsewhere(name)
            return name
        raise ValidationFailed(
            f"The credentials cannot be stored: {'; and '.join(problems)}. Nothing was written. "
            "Set FTSERVICE_ENCRYPTION_KEY or FT_PASSPHRASE to keep them in an encrypted file, or give them in "
            "FT_USERNAME, FT_PASSWORD_FILE and FT_TOTP_FILE.",
            details={"field": "credentials", "value": None, "rule": "have a store that protects them"},
        )

    def _forget_elsewhere(self, home: StoreName) -> None:
        other: StoreName = "file" if home == "keyring" else "keyring"
        try:
            self._of(other).delete(self._name)
        except StoreUnusable:
            pass  # what cannot be opened cannot be read either

    def _stored(self) -> tuple[_Entry, str] | None:
        problems = []
        # The file first: it answers at once, and is there only where somebody chose it.
        places = (("file", self._file), ("keyring", self._keyring))
        for label, store in places:
            if self._settings.credential_store not in ("auto", label):
                continue
            try:
                text = store.get(self._name)
            except StoreUnusable as problem:
                problems.append(str(problem))
                continue
            if text is None:
                continue
            try:
                entry = msgspec.json.decode(text, type=_Entry)
            except msgspec.MsgspecError:
                problems.append("the stored credentials are damaged")
                continue
            return entry, f"{label} ({store.name})" if label == "keyring" else store.name
        self.reason = "; ".join(problems) or "no credentials are stored"
        return None
