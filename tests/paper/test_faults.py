"""The switches of a bad day, and what the paper broker's sockets make of them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ftcli.clock import NEW_YORK
from ftcli.errors import ValidationFailed
from ftcli.models.mdds import BOOK_SLOTS
from ftcli.paper import event_tokens
from ftcli.paper.beps import BepsFeed, credentials_of
from ftcli.paper.desk import Desk
from ftcli.paper.faults import SECOND_FACTOR, Faults, changed, table
from ftcli.paper.logins import User
from ftcli.paper.market import Market
from ftcli.paper.mdds import MddsFeed, SocketEnd
from ftcli.paper.mdds_board import Board
from ftcli.paper.state import State
from ftcli.paper.wire.exchange import PaperRequest, respond
from ftcli.streaming.beps_messages import auth_header, start

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=NEW_YORK)
MARKET = Market(seed=7)
USER = User(username="demo", password="open-sesame")


class Stage:
    """A desk, one connection of each kind, and the clock."""

    def __init__(self, state: State, **faults: str) -> None:
        self.moment = NOON
        self.desk = Desk(state, MARKET, lambda: self.moment, USER, 7, faults)
        self.feed = MddsFeed(self.desk)

    def say(self, word: str, symbols: str = "", **members: Any) -> list[dict[str, Any]]:
        command = {"SessionId": self.feed.session_id, "Command": word, "Symbol": symbols, **members}
        return [json.loads(frame) for frame in self.feed.receive(json.dumps(command), self.moment)]

    def go(self, seconds: float) -> list[dict[str, Any]]:
        self.moment += timedelta(seconds=seconds)
        return [json.loads(frame) for frame in self.feed.tick(self.moment)]

    def fault(self, **changes: Any) -> Faults:
        return self.desk.faults.change(changes)


@pytest.fixture
def stage() -> Iterator[Stage]:
    with State(":memory:") as state:
        yield Stage(state)


def data(frames: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [item for frame in frames for item in frame["Data"]]


# -- the table ---------------------------------------------------------------------------------------------


def test_every_switch_has_help_and_a_good_day_as_its_default() -> None:
    rows = table()
    assert len({row.name for row in rows}) == len(rows)
    assert all(row.help.endswith(".") for row in rows)
    assert changed(Faults(), {row.name: row.default for row in rows if not row.happens}) == Faults()


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [("slow", "2", 2.0), ("html", "on", True), ("html", True, True), ("status", "503", 503),
     ("mdds-deltas", "full", "full"), ("beps.desc", "xml", "xml"), ("drop", True, 1), ("drop", "off", 0)],
)  # fmt: skip
def test_values_are_read_from_text(name: str, value: Any, kept: Any) -> None:
    assert getattr(changed(Faults(), {name: value}), name.replace("-", "_").replace(".", "_")) == kept


@pytest.mark.parametrize(
    ("name", "value"), [("slw", "2"), ("slow", "long"), ("html", "maybe"), ("mdds_deltas", "some")]
)
def test_nonsense_is_refused(name: str, value: str) -> None:
    with pytest.raises(ValidationFailed):
        changed(Faults(), {name: value})


def test_another_process_sees_a_change_at_once(tmp_path: Path) -> None:
    @contextmanager
    def desk() -> Iterator[Desk]:
        with State(tmp_path / "paper.sqlite") as state:
            yield Stage(state, html="on").desk

    with desk() as one, desk() as two:
        assert one.faults.current().html
        two.faults.change({"slow": 2, "html": "off", "expire": True})
        assert (one.faults.current().slow, one.faults.current().html) == (2.0, False)
        one.faults.clear()
        assert two.faults.current() == Faults(expire=1)


# -- calls ---------------------------------------------------------------------------------------------------


def session(stage: Stage) -> dict[str, str]:
    logins = stage.desk.logins
    cookies = {"SESSION_SCTX": logins.begin()}
    assert logins.check_password(cookies, "demo", "open-sesame").code == 1200
    assert logins.create_session(cookies, stage.moment).code == 1200
    return cookies | logins.fresh_cookies(cookies, stage.moment)


def test_data_calls_go_wrong_and_logins_do_not(stage: Stage) -> None:
    cookies = session(stage)
    call = PaperRequest(method="GET", path="/ftgw/dp/security/token/authz/generate/1.0", cookies=cookies)
    keep_alive = PaperRequest(method="GET", path="/ftgw/digital/portfolio/extendsession", cookies=cookies)
    stage.fault(status=503)
    assert respond(stage.desk, call).status == 503
    assert respond(stage.desk, keep_alive).status == 200
    stage.fault(html=True, paths="orders")
    assert respond(stage.desk, call).status == 200
    stage.fault(paths="token", slow=0.5)
    page = respond(stage.desk, call)
    assert page.body.startswith(b"<!DOCTYPE html>")
    assert page.delay == 0.5


def test_sessions_end_and_logins_demand_more(stage: Stage) -> None:
    cookies = session(stage)
    stage.fault(expire=True)
    assert not stage.desk.logins.is_live(cookies, stage.moment)
    assert stage.desk.logins.is_live(session(stage), stage.moment)
    stage.fault(second_factor=True)
    assert stage.desk.logins.user.totp_secret == SECOND_FACTOR
    stage.desk.faults.clear()
    assert stage.desk.logins.user.totp_secret is None


# -- market data ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "members"),
    [
        ("a", {"Message", "SessionId", "Status", "host", "productid"}),
        ("b", {"SessionId", "host", "productid"}),
    ],
)
def test_greetings(stage: Stage, form: str, members: set[str]) -> None:
    stage.fault(mdds_greeting=form)
    (greeting,) = stage.feed.greeting(stage.moment)
    assert set(json.loads(greeting)) == members


def test_bad_greetings(stage: Stage) -> None:
    stage.fault(mdds_greeting="error")
    (greeting,) = stage.feed.greeting(stage.moment)
    assert json.loads(greeting)["Status"] == "Error"
    stage.fault(mdds_greeting="none")
    assert stage.feed.greeting(stage.moment) == []
    stage.fault(mdds_greeting="late")
    assert stage.feed.greeting(stage.moment) == []
    assert stage.go(1) == []
    (late,) = stage.go(1)
    assert late["Status"] == "Ok"
    assert stage.go(1) == []


def test_answers_come_single_together_or_as_bad_items(stage: Stage) -> None:
    usual = stage.say("subscribe", "KO,NOSUCH,PEP", ConflationRate=1000, IncludeGreeks=False)
    assert [frame["ResponseType"] for frame in usual] == ["-1", "1", "1"]
    assert len({frame["Request"] for frame in usual}) == 1
    stage.fault(mdds_reply="together", mdds_unknown="item")
    (one,) = stage.say("subscribe", "KO,NOSUCH,PEP", ConflationRate=1000, IncludeGreeks=False)
    assert [item["0"] for item in one["Data"]] == ["Source not found", "success", "success"]


def test_answers_come_split_with_pauses(stage: Stage) -> None:
    stage.fault(mdds_reply="split")
    at_once = stage.say("subscribe", "KO,NOSUCH,PEP", ConflationRate=60_000, IncludeGreeks=False)
    assert [frame["ResponseType"] for frame in at_once] == ["-1"]
    later = [stage.go(0.25) for _ in range(5)]
    assert [[frame["Data"][0]["6"] for frame in frames] for frames in later] == [[], ["KO"], [], ["PEP"], []]
    assert {frame["Request"] for frames in later for frame in frames} == {at_once[0]["Request"]}


def test_books_of_every_kind(stage: Stage) -> None:
    word = "subscribe_virtualbook"

    def filled(item: dict[str, Any]) -> int:
        return sum(1 for key in item if key in BOOK_SLOTS and BOOK_SLOTS[key][1] == "price")

    full = data(stage.say(word, "AAPL", ConflationRate=250))[0]
    assert filled(full) == 50
    stage.fault(mdds_book="burst")
    burst = stage.go(3)
    assert len(burst) > 5
    for frame in burst:
        assert len({BOOK_SLOTS[key][::2] for key in frame["Data"][0] if key in BOOK_SLOTS}) == 1
    stage.fault(mdds_book="thin")
    assert filled(data(stage.say(word, "MSFT", ConflationRate=250))[0]) == 6
    gone = data(stage.go(1))
    assert any(key in item and item[key] == "" for item in gone for key in BOOK_SLOTS), "levels must vanish"
    stage.fault(mdds_book="crossed")
    first_bid, first_ask = (
        next(key for key, slot in BOOK_SLOTS.items() if slot == (side, "price", 0)) for side in ("bid", "ask")
    )
    seen = []
    for _ in range(10):
        stage.moment += timedelta(seconds=1)
        item = data(stage.say(word, "KO", ConflationRate=250))[0]
        seen.append(Decimal(item[first_bid]) > Decimal(item[first_ask]))
    assert sum(seen) == 2, "it crosses for a moment"


def test_ids_that_mean_nothing_come_with_trades(stage: Stage) -> None:
    stage.fault(mdds_noise=True)
    stage.say("subscribe", "SPY", ConflationRate=0)
    changes = data([frame for _ in range(240) for frame in stage.go(0.25)])
    noisy = [item for item in changes if "1159" in item]
    assert noisy
    assert [item for item in changes if "29" in item] == noisy


def test_deltas_partial_and_full(stage: Stage) -> None:
    snapshot = data(stage.say("subscribe", "SPY", ConflationRate=1000))[0]
    partial = data(stage.go(5))[0]
    assert len(partial) < len(snapshot) - 5
    stage.fault(mdds_deltas="full")
    assert len(data(stage.go(5))[0]) >= len(snapshot) - 1
    stage.fault(mdds_deltas="partial", mdds_empty="unchanged", mdds_numbers=True, mdds_quality="delayed",
                mdds_unknown_ids=True, mdds_envelope="both")  # fmt: skip
    (frame,) = stage.go(5)
    assert frame["Command"] == "subscribe"
    assert frame["Request"]
    item = frame["Data"][0]
    assert "" in item.values()
    assert isinstance(item["20"], int | float)
    assert item["5001"] == "1"


def test_a_reader_of_every_change_gets_every_print(stage: Stage) -> None:
    stage.say("subscribe", "SPY", ConflationRate=0)
    printed = [
        item for item in data([frame for _ in range(240) for frame in stage.go(0.25)]) if "316" in item
    ]
    trades = MARKET.trades("SPY", NOON + timedelta(microseconds=1), stage.moment)
    assert [(item["29"], item["28"]) for item in printed] == [(f"{t.price:f}", str(t.size)) for t in trades]
    volumes = [int(item["33"]) for item in printed]
    quote = MARKET.quote("SPY", stage.moment)
    assert quote is not None
    assert volumes[-1] == quote.volume
    assert [b - a for a, b in zip(volumes, volumes[1:], strict=False)] == [t.size for t in trades[1:]]


@pytest.mark.parametrize(("way", "left"), [("both", 2), ("first", 2), ("missing", 1), ("plain", 1)])
def test_where_greeks_come(stage: Stage, way: str, left: int) -> None:
    stage.fault(mdds_greeks=way)
    items = data(stage.say("subscribe", "-AAPL270115C250", ConflationRate=1000, IncludeGreeks=True))
    assert len(items) == left
    assert ("187" in items[0]) == (way in ("first", "plain"))


def test_unsubscribing(stage: Stage) -> None:
    def request() -> str:
        found: str = stage.say("subscribe", "SPY", ConflationRate=250)[0]["Request"]
        return found

    number = request()
    assert stage.say("unsubscribe", "SPY") == []
    assert stage.go(2), "by symbol it must have no effect"
    assert stage.say("unsubscribe", Request=number) == []
    assert stage.go(2) == []
    stage.fault(mdds_by_symbol=True)
    request()
    stage.say("unsubscribe", "SPY")
    assert stage.go(2) == []
    stage.fault(mdds_unsubscribe="late")
    number = request()
    stage.say("unsubscribe", Request=number)
    assert stage.go(1), "data come late"
    assert stage.go(3) == []


def test_commands_that_are_wrong(stage: Stage) -> None:
    assert stage.say("dance") == []
    stage.fault(mdds_unknown_command="error", mdds_wrong_session="close", mdds_limit="error")
    assert stage.say("dance")[0]["ResponseType"] == "-1"
    assert stage.say("subscribe", ",".join(f"S{number}" for number in range(51)))[0]["ErrorCode"] == "77"
    with pytest.raises(SocketEnd):
        stage.feed.receive('{"SessionId":"another","Command":"subscribe","Symbol":"KO"}', stage.moment)


def test_bars_and_indices(stage: Stage) -> None:
    stage.moment += timedelta(seconds=30)
    running = data(stage.say("subscribe_1-minute-bar", "SPY"))[0]
    stage.fault(mdds_bars="last")
    last = data(stage.say("subscribe_1-minute-bar", "SPY"))[0]
    assert (running["361"], last["361"]) == ("12:00:00", "11:59:00")
    stage.fault(mdds_bars="none", mdds_index_symbol=False)
    assert data(stage.say("subscribe_1-minute-bar", "SPY"))[0] == {"0": "success", "6": "SPY"}
    index = data(stage.say("subscribe", ".SPX", ConflationRate=1000))[0]
    assert "6" not in index
    assert index["289"] == ".SPX"


def test_a_minute_without_a_trade_shows_the_last_bar(stage: Stage) -> None:
    """A bar that is not there yet is no unknown symbol; the next one is told whole."""
    stage.moment = NOON - timedelta(milliseconds=1)
    word = "subscribe_1-minute-bar"
    assert data(stage.say(word, "SPY"))[0]["361"] == "11:59:00"
    stage.moment = NOON
    assert not MARKET.trades("SPY", NOON, NOON), "the new minute must have no trade yet"
    assert data(stage.say(word, "SPY"))[0]["361"] == "11:59:00"
    changes = data([frame for _ in range(5) for frame in stage.go(5)])
    assert {item["361"] for item in changes if "361" in item} == {"12:00:00"}
    assert set(changes[0]) >= {"6", "361", "357", "360", "358", "359", "356", "362", "1172"}
    stage.desk.market = Market(seed=7, always_open=False)
    stage.moment = NOON - timedelta(hours=9)  # 3 in the morning: not traded for hours
    assert data(stage.say(word, "SPY")) == [{"0": "success", "6": "SPY"}]
    assert stage.say(word, "NOSUCH")[0]["ErrorCode"] == "18"


def test_connections_share_what_they_look_at(stage: Stage) -> None:
    board = Board(stage.desk)
    feeds = [MddsFeed(stage.desk, board) for _ in range(3)]
    frames = []
    for feed in feeds:
        command = {
            "SessionId": feed.session_id,
            "Command": "subscribe",
            "Symbol": "SPY",
            "ConflationRate": 1000,
        }
        feed.receive(json.dumps(command), stage.moment)
    stage.moment += timedelta(seconds=2)
    frames = [feed.tick(stage.moment) for feed in feeds]
    assert frames[0]
    assert frames[0] == frames[1] == frames[2]
    sent = [feed.subscriptions["quote", "SPY"].sent["SPY"] for feed in feeds]
    assert sent[0] is sent[1] is sent[2]


# -- account events ------------------------------------------------------------------------------------------


def test_the_upgrade_needs_header_host_and_payload() -> None:
    header = auth_header("a.b.c", "spservice.fidelity.com")
    assert credentials_of({"header": header, "payload": "e30="}) == {
        "Authorization": "a.b.c", "host": "spservice.fidelity.com",
    }  # fmt: skip
    assert credentials_of({"header": header.replace("+", " "), "payload": "e30="})
    assert credentials_of({"header": header, "payload": "bm8="}) is None
    assert credentials_of({"header": "§", "payload": "e30="}) is None
    assert credentials_of({"header": auth_header("", "host"), "payload": "e30="}) is None


def beps(stage: Stage, token: str) -> BepsFeed:
    return BepsFeed(stage.desk, token, 0.0)


def begin(stage: Stage, feed: BepsFeed, token: str, member: str | None = None) -> list[dict[str, Any]]:
    message = start("1", token=token, host="h", member_id=member or stage.desk.member_id, app_id="ATN")
    return [json.loads(frame) for frame in feed.receive(message, stage.moment)]


def test_tokens_members_and_queries_are_checked(stage: Stage) -> None:
    token, _ = event_tokens.mint(stage.desk.member_id, stage.moment)
    stranger = beps(stage, "x.y.z")
    (refusal,) = stranger.receive('{"type":"connection_init"}', stage.moment)
    assert json.loads(refusal)["type"] == "connection_error"
    feed = beps(stage, token)
    assert begin(stage, feed, token) == [], "before the acknowledgement nothing is started"
    ack = json.loads(feed.receive('{"type":"connection_init"}', stage.moment)[0])
    assert ack == {"type": "connection_ack", "payload": {"connectionTimeoutMs": 300000}}
    assert (
        begin(stage, feed, token, member="somebody")[0]["payload"]["errors"][0]["errorType"]
        == "UnauthorizedException"
    )
    bad = json.loads(feed.receive('{"type":"start","id":"2","payload":{"data":{}}}', stage.moment)[0])
    assert (bad["type"], bad["id"]) == ("error", "2")
    assert begin(stage, feed, token) == [{"type": "start_ack", "id": "1"}]
    assert feed.tick(59.0, stage.moment) == []
    assert feed.tick(60.0, stage.moment) == ['{"type":"ka"}']
    assert json.loads(feed.receive('{"type":"stop","id":"1"}', stage.moment)[0]) == {
        "type": "complete",
        "id": "1",
    }
    stage.moment += timedelta(hours=2)
    assert (
        json.loads(beps(stage, token).receive('{"type":"connection_init"}', stage.moment)[0])["type"]
        == "connection_error"
    )


@pytest.mark.parametrize("way", ["ignore", "error", "close"])
def test_a_token_that_runs_out(stage: Stage, way: str) -> None:
    stage.fault(beps_expiry=way, beps_keep_alive=0)
    token, _ = event_tokens.mint(stage.desk.member_id, stage.moment, timedelta(seconds=10))
    feed = beps(stage, token)
    feed.receive('{"type":"connection_init"}', stage.moment)
    begin(stage, feed, token)
    assert feed.tick(1.0, stage.moment + timedelta(seconds=9)) == []
    frames = [json.loads(frame) for frame in feed.tick(2.0, stage.moment + timedelta(seconds=10))]
    assert [(frame["type"], frame["id"]) for frame in frames] == ([("error", "1")] if way == "error" else [])
    assert feed.has_ended == (way == "close")
    assert feed.subscription == ("1" if way == "ignore" else None)


@pytest.mark.parametrize(
    ("way", "kind"),
    [
        ("unauthorized", "UnauthorizedException"),
        ("limit", "LimitExceededError"),
        ("query", "ValidationError"),
    ],
)
def test_starts_are_refused(stage: Stage, way: str, kind: str) -> None:
    token, _ = event_tokens.mint(stage.desk.member_id, stage.moment)
    feed = beps(stage, token)
    feed.receive('{"type":"connection_init"}', stage.moment)
    stage.fault(beps_start=way)
    (answer,) = begin(stage, feed, token)
    assert answer["payload"]["errors"][0]["errorType"] == kind
