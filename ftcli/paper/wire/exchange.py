"""One request to the paper broker and its answer, and the table of what it answers.

A handler is declared with :func:`answers` for a method and path; both doors (the httpx transport in process and
the aiohttp server) come in through :func:`respond`, so they cannot differ.
"""

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

import msgspec

from ftcli.errors import NotFound
from ftcli.models.json import dumps, loads

if TYPE_CHECKING:
    from ftcli.paper.desk import Desk
    from ftcli.paper.faults import Faults


class PaperRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request as it arrives.

    Attributes:
        method, path: As on the request line, the path without its query.
        query: Query parameters.
        headers: Headers, names in lower case.
        cookies: Cookies by name.
        body: The bytes.
    """

    method: str
    path: str
    query: dict[str, str] = {}
    headers: dict[str, str] = {}
    cookies: dict[str, str] = {}
    body: bytes = b""

    @property
    def document(self) -> Any:
        """The body as JSON; ``None`` where it is empty.

        Raises:
            BadRequest: It is not JSON.
        """
        if not self.body:
            return None
        try:
            return loads(self.body)
        except msgspec.DecodeError as problem:
            raise BadRequest(f"Malformed JSON: {problem}") from None


class PaperReply(msgspec.Struct, kw_only=True):
    """An answer.

    Attributes:
        status, headers, body: As on the wire; several headers of one name are possible.
        delay: Seconds for which it is held back.
        lost: Whether the connection breaks instead of carrying it.
    """

    status: int = 200
    headers: list[tuple[str, str]] = []
    body: bytes = b""
    delay: float = 0.0
    lost: bool = False

    def set_cookie(self, name: str, value: str) -> None:
        """Adds a cookie; an empty value takes it away."""
        life = "" if value else "; Max-Age=0"
        self.headers.append(("Set-Cookie", f"{name}={value}; Path=/; HttpOnly{life}"))


class BadRequest(Exception):
    """The request is malformed or lacks a required field (protocol 01 §1.6)."""


class Forbidden(Exception):
    """The session does not own what it asked for."""


Handler = Callable[["Desk", PaperRequest], "PaperReply | Any"]


class Route(msgspec.Struct, frozen=True):
    """A handler and what must hold before it is called."""

    handler: Handler
    needs_session: bool


_exact: dict[tuple[str, str], Route] = {}
_patterns: list[tuple[str, str, str, Route]] = []
_MODULES = {
    "/prgw/": "login",
    "/user/": "login",
    "/ftgw/digital/": "login",
    "/ftgw/dp/orderentry/option/": "option_orders",
    "/ftgw/dp/orderentry/multilegoption/": "option_orders",
    "/ftgw/dp/orderentry/cancelandreplace/": "linked_orders",
    "/ftgw/dp/orderentry/conditional/": "linked_orders",
    "/ftgw/dp/retail-condition-replace/": "linked_orders",
    "/ftgw/dp/orderentry/": "orders",
    "/ftgw/dp/retail-order-status/": "orders",
    "/ftgw/dp/orderentry/taxlot/": "lots",
    "/ftgw/dp/position/open/": "lots",
    "/ftgw/dp/customer-am-position/": "lots",
    "/ftgw/dp/accountmanagement/": "history",
    "/ftgw/dp/retail-am-optionsummary/": "option_summary",
    "/ftgw/dp/retail-am-loanedsecurities/": "holdings",
    "/ftgw/dp/retail-am-accountaccruals/": "holdings",
    "/ftgw/dp/retail-am-hardtoborrow/": "borrowing",
    "/ftgw/dp/retail-am-shortinsight/": "borrowing",
    "/ftgw/dp/reference/security/stock/availablemarket/": "research",
    "/ftgw/dp/research/option/": "research",
    "/ftgw/dp/research/tool/": "notebooks",
    "/ftgw/dpdirect/research/": "research",
    "/ftgw/dpdirect/search/": "research",
    "/ftgw/dpdirect/market/": "reference",
    "/ftgw/dpdirect/customer-paid-subscriptions/": "reference",
    "/ftgw/dp/customer-paid-subscriptions/": "reference",
    "/ftgw/snaz/": "reference",
    "/ftgw/digital/rschwidgets/": "screener",
    "/auth/": "screener",
    "/DataService/": "screener",
    "/ftgw/dp/retail-watchlist/": "watchlists",
    "/ftgw/dp/retail-price-triggers/": "price_triggers",
    "/ftgw/dp/retail-customers/": "preferences",
    "/ftgw/dp/retail-indepInvs-pref/": "preferences",
    "/ftgw/alerts/": "alerts",
    "/alerts/": "alerts",
    "/ftgw/dp/security/": "announcements",
    "/ftgw/dpdirect/security/": "announcements",
    "/security/": "announcements",
    "/ftgw/dp/content-headless/": "announcements",
    "/content-headless/": "announcements",
    "/ftgw/dp/ent-research-staging/": "staged_orders",
    "/ftgw/dp/trade/useragreement/": "staged_orders",
    "/ftgw/dp/reference/security/stock/locate/": "staged_orders",
    "/ftgw/dp/": "accounts",
    "/service/": "market_data",
    "/service/quote/chainLite": "chain",
    "/service/quote/dtmontage": "chain",
    "/service/timeandsales/": "chain",
}
_SUFFIXES = {"/api/v1/timeseries": "borrowing"}
"""Paths of which only the end is known (protocol 01 §3.14)."""
_loaded: set[str] = set()


def answers(
    method: str, path: str, *, suffix: str | None = None, session: bool = True
) -> Callable[[Handler], Handler]:
    """Declares what a handler answers.

    Args:
        method, path: The method and the whole path, or its start where ``suffix`` is given.
        suffix: End of the path, for calls whose middle is not known (protocol 01 §1.1).
        session: Whether it needs a live session; without one the answer is 401.
    """

    def declare(handler: Handler) -> Handler:
        route = Route(handler, session)
        if suffix is None:
            _exact[method, path] = route
        else:
            _patterns.append((method, path, suffix, route))
        return handler

    return declare


def find_route(method: str, path: str) -> Route | None:
    """The handler of a request; modules of handlers load when one of their paths is first asked for."""
    wanted = [module for prefix, module in _MODULES.items() if path.startswith(prefix)]
    wanted += [module for suffix, module in _SUFFIXES.items() if path.endswith(suffix)]
    for module in wanted:
        if module not in _loaded:
            import_module(f"ftcli.paper.wire.{module}")
            _loaded.add(module)
    route = _exact.get((method, path))
    if route is None:
        for verb, start, end, candidate in _patterns:
            if verb == method and path.startswith(start) and path.endswith(end):
                return candidate
    return route


def respond(desk: "Desk", request: PaperRequest) -> PaperReply:
    """Answers a request.

    Args:
        desk: The paper broker.
        request: The request.
    """
    faults = desk.faults.current()
    trouble = _trouble(faults, request.path)
    reply = trouble if trouble is not None else _answer(desk, request)
    if faults.slow and faults.paths in request.path:
        reply.delay = faults.slow
    if faults.lost_place and "place" in request.path.split("/"):
        reply.lost = True
    return reply


_LOGIN = ("/prgw/", "/user/", "/ftgw/digital/")


def _trouble(faults: "Faults", path: str) -> PaperReply | None:
    """What stands in for the answer of a data call on a bad day."""
    if path.startswith(_LOGIN) or faults.paths not in path:
        return None
    if faults.html:
        return text_reply(
            "<!DOCTYPE html><html><body>We are working on it.</body></html>", "text/html;charset=utf-8"
        )
    if faults.status:
        return json_reply(sys_messages(str(faults.status), "A bad day at the broker"), faults.status)
    return None


def _answer(desk: "Desk", request: PaperRequest) -> PaperReply:
    route = find_route(request.method, request.path)
    if route is None:
        return json_reply({"sim": "unknown path"}, 404)
    if route.needs_session and not desk.logins.is_live(request.cookies, desk.now()):
        return desk.logins.turn_away(request.path)
    try:
        answer = route.handler(desk, request)
    except BadRequest as problem:
        return json_reply(sys_messages("4000", str(problem)), 400)
    except Forbidden as problem:
        return json_reply(sys_messages("4003", str(problem)), 403)
    except NotFound as problem:
        return json_reply(sys_messages("4004", problem.message), 404)
    return answer if isinstance(answer, PaperReply) else json_reply(answer)


def json_reply(document: Any, status: int = 200) -> PaperReply:
    """A JSON answer."""
    return PaperReply(
        status=status, headers=[("Content-Type", "application/json;charset=utf-8")], body=dumps(document)
    )


def text_reply(text: str, content_type: str = "text/plain;charset=utf-8", status: int = 200) -> PaperReply:
    """A text answer."""
    return PaperReply(status=status, headers=[("Content-Type", content_type)], body=text.encode())


def sys_messages(code: str, text: str, kind: str = "error") -> dict[str, Any]:
    """The broker's message block of its main gateway (protocol 01 §1.6)."""
    message = {
        "message": text,
        "detail": f"Code={code}, Text={text}, Source=Paper",
        "source": "Paper",
        "code": code,
        "type": kind,
    }
    return {"sysMsgs": {"sysMsg": [message]}}


def member(document: Any, *keys: str) -> Any:
    """A required member deep inside a request body.

    Raises:
        BadRequest: It is missing.
    """
    for key in keys:
        if not isinstance(document, dict) or document.get(key) is None:
            raise BadRequest(f"Missing field {'.'.join(keys)}")
        document = document[key]
    return document


def group(document: Any, *keys: str) -> dict[str, Any]:
    """A required object deep inside a request body.

    Raises:
        BadRequest: It is missing, or no object.
    """
    found = member(document, *keys)
    if not isinstance(found, dict):
        raise BadRequest(f"{'.'.join(keys)} must be an object")
    return found
