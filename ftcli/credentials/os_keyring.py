"""The operating system's keyring, probed with a time limit and refused where it protects nothing."""

import threading
import time
from collections.abc import Callable
from typing import Protocol, TypeVar

from ftcli.credentials.secret_store import StoreUnusable

Result = TypeVar("Result")

SERVICE = "ftcli"
TIME_LIMIT = 3.0
"""Seconds after which a keyring counts as unusable: it may be waiting for a dialog nobody sees."""

_PAUSE = 60.0
"""Seconds for which a keyring that did not answer is left alone: each question would cost the time limit."""

_REFUSED = ("keyring.backends.fail", "keyring.backends.null", "keyrings.alt", "keyring.backends.chainer")


class KeyringBackend(Protocol):
    """What we ask of a backend: the three calls of the keyring library."""

    def get_password(self, service: str, username: str, /) -> str | None:
        """The stored text, ``None`` if there is none."""

    def set_password(self, service: str, username: str, password: str, /) -> None:
        """Stores a text."""

    def delete_password(self, service: str, username: str, /) -> None:
        """Removes a text."""


class KeyringUnusable(StoreUnusable):
    """No keyring that protects anything, or none that answers. The text says why."""


class KeyringMute(KeyringUnusable):
    """It did not answer within the time limit. It may yet do what it was asked, once its dialog is answered."""


class KeyringAbsent(KeyringUnusable):
    """There is no keyring here that protects anything."""

    absent = True


class OsKeyring:
    """The entries of ftcli in the OS keyring.

    Args:
        backend: A backend to use instead of the system's.
        time_limit: Seconds to wait for one answer.
    """

    def __init__(self, backend: KeyringBackend | None = None, *, time_limit: float = TIME_LIMIT) -> None:
        self._backend = backend
        self._limit = time_limit
        self._checked = False
        self._mute_until = 0.0

    @property
    def name(self) -> str:
        """The backend's name for people, such as "SecretService Keyring"."""
        if self._backend is None:
            return "keyring"
        return str(getattr(self._backend, "name", type(self._backend).__name__))

    def probe(self) -> None:
        """Finds out whether the keyring can be used; cheap after the first time.

        Raises:
            KeyringUnusable: It cannot.
        """
        self.get("probe")

    def get(self, entry: str) -> str | None:
        """The text stored under an entry's name, ``None`` if there is none.

        Raises:
            KeyringUnusable: There is no usable keyring.
        """
        return self._within_limit(lambda: self._usable().get_password(SERVICE, entry))

    def set(self, entry: str, text: str) -> None:
        """Stores a text and reads it back: some backends accept and forget.

        Raises:
            KeyringUnusable: There is no usable keyring, or it did not keep the text.
        """

        def store() -> str | None:
            backend = self._usable()
            backend.set_password(SERVICE, entry, text)
            return backend.get_password(SERVICE, entry)

        if self._within_limit(store) != text:
            raise KeyringUnusable(f"{self.name} did not keep what was stored")

    def delete(self, entry: str) -> bool:
        """Removes an entry; answers whether it was there.

        Raises:
            KeyringUnusable: There is no usable keyring.
        """

        def remove() -> bool:
            backend = self._usable()
            if backend.get_password(SERVICE, entry) is None:
                return False
            backend.delete_password(SERVICE, entry)
            return True

        return self._within_limit(remove)

    def _usable(self) -> KeyringBackend:
        if not self._checked:
            self._backend = _accepted(self._backend or _system_backend())
            self._checked = True
        assert self._backend is not None
        return self._backend

    def _within_limit(self, call: Callable[[], Result]) -> Result:
        """Runs ``call`` in a thread of its own: a D-Bus call to a locked keyring may never return."""
        if time.monotonic() < self._mute_until:
            raise self._mute()
        results: list[Result] = []
        problems: list[Exception] = []

        def run() -> None:
            try:
                results.append(call())
            except Exception as problem:
                problems.append(problem)

        thread = threading.Thread(target=run, name="ftcli-keyring", daemon=True)
        thread.start()
        thread.join(self._limit)
        if problems:
            if isinstance(problems[0], KeyringUnusable):
                raise problems[0]
            # The type only: a backend's message may quote what it was given.
            raise KeyringUnusable(f"{self.name} failed with {type(problems[0]).__name__}")
        if not results:
            self._mute_until = time.monotonic() + _PAUSE
            raise self._mute()
        return results[0]

    def _mute(self) -> KeyringMute:
        return KeyringMute(f"{self.name} did not answer within {self._limit:g} s; it may be locked")


def _system_backend() -> KeyringBackend:
    import keyring  # deferred: 70 ms

    return keyring.get_keyring()


def _accepted(backend: KeyringBackend) -> KeyringBackend:
    """The backend, or the first protecting member of a chain."""
    module = type(backend).__module__
    members: list[KeyringBackend] = []
    if module == "keyring.backends.chainer":
        members = list(getattr(backend, "backends", ()))
    for candidate in members or [backend]:
        if not type(candidate).__module__.startswith(_REFUSED):
            return candidate
    raise KeyringAbsent(f"no OS keyring is available here ({module})")
