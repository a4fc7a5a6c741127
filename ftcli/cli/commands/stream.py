"""``ft stream``: what acts on the streams of the running daemon."""

from typing import Annotated

from ftcli.cli.call import Call
from ftcli.cli.daemon import ask
from ftcli.cli.forms import form
from ftcli.models.streaming import StreamStatus, Subscriptions
from ftcli.operations.operation import Param
from ftcli.operations.params import Symbols, clean_symbols


@form(examples=("stream status", "stream status -o json"))
def status(call: Call) -> None:
    """Show the state of the daemon's streams.

    Asks the daemon on FT_DAEMON, with the key in FT_API_KEY.
    """
    call.show(ask(call, "GET", "/streaming/status", StreamStatus))


@form(examples=("stream subscriptions",))
def subscriptions(call: Call) -> None:
    """List the symbols the daemon is subscribed to, with their counts.

    Asks the daemon on FT_DAEMON, with the key in FT_API_KEY.
    """
    call.show(ask(call, "GET", "/streaming/subscriptions", Subscriptions))


@form(examples=("stream subscribe AAPL TSLA",))
def subscribe(call: Call, symbols: Symbols) -> None:
    """Keep symbols subscribed in the daemon, whether or not somebody reads them.

    Each call counts: it takes as many calls of unsubscribe to let go.
    """
    body = {"symbols": clean_symbols(symbols)}
    call.show(ask(call, "POST", "/streaming/subscribe", Subscriptions, body))


@form(examples=("stream unsubscribe AAPL",))
def unsubscribe(
    call: Call,
    symbols: Annotated[list[str], Param("Symbols, such as AAPL TSLA.", argument=True, complete="symbols")],
) -> None:
    """End in the daemon what subscribe began."""
    body = {"symbols": clean_symbols(symbols)}
    call.show(ask(call, "POST", "/streaming/unsubscribe", Subscriptions, body))
