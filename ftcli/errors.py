"""Every error a user can meet, each with a stable code.

The tree::

    FtError
    ├── AuthRequired             not logged in, or the login was refused
    │   ├── TotpRequired         the broker asks for a second factor
    │   └── SessionExpired       the session timed out and could not be renewed
    ├── ApiKeyInvalid            bad or missing API key, or a key without the scope
    ├── LiveTradingDisabled      an order would be placed while live trading is off
    ├── TradingHalted            the kill switch is on
    ├── RiskLimit                an order breaks a configured limit
    ├── ValidationFailed         bad input: the details name field, value and rule
    ├── NotFound                 unknown route, account, order, note ...
    ├── Conflict                 same idempotency key with another body, order being placed
    ├── OrderRejected            the broker refused the order: the details carry its messages
    ├── OrderUnknown             a place was sent and its answer lost: do not repeat
    ├── RateLimited              too many calls, ours or the broker's
    ├── BrokerError              any other upstream error
    │   ├── UpstreamTimeout      the broker did not answer in time (reads only)
    │   ├── LostReply            a call nobody may repeat was sent, its answer is missing or unusable
    │   │   └── NotSent          ... or never left this machine: nothing happened
    │   └── CallRefused          the broker refused the call itself (HTTP 4xx)
    ├── DaemonRequired           the command acts on a running daemon and there is none
    └── InternalError            a fault of ours

Each class carries its ``code`` (the same on all faces), the HTTP ``status``, the CLI's
``exit_status``, whether the same call may be tried again as it is (``retryable``) and whether
something may have happened at the broker all the same (``outcome_unknown``).
"""

from typing import Any, ClassVar

Details = dict[str, Any]


class FtError(Exception):
    """The root: catch this to catch everything ftcli raises on purpose.

    Args:
        message: What went wrong and what to do next, for a person. Holds no secret.
        details: Facts for a program: field, value, rule, broker messages ...
        retry_after: Seconds after which the same call may succeed, where known.
    """

    code: ClassVar[str] = "INTERNAL"
    status: ClassVar[int] = 500
    exit_status: ClassVar[int] = 1
    retryable: ClassVar[bool] = False
    outcome_unknown: ClassVar[bool] = False

    def __init__(
        self, message: str, *, details: Details | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.details = details
        self.retry_after = retry_after

    def document(self) -> dict[str, Any]:
        """The error as every face shows it: ``{"code", "message", "details"}``."""
        return {"code": self.code, "message": self.message, "details": self.details}


class InternalError(FtError):
    """A fault of ours, with a request id to look up in the log."""


class AuthRequired(FtError):
    """Not logged in, or the login was refused."""

    code = "AUTH_REQUIRED"
    status = 401
    exit_status = 4


class TotpRequired(AuthRequired):
    """The broker asks for a second factor."""

    code = "TOTP_REQUIRED"


class SessionExpired(AuthRequired):
    """The session timed out and could not be renewed."""

    code = "SESSION_EXPIRED"


class ApiKeyInvalid(FtError):
    """Bad or missing API key, or a key without the scope."""

    code = "API_KEY_INVALID"
    status = 403
    exit_status = 4


class LiveTradingDisabled(FtError):
    """An order would be placed while live trading is off."""

    code = "LIVE_TRADING_DISABLED"
    status = 403
    exit_status = 5


class TradingHalted(FtError):
    """The kill switch is on."""

    code = "TRADING_HALTED"
    status = 403
    exit_status = 5


class RiskLimit(FtError):
    """An order breaks a configured limit; the details name it."""

    code = "RISK_LIMIT"
    status = 403
    exit_status = 5


class ValidationFailed(FtError):
    """Bad input; the details name field, value and rule."""

    code = "VALIDATION_ERROR"
    status = 422
    exit_status = 2

    @classmethod
    def of(cls, field: str, value: object, rule: str, *, hint: str = "") -> "ValidationFailed":
        """The usual form: one field broke one rule.

        Args:
            field: The field's public name, as in the CLI option or JSON key.
            value: What was given.
            rule: What would be right, as the end of "must ...".
            hint: A further sentence, such as "did you mean ...?".
        """
        shown = "nothing" if value is None or value == "" else repr(str(value))
        message = (
            f"{field} is required." if rule == "be given" else f"{field}: {shown} given, but it must {rule}."
        )
        if hint:
            message = f"{message} {hint}"
        details = {"field": field, "value": None if value is None else str(value), "rule": rule}
        return cls(message, details=details)


class NotFound(FtError):
    """Unknown route, account, order, note ..."""

    code = "NOT_FOUND"
    status = 404
    exit_status = 3


class Conflict(FtError):
    """The same idempotency key with another body, or an order already being placed."""

    code = "CONFLICT"
    status = 409
    exit_status = 11


class OrderRejected(FtError):
    """The broker refused the order; the details carry its messages."""

    code = "ORDER_REJECTED"
    status = 422
    exit_status = 6


class OrderUnknown(FtError):
    """A place was sent and its answer lost: do not repeat it."""

    code = "ORDER_UNKNOWN"
    status = 502
    exit_status = 7
    outcome_unknown = True


class RateLimited(FtError):
    """Too many calls, ours or the broker's."""

    code = "RATE_LIMITED"
    status = 429
    exit_status = 8
    retryable = True


class BrokerError(FtError):
    """Any other upstream error; the details carry status and a redacted excerpt."""

    code = "FIDELITY_ERROR"
    status = 502
    exit_status = 9
    retryable = True


class UpstreamTimeout(BrokerError):
    """The broker did not answer in time (reads only)."""

    code = "UPSTREAM_TIMEOUT"
    status = 504
    exit_status = 10


class LostReply(BrokerError):
    """A call that must not be repeated was sent, and its answer is missing or unusable.

    The broker may have acted on it. The trading gate turns this into ORDER_UNKNOWN; anything else that is created
    or committed (a price trigger, a note) is to be looked up before a new try.

    Attributes:
        sent: ``True``: at least a part of the request left this machine. A :class:`NotSent` says ``False``.
        cause: What happened, without the advice.
    """

    retryable = False
    outcome_unknown = True
    sent: ClassVar[bool] = True

    def __init__(
        self,
        message: str,
        *,
        advice: str = "",
        details: Details | None = None,
        retry_after: float | None = None,
    ) -> None:
        text = f"{message} {advice}" if advice else message
        super().__init__(text, details={**(details or {}), "sent": self.sent}, retry_after=retry_after)
        self.cause = message


class NotSent(LostReply):
    """A call that must not be repeated never left: no connection came about, so nothing happened."""

    retryable = True
    outcome_unknown = False
    sent = False


class CallRefused(BrokerError):
    """The broker refused the call itself (HTTP 4xx): repeating it as it is changes nothing."""

    retryable = False


class DaemonRequired(FtError):
    """The command acts on a running daemon and there is none."""

    code = "DAEMON_REQUIRED"
    status = 503
    exit_status = 12


def all_error_classes() -> list[type[FtError]]:
    """Every error class, the root's own code (INTERNAL) once, for docs and tests."""
    found: list[type[FtError]] = []
    waiting: list[type[FtError]] = list(FtError.__subclasses__())
    while waiting:
        cls = waiting.pop(0)
        found.append(cls)
        waiting.extend(cls.__subclasses__())
    return found
