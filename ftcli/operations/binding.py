"""From what a face was given (texts, JSON) to an operation's typed arguments; the same errors on every face."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal, get_args, get_origin

import msgspec

from ftcli.errors import ValidationFailed
from ftcli.models.field import without_none
from ftcli.models.values import Code
from ftcli.operations.operation import Operation, ParamInfo, is_model
from ftcli.redaction import MASK, is_secret_name


def bind(operation: Operation[..., Any], given: Mapping[str, Any], *, texts: bool = True) -> dict[str, Any]:
    """Converts raw values to the operation's keyword arguments.

    Args:
        operation: The operation.
        given: Raw values by parameter name. Lists may be one text with commas.
        texts: Whether values may be texts of what they stand for (query, command line); JSON bodies are
            strict, except that a number may be a text so that its decimals survive any client.

    Raises:
        ValidationFailed: A parameter is unknown or missing, or a value breaks its type's rules.
    """
    params = {param.name: param for param in operation.params}
    for name in given:
        if name not in params:
            raise unknown(name, list(params))
    arguments: dict[str, Any] = {}
    for name, param in params.items():
        value = given.get(name)
        if value is not None:
            arguments[name] = _argument(param, value, texts)
        elif param.required:
            raise ValidationFailed.of(name, None, "be given")
        elif name in given and not texts and without_none(param.type) is param.type:
            raise ValidationFailed.of(name, None, "have a value, or be left out")
    return arguments


def _argument(param: ParamInfo, value: Any, texts: bool) -> Any:
    if param.is_list and param.where != "body":
        parts = [value] if isinstance(value, str) else value
        value = [text.strip() for part in parts for text in str(part).split(",") if text.strip()]
    kind = without_none(param.type)  # the text "null" is no way to say nothing
    return convert(value, kind, "" if is_model(kind) else param.name, texts=texts)


def convert(value: Any, kind: Any, field: str = "", *, texts: bool = False) -> Any:
    """One value as its declared type.

    Args:
        value: Text or JSON value.
        kind: The type: a simple one, a code, a list or a model.
        field: Name of the value, for the error; empty for a model, whose fields name themselves.
        texts: Whether texts may stand for numbers and truth values.

    Raises:
        ValidationFailed: It does not fit; the details name field, value and rule.
    """
    try:
        made = msgspec.convert(value, kind, strict=not texts)
    except msgspec.ValidationError as problem:
        raise _explained(problem, value, kind, field) from None
    except ArithmeticError:  # a model that reckons with what it is given
        raise ValidationFailed.of(field or "body", None, "hold numbers of sensible size") from None
    _check_numbers(made, value, field)
    return made


_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*", re.ASCII | re.IGNORECASE)
_LARGEST, _MOST_DIGITS = 18, 40
"""Powers of ten, and digits: far more than any price, quantity or amount has."""


def _check_numbers(made: Any, given: Any, field: str) -> None:
    """Refuses what Python calls a number and nobody else: ``1_0``, ``１０``, ``NaN``, ``1e400``.

    Raises:
        ValidationFailed: There is one.
    """
    if isinstance(made, Decimal):
        if isinstance(given, str) and not _NUMBER.fullmatch(given):
            raise ValidationFailed.of(field or "body", given[:40], "be a number")
        if (
            not made.is_finite()
            or len(made.as_tuple().digits) > _MOST_DIGITS
            or abs(made.adjusted()) > _LARGEST
        ):
            raise ValidationFailed.of(field or "body", str(given)[:40], "be a number of sensible size")
    elif isinstance(made, msgspec.Struct):
        for name, key in zip(made.__struct_fields__, made.__struct_encode_fields__, strict=True):
            part = given.get(key) if isinstance(given, dict) else None
            _check_numbers(getattr(made, name), part, f"{field}.{name}".lstrip("."))
    elif isinstance(made, list):
        parts = given if isinstance(given, list) else [None] * len(made)
        for index, (item, part) in enumerate(zip(made, parts, strict=True)):
            _check_numbers(item, part, f"{field}[{index}]")


_MESSAGE = re.compile(r"(?s)(?P<what>.*?)(?: - at `\$(?P<path>[^`]*)`)?$")
_PART = re.compile(r"\.(?P<name>\w+)|\[(?P<index>\d+|\.\.\.)\]")


def _explained(problem: msgspec.ValidationError, value: Any, kind: Any, field: str) -> ValidationFailed:
    """msgspec's message as field, value and rule."""
    match = _MESSAGE.fullmatch(str(problem))
    assert match is not None
    what, path = match["what"], match["path"] or ""
    named = re.search(r"field `(\w+)`", what)
    steps = [part["name"] or part["index"] for part in _PART.finditer(path)]
    here, inner = _follow(value, kind, steps)
    shown = (field + path).lstrip(".")
    if named:
        name = f"{shown}.{named[1]}".lstrip(".")
        if "missing" in what:
            return ValidationFailed.of(name, None, "be given")
        return unknown(
            name, _known_fields(here, inner), here.get(named[1]) if isinstance(here, dict) else None
        )
    if choices := _choices(inner, steps):
        hint = _did_you_mean(here, choices)
        return ValidationFailed.of(shown, here, f"be one of {', '.join(choices)}", hint=hint)
    return ValidationFailed.of(shown or "body", _told(shown, _plain(here)), _rule(inner, what))


