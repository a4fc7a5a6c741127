"""Closed, open and sellable lots as the main gateway answers them (protocol 01 §3.4, 3.10, 3.12)."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ftcli.models import lots as models
from ftcli.models.field import as_list, write
from ftcli.models.values import read_bool, read_text
from ftcli.paper import figures, instruments
from ftcli.paper.amounts import four_places
from ftcli.paper.history import gain_totals
from ftcli.paper.records import ZERO, Account, ClosedLot
from ftcli.paper.wire.accounts import own_accounts
from ftcli.paper.wire.exchange import BadRequest, PaperRequest, answers, group, member
from ftcli.paper.wire.history import multiplier, sale_range

if TYPE_CHECKING:
    from ftcli.paper.desk import Desk

_THOUSANDTH = Decimal("0.001")


@answers("POST", "/ftgw/dp/customer-am-position/v1/", suffix="/closedlots")
def closed_lots(desk: "Desk", request: PaperRequest) -> Any:
    """The closed lots of one symbol (protocol 01 §3.10)."""
    parameters = group(request.document, "request", "parameters")
    accounts = own_accounts(desk, member(parameters, "acctDetails"))
    symbol = _symbol(parameters)
    first, last = sale_range(desk, parameters)
    plain = bool(read_bool(parameters.get("isExcludeWashSales")))
    rows = []
    for account in accounts:
        lots = desk.engine.closed_lots(account.number, symbol, first, last)
        rows.append({"closedLotDetails": [], **write(_closed_lots(account, symbol, lots, plain))})
    return {"closedLots": {"acctDetails": {"acctDetail": rows}}}


def _symbol(*holders: Any) -> str:
    """The symbol of a request: its own or its security block's (protocol 01 §3.4, 3.10).

    Raises:
        BadRequest: There is none.
    """
    for holder in holders:
        if isinstance(holder, dict):
            security = holder.get("securityDetail")
            inner = security.get("symbol") if isinstance(security, dict) else None
            symbol = read_text(holder.get("symbol")) or read_text(inner)
            if symbol:
                return instruments.normalise(symbol)
    raise BadRequest("Missing field symbol")


def _closed_lots(account: Account, symbol: str, lots: list[ClosedLot], plain: bool) -> models.ClosedLots:
    instrument = instruments.find(symbol)
    totals = gain_totals(lots)
    return models.ClosedLots(
        account=account.number,
        symbol=symbol,
        cusip=None if instrument is None else instrument.cusip,
        description=symbol if instrument is None else instrument.description,
        count=len(lots),
        totals=models.ClosedLotTotals(
            proceeds=sum((lot.proceeds for lot in lots), ZERO),
            cost_basis=sum((lot.unadjusted_cost if plain else lot.cost for lot in lots), ZERO),
            gain=totals.unadjusted_total if plain else totals.total,
        ),
        lots=[_closed_lot(lot, plain) for lot in lots],
    )


def _closed_lot(lot: ClosedLot, plain: bool) -> models.ClosedLot:
    cost = lot.unadjusted_cost if plain else lot.cost
    return models.ClosedLot(
        lot_id=lot.lot_id,
        quantity=lot.quantity,
        acquired=lot.acquired,
        sold=lot.sold,
        proceeds=lot.proceeds,
        cost_per_share=four_places(cost / (lot.quantity * multiplier(lot.symbol))),
        term=models.Term.from_wire(lot.term),
        has_wash_sale=bool(lot.disallowed) and not plain,
        cost_basis=cost,
        unadjusted_cost_basis=lot.unadjusted_cost,
        disallowed_loss=ZERO if plain else lot.disallowed,
        gain=lot.proceeds - cost,
        unadjusted_gain=lot.unadjusted_gain,
    )


@answers("POST", "/ftgw/dp/position/open/lots/v1")
def open_lots(desk: "Desk", request: PaperRequest) -> Any:
    """The open lots of a holding (protocol 01 §3.4); account and symbol may stand in several places."""
    holder = request.document if isinstance(request.document, dict) else {}
    wrapper = holder.get("request")
    inner = wrapper.get("parameter") if isinstance(wrapper, dict) else None
    parameter = inner if isinstance(inner, dict) else {}
    asked = as_list(parameter.get("acctDetails"), "acctDetail")
    if not asked:
        number = read_text(parameter.get("acctNum")) or read_text(holder.get("acctNum"))
        if number is None:
            raise BadRequest("Missing field request.parameter.acctDetails")
        asked = [{"acctNum": number}]
    own = {account.number for account in own_accounts(desk, asked)}
    rows = []
    for row in asked:
        number = read_text(row.get("acctNum")) if isinstance(row, dict) else None
        if number is not None and number in own:
            symbol = _symbol(row, parameter, holder)
            lots = [_open_lot(lot) for lot in desk.engine.lots(number, symbol)]
            reply = models.OpenLots(account=number, symbol=symbol, count=len(lots), lots=lots)
            rows.append(write(reply))
    return {"openLots": {"acctDetails": {"acctDetail": rows}}}


def _open_lot(lot: figures.OpenLot) -> models.OpenLot:
    return models.OpenLot(
        lot_id=lot.lot_id,
        acquired=lot.acquired,
        quantity=lot.quantity,
        cost_basis=lot.cost_basis,
        cost_per_share=lot.cost_per_share,
        gain=lot.gain,
        term=models.Term.from_wire(lot.term),
    )


@answers("POST", "/ftgw/dp/orderentry/taxlot/v1")
def tax_lots(desk: "Desk", request: PaperRequest) -> Any:
    """The lots offered for a sale of specific shares, held as the request says (protocol 01 §3.12)."""
    body = request.document
    code, number = str(member(body, "holdingTypeCode")), str(member(body, "acctNum"))
    symbol = str(member(body, "securityDetail", "symbol"))
    if code not in {holding.wire for holding in models.HoldingType}:
        raise BadRequest(f"holdingTypeCode: unknown code {code!r}")
    own_accounts(desk, [{"acctNum": number}])
    holding = int(code[1:])
    lots = [
        lot
        for lot in desk.engine.lots(number, instruments.normalise(symbol))
        if lot.holding_number == holding
    ]
    reply = models.TaxLots(
        account=number,
        symbol=symbol,
        executed_quantity=ZERO,
        lots=[_tax_lot(lot) for lot in lots],
        account_type_code=holding,
        count=len(lots),
        selected_count=0,
        selected_total=0,
        is_current=False,
    )
    return write(reply)


def _tax_lot(lot: figures.OpenLot) -> models.TaxLot:
    return models.TaxLot(
        lot=lot.sequence,
        quantity=lot.quantity,
        selected_quantity=ZERO,
        term=models.Term.from_wire(lot.term),
        price=lot.price,
        cost_basis=lot.cost_basis,
        gain=lot.gain.quantize(_THOUSANDTH),
        source="Fidelity",
        has_wash_sale=lot.wash_sale,
        disqualified_code="0",
        original_lot_id="",
        local_cost_per_share="0.0000",
        local_cost_basis="0.0000",
        local_gain="0.0000",
        lot_id=lot.lot_id,
        acquired=lot.acquired,
        average_cost=lot.cost_per_share,
    )
