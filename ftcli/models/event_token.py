"""The token of the event stream: read from whatever the service answers, and when it runs out.

Protocol 04 §4 and 05 §7.9. Wire form inferred, not yet seen live.
"""

import base64
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from ftcli.errors import BrokerError

TOKEN_PATHS = (
    "/ftgw/dp/security/token/authz/generate/1.0",
    "/ftgw/dpdirect/security/token/authz/generate/1.0",
    "/security/token/authz/generate/1.0",
)
"""Where the token is to be had on ``dp``, tried in this order; only a 404 leads to the next."""

_JWT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")
_NAMES = frozenset(
    [
        "token",
        "authtoken",
        "authztoken",
        "accesstoken",
        "access_token",
        "idtoken",
        "id_token",
        "jwt",
        "authorization",
    ]
)


def read_token(body: bytes | str) -> str:
    """The token in an answer whose form is not known.

    A bare JWT, quoted or not; else a member with a telling name at any depth; else any text of JWT form. A
    leading ``Bearer`` goes.

    Raises:
        BrokerError: There is none; the details name the members that were found, never their values.
    """
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
    bare = _plain(text.strip().strip('"'))
    if _JWT.fullmatch(bare):
        return bare
    try:
        document: Any = msgspec.json.decode(text)
    except msgspec.MsgspecError:
        document = None
    members = list(_walk(document))
    for name, value in members:
        if name.lower() in _NAMES and isinstance(value, str) and value.strip():
            return _plain(value)
    for _, value in members:
        if isinstance(value, str) and _JWT.fullmatch(_plain(value)):
            return _plain(value)
    raise BrokerError(
        "The broker's answer holds no token for account events.",
        details={"reason": "beps_token_unreadable", "members": sorted({name for name, _ in members if name})},
    )


def _plain(text: str) -> str:
    text = text.strip()
    return text[7:].strip() if text[:7].lower() == "bearer " else text


def _walk(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, entry in value.items():
            yield str(name), entry
            yield from _walk(entry)
    elif isinstance(value, list):
        for entry in value:
            yield "", entry
            yield from _walk(entry)


def token_expiry(token: str) -> float | None:
    """When a JWT runs out, in epoch seconds; ``None`` where it does not say. No signature is checked."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = msgspec.json.decode(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, msgspec.MsgspecError):
        return None
    expiry = claims.get("exp") if isinstance(claims, dict) else None
    return float(expiry) if isinstance(expiry, int | float) and not isinstance(expiry, bool) else None
