"""``ft cancel`` and ``ft orders cancel``."""

from typing import Annotated

from ftcli.cli.call import Call
from ftcli.cli.forms import form
from ftcli.cli.parsing import Exit
from ftcli.cli.placing import environment_line, unbroken
from ftcli.errors import FtError, OrderRejected, ValidationFailed
from ftcli.operations.operation import Param

AccountOption = Annotated[
    str | None,
    Param(
        "Account of the order; found by itself where left out.", cli=("--account", "-a"), complete="accounts"
    ),
]


@form(examples=("cancel 2DI0KXQ4", "cancel 2DI0KXQ4 --preview", "cancel --all -a Z20000025"))
async def cancel(
    call: Call,
    conf_num: Annotated[
        str | None, Param("Confirmation number of the order.", argument=True, complete="orders")
    ] = None,
    preview: Annotated[bool, Param("Only show what the cancel would leave.")] = False,
    every: Annotated[bool, Param("Every open order, of the account or of all.", cli=("--all",))] = False,
    account: AccountOption = None,
    yes: Annotated[bool, Param("With --all: do not ask.", cli=("--yes", "-y"))] = False,
) -> None:
    """Ask for an open order to be canceled.

    A cancel is never refused here, and only --all asks. The broker only starts it: the order can still fill
    until its status says that it is gone.
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
    async with call.open_client() as client:
        status = await client.orders.status([account] if account else None)
        status.orders = [order for order in status.orders if order.cancelable]
        numbers = list(dict.fromkeys(order.conf_num for order in status.orders if order.conf_num))
        call.talk(f"{environment_line(call, account or '')} · cancel {len(numbers)} open orders")
        if preview or not numbers:
            call.show(status)
            return
        if not yes:
            if not call.can_ask:
                raise ValidationFailed.of("--yes", None, "be given where nobody can be asked")
            if not call.confirm(f"Cancel these {len(numbers)} orders: {', '.join(numbers)}?"):
                call.talk("Nothing was canceled.")
                return
        failed = []
        for number in numbers:
            try:
                await client.orders.cancel.place(number)
            except FtError as problem:
                failed.append(number)
                call.terminal.talk(f"{number}: {problem.message} [{problem.code}]")
        after = await client.orders.status([account] if account else None)
        after.orders = [order for order in after.orders if order.conf_num in numbers]
        call.show(after)
    if failed:
        raise Exit(OrderRejected.exit_status)
    call.talk("The broker has been asked. Whether they are gone: the state says.")
