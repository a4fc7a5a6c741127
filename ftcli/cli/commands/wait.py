"""``ft orders wait``: until an order is filled, or is over."""

import asyncio
from typing import Annotated, Literal

from ftcli.cli.call import Call
from ftcli.cli.durations import seconds
from ftcli.cli.forms import form
from ftcli.errors import OrderRejected, UpstreamTimeout
from ftcli.models.orders import Orders
from ftcli.operations.operation import Param
from ftcli.operations.params import OrderId

Wanted = Literal["filled", "canceled", "final"]
_STEP = 1.0


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
    itself is not touched.
    """
    limit = seconds(timeout, "--timeout")
    loop = asyncio.get_running_loop()
    end = loop.time() + limit
    async with call.open_client() as client:
        while True:
            found = await client.orders.detail(conf_num, account)
            states = {str(order.state) for order in found.orders}
            if states == {wanted} or (wanted == "final" and all(order.state.final for order in found.orders)):
                call.show(found)
                return
            _check_end(found, wanted)
            if loop.time() >= end:
                raise UpstreamTimeout(
                    f"Order {conf_num} is {', '.join(sorted(states))} after {limit:g} s, not {wanted}. "
                    "It still stands at the broker.",
                    details={"order_id": conf_num, "states": sorted(states)},
                )
            await asyncio.sleep(min(_STEP, max(0.05, end - loop.time())))


def _check_end(found: Orders, wanted: str) -> None:
    ended = [order for order in found.orders if order.state.final and str(order.state) != wanted]
    if ended and len(ended) == len(found.orders):
        order = ended[0]
        raise OrderRejected(
            f"Order {order.conf_num} ended as {order.state}, not {wanted}.",
            details={"conf_num": order.conf_num, "state": str(order.state)},
        )
