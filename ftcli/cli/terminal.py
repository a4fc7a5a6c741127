"""The world outside a command: its streams, its environment variables, the person in front of it.

Everything a command reads or prints goes through a :class:`Terminal`, so that a test can stand in for all of
it.
"""

import io
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import TYPE_CHECKING, Literal, TextIO

if TYPE_CHECKING:
    from ftcli.client import Client
    from ftcli.config import Settings

Opener = Callable[["Settings"], AbstractAsyncContextManager["Client"]]
ColorMode = Literal["auto", "always", "never"]

_USUAL_HEIGHT = 24
PIPED_WIDTH = 100
"""Columns a table may take where nobody says how wide the output is."""


class Terminal:
    """Streams, environment and prompts of one command line.

    Args:
        stdin, stdout, stderr: Text streams; ``stdout.buffer`` takes bytes.
        environ: Environment variables.
        opener: Opens a client for the settings in force.
        secret_reader: Asks for a secret without showing it; ``getpass`` where left out.
    """

    def __init__(
        self,
        stdin: TextIO,
        stdout: TextIO,
        stderr: TextIO,
        environ: Mapping[str, str],
        opener: Opener | None = None,
        secret_reader: Callable[[str], str] | None = None,
    ) -> None:
        self.stdin = stdin
        self.stdout = stdout
        self.stderr = stderr
        self.environ = environ
        self._opener = opener
        self._secret_reader = secret_reader

    @classmethod
    def of_process(cls) -> "Terminal":
        """The process's own streams and environment."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                # A sign the terminal cannot show must not end a command.
                stream.reconfigure(errors="replace")
        return cls(sys.stdin, sys.stdout, sys.stderr, os.environ)

    def open_client(self, settings: "Settings") -> AbstractAsyncContextManager["Client"]:
        """Opens a client; closes it at the end of the ``async with``."""
        if self._opener is not None:
            return self._opener(settings)
        from ftcli.environment import open_client

        return open_client(settings)

    # -- what is in front of it ------------------------------------------------------------------------------

    @property
    def can_ask(self) -> bool:
        """Whether a person can be asked: questions go to stderr, answers come from stdin."""
        return _is_terminal(self.stdin) and _is_terminal(self.stderr)

    @property
    def is_piped(self) -> bool:
        """Whether stdout is read by a program."""
        return not _is_terminal(self.stdout)

    @property
    def width(self) -> int:
        """Columns of the output: ``COLUMNS``, else the terminal's, else 100."""
        named = self.environ.get("COLUMNS", "")
        if named.isdigit() and int(named) > 0:
            return int(named)
        if self.is_piped:
            return PIPED_WIDTH
        try:
            return os.get_terminal_size(self.stdout.fileno()).columns or PIPED_WIDTH
        except (OSError, ValueError):
            return PIPED_WIDTH

    @property
    def height(self) -> int:
        """Lines of the output: ``LINES``, else the terminal's, else 24."""
        named = self.environ.get("LINES", "")
        if named.isdigit() and int(named) > 0:
            return int(named)
        try:
            return os.get_terminal_size(self.stdout.fileno()).lines or _USUAL_HEIGHT
        except (OSError, ValueError):
            return _USUAL_HEIGHT

    def has_color(self, mode: ColorMode = "auto", stream: TextIO | None = None) -> bool:
        """Whether to colour: the flag says, ``NO_COLOR``, ``CLICOLOR_FORCE``, ``TERM``, else the stream."""
        if mode != "auto":
            return mode == "always"
        if self.environ.get("NO_COLOR"):
            return False
        if self.environ.get("CLICOLOR_FORCE", "0") not in ("", "0"):
            return True
        if self.environ.get("TERM") == "dumb":
            return False
        return _is_terminal(stream or self.stdout)

    # -- talking -------------------------------------------------------------------------------------------

    def write(self, text: str) -> None:
        """Writes data."""
        self.stdout.write(text)

    def write_bytes(self, data: bytes) -> None:
        """Writes data that must arrive exactly as it is."""
        buffer = getattr(self.stdout, "buffer", None)
        if buffer is None:
            self.stdout.write(data.decode("utf-8", "replace"))
            return
        self.stdout.flush()
        buffer.write(data)

    def talk(self, text: str) -> None:
        """Says a line to the person, beside the data."""
        self.stderr.write(text + "\n")

    def flush(self) -> None:
        """Hands everything written so far to its reader."""
        self.stdout.flush()
        self.stderr.flush()

    def ask(self, question: str) -> str:
        """Asks a question and reads one line; the empty text at the end of input."""
        self.stdout.flush()
        with _interruptible():
            self.stderr.write(question)
            self.stderr.flush()
            return self.stdin.readline().strip()

    def ask_secret(self, question: str) -> str:
        """Asks for a secret without showing what is typed."""
        self.flush()
        if self._secret_reader is not None:
            return self._secret_reader(question)
        import getpass  # deferred: only a login needs it

        with _interruptible():
            return getpass.getpass(question, self.stderr)


@contextmanager
def _interruptible() -> Iterator[None]:
    """Lets Ctrl-C end a question at once: the event loop's own handler would wait for the answer first."""
    import signal  # deferred, as threading is: only a question needs them
    import threading

    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or before in (None, signal.SIG_IGN):
        yield
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _is_terminal(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except ValueError:  # a closed stream
        return False
