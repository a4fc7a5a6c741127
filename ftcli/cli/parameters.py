"""Options and arguments on top of Typer's own classes.

Typer converts values with pydantic, which costs 60 ms to import. Here a value stays the text it was;
:mod:`ftcli.operations.binding` converts it, with the same errors as on every other face.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from typer._click.core import Context
from typer._click.shell_completion import CompletionItem
from typer._coercion import TypeDescriptor
from typer.core import TyperArgument, TyperOption
from typer.models import OptionInfo

if TYPE_CHECKING:
    from ftcli.cli.call import Call

COMMON = "Common options"
"""Heading of the options that every command takes."""

SHIELD = "\0"
"""Put before a value that looks like a switch and is none (:class:`ftcli.cli.parsing.Command`)."""

_TEXT = TypeDescriptor(annotation=str, parameter_info=OptionInfo(), file_annotation=None)
_FLAG = TypeDescriptor(annotation=bool, parameter_info=OptionInfo(), file_annotation=None)

Completer = Callable[["Call", str], Iterable[str | tuple[str, str]]]
OnValue = Callable[["Call", Any], None]


class _Texts:
    """What options and arguments have in common: values stay texts."""

    name: str
    metavar: str | None
    required: bool
    on_value: OnValue | None
    default_text: str
    complete: Completer | None
    rich_help_panel: str | None

    def process_value(self, ctx: Context, value: Any) -> Any:
        """The value without its shield; ``None`` where nothing was given. Types are the binding's affair."""
        if isinstance(value, list | tuple):
            value = [_unshielded(part) for part in value] or None
        else:
            value = _unshielded(value)
        # While a shell completes, only the common options count: they choose whose values are offered.
        if (
            value is not None
            and self.on_value
            and (self.rich_help_panel == COMMON or not ctx.resilient_parsing)
        ):
            self.on_value(ctx.obj, value)
        return value

    def shell_complete(self, ctx: Context, incomplete: str) -> list[CompletionItem]:
        """What the shell offers for a value that starts with ``incomplete``."""
        items = []
        for found in self.complete(ctx.obj, incomplete) if self.complete else ():
            value, text = (found, None) if isinstance(found, str) else found
            if value.lower().startswith(incomplete.lower()):
                items.append(CompletionItem(value, help=text))
        return items

    def display_type_rich(self, ctx: Context) -> str | None:
        """Its metavar; switches have none."""
        return self.metavar

    def _get_default_string(self, **_: Any) -> str:
        return self.default_text

    def _help(self, text: str) -> str:
        notes = [f"default: {self.default_text}"] if self.default_text else []
        notes += ["required"] if self.required else []
        return f"{text}  [{'; '.join(notes)}]" if notes else text


def _unshielded(value: Any) -> Any:
    return value.removeprefix(SHIELD) if isinstance(value, str) else value


class Option(_Texts, TyperOption):
    """An option.

    Args:
        spellings: ``--account``, ``-a``, or ``--x/--no-x`` for a switch with an opposite.
        help: Its meaning.
        name: Name of its value.
        metavar: What stands for its value in the help; ``None`` makes it a switch.
        multiple: Whether it may be repeated.
        default_text: Its default as shown in the help.
        required: Whether the help calls it required; the binding checks it.
        panel: Heading it stands under in the help.
        on_value: Is told the value as soon as it is parsed.
        complete: What completion offers.
        exposed: Whether the command gets its value.
        eager: Whether it is handled before all others.
    """

    def __init__(
        self,
        spellings: Sequence[str],
        help: str,  # noqa: A002 - Typer's own name
        *,
        name: str,
        metavar: str | None = "TEXT",
        multiple: bool = False,
        default_text: str = "",
        required: bool = False,
        panel: str | None = None,
        on_value: OnValue | None = None,
        complete: Completer | None = None,
        exposed: bool = True,
        eager: bool = False,
        hidden: bool = False,
    ) -> None:
        self.on_value = on_value
        self.default_text = default_text
        self.complete = complete
        super().__init__(
            param_decls=[name, *spellings],
            type_descriptor=_FLAG if metavar is None else _TEXT,
            is_flag=metavar is None,
            multiple=multiple,
            required=required,
            metavar=metavar,
            help=help,
            expose_value=exposed,
            is_eager=eager,
            hidden=hidden,
            show_default=default_text or False,
            rich_help_panel=panel,
        )

    def get_help_record(self, ctx: Context) -> tuple[str, str] | None:
        """Spellings and meaning, for the plain help."""
        if self.hidden:
            return None
        short = [opt for opt in self.opts if not opt.startswith("--")]
        long = [opt for opt in self.opts if opt.startswith("--")]
        spelling = ", ".join(short + long) + "".join(f" / {opt}" for opt in self.secondary_opts)
        if self.metavar:
            spelling += f" {self.metavar}"
        return spelling, self._help(self.help or "")


class Argument(_Texts, TyperArgument):
    """A value given by its position.

    Args:
        name: Name of its value.
        help: Its meaning.
        metavar: What stands for it in the help.
        many: Whether it takes all that follow.
        required: Whether the help calls it required; the binding checks it.
        complete: What completion offers.
    """

    def __init__(
        self,
        name: str,
        help: str,  # noqa: A002 - Typer's own name
        *,
        metavar: str,
        many: bool = False,
        required: bool = True,
        complete: Completer | None = None,
    ) -> None:
        self.on_value = None
        self.default_text = ""
        self.complete = complete
        super().__init__(
            param_decls=[name],
            type_descriptor=_TEXT,
            nargs=-1 if many else 1,
            required=required,
            metavar=metavar,
            help=help,
            show_default=False,
        )

    def get_help_record(self, ctx: Context) -> tuple[str, str] | None:
        """Metavar and meaning, for the plain help."""
        return self._shown(), self.help or ""

    def get_usage_pieces(self, ctx: Context) -> list[str]:
        """How it stands in the usage line."""
        return [self._shown() if self.required else f"[{self._shown()}]"]

    def display_type_rich(self, ctx: Context) -> str | None:
        """Nothing: its metavar is already its name."""
        return None

    def _shown(self) -> str:
        return f"{self.metavar}..." if self.nargs == -1 else str(self.metavar)
