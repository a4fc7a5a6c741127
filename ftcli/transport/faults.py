"""The errors that people meet when a call brings no usable answer. One place, one wording."""

from ftcli.errors import BrokerError, CallRefused, Details, LostReply, NotSent, RateLimited, UpstreamTimeout
from ftcli.redaction import redact, redact_log
from ftcli.wire import Retry, WireRequest

_ADVICE = "It may have been carried out and was not repeated: look at the state before you try again."


def no_answer(request: WireRequest, kind: str, sent: bool, reason: str) -> BrokerError:
    """No answer came: the connection failed, broke or timed out, or the answer was garbled.

    Args:
        request: The call.
        kind: ``connect``, ``timeout``, ``network`` or ``unreadable``.
        sent: Whether a part of the call may have left.
        reason: The library's words.
    """
    details = _details(request, None, reason=redact(reason), kind=kind)
    what = {
        "connect": f"No connection to the broker ({request.host})",
        "timeout": f"The broker ({request.host}) did not answer in time",
        "unreadable": f"The broker ({request.host}) sent an answer that cannot be read",
    }.get(kind, f"The connection to the broker ({request.host}) broke")
    if request.retry is Retry.NEVER:
        if not sent:
            return NotSent(f"{what}. Nothing was sent, nothing has happened.", details=details)
        return LostReply(f"{what}.", advice=_ADVICE, details=details)
    if request.retry is Retry.WRITE and sent:
        return BrokerError(
            f"{what}. The change may or may not have been saved; the same call may be repeated.",
            details=details,
        )
    if kind == "timeout":
        return UpstreamTimeout(f"{what}. Try again, or allow more time with --timeout.", details=details)
    return BrokerError(f"{what}: {redact(reason)}. Check the network and try again.", details=details)


def server_failed(request: WireRequest, status: int, excerpt: str, retry_after: float | None) -> BrokerError:
    """The broker answered with a 5xx status."""
    details = _details(request, status, excerpt=excerpt)
    what = f"The broker ({request.host}) failed with HTTP {status}."
    if request.retry is Retry.NEVER:
        return LostReply(what, advice=_ADVICE, details=details)
    return BrokerError(f"{what} Try again later.", details=details, retry_after=retry_after)


def refused(request: WireRequest, status: int, excerpt: str) -> BrokerError:
    """The broker refused the call with a 4xx status, or sent it elsewhere, while the session is alive."""
    details = _details(request, status, excerpt=excerpt)
    if request.retry is Retry.NEVER and (status == 408 or status < 400):
        # A gateway's own time limit, or a redirect: what stands behind it may have got the call.
        what = f"The broker ({request.host}) answered with HTTP {status}."
        return LostReply(what, advice=_ADVICE, details=details)
    if status in (401, 403):
        why = "The session is alive, so this call is not permitted to this login."
    elif status == 404:
        why = "It knows no such path or record."
    else:
        why = "Repeating the call as it is will not help."
    what = f"The broker ({request.host}) refused the call with HTTP {status}."
    return CallRefused(f"{what} {why}", details=details)


def unexpected_page(request: WireRequest, status: int, excerpt: str) -> BrokerError:
    """A web page came where data was expected, and the session is alive: maintenance or a block."""
    details = _details(request, status, excerpt=excerpt)
    what = f"The broker ({request.host}) answered with a web page instead of data (HTTP {status})."
    if request.retry is Retry.NEVER:
        return LostReply(what, advice=_ADVICE, details=details)
    return BrokerError(f"{what} It may be under maintenance. Try again later.", details=details)


def unreadable(request: WireRequest, status: int, excerpt: str, reason: str) -> BrokerError:
    """The answer began like JSON and is none."""
    details = _details(request, status, excerpt=excerpt, reason=redact(reason))
    what = f"The broker ({request.host}) sent an answer that cannot be read."
    if request.retry is Retry.NEVER:
        return LostReply(what, advice=_ADVICE, details=details)
    return BrokerError(f"{what} Try again later.", details=details)


def throttled(request: WireRequest, retry_after: float | None) -> RateLimited:
    """The broker said "too many": it did nothing with the call."""
    when = f"in {retry_after:.0f} s" if retry_after is not None else "in a minute"
    return RateLimited(
        f"The broker ({request.host}) throttles us. Try again {when}.",
        details=_details(request, 429),
        retry_after=retry_after,
    )


def _details(request: WireRequest, status: int | None, **more: object) -> Details:
    path = redact_log(request.path.partition("?")[0])
    return {"host": request.host, "path": path, "status": status, **more}
