"""The text of an API key: ``ft_`` + id (8) + secret (32) + checksum (6).

The checksum tells a mistyped key from a wrong one without a look at the store; the id finds the record; of the
whole only a hash is kept. The secret has 190 random bits, so a plain SHA-256 suffices: there is nothing to guess.
"""

import hashlib
import re
import secrets
import zlib
from itertools import pairwise

from ftcli.errors import ValidationFailed
from ftcli.redaction import MASK, Secret

PREFIX = "ft_"
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_ID, _SECRET, _SUM = 8, 32, 6
LENGTH = len(PREFIX) + _ID + _SECRET + _SUM
_LOOKS_LIKE_ONE = re.compile(rf"{PREFIX}[{ALPHABET}]{{20,}}", re.IGNORECASE)
"""A key, or most of one; an order number, for one, is put in capitals before it is repeated."""
_MIN_BOOTSTRAP, _MIN_DIFFERENT = 20, 8


def new_key() -> str:
    """A fresh random key."""
    body = PREFIX + "".join(secrets.choice(ALPHABET) for _ in range(_ID + _SECRET))
    return body + checksum(body)


def identity_of(key: str) -> str:
    """The public part of a key, by which it is listed and revoked."""
    return key[len(PREFIX) : len(PREFIX) + _ID]


def well_formed(key: str) -> bool:
    """Whether a text can be a key at all: length, alphabet and checksum are right."""
    return (
        len(key) == LENGTH
        and key.isascii()
        and key.startswith(PREFIX)
        and key[-_SUM:] == checksum(key[:-_SUM])
    )


def checksum(body: str) -> str:
    """The six signs that close a key."""
    number, text = zlib.crc32(body.encode()), ""
    for _ in range(_SUM):
        number, digit = divmod(number, len(ALPHABET))
        text = ALPHABET[digit] + text
    return text


def mask_keys(text: str) -> str:
    """``text`` without anything that has the form of a key: whether it is one of ours plays no part."""
    return _LOOKS_LIKE_ONE.sub(MASK, text)


def digest(key: str) -> bytes:
    """What is kept of a key."""
    # A header may hold any bytes: those that are not UTF-8 arrive as surrogates.
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()


def bootstrap_digest(key: Secret) -> bytes:
    """What is kept of a key from outside.

    Raises:
        ValidationFailed: It can be guessed, or no header brings it as it is.
    """
    text = key.reveal()
    if _can_be_guessed(text):
        rule = (
            f"have at least {_MIN_BOOTSTRAP} characters, {_MIN_DIFFERENT} of them different, and be no repetition "
            "or sequence"
        )
        raise _unfit("can be guessed", rule)
    if text != text.strip() or not text.isprintable():
        raise _unfit(
            "would let nobody in",
            "begin and end with no blank, and hold no line break or other control character",
        )
    return digest(text)


def _unfit(what: str, rule: str) -> ValidationFailed:
    return ValidationFailed(
        f"FTSERVICE_API_KEY {what}: it must {rule}. A good one: openssl rand -hex 24",
        details={"field": "FTSERVICE_API_KEY", "value": None, "rule": rule},
    )


def _can_be_guessed(key: str) -> bool:
    repeats = key in (key + key)[1:-1]
    steps = sum(abs(ord(one) - ord(next_one)) <= 1 for one, next_one in pairwise(key))
    return (
        len(key) < _MIN_BOOTSTRAP or len(set(key)) < _MIN_DIFFERENT or repeats or steps > (len(key) - 1) / 2
    )
