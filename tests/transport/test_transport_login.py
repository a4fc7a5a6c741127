"""The login handshake over a real socket (protocol 00 §3)."""

import json
from datetime import timedelta

import pytest
from broker_double import (
    CONTEXT,
    DATA,
    KEEP_ALIVE,
    LOGIN_HTML,
    LOGIN_PAGE,
    PASS,
    PASSWORD,
    REMEMBER,
    SEED,
    SESSION,
    TOTP,
    USER,
    Authenticator,
    BrokerDouble,
    Clock,
    Fault,
)

from ftcli.errors import (
    AuthRequired,
    BrokerError,
    LostReply,
    NotSent,
    RateLimited,
    TotpRequired,
    ValidationFailed,
)
from ftcli.redaction import Secret
from ftcli.transport.login import read_envelope
from ftcli.wire import WireRequest

PLAIN_ORDER = [
    ("GET", LOGIN_PAGE),
    ("DELETE", SESSION),
    ("GET", REMEMBER),
    ("POST", f"{REMEMBER}/1"),
    ("POST", PASSWORD),
    ("PUT", REMEMBER),
    ("POST", SESSION),
    ("POST", CONTEXT),
]
TOTP_ORDER = [*PLAIN_ORDER[:-1], ("POST", TOTP), ("POST", SESSION), ("POST", CONTEXT)]


def order_of(double: BrokerDouble) -> list[tuple[str, str]]:
    return [(seen.method, seen.path) for seen in double.seen]


async def test_the_handshake_makes_the_documented_calls_in_order(double, make) -> None:
    async with make() as broker:
        result = await broker.login(USER, Secret(PASS))
    assert order_of(double) == PLAIN_ORDER
    assert double.complaints == []
    assert result.username == USER
    assert result.real_time_quotes is True
    assert result.member_id.reveal() == "0011223344556677"
    assert result.warnings == ()


async def test_every_call_carries_its_documented_headers_and_body(double, make) -> None:
    async with make(app_version="4.5.1.4") as broker:
        await broker.login(USER, Secret(PASS))
    page, clear, _, _, password, _, opened, context = double.seen
    target = "https%3A%2F%2Fdigital.fidelity.com%2Fftgw%2Fdigital%2Fportfolio%2Fextendsession"
    assert page.raw_path == f"{LOGIN_PAGE}?exp=new&AuthRedUrl={target}"
    assert page.headers["appid"] == "RETAIL-CC-LOGIN-SDK"
    assert page.headers["user-agent"].startswith("Mozilla/5.0 (Windows NT 10.0; Win64; x64)")
    assert page.headers["user-agent"].endswith("ATPNext/4.5.1.4 FTPlusDesktop/4.5.1.4")
    assert page.headers["content-type"] == "application/json"
    assert (clear.body, clear.headers["accept-token-type"]) == (b"{}", "FAC")
    assert json.loads(password.body) == {"username": USER, "password": PASS}
    assert (opened.body, opened.headers["eventtype"], opened.headers["sub_eventtype"]) == (
        b"{}",
        "LOGIN",
        "rt_login",
    )
    assert "eventtype" not in password.headers
    assert context.body == b"{}"
    assert context.headers["appid"] == "AP149323"
    assert context.headers["user-agent"] == "ATPNext/4.5.1.4 FTPlusDesktop/4.5.1.4"
    assert context.headers["content-type"] == "application/json; charset=utf-8"
    ids = [seen.headers["fsreqid"] for seen in double.seen]
    assert len(set(ids)) == len(ids)


async def test_cookies_build_up_through_the_handshake(double, make) -> None:
    async with make() as broker:
        await broker.login(USER, Secret(PASS))
    names = [set(seen.cookies) for seen in double.seen]
    assert names[0] == set()
    assert names[1] == {"SESSION_SCTX"}
    assert names[4] == {"SESSION_SCTX", "ET"}
    assert names[7] == {"SESSION_SCTX", "ET", "ATC", "FC", "RC", "SC"}


