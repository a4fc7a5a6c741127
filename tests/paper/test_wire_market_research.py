"""Research, reference and scans on paper, against the text of protocol 03 §7-16: names and forms are spelt out here."""

import base64
import json
import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import holidays as holidays_library
import pytest
from market_wire_kit import NOW, Broker, content_type

from ftcli.paper.calendar import is_trading_day
from ftcli.paper.documents import Documents, clear_documents

DIRECT = "/ftgw/dpdirect"
TODAY = NOW.date()


@pytest.fixture
def broker() -> Broker:
    return Broker().log_in()


def mdy(text: str) -> date:
    month, day, year = text.split("/")
    return date(int(year) + (2000 if len(year) == 2 else 0), int(month), int(day))


# -- order routes (§7) ---------------------------------------------------------------------------------------

MARKETS = "/ftgw/dp/reference/security/stock/availablemarket/v1"
INDICATORS = (
    "fillOrKillInd immediateOrCancelInd allOrNoneInd notHeldInd doNotReduceInd cashSettleInd nextDayInd stopLimitInd "
    "shortSellInd peggedInd discretionInd limitInd marketInd trailLimitInd trailStopInd cancelReplaceInd hiddenInd "
    "regularSessionInd preMarketSessionInd afterHoursSessionInd"
)


def test_available_markets(broker: Broker) -> None:
    body = {"symbol": "KO", "accounts": ["Z20000025"], "requestType": "", "isCheckShares": False}
    document = broker.json("POST", MARKETS, body=body)
    security, markets = document["security"], document["availableMarkets"]
    assert set(security) == {"symbol", "availMktCnt", "availShares", "cusip"}
    assert (security["symbol"], security["availShares"], security["availMktCnt"]) == (
        "KO",
        None,
        len(markets),
    )
    assert len(security["cusip"]) == 9
    assert [(row["marketplace"], row["routingCode"], row["exchangeSymbol"]) for row in markets] == [
        ("AUTO", "#O", None),
        ("IEX", "QV", "IEXG"),
        ("NYSE", "N", "XNYS"),
    ]
    auto, iex = markets[:2]
    assert auto["marketHours"] == {
        "marketOpeningHours": "93000",
        "marketClosingHours": "160000",
        "shortSellOpeningHours": "93000",
        "shortSellClosingHours": "160000",
        "marketOrderOpeningHours": "0",
        "marketOrderClosingHours": "0",
        "marketOrderAcceptFromHours": "0",
        "marketOrderAcceptToHours": "0",
    }
    assert (auto["displayQuantityMin"], iex["displayQuantityMin"]) == ("0.00000", "100.00000")
    off = {
        "peggedInd",
        "discretionInd",
        "hiddenInd",
        "regularSessionInd",
        "preMarketSessionInd",
        "afterHoursSessionInd",
    }
    assert auto["orderTypeSupported"] == {name: name not in off for name in INDICATORS.split()}
    assert iex["orderTypeSupported"]["discretionInd"] is True
    assert iex["orderTypeSupported"]["trailStopInd"] is False


def test_available_markets_of_no_symbol(broker: Broker) -> None:
    document = broker.json("POST", MARKETS, body={"symbol": "ZZZZQ", "accounts": ["Z20000025"]})
    assert list(document) == ["sysMsgs"]
    (message,) = document["sysMsgs"]["sysMsg"]
    assert (message["code"], message["type"], message["detail"]) == ("4000", "E", "Symbol is not recognised")
    assert broker.ask("POST", MARKETS, body={"symbol": "KO"}).status == 400


# -- earnings (§8) -------------------------------------------------------------------------------------------


def earnings(broker: Broker, symbols: str) -> Any:
    document = broker.json("GET", f"{DIRECT}/research/earning/v1", {"fvSymbol": symbols})
    return document["earning"]["earningDetails"]["earningDetail"]


