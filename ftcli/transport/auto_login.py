"""The brake on logins: a loop of them would lock the account (protocol 00 §4.3)."""

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from datetime import timedelta
from pathlib import Path

import msgspec

from ftcli.clock import Clock
from ftcli.credentials.files import alone, write_private
from ftcli.errors import RateLimited, SessionExpired
from ftcli.transport.totp import is_spent

GAP = timedelta(minutes=5)
WINDOW = timedelta(hours=1)
MOST_IN_WINDOW = 3
REFUSALS = 3
"""Passwords or codes sent in vain within the window, after which none is sent any more: brokers lock accounts
at about five."""

_PATIENCE = 2.0
"""Seconds to wait for another process that is counting: it reads and writes one small file."""
_CODE_LIFETIME = timedelta(seconds=90)


class _Record(msgspec.Struct, kw_only=True):
    """What is kept of each user, by :func:`_mark` of the name; moments are epoch seconds."""

    renewals: dict[str, list[float]] = {}
    """The automatic logins of the last hour."""
    off: dict[str, str] = {}
    """Why automatic logins are off until the user logs in."""
    unproven: dict[str, list[float]] = {}
    """By mark of user name and factor: when it was sent and not accepted since."""
    totp_steps: dict[str, int] = {}
    """The TOTP step whose code was sent last."""
    typed: dict[str, float] = {}
    """By mark of the code: when a typed one was sent."""
    damaged: float | None = None
    """Since when nothing older is known, because the file could not be read."""

    def pull_back(self, now: float) -> bool:
        """Counts what lies in the future as of now; answers whether anything did.

        The clock was wrong when it was written down. Left as it is it would hold until the clock gets there.
        """
        counted = (self.renewals, self.unproven)
        moments = [moment for counts in counted for several in counts.values() for moment in several]
        if max(now, self.damaged or now, *moments) <= now:
            return False
        if self.damaged is not None:
            self.damaged = min(self.damaged, now)
        for counts in counted:
            counts.update(
                {mark: [min(moment, now) for moment in several] for mark, several in counts.items()}
            )
        return True


