"""Tax lots: open, offered for a sale of specific shares, closed (protocol 01 §3.4, 3.10, 3.12)."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Self

from ftcli.models.field import PER_SHARE, SHARES, USD, Document, Model, at
from ftcli.models.values import Code


class Term(Code):
    """How long a lot was held, for the tax: up to a year is short."""

    LONG = "long", "Long"
    SHORT = "short", "Short"

    @classmethod
    def from_wire(cls, code: str) -> Self:
        """The member of a broker's word in any case; an unknown one is kept as received."""
        word = code.capitalize()
        return super().from_wire(word if any(member.wire == word for member in cls) else code)


class HoldingType(Code):
    """How a position is held; the broker's code is an underscore and the account type (protocol 01 §3.12)."""

    CASH = "cash", "_1"
    MARGIN = "margin", "_2"
    SHORT = "short", "_3"


class ClosedLot(Model):
    """A closed tax lot, or the closed part of one (protocol 01 §3.10)."""

    acquired: Annotated[date | None, at("acquiredDate", "Acquired on.", column="Acquired")] = None
    sold: Annotated[date | None, at("soldDate", "Sold on.", column="Sold")] = None
    quantity: Annotated[
        Decimal | None, at("quantity", "Shares or contracts closed.", unit=SHARES, column="Quantity")
    ] = None
    term: Annotated[Term | None, at("term", "Holding period.", column="Term")] = None
    proceeds: Annotated[Decimal | None, at("proceedsAmt", "Proceeds.", unit=USD, column="Proceeds")] = None
    cost_basis: Annotated[
        Decimal | None,
        at("costBasisDetail.costBasis", "Cost after wash sales.", unit=USD, column="Cost basis"),
    ] = None
    gain: Annotated[
        Decimal | None,
        at("gainLossDetail.totalGainLoss", "Realised gain.", unit=USD, column="Gain", signed=True),
    ] = None
    disallowed_loss: Annotated[
        Decimal | None,
        at(
            "costBasisDetail.disallowedAmount",
            "Loss disallowed by a wash sale.",
            unit=USD,
            column="Disallowed",
        ),
    ] = None
    has_wash_sale: Annotated[
        bool | None, at("isWashSaleAdjusted", "Whether a wash sale changed the cost.")
    ] = None
    cost_per_share: Annotated[Decimal | None, at("costPerShare", "Cost.", unit=PER_SHARE)] = None
    unadjusted_cost_basis: Annotated[
        Decimal | None, at("costBasisDetail.unadjustedCostBasis", "Cost before wash sales.", unit=USD)
    ] = None
    unadjusted_gain: Annotated[
        Decimal | None, at("gainLossDetail.unadjustedTotalGainLoss", "Gain before wash sales.", unit=USD)
    ] = None
    lot_id: Annotated[str | None, at("lotId", "Id of the lot.")] = None


class ClosedLotTotals(Model):
    """Sums over the closed lots of one security (protocol 01 §3.10)."""

    proceeds: Annotated[Decimal | None, at("proceedsAmtTotal", "Proceeds.", unit=USD)] = None
    cost_basis: Annotated[Decimal | None, at("costBasisTotal", "Cost.", unit=USD)] = None
    gain: Annotated[Decimal | None, at("totalGainLoss", "Realised gain.", unit=USD)] = None


class ClosedLots(Document):
    """The closed lots of one security in one account, in a range of sale dates."""

    account: Annotated[str, at("acctNum", "Account number.")] = ""
    symbol: Annotated[str | None, at("symbol", "Symbol.")] = None
    start: Annotated[date | None, at(None, "First sale date asked for.")] = None
    end: Annotated[date | None, at(None, "Day after the last sale date asked for.")] = None
    lots: Annotated[list[ClosedLot], at("closedLotDetails[]|lots[]", "The closed lots.")] = []
    totals: Annotated[ClosedLotTotals | None, at(".", "Sums over the lots.")] = None
    count: Annotated[int | None, at("closedLotCount", "Number of lots.")] = None
    description: Annotated[str | None, at("securityDescription", "Name of the security.")] = None
    cusip: Annotated[str | None, at("cusip", "CUSIP, nine characters.")] = None


class OpenLot(Model):
    """An open tax lot (protocol 01 §3.4)."""

    acquired: Annotated[date | None, at("acquiredDate", "Acquired on.", column="Acquired")] = None
    quantity: Annotated[
        Decimal | None,
        at("quantity", "Shares or contracts left; negative when short.", unit=SHARES, column="Quantity"),
    ] = None
    term: Annotated[Term | None, at("term", "Holding period so far.", column="Term")] = None
    cost_per_share: Annotated[
        Decimal | None, at("costPerShare", "Cost.", unit=PER_SHARE, column="Cost/share")
    ] = None
    cost_basis: Annotated[Decimal | None, at("costBasis", "Total cost.", unit=USD, column="Cost basis")] = (
        None
    )
    gain: Annotated[
        Decimal | None,
        at("gainLoss", "Market value less cost.", unit=USD, column="Gain", signed=True),
    ] = None
    lot_id: Annotated[str | None, at("lotId", "Id, as orders for specific shares take it.", column="Lot")] = (
        None
    )


