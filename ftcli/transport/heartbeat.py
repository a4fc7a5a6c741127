"""The keep-alive loop of a process that stays (protocol 00 §4.1)."""

import asyncio
import contextlib
import random

from ftcli.errors import AuthRequired, FtError
from ftcli.models.session import SessionState
from ftcli.transport.broker import Broker
from ftcli.transport.keeper import Sleep
from ftcli.transport.line import log
from ftcli.transport.retry import Random, jittered

_AFTER_TROUBLE = (15.0, 30.0, 60.0)
_SPREAD = 0.1


async def beat(
    broker: Broker, interval: float = 300.0, *, sleep: Sleep = asyncio.sleep, chance: Random = random.random
) -> None:
    """Opens the session where that needs nobody's help, then keeps it alive until cancelled: at once, then every
    ``interval`` seconds ± 10 %.

    After trouble on the way it asks again in 15, 30 and 60 seconds. A session found expired is renewed
    if the rules allow it; if not, the loop goes on waiting for the user to log in.

    Args:
        broker: Whose session.
        interval: Seconds between keep-alives; none are sent at 0.
        sleep: Waits that many seconds.
        chance: Source of the jitter.
    """
    with contextlib.suppress(FtError):
        await broker.ready()
    trouble = 0
    while interval > 0:
        pause = jittered(interval, chance, _SPREAD)
        try:
            if not await broker.keep_alive() and broker.state is SessionState.EXPIRED:
                await broker.renew()
            trouble = 0
        except AuthRequired as reason:
            log.warning("the session was not renewed: %s", reason.code)
            trouble = 0
        except FtError as reason:
            log.warning("the keep-alive failed: %s", reason.code)
            pause = min(pause, reason.retry_after or _AFTER_TROUBLE[min(trouble, len(_AFTER_TROUBLE) - 1)])
            trouble += 1
        await sleep(pause)
