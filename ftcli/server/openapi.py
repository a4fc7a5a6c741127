"""OpenAPI 3.1, read from the declarations: operations, models and the daemon's own routes."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from ftcli import errors
from ftcli.errors import FtError
from ftcli.models.json import dumps
from ftcli.operations.contents import GROUPS
from ftcli.operations.operation import Operation, ParamInfo
from ftcli.server.envelope import RAW
from ftcli.server.keys import SCOPES, Scope
from ftcli.server.own import OwnRoute
from ftcli.server.routes import PREFIX, scope_of
from ftcli.server.schemas import Schemas, bare
from ftcli.version import __version__

Json = dict[str, Any]

_ABOUT = """\
Your brokerage account over local HTTP. Unofficial, not affiliated with Fidelity; use it at your own risk.

Every answer comes in one envelope: `{"ok": true, "data": ..., "error": null}`, or
`{"ok": false, "data": null, "error": {"code", "message", "details"}}`. Money and quantities are exact JSON
numbers: read them as decimals. Times are ISO 8601 with zone. `data` may grow: ignore members you do not know.

Send `Authorization: Bearer ft_...` with each request. `X-Request-Id` is echoed, and found in the log.
"""

_COMMON: tuple[type[FtError], ...] = (errors.ApiKeyInvalid, errors.ValidationFailed, errors.InternalError)
_UPSTREAM: tuple[type[FtError], ...] = (
    errors.AuthRequired,
    errors.TotpRequired,
    errors.SessionExpired,
    errors.RateLimited,
    errors.BrokerError,
)


def document(operations: Iterable[Operation[..., Any]], own: Sequence[OwnRoute]) -> Json:
    """The OpenAPI document.

    Args:
        operations: The operations of the core.
        own: The daemon's own routes.
    """
    return _Writer(list(operations), own).document()


class _Writer:
    def __init__(self, operations: list[Operation[..., Any]], own: Sequence[OwnRoute]) -> None:
        self._operations = operations
        self._own = own
        self._params = {operation.name: operation.params for operation in operations}
        self._results = {operation.name: operation.result for operation in operations}
        self._schemas = Schemas(self._types())

    def _types(self) -> list[Any]:
        types: list[Any] = []
        for operation in self._operations:
            types += [bare(param.type) for param in self._params[operation.name]]
            types.append(self._results[operation.name])
        for route in self._own:
            types += [bare(param.type) for param in route.query]
            types += [kind for kind in (route.body, route.result, *route.events.values()) if kind is not None]
        return types

    def document(self) -> Json:
        paths: dict[str, Json] = {}
        for operation in self._operations:
            paths.setdefault(PREFIX + operation.path, {})[operation.method.lower()] = self._operation(
                operation
            )
        for route in self._own:
            path = route.path if route.root else PREFIX + route.path
            paths.setdefault(path, {})[route.method.lower()] = self._own_route(route)
        return {
            "openapi": "3.1.0",
            "info": {
                "title": "ft",
                "version": __version__,
                "summary": "Local HTTP service for Fidelity accounts.",
                "description": _ABOUT,
                "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            },
            "servers": [{"url": "/", "description": "This daemon"}],
            "tags": self._tags(),
            "paths": paths,
            "components": {
                "schemas": {"Error": _error_schema(), "Failure": _FAILURE, **self._schemas.components},
                "securitySchemes": {"ApiKey": {"type": "http", "scheme": "bearer", "description": _KEY_TEXT}},
                "headers": {"RequestId": _REQUEST_ID, "RetryAfter": _RETRY_AFTER},
            },
        }

    def _tags(self) -> list[Json]:
        used = {operation.name.split(".")[0] for operation in self._operations}
        tags = [{"name": entry.name, "description": entry.summary} for entry in GROUPS if entry.name in used]
        named = {tag["name"] for tag in tags}
        return tags + [
            {"name": tag} for tag in dict.fromkeys(route.tag for route in self._own) if tag not in named
        ]

    # -- operations -----------------------------------------------------------------------------------------

    def _operation(self, operation: Operation[..., Any]) -> Json:
        params = self._params[operation.name]
        raised, text = _docstring(operation.description)
        entry: Json = {
            "operationId": operation.name.replace(".", "_"),
            "tags": [operation.name.split(".")[0]],
            "summary": operation.summary,
        }
        if text:
            entry["description"] = text
        parameters = [self._parameter(param) for param in params if param.where != "body"]
        parameters += _STREAM_PARAMETERS if operation.streaming else [_RAW_PARAMETER]
        if operation.risk == "money":
            parameters.append(_KEY_PARAMETER)
        if parameters:
            entry["parameters"] = parameters
        if body := self._body(operation, [param for param in params if param.where == "body"]):
            entry["requestBody"] = body
        entry["responses"] = {"200": self._good(operation), **_bad(_errors_of(operation, raised), raised)}
        entry["security"] = _security(scope_of(operation))
        entry["x-risk"] = operation.risk
        if operation.inferred:
            entry["x-inferred"] = True
        if operation.cli is not None:
            entry["x-cli"] = f"ft {operation.cli}"
        return entry

    def _parameter(self, param: ParamInfo) -> Json:
        schema = dict(self._schemas.of(bare(param.type)))
        if param.default is not msgspec.NODEFAULT and param.default is not None:
            schema["default"] = _as_json(param.default)
        found: Json = {
            "name": param.name,
            "in": param.where,
            "required": param.where == "path" or param.required,
            "description": param.param.help,
            "schema": schema,
        }
        if param.is_list:
            found |= {"style": "form", "explode": False}
        if param.param.example is not None:
            found["example"] = param.param.example
        return found

    def _body(self, operation: Operation[..., Any], params: list[ParamInfo]) -> Json | None:
        if not params:
            return None
        if operation.body_is is not None:
            return _json_body(self._schemas.of(bare(params[0].type)), params[0].required)
        members = {}
        for param in params:
            schema = dict(self._schemas.of(bare(param.type)))
            if param.default is None:
                schema = {"anyOf": [schema, {"type": "null"}]}
            elif not param.required:
                schema["default"] = _as_json(param.default)
            if param.param.example is not None:
                schema["examples"] = [param.param.example]
            members[param.name] = {**schema, "description": param.param.help}
        required = [param.name for param in params if param.required]
        schema = {
            "type": "object",
            "properties": members,
            "required": required,
            "additionalProperties": False,
        }
        return _json_body(schema, bool(required))

    def _good(self, operation: Operation[..., Any]) -> Json:
        schema = self._schemas.of(self._results[operation.name])
        if operation.streaming:
            return _events({"": schema})
        found = _enveloped(schema)
        found["content"][RAW] = {"schema": _envelope({"description": "The broker's document, untouched."})}
        return found

    # -- the daemon's own -----------------------------------------------------------------------------------

    def _own_route(self, route: OwnRoute) -> Json:
        entry: Json = {
            "operationId": route.name.replace(".", "_"),
            "tags": [route.tag],
            "summary": route.summary,
        }
        if route.text:
            entry["description"] = route.text
        if route.query:
            entry["parameters"] = [self._parameter(param) for param in route.query]
        if route.socket:
            entry["parameters"] = _IN_URL
        if route.body is not None:
            entry["requestBody"] = _json_body(self._schemas.of(route.body), True)
        entry["responses"] = {str(route.status): self._own_good(route), **_bad(_own_errors(route), {})}
        entry["security"] = _security(route.scope) if route.scope else []
        return entry

    def _own_good(self, route: OwnRoute) -> Json:
        if route.socket:
            return {"description": "The WebSocket is open."}
        if route.events:
            return _events({name: self._schemas.of(kind) for name, kind in route.events.items()})
        if route.result is None:
            return {"description": "Done.", "content": {route.media: {"schema": {"type": "string"}}}}
        return _enveloped(self._schemas.of(route.result))


# -- pieces ------------------------------------------------------------------------------------------------

_KEY_TEXT = (
    "An API key, `ft_...`: the first one is shown when the daemon starts for the first time. "
    f"Scopes: {', '.join(SCOPES)}."
)
_REQUEST_ID: Json = {
    "description": "Id of the request: the one you sent, or a new one.",
    "schema": {"type": "string"},
}
_RETRY_AFTER: Json = {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}}
_KEY_PARAMETER: Json = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same key again answers the first outcome, with the header `Idempotency-Replayed: true`, and "
    "sends nothing; with another order it is a CONFLICT.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 128},
}
_RAW_PARAMETER: Json = {
    "name": "raw",
    "in": "query",
    "required": False,
    "description": "Give the broker's untouched document instead of ours.",
    "schema": {"type": "boolean", "default": False},
}
_STREAM_PARAMETERS: list[Json] = [
    {
        "name": "Last-Event-ID",
        "in": "header",
        "required": False,
        "description": "Id of the last event seen: what was missed comes first, or a `gap`.",
        "schema": {"type": "string"},
    },
    {
        "name": "last_event_id",
        "in": "query",
        "required": False,
        "description": "The same, where the header cannot be set.",
        "schema": {"type": "string"},
    },
    {
        "name": "ticket",
        "in": "query",
        "required": False,
        "description": "A ticket instead of a key.",
        "schema": {"type": "string"},
    },
]
_IN_URL: list[Json] = [entry for entry in _STREAM_PARAMETERS if entry["in"] == "query"]
"""What the URL of a WebSocket may hold."""
_FAILURE: Json = {
    "title": "Failure",
    "type": "object",
    "description": "The envelope of an error.",
    "properties": {
        "ok": {"type": "boolean", "const": False},
        "data": {"type": "null"},
        "error": {"$ref": "#/components/schemas/Error"},
    },
    "required": ["ok", "data", "error"],
    "additionalProperties": False,
}


def _error_schema() -> Json:
    codes = sorted({kind.code for kind in errors.all_error_classes()})
    return {
        "title": "Error",
        "type": "object",
        "properties": {
            "code": {"type": "string", "enum": codes, "description": "Stable, for programs."},
            "message": {"type": "string", "description": "For people: what, why, and what to do."},
            "details": {
                "type": ["object", "null"],
                "description": "Facts: field, value, rule, broker's messages ...",
            },
        },
        "required": ["code", "message", "details"],
        "additionalProperties": False,
    }


def _envelope(data: Json) -> Json:
    return {
        "type": "object",
        "properties": {"ok": {"type": "boolean", "const": True}, "data": data, "error": {"type": "null"}},
        "required": ["ok", "data", "error"],
        "additionalProperties": False,
    }


def _enveloped(data: Json) -> Json:
    return {
        "description": "Done.",
        "headers": {"X-Request-Id": {"$ref": "#/components/headers/RequestId"}},
        "content": {"application/json": {"schema": _envelope(data)}},
    }


def _events(schemas: dict[str, Json]) -> Json:
    """Server-sent events: OpenAPI 3.1 has no words for them beyond text, so the schemas stand beside."""
    return {
        "description": "A stream of server-sent events. It begins with `hello` and ends with `bye`.",
        "content": {"text/event-stream": {"schema": {"type": "string"}, "x-events": schemas}},
    }


def _json_body(schema: Json, required: bool) -> Json:
    return {"required": required, "content": {"application/json": {"schema": schema}}}


def _as_json(value: Any) -> Any:
    """A default as JSON shows it: decimals as numbers, codes as their words."""
    return msgspec.json.decode(dumps(value))


def _security(scope: Scope) -> list[Json]:
    return [{"ApiKey": [scope]}]


_RAISES = re.compile(r"(?ms)^Raises:\n(?P<lines>.*?)(?:\n\n|\Z)")
_RAISED = re.compile(r"(?m)^(?P<name>[A-Z]\w+): (?P<text>.*(?:\n(?![A-Z]\w+: ).+)*)")


def _docstring(description: str) -> tuple[dict[type[FtError], str], str]:
    """The errors a docstring promises, and its text without them."""
    match = _RAISES.search(description)
    if match is None:
        return {}, description
    raised = {}
    for found in _RAISED.finditer(match["lines"]):
        kind = getattr(errors, found["name"], None)
        if isinstance(kind, type) and issubclass(kind, FtError):
            raised[kind] = " ".join(found["text"].split())
    text = f"{description[: match.start()].rstrip()}\n\n{description[match.end() :].lstrip()}".strip()
    return raised, text


def _errors_of(operation: Operation[..., Any], raised: dict[type[FtError], str]) -> list[type[FtError]]:
    found = [*_COMMON, *_UPSTREAM, *raised]
    if operation.risk == "read":
        found.append(errors.UpstreamTimeout)
    if any(param.where == "path" for param in operation.params) or operation.body_is:
        found.append(errors.NotFound)
    return found


def _own_errors(route: OwnRoute) -> list[type[FtError]]:
    common = _COMMON if route.scope else (errors.ValidationFailed, errors.InternalError)
    return [*common, *route.errors]


def _bad(kinds: list[type[FtError]], texts: dict[type[FtError], str]) -> dict[str, Json]:
    """The error answers, one per HTTP status, with an example per code."""
    by_status: dict[int, list[type[FtError]]] = {}
    for kind in dict.fromkeys(kinds):
        by_status.setdefault(kind.status, []).append(kind)
    found: dict[str, Json] = {}
    for status, same in sorted(by_status.items()):
        told = {kind.code: texts.get(kind) or (kind.__doc__ or "").partition("\n")[0] for kind in same}
        examples = {
            code: {
                "value": {
                    "ok": False,
                    "data": None,
                    "error": {"code": code, "message": text, "details": None},
                }
            }
            for code, text in told.items()
        }
        headers: Json = {"X-Request-Id": {"$ref": "#/components/headers/RequestId"}}
        if status == 429:
            headers["Retry-After"] = {"$ref": "#/components/headers/RetryAfter"}
        found[str(status)] = {
            "description": " ".join(f"{code}: {text}" for code, text in told.items()),
            "headers": headers,
            "content": {
                "application/json": {"schema": {"$ref": "#/components/schemas/Failure"}, "examples": examples}
            },
        }
    return found
