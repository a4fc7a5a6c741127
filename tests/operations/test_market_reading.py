"""What the market and research operations make of the broker's documents: examples, and what they may turn into."""

from collections.abc import Awaitable, Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest
from accounts_kit import changed, leaves, places, without
from hypothesis import given
from hypothesis import strategies as st
from market_kit import example, wired

from ftcli.client import Client
from ftcli.errors import BrokerError, NotFound
from ftcli.models import xml
from ftcli.models.chain import CallPut, ExpiryType
from ftcli.models.json import dumps, loads
from ftcli.models.market_data import BarWidth
from ftcli.models.reference import HolidayKind
from ftcli.models.research import AnalyticsLeg, AnalyticsRequest, Rating, SecurityKind
from ftcli.operations.time_and_sales import prints_of
from ftcli.transport.decode import decode

D = Decimal
NEW_YORK = ZoneInfo("America/New_York")
CONTRACT = "-NVLT260717C42.5"
POSITION = AnalyticsRequest(
    legs=[
        AnalyticsLeg(symbol="NVLT260717C42.5", quantity=1, price=D("0.95")),
        AnalyticsLeg(symbol="NVLT 2026-07-17 45 C", quantity=-1, price=D("0.35")),
    ]
)
NOTE = "b21f7f7e-6f10-4c7d-9a9a-0d5a3a1f2c01"


class Call(NamedTuple):
    """An operation, the path it calls and the example it is answered with."""

    path: str
    file: str
    make: Callable[[Client], Awaitable[Any]]


DP = "/ftgw/dpdirect"
CALLS = {
    "quotes": Call(
        "/service/quote/json", "quotes.jsonp", lambda ft: ft.market_data.quotes(["NVLT", "QRS.B", "ZCSHX"])
    ),
    "chain": Call(
        "/service/quote/chainLite",
        "chain.xml",
        lambda ft: ft.market_data.chain("NVLT", expiration=["all"], strikes=0, prices=False),
    ),
    "montage": Call("/service/quote/dtmontage", "montage.xml", lambda ft: ft.market_data.montage(CONTRACT)),
    "chart": Call(
        "/service/marketdata/historical/chart/json",
        "chart.jsonp",
        lambda ft: ft.market_data.chart("NVLT", width=BarWidth.MIN_5),
    ),
    "time_and_sales": Call(
        "/service/timeandsales/v2", "time_and_sales.xml", lambda ft: ft.market_data.time_and_sales("NVLT")
    ),
    "markets": Call(
        "/ftgw/dp/reference/security/stock/availablemarket/v1",
        "markets.json",
        lambda ft: ft.market_data.markets("NVLT", ["Z20000025"]),
    ),
    "subscriptions": Call(
        "/ftgw/dp/customer-paid-subscriptions/v1/customers/subscriptions",
        "subscriptions.json",
        lambda ft: ft.market_data.subscriptions(),
    ),
    "equity_summary": Call("/service/quote/full", "full.xml", lambda ft: ft.research.equity_summary("NVLT")),
    "earnings": Call(
        f"{DP}/research/earning/v1", "earnings.json", lambda ft: ft.research.earnings(["NVLT", "QRS.B"])
    ),
    "dividends": Call(
        f"{DP}/research/dividend/v1", "dividends.json", lambda ft: ft.research.dividends(["NVLT", "ZCSHX"])
    ),
    "search": Call(f"{DP}/search/autosuggest/v1", "search.json", lambda ft: ft.research.search("nov")),
    "analytics": Call(
        "/ftgw/dp/research/option/positions/analytics/v1",
        "analytics.json",
        lambda ft: ft.research.analytics(POSITION),
    ),
    "screener": Call(
        "/DataService/ScannerServiceReference.asmx/ExecuteScan",
        "scan.xml",
        lambda ft: ft.research.screener(2),
    ),
    "notebooks": Call(
        "/ftgw/dp/research/tool/notebook/note/detail/v1",
        "notes.json",
        lambda ft: ft.research.notebooks.list(),
    ),
    "note_created": Call(
        "/ftgw/dp/research/tool/notebook/note/create/v1",
        "notes.json",
        lambda ft: ft.research.notebooks.create("Check Q2 cash flow.", "Turnaround idea", "NVLT"),
    ),
    "news_access": Call("/ftgw/snaz/Authorize", "news.json", lambda ft: ft.research.news_access(reveal=True)),
    "holiday_calendar": Call(
        f"{DP}/market/holidaycalendar/v1", "holidays.json", lambda ft: ft.reference.holiday_calendar()
    ),
}
each_call = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)