class AutoLogins:
    """Remembers logins across processes and sessions, in one small file for all of an environment.

    To the broker all session names (``FT_SESSION``) are one user, so it counts by user. What counts waits up to two
    seconds for another process that is counting: call it in a thread.

    Args:
        path: The file; ``None`` keeps the record in memory only.
        clock: Reads the time.
    """

    def __init__(self, path: Path | None, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._record = _Record()

    # Automatic logins

    def claim(self, username: str) -> None:
        """Counts an automatic login that is about to begin.

        Raises:
            SessionExpired: It must not: automation is off, or there were too many of late.
        """
        try:
            self._settle()
            with self._edited() as record:
                self._check_renewals(record, username)
                record.renewals[_mark(username)] = [*self._renewals(record, username), self._now]
        except TimeoutError:
            raise _not_now(self._busy, _PATIENCE) from None
        except OSError:
            raise _not_now(f"{self._path}, which counts the logins, cannot be written", None) from None

    def disable(self, username: str, reason: str) -> None:
        """Turns automatic logins off until the user acts: the broker refused the credentials."""
        with suppress(OSError), self._edited() as record:
            record.off[_mark(username)] = reason

    def enable(self, username: str = "") -> None:
        """Turns automatic logins on again: the user logged in, or changed the credentials (everybody's then)."""
        off = self._load().off
        if not (_mark(username) in off if username else off):
            return
        with suppress(OSError), self._edited() as record:
            record.off = {
                mark: why for mark, why in record.off.items() if username and mark != _mark(username)
            }

    def why_off(self, username: str) -> str:
        """Why automatic logins are off; empty while they are on."""
        return self._load().off.get(_mark(username), "")

    def _check_renewals(self, record: _Record, username: str) -> None:
        if _mark(username) in record.off:
            raise _not_now(f"automatic login is off: {record.off[_mark(username)]}", None)
        recent, now = self._renewals(record, username), self._now
        if recent and now - recent[-1] < GAP.total_seconds():
            wait = GAP.total_seconds() - (now - recent[-1])
            raise _not_now("the last automatic login was less than 5 minutes ago", wait)
        if len(recent) >= MOST_IN_WINDOW:
            wait = WINDOW.total_seconds() - (now - recent[-MOST_IN_WINDOW])
            raise _not_now("there were 3 automatic logins within an hour", wait)

    def _renewals(self, record: _Record, username: str) -> list[float]:
        damage = () if record.damaged is None else (record.damaged,)
        return self._recent((*damage, *record.renewals.get(_mark(username), ())))

    # Passwords and codes

    def check_attempts(self, username: str) -> None:
        """Stops a loop of wrong passwords or codes, whoever runs it and however often it is started anew.

        Raises:
            RateLimited: Three were sent in vain within the hour.
        """
        with suppress(OSError):
            self._settle()
        self._check_unproven(self._load(), username)

    def note_attempt(self, username: str, factor: str) -> None:
        """Counts a password or code that is about to leave.

        Raises:
            RateLimited: It must not: there were too many, or it cannot be counted.
        """
        try:
            with self._edited() as record:
                self._check_unproven(record, username)  # another session may have sent one meanwhile
                mark = _mark(f"{username} {factor}")
                record.unproven[mark] = [*self._recent(record.unproven.get(mark, ())), self._now]
        except OSError as problem:
            raise self._uncounted(problem) from None

    def accept(self, username: str, factor: str) -> None:
        """The broker accepted it: those before it do not count any more."""
        # A count that cannot be taken back costs a try later, never the login that has just succeeded.
        with suppress(OSError), self._edited() as record:
            record.unproven.pop(_mark(f"{username} {factor}"), None)

    def last_step(self, username: str) -> int:
        """The TOTP step whose code was sent last for that user, 0 for none."""
        return self._load().totp_steps.get(_mark(username), 0)

    def take_step(self, username: str, step: int) -> bool:
        """Whether the code of that step may be sent: nobody has sent it, and nobody will any more.

        Raises:
            RateLimited: It cannot be noted, so it must not leave.
        """
        try:
            with self._edited() as record:
                if is_spent(step, record.totp_steps.get(_mark(username), 0)):
                    return False
                record.totp_steps[_mark(username)] = step
                return True
        except OSError as problem:
            raise self._uncounted(problem) from None

    def was_typed(self, code: str) -> bool:
        """Whether a typed code was sent of late: it works once."""
        since = self._now - _CODE_LIFETIME.total_seconds()
        return self._load().typed.get(_mark(code), 0.0) > since

    def note_typed(self, code: str) -> None:
        """Remembers a typed code that is about to leave."""
        with suppress(OSError), self._edited() as record:
            since = self._now - _CODE_LIFETIME.total_seconds()
            record.typed = {mark: moment for mark, moment in record.typed.items() if moment > since}
            record.typed[_mark(code)] = self._now

    def _check_unproven(self, record: _Record, username: str) -> None:
        for factor in ("password", "code"):
            damage = () if record.damaged is None else [record.damaged] * REFUSALS
            moments = self._recent((*damage, *record.unproven.get(_mark(f"{username} {factor}"), ())))
            if len(moments) >= REFUSALS:
                wait = WINDOW.total_seconds() - (self._now - moments[-REFUSALS])
                raise RateLimited(
                    f"{REFUSALS} logins in a row were sent in vain within the hour, and another wrong {factor} could "
                    "lock the account. Nothing was sent. Make sure of it in the official app, then wait.",
                    details={"reason": "attempts", "factor": factor, "attempts": len(moments)},
                    retry_after=wait,
                )

    @property
    def _busy(self) -> str:
        return f"another ftcli process holds {self._path}, which counts the logins, for more than {_PATIENCE:g} s"

    def _uncounted(self, problem: OSError) -> RateLimited:
        details = {"reason": "attempts"}
        if isinstance(problem, TimeoutError):
            return RateLimited(
                f"Nothing was sent: {self._busy}. Try again.", details=details, retry_after=_PATIENCE
            )
        return RateLimited(
            f"{self._path}, which counts the logins, cannot be written, so nothing was sent. Set FT_DATA_DIR.",
            details=details,
        )

    # The file

    @property
    def _now(self) -> float:
        return self._clock().timestamp()

    def _recent(self, moments: Iterable[float]) -> list[float]:
        now = self._now
        return sorted(min(moment, now) for moment in moments if now - moment < WINDOW.total_seconds())

    def _settle(self) -> None:
        """Pulls back what lies in the future and writes that down, so that it ages from now on."""
        if self._load().pull_back(self._now):
            with self._edited() as record:
                record.pull_back(self._now)

    @contextmanager
    def _edited(self) -> Iterator[_Record]:
        """The record, to be changed: one process and session at a time. An error leaves the file as it was.

        Raises:
            OSError: It cannot be locked or written.
        """
        lock = self._path and alone(self._path.with_name(f"{self._path.name}.lock"), _PATIENCE)
        with lock or nullcontext():
            record = self._load()
            yield record
            if self._path is None:
                self._record = record
            else:
                write_private(self._path, msgspec.json.encode(record))

    def _load(self) -> _Record:
        if self._path is None:
            return self._record
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=_Record)
        except FileNotFoundError:
            return _Record()
        except (OSError, ValueError):
            # Nothing is known, so the worst is assumed: logins in vain at the moment of the damage.
            return _Record(damaged=_modified(self._path, self._clock))


def _mark(text: str) -> str:
    """A name for a user or a code that does not show it."""
    return hashlib.sha256(" ".join(text.lower().split()).encode()).hexdigest()[:12]


def _modified(path: Path, clock: Clock) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return clock().timestamp()


def _not_now(reason: str, wait: float | None) -> SessionExpired:
    return SessionExpired(
        f"The session has expired and was not renewed: {reason}. Log in: ft auth login",
        details={"reason": reason, "next": "ft auth login"},
        retry_after=wait,
    )
