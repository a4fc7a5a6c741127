"""The code of an authenticator app: a base for the login and for the paper broker that checks it."""

import base64
import hmac

STEP = 30
"""Seconds a code lives."""


def code_of(seed: str, step: int) -> str:
    """The six digits of a step: RFC 6238 with HMAC-SHA-1.

    Written out here because pyotp refuses secrets below 112 bits, and 80-bit ones are in wide use.

    Args:
        seed: Base32 in upper case, without padding.
        step: Number of the 30-second step since 1970.
    """
    key = base64.b32decode(seed + "=" * (-len(seed) % 8))
    digest = hmac.digest(key, step.to_bytes(8, "big"), "sha1")
    place = digest[-1] & 0x0F
    number = int.from_bytes(digest[place : place + 4], "big") & 0x7FFFFFFF
    return f"{number % 1_000_000:06d}"
