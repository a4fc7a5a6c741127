"""What an engine remembers of open orders changes nothing but the time it takes."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from engine_kit import NOON, Bench, money, option, option_leg, package, shares
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_engine_options import near
from test_engine_properties import Player, deeds, dump

from ftcli.clock import NEW_YORK
from ftcli.paper.codes import Effect, NetSide, Response, Status, TimeInForce
from ftcli.paper.engine import Engine
from ftcli.paper.estimates import net_market
from ftcli.paper.market import Market
from ftcli.paper.prices import Prices
from ftcli.paper.quotes import Touch
from ftcli.paper.settings import Settings
from ftcli.paper.state import State
from ftcli.paper.tickets import Ticket, TicketLeg

WORKDAY_EVENING = datetime(2026, 11, 24, 15, 58, tzinfo=NEW_YORK)


def call_spread(bench: Bench, better: Decimal, quantity: int = 1) -> Ticket:
    """A call spread for so much less than the market asks."""
    symbols = [near(bench, "AAPL", "C", factor) for factor in ("1.02", "1.06")]
    legs: list[TicketLeg] = [
        option_leg("buy", symbols[0], quantity, Effect.OPEN),
        option_leg("sell", symbols[1], quantity, Effect.OPEN),
    ]
    market = net_market(legs, (Decimal(1),) * 2, Prices(bench.market, bench.moment))
    assert market is not None
    return package(NetSide.DEBIT, max(market[1] - better, money("0.01")), *legs, tif=TimeInForce.GTC)


class Spreader(Player):
    """A player who also trades spreads and looks at the market often; it is watched from outside."""

    def watch(self) -> None:
        """Reads as anyone does."""
        self.bench.engine.last_event()

    def spread(self, value: tuple[int, Decimal]) -> None:
        quantity, better = value
        ticket = call_spread(self.bench, better, quantity)
        number = self.bench.engine.preview(ticket).number
        if self.bench.engine.place(number, ticket).response is Response.ACCEPTED:
            self.numbers.append(number)

    def ticks(self, value: tuple[int, int]) -> None:
        count, milliseconds = value
        for _ in range(count):
            self.bench.go(timedelta(milliseconds=milliseconds))


class Forgetful(Spreader):
    """A player whose engine is started anew before every deed and remembers nothing."""

    def act(self, deed: str, value: object) -> None:
        self._anew()
        super().act(deed, value)

    def _anew(self) -> None:
        bench = self.bench
        bench.engine = Engine(bench.state, bench.market, bench.clock, self.settings)

    def ticks(self, value: tuple[int, int]) -> None:
        count, milliseconds = value
        for _ in range(count):
            self._anew()
            self.bench.go(timedelta(milliseconds=milliseconds))


lively = st.one_of(
    deeds,
    st.tuples(st.just("spread"), st.tuples(st.integers(1, 3), st.decimals("-0.05", "0.60", places=2))),
    st.tuples(st.just("ticks"), st.tuples(st.integers(1, 12), st.integers(1, 40_000))),
    st.tuples(st.just("ticks"), st.tuples(st.integers(1, 12), st.integers(1, 900))),
)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(lively, min_size=3, max_size=16),
    st.sampled_from([(NOON, True), (WORKDAY_EVENING, True), (NOON, False), (WORKDAY_EVENING, False)]),
    st.sampled_from([Settings(), Settings(display_size=Decimal(2), cancel_delay=timedelta(seconds=45))]),
)
def test_an_engine_that_remembers_does_what_one_does_that_is_started_anew(
    steps: list[tuple[str, Any]], place: tuple[datetime, bool], rules: Settings
) -> None:
    keeps, forgets = Spreader(rules, *place), Forgetful(rules, *place)
    for deed, value in [*steps, ("wait", 2 * 86_400)]:
        keeps.act(deed, value)
        forgets.act(deed, value)
        assert keeps.bench.engine.events(0) == forgets.bench.engine.events(0)
    assert dump(keeps.bench) == dump(forgets.bench)


class CountingMarket(Market):
    """The market, counting how often a price was searched for."""

    searches = 0

    def first_touch(self, *args: Any, **more: Any) -> Touch | None:
        self.searches += 1
        return super().first_touch(*args, **more)


def test_readers_who_come_often_do_not_search_the_market_every_time() -> None:
    bench = Bench()
    market = CountingMarket(seed=7)
    bench.engine = Engine(bench.state, market, bench.clock)
    for index in range(10):
        bench.placed(call_spread(bench, 2 + money(index) / 10))
    bench.engine.last_event()
    market.searches = 0
    for _ in range(400):
        bench.moment += timedelta(milliseconds=50)
        bench.engine.last_event()
    assert 0 < market.searches < 400  # 8000 if each read searched for both legs of each order


def test_what_another_process_writes_ends_no_forecast_of_an_order_it_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "paper.sqlite"
    bench = Bench(state=State(path))
    market = CountingMarket(seed=7)
    bench.engine = Engine(bench.state, market, bench.clock)
    spread = bench.placed(call_spread(bench, money(3)))
    other = Engine(State(path), bench.market, bench.clock)
    bench.go(timedelta(minutes=1))  # looks a minute ahead
    resting = shares("B", "KO", 1, limit="20")
    other.place(other.preview(resting).number, resting)
    market.searches = 0
    bench.go(timedelta(seconds=30))
    assert bench.status(spread) is Status.OPEN
    assert market.searches <= 1  # for the other one's order


def test_options_bought_minutes_before_they_expire_expire() -> None:
    expiry = date(2026, 12, 18)
    bench = Bench(datetime(2026, 12, 18, 15, 50, tzinfo=NEW_YORK))
    bench.placed(shares("B", "KO", 1, limit="20"))
    bench.go(timedelta(minutes=1))  # nothing happens by then, nor in the minutes after
    symbol = near(bench, "AAPL", "C", "1.10", expiry)
    bench.placed(option("buy", symbol, 1))
    assert bench.held(symbol) == 1
    bench.go(datetime(2026, 12, 18, 16, 0, tzinfo=NEW_YORK))
    assert bench.held(symbol) == 0
