"""The stream sockets of the paper broker: market data and account events over aiohttp, with their faults."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from aiohttp import WSMsgType, web

from ftcli.paper.beps import SUBPROTOCOL, BepsFeed, credentials_of
from ftcli.paper.desk import Desk
from ftcli.paper.mdds import LEAST_WAIT, MddsFeed, SocketEnd
from ftcli.paper.mdds_board import Board

MOST_WAITING = 20_000
"""Frames that may wait for a client before it is cut off."""
_EVERY = LEAST_WAIT.total_seconds()


class _Line:
    """One open socket: frames wait in line, so that a slow client does not hold up the others."""

    def __init__(self, hall: "Sockets", request: web.Request, socket: web.WebSocketResponse) -> None:
        faults = hall.desk.faults.current()
        self.socket = socket
        self.dropped, self.closed = faults.drop, faults.close
        self._transport = request.transport
        self._waiting: asyncio.Queue[str] = asyncio.Queue()
        self._ending: asyncio.Future[bool] | None = None

    def say(self, frames: list[str]) -> None:
        """Puts frames in line."""
        for frame in frames:
            self._waiting.put_nowait(frame)
        if self._waiting.qsize() > MOST_WAITING:
            self.abort()

    def abort(self) -> None:
        """Breaks the connection without a word."""
        if self._transport is not None:
            self._transport.abort()

    def end(self) -> None:
        """Closes the connection with a close frame."""
        self._ending = asyncio.ensure_future(self.socket.close(code=1001, message=b"fault"))

    async def deliver(self) -> None:
        """Sends what is in line until the connection ends."""
        try:
            while True:
                await self.socket.send_str(await self._waiting.get())
        except ConnectionError:
            return


class Sockets:
    """Every open stream socket, and the one clock that makes them speak.

    Args:
        desk: The paper broker.
    """

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._board = Board(desk)
        self._market: dict[_Line, MddsFeed] = {}
        self._events: dict[_Line, BepsFeed] = {}
        self._ticking: asyncio.Task[None] | None = None

    # -- opening -----------------------------------------------------------------------------------------

    async def market_data(self, request: web.Request) -> web.StreamResponse:
        """An MDDS socket: needs a live session, as the broker's does."""
        refusal = await self._refusal(request)
        if refusal is not None:
            return refusal
        needs_session = self.desk.faults.current().mdds_cookie
        if needs_session and not self.desk.logins.is_live(dict(request.cookies), self.desk.now()):
            return web.Response(status=401)
        if request.query.get("productid") != "atn":
            return web.json_response({"sim": "unknown path"}, status=404)
        socket = web.WebSocketResponse(compress=True, autoping=False)
        await socket.prepare(request)
        feed = MddsFeed(self.desk, self._board)
        line = _Line(self, request, socket)
        line.say(feed.greeting(self.desk.now()))
        await self._serve(line, feed, self._market, lambda text: feed.receive(text, self.desk.now()))
        return socket

    async def account_events(self, request: web.Request) -> web.StreamResponse:
        """A BEPS socket: needs the subprotocol and a header with token and host (protocol 05 §7.3)."""
        refusal = await self._refusal(request)
        if refusal is not None:
            return refusal
        way = self.desk.faults.current().beps_connect
        if way in ("401", "403"):
            return web.Response(status=int(way))
        found = credentials_of(request.query)
        if found is None or SUBPROTOCOL not in request.headers.get("Sec-WebSocket-Protocol", ""):
            return web.Response(status=400)
        socket = web.WebSocketResponse(protocols=[SUBPROTOCOL], autoping=False)
        await socket.prepare(request)
        feed = BepsFeed(self.desk, found["Authorization"], time.monotonic())
        line = _Line(self, request, socket)
        await self._serve(line, feed, self._events, lambda text: feed.receive(text, self.desk.now()))
        return socket

    async def _refusal(self, request: web.Request) -> web.StreamResponse | None:
        way = self.desk.faults.current().refuse
        if not way:
            return None
        if way == "close":
            socket = web.WebSocketResponse(protocols=[SUBPROTOCOL])
            await socket.prepare(request)
            await socket.close(code=1008)
            return socket
        return web.Response(status=int(way), headers={"Location": "/prgw/digital/login/atp?exp=new"})

    async def _serve(
        self, line: _Line, feed: Any, room: dict[_Line, Any], hear: Callable[[str], list[str]]
    ) -> None:
        """Carries messages between one socket and its feed until one side has had enough."""
        room[line] = feed
        self._start()
        delivering = asyncio.create_task(line.deliver(), name="paper stream")
        socket = line.socket
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    line.say(hear(message.data))
                elif message.type is WSMsgType.PING and not self.desk.faults.current().mute:
                    await socket.pong(message.data)
        except SocketEnd:
            await socket.close(code=1008)
        except ConnectionError:
            pass
        finally:
            del room[line]
            delivering.cancel()
            await asyncio.wait([delivering])

    # -- speaking ----------------------------------------------------------------------------------------

    def _start(self) -> None:
        if self._ticking is None or self._ticking.done():
            self._ticking = asyncio.create_task(self._tick(), name="paper stream ticks")

    async def _tick(self) -> None:
        while self._market or self._events:
            await asyncio.sleep(_EVERY)
            self.trouble()
            now = self.desk.now()
            for line, feed in list(self._market.items()):
                line.say(feed.tick(now))
            self.push()

    def trouble(self) -> None:
        """Breaks or closes the sockets that a fault has been set for since they were opened."""
        faults = self.desk.faults.current()
        for line in [*self._market, *self._events]:
            if faults.drop > line.dropped:
                line.abort()
            elif faults.close > line.closed:
                line.closed = faults.close
                line.end()

    def push(self) -> None:
        """Pushes new account events, with the keep-alives that are due."""
        if not self._events:
            return
        ticks, now = time.monotonic(), self.desk.now()
        for line, feed in list(self._events.items()):
            line.say(feed.tick(ticks, now))
            if feed.has_ended:
                line.end()
        started = [feed for feed in self._events.values() if feed.subscription is not None]
        if not started:
            return
        events = self.desk.engine.events(min(feed.after for feed in started))
        if not events and self.desk.engine.last_event() < max(feed.after for feed in started):
            for feed in started:  # the paper broker was reset: its log begins anew
                feed.after = 0
        for line, feed in list(self._events.items()):
            line.say(feed.push(events, now))

    def send_event(self, document: dict[str, Any]) -> int:
        """Pushes an event that a test has made up; answers to how many connections."""
        reached = 0
        for line, feed in list(self._events.items()):
            frames = feed.push_document(document)
            line.say(frames)
            reached += len(frames)
        return reached

    # -- end -----------------------------------------------------------------------------------------------

    async def close(self) -> None:
        """Closes every socket: the paper broker stops."""
        if self._ticking is not None:
            self._ticking.cancel()
            await asyncio.wait([self._ticking])
        for line in [*self._market, *self._events]:
            await line.socket.close(code=1001, message=b"paper broker stops")
