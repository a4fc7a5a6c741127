"""Keeps secrets out of everything that is printed, logged or raised.

Two nets, because either alone has holes. By value: whatever has been wrapped in :class:`Secret`
is remembered and masked wherever it turns up. By key: names that carry secrets on the broker's
wire (cookies, passwords, tokens) are masked even where the value was never seen before.
"""

import re
from collections.abc import Mapping
from typing import Any

from ftcli.spellings import Spellings, in_base64

MASK = "***"

_values: dict[str, Spellings] = {}
_passing: dict[str, Spellings] = {}
"""Values that are replaced every few minutes (cookies): those that were in force latest, in order."""
_MOST_PASSING = 500
_longest_first: list[tuple[str, str, Spellings]] = []
"""All values, longest first, so that a secret that holds another one goes as a whole; empty when stale. What is
looked for in every text stands first."""

_SECRET_KEYS = frozenset(
    [
        "password",
        "passwd",
        "securitycode",
        "totp",
        "totp_secret",
        "secret",
        "authorization",
        "cookie",
        "set-cookie",
        "et",
        "atc",
        "fc",
        "rc",
        "sc",
        "session_sctx",
        "fac",
        "accesstoken",
        "access_token",
        "token",
        "csrftoken",
        "x-csrf-token",
        "samlresponse",
        "sid",
        "api_key",
        "apikey",
        "encryption_key",
        "userid",
        "signature",
        "sessionid",
        "sessiontokens",
    ]
)
_PAIR = re.compile(
    r"""(?ix)
    (["']?\b(?:password|passwd|securityCode|totp(?:_secret)?|authorization|(?:x-)?csrf-?token|access_?token
        |samlresponse|api_?key|encryption_key|session_sctx|set-cookie|cookie|ATC|FC|RC|SC|ET)\b(?:["']?\s*[=:]\s*|["']\s*,\s*b?(?=["'])))
    ( "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' | (?:(?:Bearer|Basic)\s+)?[^\s;,&"'}]+ )
    """
)
_OWN = re.compile(r"\bft_[0-9A-Za-z]{46}|ftt_[0-9A-Za-z_-]{32}")
"""API keys and tickets, which their form gives away."""
"""A key to our own daemon, whoever made it."""
ACCOUNT = re.compile(r"(?<![A-Za-z0-9])(?:[A-Za-z]\d{2}|(?<!\.)\d{3})-?\d{6}(?![A-Za-z0-9]|\.\d)")
"""A letter and eight digits, or nine digits, as the broker writes them and with the dash of its papers. Word
boundaries would not do: ``acct_Z20000025`` has none. A fraction of nine digits is none."""
_NAMED_ACCOUNT = re.compile(
    r"""(?ix) ( /accounts?/ | \b(?:acct|account)(?:s|_?ids?|_?num(?:ber)?s?)? ["']? \s*[=:]\s* \[?["']? )
    ( (?=[A-Z]{0,11}\d) [A-Z0-9]{4,12} (?: ,(?=[A-Z]{0,11}\d)[A-Z0-9]{4,12} )* ) (?! [A-Z0-9] | \.\d )"""
)
"""What goes by the name of an account: the numbers of workplace plans have no form of their own."""
_accounts: dict[str, re.Pattern[str]] = {}
_MOST_ACCOUNTS = 200


