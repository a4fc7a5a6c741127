"""The way in and the way out: one command line, one event loop, one exit status."""

from typing import TYPE_CHECKING, Any

from ftcli.cli.call import Call
from ftcli.cli.faults import INTERRUPTED, report, report_unexpected, silence_stdout
from ftcli.cli.parsing import Exit, UsageError, as_error, program
from ftcli.cli.root import root
from ftcli.cli.terminal import Terminal
from ftcli.errors import FtError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine


def run(args: list[str], terminal: Terminal | None = None) -> int:
    """Runs a command line.

    Args:
        args: The arguments, without the program's name.
        terminal: The world outside; the process's own where left out.

    Returns:
        The exit status: 0 done, 1 a fault of ours, 2 usage, 3 not found, 4 login, 5
        refused here, 6 rejected by the broker, 7 outcome unknown, 8 rate limited, 9 broker or network down,
        10 timed out, 11 conflict, 12 daemon needed, 130 interrupted.
    """
    terminal = terminal or Terminal.of_process()
    call = Call(terminal, args)
    try:
        status = ending(call, lambda: _run(call))
        terminal.flush()
    except BrokenPipeError:
        # The reader has seen enough, as in `ft orders | head`.
        silence_stdout()
        return 0
    finally:
        call.close()
    return status


def ending(call: Call, job: "Callable[[], int]") -> int:
    """Runs a job; whatever it ends with becomes words on stderr and an exit status."""
    try:
        return job()
    except Exit as done:
        return done.exit_code
    except UsageError as problem:
        return report(as_error(problem), call)
    except FtError as problem:
        return report(problem, call)
    except KeyboardInterrupt:
        if isinstance(call.in_flight, FtError):
            return report(call.in_flight, call)
        call.talk("")
        return INTERRUPTED
    except BrokenPipeError:
        raise
    except Exception as problem:
        return report_unexpected(problem, call)


def _run(call: Call) -> int:
    instruction = call.terminal.environ.get("_FT_COMPLETE")
    if instruction:
        from ftcli.cli.completion import complete

        return complete(root(), call, instruction)
    job = program(root(), call.args, call)
    if job is not None:
        _run_loop(job)
    return 0


def _run_loop(job: "Coroutine[Any, Any, None]") -> None:
    import asyncio  # deferred: help and settings need no loop

    asyncio.run(job)
