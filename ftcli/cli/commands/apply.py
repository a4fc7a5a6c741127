"""``ft orders apply``: a file of orders, planned, placed once, and continued where it stopped."""

import asyncio
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from ftcli.cli.accounts import choose_account
from ftcli.cli.call import Call
from ftcli.cli.faults import INTERRUPTED
from ftcli.cli.file_costs import amounts_of
from ftcli.cli.file_report import report_of, report_text, show_report
from ftcli.cli.forms import form
from ftcli.cli.order_file import Item, OrderFile, read_file
from ftcli.cli.parsing import Exit
from ftcli.cli.placing import environment_line, place_question, switch_live_on, unbroken, was_interrupted
from ftcli.errors import (
    Conflict,
    FtError,
    NotFound,
    OrderRejected,
    OrderUnknown,
    RiskLimit,
    ValidationFailed,
)
from ftcli.models.trading import JournalState
from ftcli.operations.operation import Param

if TYPE_CHECKING:
    from ftcli.client import Client
    from ftcli.models.trading import JournalEntry

_REFUSALS = (OrderRejected, RiskLimit, ValidationFailed, NotFound, Conflict)
"""Errors that are about an order. Any other is about all of them, and ends the run."""


@form(examples=("orders apply orders.toml", "orders apply orders.toml --yes --keep-going"))
async def apply(
    call: Call,
    file: Annotated[str, Param("The file, in TOML.", argument=True)],
    account: Annotated[
        str | None,
        Param("Account of the orders that name none.", cli=("--account", "-a"), complete="accounts"),
    ] = None,
    yes: Annotated[bool, Param("Place without asking.", cli=("--yes", "-y"))] = False,
    keep_going: Annotated[bool, Param("Go on after a refusal.")] = False,
    live: Annotated[bool, Param("Switch live trading on for this command.")] = False,
) -> None:
    """Place the orders of a file: plan, question, report.

    The file names its batch, and has one [[order]], [[option]], [[spread]] or [[group]] table for each order. What was
    placed under a batch and name is never placed again: running the file once more continues where it stopped.
    It stops at the first refusal, and always at an unknown outcome: nothing more of the batch is placed until that is
    settled.
    """
    if live:
        switch_live_on(call)
    orders = read_file(Path(file))
    async with call.open_client() as client:
        if any(item.needs_account for item in orders.items):
            chosen = account or await choose_account(call, client, trading=True)
            for item in orders.items:
                item.fill(chosen)
        await _plan(client, orders)
        came_to = await _place(call, client, orders, yes, keep_going)
    if came_to == "declined" and call.output == "table":
        return  # who said no has just seen it
    show_report(report_of(orders), call)
    _end(call, orders)


# -- the plan ------------------------------------------------------------------------------------------------


async def _plan(client: "Client", orders: OrderFile) -> None:
    """What becomes of each order, as far as that can be known before any is placed.

    Raises:
        FtError: Something is wrong that is not about a single order.
    """
    orders.take_keys(client)
    plan = client.desk.plan()
    lost = await _lost(client, orders)
    for item in orders.items:
        if not _stands(client, item):
            try:
                await _preview(client, item)
                symbols, rules = client.desk.needs(item.order.account, item.order)
                facts = await client.facts(item.order.account, symbols, rules)
                check = plan.check(item.order.account, item.order, facts)
            except _REFUSALS as problem:
                item.end("refused", problem.message, problem.code, problem.exit_status)
                continue
            if check.findings:
                text = " ".join(finding.text for finding in check.findings)
                item.end("refused", text, RiskLimit.code, RiskLimit.exit_status)
                item.is_beyond = any(finding.rule.startswith("max_daily") for finding in check.findings)
    unknown = [item.name for item in orders.of("unknown")] or lost
    if unknown:
        _leave(
            orders,
            f"the outcome of {', '.join(unknown)} is unknown; settle it first",
            OrderUnknown.exit_status,
        )


async def _lost(client: "Client", orders: OrderFile) -> list[str]:
    """Keys of this batch whose outcome is unknown, in the file or not: looked for at the broker first."""

    def keys() -> list[str]:
        found = [entry.key or "" for entry in client.desk.unresolved()]
        return [key for key in found if key.startswith(orders.prefix)]

    if keys():
        await client.look_for_lost()
    return keys()


def _stands(client: "Client", item: Item) -> bool:
    """Whether the journal says already what became of an order; then so does its row."""
    try:
        entry = client.desk.entry(item.key)
    except NotFound:
        return False
    if entry.digest != item.digest:
        text = f"the name {item.name} belongs to another order of this batch: give a changed order a new name"
        item.end("refused", text, Conflict.code, Conflict.exit_status)
        return True
    if entry.state is JournalState.NOT_SENT:
        return False
    item.row.conf_nums = entry.conf_nums
    said = _last_words(entry)
    if entry.state is JournalState.ACCEPTED:
        item.end("already placed", "")
    elif entry.state is JournalState.REJECTED:
        item.end("refused", said or "the broker refused it", OrderRejected.code, OrderRejected.exit_status)
    elif entry.state is JournalState.NOT_PLACED:
        text = f"it was settled as not placed ({said}); to place it give it a new name"
        item.end("refused", text, Conflict.code, Conflict.exit_status)
    else:
        lost = "another command is placing it now" if entry.state is JournalState.SENDING else said
        item.end("unknown", lost, OrderUnknown.code, OrderUnknown.exit_status)
    return True


def _last_words(entry: "JournalEntry") -> str:
    return entry.changes[-1].message if entry.changes else ""


