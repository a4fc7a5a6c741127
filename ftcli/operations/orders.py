"""Order status and cancels (protocol 02 §8, 13)."""

from decimal import Decimal
from typing import Annotated, Any

from ftcli.errors import BrokerError, LostReply, NotSent, OrderRejected, OrderUnknown, ValidationFailed
from ftcli.models.field import as_list, read
from ftcli.models.order_codes import ResponseType
from ftcli.models.order_confirmations import CancelConfirmation
from ftcli.models.orders import Order
from ftcli.models.orders import Orders as OrderList
from ftcli.models.staged import Locate, TradeAgreement
from ftcli.models.tickets import positive
from ftcli.operations.account_calls import brokerage_account
from ftcli.operations.conditional_orders import ConditionalOrders, ConditionalReplaceOrders
from ftcli.operations.dp import check_said
from ftcli.operations.equity_orders import EquityOrders
from ftcli.operations.journal import JournalGroup
from ftcli.operations.multi_leg_orders import MultiLegOrders
from ftcli.operations.operation import Core, Group, Param, operation, with_reply
from ftcli.operations.option_orders import OptionOrders
from ftcli.operations.order_status import fetch_status, find_order
from ftcli.operations.params import Acct, AcctIds, OrderId, Symbol, clean_account, clean_symbol
from ftcli.operations.reconcile import LostOrders
from ftcli.operations.replace_orders import ReplaceOrders
from ftcli.operations.staged_orders import StagedOrderGroup
from ftcli.operations.verdicts import check_messages, message_details
from ftcli.wire import Retry, WireReply, WireRequest

OrderAccount = Annotated[
    str | None,
    Param(
        "Account of the order; found by itself where left out.", cli=("--account", "-a"), complete="accounts"
    ),
]


class Orders(LostOrders):
    """Order status, previews, orders and cancels."""

    name = "orders"

    def __init__(self, core: Core) -> None:
        super().__init__(core)
        self.equity = EquityOrders(core)
        self.option = OptionOrders(core)
        self.options = MultiLegOrders(core)
        self.cancel = CancelOrders(core)
        self.replace = ReplaceOrders(core)
        self.conditional = ConditionalOrders(core)
        self.conditional_replace = ConditionalReplaceOrders(core)
        self.staged = StagedOrderGroup(core)
        self.journal = JournalGroup(core)

    @operation(
        "GET", "/orders/status", examples=("orders status", "orders status -a Z20000025 --sort -entered_at")
    )
    async def status(self, acct_ids: AcctIds = None) -> OrderList:
        """List today's orders and all that are still open.

        A multi-leg order has one entry per leg, under one confirmation number.

        Raises:
            NotFound: The login has no such account.

        Source: protocol 02 §13.1.
        """
        accounts = [clean_account(acct) for acct in acct_ids or []] or await self.core.default_accounts()
        for acct in accounts:
            await self.core.account(acct)
        answer, reply = await fetch_status(self.core, accounts)
        return with_reply(answer, reply)

    @operation("GET", "/orders/{order_id}/detail", examples=("orders detail 2DI0KXQ4",))
    async def detail(
        self,
        order_id: OrderId,
        acct: OrderAccount = None,
    ) -> OrderList:
        """Show one order; a multi-leg order shows one entry per leg.

        Raises:
            NotFound: No account has an order of this number.

        Source: protocol 02 §13.2.
        """
        return await find_order(self.core, order_id, acct)

    @operation("POST", "/orders/trade-agreement", risk="write", cli="orders trade-agreement", inferred=True)
    async def accept_trade_agreement(
        self,
        account: Acct,
        agreement: Annotated[str, Param("Code of the agreement, such as EXTHRS.", example="EXTHRS")],
    ) -> TradeAgreement:
        """Accept an agreement that order entry demands, such as that for extended hours.

        A legal act: it happens only when you ask for it, and is never repeated.

        Raises:
            NotFound: The login has no such account.
            ValidationFailed: The account cannot trade, or no agreement is named.
            OrderRejected: The broker refused it.

        Source: protocol 02 §14.
        """
        if not agreement.strip():
            raise ValidationFailed.of("agreement", agreement, "name an agreement")
        known = await brokerage_account(self.core, account)
        refuse_placeholder_call(self.core, "orders.accept_trade_agreement")
        parameter = {
            "acctNum": known.account,
            "agreementTypeCode": agreement.strip().upper(),
            "acceptInd": True,
        }
        request = WireRequest(
            host="dp",
            method="POST",
            path="/ftgw/dp/trade/useragreement/modify/v1",
            body={"request": {"parameter": parameter}},
            retry=Retry.NEVER,
        )
        reply = await self.core.send(request)
        check_messages(reply, "userAgreement")
        answer = read(TradeAgreement, (reply.document or {}).get("userAgreement"))
        if answer.verdict is ResponseType.REFUSED:
            raise OrderRejected("The broker did not take the agreement.", details={"agreement": agreement})
        return with_reply(answer, reply)

    @operation(
        "POST", "/orders/locate", risk="write", inferred=True, examples=("orders locate GME --quantity 60",)
    )
    async def locate(
        self,
        symbol: Symbol,
        account: Acct,
        quantity: Annotated[Decimal, Param("Shares to locate.", example=60)],
    ) -> Locate:
        """Look for shares to borrow for a short sale.

        The broker may reserve what it finds, so the call is never repeated by itself.

        Raises:
            NotFound: The broker knows no such stock.

        Source: protocol 02 §15.
        """
        known = await brokerage_account(self.core, account)
        positive("quantity", quantity)
        refuse_placeholder_call(self.core, "orders.locate")
        body = {"symbol": clean_symbol(symbol), "accounts": [known.account], "qty": quantity}
        request = WireRequest(
            host="dp",
            method="POST",
            path="/ftgw/dp/reference/security/stock/locate/find/v1",
            body=body,
            retry=Retry.NEVER,
        )
        reply = await self.core.send(request)
        check_said(reply, "security", f"stock {body['symbol']} to borrow")
        return with_reply(read(Locate, reply.document), reply)


