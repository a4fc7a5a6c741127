"""Preview, place, matching and cancel of orders for shares."""

from datetime import date, datetime, timedelta

import pytest
from engine_kit import CASH, MARGIN, NOON, ROTH, Bench, money, refusal_code, shares
from msgspec.structs import replace

from ftcli.clock import NEW_YORK
from ftcli.paper.codes import (
    Action,
    EventKind,
    Holding,
    PriceType,
    Response,
    SessionCode,
    Status,
    TimeInForce,
    TrailUnit,
)
from ftcli.paper.records import LotChoice
from ftcli.paper.settings import Settings
from ftcli.paper.tickets import CancelTicket

DAY = timedelta(days=1)


def test_market_buy_fills_at_the_ask_and_books_everything() -> None:
    bench = Bench()
    ask, core = bench.ask("COST"), bench.engine.balances(MARGIN).recent.core
    mark = bench.engine.last_event()
    number = bench.placed(shares("B", "COST", 10))
    entry = bench.entry(number)
    assert entry.status is Status.FILLED
    assert entry.status_text == f"Filled at ${ask}"
    assert (entry.average_price, entry.gross, entry.net) == (ask, ask * 10, ask * 10)
    assert (entry.quantity, entry.executed, entry.remaining) == (10, 10, 0)
    assert not entry.cancelable
    assert not entry.replaceable
    assert bench.held("COST") == 10
    assert bench.engine.balances(MARGIN).recent.core == core - ask * 10
    (line,) = [line for line in bench.engine.transactions(MARGIN, NOON.date(), NOON.date()) if line.order]
    assert line.text == "YOU BOUGHT COSTCO WHOLESALE CORP COM (COST) (Margin)"
    assert (line.quantity, line.net, line.settles) == (10, -ask * 10, date(2026, 11, 25))
    kinds = [event.kind for event in bench.engine.events(mark)]
    assert kinds == [
        EventKind.ORDER_UPDATE,
        EventKind.ORDER_UPDATE,
        EventKind.EXECUTION,
        EventKind.POSITION,
        EventKind.BALANCE,
    ]


def test_preview_figures_follow_the_estimate_price() -> None:
    bench = Bench()
    bid = bench.bid("AAPL")
    answer = bench.engine.preview(shares("S", "AAPL", 40, limit=bid + 5))
    assert answer.estimate is not None
    assert answer.estimate.value == (bid + 5) * 40
    market = bench.engine.preview(shares("S", "AAPL", 40)).estimate
    assert market is not None
    assert market.net == bid * 40
    assert market.legs[0].description == "APPLE INC COM"
    stop = bench.engine.preview(shares("S", "AAPL", 40, stop=bid - 9)).estimate
    assert stop is not None
    assert stop.value == (bid - 9) * 40


def test_numbers_have_the_brokers_layout() -> None:
    bench = Bench()
    number = bench.previewed(shares("B", "KO", 1))
    assert len(number) == 8
    assert number[:3] == "2G8"  # day 328 in base 20
    assert number.isalnum()
    assert number.upper() == number
    numbers = {bench.previewed(shares("B", "KO", 1)) for _ in range(50)}
    assert len(numbers) == 50
    assert len(bench.order(bench.placed(shares("B", "KO", 1))).system_id) == 10


def test_limit_waits_and_fills_no_worse_than_its_limit() -> None:
    bench = Bench()
    limit = bench.ask("NVDA") - 2
    number = bench.placed(shares("B", "NVDA", 20, limit=limit, tif=TimeInForce.GTC))
    assert bench.status(number) is Status.OPEN
    assert bench.entry(number).description == f"Buy 20 Shares of NVDA Limit at ${limit} (Good 'til Canceled)"
    for _ in range(90):
        bench.go(DAY)
        if bench.status(number) is Status.FILLED:
            break
    order = bench.order(number)
    assert order.status is Status.FILLED
    (fill,) = order.fills
    assert fill.price <= limit
    quote = bench.market.quote("NVDA", fill.time)
    assert quote is not None
    assert quote.ask == fill.price


