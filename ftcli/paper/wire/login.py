"""Login, session life and entitlements, as the broker's hosts `auth` and `digital` answer (protocol 00 §3, 4)."""

from typing import TYPE_CHECKING, Any

from ftcli.models.values import read_text
from ftcli.paper.logins import ALIVE, Step
from ftcli.paper.wire.exchange import PaperReply, PaperRequest, answers, json_reply, text_reply

if TYPE_CHECKING:
    from ftcli.paper.desk import Desk

USER_NAME = "/user/identity/remember/username"
LOGIN_PAGE = "/prgw/digital/login/atp"


def envelope(code: int, message: str, request: PaperRequest) -> PaperReply:
    """The reply envelope of `auth` (protocol 00 §3.2)."""
    status = {
        "code": code,
        "message": message,
        "requestIdentifier": request.headers.get("fsreqid", ""),
        "Context": "paper",
    }
    return json_reply(
        {
            "responseBaseInfo": {"sessionTokens": None, "status": status, "links": []},
            "authenticators": [],
            "location": None,
            "referenceId": None,
            "callbacks": [],
            "isPreferredAuthenticatorUnavailable": False,
        }
    )


@answers("GET", LOGIN_PAGE, session=False)
def login_page(desk: "Desk", request: PaperRequest) -> PaperReply:
    """Step 1: the page, and the context that ties the following calls together."""
    reply = text_reply(
        "<!DOCTYPE html><html><head><title>Log in</title></head><body>Paper broker</body></html>",
        "text/html;charset=utf-8",
    )
    reply.set_cookie("SESSION_SCTX", desk.logins.begin())
    return reply


@answers("DELETE", "/user/session/login", session=False)
def end_session(desk: "Desk", request: PaperRequest) -> PaperReply:
    """Step 2 and logout: ends whatever session the jar has."""
    desk.logins.end(request.cookies)
    reply = PaperReply(status=204)
    for name in ("ET", *ALIVE):
        reply.set_cookie(name, "")
    return reply


@answers("GET", USER_NAME, session=False)
def remembered_name(desk: "Desk", request: PaperRequest) -> PaperReply:
    """Step 3."""
    return envelope(1200, "User Identified", request)


@answers("POST", f"{USER_NAME}/1", session=False)
def select_name(desk: "Desk", request: PaperRequest) -> PaperReply:
    """Step 4: hands out the token carried between the steps."""
    reply = envelope(1200, "User Identified", request)
    reply.set_cookie("ET", desk.logins.token())
    return reply


@answers("PUT", USER_NAME, session=False)
def remember_name(desk: "Desk", request: PaperRequest) -> PaperReply:
    """Step 6."""
    return envelope(1200, "OK", request)


@answers("POST", "/user/factor/password/authentication", session=False)
def check_password(desk: "Desk", request: PaperRequest) -> PaperReply:
    """Step 5."""
    body: Any = request.document or {}
    verdict = desk.logins.check_password(
        request.cookies, read_text(body.get("username")) or "", read_text(body.get("password")) or ""
    )
    return envelope(verdict.code, verdict.message, request)


@answers("POST", "/user/factor/totp/authentication", session=False)
def check_totp(desk: "Desk", request: PaperRequest) -> PaperReply:
    """Step 7a."""
    body: Any = request.document or {}
    code = body.get("securityCode")
    verdict = desk.logins.check_totp(request.cookies, code if isinstance(code, str) else "", desk.now())
    return envelope(verdict.code, verdict.message, request)


@answers("POST", "/user/session/login", session=False)
def create_session(desk: "Desk", request: PaperRequest) -> PaperReply:
    """Steps 7 and 7b: the session, or the demand for a second factor."""
    verdict = desk.logins.create_session(request.cookies, desk.now())
    reply = envelope(verdict.code, verdict.message, request)
    if verdict.step is Step.LIVE:
        for name, value in desk.logins.fresh_cookies(request.cookies, desk.now()).items():
            reply.set_cookie(name, value)
    return reply


@answers("GET", "/ftgw/digital/portfolio/extendsession", session=False)
def keep_alive(desk: "Desk", request: PaperRequest) -> PaperReply:
    """Keep-alive: empty and with fresh cookies while the session lives, else a redirect to the login page."""
    if not desk.logins.is_live(request.cookies, desk.now()):
        return desk.logins.turn_away(request.path)
    reply = PaperReply()
    for name, value in desk.logins.fresh_cookies(request.cookies, desk.now()).items():
        reply.set_cookie(name, value)
    return reply


@answers("POST", "/ftgw/digital/pico/api/v1/context/security")
def security_context(desk: "Desk", request: PaperRequest) -> Any:
    """Turns on real-time quotes for the session, and tells its entitlements (protocol 00 §3.7)."""
    desk.logins.grant_quotes(request.cookies)
    on = {"ATP": True, "RTQ": True, "ATBT": True, "ProfessionalQuotes": False, "InternationalQuotes": True}
    rights = [
        {"value": str(value).lower(), "display": name, "classification": "access"}
        for name, value in on.items()
    ]
    return {
        "employeeIndicator": "NON_EMPLOYEE",
        "personaReferences": [{"realm": "Retail", "role": "FidCust"}],
        "entitlements": [*rights, {"value": "AP000000", "display": "ALL", "classification": "fortress"}],
        "internalSystemIds": [
            {"type": "MID", "ID": desk.member_id},
            {"type": "TRACKER_ID", "ID": desk.member_id[::-1]},
        ],
        "errors": [],
    }


@answers("GET", "/prgw/digital/research/api/tokens")
def csrf_token(desk: "Desk", request: PaperRequest) -> Any:
    """The CSRF token of the older web API (protocol 00 §3.8)."""
    return {"csrfToken": desk.logins.token()}
