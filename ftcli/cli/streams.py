"""Shows a stream of updates: a live table on a terminal, a line per update in a pipe, or records."""

from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from ftcli.cli.durations import seconds
from ftcli.cli.parameters import Option
from ftcli.errors import ValidationFailed
from ftcli.operations.binding import bind

if TYPE_CHECKING:
    from ftcli.cli.call import Call
    from ftcli.cli.output.live import Sink
    from ftcli.operations.operation import Operation


def extra_options(operation: "Operation[..., Any]") -> list[Option]:
    """The options every stream has."""
    return [
        Option(["--count"], "Stop after so many updates.", name="count", metavar="N"),
        Option(["--for"], "Stop after so long, such as 30s.", name="for_", metavar="30s"),
        Option(["--fields"], "Fields to show; the same as --columns.", name="fields", metavar="A,B"),
    ]


async def run_stream(
    call: "Call", operation: "Operation[..., Any]", given: dict[str, Any], others: dict[str, Any]
) -> None:
    """Shows updates until their end, the count, the time, or Ctrl-C.

    Args:
        call: The command line.
        operation: A streaming operation.
        given: Raw values by parameter.
        others: Values of :func:`extra_options`.

    Raises:
        FtError: Whatever the operation raises.
    """
    import asyncio

    from ftcli.cli.output.live import sink_for
    from ftcli.cli.running import method_of

    count = _count(others.get("count"))
    span = seconds(others["for_"], "--for") if "for_" in others else None
    if "fields" in others:
        call.columns = [name.strip() for name in others["fields"].split(",") if name.strip()]
    arguments = bind(operation, given)
    if call.sort or call.limit:
        raise ValidationFailed.of("--sort" if call.sort else "--limit", None, "be left out of a stream")
    async with call.open_client() as client:
        with sink_for(call, operation.result) as sink:
            client.on_notice = lambda update: _note(call, sink, update)
            # `method` gives an async generator; closing it ends the subscription.
            updates: Any = method_of(client, operation)(**arguments)
            try:
                async with asyncio.timeout(span), aclosing(updates):
                    await _pour(updates, sink, count)
            except TimeoutError:
                if span is None:
                    raise


async def _pour(updates: Any, sink: "Sink", count: int | None) -> None:
    shown = 0
    async for update in updates:
        sink.take(update)
        shown += 1
        if count is not None and shown >= count:
            return


def _note(call: "Call", sink: "Sink", update: Any) -> None:
    """Says what becomes of the stream; that it goes well is said only after it did not."""
    notice = update.value
    if update.kind == "gap":
        start = notice.gap_from or "an unknown moment"
        sink.note(call, notice, f"Gap: what happened from {start} to {notice.gap_to} is missing here.")
    elif update.kind == "symbol_error":
        sink.note(call, notice, f"{notice.symbol}: {notice.reason.replace('_', ' ')}.")
    elif update.kind == "status" and (notice.state != "open" or notice.gap_ms):
        again = f", next attempt in {notice.next_retry_s:g} s" if notice.next_retry_s else ""
        sink.note(call, notice, f"{notice.stream}: {notice.state.replace('_', ' ')}{again}.")


def _count(given: str | None) -> int | None:
    if given is None:
        return None
    if not given.isdigit() or int(given) < 1:
        raise ValidationFailed.of("--count", given, "be a whole number above zero")
    return int(given)
