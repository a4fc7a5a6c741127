"""The paper broker's login, against the text of protocol 00: literal paths, keys and codes."""

from datetime import timedelta
from http.cookies import SimpleCookie
from typing import Any

import pytest
from market_wire_kit import NOW, Broker

from ftcli.paper.logins import MAX_FAILURES, User
from ftcli.paper.wire.exchange import PaperReply
from ftcli.totp import STEP, code_of

SECRET = "JBSWY3DPEHPK3PXP"


@pytest.fixture
def broker() -> Broker:
    return Broker()


def status_of(reply: PaperReply) -> int:
    import json

    code = json.loads(reply.body)["responseBaseInfo"]["status"]["code"]
    assert isinstance(code, int)
    return code


def cookies_of(reply: PaperReply) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in reply.headers:
        if name == "Set-Cookie":
            found |= {key: morsel.value for key, morsel in SimpleCookie(value).items()}
    return found


def step(broker: Broker, method: str, path: str, body: Any = None) -> PaperReply:
    """One call with the jar so far; keeps the cookies of the answer."""
    reply = broker.ask(method, path, body=body)
    broker.cookies |= cookies_of(reply)
    return reply


def to_password(broker: Broker) -> None:
    step(broker, "GET", "/prgw/digital/login/atp")
    step(broker, "DELETE", "/user/session/login", {})
    step(broker, "GET", "/user/identity/remember/username")
    step(broker, "POST", "/user/identity/remember/username/1", {})


def authenticate(broker: Broker, password: str = "open-sesame") -> PaperReply:
    body = {"username": "demo", "password": password}
    return step(broker, "POST", "/user/factor/password/authentication", body)


def test_the_handshake_sets_the_cookies_of_the_protocol(broker: Broker) -> None:
    first = step(broker, "GET", "/prgw/digital/login/atp")
    assert first.status == 200
    assert ("Content-Type", "text/html;charset=utf-8") in first.headers
    assert set(cookies_of(first)) == {"SESSION_SCTX"}
    ended = step(broker, "DELETE", "/user/session/login", {})
    assert (ended.status, ended.body) == (204, b"")
    assert status_of(step(broker, "GET", "/user/identity/remember/username")) == 1200
    chosen = step(broker, "POST", "/user/identity/remember/username/1", {})
    assert status_of(chosen) == 1200
    assert "ET" in cookies_of(chosen)
    assert status_of(authenticate(broker)) == 1200
    assert status_of(step(broker, "PUT", "/user/identity/remember/username", {})) == 1200
    session = step(broker, "POST", "/user/session/login", {})
    assert status_of(session) == 1200
    assert set(cookies_of(session)) == {"ATC", "FC", "RC", "SC"}
    alive = broker.ask("GET", "/ftgw/digital/portfolio/extendsession")
    assert (alive.status, alive.body) == (200, b"")
    assert set(cookies_of(alive)) == {"ATC", "FC", "RC", "SC"}


def test_the_envelope_is_the_documented_one(broker: Broker) -> None:
    to_password(broker)
    import json

    document = json.loads(authenticate(broker).body)
    assert set(document) == {
        "responseBaseInfo",
        "authenticators",
        "location",
        "referenceId",
        "callbacks",
        "isPreferredAuthenticatorUnavailable",
    }
    info = document["responseBaseInfo"]
    assert info["sessionTokens"] is None
    assert info["links"] == []
    assert info["status"]["message"] == "User Authenticated"
    assert set(info["status"]) == {"code", "message", "requestIdentifier", "Context"}


def test_wrong_password_wrong_order_and_lock(broker: Broker) -> None:
    to_password(broker)
    assert status_of(step(broker, "POST", "/user/session/login", {})) == 1400
    for _ in range(MAX_FAILURES):
        assert status_of(authenticate(broker, "guess")) == 1400
    assert status_of(authenticate(broker)) == 1401


def test_second_factor(broker: Broker) -> None:
    broker.desk.logins.user = User(username="demo", password="open-sesame", totp_secret=SECRET)
    to_password(broker)
    assert status_of(authenticate(broker)) == 1200
    asked = step(broker, "POST", "/user/session/login", {})
    assert status_of(asked) == 1201
    assert not cookies_of(asked)
    factor = "/user/factor/totp/authentication"
    assert status_of(step(broker, "POST", factor, {"securityCode": "000000"})) == 1400
    right = code_of(SECRET, int(NOW.timestamp()) // STEP)
    assert status_of(step(broker, "POST", factor, {"securityCode": right})) == 1200
    assert status_of(step(broker, "POST", factor, {"securityCode": right})) == 1400, "a code counts once"
    session = step(broker, "POST", "/user/session/login", {})
    assert status_of(session) == 1200
    assert "ATC" in cookies_of(session)


def test_without_a_session_calls_are_turned_away(broker: Broker) -> None:
    assert broker.ask("POST", "/ftgw/dp/position/v2", body={}).status == 401
    gone = broker.ask("GET", "/ftgw/digital/portfolio/extendsession")
    assert gone.status == 302
    assert dict(gone.headers)["Location"].startswith("/prgw/digital/login/atp")
    broker.desk.logins.rules.data_refusal = "html"
    page = broker.ask("POST", "/ftgw/dp/position/v2", body={})
    assert page.status == 200
    assert page.body.startswith(b"<!DOCTYPE html>")


def test_a_session_dies_of_idleness_and_lives_by_keep_alive(broker: Broker) -> None:
    broker.log_in()
    path = "/ftgw/digital/portfolio/extendsession"
    for _ in range(3):
        broker.now += timedelta(minutes=25)
        broker.cookies |= cookies_of(broker.ask("GET", path))
        assert broker.ask("POST", "/ftgw/digital/pico/api/v1/context/security", body={}).status == 200
    broker.now += timedelta(minutes=31)
    assert broker.ask("GET", path).status == 302


def test_old_cookie_values_live_for_a_minute(broker: Broker) -> None:
    broker.log_in()
    old = dict(broker.cookies)
    broker.ask("GET", "/ftgw/digital/portfolio/extendsession")
    broker.cookies = old
    broker.now += timedelta(seconds=59)
    context = "/ftgw/digital/pico/api/v1/context/security"
    assert broker.ask("POST", context, body={}).status == 200
    broker.now += timedelta(seconds=2)
    assert broker.ask("POST", context, body={}).status == 401


def test_the_security_context_names_the_entitlements(broker: Broker) -> None:
    broker.log_in(quotes=False)
    document = broker.json("POST", "/ftgw/digital/pico/api/v1/context/security", body={})
    rights = {row["display"]: row["value"] for row in document["entitlements"]}
    assert rights["RTQ"] == "true"
    assert rights["ProfessionalQuotes"] == "false"
    assert {row["type"] for row in document["internalSystemIds"]} == {"MID", "TRACKER_ID"}
    assert all(len(row["ID"]) == 16 for row in document["internalSystemIds"])
    assert document["errors"] == []


def test_unknown_paths_say_so(broker: Broker) -> None:
    reply = broker.ask("GET", "/nothing/here")
    assert (reply.status, reply.body) == (404, b'{"sim":"unknown path"}')
