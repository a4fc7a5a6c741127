"""Holidays, news access and paid subscriptions as the broker answers them (protocol 03 §14-16)."""

import base64
import hashlib
from datetime import date
from typing import TYPE_CHECKING, Any

from ftcli.clock import market_date
from ftcli.models.field import write
from ftcli.models.market_data import Subscription
from ftcli.models.reference import Holiday, HolidayKind
from ftcli.models.research import NewsAccess
from ftcli.paper import calendar
from ftcli.paper.wire.exchange import BadRequest, PaperRequest, answers

if TYPE_CHECKING:
    from ftcli.paper.desk import Desk

_ABBREVIATED = "Abbreviated Trading"
_WIDTH = 20
"""The broker's names are padded with blanks to this width, some of them (protocol 03 §14)."""


@answers("GET", "/ftgw/dpdirect/market/holidaycalendar/v1")
def holiday_calendar(desk: "Desk", request: PaperRequest) -> Any:
    """Closed and abbreviated days of last year, this year and the next; of the US only (protocol 03 §14)."""
    country = request.query.get("countryCode", "").upper()
    if not country:
        raise BadRequest("Missing countryCode")
    year = market_date(desk.now()).year
    days = [day for number in (year - 1, year, year + 1) for day in calendar.holidays(number)]
    rows = [write(_holiday(day, country)) for day in days] if country == "US" else []
    return {"holidayCalendarDetails": rows}


def _holiday(day: calendar.Holiday, country: str) -> Holiday:
    early = day.early_close
    name = _ABBREVIATED if early else day.name
    return Holiday(
        country=country,
        day=day.date,
        name=name.ljust(_WIDTH) if name == "Thanksgiving Day" else name,
        kind=HolidayKind.EARLY_CLOSE if early else HolidayKind.CLOSED,
        closes_at=f"{early:%H:%M:%S}.000" if early else None,
    )


@answers("POST", "/ftgw/snaz/Authorize")
def authorize_news(desk: "Desk", request: PaperRequest) -> Any:
    """Hosts of the news feed and a token for them (protocol 03 §15)."""

    def hexadecimal(what: str, digits: int) -> str:
        return hashlib.blake2b(f"{what} {desk.member_id}".encode(), digest_size=32).hexdigest()[:digits]

    def identity(what: str) -> str:
        text = hexadecimal(what, 32)
        return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))

    signature = base64.b64encode(
        b"".join(hashlib.sha256(desk.logins.token().encode()).digest() for _ in range(8))
    )
    lines = {
        "ID": identity(desk.logins.token()).upper(),
        "Caller": "127.0.0.1",
        "IssuedDate": f"{desk.now():%Y%m%d%H%M%S}",
        "FUserID": identity("user"),
        "FMemberID": hexadecimal("member", 34),
        "FTierName": "ATPTier3",
        "FSessionID": hexadecimal("session", 36),
        "Signature": signature.decode(),
    }
    text = "\n".join(f"{name}: {value}" for name, value in lines.items())
    return write(
        NewsAccess(
            streaming_host="fid-str.newsedge.net",
            streaming_port=443,
            polling_host="fid-polling.newsedge.net",
            polling_port=443,
            access_token=base64.b64encode(text.encode()).decode(),
        )
    )


@answers("GET", "/ftgw/dp/customer-paid-subscriptions/v1/", suffix="/subscriptions")
@answers("GET", "/ftgw/dpdirect/customer-paid-subscriptions/v1/", suffix="/subscriptions")
def paid_subscriptions(desk: "Desk", request: PaperRequest) -> Any:
    """The customer's market-data subscriptions, under either prefix (protocol 03 §16)."""
    message = {"message": "Request Successful", "detail": "", "source": "", "code": "2000", "type": ""}
    start = date(market_date(desk.now()).year - 1, 11, 3)
    row = write(
        Subscription(
            subscription="RTQ-US-EQ",
            name="US equities real-time",
            status="ACTIVE",
            professional=False,
            start=start,
        )
    )
    return {"sysMsgs": {"sysMsg": [message]}, "subscriptions": [{**row, "endDate": None}]}
