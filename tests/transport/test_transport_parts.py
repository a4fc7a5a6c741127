"""The parts that need no socket: hosts, headers, cookies, retry decisions, pace, codes, verdicts."""

import asyncio
import re
from datetime import UTC, datetime

import pyotp
import pytest
from broker_double import Clock
from hypothesis import given
from hypothesis import strategies as st

from ftcli.config import Settings
from ftcli.errors import ValidationFailed
from ftcli.redaction import Secret
from ftcli.transport.cookies import Jar
from ftcli.transport.headers import data_headers, login_headers, merged, request_id
from ftcli.transport.hosts import HOSTS, Hosts
from ftcli.transport.http import Answer
from ftcli.transport.pace import Pace
from ftcli.transport.retry import DELAYS, Fault, delay_before_repeat, jittered, parse_retry_after
from ftcli.transport.session import SecurityContext
from ftcli.transport.totp import Factor, code_of, fresh_code, parse_factor
from ftcli.transport.verdict import Verdict, is_alive, judge, leads_to_login
from ftcli.wire import Retry

NOW = datetime(2026, 5, 14, 14, 42, 7, tzinfo=UTC)


class TestHosts:
    def test_the_table_is_the_documented_one(self) -> None:
        hosts = Hosts(Settings())
        assert {key: hosts.url(key) for key in HOSTS} == {
            "auth": "https://ecaap.fidelity.com",
            "digital": "https://digital.fidelity.com",
            "dp": "https://dpservice.fidelity.com",
            "fastquote": "https://fastquote.fidelity.com",
            "alerts": "https://ecawsgateway.fidelity.com",
            "news": "https://streaming-news.mds.fidelity.com",
            "mdds": "wss://mdds-i-tc.fidelity.com/?productid=atn",
            "mddsinit": "wss://mdds-i.fidelity.com/?productid=atn",
            "beps": "wss://spservice.fidelity.com/graphql/realtime",
            "content": "https://contentapi.fidelity.com",
            "dpxq1": "https://dpservicexq1.fidelity.com",
            "livevolauth": "https://fidelity-widgets.financial.com",
            "livevol": "https://fidelity.apps.livevol.com",
        }
        assert not hosts.all_local
        assert hosts.overrides == {}

    @pytest.mark.parametrize(
        "upstream", ["http://127.0.0.1:8000", "http://127.0.0.1:8000/", "http://localhost:8000"]
    )
    def test_an_upstream_takes_every_host_streams_too(self, upstream: str) -> None:
        hosts = Hosts(Settings(upstream=upstream))
        base = upstream.rstrip("/")
        stream = base.replace("http", "ws")
        assert hosts.url("dp") == hosts.url("livevol") == base
        assert hosts.url("mdds") == f"{stream}/?productid=atn"
        assert hosts.url("beps") == f"{stream}/graphql/realtime"
        assert hosts.all_local
        assert hosts.canonical("mdds") == "https://mdds-i-tc.fidelity.com"

    def test_an_upstream_keeps_its_path(self) -> None:
        hosts = Hosts(Settings(upstream="https://localhost/sim"))
        assert hosts.url("dp") == "https://localhost/sim"
        assert hosts.url("mdds") == "wss://localhost/sim/?productid=atn"

    def test_single_hosts_go_before_the_upstream(self) -> None:
        chosen = {
            "dp": "http://[::1]:2",
            "mdds": "ws://127.0.0.1:3/?productid=atn",
            "beps": "http://127.0.0.1:4",
        }
        hosts = Hosts(Settings(upstream="http://127.0.0.1:1", hosts=chosen))
        assert hosts.url("dp") == "http://[::1]:2"
        assert hosts.url("mdds") == "ws://127.0.0.1:3/?productid=atn"
        assert hosts.url("beps") == "ws://127.0.0.1:4/graphql/realtime"
        assert hosts.url("auth") == "http://127.0.0.1:1"

    @pytest.mark.parametrize(
        "url",
        [
            "https://example.com",
            "http://10.0.0.1",
            "http://127.0.0.1.example.com",
            "http://localhost.example.com",
            "http://[2001:db8::1]",
            "http://0.0.0.0:1",
            "https://127.0.0.1@example.com",
        ],
    )
    def test_another_machine_must_be_allowed(self, url: str) -> None:
        for settings in (Settings(upstream=url), Settings(hosts={"dp": url})):
            with pytest.raises(ValidationFailed):
                Hosts(settings)

    def test_another_machine_can_be_allowed(self) -> None:
        hosts = Hosts(Settings(upstream="https://sim.example.com", upstream_remote=True))
        assert hosts.url("mdds") == "wss://sim.example.com/?productid=atn"
        assert not hosts.all_local

    @pytest.mark.parametrize(
        "url",
        [
            "ftp://127.0.0.1",
            "127.0.0.1:80",
            "http://",
            "http://127.0.0.1:99999",
            "http://u:secretpw@127.0.0.1",
            "http://127.0.0.1/#x",
            "http://127.0.0.1/?x=1",
            "http://[::1",
            "",
        ],
    )
    def test_what_is_no_base_url_is_refused(self, url: str) -> None:
        with pytest.raises(ValidationFailed) as caught:
            Hosts(Settings(hosts={"dp": url}))
        assert "secretpw" not in str(caught.value)

    def test_a_host_without_streams_takes_no_stream_url(self) -> None:
        with pytest.raises(ValidationFailed, match="no streams"):
            Hosts(Settings(hosts={"dp": "ws://127.0.0.1:1"}))

    def test_an_unknown_key_is_an_error_with_a_suggestion(self) -> None:
        with pytest.raises(ValidationFailed, match="Did you mean mdds"):
            Hosts(Settings(hosts={"mdd": "http://127.0.0.1"}))
        with pytest.raises(ValidationFailed, match="Did you mean digital"):
            Hosts(Settings()).url("digitl")

    def test_urls_are_located(self) -> None:
        hosts = Hosts(Settings(upstream="http://127.0.0.1:8000"))
        assert hosts.locate("https://digital.fidelity.com/a?b=1") == ("digital", "/a?b=1")
        assert hosts.locate("https://digital.fidelity.com") == ("digital", "/")
        assert hosts.locate("http://127.0.0.1:8000/x") == ("auth", "/x")
        assert hosts.locate("https://digital.fidelity.com.example.com/a") is None
        assert hosts.locate("http://127.0.0.1:80001/x") is None
        assert hosts.locate("https://example.com/") is None


