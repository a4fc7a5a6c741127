"""One BEPS connection without its socket: messages in and out, and what time demands (protocol 05 §7)."""

from collections import deque
from collections.abc import Callable
from typing import Any, Literal

import msgspec

from ftcli.streaming import beps_messages as wire
from ftcli.streaming.counters import Oddities
from ftcli.streaming.timing import Timing

ANSWER_WAIT = 15.0
"""Seconds to wait for ``connection_ack`` and for ``start_ack``."""
STOP_WAIT = 2.0
"""Seconds to wait for ``complete`` after ``stop``."""
KEEPALIVE_WARNING = 65.0
"""Seconds of silence after which the stream is suspect."""
LIMIT_WAITS = (10.0, 30.0)
"""Seconds before a start is tried again that met a limit."""

Phase = Literal["opening", "starting", "live", "stopping", "over"]


class BepsCredentials(msgspec.Struct, frozen=True, kw_only=True):
    """Whose events, and by what right.

    Attributes:
        token: The JWT, bare.
        host: Name the API is known by.
        member_id: Member id.
        app_id: Consumer application id.
    """

    token: str
    host: str
    member_id: str
    app_id: str

    def __repr__(self) -> str:
        return "BepsCredentials(***)"


class BepsSession:
    """The protocol side of one connection.

    Args:
        credentials: Whose events, and by what right.
        timing: The clocks.
        on_event: Called with each ``subScribeBEPSEvent`` object.
        counters: Where oddities are counted.
        reduced: Whether to ask for the reduced selection.
    """

    def __init__(
        self,
        credentials: BepsCredentials,
        timing: Timing,
        on_event: Callable[[dict[str, Any]], None],
        counters: Oddities,
        *,
        reduced: bool = False,
    ) -> None:
        self.phase: Phase = "opening"
        self.fault: wire.Fault | None = None
        """What the service complained about, where that ended the connection."""
        self.reason = ""
        """Why the connection is over, where it was ended here."""
        self.suspect = False
        """Whether it has been silent for longer than it should."""
        self.credentials = credentials
        self._timing = timing
        self._deliver = on_event
        self._handlers: dict[str, Callable[[wire.Message], None]] = {
            "connection_ack": self._on_connection_ack,
            "connection_error": self._on_connection_error,
            "start_ack": self._on_start_ack,
            "ka": self._on_ka,
            "data": self._on_data,
            "error": self._on_error,
            "complete": self._on_complete,
        }
        self._counters = counters
        self._reduced = reduced
        self._outbox: deque[str] = deque([wire.INIT])
        self._number = 0
        self._limits = 0
        self._completed_at = -60.0
        self._timeout = wire.DEFAULT_TIMEOUT_MS / 1000
        now = timing.monotonic()
        self._heard = self._alive = now
        self._due: float | None = now + ANSWER_WAIT
        self._restart_at: float | None = None

    @property
    def heard_at(self) -> float:
        """When the last frame came, in epoch seconds."""
        return self._timing.epoch() - (self._timing.monotonic() - self._heard)

    def next_frame(self) -> str | None:
        """The next frame to send, or ``None``."""
        return self._outbox.popleft() if self._outbox else None

    def stop(self) -> None:
        """End the subscription in good order."""
        if self.phase in ("starting", "live"):
            self.phase = "stopping"
            self._outbox.append(wire.stop(str(self._number)))
            self._due = self._timing.monotonic() + STOP_WAIT
        elif self.phase == "opening":
            self._end("stopped")

    def _end(self, reason: str, fault: wire.Fault | None = None) -> None:
        if self.phase != "over":
            self.phase, self.reason, self.fault = "over", reason, fault

    def _start(self) -> None:
        self._number += 1
        self.phase = "starting"
        self._restart_at = None
        self._due = self._timing.monotonic() + ANSWER_WAIT
        who = self.credentials
        self._outbox.append(
            wire.start(
                str(self._number),
                token=who.token,
                host=who.host,
                member_id=who.member_id,
                app_id=who.app_id,
                reduced=self._reduced,
            )
        )

    # -- receiving -------------------------------------------------------------------------------------

    def feed(self, frame: bytes | str) -> None:
        """Take in one frame. Nothing in it raises."""
        message = wire.read_message(frame)
        self._heard = self._timing.monotonic()
        self.suspect = False
        if message is None:
            self._counters["malformed_frames"] += 1
            return
        handler = self._handlers.get(message.type)
        if handler is None:
            self._counters["unknown_messages"] += 1
            return
        handler(message)

    def _on_connection_ack(self, message: wire.Message) -> None:
        self._timeout = wire.ack_timeout(message.payload)
        self._alive = self._heard
        if self.phase == "opening":
            self._start()

    def _on_connection_error(self, message: wire.Message) -> None:
        self._end(wire.fault_text(message.payload), wire.fault_of(message.payload))

    def _on_start_ack(self, message: wire.Message) -> None:
        if self.phase == "starting" and self._is_current(message):
            self.phase = "live"
            self._due = None
            self._limits = 0

    def _on_ka(self, _: wire.Message) -> None:
        self._alive = self._heard

    def _on_data(self, message: wire.Message) -> None:
        self._alive = self._heard
        payload = message.payload if isinstance(message.payload, dict) else {}
        if wire.errors_of(payload):
            self._counters["data_with_errors"] += 1
        data = payload.get("data")
        event = data.get("subScribeBEPSEvent") if isinstance(data, dict) else None
        if not isinstance(event, dict):
            self._counters["null_events"] += 1
            return
        subscriber = event.get("subscribeId")
        if subscriber not in (None, "", self.credentials.member_id):
            self._counters["foreign_events"] += 1
            return
        self._deliver(event)

    def _on_error(self, message: wire.Message) -> None:
        if message.id is not None and not self._is_current(message):
            self._counters["stray_errors"] += 1
            return
        fault = wire.fault_of(message.payload)
        if fault == "limit" and self._limits < len(LIMIT_WAITS):
            self._restart_at = self._timing.monotonic() + LIMIT_WAITS[self._limits]
            self._limits += 1
            self._due = None
            return
        self._end(wire.fault_text(message.payload), fault)

    def _on_complete(self, message: wire.Message) -> None:
        if self.phase == "stopping":
            self._end("stopped")
        elif self._is_current(message):
            now = self._timing.monotonic()
            again, self._completed_at = now - self._completed_at < 60, now
            self._counters["unasked_completes"] += 1
            if again:
                self._end("completed twice")
            else:
                self._start()

    def _is_current(self, message: wire.Message) -> bool:
        return message.id is None or str(message.id) == str(self._number)

    # -- time ------------------------------------------------------------------------------------------

    def poll(self) -> None:
        """Do what is due."""
        now = self._timing.monotonic()
        if self._restart_at is not None and now >= self._restart_at:
            self._start()
        if self._due is not None and now >= self._due:
            self._end("stopped" if self.phase == "stopping" else f"no answer while {self.phase}")
        if self.phase == "live":
            self.suspect = now - self._heard >= KEEPALIVE_WARNING
        if self.phase in ("starting", "live") and now - self._alive >= self._timeout:
            self._end("no keep-alive")

    def next_deadline(self) -> float:
        """When :meth:`poll` has something to do next, on the monotonic clock."""
        times = [self._alive + self._timeout]
        if self.phase == "live" and not self.suspect:
            times.append(self._heard + KEEPALIVE_WARNING)
        times += [when for when in (self._due, self._restart_at) if when is not None]
        return min(times)
