"""Expiry in every form, renewal by the rules, and processes that share a session (protocol 00 §4)."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest
from broker_double import (
    DATA,
    FERNET_KEY,
    KEEP_ALIVE,
    LOGIN_PAGE,
    PASS,
    PASSWORD,
    SEED,
    TOTP,
    USER,
    BrokerDouble,
    Clock,
    Fault,
)

from ftcli.errors import AuthRequired, BrokerError, Conflict, InternalError, SessionExpired
from ftcli.redaction import Secret
from ftcli.transport.heartbeat import beat
from ftcli.wire import Retry, WireRequest

READ = WireRequest(host="dp", method="POST", path=DATA, body={})
PREVIEW = WireRequest(host="dp", method="POST", path="/ftgw/dp/x/preview/v1", body={}, retry=Retry.PREVIEW)
WRITE = WireRequest(host="dp", method="POST", path="/ftgw/dp/x/save", body={}, retry=Retry.WRITE)


class TestForms:
    """Every way in which a session may turn out to be over (protocol 00 §4.2, §4.7)."""

    @pytest.mark.parametrize("keep_alive", ["302", "302-auth", "401", "403", "html"])
    @pytest.mark.parametrize("data", ["401", "302", "302-auth", "403", "html"])
    @pytest.mark.parametrize("host", ["dp", "fastquote", "digital", "alerts", "news", "content", "dpxq1"])
    async def test_a_read_is_renewed_and_replayed_once(
        self, double, broker, host: str, data: str, keep_alive: str
    ) -> None:
        double.expire()
        double.dead_data, double.dead_keep_alive = data, keep_alive
        reply = await broker.send(WireRequest(host=host, method="GET", path="/any"))
        assert reply.document == {"path": "/any"}
        assert double.logins == 2
        assert len(double.calls("/any")) == 2

    @pytest.mark.parametrize(
        ("host", "status", "body"),
        [
            ("alerts", 200, "<a:Envelope><p:ResultCode>FAILURE</p:ResultCode></a:Envelope>"),
            ("alerts", 500, "<s:Envelope><s:Fault>no</s:Fault></s:Envelope>"),
            ("fastquote", 200, '<OPTIONCHAIN><BASE ri="KO" err="1" us="" fs="" st="no"/></OPTIONCHAIN>'),
            ("fastquote", 200, '{"BASE":{"ri":"KO","err":"3"}}'),
            ("fastquote", 200, "Delayed quotes not supported"),
        ],
    )
    async def test_an_answer_that_says_no_is_asked_about(
        self, double, broker, host: str, status: int, body: str
    ) -> None:
        double.expire()
        double.fail("/any", Fault(status, body))
        reply = await broker.send(WireRequest(host=host, method="GET", path="/any"))
        assert reply.document == {"path": "/any"}
        assert (double.logins, len(double.calls(KEEP_ALIVE))) == (2, 1)
        if status == 200 and "Delayed" not in body:
            double.fail("/any", Fault(status, body))  # and while the session is alive, it is the call's own
            reply = await broker.send(WireRequest(host=host, method="GET", path="/any"))
            assert reply.body == body.encode()
            assert (double.logins, len(double.calls("/any"))) == (2, 3)

    async def test_a_fine_answer_is_not(self, double, broker) -> None:
        for host, body in (
            ("fastquote", '<OPTIONCHAIN><BASE ri="KO" err="0" st=""/></OPTIONCHAIN>'),
            ("fastquote", '{"BASE":{"err":"0"}}'),
            ("alerts", "<p971:ResultCode> SUCCESS </p971:ResultCode>"),
            ("dp", '{"err":"1"}'),
        ):
            double.answers["/any"] = body
            await broker.send(WireRequest(host=host, method="GET", path="/any"))
        assert not double.calls(KEEP_ALIVE)

    @pytest.mark.parametrize("keep_alive", ["302", "302-auth", "401", "403", "html"])
    async def test_the_keep_alive_sees_it(self, double, broker, keep_alive: str) -> None:
        double.dead_keep_alive = keep_alive
        assert await broker.keep_alive() is True
        double.expire()
        assert await broker.keep_alive() is False
        assert broker.state == "expired"
        assert double.logins == 1
        assert len(double.calls(LOGIN_PAGE)) == 1  # the trap: the redirect was not followed

    async def test_a_keep_alive_without_a_verdict_changes_nothing(self, double, broker) -> None:
        double.fail(KEEP_ALIVE, Fault(503), Fault(429), Fault(drop=True))
        for _ in range(3):
            with pytest.raises(Exception, match=r"503|throttles|broke"):
                await broker.keep_alive()
            assert broker.state == "authenticated"
        assert await broker.keep_alive() is True

    async def test_a_suspicion_without_a_verdict_is_no_expiry(self, double, broker) -> None:
        double.fail(DATA, Fault(403))
        double.fail(KEEP_ALIVE, Fault(503))
        with pytest.raises(BrokerError) as caught:
            await broker.send(READ)
        assert caught.value.details["status"] == 403
        assert broker.state == "authenticated"

    async def test_a_redirect_elsewhere_is_looked_into(self, double, broker) -> None:
        double.fail(DATA, Fault(302, headers={"Location": "/moved"}))
        with pytest.raises(BrokerError) as caught:
            await broker.send(READ)
        assert caught.value.details["status"] == 302
        assert double.logins == 1

    async def test_a_preview_is_replayed_too(self, double, broker) -> None:
        double.expire()
        await broker.send(PREVIEW)
        assert (double.logins, len(double.calls(PREVIEW.path))) == (2, 2)

    async def test_a_write_is_not(self, double, broker) -> None:
        double.expire()
        with pytest.raises(SessionExpired):
            await broker.send(WRITE)
        assert (double.logins, len(double.calls(WRITE.path))) == (1, 1)
        await broker.send(WRITE)
        assert double.logins == 2

    async def test_a_session_that_ends_at_once_again_is_not_fought_for(self, double, broker) -> None:
        double.expire()
        double.fail(DATA, Fault(401), Fault(401))
        with pytest.raises(SessionExpired, match="ended at once"):
            await broker.send(READ)
        assert double.logins == 2

    async def test_an_idle_session_is_proved_first(self, double, broker, clock: Clock) -> None:
        clock.forward(minutes=7)
        await broker.send(READ)
        await broker.send(READ)
        assert len(double.calls(KEEP_ALIVE)) == 1
        clock.forward(minutes=7)
        double.fail(KEEP_ALIVE, Fault(503))
        await broker.send(READ)  # no verdict: the call itself shows


class TestSingleFlight:
    async def test_fifty_callers_cause_one_login(self, double, broker) -> None:
        double.expire()
        replies = await asyncio.gather(*(broker.send(READ) for _ in range(50)))
        assert len(replies) == 50
        assert double.logins == 2
        assert len(double.calls(PASSWORD)) == 2

    async def test_fifty_callers_share_a_refusal(self, double, broker) -> None:
        double.expire()
        double.users = {USER: ("changed", "")}
        outcomes = await asyncio.gather(*(broker.send(READ) for _ in range(50)), return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} == {SessionExpired}
        assert len(double.calls(PASSWORD)) == 2

    async def test_fifty_suspicions_cause_one_probe_at_a_time(self, double, broker) -> None:
        double.expire()
        double.dead_data = "403"
        await asyncio.gather(*(broker.send(READ) for _ in range(50)))
        assert double.logins == 2
        assert len(double.calls(KEEP_ALIVE)) < 10

    async def test_a_late_refusal_of_the_old_session_causes_no_second_login(self, double, broker) -> None:
        late = asyncio.Event()
        double.fail("/slow", Fault(401, hold=late))
        slow = asyncio.create_task(broker.send(WireRequest(host="dp", method="GET", path="/slow")))
        await double.arrival("/slow")
        double.expire()
        await broker.send(READ)
        late.set()
        assert (await slow).status == 200
        assert double.logins == 2

    async def test_a_cancelled_caller_does_not_stop_the_login(self, double, broker) -> None:
        double.expire()
        first = asyncio.create_task(broker.send(READ))
        second = asyncio.create_task(broker.send(READ))
        await double.arrival(LOGIN_PAGE, 2)
        first.cancel()
        assert (await second).status == 200
        assert double.logins == 2


class TestRules:
    """When an automatic login may happen (protocol 00 §4.3)."""

    @staticmethod
    async def refused(broker, double: BrokerDouble) -> SessionExpired:
        before = double.logins
        double.expire()
        with pytest.raises(SessionExpired) as caught:
            await broker.send(READ)
        assert double.logins == before
        return caught.value

    async def test_not_when_switched_off(self, double, make) -> None:
        async with make(auto_reauth=False) as broker:
            await broker.login()
            assert "switched off" in (await self.refused(broker, double)).message

    async def test_not_without_credentials(self, double, make) -> None:
        async with make(credentials=False) as broker:
            await broker.login(USER, Secret(PASS))
            assert "no complete credentials" in (await self.refused(broker, double)).message

    async def test_not_for_another_user(self, double, make) -> None:
        double.users["sam"] = ("other-password", "")
        async with make() as broker:
            await broker.login("sam", Secret("other-password"))
            assert "another user" in (await self.refused(broker, double)).message

    async def test_not_with_a_code_that_was_used(self, double, make) -> None:
        double.users = {USER: (PASS, SEED)}
        async with make(totp="123456") as broker:
            await broker.login(USER, Secret(PASS), Secret(SEED))
            assert "second factor" in (await self.refused(broker, double)).message
        assert len(double.calls(PASSWORD)) == 1

    async def test_with_the_secret_it_happens(self, double, make, clock: Clock) -> None:
        double.users = {USER: (PASS, SEED)}
        async with make(totp=SEED) as broker:
            await broker.login()
            double.expire()
            await broker.send(READ)
        assert double.logins == 2
        codes = {json.loads(seen.body)["securityCode"] for seen in double.calls(TOTP)}
        assert len(codes) == 2

    async def test_once_in_five_minutes_and_three_times_an_hour(self, double, broker, clock: Clock) -> None:
        async def expire_and_read() -> None:
            double.expire()
            await broker.send(READ)

        await expire_and_read()
        clock.forward(seconds=299)
        error = await self.refused(broker, double)
        assert error.retry_after == pytest.approx(1.0)
        clock.forward(seconds=1)
        await broker.send(READ)
        clock.forward(minutes=5)
        await expire_and_read()
        clock.forward(minutes=5)
        error = await self.refused(broker, double)
        assert error.retry_after == pytest.approx(45 * 60)
        clock.forward(minutes=45)
        await broker.send(READ)
        assert double.logins == 5

    async def test_the_brake_holds_across_processes(self, double, make, clock: Clock) -> None:
        async with make(stored=True) as broker:
            await broker.login()
            double.expire()
            await broker.send(READ)
        async with make(stored=True) as broker:
            assert "less than 5 minutes" in (await self.refused(broker, double)).message

    async def test_a_refusal_switches_automation_off_until_the_user_acts(
        self, double, make, clock: Clock
    ) -> None:
        async with make(stored=True) as broker:
            await broker.login()
            double.users = {USER: ("changed", "")}
            await self.refused(broker, double)
        assert len(double.calls(PASSWORD)) == 2
        clock.forward(hours=5)
        async with make(stored=True) as broker:
            assert "refused" in (await self.refused(broker, double)).message
            assert len(double.calls(PASSWORD)) == 2
            double.users = {USER: (PASS, "")}
            await broker.login()
            double.expire()
            await broker.send(READ)
        assert double.logins == 3

    async def test_new_credentials_are_an_act(self, double, make, clock: Clock) -> None:
        async with make(stored=True) as broker:
            await broker.login()
            double.users = {USER: ("changed", "")}
            await self.refused(broker, double)
            double.users = {USER: (PASS, "")}
            clock.forward(minutes=6)
            await broker.allow_automatic_login()
            await broker.send(READ)
        assert double.logins == 2

    async def test_trouble_on_the_way_is_told_as_such(self, double, broker) -> None:
        double.expire()
        double.fail(LOGIN_PAGE, *[Fault(503)] * 3)
        with pytest.raises(SessionExpired, match="503"):
            await broker.send(READ)

    async def test_a_login_counted_by_a_clock_that_ran_ahead_ages_from_now_on(
        self, double, make, clock: Clock
    ) -> None:
        right = clock.now
        clock.forward(days=30)
        async with make(stored=True) as broker:
            await broker.login()
            double.expire()
            await broker.send(READ)
        clock.now = right
        async with make(stored=True) as broker:
            assert "less than 5 minutes" in (await self.refused(broker, double)).message
            clock.forward(minutes=6)
            await broker.send(READ)
        assert double.logins == 3

    async def test_a_damaged_record_counts_as_a_login_just_now(self, double, make, tmp_path: Path) -> None:
        async with make(stored=True) as broker:
            await broker.login()
            (tmp_path / "test.session.logins").write_text("{damaged")
            assert "5 minutes" in (await self.refused(broker, double)).message


class TestSharing:
    """Several processes, one session file."""

    async def test_the_next_process_finds_the_session(self, double, make, clock: Clock) -> None:
        async with make(stored=True) as first:
            await first.login()
        async with make(stored=True, credentials=False) as second:
            assert (await second.status(offline=True)).state == "authenticated"
            assert (await second.send(READ)).status == 200
        assert double.logins == 1
        assert double.calls(KEEP_ALIVE) == []

    async def test_an_older_session_is_proved_on_load(self, double, make, clock: Clock) -> None:
        async with make(stored=True) as first:
            await first.login()
        clock.forward(minutes=20)
        async with make(stored=True) as second:
            await second.send(READ)
        assert len(double.calls(KEEP_ALIVE)) == 1

    async def test_refreshed_cookies_reach_the_others(self, double, make) -> None:
        async with make(stored=True) as daemon, make(stored=True) as command:
            await daemon.login()
            await command.send(READ)
            await daemon.keep_alive()
            await command.send(READ)
            assert double.calls(DATA)[0].cookies["ATC"] != double.calls(DATA)[1].cookies["ATC"]
            theirs, ours = (broker.cookie_header("mdds").split("; ") for broker in (daemon, command))
            assert set(theirs) == set(ours)

    async def test_a_renewal_by_another_is_taken_over(self, double, make) -> None:
        async with make(stored=True) as one, make(stored=True) as two:
            await one.login()
            await two.send(READ)
            double.expire()
            await one.send(READ)
            before = two.session_id
            await two.send(READ)
            assert two.session_id != before
        assert double.logins == 2

    async def test_both_meet_the_expiry_at_once(self, double, make) -> None:
        async with make(stored=True) as one, make(stored=True) as two:
            await one.login()
            await two.send(READ)
            double.expire()
            await asyncio.gather(*(broker.send(READ) for broker in (one, two) * 10))
        assert double.logins == 2

    async def test_an_expiry_nobody_renews_is_remembered(self, double, make) -> None:
        async with make(stored=True, credentials=False) as one:
            await one.login(USER, Secret(PASS))
            double.expire()
            with pytest.raises(SessionExpired):
                await one.send(READ)
        calls = len(double.seen)
        async with make(stored=True, credentials=False) as two:
            assert (await two.status()).state == "expired"
            with pytest.raises(SessionExpired):
                await two.send(READ)
        assert len(double.seen) == calls

    async def test_so_is_one_that_a_write_met(self, double, make) -> None:
        async with make(stored=True, credentials=False) as one, make(stored=True) as two:
            await one.login(USER, Secret(PASS))
            double.expire()
            with pytest.raises(SessionExpired):
                await one.send(WRITE)
            assert (await two.status(offline=True)).state == "expired"

    async def test_an_older_process_does_not_overwrite_a_newer_session(self, double, make) -> None:
        async with make(stored=True) as newer, make(stored=True) as last:
            async with make(stored=True) as older:
                await older.login()
                double.fail(DATA, Fault(200, "{}", headers={"Set-Cookie": "CDN=fresh; Path=/"}))
                await older.send(READ)
                await newer.login()
            await last.send(READ)
            assert set(last.cookie_header("mdds").split("; ")) == set(newer.cookie_header("mdds").split("; "))

    async def test_fresh_cookies_are_saved_at_the_end(self, double, make) -> None:
        async with make(stored=True) as one:
            await one.login()
            double.fail(DATA, Fault(200, "{}", headers={"Set-Cookie": "CDN=fresh; Path=/"}))
            await one.send(READ)
        async with make(stored=True) as two:
            await two.send(READ)
        assert double.calls(DATA)[-1].cookies["CDN"] == "fresh"

    async def test_a_session_of_other_addresses_is_not_used(self, double, make, clock: Clock) -> None:
        async with make(stored=True) as one:
            await one.login()
        other = double.url.replace("127.0.0.1", "localhost")
        async with make(stored=True, credentials=False, upstream=other) as two:
            status = await two.status()
            assert status.state == "disconnected"
            assert "other addresses" in status.note
            with pytest.raises(AuthRequired):
                await two.send(READ)

    async def test_a_store_that_cannot_be_written_is_told(self, double, make, tmp_path: Path) -> None:
        (tmp_path / "test.session").mkdir()
        (tmp_path / "test.session.unreadable" / "occupied").mkdir(parents=True)
        async with make(stored=True) as broker:
            result = await broker.login()
            assert any("could not be saved" in warning for warning in result.warnings)
            assert (await broker.send(READ)).status == 200

    async def test_an_unusable_folder_is_named(self, double, make, tmp_path: Path) -> None:
        (tmp_path / "test.session.lock").mkdir()
        async with make(stored=True) as broker:
            with pytest.raises(InternalError, match="FT_DATA_DIR"):
                await broker.login()
        assert double.seen == []

    async def test_a_login_that_takes_forever_elsewhere(
        self, double, make, tmp_path: Path, monkeypatch
    ) -> None:
        monkeypatch.setattr("ftcli.credentials.session_store._LOCK_PATIENCE", 0.05)
        from filelock import FileLock

        with FileLock(tmp_path / "test.session.lock"):
            async with make(stored=True) as broker:
                with pytest.raises(Conflict, match="Another ftcli process"):
                    await broker.login()

    async def test_two_processes_cause_one_login(self, double, make, tmp_path: Path, clock: Clock) -> None:
        """Two real processes whose session has expired; the second finds what the first brought."""
        async with make(stored=True) as broker:
            await broker.login()
        double.expire()
        script = """
