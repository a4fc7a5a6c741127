"""Price triggers as `dp` keeps them (protocol 04 §2); :mod:`ftcli.paper.price_triggers` fires them."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ftcli.models.alerts import TriggerOperator
from ftcli.models.field import as_list
from ftcli.models.values import read_decimal, read_int, read_text
from ftcli.paper.documents import Documents
from ftcli.paper.numbered import lay_in, next_number, stocked
from ftcli.paper.price_triggers import KIND
from ftcli.paper.wire.exchange import BadRequest, PaperRequest, answers, member

if TYPE_CHECKING:
    from ftcli.paper.desk import Desk

PATH = "/ftgw/dp/retail-price-triggers/v1/investments/research/alert/price-triggers"
PAGE = 20
_FIRST_ID = 1_107_340_000
_OPERATORS = {operator.wire for operator in TriggerOperator}
_ECHOED = ("id", "symbol", "operator", "value", "currency", "createTime", "updateTime", "devices")
_LISTED = (*_ECHOED[:5], "notes", "createTime", "updateTime", "status", "devices")


@answers("GET", f"{PATH}/list")
def list_triggers(desk: "Desk", request: PaperRequest) -> Any:
    """Triggers of a status, of one symbol or all, in pages (protocol 04 §2.1)."""
    status = request.query.get("status", "")
    if status not in ("active", "expired"):
        raise BadRequest("status: must be active or expired")
    offset = read_int(request.query.get("offset", "0"))
    if offset is None or offset < 0:
        raise BadRequest("offset: must be a number from 0 on")
    symbol = request.query.get("symbol", "").upper()
    desk.engine.advance()
    found = [
        {name: trigger[name] for name in _LISTED}
        for trigger in stocked(Documents(desk.state, KIND).all(), {}).values()
        if trigger["status"] == status and symbol in ("", trigger["symbol"])
    ]
    counts = {"totalAccount": len(found), "availableAccount": len(found), "offset": offset}
    return {"priceTrigger": {**counts, "triggers": found[offset : offset + PAGE]}}


@answers("POST", f"{PATH}/create")
def create_triggers(desk: "Desk", request: PaperRequest) -> Any:
    """Makes triggers: all of them or, where one is wrong, none (protocol 04 §2.2)."""
    body = request.document
    names = [read_text(device.get("name")) for device in as_list(member(body, "devices"))]
    devices = [{"name": name} for name in names if name]
    terms = [_terms(desk, entry) for entry in as_list(member(body, "triggers"))]
    if not terms:
        raise BadRequest("triggers: at least one is needed")
    stamp = int(desk.engine.now().timestamp() * 1000)
    made = []
    with Documents(desk.state, KIND).changing() as changing:
        lay_in(changing, {})
        for entry in terms:
            key = str(_FIRST_ID + next_number(changing))
            trigger = {
                "id": key,
                **entry,
                "createTime": stamp,
                "updateTime": stamp,
                "status": "active",
                "devices": devices,
            }
            changing.put(key, trigger)
            made.append({name: trigger[name] for name in _ECHOED})
    return {"triggers": made}


def _terms(desk: "Desk", entry: Any) -> dict[str, Any]:
    """What a trigger says, and the price of the moment, from which percents count.

    Raises:
        BadRequest: Operator, symbol or value is none.
    """
    symbol = str(member(entry, "symbol")).strip().upper()
    operator = member(entry, "operator")
    if operator not in _OPERATORS:
        raise BadRequest(f"operator: unknown code {operator!r}")
    value = read_decimal(member(entry, "value"))
    if value is None or value <= 0:
        raise BadRequest("value: must be above 0")
    quote = desk.market.quote(symbol, desk.engine.now())
    if quote is None:
        raise BadRequest(f"symbol: {symbol} is unknown")
    return {
        "symbol": symbol,
        "operator": operator,
        "value": _plain(value),
        "currency": str(member(entry, "currency")),
        "notes": str(entry.get("notes") or ""),
        "reference": quote.last,
    }


def _plain(value: Decimal) -> Decimal | int:
    """Whole values come without decimals."""
    return int(value) if value == value.to_integral_value() else value.normalize()


@answers("POST", f"{PATH}/delete")
def delete_triggers(desk: "Desk", request: PaperRequest) -> Any:
    """Takes triggers away; ids that nobody knows do not matter (protocol 04 §2.3)."""
    ids = [str(member(entry, "id")) for entry in as_list(member(request.document, "triggers"))]
    if not ids:
        raise BadRequest("triggers: at least one is needed")
    with Documents(desk.state, KIND).changing() as changing:
        for key in ids:
            if key in stocked(changing.documents, {}):
                changing.delete(key)
    return {"status": "success"}
