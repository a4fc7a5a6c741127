"""What becomes of one update after the other: records, lines, or a table that changes in place."""

import time
from abc import abstractmethod
from contextlib import AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import msgspec

from ftcli.cli.output import records
from ftcli.cli.output.grid import Grid, GridColumn, fitted
from ftcli.cli.output.rows import Leaf, chosen, leaves
from ftcli.cli.output.tables import cell_of, title_of
from ftcli.errors import ValidationFailed
from ftcli.models.field import FieldInfo
from ftcli.models.json import dumps
from ftcli.models.streaming import Book, Event, Gap, Quote, SymbolError, Trade

if TYPE_CHECKING:
    from asyncio import TimerHandle

    from rich.console import RenderableType
    from rich.live import Live

    from ftcli.cli.call import Call

STALE = "stale"
"""Stands at the end of a line whose data are old."""
_REDRAW = 0.1
"""Seconds between two drawings of a live table: faster than this nobody reads."""


class Sink(AbstractContextManager["Sink"]):
    """Takes updates and shows them."""

    @abstractmethod
    def take(self, update: Any) -> None:
        """Shows one update, at once."""

    def note(self, call: "Call", notice: Any, text: str) -> None:
        """Says what is to be known of the stream itself: an outage, a gap, a symbol that is refused.

        Args:
            call: Talks to the person.
            notice: The notice as an object.
            text: The same in words.
        """
        call.talk(text)
        call.terminal.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None


def sink_for(call: "Call", model: type[msgspec.Struct]) -> Sink:
    """The sink for the format in force.

    Args:
        call: Format, columns, colour.
        model: The type of an update.

    Raises:
        ValidationFailed: The format or a field asked for does not go with these updates.
    """
    available = leaves(model)
    picked = chosen(available, call.columns, "--columns") if call.columns else []
    if call.output == "raw":
        raise ValidationFailed.of(
            "--output", "raw", "be another format: a stream has no document of the broker"
        )
    if call.output in ("json", "jsonl"):
        return _Records(call, picked)
    if call.output == "csv":
        return _Csv(call)
    columns = picked or [leaf for leaf in available if leaf.info.column] or available
    in_place = "symbol" in {leaf.name for leaf in columns} and model not in (Trade, Event)
    if call.terminal.is_piped or call.terminal.environ.get("TERM") == "dumb" or not in_place:
        return _Lines(call, columns)
    if not picked and model in (Quote, Book):
        from ftcli.cli.output.live_tables import Ladder, QuoteTable

        return QuoteTable(call, columns) if model is Quote else Ladder(call, columns)
    return Table(call, columns)


class _Records(Sink):
    """One JSON object a line."""

    def __init__(self, call: "Call", picked: list[Leaf]) -> None:
        self._terminal = call.terminal
        self._picked = picked

    def note(self, call: "Call", notice: Any, text: str) -> None:
        # A program that counts on every trade and fill must see in its data where some are missing.
        if isinstance(notice, Gap | SymbolError):
            self._terminal.write_bytes(dumps(notice) + b"\n")
        super().note(call, notice, text)

    def take(self, update: Any) -> None:
        shown = {leaf.name: leaf.of(update) for leaf in self._picked} if self._picked else update
        self._terminal.write_bytes(dumps(shown) + b"\n")
        self._terminal.flush()


class _Csv(Sink):
    """One line each, after a header."""

    def __init__(self, call: "Call") -> None:
        self._call = call
        self._header = True

    def take(self, update: Any) -> None:
        self._call.terminal.write(records.csv_text(update, self._call, header=self._header))
        self._call.terminal.flush()
        self._header = False


class _Lines(Sink):
    """One aligned line each; columns grow with what they have to hold, and never shrink again."""

    def __init__(self, call: "Call", columns: list[Leaf]) -> None:
        self._terminal = call.terminal
        self._columns = columns
        self._titles = [title_of(leaf.info) if "." not in leaf.name else leaf.name for leaf in columns]
        self._widths = [
            max(len(title), _room(leaf.info)) for title, leaf in zip(self._titles, columns, strict=True)
        ]
        self._begun = False

    def take(self, update: Any) -> None:
        if not self._begun:
            self._line(self._titles)
            self._begun = True
        texts = [cell_of(leaf.of(update), leaf.info).text for leaf in self._columns]
        self._line(texts, STALE if getattr(update, "stale", False) else "")
        self._terminal.flush()

    def _line(self, texts: list[str], mark: str = "") -> None:
        self._widths = [max(width, len(text)) for width, text in zip(self._widths, texts, strict=True)]
        cells = [
            text.rjust(width) if _is_right(leaf.info) else text.ljust(width)
            for leaf, text, width in zip(self._columns, texts, self._widths, strict=True)
        ]
        self._terminal.write("  ".join([*cells, mark]).rstrip() + "\n")


def _is_right(info: FieldInfo) -> bool:
    from decimal import Decimal

    return info.type in (Decimal, int, float)


def _room(info: FieldInfo) -> int:
    """Room for the usual value, so that most columns need not grow."""
    return 10 if _is_right(info) else 6


class Table(Sink):
    """A table with one row per symbol that changes in place."""

    def __init__(self, call: "Call", columns: list[Leaf]) -> None:
        self._call = call
        self._columns = columns
        self._latest: dict[str, Any] = {}
        self._drawn_at = 0.0
        self._live: Live | None = None
        self._late: TimerHandle | None = None

    def __enter__(self) -> Self:
        from rich.console import Console
        from rich.live import Live

        terminal = self._call.terminal
        console = Console(
            file=terminal.stdout,
            force_terminal=True,
            width=terminal.width,
            highlight=False,
            no_color=not self._call.has_color,
        )
        self._live = Live(console=console, auto_refresh=False)
        self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._live is not None
        if self._latest:
            self._draw()
        self._live.__exit__(kind, problem, trace)

    def take(self, update: Any) -> None:
        self._latest[update.symbol] = update
        early = self._drawn_at + _REDRAW - time.monotonic()
        if early <= 0:
            self._draw()
        elif self._late is None:
            from asyncio import get_running_loop

            self._late = get_running_loop().call_later(early, self._draw)

    def note(self, call: "Call", notice: Any, text: str) -> None:
        from rich.text import Text

        assert self._live is not None
        self._live.console.print(Text(text, style="dim"))

    def _draw(self) -> None:
        assert self._live is not None
        if self._late is not None:
            self._late.cancel()
            self._late = None
        self._drawn_at = time.monotonic()
        self._live.update(self._drawing(), refresh=True)

    def _drawing(self) -> "RenderableType":
        from ftcli.cli.output.rich_grid import table_of

        return table_of(fitted(self._grid(), self._call.terminal.width, may_cut=True))

    def _grid(self) -> Grid:
        rows = list(self._latest.values())
        columns = []
        for leaf in self._columns:
            cells = [cell_of(leaf.of(row), leaf.info) for row in rows]
            cells = [
                cell._replace(tone="faint") if getattr(row, "stale", False) else cell
                for cell, row in zip(cells, rows, strict=True)
            ]
            columns.append(GridColumn(leaf.name, title_of(leaf.info), _is_right(leaf.info), cells))
        return Grid("", columns)
