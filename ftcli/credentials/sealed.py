"""The form of every encrypted file of ours: ``<header> <key id> <Fernet token>``, one line."""

from pathlib import Path
from typing import NamedTuple

from ftcli.credentials.keys import key_id

HEADERS = frozenset({"ftcli-session-1", "ftcli-secrets-1"})


class Sealed(NamedTuple):
    """An encrypted file, taken apart.

    Attributes:
        header: What it is.
        key: Id of the key it was closed with.
        token: The encrypted content.
    """

    header: str
    key: str
    token: bytes

    @classmethod
    def parse(cls, raw: bytes) -> "Sealed | None":
        """Takes a file apart; ``None`` if it is none of ours."""
        header, _, rest = raw.decode("ascii", "replace").partition(" ")
        name, _, token = rest.partition(" ")
        return cls(header, name, token.encode()) if header in HEADERS and token else None


def is_sealed(path: Path) -> bool:
    """Whether it is an encrypted file of ours.

    Raises:
        OSError: It cannot be read.
    """
    if path.suffix not in (".bin", ".pending") or not path.is_file():
        return False
    with path.open("rb") as file:
        return Sealed.parse(file.read(64)) is not None


def seal(header: str, key: bytes, content: bytes) -> bytes:
    """Closes a content with a key."""
    from cryptography.fernet import Fernet  # deferred: 30 ms

    return b" ".join((header.encode(), key_id(key).encode(), Fernet(key).encrypt(content)))


def unseal(sealed: Sealed, key: bytes) -> bytes | None:
    """Opens it; ``None`` if the key is another one or the content was changed."""
    from cryptography.fernet import Fernet, InvalidToken

    try:
        return Fernet(key).decrypt(sealed.token)
    except (InvalidToken, ValueError):
        return None