def tree(file: str) -> Any:
    """An example as a document: XML as the tree it reads to, which the operations take as well."""
    document = decode(example(file))
    return xml.loads(document) if isinstance(document, str) and document.startswith("<") else document


async def reads(folder: Path, call: Call, *documents: Any) -> list[Any]:
    """What the operation answers to each document; an error stands for itself."""
    answers: list[Any] = []
    async with wired(folder) as (client, wire, _):
        for document in documents:
            wire.say(call.path, document)
            try:
                answers.append(await call.make(client))
            except (NotFound, BrokerError) as problem:
                answers.append(problem)
    return answers


async def shown(folder: Path, call: Call, *documents: Any) -> list[Any]:
    """The same as JSON documents of ours."""
    return [
        answer if isinstance(answer, Exception) else loads(dumps(answer))
        for answer in await reads(folder, call, *documents)
    ]


async def answer_of(folder: Path, name: str) -> Any:
    call = CALLS[name]
    answer = (await reads(folder, call, example(call.file)))[0]
    assert not isinstance(answer, Exception), answer
    return answer


# -- the protocol's examples ---------------------------------------------------------------------------------


async def test_quotes_example(tmp_path: Path) -> None:
    answer = await answer_of(tmp_path, "quotes")
    stock, share_class, fund = answer.quotes
    assert (stock.symbol, stock.name, stock.security_type) == ("NVLT", "NOVALT ENERGY CORP", "Equity")
    assert (stock.last, stock.change, stock.change_pct) == (D("41.36"), D("0.49"), D("1.20"))
    assert (stock.bid, stock.ask, stock.previous_close) == (D("41.35"), D("41.37"), D("40.87"))
    assert (stock.volume, stock.average_volume, stock.trade_date) == (2841907, 3120455, date(2026, 7, 8))
    assert (share_class.symbol, share_class.last, share_class.bid) == ("QRS.B", D("212.08"), None)
    assert (fund.last, fund.yield_7_day, fund.issue) == (1, D("3.87"), None)
    assert (answer.market_open, answer.problems) == (True, [])


@pytest.mark.parametrize("file", ["chain.xml", "chain.json"])
async def test_chain_example(tmp_path: Path, file: str) -> None:
    answer = (await reads(tmp_path, CALLS["chain"], example(file)))[0]
    assert answer.symbol == "NVLT"
    assert answer.expirations == [date(2026, 7, 10), date(2026, 7, 17)]
    assert [(row.symbol, row.call_put, row.strike, row.expiration) for row in answer.contracts] == [
        ("-NVLT260710C40", CallPut.CALL, 40, date(2026, 7, 10)),
        ("-NVLT260710P40", CallPut.PUT, 40, date(2026, 7, 10)),
        ("-NVLT260710C42.5", CallPut.CALL, D("42.5"), date(2026, 7, 10)),
        (CONTRACT, CallPut.CALL, D("42.5"), date(2026, 7, 17)),
    ]
    assert [row.expiry_type for row in answer.contracts[2:]] == [ExpiryType.WEEKLY, ExpiryType.MONTHLY]
    assert {row.root for row in answer.contracts} == {"NVLT"}
    assert answer.last is None, "the paper market does not know NVLT"
    assert {row.in_the_money for row in answer.contracts} == {None}, "without a price nothing is in the money"
    assert {row.bid for row in answer.contracts} == {None}
    rows = answer.for_table().rows
    assert [(row.strike, row.expiration.day) for row in rows] == [(40, 10), (D("42.5"), 10), (D("42.5"), 17)]


@pytest.mark.parametrize(("file", "rows"), [("montage.xml", 3), ("montage.json", 2)])
async def test_montage_example(tmp_path: Path, file: str, rows: int) -> None:
    answer = (await reads(tmp_path, CALLS["montage"], example(file)))[0]
    assert (answer.symbol, answer.root, answer.expiration) == (CONTRACT, "NVLT", date(2026, 7, 17))
    assert (answer.strike, answer.call_put, answer.adjusted) == (D("42.5"), CallPut.CALL, None)
    assert len(answer.quotes) == rows
    first = answer.quotes[0]
    assert (first.symbol, first.exchange) == (f"{CONTRACT}.A", "NYSE Amex Options Market")
    assert (first.code, first.short_name, first.bid, first.bid_size) == ("AM", "AMEX", D("0.93"), 41)
    assert (first.ask, first.ask_size) == (D("0.98"), 120)
    assert (answer.best_bid, answer.best_ask) == (D("0.94"), D("0.97"))