def refuse_placeholder_call(core: Core, name: str) -> None:
    """Keeps a call whose body is a mere placeholder away from the real broker, unless the user forces it.

    Raises:
        ValidationFailed: Live environment, without the setting ``unverified``.
    """
    if not core.settings.is_paper and not core.settings.unverified:
        raise ValidationFailed(
            f"{name}: the wire form of this call is a placeholder that nobody has seen live, so it is not sent to "
            "the real broker. Set FT_UNVERIFIED=true to send our best guess.",
            details={"field": name, "value": None, "rule": "have a wire form that has been seen live"},
        )


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
            NotFound: There is no such order.
            OrderRejected: It cannot be canceled any more.

        Source: protocol 02 §8.1.
        """
        order = (await find_order(self.core, conf_num, account)).orders[0]
        request = _cancel_request("preview", order, {}, Retry.PREVIEW)
        return _cancel_confirmation(await self.core.send(request), "preview", ResponseType.VALIDATED)

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
        that it is gone.

        Raises:
            NotFound: There is no such order.
            OrderRejected: It cannot be canceled any more.
            OrderUnknown: The request was sent and its answer lost; the order's status tells.

        Source: protocol 02 §8.2.
        """
        order = (await find_order(self.core, conf_num, account)).orders[0]
        request = _cancel_request("place", order, {"previewInd": False, "confInd": False}, Retry.NEVER)
        try:
            reply = await self.core.send(request)
        except NotSent:
            raise
        except LostReply as problem:
            raise OrderUnknown(
                f"The cancel of {order.conf_num} was sent, but its answer was lost: it may have been carried out. "
                f"Look with `ft orders detail {order.conf_num}`; where the order is still open, cancel it again.",
                details={"conf_nums": [order.conf_num], "reason": problem.message},
            ) from problem
        return _cancel_confirmation(reply, "place", ResponseType.ACCEPTED)


def _cancel_request(step: str, order: Order, flags: dict[str, Any], retry: Retry) -> WireRequest:
    entry = {
        "confNum": order.conf_num,
        "acctNum": order.account,
        "actionCode": order.action.wire if order.action else "B",
    }
    return WireRequest(
        host="dp",
        method="POST",
        path=f"/ftgw/dp/orderentry/cancel/{step}/v1",
        body={"request": {"parameter": {"cancelOrderDetail": [entry], **flags}}},
        retry=retry,
    )


def _cancel_confirmation(reply: WireReply, step: str, good: ResponseType) -> CancelConfirmation:
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
