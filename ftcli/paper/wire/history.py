"""History and realised gains as the main gateway answers them (protocol 01 §3.7, 3.9)."""

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ftcli.clock import market_date
from ftcli.models import history as models
from ftcli.models.field import write
from ftcli.models.values import read_bool, read_date, read_text
from ftcli.paper import figures, instruments
from ftcli.paper.history import CATEGORIES
from ftcli.paper.instruments import Instrument
from ftcli.paper.noise import text_key
from ftcli.paper.records import ZERO, Transaction
from ftcli.paper.wire.accounts import own_accounts
from ftcli.paper.wire.exchange import BadRequest, PaperRequest, answers, group, member

if TYPE_CHECKING:
    from ftcli.paper.desk import Desk

_KIND_CODES = {
    "option": ("O", "Option"),
    "mutual_fund": ("M", "Mutual Fund"),
    "money_market": ("M", "Mutual Fund"),
}
_CLOSED_KINDS = {"option": "Options", "mutual_fund": "Mutual Funds", "money_market": "Mutual Funds"}
_THOUSANDTH = Decimal("0.001")
_ONE = Decimal(1)


# -- transactions ------------------------------------------------------------------------------------------


@answers("POST", "/ftgw/dp/accountmanagement/transaction/history/v2")
def transactions(desk: "Desk", request: PaperRequest) -> Any:
    """Transactions by posting date, newest first (protocol 01 §3.7)."""
    body = request.document
    accounts = own_accounts(desk, member(body, "acctDetails"))
    criteria = group(body, "searchCriteriaDetail")
    first, last = (_day(criteria, name) for name in ("txnFromDate", "txnToDate"))
    reply = models.TransactionsReply(
        as_of=market_date(desk.now()),
        accounts=[
            models.AccountTransactions(
                account=account.number,
                transactions=[
                    _line(entry)
                    for entry in desk.engine.transactions(account.number, first, last)
                    if _wanted(entry, criteria)
                ],
            )
            for account in accounts
        ],
    )
    return write(reply)


def _day(holder: Any, name: str) -> date:
    """A required day of a request, in any of the broker's forms."""
    day = read_date(member(holder, name))
    if day is None:
        raise BadRequest(f"{name}: unreadable date {holder[name]!r}")
    return day


def _wanted(entry: Transaction, criteria: dict[str, Any]) -> bool:
    """Whether an entry passes the filters by code and security; ``null`` filters nothing."""
    category = CATEGORIES[entry.category]
    security = criteria.get("securityDetail")
    symbol = read_text(security.get("symbol")) if isinstance(security, dict) else None
    wanted = (
        (criteria.get("txnType"), category.type_code),
        (criteria.get("txnCat"), category.code),
        (criteria.get("txnSubCat"), category.sub_code),
        (symbol and instruments.normalise(symbol), entry.symbol),
    )
    return all(asked is None or asked == has for asked, has in wanted)


def _line(entry: Transaction) -> models.Transaction:
    category = CATEGORIES[entry.category]
    line = models.Transaction(
        posted=entry.posted,
        symbol=entry.symbol,
        action=entry.short_text,
        quantity=entry.quantity,
        price=entry.price,
        amount=entry.net,
        description=entry.text,
        principal=entry.principal,
        commission=entry.commission,
        fees=entry.fees,
        interest=entry.interest,
        traded=entry.traded,
        settles=entry.settles,
        type=category.type_text,
        type_code=category.type_code,
        category=category.text,
        category_code=category.code,
        sub_category=category.sub_text,
        sub_category_code=category.sub_code,
        security_name="",
        is_quotable=False,
    )
    if entry.holding is not None:
        line.account_type, line.account_type_code = entry.holding.text, str(entry.holding.number)
        line.is_cancelled = False
    if entry.symbol is not None:
        _add_security(line, entry.symbol, instruments.find(entry.symbol))
    return line


def _add_security(line: models.Transaction, symbol: str, instrument: Instrument | None) -> None:
    """The security block of a line; an instrument that is no longer listed has its symbol only."""
    if instrument is None:
        line.security_name = symbol
        return
    line.security_type_code, line.security_type = _KIND_CODES.get(instrument.kind, ("E", "Equity"))
    line.security_name = instrument.long_text if instrument.is_option else instrument.description
    line.cusip = instrument.cusip
    line.is_quotable = True
    if instrument.is_option:
        line.option_root = instrument.root
        line.expiration = instrument.expiration
        line.strike = instrument.strike
        line.right = instrument.right


# -- realised gains ----------------------------------------------------------------------------------------


