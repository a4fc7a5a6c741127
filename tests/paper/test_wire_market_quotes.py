"""`fastquote` on paper, against the text of protocol 03 §1-6: names and forms are spelt out here, not taken from us."""

import json
import re
from datetime import datetime, timedelta
from decimal import Decimal
from xml.etree import ElementTree

import pytest
from market_wire_kit import NOW, Broker, content_type

CHAIN, MONTAGE, SALES = "/service/quote/chainLite", "/service/quote/dtmontage", "/service/timeandsales/v2"
CHART = "/service/marketdata/historical/chart/json"
CALL = "-AAPL261218C270"
ATN = {"productid": "atn"}


@pytest.fixture
def broker() -> Broker:
    return Broker().log_in()


def xml(body: bytes) -> ElementTree.Element:
    return ElementTree.fromstring(body)  # noqa: S314 - our own paper broker's


# -- option chain (§1) ---------------------------------------------------------------------------------------


def test_chain_as_xml(broker: Broker) -> None:
    reply = broker.ask("GET", CHAIN, {**ATN, "symbols": "AAPL"}, accept="application/xml")
    assert content_type(reply) == "text/xml;charset=UTF-8"
    assert reply.body.startswith(b'<?xml version="1.0" encoding="UTF-8"?>')
    root = xml(reply.body)
    assert root.tag == "OPTIONCHAIN"
    base = root.find("BASE")
    assert base is not None
    assert base.attrib == {"ri": "AAPL", "err": "0", "us": "AAPL", "fs": "AAPL", "st": ""}
    assert [child.tag for child in root] == ["BASE", "CHAIN"]
    for side, letter in (("CALLS", "C"), ("PUTS", "P")):
        days = root.findall(f"CHAIN/{side}/EXP_DATE")
        assert [day.attrib["dt"] for day in days] == sorted(day.attrib["dt"] for day in days)
        assert days[0].attrib["dt"] == "2026-11-27"
        for day in days:
            contracts = day.findall("O")
            strikes = [Decimal(contract.attrib["st"]) for contract in contracts]
            assert strikes == sorted(strikes)
            digits = day.attrib["dt"].replace("-", "")[2:]
            for contract in contracts:
                assert list(contract.attrib) == ["s", "cs", "st", "et"]
                assert contract.attrib["s"] == f"-AAPL{digits}{letter}{contract.attrib['st']}"
                assert contract.attrib["cs"] == "AAPL"
                assert re.fullmatch(r"\d+(\.\d*[1-9])?", contract.attrib["st"]), "no trailing zeros"
                assert contract.attrib["et"] in ("W", "M")
    kinds = {
        day.attrib["dt"]: {contract.attrib["et"] for contract in day}
        for day in root.findall("CHAIN/CALLS/EXP_DATE")
    }
    assert kinds["2026-12-18"] == {"M"}
    assert kinds["2026-12-11"] == {"W"}


def test_chain_as_json_is_the_same_tree_without_its_outer_key(broker: Broker) -> None:
    query = {**ATN, "symbols": "AAPL"}
    document = broker.json("GET", CHAIN, query)
    assert list(document) == ["BASE", "CHAIN"]
    assert document["BASE"] == {"ri": "AAPL", "err": "0", "us": "AAPL", "fs": "AAPL", "st": ""}
    root = xml(broker.ask("GET", CHAIN, query, accept="text/xml").body)
    in_xml = [contract.attrib for contract in root.iter("O")]
    in_json = [
        contract
        for side in ("CALLS", "PUTS")
        for day in document["CHAIN"][side]["EXP_DATE"]
        for contract in day["O"]
    ]
    assert in_json == in_xml


def test_chain_forms_are_chosen_by_accept_and_callback(broker: Broker) -> None:
    query = {**ATN, "symbols": "AAPL"}
    assert broker.ask("GET", CHAIN, query, accept="*/*").body.startswith(b"<?xml")
    assert broker.ask("GET", CHAIN, query, accept="application/json, text/xml").body.startswith(b"<?xml")
    wrapped = broker.ask("GET", CHAIN, {**query, "callback": "cb"})
    assert wrapped.body.startswith(b'cb({"BASE"')
    assert wrapped.body.endswith(b")")
    assert json.loads(wrapped.body[3:-1])["BASE"]["err"] == "0"


