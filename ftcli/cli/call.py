"""One command line being run: its flags, the settings they lead to, and the ways to talk and to show."""

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from ftcli.cli.terminal import ColorMode, Terminal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from ftcli.client import Client
    from ftcli.config import OutputFormat, Settings


class Call:
    """What a command needs besides its own values.

    Args:
        terminal: The world outside.
        args: The command line, without the program's name.

    Attributes:
        flags: Settings given as flags, by setting name; the last one wins.
        columns, sort, limit: Which rows and fields to show.
        color: When to colour.
        no_input: Whether questions are forbidden.
        quiet: Whether to leave out all talk but errors.
        verbosity: 0, 1 (``-v``) or 2 (``--debug``).
        in_flight: What is said if the command is broken off now: set while an order is under way.
        when_sending: Called when the first byte of an order, or of anything that must not be repeated, is leaving.
    """

    def __init__(self, terminal: Terminal, args: list[str]) -> None:
        self.terminal = terminal
        self.args = args
        self.flags: dict[str, Any] = {}
        self.columns: list[str] = []
        self.sort = ""
        self.limit: int | None = None
        self.color: ColorMode = "auto"
        self.no_input = False
        self.quiet = False
        self.verbosity = 0
        self.in_flight: Any = None
        self.when_sending: Callable[[], None] | None = None
        self._settings: Settings | None = None
        self._warns = False
        self._at_end: list[Callable[[], None]] = []

    @property
    def settings(self) -> "Settings":
        """The settings in force; read once, when first needed.

        Raises:
            ValidationFailed: A setting does not parse.
        """
        if self._settings is None:
            from ftcli.config import load

            self._settings = load(self.flags, self.terminal.environ)
            if self.verbosity:
                self._at_end.append(_log_to_stderr(self))
        return self._settings

    def close(self) -> None:
        """Puts back what the call changed in the process."""
        while self._at_end:
            self._at_end.pop()()

    @property
    def has_settings(self) -> bool:
        """Whether the settings have been read already."""
        return self._settings is not None

    @property
    def output(self) -> "OutputFormat":
        """The output format in force."""
        return self.settings.output

    @property
    def speaks_json(self) -> bool:
        """Whether stderr belongs to a program: then it carries nothing but an error as one JSON object."""
        return self.has_settings and self.output in ("json", "jsonl") and not self.can_ask

    @property
    def environment_label(self) -> str:
        """The environment in capitals, as shown before anything that trades."""
        return self.settings.environment.upper()

    @property
    def program(self) -> str:
        """How a further command starts, for hints: ``ft``, or ``ft --paper`` where that was said."""
        chosen = self.flags.get("environment")
        return "ft --paper" if chosen == "paper" else f"ft --env {chosen}" if chosen else "ft"

    @asynccontextmanager
    async def open_client(self) -> "AsyncIterator[Client]":
        """Opens a client for the settings in force. It looks for a lost order while the command still runs."""
        if not self.verbosity and not self._warns:
            self._warns = True
            self._at_end.append(_say_warnings(self))
        async with self.terminal.open_client(self.settings) as client:
            client.on_lost = self.talk
            client.on_sending = lambda: self.when_sending() if self.when_sending else None
            yield client

    @property
    def can_ask(self) -> bool:
        """Whether questions may be asked and somebody is there to answer."""
        return not self.no_input and self.terminal.can_ask

    @property
    def has_color(self) -> bool:
        """Whether the output is coloured."""
        return self.terminal.has_color(self.color)

    @property
    def wants_rich_help(self) -> bool:
        """Whether help goes to a person at a terminal that can do more than plain text."""
        return not self.terminal.is_piped and self.terminal.environ.get("TERM") != "dumb" and self.has_color

    def talk(self, text: str) -> None:
        """Says a line to the person on stderr, unless ``--quiet``, or where a program reads JSON there."""
        if not self.quiet and not self.speaks_json:
            self.terminal.stdout.flush()
            self.terminal.talk(text)

    def announce(self, text: str) -> None:
        """Says at once what matters even with ``--quiet``: where a server listens, a key shown once."""
        self.terminal.talk(text)
        self.terminal.flush()

    def show(self, document: Any) -> None:
        """Prints a result in the format in force."""
        from ftcli.cli.output.writer import show

        show(document, self)

    def confirm(self, question: str) -> bool:
        """Asks a yes-or-no question; anything but a clear yes is a no."""
        return self.terminal.ask(f"{question} [y/N] ").lower() in ("y", "yes")


def _say_warnings(call: Call) -> "Callable[[], None]":
    """Says what our log warns of, redacted, where anybody reads it. Answers its undoing.

    Without a handler Python itself would write it to stderr, beside the JSON object that a program expects there.
    """
    import logging

    from ftcli.redaction import redact_log

    class Saying(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            call.talk(f"{record.levelname.capitalize()}: {redact_log(record.getMessage())}")

    handler = Saying(logging.WARNING)
    logger = logging.getLogger("ftcli")
    logger.addHandler(handler)
    return lambda: logger.removeHandler(handler)


def _log_to_stderr(call: Call) -> "Callable[[], None]":
    """Sends our log to stderr, redacted: steps by ``-v``, the wire with ``--debug``. Answers its undoing."""
    import logging

    from ftcli.redaction import redact_log

    class Redacting(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            return redact_log(super().format(record))

    handler = logging.StreamHandler(call.terminal.stderr)
    handler.setFormatter(Redacting("%(levelname)s %(name)s: %(message)s"))
    logger = logging.getLogger("ftcli")
    before = logger.level, logger.propagate

    def undo() -> None:
        logger.removeHandler(handler)
        logger.setLevel(before[0])
        logger.propagate = before[1]

    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG if call.verbosity > 1 else logging.INFO)
    logger.propagate = False
    return undo
