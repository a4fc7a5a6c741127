"""Runs command lines inside the test process, with every stream and variable handed in."""

import io
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from ftcli.cli.call import Call
from ftcli.cli.entry import run
from ftcli.cli.terminal import Opener, Terminal

sys.path.append(str(Path(__file__).parents[1]))

from secret_watch import WATCH


class Screen(io.TextIOWrapper):
    """A text stream in memory that may call itself a terminal."""

    def __init__(self, text: str = "", *, tty: bool = False) -> None:
        super().__init__(io.BytesIO(text.encode()), encoding="utf-8", newline="")
        self.tty = tty

    def isatty(self) -> bool:
        return self.tty

    @property
    def data(self) -> bytes:
        self.flush()
        buffer = self.buffer
        assert isinstance(buffer, io.BytesIO)
        return buffer.getvalue()


class Meanwhile(Screen):
    """A person who says yes after something else has happened."""

    def __init__(self, happens: Callable[[], object]) -> None:
        super().__init__(tty=True)
        self._happens = happens

    def readline(self, size: int | None = -1, /) -> str:  # type: ignore[override]
        self._happens()
        return "y\n"


class Outcome(NamedTuple):
    """How a command line ended."""

    status: int
    data: bytes
    err: str

    @property
    def out(self) -> str:
        return self.data.decode()


Run = Callable[..., Outcome]
CLOCK = "2026-11-24T10:30:00-05:00"
"""Where the clock of the command line's paper brokers stands."""


def terminal(
    *,
    stdin: str = "",
    tty: bool = False,
    environ: Mapping[str, str] | None = None,
    opener: Opener | None = None,
    secrets: Sequence[str] = (),
) -> Terminal:
    """A terminal in memory."""
    waiting = list(secrets)
    return Terminal(
        Screen(stdin, tty=tty),
        Screen(tty=tty),
        Screen(tty=tty),
        {"FT_CONFIG": "/dev/null", "TERM": "xterm-256color", **(environ or {})},
        opener,
        lambda question: waiting.pop(0),
    )


def ft(*args: str, **world: Any) -> Outcome:
    """Runs ``ft ARGS``; the keywords are those of :func:`terminal`."""
    screen = terminal(**world)
    status = run(list(args), screen)
    done = Outcome(status, screen.stdout.data, screen.stderr.data.decode())  # type: ignore[attr-defined]
    WATCH.collect("answer of a command", args, done.data, done.err)
    return done


def shown(document: Any, *flags: str, tty: bool = False, environ: Mapping[str, str] | None = None) -> Outcome:
    """Prints a document as a command with these flags would."""
    from ftcli.cli.common import group_options
    from ftcli.cli.parsing import Command, program

    screen = terminal(tty=tty, environ=environ)
    call = Call(screen, list(flags))
    command = Command("show", "", make_params=group_options, run=lambda call, values: call.show(document))
    with closing(call):  # a call left open would leave its log on stderr to the tests after it
        program(command, list(flags), call)  # type: ignore[arg-type]
    return Outcome(0, screen.stdout.data, screen.stderr.data.decode())  # type: ignore[attr-defined]


def failing(problem: BaseException) -> Opener:
    """An opener whose client cannot be opened."""

    @asynccontextmanager
    async def opener(settings: Any) -> Any:
        raise problem
        yield

    return opener


@contextmanager
def paper_server(folder: Path, **variables: str) -> Iterator[str]:
    """``ft paper serve`` as a process of its own; gives its URL."""
    environ = {
        "PATH": os.environ["PATH"],
        "FT_DATA_DIR": str(folder),
        "FT_CONFIG": "/dev/null",
        **variables,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "ftcli", "paper", "serve", "--port", "0"],
        stderr=subprocess.PIPE,
        env=environ,
        cwd=Path(__file__).parents[2],
        text=True,
    )
    assert process.stderr is not None
    try:
        line = process.stderr.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+", line)
        assert found, line
        yield found[0]
    finally:
        process.terminate()
        process.stderr.close()
        process.wait(timeout=10)
