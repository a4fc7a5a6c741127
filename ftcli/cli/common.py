"""Options that every command takes, at any place of the command line; the later one wins."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ftcli.cli.durations import seconds
from ftcli.cli.parameters import COMMON, Option
from ftcli.errors import ValidationFailed

if TYPE_CHECKING:
    from ftcli.cli.call import Call

ENVIRONMENTS = ("paper", "live")
FORMATS = ("table", "json", "jsonl", "csv", "raw")
COLORS = ("auto", "always", "never")


def _flag(setting: str, value: Any = None) -> "Callable[[Call, Any], None]":
    def note(call: "Call", given: Any) -> None:
        call.flags[setting] = given if value is None else value

    return note


def _one_of(
    option: str, choices: tuple[str, ...], note: "Callable[[Call, str], None]"
) -> "Callable[[Call, Any], None]":
    """Strict: a typo must never mean something else."""

    def check(call: "Call", given: str) -> None:
        if given not in choices:
            from difflib import get_close_matches

            near = get_close_matches(given.lower(), choices, n=1)
            hint = f"Did you mean {near[0]}?" if near else ""
            raise ValidationFailed.of(option, given, f"be one of {', '.join(choices)}", hint=hint)
        note(call, given)

    return check


def _columns(call: "Call", given: str) -> None:
    call.columns = [name.strip() for name in given.split(",") if name.strip()]
    if not call.columns:
        raise ValidationFailed.of("--columns", given, "name at least one field, such as symbol,quantity")


def _sort(call: "Call", given: str) -> None:
    call.sort = given.strip()


def _limit(call: "Call", given: str) -> None:
    if not given.isdigit() or int(given) < 1:
        raise ValidationFailed.of("--limit", given, "be a whole number above zero")
    call.limit = int(given)


def _timeout(call: "Call", given: str) -> None:
    call.flags["timeout"] = str(seconds(given, "--timeout"))


def _color(call: "Call", given: Any) -> None:
    call.color = given


def _verbose(call: "Call", _: Any) -> None:
    call.verbosity = max(call.verbosity, 1)


def _debug(call: "Call", _: Any) -> None:
    call.verbosity = 2


def _quiet(call: "Call", _: Any) -> None:
    call.quiet = True


def _no_input(call: "Call", _: Any) -> None:
    call.no_input = True


def _choices(values: tuple[str, ...]) -> "Callable[[Call, str], tuple[str, ...]]":
    return lambda call, incomplete: values


def _environment(call: "Call", given: str) -> None:
    call.flags["environment"] = given


def _output(call: "Call", given: str) -> None:
    call.flags["output"] = given


_TABLE: tuple[tuple[tuple[str, ...], str, str | None, str, Any, tuple[str, ...]], ...] = (
    (("--paper",), "Use the paper broker on this machine.", None, "paper", _flag("environment", "paper"), ()),
    (
        ("--env",),
        "Environment: paper or live.",
        "paper|live",
        "env",
        _one_of("--env", ENVIRONMENTS, _environment),
        ENVIRONMENTS,
    ),
    (("--profile",), "Use a [profile.NAME] table of the user file.", "NAME", "profile", _flag("profile"), ()),
    (
        ("-o", "--output"),
        "Output: table, json, jsonl, csv or raw.",
        "FORMAT",
        "output",
        _one_of("--output", FORMATS, _output),
        FORMATS,
    ),
    (("--columns",), "Fields to show, such as symbol,quantity.", "A,B", "columns", _columns, ()),
    (("--sort",), "Sort rows by a field; -field for descending.", "FIELD", "sort", _sort, ()),
    (("--limit",), "Show at most so many rows.", "N", "limit", _limit, ()),
    (("--timeout",), "How long to wait for one answer of the broker.", "30s", "timeout", _timeout, ()),
    (
        ("--color",),
        "Colour: auto, always or never.",
        "WHEN",
        "color",
        _one_of("--color", COLORS, _color),
        COLORS,
    ),
    (("-v", "--verbose"), "Say what is being done.", None, "verbose", _verbose, ()),
    (("-q", "--quiet"), "Say nothing but data and errors.", None, "quiet", _quiet, ()),
    (("--debug",), "Show the redacted wire, and tracebacks.", None, "debug", _debug, ()),
    (("--no-input",), "Never ask a question.", None, "no_input", _no_input, ()),
)


def common_options(taken: set[str]) -> list[Option]:
    """The common options, without those whose spelling a command uses itself.

    Args:
        taken: Spellings of the command's own options.
    """
    return [
        Option(
            spellings,
            text,
            name=f"common_{name}",
            metavar=metavar,
            panel=COMMON,
            on_value=on_value,
            complete=_choices(values) if values else None,
            exposed=False,
        )
        for spellings, text, metavar, name, on_value, values in _TABLE
        if not taken.intersection(spellings)
    ]


def group_options() -> list[Any]:
    """The options of a group: the common ones."""
    return list(common_options(set()))
