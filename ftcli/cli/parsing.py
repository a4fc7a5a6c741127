"""Commands and groups on top of Typer's own classes, loaded only when asked for.

Together with :mod:`ftcli.cli.parameters` the only modules that touch Typer. Parameters are made only for the
command that runs, and help is plain unless it is printed on a terminal.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from typer._click.core import Context, Parameter
from typer._click.exceptions import NoSuchOption, UsageError
from typer._click.formatting import HelpFormatter
from typer._click.shell_completion import CompletionItem
from typer.core import TyperCommand, TyperGroup
from typer.exceptions import Exit

from ftcli.cli.parameters import COMMON, SHIELD, Argument, Option
from ftcli.errors import ValidationFailed

if TYPE_CHECKING:
    from ftcli.cli.call import Call

__all__ = ["Command", "Context", "Exit", "Group", "Source", "UsageError", "as_error", "program", "show_help"]

_OPTION_SYMBOL = re.compile(r"-[A-Z.]{1,6}\d{6}[CP]\d+(?:\.\d+)?")
"""The broker's spelling of an option, which looks like a switch: ``-AAPL270115C150``."""


class _Node:
    """What commands and groups have in common."""

    name: str | None
    examples: tuple[str, ...]
    params: list[Parameter]
    _make_params: Callable[[], list[Parameter]] | None
    _help_switch: Option | None = None

    def get_params(self, ctx: Context) -> list[Parameter]:
        """The parameters, made on first use: most commands are only ever listed."""
        if self._make_params is not None:
            self.params, self._make_params = self._make_params(), None
        return [*self.params, self.get_help_option(ctx)]

    def get_help_option(self, ctx: Context) -> Option:
        """``--help``; it prints to the terminal that was handed in."""
        if self._help_switch is None:

            def show(call: "Call", _: Any) -> None:
                show_help(call, ctx)
                raise Exit(0)

            self._help_switch = Option(
                ["-h", "--help"],
                "Show this text.",
                name="help",
                metavar=None,
                exposed=False,
                eager=True,
                on_value=show,
            )
        return self._help_switch

    def format_options(self, ctx: Context, formatter: HelpFormatter) -> None:
        """Arguments, options under their headings, commands."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record is not None:
                default = "Arguments" if isinstance(param, Argument) else "Options"
                heading = getattr(param, "rich_help_panel", None) or default
                sections.setdefault(heading, []).append(record)
        if isinstance(self, TyperGroup):
            self.format_commands(ctx, formatter)
        # A stable sort: what is common to all commands comes last.
        for heading, records in sorted(sections.items(), key=lambda section: section[0] == COMMON):
            with formatter.section(heading):
                formatter.write_dl(records)

    def format_epilog(self, ctx: Context, formatter: HelpFormatter) -> None:
        """The examples."""
        if self.examples:
            with formatter.section("Examples"):
                for example in self.examples:
                    formatter.write(f"{'':{formatter.current_indent}}ft {example}\n")


class Command(_Node, TyperCommand):
    """A command.

    Args:
        name: Its last word.
        summary: One line.
        description: More, for its own help.
        make_params: Makes its parameters.
        run: Runs it: gets the call and the values by name, answers nothing or a coroutine.
        examples: Command lines without the leading ``ft``.
        panel: Heading it stands under in its group's help.
    """

    def __init__(
        self,
        name: str,
        summary: str,
        *,
        make_params: Callable[[], list[Parameter]],
        run: "Callable[[Call, dict[str, Any]], Any]",
        description: str = "",
        examples: tuple[str, ...] = (),
        panel: str | None = None,
    ) -> None:
        self.examples = examples
        self._make_params = make_params
        self._run = run
        super().__init__(
            name,
            help=f"{summary}\n\n{description}".strip(),
            short_help=summary,
            rich_markup_mode=None,
            rich_help_panel=panel,
            epilog="Examples:\n" + "\n".join(f"  ft {line}" for line in examples) if examples else None,
        )

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        """Parses, with option symbols shielded from being taken for switches."""
        return super().parse_args(
            ctx, [SHIELD + arg if _OPTION_SYMBOL.fullmatch(arg) else arg for arg in args]
        )

    def invoke(self, ctx: Context) -> Any:
        """Runs it: a coroutine comes back for the entry point to run."""
        return self._run(ctx.obj, dict(ctx.params))


class Group(_Node, TyperGroup):
    """A group of commands, each loaded only when asked for.

    Args:
        name: Its word; empty for the root.
        summary: One line.
        source: Where its commands come from.
        make_params: Makes its own options.
        default: The command that runs where none is named.
        panel: Heading it stands under in its parent's help.
    """

    def __init__(
        self,
        name: str,
        summary: str,
        *,
        source: "Source",
        make_params: Callable[[], list[Parameter]],
        description: str = "",
        default: str = "",
        examples: tuple[str, ...] = (),
        panel: str | None = None,
    ) -> None:
        self.examples = examples
        self._make_params = make_params
        self._source = source
        self._default = default
        super().__init__(
            name=name,
            help=f"{summary}\n\n{description}".strip(),
            short_help=summary,
            rich_markup_mode=None,
            rich_help_panel=panel,
            invoke_without_command=True,
        )

    def list_commands(self, ctx: Context) -> list[str]:
        """The words of its commands, in order."""
        return self._source.words()

    def get_command(self, ctx: Context, cmd_name: str) -> "Command | Group | None":
        """The command of a word; loads it."""
        return self._source.command(cmd_name)

    def format_commands(self, ctx: Context, formatter: HelpFormatter) -> None:
        """The commands under their headings, from the summaries alone."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for word, summary, panel in self._source.summaries():
            sections.setdefault(panel or "Commands", []).append((word, summary))
        for heading, rows in sections.items():
            with formatter.section(heading):
                formatter.write_dl(rows)

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        """Parses; where only options of the default command are given, they go to it."""
        if self._default and not ctx.resilient_parsing and self._means_default(args):
            args = [self._default, *args]
        return super().parse_args(ctx, args)

    def _means_default(self, args: list[str]) -> bool:
        if not args:
            return True
        words = {"-h", "--help", *self._source.words()}
        return args[0].startswith("-") and not words.intersection(args)

    def resolve_command(
        self, ctx: Context, args: list[str]
    ) -> "tuple[str | None, Command | Group | None, list[str]]":
        """The command a word stands for.

        Raises:
            ValidationFailed: There is none; the message suggests the nearest.
        """
        word = args[0]
        command = self.get_command(ctx, word)
        if command is None and not ctx.resilient_parsing:
            words = self._source.words()
            where = f"{ctx.command_path} " if ctx.parent else "ft "
            raise ValidationFailed(
                f"There is no command `{where}{word}`. {_nearest(word, words) or f'See `{where}--help`.'}",
                details={"field": "command", "value": word, "rule": f"be one of {', '.join(words)}"},
            )
        return word if command else None, command, args[1:]

    def shell_complete(self, ctx: Context, incomplete: str) -> list[CompletionItem]:
        """Words of its commands; none of them is loaded for it."""
        items = [
            CompletionItem(word, help=summary)
            for word, summary, _ in self._source.summaries()
            if word.startswith(incomplete)
        ]
        return items + TyperCommand.shell_complete(self, ctx, incomplete)

    def invoke(self, ctx: Context) -> Any:
        """Runs the named command; without one the group explains itself."""
        if not ctx._protected_args:
            show_help(ctx.obj, ctx)
            return None
        return super().invoke(ctx)


