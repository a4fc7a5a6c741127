"""Where the key of the encrypted stores comes from: a setting, the OS keyring, a key file."""

import base64
import binascii
import contextlib
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ftcli.config import Settings
from ftcli.credentials.files import is_exposed, lock_file, write_private
from ftcli.credentials.os_keyring import KeyringUnusable, OsKeyring
from ftcli.credentials.passphrase import passphrase_key
from ftcli.errors import InternalError, ValidationFailed

if TYPE_CHECKING:
    from filelock import FileLock

ENTRY = "encryption-key"
FILE_NAME = "encryption.key"
PREVIOUS = ".previous"
"""Ends the name of the key that a rotation is replacing; it is there only while that goes on, or broke off."""


class KeySource:
    """Answers the Fernet key, and says where it came from.

    The order is: the setting ``encryption_key``, the passphrase, the OS keyring, a key file in the data folder. A key
    that is missing everywhere is made and kept in the best place there is; if that is the file,
    :attr:`warning` says so.

    Args:
        settings: ``encryption_key`` and the data folder.
        keyring: The keyring to ask.

    Attributes:
        origin: ``environment``, ``passphrase``, ``keyring`` or ``file <path>``; empty before the first :meth:`get`.
        warning: A text for the user where the key is less safe than it could be; else empty.
    """

    def __init__(self, settings: Settings, keyring: OsKeyring | None = None) -> None:
        self._setting = settings.encryption_key
        self._settings = settings
        self._keyring = keyring or OsKeyring()
        self._key: bytes | None = None
        self.origin = ""
        self.warning = ""

    def get(self) -> bytes:
        """The key to encrypt with: 32 random bytes in URL-safe base64.

        Raises:
            ValidationFailed: The setting is no Fernet key, or the key file is damaged.
            InternalError: A new key cannot be written.
        """
        if self._key is None:
            self._key = self.strong()
            if self._key:
                self.origin = "environment" if self._setting else "passphrase"
            self._key = self._key or self._from_keyring() or self._from_file()
        return self._key

    def describe(self) -> str:
        """Where the key comes from or would come from; makes none."""
        if self._setting:
            self.strong()
            return "environment"
        if self._settings.passphrase:
            return "passphrase"
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
            ValidationFailed: What was given is no key, or too short a passphrase.
        """
        key = self._from_setting()
        if key is None and self._settings.passphrase:
            key = passphrase_key(self._settings.passphrase, self._folder)
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
        if self._key is not None:
            yield self._key
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
        setting = self._from_setting()
        if setting is not None:
            yield setting
        # Both may be given: files closed with the passphrase must open after a key was set, to be rekeyed.
        if self._settings.passphrase:
            yield passphrase_key(self._settings.passphrase, self._folder)

    @property
    def _folder(self) -> Path:
        return self._settings.data_path("")

    @property
    def _file(self) -> Path:
        return self._settings.data_path(FILE_NAME)

    def _from_setting(self) -> bytes | None:
        if not self._setting:
            return None
        key = self._setting.reveal().strip().encode()
        if not is_key(key):
            raise ValidationFailed(
                "encryption_key: must be a Fernet key, 32 random bytes in URL-safe base64. Make one with: "
                'python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"',
                details={"field": "encryption_key", "value": None, "rule": "be a Fernet key"},
            )
        return key

    def _from_keyring(self) -> bytes | None:
        try:
            stored = self._keyring.get(ENTRY)
            if stored is None or not is_key(stored.encode()):
                with _one_maker(self._file):
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
                with _one_maker(path):
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


def _one_maker(path: Path) -> "FileLock":
    from filelock import FileLock  # deferred: 30 ms

    guard = path.with_name(f"{path.name}.lock")
    lock_file(guard)
    return FileLock(guard, timeout=10)


def new_key() -> bytes:
    """A random Fernet key."""
    return base64.urlsafe_b64encode(os.urandom(32))


def is_key(key: bytes) -> bool:
    """Whether it has the form of a Fernet key."""
    try:
        return len(base64.b64decode(key, altchars=b"-_", validate=True)) == 32
    except (binascii.Error, ValueError):
        return False
