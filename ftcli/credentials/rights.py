"""Who else on this machine may read or change what we keep, wherever the settings put it, and how to end that."""

import os
import shlex
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, get_args

from ftcli.config import Settings, config_file, declared
from ftcli.redaction import Secret

_OTHERS_READ, _OTHERS_WRITE = 0o077, 0o022


class Rights(NamedTuple):
    """The rights of a file or folder.

    Attributes:
        what: What it is: ``data folder``, ``data``, ``settings``, a ``…_FILE`` variable, ``database`` …, or
            ``folder of`` one of these.
        path: Where it is.
        mode: Its rights, such as ``0600``; ``?`` where they cannot be read.
        fix: The command that makes it private; empty where it is.
    """

    what: str
    path: Path
    mode: str
    fix: str = ""


def all_rights(settings: Settings, environ: Mapping[str, str]) -> list[Rights]:
    """The rights of everything that is there, the data folder first.

    Args:
        settings: The settings in force.
        environ: The environment they came from.
    """
    folder = settings.data_path("")
    found = [_seen("data folder", folder, _OTHERS_READ)]
    found += [_seen("data", path, _OTHERS_READ) for path in sorted(folder.iterdir()) if path.is_file()]
    around: dict[Path, str] = {}
    for what, path in _elsewhere(settings, environ):
        if path.parent == folder or not path.exists():
            continue
        found.append(_seen(what, path, _OTHERS_READ))
        around.setdefault(path.parent, f"folder of {what}")
    # Who may write in a folder can put another file in the place of ours.
    found += [_seen(what, path, _OTHERS_WRITE) for path, what in around.items()]
    return [rights for rights in found if rights.mode]


def _elsewhere(settings: Settings, environ: Mapping[str, str]) -> Iterator[tuple[str, Path]]:
    yield "settings", config_file(environ)
    for kind, source in declared().values():
        for name in source.names if Secret in get_args(kind) else ():
            if environ.get(f"{name}_FILE"):
                yield f"{name}_FILE", Path(environ[f"{name}_FILE"])
    for what, database in (("database", settings.db_path), ("paper database", settings.paper_db)):
        for end in ("", "-wal", "-shm") if database else ():
            assert database
            yield what, database.with_name(f"{database.name}{end}")
    if settings.tls_key:
        yield "TLS key", settings.tls_key
    if settings.socket:
        yield "socket", settings.socket


def _seen(what: str, path: Path, forbidden: int) -> Rights:
    try:
        found = path.stat()
    except FileNotFoundError:
        return Rights(what, path, "")  # gone since it was listed
    except OSError:
        return Rights(what, path, "?")
    mode = stat.S_IMODE(found.st_mode)
    regular = stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode) or stat.S_ISSOCK(found.st_mode)
    # In a sticky folder such as /tmp nobody can replace another user's file.
    sticky = forbidden == _OTHERS_WRITE and mode & stat.S_ISVTX
    fix = ""
    if os.name == "posix" and regular and mode & forbidden and not sticky:
        wanted = "go-w" if forbidden == _OTHERS_WRITE else "700" if stat.S_ISDIR(found.st_mode) else "600"
        fix = f"chmod {wanted} {shlex.quote(str(path))}"
    return Rights(what, path, f"{mode:04o}", fix)
