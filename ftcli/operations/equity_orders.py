"""Orders for shares and funds traded like shares (protocol 02 §5)."""

from decimal import Decimal
from typing import Annotated, Any, TypeVar

from ftcli.errors import OrderRejected, OrderUnknown, ValidationFailed
from ftcli.models.accounts import Account
from ftcli.models.field import read
from ftcli.models.order_codes import OrderType, ResponseType, TimeInForce
from ftcli.models.order_confirmations import OrderConfirmation, OrderPlacement, OrderPreview
from ftcli.models.tickets import EquityAction, EquityOrder, TradingSession, price_terms
from ftcli.operations.operation import Core, Group, Param, operation, with_reply
from ftcli.operations.params import clean_account, clean_symbol
from ftcli.operations.verdicts import check_messages, message_details, messages_of
from ftcli.wire import Placement, Previewed, Retry, WireReply, WireRequest

C = TypeVar("C", bound=OrderConfirmation)

ConfNum = Annotated[
    str, Param("Confirmation number from the preview.", cli=("--conf-num",), example="2DI0KXQ4")
]


class EquityOrders(Group):
    """Preview and place orders for stocks and ETFs."""

    name = "orders.equity"

    @operation(
        "POST",
        "/orders/equity/preview",
        examples=(
            "orders equity preview --symbol AAPL --action buy --quantity 10 --limit-price 150",
            "orders equity preview --symbol AAPL --action sell --quantity 10 --stop-price 140 --time-in-force gtc",
        ),
    )
    async def preview(self, order: Annotated[EquityOrder, Param("The order.")]) -> OrderPreview:
        """Preview an equity order: cost, warnings and the confirmation number. Nothing is entered.

        Raises:
            ValidationFailed: The order is not complete or breaks a rule.
            OrderRejected: The broker would refuse it; the details carry its messages.

        Source: protocol 02 §5.1, 5.2.
        """
        parameter = await equity_parameter(self.core, order)
        reply = await self.core.send(_request("preview", parameter, Retry.PREVIEW))
        answer = confirmation(reply, "preview", OrderPreview, ResponseType.VALIDATED)
        remember_preview(self.core, "orders.equity.place", order, answer)
        return answer

    @operation("POST", "/orders/equity/place", risk="money")
    async def place(
        self,
        order: Annotated[EquityOrder, Param("The order, exactly as previewed.")],
        conf_num: ConfNum,
    ) -> OrderPlacement:
        """Place a previewed equity order.

        The order is sent at most once, whatever happens.

        Raises:
            LiveTradingDisabled: Live trading is off.
            OrderRejected: The broker refused it; the details carry its messages.
            OrderUnknown: It was sent and the answer lost: do not repeat it; the order status tells.

        Source: protocol 02 §5.3, 16, 19.
        """
        number = conf_num.strip().upper()
        parameter = await equity_parameter(self.core, order)
        parameter["baseOrderDetail"]["confNum"] = number
        parameter |= {"previewInd": True, "confInd": True}

        def judge(reply: WireReply, sent: list[str]) -> OrderPlacement:
            return confirmation(reply, "place", OrderPlacement, ResponseType.ACCEPTED, sent[0])

        return await self.core.place(
            Placement(
                kind="orders.equity.place",
                account=order.account,
                conf_nums=[number],
                order=order,
                request=_request("place", parameter, Retry.NEVER),
                judge=judge,
                proven=lambda sent: OrderPlacement(**proven_terms(order, sent[0])),
            )
        )


def remember_preview(
    core: Core, kind: str, order: Any, answer: OrderConfirmation, replaces: list[str] | None = None
) -> None:
    """Tells the gate of a preview, so that exactly this order can be placed.

    Args:
        core: The core.
        kind: Name of the operation that may place it.
        order: The order as given.
        answer: The preview.
        replaces: Numbers of the open orders it changes.
    """
    if answer.conf_num:
        marks = {order.symbol: answer.last_price} if answer.last_price else {}
        core.previewed(
            Previewed(
                kind=kind,
                account=order.account,
                conf_nums=[answer.conf_num.upper()],
                order=order,
                replaces=replaces or [],
                marks=marks,
            )
        )


def proven_terms(order: Any, number: str) -> dict[str, Any]:
    """The fields of a confirmation that are known of an order that went in although its answer was lost."""
    found = {
        name: getattr(order, name, None)
        for name in ("account", "symbol", "quantity", "limit_price", "stop_price", "time_in_force")
    }
    quantity = Decimal(order.quantity)
    kind = OrderType(str(order.__struct_config__.tag))
    return {
        **found,
        "quantity": quantity,
        "order_type": kind,
        "conf_num": number,
        "verdict": ResponseType.ACCEPTED,
    }


