"""``ft cancel`` and ``ft orders cancel``."""

import asyncio
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Annotated

from ftcli.cli.call import Call
from ftcli.cli.faults import INTERRUPTED
from ftcli.cli.forms import form
from ftcli.cli.parsing import Exit
from ftcli.cli.placing import environment_line, question, unbroken, was_interrupted
from ftcli.errors import FtError, ValidationFailed
from ftcli.operations.operation import Param
from ftcli.operations.params import OrderAccount, clean_account

if TYPE_CHECKING:
    from ftcli.client import Client
    from ftcli.models.orders import Orders


@form(examples=("cancel 2DI0KXQ4", "cancel 2DI0KXQ4 --preview", "cancel --all -a Z20000025"))
async def cancel(
    call: Call,
    conf_num: Annotated[
        str | None, Param("Confirmation number of the order.", argument=True, complete="orders")
    ] = None,
    preview: Annotated[bool, Param("Only show what the cancel would leave.")] = False,
    every: Annotated[
        bool,
        Param(
            "Every open order: of the account, else of the default one, else of all.",
            cli=("--all",),
        ),
    ] = False,
    account: OrderAccount = None,
    yes: Annotated[bool, Param("With --all: do not ask.", cli=("--yes", "-y"))] = False,
) -> None:
    """Ask for an open order to be canceled.

    A cancel is never refused here, and only --all asks. The broker only starts it: the order can still fill
    until its status says that it is gone. While the order status cannot be read or does not list it, an order that
    was not placed here needs its --account.
    """
    if every:
        if conf_num:
            raise ValidationFailed.of("--all", None, "be left out where an order is named")
        await _cancel_all(call, account, preview, yes)
        return
    if not conf_num:
        raise ValidationFailed.of("conf_num", None, "be given")
    number = conf_num.strip().upper()
    step = "preview of a cancel" if preview else "cancel"
    call.talk(f"{environment_line(call, account or '')} · {step} · {number}")
    async with call.open_client() as client:
        group = client.orders.cancel
        if preview:
            call.show(await group.preview(number, account))
            return
        call.show(await unbroken(call, lambda: group.place(number, account), [number], "cancel"))
    call.talk(f"The broker has been asked. Whether it is gone: {call.program} orders detail {number}")


async def _cancel_all(call: Call, account: str | None, preview: bool, yes: bool) -> None:
    from ftcli.operations.mass_cancel import still_failed, together

    async with call.open_client() as client:
        status, chosen = await _open_orders(call, client, account)
        accounts = {order.conf_num or "": order.account for order in status.orders}
        named = [chosen] if chosen else _with_counts(accounts)
        what = f"{len(accounts)} open order{'' if len(accounts) == 1 else 's'}"
        call.talk(f"{environment_line(call, ', '.join(named))} · cancel {what}")
        if preview or not accounts:
            call.show(status)
            return
        if not yes and not _agreed(call, status, what, named):
            call.talk("Nothing was canceled.")
            return
        came_to = await _ask(call, client, accounts)
        failed = {number: problem for number, problem in came_to.items() if problem}
        try:
            after = await client.orders.status([chosen] if chosen else None)
        except FtError as problem:
            asked = list(came_to)
            raise (together(failed, len(asked), problem) if failed else _asked(problem, asked)) from None
        after.orders = [order for order in after.orders if order.conf_num in accounts]
        failed = still_failed(failed, after)
        call.show(after)
    if was_interrupted():
        raise Exit(INTERRUPTED)
    if failed:
        raise together(failed, len(came_to))
    call.talk("The broker has been asked. Whether they are gone: the state says.")


def _with_counts(accounts: dict[str, str | None]) -> list[str]:
    """The accounts; of several, each with the number of its orders."""
    counts = Counter(account for account in accounts.values() if account)
    return list(counts) if len(counts) == 1 else [f"{account} ({count})" for account, count in counts.items()]


async def _ask(call: Call, client: "Client", accounts: dict[str, str | None]) -> dict[str, FtError | None]:
    """Asks for each order to be canceled, until Ctrl-C; of each that was asked for its problem, if any.

    Args:
        call: The command line.
        client: The client.
        accounts: The account of each order by its number.
    """
    came_to: dict[str, FtError | None] = {}
    for number, account in accounts.items():
        cancel = partial(client.orders.cancel.place, number, account)
        try:
            await unbroken(call, cancel, [number], "cancel")
        except asyncio.CancelledError:
            break  # it was not sent
        except FtError as problem:
            came_to[number] = problem
        else:
            came_to[number] = None
        if was_interrupted():
            break
    return came_to


async def _open_orders(call: Call, client: "Client", account: str | None) -> tuple["Orders", str | None]:
    """What can be canceled, and the one account it is of: that named, else the default one, else none: all.

    Raises:
        NotFound: The login has no such account.
    """
    chosen = account or call.settings.account or None
    if chosen:
        chosen = (await client.account(clean_account(chosen))).account
    status = await client.orders.status([account] if account else None)
    status.orders = [order for order in status.orders if order.cancelable and order.conf_num]
    if chosen:
        others = {order.conf_num: order.account or "" for order in status.orders if order.account != chosen}
        status.orders = [order for order in status.orders if order.account == chosen]
        status.counts = [count for count in status.counts if count.account == chosen]
        if others and not account:
            where = ", ".join(sorted(set(others.values())))
            call.talk(
                f"{len(others)} open in other accounts ({where}) are left alone: the default account is {chosen}. "
                "--account names another."
            )
    return status, chosen


def _agreed(call: Call, status: "Orders", what: str, accounts: list[str]) -> bool:
    """Lists the orders and asks."""
    from ftcli.cli.output.writer import table_text

    if not call.can_ask:
        raise ValidationFailed.of("--yes", None, "be given where nobody can be asked")
    call.terminal.talk(f"\n{table_text(status, call)}")
    return call.confirm(question(call, f"Cancel {what}", accounts))


def _asked(problem: FtError, numbers: list[str]) -> FtError:
    """The same problem, told after the good news."""
    problem.message = (
        f"The broker has been asked to cancel {', '.join(numbers)}, but whether they are gone could not be read: "
        f"{problem.message}"
    )
    problem.args = (problem.message,)
    problem.details = {**(problem.details or {}), "asked": numbers}
    return problem
