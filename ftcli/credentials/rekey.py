"""Changes the key of the encrypted files without losing what they hold.

Every file names the key it was closed with, and the old key stays findable until the last file is closed with
the new one. Wherever this breaks off, each file opens, and running it again finishes the work.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec

from ftcli.config import Settings
from ftcli.credentials import keys as places
from ftcli.credentials.files import alone, remove, write_private
from ftcli.credentials.keys import KeySource, key_id
from ftcli.credentials.os_keyring import KeyringUnusable, OsKeyring
from ftcli.credentials.passphrase import passphrase_key
from ftcli.credentials.retired import FILE_NAME as RETIRED
from ftcli.credentials.retired import Retired
from ftcli.credentials.sealed import Sealed, is_sealed, seal, unseal
from ftcli.errors import Conflict, InternalError, ValidationFailed
from ftcli.redaction import Secret

Write = Callable[[Path, bytes], None]
Content = tuple[Path, str, bytes]
"""An encrypted file: where it is, its header, what is in it."""

_TRIES = 5
"""How often the list of files may change while they are being locked."""


class Rekeyed(msgspec.Struct, frozen=True, kw_only=True):
    """What a change of the key did.

    Attributes:
        origin: Where the key comes from: ``environment``, ``passphrase``, ``keyring`` or ``file <path>``.
        files: Names of the files that are closed with the new key now.
        key: Id of the new key.
    """

    origin: str
    files: tuple[str, ...]
    key: str


def sealed_files(settings: Settings) -> list[Path]:
    """The encrypted files of the data folder.

    Raises:
        InternalError: One cannot be read.
    """
    found = []
    for path in sorted(settings.data_path("").iterdir()):
        try:
            found += [path] if is_sealed(path) else []
        except OSError as problem:
            raise InternalError(
                f"{path} cannot be read ({problem.strerror}), so no key was changed.",
                details={"file": str(path)},
            ) from None
    return found


def rekey(
    settings: Settings,
    new: Secret | None = None,
    keyring: OsKeyring | None = None,
    *,
    write: Write = write_private,
) -> Rekeyed:
    """Closes every encrypted file with a new key.

    Args:
        settings: The settings in force; their key is the old one.
        new: The new encryption key or passphrase, where the old one comes from outside. A key in the keyring or
            in a file is replaced by a random one.
        keyring: The keyring to ask.
        write: Writes a private file.

    Raises:
        ValidationFailed: The new key is missing or none, or is not wanted here.
        InternalError: A file cannot be opened with any key at hand; nothing was changed. Or one cannot be written;
            the details tell which files have which key.
        Conflict: Another process holds a file for too long.
    """
    keyring = keyring or OsKeyring()
    source = KeySource(settings, keyring)
    with _all_held(settings, source) as files:
        # Only now: another process may have changed the key, and a daemon may have written, while we waited.
        old = source.present()
        fresh = _new_key(settings, source.origin, new)
        contents = [(path, *_opened(path, source, fresh)) for path in files]
        if source.origin in ("environment", "passphrase"):
            _close_all(contents, fresh, write)
            _retire(settings, (old,), fresh, write)
        else:
            _replace(settings, keyring if source.origin == "keyring" else None, contents, (old, fresh), write)
    return Rekeyed(origin=source.origin, files=tuple(path.name for path in files), key=key_id(fresh))


def _replace(
    settings: Settings,
    keyring: OsKeyring | None,
    contents: "list[Content]",
    keys: tuple[bytes, bytes],
    write: Write,
) -> None:
    """Replaces a key that is kept here. The old one stays at hand until the last file is done; in the keyring, which
    serves all data folders of a user, until the next rotation."""
    old, fresh = keys
    previous = _previous(settings, keyring)
    if previous is not None:
        # If an earlier run broke off, a file may still need the key before the old one: there is room for one
        # previous key only, so that run is finished first.
        _close_all(contents, old, write)
        _retire(settings, (previous,), old, write)
    _put(settings, keyring, places.PREVIOUS, old, write)
    _put(settings, keyring, "", fresh, write)
    _close_all(contents, fresh, write)
    _retire(settings, (old,), fresh, write)
    if keyring is None:
        remove(settings.data_path(places.FILE_NAME + places.PREVIOUS))


def _previous(settings: Settings, keyring: OsKeyring | None) -> bytes | None:
    name = places.FILE_NAME + places.PREVIOUS
    try:
        if keyring is None:
            return settings.data_path(name).read_bytes().strip()
        stored = keyring.get(places.ENTRY + places.PREVIOUS)
    except FileNotFoundError:
        return None
    except OSError as problem:
        raise InternalError(f"{name} cannot be read ({problem.strerror}). No key was changed.") from None
    except KeyringUnusable as problem:
        raise InternalError(f"The keyring cannot be asked: {problem}. No key was changed.") from None
    return None if stored is None else stored.encode()


def _retire(settings: Settings, old: tuple[bytes, ...], fresh: bytes, write: Write) -> None:
    """Who has an old key in memory closes nothing with it from now on."""
    retired = Retired(settings.data_path(RETIRED))
    try:
        retired.replace(map(key_id, old), key_id(fresh), write)
    except OSError as problem:
        raise InternalError(
            f"{retired.path} cannot be written ({problem.strerror or problem}). Nothing is lost: every file opens. "
            "Mend what stands in the way, and run ft auth rekey again with the same new key.",
            details={"file": str(retired.path)},
        ) from None


def _new_key(settings: Settings, origin: str, new: Secret | None) -> bytes:
    outside = origin in ("environment", "passphrase")
    if outside != bool(new):
        rule = (
            "be given: the present key comes from outside"
            if outside
            else f"not be given: the key in the {origin.partition(' ')[0]} is replaced by a random one"
        )
        raise ValidationFailed(
            f"The new key must {rule}.", details={"field": "key", "value": None, "rule": rule}
        )
    if new is None:
        return places.new_key()
    if origin == "passphrase":
        return passphrase_key(new, settings.data_path(""))
    key = new.reveal().strip().encode()
    if not places.is_key(key):
        rule = "be a Fernet key, 32 random bytes in URL-safe base64"
        raise ValidationFailed(
            f"The new key must {rule}.", details={"field": "key", "value": None, "rule": rule}
        )
    return key


def _opened(path: Path, source: KeySource, fresh: bytes) -> tuple[str, bytes]:
    sealed = Sealed.parse(path.read_bytes())
    content = None
    if sealed is not None:
        # One that an earlier run has done already is closed with the new key.
        key = fresh if sealed.key == key_id(fresh) else source.find(sealed.key)
        content = unseal(sealed, key) if key else None
    if sealed is None or content is None:
        raise InternalError(
            f"{path} cannot be opened with any key at hand, so no key was changed. Give its key, or remove the file.",
            details={"file": str(path)},
        )
    return sealed.header, content


def _close_all(contents: "list[Content]", key: bytes, write: Write) -> None:
    for path, header, content in contents:
        try:
            write(path, seal(header, key, content))
            sealed = Sealed.parse(path.read_bytes())
            problem = "did not keep what was written"
        except OSError as trouble:
            sealed, problem = None, f"cannot be written ({trouble.strerror or trouble})"
        if sealed is None or unseal(sealed, key) != content:
            raise _broken_off(path, problem, [one for one, _, _ in contents], key)


def _broken_off(path: Path, problem: str, files: list[Path], new: bytes) -> InternalError:
    """Says which files have which key: nothing is lost as long as both keys are kept."""
    done: list[str] = []
    left: list[str] = []
    for one in files:
        sealed = Sealed.parse(one.read_bytes()) if one.exists() else None
        (done if sealed is not None and sealed.key == key_id(new) else left).append(one.name)
    return InternalError(
        f"{path} {problem}. Nothing is lost: {_listed(done)} closed with the new key (id {key_id(new)}), "
        f"{_listed(left)} still with the old one. Keep both, mend what stands in the way, and run ft auth rekey again "
        "with the same new key.",
        details={"file": str(path), "new_key_id": key_id(new), "new_key": done, "old_key": left},
    )


def _listed(names: list[str]) -> str:
    return f"{', '.join(names) or 'no file'} {'are' if len(names) > 1 else 'is'}"


def _put(settings: Settings, keyring: OsKeyring | None, suffix: str, key: bytes, write: Write) -> None:
    if keyring is None:
        path = settings.data_path(places.FILE_NAME + suffix)
        try:
            write(path, key + b"\n")
        except OSError as problem:
            raise InternalError(
                f"{path} cannot be written ({problem.strerror or problem}). Every file still opens.",
                details={"file": str(path)},
            ) from None
        return
    try:
        keyring.set(places.ENTRY + suffix, key.decode())
    except KeyringUnusable as problem:
        raise InternalError(f"The keyring did not take the key: {problem}. Every file still opens.") from None


@contextmanager
def _all_held(settings: Settings, source: KeySource) -> Iterator[list[Path]]:
    """Nobody else changes an encrypted file or the key; answers the files."""
    for _ in range(_TRIES):
        files = sealed_files(settings)
        with ExitStack() as stack:
            try:
                for path in files:
                    stack.enter_context(alone(path.with_name(f"{path.name.removesuffix('.pending')}.lock")))
                stack.enter_context(source.held())
            except TimeoutError:
                break
            # Else one came, unheld, or went while we waited for the others.
            if sealed_files(settings) == files:
                yield files
                return
    raise Conflict("Another ftcli process is using an encrypted file. Try again.")