async def test_zero_is_no_quote_in_a_montage(tmp_path: Path) -> None:
    text = example("montage.xml").replace(b'b="0.94"', b'b="0"').replace(b'a="0.97"', b'a=""')
    answer = (await reads(tmp_path, CALLS["montage"], text))[0]
    assert (answer.quotes[1].bid, answer.quotes[1].ask) == (None, None)
    assert (answer.best_bid, answer.best_ask) == (D("0.93"), D("0.98"))


async def test_chart_example(tmp_path: Path) -> None:
    answer = await answer_of(tmp_path, "chart")
    assert (answer.symbol, answer.name, answer.width) == ("NVLT", "NOVALT ENERGY CORP COM", "5")
    assert (answer.last, answer.trade_date, answer.open) == (D("41.36"), date(2026, 7, 8), D("40.95"))
    assert (answer.high, answer.low, answer.previous_close) == (D("41.58"), D("40.71"), D("40.87"))
    assert (answer.change, answer.change_pct) == (D("0.49"), D("1.1989"))
    first, second = answer.bars
    assert first.time == datetime(2026, 7, 8, 9, 30, tzinfo=NEW_YORK)
    assert (first.open, first.close, first.high, first.low) == (D("40.95"), D("41.02"), D("41.1"), D("40.88"))
    assert (first.volume, second.volume) == (184230, 96415)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda text: b"\n" + text.replace(b"(", b"(\n", 1)[:-1] + b"\n)\n",
        lambda text: text + b";",
        lambda text: text.replace(b"jsonp_1783521737318_1", b"null"),
        lambda text: text.partition(b"(")[2][:-1],
        lambda text: text.replace(b'"PreviousClose"', b'"LastClose"'),
        lambda text: text.replace(b'"v":', b'"vo":').replace(b'"lt":', b'"ts":'),
    ],
    ids=["padded", "semicolon", "other name", "bare JSON", "LastClose", "other keys"],
)
async def test_a_chart_in_every_wrapping(tmp_path: Path, wrap: Callable[[bytes], bytes]) -> None:
    text = example("chart.jsonp").strip()
    plain, wrapped = await shown(tmp_path, CALLS["chart"], text, wrap(text))
    assert wrapped == plain
    assert len(plain["bars"]) == 2


async def test_daily_bars_without_a_time(tmp_path: Path) -> None:
    text = example("chart.jsonp").replace(b"2026/07/08-09:30:00", b"2026/07/07")
    async with wired(tmp_path) as (client, wire, _):
        wire.say(CALLS["chart"].path, text)
        answer = await client.market_data.chart("NVLT")
    assert answer.bars[0].time == datetime(2026, 7, 7, tzinfo=NEW_YORK)


async def test_time_and_sales_example(tmp_path: Path) -> None:
    answer = await answer_of(tmp_path, "time_and_sales")
    first, second = answer.trades
    assert first.time == datetime(2026, 7, 8, 10, 42, 17, 318000, tzinfo=NEW_YORK)
    assert (first.price, first.size, first.exchange, first.condition) == (D("41.18"), 200, "XNAS", "@")
    assert (first.bid, first.ask, first.sequence, first.irregular) == (D("41.17"), D("41.19"), 1042, False)
    assert (second.price, second.size, second.irregular) == (D("41.175"), 37, True)
    assert (answer.truncated, first.other) == (False, {})


async def test_markets_example(tmp_path: Path) -> None:
    answer = await answer_of(tmp_path, "markets")
    assert (answer.symbol, answer.cusip, answer.count, answer.available_shares) == (
        "NVLT",
        "66999N104",
        2,
        None,
    )
    auto, iex = answer.markets
    assert (auto.market, auto.routing_code, auto.exchange) == ("AUTO", "#O", None)
    assert (auto.opens, auto.closes, auto.market_orders_from) == ("09:30:00", "16:00:00", None)
    assert (auto.fill_or_kill, auto.trailing_stop, auto.pegged, auto.regular_session) == (
        True,
        True,
        False,
        False,
    )
    assert (iex.routing_code, iex.exchange, iex.opens, iex.closes) == ("QV", "IEXG", "08:00:00", "15:59:59")
    assert (iex.short_sales_from, iex.short_sales_to) == ("08:00:00", "15:59:30")
    assert (iex.fill_or_kill, iex.discretion, iex.stop_limit, iex.limit) == (False, True, False, True)
    assert (auto.minimum_display, iex.minimum_display) == (0, 100)


