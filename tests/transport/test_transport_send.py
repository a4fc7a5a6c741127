"""Calls over a real socket: headers, documents, retries by class, and the certainty that N is sent once."""

import asyncio
import json
import socket
from decimal import Decimal

import pytest
from broker_double import (
    CONTEXT,
    DATA,
    KEEP_ALIVE,
    LOGIN_HTML,
    MONTAGE,
    PLACE,
    BrokerDouble,
    Clock,
    Fault,
)

from ftcli.errors import (
    AuthRequired,
    BrokerError,
    CallRefused,
    FtError,
    InternalError,
    LostReply,
    NotSent,
    RateLimited,
    SessionExpired,
    UpstreamTimeout,
    ValidationFailed,
)
from ftcli.wire import Retry, WireRequest

READ = WireRequest(host="dp", method="POST", path=DATA, body={})
PREVIEW = WireRequest(host="dp", method="POST", path="/ftgw/dp/x/preview/v1", body={}, retry=Retry.PREVIEW)
WRITE = WireRequest(host="dp", method="POST", path="/ftgw/dp/x/delete", body={}, retry=Retry.WRITE)
NEVER = WireRequest(host="dp", method="POST", path=PLACE, body={}, retry=Retry.NEVER)


class TestTheCall:
    async def test_it_carries_the_data_profile_and_the_cookies(self, double, broker) -> None:
        await broker.send(READ)
        seen = double.calls(DATA)[0]
        assert seen.headers["appid"] == "AP149323"
        assert seen.headers["appname"] == "Active Trader Desktop for Windows"
        assert seen.headers["content-type"] == "application/json; charset=utf-8"
        assert seen.headers["accept"] == "application/json"
        assert seen.headers["accept-encoding"] == "gzip, deflate"
        assert len(seen.headers["fsreqid"]) == 35
        assert {"ATC", "FC", "RC", "SC"} <= set(seen.cookies)

    async def test_numbers_keep_their_digits_both_ways(self, double, broker) -> None:
        double.answers[DATA] = '{"price": 150.10, "qty": 3, "big": 12345678901234567890.12}'
        body = {"limit": Decimal("1E+2"), "stop": Decimal("0.10"), "small": [Decimal("1E-7")]}
        reply = await broker.send(WireRequest(host="dp", method="POST", path=DATA, body=body))
        assert double.calls(DATA)[0].body == b'{"limit":100,"stop":0.10,"small":[0.0000001]}'
        assert reply.document == {
            "price": Decimal("150.10"),
            "qty": 3,
            "big": Decimal("12345678901234567890.12"),
        }
        assert reply.body == double.answers[DATA].encode()
        assert reply.status == 200

    async def test_a_text_body_and_its_headers_go_as_they_are(self, double, broker) -> None:
        request = WireRequest(
            host="alerts",
            method="POST",
            path="/ftgw/alerts/services/ATBTSubscription",
            body="<a>ü</a>",
            headers={"content-type": "application/x-www-form-urlencoded", "SOAPAction": "CustomerSignOn"},
        )
        await broker.send(request)
        seen = double.seen[-1]
        assert seen.body == "<a>ü</a>".encode()
        assert seen.headers["content-type"] == "application/x-www-form-urlencoded"
        assert seen.headers["soapaction"] == "CustomerSignOn"

    async def test_an_empty_post_says_so(self, double, broker) -> None:
        await broker.send(WireRequest(host="news", method="POST", path="/ftgw/snaz/Authorize"))
        assert double.seen[-1].headers["content-length"] == "0"

    async def test_the_query_is_encoded(self, double, broker) -> None:
        query = {"symbols": "A,B", "fvSymbol": "X|Y", "startDate": "2026/07/08-09:30:00", "q": "a b&c=d+e"}
        await broker.send(WireRequest(host="dp", method="GET", path="/ftgw/dpdirect/search", query=query))
        assert double.seen[-1].raw_path == (
            "/ftgw/dpdirect/search?symbols=A,B&fvSymbol=X%7CY&startDate=2026%2F07%2F08-09%3A30%3A00&q=a%20b%26c%3Dd%2Be"
        )

    async def test_foreign_hosts_get_neither_cookies_nor_ids(self, double, make) -> None:
        double.answers["/scan"] = "<Livevol/>"
        double.dead_data = "200"  # the scanner knows no session of the broker's
        async with make(credentials=False) as broker:
            await broker.send(
                WireRequest(host="livevol", method="POST", path="/scan", body="TOKEN=x&SCANID=2")
            )
        seen = double.seen[-1]
        assert seen.cookies == {}
        assert "fsreqid" not in seen.headers

    async def test_the_reply_shows_no_cookies(self, double, broker) -> None:
        double.fail(
            DATA, Fault(200, "{}", headers={"Set-Cookie": "CDN=abcdef123456; Path=/", "X-Thing": "1"})
        )
        reply = await broker.send(READ)
        assert reply.headers["x-thing"] == "1"
        assert "set-cookie" not in reply.headers
        await broker.send(READ)
        assert double.calls(DATA)[-1].cookies["CDN"] == "abcdef123456"

    async def test_a_cookie_may_hold_any_letter(self, double, broker) -> None:
        double.fail(DATA, Fault(200, "{}", headers={"Set-Cookie": "CDN=größe; Path=/"}))
        await broker.send(READ)
        await broker.send(READ)
        assert double.calls(DATA)[-1].headers["cookie"].endswith("CDN=größe")

    async def test_bytes_are_sent_as_they_are(self, double, broker) -> None:
        await broker.send(WireRequest(host="dp", method="POST", path=DATA, body=b"\x00raw"))
        assert double.calls(DATA)[-1].body == b"\x00raw"

    @pytest.mark.parametrize("host", ["mdds", "beps"])
    async def test_a_stream_takes_no_call(self, broker, host: str) -> None:
        with pytest.raises(InternalError):
            await broker.send(WireRequest(host=host, method="GET", path="/"))

    async def test_a_path_cannot_run_into_the_host(self, double, broker) -> None:
        before = len(double.seen)
        with pytest.raises(InternalError):
            await broker.send(WireRequest(host="dp", method="GET", path="@192.0.2.1/"))
        assert len(double.seen) == before

    async def test_an_unknown_host_is_named(self, broker) -> None:
        with pytest.raises(ValidationFailed, match="fastquote"):
            await broker.send(WireRequest(host="fastquotes", method="GET", path="/"))


