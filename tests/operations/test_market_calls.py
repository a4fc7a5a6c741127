"""What the market operations ask of the broker, and what they do beyond reading one answer."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from market_kit import Seen, example, wired

from ftcli.errors import BrokerError, FtError, NotFound, ValidationFailed
from ftcli.models.chain import CallPut, ChainContract
from ftcli.models.json import dumps
from ftcli.models.market_data import BarWidth
from ftcli.models.research import AnalyticsLeg, AnalyticsRequest
from ftcli.operations.charts import windows
from ftcli.operations.greeks import Market, add_greeks, implied_volatility, sensitivities, theoretical_price
from ftcli.operations.moments import clean_moment
from ftcli.operations.option_chain import chosen_days, contracts_of, in_the_money
from ftcli.operations.progress import progress
from ftcli.paper import options

D = Decimal
NEW_YORK = ZoneInfo("America/New_York")
MORNING = "2026-11-24T10:30:00-05:00"
CHART = "/service/marketdata/historical/chart/json"
QUOTES = "/service/quote/json"


# -- charts --------------------------------------------------------------------------------------------------


def test_widths() -> None:
    for text, width in (
        ("5", BarWidth.MIN_5),
        ("5m", BarWidth.MIN_5),
        ("1h", BarWidth.MIN_60),
        ("D", BarWidth.DAY),
    ):
        assert BarWidth(text) is width
    assert BarWidth("M") is BarWidth.MONTH
    assert (BarWidth("7"), BarWidth("7").wire, BarWidth("7").intraday) == ("7", "7", True)
    assert [BarWidth(str(minutes)).wire for minutes in range(1, 61)] == [
        str(minutes) for minutes in range(1, 61)
    ]
    for text in ("0", "61", "m", "-5", "5.5", "", "fortnight", "2h"):
        with pytest.raises(ValueError, match="BarWidth"):
            BarWidth(text)


seconds = st.integers(946_702_800, 1_893_474_000)
moments = seconds.map(lambda second: datetime.fromtimestamp(second, NEW_YORK))


@given(moments, st.timedeltas(timedelta(seconds=1), timedelta(days=900)), st.integers(1, 60))
def test_windows_cover_the_range_and_meet_at_midnight(first: datetime, span: timedelta, minutes: int) -> None:
    last = first + span
    parts = windows(first, last, BarWidth(str(minutes)))
    assert parts[0][0] == first
    assert parts[-1][1] == last
    for (_, end), (start, _) in pairwise(parts):
        assert end == start
        assert (end.hour, end.minute, end.second) == (0, 0, 0)
    assert all(start < end for start, end in parts)
    assert all((end.date() - start.date()).days <= min(5 * minutes, 90) for start, end in parts)


def test_wide_bars_come_in_one_piece() -> None:
    first, last = datetime(1990, 1, 1, tzinfo=NEW_YORK), datetime(2026, 1, 1, tzinfo=NEW_YORK)
    assert windows(first, last, BarWidth.DAY) == [(first, last)]


async def test_a_long_chart_is_the_sum_of_its_pages(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    async with wired(tmp_path, MORNING) as (client, wire, _):
        with progress(lambda done, total: seen.append((done, total))):
            answer = await client.market_data.chart(
                "AAPL", width=BarWidth.MIN_5, start="2026-07-01", extended=True
            )
        asked = [request.query for request in wire.of(CHART)]
        start, end = datetime(2026, 7, 1, tzinfo=NEW_YORK), datetime(2026, 11, 24, 10, 30, tzinfo=NEW_YORK)
        expected = wire.desk.market.bars("AAPL", start, end, 5, True)
    assert [query["startDate"] for query in asked] == [
        "2026/07/01-00:00:00",
        "2026/07/26-00:00:00",
        "2026/08/20-00:00:00",
        "2026/09/14-00:00:00",
        "2026/10/09-00:00:00",
        "2026/11/03-00:00:00",
    ]
    assert asked[-1]["endDate"] == "2026/11/24-10:30:00"
    assert {query["extendedHours"] for query in asked} == {"Y"}
    assert [(bar.time, bar.open, bar.close, bar.volume) for bar in answer.bars] == [
        (bar.start, bar.open, bar.close, bar.volume) for bar in expected if bar.start >= start
    ]
    twice = [
        bar.time
        for bar in answer.bars
        if bar.time and bar.time.date() == date(2026, 11, 1) and bar.time.hour == 1
    ]
    assert [moment.fold for moment in twice] == [0] * 12 + [1] * 12, "the clocks went back that night"
    assert seen == [(done, 6) for done in range(1, 7)]
    assert isinstance(answer.raw, list)
    assert len(answer.raw) == 6


async def test_one_page_reports_no_progress_and_is_the_broker_s_own(tmp_path: Path) -> None:
    async with wired(tmp_path, MORNING) as (client, wire, _):
        with progress(lambda done, total: pytest.fail("nothing to report")):
            answer = await client.market_data.chart("AAPL", width=BarWidth("7"), start="09:30", end="10:00")
        (asked,) = wire.of(CHART)
    assert asked.query["barWidth"] == "7"
    assert (asked.query["startDate"], asked.query["endDate"]) == (
        "2026/11/24-09:30:00",
        "2026/11/24-10:00:00",
    )
    assert asked.query["callback"].startswith("jsonp_")
    assert {name: asked.query[name] for name in ("corpActions", "timestamp", "productid", "quoteType")} == {
        "corpActions": "Y",
        "timestamp": "start",
        "productid": "atn",
        "quoteType": "R",
    }
    assert [f"{bar.time:%H:%M}" for bar in answer.bars] == ["09:30", "09:37", "09:44", "09:51", "09:58"]
    assert answer.width == "7"


@pytest.mark.parametrize(
    "width", [BarWidth.DAY, BarWidth.WEEK, BarWidth.MONTH, BarWidth.QUARTER, BarWidth.YEAR]
)
async def test_wide_bars_never_ask_for_extended_hours(tmp_path: Path, width: BarWidth) -> None:
    async with wired(tmp_path, MORNING) as (client, wire, _):
        answer = await client.market_data.chart("AAPL", width=width, extended=True)
        (asked,) = wire.of(CHART)
    assert (asked.query["barWidth"], asked.query["extendedHours"]) == (width.wire, "N")
    assert len(answer.bars) >= 20


async def test_a_page_without_bars_is_no_end(tmp_path: Path) -> None:
    """The broker may keep minute bars for a while only: older pages then have none."""

    def answer(seen: Seen) -> tuple[int, bytes] | None:
        return (200, b'cb({"Symbol":[]})') if seen.query["startDate"] < "2026/09" else None

    async with wired(tmp_path, MORNING) as (client, wire, _):
        wire.answer_by(CHART, answer)
        found = await client.market_data.chart("AAPL", width=BarWidth.MIN_15, start="2026-05-01")
    assert found.bars
    assert found.bars[0].time is not None
    assert found.bars[0].time.month == 9


@pytest.mark.parametrize(
    ("start", "end", "field"),
    [
        ("soon", None, "start"),
        ("today", "2026-11-01", "start"),
        ("25:00", None, "start"),
        (None, "then", "end"),
    ],
)
async def test_bad_ranges(tmp_path: Path, start: str | None, end: str | None, field: str) -> None:
    async with wired(tmp_path, MORNING) as (client, wire, _):
        for call in (client.market_data.chart, client.market_data.time_and_sales):
            with pytest.raises(ValidationFailed, match=field):
                await call("AAPL", start=start, end=end)
        assert wire.of(CHART) == []


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("now", [2026, 11, 24, 10, 30]),
        ("09:30", [2026, 11, 24, 9, 30]),
        ("9:30:15", [2026, 11, 24, 9, 30, 15]),
        ("2026-07-08T10:30", [2026, 7, 8, 10, 30]),
        ("2026-07-08 10:30:05", [2026, 7, 8, 10, 30, 5]),
        ("7/8/2026 10:30", [2026, 7, 8, 10, 30]),
        ("2026/07/08-10:30:00", [2026, 7, 8, 10, 30]),
        ("2026-07-08T10:30:00Z", [2026, 7, 8, 6, 30]),
        ("2026-07-08", [2026, 7, 8]),
        ("yesterday", [2026, 11, 23]),
        ("1m", [2026, 10, 24]),
    ],
)
def test_moments(text: str, parts: list[int]) -> None:
    now = datetime(2026, 11, 24, 15, 30, tzinfo=UTC)
    assert clean_moment(text, now, "start") == datetime(*parts, tzinfo=NEW_YORK)  # type: ignore[misc, arg-type]


# -- the chain -----------------------------------------------------------------------------------------------


async def test_a_chain_costs_three_calls(tmp_path: Path) -> None:
    async with wired(tmp_path, MORNING) as (client, wire, _):
        chain = await client.market_data.chain("aapl")
        (asked,) = wire.of("/service/quote/chainLite")
        quotes = [request.query["symbols"] for request in wire.of(QUOTES)]
    assert asked.query == {"productid": "atn", "symbols": "AAPL"}
    assert quotes[0] == "AAPL"
    assert quotes[1].split(",") == [contract.symbol for contract in chain.contracts]
    assert len(quotes) == 2
    assert {contract.expiration for contract in chain.contracts} == {chain.expirations[0]}
    assert len({contract.strike for contract in chain.contracts}) == 20
    assert chain.last is not None
    below = {contract.strike for contract in chain.contracts if contract.strike < chain.last}
    assert len(below) == 10
    assert not chain.problems


async def test_chain_and_quote_are_one_market(tmp_path: Path) -> None:
    async with wired(tmp_path, MORNING) as (client, _, _clock):
        chain = await client.market_data.chain("AAPL", strikes=6)
        (quote,) = (await client.market_data.quotes(["AAPL"])).quotes
        assert (chain.last, chain.bid, chain.ask, chain.name) == (
            quote.last,
            quote.bid,
            quote.ask,
            quote.name,
        )
        for contract in chain.contracts:
            montage = await client.market_data.montage(contract.symbol)
            best = (montage.best_bid or 0, montage.best_ask or 0)
            assert best == (contract.bid, contract.ask), contract.symbol
            assert (montage.strike, montage.call_put) == (contract.strike, contract.call_put)
            expected = (
                contract.strike < chain.last
                if contract.call_put is CallPut.CALL
                else contract.strike > chain.last
            )
            assert contract.in_the_money is expected


async def test_filters(tmp_path: Path) -> None:
    async with wired(tmp_path, MORNING) as (client, wire, _):
        chain = client.market_data.chain
        whole = await chain("SPY", expiration=["all"], strikes=0, prices=False)
        assert {contract.expiration for contract in whole.contracts} == set(whole.expirations)
        calls = await chain("SPY", expiration=["all"], strikes=0, prices=False, call_put=CallPut.CALL)
        assert {contract.call_put for contract in calls.contracts} == {CallPut.CALL}
        assert len(calls.contracts) < len(whole.contracts)
        month = await chain("SPY", expiration=["2026-12"], strikes=2, prices=False)
        assert {(day.expiration.year, day.expiration.month) for day in month.contracts} == {(2026, 12)}
        bounds = await chain("SPY", min_strike=D(670), max_strike=D(675), prices=False)
        assert [row.strike for row in bounds.for_table().rows] == [670, 671, 672, 673, 674, 675]
        one = await chain("SPY", min_strike=D(670), strikes=1, prices=False)
        assert len(one.for_table().rows) == 1
        two = await chain(
            "SPY", expiration=["next", whole.expirations[3].isoformat()], strikes=1, prices=False
        )
        assert {row.expiration for row in two.contracts} == {whole.expirations[0], whole.expirations[3]}
        assert len(wire.of(QUOTES)) == 6, "without prices only the underlying is quoted"


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"expiration": ["2026-11-25"]}, "expiration"),
        ({"expiration": ["someday"]}, "expiration"),
        ({"strikes": -1}, "strikes"),
        ({"min_strike": D(-1)}, "min_strike"),
        ({"min_strike": D(10), "max_strike": D(5)}, "min_strike"),
        ({"greeks": True, "prices": False}, "greeks"),
        ({"greeks": True, "rate": D(1000)}, "rate"),
    ],
)
async def test_bad_filters(tmp_path: Path, arguments: dict[str, Any], field: str) -> None:
    async with wired(tmp_path, MORNING) as (client, _, _clock):
        with pytest.raises(ValidationFailed) as problem:
            await client.market_data.chain("AAPL", **arguments)
    assert (problem.value.details or {})["field"] == field


async def test_greeks_are_computed_on_demand_and_right(tmp_path: Path) -> None:
    async with wired(tmp_path, MORNING) as (client, wire, clock):
        plain = await client.market_data.chain("AAPL", expiration=["2027-03"], strikes=8)
        assert {contract.delta for contract in plain.contracts} == {None}
        chain = await client.market_data.chain(
            "AAPL", expiration=["2027-03"], strikes=8, greeks=True, rate=D("3.82")
        )
        assert chain.contracts
        for contract in chain.contracts:
            known = options.option_greeks(
                wire.desk.market, options.OptionContract.parse(contract.symbol), clock.now
            )
            assert known is not None
            assert known.iv_mid is not None
            assert abs(contract.implied_volatility - known.iv_mid) < D("0.005"), contract.symbol
            assert abs(contract.delta - known.delta) < D("0.01")
            assert abs(contract.gamma - known.gamma) < D("0.001")
            assert abs(contract.vega - known.vega) < D("0.02")
            assert abs(contract.theta - known.theta) < D("0.005")
            assert abs(contract.rho - known.rho) < D("0.02")


async def test_the_table_of_a_chain_has_calls_left_and_puts_right(tmp_path: Path) -> None:
    async with wired(tmp_path, MORNING) as (client, _, _clock):
        plain = await client.market_data.chain("AAPL", expiration=["2026-12-18"], strikes=4)
        greeks = await client.market_data.chain("AAPL", expiration=["2026-12-18"], strikes=4, greeks=True)
    call, put = plain.contracts[:2]
    row = plain.for_table().rows[0]
    assert (call.call_put, put.call_put, row.strike) == (CallPut.CALL, CallPut.PUT, call.strike)
    assert (row.call_bid, row.call_ask, row.call_volume) == (call.bid, call.ask, call.volume)
    assert (row.put_bid, row.put_ask, row.put_last) == (put.bid, put.ask, put.last)
    assert [line.in_the_money for line in plain.for_table().rows] == ["call", "call", "put", "put"]
    assert not hasattr(row, "call_delta")
    shown = greeks.for_table().rows
    assert [line.strike for line in shown] == [line.strike for line in plain.for_table().rows]
    assert shown[0].call_delta == greeks.contracts[0].delta.quantize(D("0.001"))
    assert shown[0].put_implied_volatility == greeks.contracts[1].implied_volatility.quantize(D("0.001"))
    assert plain.for_table().name == f"APPLE INC · last {plain.last}"


async def test_a_chain_without_quotes_is_still_a_chain(tmp_path: Path) -> None:
    async with wired(tmp_path, MORNING) as (client, wire, _):
        wire.say(QUOTES, b'({"STATUS":{"ERROR_CODE":"1"},"QUOTES":{}})')
        chain = await client.market_data.chain("AAPL", greeks=True)
        assert len(chain.contracts) > 40, "no price: strikes near the money cannot be told"
        assert {(row.bid, row.in_the_money, row.delta) for row in chain.contracts} == {(None, None, None)}
        assert [problem.reason for problem in chain.problems] == [
            "no quote",
            "no price of the underlying: strikes near the money cannot be told, all are listed",
            "no quotes of the contracts",
        ]
        wire.say(QUOTES, b"", status=500)
        chain = await client.market_data.chain("AAPL", strikes=0)
        assert "HTTP 500" in chain.problems[0].reason


async def test_contracts_the_broker_has_no_quote_for_are_counted(tmp_path: Path) -> None:
    def answer(seen: Seen) -> tuple[int, bytes] | None:
        first = seen.query["symbols"].split(",")[0]
        quotes = {first: {"ERROR_CODE": "0", "LAST_PRICE": "270"}}
        return 200, b"(" + dumps({"STATUS": {"ERROR_CODE": "0"}, "QUOTES": quotes}) + b")"

    async with wired(tmp_path, MORNING) as (client, wire, _):
        wire.answer_by(QUOTES, answer)
        chain = await client.market_data.chain("AAPL", strikes=4)
    assert [contract.last for contract in chain.contracts].count(None) == 7
    assert chain.problems[0].reason == "no quote for 7 of 8 contracts"


async def test_many_contracts_are_quoted_in_pages(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    async with wired(tmp_path, MORNING) as (client, wire, _):
        with progress(lambda done, total: seen.append((done, total))):
            chain = await client.market_data.chain("AAPL", expiration=["all"], strikes=8)
        sizes = [len(request.query["symbols"].split(",")) for request in wire.of(QUOTES)[1:]]
    assert sum(sizes) == len(chain.contracts) > 200
    assert set(sizes[:-1]) == {100}
    assert seen == [(page, len(sizes)) for page in range(1, len(sizes) + 1)]


async def test_an_option_may_be_asked_for_in_any_spelling(tmp_path: Path) -> None:
    async with wired(tmp_path, MORNING) as (client, wire, _):
        quotes = await client.market_data.quotes(
            ["AAPL 2026-12-18 272.5 C", "aapl261218p270", "BRK.B", "SPAXX"]
        )
        assert [quote.symbol for quote in quotes.quotes] == [
            "-AAPL261218C272.5",
            "-AAPL261218P270",
            "BRK.B",
            "SPAXX",
        ]
        assert wire.of(QUOTES)[0].query["symbols"] == "-AAPL261218C272.5,-AAPL261218P270,BRK/B,SPAXX"
        assert quotes.quotes[0].security_type == "Option"
        assert quotes.quotes[3].yield_7_day is not None
        await client.market_data.montage("AAPL 12/18/26 270 put")
        assert wire.of("/service/quote/dtmontage")[0].query["symbols"] == "-AAPL261218P270"
        await client.market_data.time_and_sales("AAPL  261218P00270000")
        assert wire.of("/service/timeandsales/v2")[0].query["symbols"] == "-AAPL261218P270"
        with pytest.raises(ValidationFailed, match="option"):
            await client.market_data.montage("AAPL")


def test_chosen_days() -> None:
    listed = [date(2026, 11, 27), date(2026, 12, 4), date(2026, 12, 18), date(2027, 1, 15)]
    now = datetime(2026, 11, 24, 15, tzinfo=UTC)
    assert chosen_days([], listed, now) == {listed[0]}
    assert chosen_days(["ALL"], listed, now) == set(listed)
    assert chosen_days(["2026-12"], listed, now) == set(listed[1:3])
    assert chosen_days(["1/15/2027", "next"], listed, now) == {listed[0], listed[3]}
    assert chosen_days([], [], now) == set()
    for words in (["2026-13"], ["2026-10"], ["2026-12-05"], ["0000-01"], [""]):
        with pytest.raises(ValidationFailed, match="expiration"):
            chosen_days(words, listed, now)


def test_at_the_money_is_not_in_it() -> None:
    call = ChainContract(strike=D(100), call_put=CallPut.CALL)
    put = ChainContract(strike=D(100), call_put=CallPut.PUT)
    assert [in_the_money(call, D(last)) for last in (99, 100, 101)] == [False, False, True]
    assert [in_the_money(put, D(last)) for last in (99, 100, 101)] == [True, False, False]
    assert in_the_money(call, None) is None
    assert contracts_of.__doc__


volatilities = st.floats(0.05, 2.0)
strikes = st.floats(50, 200)


@given(volatilities, strikes, st.floats(0.02, 2.5), st.floats(-0.02, 0.1), st.booleans())
def test_implied_volatility_finds_the_volatility(
    sigma: float, strike: float, years: float, rate: float, call: bool
) -> None:
    market = Market(100.0, 100.0 * (1 + rate * years), years, rate)
    price = theoretical_price(market, strike, call, sigma)
    found = implied_volatility(market, strike, call, price)
    if found is not None:
        assert theoretical_price(market, strike, call, found) == pytest.approx(price, abs=1e-6)
    if found is not None and sensitivities(market, strike, call, sigma).vega > 0.01:
        assert found == pytest.approx(sigma, abs=1e-3)


@given(volatilities, strikes, st.floats(0.02, 2.5))
def test_greeks_are_the_slopes_of_the_price(sigma: float, strike: float, years: float) -> None:
    rate, dividend, step = 0.04, 0.01, 1e-3

    def at(spot: float, volatility: float = sigma, left: float = years, interest: float = rate) -> float:
        from math import exp

        market = Market(spot, spot * exp((interest - dividend) * left), left, interest)
        return theoretical_price(market, strike, True, volatility)

    from math import exp

    greeks = sensitivities(
        Market(100.0, 100.0 * exp((rate - dividend) * years), years, rate), strike, True, sigma
    )
    assert greeks.delta == pytest.approx((at(100 + step) - at(100 - step)) / (2 * step), abs=1e-4)
    assert greeks.vega == pytest.approx((at(100, sigma + 1e-4) - at(100, sigma - 1e-4)) / 2e-2, abs=1e-4)
    assert greeks.theta == pytest.approx(
        (at(100, left=years - 1e-5) - at(100, left=years + 1e-5)) / (2e-5 * 365), abs=1e-3
    )
    assert greeks.rho == pytest.approx(
        (at(100, interest=rate + 1e-5) - at(100, interest=rate - 1e-5)) / 2e-3, abs=1e-3
    )


def test_greeks_need_bid_and_ask() -> None:
    now = datetime(2026, 11, 24, 15, tzinfo=UTC)
    day = date(2027, 1, 15)
    rows = [
        ChainContract(expiration=day, strike=D(100), call_put=CallPut.CALL),
        ChainContract(expiration=day, strike=D(100), call_put=CallPut.CALL, bid=D(5), ask=D("5.2")),
        ChainContract(
            expiration=date(2026, 11, 20), strike=D(100), call_put=CallPut.CALL, bid=D(5), ask=D(6)
        ),
        ChainContract(expiration=day, strike=D(100), call_put=CallPut.CALL, bid=D(500), ask=D(600)),
        ChainContract(expiration=None, strike=D(100), call_put=CallPut.CALL, bid=D(5), ask=D(6)),
    ]
    add_greeks(rows, D(100), D(4), now)
    assert [row.delta is None for row in rows] == [True, False, True, True, True]
    add_greeks(rows[:1], None, D(4), now)
    assert rows[0].delta is None


# -- time and sales, markets ---------------------------------------------------------------------------------


async def test_time_and_sales_asks_for_one_more(tmp_path: Path) -> None:
    async with wired(tmp_path, MORNING) as (client, wire, _):
        few = await client.market_data.time_and_sales("AAPL", count=5)
        every = await client.market_data.time_and_sales("AAPL", start="09:30", end="09:31", count=0)
        first, second = (request.query for request in wire.of("/service/timeandsales/v2"))
    assert first == {
        "productid": "atn",
        "symbols": "AAPL",
        "quoteType": "R",
        "extendedHours": "N",
        "count": "6",
    }
    assert (len(few.trades), few.truncated) == (5, True)
    assert "count" not in second
    assert (second["startDate"], second["endDate"]) == ("2026/11/24-09:30:00", "2026/11/24-09:31:00")
    assert every.truncated is False
    assert all(trade.time is not None and trade.time.hour == 9 for trade in every.trades)


async def test_bars_agree_with_time_and_sales(tmp_path: Path) -> None:
    async with wired(tmp_path, MORNING) as (client, _, _clock):
        chart = await client.market_data.chart("KO", width=BarWidth.MIN_5, start="09:30", end="10:00")
        sales = await client.market_data.time_and_sales("KO", start="09:30", end="10:00", count=0)
    for bar in chart.bars:
        assert bar.time is not None
        trades = [
            trade
            for trade in sales.trades
            if trade.time and bar.time <= trade.time < bar.time + timedelta(minutes=5)
        ]
        prices = [trade.price for trade in trades if trade.price is not None]
        assert (prices[0], max(prices), min(prices), prices[-1]) == (bar.open, bar.high, bar.low, bar.close)
        assert sum(trade.size or 0 for trade in trades) == bar.volume


async def test_a_negative_count_is_refused(tmp_path: Path) -> None:
    async with wired(tmp_path) as (client, _, _clock):
        with pytest.raises(ValidationFailed, match="count"):
            await client.market_data.time_and_sales("AAPL", count=-1)


async def test_markets_ask_for_every_brokerage_account(tmp_path: Path) -> None:
    async with wired(tmp_path) as (client, wire, _):
        await client.market_data.markets("KO")
        await client.market_data.markets("KO", ["Z20000025"])
        every, one = (
            request.document for request in wire.of("/ftgw/dp/reference/security/stock/availablemarket/v1")
        )
        with pytest.raises(NotFound, match="Z99999999"):
            await client.market_data.markets("KO", ["Z99999999"])
    assert len(every["accounts"]) > 2
    assert one == {"symbol": "KO", "accounts": ["Z20000025"], "requestType": "", "isCheckShares": False}


# -- research ------------------------------------------------------------------------------------------------


async def test_symbols_of_research_are_joined_by_a_bar(tmp_path: Path) -> None:
    async with wired(tmp_path) as (client, wire, _):
        await client.research.earnings(["aapl", "MSFT", "AAPL"])
        await client.research.dividends(["KO", "brk.b"])
        (earnings,) = wire.of("/ftgw/dpdirect/research/earning/v1")
        (dividends,) = wire.of("/ftgw/dpdirect/research/dividend/v1")
    assert earnings.query == {"fvSymbol": "AAPL|MSFT"}
    assert dividends.query == {"fvSymbol": "KO|BRK.B"}
    assert earnings.headers["fsreqid"].startswith("REQ")


async def test_search_sends_words_and_takes_nothing_for_nothing(tmp_path: Path) -> None:
    async with wired(tmp_path) as (client, wire, _):
        found = await client.research.search("  apple   inc ")
        assert [row.symbol for row in found.results] == ["AAPL"]
        assert (await client.research.search("")).results == []
        assert [request.query for request in wire.of("/ftgw/dpdirect/search/autosuggest/v1")] == [
            {"q": "apple inc"},
            {"q": ""},
        ]
        with pytest.raises(ValidationFailed):
            await client.research.search("x" * 101)


async def test_the_analytics_body(tmp_path: Path) -> None:
    path = "/ftgw/dp/research/option/positions/analytics/v1"
    legs = [
        AnalyticsLeg(symbol="-NVLT260717C42.5", quantity=1, price=D("0.95")),
        AnalyticsLeg(symbol="nvlt", quantity=-100),
    ]
    async with wired(tmp_path) as (client, wire, _):
        wire.say(path, example("analytics.json"))
        await client.research.analytics(
            AnalyticsRequest(legs=legs, volatility_period=30, eval_at_expiry=False)
        )
        await client.research.analytics(AnalyticsRequest(legs=legs[1:], underlying_symbol="qrs.b"))
        first, second = (request.document for request in wire.of(path))
    assert first == {
        "underlyingSymbol": "NVLT",
        "posDetails": [
            [
                {"symbol": "NVLT260717C42.5", "qty": 1, "price": D("0.95"), "equity": False},
                {"symbol": "NVLT", "qty": -100, "price": 0, "equity": True},
            ]
        ],
        "hvDetail": {"volatilityPeriod": "30"},
        "evalDaysDetail": {"evalAtExpiry": False},
    }
    assert (second["underlyingSymbol"], second["hvDetail"]) == ("QRS.B", {"volatilityPeriod": "90"})


@pytest.mark.parametrize(
    ("legs", "more", "field"),
    [
        ([], {}, "legs"),
        ([("AAPL", 1, 0)] * 21, {}, "legs"),
        ([("<x>", 1, 0)], {}, "legs[0].symbol"),
        ([("AAPL", 1, 0), ("AAPL", 0, 0)], {}, "legs[1].quantity"),
        ([("AAPL", 1, -1)], {}, "legs[0].price"),
        ([("AAPL", 1, 0)], {"volatility_period": 0}, "volatility_period"),
        ([("AAPL", 1, 0)], {"underlying_symbol": "?"}, "underlying_symbol"),
    ],
)
async def test_bad_positions(
    tmp_path: Path, legs: list[tuple[str, int, int]], more: dict[str, Any], field: str
) -> None:
    rows = [
        AnalyticsLeg(symbol=symbol, quantity=quantity, price=D(price)) for symbol, quantity, price in legs
    ]
    async with wired(tmp_path) as (client, wire, _):
        with pytest.raises(ValidationFailed) as problem:
            await client.research.analytics(AnalyticsRequest(legs=rows, **more))
        assert wire.seen == []
    assert (problem.value.details or {})["field"] == field


# -- scans ---------------------------------------------------------------------------------------------------

SAML = "/ftgw/digital/rschwidgets/api/saml"
EXCHANGE = "/auth/api/v1/sessions/samllogin"
EXECUTE = "/DataService/ScannerServiceReference.asmx/ExecuteScan"


async def test_the_hand_off(tmp_path: Path) -> None:
    async with wired(tmp_path) as (client, wire, _):
        wire.say(SAML, b"  ab+/cd==\n")
        wire.say(EXCHANGE, {"sid": "s", "expiresAt": 1783600000, "token": "to.k+en"}, status=201)
        wire.say(EXECUTE, example("scan.xml"))
        await client.research.screener(2)
        (saml,), (exchange,), (execute,) = wire.of(SAML), wire.of(EXCHANGE), wire.of(EXECUTE)
    assert saml.cookies["ATC"], "the first call vouches for the session"
    assert (exchange.method, exchange.query) == ("POST", {"fetchToken": "true"})
    assert exchange.body == b"SAMLResponse=ab%2B%2Fcd%3D%3D"
    assert execute.body == b"TOKEN=to.k%2Ben&SCANID=2"
    for foreign in (exchange, execute):
        assert foreign.headers["content-type"] == "application/x-www-form-urlencoded"
        assert foreign.cookies == {}, "the scans' company gets no cookie of the session"


async def test_the_token_is_kept_until_it_expires(tmp_path: Path) -> None:
    async with wired(tmp_path, MORNING) as (client, wire, clock):
        await client.research.screener(2)
        await client.research.screener(1)
        assert len(wire.of(EXCHANGE)) == 1
        clock.now += timedelta(minutes=28, seconds=30)
        await client.research.screener(1)
        assert len(wire.of(EXCHANGE)) == 1
        clock.now += timedelta(seconds=31)  # within the last minute
        await client.research.screener(1)
        assert len(wire.of(EXCHANGE)) == 2
        assert len(wire.of(EXECUTE)) == 4


async def test_a_refused_token_is_renewed_once(tmp_path: Path) -> None:
    tokens: list[str] = []

    def answer(seen: Seen) -> tuple[int, bytes] | None:
        tokens.append(seen.form["TOKEN"])
        return (500, b"System.Web.Services fault") if tokens[-1] == tokens[0] and len(tokens) > 1 else None

    async with wired(tmp_path) as (client, wire, clock):
        wire.answer_by(EXECUTE, answer)
        await client.research.screener(2)
        clock.now += timedelta(seconds=1)
        found = await client.research.screener(2)
        assert found.rows
        assert len(wire.of(EXCHANGE)) == 2
    assert len(tokens) == 3, "an old token is not tried again"
    assert tokens[0] == tokens[1] != tokens[2]


async def test_other_trouble_of_a_scan_keeps_the_token(tmp_path: Path) -> None:
    async with wired(tmp_path) as (client, wire, _):
        await client.research.screener(2)
        wire.say(EXECUTE, b"<Livevol", status=200)
        with pytest.raises(BrokerError, match="XML"):
            await client.research.screener(2)
        wire.say(EXECUTE, example("scan.xml"))
        assert (await client.research.screener(2)).rows
        assert len(wire.of(EXCHANGE)) == 1


@pytest.mark.parametrize(("path", "status"), [(SAML, 500), (EXCHANGE, 403), (EXECUTE, 403)])
async def test_a_refused_hand_off_says_so_without_secrets(tmp_path: Path, path: str, status: int) -> None:
    secret = "c2VjcmV0LXNlY3JldA=="
    async with wired(tmp_path) as (client, wire, _):
        wire.say(SAML, secret.encode())
        wire.say(EXCHANGE, {"expiresAt": 1783600000, "token": "very-secret-token"}, status=201)
        wire.say(EXECUTE, example("scan.xml"))
        wire.say(path, f"no: {secret} very-secret-token".encode(), status=status)
        with pytest.raises(BrokerError) as problem:
            await client.research.screener(2)
        if path == EXECUTE:
            assert len(wire.of(EXCHANGE)) == 1, "a fresh token that is refused stays refused"
    said = f"{problem.value} {problem.value.details}"
    assert path != EXECUTE or "very-secret" not in said
    assert path == SAML or secret not in said


@pytest.mark.parametrize("body", [b"", b"<html>log in</html>", b"two words", b"{}"])
async def test_what_is_no_assertion(tmp_path: Path, body: bytes) -> None:
    async with wired(tmp_path) as (client, wire, _):
        wire.say(SAML, body)
        with pytest.raises(FtError):
            await client.research.screener(2)
        assert wire.of(EXCHANGE) == []


async def test_log_out_takes_the_token_along(tmp_path: Path) -> None:
    async with wired(tmp_path) as (client, wire, _):
        await client.research.screener(2)
        await client.auth.logout()
        await client.research.screener(2)
        assert len(wire.of(EXCHANGE)) == 2


async def test_callers_at_the_same_time_share_the_hand_off(tmp_path: Path) -> None:
    import asyncio

    async with wired(tmp_path) as (client, wire, _):
        await asyncio.gather(*(client.research.screener(scan) for scan in (1, 2, 3)))
        assert (len(wire.of(EXCHANGE)), len(wire.of(EXECUTE))) == (1, 3)


@pytest.mark.parametrize("scan", [0, -1, 1_000_001])
async def test_bad_scans_are_refused_here(tmp_path: Path, scan: int) -> None:
    async with wired(tmp_path) as (client, wire, _):
        with pytest.raises(ValidationFailed, match="scan_id"):
            await client.research.screener(scan)
        assert wire.seen == []


# -- notes, news, holidays -----------------------------------------------------------------------------------

NOTES = "/ftgw/dp/research/tool/notebook/note"


async def test_the_life_of_a_note(tmp_path: Path) -> None:
    async with wired(tmp_path, MORNING) as (client, wire, clock):
        notes = client.research.notebooks
        made = await notes.create("Check Q2 cash flow.", title="Idea", symbol="ko")
        assert (made.symbol, made.title, made.note) == ("KO", "Idea", "Check Q2 cash flow.")
        assert made.created == made.updated == clock.now
        clock.now += timedelta(minutes=5)
        changed = await notes.update(made.note_id, note="Confirmed.")
        assert (changed.note, changed.title, changed.symbol) == ("Confirmed.", "Idea", "KO")
        assert (changed.created, changed.updated) == (made.created, clock.now)
        bare = await notes.update(made.note_id, title="", symbol="")
        assert (bare.note, bare.title, bare.symbol) == ("Confirmed.", None, None)
        other = await notes.create("Else.", symbol="PEP")
        assert [note.note_id for note in (await notes.list()).notes] == [made.note_id, other.note_id]
        assert [note.note_id for note in (await notes.list(["pep"])).notes] == [other.note_id]
        assert (await notes.delete(made.note_id)).deleted
        for call in (notes.delete(made.note_id), notes.update(made.note_id, note="x")):
            with pytest.raises(NotFound, match=made.note_id):
                await call
        created = wire.of(f"{NOTES}/create/v1")[0].document
        updated = wire.of(f"{NOTES}/update/v1")[0].document
    assert created == {"noteDetails": [{"note": "Check Q2 cash flow.", "title": "Idea", "symbol": "KO"}]}
    assert updated == {
        "noteDetails": [{"noteId": made.note_id, "note": "Confirmed.", "title": "Idea", "symbol": "KO"}]
    }


async def test_notes_survive_the_process(tmp_path: Path) -> None:
    async with wired(tmp_path) as (client, _, _clock):
        made = await client.research.notebooks.create("Remember me.")
    async with wired(tmp_path) as (client, _, _clock):
        assert [note.note_id for note in (await client.research.notebooks.list()).notes] == [made.note_id]


async def test_a_note_is_written_once(tmp_path: Path) -> None:
    async with wired(tmp_path) as (client, wire, _):
        wire.say(f"{NOTES}/create/v1", b"", status=503)
        with pytest.raises(BrokerError) as problem:
            await client.research.notebooks.create("Once.")
        assert problem.value.outcome_unknown
        assert len(wire.of(f"{NOTES}/create/v1")) == 1
        wire.say(f"{NOTES}/create/v1", {})
        with pytest.raises(BrokerError, match="under which id"):
            await client.research.notebooks.create("Once.")


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda notes: notes.create("  "), "note"),
        (lambda notes: notes.create("x" * 20_001), "note"),
        (lambda notes: notes.create("x", symbol="<x>"), "symbol"),
        (lambda notes: notes.update("n1"), "note"),
        (lambda notes: notes.update("../n1", note="x"), "note_id"),
        (lambda notes: notes.delete(" "), "note_id"),
    ],
)
async def test_bad_notes(tmp_path: Path, call: Any, field: str) -> None:
    async with wired(tmp_path) as (client, wire, _):
        with pytest.raises(ValidationFailed) as problem:
            await call(client.research.notebooks)
        assert wire.seen == []
    assert (problem.value.details or {})["field"] == field


async def test_the_news_token_is_masked_unless_asked_for(tmp_path: Path) -> None:
    from ftcli.redaction import redact

    async with wired(tmp_path) as (client, wire, _):
        wire.say("/ftgw/snaz/Authorize", example("news.json"))
        masked = await client.research.news_access()
        shown = await client.research.news_access(reveal=True)
        asked = wire.of("/ftgw/snaz/Authorize")[0]
    assert (asked.method, asked.body) == ("POST", b"")
    assert masked.access_token == "***"
    assert b"SUQ6" not in (masked.raw_body or b"") + dumps(masked.raw)
    assert masked.raw["StreamingHost"] == "fid-str.newsedge.net"
    assert shown.access_token.startswith("SUQ6")
    assert shown.access_token not in redact(f"oops {shown.access_token}")


async def test_holidays_of_a_range(tmp_path: Path) -> None:
    async with wired(tmp_path, MORNING) as (client, wire, _):
        whole = await client.reference.holiday_calendar()
        coming = await client.reference.holiday_calendar(start="today", end="2026-12-25")
        one = await client.reference.holiday_calendar(start="2026-11-26", end="2026-11-26")
        abroad = await client.reference.holiday_calendar("gb")
        assert [request.query for request in wire.of("/ftgw/dpdirect/market/holidaycalendar/v1")][-1] == {
            "countryCode": "GB"
        }
        for arguments in (
            {"country_code": "USA"},
            {"start": "2027-01-01", "end": "2026-01-01"},
            {"end": "then"},
        ):
            with pytest.raises(ValidationFailed):
                await client.reference.holiday_calendar(**arguments)
    assert {row.day.year for row in whole.holidays if row.day} == {2025, 2026, 2027}
    assert [row.day for row in coming.holidays] == [
        date(2026, 11, 26),
        date(2026, 11, 27),
        date(2026, 12, 24),
        date(2026, 12, 25),
    ]
    assert [row.name for row in one.holidays] == ["Thanksgiving Day"]
    assert abroad.holidays == []