async def test_subscriptions_example(tmp_path: Path) -> None:
    (row,) = (await answer_of(tmp_path, "subscriptions")).subscriptions
    assert (row.subscription, row.status, row.professional) == ("RTQ-US-EQ", "ACTIVE", False)
    assert (row.start, row.end) == (date(2025, 11, 3), None)


async def test_equity_summary_example(tmp_path: Path) -> None:
    answer = await answer_of(tmp_path, "equity_summary")
    assert (answer.symbol, answer.score, answer.rating) == ("NVLT", D("7.4"), Rating.BULLISH)
    assert (answer.last, answer.last_date) == (D("41.36"), date(2026, 7, 8))


async def test_earnings_example(tmp_path: Path) -> None:
    answer = await answer_of(tmp_path, "earnings")
    assert [row.period for row in answer.quarters] == ["2025 Q3", "2025 Q4", "2026 Q1", "2026 Q2"]
    loss, coming = answer.quarters[2:]
    assert (loss.eps, loss.consensus, loss.surprise) == (D("-0.06"), D("0.0225"), D("-0.0825"))
    assert (loss.report_date, loss.reported) == (date(2026, 4, 29), True)
    assert (coming.eps, coming.consensus, coming.surprise, coming.reported) == (None, D("0.46"), None, False)
    company, other = answer.securities
    assert (company.symbol, company.cusip, company.growth_pct) == ("NVLT", "66999N104", D("-14.28571"))
    assert (company.next_report_date, other.next_report_date) == (date(2026, 7, 29), None)
    assert [(row.symbol, row.reason) for row in answer.problems] == [("QRS.B", "no earnings")]


async def test_dividends_example(tmp_path: Path) -> None:
    answer = await answer_of(tmp_path, "dividends")
    (row,) = answer.dividends
    assert (row.symbol, row.amount, row.annual, row.yield_pct) == (
        "NVLT",
        D("0.27"),
        D("1.08"),
        D("2.562418"),
    )
    assert (row.announced, row.ex_date) == (date(2026, 5, 19), date(2026, 6, 12))
    assert (row.frequency, row.pay_date) == ("Quarterly", date(2026, 6, 26))
    assert [payment.amount for payment in answer.history] == [D("0.27"), D("0.26")], "latest first"
    older = answer.history[1]
    assert (older.ex_date, older.quarter, older.year, older.kind) == (
        date(2026, 3, 13),
        "Q1",
        2026,
        "Regular",
    )
    assert [row.symbol for row in answer.problems] == ["ZCSHX"]


async def test_search_example(tmp_path: Path) -> None:
    answer = await answer_of(tmp_path, "search")
    assert [row.symbol for row in answer.results] == ["NVLT", "DVQX", "ZCSHX", ".NVX"]
    assert [row.kind for row in answer.results] == [
        SecurityKind.EQUITY,
        SecurityKind.ETP,
        SecurityKind.MONEY_MARKET,
        SecurityKind.INDEX,
    ]
    assert [row.has_options for row in answer.results] == [True, True, False, True]
    assert (answer.results[0].name, answer.results[0].sub_kind) == ("Novalt Energy Class A", "COM")
    assert (answer.count, answer.results[3].sub_kind) == (4, None)


async def test_analytics_example(tmp_path: Path) -> None:
    answer = await answer_of(tmp_path, "analytics")
    whole, long, short = answer.evaluations
    assert {row.day for row in answer.evaluations} == {date(2026, 7, 17)}
    assert [(row.leg, row.quantity) for row in answer.evaluations] == [
        ("position", None),
        ("NVLT260717C42.5", 1),
        ("NVLT260717C45", -1),
    ]
    assert (whole.price, whole.profit, whole.premium) == (D("41.36"), -60, D("0.6"))
    assert (whole.probability, whole.break_even, whole.max_profit) == (D("0.33107"), [D("43.1")], 190)
    assert (whole.max_profit_1sd, whole.max_loss_1sd, whole.max_loss) == ([D("131.5207")], [-60], -60)
    assert (whole.implied_volatility, whole.unlimited_profit, whole.unlimited_loss) == (None, False, False)
    assert (long.max_profit, long.unlimited_profit, long.implied_volatility) == (None, True, D("0.41862"))
    assert (short.max_loss, short.unlimited_loss, short.max_profit) == (None, True, 35)


