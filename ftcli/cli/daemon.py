"""Asks the running daemon, for commands that act on it and not on the broker."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from ftcli.errors import (
    ApiKeyInvalid,
    BrokerError,
    DaemonRequired,
    FtError,
    ValidationFailed,
    all_error_classes,
)
from ftcli.models.json import dumps, loads

if TYPE_CHECKING:
    from ftcli.cli.call import Call

T = TypeVar("T")
_TIMEOUT = 15.0


def ask(call: "Call", method: str, path: str, model: type[T], body: Any = None) -> T:
    """Calls a route of the daemon and reads its data.

    Args:
        call: Has the daemon's URL and key (``FT_DAEMON``, ``FT_API_KEY``).
        method, path: The route, under ``/api/v1``.
        model: What its data are.
        body: Its body.

    Raises:
        DaemonRequired: No daemon answers there.
        FtError: What the daemon answers, with its own code.
    """
    base = call.settings.daemon.rstrip("/")
    document = exchange(base, method, f"/api/v1{path}", body, _key(call))
    if not isinstance(document, dict) or "ok" not in document:
        raise DaemonRequired(
            f"What answers on {base} is no daemon of ft. {_START}",
            details={"url": base},
        )
    if not document["ok"]:
        raise _error(document.get("error") or {})
    return msgspec.convert(document["data"], model, strict=False)


def _key(call: "Call") -> str:
    return call.settings.daemon_key.reveal() if call.settings.daemon_key else ""


_START = "Start one with `ft serve`, or set FT_DAEMON."


def exchange(
    base: str,
    method: str,
    path: str,
    body: Any = None,
    key: str = "",
    *,
    what: str = "daemon",
    advice: str = _START,
) -> Any:
    """One HTTP exchange with a program on this machine, never through a proxy; the answer as JSON.

    Args:
        base: Where the program is: ``http://host:port``, or ``unix:///path`` of its socket.
        method, path: What to call.
        body: The body, if any.
        key: API key, if any.
        what, advice: What should answer there, and what to do where nobody does.

    Raises:
        ValidationFailed: It is no such URL.
        DaemonRequired: Nobody answers.
    """
    import ssl

    import httpx  # deferred: few commands ask a daemon

    base = base.rstrip("/")
    socket = base.removeprefix("unix://") if base.startswith("unix:///") else None
    if socket is None and not base.startswith(("http://", "https://")):
        raise ValidationFailed.of("url", base, "be an http URL, or unix:///path of a socket")
    headers = {"Accept": "application/json"}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    if body is not None:
        headers["Content-Type"] = "application/json"
    url = f"http://localhost{path}" if socket else f"{base}{path}"
    transport = httpx.HTTPTransport(uds=socket, verify=ssl.create_default_context())
    try:
        if socket:
            Path(socket).lstat()  # httpx would leave a socket of its own open where there is none
        with httpx.Client(transport=transport, timeout=_TIMEOUT, trust_env=False) as client:
            content = None if body is None else dumps(body)
            reply = client.request(method, url, headers=headers, content=content)
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as problem:
        raise DaemonRequired(
            f"No {what} answers on {base} ({problem}). {advice}",
            details={"url": base},
        ) from None
    try:
        return loads(reply.content)
    except msgspec.DecodeError:
        return None


def _error(document: dict[str, Any]) -> FtError:
    """The daemon's error as ours."""
    code, message = str(document.get("code", "")), str(document.get("message", ""))
    kind: type[FtError] = next((found for found in all_error_classes() if found.code == code), BrokerError)
    if kind is ApiKeyInvalid:
        message = f"{message} Set FT_API_KEY to a key of that daemon; `ft keys create` makes one."
    return kind(message, details=document.get("details"))
