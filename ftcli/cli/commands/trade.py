"""``ft buy`` and ``ft sell``: preview, ticket, question, order.

A command ends in one of three ways. Placed: the placement is the result. Not placed, because nobody said yes
or because live trading is off: the preview is the result, the status is 0, and stderr says how to place.
Refused, because ``--yes`` asked for a real order while live trading is off: LIVE_TRADING_DISABLED, status 5.
"""

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from ftcli.cli.accounts import PLACEHOLDER, choose_account
from ftcli.cli.body import assemble
from ftcli.cli.call import Call
from ftcli.cli.exits import with_exits
from ftcli.cli.forms import form
from ftcli.cli.placing import switch_live_on, unbroken
from ftcli.errors import FtError, ValidationFailed
from ftcli.models.conditional import ConditionalOrder
from ftcli.models.orders import TimeInForce
from ftcli.models.tickets import EquityOrder
from ftcli.operations.binding import convert
from ftcli.operations.operation import Param

if TYPE_CHECKING:
    from ftcli.client import Client
    from ftcli.models.accounts import Account
    from ftcli.models.orders import OrderPlacement

Symbol = Annotated[str, Param("Ticker, such as AAPL.", argument=True, complete="symbols")]
Quantity = Annotated[Decimal, Param("Shares; a fraction only as a market day order.", argument=True)]
Limit = Annotated[Decimal | None, Param("Limit price: trade at this price or better.")]
Stop = Annotated[Decimal | None, Param("Stop price: the price that triggers the order.")]
Trail = Annotated[str | None, Param("Trailing stop: a distance in dollars, or in percent such as 3%.")]
Offset = Annotated[Decimal | None, Param("With --trail: distance of the limit from the stop.")]
Tif = Annotated[TimeInForce, Param("How long the order lives.")]
Extended = Annotated[bool, Param("Trade in extended hours too; limit day orders only.")]
AccountOption = Annotated[str | None, Param("Account number.", cli=("--account", "-a"), complete="accounts")]
TakeProfit = Annotated[
    Decimal | None, Param("Price of a limit order that takes the profit, entered with this one.")
]
StopLoss = Annotated[
    Decimal | None, Param("Price of a stop order that limits the loss, entered with this one.")
]
Key = Annotated[
    str | None,
    Param("The same key again answers the first outcome and sends nothing.", cli=("--idempotency-key",)),
]
Yes = Annotated[bool, Param("Place without asking.", cli=("--yes", "-y"))]
Live = Annotated[bool, Param("Switch live trading on for this command.")]


@form(
    examples=(
        "buy AAPL 10 --limit 150",
        "buy VTI 2.5",
        "buy AAPL 10 --limit 150 --take-profit 165 --stop-loss 142",
        "--paper buy MSFT 5 --stop 480 --limit 485 --tif gtc --yes -o json",
    )
)
async def buy(
    call: Call,
    symbol: Symbol,
    quantity: Quantity,
    limit: Limit = None,
    stop: Stop = None,
    trail: Trail = None,
    limit_offset: Offset = None,
    tif: Tif = TimeInForce.DAY,
    extended: Extended = False,
    take_profit: TakeProfit = None,
    stop_loss: StopLoss = None,
    cover: Annotated[bool, Param("Buy to cover a short position.")] = False,
    account: AccountOption = None,
    idempotency_key: Key = None,
    yes: Yes = False,
    live: Live = False,
) -> None:
    """Buy shares: preview, ticket, question, order.

    Without prices a market order. With --take-profit and --stop-loss a bracket: its exits are entered with it and
    cancel each other. In the live environment placing needs live trading switched on (--live or
    FT_LIVE_TRADING=true); without it the command ends after the preview. Without a terminal it places only
    with --yes.
    """
    prices = _prices(limit, stop, trail, limit_offset)
    action = "buy_to_cover" if cover else "buy"
    exits = Exits(take_profit, stop_loss, is_exit=False)
    await _trade(
        call, action, symbol, quantity, prices, tif, extended, account, exits, idempotency_key, yes, live
    )


@form(examples=("sell TSLA 5 --stop 200", "sell AAPL 10 --trail 3% --tif gtc", "--paper sell NVDA 1 --yes"))
async def sell(
    call: Call,
    symbol: Symbol,
    quantity: Quantity,
    limit: Limit = None,
    stop: Stop = None,
    trail: Trail = None,
    limit_offset: Offset = None,
    tif: Tif = TimeInForce.DAY,
    extended: Extended = False,
    take_profit: TakeProfit = None,
    stop_loss: StopLoss = None,
    short: Annotated[bool, Param("Sell short.")] = False,
    account: AccountOption = None,
    idempotency_key: Key = None,
    yes: Yes = False,
    live: Live = False,
) -> None:
    """Sell shares: preview, ticket, question, order.

    Without prices a market order; with --take-profit and --stop-loss and no other price, a pair of exits of which one
    cancels the other. In the live environment placing needs live trading switched on (--live or
    FT_LIVE_TRADING=true); without it the command ends after the preview. Without a terminal it places only
    with --yes.
    """
    prices = _prices(limit, stop, trail, limit_offset)
    action = "sell_short" if short else "sell"
    exits = Exits(take_profit, stop_loss, is_exit=not short and not prices)
    await _trade(
        call, action, symbol, quantity, prices, tif, extended, account, exits, idempotency_key, yes, live
    )


