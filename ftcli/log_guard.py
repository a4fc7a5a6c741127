"""Keeps secrets out of log records at their source, whoever listens: our loggers and those of our libraries.

A program that uses the SDK sets up logging its own way, and may well listen to everything at debug level. The
filter stands on each logger that can meet a secret, so every handler gets the record already clean.
"""

import logging

from ftcli.redaction import redact_log

LOGGERS = (
    *("ftcli", "ftcli.audit", "ftcli.server", "ftcli.transport", "ftcli.streaming", "ftcli.trading"),
    *("ftcli.seen_events", "ftcli.streaming.sockets"),
    *("httpx", "httpcore", "httpcore.connection", "httpcore.http11", "httpcore.http2", "httpcore.proxy"),
    *("websockets", "websockets.client", "websockets.server", "websockets.protocol"),
    *("aiohttp", "aiohttp.access", "aiohttp.client", "aiohttp.internal", "aiohttp.server", "aiohttp.web"),
    *("aiohttp.websocket", "asyncio", "keyring", "keyring.backend"),
)
"""Every logger the filter stands on. A filter sees only what is logged on its own logger, so each is named."""

_formatter = logging.Formatter()


class RedactingFilter(logging.Filter):
    """Masks secrets and account numbers in a record: message, arguments, traceback, our extra fields."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Cleans the record, and lets it pass."""
        try:
            text = record.getMessage()
        except Exception:
            text = str(record.msg)  # arguments that do not fit the format: the handler shall not show them
        record.msg, record.args = redact_log(text), None
        if record.exc_info and record.exc_info[0] is not None:
            record.exc_text = redact_log(_formatter.formatException(record.exc_info))
            record.exc_info = None
        elif record.exc_text:
            record.exc_text = redact_log(record.exc_text)
        for name in ("path", "remote", "url"):
            value = getattr(record, name, None)
            if isinstance(value, str):
                setattr(record, name, redact_log(value))
        return True


_filter = RedactingFilter()


def guard_loggers() -> None:
    """Puts the filter on every logger of :data:`LOGGERS`; any number of times."""
    for name in LOGGERS:
        logger = logging.getLogger(name)
        if _filter not in logger.filters:
            logger.addFilter(_filter)