def test_marketable_limit_fills_at_the_quote_not_at_the_limit() -> None:
    bench = Bench()
    ask = bench.ask("KO")
    number = bench.placed(shares("B", "KO", 5, limit=ask + 1))
    assert bench.order(number).fills[0].price == ask


def test_sell_stop_becomes_a_market_order_at_the_stop() -> None:
    bench = Bench()
    stop = bench.bid("NVDA") - 3
    number = bench.placed(shares("S", "NVDA", 10, stop=stop, tif=TimeInForce.GTC))
    for _ in range(120):
        bench.go(DAY)
        if bench.status(number).final:
            break
    order = bench.order(number)
    assert order.status is Status.FILLED
    assert order.stop_hit == order.fills[0].time
    quote = bench.market.quote("NVDA", order.fills[0].time)
    assert quote is not None
    assert quote.bid == order.fills[0].price
    assert quote.bid is not None
    assert quote.last is not None
    assert min(quote.last, quote.bid) <= stop


def test_day_order_ends_at_the_close_and_gtc_after_its_days() -> None:
    bench = Bench(settings=Settings(gtc_days=3))
    day = bench.placed(shares("B", "KO", 5, limit="40"))
    gtc = bench.placed(shares("B", "KO", 5, limit="40", tif=TimeInForce.GTC))
    bench.go(datetime(2026, 11, 24, 15, 59, 59, tzinfo=NEW_YORK))
    assert bench.status(day) is Status.OPEN
    bench.go(datetime(2026, 11, 24, 16, 0, tzinfo=NEW_YORK))
    assert bench.status(day) is Status.VERIFIED_CANCEL
    assert bench.order(day).changed == datetime(2026, 11, 24, 16, 0, tzinfo=NEW_YORK)
    assert bench.status(gtc) is Status.OPEN
    bench.go(timedelta(days=2))
    assert bench.status(gtc) is Status.OPEN  # Friday closes at 13:00, the last session by then
    bench.go(timedelta(days=1))
    assert bench.status(gtc) is Status.VERIFIED_CANCEL
    assert bench.order(gtc).changed == datetime(2026, 11, 27, 13, 0, tzinfo=NEW_YORK)


def test_market_that_keeps_hours_holds_orders_until_the_open() -> None:
    night = datetime(2026, 11, 24, 21, 0, tzinfo=NEW_YORK)
    bench = Bench(night, always_open=False)
    number = bench.placed(shares("B", "KO", 5))
    assert bench.status(number) is Status.OPEN
    bench.go(datetime(2026, 11, 25, 9, 29, 59, tzinfo=NEW_YORK))
    assert bench.status(number) is Status.OPEN
    bench.go(datetime(2026, 11, 25, 15, 0, tzinfo=NEW_YORK))
    assert bench.order(number).fills[0].time == datetime(2026, 11, 25, 9, 30, tzinfo=NEW_YORK)


def test_extended_hours_order_fills_after_the_close() -> None:
    evening = datetime(2026, 11, 24, 16, 30, tzinfo=NEW_YORK)
    bench = Bench(evening, always_open=False)
    ticket = shares("B", "AAPL", 5, limit=bench.ask("AAPL") + 1, session=SessionCode.EXTENDED, route="ARCX")
    assert bench.status(bench.placed(ticket)) is Status.FILLED
    resting = bench.placed(shares("B", "AAPL", 5, limit="200", session=SessionCode.EXTENDED))
    bench.go(datetime(2026, 11, 24, 20, 0, tzinfo=NEW_YORK))
    assert bench.status(resting) is Status.VERIFIED_CANCEL
    assert bench.refusal(shares("B", "AAPL", 5, session=SessionCode.EXTENDED)) == "SIM226"


