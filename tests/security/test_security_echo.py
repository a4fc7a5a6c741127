"""No answer tells whether what a client has sent is one of our secrets: right and wrong guesses look alike."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from hostile import request
from server_kit import Daemon, daemon

from ftcli.config import Settings
from ftcli.redaction import MASK, Secret
from ftcli.server.keys import KeyRing, parse_scopes
from ftcli.store import Store, db_path

RIGHT, WRONG = "QZ7LOGINWORD4K", "QX8NOBODYSWRD5"
"""Something that is masked by value wherever it turns up, and something like it."""
_CHANGING = re.compile(rb"(?i)(x-request-id|date|sec-websocket-accept|connection|content-length): [^\r]*")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        environment="paper",
        data_dir=tmp_path,
        port=0,
        api_key=Secret(f"{RIGHT}-{RIGHT[::-1]}"),
        wrong_key_rate="off",
    )


@pytest.fixture
async def running(settings: Settings) -> AsyncIterator[Daemon]:
    Secret(RIGHT)
    Secret(RIGHT[:6])
    async with daemon(settings) as found:
        yield found


def reader(settings: Settings) -> str:
    store = Store(db_path(settings))
    try:
        return KeyRing(store).create(name="reader", scopes=parse_scopes("read"))[0]
    finally:
        store.close()


def strangers(word: str) -> dict[str, bytes]:
    """Requests without a good key that hold a word wherever one can stand."""
    socket = ["Upgrade: websocket", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="]
    rest = b"Host: localhost\r\nConnection: close\r\n\r\n"
    return {
        "path": request("GET", f"/nowhere/{word}"),
        "path of a route": request("GET", f"/api/v1/accounts/{word}/positions"),
        "path without slash": request("GET", f"http://localhost/{word}"),
        "method": request(word, "/health"),
        "path of a wrong method": request("PUT", f"/api/v1/accounts/{word}/positions"),
        "query": request("GET", f"/api/v1/accounts?{word}={word}"),
        "query of a page": request("GET", f"/health?{word}={word}"),
        "key": request("GET", "/api/v1/accounts", key=word),
        "double": request("GET", "/nowhere", key=word * 3),
        "host": request("GET", "/health", host=f"{word}.example"),
        "hosts": request("GET", "/health", f"Host: {word}"),
        "origin": request("POST", "/api/v1/auth/logout", f"Origin: https://{word}.example"),
        "coding": request("GET", "/health", f"Transfer-Encoding: {word}, chunked"),
        "expectation": request("GET", "/health", f"Expect: {word}"),
        "request id": request("GET", "/health", f"X-Request-Id: {word}"),
        "part of a request id": request("GET", "/nowhere", f"X-Request-Id: a-{word}.b"),
        "content type": request("POST", "/api/v1/auth/login", f"Content-Type: {word}", body=b"{}"),
        "body": request("POST", "/api/v1/auth/login", body=b'{"%b": 1}' % word.encode()),
        "ticket": request("GET", f"/api/v1/streaming/quotes?symbols=KO&ticket={word}"),
        "query of a socket": request("GET", f"/api/v1/ws/quotes?{word}=1", *socket),
        "version of a socket": request("GET", "/api/v1/ws/quotes", *socket, f"Sec-WebSocket-Version: {word}"),
        "upgrade": request("GET", "/api/v1/ws/quotes", f"Upgrade: {word}"),
        "first line": f"GET /{word} {word}\r\n".encode() + rest,
        "header": f"GET /health HTTP/1.1\r\n{word}\r\n".encode() + rest,
        "header's value": f"GET /health HTTP/1.1\r\nX-A: {word}\x00\r\n".encode() + rest,
        "long line": f"GET /{word * 900} HTTP/1.1\r\n".encode() + rest,
        "long header": f"GET /health HTTP/1.1\r\nX-A: {word * 900}\r\n".encode() + rest,
        "authority": f"CONNECT {word}:x HTTP/1.1\r\n".encode() + rest,
        "scheme": f"GET {word}:x HTTP/1.1\r\n".encode() + rest,
        "no HTTP": word.encode() + b"\r\n\r\n",
    }


async def test_a_stranger_learns_nothing_from_guesses_and_gets_nothing_back(running: Daemon) -> None:
    wrong = strangers(WRONG)
    for place, data in strangers(RIGHT).items():
        answer, other = await running.raw(data), await running.raw(wrong[place])
        assert answer, place
        if "request id" in place:
            assert f"{RIGHT}".encode() in answer, place
            assert answer.replace(RIGHT.encode(), b"") == other.replace(WRONG.encode(), b""), place
            continue
        assert _CHANGING.sub(b"", answer) == _CHANGING.sub(b"", other), place
        assert RIGHT.encode() not in answer, place
        assert MASK.encode() not in answer, place


async def test_nor_from_first_messages(running: Daemon) -> None:
    heard: dict[str, list[str]] = {RIGHT: [], WRONG: []}
    async with aiohttp.ClientSession() as session:
        for word, answers in heard.items():
            for text in (f'{{"action": "{word}", "key": "{word}"}}', f'{{"{word}": "{word}"}}', word):
                url, headers = f"{running.url}/api/v1/ws/quotes", {"Origin": running.url}
                async with session.ws_connect(url, headers=headers) as socket:
                    await socket.send_str(text)
                    while (message := await socket.receive(5)).type is aiohttp.WSMsgType.TEXT:
                        answers.append(message.data)
                    answers.append(f"{message.data} {message.extra}")
    assert heard[RIGHT] == heard[WRONG]
    assert len(heard[RIGHT]) == 6
    assert RIGHT not in str(heard[RIGHT])


def readers(word: str, key: str) -> dict[str, bytes]:
    """Requests of a key that may read, with a word wherever one can stand."""
    targets = (
        f"/api/v1/accounts/{word}/positions",
        f"/api/v1/accounts/Z20000025/tax-lots/{word}",
        f"/api/v1/accounts?{word}={word}",
        f"/api/v1/accounts?raw={word}",
        f"/api/v1/orders/{word}/detail",
        f"/api/v1/orders/status?acct_ids={word}",
        f"/api/v1/market-data/quotes?symbols={word}",
        f"/api/v1/market-data/chart/{word}",
        f"/api/v1/market-data/chart/KO?width={word}",
        f"/api/v1/market-data/chain/{word}",
        f"/api/v1/market-data/montage/{word}",
        f"/api/v1/research/search?q={word}",
        f"/api/v1/research/earnings?symbols={word}",
        f"/api/v1/service/info?{word}=1",
        f"/api/v1/streaming/quotes?symbols={word}",
    )
    found = {target.replace(word, "…"): request("GET", target, key=key) for target in targets}
    order = '"account": "Z20000025", "action": "buy", "quantity": 1, "order_type": "market"'
    bodies = {
        "symbol": f'{{{order}, "symbol": "{word[:6]}"}}',
        "name": f'{{"{word}": 1}}',
        "value": f'{{"account": "{word}"}}',
        "JSON": f'"{word}',
    }
    for name, body in bodies.items():
        path = "/api/v1/orders/equity/preview"
        found[f"{name} in a body"] = request("POST", path, key=key, body=body.encode())
    return found


async def test_a_key_that_may_read_learns_nothing_either(settings: Settings, running: Daemon) -> None:
    key = reader(settings)
    wrong = readers(WRONG, key)
    for place, data in readers(RIGHT, key).items():
        answer, other = await running.raw(data), await running.raw(wrong[place])
        same = re.sub(f"{RIGHT}|{RIGHT[:6]}".encode(), b"", _CHANGING.sub(b"", answer))
        assert same == re.sub(f"{WRONG}|{WRONG[:6]}".encode(), b"", _CHANGING.sub(b"", other)), place


async def test_what_looks_like_a_key_is_never_repeated_whose_ever_it_is(
    settings: Settings, running: Daemon
) -> None:
    key = reader(settings)
    for cut in (key, key[:-1], f"{key}x", f"a.{key}.b", "ft_" + "A" * 46):
        for path in (f"/nowhere/{cut}", f"/api/v1/orders/{cut}/detail", f"/api/v1/accounts?{cut}={cut}"):
            answer = await running.raw(request("GET", path, f"X-Request-Id: {cut}", key=key))
            assert cut[5:40].encode() not in answer, path


async def test_what_the_broker_says_is_masked_by_value() -> None:
    from ftcli.errors import BrokerError
    from ftcli.server.envelope import failure

    Secret(RIGHT)
    said = failure(BrokerError(f"It says {RIGHT}.", details={"texts": [RIGHT]}))
    assert RIGHT.encode() not in said
