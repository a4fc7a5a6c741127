"""A stranger to our models who speaks the broker's wire: raw JSON in, raw JSON out, over a real socket."""

import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from ftcli.config import Settings
from ftcli.paper.desk import DEMO_PASSWORD, DEMO_USERNAME, Desk, open_desk
from ftcli.paper.server import running

NEW_YORK = ZoneInfo("America/New_York")
CLOCK = "2026-11-24T11:15:30-05:00"
TODAY = date(2026, 11, 24)
MARGIN, CASH, BILLS, ROTH, PLAN = "Z20000025", "Z10000017", "Z30000033", "240000041", "77012"
BROKERAGE = (BILLS, CASH, MARGIN, ROTH)

DISCOVERY = "/ftgw/dp/customer-am-acctnxt/v2/accounts"
POSITIONS = "/ftgw/dp/position/v2"
BALANCES = "/ftgw/dp/balance/detail/v2"
HISTORY = "/ftgw/dp/accountmanagement/transaction/history/v2"
OPTIONS = "/ftgw/dp/retail-am-optionsummary/v1/accounts/positions/option-summary/get"
CLOSED = "/ftgw/dp/customer-am-position/v1/accounts/closedposition"
CLOSED_LOTS = "/ftgw/dp/customer-am-position/v1/accounts/closedlots"
LOANS = "/ftgw/dp/retail-am-loanedsecurities/v1/accounts/positions/rates"
TAX_LOTS = "/ftgw/dp/orderentry/taxlot/v1"
OPEN_LOTS = "/ftgw/dp/position/open/lots/v1"
BORROW = "/ftgw/dp/retail-am-hardtoborrow/v1/accounts/positions/rates/borrow"
INSIGHTS = "/ftgw/dp/retail-am-shortinsight/v1/accounts/positions/insights"
SERIES = "/ftgw/dp/retail-am-shortinsight/api/v1/timeseries"
ACCRUALS_V1 = "/ftgw/dp/retail-am-accountaccruals/v1/accounts/accruals"
ACCRUALS_V2 = "/ftgw/dp/retail-am-accountaccruals/v2/accounts/accruals"
CASH_ACCRUALS = "/ftgw/dp/retail-am-accountaccruals/v1/accounts/cash/accruals"