def test_immediate_orders_fill_once_or_are_cancelled() -> None:
    bench = Bench(settings=Settings(display_size=money(40)))
    ask = bench.ask("KO")
    part = bench.placed(shares("B", "KO", 100, limit=ask, tif=TimeInForce.IOC))
    assert bench.status(part) is Status.VERIFIED_CANCEL_PARTIAL_FILL
    assert bench.order(part).leg.executed == 40
    none = bench.placed(shares("B", "KO", 100, limit=ask - 1, tif=TimeInForce.IOC))
    assert bench.status(none) is Status.VERIFIED_CANCEL
    kill = bench.placed(shares("B", "KO", 100, limit=ask, tif=TimeInForce.FOK))
    assert bench.status(kill) is Status.VERIFIED_CANCEL
    assert bench.status(bench.placed(shares("B", "KO", 40, limit=ask, tif=TimeInForce.FOK))) is Status.FILLED


def test_auction_orders_execute_at_open_and_close() -> None:
    bench = Bench(datetime(2026, 11, 25, 8, 0, tzinfo=NEW_YORK), always_open=False)
    opening = bench.placed(shares("B", "KO", 10, tif=TimeInForce.AT_OPEN))
    closing = bench.placed(shares("S", "AAPL", 10, tif=TimeInForce.AT_CLOSE))
    bench.go(datetime(2026, 11, 25, 12, 0, tzinfo=NEW_YORK))
    quote = bench.market.quote("KO", bench.moment)
    assert quote is not None
    assert bench.order(opening).fills[0].price == quote.open
    assert bench.refusal(shares("B", "KO", 10, tif=TimeInForce.AT_OPEN)) == "SIM227"
    bench.go(datetime(2026, 11, 25, 15, 51, tzinfo=NEW_YORK))
    assert bench.refusal(shares("B", "KO", 10, tif=TimeInForce.AT_CLOSE)) == "SIM228"
    bench.go(datetime(2026, 11, 25, 18, 0, tzinfo=NEW_YORK))
    quote = bench.market.quote("AAPL", bench.moment)
    assert quote is not None
    fill = bench.order(closing).fills[0]
    assert fill.price == quote.close
    assert fill.time == datetime(2026, 11, 25, 16, 0, tzinfo=NEW_YORK)
    assert bench.refusal(shares("B", "KO", 10, tif=TimeInForce.IOC)) == "SIM229"


def test_partial_fills_come_in_steps_and_add_up() -> None:
    bench = Bench(settings=Settings(display_size=money(30), fill_interval=timedelta(seconds=5)))
    ask = bench.ask("KO")
    number = bench.placed(shares("B", "KO", 100, limit=ask + 2))
    assert bench.status(number) is Status.PARTIAL_FILL
    assert bench.entry(number).status_text == "Partially Filled"
    bench.go(timedelta(seconds=5))
    assert bench.order(number).leg.executed == 60
    bench.go(timedelta(minutes=1))
    order = bench.order(number)
    assert order.status is Status.FILLED
    assert [fill.quantity for fill in order.fills] == [30, 30, 30, 10]
    assert sum(fill.gross for fill in order.fills) == order.leg.gross
    assert bench.held("KO") == 100


def test_cancel_is_pending_and_then_verified() -> None:
    bench = Bench(settings=Settings(cancel_delay=timedelta(seconds=3)))
    number = bench.placed(shares("B", "KO", 5, limit="50"))
    (outcome,) = bench.engine.preview_cancel([CancelTicket(number=number, account=MARGIN)])
    assert (outcome.response, outcome.remaining) == (Response.VALIDATED, 5)
    assert bench.cancel(number) is Response.ACCEPTED
    assert bench.status(number) is Status.PENDING_CANCEL
    assert bench.cancel(number) is Response.REFUSED
    bench.go(timedelta(seconds=2))
    assert bench.status(number) is Status.PENDING_CANCEL
    bench.go(timedelta(seconds=1))
    assert bench.status(number) is Status.VERIFIED_CANCEL
    assert bench.entry(number).status_text == "Verified Canceled"
    kinds = [event.kind for event in bench.engine.events(0) if event.order == number]
    assert kinds == [
        EventKind.ORDER_UPDATE,
        EventKind.ORDER_UPDATE,
        EventKind.ORDER_UPDATE,
        EventKind.CANCELLED,
    ]


