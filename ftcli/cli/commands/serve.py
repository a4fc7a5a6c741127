"""``ft serve``: the daemon."""

from typing import Annotated

from ftcli.cli.call import Call
from ftcli.cli.forms import form
from ftcli.operations.operation import Param


@form(examples=("serve --paper", "serve --port 9000"))
async def serve(
    call: Call,
    host: Annotated[str | None, Param("Address to bind; FTSERVICE_HOST, else 127.0.0.1.")] = None,
    port: Annotated[int | None, Param("Port to bind; FTSERVICE_PORT, else 8787. 0 takes a free one.")] = None,
    live: Annotated[bool, Param("Switch live trading on.")] = False,
) -> None:
    """Run the local HTTP service.

    Serves every operation under /api/v1, live streams, and interactive documentation under /docs. Ctrl-C
    stops it.
    """
    from ftcli.cli.placing import switch_live_on
    from ftcli.server.run import serve as run_service

    call.flags |= {"host": host, "port": port}
    if live:
        switch_live_on(call)
    await run_service(call.settings, call.announce)
