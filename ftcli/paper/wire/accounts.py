"""Accounts, positions and balances as the main gateway answers them (protocol 01 §3.1, 3.3, 3.6)."""

from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

from ftcli.models import accounts as models
from ftcli.models.balances import Balances, BalanceSnapshot, BalancesReply
from ftcli.models.field import as_list, write
from ftcli.models.values import read_text
from ftcli.paper import figures
from ftcli.paper.records import Account
from ftcli.paper.wire.exchange import Forbidden, PaperRequest, answers, group, member

if TYPE_CHECKING:
    from ftcli.paper.desk import Desk

CENT = Decimal("0.01")
SECURITY_TYPES = {
    "core": ("Core", "Fidelity Mutual Fund"),
    "equity": ("Equity", "Common Stock"),
    "etf": ("Exchange Traded", "Exchange Traded Fund"),
    "fund": ("Mutual Fund", "Fidelity Mutual Fund"),
}


def own_accounts(desk: "Desk", rows: Any) -> list[Account]:
    """The login's brokerage accounts among those asked for, in request order (protocol 01 §1.7).

    Raises:
        Forbidden: None of them belongs to the login.
    """
    named = (row.get("acctNum") if isinstance(row, dict) else row for row in as_list(rows, "acctDetail"))
    wanted = [read_text(number) for number in named]
    known = {account.number: account for account in desk.engine.accounts() if account.brokerage}
    found = [known[number] for number in wanted if number in known]
    if wanted and not found:
        raise Forbidden("Account not authorized")
    return found


@answers("POST", "/ftgw/dp/customer-am-acctnxt/v2/accounts")
def discover(desk: "Desk", request: PaperRequest) -> Any:
    """Account discovery; each filter asks for one block (protocol 01 §3.1)."""
    body = request.document
    categories = str(member(body, "acctCategory")).split(",")
    filters = group(body, "filters")
    kinds = {"Brokerage"} if "Brokerage" in categories else set()
    if "WorkplaceContributions" in categories:
        kinds.add("WPS")
    rows = [write(_account(account)) for account in desk.engine.accounts() if account.kind in kinds]
    blocks = {
        "preferenceDetail": "returnPreferenceDetail",
        "acctTradeAttrDetail": "returnAcctTradeAttrDetail",
        "acctTypesIndDetail": "returnAcctTypesIndDetail",
        "acctLegalAttrDetail": "returnAcctLegalAttrDetail",
        "workplacePlanDetail": "returnWorkplacePlanDetail",
    }
    for row in rows:
        for block, switch in blocks.items():
            if not filters.get(switch):
                row.pop(block, None)
    return {"acctDetails": rows}


def _account(account: Account) -> models.Account:
    plan = account.plan
    brokerage = account.brokerage
    return models.Account(
        account=account.number,
        name=account.name,
        account_type=account.kind,
        sub_type=account.sub_type,
        description=account.sub_type_text,
        is_default=account.default,
        is_hidden=account.hidden,
        group=account.group_id,
        margin=account.margin if brokerage else None,
        options=account.option_level > 0 if brokerage else None,
        option_level=account.option_level if brokerage else None,
        registration=account.legal_construct,
        offering=account.offering_code,
        line_of_business=account.line_of_business,
        is_retirement=account.retirement,
        plan_name=plan.plan_type_name if plan else None,
        plan_type=plan.plan_type if plan else None,
        plan_client_id=plan.client_id if plan else None,
        plan_market_value=plan.market_value if plan else None,
        plan_vested_value=plan.vested_value if plan else None,
        plan_fully_vested=plan.fully_vested if plan else None,
    )


@answers("POST", "/ftgw/dp/customer-am-feature/v2/accounts/features/get")
def features(desk: "Desk", request: PaperRequest) -> Any:
    """What accounts may do; equal to their trade attributes (protocol 01 §3.2, 4.4)."""
    return {
        "acctDetails": [
            write(_features(account)) for account in own_accounts(desk, member(request.document, "acctNums"))
        ]
    }


def _features(account: Account) -> models.Features:
    return models.Features(
        account=account.number,
        registration=account.registration,
        option_level=account.option_level,
        margin=account.margin,
        short_selling=account.short_selling,
        options=account.option_level > 0,
        crypto=account.crypto,
        directed_trading=account.directed_trading,
        penny_stocks=account.penny_stock,
    )