def test_earnings(broker: Broker) -> None:
    apple, fund, unknown = earnings(broker, "AAPL|SPY|ZZZZQ")
    assert apple["secDetail"]["requested"] == apple["secDetail"]["symbol"] == "AAPL"
    assert apple["secDetail"]["classification"] == "Common Stock"
    assert len(apple["secDetail"]["CUSIP"]) == 9
    quarters = apple["qtrHistDetails"]["qtrHistDetail"]
    days = [mdy(quarter["reportDate"]) for quarter in quarters]
    assert days == sorted(days), "oldest first"
    assert len(quarters) == 9
    *reported, coming = quarters
    assert all(mdy(quarter["reportDate"]) < TODAY for quarter in reported)
    assert mdy(coming["reportDate"]) >= TODAY
    assert "adjustedEPS" not in coming
    assert isinstance(coming["consensusEst"], float)
    for before, after in pairwise(quarters):
        number = 4 * before["fiscalYr"] + before["fiscalQtr"]
        assert 4 * after["fiscalYr"] + after["fiscalQtr"] == number + 1
    last, year_ago = reported[-1]["adjustedEPS"], reported[-5]["adjustedEPS"]
    assert apple["epsPrevQtrVsPrevYrQtr"] == pytest.approx((last - year_ago) / abs(year_ago) * 100, abs=1e-4)
    trailing = sum(quarter["adjustedEPS"] for quarter in reported[-4:])
    assert 5 < trailing < 12, "about what the price is a multiple of"
    assert "qtrHistDetails" not in fund
    assert unknown == {"secDetail": {"requested": "ZZZZQ"}}


def test_earnings_come_out_as_they_were_expected_to(broker: Broker) -> None:
    coming = earnings(broker, "MSFT")[0]["qtrHistDetails"]["qtrHistDetail"][-1]
    day = mdy(coming["reportDate"])
    broker.now = datetime(day.year, day.month, day.day, 12, tzinfo=NOW.tzinfo)
    broker.log_in()
    assert earnings(broker, "MSFT")[0]["qtrHistDetails"]["qtrHistDetail"][-1] == coming, (
        "on the day it is still to come"
    )
    broker.now += timedelta(days=1)
    broker.log_in()
    *_, out, following = earnings(broker, "MSFT")[0]["qtrHistDetails"]["qtrHistDetail"]
    assert {**out, "adjustedEPS": None} == {**coming, "adjustedEPS": None}
    assert (following["fiscalQtr"], mdy(following["reportDate"]) > day) == (coming["fiscalQtr"] % 4 + 1, True)


# -- dividends (§9) ------------------------------------------------------------------------------------------


def dividends(broker: Broker, symbols: str) -> Any:
    document = broker.json("GET", f"{DIRECT}/research/dividend/v1", {"fvSymbol": symbols})
    return document["dividend"]["dividendDetails"]["dividendDetail"]


def test_dividends(broker: Broker) -> None:
    coke, monthly, never, fund, unknown = dividends(broker, "KO|O|AMZN|SPAXX|ZZZZQ")
    detail = coke["equityDetail"]
    assert set(detail) == {"amt", "announceDate", "exDivDate", "yldTTM", "indicatedAnnDiv", "divHistDetails"}
    history = detail["divHistDetails"]["divHistDetail"]
    assert len(history) == 8
    for payment in history:
        assert set(payment) == {
            "amt",
            "announceDate",
            "freqName",
            "payDate",
            "exDate",
            "recordDate",
            "currency",
            "type",
            "exDateCalQtr",
            "exDateCalYr",
        }
        assert re.fullmatch(r"\d\d/\d\d/\d\d", payment["exDate"])
        announced, ex_date, paid = (mdy(payment[name]) for name in ("announceDate", "exDate", "payDate"))
        assert announced < ex_date < paid
        assert is_trading_day(ex_date)
        assert is_trading_day(paid)
        assert announced <= TODAY
        assert payment["recordDate"] == payment["exDate"]
        assert (payment["exDateCalQtr"], payment["exDateCalYr"]) == (
            f"Q{(ex_date.month + 2) // 3}",
            ex_date.year,
        )
        assert (payment["freqName"], payment["currency"], payment["type"]) == ("Quarterly", "USD", "Regular")
    latest = history[-1]
    assert (detail["amt"], detail["announceDate"], detail["exDivDate"]) == (
        latest["amt"],
        latest["announceDate"],
        latest["exDate"],
    )
    assert detail["amt"] == 0.51
    assert detail["indicatedAnnDiv"] == 2.04
    last_year = [
        item["amt"] for item in history if TODAY - timedelta(days=365) < mdy(item["exDate"]) <= TODAY
    ]
    quote = broker.desk.market.quote("KO", NOW)
    assert quote is not None
    assert quote.last is not None
    assert len(last_year) == 4
    assert detail["yldTTM"] == pytest.approx(100 * sum(last_year) / float(quote.last), abs=1e-4)
    assert len(monthly["equityDetail"]["divHistDetails"]["divHistDetail"]) == 12
    assert "equityDetail" not in never
    assert (fund["secDetail"]["classification"], "equityDetail" in fund) == ("Mutual Fund", False)
    assert unknown == {"secDetail": {"requested": "ZZZZQ"}}


