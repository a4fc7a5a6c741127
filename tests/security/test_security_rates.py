"""How often keys may be used, and wrong ones tried; and which keys from outside are too weak to be one."""

import json
from pathlib import Path

import aiohttp
import msgspec
import pytest
from server_kit import Daemon, daemon, failed

from ftcli.config import Settings, load
from ftcli.errors import RateLimited, ValidationFailed
from ftcli.redaction import Secret
from ftcli.server.key_text import new_key
from ftcli.server.keys import KeyRing, parse_scopes
from ftcli.server.limits import Guesses, Throttle, parse_rate
from ftcli.server.run import running
from ftcli.store import Store, db_path

INFO = "/api/v1/service/info"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(environment="paper", data_dir=tmp_path, port=0)


def make(settings: Settings, rate: str = "", scopes: str = "read,stream,trade") -> str:
    store = Store(db_path(settings))
    try:
        return KeyRing(store).create(name="test", scopes=parse_scopes(scopes), rate=rate)[0]
    finally:
        store.close()


class TestKeys:
    def test_every_key_has_a_rate_unless_it_is_switched_off(self) -> None:
        assert parse_rate(load(environ={"FT_CONFIG": "/dev/null"}).key_rate) is not None
        assert parse_rate("off") is None
        with pytest.raises(ValidationFailed) as caught:
            Throttle("often")
        assert (caught.value.details or {})["field"] == "FTSERVICE_KEY_RATE"
        with pytest.raises(ValidationFailed) as caught:
            Guesses("often")
        assert (caught.value.details or {})["field"] == "FTSERVICE_WRONG_KEY_RATE"

    async def test_a_key_without_a_rate_of_its_own_has_the_default(self, settings: Settings) -> None:
        async with daemon(msgspec.structs.replace(settings, key_rate="3/h")) as found, found.client() as http:
            for _ in range(3):
                assert (await http.get(INFO)).status_code == 200
            assert failed(await http.get(INFO), 429, "RATE_LIMITED")["details"]["calls"] == 3
            async with found.client(make(settings, "off")) as free:
                for _ in range(10):
                    assert (await free.get(INFO)).status_code == 200

    async def test_what_stops_trading_is_never_refused(self, settings: Settings) -> None:
        async with (
            daemon(msgspec.structs.replace(settings, key_rate="1/h")) as found,
            found.client() as http,
        ):
            assert (await http.get(INFO)).status_code == 200
            failed(await http.post("/api/v1/orders/ABC12345/cancel/preview"), 429, "RATE_LIMITED")
            for _ in range(2):
                assert (await http.post("/api/v1/orders/ABC12345/cancel")).status_code != 429
            halted = await http.post("/api/v1/trading/halt", json={"reason": "enough"})
            assert halted.status_code == 200

    async def test_commands_of_a_websocket_count(self, settings: Settings) -> None:
        async with daemon(settings) as found, aiohttp.ClientSession() as session:
            headers = {"Authorization": f"Bearer {make(settings, '4/h')}"}
            async with session.ws_connect(f"{found.url}/api/v1/ws/quotes", headers=headers) as socket:
                answers = []
                for number in range(5):
                    action = "subscribe" if number % 2 == 0 else "unsubscribe"
                    await socket.send_json({"action": action, "symbols": ["KO"], "id": number})
                    while (answer := json.loads((await socket.receive(5)).data)).get("id") != number:
                        pass
                    answers.append(answer)
            assert [answer["type"] for answer in answers] == ["ack"] * 3 + ["error"] * 2
            assert answers[3]["error"]["code"] == "RATE_LIMITED"

    @pytest.mark.parametrize("bare", [True, False], ids=["auth first", "with the first command"])
    async def test_a_key_in_the_first_message_of_a_websocket_counts(
        self, settings: Settings, bare: bool
    ) -> None:
        """Each message is one use, the one that brings the key too; then no further socket is opened either."""
        key = make(settings, "3/h")
        command = {"action": "subscribe", "symbols": ["KO"]}
        messages = [{"action": "auth"} if bare else command, command, command, command]
        async with daemon(settings) as found, aiohttp.ClientSession() as session:
            url = f"{found.url}/api/v1/ws/quotes"
            async with session.ws_connect(url) as socket:
                answers = []
                for number, message in enumerate(messages):
                    await socket.send_json({**message, "id": number, **({} if number else {"key": key})})
                    while (answer := await socket.receive_json(timeout=5)).get("id") != number:
                        pass
                    answers.append(answer)
            assert [answer["type"] for answer in answers] == ["ack"] * 3 + ["error"]
            assert answers[3]["error"]["code"] == "RATE_LIMITED"
            async with session.ws_connect(url) as socket:
                await socket.send_json({"action": "auth", "key": key})
                assert (await socket.receive_json(timeout=5))["error"]["code"] == "RATE_LIMITED"
                await socket.receive(5)
                assert socket.close_code == 4429
            async with found.client(key) as http:
                failed(await http.get(INFO), 429, "RATE_LIMITED")