class TestReads:
    @pytest.mark.parametrize(
        "fault", [Fault(500), Fault(502), Fault(503), Fault(504), Fault(429), Fault(drop=True)]
    )
    async def test_a_passing_fault_is_ridden_out(self, double, broker, clock: Clock, fault: Fault) -> None:
        double.fail(DATA, fault, fault, fault)
        assert (await broker.send(READ)).status == 200
        assert clock.sleeps == [1.0, 2.0, 4.0]
        assert len(double.calls(DATA)) == 4

    async def test_a_lasting_fault_is_told(self, double, broker) -> None:
        double.fail(DATA, *[Fault(503, "<oops/>")] * 4)
        with pytest.raises(BrokerError) as caught:
            await broker.send(READ)
        assert caught.value.details == {"host": "dp", "path": DATA, "status": 503, "excerpt": "<oops/>"}
        assert len(double.calls(DATA)) == 4

    async def test_retry_after_in_seconds_replaces_the_delay(self, double, broker, clock: Clock) -> None:
        double.fail(DATA, Fault(429, headers={"Retry-After": "17"}))
        await broker.send(READ)
        assert clock.sleeps == [17.0]

    async def test_retry_after_as_a_date_replaces_the_delay(self, double, broker, clock: Clock) -> None:
        double.fail(DATA, Fault(503, headers={"Retry-After": "Thu, 14 May 2026 14:42:30 GMT"}))
        await broker.send(READ)
        assert clock.sleeps == [23.0]

    async def test_a_long_retry_after_is_left_to_the_caller(self, double, broker, clock: Clock) -> None:
        double.fail(DATA, Fault(429, headers={"Retry-After": "61"}))
        with pytest.raises(RateLimited) as caught:
            await broker.send(READ)
        assert caught.value.retry_after == 61.0
        assert clock.sleeps == []

    @pytest.mark.parametrize("status", [400, 404, 405, 409, 422, 501])
    async def test_a_definite_refusal_is_not_repeated(self, double, broker, status: int) -> None:
        double.fail(DATA, Fault(status, "no"))
        with pytest.raises(BrokerError) as caught:
            await broker.send(READ)
        assert caught.value.details["status"] == status
        assert len(double.calls(DATA)) == 1
        assert isinstance(caught.value, CallRefused) == (status < 500)

    async def test_no_answer_in_time(self, double, make) -> None:
        async with make(stored=True) as patient:
            await patient.login()
        async with make(stored=True, timeout=0.15) as broker:
            double.fail(DATA, *[Fault(hang=True)] * 4)
            with pytest.raises(UpstreamTimeout):
                await broker.send(READ)
        assert len(double.calls(DATA)) == 4

    async def test_an_answer_that_cannot_be_read(self, double, broker) -> None:
        double.fail(DATA, Fault(200, '{"half": '))
        with pytest.raises(BrokerError, match="cannot be read") as caught:
            await broker.send(READ)
        assert caught.value.details["excerpt"] == '{"half":'

    async def test_garbled_compression(self, double, broker) -> None:
        double.fail(DATA, *[Fault(200, "no gzip", headers={"Content-Encoding": "gzip"})] * 4)
        with pytest.raises(BrokerError, match="cannot be read"):
            await broker.send(READ)

    async def test_a_page_while_the_session_is_alive_is_no_expiry(self, double, broker) -> None:
        double.fail(DATA, Fault(200, LOGIN_HTML))
        with pytest.raises(BrokerError, match="web page") as caught:
            await broker.send(READ)
        assert len(double.calls(KEEP_ALIVE)) == 1
        assert double.logins == 1
        assert "Log in" in caught.value.details["excerpt"]

    @pytest.mark.parametrize("status", [401, 403])
    @pytest.mark.parametrize("host", ["fastquote", "news", "alerts"])
    async def test_a_refusal_while_the_session_is_alive_is_one_of_the_call(
        self, double, broker, host: str, status: int
    ) -> None:
        double.fail("/x", Fault(status, "you may not"))
        with pytest.raises(CallRefused, match="not permitted"):
            await broker.send(WireRequest(host=host, method="GET", path="/x"))
        assert len(double.calls(KEEP_ALIVE)) == 1
        assert double.logins == 1

    async def test_a_soap_fault_while_the_session_is_alive(self, double, broker) -> None:
        double.fail("/x", Fault(500, "<s:Envelope><s:Fault/></s:Envelope>"))
        with pytest.raises(BrokerError) as caught:
            await broker.send(WireRequest(host="alerts", method="POST", path="/x", body="<a/>"))
        assert caught.value.details["status"] == 500
        assert len(double.calls(KEEP_ALIVE)) == 1


