"""What the cancels of many orders came to: of a halt, and of ``ft cancel --all`` (protocol 02 §8, §19)."""

from ftcli.errors import FtError, UpstreamTimeout
from ftcli.models.order_codes import OrderState
from ftcli.models.orders import Orders
from ftcli.operations.operation import Core
from ftcli.operations.order_status import fetch_status

PATIENCE = 3.0
"""Seconds that a halt waits for the status to tell what is gone."""
_GONE = (OrderState.CANCELING, OrderState.CANCELED)


def still_failed(failed: dict[str, FtError], after: Orders) -> dict[str, FtError]:
    """The failed cancels whose orders stay: some go with another of their group, or although the answer was lost.

    Args:
        failed: The problem of each cancel that failed, by the order's number.
        after: The orders as they are afterwards.
    """
    gone = {order.conf_num for order in after.orders if order.state in _GONE}
    return {number: problem for number, problem in failed.items() if number not in gone}


async def look_again(core: Core, failed: dict[str, FtError]) -> tuple[dict[str, FtError], FtError | None]:
    """Asks the order status once which of the failed cancels are none, for :data:`PATIENCE` at most.

    Returns:
        The cancels that stay failed, and why the status could not be read, where it could not.
    """
    import asyncio  # deferred: most calls never wait

    try:
        async with asyncio.timeout(PATIENCE):
            after, _ = await fetch_status(core, await core.default_accounts())
    except TimeoutError:
        return failed, UpstreamTimeout(f"The broker did not answer within {PATIENCE:g} s.")
    except FtError as problem:
        return failed, problem
    return still_failed(failed, after), None


def together(failed: dict[str, FtError], count: int, unread: FtError | None = None) -> FtError:
    """The failures as one error: of the kind of an unknown outcome where there is one, else of the first.

    Args:
        failed: The problem of each order, by its number; at least one.
        count: How many orders should be canceled.
        unread: Why the status could not be read afterwards, where it could not.
    """
    first = min(failed.values(), key=lambda problem: not problem.outcome_unknown)
    told = {number: {"code": problem.code, "message": problem.message} for number, problem in failed.items()}
    message = f"{len(failed)} of {count} orders could not be canceled: {', '.join(failed)}. {first.message}"
    if unread is not None:
        message += f" Whether they are gone all the same could not be read: {unread.message}"
    return type(first)(message, details={"failed": told}, retry_after=first.retry_after)
