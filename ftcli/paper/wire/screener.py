"""The three calls of a market scan (protocol 03 §12). Assertion and token carry their own proof and end.

Nothing about them is stored, so a token outlives the process, as with the real service.
"""

import base64
import binascii
import hashlib
import hmac
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs
from uuid import uuid4

from ftcli.models.json import dumps, loads
from ftcli.paper.wire.exchange import PaperReply, PaperRequest, answers, json_reply, text_reply
from ftcli.paper.wire.xml import element

if TYPE_CHECKING:
    from ftcli.paper.desk import Desk

TOKEN_LIFE = timedelta(minutes=30)
ASSERTION_LIFE = timedelta(minutes=5)


def _proof(desk: "Desk", text: str) -> bytes:
    return hmac.new(f"scan {desk.member_id}".encode(), text.encode(), hashlib.sha256).digest()


def _url_safe(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _form(request: PaperRequest) -> dict[str, str]:
    fields = parse_qs(request.body.decode("utf-8", "replace"), keep_blank_values=True)
    return {name: values[0] for name, values in fields.items()}


@answers("GET", "/ftgw/digital/rschwidgets/api/saml")
def assertion(desk: "Desk", request: PaperRequest) -> PaperReply:
    """Step 1: vouches for the session, as Base64 text."""
    until = int((desk.now() + ASSERTION_LIFE).timestamp())
    statement = f'<samlp:Response ID="_{uuid4().hex}" NotOnOrAfter="{until}"/>'
    signed = f"{statement}<!--{_proof(desk, statement).hex()}-->"
    return text_reply(base64.b64encode(signed.encode()).decode() + "\n")


@answers("POST", "/auth/api/v1/sessions/samllogin", session=False)
def exchange(desk: "Desk", request: PaperRequest) -> PaperReply:
    """Step 2: the assertion for a token."""
    if not _is_ours(desk, _form(request).get("SAMLResponse", "")):
        return json_reply({"error": "assertion refused"}, 403)
    until = int((desk.now() + TOKEN_LIFE).timestamp())
    head = _url_safe(dumps({"alg": "HS256", "typ": "JWT"}))
    content = f"{head}.{_url_safe(dumps({'sub': desk.member_id, 'exp': until}))}"
    token = f"{content}.{_url_safe(_proof(desk, content))}"
    return json_reply({"sid": str(uuid4()), "expiresAt": until, "token": token}, 201)


def _is_ours(desk: "Desk", text: str) -> bool:
    try:
        signed = base64.b64decode(text, validate=True).decode()
    except (binascii.Error, ValueError):
        return False
    statement, _, proof = signed.partition("<!--")
    if not hmac.compare_digest(proof.removesuffix("-->"), _proof(desk, statement).hex()):
        return False
    until = statement.rpartition('NotOnOrAfter="')[2].partition('"')[0]
    return until.isdecimal() and int(until) > desk.now().timestamp()


def _is_good(desk: "Desk", token: str, now: datetime) -> bool:
    content, _, proof = token.rpartition(".")
    if not hmac.compare_digest(proof, _url_safe(_proof(desk, content))):
        return False
    text = content.partition(".")[2]
    claims: Any = loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return bool(claims["exp"] > now.timestamp())


@answers("POST", "/DataService/ScannerServiceReference.asmx/ExecuteScan", session=False)
def execute(desk: "Desk", request: PaperRequest) -> PaperReply:
    """Step 3: the scan; a bad token is an ASP.NET fault, an unknown scan finds nothing."""
    from ftcli.paper.scans import run_scan

    form = _form(request)
    if not _is_good(desk, form.get("TOKEN", ""), desk.now()):
        return text_reply("System.Web.Services.Protocols.SoapException: Invalid token.", status=500)
    scan = form.get("SCANID", "")
    rows = run_scan(desk.market, int(scan), desk.now()) if scan.isdecimal() else []
    names = ("displayName", "value", "descriptionId")
    fields = [[dict(zip(names, field, strict=True)) for field in row] for row in rows]
    result = {"Row": [{"Fields": {"Field": row}} for row in fields]}
    body = element("Livevol", {"ExecuteScanResult": {"ScanResult": result}})
    return text_reply(f'<?xml version="1.0" encoding="utf-8"?>\n{body}', "text/xml; charset=utf-8")
