"""Hand-made commands, declared like operations: a function, annotated parameters, its docstring as help."""

import functools
from collections.abc import Callable
from typing import Any

from ftcli.cli.common import common_options
from ftcli.cli.mount import collect, parameters, prose, spellings
from ftcli.cli.parsing import Command
from ftcli.operations.binding import bind
from ftcli.operations.operation import Operation

Function = Callable[..., Any]


class Form(Operation[..., Any]):
    """A hand-made command. It is called with the :class:`~ftcli.cli.call.Call` and its typed values.

    Args:
        function: What runs: plain, or a coroutine function.
        examples: Command lines for the help, without the leading ``ft``.
    """

    def __init__(self, function: Function, examples: tuple[str, ...]) -> None:
        # GET: parameters count as query parameters, so that lists may be one text with commas.
        super().__init__(
            function,
            method="GET",
            path="",
            risk="read",
            cli=None,
            inferred=False,
            streaming=False,
            examples=examples,
        )


def form(*, examples: tuple[str, ...] = ()) -> Callable[[Function], Form]:
    """Declares a hand-made command."""
    return lambda function: Form(function, examples)


def command_of(word: str, declared: Form) -> Command:
    """The command of a form.

    Args:
        word: Its last word.
        declared: The form.
    """

    def params() -> list[Any]:
        own = parameters(declared)
        return [*own, *common_options(spellings(own))]

    def start(call: Any, values: dict[str, Any]) -> Any:
        given, _ = collect(declared, values, call)
        return declared.function(call, **bind(declared, given))

    return Command(
        word,
        declared.summary,
        description=prose(declared.description),
        make_params=functools.partial(params),
        run=start,
        examples=declared.examples,
    )
