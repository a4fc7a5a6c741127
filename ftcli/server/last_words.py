"""What is said to a client whose bytes never became a request."""

import asyncio

from aiohttp.http_exceptions import BadStatusLine, InvalidHeader, InvalidURLError, LineTooLong

from ftcli.errors import FtError, RateLimited, ValidationFailed
from ftcli.server.door import HEAD_SECONDS, MAX_HEAD, MAX_LINE
from ftcli.server.envelope import failure, headers, request_id


class LastWords:
    """An answer for a connection that never became a request."""

    def __init__(self, status: str, problem: FtError, **more: str) -> None:
        self._status = status
        self._body = failure(problem)
        self._more = {**more, "Content-Length": str(len(self._body)), "Connection": "close"}

    def say(self, transport: asyncio.BaseTransport | None) -> None:
        """Writes it, under a request id of its own."""
        if not isinstance(transport, asyncio.WriteTransport):
            return
        lines = {**headers(request_id(None)), **self._more}
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        transport.write(f"HTTP/1.1 {self._status}\r\n{head}\r\n".encode() + self._body)


BUSY = LastWords(
    "429 Too Many Requests",
    RateLimited("Too many connections are open.", details={"reason": "connections"}),
    **{"Retry-After": "1"},
)
SLOW = LastWords(
    "408 Request Timeout",
    ValidationFailed(
        "The request did not arrive in time.",
        details={"field": "request", "value": None, "rule": f"arrive within {HEAD_SECONDS} seconds"},
    ),
)
ENDLESS = LastWords(
    "400 Bad Request",
    ValidationFailed(
        f"This is not an acceptable HTTP request (a head of more than {MAX_HEAD} bytes).",
        details={"field": "request", "value": None, "rule": f"have a head of at most {MAX_HEAD} bytes"},
    ),
)


_REPEATING = {
    LineTooLong: f"a line of more than {MAX_LINE} bytes",
    InvalidHeader: "a malformed header",
    BadStatusLine: "a malformed first line",
    InvalidURLError: "a malformed path",
}
"""Words for the errors whose own would repeat what the client has sent."""


def reason_of(exc: BaseException | None, message: str | None) -> str:
    """What is wrong with the bytes; none of them is repeated."""
    for kind, words in _REPEATING.items():
        if isinstance(exc, kind) and getattr(exc, "line", True):
            return words
    return (message or "").partition("\n")[0].rstrip(":. ") or "malformed"
