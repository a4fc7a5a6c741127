"""Order status, and the small calls around orders (protocol 02 §13, 14, 15)."""

from decimal import Decimal
from typing import Annotated

from ftcli.errors import OrderRejected, ValidationFailed
from ftcli.models.field import read
from ftcli.models.order_codes import ResponseType
from ftcli.models.orders import Orders as OrderList
from ftcli.models.staged import Locate, TradeAgreement
from ftcli.models.tickets import positive
from ftcli.operations.account_calls import brokerage_account
from ftcli.operations.cancel_orders import CancelOrders
from ftcli.operations.conditional_orders import ConditionalOrders, ConditionalReplaceOrders
from ftcli.operations.dp import check_said
from ftcli.operations.equity_orders import EquityOrders
from ftcli.operations.journal import JournalGroup
from ftcli.operations.multi_leg_orders import MultiLegOrders
from ftcli.operations.operation import Core, Param, operation, with_reply
from ftcli.operations.option_orders import OptionOrders
from ftcli.operations.order_status import fetch_status, find_order
from ftcli.operations.params import (
    Acct,
    AcctIds,
    OrderAccount,
    OrderId,
    Symbol,
    clean_account,
    clean_symbol,
)
from ftcli.operations.reconcile import LostOrders
from ftcli.operations.replace_orders import ReplaceOrders
from ftcli.operations.staged_orders import StagedOrderGroup
from ftcli.operations.verdicts import check_messages
from ftcli.wire import Retry, WireRequest


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