async def test_screener_example(tmp_path: Path) -> None:
    answer = await answer_of(tmp_path, "screener")
    assert answer.scan_id == 2
    first, second = answer.rows
    assert (first.symbol, first.name) == ("NVLT", "Novalt Energy Corporation")
    assert (first.last, first.change) == (D("41.36"), D("0.49"))
    assert first.figures == "Call Volume 28114, Average 2960, Percent Average 950"
    assert [(field.name, field.value, field.description_id) for field in first.fields[-2:]] == [
        ("Average Call Volume", "2960", "16"),
        ("Percent Average Call Volume", "950", "17"),
    ]
    assert (second.symbol, second.change, len(second.fields)) == ("DVQX", D("-0.17"), 7)


async def test_of_two_columns_with_one_name_the_first_counts(tmp_path: Path) -> None:
    text = example("scan.xml").replace(
        b'displayName="Call Volume" value="28114"', b'displayName="Last" value="1"'
    )
    answer = (await reads(tmp_path, CALLS["screener"], text))[0]
    assert answer.rows[0].last == D("41.36")
    assert len(answer.rows[0].fields) == 7


async def test_notes_example(tmp_path: Path) -> None:
    (note,) = (await answer_of(tmp_path, "notebooks")).notes
    assert (note.note_id, note.title, note.symbol) == (NOTE, "Turnaround idea", "NVLT")
    assert note.note == "Check Q2 cash flow."
    assert note.created == note.updated == datetime(2026, 7, 8, 10, 42, 17, 300000, tzinfo=NEW_YORK)


@pytest.mark.parametrize(
    "document",
    [
        {"sysMsgs": {"sysMsg": [{"message": "No notes found", "code": "2000"}]}, "noteDetails": []},
        {"messages": [{"code": "204", "severity": "INFO", "message": "no notes"}]},
        {"sysMsgs": {"sysMsg": [{"message": "No notes found"}]}},
        {},
        b"",
    ],
)
async def test_no_notes_in_every_form(tmp_path: Path, document: Any) -> None:
    assert (await reads(tmp_path, CALLS["notebooks"], document))[0].notes == []


async def test_other_names_of_the_note_list(tmp_path: Path) -> None:
    notes = [{"id": "n1", "note": "x", "mood": "good"}]
    documents = [{name: notes} for name in ("notes", "notebookNotes")]
    for answer in await reads(tmp_path, CALLS["notebooks"], *documents):
        assert [(note.note_id, note.note) for note in answer.notes] == [("n1", "x")]


async def test_news_example(tmp_path: Path) -> None:
    answer = await answer_of(tmp_path, "news_access")
    assert (answer.streaming_host, answer.streaming_port) == ("fid-str.newsedge.net", 443)
    assert (answer.polling_host, answer.polling_port) == ("fid-polling.newsedge.net", 443)
    assert answer.access_token.startswith("SUQ6IDBD")


async def test_holidays_example(tmp_path: Path) -> None:
    answer = await answer_of(tmp_path, "holiday_calendar")
    assert [row.day for row in answer.holidays] == [
        date(2026, 7, 3),
        date(2026, 11, 26),
        date(2026, 11, 27),
        date(2026, 12, 25),
    ]
    closed, early = answer.holidays[1:3]
    assert (closed.name, closed.kind, closed.closes_at) == ("Thanksgiving Day", HolidayKind.CLOSED, None)
    assert (early.kind, early.closes_at, early.weekday) == (HolidayKind.EARLY_CLOSE, "13:00:00", "Friday")


async def test_a_holiday_at_utc_midnight_is_that_day_too(tmp_path: Path) -> None:
    document = tree("holidays.json")
    for row in document["holidayCalendarDetails"]:
        row["date"] = int(row["date"]) // 86_400 * 86_400 + 5 * 3600
    answer = (await reads(tmp_path, CALLS["holiday_calendar"], document))[0]
    assert answer.holidays[1].day == date(2026, 11, 26)


