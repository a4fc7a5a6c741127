"""Loans and accruals as the main gateway answers them (protocol 01 §3.11, 3.15, 3.16)."""

from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

from ftcli.models import holdings as models
from ftcli.models.field import write
from ftcli.paper import figures
from ftcli.paper.amounts import cents
from ftcli.paper.records import ZERO
from ftcli.paper.wire.accounts import own_accounts
from ftcli.paper.wire.exchange import PaperRequest, answers, group, member

if TYPE_CHECKING:
    from ftcli.paper.desk import Desk

COLLATERAL_ID = "L0C995531"
COLLATERAL_TEXT = "Collateral Held at Custodian Bank"
_COLLATERAL_SHARE = Decimal("1.02")
_THOUSANDTH = Decimal("0.001")
_ACCRUALS = "/ftgw/dp/retail-am-accountaccruals"


@answers("POST", "/ftgw/dp/retail-am-loanedsecurities/v1/accounts/positions/rates")
def loaned_securities(desk: "Desk", request: PaperRequest) -> Any:
    """Shares on loan (protocol 01 §3.11)."""
    parameters = group(request.document, "request", "parameters")
    accounts = own_accounts(desk, member(parameters, "acctDetails"))
    rows = [_loans(account.number, desk.engine.loans(account.number)) for account in accounts]
    return {"loanedSecurities": {"acctDetails": {"acctDetail": rows}}}


def _loans(account: str, loans: tuple[figures.LoanFigures, ...]) -> dict[str, Any]:
    """One account; outside the programme it has neither list, and plain zeros."""
    if not loans:
        zeros = models.LoanTotals(prior_day=ZERO, month_to_date=ZERO, prior_month=ZERO)
        return write(models.LoanedSecurities(account=account, totals=zeros))
    lent = sum((_dollars(loan.value) for loan in loans), ZERO)
    secured = (lent * _COLLATERAL_SHARE).to_integral_value(ROUND_CEILING)
    held = models.Collateral(collateral_id=COLLATERAL_ID, description=COLLATERAL_TEXT, amount=secured)
    answer = models.LoanedSecurities(
        account=account,
        totals=models.LoanTotals(
            prior_day=cents(sum((loan.prior_day for loan in loans), ZERO)),
            month_to_date=cents(sum((loan.month_to_date for loan in loans), ZERO)),
            prior_month=cents(sum((loan.prior_month for loan in loans), ZERO)),
        ),
        loans=[_loan(loan) for loan in loans],
        collateral=[held] if lent else [],
    )
    return write(answer)


def _dollars(value: Decimal) -> Decimal:
    return value.to_integral_value(ROUND_HALF_UP)


def _loan(loan: figures.LoanFigures) -> models.SecurityLoan:
    """A loan; of one that has ended only the interest of the month is left."""
    row = models.SecurityLoan(
        symbol=loan.symbol,
        cusip=loan.cusip,
        description=loan.description,
        month_to_date=cents(loan.month_to_date),
    )
    if loan.active:
        row.rate = loan.rate.quantize(_THOUSANDTH)
        row.value = _dollars(loan.value)
        row.quantity = loan.quantity
        row.prior_day = cents(loan.prior_day)
    return row


@answers("POST", f"{_ACCRUALS}/v1/accounts/accruals")
@answers("POST", f"{_ACCRUALS}/v2/accounts/accruals")
def accruals(desk: "Desk", request: PaperRequest) -> Any:
    """Margin interest and borrow charges; both versions answer the same (protocol 01 §3.15)."""
    parameters = group(request.document, "request", "parameters")
    accounts = own_accounts(desk, member(parameters, "acctDetails"))
    rows = []
    for account in accounts:
        parts = desk.engine.accruals(account.number)
        row = _accruals(account.number, parts)
        for component in row.get("accrualDetails", {}).get("accrualDetail", []):
            for key in ("symbol", "cusip", "quantity"):
                component.setdefault(key, None)
        rows.append(row)
    return {"accruals": {"acctDetails": {"acctDetail": rows}}}


@answers("POST", f"{_ACCRUALS}/v1/accounts/cash/accruals")
def cash_accruals(desk: "Desk", request: PaperRequest) -> Any:
    """Interest that cash earns (protocol 01 §3.16)."""
    parameters = group(request.document, "request", "parameters")
    accounts = own_accounts(desk, member(parameters, "acctDetails"))
    rows = [
        _accruals(account.number, desk.engine.cash_accruals(account.number), currency="USD")
        for account in accounts
    ]
    return {"cashAccruals": {"acctDetails": {"acctDetail": rows}}}


def _accruals(
    account: str, parts: tuple[figures.Accrual, ...], currency: str | None = None
) -> dict[str, Any]:
    """One account with its components; without any it has no list of them."""
    answer = models.Accruals(
        account=account,
        totals=models.AccrualTotals(
            prior_day=sum((part.prior_day for part in parts), ZERO),
            month_to_date=sum((part.month_to_date for part in parts), ZERO),
            prior_month=sum((part.prior_month for part in parts), ZERO),
        ),
        accruals=[
            models.Accrual(
                code=part.code,
                kind=part.text,
                symbol=part.symbol,
                cusip=part.cusip,
                currency=currency,
                accrued_on=part.accrued_on,
                balance=part.balance,
                quantity=part.quantity,
                rate=part.rate,
                prior_day=part.prior_day,
                month_to_date=part.month_to_date,
            )
            for part in parts
        ],
    )
    return write(answer)
