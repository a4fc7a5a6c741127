"""The ticket of a package of options: its legs, the net price, what it costs, and what it can gain and lose."""

from decimal import Decimal
from typing import TYPE_CHECKING

from ftcli.cli.output.numbers import number_text
from ftcli.cli.placing import environment_line
from ftcli.cli.ticket import amount_lines, leg_line, net_terms, note_lines, price_line
from ftcli.models.field import PER_SHARE, USD
from ftcli.models.option_tickets import MultiLegOrder, NetDirection

if TYPE_CHECKING:
    from ftcli.cli.call import Call
    from ftcli.models.accounts import Account
    from ftcli.models.option_tickets import MultiLegConfirmation, MultiLegConfirmationLeg


def package_line(order: MultiLegOrder) -> str:
    """The package in one line: ``2 legs · net debit 4.50 · day``."""
    return f"{len(order.legs)} legs · {net_terms(order)}"


def package_ticket(
    call: "Call",
    account: "Account",
    order: MultiLegOrder,
    preview: "MultiLegConfirmation",
    buying_power: Decimal | None = None,
) -> str:
    """The whole ticket.

    Args:
        call: The command line, for the environment.
        account: The account.
        order: The order as given.
        preview: What the broker said to it.
        buying_power: What the account can buy for now, where it is known.
    """
    blocks = [
        [environment_line(call, account.account, account.name)],
        [*_legs(order, preview), f"  {package_line(order)}", *_net_quote(preview)],
        amount_lines(_amounts(order, preview, buying_power)),
        amount_lines(_payoff(order, preview)),
        note_lines(preview.messages),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _legs(order: MultiLegOrder, preview: "MultiLegConfirmation") -> list[str]:
    """The legs with their quotes, names and prices below each other."""
    confirmed = {leg.symbol: leg for leg in preview.legs}
    rows = [[leg_line(leg), *_leg_quote(confirmed.get(leg.symbol))] for leg in order.legs]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  " + "   ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip()
        for row in rows
    ]


def _leg_quote(leg: "MultiLegConfirmationLeg | None") -> list[str]:
    """Last, bid and ask; empty where one is not known."""
    if leg is None:
        return ["", "", ""]
    return [price_line(last=leg.last_price), price_line(bid=leg.bid), price_line(ask=leg.ask)]


def _net_quote(preview: "MultiLegConfirmation") -> list[str]:
    prices = price_line(net_bid=preview.net_bid, net_ask=preview.net_ask, mid=preview.midpoint)
    return [f"  {prices}"] if prices else []


def _amounts(
    order: MultiLegOrder, preview: "MultiLegConfirmation", buying_power: Decimal | None
) -> list[tuple[str, str]]:
    costs = order.direction is NetDirection.DEBIT
    rows = [
        ("Order value", preview.order_value),
        ("Commission", preview.commission),
        ("Estimated cost" if costs else "Estimated proceeds", preview.net_amount),
        ("Buying power", buying_power),
    ]
    # What a credit package ties up is the broker's rule, which it does not tell.
    if costs and buying_power is not None and preview.net_amount is not None:
        rows.append(("After this order", buying_power - preview.net_amount))
    return [(label, number_text(amount, USD)) for label, amount in rows if amount is not None]


def _payoff(order: MultiLegOrder, preview: "MultiLegConfirmation") -> list[tuple[str, str]]:
    """At expiration, before commission; nothing where the legs expire on different days."""
    contracts = [leg.contract for leg in order.legs]
    if len({(contract.expiration, contract.underlying) for contract in contracts}) > 1:
        return []
    rows = [
        (label, "unlimited" if amount is None else number_text(amount, USD))
        for label, amount in (("Max gain", preview.max_gain), ("Max loss", preview.max_loss))
    ]
    if preview.break_evens:
        texts = [number_text(price, PER_SHARE) for price in preview.break_evens]
        rows.append(("Break-even" if len(texts) == 1 else "Break-evens", "  ".join(texts)))
    return rows