class TestWrongKeys:
    async def test_they_are_slowed_and_good_keys_in_use_are_not(self, settings: Settings) -> None:
        chosen = msgspec.structs.replace(settings, wrong_key_rate="5/h")
        async with daemon(chosen) as found, found.client() as mine, found.client(None) as nobody:
            assert (await mine.get(INFO)).status_code == 200
            for _ in range(20):  # a page can make a browser send these
                failed(await nobody.get(INFO), 403, "API_KEY_INVALID")
                bad = await nobody.get("/api/v1/streaming/quotes?symbols=KO&ticket=ftt_x")
                failed(bad, 403, "API_KEY_INVALID")
            for number in range(8):
                async with found.client(new_key() if number % 2 else f"ft_wrong{number}") as guesser:
                    answer = await guesser.get(INFO)
                if number < 5:
                    failed(answer, 403, "API_KEY_INVALID")
                    continue
                assert failed(answer, 429, "RATE_LIMITED")["details"] == {"reason": "wrong_keys"}
                assert 1 <= int(answer.headers["Retry-After"]) <= 720
            for _ in range(5):
                assert (await mine.get(INFO)).status_code == 200
            async with found.client(make(settings)) as fresh:  # nobody guesses 190 bits
                assert (await fresh.get(INFO)).status_code == 200
            assert (await nobody.get("/health")).status_code == 200

    async def test_they_hold_up_no_key_of_ours_not_even_after_a_restart(self, settings: Settings) -> None:
        chosen = msgspec.structs.replace(settings, wrong_key_rate="5/h")
        key, reader = make(settings), make(settings, scopes="read")
        for _ in range(2):
            async with daemon(chosen) as found:
                await self.flood(found)
                async with found.client(key) as mine, found.client(reader) as other:
                    halted = await mine.post("/api/v1/trading/halt", json={"reason": "enough"})
                    assert halted.status_code == 200
                    assert (await mine.post("/api/v1/orders/ABC12345/cancel")).status_code != 429
                    assert (await other.get(INFO)).status_code == 200
                    failed(await other.post("/api/v1/trading/halt"), 403, "API_KEY_INVALID")
                async with found.client(key[:-1] + ("A" if key[-1] != "A" else "B")) as typo:
                    failed(await typo.get(INFO), 429, "RATE_LIMITED")

    async def test_a_key_from_outside_waits_for_a_right_guess_must_look_like_a_wrong_one(
        self, settings: Settings
    ) -> None:
        outside = "4f1c9a7be02d4386a5c1"
        chosen = msgspec.structs.replace(settings, wrong_key_rate="5/h", api_key=Secret(outside))
        async with daemon(chosen) as found, found.client(outside) as http:
            await self.flood(found)
            failed(await http.get(INFO), 429, "RATE_LIMITED")
            # Else this route would tell how good a guess is, as often as anybody likes.
            failed(await http.post("/api/v1/trading/halt"), 429, "RATE_LIMITED")
        async with daemon(chosen) as found, found.client(outside) as http:
            assert (await http.get(INFO)).status_code == 200
            await self.flood(found)
            assert (await http.post("/api/v1/trading/halt")).status_code == 200

    async def flood(self, found: Daemon) -> None:
        """Sends wrong keys until no more are taken."""
        for number in range(6):
            async with found.client(new_key()) as guesser:
                answer = await guesser.get(INFO)
            failed(answer, *((403, "API_KEY_INVALID") if number < 5 else (429, "RATE_LIMITED")))

    async def test_they_are_slowed_in_first_messages_too(self, settings: Settings) -> None:
        chosen = msgspec.structs.replace(settings, wrong_key_rate="2/h")
        codes = []
        async with daemon(chosen) as found, aiohttp.ClientSession() as session:
            for _ in range(4):
                url = f"{found.url}/api/v1/ws/quotes"
                async with session.ws_connect(url, headers={"Origin": found.url}) as socket:
                    await socket.send_json({"action": "auth", "key": new_key()})
                    while not socket.closed:
                        await socket.receive(5)
                    codes.append(socket.close_code)
        assert codes == [4401, 4401, 4429, 4429]

    def test_time_gives_back_and_networks_count_as_one(self) -> None:
        now = [0.0]
        guesses = Guesses("2/m", lambda: now[0])
        for address in ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "10.0.0.1", "10.0.0.1"):
            guesses.wrong(address)
        for address in ("2001:db8:1:2::77", "10.0.0.1"):
            with pytest.raises(RateLimited) as caught:
                guesses.wrong(address)
            assert caught.value.retry_after == pytest.approx(30)
        for address in ("2001:db8:1:3::1", "10.0.0.2", "::1"):
            guesses.wrong(address)
        now[0] = 30
        guesses.wrong("10.0.0.1")
        with pytest.raises(RateLimited):
            guesses.right("10.0.0.1", "abc")

    def test_memory_is_bounded(self) -> None:
        guesses = Guesses("2/m")
        for number in range(20_000):
            guesses.wrong(f"10.0.{number // 256}.{number % 256}")
            guesses.right(f"10.1.{number // 256}.{number % 256}", "key")
        assert len(guesses._buckets) <= 4096
        assert len(guesses._good) <= 4096


