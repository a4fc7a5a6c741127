"""``ft keys``: who may use the daemon. Works on its database, whether it runs or not."""

import re
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

from ftcli.cli.call import Call
from ftcli.cli.forms import form
from ftcli.errors import ValidationFailed
from ftcli.models.field import Document, Model, at
from ftcli.operations.operation import Param

if TYPE_CHECKING:
    from ftcli.server.keys import ApiKey, KeyRing

Identity = Annotated[str, Param("The key's id, as `ft keys list` shows it.", argument=True)]
_SPAN = re.compile(r"([0-9]{1,7})([hdwy])")
_DAYS = {"h": 1 / 24, "d": 1.0, "w": 7.0, "y": 365.0}


class KeyEntry(Model):
    """An API key, without the key itself."""

    prefix: Annotated[str, at(None, "How the key begins; the rest is known to its owner only.", column="Key")]
    id: Annotated[str, at(None, "Its id, for revoke and rotate.")]
    name: Annotated[str, at(None, "What its owner calls it.", column="Name")]
    scopes: Annotated[list[str], at(None, "What it may do: read, stream, trade, admin.", column="Scopes")]
    accounts: Annotated[
        list[str], at(None, "The only accounts it may touch; empty for all.", column="Accounts")
    ]
    rate: Annotated[str | None, at(None, "How often it may be used, such as 120/m.", column="Rate")] = None
    state: Annotated[str, at(None, "active, expired or revoked.", column="State")] = "active"
    created_at: Annotated[datetime | None, at(None, "When it was made.")] = None
    expires_at: Annotated[datetime | None, at(None, "When it ends.", column="Expires")] = None
    last_used_at: Annotated[
        datetime | None, at(None, "When it was last used, to the minute.", column="Last used")
    ] = None
    replaced_by: Annotated[str | None, at(None, "Id of the key that took its place.")] = None


class KeyList(Document):
    """The API keys of the daemon."""

    keys: Annotated[list[KeyEntry], at(None, "The keys, the oldest first.")] = []


class NewKey(Document):
    """A new API key. It is shown this once."""

    key: Annotated[str, at(None, "The key: keep it now, it is shown this once.", column="Key")]
    id: Annotated[str, at(None, "Its id, for revoke and rotate.", column="Id")]
    name: Annotated[str, at(None, "What its owner calls it.", column="Name")]
    scopes: Annotated[list[str], at(None, "What it may do.", column="Scopes")]
    accounts: Annotated[
        list[str], at(None, "The only accounts it may touch; empty for all.", column="Accounts")
    ]
    rate: Annotated[str | None, at(None, "How often it may be used.", column="Rate")] = None
    expires_at: Annotated[datetime | None, at(None, "When it ends.", column="Expires")] = None
    replaces: Annotated[str | None, at(None, "Id of the key it replaces.", column="Replaces")] = None
    old_key_ends_at: Annotated[
        datetime | None, at(None, "Until when the replaced key is good.", column="Old key ends")
    ] = None


@form(
    examples=(
        "keys create --name dashboard --scope read,stream --expires 90d",
        "keys create --name bot --scope read,trade --account Z20000025 --rate 60/m --expires 30d",
    )
)
def create(
    call: Call,
    name: Annotated[str, Param("What you call it, such as the program that will use it.")],
    scope: Annotated[
        list[str], Param("What it may do: read, stream, trade, admin; with commas or repeated.")
    ],
    expires: Annotated[str, Param("How long it lives: 12h, 90d, 1y, at most 100y, or never.")] = "90d",
    account: Annotated[
        list[str] | None,
        Param("The only accounts it may touch.", cli=("--account", "-a"), complete="accounts"),
    ] = None,
    rate: Annotated[str, Param("How often it may be used: 5/s, 120/m, 1000/h, or none.")] = "600/m",
) -> None:
    """Make an API key for the daemon.

    The key is shown this once: only a hash of it is kept. Give each program a key of its own, with no more
    than it needs; a key bound to accounts sees and touches nothing else. A running daemon takes it at once.
    """
    from ftcli.operations.params import clean_account
    from ftcli.server.keys import parse_scopes

    scopes = parse_scopes(",".join(scope))
    if account == []:  # of a variable that is not set, say: it must not become a key for all accounts
        raise ValidationFailed.of("--account", "", "name an account; left out, the key is for all of them")
    accounts = frozenset(clean_account(number) for number in account or [])
    life = _life(expires, "--expires")
    with _ring(call) as ring:
        key, made = ring.create(
            name=_name(name), scopes=scopes, expires_in=life, accounts=accounts, rate=_rate(rate)
        )
        _show_new(call, key, made)


