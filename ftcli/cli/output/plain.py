"""Tables as plain text: aligned, no colour, nothing that a program would have to take apart."""

from collections.abc import Sequence

from ftcli.cli.output.grid import GAP, Cell, Grid, GridColumn


def grid_text(grid: Grid) -> str:
    """A table: heading, rows, and the sums under a rule."""
    columns = grid.columns
    lines = [grid.title, ""] if grid.title else []
    lines.append(_line(columns, [column.title for column in columns]))
    lines += [_line(columns, [column.cells[row].text for column in columns]) for row in range(grid.height)]
    if grid.has_totals:
        totals = [column.total.text if column.total else "" for column in columns]
        lines.append(_line(columns, ["-" * column.width for column in columns]))
        lines.append(_line(columns, totals))
    return "".join(line.rstrip() + "\n" for line in lines)


def _line(columns: Sequence[GridColumn], texts: Sequence[str]) -> str:
    cells = [
        text.rjust(column.width) if column.right else text.ljust(column.width)
        for column, text in zip(columns, texts, strict=True)
    ]
    return (" " * GAP).join(cells)


def pairs_text(pairs: Sequence[tuple[str, Cell]], title: str = "") -> str:
    """Names and values, one pair a line."""
    width = max((len(label) for label, _ in pairs), default=0)
    lines = [title, ""] if title else []
    lines += [f"{label.ljust(width)}  {cell.text}".rstrip() for label, cell in pairs]
    return "".join(line + "\n" for line in lines)