def test_index_options_have_roots_of_their_own(broker: Broker) -> None:
    document = broker.json("GET", CHAIN, {**ATN, "symbols": ".SPX"})
    assert document["BASE"]["us"] == ".SPX"
    roots = {contract["cs"] for day in document["CHAIN"]["CALLS"]["EXP_DATE"] for contract in day["O"]}
    assert roots == {"SPX", "SPXW"}


def test_chain_without_contracts_and_of_no_symbol(broker: Broker) -> None:
    root = xml(broker.ask("GET", CHAIN, {**ATN, "symbols": "OPTT"}, accept="text/xml").body)
    assert root.find("BASE").attrib["err"] == "0"  # type: ignore[union-attr]
    assert [(side.tag, len(side)) for side in root.find("CHAIN")] == [("CALLS", 0), ("PUTS", 0)]  # type: ignore[union-attr]
    assert broker.json("GET", CHAIN, {**ATN, "symbols": "OPTT"})["CHAIN"] == {"CALLS": "", "PUTS": ""}
    unknown = broker.ask("GET", CHAIN, {**ATN, "symbols": "ZZZZQ"}, accept="text/xml")
    assert unknown.status == 200
    assert unknown.body.endswith(
        b'<OPTIONCHAIN><BASE ri="ZZZZQ" err="1" us="" fs="" st="Symbol not found"/></OPTIONCHAIN>'
    )


def test_chain_needs_a_session_and_its_parameters(broker: Broker) -> None:
    assert broker.ask("GET", CHAIN, {**ATN, "symbols": "AAPL"}, cookies=False).status == 403
    assert broker.ask("GET", CHAIN, {"symbols": "AAPL"}).status == 400
    assert broker.ask("GET", CHAIN, ATN).status == 400


# -- exchange quotes (§2) ------------------------------------------------------------------------------------


def test_montage_as_xml(broker: Broker) -> None:
    reply = broker.ask("GET", MONTAGE, {**ATN, "symbols": CALL}, accept="text/xml")
    root = xml(reply.body)
    assert root.tag == "OPTIONS_MONTAGE"
    assert root.find("BASE").attrib == {  # type: ignore[union-attr]
        "S": CALL,
        "err": "0",
        "cs": "AAPL",
        "fs": "AAPL",
        "ex": "2026-12-18",
        "st": "270.00",
        "cp": "C",
        "adj": "",
    }
    rows = root.findall("EXCH_QUOTES/O")
    assert len(rows) > 3
    for row in rows:
        assert list(row.attrib) == ["se", "en", "ec", "es", "b", "bs", "a", "as"]
        assert re.fullmatch(re.escape(CALL) + r"\.[A-Z]", row.attrib["se"])
        assert re.fullmatch(r"\d+\.\d\d", row.attrib["b"])
        assert row.attrib["bs"].isdecimal()
    codes = {row.attrib["se"][-1]: (row.attrib["ec"], row.attrib["es"], row.attrib["en"]) for row in rows}
    assert codes["A"] == ("AM", "AMEX", "NYSE Amex Options Market")
    assert codes["W"] == ("CB", "CBOE", "Chicago Board Options Exchange")
    assert codes["X"] == ("PH", "PHLX", "NASDAQ OMX PHLX")


def test_montage_as_json_keeps_the_outer_key(broker: Broker) -> None:
    document = broker.json("GET", MONTAGE, {**ATN, "symbols": "-AAPL261218P272.5"})
    assert list(document) == ["OPTIONS_MONTAGE"]
    base = document["OPTIONS_MONTAGE"]["BASE"]
    assert (base["st"], base["cp"]) == ("272.50", "P")
    assert isinstance(document["OPTIONS_MONTAGE"]["EXCH_QUOTES"]["O"], list)


