"""``ft api``: the raw way to any route, inside this process."""

import re
from collections.abc import Iterator
from typing import Annotated, Any

from ftcli.cli.call import Call
from ftcli.cli.forms import form
from ftcli.cli.mount import json_object
from ftcli.errors import NotFound, ValidationFailed
from ftcli.operations.binding import bind
from ftcli.operations.operation import Operation, Param

METHODS = ("GET", "POST", "PUT", "DELETE")
PREFIX = "/api/v1"


@form(
    examples=(
        "api GET /accounts",
        "--paper api GET '/market-data/quotes?symbols=AAPL,TSLA'",
        "api POST /orders/equity/preview --body - < order.json",
    )
)
async def api(
    call: Call,
    method: Annotated[str, Param("GET, POST, PUT or DELETE.", argument=True)],
    path: Annotated[str, Param("Path of the route, with its query; /api/v1 may be left out.", argument=True)],
    body: Annotated[str | None, Param("The body as JSON; - reads stdin.")] = None,
    yes: Annotated[bool, Param("Place without asking.", cli=("--yes", "-y"))] = False,
    live: Annotated[bool, Param("Switch live trading on for this command.")] = False,
) -> None:
    """Call any HTTP route by method and path, without a server.

    Prints what the service would answer under `data`. The same rules hold as everywhere: placing needs live
    trading, or the paper broker.
    """
    from ftcli.cli.placing import place_after_question, switch_live_on
    from ftcli.cli.running import method_of

    if live:
        switch_live_on(call)
    verb = method.strip().upper()
    operation, in_path = route(verb, path.partition("?")[0])
    if "output" not in call.flags:
        call.flags["output"] = "json"
    given = _values(call, operation, in_path, path.partition("?")[2], json_object(body, "--body", call))
    arguments = bind(operation, given, texts=verb in ("GET", "DELETE"))
    async with call.open_client() as client:

        async def ask_broker() -> Any:
            with client.placing_as("cli"):
                return await method_of(client, operation)(**arguments)

        if operation.risk == "money":
            call.show(await place_after_question(call, operation, arguments, ask_broker, yes))
        else:
            call.show(await ask_broker())


def route(verb: str, path: str) -> tuple[Operation[..., Any], dict[str, str]]:
    """The operation of a route, and the values in its path.

    Raises:
        ValidationFailed: The method is none of HTTP's that are used here.
        NotFound: There is no such route.
    """
    if verb not in METHODS:
        raise ValidationFailed.of("METHOD", verb, f"be one of {', '.join(METHODS)}")
    wanted = "/" + path.strip().removeprefix(PREFIX).strip("/")
    candidates = list(_operations())
    # A word of the path wins over a {name}: /orders/staged is not the order "staged".
    for operation in sorted(candidates, key=lambda item: item.path.count("{")):
        found = re.fullmatch(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", operation.path), wanted)
        if found and operation.method == verb:
            from urllib.parse import unquote

            return operation, {name: unquote(value) for name, value in found.groupdict().items()}
    from difflib import get_close_matches

    near = get_close_matches(
        f"{verb} {wanted}", [f"{item.method} {item.path}" for item in candidates], n=1, cutoff=0.4
    )
    hint = f" Did you mean {near[0]}?" if near else ""
    raise NotFound(f"There is no route {verb} {wanted}.{hint}", details={"method": verb, "path": wanted})


def _operations() -> Iterator[Operation[..., Any]]:
    from ftcli.operations.registry import all_operations

    return (operation for operation in all_operations() if not operation.streaming)


def _values(
    call: Call,
    operation: Operation[..., Any],
    in_path: dict[str, str],
    query: str,
    body: dict[str, Any] | None,
) -> dict[str, Any]:
    from urllib.parse import parse_qs

    given: dict[str, Any] = dict(in_path)
    for name, values in parse_qs(query, keep_blank_values=True).items():
        if name == "raw" and values[-1] in ("true", "1"):
            call.flags["output"] = "raw"
        else:
            given[name] = values if len(values) > 1 else values[-1]
    whole = operation.body_is
    if body is not None:
        given |= {whole.name: body} if whole else body
    return given
