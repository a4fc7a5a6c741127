"""A table before it is drawn: columns of cells, and what to do where they do not fit."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

Tone = Literal["", "gain", "loss", "strong", "faint"]
GAP = 2
SHORTEST = 14
"""A text column is not cut below this; rather it goes."""


class Cell(NamedTuple):
    """One value, ready to show."""

    text: str
    tone: Tone = ""


class GridColumn(NamedTuple):
    """A column.

    Attributes:
        name: Its field.
        title: Its heading.
        right: Whether it is set flush right, as numbers are.
        cells: Its values.
        total: Its sum, where there is one.
        extra: Whether it only repeats what another column says, as a name beside a symbol does: the first to
            go.
    """

    name: str
    title: str
    right: bool
    cells: Sequence[Cell]
    total: Cell | None = None
    extra: bool = False

    @property
    def width(self) -> int:
        """Signs needed to show it whole."""
        texts = [self.title, *(cell.text for cell in self.cells)]
        if self.total is not None:
            texts.append(self.total.text)
        return max(len(text) for text in texts)


class Grid(NamedTuple):
    """A table.

    Attributes:
        title: What it is of; may be empty.
        columns: Its columns, the important ones first.
    """

    title: str
    columns: Sequence[GridColumn]

    @property
    def has_totals(self) -> bool:
        """Whether any column has a sum."""
        return any(column.total is not None for column in self.columns)

    @property
    def width(self) -> int:
        """Signs needed to show it whole."""
        return sum(column.width for column in self.columns) + GAP * (len(self.columns) - 1)

    @property
    def height(self) -> int:
        """Number of rows."""
        return len(self.columns[0].cells) if self.columns else 0


def fitted(grid: Grid, width: int, *, may_cut: bool, keep_all: bool = False) -> Grid:
    """The grid within a width: columns are kept in the order of their importance, as far as each still fits.

    Args:
        grid: The grid.
        width: Columns of the output.
        may_cut: Whether texts may be cut to keep more columns; never where a program reads the output.
        keep_all: Whether every column was asked for by name and stays, wide or not.
    """
    if keep_all:
        return grid._replace(columns=_cut(list(grid.columns), width)) if may_cut else grid
    first, *others = grid.columns
    kept, used = [first], _least(first, may_cut)
    for column in sorted(
        others, key=lambda other: other.extra
    ):  # stable: the order stays, the extra ones come last
        needed = GAP + _least(column, may_cut)
        if used + needed <= width:
            kept.append(column)
            used += needed
    columns = [column for column in grid.columns if column in kept]
    return grid._replace(columns=_cut(columns, width) if may_cut else columns)


def _least(column: GridColumn, may_cut: bool) -> int:
    """The least room a column can live with."""
    if column.right or not may_cut:
        return column.width
    return min(column.width, max(SHORTEST, len(column.title)))


def _cut(columns: list[GridColumn], width: int) -> list[GridColumn]:
    """Takes what is too much from the widest texts."""
    widths = [column.width for column in columns]
    least = [_least(column, may_cut=True) for column in columns]
    too_much = sum(widths) + GAP * (len(columns) - 1) - width
    while too_much > 0:
        spare = [have - must for have, must in zip(widths, least, strict=True)]
        widest = max(range(len(columns)), key=lambda index: (spare[index] > 0, widths[index]))
        if spare[widest] <= 0:
            break
        widths[widest] -= 1
        too_much -= 1
    return [_cut_column(column, limit) for column, limit in zip(columns, widths, strict=True)]


def _cut_column(column: GridColumn, limit: int) -> GridColumn:
    if column.width <= limit:
        return column
    cells = [
        cell if len(cell.text) <= limit else cell._replace(text=cell.text[: limit - 1] + "…")
        for cell in column.cells
    ]
    return column._replace(cells=cells)