def _request(step: str, parameter: Any, retry: Retry) -> WireRequest:
    path = f"/ftgw/dp/orderentry/equity/{step}/v1"
    return WireRequest(
        host="dp", method="POST", path=path, body={"request": {"parameter": parameter}}, retry=retry
    )


async def equity_parameter(core: Core, order: EquityOrder) -> dict[str, Any]:
    """The order in the broker's words (protocol 02 §5.1): empty containers stay, absent prices go."""
    account = await core.account(clean_account(order.account))
    refuse_placeholders(core, order)
    base: dict[str, Any] = {
        "orderActionCode": order.action.wire,
        "acctTypeCode": account_type_code(account),
        "qty": order.quantity,
        "qtyTypeCode": "S",
        "securityDetail": {"symbol": clean_symbol(order.symbol)},
    }
    if order.lots:
        lots = [{"lotSeq": lot.sequence, "qty": lot.quantity, "eventId": lot.lot} for lot in order.lots]
        base["specificShrDetail"] = {"taxLotDetails": lots}
    tradable: dict[str, Any] = {
        "tifCode": order.time_in_force.wire,
        "priceTypeDetail": price_terms(order),
        "mktRouteCode": order.route,
    }
    if order.trading_session is TradingSession.EXTENDED:
        tradable |= {"marketSessionCode": "E", "mktRouteCode": order.route or "ARCX"}
    return {
        "baseOrderDetail": base,
        "tradableSecOrderDetail": tradable,
        "priceDetail": {},
        "acctNum": account.account,
    }


def account_type_code(account: Account) -> str:
    """How a trade is booked: margin where the account has margin, else cash. Never a guess."""
    return "M" if account.margin else "C"


_PLACEHOLDER_TYPES = {OrderType.TRAILING_STOP, OrderType.TRAILING_STOP_LIMIT}
_PLACEHOLDER_TIMES = {
    TimeInForce.IOC,
    TimeInForce.FOK,
    TimeInForce.MARKET_ON_OPEN,
    TimeInForce.MARKET_ON_CLOSE,
}


def refuse_placeholders(core: Core, order: EquityOrder) -> None:
    """Keeps forms whose wire code nobody has seen away from the real broker, unless the user forces them.

    Raises:
        ValidationFailed: Such a form, in the live environment, without the setting ``unverified``.
    """
    if core.settings.is_paper or core.settings.unverified:
        return
    kind = OrderType(str(order.__struct_config__.tag))
    for field, value, doubtful in (
        ("order_type", kind, kind in _PLACEHOLDER_TYPES),
        ("time_in_force", order.time_in_force, order.time_in_force in _PLACEHOLDER_TIMES),
        ("trading_session", order.trading_session, order.trading_session is TradingSession.EXTENDED),
        ("action", order.action, order.action is EquityAction.SELL_SPECIFIC_SHARES),
    ):
        if doubtful:
            raise ValidationFailed.of(
                field,
                value,
                "have a wire code that has been seen live",
                hint="Set FT_UNVERIFIED=true to send our best guess.",
            )


def confirmation(
    reply: WireReply,
    step: str,
    model: type[C],
    good: ResponseType,
    number: str | None = None,
    key: str | None = None,
) -> C:
    """The content of a preview or place reply, if it is a yes (protocol 02 §16).

    Args:
        reply: The answer.
        step: ``preview`` or ``place``.
        model: The model it becomes.
        good: The verdict that is a yes.
        number: The confirmation number that must come back.
        key: The reply's key, where it is not the step.

    Raises:
        OrderRejected: The broker said no.
        OrderUnknown: A place was answered with neither yes nor no, or with another number.
    """
    document = reply.document if isinstance(reply.document, dict) else {}
    content = document.get(key or step)
    if not isinstance(content, dict):
        if step == "preview":
            check_messages(reply, key or step)
            raise OrderRejected("The broker did not validate the order and gave no reason.")
        raise OrderUnknown("The broker's answer to the order has no content; look at the order status.")
    answer = read(model, content)
    answer.messages = answer.messages or messages_of(document)
    if answer.verdict is ResponseType.REFUSED or (step == "preview" and answer.verdict is not good):
        errors = [message for message in answer.messages if message.is_error] or answer.messages
        text = errors[0].text if errors else "no reason given"
        raise OrderRejected(
            f"The broker refused the order: {text}",
            # A refused preview carries a number too; it must never be placed, so nobody gets to see it.
            details={"conf_num": number, "messages": message_details(answer.messages)},
        )
    if answer.verdict is not good or (number and (answer.conf_num or "").upper() != number):
        raise OrderUnknown(
            "The broker answered the order with neither yes nor no; look at the order status before anything else.",
            details={"conf_num": number, "verdict": str(answer.verdict)},
        )
    return with_reply(answer, reply)
