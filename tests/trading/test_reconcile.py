"""Lost orders known by what they say: of every family, each order evidence for one placement only."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from test_gate import BUY as CASH_BUY
from test_gate import Upstream, live

from ftcli.client import Client
from ftcli.clock import Clock
from ftcli.environment import live_client
from ftcli.errors import OrderRejected, OrderUnknown
from ftcli.models.conditional import (
    Condition,
    ConditionalChange,
    ConditionalOrder,
    ConditionalReplacement,
)
from ftcli.models.option_tickets import (
    MultiLegOrder,
    NetDirection,
    OptionAction,
    OptionLeg,
    OptionLimitOrder,
)
from ftcli.models.tickets import (
    EquityAction,
    EquityLimitOrder,
    EquityStopLimitOrder,
    EquityStopOrder,
    EquityTrailingStopOrder,
)
from ftcli.models.trading import JournalState, ResolveAs
from ftcli.paper.desk import DEMO_PASSWORD, DEMO_USERNAME

ACCOUNT = "Z20000025"
BUY: EquityLimitOrder = msgspec.structs.replace(CASH_BUY, account=ACCOUNT)
SELL: dict[str, Any] = {
    "account": ACCOUNT,
    "symbol": "KO",
    "action": EquityAction.SELL,
    "quantity": Decimal(2),
}
STOP_LIMIT = EquityStopLimitOrder(
    account=ACCOUNT,
    symbol="KO",
    action=EquityAction.BUY,
    quantity=Decimal(3),
    stop_price=Decimal(90),
    limit_price=Decimal(91),
)
TRAIL = EquityTrailingStopOrder(
    account=ACCOUNT,
    symbol="KO",
    action=EquityAction.BUY,
    quantity=Decimal(3),
    trailing_percent=Decimal(5),
)
CALL = OptionLimitOrder(
    account=ACCOUNT,
    symbol="KO270115C80",
    action=OptionAction.BUY_TO_OPEN,
    quantity=1,
    limit_price=Decimal("0.05"),
)
LEGS = [
    OptionLeg(symbol="KO270115C80", action=OptionAction.BUY_TO_OPEN),
    OptionLeg(symbol="KO270115C85", action=OptionAction.SELL_TO_OPEN),
]
SPREAD = MultiLegOrder(account=ACCOUNT, legs=LEGS, direction=NetDirection.DEBIT, net_price=Decimal("0.01"))
BRACKET = ConditionalOrder(
    condition=Condition.OTOCO,
    orders=[
        BUY,
        EquityLimitOrder(**SELL, limit_price=Decimal(90)),
        EquityStopOrder(**SELL, stop_price=Decimal(50)),
    ],
)


async def place(client: Client, order: Any) -> list[str]:
    """Previews and places; the numbers."""
    orders: Any = client.orders
    if isinstance(order, ConditionalOrder):
        preview = await orders.conditional.preview(order)
        await orders.conditional.place(order, preview.conf_nums)
        return list(preview.conf_nums)
    group = (
        orders.options
        if isinstance(order, MultiLegOrder)
        else orders.option
        if isinstance(order, OptionLimitOrder)
        else orders.equity
    )
    preview = await group.preview(order)
    await group.place(order, preview.conf_num)
    return [preview.conf_num]


class Desks:
    """Our client, whose orders get lost, and a stranger's, whose orders go in: what really happened to ours."""

    def __init__(self, upstream: Upstream, ours: Client, theirs: Client) -> None:
        self.upstream, self.ours, self.theirs = upstream, ours, theirs

    async def lose(self, placing: Callable[[], Awaitable[Any]]) -> None:
        self.upstream.fault = "500"
        with pytest.raises(OrderUnknown):
            await placing()
        self.upstream.fault = ""


