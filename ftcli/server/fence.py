"""The fence around a key that is bound to accounts: it may touch these, and nothing that belongs to the login.

Two things pass: an operation whose declaration has a place for accounts, if the request names some there and every
one is the key's; and what is listed here by its full name. Everything else is refused, so an operation made later
is closed to such keys until somebody thinks about it.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any, get_args

import msgspec
from aiohttp import web

from ftcli.errors import ApiKeyInvalid, FtError, ValidationFailed
from ftcli.operations.registry import find
from ftcli.redaction import mask_account
from ftcli.server.envelope import answer
from ftcli.server.keys import ApiKey
from ftcli.server.routes import read_json
from ftcli.server.service import Handler, Service

_LIST = "accounts.list"
_HALT = "trading.halt"
"""Open to every key with its scope: to halt is never wrong. To resume, or to cancel what is others', is."""
_OPEN = frozenset(
    {
        _LIST,
        _HALT,
        "auth.status",
        "market_data.chain",
        "market_data.chart",
        "market_data.montage",
        "market_data.quotes",
        "market_data.time_and_sales",
        "reference.holiday_calendar",
        "research.analytics",
        "research.dividends",
        "research.earnings",
        "research.equity_summary",
        "research.screener",
        "research.search",
        "service.info",
        "service.metrics",
        "service.ready",
        "stream.bars",
        "stream.book",
        "stream.quotes",
        "stream.socket",
        "stream.socket_bars",
        "stream.socket_book",
        "stream.socket_trades",
        "stream.status",
        "stream.subscribe",
        "stream.ticket",
        "stream.trades",
        "stream.unsubscribe",
    }
)
"""What has to do with no account: the market, the daemon's state, and what is cut to the key's accounts here."""
_NAMES = frozenset({"acct", "acct_ids", "account", "accounts"})
"""What declarations call an account."""
_OF_ANYBODY = {"orders.staged.save": "stage_id"}
"""Members that name a thing which may be another account's, as nothing tells before it is overwritten."""

Places = dict[str, "Places"]
"""Names of members, each with the places inside it; the innermost ones hold accounts."""


def check_route(name: str, key: ApiKey) -> None:
    """Lets a key come to a route; whoever finds out whose key a request brings calls this, for streams too.

    Args:
        name: Name of the route.
        key: The key.

    Raises:
        ApiKeyInvalid: The key is bound to accounts, and the route belongs to the whole login.
    """
    if key.accounts and name not in _OPEN and not any(_places(name)):
        raise _refused("This API key is bound to accounts, and this call belongs to the whole login", key)


async def check(request: web.Request, name: str, key: ApiKey) -> None:
    """Lets a request pass that stays within the accounts of its key.

    Args:
        request: The request; its key has been let in to the route.
        name: Name of its route.
        key: Its key.

    Raises:
        ApiKeyInvalid: It names another account, none where it must, or something that may be another account's.
        ValidationFailed: Its body cannot be read.
    """
    in_url, in_body = _places(name)
    named = [part for place in in_url for text in _given(request, place) for part in text.split(",")]
    document = await read_json(request) if in_body or name == _HALT else None
    named += _named_in(document, in_body) if in_body else []
    if any(account.strip().upper() not in key.accounts for account in named):
        raise _refused("This API key is bound to other accounts than the one named here", key)
    if name not in _OPEN and not named:
        raise _refused("This API key is bound to accounts, and this call names none", key)
    members = document if isinstance(document, dict) else {}
    if name == _HALT and document is not None and (members is not document or members.get("cancel_open")):
        raise _refused("This API key is bound to accounts, and this may cancel orders of others", key)
    if name in _OF_ANYBODY and members.get(_OF_ANYBODY[name]) is not None:
        raise _refused(
            f"This API key is bound to accounts, and {_OF_ANYBODY[name]} may name what is another's", key
        )


def conceal(problem: FtError, key: ApiKey) -> None:
    """Takes other accounts of the login out of an error that lists them."""
    listed = (problem.details or {}).get("accounts")
    if key.accounts and isinstance(listed, list):
        for account in set(map(str, listed)) - key.accounts:
            problem.message = problem.message.replace(account, mask_account(account))
        problem.details = {
            **(problem.details or {}),
            "accounts": [one for one in listed if one in key.accounts],
        }


def substitute(service: Service, name: str, key: ApiKey, handler: Handler) -> Handler:
    """The handler that answers a request of a key bound to accounts: the usual one, or one that shows less.

    Args:
        service: The daemon.
        name: Name of the route.
        key: The key.
        handler: The usual handler.
    """
    if name != _LIST:
        return handler

    async def listed(request: web.Request) -> web.StreamResponse:
        if request.query_string:
            raise ValidationFailed.of(
                "query", request.query_string, "not be given with a key bound to accounts"
            )
        found = await service.client.accounts.list()
        mine = [account for account in found.accounts if account.account in key.accounts]
        return answer(request, msgspec.structs.replace(found, accounts=mine))

    return listed


@cache
def _places(name: str) -> tuple[tuple[str, ...], Places]:
    """Where an operation is told accounts: names in its URL, and places in its body. None for other routes."""
    try:
        operation = find(name)
    except KeyError:
        return (), {}
    params = operation.params
    in_url = tuple(param.name for param in params if param.where != "body" and param.name in _NAMES)
    if operation.body_is:
        return in_url, _inside(operation.body_is.type)
    return in_url, _members((param.name, param.type) for param in params if param.where == "body")


def _members(members: Iterator[tuple[str, Any]]) -> Places:
    found = {name: {} if name in _NAMES else _inside(kind) for name, kind in members}
    return {name: inner for name, inner in found.items() if inner or name in _NAMES}


def _inside(kind: Any) -> Places:
    """The places inside a type: those of a model's fields, and of all that a list or a choice is made of."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        fields = msgspec.structs.fields(kind)
        return _members((field.encode_name, field.type) for field in fields)
    return {name: inner for part in get_args(kind) for name, inner in _inside(part).items()}


def _given(request: web.Request, name: str) -> list[str]:
    in_path = request.match_info.get(name)
    return [*request.query.getall(name, ()), *([] if in_path is None else [in_path])]


def _named_in(value: Any, places: Places) -> list[str]:
    """Every account that a body names where its declaration has a place for it. An odd form is never the key's."""
    if isinstance(value, list):
        return [account for part in value for account in _named_in(part, places)]
    if not places:
        return [str(value)]
    inside = (
        [(value[name], inner) for name, inner in places.items() if name in value]
        if isinstance(value, dict)
        else []
    )
    return [account for part, inner in inside for account in _named_in(part, inner)]


def _refused(what: str, key: ApiKey) -> ApiKeyInvalid:
    mine = sorted(key.accounts)
    return ApiKeyInvalid(
        f"{what}. Its accounts: {', '.join(mine)}.", details={"reason": "account", "accounts": mine}
    )