# -- errors inside a 200 -------------------------------------------------------------------------------------

REFUSED = {
    "sysMsgs": {
        "sysMsg": [
            {
                "message": "Request failed",
                "detail": "Symbol is not recognised",
                "source": "AP159679",
                "code": "4000",
                "type": "E",
            }
        ]
    }
}
OTHERWISE = {"sysMsgs": {"sysMsg": {"message": "Service down", "code": "5000", "type": "E"}}}
ON_DP = [name for name, call in CALLS.items() if call.path.startswith(("/ftgw/dp", "/ftgw/snaz"))]


@pytest.mark.parametrize("name", ON_DP)
async def test_a_refusal_in_a_200_is_an_error(tmp_path: Path, name: str) -> None:
    unknown, down, text = await reads(tmp_path, CALLS[name], REFUSED, OTHERWISE, b"just text")
    assert isinstance(unknown, NotFound)
    assert "Symbol is not recognised" in unknown.message
    assert isinstance(down, BrokerError)
    assert "Service down" in down.message
    assert isinstance(text, BrokerError)


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("chain", b'<OPTIONCHAIN><BASE ri="ZZZZQ" err="1" us="" fs="" st="Symbol not found"/></OPTIONCHAIN>'),
        (
            "montage",
            f'<OPTIONS_MONTAGE><BASE S="{CONTRACT}" err="1" cs="" st=""/></OPTIONS_MONTAGE>'.encode(),
        ),
        ("time_and_sales", b'<TIMEANDSALES><BASE ri="ZZZZQ" err="1" st="Symbol not found"/></TIMEANDSALES>'),
        ("chart", b'cb({"Symbol":[]})'),
        ("chart", b"cb({})"),
        ("equity_summary", b"<QUOTES><STATUS/></QUOTES>"),
        (
            "earnings",
            b'{"earning":{"earningDetails":{"earningDetail":[{"secDetail":{"requested":"NVLT"}}]}}}',
        ),
        ("earnings", b"{}"),
        ("dividends", b'{"dividend":null}'),
    ],
)
async def test_an_unknown_symbol_is_not_found(tmp_path: Path, name: str, body: bytes) -> None:
    (answer,) = await reads(tmp_path, CALLS[name], body)
    assert isinstance(answer, NotFound)


@pytest.mark.parametrize("name", ["chain", "montage", "time_and_sales", "screener", "equity_summary"])
async def test_xml_that_is_none_is_an_error(tmp_path: Path, name: str) -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>'
    for answer in await reads(tmp_path, CALLS[name], b"<OPTIONCHAIN><BASE", bomb, b"[1, 2]", b"text"):
        assert isinstance(answer, BrokerError)


@pytest.mark.parametrize("name", ["chain", "montage", "time_and_sales"])
async def test_no_entitlement_is_an_error_with_a_remedy(tmp_path: Path, name: str) -> None:
    for text in (
        b"Delayed quotes not supported",
        b'<X><BASE err="1" msg="delayed quotes NOT supported"/></X>',
    ):
        (answer,) = await reads(tmp_path / text.hex()[:8], CALLS[name], text)
        assert isinstance(answer, BrokerError)
        assert "real-time" in answer.message
        assert (answer.details or {})["next"] == "ft auth status"


EMPTY = {
    "chain": [
        b'<OPTIONCHAIN><BASE ri="NVLT" err="0"/><CHAIN><CALLS/><PUTS/></CHAIN></OPTIONCHAIN>',
        b'<OPTIONCHAIN><BASE ri="NVLT" err="0"/></OPTIONCHAIN>',
        b'{"BASE":{"err":"0"},"CHAIN":{"CALLS":"","PUTS":null}}',
        b'{"OPTIONCHAIN":{"BASE":{"err":"0"},"CHAIN":{"CALLS":{}}}}',
        b"{}",
    ],
    "montage": [b'<OPTIONS_MONTAGE><BASE S="X" err="0"/></OPTIONS_MONTAGE>', b"{}", b"<OPTIONS_MONTAGE/>"],
    "time_and_sales": [b'<TIMEANDSALES><BASE err="0"/><TRADES/></TIMEANDSALES>', b"<TIMEANDSALES/>"],
    "chart": [b'cb({"Symbol":[{"Identifier":"NVLT"}]})', b'cb({"Symbol":{"BarList":{"BarRecord":[]}}})'],
    "search": [b'{"quotes":{"count":0,"suggestions":[]}}', b"{}"],
    "analytics": [b"{}", b'{"positionsAnalyticsDataDetails":[]}'],
    "screener": [
        b"<Livevol><ExecuteScanResult><ScanResult></ScanResult></ExecuteScanResult></Livevol>",
        b"<Livevol/>",
        b"<Livevol><ScanResult><Row><Fields/></Row></ScanResult></Livevol>",
    ],
    "holiday_calendar": [b"{}", b'{"holidayCalendarDetails":null}', b'{"holidayCalendarDetails":[]}'],
    "subscriptions": [b'{"subscriptions":[]}', b"{}"],
    "markets": [b'{"security":{"symbol":"NVLT"},"availableMarkets":[]}'],
}


