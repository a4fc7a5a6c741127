"""A paper broker for tests of the wire: a clock that the test turns, a session, raw requests and raw answers."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree.ElementTree import Element

from defusedxml.ElementTree import fromstring

from ftcli.clock import NEW_YORK
from ftcli.paper.desk import DEMO_PASSWORD, DEMO_USERNAME, Desk
from ftcli.paper.logins import User
from ftcli.paper.market import Market
from ftcli.paper.state import State
from ftcli.paper.wire.exchange import PaperReply, PaperRequest, respond

MORNING = datetime(2026, 7, 8, 10, 15, 42, tzinfo=NEW_YORK)
"""A Wednesday in regular hours."""
SEED = 1
_markets = {always: Market(seed=SEED, always_open=always) for always in (True, False)}


class Answer(NamedTuple):
    """What the broker answered."""

    status: int
    body: bytes

    @property
    def document(self) -> Any:
        """The body, from JSON, by the standard library."""
        return json.loads(self.body)

    @property
    def tree(self) -> Element:
        """The body, from XML, by the standard library."""
        root: Element = fromstring(self.body)
        return root


class Broker:
    """A paper broker and a client that is logged in."""

    def __init__(
        self, now: datetime = MORNING, *, path: Path | str = ":memory:", always_open: bool = True
    ) -> None:
        self.now = now
        self.desk = Desk(
            State(path),
            _markets[always_open],
            lambda: self.now,
            User(username=DEMO_USERNAME, password=DEMO_PASSWORD),
            SEED,
        )

    def wait(self, **span: float) -> None:
        """Turns the clock on."""
        self.now += timedelta(**span)

    def get(self, path: str, query: dict[str, str] | None = None, **headers: str) -> Answer:
        """A GET with a live session."""
        return self._send("GET", path, query or {}, b"", headers)

    def post(self, path: str, body: Any, **headers: str) -> Answer:
        """A POST with a live session; texts are sent as they are, anything else as JSON."""
        content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        return self._send("POST", path, {}, content, headers)

    def refused(self, method: str, path: str, body: Any = None) -> int:
        """The status of a request without a session."""
        content = json.dumps(body).encode() if body is not None else b""
        return respond(self.desk, PaperRequest(method=method, path=path, body=content)).status

    def _send(
        self, method: str, path: str, query: dict[str, str], body: bytes, headers: dict[str, str]
    ) -> Answer:
        request = PaperRequest(
            method=method, path=path, query=query, headers=headers, cookies=self._cookies(), body=body
        )
        reply: PaperReply = respond(self.desk, request)
        return Answer(reply.status, reply.body)

    def _cookies(self) -> dict[str, str]:
        logins = self.desk.logins
        cookies = {"SESSION_SCTX": logins.begin()}
        logins.check_password(cookies, DEMO_USERNAME, DEMO_PASSWORD)
        logins.create_session(cookies, self.now)
        return cookies | logins.fresh_cookies(cookies, self.now)