import asyncio, sys
from datetime import UTC, datetime
from pathlib import Path
from ftcli.config import Settings
from ftcli.credentials.credentials import Credentials
from ftcli.credentials.keys import KeySource
from ftcli.credentials.session_store import SessionStore
from ftcli.redaction import Secret
from ftcli.transport.broker import Broker
from ftcli.wire import WireRequest

url, folder, key, user, password, moment, path = sys.argv[1:]

async def main():
    settings = Settings(upstream=url, data_dir=Path(folder), encryption_key=Secret(key))
    store = SessionStore(Path(folder) / "test.session", KeySource(settings))
    credentials = Credentials(username=user, password=Secret(password))
    clock = lambda: datetime.fromisoformat(moment)
    async with Broker(settings, clock=clock, store=store, credentials=lambda: credentials) as broker:
        for _ in range(5):
            reply = await broker.send(WireRequest(host="dp", method="POST", path=path, body={}))
            print(reply.status)

asyncio.run(main())
"""
        arguments = [double.url, str(tmp_path), FERNET_KEY, USER, PASS, clock().isoformat(), DATA]
        processes = [
            await asyncio.create_subprocess_exec(
                sys.executable, "-c", script, *arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
            for _ in range(2)
        ]
        outputs = await asyncio.gather(*(process.communicate() for process in processes))
        assert [out.split() for out, _ in outputs] == [[b"200"] * 5] * 2, outputs
        assert double.logins == 2


class TestHeartbeat:
    """The keep-alive loop (protocol 00 §4.1)."""

    @staticmethod
    async def beats(broker, clock: Clock, count: int, chance: float = 0.5) -> None:
        async def sleep(seconds: float) -> None:
            await clock.sleep(seconds)
            if len(clock.sleeps) >= count:
                raise asyncio.CancelledError

        with pytest.raises(asyncio.CancelledError):
            await beat(broker, 300.0, sleep=sleep, chance=lambda: chance)

    async def test_it_beats_at_once_and_then_every_interval(self, double, broker, clock: Clock) -> None:
        await self.beats(broker, clock, 3)
        assert clock.sleeps == [300.0] * 3
        assert len(double.calls(KEEP_ALIVE)) == 3

    @pytest.mark.parametrize(("chance", "pause"), [(0.0, 270.0), (0.999999, 330.0)])
    async def test_it_jitters_by_a_tenth(self, broker, clock: Clock, chance: float, pause: float) -> None:
        await self.beats(broker, clock, 1, chance)
        assert clock.sleeps == [pytest.approx(pause, rel=1e-4)]

    async def test_trouble_shortens_the_pause(self, double, broker, clock: Clock) -> None:
        double.fail(KEEP_ALIVE, *[Fault(503)] * 3, Fault(429, headers={"Retry-After": "40"}))
        await self.beats(broker, clock, 5)
        assert clock.sleeps == [15.0, 30.0, 60.0, 40.0, 300.0]

    async def test_it_renews(self, double, broker, clock: Clock) -> None:
        double.expire()
        await self.beats(broker, clock, 1)
        assert double.logins == 2
        assert broker.state == "authenticated"

    async def test_it_waits_where_it_may_not_renew(self, double, make, clock: Clock) -> None:
        async with make(auto_reauth=False) as broker:
            await broker.login()
            double.expire()
            await self.beats(broker, clock, 2)
            assert clock.sleeps == [300.0, 300.0]
            assert len(double.calls(PASSWORD)) == 1

    async def test_without_a_session_it_stays_quiet(self, double, make, clock: Clock) -> None:
        async with make() as broker:
            await self.beats(broker, clock, 2)
        assert double.seen == []