@answers("POST", "/ftgw/dp/position/v2")
def positions(desk: "Desk", request: PaperRequest) -> Any:
    """Positions of several accounts with their sums (protocol 01 §3.3)."""
    parameter = group(request.document, "request", "parameter")
    accounts = own_accounts(desk, member(parameter, "acctDetails"))
    portfolio = desk.engine.positions([account.number for account in accounts])
    reply = models.PositionsReply(
        portfolio_count=portfolio.position_count,
        portfolio=models.PortfolioTotals(
            market_value=portfolio.value,
            today_gain=portfolio.todays_gain,
            today_gain_pct=portfolio.todays_gain_pct,
            total_gain=portfolio.total_gain,
            total_gain_pct=portfolio.total_gain_pct,
            cost_basis=portfolio.cost_basis,
        ),
        accounts=[_account_positions(entry) for entry in portfolio.accounts],
    )
    document = write(reply)
    if not parameter.get("returnPortfolioGainLossDetail", True):
        document["position"]["portfolioDetail"].pop("portfolioGainLossDetail", None)
    for row in document["position"]["acctDetails"]["acctDetail"]:
        if not parameter.get("returnAccountGainLossDetail", True):
            row.pop("accountGainLossDetail", None)
        if not parameter.get("returnPositionMarketValDetail", True):
            for position in row.get("positionDetails", {}).get("positionDetail", []):
                position.pop("marketValDetail", None)
    return document


def _account_positions(entry: figures.AccountPositions) -> models.Positions:
    return models.Positions(
        account=entry.account,
        count=len(entry.positions),
        totals=models.PositionTotals(
            market_value=entry.market_value,
            today_gain=entry.todays_gain,
            today_gain_pct=entry.todays_gain_pct,
            total_gain=entry.total_gain,
            total_gain_pct=entry.total_gain_pct,
            cost_basis=entry.cost_basis,
        ),
        positions=[_position(position) for position in entry.positions],
    )


def _position(held: figures.Position) -> models.Position:
    if held.kind == "option":
        types = ("Option", "Call" if held.right == "C" else "Put")
    else:
        types = SECURITY_TYPES[held.kind]
    return models.Position(
        symbol=f"-{held.symbol}" if held.kind == "option" else held.symbol,
        security_type=types[0],
        security_sub_type=types[1],
        description=held.description,
        cusip=held.cusip,
        quantity=held.quantity,
        percent_of_account=held.holding_pct,
        last_price=held.last,
        last_price_change=held.change,
        last_price_change_pct=held.change_pct,
        closing_price=held.close,
        previous_close=held.prev_close,
        market_value=held.market_value,
        previous_market_value=held.previous_market_value,
        total_gain=held.total_gain,
        total_gain_pct=held.total_gain_pct,
        today_gain=held.todays_gain,
        today_gain_pct=held.todays_gain_pct,
        average_cost=held.average_cost,
        cost_basis=held.cost_basis,
        underlying=held.underlying,
    )


@answers("POST", "/ftgw/dp/balance/detail/v2")
def balances(desk: "Desk", request: PaperRequest) -> Any:
    """Balances of several accounts (protocol 01 §3.6)."""
    parameter = group(request.document, "request", "parameter")
    filters = group(parameter, "filters")
    timing, data = group(filters, "priceTiming"), group(filters, "requestedData")
    accounts = own_accounts(desk, member(parameter, "acctDetails"))
    reply = BalancesReply(
        accounts=[_account_balances(desk.engine.balances(account.number)) for account in accounts]
    )
    document = write(reply)
    for row in document["balances"]:
        detail = row["brokerageAcctDetail"]
        for switch, block in (
            ("includeRecent", "recentBalanceDetail"),
            ("includeIntraday", "intradayBalanceDetail"),
            ("includeClose", "closeBalanceDetail"),
        ):
            if not timing.get(switch):
                detail.pop(block, None)
        if not data.get("includeAddlInfoDetail"):
            detail.pop("addlInfoDetail", None)
        _drop_unasked(detail, data)
    return document


def _drop_unasked(detail: dict[str, Any], data: dict[str, Any]) -> None:
    """Leaves only the blocks asked for in each snapshot."""
    for snapshot in detail.values():
        if isinstance(snapshot, dict):
            for block in [key for key, value in snapshot.items() if isinstance(value, dict)]:
                if not data.get(f"include{block[0].upper()}{block[1:]}"):
                    del snapshot[block]


def _account_balances(held: figures.AccountBalances) -> Balances:
    return Balances(
        account=held.account,
        as_of=held.as_of,
        is_margin=held.is_margin,
        is_limited_margin=False,
        is_portfolio_margin=False,
        is_multi_margin=False,
        is_trust=False,
        has_intraday_activity=held.has_intraday_activity,
        has_unpriced_order=held.has_unpriced_order,
        has_margin_calls=held.has_margin_calls,
        has_real_time_balances=True,
        recent=_snapshot(held, held.recent, held.net_worth_change),
        intraday=_snapshot(held, held.intraday, held.intraday_net_worth_change),
        close=_snapshot(held, held.close, Decimal(0)),
    )