@pytest.mark.parametrize("call", ["earning", "dividend"])
def test_research_needs_symbols_and_a_session(broker: Broker, call: str) -> None:
    path = f"{DIRECT}/research/{call}/v1"
    assert broker.ask("GET", path).status == 400
    assert broker.ask("GET", path, {"fvSymbol": "KO"}, cookies=False).status == 401


# -- search (§10) --------------------------------------------------------------------------------------------


def search(broker: Broker, text: str) -> Any:
    return broker.json("GET", f"{DIRECT}/search/autosuggest/v1", {"q": text})["quotes"]


def test_autosuggest(broker: Broker) -> None:
    found = search(broker, "app")
    assert found["count"] == len(found["suggestions"])
    first = found["suggestions"][0]
    assert first == {
        "symbol": "AAPL",
        "cusip": first["cusip"],
        "desc": "Apple Inc",
        "type": "EQ",
        "subType": "COM",
        "exchange": "Q",
        "nc": False,
        "intl": False,
        "tradeEligible": True,
        "options": ["Std"],
    }
    kinds = {
        text: search(broker, text)["suggestions"][0] for text in ("SPY", "SPAXX", ".SPX", "OPTT", "BABA")
    }
    assert {text: (row["type"], row["subType"]) for text, row in kinds.items()} == {
        "SPY": ("ETP", "ETF"),
        "SPAXX": ("MMF", "Govt"),
        ".SPX": ("IX", ""),
        "OPTT": ("EQ", "COM"),
        "BABA": ("EQ", "ADR"),
    }
    assert "options" not in kinds["OPTT"], "the key is missing where there are none"
    assert kinds[".SPX"]["exchange"] == "WI1"
    assert search(broker, "") == search(broker, "qqqqqqzz") == {"count": 0, "suggestions": []}
    assert broker.ask("GET", f"{DIRECT}/search/autosuggest/v1").status == 400


# -- option analytics (§11) ----------------------------------------------------------------------------------

ANALYTICS = "/ftgw/dp/research/option/positions/analytics/v1"
NUMBERS = {"price", "profit", "delta", "theta", "gamma", "vega", "rho", "prem", "totalValue", "probProfit"}
CASES = {"breakEven", "maxProfit", "maxProfit1sd", "maxLoss1sd", "maxLoss"}


def position(legs: list[tuple[str, int, float, bool]], **more: Any) -> dict[str, Any]:
    return {
        "underlyingSymbol": "AAPL",
        "posDetails": [
            [
                {"symbol": symbol, "qty": qty, "price": price, "equity": equity}
                for symbol, qty, price, equity in legs
            ]
        ],
        "hvDetail": {"volatilityPeriod": "90"},
        "evalDaysDetail": {"evalAtExpiry": True},
        **more,
    }


def evaluated(broker: Broker, body: dict[str, Any]) -> Any:
    return broker.json("POST", ANALYTICS, body=body)["positionsAnalyticsDataDetails"]


