"""The one declaration of a field: name, type, unit, meaning, and where it stands in the broker's document.

    class Position(Model):
        last_price: Annotated[Decimal | None, at("priceDetail.lastPrice", "Latest price.", unit=USD)] = None

From it are read: decoding the broker's answer (:func:`read`), encoding the paper broker's answer
(:func:`write`), the JSON schema, the table column and the docs.

Paths: keys joined by dots; ``[]`` after a key marks a list there; ``a|b`` names alternatives (the first is
written, all are read); ``.`` is the object itself, for a group of fields that has no object of its own on the
wire. A list inside a wrapper of the plural name (``legDetails.legDetail[]``) is read in all the shapes of
protocol 01 §1.4. A field without ``at`` is ours alone and is never on the wire.
"""

import types
from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

from ftcli.models.values import (
    WRITERS,
    Code,
    read_bool,
    read_date,
    read_datetime,
    read_decimal,
    read_int,
    read_text,
)

USD = "USD"
PERCENT = "percent points"
SHARES = "shares"
PER_SHARE = "USD per share"

UNLESS_EMPTY = "unless_empty"
"""The wire form of a list that the broker leaves out where it is empty."""


class Model(msgspec.Struct, kw_only=True):
    """A part of a document of ours: flat, snake_case, typed."""


class Document(Model, dict=True):
    """A whole answer of an operation. It remembers the broker's document it was read from."""

    @property
    def raw(self) -> Any:
        """The broker's document as it came, decoded from JSON, JSONP or XML; ``None`` if there was none."""
        reply = self.__dict__.get("_reply")
        return None if reply is None else reply.document

    @property
    def raw_body(self) -> bytes | None:
        """The very bytes the broker sent."""
        reply = self.__dict__.get("_reply")
        return None if reply is None else reply.body

    def for_table(self) -> "Document":
        """The document as people read it in a table: itself, unless another arrangement reads better."""
        return self


