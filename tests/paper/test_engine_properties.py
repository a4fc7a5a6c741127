"""Properties of the engine under random orders and random steps of time."""

from datetime import datetime, timedelta
from decimal import Decimal

from engine_kit import CASH, MARGIN, NOON, ROTH, Bench, money, option, shares
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from test_engine_options import near

from ftcli.clock import NEW_YORK
from ftcli.paper.codes import (
    Action,
    GroupKind,
    PriceType,
    Response,
    SessionCode,
    Status,
    TimeInForce,
    TrailUnit,
)
from ftcli.paper.records import ZERO, Order
from ftcli.paper.settings import Settings
from ftcli.paper.tickets import CancelTicket, GroupTicket, ReplaceTicket, Ticket

ACCOUNTS = [MARGIN, CASH, ROTH]
SYMBOLS = ["AAPL", "KO", "NVDA", "SCHD", "PEP", "MSFT"]
PLAIN = settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)

tickets = st.builds(
    dict,
    account=st.sampled_from(ACCOUNTS),
    symbol=st.sampled_from(SYMBOLS),
    action=st.sampled_from(["B", "S", "SH", "BH", "SA"]),
    quantity=st.integers(1, 120),
    kind=st.sampled_from(list(PriceType)),
    percent=st.decimals("-6", "6", places=2),
    tif=st.sampled_from([TimeInForce.DAY, TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK]),
)
deeds = st.one_of(
    st.tuples(st.just("order"), tickets),
    st.tuples(st.just("order"), tickets),
    st.tuples(st.just("option"), st.tuples(st.sampled_from(["buy", "sell"]), st.integers(1, 3))),
    st.tuples(st.just("cancel"), st.integers(0, 30)),
    st.tuples(st.just("replace"), st.tuples(st.integers(0, 30), st.decimals("-3", "3", places=2))),
    st.tuples(st.just("group"), st.tuples(st.sampled_from(list(GroupKind)), tickets)),
    st.tuples(st.just("wait"), st.integers(1, 60 * 60 * 30)),
)


def ticket_from(bench: Bench, terms: dict[str, object]) -> Ticket:
    """A ticket whose prices lie some percent from the market."""
    symbol, action = str(terms["symbol"]), Action(str(terms["action"]))
    last, kind = bench.last(symbol), terms["kind"]
    assert isinstance(kind, PriceType)
    percent = terms["percent"]
    assert isinstance(percent, Decimal)
    price = round(last * (100 + percent) / 100, 2)
    return shares(
        action,
        symbol,
        terms["quantity"],
        account=str(terms["account"]),
        limit=price if kind.has_limit else None,
        stop=price if kind.has_stop else None,
        tif=terms["tif"],  # type: ignore[arg-type]
        price_type=kind,
        trail_amount=abs(percent) + 1 if kind.trails else None,
        trail_unit=TrailUnit.PERCENT if kind.trails else None,
        limit_offset=money("0.10") if kind is PriceType.TRAILING_STOP_LIMIT else None,
    )


