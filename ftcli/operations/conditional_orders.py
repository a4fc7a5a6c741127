"""Conditional orders and their changes (protocol 02 §10, 11)."""

from collections.abc import Sequence
from typing import Annotated, Any

from ftcli.errors import BrokerError, OrderRejected, OrderUnknown, ValidationFailed
from ftcli.models.conditional import (
    ConditionalConfirmation,
    ConditionalLeg,
    ConditionalOrder,
    ConditionalReplacement,
)
from ftcli.models.field import read
from ftcli.models.order_codes import ResponseType
from ftcli.models.tickets import EquityOrder, price_terms
from ftcli.operations.equity_orders import account_type_code, refuse_placeholders
from ftcli.operations.operation import Core, Group, Param, operation, with_reply
from ftcli.operations.params import clean_account, clean_symbol
from ftcli.operations.replace_orders import with_text_prices
from ftcli.operations.verdicts import check_messages, message_details
from ftcli.wire import Placement, Previewed, Retry, WireReply, WireRequest

ConfNums = Annotated[
    list[str],
    Param("Every confirmation number of the preview, in its order.", cli=("--conf-nums",)),
]
ENTRY = "/ftgw/dp/orderentry/conditional/{step}/v1"
CHANGE = "/ftgw/dp/retail-condition-replace/v1/accounts/orders/{step}"


class ConditionalOrders(Group):
    """Orders that trigger or cancel each other."""

    name = "orders.conditional"

    @operation("POST", "/orders/conditional/preview")
    async def preview(
        self, order: Annotated[ConditionalOrder, Param("The orders and how they hang together.")]
    ) -> ConditionalConfirmation:
        """Preview a conditional group (OTO, OCO, OTOCO). Nothing is entered.

        Raises:
            ValidationFailed: An order is not complete or breaks a rule, or their number does not fit.
            OrderRejected: The broker would refuse one of them; the details carry its messages.

        Source: protocol 02 §10.2, 10.3.
        """
        body = await _group_body(self.core, order.condition.wire, order.orders)
        reply = await self.core.send(_request(ENTRY, "preview", body, Retry.PREVIEW))
        answer = _confirmation(reply, "preview", ResponseType.VALIDATED, len(order.orders))
        _remember(self.core, "orders.conditional.place", order, answer, [])
        return answer

    @operation("POST", "/orders/conditional/place", risk="money")
    async def place(
        self,
        order: Annotated[ConditionalOrder, Param("The group, exactly as previewed.")],
        conf_nums: ConfNums,
    ) -> ConditionalConfirmation:
        """Place a previewed conditional group.

        All numbers of the preview are given, in its order. Which of them travels with which order is disputed
        between the sources; the setting ``conditional_numbers`` chooses (shifted, the captured form, or aligned).

        Raises:
            LiveTradingDisabled: Live trading is off.
            OrderRejected: The broker refused the whole group.
            OrderUnknown: The answer is lost, or says yes to some orders and no to others: the order status tells.

        Source: protocol 02 §10.4, 19.
        """
        numbers = _numbers(conf_nums, len(order.orders))
        body = await _group_body(self.core, order.condition.wire, order.orders)
        body |= {"previewInd": False, "confInd": False}
        shift = 1 if self.core.settings.conditional_numbers == "shifted" else 0
        for index, leg in enumerate(body["condOrderDetails"][1:], start=1):
            leg["baseOrderDetail"]["confNum"] = numbers[index - shift]
        return await _place(self.core, "orders.conditional.place", order.account, numbers, order, ENTRY, body)


class ConditionalReplaceOrders(Group):
    """Changes of open orders of a conditional group."""

    name = "orders.conditional_replace"

    @operation(
        "POST", "/orders/conditional/replace/preview", inferred=True, cli="orders conditional-replace preview"
    )
    async def preview(
        self, order: Annotated[ConditionalReplacement, Param("The changes.")]
    ) -> ConditionalConfirmation:
        """Preview changes of orders of a conditional group. Nothing is changed.

        Raises:
            ValidationFailed: An order is not complete or breaks a rule.
            OrderRejected: The broker would refuse a change; the details carry its messages.

        Source: protocol 02 §11.
        """
        body = await _change_body(self.core, order)
        reply = await self.core.send(_request(_change_path(self.core), "preview", body, Retry.PREVIEW))
        answer = _confirmation(reply, "preview", ResponseType.VALIDATED, len(order.changes))
        replaces = [change.replaces.strip().upper() for change in order.changes]
        _remember(self.core, "orders.conditional_replace.place", order, answer, replaces)
        return answer

    @operation(
        "POST",
        "/orders/conditional/replace/place",
        risk="money",
        inferred=True,
        cli="orders conditional-replace place",
    )
    async def place(
        self,
        order: Annotated[ConditionalReplacement, Param("The changes, exactly as previewed.")],
        conf_nums: ConfNums,
    ) -> ConditionalConfirmation:
        """Place previewed changes of orders of a conditional group.

        Raises:
            LiveTradingDisabled: Live trading is off.
            OrderRejected: The broker refused the changes.
            OrderUnknown: The answer is lost, or says yes to some changes and no to others.

        Source: protocol 02 §11, 19.
        """
        numbers = _numbers(conf_nums, len(order.changes))
        body = await _change_body(self.core, order)
        body |= {"previewInd": False, "confInd": False}
        for leg, number in zip(body["condOrderDetails"], numbers, strict=True):
            leg["baseOrderDetail"]["confNum"] = number
        path = _change_path(self.core)
        return await _place(
            self.core, "orders.conditional_replace.place", order.account, numbers, order, path, body
        )


