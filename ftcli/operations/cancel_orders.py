"""Cancels of open orders (protocol 02 §8). They are always let through, and no read that fails keeps them back."""

import logging
import sqlite3
from typing import Any, NamedTuple

from ftcli.errors import (
    BrokerError,
    FtError,
    LostReply,
    NotFound,
    NotSent,
    OrderRejected,
    OrderUnknown,
    RateLimited,
)
from ftcli.models.field import as_list, read
from ftcli.models.option_symbol import OptionSymbol
from ftcli.models.option_tickets import OptionAction
from ftcli.models.order_codes import Action, ResponseType
from ftcli.models.order_confirmations import CancelConfirmation
from ftcli.models.orders import Order
from ftcli.models.trading import JournalEntry, JournalState
from ftcli.operations.operation import Core, Group, operation, with_reply
from ftcli.operations.order_status import find_order
from ftcli.operations.params import OrderAccount, OrderId, clean_account
from ftcli.operations.verdicts import check_messages, message_details
from ftcli.wire import Retry, WireReply, WireRequest

log = logging.getLogger("ftcli.trading")

_ANY_ACTION = Action.BUY
"""Sent where nobody knows the order's own: the broker is said to take any (protocol 02 §8.2)."""
_NEVER_THERE = (JournalState.REJECTED, JournalState.NOT_SENT, JournalState.NOT_PLACED)


class CancelOrders(Group):
    """Cancels of open orders."""

    name = "orders.cancel"

    @operation("POST", "/orders/{conf_num}/cancel/preview", cli=None, inferred=True)
    async def preview(
        self,
        conf_num: OrderId,
        account: OrderAccount = None,
    ) -> CancelConfirmation:
        """Show what canceling an order would leave.

        Raises:
            NotFound: There is no such order, and you named no account; or it is in another account.
            OrderRejected: It cannot be canceled any more.

        Source: protocol 02 §8.1.
        """
        target = await _target(self.core, conf_num, account)
        request = _request("preview", target, {}, Retry.PREVIEW)
        return _confirmation(await self.core.send(request), "preview", ResponseType.VALIDATED)

    @operation(
        "POST",
        "/orders/{conf_num}/cancel",
        risk="write",
        cli=None,
    )
    async def place(
        self,
        conf_num: OrderId,
        account: OrderAccount = None,
    ) -> CancelConfirmation:
        """Ask for an open order to be canceled.

        Never refused by us. The broker only starts the cancel: the order can still fill until its status says
        that it is gone. The call says the order's account and what it does. Of an order placed here the journal
        knows both, and nothing is read; of another the order status is asked. Where that cannot be read, or does not
        list the order, the account you name is enough, and the broker answers.

        Raises:
            NotFound: There is no such order, and you named no account; or it is in another account.
            OrderRejected: It cannot be canceled any more.
            OrderUnknown: The request was sent and its answer lost; the order's status tells.

        Source: protocol 02 §8.2.
        """
        target = await _target(self.core, conf_num, account)
        return await ask_to_cancel(self.core, target)


class Target(NamedTuple):
    """What a cancel must say of its order; ``action`` is the broker's code of what the order does."""

    number: str
    account: str
    action: str

    @classmethod
    def of(cls, order: Order, account: str = "") -> "Target":
        """An order that the status lists.

        Args:
            order: The order.
            account: Its account, where the status does not say.
        """
        return cls(order.conf_num or "", order.account or account, (order.action or _ANY_ACTION).wire)


async def ask_to_cancel(core: Core, target: Target) -> CancelConfirmation:
    """Sends the cancel of an order, once; nothing is read before.

    Raises:
        OrderRejected: It cannot be canceled any more.
        OrderUnknown: The request was sent and its answer lost; the order's status tells.
    """
    request = _request("place", target, {"previewInd": False, "confInd": False}, Retry.NEVER)
    try:
        reply = await core.send(request)
    except NotSent:
        raise
    except LostReply as problem:
        raise OrderUnknown(
            f"The cancel of {target.number} was sent, but its answer was lost: it may have been carried out. "
            f"Look with `ft orders detail {target.number}`; where the order is still open, cancel it again.",
            details={"conf_nums": [target.number], "reason": problem.message},
        ) from problem
    return _confirmation(reply, "place", ResponseType.ACCEPTED)


