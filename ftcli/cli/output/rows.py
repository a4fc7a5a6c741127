"""A document as rows and fields: which list it is about, flattened names, choosing, sorting, limiting."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple, get_args, get_origin

import msgspec

from ftcli.errors import ValidationFailed
from ftcli.models.field import FieldInfo, fields

if TYPE_CHECKING:
    from ftcli.cli.call import Call

NOTES = ("messages", "problems")
"""Lists that are said beside a document, never what it is about."""


class Leaf(NamedTuple):
    """A field of a row that is a single value.

    Attributes:
        name: Its name; nested ones with dots.
        info: Its declaration.
    """

    name: str
    info: FieldInfo

    def of(self, row: Any) -> Any:
        """Its value in a row; ``None`` where a group around it is missing."""
        for part in self.name.split("."):
            if row is None:
                return None
            row = getattr(row, part)
        return row


def leaves(model: type[msgspec.Struct], prefix: str = "") -> list[Leaf]:
    """The fields of a model, groups inside it flattened."""
    found: list[Leaf] = []
    for info in fields(model):
        name = f"{prefix}{info.name}"
        if isinstance(info.type, type) and issubclass(info.type, msgspec.Struct):
            found += leaves(info.type, f"{name}.")
        else:
            found.append(Leaf(name, info))
    return found


def item_model(info: FieldInfo) -> type[msgspec.Struct] | None:
    """The model of a list field's items, where it is a list of models."""
    if get_origin(info.type) is not list:
        return None
    item = get_args(info.type)[0]
    return item if isinstance(item, type) and issubclass(item, msgspec.Struct) else None


class Rows(NamedTuple):
    """What a document is about.

    Attributes:
        name: Name of its list; empty where the document itself is the one row.
        model: Model of a row.
        rows: The rows.
    """

    name: str
    model: type[msgspec.Struct]
    rows: Sequence[Any]

    @property
    def leaves(self) -> list[Leaf]:
        """The fields of a row. Of a document that is its own row, only single values."""
        return [leaf for leaf in leaves(self.model) if self.name or item_model(leaf.info) is None]


def rows_of(document: Any) -> Rows:
    """The rows of a document: its first list of models, else itself."""
    for info in fields(type(document)):
        model = item_model(info)
        if model is not None and info.name not in NOTES:
            return Rows(info.name, model, getattr(document, info.name))
    return Rows("", type(document), [document])


def arranged(found: Rows, call: "Call") -> Rows:
    """The rows sorted and limited as asked for."""
    rows = list(found.rows)
    if call.sort:
        down = call.sort.startswith("-")
        leaf = chosen(found.leaves, [call.sort.lstrip("-+")], "--sort")[0]
        known = [row for row in rows if leaf.of(row) is not None]
        unknown = [row for row in rows if leaf.of(row) is None]
        rows = [*sorted(known, key=lambda row: _sort_key(leaf.of(row)), reverse=down), *unknown]
    return found._replace(rows=rows[: call.limit])


def _sort_key(value: Any) -> Any:
    if isinstance(value, bool | Decimal | int | datetime | date):
        return value
    return str(value).casefold()


def chosen(available: list[Leaf], names: Sequence[str], option: str) -> list[Leaf]:
    """The fields of some names.

    Raises:
        ValidationFailed: There is no such field; the message suggests the nearest.
    """
    by_name = {leaf.name: leaf for leaf in available}
    found = []
    for name in names:
        word = name.replace("-", "_").lower()
        if word not in by_name:
            from difflib import get_close_matches

            near = get_close_matches(word, by_name, n=1)
            hint = f"Did you mean {near[0]}? " if near else ""
            raise ValidationFailed(
                f"{option}: there is no field {name} here. {hint}The fields are: {', '.join(by_name)}.",
                details={"field": option, "value": name, "rule": f"be one of {', '.join(by_name)}"},
            )
        found.append(by_name[word])
    return found
