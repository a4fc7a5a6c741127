"""WebSockets, one path a kind: a client says which symbols it wants, and gets their updates as JSON text."""

import asyncio
from collections.abc import Callable
from operator import attrgetter
from typing import Any

import msgspec
from aiohttp import WSCloseCode, WSMsgType, hdrs, web

from ftcli.errors import ApiKeyInvalid, FtError, ValidationFailed
from ftcli.models.json import dumps
from ftcli.server.envelope import REQUEST_ID, error_document
from ftcli.server.front import KEY, admit
from ftcli.server.key_watch import KEY_WATCH
from ftcli.server.pipe import Pipe, close_when_lost
from ftcli.server.service import Handler, Service
from ftcli.streaming.consumer import Consumer
from ftcli.streaming.symbols import stream_symbol
from ftcli.streaming.update import Update, ws_text_frame

PING = 20.0
"""Seconds between pings; a client that does not answer within ten is gone."""
AUTH_WITHIN = 5.0
"""Seconds in which a client without a header must bring its key."""
_CLOSE_WITHIN = 1.0
"""Seconds a client has to answer our close."""
_MAX_MESSAGE = 64 * 1024
_MAX_ERRORS = 20
"""Bad messages in a row after which a client is beyond help."""

CLOSE_UNAUTHORIZED = 4401
CLOSE_FORBIDDEN = 4403
CLOSE_BAD_MESSAGE = 4400
CLOSE_TOO_SLOW = 4408
CLOSE_TOO_MANY = 4429
CLOSE_NO_BROKER = 4503

_CODES = {
    "shutdown": WSCloseCode.GOING_AWAY,
    "overflow": CLOSE_TOO_SLOW,
    "key": CLOSE_UNAUTHORIZED,
    "logout": CLOSE_UNAUTHORIZED,
    "too many bad messages": CLOSE_BAD_MESSAGE,
}


QUERY = ("last_event_id", "ticket")
"""Parameters of every WebSocket's URL."""


class Command(msgspec.Struct, frozen=True):
    """What a client may say. ``id`` may be anything; the reply carries it back."""

    action: str
    symbols: list[str] = []
    last_event_id: str = ""
    id: Any = None
    key: str = ""
    ticket: str = ""


_commands = msgspec.json.Decoder(Command)


def ws_handler(service: Service, reader: str) -> Handler:
    """The handler of a WebSocket.

    Args:
        service: The daemon.
        reader: The hub's reader that it serves: ``quotes``, ``trades``, ``books``, ``bars`` or ``events``.
    """

    async def talk(request: web.Request) -> web.StreamResponse:
        for name in request.query:
            if name not in QUERY:
                raise ValidationFailed(
                    f"{name} is no parameter of a WebSocket; there are {' and '.join(QUERY)}.",
                    details={"field": name, "value": None, "rule": f"be one of {', '.join(QUERY)}"},
                )
        if request.headers.get(hdrs.UPGRADE, "").lower() != "websocket":
            raise ValidationFailed.of("Upgrade", request.headers.get(hdrs.UPGRADE), "be websocket")
        if request.headers.get(hdrs.SEC_WEBSOCKET_VERSION) != "13":
            given = request.headers.get(hdrs.SEC_WEBSOCKET_VERSION)
            raise ValidationFailed.of("Sec-WebSocket-Version", given, "be 13")
        if KEY in request:
            await service.open_hub()
        socket = web.WebSocketResponse(
            timeout=_CLOSE_WITHIN, heartbeat=PING, max_msg_size=_MAX_MESSAGE, compress=False
        )
        socket.headers.update({hdrs.SERVER: "ft", "X-Request-Id": request[REQUEST_ID]})
        await socket.prepare(request)
        await _Talk(service, request, socket, reader).run()
        return socket

    return talk


