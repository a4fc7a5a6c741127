"""The daemon's log: one JSON object a line for machines, one short line for a terminal; never a secret."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TextIO

from ftcli.log_guard import guard_loggers
from ftcli.models.json import dumps
from ftcli.redaction import redact_log

_EXTRAS = ("request_id", "key", "path", "remote")
_AUDIT = "ftcli.audit"
"""Who did what with money or rights: told at every level."""
_QUIET = ("httpx", "httpcore", "aiohttp", "websockets", "asyncio")
"""Libraries whose debug records hold headers: they speak from warnings on."""


class _Redacting(logging.Formatter):
    def _text(self, record: logging.LogRecord) -> str:
        text = record.getMessage()
        if record.exc_info and record.exc_info[0] is not None:
            text = f"{text}\n{self.formatException(record.exc_info)}"
        elif record.exc_text:  # the filter on the logger has written the traceback out already
            text = f"{text}\n{record.exc_text}"
        return redact_log(text)


class JsonLines(_Redacting):
    """A record as one JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        entry: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname,
            "logger": record.name,
            "message": self._text(record),
        }
        for name in _EXTRAS:
            value = getattr(record, name, None)
            if value is not None:
                entry[name] = redact_log(str(value))
        return dumps(entry).decode()


class Lines(_Redacting):
    """A record as a line for a person."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        moment = datetime.fromtimestamp(record.created).astimezone()
        return f"{moment:%H:%M:%S} {record.levelname.lower():7} {self._text(record)}"


@contextmanager
def logging_to(stream: TextIO | None = None, level: str = "INFO") -> Iterator[None]:
    """Sends the log of the whole process to a stream, redacted, while the daemon runs.

    Args:
        stream: Where to; the process's standard error by default.
        level: The least level of our own records.
    """
    guard_loggers()
    stream = stream or sys.stderr
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Lines() if stream.isatty() else JsonLines())
    root = logging.getLogger()
    before = [(logger, logger.level) for logger in map(logging.getLogger, ("", "ftcli", _AUDIT, *_QUIET))]
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.getLogger("ftcli").setLevel(level)
    logging.getLogger(_AUDIT).setLevel(logging.INFO)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    try:
        yield
    finally:
        root.removeHandler(handler)
        for logger, old in before:
            logger.setLevel(old)
