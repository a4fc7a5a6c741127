"""``ft orders wait``: until an order is filled, or is over."""

import asyncio
from typing import TYPE_CHECKING, Annotated, Literal

from ftcli.cli.call import Call
from ftcli.cli.durations import seconds
from ftcli.cli.forms import form
from ftcli.errors import FtError, OrderRejected, UpstreamTimeout
from ftcli.models.orders import Orders
from ftcli.operations.operation import Param
from ftcli.operations.params import OrderId

if TYPE_CHECKING:
    from ftcli.client import Client

Wanted = Literal["filled", "canceled", "final"]
_STEP = 1.0
"""Seconds between two looks."""
_SHORTEST_LOOK = 5.0
"""Seconds that a look may take in any case, also one that is under way when the time ends."""


@form(examples=("orders wait 2DI0KXQ4 --for filled --timeout 60s",))
async def wait(
    call: Call,
    conf_num: OrderId,
    wanted: Annotated[
        Wanted, Param("What to wait for: filled, canceled, or final for any end.", cli=("--for",))
    ] = "filled",
    timeout: Annotated[str, Param("How long to wait.", cli=("--timeout",))] = "60s",  # noqa: ASYNC109
    account: Annotated[
        str | None, Param("Account of the order.", cli=("--account", "-a"), complete="accounts")
    ] = None,
) -> None:
    """Wait until an order is filled, canceled, or over.

    The status is 0 when it came to that, 6 when the order ended otherwise, 10 when the time ran out. The order
    itself is not touched. While its status cannot be read the waiting goes on; it ends where a new login is needed.
    """
    limit = seconds(timeout, "--timeout")
    loop = asyncio.get_running_loop()
    end = loop.time() + limit
    async with call.open_client() as client:
        problem: FtError | None = None
        while True:
            pause, found = _STEP, None
            try:
                found = await _look(client, conf_num, account, end)
            except FtError as new:
                if not new.retryable:
                    raise
                if problem is None:
                    call.talk(f"The status of {conf_num} cannot be read: {new.message} Waiting goes on.")
                problem, pause = new, max(_STEP, new.retry_after or 0)
            else:
                if _has_come(found, wanted):
                    call.show(found)
                    return
                problem = None
            if loop.time() >= end:
                raise _time_is_up(conf_num, wanted, limit, found, problem)
            await asyncio.sleep(min(pause, max(0.05, end - loop.time())))


async def _look(client: "Client", conf_num: str, account: str | None, end: float) -> Orders:
    """The order as it stands.

    Raises:
        UpstreamTimeout: The time ended before the answer.
    """
    try:
        async with asyncio.timeout_at(max(end, asyncio.get_running_loop().time() + _SHORTEST_LOOK)):
            return await client.orders.detail(conf_num, account)
    except TimeoutError:
        raise UpstreamTimeout("The broker did not answer.") from None


def _has_come(found: Orders, wanted: Wanted) -> bool:
    """Whether all of an order came to what is wanted.

    Raises:
        OrderRejected: It ended otherwise.
    """
    if wanted == "final":
        return all(order.state.final for order in found.orders)
    if {str(order.state) for order in found.orders} == {wanted}:
        return True
    ended = [order for order in found.orders if order.state.final and str(order.state) != wanted]
    if ended and len(ended) == len(found.orders):
        order = ended[0]
        raise OrderRejected(
            f"Order {order.conf_num} ended as {order.state}, not {wanted}.",
            details={"conf_num": order.conf_num, "state": str(order.state)},
        )
    return False


def _time_is_up(
    conf_num: str, wanted: Wanted, limit: float, found: Orders | None, problem: FtError | None
) -> UpstreamTimeout:
    """The error that says where the order stood last, or that nobody knows."""
    states = sorted({str(order.state) for order in found.orders}) if found else []
    stands = (
        f"Order {conf_num} is {', '.join(states)} after {limit:g} s, not {wanted}. It still stands at the broker."
        if problem is None
        else f"After {limit:g} s it is not known where order {conf_num} stands. {problem.message}"
    )
    return UpstreamTimeout(stands, details={"order_id": conf_num, "states": states})