class TestHeaders:
    def test_request_ids_are_random_uuids_of_version_4(self) -> None:
        ids = {request_id() for _ in range(200)}
        assert len(ids) == 200
        assert all(re.fullmatch(r"REQ[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}", found) for found in ids)

    def test_the_version_is_named_in_both_profiles(self) -> None:
        assert data_headers("9.9")["User-Agent"] == "ATPNext/9.9 FTPlusDesktop/9.9"
        assert login_headers("9.9")["User-Agent"].endswith(" ATPNext/9.9 FTPlusDesktop/9.9")

    def test_later_headers_replace_earlier_ones_whatever_their_case(self) -> None:
        assert merged({"Accept": "a", "X": "1"}, {"ACCEPT": "b"}, {"Y": "2"}) == {
            "ACCEPT": "b",
            "X": "1",
            "Y": "2",
        }


class TestCookies:
    URL = "https://ecaap.fidelity.com/user/session/login"
    OTHER = "https://dpservice.fidelity.com/ftgw/dp/x"

    def test_host_cookies_stay_with_their_host(self) -> None:
        jar = Jar()
        jar.absorb(
            self.URL, (("set-cookie", "A=1; Path=/"), ("set-cookie", "B=2; Domain=.fidelity.com; Path=/"))
        )
        assert jar.header(self.OTHER) == "B=2"
        assert set(jar.header(self.URL).split("; ")) == {"A=1", "B=2"}
        assert set(jar.header_of_all().split("; ")) == {"A=1", "B=2"}
        assert jar.header("https://fidelity.apps.livevol.com/") == ""

    @pytest.mark.parametrize(
        "attributes", ["", "; Domain=127.0.0.1", "; domain=.fidelity.com; Secure; HttpOnly"]
    )
    def test_simulated_hosts_share_every_cookie(self, attributes: str) -> None:
        jar = Jar(shared=True)
        jar.absorb(self.URL, (("set-cookie", f"A=1; Path=/{attributes}"),))
        assert jar.header(self.OTHER) == "A=1"
        jar.absorb(self.OTHER, (("set-cookie", 'A=""; Max-Age=0; Path=/'),))
        assert jar.names() == set()

    def test_a_foreign_host_cannot_set_cookies_for_the_broker(self) -> None:
        jar = Jar(shared=True)
        jar.absorb(
            "https://fidelity.apps.livevol.com/", (("set-cookie", "A=1; Domain=.fidelity.com; Path=/"),)
        )
        assert jar.header(self.OTHER) == ""

    @given(
        st.lists(
            st.tuples(
                st.from_regex(r"[A-Za-z_]{1,8}", fullmatch=True).filter(str.isascii),
                st.text(alphabet="abcXYZ0123456789-_.~%+/=", min_size=1, max_size=20),
                st.sampled_from(["", "; Domain=.fidelity.com", "; Secure", "; HttpOnly", "; Max-Age=3600"]),
                st.sampled_from(["/", "/user", "/ftgw"]),
            ),
            max_size=6,
        )
    )
    def test_a_saved_jar_comes_back_the_same(self, cookies: list[tuple[str, str, str, str]]) -> None:
        jar = Jar()
        for name, value, attributes, path in cookies:
            jar.absorb(self.URL, (("set-cookie", f"{name}={value}; Path={path}{attributes}"),))
        again = Jar(jar.dump())
        assert again.dump() == jar.dump()
        for url in (self.URL, self.OTHER, "http://ecaap.fidelity.com/user"):
            assert sorted(again.header(url).split("; ")) == sorted(jar.header(url).split("; "))

    def test_attributes_are_kept(self) -> None:
        jar = Jar()
        jar.absorb(
            self.URL, (("set-cookie", "A=v; Domain=.fidelity.com; Path=/p; Secure; HttpOnly; Max-Age=99999"),)
        )
        (saved,) = jar.dump()
        assert (saved.name, saved.value, saved.domain, saved.path) == ("A", "v", ".fidelity.com", "/p")
        assert saved.secure
        assert saved.http_only
        assert saved.expires is not None
        assert "v" not in repr(saved).replace("SavedCookie", "")

    def test_a_jar_shows_names_only(self) -> None:
        jar = Jar()
        jar.absorb(self.URL, (("set-cookie", "ATC=secretvalue; Path=/"),))
        assert repr(jar) == "Jar(ATC)"


