"""``ft spread``: two to four options traded together at a net price."""

import re
from decimal import Decimal
from typing import Annotated, Any

from ftcli.cli.call import Call
from ftcli.cli.commands.trade import AccountOption, Key, Live, Tif, Yes, trade_by_command
from ftcli.cli.forms import form
from ftcli.errors import ValidationFailed
from ftcli.models.option_tickets import MultiLegOrder
from ftcli.models.order_codes import TimeInForce
from ftcli.operations.binding import convert
from ftcli.operations.operation import Param

_RATIO = re.compile(r"(\d{1,3})\s*[xX]\s+(.+)")
Legs = list[str] | None


@form(
    examples=(
        "spread --buy 'AAPL 2027-01-15 150 C' --sell 'AAPL 2027-01-15 160 C' --debit 4.50",
        "spread --sell 'SPY 2027-01-15 600 P' --buy 'SPY 2027-01-15 590 P' --credit 2.10 --quantity 3",
        "spread --sell-to-close 'AAPL 2027-01-15 150 C' --buy-to-close 'AAPL 2027-01-15 160 C' --credit 6",
        "spread --buy 'KO 2027-01-15 70 C' --sell '2x KO 2027-01-15 75 C' --debit 0.40",
    )
)
async def spread(
    call: Call,
    buy: Annotated[
        Legs, Param("An option to buy; '2x AAPL ...' for two in each package.", metavar="OPTION")
    ] = None,
    sell: Annotated[
        Legs, Param("An option to sell, to open; may be repeated, as all legs.", metavar="OPTION")
    ] = None,
    buy_to_close: Annotated[Legs, Param("An option sold before, to buy back.", metavar="OPTION")] = None,
    sell_to_close: Annotated[Legs, Param("An option held, to sell.", metavar="OPTION")] = None,
    debit: Annotated[
        Decimal | None, Param("What a package may cost at most, per share.", metavar="PRICE")
    ] = None,
    credit: Annotated[
        Decimal | None, Param("What a package must bring in at least, per share.", metavar="PRICE")
    ] = None,
    quantity: Annotated[int, Param("Number of packages.")] = 1,
    tif: Tif = TimeInForce.DAY,
    account: AccountOption = None,
    idempotency_key: Key = None,
    yes: Yes = False,
    live: Live = False,
) -> None:
    """Trade a package of two to four options: preview, ticket, question, order.

    The ticket shows the legs, the net price, the most it can gain and lose, and where it breaks even. In the live
    environment placing needs live trading switched on (--live or FT_LIVE_TRADING=true); without it the command
    ends after the preview. Without a terminal it places only with --yes.
    """
    if (debit is None) is (credit is None):
        raise ValidationFailed.of("--debit", debit, "be given, or --credit, and not both")
    if quantity < 1:
        raise ValidationFailed.of("--quantity", quantity, "be at least one package")
    actions = {
        "buy_to_open": buy,
        "sell_to_open": sell,
        "buy_to_close": buy_to_close,
        "sell_to_close": sell_to_close,
    }
    given: dict[str, Any] = {
        "legs": [_leg(action, text, quantity) for action, texts in actions.items() for text in texts or ()],
        "direction": "debit" if credit is None else "credit",
        "net_price": debit if credit is None else credit,
        "time_in_force": tif.value,
    }
    await trade_by_command(
        call,
        lambda chosen: convert(given | {"account": chosen}, MultiLegOrder, texts=True),
        account,
        idempotency_key,
        yes,
        live,
    )


def _leg(action: str, text: str, packages: int) -> dict[str, Any]:
    """A leg from its text: a contract, with its number in each package before it where that is not one."""
    match = _RATIO.fullmatch(text.strip())
    number, symbol = (int(match[1]), match[2]) if match else (1, text)
    return {"action": action, "symbol": symbol, "quantity": number * packages}
