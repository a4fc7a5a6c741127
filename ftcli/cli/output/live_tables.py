"""The tables of streams that are more than a list of fields: quotes with their ticks, the two sides of a book."""

from typing import TYPE_CHECKING, Any

from ftcli.cli.output.grid import Cell, Grid, GridColumn, Tone, fitted
from ftcli.cli.output.live import Table
from ftcli.cli.output.numbers import NOTHING, moment_text, value_text
from ftcli.models.field import PER_SHARE, PERCENT

if TYPE_CHECKING:
    from rich.console import RenderableType

    from ftcli.cli.call import Call
    from ftcli.cli.output.rows import Leaf
    from ftcli.models.streaming import Book, BookLevel, Quote

_ROWS = 20
"""Most levels of a book that are shown."""
_FRAME = 4
"""Lines of a book besides its levels: name, titles, rule, a line between two."""
_EXTRA = ("Chg %", "Size")
"""Columns of a quote that go first where the terminal is narrow: whether it is stale always shows."""


class QuoteTable(Table):
    """One row a symbol: last and change, bid × ask, sizes, volume, time. A price is coloured by its last tick."""

    def __init__(self, call: "Call", columns: "list[Leaf]") -> None:
        super().__init__(call, columns)
        self._tones: dict[str, Tone] = {}

    def take(self, update: "Quote") -> None:
        """Shows a quote."""
        before = self._latest.get(update.symbol)
        last, former = update.last, before.last if before is not None else None
        if last is not None and former is not None and last != former:
            self._tones[update.symbol] = "gain" if last > former else "loss"
        super().take(update)

    def _grid(self) -> Grid:
        rows: list[Quote] = list(self._latest.values())
        cells = {
            "Symbol": [Cell(row.symbol, "strong") for row in rows],
            "Last": [Cell(_price(row.last), self._tones.get(row.symbol, "")) for row in rows],
            "Chg": [_signed(row.net_change, PER_SHARE) for row in rows],
            "Chg %": [_signed(row.net_change_pct, PERCENT) for row in rows],
            "Bid × Ask": [Cell(f"{_price(row.bid)} × {_price(row.ask)}") for row in rows],
            "Size": [Cell(f"{value_text(row.bid_size)} × {value_text(row.ask_size)}") for row in rows],
            "Volume": [Cell(value_text(row.volume)) for row in rows],
            "Time": [Cell(_time(row)) for row in rows],
        }
        return Grid(
            "",
            [
                GridColumn(
                    title,
                    title,
                    title != "Symbol",
                    [_faded(cell, row) for cell, row in zip(found, rows, strict=True)],
                    extra=title in _EXTRA,
                )
                for title, found in cells.items()
            ],
        )


def _price(value: Any) -> str:
    return value_text(value, PER_SHARE)


def _signed(value: Any, unit: str) -> Cell:
    tone: Tone = "" if not value else "gain" if value > 0 else "loss"
    return Cell(value_text(value, unit, signed=True), tone)


def _faded(cell: Cell, row: "Quote") -> Cell:
    return cell._replace(tone="faint") if row.stale else cell


def _time(row: "Quote") -> str:
    if row.stale:
        since = moment_text(row.stale_since)[11:] if row.stale_since else ""
        return f"stale {since}".rstrip()
    return row.last_time or NOTHING


class Ladder(Table):
    """The two sides of each book, the best levels first."""

    def _drawing(self) -> "RenderableType":
        from rich.console import Group

        from ftcli.cli.output.rich_grid import table_of

        books = max(len(self._latest), 1)
        depth = min(_ROWS, max(1, (self._call.terminal.height - 1) // books - _FRAME))
        width = self._call.terminal.width
        grids = [_ladder(book, depth) for book in self._latest.values()]
        return Group(*(table_of(fitted(grid, width, may_cut=True)) for grid in grids))


def _ladder(book: "Book", depth: int) -> Grid:
    marks = [word for word in ("locked", "crossed", "inconsistent", "stale") if getattr(book, word)]
    title = " · ".join([book.symbol, f"spread {_price(book.spread)}", *marks])
    height = min(depth, max(len(book.bids), len(book.asks), 1))
    bids, asks = _padded(book.bids, height), _padded(book.asks, height)
    tone: Tone = "faint" if book.stale else ""
    columns = [
        ("Venue", False, [_text(level, "exchange", tone) for level in bids]),
        ("Size", True, [_text(level, "size", tone) for level in bids]),
        ("Bid", True, [_text(level, "price", tone or "gain") for level in bids]),
        ("Ask", True, [_text(level, "price", tone or "loss") for level in asks]),
        ("Size", True, [_text(level, "size", tone) for level in asks]),
        ("Venue", False, [_text(level, "exchange", tone) for level in asks]),
    ]
    return Grid(
        title,
        [
            GridColumn(f"{title}{place}", title, right, cells)
            for place, (title, right, cells) in enumerate(columns)
        ],
    )


def _padded(levels: "list[BookLevel]", height: int) -> "list[BookLevel | None]":
    return [*levels[:height], *[None] * (height - len(levels[:height]))]


def _text(level: "BookLevel | None", name: str, tone: Tone) -> Cell:
    if level is None:
        return Cell("")
    return Cell(value_text(getattr(level, name), PER_SHARE if name == "price" else ""), tone)
