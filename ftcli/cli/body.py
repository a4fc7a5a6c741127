"""A request body as options: one option per field, the kind of a tagged choice told from what is given."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, get_args, get_origin

import msgspec

from ftcli.errors import ValidationFailed
from ftcli.models import json
from ftcli.models.field import FieldInfo, fields
from ftcli.operations.operation import is_model


class BodyField(NamedTuple):
    """A field of a body, as the command line takes it.

    Attributes:
        info: The declaration; of a tag field one of its own making.
        required: Whether every kind of body needs it.
        default: Its default, or :data:`msgspec.NODEFAULT`.
        kinds: The kinds that have it, where not all do.
        choices: Its values, for the tag field.
    """

    info: FieldInfo
    required: bool
    default: Any
    kinds: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()

    @property
    def is_nested(self) -> bool:
        """Whether its value is an object, or a list of objects."""
        return is_model(_item(self.info.type)) or get_origin(self.info.type) is dict

    @property
    def is_list(self) -> bool:
        """Whether it takes several values."""
        return get_origin(self.info.type) is list


def _item(kind: Any) -> Any:
    return get_args(kind)[0] if get_origin(kind) is list else kind


def members(kind: Any) -> tuple[type[msgspec.Struct], ...]:
    """The models a body may be: one, or those of a tagged choice."""
    return get_args(kind) or (kind,)


def tag_field(kind: Any) -> str | None:
    """The field that tells the kinds apart, if there are several."""
    name: str | None = members(kind)[0].__struct_config__.tag_field
    return name


def tag_of(member: type[msgspec.Struct]) -> str:
    """The tag of a kind, such as ``limit``."""
    return str(member.__struct_config__.tag)


def body_fields(kind: Any) -> list[BodyField]:
    """The fields of a body: what every kind needs, the tag, what only some have, the rest."""
    options = members(kind)
    found: dict[str, BodyField] = {}
    owners: dict[str, list[str]] = {}
    for member in options:
        infos = {info.name: info for info in fields(member)}
        for field in msgspec.structs.fields(member):
            owners.setdefault(field.name, []).append(tag_of(member))
            default = field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
            if field.name not in found:
                found[field.name] = BodyField(infos[field.name], field.required, default)
    common = [field for name, field in found.items() if len(owners[name]) == len(options)]
    special = [
        field._replace(kinds=tuple(owners[name]), required=False)
        for name, field in found.items()
        if len(owners[name]) < len(options)
    ]
    needed = [field for field in common if field.required]
    return [*needed, *_tag(kind), *special, *(field for field in common if not field.required)]


def _tag(kind: Any) -> list[BodyField]:
    name = tag_field(kind)
    if name is None or len(members(kind)) == 1:
        return []
    tags = tuple(tag_of(member) for member in members(kind))
    info = FieldInfo(name, str, None, "", "Told from the options given where left out.", "", None)
    return [BodyField(info, False, msgspec.NODEFAULT, (), tags)]


def assemble(kind: Any, given: Mapping[str, Any], whole: Any = None) -> Any:
    """The body from the values of its options.

    Args:
        kind: The model, or tagged choice of models.
        given: Texts by field name; lists where an option may be repeated.
        whole: A body given as a whole; single options win over it.

    Raises:
        ValidationFailed: A nested value cannot be read, or the kind cannot be told.
    """
    by_name = {field.info.name: field for field in body_fields(kind)}
    body: dict[str, Any] = dict(whole) if isinstance(whole, dict) else {}
    for name, value in given.items():
        field = by_name[name]
        if field.is_nested:
            body[name] = _nested(field, value)
        elif field.is_list:
            body[name] = [part.strip() for text in value for part in text.split(",") if part.strip()]
        else:
            body[name] = value
    tell_kinds(kind, body)
    return body


def tell_kinds(kind: Any, body: dict[str, Any]) -> None:
    """Puts the tag into every object that leaves it out, the nested ones too.

    Raises:
        ValidationFailed: The kind of one cannot be told from its fields.
    """
    tag = tag_field(kind)
    if tag and tag not in body and len(members(kind)) > 1:
        body[tag] = _told_kind(kind, tag, body)
    for inner, nested in inner_objects(kind, body):
        tell_kinds(inner, nested)


def inner_objects(kind: Any, body: Mapping[str, Any]) -> Iterator[tuple[Any, dict[str, Any]]]:
    """The objects inside a body, each with its model."""
    for field in body_fields(kind):
        inner, value = _item(field.info.type), body.get(field.info.name)
        if is_model(inner):
            for nested in value if isinstance(value, list) else [value]:
                if isinstance(nested, dict):
                    yield inner, nested


def has_inner_accounts(kind: Any) -> bool:
    """Whether the orders inside a body need an account, but not the body itself."""
    fields_ = body_fields(kind)
    if any(field.info.name == "account" for field in fields_):
        return False
    inner = [_item(field.info.type) for field in fields_ if is_model(_item(field.info.type))]
    return any(
        has_inner_accounts(item) or any(field.info.name == "account" for field in body_fields(item))
        for item in inner
    )


def account_holders(kind: Any, body: dict[str, Any]) -> list[dict[str, Any]]:
    """The objects in a body that need an account: the body itself, or the orders inside it."""
    found = [body] if any(item.info.name == "account" and item.required for item in body_fields(kind)) else []
    for inner, nested in inner_objects(kind, body):
        found += account_holders(inner, nested)
    return found


def _told_kind(kind: Any, tag: str, body: Mapping[str, Any]) -> str:
    """The one kind that allows every field given and misses none it needs; of several the plainest."""
    special = {field.info.name for field in body_fields(kind) if field.kinds}
    given = special & set(body)
    fitting: list[tuple[int, str]] = []
    for member in members(kind):
        declared = {
            field.name: field.required for field in msgspec.structs.fields(member) if field.name in special
        }
        needed = {name for name, required in declared.items() if required}
        if given <= set(declared) and needed <= given:
            fitting.append((len(declared), tag_of(member)))
    fitting.sort()
    if fitting and (len(fitting) == 1 or fitting[0][0] < fitting[1][0]):
        return fitting[0][1]
    tags = ", ".join(tag_of(member) for member in members(kind))
    together = " and ".join(sorted(given)) or "what is given"
    raise ValidationFailed(
        f"No {tag} goes with {together}. Give {tag} itself: {tags}.",
        details={"field": tag, "value": None, "rule": f"be one of {tags}"},
    )


def _nested(field: BodyField, value: Any) -> Any:
    texts = value if isinstance(value, list) else [value]
    parsed = [_object(field.info.name, text) for text in texts]
    if not field.is_list:
        return parsed[-1]
    return [item for part in parsed for item in (part if isinstance(part, list) else [part])]


def _object(name: str, text: str) -> Any:
    """An object from JSON text, or from ``KEY=VALUE,KEY=VALUE``; dots in a key lead inside."""
    if text.lstrip()[:1] in ("{", "["):
        try:
            return json.loads(text)
        except msgspec.DecodeError as problem:
            raise ValidationFailed.of(name, text, f"be JSON ({problem})") from None
    pairs = [part.partition("=") for part in text.split(",") if part.strip()]
    if not pairs or any(not equals or not key.strip() for key, equals, _ in pairs):
        raise ValidationFailed.of(name, text, "be JSON, or KEY=VALUE pairs separated by commas")
    found: dict[str, Any] = {}
    for key, _, value in pairs:
        *groups, last = key.strip().replace("-", "_").split(".")
        target = found
        for group in groups:
            target = target.setdefault(group, {})
        target[last] = value.strip()
    return found
