"""Fitting a table into a width."""

from hypothesis import given
from hypothesis import strategies as st

from ftcli.cli.output.grid import SHORTEST, Cell, Grid, GridColumn, fitted
from ftcli.cli.output.plain import grid_text

TEXTS = st.text(alphabet="abcdefgh ", max_size=40)


@st.composite
def grids(draw: st.DrawFn) -> Grid:
    height = draw(st.integers(1, 4))
    columns = [
        GridColumn(
            f"c{index}",
            draw(st.text(alphabet="ABC", min_size=1, max_size=12)),
            draw(st.booleans()),
            [Cell(draw(TEXTS)) for _ in range(height)],
            extra=draw(st.booleans()),
        )
        for index in range(draw(st.integers(1, 8)))
    ]
    return Grid("", columns)


@given(grids(), st.integers(20, 120))
def test_it_fits_as_soon_as_more_than_one_column_is_left(grid: Grid, width: int) -> None:
    for may_cut in (True, False):
        small = fitted(grid, width, may_cut=may_cut)
        if len(small.columns) > 1:
            assert all(len(line) <= width for line in grid_text(small).splitlines())


@given(grids(), st.integers(20, 120))
def test_what_is_read_by_a_program_is_never_cut(grid: Grid, width: int) -> None:
    small = fitted(grid, width, may_cut=False)
    kept = {column.name: column for column in grid.columns}
    assert all(column == kept[column.name] for column in small.columns)


@given(grids(), st.integers(20, 120))
def test_cutting_spares_numbers_and_leaves_enough_of_texts(grid: Grid, width: int) -> None:
    before = {column.name: column for column in grid.columns}
    for column in fitted(grid, width, may_cut=True).columns:
        whole = before[column.name]
        for cell, old in zip(column.cells, whole.cells, strict=True):
            if cell != old:
                assert not column.right
                assert len(cell.text) >= SHORTEST
                assert old.text.startswith(cell.text[:-1])


def test_columns_that_only_repeat_go_first_then_the_last_ones_and_too_wide_ones_make_room() -> None:
    def column(name: str, *, extra: bool = False, width: int = 10) -> GridColumn:
        return GridColumn(name, name, True, [Cell("x" * width)], extra=extra)

    wide = Grid("", [column("order"), column("description", width=60), column("state"), column("filled")])
    assert [item.name for item in fitted(wide, 40, may_cut=False).columns] == ["order", "state", "filled"]

    grid = Grid("", [column("symbol"), column("name", extra=True), column("last"), column("gain")])
    assert [item.name for item in fitted(grid, 34, may_cut=False).columns] == ["symbol", "last", "gain"]
    assert [item.name for item in fitted(grid, 22, may_cut=False).columns] == ["symbol", "last"]
    assert [item.name for item in fitted(grid, 3, may_cut=False).columns] == ["symbol"]
    assert [item.name for item in fitted(grid, 46, may_cut=False).columns] == [
        "symbol",
        "name",
        "last",
        "gain",
    ]
