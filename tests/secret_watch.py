"""Searches what the whole suite prints, logs and leaves in its folders for every secret that is known.

Known are: whatever the paper broker hands out (its tokens begin alike, its event tokens and our API keys have a form of
their own), and the passwords, seeds and keys that the tests' modules name. The kits hand in what commands and the daemon
answer. Spared are only the few answers that are there to tell a secret (:data:`TELLING`).
"""

import base64
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType
from urllib.parse import quote

from ftcli.paper.desk import DEMO_PASSWORD
from ftcli.paper.logins import TOKEN_MARK
from ftcli.server.key_text import well_formed

_NAMES = re.compile(
    r"PASS|PASSWORD|PASSPHRASE|SEED|SECRET|TOTP_SECRET|FERNET|FERNET_KEY|BOOTSTRAP|ENCRYPTION_KEY"
)
_SHORTEST = 8
_API_KEY = re.compile(rb"ft_[0-9A-Za-z]{46}")
_EVENT_TOKEN = re.compile(rb"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9\.[\w-]{20,}\.[\w-]{20,}")
TELLING = (
    ("keys", "create"),
    ("keys", "rotate"),
    ("alerts", "event-token"),
    ("paper", "fault", "list"),
    ("paper", "serve"),
)
"""Words of commands whose answer is a secret, or the paper broker's own public one."""
TELLING_PATHS = ("/alerts/event-token", "/sim/")
_LARGEST = 8 << 20
"""Files beyond this are not searched; the suite leaves none."""


def spellings(secret: str) -> set[bytes]:
    """The forms in which a secret could come out: plain, percent-encoded, JSON, hexadecimal, base64 at any offset."""
    data = secret.encode()
    forms = {data, quote(secret, safe="").encode(), secret.replace("\\", "\\\\").replace('"', '\\"').encode()}
    forms |= {data.hex().encode(), data.hex().upper().encode()}
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + data)
        # The signs at both ends depend on what stands beside the secret.
        forms.add(encoded[(0, 2, 3)[offset] : -4])
    return forms


class Watch:
    """The secrets and where they have been looked for."""

    def __init__(self) -> None:
        self.searched: Counter[str] = Counter()
        self.known_elsewhere = 0
        self.waiting: list[tuple[str, bytes]] = []
        """What the kits have collected since the last test: answers of commands and of the daemon."""
        self._names: dict[bytes, str] = {}
        self._pattern: re.Pattern[bytes] | None = None
        self.know("token of the paper broker", TOKEN_MARK)
        self.know("password of the paper broker", DEMO_PASSWORD)

    def know(self, name: str, secret: str) -> None:
        """Adds a secret."""
        for form in spellings(secret):
            self._names.setdefault(form, name)
        self._pattern = None

    def know_module(self, module: ModuleType) -> None:
        """Adds the secrets that a module of tests names."""
        for name, value in vars(module).items():
            if (
                _NAMES.fullmatch(name)
                and isinstance(value, str)
                and len(value) >= _SHORTEST
                and "/" not in value
            ):
                self.know(f"{module.__name__}.{name}", value)

    def collect(self, place: str, words: Iterable[str], *texts: str | bytes) -> None:
        """Keeps the answers of a command for the search after the test.

        Args:
            place: What they are.
            words: The command.
            texts: The answers.
        """
        said = [word for word in words if not word.startswith("-")]
        if not any(tuple(said[: len(telling)]) == telling for telling in TELLING):
            self.waiting += [(place, text.encode() if isinstance(text, str) else text) for text in texts]

    def drain(self) -> Iterator[str]:
        """The secrets in what was collected."""
        waiting, self.waiting = self.waiting, []
        for place, data in waiting:
            yield from self.hits(place, data)

    @property
    def count(self) -> int:
        """Number of secrets and forms of secrets."""
        return len(set(self._names.values())) + 2

    def hits(self, place: str, data: bytes) -> Iterator[str]:
        """The secrets in some bytes.

        Args:
            place: The kind of place, for the report.
            data: What was found there.
        """
        if self._pattern is None:
            forms = sorted(self._names, key=len, reverse=True)
            self._pattern = re.compile(b"|".join(re.escape(form) for form in forms))
        self.searched[place] += 1
        for match in self._pattern.finditer(data):
            yield f"{self._names[match[0]]} in {place}: {_around(data, match)}"
        for match in _EVENT_TOKEN.finditer(data):
            yield f"event token in {place}: {_around(data, match)}"
        for match in _API_KEY.finditer(data):
            if well_formed(match[0].decode()):
                yield f"API key in {place}: {_around(data, match)}"

    def hits_in_folder(self, folder: Path, spared: Iterable[str] = ()) -> Iterator[str]:
        """The secrets in the files under a folder, but for those that a test wrote itself.

        Args:
            folder: The folder.
            spared: Patterns of names that are not searched.
        """
        for path in sorted(folder.rglob("*")):
            if not path.is_file() or path.is_symlink() or path.stat().st_size > _LARGEST:
                continue
            if any(path.match(pattern) for pattern in spared):
                continue
            try:
                yield from self.hits(f"file {_kind(path)}", path.read_bytes())
            except OSError:
                continue  # another process has just taken it away


def _around(data: bytes, match: re.Match[bytes]) -> str:
    before, after = data[max(0, match.start() - 60) : match.start()], data[match.end() : match.end() + 20]
    return f"...{before!r} [{match[0][:4]!r}...] {after!r}"


def _kind(path: Path) -> str:
    """A file's name without what differs from test to test."""
    return re.sub(r"[0-9a-f]{8,}|\d+", "*", path.name)


WATCH = Watch()