@pytest.mark.parametrize(
    "symbol", ["-AAPL261218C271.25", "-ZZZZ261218C10", "-AAPL261120C270", "AAPL", "AAPL261218C270"]
)
def test_montage_of_what_is_no_listed_option(broker: Broker, symbol: str) -> None:
    root = xml(broker.ask("GET", MONTAGE, {**ATN, "symbols": symbol}, accept="text/xml").body)
    base = root.find("BASE").attrib  # type: ignore[union-attr]
    assert base == {"S": symbol, "err": "1", "cs": "", "fs": "", "ex": "", "st": "", "cp": "", "adj": ""}
    assert root.find("EXCH_QUOTES") is None


# -- the precondition (§0.4) ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("path", "symbol"), [(CHAIN, "AAPL"), (MONTAGE, CALL), (SALES, "AAPL")])
def test_no_quotes_before_the_security_context(path: str, symbol: str) -> None:
    broker = Broker().log_in(quotes=False)
    query = {**ATN, "symbols": symbol}
    for accept in ("application/json", "text/xml"):
        reply = broker.ask("GET", path, query, accept=accept)
        assert reply.status == 200
        assert b"Delayed quotes not supported" in reply.body
    broker.ask("POST", "/ftgw/digital/pico/api/v1/context/security", body={})
    assert b"Delayed" not in broker.ask("GET", path, query).body


def test_montage_s_own_form_of_it() -> None:
    reply = Broker().log_in(quotes=False).ask("GET", MONTAGE, {**ATN, "symbols": CALL}, accept="text/xml")
    assert reply.body.endswith(
        b'<OPTIONS_MONTAGE><BASE S="-AAPL261218C270" err="1" cs="" fs="" ex="" st="" cp="" adj="" '
        b'msg="Delayed quotes not supported"/></OPTIONS_MONTAGE>'
    )


@pytest.mark.parametrize("path", [MONTAGE, SALES])
def test_exchange_quotes_and_sales_need_a_session(path: str) -> None:
    assert Broker().ask("GET", path, {**ATN, "symbols": CALL}).status in (401, 403)


# -- charts (§3) ---------------------------------------------------------------------------------------------


def chart(broker: Broker, **more: str) -> dict[str, object]:
    query = {
        "callback": "jsonp_1_1",
        "symbols": "AAPL",
        "startDate": "2026/11/24-09:30:00",
        "endDate": "2026/11/24-16:00:00",
        "barWidth": "5",
        "corpActions": "Y",
        "timestamp": "start",
        "extendedHours": "N",
        "isInitialFetch": "true",
        "productid": "atn",
        "quoteType": "R",
    }
    body = broker.ask("GET", CHART, {**query, **more}).body.decode()
    name = more.get("callback", "jsonp_1_1")
    assert body.startswith(f"{name}(")
    assert body.endswith(")")
    found: dict[str, object] = json.loads(body[len(name) + 1 : -1])
    return found


def test_chart(broker: Broker) -> None:
    (entry,) = chart(broker)["Symbol"]  # type: ignore[misc]
    assert entry["Identifier"] == "AAPL"
    assert entry["Description"] == "APPLE INC COM"
    assert entry["TradeDate"] == "11/24/2026"
    bars = entry["BarList"]["BarRecord"]
    assert [bar["lt"] for bar in bars[:2]] == ["2026/11/24-09:30:00", "2026/11/24-09:35:00"]
    assert bars[-1]["lt"] == "2026/11/24-10:25:00"
    for bar in bars:
        assert set(bar) == {"lt", "op", "cl", "hi", "lo", "v"}
        assert all(isinstance(value, str) for value in bar.values())
        assert not any(bar[name].endswith("0") and "." in bar[name] for name in ("op", "cl", "hi", "lo"))
        assert Decimal(bar["lo"]) <= min(Decimal(bar["op"]), Decimal(bar["cl"])) <= Decimal(bar["hi"])
    change = Decimal(entry["LastTrade"]) - Decimal(entry["PreviousClose"])
    assert Decimal(entry["NetChange"]) == change
    assert entry["DayHigh"] == max((bar["hi"] for bar in bars), key=Decimal)