def test_cancel_judges_each_order_by_itself() -> None:
    bench = Bench()
    live = bench.placed(shares("B", "KO", 5, limit="50"))
    done = bench.placed(shares("B", "KO", 5))
    outcomes = bench.engine.cancel(
        [
            CancelTicket(number=live, account=MARGIN),
            CancelTicket(number=done, account=MARGIN),
            CancelTicket(number="2XX00000", account=MARGIN, action="B"),
            CancelTicket(number=live, account=CASH),
        ]
    )
    assert [outcome.response.value for outcome in outcomes] == ["A", "E", "E", "E"]
    assert [outcome.messages[0].code for outcome in outcomes[1:]] == ["SIM204", "SIM242", "SIM242"]
    assert outcomes[2].action is Action.BUY


# -- binding of preview and place --------------------------------------------------------------------


def test_a_number_places_one_order_once() -> None:
    bench = Bench()
    ticket = shares("B", "KO", 5, limit="50")
    number = bench.placed(ticket)
    again = bench.engine.place(number, ticket)
    assert refusal_code(again) == "SIM208"
    assert len([entry for entry in bench.engine.orders(MARGIN) if entry.order.number == number]) == 1
    assert refusal_code(bench.engine.place("2G8ZZZZZ", ticket)) == "SIM201"


@pytest.mark.parametrize(
    "change",
    [
        {"account": CASH},
        {"limit_price": money("50.01")},
        {"time_in_force": TimeInForce.GTC},
        {"price_type": PriceType.MARKET},
        {"holding": Holding.CASH},
        {"session": SessionCode.EXTENDED},
        {"legs": shares("B", "KO", 6).legs},
        {"legs": shares("S", "KO", 5).legs},
        {"legs": shares("B", "PEP", 5).legs},
    ],
)
def test_a_place_that_differs_from_its_preview_is_refused(change: dict[str, object]) -> None:
    bench = Bench()
    ticket = shares("B", "KO", 5, limit="50")
    number = bench.previewed(ticket)
    before = bench.engine.last_event()
    assert refusal_code(bench.engine.place(number, replace(ticket, **change))) == "SIM207"
    assert bench.engine.order(number) is None
    assert bench.engine.last_event() == before
    same = replace(ticket, limit_price=money("50.00"), legs=shares("B", " ko ", "5.0").legs)
    assert bench.engine.place(number, same).response is Response.ACCEPTED


def test_numbers_expire_and_refused_previews_cannot_be_placed() -> None:
    bench = Bench()
    ticket = shares("B", "KO", 5, limit="50")
    number = bench.previewed(ticket)
    bench.go(timedelta(minutes=30))
    fresh = bench.previewed(ticket)
    bench.go(timedelta(seconds=1))
    assert refusal_code(bench.engine.place(number, ticket)) == "SIM201"
    assert bench.engine.place(fresh, ticket).response is Response.ACCEPTED
    bad = shares("B", "KO", 5, limit="500")
    refused = bench.engine.preview(bad)
    assert refusal_code(refused) == "MA5010"
    assert refused.estimate is not None
    assert refused.estimate.value == 2500
    assert refusal_code(bench.engine.place(refused.number, bad)) == "SIM209"


# -- refusals ------------------------------------------------------------------------------------------


