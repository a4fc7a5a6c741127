"""Makes a command from an operation: words, arguments, options, help. Nothing about it is written twice."""

import functools
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

import msgspec

from ftcli.cli.accounts import Slot
from ftcli.cli.body import BodyField, account_holders, assemble, body_fields, has_inner_accounts
from ftcli.cli.common import common_options
from ftcli.cli.completion import completer
from ftcli.cli.parameters import Argument, Option
from ftcli.cli.parsing import Command
from ftcli.errors import ValidationFailed
from ftcli.models import json
from ftcli.models.field import PER_SHARE, without_none
from ftcli.models.values import Code
from ftcli.operations.operation import Operation, Param, ParamInfo, is_model

if TYPE_CHECKING:
    from ftcli.cli.call import Call

AnyParam = Option | Argument
_SECTIONS = ("Raises:", "Source:", "Args:", "Returns:")
_FIELD_PARAMS = {
    "account": Param("", cli=("--account", "-a"), complete="accounts"),
    "symbol": Param("", complete="symbols"),
}
"""How fields of a body show themselves where the usual ``--name`` is not all."""


def command_of(word: str, operation: Operation[..., Any]) -> Command:
    """The command of an operation.

    Args:
        word: Its last word.
        operation: The operation.
    """
    if operation.streaming:
        from ftcli.cli.streams import extra_options as extras
        from ftcli.cli.streams import run_stream as run
    else:
        from ftcli.cli.running import extra_options as extras
        from ftcli.cli.running import run_operation as run

    def start(call: "Call", values: dict[str, Any]) -> Any:
        given, others = collect(operation, values, call)
        return run(call, operation, given, others)

    return Command(
        word,
        operation.summary,
        description=prose(operation.description),
        make_params=functools.partial(_params, operation, extras),
        run=start,
        examples=operation.examples,
    )


def _params(operation: Operation[..., Any], extras: Any) -> list[Any]:
    own = [*parameters(operation), *extras(operation)]
    return [*own, *common_options(spellings(own))]


def spellings(params: list[AnyParam]) -> set[str]:
    """Every spelling the options use."""
    return {opt for param in params for opt in [*param.opts, *param.secondary_opts]}


def prose(description: str) -> str:
    """A docstring's paragraphs for people, without its sections for programmers."""
    paragraphs = [part for part in description.split("\n\n") if not part.startswith(_SECTIONS)]
    return "\n\n".join(" ".join(part.split("\n")).replace("``", "`") for part in paragraphs)


def parameters(operation: Operation[..., Any]) -> list[AnyParam]:
    """The arguments and options of an operation's own parameters, arguments first."""
    found: list[AnyParam] = []
    for info in operation.params:
        if is_model(without_none(info.type)):
            found += _body_options(info.name, without_none(info.type))
        else:
            found.append(_param(info))
    return sorted(found, key=lambda param: not isinstance(param, Argument))


_WHOLE, _EVERY = "", "every_account"
"""Names of options that are no field, after the parameter's: the whole body, the account of all orders."""


def _body_options(param: str, kind: Any) -> list[AnyParam]:
    found: list[AnyParam] = [_field_option(param, field) for field in body_fields(kind)]
    if has_inner_accounts(kind):
        look = _FIELD_PARAMS["account"]
        found.append(
            Option(
                look.cli,
                "Account number of all orders that name none.",
                name=f"{param}__{_EVERY}",
                metavar="ACCOUNT",
                complete=completer(look.complete),
            )
        )
    found.append(
        Option(
            ["--body"],
            "All of it as JSON; - reads stdin. Single options win over it.",
            name=f"{param}__{_WHOLE}",
            metavar="JSON",
        )
    )
    return found


def _param(info: ParamInfo) -> AnyParam:
    kind = without_none(info.type)
    help_text, metavar = _described(info.param.help, kind, info.name)
    complete = completer(info.param.complete, kind)
    if info.param.argument:
        return Argument(
            info.name,
            help_text,
            metavar=info.name.upper().removesuffix("S") if info.is_list else info.name.upper(),
            many=info.is_list,
            required=info.required,
            complete=complete,
        )
    return Option(
        info.param.cli or _spelling(info.name, kind, info.default),
        help_text,
        name=info.name,
        metavar=info.param.metavar or metavar,
        multiple=info.is_list,
        default_text=_default_text(info.default),
        # The account has its ways to be found (cli/running.py); the help must not call it required.
        required=info.required and info.param.complete != "accounts",
        complete=complete,
    )


