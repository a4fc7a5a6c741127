"""Conditional groups and changes, and the table of transitions of protocol 02 §18.2 walked row by row."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from engine_kit import (
    CASH,
    MARGIN,
    NOON,
    Bench,
    group_codes,
    money,
    option,
    option_leg,
    package,
    refusal_code,
    shares,
)
from msgspec.structs import replace
from test_engine_options import near

from ftcli.clock import NEW_YORK
from ftcli.paper.codes import EventKind, GroupKind, NetSide, Response, Role, Status, TimeInForce
from ftcli.paper.settings import Settings
from ftcli.paper.tickets import CancelTicket, GroupTicket, ReplaceTicket, Ticket

GTC = TimeInForce.GTC
SLOW = Settings(cancel_delay=timedelta(seconds=10))
STEPS = Settings(display_size=money(20), fill_interval=timedelta(seconds=2))


def limit_buy(bench: Bench, symbol: str = "KO", quantity: int = 50, offset: str = "-4") -> Ticket:
    """A buy that rests below the market (or fills at once with an offset above 0)."""
    return shares("B", symbol, quantity, limit=bench.ask(symbol) + Decimal(offset), tif=GTC)


def take_profit(bench: Bench, symbol: str = "KO", quantity: int = 50) -> Ticket:
    return shares("S", symbol, quantity, limit=bench.bid(symbol) + 6, tif=GTC)


def stop_loss(bench: Bench, symbol: str = "KO", quantity: int = 50) -> Ticket:
    return shares("S", symbol, quantity, stop=bench.bid(symbol) - 6, tif=GTC)


def until_final(bench: Bench, number: str, days: int = 170) -> None:
    for _ in range(days):
        bench.go(timedelta(days=1))
        if bench.status(number).final:
            return
    raise AssertionError(f"{number} is still {bench.status(number)}")


# -- groups ------------------------------------------------------------------------------------------


def test_group_preview_has_numbers_warnings_and_a_notice() -> None:
    bench = Bench()
    tickets = (limit_buy(bench), take_profit(bench), stop_loss(bench))
    preview = bench.engine.preview_group(GroupTicket(kind=GroupKind.OTOCO, account=MARGIN, tickets=tickets))
    assert group_codes(preview) == [[], [], ["001924"]]
    assert [message.code for message in preview.messages] == ["000000"]
    numbers = [answer.number for answer in preview.confirmations]
    assert len(set(numbers)) == 3
    assert all(number.startswith("K24") for number in numbers)


def test_group_with_a_bad_leg_is_refused_as_a_whole() -> None:
    bench = Bench()
    bad = replace(stop_loss(bench), stop_price=bench.bid("KO") + 8)
    group = GroupTicket(
        kind=GroupKind.OTOCO, account=MARGIN, tickets=(limit_buy(bench), take_profit(bench), bad)
    )
    preview = bench.engine.preview_group(group)
    assert [answer.response.value for answer in preview.confirmations] == ["V", "V", "E"]
    assert group_codes(preview)[2] == ["SIM205"]
    assert preview.messages == ()
    numbers = [answer.number for answer in preview.confirmations]
    placed = bench.engine.place_group(numbers, group)
    assert [answer.response.value for answer in placed.confirmations] == ["E", "E", "E"]
    assert all(bench.engine.order(number) is None for number in numbers)


@pytest.mark.parametrize("mapping", ["shifted", "aligned", "all"])
def test_group_is_found_by_any_of_its_numbers(mapping: str) -> None:
    bench = Bench()
    group = GroupTicket(
        kind=GroupKind.OTOCO,
        account=MARGIN,
        tickets=(limit_buy(bench), take_profit(bench), stop_loss(bench)),
    )
    numbers = [answer.number for answer in bench.engine.preview_group(group).confirmations]
    sent = {"shifted": ["", *numbers[:2]], "aligned": ["", *numbers[1:]], "all": numbers}[mapping]
    placed = bench.engine.place_group(sent, group)
    assert [answer.number for answer in placed.confirmations] == numbers
    assert {answer.response for answer in placed.confirmations} == {Response.ACCEPTED}
    again = bench.engine.place_group(sent, group)
    assert {refusal_code(answer) for answer in again.confirmations} == {"SIM208"}


def test_numbers_of_two_groups_or_another_group_are_refused() -> None:
    bench = Bench()
    group = GroupTicket(kind=GroupKind.OTO, account=MARGIN, tickets=(limit_buy(bench), take_profit(bench)))
    first = [answer.number for answer in bench.engine.preview_group(group).confirmations]
    second = [answer.number for answer in bench.engine.preview_group(group).confirmations]
    mixed = bench.engine.place_group([first[0], second[1]], group)
    assert {refusal_code(answer) for answer in mixed.confirmations} == {"SIM246"}
    other = replace(group, tickets=(limit_buy(bench, quantity=49), take_profit(bench)))
    changed = bench.engine.place_group(first, other)
    assert {refusal_code(answer) for answer in changed.confirmations} == {"SIM207"}
    single = bench.engine.place(first[0], limit_buy(bench))
    assert refusal_code(single) == "SIM207"
    short = replace(group, tickets=group.tickets[:1])
    assert group_codes(bench.engine.preview_group(short)) == [["SIM245"]]


def test_oto_child_waits_and_is_released_by_a_full_fill() -> None:
    bench = Bench(settings=STEPS)
    primary, child = bench.grouped(GroupKind.OTO, limit_buy(bench, offset="0.50"), take_profit(bench))
    assert bench.status(primary) is Status.PARTIAL_FILL
    assert bench.status(child) is Status.AWAITS_PRIMARY
    entry = bench.entry(child)
    assert (entry.linked, entry.special_code, entry.special_name) == (primary, "O", "OTO")
    assert entry.status_text == "Awaiting primary order"
    assert bench.engine.order_summary(MARGIN).open == 4  # these two and two seeded ones
    bench.go(timedelta(seconds=10))
    assert bench.status(primary) is Status.FILLED
    assert bench.status(child) is Status.TRIGGERED_OPEN
    assert bench.order(child).works_from == bench.order(primary).fills[-1].time
    assert bench.refusal(shares("S", "KO", 1)) == "SIM214"  # the child holds the shares back


def test_oto_child_ends_with_an_unfilled_primary() -> None:
    bench = Bench()
    primary, child = bench.grouped(
        GroupKind.OTO, replace(limit_buy(bench), time_in_force=TimeInForce.DAY), take_profit(bench)
    )
    bench.go(datetime(2026, 11, 24, 16, 0, tzinfo=NEW_YORK))
    assert bench.status(primary) is bench.status(child) is Status.VERIFIED_CANCEL


def test_oto_child_ends_with_a_partly_filled_primary() -> None:
    bench = Bench(settings=STEPS)
    primary, child = bench.grouped(GroupKind.OTO, limit_buy(bench, offset="0.50"), take_profit(bench))
    bench.cancel(primary)
    assert bench.status(primary) is Status.VERIFIED_CANCEL_PARTIAL_FILL
    assert bench.status(child) is Status.VERIFIED_CANCEL


def test_otoco_children_become_halves_of_which_one_wins() -> None:
    bench = Bench()
    primary, profit, loss = bench.grouped(
        GroupKind.OTOCO,
        limit_buy(bench, "NVDA", 50, "0.50"),
        take_profit(bench, "NVDA"),
        stop_loss(bench, "NVDA"),
    )
    assert bench.status(primary) is Status.FILLED
    assert bench.status(profit) is bench.status(loss) is Status.TRIGGERED_OPEN
    assert (bench.order(profit).linked, bench.order(loss).linked) == (loss, profit)
    assert bench.order(profit).role is Role.HALF
    for _ in range(170):
        bench.go(timedelta(days=1))
        if bench.status(profit).final:
            break
    assert {bench.status(profit), bench.status(loss)} == {Status.FILLED, Status.VERIFIED_CANCEL}
    winner = profit if bench.status(profit) is Status.FILLED else loss
    loser = loss if winner == profit else profit
    assert bench.order(loser).changed == bench.order(winner).fills[0].time
    kinds = [(event.kind, event.data.status) for event in bench.engine.events(0) if event.order == loser]
    assert (EventKind.ORDER_UPDATE, Status.PENDING_CANCEL) in kinds
    assert kinds[-1] == (EventKind.CANCELLED, Status.VERIFIED_CANCEL)


def test_oco_halves_share_one_holding_and_part_on_a_cancel() -> None:
    bench = Bench()
    held = int(bench.held("NVDA"))
    free = held - 100  # a written call is covered by the others
    one, two = bench.grouped(GroupKind.OCO, take_profit(bench, "NVDA", free), stop_loss(bench, "NVDA", free))
    assert bench.status(one) is bench.status(two) is Status.OPEN
    assert bench.refusal(shares("S", "MSFT", 41)) == "SIM214"
    bench.cancel(one)
    assert bench.status(one) is Status.VERIFIED_CANCEL
    left = bench.order(two)
    assert (left.status, left.linked, left.role, left.on_hold) == (Status.OPEN, None, None, False)
    assert bench.engine.preview(shares("S", "NVDA", 100)).response is Response.VALIDATED  # level 5: uncovers
    assert bench.refusal(shares("S", "NVDA", 101)) == "SIM214"


def test_oco_on_both_sides_holds_back_for_each() -> None:
    bench = Bench()
    committed = bench.engine.balances(MARGIN).recent.committed_cash_and_margin
    bench.grouped(GroupKind.OCO, limit_buy(bench, "PEP", 10), take_profit(bench, "MSFT", 40))
    limit = bench.ask("PEP") - 4
    assert bench.engine.balances(MARGIN).recent.committed_cash_and_margin == committed + limit * 10
    assert bench.refusal(shares("S", "MSFT", 1)) == "SIM214"


def test_a_partial_fill_of_one_half_cancels_the_other() -> None:
    bench = Bench(settings=STEPS)
    one, two = bench.grouped(
        GroupKind.OCO, shares("S", "AAPL", 50, limit=bench.bid("AAPL") - 1, tif=GTC), stop_loss(bench, "AAPL")
    )
    assert bench.status(one) is Status.PARTIAL_FILL
    assert bench.status(two) is Status.VERIFIED_CANCEL
    bench.go(timedelta(seconds=20))
    assert bench.order(one).leg.executed == 50


def test_triggered_child_whose_shares_are_gone_is_an_error() -> None:
    bench = Bench(settings=STEPS)
    primary, child = bench.grouped(GroupKind.OTO, limit_buy(bench, offset="0.50"), take_profit(bench))
    assert bench.order(primary).leg.executed == 20
    bench.placed(shares("S", "KO", 20))
    bench.go(timedelta(seconds=10))
    assert bench.status(primary) is Status.FILLED
    assert bench.status(child) is Status.ERROR
    assert bench.entry(child).status_text == "Error"


# -- changes -------------------------------------------------------------------------------------------


def test_replace_mints_a_new_number_and_can_be_chained() -> None:
    bench = Bench()
    first = bench.placed(limit_buy(bench, quantity=100))
    power = bench.engine.balances(MARGIN).recent.margin
    second = bench.replaced(first, limit_buy(bench, quantity=100, offset="-3"))
    assert bench.status(first) is Status.VERIFIED_CANCEL
    assert bench.status(second) is Status.OPEN
    assert bench.entry(second).linked == first
    third = bench.replaced(second, limit_buy(bench, quantity=80, offset="0.50"))
    order = bench.order(third)
    assert (order.status, order.leg.executed, order.replaces) == (Status.FILLED, 80, second)
    assert bench.held("KO") == 80
    assert power is not None
    answer = bench.engine.preview_replace(ReplaceTicket(original=first, ticket=limit_buy(bench)))
    assert refusal_code(answer) == "SIM240"


def test_replace_refusals() -> None:
    bench = Bench()
    number = bench.placed(limit_buy(bench, quantity=100))
    spread = package(
        NetSide.DEBIT,
        "0.10",
        option_leg("buy", near(bench, "AAPL", "C", "1.00"), 1),
        option_leg("sell", near(bench, "AAPL", "C", "1.05"), 1),
    )
    package_number = bench.placed(spread)
    cases = [
        ("2G800000", limit_buy(bench), "SIM242"),
        (number, limit_buy(bench, "PEP"), "SIM241"),
        (number, take_profit(bench), "SIM241"),
        (number, replace(limit_buy(bench), account=CASH), "SIM242"),
        (package_number, spread, "SIM244"),
        (number, replace(limit_buy(bench), limit_price=money(500)), "MA5010"),
    ]
    found = [
        refusal_code(bench.engine.preview_replace(ReplaceTicket(original=original, ticket=ticket)))
        for original, ticket, _ in cases
    ]
    assert found == [code for _, _, code in cases]
    change = ReplaceTicket(original=number, ticket=limit_buy(bench, offset="-5"))
    good = bench.engine.preview_replace(change)
    other = replace(change, ticket=limit_buy(bench, offset="-6"))
    assert refusal_code(bench.engine.replace(good.number, other)) == "SIM207"
    assert refusal_code(bench.engine.place(good.number, change.ticket)) == "SIM207"
    assert bench.engine.replace(good.number, change).response is Response.ACCEPTED
    assert refusal_code(bench.engine.replace(good.number, change)) == "SIM208"


def test_replacement_does_not_need_the_money_twice() -> None:
    bench = Bench()
    power = bench.engine.balances(CASH).recent.cash_buying_power
    quantity = int(power / 60)
    number = bench.placed(shares("B", "KO", quantity, account=CASH, limit="60"))
    new = bench.replaced(number, shares("B", "KO", quantity, account=CASH, limit="59"))
    assert bench.status(new) is Status.OPEN
    assert bench.engine.balances(CASH).recent.cash_buying_power == power - 59 * quantity


def test_original_that_fills_first_leaves_the_replacement_in_error() -> None:
    bench = Bench(settings=replace(STEPS, cancel_delay=timedelta(minutes=1)))
    number = bench.placed(limit_buy(bench, quantity=40, offset="0.50"))
    assert bench.status(number) is Status.PARTIAL_FILL
    new = bench.replaced(number, limit_buy(bench, quantity=20, offset="0.60"))
    assert bench.status(number) is Status.PENDING_CANCEL_PARTIAL_FILL
    assert bench.status(new) is Status.OPEN
    bench.go(timedelta(seconds=20))
    assert bench.status(number) is Status.FILLED
    assert bench.status(new) is Status.ERROR
    assert bench.held("KO") == 40


def test_fills_during_a_pending_change_are_taken_off_the_replacement() -> None:
    bench = Bench(settings=replace(STEPS, cancel_delay=timedelta(seconds=3)))
    number = bench.placed(limit_buy(bench, quantity=100, offset="0.50"))
    new = bench.replaced(number, limit_buy(bench, quantity=80, offset="-5"))
    bench.go(timedelta(seconds=3))
    assert bench.order(number).leg.executed == 40
    assert bench.status(number) is Status.VERIFIED_CANCEL_PARTIAL_FILL
    assert bench.order(new).leg.quantity == 60
    assert bench.status(new) is Status.OPEN


def test_group_members_can_be_changed_and_stay_linked() -> None:
    bench = Bench()
    primary, profit, loss = bench.grouped(
        GroupKind.OTOCO, limit_buy(bench), take_profit(bench), stop_loss(bench)
    )
    parts = [
        ReplaceTicket(original=profit, ticket=replace(take_profit(bench), limit_price=bench.bid("KO") + 7)),
        ReplaceTicket(original=loss, ticket=replace(stop_loss(bench), stop_price=bench.bid("KO") - 5)),
    ]
    preview = bench.engine.preview_group_replace(GroupKind.OTOCO, MARGIN, parts)
    assert not preview.refused
    numbers = [answer.number for answer in preview.confirmations]
    placed = bench.engine.replace_group(numbers, GroupKind.OTOCO, MARGIN, parts)
    assert not placed.refused, group_codes(placed)
    assert bench.status(profit) is bench.status(loss) is Status.VERIFIED_CANCEL
    assert {bench.status(number) for number in numbers} == {Status.AWAITS_PRIMARY}
    new_primary = bench.replaced(primary, limit_buy(bench, offset="0.50"))
    assert bench.status(new_primary) is Status.FILLED
    assert {bench.status(number) for number in numbers} == {Status.TRIGGERED_OPEN}
    assert bench.order(numbers[0]).sibling == numbers[1]
    bench.replaced(numbers[0], replace(take_profit(bench), limit_price=bench.bid("KO") - 1))
    assert bench.status(numbers[1]) is Status.VERIFIED_CANCEL
    assert bench.held("KO") == 0


# -- the transition table ---------------------------------------------------------------------------------


def open_order(bench: Bench) -> str:
    return bench.placed(limit_buy(bench))


def partial(bench: Bench) -> str:
    return bench.placed(limit_buy(bench, offset="0.50"))


def test_row_preview_is_not_listed() -> None:
    bench = Bench()
    before = bench.engine.orders(MARGIN)
    number = bench.previewed(limit_buy(bench))
    refused = bench.engine.preview(replace(limit_buy(bench), limit_price=money(900)))
    assert bench.engine.orders(MARGIN) == before
    assert bench.engine.orders(MARGIN, number) == bench.engine.orders(MARGIN, refused.number) == []
    bench.engine.place(refused.number, replace(limit_buy(bench), limit_price=money(900)))
    assert bench.engine.orders(MARGIN) == before


def test_row_open_to_partial_to_filled() -> None:
    bench = Bench(settings=STEPS)
    number = partial(bench)
    entry = bench.entry(number)
    assert (entry.status, entry.cancelable, entry.replaceable) == (Status.PARTIAL_FILL, True, True)
    bench.go(timedelta(seconds=10))
    entry = bench.entry(number)
    assert (entry.status, entry.cancelable, entry.replaceable) == (Status.FILLED, False, False)


def test_row_pending_cancel_then_part_then_verified() -> None:
    bench = Bench(settings=replace(SLOW, display_size=money(20)))
    number = open_order(bench)
    assert bench.cancel(number) is Response.ACCEPTED
    entry = bench.entry(number)
    assert (entry.status, entry.cancelable, entry.replaceable) == (Status.PENDING_CANCEL, False, False)
    assert entry.status.counter == "open"
    bench.go(timedelta(seconds=10))
    assert bench.status(number) is Status.VERIFIED_CANCEL
    assert bench.order(number).leg.executed == 0


def pending_that_can_fill(settings: Settings) -> tuple[Bench, str]:
    """A resting buy close to the market, pending its cancel, whose limit comes within the delay."""
    bench = Bench(settings=replace(settings, cancel_delay=timedelta(hours=3)))
    number = bench.placed(shares("B", "NVDA", 50, limit=bench.ask("NVDA") - money("0.15")))
    assert bench.status(number) is Status.OPEN
    bench.cancel(number)
    assert bench.status(number) is Status.PENDING_CANCEL
    return bench, number


def test_row_pending_cancel_executes_first() -> None:
    bench, number = pending_that_can_fill(Settings())
    bench.go(timedelta(hours=3))
    assert bench.status(number) is Status.FILLED


def test_row_pending_cancel_part_executes_first() -> None:
    settings = Settings(display_size=money(20), fill_interval=timedelta(hours=2, minutes=59))
    bench, number = pending_that_can_fill(settings)
    for _ in range(600):
        bench.go(timedelta(seconds=15))
        if bench.status(number) is not Status.PENDING_CANCEL:
            break
    assert bench.status(number) is Status.PENDING_CANCEL_PARTIAL_FILL
    assert bench.entry(number).status_text == "Pending Cancel"
    bench.go(NOON + timedelta(hours=3))
    order = bench.order(number)
    assert order.status is Status.VERIFIED_CANCEL_PARTIAL_FILL
    assert (order.leg.executed, order.leg.remaining) == (20, 30)


def test_row_partial_cancel_and_partial_expiry() -> None:
    bench = Bench(settings=replace(STEPS, cancel_delay=timedelta(seconds=1)))
    number = partial(bench)
    assert bench.cancel(number) is Response.ACCEPTED
    assert bench.status(number) is Status.PENDING_CANCEL_PARTIAL_FILL
    bench.go(timedelta(seconds=1))
    assert bench.status(number) is Status.VERIFIED_CANCEL_PARTIAL_FILL
    (outcome,) = bench.engine.preview_cancel([CancelTicket(number=number, account=MARGIN)])
    assert (outcome.executed, outcome.remaining) == (20, 30)
    late = Bench(datetime(2026, 11, 24, 15, 59, 59, tzinfo=NEW_YORK), settings=STEPS)
    expiring = late.placed(replace(limit_buy(late, offset="0.50"), time_in_force=TimeInForce.DAY))
    late.go(timedelta(seconds=5))
    assert late.status(expiring) is Status.VERIFIED_CANCEL_PARTIAL_FILL


def test_row_waiting_child_is_cancelled_by_the_customer() -> None:
    bench = Bench()
    primary, child = bench.grouped(GroupKind.OTO, limit_buy(bench), take_profit(bench))
    assert bench.entry(child).cancelable
    bench.cancel(child)
    assert bench.status(child) is Status.VERIFIED_CANCEL
    assert bench.status(primary) is Status.OPEN


def test_row_open_to_error_when_the_money_is_gone() -> None:
    """A market order held over night meets an open that costs more than there is."""
    bench = Bench(datetime(2026, 11, 24, 21, 0, tzinfo=NEW_YORK), always_open=False)
    power = bench.engine.balances(CASH).recent.cash_buying_power
    symbol = next(
        name
        for name in ("TQQQ", "SQQQ", "SOXL", "CVNA", "AMD", "TSLA", "NVDA")
        if int(power / bench.ask(name)) * _opening_ask(bench, name) > power
    )
    number = bench.placed(shares("B", symbol, int(power / bench.ask(symbol)), account=CASH))
    bench.go(datetime(2026, 11, 25, 10, 0, tzinfo=NEW_YORK))
    assert bench.status(number) is Status.ERROR
    assert bench.engine.balances(CASH).recent.cash_buying_power == power
    assert bench.held(symbol, CASH) == 0


def _opening_ask(bench: Bench, symbol: str) -> Decimal:
    quote = bench.market.quote(symbol, datetime(2026, 11, 25, 9, 30, tzinfo=NEW_YORK))
    assert quote is not None
    assert quote.ask is not None
    return quote.ask


def test_final_orders_never_change() -> None:
    bench = Bench(settings=STEPS)
    numbers = [partial(bench), open_order(bench), bench.placed(shares("B", "PEP", 3))]
    bench.cancel(numbers[0])
    bench.cancel(numbers[1])
    frozen = {number: bench.order(number) for number in numbers}
    assert all(order.status.final for order in frozen.values())
    for _ in range(10):
        bench.go(timedelta(days=3))
        for number in numbers:
            assert bench.cancel(number) is Response.REFUSED
            assert bench.order(number) == frozen[number]


def test_status_list_holds_open_orders_and_those_of_the_day() -> None:
    bench = Bench()
    filled, resting = bench.placed(shares("B", "PEP", 3)), open_order(bench)
    seeded = 2
    assert bench.engine.order_summary(MARGIN).orders == 2 + seeded
    assert bench.engine.order_summary(MARGIN).filled == 1
    bench.go(datetime(2026, 11, 24, 23, 0, tzinfo=NEW_YORK))
    assert filled in {entry.order.number for entry in bench.engine.orders(MARGIN)}
    bench.go(datetime(2026, 11, 25, 9, 0, tzinfo=NEW_YORK))
    listed = {entry.order.number for entry in bench.engine.orders(MARGIN)}
    assert filled not in listed
    assert resting in listed
    assert [entry.order.number for entry in bench.engine.orders(MARGIN, filled)] == [filled]
    assert bench.engine.orders(CASH, filled) == []


def test_option_child_of_a_group() -> None:
    bench = Bench()
    symbol = near(bench, "AAPL", "C", "1.03")
    buy = option("buy", symbol, 1, limit=bench.ask(symbol), tif=GTC)
    sell = option("sell", symbol, 1, limit=bench.ask(symbol) * 3, tif=GTC)
    primary, child = bench.grouped(GroupKind.OTO, buy, sell)
    assert bench.status(primary) is Status.FILLED
    assert bench.status(child) is Status.TRIGGERED_OPEN
    assert bench.order(child).leg.effect is not None
    assert bench.order(child).leg.effect.value == "C"
