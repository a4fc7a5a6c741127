"""Tokens of the event stream: a JWT that the paper broker signs and later recognises (protocol 04 §4)."""

import base64
import hashlib
import hmac
from datetime import datetime, timedelta
from typing import Any

from ftcli.models.json import dumps, loads

LIFE = timedelta(hours=1)


def mint(member: str, now: datetime, life: timedelta = LIFE) -> tuple[str, int]:
    """A token for a member, and the epoch second at which it runs out."""
    expires = int((now + life).timestamp())
    signed = f"{_part({'alg': 'HS256', 'typ': 'JWT'})}.{_part({'sub': member, 'exp': expires})}"
    return f"{signed}.{_signature(member, signed)}", expires


def is_good(token: str, member: str, now: datetime) -> bool:
    """Whether a token was minted here for a member and has not run out."""
    signed, _, signature = token.rpartition(".")
    if not hmac.compare_digest(signature.encode(), _signature(member, signed).encode()):
        return False
    claims = loads(base64.urlsafe_b64decode(signed.partition(".")[2] + "=="))
    return bool(claims["sub"] == member and now.timestamp() < claims["exp"])


def _part(value: Any) -> str:
    return base64.urlsafe_b64encode(dumps(value)).decode().rstrip("=")


def _signature(member: str, signed: str) -> str:
    key = hashlib.blake2b(f"event stream of {member}".encode()).digest()
    return base64.urlsafe_b64encode(hmac.digest(key, signed.encode(), "sha256")).decode().rstrip("=")
