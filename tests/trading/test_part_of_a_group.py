"""A lost placement went in only where every one of its orders did; what a person says is held against the broker."""

from contextlib import AsyncExitStack
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import httpx
import msgspec
import pytest
from faces import environ_of
from test_at_most_once import number_of
from test_gate import BUY, NOW, Upstream, live
from test_reconcile import BRACKET, SELL, desks, place
from test_reconcile import BUY as MARGIN_BUY

from ftcli import config
from ftcli.client import Client
from ftcli.environment import live_client
from ftcli.errors import Conflict, OrderRejected, OrderUnknown, ValidationFailed
from ftcli.models.conditional import Condition, ConditionalOrder
from ftcli.models.tickets import EquityLimitOrder
from ftcli.models.trading import JournalState, ResolveAs, Settled
from ftcli.operations import reconcile
from ftcli.server.run import running
from ftcli.trading.origin import placing
from ftcli.trading.watch import LostWatch

OTO = ConditionalOrder(
    condition=Condition.OTO, orders=[MARGIN_BUY, EquityLimitOrder(**SELL, limit_price=Decimal(90))]
)


async def lost_group(client: Client, upstream: Upstream, order: ConditionalOrder) -> list[str]:
    """Places a group whose answer is lost; its numbers."""
    preview = await client.orders.conditional.preview(order)
    upstream.fault = "lost"
    with pytest.raises(OrderUnknown):
        await client.orders.conditional.place(order, preview.conf_nums)
    upstream.fault = ""
    return list(preview.conf_nums)


async def settled(client: Client) -> Settled:
    (found,) = (await client.orders.reconcile()).settled
    return found


@pytest.mark.parametrize("order", [OTO, BRACKET], ids=["oto", "otoco"])
async def test_a_group_of_which_one_order_is_missing_stays_unknown(
    order: ConditionalOrder, tmp_path: Path
) -> None:
    upstream = Upstream()
    async with live(tmp_path, upstream, live_trading=True) as client:
        numbers = await lost_group(client, upstream, order)
        upstream.hidden = {numbers[-1]}
        for _ in range(2):  # a second look finds the same and adds no row
            found = await settled(client)
            assert found.state == "unknown"
            assert found.evidence[-1] == f"{numbers[-1]} is not listed"
        entry = await client.orders.journal.show(numbers[0])
        assert [change.state for change in entry.changes] == ["sending", "unknown", "unknown"]
        assert entry.changes[-1].found[numbers[0]] == "open"
        assert entry.changes[-1].found[numbers[-1]] == "not found"
        # What is not listed may be open all the same, for the limit of open orders.
        assert client.desk.journal.unlisted(entry.account, numbers[:-1], None) == 1
        with pytest.raises(OrderUnknown, match=f"only part of it is found .*{numbers[-1]} not found"):
            await client.orders.conditional.place(order, numbers)
        # It turns up later: then all of it went in.
        upstream.hidden = set()
        assert (await settled(client)).state == "accepted"
        assert (await client.orders.conditional.place(order, numbers)).conf_nums == numbers
    assert upstream.places == 1


async def test_a_group_of_which_one_order_failed_is_partly_accepted(tmp_path: Path) -> None:
    upstream = Upstream()
    async with live(tmp_path, upstream, live_trading=True) as client:
        first, second = numbers = await lost_group(client, upstream, OTO)
        upstream.failed = {second}
        found = await settled(client)
        assert found.state == "partly_accepted"
        assert found.evidence == [
            f"order status lists {first} as open",
            f"order status lists {second} as failed",
        ]
        status = await client.trading.status()
        assert (status.unresolved, (status.note or "").split(": ")[1][:13]) == (0, "placement 1. ")
        # Nothing is looked for any more, and nothing is told as placed.
        assert not (await client.orders.reconcile()).settled
        with pytest.raises(OrderUnknown, match=f"{first} open, {second} failed") as told:
            await client.orders.conditional.place(OTO, numbers)
        assert (told.value.details or {})["found"] == {first: "open", second: "failed"}
        # It counts, as long as nobody has said what became of it.
        (row,) = client.desk.journal.entries(state="partly_accepted")
        assert client.desk.journal.today(row.account, "", "").orders == 2
        # A person ends it. What is told from then on is what the broker took.
        await client.orders.resolve(first, ResolveAs.PLACED, "I keep it")
        assert (await client.orders.conditional.place(OTO, numbers)).conf_nums == [first]
    assert upstream.places == 1


async def test_a_group_that_failed_is_rejected(tmp_path: Path) -> None:
    upstream = Upstream()
    async with live(tmp_path, upstream, live_trading=True) as client:
        numbers = await lost_group(client, upstream, OTO)
        upstream.failed = set(numbers)
        assert (await settled(client)).state == "rejected"
        with pytest.raises(OrderRejected, match=f"{numbers[0]} failed, {numbers[1]} failed"):
            await client.orders.conditional.place(OTO, numbers)


