"""How a route of the daemon itself is declared: OpenAPI, key check and mounting are read from it."""

from collections.abc import Callable
from typing import Any

import msgspec

from ftcli.errors import FtError
from ftcli.operations.operation import ParamInfo
from ftcli.server.keys import Scope
from ftcli.server.service import Guard, Handler, Service


class OwnRoute(msgspec.Struct, frozen=True, kw_only=True):
    """One route that is no operation of the core.

    Attributes:
        name: Dotted name, as in log and metrics.
        method, path: Its route; under ``/api/v1``, and at the root too where ``root`` says so.
        make: Makes its handler.
        tag: Group in the documentation.
        summary: One line.
        text: The rest.
        scope: What a key needs; ``None`` where no key is needed.
        result: Type of its data; ``None`` where it does not answer in the envelope.
        media: Media type of the answer.
        status: HTTP status of a good answer.
        query: Parameters in the query.
        body: Model of the body.
        errors: Errors beyond those that every route has.
        root: Whether it is also, and chiefly, mounted at the root.
        changes: Whether it changes anything.
        socket: Whether it opens a WebSocket.
        events: Models of the events it sends, by event name.
    """

    name: str
    method: str
    path: str
    make: Callable[[Service], Handler]
    tag: str
    summary: str
    text: str = ""
    scope: Scope | None = "read"
    result: Any = None
    media: str = "application/json"
    status: int = 200
    query: tuple[ParamInfo, ...] = ()
    body: Any = None
    errors: tuple[type[FtError], ...] = ()
    root: bool = False
    changes: bool = False
    socket: bool = False
    events: dict[str, Any] = {}

    @property
    def guard(self) -> Guard:
        """What the front must know of it."""
        socket = self.socket
        return Guard(
            self.name,
            self.scope,
            changes=self.changes,
            socket=socket,
            ticket=socket,
            lasting=socket,
            query=None if socket or self.root else frozenset(param.name for param in self.query),
        )
