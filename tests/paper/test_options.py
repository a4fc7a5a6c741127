"""Paper options: symbols, listings, prices, Greeks, quotes and expiration."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise
from math import exp
from time import process_time

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from ftcli.clock import NEW_YORK
from ftcli.paper import calendar, options
from ftcli.paper.market import Market
from ftcli.paper.option_book import RATE, ContractDay, edges
from ftcli.paper.option_pricing import Terms, implied_volatility, price, sensitivities
from ftcli.paper.options import OptionContract
from ftcli.paper.quotes import Quote
from ftcli.paper.symbols import Security, all_securities, find

MARKET = Market()
NYSE = Market(always_open=False)
MARKETS = st.sampled_from([MARKET, NYSE])
NOON = datetime(2026, 11, 24, 12, 0, 7, tzinfo=NEW_YORK)
INSTANT = timedelta(microseconds=1)
SLOW = settings(max_examples=60, deadline=None)

UNDERLYINGS = st.sampled_from(["AAPL", "SPY", "BRK.B", "SO", ".SPX", "GME", "BYND"])
MOMENTS = st.datetimes(
    datetime.combine(date(2025, 1, 3), time()),
    datetime.combine(date(2028, 12, 1), time()),
    timezones=st.just(UTC),
)


@st.composite
def listed(draw: st.DrawFn) -> tuple[OptionContract, datetime]:
    """A contract and a moment at which it is listed."""
    moment = draw(MOMENTS)
    chain = options.chain(MARKET, draw(UNDERLYINGS), moment)
    assert chain is not None
    expiration = draw(st.sampled_from(chain.expirations))
    return draw(st.sampled_from(expiration.calls + expiration.puts)), moment


def security(symbol: str) -> Security:
    found = find(symbol)
    assert found is not None
    return found


def contract(symbol: str) -> OptionContract:
    found = options.find(symbol)
    assert found is not None, symbol
    return found


def quote(market: Market, option: OptionContract, moment: datetime) -> Quote:
    found = options.option_quote(market, option, moment)
    assert found is not None
    return found


class TestSymbols:
    @given(
        st.sampled_from(["AAPL", "BRKB", "SPXW", "F", "SPY"]),
        st.dates(date(2020, 1, 1), date(2049, 12, 31)),
        st.sampled_from("CP"),
        st.decimals(Decimal("0.5"), Decimal(9999), places=1),
    )
    def test_symbols_survive_the_round_trip(self, root: str, day: date, right: str, strike: Decimal) -> None:
        text = f"{root}{day:%y%m%d}{right}{strike.normalize():f}"
        parsed = OptionContract.parse(text)
        assert parsed.symbol == text
        assert (parsed.root, parsed.expiration, parsed.right, parsed.strike) == (root, day, right, strike)
        assert OptionContract.parse(parsed.stream_symbol) == parsed
        assert OptionContract.parse(text.lower()) == parsed
        padded = f"{root:<6}{day:%y%m%d}{right}{int(strike * 1000):08d}"
        assert OptionContract.parse(padded) == parsed

    @given(st.text(alphabet="ACP0123456789.- ", max_size=24) | st.text(max_size=12))
    def test_any_text_is_parsed_or_refused(self, text: str) -> None:
        parsed = OptionContract.parse_or_none(text)
        if parsed is None:
            with pytest.raises(ValueError, match="not an option symbol"):
                OptionContract.parse(text)
        else:
            assert OptionContract.parse(parsed.symbol) == parsed

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "AAPL",
            "AAPL270115X150",
            "AAPL271315C150",
            "270115C150",
            "AAPL270115C",
            "AAPL270115C0",
            "AAPL270115C1.2.3",
        ],
    )
    def test_what_is_no_option_symbol(self, text: str) -> None:
        assert OptionContract.parse_or_none(text) is None

    def test_a_half_dollar_strike_reads_as_the_broker_writes_it(self) -> None:
        option = contract("AAPL270115C152.5")
        assert option.symbol == "AAPL270115C152.5"
        assert option.stream_symbol == "-AAPL270115C152.5"
        assert option.description == "AAPL JAN 15 2027 $152.50 CALL"
        assert contract("AAPL270115P150").description == "AAPL JAN 15 2027 $150 PUT"
        assert (option.underlying, option.is_call, option.european) == ("AAPL", True, False)

    def test_roots_lead_to_their_underlyings(self) -> None:
        assert contract("BRKB270115C500").underlying == "BRK.B"
        assert contract("SPXW261127C6900").underlying == ".SPX"
        assert contract("SPX261218C6900").european

    @pytest.mark.parametrize(
        "text",
        [
            "ZZZZ270115C150",  # no such underlying
            "OPTT270115C1",  # has no options
            "FXAIX270115C150",
            "AAPL270116C150",  # a Saturday
            "AAPL270113C150",  # a Wednesday
            "SO270108C90",  # monthly options only
            "AAPL260703C150",  # a holiday
            "AAPL270115C150.3",
            "SPX261127C6900",  # weeklies have another root
        ],
    )
    def test_contracts_that_do_not_exist(self, text: str) -> None:
        assert options.find(text) is None
        assert MARKET.quote(text, NOON) is None

    def test_a_monthly_expiration_moves_before_a_holiday(self) -> None:
        assert options.third_friday(2027, 6) == date(2027, 6, 17)  # Juneteenth is observed on the 18th
        assert options.third_friday(2027, 1) == date(2027, 1, 15)
        assert options.third_friday(2008, 3) == date(2008, 3, 20)  # Good Friday
        assert options.find("AAPL270618C150") is None
        assert contract("AAPL270617C150").expiration_kind == "monthly"

    def test_options_expire_at_the_close(self) -> None:
        assert contract("AAPL270115C150").expiry == datetime(2027, 1, 15, 16, 0, tzinfo=NEW_YORK)
        assert contract("AAPL261127C280").expiry == datetime(2026, 11, 27, 13, 0, tzinfo=NEW_YORK)

    def test_cusips_differ(self) -> None:
        chain = options.chain(MARKET, "AAPL", NOON)
        assert chain is not None
        codes = [option.cusip for group in chain.expirations[:3] for option in group.calls + group.puts]
        assert all(len(code) == 9 for code in codes)
        assert len(set(codes)) > 0.99 * len(codes)


class TestChains:
    @SLOW
    @given(UNDERLYINGS, MOMENTS)
    def test_what_a_chain_lists(self, symbol: str, moment: datetime) -> None:
        chain = options.chain(MARKET, symbol, moment)
        assert chain is not None
        assert chain.underlying == symbol
        days = [group.date for group in chain.expirations]
        assert days == sorted(set(days))
        spot = MARKET.quote(symbol, moment)
        assert spot is not None
        assert spot.last is not None
        for group in chain.expirations:
            prices = [option.strike for option in group.calls]
            assert prices == sorted(set(prices))
            assert prices == [option.strike for option in group.puts]
            assert len(prices) >= 3
            assert prices[0] < spot.last or prices[0] == Decimal("0.5")
            assert spot.last < prices[-1]
            assert options.is_expiration(security(symbol), group.date)
            assert group.calls[0].expiry > moment
            assert options.find(group.calls[-1].symbol) == group.calls[-1]
            assert options.find(group.puts[0].stream_symbol) == group.puts[0]
            assert group.kind == ("monthly" if options.is_monthly(group.date) else "weekly")

    def test_liquid_names_have_weeklies_monthlies_and_leaps(self) -> None:
        days = options.expirations(security("AAPL"), NOON)
        assert days[:3] == [date(2026, 11, 27), date(2026, 12, 4), date(2026, 12, 11)]
        assert {date(2027, 1, 15), date(2028, 1, 21), date(2029, 1, 19)} <= set(days)

    def test_index_funds_expire_daily(self) -> None:
        days = options.expirations(security("SPY"), NOON)
        assert days[:4] == [date(2026, 11, 24), date(2026, 11, 25), date(2026, 11, 27), date(2026, 11, 30)]

    def test_other_names_have_monthlies_only(self) -> None:
        days = options.expirations(security("SO"), NOON)
        assert days[0] == date(2026, 12, 18)
        assert all(options.is_monthly(day) for day in days)

    def test_an_expired_day_drops_out_of_the_chain(self) -> None:
        before = datetime(2026, 11, 27, 12, 59, 59, tzinfo=NEW_YORK)
        after = datetime(2026, 11, 27, 13, 0, tzinfo=NEW_YORK)
        assert options.expirations(security("AAPL"), before)[0] == date(2026, 11, 27)
        assert options.expirations(security("AAPL"), after)[0] == date(2026, 12, 4)

    def test_a_listed_contract_stays_listed_for_the_day(self) -> None:
        morning = options.chain(MARKET, "TSLA", NOON.replace(hour=9, minute=30))
        evening = options.chain(MARKET, "TSLA", NOON.replace(hour=15, minute=59))
        assert morning == evening

    def test_securities_without_options(self) -> None:
        empty = options.chain(MARKET, "OPTT", NOON)
        assert empty is not None
        assert empty.expirations == []
        assert options.chain(MARKET, "ZZZZ", NOON) is None

    def test_every_optionable_security_has_a_chain(self) -> None:
        for one in all_securities():
            chain = options.chain(MARKET, one.symbol, NOON)
            assert chain is not None
            assert bool(chain.expirations) == bool(one.options), one.symbol


TERMS = st.builds(
    Terms,
    spot=st.floats(1, 1000),
    strike=st.floats(1, 1000),
    years=st.floats(1 / 365, 3),
    volatility=st.floats(0.05, 2),
    rate=st.floats(0, 0.08),
    dividend=st.floats(0, 0.08),
    call=st.booleans(),
)


def changed(terms: Terms, **changes: float | bool) -> Terms:
    fields = {name: getattr(terms, name) for name in Terms.__struct_fields__}
    return Terms(**(fields | changes))


class TestPricing:
    def test_a_textbook_value(self) -> None:
        terms = Terms(42.0, 40.0, 0.5, 0.2, 0.1, 0.0, True)
        assert price(terms) == pytest.approx(4.7594, abs=5e-5)
        assert price(changed(terms, call=False)) == pytest.approx(0.8086, abs=5e-5)

    @given(TERMS)
    def test_put_call_parity(self, terms: Terms) -> None:
        call, put = price(changed(terms, call=True)), price(changed(terms, call=False))
        forward = terms.spot * exp(-terms.dividend * terms.years) - terms.strike * exp(
            -terms.rate * terms.years
        )
        assert call - put == pytest.approx(forward, abs=1e-9)

    @given(TERMS)
    def test_prices_stay_within_their_bounds(self, terms: Terms) -> None:
        spot = terms.spot * exp(-terms.dividend * terms.years)
        strike = terms.strike * exp(-terms.rate * terms.years)
        value = price(terms)
        floor, ceiling = (spot - strike, spot) if terms.call else (strike - spot, strike)
        assert max(floor, 0) - 1e-9 <= value <= ceiling + 1e-9

    @given(TERMS, st.floats(1.001, 1.5))
    def test_prices_rise_and_fall_with_the_underlying(self, terms: Terms, factor: float) -> None:
        higher = price(changed(terms, spot=terms.spot * factor))
        assert (higher - price(terms)) * (1 if terms.call else -1) >= -1e-9

    @given(TERMS)
    def test_greeks_are_the_slopes_of_the_price(self, terms: Terms) -> None:
        assume(0.5 < terms.spot / terms.strike < 2)
        greeks = sensitivities(terms)
        step = 1e-4 * terms.spot

        def slope(name: str, at: float, width: float) -> float:
            up, down = changed(terms, **{name: at + width}), changed(terms, **{name: at - width})
            return (price(up) - price(down)) / (2 * width)

        assert greeks.delta == pytest.approx(slope("spot", terms.spot, step), abs=1e-4)
        up, down = (sensitivities(changed(terms, spot=terms.spot + s)).delta for s in (step, -step))
        assert greeks.gamma == pytest.approx((up - down) / (2 * step), rel=1e-3, abs=1e-5)
        assert greeks.vega == pytest.approx(
            slope("volatility", terms.volatility, 1e-4) / 100, rel=1e-3, abs=1e-5
        )
        assert greeks.rho == pytest.approx(slope("rate", terms.rate, 1e-5) / 100, rel=1e-3, abs=1e-5)
        decay = -slope("years", terms.years, terms.years * 1e-4) / 365
        assert greeks.theta == pytest.approx(decay, rel=2e-3, abs=1e-5)

    @given(TERMS)
    def test_implied_volatility_gives_the_price_back(self, terms: Terms) -> None:
        value = price(terms)
        implied = implied_volatility(terms, value)
        assume(implied is not None)
        assert price(changed(terms, volatility=implied or 0)) == pytest.approx(value, abs=1e-6)

    @given(TERMS)
    def test_impossible_prices_have_no_implied_volatility(self, terms: Terms) -> None:
        assert implied_volatility(terms, 0.0) is None
        assert implied_volatility(terms, terms.spot + terms.strike) is None
        assert implied_volatility(changed(terms, years=0.0), price(terms)) is None

    @given(TERMS)
    def test_only_intrinsic_value_is_left_at_expiration(self, terms: Terms) -> None:
        over = changed(terms, years=0.0)
        gain = terms.spot - terms.strike if terms.call else terms.strike - terms.spot
        assert price(over) == max(gain, 0.0)
        greeks = sensitivities(over)
        assert abs(greeks.delta) == (1.0 if gain > 0 else 0.0)
        assert (greeks.gamma, greeks.theta, greeks.vega, greeks.rho) == (0.0, 0.0, 0.0, 0.0)

    @given(st.floats(0, 600), st.floats(0, 5), st.booleans())
    def test_bid_and_ask_surround_the_mark_and_rise_with_it(
        self, mark: float, more: float, liquid: bool
    ) -> None:
        facts = ContractDay(0.3, 0.0, 0.008, 0.006, 40.0, 1 if liquid else 5, 5, 100, 100)
        bid, ask = edges(facts, mark)
        assert 0 <= bid <= 100 * mark + 1e-6
        assert bid < ask
        assert ask >= 100 * mark - 1e-6
        for side in (bid, ask):
            assert side % (5 if side > 300 or not liquid else 1) == 0
        higher = edges(facts, mark + more)
        assert higher[0] >= bid
        assert higher[1] >= ask


class TestSurface:
    @SLOW
    @given(listed(), MARKETS)
    def test_calls_and_puts_agree_by_parity(
        self, chosen: tuple[OptionContract, datetime], market: Market
    ) -> None:
        option, moment = chosen
        call = OptionContract(option.root, option.underlying, option.expiration, "C", option.strike)
        put = OptionContract(option.root, option.underlying, option.expiration, "P", option.strike)
        book = market.option_desk.book(call)
        assert book is not None
        span, live = market.option_desk.live(round(moment.timestamp() * 1000))
        spot, facts = book.underlying.spot(span, live), book.day(span.day)
        years = book.terms(facts, spot, live).years
        forward = spot * exp(-facts.dividend * years) - float(option.strike) * exp(-RATE * years)
        prices = [options.theoretical_price(market, one, moment) for one in (call, put)]
        assert prices[0] is not None
        assert prices[1] is not None
        assert prices[0] - prices[1] == pytest.approx(forward, abs=1e-8)

    @settings(max_examples=25, deadline=None)
    @given(UNDERLYINGS, MOMENTS, st.integers(0, 30))
    def test_the_surface_leaves_no_spread_to_arbitrage(
        self, symbol: str, moment: datetime, which: int
    ) -> None:
        chain = options.chain(MARKET, symbol, moment)
        assert chain is not None
        group = chain.expirations[which % len(chain.expirations)]
        calls = [(float(c.strike), options.theoretical_price(MARKET, c, moment) or 0.0) for c in group.calls]
        slopes = []
        for (low, dear), (high, cheap) in pairwise(calls):
            assert dear >= cheap - 1e-6, "a lower strike is worth more"
            assert dear - cheap <= high - low + 1e-6, "a spread is worth no more than its width"
            slopes.append((cheap - dear) / (high - low))
        assert all(after >= before - 1e-6 for before, after in pairwise(slopes)), "butterflies cost something"

    def test_out_of_the_money_puts_are_dearer_in_volatility(self) -> None:
        expiration = date(2026, 12, 18)
        volatilities = []
        for strike in (580, 640, 690, 740):
            option = OptionContract("SPY", "SPY", expiration, "P", Decimal(strike))
            greeks = options.option_greeks(MARKET, option, NOON)
            assert greeks is not None
            assert greeks.iv_ask is not None
            volatilities.append(greeks.iv_ask)
        assert volatilities[0] > volatilities[1] > volatilities[2]
        assert Decimal("0.08") < volatilities[2] < Decimal("0.35")

    def test_longer_options_cost_more(self) -> None:
        strikes = [contract(f"AAPL{day}C285") for day in ("261204", "261218", "270115", "270617", "280121")]
        prices = [options.theoretical_price(MARKET, option, NOON) or 0.0 for option in strikes]
        assert prices == sorted(prices)


class TestQuotes:
    @SLOW
    @given(listed(), MARKETS)
    def test_what_holds_for_any_listed_contract(
        self, chosen: tuple[OptionContract, datetime], market: Market
    ) -> None:
        option, moment = chosen
        now = quote(market, option, moment)
        assert now == market.quote(option.symbol, moment)
        assert now.symbol == option.stream_symbol
        assert now.kind == "option"
        assert now.bid is not None
        assert now.ask is not None
        assert 0 <= now.bid < now.ask
        assert (now.bid_size == 0) == (now.bid == 0)
        assert now.bid <= (now.mark or 0) <= now.ask
        assert (now.underlying, now.strike, now.call_put) == (option.underlying, option.strike, option.right)
        assert now.contract_size == 100
        assert now.open_interest is not None
        assert now.open_interest >= 0
        assert now.prev_close is not None
        assert now.volume is not None
        assert now.num_trades is not None
        assert now.num_trades <= now.volume
        assert (now.open is None) == (now.num_trades == 0)
        if now.open is not None:
            assert now.low is not None
            assert now.high is not None
            assert now.last is not None
            assert now.low <= min(now.open, now.last) <= max(now.open, now.last) <= now.high
        if now.last is not None:
            assert now.change == now.last - now.prev_close
            assert now.last_time is not None
            assert now.last_time <= moment
        if not option.european:
            spot = market.quote(option.underlying, moment)
            assert spot is not None
            assert spot.mid is not None
            if market.always_open or market.is_open(moment):
                assert now.ask >= option.intrinsic(spot.mid)

    @SLOW
    @given(listed())
    def test_trades_happen_at_the_bid_or_at_the_ask(self, chosen: tuple[OptionContract, datetime]) -> None:
        option, moment = chosen
        start = moment - timedelta(hours=20)
        trades = options.option_trades(MARKET, option, start, moment)
        assert trades == MARKET.trades(option.symbol, start, moment)
        for trade in trades:
            assert trade.price in (trade.bid, trade.ask)
            assert trade.size > 0
            assert start <= trade.time <= moment
        if trades:
            now = quote(MARKET, option, moment)
            assert (now.last, now.last_size, now.last_time) == (
                trades[-1].price,
                trades[-1].size,
                trades[-1].time,
            )
            there = quote(MARKET, option, trades[-1].time)
            assert (there.bid, there.ask) == (trades[-1].bid, trades[-1].ask)

    def test_volume_is_the_sum_of_the_trades(self) -> None:
        option = contract("AAPL261218C285")
        moment = datetime(2026, 11, 24, 14, 31, tzinfo=NEW_YORK)
        trades = options.option_trades(NYSE, option, datetime(2026, 11, 24, 9, 30, tzinfo=NEW_YORK), moment)
        now = quote(NYSE, option, moment)
        assert now.volume == sum(trade.size for trade in trades)
        assert now.num_trades == len(trades) > 50
        prices = [trade.price for trade in trades]
        assert (now.open, now.high, now.low, now.last) == (prices[0], max(prices), min(prices), prices[-1])

    @settings(max_examples=15, deadline=None)
    @given(listed(), st.sampled_from([1, 5, 30, 60]))
    def test_bars_are_made_of_the_trades(self, chosen: tuple[OptionContract, datetime], width: int) -> None:
        option, moment = chosen
        start = moment - timedelta(hours=26)
        trades = options.option_trades(MARKET, option, start, moment)
        bars = MARKET.bars(option.symbol, start, moment + INSTANT, width, extended=True)
        inside = [bar for bar in bars if bar.start >= start]
        for bar in inside:
            prices = [trade.price for trade in trades if bar.start <= trade.time < bar.end]
            assert (bar.open, bar.high, bar.low, bar.close) == (
                prices[0],
                max(prices),
                min(prices),
                prices[-1],
            )
            assert bar.trades == len(prices)
        if inside:
            covered = [trade for trade in trades if trade.time >= inside[0].start]
            assert sum(bar.volume for bar in inside) == sum(trade.size for trade in covered)

    def test_a_daily_bar_is_the_day_of_the_quote(self) -> None:
        option = contract("AAPL261218C285")
        moment = datetime(2026, 11, 24, 16, 0, tzinfo=NEW_YORK)
        now = quote(NYSE, option, moment)
        *_, bar = NYSE.bars(option.symbol, moment - timedelta(days=4), moment, "D")
        assert (bar.open, bar.high, bar.low, bar.close) == (now.open, now.high, now.low, now.last)
        assert (bar.volume, bar.trades, bar.final) == (now.volume, now.num_trades, True)
        assert (
            NYSE.bars("AAPL261127C280", datetime(2026, 11, 28, tzinfo=NEW_YORK), moment + timedelta(9), 5)
            == []
        )

    def test_options_rest_outside_the_session_when_the_market_keeps_hours(self) -> None:
        option = contract("AAPL261218C285")
        close = quote(NYSE, option, datetime(2026, 11, 24, 15, 59, 59, 999_000, tzinfo=NEW_YORK))
        for moment in (
            datetime(2026, 11, 24, 16, 0, tzinfo=NEW_YORK),
            datetime(2026, 11, 24, 19, 30, tzinfo=NEW_YORK),
            datetime(2026, 11, 25, 9, 29, 59, tzinfo=NEW_YORK),
        ):
            now = quote(NYSE, option, moment)
            assert (now.bid, now.ask, now.last, now.volume) == (
                close.bid,
                close.ask,
                close.last,
                close.volume,
            )
            assert now.trade_date == date(2026, 11, 24)
            assert now.close is not None
        following = quote(NYSE, option, datetime(2026, 11, 25, 9, 30, tzinfo=NEW_YORK))
        assert following.prev_close == now.close
        assert following.trade_date == date(2026, 11, 25)

    def test_options_move_at_night_when_always_open(self) -> None:
        option = contract("SPY261218C690")
        night = datetime(2026, 11, 24, 22, 0, tzinfo=NEW_YORK)
        seen = {quote(MARKET, option, night + timedelta(minutes=step)).bid for step in range(0, 120, 5)}
        assert len(seen) > 3

    def test_unknown_underlyings_have_no_prices(self) -> None:
        option = OptionContract.parse("ZZZZ270115C150")
        assert options.option_quote(MARKET, option, NOON) is None
        assert options.option_greeks(MARKET, option, NOON) is None
        assert options.option_trades(MARKET, option, NOON, NOON) == []
        assert options.theoretical_price(MARKET, option, NOON) is None
        assert options.settlement_value(MARKET, option) is None
        assert options.option_montage(MARKET, option, NOON) == []

    @SLOW
    @given(listed())
    def test_the_montage_surrounds_the_quote(self, chosen: tuple[OptionContract, datetime]) -> None:
        option, moment = chosen
        now, rows = quote(MARKET, option, moment), options.option_montage(MARKET, option, moment)
        assert max(row.bid for row in rows) == now.bid
        assert min(row.ask for row in rows) == now.ask
        assert {row.symbol.rpartition(".")[0] for row in rows} == {option.stream_symbol}
        assert ("CB", "CBOE") in {(row.code, row.short_name) for row in rows}
        assert all((row.bid_size == 0) == (row.bid == 0) for row in rows)

    def test_known_values_of_the_default_seed(self) -> None:
        moment = datetime(2026, 11, 24, 14, 30, tzinfo=NEW_YORK)
        for symbol, expected in GOLDEN.items():
            now = quote(NYSE, contract(symbol), moment)
            shown = f"{now.bid} {now.ask} {now.last} {now.volume} {now.open_interest} {now.prev_close}"
            assert shown == expected


GOLDEN = {
    "AAPL261218C285": "12.50 12.65 12.70 2128 39981 16.33",
    "SPXW261127P6900": "23.05 23.90 22.10 3988 19998 6.50",
    "SO261218C90": "3.45 3.60 3.65 170 6374 3.23",
}


class TestGreeks:
    @SLOW
    @given(listed())
    def test_what_holds_for_any_listed_contract(self, chosen: tuple[OptionContract, datetime]) -> None:
        option, moment = chosen
        greeks = options.option_greeks(MARKET, option, moment)
        assert greeks is not None
        low, high = (0, 1) if option.is_call else (-1, 0)
        assert low <= greeks.delta <= high
        assert greeks.gamma >= 0
        assert greeks.vega >= 0
        assert (greeks.rho >= 0) == option.is_call or greeks.rho == 0
        assert greeks.intrinsic_value >= 0
        assert greeks.time_value >= 0
        volatilities = [v for v in (greeks.iv_bid, greeks.iv_mid, greeks.iv_ask) if v is not None]
        assert volatilities == sorted(volatilities)

    def test_units_at_the_money(self) -> None:
        option = contract("AAPL261218C285")
        greeks = options.option_greeks(MARKET, option, NOON)
        assert greeks is not None
        tomorrow = options.theoretical_price(MARKET, option, NOON + timedelta(days=1))
        assert tomorrow is not None
        assert Decimal("0.3") < greeks.delta < Decimal("0.8")
        assert Decimal("-0.5") < greeks.theta < Decimal("-0.05")
        assert Decimal("0.1") < greeks.vega < Decimal("0.5")
        assert Decimal("0.02") < greeks.rho < Decimal("0.25")


class TestExpiration:
    OPTION = "AAPL261127C280"
    EXPIRY = datetime(2026, 11, 27, 13, 0, tzinfo=NEW_YORK)

    def test_an_expired_option_is_worth_its_intrinsic_value(self) -> None:
        option = contract(self.OPTION)
        spot = MARKET.bars("AAPL", self.EXPIRY - timedelta(hours=4), self.EXPIRY, "D")[0].close
        value = max(spot - 280, Decimal(0))
        assert options.settlement_value(MARKET, option) == value
        for moment in (self.EXPIRY, self.EXPIRY + timedelta(days=300)):
            now = quote(MARKET, option, moment)
            assert (now.bid, now.ask) == (None, None)
            assert now.last == now.close == now.mark == value
            assert now.last_time == self.EXPIRY
            assert now.open_interest == 0
            assert options.theoretical_price(MARKET, option, moment) == float(value)
        assert options.option_greeks(MARKET, option, self.EXPIRY) is None
        assert options.option_montage(MARKET, option, self.EXPIRY) == []

    def test_it_trades_until_the_last_second(self) -> None:
        option = contract(self.OPTION)
        now = quote(MARKET, option, self.EXPIRY - timedelta(milliseconds=1))
        assert now.bid is not None
        assert now.ask is not None
        value = options.settlement_value(MARKET, option)
        assert value is not None
        assert abs((now.mark or 0) - value) < Decimal("0.75")
        assert options.option_trades(MARKET, option, self.EXPIRY, self.EXPIRY + timedelta(days=3)) == []

    @SLOW
    @given(st.integers(200, 400), st.sampled_from("CP"))
    def test_calls_and_puts_settle_to_the_difference(self, strike: int, right: str) -> None:
        option = OptionContract("AAPL", "AAPL", date(2026, 11, 27), right, Decimal(strike))
        other = OptionContract(
            "AAPL", "AAPL", date(2026, 11, 27), "P" if right == "C" else "C", Decimal(strike)
        )
        values = [options.settlement_value(MARKET, one) or Decimal(0) for one in (option, other)]
        assert min(values) == 0
        close = calendar.session_on(date(2026, 11, 27))
        assert close is not None
        spot = MARKET.bars("AAPL", close.open, close.close, "D")[0].close
        assert abs(spot - strike) == sum(values)


def brute_force(
    market: Market,
    option: OptionContract,
    after: datetime,
    until: datetime,
    side: str,
    below: bool,
    limit: Decimal,
) -> datetime | None:
    """The first touch, by looking at every second and every trade."""
    moments = {after + INSTANT}
    second = after.replace(microsecond=0)
    while second <= until:
        second += timedelta(seconds=1)
        moments.add(second)
    moments.update(trade.time for trade in options.option_trades(market, option, after, until))
    for moment in sorted(moments):
        if not after < moment <= until:
            continue
        if moment >= option.expiry:
            return None
        value = getattr(quote(market, option, moment), side)
        if value is not None and (value <= limit if below else value >= limit):
            return moment
    return None


class TestFirstTouch:
    @settings(max_examples=100, deadline=None)
    @given(
        MARKETS,
        st.sampled_from(
            ["AAPL261218C285", "AAPL261127P280", "SPXW261127C6900", "SO261218C90", "AAPL270115P400"]
        ),
        st.datetimes(
            datetime.combine(date(2026, 11, 23), time()),
            datetime.combine(date(2026, 11, 28), time()),
            timezones=st.just(UTC),
        ),
        st.integers(1, 500),
        st.sampled_from(["bid", "ask", "last"]),
        st.booleans(),
        st.integers(-8, 8),
    )
    @example(NYSE, "AAPL261127P280", datetime(2026, 11, 27, 17, 58, tzinfo=UTC), 400, "bid", True, -50)
    @example(MARKET, "AAPL261218C285", datetime(2026, 11, 24, 14, 28, tzinfo=UTC), 400, "ask", False, 3)
    @example(NYSE, "AAPL261218C285", datetime(2026, 11, 24, 14, 28, tzinfo=UTC), 400, "last", False, 0)
    def test_it_agrees_with_looking_at_every_second(
        self, market: Market, symbol: str, after: datetime, seconds: int, side: str, below: bool, steps: int
    ) -> None:
        option = contract(symbol)
        until = after + timedelta(seconds=seconds)
        value = getattr(quote(market, option, after), side)
        assume(value is not None)
        limit = max(
            value + steps * max(Decimal("0.05"), (value / 200).quantize(Decimal("0.01"))), Decimal("0.01")
        )
        limits = {"at_or_below": limit} if below else {"at_or_above": limit}
        expected = brute_force(market, option, after, until, side, below, limit)
        touch = market.first_touch(symbol, after, until, side=side, hours="always", **limits)  # type: ignore[arg-type]
        assert (touch.time if touch else None) == expected

    @SLOW
    @given(MARKETS, listed(), st.floats(0.5, 2.0), st.booleans())
    def test_the_quote_shows_it_then_and_not_before(
        self, market: Market, chosen: tuple[OptionContract, datetime], factor: float, sells: bool
    ) -> None:
        option, after = chosen
        now = quote(market, option, after)
        limit = max(((now.mark or Decimal(1)) * Decimal(factor)).quantize(Decimal("0.01")), Decimal("0.01"))
        side = "bid" if sells else "ask"
        limits = {"at_or_above": limit} if sells else {"at_or_below": limit}
        until = after + timedelta(days=45)
        touch = market.first_touch(option.symbol, after, until, side=side, **limits)  # type: ignore[arg-type]
        if touch is None:
            return
        there = quote(market, option, touch.time)
        reached = getattr(there, side)
        assert (touch.bid, touch.ask, touch.last) == (there.bid, there.ask, there.last)
        assert reached >= limit if sells else reached <= limit
        assert after < touch.time <= min(until, option.expiry)
        assert market.is_open(touch.time)
        before = touch.time - timedelta(milliseconds=1)
        if market.is_open(before) and touch.time > after + timedelta(seconds=2):
            value = getattr(quote(market, option, before), side)
            assert value < limit if sells else value > limit

    @settings(max_examples=60, deadline=None)
    @given(
        MARKETS,
        st.sampled_from(
            ["SPY261218C500", "BKNG261218C4900", "BKNG261218P5200", "SO261218C90", "AAPL261218C285"]
        ),
        st.datetimes(
            datetime.combine(date(2026, 11, 23), time(14, 31)),
            datetime.combine(date(2026, 11, 24), time(20, 40)),
            timezones=st.just(UTC),
        ),
        st.sampled_from(["bid", "ask"]),
        st.booleans(),
    )
    def test_the_extreme_of_ten_minutes_is_found_and_nothing_beyond(
        self, market: Market, symbol: str, after: datetime, side: str, below: bool
    ) -> None:
        option, until = contract(symbol), after + timedelta(minutes=10)
        first = after.replace(microsecond=0) + timedelta(seconds=1)
        moments = [after + INSTANT, *(first + timedelta(seconds=step) for step in range(600))]
        shown = {
            moment: getattr(quote(market, option, moment), side) for moment in moments if moment <= until
        }
        extreme = min(shown.values()) if below else max(shown.values())
        name = "at_or_below" if below else "at_or_above"
        touch = market.first_touch(symbol, after, until, side=side, hours="always", **{name: extreme})
        assert touch is not None
        assert touch.time == next(moment for moment, value in shown.items() if value == extreme)
        beyond = extreme + Decimal("-0.01" if below else "0.01")
        assert market.first_touch(symbol, after, until, side=side, hours="always", **{name: beyond}) is None

    def test_nothing_is_touched_after_expiration(self) -> None:
        after = datetime(2026, 11, 27, 13, 0, tzinfo=NEW_YORK)
        touch = MARKET.first_touch(
            "AAPL261127C280", after, after + timedelta(days=9), side="last", at_or_above=Decimal(0)
        )
        assert touch is None

    def test_an_order_that_rests_for_months_is_settled_quickly(self) -> None:
        began = process_time()
        touch = Market().first_touch(
            "AAPL280121C285", NOON, NOON + timedelta(days=180), side="ask", at_or_below=Decimal("1")
        )
        assert process_time() - began < 1.0
        assert touch is None
