"""The keys that a rotation has replaced: who still has one in memory must not close a file with it any more.

Their ids (:func:`ftcli.credentials.keys.key_id`) stand in a file of the data folder, which holds no secret.
"""

from collections.abc import Callable, Iterable
from pathlib import Path

from ftcli.credentials.files import write_private
from ftcli.errors import InternalError

FILE_NAME = "keys.retired"


class Retired:
    """Ids of replaced keys.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def ids(self) -> frozenset[str]:
        """Those of all replaced keys.

        Raises:
            InternalError: The file is there and cannot be read.
        """
        try:
            return frozenset(self.path.read_text("ascii", "replace").split())
        except FileNotFoundError:
            return frozenset()
        except OSError as problem:
            raise InternalError(
                f"{self.path} cannot be read ({problem.strerror}), so no key is safe to encrypt with.",
                details={"file": str(self.path)},
            ) from None

    def replace(
        self, old: Iterable[str], fresh: str, write: Callable[[Path, bytes], None] = write_private
    ) -> None:
        """Notes that keys were replaced by another one, which may have been one of them long ago.

        Args:
            old: Their ids.
            fresh: Id of the key in force.
            write: Writes a private file.

        Raises:
            OSError: It cannot be written.
            InternalError: It is there and cannot be read.
        """
        kept = (self.ids() | set(old)) - {fresh}
        write(self.path, "".join(f"{one}\n" for one in sorted(kept)).encode())
