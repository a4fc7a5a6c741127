"""Prints a result in the format in force."""

from typing import TYPE_CHECKING, Any

from ftcli.cli.output import records

if TYPE_CHECKING:
    from ftcli.cli.call import Call
    from ftcli.cli.output.grid import Grid
    from ftcli.cli.output.tables import Pairs

_WIDEST = 160


def show(document: Any, call: "Call") -> None:
    """Prints a document: data on stdout, what is to be said beside it on stderr.

    Args:
        document: The result of an operation.
        call: Format, columns, rows, colour.

    Raises:
        ValidationFailed: A field asked for is not there, or the format does not go with the document.
    """
    terminal = call.terminal
    if call.output == "json":
        terminal.write_bytes(records.json_bytes(document, call))
        return
    if call.output == "raw":
        terminal.write_bytes(records.raw_bytes(document, call))
        return
    if call.output == "jsonl":
        terminal.write_bytes(records.jsonl_bytes(document, call))
    elif call.output == "csv":
        terminal.write(records.csv_text(document, call))
    else:
        terminal.write(table_text(document, call))
    for line in _notes(document, call.verbosity):
        call.talk(line)


def table_text(document: Any, call: "Call") -> str:
    """A document as a table, what it says of itself above its rows; says on stderr that a list is empty."""
    from ftcli.cli.output.rows import rows_of
    from ftcli.cli.output.tables import facts_of, table_of

    found = rows_of(document)
    drawn = table_of(document, call)
    facts = facts_of(document) if found.name and not call.columns else []
    shown = [draw(facts, call)] if facts else []
    if found.name and not found.rows:
        call.talk(f"No {found.name.replace('_', ' ')}.")
    else:
        shown.append(draw(drawn, call))
    return "\n".join(shown)


def draw(drawn: "Grid | Pairs", call: "Call", title: str = "", *, keep_all: bool = False) -> str:
    """A table as text: with colour where it is wanted, plain otherwise.

    Args:
        drawn: The table.
        call: Width, colour, columns.
        title: A heading for names and values.
        keep_all: Whether no column may go, whatever the width.
    """
    from ftcli.cli.output import plain
    from ftcli.cli.output.grid import Grid, fitted

    terminal = call.terminal
    # Whoever sends tables through a pipe wants data: no title, no cut texts.
    width = min(terminal.width, _WIDEST)
    if isinstance(drawn, Grid):
        if terminal.is_piped:
            drawn = drawn._replace(title="")
        grid = fitted(drawn, width, may_cut=not terminal.is_piped, keep_all=keep_all or bool(call.columns))
        if call.verbosity and (gone := len(drawn.columns) - len(grid.columns)):
            call.talk(f"{gone} more columns would not fit; --columns shows the ones you name.")
        if call.has_color:
            from ftcli.cli.output import rich_grid

            return rich_grid.grid_text(grid, terminal, max(width, grid.width))
        return plain.grid_text(grid)
    if call.has_color:
        from ftcli.cli.output import rich_grid

        return rich_grid.pairs_text(drawn, terminal, width, title)
    return plain.pairs_text(drawn, title)


def _notes(document: Any, verbosity: int) -> list[str]:
    """Problems and messages that came with a result, for the person; "info: success" only on demand."""
    notes = [f"{problem.symbol}: {problem.reason}" for problem in getattr(document, "problems", None) or []]
    for message in getattr(document, "messages", None) or []:
        text, severity = getattr(message, "text", None), getattr(message, "severity", None) or "note"
        if text and (verbosity or severity != "info"):
            notes.append(f"{severity}: {text}")
    return notes