class Request(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """What a caller gives an operation: strict, unknown names are errors."""


class Column(msgspec.Struct, frozen=True):
    """How a field shows in a table."""

    title: str
    signed: bool = False


class FieldInfo(msgspec.Struct, frozen=True):
    """A field as declared.

    Attributes:
        name: Our name.
        type: Its type without ``None``.
        path: The broker's path, or ``None`` where the field is ours alone.
        form: Name of the wire form (:data:`ftcli.models.values.WRITERS`) where the type leaves a choice.
        text: Meaning.
        unit: Unit, or an empty string.
        column: Its table column, or ``None`` where it shows only on demand.
    """

    name: str
    type: Any
    path: str | None
    form: str
    text: str
    unit: str
    column: Column | None


def at(
    path: str | None,
    text: str,
    *,
    unit: str = "",
    form: str = "",
    column: str = "",
    signed: bool = False,
    example: Any = None,
) -> msgspec.Meta:
    """Declares a field, as the second argument of ``Annotated``.

    Args:
        path: Where it stands in the broker's document, relative to the enclosing model.
        text: Its meaning, for users.
        unit: Its unit.
        form: The wire form, where the type has several (``epoch_day``, ``text`` ...).
        column: Title of its table column; fields without one show only with ``--columns``.
        signed: Whether the table colours it by sign.
        example: An example value for the schema.
    """
    extra = {"path": path, "form": form, "unit": unit, "column": Column(column, signed) if column else None}
    schema = {"x-unit": unit} if unit else None
    return msgspec.Meta(
        description=f"{text} Unit: {unit}." if unit else text,
        examples=None if example is None else [example],
        extra=extra,
        extra_json_schema=schema,
    )


M = TypeVar("M", bound=msgspec.Struct)
_fields: dict[type, tuple[FieldInfo, ...]] = {}


def fields(model: type[msgspec.Struct]) -> tuple[FieldInfo, ...]:
    """The declared fields of a model, in order."""
    found = _fields.get(model)
    if found is None:
        hints = get_type_hints(model, include_extras=True)
        found = _fields[model] = tuple(_info(name, hints[name]) for name in model.__struct_fields__)
    return found


def _info(name: str, hint: Any) -> FieldInfo:
    meta = msgspec.Meta(description="")
    if get_origin(hint) is Annotated:
        hint, *extras = get_args(hint)
        meta = next((extra for extra in extras if isinstance(extra, msgspec.Meta)), meta)
    extra = meta.extra or {}
    unit = extra.get("unit", "")
    text = (meta.description or "").removesuffix(f" Unit: {unit}.") if unit else meta.description or ""
    return FieldInfo(
        name, without_none(hint), extra.get("path"), extra.get("form", ""), text, unit, extra.get("column")
    )


def without_none(hint: Any) -> Any:
    """``X`` for ``X | None``."""
    if get_origin(hint) in (Union, types.UnionType):
        rest = [option for option in get_args(hint) if option is not type(None)]
        return rest[0] if len(rest) == 1 else hint
    return hint


# -- reading ---------------------------------------------------------------------------------------------

Keys = tuple[str, ...]
Reader = Callable[[Any], Any]
Way = tuple[Keys, Reader]
Member = tuple[str, str, Reader, type | None]


class _Plan(msgspec.Struct, frozen=True):
    """How a model is read: the fields sorted by the object they stand in, so that each is looked up once.

    Attributes:
        groups: Keys to an object, and of each field in it: our name, its key there, its reader, and the type
            of values that need no reading (a JSON number with a fraction is a finite ``Decimal`` already).
        choices: The fields that may stand in several places, or have no object of their own.
    """

    groups: tuple[tuple[Keys, tuple[Member, ...]], ...]
    choices: tuple[tuple[str, tuple[Way, ...]], ...]


_plans: dict[type, _Plan] = {}
_SIMPLE: dict[Any, Reader] = {
    Decimal: read_decimal,
    str: read_text,
    int: read_int,
    bool: read_bool,
    datetime: read_datetime,
    date: read_date,
    float: lambda value: None if (number := read_decimal(value)) is None else float(number),
    Any: lambda value: value,
}
_READY: dict[Any, type] = {Decimal: Decimal, bool: bool}


def read(model: type[M], document: Any) -> M:
    """Decodes a part of the broker's document into a model.

    Tolerant: absent groups, sentinels, single objects where a list is usual, unknown fields and codes are all
    fine, and nothing is invented for what is missing.

    Args:
        model: The model.
        document: The JSON-like object the model's paths start from.
    """
    plan = _plans.get(model) or _plan(model)
    values: dict[str, Any] = {}
    if isinstance(document, dict):
        for keys, members in plan.groups:
            group = _follow(document, keys) if keys else document
            if isinstance(group, dict):
                find = group.get
                for name, key, reader, ready in members:
                    value = find(key)
                    if value is not None and (type(value) is ready or (value := reader(value)) is not None):
                        values[name] = value
        for name, ways in plan.choices:
            for keys, reader in ways:
                value = _follow(document, keys)
                if value is not None and (value := reader(value)) is not None:
                    values[name] = value
                    break
    return model(**values)


def _follow(document: Any, keys: Keys) -> Any:
    """What stands at the end of some keys; ``None`` where they lead nowhere."""
    for key in keys:
        if not isinstance(document, dict):
            return None
        document = document.get(key)
    return document


def _plan(model: type[msgspec.Struct]) -> _Plan:
    groups: dict[Keys, list[Member]] = {}
    choices: list[tuple[str, tuple[Way, ...]]] = []
    for info in fields(model):
        if info.path is None:
            continue
        ways = tuple(_way(option, info.type) for option in info.path.split("|"))
        keys, reader = ways[0]
        if len(ways) == 1 and keys:
            groups.setdefault(keys[:-1], []).append((info.name, keys[-1], reader, _READY.get(info.type)))
        else:
            choices.append((info.name, ways))
    grouped = tuple((keys, tuple(members)) for keys, members in groups.items())
    plan = _plans[model] = _Plan(grouped, tuple(choices))
    return plan


def _way(path: str, kind: Any) -> Way:
    """One path as the keys to follow and the reader of what is found there."""
    if path == ".":
        return (), _reader(kind)
    *wrappers, last = path.removesuffix("[]").split(".")
    if path.endswith("[]") and wrappers and wrappers[-1] == f"{last}s":
        return tuple(wrappers), _list_reader(kind, last)
    return (*wrappers, last), _reader(kind)


def _list_reader(kind: Any, key: str = "") -> Reader:
    item = _reader(get_args(without_none(kind))[0])
    return lambda value: [part for entry in as_list(value, key) if (part := item(entry)) is not None]


def _reader(kind: Any) -> Reader:
    if kind in _SIMPLE:
        return _SIMPLE[kind]
    if isinstance(kind, type) and issubclass(kind, Code):
        return lambda value: None if (text := read_text(value)) is None else kind.from_wire(text)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return lambda value: read(kind, value) if isinstance(value, dict) else None
    if get_origin(kind) is list:
        return _list_reader(kind)
    raise TypeError(f"no way to read {kind!r} from the wire")


def as_list(value: Any, key: str = "") -> list[Any]:
    """The broker's lists in all their shapes, as a list (protocol 01 §1.4).

    Args:
        value: An array, a single object, an object holding the array under ``key``, or nothing.
        key: The inner key; objects whose only key it is are unwrapped.
    """
    if value is None or value == "":
        return []
    if isinstance(value, list):
        if key and all(isinstance(entry, dict) and list(entry) == [key] for entry in value):
            return [entry[key] for entry in value]
        return value
    if isinstance(value, dict) and key in value:
        return as_list(value[key], key)
    return [value] if isinstance(value, dict) and value else []


# -- writing ---------------------------------------------------------------------------------------------

_DEFAULT_FORM = {Decimal: "number", datetime: "epoch", date: "epoch_day"}


def write(model: msgspec.Struct) -> dict[str, Any]:
    """Encodes a model as the broker would, for the paper broker; fields that are ``None`` are left out."""
    document: dict[str, Any] = {}
    for info in fields(type(model)):
        value = getattr(model, info.name)
        if info.path is None or value is None or (info.form == UNLESS_EMPTY and not value):
            continue
        path = info.path.split("|")[0]
        if path == ".":
            document.update(write(value))
            continue
        *groups, last = path.removesuffix("[]").split(".")
        target = document
        for key in groups:
            target = target.setdefault(key, {})
        target[last] = _written(info, value)
    return document


def _written(info: FieldInfo, value: Any) -> Any:
    if isinstance(value, list):
        return [_written(info, part) for part in value]
    if isinstance(value, msgspec.Struct):
        return write(value)
    if isinstance(value, Code):
        return value.wire or value.value
    form = info.form or next((name for kind, name in _DEFAULT_FORM.items() if type(value) is kind), "")
    return WRITERS[form](value) if form else value


def rows_field(model: type[msgspec.Struct]) -> FieldInfo | None:
    """The list of rows a document is about: its first list of models."""
    for info in fields(model):
        if get_origin(info.type) is list:
            item = get_args(info.type)[0]
            if isinstance(item, type) and issubclass(item, msgspec.Struct):
                return info
    return None


def walk(model: type[msgspec.Struct]) -> Iterator[type[msgspec.Struct]]:
    """A model and every model inside it, each once."""
    seen: list[type[msgspec.Struct]] = []
    waiting: list[Any] = [model]
    while waiting:
        kind = waiting.pop(0)
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            if kind not in seen:
                seen.append(kind)
                waiting.extend(info.type for info in fields(kind))
        else:
            waiting[:0] = get_args(kind)
    yield from seen
