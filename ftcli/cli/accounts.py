"""Which account a command is about, where it names none."""

from typing import TYPE_CHECKING, Any

from ftcli.cli.body import account_holders
from ftcli.errors import NotFound, ValidationFailed
from ftcli.models.field import without_none
from ftcli.operations.operation import Operation, is_model

if TYPE_CHECKING:
    from ftcli.cli.call import Call
    from ftcli.client import Client

PLACEHOLDER = "00000000"
"""Stands for the account while everything else is checked."""


class Slot:
    """The place of the account among raw values: a parameter of its own, or a member of each order."""

    def __init__(self, holders: list[dict[str, Any]], name: str) -> None:
        self._holders = holders
        self._name = name

    @property
    def value(self) -> str:
        """What stands there; empty for nothing."""
        found = (str(holder.get(self._name) or "") for holder in self._holders)
        return next((account for account in found if account), "")

    def fill(self, account: str) -> None:
        """Puts the account wherever none stands, or only its placeholder."""
        for holder in self._holders:
            if holder.get(self._name) in (None, "", PLACEHOLDER):
                holder[self._name] = account


def account_slot(operation: Operation[..., Any], given: dict[str, Any]) -> Slot | None:
    """Where an operation needs an account; ``None`` where it needs none."""
    for param in operation.params:
        kind = without_none(param.type)
        if is_model(kind):
            body = given.get(param.name)
            holders = account_holders(kind, body) if isinstance(body, dict) else []
            if holders:
                return Slot(holders, "account")
        elif param.required and param.param.complete == "accounts" and not param.is_list:
            return Slot([given], param.name)
    return None


async def choose_account(call: "Call", client: "Client", *, trading: bool) -> str:
    """The account of a command that names none.

    In this order: the setting ``account``; the only brokerage account of the login; for what changes nothing,
    the account marked as default at the broker.

    Args:
        call: The command line.
        client: The client.
        trading: Whether the command changes something: then nothing is guessed.

    Raises:
        ValidationFailed: There are several; the message lists them.
        NotFound: There is none.
    """
    if call.settings.account:
        return call.settings.account
    numbers = await client.default_accounts()
    if len(numbers) == 1:
        return numbers[0]
    accounts = [await client.account(number) for number in numbers]
    if not accounts:
        raise NotFound("This login has no brokerage account.", details={"accounts": []})
    marked = [account.account for account in accounts if account.is_default]
    if len(marked) == 1 and not trading:
        return marked[0]
    listed = ", ".join(
        f"{account.account} ({account.name})" if account.name else account.account for account in accounts
    )
    raise ValidationFailed(
        f"This login has {len(accounts)} accounts: {listed}. Name one with --account, or set FT_ACCOUNT.",
        details={"field": "account", "value": None, "rule": f"be one of {', '.join(numbers)}"},
    )
