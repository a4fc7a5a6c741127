"""Runs an operation for its command: the account, the question before money, the call, the result."""

from typing import TYPE_CHECKING, Any

from ftcli.cli.accounts import PLACEHOLDER, account_slot, choose_account
from ftcli.cli.completion import remember
from ftcli.cli.durations import seconds
from ftcli.cli.parameters import Option
from ftcli.operations.binding import bind

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ftcli.cli.call import Call
    from ftcli.client import Client
    from ftcli.operations.operation import Operation


def watch_option() -> Option:
    """``--watch`` of reads."""
    return Option(
        ["--watch"], "Do it again every so often, such as 5s, until Ctrl-C.", name="watch", metavar="5s"
    )


def yes_option() -> Option:
    """``--yes`` of commands that ask."""
    return Option(["-y", "--yes"], "Place without asking.", name="yes", metavar=None)


def live_option() -> Option:
    """``--live`` of commands that place orders."""
    return Option(["--live"], "Switch live trading on for this command.", name="live", metavar=None)


def key_option() -> Option:
    """``--idempotency-key`` of commands that place orders."""
    return Option(
        ["--idempotency-key"],
        "The same key again answers the first outcome and sends nothing.",
        name="idempotency_key",
        metavar="KEY",
    )


def extra_options(operation: "Operation[..., Any]") -> list[Option]:
    """The options a command has because of what its operation does."""
    if operation.risk == "money":
        return [yes_option(), live_option(), key_option()]
    return [watch_option()] if operation.risk == "read" and operation.method == "GET" else []


async def run_operation(
    call: "Call", operation: "Operation[..., Any]", given: dict[str, Any], others: dict[str, Any]
) -> None:
    """Runs an operation once, or again and again, and shows what it answers.

    Args:
        call: The command line.
        operation: The operation.
        given: Raw values by parameter.
        others: Values of the command's other options (:func:`extra_options`).

    Raises:
        FtError: Whatever the operation raises.
    """
    interval = seconds(others["watch"], "--watch") if "watch" in others else None
    if others.get("live"):
        from ftcli.cli.placing import switch_live_on

        switch_live_on(call)
    slot = account_slot(operation, given)
    if slot:
        slot.fill(slot.value or PLACEHOLDER)
    # What is wrong shall be said before anything is opened or sent, a missing account or not.
    arguments = bind(operation, given)
    async with call.open_client() as client:
        if slot and slot.value == PLACEHOLDER:
            slot.fill(await choose_account(call, client, trading=operation.risk != "read"))
            arguments = bind(operation, given)

        async def ask_broker() -> Any:
            with client.placing_as("cli", key=others.get("idempotency_key")) as origin:
                result = await method_of(client, operation)(**arguments)
            if origin.replayed:
                from ftcli.cli.placing import NOTHING_SENT

                call.talk(NOTHING_SENT)
            return result

        if operation.risk == "money":
            from ftcli.cli.placing import place_after_question

            result = await place_after_question(
                call, operation, arguments, ask_broker, bool(others.get("yes"))
            )
        else:
            result = await ask_broker()
        remember(call, operation, result)
        if not await _shown_as_ticket(call, client, operation, arguments, result):
            call.show(result)
        after(call, operation, result)
        if interval is not None:
            await _watch(call, ask_broker, interval)


async def _shown_as_ticket(
    call: "Call", client: "Client", operation: "Operation[..., Any]", arguments: dict[str, Any], preview: Any
) -> bool:
    """Shows the preview of an order as its ticket, with the number that places it; answers whether it is one."""
    is_preview = operation.name.endswith(".preview") and "order" in arguments
    if not is_preview or call.output != "table" or call.columns or call.sort:
        return False
    from ftcli.cli.deals import ticket_of

    ticket = await ticket_of(call, client, arguments["order"], preview, arguments.get("replaces", ""))
    numbers = getattr(preview, "conf_nums", None)
    place = f"--conf-nums {','.join(numbers)}" if numbers else f"--conf-num {preview.conf_num}"
    call.terminal.write(f"{ticket}\n  To place it: {place}\n")
    return True


def method_of(client: "Client", operation: "Operation[..., Any]") -> "Callable[..., Awaitable[Any]]":
    """The client's method of an operation: ``orders.equity.preview`` → ``client.orders.equity.preview``."""
    found: Any = client
    for part in operation.name.split("."):
        found = getattr(found, part)
    method: Callable[..., Awaitable[Any]] = found
    return method


async def _watch(call: "Call", ask_broker: "Callable[[], Awaitable[Any]]", interval: float) -> None:
    import asyncio

    while True:
        call.terminal.flush()
        await asyncio.sleep(interval)
        result = await ask_broker()
        if not call.terminal.is_piped and call.output == "table":
            call.terminal.write("\x1b[H\x1b[2J")
        call.show(result)


def after(call: "Call", operation: "Operation[..., Any]", result: Any) -> None:
    """The next step, where a result calls for one."""
    if operation.name == "auth.status" and call.output == "table":
        if result.state == "disconnected" and result.environment == "live":
            call.talk("Log in with `ft auth login`, or try any command with --paper.")
        elif result.state == "totp_pending":
            call.talk("The broker waits for the second factor: `ft auth approve --code CODE`.")
