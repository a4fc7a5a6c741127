"""The operations as routes: one handler for all, and one plan per operation, made when the daemon starts."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from operator import attrgetter
from typing import Any

import msgspec
from aiohttp import web

from ftcli.client import Client
from ftcli.errors import FtError, ValidationFailed
from ftcli.models.json import dumps, loads
from ftcli.operations.binding import bind, convert
from ftcli.operations.operation import Operation, ParamInfo
from ftcli.server.door import BODY_SECONDS, MAX_BODY
from ftcli.server.envelope import RAW, REQUEST_ID, refuse, reply, success
from ftcli.server.expect import ask_for_body
from ftcli.server.keys import Scope, check_scope
from ftcli.server.service import Answer, Guard, Handler, Service

audit = logging.getLogger("ftcli.audit")

PREFIX = "/api/v1"


class Prepared(Operation[..., Any]):
    """An operation some of whose parameters are resolved once and for all, so that no request pays for it."""

    def __init__(self, operation: Operation[..., Any], places: tuple[str, ...]) -> None:
        self.__dict__.update(vars(operation))
        self._resolved = [param for param in operation.params if param.where in places]

    @property
    def params(self) -> list[ParamInfo]:
        """The parameters in these places."""
        return self._resolved


class Plan:
    """How one operation's request is read and answered.

    Args:
        operation: The operation.
    """

    def __init__(self, operation: Operation[..., Any]) -> None:
        self.operation = operation
        self.name = operation.name
        self.in_url = Prepared(operation, ("path", "query"))
        self.in_body = Prepared(operation, ("body",))
        self.body_is = operation.body_is
        self.takes_body = bool(self.in_body.params)
        self.tells_secret = [param.name for param in operation.params if param.param.tells_secret]
        self.lists = frozenset(param.name for param in self.in_url.params if param.is_list)
        # A preview is a read too, but each mints a number of its own: only a GET can be shared.
        self.shared = operation.method == "GET" and operation.risk == "read"
        self.call: Callable[..., Awaitable[Any]] = _unbound

    def bind(self, client: Client) -> None:
        """Finds the operation's method on the client."""
        self.call = attrgetter(self.name)(client)

    def url_arguments(self, request: web.Request, extra: tuple[str, ...] = ()) -> tuple[dict[str, Any], bool]:
        """The arguments in path and query, and whether the broker's own document is wanted.

        Args:
            request: The request.
            extra: Names in the query that are none of the operation's.

        Raises:
            ValidationFailed: One is unknown, missing, given twice or wrong.
        """
        given: dict[str, Any] = dict(request.match_info)
        raw = False
        if request.query_string:
            query = request.query
            for name in query:
                values = query.getall(name)
                if name in extra:
                    continue
                if name == "raw" and not self.operation.streaming:
                    raw = convert(values[-1], bool, "raw", texts=True)
                elif name in given and name in request.match_info:
                    raise ValidationFailed.of(name, values[0], "be given in the path only")
                elif len(values) > 1 and name not in self.lists:
                    raise ValidationFailed.of(name, ", ".join(values), "be given once")
                else:
                    given[name] = values if name in self.lists else values[0]
        return bind(self.in_url, given), raw

    async def body_arguments(self, request: web.Request) -> dict[str, Any]:
        """The arguments in the body.

        Raises:
            ValidationFailed: It is no JSON object, or a member is unknown, missing or wrong.
        """
        document = await read_json(request)
        if not self.takes_body:
            if document:
                raise ValidationFailed.of("body", None, "not be given here")
            return {}
        if self.body_is is None:
            if document is not None and not isinstance(document, dict):
                raise ValidationFailed.of("body", None, "be a JSON object")
            return bind(self.in_body, document or {}, texts=False)
        if document is None:
            raise ValidationFailed.of("body", None, "be given")
        return bind(self.in_body, {self.body_is.name: document}, texts=False)


async def _unbound(**arguments: Any) -> Any:
    raise RuntimeError("the daemon has not started")


def scope_of(operation: Operation[..., Any]) -> Scope:
    """What an API key needs for an operation."""
    if operation.streaming:
        return "stream"
    if operation.risk == "read":
        return "read"
    return "admin" if operation.name.split(".")[0] in ("auth", "credentials", "paper") else "trade"


def guard_of(operation: Operation[..., Any]) -> Guard:
    """What the front must know of an operation."""
    return Guard(
        operation.name,
        scope_of(operation),
        changes=operation.method != "GET",
        audit=operation.risk != "read",
        always=operation.name in _STOPS_TRADING,
    )