class Source(ABC):
    """Where a group's commands come from."""

    def words(self) -> list[str]:
        """The commands' words, in order."""
        return [word for word, _, _ in self.summaries()]

    @abstractmethod
    def summaries(self) -> list[tuple[str, str, str]]:
        """(word, summary, heading) of each command, without loading it where that is possible."""

    @abstractmethod
    def command(self, word: str) -> Command | Group | None:
        """The command of a word, loaded; ``None`` where there is none."""


def _nearest(word: str, words: Sequence[str]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(word, words, n=1, cutoff=0.65)
    return f"Did you mean `{close[0]}`?" if close else ""


def show_help(call: "Call", ctx: Context) -> None:
    """Prints a command's help: with colours and boxes on a terminal, plain otherwise."""
    if call.wants_rich_help:
        _show_rich_help(ctx)
        return
    formatter = HelpFormatter(width=min(call.terminal.width, 100))
    ctx.command.format_usage(ctx, formatter)
    ctx.command.format_help_text(ctx, formatter)
    ctx.command.format_options(ctx, formatter)
    ctx.command.format_epilog(ctx, formatter)
    call.terminal.write(formatter.getvalue().rstrip("\n") + "\n")


def _show_rich_help(ctx: Context) -> None:
    """Typer's own help, its texts shielded from being read as markup. Nothing runs after a help."""
    from rich.markup import escape
    from typer.rich_utils import rich_format_help

    nodes: list[Any] = [ctx.command]
    if isinstance(ctx.command, Group):
        commands = (ctx.command.get_command(ctx, word) for word in ctx.command.list_commands(ctx))
        nodes += [command for command in commands if command is not None]
    for node in nodes:
        for name in ("help", "short_help", "epilog"):
            setattr(node, name, escape(getattr(node, name) or ""))
    for param in ctx.command.get_params(ctx):
        param.help = escape(getattr(param, "help", None) or "")  # type: ignore[attr-defined] # options, arguments
    rich_format_help(obj=ctx.command, ctx=ctx, markup_mode="rich")


def as_error(problem: UsageError) -> ValidationFailed:
    """Typer's own complaint about a command line, as ours."""
    path = problem.ctx.command_path if problem.ctx else "ft"
    details: Mapping[str, Any] = {"field": None, "value": None, "rule": "be a valid command line"}
    text = problem.message.rstrip(".") + "."
    if isinstance(problem, NoSuchOption):
        nearest = _nearest(problem.option_name, problem.possibilities or ())
        text = f"There is no option {problem.option_name} here. {nearest or f'See `{path} --help`.'}"
        details = {"field": problem.option_name, "value": None, "rule": "be an option of this command"}
    elif not isinstance(problem.message, str) or "--help" not in text:
        text += f" See `{path} --help`."
    return ValidationFailed(text, details=dict(details))


def program(root: Group, args: list[str], call: "Call") -> Any:
    """Parses a command line and runs its command; a coroutine comes back for the entry point to run.

    Raises:
        UsageError: The command line cannot be understood.
        Exit: All is done already, as after ``--help``.
    """
    with root.make_context("ft", args, obj=call) as ctx:
        return root.invoke(ctx)
