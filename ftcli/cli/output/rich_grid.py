"""Tables for a terminal, drawn by rich: the only place that loads it for a result."""

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ftcli.cli.output.grid import Cell, Grid

if TYPE_CHECKING:
    from ftcli.cli.terminal import Terminal

STYLES = {"": "", "gain": "green", "loss": "red", "strong": "bold", "faint": "dim"}


def console_of(terminal: "Terminal", width: int) -> Console:
    """A console that draws in colour into memory; the terminal gets the text as it is."""
    dark = terminal.environ.get("COLORTERM") or terminal.environ.get("TERM", "")
    return Console(
        file=io.StringIO(),
        force_terminal=True,
        width=width,
        color_system="truecolor" if "truecolor" in dark else "256" if "256" in dark else "standard",
        highlight=False,
        emoji=False,
        markup=False,
        legacy_windows=False,
    )


def text_of(cell: Cell) -> Text:
    """A cell in the colour of its tone."""
    return Text(cell.text, style=STYLES[cell.tone])


def table_of(grid: Grid) -> Table:
    """A grid as rich's table."""
    table = Table(
        box=box.SIMPLE,
        title=Text(grid.title, style="dim") if grid.title else None,
        title_justify="left",
        header_style="bold",
        show_footer=grid.has_totals,
        footer_style="bold",
        show_edge=False,
        pad_edge=False,
        padding=(0, 1, 0, 0),  # with the divider a gap of two, as plain tables have (grid.GAP)
    )
    for column in grid.columns:
        table.add_column(
            Text(column.title),
            footer=text_of(column.total) if column.total else "",
            justify="right" if column.right else "left",
            no_wrap=True,
            min_width=column.width,
        )
    for row in range(grid.height):
        table.add_row(*(text_of(column.cells[row]) for column in grid.columns))
    return table


def grid_text(grid: Grid, terminal: "Terminal", width: int) -> str:
    """A grid, drawn."""
    return _drawn(table_of(grid), terminal, width)


def pairs_text(pairs: Sequence[tuple[str, Cell]], terminal: "Terminal", width: int, title: str = "") -> str:
    """Names and values, drawn."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    for label, cell in pairs:
        table.add_row(Text(label), text_of(cell))
    head = _drawn(Padding(Text(title, style="bold"), (0, 0, 1, 0)), terminal, width) if title else ""
    return head + _drawn(table, terminal, width)


def _drawn(thing: object, terminal: "Terminal", width: int) -> str:
    console = console_of(terminal, width)
    console.print(thing)
    drawn = console.file
    assert isinstance(drawn, io.StringIO)
    return "".join(line.rstrip() + "\n" for line in drawn.getvalue().splitlines())