def _told(field: str, value: Any) -> Any:
    """A value as an error may repeat it: none of a password that came as the wrong kind."""
    return MASK if value is not None and is_secret_name(field.rpartition(".")[2]) else value


def _plain(value: Any) -> Any:
    return value if not isinstance(value, dict | list) else msgspec.json.encode(value).decode()[:80]


def _follow(value: Any, kind: Any, steps: list[str]) -> tuple[Any, Any]:
    """The value and type at the end of a path."""
    for step in steps:
        kind = _option(value, without_none(kind))
        if step.isdigit() or step == "...":
            kind = get_args(kind)[0] if get_args(kind) else Any
            value = value[int(step)] if step.isdigit() and isinstance(value, list) else value
        else:
            if _tag_field(kind) == step:
                return (value.get(step) if isinstance(value, dict) else None), kind
            value = value.get(step) if isinstance(value, dict) else None
            single = get_args(kind)[0] if get_args(kind) else kind
            fields = (
                {field.name: field.type for field in msgspec.structs.fields(single)}
                if is_model(single)
                else {}
            )
            kind = fields.get(step, Any)
            if hasattr(kind, "__metadata__"):
                kind = get_args(kind)[0]
    return value, without_none(kind)


def _option(value: Any, kind: Any) -> Any:
    """Of a choice between models the one whose tag the value carries."""
    options = get_args(kind)
    if options and is_model(kind) and isinstance(value, dict):
        for option in options:
            config = option.__struct_config__
            if value.get(config.tag_field) == config.tag:
                return option
    return kind


def _tag_field(kind: Any) -> str | None:
    first = (get_args(kind) or (kind,))[0]
    return first.__struct_config__.tag_field if is_model(first) else None


def _known_fields(value: Any, kind: Any) -> list[str]:
    option = _option(value, without_none(kind))
    return list(option.__struct_encode_fields__) if is_model(option) and not get_args(option) else []


def _choices(kind: Any, steps: list[str]) -> list[str]:
    if isinstance(kind, type) and issubclass(kind, Code):
        return [member.value for member in kind]
    if get_origin(kind) is Literal:
        return [str(choice) for choice in get_args(kind)]
    if steps and is_model(kind) and _tag_field(kind) == steps[-1]:
        return [str(option.__struct_config__.tag) for option in get_args(kind) or (kind,)]
    return []


_RULES = {
    Decimal: "be a number",
    int: "be a whole number",
    bool: "be true or false",
    str: "be text",
    date: "be a date such as 2026-01-31",
    datetime: "be a moment such as 2026-01-31T09:30:00-05:00",
}


def _rule(kind: Any, what: str) -> str:
    if kind in _RULES:
        return _RULES[kind]
    if get_origin(kind) is list:
        return "be a list"
    if is_model(kind):
        return "be a JSON object"
    return f"be acceptable ({what.lower()})"


def _did_you_mean(value: Any, choices: list[str]) -> str:
    import difflib  # deferred: only an error needs it

    close = difflib.get_close_matches(str(value).lower(), choices, n=1)
    return f"Did you mean {close[0]}?" if close else ""


def unknown(name: str, known: list[str], value: Any = None) -> ValidationFailed:
    """The error for a parameter or field that does not exist here.

    Args:
        name: What was given.
        known: The names there are.
        value: Its value.
    """
    hint = _did_you_mean(name.rpartition(".")[2], known)
    rule = f"be one of {', '.join(known)}" if known else "not be given"
    return ValidationFailed(
        f"{name} is unknown here. {hint}".rstrip(),
        details={
            "field": name,
            "value": None if value is None else str(_told(name, value)),
            "rule": rule,
        },
    )
