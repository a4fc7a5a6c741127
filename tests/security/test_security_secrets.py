"""Searches everything that ftcli prints, logs, serves and writes for every secret the paper broker knows."""

import asyncio
import base64
import io
import logging
import os
import secrets
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest
from cli_kit import Outcome, ft
from server_kit import daemon

from ftcli import config
from ftcli.environment import open_client
from ftcli.errors import FtError
from ftcli.log_guard import LOGGERS, guard_loggers
from ftcli.paper.desk import open_desk
from ftcli.paper.logins import Logins, User
from ftcli.paper.server import running as paper_running
from ftcli.redaction import redact, remember_passing
from ftcli.server.keys import NO_KEY
from ftcli.server.tickets import Tickets
from ftcli.transport.cookies import Jar

SEED = "NB2HI4DTHIXS653XO4XHS33V"
PASSWORD = 's3same-Open! "quoted" \\ 99'
FERNET = base64.urlsafe_b64encode(b"0123456789abcdef0123456789abcdef").decode()
BOOTSTRAP = "bootstrap-key-of-the-container-1"


class TellingLogins(Logins):
    """The paper broker's logins, which remember every token they hand out."""

    def __init__(self, user: User) -> None:
        super().__init__(user)
        self.handed_out: list[str] = []

    def token(self) -> str:
        found = super().token()
        self.handed_out.append(found)
        return found


class Haul:
    """Everything that came out, by where it came from."""

    def __init__(self) -> None:
        self.texts: dict[str, bytes] = {}

    def add(self, source: str, text: str | bytes) -> None:
        data = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
        self.texts[source] = self.texts.get(source, b"") + data

    def command(self, words: tuple[str, ...], done: Outcome) -> None:
        self.add(f"stdout of ft {' '.join(words)}", done.data)
        self.add(f"stderr of ft {' '.join(words)}", done.err)

    def hits(self, known: dict[str, str]) -> list[str]:
        found = []
        for name, secret in known.items():
            forms = {
                secret,
                quote(secret),
                quote(secret, safe=""),
                base64.b64encode(secret.encode()).decode().rstrip("="),
                secret.encode().hex(),
                secret.replace("\\", "\\\\").replace('"', '\\"'),
            }
            for source, text in self.texts.items():
                found += [f"{name} in {source}" for form in forms if form.encode() in text]
        return found


