"""An order between its preview and its placing: ticket, numbers, and the call that places it, for every family."""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from ftcli.cli.group_ticket import group_ticket
from ftcli.cli.package_ticket import package_line, package_ticket
from ftcli.cli.ticket import order_line, ticket_text
from ftcli.errors import FtError
from ftcli.models.conditional import ConditionalOrder, ConditionalReplacement
from ftcli.models.option_tickets import MultiLegOrder, OptionOrderTerms

if TYPE_CHECKING:
    from ftcli.cli.call import Call
    from ftcli.client import Client
    from ftcli.models.accounts import Account


class Deal(NamedTuple):
    """A previewed order.

    Attributes:
        operation: Name of the operation that places it.
        preview: What the broker said to it.
        numbers: Its confirmation numbers.
        ticket: All of it, for people.
        line: The order in one line.
        place: Places it.
    """

    operation: str
    preview: Any
    numbers: list[str]
    ticket: str
    line: str
    place: Callable[[], Awaitable[Any]]


async def preview_deal(call: "Call", client: "Client", order: Any) -> Deal:
    """Previews an order of any family.

    Args:
        call: The command line.
        client: The client.
        order: An equity order, an option order, a package of options, or a conditional group.

    Raises:
        FtError: The preview fails.
    """
    if isinstance(order, ConditionalOrder):
        return await _group(call, client, order)
    group: Any = client.orders.equity
    operation, line = "orders.equity.place", order_line(order)
    if isinstance(order, MultiLegOrder):
        group, operation, line = client.orders.options, "orders.options.place", package_line(order)
    elif isinstance(order, OptionOrderTerms):
        group, operation = client.orders.option, "orders.option.place"
    preview = await group.preview(order)
    number = preview.conf_num or ""
    return Deal(
        operation,
        preview,
        [number] if number else [],
        await ticket_of(call, client, order, preview),
        line,
        lambda: group.place(order, number),
    )


async def _group(call: "Call", client: "Client", order: ConditionalOrder) -> Deal:
    group = client.orders.conditional
    preview = await group.preview(order)
    numbers = list(preview.conf_nums)
    return Deal(
        "orders.conditional.place",
        preview,
        numbers,
        await ticket_of(call, client, order, preview),
        "",
        lambda: group.place(order, numbers),
    )


async def ticket_of(call: "Call", client: "Client", order: Any, preview: Any, replaces: str = "") -> str:
    """The ticket of a previewed order of any family.

    Args:
        call: The command line.
        client: The client, for what the preview does not tell: the account's name and its buying power.
        order: The order as given.
        preview: What the broker said to it.
        replaces: Number of the order it changes.
    """
    account = await client.account(order.account)
    power = await buying_power(client, account)
    if isinstance(order, ConditionalOrder | ConditionalReplacement):
        return group_ticket(call, account, order, preview, power)
    if isinstance(order, MultiLegOrder):
        return package_ticket(call, account, order, preview, power)
    return ticket_text(call, account, order, preview, power, replaces)


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
