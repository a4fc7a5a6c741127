"""Documents as tables for people: rows with sums, snapshots side by side, or names and values."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from ftcli.cli.output.grid import Cell, Grid, GridColumn, Tone
from ftcli.cli.output.numbers import is_midnight, value_text
from ftcli.cli.output.rows import Leaf, Rows, arranged, chosen, item_model, rows_of
from ftcli.models.field import PERCENT, Document, FieldInfo, fields

if TYPE_CHECKING:
    from ftcli.cli.call import Call

Pairs = list[tuple[str, Cell]]
_NAMES = ("description", "name", "security_name")


def table_of(document: Any, call: "Call") -> Grid | Pairs:
    """What to draw for a document.

    Raises:
        ValidationFailed: ``--columns`` or ``--sort`` names a field that is not there.
    """
    if not call.columns and not call.sort and isinstance(document, Document):
        document = document.for_table()
    found = arranged(rows_of(document), call)
    if found.name:
        picked = chosen(found.leaves, call.columns, "--columns") if call.columns else _default_columns(found)
        return _grid(found, picked, _totals(document), _title(document))
    if not call.columns and (sides := _snapshots(document)):
        return _side_by_side(document, sides)
    return _pairs(document, found, call.columns)


def facts_of(document: Any) -> Pairs:
    """What a document with rows says of itself: those of its own fields that are declared as columns."""
    own = [
        info
        for info in fields(type(document))
        if info.column and item_model(info) is None and getattr(document, info.name) not in (None, [])
    ]
    return [(title_of(info), cell_of(getattr(document, info.name), info)) for info in own]


def _default_columns(found: Rows) -> list[Leaf]:
    """The fields that are declared as columns; all of them where none is."""
    return [leaf for leaf in found.leaves if leaf.info.column] or found.leaves


def _grid(found: Rows, picked: Sequence[Leaf], totals: Any, title: str) -> Grid:
    names = {leaf.name for leaf in picked}
    columns = [_column(leaf, found.rows, totals, "symbol" in names) for leaf in picked]
    if any(column.total for column in columns) and columns[0].total is None:
        columns[0] = columns[0]._replace(total=Cell("Total", "strong"))
    return Grid(title, columns)


def _column(leaf: Leaf, rows: Sequence[Any], totals: Any, has_symbol: bool) -> GridColumn:
    values = [leaf.of(row) for row in rows]
    info = leaf.info
    title = title_of(info) if info.name == leaf.name else leaf.name
    moments = [value for value in values if isinstance(value, datetime)]
    whole_days = bool(moments) and all(is_midnight(moment) for moment in moments)
    if moments and not whole_days:
        title = f"{title} (ET)"
    cells = [
        Cell(value_text(value)[:10]) if whole_days and isinstance(value, datetime) else cell_of(value, info)
        for value in values
    ]
    total = getattr(totals, leaf.name, None) if totals is not None else None
    return GridColumn(
        leaf.name,
        title,
        _is_number(info),
        cells,
        None if total is None else cell_of(total, info),
        extra=has_symbol and leaf.name in _NAMES,
    )


def _is_number(info: FieldInfo) -> bool:
    return info.type in (Decimal, int, float)


def cell_of(value: Any, info: FieldInfo) -> Cell:
    """A value of a field, with the colour of its sign where the field asks for it."""
    signed = bool(info.column and info.column.signed)
    text = value_text(value, info.unit, signed=signed)
    tone: Tone = ""
    if value is None:
        tone = "faint"
    elif signed and isinstance(value, Decimal | int) and value != 0:
        tone = "gain" if value > 0 else "loss"
    return Cell(text, tone)


def title_of(info: FieldInfo) -> str:
    """A field's heading: as declared, else its name in words."""
    if info.column:
        return info.column.title
    words = info.name.replace("_", " ")
    if info.unit == PERCENT:
        words = words.removesuffix(" pct") + " %"
    return words[0].upper() + words[1:]


def _totals(document: Any) -> Any:
    totals = getattr(document, "totals", None)
    return totals if isinstance(totals, msgspec.Struct) else None


def _title(document: Any) -> str:
    """What a document with rows is of: its account, or its symbol and name."""
    account = getattr(document, "account", None)
    if isinstance(account, str) and account:
        return f"Account {account}"
    symbol, name = getattr(document, "symbol", None), getattr(document, "name", None)
    return " · ".join(str(part) for part in (symbol, name) if part)


# -- documents without rows ----------------------------------------------------------------------------------


def _snapshots(document: Any) -> list[FieldInfo]:
    """Fields that hold the same model at several moments, as the balances do."""
    groups = [
        info
        for info in fields(type(document))
        if isinstance(info.type, type) and issubclass(info.type, msgspec.Struct)
    ]
    if len(groups) < 2 or len({info.type for info in groups}) > 1:
        return []
    return [info for info in groups if getattr(document, info.name) is not None]


def _side_by_side(document: Any, sides: list[FieldInfo]) -> Grid:
    """One column per snapshot; lines that none of them fills are left out."""
    snapshots = [getattr(document, info.name) for info in sides]
    lines = [
        line
        for line in fields(sides[0].type)
        if line.column and any(getattr(snapshot, line.name) is not None for snapshot in snapshots)
    ]
    labels = GridColumn("", "", False, [Cell(title_of(line)) for line in lines])
    columns = [
        GridColumn(
            info.name, title_of(info), True, [cell_of(getattr(snapshot, line.name), line) for line in lines]
        )
        for info, snapshot in zip(sides, snapshots, strict=True)
    ]
    return Grid(_title(document), [labels, *columns])


def _pairs(document: Any, found: Rows, names: list[str]) -> Pairs:
    if names:
        picked = chosen(found.leaves, names, "--columns")
    else:
        picked = [leaf for leaf in _default_columns(found) if leaf.of(document) is not None]
    return [(_label(leaf, document), cell_of(leaf.of(document), leaf.info)) for leaf in picked]


def _label(leaf: Leaf, document: Any) -> str:
    label = title_of(leaf.info) if "." not in leaf.name else leaf.name
    value = leaf.of(document)
    return f"{label} (ET)" if isinstance(value, datetime) else label
