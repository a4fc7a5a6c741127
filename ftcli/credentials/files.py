"""Private files: 0600 in a 0700 folder, replaced in one step so that no reader sees half of one."""

import errno
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from filelock import FileLock

PATIENCE = 10.0
"""Seconds to wait for another process that is writing; it may have to ask a keyring."""


def write_private(path: Path, content: bytes) -> None:
    """Writes a file that only its owner can read, replacing the old one atomically.

    Raises:
        OSError: The folder or the file cannot be written.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            # Without this a power cut can leave an empty file under the final name.
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def remove(path: Path) -> bool:
    """Removes a file for good; answers whether it was there.

    Raises:
        OSError: It cannot be removed.
    """
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    sync_folder(path.parent)
    return True


def sync_folder(folder: Path) -> None:
    """Makes new, replaced and removed names outlive a power cut: they stand in the folder, not in the files.

    Raises:
        OSError: The disk fails.
    """
    if os.name != "posix":
        return  # Windows opens no folders, and its file systems write names through
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as problem:
        if problem.errno not in (errno.EINVAL, errno.ENOTSUP):  # some network file systems know no such call
            raise
    finally:
        os.close(handle)


def is_exposed(path: Path) -> bool:
    """Whether others on this machine may read the file. Always no on Windows, which has no such bits."""
    return os.name == "posix" and bool(path.stat().st_mode & 0o077)


def lock_file(path: Path) -> None:
    """Makes the (empty) lock file and its folder, private from the start."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def alone(path: Path, patience: float = PATIENCE) -> "FileLock":
    """A lock between processes and threads, to be entered with ``with``; whoever holds it may enter it again.

    Args:
        path: The lock file; it is made where it is missing.
        patience: Seconds to wait for who holds it, before a :class:`TimeoutError`; always the same for one file.

    Raises:
        OSError: The lock file cannot be made.
    """
    from filelock import FileLock  # deferred: 30 ms

    lock_file(path)
    return FileLock(path, timeout=patience, is_singleton=True)
