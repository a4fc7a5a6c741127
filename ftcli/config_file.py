"""Reads what settings come from on disk: the user file with its profiles, and the files that ``…_FILE`` names."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from ftcli.errors import ValidationFailed

_MOST = 64 * 1024
"""Bytes of a settings file; more is none, but a device that never ends."""


def default_dir(kind: Literal["user_data_dir", "user_config_dir"]) -> Path:
    """Where this system keeps a user's data or configuration of ftcli."""
    import platformdirs  # deferred: it is only needed where no folder is set

    return Path(str(getattr(platformdirs, kind)("ftcli", appauthor=False)))


def config_file(environ: Mapping[str, str]) -> Path:
    """The user file: ``FT_CONFIG``, else ``config.toml`` in the user's configuration folder."""
    named = environ.get("FT_CONFIG")
    return Path(named) if named else default_dir("user_config_dir") / "config.toml"


def read_text(field: str, path: Path) -> str | None:
    """The text of a file; ``None`` where there is none.

    Args:
        field: What named the file, for the error.
        path: The file.

    Raises:
        ValidationFailed: It cannot be read, is too long, or is no UTF-8. Its content is never repeated.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(_MOST + 1)
        if len(raw) > _MOST:
            raise ValidationFailed.of(field, path, f"be a file of at most {_MOST // 1024} KiB")
        return raw.decode("utf-8")
    except FileNotFoundError:
        return None
    except OSError as problem:
        raise ValidationFailed.of(field, path, f"be a readable file ({problem.strerror})") from None
    except UnicodeDecodeError as problem:
        raise ValidationFailed.of(
            field, path, f"be a text file in UTF-8; its byte {problem.start} is none"
        ) from None


def read_secret(field: str, path: str) -> str:
    """The text of a file that a ``…_FILE`` variable names, without the line's end.

    Raises:
        ValidationFailed: It is missing, empty, or cannot be read.
    """
    text = read_text(field, Path(path))
    if text is None:
        raise ValidationFailed.of(field, path, "be a readable file (No such file or directory)")
    if not text.strip():
        raise ValidationFailed.of(field, path, "be a file with the value in it; it is empty")
    return text.rstrip("\r\n")


def layers(environ: Mapping[str, str], wanted: str | None) -> list[tuple[str, dict[str, Any]]]:
    """The user file's own keys, then those of the profile, each with where they stand.

    Args:
        environ: The environment, which may name the file.
        wanted: The profile chosen outside it; else the one that its key ``profile`` names.

    Raises:
        ValidationFailed: The file cannot be read, is no TOML, has no such profile, or was named and is missing: a
            slip of the pen must not switch off what it says.
    """
    file = config_file(environ)
    text = read_text("FT_CONFIG", file)
    if text is None and environ.get("FT_CONFIG"):
        raise ValidationFailed.of(
            "FT_CONFIG", file, "be a readable file (No such file or directory); /dev/null stands for none"
        )
    if text is None:
        if wanted:
            raise ValidationFailed.of(
                "profile", wanted, f"be a [profile.NAME] table in {file}, which is missing"
            )
        return []
    document = _parsed(file, text)
    profiles = document.pop("profile", {})
    if isinstance(profiles, str):
        wanted, profiles = wanted or profiles, document.pop("profiles", {})
    if not isinstance(profiles, dict) or not all(isinstance(one, dict) for one in profiles.values()):
        raise ValidationFailed(
            f"profile in {file} must hold tables: [profile.NAME]",
            details={"field": "profile", "value": None, "rule": "hold tables"},
        )
    found = [(str(file), document)]
    if wanted:
        if wanted not in profiles:
            raise ValidationFailed.of(
                "profile", wanted, f"be one of {', '.join(sorted(profiles)) or 'none'} in {file}"
            )
        found.append((f"profile {wanted}", profiles[wanted]))
    return found


def _parsed(file: Path, text: str) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        raise ValidationFailed(f"{file} is not valid TOML: {problem}", details={"file": str(file)}) from None