async def _preview(client: "Client", item: Item) -> None:
    from ftcli.cli.ticket import notes

    preview = await _method(client, f"{item.family}.preview")(item.order)
    item.numbers = item.row.conf_nums = getattr(preview, "conf_nums", None) or [preview.conf_num]
    item.amounts = amounts_of(item.order, preview)
    item.row.cost = None if item.amounts is None else sum(item.amounts, Decimal(0))
    legs = [message for leg in getattr(preview, "orders", []) for message in leg.messages]
    item.row.warnings = notes([*preview.messages, *legs])


def _leave(orders: OrderFile, why: str, exit_status: int = 0) -> None:
    """Leaves what is planned unsent."""
    for item in orders.of("planned"):
        item.end("not sent", why, exit_status=exit_status)


# -- placing -------------------------------------------------------------------------------------------------


async def _place(
    call: Call, client: "Client", orders: OrderFile, yes: bool, keep_going: bool
) -> Literal["planned", "declined", "placed"]:
    """Places what is planned, if that is wanted; answers how far it came.

    Raises:
        FtError: ``--yes`` asks for what is off or halted.
    """
    refused = orders.of("refused")
    is_stopped = bool(refused) and not keep_going
    if yes:
        client.gate.check_live("orders.apply")
        client.desk.switch.check()
    elif is_stopped or not _can_ask(call, client, orders):
        return "planned"
    elif not _agreed(call, orders):
        return "declined"
    if is_stopped:
        _leave(orders, f"stopped by the refusal of {refused[0].name}; --keep-going places the others")
    for item in orders.of("planned"):
        if item.row.outcome == "planned":  # one before it may have left it unsent
            await _send(call, client, orders, item, keep_going)
    return "placed"


def _can_ask(call: Call, client: "Client", orders: OrderFile) -> bool:
    """Whether there is something to place, it may be placed, and somebody is there to say yes."""
    halt = client.desk.switch.read()
    if halt:
        call.talk(f"Trading is halted by {halt.halted_by}: {halt.reason or 'no reason given'}.")
    may_place = not halt and (call.settings.is_paper or call.settings.live_trading)
    return may_place and bool(orders.of("planned")) and call.can_ask


def _agreed(call: Call, orders: OrderFile) -> bool:
    """Shows the plan and asks."""
    waiting = orders.of("planned")
    line = environment_line(call, ", ".join(orders.accounts))
    call.terminal.talk(f"{line}\n\n{report_text(report_of(orders), call)}")
    what = "this order" if len(waiting) == 1 else f"these {len(waiting)} orders"
    if call.confirm(place_question(call, what, orders.accounts)):
        return True
    call.talk("Not placed.")
    _leave(orders, "the question was answered with no")
    return False


async def _send(call: Call, client: "Client", orders: OrderFile, item: Item, keep_going: bool) -> None:
    """Places one order, and says why the others stay where none may follow it."""
    place = _method(client, f"{item.family}.place")
    handle: Any = item.numbers if item.family == "orders.conditional" else item.numbers[0]

    async def send() -> Any:
        return await place(item.order, handle)

    try:
        with client.placing_as("cli", key=item.key) as origin:
            await unbroken(call, send, item.numbers)
    except asyncio.CancelledError:
        item.end("not sent", "interrupted before it was sent", "", INTERRUPTED)
    except OrderUnknown as problem:
        item.end("unknown", problem.message, problem.code, problem.exit_status)
        _leave(orders, f"the outcome of {item.name} is unknown; settle it first")
    except _REFUSALS as problem:
        item.end("refused", problem.message, problem.code, problem.exit_status)
        # A conflict says that somebody else is placing this file: what becomes of his orders is not known here.
        if isinstance(problem, Conflict) and _stands(client, item):
            _leave(orders, f"another command is placing {item.name}; run the file again when it is done")
        elif not keep_going or isinstance(problem, Conflict):
            _leave(orders, f"stopped by the refusal of {item.name}")
    except FtError as problem:
        item.end("not sent", problem.message, problem.code, problem.exit_status)
        _leave(orders, f"stopped: {item.name} could not be sent")
    else:
        item.end("placed", "")
    if origin.replayed:
        _take_first(client, item)
    if was_interrupted():
        _leave(orders, "interrupted", INTERRUPTED)


def _take_first(client: "Client", item: Item) -> None:
    """Where another command placed the order meanwhile, its row is that of the journal, not that of our preview."""
    if client.desk.entry(item.key).conf_nums != item.numbers and _stands(client, item):
        item.row.cost, item.amounts, item.row.warnings = None, None, []


def _method(client: "Client", name: str) -> Any:
    found: Any = client
    for part in name.split("."):
        found = getattr(found, part)
    return found


def _end(call: Call, orders: OrderFile) -> None:
    """The next step, and the exit status: unknown outranks all, else the first order that has one says it."""
    statuses = [item.exit_status for item in orders.items if item.exit_status]
    if OrderUnknown.exit_status in statuses:
        call.talk(
            f"An outcome is unknown. Look for it: {call.program} orders reconcile; then run the file again. What is "
            f"not found you settle yourself: {call.program} orders resolve KEY --as placed|not-placed --reason ..."
        )
        raise Exit(OrderUnknown.exit_status)
    if orders.of("planned"):
        others = ", --keep-going to place the others in spite of the refusal" if orders.of("refused") else ""
        call.talk(
            f"Not placed: this is the plan. Add --yes to place it{others} (and --live, for real orders)."
        )
    if statuses:
        raise Exit(statuses[0])
