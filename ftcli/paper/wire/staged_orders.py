"""Drafts of orders, agreements and stock locates (protocol 02 §12, 14, 15)."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ftcli.models.field import as_list
from ftcli.models.values import read_decimal, read_text
from ftcli.paper.documents import Documents
from ftcli.paper.numbered import lay_in, next_number, stocked
from ftcli.paper.symbols import available_to_borrow, find
from ftcli.paper.wire.exchange import BadRequest, PaperRequest, answers, member, sys_messages
from ftcli.paper.wire.orders import check_owner

if TYPE_CHECKING:
    from ftcli.paper.desk import Desk

PATH = "/ftgw/dp/ent-research-staging/v1/customers/staged-order"
KIND = "staged_orders"
AGREEMENTS = "agreements"
_AGREEMENT_CODES = ("EXTHRS", "MKTDATA")
_NEEDED = ("acctNum", "symbol", "orderActionCode", "qty", "priceTypeCode", "tifCode")


def _said(code: str, text: str, severity: str = "INFO") -> dict[str, Any]:
    return {"messages": [{"code": code, "severity": severity, "message": text}]}


_NOTHING = "NOTHING STORED FOR THIS STAGE TYPE."


def _selected(desk: "Desk", entries: Any) -> dict[str, Any]:
    """The drafts that selectors name: all of a type, or those of some ids."""
    kept = stocked(Documents(desk.state, KIND).all(), {})
    found: dict[str, Any] = {}
    for entry in as_list(entries):
        kind, ids = member(entry, "stageType"), as_list(entry.get("stageIds"))
        found |= {
            key: draft
            for key, draft in kept.items()
            if draft["stageType"] == kind and (not ids or key in ids)
        }
    return found


@answers("POST", f"{PATH}/get")
def get_staged(desk: "Desk", request: PaperRequest) -> Any:
    """Drafts; where there is none, a note and no list (protocol 02 §12.1)."""
    found = _selected(desk, member(request.document, "stagedOrders"))
    if not found:
        return _said("204", _NOTHING)
    return {**_said("200", "SUCCESS"), "stagedOrders": list(found.values())}


@answers("POST", f"{PATH}/save")
def save_staged(desk: "Desk", request: PaperRequest) -> Any:
    """Keeps drafts: new ones, or in the place of those whose id they carry (protocol 02 §12.2)."""
    drafts = as_list(member(request.document, "stagedOrders"))
    for draft in drafts:
        member(draft, "stageType")
        check_owner(desk, str(member(draft, "acctNum")))
        missing = [name for name in _NEEDED if draft.get(name) is None]
        if missing:
            return _said("400", f"MISSING {', '.join(missing)}", "ERROR")
    saved = []
    with Documents(desk.state, KIND).changing() as changing:
        lay_in(changing, {})
        if any(read_text(draft.get("stageId")) not in (None, *changing.documents) for draft in drafts):
            return _said("204", _NOTHING)
        for draft in drafts:
            key = read_text(draft.get("stageId")) or f"SIMSTG{next_number(changing):06d}"
            changing.put(key, {"stageId": key, **{name: draft[name] for name in draft if name != "stageId"}})
            saved.append({"stageId": key, "stageType": draft["stageType"]})
    return {**_said("200", "SUCCESS"), "stagedOrders": saved}


@answers("POST", f"{PATH}/delete")
def delete_staged(desk: "Desk", request: PaperRequest) -> Any:
    """Takes drafts away; all that are named or, where one is unknown, none (protocol 02 §12.3)."""
    entries = as_list(member(request.document, "stagedOrders"))
    ids = [str(key) for entry in entries for key in as_list(entry.get("stageIds"))]
    if not ids:
        raise BadRequest("Missing field stagedOrders.stageIds")
    found = _selected(desk, entries)
    if any(key not in found for key in ids):
        return _said("204", _NOTHING)
    with Documents(desk.state, KIND).changing() as changing:
        for key in ids:
            changing.delete(key)
    return _said("200", "SUCCESS")


@answers("POST", "/ftgw/dp/trade/useragreement/modify/v1")
def accept_agreement(desk: "Desk", request: PaperRequest) -> Any:
    """Notes that an agreement was accepted; one that nobody knows is refused (protocol 02 §14)."""
    parameter = member(request.document, "request", "parameter")
    account, code = str(member(parameter, "acctNum")), str(member(parameter, "agreementTypeCode"))
    check_owner(desk, account)
    good = code in _AGREEMENT_CODES and parameter.get("acceptInd") is True
    if good:
        moment = desk.now().isoformat()
        Documents(desk.state, AGREEMENTS).put(f"{account} {code}", {"acceptedAt": moment})
    answer = {"acctNum": account, "agreementTypeCode": code, "respTypeCode": "A" if good else "E"}
    return {"userAgreement": answer}


@answers("POST", "/ftgw/dp/reference/security/stock/locate/find/v1")
def find_locate(desk: "Desk", request: PaperRequest) -> Any:
    """Shares for a short sale: all that are asked for, or none (protocol 02 §15)."""
    body = request.document
    accounts = as_list(member(body, "accounts"))
    for account in accounts:
        check_owner(desk, str(account))
    wanted = read_decimal(member(body, "qty"))
    if not accounts or wanted is None or wanted <= 0:
        raise BadRequest("accounts and qty must say for whom and how much")
    security = find(str(member(body, "symbol")))
    if security is None or not security.tradable or security.is_fund:
        return sys_messages("4004", f"{body['symbol']} is unknown")
    available = Decimal(available_to_borrow(security)) if security.shortable else Decimal(0)
    good = wanted <= available
    locate = {
        "qtyRequested": wanted,
        "qtyLocated": wanted if good else 0,
        "respTypeCode": "A" if good else "E",
    }
    known = {"symbol": security.symbol, "cusip": security.cusip, "availShares": available}
    return {"security": known, "locate": locate}
