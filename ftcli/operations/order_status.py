"""The order list and one order of it, as other operations ask for them (protocol 02 §13)."""

from typing import Any

from ftcli.errors import NotFound
from ftcli.models.field import read
from ftcli.models.orders import Orders as OrderList
from ftcli.operations.operation import Core, with_reply
from ftcli.operations.params import clean_account
from ftcli.operations.verdicts import check_messages
from ftcli.wire import WireReply, WireRequest

STATUS = "/ftgw/dp/retail-order-status/v3/accounts/orders"
_FILTERS = [
    "fbOpenInd",
    "fbUSDInd",
    "fbFigurationInd",
    "fbDisbursementInd",
    "fbIncludeOptionInd",
    "fbPriceImprovementInd",
    "fvOrderStatusType",
    "fvSymbolWithOption",
    "fvExecCode",
    "fvSymbol",
    "fvOrderTypeCode",
    "orderId",
    "symbolOptIndCode",
]


def status_request(accounts: list[str], order_id: str | None = None) -> WireRequest:
    """The order list of some accounts, or one order; every filter is sent, as null (protocol 02 §13)."""
    parameter: dict[str, Any] = dict.fromkeys(_FILTERS)
    parameter["orderId"] = order_id
    parameter["acctDetails"] = {"acctDetail": [{"acctNum": acct, "accType": None} for acct in accounts]}
    view = "status-summary" if order_id is None else "status-detail"
    return WireRequest(
        host="dp",
        method="POST",
        path=f"{STATUS}/{view}",
        body={"request": {"parameter": parameter}},
        headers={"CL": "3"},
    )


async def fetch_status(core: Core, accounts: list[str]) -> tuple[OrderList, WireReply]:
    """Today's orders of some accounts and all that are still open."""
    reply = await core.send(status_request(accounts))
    check_messages(reply, "order")
    return read(OrderList, reply.document), reply


async def find_order(core: Core, order_id: str, acct: str | None) -> OrderList:
    """The entries of one order, looked for in one account or in all.

    Raises:
        NotFound: It is in none of them.
    """
    number = order_id.strip().upper()
    for account in [clean_account(acct)] if acct else await core.default_accounts():
        await core.account(account)
        reply = await core.send(status_request([account], number))
        check_messages(reply, "order")
        found = read(OrderList, reply.document)
        found.orders = [order for order in found.orders if (order.conf_num or "").upper() == number]
        if found.orders:
            return with_reply(found, reply)
    raise NotFound(f"There is no order {number}.", details={"order_id": number})