@pytest.mark.parametrize("secret", [SEED, SEED.lower(), "jbsw y3dp-ehpk 3pxp", f" {SEED}====== "])
async def test_a_secret_gives_the_code_of_the_moment(double, make, clock: Clock, secret: str) -> None:
    double.users = {USER: (PASS, SEED)}
    async with make() as broker:
        await broker.login(USER, Secret(PASS), Secret(secret))
    assert order_of(double) == TOTP_ORDER
    assert json.loads(double.calls(TOTP)[0].body) == {"securityCode": Authenticator(SEED).at(clock())}
    assert double.complaints == []


async def test_a_typed_code_is_sent_as_it_is(double, make, clock: Clock) -> None:
    double.users = {USER: (PASS, SEED)}
    code = Authenticator(SEED).at(clock())
    async with make() as broker:
        await broker.login(USER, Secret(PASS), Secret(f" {code} "))
    assert json.loads(double.calls(TOTP)[0].body) == {"securityCode": code}


async def test_the_next_code_is_awaited_at_the_end_of_a_step(double, make, clock: Clock) -> None:
    double.users = {USER: (PASS, SEED)}
    clock.forward(seconds=20.5)  # 27.5 s into the step
    async with make() as broker:
        await broker.login(USER, Secret(PASS), Secret(SEED))
    assert clock.sleeps == [pytest.approx(3.0)]
    assert double.logins == 1


async def test_the_same_code_is_never_sent_twice(double, make, clock: Clock) -> None:
    double.users = {USER: (PASS, SEED)}
    async with make(stored=True) as broker:
        await broker.login(USER, Secret(PASS), Secret(SEED))
    async with make(stored=True) as another_process:
        await another_process.login(USER, Secret(PASS), Secret(SEED))
    codes = [json.loads(seen.body)["securityCode"] for seen in double.calls(TOTP)]
    assert len(set(codes)) == 2
    assert clock.sleeps == [pytest.approx(23.5)]
    assert double.logins == 2


async def test_a_typed_code_is_refused_the_second_time_without_a_call(double, make, clock: Clock) -> None:
    double.users = {USER: (PASS, SEED)}
    code = Secret(Authenticator(SEED).at(clock()))
    async with make() as broker:
        await broker.login(USER, Secret(PASS), code)
        before = len(double.seen)
        with pytest.raises(ValidationFailed, match="used already"):
            await broker.login(USER, Secret(PASS), code)
        assert len(double.seen) == before


@pytest.mark.parametrize("wrong", ["12345", "1234567", "not base32!", "18181818", "----"])
async def test_an_unusable_factor_fails_before_any_call(double, make, wrong: str) -> None:
    async with make() as broker:
        with pytest.raises(ValidationFailed) as caught:
            await broker.login(USER, Secret(PASS), Secret(wrong))
    assert double.seen == []
    assert wrong not in str(caught.value) + repr(caught.value.details)


async def test_a_wrong_password_is_tried_exactly_once(double, make) -> None:
    async with make() as broker:
        with pytest.raises(AuthRequired) as caught:
            await broker.login(USER, Secret("wrong-password-1"))
        assert broker.state == "disconnected"
    assert len(double.calls(PASSWORD)) == 1
    assert double.calls(SESSION, "POST") == []
    assert caught.value.details == {
        "step": "password",
        "broker_code": 1400,
        "broker_message": "Authentication Failed",
    }
    assert "Authentication Failed" in caught.value.message


async def test_a_missing_password_is_asked_for(double, make) -> None:
    async with make(credentials=False) as broker:
        with pytest.raises(ValidationFailed, match="password"):
            await broker.login(USER)
        with pytest.raises(ValidationFailed, match="username"):
            await broker.login()
    assert double.seen == []


async def test_credentials_of_another_user_are_not_mixed(double, make) -> None:
    async with make() as broker:
        with pytest.raises(ValidationFailed, match="password"):
            await broker.login("somebody-else")
    assert double.seen == []


