"""``ft serve``: the daemon."""

from typing import Annotated

from ftcli.cli.call import Call
from ftcli.cli.forms import form
from ftcli.operations.operation import Param

FIRST_KEY = "first-api-key"
"""The file that holds it where nobody watches the start."""


@form(examples=("serve --paper", "serve --port 9000"))
async def serve(
    call: Call,
    host: Annotated[str | None, Param("Address to bind; FTSERVICE_HOST, else 127.0.0.1.")] = None,
    port: Annotated[int | None, Param("Port to bind; FTSERVICE_PORT, else 8787. 0 takes a free one.")] = None,
    live: Annotated[bool, Param("Switch live trading on.")] = False,
) -> None:
    """Run the local HTTP service.

    Serves every operation under /api/v1, live streams, and interactive documentation under /docs. Ctrl-C
    stops it. The first start makes an API key: it is shown once on a terminal; where output goes elsewhere, such as
    to a container's log, it is written to the private file first-api-key in the data folder.
    """
    from ftcli.cli.placing import switch_live_on
    from ftcli.server.run import serve as run_service

    call.flags |= {"host": host, "port": port}
    if live:
        switch_live_on(call)
    await run_service(call.settings, call.announce, hand_over=lambda key: _hand_over(call, key))


def _hand_over(call: Call, key: str) -> str:
    """The first API key: to who watches the terminal; else into a private file, for logs are kept and sent on."""
    from ftcli.credentials.files import write_private
    from ftcli.server.run import show_key

    if call.terminal.stderr.isatty():
        return show_key(key)
    path = call.settings.data_path(FIRST_KEY)
    try:
        write_private(path, f"{key}\n".encode())
    except OSError as problem:
        return f"{path} cannot be written ({problem.strerror}). Make an API key of your own: ft keys create"
    return f"Your first API key is in {path}, which only you can read. Take it and remove the file."
