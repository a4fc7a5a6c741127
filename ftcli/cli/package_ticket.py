"""The ticket of a package of options: its legs, the net price, what it costs, and what it can gain and lose."""

from decimal import Decimal
from typing import TYPE_CHECKING

from ftcli.cli.output.numbers import number_text
from ftcli.cli.placing import environment_line
from ftcli.cli.ticket import amount_lines, leg_line, net_terms, note_lines, price_line
from ftcli.models.field import PER_SHARE, USD
from ftcli.models.option_tickets import MultiLegOrder, NetDirection, OptionAction

if TYPE_CHECKING:
    from ftcli.cli.call import Call
    from ftcli.models.accounts import Account
    from ftcli.models.option_tickets import MultiLegConfirmation, MultiLegConfirmationLeg


_NET = {
    NetDirection.DEBIT: "Estimated cost",
    NetDirection.CREDIT: "Estimated proceeds",
    NetDirection.EVEN: "Even, estimated cost",
}


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
    rows = [
        ("Order value", preview.order_value),
        ("Commission", preview.commission),
        (_NET[order.direction], preview.net_amount),
        ("Buying power", buying_power),
    ]
    takes = _takes(order, preview)
    if buying_power is not None and takes is not None:
        rows.append(("After this order", buying_power - takes))
    return [(label, number_text(amount, USD)) for label, amount in rows if amount is not None]


def _takes(order: MultiLegOrder, preview: "MultiLegConfirmation") -> Decimal | None:
    """What it takes of the buying power at most: its cost, or what it may lose where it sells options to open.

    What a package at a credit or of unlimited loss ties up is the broker's rule, which it does not tell: ``None``.
    """
    net, loss = preview.net_amount, preview.max_loss
    if net is None or order.direction is NetDirection.CREDIT:
        return None
    if not _has_payoff(order) or all(leg.action is not OptionAction.SELL_TO_OPEN for leg in order.legs):
        return net
    return None if loss is None else max(net, loss + (preview.commission or 0))


def _payoff(order: MultiLegOrder, preview: "MultiLegConfirmation") -> list[tuple[str, str]]:
    """At expiration, before commission; nothing where the legs expire on different days."""
    if not _has_payoff(order):
        return []
    rows = [
        (label, "unlimited" if amount is None else number_text(amount, USD))
        for label, amount in (("Max gain", preview.max_gain), ("Max loss", preview.max_loss))
    ]
    if preview.break_evens:
        texts = [number_text(price, PER_SHARE) for price in preview.break_evens]
        rows.append(("Break-even" if len(texts) == 1 else "Break-evens", "  ".join(texts)))
    return rows


def _has_payoff(order: MultiLegOrder) -> bool:
    """Whether its legs are of one underlying and expire on one day."""
    contracts = [leg.contract for leg in order.legs]
    return len({(contract.expiration, contract.underlying) for contract in contracts}) == 1
