"""The paper market: everything it shows agrees, at any hour and in any order."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise
from time import process_time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ftcli.clock import NEW_YORK
from ftcli.paper import calendar
from ftcli.paper.market import DEFAULT_SEED, Bar, Market, Quote, Trade
from ftcli.paper.symbols import all_securities, find

MARKET = Market()
NYSE = Market(always_open=False)
MARKETS = st.sampled_from([MARKET, NYSE])

TRADED = st.sampled_from(
    ["AAPL", "SPY", "KO", "BKNG", "OPTT", "BYND", "BRK.B", "SQQQ", "SGOV", ".VIX", ".SPX"]
)
FIRST, LAST = date(2019, 1, 2), date(2031, 12, 30)
TRADING_DAYS = calendar.trading_days(FIRST, LAST)
DAYS = st.sampled_from(TRADING_DAYS)
MOMENTS = st.datetimes(
    datetime.combine(FIRST, time()), datetime.combine(LAST, time()), timezones=st.just(UTC)
)  # in UTC, because the clocks of New York jump
CLOCK_CHANGES = (
    datetime(2026, 3, 8, 1, 59, 59, tzinfo=NEW_YORK),
    datetime(2026, 3, 8, 3, 0, 0, tzinfo=NEW_YORK),
    datetime(2026, 11, 1, 1, 30, tzinfo=NEW_YORK),
    datetime(2026, 11, 1, 1, 30, tzinfo=NEW_YORK, fold=1),
)
INSTANT = timedelta(microseconds=1)
SLOW = settings(max_examples=60, deadline=None)
FEW = settings(max_examples=12, deadline=None)


def at(day: date, hour: int, minute: int = 0, second: int = 0, micro: int = 0) -> datetime:
    return datetime.combine(day, time(hour, minute, second, micro), NEW_YORK)


def session(day: date) -> calendar.Session:
    found = calendar.session_on(day)
    assert found is not None
    return found


def quote(market: Market, symbol: str, moment: datetime) -> Quote:
    found = market.quote(symbol, moment)
    assert found is not None
    return found


def joined(parts: list[Bar]) -> tuple[Decimal, Decimal, Decimal, Decimal, int, int]:
    return (
        parts[0].open,
        max(part.high for part in parts),
        min(part.low for part in parts),
        parts[-1].close,
        sum(part.volume for part in parts),
        sum(part.trades for part in parts),
    )


def of_trades(trades: list[Trade]) -> tuple[Decimal, Decimal, Decimal, Decimal, int, int]:
    prices = [trade.price for trade in trades]
    return (
        prices[0],
        max(prices),
        min(prices),
        prices[-1],
        sum(trade.size for trade in trades),
        len(trades),
    )


def figures(bar: Bar) -> tuple[Decimal, Decimal, Decimal, Decimal, int, int]:
    return joined([bar])


class TestLevelsAgree:
    @SLOW
    @given(TRADED, DAYS)
    @example("AAPL", date(2026, 11, 27))
    @example(".VIX", date(2026, 12, 24))
    def test_a_day_is_the_sum_of_its_minutes(self, symbol: str, day: date) -> None:
        hours = session(day)
        (daily,) = MARKET.bars(symbol, at(day, 0), at(day, 23), "D")
        minutes = MARKET.bars(symbol, hours.open, hours.close, 1)
        assert len(minutes) == (hours.close - hours.open) // timedelta(minutes=1)
        assert joined(minutes) == figures(daily)
        assert all(before.close == after.open for before, after in pairwise(minutes))
        assert all(
            bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high for bar in minutes
        )

    @SLOW
    @given(TRADED, MOMENTS)
    def test_a_minute_is_the_sum_of_its_trades(self, symbol: str, moment: datetime) -> None:
        start = moment.replace(minute=moment.minute // 5 * 5, second=0, microsecond=0)
        end = start + timedelta(minutes=5)
        minutes = MARKET.bars(symbol, start, end, 1, extended=True)
        assert len(minutes) == 5, "a market that never closes has bars at any hour"
        for bar in minutes:
            trades = MARKET.trades(symbol, bar.start, bar.end.astimezone(UTC) - INSTANT)
            assert of_trades(trades) == figures(bar)
            assert all(trade.bid <= trade.price <= trade.ask for trade in trades)
            times = [trade.time for trade in trades]
            assert times == sorted(set(times))

    @FEW
    @given(TRADED, DAYS)
    def test_the_night_leads_from_close_to_open(self, symbol: str, day: date) -> None:
        following = calendar.next_trading_day(day)
        night = MARKET.bars(symbol, session(day).close, session(following).open, 60, extended=True)
        (today,) = MARKET.bars(symbol, at(day, 0), at(day, 23), "D")
        (tomorrow,) = MARKET.bars(symbol, at(following, 0), at(following, 23), "D")
        assert night[0].start == session(day).close
        assert night[0].open == today.close
        assert night[-1].close == tomorrow.open
        assert night[-1].end == session(following).open

    @FEW
    @given(TRADED, DAYS, st.integers(1, 60))
    def test_minute_bars_of_any_width_add_up(self, symbol: str, day: date, width: int) -> None:
        hours = session(day)
        bars = MARKET.bars(symbol, hours.open, hours.close, width)
        (daily,) = MARKET.bars(symbol, at(day, 0), at(day, 23), "D")
        assert joined(bars) == figures(daily)
        assert bars[0].start == hours.open
        assert bars[-1].end == hours.close
        assert all(before.end == after.start for before, after in pairwise(bars))

    @FEW
    @given(TRADED, MOMENTS, st.sampled_from("WMQY"))
    def test_wide_bars_are_sums_of_daily_bars(self, symbol: str, moment: datetime, width: str) -> None:
        (bar,) = MARKET.bars(symbol, moment, moment + INSTANT, width) or [None]
        if bar is None:
            return
        days = MARKET.bars(symbol, bar.start, bar.end, "D")
        assert joined(days) == figures(bar)
        later = MARKET.bars(symbol, bar.start, bar.start + timedelta(days=400), width)
        assert later[0].final
        assert later[0].start == bar.start
        assert later[1].start.date() == calendar.next_trading_day(later[0].end.date())

    @FEW
    @given(TRADED, DAYS)
    def test_trade_sizes_and_counts_make_the_day(self, symbol: str, day: date) -> None:
        hours = session(day)
        trades = MARKET.trades(symbol, hours.open, hours.close - INSTANT)
        (daily,) = MARKET.bars(symbol, at(day, 0), at(day, 23), "D")
        assert of_trades(trades) == figures(daily)
        assert trades[0].time == hours.open
        assert trades[0].conditions == "O"
        assert trades[-1].conditions == "6"
        assert not any(trade.extended for trade in trades)


class TestQuotes:
    @SLOW
    @given(MARKETS, TRADED, MOMENTS)
    @example(MARKET, "AAPL", CLOCK_CHANGES[0])
    @example(MARKET, "AAPL", CLOCK_CHANGES[1])
    @example(NYSE, "AAPL", CLOCK_CHANGES[2])
    @example(NYSE, "SPY", CLOCK_CHANGES[3])
    @example(NYSE, "SPY", datetime(2026, 11, 27, 13, 0, tzinfo=NEW_YORK))
    @example(NYSE, "SPY", datetime(2026, 11, 27, 17, 0, tzinfo=NEW_YORK))
    def test_what_holds_at_any_moment(self, market: Market, symbol: str, moment: datetime) -> None:
        now = quote(market, symbol, moment)
        moment = moment.astimezone(UTC)
        assert now.bid is not None
        assert now.ask is not None
        assert now.last is not None
        assert now.prev_close is not None
        assert now.high is not None
        assert now.low is not None
        assert now.open is not None
        assert now.last_time is not None
        assert 0 < now.bid < now.ask
        assert now.low <= now.last <= now.high
        assert now.low <= now.open <= now.high
        assert now.change == now.last - now.prev_close
        assert now.change_pct == (now.change * 100 / now.prev_close).quantize(Decimal("0.0001"))
        assert now.week52_low is not None
        assert now.week52_high is not None
        assert now.week52_low <= now.low
        assert now.week52_high >= now.high
        assert now.last_time <= moment
        assert now.time.timestamp() == moment.timestamp()
        assert (now.close is not None) == (moment >= session(now.trade_date or FIRST).close)

    @SLOW
    @given(TRADED, DAYS, st.integers(0, 23_399_999))
    def test_a_session_so_far(self, symbol: str, day: date, milliseconds: int) -> None:
        hours = session(day)
        moment = hours.open + timedelta(milliseconds=milliseconds)
        if moment >= hours.close:
            return
        now = quote(NYSE, symbol, moment)
        (bar,) = NYSE.bars(symbol, at(day, 0), moment + INSTANT, "D")
        minutes = NYSE.bars(symbol, hours.open, moment + INSTANT, 1)
        assert figures(bar) == joined(minutes)
        assert (now.open, now.high, now.low, now.last) == (bar.open, bar.high, bar.low, bar.close)
        assert (now.volume, now.num_trades) == (bar.volume, bar.trades)
        assert not bar.final
        assert bar.end == moment + INSTANT
        assert now.trade_date == day
        assert now.prev_close == NYSE.bars(symbol, moment - timedelta(days=14), at(day, 0), "D")[-1].close

    @SLOW
    @given(TRADED, MOMENTS)
    def test_the_last_price_is_that_of_the_last_trade(self, symbol: str, moment: datetime) -> None:
        now = quote(MARKET, symbol, moment)
        last = MARKET.trades(symbol, moment - timedelta(minutes=3), moment)[-1]
        assert (now.last, now.last_time, now.last_exchange) == (last.price, last.time, last.exchange)
        assert now.last_size == last.size

    @FEW
    @given(TRADED, MOMENTS)
    def test_bid_and_ask_change_at_most_once_a_second(self, symbol: str, moment: datetime) -> None:
        start = moment.replace(microsecond=0)
        seen = {
            (now.bid, now.ask, now.bid_size, now.ask_size, now.bid_exchange)
            for now in (
                quote(MARKET, symbol, start.replace(microsecond=micro)) for micro in range(0, 10**6, 49_999)
            )
        }
        assert len(seen) == 1

    @FEW
    @given(st.sampled_from(["AAPL", "KO", "OPTT", "FCNTX", ".RUT"]), DAYS)
    def test_the_year_range_is_that_of_the_daily_bars(self, symbol: str, day: date) -> None:
        moment = session(day).close
        now = quote(NYSE, symbol, moment)
        start = at(day.replace(year=day.year - 1, day=min(day.day, 28) if day.month == 2 else day.day), 0)
        if day.month == 2 and day.day == 29:
            start = at(date(day.year - 1, 2, 28), 0)
        bars = NYSE.bars(symbol, start, moment, "D")
        assert now.week52_high == max(bar.high for bar in bars)
        assert now.week52_low == min(bar.low for bar in bars)
        assert now.week52_high == next(bar.high for bar in bars if bar.date == now.week52_high_date)
        assert now.week52_low == next(bar.low for bar in bars if bar.date == now.week52_low_date)
        if find(symbol) and not find(symbol).is_fund:  # type: ignore[union-attr]
            volumes = [bar.volume for bar in bars if bar.date < day][-10:]
            assert now.avg_volume_10day == sum(volumes) // 10

    def test_quotes_move_at_night_and_at_weekends_when_always_open(self) -> None:
        saturday = datetime(2026, 7, 11, 3, 0, tzinfo=NEW_YORK)
        seen = {quote(MARKET, "AAPL", saturday + timedelta(minutes=step)).last for step in range(30)}
        assert len(seen) > 3
        now = quote(MARKET, "AAPL", saturday)
        assert now.trade_date == date(2026, 7, 10)
        assert now.close == MARKET.bars("AAPL", at(date(2026, 7, 10), 0), saturday, "D")[0].close
        assert now.ext_last is None

    def test_volume_goes_on_growing_at_night_when_always_open(self) -> None:
        night = datetime(2026, 7, 8, 22, 0, tzinfo=NEW_YORK)
        earlier, later = quote(MARKET, "KO", night), quote(MARKET, "KO", night + timedelta(hours=1))
        assert earlier.volume is not None
        assert later.volume is not None
        traded = MARKET.trades("KO", night + INSTANT, night + timedelta(hours=1))
        assert later.volume - earlier.volume == sum(trade.size for trade in traded)
        assert later.num_trades == (earlier.num_trades or 0) + len(traded)

    def test_unknown_symbols_have_no_quote(self) -> None:
        moment = datetime(2026, 7, 8, 12, 0, tzinfo=UTC)
        assert MARKET.quote("ZZZZQ", moment) is None
        assert MARKET.depth("ZZZZQ", moment) is None
        assert MARKET.bars("ZZZZQ", moment, moment + timedelta(days=1), 5) == []
        assert MARKET.trades("ZZZZQ", moment, moment + timedelta(days=1)) == []

    def test_the_zone_of_the_moment_does_not_matter(self) -> None:
        moment = datetime(2026, 7, 8, 15, 30, 7, tzinfo=UTC)
        assert quote(MARKET, "AAPL", moment) == quote(MARKET, "AAPL", moment.astimezone(NEW_YORK))
        assert quote(MARKET, "brk/b", moment).symbol == "BRK.B"

    def test_prices_have_the_right_number_of_places(self) -> None:
        moment = datetime(2026, 7, 8, 15, 30, tzinfo=UTC)
        for symbol, places in (("AAPL", -2), ("OPTT", -4), (".SPX", -2), ("SPAXX", -2)):
            now = quote(MARKET, symbol, moment)
            assert now.last is not None
            assert now.last.as_tuple().exponent == places


class TestExchangeHours:
    DAY = date(2026, 7, 8)

    @pytest.mark.parametrize(
        ("moment", "state"),
        [
            (at(DAY, 3, 59, 59), "closed"),
            (at(DAY, 4), "pre"),
            (at(DAY, 9, 29, 59), "pre"),
            (at(DAY, 9, 30), "open"),
            (at(DAY, 15, 59, 59), "open"),
            (at(DAY, 16), "post"),
            (at(DAY, 19, 59, 59), "post"),
            (at(DAY, 20), "closed"),
            (at(date(2026, 7, 11), 12), "closed"),
            (at(date(2026, 7, 3), 12), "closed"),
            (at(date(2026, 11, 27), 12, 59), "open"),
            (at(date(2026, 11, 27), 13), "post"),
            (at(date(2026, 11, 27), 17), "closed"),
            (at(date(2026, 3, 9), 9, 30), "open"),
            (at(date(2026, 11, 2), 9, 30), "open"),
        ],
    )
    def test_session_states(self, moment: datetime, state: str) -> None:
        assert NYSE.session_state(moment) == state
        assert NYSE.is_open(moment) == (state == "open")
        assert MARKET.session_state(moment) == "open"
        assert MARKET.is_open(moment)

    def test_the_last_price_stands_after_the_close(self) -> None:
        close = quote(NYSE, "AAPL", at(self.DAY, 16))
        evening = quote(NYSE, "AAPL", at(self.DAY, 18, 30))
        morning = quote(NYSE, "AAPL", at(date(2026, 7, 9), 8, 30))
        assert close.last == close.close == evening.last == morning.last
        assert close.volume == evening.volume == morning.volume
        assert morning.trade_date == self.DAY
        assert evening.ext_last_time is not None
        assert at(self.DAY, 18, 25) < evening.ext_last_time <= at(self.DAY, 18, 30)
        assert morning.ext_last_time is not None
        assert morning.ext_last_time > at(date(2026, 7, 9), 8, 25)

    def test_quotes_are_frozen_while_closed(self) -> None:
        last = quote(NYSE, "AAPL", at(self.DAY, 19, 59, 59, 999_999))
        night = quote(NYSE, "AAPL", at(self.DAY, 20))
        later = quote(NYSE, "AAPL", at(date(2026, 7, 9), 3, 59, 59))
        for now in (night, later):
            assert (now.bid, now.ask, now.bid_size) == (last.bid, last.ask, last.bid_size)
            assert (now.ext_last, now.ext_last_time) == (last.ext_last, last.ext_last_time)

    def test_no_extended_print_is_shown_before_the_first_of_the_pre_market(self) -> None:
        moment = at(date(2026, 7, 9), 4)
        trades = NYSE.trades("SGOV", at(self.DAY, 19), moment)
        assert quote(NYSE, "SGOV", moment).ext_last_time == trades[-1].time
        assert all(trade.extended and trade.conditions == "T" for trade in trades)

    def test_trades_pause_while_closed(self) -> None:
        assert NYSE.trades("AAPL", at(self.DAY, 20), at(date(2026, 7, 9), 3, 59, 59)) == []
        assert NYSE.trades("AAPL", at(date(2026, 7, 11), 0), at(date(2026, 7, 12), 23)) == []
        assert NYSE.trades(".SPX", at(self.DAY, 16), at(date(2026, 7, 9), 9, 29)) == []

    def test_extended_volume_is_counted_apart(self) -> None:
        evening = quote(NYSE, "AAPL", at(self.DAY, 23))
        trades = NYSE.trades("AAPL", at(self.DAY, 4), at(self.DAY, 20))
        assert evening.all_session_volume == sum(trade.size for trade in trades)
        assert evening.volume == sum(trade.size for trade in trades if not trade.extended)

    def test_extended_bars(self) -> None:
        bars = NYSE.bars("AAPL", at(self.DAY, 0), at(date(2026, 7, 9), 0), 30, extended=True)
        assert [bars[0].start, bars[-1].end] == [at(self.DAY, 4), at(self.DAY, 20)]
        assert len(bars) == 32
        assert len(NYSE.bars("AAPL", at(self.DAY, 0), at(date(2026, 7, 9), 0), 30)) == 13
        assert len(NYSE.bars(".SPX", at(self.DAY, 0), at(date(2026, 7, 9), 0), 30, extended=True)) == 13

    def test_both_markets_show_the_same_session(self) -> None:
        moment = at(self.DAY, 11, 22, 33)
        ours, theirs = quote(MARKET, "KO", moment), quote(NYSE, "KO", moment)
        assert (ours.last, ours.bid, ours.ask, ours.volume) == (
            theirs.last,
            theirs.bid,
            theirs.ask,
            theirs.volume,
        )


class TestFunds:
    def test_money_market_funds_stay_at_one_dollar(self) -> None:
        for symbol in ("SPAXX", "FDRXX", "FZFXX"):
            now = quote(MARKET, symbol, at(date(2026, 7, 8), 12))
            assert (now.last, now.prev_close, now.change) == (
                Decimal("1.00"),
                Decimal("1.00"),
                Decimal("0.00"),
            )
            assert (now.week52_high, now.week52_low) == (Decimal("1.00"), Decimal("1.00"))
            assert now.bid is None

    def test_net_asset_values_are_struck_at_the_close(self) -> None:
        day = date(2026, 7, 8)
        noon = quote(MARKET, "FXAIX", at(day, 12))
        before = quote(MARKET, "FXAIX", at(day, 15, 59, 59))
        after = quote(MARKET, "FXAIX", at(day, 16))
        assert noon.last == before.last
        assert before.trade_date == date(2026, 7, 7)
        assert after.trade_date == day
        assert after.prev_close == before.last
        assert after.last_time == at(day, 16)
        assert MARKET.bars("FXAIX", at(day, 0), at(day, 15), "D") == []
        (bar,) = MARKET.bars("FXAIX", at(day, 0), at(day, 16), "D")
        assert bar.close == after.last
        assert MARKET.bars("FXAIX", at(day, 0), at(day, 16), 5) == []

    def test_an_index_fund_follows_its_index(self) -> None:
        moment = at(date(2026, 7, 8), 16)
        changes = [quote(NYSE, symbol, moment).change_pct for symbol in ("FXAIX", ".SPX", "SPY", "VOO")]
        assert max(changes) - min(changes) < Decimal("0.01")  # type: ignore[type-var,operator]

    def test_a_leveraged_fund_multiplies_the_move(self) -> None:
        moment = at(date(2026, 7, 8), 16)
        index, triple, inverse = (
            float(quote(NYSE, s, moment).change_pct or 0) for s in (".NDX", "TQQQ", "SQQQ")
        )
        assert triple == pytest.approx(3 * index, rel=0.1, abs=0.05)
        assert inverse == pytest.approx(-3 * index, rel=0.1, abs=0.05)


class TestDepth:
    @SLOW
    @given(MARKETS, st.sampled_from(["AAPL", "OPTT", "BKNG", "SGOV"]), MOMENTS)
    def test_the_book_begins_with_the_quote_and_gets_worse(
        self, market: Market, symbol: str, moment: datetime
    ) -> None:
        book, now = market.depth(symbol, moment), quote(market, symbol, moment)
        assert book is not None
        assert (book.bids[0].price, book.bids[0].size, book.bids[0].exchange) == (
            now.bid,
            now.bid_size,
            now.bid_exchange,
        )
        assert (book.asks[0].price, book.asks[0].size) == (now.ask, now.ask_size)
        bids, asks = [line.price for line in book.bids], [line.price for line in book.asks]
        assert bids == sorted(bids, reverse=True)
        assert asks == sorted(asks)
        assert len(bids) == len(asks) == 25
        assert all(line.size > 0 and line.time <= moment for line in book.bids + book.asks)

    def test_indices_and_funds_have_no_book(self) -> None:
        moment = at(date(2026, 7, 8), 12)
        assert MARKET.depth(".SPX", moment) is None
        assert MARKET.depth("SPAXX", moment) is None


def brute_force(
    market: Market,
    symbol: str,
    after: datetime,
    until: datetime,
    side: str,
    below: bool,
    price: Decimal,
    hours: str,
) -> datetime | None:
    """The first touch, by looking at every second and every trade."""
    states = {"regular": {"open"}, "extended": {"pre", "open", "post"}}.get(hours)
    moments = {after + INSTANT}
    second = after.replace(microsecond=0)
    while second <= until:
        second += timedelta(seconds=1)
        moments.add(second)
    moments.update(trade.time for trade in market.trades(symbol, after, until))
    for moment in sorted(moments):
        if not after < moment <= until or (states and NYSE.session_state(moment) not in states):
            continue
        value = getattr(quote(market, symbol, moment), side)
        if value is not None and (value <= price if below else value >= price):
            return moment
    return None


def edges() -> Iterator[datetime]:
    """Moments around which sessions begin and end."""
    yield at(date(2026, 7, 8), 9, 28).astimezone(UTC)
    yield at(date(2026, 7, 8), 15, 57).astimezone(UTC)
    yield at(date(2026, 11, 27), 12, 58).astimezone(UTC)
    yield at(date(2026, 7, 8), 3, 58).astimezone(UTC)
    yield at(date(2026, 7, 8), 19, 58).astimezone(UTC)
    yield at(date(2026, 3, 8), 1, 57).astimezone(UTC)


class TestFirstTouch:
    @settings(max_examples=150, deadline=None)
    @given(
        MARKETS,
        st.sampled_from(["AAPL", "OPTT", "BKNG", "SQQQ"]),
        MOMENTS | st.sampled_from(list(edges())),
        st.integers(0, 59_999),
        st.integers(1, 330),
        st.sampled_from(["bid", "ask", "last"]),
        st.booleans(),
        st.integers(-12, 12),
        st.sampled_from(["regular", "extended", "always"]),
    )
    def test_it_agrees_with_looking_at_every_second(
        self,
        market: Market,
        symbol: str,
        start: datetime,
        offset: int,
        seconds: int,
        side: str,
        below: bool,
        steps: int,
        hours: str,
    ) -> None:
        after = start + timedelta(milliseconds=offset)
        until = after + timedelta(seconds=seconds)
        now = quote(market, symbol, after)
        value = getattr(now, side)
        step = max((now.ask or 0) - (now.bid or 0), value / 5000)
        price = (value + steps * step).quantize(Decimal("0.0001"))
        limits = {"at_or_below": price} if below else {"at_or_above": price}
        expected = brute_force(market, symbol, after, until, side, below, price, hours)
        touch = market.first_touch(symbol, after, until, side=side, hours=hours, **limits)  # type: ignore[arg-type]
        assert (touch.time if touch else None) == expected

    @SLOW
    @given(
        MARKETS,
        st.sampled_from(["AAPL", "OPTT", "BKNG", ".SPX"]),
        MOMENTS,
        st.sampled_from(["bid", "ask"]),
        st.booleans(),
    )
    def test_the_extreme_of_ten_minutes_is_found_and_nothing_beyond(
        self, market: Market, symbol: str, after: datetime, side: str, below: bool
    ) -> None:
        until = after + timedelta(minutes=10)
        first = after.replace(microsecond=0) + timedelta(seconds=1)
        moments = [after + INSTANT, *(first + timedelta(seconds=step) for step in range(600))]
        shown = {
            moment: getattr(quote(market, symbol, moment), side) for moment in moments if moment <= until
        }
        extreme = min(shown.values()) if below else max(shown.values())
        name = "at_or_below" if below else "at_or_above"
        touch = market.first_touch(symbol, after, until, side=side, hours="always", **{name: extreme})
        assert touch is not None
        # By the instant: in the repeated hour of autumn, aware times of two zones never compare equal.
        first_moment = next(moment for moment, value in shown.items() if value == extreme)
        assert touch.time.timestamp() == first_moment.timestamp()
        beyond = extreme + Decimal("-0.0001" if below else "0.0001")
        assert market.first_touch(symbol, after, until, side=side, hours="always", **{name: beyond}) is None

    @SLOW
    @given(MARKETS, st.sampled_from(["AAPL", "KO", "TSLA"]), MOMENTS, st.floats(0.9, 1.1), st.booleans())
    def test_the_quote_shows_it_then_and_not_before(
        self, market: Market, symbol: str, after: datetime, factor: float, sells: bool
    ) -> None:
        now = quote(market, symbol, after)
        assert now.last is not None
        price = (now.last * Decimal(factor)).quantize(Decimal("0.01"))
        side = "bid" if sells else "ask"
        limits = {"at_or_above": price} if sells else {"at_or_below": price}
        until = after + timedelta(days=120)
        touch = market.first_touch(symbol, after, until, side=side, **limits)  # type: ignore[arg-type]
        if touch is None:
            later = market.bars(symbol, after, until, "D")[1:]
            assert all(bar.high < price if sells else bar.low > price for bar in later)
            return
        there = quote(market, symbol, touch.time)
        assert (touch.bid, touch.ask, touch.last) == (there.bid, there.ask, there.last)
        reached = getattr(there, side)
        assert reached >= price if sells else reached <= price
        assert after < touch.time <= until
        if not market.always_open:
            assert market.is_open(touch.time)
        if market.is_open(touch.time - timedelta(milliseconds=1)) and touch.time > after + timedelta(
            seconds=2
        ):
            before = getattr(quote(market, symbol, touch.time - timedelta(milliseconds=1)), side)
            assert before < price if sells else before > price

    def test_regular_hours_wait_for_the_open(self) -> None:
        friday = at(date(2026, 7, 10), 20)
        touch = NYSE.first_touch(
            "AAPL", friday, friday + timedelta(days=4), side="ask", at_or_above=Decimal(1)
        )
        assert touch is not None
        assert touch.time == at(date(2026, 7, 13), 9, 30)

    def test_extended_hours_begin_with_the_pre_market(self) -> None:
        friday = at(date(2026, 7, 10), 20)
        touch = NYSE.first_touch(
            "AAPL",
            friday,
            friday + timedelta(days=4),
            side="bid",
            at_or_above=Decimal(1),
            hours="extended",
        )
        assert touch is not None
        assert touch.time == at(date(2026, 7, 13), 4)

    def test_regular_hours_in_a_market_that_is_always_open(self) -> None:
        evening = at(date(2026, 7, 8), 18)
        touch = MARKET.first_touch(
            "KO",
            evening,
            evening + timedelta(days=1),
            side="last",
            at_or_above=Decimal(1),
            hours="regular",
        )
        assert touch is not None
        assert touch.time == at(date(2026, 7, 9), 9, 30)

    def test_a_price_that_is_there_already_is_touched_at_once(self) -> None:
        moment = at(date(2026, 7, 8), 12, 0, 0, 250_000)
        touch = MARKET.first_touch(
            "AAPL", moment, moment + timedelta(seconds=5), side="last", at_or_above=Decimal(1)
        )
        assert touch is not None
        assert touch.time == moment + INSTANT

    def test_funds_are_touched_when_their_value_is_struck(self) -> None:
        moment = at(date(2026, 7, 8), 12)
        value = quote(MARKET, "FXAIX", at(date(2026, 7, 8), 16)).last
        assert value is not None
        below = value < (quote(MARKET, "FXAIX", moment).last or 0)
        limits = {"at_or_below": value} if below else {"at_or_above": value}
        until = moment + timedelta(days=1)
        touch = MARKET.first_touch("FXAIX", moment, until, side="last", **limits)  # type: ignore[arg-type]
        assert touch is not None
        assert touch.time == at(date(2026, 7, 8), 16)
        assert MARKET.first_touch("FXAIX", moment, until, side="bid", at_or_above=Decimal(1)) is None

    def test_bad_questions_are_refused(self) -> None:
        moment = at(date(2026, 7, 8), 12)
        until = moment + timedelta(days=1)
        one = Decimal(1)
        with pytest.raises(ValueError, match="exactly one"):
            MARKET.first_touch("AAPL", moment, until, side="bid")
        with pytest.raises(ValueError, match="exactly one"):
            MARKET.first_touch("AAPL", moment, until, side="bid", at_or_above=one, at_or_below=one)
        with pytest.raises(ValueError, match="side"):
            MARKET.first_touch("AAPL", moment, until, side="mid", at_or_above=one)
        with pytest.raises(ValueError, match="hours"):
            MARKET.first_touch("AAPL", moment, until, side="bid", at_or_above=one, hours="night")
        assert MARKET.first_touch("ZZZZQ", moment, until, side="bid", at_or_above=one) is None
        assert MARKET.first_touch("AAPL", moment, moment, side="bid", at_or_above=one) is None


class TestDeterminism:
    @FEW
    @given(TRADED, MOMENTS)
    def test_the_order_of_questions_does_not_matter(self, symbol: str, moment: datetime) -> None:
        fresh = Market()
        assert fresh.quote(symbol, moment) == MARKET.quote(symbol, moment)
        start = moment - timedelta(minutes=2)
        assert Market().trades(symbol, start, moment) == fresh.trades(symbol, start, moment)

    def test_another_seed_is_another_market(self) -> None:
        moment = at(date(2026, 7, 8), 12)
        other = Market(seed=1)
        different = sum(
            1
            for security in all_securities()
            if not security.is_fund
            and other.quote(security.symbol, moment) != MARKET.quote(security.symbol, moment)
        )
        assert different >= 150

    def test_caches_do_not_change_answers(self) -> None:
        market = Market()
        start = at(date(2026, 1, 5), 9, 30)
        before = [market.quote("AAPL", start + timedelta(days=7 * step)) for step in range(3)]
        for step in range(400):
            market.quote("AAPL", start + timedelta(hours=11 * step))
        assert [market.quote("AAPL", start + timedelta(days=7 * step)) for step in range(3)] == before

    def test_newest_trades(self) -> None:
        start, end = at(date(2026, 7, 8), 9, 30), at(date(2026, 7, 8), 12)
        everything = MARKET.trades("KO", start, end)
        assert MARKET.trades("KO", start, end, newest=75) == everything[-75:]
        assert MARKET.trades("KO", start, end, newest=0) == []
        assert MARKET.trades("KO", start, end, newest=10**6) == everything

    def test_polling_sees_every_trade_once(self) -> None:
        start = at(date(2026, 7, 8), 9, 29, 58)
        ticks = [start + timedelta(milliseconds=377 * step) for step in range(200)]
        polled = [
            trade
            for before, after in pairwise(ticks)
            for trade in MARKET.trades("AAPL", before + INSTANT, after)
        ]
        assert polled == MARKET.trades("AAPL", ticks[0] + INSTANT, ticks[-1])

    def test_known_values_of_the_default_seed(self) -> None:
        moment = datetime(2026, 11, 24, 16, 0, tzinfo=NEW_YORK)
        shown = {}
        for symbol in ("AAPL", "SPY", ".SPX", "OPTT"):
            now = quote(NYSE, symbol, moment)
            shown[symbol] = f"{now.open} {now.high} {now.low} {now.close} {now.volume} {now.num_trades}"
        assert DEFAULT_SEED == 20_260_703
        assert shown == GOLDEN
        tick = MARKET.trades("AAPL", at(date(2026, 11, 24), 11), at(date(2026, 11, 24), 11, 1))[3]
        assert (
            f"{tick.time.time()} {tick.price} {tick.size} {tick.exchange} {tick.bid} {tick.ask}"
            == GOLDEN_TRADE
        )


GOLDEN = {
    "AAPL": "296.66 297.77 289.32 292.69 50867856 12870",
    "SPY": "706.15 707.38 696.98 700.83 68799614 12870",
    ".SPX": "7061.42 7073.73 6969.80 7008.26 0 9360",
    "OPTT": "0.4538 0.4614 0.4227 0.4368 4550980 7020",
}
GOLDEN_TRADE = "11:00:07.510000 289.36 2800 XNAS 289.35 289.36"


class TestPlausibility:
    @pytest.mark.parametrize("symbol", ["AAPL", "SPY", "KO", "TSLA", "TQQQ"])
    def test_prices_wander_like_real_ones_and_stay_near_their_level(self, symbol: str) -> None:
        security = find(symbol)
        assert security is not None
        bars = MARKET.bars(symbol, at(date(2016, 1, 4), 0), at(date(2036, 1, 2), 0), "D")
        closes = [float(bar.close) for bar in bars]
        moves = [after / before - 1 for before, after in pairwise(closes)]
        deviation = (sum(move * move for move in moves) / len(moves)) ** 0.5 * 252**0.5
        assert deviation == pytest.approx(security.volatility, rel=0.08)
        level = float(security.price)
        reach = 1 + 4 * security.volatility
        assert level / reach < min(closes) < level < max(closes) < level * reach
        assert max(map(abs, moves)) < 6 * security.volatility / 252**0.5

    def test_trading_is_busiest_at_open_and_close(self) -> None:
        bars = MARKET.bars("AAPL", at(date(2026, 7, 6), 0), at(date(2026, 7, 18), 0), 30)
        by_time: dict[time, int] = {}
        for bar in bars:
            by_time[bar.start.time()] = by_time.get(bar.start.time(), 0) + bar.volume
        ranked = sorted(by_time, key=by_time.__getitem__, reverse=True)
        assert set(ranked[:2]) == {time(9, 30), time(15, 30)}

    def test_the_market_moves_together(self) -> None:
        start, end = at(date(2025, 1, 2), 0), at(date(2027, 1, 2), 0)

        def moves(symbol: str) -> list[float]:
            closes = [float(bar.close) for bar in MARKET.bars(symbol, start, end, "D")]
            return [after / before - 1 for before, after in pairwise(closes)]

        def correlation(first: str, second: str) -> float:
            left, right = moves(first), moves(second)
            product = sum(x * y for x, y in zip(left, right, strict=True))
            return product / (sum(x * x for x in left) * sum(y * y for y in right)) ** 0.5

        assert correlation("SPY", ".SPX") > 0.999
        assert correlation("QQQ", "SPY") > 0.85
        assert 0.3 < correlation("AAPL", "SPY") < 0.9
        assert correlation("SH", "SPY") < -0.99
        assert correlation(".VIX", "SPY") < -0.5


class TestBars:
    @pytest.mark.parametrize("width", [0, 61, -5, "X", "", "0", "5m", "1.5"])
    def test_unknown_widths_are_refused(self, width: int | str) -> None:
        with pytest.raises(ValueError, match="bar width"):
            MARKET.bars("AAPL", at(date(2026, 7, 8), 0), at(date(2026, 7, 9), 0), width)

    @pytest.mark.parametrize(
        ("word", "letter"), [("daily", "D"), ("Weekly", "w"), ("QUARTERLY", "q"), ("5", 5)]
    )
    def test_widths_in_words(self, word: str, letter: int | str) -> None:
        start, end = at(date(2026, 7, 1), 0), at(date(2026, 7, 9), 0)
        assert MARKET.bars("AAPL", start, end, word) == MARKET.bars("AAPL", start, end, letter)

    def test_an_empty_range_has_no_bars(self) -> None:
        moment = at(date(2026, 7, 8), 12)
        assert MARKET.bars("AAPL", moment, moment, 5) == []
        assert MARKET.bars("AAPL", at(date(2026, 7, 4), 0), at(date(2026, 7, 5), 0), "D") == []

    def test_a_week_with_a_holiday_begins_on_its_first_trading_day(self) -> None:
        (week,) = MARKET.bars("AAPL", at(date(2026, 9, 8), 0), at(date(2026, 9, 12), 0), "W")
        assert week.start == at(date(2026, 9, 8), 9, 30)
        assert week.end == at(date(2026, 9, 11), 16)
        assert week.final

    def test_a_running_period_is_not_final(self) -> None:
        moment = at(date(2026, 7, 8), 20)
        weeks = MARKET.bars("AAPL", at(date(2026, 6, 29), 0), moment, "W")
        assert [bar.final for bar in weeks] == [True, False]
        assert weeks[-1].end == moment
        (day,) = MARKET.bars("AAPL", at(date(2026, 7, 8), 0), moment, "D")
        assert day.final
        assert day.end == at(date(2026, 7, 8), 16)

    def test_the_first_bar_is_whole_and_the_last_is_cut(self) -> None:
        day = date(2026, 7, 8)
        bars = MARKET.bars("AAPL", at(day, 10, 2, 30), at(day, 10, 12, 30), 5)
        assert [bar.start for bar in bars] == [at(day, 10, 0), at(day, 10, 5), at(day, 10, 10)]
        assert [bar.final for bar in bars] == [True, True, False]
        assert bars[-1].end == at(day, 10, 12, 30)
        assert bars[0] == MARKET.bars("AAPL", at(day, 10), at(day, 10, 5), 5)[0]


class TestSpeed:
    """Bounds ten times above what is usual, so that only a lost algorithm breaks them."""

    def test_a_year_of_daily_bars_is_cheap_when_cold(self) -> None:
        began = process_time()
        bars = Market().bars("AAPL", at(date(2025, 7, 8), 0), at(date(2026, 7, 8), 0), "D")
        assert process_time() - began < 0.3
        assert len(bars) > 245

    def test_a_day_of_minute_bars_is_cheap(self) -> None:
        market = Market()
        market.quote("AAPL", at(date(2026, 7, 8), 9, 30))
        began = process_time()
        market.bars("AAPL", at(date(2026, 7, 8), 0), at(date(2026, 7, 9), 0), 1)
        assert process_time() - began < 0.1

    def test_an_order_that_rests_for_a_year_is_settled_quickly(self) -> None:
        market = Market()
        start = at(date(2026, 7, 8), 12)
        now = quote(market, "AAPL", start)
        assert now.last is not None
        began = process_time()
        never = market.first_touch(
            "AAPL", start, start + timedelta(days=365), side="ask", at_or_below=now.last / 4
        )
        assert process_time() - began < 0.5
        assert never is None

    def test_warm_quotes_are_fast(self) -> None:
        start = at(date(2026, 7, 8), 12)
        MARKET.quote("AAPL", start)
        began = process_time()
        for step in range(1000):
            MARKET.quote("AAPL", start + timedelta(milliseconds=25 * step))
        assert (process_time() - began) / 1000 < 0.001
