"""What an order file comes to: as a document for programs, as a table with its reasons for people."""

from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING

from ftcli.cli.order_file import OrderFile
from ftcli.cli.output.numbers import number_text
from ftcli.models.field import USD
from ftcli.models.trading import FileReport, FileRow

if TYPE_CHECKING:
    from ftcli.cli.call import Call
    from ftcli.cli.output.grid import Grid

_COUNTED = ("planned", "placed")


def report_of(orders: OrderFile) -> FileReport:
    """The document."""
    rows = [item.row for item in orders.items]
    costs = [cost for item in orders.items if item.row.outcome in _COUNTED for cost in item.amounts or ()]
    return FileReport(
        orders=rows,
        total=sum(costs, Decimal(0)),
        cost=sum((cost for cost in costs if cost > 0), Decimal(0)),
        proceeds=-sum((cost for cost in costs if cost < 0), Decimal(0)),
        counts=dict(Counter(row.outcome for row in rows)),
        first_beyond=next((item.name for item in orders.items if item.is_beyond), None),
    )


def report_text(report: FileReport, call: "Call") -> str:
    """The table, its sums, and of each order what the table had no room for, warnings, and why it is not placed."""
    from ftcli.cli.output.writer import draw

    grid = _grid(report)
    room = grid.columns[-1].width - max(0, grid.width - call.terminal.width)
    lines = [_sums(report), *_first_beyond(report)]
    for row in report.orders:
        cut = "" if call.terminal.is_piped or len(row.order) <= room else row.order
        reason = f"{row.message} [{row.code}]" if row.code else row.message
        lines += [f"{row.name}: {said}" for said in (cut, *row.warnings, reason) if said]
    return f"{draw(grid, call, keep_all=True)}\n{_wrapped(lines, call)}"


def show_report(report: FileReport, call: "Call") -> None:
    """Prints it in the format in force."""
    if call.output == "table" and not (call.columns or call.sort or call.limit):
        call.terminal.write(report_text(report, call))
    else:
        call.show(report)


def _grid(report: FileReport) -> "Grid":
    from ftcli.cli.output.grid import Cell, Grid, GridColumn

    def column(name: str, texts: list[str], *, right: bool = False, total: str | None = None) -> GridColumn:
        cells = [Cell(text) for text in texts]
        return GridColumn(name.lower(), name, right, cells, None if total is None else Cell(total, "strong"))

    rows = report.orders
    costs = ["-" if row.cost is None else number_text(row.cost, USD) for row in rows]
    columns = [
        column("Name", [row.name for row in rows], total="Total"),
        column("Outcome", [row.outcome for row in rows]),
        column("Cost", costs, right=True, total=number_text(report.total or Decimal(0), USD)),
    ]
    if any(row.outcome != "planned" and row.conf_nums for row in rows):
        columns.append(column("Number", [_numbers(row) for row in rows]))
    if len({row.account for row in rows}) > 1:
        columns.append(column("Account", [row.account for row in rows]))
    columns.append(column("Order", [row.order for row in rows]))
    return Grid("", columns)


def _numbers(row: FileRow) -> str:
    """The first of its numbers, where it has been sent; the document has them all."""
    return row.conf_nums[0] if row.conf_nums and row.outcome != "not sent" else "-"


def _sums(report: FileReport) -> str:
    counts = ", ".join(f"{number} {outcome}" for outcome, number in report.counts.items())
    cost, proceeds = (number_text(sum_ or Decimal(0), USD) for sum_ in (report.cost, report.proceeds))
    return f"{counts} · cost {cost} · proceeds {proceeds}"


def _first_beyond(report: FileReport) -> list[str]:
    if report.first_beyond is None:
        return []
    return [
        f"The first order beyond a limit of the day is {report.first_beyond}, those before it in the file counted."
    ]


def _wrapped(lines: list[str], call: "Call") -> str:
    if call.terminal.is_piped:
        return "".join(f"{line}\n" for line in lines)
    from textwrap import fill

    width = min(call.terminal.width, 120)
    return "".join(fill(line, width, subsequent_indent="  ", break_long_words=False) + "\n" for line in lines)
