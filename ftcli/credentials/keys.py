"""Where the key of the encrypted stores comes from: a setting, the OS keyring, a key file."""

import base64
import binascii
import contextlib
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from ftcli.config import Settings, read_secret
from ftcli.credentials.files import alone, is_exposed, write_private
from ftcli.credentials.os_keyring import KeyringUnusable, OsKeyring
from ftcli.credentials.passphrase import passphrase_key
from ftcli.credentials.retired import FILE_NAME as RETIRED
from ftcli.credentials.retired import Retired
from ftcli.errors import InternalError, ValidationFailed
from ftcli.redaction import Secret

ENTRY = "encryption-key"
FILE_NAME = "encryption.key"
PREVIOUS = ".previous"
"""Ends the name of the key that a rotation is replacing. In the keyring it stays: other data folders may need it."""

_Field = Literal["encryption_key", "passphrase"]
_ORIGINS: dict[_Field, str] = {"encryption_key": "environment", "passphrase": "passphrase"}  # nosec B105 - names of settings


class KeySource:
    """Answers the Fernet key, and says where it came from.

    The order is: the setting ``encryption_key``, the passphrase, the OS keyring, a key file in the data folder. A key
    that is missing everywhere is made and kept in the best place there is; if that is the file,
    :attr:`warning` says so.

    A key that :mod:`ftcli.credentials.rekey` has replaced closes nothing any more: it is looked for anew, which finds
    the new one in the keyring, in the key file and in the file that a ``..._FILE`` variable names; where it came from a
    plain variable, that is told. The keyring serves all data folders of a user, and a rotation in another one is told
    nowhere here: it is asked before each writing. Take the key and write with it inside :meth:`held`.

    Args:
        settings: ``encryption_key`` and the data folder.
        keyring: The keyring to ask.

    Attributes:
        origin: ``environment``, ``passphrase``, ``keyring`` or ``file <path>``; empty before the first :meth:`get`.
        warning: A text for the user where the key is less safe than it could be; else empty.
    """

    def __init__(self, settings: Settings, keyring: OsKeyring | None = None) -> None:
        self._settings = settings
        self._keyring = keyring or OsKeyring()
        self._retired = Retired(settings.data_path(RETIRED))
        self._taken: list[bytes] = []
        """The keys to encrypt with that this process has had, the latest last."""
        self.origin = ""
        self.warning = ""

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Nobody changes the key meanwhile.

        Raises:
            OSError: The lock cannot be made, or another process holds it for too long.
        """
        with _one_at_a_time(self._file):
            yield

    def get(self) -> bytes:
        """The key to encrypt with: 32 random bytes in URL-safe base64.

        Raises:
            ValidationFailed: The setting is no Fernet key, the key file is damaged, or the key was replaced and the new
                one is not at hand.
            InternalError: A new key cannot be written, or the list of replaced keys cannot be read.
        """
        key = self._latest()
        if key is None or self._is_retired(key):
            key = self.present()
            if self._is_retired(key):
                raise self._replaced()
        if key not in self._taken[-1:]:
            self._taken.append(key)
        return key

    def _latest(self) -> bytes | None:
        """What the keyring holds by now if the key is from there, else the key taken last."""
        if self.origin == "keyring":
            # Without an answer the key in memory will do: it has been in the keyring, which keeps the one before too.
            with contextlib.suppress(KeyringUnusable):
                stored = self._keyring.get(ENTRY)
                if stored and is_key(stored.encode()):
                    return stored.encode()
        return self._taken[-1] if self._taken else None

    def present(self) -> bytes:
        """Like :meth:`get`, looked for anew, and for a rotation: a replaced one too where there is no other."""
        key = self._newest_outside()
        if key is not None:
            self.origin = _ORIGINS[self._field]
        return key or self._from_keyring() or self._from_file()

    def describe(self) -> str:
        """Where the key comes from or would come from; makes none."""
        if self._settings.encryption_key:
            self.strong()
        if self._settings.encryption_key or self._settings.passphrase:
            return _ORIGINS[self._field]
        try:
            self._keyring.probe()
        except KeyringUnusable as problem:
            self.warning = (
                f"The key of the saved session is kept in {self._file}, because {problem}. Who can read your files "
                "can read it; set FTSERVICE_ENCRYPTION_KEY or FT_PASSPHRASE to avoid this."
            )
            return f"file {self._file}"
        return "keyring"

    def strong(self) -> bytes | None:
        """The key that comes from outside this machine's files and keyring; ``None`` if none was given.

        Raises:
            ValidationFailed: What was given is no key, too short a passphrase, or was replaced.
            InternalError: The list of replaced keys cannot be read.
            OSError: The salt of the passphrase cannot be read or written.
        """
        key = self._newest_outside()
        if key is not None and self._is_retired(key):
            raise self._replaced()
        return key

    def find_strong(self, wanted: str) -> bytes | None:
        """Like :meth:`find`, among the keys that come from outside."""
        return next((key for key in self._outside() if key_id(key) == wanted), None)

    def find(self, wanted: str) -> bytes | None:
        """The key whose :func:`key_id` is ``wanted``, looked for in every place; makes none.

        A keyring comes and goes (a remote shell has none), so a store is opened with the key it was
        closed with and not with the one that would be taken today. The file is asked before the
        keyring, because it is quicker.
        """
        return next((key for key in self._existing() if key_id(key) == wanted), None)

    def _existing(self) -> Iterator[bytes]:
        yield from reversed(self._taken)
        yield from self._outside()
        for name in (FILE_NAME, FILE_NAME + PREVIOUS):
            with contextlib.suppress(OSError, ValidationFailed):  # missing or damaged: then it is not the one
                yield self._read_file(name)
        for entry in (ENTRY, ENTRY + PREVIOUS):
            try:
                stored = self._keyring.get(entry)
            except KeyringUnusable:
                return
            if stored and is_key(stored.encode()):
                yield stored.encode()

    def _outside(self) -> Iterator[bytes]:
        yield from self._given("encryption_key")
        # Both may be given: files closed with the passphrase must open after a key was set, to be rekeyed.
        yield from self._given("passphrase")

    @property
    def _field(self) -> _Field:
        """The setting that the key from outside comes from."""
        return "encryption_key" if self._settings.encryption_key else "passphrase"

    def _newest_outside(self) -> bytes | None:
        """The key from outside that is in force, else a replaced one, else ``None``."""
        found = None
        for key in self._given(self._field):
            found = key
            if not self._is_retired(key):
                break
        return found

    def _is_retired(self, key: bytes) -> bool:
        return key_id(key) in self._retired.ids()

    def _replaced(self) -> ValidationFailed:
        settings = self._settings
        outside = settings.encryption_key or settings.passphrase
        where = settings.origins.get(self._field, self._field) if outside else f"the {self.origin}"
        advice = "Set the new one and start anew." if outside else "Make a new one with `ft auth rekey`."
        return ValidationFailed(
            f"The key in {where} was replaced by `ft auth rekey`: nothing is encrypted with it any more. {advice}",
            details={"field": self._field, "value": None, "rule": "be the key in force"},
        )

    def _given(self, field: _Field) -> Iterator[bytes]:
        """The key that a setting gives, then the one that its ``..._FILE`` holds by now."""
        given: Secret | None = getattr(self._settings, field)
        make = _key_of if field == "encryption_key" else self._stretched
        if given:
            yield make(given)
            name = self._settings.origins.get(field, "")
            path = os.environ.get(name, "") if name.endswith("_FILE") else ""
            if path:
                yield make(Secret(read_secret(name, path)))

    def _stretched(self, passphrase: Secret) -> bytes:
        return passphrase_key(passphrase, self._folder)

    @property
    def _folder(self) -> Path:
        return self._settings.data_path("")

    @property
    def _file(self) -> Path:
        return self._settings.data_path(FILE_NAME)

    def _from_keyring(self) -> bytes | None:
        try:
            stored = self._keyring.get(ENTRY)
            if stored is None or not is_key(stored.encode()):
                with _one_at_a_time(self._file):
                    # Another process may have made it while we waited: two keys would lock each other out.
                    stored = self._keyring.get(ENTRY)
                    if stored is None or not is_key(stored.encode()):
                        stored = new_key().decode()
                        self._keyring.set(ENTRY, stored)
        except (KeyringUnusable, OSError) as problem:
            self.warning = str(problem)
            return None
        self.origin = "keyring"
        return stored.encode()

    def _from_file(self) -> bytes:
        reason, self.warning = self.warning, ""
        path = self._file
        try:
            if not path.exists():
                with _one_at_a_time(path):
                    if not path.exists():
                        write_private(path, new_key() + b"\n")
                        self.warning = (
                            f"The key of the saved session was written to {path}, because {reason}. "
                            "Who can read your files can read it; set FTSERVICE_ENCRYPTION_KEY to avoid this."
                        )
            key = self._read_file()
        except OSError as problem:
            raise InternalError(
                f"No place for an encryption key: {reason}, and {path} cannot be used ({problem.strerror}). "
                "Set FTSERVICE_ENCRYPTION_KEY or FT_DATA_DIR.",
                details={"file": str(path)},
            ) from None
        self.origin = f"file {path}"
        return key

    def _read_file(self, name: str = FILE_NAME) -> bytes:
        path = self._settings.data_path(name)
        if is_exposed(path):
            path.chmod(0o600)
            self.warning = f"{path} could be read by others on this machine; it was set to 0600."
        key = path.read_bytes().strip()
        if not is_key(key):
            raise ValidationFailed(
                f"{path} holds no encryption key. Restore it, or remove it and log in again.",
                details={"field": "encryption_key", "value": None, "rule": "be a Fernet key"},
            )
        return key


def key_id(key: bytes) -> str:
    """A short name for a key that does not give it away."""
    return hashlib.sha256(b"ftcli key id" + key).hexdigest()[:12]


def _one_at_a_time(path: Path) -> "contextlib.AbstractContextManager[object]":
    return alone(path.with_name(f"{path.name}.lock"))


def _key_of(setting: Secret) -> bytes:
    key = setting.reveal().strip().encode()
    if not is_key(key):
        raise ValidationFailed(
            "encryption_key: must be a Fernet key, 32 random bytes in URL-safe base64. Make one with: "
            'python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"',
            details={"field": "encryption_key", "value": None, "rule": "be a Fernet key"},
        )
    return key


def new_key() -> bytes:
    """A random Fernet key."""
    return base64.urlsafe_b64encode(os.urandom(32))


def is_key(key: bytes) -> bool:
    """Whether it has the form of a Fernet key."""
    try:
        return len(base64.b64decode(key, altchars=b"-_", validate=True)) == 32
    except (binascii.Error, ValueError):
        return False
