"""What an answer means before anyone reads its document (protocol 00 §4.2 and §5.1). Pure."""

import enum
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ftcli.transport.decode import is_html
from ftcli.transport.hosts import HOSTS, find
from ftcli.transport.line import REDIRECTS

if TYPE_CHECKING:
    from ftcli.transport.http import Answer

_PROBED_ON_401 = frozenset({"dpxq1", "fastquote", "alerts", "news"})
"""Hosts with refusals of their own: there a 401 is no proof that the session is over."""

_ERR = re.compile(rb"""\berr["']?\s*[=:]\s*["']?(-?\w+)""")
_RESULT = re.compile(rb"<(?:\w+:)?ResultCode>\s*(\w*)")
_HEAD = 4096
"""Bytes of an answer in which these stand."""

_LOGIN_PATH = "/prgw/digital/login"
_AUTH_NAME = urlsplit(HOSTS["auth"].base).hostname


class Verdict(enum.Enum):
    """The transport's reading of an answer."""

    FINE = "fine"
    EXPIRED = "expired"
    SUSPECT = "suspect"
    """Perhaps the session is over; the keep-alive tells."""
    PAGE = "page"
    """A web page where data was expected; the keep-alive tells whether it is the login page."""
    THROTTLED = "throttled"
    REFUSED = "refused"
    SERVER = "server"


def judge(host: str, answer: "Answer") -> Verdict:
    """The verdict on an answer of a host, by the order of checks of protocol 00 §4.2.

    A status of 429 or 5xx is looked at before HTML is: a gateway's error page says nothing about the
    session. Hosts that get no cookies cannot report their expiry.
    """
    status, known = answer.status, find(host)
    if known.cookies:
        if status in REDIRECTS:
            return Verdict.EXPIRED if leads_to_login(answer.header("location")) else Verdict.SUSPECT
        if status == 401:
            return Verdict.SUSPECT if host in _PROBED_ON_401 else Verdict.EXPIRED
        if status == 403 or (host == "alerts" and _is_soap_fault(answer)):
            return Verdict.SUSPECT
        if status != 429 and status < 500 and is_html(answer.body):
            return Verdict.PAGE
        if status == 200 and _says_no(host, answer):
            return Verdict.SUSPECT
    if status == 429:
        return Verdict.THROTTLED
    if status >= 500:
        return Verdict.SERVER
    return Verdict.FINE if 200 <= status < 300 else Verdict.REFUSED


def leads_to_login(location: str | None) -> bool:
    """Whether a redirect's target is a login address."""
    parts = urlsplit(location or "")
    return parts.path.startswith(_LOGIN_PATH) or parts.hostname == _AUTH_NAME


def is_alive(answer: "Answer") -> bool:
    """The verdict on a keep-alive: 200, not redirected, and no web page (protocol 00 §4.1, the trap)."""
    return answer.status == 200 and not is_html(answer.body)


def has_delayed_quotes(host: str, answer: "Answer") -> bool:
    """Whether ``fastquote`` answered that it has no real-time quotes for this session (protocol 03 §2.5)."""
    return host == "fastquote" and b"delayed quotes not supported" in answer.body.lower()


def _says_no(host: str, answer: "Answer") -> bool:
    """Whether a fine answer tells of an error as an expired session might (protocol 00 §4.2): ``err`` other than 0, or
    delayed quotes, of ``fastquote``; a ``ResultCode`` other than SUCCESS of ``alerts``."""
    if host == "fastquote":
        found = _ERR.search(answer.body[:_HEAD])
        return (found is not None and found.group(1) != b"0") or has_delayed_quotes(host, answer)
    if host == "alerts":
        found = _RESULT.search(answer.body[:_HEAD])
        return found is not None and found.group(1).upper() != b"SUCCESS"
    return False


def _is_soap_fault(answer: "Answer") -> bool:
    return answer.status in (400, 500) and b"Fault" in answer.body and answer.body.lstrip().startswith(b"<")
