"""The envelope every answer comes in, and the headers around it.

``data`` is never built anew: the very bytes that the core encodes stand between two constant pieces, so they
equal what the command line prints.
"""

import gzip
import hashlib
import itertools
import logging
import math
import re
import secrets
from collections.abc import Callable, Collection
from typing import Any

import msgspec
from aiohttp import web
from multidict import CIMultiDict

from ftcli.errors import (
    AuthRequired,
    BrokerError,
    FtError,
    InternalError,
    NotFound,
    OrderUnknown,
    ValidationFailed,
)
from ftcli.models.json import dumps
from ftcli.redaction import redact_values
from ftcli.server.door import MAX_BODY, is_loopback
from ftcli.server.key_text import mask_keys
from ftcli.server.keys import ApiKey

log = logging.getLogger("ftcli.server")

REQUEST_ID = web.RequestKey("request_id", str)
KEY = web.RequestKey("api_key", ApiKey)
"""The key a request has been admitted with; not there before."""

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Server": "ft",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
JSON = "application/json; charset=utf-8"
RAW = "application/vnd.ft.raw+json"
"""Media type of an answer to ``?raw=true``: the same envelope, with the broker's document as data."""

_START, _END = b'{"ok":true,"data":', b',"error":null}'

_FAR_GZIP, _NEAR_GZIP = 2 * 1024, 64 * 1024
"""Bodies from these sizes on are compressed: for other machines early, on this one only where it is much."""


def success(data: bytes) -> bytes:
    """The envelope around encoded data."""
    return _START + data + _END


_FROM_OTHERS = (AuthRequired, BrokerError, InternalError, OrderUnknown)
"""Errors that tell what the broker or a library has said, which may hold a secret of ours. All others speak of what
the client itself has sent (the broker too, where it refuses an order): to mask that by value would tell the client
which of its guesses is a secret."""


def _clean(details: Any, mask: Callable[[str], str]) -> Any:
    """Details with every text masked."""
    if isinstance(details, dict):
        return {name: _clean(value, mask) for name, value in details.items()}
    if isinstance(details, list | tuple):
        return [_clean(value, mask) for value in details]
    return mask(details) if isinstance(details, str) else details


def error_document(problem: FtError) -> dict[str, Any]:
    """An error as clients see it: without secrets of ours, and without API keys that stand where none belongs."""
    mask = redact_values if isinstance(problem, _FROM_OTHERS) else mask_keys
    found: dict[str, Any] = _clean(problem.document(), mask)
    return found


def failure(problem: FtError) -> bytes:
    """The envelope of an error."""
    document = error_document(problem)
    try:
        return dumps({"ok": False, "data": None, "error": document})
    except (TypeError, ValueError, msgspec.EncodeError):
        # Details are free in form; an odd one must not hide the error it belongs to.
        document["details"] = {"text": mask_keys(str(document["details"]))}
        return dumps({"ok": False, "data": None, "error": document})


def for_stranger(problem: FtError, named: Collection[str]) -> FtError:
    """An error as it is told before a key has been shown: nothing the client has sent comes back.

    Args:
        problem: The error.
        named: Names that the client has given.
    """
    if not isinstance(problem, ValidationFailed):
        return problem
    details = problem.details or {}
    field = None if details.get("field") in named else details.get("field")
    rule = details.get("rule") or "be acceptable"
    return ValidationFailed(
        f"{field or 'The request'} must {rule}.", details={"field": field, "value": None, "rule": rule}
    )


def headers(request_id: str, content_type: str = JSON) -> CIMultiDict[str]:
    """The headers of every answer."""
    found = CIMultiDict(_HEADERS)
    found["Content-Type"] = content_type
    found["X-Request-Id"] = request_id
    return found


def reply(
    request: web.BaseRequest, body: bytes, *, status: int = 200, content_type: str = JSON
) -> web.Response:
    """An answer, compressed where that pays and is wanted.

    Args:
        request: What it answers.
        body: The bytes.
        status: HTTP status.
        content_type: Their type.
    """
    found = headers(request[REQUEST_ID], content_type)
    if len(body) >= _FAR_GZIP and _takes_gzip(request) and _pays(request, len(body)):
        body = gzip.compress(body, 1, mtime=0)
        found["Content-Encoding"] = "gzip"
        found["Vary"] = "Accept-Encoding"
    return web.Response(body=body, status=status, headers=found)