class TestPreviewsAndWrites:
    @pytest.mark.parametrize("fault", [Fault(500), Fault(501), Fault(drop=True)])
    async def test_a_preview_is_repeated_once(self, double, broker, clock: Clock, fault: Fault) -> None:
        double.fail(PREVIEW.path, fault)
        await broker.send(PREVIEW)
        assert clock.sleeps == [1.0]
        double.fail(PREVIEW.path, fault, fault)
        with pytest.raises(BrokerError):
            await broker.send(PREVIEW)
        assert len(double.calls(PREVIEW.path)) == 4

    async def test_a_throttled_preview_is_not(self, double, broker) -> None:
        double.fail(PREVIEW.path, Fault(429, headers={"Retry-After": "2"}))
        with pytest.raises(RateLimited):
            await broker.send(PREVIEW)
        assert len(double.calls(PREVIEW.path)) == 1

    @pytest.mark.parametrize(
        "fault", [Fault(500), Fault(503, headers={"Retry-After": "1"}), Fault(drop=True)]
    )
    async def test_a_write_is_not_repeated(self, double, broker, fault: Fault) -> None:
        double.fail(WRITE.path, fault)
        with pytest.raises(BrokerError) as caught:
            await broker.send(WRITE)
        assert not isinstance(caught.value, LostReply)
        assert len(double.calls(WRITE.path)) == 1