_STOPS_TRADING = ("orders.cancel.place", "trading.halt")


async def read_json(request: web.Request) -> Any:
    """The JSON body; ``None`` where there is none.

    Raises:
        ValidationFailed: It is not declared as JSON, comes too slowly, or is no JSON.
    """
    if not request.body_exists:
        return None
    if (request.content_length or 0) > MAX_BODY:
        raise web.HTTPRequestEntityTooLarge(MAX_BODY, request.content_length or 0)
    try:
        async with asyncio.timeout(BODY_SECONDS):
            await ask_for_body(request)
            body = await request.read()
    except TimeoutError:
        raise ValidationFailed.of("body", None, f"arrive within {BODY_SECONDS} seconds") from None
    except web.RequestPayloadError as problem:
        raise ValidationFailed.of("body", None, f"be whole and well chunked ({problem})") from None
    if not body:
        return None
    if request.content_type != "application/json":
        raise ValidationFailed.of("Content-Type", request.content_type, "be application/json")
    if (request.charset or "utf-8").lower() not in ("utf-8", "utf8"):
        raise ValidationFailed.of("Content-Type", request.charset, "name no charset but utf-8")
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise ValidationFailed.of("Content-Encoding", request.headers["Content-Encoding"], "not be given")
    try:
        document = loads(body)
        json.loads(body, object_pairs_hook=_each_once, parse_int=str, parse_float=str)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise ValidationFailed(
            f"The body is not valid JSON: {problem}.",
            details={"field": "body", "value": None, "rule": "be valid JSON"},
        ) from None
    if document is None:
        raise ValidationFailed.of("body", None, "be a JSON object")
    return document


def _each_once(pairs: list[tuple[str, Any]]) -> None:
    """Refuses an object that says a thing twice: of two quantities somebody else may read the other one."""
    names = [name for name, _ in pairs]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ValidationFailed.of("body", twice[:80], "name each member once")


def raw_data(result: Any) -> bytes:
    """The broker's own document: its very bytes where it is JSON, else decoded or as a JSON string."""
    body = getattr(result, "raw_body", None)
    if body:
        try:
            return bytes(msgspec.json.decode(body, type=msgspec.Raw))
        except (msgspec.DecodeError, UnicodeDecodeError):
            pass
    return dumps(getattr(result, "raw", None))


def operation_handler(service: Service, plan: Plan) -> Handler:
    """The handler of an operation that answers once."""
    from ftcli.server.front import KEY  # deferred: the front's own routes read bodies as we do

    flights = service.flights

    def permit(request: web.Request, arguments: dict[str, Any]) -> None:
        """Whoever asks for a secret needs the scope admin, and leaves a line in the audit log."""
        if any(arguments.get(name) for name in plan.tells_secret):
            key = check_scope(request[KEY], "admin")
            audit.info(
                "%s told a secret", plan.name, extra={"key": key.id, "request_id": request[REQUEST_ID]}
            )

    async def shared(request: web.Request) -> web.StreamResponse:
        arguments, raw = plan.url_arguments(request)
        permit(request, arguments)

        async def call() -> Answer:
            result = await plan.call(**arguments)
            return Answer(result, dumps(result))

        found = await flights.fly(plan.name.encode() + dumps(arguments), call)
        if raw:
            return reply(request, success(raw_data(found.result)), content_type=RAW)
        return reply(request, success(found.data))

    async def single(request: web.Request) -> web.StreamResponse:
        arguments, raw = plan.url_arguments(request)
        arguments |= await plan.body_arguments(request)
        permit(request, arguments)
        flights.turn()
        try:
            result = await plan.call(**arguments)
        finally:
            flights.turn()
        return answered(request, result, raw)

    async def acting(request: web.Request) -> web.StreamResponse:
        """Says who acts, and under which key; a repeated order is answered from the journal."""
        key = request.headers.get("Idempotency-Key") if plan.operation.risk == "money" else None
        who = request.get(KEY)
        with service.client.placing_as("http", key=key, api_key=who.id if who else "") as origin:
            try:
                response = await single(request)
            except FtError as problem:
                if not origin.replayed:
                    raise
                response = refuse(request, problem)
        if origin.replayed:
            response.headers["Idempotency-Replayed"] = "true"
        return response

    def answered(request: web.Request, result: Any, raw: bool) -> web.Response:
        if raw:
            return reply(request, success(raw_data(result)), content_type=RAW)
        return reply(request, success(dumps(result)))

    handler = shared if plan.shared else single if plan.operation.method == "GET" else acting
    return service.guard(handler, guard_of(plan.operation))
