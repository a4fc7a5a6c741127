"""``ft buy`` and ``ft sell``, of shares and options: preview, ticket, question, order.

A command ends in one of three ways. Placed: the placement is the result. Not placed, because nobody said yes
or because live trading is off: the preview is the result, the status is 0, and stderr says how to place.
Refused, because ``--yes`` asked for a real order while live trading is off: LIVE_TRADING_DISABLED, status 5.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from ftcli.cli.accounts import PLACEHOLDER, choose_account
from ftcli.cli.body import assemble
from ftcli.cli.call import Call
from ftcli.cli.deals import Deal, preview_deal
from ftcli.cli.exits import with_exits
from ftcli.cli.forms import form
from ftcli.cli.placing import NOTHING_SENT, place_question, switch_live_on, unbroken
from ftcli.errors import ValidationFailed
from ftcli.models.conditional import ConditionalConfirmation
from ftcli.models.option_symbol import OptionSymbol
from ftcli.models.option_tickets import OptionOrder
from ftcli.models.order_codes import TimeInForce
from ftcli.models.tickets import EquityOrder
from ftcli.operations.binding import convert
from ftcli.operations.operation import Param

if TYPE_CHECKING:
    from ftcli.client import Client

Symbol = Annotated[
    str,
    Param("Ticker, such as AAPL, or an option: 'AAPL 2027-01-15 150 C'.", argument=True, complete="symbols"),
]
Quantity = Annotated[
    Decimal, Param("Shares, or contracts; a fraction only as a market day order of shares.", argument=True)
]
Limit = Annotated[Decimal | None, Param("Limit price: trade at this price or better.", metavar="PRICE")]
Stop = Annotated[Decimal | None, Param("Stop price: the price that triggers the order.", metavar="PRICE")]
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
        "buy 'AAPL 2027-01-15 150 C' 1 --limit 4.20",
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
    cover: Annotated[bool, Param("Buy to cover a short position, or to close an option sold.")] = False,
    account: AccountOption = None,
    idempotency_key: Key = None,
    yes: Yes = False,
    live: Live = False,
) -> None:
    """Buy shares or an option: preview, ticket, question, order.

    An option is bought to open, with --cover to close. Without prices a market order. With --take-profit and
    --stop-loss a bracket (of shares): its exits are entered with it and cancel each other. In the live environment
    placing needs live trading switched on (--live or FT_LIVE_TRADING=true); without it the command ends after the
    preview. Without a terminal it places only with --yes.
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
    short: Annotated[bool, Param("Sell short, or to open an option.")] = False,
    account: AccountOption = None,
    idempotency_key: Key = None,
    yes: Yes = False,
    live: Live = False,
) -> None:
    """Sell shares or an option: preview, ticket, question, order.

    An option is sold to close, with --short to open. Without prices a market order; with --take-profit and
    --stop-loss and no other price, a pair of exits (of shares) of which one cancels the other. In the live
    environment placing needs live trading switched on (--live or FT_LIVE_TRADING=true); without it the command
    ends after the preview. Without a terminal it places only with --yes.
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
        "symbol": symbol,
        "action": action,
        "quantity": quantity,
        "time_in_force": tif.value,
        "trading_session": "extended" if extended else "regular",
        **prices,
    }
    await trade_by_command(
        call, lambda chosen: _order(given | {"account": chosen}, exits), account, key, yes, live
    )


async def trade_by_command(
    call: Call, order_in: Callable[[str], Any], account: str | None, key: str | None, yes: bool, live: bool
) -> None:
    """What every trading command does once it knows what is wanted: switch, account, :func:`trade`.

    Args:
        call: The command line.
        order_in: Makes the order in an account.
        account: The account given; chosen where none is.
        key: The idempotency key given.
        yes: Whether to place without asking.
        live: Whether ``--live`` was given.

    Raises:
        FtError: The order breaks a rule, or cannot be previewed or placed.
    """
    if live:
        switch_live_on(call)
    order = order_in(account or PLACEHOLDER)  # what is wrong with it shall be said before anything is sent
    async with call.open_client() as client:
        if not account:
            order = order_in(await choose_account(call, client, trading=True))
        with client.placing_as("cli", key=key) as origin:
            await trade(call, client, order, yes=yes)
        if origin.replayed:
            call.talk(NOTHING_SENT)


def _order(given: dict[str, Any], exits: Exits) -> Any:
    if OptionSymbol.parse_or_none(given["symbol"]) is not None:
        return _option_order(given, exits)
    order = convert(assemble(EquityOrder, given), EquityOrder, texts=True)
    return with_exits(order, exits.take_profit, exits.stop_loss, is_exit=exits.is_exit)


_OPTION_ACTIONS = {
    "buy": "buy_to_open",
    "buy_to_cover": "buy_to_close",
    "sell": "sell_to_close",
    "sell_short": "sell_to_open",
}


def _option_order(given: dict[str, Any], exits: Exits) -> Any:
    """The same words said of an option: an opening purchase, or a closing sale.

    Raises:
        ValidationFailed: Something was asked for that there is for shares only.
    """
    shares_only = {
        "--trail": given.get("trailing_amount") or given.get("trailing_percent"),
        "--limit-offset": given.get("limit_offset"),
        "--extended": given["trading_session"] == "extended",
        "--take-profit": exits.take_profit,
        "--stop-loss": exits.stop_loss,
    }
    for option, value in shares_only.items():
        if value:
            raise ValidationFailed.of(option, value, "be left out for an option")
    names = {"account", "symbol", "quantity", "time_in_force", "limit_price", "stop_price"}
    body = {name: value for name, value in given.items() if name in names}
    body |= {"action": _OPTION_ACTIONS[given["action"]], "quantity": f"{given['quantity']:f}"}
    return convert(assemble(OptionOrder, body), OptionOrder, texts=True)


async def trade(call: Call, client: "Client", order: Any, *, yes: bool) -> None:
    """Previews an order, shows its ticket, asks, places it, shows what came of it.

    Args:
        call: The command line.
        client: The client.
        order: An order of any family: shares, an option, a package of options, a conditional group.
        yes: Whether to place without asking.

    Raises:
        FtError: Preview or placement fails; LIVE_TRADING_DISABLED where ``yes`` asks for what is off.
    """
    deal = await preview_deal(call, client, order)
    may_place = call.settings.is_paper or call.settings.live_trading
    if not yes and not (may_place and call.can_ask):
        _end_with_preview(call, deal.preview, deal.ticket, may_place)
        return
    # Before a question the ticket is shown, however quiet the command shall be.
    (call.talk if yes else call.terminal.talk)(deal.ticket)
    if yes and not may_place:
        client.gate.check_live(deal.operation)
    if not deal.numbers:
        raise ValidationFailed(
            "The broker gave the preview no confirmation number, so the order cannot be placed."
        )
    what = "this order" if deal.line else "these orders"
    if not yes and not call.confirm(place_question(call, what, [order.account])):
        call.talk("Not placed.")
        if call.output != "table":
            call.show(deal.preview)
        return
    _show_placement(call, deal, order.account, await unbroken(call, deal.place, deal.numbers))


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


def _show_placement(call: Call, deal: Deal, account: str, placement: Any) -> None:
    if call.output != "table":
        call.show(placement)
        return
    from ftcli.cli.ticket import notes

    # A repeat under an idempotency key is answered with the first outcome: its numbers, not those of this preview.
    is_group = isinstance(placement, ConditionalConfirmation)
    numbers = placement.conf_nums if is_group else [placement.conf_num]
    what = f"orders {', '.join(numbers)}" if is_group else f"order {numbers[0]} · {deal.line}"
    call.terminal.write(f"Placed: {what} · {call.environment_label} account {account}\n")
    legs = [message for leg in placement.orders for message in leg.messages] if is_group else []
    for note in notes([*placement.messages, *legs]):
        call.talk(note)
    where = "Where they stand" if is_group else "Where it stands"
    call.talk(f"{where}: {call.program} orders {'status' if is_group else f'detail {numbers[0]}'}")