@pytest.mark.parametrize("name", EMPTY)
async def test_nothing_is_nothing(tmp_path: Path, name: str) -> None:
    for answer in await shown(tmp_path, CALLS[name], *EMPTY[name]):
        assert not isinstance(answer, Exception), answer
        rows = [value for value in answer.values() if isinstance(value, list)]
        rows = [row for row in rows if row and not all(set(part) >= {"reason"} for part in row)]
        if name != "screener":
            assert rows == []


# -- what they may turn into ---------------------------------------------------------------------------------

SENTINELS = (None, "", "--", "N/A")


@each_call
async def test_absent_groups_never_break_a_call(tmp_path: Path, call: Call) -> None:
    document = tree(call.file)
    variants = [without(document, path) for path in places(document)]
    variants += [
        without(document, path, instead) for path in places(document) for instead in (None, "", [], {})
    ]
    for answer in await reads(tmp_path, call, *variants):
        assert isinstance(answer, NotFound | BrokerError) or dumps(answer)


@each_call
@pytest.mark.parametrize("sentinel", SENTINELS)
async def test_sentinels_are_nothing(tmp_path: Path, call: Call, sentinel: Any) -> None:
    kept = {"err", "ERROR_CODE", "code", "noteId", "symbol", "requested"}

    def emptied(key: str, value: Any) -> Any:
        return value if isinstance(value, dict | list) or key in kept else sentinel

    (answer,) = await shown(tmp_path, call, changed(tree(call.file), emptied))
    if isinstance(answer, Exception):
        return
    for path, value in leaves(answer):
        assert not isinstance(value, Decimal), f"{path} is invented: {value}"
        assert (
            not isinstance(value, int)
            or value in (0, 1, True)
            or path.endswith(("quantity", "scan_id", "count"))
        ), path


@each_call
async def test_unknown_members_change_nothing(tmp_path: Path, call: Call) -> None:
    document = tree(call.file)
    # Time and sales keeps what it does not know, so that nothing is lost while its names are guesses.
    more = {"somethingNew": {"deep": [1, {"x": None}]}, "andMore": "--"}

    def enriched(key: str, value: Any) -> Any:
        return {**value, **more} if isinstance(value, dict) and key not in ("QUOTES", "") else value

    plain, rich = await shown(tmp_path, call, document, changed(document, enriched))
    assert rich == plain


@each_call
async def test_a_single_entry_may_stand_alone(tmp_path: Path, call: Call) -> None:
    def cut(key: str, value: Any) -> Any:
        return value[:1] if isinstance(value, list) and value and isinstance(value[0], dict) else value

    def alone(key: str, value: Any) -> Any:
        return value[0] if isinstance(value, list) and value and isinstance(value[0], dict) else value

    document = tree(call.file)
    listed, single = await shown(
        tmp_path, call, changed(document, cut), changed(changed(document, cut), alone)
    )
    assert single == listed


@each_call
async def test_numbers_may_be_texts_and_texts_numbers(tmp_path: Path, call: Call) -> None:
    def as_text(key: str, value: Any) -> Any:
        if isinstance(value, bool):
            return str(value).lower()
        return f"{value:f}" if isinstance(value, Decimal) else str(value) if isinstance(value, int) else value

    def as_number(key: str, value: Any) -> Any:
        if isinstance(value, str) and value.replace(".", "", 1).isdecimal() and key not in ("err", "value"):
            return D(value) if "." in value else int(value)
        return value

    document = tree(call.file)
    plain, texts, numbers = await shown(
        tmp_path, call, document, changed(document, as_text), changed(document, as_number)
    )
    assert texts == plain
    assert numbers == plain


