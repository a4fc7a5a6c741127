"""Private files outlive a power cut: content first, then the name it stands under."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from ftcli.credentials.files import remove, write_private
from ftcli.credentials.passphrase import FILE_NAME, passphrase_key
from ftcli.redaction import Secret


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[str, tuple[str, ...]]]:
    """What was handed to the disk, and the names that stood in the folder at that moment."""
    seen: list[tuple[str, tuple[str, ...]]] = []

    def note(handle: int, real: Callable[[int], None] = os.fsync) -> None:
        kind = "folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file"
        seen.append((kind, tuple(sorted(path.name for path in tmp_path.iterdir() if path.name[0] != "."))))
        real(handle)

    monkeypatch.setattr(os, "fsync", note)
    return seen


def test_a_new_name_is_on_the_disk_when_the_write_returns(
    synced: list[tuple[str, tuple[str, ...]]], tmp_path: Path
) -> None:
    write_private(tmp_path / "kept", b"x")
    assert synced == [("file", ()), ("folder", ("kept",))]


def test_what_was_removed_stays_removed(synced: list[tuple[str, tuple[str, ...]]], tmp_path: Path) -> None:
    (tmp_path / "kept").touch()
    assert remove(tmp_path / "kept") is True
    assert synced == [("folder", ())]
    assert remove(tmp_path / "kept") is False


def test_the_salt_of_a_passphrase_is_on_the_disk_before_anything_is_closed_with_its_key(
    synced: list[tuple[str, tuple[str, ...]]], tmp_path: Path
) -> None:
    passphrase_key(Secret("correct horse battery"), tmp_path)
    assert synced[-1] == ("folder", (FILE_NAME,))