class TestNever:
    """The heart of it: whatever happens, an order leaves once, and doubt is called doubt."""

    @pytest.mark.parametrize(
        "fault",
        [
            Fault(drop=True),
            Fault(drop=True, acts=True),
            Fault(500),
            Fault(502, LOGIN_HTML),
            Fault(503, headers={"Retry-After": "1"}),
            Fault(504),
            Fault(408),
            Fault(200, LOGIN_HTML),
            Fault(303, headers={"Location": "/elsewhere"}),
            Fault(200, '{"place": {"con'),
            Fault(200, "no gzip", headers={"Content-Encoding": "gzip"}),
        ],
        ids=[
            "reset",
            "reset-after-acting",
            "500",
            "502",
            "503",
            "504",
            "408",
            "html",
            "303",
            "half",
            "garbled",
        ],
    )
    async def test_a_lost_answer_is_lost_and_sent_once(
        self, double, broker, clock: Clock, fault: Fault
    ) -> None:
        double.fail(PLACE, fault)
        with pytest.raises(LostReply) as caught:
            await broker.send(NEVER)
        assert caught.value.sent is True
        assert caught.value.outcome_unknown
        assert not caught.value.retryable
        assert not isinstance(caught.value, NotSent)
        assert caught.value.details["sent"] is True
        assert len(double.calls(PLACE)) == 1
        assert clock.sleeps == []
        assert double.logins == 1

    async def test_a_timeout_is_lost_and_sent_once(self, double, make) -> None:
        async with make(stored=True) as patient:
            await patient.login()
        async with make(stored=True, timeout=0.2) as broker:
            double.fail(PLACE, Fault(hang=True))
            with pytest.raises(LostReply) as caught:
                await broker.send(NEVER)
        assert caught.value.sent is True
        assert len(double.calls(PLACE)) == 1

    async def test_without_a_connection_nothing_was_sent(self, double, broker) -> None:
        url = double.url
        await double.stop()
        with pytest.raises(NotSent) as caught:
            await broker.send(NEVER)
        assert caught.value.sent is False
        assert not caught.value.outcome_unknown
        assert url  # the double is gone, its port refuses

    async def test_a_failed_tls_handshake_sent_nothing(self, double, make, tmp_path) -> None:
        async with make(stored=True) as first:
            await first.login()
        plain = double.url.removeprefix("http://")
        async with make(stored=False, hosts={"dp": f"https://{plain}"}) as broker:
            await broker.login()
            with pytest.raises(NotSent):
                await broker.send(NEVER)
        assert double.calls(PLACE) == []

    @pytest.mark.parametrize(
        ("status", "error"), [(429, RateLimited), (400, CallRefused), (404, CallRefused)]
    )
    async def test_a_definite_refusal_is_no_doubt(
        self, double, broker, status: int, error: type[FtError]
    ) -> None:
        double.fail(PLACE, Fault(status))
        with pytest.raises(error) as caught:
            await broker.send(NEVER)
        assert not caught.value.outcome_unknown
        assert len(double.calls(PLACE)) == 1

    @pytest.mark.parametrize("form", ["401", "302", "403"])
    async def test_an_expired_session_is_refused_and_not_replayed(self, double, broker, form: str) -> None:
        double.expire()
        double.dead_data = form
        with pytest.raises(SessionExpired, match="not repeated"):
            await broker.send(NEVER)
        assert len(double.calls(PLACE)) == 1
        assert double.logins == 1

    async def test_a_page_is_doubt_even_where_the_session_is_over(self, double, broker) -> None:
        double.expire()
        double.dead_data = "html"
        with pytest.raises(LostReply):
            await broker.send(NEVER)
        assert len(double.calls(PLACE)) == 1

    async def test_the_next_call_renews_first(self, double, broker) -> None:
        double.expire()
        with pytest.raises(SessionExpired):
            await broker.send(NEVER)
        before = broker.session_id
        await broker.send(NEVER)
        assert double.logins == 2
        assert len(double.calls(PLACE)) == 2
        assert broker.session_id != before

    async def test_a_long_idle_session_is_proved_before_an_order(self, double, broker, clock: Clock) -> None:
        clock.forward(minutes=45)
        double.expire()
        await broker.send(NEVER)
        assert double.logins == 2
        assert len(double.calls(PLACE)) == 1

    async def test_a_cancelled_order_is_sent_once(self, double, broker) -> None:
        double.fail(PLACE, Fault(hang=True))
        task = asyncio.create_task(broker.send(NEVER))
        await double.arrival(PLACE)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await broker.send(READ)
        assert len(double.calls(PLACE)) == 1