async def test_a_mixed_answer_is_evidence_itself(tmp_path: Path) -> None:
    """The broker refuses one order of a group, says so, and never lists it."""
    upstream = Upstream()
    async with live(tmp_path, upstream, live_trading=True) as client:
        preview = await client.orders.conditional.preview(OTO)
        first, second = preview.conf_nums
        upstream.refused = 1
        with pytest.raises(OrderUnknown, match="did not say yes to every order"):
            await client.orders.conditional.place(OTO, preview.conf_nums)
        upstream.hidden = {second}
        found = await settled(client)
        assert found.state == "partly_accepted"
        assert found.evidence == [
            f"order status lists {first} as open",
            f"the broker's answer said {second} is refused",
        ]
        assert upstream.details == 0


async def test_a_single_order_that_failed_is_rejected(tmp_path: Path) -> None:
    upstream = Upstream()
    async with live(tmp_path, upstream, live_trading=True) as client:
        told: list[str] = []
        client.on_lost = told.append
        client._lost_watch = LostWatch(client._nothing_lost, (0, 0))
        number = await number_of(client)
        upstream.fault, upstream.failed = "lost", {number}
        with pytest.raises(OrderRejected, match=f"did not carry it out: {number} failed"):
            await client.orders.equity.place(BUY, number)
        assert told[1:] == [f"Found: order status lists {number} as failed."]
        assert (await client.orders.journal.show(number)).state == "rejected"


async def test_who_waits_for_a_group_is_told_what_there_is_of_it(tmp_path: Path) -> None:
    upstream = Upstream()
    async with live(tmp_path, upstream, live_trading=True) as client:
        client.on_lost = lambda text: None
        client._lost_watch = LostWatch(client._nothing_lost, (0, 0))
        preview = await client.orders.conditional.preview(OTO)
        first, second = preview.conf_nums
        upstream.fault, upstream.hidden = "lost", {second}
        with pytest.raises(OrderUnknown, match=f"{first} open, {second} not found"):
            await client.orders.conditional.place(OTO, preview.conf_nums)


# -- what a person says -------------------------------------------------------------------------------------


async def test_what_is_there_was_not_not_placed(tmp_path: Path) -> None:
    upstream = Upstream()
    async with live(tmp_path, upstream, live_trading=True) as client:
        number = await number_of(client)
        upstream.fault = "lost"
        with pytest.raises(OrderUnknown):
            await client.orders.equity.place(BUY, number)
        upstream.fault = ""
        upstream.hidden = {number}
        await client.orders.resolve(number, ResolveAs.NOT_PLACED, "not in the app")
        assert not (await client.orders.reconcile()).settled
        with pytest.raises(Conflict, match="settled as not placed"):
            await client.orders.equity.place(BUY, number)
        upstream.hidden = set()
        found = await settled(client)
        assert found.state == "accepted"
        assert found.evidence == [
            "a person had settled it as not placed (not in the app), but it is there",
            f"order status lists {number} as open",
        ]
        assert (await client.orders.journal.show(number)).changes[-1].evidence == found.evidence
        assert not (await client.orders.reconcile()).settled


async def test_what_failed_was_rightly_not_placed(tmp_path: Path) -> None:
    upstream = Upstream()
    async with live(tmp_path, upstream, live_trading=True) as client:
        number = await number_of(client)
        upstream.fault = "lost"
        with pytest.raises(OrderUnknown):
            await client.orders.equity.place(BUY, number)
        upstream.fault, upstream.failed = "", {number}
        await client.orders.resolve(number, ResolveAs.NOT_PLACED, "not in the app")
        assert not (await client.orders.reconcile()).settled


