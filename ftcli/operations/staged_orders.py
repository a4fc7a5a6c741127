"""Drafts the broker keeps for you (protocol 02 §12)."""

import uuid
from typing import Annotated, Any

from ftcli.errors import BrokerError, NotFound
from ftcli.models.field import as_list, read
from ftcli.models.staged import StagedOrders
from ftcli.models.tickets import EquityOrder, price_terms
from ftcli.operations.equity_orders import account_type_code
from ftcli.operations.operation import Group, Param, operation, with_reply
from ftcli.operations.params import clean_account, clean_symbol
from ftcli.wire import Retry, WireReply, WireRequest

STAGE_TYPE = "saveD_ORDER"
"""The odd casing is the broker's."""

StageId = Annotated[str, Param("Id of the draft, from the list.", argument=True, example="SIMSTG000042")]


class StagedOrderGroup(Group):
    """Saved drafts of orders."""

    name = "orders.staged"

    @operation("GET", "/orders/staged", examples=("orders staged list",))
    async def list(self) -> StagedOrders:
        """List the drafts the broker keeps. They never reach a market.

        Source: protocol 02 §12.1.
        """
        reply = await self.core.send(_request("get", {"stageType": STAGE_TYPE, "stageIds": []}, Retry.READ))
        _check(reply)
        return with_reply(read(StagedOrders, reply.document), reply)

    @operation("POST", "/orders/staged/save", risk="write", inferred=True)
    async def save(
        self,
        order: Annotated[EquityOrder, Param("The order to keep.")],
        stage_id: Annotated[str | None, Param("Draft to overwrite; a new one where left out.")] = None,
    ) -> StagedOrders:
        """Save a draft of an equity order. Nothing is entered.

        Raises:
            NotFound: There is no draft to overwrite.

        Source: protocol 02 §12.2.
        """
        account = await self.core.account(clean_account(order.account))
        prices = price_terms(order)
        draft = {
            "stageType": STAGE_TYPE,
            "acctNum": account.account,
            "symbol": clean_symbol(order.symbol),
            "orderActionCode": order.action.wire,
            "acctTypeCode": account_type_code(account),
            "qty": order.quantity,
            "qtyTypeCode": "S",
            "tifCode": order.time_in_force.wire,
            **prices,
            "mktRouteCode": order.route,
        }
        if stage_id:
            draft["stageId"] = stage_id.strip()
        reply = await self.core.send(_request("save", draft, Retry.NEVER))
        if stage_id and "204" in _codes(reply):
            raise NotFound(f"There is no draft {stage_id}.", details={"stage_id": stage_id})
        _check(reply)
        return with_reply(read(StagedOrders, reply.document), reply)

    @operation(
        "DELETE",
        "/orders/staged/{stage_id}",
        risk="write",
        inferred=True,
        examples=("orders staged delete SIMSTG000042",),
    )
    async def delete(self, stage_id: StageId) -> StagedOrders:
        """Delete a draft.

        Raises:
            NotFound: There is no such draft.

        Source: protocol 02 §12.3.
        """
        draft = {"stageType": STAGE_TYPE, "stageIds": [stage_id.strip()]}
        reply = await self.core.send(_request("delete", draft, Retry.WRITE))
        if "204" in _codes(reply):
            raise NotFound(f"There is no draft {stage_id}.", details={"stage_id": stage_id})
        _check(reply)
        return with_reply(read(StagedOrders, reply.document), reply)


def _request(step: str, draft: dict[str, Any], retry: Retry) -> WireRequest:
    return WireRequest(
        host="dp",
        method="POST",
        path=f"/ftgw/dp/ent-research-staging/v1/customers/staged-order/{step}",
        body={"stagedOrders": [draft]},
        headers={"FID-LOG-TRACKING-ID": f"REQ{uuid.uuid4().hex}"},
        retry=retry,
    )


def _codes(reply: WireReply) -> set[str]:
    document = reply.document if isinstance(reply.document, dict) else {}
    return {str(item.get("code")) for item in as_list(document.get("messages")) if isinstance(item, dict)}


def _check(reply: WireReply) -> None:
    """The code decides, never the text: 204 says that nothing is stored, which is no error (protocol 02 §12.1).

    Raises:
        BrokerError: A message of severity ERROR.
    """
    document = reply.document if isinstance(reply.document, dict) else {}
    for item in as_list(document.get("messages")):
        if isinstance(item, dict) and str(item.get("severity")).upper() == "ERROR":
            raise BrokerError(f"The broker says: {item.get('message')}", details={"code": item.get("code")})
