"""The paper broker's door inside the process: an httpx transport that answers without a socket."""

from http.cookies import SimpleCookie

import httpx

from ftcli.paper.desk import Desk
from ftcli.paper.wire.exchange import PaperRequest, respond


class PaperDoor(httpx.AsyncBaseTransport):
    """Answers httpx's requests from the paper broker.

    Args:
        desk: The paper broker.
    """

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answers one request."""
        body = await request.aread()
        reply = respond(
            self.desk,
            PaperRequest(
                method=request.method,
                path=request.url.path,
                query=dict(request.url.params),
                headers=dict(request.headers.items()),
                cookies=cookies_of(request.headers.get("cookie", "")),
                body=body,
            ),
        )
        if reply.delay:
            import asyncio  # deferred: only a slow day needs it

            await asyncio.sleep(reply.delay)
        if reply.lost:
            raise httpx.ReadError("the paper broker broke the connection", request=request)
        return httpx.Response(reply.status, headers=reply.headers, content=reply.body, request=request)


def cookies_of(header: str) -> dict[str, str]:
    """The cookies of a ``Cookie`` header."""
    return {name: morsel.value for name, morsel in SimpleCookie(header).items()}
