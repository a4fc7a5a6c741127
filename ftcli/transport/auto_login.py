"""The brake on automatic logins: a loop of them would lock the account (protocol 00 §4.3)."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import msgspec

from ftcli.clock import Clock
from ftcli.credentials.files import lock_file, write_private
from ftcli.errors import RateLimited, SessionExpired

GAP = timedelta(minutes=5)
WINDOW = timedelta(hours=1)
MOST_IN_WINDOW = 3


_PATIENCE = 2.0
"""Seconds to wait for another process that is counting: it reads and writes one small file."""
REFUSALS = 3
"""Passwords or codes sent in vain within the window, after which none is sent any more: brokers lock accounts
at about five."""


class _Record(msgspec.Struct, kw_only=True):
    automatic: list[float] = []
    """Epoch seconds of the automatic logins of the last hour."""
    disabled: str = ""
    """Why automation is off until the user logs in."""
    unproven: dict[str, list[float]] = {}
    """By :func:`_mark` of user name and factor: when it was sent and not accepted since."""
    totp_steps: dict[str, int] = {}
    """By :func:`_mark` of the user name: the TOTP step whose code was sent last."""
    damaged: float | None = None
    """Since when nothing is known, because the file cannot be read."""

    def pull_back(self, now: float) -> bool:
        """Counts what lies in the future as of now; answers whether anything did.

        The clock was wrong when it was written down. Left as it is it would hold until the clock gets there.
        """
        found = self.damaged is None and any(
            moment > now for moments in (self.automatic, *self.unproven.values()) for moment in moments
        )
        if found:
            self.automatic = [min(moment, now) for moment in self.automatic]
            self.unproven = {
                mark: [min(moment, now) for moment in moments] for mark, moments in self.unproven.items()
            }
        return found


class AutoLogins:
    """Remembers automatic logins across processes, in a small file next to the session.

    Read and write it while holding the session store's lock.

    Args:
        path: The file; ``None`` keeps the record in memory only.
        clock: Reads the time.
        shared: The file that counts passwords and codes, where several sessions (``FT_SESSION``) go by one count: to
            the broker they are one user.
    """

    def __init__(self, path: Path | None, clock: Clock, shared: Path | None = None) -> None:
        self._path = path
        self._clock = clock
        self._record = _Record()
        self._attempts = self if shared is None or shared == path else AutoLogins(shared, clock)

    def claim(self) -> None:
        """Counts an automatic login that is about to begin.

        Raises:
            SessionExpired: It must not: automation is off, or there were too many of late.
        """
        record = self._load()
        if record.disabled:
            raise _not_now(f"automatic login is off: {record.disabled}", None)
        now = self._clock().timestamp()
        if record.pull_back(now):
            self._save(record)
        recent = sorted(moment for moment in record.automatic if now - moment < WINDOW.total_seconds())
        if recent and now - recent[-1] < GAP.total_seconds():
            wait = GAP.total_seconds() - (now - recent[-1])
            raise _not_now("the last automatic login was less than 5 minutes ago", wait)
        if len(recent) >= MOST_IN_WINDOW:
            wait = WINDOW.total_seconds() - (now - recent[-MOST_IN_WINDOW])
            raise _not_now("there were 3 automatic logins within an hour", wait)
        record.automatic = [*recent, now]
        if not self._save(record):
            raise _not_now(f"{self._path}, which counts the automatic logins, cannot be written", None)

    def disable(self, reason: str) -> None:
        """Turns automatic logins off until the user acts: the broker refused the credentials."""
        record = self._load()
        record.disabled = reason
        self._save(record)

    def enable(self) -> None:
        """Turns automatic logins on again: the user logged in or changed the credentials."""
        record = self._load()
        if record.disabled:
            record.disabled = ""
            self._save(record)

    def check_attempts(self, username: str) -> None:
        """Stops a loop of wrong passwords or codes, whoever runs it and however often it is started anew.

        Raises:
            RateLimited: Three were sent in vain within the hour.
        """
        self._attempts._settle()
        self._check(username)

    def _check(self, username: str) -> None:
        now = self._clock().timestamp()
        for factor in ("password", "code"):
            moments = sorted(self._recent(self._attempts._load(), username, factor, now))
            if len(moments) >= REFUSALS:
                wait = WINDOW.total_seconds() - (now - moments[-REFUSALS])
                raise RateLimited(
                    f"{REFUSALS} logins in a row were sent in vain within the hour, and another wrong {factor} could "
                    "lock the account. Nothing was sent. Make sure of it in the official app, then wait.",
                    details={"reason": "attempts", "factor": factor, "attempts": len(moments)},
                    retry_after=wait,
                )

    def note_attempt(self, username: str, factor: str) -> None:
        """Counts a password or code that is about to leave.

        Raises:
            RateLimited: It cannot be counted, so it must not leave.
        """
        counted = self._attempts
        with counted._alone():
            self._check(username)  # another session may have sent one meanwhile
            record, now = counted._load(), self._clock().timestamp()
            record.unproven[_mark(f"{username} {factor}")] = [
                *self._recent(record, username, factor, now),
                now,
            ]
            if not counted._save(record):
                raise RateLimited(
                    f"{counted._path}, which counts the logins, cannot be written, so nothing was sent. "
                    "Set FT_DATA_DIR.",
                    details={"reason": "attempts", "factor": factor},
                )

    def accept(self, username: str, factor: str) -> None:
        """The broker accepted it: those before it do not count any more."""
        counted = self._attempts
        # A count that cannot be taken back costs a try later, never the login that has just succeeded.
        with suppress(RateLimited), counted._alone():
            record = counted._load()
            if record.unproven.pop(_mark(f"{username} {factor}"), None):
                counted._save(record)

    def _settle(self) -> None:
        """Pulls back what lies in the future, so that it ages from now on."""
        now = self._clock().timestamp()
        if self._load().pull_back(now):
            with self._alone():
                record = self._load()
                record.pull_back(now)
                self._save(record)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One process at a time: the session's lock does not keep other sessions out."""
        if self._path is None:
            yield
            return
        from filelock import FileLock, Timeout  # deferred: 30 ms

        lock = self._path.with_name(f"{self._path.name}.lock")
        held = FileLock(lock, timeout=_PATIENCE)
        try:
            lock_file(lock)
            held.acquire()
        except (OSError, Timeout) as problem:
            raise RateLimited(
                f"{self._path}, which counts the logins, cannot be locked, so nothing was sent. Set FT_DATA_DIR.",
                details={"reason": "attempts"},
            ) from problem
        try:
            yield
        finally:
            held.release()

    def _recent(self, record: _Record, username: str, factor: str, now: float) -> list[float]:
        moments = record.unproven.get(_mark(f"{username} {factor}"), [])
        if record.damaged is not None:
            moments = [record.damaged] * REFUSALS
        return [min(moment, now) for moment in moments if now - moment < WINDOW.total_seconds()]

    @property
    def disabled(self) -> str:
        """Why automatic logins are off; empty while they are on."""
        return self._load().disabled

    def last_totp_step(self, username: str) -> int:
        """The TOTP step whose code was sent last for that user, 0 for none."""
        return self._load().totp_steps.get(_mark(username), 0)

    def note_totp_step(self, username: str, step: int) -> None:
        """Remembers that the code of that step was sent."""
        record = self._load()
        record.totp_steps[_mark(username)] = step
        self._save(record)

    def _load(self) -> _Record:
        if self._path is None:
            return self._record
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=_Record)
        except FileNotFoundError:
            return _Record()
        except (OSError, ValueError):
            # Nothing is known, so the worst is assumed: logins in vain at the moment of the damage.
            moment = _modified(self._path, self._clock)
            return _Record(automatic=[moment], damaged=moment)

    def _save(self, record: _Record) -> bool:
        self._record = record
        if self._path is not None:
            try:
                write_private(self._path, msgspec.json.encode(record))
            except OSError:
                return False
        return True


def _mark(username: str) -> str:
    return hashlib.sha256(" ".join(username.lower().split()).encode()).hexdigest()[:12]


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
