"""Whether the process that began an order still lives. The kernel tells: it drops a dead process's locks."""

import os
import secrets
from pathlib import Path
from typing import IO

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


class Owner:
    """This process's name in the journal, and a locked file that proves its life.

    Args:
        folder: Where such files are.
    """

    def __init__(self, folder: Path) -> None:
        self.name = f"{os.getpid()}-{secrets.token_hex(6)}"
        self._folder = folder
        self._file: IO[bytes] | None = None

    def stand(self) -> str:
        """Takes the lock, before anything is journalled in this name; answers the name."""
        if self._file is None:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = (self._folder / self.name).open("wb")
            if fcntl is not None:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return self.name

    def lives(self, name: str) -> bool:
        """Whether the process of that name is still at work."""
        if name == self.name:
            return True
        try:
            # Windows refuses to unlink an open file; elsewhere the lock tells.
            with (self._folder / name).open("rb") as file:
                if fcntl is not None:
                    fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except OSError:
            return True
        try:
            (self._folder / name).unlink(missing_ok=True)
        except OSError:
            return True
        return False

    def leave(self) -> None:
        """Ends this process's claim."""
        if self._file is not None:
            self._file.close()
            (self._folder / self.name).unlink(missing_ok=True)
            self._file = None