def test_refusals_of_form() -> None:
    bench = Bench()
    last = bench.last("AAPL")
    cases = {
        "SIM211": shares("B", "KO", 5, account="77012"),
        "SIM212": shares("B", "NOSUCH", 5),
        "SIM213": shares("B", "FXAIX", 5),
        "SIM221": shares("B", "KO", 0),
        "SIM222": shares("B", "KO", "1.5", limit="50"),
        "SIM223": shares("B", "KO", 5, price_type=PriceType.STOP_LIMIT, limit="80"),
        "SIM224": shares("B", "KO", 5, limit="50.005"),
        "SIM225": shares("B", "KO", 5, stop="99", tif=TimeInForce.IOC),
        "SIM230": shares("B", "KO", 5, account=CASH, holding=Holding.MARGIN),
        "SIM234": shares("BC", "AAPL261218C0.37", 1),
        "SIM205": shares("S", "AAPL", 5, stop=last + 1),
        "SIM206": shares("B", "AAPL", 5, stop=last - 1),
        "SIM214": shares("S", "KO", 5),
        "SIM215": shares("BH", "KO", 5),
        "SIM216": shares("SH", "PEP", 5, account=CASH),
        "SIM217": shares("SH", "OPTT", 5),
        "SIM219": shares("SH", "AAPL", 5),
        "SIM220": shares("B", "SPCE", 5),
        "SIM231": shares("SA", "AAPL", 5),
        "SIM233": shares("BC", "AAPL", 5),
    }
    assert {code: bench.refusal(ticket) for code, ticket in cases.items()} == {code: code for code in cases}


def test_price_band_is_ten_percent_on_the_aggressive_side() -> None:
    bench = Bench()
    last = bench.last("AAPL")
    cent = money("0.01")
    high = (last * money("1.1")).quantize(cent, "ROUND_FLOOR")
    assert bench.engine.preview(shares("B", "AAPL", 1, limit=high)).response is Response.VALIDATED
    assert bench.refusal(shares("B", "AAPL", 1, limit=high + cent)) == "MA5010"
    low = (last * money("0.9")).quantize(cent, "ROUND_CEILING")
    assert bench.engine.preview(shares("S", "AAPL", 1, limit=low)).response is Response.VALIDATED
    assert bench.refusal(shares("S", "AAPL", 1, limit=low - cent)) == "MA5010"


def test_buying_power_is_held_back_by_open_orders() -> None:
    bench = Bench()
    power = bench.engine.balances(CASH).recent.cash_buying_power
    quantity = int(power / 60)
    number = bench.placed(shares("B", "KO", quantity, account=CASH, limit="60"))
    left = bench.engine.balances(CASH).recent
    assert left.cash_buying_power == power - 60 * quantity
    assert left.committed_cash == 60 * quantity + (left.core - power)
    ticket = shares("B", "PEP", 10, account=CASH)
    assert bench.refusal(ticket) == "SIM210"
    bench.cancel(number)
    assert bench.engine.balances(CASH).recent.cash_buying_power == power
    assert bench.engine.preview(ticket).response is Response.VALIDATED


def test_buying_power_is_checked_again_at_the_place() -> None:
    bench = Bench()
    power = bench.engine.balances(CASH).recent.cash_buying_power
    ticket = shares("B", "KO", int(power / 62), account=CASH, limit="61")
    first, second = bench.previewed(ticket), bench.previewed(ticket)
    assert bench.engine.place(first, ticket).response is Response.ACCEPTED
    assert refusal_code(bench.engine.place(second, ticket)) == "SIM210"


def test_margin_buying_power_is_a_multiple_of_the_cash_kind() -> None:
    bench = Bench()
    figures = bench.engine.balances(MARGIN).recent.margin
    assert figures is not None
    price = bench.ask("COST")
    fits = int(figures.buying_power / price)
    assert bench.engine.preview(shares("B", "COST", fits)).response is Response.VALIDATED
    assert bench.refusal(shares("B", "COST", fits + 1)) == "SIM210"
    none = int(figures.non_margin_buying_power / bench.ask("OPTT")) + 1
    assert bench.refusal(shares("B", "OPTT", none)) == "SIM210"  # not marginable


