"""Keeping and forgetting credentials for those who wait for it without blocking: SDK and daemon."""

import asyncio
from typing import Any

from ftcli.config import Settings
from ftcli.credentials.credentials import CredentialStore
from ftcli.credentials.os_keyring import OsKeyring
from ftcli.errors import ValidationFailed
from ftcli.redaction import Secret


async def keep(
    settings: Settings,
    username: str,
    password: Secret,
    totp: Secret | None,
    keyring: OsKeyring | None = None,
) -> dict[str, Any]:
    """Keeps credentials; answers what there is to tell about it.

    Args:
        settings: The settings in force.
        username: User name at the broker.
        password: Password.
        totp: The authenticator's base32 secret.
        keyring: The keyring to ask; the system's where left out.

    Raises:
        ValidationFailed: Something is missing, a code was given for a secret, or no store here protects them.
    """
    if totp is not None:
        _check_seed(totp)
    name = username.strip()
    # In a thread: a keyring may take its time.
    store = CredentialStore(settings, keyring)
    where = await asyncio.to_thread(store.store, name, password, totp)
    return {
        "stored": True,
        "username": name,
        "totp": totp is not None,
        "store": where,
        "note": " ".join(filter(None, (store.warning, _why_unused(settings)))) or None,
    }


async def forget(settings: Settings) -> bool:
    """Forgets the stored credentials; answers whether there were any."""
    return await asyncio.to_thread(CredentialStore(settings).delete)


def _check_seed(totp: Secret) -> None:
    import base64
    import binascii

    text = "".join(totp.reveal().split()).replace("-", "").upper().rstrip("=")
    try:
        usable = bool(base64.b32decode(text + "=" * (-len(text) % 8)))
    except (binascii.Error, ValueError):
        usable = False
    if not usable:
        rule = "be the authenticator's base32 secret; a code of six digits works once and is not kept"
        raise ValidationFailed(f"totp must {rule}.", details={"field": "totp", "value": None, "rule": rule})


def _why_unused(settings: Settings) -> str | None:
    if settings.is_paper:
        return "The paper broker logs in by itself and does not need them."
    if settings.username and settings.password:
        return "FT_USERNAME and FT_PASSWORD are set and win over what is stored."
    return None