class TestRetry:
    @pytest.mark.parametrize("fault", list(Fault))
    @pytest.mark.parametrize("retry", [Retry.WRITE, Retry.NEVER])
    def test_writes_and_orders_are_never_repeated(self, retry: Retry, fault: Fault) -> None:
        for tries in range(1, 5):
            assert delay_before_repeat(retry, fault, tries, status=503, retry_after=1.0) is None

    def test_a_read_has_three_repetitions(self) -> None:
        delays = [
            delay_before_repeat(Retry.READ, Fault.NETWORK, tries, chance=lambda: 0.5) for tries in range(1, 6)
        ]
        assert delays == [1.0, 2.0, 4.0, None, None]

    @given(st.floats(min_value=0, max_value=1, exclude_max=True), st.sampled_from(DELAYS))
    def test_jitter_stays_within_a_fifth(self, chance: float, delay: float) -> None:
        assert delay * 0.8 - 1e-9 <= jittered(delay, lambda: chance) <= delay * 1.2 + 1e-9

    @given(
        st.sampled_from(list(Retry)),
        st.sampled_from(list(Fault)),
        st.integers(1, 9),
        st.integers(500, 599),
        st.none() | st.floats(0, 1e6),
    )
    def test_no_wait_is_longer_than_a_minute(
        self, retry: Retry, fault: Fault, tries: int, status: int, asked: float | None
    ) -> None:
        delay = delay_before_repeat(retry, fault, tries, status=status, retry_after=asked)
        assert delay is None or 0 <= delay <= 60
        assert retry in (Retry.READ, Retry.PREVIEW) or delay is None

    @pytest.mark.parametrize(
        ("header", "seconds"),
        [
            ("0", 0.0),
            (" 17 ", 17.0),
            ("Thu, 14 May 2026 14:43:07 GMT", 60.0),
            ("Thu, 14 May 2026 14:00:00 GMT", 0.0),
            ("Thursday, 14-May-26 14:42:17 GMT", 10.0),
            ("Thu, 14 May 2026 10:42:17 -0400", 10.0),
            (None, None),
            ("", None),
            ("soon", None),
            ("-5", None),
            ("1.5", None),
            ("９", None),
        ],
    )
    def test_both_forms_of_retry_after(self, header: str | None, seconds: float | None) -> None:
        assert parse_retry_after(header, NOW) == seconds

    @given(st.text(max_size=40))
    def test_any_retry_after_is_survived(self, header: str) -> None:
        seconds = parse_retry_after(header, NOW)
        assert seconds is None or seconds >= 0


