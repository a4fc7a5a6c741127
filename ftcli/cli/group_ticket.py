"""The ticket of a conditional group: its orders and how they hang together, quotes, cost, and what its exits bring."""

from decimal import Decimal
from typing import TYPE_CHECKING

from ftcli.cli.output.numbers import number_text
from ftcli.cli.placing import environment_line
from ftcli.cli.ticket import amount_lines, cost_rows, headline, note_lines, order_kind, quote_line, terms
from ftcli.models.conditional import Condition, ConditionalOrder, ConditionalReplacement
from ftcli.models.field import USD

if TYPE_CHECKING:
    from ftcli.cli.call import Call
    from ftcli.models.accounts import Account
    from ftcli.models.conditional import ConditionalConfirmation, ConditionalLeg
    from ftcli.models.tickets import EquityOrder

_JOINTS = {
    "oto": ("", "when filled, "),
    "oco": ("", "or else "),
    "otoco": ("", "when filled, ", "or else "),
}


def group_ticket(
    call: "Call",
    account: "Account",
    group: ConditionalOrder | ConditionalReplacement,
    preview: "ConditionalConfirmation",
    buying_power: Decimal | None = None,
) -> str:
    """The whole ticket.

    Args:
        call: The command line, for the environment.
        account: The account.
        group: The orders as given, or the changes of some.
        preview: What the broker said to them.
        buying_power: What the account can buy for now, where it is known.
    """
    legs = [message for leg in preview.orders for message in leg.messages]
    blocks = [
        [environment_line(call, account.account, account.name)],
        [f"  {joint}{headline(order)} · {terms(order)}" for joint, order in _joined(group)],
        _securities(preview),
        amount_lines(_amounts(group, preview, buying_power)),
        note_lines([*preview.messages, *legs]),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _joined(group: ConditionalOrder | ConditionalReplacement) -> "list[tuple[str, EquityOrder]]":
    """Each order with the words before it, which say how it hangs together with the others, or what it changes."""
    if isinstance(group, ConditionalReplacement):
        return [(f"{change.replaces} becomes ", change.order) for change in group.changes]
    return list(zip(_JOINTS[str(group.condition)], group.orders, strict=True))


def _securities(preview: "ConditionalConfirmation") -> list[str]:
    """Each security once, with its name and quote."""
    legs = {leg.symbol: leg for leg in preview.orders}.values()
    lines = []
    for leg in legs:
        lines += ["  ".join(["", leg.symbol or "", leg.security_name or ""]).rstrip(), *quote_line(leg)]
    return lines


def _amounts(
    group: ConditionalOrder | ConditionalReplacement,
    preview: "ConditionalConfirmation",
    buying_power: Decimal | None,
) -> list[tuple[str, str]]:
    """The entry as on any ticket, then what each of the others brings or costs if it is the one that fills."""
    pairs = list(zip((order for _, order in _joined(group)), preview.orders, strict=False))
    has_entry = isinstance(group, ConditionalOrder) and group.condition is not Condition.OCO
    rows: list[tuple[str, str]] = []
    if has_entry and pairs:
        order, leg = pairs.pop(0)
        rows = cost_rows(order.action, leg, buying_power)
    rows += [_exit_row(order, leg) for order, leg in pairs if leg.net_amount is not None]
    if not has_entry and buying_power is not None:
        rows.append(("Buying power", number_text(buying_power, USD)))
    return rows


def _exit_row(order: "EquityOrder", leg: "ConditionalLeg") -> tuple[str, str]:
    return (
        f"{'Cost' if order.action.is_buy else 'Proceeds'} at {order_kind(order)}",
        number_text(leg.net_amount or Decimal(0), USD),
    )
