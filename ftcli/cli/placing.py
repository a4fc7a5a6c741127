"""The last steps before money: the environment in force, the question, and a call that nothing breaks off."""

from typing import TYPE_CHECKING, Any, TypeVar

from ftcli.cli.parsing import Exit
from ftcli.errors import OrderUnknown, ValidationFailed

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable, Sequence

    from ftcli.cli.call import Call
    from ftcli.operations.operation import Operation

T = TypeVar("T")
NOTHING_SENT = "Nothing was sent: this is the outcome of the first call."
"""Said of a repeat under an idempotency key."""


def switch_live_on(call: "Call") -> None:
    """``--live``: lets this one command place real orders.

    Raises:
        ValidationFailed: The environment is paper. Whoever says "live" there believes something else.
    """
    call.flags["live_trading"] = True
    if call.settings.is_paper:
        origin = call.settings.origins.get("environment", "the settings")
        raise ValidationFailed.of(
            "--live",
            None,
            "be left out on the paper broker",
            hint=f"The environment is paper, by {origin}; real orders need --env live as well.",
        )


def environment_line(call: "Call", account: str, name: str | None = None) -> str:
    """Environment and account: the first thing said before anything that trades."""
    label = call.environment_label
    if call.terminal.has_color(call.color, call.terminal.stderr):
        label = f"\x1b[1;{'36' if call.settings.is_paper else '31'}m{label}\x1b[0m"
    about = f"{account} {name}" if name and name != account else account
    return f"{label} · account {about}" if account else label


def question(call: "Call", what: str, accounts: "Sequence[str]") -> str:
    """A question before something that trades. It repeats environment and account, whatever stands above it.

    Args:
        call: The command line, for the environment.
        what: What is asked, as ``Place this order``.
        accounts: The accounts it trades in.
    """
    noun = "account" if len(accounts) == 1 else "accounts"
    return f"{what} in the {call.environment_label} {noun} {', '.join(accounts)}?"


def place_question(call: "Call", what: str, accounts: "Sequence[str]") -> str:
    """The question before placing, which says where money is real."""
    return question(call, f"Place {what}" + ("" if call.settings.is_paper else " with real money"), accounts)


async def place_after_question(
    call: "Call",
    operation: "Operation[..., Any]",
    arguments: dict[str, Any],
    place: "Callable[[], Awaitable[T]]",
    yes: bool,
) -> T:
    """Places by an operation of risk ``money``: says where and what, asks where it is real, and sends.

    Raises:
        Exit: The question was answered with no.
        ValidationFailed: It is real, nobody can be asked, and there is no ``--yes``.
        LiveTradingDisabled: Live trading is off.
    """
    from ftcli.cli.ticket import order_line

    words = (operation.cli or operation.name).replace("-", " ")
    numbers = _numbers(arguments)
    order = arguments["order"]
    replaces = f" · replaces {arguments['replaces']}" if "replaces" in arguments else ""
    # With live trading off the gate refuses anyway; a question before that would be a lie.
    asks = call.settings.live_trading and not call.settings.is_paper and not yes
    (call.terminal.talk if asks else call.talk)(
        f"{environment_line(call, order.account)} · {words} {' '.join(numbers)}\n  {order_line(order)}{replaces}"
    )
    if asks:
        if not call.can_ask:
            raise ValidationFailed.of(
                "--yes", None, "be given where nobody can be asked", hint="Nothing was sent."
            )
        what = "this order" if len(numbers) < 2 else "these orders"
        if not call.confirm(place_question(call, what, [order.account])):
            call.talk("Not placed.")
            raise Exit(0)
    return await unbroken(call, place, numbers)


def _numbers(arguments: dict[str, Any]) -> list[str]:
    found = arguments.get("conf_nums") or arguments.get("conf_num") or []
    return [found] if isinstance(found, str) else [str(number) for number in found]


async def unbroken(
    call: "Call", place: "Callable[[], Awaitable[T]]", numbers: list[str], what: str = "order"
) -> T:
    """Sends an order and waits for its answer, whatever key is pressed meanwhile.

    Before its first byte leaves Ctrl-C ends it, and nothing is sent. After that the first Ctrl-C is answered with the
    truth: the order is under way. The second ends the waiting with ORDER_UNKNOWN.

    Args:
        call: The command line.
        place: Sends it.
        numbers: Confirmation numbers, for what is said.
        what: ``order`` or ``cancel``.

    Raises:
        CancelledError: Ctrl-C came in time.
    """
    import asyncio

    under_way = _under_way(numbers, what)

    def leaving() -> None:
        call.in_flight = under_way

    call.when_sending = leaving
    sending = asyncio.ensure_future(place())
    try:
        result = await _carried_out(call, sending, what)
    except Exception:
        call.in_flight = None  # it has an end; only where the waiting is given up it has none
        raise
    finally:
        call.when_sending = None
    call.in_flight = None
    return result


async def _carried_out(call: "Call", sending: "asyncio.Future[T]", what: str) -> T:
    import asyncio

    try:
        return await asyncio.shield(sending)
    except asyncio.CancelledError:
        if call.in_flight is None:
            return await _called_back(call, sending, what)
        call.terminal.talk(
            f"The {what} is under way and cannot be called back; waiting for its answer. "
            f"Ctrl-C again ends the waiting, not the {what}."
        )
        return await sending


async def _called_back(call: "Call", sending: "asyncio.Future[T]", what: str) -> T:
    """Ends a call of which nothing has left; what it has begun it ends, so that the journal says so, too."""
    import asyncio

    sending.cancel()
    try:
        return await sending
    except asyncio.CancelledError:
        call.terminal.talk(f"The {what} was not sent.")
        raise


def _under_way(numbers: list[str], what: str) -> OrderUnknown:
    """What is said where the waiting for an answer is given up."""
    listed, first = ", ".join(numbers) or "it", numbers[0] if numbers else ""
    look = f"`ft orders detail {first}`" if first else "`ft orders status`"
    return OrderUnknown(
        f"The {what} was under way when you stopped waiting. Do not send it again: "
        f"look for {listed} with {look}.",
        details={"conf_nums": numbers, "reason": "interrupted"},
    )


def was_interrupted() -> bool:
    """Whether Ctrl-C was pressed during a call that :func:`unbroken` carried to its end: no other shall follow."""
    import asyncio

    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