async def test_a_connection_that_breaks_before_a_byte_is_answered(double, make) -> None:
    """A server that accepts and closes at once: something may have been written, so it counts as lost."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]

    async def close_at_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(close_at_once, sock=listener)
    try:
        async with make(hosts={"dp": f"http://127.0.0.1:{port}"}) as broker:
            await broker.login()
            with pytest.raises(LostReply):
                await broker.send(NEVER)
    finally:
        server.close()
        await server.wait_closed()


class TestQuotes:
    async def test_delayed_quotes_are_switched_to_real_time_once(self, double, broker) -> None:
        double.unlocked_quotes.clear()
        reply = await broker.send(WireRequest(host="fastquote", method="GET", path=MONTAGE))
        assert reply.document == {"path": MONTAGE}
        assert len(double.calls(CONTEXT)) == 2
        assert len(double.calls(MONTAGE)) == 2

    async def test_quotes_that_stay_delayed_are_handed_on(self, double, broker) -> None:
        double.answers[MONTAGE] = "Delayed quotes not supported"
        reply = await broker.send(WireRequest(host="fastquote", method="GET", path=MONTAGE))
        assert reply.document == "Delayed quotes not supported"
        assert len(double.calls(MONTAGE)) == 2

    async def test_a_restored_session_asks_for_the_context_before_quotes_only(self, double, make) -> None:
        async with make(stored=True) as first:
            await first.login()
        async with make(stored=True) as second:
            await second.send(READ)
            assert len(double.calls(CONTEXT)) == 1
            await second.send(WireRequest(host="fastquote", method="GET", path=MONTAGE))
            await second.send(WireRequest(host="fastquote", method="GET", path=MONTAGE))
        assert len(double.calls(CONTEXT)) == 2

    async def test_the_context_is_tried_once_more_and_then_left(self, double, make) -> None:
        double.fail(CONTEXT, *[Fault(500)] * 9)
        double.answers[MONTAGE] = "<x/>"
        async with make() as broker:
            await broker.login()
            double.unlocked_quotes.add("1")
            for _ in range(3):
                await broker.send(WireRequest(host="fastquote", method="GET", path=MONTAGE))
        assert len(double.calls(CONTEXT)) == 2

    async def test_the_context_can_be_asked_for(self, double, broker) -> None:
        context = await broker.security_context()
        assert context.real_time_quotes
        assert context.entitlements == {"RTQ": "true", "ProfessionalQuotes": "false"}
        double.answers[CONTEXT] = {"errors": [{"x": 1}]}
        with pytest.raises(BrokerError):
            await broker.security_context()


async def test_without_a_session_the_next_command_is_named(double, make) -> None:
    async with make() as broker:
        with pytest.raises(AuthRequired, match="ft auth login") as caught:
            await broker.send(READ)
    assert "ft --paper" in caught.value.message
    assert double.seen == []


class TestStreams:
    async def test_the_quote_stream_gets_every_cookie(self, double, broker) -> None:
        header = broker.cookie_header("mdds")
        assert {pair.split("=")[0] for pair in header.split("; ")} == {
            "SESSION_SCTX",
            "ET",
            "ATC",
            "FC",
            "RC",
            "SC",
        }

    async def test_the_event_stream_gets_the_cookies_of_its_domain(self, broker) -> None:
        assert "ATC=" in broker.cookie_header("beps")

    async def test_a_foreign_host_gets_none(self, broker) -> None:
        with pytest.raises(ValidationFailed):
            broker.cookie_header("livevol")

    async def test_ready_opens_restores_and_switches_quotes_on(self, double, make) -> None:
        async with make(stored=True) as first:
            await first.login()
        async with make(stored=True) as second:
            with pytest.raises(AuthRequired):
                second.cookie_header("mdds")
            await second.ready("mdds")
            assert "ATC=" in second.cookie_header("mdds")
        assert len(double.calls(CONTEXT)) == 2

    async def test_listeners_hear_of_every_change(self, double, make) -> None:
        heard: list[str] = []
        async with make() as broker:
            stop = broker.on_session_change(heard.append)
            await broker.login()
            double.expire()
            await broker.send(READ)
            await broker.logout()
            stop()
            await broker.login()
        assert heard == ["authenticated", "expired", "authenticated", "disconnected"]


async def test_paper_logs_in_by_itself(double, make) -> None:
    async with make(auto_login=True) as broker:
        replies = await asyncio.gather(*(broker.send(READ) for _ in range(20)))
    assert double.logins == 1
    assert len(replies) == 20


async def test_a_refused_login_of_its_own_is_not_repeated(double, make) -> None:
    double.users = {"somebody": ("else", "")}
    async with make(auto_login=True) as broker:
        for _ in range(3):
            with pytest.raises(AuthRequired):
                await broker.send(READ)
    assert len(double.calls("/user/factor/password/authentication")) == 1


async def test_bodies_are_json_with_the_documented_nulls(double: BrokerDouble, broker) -> None:
    body = {"acctNum": "Z00000101", "note": None, "text": 'q"ü'}
    await broker.send(WireRequest(host="dp", method="POST", path=DATA, body=body))
    assert json.loads(double.calls(DATA)[0].body) == body
