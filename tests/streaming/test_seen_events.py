"""What one process has seen of the account events, the next one knows."""

import logging
from pathlib import Path

import pytest
from bad_day_kit import BadDay, bad_day, until

from ftcli.seen_events import SeenEvents
from ftcli.store import Store
from ftcli.streaming.beps_events import EventMemory
from ftcli.streaming.update import Update

NOW = 1_800_000_000.0


def memory(path: Path, environment: str = "paper", now: float = NOW) -> SeenEvents:
    return SeenEvents(path, environment, lambda: now)


def test_the_next_process_knows_what_this_one_saw(tmp_path: Path) -> None:
    path = tmp_path / "service.db"
    first = memory(path)
    assert list(first.known()) == []
    first.remember(("b", "d1", NOW - 5))
    first.remember(("a", "d2", NOW - 9))
    first.remember(("b", "d3", NOW - 1))  # revised
    first.close()
    assert list(memory(path).known()) == [("a", "d2", NOW - 9), ("b", "d3", NOW - 1)]
    assert list(memory(path, "live").known()) == []
    assert path.stat().st_mode & 0o777 == 0o600


def test_old_events_go_and_the_last_ten_thousand_stay(tmp_path: Path) -> None:
    path = tmp_path / "service.db"
    first = memory(path)
    list(first.known())
    old = NOW - EventMemory.AGE - 100_000
    for number in range(EventMemory.LIMIT + 5):
        first.remember((f"{number}", "d", old + number))
    kept = list(memory(path).known())
    assert [kept[0][0], kept[-1][0]] == ["5", str(EventMemory.LIMIT + 4)]
    fresh = memory(path)
    list(fresh.known())
    for number in range(10):
        fresh.remember((f"new {number}", "d", NOW - 60))
    kept = list(memory(path).known())
    assert len(kept) == EventMemory.LIMIT
    for number in range(EventMemory.LIMIT):
        fresh.remember((f"today {number}", "d", NOW - 50))
    kept = list(memory(path).known())
    assert len(kept) == EventMemory.LIMIT + 10, "all of a day stay, however many"


def test_a_file_that_cannot_be_used_costs_no_event(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "service.db"
    path.write_bytes(b"no database at all, but long enough to be looked at as one" * 20)
    broken = memory(path)
    with caplog.at_level(logging.WARNING, "ftcli"):
        assert list(broken.known()) == []
        broken.remember(("a", "d", NOW))
    assert "are not known" in caplog.text


async def _told_again(day: BadDay, number: str) -> list[Update]:
    """The events of an order when the stream pushes its fill once more, up to a mark behind them."""
    found: list[Update] = []
    async with day.hub.events() as consumer:
        await until(consumer, lambda update: update.kind == "status" and update.value.state == "open")
        await day.push({"eventId": "told-twice", "eventType": "ORDUP", "desc": f'{{"ORDER_NUM":"{number}"}}'})
        await day.push({"eventId": f"mark {id(found)}", "eventType": "VOLAL", "desc": "{}"})
        while not found or found[-1].value.code != "VOLAL":
            found.append(await until(consumer, lambda update: update.kind == "event"))
    return found[:-1]


async def test_a_restarted_process_does_not_tell_an_event_again(tmp_path: Path) -> None:
    async with bad_day(tmp_path) as day:
        assert [update.value.order_id for update in await _told_again(day, "24A1")] == ["24A1"]
    with Store(tmp_path / "service.db").transaction():
        pass  # the file is whole
    async with bad_day(tmp_path) as day:
        assert await _told_again(day, "24A1") == []
        (revised,) = await _told_again(day, "24A2")
        assert revised.value.revised
