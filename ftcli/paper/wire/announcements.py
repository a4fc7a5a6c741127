"""The broker's announcements and the token of its event stream (protocol 04 §4, 7)."""

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from ftcli.clock import NEW_YORK, market_date
from ftcli.errors import NotFound
from ftcli.paper import calendar, event_tokens
from ftcli.paper.wire.exchange import BadRequest, PaperRequest, answers, text_reply

if TYPE_CHECKING:
    from ftcli.paper.desk import Desk

_AHEAD = timedelta(days=45)
"""How early a holiday is announced."""


@answers("GET", "/security/token/authz/generate/1.0")
@answers("GET", "/ftgw/dpdirect/security/token/authz/generate/1.0")
@answers("GET", "/ftgw/dp/security/token/authz/generate/1.0")
def event_token(desk: "Desk", request: PaperRequest) -> Any:
    """A token for the event stream, under each of the paths it may have (protocol 04 §4)."""
    life = timedelta(seconds=desk.faults.current().beps_token_life)
    token, expires = event_tokens.mint(desk.member_id, desk.now(), life)
    form = desk.faults.current().beps_token
    if form == "second_path" and request.path.startswith("/ftgw/dp/"):
        raise NotFound("There is nothing here.")
    if form == "text":
        return text_reply(token)
    if form == "nested":
        return {"data": {"authz": {"accessToken": token, "expiresAt": expires}}}
    return {"token": token, "expiresAt": expires}


@answers("GET", "/content-headless/v2/content")
@answers("GET", "/ftgw/dp/content-headless/v2/content")
def content(desk: "Desk", request: PaperRequest) -> Any:
    """Announcements: the days on which the exchange is closed or closes early (protocol 04 §7)."""
    if not request.headers.get("whereused"):
        raise BadRequest("Missing header WhereUsed")
    today = market_date(desk.now())
    days = [day for year in (today.year, today.year + 1) for day in calendar.holidays(year)]
    coming = [day for day in days if today <= day.date <= today + _AHEAD]
    return {"content": [_announcement(day, place) for place, day in enumerate(coming, start=1)]}


def _announcement(day: calendar.Holiday, place: int) -> dict[str, Any]:
    shown = f"{day.date:%B} {day.date.day}"
    if day.early_close:
        clock = f"{day.early_close:%I:%M %p}".lstrip("0")
        title, text = f"Early close on {shown}", f"Markets close at {clock} ET on {day.date:%A}, {shown}."
    else:
        title, text = (
            f"Markets closed on {shown}",
            f"Markets are closed on {day.date:%A}, {shown}: {day.name}.",
        )
    return {
        "id": f"msg-{day.date:%Y%m%d}-01",
        "title": title,
        "body": f"<p>{text}</p>",
        "type": "announcement",
        "startDate": _midnight(day.date - _AHEAD),
        "endDate": _midnight(day.date + timedelta(days=1)),
        "priority": place,
    }


def _midnight(day: date) -> str:
    moment = datetime.combine(day, time(), NEW_YORK).astimezone(UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