@form(examples=("keys list", "keys list -o json"))
def listed(
    call: Call,
    all: Annotated[bool, Param("Expired and revoked keys too.")] = False,  # noqa: A002
) -> None:
    """List the API keys of the daemon."""
    now = datetime.now(UTC)
    with _ring(call) as ring:
        rows = [_entry(key, now) for key in ring.all_keys() if all or key.state(now) == "active"]
    call.show(KeyList(keys=rows))
    if not rows:
        call.talk("No keys. Make one: ft keys create --name NAME --scope read,stream")


@form(examples=("keys revoke 4fQ2aT9x",))
def revoke(call: Call, id: Identity) -> None:  # noqa: A002 - the field's own name
    """End an API key at once.

    Within a second a running daemon refuses it, ends the streams it has opened, and lets go of the symbols it holds.
    """
    with _ring(call) as ring:
        call.show(_entry(ring.revoke(id), datetime.now(UTC)))


@form(examples=("keys rotate 4fQ2aT9x", "keys rotate 4fQ2aT9x --overlap 24h --expires 90d"))
def rotate(
    call: Call,
    id: Identity,  # noqa: A002
    overlap: Annotated[
        str, Param("How long the old key stays good beside the new one; 0 ends it now.")
    ] = "24h",
    expires: Annotated[
        str | None, Param("Life of the new key; as long as the old one's where left out.")
    ] = None,
) -> None:
    """Replace an API key by a new one that may do the same.

    Both are good during the overlap, so that programs can be changed over without a gap.
    """
    both = timedelta(0) if overlap.strip() in ("0", "0h", "0d") else _life(overlap, "--overlap")
    if both is None:
        raise ValidationFailed.of("--overlap", overlap, "be a span of time such as 24h, or 0")
    with _ring(call) as ring:
        old = ring.find(id)
        life = _life(expires, "--expires") if expires else None
        key, made = ring.rotate(id, overlap=both, expires_in=life)
        _show_new(call, key, made, ring.find(old.id))


def _ring(call: Call) -> "AbstractContextManager[KeyRing]":
    from ftcli.server.keys import key_ring

    return key_ring(call.settings)


def _show_new(call: Call, key: str, made: "ApiKey", old: "ApiKey | None" = None) -> None:
    call.show(
        NewKey(
            key=key,
            id=made.id,
            name=made.name,
            scopes=sorted(made.scopes),
            accounts=sorted(made.accounts),
            rate=made.rate or None,
            expires_at=made.expires_at,
            replaces=old.id if old else None,
            old_key_ends_at=old.expires_at if old else None,
        )
    )
    call.talk("Keep the key now: it is not shown again. Use it as `Authorization: Bearer ft_…`.")


def _entry(key: "ApiKey", now: datetime) -> KeyEntry:
    return KeyEntry(
        prefix=f"ft_{key.id}…",
        id=key.id,
        name=key.name,
        scopes=sorted(key.scopes),
        accounts=sorted(key.accounts),
        rate=key.rate or None,
        state=key.state(now),
        created_at=key.created_at,
        expires_at=key.expires_at,
        last_used_at=key.last_used_at,
        replaced_by=key.replaced_by or None,
    )


def _name(text: str) -> str:
    name = " ".join(text.split())
    if not name or len(name) > 60 or not name.isprintable():
        raise ValidationFailed.of("--name", text[:80], "be a name of 1 to 60 signs")
    return name


def _rate(text: str) -> str:
    return "" if text.strip().lower() in ("none", "0") else text.strip()


def _life(text: str, option: str) -> timedelta | None:
    """``90d`` as a span; ``None`` for ``never``."""
    from ftcli.server.keys import LONGEST_LIFE

    word = text.strip().lower()
    if word == "never":
        return None
    found = _SPAN.fullmatch(word)
    span = timedelta(days=int(found[1]) * _DAYS[found[2]]) if found else timedelta(0)
    if not timedelta(0) < span <= LONGEST_LIFE:
        raise ValidationFailed.of(
            option, text[:80], "be a span of time such as 12h, 90d or 1y, of at most 100 years"
        )
    return span