def test_analytics_of_a_spread(broker: Broker) -> None:
    body = position([("AAPL270115C270", 1, 15.0, False), ("AAPL270115C280", -1, 10.0, False)])
    (day,) = evaluated(broker, body)
    assert day["evalDate"] == "1/15/2027", "no zero padding"
    (entry,) = day["positionDetails"]
    whole, (long, short) = entry["positionDetail"], entry["legDetails"]
    assert set(whole) == NUMBERS | CASES, "the whole never has iv"
    assert set(long) == set(short) == NUMBERS | CASES | {"iv"}
    quote = broker.desk.market.quote("AAPL", NOW)
    assert quote is not None
    assert quote.last is not None
    spot = float(quote.last)
    assert whole["price"] == spot
    at_spot = min(max(spot - 270, 0), 10) * 100 - 500
    assert whole["profit"] == pytest.approx(at_spot, abs=0.01)
    assert whole["prem"] == 5
    assert whole["breakEven"] == [pytest.approx(275, abs=0.001)]
    assert (whole["maxProfit"], whole["maxLoss"]) == (500, -500)
    assert (long["maxProfit"], long["maxLoss"], long["breakEven"]) == (
        "Infinity",
        -1500,
        [pytest.approx(285, abs=1e-3)],
    )
    assert (short["maxProfit"], short["maxLoss"], short["breakEven"]) == (
        1000,
        "-Infinity",
        [pytest.approx(290, abs=1e-3)],
    )
    assert {whole[name] for name in ("delta", "theta", "gamma", "vega", "rho")} == {0}, (
        "nothing is left at expiry"
    )
    assert 0 < whole["probProfit"] < 1
    assert long["probProfit"] < whole["probProfit"], "break-even lies further away"
    assert -500 <= whole["maxLoss1sd"][0] <= whole["profit"] <= whole["maxProfit1sd"][0] <= 500
    assert 0.1 < long["iv"] < 1


def test_analytics_of_other_shapes(broker: Broker) -> None:
    def of(*legs: tuple[str, int, float, bool], **more: Any) -> Any:
        return evaluated(broker, position(list(legs), **more))[0]["positionDetails"][0]["positionDetail"]

    straddle = of(("AAPL270115C270", 1, 15.0, False), ("AAPL270115P270", 1, 14.0, False))
    assert straddle["breakEven"] == [pytest.approx(241, abs=1e-3), pytest.approx(299, abs=1e-3)]
    assert (straddle["maxProfit"], straddle["maxLoss"]) == ("Infinity", -2900)
    covered = of(("AAPL", 100, 260.0, True), ("AAPL270115C280", -1, 10.0, False))
    assert covered["breakEven"] == [pytest.approx(250, abs=1e-3)]
    assert covered["maxProfit"] == pytest.approx(3000)
    assert covered["maxLoss"] == pytest.approx(-25_000, abs=5)
    put = of(("AAPL270115P270", -2, 14.0, False))
    assert (put["maxProfit"], put["breakEven"]) == (2800, [pytest.approx(256, abs=1e-3)])
    now = of(("AAPL270115C270", 1, 15.0, False), evalDaysDetail={"evalAtExpiry": False})
    assert 20 < now["delta"] < 95
    assert now["theta"] < 0 < now["vega"]


def test_analytics_of_a_bad_leg(broker: Broker) -> None:
    for legs in (
        [("ZZZZ270115C270", 1, 1.0, False)],
        [("MSFT270115C270", 1, 1.0, False)],
        [("AAPL270115C270", 0, 1.0, False)],
        [("MSFT", 1, 1.0, True)],
        [],
    ):
        document = broker.json("POST", ANALYTICS, body=position(legs))
        assert document["sysMsgs"]["sysMsg"][0]["type"] == "E"
    assert broker.ask("POST", ANALYTICS, body={"underlyingSymbol": "AAPL"}).status == 400


# -- the screener (§12) --------------------------------------------------------------------------------------

SAML, EXCHANGE = "/ftgw/digital/rschwidgets/api/saml", "/auth/api/v1/sessions/samllogin"
EXECUTE = "/DataService/ScannerServiceReference.asmx/ExecuteScan"


