"""The two calls that are about the session itself (protocol 00 §4.1 and §3.7)."""

import contextlib

from ftcli.clock import Clock
from ftcli.errors import FtError
from ftcli.transport import faults
from ftcli.transport.decode import UnreadableBody, decode
from ftcli.transport.line import Line, log
from ftcli.transport.retry import parse_retry_after
from ftcli.transport.session import SecurityContext, Session
from ftcli.transport.verdict import is_alive
from ftcli.wire import WireRequest

KEEP_ALIVE = WireRequest(host="digital", method="GET", path="/ftgw/digital/portfolio/extendsession")
SECURITY_CONTEXT = WireRequest(
    host="digital", method="POST", path="/ftgw/digital/pico/api/v1/context/security", body={}
)


async def keep_alive(line: Line, session: Session, clock: Clock) -> bool:
    """Whether the session is alive; if so, it lives on for another half hour.

    Raises:
        BrokerError: No verdict: the network or the broker is in trouble.
        RateLimited: No verdict: the broker throttles.
    """
    from ftcli.transport.http import Failure  # deferred with the rest of httpx

    try:
        answer = await line.exchange(session.jar, KEEP_ALIVE)
    except Failure as failure:
        problem: FtError = faults.no_answer(KEEP_ALIVE, failure.kind, failure.sent, failure.reason)
    else:
        if answer.status < 500 and answer.status != 429:
            if is_alive(answer):
                session.last_keep_alive = clock()
                return True
            return False
        wait = parse_retry_after(answer.header("retry-after"), clock())
        if answer.status == 429:
            problem = faults.throttled(KEEP_ALIVE, wait)
        else:
            excerpt = line.quote_of(answer.body, session.jar)
            problem = faults.server_failed(KEEP_ALIVE, answer.status, excerpt, wait)
    raise problem


async def switch_quotes_on(line: Line, session: Session) -> bool:
    """Asks for the security context, which switches real-time quotes on. Failing is not fatal: quotes may
    be delayed then, everything else works."""
    from ftcli.transport.http import Failure

    session.context_tries += 1
    with contextlib.suppress(Failure, UnreadableBody):
        answer = await line.exchange(session.jar, SECURITY_CONTEXT)
        context = SecurityContext.parse(decode(answer.body)) if answer.status == 200 else None
        if context is not None:
            session.take(context)
            return True
    log.debug("the security context was not confirmed; quotes may be delayed")
    return False
