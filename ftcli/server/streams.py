"""Routes that look at and steer the streams of the running daemon."""

from typing import Annotated

from aiohttp import web

from ftcli.errors import ApiKeyInvalid, AuthRequired, NotFound, RateLimited, ValidationFailed
from ftcli.models.field import Model, Request, at
from ftcli.models.streaming import MddsStatus, StreamStatus, Subscriptions
from ftcli.operations.binding import convert
from ftcli.server.envelope import answer
from ftcli.server.front import KEY
from ftcli.server.own import OwnRoute
from ftcli.server.routes import read_json
from ftcli.server.service import Handler, Service
from ftcli.server.tickets import LIFETIME
from ftcli.server.ws import ws_handler
from ftcli.streaming.hub import Hub
from ftcli.streaming.symbols import stream_symbols


class SymbolsBody(Request, frozen=True):
    """Symbols to subscribe or unsubscribe."""

    symbols: Annotated[list[str], at(None, "Symbols, such as AAPL or .SPX.", example=["AAPL"])]


class Ticket(Model):
    """Opens one stream."""

    ticket: Annotated[str, at(None, "Give it as `?ticket=` to one stream.")]
    expires_in: Annotated[int, at(None, "How long it is good.", unit="s")]


_UNUSED = StreamStatus(
    mdds=MddsStatus(connected=False, state="none", sockets=[], counters={}),
    beps=None,
    consumers=0,
    subscriptions=0,
    connected=False,
)
"""The state of streams that nobody has used yet."""


async def _symbols(request: web.Request) -> list[str]:
    body: SymbolsBody = convert(await read_json(request), SymbolsBody)
    names = stream_symbols(body.symbols)
    if not names:
        raise ValidationFailed.of("symbols", None, "name at least one symbol")
    return names


def _present(hub: Hub, symbols: list[str]) -> Subscriptions:
    rows = hub.subscriptions().subscriptions
    return Subscriptions(subscriptions=[row for row in rows if row.kind == "quote" and row.symbol in symbols])


def _subscribe(service: Service) -> Handler:
    async def subscribe(request: web.Request) -> web.StreamResponse:
        symbols = await _symbols(request)
        hub = await service.open_hub()
        service.holds.hold(hub, request[KEY], symbols)
        return answer(request, _present(hub, symbols))

    return subscribe


def _unsubscribe(service: Service) -> Handler:
    async def unsubscribe(request: web.Request) -> web.StreamResponse:
        symbols = await _symbols(request)
        hub = await service.open_hub()
        service.holds.release(hub, request[KEY], symbols)
        return answer(request, _present(hub, symbols))

    return unsubscribe


def _subscriptions(service: Service) -> Handler:
    async def subscriptions(request: web.Request) -> web.StreamResponse:
        return answer(
            request, service.hub.subscriptions() if service.hub else Subscriptions(subscriptions=[])
        )

    return subscriptions


def _status(service: Service) -> Handler:
    async def status(request: web.Request) -> web.StreamResponse:
        return answer(request, service.hub.status() if service.hub else _UNUSED)

    return status


def _ticket(service: Service) -> Handler:
    async def ticket(request: web.Request) -> web.StreamResponse:
        await read_json(request)
        return answer(request, Ticket(ticket=service.tickets.issue(request[KEY]), expires_in=int(LIFETIME)))

    return ticket


_SOCKET_TEXT = """\
Say `{"action": "subscribe", "symbols": ["AAPL", "TSLA"]}` or `unsubscribe`; any command may carry an `id`,
which the reply echoes. The reply is `{"type": "ack", "symbols": [...], "errors": [...]}`, then come the
symbols' quotes as they are and as they change: objects without `type`. Objects with `type` `status`,
`symbol_error`, `gap` and `error` tell about the stream.

Each update carries the `id` of its place in the stream. Who comes back gives the last one, as `?last_event_id=` for
the first subscription or as the command's `last_event_id`, and gets what was missed, or a `gap`.

Who cannot send the `Authorization` header (a browser) gives `?ticket=`, or says
`{"action": "auth", "key": "ft_..."}` first, within five seconds; the first command may carry the `key` too. Close
codes: 1001 the daemon stops, 4400 bad messages, 4401 no or wrong key, 4403 no scope, or account events with a key
bound to accounts, 4408 too slow, 4429 too many streams or wrong keys, 4503 the broker cannot be reached or wants a
login.
"""

_EVENTS_TEXT = """\
Events come by themselves, from the moment the socket is open; `?last_event_id=` with the last `id` seen brings those
missed since, or a `gap`. Objects with `type` `status`, `gap` and `error` tell about the stream.
"""

_SOCKETS = (
    ("quotes", "quotes", "Open a WebSocket of quotes."),
    ("trades", "trades", "Open a WebSocket of trades."),
    ("book", "books", "Open a WebSocket of Level 2 books."),
    ("bars", "bars", "Open a WebSocket of one-minute bars."),
    ("events", "events", "Open a WebSocket of account events."),
)
"""Word of the path, the hub's reader, summary."""


def _socket(kind: str, reader: str, summary: str) -> OwnRoute:
    return OwnRoute(
        name=f"stream.socket_{kind}" if kind != "quotes" else "stream.socket",
        method="GET",
        path=f"/ws/{kind}",
        make=lambda service: ws_handler(service, reader),
        tag="stream",
        summary=summary,
        text=_EVENTS_TEXT if kind == "events" else _SOCKET_TEXT.replace("quotes", kind),
        scope="stream",
        status=101,
        socket=True,
        errors=(ApiKeyInvalid, AuthRequired),
    )


STREAM_ROUTES: tuple[OwnRoute, ...] = (
    OwnRoute(
        name="stream.subscribe",
        method="POST",
        path="/streaming/subscribe",
        make=_subscribe,
        tag="stream",
        summary="Keep symbols subscribed, whether or not somebody reads them.",
        text="Each call counts: it takes as many calls of unsubscribe, with the same key, to let go.",
        scope="stream",
        body=SymbolsBody,
        result=Subscriptions,
        errors=(AuthRequired, RateLimited),
        changes=True,
    ),
    OwnRoute(
        name="stream.unsubscribe",
        method="POST",
        path="/streaming/unsubscribe",
        make=_unsubscribe,
        tag="stream",
        summary="End what subscribe began.",
        text="A key lets go of what it holds itself; one with the scope admin of what any key holds.",
        scope="stream",
        body=SymbolsBody,
        result=Subscriptions,
        errors=(NotFound,),
        changes=True,
    ),
    OwnRoute(
        name="stream.subscriptions",
        method="GET",
        path="/streaming/subscriptions",
        make=_subscriptions,
        tag="stream",
        summary="List subscribed symbols with their counts.",
        scope="stream",
        result=Subscriptions,
    ),
    OwnRoute(
        name="stream.status",
        method="GET",
        path="/streaming/status",
        make=_status,
        tag="stream",
        summary="Show the state of market data and account events.",
        scope="stream",
        result=StreamStatus,
    ),
    OwnRoute(
        name="stream.ticket",
        method="POST",
        path="/streaming/tickets",
        make=_ticket,
        tag="stream",
        summary="Get a ticket that opens one stream from a browser.",
        text="Good once, for 30 seconds: `EventSource('/api/v1/streaming/quotes?symbols=AAPL&ticket=...')`.",
        scope="stream",
        result=Ticket,
        errors=(RateLimited,),
        changes=True,
    ),
    *(_socket(kind, reader, summary) for kind, reader, summary in _SOCKETS),
)