class Player:
    """Does random deeds and watches what must always hold."""

    def __init__(
        self, settings_: Settings | None = None, now: datetime = NOON, always_open: bool = True
    ) -> None:
        self.settings = settings_
        self.bench = Bench(now, always_open=always_open, settings=settings_)
        self.numbers: list[str] = []
        self.finals: dict[str, Order] = {}

    def act(self, deed: str, value: object) -> None:
        getattr(self, deed)(value)
        self.watch()

    def order(self, terms: dict[str, object]) -> None:
        ticket = ticket_from(self.bench, terms)
        answer = self.bench.engine.preview(ticket)
        before = self.bench.engine.balances(ticket.account).recent
        placed = self.bench.engine.place(answer.number, ticket)
        assert (placed.response is Response.ACCEPTED) == (answer.response is Response.VALIDATED)
        if placed.response is Response.ACCEPTED:
            self.numbers.append(answer.number)
            assert self.bench.engine.order(answer.number) is not None
            if ticket.leg.action is Action.BUY and ticket.account != MARGIN:
                estimate = answer.estimate
                assert estimate is not None
                assert estimate.net <= before.cash_buying_power
        else:
            assert self.bench.engine.order(answer.number) is None

    def option(self, value: tuple[str, int]) -> None:
        side, quantity = value
        ticket = option(side, near(self.bench, "AAPL", "C", "1.04", self._expiry()), quantity)
        answer = self.bench.engine.preview(ticket)
        if self.bench.engine.place(answer.number, ticket).response is Response.ACCEPTED:
            self.numbers.append(answer.number)

    def _expiry(self) -> "object":
        from ftcli.paper.option_contracts import expirations
        from ftcli.paper.symbols import find

        security = find("AAPL")
        assert security is not None
        return expirations(security, self.bench.moment)[1]

    def cancel(self, index: int) -> None:
        if self.numbers:
            self.bench.cancel(self.numbers[index % len(self.numbers)])

    def replace(self, value: tuple[int, Decimal]) -> None:
        index, percent = value
        if not self.numbers:
            return
        order = self.bench.order(self.numbers[index % len(self.numbers)])
        if order.is_package or order.leg.action.for_options:
            return
        price = round(self.bench.last(order.leg.symbol) * (100 + percent) / 100, 2)
        ticket = shares(
            order.leg.action,
            order.leg.symbol,
            order.leg.quantity,
            account=order.account,
            limit=price,
            tif=TimeInForce.GTC,
            holding=order.holding,
        )
        change = ReplaceTicket(original=order.number, ticket=ticket)
        answer = self.bench.engine.preview_replace(change)
        placed = self.bench.engine.replace(answer.number, change)
        if placed.response is Response.ACCEPTED:
            self.numbers.append(answer.number)

    def group(self, value: tuple[GroupKind, dict[str, object]]) -> None:
        kind, terms = value
        base = ticket_from(
            self.bench, terms | {"kind": PriceType.LIMIT, "tif": TimeInForce.GTC, "action": "B"}
        )
        bid = self.bench.bid(base.leg.symbol)
        sell = [
            shares(
                "S",
                base.leg.symbol,
                base.leg.quantity,
                account=base.account,
                limit=bid + 2,
                tif=TimeInForce.GTC,
            ),
            shares(
                "S",
                base.leg.symbol,
                base.leg.quantity,
                account=base.account,
                stop=bid - 2,
                tif=TimeInForce.GTC,
            ),
        ]
        members = {GroupKind.OTO: [base, sell[0]], GroupKind.OCO: sell, GroupKind.OTOCO: [base, *sell]}[kind]
        ticket = GroupTicket(kind=kind, account=base.account, tickets=tuple(members))
        preview = self.bench.engine.preview_group(ticket)
        numbers = [answer.number for answer in preview.confirmations]
        placed = self.bench.engine.place_group(numbers, ticket)
        assert placed.refused == preview.refused
        if not placed.refused:
            self.numbers += numbers

    def wait(self, seconds: int) -> None:
        self.bench.go(timedelta(seconds=seconds))

    # -- what always holds ---------------------------------------------------------------------

    def watch(self) -> None:
        for account in ACCOUNTS:
            assert self.bench.cash_like(account) == self.bench.history_net(account)
            balances = self.bench.engine.balances(account).recent
            assert balances.core >= 0
            if account != MARGIN:
                assert balances.credit_debit == 0  # a cash account never owes
                assert balances.core >= balances.committed_cash_and_margin + balances.cash_covered_put_reserve
        for number in self.numbers:
            self.watch_order(self.bench.order(number))
        self.watch_holdings()

    def watch_order(self, order: Order) -> None:
        known = self.finals.get(order.number)
        if known is not None:
            assert order == known
            return
        for leg in order.legs:
            assert leg.quantity == leg.executed + leg.remaining
            assert 0 <= leg.executed <= leg.quantity
            assert leg.executed == order.executed_units * leg.ratio
            assert leg.executed == sum(
                (fill.quantity for fill in order.fills if order.legs[fill.leg].symbol == leg.symbol), ZERO
            )
        for fill in order.fills:
            assert order.works_from is not None
            assert order.works_from <= fill.time
            assert order.ends is not None
            assert fill.time <= order.ends
            if order.price_type.fills_at_limit and order.limit_price is not None:
                good = fill.price <= order.limit_price
                assert good if order.leg.action.buys else fill.price >= order.limit_price
        if order.status is Status.VERIFIED_CANCEL:
            assert order.executed_units == 0
        if order.status is Status.FILLED:
            assert order.remaining_units == 0
        if order.status.final:
            assert order.committed == order.requirement == 0
            self.finals[order.number] = order

    def watch_holdings(self) -> None:
        world = self.bench.world()
        for account in ACCOUNTS:
            for symbol, holding in world.lots.totals(account).items():
                closing = world.orders.closing(account, symbol, long=holding.quantity > 0)
                assert closing >= 0
                if account != MARGIN and "C" not in symbol[3:]:
                    assert holding.quantity > 0
            commitments = world.orders.commitments(account)
            orders = world.orders.of(account)
            assert commitments.cash == sum((order.committed for order in orders), ZERO)
            assert commitments.requirement == sum((order.requirement for order in orders), ZERO)


@PLAIN
@given(st.lists(deeds, min_size=1, max_size=14))
def test_random_life(steps: list[tuple[str, object]]) -> None:
    player = Player()
    for deed, value in steps:
        player.act(deed, value)


