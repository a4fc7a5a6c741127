"""``ft paper``: the embedded paper broker itself."""

from datetime import datetime
from typing import Annotated

from ftcli.cli.call import Call
from ftcli.cli.forms import form
from ftcli.models.field import Document, at
from ftcli.operations.operation import Param


class PaperStatus(Document):
    """The paper broker."""

    state: Annotated[str, at(None, "File that holds its world.", column="State file")]
    now: Annotated[datetime, at(None, "Its clock.", column="Clock")]
    market_hours: Annotated[str, at(None, "always, or nyse.", column="Market hours")]
    market_open: Annotated[bool, at(None, "Whether its market trades now.", column="Market open")]
    session: Annotated[str, at(None, "Which part of the day it is.", column="Session")]
    accounts: Annotated[list[str], at(None, "Its accounts.", column="Accounts")]


@form(examples=("paper status", "paper status -o json"))
def status(call: Call) -> None:
    """Show the paper broker's accounts, clock and market."""
    from ftcli.paper.desk import open_desk

    summary = open_desk(call.settings).summary()
    call.show(
        PaperStatus(
            state=str(summary["state"]),
            now=summary["now"],
            market_hours=str(summary["market_hours"]),
            market_open=bool(summary["market_open"]),
            session=str(summary["session"]),
            accounts=list(summary["accounts"]),
        )
    )


@form(examples=("paper reset", "paper reset --yes"))
def reset(
    call: Call, yes: Annotated[bool, Param("Do it without asking.", cli=("--yes", "-y"))] = False
) -> None:
    """Put the paper broker back to its start.

    Forgets every paper order, fill and balance. On a terminal it asks first.
    """
    from ftcli.paper.desk import open_desk

    desk = open_desk(call.settings)
    if not yes and call.can_ask and not call.confirm(f"Forget everything in {desk.summary()['state']}?"):
        call.talk("Nothing was changed.")
        return
    desk.reset()
    call.talk("The paper broker is back at its start.")


@form(examples=("paper serve", "paper serve --port 9900"))
async def serve(
    call: Call,
    host: Annotated[str, Param("Address to bind.")] = "127.0.0.1",
    port: Annotated[int, Param("Port to bind; 0 takes a free one.")] = 8788,
) -> None:
    """Run the paper broker as a server that speaks the broker's wire.

    Point any client of the real broker at it, such as ft itself: FT_UPSTREAM=http://127.0.0.1:8788.
    """
    import asyncio

    from ftcli.paper.server import serve_paper

    try:
        await serve_paper(call.settings, host, port, call.announce)
    except asyncio.CancelledError:
        call.announce("The paper broker stops.")  # Ctrl-C is how a server ends, and no failure