def _remember(
    core: Core, kind: str, order: Any, answer: ConditionalConfirmation, replaces: list[str]
) -> None:
    core.previewed(
        Previewed(
            kind=kind,
            account=order.account,
            conf_nums=[number.upper() for number in answer.conf_nums],
            order=order,
            replaces=replaces,
            marks={leg.symbol: leg.last_price for leg in answer.orders if leg.symbol and leg.last_price},
        )
    )


def _change_path(core: Core) -> str:
    return core.settings.paths.get("orders.conditional_replace", CHANGE)


def _numbers(conf_nums: list[str], count: int) -> list[str]:
    numbers = [number.strip().upper() for number in conf_nums]
    if len(numbers) != count:
        raise ValidationFailed.of(
            "conf_nums", len(numbers), f"hold all {count} confirmation numbers of the preview"
        )
    return numbers


async def _group_body(core: Core, condition: str, orders: list[EquityOrder]) -> dict[str, Any]:
    """The body of a group; the empty containers are sent on purpose (protocol 02 §10.2)."""
    legs = [await _leg(core, order) for order in orders]
    return {
        "condOrderTypeCode": condition,
        "acctNum": orders[0].account,
        "cntgntDetails": [],
        "condOrderDetail": {},
        "condOrderDetails": legs,
    }


async def _change_body(core: Core, order: ConditionalReplacement) -> dict[str, Any]:
    body = await _group_body(core, order.condition.wire, [change.order for change in order.changes])
    for leg, change in zip(body["condOrderDetails"], order.changes, strict=True):
        with_text_prices(leg["tradableSecOrderDetail"]["priceTypeDetail"])
        leg["orderNumOrig"] = change.replaces.strip().upper()
    return body


async def _leg(core: Core, order: EquityOrder) -> dict[str, Any]:
    account = await core.account(clean_account(order.account))
    refuse_placeholders(core, order)
    return {
        "baseOrderDetail": {
            "acctTypeCode": account_type_code(account),
            "orderActionCode": order.action.wire,
            "qty": order.quantity,
            "secDetail": {"symbol": clean_symbol(order.symbol)},
        },
        "tradableSecOrderDetail": {
            "tifCode": order.time_in_force.wire,
            "priceTypeDetail": price_terms(order),
        },
    }


def _request(path: str, step: str, body: Any, retry: Retry) -> WireRequest:
    return WireRequest(
        host="dp", method="POST", path=path.format(step=step), body={"parameters": body}, retry=retry
    )


async def _place(
    core: Core, kind: str, account: str, numbers: list[str], order: Any, path: str, body: Any
) -> ConditionalConfirmation:
    def judge(reply: WireReply, sent: list[str]) -> ConditionalConfirmation:
        return _confirmation(reply, "place", ResponseType.ACCEPTED, len(sent), sent)

    return await core.place(
        Placement(
            kind=kind,
            account=account,
            conf_nums=numbers,
            order=order,
            request=_request(path, "place", body, Retry.NEVER),
            judge=judge,
            replaces=[change.replaces.strip().upper() for change in getattr(order, "changes", [])],
            proven=lambda sent: ConditionalConfirmation(
                account=account,
                orders=[ConditionalLeg(conf_num=number, verdict=ResponseType.ACCEPTED) for number in sent],
            ),
        )
    )


def _confirmation(
    reply: WireReply, step: str, good: ResponseType, count: int, sent: Sequence[str] = ()
) -> ConditionalConfirmation:
    """The content of a reply, if every order of the group got a yes (protocol 02 §10.3, 10.4).

    Args:
        reply: The reply.
        step: ``preview`` or ``place``.
        good: What a yes is.
        count: How many orders were sent.
        sent: Their numbers, where they had some.

    Raises:
        OrderRejected: A preview was not all yes, or a place was all no.
        OrderUnknown: A place was neither all yes nor all no.
    """
    document = reply.document if isinstance(reply.document, dict) else {}
    content = document.get(step)
    if not isinstance(content, dict):
        if step == "preview":
            check_messages(reply, step)
            raise BrokerError("The broker's answer to the preview has no content.")
        raise OrderUnknown("The broker's answer to the orders has no content; look at the order status.")
    answer = read(ConditionalConfirmation, content)
    verdicts = [leg.verdict for leg in answer.orders]
    if len(verdicts) == count and all(verdict is good for verdict in verdicts):
        return with_reply(answer, reply)
    messages = [*answer.messages, *(item for leg in answer.orders for item in leg.messages)]
    errors = [item for item in messages if item.is_error]
    details: dict[str, Any] = {
        "orders": [str(verdict) for verdict in verdicts],
        "messages": message_details(messages),
    }
    if step == "preview" or (verdicts and all(verdict is ResponseType.REFUSED for verdict in verdicts)):
        text = errors[0].text if errors else "no reason given"
        raise OrderRejected(f"The broker refused the orders: {text}", details=details)
    if len(sent) == len(verdicts):
        details["found"] = {number: str(verdict) for number, verdict in zip(sent, verdicts, strict=True)}
    raise OrderUnknown(
        "The broker did not say yes to every order of the group; look at the order status, and cancel or keep what "
        "is live.",
        details=details,
    )