@PLAIN
@given(st.lists(deeds, min_size=1, max_size=10), st.integers(1, 50))
def test_random_life_with_partial_fills_and_slow_cancels(steps: list[tuple[str, object]], size: int) -> None:
    player = Player(
        Settings(
            display_size=Decimal(size),
            fill_interval=timedelta(seconds=90),
            cancel_delay=timedelta(seconds=45),
        )
    )
    for deed, value in steps:
        player.act(deed, value)


# -- time in steps of any size --------------------------------------------------------------------------------


def dump(bench: Bench) -> list[str]:
    """All that is on disk, after a last look that is written down."""
    bench.engine.cancel([])
    return list(bench.state._connection.iterdump())


def play(orders: list[Ticket], moments: list[datetime], *, always_open: bool, size: Decimal | None) -> Bench:
    """Place orders at noon and look at the given moments."""
    bench = Bench(
        always_open=always_open, settings=Settings(display_size=size, fill_interval=timedelta(seconds=77))
    )
    for ticket in orders:
        number = bench.engine.preview(ticket).number
        bench.engine.place(number, ticket)
    for moment in moments:
        bench.go(moment)
    return bench


@settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(tickets, min_size=1, max_size=6),
    st.lists(st.integers(1, 3 * 86_400), min_size=1, max_size=12),
    st.booleans(),
    st.sampled_from([None, Decimal(30)]),
)
def test_time_in_odd_steps_gives_the_same(
    terms: list[dict[str, object]], offsets: list[int], always_open: bool, size: Decimal | None
) -> None:
    bench = Bench(always_open=always_open)
    orders = [ticket_from(bench, {**item, "account": MARGIN}) for item in terms]
    end = NOON + timedelta(days=3)
    odd = sorted({NOON + timedelta(seconds=offset) for offset in offsets}) + [end]
    one = play(orders, [end], always_open=always_open, size=size)
    many = play(orders, odd, always_open=always_open, size=size)
    assert one.engine.positions([MARGIN]) == many.engine.positions([MARGIN])
    assert one.engine.events(0) == many.engine.events(0)
    assert dump(one) == dump(many)


def test_extended_hours_package_and_groups_are_path_independent() -> None:
    def run(step: timedelta) -> Bench:
        bench = Bench(datetime(2026, 11, 24, 15, 30, tzinfo=NEW_YORK), always_open=False)
        bid, ask = bench.bid("NVDA"), bench.ask("NVDA")
        bench.placed(shares("B", "NVDA", 10, limit=ask - money("0.40"), session=SessionCode.EXTENDED))
        bench.placed(shares("S", "AAPL", 10, limit=bench.bid("AAPL") + 1, session=SessionCode.EXTENDED))
        call = near(bench, "AAPL", "C", "1.02")
        bench.placed(option("buy", call, 1, limit=bench.ask(call) - money("0.20"), tif=TimeInForce.GTC))
        bench.grouped(
            GroupKind.OTOCO,
            shares("B", "NVDA", 5, limit=ask, tif=TimeInForce.GTC),
            shares("S", "NVDA", 5, limit=bid + 1, tif=TimeInForce.GTC),
            shares("S", "NVDA", 5, stop=bid - 1, tif=TimeInForce.GTC),
        )
        end = datetime(2026, 11, 27, 18, 0, tzinfo=NEW_YORK)
        while bench.moment < end:
            bench.go(min(bench.moment + step, end))
        return bench

    coarse, fine = run(timedelta(days=9)), run(timedelta(minutes=37, seconds=11))
    assert coarse.engine.events(0) == fine.engine.events(0)
    assert dump(coarse) == dump(fine)


def test_replaying_the_same_calls_gives_the_same_world() -> None:
    def run() -> list[str]:
        player = Player()
        for index in range(12):
            terms = {
                "account": MARGIN,
                "symbol": SYMBOLS[index % 6],
                "action": "B",
                "quantity": index + 1,
                "kind": PriceType.LIMIT,
                "percent": Decimal(index % 5 - 3),
                "tif": TimeInForce.GTC,
            }
            player.act("order", terms)
            player.act("wait", 5000)
        player.bench.engine.cancel([CancelTicket(number=number, account=MARGIN) for number in player.numbers])
        player.bench.go(timedelta(days=1))
        return dump(player.bench)

    assert run() == run()


def test_a_ticket_is_bound_to_its_preview_in_every_term() -> None:
    bench = Bench()
    ticket = shares("B", "KO", 5, limit="50", tif=TimeInForce.GTC)
    number = bench.previewed(ticket)
    changed = [
        replace(ticket, limit_price=money("49.99")),
        replace(ticket, stop_price=money("55")),
        replace(ticket, trail_amount=money(1)),
        replace(ticket, limit_offset=money(1)),
    ]
    for other in changed:
        assert bench.engine.place(number, other).response is Response.REFUSED
    assert bench.engine.place(number, ticket).response is Response.ACCEPTED