def handed_off(broker: Broker) -> dict[str, Any]:
    assertion = broker.ask("GET", SAML).body.decode().strip()
    reply = broker.ask(
        "POST", EXCHANGE, {"fetchToken": "true"}, form={"SAMLResponse": assertion}, cookies=False
    )
    assert reply.status == 201
    found: dict[str, Any] = json.loads(reply.body)
    return found


def scanned(broker: Broker, token: str, scan: str) -> list[dict[str, str]]:
    reply = broker.ask("POST", EXECUTE, form={"TOKEN": token, "SCANID": scan}, cookies=False)
    assert reply.status == 200
    assert content_type(reply) == "text/xml; charset=utf-8"
    root = ElementTree.fromstring(reply.body)  # noqa: S314
    assert root.tag == "Livevol"
    result = root.find("ExecuteScanResult/ScanResult")
    assert result is not None
    rows = []
    for row in result.findall("Row"):
        fields = row.findall("Fields/Field")
        assert all(list(field.attrib) == ["displayName", "value", "descriptionId"] for field in fields)
        rows.append({field.attrib["displayName"]: field.attrib["value"] for field in fields})
    return rows


def test_the_three_calls_of_a_scan(broker: Broker) -> None:
    assert base64.b64decode(broker.ask("GET", SAML).body.strip()).startswith(b"<samlp:Response")
    session = handed_off(broker)
    assert set(session) == {"sid", "expiresAt", "token"}
    assert session["expiresAt"] == int(NOW.timestamp()) + 1800
    assert session["token"].count(".") == 2, "a JWT"
    rows = scanned(broker, session["token"], "2")
    assert list(rows[0]) == [
        "Symbol",
        "Company Name",
        "Last",
        "Last Change",
        "Call Volume",
        "Average Call Volume",
        "Percent Average Call Volume",
    ]
    percents = [int(row["Percent Average Call Volume"]) for row in rows]
    assert percents == sorted(percents, reverse=True)
    for row in rows:
        assert int(row["Percent Average Call Volume"]) == pytest.approx(
            100 * int(row["Call Volume"]) / int(row["Average Call Volume"]), abs=1
        )
        quote = broker.desk.market.quote(row["Symbol"], NOW)
        assert quote is not None
        assert (Decimal(row["Last"]), Decimal(row["Last Change"])) == (quote.last, quote.change)
    assert scanned(broker, session["token"], "2") == rows


@pytest.mark.parametrize("scan", ["1", "3", "5", "6", "7", "8", "9"])
def test_other_scans_have_four_columns(broker: Broker, scan: str) -> None:
    rows = scanned(broker, handed_off(broker)["token"], scan)
    assert len(rows) == 25
    assert {tuple(row) for row in rows} == {("Symbol", "Company Name", "Last", "Last Change")}


def test_scans_find_what_their_names_say(broker: Broker) -> None:
    token = handed_off(broker)["token"]
    quote = broker.desk.market.quote
    top = quote(scanned(broker, token, "1")[0]["Symbol"], NOW)
    assert top is not None
    assert top.last >= top.week52_high * Decimal("0.97")  # type: ignore[operator]
    rising, falling = scanned(broker, token, "6")[0], scanned(broker, token, "7")[0]
    assert Decimal(rising["Last Change"]) > 0 > Decimal(falling["Last Change"])
    assert scanned(broker, token, "99") == scanned(broker, token, "x") == []


def test_scan_refusals(broker: Broker) -> None:
    assert broker.ask("GET", SAML, cookies=False).status == 401
    for assertion in ("", "nonsense", base64.b64encode(b"<samlp:Response/>").decode()):
        assert broker.ask("POST", EXCHANGE, form={"SAMLResponse": assertion}).status == 403
    session = handed_off(broker)
    for token in ("", "a.b.c", session["token"][:-2], session["token"].replace(".", ".x", 1)):
        assert broker.ask("POST", EXECUTE, form={"TOKEN": token, "SCANID": "2"}).status == 500
    old = broker.ask("GET", SAML).body.decode().strip()
    broker.now += timedelta(minutes=6)
    assert broker.ask("POST", EXCHANGE, form={"SAMLResponse": old}).status == 403, (
        "assertions are short-lived"
    )
    assert scanned(broker, session["token"], "2")
    broker.now += timedelta(minutes=25)
    assert broker.ask("POST", EXECUTE, form={"TOKEN": session["token"], "SCANID": "2"}).status == 500