def _field_option(param: str, field: BodyField) -> Option:
    info, look = field.info, _FIELD_PARAMS.get(field.info.name, Param(""))
    text = info.text
    if field.kinds:
        text = f"{text} For {', '.join(field.kinds)}."
    if field.is_nested:
        text = f"{text} JSON, or KEY=VALUE,KEY=VALUE; may be repeated."
    help_text, metavar = _described(text, info.type, info.name, field.choices)
    if info.unit == PER_SHARE:
        metavar = "PRICE"
    return Option(
        look.cli or _spelling(info.name, info.type, field.default),
        help_text,
        name=f"{param}__{info.name}",
        metavar=metavar,
        multiple=field.is_list,
        default_text=_default_text(field.default),
        required=field.required and look.complete != "accounts",
        complete=completer(look.complete, info.type, field.choices),
    )


def _spelling(name: str, kind: Any, default: Any) -> tuple[str, ...]:
    word = name.replace("_", "-")
    if kind is bool and default is not False:
        return (f"--{word}/--no-{word}",)
    return (f"--{word}",)


def _described(text: str, kind: Any, name: str, choices: tuple[str, ...] = ()) -> tuple[str, str | None]:
    """Help and metavar: short lists of choices stand in the metavar, long ones in the help."""
    if kind is bool:
        return text, None
    item = get_args(kind)[0] if get_origin(kind) is list else kind
    choices = choices or choices_of(item)
    if choices:
        joined = "|".join(choices)
        if len(joined) <= 24:
            return text, joined
        return f"{text.rstrip('.')}: {', '.join(choices)}.", name.rpartition("_")[2].upper()
    if item in (Decimal, int):
        return text, "N"
    return text, name.rpartition("_")[2].upper()


def choices_of(kind: Any) -> tuple[str, ...]:
    """The values of a code or of a literal type."""
    if isinstance(kind, type) and issubclass(kind, Code):
        return tuple(member.value for member in kind)
    return tuple(str(value) for value in get_args(kind)) if get_origin(kind) is Literal else ()


def _default_text(default: Any) -> str:
    if default is msgspec.NODEFAULT or default is None or default is False or default in ("", []):
        return ""
    return str(default).lower() if isinstance(default, bool) else str(default)


def collect(
    operation: Operation[..., Any], values: Mapping[str, Any], call: "Call"
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Sorts the values of a command line.

    Args:
        operation: The operation.
        values: By name of their option.
        call: Has the stdin that ``--body -`` reads.

    Returns:
        Raw values by parameter of the operation, and the values of the command's other options.

    Raises:
        ValidationFailed: A body cannot be put together.
    """
    given: dict[str, Any] = {}
    rest = {name: value for name, value in values.items() if value is not None}
    for info in operation.params:
        kind = without_none(info.type)
        if not is_model(kind):
            if info.name in rest:
                given[info.name] = _split(info, rest.pop(info.name))
            continue
        prefix = f"{info.name}__"
        found = {name.removeprefix(prefix): rest.pop(name) for name in list(rest) if name.startswith(prefix)}
        whole, account = json_object(found.pop(_WHOLE, None), "--body", call), found.pop(_EVERY, None)
        if found or whole is not None or info.required:
            body = given[info.name] = assemble(kind, found, whole)
            if account:
                Slot(account_holders(kind, body), "account").fill(account)
    return given, rest


def _split(info: ParamInfo, value: Any) -> Any:
    """A list may be one text with commas, wherever HTTP carries it."""
    if not info.is_list or not isinstance(value, list):
        return value
    return [part.strip() for text in value for part in text.split(",") if part.strip()]


def json_object(text: str | None, option: str, call: "Call") -> dict[str, Any] | None:
    """A body given as JSON text, or on stdin for ``-``.

    Raises:
        ValidationFailed: It is no JSON object.
    """
    if text is None:
        return None
    if text == "-":
        text = call.terminal.stdin.read()
    try:
        body = json.loads(text)
    except msgspec.DecodeError as problem:
        raise ValidationFailed.of(option, text[:80], f"be JSON ({problem})") from None
    if not isinstance(body, dict):
        raise ValidationFailed.of(option, text[:80], "be a JSON object")
    return body