def test_sells_hold_back_shares() -> None:
    bench = Bench()
    held = bench.held("SCHD", ROTH)
    number = bench.placed(shares("S", "SCHD", held - 10, account=ROTH, limit=bench.bid("SCHD") + 5))
    assert bench.refusal(shares("S", "SCHD", 11, account=ROTH)) == "SIM214"
    assert bench.status(bench.placed(shares("S", "SCHD", 10, account=ROTH))) is Status.FILLED
    bench.cancel(number)
    everything = shares("SA", "SCHD", held - 10, account=ROTH)
    assert bench.status(bench.placed(everything)) is Status.FILLED
    assert bench.held("SCHD", ROTH) == 0


def test_unsettled_proceeds_are_a_warning() -> None:
    bench = Bench()
    bench.placed(shares("SA", "VTI", 50, account=CASH))
    settled = bench.engine.balances(CASH).recent.settled
    quantity = int(settled / bench.ask("KO")) + 20
    answer = bench.engine.preview(shares("B", "KO", quantity, account=CASH))
    assert answer.response is Response.VALIDATED
    assert [message.code for message in answer.messages] == ["SIM101"]
    bench.go(timedelta(days=1))
    answer = bench.engine.preview(shares("B", "KO", quantity, account=CASH))
    assert answer.messages == ()


# -- further kinds ---------------------------------------------------------------------------------------


def test_fractional_shares_by_market_day_order() -> None:
    bench = Bench()
    number = bench.placed(shares("B", "KO", "0.75", account=CASH))
    assert bench.order(number).leg.executed == money("0.75")
    assert bench.held("KO", CASH) == money("100.75")
    assert bench.refusal(shares("B", "KO", "0.7555", account=CASH)) == "SIM221"


def test_specific_lots_are_sold_as_chosen() -> None:
    bench = Bench()
    first, second, _ = bench.engine.lots(MARGIN, "AAPL")
    lots = (LotChoice(quantity=money(20), lot_id=second.lot_id), LotChoice(quantity=money(10), sequence=1))
    number = bench.placed(shares("SS", "AAPL", 30, lots=lots))
    assert bench.status(number) is Status.FILLED
    today = bench.engine.closed_lots(MARGIN, "AAPL", NOON.date(), NOON.date())
    assert {lot.lot_id: lot.quantity for lot in today} == {second.lot_id: 20, first.lot_id: 10}
    wrong = (LotChoice(quantity=money(20), lot_id="000000000000"),)
    assert bench.refusal(shares("SS", "AAPL", 20, lots=wrong)) == "SIM232"
    short = (LotChoice(quantity=money(20), lot_id=second.lot_id),)
    assert bench.refusal(shares("SS", "AAPL", 30, lots=short)) == "SIM232"


def test_short_sale_and_cover() -> None:
    bench = Bench()
    before = bench.engine.balances(MARGIN).recent
    sold = bench.bid("PEP")
    bench.placed(shares("SH", "PEP", 60))
    after = bench.engine.balances(MARGIN).recent
    assert bench.held("PEP") == -60
    assert after.core == before.core
    assert after.short_credit - before.short_credit == 60 * bench.last("PEP")
    assert bench.refusal(shares("B", "PEP", 60)) == "SIM220"
    bench.go(timedelta(days=3))
    bought = bench.ask("PEP")
    bench.placed(shares("BH", "PEP", 60))
    assert bench.held("PEP") == 0
    core = bench.engine.balances(MARGIN).recent.core
    assert core - before.core == 60 * (sold - bought)
    (closed,) = bench.engine.closed_lots(MARGIN, "PEP", NOON.date(), bench.moment.date())
    assert (closed.gain, closed.term) == (60 * (sold - bought), "Short")