class _Talk:
    """One client's conversation."""

    def __init__(
        self, service: Service, request: web.Request, socket: web.WebSocketResponse, reader: str
    ) -> None:
        self._reader = reader
        self._service = service
        self._request = request
        self._socket = socket
        self._pipe = Pipe(request, service.outbox, _ws_frame)
        self._errors = 0
        self._last_id = request.query.get("last_event_id", "")
        """What the client has seen last, until its first subscription is told what it has missed."""

    async def run(self) -> None:
        """Talks until one side has had enough."""
        try:
            async with asyncio.timeout(None if KEY in self._request else AUTH_WITHIN) as patience:
                with self._service.stream(lambda reason: patience.reschedule(0)):
                    first = await self._authenticate()
            consumer = await self._consumer()
        except TimeoutError:
            if self._service.closing.is_set():
                await self._end(WSCloseCode.GOING_AWAY, "shutdown")
            else:
                await self._end(CLOSE_UNAUTHORIZED, "no key came within 5 seconds")
        except ApiKeyInvalid as problem:
            good = (problem.details or {}).get("reason") in ("scope", "account")
            await self._refuse(problem, CLOSE_FORBIDDEN if good else CLOSE_UNAUTHORIZED)
        except FtError as problem:
            await self._refuse(problem, _code_of(problem))
        else:
            try:
                watch = self._request.app[KEY_WATCH]
                with self._service.stream(consumer.close), watch.over(self._request[KEY], consumer.close):
                    await self._serve(consumer, first)
            finally:
                consumer.close("left")

    async def _consumer(self) -> Consumer:
        """The reader, with what it has missed where it says what it has seen last."""
        hub = await self._service.open_hub()
        options = {"last_id": self._last_id} if self._reader == "events" else {}
        consumer: Consumer = getattr(hub, self._reader)(sink=self._pipe.offer, **options)
        consumer.open()
        return consumer

    async def _authenticate(self) -> str:
        """Waits for the key, where the header has not brought it; the command that came with it."""
        if KEY in self._request:
            return ""
        message = await self._socket.receive()
        if message.type is not WSMsgType.TEXT:
            raise ApiKeyInvalid("The first message must bring the key.", details={"reason": "missing"})
        command = _read(message.data)
        key, ticket = command.key or None, command.ticket or None
        bare = command.action == "auth"
        admit(self._service, self._request, key, ticket, counted=bare and ticket is None)
        if not bare:
            return str(message.data)
        self._say({"type": "ack", "action": command.action, "id": command.id})
        return ""

    async def _serve(self, consumer: Consumer, first: str) -> None:
        close_when_lost(self._request, consumer)
        self._pipe.release(consumer)
        pump = asyncio.create_task(self._deliver(consumer))
        try:
            if first:
                self._hear(first, consumer)
            async for message in self._socket:
                if message.type is WSMsgType.TEXT:
                    self._hear(message.data, consumer)
                elif message.type is WSMsgType.BINARY:
                    self._errors += 1
                    self._complain(ValidationFailed("Messages must be JSON text."), None)
                if self._errors >= _MAX_ERRORS:
                    consumer.close("too many bad messages")
                    break
                await self._pipe.room()  # who does not read our answers is not listened to
        finally:
            consumer.close("left")
            await asyncio.wait({pump}, timeout=_CLOSE_WITHIN)
            pump.cancel()

    async def _deliver(self, consumer: Consumer) -> None:
        """Delivers what the socket could not take at once, and closes it when the hub closes the consumer."""
        try:
            await self._pipe.pump(consumer)
        except ConnectionError:
            return
        if not self._pipe.is_gone and consumer.close_reason != "left":
            await self._pipe.finish(consumer)
            if consumer.error is not None:
                self._complain(consumer.error, None)
            code = _CODES.get(consumer.close_reason, WSCloseCode.INTERNAL_ERROR)
            await self._end(code, consumer.close_reason)

    def _hear(self, text: str, consumer: Consumer) -> None:
        """Carries out a command; a bad one is answered, and nobody else notices."""
        identity: Any = None
        try:
            command = _read(text)
            identity = command.id
            self._service.count(self._request[KEY])
            self._obey(command, consumer)
            self._errors = 0
        except FtError as problem:
            self._errors += 1
            self._complain(problem, identity)

    def _obey(self, command: Command, consumer: Consumer) -> None:
        if command.action not in ("subscribe", "unsubscribe"):
            raise ValidationFailed.of("action", command.action, "be subscribe or unsubscribe")
        if consumer.kind == "event":
            raise ValidationFailed.of(
                "action", command.action, "be left out: account events come by themselves"
            )
        good, errors = _sorted_out(command.symbols)
        if not good and not errors:
            raise ValidationFailed.of("symbols", None, "name at least one symbol")
        self._pipe.hold()  # what is known of the symbols comes after the acknowledgement
        try:
            done = self._change(command, good, consumer) if good else []
            self._say(
                {
                    "type": "ack",
                    "action": command.action,
                    "id": command.id,
                    "symbols": done,
                    "errors": errors,
                    "subscribed": sorted(consumer.symbols),
                }
            )
        finally:
            self._pipe.release(consumer)

    def _change(self, command: Command, symbols: list[str], consumer: Consumer) -> list[str]:
        if command.action == "unsubscribe":
            return consumer.remove(symbols)
        done = consumer.add(symbols, last_id=command.last_event_id or self._last_id)
        self._last_id = ""
        return done

    def _say(self, document: object) -> None:
        self._pipe.write(ws_text_frame(dumps(document)))

    def _complain(self, problem: FtError, identity: Any) -> None:
        self._say({"type": "error", "id": identity, "error": error_document(problem)})

    async def _refuse(self, problem: FtError, code: int) -> None:
        self._complain(problem, None)
        await self._end(code, problem.code)

    async def _end(self, code: int, reason: str) -> None:
        await self._socket.close(code=code, message=reason.encode()[:120])


def _code_of(problem: FtError) -> int:
    """The close code of a refusal that the key is not to blame for."""
    if isinstance(problem, ValidationFailed):
        return CLOSE_BAD_MESSAGE
    return CLOSE_TOO_MANY if problem.status == 429 else CLOSE_NO_BROKER


_ws_frame: Callable[[Update], bytes] = attrgetter("ws_frame")


def _read(text: str) -> Command:
    try:
        return _commands.decode(text)
    except (msgspec.DecodeError, RecursionError) as problem:
        raise ValidationFailed(
            f'This is no command: {problem}. Say {{"action": "subscribe", "symbols": ["AAPL"]}}.',
            details={"field": "message", "value": None, "rule": "be a command"},
        ) from None


def _sorted_out(symbols: list[str]) -> tuple[list[str], list[dict[str, Any]]]:
    """Symbols that can be some, and errors for the others."""
    good: list[str] = []
    errors: list[dict[str, Any]] = []
    for symbol in symbols:
        try:
            good.append(stream_symbol(symbol))
        except ValidationFailed as problem:
            errors.append({"symbol": symbol, **error_document(problem)})
    return good, errors
