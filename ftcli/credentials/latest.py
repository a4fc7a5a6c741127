"""Since when what is stored counts: an older entry that turns up in another store must not come back.

A store that is closed today (a locked keyring, a file whose key is not at hand) cannot be emptied, and opens again
one day. So each entry says when it was stored, and a small file in the data folder, which holds no secret, says when
credentials were last stored or deleted.
"""

import time
from pathlib import Path

from ftcli.credentials.files import write_private


class Latest:
    """The moment of the latest word on an entry.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def since(self) -> float:
        """Epoch seconds; 0 where nothing is known."""
        try:
            return float(self.path.read_bytes())
        except (OSError, ValueError):
            return 0.0

    def next(self) -> float:
        """Now, or just after the latest word where the clock was set back."""
        return max(time.time(), self.since() + 0.001)

    def note(self, moment: float) -> None:
        """From now on nothing older counts.

        Raises:
            OSError: It cannot be written.
        """
        write_private(self.path, f"{max(moment, self.since())!r}\n".encode())
