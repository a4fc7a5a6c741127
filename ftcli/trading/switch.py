"""The kill switch: a file on disk. While it lies there nothing is placed, by any process, on any face."""

import contextlib
import os
from datetime import datetime
from pathlib import Path

import msgspec

from ftcli.errors import TradingHalted
from ftcli.models.json import dumps
from ftcli.models.trading import TradingHalt


class KillSwitch:
    """Halts and resumes trading.

    Args:
        path: The flag.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

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
            return msgspec.json.decode(text, type=TradingHalt)
        except msgspec.DecodeError:
            return TradingHalt(halted_by="unknown", reason=f"the flag {self.path} cannot be understood")

    def halt(self, by: str, reason: str, at: datetime) -> TradingHalt:
        """Halts trading; a halt that stands is left as it is."""
        standing = self.read()
        if standing is not None:
            return standing
        made = TradingHalt(halted_by=by, reason=reason, halted_at=at)
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(dumps(made))
            file.flush()
            os.fsync(file.fileno())
        part.replace(self.path)
        _sync_folder(self.path.parent)
        return made

    def resume(self) -> TradingHalt | None:
        """Lets orders through again; answers the halt that ended."""
        ended = self.read()
        self.path.unlink(missing_ok=True)
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
            f"Trading was halted by {halt.halted_by}{when}{why}, so nothing was sent. To go on: `ft trading resume`.",
            details={
                "by": halt.halted_by,
                "at": halt.halted_at.isoformat() if halt.halted_at else None,
                "reason": halt.reason,
            },
        )


def _sync_folder(folder: Path) -> None:
    with contextlib.suppress(OSError):  # Windows cannot open a folder
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
