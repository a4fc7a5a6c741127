"""Single-leg option orders (protocol 02 §6)."""

from typing import Annotated, Any

from ftcli.models.option_tickets import OptionConfirmation, OptionOrder
from ftcli.models.order_codes import ResponseType
from ftcli.models.tickets import price_terms
from ftcli.operations.equity_orders import (
    ConfNum,
    account_type_code,
    confirmation,
    proven_terms,
    remember_preview,
)
from ftcli.operations.operation import Core, Group, Param, operation
from ftcli.operations.params import clean_account
from ftcli.wire import Placement, Retry, WireReply, WireRequest


class OptionOrders(Group):
    """Preview and place single-leg option orders."""

    name = "orders.option"

    @operation(
        "POST",
        "/orders/option/preview",
        examples=(
            'orders option preview --symbol "AAPL 2027-01-15 150 C" --action buy_to_open --quantity 1 --limit-price 5',
        ),
    )
    async def preview(self, order: Annotated[OptionOrder, Param("The order.")]) -> OptionConfirmation:
        """Preview a single-leg option order: cost, warnings and the confirmation number. Nothing is entered.

        The broker's action code says side and call or put only. Whether the order opens or closes is believed to
        travel in a field of which only the opening code has been seen; read the description in the answer.

        Raises:
            ValidationFailed: The order is not complete or breaks a rule.
            OrderRejected: The broker would refuse it; the details carry its messages.

        Source: protocol 02 §6.1, 6.2, 3.3.
        """
        parameter = await _parameter(self.core, order)
        reply = await self.core.send(_request("preview", parameter, Retry.PREVIEW))
        answer = confirmation(reply, "preview", OptionConfirmation, ResponseType.VALIDATED)
        remember_preview(self.core, "orders.option.place", order, answer)
        return answer

    @operation("POST", "/orders/option/place", risk="money")
    async def place(
        self,
        order: Annotated[OptionOrder, Param("The order, exactly as previewed.")],
        conf_num: ConfNum,
    ) -> OptionConfirmation:
        """Place a previewed single-leg option order.

        The order is sent at most once, whatever happens.

        Raises:
            LiveTradingDisabled: Live trading is off.
            OrderRejected: The broker refused it; the details carry its messages.
            OrderUnknown: It was sent and the answer lost: do not repeat it; the order status tells.

        Source: protocol 02 §6.3, 16, 19.
        """
        number = conf_num.strip().upper()
        parameter = await _parameter(self.core, order)
        parameter["baseOrderDetail"]["confNum"] = number
        parameter |= {"previewInd": False, "confInd": False}

        def judge(reply: WireReply, sent: list[str]) -> OptionConfirmation:
            return confirmation(reply, "place", OptionConfirmation, ResponseType.ACCEPTED, sent[0])

        return await self.core.place(
            Placement(
                kind="orders.option.place",
                account=order.account,
                conf_nums=[number],
                order=order,
                request=_request("place", parameter, Retry.NEVER),
                judge=judge,
                proven=lambda sent: OptionConfirmation(**proven_terms(order, sent[0])),
            )
        )


def _request(step: str, parameter: Any, retry: Retry) -> WireRequest:
    path = f"/ftgw/dp/orderentry/option/{step}/v2"
    return WireRequest(
        host="dp", method="POST", path=path, body={"request": {"parameter": parameter}}, retry=retry
    )


async def _parameter(core: Core, order: OptionOrder) -> dict[str, Any]:
    """The order in the broker's words; empty containers are sent on purpose (protocol 02 §6.1)."""
    account = await core.account(clean_account(order.account))
    contract = order.contract
    return {
        "baseOrderDetail": {
            "orderActionCode": order.action.single_leg_code(contract),
            "acctTypeCode": account_type_code(account),
            "qty": order.quantity,
            "qtyTypeCode": "S",
            "securityDetail": {"symbol": contract.compact},
            "specificShrDetail": {},
        },
        "tradableSecOrderDetail": {
            "tifCode": order.time_in_force.wire,
            "priceTypeDetail": price_terms(order),
            "mktRouteCode": "",
            "destinationCode": "",
            "optionDetail": {"type": _effect(core, order)},
        },
        "priceDetail": {},
        "acctNum": account.account,
    }


def _effect(core: Core, order: OptionOrder) -> str:
    """``O`` to open. The closing code has not been seen live: it goes out only where doubtful codes may."""
    unsure = not core.settings.is_paper and not core.settings.unverified
    return "O" if order.action.opens or unsure else "C"