@pytest.mark.parametrize("adopted", [False, True])
async def test_a_person_names_the_number_it_has(adopted: bool, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        both = await desks(stack, tmp_path)
        await both.lose(lambda: place(both.ours, MARGIN_BUY))
        (lost,) = (await both.ours.orders.reconcile()).settled
        # Two alike, or others than ours said: only a person can tell which one it is.
        theirs = msgspec.structs.replace(MARGIN_BUY, limit_price=Decimal(61)) if adopted else MARGIN_BUY
        first, second = [(await place(both.theirs, theirs))[0] for _ in range(2)]
        if adopted:
            assert (await both.ours.orders.reconcile()).adopted == [first, second]
        orders = both.ours.orders
        with pytest.raises(ValidationFailed, match="conf_nums"):
            await orders.resolve(str(lost.id), ResolveAs.NOT_PLACED, "seen", [first])
        with pytest.raises(ValidationFailed, match="at most 1"):
            await orders.resolve(str(lost.id), ResolveAs.PLACED, "seen", [first, second])
        with pytest.raises(ValidationFailed, match="such as 2DI0KXQ4"):
            await orders.resolve(str(lost.id), ResolveAs.PLACED, "seen", ["no number"])
        (taken,) = await place(both.ours, MARGIN_BUY)
        with pytest.raises(ValidationFailed, match="that of placement"):
            await orders.resolve(str(lost.id), ResolveAs.PLACED, "seen", [taken])
        entry = await orders.resolve(str(lost.id), ResolveAs.PLACED, "seen", [first.lower()])
        assert (entry.state, entry.changes[-1].conf_nums) == ("accepted", [first])
        again = await orders.equity.place(MARGIN_BUY, lost.conf_nums[0])
        assert again.conf_num == first
        assert (await orders.reconcile()).adopted == ([] if adopted else [second])
        if adopted:
            said = (await orders.journal.list(state=JournalState.EXTERNAL)).entries
            (row,) = [one for one in said if first in one.conf_nums]
            assert row.changes[-1].message == f"this is placement {lost.id} of this journal"


async def test_over_http_a_person_names_it_too_and_a_repeat_is_told_as_one(tmp_path: Path) -> None:
    faults = "lost_place=on,status=400,paths=order-status"
    settings = config.load({}, environ_of(tmp_path) | {"FT_PAPER_FAULTS": faults})
    order = {"account": "Z10000017", "symbol": "KO", "action": "buy", "quantity": 1}
    order |= {"order_type": "limit", "limit_price": 60}
    async with running(settings) as url, httpx.AsyncClient(base_url=f"{url}/api/v1", timeout=20) as http:
        preview = await http.post("/orders/equity/preview", json=order)
        number = preview.json()["data"]["conf_num"]
        for replayed in (None, "true"):
            told = await http.post("/orders/equity/place", json={"order": order, "conf_num": number})
            assert told.json()["error"]["code"] == "ORDER_UNKNOWN"
            assert told.headers.get("Idempotency-Replayed") == replayed
        body = {"outcome": "placed", "reason": "seen in the app", "conf_nums": ["2GZZZZZZ"]}
        settled = (await http.post(f"/orders/journal/{number}/resolve", json=body)).json()["data"]
        assert settled["changes"][-1]["conf_nums"] == ["2GZZZZZZ"]
        told = await http.post("/orders/equity/place", json={"order": order, "conf_num": number})
        assert told.json()["data"]["conf_num"] == "2GZZZZZZ"


@pytest.mark.parametrize("late", [timedelta(minutes=9), timedelta(minutes=11)])
async def test_an_order_entered_long_after_is_another_one(late: timedelta, tmp_path: Path) -> None:
    moment = [NOW]
    async with AsyncExitStack() as stack:
        both = await desks(stack, tmp_path, lambda: moment[0])
        await both.lose(lambda: place(both.ours, MARGIN_BUY))
        moment[0] += late
        (number,) = await place(both.theirs, MARGIN_BUY)
        report = await both.ours.orders.reconcile()
        is_ours = late < timedelta(minutes=10)
        assert report.settled[0].state == ("accepted" if is_ours else "unknown")
        assert report.adopted == ([] if is_ours else [number])


# -- one's own order ----------------------------------------------------------------------------------------


async def test_another_lost_order_does_not_hide_ones_own(tmp_path: Path) -> None:
    upstream = Upstream()
    async with live(tmp_path, upstream, live_trading=True) as client:
        upstream.fault = "500"
        with pytest.raises(OrderUnknown):
            await client.orders.equity.place(BUY, await number_of(client))
        client.on_lost = lambda text: None
        client._lost_watch = LostWatch(client._nothing_lost, (0, 0))
        number = await number_of(client)
        upstream.fault = "lost"
        with placing("cli", key="mine") as origin:
            assert (await client.orders.equity.place(BUY, number)).conf_num == number
        assert not origin.replayed, "the caller repeated nothing"
        with placing("cli", key="mine") as origin:
            await client.orders.equity.place(BUY, number)
        assert origin.replayed
        assert len(client.desk.unresolved()) == 1
    assert upstream.places == 2


async def test_old_lost_orders_do_not_hold_up_a_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconcile, "LOOKUPS", 2)
    upstream = Upstream()
    async with live(tmp_path, upstream, live_trading=True) as client:
        upstream.fault = "500"
        for _ in range(4):
            with pytest.raises(OrderUnknown):
                await client.orders.equity.place(BUY, await number_of(client))
        upstream.fault = ""
        number = await number_of(client)
        upstream.details = 0
        second = live_client(client.settings, upstream.desk.clock)
        await second.auth.login()
        await second.look_for_lost()
        assert upstream.details == 2
        upstream.details = 0
        await second.orders.reconcile()
        assert upstream.details == 4
        await second.aclose()
        assert number