class TestPace:
    async def run(self, calls: int, *, on: bool = True, slowed: bool = False) -> tuple[list[float], int]:
        now, running, most, starts = [0.0], 0, 0, []

        async def sleep(seconds: float) -> None:
            now[0] += seconds

        pace = Pace(on, sleep=sleep, ticks=lambda: now[0])
        if slowed:
            pace.slow_down()

        async def call() -> None:
            nonlocal running, most
            async with pace.turn():
                starts.append(now[0])
                running += 1
                most = max(most, running)
                for _ in range(5):
                    await asyncio.sleep(0)
                running -= 1

        await asyncio.gather(*(call() for _ in range(calls)))
        return starts, most

    @pytest.mark.parametrize(("slowed", "window"), [(False, 1.0), (True, 2.0)])
    async def test_five_start_in_a_second_and_four_run_at_once(self, slowed: bool, window: float) -> None:
        starts, most = await self.run(23, slowed=slowed)
        assert most == 4
        assert all(later - earlier >= window for earlier, later in zip(starts, starts[5:], strict=False))
        assert starts[-1] == pytest.approx(4 * window)

    async def test_a_simulator_is_not_spared(self) -> None:
        starts, most = await self.run(23, on=False)
        assert (set(starts), most) == ({0.0}, 23)


