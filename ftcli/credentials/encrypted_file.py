"""Secrets in one encrypted file, for machines without a keyring: containers, servers, remote shells.

The key comes from outside (``FTSERVICE_ENCRYPTION_KEY`` or ``FT_PASSPHRASE``). A key that lay beside the file
would protect nothing, so without one of these the store refuses to keep anything.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec

from ftcli.credentials.files import alone, remove, write_private
from ftcli.credentials.keys import KeySource
from ftcli.credentials.sealed import Sealed, seal, unseal
from ftcli.credentials.secret_store import StoreUnusable
from ftcli.errors import FtError

HEADER = "ftcli-secrets-1"
FILE_NAME = "credentials.bin"


class EncryptedFile:
    """Entries in an encrypted file.

    Args:
        path: The file.
        keys: Where the key comes from.
    """

    def __init__(self, path: Path, keys: KeySource) -> None:
        self.path = path
        self._keys = keys

    @property
    def name(self) -> str:
        """What it is, for people."""
        return f"encrypted file {self.path.name}"

    def probe(self) -> None:
        """Finds out whether there is a key that protects something.

        Raises:
            StoreUnusable: There is none.
        """
        self._key()

    def get(self, entry: str) -> str | None:
        """The text of an entry, ``None`` if there is none.

        Raises:
            StoreUnusable: The file was closed with another key, or is damaged.
        """
        return self._load().get(entry)

    def set(self, entry: str, text: str) -> None:
        """Keeps a text. A file that cannot be read is never overwritten.

        Raises:
            StoreUnusable: It was not kept.
        """
        self.probe()  # before anything is made: without a key there is to be no file at all
        with self._locked():
            entries = {**self._load(), entry: text}
            self._save(entries)
            if self._load() != entries:
                raise StoreUnusable(f"{self.path} did not keep what was stored")

    def delete(self, entry: str) -> bool:
        """Removes an entry, and the file with its last one.

        Raises:
            StoreUnusable: The file cannot be read or written.
        """
        if not self.path.exists():
            return False
        with self._locked():
            entries = self._load()
            if entries.pop(entry, None) is None:
                return False
            if entries:
                self._save(entries)
            else:
                self._remove()
        return True

    def _key(self) -> bytes:
        try:
            key = self._keys.strong()
        except (FtError, OSError) as problem:
            raise StoreUnusable(str(problem)) from None
        if key is None:
            raise StoreUnusable(
                "there is no FTSERVICE_ENCRYPTION_KEY or FT_PASSPHRASE to encrypt a file with"
            )
        return key

    def _load(self) -> dict[str, str]:
        try:
            raw = self.path.read_bytes()
        except FileNotFoundError:
            return {}
        except OSError as problem:
            raise StoreUnusable(f"{self.path} cannot be read ({problem.strerror})") from None
        sealed = Sealed.parse(raw)
        if sealed is None or sealed.header != HEADER:
            raise StoreUnusable(f"{self.path} is damaged")
        try:
            key = self._keys.find_strong(sealed.key)
        except (FtError, OSError) as problem:
            raise StoreUnusable(str(problem)) from None
        if key is None:
            raise StoreUnusable(f"{self.path} was encrypted with another key (key id {sealed.key})")
        content = unseal(sealed, key)
        try:
            return msgspec.json.decode(content or b"", type=dict[str, str])
        except msgspec.MsgspecError:
            raise StoreUnusable(f"{self.path} is damaged") from None

    def _save(self, entries: dict[str, str]) -> None:
        content = seal(HEADER, self._key(), msgspec.json.encode(entries))
        with self._told():
            write_private(self.path, content)

    def _remove(self) -> None:
        with self._told():
            remove(self.path)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as problem:
            raise StoreUnusable(f"{self.path} cannot be written ({problem.strerror})") from None

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Nobody else changes the file, or its key."""
        guard = self.path.with_name(f"{self.path.name}.lock")
        with ExitStack() as stack:
            try:
                stack.enter_context(alone(guard))
                stack.enter_context(self._keys.held())
            except TimeoutError:
                raise StoreUnusable(f"{self.path} is held by another ftcli process") from None
            except OSError as problem:
                raise StoreUnusable(f"{guard} cannot be written ({problem.strerror})") from None
            yield