class TestSecondFactorLater:
    async def test_the_login_waits_for_its_code(self, double, make, clock: Clock) -> None:
        double.users = {USER: (PASS, SEED)}
        async with make() as broker:
            with pytest.raises(TotpRequired) as caught:
                await broker.login(USER, Secret(PASS))
            assert broker.state == "totp_pending"
            assert (await broker.status()).state == "totp_pending"
            with pytest.raises(TotpRequired):
                await broker.send(WireRequest(host="dp", method="POST", path=DATA, body={}))
            clock.forward(seconds=100)
            await broker.answer_totp(Secret(Authenticator(SEED).at(clock())))
            assert broker.state == "authenticated"
        assert caught.value.details["factors"] == []
        assert len(double.calls(PASSWORD)) == 1
        assert order_of(double) == TOTP_ORDER

    async def test_after_two_minutes_the_login_is_over(self, double, make, clock: Clock) -> None:
        double.users = {USER: (PASS, SEED)}
        async with make() as broker:
            with pytest.raises(TotpRequired):
                await broker.login(USER, Secret(PASS))
            clock.forward(seconds=120)
            assert broker.state == "disconnected"
            with pytest.raises(AuthRequired, match="No login is waiting"):
                await broker.answer_totp(Secret("123456"))
        assert double.calls(TOTP) == []

    async def test_a_refused_code_uses_the_login_up(self, double, make, clock: Clock) -> None:
        double.users = {USER: (PASS, SEED)}
        async with make() as broker:
            with pytest.raises(TotpRequired):
                await broker.login(USER, Secret(PASS))
            with pytest.raises(AuthRequired) as caught:
                await broker.answer_totp(Secret("000000"))
            assert caught.value.details["step"] == "totp"
            with pytest.raises(AuthRequired, match="No login is waiting"):
                await broker.answer_totp(Secret(Authenticator(SEED).at(clock())))
        assert len(double.calls(TOTP)) == 1

    async def test_a_form_error_leaves_the_login_waiting(self, double, make, clock: Clock) -> None:
        double.users = {USER: (PASS, SEED)}
        async with make() as broker:
            with pytest.raises(TotpRequired):
                await broker.login(USER, Secret(PASS))
            with pytest.raises(ValidationFailed):
                await broker.answer_totp(Secret("12345"))
            await broker.answer_totp(Secret(Authenticator(SEED).at(clock())))
            assert broker.state == "authenticated"

    async def test_a_second_1201_is_an_unsupported_factor(self, double, make) -> None:
        double.users = {USER: (PASS, SEED)}
        again = {
            "responseBaseInfo": {"status": {"code": "1201", "message": "More"}},
            "authenticators": [{"type": "SMS", "phone": "555-0100"}],
        }
        async with make() as broker:
            with pytest.raises(TotpRequired):
                await broker.login(USER, Secret(PASS))
            double.fail(f"POST {SESSION}", Fault(200, json.dumps(again)))
            with pytest.raises(AuthRequired) as caught:
                await broker.answer_totp(Secret(SEED))
        assert "not supported" in caught.value.message
        assert caught.value.details["factors"] == ["type", "phone"]
        assert "555-0100" not in repr(caught.value.details)


