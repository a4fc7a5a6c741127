"""``ft demo``: the main things ft does, once through, on the paper broker."""

from typing import TYPE_CHECKING, Any

from ftcli.cli.call import Call
from ftcli.cli.forms import form
from ftcli.errors import OrderRejected

if TYPE_CHECKING:
    from ftcli.client import Client

SYMBOL = "KO"
"""What the tour buys: one share of something cheap, so that it can be taken often."""
QUOTES = ["AAPL", "MSFT", "KO"]
SECONDS = 4.0


@form(examples=("demo",))
async def demo(call: Call) -> None:
    """Take a tour on the paper broker: positions, an order, live quotes.

    Needs no account, no key and no network, asks nothing, and takes a few seconds. Whatever else is set, it
    uses the paper broker: nothing real can happen.
    """
    call.flags |= {"environment": "paper", "output": "table"}
    say = call.terminal.write
    say("ft demo: everything here happens on the paper broker inside this program. Nothing is real.\n")
    async with call.open_client() as client:
        account = await _account(client)
        _step(call, 1, "What an account holds", f"ft --paper positions -a {account}")
        call.show(await client.accounts.positions(account))
        number = await _order(call, client, account)
        if number:
            _step(call, 3, "Where the order stands", f"ft --paper orders detail {number}")
            call.show(await client.orders.detail(number, account))
        _step(call, 4, "Live quotes", f"ft --paper stream quotes {' '.join(QUOTES)} --for {SECONDS:.0f}s")
        await _quotes(call)
    say(
        "\nNext: `ft --paper balances`, `ft --paper buy AAPL 10 --limit 150`, `ft --paper chart AAPL`, "
        "`ft serve --paper`, `ft --help`.\nWith an account at the broker: `ft auth login`.\n"
    )


def _step(call: Call, number: int, title: str, command: str) -> None:
    bold, reset = ("\x1b[1m", "\x1b[0m") if call.has_color else ("", "")
    call.terminal.write(f"\n{bold}{number}. {title}{reset}\n   $ {command}\n\n")
    call.terminal.flush()


async def _account(client: "Client") -> str:
    """The default account, else the first one."""
    numbers = await client.default_accounts()
    for number in numbers:
        if (await client.account(number)).is_default:
            return number
    return numbers[0]


async def _order(call: Call, client: "Client", account: str) -> str | None:
    """Previews and places an order for one share, a little above the ask so that it trades."""
    from ftcli.cli.output.numbers import plain, rounded
    from ftcli.cli.ticket import headline, terms, ticket_text
    from ftcli.models.tickets import EquityAction, EquityLimitOrder

    quote = (await client.market_data.quotes([SYMBOL])).quotes[0]
    price = quote.ask or quote.last
    assert price is not None
    limit = rounded(price * 101 / 100, 2)
    order: Any = EquityLimitOrder(
        account=account, symbol=SYMBOL, action=EquityAction.BUY, quantity=_one(), limit_price=limit
    )
    _step(
        call,
        2,
        "An order: preview, then place",
        f"ft --paper buy {SYMBOL} 1 --limit {plain(limit)} -a {account}",
    )
    try:
        preview = await client.orders.equity.preview(order)
        call.terminal.write(ticket_text(call, await client.account(account), order, preview) + "\n")
        placement = await client.orders.equity.place(order, preview.conf_num or "")
    except OrderRejected as refusal:
        call.terminal.write(f"{refusal.message}\n")
        return None
    call.terminal.write(f"Placed: order {placement.conf_num} · {headline(order)} · {terms(order)}\n")
    return placement.conf_num


def _one() -> Any:
    from decimal import Decimal

    return Decimal(1)


async def _quotes(call: Call) -> None:
    from ftcli.cli.streams import run_stream
    from ftcli.operations.stream import Stream

    await run_stream(call, Stream.quotes, {"symbols": QUOTES}, {"for_": f"{SECONDS:.0f}s"})