@pytest.mark.parametrize(
    "width", ["D", "d", "DAILY", "Weekly", "W", "MONTHLY", "M", "q", "QUARTERLY", "Y", "YEARLY", "annual"]
)
def test_chart_widths_in_letters_and_words(broker: Broker, width: str) -> None:
    (entry,) = chart(broker, barWidth=width, startDate="1990/1/1", endDate="2026/11/24-24:59:59")["Symbol"]  # type: ignore[misc]
    assert len(entry["BarList"]["BarRecord"]) > 30


@pytest.mark.parametrize("minutes", range(1, 61))
def test_chart_widths_in_minutes(broker: Broker, minutes: int) -> None:
    (entry,) = chart(broker, barWidth=str(minutes), endDate="2026/11/24-10:30:00")["Symbol"]  # type: ignore[misc]
    bars = entry["BarList"]["BarRecord"]
    assert len(bars) == -(-60 // minutes)
    first, *rest = [datetime.strptime(bar["lt"], "%Y/%m/%d-%H:%M:%S") for bar in bars]  # noqa: DTZ007
    for number, moment in enumerate(rest, 1):
        assert moment - first == timedelta(minutes=minutes * number)


def test_chart_of_days_back_and_of_no_symbol(broker: Broker) -> None:
    query = {"callback": "x", "symbols": "aapl,ko", "numDays": "2", "barWidth": "30", "productid": "research"}
    document = json.loads(broker.ask("GET", CHART, query, cookies=False).body[2:-1])
    assert [entry["Identifier"] for entry in document["Symbol"]] == ["AAPL", "KO"]
    assert chart(broker, symbols="ZZZZQ") == {"Symbol": []}
    for missing in ("callback", "barWidth", "numDays"):
        less = {name: value for name, value in query.items() if name != missing}
        assert broker.ask("GET", CHART, less).status == 400


def test_the_year_s_range_is_that_of_the_daily_bars(broker: Broker) -> None:
    (entry,) = chart(broker, barWidth="DAILY", startDate="2025/11/24", endDate="2026/11/24-23:59:59")[
        "Symbol"
    ]  # type: ignore[misc]
    bars = entry["BarList"]["BarRecord"]
    quote = broker.desk.market.quote("AAPL", NOW)
    assert quote is not None
    assert max(Decimal(bar["hi"]) for bar in bars) == quote.week52_high
    assert min(Decimal(bar["lo"]) for bar in bars) == quote.week52_low


# -- time and sales (§4) -------------------------------------------------------------------------------------


def sales(broker: Broker, **query: str) -> ElementTree.Element:
    reply = broker.ask("GET", SALES, {**ATN, **query})
    assert content_type(reply) == "text/xml;charset=UTF-8"
    return xml(reply.body)


def test_time_and_sales(broker: Broker) -> None:
    root = sales(broker, symbols="AAPL", startDate="2026/11/24-10:00:00", endDate="2026/11/24-10:05:00")
    assert root.tag == "TIMEANDSALES"
    assert root.find("BASE").attrib == {"ri": "AAPL", "err": "0", "us": "AAPL", "fs": "AAPL", "st": ""}  # type: ignore[union-attr]
    rows = root.findall("TRADES/T")
    assert rows
    for row in rows:
        assert list(row.attrib) == ["sq", "dt", "p", "sz", "ex", "tc", "b", "a", "ir"]
        assert re.fullmatch(r"2026/11/24-10:0[0-5]:\d\d\.\d{3}", row.attrib["dt"])
        assert row.attrib["ir"] == "N"
        assert Decimal(row.attrib["b"]) <= Decimal(row.attrib["a"])
    assert [row.attrib["dt"] for row in rows] == sorted(row.attrib["dt"] for row in rows)


def test_time_and_sales_add_up_to_the_bars(broker: Broker) -> None:
    (entry,) = chart(broker, barWidth="1", endDate="2026/11/24-09:40:00")["Symbol"]  # type: ignore[misc]
    rows = sales(broker, symbols="AAPL", startDate="2026/11/24-09:30:00", endDate="2026/11/24-09:40:00").iter(
        "T"
    )
    minutes: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        minutes.setdefault(row.attrib["dt"][:16], []).append(row.attrib)
    for bar in entry["BarList"]["BarRecord"]:
        trades = minutes[bar["lt"][:16]]
        prices = [Decimal(trade["p"]) for trade in trades]
        assert [Decimal(bar[name]) for name in ("op", "hi", "lo", "cl")] == [
            prices[0],
            max(prices),
            min(prices),
            prices[-1],
        ]
        assert int(bar["v"]) == sum(int(trade["sz"]) for trade in trades)


def test_time_and_sales_by_default_and_newest_first_kept(broker: Broker) -> None:
    whole = sales(broker, symbols="KO").findall("TRADES/T")
    assert whole[0].attrib["dt"].startswith("2026/11/24-09:30:00")
    few = sales(broker, symbols="KO", count="3").findall("TRADES/T")
    assert [row.attrib for row in few] == [row.attrib for row in whole[-3:]]
    option = sales(broker, symbols=CALL, count="2").findall("TRADES/T")
    assert len(option) == 2


def test_extended_hours_are_irregular(broker: Broker) -> None:
    early = {"startDate": "2026/11/24-08:00:00", "endDate": "2026/11/24-09:30:00"}
    assert (
        sales(broker, symbols="AAPL", **early, extendedHours="N").findall("TRADES/T")[-1].attrib["ir"] == "N"
    )
    rows = sales(broker, symbols="AAPL", **early, extendedHours="Y").findall("TRADES/T")
    assert {row.attrib["ir"] for row in rows[:-1]} == {"Y"}


def test_time_and_sales_of_nothing(broker: Broker) -> None:
    night = sales(broker, symbols="AAPL", startDate="2026/11/23-23:00:00", endDate="2026/11/23-23:10:00")
    assert night.findall("TRADES/T") == []
    unknown = sales(broker, symbols="ZZZZQ")
    assert unknown.find("BASE").attrib == {
        "ri": "ZZZZQ",
        "err": "1",
        "us": "",
        "fs": "",
        "st": "Symbol not found",
    }  # type: ignore[union-attr]
    future = sales(broker, symbols="AAPL", startDate="2026/11/24-10:29:00", endDate="2026/12/24-10:00:00")
    assert max(row.attrib["dt"] for row in future.iter("T")) <= "2026/11/24-10:30:00.000"


# -- snapshot quotes (§5, 6) ---------------------------------------------------------------------------------


def quotes(broker: Broker, symbols: str, **more: str) -> dict[str, dict[str, object]]:
    query = {"productid": "embeddedquotes", "symbols": symbols, **more}
    body = broker.ask("GET", "/service/quote/json", query, cookies=False).body
    assert body[:1] == b"("
    assert body[-1:] == b")"
    found: dict[str, dict[str, object]] = json.loads(body[1:-1])
    return found


def test_snapshot_quotes(broker: Broker) -> None:
    document = quotes(broker, f"AAPL,BRK/B,SPAXX,.SPX,{CALL},ZZZZQ", market_close="1")
    assert document["STATUS"] == {"ERROR_CODE": "0", "ERROR_TEXT": "OK"}
    assert document["MARKET_CLOSE"] == {"IS_OPEN": "Y"}
    found = document["QUOTES"]
    assert list(found) == ["AAPL", "BRK/B", "SPAXX", ".SPX", CALL, "ZZZZQ"]
    assert found["ZZZZQ"] == {"ERROR_CODE": "1", "ERROR_TEXT": "Symbol not found"}
    kinds = {symbol: block.get("SECURITY_TYPE") for symbol, block in found.items()}  # type: ignore[attr-defined]
    assert kinds == {
        "AAPL": "Equity",
        "BRK/B": "Equity",
        "SPAXX": "MutualFund",
        ".SPX": "Index",
        CALL: "Option",
        "ZZZZQ": None,
    }
    for block in found.values():
        assert all(isinstance(value, str) for value in block.values()), "all values are text"  # type: ignore[attr-defined]
    assert found["SPAXX"]["LAST_PRICE"] == "1.00"  # type: ignore[index]
    assert "YIELD_7_DAY" in found["SPAXX"]  # type: ignore[operator]
    assert "YIELD_7_DAY" not in found["AAPL"]  # type: ignore[operator]
    assert found["AAPL"]["LAST_DATE"] == "11/24/2026"  # type: ignore[index]
    bad = quotes(broker, "ZZZZQ")
    assert bad["STATUS"]["ERROR_CODE"] == "1"
    assert "MARKET_CLOSE" not in bad


def test_an_option_s_quote_is_the_best_of_its_exchanges(broker: Broker) -> None:
    block = quotes(broker, CALL)["QUOTES"][CALL]
    rows = xml(broker.ask("GET", MONTAGE, {**ATN, "symbols": CALL}, accept="text/xml").body).iter("O")
    both = [(Decimal(row.attrib["b"]), Decimal(row.attrib["a"])) for row in rows]
    assert Decimal(block["BID_PRICE"]) == max(bid for bid, _ in both)  # type: ignore[index]
    assert Decimal(block["ASK_PRICE"]) == min(ask for _, ask in both)  # type: ignore[index]


def test_calls_and_puts_keep_put_call_parity(broker: Broker) -> None:
    """Middle of call less middle of put is the forward less the strike, within the width of the quotes."""
    strikes = [Decimal(strike) for strike in ("260", "265", "270", "275", "280")]
    symbols = [f"-AAPL261218{side}{strike}" for strike in strikes for side in "CP"]
    found = quotes(broker, ",".join(symbols))["QUOTES"]

    def middle(symbol: str) -> Decimal:
        block = found[symbol]
        return (Decimal(block["BID_PRICE"]) + Decimal(block["ASK_PRICE"])) / 2  # type: ignore[index]

    forwards = [
        middle(f"-AAPL261218C{strike}") - middle(f"-AAPL261218P{strike}") + strike for strike in strikes
    ]
    assert max(forwards) - min(forwards) < Decimal("0.25")
    last = Decimal(quotes(broker, "AAPL")["QUOTES"]["AAPL"]["LAST_PRICE"])  # type: ignore[index]
    assert abs(forwards[2] - last) < 2


def test_full_quotes_as_xml(broker: Broker) -> None:
    query = {"productid": "iphone", "app": "AppleTV", "quotetype": "D", "symbols": "AAPL"}
    root = xml(broker.ask("GET", "/service/quote/full", query, cookies=False).body)
    quote = root[1]  # the second child of the root holds the quote, its third child the values
    values = {child.tag: child.text for child in quote[2]}
    assert values["SYMBOL"] == "AAPL"
    assert re.fullmatch(r"\d\d/\d\d/\d{4}", values["LAST_DATE"] or "")
    assert Decimal("0.1") <= Decimal(values["EQUITY_SUMMARY_SCORE"] or "") <= 10
    assert values["EQUITY_SUMMARY_RATING"] in (
        "very bearish",
        "bearish",
        "neutral",
        "bullish",
        "very bullish",
    )
    fund = xml(broker.ask("GET", "/service/quote/full", {**query, "symbols": "SPY"}).body)
    assert fund.find(".//EQUITY_SUMMARY_SCORE") is None
    unknown = xml(broker.ask("GET", "/service/quote/full", {**query, "symbols": "ZZZZQ"}).body)
    assert unknown.find(".//LAST_PRICE") is None
    assert broker.ask("GET", "/service/quote/full", {"symbols": "AAPL"}).status == 400