class TestTrouble:
    """What each failure means, and that nothing is repeated from the password on (protocol 00 §3.9)."""

    @pytest.mark.parametrize("step", [LOGIN_PAGE, f"GET {REMEMBER}", f"{REMEMBER}/1"])
    @pytest.mark.parametrize("fault", [{"drop": True}, {"status": 503}])
    async def test_early_steps_are_tried_three_times(
        self, double, make, clock: Clock, step: str, fault
    ) -> None:
        double.fail(step, Fault(**fault), Fault(**fault))
        async with make() as broker:
            await broker.login()
        assert clock.sleeps == [1.0, 2.0]
        assert double.logins == 1

    async def test_a_page_that_stays_down_ends_the_login(self, double, make) -> None:
        double.fail(LOGIN_PAGE, *[Fault(502)] * 3)
        async with make() as broker:
            with pytest.raises(BrokerError) as caught:
                await broker.login()
        assert caught.value.details == {"step": "login_page", "host": "digital", "status": 502}
        assert double.calls(PASSWORD) == []

    @pytest.mark.parametrize("step", [f"GET {REMEMBER}", f"{REMEMBER}/1"])
    async def test_answers_that_do_not_matter_may_fail_for_good(self, double, make, step: str) -> None:
        double.fail(step, *[Fault(500)] * 3)
        async with make() as broker:
            await broker.login()
        assert double.logins == 1

    @pytest.mark.parametrize("status", [400, 404, 500])
    async def test_clearing_the_old_session_may_fail(self, double, make, clock: Clock, status: int) -> None:
        double.fail(f"DELETE {SESSION}", Fault(status, "<html>no</html>"))
        async with make() as broker:
            await broker.login()
        assert clock.sleeps == []

    @pytest.mark.parametrize(
        ("step", "name"), [(PASSWORD, "password"), (f"POST {SESSION}", "open_session"), (TOTP, "totp")]
    )
    @pytest.mark.parametrize(
        "fault", [{"drop": True}, {"hang": True}, {"status": 500}, {"status": 502, "body": LOGIN_HTML}]
    )
    async def test_later_steps_are_sent_once(
        self, double, make, clock: Clock, step: str, name: str, fault
    ) -> None:
        double.users = {USER: (PASS, SEED)}
        double.fail(step, Fault(**fault))
        async with make(timeout=1.0) as broker:
            with pytest.raises(LostReply) as caught:
                await broker.login(USER, Secret(PASS), Secret(SEED))
            assert broker.state == "disconnected"
        assert len(double.calls(step.split()[-1], "POST")) == 1
        assert caught.value.details["step"] == name
        assert caught.value.sent
        assert not caught.value.retryable
        assert clock.sleeps == []

    async def test_no_connection_at_all(self, make, clock: Clock) -> None:
        async with make(upstream="http://127.0.0.1:1") as broker:
            with pytest.raises(BrokerError) as caught:
                await broker.login()
        assert caught.value.details["step"] == "login_page"
        assert clock.sleeps == [1.0, 2.0]

    @pytest.mark.parametrize("step", [f"GET {REMEMBER}", PASSWORD, f"PUT {REMEMBER}", f"POST {SESSION}"])
    async def test_a_challenge_page_stops_the_login(self, double, make, step: str) -> None:
        double.fail(step, Fault(200, f"<html>Are you human? {USER} {PASS}</html>"))
        async with make() as broker:
            with pytest.raises(BrokerError) as caught:
                await broker.login()
        assert "official app" in caught.value.message
        assert "Are you human?" in caught.value.details["excerpt"]
        assert PASS not in caught.value.details["excerpt"]
        assert not isinstance(caught.value, NotSent)

    @pytest.mark.parametrize(
        "step", [LOGIN_PAGE, f"DELETE {SESSION}", f"GET {REMEMBER}", PASSWORD, f"POST {SESSION}"]
    )
    async def test_throttling_stops_the_login(self, double, make, clock: Clock, step: str) -> None:
        double.fail(step, Fault(429, "slow down", headers={"Retry-After": "77"}))
        async with make() as broker:
            with pytest.raises(RateLimited) as caught:
                await broker.login()
        assert caught.value.retry_after == 77.0
        assert clock.sleeps == []

    async def test_the_code_in_the_body_decides_at_any_status(self, double, make) -> None:
        refusal = {"responseBaseInfo": {"status": {"code": "1400", "message": "Locked"}}}
        double.fail(PASSWORD, Fault(403, json.dumps(refusal)))
        async with make() as broker:
            with pytest.raises(AuthRequired, match="Locked"):
                await broker.login()

    async def test_codes_may_be_text(self, double, make) -> None:
        double.code_as_text = True
        async with make() as broker:
            await broker.login()
        assert double.logins == 1

    async def test_a_session_without_known_cookies_is_verified(self, double, make) -> None:
        double.sets_cookies = False
        async with make() as broker:
            with pytest.raises(AuthRequired, match="opened no session"):
                await broker.login()
        assert len(double.calls(KEEP_ALIVE)) == 1

    async def test_delayed_quotes_are_told(self, double, make) -> None:
        double.fail(CONTEXT, Fault(500))
        async with make() as broker:
            result = await broker.login()
        assert result.real_time_quotes is None
        assert any("delayed" in warning for warning in result.warnings)


