"""A key out of a passphrase: stretched with scrypt, so that guessing costs memory and time.

Its salt and cost stand in a small file in the data folder. They are no secret, but without the file the key
cannot be had again: it belongs into the same backup as the encrypted files.
"""

import base64
import binascii
import os
from pathlib import Path

from ftcli.credentials.files import remove, write_private
from ftcli.errors import ValidationFailed
from ftcli.redaction import Secret

FILE_NAME = "passphrase.salt"
MIN_LENGTH = 12
"""Characters of a passphrase: what is shorter falls to guessing whatever the stretching."""

_HEADER = "ftcli-scrypt-1"
_COST, _BLOCK, _LANES = 17, 8, 1
"""2^17 rounds of 1 KiB blocks: 128 MiB and about a third of a second per guess."""
_COSTS = range(15, 21)
"""What is accepted from the file: neither too cheap to protect, nor so dear that the file could stop us."""

_made: dict[tuple[str, str], bytes] = {}


def passphrase_key(passphrase: Secret, folder: Path) -> bytes:
    """The Fernet key of a passphrase. Takes a third of a second the first time in a process.

    Args:
        passphrase: The passphrase.
        folder: Where the salt is kept; it is made there where it is missing.

    Raises:
        ValidationFailed: The passphrase is too short, or the salt file is damaged.
        OSError: The salt file cannot be read or written.
    """
    if len(passphrase.reveal()) < MIN_LENGTH:
        rule = f"have at least {MIN_LENGTH} characters"
        raise ValidationFailed(
            f"FT_PASSPHRASE must {rule}.", details={"field": "FT_PASSPHRASE", "value": None, "rule": rule}
        )
    text = _salt_text(folder / FILE_NAME)
    known = passphrase.reveal(), text
    if known not in _made:
        from cryptography.hazmat.primitives.kdf.scrypt import Scrypt  # deferred: 30 ms

        cost, salt = _parsed(text, folder / FILE_NAME)
        kdf = Scrypt(salt=salt, length=32, n=2**cost, r=_BLOCK, p=_LANES)
        _made[known] = base64.urlsafe_b64encode(kdf.derive(passphrase.reveal().encode()))
    return _made[known]


def _salt_text(path: Path) -> str:
    if not path.exists():
        salt = base64.b64encode(os.urandom(16)).decode()
        temporary = path.with_name(f"{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
        write_private(temporary, f"{_HEADER} {_COST} {salt}\n".encode())
        try:
            # Linked, not renamed: of two processes that make one at the same time the first must win.
            os.link(temporary, path)
        except FileExistsError:
            pass
        finally:
            remove(temporary)
    return path.read_text("utf-8").strip()


def _parsed(text: str, path: Path) -> tuple[int, bytes]:
    header, _, rest = text.partition(" ")
    cost, _, salt = rest.partition(" ")
    try:
        raw = base64.b64decode(salt, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if header != _HEADER or not cost.isdigit() or int(cost) not in _COSTS or len(raw) < 16:
        raise ValidationFailed(
            f"{path} is damaged. Restore it from a backup: without it the passphrase opens nothing.",
            details={"field": "FT_PASSPHRASE", "value": None, "rule": "have its salt file"},
        )
    return int(cost), raw