async def desks(stack: AsyncExitStack, folder: Path, clock: Clock | None = None, **flags: Any) -> Desks:
    upstream = Upstream(clock)
    (folder / "ours").mkdir()
    ours = await stack.enter_async_context(live(folder / "ours", upstream, live_trading=True, **flags))
    theirs = live_client(
        msgspec.structs.replace(ours.settings, data_dir=folder / "theirs"), upstream.desk.clock
    )
    stack.push_async_callback(theirs.aclose)
    await theirs.auth.login(DEMO_USERNAME, DEMO_PASSWORD)
    await ours.orders.reconcile()  # the orders that are there from the start
    return Desks(upstream, ours, theirs)


@pytest.mark.parametrize(
    "order",
    [STOP_LIMIT, TRAIL, CALL, SPREAD, BRACKET],
    ids=["stop_limit", "trail", "call", "spread", "bracket"],
)
async def test_a_lost_order_of_any_family_is_known_by_what_it_says(order: Any, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        both = await desks(stack, tmp_path, unverified=True)
        await both.lose(lambda: place(both.ours, order))
        (lost,) = (await both.ours.orders.reconcile()).settled
        assert lost.state == "unknown"
        numbers = await place(both.theirs, order)
        report = await both.ours.orders.reconcile()
        (settled,) = report.settled
        assert settled.state == "accepted", settled.evidence
        assert [line.split()[3] for line in settled.evidence] == numbers
        assert not set(numbers) & set(report.adopted)
        # A repeat answers with the numbers that the broker knows it by.
        assert await repeat(both.ours, order, lost.conf_nums) == numbers


async def repeat(client: Client, order: Any, numbers: list[str]) -> list[str]:
    orders: Any = client.orders
    if isinstance(order, ConditionalOrder):
        return list((await orders.conditional.place(order, numbers)).conf_nums)
    group = (
        orders.options
        if isinstance(order, MultiLegOrder)
        else orders.option
        if isinstance(order, OptionLimitOrder)
        else orders.equity
    )
    return [(await group.place(order, numbers[0])).conf_num]


async def test_a_package_of_the_other_direction_is_another_one(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        both = await desks(stack, tmp_path)
        await both.lose(lambda: place(both.ours, SPREAD))
        legs = [
            OptionLeg(symbol=LEGS[0].symbol, action=OptionAction.BUY_TO_OPEN),
            OptionLeg(symbol=LEGS[1].symbol, action=OptionAction.SELL_TO_OPEN, quantity=2),
        ]
        await place(both.theirs, msgspec.structs.replace(SPREAD, direction=NetDirection.CREDIT))
        await place(both.theirs, msgspec.structs.replace(SPREAD, legs=legs))
        assert [item.state for item in (await both.ours.orders.reconcile()).settled] == ["unknown"]


async def test_a_lost_change_is_known_by_the_order_it_changed(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        both = await desks(stack, tmp_path)
        dearer = msgspec.structs.replace(BUY, limit_price=Decimal(61))
        (original,) = await place(both.ours, BUY)
        preview = await both.ours.orders.replace.preview(dearer, original)
        await both.lose(lambda: both.ours.orders.replace.place(dearer, original, preview.conf_num or ""))
        # A new order of the same terms is no change of ours.
        await place(both.theirs, dearer)
        assert (await both.ours.orders.reconcile()).settled[0].state == "unknown"
        theirs = await both.theirs.orders.replace.preview(dearer, original)
        await both.theirs.orders.replace.place(dearer, original, theirs.conf_num or "")
        (settled,) = (await both.ours.orders.reconcile()).settled
        assert settled.state == "accepted", settled.evidence
        assert f"lists {theirs.conf_num} " in settled.evidence[0]


async def test_a_lost_change_that_is_listed_tells_of_the_original_too(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        both = await desks(stack, tmp_path)
        dearer = msgspec.structs.replace(BUY, limit_price=Decimal(61))
        (original,) = await place(both.ours, BUY)
        preview = await both.ours.orders.replace.preview(dearer, original)
        both.upstream.fault = "lost"
        with pytest.raises(OrderUnknown):
            await both.ours.orders.replace.place(dearer, original, preview.conf_num or "")
        (settled,) = (await both.ours.orders.reconcile()).settled
        assert settled.evidence[0] == f"order status lists {preview.conf_num} as open"
        assert settled.evidence[1].startswith(f"the changed order {original} is cancel")


async def test_a_lost_change_that_failed_tells_of_the_original_too(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        both = await desks(stack, tmp_path)
        dearer = msgspec.structs.replace(BUY, limit_price=Decimal(61))
        (original,) = await place(both.ours, BUY)
        preview = await both.ours.orders.replace.preview(dearer, original)
        number = preview.conf_num or ""
        both.upstream.fault, both.upstream.failed = "lost", {number}
        with pytest.raises(OrderUnknown):
            await both.ours.orders.replace.place(dearer, original, number)
        assert [item.state for item in (await both.ours.orders.reconcile()).settled] == ["rejected"]
        with pytest.raises(OrderRejected, match=f"{number} failed, the changed order {original} cancel"):
            await both.ours.orders.replace.place(dearer, original, number)


async def test_a_lost_change_of_a_group_is_known_by_what_it_changed(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        both = await desks(stack, tmp_path)
        numbers = await place(both.ours, BRACKET)
        changed = ConditionalReplacement(
            condition=Condition.OTOCO,
            changes=[
                ConditionalChange(
                    order=EquityLimitOrder(**SELL, limit_price=Decimal(95)), replaces=numbers[1]
                )
            ],
        )
        ours, theirs = both.ours.orders.conditional_replace, both.theirs.orders.conditional_replace
        preview = await ours.preview(changed)
        await both.lose(lambda: ours.place(changed, preview.conf_nums))
        assert (await both.ours.orders.reconcile()).settled[0].state == "unknown"
        other = await theirs.preview(changed)
        await theirs.place(changed, other.conf_nums)
        (settled,) = (await both.ours.orders.reconcile()).settled
        assert settled.state == "accepted", settled.evidence
        assert f"lists {other.conf_nums[0]} " in settled.evidence[0]


async def test_one_order_is_never_evidence_for_two(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        both = await desks(stack, tmp_path)
        for _ in range(2):
            await both.lose(lambda: place(both.ours, BUY))
        (first,) = await place(both.theirs, BUY)
        for _ in range(2):
            report = await both.ours.orders.reconcile()
            assert [item.state for item in report.settled] == ["unknown", "unknown"]
            for item in report.settled:
                assert f"{first} at the broker could be it" in item.evidence[0]
                assert "a person decides" in item.evidence[0]
            assert not report.adopted, "what may be ours is not adopted as somebody else's"
        # As many orders as lost ones, all alike: one for each, the earlier for the earlier.
        (second,) = await place(both.theirs, BUY)
        report = await both.ours.orders.reconcile()
        assert [item.state for item in report.settled] == ["accepted", "accepted"]
        pairs = [item.evidence[0].split()[3] for item in sorted(report.settled, key=lambda item: item.id)]
        assert pairs == sorted([first, second])
        assert not (await both.ours.orders.reconcile()).adopted


async def test_what_is_bound_once_is_bound_for_good(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        both = await desks(stack, tmp_path)
        await both.lose(lambda: place(both.ours, BUY))
        (first,) = await place(both.theirs, BUY)
        assert (await both.ours.orders.reconcile()).settled[0].state == "accepted"
        await both.lose(lambda: place(both.ours, BUY))
        report = await both.ours.orders.reconcile()
        assert [item.state for item in report.settled] == ["unknown"]
        assert first not in report.settled[0].evidence[0]
        assert not report.adopted
        desk = both.ours.desk
        thought = {"evidence": ["another process thinks so"], "claims": [first]}
        assert not desk.settle(report.settled[0].id, JournalState.ACCEPTED, **thought)
        assert desk.unresolved()
        # Two orders for one lost one: neither is surely it, until a person has said so.
        for _ in range(2):
            await place(both.theirs, BUY)
        report = await both.ours.orders.reconcile()
        assert report.settled[0].state == "unknown"
        assert not report.adopted
        await both.ours.orders.resolve(str(report.settled[0].id), ResolveAs.NOT_PLACED, "seen in the app")
        assert len((await both.ours.orders.reconcile()).adopted) == 2
