"""``Expect: 100-continue``: the client asks whether its body is wanted, and hears so when somebody reads it.

aiohttp would tell it to go on before anybody has looked at the request, its key included.
"""

from collections.abc import Callable
from typing import Any

from aiohttp import HttpVersion11, hdrs, web
from aiohttp.http import RawRequestMessage
from multidict import CIMultiDict, CIMultiDictProxy

WAITS = web.RequestKey("waits", bool)
"""Whether the client has been told nothing yet."""


def expecting(make: Callable[..., web.BaseRequest]) -> Callable[..., web.BaseRequest]:
    """Makes requests from which the expectation has been taken out, and noted.

    Args:
        make: Makes a request of a message and more.
    """

    def made(message: RawRequestMessage, *others: Any) -> web.BaseRequest:
        wanted = message.headers.get(hdrs.EXPECT)
        if wanted is None or wanted.lower() != "100-continue" or message.version != HttpVersion11:
            return make(message, *others)
        headers = CIMultiDict(message.headers)
        del headers[hdrs.EXPECT]
        request = make(message._replace(headers=CIMultiDictProxy(headers)), *others)
        request[WAITS] = True
        return request

    return made


async def ask_for_body(request: web.BaseRequest) -> None:
    """Tells a client that waits for it to send its body."""
    if request.get(WAITS):
        request[WAITS] = False
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # the answer itself has not begun