@pytest.mark.parametrize(
    "key",
    [
        "short-but-random-7Qz",
        "a" * 40,
        "ab" * 20,
        "changeme" * 3,
        "12345678901234567890",
        "abcdefghijklmnopqrstuvwxyz",
        "zyxwvutsrqponmlkjihgfedcba",
        "1111111122222222333333334444",
    ],
)
async def test_a_key_that_can_be_guessed_stops_the_start(settings: Settings, key: str) -> None:
    text = key[:19] if key.startswith("short") else key
    with pytest.raises(ValidationFailed, match="FTSERVICE_API_KEY can be guessed") as caught:
        async with running(msgspec.structs.replace(settings, api_key=Secret(text))):
            pass
    details = caught.value.details or {}
    assert details["field"] == "FTSERVICE_API_KEY"
    assert "20 characters, 8 of them different" in details["rule"]
    assert text not in str(caught.value.document())


@pytest.mark.parametrize("blank", [" {}", "{} ", "{}\t", "{}\nmore", "\ufeff{}"])
async def test_a_key_that_no_header_brings_stops_the_start(
    settings: Settings, tmp_path: Path, blank: str
) -> None:
    key = "4f1c9a7be02d4386a5c1"
    file = tmp_path / "secret"
    file.write_text(blank.format(key) + "\n")
    found = load({}, {"FT_CONFIG": "/dev/null", "FTSERVICE_API_KEY_FILE": str(file)}).api_key
    with pytest.raises(ValidationFailed, match="FTSERVICE_API_KEY would let nobody in") as caught:
        async with running(msgspec.structs.replace(settings, api_key=found)):
            pass
    assert key not in str(caught.value.document())


@pytest.mark.parametrize(
    "key", ["4f1c9a7be02d4386a5c1", "correct horse battery staple", "kJ3-_x9QpL0sVb7TzR2w"]
)
async def test_a_key_from_outside_that_is_good(settings: Settings, key: str) -> None:
    async with (
        daemon(msgspec.structs.replace(settings, api_key=Secret(key))) as found,
        found.client(key) as http,
    ):
        assert (await http.get(INFO)).status_code == 200