def test_hard_to_borrow_needs_a_locate() -> None:
    bench = Bench(settings=Settings(locate=False))
    assert bench.refusal(shares("SH", "BYND", 10)) == "SIM218"
    assert Bench().engine.preview(shares("SH", "BYND", 10)).response is Response.VALIDATED


@pytest.mark.parametrize("unit", [TrailUnit.DOLLARS, TrailUnit.PERCENT])
def test_trailing_stop_follows_up_and_never_down(unit: TrailUnit) -> None:
    bench = Bench()
    amount = money(12 if unit is TrailUnit.DOLLARS else 6)
    ticket = shares(
        "S",
        "NVDA",
        10,
        price_type=PriceType.TRAILING_STOP,
        trail_amount=amount,
        trail_unit=unit,
        tif=TimeInForce.GTC,
    )
    number = bench.placed(ticket)
    stops = []
    for _ in range(4000):
        bench.go(timedelta(minutes=25))
        stops.append(bench.entry(number).stop_price)
        if bench.status(number).final:
            break
    order = bench.order(number)
    assert order.status is Status.FILLED
    assert stops == sorted(stops)
    assert len(set(stops)) > 2
    high = max(trade.price for trade in bench.market.trades("NVDA", NOON, order.stop_hit or NOON))
    distance = amount if unit is TrailUnit.DOLLARS else high * amount / 100
    assert order.stop_price is not None
    assert high - distance - money("0.01") <= order.stop_price <= high - distance


def test_trailing_stop_limit_carries_its_limit() -> None:
    bench = Bench()
    ticket = shares(
        "S",
        "NVDA",
        10,
        price_type=PriceType.TRAILING_STOP_LIMIT,
        trail_amount=money(2),
        trail_unit=TrailUnit.DOLLARS,
        limit_offset=money("0.25"),
        tif=TimeInForce.GTC,
    )
    number = bench.placed(ticket)
    for _ in range(400):
        bench.go(timedelta(hours=6))
        if bench.order(number).stop_hit:
            break
    order = bench.order(number)
    assert order.stop_price is not None
    assert order.limit_price == order.stop_price - money("0.25")
    assert all(fill.price >= order.limit_price for fill in order.fills)


@pytest.mark.parametrize(("action", "amount"), [("S", "0.60"), ("S", "1.50"), ("B", "0.80")])
def test_trailing_stop_is_hit_at_the_very_first_moment(action: str, amount: str) -> None:
    """The search by stretches finds what a walk over every second finds."""
    bench = Bench()
    ticket = shares(
        action,
        "NVDA",
        10,
        price_type=PriceType.TRAILING_STOP,
        trail_amount=money(amount),
        trail_unit=TrailUnit.DOLLARS,
        tif=TimeInForce.GTC,
    )
    number = bench.placed(ticket)
    bench.go(timedelta(hours=4))
    hit = bench.order(number).stop_hit
    buys = action == "B"
    best, moment, expected = bench.market.quote("NVDA", NOON), NOON, None
    assert best is not None
    extreme = best.last
    assert extreme is not None
    for trade in bench.market.trades("NVDA", NOON, bench.moment):
        while moment < trade.time and expected is None:  # quotes of the whole seconds before the trade
            quote = bench.market.quote("NVDA", moment)
            assert quote is not None
            assert quote.ask is not None
            assert quote.bid is not None
            stop = extreme + money(amount) if buys else extreme - money(amount)
            if quote.ask >= stop if buys else quote.bid <= stop:
                expected = moment
            moment += timedelta(seconds=1)
        stop = extreme + money(amount) if buys else extreme - money(amount)
        if expected is None and (trade.price >= stop if buys else trade.price <= stop):
            expected = trade.time
        if expected is not None:
            break
        extreme = min(extreme, trade.price) if buys else max(extreme, trade.price)
    assert hit is not None
    assert hit == expected
