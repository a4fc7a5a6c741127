"""A paper broker in memory and a logged-in cookie jar, to look at its raw answers."""

import json
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from ftcli.paper.desk import Desk
from ftcli.paper.logins import User
from ftcli.paper.market import Market
from ftcli.paper.state import State
from ftcli.paper.wire.exchange import PaperReply, PaperRequest, respond

NEW_YORK = ZoneInfo("America/New_York")
NOW = datetime(2026, 11, 24, 10, 30, tzinfo=NEW_YORK)
"""A Tuesday morning; Thursday is Thanksgiving."""

_market = Market(always_open=False)


class Broker:
    """The paper broker, as a program without our client meets it.

    Attributes:
        now: The time on its clock.
    """

    def __init__(self) -> None:
        self.now = NOW
        user = User(username="demo", password="open-sesame")
        self.desk = Desk(State(":memory:"), _market, lambda: self.now, user, seed=7)
        self.cookies: dict[str, str] = {}

    def log_in(self, *, quotes: bool = True) -> "Broker":
        """Logs in; asks for the security context, unless ``quotes`` is off."""
        self.cookies = {"SESSION_SCTX": self.desk.logins.begin()}
        self.desk.logins.check_password(self.cookies, "demo", "open-sesame")
        self.desk.logins.create_session(self.cookies, self.now)
        self.cookies |= self.desk.logins.fresh_cookies(self.cookies, self.now)
        if quotes:
            self.ask("POST", "/ftgw/digital/pico/api/v1/context/security", body={})
        return self

    def ask(
        self,
        method: str,
        path: str,
        query: dict[str, str] | None = None,
        *,
        body: Any = None,
        form: dict[str, str] | None = None,
        accept: str = "application/json",
        cookies: bool = True,
    ) -> PaperReply:
        """Sends a request."""
        content = b"" if body is None else json.dumps(body).encode()
        return respond(
            self.desk,
            PaperRequest(
                method=method,
                path=path,
                query=query or {},
                headers={"accept": accept},
                cookies=self.cookies if cookies else {},
                body=urlencode(form).encode() if form else content,
            ),
        )

    def json(self, method: str, path: str, query: dict[str, str] | None = None, **more: Any) -> Any:
        """The document of an answer, with the standard library's own reader."""
        reply = self.ask(method, path, query, **more)
        assert reply.status == 200, reply
        return json.loads(reply.body)


def content_type(reply: PaperReply) -> str:
    """The ``Content-Type`` of an answer."""
    return dict(reply.headers)["Content-Type"]
