"""The fence around a key that is bound to accounts: it may touch these, and nothing that belongs to the login.

An operation passes if it has nothing to do with accounts, or if it names accounts, every one of them ours. What
is neither is refused: an operation made later is closed to such keys until somebody thinks about it.
"""

from typing import Any

import msgspec
from aiohttp import web

from ftcli.errors import ApiKeyInvalid, ValidationFailed
from ftcli.server.envelope import answer
from ftcli.server.routes import read_json
from ftcli.server.service import Handler, Service

_NAMES = frozenset({"acct", "acct_ids", "account", "accounts"})
_OPEN = ("auth.status", "market_data.", "reference.", "research.", "service.", "stream.")
_CLOSED = ("research.news_access", "research.notebooks.", "stream.events", "service.docs")
_LIST = "accounts.list"
_HALT = "trading.halt"
"""Open to every key with its scope: to halt is never wrong. To resume, or to cancel what is others', is."""


async def substitute(service: Service, request: web.Request, name: str, handler: Handler) -> Handler:
    """The handler that answers a request of a key bound to accounts: the usual one, or one that shows less.

    Args:
        service: The daemon.
        request: The request; its key has been checked.
        name: Name of its route.
        handler: The usual handler.
    """
    if name != _LIST:
        return handler
    allowed = _allowed(request)

    async def listed(request: web.Request) -> web.StreamResponse:
        if request.query_string:
            raise ValidationFailed.of(
                "query", request.query_string, "not be given with a key bound to accounts"
            )
        found = await service.client.accounts.list()
        mine = [account for account in found.accounts if account.account in allowed]
        return answer(request, msgspec.structs.replace(found, accounts=mine))

    return listed


async def check(request: web.Request, name: str) -> None:
    """Lets a request pass that stays within the accounts of its key.

    Args:
        request: The request; its key has been checked.
        name: Name of its route.

    Raises:
        ApiKeyInvalid: It names another account, or belongs to the whole login.
        ValidationFailed: Its body cannot be read.
    """
    allowed = _allowed(request)
    named = [value for key in _NAMES if (value := request.match_info.get(key)) is not None]
    for key in _NAMES & set(request.query):
        named += [part for text in request.query.getall(key) for part in text.split(",")]
    if request.method not in ("GET", "HEAD"):
        named += _named_in(await read_json(request))
    for account in named:
        if account.strip().upper() not in allowed:
            raise _refused("This API key is bound to other accounts than the one named here", allowed)
    if name == _HALT and not _cancels(await read_json(request)):
        return
    is_open = name == _LIST or (name.startswith(_OPEN) and not name.startswith(_CLOSED))
    if not named and not is_open:
        raise _refused(
            "This API key is bound to accounts, and this call names none or belongs to the whole login",
            allowed,
        )


def _cancels(document: Any) -> bool:
    return bool(document.get("cancel_open")) if isinstance(document, dict) else document is not None


def _allowed(request: web.Request) -> frozenset[str]:
    from ftcli.server.front import KEY

    return request[KEY].accounts


def _named_in(document: Any) -> list[str]:
    """Every account that a body names, at any depth. What is named in an odd form is never ours."""
    found: list[str] = []
    waiting = [document]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            for key, value in item.items():
                if key in _NAMES:
                    found += [str(part) for part in (value if isinstance(value, list) else [value])]
                else:
                    waiting.append(value)
        elif isinstance(item, list):
            waiting += item
    return found


def _refused(what: str, allowed: frozenset[str]) -> ApiKeyInvalid:
    return ApiKeyInvalid(
        f"{what}. Its accounts: {', '.join(sorted(allowed))}.",
        details={"reason": "account", "accounts": sorted(allowed)},
    )