async def _target(core: Core, conf_num: str, account: str | None) -> Target:
    """The order to cancel. Of an order placed here nothing is read: the status may be out, or behind.

    Raises:
        NotFound: Neither broker nor journal knows the order, in the account if one is named.
        BrokerError: The broker cannot be asked, and nobody else knows the order's account.
    """
    number, named = conf_num.strip().upper(), clean_account(account) if account else None
    journalled = _journalled(core, number, named)
    if journalled is not None:
        return journalled
    try:
        order = (await find_order(core, number, named)).orders[0]
    except NotFound:
        # Absence proves nothing (protocol 02 §19), but of an order that may be another account's only this one's word
        # counts, or that of the journal: a key may be bound to the account it names.
        ours = _journalled(core, number, named, whatever_it_came_to=True)
        if ours is None:
            raise
        return ours
    except (BrokerError, RateLimited) as problem:
        if named is None:
            raise _with_hint(problem) from None
        log.warning("the order status does not tell, so %s is canceled without it: %s", number, problem)
        return Target(number, named, _ANY_ACTION.wire)
    return Target.of(order, named or "")


def _journalled(
    core: Core, number: str, account: str | None, *, whatever_it_came_to: bool = False
) -> Target | None:
    """An order that the journal knows; nothing where there is none, or no journal that can be read.

    Args:
        core: The core.
        number: Its confirmation number.
        account: Its account, where one is named.
        whatever_it_came_to: Also one that was never there, as far as anybody knows.
    """
    try:
        with core.desk.at_once():  # a cancel waits for nobody
            entry = core.desk.entry(number)
    except (FtError, sqlite3.Error):
        return None
    is_it = number in entry.conf_nums and account in (None, entry.account)
    if not is_it or (entry.state in _NEVER_THERE and not whatever_it_came_to):
        return None
    return Target(number, entry.account, _action_of(entry, number))


def _action_of(entry: JournalEntry, number: str) -> str:
    """The broker's code of what a journalled order does, as its status has it (protocol 02 §3.2)."""
    document = entry.order["order"]
    several = document.get("orders") or [change["order"] for change in document.get("changes", [])]
    order = several[entry.conf_nums.index(number)] if several else document
    part = order["legs"][0] if "legs" in order else order
    contract = OptionSymbol.parse_or_none(part["symbol"] or "")
    if contract is not None and part["action"] in set(OptionAction):
        return OptionAction(part["action"]).single_leg_code(contract)
    return Action(part["action"]).wire if part["action"] in set(Action) else _ANY_ACTION.wire


def _with_hint(problem: FtError) -> FtError:
    problem.message += " Name the order's account, and it is canceled without looking for it."
    problem.args = (problem.message,)
    return problem


def _request(step: str, target: Target, flags: dict[str, Any], retry: Retry) -> WireRequest:
    entry = {"confNum": target.number, "acctNum": target.account, "actionCode": target.action}
    return WireRequest(
        host="dp",
        method="POST",
        path=f"/ftgw/dp/orderentry/cancel/{step}/v1",
        body={"request": {"parameter": {"cancelOrderDetail": [entry], **flags}}},
        retry=retry,
    )


def _confirmation(reply: WireReply, step: str, good: ResponseType) -> CancelConfirmation:
    document = reply.document if isinstance(reply.document, dict) else {}
    entries = as_list((document.get(step) or {}).get("cancelConfirmDetail"))
    if not entries:
        check_messages(reply, step)
        kind = OrderUnknown if step == "place" else BrokerError
        raise kind("The broker's answer to the cancel has no content; look at the order's status.")
    answer = read(CancelConfirmation, entries[0])
    if answer.verdict is not good:
        errors = [message for message in answer.messages if message.is_error]
        text = errors[0].text if errors else "no reason given"
        raise OrderRejected(
            f"The broker refused to cancel {answer.conf_num}: {text}",
            details={"conf_num": answer.conf_num, "messages": message_details(answer.messages)},
        )
    return with_reply(answer, reply)
