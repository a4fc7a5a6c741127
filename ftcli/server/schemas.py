"""JSON Schema of our models, as OpenAPI 3.1 shows it."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Annotated, Any, get_args, get_origin

import msgspec

from ftcli.models.field import Request, fields, without_none
from ftcli.models.values import Code
from ftcli.operations.operation import is_model

Schema = dict[str, Any]

_HOME = "#/components/schemas/"
_DECIMAL_TEXT = r"^-?\d+(\.\d+)?$"


class Schemas:
    """The schemas of some types, with their models and codes as named components.

    Numbers that must be exact are JSON numbers in answers; in requests a text will do as well, for clients
    whose numbers are floats. In answers every member is there, though it may be null, and a code of the
    broker may be one that nobody has seen yet.

    Args:
        types: The types, in the order in which names are given; of two models with the same name the later
            one gets its module's name as well.
    """

    def __init__(self, types: Iterable[Any]) -> None:
        self._wanted = list(types)
        self._models = list(dict.fromkeys(model for kind in self._wanted for model in _models(kind)))
        found, parts = msgspec.json.schema_components(self._wanted, ref_template=f"{_HOME}{{name}}")
        self._ours = _our_names(self._models)
        self._names = {_msgspec_name(model, parts): self._ours[model] for model in self._models}
        self._codes = {_HOME + self._ours[model] for model in self._models if issubclass(model, Code)}
        self.components: dict[str, Schema] = {}
        for model in self._models:
            name = _msgspec_name(model, parts)
            self.components[self._names[name]] = self._component(model, parts[name])
        self._schemas = [
            self._plain(schema, _is_request(kind)) for kind, schema in zip(self._wanted, found, strict=True)
        ]
        self._name_unions()

    def of(self, kind: Any) -> Schema:
        """The schema of one of the types."""
        found: Schema = self._schemas[self._wanted.index(kind)]
        return found

    def _component(self, model: type, schema: Schema) -> Schema:
        if issubclass(model, Code):
            codes: Schema = self._plain({**schema, "enum": [member.value for member in model]}, True)
            return codes
        request = issubclass(model, Request)
        plain: Schema = self._plain(schema, request)
        if issubclass(model, msgspec.Struct) and not request and "properties" in plain:
            self._as_answer(model, plain)
        return plain

    def _as_answer(self, model: type[msgspec.Struct], schema: Schema) -> None:
        """Every member is there, and codes that come from the broker are open."""
        schema["required"] = list(schema["properties"])
        ours_alone = {info.name for info in fields(model) if info.path is None}
        declared = {field.encode_name: field for field in msgspec.structs.fields(model)}
        for name, part in schema["properties"].items():
            part.pop("default", None)
            if name in declared and bare(declared[name].type) is datetime:
                part["format"] = "date-time"
            if name not in declared or declared[name].name not in ours_alone:
                self._open_codes(part)

    def _open_codes(self, part: Schema) -> None:
        if part.get("$ref") in self._codes:
            part["anyOf"] = [{"$ref": part.pop("$ref")}, _UNSEEN]
        elif any(option.get("$ref") in self._codes for option in part.get("anyOf", ())):
            part["anyOf"] = [part["anyOf"][0], _UNSEEN, *part["anyOf"][1:]]

    def _plain(self, schema: Any, request: bool) -> Any:
        """A schema with our names, our numbers and ``oneOf`` where a tag decides."""
        if isinstance(schema, list):
            return [self._plain(part, request) for part in schema]
        if not isinstance(schema, dict):
            if isinstance(schema, str) and schema.startswith(_HOME):
                return _HOME + self._names[schema.removeprefix(_HOME)]
            return schema
        plain = {key: self._plain(part, request) for key, part in schema.items()}
        if plain.get("type") == "string" and plain.get("format") == "decimal":
            del plain["format"]
            plain["type"] = ["number", "string"] if request else "number"
            if request:
                plain["pattern"] = _DECIMAL_TEXT
        if "discriminator" in plain:
            plain["oneOf"] = plain.pop("anyOf")
        return _shorter(plain)

    def _name_unions(self) -> None:
        """A choice between models gets a name where its members have a base of their own: ``EquityOrder``."""
        for kind in [*self._wanted, *(hint for model in self._models for hint in _hints(model))]:
            options = get_args(without_none(kind))
            name = _family(options) if options and is_model(without_none(kind)) else ""
            if name:
                self._name_union(name, {_HOME + self._ours[option] for option in options})

    def _name_union(self, name: str, members: set[str]) -> None:
        def named(schema: Any) -> Any:
            if isinstance(schema, list):
                return [named(part) for part in schema]
            if not isinstance(schema, dict):
                return schema
            if {option.get("$ref") for option in schema.get("oneOf", ())} == members:
                union = {key: schema[key] for key in ("oneOf", "discriminator")}
                self.components[name] = {"title": name, **union}
                rest = {key: part for key, part in schema.items() if key not in union}
                return {**rest, "$ref": _HOME + name}
            return {key: named(part) for key, part in schema.items()}

        self._schemas = named(self._schemas)
        for key, schema in list(self.components.items()):
            if key != name:
                self.components[key] = named(schema)


def _shorter(schema: Schema) -> Schema:
    """A simple type that may be null, without ``anyOf``; values of a list of choices have a type too."""
    options = schema.get("anyOf", [])
    if len(options) == 2 and options[1] == {"type": "null"} and isinstance(options[0].get("type"), str):
        rest = {key: part for key, part in schema.items() if key != "anyOf"}
        return {**rest, **options[0], "type": [options[0]["type"], "null"]}
    if all(isinstance(value, str) for value in schema.get("enum", [0])):
        return {"type": "string", **schema}
    return schema


_UNSEEN = {"type": "string", "description": "The broker's own code, where it is not known here yet."}


def _models(kind: Any) -> Iterator[type]:
    """Every model and code inside a type, the outer ones first."""
    seen: dict[type, None] = {}
    waiting: list[Any] = [kind]
    while waiting:
        part = waiting.pop(0)
        if isinstance(part, type) and issubclass(part, msgspec.Struct | Code):
            if part not in seen:
                seen[part] = None
                waiting.extend(_hints(part))
        else:
            waiting.extend(get_args(part))
    yield from seen


def _hints(model: type) -> list[Any]:
    return (
        [field.type for field in msgspec.structs.fields(model)] if issubclass(model, msgspec.Struct) else []
    )


def _is_request(kind: Any) -> bool:
    return any(issubclass(model, Request) for model in _models(kind))


def _msgspec_name(model: type, parts: dict[str, Any]) -> str:
    full = f"{model.__module__}.{model.__qualname__}"
    return full if full in parts else model.__name__


def _our_names(models: list[type]) -> dict[type, str]:
    """The name of each model; of two with the same name the later one gets its module's name as well."""
    taken: dict[str, type] = {}
    found: dict[type, str] = {}
    for model in models:
        if taken.setdefault(model.__name__, model) is model:
            found[model] = model.__name__
        else:
            module = model.__module__.rpartition(".")[2]
            found[model] = "".join(part.capitalize() for part in module.split("_")) + model.__name__
    return found


def _family(options: tuple[type, ...]) -> str:
    """The name of the nearest base that all options share and that is not ours to all models."""
    for base in options[0].__mro__[1:]:
        own = base.__module__ != "ftcli.models.field" and base not in (msgspec.Struct, object)
        if own and all(issubclass(option, base) for option in options):
            return base.__name__.removesuffix("Terms")
    return ""


def bare(kind: Any) -> Any:
    """A type without ``Annotated`` and without ``None``."""
    if get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    return without_none(kind)