def percent(change: Decimal, value: Decimal) -> Decimal:
    """A change in percent of what it started from; 0 where that is nothing (protocol 01 §3.6)."""
    base = value - change
    return (change / base * 100).quantize(CENT, ROUND_HALF_UP) if base else Decimal(0)


def _snapshot(
    held: figures.AccountBalances, now: figures.BalanceSnapshot, worth_change: Decimal
) -> BalanceSnapshot:
    """One snapshot: what every account has, then what margin and options add."""
    before = held.close
    value_change = now.market_value - before.market_value
    snapshot = BalanceSnapshot(
        as_of=now.as_of,
        account_value=now.net_worth,
        account_value_change=worth_change,
        account_value_change_pct=percent(worth_change, now.net_worth),
        market_value=now.market_value,
        market_value_change=value_change,
        market_value_change_pct=percent(value_change, now.market_value),
        equity_pct=now.equity_pct,
        has_unpriced_position=now.has_unpriced_position,
        regulatory_net_worth=now.net_worth,
        loaned_value=now.loaned_value or None,
        held_in_cash=now.held_in_cash,
        core_balance=now.core,
        credit_debit=now.credit_debit,
        settled_cash=now.settled,
        money_market=now.core,
        cash_buying_power=now.cash_buying_power,
        cash_buying_power_change=now.cash_buying_power - before.cash_buying_power,
        cash_committed_to_orders=now.committed_cash,
        withdrawable_cash=now.withdrawable_cash,
        withdrawable_with_margin=now.withdrawable_with_margin,
        unsettled_deposit=now.unsettled_deposit,
    )
    if held.has_options:
        _add_options(snapshot, now, before)
    if now.margin and before.margin:
        _add_margin(snapshot, now, before, now.margin, before.margin)
    return snapshot


def _add_options(
    snapshot: BalanceSnapshot, now: figures.BalanceSnapshot, before: figures.BalanceSnapshot
) -> None:
    snapshot.held_in_options = now.held_in_options
    snapshot.held_in_options_change = now.held_in_options - before.held_in_options
    snapshot.options_in_the_money = now.options_in_the_money
    snapshot.option_requirement = now.option_requirement
    snapshot.cash_covered_put_reserve = now.cash_covered_put_reserve
    snapshot.cash_spread_reserve = now.cash_spread_reserve


def _add_margin(
    snapshot: BalanceSnapshot,
    now: figures.BalanceSnapshot,
    before: figures.BalanceSnapshot,
    margin: figures.MarginFigures,
    old: figures.MarginFigures,
) -> None:
    """The blocks of margin accounts: buying powers, margin, bonds, shorts, simplified margin."""
    values = {
        "margin_buying_power": (margin.buying_power, old.buying_power),
        "non_margin_buying_power": (margin.non_margin_buying_power, old.non_margin_buying_power),
        "without_margin_impact": (now.without_margin_impact, before.without_margin_impact),
        "held_in_margin": (margin.held_in_margin, old.held_in_margin),
        "margin_credit_debit": (margin.credit_debit, old.credit_debit),
        "house_surplus": (margin.house_surplus, old.house_surplus),
        "exchange_surplus": (margin.exchange_surplus, old.exchange_surplus),
        "special_memorandum": (margin.memorandum, old.memorandum),
        "corporate_bond_buying_power": (margin.corporate_bond_buying_power, old.corporate_bond_buying_power),
        "municipal_bond_buying_power": (margin.municipal_bond_buying_power, old.municipal_bond_buying_power),
        "government_bond_buying_power": (
            margin.government_bond_buying_power,
            old.government_bond_buying_power,
        ),
        "held_short": (now.held_in_short, before.held_in_short),
        "short_credit": (now.short_credit, before.short_credit),
        "mark_to_market": (now.daily_mark, before.daily_mark),
        "net_market_value": (now.net_market_value, before.net_market_value),
        "cash_and_credits": (now.core, before.core),
    }
    for name, (value, was) in values.items():
        setattr(snapshot, name, value)
        setattr(snapshot, f"{name}_change", value - was)
    snapshot.day_trade_buying_power = margin.day_trade_buying_power
    snapshot.regulatory_day_trade_buying_power = margin.day_trade_buying_power
    snapshot.day_trade_call = Decimal(0)
    snapshot.cash_and_margin_committed_to_orders = now.committed_cash_and_margin
    snapshot.margin_equity = margin.equity
    snapshot.margin_equity_pct = margin.equity_pct
    snapshot.margin_rate = margin.interest_rate
    snapshot.margin_interest_month = margin.interest_accrued_month
    snapshot.margin_interest_day = margin.interest_accrued_daily
    snapshot.phantom_margin_calls_addressed = True
    snapshot.cash_to_cover_calls = now.cash_buying_power
    snapshot.house_requirement = margin.house_requirement
    snapshot.margin_debt_in_good_order = True
    snapshot.not_in_good_order_reasons = []