class Stranger:
    """Somebody else's client of the paper broker."""

    def __init__(self, desk: Desk, http: httpx.AsyncClient) -> None:
        self.desk = desk
        self.http = http

    async def log_in(self) -> None:
        """Goes through the login's steps with the demo user."""
        credentials = {"username": DEMO_USERNAME, "password": DEMO_PASSWORD}
        for method, path, body in (
            ("GET", "/prgw/digital/login/atp", None),
            ("POST", "/user/identity/remember/username/1", {}),
            ("POST", "/user/factor/password/authentication", credentials),
            ("POST", "/user/session/login", {}),
        ):
            reply = await self.http.request(method, path, json=body)
            assert reply.status_code == 200, f"{path}: {reply.text}"

    async def send(self, path: str, body: Any) -> httpx.Response:
        """Sends a request and answers whatever comes."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.http.post(path, content=content, headers={"Content-Type": "application/json"})

    async def ask(self, path: str, body: Any) -> Any:
        """Sends a request that must succeed; numbers with a fraction come as decimals."""
        reply = await self.send(path, body)
        assert reply.status_code == 200, reply.text
        assert reply.headers["content-type"].startswith("application/json")
        return json.loads(reply.content, parse_float=Decimal)

    # the calls with their bodies as the protocol spells them

    async def positions(self, *accounts: str) -> Any:
        rows = [
            {"acctNum": number, "acctType": "Brokerage", "acctSubType": "Brokerage"} for number in accounts
        ]
        return await self.ask(POSITIONS, {"request": {"parameter": {"acctDetails": {"acctDetail": rows}}}})

    async def balances(self, *accounts: str) -> Any:
        blocks = (
            "AddlInfo",
            "AcctVal",
            "AvailableToWithdraw",
            "Cash",
            "BuyingPower",
            "Margin",
            "Bond",
            "Short",
        )
        blocks += ("Options", "SimplifiedMargin")
        filters = {
            "priceTiming": {"includeRecent": True, "includeIntraday": True, "includeClose": True},
            "requestedData": {f"include{block}Detail": True for block in blocks},
        }
        rows = [{"acctNum": number} for number in accounts]
        parameter = {"filters": filters, "acctDetails": {"acctDetail": rows}}
        return await self.ask(BALANCES, {"request": {"parameter": parameter}})

    async def history(self, first: date, last: date, *accounts: str, **criteria: Any) -> Any:
        dates = {"txnFromDate": midnight(first), "txnToDate": midnight(last)}
        nothing = {"txnType": None, "txnCat": None, "txnSubCat": None, "securityDetail": None}
        body = {
            "acctDetails": [
                {"acctType": "brokerage", "acctNum": number, "sysOfRcd": None} for number in accounts
            ],
            "searchCriteriaDetail": {**nothing, **dates, "filterCriteriaDetail": {}, **criteria},
        }
        return await self.ask(HISTORY, body)

    async def options(self, *accounts: str, **flags: Any) -> Any:
        rows = [{"acctNum": number} for number in accounts]
        parameter = {
            "returnCostBasisDetails": True,
            "returnIntradayDetails": True,
            "view": "EXPIRATION",
            "returnUnpairedPositions": True,
            "acctDetails": {"acctDetail": rows},
            **flags,
        }
        return await self.ask(OPTIONS, {"request": {"parameter": parameter}})

    async def closed(self, first: str, last: str, *accounts: str, **more: Any) -> Any:
        return await self.ask(CLOSED, {"request": {"parameters": sales(first, last, accounts, **more)}})

    async def closed_lots(self, symbol: str, first: str, last: str, *accounts: str, **more: Any) -> Any:
        parameters = sales(first, last, accounts, symbol=symbol, **more)
        return await self.ask(CLOSED_LOTS, {"request": {"parameters": parameters}})

    async def plural(self, path: str, *accounts: str, **more: Any) -> Any:
        rows = [{"acctNum": number} for number in accounts]
        return await self.ask(path, {"request": {"parameters": {"acctDetails": rows, **more}}})

    async def tax_lots(self, account: str, symbol: str, holding: str) -> Any:
        body = {"holdingTypeCode": holding, "acctNum": account, "securityDetail": {"symbol": symbol}}
        return await self.ask(TAX_LOTS, body)

    async def open_lots(self, account: str, symbol: str) -> Any:
        rows = [{"acctNum": account, "symbol": symbol}]
        answer = await self.ask(OPEN_LOTS, {"request": {"parameter": {"acctDetails": {"acctDetail": rows}}}})
        return answer["openLots"]["acctDetails"]["acctDetail"][0]


def sales(first: str, last: str, accounts: tuple[str, ...], **more: Any) -> dict[str, Any]:
    rows = [{"acctNum": number, "isRetirementAcct": False} for number in accounts]
    terms = {"taxYear": None, "dateType": "CUSTOM", "isExcludeWashSales": False}
    return {"acctDetails": rows, "startDate": first, "endDate": last, **terms, **more}


def midnight(day: date) -> int:
    """Epoch seconds of midnight in New York."""
    return int(datetime.combine(day, time(), NEW_YORK).timestamp())


def day_of(stamp: int) -> date:
    """The New York date of epoch seconds."""
    return datetime.fromtimestamp(stamp, NEW_YORK).date()


@asynccontextmanager
async def stranger(folder: Path, clock: str = CLOCK) -> AsyncIterator[Stranger]:
    """A stranger who is logged in to a paper broker of its own."""
    desk = open_desk(
        Settings(environment="paper", data_dir=folder, paper_db=folder / "paper.sqlite", paper_clock=clock)
    )
    async with running(desk) as base, httpx.AsyncClient(base_url=base, timeout=30) as http:
        visitor = Stranger(desk, http)
        await visitor.log_in()
        yield visitor
    desk.state.close()


# -- shapes: literal keys, each with what its value must be ------------------------------------------------

Rule = Callable[[Any], bool]


def text(value: Any) -> bool:
    return isinstance(value, str)


def flag(value: Any) -> bool:
    return isinstance(value, bool)


def whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def number(value: Any) -> bool:
    return whole(value) or isinstance(value, Decimal)


def moment(value: Any) -> bool:
    return whole(value) and 10**9 < value < 10**10


def day(value: Any) -> bool:
    """Epoch seconds at midnight in New York."""
    return moment(value) and datetime.fromtimestamp(value, NEW_YORK).time() == time()


def iso_day(value: Any) -> bool:
    return text(value) and re.fullmatch(r"\d{4}-\d\d-\d\d", value) is not None


def digits(count: int) -> Rule:
    return lambda value: text(value) and re.fullmatch(rf"\d{{{count}}}", value) is not None


def number_text(places: int | None = None) -> Rule:
    """A number as text, with exactly so many decimals."""
    fraction = r"(\.\d+)?" if places is None else "" if places == 0 else rf"\.\d{{{places}}}"
    return lambda value: text(value) and re.fullmatch(rf"-?\d+{fraction}", value) is not None


def one_of(*values: Any) -> Rule:
    return lambda value: any(value == choice and type(value) is type(choice) for choice in values)


def or_null(rule: Rule) -> Rule:
    return lambda value: value is None or rule(value)


def check(value: Any, shape: Any, where: str = "") -> None:
    """Asserts that a document has exactly the keys of a shape (``?``: may be missing) and values of its rules."""
    if isinstance(shape, list):
        assert isinstance(value, list), f"{where} is no list"
        for place, item in enumerate(value):
            check(item, shape[0], f"{where}[{place}]")
    elif isinstance(shape, dict):
        assert isinstance(value, dict), f"{where} is no object"
        known = {key.removesuffix("?"): rule for key, rule in shape.items()}
        assert set(value) <= set(known), f"{where}: unknown keys {set(value) - set(known)}"
        missing = {key for key in shape if not key.endswith("?")} - set(value)
        assert not missing, f"{where}: missing {missing}"
        for key, item in value.items():
            check(item, known[key], f"{where}.{key}")
    else:
        assert shape(value), f"{where}: {value!r}"


def key_paths(value: Any, where: str = "") -> set[str]:
    """Every key of a document with the keys around it; lists as ``[]``."""
    if isinstance(value, list):
        return {path for item in value for path in key_paths(item, f"{where}[]")}
    if isinstance(value, dict):
        inner = {
            path for key, item in value.items() for path in key_paths(item, f"{where}.{key}".lstrip("."))
        }
        return inner | {f"{where}.{key}".lstrip(".") for key in value}
    return set()
