"""An order between its preview and its placing: ticket, numbers, and the call that places it, for every family."""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from ftcli.errors import FtError
from ftcli.models.conditional import ConditionalOrder
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
    account = await client.account(order.account)
    if isinstance(order, ConditionalOrder):
        return await _group(call, client, account, order)
    if isinstance(order, MultiLegOrder):
        return await _package(call, client, account, order)
    return await _single(call, client, account, order)


async def _group(call: "Call", client: "Client", account: "Account", order: ConditionalOrder) -> Deal:
    from ftcli.cli.group_ticket import group_ticket

    group = client.orders.conditional
    preview = await group.preview(order)
    numbers = list(preview.conf_nums)
    return Deal(
        "orders.conditional.place",
        preview,
        numbers,
        group_ticket(call, account, order, preview, await buying_power(client, account)),
        "",
        lambda: group.place(order, numbers),
    )


async def _package(call: "Call", client: "Client", account: "Account", order: MultiLegOrder) -> Deal:
    from ftcli.cli.package_ticket import package_line, package_ticket

    group = client.orders.options
    preview = await group.preview(order)
    number = preview.conf_num or ""
    return Deal(
        "orders.options.place",
        preview,
        [number] if number else [],
        package_ticket(call, account, order, preview, await buying_power(client, account)),
        package_line(order),
        lambda: group.place(order, number),
    )


async def _single(call: "Call", client: "Client", account: "Account", order: Any) -> Deal:
    from ftcli.cli.ticket import headline, terms, ticket_text

    is_option = isinstance(order, OptionOrderTerms)
    group: Any = client.orders.option if is_option else client.orders.equity
    preview = await group.preview(order)
    number = preview.conf_num or ""
    return Deal(
        "orders.option.place" if is_option else "orders.equity.place",
        preview,
        [number] if number else [],
        ticket_text(call, account, order, preview, await buying_power(client, account)),
        f"{headline(order)} · {terms(order)}",
        lambda: group.place(order, number),
    )


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