class OpenLots(Document):
    """The open lots of one security in one account, oldest first."""

    account: Annotated[str, at("acctNum", "Account number.")] = ""
    symbol: Annotated[str | None, at("symbol", "Symbol.")] = None
    lots: Annotated[
        list[OpenLot], at("lotDetails.lotDetail[]|lotDetail[]|lots[]", "The lots, oldest first.")
    ] = []
    count: Annotated[int | None, at("lotCount", "Number of lots.")] = None


class TaxLot(Model):
    """A lot as offered for a sale of specific shares (protocol 01 §3.12)."""

    lot: Annotated[int | None, at("lotSeq", "Number of the lot, from 1.", column="#")] = None
    acquired: Annotated[
        date | None,
        at("specificShrTaxLotAccountingDetail.acquisitionDate", "Acquired on.", column="Acquired"),
    ] = None
    quantity: Annotated[
        Decimal | None, at("lotQty", "Shares in the lot.", unit=SHARES, column="Quantity")
    ] = None
    term: Annotated[
        Term | None, at("specificShrTaxLotAccountingDetail.term", "Holding period so far.", column="Term")
    ] = None
    price: Annotated[
        Decimal | None,
        at(
            "specificShrTaxLotAccountingDetail.acquisitionPrice",
            "Price paid.",
            unit=PER_SHARE,
            column="Price",
        ),
    ] = None
    cost_basis: Annotated[
        Decimal | None,
        at("specificShrTaxLotAccountingDetail.costBasis", "Total cost.", unit=USD, column="Cost basis"),
    ] = None
    gain: Annotated[
        Decimal | None,
        at(
            "specificShrTaxLotAccountingDetail.unrealizedGainLoss",
            "Market value less cost.",
            unit=USD,
            column="Gain",
            signed=True,
        ),
    ] = None
    lot_id: Annotated[
        str | None,
        at(
            "specificShrTaxLotAccountingDetail.eventId",
            "Id, as orders for specific shares take it.",
            column="Lot",
        ),
    ] = None
    average_cost: Annotated[
        Decimal | None, at("specificShrTaxLotAccountingDetail.avgCostPerShare", "Cost.", unit=PER_SHARE)
    ] = None
    selected_quantity: Annotated[
        Decimal | None,
        at(
            "specificShrTaxLotAccountingDetail.qty", "Shares chosen by an order; 0 when listing.", unit=SHARES
        ),
    ] = None
    has_wash_sale: Annotated[
        bool | None,
        at("specificShrTaxLotAccountingDetail.washSaleInd", "Whether a wash sale changed the cost."),
    ] = None
    source: Annotated[
        str | None, at("specificShrTaxLotAccountingDetail.source", "Who gave the cost: Fidelity ...")
    ] = None
    original_lot_id: Annotated[
        str | None, at("specificShrTaxLotAccountingDetail.eventIdOrig", "Id of the lot it came from.")
    ] = None
    disqualified_code: Annotated[
        str | None,
        at("specificShrTaxLotAccountingDetail.disqualifiedDisplayTypeCode", "The broker's code; 0 is none."),
    ] = None
    local_cost_per_share: Annotated[
        str | None,
        at(
            "specificShrTaxLotAccountingDetail.localTLABasisPerShare",
            "Cost per share in the lot's own currency.",
        ),
    ] = None
    local_cost_basis: Annotated[
        str | None,
        at("specificShrTaxLotAccountingDetail.localTLATotalBasis", "Total cost in the lot's own currency."),
    ] = None
    local_gain: Annotated[
        str | None,
        at("specificShrTaxLotAccountingDetail.localUnrealizedGainLoss", "Gain in the lot's own currency."),
    ] = None


class TaxLots(Document):
    """The lots of one security that a sale of specific shares may choose from."""

    account: Annotated[str, at("acctNum", "Account number.")] = ""
    symbol: Annotated[str | None, at("securityDetail.symbol", "Symbol.")] = None
    lots: Annotated[
        list[TaxLot], at("specificShrTaxLotDetail.specificShrTaxLotDetails[]", "The lots, oldest first.")
    ] = []
    account_type_code: Annotated[int | None, at("acctTypeCode", "1 cash, 2 margin, 3 short.")] = None
    executed_quantity: Annotated[Decimal | None, at("execQty", "Quantity already executed.", unit=SHARES)] = (
        None
    )
    count: Annotated[
        int | None, at("specificShrTaxLotDetail.summary.numOfLotsTotal", "Number of lots listed.")
    ] = None
    selected_count: Annotated[
        int | None, at("specificShrTaxLotDetail.numOfLots", "Number of lots chosen; 0 when listing.")
    ] = None
    selected_total: Annotated[
        int | None, at("specificShrTaxLotDetail.summary.numOfLots", "The same, as the summary has it.")
    ] = None
    is_current: Annotated[
        bool | None, at("lotCurrInd", "The broker's flag of that name.", form="upper_text")
    ] = None