class Secret:
    """A string that never shows itself: ``repr``, ``str`` and formatting give ``***``.

    Args:
        value: The secret text.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value
        remember(value)

    def reveal(self) -> str:
        """The secret itself. Call it where the value leaves for the broker or a store."""
        return self._value

    def __repr__(self) -> str:
        return MASK

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return MASK

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> Any:
        raise TypeError("a secret is not pickled")


def is_secret_name(name: str) -> bool:
    """Whether what goes by this name is a secret."""
    return name.lower() in _SECRET_KEYS


def remember(value: str) -> None:
    """Mask ``value`` from now on, however it is spelled: as JSON, in a URL or form, as HTML, in base64.

    Short values are left to the net by key: they would mask ordinary text.
    """
    if len(value) >= 6 and value not in _values:
        _values.update((text, Spellings(text)) for text in (value, *in_base64(value)))
        _longest_first.clear()


def remember_passing(value: str) -> None:
    """Like :func:`remember`, but for base64, for a value that will be replaced soon: the latest few hundred are kept.

    Tell it again as long as it is in force: then it counts as one of the latest. Values below 12 signs are left out:
    such a cookie is a flag, and no secret.
    """
    if len(value) < 12:
        return
    known = _passing.pop(value, None)
    _passing[value] = known or Spellings(value)
    if known is None:
        if len(_passing) > _MOST_PASSING:
            del _passing[next(iter(_passing))]
        _longest_first.clear()


def redact(text: str) -> str:
    """``text`` without any secret known by value or recognised by its key."""
    return _PAIR.sub(lambda pair: pair.group(1) + MASK, redact_values(text))


def redact_values(text: str) -> str:
    """``text`` without any secret known by value, API keys and tickets; for sentences of our own, which name keys."""
    if not _longest_first:
        known = sorted({**_passing, **_values}.items(), key=lambda item: len(item[0]), reverse=True)
        _longest_first[:] = [(spelled.plain, value, spelled) for value, spelled in known]
    for plain, value, spelled in _longest_first:
        if plain in text:
            text = _without(text, value, spelled)
    return _OWN.sub(MASK, text)


def _without(text: str, value: str, spelled: Spellings) -> str:
    if len(value) <= 8 and value.isdigit():
        # A code of the second factor: inside a longer number it is no code.
        return re.sub(rf"(?<!\w){value}(?!\w)", MASK, text)
    return spelled.replace(text, MASK)


def remember_account(number: str) -> None:
    """Mask an account number in logs from now on: one of the login's own, as the broker names it.

    Numbers whose form gives them away need not be remembered. What is no number is not: it would mask plain words.
    """
    if len(number) >= 4 and any(map(str.isdigit, number)) and not ACCOUNT.fullmatch(number):
        _accounts[number] = re.compile(
            rf"(?<![A-Za-z0-9.]){re.escape(number)}(?![A-Za-z0-9]|\.\d)", re.IGNORECASE
        )
        if len(_accounts) > _MOST_ACCOUNTS:
            del _accounts[next(iter(_accounts))]


def mask_account(account: str) -> str:
    """An account number as logs show it: ``Z20000025`` becomes ``…0025``; of a short one less is left."""
    shown = min(4, (len(account) - 1) // 2)
    return f"…{account[len(account) - shown :]}" if shown > 1 else "…"


def redact_log(text: str) -> str:
    """Like :func:`redact`, and account numbers are masked too: by name, by form, and those of the login by value."""
    text = _NAMED_ACCOUNT.sub(
        lambda found: found.group(1) + ",".join(map(mask_account, found.group(2).split(","))), redact(text)
    )
    text = ACCOUNT.sub(lambda found: mask_account(found.group()), text)
    for number, pattern in _accounts.items():
        text = pattern.sub(mask_account(number), text)
    return text


def redact_tree(document: Any) -> Any:
    """A JSON-like document with the values of secret keys masked, and all texts redacted."""
    if isinstance(document, Mapping):
        return {
            key: MASK if str(key).lower() in _SECRET_KEYS else redact_tree(value)
            for key, value in document.items()
        }
    if isinstance(document, list | tuple):
        return [redact_tree(value) for value in document]
    return redact(document) if isinstance(document, str) else document


def excerpt(body: bytes | str, limit: int = 200) -> str:
    """The start of a foreign body, fit for an error message: one line, bounded, redacted."""
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
    # Cut after redaction: a secret cut in half would no longer be recognised.
    clean = " ".join(redact(text[: limit * 20]).split())
    return clean if len(clean) <= limit else clean[:limit] + "…"