class Exits(NamedTuple):
    """The exits that are entered together with an order."""

    take_profit: Decimal | None
    stop_loss: Decimal | None
    is_exit: bool


def _prices(
    limit: Decimal | None, stop: Decimal | None, trail: str | None, offset: Decimal | None
) -> dict[str, Any]:
    """The price fields of an order. With a trailing distance the limit is an offset, never a price."""
    prices: dict[str, Any] = {"limit_price": limit, "stop_price": stop, "limit_offset": offset}
    if trail is not None:
        number = trail.strip().removesuffix("%")
        prices["trailing_percent" if trail.strip().endswith("%") else "trailing_amount"] = convert(
            number, Decimal, "trail", texts=True
        )
    return {name: price for name, price in prices.items() if price is not None}


async def _trade(
    call: Call,
    action: str,
    symbol: str,
    quantity: Decimal,
    prices: dict[str, Any],
    tif: TimeInForce,
    extended: bool,
    account: str | None,
    exits: Exits,
    key: str | None,
    yes: bool,
    live: bool,
) -> None:
    given = {
        "account": account or PLACEHOLDER,
        "symbol": symbol,
        "action": action,
        "quantity": quantity,
        "time_in_force": tif.value,
        "trading_session": "extended" if extended else "regular",
        **prices,
    }
    if live:
        switch_live_on(call)
    order = _order(given, exits)  # what is wrong with it shall be said before anything is sent
    async with call.open_client() as client:
        if not account:
            order = _order(given | {"account": await choose_account(call, client, trading=True)}, exits)
        with client.placing_as("cli", key=key):
            await trade(call, client, order, yes=yes)


def _order(given: dict[str, Any], exits: Exits) -> Any:
    order = convert(assemble(EquityOrder, given), EquityOrder, texts=True)
    return with_exits(order, exits.take_profit, exits.stop_loss, is_exit=exits.is_exit)


async def trade(call: Call, client: "Client", order: Any, *, yes: bool) -> None:
    """Previews an order, shows its ticket, asks, places it, shows what came of it.

    Args:
        call: The command line.
        client: The client.
        order: An equity order, or a conditional group.
        yes: Whether to place without asking.

    Raises:
        FtError: Preview or placement fails; LIVE_TRADING_DISABLED where ``yes`` asks for what is off.
    """
    account = await client.account(order.account)
    is_group = isinstance(order, ConditionalOrder)
    if isinstance(order, ConditionalOrder):
        from ftcli.cli.exits import group_ticket

        group = await client.orders.conditional.preview(order)
        preview: Any = group
        numbers, ticket = group.conf_nums, group_ticket(call, account, order, group)
    else:
        from ftcli.cli.ticket import ticket_text

        preview = await client.orders.equity.preview(order)
        numbers = [preview.conf_num] if preview.conf_num else []
        ticket = ticket_text(call, account, order, preview, await buying_power(client, account))
    may_place = call.settings.is_paper or call.settings.live_trading
    if not yes and not (may_place and call.can_ask):
        _end_with_preview(call, preview, ticket, may_place)
        return
    # Before a question the ticket is shown, however quiet the command shall be.
    (call.talk if yes else call.terminal.talk)(ticket)
    if yes and not may_place:
        client.gate.check_live("orders.equity.place")
    if not yes and not call.confirm("Place this order?"):
        call.talk("Not placed.")
        if call.output != "table":
            call.show(preview)
        return
    if not numbers:
        raise ValidationFailed(
            "The broker gave the preview no confirmation number, so the order cannot be placed."
        )

    async def place() -> Any:
        if is_group:
            return await client.orders.conditional.place(order, numbers)
        return await client.orders.equity.place(order, numbers[0])

    placement = await unbroken(call, place, numbers)
    if is_group:
        _show_group(call, numbers, placement)
    else:
        _show_placement(call, order, placement)


async def buying_power(client: "Client", account: "Account") -> Decimal | None:
    """What the account can buy for now; ``None`` where the broker does not say. A ticket does without it."""
    try:
        balances = await client.accounts.balances(account.account)
    except FtError:
        return None
    found = balances.latest
    if found is None:
        return None
    margin = found.margin_buying_power if account.margin else None
    return margin if margin is not None else found.cash_buying_power


def _show_group(call: Call, numbers: list[str], placement: Any) -> None:
    if call.output != "table":
        call.show(placement)
        return
    call.terminal.write(f"Placed: orders {', '.join(numbers)}\n")
    call.talk(f"Where they stand: {call.program} orders status")


def _end_with_preview(call: Call, preview: Any, ticket: str, may_place: bool) -> None:
    if call.output == "table":
        call.terminal.write(ticket)
    else:
        call.show(preview)
    if may_place:
        call.talk("Not placed: this was a preview. Add --yes to place the order.")
    else:
        call.talk(
            "Not placed: live trading is off. To place this order with real money add --live, "
            "or set FT_LIVE_TRADING=true; without a terminal add --yes too."
        )


def _show_placement(call: Call, order: Any, placement: "OrderPlacement") -> None:
    from ftcli.cli.ticket import headline, terms

    if call.output != "table":
        call.show(placement)
        return
    call.terminal.write(f"Placed: order {placement.conf_num} · {headline(order)} · {terms(order)}\n")
    for message in placement.messages:
        call.talk(f"{message.severity or 'note'}: {message.text}")
    call.talk(f"Where it stands: {call.program} orders detail {placement.conf_num}")