# -- notes (§13) ---------------------------------------------------------------------------------------------

NOTE = "/ftgw/dp/research/tool/notebook/note"


def test_notes(broker: Broker) -> None:
    nothing = broker.json("POST", f"{NOTE}/detail/v1", body={})
    assert nothing["noteDetails"] == []
    assert nothing["sysMsgs"]["sysMsg"][0]["code"] == "2000"
    given = [{"title": "Idea", "note": "Check.", "symbol": "KO"}, {"note": "Two"}]
    made = broker.json("POST", f"{NOTE}/create/v1", body={"noteDetails": given})["noteDetails"]
    assert [set(note) for note in made] == [
        {"noteId", "title", "note", "symbol", "createdTimeStamp", "lastUpdatedTime"},
        {"noteId", "note", "createdTimeStamp", "lastUpdatedTime"},
    ]
    assert made[0]["createdTimeStamp"] == "2026-11-24 10:30:00.0"
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", made[0]["noteId"])
    for body, expected in (
        ({"noteIds": [], "symbols": []}, made),
        ({"symbols": ["KO"]}, made[:1]),
        ({"noteIds": [made[1]["noteId"]]}, made[1:]),
        ({"noteIds": ["nope"]}, []),
    ):
        assert broker.json("POST", f"{NOTE}/detail/v1", body=body)["noteDetails"] == expected
    broker.now += timedelta(minutes=1)
    change = {"noteId": made[0]["noteId"], "note": "Done."}
    (kept,) = broker.json("POST", f"{NOTE}/update/v1", body={"noteDetails": [change]})["noteDetails"]
    assert kept == {
        **change,
        "createdTimeStamp": "2026-11-24 10:30:00.0",
        "lastUpdatedTime": "2026-11-24 10:31:00.0",
    }, "the whole note is replaced"
    gone = broker.json("POST", f"{NOTE}/delete/v1", body={"noteIds": [made[0]["noteId"]]})
    assert list(gone) == ["sysMsgs"]
    for verb, body in (("delete", {"noteIds": [made[0]["noteId"]]}), ("update", {"noteDetails": [change]})):
        (message,) = broker.json("POST", f"{NOTE}/{verb}/v1", body=body)["sysMsgs"]["sysMsg"]
        assert (message["code"], message["type"]) == ("4040", "E")
    assert len(broker.json("POST", f"{NOTE}/detail/v1", body={})["noteDetails"]) == 1


def test_several_changes_happen_together_or_not_at_all(broker: Broker) -> None:
    made = broker.json("POST", f"{NOTE}/create/v1", body={"noteDetails": [{"note": "One"}]})["noteDetails"]
    ids = [made[0]["noteId"], "nope"]
    broker.json("POST", f"{NOTE}/delete/v1", body={"noteIds": ids})
    broker.json(
        "POST", f"{NOTE}/update/v1", body={"noteDetails": [{"noteId": key, "note": "x"} for key in ids]}
    )
    assert broker.json("POST", f"{NOTE}/detail/v1", body={})["noteDetails"] == made


@pytest.mark.parametrize(
    ("verb", "body"),
    [
        ("create", {}),
        ("create", {"noteDetails": [{"title": "x"}]}),
        ("update", {"noteDetails": []}),
        ("delete", {}),
    ],
)
def test_bad_notes(broker: Broker, verb: str, body: dict[str, Any]) -> None:
    assert broker.ask("POST", f"{NOTE}/{verb}/v1", body=body).status == 400


