"""Account events in the hub: one connection, every reader, nothing dropped."""

from msgspec.structs import replace

from ftcli.models.streaming import BepsStatus, Event, Gap, StreamState
from ftcli.streaming.beps_link import BepsLink
from ftcli.streaming.consumer import Consumer
from ftcli.streaming.counters import Oddities
from ftcli.streaming.options import BepsOptions
from ftcli.streaming.publisher import Publisher, compact
from ftcli.streaming.schedule import Schedule
from ftcli.streaming.timing import Timing, moment
from ftcli.streaming.update import Update


class EventFeed:
    """Connects with the first reader and stays connected: what happens between two readers is kept.

    Args:
        options: How to reach BEPS.
        publisher: Makes updates.
        schedule: When to reconnect.
        timing: The clocks.
    """

    def __init__(
        self, options: BepsOptions, publisher: Publisher, schedule: Schedule, timing: Timing
    ) -> None:
        self._publisher = publisher
        self._timing = timing
        self._consumers: tuple[Consumer, ...] = ()
        self._seq = 0
        self._link = BepsLink(
            options,
            schedule,
            timing,
            Oddities(),
            on_event=self._event,
            on_change=self._changed,
            on_gap=self._gap,
        )

    def start(self) -> None:
        """Connect, where that has not been done."""
        self._link.start()

    def join(self, consumer: Consumer, last_id: str) -> None:
        """A consumer reads the events, first those it has missed."""
        if last_id:
            missed = self._publisher.missed("event", last_id)
            if missed is None:
                consumer.push(self._publisher.gap(moment(self._timing.epoch())))
            for update in missed or ():
                consumer.push(update)
        change = self._link.last_change
        if change is not None:
            # How it is now; an outage that is over is among what was missed.
            consumer.push(self._status(replace(change, gap_from=None, gap_to=None, gap_ms=None)))
        if not consumer.closed:  # or it has had too much to be told at once
            self._consumers = (*self._consumers, consumer)
        self._link.start()

    def leave(self, consumer: Consumer) -> None:
        """A consumer reads no longer."""
        self._consumers = tuple(entry for entry in self._consumers if entry is not consumer)

    def _event(self, event: Event) -> None:
        self._seq += 1
        event.seq = self._seq
        update = self._publisher.publish(
            "event", "event", event.symbol or "", self._seq, compact(event), None
        )
        self._tell(update)

    def _changed(self, change: StreamState) -> None:
        if change.gap_from is not None:
            # It is the only word on what was not looked for: who was away, or is slow, must have it too.
            self._tell(self._publisher.publish("event", "status", "", 0, compact(change), None))
        elif change.state not in ("connecting", "stopped"):
            self._tell(self._status(change))

    def _status(self, change: StreamState) -> Update:
        return self._publisher.notice("status", "", change, "status beps")

    def _gap(self, start: float, end: float) -> None:
        value = Gap(gap_from=moment(start), gap_to=moment(end))
        self._tell(self._publisher.publish("event", "gap", "", 0, compact(value), None))

    def _tell(self, update: Update) -> None:
        for consumer in self._consumers:
            consumer.push(update)

    def session_renewed(self) -> None:
        """Somebody has logged in: try at once."""
        self._link.session_renewed()

    def status(self) -> BepsStatus:
        """The stream as ``GET /streaming/status`` shows it."""
        link = self._link
        return BepsStatus(
            connected=link.state in ("open", "suspect"),
            state=link.state,
            since=moment(link.since),
            events=link.delivered,
            counters=dict(link.counters),
        )

    async def aclose(self) -> None:
        """Disconnect and end the tasks."""
        await self._link.aclose()