def _takes_gzip(request: web.BaseRequest) -> bool:
    for part in request.headers.get("Accept-Encoding", "").lower().split(","):
        name, _, rest = part.partition(";")
        if name.strip() in ("gzip", "*"):
            return rest.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def _pays(request: web.BaseRequest, size: int) -> bool:
    return size >= _NEAR_GZIP or not is_loopback(request.remote or "127.0.0.1")


def answer(request: web.BaseRequest, document: Any, *, status: int = 200) -> web.Response:
    """A document of ours, in its envelope."""
    return reply(request, success(dumps(document)), status=status)


def refuse(request: web.BaseRequest, problem: FtError, *, status: int | None = None) -> web.Response:
    """An error, in its envelope and with its HTTP status.

    Args:
        request: What it answers.
        problem: The error.
        status: An HTTP status other than that of its code.
    """
    response = reply(request, failure(problem), status=status or problem.status)
    if problem.retry_after is not None:
        response.headers["Retry-After"] = str(max(1, math.ceil(problem.retry_after)))
    elif problem.status == 429:
        response.headers["Retry-After"] = "1"
    if problem.code == "API_KEY_INVALID":
        response.headers["WWW-Authenticate"] = 'Bearer realm="ft"'
    return response


class Prebuilt:
    """A public body that never changes while the daemon runs: compressed once, and known by its hash.

    Args:
        body: The bytes.
        content_type: Their type.
        policy: Content security policy of a page.
    """

    def __init__(self, body: bytes, content_type: str, policy: str = "") -> None:
        self._body = body
        self._packed = gzip.compress(body, 9, mtime=0)
        self._type = content_type
        self._policy = policy
        self._tag = f'"{hashlib.sha256(body).hexdigest()[:20]}"'

    def reply(self, request: web.Request) -> web.Response:
        """The answer to a request for it."""
        found = headers(request[REQUEST_ID], self._type)
        found["Cache-Control"] = "no-cache"
        found["ETag"] = self._tag
        found["Vary"] = "Accept-Encoding"
        if self._policy:
            found["Content-Security-Policy"] = self._policy
        if request.headers.get("If-None-Match") == self._tag:
            del found["Content-Type"]
            return web.Response(status=304, headers=found)
        if _takes_gzip(request):
            found["Content-Encoding"] = "gzip"
            return web.Response(body=self._packed, headers=found)
        return web.Response(body=self._body, headers=found)


_ID = re.compile(r"[A-Za-z0-9._\-]{1,64}")
_process, _count = secrets.token_hex(4), itertools.count(1)


def request_id(given: str | None) -> str:
    """The client's own id of its request where it is well formed and no API key, else a new one.

    Judged by its form only: a look at our secrets would tell whether it is one of them.
    """
    if given and _ID.fullmatch(given) and mask_keys(given) == given:
        return given
    return f"{_process}-{next(_count):x}"


def from_http(request: web.BaseRequest, problem: web.HTTPException) -> web.Response:
    """What aiohttp has to say about a request, in our words; no key has been asked for, so nothing is repeated."""
    if isinstance(problem, web.HTTPMethodNotAllowed):
        methods = sorted({*problem.allowed_methods, "OPTIONS"})
        if request.method == "OPTIONS":
            response = web.Response(status=204, headers=headers(request[REQUEST_ID]))
            del response.headers["Content-Type"]
        else:
            wrong = NotFound(
                f"This route does not take that method; it takes {', '.join(methods)}.",
                details={"methods": methods},
            )
            response = refuse(request, wrong, status=405)
        response.headers["Allow"] = ", ".join(methods)
        return response
    if isinstance(problem, web.HTTPNotFound):
        return refuse(request, NotFound("There is no such route. All routes are listed at /docs."))
    if isinstance(problem, web.HTTPRequestEntityTooLarge):
        rule = f"have at most {MAX_BODY} bytes"
        details = {"field": "body", "value": None, "rule": rule}
        response = refuse(
            request, ValidationFailed(f"The body is too large: it must {rule}.", details=details)
        )
        response.force_close()
        return response
    if 400 <= problem.status < 500:
        return refuse(request, ValidationFailed(f"The request is not acceptable: {problem.reason}."))
    return fault(request, problem)


def fault(request: web.BaseRequest, problem: BaseException) -> web.Response:
    """A fault of ours: the log has all of it, the answer only the number under which to look."""
    number = request[REQUEST_ID]
    log.error("fault in request %s: %s", number, type(problem).__name__, exc_info=problem)
    trouble = InternalError(
        f"Something went wrong inside ft. Look for request {number} in its log.",
        details={"request_id": number},
    )
    return refuse(request, trouble)