def test_documents_keep_order_kinds_and_exact_numbers(broker: Broker) -> None:
    first, second = Documents(broker.desk.state, "a"), Documents(broker.desk.state, "b")
    assert first.all() == {}
    assert first.get("x") is None
    assert first.delete("x") is False
    first.put("z", {"price": Decimal("1.10")})
    first.put("a", 1)
    first.put("z", {"price": Decimal("1.20")})
    second.put("z", "other kind")
    assert list(first.all().items()) == [("z", {"price": Decimal("1.20")}), ("a", 1)]
    assert second.get("z") == "other kind"
    with pytest.raises(RuntimeError), first.changing() as documents:
        documents.put("new", 1)
        assert documents.delete("a")
        raise RuntimeError
    assert list(first.all()) == ["z", "a"], "nothing of it happened"
    clear_documents(broker.desk.state)
    assert first.all() == second.all() == {}


# -- holidays, news, subscriptions (§14-16) ------------------------------------------------------------------


def test_holiday_calendar(broker: Broker) -> None:
    rows = broker.json("GET", f"{DIRECT}/market/holidaycalendar/v1", {"countryCode": "US"})[
        "holidayCalendarDetails"
    ]
    zone = ZoneInfo("America/New_York")
    closed, early = {}, {}
    for row in rows:
        moment = datetime.fromtimestamp(row["date"], zone)
        assert (moment.hour, moment.minute) == (0, 0), "midnight in New York"
        assert row["countryCode"] == "US"
        if row["holidayType"] == "H":
            assert set(row) == {"countryCode", "date", "holidayDesc", "holidayType"}
            closed[moment.date()] = row["holidayDesc"]
        else:
            assert row["holidayType"] == "A"
            assert row["holidayDesc"] == "Abbreviated Trading"
            early[moment.date()] = row["earlyCloseTm"]
    assert closed[date(2026, 11, 26)] == "Thanksgiving Day    ", "with the broker's blanks"
    assert closed[date(2026, 7, 3)] == "Independence Day Observed"
    assert early[date(2026, 11, 27)] == "13:00:00.000"
    library = holidays_library.financial_holidays("NYSE", years=[2025, 2026, 2027])
    assert set(closed) == {day for day in library if day.year in (2025, 2026, 2027)}
    assert broker.json("GET", f"{DIRECT}/market/holidaycalendar/v1", {"countryCode": "GB"}) == {
        "holidayCalendarDetails": []
    }
    assert broker.ask("GET", f"{DIRECT}/market/holidaycalendar/v1").status == 400


def test_news_authorization(broker: Broker) -> None:
    document = broker.json("POST", "/ftgw/snaz/Authorize")
    assert document["StreamingHost"] == "fid-str.newsedge.net"
    assert document["PollingHost"] == "fid-polling.newsedge.net"
    assert document["StreamingPort"] == document["PollingPort"] == "443", "text"
    lines = base64.b64decode(document["AccessToken"]).decode().split("\n")
    assert [line.split(": ")[0] for line in lines] == [
        "ID",
        "Caller",
        "IssuedDate",
        "FUserID",
        "FMemberID",
        "FTierName",
        "FSessionID",
        "Signature",
    ]
    values = dict(line.split(": ") for line in lines)
    assert re.fullmatch(r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}", values["ID"])
    assert values["IssuedDate"] == "20261124103000"
    assert (len(values["FMemberID"]), len(values["FSessionID"])) == (34, 36)
    assert len(base64.b64decode(values["Signature"])) == 256
    assert broker.ask("POST", "/ftgw/snaz/Authorize", cookies=False).status == 401


@pytest.mark.parametrize("prefix", ["/ftgw/dp", "/ftgw/dpdirect"])
def test_paid_subscriptions(broker: Broker, prefix: str) -> None:
    document = broker.json("GET", f"{prefix}/customer-paid-subscriptions/v1/customers/subscriptions")
    assert document["sysMsgs"]["sysMsg"][0]["code"] == "2000"
    assert document["subscriptions"] == [
        {
            "subscriptionId": "RTQ-US-EQ",
            "name": "US equities real-time",
            "status": "ACTIVE",
            "professionalInd": False,
            "startDate": "2025-11-03",
            "endDate": None,
        }
    ]
