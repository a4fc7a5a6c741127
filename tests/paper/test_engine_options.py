"""Options: single legs, packages, approval levels, requirements and expiration."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from engine_kit import (
    CASH,
    FUTURE,
    MARGIN,
    NOON,
    PAST,
    ROTH,
    Bench,
    money,
    option,
    option_leg,
    package,
    refusal_code,
    shares,
)
from msgspec.structs import replace

from ftcli.clock import NEW_YORK
from ftcli.paper.codes import Action, Effect, NetSide, PriceType, Response, Status, TimeInForce
from ftcli.paper.instruments import find
from ftcli.paper.option_contracts import chain
from ftcli.paper.tickets import Ticket

EXPIRY = date(2026, 12, 18)
EXPIRED = datetime(2026, 12, 18, 16, 0, tzinfo=NEW_YORK)


def near(bench: Bench, underlying: str, right: str, factor: str, day: date = EXPIRY) -> str:
    """The listed contract whose strike is nearest to the price times a factor."""
    listed = chain(bench.market, underlying, bench.moment)
    assert listed is not None
    expiration = next(item for item in listed.expirations if item.date == day)
    wanted = bench.last(underlying) * Decimal(factor)
    contracts = expiration.calls if right == "C" else expiration.puts
    return min(contracts, key=lambda contract: abs(contract.strike - wanted)).symbol


def strike_of(symbol: str) -> Decimal:
    """Exercise price of an option."""
    instrument = find(symbol)
    assert instrument is not None
    assert instrument.strike is not None
    return instrument.strike


def test_buying_a_call_costs_premium_commission_and_fee() -> None:
    bench = Bench()
    symbol = near(bench, "AAPL", "C", "1.03")
    ask, core = bench.ask(symbol), bench.engine.balances(MARGIN).recent.core
    preview = bench.engine.preview(option("buy", symbol, 2))
    assert preview.estimate is not None
    assert preview.estimate.value == ask * 200
    assert preview.estimate.commission == money("1.30")
    assert preview.estimate.net == ask * 200 + money("1.30")
    number = bench.placed(option("buy", symbol, 2))
    assert number.startswith("K24")  # November, the 24th
    entry = bench.entry(number)
    assert (entry.gross, entry.commission, entry.fees) == (ask * 200, money("1.30"), money("0.04"))
    assert entry.net == ask * 200 + money("1.34")
    assert bench.engine.balances(MARGIN).recent.core == core - entry.net
    assert entry.leg.action is Action.BUY_CALL
    assert entry.description.startswith("Buy to Open 2 Contracts of AAPL 18 Dec 2026 ")
    assert entry.security_description.startswith("CALL (AAPL) APPLE INC COM DEC 18 26 $")
    assert entry.security_type == "8"
    position = next(p for p in bench.engine.positions([MARGIN]).accounts[0].positions if p.symbol == symbol)
    assert position.cost_basis == entry.net
    assert position.multiplier == 100


def test_open_that_the_position_covers_is_taken_as_a_close() -> None:
    bench = Bench()
    symbol = near(bench, "AAPL", "P", "0.97")
    bench.placed(option("buy", symbol, 2))
    number = bench.placed(option("sell", symbol, 2, effect=Effect.OPEN))
    assert bench.order(number).leg.effect is Effect.CLOSE
    assert bench.entry(number).description.startswith("Sell to Close 2 Contracts")
    assert bench.held(symbol) == 0
    (closed,) = bench.engine.closed_lots(MARGIN, symbol, NOON.date(), NOON.date())
    assert closed.gain == bench.order(number).leg.net - closed.unadjusted_cost
    bench.placed(option("buy", symbol, 1))
    assert bench.refusal(option("sell", symbol, 2, effect=Effect.OPEN)) == "SIM249"
    assert bench.refusal(option("sell", symbol, 2, effect=Effect.CLOSE)) == "SIM235"


def pepsi_vertical(bench: Bench) -> list[tuple[str, str]]:
    """Sides and symbols of a call spread without shares behind it."""
    return [("buy", near(bench, "PEP", "C", "1.05")), ("sell", near(bench, "PEP", "C", "1.10"))]


def test_option_levels() -> None:
    bench = Bench()
    call, put = near(bench, "KO", "C", "1.05"), near(bench, "KO", "P", "0.95")
    assert bench.refusal(option("buy", call, 1, account=ROTH)) == "SIM202"
    assert bench.engine.preview(option("buy", call, 1, account=CASH)).response is Response.VALIDATED
    assert bench.engine.preview(option("sell", call, 1, account=CASH)).response is Response.VALIDATED
    assert bench.refusal(option("sell", call, 2, account=CASH)) == "SIM202"  # a hundred shares cover one
    assert bench.engine.preview(option("sell", put, 1, account=CASH)).response is Response.VALIDATED
    bought, written = (option_leg(*leg, 1) for leg in pepsi_vertical(bench))
    vertical = package(NetSide.DEBIT, "0.50", bought, written, account=CASH)
    assert bench.refusal(vertical) == "SIM202"
    assert bench.engine.preview(option("sell", call, 5)).response is Response.VALIDATED  # level 5, margin


def test_written_call_locks_the_shares_that_cover_it() -> None:
    bench = Bench()
    call = near(bench, "KO", "C", "1.05")
    bench.placed(option("sell", call, 1, account=CASH))
    assert bench.refusal(shares("S", "KO", 1, account=CASH)) == "SIM236"
    waiting = option("sell", call, 1, account=CASH, limit="9")
    assert bench.refusal(waiting) == "SIM202"
    bench.placed(option("buy", call, 1, account=CASH, effect=Effect.CLOSE))
    bench.placed(waiting)
    assert bench.refusal(shares("S", "KO", 1, account=CASH)) == "SIM236"  # the open order needs them too


def test_cash_secured_put_reserves_the_strike() -> None:
    bench = Bench()
    put = near(bench, "KO", "P", "0.95")
    strike = strike_of(put)
    power = bench.engine.balances(CASH).recent.cash_buying_power
    bid = bench.bid(put)
    bench.placed(option("sell", put, 1, account=CASH))
    after = bench.engine.balances(CASH).recent
    assert after.cash_covered_put_reserve == strike * 100
    assert after.cash_buying_power == power - strike * 100 + bid * 100 - money("0.67")
    assert bench.refusal(option("sell", put, 5, account=CASH)) == "SIM210"


def test_uncovered_put_in_margin_needs_twenty_percent() -> None:
    bench = Bench()
    put = near(bench, "MSFT", "P", "0.95")
    before = bench.engine.balances(MARGIN).recent
    bid = bench.bid(put)
    bench.placed(option("sell", put, 1))
    after = bench.engine.balances(MARGIN).recent
    spot, strike = bench.last("MSFT"), strike_of(put)
    mark = bench.engine.prices().mark(put)
    assert mark is not None
    per_share = max(spot * money("0.2") - max(money(0), spot - strike), strike * money("0.1")) + mark
    assert after.option_requirement - before.option_requirement == round(per_share * 100, 2)
    assert after.core == before.core + bid * 100 - money("0.67")


def condor(bench: Bench, net: str) -> Ticket:
    legs = [
        option_leg("buy", near(bench, "SPY", "P", "0.94"), 1),
        option_leg("sell", near(bench, "SPY", "P", "0.96"), 1),
        option_leg("sell", near(bench, "SPY", "C", "1.04"), 1),
        option_leg("buy", near(bench, "SPY", "C", "1.06"), 1),
    ]
    return package(NetSide.CREDIT, net, *legs)


def test_package_fills_at_natural_prices_in_leg_ratio() -> None:
    bench = Bench()
    low, high = near(bench, "AAPL", "C", "1.00"), near(bench, "AAPL", "C", "1.06")
    natural = bench.ask(low) - bench.bid(high)
    core = bench.engine.balances(MARGIN).recent.core
    ticket = package(
        NetSide.DEBIT, natural + money("0.20"), option_leg("buy", low, 2), option_leg("sell", high, 2)
    )
    preview = bench.engine.preview(ticket)
    estimate = preview.estimate
    assert estimate is not None
    assert [message.code for message in preview.messages] == ["354020"]
    assert estimate.net_ask == natural
    assert estimate.net_bid == bench.bid(low) - bench.ask(high)
    assert estimate.midpoint == (estimate.net_ask + estimate.net_bid) / 2
    assert estimate.units == 2
    assert estimate.value == (natural + money("0.20")) * 200
    assert estimate.net == estimate.value + money("2.60")
    number = bench.placed(ticket)
    entries = bench.engine.orders(MARGIN, number)
    assert [entry.leg.action for entry in entries] == [Action.BUY_CALL, Action.SELL_CALL]
    assert {entry.status for entry in entries} == {Status.FILLED}
    assert entries[0].average_price - entries[1].average_price == natural
    assert {entry.strategy_code for entry in entries} == {"VERTICAL"}
    assert {entry.special_name for entry in entries} == {"COMPLEX_OPTION"}
    assert bench.engine.order_summary(MARGIN, number).orders == 1
    paid = entries[0].net - entries[1].net
    assert bench.engine.balances(MARGIN).recent.core == core - paid
    assert paid == natural * 200 + money("2.68")


def test_iron_condor_credit_and_its_requirement() -> None:
    bench = Bench()
    ticket = condor(bench, "0.01")
    before = bench.engine.balances(MARGIN).recent.option_requirement
    preview = bench.engine.preview(ticket)
    assert preview.estimate is not None
    assert preview.estimate.net_bid is not None
    assert preview.estimate.net_ask is not None
    assert 0 < preview.estimate.net_bid <= preview.estimate.net_ask
    assert preview.estimate.net == money("1.00") - money("2.60")
    number = bench.placed(ticket)
    order = bench.order(number)
    assert order.status is Status.FILLED
    strikes = [strike_of(leg.symbol) for leg in order.legs]
    width = max(strikes[1] - strikes[0], strikes[3] - strikes[2])
    assert bench.engine.balances(MARGIN).recent.option_requirement - before == width * 100
    names = [pair.name for _, pairs in bench.engine.option_summary(MARGIN).groups for pair in pairs]
    assert "Iron Condor" in names


@pytest.mark.parametrize("discount", ["0.05", "0.15", "0.30"])
def test_resting_package_fills_at_the_first_second_its_net_price_comes(discount: str) -> None:
    bench = Bench()
    low, high = near(bench, "NVDA", "C", "1.00"), near(bench, "NVDA", "C", "1.05")

    def natural(moment: datetime) -> Decimal:
        bought, sold = bench.market.quote(low, moment), bench.market.quote(high, moment)
        assert bought is not None
        assert sold is not None
        assert bought.ask is not None
        assert sold.bid is not None
        return bought.ask - sold.bid

    limit = natural(NOON) - money(discount)
    number = bench.placed(
        package(NetSide.DEBIT, limit, option_leg("buy", low, 1), option_leg("sell", high, 1))
    )
    assert bench.status(number) is Status.OPEN
    end = NOON + timedelta(hours=2)
    bench.go(end)
    order = bench.order(number)
    first = order.fills[0].time if order.fills else end
    moment = NOON
    while moment < first:
        assert natural(moment) > limit
        moment += timedelta(seconds=1)
    if order.fills:
        assert natural(first) <= limit
        assert order.legs[0].gross - order.legs[1].gross == natural(first) * 100


def test_buy_write() -> None:
    bench = Bench()
    call = near(bench, "KO", "C", "1.05")
    stock = shares("B", "KO", 200).leg
    net = bench.ask("KO") - bench.bid(call)
    ticket = package(NetSide.DEBIT, net, stock, option_leg("sell", call, 2))
    number = bench.placed(ticket)
    order = bench.order(number)
    assert (order.status, order.units) == (Status.FILLED, 2)
    assert (bench.held("KO"), bench.held(call)) == (200, -2)
    entries = bench.engine.orders(MARGIN, number)
    assert {entry.strategy_code for entry in entries} == {"BUY_WRITE"}
    assert entries[0].description.startswith("Buy 200 Shares of KO Net Debit Limit at ")
    assert bench.refusal(
        package(NetSide.DEBIT, net, shares("B", "KO", 150).leg, option_leg("sell", call, 1))
    ) == ("SIM238")


def test_package_refusals() -> None:
    bench = Bench()
    call, put = near(bench, "AAPL", "C", "1.05"), near(bench, "AAPL", "P", "0.95")
    other = near(bench, "KO", "C", "1.05")
    buy_call, buy_put = option_leg("buy", call, 1), option_leg("buy", put, 1)
    assert bench.refusal(package(NetSide.DEBIT, "5", buy_call, option_leg("buy", other, 1))) == "SIM237"
    assert bench.refusal(package(NetSide.DEBIT, "5", buy_call, buy_call)) == "SIM237"
    assert bench.refusal(package(NetSide.DEBIT, "0", buy_call, buy_put)) == "SIM239"
    assert bench.refusal(package(NetSide.DEBIT, "5.005", buy_call, buy_put)) == "SIM224"
    huge = package(NetSide.DEBIT, "50", option_leg("buy", call, 900), option_leg("buy", put, 900))
    assert bench.refusal(huge) == "SIM203"


def test_symbols_are_understood_in_every_spelling() -> None:
    bench = Bench()
    symbol = near(bench, "AAPL", "C", "1.05")
    strike = int(Decimal(symbol[11:]) * 1000)
    padded = f"{symbol[:4]}  {symbol[4:11]}{strike:08d}"
    for spelling in (f"-{symbol}", symbol.lower(), padded):
        ticket = option("buy", symbol, 1)
        ticket = replace(ticket, legs=(replace(ticket.leg, symbol=spelling),))
        answer = bench.engine.preview(ticket)
        assert answer.estimate is not None
        assert answer.estimate.legs[0].symbol == symbol
    assert bench.refusal(replace(option("buy", symbol, 1), price_type=PriceType.TRAILING_STOP)) == "SIM247"
    wrong = replace(
        option("buy", symbol, 1), legs=(replace(option_leg("buy", symbol, 1), action=Action.BUY_PUT),)
    )
    assert bench.refusal(wrong) == "SIM233"
    missing = replace(option("buy", symbol, 1), legs=(replace(ticket.leg, symbol="AAPL261218C0.37"),))
    assert bench.refusal(missing) == "SIM234"


# -- expiration --------------------------------------------------------------------------------------------


def settle(bench: Bench) -> None:
    """Go past the expiration, opening nothing else."""
    bench.go(EXPIRED + timedelta(minutes=1))


def spot_at_expiry(bench: Bench, symbol: str) -> Decimal:
    quote = bench.market.quote(symbol, EXPIRED)
    assert quote is not None
    assert quote.close is not None
    return quote.close


def deep(bench: Bench, underlying: str, right: str, *, in_the_money: bool) -> str:
    """A contract that certainly ends in or out of the money."""
    factor = ("0.80" if right == "C" else "1.20") if in_the_money else ("1.25" if right == "C" else "0.75")
    return near(bench, underlying, right, factor)


def test_worthless_options_expire() -> None:
    bench = Bench()
    long, short = deep(bench, "AAPL", "P", in_the_money=False), deep(bench, "MSFT", "C", in_the_money=False)
    bench.placed(option("buy", long, 1))
    bench.placed(option("sell", short, 1))
    paid, received = bench.order_net(long), bench.order_net(short)
    settle(bench)
    assert bench.held(long) == bench.held(short) == 0
    (lost,) = bench.engine.closed_lots(MARGIN, long, PAST, FUTURE)
    assert (lost.proceeds, lost.cost) == (0, paid)
    (won,) = bench.engine.closed_lots(MARGIN, short, PAST, FUTURE)
    assert (won.proceeds, won.cost, won.gain) == (received, 0, received)
    lines = [
        line for line in bench.engine.transactions(MARGIN, EXPIRY, EXPIRY) if line.category == "expiration"
    ]
    assert {line.symbol: line.quantity for line in lines if line.symbol in (long, short)} == {
        long: -1,
        short: 1,
    }
    assert {line.net for line in lines} == {0}


def test_exercised_call_buys_shares_with_the_premium_in_their_cost() -> None:
    bench = Bench()
    symbol = deep(bench, "KO", "C", in_the_money=True)
    strike = strike_of(symbol)
    bench.placed(option("buy", symbol, 1))
    premium = bench.order_net(symbol)
    settle(bench)
    assert bench.held(symbol) == 0
    assert bench.held("KO") == 100
    (lot,) = bench.engine.lots(MARGIN, "KO")
    assert lot.cost_basis == strike * 100 + premium
    (line,) = [line for line in bench.engine.transactions(MARGIN, EXPIRY, EXPIRY) if line.symbol == "KO"]
    assert line.net == -strike * 100
    assert line.text.startswith("YOU BOUGHT EXERCISED CALLS COCA-COLA CO COM (KO)")


def test_assigned_call_delivers_the_covering_shares() -> None:
    bench = Bench()
    symbol = deep(bench, "KO", "C", in_the_money=True)
    strike = strike_of(symbol)
    bench.placed(option("sell", symbol, 1, account=CASH))
    premium = bench.order_net(symbol, CASH)
    (before,) = bench.engine.lots(CASH, "KO")
    settle(bench)
    assert bench.held("KO", CASH) == bench.held(symbol, CASH) == 0
    (closed,) = bench.engine.closed_lots(CASH, "KO", EXPIRY, EXPIRY)
    assert closed.proceeds == strike * 100
    assert closed.gain == strike * 100 - before.cost_basis + premium
    assert closed.term == "Long"


def test_assigned_put_buys_shares_below_the_strike() -> None:
    bench = Bench()
    symbol = deep(bench, "KO", "P", in_the_money=True)
    strike = strike_of(symbol)
    bench.placed(option("sell", symbol, 1))
    premium = bench.order_net(symbol)
    settle(bench)
    (lot,) = bench.engine.lots(MARGIN, "KO")
    assert (lot.quantity, lot.cost_basis) == (100, strike * 100 - premium)


def test_exercised_put_sells_what_is_held_and_shorts_the_rest() -> None:
    bench = Bench()
    symbol = deep(bench, "JPM", "P", in_the_money=True)
    strike = strike_of(symbol)
    held = bench.held("JPM")
    assert 0 < held < 100
    cash = bench.cash_like(MARGIN)
    bench.placed(option("buy", symbol, 1))
    paid = bench.order_net(symbol)
    settle(bench)
    assert bench.held("JPM") == held - 100
    assert bench.cash_like(MARGIN) - cash >= strike * 100 - paid - money("5000")  # others expire as well
    lines = [line for line in bench.engine.transactions(MARGIN, EXPIRY, EXPIRY) if line.symbol == "JPM"]
    assert sum(line.net for line in lines) == strike * 100


def test_spread_in_the_money_nets_out() -> None:
    bench = Bench()
    low, high = near(bench, "PEP", "C", "0.80"), near(bench, "PEP", "C", "0.85")
    bench.placed(package(NetSide.DEBIT, "9", option_leg("buy", low, 1), option_leg("sell", high, 1)))
    settle(bench)
    assert bench.held("PEP") == bench.held(low) == bench.held(high) == 0
    lines = [line for line in bench.engine.transactions(MARGIN, EXPIRY, EXPIRY) if line.symbol == "PEP"]
    width = strike_of(high) - strike_of(low)
    assert sum(line.net for line in lines) == width * 100


def test_call_the_account_cannot_afford_is_paid_out() -> None:
    bench = Bench()
    symbol = deep(bench, "PEP", "C", in_the_money=True)
    power = bench.engine.balances(CASH).recent.cash_buying_power
    assert power < strike_of(symbol) * 100
    bench.placed(option("buy", symbol, 1, account=CASH))
    settle(bench)
    assert bench.held("PEP", CASH) == bench.held(symbol, CASH) == 0
    spot, strike = spot_at_expiry(bench, "PEP"), strike_of(symbol)
    (closed,) = bench.engine.closed_lots(CASH, symbol, EXPIRY, EXPIRY)
    assert closed.proceeds == (spot - strike) * 100


def test_index_options_settle_in_cash() -> None:
    bench = Bench()
    symbol = deep(bench, ".OEX", "C", in_the_money=True)
    bench.placed(option("buy", symbol, 1))
    settle(bench)
    assert bench.held(symbol) == 0
    spot, strike = spot_at_expiry(bench, ".OEX"), strike_of(symbol)
    (closed,) = bench.engine.closed_lots(MARGIN, symbol, EXPIRY, EXPIRY)
    assert closed.proceeds == (spot - strike) * 100


def test_orders_end_with_their_contract() -> None:
    bench = Bench()
    symbol = near(bench, "AAPL", "C", "0.90", date(2026, 11, 27))
    number = bench.placed(option("buy", symbol, 1, limit="0.05", tif=TimeInForce.GTC))
    bench.go(datetime(2026, 11, 27, 13, 0, tzinfo=NEW_YORK))
    assert bench.status(number) is Status.VERIFIED_CANCEL
    ticket = option("buy", symbol, 1)
    assert refusal_code(bench.engine.preview(ticket)) == "SIM234"
