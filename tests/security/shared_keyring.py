"""A keyring that processes share, for tests."""

import json
import os
import sys
from pathlib import Path


class Shared:
    """Told so, it waits for a line on stdin after an answer (``get``) or before a removal (``delete``)."""

    name = "Shared"

    def __init__(self, path: Path, waits_at: str = "") -> None:
        self.path, self.waits_at = path, waits_at

    def get_password(self, service: str, username: str, /) -> str | None:
        found = self._all().get(username)
        self._wait("get")
        return found

    def set_password(self, service: str, username: str, password: str, /) -> None:
        self._put(self._all() | {username: password})

    def delete_password(self, service: str, username: str, /) -> None:
        self._wait("delete")
        self._put({name: text for name, text in self._all().items() if name != username})

    def _all(self) -> dict[str, str]:
        return json.loads(self.path.read_text()) if self.path.exists() else {}

    def _put(self, entries: dict[str, str]) -> None:
        fresh = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        fresh.write_text(json.dumps(entries))
        fresh.replace(self.path)

    def _wait(self, at: str) -> None:
        if self.waits_at == at:
            self.waits_at = ""
            print("waits", flush=True)
            sys.stdin.readline()
