"""Identical reads share one call; errors are shared, cancellations are not."""

import asyncio

import pytest

from ftcli.server.flights import Flights


class Upstream:
    """A call that answers when told to."""

    def __init__(self) -> None:
        self.calls: list[asyncio.Future[str]] = []

    async def __call__(self) -> str:
        future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.calls.append(future)
        return await future


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_the_same_call_is_made_once() -> None:
    flights, upstream = Flights[str](), Upstream()
    askers = [asyncio.create_task(flights.fly(b"a", upstream)) for _ in range(8)]
    other = asyncio.create_task(flights.fly(b"b", upstream))
    await settle()
    assert len(upstream.calls) == 2
    upstream.calls[0].set_result("one")
    upstream.calls[1].set_result("two")
    assert await asyncio.gather(*askers, other) == ["one"] * 8 + ["two"]
    assert flights.joined == 7
    late = asyncio.create_task(flights.fly(b"a", upstream))
    await settle()
    assert len(upstream.calls) == 3
    upstream.calls[2].set_result("new")
    assert await late == "new"


async def test_errors_are_shared() -> None:
    flights, upstream = Flights[str](), Upstream()
    askers = [asyncio.create_task(flights.fly(b"a", upstream)) for _ in range(3)]
    await settle()
    upstream.calls[0].set_exception(ValueError("broken"))
    found = await asyncio.gather(*askers, return_exceptions=True)
    assert [str(problem) for problem in found] == ["broken"] * 3
    assert len(upstream.calls) == 1


@pytest.mark.parametrize("victim", [0, 1, 2])
async def test_a_canceled_asker_takes_nobody_along(victim: int) -> None:
    flights, upstream = Flights[str](), Upstream()
    askers = [asyncio.create_task(flights.fly(b"a", upstream)) for _ in range(4)]
    await settle()
    askers[victim].cancel()
    await settle()
    upstream.calls[-1].set_result("fine")
    found = await asyncio.gather(*askers, return_exceptions=True)
    assert isinstance(found.pop(victim), asyncio.CancelledError)
    assert found == ["fine"] * 3
    assert len(upstream.calls) == (2 if victim == 0 else 1)  # who made the call is followed by another


async def test_a_read_after_a_change_does_not_join_one_from_before() -> None:
    flights, upstream = Flights[str](), Upstream()
    before = asyncio.create_task(flights.fly(b"a", upstream))
    await settle()
    flights.turn()
    after = [asyncio.create_task(flights.fly(b"a", upstream)) for _ in range(2)]
    await settle()
    assert len(upstream.calls) == 2
    upstream.calls[1].set_result("new")
    assert await asyncio.gather(*after) == ["new", "new"]
    upstream.calls[0].set_result("old")
    assert await before == "old"
    again = asyncio.create_task(flights.fly(b"a", upstream))
    await settle()
    assert len(upstream.calls) == 3
    upstream.calls[2].set_result("newest")
    assert await again == "newest"