@answers("POST", "/ftgw/dp/customer-am-position/v1/accounts/closedposition")
def closed_positions(desk: "Desk", request: PaperRequest) -> Any:
    """Realised gains per symbol (protocol 01 §3.9)."""
    parameters = group(request.document, "request", "parameters")
    accounts = own_accounts(desk, member(parameters, "acctDetails"))
    first, last = sale_range(desk, parameters)
    plain = bool(read_bool(parameters.get("isExcludeWashSales")))
    found = [desk.engine.closed_positions(account.number, first, last) for account in accounts]
    rows = [_closed_account(desk, entry, plain) for entry in found]
    sums = [row.totals for row in rows if row.totals is not None]
    long_term = sum((row.long_term_gain or ZERO for row in sums), ZERO)
    gain = sum((row.gain or ZERO for row in sums), ZERO)
    reply = models.ClosedPositionsReply(
        short_term_gain=gain - long_term,
        long_term_gain=long_term,
        gain=gain,
        proceeds=sum((row.proceeds or ZERO for row in sums), ZERO),
        cost_basis=sum((row.cost_basis or ZERO for row in sums), ZERO),
        accounts=rows,
    )
    return write(reply)


def sale_range(desk: "Desk", parameters: dict[str, Any]) -> tuple[date, date]:
    """The range of sale dates: two dates, or a tax year instead."""
    year = read_text(parameters.get("taxYear"))
    if year is not None:
        if not (year.isdigit() and 1900 <= int(year) <= 9999):
            raise BadRequest(f"taxYear: unreadable year {year!r}")
        return date(int(year), 1, 1), date(int(year), 12, 31)
    return _day(parameters, "startDate"), _day(parameters, "endDate")


def _closed_account(
    desk: "Desk", entry: figures.AccountClosedPositions, plain: bool
) -> models.ClosedPositions:
    positions = [_closed_position(desk, row, plain) for row in entry.positions]
    totals = _totals(entry, plain)
    totals.cost_basis = sum((row.cost_basis or ZERO for row in positions), ZERO)
    return models.ClosedPositions(
        account=entry.account, count=len(positions), totals=totals, positions=positions
    )


def _totals(entry: figures.AccountClosedPositions, plain: bool) -> models.ClosedTotals:
    """The sums of an account; ``plain`` leaves the wash-sale adjustment out."""
    whole, part = entry.total, entry.long_term
    return models.ClosedTotals(
        proceeds=entry.proceeds,
        gains=whole.unadjusted_gains if plain else whole.gains,
        losses=whole.unadjusted_losses if plain else whole.losses,
        disallowed_loss=ZERO if plain else whole.disallowed,
        gain=whole.unadjusted_total if plain else whole.total,
        unadjusted_gains=whole.unadjusted_gains,
        unadjusted_losses=whole.unadjusted_losses,
        unadjusted_gain=whole.unadjusted_total,
        long_term_gains=part.unadjusted_gains if plain else part.gains,
        long_term_losses=part.unadjusted_losses if plain else part.losses,
        long_term_disallowed_loss=ZERO if plain else part.disallowed,
        long_term_gain=part.unadjusted_total if plain else part.total,
        unadjusted_long_term_gains=part.unadjusted_gains,
        unadjusted_long_term_losses=part.unadjusted_losses,
        unadjusted_long_term_gain=part.unadjusted_total,
    )


def _closed_position(desk: "Desk", row: figures.ClosedPosition, plain: bool) -> models.ClosedPosition:
    since_purchase, since_close = _today(desk, row)
    return models.ClosedPosition(
        symbol=row.symbol,
        cusip=row.cusip,
        description=row.description,
        security_type=_CLOSED_KINDS.get(row.kind, "Stocks/ETFs"),
        quantity=row.quantity,
        proceeds=row.proceeds,
        has_all_costs=True,
        has_wash_sale=bool(row.disallowed) and not plain,
        intraday_code="SUCCESSFUL_RECALC",
        asset_id=str(200_000 + text_key(f"asset:{row.symbol}") % 100_000),
        short_description=row.description[:10],
        cost_basis=row.unadjusted_cost_basis if plain else row.cost_basis,
        unadjusted_cost_basis=row.unadjusted_cost_basis,
        disallowed_loss=ZERO if plain else row.disallowed,
        long_term_gain=row.long_term.unadjusted_total if plain else row.long_term.total,
        unadjusted_long_term_gain=row.long_term.unadjusted_total,
        gain=row.total.unadjusted_total if plain else row.total.total,
        unadjusted_gain=row.total.unadjusted_total,
        today_gain_since_purchase=since_purchase.quantize(_THOUSANDTH),
        today_gain_since_close=since_close.quantize(_THOUSANDTH),
    )


def _today(desk: "Desk", row: figures.ClosedPosition) -> tuple[Decimal, Decimal]:
    """What today's sales gained since the purchase and since the previous close."""
    today = [lot for lot in row.lots if lot.sold == market_date(desk.now())]
    if not today:
        return ZERO, ZERO
    close = desk.engine.prices().previous_close(row.symbol) or ZERO
    since_close = ZERO
    for lot in today:
        before = lot.quantity * multiplier(lot.symbol) * close
        since_close += before - lot.unadjusted_cost if lot.short else lot.proceeds - before
    return sum((lot.gain for lot in today), ZERO), since_close


def multiplier(symbol: str) -> Decimal:
    """Shares that a unit of a security stands for."""
    instrument = instruments.find(symbol)
    return _ONE if instrument is None else instrument.multiplier
