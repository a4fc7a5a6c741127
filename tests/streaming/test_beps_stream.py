"""Account events against a scripted AppSync on a real socket."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from stream_doubles import START, ManualTiming, Peer, ScriptedBroker, header_of, settle, soon
from transcripts import assert_in_order, parse, transcript

from ftcli.errors import RateLimited, ValidationFailed
from ftcli.models.streaming import Event
from ftcli.streaming.beps_messages import connection_url
from ftcli.streaming.consumer import Consumer
from ftcli.streaming.hub import Hub
from ftcli.streaming.options import BepsOptions, Limits, MddsOptions


def jwt(expires_in: float | None, name: str = "a") -> str:
    claims: dict[str, Any] = {"n": name}
    if expires_in is not None:
        claims["exp"] = START + expires_in
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"head.{body}.sign"


class Desk:
    def __init__(self, broker: ScriptedBroker) -> None:
        self.broker = broker
        self.timing = ManualTiming()
        self.tokens: list[str | Exception] = ["demo.jwt.token"]
        self.swept: list[tuple[datetime, datetime]] = []
        self.sweeps: list[list[Event] | Exception] = []
        self.remembered: list[Any] = []

    async def token(self) -> str:
        token = self.tokens.pop(0) if len(self.tokens) > 1 else self.tokens[0]
        if isinstance(token, Exception):
            raise token
        return token

    async def member(self) -> str:
        return "4f1c9a7be0d25386"

    async def sweep(self, start: datetime, end: datetime) -> AsyncIterator[Event]:
        self.swept.append((start, end))
        found = self.sweeps.pop(0) if self.sweeps else []
        if isinstance(found, Exception):
            raise found
        for event in found:
            yield event

    def hub(self, **limits: int) -> Hub:
        options = BepsOptions(
            token=self.token,
            member_id=self.member,
            url_template=f"ws://127.0.0.1:{self.broker.port}/graphql/realtime?header={{0}}&payload=e30%3D",
            sweep=self.sweep,
            remember=self.remembered.append,
        )
        return Hub(MddsOptions(), options, timing=self.timing, jitter=lambda: 0.5, limits=Limits(**limits))


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    broker = ScriptedBroker()
    broker.subprotocols = ["graphql-ws"]
    async with broker:
        yield Desk(broker)


async def live(peer: Peer, number: str = "1") -> dict[str, Any]:
    """Bring a connection to where events arrive; the start message."""
    assert await peer.command() == {"type": "connection_init"}
    await peer.send({"type": "connection_ack", "payload": {"connectionTimeoutMs": 300000}})
    start = await peer.command()
    assert (start["type"], start["id"]) == ("start", number)
    await peer.send({"type": "start_ack", "id": number})
    return start


def event(event_id: str, code: str = "MFCEX", **members: Any) -> dict[str, Any]:
    body = {"eventId": event_id, "eventType": code, "subscribeId": "4f1c9a7be0d25386", "desc": "{}"} | members
    return {"id": "1", "type": "data", "payload": {"data": {"subScribeBEPSEvent": body}}}


async def take(consumer: Consumer, kind: str) -> dict[str, Any]:
    """The next update, which must be of this kind."""
    update = await soon(anext(consumer))
    assert update.kind == kind, update.bytes
    return parse(update.bytes)


async def test_transcript(desk: Desk) -> None:
    lines = transcript("events")
    end = next(index for index, line in enumerate(lines) if '"stop"' in line.text)
    published: list[dict[str, Any]] = []
    desk.broker.answers_stop = False
    hub = desk.hub()
    async with hub.events() as consumer:
        peer = await desk.broker.peer(greet=False)
        assert peer.connection.subprotocol == "graphql-ws"
        assert header_of(desk.broker.paths[0]) == {
            "Authorization": "demo.jwt.token", "host": "spservice.fidelity.com",
        }  # fmt: skip
        for line in lines[:end]:
            if line.who == "C":
                assert await peer.command() == line.document
            elif line.who == "S":
                await peer.send(line.text)
        wanted = [line.document for line in lines[:end] if line.who == "O"]
        while len(published) < len(wanted):
            published.append(parse((await soon(anext(consumer))).bytes))
        assert_in_order(published, wanted)
        closing = asyncio.create_task(hub.aclose())
        assert await peer.command() == lines[end].document
        await peer.send(lines[end + 1].text)
        await soon(closing)
        assert consumer.take() is None
        status = hub.status().beps
        assert status is not None
        assert (status.events, status.counters) == (3, {"repeated_events": 1})


def test_url_vector() -> None:
    header = "eyJBdXRob3JpemF0aW9uIjoiZGVtby5qd3QudG9rZW4iLCJob3N0Ijoic3BzZXJ2aWNlLmZpZGVsaXR5LmNvbSJ9"
    assert connection_url("", "demo.jwt.token", "") == (
        f"wss://spservice.fidelity.com/graphql/realtime?header={header}&payload=e30%3D"
    )


async def test_an_old_token_is_replaced_at_once_and_then_with_patience(desk: Desk) -> None:
    desk.tokens = [jwt(900, "a"), jwt(900, "b"), jwt(900, "c"), jwt(900, "d")]
    refusal = {
        "type": "connection_error",
        "payload": {"errors": [{"errorType": "UnauthorizedException", "message": "x", "errorCode": 401}]},
    }
    async with desk.hub() as hub, hub.events() as consumer:
        for number, (state, reason, wait) in enumerate(
            [("reconnecting", "token_refresh", 0), ("reconnecting", "UnauthorizedException", 30),
             ("auth_required", "UnauthorizedException", 30)],
        ):  # fmt: skip
            peer = await desk.broker.peer(greet=False)
            await peer.command()
            await peer.send(refusal)
            status = await take(consumer, "status")
            assert (status["state"], status["reason"], status["next_retry_s"]) == (state, reason, wait)
            assert header_of(desk.broker.paths[number])["Authorization"] == jwt(900, "abc"[number])
            if wait:
                await desk.timing.advance(29)
                assert desk.broker.upgrades == number + 1
                await desk.timing.advance(1)
        await live(await desk.broker.peer(greet=False))
        assert (await take(consumer, "status"))["state"] == "open"


async def test_an_outage_is_looked_into(desk: Desk) -> None:
    desk.sweeps = [
        OSError("no network"),
        [Event(event_id="sweep-1", event_type="ORDER_FILL", code="", category="order", order_id="C05HTRPW")],
    ]
    async with desk.hub() as hub, hub.events() as consumer:
        peer = await desk.broker.peer(greet=False)
        await live(peer)
        assert (await take(consumer, "status"))["state"] == "open"
        await desk.timing.advance(7)
        await peer.drop()
        lost = await take(consumer, "status")
        # Nothing has been heard since the start: whatever the seven seconds held may be lost.
        assert (lost["state"], lost["next_retry_s"], lost["since"]) == (
            "reconnecting", 0.5, "2025-10-05T14:20:00Z",
        )  # fmt: skip
        await desk.timing.advance(0.5)
        again = await desk.broker.peer(greet=False)
        await live(again)
        back = await take(consumer, "status")
        assert (back["state"], back["gap_from"], back["gap_to"]) == (
            "open", "2025-10-05T14:20:00Z", "2025-10-05T14:20:07.500000Z",
        )  # fmt: skip
        await desk.timing.advance(0.5)
        found = await take(consumer, "event")
        assert (found["event_id"], found["recovered"], found["source"]) == ("sweep-1", True, "reconcile")
        assert len(desk.swept) == 2


async def test_a_sweep_that_keeps_failing_is_a_gap(desk: Desk) -> None:
    desk.sweeps = [OSError("no")] * 6
    async with desk.hub() as hub, hub.events() as consumer:
        peer = await desk.broker.peer(greet=False)
        await live(peer)
        await take(consumer, "status")
        await peer.drop()
        await take(consumer, "status")
        await desk.timing.advance(0.5)
        await live(await desk.broker.peer(greet=False))
        await take(consumer, "status")
        await desk.timing.advance(12)
        gap = await take(consumer, "gap")
        assert (gap["from"], gap["to"], gap["gap"]) == (
            "2025-10-05T14:20:00Z", "2025-10-05T14:20:00.500000Z", True,
        )  # fmt: skip


async def test_the_token_is_renewed_on_a_new_socket_before_the_old_one_goes(desk: Desk) -> None:
    desk.tokens = [jwt(600, "a"), jwt(1200, "b")]
    async with desk.hub() as hub, hub.events() as consumer:
        first = await desk.broker.peer(greet=False)
        await live(first)
        await take(consumer, "status")
        for _ in range(9):
            assert desk.broker.upgrades == 1
            await desk.timing.advance(60)
            await first.send({"type": "ka"})
            await first.flush()
        second = await desk.broker.peer(greet=False)
        await first.send(event("two"))
        assert (await take(consumer, "event"))["event_id"] == "two"
        desk.broker.answers_stop = False
        await live(second)
        assert await first.command() == {"type": "stop", "id": "1"}
        await first.send(event("three"))
        await first.send({"type": "complete", "id": "1"})
        desk.broker.answers_stop = True
        await second.send(event("three"))
        await second.send(event("four"))
        assert [(await take(consumer, "event"))["event_id"] for _ in "12"] == ["three", "four"]
        await first.ended()
        status = hub.status().beps
        assert status is not None
        assert (status.state, status.counters) == ("open", {"repeated_events": 1})


async def test_a_configured_token_that_has_run_out_causes_no_storm(desk: Desk) -> None:
    desk.tokens = [jwt(-100)]
    async with desk.hub() as hub, hub.events() as consumer:
        peer = await desk.broker.peer(greet=False)
        await live(peer)
        await take(consumer, "status")
        for _ in range(12):
            await desk.timing.advance(240)
            await peer.send({"type": "ka"})
            await peer.flush()
        assert desk.broker.upgrades == 1


async def test_silence_is_suspicious_and_then_death(desk: Desk) -> None:
    async with desk.hub() as hub, hub.events() as consumer:
        peer = await desk.broker.peer(greet=False)
        await live(peer)
        await take(consumer, "status")
        await desk.timing.advance(64)
        assert consumer.take() is None
        await desk.timing.advance(1)
        assert (await take(consumer, "status"))["state"] == "suspect"
        await peer.send({"type": "ka"})
        assert (await take(consumer, "status"))["state"] == "open"
        await desk.timing.advance(299)
        assert (await take(consumer, "status"))["state"] == "suspect"
        await desk.timing.advance(1.1)
        lost = await take(consumer, "status")
        assert (lost["state"], lost["reason"]) == ("reconnecting", "no keep-alive")


@pytest.mark.parametrize("stage", ["connection_ack", "start_ack"])
async def test_an_answer_that_does_not_come(desk: Desk, stage: str) -> None:
    async with desk.hub() as hub, hub.events() as consumer:
        peer = await desk.broker.peer(greet=False)
        await peer.command()
        if stage == "start_ack":
            await peer.send({"type": "connection_ack"})
            await peer.command()
        await desk.timing.advance(15)
        assert (await take(consumer, "status"))["state"] == "reconnecting"
        await peer.ended()


async def test_a_limit_is_waited_out_on_the_same_socket(desk: Desk) -> None:
    async with desk.hub() as hub, hub.events() as consumer:
        peer = await desk.broker.peer(greet=False)
        await peer.command()
        await peer.send({"type": "connection_ack"})
        limit = {"type": "error", "payload": {"errors": {"errorType": "LimitExceededError"}}}
        for number, wait in ((1, 10), (2, 30)):
            assert (await peer.command())["id"] == str(number)
            await peer.send({**limit, "id": str(number)})
            await settle(40)
            await desk.timing.advance(wait - 0.1)
            assert peer.quiet()
            await desk.timing.advance(0.1)
        assert (await peer.command())["id"] == "3"
        await peer.send({"type": "start_ack", "id": "3"})
        assert (await take(consumer, "status"))["state"] == "open"
        assert desk.broker.upgrades == 1


async def test_too_many_subscriptions_wait_thirty_seconds(desk: Desk) -> None:
    async with desk.hub() as hub, hub.events() as consumer:
        peer = await desk.broker.peer(greet=False)
        await peer.command()
        await peer.send({"type": "connection_ack"})
        await peer.command()
        errors = [{"errorType": "MaxSubscriptionsReachedError"}]
        await peer.send({"type": "error", "id": "1", "payload": {"errors": errors}})
        assert (await take(consumer, "status"))["next_retry_s"] == 30


async def test_a_refused_query_is_tried_once_in_short(desk: Desk) -> None:
    refusal = {
        "type": "error",
        "id": "1",
        "payload": {"errors": [{"errorType": "ValidationError", "message": "Unknown field handleTime"}]},
    }
    async with desk.hub() as hub, hub.events() as consumer:
        for number in (1, 2):
            peer = await desk.broker.peer(greet=False)
            await peer.command()
            await peer.send({"type": "connection_ack"})
            query = json.loads((await peer.command())["payload"]["data"])["query"]
            assert ("handleTime" in query) == (number == 1)
            await peer.send(refusal)
            status = await take(consumer, "status")
            assert status["state"] == ("reconnecting" if number == 1 else "failed")
            await desk.timing.advance(0.5 if number == 1 else 600)
        assert desk.broker.upgrades == 2


async def test_an_unasked_complete_starts_again_once(desk: Desk) -> None:
    async with desk.hub() as hub, hub.events() as consumer:
        peer = await desk.broker.peer(greet=False)
        await live(peer)
        await take(consumer, "status")
        await desk.timing.advance(3)
        await peer.send({"type": "complete", "id": "1"})
        assert (await peer.command())["id"] == "2"
        waiting = await take(consumer, "status")
        assert (waiting["state"], waiting["reason"], waiting["since"]) == (
            "reconnecting", "subscription ended by the broker", "2025-10-05T14:20:03Z",
        )  # fmt: skip
        await desk.timing.advance(4)
        await peer.send({"type": "start_ack", "id": "2"})
        back = await take(consumer, "status")
        assert (back["state"], back["gap_ms"]) == ("open", 4000)
        await settle()
        assert len(desk.swept) == 1
        await peer.send({"type": "complete", "id": "2"})
        lost = await take(consumer, "status")
        assert (lost["state"], lost["reason"]) == ("reconnecting", "completed twice")


async def test_what_happens_while_the_subscription_is_refused_is_looked_for(desk: Desk) -> None:
    desk.sweeps = [
        [Event(event_id="sweep-1", event_type="ORDER_FILL", code="", category="order", order_id="C05HTRPW")]
    ]
    limit = {"type": "error", "id": "2", "payload": {"errors": {"errorType": "LimitExceededError"}}}
    async with desk.hub() as hub, hub.events() as consumer:
        peer = await desk.broker.peer(greet=False)
        await live(peer)
        await take(consumer, "status")
        await peer.send({"type": "complete", "id": "1"})
        assert (await peer.command())["id"] == "2"
        assert (await take(consumer, "status"))["state"] == "reconnecting"
        await peer.send(limit)
        await peer.flush()
        await desk.timing.advance(10)
        assert (await peer.command())["id"] == "3"
        await peer.send({"type": "start_ack", "id": "3"})
        assert (await take(consumer, "status"))["gap_ms"] == 10_000
        assert (await take(consumer, "event"))["recovered"] is True


async def test_the_old_connection_may_end_as_it_likes_once_the_new_one_serves(desk: Desk) -> None:
    desk.tokens = [jwt(600, "a"), jwt(1200, "b")]
    desk.broker.answers_stop = False
    async with desk.hub() as hub, hub.events() as consumer:
        first = await desk.broker.peer(greet=False)
        await live(first)
        await take(consumer, "status")
        for _ in range(9):
            await desk.timing.advance(60)
            await first.send({"type": "ka"})
            await first.flush()
        second = await desk.broker.peer(greet=False)
        await live(second)
        assert (await first.command())["type"] == "stop"
        await first.drop()
        desk.broker.answers_stop = True
        await second.send(event("one"))
        assert (await take(consumer, "event"))["event_id"] == "one"
        assert desk.swept == []


async def test_foreign_null_and_revised_events(desk: Desk) -> None:
    async with desk.hub() as hub, hub.events() as consumer:
        peer = await desk.broker.peer(greet=False)
        await live(peer)
        await take(consumer, "status")
        await peer.send(event("one", subscribeId="somebody"))
        await peer.send({"id": "1", "type": "data", "payload": {"data": {"subScribeBEPSEvent": None}}})
        await peer.send({"id": "1", "type": "nonsense"})
        await peer.send("no json")
        await peer.send(event("two"))
        await peer.send(event("two", desc='{"PRICE":"1.50"}'))
        assert (await take(consumer, "event"))["revised"] is False
        revised = await take(consumer, "event")
        assert (revised["revised"], revised["seq"], str(revised["price"])) == (True, 2, "1.50")
        status = hub.status().beps
        assert status is not None
        assert status.counters == {
            "foreign_events": 1, "null_events": 1, "unknown_messages": 1, "malformed_frames": 1,
        }  # fmt: skip
        assert [entry[0] for entry in desk.remembered] == ["two", "two"]


async def test_readers_that_come_back_get_what_they_missed(desk: Desk) -> None:
    async with desk.hub() as hub:
        async with hub.events() as consumer:
            peer = await desk.broker.peer(greet=False)
            await live(peer)
            await take(consumer, "status")
            await peer.send(event("one"))
            first = await soon(anext(consumer))
            await peer.send(event("two"))
            await soon(anext(consumer))
        async with hub.events(last_id=first.event_id) as back:
            assert (await take(back, "event"))["event_id"] == "two"
            assert (await take(back, "status"))["state"] == "open"
        async with hub.events(last_id="other-1") as stranger:
            assert (await take(stranger, "gap"))["gap"] is True


async def test_a_reader_that_lets_events_pile_up_is_closed_and_told_where_it_was(desk: Desk) -> None:
    async with desk.hub(queue=3) as hub, hub.events() as slow, hub.events() as quick:
        peer = await desk.broker.peer(greet=False)
        await live(peer)
        assert (await take(slow, "status"))["state"] == "open"
        assert (await take(quick, "status"))["state"] == "open"
        for number in range(5):
            await peer.send(event(str(number)))
            await take(quick, "event")
        assert slow.close_reason == "overflow"
        got = [await soon(anext(slow)) for _ in range(3)]
        with pytest.raises(RateLimited) as problem:
            await soon(anext(slow))
        assert problem.value.details is not None
        async with hub.events(last_id=got[-1].event_id) as back:
            assert [(await take(back, "event"))["event_id"] for _ in "12"] == ["3", "4"]


async def test_events_must_be_configured() -> None:
    async with Hub(MddsOptions()) as hub:
        with pytest.raises(ValidationFailed, match="FTSERVICE_BEPS_TOKEN"):
            hub.events().open()
        assert hub.status().beps is None
        assert hub.consumers == set()


async def test_no_token_is_tried_again(desk: Desk) -> None:
    desk.tokens = [OSError("no network"), "demo.jwt.token"]
    async with desk.hub() as hub, hub.events() as consumer:
        status = await take(consumer, "status")
        assert (status["state"], status["reason"]) == ("reconnecting", "no token")
        await desk.timing.advance(0.5)
        await live(await desk.broker.peer(greet=False))
        assert (await take(consumer, "status"))["state"] == "open"


def test_start_is_utc() -> None:
    assert datetime.fromtimestamp(START, UTC).isoformat() == "2025-10-05T14:20:00+00:00"


# -- outages that are easily missed ------------------------------------------------------------------------


async def kept_alive(desk: Desk, peer: Peer, minutes: int) -> None:
    for _ in range(minutes):
        await desk.timing.advance(60)
        await peer.send({"type": "ka"})
        await peer.flush()


async def test_the_old_connection_dies_while_the_new_one_is_not_there_yet(desk: Desk) -> None:
    desk.tokens = [jwt(600, "a"), jwt(1200, "b")]
    async with desk.hub() as hub, hub.events() as consumer:
        first = await desk.broker.peer(greet=False)
        await live(first)
        await take(consumer, "status")
        await kept_alive(desk, first, 9)
        second = await desk.broker.peer(greet=False)
        await second.command()
        await first.drop()
        lost = await take(consumer, "status")
        assert (lost["state"], lost["since"]) == ("reconnecting", "2025-10-05T14:29:00Z")
        await desk.timing.advance(10)
        await second.send({"type": "connection_ack"})
        await second.command()
        await second.send({"type": "start_ack", "id": "1"})
        back = await take(consumer, "status")
        assert (back["state"], back["gap_ms"]) == ("open", 10_000)
        await settle()
        assert len(desk.swept) == 1


async def test_a_silent_connection_that_is_replaced_may_have_lost_something(desk: Desk) -> None:
    desk.tokens = [jwt(600, "a"), jwt(1200, "b")]
    async with desk.hub() as hub, hub.events() as consumer:
        first = await desk.broker.peer(greet=False)
        await live(first)
        await take(consumer, "status")
        await kept_alive(desk, first, 7)
        await desk.timing.advance(65)
        assert (await take(consumer, "status"))["state"] == "suspect"
        await desk.timing.advance(55)
        await live(await desk.broker.peer(greet=False))
        back = await take(consumer, "status")
        assert (back["state"], back["gap_from"]) == ("open", "2025-10-05T14:27:00Z")
        await settle()
        assert len(desk.swept) == 1


async def outage(desk: Desk, peer: Peer, *readers: Consumer) -> Peer:
    """The connection breaks and comes back at the next attempt; all have been told."""
    await peer.drop()
    for reader in readers:
        while (status := await take(reader, "status"))["state"] != "reconnecting":
            pass
    await desk.timing.advance(float(status["next_retry_s"]))
    peer = await desk.broker.peer(greet=False)
    await live(peer)
    await peer.flush()
    return peer


async def test_who_comes_back_hears_of_the_gap_that_fell_while_he_was_away(desk: Desk) -> None:
    desk.sweeps = [OSError("no")] * 6
    async with desk.hub() as hub, hub.events() as stayed:
        peer = await desk.broker.peer(greet=False)
        await live(peer)
        await peer.send(event("one"))
        await take(stayed, "status")
        seen = (await soon(anext(stayed))).event_id
        peer = await outage(desk, peer, stayed)
        await desk.timing.advance(12)
        await peer.send(event("two"))
        for kind in ("status", "gap", "event"):
            await take(stayed, kind)
        async with hub.events(last_id=seen) as back:
            assert "gap_from" in await take(back, "status")
            assert "from" in await take(back, "gap")
            assert (await take(back, "event"))["event_id"] == "two"
            assert "gap_from" not in await take(back, "status")


async def test_an_outage_during_the_last_try_to_sweep_is_told_too(desk: Desk) -> None:
    tries, hang = 0, asyncio.Event()

    async def sweep(start: datetime, end: datetime) -> AsyncIterator[Event]:
        nonlocal tries
        tries += 1
        if tries == 6:
            await hang.wait()
        raise OSError("no")
        yield

    desk.sweep = sweep  # type: ignore[method-assign]
    async with desk.hub() as hub, hub.events() as consumer:
        peer = await desk.broker.peer(greet=False)
        await live(peer)
        await take(consumer, "status")
        peer = await outage(desk, peer, consumer)
        await take(consumer, "status")
        await desk.timing.advance(12)
        assert tries == 6
        await outage(desk, peer, consumer)
        second = await take(consumer, "status")
        hang.set()
        gap = await take(consumer, "gap")
        assert (gap["from"], gap["to"]) == ("2025-10-05T14:20:00Z", second["gap_to"])


async def test_a_slow_reader_hears_of_every_outage(desk: Desk) -> None:
    full, got = False, []

    def sink(update: Any) -> bool:
        if not full:
            got.append(parse(update.bytes))
        return not full

    async with desk.hub() as hub, hub.events() as quick:
        slow = hub.events(sink=sink)
        slow.open()
        peer = await desk.broker.peer(greet=False)
        await live(peer)
        await peer.flush()
        full = True
        for _ in "12":
            peer = await outage(desk, peer, quick)
        full = False
        slow.flush()
        gaps = [entry["gap_from"] for entry in got if "gap_from" in entry]
        assert gaps == ["2025-10-05T14:20:00Z", "2025-10-05T14:20:00.500000Z"]


async def test_a_reader_closed_while_it_catches_up_is_not_kept(desk: Desk) -> None:
    async with desk.hub(queue=5) as hub, hub.events() as consumer:
        peer = await desk.broker.peer(greet=False)
        await live(peer)
        await take(consumer, "status")
        for number in range(12):
            await peer.send(event(str(number)))
            await take(consumer, "event")
        back = hub.events(last_id=hub.event_id(0), sink=lambda update: False)
        back.open()
        assert back.close_reason == "overflow"
        feed = hub._events
        assert feed is not None
        assert feed._consumers == (consumer,)
