"""What the hub is told about the broker: settings of the streams, and the sweep that finds what an outage swallowed."""

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftcli.clock import NEW_YORK
from ftcli.config import Settings
from ftcli.environment import open_client
from ftcli.errors import BrokerError, ValidationFailed
from ftcli.feeds import limits, market_open, waits
from ftcli.market_hours import is_open
from ftcli.models.order_codes import OrderState
from ftcli.models.orders import Order
from ftcli.models.streaming import Event
from ftcli.sweeps import OrderSweep

START = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
LATER = START + timedelta(minutes=1)


class Desk:
    """Order status that a test writes."""

    def __init__(self, *orders: Order) -> None:
        self.orders = list(orders)

    async def status(self) -> list[Order]:
        return list(self.orders)

    def sweep(self) -> OrderSweep:
        return OrderSweep(self.status, lambda: START)


def order(
    state: OrderState = OrderState.OPEN, filled: int = 0, number: str = "A1", quantity: int = 100
) -> Order:
    found = Order(
        conf_num=number,
        symbol="KO",
        account="Z20000025",
        ordered_quantity=Decimal(quantity),
        filled_quantity=Decimal(filled),
    )
    found.state = state
    return found


def fill(cumulative: int, last: int, quantity: int = 100) -> Event:
    return Event(
        event_id=f"fill {cumulative}",
        event_type="ORDER_FILL",
        code="MFCEX",
        category="order",
        order_id="A1",
        symbol="KO",
        quantity=Decimal(quantity),
        executed_quantity=Decimal(last),
        cumulative_quantity=Decimal(cumulative),
    )


async def found(desk: Desk, sweep: OrderSweep) -> list[tuple[str, str | None, Decimal | None]]:
    return [(event.code, event.order_id, event.executed_quantity) for event in await sweep(START, LATER)]


async def test_what_did_not_change_is_not_told() -> None:
    desk = Desk(order(), order(OrderState.FILLED, 100, "B2"))
    sweep = desk.sweep()
    await sweep.baseline()
    assert await found(desk, sweep) == []


async def test_fills_cancels_and_new_orders_are_found_once() -> None:
    desk = Desk(order(), order(number="B2"))
    sweep = desk.sweep()
    await sweep.baseline()
    desk.orders = [
        order(OrderState.PARTLY_FILLED, 30),
        order(OrderState.CANCELED, 40, "B2"),
        order(OrderState.FILLED, 100, "C3"),
        order(number="D4"),
    ]
    assert await found(desk, sweep) == [
        ("ORDUP", "A1", None), ("MFCEX", "A1", Decimal(30)),
        ("ORDUP", "B2", None), ("MFCEX", "B2", Decimal(40)), ("CXL01", "B2", None),
        ("ORDUP", "C3", None), ("MFCEX", "C3", Decimal(100)),
        ("ORDUP", "D4", None),
    ]  # fmt: skip
    assert await found(desk, sweep) == []


async def test_what_was_pushed_is_not_told_again() -> None:
    desk = Desk(order())
    sweep = desk.sweep()
    await sweep.baseline()
    sweep.seen(fill(100, 100))
    desk.orders = [order(OrderState.FILLED, 100)]
    assert await found(desk, sweep) == []


async def test_without_an_earlier_state_nothing_can_be_told() -> None:
    desk = Desk(order())
    with pytest.raises(BrokerError):
        await desk.sweep()(START, LATER)
    sweep = OrderSweep(desk.status, lambda: LATER)
    await sweep.baseline()
    with pytest.raises(BrokerError):  # the outage began before it was known how things were
        await sweep(START, LATER)


@given(st.lists(st.tuples(st.integers(1, 20), st.booleans()), max_size=12))
def test_every_share_is_told_exactly_once(fills: list[tuple[int, bool]]) -> None:
    """Whatever part of the fills is pushed and whatever is swallowed."""
    total = sum(size for size, _ in fills) or 1

    async def scene() -> Decimal:
        desk = Desk(order(quantity=total))
        sweep = desk.sweep()
        await sweep.baseline()
        told, done = Decimal(0), 0
        missed = False
        for size, pushed in fills:
            done += size
            state = OrderState.FILLED if done == total else OrderState.PARTLY_FILLED
            desk.orders = [order(state, done, quantity=total)]
            if pushed:
                if missed:
                    for event in await sweep(START, LATER):
                        told += event.executed_quantity or 0
                    missed = False
                else:
                    event = fill(done, size, total)
                    sweep.seen(event)
                    told += event.executed_quantity or 0
            else:
                missed = True
        for event in await sweep(START, LATER):
            told += event.executed_quantity or 0
        return told - done

    assert asyncio.run(scene()) == 0


def test_limits_and_waits_come_from_the_settings() -> None:
    settings = Settings(stream_consumers=7, stream_symbols=3, stream_backoff="0.1, 2")
    assert (limits(settings).consumers, limits(settings).symbols, waits(settings)) == (7, 3, (0.1, 2.0))
    for nonsense in ("", "soon", "1,-2", "0"):
        with pytest.raises(ValidationFailed):
            waits(Settings(stream_backoff=nonsense))


@pytest.mark.parametrize(
    ("moment", "open_"),
    [("2026-11-24T09:29:59", False), ("2026-11-24T09:30:00", True), ("2026-11-24T15:59:59", True),
     ("2026-11-24T16:00:00", False), ("2026-11-26T12:00:00", False), ("2026-11-27T12:59:59", True),
     ("2026-11-27T13:00:00", False), ("2026-11-28T12:00:00", False)],
)  # fmt: skip
def test_silence_is_suspicious_in_the_exchanges_hours_only(moment: str, open_: bool) -> None:
    at = datetime.fromisoformat(moment).replace(tzinfo=NEW_YORK)
    assert market_open(Settings(environment="live"))(at) is open_
    assert is_open(at.astimezone(UTC)) is open_
    assert market_open(Settings(environment="paper"))(at)
    assert not market_open(Settings(environment="paper", paper_clock="2026-11-24T10:30:00-05:00"))(at)


async def test_two_who_come_at_once_share_one_hub(tmp_path: Path) -> None:
    async with open_client(Settings(environment="paper", data_dir=tmp_path)) as client:
        hubs = await asyncio.gather(*(client.hub() for _ in range(5)))
    assert all(hub is hubs[0] for hub in hubs)
