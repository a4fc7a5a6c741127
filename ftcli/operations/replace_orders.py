"""Changes of open orders: an atomic cancel and new order (protocol 02 §9)."""

from typing import Annotated, Any

from ftcli.models.order_codes import ResponseType
from ftcli.models.order_confirmations import OrderPreview, ReplacePlacement
from ftcli.models.tickets import EquityOrder
from ftcli.operations.equity_orders import (
    ConfNum,
    confirmation,
    equity_parameter,
    proven_terms,
    remember_preview,
)
from ftcli.operations.operation import Core, Group, Param, operation
from ftcli.wire import Placement, Retry, WireReply, WireRequest

Replaces = Annotated[
    str,
    Param("Confirmation number of the open order to change.", cli=("--replaces",), complete="orders"),
]
_KEY = "cancelandreplace"


class ReplaceOrders(Group):
    """Change open equity orders."""

    name = "orders.replace"

    @operation(
        "POST",
        "/orders/replace/preview",
        examples=(
            "orders replace preview --replaces 2DI0KXQ4 --symbol AAPL --action buy --quantity 10 --limit-price 151",
        ),
    )
    async def preview(
        self, order: Annotated[EquityOrder, Param("The order as it shall be.")], replaces: Replaces
    ) -> OrderPreview:
        """Preview a change of an open equity order. Nothing is changed.

        The order is given whole, as it shall be: security and action must be the original's; quantity, order
        type, prices and time in force may differ. After a partial fill the quantity is what is still wanted.

        Raises:
            ValidationFailed: The order is not complete or breaks a rule.
            OrderRejected: The broker would refuse the change; the details carry its messages.

        Source: protocol 02 §9.1.
        """
        parameter = await _parameter(self.core, order, replaces)
        reply = await self.core.send(_request("preview", parameter, Retry.PREVIEW))
        answer = confirmation(reply, "preview", OrderPreview, ResponseType.VALIDATED, key=_KEY)
        remember_preview(self.core, "orders.replace.place", order, answer, [_original(replaces)])
        return answer

    @operation("POST", "/orders/replace/place", risk="money")
    async def place(
        self,
        order: Annotated[EquityOrder, Param("The order, exactly as previewed.")],
        replaces: Replaces,
        conf_num: ConfNum,
    ) -> ReplacePlacement:
        """Place a previewed change. The new order is known by the new confirmation number.

        The original can still fill before the change takes hold; then the new order ends in error.

        Raises:
            LiveTradingDisabled: Live trading is off.
            OrderRejected: The broker refused it; the details carry its messages.
            OrderUnknown: It was sent and the answer lost: do not repeat it; the order status tells.

        Source: protocol 02 §9.2, 19.
        """
        number = conf_num.strip().upper()
        parameter = await _parameter(self.core, order, replaces)
        parameter["baseOrderDetail"]["confNum"] = number
        del parameter["tradableSecOrderDetail"]["mktRouteCode"]
        parameter |= {"previewInd": True, "confInd": True}

        def judge(reply: WireReply, sent: list[str]) -> ReplacePlacement:
            return confirmation(reply, "place", ReplacePlacement, ResponseType.ACCEPTED, sent[0], key=_KEY)

        return await self.core.place(
            Placement(
                kind="orders.replace.place",
                account=order.account,
                conf_nums=[number],
                order=order,
                request=_request("place", parameter, Retry.NEVER),
                judge=judge,
                replaces=[_original(replaces)],
                proven=lambda sent: ReplacePlacement(
                    replaces=_original(replaces), **proven_terms(order, sent[0])
                ),
            )
        )


def _original(replaces: str) -> str:
    return replaces.strip().upper()


def _request(step: str, parameter: Any, retry: Retry) -> WireRequest:
    path = f"/ftgw/dp/orderentry/cancelandreplace/{step}/v1"
    return WireRequest(
        host="dp", method="POST", path=path, body={"request": {"parameter": parameter}}, retry=retry
    )


async def _parameter(core: Core, order: EquityOrder, replaces: str) -> dict[str, Any]:
    """The equity body with its differences: the original's number, prices as texts, no ``priceDetail``."""
    parameter = await equity_parameter(core, order)
    del parameter["priceDetail"]
    with_text_prices(parameter["tradableSecOrderDetail"]["priceTypeDetail"])
    parameter["orderNumOrig"] = _original(replaces)
    return parameter


def with_text_prices(price_detail: dict[str, Any]) -> None:
    """Prices as texts of at least two decimals, as the app declares them for changes (protocol 02 §9)."""
    for name in ("limitPrice", "stopPrice"):
        if name in price_detail:
            price = price_detail[name].normalize()
            places = max(2, -int(price.as_tuple().exponent))
            price_detail[name] = f"{price:.{places}f}"