@pytest.fixture
def listening() -> Iterator[io.StringIO]:
    """A program that logs everything at debug level, as a user of the SDK may."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    root = logging.getLogger()
    before = {name: logging.getLogger(name).level for name in ("", *LOGGERS)}
    root.addHandler(handler)
    for name in before:
        logging.getLogger(name).setLevel(logging.DEBUG)
    yield stream
    root.removeHandler(handler)
    for name, level in before.items():
        logging.getLogger(name).setLevel(level)


COMMANDS = (
    ("auth", "status"),
    ("accounts", "positions", "-a", "Z20000025"),
    ("accounts", "balances", "-a", "Z20000025", "-o", "json"),
    ("orders", "status", "-o", "csv"),
    ("quote", "KO", "-o", "jsonl"),
    ("config", "show"),
    ("config", "show", "-o", "json"),
    ("doctor",),
    ("doctor", "--login", "--json"),
    ("auth", "storage"),
    ("auth", "credentials", "show"),
    ("orders", "detail", "NOSUCH00"),
    ("api", "GET", "/accounts"),
    ("auth", "login", "--totp", "12345"),
    ("nonsense",),
)
ROUTES = (
    "/metrics",
    "/openapi.json",
    "/docs",
    "/ready",
    "/api/v1/service/info",
    "/api/v1/auth/status",
    "/api/v1/accounts",
)


def _files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _wide(folder: Path) -> list[str]:
    return [
        f"{path.name} {stat.S_IMODE(path.stat().st_mode):o}"
        for path in folder.rglob("*")
        if path.is_file() and path.stat().st_mode & 0o077
    ]


async def test_no_secret_comes_out_anywhere(tmp_path: Path, listening: io.StringIO) -> None:
    broker_folder, folder = tmp_path / "broker", tmp_path / "user"
    broker_folder.mkdir(mode=0o700)
    folder.mkdir(mode=0o700)
    desk = open_desk(config.load({}, {"FT_ENV": "paper", "FT_DATA_DIR": str(broker_folder)}))
    logins = TellingLogins(User(username="kim", password=PASSWORD, totp_secret=SEED))
    desk.logins = logins
    haul = Haul()
    async with paper_running(desk) as upstream:
        environ = {
            "FT_ENV": "live",
            "FT_DATA_DIR": str(folder),
            "FT_CONFIG": "/dev/null",
            "FT_UPSTREAM": upstream,
            "FT_USERNAME": "kim",
            "FT_PASSWORD": PASSWORD,
            "FT_TOTP": SEED,
            "FTSERVICE_ENCRYPTION_KEY": FERNET,
            "FTSERVICE_API_KEY": BOOTSTRAP,
            "FTSERVICE_PORT": "0",
            "FT_CREDENTIAL_STORE": "file",
        }
        keys = await _flows(environ, haul)
    haul.add("log of everything at debug level", listening.getvalue())
    for name, content in _files(folder).items():
        haul.add(f"file {name}", content)
    known = {
        "password": PASSWORD,
        "TOTP secret": SEED,
        "encryption key": FERNET,
        "bootstrap key": BOOTSTRAP,
        "member id": desk.member_id,
        **{f"token {number}": token for number, token in enumerate(logins.handed_out)},
        **keys,
    }
    assert len(logins.handed_out) > 10
    assert len(haul.texts) > 40
    assert "cookie" in haul.texts["log of everything at debug level"].decode().lower()  # it did listen
    hits = haul.hits(known)
    report = f"{len(known)} secrets searched in {len(haul.texts)} places:\n" + "\n".join(sorted(haul.texts))
    if os.environ.get("FT_SHOW_SEARCHED"):
        sys.stderr.write(report + "\n")
    assert not hits, "\n".join(hits[:20]) + "\n" + report
    assert not _wide(folder)
    assert not _wide(broker_folder)


async def _flows(environ: dict[str, str], haul: Haul) -> dict[str, str]:
    """Uses every face; answers the secrets that were made on the way."""
    known: dict[str, str] = {}

    async def run(*words: str, stdin: str = "") -> Outcome:
        done = await asyncio.to_thread(ft, *words, environ=environ, stdin=stdin)
        haul.command(words, done)
        return done

    assert (await run("auth", "login", "--debug")).status == 0
    await run("auth", "credentials", "set", "--debug")
    for words in COMMANDS:
        await run(*words, "--debug")
    settings = config.load({}, environ)
    log = io.StringIO()
    handler = logging.StreamHandler(log)
    logging.getLogger().addHandler(handler)
    async with daemon(settings) as found:
        haul.add("what the daemon announced", "\n".join(found.announced))
        await _daemon_flows(found, haul, known)
    logging.getLogger().removeHandler(handler)
    haul.add("log of the daemon", log.getvalue())
    async with open_client(settings) as client:
        await client.accounts.list()
        for call in (client.orders.detail("NOSUCH00"), client.auth.answer_totp("000000")):
            try:
                await call
            except FtError as problem:
                haul.add("errors of the SDK", f"{problem!r} {problem.details} {problem.__cause__!r}")
        haul.add(
            "repr of the SDK's objects",
            repr([vars(client), vars(client.broker), vars(client.broker._keeper)]),
        )
    await run("auth", "logout", "--debug")
    wrong = environ | {"FT_PASSWORD": PASSWORD + "x"}
    done = await asyncio.to_thread(ft, "auth", "login", "--debug", environ=wrong)
    haul.command(("auth", "login", "with a wrong password"), done)
    return known


async def _daemon_flows(found: Any, haul: Haul, known: dict[str, str]) -> None:
    async with found.client(BOOTSTRAP) as http:
        for route in ROUTES:
            response = await http.get(route)
            haul.add(f"GET {route}", str(dict(response.headers)) + response.text)
        stored = await http.post(
            "/api/v1/auth/credentials", json={"username": "kim", "password": PASSWORD, "totp": SEED}
        )
        assert stored.status_code == 200, stored.text
        haul.add("POST credentials", stored.text)
        for body in (
            {"username": "kim", "password": PASSWORD, "totp": SEED, "evil": PASSWORD},
            {"password": PASSWORD},
        ):
            haul.add("bad credentials", (await http.post("/api/v1/auth/credentials", json=body)).text)
        ticket = (await http.post("/api/v1/streaming/tickets")).json()["data"]["ticket"]
        known["ticket"] = ticket
        haul.add("used key in URL", (await http.get(f"/api/v1/accounts?api_key={BOOTSTRAP}")).text)
        haul.add("unknown route", (await http.get("/api/v1/nowhere")).text)
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{found.url}/api/v1/ws/quotes?ticket={ticket}") as socket,
    ):
        await socket.send_json({"action": "subscribe", "symbols": ["KO"]})
        haul.add("WebSocket", (await socket.receive(5)).data)
        await socket.send_json({"action": "auth", "key": BOOTSTRAP})
        haul.add("WebSocket", str((await socket.receive(5)).data))


# -- the filter ---------------------------------------------------------------------------------------------


def test_the_filter_cleans_records_for_every_listener(listening: io.StringIO) -> None:
    guard_loggers()
    token = secrets.token_urlsafe(24)
    remember_passing(token)
    for name in LOGGERS:
        logger = logging.getLogger(name)
        logger.debug("Cookie: ATC=%s; account Z20000025", token)
        logger.debug("headers %r", {"set-cookie": f"FC={token}"})
        logger.debug("too many arguments %s", token, token)
        try:
            raise ValueError(token)
        except ValueError:
            logger.exception("it broke")
    text = listening.getvalue()
    assert "it broke" in text
    assert token not in text
    assert "Z20000025" not in text
    assert "…0025" in text


def test_tickets_by_the_hundred_are_masked_and_push_no_cookie_out() -> None:
    cookie, tickets = secrets.token_urlsafe(24), Tickets()
    remember_passing(cookie)
    given = [tickets.issue(NO_KEY) for _ in range(1000)]
    assert cookie not in redact(f"page for {cookie}")
    shown = redact(" ".join(f"GET /x?ticket={one}&back=%2Fy%3Dticket%3D{one}" for one in given))
    assert not any(one in shown for one in given)
    assert shown.count("&back=") == 1000


def test_a_cookie_in_force_is_masked_however_often_another_one_changes() -> None:
    url, staying = "https://digital.fidelity.com/x", secrets.token_urlsafe(24)
    jar = Jar()
    jar.absorb(url, (("set-cookie", f"ATC={staying}"),))
    for _ in range(600):
        jar.absorb(url, (("set-cookie", f"RC={secrets.token_urlsafe(24)}"),))
        assert staying not in redact(f"page for {staying}")


def test_an_application_of_aiohttp_logs_no_key(listening: io.StringIO) -> None:
    """aiohttp's own access log, which the daemon does not use, is covered too."""
    guard_loggers()
    logging.getLogger("aiohttp.access").info('GET /x?access_token=%s HTTP/1.1"', "abcdef0123456789")
    assert "abcdef0123456789" not in listening.getvalue()