UNKNOWN_CODES = {
    "chain": ("et", "contracts", "expiry_type"),
    "montage": ("cp", "", "call_put"),
    "search": ("type", "results", "kind"),
    "holiday_calendar": ("holidayType", "holidays", "kind"),
    "equity_summary": ("EQUITY_SUMMARY_RATING", "", "rating"),
}


@pytest.mark.parametrize("name", UNKNOWN_CODES)
async def test_unknown_codes_are_shown_as_they_come(tmp_path: Path, name: str) -> None:
    key, rows, field = UNKNOWN_CODES[name]
    call = CALLS[name]
    document = changed(tree(call.file), lambda found, value: "Q7" if found == key else value)
    (answer,) = await shown(tmp_path, call, document)
    for row in answer[rows] if rows else [answer]:
        assert row[field] == "Q7"


@each_call
async def test_raw_is_the_broker_s_own(tmp_path: Path, call: Call) -> None:
    body = example(call.file)
    (answer,) = await reads(tmp_path, call, body)
    assert answer.raw_body == body
    assert answer.raw == decode(body)


# -- time and sales: rows are told by what they hold ---------------------------------------------------------


@pytest.mark.parametrize(
    "row",
    [
        '<T sq="7" dt="2026/07/08-10:42:17.5" p="41.18" sz="200" ex="XNAS" tc="@" b="41.17" a="41.19" ir="N"/>',
        (
            '<TRADE ID="7" TIME="2026-07-08T10:42:17.5" PRICE="41.18" SIZE="200" MIC="XNAS" COND="@" '
            'BID="41.17" ASK="41.19" IRREGULAR="false"/>'
        ),
        (
            "<x><seq>7</seq><date>2026/07/08</date><time>10:42:17.5</time><last_price>41.18</last_price>"
            "<volume>200</volume><exch>XNAS</exch><conditions>@</conditions><bid>41.17</bid>"
            "<ask>41.19</ask><ir>N</ir></x>"
        ),
    ],
)
def test_a_trade_under_every_name(row: str) -> None:
    (trade,) = prints_of(xml.loads(f"<R><A><B>{row}</B></A></R>"))
    assert trade.time == datetime(2026, 7, 8, 10, 42, 17, 500000, tzinfo=NEW_YORK)
    assert (trade.price, trade.size, trade.exchange, trade.condition) == (D("41.18"), 200, "XNAS", "@")
    assert (trade.bid, trade.ask, trade.sequence, trade.irregular, trade.other) == (
        D("41.17"),
        D("41.19"),
        7,
        False,
        {},
    )


def test_what_a_trade_has_besides_is_kept() -> None:
    trades = prints_of(
        {"R": {"T": [{"p": "2", "dt": "2026/07/08-10:00:01", "Venue": "X"}, {"p": "--", "t": "?"}]}}
    )
    assert [trade.price for trade in trades] == [2, None]
    assert trades[0].other == {"Venue": "X"}
    assert trades[1].other == {"t": "?"}, "what does not read stays as it came"


def test_trades_come_oldest_first() -> None:
    rows = [
        {"p": str(number), "t": f"2026/07/08-10:00:{second:02d}"}
        for number, second in ((1, 9), (2, 3), (3, 5))
    ]
    assert [trade.price for trade in prints_of({"T": rows})] == [2, 3, 1]


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=4)
    | st.sampled_from(["2026/07/08-10:00:00", "1.5"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["p", "t", "dt", "T", "date", "sz", "x"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(JSON)
def test_any_tree_reads(document: Any) -> None:
    for trade in prints_of(document):
        assert dumps(trade)


# -- XML as a tree -------------------------------------------------------------------------------------------


def test_xml_is_the_tree_of_its_json() -> None:
    assert xml.loads(example("chain.xml").decode())["OPTIONCHAIN"] == loads(example("chain.json"))
    assert xml.loads("<a:r xmlns:a='u' a:k='1'><b/><c>t</c><d e='1'>t</d><c>u</c></a:r>") == {
        "r": {"k": "1", "b": "", "c": ["t", "u"], "d": {"e": "1", "#text": "t"}}
    }


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<a>",
        "<a></b>",
        "<a/><b/>",
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        "<a>&x;</a>",
    ],
)
def test_xml_that_is_refused(text: str) -> None:
    with pytest.raises(xml.UnreadableXml):
        xml.loads(text)