async def test_the_login_page_may_redirect_within_the_broker(double, make) -> None:
    elsewhere = f"https://digital.fidelity.com{LOGIN_PAGE}?again=1"
    double.fail(LOGIN_PAGE, Fault(302, headers={"Location": elsewhere}))
    async with make() as broker:
        await broker.login()
    assert [seen.raw_path for seen in double.calls(LOGIN_PAGE)][1:] == [f"{LOGIN_PAGE}?again=1"]


async def test_a_redirect_to_a_stranger_is_not_followed(double, make) -> None:
    double.fail(LOGIN_PAGE, Fault(302, headers={"Location": "http://192.0.2.1/steal"}))
    async with make() as broker:
        await broker.login()
    assert double.logins == 1


async def test_each_login_begins_with_an_empty_jar(double, make) -> None:
    async with make() as broker:
        await broker.login()
        first = double.calls(DATA)
        await broker.login()
    assert first == []
    assert [seen.cookies for seen in double.calls(LOGIN_PAGE)] == [{}, {}]


async def test_cookies_in_their_real_form_work_on_loopback(double, make) -> None:
    double.domain = ".fidelity.com"
    async with make() as broker:
        await broker.login()
        reply = await broker.send(WireRequest(host="dp", method="POST", path=DATA, body={}))
    assert reply.document == {"path": DATA}


async def test_logout_ends_the_session_and_forgets_it(double, make, tmp_path) -> None:
    async with make(stored=True) as broker:
        await broker.login()
        assert (tmp_path / "test.session").exists()
        assert await broker.logout() is True
        assert broker.state == "disconnected"
        assert not (tmp_path / "test.session").exists()
        with pytest.raises(AuthRequired):
            broker.cookie_header("mdds")
    last = double.seen[-1]
    assert (last.method, last.path, last.body) == ("DELETE", SESSION, b"{}")
    assert last.headers["accept-token-type"] == "FAC"
    assert "ATC" in last.cookies


@pytest.mark.parametrize("fault", [Fault(500), Fault(drop=True)])
async def test_logout_forgets_whatever_the_broker_answers(double, make, tmp_path, fault: Fault) -> None:
    async with make(stored=True) as broker:
        await broker.login()
        double.fail(f"DELETE {SESSION}", fault)
        assert await broker.logout() is False
        assert broker.state == "disconnected"
    assert not (tmp_path / "test.session").exists()


async def test_another_process_logs_out_the_saved_session(double, make) -> None:
    async with make(stored=True) as broker:
        await broker.login()
        async with make(stored=True) as other:
            assert await other.logout() is True
        with pytest.raises(AuthRequired):
            await broker.send(WireRequest(host="dp", method="POST", path=DATA, body={}))
    assert "ATC" in double.calls(SESSION, "DELETE")[-1].cookies


async def test_the_status_estimates_the_end(double, make, clock: Clock) -> None:
    async with make() as broker:
        assert (await broker.status()).state == "disconnected"
        await broker.login()
        clock.forward(minutes=4)
        offline = await broker.status(offline=True)
        assert offline.last_keep_alive == clock() - timedelta(minutes=4)
        assert offline.expires_estimate == clock() + timedelta(minutes=26)
        assert double.calls(KEEP_ALIVE) == []
        online = await broker.status()
        assert (online.state, online.last_keep_alive) == ("authenticated", clock())
        assert (online.username, online.real_time_quotes) == (USER, True)
        double.expire()
        assert (await broker.status()).state == "expired"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"x"',
        b'{"responseBaseInfo":null}',
        b'{"responseBaseInfo":{"status":[]}}',
        b'{"responseBaseInfo":{"status":{"code":true}}}',
        b'{"responseBaseInfo":{"status":{"code":"12x"}}}',
        b"{broken",
        b"<html></html>",
        b'{"responseBaseInfo":{"status":{"message":"no code"}}}',
    ],
)
def test_what_is_no_envelope(body: bytes) -> None:
    assert read_envelope(body) is None


def test_an_envelope_is_read_leniently() -> None:
    envelope = read_envelope(
        b'{"responseBaseInfo":{"status":{"code":" 1201 ","new":1}},"callbacks":["x",{"a":1}]}'
    )
    assert envelope is not None
    assert (envelope.code, envelope.message, envelope.factors) == (1201, "", ("str", "a"))
