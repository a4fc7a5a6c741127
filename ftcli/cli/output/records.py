"""The formats for programs: json, jsonl, csv, raw. Same values, same spelling as on the HTTP face."""

import io
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ftcli.cli.output.numbers import plain
from ftcli.cli.output.rows import Leaf, arranged, chosen, rows_of
from ftcli.errors import ValidationFailed
from ftcli.models.json import dumps

if TYPE_CHECKING:
    from ftcli.cli.call import Call


def json_bytes(document: Any, call: "Call") -> bytes:
    """The document as the HTTP face has it under ``data``, and a line end.

    Choosing, sorting and limiting work on its rows; the document around them stays.
    """
    if not (call.columns or call.sort or call.limit):
        return dumps(document) + b"\n"
    found = arranged(rows_of(document), call)
    rows: list[Any] = list(found.rows)
    if call.columns:
        picked = chosen(found.leaves, call.columns, "--columns")
        rows = [{leaf.name: leaf.of(row) for leaf in picked} for row in rows]
    if not found.name:
        return dumps(rows[0]) + b"\n"
    names = zip(document.__struct_fields__, document.__struct_encode_fields__, strict=True)
    whole = {encoded: getattr(document, name) for name, encoded in names}
    return dumps(whole | {found.name: rows}) + b"\n"


def jsonl_bytes(document: Any, call: "Call") -> bytes:
    """The rows, one JSON object a line."""
    found = arranged(rows_of(document), call)
    rows: list[Any] = list(found.rows)
    if call.columns:
        picked = chosen(found.leaves, call.columns, "--columns")
        rows = [{leaf.name: leaf.of(row) for leaf in picked} for row in rows]
    return b"".join(dumps(row) + b"\n" for row in rows)


def csv_text(document: Any, call: "Call", *, header: bool = True) -> str:
    """The rows as CSV: a header of field names, nested ones with dots, then a line each."""
    import csv

    found = arranged(rows_of(document), call)
    picked = chosen(found.leaves, call.columns, "--columns") if call.columns else found.leaves
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    if header:
        writer.writerow([leaf.name for leaf in picked])
    writer.writerows([_csv_value(leaf, row) for leaf in picked] for row in found.rows)
    return buffer.getvalue()


def _csv_value(leaf: Leaf, row: Any) -> str:
    value = leaf.of(row)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, list | dict):
        return dumps(value).decode()
    return str(value)


def raw_bytes(document: Any, call: "Call") -> bytes:
    """The very bytes the broker sent.

    Raises:
        ValidationFailed: No broker document stands behind the result, or rows are to be chosen from it.
    """
    for option, given in (("--columns", call.columns), ("--sort", call.sort), ("--limit", call.limit)):
        if given:
            raise ValidationFailed.of(
                option, "with -o raw", "be left out: raw is the broker's document, untouched"
            )
    body: bytes | None = getattr(document, "raw_body", None)
    if body is None:
        raise ValidationFailed.of(
            "--output", "raw", "be another format here: no document of the broker stands behind it"
        )
    return body
