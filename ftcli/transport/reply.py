"""The last step of a call: its answer and the verdict on it become a reply, or the error that people meet."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from ftcli.transport import faults
from ftcli.transport.decode import UnreadableBody, decode
from ftcli.transport.verdict import Verdict
from ftcli.wire import WireReply, WireRequest

if TYPE_CHECKING:
    from ftcli.transport.http import Answer


def reply_of(
    request: WireRequest,
    answer: "Answer",
    verdict: Verdict,
    quote: Callable[[bytes], str],
    retry_after: float | None,
) -> WireReply:
    """The reply, where the answer is fine.

    Args:
        request: The call.
        answer: What came back.
        verdict: What it means; never an expiry, which is the session's affair.
        quote: Makes the start of a body fit for an error message.
        retry_after: Seconds for which the broker wants to be left alone, where it said so.

    Raises:
        BrokerError: It is not fine: the kinds are those of :mod:`ftcli.transport.faults`.
        RateLimited: The broker throttles.
    """
    status = answer.status
    if verdict is Verdict.THROTTLED:
        raise faults.throttled(request, retry_after)
    if verdict is Verdict.SERVER:
        raise faults.server_failed(request, status, quote(answer.body), retry_after)
    if verdict is Verdict.PAGE:
        raise faults.unexpected_page(request, status, quote(answer.body))
    if verdict is not Verdict.FINE:
        raise faults.refused(request, status, quote(answer.body))
    try:
        document = decode(answer.body)
    except UnreadableBody as problem:
        raise faults.unreadable(request, status, quote(answer.body), str(problem)) from None
    # Cookies are the session's business and nobody else's.
    headers = {name: value for name, value in answer.headers if name != "set-cookie"}
    return WireReply(status=status, headers=headers, body=answer.body, document=document)
