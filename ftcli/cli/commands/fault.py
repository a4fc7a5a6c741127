"""``ft paper fault``: a bad day at the paper broker, to test your own programs against."""

from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from ftcli.cli.call import Call
from ftcli.cli.forms import form
from ftcli.errors import ValidationFailed
from ftcli.models.field import Document, Model, at
from ftcli.operations.operation import Param

if TYPE_CHECKING:
    from ftcli.paper.faults import Faults

Url = Annotated[
    str | None,
    Param("A paper broker that runs elsewhere on this machine, such as http://127.0.0.1:8788."),
]


class FaultLine(Model):
    """One fault."""

    name: Annotated[str, at(None, "Its name.", column="Fault")]
    value: Annotated[str, at(None, "Its value now.", column="Now")]
    choices: Annotated[str, at(None, "Its values, the usual one first.", column="Values")]
    help: Annotated[str, at(None, "What it does.", column="Meaning")]


class FaultList(Document):
    """The faults of the paper broker."""

    faults: Annotated[list[FaultLine], at(None, "The faults.")] = []


@form(examples=("paper fault list", "paper fault list --url http://127.0.0.1:8788"))
def list_faults(call: Call, url: Url = None) -> None:
    """List every fault of the paper broker and how it is set."""
    _show(call, _ask(call, url, "GET"), everything=True)


@form(
    examples=(
        "paper fault set slow=2 html=on",
        "paper fault set drop",
        "paper fault set beps_duplicate=on --url http://127.0.0.1:8788",
    )
)
def set_faults(
    call: Call,
    faults: Annotated[list[str], Param("Faults as NAME=VALUE; NAME alone switches it on.", argument=True)],
    url: Url = None,
) -> None:
    """Set faults of the paper broker, in every process that uses its file.

    What happens once, such as drop and expire, happens again each time it is set.
    """
    changes: dict[str, Any] = {}
    for fault in faults:
        name, equals, value = fault.partition("=")
        changes[name] = value if equals else True
    _show(call, _ask(call, url, "POST", changes))


@form(examples=("paper fault clear",))
def clear_faults(call: Call, url: Url = None) -> None:
    """Put every fault of the paper broker back to a good day."""
    _show(call, _ask(call, url, "DELETE"))


def _ask(call: Call, url: str | None, method: str, changes: dict[str, Any] | None = None) -> "Faults":
    """Sets or reads the faults: in the paper broker's file, or of a server that runs elsewhere."""
    from ftcli.paper.faults import Faults

    if url is not None:
        from ftcli.cli.daemon import exchange

        answer = exchange(
            url,
            method,
            "/sim/faults",
            changes,
            what="paper broker",
            advice="Start one with `ft paper serve`.",
        )
        if not isinstance(answer, dict) or "error" in answer:
            text = (
                answer.get("error") if isinstance(answer, dict) else "What answers there is no paper broker."
            )
            raise ValidationFailed(str(text), details={"field": "url", "value": url, "rule": None})
        return msgspec.convert(answer, Faults, strict=False)
    from ftcli.paper.desk import open_desk

    board = open_desk(call.settings).faults
    if method == "DELETE":
        return board.clear()
    return board.change(changes) if changes else board.current()


def _show(call: Call, faults: "Faults", *, everything: bool = False) -> None:
    from ftcli.paper.faults import table

    rows = []
    for row in table():
        value = getattr(faults, row.name)
        if everything or (value != row.default and not row.happens):
            choices = " ".join(choice or '""' for choice in row.choices) or type(row.default).__name__
            kinds = {"bool": "off on" if not row.default else "on off", "str": "text", "int": "number"}
            kinds |= {"float": "number"}
            shown = "happens" if row.happens else kinds.get(choices, choices)
            rows.append(FaultLine(name=row.name, value=_text(value), choices=shown, help=row.help))
    call.show(FaultList(faults=rows))


def _text(value: Any) -> str:
    return ("on" if value else "off") if isinstance(value, bool) else str(value)
