"""The ticket of a conditional group: its orders and how they hang together, quotes, cost, and what its exits bring."""

from decimal import Decimal
from itertools import zip_longest
from typing import TYPE_CHECKING

from ftcli.cli.output.numbers import number_text
from ftcli.cli.placing import environment_line
from ftcli.cli.ticket import amount_lines, cost_rows, headline, note_lines, order_kind, quote_line, terms
from ftcli.models.conditional import Condition, ConditionalOrder
from ftcli.models.field import USD

if TYPE_CHECKING:
    from ftcli.cli.call import Call
    from ftcli.models.accounts import Account
    from ftcli.models.conditional import ConditionalConfirmation, ConditionalLeg
    from ftcli.models.tickets import EquityOrderTerms

_JOINTS = {
    "oto": ("", "when filled, "),
    "oco": ("", "or else "),
    "otoco": ("", "when filled, ", "or else "),
}


def group_ticket(
    call: "Call",
    account: "Account",
    group: ConditionalOrder,
    preview: "ConditionalConfirmation",
    buying_power: Decimal | None = None,
) -> str:
    """The whole ticket.

    Args:
        call: The command line, for the environment.
        account: The account.
        group: The orders as given.
        preview: What the broker said to them.
        buying_power: What the account can buy for now, where it is known.
    """
    legs = [message for leg in preview.orders for message in leg.messages]
    joints = _JOINTS[str(group.condition)]
    blocks = [
        [environment_line(call, account.account, account.name)],
        [
            f"  {joint}{headline(order)} · {terms(order)}"
            for joint, order in zip(joints, group.orders, strict=True)
        ],
        _securities(preview),
        amount_lines(_amounts(group, preview, buying_power)),
        note_lines([*preview.messages, *legs]),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _securities(preview: "ConditionalConfirmation") -> list[str]:
    """Each security once, with its name and quote."""
    legs = {leg.symbol: leg for leg in preview.orders}.values()
    lines = []
    for leg in legs:
        lines += ["  ".join(["", leg.symbol or "", leg.security_name or ""]).rstrip(), *quote_line(leg)]
    return lines


def _amounts(
    group: ConditionalOrder, preview: "ConditionalConfirmation", buying_power: Decimal | None
) -> list[tuple[str, str]]:
    """The entry as on any ticket, then what each exit brings or costs if it is the one that fills."""
    pairs = list(zip_longest(group.orders, preview.orders[: len(group.orders)]))
    entries, exits = ([], pairs) if group.condition is Condition.OCO else (pairs[:1], pairs[1:])
    rows: list[tuple[str, str]] = []
    for order, leg in entries:
        rows += cost_rows(order.action, leg, buying_power) if leg else []
    rows += [_exit_row(order, leg) for order, leg in exits if leg is not None and leg.net_amount is not None]
    if not entries and buying_power is not None:
        rows.append(("Buying power", number_text(buying_power, USD)))
    return rows


def _exit_row(order: "EquityOrderTerms", leg: "ConditionalLeg") -> tuple[str, str]:
    return (
        f"{'Cost' if order.action.is_buy else 'Proceeds'} at {order_kind(order)}",
        number_text(leg.net_amount or Decimal(0), USD),
    )
