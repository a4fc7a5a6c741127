"""Multi-leg option orders (protocol 02 §7)."""

from typing import Annotated, Any

from ftcli.errors import BrokerError, OrderRejected, OrderUnknown, ValidationFailed
from ftcli.models.field import read
from ftcli.models.market_data import SnapshotQuote
from ftcli.models.option_tickets import MultiLegConfirmation, MultiLegOrder, NetDirection, OptionLeg
from ftcli.models.order_codes import ResponseType
from ftcli.models.payoff import payoff
from ftcli.operations.equity_orders import ConfNum, account_type_code
from ftcli.operations.operation import Core, Group, Param, operation, with_reply
from ftcli.operations.params import clean_account
from ftcli.operations.snapshots import fetch_quotes
from ftcli.operations.verdicts import check_messages, message_details
from ftcli.wire import Placement, Previewed, Retry, WireReply, WireRequest

_KEY = "multiLegOptionResponse"


class MultiLegOrders(Group):
    """Preview and place multi-leg option orders."""

    name = "orders.options"

    @operation("POST", "/orders/options/preview")
    async def preview(
        self, order: Annotated[MultiLegOrder, Param("The legs and their net price.")]
    ) -> MultiLegConfirmation:
        """Preview a multi-leg option order (2 to 4 legs at a net debit or credit). Nothing is entered.

        Net prices are per unit and per share: two 40/45 call spreads at 2.05 cost 410 dollars.

        Raises:
            ValidationFailed: The order is not complete or breaks a rule.
            OrderRejected: The broker would refuse it; the details carry its messages.

        Source: protocol 02 §7.1, 7.2.
        """
        body = await _body(self.core, order, "N")
        reply = await self.core.send(_request("preview", body, Retry.PREVIEW))
        answer = _with_payoff(order, _confirmation(reply, "preview"))
        if answer.conf_num:
            self.core.previewed(
                Previewed(
                    kind="orders.options.place",
                    account=order.account,
                    conf_nums=[answer.conf_num.upper()],
                    order=order,
                    marks={
                        leg.symbol: leg.last_price for leg in answer.legs if leg.symbol and leg.last_price
                    },
                )
            )
        return answer

    @operation("POST", "/orders/options/place", risk="money")
    async def place(
        self,
        order: Annotated[MultiLegOrder, Param("The order, exactly as previewed.")],
        conf_num: ConfNum,
    ) -> MultiLegConfirmation:
        """Place a previewed multi-leg option order.

        The order is sent at most once, whatever happens.

        Raises:
            LiveTradingDisabled: Live trading is off.
            OrderRejected: The broker refused it; the details carry its messages.
            OrderUnknown: It was sent and the answer lost: do not repeat it; the order status tells.

        Source: protocol 02 §7.3, 16, 19.
        """
        number = conf_num.strip().upper()
        body = await _body(self.core, order, "P")
        body["baseOrderDetail"]["confNum"] = number

        def judge(reply: WireReply, sent: list[str]) -> MultiLegConfirmation:
            return _with_payoff(order, _confirmation(reply, "place", sent[0]))

        return await self.core.place(
            Placement(
                kind="orders.options.place",
                account=order.account,
                conf_nums=[number],
                order=order,
                request=_request("place", body, Retry.NEVER),
                judge=judge,
                proven=lambda sent: MultiLegConfirmation(
                    account=order.account,
                    conf_num=sent[0],
                    verdict=ResponseType.ACCEPTED,
                    direction=order.direction,
                    net_price=order.net_price,
                    time_in_force=order.time_in_force,
                    leg_count=len(order.legs),
                ),
            )
        )


def _with_payoff(order: MultiLegOrder, answer: MultiLegConfirmation) -> MultiLegConfirmation:
    """What the package can gain and lose at its net price: the broker does not say (protocol 02 §7.2)."""
    found = payoff(order)
    if found is not None:
        answer.max_gain, answer.max_loss = found.max_gain, found.max_loss
        answer.break_evens = found.break_evens
    return answer


