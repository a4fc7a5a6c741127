"""Processes of the campaign that are killed with signal 9: daemons and single commands."""

import asyncio
import contextlib
import json
import signal
import socket
import sys
from collections.abc import Callable

import httpx

from ftcli.transport.http import Failure  # noqa: F401  # loads httpx the way the transport wants it


class Daemon:
    """`ft serve` in a process of its own, on a port that stays its own."""

    def __init__(self, environ: dict[str, str]) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self._environ = {**environ, "FTSERVICE_PORT": str(port)}
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Starts it and waits until it answers."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "ftcli",
            "serve",
            env=self._environ,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        async with httpx.AsyncClient(timeout=2, trust_env=False) as http:
            for _ in range(1200):
                with contextlib.suppress(httpx.HTTPError):
                    if (await http.get(f"{self.url}/health")).status_code == 200:
                        return
                if self._process.returncode is not None:
                    raise RuntimeError(f"the daemon ended with {self._process.returncode}")
                await asyncio.sleep(0.05)
        raise RuntimeError("the daemon does not answer")

    async def kill(self) -> None:
        """kill -9."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGKILL)
            await self._process.wait()


class Command:
    """One command of `ft` in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, words: list[str], environ: dict[str, str]) -> "Command":
        """Starts it."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "ftcli",
            *words,
            env=environ,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        return cls(process)

    def kill(self) -> None:
        """kill -9, unless it has ended."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGKILL)

    async def outcome(self) -> str:
        """``ok``, ``killed`` or the error's code."""
        _, err = await self._process.communicate()
        status = self._process.returncode
        assert status is not None
        return "killed" if status == -signal.SIGKILL else told(status, err.decode())


def told(status: int, err: str) -> str:
    """What a command said: ``ok`` or the error's code."""
    if not status:
        return "ok"
    return str(json.loads(err)["code"]) if err.startswith("{") else f"exit {status}"


async def killed_after(seconds: float, kill: Callable[[], None]) -> None:
    """Kills after a while."""
    await asyncio.sleep(seconds)
    kill()
