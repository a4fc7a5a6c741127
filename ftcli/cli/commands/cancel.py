"""``ft cancel`` and ``ft orders cancel``."""

from functools import partial
from typing import TYPE_CHECKING, Annotated

from ftcli.cli.call import Call
from ftcli.cli.faults import INTERRUPTED
from ftcli.cli.forms import form
from ftcli.cli.parsing import Exit
from ftcli.cli.placing import environment_line, question, unbroken, was_interrupted
from ftcli.errors import FtError, ValidationFailed
from ftcli.operations.operation import Param

if TYPE_CHECKING:
    from ftcli.models.orders import Orders

AccountOption = Annotated[
    str | None,
    Param(
        "Account of the order; found by itself where left out.", cli=("--account", "-a"), complete="accounts"
    ),
]

_GONE = ("canceling", "canceled")


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
        status.orders = [order for order in status.orders if order.cancelable and order.conf_num]
        numbers = list(dict.fromkeys(order.conf_num or "" for order in status.orders))
        accounts = list(dict.fromkeys(order.account for order in status.orders if order.account))
        what = f"{len(numbers)} open order{'' if len(numbers) == 1 else 's'}"
        call.talk(f"{environment_line(call, account or ', '.join(accounts))} · cancel {what}")
        if preview or not numbers:
            call.show(status)
            return
        if not yes and not _agreed(call, status, what, accounts):
            call.talk("Nothing was canceled.")
            return
        failed: dict[str, FtError] = {}
        for number in numbers:
            cancel = partial(client.orders.cancel.place, number)
            try:
                await unbroken(call, cancel, [number], "cancel")
            except FtError as problem:
                failed[number] = problem
            if was_interrupted():
                break
        after = await client.orders.status([account] if account else None)
        after.orders = [order for order in after.orders if order.conf_num in numbers]
        for order in after.orders:
            if str(order.state) in _GONE:  # with another of its group
                failed.pop(order.conf_num or "", None)
        call.show(after)
    if was_interrupted():
        raise Exit(INTERRUPTED)
    if failed:
        raise _together(failed, len(numbers))
    call.talk("The broker has been asked. Whether they are gone: the state says.")


def _agreed(call: Call, status: "Orders", what: str, accounts: list[str]) -> bool:
    """Lists the orders and asks."""
    from ftcli.cli.output.writer import table_text

    if not call.can_ask:
        raise ValidationFailed.of("--yes", None, "be given where nobody can be asked")
    call.terminal.talk(f"\n{table_text(status, call)}")
    return call.confirm(question(call, f"Cancel {what}", accounts))


def _together(failed: dict[str, FtError], count: int) -> FtError:
    """The failures as one error: of the kind of an unknown outcome where there is one, else of the first."""
    first = min(failed.values(), key=lambda problem: not problem.outcome_unknown)
    told = {number: {"code": problem.code, "message": problem.message} for number, problem in failed.items()}
    return type(first)(
        f"{len(failed)} of {count} orders could not be canceled: {', '.join(failed)}. {first.message}",
        details={"failed": told},
    )
