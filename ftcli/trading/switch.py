"""The kill switch: a file on disk for each environment. While it lies there nothing is placed there, by any process.

It needs the settings and the folder, and nothing else: no database, no limits, no broker.
"""

import contextlib
import os
from datetime import datetime
from pathlib import Path

import msgspec

from ftcli.config import Settings
from ftcli.errors import InternalError, TradingHalted
from ftcli.models.json import dumps
from ftcli.models.trading import TradingHalt
from ftcli.store import db_path
from ftcli.trading.origin import current_origin

LONGEST = 500
"""Characters of a reason."""
_FLAGS = {"live": "trading-halted.json"}
"""The live flag has the plain name: one that lies there halts live trading, whoever made it."""


def switch_of(settings: Settings) -> "KillSwitch":
    """The kill switch of the environment in force, beside the database."""
    environment = settings.environment
    name = _FLAGS.get(environment, f"trading-halted-{environment}.json")
    return KillSwitch(db_path(settings).with_name(name), environment)


class KillSwitch:
    """Halts and resumes trading in one environment.

    Args:
        path: The flag.
        environment: ``paper`` or ``live``.
    """

    def __init__(self, path: Path, environment: str) -> None:
        self.path = path
        self.environment = environment

    def read(self) -> TradingHalt | None:
        """Who halted trading, when and why; ``None`` where it is not halted. A flag nobody can read halts too."""
        try:
            text = self.path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as problem:
            return TradingHalt(
                halted_by="unknown", reason=f"the flag {self.path} cannot be read: {problem.strerror}"
            )
        try:
            found = msgspec.json.decode(text, type=TradingHalt)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return TradingHalt(halted_by="unknown", reason=f"the flag {self.path} cannot be understood")
        found.halted_by, found.reason = _clean(found.halted_by), _clean(found.reason)
        return found

    def halt(self, reason: str, at: datetime) -> TradingHalt:
        """Halts trading; a halt that stands is left as it is.

        Args:
            reason: Why. It never keeps the halt from being made: what does not print becomes a blank.
            at: When.

        Raises:
            InternalError: The flag cannot be made: trading is not halted.
        """
        standing = self.read()
        if standing is not None:
            return standing
        made = TradingHalt(halted_by=_who(), reason=_clean(reason), halted_at=at)
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                self._write(dumps(made))
            except OSError:
                self.path.touch(0o600)  # a full disk still takes an empty flag, and that halts as well
        except OSError as problem:
            raise InternalError(
                f"Trading is NOT halted: the flag {self.path} cannot be made ({problem.strerror}).",
                details={"file": str(self.path)},
            ) from problem
        return made

    def _write(self, content: bytes) -> None:
        part = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(self.path)
        _sync_folder(self.path.parent)

    def resume(self) -> TradingHalt | None:
        """Lets orders through again; answers the halt that ended.

        Raises:
            InternalError: The flag cannot be taken away: trading stays halted.
        """
        ended = self.read()
        try:
            self.path.unlink(missing_ok=True)
        except OSError as problem:
            raise InternalError(
                f"Trading stays halted: the flag {self.path} cannot be taken away ({problem.strerror}).",
                details={"file": str(self.path)},
            ) from problem
        return ended

    def check(self) -> None:
        """Refuses while trading is halted.

        Raises:
            TradingHalted: It is; the details say by whom, when and why.
        """
        halt = self.read()
        if halt is None:
            return
        when = f" at {halt.halted_at.isoformat(timespec='seconds')}" if halt.halted_at else ""
        why = f" ({halt.reason})" if halt.reason else ""
        raise TradingHalted(
            f"{self.environment.capitalize()} trading was halted by {halt.halted_by}{when}{why}, so nothing was sent. "
            "To go on: `ft trading resume`.",
            details={
                "environment": self.environment,
                "by": halt.halted_by,
                "at": halt.halted_at.isoformat() if halt.halted_at else None,
                "reason": halt.reason,
            },
        )


def _who() -> str:
    """Who halts: over HTTP the API key's public id, else the user and machine."""
    origin = current_origin()
    if origin.api_key or origin.who == "http":
        return f"http key {origin.api_key}" if origin.api_key else "http"
    import getpass
    import socket

    try:
        user = getpass.getuser()
    except (OSError, KeyError):  # a container may run under a number without a name
        user = str(os.getuid()) if hasattr(os, "getuid") else "unknown"
    return f"{origin.who} ({_clean(user)}@{_clean(socket.gethostname())})"


def _clean(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()[:LONGEST]


def _sync_folder(folder: Path) -> None:
    with contextlib.suppress(OSError):  # Windows cannot open a folder
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