class TestCodes:
    @pytest.mark.parametrize(
        ("moment", "code"),
        [
            (59, "287082"),
            (1111111109, "081804"),
            (1111111111, "050471"),
            (1234567890, "005924"),
            (2000000000, "279037"),
            (20000000000, "353130"),
        ],
    )
    def test_the_vectors_of_rfc_6238(self, moment: int, code: str) -> None:
        assert code_of("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", moment // 30) == code

    @given(st.binary(min_size=14, max_size=64), st.integers(0, 2**33))
    def test_codes_agree_with_another_implementation(self, key: bytes, moment: int) -> None:
        import base64

        seed = base64.b32encode(key).decode()
        assert code_of(seed.rstrip("="), moment // 30) == pyotp.TOTP(seed).at(moment)

    @pytest.mark.parametrize(
        ("given_text", "factor"),
        [
            ("012345", Factor("012345", True)),
            (" 012345\n", Factor("012345", True)),
            ("jbsw y3dp-ehpk3pxp", Factor("JBSWY3DPEHPK3PXP", False)),
            ("MFRA====", Factor("MFRA", False)),
        ],
    )
    def test_the_two_forms(self, given_text: str, factor: Factor) -> None:
        assert parse_factor(given_text) == factor
        assert parse_factor(Secret(given_text)) == factor
        assert factor.text not in repr(factor)

    @given(st.text(max_size=20))
    def test_any_text_is_a_factor_or_an_error(self, text: str) -> None:
        try:
            factor = parse_factor(text)
        except ValidationFailed:
            return
        assert len(factor.text if factor.is_code else code_of(factor.text, 1)) == 6

    @given(st.floats(0, 2e9), st.integers(-2, 3))
    def test_a_fresh_code_has_time_left_and_was_not_sent_before(self, moment: float, ahead: int) -> None:
        clock = Clock()
        clock.now = datetime.fromtimestamp(moment, UTC)
        last = max(0, int(clock.now.timestamp() // 30) + ahead)
        fresh = asyncio.run(fresh_code(Factor("JBSWY3DPEHPK3PXP", False), last, clock, clock.sleep))
        assert fresh.step is not None
        assert fresh.step > last or last == 0
        left = (fresh.step + 1) * 30 - clock.now.timestamp()
        assert 3 - 1e-5 <= left <= 30
        assert fresh.code not in repr(fresh)


class TestVerdicts:
    @staticmethod
    def answer(status: int, body: bytes = b"{}", location: str = "") -> Answer:
        return Answer(status, (("location", location),) if location else (), body)

    @pytest.mark.parametrize(
        ("host", "status", "body", "verdict"),
        [
            ("dp", 200, b"{}", Verdict.FINE),
            ("dp", 201, b"", Verdict.FINE),
            ("dp", 401, b"", Verdict.EXPIRED),
            ("digital", 401, b"", Verdict.EXPIRED),
            ("news", 401, b"", Verdict.SUSPECT),
            ("dp", 403, b"", Verdict.SUSPECT),
            ("dp", 200, b"<html>", Verdict.PAGE),
            ("dp", 404, b"<html>", Verdict.PAGE),
            ("dp", 404, b"", Verdict.REFUSED),
            ("dp", 429, b"<html>", Verdict.THROTTLED),
            ("dp", 503, b"<html>", Verdict.SERVER),
            ("dp", 500, b"", Verdict.SERVER),
            ("dp", 304, b"", Verdict.REFUSED),
            ("alerts", 500, b"<s:Fault/>", Verdict.SUSPECT),
            ("dp", 500, b"<s:Fault/>", Verdict.SERVER),
            ("livevol", 401, b"", Verdict.REFUSED),
            ("livevol", 200, b"<html>", Verdict.FINE),
            ("livevolauth", 302, b"", Verdict.REFUSED),
        ],
    )
    def test_the_order_of_checks(self, host: str, status: int, body: bytes, verdict: Verdict) -> None:
        assert judge(host, self.answer(status, body)) is verdict

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    @pytest.mark.parametrize(
        ("location", "verdict"),
        [
            ("/prgw/digital/login/atp", Verdict.EXPIRED),
            ("https://ecaap.fidelity.com/", Verdict.EXPIRED),
            ("https://digital.fidelity.com/prgw/digital/login/full-page?x=1", Verdict.EXPIRED),
            ("/moved", Verdict.SUSPECT),
            ("", Verdict.SUSPECT),
        ],
    )
    def test_redirects(self, status: int, location: str, verdict: Verdict) -> None:
        assert judge("dp", self.answer(status, b"", location)) is verdict
        assert leads_to_login(location) == (verdict is Verdict.EXPIRED)

    @pytest.mark.parametrize(
        ("status", "body", "alive"),
        [
            (200, b"", True),
            (200, b"ok", True),
            (200, b"<!DOCTYPE html>", False),
            (204, b"", False),
            (302, b"", False),
            (401, b"", False),
            (403, b"", False),
        ],
    )
    def test_the_trap_of_the_keep_alive(self, status: int, body: bytes, alive: bool) -> None:
        assert is_alive(self.answer(status, body)) is alive


class TestSecurityContext:
    def test_it_is_read_leniently(self) -> None:
        document = {
            "entitlements": [
                {"display": "RTQ", "value": "TRUE"},
                {"display": "X"},
                {"value": "true"},
                "odd",
                None,
            ],
            "internalSystemIds": [
                {"type": "TRACKER_ID", "ID": "t"},
                {"type": "MID", "ID": "0011223344556677"},
            ],
        }
        context = SecurityContext.parse(document)
        assert context is not None
        assert context.real_time_quotes
        assert context.member_id == Secret("0011223344556677")
        assert "0011223344556677" not in repr(context)

    @pytest.mark.parametrize(
        "document", [{}, {"entitlements": None, "internalSystemIds": "x", "errors": None}]
    )
    def test_missing_keys_are_empty(self, document: dict[str, object]) -> None:
        assert SecurityContext.parse(document) == SecurityContext()

    @pytest.mark.parametrize("document", [None, "text", [], {"errors": ["no"]}])
    def test_what_is_no_context(self, document: object) -> None:
        assert SecurityContext.parse(document) is None