def _request(step: str, body: Any, retry: Retry) -> WireRequest:
    path = f"/ftgw/dp/orderentry/multilegoption/{step}/v1"
    return WireRequest(host="dp", method="POST", path=path, body={"parameters": body}, retry=retry)


async def _body(core: Core, order: MultiLegOrder, step: str) -> dict[str, Any]:
    """The order in the broker's words; the step travels in ``reqTypeCode`` (protocol 02 §7.1)."""
    account = await core.account(clean_account(order.account))
    if order.direction is NetDirection.EVEN and not core.settings.is_paper and not core.settings.unverified:
        raise ValidationFailed.of(
            "direction",
            "even",
            "have a wire code that has been seen live",
            hint="Set FT_UNVERIFIED=true to send our best guess.",
        )
    quotes = await _leg_quotes(core, order.legs)
    return {
        "acctNum": account.account,
        "tradableSecOrderDetail": {
            "tifCode": order.time_in_force.wire,
            "dbCrEvenCode": order.direction.wire,
            "netAmount": order.net_price,
            "destinationCode": "",
        },
        "expDateDefaultInd": True,
        "expTimeDefaultInd": True,
        "baseOrderDetail": {
            "acctTypeCode": account_type_code(account),
            "reqTypeCode": step,
            "optionDetail": {
                "strategyType": order.strategy.wire,
                "numOfLegs": len(order.legs),
                "complexOrderDetails": [_leg(leg, quotes, int(core.now().timestamp())) for leg in order.legs],
            },
        },
    }


async def _leg_quotes(core: Core, legs: list[OptionLeg]) -> dict[str, SnapshotQuote]:
    """The quotes the body asks for: each option's and its underlying's, by symbol."""
    symbols = [symbol for leg in legs for symbol in (leg.contract.dashed, leg.contract.underlying)]
    quotes, _ = await fetch_quotes(core, list(dict.fromkeys(symbols)))
    return {quote.symbol: quote for quote in quotes.quotes}


def _leg(leg: OptionLeg, quotes: dict[str, SnapshotQuote], now: int) -> dict[str, Any]:
    """One leg; ``price`` was seen to be the underlying's last, not the option's (protocol 02 §7.1)."""
    contract = leg.contract
    option, underlying = quotes.get(contract.dashed), quotes.get(contract.underlying)
    prices = {
        "price": underlying.last if underlying else None,
        "priceDateTime": now,
        "bidPrice": option.bid if option else None,
        "askPrice": option.ask if option else None,
    }
    return {
        "type": "O",
        "orderActionCode": leg.action.wire,
        "qty": leg.quantity,
        "securityDetail": {"symbolCUSIPCode": "S", "symbol": contract.compact},
        "priceDetail": {name: 0 if value is None else value for name, value in prices.items()},
    }


def _confirmation(reply: WireReply, step: str, number: str | None = None) -> MultiLegConfirmation:
    """The content of a reply, if it is a yes (protocol 02 §7.2, 16).

    Raises:
        OrderRejected: The broker said no.
        OrderUnknown: A place was answered with neither yes nor no, or with another number.
    """
    document = reply.document if isinstance(reply.document, dict) else {}
    content = document.get(_KEY)
    if not isinstance(content, dict):
        if step == "preview":
            check_messages(reply, _KEY)
            raise BrokerError("The broker's answer to the preview has no content.")
        raise OrderUnknown("The broker's answer to the order has no content; look at the order status.")
    answer = read(MultiLegConfirmation, content)
    good = ResponseType.VALIDATED if step == "preview" else ResponseType.ACCEPTED
    if answer.verdict is ResponseType.REFUSED or (step == "preview" and answer.verdict is not good):
        errors = [item for item in answer.messages if item.is_error] or answer.messages
        text = errors[0].text if errors else "no reason given"
        raise OrderRejected(
            f"The broker refused the order: {text}",
            details={"conf_num": number, "messages": message_details(answer.messages)},
        )
    if answer.verdict is not good or (number and (answer.conf_num or "").upper() != number):
        raise OrderUnknown(
            "The broker answered the order with neither yes nor no; look at the order status before anything else.",
            details={"conf_num": number, "verdict": str(answer.verdict)},
        )
    return with_reply(answer, reply)
